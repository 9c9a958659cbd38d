//! Committed money goes back where it came from.

use super::super::{Outcome, Purse, Release, s6_approval};
use super::claims::{ClaimState, last_day_to_claim};
use super::{ActivityState, Event, extension};
use crate::Date;
use crate::cycle::Cycle;
use crate::ledger::{Account, AccountKind};
use crate::machine::Situation;
use crate::money::Money;
use crate::policy::Extendable;

/// Releases what a campaign holds beyond `keep` (claims counted), latest expiry first, so that what stays
/// committed is what expires soonest. In minor units of the cycle's currency.
pub(in crate::steps) fn release_beyond(
    s: &Situation,
    purse: &mut Purse,
    campaign: u16,
    keep: i64,
    today: Date,
) -> Release {
    let in_claims = s6_approval::held_by(&s.cycle, purse, campaign) - purse.committed(&s.cycle, campaign);
    release_all_but(s, purse, campaign, (keep - in_claims).max(in_review(&s.cycle, campaign, None)), today)
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
pub(super) fn release_all_but(s: &Situation, purse: &mut Purse, campaign: u16, keep: i64, today: Date) -> Release {
    let cycle = &s.cycle;
    let mut release = Release { amount: cycle.zero(), postings: Vec::new() };
    let Some(fund) = cycle.fund().and_then(|fund| s.fund(fund)) else { return release };
    let goes = (purse.committed(cycle, campaign) - keep).max(0);
    // What was converted when it was committed can be converted again.
    let Ok(mut rest) = purse.count(campaign, -goes).map(i64::abs) else { return release };
    release.amount = Money::new(goes, cycle.currency);
    let held: Vec<(Account, i64)> = purse
        .book
        .lots(|account| {
            account.kind == AccountKind::Committed && account.cycle == Some(cycle.id) && account.item == Some(campaign)
        })
        .iter()
        .map(|lot| (lot.account, lot.amount.minor))
        .collect();
    for (from, minor) in held.into_iter().rev() {
        let taken = rest.min(minor);
        rest -= taken;
        let to = match from.lot {
            _ if fund.kind.is_shared() => Account::unallocated(fund.id),
            Some(day) if day < today => Account::forfeited(fund.id),
            lot => Account::available(fund.id, s.partner.id, lot),
        };
        purse.post(from, to, Money::new(taken, fund.currency), &mut release.postings);
    }
    release
}

/// Campaigns whose claim window has closed with money left and no claim under review.
pub(super) fn windows(s: &Situation, today: Date) -> Vec<Outcome> {
    let closed =
        s.cycle.campaigns.iter().filter(|campaign| window_end(s, campaign.no).is_some_and(|last| today > last));
    closed
        .filter_map(|campaign| {
            let release = release_all_but(s, &mut Purse::of(s), campaign.no, 0, today);
            let event = Event::WindowClosed { campaign: campaign.no, released: release.amount };
            release.amount.is_positive().then(|| Outcome::with(event, release.postings))
        })
        .collect()
}

/// The day a campaign's claim window closes, while money is committed to it and no claim is under review. While more
/// time may still be asked for, or is being decided on, the money waits.
pub(crate) fn window_end(s: &Situation, campaign: u16) -> Option<Date> {
    let cycle = &s.cycle;
    let open = cycle.activities.iter().any(|activity| {
        activity.draft.campaign == campaign
            && matches!(activity.state, ActivityState::Live | ActivityState::ProofReview | ActivityState::Planned)
    });
    let reviewing = cycle.claims.iter().any(|claim| claim.campaign == campaign && claim.state == ClaimState::Review);
    let held = s6_approval::committed(cycle, &s.book, campaign) > 0;
    if open || reviewing || !held {
        return None;
    }
    last_day_to_claim(s, campaign).map(|last| extension::held_until(s, campaign, Extendable::Claim, last))
}
