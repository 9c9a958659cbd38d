//! Paying claims together: who is paid where, claims that are to be paid, batches brought as far as a story needs.

use domain::cycle::Stage;
use domain::money::{Currency, Money};
use domain::payee::PaymentDetails;
use domain::settlement::{Batch, Command, Outcome, Pick};
use domain::steps::s7_execution;
use engine::Submission;
use engine::settlements::{NewBatch, Owner};
use storage::Viewer;

use crate::people::{JONAS, KESTREL, MARA, NORDWIND, Persona, TOMAS};
use crate::world::World;

/// Nordwind's account, Kestrel's, and that of the house; made up, with check digits that fit.
pub const NORDWINDS: &str = "DE89370400440532013000";
pub const KESTRELS: &str = "DE12500105170648489890";
pub const OURS: &str = "DE75512108001245126199";

pub fn iban(payee: &str, iban: &str) -> PaymentDetails {
    PaymentDetails { payee: payee.to_owned(), iban: iban.to_owned(), ..PaymentDetails::default() }
}

impl World {
    /// Both partners say where their money is sent, finance from where.
    pub async fn name_accounts(&self) {
        let all = [
            (MARA, Owner::Partner(NORDWIND.id()), iban(NORDWIND.name, NORDWINDS)),
            (JONAS, Owner::Partner(KESTREL.id()), iban(KESTREL.name, KESTRELS)),
            (TOMAS, Owner::House(Currency::EUR), iban("Aurelia Systems", OURS)),
        ];
        for (who, owner, details) in all {
            let kept = self.engine.set_payment_details(&who.actor(), owner, &details, &Submission::own()).await;
            kept.unwrap_or_else(|error| panic!("{}: {error:?}", who.name));
        }
    }

    /// Claims that Tomáš has approved in full, one a cost: their cycles' numbers. Time passes while they run.
    pub async fn payable(&self, wanted: &[(Persona, i64)]) -> Vec<String> {
        let mut numbers = Vec::new();
        for (who, cost) in wanted {
            numbers.push(self.cycle_in(Stage::ExecutionLive, *who, *cost).await);
        }
        self.days_pass(45).await;
        for ((who, _), no) in wanted.iter().zip(&numbers) {
            self.prove(no, *who).await;
            self.claim(no, *who).await;
            self.approve_claim(no, TOMAS).await;
        }
        numbers
    }

    /// The first claim of a cycle, approved for what it asks.
    pub async fn approve_claim(&self, no: &str, who: Persona) {
        let amount = self.look(no).await.cycle.claims.first().expect("a claim").asked;
        self.must(who, no, s7_execution::Command::ApproveClaim { claim: 1, amount, reason: String::new() }).await;
    }

    /// A batch of the first claims of these cycles, whole or an instalment; its number.
    pub async fn batch(&self, who: Persona, claims: &[(&str, Option<Money>)]) -> String {
        let pick = |(no, amount): &(&str, Option<Money>)| Pick {
            number: (*no).to_owned(),
            claim: 1,
            minor: amount.map(|amount| amount.minor),
        };
        let new = NewBatch { currency: Currency::EUR, claims: claims.iter().map(pick).collect() };
        let built = self.engine.build_batch(&who.actor(), &new, &Submission::own()).await;
        built.unwrap_or_else(|error| panic!("{}: {error:?}", who.name)).number
    }

    pub async fn export(&self, who: Persona, number: &str) {
        let export = Command::Export { pay_on: self.clock.now().date_naive(), changes_checked: false };
        let done = self.engine.batch(&who.actor(), number, &export, &Submission::own()).await;
        done.unwrap_or_else(|error| panic!("{number}: {error:?}"));
    }

    /// The bank has paid a payment of the batch.
    pub async fn pay(&self, who: Persona, number: &str, payment: u16, reference: &str) {
        let on = self.clock.now().date_naive();
        let outcome = Outcome::Paid { payment, on, reference: reference.to_owned() };
        let done = self.engine.record_payments(&who.actor(), number, vec![outcome], &Submission::own()).await;
        done.unwrap_or_else(|error| panic!("{number}: {error:?}"));
    }

    pub async fn settlement(&self, number: &str) -> Batch {
        self.engine.reader().settlement(&Viewer::system(), number).await.expect("the batch")
    }
}
