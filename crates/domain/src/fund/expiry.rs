//! Credit whose day has passed, and the warning before it.

use super::{FundSituation, Made, notice, period};
use crate::Date;
use crate::ledger::{Account, AccountKind};
use crate::money::Money;
use crate::notice::{Notice, Topic};
use crate::refusal::Refusal;

pub(super) fn forfeit(s: &FundSituation, today: Date) -> Result<Made, Refusal> {
    let expired = s.book.lots(|account| {
        account.kind == AccountKind::Available
            && account.fund == s.fund.id
            && account.lot.is_some_and(|day| day < today)
    });
    let expired: Vec<(Account, i64)> = expired.iter().map(|lot| (lot.account, lot.amount.minor)).collect();
    let postings = period::expired(s, &expired);
    if postings.is_empty() {
        return Err(Refusal::new("nothing_due", "No credit has expired.", "The timer comes back when some does."));
    }
    let sum = |kind: AccountKind| {
        let into = postings.iter().filter(|posting| posting.to.kind == kind);
        Money::new(into.map(|posting| posting.amount.minor).sum(), s.fund.currency)
    };
    let (forfeited, carried) = (sum(AccountKind::Forfeited), sum(AccountKind::Available));
    let again = if carried.is_positive() { format!(" {carried} is carried over.") } else { String::new() };
    let lost = postings.iter().filter(|posting| posting.to.kind == AccountKind::Forfeited);
    let notices = lost
        .filter_map(|posting| {
            Some(notice(s, Topic::FundsForfeited, posting.from.partner?, posting.amount, posting.from.lot, "Fundloop"))
        })
        .collect();
    Ok(("fund.forfeited", format!("{forfeited} of {} expired unused.{again}", s.fund.name), postings, notices))
}

pub(super) fn warn(s: &FundSituation, lot: Date) -> Result<Made, Refusal> {
    let expiring = s.book.lots(|account| account.kind == AccountKind::Available && account.lot == Some(lot));
    let told = expiring.iter().filter_map(|balance| {
        Some(notice(s, Topic::FundsExpiring, balance.account.partner?, balance.amount, Some(lot), "Fundloop"))
    });
    let notices: Vec<Notice> = told.collect();
    if notices.is_empty() {
        return Err(Refusal::new("nothing_due", "No credit expires on that day.", "There is nobody to warn."));
    }
    let words = format!("Partners were told that their credit expires on {}.", crate::calendar::words(lot));
    Ok(("fund.warned", words, Vec::new(), notices))
}
