//! A payment that was recorded and that the bank sends back days later: the account is closed, the name is wrong. One
//! person in finance reports it, a second one confirms it; then what was transferred is to be paid again. What was held back
//! of the payment stays held back.

use super::super::{Case, Outcome, Stamp, Teller, Told, check_text, need_reason};
use super::claims::{Claim, ClaimState, numbered};
use super::payment::{Payment, in_state};
use super::{Event, exchange};
use crate::Date;
use crate::cycle::Cycle;
use crate::ids::UserId;
use crate::ledger::{Account, Posting};
use crate::money::Money;
use crate::notice::Topic;
use crate::refusal::{Reason, Refusal};
use chrono::Days;
use serde::{Deserialize, Serialize};

/// What came back of a payment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Returned {
    /// The day the money was back, and the bank's reference of it.
    pub on: Date,
    pub reference: String,
    /// What the bank says.
    pub reason: String,
    /// All that was transferred.
    pub amount: Money,
    /// What that undoes in a fund of another currency, once it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_fund: Option<Undone>,
    pub reported_by: UserId,
    #[serde(default)]
    pub in_place_of: Option<UserId>,
    pub confirmed_by: Option<UserId>,
}

/// The part of [`super::InFund`] that was transferred.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Undone {
    pub committed: Money,
    pub due: Money,
}

impl Returned {
    /// One of them reported it, or it was reported in their place.
    fn is_by(&self, people: &[UserId]) -> bool {
        people.contains(&self.reported_by) || self.in_place_of.is_some_and(|user| people.contains(&user))
    }
}

pub(super) fn report(
    case: &Case,
    no: u16,
    payment: u16,
    (on, reference): (Date, &str),
    reason: &str,
) -> Result<Vec<Outcome>, Refusal> {
    let claim = in_state(case, no, &[ClaimState::PartPaid, ClaimState::Paid])?;
    let paid = usize::from(payment).checked_sub(1).and_then(|index| claim.payments.get(index)).ok_or_else(|| {
        let why = format!("Claim {no} has no payment {payment}.");
        Refusal::new("no_payment", why, "Choose one of its payments; they are numbered from 1.")
    })?;
    if claim.clawback.is_some() {
        let why = "A claw back of this claim is proposed.";
        return Err(Refusal::new("clawback", why, "Confirm or reject the claw back first."));
    }
    if let Some((open, ..)) = claim.return_open() {
        let why = format!("The return of payment {open} is reported already.");
        return Err(Refusal::new("already_reported", why, "A second person confirms or rejects it."));
    }
    if paid.returned.is_some() {
        let why = format!("Payment {payment} of this claim came back already.");
        return Err(Refusal::new("came_back", why, "Choose the payment that was made in its place."));
    }
    if !paid.transferred().is_positive() {
        let why = format!("Payment {payment} was held back as a whole: the bank transferred nothing.");
        return Err(Refusal::new("nothing_transferred", why, "Choose another payment."));
    }
    let mut reasons = Vec::new();
    check_text("reference", "The bank's reference", reference, 120, &mut reasons);
    // A bank to the west of here may still write the day before.
    if on > case.today || on + Days::new(1) < paid.at.date_naive() {
        let why = "The payment came back before it was made, or on a day still to come.";
        reasons.push(Reason::new("on", why, "Enter the day the bank booked it back.").at("on"));
    }
    Refusal::unless_empty(reasons)?;
    need_reason(reason)?;
    let returned = Returned {
        on,
        reference: reference.trim().to_owned(),
        reason: reason.trim().to_owned(),
        amount: paid.transferred(),
        in_fund: None,
        reported_by: case.actor.user(),
        in_place_of: case.in_place_of(),
        confirmed_by: None,
    };
    Ok(vec![Event::PaymentReturnReported { claim: no, payment, returned }.into()])
}

pub(super) fn confirm(case: &Case, no: u16) -> Result<Vec<Outcome>, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    let (claim, payment, paid, returned) = reported(case, no)?;
    if returned.is_by(&case.people()) {
        return Err(Refusal::new(
            "second_person",
            "You, or the colleague you stand in for, reported this return.",
            "A second person in finance confirms it.",
        ));
    }
    let amount = returned.amount;
    if let Some((undone, postings)) = exchange::undone(s, claim, paid)? {
        let event = Event::PaymentReturned { claim: no, payment, amount, in_fund: Some(undone) };
        return Ok(vec![Outcome::with(event, postings)]);
    }
    let Some(fund) = cycle.fund() else {
        return Err(Refusal::new("fund", "The claim has no fund.", "Ask the administrator."));
    };
    let posting = Posting {
        from: Account::paid(fund, s.partner.id, cycle.id, no),
        to: Account::claimed(fund, s.partner.id, cycle.id, no),
        amount,
    };
    Ok(vec![Outcome::with(Event::PaymentReturned { claim: no, payment, amount, in_fund: None }, vec![posting])])
}

