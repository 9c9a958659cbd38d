//! Settlement batches, each with a timeline of its own, and the accounts money is sent to.

use super::Remembered;
use super::cycle::Recorded;
use super::projection::Projection;
use super::timeline::{Chain, GENESIS, sha256};
use crate::error::{Error, Result};
use crate::load;
use crate::sql::{self, rows, values};
use crate::tx::Tx;
use domain::Instant;
use domain::ids::{CycleId, FundId, PartnerId, SettlementId, UserId};
use domain::money::Currency;
use domain::payee::PaymentDetails;
use domain::people::Actor;
use domain::settlement::{Batch, BatchDecision, BatchState, Ground};
use std::collections::BTreeMap;

rows! {
    table "settlement" => SettlementRow {
        id: SettlementId,
        number: String,
        currency: Currency,
        state: BatchState,
        version: i64,
        head_hash: String,
        doc: String,
        /// How many, and their sum in minor units.
        payments: i64,
        net: i64,
        built_at: Instant,
    }

    table "settlement_claim" => SettlementClaimRow {
        settlement_id: SettlementId,
        payment: u16,
        cycle_id: CycleId,
        claim_no: u16,
        partner_id: PartnerId,
        fund_id: FundId,
        held_back: i64,
        waits: bool,
    }

    table "payment_details" => DetailsRow {
        owner: String,
        version: i64,
        details: String,
        by_user: UserId,
        by_name: String,
        at: Instant,
    }
}

/// What the events of batches are filed under: their streams are their own.
const KIND: &str = "office";

impl Tx {
    /// The next number of a batch, `S-2026-0007`. It runs on over the years.
    pub async fn next_settlement_number(&self, year: i32) -> Result<String> {
        let sql = "INSERT INTO counter (name, value) VALUES ('settlement', 1)
                   ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value";
        let serial: Vec<u32> = sql::column(&self.db, "value", sql, Vec::new()).await?;
        Ok(format!("S-{year}-{:04}", serial.first().copied().ok_or(Error::NotFound)?))
    }

    /// A new batch, with its first event. A claim that waits for another batch is [`Error::Duplicate`].
    pub async fn insert_settlement(&self, decision: &BatchDecision, actor: &Actor, now: Instant) -> Result<Recorded> {
        let batch = decision.batch();
        let (row, recorded, events) = chained(decision, (0, GENESIS.to_owned()), actor, now);
        sql::insert(&self.db, &[row]).await?;
        sql::insert(&self.db, &claims(batch)).await?;
        self.append(&events).await?;
        Ok(recorded)
    }

    /// Locks a batch until the end of the transaction.
    pub async fn lock_settlement(&self, number: &str) -> Result<Batch> {
        let tail = format!("WHERE number = $1 {}", sql::for_update(&self.db, false));
        let row: SettlementRow = sql::one(&self.db, &sql::select::<SettlementRow>(&tail), values![number]).await?;
        self.remember(Remembered {
            stream: row.id.0,
            version: row.version,
            head_hash: row.head_hash,
            partner: String::new(),
            region: String::new(),
            projection: Projection::default(),
            stood: None,
        });
        sql::from_json(&row.doc, "settlement.doc")
    }

    /// Records a decision on a batch that this transaction has locked.
    pub async fn record_settlement(&self, decision: &BatchDecision, actor: &Actor, now: Instant) -> Result<Recorded> {
        let batch = decision.batch();
        let before = self.recall(batch.id.0, batch.version - 1)?;
        let (row, recorded, events) = chained(decision, (before.version, before.head_hash), actor, now);
        let guard = " AND version = ?";
        if sql::update(&self.db, &row, &["id"], guard, values![before.version]).await? == 0 {
            return Err(Error::Stale);
        }
        sql::upsert(&self.db, &claims(batch), &["settlement_id", "cycle_id", "claim_no"]).await?;
        self.append(&events).await?;
        Ok(recorded)
    }

    /// What a batch is built and judged on, beside the cycles.
    pub async fn settlement_ground(&self, partners: &[PartnerId], cycles: &[CycleId]) -> Result<Ground> {
        load::batch_ground(&self.db, partners, cycles).await
    }

    /// A cycle's claims that are in an open batch.
    pub async fn batched_of(&self, cycle: CycleId) -> Result<BTreeMap<u16, String>> {
        load::batched_of(&self.db, cycle).await
    }

    /// Keeps a payee's new details beside the old ones and gives their version. The owner is a partner, or a currency
    /// for the account the house pays from.
    pub async fn add_payment_details(
        &self,
        owner: &str,
        details: &PaymentDetails,
        actor: &Actor,
        now: Instant,
    ) -> Result<i64> {
        let newest =
            "SELECT CAST(COALESCE(MAX(version), 0) AS bigint) AS version FROM payment_details WHERE owner = $1";
        let before: Vec<i64> = sql::column(&self.db, "version", newest, values![owner]).await?;
        let row = DetailsRow {
            owner: owner.to_owned(),
            version: before.first().copied().unwrap_or_default() + 1,
            details: sql::to_json(details),
            by_user: actor.user(),
            by_name: actor.me.name.clone(),
            at: now,
        };
        match sql::insert(&self.db, std::slice::from_ref(&row)).await {
            // Somebody else saved theirs in the same moment.
            Err(Error::Duplicate(_)) => Err(Error::Contended),
            other => other.map(|_| row.version),
        }
    }
}

fn chained(
    decision: &BatchDecision,
    (seq, head): (i64, String),
    actor: &Actor,
    now: Instant,
) -> (SettlementRow, Recorded, Vec<super::timeline::EventRow>) {
    let batch = decision.batch();
    let doc = sql::to_json(batch);
    let state_hash = sha256(&doc);
    let chain = Chain { stream: batch.id.0, kind: KIND, partner: None, seq, head, state_hash: &state_hash };
    let events = chain.extend(std::slice::from_ref(decision.entry()), actor, now);
    let row = SettlementRow {
        id: batch.id,
        number: batch.number.clone(),
        currency: batch.currency,
        state: batch.state,
        version: batch.version,
        head_hash: events.last().map_or_else(|| GENESIS.to_owned(), |event| event.hash.clone()),
        payments: i64::try_from(batch.payments.len()).unwrap_or(i64::MAX),
        net: batch.net().minor,
        built_at: batch.built_at,
        doc,
    };
    let ids = events.iter().map(|event| event.id).collect();
    (row, Recorded { number: batch.number.clone(), version: batch.version, events: ids }, events)
}

fn claims(batch: &Batch) -> Vec<SettlementClaimRow> {
    let row = |(payment, claim): (&domain::settlement::BatchPayment, &domain::settlement::BatchClaim)| {
        let waits = batch.holds(payment);
        SettlementClaimRow {
            settlement_id: batch.id,
            payment: payment.no,
            cycle_id: claim.cycle,
            claim_no: claim.claim,
            partner_id: payment.partner,
            fund_id: claim.fund,
            held_back: claim.offset.minor,
            waits,
        }
    };
    batch.claims().map(row).collect()
}
