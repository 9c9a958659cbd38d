//! The double-entry book: accounts and postings. It is the only source of every balance.
//!
//! A posting moves one positive amount from one account to another, once. Nothing is ever updated or
//! deleted; a mistake is undone by a new posting. An account's key names all that tells it apart, and
//! its id is derived from the key, so that two processes that open the same account open one account.

use crate::Date;
use crate::ids::{CycleId, FundId, PartnerId};
use crate::money::Money;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where money is. Only [`AccountKind::Funding`] and [`AccountKind::FxVariance`] may go below zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// The outside world, per fund.
    Funding,
    /// Budgeted and not yet given to a partner, per fund.
    Unallocated,
    /// A partner's wallet in a fund; one account per expiry date of the credit in it.
    Available,
    /// Promised to a campaign; one account per expiry date of the credit it came from.
    Committed,
    /// Approved for payment, per claim.
    Claimed,
    /// Paid out, per claim.
    Paid,
    /// Expired unused, per fund.
    Forfeited,
    /// Accruals turned to rebate, per fund.
    Converted,
    /// Clawed back and not yet returned or offset, per partner and fund.
    Recoverable,
    /// What exchange rates cost since the approvals, per fund: below zero where they gained.
    FxVariance,
}

impl AccountKind {
    pub const ALL: [AccountKind; 10] = [
        AccountKind::Funding,
        AccountKind::Unallocated,
        AccountKind::Available,
        AccountKind::Committed,
        AccountKind::Claimed,
        AccountKind::Paid,
        AccountKind::Forfeited,
        AccountKind::Converted,
        AccountKind::Recoverable,
        AccountKind::FxVariance,
    ];

    pub fn code(self) -> &'static str {
        match self {
            AccountKind::Funding => "funding",
            AccountKind::Unallocated => "unallocated",
            AccountKind::Available => "available",
            AccountKind::Committed => "committed",
            AccountKind::Claimed => "claimed",
            AccountKind::Paid => "paid",
            AccountKind::Forfeited => "forfeited",
            AccountKind::Converted => "converted",
            AccountKind::Recoverable => "recoverable",
            AccountKind::FxVariance => "fx_variance",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The outside world owes, and exchange gains as well as costs; every other account holds what is there.
    pub fn may_be_negative(self) -> bool {
        matches!(self, AccountKind::Funding | AccountKind::FxVariance)
    }
}

/// All that tells an account apart from every other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Account {
    pub kind: AccountKind,
    pub fund: FundId,
    pub partner: Option<PartnerId>,
    pub cycle: Option<CycleId>,
    /// The campaign's number in its cycle (committed), or the claim's (claimed, paid).
    pub item: Option<u16>,
    /// The day the credit in it expires; `None` never does.
    pub lot: Option<Date>,
}

/// Namespace of account ids; fixed for ever.
const ACCOUNTS: Uuid = Uuid::from_u128(0x6f1d_9a52_77c1_4f0e_9b0a_2f6c_51d7_3e10);

impl Account {
    pub fn funding(fund: FundId) -> Self {
        Self::of_fund(AccountKind::Funding, fund)
    }

    pub fn unallocated(fund: FundId) -> Self {
        Self::of_fund(AccountKind::Unallocated, fund)
    }

    pub fn forfeited(fund: FundId) -> Self {
        Self::of_fund(AccountKind::Forfeited, fund)
    }

    pub fn converted(fund: FundId) -> Self {
        Self::of_fund(AccountKind::Converted, fund)
    }

    pub fn fx_variance(fund: FundId) -> Self {
        Self::of_fund(AccountKind::FxVariance, fund)
    }

    pub fn available(fund: FundId, partner: PartnerId, lot: Option<Date>) -> Self {
        Self { partner: Some(partner), lot, ..Self::of_fund(AccountKind::Available, fund) }
    }

    pub fn committed(fund: FundId, partner: PartnerId, cycle: CycleId, campaign: u16, lot: Option<Date>) -> Self {
        Self { lot, ..Self::of_item(AccountKind::Committed, fund, partner, cycle, campaign) }
    }

    pub fn claimed(fund: FundId, partner: PartnerId, cycle: CycleId, claim: u16) -> Self {
        Self::of_item(AccountKind::Claimed, fund, partner, cycle, claim)
    }

