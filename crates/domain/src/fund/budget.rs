//! Money put into a fund and taken out of it.

use super::{FundSituation, Made, enough, positive};
use crate::ledger::{Account, Posting};
use crate::money::Money;
use crate::refusal::Refusal;

pub(super) fn budget(s: &FundSituation, by: &str, amount: Money, reason: &str) -> Result<Made, Refusal> {
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    let posting = Posting { from: Account::funding(s.fund.id), to: Account::unallocated(s.fund.id), amount };
    Ok((
        "fund.budgeted",
        format!("{by} put {amount} into {}: “{}”", s.fund.name, reason.trim()),
        vec![posting],
        Vec::new(),
    ))
}

pub(super) fn lower(s: &FundSituation, by: &str, amount: Money, reason: &str) -> Result<Made, Refusal> {
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    enough(s, &Account::unallocated(s.fund.id), amount, "unallocated")?;
    let posting = Posting { from: Account::unallocated(s.fund.id), to: Account::funding(s.fund.id), amount };
    Ok((
        "fund.lowered",
        format!("{by} took {amount} out of {}: “{}”", s.fund.name, reason.trim()),
        vec![posting],
        Vec::new(),
    ))
}
