//! The bank sent a payment of a batch back: one report and one confirmation for all its claims, each recorded by a
//! command of its own cycle. The batch keeps what the bank was asked to pay; how far it came back follows from its claims.

use crate::Engine;
use crate::advance::{Advanced, Submission};
use crate::error::{Error, Result};
use domain::Date;
use domain::ids::CycleId;
use domain::machine;
use domain::people::Actor;
use domain::refusal::{Reason, Refusal};
use domain::settlement::{Batch, BatchPayment};
use domain::steps::s7_execution::{self, InBatch, Payment};
use serde::{Deserialize, Serialize};
use storage::{Viewer, WhichCycle};

/// What finance says of a whole payment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum PaymentReturn {
    /// The bank sent it back on that day; a second person confirms.
    Report {
        payment: u16,
        reason: String,
        on: Date,
        reference: String,
    },
    Confirm {
        payment: u16,
    },
    Reject {
        payment: u16,
        reason: String,
    },
}

/// What a payment of a batch transferred for one claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Covered {
    pub cycle: CycleId,
    /// The cycle's number.
    pub number: String,
    pub claim: u16,
    /// Its number among the claim's payments.
    pub no: u16,
    pub payment: Payment,
}

impl Covered {
    /// `C-2026-0042/2`
    pub fn name(&self) -> String {
        format!("{}/{}", self.number, self.claim)
    }
}

impl PaymentReturn {
    pub fn payment(&self) -> u16 {
        match self {
            PaymentReturn::Report { payment, .. }
            | PaymentReturn::Confirm { payment }
            | PaymentReturn::Reject { payment, .. } => *payment,
        }
    }

    fn of(&self, one: &Covered) -> s7_execution::Command {
        use s7_execution::Command as E;
        let (claim, payment) = (one.claim, one.no);
        match self.clone() {
            PaymentReturn::Report { reason, on, reference, .. } => {
                E::ReportPaymentReturn { claim, payment, on, reference, reason }
            }
            PaymentReturn::Confirm { .. } => E::ConfirmPaymentReturn { claim },
            PaymentReturn::Reject { reason, .. } => E::RejectPaymentReturn { claim, reason },
        }
    }

    /// The claim is where this leads already, by an earlier call or by hand.
    fn is_done(&self, one: &Covered) -> bool {
        match self {
            PaymentReturn::Report { .. } => one.payment.returned.is_some(),
            PaymentReturn::Confirm { .. } => one.payment.came_back().is_some(),
            PaymentReturn::Reject { .. } => one.payment.returned.is_none(),
        }
    }
}

impl Engine {
    /// The claims a payment transferred money for, with what is said of each; none before it is settled.
    pub async fn covered(&self, viewer: &Viewer, batch: &Batch, payment: &BatchPayment) -> Result<Vec<Covered>> {
        let by = Some(InBatch { number: batch.number.clone(), payment: payment.no });
        let mut covered = Vec::new();
        for claim in &payment.claims {
            let cycle = self.reader().cycle(viewer, WhichCycle::Id(claim.cycle)).await?;
            let payments = cycle.claim(claim.claim).map(|claim| claim.payments.as_slice()).unwrap_or_default();
            let found = (1..).zip(payments).find(|(_, found): &(u16, &Payment)| found.batch == by);
            covered.extend(found.filter(|(_, found)| found.transferred().is_positive()).map(|(no, found)| Covered {
                cycle: claim.cycle,
                number: claim.number.clone(),
                claim: claim.claim,
                no,
                payment: found.clone(),
            }));
        }
        Ok(covered)
    }

    /// Reports, confirms or rejects that a whole payment came back. Every claim is judged before the first is recorded;
    /// what another call has done already is passed over, so that after a crash anybody who may goes on where it ended.
    pub async fn payment_return(
        &self,
        actor: &Actor,
        number: &str,
        step: &PaymentReturn,
        once: &Submission,
    ) -> Result<Advanced> {
        if actor.me.is_partner() {
            return Err(Error::NotFound);
        }
        let viewer = Viewer::from(actor);
        let batch = self.reader().settlement(&viewer, number).await?;
        let payment = batch.payment(step.payment()).ok_or(Error::NotFound)?;
        let covered = self.covered(&viewer, &batch, payment).await?;
        if covered.is_empty() {
            let why = format!("Nothing of {} has been recorded as transferred.", batch.end_to_end(payment.no));
            return Err(Error::refused("nothing_transferred", why, "Only a payment that is paid can come back."));
        }
        for one in covered.iter().filter(|one| !step.is_done(one)) {
            let s = self.look(&viewer, WhichCycle::Id(one.cycle)).await?;
            let judged = machine::decide(&s, actor, &step.of(one).into(), self.clock.now());
            judged.map_err(|refusal| Error::Refused(named(one, refusal)))?;
        }
        let (mut words, mut passed) = (Vec::new(), None);
        for one in &covered {
            // A batch's version is no cycle's.
            let mut once = once.clone().part(&one.name());
            once.version = None;
            match self.advance(actor, WhichCycle::Id(one.cycle), &step.of(one).into(), &once).await {
                Ok(done) => words.extend(done.words),
                Err(Error::Refused(refusal)) if step.is_done(one) => passed = Some(named(one, refusal)),
                Err(Error::Refused(refusal)) => return Err(Error::Refused(named(one, refusal))),
                Err(other) => return Err(other),
            }
        }
        match passed {
            Some(refusal) if words.is_empty() => Err(Error::Refused(refusal)),
            _ => Ok(Advanced { number: batch.number.clone(), version: batch.version, words }),
        }
    }
}

/// The refusal, saying which claim it is about. What was typed is of the whole payment, so its field stays named.
fn named(one: &Covered, refusal: Refusal) -> Refusal {
    let told = |reason: Reason| Reason { why: format!("{}: {}", one.name(), reason.why), ..reason };
    Refusal { reasons: refusal.reasons.into_iter().map(told).collect() }
}
