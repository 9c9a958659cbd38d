//! Money put into a fund and taken out of it. A child's comes out of its parent, so that children never hold more
//! than their parent was given.

use super::tree::parent;
use super::{FundSituation, Made, across, enough, enough_in, positive};
use crate::ledger::{Account, Posting};
use crate::money::Money;
use crate::refusal::Refusal;

pub(super) fn budget(s: &FundSituation, by: &str, amount: Money, reason: &str) -> Result<Made, Refusal> {
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    let own = Account::unallocated(s.fund.id);
    let (postings, whence) = match parent(s)? {
        None => (vec![Posting { from: Account::funding(s.fund.id), to: own, amount }], String::new()),
        Some(parent) => {
            let theirs = Account::unallocated(parent.id);
            enough_in(s, &parent.name, &theirs, amount, "unallocated")?;
            (across(theirs, own, amount), format!(" out of {}", parent.name))
        }
    };
    let words = format!("{by} put {amount} into {}{whence}: “{}”", s.fund.name, reason.trim());
    Ok(("fund.budgeted", words, postings, Vec::new()))
}

pub(super) fn lower(s: &FundSituation, by: &str, amount: Money, reason: &str) -> Result<Made, Refusal> {
    positive(s, amount)?;
    crate::steps::need_reason(reason)?;
    let own = Account::unallocated(s.fund.id);
    enough(s, &own, amount, "unallocated")?;
    let (postings, whither) = match parent(s)? {
        None => (vec![Posting { from: own, to: Account::funding(s.fund.id), amount }], String::new()),
        Some(parent) => (across(own, Account::unallocated(parent.id), amount), format!(", back into {}", parent.name)),
    };
    let words = format!("{by} took {amount} out of {}{whither}: “{}”", s.fund.name, reason.trim());
    Ok(("fund.lowered", words, postings, Vec::new()))
}
