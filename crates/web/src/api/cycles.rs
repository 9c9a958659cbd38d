//! /api/v1/cycles: look at cycles, open one, carry a command out.

use actix_web::http::header::ETAG;
use actix_web::web::{Bytes, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::deadlines::deadlines;
use domain::machine::Command;
use domain::signals::{About, Signal};
use engine::{NewCycle, WhichCycle};
use serde::Serialize;
use storage::read::{CycleFilter, CycleSort};

use super::{Answer, Asked, answered, json, submission, submission_on_a_version};
use crate::error::Error;
use crate::extract::{Machine, finish};

/// GET /api/v1/cycles
pub async fn list(machine: Machine, asked: Query<Asked>) -> Answer {
    let reader = machine.site().engine.reader();
    let (filter, sort) = (CycleFilter::default(), CycleSort::Newest);
    let page = reader.cycles(machine.viewer(), &filter, sort, &asked.paging()).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// GET /api/v1/cycles/{no}
pub async fn show(machine: Machine, no: Path<String>) -> Answer {
    let mut cycle = machine.site().engine.reader().cycle(machine.viewer(), WhichCycle::Number(&no)).await?;
    if machine.actor().me.is_partner() {
        cycle.approval.exchange = None;
        cycle.claims.iter_mut().for_each(super::claims::hide_fund);
    }
    let tag = (ETAG, format!("\"{}\"", cycle.version));
    Ok(HttpResponse::Ok().insert_header(tag).json(cycle))
}

/// GET /api/v1/cycles/{no}/deadlines
pub async fn due(machine: Machine, no: Path<String>) -> Answer {
    let s = machine.site().engine.look(machine.viewer(), WhichCycle::Number(&no)).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": deadlines(&s), "next": null })))
}

/// GET /api/v1/cycles/{no}/timeline
pub async fn timeline(machine: Machine, no: Path<String>, asked: Query<Asked>) -> Answer {
    let reader = machine.site().engine.reader();
    let page = reader.timeline(machine.viewer(), WhichCycle::Number(&no), false, &asked.paging()).await?;
    Ok(HttpResponse::Ok().json(page))
}

#[derive(Serialize)]
struct Noted {
    #[serde(flatten)]
    about: About,
    #[serde(flatten)]
    signal: Signal,
}

/// GET /api/v1/cycles/{no}/signals: for reviewers; to a partner's token it is not there.
pub async fn signals(machine: Machine, no: Path<String>) -> Answer {
    if machine.actor().me.partner.is_some() {
        return Err(Error::NotFound.into());
    }
    let engine = &machine.site().engine;
    let s = engine.look(machine.viewer(), WhichCycle::Number(&no)).await?;
    let traces = engine.reader().traces(machine.viewer(), &s.cycle).await?;
    let found = domain::signals::all(&s, &traces).into_iter();
    let rows: Vec<Noted> = found.map(|(about, signal)| Noted { about, signal }).collect();
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": null })))
}

/// POST /api/v1/cycles
pub async fn open(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let new: NewCycle = json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done = finish(async move { engine.open_cycle(&actor, &new, &once).await }).await?;
    let location = format!("/api/v1/cycles/{}", done.number);
    Ok(answered(HttpResponse::Created().insert_header(("Location", location)), &done))
}

/// POST /api/v1/cycles/{no}/commands: `{"step":"plan","do":"submit"}`, as the rules write it.
pub async fn command(machine: Machine, req: HttpRequest, no: Path<String>, body: Bytes) -> Answer {
    let once = submission_on_a_version(&machine, &req)?;
    let command: Command = json(&req, &body)?;
    let (engine, actor, no) = (machine.site().engine.clone(), machine.actor().clone(), no.into_inner());
    let done = finish(async move { engine.advance(&actor, WhichCycle::Number(&no), &command, &once).await }).await?;
    Ok(answered(&mut HttpResponse::Ok(), &done))
}
