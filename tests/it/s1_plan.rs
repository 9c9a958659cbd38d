//! The plan, written by the partner and agreed by the channel manager, on its pages.

use domain::cycle::Stage;
use kit::people::{ANA, LUKAS, MARA};
use kit::{App, on_both};

const GOAL: [(&str, &str); 3] =
    [("goal_1", "Win customers who have no security suite yet"), ("measure_1", "new customers"), ("target_1", "6")];

on_both! {
    async fn a_plan_is_written_checked_returned_and_agreed(app: &App) {
        let number = app.open_cycle(MARA).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let path = format!("/cycles/{number}/plan");

        let page = mara.open(&path).await;
        let page = mara.press(&page, "Check the plan", &[("level", "2"), GOAL[0], GOAL[1]]).await;
        page.assert_says("Not yet.").assert_says("A goal has no target.").assert_says("names its growth path");
        assert!(!page.has_button("Submit the plan"), "what would be refused is not offered");

        let page = mara.open(&page.link("Go back and change")).await;
        assert_eq!(page.form("Save the draft").value("goal_1"), Some(GOAL[0].1), "the draft was kept");
        let page = mara
            .press(
                &page,
                "Check the plan",
                &[GOAL[2], ("sales_1", "240,000"), ("profit_1", "66,000"), ("growth_path", "new_customers")],
            )
            .await;
        page.assert_says("6 new customers").assert_says("sales 240,000");
        let page = mara.press(&page, "Submit the plan", &[]).await;
        page.assert_status(200).assert_says("Plan in review").assert_says("There is nothing for you to do");

        let mails = app.mails_to(ANA).await;
        assert_eq!(mails.len(), 1, "the channel manager hears of it once");
        let page = ana.open(&path).await;
        let refused = ana.press(&page, "Return with the reason", &[]).await;
        refused.assert_status(422).assert_says("Fill this in.");
        let page = ana.press(&refused, "Return with the reason", &[("reason", "Six is what you had last year.")]).await;
        page.assert_says("returned the plan");

        let page = mara.open(&path).await;
        page.assert_says("Six is what you had last year.");
        let page = mara.press(&page, "Check the plan", &[("target_1", "9")]).await;
        mara.press(&page, "Submit the plan", &[]).await;
        let page = ana.open(&path).await;
        ana.press(&page, "Agree the plan", &[]).await.assert_says("agreed the plan");
        assert_eq!(app.look(&number).await.cycle.stage, Stage::ScorecardOpen);
        mara.open(&path).await.assert_says("Agreed").assert_silent_on("Six is what you had");
    }

    async fn what_was_typed_is_kept_with_what_is_wrong(app: &App) {
        let number = app.open_cycle(MARA).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{number}/plan")).await;
        let typed = [("goal_3", "Grow <in> Hesse"), ("target_3", "six"), ("intended_mdf", "12.000,50")];
        let page = mara.press(&page, "Save the draft", &typed).await;
        page.assert_status(422).assert_says("Write a whole number").assert_says("is not an amount we can read");
        let form = page.form("Save the draft");
        for (name, value) in typed {
            assert_eq!(form.value(name), Some(value));
        }
        let links: Vec<String> = page.links().into_iter().map(|(_, href)| href).collect();
        for field in ["#measure_3", "#target_3", "#intended_mdf"] {
            assert!(links.iter().any(|href| href == field), "the summary leads to {field}: {links:?}");
        }
        assert_eq!(app.look(&number).await.cycle.version, 1, "nothing was saved");
    }

    async fn rows_keep_their_numbers_and_empty_ones_go(app: &App) {
        let number = app.open_cycle(MARA).await;
        let mara = app.sign_in(MARA).await;
        let path = format!("/cycles/{number}/plan");
        let page = mara.open(&path).await;
        let second = [("goal_2", "Keep the customers we have"), ("measure_2", "renewals"), ("target_2", "40")];
        let page = mara.press(&page, "Save the draft", &[GOAL[0], GOAL[1], GOAL[2], second[0], second[1], second[2]]).await;
        let page = mara.press(&page, "Save the draft", &[("goal_1", ""), ("measure_1", ""), ("target_1", "")]).await;
        page.assert_status(200);
        let goals = app.look(&number).await.cycle.plan.draft.objectives;
        assert_eq!(goals.iter().map(|goal| (goal.no, goal.goal.as_str())).collect::<Vec<_>>(), [(2, second[0].1)]);
    }

    async fn nobody_overwrites_what_they_have_not_seen(app: &App) {
        let number = app.open_cycle(MARA).await;
        let (mara, lukas) = (app.sign_in(MARA).await, app.sign_in(LUKAS).await);
        let path = format!("/cycles/{number}/plan");
        let old = lukas.open(&path).await;
        let page = mara.open(&path).await;
        mara.press(&page, "Save the draft", &GOAL).await.assert_status(200);
        let late = lukas.press(&old, "Save the draft", &[("goal_1", "Another goal"), ("measure_1", "x")]).await;
        late.assert_status(409).assert_says("Mara Lindqvist");
        assert_eq!(late.form("Save the draft").value("goal_1"), Some("Another goal"), "nothing typed is lost");
        assert_eq!(app.look(&number).await.cycle.plan.draft.objectives[0].goal, GOAL[0].1);
    }
}
