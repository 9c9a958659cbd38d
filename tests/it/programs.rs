//! Program guides in the browser: a new version is read, compared, tried on the past, activated; what stood stands.

use domain::Date;
use domain::cycle::Stage;
use domain::ids::ProgramId;
use domain::steps::{s5_request, s6_approval};
use engine::Submission;
use kit::http::{Page, Visitor};
use kit::people::{ANA, JONAS, MARA, RUTH, SAM, TOMAS, day};
use kit::story::counting_from;
use kit::{App, on_both};
use sea_orm::{ConnectionTrait, Statement};
use storage::Viewer;

const PAGE: &str = "/programs/EMEA";
const COMPARE: &str = "See what it changes";
const ACTIVATE: &str = "Activate this version";

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
        ("at least 10 business days", "at least 45 business days"),
    ])
}

/// Sam sends a file and nothing else.
async fn sent(app: &App, text: &str, button: &str) -> Page {
    sent_by(&app.sign_in(SAM).await, text, button, None).await
}

/// A file is chosen, a day typed or not, a button pressed.
async fn sent_by(who: &Visitor, text: &str, button: &str, from: Option<Date>) -> Page {
    let page = who.open(PAGE).await;
    page.assert_status(200);
    let mut form = page.form(button);
    form.attach("file", "guide.toml", "application/toml", text.as_bytes());
    if let Some(from) = from {
        form.fill("from", &from.to_string());
    }
    who.submit(&page, &form, button).await
}

