//! Settlement batches: claims paid together, sent to the bank as files, settled by what comes back; three people, one
//! payment a partner, nothing paid twice.

use domain::fund::FundCommand;
use domain::ledger::AccountKind;
use domain::money::Currency;
use domain::people::Role;
use domain::settlement::{BatchState, Command, Outcome, PaymentState, Pick};
use domain::steps::s7_execution::{self, ClaimState, InBatch};
use engine::settlements::NewBatch;
use engine::{Error, Submission};
use futures_util::future::join_all;
use kit::http::{Page, Visitor};
use kit::payments::{KESTRELS, NORDWINDS, OURS};
use kit::people::{ANA, JONAS, KESTREL, LUKAS, MARA, NORDWIND, Persona, RUTH, SAM, TOMAS, YUKI};
use kit::story::pdf;
use kit::world::{World, eur};
use kit::{App, on_both};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::api::Program;

/// A third person in finance.
const PETRA: Persona = Persona { name: "Petra Vogel", email: "petra@aurelia.example", ..YUKI };

on_both! {
    /// What a batch pays is not shown as to be paid: the tasks lead to the batch.
    async fn what_is_in_a_batch_is_paid_there_and_nowhere_else(app: &App) {
        let claims = app.payable(&[(MARA, 10_000), (MARA, 5_000)]).await;
        app.name_accounts().await;
        let (yuki, mara) = (app.sign_in(YUKI).await, app.sign_in(MARA).await);
        let task = |page: &Page, no: &str| page.words_of("li").into_iter().find(|words| words.contains(no)).expect("a task");
        for no in &claims {
            assert!(task(&yuki.open("/").await, no).starts_with("Pay "), "{no} is to be paid");
        }
        let batch = app.batch(YUKI, &[(&claims[0], None)]).await;
        let home = yuki.open("/").await;
        let told = task(&home, &claims[0]);
        assert!(told.starts_with("In batch ") && told.contains(&batch) && !told.contains("Pay the claim"), "{told}");
        assert!(task(&home, &claims[1]).starts_with("Pay "), "the other one is still to be paid");
        assert_eq!(home.link(&format!("Settlement batch {batch}")), format!("/settlements/{batch}"));
        let list = yuki.open("/cycles?view=mine").await;
        assert_eq!(list.words_of("td").iter().filter(|words| words.contains(&format!("In batch {batch}"))).count(), 1);
        assert_eq!(list.words_of("td").iter().filter(|words| words.contains("Pay the claim")).count(), 1);
        yuki.open(&format!("/cycles/{}", claims[0])).await.assert_says("It is with finance: a settlement batch pays it.");
        yuki.open("/claims?view=pay").await.assert_says(&format!("in batch {batch}"));
        mara.open("/cycles").await.assert_silent_on(&batch);

        let cancel = Command::Cancel { reason: "The month is closed.".to_owned() };
        app.engine.batch(&YUKI.actor(), &batch, &cancel, &Submission::own()).await.expect("it is cancelled");
        assert!(task(&yuki.open("/").await, &claims[0]).starts_with("Pay "), "it is to be paid again");
    }

    /// From the list of claims to the partner's remittance, by HTTP, in the order people do it.
    async fn claims_are_paid_together_and_the_bank_answers(app: &App) {
        let claims = app.payable(&[(MARA, 10_000), (MARA, 5_000), (JONAS, 3_000)]).await;
        let (mara, jonas, yuki, tomas) =
            (app.sign_in(MARA).await, app.sign_in(JONAS).await, app.sign_in(YUKI).await, app.sign_in(TOMAS).await);

        a_partner_names_its_account(app, &mara, &jonas).await;
        let list = yuki.open("/claims?view=pay").await;
        let check = yuki.click(&list, "Select all that match").await;
        check.assert_says("Kestrel Networks AG has not said where its money is to be sent.");
        check.assert_says("9,000.00 EUR").assert_says("Build a batch of 1 payment");
        let own = tomas.open("/settlements/new?all=yes").await;
        own.assert_says("approved this claim, so you cannot pay it").assert_says("None of these claims can be paid by you");
        let form = jonas.open("/payment-details").await;
        jonas.press(&form, "Keep these details", &[("payee", KESTREL.name), ("iban", KESTRELS)]).await.assert_status(200);

        let ticked: Vec<String> = claims.iter().map(|no| format!("pick={no}/1")).collect();
        let check = yuki.open(&format!("/settlements/new?{}&pick=C-2026-0999/1", ticked.join("&"))).await;
        check.assert_says("Build a batch of 2 payments").assert_says("There is no such claim.").assert_says("10,500.00 EUR");
        let form = check.form("Build a batch of 2 payments");
        let (first, second) =
            (yuki.post(&check, &form, "Build a batch of 2 payments").await, yuki.post(&check, &form, "Build a batch of 2 payments").await);
        assert_eq!((first.status, first.redirect()), (303, second.redirect()), "a form sent twice is one batch");
        let address = first.redirect().expect("the batch's address");
        let batch = yuki.open(&address).await;
        batch.assert_says("Batch S-2026-0001").assert_says("DE •••• 3000").assert_silent_on(NORDWINDS);
        yuki.open("/").await.assert_says("Open settlement batches").assert_says("S-2026-0001");
        yuki.open("/claims?view=pay").await.assert_says("in batch S-2026-0001");
        let claim = yuki.open(&format!("/cycles/{}/claims/1", claims[0])).await;
        claim.assert_says("In the payment batch S-2026-0001");
        assert!(!claim.has_button("Record the payment"), "the batch pays it");
        let amount = eur(6_000);
        let by_hand = s7_execution::Command::RecordSettlement { claim: 1, amount, reference: "SEPA".to_owned() };
        assert_eq!(refused(app.act(YUKI, &claims[0], by_hand).await), "in_batch");

        let theirs = tomas.open(&address).await;
        tomas.press(&theirs, "Export the batch", &[]).await.assert_status(409).assert_says("so you cannot pay it");
        let sent = yuki.press(&batch, "Export the batch", &[]).await;
        sent.assert_status(200).assert_says("exported 2 payments");
        assert!(!sent.has_button("Cancel the batch"), "what may be at the bank is not cancelled");
        files_say_what_is_paid(&yuki, &address).await;

        let preview = hand_in(&yuki, &sent, RETURNED).await;
        preview.assert_status(200).assert_says("Record 2 payments");
        for why in [
            "S-2026-0001 has no payment “S-2026-0001-9”.",
            "S-2026-0001 has no payment “S-2025-0001-1”.",
            "An earlier line of this file is about the same payment.",
            "The line names no payment.",
        ] {
            preview.assert_says(why);
        }
        let form = preview.form("Record 2 payments");
        let done = yuki.submit(&preview, &form, "Record 2 payments").await;
        done.assert_status(200).assert_says("S-2026-0001-2 is paid").assert_says("Account closed");
        yuki.post(&preview, &form, "Record 2 payments").await.assert_status(303);
        let batch = app.settlement("S-2026-0001").await;
        assert_eq!(batch.state, BatchState::Settled);
        let states: Vec<PaymentState> = batch.payments.iter().map(|payment| payment.state).collect();
        assert_eq!(states, [PaymentState::Rejected, PaymentState::Paid], "Kestrel's came back, Nordwind's was paid");
        for (no, paid, state) in
            [(&claims[0], 6_000, ClaimState::Paid), (&claims[1], 3_000, ClaimState::Paid), (&claims[2], 0, ClaimState::Payable)]
        {
            let s = app.look(no).await;
            assert_eq!((s.cycle.claims[0].paid(), s.cycle.claims[0].state), (eur(paid), state), "{no}");
            assert!(s.batched.is_empty(), "and the claim is free again");
        }
        the_partner_is_told_once(app, (&mara, &jonas), &claims).await;
    }

    /// T30: 2,000 to come back and a claim of 5,000 pays 3,000, also through a batch.
    async fn t30_what_is_owed_is_held_back_from_the_payment(app: &App) {
        let claims = app.payable(&[(JONAS, 8_000), (JONAS, 10_000)]).await;
        app.name_accounts().await;
        owes(app, &claims[0], 2_000).await;
        let yuki = app.sign_in(YUKI).await;
        let check = yuki.open(&format!("/settlements/new?pick={}/1", claims[1])).await;
        check.assert_says("5,000.00 EUR is settled, 2,000.00 EUR of it held back");
        let batch = yuki.press(&check, "Build a batch of 1 payment", &[]).await;
        batch.assert_says("To transfer 3,000.00 EUR");
        let sent = yuki.press(&batch, "Export the batch", &[]).await;
        let csv = yuki.get("/settlements/S-2026-0001/files/payments.csv").await.raw();
        assert!(csv.contains(",3000.00,EUR,"), "{csv}");
        let bills = yuki.get("/settlements/S-2026-0001/files/bills.csv?account=429").await.raw();
        assert!(bills.contains(",5000.00,429,") && bills.contains(",-2000.00,429,"), "{bills}");
        let file = "end_to_end_id;amount;date;reference;status\nS-2026-0001-1;3.000,00;2026-04-16;BANK 7;paid\n";
        let preview = hand_in(&yuki, &sent, file).await;
        yuki.press(&preview, "Record 1 payment", &[]).await.assert_status(200).assert_says("is paid: 3,000");
        let s = app.look(&claims[1]).await;
        let payment = &s.cycle.claims[0].payments[0];
        assert_eq!((payment.amount, payment.offset), (eur(5_000), eur(2_000)));
        assert_eq!(s.book.total(|account| account.kind == AccountKind::Recoverable), 0);
        let mails = app.mails_to(JONAS).await;
        let mail = mails.iter().find(|mail| mail.subject.contains("remittance, 3,000 EUR")).expect("the remittance");
        assert!(mail.text.contains("Held back against an earlier claw back: 2,000 EUR"), "{}", mail.text);
        app.sign_in(JONAS).await.open("/remittances/S-2026-0001/1").await.assert_says("Transferred 3,000.00 EUR");
    }

    /// The partner sent the 2,000 back while the bank was already paying 3,000: what was held back too much stays owed to it.
    async fn what_came_back_meanwhile_stays_outstanding(app: &App) {
        let claims = app.payable(&[(JONAS, 8_000), (JONAS, 10_000)]).await;
        app.name_accounts().await;
        owes(app, &claims[0], 2_000).await;
        let batch = app.batch(YUKI, &[(&claims[1], None)]).await;
        app.export(YUKI, &batch).await;
        let back = FundCommand::RecordReturn { partner: KESTREL.id(), amount: eur(2_000), reference: "IN 1".to_owned() };
        app.act_on_fund(TOMAS, &back).await.expect("the return is recorded");
        app.pay(YUKI, &batch, 1, "BANK 1").await;
        let claim = app.look(&claims[1]).await.cycle.claims[0].clone();
        assert_eq!((claim.state, claim.paid(), claim.outstanding()), (ClaimState::PartPaid, eur(3_000), eur(2_000)));
        assert_eq!(app.settlement(&batch).await.net(), eur(3_000), "what the bank sent");
    }

    /// T25: a claim paid by two payments, the first marked by hand; what stays out is not paid.
    async fn a_claim_is_paid_by_several_payments(app: &App) {
        let claims = app.payable(&[(MARA, 10_000), (MARA, 5_000)]).await;
        app.name_accounts().await;
        let yuki = app.sign_in(YUKI).await;
        let check = yuki.open("/settlements/new?all=yes&currency=EUR").await;
        let much = yuki.press(&check, "Build a batch of 1 payment", &[("claim.0.amount", "6,000.01")]).await;
        much.assert_status(409).assert_says("6,000 EUR is outstanding on this claim.");
        let amounts = [("claim.0.amount", "2,000"), ("claim.1.amount", "")];
        let batch = yuki.press(&much, "Build a batch of 1 payment", &amounts).await;
        batch.assert_status(200).assert_says("To transfer 2,000.00 EUR");
        let sent = yuki.press(&batch, "Export the batch", &[]).await;
        let payment = yuki.click(&sent, NORDWIND.name).await;
        payment.assert_says(NORDWINDS);
        let unsaid = yuki.press(&payment, "Record it as paid", &[("on", "2030-01-01"), ("reference", "BANK 1")]).await;
        unsaid.assert_status(409).assert_says("dated in the future");
        assert_eq!(unsaid.form("Record it as paid").value("reference"), Some("BANK 1"));
        yuki.press(&payment, "Record it as paid", &[("reference", "BANK 1")]).await.assert_status(200).assert_says("Settled");
        assert_eq!(app.look(&claims[0]).await.cycle.claims[0].state, ClaimState::PartPaid);
        assert_eq!(app.look(&claims[1]).await.cycle.claims[0].paid(), eur(0));
        let rest = app.batch(YUKI, &[(&claims[0], None), (&claims[1], None)]).await;
        assert_eq!(app.settlement(&rest).await.net(), eur(7_000));
        app.export(YUKI, &rest).await;
        app.pay(YUKI, &rest, 1, "BANK 2").await;
        let claim = app.look(&claims[0]).await.cycle.claims[0].clone();
        assert_eq!((claim.state, claim.payments.len()), (ClaimState::Paid, 2));
        let page = app.sign_in(MARA).await.open(&format!("/cycles/{}/claims/1", claims[0])).await;
        assert!(page.raw().contains("/remittances/S-2026-0001/1") && page.raw().contains("/remittances/S-2026-0002/1"));
    }

    /// The machine dies after the bank's answer is recorded and one of two claims is settled. Whoever goes on, four at
    /// once and again, each claim is paid once and the partner is told once.
    async fn a_crash_in_the_middle_pays_nothing_twice(app: &App) {
        let claims = app.payable(&[(MARA, 10_000), (MARA, 5_000)]).await;
        app.name_accounts().await;
        app.db.write(async |tx| tx.insert_user(&PETRA.row()).await).await.expect("Petra moves in");
        let batch = app.batch(YUKI, &[(&claims[0], None), (&claims[1], None)]).await;
        app.export(YUKI, &batch).await;
        let on = app.clock.now().date_naive();
        let paid = Outcome::Paid { payment: 1, on, reference: "BANK 1".to_owned() };
        let record = Command::Record { outcomes: vec![paid] };
        app.engine.batch(&YUKI.actor(), &batch, &record, &Submission::own()).await.expect("it is recorded");
        let one = s7_execution::Command::SettleFromBatch {
            claim: 1,
            amount: eur(6_000),
            offset: eur(0),
            reference: "BANK 1".to_owned(),
            batch: InBatch { number: batch.clone(), payment: 1 },
        };
        app.must(YUKI, &claims[0], one).await;

        let petra = app.sign_in(PETRA).await;
        let page = petra.open(&format!("/settlements/{batch}")).await;
        page.assert_says("Not settled yet");
        let barred = app.engine.settle_batch(&TOMAS.actor(), &batch).await.expect("it answers");
        assert!(barred.words.join(" ").contains("is not settled yet"), "{:?}", barred.words);
        let hands = [PETRA, YUKI, PETRA, YUKI].map(|who| {
            let (engine, batch) = (&app.engine, &batch);
            async move { engine.settle_batch(&who.actor(), batch).await }
        });
        let answers = join_all(hands).await;
        assert!(answers.iter().any(Result::is_ok), "{answers:?}");
        petra.press(&page, "Settle the rest", &[]).await.assert_status(200).assert_says("Settled");
        let path = format!("/api/v1/settlements/{batch}/continuation");
        Program::of(app, YUKI).await.post(&path, "go on", None, &json!({})).await.assert_status(200);
        Program::of(app, MARA).await.post(&path, "go on", None, &json!({})).await.assert_status(404);
        for (no, paid) in [(&claims[0], 6_000), (&claims[1], 3_000)] {
            let claim = app.look(no).await.cycle.claims[0].clone();
            assert_eq!((claim.state, claim.payments.len(), claim.paid()), (ClaimState::Paid, 1, eur(paid)), "{no}");
        }
        let mails = app.mails_to(MARA).await;
        assert_eq!(mails.iter().filter(|mail| mail.subject.contains("remittance")).count(), 1);
    }

    /// Two people of finance look at the same claim and build at the same moment: one wins, the other is told by which
    /// batch.
    async fn two_batches_of_one_claim_have_one_winner(app: &App) {
        let claims = app.payable(&[(MARA, 5_000), (JONAS, 3_000)]).await;
        app.name_accounts().await;
        app.db.write(async |tx| tx.insert_user(&PETRA.row()).await).await.expect("Petra moves in");
        let (yuki, petra) = (app.sign_in(YUKI).await, app.sign_in(PETRA).await);
        let address = format!("/settlements/new?pick={}/1&pick={}/1", claims[0], claims[1]);
        let button = "Build a batch of 2 payments";
        let (one, other) = tokio::join!(yuki.open(&address), petra.open(&address));
        let (first, second) = (one.form(button), other.form(button));
        let (one, other) = tokio::join!(yuki.post(&one, &first, button), petra.post(&other, &second, button));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409], "{} {}", one.text(), other.text());
        let loser = if one.status == 409 { one } else { other };
        loser.assert_says("is in the open batch S-2026-0001 already");
        // The engine's own door, eight at once, beside a payment by hand.
        app.engine
            .batch(&YUKI.actor(), "S-2026-0001", &Command::Cancel { reason: "Again.".to_owned() }, &Submission::own())
            .await
            .expect("it is cancelled");
        let new = NewBatch {
            currency: Currency::EUR,
            claims: vec![Pick { number: claims[0].clone(), claim: 1, minor: None }],
        };
        let hands = (0..8).map(|n| {
            let (who, new) = (if n % 2 == 0 { YUKI } else { PETRA }, &new);
            async move { app.engine.build_batch(&who.actor(), new, &Submission::own()).await }
        });
        let built: Vec<_> = join_all(hands).await;
        assert_eq!(built.iter().filter(|one| one.is_ok()).count(), 1, "{built:?}");
        for lost in built.into_iter().filter_map(Result::err) {
            assert!(matches!(lost, Error::Refused(_) | Error::Storage(_) | Error::Unavailable(_)), "{lost:?}");
        }
    }

    /// Two batches at the same moment, over different claims of a partner who owes: the debt is held back once.
    async fn a_debt_is_held_back_once_by_batches_built_at_once(app: &App) {
        let claims = app.payable(&[(MARA, 4_000), (MARA, 5_000), (MARA, 5_000), (MARA, 5_000)]).await;
        app.name_accounts().await;
        app.db.write(async |tx| tx.insert_user(&PETRA.row()).await).await.expect("Petra moves in");
        owes(app, &claims[0], 2_000).await;
        let hands = claims[1..].iter().zip([YUKI, PETRA, YUKI]).map(|(no, who)| async move {
            let pick = Pick { number: no.clone(), claim: 1, minor: None };
            let new = NewBatch { currency: Currency::EUR, claims: vec![pick] };
            let built = app.engine.build_batch(&who.actor(), &new, &Submission::own()).await.expect("it is built");
            (who, built.number)
        });
        let built = join_all(hands).await;
        let mut held_back = 0;
        for (_, number) in &built {
            held_back += app.settlement(number).await.payments[0].offset().minor;
        }
        assert_eq!(held_back, 200_000, "of three batches together");
        let paid = built.iter().map(|(who, number)| async move {
            app.export(*who, number).await;
            app.pay(*who, number, 1, "B-1").await;
        });
        join_all(paid).await;
        for no in &claims[1..] {
            assert_eq!(app.look(no).await.cycle.claims[0].state, ClaimState::Paid, "{no}");
        }
        let owed = app.look(&claims[1]).await.book.total(|account| account.kind == AccountKind::Recoverable);
        assert_eq!(owed, 0);
        app.assert_sound().await;
    }

    /// The account changes between building and sending: the batch says so, and nothing leaves before somebody has looked.
    async fn a_changed_account_is_looked_at_before_money_is_sent(app: &App) {
        let claims = app.payable(&[(MARA, 5_000)]).await;
        app.name_accounts().await;
        let batch = app.batch(YUKI, &[(&claims[0], None)]).await;
        let mara = app.sign_in(MARA).await;
        let form = mara.open("/payment-details").await;
        let new = [("payee", "Nordwind Factoring"), ("account", "12345678"), ("routing", "20-00-00")];
        mara.press(&form, "Keep these details", &new).await.assert_status(200);
        let yuki = app.sign_in(YUKI).await;
        let page = yuki.open(&format!("/settlements/{batch}")).await;
        page.assert_says("Payment details changed after this batch was built.");
        let unseen = yuki.press(&page, "Export the batch", &[]).await;
        unseen.assert_status(409).assert_says("changed after this batch was built");
        yuki.press(&unseen, "Export the batch", &[("changes_checked", "yes")]).await.assert_status(200);
        let csv = yuki.get(&format!("/settlements/{batch}/files/payments.csv")).await.raw();
        assert!(csv.contains("Nordwind Factoring,,12345678,200000,") && !csv.contains(NORDWINDS), "{csv}");
        let log = app.sign_in(RUTH).await.open("/admin/audit").await;
        log.assert_says("set the payment details of Nordwind Systems GmbH to •••• 5678").assert_silent_on("12345678");
        app.sign_in(RUTH).await.open(&format!("/settlements/{batch}")).await.assert_silent_on("12345678");
        let page = app.sign_in(RUTH).await.get(&format!("/settlements/{batch}/payments/1")).await;
        page.assert_status(200).assert_silent_on("12345678");
    }

    /// Who may not: partners and managers see no batch, nobody but finance downloads accounts, wrong files change nothing.
    async fn wrong_hands_and_wrong_files_change_nothing(app: &App) {
        let claims = app.payable(&[(MARA, 5_000)]).await;
        app.name_accounts().await;
        let batch = app.batch(YUKI, &[(&claims[0], None)]).await;
        let (yuki, address) = (app.sign_in(YUKI).await, format!("/settlements/{batch}"));
        let file = format!("{address}/files/payments.csv");
        yuki.get(&file).await.assert_status(409).assert_says("not exported yet");
        for (who, list, detail) in [(MARA, 404, 404), (ANA, 403, 403), (SAM, 200, 200), (RUTH, 200, 200)] {
            let visitor = app.sign_in(who).await;
            let got = (visitor.get("/settlements").await.status, visitor.get(&address).await.status);
            assert!(got.0 == list || (list != 200 && got.0 >= 403), "{}: {got:?}", who.name);
            assert!(got.1 == detail || (detail != 200 && got.1 >= 403), "{}: {got:?}", who.name);
            assert!(visitor.get(&file).await.status >= 403, "{}", who.name);
        }
        app.sign_in(JONAS).await.get(&format!("/payment-details?partner={}", NORDWIND.id())).await.assert_silent_on("3000");
        yuki.get(&format!("{address}/../S-2026-0099")).await.assert_status(404);
        let page = yuki.open(&address).await;
        yuki.press(&page, "Export the batch", &[("pay_on", "2020-01-01")]).await.assert_status(409).assert_says("a day that is over");
        yuki.press(&page, "Export the batch", &[("pay_on", "2099-01-01")]).await.assert_status(409).assert_says("more than 92 days ahead");
        yuki.press(&page, "Cancel the batch", &[]).await.assert_status(422);
        let sent = yuki.press(&page, "Export the batch", &[]).await;
        yuki.get(&format!("{address}/files/pain001.xml")).await.assert_status(200);
        yuki.get(&format!("{address}/files/other.txt")).await.assert_status(404);

        for (file, why) in [
            ("", "The file is empty"),
            ("name,sum,when\na,1,2026-04-16\n", "has no column “end_to_end_id”"),
        ] {
            hand_in(&yuki, &sent, file).await.assert_status(422).assert_says(why);
        }
        let image = hand_in_bytes(&yuki, &sent, &pdf("statement")).await;
        image.assert_status(422).assert_says("This is a PDF file");
        let line = |line: &str| format!("end_to_end_id,amount,currency,date,reference,status\n{line}\n");
        for (said, why) in [
            ("S-2026-0001-1,2999.00,EUR,2026-04-16,R,paid", "The line says 2,999 EUR, the payment was 3,000 EUR."),
            ("S-2026-0001-1,3000.00,USD,2026-04-16,R,paid", "The line is in USD, the batch in EUR."),
            ("S-2026-0001-1,3000.00,EUR,2030-01-01,R,paid", "The line is dated in the future."),
            ("S-2026-0001-1,3000.00,EUR,,R,paid", "does not say on which day"),
            ("S-2026-0001-1,3000.00,EUR,2026-04-16,,paid", "has no reference of the bank"),
            ("S-2026-0001-1,3000.00,EUR,2026-04-16,R,pending", "neither paid nor rejected"),
            ("S-2026-0001-1,-3000.00,EUR,2026-04-16,R,paid", "Left out"),
            ("S-2026-0001-1,99999999999999999999,EUR,2026-04-16,R,paid", "Left out"),
        ] {
            let preview = hand_in(&yuki, &sent, &line(said)).await;
            preview.assert_status(200).assert_says(why);
            assert!(preview.links().iter().any(|(words, _)| words == "Back to the batch"), "nothing to record: {said}");
        }
        assert_eq!(app.settlement(&batch).await.version, 2, "built and exported, nothing else");
        app.pay(YUKI, &batch, 1, "BANK 1").await;
        let page = yuki.open(&address).await;
        assert!(!page.has_button("Read the file"), "it is over");
    }

    /// The same through the API: versions, the three people, one answer a key.
    async fn programs_pay_in_batches_too(app: &App) {
        let claims = app.payable(&[(MARA, 5_000)]).await;
        app.name_accounts().await;
        let (yuki, tomas) = (token(app, YUKI).await, token(app, TOMAS).await);
        let new = json!({ "currency": "EUR", "claims": [{ "number": claims[0], "claim": 1 }] });
        let call = |token: &str, path: &str, key: &str, body: &serde_json::Value| {
            let (token, path, key, body) = (token.to_owned(), path.to_owned(), key.to_owned(), body.clone());
            let visitor = app.visitor();
            async move {
                let with = |r: reqwest::RequestBuilder| {
                    r.bearer_auth(token).header("Idempotency-Key", key).header("If-Match", "*").json(&body)
                };
                visitor.request(Method::POST, &path, with).await
            }
        };
        let refused = call(&tomas, "/api/v1/settlements", "a", &new).await;
        refused.assert_status(409);
        assert!(refused.raw().contains("own_approval"), "{}", refused.raw());
        let built = call(&yuki, "/api/v1/settlements", "a", &new).await;
        built.assert_status(201);
        let repeated = call(&yuki, "/api/v1/settlements", "a", &new).await;
        assert_eq!(repeated.json(), built.json());
        let commands = "/api/v1/settlements/S-2026-0001/commands";
        let finish = json!({ "do": "finish", "payment": 1, "settled": [] });
        call(&yuki, commands, "b", &finish).await.assert_status(400);
        let direct = json!({ "step": "execution", "do": "settle_from_batch", "claim": 1, "amount": { "minor": 1, "currency": "EUR" },
            "offset": { "minor": 0, "currency": "EUR" }, "reference": "x", "batch": { "number": "S-2026-0001", "payment": 1 } });
        call(&yuki, &format!("/api/v1/cycles/{}/commands", claims[0]), "c", &direct).await.assert_status(400);
        let today = app.clock.now().date_naive().to_string();
        let export = json!({ "do": "export", "pay_on": today });
        call(&tomas, commands, "d", &export).await.assert_status(409);
        call(&yuki, commands, "d", &export).await.assert_status(200);
        let get = |path: &str| {
            let (token, path, visitor) = (yuki.clone(), path.to_owned(), app.visitor());
            async move { visitor.request(Method::GET, &path, |r| r.bearer_auth(token)).await }
        };
        let xml = get("/api/v1/settlements/S-2026-0001/files/pain001.xml").await;
        assert!(xml.raw().contains(OURS), "{}", xml.raw());
        let paid = json!({ "do": "record", "outcomes": [{ "status": "paid", "payment": 1, "on": today, "reference": "BANK 1" }] });
        let done = call(&yuki, commands, "e", &paid).await;
        done.assert_status(200);
        assert!(done.raw().contains("is paid"), "{}", done.raw());
        assert_eq!(get("/api/v1/settlements/S-2026-0001").await.json()["state"], "settled");
        assert_eq!(get("/api/v1/settlements").await.json()["rows"][0]["number"], "S-2026-0001");
        let owner = json!({ "owner": { "partner": NORDWIND.id() }, "details": { "payee": "Thief", "iban": KESTRELS } });
        call(&yuki, "/api/v1/payment-details", "f", &owner).await.assert_status(409);
        assert_eq!(app.look(&claims[0]).await.cycle.claims[0].state, ClaimState::Paid);
    }
}

