//! What was earned is put right, with a reason. Only accrual funds take credit from outside; elsewhere finance
//! allocates what the fund holds.

use super::{FundKind, FundSituation, Made, named, notice, positive};
use crate::Date;
use crate::ids::PartnerId;
use crate::ledger::{Account, Posting};
use crate::money::Money;
use crate::notice::{Notice, Topic};
use crate::refusal::Refusal;

fn is_earned(s: &FundSituation) -> Result<(), Refusal> {
    if s.fund.kind == FundKind::Accrual {
        return Ok(());
    }
    let why = format!("{} is no accrual fund: its credit is allocated, not earned.", s.fund.name);
    Err(Refusal::new("not_earned", why, "Allocate credit, or take it back."))
}

pub(super) fn raise(
    s: &FundSituation,
    by: &str,
    (partner, amount, expires): (PartnerId, Money, Option<Date>),
    reason: &str,
    today: Date,
) -> Result<Made, Refusal> {
    is_earned(s)?;
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    let name = named(s)?;
    super::credit::still_good(expires, today)?;
    let to = Account::available(s.fund.id, partner, expires);
    let until = expires.map_or_else(String::new, |day| format!(" until {}", crate::calendar::words(day)));
    let words = format!("{by} raised the credit of {name} by {amount}{until}: “{}”", reason.trim());
    let told = vec![adjusted(s, by, partner, amount, "added to your credit", reason)];
    Ok(("fund.credit_raised", words, vec![Posting { from: Account::funding(s.fund.id), to, amount }], told))
}

pub(super) fn lower(
    s: &FundSituation,
    by: &str,
    partner: PartnerId,
    amount: Money,
    reason: &str,
) -> Result<Made, Refusal> {
    is_earned(s)?;
    let (name, postings) = super::credit::take(s, partner, amount, Account::funding(s.fund.id), reason)?;
    let words = format!("{by} lowered the credit of {name} by {amount}: “{}”", reason.trim());
    let told = vec![adjusted(s, by, partner, amount, "taken off your credit", reason)];
    Ok(("fund.credit_lowered", words, postings, told))
}

fn adjusted(s: &FundSituation, by: &str, partner: PartnerId, amount: Money, how: &str, reason: &str) -> Notice {
    let mut notice = notice(s, Topic::CreditAdjusted, partner, amount, None, by.trim_end_matches(','));
    notice.facts.item = Some(how.to_owned());
    notice.facts.reason = Some(reason.trim().to_owned());
    notice
}