on_both! {
    async fn a_guide_that_contradicts_itself_comes_back_with_each_line_named(app: &App) {
        let broken = guide(&[("from = \"15000\"", "from = \"0\""), ("reminders = [1, 14, 28]", "reminders = [1, 14, 31]")]);
        let line = |words: &str| broken.lines().position(|line| line == words).expect("the line") + 1;
        for button in [COMPARE, ACTIVATE] {
            let back = sent(app, &broken, button).await;
            back.assert_status(422).assert_says("What is wrong with it");
            back.assert_says(&format!("Line {}", line("reminders = [1, 14, 31]")));
            back.assert_says("The reminder at day 31 comes after the last day to claim, day 30: write at most 30");
            back.assert_says("Level 2 starts at 0, not above level 1");
            let kept = back.form(COMPARE);
            assert!(kept.value("guide").is_some_and(|text| text.contains("reminders = [1, 14, 31]")), "the text is kept");
        }
        assert_eq!(versions(app).await, 1);
    }

    async fn what_a_version_changes_is_said_in_words_and_tried_on_the_past(app: &App) {
        app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let page = sent(app, &counting_from(&stricter(), app.clock.today()), COMPARE).await;
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
        let done = sent(app, &counting_from(&stricter(), next_week), ACTIVATE).await;
        done.assert_status(200).assert_says("Version 2026.2 of the guide of Growth Fund EMEA counts from");
        done.assert_says("Still to come");
        let mara = app.sign_in(MARA).await;
        let now = mara.open("/guide/EMEA").await;
        now.assert_says("version 2026.1, in force since").assert_says("Ask at least 10 business days");

        app.days_pass(7).await;
        let page = mara.open("/guide/EMEA").await;
        page.assert_says("version 2026.2, in force since").assert_says("Ask at least 45 business days").assert_silent_on("10 business days");
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

    /// From a page of prose to what a partner reads: written in a text editor, uploaded, compared, activated for next quarter.
    async fn a_channel_manager_writes_a_guide_and_activates_it_for_next_quarter(app: &App) {
        app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        responsible_for_all_regions(app).await;
        let ana = app.sign_in(ANA).await;
        let list = ana.click(&ana.open("/").await, "Guides").await;
        list.assert_says("Program guides").assert_says("2026.1, since").assert_silent_on("Start a program");
        let program = ana.click(&list, "Growth Fund EMEA").await;
        assert_eq!(program.path, PAGE);
        let july = day(2026, 7, 1);
        let text = counting_from(&stricter(), july);
        let read = sent_by(&ana, &text, COMPARE, None).await;
        read.assert_status(200).assert_says("What version 2026.2 changes");
        read.assert_says("Beside version 2026.1, which is the one in force on Wed 1 July 2026 without it.");
        read.assert_says("Gold partners: 45 %.").assert_says("It judged 1 request and 0 claims again.");

        let mut form = read.form("Activate it from Wed 1 July 2026");
        form.fill("from", "2026-10-01");
        let refused = ana.submit(&read, &form, "Activate it from Wed 1 July 2026").await;
        refused.assert_status(422).assert_says("The guide counts from Wed 1 July 2026 (its effective_from), the form says Thu 1 October 2026.");
        assert_eq!(versions(app).await, 1);
        let mut form = refused.form(ACTIVATE);
        assert!(form.value("guide").is_some_and(|kept| kept.contains("2026.2")), "what was uploaded is kept");
        form.fill("from", "");
        let done = ana.submit(&refused, &form, ACTIVATE).await;
        done.assert_status(200).assert_says("Version 2026.2 of the guide of Growth Fund EMEA counts from Wed 1 July 2026.");
        done.assert_says("Still to come").assert_says(ANA.name);

        let mara = app.sign_in(MARA).await;
        let now = mara.open("/guide/EMEA").await;
        now.assert_says("version 2026.1, in force since").assert_says("From Wed 1 July 2026: version 2026.2");
        now.assert_says("Falls away: Gold partners: 60 %.").assert_says("Comes: Gold partners: 45 %.");
        let ahead = mara.click(&now, "Read version 2026.2").await;
        ahead.assert_status(200).assert_says("version 2026.2, will count from Wed 1 July 2026");
        ahead.assert_says("Ask at least 45 business days").assert_says("Today version 2026.1 is in force");
        mara.get("/guide/EMEA?version=2031.1").await.assert_status(404);
        mara.get(PAGE).await.assert_status(404);
        let log = app.sign_in(SAM).await.open("/admin/audit?kind=program.guide").await;
        log.assert_says("Ana Ferreira activated version 2026.2 of the guide of Growth Fund EMEA from Wed 1 July 2026.");
        app.assert_sound().await;
    }

    async fn a_version_still_to_come_can_be_withdrawn_and_judges_nothing(app: &App) {
        responsible_for_all_regions(app).await;
        let ana = app.sign_in(ANA).await;
        let april = day(2026, 4, 1);
        sent_by(&ana, &counting_from(&stricter(), april), ACTIVATE, Some(april)).await.assert_status(200);
        let version = ana.click(&ana.open(PAGE).await, "2026.2").await;
        version.assert_says("Still to come").assert_says("What it changes of version 2026.1").assert_says("by Ana Ferreira");
        let refused = ana.press(&version, "Withdraw version 2026.2", &[("reason", "")]).await;
        refused.assert_status(422).assert_says("Fill this in.");
        let why = [("reason", "The shares were not agreed with finance.")];
        let done = ana.press(&version, "Withdraw version 2026.2", &why).await;
        done.assert_status(200).assert_says("Version 2026.2 of the guide of Growth Fund EMEA is withdrawn and will not count.");
        done.assert_says("Withdrawn");
        let again = ana.press(&version, "Withdraw version 2026.2", &why).await;
        again.assert_status(200).assert_says("is withdrawn and will not count");
        let kept = ana.open(&format!("{PAGE}/versions/2")).await;
        kept.assert_says("by Ana Ferreira: The shares were not agreed with finance.");
        assert!(!kept.has_button("Withdraw version 2026.2"));

        let mara = app.sign_in(MARA).await;
        mara.open("/guide/EMEA").await.assert_silent_on("2026.2");
        mara.get("/guide/EMEA?version=2026.2").await.assert_status(404);
        ana.open("/guide/EMEA?version=2026.2").await.assert_status(200).assert_says("withdrawn before it counted");
        app.days_pass(40).await;
        mara.open("/guide/EMEA").await.assert_says("version 2026.1, in force since");
        let later = app.cycle_in(Stage::RequestDraft, JONAS, 9_000).await;
        assert_eq!(app.look(&later).await.policy.guide.version, "2026.1");
        let today = counting_from(&stricter(), app.clock.today());
        sent_by(&ana, &today, ACTIVATE, None).await.assert_status(422).assert_says("There is a version 2026.2 of this guide already.");
        let counts = ana.open(&format!("{PAGE}/versions/1")).await;
        assert!(!counts.has_button("Withdraw version 2026.1"), "what counts is not taken back");
        let late = app.engine.withdraw_guide(&SAM.actor(), app.program, 1, "Too late.", &Submission::own()).await;
        assert!(format!("{late:?}").contains("Version 2026.1 counts since"), "{late:?}");
        let log = app.sign_in(SAM).await.open("/admin/audit?kind=program.guide_withdrawn").await;
        log.assert_says("Ana Ferreira withdrew version 2026.2 of the guide of Growth Fund EMEA").assert_says("not agreed with finance");
        app.assert_sound().await;
    }

    async fn who_looks_after_some_regions_compares_and_does_not_activate(app: &App) {
        let ana = app.sign_in(ANA).await;
        let text = counting_from(&stricter(), day(2026, 7, 1));
        let page = sent_by(&ana, &text, COMPARE, None).await;
        page.assert_status(200).assert_says("Gold partners: 45 %.").assert_says("It looked at partners of DACH only.");
        page.assert_says("You are responsible for DACH");
        assert!(!page.has_button(ACTIVATE) && !page.has_button("Activate it from Wed 1 July 2026"));
        // Who presses what is not drawn is refused by the engine, in one sentence.
        let mut form = page.form(COMPARE);
        form.buttons[0].action = format!("{PAGE}/guide");
        let refused = ana.post(&page, &form, COMPARE).await;
        refused.assert_status(409);
        let refused = app.engine.add_guide(&ANA.actor(), app.program, &text, None, &Submission::own()).await;
        assert!(format!("{refused:?}").contains("channel managers responsible for all regions"), "{refused:?}");
        assert_eq!(versions(app).await, 1);
        ana.get("/programs/new").await.assert_status(403);
        app.sign_in(TOMAS).await.get(PAGE).await.assert_status(403);
        let ruth = app.sign_in(RUTH).await.open(PAGE).await;
        ruth.assert_status(200);
        assert!(!ruth.has_button(ACTIVATE));
    }

    async fn every_page_of_a_cycle_names_the_version_that_judges_it(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        app.claim(&no, MARA).await;
        let next = counting_from(&stricter(), app.clock.today());
        sent(app, &next, ACTIVATE).await.assert_status(200);
        let mara = app.sign_in(MARA).await;
        for page in ["", "/request", "/approval", "/execution", "/claims/1"] {
            let page = mara.open(&format!("/cycles/{no}{page}")).await;
            page.assert_status(200).assert_says("Judged by version 2026.1 of the guide");
            let guide = mara.click(&page, "version 2026.1").await;
            guide.assert_status(200).assert_says("version 2026.1, counted from").assert_says("Today version 2026.2 is in force");
            guide.assert_says("Ask at least 10 business days");
        }
        let dates = mara.open("/guide/EMEA?version=2026.1&starts=2026-12-30&ends=2026-12-30").await;
        dates.assert_says("public holidays in DE are no business days");
        let own = dates.text();
        let abroad = app.sign_in(ANA).await.open("/guide/EMEA?version=2026.1&starts=2026-12-30&country=").await;
        assert!(own.contains("Last day to ask") && abroad.text().contains("Last day to ask"));
        abroad.assert_silent_on("are no business days");
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
        let refused = sent(app, &counting_from(&again, app.clock.today()), ACTIVATE).await;
        refused.assert_status(422).assert_says("There is a version 2026.1 of this guide already.");
        let yesterday = app.clock.now().date_naive() - chrono::Days::new(1);
        let refused = sent(app, &counting_from(&stricter(), yesterday), ACTIVATE).await;
        refused.assert_status(422).assert_says("Sun 1 March 2026 is over").assert_says("Name today or a day to come");
        assert!(refused.form(ACTIVATE).value("guide").is_some_and(|text| text.contains("2026.2")), "the file's text is kept");
        let binary = {
            let sam = app.sign_in(SAM).await;
            let page = sam.open(PAGE).await;
            let mut form = page.form(COMPARE);
            form.attach("file", "guide.toml", "application/toml", &[0xff, 0xfe, 0x00, 0x41]);
            sam.submit(&page, &form, COMPARE).await
        };
        binary.assert_status(422).assert_says("is no text in UTF-8");
        assert_eq!(versions(app).await, 1);
    }

    async fn a_program_can_be_started_from_any_shipped_guide(app: &App) {
        let sam = app.sign_in(SAM).await;
        for (index, (file, text)) in engine::catalog::GUIDES.iter().enumerate() {
            let page = sam.open(&format!("/programs/new?like={file}")).await;
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

/// Sam makes Ana the channel manager of every region.
async fn responsible_for_all_regions(app: &App) {
    let sam = app.sign_in(SAM).await;
    let page = sam.open(&format!("/admin/users/{}", ANA.id())).await;
    let mut form = page.form_to(&format!("/admin/users/{}/rights", ANA.id()));
    form.fill("territory", "");
    let button = form.buttons.first().expect("a button").text.clone();
    sam.submit(&page, &form, &button).await.assert_status(200);
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
