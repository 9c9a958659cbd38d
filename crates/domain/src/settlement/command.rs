//! What finance does with a batch once it is built.

use super::build::may_pay;
use super::{Batch, BatchDecision, BatchPayment, BatchState, PaymentState, finance, record};
use crate::calendar::words;
use crate::ids::PartnerId;
use crate::machine;
use crate::money::Money;
use crate::notice::{Audience, Facts, Notice, Topic};
use crate::people::Actor;
use crate::refusal::{Reason, Refusal};
use crate::steps::{check_optional, check_text, need_reason};
use crate::{Date, Instant};
use chrono::Days;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A payment further ahead than this is a slip of the pen.
const AHEAD_DAYS: u64 = 92;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Before it is exported; its claims are free again.
    Cancel { reason: String },
    /// The files are made; from here on its payments may reach the bank.
    Export {
        pay_on: Date,
        /// Payment details that changed since the batch was built were looked at, and are to be used.
        #[serde(default)]
        changes_checked: bool,
    },
    /// What the bank, or somebody by hand, says of payments.
    Record { outcomes: Vec<Outcome> },
    /// The claims of a payment have been settled: it is paid. Issued by the machine, never by a form or a call.
    #[serde(skip_deserializing)]
    Finish { payment: u16, settled: Vec<Settled> },
}

/// What became of one payment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    Paid { payment: u16, on: Date, reference: String },
    Rejected { payment: u16, reason: String },
}

impl Outcome {
    pub fn payment(&self) -> u16 {
        match self {
            Outcome::Paid { payment, .. } | Outcome::Rejected { payment, .. } => *payment,
        }
    }
}

/// What was settled of a claim of the payment, in the order of its claims: what was transferred, and what was held back
/// of it as far as the partner still owed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settled {
    pub amount: Money,
    pub offset: Money,
}

/// What the rules of a batch may look at.
#[derive(Clone, PartialEq, Debug)]
pub struct Situation<'a> {
    pub batch: Batch,
    /// The version of each partner's payment details now.
    pub details: BTreeMap<PartnerId, i64>,
    /// The cycles behind the payments a command is about.
    pub cycles: Vec<&'a machine::Situation>,
}

/// Judges what finance does with a batch.
pub fn decide(s: &Situation, actor: &Actor, command: &Command, now: Instant) -> Result<BatchDecision, Refusal> {
    let (standing, by) = finance(actor)?;
    let mut batch = s.batch.clone();
    let (kind, words, notices) = match command {
        Command::Cancel { reason } => {
            in_state(&batch, BatchState::Built, "cancelled")?;
            need_reason(reason)?;
            batch.state = BatchState::Cancelled;
            ("settlement.cancelled", format!("{by} cancelled the batch: “{}”", reason.trim()), Vec::new())
        }
        Command::Export { pay_on, changes_checked } => {
            export(s, actor, &mut batch, (*pay_on, *changes_checked), now)?;
            let words = format!("{by} exported {} of {}.", counted(batch.payments.len(), "payment"), batch.net());
            ("settlement.exported", words, Vec::new())
        }
        Command::Record { outcomes } => {
            let words = record_outcomes(s, actor, &mut batch, outcomes, now)?;
            ("settlement.recorded", format!("{by} recorded {words}."), Vec::new())
        }
        Command::Finish { payment, settled } => {
            let (words, notice) = finish(&mut batch, *payment, settled, &actor.me.name)?;
            ("settlement.paid", words, vec![notice])
        }
    };
    close_if_over(&mut batch);
    let payload = serde_json::to_value(command).unwrap_or_default();
    Ok(record((actor, standing), batch, (kind, words, payload), notices))
}

fn in_state(batch: &Batch, state: BatchState, what: &str) -> Result<(), Refusal> {
    if batch.state == state {
        return Ok(());
    }
    let why = format!("The batch is {} and cannot be {what}.", batch.state.code());
    Err(Refusal::new("batch_state", why, "Look at the batch again; it has moved on."))
}

fn export(
    s: &Situation,
    actor: &Actor,
    batch: &mut Batch,
    (pay_on, changes_checked): (Date, bool),
    now: Instant,
) -> Result<(), Refusal> {
    in_state(batch, BatchState::Built, "exported")?;
    if pay_on < now.date_naive() {
        let why = "The bank cannot pay on a day that is over.";
        return Err(Refusal::at("pay_on", "pay_on", why, "Choose today or a later day."));
    }
    if pay_on > now.date_naive() + Days::new(AHEAD_DAYS) {
        let why = format!("{} is more than {AHEAD_DAYS} days ahead.", words(pay_on));
        return Err(Refusal::at("pay_on", "pay_on", why, "Choose a day within a quarter of a year."));
    }
    for payment in &batch.payments {
        may_pay_all(s, actor, payment, now)?;
    }
    let changed: Vec<&str> = batch
        .payments
        .iter()
        .filter(|payment| s.details.get(&payment.partner) != Some(&payment.details))
        .map(|payment| payment.partner_name.as_str())
        .collect();
    if !changed.is_empty() && !changes_checked {
        let why = format!("The payment details of {} changed after this batch was built.", changed.join(", "));
        return Err(Refusal::at("changes_checked", "details_changed", why, "Look at them, then say that you have."));
    }
    for payment in &mut batch.payments {
        payment.details = s.details.get(&payment.partner).copied().unwrap_or(payment.details);
    }
    batch.state = BatchState::Exported;
    batch.exported_at = Some(now);
    batch.pay_on = Some(pay_on);
    Ok(())
}

