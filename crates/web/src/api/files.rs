//! /api/v1/cycles/{no}/files, /api/v1/files/{id}: files handed in to a cycle, to be named in proof and claims.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::Instant;
use domain::ids::FileId;
use engine::WhichCycle;
use serde::Serialize;

use super::{Answer, submission};
use crate::error::Error;
use crate::extract::{Machine, finish};
use crate::posted;
use crate::steps::s7_execution::files::served;

/// A file as it is told.
#[derive(Serialize)]
struct Listed {
    id: FileId,
    name: String,
    content_type: String,
    /// Bytes.
    size: i64,
    sha256: String,
    at: Instant,
}

/// GET /api/v1/cycles/{no}/files: oldest first.
pub async fn list(machine: Machine, no: Path<String>) -> Answer {
    let reader = machine.site().engine.reader();
    let cycle = reader.cycle(machine.viewer(), WhichCycle::Number(&no)).await?;
    let files = reader.files_of(machine.viewer(), cycle.id).await?;
    let rows = files.into_iter().map(|file| Listed {
        id: file.id,
        name: file.name,
        content_type: file.content_type,
        size: file.size,
        sha256: file.sha256,
        at: file.at,
    });
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows.collect::<Vec<_>>(), "next": null })))
}

/// POST /api/v1/cycles/{no}/files: one file as multipart/form-data, in the field `file`.
pub async fn hand_in(machine: Machine, req: HttpRequest, no: Path<String>, payload: Payload) -> Answer {
    let once = submission(&machine, &req)?;
    let posted::Upload { name, bytes, .. } = posted::one_file(&req, payload).await?;
    let file = engine::files::Upload { name, bytes };
    let (engine, actor, no) = (machine.site().engine.clone(), machine.actor().clone(), no.into_inner());
    let done = finish(async move { engine.hand_in_file(&actor, &no, &file, &once).await }).await?;
    let location = format!("/api/v1/files/{}", done.number);
    Ok(HttpResponse::Created().insert_header(("Location", location)).json(done))
}

/// GET /api/v1/files/{id}
pub async fn download(machine: Machine, id: Path<String>) -> Answer {
    let id = id.parse::<FileId>().map_err(|_| Error::NotFound)?;
    let (file, bytes) = machine.site().engine.file(machine.viewer(), id).await?;
    Ok(served(&file, bytes))
}
