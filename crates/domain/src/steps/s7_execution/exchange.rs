//! A claim paid by a fund of another currency. The claim holds what was committed at the approval's rate; a payment takes
//! what it comes to at the rate the guide names, and the difference is a posting of its own: the vendor bears a loss from
//! what nobody was given yet, and has a gain back there.

use super::super::Purse;
use super::claims::Claim;
use super::payment::Payment;
use super::returned::Undone;
use crate::Date;
use crate::exchange::{Rate, portion};
use crate::ledger::{Account, Posting};
use crate::machine::Situation;
use crate::money::Money;
use crate::policy::rules::{rate_on, too_large};
use crate::policy::{RateDate, Verdict};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// What a payment comes to in a fund of another currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InFund {
    /// The rate that counts.
    pub rate: Rate,
    /// What the claim holds for it, at the approval's rate.
    pub committed: Money,
    /// What it takes out of the fund.
    pub due: Money,
    /// Of that, held back against what was clawed back earlier.
    pub offset: Money,
}

impl InFund {
    /// What the change of the rate costs the fund; below zero it gains.
    pub fn variance(&self) -> Money {
        Money::new(self.due.minor - self.committed.minor, self.due.currency)
    }

    /// What is held back of an amount in the claim's own currency, in proportion.
    pub fn offset_of(&self, amount: Money) -> Money {
        portion(amount, self.offset.minor, self.due.minor)
    }

    /// "The fund pays 1,110 USD at 1.11 USD for 1 EUR, the rate of Mon 1 June 2026; 30 USD of it is exchange loss."
    pub fn words(&self) -> String {
        let size = Money::new(self.variance().minor.abs(), self.due.currency);
        let variance = match self.variance().minor {
            0 => String::new(),
            1.. => format!("; {size} of it is exchange loss"),
            _ => format!("; {size} of exchange gain goes back to it"),
        };
        format!("The fund pays {} at {}{variance}.", self.due, self.rate.words())
    }
}

/// What paying `amount` of a claim on a day comes to in its fund; `None` where the fund is kept in the claim's currency.
/// Instalments take their portions of what the claim holds, the last one the rest. The refusal says which rate is missing.
pub fn in_fund(s: &Situation, claim: &Claim, amount: Money, today: Date) -> Result<Option<InFund>, Refusal> {
    let Some((held, kept)) = claim.in_fund.zip(s.cycle.approval.exchange.as_ref()) else { return Ok(None) };
    let before = claim.paid();
    let after = s.cycle.sum([before, amount]);
    // The last instalment takes the rest, whatever came back in between.
    let already: i64 = claim.payments.iter().filter_map(|payment| Some(payment.counts_in_fund()?.0.minor)).sum();
    let up_to = portion(held, after.minor, claim.approved.minor).minor;
    let committed = Money::new((up_to - already).max(0), held.currency);
    let day = match s.policy.exchange.as_ref().map(|rules| rules.rate_date) {
        Some(RateDate::Claim) => Some(s.policy.today(claim.submitted_at)),
        Some(RateDate::Settlement) => Some(today),
        Some(RateDate::Approval) | None => None,
    };
    let (rate, due) = match day {
        None => (kept.rate, committed),
        Some(day) => {
            let pair = (s.cycle.currency, held.currency);
            let refused = |verdict: &Verdict| Refusal { reasons: vec![verdict.reason()] };
            let rate = rate_on(&s.policy, &s.rates, pair, day).map_err(|verdict| refused(&verdict))?;
            (rate, rate.between(before, after).map_err(|_| refused(&too_large()))?)
        }
    };
    let owed = s.cycle.fund().map_or(0, |fund| s.book.minor(&Account::recoverable(fund, s.partner.id)));
    let offset = Money::new(owed.min(due.minor).max(0), held.currency);
    Ok(Some(InFund { rate, committed, due, offset }))
}

