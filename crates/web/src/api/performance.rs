//! /api/v1/performance: plan against actual, as the dashboard splits it.

use actix_web::HttpResponse;
use actix_web::web::Query;
use serde_json::json;
use storage::read::Paging;

use super::Answer;
use crate::error::Error;
use crate::extract::Machine;
use crate::pages::performance::asked::{Asked, By};

/// GET /api/v1/performance?by=quarter&from=&to=&program=&region=&tactic=&partner=&after=
///
/// Amounts are minor units of the line's currency, planned counts are thousandths; currencies are never summed.
pub async fn list(machine: Machine, asked: Query<Asked>) -> Answer {
    let (reader, viewer) = (machine.site().engine.reader(), machine.viewer());
    let filter = asked.filter(&reader, viewer).await?;
    let by = match asked.get("by") {
        "" => By::Quarter,
        code => By::from_code(code).ok_or_else(|| {
            Error::BadRequest("by takes quarter, program, region, tactic, partner or campaign.".to_owned())
        })?,
    };
    let Some(dimension) = by.dimension() else {
        let after = Some(asked.get("after").to_owned()).filter(|after| !after.is_empty());
        let page = reader.campaigns(viewer, &filter, &Paging { after, size: 100 }).await?;
        return Ok(HttpResponse::Ok().json(json!({ "rows": page.rows, "next": page.next })));
    };
    let rows = reader.performance(viewer, &filter, dimension).await?;
    Ok(HttpResponse::Ok().json(json!({ "rows": rows, "next": null })))
}
