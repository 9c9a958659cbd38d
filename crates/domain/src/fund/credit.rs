//! Credit given to partners, and taken back unused.

use super::{FundSituation, Made, enough, named, notice, positive};
use crate::Date;
use crate::ids::PartnerId;
use crate::ledger::{Account, AccountKind, Posting};
use crate::money::Money;
use crate::notice::Topic;
use crate::refusal::Refusal;

pub(super) fn allocate(
    s: &FundSituation,
    by: &str,
    (partner, amount, expires): (PartnerId, Money, Option<Date>),
    reason: &str,
    today: Date,
) -> Result<Made, Refusal> {
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    let name = named(s)?;
    not_shared(s)?;
    still_good(expires, today)?;
    enough(s, &Account::unallocated(s.fund.id), amount, "unallocated")?;
    let posting =
        Posting { from: Account::unallocated(s.fund.id), to: Account::available(s.fund.id, partner, expires), amount };
    let until = expires.map_or_else(String::new, |day| format!(" until {}", crate::calendar::words(day)));
    let words = format!("{by} allocated {amount} to {name}{until}: “{}”", reason.trim());
    let notice = notice(s, Topic::FundsAllocated, partner, amount, expires, by.trim_end_matches(','));
    Ok(("fund.allocated", words, vec![posting], vec![notice]))
}

/// Partners of a shared fund have no credit of their own.
pub(super) fn not_shared(s: &FundSituation) -> Result<(), Refusal> {
    if !s.fund.kind.is_shared() {
        return Ok(());
    }
    Err(Refusal::new(
        "shared_fund",
        format!("{} is shared: partners ask for its money case by case.", s.fund.name),
        "Allocate from a discretionary fund.",
    ))
}

pub(super) fn still_good(expires: Option<Date>, today: Date) -> Result<(), Refusal> {
    if expires.is_none_or(|day| day >= today) {
        return Ok(());
    }
    Err(Refusal::at(
        "expires",
        "expires",
        "The credit would be expired already.",
        "Choose a day from today on, or none.",
    ))
}

pub(super) fn move_back(
    s: &FundSituation,
    by: &str,
    partner: PartnerId,
    amount: Money,
    reason: &str,
) -> Result<Made, Refusal> {
    let (name, postings) = take(s, partner, amount, Account::unallocated(s.fund.id), reason)?;
    Ok(("fund.moved_back", format!("{by} took {amount} back from {name}: “{}”", reason.trim()), postings, Vec::new()))
}

/// Takes unused credit from a partner, soonest expiry first; says their name and what is moved to where.
pub(super) fn take<'a>(
    s: &'a FundSituation,
    partner: PartnerId,
    amount: Money,
    to: Account,
    reason: &str,
) -> Result<(&'a str, Vec<Posting>), Refusal> {
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    let name = named(s)?;
    let wallet = |account: &Account| {
        account.kind == AccountKind::Available && account.fund == s.fund.id && account.partner == Some(partner)
    };
    let Some(draws) = s.book.draw(amount.minor, wallet) else {
        let left = Money::new(s.book.total(wallet), s.fund.currency);
        let why = format!("{name} has {left} unused in {}.", s.fund.name);
        return Err(Refusal::at("amount", "funds_available", why, "Take back that much or less."));
    };
    let posting = |(from, minor)| Posting { from, to, amount: Money::new(minor, s.fund.currency) };
    Ok((name, draws.into_iter().map(posting).collect()))
}
