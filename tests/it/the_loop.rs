//! The whole loop, as its people walk it in their browsers: nine steps, balances after each.

use chrono::{Days, TimeDelta};
use domain::Date;
use domain::cycle::Stage;
use domain::ledger::{Account, AccountKind};
use kit::http::Visitor;
use kit::people::{ANA, INES, MARA, NORDWIND, TOMAS, YUKI, day};
use kit::{App, crm, on_both};

on_both! {
    async fn a_campaign_goes_from_plan_to_performance(app: &App) {
        let [mara, ana, ines, tomas, yuki] =
            [app.sign_in(MARA).await, app.sign_in(ANA).await, app.sign_in(INES).await, app.sign_in(TOMAS).await, app.sign_in(YUKI).await];
        let no = open(app, &mara).await;
        plan(app, &no, &mara, &ana).await;
        scorecard(app, &no, &mara).await;
        forecast(app, &no, &mara).await;
        action_plan(app, &no, &mara).await;
        assert_book(app, [50_000, 0, 0, 0], "nothing is promised before approval").await;

        request(app, &no, &mara).await;
        approval(app, &no, &ana, &ines).await;
        assert_book(app, [32_000, 18_000, 0, 0], "approval commits what was asked").await;

        proof(app, &no, &mara, &ana).await;
        claim(app, &no, &mara).await;
        assert_book(app, [32_000, 18_000, 0, 0], "a claim under review moves nothing").await;
        settle(app, &no, &tomas, &yuki).await;
        assert_book(app, [33_200, 0, 0, 16_800], "paid is the share of what it cost; the rest is free again").await;

        results(app, &no, &ana).await;
        tracking(app, &no).await;
        performance(app, &no, &mara, &ana).await;
        assert_book(app, [33_200, 0, 0, 16_800], "closing moves nothing more").await;
        told(app, &no).await;
    }
}

async fn stage(app: &App, no: &str) -> Stage {
    app.look(no).await.cycle.stage
}

/// Free in Nordwind's wallet, committed, claimed and paid, in whole euros.
async fn assert_book(app: &App, expected: [i64; 4], why: &str) {
    let book = app.look("C-2026-0001").await.book;
    let ours = |account: &Account| account.partner == Some(NORDWIND.id());
    let sum = |kind| book.total(|account| account.kind == kind && ours(account)) / 100;
    let held = [AccountKind::Available, AccountKind::Committed, AccountKind::Claimed, AccountKind::Paid].map(sum);
    assert_eq!(held, expected, "{why}");
    app.assert_sound().await;
}

async fn open(app: &App, mara: &Visitor) -> String {
    let page = mara.open("/cycles/new").await;
    let hub = mara.press(&page, "Start the cycle", &[("title", "Zero trust"), ("period", "2026-04-01")]).await;
    hub.assert_status(200).assert_says("Zero trust");
    let no = hub.path.rsplit('/').next().unwrap_or_default().to_owned();
    assert_eq!(stage(app, &no).await, Stage::PlanDraft);
    no
}

/// Step 1: the partner writes, the manager agrees; nobody agrees their own.
async fn plan(app: &App, no: &str, mara: &Visitor, ana: &Visitor) {
    let page = mara.open(&format!("/cycles/{no}/plan")).await;
    let goal =
        [("goal_1", "Win customers without a security suite"), ("measure_1", "new customers"), ("target_1", "6")];
    let check = mara.press(&page, "Check the plan", &goal).await;
    mara.press(&check, "Submit the plan", &[]).await.assert_status(200);
    assert_eq!(stage(app, no).await, Stage::PlanReview);
    let page = ana.open(&format!("/cycles/{no}/plan")).await;
    ana.press(&page, "Agree the plan", &[]).await.assert_status(200);
    assert_eq!(stage(app, no).await, Stage::ScorecardOpen);
}

/// Step 2: every question answered with its best answer.
async fn scorecard(app: &App, no: &str, mara: &Visitor) {
    let page = mara.open(&format!("/cycles/{no}/scorecard")).await;
    let situation = app.look(no).await;
    let best: Vec<(String, String)> =
        situation.template.questions().map(|q| (q.code.clone(), (q.options.len() - 1).to_string())).collect();
    let best: Vec<(&str, &str)> = best.iter().map(|(question, option)| (question.as_str(), option.as_str())).collect();
    mara.press(&page, "Complete the scorecard", &best).await.assert_status(200).assert_says("green");
    assert_eq!(stage(app, no).await, Stage::ForecastDraft);
}

