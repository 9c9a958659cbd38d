//! Money that was paid is asked back: one person in finance proposes it, a second one confirms it. Until then it can be
//! taken back, or rejected, and proposed again with another amount.

use super::super::{Case, Outcome, Stamp, Teller, Told, need_reason};
use super::claims::{Claim, ClaimState, numbered};
use super::payment::in_state;
use super::{Event, exchange};
use crate::ids::UserId;
use crate::ledger::{Account, Posting};
use crate::money::Money;
use crate::notice::Topic;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clawback {
    pub amount: Money,
    /// What is to come back to a fund of another currency, once it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_fund: Option<Money>,
    pub reason: String,
    pub proposed_by: UserId,
    #[serde(default)]
    pub in_place_of: Option<UserId>,
    pub confirmed_by: Option<UserId>,
}

impl Clawback {
    /// One of them proposed it, or it was proposed in their place.
    fn is_by(&self, people: &[UserId]) -> bool {
        people.contains(&self.proposed_by) || self.in_place_of.is_some_and(|user| people.contains(&user))
    }
}

pub(super) fn propose(case: &Case, no: u16, amount: Money, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let claim = in_state(case, no, &[ClaimState::Paid])?;
    need_reason(reason)?;
    if amount.currency != case.s.cycle.currency || !amount.is_positive() || amount.minor > claim.paid().minor {
        return Err(Refusal::at(
            "amount",
            "amount",
            format!("The claim was paid {}.", claim.paid()),
            "Ask back that much or less.",
        ));
    }
    if let Some((payment, ..)) = claim.return_open() {
        let why = format!("Payment {payment} of this claim is reported as returned.");
        return Err(Refusal::new("return_open", why, "Confirm or reject the return first."));
    }
    if claim.clawback.is_some() {
        return Err(Refusal::new(
            "already_proposed",
            "A claw back of this claim is proposed already.",
            "A second person confirms or rejects it.",
        ));
    }
    let reason = reason.trim().to_owned();
    Ok(vec![Event::ClawbackProposed { claim: no, amount, reason, in_place_of: case.in_place_of() }.into()])
}

pub(super) fn confirm(case: &Case, no: u16) -> Result<Vec<Outcome>, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    let (claim, clawback) = proposed(case, no)?;
    if clawback.is_by(&case.people()) {
        return Err(Refusal::new(
            "second_person",
            "You, or the colleague you stand in for, proposed this claw back.",
            "A second person in finance confirms it.",
        ));
    }
    let Some(fund) = cycle.fund() else {
        return Err(Refusal::new("fund", "The claim has no fund.", "Ask the administrator."));
    };
    if let Some((owed, postings)) = exchange::clawed_back(s, claim, clawback.amount) {
        let event = Event::ClawedBack { claim: no, amount: clawback.amount, in_fund: Some(owed) };
        return Ok(vec![Outcome::with(event, postings)]);
    }
    let posting = Posting {
        from: Account::paid(fund, s.partner.id, cycle.id, no),
        to: Account::recoverable(fund, s.partner.id),
        amount: clawback.amount,
    };
    Ok(vec![Outcome::with(Event::ClawedBack { claim: no, amount: clawback.amount, in_fund: None }, vec![posting])])
}

/// A proposal ends without money: whoever made it takes it back, anybody else in finance rejects it.
pub(super) fn reject(case: &Case, no: u16, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let (_, clawback) = proposed(case, no)?;
    need_reason(reason)?;
    let withdrawn = clawback.is_by(&case.people());
    let (amount, reason) = (clawback.amount, reason.trim().to_owned());
    Ok(vec![Event::ClawbackRejected { claim: no, amount, reason, withdrawn }.into()])
}

fn proposed<'a>(case: &'a Case, no: u16) -> Result<(&'a Claim, &'a Clawback), Refusal> {
    let claim = in_state(case, no, &[ClaimState::Paid])?;
    let clawback = claim.clawback.as_ref().ok_or_else(|| {
        Refusal::new("not_proposed", "No claw back of this claim is proposed.", "Propose it first, with a reason.")
    })?;
    Ok((claim, clawback))
}

pub(super) fn apply(claim: &mut Claim, event: &Event, stamp: Stamp) {
    match event {
        Event::ClawbackProposed { amount, reason, in_place_of, .. } => {
            claim.clawback = Some(Clawback {
                amount: *amount,
                in_fund: None,
                reason: reason.clone(),
                proposed_by: stamp.by,
                in_place_of: *in_place_of,
                confirmed_by: None,
            });
        }
        Event::ClawbackRejected { .. } => claim.clawback = None,
        Event::ClawedBack { in_fund, .. } => {
            if let Some(clawback) = &mut claim.clawback {
                clawback.in_fund = *in_fund;
                clawback.confirmed_by = Some(stamp.by);
            }
            claim.state = ClaimState::ClawedBack;
        }
        _ => {}
    }
}

pub(super) fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    let to_finance = |topic, no| numbered(teller, teller.to_finance(topic, &format!("/claims/{no}")), no);
    match event {
        Event::ClawbackProposed { claim, amount, reason, .. } => {
            Told::new("claim.clawback_proposed", format!("{by} asks {amount} of claim {claim} back: “{reason}”"))
                .to(to_finance(Topic::ClawbackProposed, *claim).amount(*amount).reason(reason))
        }
        Event::ClawbackRejected { claim, amount, reason, withdrawn } => {
            let did = if *withdrawn { "took back" } else { "rejected" };
            Told::new("claim.clawback_rejected", format!("{by} {did} the claw back of claim {claim}: “{reason}”"))
                .to(to_finance(Topic::ClawbackRejected, *claim).amount(*amount).reason(reason))
        }
        // What comes back to a fund of another currency tells of the rates paid, which no partner reads.
        Event::ClawedBack { claim, amount, .. } => {
            let words = format!("{by} confirmed: {amount} of claim {claim} is to come back.");
            let notice = numbered(teller, teller.to_partner(Topic::ClawedBack, &format!("/claims/{claim}")), *claim);
            Told::new("claim.clawed_back", words).to(notice.amount(*amount))
        }
        _ => Told::quiet("execution.noted", ""),
    }
}
