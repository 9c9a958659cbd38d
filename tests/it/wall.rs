//! The wall by the API, and the key that makes a call one: vectors T40 and T41 of the design.

use std::collections::BTreeMap;

use actix_web::http::Method;
use domain::cycle::Stage;
use engine::Submission;
use engine::files::Upload;
use futures_util::future::join_all;
use kit::people::{JONAS, KESTREL, LUKAS, MARA, NORDWIND, YUKI};
use kit::story::{pdf, request};
use kit::world::FUND;
use kit::{App, on_both};
use serde_json::{Value, json};
use web::gate::Access;
use web::routes::TABLE;

use crate::api::Program;

const NOWHERE: &str = "0198a7c2-0000-7000-8000-00000000dead";

on_both! {
    /// Every call of the API that names something, with a partner's token: what is another partner's answers exactly as
    /// what does not exist, and no list, no filter and no table shows any of it.
    async fn t40_what_is_anothers_answers_as_what_does_not_exist(app: &App) {
        let theirs = Theirs::of(app).await;
        let jonas = Program::of(app, JONAS).await;
        let mut told = Vec::new();
        let (mut compared, mut listed) = (0, 0);
        for route in TABLE.iter().filter(|route| matches!(route.access, Access::Token(_))) {
            let name = format!("{} {}", route.method, route.path);
            let (foreign, missing) = (theirs.path(route.path, true), theirs.path(route.path, false));
            if foreign == missing {
                if route.method == Method::GET {
                    listed += 1;
                    told.extend(theirs.secrets_in(&name, &jonas.get(&foreign).await.raw()));
                }
                continue;
            }
            compared += 1;
            let (one, other) = if route.method == Method::GET {
                (jonas.get(&foreign).await, jonas.get(&missing).await)
            } else {
                (send(&jonas, &foreign).await, send(&jonas, &missing).await)
            };
            let (one, other) = ((one.status, theirs.without(&one.raw())), (other.status, theirs.without(&other.raw())));
            if one != other || one.0 < 400 {
                told.push(format!("{name}: {one:?} beside {other:?}"));
            }
        }
        assert!(told.is_empty(), "a partner can tell what is another's:\n{}", told.join("\n"));
        assert!(compared >= 15 && listed >= 10, "{compared} calls compared, {listed} lists read");
    }

    /// The same where an id stands in the query or in the body.
    async fn t40_nor_by_what_a_query_or_a_body_names(app: &App) {
        let theirs = Theirs::of(app).await;
        let jonas = Program::of(app, JONAS).await;
        let partner = NORDWIND.id().to_string();
        let queries = [
            ("/api/v1/claims?partner=", partner.as_str()),
            ("/api/v1/claims?q=", theirs.number.as_str()),
            ("/api/v1/claims?saved=", theirs.view.as_str()),
            ("/api/v1/wallet?partner=", &partner),
            ("/api/v1/purchases?partner=", &partner),
            ("/api/v1/funds/expiring?partner=", &partner),
            ("/api/v1/performance?partner=", &partner),
            ("/api/v1/approvals?partner=", &partner),
        ];
        for (path, id) in queries {
            let (one, other) = (jonas.get(&format!("{path}{id}")).await, jonas.get(&format!("{path}{NOWHERE}")).await);
            assert_eq!((one.status, theirs.without(&one.raw())), (other.status, theirs.without(&other.raw())), "{path}");
            assert_eq!(theirs.secrets_in(path, &one.raw()), Vec::<String>::new());
        }
        let period = json!({ "from": "2026-07-01", "to": "2026-09-30", "title": "Copied", "program": app.program });
        let with = |name: &str, value: &Value, more: &Value| {
            let mut body = more.clone();
            body[name] = value.clone();
            body
        };
        let own = with("partner", &json!(KESTREL.id()), &period);
        let cycle = app.look(&theirs.number).await.cycle.id;
        let days = json!({ "from": "2026-04-01", "to": "2026-12-31" });
        let account = json!({ "details": { "payee": "Kestrel", "iban": "DE89370400440532013000" } });
        let bodies = [
            ("/api/v1/cycles", "partner", json!(partner), period.clone(), json!(NOWHERE)),
            ("/api/v1/cycles", "copy_of", json!(cycle), own, json!(NOWHERE)),
            ("/api/v1/stand-ins", "stand_in", json!(LUKAS.id()), days, json!(NOWHERE)),
            ("/api/v1/payment-details", "owner", json!({ "partner": partner }), account, json!({ "partner": NOWHERE })),
            ("/api/v1/settlements", "claims", json!([{ "number": theirs.number, "claim": 1 }]), json!({ "currency": "EUR" }),
                json!([{ "number": "C-2026-9999", "claim": 1 }])),
        ];
        for (path, name, foreign, more, missing) in bodies {
            let one = jonas.post(path, &format!("{path} {name} one"), None, &with(name, &foreign, &more)).await;
            let other = jonas.post(path, &format!("{path} {name} other"), None, &with(name, &missing, &more)).await;
            assert_eq!((one.status, theirs.without(&one.raw())), (other.status, theirs.without(&other.raw())), "{path} {name}");
            assert!(one.status >= 400, "{path} {name}: {}", one.raw());
        }
    }

    /// A request sent twice under one key, at once and later, is one request with one answer; by the browser too.
    async fn t41_the_same_key_twice_is_one_request(app: &App) {
        let no = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        let mara = Program::of(app, MARA).await;
        let path = format!("/api/v1/cycles/{no}");
        let tag = mara.get(&path).await.header("etag").to_owned();
        let commands = format!("{path}/commands");
        let draft = request(&app.look(&no).await, app.fund);
        let body = json!({ "step": "request", "do": "submit", "draft": draft });
        let at_once = join_all((0..4).map(|_| mara.post(&commands, "ask", Some(&tag), &body))).await;
        let later = mara.post(&commands, "ask", Some(&tag), &body).await;
        for answer in at_once.iter().chain([&later]) {
            assert_eq!((answer.status, answer.json()), (200, at_once[0].json()), "{}", answer.raw());
        }
        let mut other = body.clone();
        other["draft"]["justification"] = json!("Something else.");
        let conflict = mara.post(&commands, "ask", Some(&tag), &other).await;
        assert_eq!((conflict.status, &conflict.json()["code"]), (409, &json!("conflict")));
        assert_eq!(asked(app, &mara, &no).await, 1);

        let second = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        let browser = app.sign_in(MARA).await;
        let page = browser.open(&format!("/cycles/{second}/request")).await;
        let check = browser.press(&page, "Check your answers", &[("justification", "The audience is ours by name.")]).await;
        let mut form = check.form("Ask for 5,400 EUR");
        if form.fields.iter().any(|field| field.name == "terms_accepted") {
            form.fill("terms_accepted", "yes");
        }
        let at_once = join_all((0..3).map(|_| browser.post(&check, &form, "Ask for 5,400 EUR"))).await;
        let later = browser.post(&check, &form, "Ask for 5,400 EUR").await;
        for answer in at_once.iter().chain([&later]) {
            assert_eq!((answer.status, answer.redirect()), (303, at_once[0].redirect()));
        }
        assert_eq!(asked(app, &mara, &second).await, 1);
    }
}

