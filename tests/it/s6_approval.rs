//! Step 6 through its pages: a decision line by line, the way back, questions, the inbox.

use domain::cycle::Stage;
use domain::ledger::AccountKind;
use kit::http::Page;
use kit::people::{ANA, BJORN, INES, JONAS, MARA, SAM, TOMAS};
use kit::{App, on_both};
use storage::read::Paging;

use crate::api::Program;

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
        let alone = ana.open(&format!("/approvals/confirmation?pick={first}")).await;
        app.must(MARA, &first, domain::steps::s5_request::Command::Withdraw {}).await;
        let done = ana.press(&confirm, "Approve 2 requests", &[]).await;
        done.assert_says("Not all were approved").assert_says("1 request approved.").assert_says(&first);
        assert_eq!(app.look(&first).await.cycle.stage, Stage::RequestDraft);
        let none = ana.press(&alone, "Approve 1 request", &[]).await;
        none.assert_says("Nothing was approved").assert_silent_on("0 requests").assert_says(&first);
    }

    /// Jonas asks later and promises more: by ROI his request comes first, over pages and in the API.
    async fn the_inbox_is_in_the_order_of_what_forecasts_promise(app: &App) {
        let first = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let second = app.cycle_in(Stage::ApprovalReview, JONAS, 3_000).await;
        let promised = async |no: &str| app.look(no).await.cycle.forecast_roi().expect("a forecast");
        assert!(promised(&second).await > promised(&first).await, "or the two orders are one");
        let program = Program::of(app, ANA).await;
        for (address, order) in [
            ("/api/v1/approvals?view=mine&size=1", [&first, &second]),
            ("/api/v1/approvals?view=mine&size=1&sort=roi", [&second, &first]),
            ("/api/v1/approvals?view=all&size=1&sort=roi", [&second, &first]),
        ] {
            let page = program.get(address).await.json();
            let next = page["next"].as_str().expect("there is more").to_owned();
            let rest = program.get(&format!("{address}&after={next}")).await.json();
            let numbers = [&page, &rest].map(|page| page["rows"][0]["number"].as_str().expect("a number").to_owned());
            assert_eq!(numbers.each_ref(), order, "{address}");
            assert!(rest["next"].is_null());
        }
        let ana = app.sign_in(ANA).await;
        let page = ana.open("/approvals?sort=roi").await;
        page.assert_says("the highest forecast ROI first");
        assert!(place(&page, &second) < place(&page, &first));
        let page = ana.open("/approvals").await;
        assert!(place(&page, &first) < place(&page, &second));
    }

    /// All that match the filters are looked at, approved, and what is refused is told, each with why.
    async fn all_that_match_are_approved_from_the_list_and_by_the_api(app: &App) {
        let mut numbers = Vec::new();
        for _ in 0..9 {
            numbers.push(app.cycle_in(Stage::ApprovalReview, MARA, 1_000).await);
        }
        let ana = app.sign_in(ANA).await;
        ana.open("/approvals").await.assert_says("Select all 9 that match");
        let confirm = ana.open("/approvals/confirmation?all=yes&view=mine").await;
        confirm.assert_says("Approve 9 requests");
        for no in &numbers[..8] {
            app.must(MARA, no, domain::steps::s5_request::Command::Withdraw {}).await;
        }
        let done = ana.press(&confirm, "Approve 9 requests", &[]).await;
        done.assert_says("1 request approved.");
        for no in &numbers[..8] {
            done.assert_says(no);
        }
        assert_eq!(app.look(&numbers[8]).await.cycle.stage, Stage::ExecutionLive);

        let tenth = app.cycle_in(Stage::ApprovalReview, JONAS, 1_000).await;
        let version = app.look(&tenth).await.cycle.version;
        let program = Program::of(app, ANA).await;
        let requests = serde_json::json!({ "requests": [
            { "number": tenth, "version": version }, { "number": numbers[0], "version": 1 },
            { "number": "C-2026-9999", "version": 1 }] });
        let answer = program.post("/api/v1/approvals/decisions", "many", None, &requests).await.json();
        let approved = |n: usize| answer["rows"][n]["approved"].as_bool().expect("yes or no");
        assert_eq!([approved(0), approved(1), approved(2)], [true, false, false], "{answer}");
        assert!(answer["rows"][1]["reasons"][0]["why"].as_str().is_some_and(|why| !why.is_empty()), "{answer}");
        assert_eq!(app.look(&tenth).await.cycle.stage, Stage::ExecutionLive);
        let none = program.post("/api/v1/approvals/decisions", "none", None, &serde_json::json!({ "requests": [] })).await;
        none.assert_status(422);
        let jonas = Program::of(app, JONAS).await;
        jonas.post("/api/v1/approvals/decisions", "his", None, &requests).await.assert_status(404);
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

/// Where on a page a number stands.
fn place(page: &Page, number: &str) -> usize {
    page.text().find(number).unwrap_or_else(|| panic!("{number} is not on the page"))
}