/// Step 3: a campaign from the tactic's benchmark; committing freezes the baseline.
async fn forecast(app: &App, no: &str, mara: &Visitor) {
    let choose = mara.open(&format!("/cycles/{no}/forecast/campaigns/new")).await;
    let basics =
        [("name", "Zero-trust webinar"), ("tactic", "webinar"), ("audience", "Security leads"), ("cost", "30,000")];
    let assumptions = mara.press(&choose, "Go on to the assumptions", &basics).await;
    let landing = [("landing_url", "https://nordwind.example/zero-trust")];
    mara.press(&assumptions, "Save the campaign", &landing).await.assert_status(200);
    let check = mara.open(&format!("/cycles/{no}/forecast/check")).await;
    mara.press(&check, "Commit and freeze the baseline", &[]).await.assert_status(200);
    let cycle = app.look(no).await.cycle;
    assert_eq!(cycle.stage, Stage::ActionPlanDraft);
    assert!(cycle.campaigns[0].baseline.is_some(), "the baseline is frozen");
}

/// Step 4: one webinar whose two cost lines add up to the campaign.
async fn action_plan(app: &App, no: &str, mara: &Visitor) {
    let page = mara.open(&format!("/cycles/{no}/action-plan/activities/new")).await;
    let webinar = [
        ("name", "Zero-trust webinar"),
        ("kind", "webinar"),
        ("starts", "2026-04-21"),
        ("ends", "2026-04-22"),
        ("place", "Online"),
        ("objective", "1"),
        ("category_1", "platform"),
        ("description_1", "Webinar platform"),
        ("amount_1", "21,000"),
        ("category_2", "agency"),
        ("description_2", "Agency"),
        ("amount_2", "9,000"),
    ];
    mara.press(&page, "Save the activity", &webinar).await.assert_status(200);
    let check = mara.open(&format!("/cycles/{no}/action-plan/check")).await;
    mara.press(&check, "Commit the action plan", &[]).await.assert_status(200);
    assert_eq!(stage(app, no).await, Stage::RequestDraft);
}

/// Step 5: three fifths of it, since Nordwind is a gold partner.
async fn request(app: &App, no: &str, mara: &Visitor) {
    let page = mara.open(&format!("/cycles/{no}/request")).await;
    let why = [("justification", "The audience is ours by name and sales follows up within two days.")];
    let check = mara.press(&page, "Check your answers", &why).await;
    mara.press(&check, "Ask for 18,000 EUR", &[("terms_accepted", "yes")]).await.assert_status(200);
    assert_eq!(stage(app, no).await, Stage::ApprovalReview);
}

/// Step 6: 18,000 pass two levels; pressing twice decides once.
async fn approval(app: &App, no: &str, ana: &Visitor, ines: &Visitor) {
    let path = format!("/cycles/{no}/approval");
    let page = ana.open(&path).await;
    let form = page.form("Approve 18,000 EUR");
    ana.submit(&page, &form, "Approve 18,000 EUR").await.assert_status(200);
    let version = app.look(no).await.cycle.version;
    ana.submit(&page, &form, "Approve 18,000 EUR").await;
    assert_eq!(app.look(no).await.cycle.version, version, "the second press of the same form changes nothing");
    let page = ines.open(&path).await;
    ines.press(&page, "Approve 18,000 EUR", &[]).await.assert_status(200);
    let cycle = app.look(no).await.cycle;
    assert_eq!(cycle.stage, Stage::ExecutionLive);
    let code = cycle.campaigns[0].code.clone().expect("a campaign ID is issued");
    assert_eq!(domain::campaign_id::read(&code), Some(code));
}

/// Step 7: the webinar has run; its checklist is handed in and accepted.
async fn proof(app: &App, no: &str, mara: &Visitor, ana: &Visitor) {
    move_to(app, day(2026, 4, 24)).await;
    let path = format!("/cycles/{no}/execution/activities/1");
    let page = mara.open(&path).await;
    let mut form = page.form("Hand in the proof");
    form.attach(
        "proof_attendee_list",
        "attendees.csv",
        "text/csv",
        b"company,contact,title,email\nHafen,Ada Kern,CISO,ada@hafen.example\n",
    );
    form.attach("proof_invitation", "invitation.pdf", "application/pdf", &kit::story::pdf("invitation"));
    mara.submit(&page, &form, "Hand in the proof").await.assert_status(200);
    let page = ana.open(&path).await;
    ana.press(&page, "Accept the proof", &[]).await.assert_status(200);
    assert_eq!(stage(app, no).await, Stage::TrackingListening, "the last activity is proven");
}

/// It cost 28,000 in the end: 20,000 and 8,000, of which the program pays three fifths.
async fn claim(app: &App, no: &str, mara: &Visitor) {
    let page = mara.open(&format!("/cycles/{no}/execution/campaigns/1/claim")).await;
    let mut form = page.form("Check what it will pay");
    for (row, cost) in [("1", "20,000"), ("2", "8,000")] {
        form.fill(&format!("actual_{row}"), cost).fill(&format!("vendor_{row}"), "Studio Halden");
        form.fill(&format!("invoice_no_{row}"), &format!("INV-{row}"))
            .fill(&format!("invoice_date_{row}"), "2026-04-22");
        form.attach(&format!("file_{row}"), "invoice.pdf", "application/pdf", &kit::story::pdf(row));
    }
    form.fill("is_final", "yes");
    let check = mara.submit(&page, &form, "Check what it will pay").await;
    mara.press(&check, "Claim 16,800 EUR", &[]).await.assert_status(200);
    assert_eq!(app.look(no).await.cycle.claims[0].asked, kit::world::eur(16_800));
}

