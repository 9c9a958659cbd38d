//! Claims that are paid together: batches built, exported, cancelled, and what the bank says of their payments.

use super::Hand;
use chrono::TimeDelta;
use domain::money::Currency;
use domain::settlement::{Batch, BatchState, Command, Outcome, PaymentState, Pick};
use engine::Submission;
use engine::settlements::bank::{Booking, FileKind};
use engine::settlements::{NewBatch, Owner, returned};
use kit::payments::{NORDWINDS, OURS, iban};
use kit::people::{ANA, MARA, NORDWIND, Persona, TOMAS, YUKI};
use rand::Rng;
use std::fmt::Write;

impl Hand<'_> {
    pub(super) async fn go_to_the_bank(&mut self) {
        if self.dice.random_ratio(1, 40) {
            return self.change_an_account().await;
        }
        let under_way = self.told.batches.borrow().clone();
        if under_way.is_empty() || self.dice.random_ratio(1, 3) {
            return self.build_a_batch().await;
        }
        let number = self.one_of(&under_way);
        let batch = self.world.settlement(&number).await;
        match batch.state {
            BatchState::Built => self.send_or_cancel(&batch).await,
            BatchState::Exported => self.hear_of_payments(&batch).await,
            BatchState::Settled | BatchState::Cancelled => {
                self.told.batches.borrow_mut().retain(|other| *other != number);
                self.build_a_batch().await;
            }
        }
    }

    fn cashier(&mut self) -> Persona {
        self.one_of(&[TOMAS, TOMAS, TOMAS, TOMAS, YUKI, YUKI, YUKI, YUKI, ANA])
    }

    async fn build_a_batch(&mut self) {
        let mut payable = self.told.payable.borrow().clone();
        let mut claims = Vec::new();
        for _ in 0..self.dice.random_range(1..4) {
            if payable.is_empty() {
                break;
            }
            let (number, claim) = payable.swap_remove(self.dice.random_range(0..payable.len()));
            let minor = self.dice.random_ratio(1, 6).then(|| self.dice.random_range(-5..200_000));
            claims.push(Pick { number, claim, minor });
        }
        if claims.is_empty() && self.dice.random_ratio(49, 50) {
            return self.advance_a_cycle().await;
        }
        let currency = if self.dice.random_ratio(1, 40) { Currency::USD } else { Currency::EUR };
        let new = NewBatch { currency, claims };
        let who = self.cashier();
        let answer = self.world.engine.build_batch(&who.actor(), &new, &Submission::own()).await;
        let built = self.told.hear("batch: build", answer);
        // What is refused may have been paid meanwhile, or wait for somebody else.
        let forget = built.is_some() || self.dice.random_ratio(1, 4);
        if forget {
            let picked =
                |number: &str, claim| new.claims.iter().any(|pick| pick.number == number && pick.claim == claim);
            self.told.payable.borrow_mut().retain(|(number, claim)| !picked(number, *claim));
        }
        if let Some(done) = built {
            self.told.batches.borrow_mut().push(done.number.clone());
            self.told.built.borrow_mut().push(done.number);
        }
    }

    async fn send_or_cancel(&mut self, batch: &Batch) {
        let (what, command) = if self.dice.random_ratio(1, 8) {
            ("batch: cancel", Command::Cancel { reason: self.words() })
        } else {
            let pay_on = self.world.clock.today() + TimeDelta::days(self.dice.random_range(-1..6));
            ("batch: export", Command::Export { pay_on, changes_checked: self.dice.random_ratio(2, 3) })
        };
        let who = self.cashier();
        let answer = self.world.engine.batch(&who.actor(), &batch.number, &command, &Submission::own()).await;
        if self.told.hear(what, answer).is_none() {
            return;
        }
        if matches!(command, Command::Cancel { .. }) {
            let claims = batch.claims().map(|(_, claim)| (claim.number.clone(), claim.claim));
            self.told.payable.borrow_mut().extend(claims);
            return;
        }
        let kind = self.one_of(&FileKind::ALL);
        let made = self.world.engine.batch_file(&YUKI.actor(), &batch.number, kind, &Booking::default()).await;
        assert!(!made.expect("an exported batch has its files").1.is_empty());
    }

    /// What the bank says, in a file or told by hand; where it has said all, whoever comes settles what is left.
    async fn hear_of_payments(&mut self, batch: &Batch) {
        let who = self.cashier();
        let open: Vec<u16> =
            batch.payments.iter().filter(|one| one.state == PaymentState::Open).map(|one| one.no).collect();
        if open.is_empty() {
            let answer = self.world.engine.settle_batch(&who.actor(), &batch.number).await;
            self.told.hear("batch: settle", answer);
            return self.settled(batch);
        }
        let outcomes =
            if self.dice.random_ratio(1, 2) { self.returned_file(batch, &open) } else { self.by_hand(&open) };
        let answer = self.world.engine.record_payments(&who.actor(), &batch.number, outcomes, &Submission::own()).await;
        self.told.hear("batch: record", answer);
        self.settled(batch);
    }

    /// Its cycles have moved.
    fn settled(&self, batch: &Batch) {
        let mut seen = self.told.seen.borrow_mut();
        batch.claims().for_each(|(_, claim)| drop(seen.remove(&claim.number)));
    }

    fn by_hand(&mut self, open: &[u16]) -> Vec<Outcome> {
        let today = self.world.clock.today();
        let some = open.iter().filter(|_| self.dice.random_ratio(4, 5)).copied().collect::<Vec<_>>();
        let outcome = |payment: u16| {
            if self.dice.random_ratio(1, 6) {
                return Outcome::Rejected { payment, reason: self.words() };
            }
            let on = today + TimeDelta::days(self.dice.random_range(-3..1));
            Outcome::Paid { payment, on, reference: self.words() }
        };
        some.into_iter().map(outcome).collect()
    }

    fn returned_file(&mut self, batch: &Batch, open: &[u16]) -> Vec<Outcome> {
        let today = self.world.clock.today();
        let mut file = "end_to_end_id,amount,currency,status,date,reference\n".to_owned();
        for payment in open.iter().filter_map(|no| batch.payment(*no)) {
            let (name, net) = (batch.end_to_end(payment.no), payment.net().plain());
            let status = if self.dice.random_ratio(1, 8) { "RJCT" } else { "ACSC" };
            writeln!(file, "{name},{net},{},{status},{today},{}", batch.currency, self.dice.random::<u32>())
                .expect("a text takes it");
        }
        let lines = returned::read(batch, file.as_bytes(), today).expect("the file can be read");
        lines.into_iter().map(|line| line.said.expect("every line is of this batch")).collect()
    }

    /// A batch that is built already asks whether somebody has looked at it.
    async fn change_an_account(&mut self) {
        let account = self.one_of(&[NORDWINDS, OURS, "DE00000000000000000000"]);
        let who = self.one_of(&[MARA, MARA, YUKI]);
        let (owner, details) = (Owner::Partner(NORDWIND.id()), iban(NORDWIND.name, account));
        let answer = self.world.engine.set_payment_details(&who.actor(), owner, &details, &Submission::own()).await;
        match answer {
            Err(engine::Error::Invalid(reasons)) => {
                assert!(!reasons.is_empty(), "an account is no account for nothing");
                self.told.was_refused("account: change");
            }
            other => drop(self.told.hear("account: change", other)),
        }
    }
}
