//! /api/v1/views, /api/v1/approvals: the views of lists that a token's owner keeps, and what waits for approval under the
//! same filters.

use actix_web::web::{Bytes, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::Date;
use domain::money::Money;
use domain::refusal::Reason;
use engine::views::{Filters, NewView, ViewCommand, ViewedList};
use serde::{Deserialize, Serialize};
use storage::read::{Paging, Waiting};
use uuid::Uuid;

use super::{Answer, answered, json, submission};
use crate::error::Error;
use crate::extract::{Machine, finish};
use crate::steps::s6_approval::{Decided, MOST_AT_ONCE, Pick, filter_of};

/// Which views to list; without `list`, all.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfList {
    list: Option<ViewedList>,
}

/// GET /api/v1/views?list=approvals
pub async fn list(machine: Machine, asked: Query<OfList>) -> Answer {
    let rows = machine.site().engine.views(machine.viewer(), asked.list).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": null })))
}

/// POST /api/v1/views
pub async fn save(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let new: NewView = json(&req, &body)?;
    let (engine, actor) = (machine.site().engine.clone(), machine.actor().clone());
    let done = finish(async move { engine.save_view(&actor, &new, &once).await }).await?;
    let location = format!("/api/v1/views/{}", done.number);
    Ok(answered(HttpResponse::Created().insert_header(("Location", location)), &done))
}

/// POST /api/v1/views/{id}: `{"do":"change","name":"DACH","is_default":true}`, replace or remove.
pub async fn change(machine: Machine, req: HttpRequest, id: Path<Uuid>, body: Bytes) -> Answer {
    let once = submission(&machine, &req)?;
    let command: ViewCommand = json(&req, &body)?;
    let (engine, actor, id) = (machine.site().engine.clone(), machine.actor().clone(), *id);
    let done = finish(async move { engine.change_view(&actor, id, &command, &once).await }).await?;
    Ok(answered(&mut HttpResponse::Ok(), &done))
}

/// What waits for approval, by the filters of the page's address or of a kept view.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inbox {
    view: String,
    partner: String,
    q: String,
    sort: String,
    /// A kept view's id: its filters count where the call names none of that name.
    saved: Option<Uuid>,
    after: Option<String>,
    size: Option<u16>,
}

/// A request that waits for a decision, as a list shows it.
#[derive(Serialize)]
struct Listed {
    number: String,
    title: String,
    partner: String,
    level: u8,
    version: i64,
    due: Option<Date>,
    asked: Money,
    fund: Option<String>,
    /// In percent: what the mean of the frozen forecast returns over its cost.
    forecast_roi: Option<rust_decimal::Decimal>,
    /// The partner has still to answer.
    question_open: bool,
}

/// GET /api/v1/approvals?view=mine&partner=&q=&sort=roi&saved=&after=&size=: the soonest due first, or the highest forecast ROI. To a partner's token it is not
/// there.
pub async fn approvals(machine: Machine, asked: Query<Inbox>) -> Answer {
    if machine.actor().me.partner.is_some() {
        return Err(Error::NotFound.into());
    }
    let (engine, asked) = (machine.site().engine.clone(), asked.into_inner());
    let mut filters = Filters::new();
    if let Some(id) = asked.saved {
        let view = engine.view(machine.viewer(), id).await?;
        filters = if view.list == ViewedList::Approvals { view.filters } else { return Err(Error::NotFound.into()) };
    }
    let named = [("view", asked.view), ("partner", asked.partner), ("q", asked.q), ("sort", asked.sort)];
    filters
        .extend(named.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value)));
    let filter = filter_of(machine.viewer(), engine.clock.today(), &filters);
    let paging = Paging { after: asked.after, size: asked.size.unwrap_or(50).clamp(1, 200) };
    let page = engine.reader().in_approval(machine.viewer(), &filter, &paging).await?;
    let rows: Vec<Listed> = page.rows.into_iter().map(listed).collect();
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": page.next })))
}

/// Requests to approve as they were asked, each at the version it was seen in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    pub requests: Vec<Seen>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    pub number: String,
    pub version: i64,
}

/// What became of one of them; the reasons say why it was not approved.
#[derive(Serialize)]
struct Came {
    number: String,
    approved: bool,
    words: Vec<String>,
    reasons: Vec<Reason>,
}

/// POST /api/v1/approvals/decisions: each stands for itself, in the order named. To a partner's token it is not there.
pub async fn approve(machine: Machine, req: HttpRequest, body: Bytes) -> Answer {
    if machine.actor().me.partner.is_some() {
        return Err(Error::NotFound.into());
    }
    submission(&machine, &req)?;
    let Approvals { requests } = json(&req, &body)?;
    if requests.is_empty() || requests.len() > usize::from(MOST_AT_ONCE) {
        let words = format!("Name 1 to {MOST_AT_ONCE} requests, with the version each was seen in.");
        return Err(Error::at("requests", words).into());
    }
    let mut rows = Vec::with_capacity(requests.len());
    for Seen { number, version } in requests {
        let once = submission(&machine, &req)?.part(&number);
        let pick = Pick { number, version, sum: None };
        let Decided { number, came_to } =
            Decided::of(machine.site(), machine.viewer(), machine.actor(), pick, once).await;
        let approved = came_to.is_ok();
        let (words, reasons) = match came_to {
            Ok(words) => (words, Vec::new()),
            Err(reasons) => (Vec::new(), reasons),
        };
        rows.push(Came { number, approved, words, reasons });
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({ "rows": rows, "next": null })))
}

fn listed(waiting: Waiting) -> Listed {
    let Waiting { cycle, partner_name, fund } = waiting;
    Listed {
        asked: cycle.sum(cycle.approval.ceiling(&cycle).iter().map(|line| line.asked)),
        forecast_roi: cycle.forecast_roi(),
        question_open: cycle.approval.open_question().is_some(),
        level: cycle.level,
        version: cycle.version,
        due: cycle.approval.due,
        number: cycle.number,
        title: cycle.title,
        partner: partner_name,
        fund: fund.map(|(code, _)| code),
    }
}
