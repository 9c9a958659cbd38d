//! Step 7 through its pages: proof file by file, claims with their invoices, decisions, payments, and what ends early.

use domain::cycle::Stage;
use domain::ledger::AccountKind;
use domain::steps::s7_execution::{self, ActivityState, ClaimState};
use futures_util::future::join_all;
use kit::html::Form;
use kit::http::{Page, Visitor};
use kit::people::{ANA, JONAS, MARA, TOMAS, YUKI};
use kit::story::{approval_in_full, pdf};
use kit::{App, on_both};

const LIST: &[u8] = b"Company,Contact,Title,Email\nHafen Logistik,Ada Kern,CISO,ada@hafen.example\n";

on_both! {
    async fn proof_is_kept_reviewed_returned_and_accepted(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let address = format!("/cycles/{no}/execution/activities/1");
        mara.open(&address).await.assert_says("The checklist opens on the first day");
        app.days_pass(45).await;

        let page = mara.open(&address).await;
        let mut form = page.form("Hand in the proof");
        form.attach("proof_attendee_list", "attendees.csv", "text/csv", LIST);
        let half = mara.submit(&page, &form, "Hand in the proof").await;
        half.assert_status(409).assert_says("is not met").assert_says("Kept attendees.csv");
        let mut form = half.form("Hand in the proof");
        form.attach("proof_invitation", "invitation.pdf", "application/pdf", &pdf("invitation"));
        mara.submit(&half, &form, "Hand in the proof").await.assert_status(200).assert_says("handed in proof");

        let review = ana.open(&address).await;
        let file = app.look(&no).await.cycle.activities[0].proof[0].file;
        let (bad, why) = (format!("return_{file}"), format!("reason_{file}"));
        let unsaid = ana.press(&review, "Return the proof", &[(&bad, "yes"), ("reason", "One file is missing rows.")]).await;
        unsaid.assert_status(409).assert_says("A returned file has no reason.");
        let said = [(bad.as_str(), "yes"), (why.as_str(), "Titles are missing."), ("reason", "Please complete the list.")];
        ana.press(&unsaid, "Return the proof", &said).await.assert_status(200);
        let again = mara.open(&address).await;
        again.assert_says("Titles are missing.");
        let mut form = again.form("Hand in the proof");
        form.attach("proof_attendee_list", "attendees-2.csv", "text/csv", LIST);
        mara.submit(&again, &form, "Hand in the proof").await.assert_status(200);
        let review = ana.open(&address).await;
        ana.press(&review, "Accept the proof", &[]).await.assert_says("accepted the proof");
        assert_eq!(app.look(&no).await.cycle.activities[0].state, ActivityState::Proven);
    }

    /// A double click sends the same form twice at once, files and all; whoever presses again later hears the same.
    async fn proof_and_claim_sent_twice_are_answered_alike(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let address = format!("/cycles/{no}/execution/activities/1");
        let page = mara.open(&address).await;
        let mut proof = page.form("Hand in the proof");
        proof.attach("proof_attendee_list", "attendees.csv", "text/csv", LIST);
        proof.attach("proof_invitation", "invitation.pdf", "application/pdf", &pdf("invitation"));
        answered_alike(&mara, &page, &proof, "Hand in the proof").await;
        let review = ana.open(&address).await;
        ana.press(&review, "Accept the proof", &[]).await.assert_status(200);
        mara.post(&page, &proof, "Hand in the proof").await.assert_status(303);
        assert_eq!(app.look(&no).await.cycle.activities[0].state, ActivityState::Proven, "and nothing happens again");
        proof.attach("proof_invitation", "agenda.pdf", "application/pdf", &pdf("agenda"));
        mara.post(&page, &proof, "Hand in the proof").await.assert_status(409);

        let form = mara.open(&format!("/cycles/{no}/execution/campaigns/1/claim")).await;
        form.assert_says("Deadlines").assert_says("Ask for more time: “Zero trust in practice”").assert_says("days left");
        form.assert_says("Claim: “Zero trust in practice”").assert_says("34 days left");
        let filled = claim_form(&form, "6,000");
        let (one, two) = tokio::join!(
            mara.post(&form, &filled, "Check what it will pay"),
            mara.post(&form, &filled, "Check what it will pay")
        );
        assert_eq!((one.status, two.status), (200, 200));
        let (first, second) = (one.form("Claim 5,220 EUR"), two.form("Claim 5,220 EUR"));
        assert_eq!(first.value("kept_1"), second.value("kept_1"), "the same invoice is kept once");
        answered_alike(&mara, &one, &first, "Claim 5,220 EUR").await;
        assert_eq!(app.look(&no).await.cycle.claims.len(), 1);
        app.settle(&no).await;
        mara.post(&one, &first, "Claim 5,220 EUR").await.assert_status(303);
        assert_eq!(app.look(&no).await.cycle.claims.len(), 1);
    }

    /// A cost line with two invoices is claimed in one go; what was typed and handed in before is still there.
    async fn a_line_is_claimed_with_several_invoices(app: &App) {
        let no = proven(app, 9_000).await;
        let mara = app.sign_in(MARA).await;
        let form = mara.open(&format!("/cycles/{no}/execution/campaigns/1/claim")).await;
        let more = mara.submit(&form, &claim_form(&form, "4,000"), "Add another invoice").await;
        more.assert_status(200).assert_says(", invoice 2").assert_says("INV-1.pdf").assert_says("INV-2.pdf");
        assert_eq!(more.form("Check what it will pay").value("actual_1"), Some("4,000"));
        let mut third = more.form("Check what it will pay");
        for (field, value) in [("actual_3", "2,000"), ("vendor_3", "Studio Halden"), ("invoice_date_3", "2026-04-16")] {
            third.fill(field, value);
        }
        third.attach("file_3", "INV-3.pdf", "application/pdf", &pdf("3"));
        let missing = mara.submit(&more, &third, "Check what it will pay").await;
        missing.assert_status(422).assert_says(", invoice 2").assert_says("INV-3.pdf");
        let check = mara.press(&missing, "Check what it will pay", &[("invoice_no_3", "INV-3")]).await;
        check.assert_status(200).assert_says("This claim will pay 5,220 EUR").assert_says("INV-3.pdf");
        let back = mara.press(&check, "Go back and change", &[]).await;
        back.assert_says(", invoice 2").assert_says("INV-3.pdf");
        let check = mara.press(&back, "Check what it will pay", &[]).await;
        mara.press(&check, "Claim 5,220 EUR", &[]).await.assert_status(200);
        let s = app.look(&no).await;
        let lines: Vec<(u16, i64, &str)> = s.cycle.claims[0]
            .lines
            .iter()
            .map(|line| (line.invoice.line, line.invoice.actual.minor, line.invoice.invoice_no.as_str()))
            .collect();
        assert_eq!(lines, [(1, 400_000, "INV-1"), (1, 200_000, "INV-3"), (2, 270_000, "INV-2")]);
        assert_eq!(s.cycle.claims[0].asked.minor, 522_000);
    }

    async fn files_are_downloads_for_those_who_may_see_them(app: &App) {
        let no = proven(app, 9_000).await;
        let file = app.look(&no).await.cycle.activities[0].proof[0].file;
        let got = app.sign_in(ANA).await.get(&format!("/files/{file}")).await;
        got.assert_status(200);
        assert!(got.header("content-disposition").starts_with("attachment;"), "{}", got.header("content-disposition"));
        assert!(got.header("content-security-policy").contains("sandbox"), "{}", got.header("content-security-policy"));
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        app.sign_in(JONAS).await.get(&format!("/files/{file}")).await.assert_status(404);
        let page = app.sign_in(MARA).await.open(&format!("/cycles/{no}/execution/activities/1")).await;
        page.assert_says("attendee_list.csv");
    }

    async fn a_claim_pays_its_share_and_three_people_touch_it(app: &App) {
        let no = proven(app, 9_000).await;
        let (mara, tomas, yuki) = (app.sign_in(MARA).await, app.sign_in(TOMAS).await, app.sign_in(YUKI).await);
        let form = mara.open(&format!("/cycles/{no}/execution")).await;
        form.assert_says("Claim up to 5,400 EUR");
        let check = claim(&mara, &no, "6,000").await;
        check.assert_status(200).assert_says("This claim will pay 5,220 EUR").assert_says("5,400 EUR → becomes 180 EUR");
        let form = check.form("Claim 5,220 EUR");
        let sent = mara.post(&check, &form, "Claim 5,220 EUR").await;
        let repeated = mara.post(&check, &form, "Claim 5,220 EUR").await;
        assert_eq!((sent.status, repeated.status), (303, 303));
        assert_eq!(app.look(&no).await.cycle.claims.len(), 1, "a claim sent twice is one claim");

        let address = format!("/cycles/{no}/claims/1");
        tomas.open("/claims").await.assert_says(&format!("{no}/1"));
        let page = tomas.open(&address).await;
        let short = tomas.press(&page, "Approve this amount", &[("amount", "5,000")]).await;
        short.assert_status(409).assert_says("This pays 220 EUR less than claimed. Say why, for the partner.");
        let why = [("amount", "5,000"), ("reason", "Catering is not eligible.")];
        tomas.press(&short, "Approve this amount", &why).await.assert_status(200).assert_says("Not yours to decide");

        let page = yuki.open(&address).await;
        page.assert_says("Outstanding 5,000 EUR");
        let part = yuki.press(&page, "Record the payment", &[("amount", "2,000"), ("reference", "SEPA 1")]).await;
        part.assert_status(200).assert_says("Part paid").assert_says("Outstanding 3,000 EUR");
        yuki.press(&part, "Record the payment", &[("reference", "SEPA 2")]).await.assert_says("Paid");
        let s = app.look(&no).await;
        assert_eq!(s.cycle.claims[0].state, ClaimState::Paid);
        assert_eq!(s.book.total(|account| account.kind == AccountKind::Paid), 500_000);
        mara.open("/claims").await.assert_says("5,000 EUR");
        mara.open(&format!("{address}/pack")).await.assert_says("INV-1").assert_says("SEPA 2");
    }

    async fn what_was_clawed_back_is_held_back_by_two_people(app: &App) {
        let no = proven(app, 9_000).await;
        app.claim(&no, MARA).await;
        app.settle(&no).await;
        let (tomas, yuki) = (app.sign_in(TOMAS).await, app.sign_in(YUKI).await);
        let address = format!("/cycles/{no}/claims/1");
        let page = tomas.open(&address).await;
        let asked = [("amount", "1,000"), ("reason", "The supplier refunded it.")];
        let proposed = tomas.press(&page, "Propose the claw back", &asked).await;
        proposed.assert_status(200).assert_says("second person");
        let page = yuki.open(&address).await;
        page.assert_says("0 EUR → becomes 1,000 EUR");
        yuki.press(&page, "Claw back 1,000 EUR", &[]).await.assert_status(200).assert_says("Clawed back");
        assert_eq!(app.look(&no).await.book.total(|account| account.kind == AccountKind::Recoverable), 100_000);
    }

    /// What was proposed in error goes: who proposed it takes it back, a second person rejects it, and it can be proposed
    /// again. The pack tells an auditor of all of it.
    async fn a_claw_back_can_be_taken_back_and_rejected(app: &App) {
        let no = proven(app, 9_000).await;
        app.claim(&no, MARA).await;
        app.settle(&no).await;
        let (tomas, yuki) = (app.sign_in(TOMAS).await, app.sign_in(YUKI).await);
        let address = format!("/cycles/{no}/claims/1");
        let propose = async || {
            let page = tomas.open(&address).await;
            let asked = [("amount", "100"), ("reason", "The supplier refunded it.")];
            tomas.press(&page, "Propose the claw back", &asked).await.assert_status(200);
        };
        propose().await;
        let page = tomas.open(&address).await;
        page.assert_silent_on("Claw back 100 EUR");
        tomas.press(&page, "Take the proposal back", &[]).await.assert_status(422).assert_says("Why you take it back");
        tomas.press(&page, "Take the proposal back", &[("reason", "A nought was missing.")]).await.assert_status(200);
        propose().await;
        tomas.open("/claims?view=clawback").await.assert_says(&format!("{no}/1"));
        let page = yuki.open(&address).await;
        yuki.press(&page, "Reject the claw back", &[("reason", "They paid it back already.")]).await.assert_status(200);
        tomas.open("/claims?view=clawback").await.assert_silent_on(&format!("{no}/1"));
        assert_eq!(app.look(&no).await.book.total(|account| account.kind == AccountKind::Recoverable), 0);
        tomas.open(&format!("{address}/pack")).await
            .assert_says("took back the claw back of claim 1")
            .assert_says("rejected the claw back of claim 1")
            .assert_says("What the guide says");
        propose().await;
    }

    /// Requester, approver and payer are three people, however the money was asked for: who changed what was approved is a
    /// requester for good.
    async fn who_amended_neither_decides_nor_pays(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let s = app.look(&no).await;
        let mut draft = s.cycle.activity(1).expect("the webinar").draft.clone();
        "Hamburg, Speicherstadt".clone_into(&mut draft.place);
        let lines = s.cycle.request.lines.iter().filter(|line| line.activity == 1).cloned().collect();
        let reason = "Customers asked to meet in person.".to_owned();
        let mut tomas = TOMAS.actor();
        tomas.me.roles.push(domain::people::Role::ChannelManager);
        let amend = s7_execution::Command::Amend { activity: 1, draft, lines, reason };
        let once = engine::Submission::own();
        app.engine.advance(&tomas, storage::WhichCycle::Number(&no), &amend.into(), &once).await.expect("it is amended");
        app.must(ANA, &no, approval_in_full(&app.look(&no).await)).await;
        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        app.claim(&no, MARA).await;
        let visitor = app.sign_in(TOMAS).await;
        let page = visitor.open(&format!("/cycles/{no}/claims/1")).await;
        page.assert_says("asked for this money, so you cannot approve its claim").assert_silent_on("Approve this amount");
    }

    async fn a_claim_says_what_is_wrong_where_it_was_typed(app: &App) {
        let no = proven(app, 9_000).await;
        let mara = app.sign_in(MARA).await;
        let address = format!("/cycles/{no}/execution/campaigns/1/claim");
        let page = mara.open(&address).await;
        let mut form = page.form("Check what it will pay");
        form.fill_all(&[("actual_2", "500"), ("vendor_2", "Studio Halden"), ("invoice_no_2", "INV-2"), ("invoice_date_2", "2030-01-01")]);
        form.attach("file_2", "invoice.pdf", "application/pdf", &pdf("INV-2"));
        let back = mara.submit(&page, &form, "Check what it will pay").await;
        back.assert_status(409).assert_says("is dated in the future").assert_says("Kept invoice.pdf");
        assert!(back.raw().contains("href=\"#invoice_date_2\""), "the mistake links to the row it was typed in");
        assert_eq!(back.form("Check what it will pay").value("vendor_2"), Some("Studio Halden"));
    }

    async fn t18_a_material_change_opens_approval_again_and_shows_what_changed(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let page = mara.open(&format!("/cycles/{no}/execution/activities/1")).await;
        let form = mara.click(&page, "Change this activity").await;
        let change = [("place", "Hamburg, Speicherstadt"), ("reason", "Customers asked to meet in person.")];
        mara.press(&form, "Change the activity", &change).await.assert_status(200);
        assert_eq!(app.look(&no).await.cycle.stage, Stage::ApprovalReview);
        let page = ana.open(&format!("/cycles/{no}/approval")).await;
        page.assert_says("What the amendment changes").assert_says("Hamburg, Speicherstadt");
        ana.press(&page, "Approve 5,400 EUR", &[]).await.assert_status(200);
        let s = app.look(&no).await;
        assert_eq!((s.cycle.stage, s.cycle.activities[0].draft.place.as_str()), (Stage::ExecutionLive, "Hamburg, Speicherstadt"));
        assert_eq!(s.book.total(|account| account.kind == AccountKind::Committed), 540_000, "committed once");
    }

    async fn cancelling_gives_the_money_back(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let mara = app.sign_in(MARA).await;
        let page = mara.open(&format!("/cycles/{no}/execution/activities/1")).await;
        mara.press(&page, "Cancel the activity", &[]).await.assert_status(422);
        let page = mara.open(&format!("/cycles/{no}/execution/activities/1")).await;
        let why = [("reason", "The speaker fell ill.")];
        mara.press(&page, "Cancel the activity", &why).await.assert_status(200);
        let s = app.look(&no).await;
        assert_eq!(s.cycle.stage, Stage::Cancelled);
        assert_eq!(s.book.total(|account| account.kind == AccountKind::Available), 5_000_000);
    }

    async fn funds_move_after_a_look_at_before_and_after(app: &App) {
        let tomas = app.sign_in(TOMAS).await;
        tomas.open("/funds").await.assert_says("Growth fund").assert_says("500,000 EUR");
        let fund = tomas.open("/funds/EMEA-GROWTH").await;
        fund.assert_says("is accounted for");
        let form = tomas.click(&fund, "Allocate to a partner").await;
        let partner = kit::people::NORDWIND.id().to_string();
        let typed = [("partner", partner.as_str()), ("amount", "12,000"), ("reason", "Second half")];
        let refused = tomas.press(&form, "Check what it changes", &[("amount", "999,999"), typed[0], typed[2]]).await;
        refused.assert_status(409).assert_says("400,000 EUR is unallocated");
        let check = tomas.press(&refused, "Check what it changes", &typed).await;
        check.assert_says("400,000 EUR → becomes 388,000 EUR").assert_says("50,000 EUR → becomes 62,000 EUR");
        let form = check.form("Allocate to a partner: 12,000 EUR");
        let first = tomas.post(&check, &form, "Allocate to a partner: 12,000 EUR").await;
        let second = tomas.post(&check, &form, "Allocate to a partner: 12,000 EUR").await;
        assert_eq!((first.status, second.status), (303, 303));
        tomas.open("/funds/EMEA-GROWTH").await.assert_says("388,000 EUR").assert_says("62,000 EUR");
        tomas.open("/funds/EMEA-GROWTH?on=2026-03-01").await.assert_says("Nothing had moved by then.");
        let mara = app.sign_in(MARA).await;
        mara.open("/funds").await.assert_status(404);
        mara.open("/wallet").await.assert_says("62,000 EUR");
        mara.open("/guide/EMEA").await.assert_says("Never eligible").assert_says("75 %");
    }
}