/// It did not come back after all: whoever reported it takes it back, anybody else in finance rejects it.
pub(super) fn reject(case: &Case, no: u16, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let (_, payment, _, returned) = reported(case, no)?;
    need_reason(reason)?;
    let withdrawn = returned.is_by(&case.people());
    let (amount, reason) = (returned.amount, reason.trim().to_owned());
    Ok(vec![Event::PaymentReturnRejected { claim: no, payment, amount, reason, withdrawn }.into()])
}

fn reported<'a>(case: &'a Case, no: u16) -> Result<(&'a Claim, u16, &'a Payment, &'a Returned), Refusal> {
    let claim = in_state(case, no, &[ClaimState::PartPaid, ClaimState::Paid])?;
    let (payment, paid, returned) = claim.return_open().ok_or_else(|| {
        let why = "No payment of this claim is reported as returned.";
        Refusal::new("not_reported", why, "Report it first, with the day and the bank's reason.")
    })?;
    Ok((claim, payment, paid, returned))
}

/// A cycle does not end while a second person is to say whether a payment came back.
pub(crate) fn no_payment_waits(cycle: &Cycle) -> Result<(), Refusal> {
    let Some(claim) = cycle.claims.iter().find(|claim| claim.return_open().is_some()) else { return Ok(()) };
    Err(Refusal::new(
        "return_open",
        format!("A payment of claim {} is said to have come back from the bank.", claim.no),
        "Have a second person in finance confirm or reject that first.",
    ))
}

pub(super) fn apply(claim: &mut Claim, event: &Event, stamp: Stamp) {
    let (Event::PaymentReturnReported { payment, .. }
    | Event::PaymentReturnRejected { payment, .. }
    | Event::PaymentReturned { payment, .. }) = event
    else {
        return;
    };
    let index = usize::from(*payment).wrapping_sub(1);
    let Some(paid) = claim.payments.get_mut(index) else { return };
    match event {
        Event::PaymentReturnReported { returned, .. } => paid.returned = Some(returned.clone()),
        Event::PaymentReturnRejected { .. } => paid.returned = None,
        Event::PaymentReturned { in_fund, .. } => {
            if let Some(returned) = &mut paid.returned {
                returned.in_fund = *in_fund;
                returned.confirmed_by = Some(stamp.by);
            }
            claim.state = if claim.paid().is_zero() { ClaimState::Payable } else { ClaimState::PartPaid };
        }
        _ => {}
    }
}

pub(super) fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    let to_finance = |topic, no| numbered(teller, teller.to_finance(topic, &format!("/claims/{no}")), no);
    match event {
        Event::PaymentReturnReported { claim, returned, .. } => {
            let Returned { amount, reason, reference, .. } = returned;
            let words =
                format!("{by} reports that the bank sent {amount} of claim {claim} back ({reference}): “{reason}”");
            let notice = to_finance(Topic::PaymentReturnReported, *claim).amount(*amount).reason(reason);
            Told::new("claim.return_reported", words).to(notice)
        }
        Event::PaymentReturnRejected { claim, amount, reason, withdrawn, .. } => {
            let did = if *withdrawn { "took back" } else { "rejected" };
            let words = format!("{by} {did} the report that {amount} of claim {claim} came back: “{reason}”");
            let notice = to_finance(Topic::PaymentReturnRejected, *claim).amount(*amount).reason(reason);
            Told::new("claim.return_rejected", words).to(notice)
        }
        Event::PaymentReturned { claim, payment, amount, .. } => {
            let words =
                format!("{by} confirmed: the bank sent {amount} of claim {claim} back; it is to be paid again.");
            let index = usize::from(*payment).wrapping_sub(1);
            let paid = teller.cycle.claim(*claim).and_then(|claim| claim.payments.get(index)?.returned.as_ref());
            let reason = paid.map_or("", |returned| returned.reason.as_str());
            let to_partner =
                numbered(teller, teller.to_partner(Topic::PaymentReturned, &format!("/claims/{claim}")), *claim);
            Told::new("claim.payment_returned", words).to(to_partner.amount(*amount).reason(reason)).to(to_finance(
                Topic::PaymentReturned,
                *claim,
            )
            .amount(*amount)
            .reason(reason))
        }
        _ => Told::quiet("execution.noted", ""),
    }
}
