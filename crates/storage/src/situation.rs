//! What surrounds a cycle, beyond what a command locks: the same questions for a page and for a transaction.

use crate::error::{Error, Result};
use crate::read::Reader;
use crate::rows::{Deal, Guide, PartnerRow, Program, Touch};
use crate::sql::{self, Column, FromRow, Table as _, values};
use crate::tx::Tx;
use crate::viewer::{Viewer, Where};
use crate::write::{AccountRow, CycleParts, FundRow, WhichCycle};
use domain::Instant;
use domain::cycle::Cycle;
use domain::forecast::Evidence;
use domain::fund::Fund;
use domain::ids::{CycleId, ProgramId};
use domain::ledger::Book;
use domain::money::Money;
use domain::steps::s8_tracking::{DealFact, Results, TouchFact};
use domain::steps::s9_performance::Measurement;
use sea_orm::{ConnectionTrait, QueryResult};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The newest entry of a timeline: who moved it last, when, and what they did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastEvent {
    pub actor_name: String,
    pub at: Instant,
    pub words: String,
}

impl FromRow for LastEvent {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self {
            actor_name: Column::read(row, "actor_name")?,
            at: Column::read(row, "at")?,
            words: Column::read(row, "words")?,
        })
    }
}

impl Reader {
    /// A cycle and what its rules look at, for a page: nothing is locked. The book covers every fund of the program.
    pub async fn cycle_parts(&self, viewer: &Viewer, which: WhichCycle<'_>) -> Result<CycleParts> {
        let found = match which {
            WhichCycle::Number(number) => Where::default().eq("number", Some(number)),
            WhichCycle::Id(id) => Where::default().eq("id", Some(id)),
        };
        let wall = found.within(viewer.scope(), "partner_id", "region");
        let docs: Vec<String> =
            sql::column(&self.db, "doc", &format!("SELECT doc FROM cycle {}", wall.sql()), wall.values).await?;
        let cycle: Cycle = sql::from_json(docs.first().ok_or(Error::NotFound)?, "cycle.doc")?;
        let partner: PartnerRow =
            sql::one(&self.db, &sql::select::<PartnerRow>("WHERE id = $1"), values![cycle.partner]).await?;
        let program: Program =
            sql::one(&self.db, &sql::select::<Program>("WHERE id = $1"), values![cycle.program]).await?;
        let guide = guide_on(&self.db, cycle.program, cycle.opened_at).await?;
        let funds = self.funds_of_program(cycle.program).await?;
        let paid = "SELECT id FROM account WHERE partner_id = $1 AND kind = 'paid' LIMIT 1";
        let has_been_paid = !sql::column::<Uuid>(&self.db, "id", paid, values![cycle.partner]).await?.is_empty();
        Ok(CycleParts {
            partner: partner.into_domain(has_been_paid),
            program,
            guide,
            funds,
            book: book_around(&self.db, &cycle).await?,
            cycle,
        })
    }

    /// The funds of a program, by code.
    pub async fn funds_of_program(&self, program: ProgramId) -> Result<Vec<Fund>> {
        let rows: Vec<FundRow> =
            sql::all(&self.db, &sql::select::<FundRow>("WHERE program_id = $1 ORDER BY code"), values![program])
                .await?;
        Ok(rows.into_iter().map(FundRow::into_domain).collect())
    }

    /// Touches and deals that bear on a cycle; see [`Tx::results_of`].
    pub async fn results_of(&self, cycle: &Cycle) -> Result<Results> {
        results(&self.db, cycle).await
    }

    /// What closed cycles showed; see [`Tx::evidence_for`].
    pub async fn evidence_for(&self, cycle: &Cycle) -> Result<Vec<Evidence>> {
        evidence(&self.db, cycle).await
    }

    /// The answer a submission was given, where it has one.
    pub async fn submission_result(&self, scope: &str, key: &str) -> Result<Option<String>> {
        let sql = "SELECT result FROM submission WHERE scope = $1 AND submission_key = $2 AND result IS NOT NULL";
        let found: Vec<String> = sql::column(&self.db, "result", sql, values![scope, key]).await?;
        Ok(found.into_iter().next())
    }
}

impl Tx {
    /// Every touch of every person and company the cycle's campaigns met, by whichever campaign, and their deals.
    pub async fn results_of(&self, cycle: &Cycle) -> Result<Results> {
        results(&self.db, cycle).await
    }

    /// Counts at each funnel stage per tactic, from the last measurement of closed cycles of the program: the
    /// partner's own count whole, those of its region half, the others a quarter.
    pub async fn evidence_for(&self, cycle: &Cycle) -> Result<Vec<Evidence>> {
        evidence(&self.db, cycle).await
    }

    /// The newest entry of a timeline.
    pub async fn last_event(&self, stream: Uuid) -> Result<LastEvent> {
        let sql = "SELECT actor_name, at, words FROM event WHERE stream = $1 ORDER BY seq DESC LIMIT 1";
        sql::one(&self.db, sql, values![stream]).await
    }
}

async fn guide_on(db: &impl ConnectionTrait, program: ProgramId, opened_at: Instant) -> Result<Guide> {
    let tail = "WHERE program_id = $1 AND effective_from <= $2 ORDER BY effective_from DESC, version DESC LIMIT 1";
    if let Some(guide) = sql::maybe(db, &sql::select::<Guide>(tail), values![program, opened_at.date_naive()]).await? {
        return Ok(guide);
    }
    sql::one(
        db,
        &sql::select::<Guide>("WHERE program_id = $1 ORDER BY effective_from, version LIMIT 1"),
        values![program],
    )
    .await
}

