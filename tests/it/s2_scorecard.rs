//! The scorecard: answered in one sitting or two, its result, and the manager's word on it.

use domain::cycle::Stage;
use kit::people::{ANA, MARA};
use kit::{App, on_both};

on_both! {
    async fn a_scorecard_is_answered_in_two_sittings(app: &App) {
        let number = app.cycle_in(Stage::ScorecardOpen, MARA, 10_000).await;
        let mara = app.sign_in(MARA).await;
        let path = format!("/cycles/{number}/scorecard");
        let questions: Vec<String> = app.look(&number).await.template.questions().map(|q| q.code.clone()).collect();

        let page = mara.open(&path).await;
        page.assert_says(&format!("0 of {} questions answered", questions.len()));
        let first = [(questions[0].as_str(), "1")];
        let page = mara.press(&page, "Save and go on later", &first).await;
        page.assert_says(&format!("1 of {} questions answered", questions.len()));

        let page = mara.press(&page, "Complete the scorecard", &[(questions[1].as_str(), "0")]).await;
        page.assert_status(409).assert_says("has no answer");
        let links: Vec<String> = page.links().into_iter().map(|(_, href)| href).collect();
        assert!(links.contains(&format!("#{}", questions[2])), "the summary leads to what is open: {links:?}");
        assert_eq!(page.form("Complete the scorecard").value(&questions[1]), Some("0"), "what was chosen stays");

        let rest: Vec<(&str, &str)> = questions.iter().map(|code| (code.as_str(), "1")).collect();
        let page = mara.press(&page, "Complete the scorecard", &rest).await;
        page.assert_status(200).assert_says("Blueprint").assert_says("Overall");
        let cycle = app.look(&number).await.cycle;
        assert_eq!(cycle.stage, Stage::ForecastDraft);
        let result = cycle.scorecard.result.expect("a result");
        page.assert_says(&format!("{} %", result.percent)).assert_says(&result.blueprint[0]);
    }

    async fn the_channel_manager_verifies_it(app: &App) {
        let number = app.cycle_in(Stage::ForecastDraft, MARA, 10_000).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let path = format!("/cycles/{number}/scorecard");
        let page = mara.open(&path).await;
        assert!(!page.has_button("Verify the scorecard"), "a partner does not verify itself");
        let page = ana.open(&path).await;
        let page = ana.press(&page, "Verify the scorecard", &[]).await;
        page.assert_status(422).assert_says("Fill this in.");
        let page = ana.press(&page, "Verify the scorecard", &[("note", "Looked at the contact list together.")]).await;
        page.assert_status(200).assert_says("Looked at the contact list together.");
        mara.open(&path).await.assert_says("Verified").assert_says("Looked at the contact list together.");
    }
}
