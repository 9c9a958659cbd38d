//! Settlement batches: built from payable claims, sent to the bank as files, and settled by what the bank says.
//!
//! A payment that came back as paid is first recorded, then its claims are settled one by one through
//! [`Engine::advance`], then it is finished. Each of these is a transaction of its own under a key made of batch, payment
//! and claim, whoever issues it: after a crash anybody in finance continues, and nothing is paid twice.

pub mod bank;
mod bills;
mod pain;
pub mod returned;
pub mod returns;

use crate::Engine;
use crate::advance::{Advanced, Submission, same_version};
use crate::error::{Error, Result};
use crate::notices;
use domain::Instant;
use domain::ids::{CycleId, PartnerId, SettlementId};
use domain::machine;
use domain::money::Currency;
use domain::payee::PaymentDetails;
use domain::people::{Actor, Role};
use domain::refusal::{Reason, Refusal};
use domain::settlement::{self, Batch, BatchPayment, Command, Ground, Outcome, PaymentState, Pick, Picked, Settled};
use domain::steps::s7_execution::{self, InBatch};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use storage::{CycleParts, Tx, Viewer, WhichCycle};
use uuid::Uuid;

/// What finance builds a batch of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    pub currency: Currency,
    pub claims: Vec<Pick>,
}

/// A batch before it is built: what would go out, and what may not.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// Nothing where no claim may be paid.
    pub batch: Option<Batch>,
    /// The claim's name, and why it is left out.
    pub refused: Vec<(Pick, Refusal)>,
}

/// The claims that may be paid, and those that may not.
type Judged = (Vec<Picked>, Vec<(Pick, Refusal)>);

/// Whose payment details.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A partner's, kept by its administrators.
    Partner(PartnerId),
    /// The account the house pays a currency from, kept by finance.
    House(Currency),
}

impl Owner {
    pub fn key(self) -> String {
        match self {
            Owner::Partner(partner) => partner.to_string(),
            Owner::House(currency) => currency.code().to_owned(),
        }
    }
}

impl NewBatch {
    /// The cycles' numbers in order: cycles are locked in it, so that two batches never wait for each other in a ring.
    fn numbers(&self) -> BTreeSet<&str> {
        self.claims.iter().map(|pick| pick.number.as_str()).collect()
    }
}

impl Engine {
    /// What a batch of these claims would be; nothing is changed.
    pub async fn check_batch(&self, actor: &Actor, new: &NewBatch) -> Result<Checked> {
        let viewer = Viewer::from(actor);
        let mut parts = Vec::new();
        for number in new.numbers() {
            match self.reader().cycle_parts(&viewer, WhichCycle::Number(number)).await {
                Ok(found) => parts.push(found),
                Err(storage::Error::NotFound) => {}
                Err(other) => return Err(other.into()),
            }
        }
        let (partners, cycles) = ids(&parts);
        let ground = self.reader().settlement_ground(&viewer, &partners, &cycles).await?;
        let now = self.clock.now();
        let (picked, refused) = self.judged(actor, new, parts, &ground, now)?;
        let built = settlement::build((SettlementId(Uuid::nil()), String::new()), new.currency, picked, actor, now);
        Ok(Checked { batch: built.ok().map(|decision| decision.batch().clone()), refused })
    }

    /// Builds a batch of exactly these claims; where one may not be paid, or was taken meanwhile, says so and builds none.
    pub async fn build_batch(&self, actor: &Actor, new: &NewBatch, once: &Submission) -> Result<Advanced> {
        self.once(actor, once, new, async |tx, now| {
            let parts = lock_all(tx, &Viewer::from(actor), new.numbers()).await?;
            let (partners, cycles) = ids(&parts);
            // The number is taken first: batches are built one after the other, so that none holds back what another does.
            let number = tx.next_settlement_number(chrono::Datelike::year(&now)).await?;
            let ground = tx.settlement_ground(&partners, &cycles).await?;
            let (picked, refused) = self.judged(actor, new, parts, &ground, now)?;
            if !refused.is_empty() {
                return Err(Error::Refused(left_out(refused)));
            }
            let id = SettlementId(Uuid::now_v7());
            let decision = settlement::build((id, number), new.currency, picked, actor, now)?;
            let recorded = tx.insert_settlement(&decision, actor, now).await.map_err(taken)?;
            tracing::info!(batch = %recorded.number, "built");
            let words = vec![decision.entry().words.clone()];
            Ok(Advanced { number: recorded.number, version: recorded.version, words })
        })
        .await
    }

