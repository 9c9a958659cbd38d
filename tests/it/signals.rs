//! What deserves a second look: shown to the vendor's reviewers with where to look, to nobody else, and deciding nothing.

use domain::cycle::Stage;
use domain::steps::s7_execution::{self, ClaimLineDraft, ProofUpload};
use engine::files::Upload;
use kit::people::{ANA, JONAS, MARA, Persona, TOMAS};
use kit::story::pdf;
use kit::world::eur;
use kit::{App, on_both};

use crate::api::Program;

const LIST: &str = "Company,Contact,Title,Email\nHafen Logistik,Ada Kern,CISO,ada@hafen.example\n";

on_both! {
    /// The same list of people, the same invitation and the same invoice, handed in by two partners.
    async fn what_was_handed_in_before_is_seen(app: &App) {
        let first = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let second = app.cycle_in(Stage::ExecutionLive, JONAS, 9_000).await;
        app.days_pass(45).await;
        prove_with(app, &first, MARA, LIST).await;
        let longer = format!("{LIST}Werft AG,Ben Boll,CTO,ben@werft.example\n");
        prove_with(app, &second, JONAS, &longer).await;

        let (ana, tomas, jonas) = (app.sign_in(ANA).await, app.sign_in(TOMAS).await, app.sign_in(JONAS).await);
        let address = format!("/cycles/{second}/execution/activities/1");
        let page = ana.open(&address).await;
        page.assert_says("Worth a second look")
            .assert_says("1 of the 2 people on “attendees.csv” are on “attendees.csv”")
            .assert_says(&format!("is the same file as “invitation.pdf” of {first}"));
        jonas.open(&address).await.assert_status(200).assert_silent_on("Worth a second look");

        for (number, who) in [(&first, MARA), (&second, JONAS)] {
            app.must(ANA, number, s7_execution::Command::AcceptProof { activity: 1 }).await;
            claim_with(app, number, who, "R-77").await;
        }
        let claim = format!("/cycles/{second}/claims/1");
        tomas.open(&claim).await
            .assert_says(&format!("Invoice r-77 of studio halden over 6,000 EUR is in claim 1 of {first} as well."));
        jonas.open(&claim).await.assert_status(200).assert_silent_on("Worth a second look");
        app.settle(&second).await;

        let signals = format!("/api/v1/cycles/{second}/signals");
        let found = Program::of(app, TOMAS).await.get(&signals).await.json();
        let about = |code: &str| {
            let rows = found["rows"].as_array().expect("rows").iter();
            rows.filter(|row| row["code"] == code).map(|row| row["about"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((about("same_invoice"), about("shared_list")), (vec!["claim".into()], vec!["activity".into()]));
        Program::of(app, JONAS).await.get(&signals).await.assert_status(404);
    }

    /// Two requests that together would have needed the director.
    async fn a_request_split_in_two_is_seen(app: &App) {
        let first = app.cycle_in(Stage::ApprovalReview, MARA, 15_000).await;
        let second = app.cycle_in(Stage::ApprovalReview, MARA, 15_000).await;
        let ana = app.sign_in(ANA).await;
        let page = ana.open(&format!("/cycles/{second}/approval")).await;
        page.assert_says(&format!("With 9,000 EUR of {first}")).assert_says("it would be 18,000 EUR");
        let mara = app.sign_in(MARA).await;
        mara.open(&format!("/cycles/{second}/approval")).await.assert_silent_on("it would be");
    }
}

async fn prove_with(app: &App, number: &str, who: Persona, list: &str) {
    let mut files = Vec::new();
    let papers = [
        ("attendee_list", "attendees.csv", list.as_bytes().to_vec()),
        ("invitation", "invitation.pdf", pdf("invitation")),
    ];
    for (item, name, bytes) in papers {
        let upload = Upload { name: name.to_owned(), bytes };
        let file = app.engine.keep_file(&who.actor(), number, "files", &upload).await.expect("the file is kept");
        files.push(ProofUpload { item: item.to_owned(), file, name: name.to_owned(), columns: None });
    }
    app.must(who, number, s7_execution::Command::SubmitProof { activity: 1, files }).await;
}

async fn claim_with(app: &App, number: &str, who: Persona, invoice_no: &str) {
    let upload = Upload { name: "invoice.pdf".to_owned(), bytes: pdf(number) };
    let file = app.engine.keep_file(&who.actor(), number, "file", &upload).await.expect("the file is kept");
    let s = app.look(number).await;
    let line = ClaimLineDraft {
        activity: 1,
        line: 1,
        actual: eur(6_000),
        vendor: "Studio Halden".to_owned(),
        invoice_no: invoice_no.to_owned(),
        invoice_date: s.cycle.activity(1).expect("the webinar").draft.ends,
        file: Some(file),
    };
    app.must(who, number, s7_execution::Command::SubmitClaim { campaign: 1, lines: vec![line], is_final: true }).await;
}