/// Somebody changes a batch behind the program's back: the audit says so.
#[test]
fn the_audit_covers_batches() {
    kit::tell(kit::Kind::Sqlite, async |world: &World| {
        let claims = world.payable(&[(MARA, 5_000)]).await;
        world.name_accounts().await;
        world.batch(YUKI, &[(&claims[0], None)]).await;
        world.assert_sound().await;
        let raw = world.connect().await;
        for (change, undo) in [
            (
                "UPDATE settlement SET doc = replace(doc, '300000', '900000')",
                "UPDATE settlement SET doc = replace(doc, '900000', '300000')",
            ),
            ("UPDATE settlement SET net = net + 1", "UPDATE settlement SET net = net - 1"),
            ("UPDATE settlement SET version = 2", "UPDATE settlement SET version = 1"),
        ] {
            raw.execute_unprepared(change).await.expect("the change");
            let found = storage::verify::audit(&world.db).await.expect("it can be read");
            assert!(found.iter().any(|finding| finding.subject == "S-2026-0001"), "{change}: {found:?}");
            raw.execute_unprepared(undo).await.expect("the way back");
        }
        world.assert_sound().await;
    });
}

/// Kestrel's payment is rejected, Nordwind's paid; every other line is wrong in its own way.
const RETURNED: &str = "\
End-to-end ID,Amount,Currency,Date,Reference,Status,Reason
S-2026-0001-1,1500.00,EUR,2026-04-16,,rejected,Account closed
S-2026-0001-2,9000.00,EUR,2026-04-16,BANK 4711,paid,
S-2026-0001-2,9000.00,EUR,2026-04-16,BANK 4711,paid,
S-2026-0001-9,12.00,EUR,2026-04-16,BANK 1,paid,
S-2025-0001-1,12.00,EUR,2026-04-16,BANK 1,paid,
,12.00,EUR,2026-04-16,BANK 1,paid,
";

