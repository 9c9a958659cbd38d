//! The bank sends a payment back: finance reports it, a second person confirms it, and the claim is paid again.

use domain::ledger::AccountKind;
use domain::steps::s7_execution::{self, ClaimState};
use kit::people::{ANA, JONAS, MARA, TOMAS, YUKI};
use kit::world::eur;
use kit::{App, on_both};
use serde_json::json;
use storage::Viewer;

use crate::api::Program;

const REPORT: &str = "Report the returned payment";

on_both! {
    async fn a_payment_that_came_back_is_paid_again(app: &App) {
        let [no] = app.payable(&[(MARA, 9_000)]).await.try_into().expect("a claim");
        let claim = format!("/cycles/{no}/claims/1");
        app.must(YUKI, &no, s7_execution::Command::RecordSettlement { claim: 1, amount: eur(5_400), reference: "SEPA 7".to_owned() }).await;
        let (yuki, tomas, mara) = (app.sign_in(YUKI).await, app.sign_in(TOMAS).await, app.sign_in(MARA).await);
        for other in [MARA, ANA] {
            assert!(!app.sign_in(other).await.open(&claim).await.has_button(REPORT), "{}", other.name);
        }
        app.days_pass(5).await;
        let page = yuki.open(&claim).await;
        let today = app.clock.today().to_string();
        let typed = [("on", "2020-01-01"), ("reference", "RET-1"), ("reason", "Account closed")];
        let refused = yuki.press(&page, REPORT, &typed).await;
        refused.assert_status(409).assert_says("The payment came back before it was made");
        assert_eq!(refused.form(REPORT).value("reference"), Some("RET-1"), "what was typed stays");
        yuki.press(&refused, REPORT, &[("reason", "")]).await.assert_status(422);
        let reported = yuki.press(&refused, REPORT, &[("on", &today)]).await;
        reported.assert_status(200).assert_says("Said to have been sent back on").assert_says("“Account closed”");
        assert!(reported.has_button("Take the report back") && !reported.has_button(REPORT));
        assert_eq!(app.look(&no).await.cycle.claims[0].state, ClaimState::Paid, "nothing moves before a second person");
        tomas.open("/claims?view=clawback").await.assert_says(&format!("{no}/1")).assert_says("A second person confirms");
        app.deliver().await;
        assert!(app.mails_to(TOMAS).await.iter().any(|mail| mail.subject.contains("returned payment needs a second person, 5,400 EUR")));

        let page = tomas.open(&claim).await;
        page.assert_says("0 EUR → becomes 5,400 EUR").assert_says("Account closed");
        let confirmed = tomas.press(&page, "Confirm: 5,400 EUR came back", &[]).await;
        confirmed.assert_status(200).assert_says("the bank sent 5,400 EUR of claim 1 back; it is to be paid again");
        let s = app.look(&no).await;
        assert_eq!((s.cycle.claims[0].state, s.cycle.claims[0].outstanding()), (ClaimState::Payable, eur(5_400)));
        assert_eq!([held(app, AccountKind::Paid).await, held(app, AccountKind::Claimed).await], [0, 540_000]);
        app.deliver().await;
        let told = app.mails_to(MARA).await;
        let mail = told.iter().find(|mail| mail.subject.contains("payment returned by the bank, 5,400 EUR")).expect("a mail");
        assert!(mail.text.contains("Account closed") && mail.text.contains("look at your payment details"), "{}", mail.text);
        mara.open(&claim).await.assert_says("Sent back by the bank on").assert_says("To be paid by");
        app.sign_in(JONAS).await.get(&claim).await.assert_status(404);
        let due = domain::deadlines::pay_by(&s, &s.cycle.claims[0]);
        assert!(due >= app.clock.today(), "its clock runs again: {due}");

        app.name_accounts().await;
        let batch = app.batch(YUKI, &[(&no, None)]).await;
        app.export(YUKI, &batch).await;
        app.pay(YUKI, &batch, 1, "B-9").await;
        let claim = app.look(&no).await.cycle.claims[0].clone();
        assert_eq!((claim.state, claim.paid(), claim.payments.len()), (ClaimState::Paid, eur(5_400), 2));
        app.assert_sound().await;
    }

    /// Two claims of one payment of a batch: reported once, confirmed once, each claim has its own part back.
    async fn a_payment_of_a_batch_comes_back_whole(app: &App) {
        let claims = app.payable(&[(MARA, 10_000), (MARA, 5_000)]).await;
        app.name_accounts().await;
        let number = app.batch(YUKI, &[(&claims[0], None), (&claims[1], None)]).await;
        app.export(YUKI, &number).await;
        app.pay(YUKI, &number, 1, "B-1").await;
        let (tomas, yuki, mara) = (app.sign_in(TOMAS).await, app.sign_in(YUKI).await, app.sign_in(MARA).await);
        let address = format!("/settlements/{number}/payments/1");
        let today = app.clock.today().to_string();
        let page = tomas.open(&address).await;
        let late = [("on", "2031-01-01"), ("reference", "RET 9"), ("reason", "The account is closed.")];
        let kept = tomas.press(&page, REPORT, &late).await;
        kept.assert_status(409).assert_says("on a day still to come").assert_says(&format!("{}/1", claims[0]));
        assert!(kept.raw().contains("RET 9"), "what was typed is kept");
        assert_eq!(waiting(app, &claims).await, 0, "none of them is said to have come back");
        tomas.press(&kept, REPORT, &[("on", &today)]).await.assert_status(200).assert_says("Until then you can take it back");
        assert_eq!(waiting(app, &claims).await, 2);
        let page = yuki.open(&address).await;
        let button = "Confirm that it came back";
        let form = page.form(button);
        let (first, again) = (yuki.post(&page, &form, button).await, yuki.post(&page, &form, button).await);
        assert_eq!((first.status, again.status), (303, 303));
        assert_eq!([held(app, AccountKind::Paid).await, held(app, AccountKind::Claimed).await], [0, 900_000], "once");
        yuki.open(&address).await.assert_says("Sent back by the bank").assert_says("The account is closed.");
        mara.get(&address).await.assert_status(404);
        let api = Program::of(app, TOMAS).await;
        let call = json!({ "do": "report", "payment": 1, "on": today, "reference": "RET 9", "reason": "Again." });
        let path = format!("/api/v1/settlements/{number}/returns");
        api.post(&path, "twice", None, &call).await.assert_status(409);
        Program::of(app, MARA).await.post(&path, "hers", None, &call).await.assert_status(404);

        let next = app.batch(YUKI, &[(&claims[0], None), (&claims[1], None)]).await;
        app.export(YUKI, &next).await;
        app.pay(YUKI, &next, 1, "B-2").await;
        let path = format!("/api/v1/settlements/{next}/returns");
        let call = json!({ "do": "report", "payment": 1, "on": app.clock.today(), "reference": "RET 10", "reason": "Wrong name." });
        api.post(&path, "report", None, &call).await.assert_status(200);
        api.post(&path, "confirm", None, &json!({ "do": "confirm", "payment": 1 })).await.assert_status(409);
        api.post(&path, "reject", None, &json!({ "do": "reject", "payment": 1, "reason": "Another batch's." })).await.assert_status(200);
        assert_eq!(waiting(app, &claims).await, 0);
        assert_eq!(app.look(&claims[1]).await.cycle.claims[0].state, ClaimState::Paid);
        app.assert_sound().await;
    }

    async fn a_return_that_was_none_leaves_the_payment(app: &App) {
        let [no] = app.payable(&[(MARA, 9_000)]).await.try_into().expect("a claim");
        app.must(YUKI, &no, s7_execution::Command::RecordSettlement { claim: 1, amount: eur(5_400), reference: "SEPA 7".to_owned() }).await;
        let (yuki, tomas, mara) = (Program::of(app, YUKI).await, Program::of(app, TOMAS).await, Program::of(app, MARA).await);
        let path = format!("/api/v1/cycles/{no}/commands");
        let report = json!({ "step": "execution", "do": "report_payment_return", "claim": 1, "payment": 1,
            "on": app.clock.today(), "reference": "RET-1", "reason": "Wrong name" });
        mara.post(&path, "report", Some("*"), &report).await.assert_status(409);
        yuki.post(&path, "report", Some("*"), &report).await.assert_status(200);
        yuki.post(&path, "again", Some("*"), &report).await.assert_status(409).assert_says("is reported already");
        let confirm = json!({ "step": "execution", "do": "confirm_payment_return", "claim": 1 });
        yuki.post(&path, "confirm", Some("*"), &confirm).await.assert_status(409).assert_says("A second person in finance confirms it.");
        let clawback = json!({ "step": "execution", "do": "propose_clawback", "claim": 1,
            "amount": { "minor": 100, "currency": "EUR" }, "reason": "Refunded" });
        tomas.post(&path, "clawback", Some("*"), &clawback).await.assert_status(409).assert_says("is reported as returned");
        let reject = json!({ "step": "execution", "do": "reject_payment_return", "claim": 1, "reason": "Another partner's" });
        tomas.post(&path, "reject", Some("*"), &reject).await.assert_status(200);
        tomas.post(&path, "late", Some("*"), &confirm).await.assert_status(409).assert_says("No payment of this claim is reported as returned.");
        let claim = app.look(&no).await.cycle.claims[0].clone();
        assert_eq!((claim.state, claim.payments[0].returned.is_none()), (ClaimState::Paid, true));
        app.assert_sound().await;
    }
}

/// How many of these claims have a payment that is said to have come back.
async fn waiting(app: &App, claims: &[String]) -> usize {
    let mut waiting = 0;
    for no in claims {
        waiting += usize::from(app.look(no).await.cycle.claims[0].return_open().is_some());
    }
    waiting
}

async fn held(app: &App, kind: AccountKind) -> i64 {
    let totals =
        app.engine.reader().fund_totals_on(&Viewer::system(), app.fund, app.clock.today()).await.expect("totals");
    totals.iter().filter(|total| total.kind == kind).map(|total| total.total).sum()
}
