//! Credit earned on purchases, and taken back with the import that brought it.

use super::{FundKind, FundSituation, Made};
use crate::Date;
use crate::calendar::words;
use crate::ids::PartnerId;
use crate::ledger::{Account, Posting};
use crate::money::Money;
use crate::refusal::{Reason, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one purchase earned in one fund, as the program guide says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Earned {
    pub partner: PartnerId,
    pub partner_name: String,
    /// The purchase's own number, with its line where it has several: `INV-1`, `INV-1/2`.
    pub purchase: String,
    /// The day it was bought.
    pub on: Date,
    /// In the fund's currency; zero where the purchase earns nothing.
    pub amount: Money,
    /// The last day the credit can be used.
    pub expires: Option<Date>,
    /// The version of the guide it was earned under, counted from 1.
    pub guide: u32,
}

/// Credit from the outside world into wallets, one posting a partner and expiry day.
pub(super) fn accrue(s: &FundSituation, by: &str, file: &str, earned: &[Earned]) -> Result<Made, Refusal> {
    if s.fund.kind != FundKind::Accrual {
        return Err(Refusal::new(
            "no_accrual_fund",
            format!("{} is no accrual fund: no credit is earned in it.", s.fund.name),
            "Name an accrual fund in the guide.",
        ));
    }
    for one in earned {
        open_day(s, one)?;
        if !one.amount.is_kept_in(s.fund.currency, 0) {
            return Err(Refusal::new(
                "currency",
                format!("{} earned {}, and {} is kept in {}.", one.purchase, one.amount, s.fund.name, s.fund.currency),
                "Import purchases in the fund's own currency: none is converted by guess.",
            ));
        }
    }
    let postings = sums(s, earned)?
        .into_iter()
        .map(|(to, minor)| Posting {
            from: Account::funding(s.fund.id),
            to,
            amount: Money::new(minor, s.fund.currency),
        })
        .collect();
    Ok(("fund.accrued", format!("{by} imported the purchases of {file}."), postings, Vec::new()))
}

/// Everything an import earned goes back to where it came from, or nothing does: credit that is committed or spent
/// already cannot be taken back.
pub(super) fn take_back(s: &FundSituation, by: &str, file: &str, earned: &[Earned]) -> Result<Made, Refusal> {
    for one in earned {
        open_day(s, one)?;
    }
    let sums = sums(s, earned)?;
    let short = sums.iter().filter(|(account, minor)| s.book.minor(account) < **minor);
    let reasons = short.map(|(account, minor)| {
        let of = |one: &&Earned| one.amount.minor > 0 && account_of(s, one) == *account;
        let mut names: Vec<&str> = earned.iter().filter(of).map(|one| one.purchase.as_str()).collect();
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let partner = earned.iter().find(of).map_or("The partner", |one| one.partner_name.as_str());
        let money = |minor| Money::new(minor, s.fund.currency);
        let gone = money(minor - s.book.minor(account).max(0));
        let why = format!(
            "{partner} has committed or spent {gone} of the {} earned in {} on {}{more}.",
            money(*minor),
            s.fund.name,
            names.join(", ")
        );
        Reason::new("credit_used", why, "Cancel what commits it first, or adjust the partner's credit with a reason.")
    });
    Refusal::unless_empty(reasons.collect())?;
    let postings = sums
        .into_iter()
        .map(|(from, minor)| Posting {
            from,
            to: Account::funding(s.fund.id),
            amount: Money::new(minor, s.fund.currency),
        })
        .collect();
    Ok(("fund.accrual_taken_back", format!("{by} took the import of {file} back."), postings, Vec::new()))
}

/// So many purchases are named in one sentence.
const NAMED: usize = 5;

/// A closed period stays as it was closed.
fn open_day(s: &FundSituation, one: &Earned) -> Result<(), Refusal> {
    match s.fund.closed_until.filter(|closed| one.on <= *closed) {
        None => Ok(()),
        Some(closed) => Err(Refusal::new(
            "period_closed",
            format!(
                "{} was bought on {}, and {} is closed until {}.",
                one.purchase,
                words(one.on),
                s.fund.name,
                words(closed)
            ),
            "Adjust the partner's credit with a reason instead.",
        )),
    }
}

fn account_of(s: &FundSituation, one: &Earned) -> Account {
    Account::available(s.fund.id, one.partner, one.expires)
}

/// What is above zero, by wallet and expiry day, in minor units.
fn sums(s: &FundSituation, earned: &[Earned]) -> Result<BTreeMap<Account, i64>, Refusal> {
    let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
    for one in earned.iter().filter(|one| one.amount.minor > 0) {
        let sum = sums.entry(account_of(s, one)).or_default();
        *sum = sum.checked_add(one.amount.minor).ok_or_else(|| {
            Refusal::new("amount", "The purchases earn more than this system keeps.", "Split the file.")
        })?;
    }
    Ok(sums)
}
