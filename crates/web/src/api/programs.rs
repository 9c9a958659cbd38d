//! /api/v1/programs: programs, the versions of their guides, and what another version would change.

use actix_web::web::{Bytes, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::Date;
use domain::policy::{Policy, changes};
use engine::programs::{NewProgram, read};
use serde::Deserialize;
use serde_json::{Value, json as value};

use super::{Answer, answered, json, submission};
use crate::error::Error;
use crate::extract::{Machine, finish};
use crate::posted;

/// How many past requests a call looks at where it does not say.
const LOOKED_AT: usize = 1_000;

/// GET /api/v1/programs
pub async fn list(machine: Machine) -> Answer {
    let rows = machine.site().engine.reader().programs(machine.viewer()).await?;
    Ok(HttpResponse::Ok().json(value!({ "rows": rows, "next": null })))
}

/// POST /api/v1/programs
pub async fn start(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let new: NewProgram = json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done = finish(async move { engine.open_program(&actor, &new, &once).await }).await?;
    let location = format!("/api/v1/programs/{}/guides", done.number);
    Ok(answered(HttpResponse::Created().insert_header(("Location", location)), &done))
}

/// GET /api/v1/programs/{code}/guides: every version, the one that counts last first.
pub async fn guides(machine: Machine, code: Path<String>) -> Answer {
    let engine = &machine.site().engine;
    let program = engine.reader().program(machine.viewer(), &code).await?;
    let in_force = engine.reader().guide_on(machine.viewer(), program.id, engine.clock.today()).await?;
    let mut rows: Vec<Value> = Vec::new();
    for guide in engine.reader().guides(machine.viewer(), program.id).await? {
        let policy = engine.guide(&guide)?;
        rows.push(value!({
            "version": guide.version, "name": policy.guide.version, "effective_from": guide.effective_from,
            "in_force": guide.version == in_force.version, "created_at": guide.created_at,
        }));
    }
    Ok(HttpResponse::Ok().json(value!({ "rows": rows, "next": null })))
}

/// GET /api/v1/programs/{code}/guides/{version}: the guide's own text.
pub async fn guide(machine: Machine, at: Path<(String, String)>) -> Answer {
    let (code, version) = at.into_inner();
    let reader = machine.site().engine.reader();
    let program = reader.program(machine.viewer(), &code).await?;
    let version = version.parse().map_err(|_| Error::NotFound)?;
    let guide = reader.guide(machine.viewer(), program.id, version).await?;
    Ok(HttpResponse::Ok().content_type("application/toml; charset=utf-8").body(guide.toml))
}

/// A version to activate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGuide {
    /// As TOML.
    guide: String,
    from: Date,
}

/// POST /api/v1/programs/{code}/guides
pub async fn activate(machine: Machine, req: HttpRequest, code: Path<String>, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let NewGuide { guide, from } = json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let program = engine.reader().program(machine.viewer(), &code).await?.id;
    let done = finish(async move { engine.add_guide(&actor, program, &guide, from, &once).await }).await?;
    let location = format!("/api/v1/programs/{code}/guides/{}", done.version);
    Ok(HttpResponse::Created().insert_header(("Location", location)).json(done))
}

/// POST /api/v1/guides/check: whether a guide reads, without any program.
pub async fn check(_machine: Machine, payload: Payload) -> Answer {
    let policy = read(&text(payload).await?)?;
    let about = &policy.guide;
    Ok(HttpResponse::Ok().json(value!({
        "name": about.name, "version": about.version, "currency": about.currency, "effective_from": about.effective_from,
    })))
}

/// The day a version would count from, and how many past requests to try it on.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tried {
    from: Option<Date>,
    most: Option<usize>,
}

/// POST /api/v1/programs/{code}/comparison?from=&most=: what a guide would change of the one in force on that day, in
/// words and on past requests. Nothing is kept. To a partner's token it is not there.
pub async fn compare(machine: Machine, code: Path<String>, tried: Query<Tried>, payload: Payload) -> Answer {
    if machine.actor().me.is_partner() {
        return Err(Error::NotFound.into());
    }
    let engine = &machine.site().engine;
    let program = engine.reader().program(machine.viewer(), &code).await?;
    let policy: Policy = read(&text(payload).await?)?;
    let from = tried.from.unwrap_or(engine.clock.today());
    let held = engine.reader().guide_on(machine.viewer(), program.id, from).await?;
    let before = engine.guide(&held)?;
    let changed = changes(&before, &policy).into_iter();
    let changed = changed.map(|one| value!({ "subject": one.subject, "before": one.before, "after": one.after }));
    let most = tried.most.unwrap_or(LOOKED_AT).min(10 * LOOKED_AT);
    let simulation = engine.simulate(machine.viewer(), program.id, &policy, most).await?;
    Ok(HttpResponse::Ok().json(value!({
        "version": policy.guide.version, "from": from,
        "in_force": { "version": held.version, "name": before.guide.version },
        "changes": changed.collect::<Vec<_>>(), "simulation": simulation,
    })))
}

async fn text(payload: Payload) -> Result<String, Error> {
    String::from_utf8(posted::whole(payload).await?)
        .map_err(|_| Error::BadRequest("The guide is no text in UTF-8: send it as TOML.".to_owned()))
}
