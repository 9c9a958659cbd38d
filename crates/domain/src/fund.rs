//! A fund: a pot of the vendor's money in one currency, and the commands that fill it and give it out.

use crate::event::Entry;
use crate::ids::{FundId, PartnerId, ProgramId};
use crate::ledger::{Account, AccountKind, Book, Posting};
use crate::money::{Currency, Money};
use crate::notice::{Audience, Facts, Notice, Topic};
use crate::people::{Actor, Role};
use crate::refusal::Refusal;
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};

/// How partners come to its money.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundKind {
    /// Allocated per partner by the vendor.
    Discretionary,
    /// Earned on purchases.
    Accrual,
    /// Asked for case by case, from the fund itself.
    Proposal,
    /// First come, first served, from the fund itself.
    Pooled,
}

impl FundKind {
    pub const ALL: [FundKind; 4] = [FundKind::Discretionary, FundKind::Accrual, FundKind::Proposal, FundKind::Pooled];

    pub fn code(self) -> &'static str {
        match self {
            FundKind::Discretionary => "discretionary",
            FundKind::Accrual => "accrual",
            FundKind::Proposal => "proposal",
            FundKind::Pooled => "pooled",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Requests commit from the fund itself rather than from a partner's wallet.
    pub fn is_shared(self) -> bool {
        matches!(self, FundKind::Proposal | FundKind::Pooled)
    }
}

/// A fund. Its balances are in the book, never here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fund {
    pub id: FundId,
    /// What people call it: `F-EMEA-26`.
    pub code: String,
    pub name: String,
    pub program: ProgramId,
    pub parent: Option<FundId>,
    pub kind: FundKind,
    pub currency: Currency,
    /// Counts recorded events.
    pub version: i64,
}

/// What finance does with a fund.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum FundCommand {
    /// Put money in.
    Budget { amount: Money, reason: String },
    /// Take unallocated money out.
    Lower { amount: Money, reason: String },
    /// Give a partner credit that expires on a day, or never.
    Allocate { partner: PartnerId, amount: Money, expires: Option<Date>, reason: String },
    /// Take unused credit back, soonest expiry first.
    MoveBack { partner: PartnerId, amount: Money, reason: String },
    /// The timer: everything whose day has passed is forfeited, oldest expiry first.
    Forfeit,
    /// A clawed back amount has come back from the partner.
    RecordReturn { partner: PartnerId, amount: Money, reference: String },
}

/// What the fund's rules may look at.
#[derive(Clone, PartialEq, Debug)]
pub struct FundSituation {
    pub fund: Fund,
    pub book: Book,
    /// The partner the command names, if it is one the fund may serve.
    pub partner_name: Option<String>,
}

/// What will be recorded for a fund. Only [`decide`] makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct FundDecision {
    fund: Fund,
    entry: Entry,
}

impl FundDecision {
    pub fn fund(&self) -> &Fund {
        &self.fund
    }

    pub fn entry(&self) -> &Entry {
        &self.entry
    }
}