/// How often a request was handed in, as the timeline tells.
async fn asked(app: &App, program: &Program, no: &str) -> usize {
    assert_eq!(app.look(no).await.cycle.stage, Stage::ApprovalReview);
    let timeline = program.get(&format!("/api/v1/cycles/{no}/timeline?size=200")).await.json();
    timeline["rows"].as_array().expect("rows").iter().filter(|row| row["kind"] == "request.submitted").count()
}

/// Something of Nordwind's in every corner, for Kestrel's token to knock at.
struct Theirs {
    number: String,
    file: String,
    view: String,
    stand_in: String,
    import: String,
    batch: String,
}

impl Theirs {
    async fn of(app: &App) -> Self {
        app.name_accounts().await;
        let number = app.payable(&[(MARA, 9_000)]).await.remove(0);
        let batch = app.batch(YUKI, &[(&number, None)]).await;
        app.export(YUKI, &batch).await;
        app.pay(YUKI, &batch, 1, "B-1").await;
        let upload = Upload { name: "secret.pdf".to_owned(), bytes: pdf("secret") };
        let file = app.engine.keep_file(&MARA.actor(), &number, "file", &upload).await.expect("the file is kept");
        let mara = Program::of(app, MARA).await;
        let id = |page: kit::http::Page| {
            page.json()["number"].as_str().unwrap_or_else(|| panic!("{}", page.raw())).to_owned()
        };
        let view = json!({ "list": "claims", "name": "Nordwind's own", "filters": { "view": "paid" } });
        let view = id(mara.post("/api/v1/views", "view", None, &view).await);
        let (from, to) = (app.clock.today(), app.clock.today() + chrono::Days::new(300));
        let away = json!({ "stand_in": LUKAS.id(), "from": from, "to": to });
        let stand_in = id(mara.post("/api/v1/stand-ins", "away", None, &away).await);
        app.start_earning(kit::world::EARNING).await;
        let sales = crate::earning::sales(&["INV-1,nordwind.example,2026-02-10,suite,,1000.00,EUR"]);
        let import = app.import_sales(&sales).await.batch.expect("a batch").to_string();
        app.engine
            .open_cycle(&JONAS.actor(), &new_cycle(app), &Submission::own())
            .await
            .expect("Kestrel has a cycle too");
        Self { number, file: file.to_string(), view, stand_in, import, batch }
    }

