//! /api/v1/imports: files of other systems taken in, what came of them, and taking them back.

use actix_web::web::{Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::money::{Currency, Marks};
use engine::files::Upload;
use engine::imports::fields::Kind;
use engine::imports::run::Said;
use engine::imports::values::DayOrder;
use engine::{Advanced, Submission};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Answer, submission};
use crate::error::Error;
use crate::extract::{Machine, finish};
use crate::pages::imports::csv;
use crate::posted;

/// What is said about a file beside its content.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    name: Option<String>,
    program: Option<String>,
    currency: Option<String>,
    marks: Option<Marks>,
    day_order: Option<DayOrder>,
    #[serde(default)]
    dry_run: bool,
}

/// POST /api/v1/imports/{kind}?program=&name=&currency=&marks=&`day_order`=&`dry_run`=
///
/// The body is the file. Its rows are known again by their own ids: the same file under another key changes nothing.
pub async fn import(
    machine: Machine,
    req: HttpRequest,
    kind: Path<String>,
    about: Query<About>,
    payload: Payload,
) -> Answer {
    let once = submission(&machine, &req)?;
    let kind = Kind::from_code(&kind).ok_or(Error::NotFound)?;
    let currency = about
        .currency
        .as_deref()
        .map(|code| Currency::from_code(code).ok_or_else(|| Error::BadRequest(format!("{code} is no currency code."))));
    let said = Said {
        currency: currency.transpose()?,
        marks: about.marks,
        day_order: about.day_order,
        program: about.program.clone(),
        ..Said::default()
    };
    let name = about.name.clone().unwrap_or_else(|| format!("{}.csv", kind.code()));
    let bytes = posted::whole(payload).await?;
    let once = with_content(once, &[req.uri().to_string().as_bytes(), &bytes]);
    let file = Upload { name, bytes };
    let (engine, actor, dry_run) = (machine.site().engine.clone(), machine.actor().clone(), about.dry_run);
    let summary: Value = finish(async move {
        let work = Box::pin(async {
            let (summary, _) = engine.import_file(&actor, kind, &file, &said, dry_run).await?;
            Ok(summary.as_json())
        });
        engine.remember(&actor, &once, work).await
    })
    .await?;
    Ok(HttpResponse::Ok().json(summary))
}

/// What tells a repetition of a call whose content is no command.
pub fn with_content(once: Submission, parts: &[&[u8]]) -> Submission {
    once.of(posted::fingerprint(parts))
}

/// GET /api/v1/imports: the latest two hundred, newest first.
pub async fn list(machine: Machine) -> Answer {
    let rows = machine.site().engine.reader().batches(machine.viewer()).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": null })))
}

fn id(text: &str) -> Result<Uuid, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// GET /api/v1/imports/{batch}/report: the rows that want a look, as a table with the reasons in front.
pub async fn report(machine: Machine, batch: Path<String>) -> Answer {
    let made = machine.site().engine.import_report(machine.actor(), id(&batch)?).await;
    let (name, bytes) = made.map_err(Error::from)?;
    Ok(csv(&name, bytes))
}

/// POST /api/v1/imports/{batch}/undo
pub async fn undo(machine: Machine, req: HttpRequest, batch: Path<String>) -> Answer {
    let batch = id(&batch)?;
    let once = with_content(submission(&machine, &req)?, &[b"undo", batch.as_bytes()]);
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done: Advanced = finish(async move {
        let work = Box::pin(async {
            engine.undo_import(&actor, batch).await?;
            let words = vec!["The import was undone: what it added is gone, what it changed is as it was.".to_owned()];
            Ok(Advanced { number: batch.to_string(), version: 1, words })
        });
        engine.remember(&actor, &once, work).await
    })
    .await?;
    Ok(HttpResponse::Ok().json(done))
}
