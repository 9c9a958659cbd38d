//! A fund: a pot of the vendor's money in one currency, and the commands that fill it and give it out.

mod budget;
mod credit;
mod earning;
mod expiry;
mod period;
mod returns;

pub use earning::Earned;
pub use period::{Closing, PartnerEarned, PartnerLine, PeriodFacts, closable_from, closing, last_day};

use crate::event::Entry;
use crate::ids::{FundId, PartnerId, ProgramId};
use crate::ledger::{Account, AccountKind, Book, Posting};
use crate::money::{Currency, Money};
use crate::notice::{Audience, Facts, Notice, Topic};
use crate::people::{Actor, Role};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

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
    /// The last day of the last closed period: nothing is accrued up to it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_until: Option<Date>,
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
    /// The timer: partners hear that credit of this day will expire soon.
    Warn { lot: Date },
    /// A clawed back amount has come back from the partner.
    RecordReturn { partner: PartnerId, amount: Money, reference: String },
    /// Purchases were imported: made by the import alone, which asks the guide what they earn.
    #[serde(skip_deserializing)]
    Accrue { batch: Uuid, file: String, earned: Vec<Earned> },
    /// An import of purchases is undone: made by the import alone.
    #[serde(skip_deserializing)]
    TakeBack { batch: Uuid, file: String, earned: Vec<Earned> },
    /// The period that is next in order ends for good.
    ClosePeriod { until: Date },
}

/// What the fund's rules may look at.
#[derive(Clone, PartialEq, Debug)]
pub struct FundSituation {
    pub fund: Fund,
    pub book: Book,
    /// The partner the command names, if it is one the fund may serve.
    pub partner_name: Option<String>,
    /// The guide in force, where credit expires or a period ends.
    pub guide: Option<Arc<Policy>>,
    /// Where a period ends.
    pub period: Option<PeriodFacts>,
}

/// What will be recorded for a fund. Only [`decide`] makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct FundDecision {
    fund: Fund,
    entry: Entry,
    closes: Option<(Date, Date)>,
}

impl FundDecision {
    pub fn fund(&self) -> &Fund {
        &self.fund
    }

    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// First and last day of the period it closes.
    pub fn closes(&self) -> Option<(Date, Date)> {
        self.closes
    }
}

/// Judges what finance does with a fund.
pub fn decide(s: &FundSituation, actor: &Actor, command: &FundCommand, now: Instant) -> Result<FundDecision, Refusal> {
    let by_itself = matches!(command, FundCommand::Forfeit | FundCommand::Warn { .. } | FundCommand::Accrue { .. });
    let by_timer = actor.is_system() && by_itself;
    let keeper = actor.standing_that(|standing| standing.has(Role::Finance) && !standing.is_partner());
    let Some(standing) = keeper.or_else(|| by_timer.then_some(&actor.me)) else {
        return Err(Refusal::new("not_your_role", "Funds are kept by finance.", "Ask a colleague in finance."));
    };
    let acting_for = actor.acting_for(standing);
    let by = &match &acting_for {
        Some(absent) => format!("{}, standing in for {absent},", actor.me.name),
        None => actor.me.name.clone(),
    };
    let today = now.date_naive();
    let mut closes = None;
    let (kind, words, postings, notices) = match command {
        FundCommand::Budget { amount, reason } => budget::budget(s, by, *amount, reason)?,
        FundCommand::Lower { amount, reason } => budget::lower(s, by, *amount, reason)?,
        FundCommand::Allocate { partner, amount, expires, reason } => {
            credit::allocate(s, by, (*partner, *amount, *expires), reason, today)?
        }
        FundCommand::MoveBack { partner, amount, reason } => credit::move_back(s, by, *partner, *amount, reason)?,
        FundCommand::Forfeit => expiry::forfeit(s, today)?,
        FundCommand::Warn { lot } => expiry::warn(s, *lot)?,
        FundCommand::RecordReturn { partner, amount, reference } => {
            returns::record_return(s, by, *partner, *amount, reference)?
        }
        FundCommand::Accrue { file, earned, .. } => earning::accrue(s, by, file, earned)?,
        FundCommand::TakeBack { file, earned, .. } => earning::take_back(s, by, file, earned)?,
        FundCommand::ClosePeriod { until } => {
            let (made, period) = period::close(s, by, *until, now)?;
            closes = Some(period);
            made
        }
    };
    let payload = serde_json::to_value(command).unwrap_or_default();
    let mut fund = s.fund.clone();
    fund.version += 1;
    fund.closed_until = closes.map(|(_, last)| last).or(fund.closed_until);
    let kind = kind.to_owned();
    Ok(FundDecision {
        fund,
        entry: Entry { kind, words, payload, postings, notices, quiet: false, acting_for },
        closes,
    })
}

/// The next day credit in the book expires: the day after its last good one.
pub fn next_expiry(book: &Book) -> Option<Date> {
    let lots = book
        .balances
        .iter()
        .filter(|balance| balance.account.kind == AccountKind::Available && balance.amount.minor > 0);
    lots.filter_map(|balance| balance.account.lot).min().map(|day| crate::calendar::plus(day, 1))
}

type Made = (&'static str, String, Vec<Posting>, Vec<Notice>);

fn positive(s: &FundSituation, amount: Money) -> Result<(), Refusal> {
    if amount.is_kept_in(s.fund.currency, 1) {
        return Ok(());
    }
    Err(Refusal::at(
        "amount",
        "amount",
        format!("{} is kept in {}.", s.fund.name, s.fund.currency),
        "Enter an amount above zero in that currency.",
    ))
}

fn enough(s: &FundSituation, account: &Account, amount: Money, what: &str) -> Result<(), Refusal> {
    let held = s.book.minor(account);
    if held >= amount.minor {
        return Ok(());
    }
    let left = Money::new(held, s.fund.currency);
    Err(Refusal::at(
        "amount",
        "funds_available",
        format!("{left} is {what} in {}, less than {amount}.", s.fund.name),
        "Enter that much or less, or raise the budget first.",
    ))
}

fn named(s: &FundSituation) -> Result<&str, Refusal> {
    s.partner_name
        .as_deref()
        .ok_or_else(|| Refusal::at("partner", "partner", "That partner is not known.", "Choose one from the list."))
}

fn notice(s: &FundSituation, topic: Topic, partner: PartnerId, amount: Money, due: Option<Date>, by: &str) -> Notice {
    let facts = Facts {
        number: s.fund.code.clone(),
        title: s.fund.name.clone(),
        partner: s.partner_name.clone().unwrap_or_default(),
        by: by.to_owned(),
        amount: Some(amount),
        due,
        path: "/wallet".to_owned(),
        ..Facts::default()
    };
    Notice { topic, audience: Audience::Partner(partner), facts }
}
