//! Which claims may go into a batch, and what each partner is paid.

use super::{Batch, BatchClaim, BatchDecision, BatchPayment, BatchState, MOST_CLAIMS, PaymentState, finance, record};
use crate::Instant;
use crate::ids::{CycleId, FundId, PartnerId, SettlementId};
use crate::ledger::Account;
use crate::machine;
use crate::money::{Currency, Money};
use crate::people::Actor;
use crate::policy::rules;
use crate::refusal::Refusal;
use crate::steps::s7_execution;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A claim finance wants to pay.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// The cycle's number.
    pub number: String,
    pub claim: u16,
    /// An instalment in minor units of the batch's currency; nothing pays what is outstanding.
    #[serde(default)]
    pub minor: Option<i64>,
}

impl Pick {
    /// `C-2026-0042/2`
    pub fn name(&self) -> String {
        format!("{}/{}", self.number, self.claim)
    }
}

/// What is known beside the cycles themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ground {
    /// The version of each partner's payment details; none where they have named no account.
    pub details: BTreeMap<PartnerId, i64>,
    /// Claims that are in an open batch, by its number.
    pub batched: BTreeMap<(CycleId, u16), String>,
    /// What open batches already hold back, in minor units of the fund.
    pub planned: BTreeMap<(PartnerId, FundId), i64>,
}

/// A claim that may be paid, with whom it pays and what that partner still owes its fund.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picked {
    pub partner: PartnerId,
    pub partner_name: String,
    pub details: i64,
    /// To come back from the partner and not held back by another batch, in minor units of the claim's currency; nothing
    /// where the fund is kept in another one.
    pub owed: i64,
    /// Its offset is worked out with the others of the partner.
    pub claim: BatchClaim,
}

/// Whether this person may pay this claim in a batch of this currency: the same rules that will settle it.
pub fn judge(
    s: &machine::Situation,
    actor: &Actor,
    pick: &Pick,
    currency: Currency,
    ground: &Ground,
    now: Instant,
) -> Result<Picked, Refusal> {
    let cycle = &s.cycle;
    let missing = || Refusal::new("no_claim", "There is no such claim.", "Choose one from the list of claims.");
    let claim = cycle.claim(pick.claim).ok_or_else(missing)?;
    if let Some(number) = ground.batched.get(&(cycle.id, claim.no)) {
        let why = format!("The claim is in the open batch {number} already.");
        return Err(Refusal::new("in_batch", why, "Wait for that batch, or cancel it."));
    }
    if claim.clawback.is_some() {
        let why = "A claw back of this claim is proposed or done.";
        return Err(Refusal::new("clawback", why, "Settle the claw back first."));
    }
    if cycle.currency != currency {
        let why = format!("The claim is in {}, this batch is in {currency}.", cycle.currency);
        return Err(Refusal::new("currency", why, "Make another batch for that currency."));
    }
    let amount = pick.minor.map_or_else(|| claim.outstanding(), |minor| Money::new(minor, currency));
    may_pay(s, actor, claim.no, amount, now)?;
    let Some(details) = ground.details.get(&s.partner.id) else {
        let why = format!("{} has not said where its money is to be sent.", s.partner.name);
        return Err(Refusal::new("details", why, "Ask its administrator for the payment details."));
    };
    let no_fund = || Refusal::new("fund", "The claim has no fund.", "Ask the administrator.");
    let fund = cycle.fund().and_then(|fund| s.fund(fund)).ok_or_else(no_fund)?;
    let held = s.book.minor(&Account::recoverable(fund.id, s.partner.id));
    let planned = ground.planned.get(&(s.partner.id, fund.id)).copied().unwrap_or_default();
    let owed = (held - planned).max(0);
    if claim.in_fund.is_some() && owed > 0 {
        return Err(s7_execution::owes_another_currency(claim.no, Money::new(owed, fund.currency)));
    }
    Ok(Picked {
        partner: s.partner.id,
        partner_name: s.partner.name.clone(),
        details: *details,
        owed,
        claim: BatchClaim {
            cycle: cycle.id,
            number: cycle.number.clone(),
            claim: claim.no,
            title: cycle.title.clone(),
            fund: fund.id,
            fund_name: fund.name.clone(),
            amount,
            offset: Money::zero(currency),
        },
    })
}

/// Whether this person could settle this much of the claim themselves: requester, approver and payer are three.
pub(super) fn may_pay(
    s: &machine::Situation,
    actor: &Actor,
    claim: u16,
    amount: Money,
    now: Instant,
) -> Result<(), Refusal> {
    let settle = s7_execution::Command::RecordSettlement { claim, amount, reference: "-".to_owned() };
    machine::decide(s, actor, &settle.into(), now).map(|_| ())
}

/// Makes the batch: one payment a partner in order of their names, what a partner owes a fund held back from its first
/// claims of that fund.
pub fn build(
    (id, number): (SettlementId, String),
    currency: Currency,
    picked: Vec<Picked>,
    actor: &Actor,
    now: Instant,
) -> Result<BatchDecision, Refusal> {
    let (standing, by) = finance(actor)?;
    if picked.is_empty() {
        return Err(Refusal::new("no_claims", "The batch has no claim.", "Choose claims that are to be paid."));
    }
    if picked.len() > MOST_CLAIMS {
        let why = format!("A batch holds at most {MOST_CLAIMS} claims.");
        return Err(Refusal::new("too_many", why, "Make several batches."));
    }
    let batch = Batch {
        id,
        number,
        currency,
        version: 0,
        state: BatchState::Built,
        built_by: actor.user(),
        built_at: now,
        exported_at: None,
        pay_on: None,
        payments: payments(picked),
    };
    let claims = batch.claims().count();
    let claims = if claims == 1 { "1 claim".to_owned() } else { format!("{claims} claims") };
    let words = format!("{by} built the batch {}: {claims}, {} to transfer.", batch.number, batch.net());
    let payload = serde_json::to_value(&batch.payments).unwrap_or_default();
    Ok(record((actor, standing), batch, ("settlement.built", words, payload), Vec::new()))
}

fn payments(mut picked: Vec<Picked>) -> Vec<BatchPayment> {
    picked.sort_by(|one, other| {
        let key = |one: &Picked| (one.partner_name.clone(), one.partner, one.claim.number.clone(), one.claim.claim);
        key(one).cmp(&key(other))
    });
    let mut owed: BTreeMap<(PartnerId, FundId), i64> = BTreeMap::new();
    let mut payments: Vec<BatchPayment> = Vec::new();
    for Picked { partner, partner_name, details, owed: still, mut claim } in picked {
        let left = owed.entry((partner, claim.fund)).or_insert(still);
        (claim.offset, _) = rules::offset(claim.amount, Money::new(*left, claim.amount.currency));
        *left -= claim.offset.minor;
        match payments.last_mut().filter(|payment| payment.partner == partner) {
            Some(payment) => payment.claims.push(claim),
            None => payments.push(BatchPayment {
                no: u16::try_from(payments.len() + 1).unwrap_or(u16::MAX),
                partner,
                partner_name,
                details,
                claims: vec![claim],
                state: PaymentState::Open,
                reference: String::new(),
                paid_on: None,
                reason: String::new(),
            }),
        }
    }
    payments
}
