//! A table is read whatever wrote it: lists of people and purchases from Excel workbooks.

use domain::cycle::Stage;
use domain::ids::FileId;
use engine::files::Upload;
use kit::people::{ANA, JONAS, MARA, Persona, TOMAS};
use kit::story::pdf;
use kit::workbook::{Cell, workbook};
use kit::world::EARNING;
use kit::{App, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::Program;

on_both! {
    /// Whoever was on a list before is known again, whether the list was a text or a workbook.
    async fn a_list_in_a_workbook_is_read(app: &App) {
        let first = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let second = app.cycle_in(Stage::ExecutionLive, JONAS, 9_000).await;
        app.days_pass(45).await;
        app.prove(&first, MARA).await;
        let words = |cells: &[&'static str]| cells.iter().map(|cell| Cell::Words(cell)).collect::<Vec<_>>();
        let list = workbook(&[
            words(&["Company", "Contact", "Title", "Email"]),
            words(&["Hafen Logistik", "Ada Kern", "CISO", "ada@hafen.example"]),
        ]);
        let list = kept(app, JONAS, &second, "attendees.xlsx", list).await;
        let paper = kept(app, JONAS, &second, "invitation.pdf", pdf("theirs")).await;
        let jonas = Program::of(app, JONAS).await;
        let commands = format!("/api/v1/cycles/{second}/commands");
        jonas.post(&commands, "proof", Some("*"), &proof(list, paper)).await.assert_status(200);
        let ana = app.sign_in(ANA).await;
        ana.open(&format!("/cycles/{second}/execution/activities/1")).await
            .assert_says("1 of the 1 people on “attendees.xlsx” are on “attendee_list.csv”");
    }

    /// Purchases from a workbook: amounts to the cent, days as Excel keeps them, lines as the sheet numbers them.
    async fn a_sales_file_may_be_a_workbook(app: &App) {
        app.start_earning(EARNING).await;
        let person = app.sign_in(TOMAS).await;
        let token = person.make_token(&["read", "write"]).await;
        let heads = ["Invoice number", "Partner", "Invoice date", "Product", "Amount", "Currency"].map(Cell::Words);
        let row = |number, partner, amount| {
            // 2026-02-10.
            vec![Cell::Words(number), Cell::Words(partner), Cell::Day(46_063), Cell::Words("suite"), amount, Cell::Words("EUR")]
        };
        let book = workbook(&[
            heads.into(),
            row("INV-1", "nordwind.example", Cell::Number("1000.1000000000001")),
            row("INV-2", "nobody", Cell::Number("1")),
        ]);
        let send = |r: reqwest::RequestBuilder| r.bearer_auth(&token).header("Idempotency-Key", "book").body(book.clone());
        let path = "/api/v1/imports/sales?program=COOP&name=february.xlsx";
        let done = person.request(Method::POST, path, send).await.json();
        assert_eq!((&done["added"], &done["refused"]), (&json!(1), &json!(1)), "{done}");
        assert_eq!(done["errors"][0]["line"], json!(3));
        let purchases = format!("/api/v1/purchases?partner={}", kit::people::NORDWIND.id());
        let earned = person.request(Method::GET, &purchases, |r| r.bearer_auth(&token)).await.json();
        let first = &earned["rows"][0];
        assert_eq!((&first["on_day"], &first["bought"]["minor"]), (&json!("2026-02-10"), &json!(100_010)), "{earned}");
    }
}

async fn kept(app: &App, who: Persona, number: &str, name: &str, bytes: Vec<u8>) -> FileId {
    let upload = Upload { name: name.to_owned(), bytes };
    app.engine.keep_file(&who.actor(), number, "files", &upload).await.expect("the file is kept")
}

fn proof(list: FileId, invitation: FileId) -> Value {
    json!({ "step": "execution", "do": "submit_proof", "activity": 1, "files": [
        { "item": "attendee_list", "file": list, "name": "a.csv" },
        { "item": "invitation", "file": invitation, "name": "a.pdf" },
    ] })
}
