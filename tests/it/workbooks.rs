//! A table is read whatever wrote it: lists of people and purchases from Excel workbooks.

use domain::cycle::Stage;
use domain::ids::FileId;
use engine::files::Upload;
use kit::people::{MARA, Persona, TOMAS};
use kit::story::pdf;
use kit::workbook::{Cell, workbook};
use kit::world::EARNING;
use kit::{App, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::Program;

on_both! {
    /// A list of people as a workbook is held to the guide's columns like one as a text.
    async fn a_list_in_a_workbook_is_read(app: &App) {
        let number = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        let mara = Program::of(app, MARA).await;
        let commands = format!("/api/v1/cycles/{number}/commands");
        let paper = kept(app, MARA, &number, "invitation.pdf", pdf("here")).await;
        let words = |cells: &[&'static str]| cells.iter().map(|cell| Cell::Words(cell)).collect::<Vec<_>>();
        let short = workbook(&[words(&["Name", "Phone"]), words(&["Ada Kern", "040 1"])]);
        let short = kept(app, MARA, &number, "people.xlsx", short).await;
        let refused = mara.post(&commands, "short", Some("*"), &proof(short, paper)).await;
        assert_eq!(refused.status, 409, "{}", refused.raw());
        assert!(refused.raw().contains("company"), "the columns that are missing are named: {}", refused.raw());
        let whole = workbook(&[
            words(&["Company", "Contact", "Title", "Email"]),
            words(&["Hafen Logistik", "Ada Kern", "CISO", "ada@hafen.example"]),
        ]);
        let whole = kept(app, MARA, &number, "attendees.xlsx", whole).await;
        mara.post(&commands, "whole", Some("*"), &proof(whole, paper)).await.assert_status(200);
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
        assert_eq!((&first["on"], &first["amount"]["minor"]), (&json!("2026-02-10"), &json!(100_010)), "{earned}");
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
