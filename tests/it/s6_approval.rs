//! Step 6 through its pages: a decision line by line, the way back, questions, the inbox.

use domain::cycle::Stage;
use domain::ledger::AccountKind;
use kit::people::{ANA, BJORN, INES, JONAS, MARA, SAM, TOMAS};
use kit::{App, on_both};
use storage::read::Paging;

on_both! {
    async fn a_manager_approves_what_the_button_says(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let ana = app.sign_in(ANA).await;
        let page = ana.open(&format!("/cycles/{no}/approval")).await;
        page.assert_says("Chance above 0").assert_says("50,000 EUR → becomes 44,600 EUR");
        page.assert_says("This is the last level").assert_says("Scorecard");
        let done = ana.press(&page, "Approve 5,400 EUR", &[]).await;
        done.assert_says("approved 5,400 EUR; the money is committed").assert_says("What was approved");

        let s = app.look(&no).await;
        assert_eq!(s.cycle.stage, Stage::ExecutionLive);
        assert_eq!(s.book.total(|account| account.kind == AccountKind::Committed), 540_000);
        done.assert_says(s.cycle.campaigns[0].code.as_deref().expect("a campaign ID"));
    }

    async fn another_sum_than_the_button_said_is_shown_again_first(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let ana = app.sign_in(ANA).await;
        let page = ana.open(&format!("/cycles/{no}/approval")).await;
        let again = ana.press(&page, "Approve 5,400 EUR", &[("amount_1_1", "3,000")]).await;
        again.assert_status(422).assert_says("The lines now come to 4,620 EUR").assert_says("becomes 45,380 EUR");
        let refused = ana.press(&again, "Approve 4,620 EUR", &[]).await;
        refused.assert_status(409).assert_says("This line gets 780 EUR less than asked. Say why, for the partner.");
        let why = [("reason_1_1", "The platform was bought last year.")];
        let done = ana.press(&refused, "Approve 4,620 EUR", &why).await;
        done.assert_status(200).assert_says("The platform was bought last year.");
        assert_eq!(app.look(&no).await.book.total(|account| account.kind == AccountKind::Committed), 462_000);
    }

    async fn a_returned_request_says_why_where_it_is_written(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let ana = app.sign_in(ANA).await;
        let page = ana.open(&format!("/cycles/{no}/approval")).await;
        let empty = ana.press(&page, "Return with reasons", &[]).await;
        empty.assert_status(422);
        let reason = [("reason", "Name the companies you will invite.")];
        ana.press(&empty, "Return with reasons", &reason).await.assert_status(200).assert_says("returned the request");
        let mara = app.sign_in(MARA).await;
        mara.open(&format!("/cycles/{no}/request")).await.assert_says("Name the companies you will invite.");
        assert_eq!(app.look(&no).await.cycle.stage, Stage::RequestDraft);
    }

    async fn a_question_goes_to_the_partner_and_back(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let (ana, mara) = (app.sign_in(ANA).await, app.sign_in(MARA).await);
        let address = format!("/cycles/{no}/approval");
        let page = ana.open(&address).await;
        ana.press(&page, "Send the question", &[("question", "Which list do you use?")]).await.assert_status(200);
        let asked = mara.open(&address).await;
        asked.assert_says("Which list do you use?");
        let told = mara.press(&asked, "Send the answer", &[("text", "Our own, with consent.")]).await;
        told.assert_status(200);
        ana.open(&address).await.assert_says("Our own, with consent.").assert_says("Approve 5,400 EUR");
    }

    async fn a_large_sum_passes_two_people(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 30_000).await;
        let (ana, ines) = (app.sign_in(ANA).await, app.sign_in(INES).await);
        let address = format!("/cycles/{no}/approval");
        let page = ana.open(&address).await;
        page.assert_says("Channel director EMEA decides next (level 2), because the sum reaches 15,000 EUR.");
        ana.press(&page, "Approve 18,000 EUR", &[]).await.assert_status(200);
        assert!(!ana.open(&address).await.has_button("Approve 18,000 EUR"), "nobody decides on two levels");
        let second = ines.open(&address).await;
        second.assert_says("Level 1: Ana Ferreira");
        ines.press(&second, "Approve 18,000 EUR", &[]).await.assert_status(200);
        assert_eq!(app.look(&no).await.cycle.stage, Stage::ExecutionLive);
    }

    /// Who stands in is named with whom they stand in for, wherever it is told.
    async fn a_stand_in_decides_and_is_named_with_the_absent_colleague(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let (ana, bjorn) = (app.sign_in(ANA).await, app.sign_in(BJORN).await);
        let address = format!("/cycles/{no}/approval");
        bjorn.get(&address).await.assert_status(404);
        let profile = ana.open("/profile").await;
        let (today, id) = (app.clock.today().to_string(), BJORN.id().to_string());
        let days = [("stand_in", id.as_str()), ("from", today.as_str()), ("to", today.as_str())];
        ana.press(&profile, "Name the stand-in", &days).await.assert_says("stands in for you on those days");

        let page = bjorn.open(&address).await;
        bjorn.press(&page, "Approve 5,400 EUR", &[]).await.assert_status(200);
        let told = "Björn Aas for Ana Ferreira";
        app.sign_in(MARA).await.open(&format!("/cycles/{no}")).await.assert_says(told);
        let audit = app.sign_in(SAM).await.open("/admin/audit?kind=approval.approved").await;
        audit.assert_says(told);
        let which = engine::WhichCycle::Number(&no);
        let events = app.engine.reader().timeline(&storage::Viewer::system(), which, true, &Paging::default()).await;
        for event in events.expect("the timeline").rows {
            let expected = (event.actor_id == BJORN.id()).then(|| ANA.name.to_owned());
            assert_eq!(event.acting_for, expected, "{}: {}", event.kind, event.words);
        }
    }

    async fn many_are_approved_at_once_after_a_look_at_what_happens(app: &App) {
        let first = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let second = app.cycle_in(Stage::ApprovalReview, JONAS, 8_000).await;
        let ana = app.sign_in(ANA).await;
        let inbox = ana.open("/approvals").await;
        inbox.assert_says(&first).assert_says(&second);
        let confirm = ana.open(&format!("/approvals/confirmation?pick={first}&pick={second}&pick=C-2026-9999")).await;
        confirm.assert_says("Growth fund 9,400 EUR").assert_silent_on("C-2026-9999");
        let done = ana.press(&confirm, "Approve 2 requests", &[]).await;
        done.assert_says("2 requests approved.").assert_says("No request waits for you.");
        for no in [first, second] {
            assert_eq!(app.look(&no).await.cycle.stage, Stage::ExecutionLive);
        }
    }

    async fn what_moved_meanwhile_is_not_approved_by_the_way(app: &App) {
        let first = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let second = app.cycle_in(Stage::ApprovalReview, JONAS, 8_000).await;
        let ana = app.sign_in(ANA).await;
        let confirm = ana.open(&format!("/approvals/confirmation?pick={first}&pick={second}")).await;
        app.must(MARA, &first, domain::steps::s5_request::Command::Withdraw {}).await;
        let done = ana.press(&confirm, "Approve 2 requests", &[]).await;
        done.assert_says("1 request approved.").assert_says(&format!("{first} was not approved"));
        assert_eq!(app.look(&first).await.cycle.stage, Stage::RequestDraft);
    }

    async fn the_inbox_is_for_those_who_decide(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        app.sign_in(JONAS).await.open("/approvals").await.assert_status(404);
        app.sign_in(BJORN).await.open("/approvals?view=all").await.assert_silent_on(&no);
        app.sign_in(TOMAS).await.open("/approvals").await.assert_says(&no);
        let page = app.sign_in(TOMAS).await.open(&format!("/cycles/{no}/approval")).await;
        assert!(!page.has_button("Approve 5,400 EUR"), "finance does not approve requests");
    }
}
