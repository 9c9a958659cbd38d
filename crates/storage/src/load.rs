//! What surrounds a cycle: the same for a transaction that has locked it and for a page that only looks.

use crate::error::Result;
use crate::filter::Where;
use crate::rows::{Deal, Guide, PartnerRow, Program, RateRow, TermsRow, Touch};
use crate::sql::{self, Column, FromRow, Table, rows, values};
use crate::write::CycleParts;
use crate::write::cycle::NEVER;
use crate::write::fund::FundRow;
use crate::write::ledger::AccountRow;
use crate::write::rollup::quarter_of;
use chrono::Months;
use domain::Date;
use domain::cycle::{Cycle, Partner, Stage};
use domain::exchange::Rate;
use domain::forecast::Evidence;
use domain::fund::Fund;
use domain::ids::{CycleId, FundId, PartnerId, ProgramId};
use domain::ledger::{Balance, Book};
use domain::money::{Currency, Money};
use domain::settlement::Ground;
use domain::steps::s5_request::{Accepted, AcceptedTerms};
use domain::steps::s7_execution::{Claim, ClaimState};
use domain::steps::s8_tracking::{DealFact, Results, TouchFact};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) async fn parts(db: &impl ConnectionTrait, cycle: Cycle) -> Result<CycleParts> {
    let funds = funds_of(db, cycle.program).await?;
    Ok(CycleParts {
        partner: partner(db, cycle.partner).await?,
        guide: guide_of(db, &cycle).await?,
        rates: rates_of(db, &cycle, &funds).await?,
        terms: terms_of(db, &cycle).await?,
        funds,
        book: book_of_cycle(db, &cycle).await?,
        cycle,
    })
}

pub(crate) async fn partner_row(db: &impl ConnectionTrait, id: PartnerId) -> Result<PartnerRow> {
    sql::one(db, &sql::select::<PartnerRow>("WHERE id = $1"), values![id]).await
}

struct Known {
    row: PartnerRow,
    has_been_paid: bool,
}

impl FromRow for Known {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self { row: PartnerRow::from_row(row)?, has_been_paid: Column::read(row, "has_been_paid")? })
    }
}

/// The partner as the rules see it.
pub(crate) async fn partner(db: &impl ConnectionTrait, id: PartnerId) -> Result<Partner> {
    let columns = PartnerRow::COLUMNS.join(", ");
    let paid = "EXISTS (SELECT 1 FROM account WHERE partner_id = $1 AND kind = 'paid') AS has_been_paid";
    let sql = format!("SELECT {columns}, {paid} FROM partner WHERE id = $1");
    let Known { row, has_been_paid } = sql::one(db, &sql, values![id]).await?;
    Ok(row.into_domain(has_been_paid))
}

pub(crate) async fn program(db: &impl ConnectionTrait, id: ProgramId) -> Result<Program> {
    sql::one(db, &sql::select::<Program>("WHERE id = $1"), values![id]).await
}

/// A version that was taken back before its day judges nothing.
pub(crate) const NOT_WITHDRAWN: &str = "NOT EXISTS (SELECT 1 FROM guide_withdrawal w
      WHERE w.program_id = guide.program_id AND w.version = guide.version)";

/// The guide a cycle is judged by: what was in force when it was opened, and known then. A version that is taken in later
/// never reaches back.
pub(crate) async fn guide_of(db: &impl ConnectionTrait, cycle: &Cycle) -> Result<Guide> {
    let known = format!(
        "WHERE program_id = $1 AND effective_from <= $2 AND created_at <= $3 AND {NOT_WITHDRAWN}
         ORDER BY effective_from DESC, version DESC LIMIT 1"
    );
    let values = values![cycle.program, cycle.opened_at.date_naive(), cycle.opened_at];
    match sql::maybe(db, &sql::select::<Guide>(&known), values).await? {
        Some(guide) => Ok(guide),
        None => guide_on(db, cycle.program, cycle.opened_at.date_naive()).await,
    }
}

/// What the partner accepted in the program, while its money is asked for: nothing else asks for it.
async fn terms_of(db: &impl ConnectionTrait, cycle: &Cycle) -> Result<Vec<AcceptedTerms>> {
    if cycle.stage != Stage::RequestDraft {
        return Ok(Vec::new());
    }
    let tail = "WHERE partner_id = $1 AND program_id = $2 ORDER BY at DESC LIMIT 20";
    let rows: Vec<TermsRow> =
        sql::all(db, &sql::select::<TermsRow>(tail), values![cycle.partner, cycle.program]).await?;
    let accepted = |row: TermsRow| AcceptedTerms {
        accepted: Accepted { version: row.version, by_name: row.by_name, at: row.at },
        terms: row.terms,
    };
    Ok(rows.into_iter().map(accepted).collect())
}

