//! The rules taken from public programs, as their people meet them: a program whose guide says the rule, one
//! activity with the vector's own days and amounts, and what pages say and accounts hold afterwards. The other
//! vectors, such as T13, T18 and T37, are told where their pages are: in `earning`, `funds`, `settlements`, `exchange`,
//! `s7_execution`, `races` and `wall`.

mod asking;
mod claiming;
mod money;

use std::collections::BTreeMap;

use chrono::{NaiveTime, TimeDelta};
use domain::Date;
use domain::cycle::Stage;
use domain::money::{Currency, Money};
use domain::steps::s3_forecast::{self, CampaignDraft};
use kit::http::{Page, Visitor};
use kit::people::{ANA, MARA, NORDWIND, SAM, TOMAS, YUKI};
use kit::{App, story};
use serde_json::{Value, json};
use storage::Viewer;

use crate::api::Program;

/// The smallest guide there can be.
const LEAST: &str = include_str!("../least.toml");

/// The program pays all that is eligible.
const WHOLE: (&str, &str) = ("default = \"0.50\"", "default = \"1\"");

/// The second quarter, which lies ahead on every story's first morning.
const SPRING: (&str, &str) = ("2026-04-01", "2026-06-30");

/// A program, its one fund, and the people who meet there.
struct Ground<'a> {
    app: &'a App,
    /// Of the program and of its fund.
    code: String,
    mara: Visitor,
    ana: Visitor,
    finance: Program,
}

/// One activity with one cost line; `more` is what else is typed into its form.
struct Planned<'a> {
    on: &'a str,
    cost: &'a str,
    more: &'a [(&'a str, &'a str)],
}

impl<'a> Planned<'a> {
    fn new(on: &'a str, cost: &'a str) -> Self {
        Self { on, cost, more: &[] }
    }
}

impl<'a> Ground<'a> {
    /// A program with the least guide, some text of it changed and more at its end, and a fund that gives Nordwind this
    /// credit.
    async fn with(app: &'a App, code: &str, guide: (&[(&str, &str)], &str), credit: &str) -> Self {
        let ground = Self::open(app, code, guide, "discretionary").await;
        ground.credit(credit, None).await;
        ground
    }

