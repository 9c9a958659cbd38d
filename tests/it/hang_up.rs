//! A person presses a button and the connection breaks. The act is done wholly and once, or not at all; pressing again
//! tells which.

use std::time::Duration;

use domain::cycle::Stage;
use kit::http::{Page, Visitor};
use kit::people::{ANA, JONAS, MARA};
use kit::{App, on_both};

const AGREE: &str = "Agree the plan";

on_both! {
    /// The connection breaks after each statement of the transaction in turn. What was begun is done, whether or not
    /// anybody presses again, and once.
    async fn what_has_begun_is_done_whoever_hangs_up(app: &App) {
        let ana = app.sign_in(ANA).await;
        let other = app.cycle_in(Stage::PlanReview, JONAS, 10_000).await;
        let page = plan(&ana, &other).await;
        let before = app.pause.statements();
        ana.press(&page, AGREE, &[]).await.assert_status(200);
        let statements = app.pause.statements() - before;
        assert!(statements > 5, "a move claims, locks, writes and tells: {statements} statements");

        for (n, number) in (1..=statements).zip(submitted(app, statements).await) {
            let page = plan(&ana, &number).await;
            let form = page.form(AGREE);
            let mut held = app.pause.after(n);
            ana.post_and_hang_up(&page, &form, AGREE, held.reached()).await;
            drop(held);
            if n % 2 == 0 {
                let again = ana.submit(&page, &form, AGREE).await;
                assert_eq!(again.status, 200, "{number}, statement {n}: {}", again.text());
            }
            agreed(app, &number).await;
            let told = app.mails_to(MARA).await.iter().filter(|mail| mail.subject.contains(&number)).count();
            assert_eq!(told, 1, "{number}, statement {n}: one act, one mail");
        }
    }

    /// The connection breaks before anybody knows whether the request was read: it is done or it is not, and the same
    /// form sent again makes it done, once.
    async fn whoever_presses_again_has_pressed_once(app: &App) {
        let ana = app.sign_in(ANA).await;
        for number in submitted(app, 6).await {
            let page = plan(&ana, &number).await;
            let form = page.form(AGREE);
            ana.post_and_hang_up(&page, &form, AGREE, async {}).await;
            let again = ana.submit(&page, &form, AGREE).await;
            assert_eq!(again.status, 200, "{number}: {}", again.text());
            agreed(app, &number).await;
        }
    }
}

/// With one agreed plan in a period, later cycles would begin behind it: all of them are opened before.
async fn submitted(app: &App, count: usize) -> Vec<String> {
    let mut numbers = Vec::new();
    for _ in 0..count {
        numbers.push(app.cycle_in(Stage::PlanReview, MARA, 10_000).await);
    }
    numbers
}

async fn plan(ana: &Visitor, number: &str) -> Page {
    ana.open(&format!("/cycles/{number}/plan")).await
}

/// What is under way ends by itself; how soon is the machine's affair.
async fn agreed(app: &App, number: &str) {
    for _ in 0..600 {
        let cycle = app.look(number).await.cycle;
        if cycle.stage == Stage::ScorecardOpen {
            assert_eq!(cycle.version, 3, "{number}: opened, submitted and agreed, each once");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{number} was not agreed");
}
