//! The timelines: every chain is recomputed from its events and postings, and every cycle, fund and settlement batch must
//! stand exactly where its chain ends; so must the book of administration.

use super::{ENOUGH, Finding, snapshot};
use crate::db::Db;
use crate::error::Result;
use crate::sql::{self, rows, values};
use crate::write::fund::FundRow;
use crate::write::ledger::PostingRow;
use crate::write::office::{OfficeRow, state_hash};
use crate::write::settlement::SettlementRow;
use crate::write::timeline::{EventRow, GENESIS, Sealed, SealedPosting, sha256};
use domain::cycle::Cycle;
use domain::ids::EventId;
use domain::settlement::Batch;
use sea_orm::{ConnectionTrait, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Streams a page; a stream's events are held together.
const STREAMS: usize = 50;

/// Where a chain stood at some time. Kept elsewhere, heads prove later that nothing before them was cut or rewritten.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    pub stream: Uuid,
    pub seq: i64,
    pub hash: String,
}

rows! {
    view CycleHead {
        id: Uuid,
        number: String,
        stage: String,
        version: i64,
        head_hash: String,
        doc: String,
    }

    view HeadRow {
        id: Uuid,
        version: i64,
        head_hash: String,
    }

    view EventHash {
        hash: String,
    }

    view Orphan {
        stream: Uuid,
    }
}

/// What a cycle's or fund's own row says of its chain.
struct Claimed {
    name: String,
    version: i64,
    head_hash: String,
    /// Hash of its stored state, which the last event sealed.
    state_hash: String,
    /// What does not agree inside the row itself.
    quarrel: Option<String>,
}

/// Checks every chain; an empty list is an untouched record.
pub async fn audit(db: &Db) -> Result<Vec<Finding>> {
    let mut findings = orphans(db).await?;
    let mut last = Uuid::nil();
    while let Some(end) = page(db, Rows::Cycles, last, &mut findings).await? {
        last = end;
    }
    last = Uuid::nil();
    while let Some(end) = page(db, Rows::Funds, last, &mut findings).await? {
        last = end;
    }
    last = Uuid::nil();
    while let Some(end) = page(db, Rows::Batches, last, &mut findings).await? {
        last = end;
    }
    page(db, Rows::Office, Uuid::nil(), &mut findings).await?;
    Ok(findings)
}

#[derive(Clone, Copy)]
enum Rows {
    Cycles,
    Funds,
    Batches,
    Office,
}

/// Checks one page of streams, in a snapshot of its own, and says where it ended.
async fn page(db: &Db, table: Rows, after: Uuid, findings: &mut Vec<Finding>) -> Result<Option<Uuid>> {
    let snapshot = snapshot(db).await?;
    let claimed = match table {
        Rows::Cycles => cycles(&snapshot, after).await?,
        Rows::Funds => funds(&snapshot, after).await?,
        Rows::Batches => batches(&snapshot, after).await?,
        Rows::Office => office(&snapshot).await?,
    };
    let Some(end) = claimed.keys().next_back().copied() else { return Ok(None) };
    let ids: Vec<Uuid> = claimed.keys().copied().collect();
    let mut chains: BTreeMap<Uuid, Vec<EventRow>> = BTreeMap::new();
    let tail = format!("WHERE stream IN ({}) ORDER BY stream, seq", marks(ids.len()));
    let events: Vec<EventRow> =
        sql::all(&snapshot, &sql::select::<EventRow>(&tail), ids.iter().map(|id| Value::from(*id)).collect()).await?;
    let postings = postings_of(&snapshot, &events).await?;
    snapshot.rollback().await?;
    for event in events {
        chains.entry(event.stream).or_default().push(event);
    }
    for (stream, claimed) in claimed {
        let told = check(&claimed, &chains.remove(&stream).unwrap_or_default(), &postings);
        let room = ENOUGH.saturating_sub(findings.len());
        findings.extend(told.into_iter().take(room).map(|(code, words)| Finding::new(code, &claimed.name, words)));
    }
    Ok(Some(end))
}

