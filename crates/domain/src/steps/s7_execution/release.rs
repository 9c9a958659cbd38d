//! Committed money goes back where it came from.

use super::super::s6_approval;
use super::claims::ClaimState;
use crate::Date;
use crate::cycle::Cycle;
use crate::ledger::{Account, AccountKind, Book, Posting};
use crate::machine::Situation;
use crate::money::Money;

/// Releases what a campaign holds beyond `keep` (claims counted), latest expiry first, so that what stays
/// committed is what expires soonest.
pub(in crate::steps) fn release_beyond(
    s: &Situation,
    book: &mut Book,
    campaign: u16,
    keep: i64,
    today: Date,
) -> Vec<Posting> {
    let in_claims = s6_approval::held_by(&s.cycle, book, campaign) - s6_approval::committed(&s.cycle, book, campaign);
    release_all_but(s, book, campaign, (keep - in_claims).max(in_review(&s.cycle, campaign, None)), today)
}

/// Asked for by claims in review, but for `except`, in minor units.
pub(super) fn in_review(cycle: &Cycle, campaign: u16, except: Option<u16>) -> i64 {
    let waiting = cycle
        .claims
        .iter()
        .filter(|claim| claim.campaign == campaign && claim.state == ClaimState::Review && Some(claim.no) != except);
    waiting.map(|claim| claim.asked.minor).sum()
}

/// Committed money beyond `keep` goes back where it came from; credit whose day has passed goes on to forfeited.
pub(super) fn release_all_but(s: &Situation, book: &mut Book, campaign: u16, keep: i64, today: Date) -> Vec<Posting> {
    let cycle = &s.cycle;
    let Some(fund) = cycle.fund().and_then(|fund| s.fund(fund)) else { return Vec::new() };
    let mut rest = (s6_approval::committed(cycle, book, campaign) - keep).max(0);
    let held: Vec<(Account, i64)> = book
        .lots(|account| {
            account.kind == AccountKind::Committed && account.cycle == Some(cycle.id) && account.item == Some(campaign)
        })
        .iter()
        .map(|lot| (lot.account, lot.amount.minor))
        .collect();
    let mut postings = Vec::new();
    for (from, minor) in held.into_iter().rev() {
        let taken = rest.min(minor);
        if taken == 0 {
            break;
        }
        rest -= taken;
        let to = match from.lot {
            _ if fund.kind.is_shared() => Account::unallocated(fund.id),
            Some(day) if day < today => Account::forfeited(fund.id),
            lot => Account::available(fund.id, s.partner.id, lot),
        };
        let posting = Posting { from, to, amount: Money::new(taken, fund.currency) };
        book.post(&posting);
        postings.push(posting);
    }
    postings
}

pub(super) fn released(cycle: &Cycle, postings: &[Posting]) -> Money {
    cycle.sum(postings.iter().map(|posting| posting.amount))
}
