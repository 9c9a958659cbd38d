//! Step 9 as people see it: the frozen forecast beside what came of it, and a review that both sides sign.

use domain::cycle::Stage;
use domain::steps::s8_tracking;
use kit::people::{ANA, JONAS, MARA};
use kit::{App, on_both};

on_both! {
    async fn performance_stands_beside_the_plan_and_is_signed_by_both(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 10_000).await;
        app.days_pass(60).await;
        app.prove(&no, MARA).await;
        app.must(ANA, &no, s8_tracking::Command::Close {}).await;
        let path = format!("/cycles/{no}/performance");

        let jonas = app.sign_in(JONAS).await;
        jonas.open(&path).await.assert_status(404);
        let lessons = [("lessons", "Personal invitations brought the good leads.")];
        for who in [MARA, ANA] {
            let visitor = app.sign_in(who).await;
            let page = visitor.open(&path).await;
            page.assert_status(200).assert_says("Investment ROI").assert_says("Responses");
            let form = page.form_to(&format!("{path}/signature"));
            let words = form.buttons[0].text.clone();
            visitor.press(&page, &words, &lessons).await.assert_status(200);
        }
        assert_eq!(app.look(&no).await.cycle.stage, Stage::Closed);
    }
}
