//! A cycle is locked, decided on, and recorded from the decision, in one transaction.

use super::Remembered;
use super::ledger::Caused;
use super::projection::{Projection, totals};
use super::timeline::{Chain, GENESIS, sha256};
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::load;
use crate::rows::Guide;
use crate::sql::{self, Column, FromRow, rows, values};
use crate::tx::Tx;
use crate::viewer::Viewer;
use domain::cycle::{Cycle, Partner, Party, Stage};
use domain::exchange::Rate;
use domain::forecast::Evidence;
use domain::fund::Fund;
use domain::ids::{CycleId, EventId, FundId, PartnerId, ProgramId};
use domain::ledger::Book;
use domain::machine::{Decision, Desk, Seat};
use domain::money::Currency;
use domain::people::Actor;
use domain::steps::s5_request::AcceptedTerms;
use domain::steps::s8_tracking::Results;
use domain::{Date, Instant};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sea_orm::QueryResult;

/// What `due` holds where nothing is due.
pub(crate) const NEVER: Date = Date::from_ymd_opt(9999, 12, 31).unwrap();

rows! {
    table "cycle" => CycleRow {
        id: CycleId,
        number: String,
        serial: u32,
        program_id: ProgramId,
        partner_id: PartnerId,
        region: String,
        title: String,
        search: String,
        period_from: Date,
        period_to: Date,
        currency: Currency,
        stage: Stage,
        level: u8,
        version: i64,
        since: Instant,
        opened_at: Instant,
        ended_at: Option<Instant>,
        waiting_on: Party,
        waiting_since: Instant,
        due: Date,
        task: String,
        stopped: bool,
        wake_at: Option<Instant>,
        lease_until: Option<Instant>,
        /// The seat that decides it now, and the one that may as well.
        desk: Option<String>,
        desk_too: Option<String>,
        /// Ids of people who do not decide it, apart by spaces.
        barred: String,
        /// What the frozen forecast promises, in tenths of a percent; [`NO_ROI`] where nothing is forecast.
        forecast_roi: i64,
        fund_id: Option<FundId>,
        asked: i64,
        approved: i64,
        claimed: i64,
        paid: i64,
        updated_at: Instant,
        head_hash: String,
        doc: String,
    }
}

/// Below any return there is: nothing loses more than all of it.
const NO_ROI: i64 = -1_001;

/// A cycle, by the number people use or by its id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhichCycle<'a> {
    Number(&'a str),
    Id(CycleId),
}

/// What surrounds a cycle that is about to be decided on. The rules' `Situation` is made of it.
#[derive(Clone, PartialEq, Debug)]
pub struct CycleParts {
    pub cycle: Cycle,
    pub partner: Partner,
    /// The guide in force on the day the cycle was opened.
    pub guide: Guide,
    /// The funds of the program, by code.
    pub funds: Vec<Fund>,
    /// Rates from the cycle's currency into those of its funds that bear on it.
    pub rates: Vec<Rate>,
    /// Terms the partner accepted in this program, while money is asked for.
    pub terms: Vec<AcceptedTerms>,
    /// Balances that are not zero: unallocated in those funds, this partner's wallet and recoverable in them, and all
    /// accounts of this cycle.
    pub book: Book,
}

/// What a new cycle is opened from.
#[derive(Clone, PartialEq, Debug)]
pub struct Opened {
    pub partner: Partner,
    pub guide: Guide,
    /// The partner's cycles of the same period, newest first: an agreed plan or a scorecard may be taken from them.
    pub earlier: Vec<Cycle>,
}

/// What was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    pub number: String,
    pub version: i64,
    /// One event an entry, in order.
    pub events: Vec<EventId>,
}

struct Locked {
    doc: String,
    head_hash: String,
    region: String,
    due: Date,
}

impl FromRow for Locked {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self {
            doc: Column::read(row, "doc")?,
            head_hash: Column::read(row, "head_hash")?,
            region: Column::read(row, "region")?,
            due: Column::read(row, "due")?,
        })
    }
}

