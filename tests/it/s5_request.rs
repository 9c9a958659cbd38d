//! Step 5 through its pages: what is asked, judged, checked, sent, taken back.

use domain::cycle::Stage;
use engine::Submission;
use kit::http::{Page, Visitor};
use kit::people::{ANA, BJORN, JONAS, MARA, SAM};
use kit::{App, on_both, story};

const WHY: &str = "The audience is ours by name and sales follows up within two days.";

on_both! {
    async fn a_partner_asks_for_the_whole_share_and_sees_what_it_does(app: &App) {
        let no = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{no}/request")).await;
        page.assert_status(200).assert_says("at most 3,780 EUR (60 %)").assert_says("50,000 EUR free for you");
        page.assert_says("The request does not say what the money will bring.");

        let check = mara.press(&page, "Check your answers", &[("justification", WHY)]).await;
        check.assert_status(200).assert_says("What you pay yourself").assert_says("3,600 EUR");
        check.assert_says("50,000 EUR → becomes 44,600 EUR");
        let refused = mara.press(&check, "Ask for 5,400 EUR", &[]).await;
        refused.assert_status(409).assert_says("The program's terms, version 2026.1, are not accepted yet.");
        let sent = mara.press(&refused, "Ask for 5,400 EUR", &[("terms_accepted", "yes")]).await;
        sent.assert_status(200).assert_says("asked for 5,400 EUR").assert_says("Take the request back");

        let s = app.look(&no).await;
        assert_eq!(s.cycle.stage, Stage::ApprovalReview);
        let told: Vec<String> = app.mails_to(ANA).await.into_iter().map(|mail| mail.subject).collect();
        assert_eq!(told.len(), 3, "the plan, the scorecard, and now the request: {told:?}");
    }

    async fn what_cannot_be_read_is_kept_and_said_at_its_field(app: &App) {
        let no = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{no}/request")).await;
        let back = mara.press(&page, "Save the draft", &[("asked_1_1", "1e3"), ("justification", WHY)]).await;
        back.assert_status(422).assert_says("is not an amount we can read");
        let form = back.form("Save the draft");
        assert_eq!((form.value("asked_1_1"), form.value("justification")), (Some("1e3"), Some(WHY)));
        assert_eq!(app.look(&no).await.cycle.request.fund, None, "nothing was saved");
    }

    async fn more_than_the_share_is_saved_but_cannot_be_sent(app: &App) {
        let no = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{no}/request")).await;
        let check = mara.press(&page, "Check your answers", &[("asked_1_1", "4,000"), ("justification", WHY)]).await;
        check.assert_says("the program pays at most 60 %").assert_says("Ask for 3,780 EUR or less for this line.");
        assert!(!check.has_button("Ask for 5,620 EUR"), "a request that fails a rule has no button to send it");
    }

    async fn the_same_request_sent_twice_is_one(app: &App) {
        let no = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{no}/request")).await;
        let check = mara.press(&page, "Check your answers", &[("justification", WHY)]).await;
        let mut form = check.form("Ask for 5,400 EUR");
        form.fill("terms_accepted", "yes");
        let first = mara.post(&check, &form, "Ask for 5,400 EUR").await;
        let version = app.look(&no).await.cycle.version;
        let second = mara.post(&check, &form, "Ask for 5,400 EUR").await;
        assert_eq!((first.status, second.status), (303, 303));
        assert_eq!(first.redirect(), second.redirect());
        assert_eq!(app.look(&no).await.cycle.version, version, "the second post changed nothing");
    }

    async fn a_request_can_be_taken_back_and_its_plan_opened_again(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{no}/request")).await;
        let draft = mara.press(&page, "Take the request back", &[]).await;
        draft.assert_status(200).assert_says("took the request back");
        let plan = mara.press(&draft, "Go back to the action plan", &[]).await;
        assert!(plan.path.ends_with("/action-plan"), "{}", plan.path);
        assert_eq!(app.look(&no).await.cycle.stage, Stage::ActionPlanDraft);
    }

    /// Terms are accepted once a version, and again where their words have changed.
    async fn terms_are_accepted_once_a_version(app: &App) {
        let mara = app.sign_in(MARA).await;
        let (_, guide) = engine::catalog::GUIDES[0];
        let first = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let kept = |no: String| async move { app.look(&no).await.cycle.request.submitted.expect("sent").terms.expect("accepted") };
        assert_eq!(kept(first.clone()).await.version, "2026.1");
        mara.open(&format!("/cycles/{first}")).await.assert_says("asked for 5,400 EUR and accepted the program's terms, version 2026.1.");

        // The same words need no second look.
        let second = app.cycle_in(Stage::RequestDraft, MARA, 2_000).await;
        let check = to_check(&mara, &second).await;
        check.assert_says("Mara Lindqvist accepted version 2026.1 on Mon 2 March 2026; they have not changed since");
        let sent = mara.press(&check, "Ask for 1,200 EUR", &[]).await;
        sent.assert_status(200).assert_says("asked for 1,200 EUR.").assert_says("Terms accepted Version 2026.1");

        // A newer version with other terms: asked again, with what changed, and refused without.
        let changed = guide.replacen("version = \"2026.1\"", "version = \"2026.2\"", 1);
        let changed = changed.replacen("4. Materials follow the Aurelia brand guide", "4. Materials follow the brand guide of 2026", 1);
        take_in(app, &changed).await;
        let third = app.cycle_in(Stage::RequestDraft, MARA, 3_000).await;
        let check = to_check(&mara, &third).await;
        check.assert_says("The terms have changed.").assert_says("Mara Lindqvist accepted version 2026.1 on").assert_says("New since then");
        check.assert_says("the brand guide of 2026").assert_says("I have read the terms, version 2026.2, and accept them");
        let refused = mara.press(&check, "Ask for 1,800 EUR", &[]).await;
        refused.assert_status(409).assert_says("The program's terms, version 2026.2, are not accepted yet. Read them and tick the box.");
        refused.assert_says("New since then");
        assert_eq!(app.look(&third).await.cycle.stage, Stage::RequestDraft);
        let sent = mara.press(&refused, "Ask for 1,800 EUR", &[("terms_accepted", "yes")]).await;
        sent.assert_status(200).assert_says("and accepted the program's terms, version 2026.2.");
        assert_eq!(kept(third.clone()).await.version, "2026.2");

        // A version that leaves the terms as they are asks nobody again; another partner has accepted none.
        take_in(app, &changed.replacen("version = \"2026.2\"", "version = \"2026.3\"", 1)).await;
        let fourth = app.cycle_in(Stage::RequestDraft, MARA, 4_000).await;
        let check = to_check(&mara, &fourth).await;
        check.assert_says("accepted version 2026.2 on").assert_silent_on("I have read the terms");
        mara.press(&check, "Ask for 2,400 EUR", &[]).await.assert_status(200);
        assert_eq!(kept(fourth.clone()).await.version, "2026.2", "the version whose words were accepted");
        let theirs = app.cycle_in(Stage::RequestDraft, JONAS, 4_000).await;
        let jonas = app.sign_in(JONAS).await;
        let check = to_check(&jonas, &theirs).await;
        check.assert_says("I have read the terms, version 2026.3").assert_silent_on("The terms have changed");
        jonas.press(&check, "Ask for 2,000 EUR", &[]).await.assert_status(409);

        // What was accepted is evidence: word for word, and for good.
        let behind = app.connect().await;
        let gone = sea_orm::ConnectionTrait::execute_unprepared(&behind, "DELETE FROM terms_accepted").await;
        assert!(gone.expect_err("kept").to_string().contains("append-only"));
    }

    async fn nobody_else_writes_or_sees_it(app: &App) {
        let no = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        for (who, status) in [(JONAS, 404), (BJORN, 404), (ANA, 200)] {
            let page = app.sign_in(who).await.open(&format!("/cycles/{no}/request")).await;
            assert_eq!(page.status, status, "{} opens the request", who.name);
        }
    }
}

/// From the request as it is proposed to its check page.
async fn to_check(who: &Visitor, no: &str) -> Page {
    let page = who.open(&format!("/cycles/{no}/request")).await;
    let check = who.press(&page, "Check your answers", &[("justification", WHY)]).await;
    check.assert_status(200);
    check
}

/// Another version of the guide, in force from today for what is opened from the next minute on.
async fn take_in(app: &App, guide: &str) {
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let guide = story::counting_from(guide, app.clock.today());
    app.engine.add_guide(&SAM.actor(), app.program, &guide, None, &Submission::own()).await.expect("a guide");
    app.clock.advance(chrono::TimeDelta::minutes(1));
}
