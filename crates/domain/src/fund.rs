//! A fund: a pot of the vendor's money in one currency, and the commands that fill it and give it out.
//!
//! Funds form a tree: a child's money comes out of its parent and goes back there. Money between two funds is two
//! postings of one event, each inside its own fund, so that every fund's own equation stays closed.

mod adjust;
mod budget;
mod credit;
mod earning;
mod expiry;
mod many;
mod period;
mod reinstate;
mod returns;
mod transfer;
mod tree;

pub use earning::Earned;
pub use many::{Attribute, Candidate, Line, MOST_LINES, Sharing, judge_lines, share_out};
pub use period::{Closing, PartnerEarned, PartnerLine, PeriodFacts, closable_from, closing, last_day};
pub use reinstate::{Agreement, Reinstatement};
pub use tree::{DEEPEST, under};

use crate::event::Entry;
use crate::ids::{FundId, PartnerId, ProgramId};
use crate::ledger::{Account, AccountKind, Book, Posting};
use crate::money::{Currency, Money};
use crate::notice::{Audience, Facts, Notice, Topic};
use crate::people::{Actor, Role, Standing};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Forfeited credit that somebody wants back and too few have agreed to, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reinstatements: Vec<Reinstatement>,
}

/// What finance does with a fund.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum FundCommand {
    /// Put money in: the parent's, or new money where there is no parent.
    Budget { amount: Money, reason: String },
    /// Take unallocated money out: back to the parent, where there is one.
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
    /// Put an empty fund below another one, or on top.
    Place { parent: Option<FundId>, reason: String },
    /// Unallocated money goes to another fund of the program.
    Transfer { to: FundId, amount: Money, reason: String },
    /// A partner's credit goes to another fund, another partner or both; it keeps its expiry, the soonest first.
    TransferCredit {
        partner: PartnerId,
        amount: Money,
        #[serde(default)]
        to_fund: Option<FundId>,
        #[serde(default)]
        to_partner: Option<PartnerId>,
        reason: String,
    },
    /// Earned credit was too little: more is added, from outside.
    RaiseCredit { partner: PartnerId, amount: Money, expires: Option<Date>, reason: String },
    /// Earned credit was too much: it is taken away, soonest expiry first.
    LowerCredit { partner: PartnerId, amount: Money, reason: String },
    /// Forfeited credit is wanted back, with a new last day. As many people agree as the guide says.
    ProposeReinstatement { partner: PartnerId, amount: Money, expires: Date, reason: String },
    /// A further person agrees; the last one needed brings the credit back.
    ConfirmReinstatement { proposal: i64 },
    /// The proposal is turned down, or taken back.
    RejectReinstatement { proposal: i64, reason: String },
    /// Credit for many partners at once: all of it or nothing.
    AllocateMany { lines: Vec<Line>, reason: String },
}

impl FundCommand {
    /// The partner whose wallet it is about.
    pub fn partner(&self) -> Option<PartnerId> {
        match self {
            FundCommand::Allocate { partner, .. }
            | FundCommand::MoveBack { partner, .. }
            | FundCommand::RecordReturn { partner, .. }
            | FundCommand::TransferCredit { partner, .. }
            | FundCommand::RaiseCredit { partner, .. }
            | FundCommand::LowerCredit { partner, .. }
            | FundCommand::ProposeReinstatement { partner, .. } => Some(*partner),
            FundCommand::Budget { .. }
            | FundCommand::Lower { .. }
            | FundCommand::Forfeit
            | FundCommand::Warn { .. }
            | FundCommand::Accrue { .. }
            | FundCommand::TakeBack { .. }
            | FundCommand::ClosePeriod { .. }
            | FundCommand::Place { .. }
            | FundCommand::Transfer { .. }
            | FundCommand::ConfirmReinstatement { .. }
            | FundCommand::RejectReinstatement { .. }
            | FundCommand::AllocateMany { .. } => None,
        }
    }

    /// Partners it names besides.
    pub fn other_partners(&self) -> Vec<PartnerId> {
        match self {
            FundCommand::TransferCredit { to_partner, .. } => to_partner.iter().copied().collect(),
            FundCommand::AllocateMany { lines, .. } => lines.iter().map(|line| line.partner).collect(),
            _ => Vec::new(),
        }
    }

    /// The fund it names besides its own.
    pub fn other_fund(&self) -> Option<FundId> {
        match self {
            FundCommand::Transfer { to, .. } => Some(*to),
            FundCommand::TransferCredit { to_fund, .. } => *to_fund,
            FundCommand::Place { parent, .. } => *parent,
            _ => None,
        }
    }

    /// The amount it moves, where it names one.
    pub fn amount(&self) -> Option<Money> {
        match self {
            FundCommand::Budget { amount, .. }
            | FundCommand::Lower { amount, .. }
            | FundCommand::Allocate { amount, .. }
            | FundCommand::MoveBack { amount, .. }
            | FundCommand::RecordReturn { amount, .. }
            | FundCommand::Transfer { amount, .. }
            | FundCommand::TransferCredit { amount, .. }
            | FundCommand::RaiseCredit { amount, .. }
            | FundCommand::LowerCredit { amount, .. }
            | FundCommand::ProposeReinstatement { amount, .. } => Some(*amount),
            _ => None,
        }
    }
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
    pub around: Around,
}

