//! /api/v1/purchases, /api/v1/funds/{code}/periods: what was earned, and periods.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use domain::ids::PartnerId;
use domain::money::Money;
use engine::PeriodAhead;
use serde::Deserialize;
use serde_json::{Value, json};
use storage::read::Paging;

use super::Answer;
use crate::error::Error;
use crate::extract::Machine;

/// Whose purchases to list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    partner: Option<PartnerId>,
    after: Option<String>,
    size: Option<u16>,
}

/// GET /api/v1/purchases?partner=&after=&size=
pub async fn purchases(machine: Machine, whose: Query<Whose>) -> Answer {
    let Some(partner) = machine.actor().me.partner.or(whose.partner) else {
        return Err(Error::BadRequest("Name the partner: ?partner=…".to_owned()).into());
    };
    let paging = Paging { after: whose.after.clone(), size: whose.size.unwrap_or(50).clamp(1, 200) };
    let found = machine.site().engine.reader().earned(machine.viewer(), partner, &paging).await.map_err(Error::from)?;
    Ok(HttpResponse::Ok().json(found))
}

/// GET /api/v1/funds/{code}/periods
pub async fn periods(machine: Machine, code: Path<String>) -> Answer {
    let engine = &machine.site().engine;
    let PeriodAhead { fund, closing, closable_from } =
        engine.period_ahead(machine.viewer(), &code).await.map_err(Error::from)?;
    let closed = engine.reader().closed_periods(machine.viewer(), fund.id).await.map_err(Error::from)?;
    let minor = |amount: Money| amount.minor;
    let lines: Vec<Value> = closing
        .lines
        .iter()
        .map(|line| {
            json!({
                "partner": line.partner, "name": line.name, "earned": minor(line.earned),
                "threshold": line.threshold.map(minor), "converted": minor(line.converted), "lost": minor(line.lost),
                "forfeited": minor(line.forfeited), "carried_over": minor(line.carried), "stays": minor(line.stays),
                "expires": line.until,
            })
        })
        .collect();
    let closed: Vec<Value> =
        closed.iter().map(|one| json!({ "first": one.first_day, "last": one.last_day, "closed_at": one.at })).collect();
    Ok(HttpResponse::Ok().json(json!({
        "currency": fund.currency,
        "version": fund.version,
        "next": { "first": closing.first, "last": closing.last, "closable_from": closable_from, "partners": lines },
        "closed": closed,
    })))
}
