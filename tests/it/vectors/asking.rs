//! What is asked for: when, for which share, up to which cap, and who decides.

use domain::cycle::Stage;
use futures_util::future::join_all;
use kit::people::INES;
use kit::{App, on_both};

use super::{Ground, Planned, SPRING, WHOLE, begin, next_day};

const AHEAD: &str = "[lead_time]\ndays = 10\ncount = \"business\"\nlate = \"needs_reason\"";
const SPONSORS: (&str, &str) =
    ("default = \"0.50\"", "default = \"0.50\"\nrate = [{ share = \"0.33\", sponsors_from = 3 }]");
const GIFTS: &str = "[[cap]]\nname = \"Gifts\"\ncategory = \"gifts\"\nmost = \"200\"\nper = \"head\"";
const DIRECTOR: &str =
    "[[approval]]\nlevel = 2\nfrom = \"15000\"\nrole = \"approver\"\nname = \"Director\"\nsla_days = 7";
const SEASON: (&str, &str) = (
    "default = \"0.50\"",
    "default = \"0.50\"\nrate = [{ share = \"0.80\", from = \"2020-04-01\", to = \"2020-07-31\" }]",
);

on_both! {
    async fn t04_ten_business_days_ahead_and_later_with_a_reason(app: &App) {
        begin(app, "2025-06-02");
        let ground = Ground::with(app, "AHEAD", (&[], AHEAD), "1,000").await;
        let period = ("2025-04-01", "2025-06-30");
        let (in_time, late) = (
            ground.plan(period, &[Planned::new("2025-06-16", "600")]).await,
            ground.plan(period, &[Planned::new("2025-06-16", "400")]).await,
        );
        let check = ground.check(&in_time, &[]).await;
        check.assert_says("starts Mon 16 June 2025; the last day to ask is Mon 2 June 2025.");
        ground.ask(&check, "300").await;

        next_day(app);
        let check = ground.check(&late, &[]).await;
        check.assert_says("the program asks for 10 business days, so the last day to ask was Mon 2 June 2025.");
        check.assert_says("Give a reason to ask late.");
        assert!(!check.has_button("Ask for 200 USD"), "on the 3rd it needs a reason");
        let check = ground.check(&late, &[("late_reason", "The speaker confirmed today.")]).await;
        check.assert_says("so the last day to ask was Mon 2 June 2025. A reason is given.");
        ground.ask(&check, "200").await;
        let page = ground.ana.open(&format!("/cycles/{late}/approval")).await;
        page.assert_says("The speaker confirmed today.");
        ground.holds(&[("available", "1,000")]).await;
        ground.approve(&in_time, "300").await;
        ground.approve(&late, "200").await;
        ground.holds(&[("available", "500"), ("committed", "500")]).await;
    }

    async fn t07_share_by_sponsors(app: &App) {
        let ground = Ground::with(app, "SPONSORS", (&[SPONSORS], ""), "10,000").await;
        let shared = |sponsors: &'static [(&'static str, &'static str)]| Planned { on: "2026-04-14", cost: "9,000", more: sponsors };
        let no = ground.plan(SPRING, &[shared(&[("sponsors", "2")]), shared(&[("sponsors", "3")])]).await;
        let page = ground.mara.open(&format!("/cycles/{no}/request")).await;
        page.assert_says("at most 4,500 USD (50 %)").assert_says("at most 2,970 USD (33 %)");
        let check = ground.check(&no, &[("asked_2_1", "2,970.01")]).await;
        check.assert_says("asks 2,970.01 USD; the program pays at most 33 %, which is 2,970 USD.");
        assert!(!check.has_button("Ask for 7,470.01 USD"), "a cent over the share is not asked for");
        let check = ground.check(&no, &[("asked_2_1", "2,970")]).await;
        ground.ask(&check, "7,470").await;
        ground.approve(&no, "7,470").await;
        let asked: Vec<i64> = app.look(&no).await.cycle.approval.lines.iter().map(|line| line.amount.minor).collect();
        assert_eq!(asked, [450_000, 297_000]);
        ground.holds(&[("available", "2,530"), ("committed", "7,470")]).await;
    }

    async fn t16_gift_cap_of_200_a_head(app: &App) {
        let ground = Ground::with(app, "GIFTS", (&[WHOLE], GIFTS), "20,000").await;
        let gifts = [("heads", "50"), ("category_1", "gifts"), ("description_1", "Power banks")];
        let no = ground.plan(SPRING, &[Planned { on: "2026-04-14", cost: "10,001", more: &gifts }]).await;
        let why = "“Power banks” is cut from 10,001 USD to 10,000 USD: for “Gifts” the program counts at most 200 USD a head, \
                   which is 10,000 USD for 50. You bear the other 1 USD.";
        let page = ground.mara.open(&format!("/cycles/{no}/request")).await;
        page.assert_says(why).assert_says("at most 10,000 USD (100 %)");
        // Who types the whole cost all the same is shown, and asks for, what it is cut to.
        let check = ground.check(&no, &[("asked_1_1", "10,001")]).await;
        check.assert_says(why).assert_says("20,000 USD → becomes 10,000 USD").assert_says("What you pay yourself 1 USD");
        ground.ask(&check, "10,000").await;
        ground.ana.open(&format!("/cycles/{no}/approval")).await.assert_says(why);
        ground.approve(&no, "10,000").await;
        ground.holds(&[("available", "10,000"), ("committed", "10,000")]).await;
    }

    async fn t20_director_from_15_000(app: &App) {
        let ground = Ground::with(app, "DIRECTOR", (&[WHOLE], DIRECTOR), "50,000").await;
        let (under, from) = (
            ground.plan(SPRING, &[Planned::new("2026-04-14", "14,999.99")]).await,
            ground.plan(SPRING, &[Planned::new("2026-04-14", "15,000.00")]).await,
        );
        let check = ground.check(&under, &[]).await;
        check.assert_says("Level 1, within 5 days").assert_silent_on("Director, within");
        ground.ask(&check, "14,999.99").await;
        ground.approve(&under, "14,999.99").await.assert_says("approved 14,999.99 USD; the money is committed");
        assert_eq!(app.look(&under).await.cycle.stage, Stage::ExecutionLive, "level 1 is enough");
        ground.holds(&[("available", "35,000.01"), ("committed", "14,999.99")]).await;

        let check = ground.check(&from, &[]).await;
        check.assert_says("Level 1, within 5 days").assert_says("Director, within 7 days");
        ground.ask(&check, "15,000").await;
        let page = ground.ana.open(&format!("/cycles/{from}/approval")).await;
        page.assert_says("Director decides next (level 2), because the sum reaches 15,000 USD.");
        ground.approve(&from, "15,000").await;
        assert_eq!(app.look(&from).await.cycle.stage, Stage::ApprovalReview, "level 2 decides as well");
        ground.holds(&[("available", "35,000.01"), ("committed", "14,999.99")]).await;
        let ines = app.sign_in(INES).await;
        let page = ines.open(&format!("/cycles/{from}/approval")).await;
        ines.press(&page, "Approve 15,000 USD", &[]).await.assert_status(200);
        assert_eq!(app.look(&from).await.cycle.stage, Stage::ExecutionLive);
        ground.holds(&[("available", "20,000.01"), ("committed", "29,999.99")]).await;
    }

    async fn t33_a_rate_for_a_season(app: &App) {
        begin(app, "2020-07-01");
        let ground = Ground::with(app, "SEASON", (&[SEASON], ""), "2,000").await;
        let days = [Planned::new("2020-07-31", "1,000"), Planned::new("2020-08-01", "1,000")];
        let no = ground.plan(("2020-07-01", "2020-09-30"), &days).await;
        let page = ground.mara.open(&format!("/cycles/{no}/request")).await;
        page.assert_says("at most 800 USD (80 %)").assert_says("at most 500 USD (50 %)");
        let check = ground.check(&no, &[]).await;
        ground.ask(&check, "1,300").await;
        ground.approve(&no, "1,300").await;
        let lines: Vec<(u16, i64)> =
            app.look(&no).await.cycle.approval.lines.iter().map(|line| (line.activity, line.amount.minor)).collect();
        assert_eq!(lines, [(1, 80_000), (2, 50_000)], "80 % on the season's last day, 50 % the day after");
        ground.holds(&[("available", "700"), ("committed", "1,300")]).await;
    }

    async fn t42_race_of_two_approvals_for_the_last_1_000(app: &App) {
        let ground = Ground::open(app, "LAST", (&[WHOLE], ""), "pooled").await;
        ground.budget("1,000").await;
        let mut open = Vec::new();
        for on in ["2026-04-14", "2026-04-15"] {
            let no = ground.plan(SPRING, &[Planned::new(on, "1,000")]).await;
            let check = ground.check(&no, &[]).await;
            check.assert_says("1,000 USD → becomes 0 USD");
            ground.ask(&check, "1,000").await;
            let page = ground.ana.open(&format!("/cycles/{no}/approval")).await;
            open.push((no, page.form("Approve 1,000 USD"), page));
        }
        ground.holds(&[("unallocated", "1,000")]).await;
        let presses = open.iter().map(|(_, form, page)| ground.ana.post(page, form, "Approve 1,000 USD"));
        let answers = join_all(presses).await;
        let won = answers.iter().position(|answer| answer.status == 303).expect("one commits");
        let told = &answers[1 - won];
        told.assert_status(409).assert_says("0 USD is left for Nordwind Systems GmbH in Fund LAST, less than this decision commits.");
        told.assert_says("Have finance put more money into the fund first, or decline the request.");
        let (first, second) = (&open[won].0, &open[1 - won].0);
        assert_eq!(app.look(first).await.cycle.stage, Stage::ExecutionLive);
        assert_eq!(app.look(second).await.cycle.stage, Stage::ApprovalReview, "the other waits as it was");
        ground.holds(&[("committed", "1,000")]).await;
    }
}