    /// The address with something of theirs in it, or with what does not exist.
    fn path(&self, pattern: &str, theirs: bool) -> String {
        let either = |own: &str, nobody: &'static str| if theirs { own.to_owned() } else { nobody.to_owned() };
        let part = |part: &str| match part {
            "{no}" if pattern.contains("/cycles/") => either(&self.number, "C-2026-9999"),
            "{no}" => either(&self.batch, "S-2026-9999"),
            "{claim}" | "{payment}" | "{version}" => "1".to_owned(),
            "{name}" => "payments.csv".to_owned(),
            "{kind}" => "sales".to_owned(),
            "{code}" if pattern.contains("/programs/") => "EMEA".to_owned(),
            "{code}" => either(FUND, "NOWHERE"),
            "{batch}" => either(&self.import, NOWHERE),
            "{id}" if pattern.contains("/files/") => either(&self.file, NOWHERE),
            "{id}" if pattern.contains("/views/") => either(&self.view, NOWHERE),
            "{id}" if pattern.contains("/stand-ins/") => either(&self.stand_in, NOWHERE),
            "{id}" if pattern.contains("/partners/") => either(&NORDWIND.id().to_string(), NOWHERE),
            other => {
                assert!(!other.contains('{'), "{pattern}: say what stands in for {other} in tests/it/wall.rs");
                other.to_owned()
            }
        };
        pattern.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    fn names(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("cycle", self.number.clone()),
            ("file", self.file.clone()),
            ("view", self.view.clone()),
            ("stand-in", self.stand_in.clone()),
            ("import", self.import.clone()),
            ("batch", self.batch.clone()),
            ("partner", NORDWIND.id().to_string()),
        ])
    }

    /// What of theirs an answer shows.
    fn secrets_in(&self, at: &str, answer: &str) -> Vec<String> {
        let more = [("company", NORDWIND.name.to_owned()), ("person", MARA.name.to_owned())];
        let all = self.names().into_iter().chain(more);
        all.filter(|(_, secret)| answer.contains(secret)).map(|(what, _)| format!("{at} shows their {what}")).collect()
    }

    /// An answer without the names that were asked for.
    fn without(&self, answer: &str) -> String {
        let mut asked: Vec<String> = self.names().into_values().collect();
        asked.extend([NOWHERE, "C-2026-9999", "S-2026-9999", "NOWHERE", FUND].map(str::to_owned));
        asked.iter().fold(answer.to_owned(), |text, name| text.replace(name, "…"))
    }
}

fn new_cycle(app: &App) -> engine::NewCycle {
    engine::NewCycle {
        partner: KESTREL.id(),
        program: app.program,
        title: "Our own".to_owned(),
        from: kit::people::day(2026, 7, 1),
        to: kit::people::day(2026, 9, 30),
        copy_of: None,
        currency: None,
    }
}

/// A call with a body that reads where the address takes one.
async fn send(program: &Program, path: &str) -> kit::http::Page {
    if path.ends_with("/files") {
        return program.hand_in(path, path, "list.csv", b"a,b\n").await;
    }
    let body = match path.split('/').nth(3).unwrap_or_default() {
        "cycles" => json!({ "step": "plan", "do": "agree" }),
        "views" => json!({ "do": "remove" }),
        "settlements" => json!({ "do": "cancel", "reason": "Not wanted" }),
        "funds" => json!({ "do": "budget", "amount": { "minor": 100, "currency": "EUR" }, "reason": "More" }),
        _ => Value::Null,
    };
    if path.ends_with("/commands") || path.contains("/views/") {
        return program.post(path, path, Some("*"), &body).await;
    }
    program.text(path, path, "text/csv", "Partner,Amount\nNordwind Systems GmbH,10.00\n").await
}
