//! A command that names a file: only one of that very cycle counts, whoever names it and by whichever door.

use domain::cycle::Stage;
use domain::ids::FileId;
use domain::steps::s7_execution::{self, ActivityState, ClaimLineDraft, ProofUpload};
use engine::Error;
use engine::files::Upload;
use kit::people::{JONAS, MARA, Persona};
use kit::story::pdf;
use kit::{App, on_both};
use serde_json::json;
use uuid::Uuid;

use crate::api::Program;

const LIST: &[u8] = b"Company,Contact,Title,Email\nHafen Logistik,Ada Kern,CISO,ada@hafen.example\n";

on_both! {
    async fn proof_names_files_of_its_own_cycle_only(app: &App) {
        let s = Strangers::of(app).await;
        let list = keep(app, MARA, &s.no, "attendees.csv", LIST.to_vec()).await;
        for (whose, file) in &s.files {
            let files = vec![upload("attendee_list", list, "attendees.csv"), upload("invitation", *file, "invitation.pdf")];
            let refused = app.act(MARA, &s.no, s7_execution::Command::SubmitProof { activity: 1, files }).await;
            told_at(refused, "proof_invitation", *file, whose);
        }
        assert_eq!(app.look(&s.no).await.cycle.activities[0].state, ActivityState::Live);

        let mara = Program::of(app, MARA).await;
        let (commands, mut answers) = (format!("/api/v1/cycles/{}/commands", s.no), Vec::new());
        for (whose, file) in &s.files {
            let body = json!({ "step": "execution", "do": "submit_proof", "activity": 1, "files": [
                { "item": "attendee_list", "file": list, "name": "attendees.csv" },
                { "item": "invitation", "file": file, "name": "invitation.pdf" } ] });
            let answer = mara.post(&commands, whose, Some("*"), &body).await;
            answer.assert_status(409);
            assert_eq!(answer.json()["reasons"][0]["field"], "proof_invitation", "{whose}");
            answers.push(answer.raw().replace(&file.to_string(), "ID"));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "a foreign file answers as one that does not exist: {answers:?}");
    }

    async fn a_claim_names_invoices_of_its_own_cycle_only(app: &App) {
        let s = Strangers::of(app).await;
        app.prove(&s.no, MARA).await;
        for (whose, file) in &s.files {
            told_at(claim(app, &s.no, *file).await, "file_1", *file, whose);
        }
        let sheet = keep(app, MARA, &s.no, "invoice.csv", LIST.to_vec()).await;
        let Err(Error::Refused(refusal)) = claim(app, &s.no, sheet).await else { panic!("a table is no invoice") };
        assert_eq!((refusal.code(), refusal.reasons[0].field.as_deref()), ("file_kind", Some("file_1")));
        assert!(app.look(&s.no).await.cycle.claims.is_empty());
        let invoice = keep(app, MARA, &s.no, "invoice.pdf", pdf("INV-1")).await;
        claim(app, &s.no, invoice).await.expect("a file of this cycle counts");
    }

    /// The sender's own word on a file counts for nothing: its name and its columns are those of the file that is kept.
    async fn a_file_is_what_it_was_when_it_came(app: &App) {
        let s = Strangers::of(app).await;
        let list = keep(app, MARA, &s.no, "notes.pdf", pdf("no list")).await;
        let invitation = keep(app, MARA, &s.no, "invitation.pdf", pdf("invitation")).await;
        let mut files = vec![upload("attendee_list", list, "leads.csv"), upload("invitation", invitation, "renamed.png")];
        files[0].columns = Some(["Company", "Contact", "Title", "Email"].map(str::to_owned).to_vec());
        let command = |files: &[ProofUpload]| s7_execution::Command::SubmitProof { activity: 1, files: files.to_vec() };
        let refused = app.act(MARA, &s.no, command(&files)).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "a PDF is no list whatever it is called: {refused:?}");

        files[0] = upload("attendee_list", keep(app, MARA, &s.no, "attendees.csv", LIST.to_vec()).await, "x.csv");
        app.must(MARA, &s.no, command(&files)).await;
        let cycle = app.look(&s.no).await.cycle;
        let names: Vec<&str> = cycle.activities[0].proof.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["attendees.csv", "invitation.pdf"]);
    }

    /// A page sent back with a file that does not count keeps the others and everything that was typed.
    async fn the_browser_keeps_what_was_typed(app: &App) {
        let s = Strangers::of(app).await;
        let mara = app.sign_in(MARA).await;
        let address = format!("/cycles/{}/execution/activities/1", s.no);
        for (whose, file) in &s.files {
            let page = mara.open(&address).await;
            let mut form = page.form("Hand in the proof");
            form.attach("proof_attendee_list", "attendees.csv", "text/csv", LIST);
            form.smuggle("kept_invitation", &file.to_string());
            let back = mara.submit(&page, &form, "Hand in the proof").await;
            back.assert_status(422).assert_says("was not handed in to this cycle.").assert_says("Kept attendees.csv");
            assert!(back.raw().contains("href=\"#proof_invitation\""), "{whose}: the problem stands at its field");
            let mut form = back.form("Hand in the proof");
            assert!(form.pairs(None).iter().all(|(_, value)| *value != file.to_string()), "{whose}: it is let go of");
            if *whose == "random" {
                continue;
            }
            form.smuggle("kept_invitation", &file.to_string());
            mara.submit(&back, &form, "Hand in the proof").await.assert_status(422);
        }

        app.prove(&s.no, MARA).await;
        let address = format!("/cycles/{}/execution/campaigns/1/claim", s.no);
        for (whose, file) in &s.files {
            let page = mara.open(&address).await;
            let mut form = page.form("Check what it will pay");
            form.fill_all(&[("actual_1", "500"), ("vendor_1", "Studio Halden"), ("invoice_no_1", "INV-1")]);
            form.fill_all(&[("invoice_date_1", "2026-04-15"), ("kept_1", &file.to_string())]);
            form.attach("file_2", "second.pdf", "application/pdf", &pdf("second"));
            let back = mara.submit(&page, &form, "Check what it will pay").await;
            back.assert_status(422).assert_says("was not handed in to this cycle.").assert_says("Kept second.pdf");
            let form = back.form("Check what it will pay");
            assert_eq!(form.value("vendor_1"), Some("Studio Halden"), "{whose}");
            assert_ne!(form.value("kept_1"), Some(file.to_string().as_str()), "{whose}");
        }
    }
}