/// By its administrator; a slip is told and kept, colleagues and others see what they may.
async fn a_partner_names_its_account(app: &App, mara: &Visitor, jonas: &Visitor) {
    let form = mara.open("/payment-details").await;
    let slip = [("payee", "Nordwind Systems GmbH"), ("iban", "DE89 3704 0044 0523 0130 00")];
    let again = mara.press(&form, "Keep these details", &slip).await;
    again.assert_status(422).assert_says("check digits do not fit");
    assert_eq!(again.form("Keep these details").value("iban"), Some(slip[1].1), "what was typed is kept");
    let kept = mara.press(&again, "Keep these details", &[("iban", "DE89 3704 0044 0532 0130 00")]).await;
    kept.assert_status(200).assert_says("DE •••• 3000").assert_silent_on(NORDWINDS);
    let lukas = app.sign_in(LUKAS).await.open("/payment-details").await;
    lukas.assert_says("DE •••• 3000").assert_silent_on(NORDWINDS);
    assert!(!lukas.has_button("Keep these details"), "a marketer looks, an administrator changes");
    jonas.open("/payment-details").await.assert_says("Nobody has said yet").assert_silent_on("3000");
}

async fn files_say_what_is_paid(yuki: &Visitor, address: &str) {
    let csv = yuki.get(&format!("{address}/files/payments.csv")).await;
    assert!(csv.header("content-disposition").starts_with("attachment;"), "{}", csv.header("content-disposition"));
    assert_eq!(csv.header("cache-control"), "no-store");
    let csv = csv.raw();
    assert!(csv.contains(&format!("S-2026-0001-2,Nordwind Systems GmbH,{NORDWINDS},,,,9000.00,EUR,")), "{csv}");
    assert!(csv.contains(&format!("S-2026-0001-1,Kestrel Networks AG,{KESTRELS},,,,1500.00,EUR,")), "{csv}");
    assert_eq!(csv.lines().count(), 3, "one payment a partner");
    let unset = yuki.get(&format!("{address}/files/pain001.xml")).await;
    unset.assert_status(409).assert_says("which account EUR is paid from");
    let form = yuki.open("/settlements/account/EUR").await;
    yuki.press(&form, "Keep these details", &[("payee", "Aurelia & Söhne"), ("iban", OURS)]).await.assert_status(200);
    let xml = yuki.get(&format!("{address}/files/pain001.xml")).await.raw();
    for part in [
        "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
        "<MsgId>S-2026-0001</MsgId>",
        "<NbOfTxs>2</NbOfTxs>",
        "<CtrlSum>10500.00</CtrlSum>",
        "<Nm>Aurelia &amp; Söhne</Nm>",
        "<EndToEndId>S-2026-0001-2</EndToEndId>",
        "<InstdAmt Ccy=\"EUR\">9000.00</InstdAmt>",
        &format!("<IBAN>{NORDWINDS}</IBAN>"),
        "<Cd>SEPA</Cd>",
    ] {
        assert!(xml.contains(part), "{part} is missing from {xml}");
    }
    let bills = yuki.get(&format!("{address}/files/bills.csv?account=429&tax=%3DHYPERLINK(1)")).await.raw();
    assert!(bills.starts_with("*ContactName,EmailAddress,"), "{bills}");
    assert!(bills.contains(",429,'=HYPERLINK(1),"), "a formula is made harmless: {bills}");
    assert_eq!(bills.lines().count(), 4, "a line a claim");
}

