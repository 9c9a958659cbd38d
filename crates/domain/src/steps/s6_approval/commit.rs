//! What an approval does to the fund: it commits what is new, lets go of what is less, and keeps the rate it counts at
//! where the fund is kept in another currency.

use super::super::s5_request::{free_in, rate_of, source};
use super::super::s7_execution::{Claim, release_beyond};
use super::super::{Case, Purse};
use super::LineDecision;
use crate::Date;
use crate::cycle::Cycle;
use crate::exchange::{Kept, Rate};
use crate::fund::Fund;
use crate::ledger::{Account, AccountKind, Book, Posting};
use crate::machine::Situation;
use crate::money::Money;
use crate::refusal::Refusal;

/// What an approval does to the fund.
pub(super) struct Committed {
    pub postings: Vec<Posting>,
    pub exchange: Option<Kept>,
    pub in_fund: Option<Money>,
}

/// Commits what is approved beyond what stood approved for the same activities, soonest expiry first; releases
/// what is less. What was claimed, released or forfeited meanwhile is not touched.
pub(super) fn commit(case: &Case, lines: &[LineDecision]) -> Result<Committed, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    let Some(fund) = cycle.fund().and_then(|fund| s.fund(fund)) else {
        return Err(Refusal::new("fund", "The request names no fund.", "Return it, so that the partner chooses one."));
    };
    let mut purse = Purse::of(s);
    if fund.currency != cycle.currency {
        purse.at(|| rate_of(s, fund, case.today))?;
    }
    let (mut postings, mut in_fund) = (Vec::new(), 0);
    for campaign in &cycle.campaigns {
        let more = more_for(cycle, lines, campaign.no);
        if more < 0 {
            let keep = held_by(cycle, &purse, campaign.no) + more;
            let released = release_beyond(s, &mut purse, campaign.no, keep, case.today).postings;
            in_fund -= released.iter().map(|posting| posting.amount.minor).sum::<i64>();
            postings.extend(released);
            continue;
        }
        let takes = purse.count(campaign.no, more).map_err(|_| too_large())?;
        let Some(draws) = purse.book.draw(takes, source(s, fund, case.today)) else {
            return Err(not_enough(case, fund, takes));
        };
        in_fund += takes;
        for (from, minor) in draws {
            let to = Account::committed(fund.id, s.partner.id, cycle.id, campaign.no, from.lot);
            purse.post(from, to, Money::new(minor, fund.currency), &mut postings);
        }
    }
    let in_fund = purse.kept.is_some().then(|| Money::new(in_fund, fund.currency));
    Ok(Committed { postings, exchange: purse.kept, in_fund })
}

/// What a decision gives a campaign beyond what stands approved for it, in minor units of the cycle's currency.
fn more_for(cycle: &Cycle, lines: &[LineDecision], campaign: u16) -> i64 {
    let of_campaign = |line: &&LineDecision| {
        cycle.activity(line.activity).is_some_and(|activity| activity.draft.campaign == campaign)
    };
    let sum = |lines: &[LineDecision]| -> i64 { lines.iter().filter(of_campaign).map(|line| line.amount.minor).sum() };
    sum(&cycle.approval.with(lines)) - sum(&cycle.approval.lines)
}

fn not_enough(case: &Case, fund: &Fund, takes: i64) -> Refusal {
    let left = free_in(case.s, fund, case.today);
    let commits = if fund.currency == case.s.cycle.currency {
        "this decision commits".to_owned()
    } else {
        format!("the {} this decision commits", Money::new(takes, fund.currency))
    };
    // Nobody has a wallet of their own in a shared fund, and of nothing nothing can be approved.
    let remedy = match (left.is_positive(), fund.kind.is_shared()) {
        (true, true) => "Approve less, or have finance put more money into the fund first.",
        (true, false) => "Approve less, or allocate more to the partner first.",
        (false, true) => "Have finance put more money into the fund first, or decline the request.",
        (false, false) => "Allocate more to the partner first, or decline the request.",
    };
    let why = format!("{left} is left for {} in {}, less than {commits}.", case.s.partner.name, fund.name);
    Refusal::new("funds_available", why, remedy)
}

fn too_large() -> Refusal {
    Refusal { reasons: vec![crate::policy::rules::too_large().reason()] }
}

/// What a decision would move in a fund of another currency, in the fund's, and at which rate; `None` where both are kept
/// in one. The refusal says which rate is missing.
pub fn in_fund(s: &Situation, lines: &[LineDecision], today: Date) -> Result<Option<(Money, Rate)>, Refusal> {
    let Some(fund) = s.cycle.fund().and_then(|fund| s.fund(fund)).filter(|fund| fund.currency != s.cycle.currency)
    else {
        return Ok(None);
    };
    let mut purse = Purse::of(s);
    purse.at(|| rate_of(s, fund, today))?;
    let mut moves = 0;
    for campaign in &s.cycle.campaigns {
        let more = more_for(&s.cycle, lines, campaign.no).max(-purse.committed(&s.cycle, campaign.no));
        moves += purse.count(campaign.no, more).map_err(|_| too_large())?;
    }
    Ok(purse.kept.map(|kept| (Money::new(moves, fund.currency), kept.rate)))
}

/// What a campaign holds already: committed, and claimed or paid by its claims. In minor units of the cycle's currency.
pub(in crate::steps) fn held_by(cycle: &Cycle, purse: &Purse, campaign: u16) -> i64 {
    let claims: i64 = cycle.claims.iter().filter(|claim| claim.campaign == campaign).map(Claim::held).sum();
    purse.committed(cycle, campaign) + claims
}

/// What is committed to a campaign and not yet claimed, in minor units of the cycle's currency.
pub fn committed(cycle: &Cycle, book: &Book, campaign: u16) -> i64 {
    match &cycle.approval.exchange {
        Some(kept) => kept.held(campaign),
        None => committed_in(cycle, book, campaign),
    }
}

/// The same as the fund's book has it, in the fund's currency.
pub(in crate::steps) fn committed_in(cycle: &Cycle, book: &Book, campaign: u16) -> i64 {
    book.total(|account| {
        account.kind == AccountKind::Committed && account.cycle == Some(cycle.id) && account.item == Some(campaign)
    })
}

/// The decision page's figures: what the fund and the wallet hold now.
pub struct Effect {
    pub fund_free: Money,
    pub wallet_free: Option<Money>,
}

pub fn effect(s: &Situation, today: Date) -> Option<Effect> {
    let fund = s.fund(s.cycle.fund()?)?;
    let unallocated = s.book.minor(&Account::unallocated(fund.id));
    Some(Effect {
        fund_free: Money::new(unallocated, fund.currency),
        wallet_free: (!fund.kind.is_shared()).then(|| free_in(s, fund, today)),
    })
}

/// A campaign's commitment has become less by this much; the book says so itself where it is kept in the same currency.
pub(in crate::steps) fn let_go(cycle: &mut Cycle, campaign: u16, amount: Money) {
    if let Some(kept) = &mut cycle.approval.exchange {
        kept.count(campaign, -amount.minor);
    }
}

/// The cycle ends: nothing is committed any more.
pub(crate) fn let_go_of_all(cycle: &mut Cycle) {
    if let Some(kept) = &mut cycle.approval.exchange {
        kept.committed.clear();
    }
}