async fn book_around(db: &impl ConnectionTrait, cycle: &Cycle) -> Result<Book> {
    let columns = AccountRow::COLUMNS.join(", ");
    let sql = format!(
        "SELECT {columns} FROM account WHERE cycle_id = $1 AND balance <> 0
         UNION ALL SELECT {columns} FROM account WHERE cycle_id IS NULL AND balance <> 0
           AND fund_id IN (SELECT id FROM fund WHERE program_id = $2) AND (kind = 'unallocated' OR partner_id = $3)"
    );
    let rows: Vec<AccountRow> = sql::all(db, &sql, values![cycle.id, cycle.program, cycle.partner]).await?;
    Ok(Book { balances: rows.into_iter().map(AccountRow::into_balance).collect() })
}

async fn results(db: &impl ConnectionTrait, cycle: &Cycle) -> Result<Results> {
    let met = "SELECT person_id FROM touch WHERE cycle_id = $1 AND person_id IS NOT NULL";
    let companies = "SELECT company_id FROM touch WHERE cycle_id = $1 AND company_id IS NOT NULL
                     UNION SELECT company_id FROM deal WHERE cycle_id = $1 AND company_id IS NOT NULL";
    let tail = format!("WHERE cycle_id = $1 OR person_id IN ({met}) OR company_id IN ({companies}) ORDER BY at, id");
    let touches: Vec<Touch> = sql::all(db, &sql::select::<Touch>(&tail), values![cycle.id]).await?;
    let tail =
        format!("WHERE cycle_id = $1 OR person_id IN ({met}) OR company_id IN ({companies}) ORDER BY created_on, id");
    let deals: Vec<Deal> = sql::all(db, &sql::select::<Deal>(&tail), values![cycle.id]).await?;
    Ok(Results {
        touches: touches.into_iter().map(touch_fact).collect(),
        deals: deals.into_iter().map(deal_fact).collect(),
    })
}

fn touch_fact(touch: Touch) -> TouchFact {
    TouchFact {
        id: touch.id,
        at: touch.at,
        campaign: touch.cycle_id.zip(touch.campaign_no),
        partner: touch.partner_id,
        person: touch.person_id,
        company: touch.company_id,
        response: touch.response,
        reached: touch.reached,
    }
}

fn deal_fact(deal: Deal) -> DealFact {
    DealFact {
        id: deal.id,
        name: deal.name,
        company: deal.company_id,
        person: deal.person_id,
        partner: deal.partner_id,
        stage: deal.stage,
        amount: Money::new(deal.amount, deal.currency),
        registered: deal.registered,
        created_on: deal.created_on,
        closed_on: deal.closed_on,
        is_won: deal.is_won,
        is_closed: deal.is_closed,
        source: deal.cycle_id.zip(deal.campaign_no),
    }
}

struct Closed {
    id: CycleId,
    partner: domain::ids::PartnerId,
    region: String,
    doc: String,
}

impl FromRow for Closed {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self {
            id: Column::read(row, "id")?,
            partner: Column::read(row, "partner_id")?,
            region: Column::read(row, "region")?,
            doc: Column::read(row, "doc")?,
        })
    }
}

/// At most this many closed cycles teach a forecast: the newest.
const TEACHERS: u16 = 200;

async fn evidence(db: &impl ConnectionTrait, cycle: &Cycle) -> Result<Vec<Evidence>> {
    let regions: Vec<String> =
        sql::column(db, "region", "SELECT region FROM partner WHERE id = $1", values![cycle.partner]).await?;
    let region = regions.into_iter().next().unwrap_or_default();
    let sql = "SELECT id, partner_id, region, doc FROM cycle WHERE program_id = $1 AND stage = 'closed' ORDER BY serial DESC LIMIT $2";
    let closed: Vec<Closed> = sql::all(db, sql, values![cycle.program, TEACHERS]).await?;
    let mut by_tactic: BTreeMap<String, [f64; 6]> = BTreeMap::new();
    for teacher in closed.iter().filter(|teacher| teacher.id != cycle.id) {
        let weight = if teacher.partner == cycle.partner {
            1.0
        } else if teacher.region == region {
            0.5
        } else {
            0.25
        };
        let taught: Cycle = sql::from_json(&teacher.doc, "cycle.doc")?;
        for campaign in
            taught.review.measurements.last().iter().flat_map(|measurement: &&Measurement| &measurement.campaigns)
        {
            let sums = by_tactic.entry(campaign.tactic.clone()).or_default();
            for (sum, count) in sums.iter_mut().zip(campaign.actual) {
                *sum += weight * f64::from(count);
            }
        }
    }
    Ok(by_tactic.into_iter().map(|(tactic, counts)| Evidence { tactic, counts }).collect())
}

impl Reader {
    /// An uploaded file, as far as the viewer may see it.
    pub async fn file(&self, viewer: &Viewer, id: domain::ids::FileId) -> Result<crate::rows::File> {
        let wall = Where::default().eq("id", Some(id)).and("ready", Vec::new());
        let wall = wall.within(
            viewer.scope(),
            "partner_id",
            "(SELECT region FROM partner WHERE partner.id = file.partner_id)",
        );
        sql::one(&self.db, &sql::select::<crate::rows::File>(&wall.sql()), wall.values).await
    }
}