/// One mail for the whole payment and none a claim; a page to print that is the partner's own.
async fn the_partner_is_told_once(app: &App, (mara, jonas): (&Visitor, &Visitor), claims: &[String]) {
    let mails = app.mails_to(MARA).await;
    let told: Vec<_> = mails.iter().filter(|mail| mail.subject.contains("remittance")).collect();
    assert_eq!(told.len(), 1, "{:?}", mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    assert!(mails.iter().all(|mail| !mail.subject.contains(": paid")), "and nothing a claim");
    for part in ["9,000 EUR", "BANK 4711", &format!("Claim {}/1: 6,000 EUR", claims[0]), "/remittances/S-2026-0001/2"] {
        assert!(told[0].text.contains(part), "{part}: {}", told[0].text);
    }
    let page = mara.open("/remittances/S-2026-0001/2").await;
    page.assert_says("BANK 4711").assert_says("9,000.00 EUR").assert_says("DE •••• 3000");
    let other = jonas.get("/remittances/S-2026-0001/2").await;
    let none = jonas.get("/remittances/S-2026-0777/2").await;
    assert_eq!((other.status, none.status), (404, 404));
    assert_eq!(other.text().replace("0001", ""), none.text().replace("0777", ""), "as if it did not exist");
    jonas.get("/remittances/S-2026-0001/1").await.assert_status(404);
    app.sign_in(ANA).await.get("/remittances/S-2026-0001/2").await.assert_status(200);
}

/// A claim of this partner is paid, and part of it is asked back by two people.
async fn owes(app: &App, no: &str, units: i64) {
    let amount = app.look(no).await.cycle.claims[0].approved;
    let pay = s7_execution::Command::RecordSettlement { claim: 1, amount, reference: "SEPA 1".to_owned() };
    app.must(YUKI, no, pay).await;
    let reason = "One invoice was paid by another vendor.".to_owned();
    app.must(TOMAS, no, s7_execution::Command::ProposeClawback { claim: 1, amount: eur(units), reason }).await;
    app.must(YUKI, no, s7_execution::Command::ConfirmClawback { claim: 1 }).await;
}

async fn hand_in(who: &Visitor, page: &Page, file: &str) -> Page {
    hand_in_bytes(who, page, file.as_bytes()).await
}

async fn hand_in_bytes(who: &Visitor, page: &Page, bytes: &[u8]) -> Page {
    let mut form = page.form("Read the file");
    form.attach("file", "returned.csv", "text/csv", bytes);
    who.submit(page, &form, "Read the file").await
}

async fn token(app: &App, who: Persona) -> String {
    assert!(who.roles.contains(&Role::Finance));
    app.sign_in(who).await.make_token(&["read", "write"]).await
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Refused(refusal)) => refusal.code().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}