impl Tx {
    /// Locks a cycle until the end of the transaction and loads what surrounds it, as far as the viewer may see it.
    pub async fn lock_cycle(&self, viewer: &Viewer, which: WhichCycle<'_>) -> Result<CycleParts> {
        let wall = which.found().within(viewer.scope(), "partner_id", "region");
        let lock = sql::for_update(&self.db, false);
        let sql = format!("SELECT doc, head_hash, region, due FROM cycle {} {lock}", wall.sql());
        let locked: Locked = sql::one(&self.db, &sql, wall.values).await?;
        let cycle: Cycle = sql::from_json(&locked.doc, "cycle.doc")?;
        let parts = load::parts(&self.db, cycle).await?;
        let cycle = &parts.cycle;
        self.remember(Remembered {
            stream: cycle.id.0,
            version: cycle.version,
            head_hash: locked.head_hash,
            projection: Projection::of(cycle, &locked.region),
            partner: parts.partner.name.clone(),
            region: locked.region,
            stood: Some((cycle.stage, locked.due)),
        });
        Ok(parts)
    }

    /// What has arrived of touches and deals that bears on a cycle.
    pub async fn results_of(&self, cycle: &Cycle) -> Result<Results> {
        load::results_of(&self.db, cycle.id).await
    }

    /// What earlier campaigns showed, by tactic, nearer over farther.
    pub async fn evidence_for(&self, cycle: &Cycle) -> Result<Vec<Evidence>> {
        load::evidence_for(&self.db, cycle).await
    }

    /// What a new cycle of a partner in a program is opened from, where the viewer may see that partner.
    pub async fn before_opening(
        &self,
        viewer: &Viewer,
        partner: PartnerId,
        program: ProgramId,
        period: (Date, Date),
        today: Date,
    ) -> Result<Opened> {
        let wall = Where::default().eq("id", Some(partner)).within(viewer.scope(), "id", "region");
        let sql = format!("SELECT id FROM partner {}", wall.sql());
        let seen: Vec<PartnerId> = sql::column(&self.db, "id", &sql, wall.values).await?;
        let partner = *seen.first().ok_or(Error::NotFound)?;
        let sql = "SELECT doc FROM cycle WHERE partner_id = $1 AND program_id = $2
                   AND period_from = $3 AND period_to = $4 ORDER BY serial DESC LIMIT 20";
        let docs: Vec<String> =
            sql::column(&self.db, "doc", sql, values![partner, program, period.0, period.1]).await?;
        let earlier = docs.iter().map(|doc| sql::from_json(doc, "cycle.doc")).collect::<Result<_>>()?;
        Ok(Opened { partner: self.partner(partner).await?, guide: self.guide_on(program, today).await?, earlier })
    }

    /// Records a decision on a cycle: its stage and document where the version still matches, balances, postings,
    /// chained events, and the rows that hang on it. A decision made on version 0 opens the cycle.
    ///
    /// [`Error::Stale`]: the cycle moved on since. [`Error::Contended`]: a balance was taken meanwhile.
    pub async fn record(&self, decision: &Decision, actor: &Actor, now: Instant) -> Result<Recorded> {
        let cycle = decision.cycle();
        let before = match decision.before() {
            0 => self.nothing_before(cycle).await?,
            version => self.recall(cycle.id.0, version)?,
        };
        let after = Projection::of(cycle, &before.region);
        let doc = sql::to_json(cycle);
        let state_hash = sha256(&doc);
        let chain = Chain {
            stream: cycle.id.0,
            kind: "cycle",
            partner: Some(cycle.partner),
            seq: before.version,
            head: before.head_hash.clone(),
            state_hash: &state_hash,
        };
        let events = chain.extend(decision.entries(), actor, now);
        let head_hash = events.last().map_or_else(|| GENESIS.to_owned(), |event| event.hash.clone());
        let row = row_of(decision, &before, &after, now, head_hash, doc);
        self.save_cycle(&row, before.version).await?;
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        let postings = caused(&ids, decision.entries());
        self.move_balances(&postings).await?;
        self.append(&events).await?;
        self.post(&postings, now).await?;
        self.project(&before.projection, &after).await?;
        self.count_stage(&row.region, before.stood, (row.stage, row.due)).await?;
        Ok(Recorded { number: cycle.number.clone(), version: cycle.version, events: ids })
    }

    async fn nothing_before(&self, cycle: &Cycle) -> Result<Remembered> {
        let partner = self.partner_row(cycle.partner).await?;
        Ok(Remembered {
            stream: cycle.id.0,
            version: 0,
            head_hash: GENESIS.to_owned(),
            partner: partner.name,
            region: partner.region,
            projection: Projection::default(),
            stood: None,
        })
    }