/// Every claim of a payment, as if this person settled it alone.
fn may_pay_all(s: &Situation, actor: &Actor, payment: &BatchPayment, now: Instant) -> Result<(), Refusal> {
    for claim in &payment.claims {
        let gone = || Refusal::new("no_claim", format!("{} is gone.", claim.name()), "Ask the administrator.");
        let cycle = s.cycles.iter().find(|cycle| cycle.cycle.id == claim.cycle).ok_or_else(gone)?;
        may_pay(cycle, actor, claim.claim, claim.amount, now).map_err(|refusal| named(&claim.name(), refusal))?;
    }
    Ok(())
}

/// The refusal, saying which claim it is about.
fn named(claim: &str, refusal: Refusal) -> Refusal {
    let told = |reason: Reason| Reason { why: format!("{claim}: {}", reason.why), field: None, ..reason };
    Refusal { reasons: refusal.reasons.into_iter().map(told).collect() }
}

fn record_outcomes(
    s: &Situation,
    actor: &Actor,
    batch: &mut Batch,
    outcomes: &[Outcome],
    now: Instant,
) -> Result<String, Refusal> {
    in_state(batch, BatchState::Exported, "marked as paid")?;
    let numbers: BTreeSet<u16> = outcomes.iter().map(Outcome::payment).collect();
    if outcomes.is_empty() || numbers.len() != outcomes.len() {
        let why = "Each payment is told of once, and at least one is.";
        return Err(Refusal::new("outcomes", why, "Leave out the lines that repeat another."));
    }
    let name = batch.number.clone();
    for outcome in outcomes {
        let no = outcome.payment();
        let unknown = || Refusal::new("no_payment", format!("{name} has no payment {no}."), "Compare the numbers.");
        let payment = batch.payments.iter_mut().find(|payment| payment.no == no).ok_or_else(unknown)?;
        if payment.state != PaymentState::Open {
            let why = format!("Payment {name}-{no} is {} already.", payment.state.label());
            return Err(Refusal::new("payment_state", why, "Leave its line out."));
        }
        match outcome {
            Outcome::Paid { on, reference, .. } => {
                let mut reasons = Vec::new();
                check_text("reference", "The payment reference", reference, 120, &mut reasons);
                if *on > now.date_naive() {
                    let why = "The payment is dated in the future.";
                    reasons.push(Reason::new("paid_on", why, "Enter the day the bank paid.").at("on"));
                }
                // A bank to the west of here may still write the day before.
                let exported = batch.exported_at.map(|at| at.date_naive() - Days::new(1));
                if exported.is_some_and(|day| *on < day) {
                    let why = "The payment is dated before its batch was exported.";
                    reasons.push(Reason::new("paid_on", why, "Enter the day the bank paid.").at("on"));
                }
                Refusal::unless_empty(reasons)?;
                may_pay_all(s, actor, payment, now)?;
                payment.state = PaymentState::Settling;
                payment.paid_on = Some(*on);
                reference.trim().clone_into(&mut payment.reference);
            }
            Outcome::Rejected { reason, .. } => {
                let mut reasons = Vec::new();
                check_optional("reason", "The reason", reason, 500, &mut reasons);
                Refusal::unless_empty(reasons)?;
                payment.state = PaymentState::Rejected;
                reason.trim().clone_into(&mut payment.reason);
            }
        }
    }
    let rejected = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Rejected { .. })).count();
    let (paid, rejected) = (counted(outcomes.len() - rejected, "payment"), counted(rejected, "payment"));
    Ok(match (paid.starts_with("0 "), rejected.starts_with("0 ")) {
        (false, true) => format!("{paid} as paid by the bank"),
        (true, _) => format!("{rejected} as rejected"),
        (false, false) => format!("{paid} as paid by the bank and {rejected} as rejected"),
    })
}

fn finish(batch: &mut Batch, no: u16, settled: &[Settled], by: &str) -> Result<(String, Notice), Refusal> {
    let name = batch.end_to_end(no);
    let payment = batch.payments.iter_mut().find(|payment| payment.no == no);
    let Some(payment) = payment.filter(|payment| payment.state == PaymentState::Settling) else {
        let why = format!("Payment {name} is not being settled.");
        return Err(Refusal::new("payment_state", why, "Look at the batch again; it has moved on."));
    };
    for (claim, settled) in payment.claims.iter_mut().zip(settled) {
        (claim.amount, claim.offset) = (settled.amount, settled.offset);
    }
    payment.state = PaymentState::Paid;
    let words = format!("{name} is paid: {} to {} ({}).", payment.net(), payment.partner_name, payment.reference);
    Ok((words, remittance(&batch.number, payment, by)))
}

/// One mail a payment: which claims, how much of each, what was held back, by which reference.
fn remittance(batch: &str, payment: &BatchPayment, by: &str) -> Notice {
    let mut lines: Vec<(String, Money)> =
        payment.claims.iter().map(|claim| (format!("Claim {}", claim.name()), claim.amount)).collect();
    // What was to be settled by an offset alone, and is no longer owed, is not told of.
    lines.retain(|(_, amount)| amount.is_positive());
    if payment.offset().is_positive() {
        lines.push(("Held back against an earlier claw back".to_owned(), payment.offset()));
    }
    let facts = Facts {
        number: format!("{batch}-{}", payment.no),
        partner: payment.partner_name.clone(),
        by: by.to_owned(),
        amount: Some(payment.net()),
        due: payment.paid_on,
        item: Some(payment.reference.clone()),
        path: format!("/remittances/{batch}/{}", payment.no),
        lines,
        ..Facts::default()
    };
    Notice { topic: Topic::Remittance, audience: Audience::Partner(payment.partner), facts }
}

fn close_if_over(batch: &mut Batch) {
    let over = |payment: &BatchPayment| matches!(payment.state, PaymentState::Paid | PaymentState::Rejected);
    if batch.state == BatchState::Exported && batch.payments.iter().all(over) {
        batch.state = BatchState::Settled;
    }
}

fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
