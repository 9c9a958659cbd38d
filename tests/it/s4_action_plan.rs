//! The action plan: activities with cost lines that add up, the agenda, the calendar, and the way back.

use domain::cycle::Stage;
use kit::people::MARA;
use kit::{App, on_both};

const ACTIVITY: [(&str, &str); 9] = [
    ("name", "Zero trust briefing"),
    ("kind", "webinar"),
    ("starts", "2026-04-14"),
    ("ends", "2026-04-14"),
    ("place", "Online"),
    ("objective", "1"),
    ("category_1", "platform"),
    ("description_1", "Webinar platform"),
    ("amount_1", "5,000"),
];

on_both! {
    async fn cost_lines_add_up_to_the_forecast_before_it_is_committed(app: &App) {
        let number = app.cycle_in(Stage::ActionPlanDraft, MARA, 8_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{number}/action-plan")).await;
        page.assert_says("8,000 EUR left to plan");
        let page = mara.click(&page, "Add the first one").await;
        let form = page.form("Save the activity");
        assert_eq!((form.value("campaign"), form.value("owner")), (Some("1"), Some(MARA.name)));
        let page = mara.press(&page, "Save the activity", &ACTIVITY).await;
        page.assert_status(200).assert_says("3,000 EUR left to plan").assert_says("Last day to ask");

        let page = mara.open(&format!("/cycles/{number}/action-plan/check")).await;
        page.assert_says("Not yet.").assert_says("3,000 EUR less than its forecast");
        let page = mara.open(&format!("/cycles/{number}/action-plan/activities/1")).await;
        let more = [("category_3", "agency"), ("description_3", "Agency"), ("amount_3", "3,000")];
        let page = mara.press(&page, "Save the activity", &more).await;
        page.assert_says("Adds up to the forecast");
        let lines = app.look(&number).await.cycle.activities[0].draft.costs.clone();
        assert_eq!(lines.iter().map(|line| line.no).collect::<Vec<_>>(), [1, 3], "a line keeps its number");

        let page = mara.open(&format!("/cycles/{number}/action-plan/check")).await;
        let page = mara.press(&page, "Commit the action plan", &[]).await;
        assert_eq!(page.path, format!("/cycles/{number}/request"));
        assert_eq!(app.look(&number).await.cycle.stage, Stage::RequestDraft);
    }

    async fn what_the_rules_refuse_stands_at_its_field(app: &App) {
        let number = app.cycle_in(Stage::ActionPlanDraft, MARA, 8_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{number}/action-plan/activities/new")).await;
        let page = mara.press(&page, "Save the activity", &ACTIVITY).await;
        page.assert_status(200);
        let page = mara.open(&format!("/cycles/{number}/action-plan/activities/new")).await;
        let page = mara
            .press(&page, "Save the activity", &[
                ACTIVITY[0], ACTIVITY[1], ("starts", "2026-08-01"), ("ends", "2026-07-01"), ACTIVITY[4], ACTIVITY[5],
                ("category_3", "platform"), ("description_3", "Nothing"), ("amount_3", "0"),
            ])
            .await;
        page.assert_status(409).assert_says("outside this cycle's period").assert_says("ends before it starts");
        let links: Vec<String> = page.links().into_iter().map(|(_, href)| href).collect();
        for field in ["#starts", "#ends", "#amount_3"] {
            assert!(links.iter().any(|href| href == field), "the summary leads to {field}: {links:?}");
        }
        assert_eq!(page.form("Save the activity").value("description_3"), Some("Nothing"));
    }

    async fn the_plan_is_downloaded_as_a_calendar(app: &App) {
        let number = app.cycle_in(Stage::RequestDraft, MARA, 8_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{number}/action-plan/calendar.ics")).await;
        page.assert_status(200);
        assert!(page.header("content-type").starts_with("text/calendar"));
        let text = page.raw();
        for line in ["BEGIN:VCALENDAR", "DTSTART;VALUE=DATE:20260414", "DTEND;VALUE=DATE:20260416", "SUMMARY:Zero trust in practice"] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
        assert_eq!(text.matches("BEGIN:VEVENT").count(), 3, "the last day to ask, the webinar, its proof");
    }

    async fn one_can_go_back_to_the_forecast(app: &App) {
        let number = app.cycle_in(Stage::ActionPlanDraft, MARA, 8_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{number}/action-plan")).await;
        let page = mara.press(&page, "Go back to the forecast", &[]).await;
        assert_eq!(page.path, format!("/cycles/{number}/forecast"));
        let cycle = app.look(&number).await.cycle;
        assert_eq!(cycle.stage, Stage::ForecastDraft);
        assert!(cycle.campaigns[0].baseline.is_none(), "the baseline is made anew");
    }
}