    pub fn paid(fund: FundId, partner: PartnerId, cycle: CycleId, claim: u16) -> Self {
        Self::of_item(AccountKind::Paid, fund, partner, cycle, claim)
    }

    pub fn recoverable(fund: FundId, partner: PartnerId) -> Self {
        Self { partner: Some(partner), ..Self::of_fund(AccountKind::Recoverable, fund) }
    }

    fn of_fund(kind: AccountKind, fund: FundId) -> Self {
        Self { kind, fund, partner: None, cycle: None, item: None, lot: None }
    }

    fn of_item(kind: AccountKind, fund: FundId, partner: PartnerId, cycle: CycleId, item: u16) -> Self {
        Self { partner: Some(partner), cycle: Some(cycle), item: Some(item), ..Self::of_fund(kind, fund) }
    }

    /// The key people and exports read: `available/<fund>/<partner>/2026-06-30`.
    pub fn key(&self) -> String {
        let mut key = format!("{}/{}", self.kind.code(), self.fund);
        for part in [
            self.partner.map(|partner| partner.to_string()),
            self.cycle.map(|cycle| cycle.to_string()),
            self.item.map(|item| item.to_string()),
            self.lot.map(|lot| lot.to_string()),
        ]
        .into_iter()
        .flatten()
        {
            key.push('/');
            key.push_str(&part);
        }
        key
    }

    /// The account's id: the same key always gives the same id.
    pub fn id(&self) -> Uuid {
        Uuid::new_v5(&ACCOUNTS, self.key().as_bytes())
    }
}

/// One movement of a positive amount; its cause is the event it is recorded with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Posting {
    pub from: Account,
    pub to: Account,
    /// Above zero, in the fund's currency.
    pub amount: Money,
}

/// An account and what is in it, in the fund's currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Balance {
    pub account: Account,
    pub amount: Money,
}

/// What `decide` may know of the book: the balances within reach of one cycle or one fund.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Book {
    pub balances: Vec<Balance>,
}

impl Book {
    /// What is in one account, in minor units; an account nobody opened holds nothing.
    pub fn minor(&self, account: &Account) -> i64 {
        self.balances.iter().find(|balance| balance.account == *account).map_or(0, |balance| balance.amount.minor)
    }

    /// The accounts that pass `test`, soonest expiry first, credit without expiry last.
    pub fn lots(&self, test: impl Fn(&Account) -> bool) -> Vec<&Balance> {
        let mut lots: Vec<&Balance> =
            self.balances.iter().filter(|balance| balance.amount.minor > 0 && test(&balance.account)).collect();
        lots.sort_by_key(|balance| (balance.account.lot.is_none(), balance.account.lot, balance.account));
        lots
    }

    /// The sum of the accounts that pass `test`, in minor units.
    pub fn total(&self, test: impl Fn(&Account) -> bool) -> i64 {
        self.balances.iter().filter(|balance| test(&balance.account)).map(|balance| balance.amount.minor).sum()
    }

    /// Takes `minor` from the accounts that pass `test`, soonest expiry first.
    /// `None` where there is not enough.
    pub fn draw(&self, minor: i64, test: impl Fn(&Account) -> bool) -> Option<Vec<(Account, i64)>> {
        let mut rest = minor;
        let mut draws = Vec::new();
        for lot in self.lots(test) {
            if rest == 0 {
                break;
            }
            let taken = rest.min(lot.amount.minor);
            draws.push((lot.account, taken));
            rest -= taken;
        }
        (rest == 0).then_some(draws)
    }

    /// The book after one posting: what later draws of the same decision see.
    pub fn post(&mut self, posting: &Posting) {
        self.add(posting.from, -posting.amount.minor, posting.amount);
        self.add(posting.to, posting.amount.minor, posting.amount);
    }

    fn add(&mut self, account: Account, minor: i64, like: Money) {
        if let Some(balance) = self.balances.iter_mut().find(|balance| balance.account == account) {
            balance.amount.minor += minor;
        } else {
            self.balances.push(Balance { account, amount: Money { minor, currency: like.currency } });
        }
    }
}