/// The guide in force on a day: the one effective last by then; before the first, the first.
pub(crate) async fn guide_on(db: &impl ConnectionTrait, program: ProgramId, day: Date) -> Result<Guide> {
    let in_force = format!(
        "WHERE program_id = $1 AND effective_from <= $2 AND {NOT_WITHDRAWN}
         ORDER BY effective_from DESC, version DESC LIMIT 1"
    );
    let guide = sql::maybe(db, &sql::select::<Guide>(&in_force), values![program, day]).await?;
    if let Some(guide) = guide {
        return Ok(guide);
    }
    let first = format!("WHERE program_id = $1 AND {NOT_WITHDRAWN} ORDER BY effective_from, version LIMIT 1");
    sql::one(db, &sql::select::<Guide>(&first), values![program]).await
}

pub(crate) async fn funds_of(db: &impl ConnectionTrait, program: ProgramId) -> Result<Vec<Fund>> {
    let tail = "WHERE program_id = $1 ORDER BY code";
    let rows: Vec<FundRow> = sql::all(db, &sql::select::<FundRow>(tail), values![program]).await?;
    Ok(rows.into_iter().map(FundRow::into_domain).collect())
}

/// Rates from the cycle's currency into those of its funds: the latest one, and for claims to be paid that of the day they
/// were handed in. Where all are kept in one currency nothing is asked.
async fn rates_of(db: &impl ConnectionTrait, cycle: &Cycle, funds: &[Fund]) -> Result<Vec<Rate>> {
    let settled = |fund: &&Fund| cycle.approval.exchange.is_none() || cycle.fund() == Some(fund.id);
    let foreign = funds.iter().filter(|fund| fund.currency != cycle.currency).filter(settled);
    let into: BTreeSet<&str> = foreign.map(|fund| fund.currency.code()).collect();
    let payable = |claim: &&Claim| matches!(claim.state, ClaimState::Payable | ClaimState::PartPaid);
    let days = cycle.claims.iter().filter(payable).map(|claim| claim.submitted_at.date_naive());
    let days: BTreeSet<Date> = days.chain([Date::MAX]).collect();
    let mut rates = Vec::new();
    for currency in into {
        for day in &days {
            // No rate is of a day to come: the last day there is finds the latest.
            let by_then = "WHERE from_currency = $1 AND to_currency = $2 AND day <= $3
                           ORDER BY day DESC, recorded_at DESC, id DESC LIMIT 1";
            let values = values![cycle.currency, currency, (*day).min(NEVER)];
            let found: Option<RateRow> = sql::maybe(db, &sql::select::<RateRow>(by_then), values).await?;
            rates.extend(found.map(RateRow::into_domain));
        }
    }
    Ok(rates)
}

/// Each arm goes by an index of its own.
async fn book_of_cycle(db: &impl ConnectionTrait, cycle: &Cycle) -> Result<Book> {
    let columns: Vec<String> = AccountRow::COLUMNS.iter().map(|column| format!("a.{column}")).collect();
    let columns = columns.join(", ");
    let sql = format!(
        "SELECT {columns} FROM account a WHERE a.cycle_id = $1 AND a.balance <> 0
         UNION ALL
         SELECT {columns} FROM account a JOIN fund f ON f.id = a.fund_id
         WHERE f.program_id = $2 AND a.kind = 'unallocated' AND a.balance <> 0
         UNION ALL
         SELECT {columns} FROM account a JOIN fund f ON f.id = a.fund_id
         WHERE a.partner_id = $3 AND a.cycle_id IS NULL AND a.balance <> 0 AND f.program_id = $2"
    );
    book(db, &sql, values![cycle.id, cycle.program, cycle.partner]).await
}