/// A running cycle of Mara's, and files that are none of it.
struct Strangers {
    no: String,
    files: Vec<(&'static str, FileId)>,
}

impl Strangers {
    async fn of(app: &App) -> Self {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let other = app.open_cycle(MARA).await;
        let theirs = app.open_cycle(JONAS).await;
        let files = vec![
            ("random", FileId(Uuid::new_v4())),
            ("another partner's", keep(app, JONAS, &theirs, "invitation.pdf", pdf("theirs")).await),
            ("another cycle's", keep(app, MARA, &other, "invitation.pdf", pdf("before")).await),
        ];
        app.days_pass(45).await;
        Self { no, files }
    }
}

async fn keep(app: &App, who: Persona, number: &str, name: &str, bytes: Vec<u8>) -> FileId {
    let upload = Upload { name: name.to_owned(), bytes };
    app.engine.keep_file(&who.actor(), number, "file", &upload).await.expect("the file is kept")
}

fn upload(item: &str, file: FileId, name: &str) -> ProofUpload {
    ProofUpload { item: item.to_owned(), file, name: name.to_owned(), columns: None }
}

async fn claim(app: &App, number: &str, file: FileId) -> Result<Vec<String>, Error> {
    let s = app.look(number).await;
    let activity = s.cycle.activity(1).expect("the webinar");
    let line = ClaimLineDraft {
        activity: 1,
        line: 1,
        actual: activity.draft.costs[0].amount,
        vendor: "Studio Halden".to_owned(),
        invoice_no: "INV-1".to_owned(),
        invoice_date: activity.draft.ends,
        file: Some(file),
    };
    app.act(MARA, number, s7_execution::Command::SubmitClaim { campaign: 1, lines: vec![line], is_final: false }).await
}

fn told_at(refused: Result<Vec<String>, Error>, field: &str, file: FileId, whose: &str) {
    let Err(Error::Refused(refusal)) = refused else { panic!("{whose} file counts: {refused:?}") };
    let reason = &refusal.reasons[0];
    assert_eq!((reason.code.as_str(), reason.field.as_deref()), ("file", Some(field)), "{whose}");
    assert!(reason.why.contains(&file.to_string()) && !reason.remedy.is_empty(), "{whose}: {reason:?}");
}
