//! Money that goes elsewhere, with a reason: unallocated money to another fund, a partner's credit to another fund or
//! partner.

use super::{Fund, FundSituation, Made, across, enough, named, notice, positive};
use crate::Date;
use crate::ids::{FundId, PartnerId};
use crate::ledger::{Account, AccountKind, Posting};
use crate::money::Money;
use crate::notice::Topic;
use crate::refusal::Refusal;

pub(super) fn transfer(s: &FundSituation, by: &str, to: FundId, amount: Money, reason: &str) -> Result<Made, Refusal> {
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    let other = receiver(s, to, "to")?;
    let own = Account::unallocated(s.fund.id);
    enough(s, &own, amount, "unallocated")?;
    let words = format!("{by} transferred {amount} from {} to {}: “{}”", s.fund.name, other.name, reason.trim());
    Ok(("fund.transferred", words, across(own, Account::unallocated(other.id), amount), Vec::new()))
}

/// The other fund, where it may take this one's money.
fn receiver<'a>(s: &'a FundSituation, id: FundId, field: &str) -> Result<&'a Fund, Refusal> {
    if id == s.fund.id {
        let why = format!("{} has this money already.", s.fund.name);
        return Err(Refusal::at(field, "same_fund", why, "Choose another fund."));
    }
    let unknown = || {
        let why = format!("That is no fund of the program {} belongs to.", s.fund.name);
        Refusal::at(field, "fund", why, "Choose one from the list.")
    };
    let other = s.other(id).filter(|other| other.program == s.fund.program).ok_or_else(unknown)?;
    if other.currency != s.fund.currency {
        let why = format!("{} is kept in {}, {} in {}.", other.name, other.currency, s.fund.name, s.fund.currency);
        return Err(Refusal::at(field, "currency", why, "Choose a fund of the same currency."));
    }
    Ok(other)
}

/// Credit that is still good, soonest expiry first. Inside one fund it passes through what is unallocated, so that both
/// partners' statements name their own posting.
pub(super) fn credit(
    s: &FundSituation,
    by: &str,
    (partner, amount): (PartnerId, Money),
    (to_fund, to_partner): (Option<FundId>, Option<PartnerId>),
    reason: &str,
    today: Date,
) -> Result<Made, Refusal> {
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    let from_name = named(s)?;
    let fund = to_fund.filter(|id| *id != s.fund.id).map(|id| receiver(s, id, "to_fund")).transpose()?;
    let other = to_partner.filter(|id| *id != partner);
    if fund.is_none() && other.is_none() {
        let why = format!("{from_name} has this credit in {} already.", s.fund.name);
        return Err(Refusal::at("to_fund", "same_place", why, "Choose another fund or another partner."));
    }
    if let Some(shared) = fund.filter(|fund| fund.kind.is_shared()) {
        let why = format!("{} is shared: no partner has credit in it.", shared.name);
        return Err(Refusal::at("to_fund", "shared_fund", why, "Choose a discretionary or an accrual fund."));
    }
    let to_name = match other {
        None => from_name,
        Some(id) => s.around.partners.get(&id).map(String::as_str).ok_or_else(|| {
            Refusal::at("to_partner", "partner", "That partner is not known.", "Choose one from the list.")
        })?,
    };
    let good = |account: &Account| {
        account.kind == AccountKind::Available
            && account.fund == s.fund.id
            && account.partner == Some(partner)
            && account.lot.is_none_or(|day| day >= today)
    };
    let Some(draws) = s.book.draw(amount.minor, good) else {
        let left = Money::new(s.book.total(good), s.fund.currency);
        let why = format!("{from_name} has {left} of good credit in {}.", s.fund.name);
        return Err(Refusal::at("amount", "funds_available", why, "Transfer that much or less."));
    };
    let (into, receiver) = (fund.unwrap_or(&s.fund), other.unwrap_or(partner));
    let mut postings = Vec::new();
    for (from, minor) in draws {
        let (to, amount) = (Account::available(into.id, receiver, from.lot), Money::new(minor, s.fund.currency));
        if into.id == s.fund.id {
            let passes = Account::unallocated(s.fund.id);
            postings.extend([Posting { from, to: passes, amount }, Posting { from: passes, to, amount }]);
        } else {
            postings.extend(across(from, to, amount));
        }
    }
    let whither = match (fund, other) {
        (Some(fund), Some(_)) => format!("{to_name} in {}", fund.name),
        (Some(fund), None) => fund.name.clone(),
        (None, _) => to_name.to_owned(),
    };
    let words = format!("{by} transferred {amount} of {from_name}'s credit to {whither}: “{}”", reason.trim());
    let by = by.trim_end_matches(',');
    let mut moved = notice(s, Topic::CreditMoved, partner, amount, None, by);
    moved.facts.reason = Some(reason.trim().to_owned());
    moved.facts.item = Some(whither);
    let mut notices = vec![moved];
    if let Some(other) = other {
        let mut given = notice(s, Topic::FundsAllocated, other, amount, None, by);
        to_name.clone_into(&mut given.facts.partner);
        given.facts.title.clone_from(&into.name);
        given.facts.number.clone_from(&into.code);
        notices.push(given);
    }
    Ok(("fund.credit_transferred", words, postings, notices))
}
