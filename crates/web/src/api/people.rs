//! /api/v1/wallet, /api/v1/stand-ins: what a partner has, and who acts in one's place.

use actix_web::web::{Bytes, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::Date;
use domain::ids::{PartnerId, UserId};
use engine::Advanced;
use serde::Deserialize;
use serde_json::{Value, json as value};
use uuid::Uuid;

use super::imports::with_content;
use super::{Answer, json, submission};
use crate::error::Error;
use crate::extract::{Machine, finish};

/// Whose wallet; only the vendor's people say.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Whose {
    partner: Option<PartnerId>,
}

/// GET /api/v1/wallet?partner=: every account of a partner that holds something, by fund, state and last day.
pub async fn wallet(machine: Machine, whose: Query<Whose>) -> Answer {
    let Some(partner) = machine.actor().me.partner.or(whose.partner) else {
        return Err(Error::BadRequest("Name the partner: ?partner=…".to_owned()).into());
    };
    let rows = machine.site().engine.reader().wallet(machine.viewer(), partner).await?;
    Ok(HttpResponse::Ok().json(value!({ "partner": partner, "rows": rows, "next": null })))
}

/// GET /api/v1/stand-ins: who acts in the owner's place from today on, and which colleagues could.
pub async fn stand_ins(machine: Machine) -> Answer {
    let door = &machine.site().door;
    let rows = door.stand_ins(machine.viewer(), machine.actor()).await?;
    let colleagues = door.colleagues(machine.viewer(), machine.actor()).await?;
    let colleagues: Vec<Value> = colleagues.iter().map(|user| value!({ "id": user.id, "name": user.name })).collect();
    Ok(HttpResponse::Ok().json(value!({ "rows": rows, "colleagues": colleagues, "next": null })))
}

/// A colleague who is to act in one's place, first and last day included.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStandIn {
    stand_in: UserId,
    from: Date,
    to: Date,
}

/// POST /api/v1/stand-ins
pub async fn add_stand_in(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = with_content(submission(&machine, &req)?, &[b"stand-in", &body]);
    let NewStandIn { stand_in, from, to } = json(&req, &body)?;
    let done: Advanced = finish(async move {
        let (engine, door, actor) = (&machine.site().engine, &machine.site().door, machine.actor());
        let work = async {
            let id = door.add_stand_in(machine.viewer(), actor, stand_in, (from, to)).await?;
            let words = vec!["Your colleague stands in for you on those days.".to_owned()];
            Ok(Advanced { number: id.to_string(), version: 1, words })
        };
        engine.remember(actor, &once, work).await
    })
    .await?;
    Ok(HttpResponse::Created().json(done))
}

/// POST /api/v1/stand-ins/{id}/removal
pub async fn remove_stand_in(machine: Machine, req: HttpRequest, id: Path<String>) -> Answer {
    let id: Uuid = id.parse().map_err(|_| Error::NotFound)?;
    let once = with_content(submission(&machine, &req)?, &[b"removal", id.as_bytes()]);
    let done: Advanced = finish(async move {
        let (engine, door, actor) = (&machine.site().engine, &machine.site().door, machine.actor());
        let work = async {
            door.remove_stand_in(actor, id).await?;
            let words = vec!["Nobody stands in for you on those days any more.".to_owned()];
            Ok(Advanced { number: id.to_string(), version: 1, words })
        };
        engine.remember(actor, &once, work).await
    })
    .await?;
    Ok(HttpResponse::Ok().json(done))
}
