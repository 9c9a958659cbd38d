//! The forecast: a campaign from its benchmark, what if, reasons for what is unusual, and the baseline that freezes.

use domain::cycle::Stage;
use kit::people::{ANA, MARA};
use kit::{App, on_both};

const CAMPAIGN: [(&str, &str); 4] = [
    ("name", "Zero trust in practice"),
    ("tactic", "webinar"),
    ("audience", "Security leads of mid-sized companies"),
    ("cost", "8,000"),
];

on_both! {
    async fn a_campaign_starts_from_the_benchmark_and_freezes(app: &App) {
        let number = app.cycle_in(Stage::ForecastDraft, MARA, 8_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{number}/forecast")).await;
        let page = mara.click(&page, "Add a campaign").await;
        let page = mara.press(&page, "Go on to the assumptions", &CAMPAIGN).await;
        let form = page.form("Save the campaign");
        assert_eq!((form.value("responses"), form.value("lead_rate")), (Some("160"), Some("25")), "8,000 at 50 each");
        page.assert_says("73 to 400").assert_says("12 % to 40 %").assert_says("What it may bring");

        let page = mara.press(&page, "Recalculate without saving", &[("win_rate", "60"), ("responses", "200")]).await;
        page.assert_status(200).assert_says("Outside the usual range");
        assert_eq!(page.form("Save the campaign").value("win_rate"), Some("60"));
        assert!(app.look(&number).await.cycle.campaigns.is_empty(), "recalculating saves nothing");

        let page = mara.press(&page, "Save the campaign", &[]).await;
        page.assert_status(200).assert_says("a reason is needed");
        let page = mara.open(&format!("/cycles/{number}/forecast/check")).await;
        page.assert_says("Not yet.").assert_says("win rate");
        let page = mara.open(&format!("/cycles/{number}/forecast/campaigns/1")).await;
        mara.press(&page, "Save the campaign", &[("reason", "Only customers with an expiring contract.")]).await;

        let page = mara.open(&format!("/cycles/{number}/forecast/check")).await;
        page.assert_says("freezes the baseline");
        let page = mara.press(&page, "Commit and freeze the baseline", &[]).await;
        assert_eq!(page.path, format!("/cycles/{number}/action-plan"));
        let baseline = app.look(&number).await.cycle.campaigns[0].baseline.clone().expect("the baseline is frozen");
        let page = mara.open(&format!("/cycles/{number}/forecast")).await;
        page.assert_says("The baseline is frozen").assert_says(&format!("{} %", baseline.chance));
        assert!(!page.has_button("Remove Zero trust in practice"));
    }

    async fn the_benchmark_can_be_taken_again_and_a_campaign_removed(app: &App) {
        let number = app.cycle_in(Stage::ForecastDraft, MARA, 8_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{number}/forecast/campaigns/new")).await;
        let page = mara.press(&page, "Go on to the assumptions", &CAMPAIGN).await;
        let page = mara.press(&page, "Start again from the benchmark", &[("cost", "4,000"), ("win_rate", "99")]).await;
        let form = page.form("Save the campaign");
        assert_eq!((form.value("responses"), form.value("win_rate")), (Some("80"), Some("34")));
        let page = mara.press(&page, "Save the campaign", &[]).await;
        let page = mara.press(&page, "Remove Zero trust in practice", &[]).await;
        page.assert_status(200).assert_says("No campaigns yet");
        assert!(app.look(&number).await.cycle.campaigns.is_empty());
    }

    async fn mistakes_are_shown_where_they_are(app: &App) {
        let number = app.cycle_in(Stage::ForecastDraft, MARA, 8_000).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let page = mara.open(&format!("/cycles/{number}/forecast/campaigns/new")).await;
        let page = mara.press(&page, "Go on to the assumptions", &[("name", "A talk"), ("cost", "much")]).await;
        page.assert_status(422).assert_says("is not an amount we can read");
        assert_eq!(page.form("Go on to the assumptions").value("name"), Some("A talk"));

        let page = mara.open(&format!("/cycles/{number}/forecast/campaigns/new")).await;
        let page = mara.press(&page, "Go on to the assumptions", &CAMPAIGN).await;
        let page = mara.press(&page, "Save the campaign", &[("win_rate", "140"), ("landing_url", "nordwind.example")]).await;
        page.assert_status(422).assert_says("from 0 to 100");
        let page = mara.press(&page, "Save the campaign", &[("win_rate", "34")]).await;
        page.assert_status(409).assert_says("with https:// in front");
        assert_eq!(page.form("Save the campaign").value("landing_url"), Some("nordwind.example"));
        // The channel manager may enter it on the partner's behalf.
        ana.open(&format!("/cycles/{number}/forecast/campaigns/new")).await.assert_status(200);
    }
}