/// Finance decides, another person in finance pays.
async fn settle(app: &App, no: &str, tomas: &Visitor, yuki: &Visitor) {
    let path = format!("/cycles/{no}/claims/1");
    let page = tomas.open(&path).await;
    tomas.press(&page, "Approve this amount", &[]).await.assert_status(200);
    let page = tomas.open(&path).await;
    assert!(!page.has_button("Record the payment"), "who approves a claim does not pay it");
    let page = yuki.open(&path).await;
    yuki.press(&page, "Record the payment", &[("reference", "SEPA 2026-0001")]).await.assert_status(200);
    assert!(app.look(no).await.cycle.claims[0].outstanding().is_zero());
}

/// Step 8: the CRM tells who answered and what they bought; the campaign ID brings it home.
async fn results(app: &App, no: &str, ana: &Visitor) {
    move_to(app, day(2026, 6, 1)).await;
    let code = app.look(no).await.cycle.campaigns[0].code.clone().expect("a campaign ID is issued");
    let people = crm::members(
        &code,
        &[
            ("ada@hafen.example", "Responded", "2026-04-22"),
            ("ben@hafen.example", "Responded", "2026-04-22"),
            ("eva@werft.example", "Responded", "2026-04-23"),
        ],
    );
    crm::bring_in(ana, "salesforce-campaign-members", &people).await.assert_says("3 rows added");
    let deals = crm::opportunities(&[
        ("hafen.example", 42_000, "Closed Won", "2026-04-27", "2026-05-20"),
        ("werft.example", 15_000, "Proposal", "2026-05-04", "2026-08-31"),
        ("nobody.example", 90_000, "Closed Won", "2026-05-04", "2026-05-21"),
    ]);
    crm::bring_in(ana, "salesforce-opportunities", &deals).await.assert_says("3 rows added");
    let tracked = ana.open(&format!("/cycles/{no}/tracking")).await;
    tracked.assert_status(200).assert_says("ada@hafen.example");
}

/// The window closes by the clock, and performance is measured.
async fn tracking(app: &App, no: &str) {
    let s = app.look(no).await;
    let closes = domain::steps::s8_tracking::window_closes(&s);
    move_to(app, closes).await;
    assert_eq!(stage(app, no).await, Stage::TrackingListening, "on its last day the window is open");
    move_to(app, closes + Days::new(1)).await;
    assert_eq!(stage(app, no).await, Stage::PerformanceMeasured);
}

/// Step 9: what came stands beside the frozen forecast; both sides sign, and the cycle closes.
async fn performance(app: &App, no: &str, mara: &Visitor, ana: &Visitor) {
    let measured = app.look(no).await.cycle.review.measurements.last().cloned().expect("it is measured");
    assert_eq!(measured.won, kit::world::eur(42_000), "the deal of a company nobody met is not ours");
    assert_eq!(measured.campaigns[0].actual, [3, 2, 2, 2, 2, 1], "who began a deal counts as qualified");
    let path = format!("/cycles/{no}/performance");
    for visitor in [mara, ana] {
        let page = visitor.open(&path).await;
        page.assert_status(200).assert_says("42,000 EUR").assert_says("for 28,000 EUR of cost");
        let words = page.form_to(&format!("{path}/signature")).buttons[0].text.clone();
        let lessons = [("lessons", "Personal invitations brought the good leads.")];
        visitor.press(&page, &words, &lessons).await.assert_status(200);
    }
    assert_eq!(stage(app, no).await, Stage::Closed);
}

/// Those who had something to do heard of it, once each.
async fn told(app: &App, no: &str) {
    for (who, what) in [(ANA, "plan"), (INES, "18,000"), (MARA, "approved"), (TOMAS, "16,800"), (MARA, "paid")] {
        let mails = app.mails_to(who).await;
        let heard = mails
            .iter()
            .any(|mail| mail.subject.starts_with(no) && (mail.subject.contains(what) || mail.text.contains(what)));
        assert!(
            heard,
            "{} heard nothing of “{what}”: {:?}",
            who.name,
            mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>()
        );
    }
}

async fn move_to(app: &App, day: Date) {
    let now = app.clock.now();
    let then = day.and_hms_opt(10, 0, 0).expect("ten o'clock is a time").and_utc();
    app.clock.advance(then - now);
    app.days_pass(0).await;
    assert!(app.clock.now() - then < TimeDelta::seconds(1));
}
