//! /api/v1/funds, /api/v1/rates, /api/v1/partners: what there is to spend, at which rates, and with whom.

use actix_web::http::header::ACCEPT;
use actix_web::web::{Bytes, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::Date;
use domain::exchange::Rate;
use domain::fund::{Fund, FundCommand};
use domain::ids::{FundId, PartnerId};
use domain::money::Marks;
use engine::allocations::{Proposed, Reading};
use engine::{NewFund, WhichFund};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::read::{ExpiringFilter, MovementsOf, Paging};

use super::{Answer, Asked, answered, header, json, submission, submission_on_a_version};
use crate::error::Error;
use crate::extract::{Machine, finish};
use crate::fields::{Fields, Typed};
use crate::pages::funds::{ledger, rule};
use crate::pages::imports::csv;
use crate::pages::statement;
use crate::posted;

/// A fund and what is in its accounts, in minor units of its currency.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    fund: Fund,
    balances: BTreeMap<&'static str, i64>,
}

/// GET /api/v1/funds
pub async fn funds(machine: Machine) -> Answer {
    let (funds, totals) = machine.site().engine.reader().funds(machine.viewer()).await?;
    let listed = funds.into_iter().map(|fund| {
        let own = totals.iter().filter(|total| total.fund_id == fund.id);
        Listed { balances: own.map(|total| (total.kind.code(), total.total)).collect(), fund }
    });
    let rows: Vec<Listed> = listed.collect();
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": null })))
}

/// POST /api/v1/funds
pub async fn open(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let new: NewFund = json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done = finish(async move { engine.open_fund(&actor, &new, &once).await }).await?;
    Ok(answered(&mut HttpResponse::Created(), &done))
}

/// Which credit to list; without `until`, the next ninety days.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expiring {
    until: Option<Date>,
    fund: Option<FundId>,
    partner: Option<PartnerId>,
    region: Option<String>,
    after: Option<String>,
    size: Option<u16>,
}

/// GET /api/v1/funds/expiring: amounts in minor units of each line's own currency.
pub async fn expiring(machine: Machine, asked: Query<Expiring>) -> Answer {
    let (engine, asked) = (machine.site().engine.clone(), asked.into_inner());
    let from = engine.clock.today();
    let filter = ExpiringFilter {
        from,
        until: asked.until.unwrap_or(from + chrono::Days::new(90)),
        fund: asked.fund,
        partner: asked.partner,
        region: asked.region,
    };
    let paging = Paging { after: asked.after, size: asked.size.unwrap_or(50).clamp(1, 200) };
    Ok(HttpResponse::Ok().json(engine.reader().expiring_credit(machine.viewer(), &filter, &paging).await?))
}

/// POST /api/v1/funds/{code}/commands
pub async fn command(machine: Machine, req: HttpRequest, code: Path<String>, body: Bytes) -> Answer {
    let once = submission_on_a_version(&machine, &req)?;
    let command: FundCommand = json(&req, &body)?;
    let (engine, actor, code) = (machine.site().engine.clone(), machine.actor().clone(), code.into_inner());
    let done = finish(async move { engine.fund(&actor, WhichFund::Code(&code), &command, &once).await }).await?;
    Ok(answered(&mut HttpResponse::Ok(), &done))
}

/// The days of a statement or journal; the month so far where nothing is said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Days {
    from: String,
    to: String,
    after: Option<String>,
    size: Option<u16>,
    /// `csv` for the whole as a table; otherwise what the call accepts decides.
    format: String,
}

impl Days {
    /// The caller wants a table: says so, or accepts nothing else.
    fn as_table(&self, req: &HttpRequest) -> Result<bool, Error> {
        match self.format.as_str() {
            "csv" => Ok(true),
            "json" => Ok(false),
            "" => Ok(header(req, ACCEPT.as_str()).is_some_and(|accepted| accepted.starts_with("text/csv"))),
            other => Err(Error::BadRequest(format!("“{other}” is no format: use csv or json."))),
        }
    }

    fn read(&self, machine: &Machine) -> Result<(Date, Date), Error> {
        statement::Asked::days(&self.from, &self.to, machine.site().engine.clock.today())
    }
}

/// GET /api/v1/funds/{code}/statement?from=&to=&after=&size=
pub async fn fund_statement(machine: Machine, req: HttpRequest, code: Path<String>, days: Query<Days>) -> Answer {
    let fund = machine.site().engine.reader().fund(machine.viewer(), &code).await?;
    statement_of(&machine, &req, (MovementsOf::Fund(fund.id), &fund.code), &days).await
}

/// GET /api/v1/partners/{id}/statement?from=&to=&after=&size=
pub async fn partner_statement(machine: Machine, req: HttpRequest, id: Path<String>, days: Query<Days>) -> Answer {
    let partner = id.parse::<PartnerId>().map_err(|_| Error::NotFound)?;
    statement_of(&machine, &req, (MovementsOf::Partner(partner), "wallet"), &days).await
}

