//! /api/v1/partners: the companies the vendor sells through, as an administrator keeps them.

use actix_web::web::{Bytes, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::ids::PartnerId;
use domain::money::Currency;
use engine::partners::{PartnerSaid, table_text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use storage::read::{Paging, PartnerFilter};
use storage::rows::PartnerRow;

use super::{Answer, submission};
use crate::error::Error;
use crate::extract::{Machine, finish};
use crate::posted;

/// A partner; what the vendor tells it apart by is told to the vendor's people only.
#[derive(Serialize)]
struct Named {
    id: PartnerId,
    name: String,
    #[serde(flatten)]
    facts: Option<Facts>,
}

#[derive(Serialize)]
struct Facts {
    tier: String,
    region: String,
    country: String,
    currency: Currency,
    good_standing: bool,
    domain: Option<String>,
    crm_id: Option<String>,
    attributes: BTreeMap<String, String>,
}

/// GET /api/v1/partners
pub async fn list(machine: Machine) -> Answer {
    let (reader, for_vendor) = (machine.site().engine.reader(), !machine.actor().me.is_partner());
    let (mut rows, mut paging) = (Vec::new(), Paging::first(500));
    loop {
        let page = reader.partners(machine.viewer(), &PartnerFilter::default(), &paging).await?;
        rows.extend(page.rows.into_iter().map(|row| {
            let PartnerRow {
                id, name, tier, region, country, currency, good_standing, domain, crm_id, attributes, ..
            } = row;
            let facts = for_vendor.then_some(Facts {
                tier,
                region,
                country,
                currency,
                good_standing,
                domain,
                crm_id,
                attributes,
            });
            Named { id, name, facts }
        }));
        paging.after = page.next;
        if paging.after.is_none() {
            break;
        }
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": null })))
}

/// POST /api/v1/partners
pub async fn add(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let said: PartnerSaid = super::json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done = finish(async move { engine.add_partner(&actor, &said, &once).await }).await?;
    Ok(HttpResponse::Created().json(&done))
}

/// POST /api/v1/partners/{id}: what is said changes, the rest stays.
pub async fn change(machine: Machine, req: HttpRequest, id: Path<PartnerId>, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let said: PartnerSaid = super::json(&req, &body)?;
    let (engine, actor, id) = (machine.site().engine.clone(), machine.actor().clone(), id.into_inner());
    let done = finish(async move { engine.change_partner(&actor, id, &said, &once).await }).await?;
    Ok(HttpResponse::Ok().json(&done))
}

/// POST /api/v1/partners/table-preview: what a table would do, line by line. Nothing is changed.
pub async fn preview(machine: Machine, payload: Payload) -> Answer {
    let text = text_of(payload).await?;
    let table = machine.site().engine.read_partner_table(machine.actor(), &text).await?;
    let [added, changed, same, refused] = table.counts();
    Ok(HttpResponse::Ok().json(json!({
        "plan": table.plan, "added": added, "changed": changed, "same": same, "refused": refused, "rows": table.lines,
        "next": null,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    plan: String,
}

/// POST /api/v1/partners/table?plan=: what the preview of that plan told.
pub async fn apply(machine: Machine, req: HttpRequest, plan: Query<Plan>, payload: Payload) -> Answer {
    let once = submission(&machine, &req)?;
    let text = text_of(payload).await?;
    let (engine, actor, plan) = (machine.site().engine.clone(), machine.actor().clone(), plan.into_inner().plan);
    let done = finish(async move { engine.apply_partner_table(&actor, &text, &plan, &once).await }).await?;
    Ok(HttpResponse::Ok().json(&done))
}

async fn text_of(payload: Payload) -> Result<String, Error> {
    let bytes = posted::whole(payload).await?;
    table_text(&bytes).map_err(|why| Error::at("file", why))
}