/// What surrounds a fund, as far as a command needs it.
#[derive(Clone, PartialEq, Debug)]
pub struct Around {
    /// The other funds of its program. What its parent, and the fund a command names, have unallocated is in the book.
    pub funds: Vec<Fund>,
    /// Names of the partners a command names besides the first.
    pub partners: BTreeMap<PartnerId, String>,
    /// What the partner forfeited in this fund and did not get back, in minor units.
    pub forfeited: i64,
    /// How many people it takes to reinstate forfeited credit, as the guide in force says.
    pub reinstated_by: u8,
}

impl Default for Around {
    fn default() -> Self {
        Self { funds: Vec::new(), partners: BTreeMap::new(), forfeited: 0, reinstated_by: 2 }
    }
}

impl FundSituation {
    /// Another fund of the program.
    fn other(&self, id: FundId) -> Option<&Fund> {
        self.around.funds.iter().find(|fund| fund.id == id)
    }
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
    let Some(standing) = keeper(actor).or_else(|| by_timer.then_some(&actor.me)) else {
        return Err(Refusal::new("not_your_role", "Funds are kept by finance.", "Ask a colleague in finance."));
    };
    let acting_for = actor.acting_for(standing);
    let by = &match &acting_for {
        Some(absent) => format!("{}, standing in for {absent},", actor.me.name),
        None => actor.me.name.clone(),
    };
    let doer = Agreement::of(actor, standing);
    let mut fund = s.fund.clone();
    fund.version += 1;
    let ((kind, words, postings, notices), closes) = carry_out(s, &mut fund, (by, doer), command, now)?;
    let payload = serde_json::to_value(command).unwrap_or_default();
    let kind = kind.to_owned();
    Ok(FundDecision {
        fund,
        entry: Entry { kind, words, payload, postings, notices, quiet: false, acting_for },
        closes,
    })
}

/// In which standing somebody keeps the funds, if they do.
pub fn keeper(actor: &Actor) -> Option<&Standing> {
    actor.standing_that(|standing| standing.has(Role::Finance) && !standing.is_partner())
}

/// What the command makes of the fund, which already has its next version; and the period it closes.
fn carry_out(
    s: &FundSituation,
    fund: &mut Fund,
    (by, doer): (&str, Agreement),
    command: &FundCommand,
    now: Instant,
) -> Result<(Made, Option<(Date, Date)>), Refusal> {
    let today = now.date_naive();
    let made = match command {
        FundCommand::Budget { amount, reason } => budget::budget(s, by, *amount, reason),
        FundCommand::Lower { amount, reason } => budget::lower(s, by, *amount, reason),
        FundCommand::Allocate { partner, amount, expires, reason } => {
            credit::allocate(s, by, (*partner, *amount, *expires), reason, today)
        }
        FundCommand::MoveBack { partner, amount, reason } => credit::move_back(s, by, *partner, *amount, reason),
        FundCommand::Forfeit => expiry::forfeit(s, today),
        FundCommand::Warn { lot } => expiry::warn(s, *lot),
        FundCommand::RecordReturn { partner, amount, reference } => {
            returns::record_return(s, by, *partner, *amount, reference)
        }
        FundCommand::Place { parent, reason } => tree::place(s, fund, by, *parent, reason),
        FundCommand::Transfer { to, amount, reason } => transfer::transfer(s, by, *to, *amount, reason),
        FundCommand::TransferCredit { partner, amount, to_fund, to_partner, reason } => {
            transfer::credit(s, by, (*partner, *amount), (*to_fund, *to_partner), reason, today)
        }
        FundCommand::RaiseCredit { partner, amount, expires, reason } => {
            adjust::raise(s, by, (*partner, *amount, *expires), reason, today)
        }
        FundCommand::LowerCredit { partner, amount, reason } => adjust::lower(s, by, *partner, *amount, reason),
        FundCommand::ProposeReinstatement { partner, amount, expires, reason } => {
            let (no, reason) = (fund.version, reason.trim().to_owned());
            let (partner, amount, expires) = (*partner, *amount, *expires);
            let wanted = Reinstatement { no, partner, amount, expires, reason, agreed: vec![doer] };
            reinstate::propose(s, fund, by, wanted, today)
        }
        FundCommand::ConfirmReinstatement { proposal } => reinstate::confirm(s, fund, by, *proposal, doer, today),
        FundCommand::RejectReinstatement { proposal, reason } => reinstate::reject(s, fund, by, *proposal, reason),
        FundCommand::AllocateMany { lines, reason } => many::allocate(s, by, lines, reason, today),
        FundCommand::Accrue { file, earned, .. } => earning::accrue(s, by, file, earned),
        FundCommand::TakeBack { file, earned, .. } => earning::take_back(s, by, file, earned),
        FundCommand::ClosePeriod { until } => {
            let (made, period) = period::close(s, by, *until, now)?;
            fund.closed_until = Some(period.1);
            return Ok((made, Some(period)));
        }
    };
    Ok((made?, None))
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
    enough_in(s, &s.fund.name, account, amount, what)
}

/// The same for an account of this fund or of another one of its tree.
fn enough_in(s: &FundSituation, fund: &str, account: &Account, amount: Money, what: &str) -> Result<(), Refusal> {
    let held = s.book.minor(account);
    if held >= amount.minor {
        return Ok(());
    }
    let left = Money::new(held, s.fund.currency);
    Err(Refusal::at(
        "amount",
        "funds_available",
        format!("{left} is {what} in {fund}, less than {amount}."),
        "Enter that much or less, or raise the budget first.",
    ))
}

/// Money that leaves one fund for another: out of the one, into the other, each inside its own fund.
fn across(from: Account, to: Account, amount: Money) -> Vec<Posting> {
    vec![
        Posting { from, to: Account::funding(from.fund), amount },
        Posting { from: Account::funding(to.fund), to, amount },
    ]
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
