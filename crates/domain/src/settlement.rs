//! A settlement batch: payable claims of one currency, paid together, one payment a partner.
//!
//! A batch is built, exported, and told what became of each payment; or it is cancelled before it leaves the house. It
//! moves no money itself: each claim of a payment that came back as paid is settled by the cycle's own rules
//! ([`crate::steps::s7_execution`]), which hold requester, approver and payer apart. A claim is in one open batch at a time.

mod build;
mod command;

pub use build::{Ground, Pick, Picked, build, judge};
pub use command::{Command, Outcome, Settled, Situation, decide};

use crate::event::Entry;
use crate::ids::{CycleId, FundId, PartnerId, SettlementId, UserId};
use crate::money::{Currency, Money};
use crate::people::{Actor, Role, Standing};
use crate::refusal::Refusal;
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};

/// More claims at once are no longer checked by anybody.
pub const MOST_CLAIMS: usize = 400;

/// A settlement batch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Batch {
    pub id: SettlementId,
    /// What people call it: `S-2026-0007`.
    pub number: String,
    pub currency: Currency,
    /// Counts recorded events.
    pub version: i64,
    pub state: BatchState,
    pub built_by: UserId,
    pub built_at: Instant,
    /// When the files were made, and the day the bank is asked to pay on.
    pub exported_at: Option<Instant>,
    pub pay_on: Option<Date>,
    pub payments: Vec<BatchPayment>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    Built,
    Exported,
    /// Every payment is paid or rejected.
    Settled,
    Cancelled,
}

impl BatchState {
    pub const ALL: [BatchState; 4] =
        [BatchState::Built, BatchState::Exported, BatchState::Settled, BatchState::Cancelled];

    pub fn code(self) -> &'static str {
        match self {
            BatchState::Built => "built",
            BatchState::Exported => "exported",
            BatchState::Settled => "settled",
            BatchState::Cancelled => "cancelled",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Its claims wait for it.
    pub fn is_open(self) -> bool {
        matches!(self, BatchState::Built | BatchState::Exported)
    }
}

/// One transfer to one partner, over as many claims as it covers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchPayment {
    /// Its number in the batch; the bank reads `S-2026-0007-3`.
    pub no: u16,
    pub partner: PartnerId,
    pub partner_name: String,
    /// The version of the partner's payment details it is sent to.
    pub details: i64,
    pub claims: Vec<BatchClaim>,
    pub state: PaymentState,
    /// The bank's reference, once it is paid.
    pub reference: String,
    pub paid_on: Option<Date>,
    /// Why the bank rejected it, or nothing.
    pub reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Not heard of since.
    Open,
    /// Came back as paid; its claims are being settled.
    Settling,
    Paid,
    /// Came back as rejected; its claims are free for another batch.
    Rejected,
}

impl PaymentState {
    pub fn label(self) -> &'static str {
        match self {
            PaymentState::Open => "open",
            PaymentState::Settling => "being settled",
            PaymentState::Paid => "paid",
            PaymentState::Rejected => "rejected",
        }
    }

    fn holds_claims(self) -> bool {
        matches!(self, PaymentState::Open | PaymentState::Settling)
    }
}

/// What a payment settles of one claim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchClaim {
    pub cycle: CycleId,
    /// The cycle's number.
    pub number: String,
    pub claim: u16,
    pub title: String,
    pub fund: FundId,
    pub fund_name: String,
    /// Settled of the claim, in the batch's currency; less than is outstanding is an instalment.
    pub amount: Money,
    /// Held back of it against what was clawed back earlier; `amount - offset` is transferred.
    pub offset: Money,
}

impl BatchClaim {
    /// `C-2026-0042/2`
    pub fn name(&self) -> String {
        format!("{}/{}", self.number, self.claim)
    }
}

impl BatchPayment {
    pub fn gross(&self) -> Money {
        self.sum(|claim| claim.amount.minor)
    }

    pub fn offset(&self) -> Money {
        self.sum(|claim| claim.offset.minor)
    }

    /// What the bank transfers; nothing where all of it is held back.
    pub fn net(&self) -> Money {
        self.sum(|claim| claim.amount.minor - claim.offset.minor)
    }

    /// A payment has at least one claim, so its currency is known.
    fn sum(&self, of: impl Fn(&BatchClaim) -> i64) -> Money {
        let currency = self.claims.first().map_or(Currency::EUR, |claim| claim.amount.currency);
        Money::new(self.claims.iter().map(of).sum(), currency)
    }
}

impl Batch {
    pub fn payment(&self, no: u16) -> Option<&BatchPayment> {
        self.payments.iter().find(|payment| payment.no == no)
    }

    /// The name a payment goes out with and comes back by: the end-to-end id of the bank's files.
    pub fn end_to_end(&self, payment: u16) -> String {
        format!("{}-{payment}", self.number)
    }

    /// What is transferred in all.
    pub fn net(&self) -> Money {
        self.total(BatchPayment::net)
    }

    pub fn gross(&self) -> Money {
        self.total(BatchPayment::gross)
    }

    fn total(&self, of: impl Fn(&BatchPayment) -> Money) -> Money {
        Money::new(self.payments.iter().map(|payment| of(payment).minor).sum(), self.currency)
    }

    pub fn claims(&self) -> impl Iterator<Item = (&BatchPayment, &BatchClaim)> {
        self.payments.iter().flat_map(|payment| payment.claims.iter().map(move |claim| (payment, claim)))
    }

    /// Whether a payment's claims wait for this batch, so that nothing else may pay them.
    pub fn holds(&self, payment: &BatchPayment) -> bool {
        self.state.is_open() && payment.state.holds_claims()
    }
}

/// What will be recorded for a batch. Only this module makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct BatchDecision {
    batch: Batch,
    entry: Entry,
}

impl BatchDecision {
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    pub fn entry(&self) -> &Entry {
        &self.entry
    }
}

/// Who acts, and the words for them: finance, themselves or for an absent colleague.
fn finance(actor: &Actor) -> Result<(&Standing, String), Refusal> {
    let keeper = actor.standing_that(|standing| standing.has(Role::Finance) && !standing.is_partner());
    let Some(standing) = keeper else {
        let why = "Settlement batches are made and paid by finance.";
        return Err(Refusal::new("not_your_role", why, "Ask a colleague in finance."));
    };
    let by = match actor.acting_for(standing) {
        Some(absent) => format!("{}, standing in for {absent},", actor.me.name),
        None => actor.me.name.clone(),
    };
    Ok((standing, by))
}

fn record(
    (actor, standing): (&Actor, &Standing),
    mut batch: Batch,
    (kind, words, payload): (&str, String, serde_json::Value),
    notices: Vec<crate::notice::Notice>,
) -> BatchDecision {
    batch.version += 1;
    let acting_for = actor.acting_for(standing);
    let kind = kind.to_owned();
    let entry = Entry { kind, words, payload, postings: Vec::new(), notices, quiet: false, acting_for };
    BatchDecision { batch, entry }
}
