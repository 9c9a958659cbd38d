//! Step 8 as people see it: campaign IDs and what has arrived; the manager may close the window early.

use domain::cycle::Stage;
use kit::people::{ANA, JONAS, MARA};
use kit::{App, on_both};

on_both! {
    async fn tracking_shows_the_campaign_id_and_closes_once(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 10_000).await;
        app.days_pass(60).await;
        app.prove(&no, MARA).await;
        let code = app.look(&no).await.cycle.campaigns[0].code.clone().expect("a campaign ID");
        let path = format!("/cycles/{no}/tracking");

        let mara = app.sign_in(MARA).await;
        mara.open(&path).await.assert_status(200).assert_says(&code);
        let jonas = app.sign_in(JONAS).await;
        jonas.open(&path).await.assert_status(404).assert_silent_on(&code);

        let ana = app.sign_in(ANA).await;
        let page = ana.open(&path).await;
        let form = page.form_to(&format!("{path}/closing"));
        let words = form.buttons[0].text.clone();
        ana.submit(&page, &form, &words).await.assert_status(200);
        assert_eq!(app.look(&no).await.cycle.stage, Stage::PerformanceMeasured);
        ana.submit(&page, &form, &words).await;
        assert_eq!(app.look(&no).await.cycle.review.measurements.len(), 1, "pressed twice, measured once");
    }
}
