//! What deserves a second look: shown to the vendor's reviewers with where to look, to nobody else, and deciding nothing.

use domain::cycle::Stage;
use domain::ids::FileId;
use domain::steps::s7_execution::{self, ClaimLineDraft, ProofUpload};
use engine::files::Upload;
use kit::people::{ANA, JONAS, KESTREL, MARA, NORTH, Persona, TOMAS};
use kit::story::pdf;
use kit::world::eur;
use kit::{App, on_both};
use storage::rows::PartnerRow;

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
            .assert_says(&format!("Invoice R-77 of Studio Halden over 6,000 EUR is in claim 1 of {first} as well."));
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

    /// The second claim of a cycle holds the first one's invoice again, written another way, with the same file.
    async fn an_invoice_claimed_twice_in_one_cycle_is_seen(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        let file = invoice_file(app, &no, MARA).await;
        claim_part(app, &no, MARA, ("R-77", 3_000), (file, false)).await;
        app.settle(&no).await;
        claim_part(app, &no, MARA, ("r 77", 3_000), (file, true)).await;

        let tomas = app.sign_in(TOMAS).await;
        let page = tomas.open(&format!("/cycles/{no}/claims/2")).await;
        page.assert_says("Invoice r 77 of Studio Halden over 3,000 EUR is in claim 1 as well.")
            .assert_says("is an invoice of claim 1 as well.")
            .assert_says(&format!("Open claim 1 of {no}"));
        let (mara, address) = (app.sign_in(MARA).await, format!("/cycles/{no}/claims/2"));
        mara.open(&address).await.assert_status(200).assert_silent_on("Worth a second look");
    }

    /// Half a bill before, half after is no repetition, and neither is an invoice of its activity's days.
    async fn two_halves_of_a_bill_accuse_nobody(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        for (invoice, claim, is_final) in [("R-77/1", 1, false), ("R-77/2", 2, true)] {
            let file = app.engine.keep_file(&MARA.actor(), &no, "file", &paper(invoice)).await.expect("the file is kept");
            claim_part(app, &no, MARA, (invoice, 3_000), (file, is_final)).await;
            let page = app.sign_in(TOMAS).await.open(&format!("/cycles/{no}/claims/{claim}")).await;
            page.assert_status(200).assert_silent_on("Worth a second look");
            if !is_final {
                app.settle(&no).await;
            }
        }
    }

    /// Who covers one region learns that there is more in another, and nothing of it.
    async fn of_another_region_a_reviewer_learns_the_number_alone(app: &App) {
        let first = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let second = app.cycle_in(Stage::ExecutionLive, JONAS, 9_000).await;
        app.days_pass(45).await;
        for (number, who) in [(&first, MARA), (&second, JONAS)] {
            prove_with(app, number, who, LIST).await;
            app.must(ANA, number, s7_execution::Command::AcceptProof { activity: 1 }).await;
            claim_with(app, number, who, "R-77").await;
        }
        let moved = PartnerRow { region: NORTH.to_owned(), manager_id: None, ..KESTREL.row() };
        app.db.write(async |tx| tx.update_partner(&moved).await).await.expect("Kestrel moves");

        let ana = app.sign_in(ANA).await;
        ana.open(&format!("/cycles/{second}")).await.assert_status(404);
        for (address, words) in [
            ("claims/1", "An invoice of this claim is in claims of a cycle of another region as well."),
            ("execution/activities/1", "“invitation.pdf” was handed in for a cycle of another region as well."),
        ] {
            let page = ana.open(&format!("/cycles/{first}/{address}")).await;
            page.assert_says(words).assert_silent_on(&second).assert_silent_on("Kestrel");
        }
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
    let file = invoice_file(app, number, who).await;
    claim_part(app, number, who, (invoice_no, 6_000), (file, true)).await;
}

async fn invoice_file(app: &App, number: &str, who: Persona) -> FileId {
    app.engine.keep_file(&who.actor(), number, "file", &paper(number)).await.expect("the file is kept")
}

fn paper(of: &str) -> Upload {
    Upload { name: "invoice.pdf".to_owned(), bytes: pdf(of) }
}

/// Claims an invoice of a number over so many euros, with its file; whether it is the last claim.
async fn claim_part(app: &App, number: &str, who: Persona, invoice: (&str, i64), (file, is_final): (FileId, bool)) {
    let s = app.look(number).await;
    let line = ClaimLineDraft {
        activity: 1,
        line: 1,
        actual: eur(invoice.1),
        vendor: "Studio Halden".to_owned(),
        invoice_no: invoice.0.to_owned(),
        invoice_date: s.cycle.activity(1).expect("the webinar").draft.ends,
        file: Some(file),
    };
    app.must(who, number, s7_execution::Command::SubmitClaim { campaign: 1, lines: vec![line], is_final }).await;
}