/// The postings of a payment: what the claim held, the variance, and what is held back.
pub(super) fn settled(s: &Situation, claim: &Claim, paid: &InFund) -> Result<Vec<Posting>, Refusal> {
    let (cycle, partner) = (&s.cycle, s.partner.id);
    let Some(fund) = cycle.fund().and_then(|fund| s.fund(fund)) else {
        return Err(Refusal::new("fund", "The claim has no fund.", "Ask the administrator."));
    };
    let (mut purse, mut postings) = (Purse::of(s), Vec::new());
    let claimed = Account::claimed(fund.id, partner, cycle.id, claim.no);
    let paid_out = Account::paid(fund.id, partner, cycle.id, claim.no);
    purse.post(claimed, paid_out, paid.committed, &mut postings);
    let (variance, free, fx) = (paid.variance(), Account::unallocated(fund.id), Account::fx_variance(fund.id));
    let left = Money::new(s.book.minor(&free), fund.currency);
    if variance.minor > left.minor.max(0) {
        return Err(Refusal::new(
            "fx_variance",
            format!(
                "At {} this payment costs {variance} more than was committed; {} has {left} unallocated to bear it.",
                paid.rate.words(),
                fund.name
            ),
            format!("Raise the budget of {}, or pay a smaller instalment.", fund.name),
        ));
    }
    purse.post(free, fx, variance, &mut postings);
    purse.post(fx, free, Money::new(-variance.minor, fund.currency), &mut postings);
    purse.post(Account::recoverable(fund.id, partner), Account::funding(fund.id), paid.offset, &mut postings);
    Ok(postings)
}

/// What a claw back of this much would bring back to a fund of another currency.
pub fn owed_in_fund(s: &Situation, claim: &Claim, amount: Money) -> Option<Money> {
    clawed_back(s, claim, amount).map(|(owed, _)| owed)
}

/// What a claw back brings back to a fund of another currency: what was paid out for that part of the claim. The variance
/// of that part is undone with it. `None` where the fund is kept in the claim's currency.
pub(super) fn clawed_back(s: &Situation, claim: &Claim, amount: Money) -> Option<(Money, Vec<Posting>)> {
    let (cycle, partner) = (&s.cycle, s.partner.id);
    let (fund, held) = (cycle.fund()?, claim.in_fund?);
    let payments = || claim.payments.iter().filter_map(Payment::counts_in_fund);
    let of_it = |minor: i64| portion(Money::new(minor, held.currency), amount.minor, claim.paid().minor);
    let owed = of_it(payments().map(|(_, due)| due.minor).sum());
    let committed = of_it(payments().map(|(committed, _)| committed.minor).sum());
    let (mut purse, mut postings) = (Purse::of(s), Vec::new());
    let paid_out = Account::paid(fund, partner, cycle.id, claim.no);
    let (owing, fx) = (Account::recoverable(fund, partner), Account::fx_variance(fund));
    let less = Money::new(owed.minor.min(committed.minor), held.currency);
    purse.post(paid_out, owing, less, &mut postings);
    purse.post(fx, owing, Money::new(owed.minor - less.minor, held.currency), &mut postings);
    purse.post(paid_out, fx, Money::new(committed.minor - less.minor, held.currency), &mut postings);
    Some((owed, postings))
}

/// What the return of a payment undoes in a fund of another currency: what was set aside for the part that was transferred
/// is set aside again, and the variance of that part is undone. `None` where the fund is kept in the claim's currency.
pub(super) fn undone(
    s: &Situation,
    claim: &Claim,
    payment: &Payment,
) -> Result<Option<(Undone, Vec<Posting>)>, Refusal> {
    let Some((paid, fund)) = payment.in_fund.zip(s.cycle.fund().and_then(|fund| s.fund(fund))) else { return Ok(None) };
    let back = payment.transferred();
    let of_it = |sum: Money| portion(sum, back.minor, payment.amount.minor);
    let undone = Undone { committed: of_it(paid.committed), due: of_it(paid.due) };
    let variance = Money::new(undone.due.minor - undone.committed.minor, fund.currency);
    let (free, fx) = (Account::unallocated(fund.id), Account::fx_variance(fund.id));
    let left = Money::new(s.book.minor(&free).max(0), fund.currency);
    if -variance.minor > left.minor {
        let gain = Money::new(-variance.minor, fund.currency);
        let why = format!("{gain} of exchange gain is undone with it; {} has {left} unallocated.", fund.name);
        return Err(Refusal::new("fx_variance", why, format!("Raise the budget of {}.", fund.name)));
    }
    let (mut purse, mut postings) = (Purse::of(s), Vec::new());
    let (partner, cycle) = (s.partner.id, s.cycle.id);
    let claimed = Account::claimed(fund.id, partner, cycle, claim.no);
    purse.post(Account::paid(fund.id, partner, cycle, claim.no), claimed, undone.committed, &mut postings);
    purse.post(fx, free, variance, &mut postings);
    purse.post(free, fx, Money::new(-variance.minor, fund.currency), &mut postings);
    Ok(Some((undone, postings)))
}
