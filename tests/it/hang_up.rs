//! A person presses a button and the connection breaks. The act is done wholly and once, or not at all; pressing again
//! tells which.

use std::time::Duration;

use domain::cycle::Stage;
use kit::people::{ANA, MARA};
use kit::{App, on_both};

on_both! {
    async fn whoever_hangs_up_is_served_all_the_same(app: &App) {
        let mut numbers = Vec::new();
        for _ in 0..13 {
            numbers.push(app.cycle_in(Stage::PlanReview, MARA, 10_000).await);
        }
        let ana = app.sign_in(ANA).await;
        // With one agreed plan in a period, later cycles would begin behind it: all of them were opened before.
        let last = numbers.pop().expect("thirteen cycles");
        for (patience, number) in (0..).zip(&numbers) {
            let page = ana.open(&format!("/cycles/{number}/plan")).await;
            let form = page.form(AGREE);
            ana.post_and_hang_up(&page, &form, AGREE, Duration::from_millis(patience)).await;
            // The same form again, from the same page: whatever became of the first, it happens once.
            let again = ana.submit(&page, &form, AGREE).await;
            assert_eq!(again.status, 200, "{number}: {}", again.text());

            let cycle = app.look(number).await.cycle;
            assert_eq!(cycle.stage, Stage::ScorecardOpen, "{number}");
            assert_eq!(cycle.version, 3, "opened, submitted and agreed, each once");
        }
        // Nobody pressed again here: what reached the server is done nevertheless.
        let page = ana.open(&format!("/cycles/{last}/plan")).await;
        ana.post_and_hang_up(&page, &page.form(AGREE), AGREE, Duration::from_millis(150)).await;
        let mut stage = Stage::PlanReview;
        for _ in 0..100 {
            stage = app.look(&last).await.cycle.stage;
            if stage == Stage::ScorecardOpen {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(stage, Stage::ScorecardOpen);
        let told = app.mails_to(MARA).await.iter().filter(|mail| mail.subject.contains(&last)).count();
        assert_eq!(told, 1, "one act, one mail");
    }
}

const AGREE: &str = "Agree the plan";
