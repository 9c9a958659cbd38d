//! What is claimed: until when, of what was really spent, how little, and how often.

use kit::people::{MARA, NORDWIND};
use kit::{App, on_both};
use serde_json::json;

use super::{Ground, Planned, SPRING, WHOLE, begin, next_day, pass_to, prove_on};

const FIRST_TIME: (&str, &str) = ("days = 30\n", "days = 30\nfirst_time_days = 35\nreminders = [1, 14, 28]\n");
const WINTER: (&str, &str) = ("2025-01-01", "2025-03-31");

on_both! {
    async fn t01_thirty_calendar_days_to_claim(app: &App) {
        begin(app, "2025-03-03");
        let ground = Ground::with(app, "DAYS", (&[], ""), "5,000").await;
        let no = ground.approved(WINTER, Planned::new("2025-03-31", "10,000"), "5,000").await;
        prove_on(app, &no, "2025-04-01").await;
        pass_to(app, "2025-04-30").await;
        let form = ground.mara.open(&format!("/cycles/{no}/execution/campaigns/1/claim")).await;
        form.assert_says("until Wed 30 April 2025");
        let check = ground.claim(&no, "4,000", false).await;
        ground.send(&check, "2,000").await;
        ground.decide(&no, 1, "2,000").await;

        next_day(app);
        let late = ground.claim(&no, "6,000", false).await;
        late.assert_status(409).assert_says("The last day to claim on “Zero trust in practice” was Wed 30 April 2025.");
        late.assert_says("what was not claimed by then goes back to its fund");
        assert_eq!(late.form("Check what it will pay").value("actual_1"), Some("6,000"), "what was typed is kept");
        ground.holds(&[("committed", "3,000"), ("claimed", "2,000")]).await;
        app.days_pass(0).await;
        ground.holds(&[("available", "3,000"), ("claimed", "2,000")]).await;
    }

    async fn t02_a_first_time_claimant_has_35_days(app: &App) {
        begin(app, "2025-03-03");
        let ground = Ground::with(app, "FIRST", (&[FIRST_TIME], ""), "5,000").await;
        let no = ground.approved(WINTER, Planned::new("2025-03-31", "8,000"), "4,000").await;
        let later = ground.approved(WINTER, Planned::new("2025-03-31", "2,000"), "1,000").await;
        prove_on(app, &no, "2025-04-01").await;
        app.prove(&later, MARA).await;
        pass_to(app, "2025-05-05").await;
        let check = ground.claim(&no, "6,000", false).await;
        ground.send(&check, "3,000").await;
        ground.decide(&no, 1, "3,000").await;
        next_day(app);
        let late = ground.claim(&no, "2,000", false).await;
        late.assert_status(409).assert_says("The last day to claim on “Zero trust in practice” was Mon 5 May 2025.");
        ground.holds(&[("committed", "2,000"), ("claimed", "3,000")]).await;

        // Once a claim of theirs is paid they are no first-time claimant any more.
        ground.pay(&no, 1, &[]).await;
        let late = ground.claim(&later, "2,000", false).await;
        late.assert_status(409).assert_says("The last day to claim on “Zero trust in practice” was Wed 30 April 2025.");
        app.days_pass(0).await;
        ground.holds(&[("available", "2,000"), ("paid", "3,000")]).await;
    }

    async fn t03_reminders_at_one_fourteen_and_twenty_eight_days(app: &App) {
        begin(app, "2025-03-03");
        let ground = Ground::with(app, "REMINDED", (&[FIRST_TIME], ""), "5,000").await;
        let no = ground.approved(WINTER, Planned::new("2025-03-31", "10,000"), "5,000").await;
        prove_on(app, &no, "2025-03-31").await;
        let reminders = async || {
            let mails = app.mails_to(MARA).await;
            mails.iter().filter(|mail| mail.subject.starts_with(&no) && mail.subject.contains("claim due")).count()
        };
        let (mut told, mut days) = (reminders().await, Vec::new());
        assert_eq!(told, 0, "none on the last day itself");
        for _ in 0..40 {
            app.days_pass(1).await;
            let now = reminders().await;
            if now > told {
                assert_eq!(now, told + 1, "one a day at most");
                days.push(app.clock.today().to_string());
            }
            told = now;
        }
        assert_eq!(days, ["2025-04-01", "2025-04-14", "2025-04-28"]);
        let mails = app.mails_to(MARA).await;
        let mail = mails.iter().find(|mail| mail.subject.contains("claim due")).expect("the first reminder");
        assert!(mail.text.contains("5 May 2025") && mail.text.contains("5,000 USD"), "{}", mail.text);
        ground.holds(&[("available", "5,000")]).await;
    }

    async fn t08_paid_on_actual_cost(app: &App) {
        let ground = Ground::with(app, "ACTUAL", (&[], ""), "6,000").await;
        let no = ground.approved(SPRING, Planned::new("2026-04-14", "10,000"), "5,000").await;
        ground.holds(&[("available", "1,000"), ("committed", "5,000")]).await;
        prove_on(app, &no, "2026-04-15").await;
        let check = ground.claim(&no, "8,000", true).await;
        check.assert_says("5,000 USD → becomes 1,000 USD").assert_says("Goes back 1,000 USD");
        ground.send(&check, "4,000").await;
        let page = ground.mara.open(&format!("/cycles/{no}/claims/1")).await;
        page.assert_says("The claim pays 4,000 USD: 50 % of 8,000 USD really spent. 1,000 USD goes back to the fund.");
        ground.decide(&no, 1, "4,000").await;
        ground.holds(&[("available", "2,000"), ("claimed", "4,000")]).await;
        ground.pay(&no, 1, &[]).await.assert_says("Paid");
        ground.holds(&[("available", "2,000"), ("paid", "4,000")]).await;
        ground.mara.open("/wallet").await.assert_says("2,000 USD");
    }

    async fn t09_overspend_is_the_partners(app: &App) {
        let ground = Ground::with(app, "OVER", (&[], ""), "6,000").await;
        let no = ground.approved(SPRING, Planned::new("2026-04-14", "10,000"), "5,000").await;
        prove_on(app, &no, "2026-04-15").await;
        let check = ground.claim(&no, "14,000", true).await;
        check.assert_says("The program's share would be 7,000 USD; 5,000 USD is what is left of the approval.");
        check.assert_says("What was spent over the plan is yours.");
        ground.send(&check, "5,000").await;
        let page = ground.mara.open(&format!("/cycles/{no}/claims/1")).await;
        page.assert_says("50 % of 14,000 USD would be 7,000 USD; 5,000 USD is approved and not yet claimed, so the claim pays 5,000 USD.");
        page.assert_silent_on("goes back to the fund");
        ground.decide(&no, 1, "5,000").await;
        ground.pay(&no, 1, &[]).await;
        ground.holds(&[("available", "1,000"), ("paid", "5,000")]).await;
    }

    async fn t11_45_days_after_the_period_or_a_fixed_date(app: &App) {
        begin(app, "2025-11-03");
        let after = Ground::with(app, "AFTER", (&[("days = 30\n", "days_after_period = 45\n")], ""), "5,000").await;
        let fixed = Ground::with(app, "FIXED", (&[("days = 30\n", "last_day = \"2026-02-15\"\n")], ""), "5,000").await;
        let autumn = ("2025-10-01", "2025-12-31");
        let one = after.approved(autumn, Planned::new("2025-12-31", "10,000"), "5,000").await;
        let other = fixed.approved(autumn, Planned::new("2025-12-31", "10,000"), "5,000").await;
        prove_on(app, &one, "2026-01-02").await;
        app.prove(&other, MARA).await;
        pass_to(app, "2026-02-14").await;
        let check = after.claim(&one, "4,000", false).await;
        after.send(&check, "2,000").await;
        after.decide(&one, 1, "2,000").await;

        next_day(app);
        let late = after.claim(&one, "6,000", false).await;
        late.assert_status(409).assert_says("was Sat 14 February 2026.");
        let check = fixed.claim(&other, "4,000", false).await;
        fixed.send(&check, "2,000").await;
        fixed.decide(&other, 1, "2,000").await;
        next_day(app);
        let late = fixed.claim(&other, "6,000", false).await;
        late.assert_status(409).assert_says("was Sun 15 February 2026.");
        app.days_pass(0).await;
        for ground in [after, fixed] {
            ground.holds(&[("available", "3,000"), ("claimed", "2,000")]).await;
        }
    }

    async fn t27_partial_claims_up_to_what_was_approved(app: &App) {
        let ground = Ground::with(app, "PARTS", (&[WHOLE], ""), "6,000").await;
        let no = ground.approved(SPRING, Planned::new("2026-04-14", "6,000"), "6,000").await;
        prove_on(app, &no, "2026-04-15").await;
        for (claim, left, claimed) in [(1, "3,500", "2,500"), (2, "1,000", "5,000")] {
            let check = ground.claim(&no, "2,500", false).await;
            check.assert_says(&format!("becomes {left} USD"));
            ground.send(&check, "2,500").await;
            ground.decide(&no, claim, "2,500").await;
            ground.holds(&[("committed", left), ("claimed", claimed)]).await;
        }
        let check = ground.claim(&no, "1,500", false).await;
        check.assert_says("The program's share would be 1,500 USD; 1,000 USD is what is left of the approval.");
        ground.send(&check, "1,000").await;
        ground.decide(&no, 3, "1,000").await;
        ground.holds(&[("claimed", "6,000")]).await;
        let asked = async |claim| ground.told(&no, claim).await["asked"]["minor"].clone();
        assert_eq!([asked(1).await, asked(2).await, asked(3).await], [json!(250_000), json!(250_000), json!(100_000)]);
        let fourth = ground.claim(&no, "1", false).await;
        fourth.assert_status(409).assert_says("“Zero trust in practice” has 0 USD left to claim.");
    }

    async fn t29_minimum_claim_unless_it_is_the_final_one(app: &App) {
        let least = |minimum: &'static str| [WHOLE, ("days = 30\n", minimum)];
        let ground = Ground::with(app, "LEAST", (&least("days = 30\nminimum = \"25\"\n"), ""), "1,000").await;
        let no = ground.approved(SPRING, Planned::new("2026-04-14", "1,000"), "1,000").await;
        let large = Ground::with(app, "LARGE", (&least("days = 30\nminimum = \"10000\"\n"), ""), "20,000").await;
        let rest = large.approved(SPRING, Planned::new("2026-04-14", "20,000"), "20,000").await;
        prove_on(app, &no, "2026-04-15").await;
        app.prove(&rest, MARA).await;

        let refused = ground.claim(&no, "24.99", false).await;
        refused.assert_status(409).assert_says("The claim comes to 24.99 USD, less than the program's minimum of 25 USD.");
        refused.assert_says("Claim more at once, or mark this claim as the final one.");
        assert_eq!(refused.form("Check what it will pay").value("actual_1"), Some("24.99"), "what was typed is kept");
        let check = ground.claim(&no, "25.00", false).await;
        ground.send(&check, "25").await;
        ground.decide(&no, 1, "25").await;
        ground.holds(&[("committed", "975"), ("claimed", "25")]).await;

        let refused = large.claim(&rest, "9,999", false).await;
        refused.assert_status(409).assert_says("The claim comes to 9,999 USD, less than the program's minimum of 10,000 USD.");
        let check = large.claim(&rest, "9,999", true).await;
        check.assert_says("Goes back 10,001 USD");
        large.send(&check, "9,999").await;
        let page = large.mara.open(&format!("/cycles/{rest}/claims/1")).await;
        page.assert_says("The claim comes to 9,999 USD, under the minimum of 10,000 USD, and is the final one.");
        large.decide(&rest, 1, "9,999").await;
        large.holds(&[("available", "10,001"), ("claimed", "9,999")]).await;
        assert_eq!(large.told(&rest, 1).await["asked"]["minor"], json!(999_900));
        assert_eq!(NORDWIND.id(), app.look(&rest).await.partner.id);
    }
}