    async fn save_cycle(&self, row: &CycleRow, before: i64) -> Result<()> {
        if before == 0 {
            return sql::insert(&self.db, std::slice::from_ref(row)).await.map(|_| ());
        }
        match sql::update(&self.db, row, &["id"], " AND version = ?", values![before]).await? {
            0 => Err(Error::Stale),
            _ => Ok(()),
        }
    }

    /// Takes up to `limit` cycles whose clock has come, for this worker until `until`; another worker skips them.
    /// Recording a decision ends the lease.
    pub async fn lease_cycles(&self, now: Instant, until: Instant, limit: u16) -> Result<Vec<CycleId>> {
        let sql = format!(
            "UPDATE cycle SET lease_until = $2 WHERE id IN (
               SELECT id FROM cycle WHERE wake_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
               ORDER BY wake_at LIMIT $3 {}
             ) RETURNING id",
            sql::for_update(&self.db, true)
        );
        sql::column(&self.db, "id", &sql, values![now, until, limit]).await
    }

    /// Nothing was due after all: the cycle sleeps until `wake_at`, or for good, unless it moved on
    /// meanwhile. Whose desk it lies on and what it promises are written again, so that waking a cycle mends what an older release did not know.
    pub async fn put_to_sleep(&self, cycle: &Cycle, wake_at: Option<Instant>, desk: Option<&Desk>) -> Result<()> {
        let (desk, desk_too, barred) = seats(desk);
        let sql = "UPDATE cycle SET wake_at = $3, lease_until = NULL, desk = $4, desk_too = $5, barred = $6,
                          forecast_roi = $7
                   WHERE id = $1 AND version = $2";
        let values = values![cycle.id, cycle.version, wake_at, desk, desk_too, barred, forecast_roi(cycle)];
        sql::execute(&self.db, sql, values).await.map(|_| ())
    }
}

/// The ROI an inbox is ordered by, in tenths of a percent.
fn forecast_roi(cycle: &Cycle) -> i64 {
    let tenths = |roi: Decimal| (roi * Decimal::TEN).round().to_i64().unwrap_or(i64::MAX);
    cycle.forecast_roi().map_or(NO_ROI, tenths)
}

/// A desk as its columns hold it.
fn seats(desk: Option<&Desk>) -> (Option<String>, Option<String>, String) {
    let barred = desk.map(|desk| desk.barred.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    let fallback = desk.and_then(|desk| desk.fallback).map(Seat::code);
    (desk.map(|desk| desk.seat.code()), fallback, barred.unwrap_or_default())
}

fn row_of(
    decision: &Decision,
    before: &Remembered,
    after: &Projection,
    now: Instant,
    head_hash: String,
    doc: String,
) -> CycleRow {
    let (cycle, health) = (decision.cycle(), decision.health());
    let sums = totals(&after.campaigns);
    let (desk, desk_too, barred) = seats(decision.desk());
    CycleRow {
        id: cycle.id,
        number: cycle.number.clone(),
        serial: cycle.serial,
        program_id: cycle.program,
        partner_id: cycle.partner,
        region: before.region.clone(),
        title: cycle.title.clone(),
        search: format!("{} {} {}", cycle.number, cycle.title, before.partner).to_lowercase(),
        period_from: cycle.period.from,
        period_to: cycle.period.to,
        currency: cycle.currency,
        stage: cycle.stage,
        level: cycle.level,
        version: cycle.version,
        since: cycle.since,
        opened_at: cycle.opened_at,
        ended_at: cycle.ended_at,
        waiting_on: health.waiting_on,
        waiting_since: health.since,
        due: health.due.unwrap_or(NEVER),
        task: health.task.clone(),
        stopped: health.stopped,
        wake_at: decision.wake_at(),
        lease_until: None,
        desk,
        desk_too,
        barred,
        forecast_roi: forecast_roi(cycle),
        fund_id: cycle.fund(),
        asked: sums.asked,
        approved: sums.approved,
        claimed: sums.claimed,
        paid: sums.paid,
        updated_at: now,
        head_hash,
        doc,
    }
}

/// The postings of all entries, each with its event and its place in it.
pub(crate) fn caused<'a>(events: &[EventId], entries: &'a [domain::event::Entry]) -> Vec<Caused<'a>> {
    let of_entry = |(event, entry): (&EventId, &'a domain::event::Entry)| {
        let event = *event;
        (1..).zip(&entry.postings).map(move |(n, posting)| Caused { event, n, posting })
    };
    events.iter().zip(entries).flat_map(of_entry).collect()
}