pub(crate) async fn book(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<Book> {
    let rows: Vec<AccountRow> = sql::all(db, sql, values).await?;
    let balances: Vec<Balance> = rows.into_iter().map(AccountRow::into_balance).collect();
    Ok(Book { balances })
}

/// Every touch of every person and company a cycle's campaigns met, by whichever campaign, and their deals.
pub(crate) async fn results_of(db: &impl ConnectionTrait, cycle: CycleId) -> Result<Results> {
    let met = "WITH met AS (SELECT person_id, company_id FROM touch WHERE cycle_id = $1
                            UNION SELECT person_id, company_id FROM deal WHERE cycle_id = $1)";
    let arms = |table: &str, columns: &[&str]| {
        let columns = columns.join(", ");
        format!(
            "{met}
             SELECT {columns} FROM {table} WHERE person_id IN (SELECT person_id FROM met WHERE person_id IS NOT NULL)
             UNION
             SELECT {columns} FROM {table} WHERE company_id IN (SELECT company_id FROM met WHERE company_id IS NOT NULL)
             UNION
             SELECT {columns} FROM {table} WHERE cycle_id = $1"
        )
    };
    let touches: Vec<Touch> =
        sql::all(db, &format!("{} ORDER BY at, id", arms("touch", Touch::COLUMNS)), values![cycle]).await?;
    let deals: Vec<Deal> =
        sql::all(db, &format!("{} ORDER BY created_on, id", arms("deal", Deal::COLUMNS)), values![cycle]).await?;
    Ok(Results {
        touches: touches.into_iter().map(touch_fact).collect(),
        deals: deals.into_iter().map(deal_fact).collect(),
    })
}

fn touch_fact(row: Touch) -> TouchFact {
    TouchFact {
        id: row.id,
        at: row.at,
        campaign: row.cycle_id.zip(row.campaign_no),
        partner: row.partner_id,
        person: row.person_id,
        company: row.company_id,
        response: row.response,
        reached: row.reached,
    }
}

fn deal_fact(row: Deal) -> DealFact {
    DealFact {
        id: row.id,
        name: row.name,
        company: row.company_id,
        person: row.person_id,
        partner: row.partner_id,
        stage: row.stage,
        amount: Money::new(row.amount, row.currency),
        registered: row.registered,
        created_on: row.created_on,
        closed_on: row.closed_on,
        is_won: row.is_won,
        is_closed: row.is_closed,
        source: row.cycle_id.zip(row.campaign_no),
    }
}

/// Counts at one distance: the program, the region, the partner.
struct Shown {
    distance: String,
    tactic: String,
    counts: [i64; 6],
}

impl FromRow for Shown {
    fn from_row(row: &QueryResult) -> Result<Self> {
        let mut counts = [0; 6];
        for (count, column) in counts.iter_mut().zip(FUNNEL) {
            *count = Column::read(row, column)?;
        }
        Ok(Self { distance: Column::read(row, "distance")?, tactic: Column::read(row, "tactic")?, counts })
    }
}

const FUNNEL: [&str; 6] = ["responses", "leads", "mqls", "opportunities", "proposals", "wins"];

/// What campaigns of the three years before this cycle's quarter showed, by tactic.
pub(crate) async fn evidence_for(db: &impl ConnectionTrait, cycle: &Cycle) -> Result<Vec<Evidence>> {
    let until = quarter_of(cycle.period.from);
    let from = until - Months::new(36);
    let region = partner_row(db, cycle.partner).await?.region;
    let sums: Vec<String> = FUNNEL.iter().map(|column| format!("CAST(SUM({column}) AS bigint) AS {column}")).collect();
    let sums = sums.join(", ");
    let quarters = "program_id = $1 AND quarter >= $2 AND quarter < $3";
    let sql = format!(
        "SELECT 'program' AS distance, tactic, {sums} FROM rollup WHERE {quarters} GROUP BY tactic
         UNION ALL
         SELECT 'region' AS distance, tactic, {sums} FROM rollup WHERE {quarters} AND region = $4 GROUP BY tactic
         UNION ALL
         SELECT 'partner' AS distance, tactic, {sums} FROM campaign WHERE {quarters} AND partner_id = $5 GROUP BY tactic"
    );
    let shown: Vec<Shown> = sql::all(db, &sql, values![cycle.program, from, until, region, cycle.partner]).await?;
    let mut by_tactic: BTreeMap<String, [[i64; 6]; 3]> = BTreeMap::new();
    for Shown { distance, tactic, counts } in shown {
        let nearest_first = match distance.as_str() {
            "partner" => 0,
            "region" => 1,
            _ => 2,
        };
        by_tactic.entry(tactic).or_default()[nearest_first] = counts;
    }
    let weighed = by_tactic
        .into_iter()
        .map(|(tactic, [partner, region, program])| Evidence::weigh(tactic, partner, region, program));
    Ok(weighed.collect())
}

