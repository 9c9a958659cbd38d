//! /api/v1/settlements: build batches, send them out, tell what came back.

use actix_web::http::header::ETAG;
use actix_web::web::{Bytes, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::payee::PaymentDetails;
use domain::settlement::{BatchState, Command, Outcome, PaymentState};
use engine::settlements::bank::{Booking, FileKind};
use engine::settlements::returns::PaymentReturn;
use engine::settlements::{NewBatch, Owner, returned};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Asked, answered, submission, submission_on_a_version};
use crate::error::Error;
use crate::extract::{Machine, finish};
use crate::pages::settlements::batch::attachment;
use crate::posted;

/// GET /api/v1/settlements
pub async fn list(machine: Machine, asked: Query<Asked>) -> Answer {
    let page = machine.site().engine.reader().settlements(machine.viewer(), &[], &asked.paging()).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// POST /api/v1/settlements
pub async fn build(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let new: NewBatch = super::json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done = finish(async move { engine.build_batch(&actor, &new, &once).await }).await?;
    let location = format!("/api/v1/settlements/{}", done.number);
    Ok(answered(HttpResponse::Created().insert_header(("Location", location)), &done))
}

/// GET /api/v1/settlements/{no}
pub async fn show(machine: Machine, no: Path<String>) -> Answer {
    let batch = machine.site().engine.reader().settlement(machine.viewer(), &no).await?;
    let tag = (ETAG, format!("\"{}\"", batch.version));
    Ok(HttpResponse::Ok().insert_header(tag).json(batch))
}

/// POST /api/v1/settlements/{no}/commands
pub async fn command(machine: Machine, req: HttpRequest, no: Path<String>, body: Bytes) -> Answer {
    let once = submission_on_a_version(&machine, &req)?;
    let command: Command = super::json(&req, &body)?;
    let (engine, actor, no) = (machine.site().engine.clone(), machine.actor().clone(), no.into_inner());
    let done = finish(async move {
        match command {
            Command::Record { outcomes } => engine.record_payments(&actor, &no, outcomes, &once).await,
            other => engine.batch(&actor, &no, &other, &once).await,
        }
    })
    .await?;
    Ok(answered(&mut HttpResponse::Ok(), &done))
}

/// POST /api/v1/settlements/{no}/returns: the bank sent a payment back, with all its claims.
pub async fn payment_return(machine: Machine, req: HttpRequest, no: Path<String>, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let step: PaymentReturn = super::json(&req, &body)?;
    let (engine, actor, no) = (machine.site().engine.clone(), machine.actor().clone(), no.into_inner());
    let done = finish(async move { engine.payment_return(&actor, &no, &step, &once).await }).await?;
    Ok(answered(&mut HttpResponse::Ok(), &done))
}

/// POST /api/v1/settlements/{no}/continuation: settles what is recorded as paid and not settled yet. However often it is
/// sent, nothing is settled twice.
pub async fn go_on(machine: Machine, req: HttpRequest, no: Path<String>) -> Answer {
    submission(&machine, &req)?;
    let (engine, actor, no) = (machine.site().engine.clone(), machine.actor().clone(), no.into_inner());
    let done = finish(async move { engine.settle_batch(&actor, &no).await }).await?;
    Ok(answered(&mut HttpResponse::Ok(), &done))
}

/// POST /api/v1/settlements/{no}/returned-file: what the bank's file says of each payment, to be sent as `record`. Nothing
/// is changed.
pub async fn returned_file(machine: Machine, no: Path<String>, payload: Payload) -> Answer {
    let engine = &machine.site().engine;
    let batch = engine.reader().settlement(machine.viewer(), &no).await?;
    if batch.state != BatchState::Exported {
        let why = format!("The batch is {}.", batch.state.code());
        return Err(Error::refused("batch_state", why, "Only an exported batch has payments to hear of.").into());
    }
    let bytes = posted::whole(payload).await?;
    let lines = returned::read(&batch, &bytes, engine.clock.today()).map_err(|why| Error::at("file", why))?;
    let outcomes: Vec<&Outcome> = lines.iter().filter_map(|line| line.said.as_ref().ok()).collect();
    let told = |no: u16| outcomes.iter().any(|outcome| outcome.payment() == no);
    let open = batch.payments.iter().filter(|payment| payment.state == PaymentState::Open && !told(payment.no));
    let left_out = lines.iter().filter_map(|line| {
        let why = line.said.as_ref().err()?;
        Some(json!({ "line": line.line, "payment": line.payment, "amount": line.amount, "why": why }))
    });
    Ok(HttpResponse::Ok().json(json!({
        "version": batch.version, "outcomes": outcomes, "left_out": left_out.collect::<Vec<_>>(),
        "missing": open.map(|payment| batch.end_to_end(payment.no)).collect::<Vec<_>>(),
    })))
}

/// What the books call things, for the bills.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Books {
    account: String,
    tax: String,
}

/// GET /api/v1/settlements/{no}/files/{name}
pub async fn file(machine: Machine, at: Path<(String, String)>, books: Query<Books>) -> Answer {
    let (no, name) = at.into_inner();
    let kind = FileKind::from_name(&name).ok_or(Error::NotFound)?;
    let Books { account, tax } = books.into_inner();
    let engine = &machine.site().engine;
    let made = engine.batch_file(machine.actor(), &no, kind, &Booking { account, tax }).await;
    let (name, bytes) = made.map_err(Error::from)?;
    Ok(attachment(kind, &name, bytes))
}

/// Whose account, and the account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDetails {
    owner: Owner,
    details: PaymentDetails,
}

/// POST /api/v1/payment-details
pub async fn details(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let NewDetails { owner, details } = super::json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done = finish(async move { engine.set_payment_details(&actor, owner, &details, &once).await }).await?;
    Ok(answered(&mut HttpResponse::Ok(), &done))
}