/// A cycle whose webinar has run and is proven.
async fn proven(app: &App, cost: i64) -> String {
    let no = app.cycle_in(Stage::ExecutionLive, MARA, cost).await;
    app.days_pass(45).await;
    app.prove(&no, MARA).await;
    no
}

/// Fills the claim form for both lines; the check page comes back.
async fn claim(mara: &Visitor, no: &str, first: &str) -> Page {
    let page = mara.open(&format!("/cycles/{no}/execution/campaigns/1/claim")).await;
    mara.submit(&page, &claim_form(&page, first), "Check what it will pay").await
}

fn claim_form(page: &Page, first: &str) -> Form {
    let mut form = page.form("Check what it will pay");
    for (row, actual) in [("1", first), ("2", "2,700")] {
        let fields = [
            (format!("actual_{row}"), actual.to_owned()),
            (format!("vendor_{row}"), "Studio Halden".to_owned()),
            (format!("invoice_no_{row}"), format!("INV-{row}")),
            (format!("invoice_date_{row}"), "2026-04-15".to_owned()),
        ];
        for (name, value) in fields {
            form.fill(&name, &value);
        }
        form.attach(&format!("file_{row}"), &format!("INV-{row}.pdf"), "application/pdf", &pdf(row));
    }
    form
}

/// Sent four times at once, it is done once, and every sender is shown the same.
async fn answered_alike(who: &Visitor, page: &Page, form: &Form, button: &str) {
    let answers = join_all((0..4).map(|_| who.post(page, form, button))).await;
    for answer in &answers {
        assert_eq!((answer.status, answer.redirect()), (303, answers[0].redirect()), "{}", answer.text());
    }
}
