//! Around a cycle: starting one, its own page, ending it early, finding it again.

use domain::cycle::Stage;
use kit::people::{ANA, JONAS, MARA, NORDWIND, TOMAS};
use kit::{App, on_both};

on_both! {
    async fn a_partner_starts_a_cycle_for_a_quarter(app: &App) {
        let mara = app.sign_in(MARA).await;
        let page = mara.open("/cycles/new").await;
        assert!(page.form("Start the cycle").value("partner").is_none(), "a partner starts its own");
        let page = mara.press(&page, "Start the cycle", &[("title", ""), ("period", "2026-04-01")]).await;
        page.assert_status(422).assert_says("Fill this in.");
        assert_eq!(page.form("Start the cycle").value("period"), Some("2026-04-01"));
        let page = mara.press(&page, "Start the cycle", &[("title", "Cloud security, Q2")]).await;
        page.assert_status(200).assert_says("Cloud security, Q2").assert_says("Plan in draft").assert_says("Write the plan");
        let number = page.path.trim_start_matches("/cycles/").to_owned();
        let period = app.look(&number).await.cycle.period;
        assert_eq!((period.from.to_string(), period.to.to_string()), ("2026-04-01".to_owned(), "2026-06-30".to_owned()));
    }

    async fn a_channel_manager_starts_one_for_a_partner_and_finance_does_not(app: &App) {
        let ana = app.sign_in(ANA).await;
        let page = ana.open("/cycles/new").await;
        let partner = NORDWIND.id().to_string();
        let page = ana.press(&page, "Start the cycle", &[("partner", &partner), ("title", "Partner day")]).await;
        page.assert_status(200).assert_says(NORDWIND.name);
        app.sign_in(TOMAS).await.open("/cycles/new").await.assert_status(403);
    }

    async fn its_page_says_how_far_each_document_is_and_what_happened(app: &App) {
        let number = app.cycle_in(Stage::ApprovalReview, MARA, 8_000).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let page = mara.open(&format!("/cycles/{number}")).await;
        for words in ["Agreed", "Baseline frozen", "Committed", "Submitted", "Level 1 of 1", "Still ahead"] {
            page.assert_says(words);
        }
        page.assert_says("It is with the approvers of level 1");
        let page = ana.open(&format!("/cycles/{number}")).await;
        let page = ana.click(&page, "Decide on the request").await;
        assert_eq!(page.path, format!("/cycles/{number}/approval"));
    }

    async fn a_cycle_is_cancelled_with_a_reason_and_started_anew(app: &App) {
        let number = app.cycle_in(Stage::RequestDraft, MARA, 8_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{number}")).await;
        let page = mara.press(&page, "Cancel the cycle", &[]).await;
        page.assert_status(422).assert_says("Fill this in.");
        let page = mara.press(&page, "Cancel the cycle", &[("reason", "The speaker is ill.")]).await;
        page.assert_status(200).assert_says("The speaker is ill.").assert_says("Withdrawn");
        let page = mara.click(&page, "Start a new cycle like this one").await;
        page.assert_says(&number);
        let page = mara.press(&page, "Start the cycle", &[("period", "2026-07-01")]).await;
        page.assert_status(200).assert_says("Security briefings");
        let copy = page.path.trim_start_matches("/cycles/");
        assert_ne!(copy, number);
        let (old, new) = (app.look(&number).await.cycle, app.look(copy).await.cycle);
        assert_eq!((new.stage, new.campaigns.len(), new.activities.len()), (Stage::PlanDraft, 1, 1));
        assert_eq!((&new.plan.draft, &new.campaigns[0].draft), (&old.plan.draft, &old.campaigns[0].draft));
        assert!(new.campaigns[0].baseline.is_none() && new.plan.agreed.is_none(), "nothing decided comes along");
        let moved = new.activities[0].draft.starts - old.activities[0].draft.starts;
        assert_eq!(moved, new.period.from - old.period.from, "days move with the period");
    }

    async fn people_find_what_is_theirs(app: &App) {
        let number = app.cycle_in(Stage::ExecutionLive, MARA, 8_000).await;
        let (mara, jonas) = (app.sign_in(MARA).await, app.sign_in(JONAS).await);
        assert_eq!(mara.open(&format!("/search?q={number}")).await.path, format!("/cycles/{number}"));
        let page = mara.open("/search?q=zero+trust").await;
        page.assert_says("Zero trust in practice").assert_says(&number);
        jonas.open("/search?q=zero+trust").await.assert_says("Nothing found").assert_silent_on(&number);
        mara.open("/search?q=%25").await.assert_says("Nothing found");
    }

    async fn mails_are_kept_on_the_notifications_page(app: &App) {
        let number = app.cycle_in(Stage::ScorecardOpen, MARA, 8_000).await;
        let (mara, jonas) = (app.sign_in(MARA).await, app.sign_in(JONAS).await);
        app.deliver().await;
        let page = mara.open("/notifications").await;
        page.assert_says(&number).assert_says("plan agreed").assert_silent_on("On its way");
        jonas.open("/notifications").await.assert_status(200).assert_silent_on(&number);
        mara.open("/help").await.assert_status(200).assert_says("The nine steps");
    }
}