/// Every account before the first day and at the end of the last, and a page of what moved, newest first.
async fn statement_of(machine: &Machine, req: &HttpRequest, (of, whose): (MovementsOf, &str), days: &Days) -> Answer {
    let (from, to) = days.read(machine)?;
    if days.as_table(req)? {
        let bytes = machine.site().engine.statement_csv(machine.viewer(), of, (from, to)).await?;
        return Ok(csv(&statement::file_name(whose, (from, to)), bytes));
    }
    let (reader, viewer) = (machine.site().engine.reader(), machine.viewer());
    let eve = from.pred_opt().unwrap_or(from);
    let (opening, closing) = (reader.accounts_on(viewer, of, eve).await?, reader.accounts_on(viewer, of, to).await?);
    let paging = Paging { after: days.after.clone(), size: days.size.unwrap_or(50).clamp(1, 200) };
    let moved = reader.movements(viewer, of, (Some(from), Some(to)), &paging).await?;
    let whole = serde_json::json!({
        "from": from, "to": to, "opening": opening, "closing": closing, "rows": moved.rows, "next": moved.next
    });
    Ok(HttpResponse::Ok().json(whole))
}

/// GET /api/v1/general-ledger?from=&to=
pub async fn general_ledger(machine: Machine, req: HttpRequest, asked: Query<Days>) -> Answer {
    let days = asked.read(&machine)?;
    if !ledger::READERS.iter().any(|role| machine.viewer().has(*role)) {
        return Err(Error::NotFound.into());
    }
    if asked.as_table(&req)? {
        let bytes = machine.site().engine.general_ledger_csv(machine.viewer(), days).await?;
        return Ok(csv(&format!("general-ledger-{}-{}.csv", days.0, days.1), bytes));
    }
    let mut rows = Vec::new();
    machine.site().engine.general_ledger(machine.viewer(), days, |line| rows.push(line)).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": null })))
}

/// A rule as a query says it: amounts and percentages with a point.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AskedRule {
    how: String,
    amount: String,
    percent: String,
    by: String,
    weights: String,
    tier: String,
    region: String,
    country: String,
    /// `segment:enterprise`, one after a comma each.
    also: String,
    expires: String,
}

/// GET /api/v1/funds/{code}/allocation-preview: the lines a rule makes, to be sent as `allocate_many`.
pub async fn preview(machine: Machine, code: Path<String>, asked: Query<AskedRule>) -> Answer {
    let engine = &machine.site().engine;
    let fund = engine.reader().fund(machine.viewer(), &code).await?;
    let unallocated = engine.unallocated(WhichFund::Id(fund.id)).await?;
    let also = asked.also.replace(',', "\n");
    let pairs = [
        ("how", &asked.how),
        ("amount", &asked.amount),
        ("percent", &asked.percent),
        ("by", &asked.by),
        ("weights", &asked.weights),
        ("tier", &asked.tier),
        ("region", &asked.region),
        ("country", &asked.country),
        ("also", &also),
        ("expires", &asked.expires),
    ];
    let typed = Typed::new(pairs.map(|(name, value)| (name.to_owned(), value.clone())).to_vec());
    let rule = Fields::read(&typed, Marks::Point, |f| rule::read_rule(f, unallocated))?;
    let proposed = engine.allocation_rule(machine.viewer(), &rule).await?;
    looked_over(&machine, &fund, proposed).await
}

/// What no table says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AskedTable {
    marks: Option<Marks>,
    expires: Option<Date>,
}

/// POST /api/v1/funds/{code}/allocation-table?marks=&expires=: the lines of a table, to be sent as `allocate_many`.
pub async fn preview_table(machine: Machine, code: Path<String>, asked: Query<AskedTable>, payload: Payload) -> Answer {
    let engine = &machine.site().engine;
    let fund = engine.reader().fund(machine.viewer(), &code).await?;
    let reading = Reading { currency: fund.currency, marks: asked.marks, expires: asked.expires };
    let proposed = engine.allocation_table(machine.viewer(), &posted::whole(payload).await?, &reading).await?;
    looked_over(&machine, &fund, proposed).await
}

/// The lines that can be recorded, and those that cannot with why.
async fn looked_over(machine: &Machine, fund: &Fund, proposed: Vec<Proposed>) -> Answer {
    let engine = &machine.site().engine;
    let preview = engine.preview_allocation(machine.actor(), WhichFund::Id(fund.id), proposed).await?;
    let left_out = preview.rows.iter().filter_map(|row| {
        let why = row.outcome.as_ref().err()?;
        Some(serde_json::json!({ "line": row.no, "partner": row.partner, "why": why }))
    });
    let whole = serde_json::json!({
        "version": preview.situation.fund.version,
        "rows": preview.lines, "left_out": left_out.collect::<Vec<_>>(), "total": preview.total,
        "unallocated": preview.unallocated, "refusal": preview.refusal, "next": null
    });
    Ok(HttpResponse::Ok().json(whole))
}

/// GET /api/v1/rates
pub async fn rates(machine: Machine, asked: Query<Asked>) -> Answer {
    let page = machine.site().engine.reader().rates(machine.viewer(), &asked.paging()).await?;
    Ok(HttpResponse::Ok().json(page))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRates {
    rates: Vec<Rate>,
}

/// POST /api/v1/rates
pub async fn record_rates(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let NewRates { rates } = json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done = finish(async move { engine.record_rates(&actor, &rates, &once).await }).await?;
    Ok(HttpResponse::Created().json(&done))
}
