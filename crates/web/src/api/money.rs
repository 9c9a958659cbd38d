//! /api/v1/funds, /api/v1/partners: what there is to spend, and with whom.

use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use domain::fund::{Fund, FundCommand};
use domain::ids::PartnerId;
use engine::WhichFund;
use serde::Serialize;
use std::collections::BTreeMap;

use super::{Answer, answered, json, submission_on_a_version};
use crate::extract::{Machine, finish};

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

/// POST /api/v1/funds/{code}/commands
pub async fn command(machine: Machine, req: HttpRequest, code: Path<String>, body: Bytes) -> Answer {
    let once = submission_on_a_version(&machine, &req)?;
    let command: FundCommand = json(&req, &body)?;
    let (engine, actor, code) = (machine.site().engine.clone(), machine.actor().clone(), code.into_inner());
    let done = finish(async move { engine.fund(&actor, WhichFund::Code(&code), &command, &once).await }).await?;
    Ok(answered(&mut HttpResponse::Ok(), &done))
}

#[derive(Serialize)]
struct Named {
    id: PartnerId,
    name: String,
}

/// GET /api/v1/partners
pub async fn partners(machine: Machine) -> Answer {
    let names = machine.site().engine.reader().partner_names(machine.viewer()).await?;
    let rows: Vec<Named> = names.into_iter().map(|(id, name)| Named { id, name }).collect();
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": null })))
}