rows! {
    view NewestDetails {
        owner: String,
        version: i64,
    }

    view Batched {
        cycle_id: CycleId,
        claim_no: u16,
        number: String,
    }

    view Planned {
        partner_id: PartnerId,
        fund_id: FundId,
        held_back: i64,
    }
}

/// What is known of these partners and cycles that a settlement batch is judged on.
pub(crate) async fn batch_ground(
    db: &impl ConnectionTrait,
    partners: &[PartnerId],
    cycles: &[CycleId],
) -> Result<Ground> {
    let owners: Vec<String> = partners.iter().map(ToString::to_string).collect();
    let of = Where::default().among("owner", &owners);
    let sql = format!(
        "SELECT owner, CAST(MAX(version) AS bigint) AS version FROM payment_details {} GROUP BY owner",
        of.sql()
    );
    let newest: Vec<NewestDetails> = sql::all(db, &sql, of.values).await?;
    let of = Where::default().and("waits", Vec::new()).among("partner_id", partners);
    let sql = format!(
        "SELECT partner_id, fund_id, CAST(SUM(held_back) AS bigint) AS held_back FROM settlement_claim {}
         GROUP BY partner_id, fund_id",
        of.sql()
    );
    let planned: Vec<Planned> = sql::all(db, &sql, of.values).await?;
    let batched = batched(db, Where::default().among("x.cycle_id", cycles)).await?;
    Ok(Ground {
        details: newest.iter().filter_map(|row| Some((row.owner.parse().ok()?, row.version))).collect(),
        batched: batched.into_iter().map(|row| ((row.cycle_id, row.claim_no), row.number)).collect(),
        planned: planned.iter().map(|row| ((row.partner_id, row.fund_id), row.held_back)).collect(),
    })
}

/// A cycle's claims that are in an open settlement batch.
pub(crate) async fn batched_of(db: &impl ConnectionTrait, cycle: CycleId) -> Result<BTreeMap<u16, String>> {
    let rows = batched(db, Where::default().eq("x.cycle_id", Some(cycle))).await?;
    Ok(rows.into_iter().map(|row| (row.claim_no, row.number)).collect())
}

async fn batched(db: &impl ConnectionTrait, of: Where) -> Result<Vec<Batched>> {
    let of = of.and("x.waits", Vec::new());
    let sql = format!(
        "SELECT x.cycle_id, x.claim_no, b.number FROM settlement_claim x JOIN settlement b ON b.id = x.settlement_id {}",
        of.sql()
    );
    sql::all(db, &sql, of.values).await
}

rows! {
    view Counting {
        from_currency: Currency,
        to_currency: Currency,
        day: Date,
        rate: Decimal,
    }
}

/// The rates that count now for the pairs of these, between their first and last day: of a day the one recorded last.
pub(crate) async fn rates_of_days(db: &impl ConnectionTrait, rates: &[Rate]) -> Result<Vec<Rate>> {
    let days = || rates.iter().map(|rate| rate.day);
    let Some((first, last)) = days().min().zip(days().max()) else { return Ok(Vec::new()) };
    let pairs: BTreeSet<(&str, &str)> = rates.iter().map(|rate| (rate.from.code(), rate.to.code())).collect();
    let mut counting = Vec::new();
    for (from, to) in pairs {
        let found = Where::default()
            .and("r.from_currency = ? AND r.to_currency = ?", values![from, to])
            .and("r.day >= ? AND r.day <= ?", values![first, last]);
        let sql = format!(
            "SELECT r.from_currency, r.to_currency, r.day, r.rate FROM exchange_rate r {} AND NOT EXISTS (
               SELECT 1 FROM exchange_rate n WHERE n.from_currency = r.from_currency AND n.to_currency = r.to_currency
               AND n.day = r.day AND (n.recorded_at, n.id) > (r.recorded_at, r.id))",
            found.sql()
        );
        let rows: Vec<Counting> = sql::all(db, &sql, found.values).await?;
        counting.extend(rows.into_iter().map(|row| Rate {
            from: row.from_currency,
            to: row.to_currency,
            day: row.day,
            value: row.rate,
        }));
    }
    Ok(counting)
}