fn marks(count: usize) -> String {
    (1..=count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

async fn cycles(db: &impl ConnectionTrait, after: Uuid) -> Result<BTreeMap<Uuid, Claimed>> {
    let sql = format!(
        "SELECT id, number, stage, version, head_hash, doc FROM cycle WHERE id > $1 ORDER BY id LIMIT {STREAMS}"
    );
    let rows: Vec<CycleHead> = sql::all(db, &sql, values![after]).await?;
    let claimed = |row: CycleHead| {
        let quarrel = match serde_json::from_str::<Cycle>(&row.doc) {
            Err(error) => Some(format!("The stored cycle cannot be read: {error}.")),
            Ok(cycle) if cycle.version != row.version || cycle.stage.code() != row.stage || cycle.id.0 != row.id => {
                Some("Stage or version differ between the stored cycle and its row.".to_owned())
            }
            Ok(_) => None,
        };
        let state_hash = sha256(&row.doc);
        (row.id, Claimed { name: row.number, version: row.version, head_hash: row.head_hash, state_hash, quarrel })
    };
    Ok(rows.into_iter().map(claimed).collect())
}

async fn funds(db: &impl ConnectionTrait, after: Uuid) -> Result<BTreeMap<Uuid, Claimed>> {
    let tail = format!("WHERE id > $1 ORDER BY id LIMIT {STREAMS}");
    let rows: Vec<FundRow> = sql::all(db, &sql::select::<FundRow>(&tail), values![after]).await?;
    let claimed = |row: FundRow| {
        let (head_hash, fund) = (row.head_hash.clone(), row.into_domain());
        let state_hash = sha256(&sql::to_json(&fund));
        (fund.id.0, Claimed { name: fund.code, version: fund.version, head_hash, state_hash, quarrel: None })
    };
    Ok(rows.into_iter().map(claimed).collect())
}

async fn batches(db: &impl ConnectionTrait, after: Uuid) -> Result<BTreeMap<Uuid, Claimed>> {
    let tail = format!("WHERE id > $1 ORDER BY id LIMIT {STREAMS}");
    let rows: Vec<SettlementRow> = sql::all(db, &sql::select::<SettlementRow>(&tail), values![after]).await?;
    let claimed = |row: SettlementRow| {
        let says = (row.id, row.version, row.state, row.net);
        let quarrel = match serde_json::from_str::<Batch>(&row.doc) {
            Err(error) => Some(format!("The stored batch cannot be read: {error}.")),
            Ok(batch) if (batch.id, batch.version, batch.state, batch.net().minor) != says => {
                Some("State, version or sum differ between the stored batch and its row.".to_owned())
            }
            Ok(_) => None,
        };
        let state_hash = sha256(&row.doc);
        (row.id.0, Claimed { name: row.number, version: row.version, head_hash: row.head_hash, state_hash, quarrel })
    };
    Ok(rows.into_iter().map(claimed).collect())
}

async fn office(db: &impl ConnectionTrait) -> Result<BTreeMap<Uuid, Claimed>> {
    let rows: Vec<OfficeRow> = sql::all(db, &sql::select::<OfficeRow>(""), Vec::new()).await?;
    let claimed = |row: OfficeRow| {
        let state_hash = state_hash(row.version);
        let name = "administration".to_owned();
        (row.id, Claimed { name, version: row.version, head_hash: row.head_hash, state_hash, quarrel: None })
    };
    Ok(rows.into_iter().map(claimed).collect())
}

async fn postings_of(db: &impl ConnectionTrait, events: &[EventRow]) -> Result<BTreeMap<EventId, Vec<SealedPosting>>> {
    let mut postings: BTreeMap<EventId, Vec<SealedPosting>> = BTreeMap::new();
    for chunk in events.chunks(10_000) {
        let tail = format!("WHERE event_id IN ({}) ORDER BY event_id, n", marks(chunk.len()));
        let ids = chunk.iter().map(|event| Value::from(event.id.0)).collect();
        let rows: Vec<PostingRow> = sql::all(db, &sql::select::<PostingRow>(&tail), ids).await?;
        for row in rows {
            let sealed = SealedPosting(row.from_id, row.to_id, row.amount, row.currency);
            postings.entry(row.event_id).or_default().push(sealed);
        }
    }
    Ok(postings)
}

type Told = Vec<(&'static str, String)>;

/// One stream: its events in order, and what its row says of them.
fn check(claimed: &Claimed, events: &[EventRow], postings: &BTreeMap<EventId, Vec<SealedPosting>>) -> Told {
    let mut told: Told = claimed.quarrel.iter().map(|words| ("row", words.clone())).collect();
    let (mut seq, mut prev) = (0, GENESIS);
    for event in events {
        if event.seq != seq + 1 {
            told.push(("missing_event", format!("Event {} follows event {seq}.", event.seq)));
        }
        if event.prev_hash != prev {
            told.push(("chain", format!("Event {} does not continue the event before it.", event.seq)));
        }
        if resealed(event, postings.get(&event.id).map_or(&[], Vec::as_slice)) != event.hash {
            told.push(("changed_event", format!("Event {} or its postings are not as they were recorded.", event.seq)));
        }
        (seq, prev) = (event.seq, &event.hash);
    }
    if seq != claimed.version || prev != claimed.head_hash {
        let words = format!("The row says {} events, the chain has {seq} or ends elsewhere.", claimed.version);
        told.push(("head", words));
    }
    if let Some(last) = events.last().filter(|last| last.state_hash != claimed.state_hash) {
        told.push(("state", format!("The stored state is not the one event {} left.", last.seq)));
    }
    told
}

fn resealed(event: &EventRow, postings: &[SealedPosting]) -> String {
    Sealed(
        event.stream,
        event.seq,
        &event.prev_hash,
        event.at.timestamp_micros(),
        event.actor_id.0,
        &event.kind,
        &event.payload,
        &event.state_hash,
        postings,
    )
    .hash()
}

/// Events of a cycle or fund that is no longer there.
async fn orphans(db: &Db) -> Result<Vec<Finding>> {
    let sql = format!(
        "SELECT DISTINCT e.stream FROM event e WHERE NOT EXISTS (SELECT 1 FROM cycle c WHERE c.id = e.stream)
         AND NOT EXISTS (SELECT 1 FROM fund f WHERE f.id = e.stream)
         AND NOT EXISTS (SELECT 1 FROM settlement s WHERE s.id = e.stream)
         AND NOT EXISTS (SELECT 1 FROM office o WHERE o.id = e.stream) LIMIT {ENOUGH}"
    );
    let streams: Vec<Orphan> = sql::all(db.readers(), &sql, Vec::new()).await?;
    let words = "There are events of a cycle, fund or batch that is gone.";
    Ok(streams.iter().map(|orphan| Finding::new("orphan", orphan.stream, words)).collect())
}

/// Every chain's head, cycles, funds, batches, then administration, by id: to be kept elsewhere as an anchor.
pub async fn heads(db: &Db, mut keep: impl FnMut(Head)) -> Result<()> {
    for table in ["cycle", "fund", "settlement", "office"] {
        let mut last = Uuid::nil();
        loop {
            let sql = format!(
                "SELECT id, version, head_hash FROM {table} WHERE id > $1 AND version > 0 ORDER BY id LIMIT 1000"
            );
            let rows: Vec<HeadRow> = sql::all(db.readers(), &sql, values![last]).await?;
            let Some(end) = rows.last() else { break };
            last = end.id;
            for row in rows {
                keep(Head { stream: row.id, seq: row.version, hash: row.head_hash });
            }
        }
    }
    Ok(())
}

/// Whether every head that was kept is still part of its chain: finds a cut tail and a chain written anew, which no
/// chain can tell of itself.
pub async fn against(db: &Db, anchor: impl IntoIterator<Item = Head>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for head in anchor {
        let sql = "SELECT hash FROM event WHERE stream = $1 AND seq = $2";
        let found: Option<EventHash> = sql::maybe(db.readers(), sql, values![head.stream, head.seq]).await?;
        let words = match found {
            None => format!("Event {} was there when the anchor was made and is gone.", head.seq),
            Some(event) if event.hash != head.hash => {
                format!("Event {} is another than when the anchor was made.", head.seq)
            }
            Some(_) => continue,
        };
        findings.push(Finding::new("anchor", head.stream, words));
        if findings.len() == ENOUGH {
            break;
        }
    }
    Ok(findings)
}
