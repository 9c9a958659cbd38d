//! The rest of what the pages do, by the API: files, claims, programs and guides, funds, imports, stand-ins.

use domain::cycle::Stage;
use engine::catalog::GUIDES;
use kit::people::{ANA, JONAS, LUKAS, MARA, NORDWIND, SAM, TOMAS, YUKI};
use kit::story::pdf;
use kit::world::FUND;
use kit::{App, on_both};
use serde_json::{Value, json};

use crate::api::Program;

const LIST: &[u8] = b"Company,Contact,Title,Email\nHafen Logistik,Ada Kern,CISO,ada@hafen.example\n";

on_both! {
    /// From handing files in to being paid, without a page.
    async fn a_program_proves_claims_and_is_paid(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        let (mara, ana, tomas) = (Program::of(app, MARA).await, Program::of(app, ANA).await, Program::of(app, TOMAS).await);
        let (files, commands) = (format!("/api/v1/cycles/{no}/files"), format!("/api/v1/cycles/{no}/commands"));

        let list = mara.hand_in(&files, "list", "attendees.csv", LIST).await;
        list.assert_status(201);
        assert_eq!(list.header("location"), format!("/api/v1/files/{}", list.json()["number"].as_str().expect("an id")));
        let again = mara.hand_in(&files, "list", "attendees.csv", LIST).await;
        assert_eq!((again.status, again.json()), (201, list.json()), "the first answer is the answer");
        mara.hand_in(&files, "list", "other.csv", LIST).await.assert_status(409);
        let wrong = mara.hand_in(&files, "wrong", "attendees.pdf", LIST).await;
        assert_eq!((wrong.status, &wrong.json()["reasons"][0]["field"]), (422, &json!("file")), "{}", wrong.raw());
        mara.hand_in(&files, "big", "big.txt", &vec![b'a'; 16 << 20]).await.assert_status(422);
        mara.text(&files, "bare", "text/csv", "a,b").await.assert_status(400);
        ana.hand_in(&files, "hers", "attendees.csv", LIST).await.assert_status(409);
        let invitation = mara.hand_in(&files, "invitation", "invitation.pdf", &pdf("invitation")).await.json();
        let there = ana.get(&files).await.json();
        assert_eq!(there["rows"].as_array().expect("rows").len(), 2, "{there}");
        let got = ana.get(list.header("location")).await;
        assert_eq!((got.status, got.body.as_slice()), (200, LIST));
        assert!(got.header("content-security-policy").contains("sandbox"), "as the page serves it");

        let proof = json!({ "step": "execution", "do": "submit_proof", "activity": 1, "files": [
            { "item": "attendee_list", "file": list.json()["number"], "name": "x" },
            { "item": "invitation", "file": invitation["number"], "name": "y" } ] });
        mara.post(&commands, "proof", Some("*"), &proof).await.assert_status(200);
        let accept = json!({ "step": "execution", "do": "accept_proof", "activity": 1 });
        ana.post(&commands, "accept", Some("*"), &accept).await.assert_status(200);
        let invoice = mara.hand_in(&files, "invoice", "invoice.pdf", &pdf("INV-1")).await.json();
        let ends = app.look(&no).await.cycle.activities[0].draft.ends;
        let claim = json!({ "step": "execution", "do": "submit_claim", "campaign": 1, "is_final": true, "lines": [
            { "activity": 1, "line": 1, "actual": { "minor": 600_000, "currency": "EUR" }, "vendor": "Studio Halden",
              "invoice_no": "INV-1", "invoice_date": ends, "file": invoice["number"] } ] });
        mara.post(&commands, "claim", Some("*"), &claim).await.assert_status(200);

        let to_decide = tomas.get("/api/v1/claims?view=decide").await.json();
        let row = &to_decide["rows"][0];
        assert_eq!((&row["number"], &row["no"], &row["partner_name"]), (&json!(no), &json!(1), &json!(NORDWIND.name)));
        assert!(tomas.get("/api/v1/claims?view=pay").await.json()["rows"].as_array().expect("rows").is_empty());
        let pack = tomas.get(&format!("/api/v1/cycles/{no}/claims/1")).await.json();
        assert_eq!(pack["proof"][0]["files"][0]["name"], json!("attendees.csv"), "{pack}");
        assert_eq!(pack["claim"]["lines"][0]["invoice"]["invoice_no"], json!("INV-1"));
    }

    async fn a_program_pays_by_what_the_bank_sent_back(app: &App) {
        app.name_accounts().await;
        let nos = app.payable(&[(MARA, 9_000), (JONAS, 9_000)]).await;
        let (yuki, mara) = (Program::of(app, YUKI).await, Program::of(app, MARA).await);
        let to_pay = yuki.get("/api/v1/claims?view=pay&currency=EUR").await.json();
        let claims: Vec<Value> = to_pay["rows"].as_array().expect("rows").iter()
            .map(|row| json!({ "number": row["number"], "claim": row["no"] })).collect();
        assert_eq!(claims.len(), nos.len());
        let batch = json!({ "currency": "EUR", "claims": claims });
        let built = yuki.post("/api/v1/settlements", "build", None, &batch).await;
        built.assert_status(201);
        let number = built.json()["number"].as_str().expect("a number").to_owned();
        let (commands, returned) =
            (format!("/api/v1/settlements/{number}/commands"), format!("/api/v1/settlements/{number}/returned-file"));
        let today = app.clock.today();
        let pay_on = today + chrono::Days::new(3);
        yuki.text(&returned, "", "text/csv", "payment,amount,status\n").await.assert_status(409);
        yuki.post(&commands, "export", Some("*"), &json!({ "do": "export", "pay_on": pay_on })).await.assert_status(200);

        let seen = app.settlement(&number).await;
        let amount = |no: u16| seen.payment(no).expect("a payment").net().minor;
        let row = |no: u16| format!("{},{}.{:02},EUR,paid,{today},B-{no}\n", seen.end_to_end(no), amount(no) / 100, amount(no) % 100);
        let file = format!("EndToEndId,Amount,Currency,Status,Date,Reference\n{}{}S-9999-1,5.00,EUR,paid,{today},B-9\n", row(1), row(2));
        let read = yuki.text(&returned, "", "text/csv", &file).await;
        read.assert_status(200);
        let read = read.json();
        assert_eq!((read["outcomes"].as_array().map(Vec::len), read["left_out"].as_array().map(Vec::len)), (Some(2), Some(1)), "{read}");
        mara.text(&returned, "", "text/csv", &file).await.assert_status(404);
        let record = json!({ "do": "record", "outcomes": read["outcomes"] });
        let tag = format!("\"{}\"", read["version"]);
        let done = yuki.post(&commands, "record", Some(&tag), &record).await;
        assert_eq!(done.status, 200, "{}", done.raw());
        let remittance = format!("/api/v1/remittances/{number}");
        let mine = [1, 2].map(|no| format!("{remittance}/{no}"));
        let (one, two) = (mara.get(&mine[0]).await, mara.get(&mine[1]).await);
        assert_eq!((one.status.min(two.status), one.status.max(two.status)), (200, 404), "each partner reads its own");
        let own = if one.status == 200 { one } else { two };
        assert_eq!(own.json()["partner"], json!(NORDWIND.name));
    }

    async fn a_program_keeps_guides(app: &App) {
        let (sam, mara) = (Program::of(app, SAM).await, Program::of(app, MARA).await);
        let programs = mara.get("/api/v1/programs").await.json();
        assert_eq!(programs["rows"][0]["id"], json!(app.program), "what a new cycle names");
        let first = mara.get("/api/v1/programs/EMEA/guides").await.json();
        assert_eq!((first["rows"].as_array().map(Vec::len), &first["rows"][0]["in_force"]), (Some(1), &json!(true)));
        let toml = mara.get("/api/v1/programs/EMEA/guides/1").await;
        assert_eq!((toml.header("content-type"), toml.raw().as_str()), ("application/toml; charset=utf-8", GUIDES[0].1));

        let kind = "application/toml";
        let checked = sam.text("/api/v1/guides/check", "", kind, GUIDES[0].1).await;
        assert_eq!((checked.status, &checked.json()["version"]), (200, &first["rows"][0]["name"]));
        let broken = sam.text("/api/v1/guides/check", "", kind, "[guide]\nname = 7\n").await;
        assert_eq!((broken.status, &broken.json()["reasons"][0]["field"]), (422, &json!("guide")), "{}", broken.raw());
        let version = first["rows"][0]["name"].as_str().expect("a name");
        let next = GUIDES[0].1.replace(&format!("version = \"{version}\""), "version = \"2099.1\"");
        let next = next.replace("days = 10\n", "days = 20\n");
        let compared = sam.text("/api/v1/programs/EMEA/comparison", "", kind, &next).await;
        compared.assert_status(200);
        assert_eq!((&compared.json()["version"], &compared.json()["simulation"]["requests"]), (&json!("2099.1"), &json!(0)));
        assert!(!compared.json()["changes"].as_array().expect("changes").is_empty(), "twenty days are told in words");
        mara.text("/api/v1/programs/EMEA/comparison", "", kind, &next).await.assert_status(404);

        let from = app.clock.today() + chrono::Days::new(60);
        let other_day = json!({ "guide": next, "from": from });
        sam.post("/api/v1/programs/EMEA/guides", "v1", None, &other_day).await.assert_status(422);
        let next = next.replace("effective_from = \"2026-01-01\"", &format!("effective_from = \"{from}\""));
        let body = json!({ "guide": next, "from": from });
        let (done, again) = (
            sam.post("/api/v1/programs/EMEA/guides", "v2", None, &body).await,
            sam.post("/api/v1/programs/EMEA/guides", "v2", None, &body).await,
        );
        assert_eq!((done.status, again.status, done.json()), (201, 201, again.json()), "{}", done.raw());
        mara.post("/api/v1/programs/EMEA/guides", "v2", None, &body).await.assert_status(409);
        assert_eq!(mara.get(done.header("location")).await.raw(), next);
        let new = json!({ "code": "APAC", "name": "Growth Fund APAC", "guide": GUIDES[0].1 });
        sam.post("/api/v1/programs", "apac", None, &new).await.assert_status(201);
        assert_eq!(mara.get("/api/v1/programs").await.json()["rows"].as_array().map(Vec::len), Some(2));
    }

    async fn finance_opens_a_fund_and_allocates_from_a_table(app: &App) {
        let (tomas, mara) = (Program::of(app, TOMAS).await, Program::of(app, MARA).await);
        let new = json!({ "code": "EMEA-26", "name": "Second half", "program": app.program, "parent": app.fund,
            "kind": "discretionary", "currency": "EUR" });
        tomas.post("/api/v1/funds", "open", None, &new).await.assert_status(201);
        tomas.post("/api/v1/funds", "open", None, &new).await.assert_status(201);
        mara.post("/api/v1/funds", "open", None, &new).await.assert_status(409);

        let table = format!("Partner,Amount\n{},1500.50\nNobody Ltd,10.00\n", NORDWIND.name);
        let path = format!("/api/v1/funds/{FUND}/allocation-table");
        let read = tomas.text(&format!("{path}?expires=2026-12-31"), "", "text/csv", &table).await;
        read.assert_status(200);
        let read = read.json();
        assert_eq!((&read["rows"][0]["amount"]["minor"], read["left_out"].as_array().map(Vec::len)), (&json!(150_050), Some(1)));
        let many = json!({ "do": "allocate_many", "lines": read["rows"], "reason": "From a table" });
        let tag = format!("\"{}\"", read["version"]);
        tomas.post(&format!("/api/v1/funds/{FUND}/commands"), "many", Some(&tag), &many).await.assert_status(200);
        let wallet = mara.get("/api/v1/wallet").await.json();
        let lots: Vec<&Value> = wallet["rows"].as_array().expect("rows").iter().map(|row| &row["lot"]).collect();
        assert!(lots.contains(&&json!("2026-12-31")), "{wallet}");
        tomas.get("/api/v1/wallet").await.assert_status(400);
        let of = tomas.get(&format!("/api/v1/wallet?partner={}", NORDWIND.id())).await.json();
        assert_eq!(of["rows"], wallet["rows"]);
    }

    /// An import is sent again where its answer was lost: the first answer comes back, whatever was written meanwhile.
    async fn an_import_under_its_key_is_one_and_can_be_taken_back(app: &App) {
        app.start_earning(kit::world::EARNING).await;
        let (tomas, mara) = (Program::of(app, TOMAS).await, Program::of(app, MARA).await);
        let file = crate::earning::sales(&["INV-1,nordwind.example,2026-02-10,suite,,1000.00,EUR"]);
        let path = "/api/v1/imports/sales?program=COOP&name=february.csv";
        let first = tomas.text(path, "feb", "text/csv", &file).await;
        first.assert_status(200);
        assert_eq!(first.json()["added"], json!(1), "{}", first.raw());
        assert_eq!(tomas.text(path, "feb", "text/csv", &file).await.json(), first.json());
        tomas.text(path, "feb", "text/csv", &format!("{file}\n")).await.assert_status(409);
        tomas.text(path, "", "text/csv", &file).await.assert_status(400);
        assert_eq!(tomas.text(path, "feb again", "text/csv", &file).await.json()["unchanged"], json!(1));
        let large = format!("{file}{}", "x".repeat(300_000));
        assert_ne!(tomas.text(&format!("{path}&dry_run=true"), "large", "text/csv", &large).await.status, 413);

        let rows = tomas.get("/api/v1/imports").await.json();
        assert_eq!(rows["rows"].as_array().map(Vec::len), Some(2), "{rows}");
        let batch = first.json()["batch"].as_str().expect("a batch").to_owned();
        let report = tomas.get(&format!("/api/v1/imports/{batch}/report")).await;
        assert!(report.header("content-type").starts_with("text/csv"), "{}", report.header("content-type"));
        let undo = format!("/api/v1/imports/{batch}/undo");
        mara.send(&undo, "undo", |r| r).await.assert_status(404);
        let (done, again) = (tomas.send(&undo, "undo", |r| r).await, tomas.send(&undo, "undo", |r| r).await);
        assert_eq!((done.status, again.status, done.json()), (200, 200, again.json()), "{}", done.raw());
        tomas.send(&undo, "another", |r| r).await.assert_status(409);
    }

    async fn a_colleague_stands_in_by_the_api(app: &App) {
        let (mara, jonas) = (Program::of(app, MARA).await, Program::of(app, JONAS).await);
        let could = mara.get("/api/v1/stand-ins").await.json();
        assert_eq!(could["colleagues"], json!([{ "id": LUKAS.id(), "name": LUKAS.name }]), "nobody of another company");
        let (from, to) = (app.clock.today(), app.clock.today() + chrono::Days::new(7));
        let body = json!({ "stand_in": LUKAS.id(), "from": from, "to": to });
        let (done, again) = (
            mara.post("/api/v1/stand-ins", "away", None, &body).await,
            mara.post("/api/v1/stand-ins", "away", None, &body).await,
        );
        assert_eq!((done.status, done.json()), (201, again.json()));
        assert_eq!(mara.get("/api/v1/stand-ins").await.json()["rows"].as_array().map(Vec::len), Some(1));
        let foreign = json!({ "stand_in": JONAS.id(), "from": from, "to": to });
        mara.post("/api/v1/stand-ins", "foreign", None, &foreign).await.assert_status(422);
        let removal = format!("/api/v1/stand-ins/{}/removal", done.json()["number"].as_str().expect("an id"));
        jonas.send(&removal, "end", |r| r).await.assert_status(404);
        mara.send(&removal, "end", |r| r).await.assert_status(200);
        mara.send(&removal, "end", |r| r).await.assert_status(200);
        assert_eq!(mara.get("/api/v1/stand-ins").await.json()["rows"], json!([]));
    }
}