    /// The same with an empty fund of another kind.
    async fn open(app: &'a App, code: &str, (changes, more): (&[(&str, &str)], &str), kind: &str) -> Self {
        let guide = changes.iter().fold(LEAST.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let sam = Program::of(app, SAM).await;
        let new = json!({ "code": code, "name": format!("Program {code}"), "guide": format!("{guide}\n{more}") });
        let started = sam.post("/api/v1/programs", code, None, &new).await;
        started.assert_status(201);
        let finance = Program::of(app, TOMAS).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let ground = Self { app, code: code.to_owned(), mara, ana, finance };
        let new = json!({
            "code": code, "name": format!("Fund {code}"), "kind": kind, "currency": "USD", "program": ground.program().await,
        });
        ground.finance.post("/api/v1/funds", code, None, &new).await.assert_status(201);
        ground
    }

    async fn program(&self) -> domain::ids::ProgramId {
        let programs = self.app.engine.reader().programs(&Viewer::system()).await.expect("programs can be read");
        programs.iter().find(|program| program.code == self.code).expect("it was started").id
    }

    /// Finance puts so much into the fund.
    async fn budget(&self, amount: &str) {
        let amount = json!({ "minor": cents(amount), "currency": "USD" });
        self.command(&json!({ "do": "budget", "amount": amount, "reason": "As agreed" })).await;
    }

    /// The same, and gives it to Nordwind, until a day or for good.
    async fn credit(&self, amount: &str, expires: Option<&str>) {
        self.budget(amount).await;
        let (partner, amount) = (NORDWIND.id(), json!({ "minor": cents(amount), "currency": "USD" }));
        let reason = "As agreed";
        let allocate =
            json!({ "do": "allocate", "partner": partner, "amount": amount, "expires": expires, "reason": reason });
        self.command(&allocate).await;
    }

    async fn command(&self, command: &Value) {
        let commands = format!("/api/v1/funds/{}/commands", self.code);
        let key = format!("{} {} {} {}", self.code, command["do"], command["amount"]["minor"], command["expires"]);
        self.finance.post(&commands, &key, Some("*"), command).await.assert_status(200);
    }

    /// What the fund's accounts hold, every one of them; those left out hold nothing.
    async fn holds(&self, wanted: &[(&str, &str)]) {
        // A token lasts a month, some stories take longer.
        let finance = Program::of(self.app, TOMAS).await;
        let funds = finance.get("/api/v1/funds").await.json();
        let rows = funds["rows"].as_array().expect("rows");
        let fund = rows.iter().find(|fund| fund["code"] == self.code).expect("the fund");
        let held = fund["balances"].as_object().expect("balances");
        let held: BTreeMap<&str, i64> = held
            .iter()
            .map(|(kind, minor)| (kind.as_str(), minor.as_i64().expect("minor units")))
            .filter(|(kind, minor)| *kind != "funding" && *minor != 0)
            .collect();
        let wanted: BTreeMap<&str, i64> = wanted.iter().map(|(kind, amount)| (*kind, cents(amount))).collect();
        assert_eq!(held, wanted);
    }

    /// Mara plans one campaign of these activities, up to the request.
    async fn plan(&self, (from, to): (&str, &str), activities: &[Planned<'_>]) -> String {
        let (app, mara) = (self.app, Program::of(self.app, MARA).await);
        let title = format!("From {from}, planned {}", app.clock.now());
        let new = json!({
            "partner": NORDWIND.id(), "program": self.program().await, "title": title, "from": from, "to": to,
        });
        let key = format!("{} {} {}", self.code, activities[0].on, activities[0].cost);
        let opened = mara.post("/api/v1/cycles", &key, None, &new).await;
        opened.assert_status(201);
        let no = opened.json()["number"].as_str().expect("its number").to_owned();
        app.bring_to(Stage::ForecastDraft, &no, MARA, 0).await;
        let s = app.look(&no).await;
        let cost = Money::new(activities.iter().map(|one| cents(one.cost)).sum(), Currency::USD);
        let tactic = s.benchmarks.tactic("webinar").expect("webinars have a benchmark");
        let draft = CampaignDraft { cost, assumptions: tactic.assumptions(cost), ..story::campaign(&s, 1_000) };
        app.must(MARA, &no, s3_forecast::Command::Save { no: None, draft }).await;
        app.must(MARA, &no, s3_forecast::Command::Commit {}).await;
        for activity in activities {
            let page = self.mara.open(&format!("/cycles/{no}/action-plan/activities/new")).await;
            let mut form = page.form("Save the activity");
            form.fill_all(&[
                ("name", "Zero trust evening"),
                ("kind", "event"),
                ("starts", activity.on),
                ("ends", activity.on),
                ("place", "Hamburg"),
                ("objective", "1"),
                ("category_1", "media"),
                ("description_1", "Advertisements"),
                ("amount_1", activity.cost),
            ]);
            form.fill_all(activity.more);
            self.mara.submit(&page, &form, "Save the activity").await.assert_status(200);
        }
        let page = self.mara.open(&format!("/cycles/{no}/action-plan/check")).await;
        self.mara.press(&page, "Commit the action plan", &[]).await.assert_status(200);
        no
    }

    /// The request as it is proposed, with this typed into it, to its check page.
    async fn check(&self, no: &str, typed: &[(&str, &str)]) -> Page {
        let page = self.mara.open(&format!("/cycles/{no}/request")).await;
        let mut form = page.form("Check your answers");
        form.fill("justification", "The audience is ours by name and sales follows up within two days.");
        form.fill_all(typed);
        let check = self.mara.submit(&page, &form, "Check your answers").await;
        check.assert_status(200);
        check
    }

    /// What was checked is sent.
    async fn ask(&self, check: &Page, amount: &str) {
        let button = format!("Ask for {amount} USD");
        let mut form = check.form(&button);
        if form.fields.iter().any(|field| field.name == "terms_accepted") {
            form.fill("terms_accepted", "yes");
        }
        let sent = self.mara.submit(check, &form, &button).await;
        sent.assert_status(200).assert_says(&format!("asked for {amount} USD"));
    }

    /// Ana approves what is asked.
    async fn approve(&self, no: &str, amount: &str) -> Page {
        let page = self.ana.open(&format!("/cycles/{no}/approval")).await;
        let done = self.ana.press(&page, &format!("Approve {amount} USD"), &[]).await;
        done.assert_status(200);
        done
    }

    /// One activity, asked for and approved by level 1: the cycle's number.
    async fn approved(&self, period: (&str, &str), activity: Planned<'_>, amount: &str) -> String {
        let no = self.plan(period, &[activity]).await;
        let check = self.check(&no, &[]).await;
        self.ask(&check, amount).await;
        self.approve(&no, amount).await;
        assert_eq!(self.app.look(&no).await.cycle.stage, Stage::ExecutionLive);
        no
    }

    /// Mara types what it really cost, with its invoice: the check page, or the form with what is wrong.
    async fn claim(&self, no: &str, actual: &str, is_final: bool) -> Page {
        let page = self.mara.open(&format!("/cycles/{no}/execution/campaigns/1/claim")).await;
        let mut form = page.form("Check what it will pay");
        let (number, today) = (format!("INV-{no}-{actual}"), self.app.clock.today().to_string());
        form.fill_all(&[
            ("actual_1", actual),
            ("vendor_1", "Studio Halden"),
            ("invoice_no_1", &number),
            ("invoice_date_1", &today),
            ("is_final", if is_final { "yes" } else { "" }),
        ]);
        form.attach("file_1", "invoice.pdf", "application/pdf", &story::pdf(&number));
        self.mara.submit(&page, &form, "Check what it will pay").await
    }

    /// The claim that was checked is made.
    async fn send(&self, check: &Page, pays: &str) {
        check.assert_status(200).assert_says(&format!("This claim will pay {pays} USD"));
        self.mara.press(check, &format!("Claim {pays} USD"), &[]).await.assert_status(200);
    }

    /// Tomáš approves a claim for what it asks.
    async fn decide(&self, no: &str, claim: u16, amount: &str) -> Page {
        let tomas = self.app.sign_in(TOMAS).await;
        let page = tomas.open(&format!("/cycles/{no}/claims/{claim}")).await;
        page.assert_says(&format!("The program pays {amount} USD"));
        let done = tomas.press(&page, "Approve this amount", &[]).await;
        done.assert_status(200);
        done
    }

    /// Yuki pays what is outstanding on a claim, or this much of it.
    async fn pay(&self, no: &str, claim: u16, typed: &[(&str, &str)]) -> Page {
        let yuki = self.app.sign_in(YUKI).await;
        let page = yuki.open(&format!("/cycles/{no}/claims/{claim}")).await;
        let typed: Vec<(&str, &str)> = typed.iter().copied().chain([("reference", "WIRE 1")]).collect();
        let done = yuki.press(&page, "Record the payment", &typed).await;
        done.assert_status(200);
        done
    }

    /// A claim as the API tells its partner.
    async fn told(&self, no: &str, claim: usize) -> Value {
        let mara = Program::of(self.app, MARA).await;
        mara.get(&format!("/api/v1/cycles/{no}")).await.json()["claims"][claim - 1].clone()
    }
}

/// An amount as it is typed, in cents.
fn cents(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    format!("{}{part}", whole.replace(',', "")).parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn day(text: &str) -> Date {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A story of another year begins on the morning of this day.
fn begin(app: &App, on: &str) {
    app.clock.set(day(on).and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(9));
}

/// Days pass until this one, and what they make due is done.
async fn pass_to(app: &App, on: &str) {
    app.days_pass((day(on) - app.clock.today()).num_days()).await;
}

/// The next morning, before the timers run.
fn next_day(app: &App) {
    app.clock.advance(TimeDelta::days(1));
}

/// The activity has run: its proof is handed in and accepted on this day.
async fn prove_on(app: &App, no: &str, on: &str) {
    pass_to(app, on).await;
    app.prove(no, MARA).await;
}