    fn judged(
        &self,
        actor: &Actor,
        new: &NewBatch,
        parts: Vec<CycleParts>,
        ground: &Ground,
        now: Instant,
    ) -> Result<Judged> {
        let mut cycles = BTreeMap::new();
        for one in parts {
            cycles.insert(one.cycle.number.clone(), self.situation(one)?);
        }
        let (mut picked, mut refused, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for pick in new.claims.iter().filter(|pick| seen.insert((pick.number.as_str(), pick.claim))) {
            let judged = match cycles.get(&pick.number) {
                Some(s) => settlement::judge(s, actor, pick, new.currency, ground, now),
                None => Err(Refusal::new("no_claim", "There is no such claim.", "Choose one from the list of claims.")),
            };
            match judged {
                Ok(one) => picked.push(one),
                Err(refusal) => refused.push((pick.clone(), refusal)),
            }
        }
        Ok((picked, refused))
    }

    /// Carries out what finance does with a batch. Payments recorded as paid are settled by [`Engine::settle_batch`].
    pub async fn batch(&self, actor: &Actor, number: &str, command: &Command, once: &Submission) -> Result<Advanced> {
        // A batch holds many partners' payments; no partner is told which numbers there are.
        if actor.me.is_partner() {
            return Err(Error::NotFound);
        }
        self.once(actor, once, &(number, command), async |tx, now| {
            let batch = tx.lock_settlement(number).await?;
            same_version(tx, (batch.id.0, batch.version), once, now).await?;
            let concerned: Vec<&BatchPayment> = batch.payments.iter().filter(|one| concerns(command, one.no)).collect();
            let numbers = concerned.iter().flat_map(|one| one.claims.iter().map(|claim| claim.number.as_str()));
            let parts = lock_all(tx, &Viewer::from(actor), numbers.collect()).await?;
            let partners: Vec<PartnerId> = batch.payments.iter().map(|payment| payment.partner).collect();
            let details = tx.settlement_ground(&partners, &[]).await?.details;
            let cycles =
                parts.into_iter().map(|one| self.situation(one)).collect::<Result<Vec<machine::Situation>>>()?;
            let situation = settlement::Situation { batch, details, cycles: cycles.iter().collect() };
            let decision = settlement::decide(&situation, actor, command, now)?;
            let recorded = tx.record_settlement(&decision, actor, now).await?;
            notices::enqueue(self, tx, decision.entry().notices.iter(), actor, now).await?;
            tracing::info!(batch = %number, kind = decision.entry().kind.as_str(), "batch moved");
            let words = vec![decision.entry().words.clone()];
            Ok(Advanced { number: recorded.number, version: recorded.version, words })
        })
        .await
    }

    /// Records what became of payments, then settles those that were paid.
    pub async fn record_payments(
        &self,
        actor: &Actor,
        number: &str,
        outcomes: Vec<Outcome>,
        once: &Submission,
    ) -> Result<Advanced> {
        let mut done = self.batch(actor, number, &Command::Record { outcomes }, once).await?;
        let settled = self.settle_batch(actor, number).await?;
        done.words.extend(settled.words);
        Ok(Advanced { version: settled.version, ..done })
    }

    /// Settles the claims of every payment that is recorded as paid and not finished yet. What a rule refuses is told and
    /// left as it is; a retry, by whomever, goes on where this one ended.
    pub async fn settle_batch(&self, actor: &Actor, number: &str) -> Result<Advanced> {
        let viewer = Viewer::from(actor);
        let batch = self.reader().settlement(&viewer, number).await?;
        let mut words = Vec::new();
        for payment in batch.payments.iter().filter(|payment| payment.state == PaymentState::Settling) {
            match self.settle_payment(actor, &batch, payment).await {
                Ok(said) => words.extend(said),
                Err(Error::Refused(refusal)) => {
                    words.push(format!("{} is not settled yet. {refusal}", batch.end_to_end(payment.no)));
                }
                Err(other) => return Err(other),
            }
        }
        let version = self.reader().settlement(&viewer, number).await?.version;
        Ok(Advanced { number: number.to_owned(), version, words })
    }

    async fn settle_payment(&self, actor: &Actor, batch: &Batch, payment: &BatchPayment) -> Result<Vec<String>> {
        let name = batch.end_to_end(payment.no);
        let in_batch = InBatch { number: batch.number.clone(), payment: payment.no };
        let mut settled = Vec::new();
        for claim in &payment.claims {
            let command = s7_execution::Command::SettleFromBatch {
                claim: claim.claim,
                amount: claim.amount,
                offset: claim.offset,
                reference: payment.reference.clone(),
                batch: in_batch.clone(),
            };
            let once = Submission::of_batch(format!("{name} {}", claim.name()));
            match self.advance(actor, WhichCycle::Id(claim.cycle), &command.into(), &once).await {
                Ok(_) => {}
                Err(Error::Refused(refusal)) if refusal.code() == "nothing_to_settle" => {}
                // Settled before, by a call whose answer is no longer kept.
                Err(Error::Refused(refusal)) => {
                    if self.settled(actor, claim.cycle, claim.claim, &in_batch).await?.is_none() {
                        return Err(Error::Refused(refusal));
                    }
                }
                Err(other) => return Err(other),
            }
            let nothing = domain::money::Money::zero(batch.currency);
            let paid = self.settled(actor, claim.cycle, claim.claim, &in_batch).await?;
            settled.push(paid.unwrap_or(Settled { amount: nothing, offset: nothing }));
        }
        let finish = Command::Finish { payment: payment.no, settled };
        Ok(self.batch(actor, &batch.number, &finish, &Submission::of_batch(name)).await?.words)
    }

    /// What this payment has settled of a claim so far.
    async fn settled(&self, actor: &Actor, cycle: CycleId, claim: u16, by: &InBatch) -> Result<Option<Settled>> {
        let cycle = self.reader().cycle(&Viewer::from(actor), WhichCycle::Id(cycle)).await?;
        let payments = cycle.claim(claim).map(|claim| claim.payments.as_slice()).unwrap_or_default();
        let found = payments.iter().find(|payment| payment.batch.as_ref() == Some(by));
        Ok(found.map(|payment| Settled { amount: payment.amount, offset: payment.offset }))
    }

    /// Keeps where money is sent. Administration's timeline says that it changed, and never the account itself.
    pub async fn set_payment_details(
        &self,
        actor: &Actor,
        owner: Owner,
        details: &PaymentDetails,
        once: &Submission,
    ) -> Result<Advanced> {
        may_keep(actor, owner)?;
        let details = details.checked().map_err(|refusal| Error::Invalid(refusal.reasons))?;
        self.once(actor, once, &(owner, &details), async |tx, now| {
            let whose = match owner {
                Owner::Partner(partner) => tx.partner(partner).await?.name,
                Owner::House(currency) => format!("the account {currency} is paid from"),
            };
            let version = tx.add_payment_details(&owner.key(), &details, actor, now).await?;
            let words = format!("{} set the payment details of {whose} to {}.", actor.me.name, details.masked());
            let facts = json!({ "owner": owner.key(), "version": version, "account": details.masked() });
            tx.note("payment_details.set", words.clone(), facts, actor, now).await?;
            Ok(Advanced { number: owner.key(), version, words: vec![words] })
        })
        .await
    }
}

fn may_keep(actor: &Actor, owner: Owner) -> Result<()> {
    let (may, who) = match owner {
        Owner::Partner(partner) => (
            actor.me.has(Role::PartnerAdmin) && actor.me.partner == Some(partner),
            "A partner's payment details are kept by its own administrators.",
        ),
        Owner::House(_) => {
            (actor.me.has(Role::Finance) && !actor.me.is_partner(), "The account you pay from is kept by finance.")
        }
    };
    if may { Ok(()) } else { Err(Error::refused("not_your_role", who, "Ask one of them.")) }
}

/// The payments whose cycles a command looks at.
fn concerns(command: &Command, payment: u16) -> bool {
    match command {
        Command::Export { .. } => true,
        Command::Record { outcomes } => {
            outcomes.iter().any(|outcome| matches!(outcome, Outcome::Paid { .. }) && outcome.payment() == payment)
        }
        Command::Cancel { .. } | Command::Finish { .. } => false,
    }
}

async fn lock_all(tx: &Tx, viewer: &Viewer, numbers: BTreeSet<&str>) -> Result<Vec<CycleParts>> {
    let mut parts = Vec::new();
    for number in numbers {
        match tx.lock_cycle(viewer, WhichCycle::Number(number)).await {
            Ok(found) => parts.push(found),
            Err(storage::Error::NotFound) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(parts)
}

fn ids(parts: &[CycleParts]) -> (Vec<PartnerId>, Vec<CycleId>) {
    let partners: BTreeSet<PartnerId> = parts.iter().map(|one| one.cycle.partner).collect();
    (partners.into_iter().collect(), parts.iter().map(|one| one.cycle.id).collect())
}

fn left_out(refused: Vec<(Pick, Refusal)>) -> Refusal {
    let told = |(pick, refusal): (Pick, Refusal)| {
        let name = pick.name();
        refusal.reasons.into_iter().map(move |reason| Reason {
            why: format!("{name}: {}", reason.why),
            field: None,
            ..reason
        })
    };
    Refusal { reasons: refused.into_iter().flat_map(told).collect() }
}

/// The database's own word, behind the rule, that a claim waits for one batch only.
fn taken(error: storage::Error) -> Error {
    match error {
        storage::Error::Duplicate(_) => Error::refused(
            "in_batch",
            "One of these claims has just been put into another batch.",
            "Look at the list again.",
        ),
        other => other.into(),
    }
}
