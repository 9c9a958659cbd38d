//! Program guides in the browser: a new version is read, compared, tried on the past, activated; what stood stands.

use domain::cycle::Stage;
use domain::ids::ProgramId;
use domain::steps::{s5_request, s6_approval};
use kit::http::Page;
use kit::people::{ANA, JONAS, MARA, SAM};
use kit::{App, on_both};
use sea_orm::{ConnectionTrait, Statement};
use storage::Viewer;

const PAGE: &str = "/admin/programs/EMEA";

/// The shipped guide with some text instead of another.
fn guide(changes: &[(&str, &str)]) -> String {
    let (_, text) = engine::catalog::GUIDES[0];
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// The next version: less is paid, it takes longer to ask, more need the director.
fn stricter() -> String {
    guide(&[
        ("version = \"2026.1\"", "version = \"2026.2\""),
        ("default = \"0.50\"", "default = \"0.40\""),
        ("share = \"0.60\"", "share = \"0.45\""),
        ("from = \"15000\"", "from = \"5000\""),
        ("days = 10\ncount", "days = 45\ncount"),
    ])
}

async fn sent(app: &App, text: &str, button: &str, from: Option<&str>) -> Page {
    let sam = app.sign_in(SAM).await;
    let page = sam.open(PAGE).await;
    page.assert_status(200);
    let mut form = page.form(button);
    form.attach("file", "guide.toml", "application/toml", text.as_bytes());
    if let Some(from) = from {
        form.fill("from", from);
    }
    sam.submit(&page, &form, button).await
}

on_both! {
    async fn a_guide_that_contradicts_itself_comes_back_with_each_line_named(app: &App) {
        let broken = guide(&[("from = \"15000\"", "from = \"0\""), ("reminders = [1, 14, 28]", "reminders = [1, 14, 31]")]);
        let line = |words: &str| broken.lines().position(|line| line == words).expect("the line") + 1;
        for button in ["See what it changes", "Activate it from this day"] {
            let back = sent(app, &broken, button, None).await;
            back.assert_status(422).assert_says("What is wrong with it");
            back.assert_says(&format!("Line {}", line("reminders = [1, 14, 31]")));
            back.assert_says("The reminder at day 31 comes after the last day to claim, day 30: write at most 30");
            back.assert_says("Level 2 starts at 0, not above level 1");
            let kept = back.form("See what it changes");
            assert!(kept.value("guide").is_some_and(|text| text.contains("reminders = [1, 14, 31]")), "the text is kept");
        }
        assert_eq!(versions(app).await, 1);
    }

    async fn what_a_version_changes_is_said_in_words_and_tried_on_the_past(app: &App) {
        app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let page = sent(app, &stricter(), "See what it changes", None).await;
        page.assert_status(200).assert_says("What version 2026.2 changes");
        page.assert_says("Ask at least 45 business days before the activity starts.");
        page.assert_says("Gold partners: 60 %.").assert_says("Gold partners: 45 %.");
        page.assert_says("Channel director EMEA: also from 5,000 EUR, within 7 days.");
        page.assert_says("It judged 1 request and 0 claims again.");
        page.assert_says("the program pays at most 45 %").assert_says("so the last day to ask was");
        assert_eq!(versions(app).await, 1, "nothing is kept");
    }

    async fn a_version_counts_from_its_day_and_never_reaches_back(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let next_week = app.clock.now().date_naive() + chrono::Days::new(7);
        let done = sent(app, &stricter(), "Activate it from this day", Some(&next_week.to_string())).await;
        done.assert_status(200).assert_says("Version 2026.2 of the guide of Growth Fund EMEA counts from");
        done.assert_says("Still to come");
        let mara = app.sign_in(MARA).await;
        mara.open("/guide/EMEA").await.assert_says("version 2026.1").assert_says("10 business days");

        app.days_pass(7).await;
        let page = mara.open("/guide/EMEA").await;
        page.assert_says("version 2026.2").assert_says("45 business days").assert_silent_on("2026.1");
        let s = app.look(&no).await;
        assert_eq!(s.policy.guide.version, "2026.1", "what is under way keeps its version");
        let lines = s.cycle.approval.ceiling(&s.cycle).into_iter().map(|most| s6_approval::LineDecision {
            activity: most.activity,
            line: most.line,
            amount: most.asked,
            reason: String::new(),
        });
        app.must(ANA, &no, s6_approval::Command::Approve { lines: lines.collect() }).await;
        assert_eq!(app.look(&no).await.cycle.stage, Stage::ExecutionLive, "5,400 need no director by the version it was asked under");

        let later = app.cycle_in(Stage::RequestDraft, JONAS, 9_000).await;
        let s = app.look(&later).await;
        assert_eq!(s.policy.guide.version, "2026.2");
        let verdicts = s5_request::judge(&s, &s5_request::submitted(&s), app.clock.now().date_naive());
        assert!(verdicts.iter().any(|verdict| verdict.rule == "lead_time" && verdict.fails()), "{verdicts:?}");
        app.assert_sound().await;
    }

    async fn every_event_names_the_version_it_was_decided_under(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let s = app.look(&no).await;
        assert_eq!(s.cycle.request.submitted.as_ref().map(|sent| sent.guide_version.as_str()), Some("2026.1"));
        let payloads = payloads(app, "approval.approved").await;
        assert!(!payloads.is_empty());
        for payload in payloads {
            let payload: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
            assert_eq!(payload["guide"], "2026.1", "{payload}");
        }
    }

    async fn a_version_is_named_once_and_counts_from_no_day_that_is_over(app: &App) {
        let again = guide(&[("default = \"0.50\"", "default = \"0.40\"")]);
        let refused = sent(app, &again, "Activate it from this day", None).await;
        refused.assert_status(422).assert_says("There is a version 2026.1 of this guide already.");
        let yesterday = app.clock.now().date_naive() - chrono::Days::new(1);
        let refused = sent(app, &stricter(), "Activate it from this day", Some(&yesterday.to_string())).await;
        refused.assert_status(422).assert_says("Choose today or a day to come.");
        let binary = {
            let sam = app.sign_in(SAM).await;
            let page = sam.open(PAGE).await;
            let mut form = page.form("See what it changes");
            form.attach("file", "guide.toml", "application/toml", &[0xff, 0xfe, 0x00, 0x41]);
            sam.submit(&page, &form, "See what it changes").await
        };
        binary.assert_status(422).assert_says("is no text in UTF-8");
        assert_eq!(versions(app).await, 1);
    }

    async fn a_program_can_be_started_from_any_shipped_guide(app: &App) {
        let sam = app.sign_in(SAM).await;
        for (index, (file, text)) in engine::catalog::GUIDES.iter().enumerate() {
            let page = sam.open(&format!("/admin/programs/new?like={file}")).await;
            let form = page.form("Start the program");
            assert_eq!(form.value("guide").map(str::trim), Some(text.trim()), "{file}");
            let (code, name) = (format!("P{index}"), format!("Program {index}"));
            let done = sam.press(&page, "Start the program", &[("code", &code), ("name", &name)]).await;
            done.assert_status(200).assert_says(&name);
            let mara = app.sign_in(MARA).await;
            let guide = mara.open(&format!("/guide/{code}?starts=2026-09-14&ends=2026-09-15")).await;
            guide.assert_status(200).assert_says("Last day to claim").assert_says("Who approves");
        }
        let ferrite = app.sign_in(MARA).await.open("/guide/P2").await;
        ferrite.assert_says("Gifts: at most 200 USD a head counts; the rest is yours.");
        ferrite.assert_says("Less than 10,000 USD in a period is paid as a rebate instead.");
        ferrite.assert_says("Claims are due 45 days after the end of the period.");
        let yen = app.sign_in(MARA).await.open("/guide/P4").await;
        yen.assert_says("The least a request may ask for is 100,000 JPY.");
    }
}

/// What was recorded of a kind, as it is stored.
async fn payloads(app: &App, kind: &str) -> Vec<String> {
    let behind = app.connect().await;
    let sql = format!("SELECT payload FROM event WHERE kind = '{kind}'");
    let asked = Statement::from_string(behind.get_database_backend(), sql);
    let rows = behind.query_all_raw(asked).await.expect("events can be read");
    rows.iter().map(|row| row.try_get("", "payload").expect("a payload")).collect()
}

async fn versions(app: &App) -> usize {
    let program: ProgramId = app.program;
    app.engine.reader().guides(&Viewer::system(), program).await.expect("guides can be read").len()
}
