//! /api/v1/claims, /api/v1/cycles/{no}/claims/{claim}, /api/v1/remittances: claims to decide and to pay, one claim with
//! everything it rests on, and what a payment covered.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use domain::money::Money;
use domain::settlement::BatchClaim;
use domain::steps::s7_execution::Claim;
use engine::WhichCycle;
use engine::views::{Filters, ViewedList};
use serde::Deserialize;
use serde_json::{Value, json};
use storage::read::Paging;
use uuid::Uuid;

use super::Answer;
use crate::error::Error;
use crate::extract::Machine;
use crate::steps::s7_execution::claims::filter_of;

/// Claims by the filters of the page's address, or of a kept view.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    view: String,
    partner: String,
    currency: String,
    q: String,
    /// A kept view's id: its filters count where the call names none of that name.
    saved: Option<Uuid>,
    after: Option<String>,
    size: Option<u16>,
}

/// GET /api/v1/claims?view=decide&partner=&currency=&q=&saved=&after=&size=
pub async fn list(machine: Machine, asked: Query<Asked>) -> Answer {
    let (engine, asked) = (&machine.site().engine, asked.into_inner());
    let mut filters = Filters::new();
    if let Some(id) = asked.saved {
        let view = engine.view(machine.viewer(), id).await?;
        filters = if view.list == ViewedList::Claims { view.filters } else { return Err(Error::NotFound.into()) };
    }
    let named = [("view", asked.view), ("partner", asked.partner), ("currency", asked.currency), ("q", asked.q)];
    let said = named.into_iter().filter(|(_, value)| !value.is_empty());
    filters.extend(said.map(|(name, value)| (name.to_owned(), value)));
    let paging = Paging { after: asked.after, size: asked.size.unwrap_or(50).clamp(1, 200) };
    let filter = filter_of(machine.viewer(), &filters);
    Ok(HttpResponse::Ok().json(engine.reader().claims(machine.viewer(), &filter, &paging).await?))
}

/// Takes away what a claim holds, paid and owes in its fund's currency: what a rate cost the vendor is not the partner's
/// to know.
pub(super) fn hide_fund(claim: &mut Claim) {
    claim.in_fund = None;
    for payment in &mut claim.payments {
        payment.in_fund = None;
        payment.returned.iter_mut().for_each(|returned| returned.in_fund = None);
    }
    claim.clawback.iter_mut().for_each(|clawback| clawback.in_fund = None);
}

/// GET /api/v1/cycles/{no}/claims/{claim}: the claim pack as data.
pub async fn pack(machine: Machine, at: Path<(String, String)>) -> Answer {
    let (no, claim) = at.into_inner();
    let claim: u16 = claim.parse().map_err(|_| Error::NotFound)?;
    let s = machine.site().engine.look(machine.viewer(), WhichCycle::Number(&no)).await?;
    let mut record = s.cycle.claim(claim).cloned().ok_or(Error::NotFound)?;
    if machine.actor().me.is_partner() {
        hide_fund(&mut record);
    }
    let of_claim = |activity: u16| record.lines.iter().any(|line| line.invoice.activity == activity);
    let proof = s.cycle.activities.iter().filter(|activity| of_claim(activity.no));
    let proof: Vec<Value> = proof
        .map(|activity| json!({ "activity": activity.no, "name": activity.draft.name, "files": activity.proof }))
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "number": s.cycle.number, "title": s.cycle.title, "partner": s.partner.name,
        "program": s.policy.guide.name, "guide": s.policy.guide.version, "claim": record, "proof": proof,
    })))
}

/// GET /api/v1/remittances/{no}/{payment}: what a payment that was made covered, in minor units of its currency.
pub async fn remittance(machine: Machine, at: Path<(String, String)>) -> Answer {
    let (no, payment) = at.into_inner();
    let payment: u16 = payment.parse().map_err(|_| Error::NotFound)?;
    let batch = machine.site().engine.reader().remittance(machine.viewer(), &no, payment).await?;
    let payment = batch.payment(payment).ok_or(Error::NotFound)?;
    let line = |claim: &BatchClaim| json!({ "number": claim.number, "claim": claim.claim, "title": claim.title, "amount": claim.amount });
    let claims = payment.claims.iter().filter(|claim| claim.amount.is_positive()).map(line);
    let offset: Money = payment.offset();
    Ok(HttpResponse::Ok().json(json!({
        "name": batch.end_to_end(payment.no), "partner": payment.partner_name, "paid_on": payment.paid_on,
        "reference": payment.reference, "claims": claims.collect::<Vec<_>>(),
        "gross": payment.gross(), "held_back": offset, "net": payment.net(),
    })))
}
