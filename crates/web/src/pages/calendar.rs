//! /calendar/{secret}.ics: every deadline that concerns one person, for the calendar they live in.
//!
//! The address is the key: it is made and turned off on the profile page, kept as a hash, and answers as any unknown one
//! does once it is not known. Each event keeps its name for ever, so a moved deadline moves in the calendar.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::web::Path;
use chrono::Days;
use domain::cycle::{Party, Stage};
use domain::deadlines::{Clock, Deadline, deadlines};
use domain::ids::CycleId;
use domain::machine::{Situation, is_approver};
use domain::money::Money;
use domain::people::{Role, Standing};
use domain::steps::s7_execution::ClaimState;
use domain::{Date, Instant};
use engine::signin::CalendarOf;
use engine::{Engine, WhichCycle};
use icalendar::{Calendar, Component, Event, EventLike};
use storage::read::{ClaimFilter, CycleFilter, CycleSort, ExpiringFilter, ExpiringLine, Paging};

use crate::error::{Answer, Error};
use crate::extract::Visitor;
use crate::view::{Amount, deadline_href};

/// Cycles a calendar looks into, the nearest deadline first.
const CYCLES: u16 = 200;
/// Credit that expires later than this is no date for a calendar yet.
const AHEAD: Days = Days::new(400);

/// GET /calendar/{secret}.ics
pub async fn download(visitor: Visitor, secret: Path<String>) -> Answer {
    let site = visitor.site();
    let of = site.door.calendar_of(&secret).await?.ok_or(Error::NotFound)?;
    let base = site.base_url.as_str().trim_end_matches('/').to_owned();
    let calendar = calendar(&site.engine, &of, &base).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .insert_header((CACHE_CONTROL, "private, max-age=900"))
        .insert_header((CONTENT_DISPOSITION, "inline; filename=\"fundloop.ics\""))
        .body(calendar.to_string()))
}

async fn calendar(engine: &Engine, of: &CalendarOf, base: &str) -> Result<Calendar, Error> {
    let mut calendar = Calendar::new();
    calendar.name(&format!("Fundloop, {}", of.user.name));
    calendar.ttl(&chrono::Duration::hours(1));
    for (id, at) in concerned(engine, of).await? {
        let s = engine.look(&of.viewer, WhichCycle::Id(id)).await?;
        let mine = deadlines(&s).into_iter().filter(|deadline| concerns(&s, of, deadline));
        for deadline in mine {
            calendar.push(event(&s, &deadline, at, base));
        }
        if of.actor.me.is_partner() && s.cycle.stage == Stage::ExecutionLive {
            for event in activities(&s, at, base) {
                calendar.push(event);
            }
        }
    }
    if let Some(partner) = of.actor.me.partner {
        let today = engine.clock.today();
        let filter =
            ExpiringFilter { from: today, until: today + AHEAD, fund: None, partner: Some(partner), region: None };
        let page = engine.reader().expiring_credit(&of.viewer, &filter, &Paging::first(CYCLES)).await?;
        for line in page.rows.iter().filter(|line| line.free.is_positive()) {
            calendar.push(credit(line, engine.clock.now(), base));
        }
    }
    Ok(calendar.done())
}

/// A partner's running cycles; of the vendor's people, the cycles that wait for them, and for finance those with a claim
/// to decide or to pay, whoever else they wait for. With the moment each was last written; now, where only a claim leads to it.
async fn concerned(engine: &Engine, of: &CalendarOf) -> Result<Vec<(CycleId, Instant)>, Error> {
    let paging = Paging::first(CYCLES);
    let page = if of.actor.me.is_partner() {
        let running = CycleFilter { ended: Some(false), ..CycleFilter::default() };
        engine.reader().cycles(&of.viewer, &running, CycleSort::Due, &paging).await?
    } else {
        engine.reader().waiting_for_me(&of.viewer, &paging).await?
    };
    let mut cycles: Vec<(CycleId, Instant)> = page.rows.iter().map(|line| (line.id, line.updated_at)).collect();
    if of.actor.standing_that(Standing::is_finance).is_some() {
        let open = ClaimFilter { states: ClaimState::FOR_FINANCE.to_vec(), ..ClaimFilter::default() };
        for claim in engine.reader().claims(&of.viewer, &open, &paging).await?.rows {
            if !cycles.iter().any(|(id, _)| *id == claim.cycle_id) {
                cycles.push((claim.cycle_id, engine.clock.now()));
            }
        }
    }
    Ok(cycles)
}

/// Whether somebody has to act by that day, themselves or in the place of a colleague.
fn concerns(s: &Situation, of: &CalendarOf, deadline: &Deadline) -> bool {
    let holds = |test: &dyn Fn(&Standing) -> bool| of.actor.standing_that(test).is_some();
    match deadline.party {
        Party::Partner => of.actor.me.is_partner(),
        Party::Manager => holds(&|standing| {
            standing.has(Role::ChannelManager) && !standing.is_partner() && standing.covers(&s.partner.region)
        }),
        Party::Approvers => holds(&|standing| is_approver(s, standing)),
        Party::Finance => holds(&Standing::is_finance),
        // What time alone decides concerns whose money or proof it is.
        Party::Nobody => of.actor.me.is_partner() && deadline.clock != Clock::Tracking,
    }
}

fn event(s: &Situation, deadline: &Deadline, at: Instant, base: &str) -> Event {
    let name = if deadline.name.is_empty() { s.cycle.title.clone() } else { deadline.name.clone() };
    // The day is part of a lot's name: each lot expires once.
    let lot = if deadline.clock == Clock::Credit { format!("-{}", deadline.until) } else { String::new() };
    let uid = format!("{}-{}-{}{lot}@fundloop", s.cycle.id, deadline.item.code(), deadline.clock.code());
    let amount = deadline.amount.map(|amount| format!(", {}", said(amount))).unwrap_or_default();
    let href = deadline_href(&s.cycle.number, deadline);
    let mut event = all_day(&uid, deadline.until, deadline.until, at);
    event
        .sequence(u32::try_from(s.cycle.version).unwrap_or(u32::MAX))
        .summary(&format!("{}: {name}{amount}", deadline.clock.label()))
        .description(&about(s))
        .url(&format!("{base}{href}"));
    event.done()
}

/// When each activity of a running cycle takes place.
fn activities(s: &Situation, at: Instant, base: &str) -> Vec<Event> {
    let live = s.cycle.activities.iter().filter(|activity| !activity.state.has_ended());
    live.map(|activity| {
        let draft = &activity.draft;
        let uid = format!("{}-activity-{}-run@fundloop", s.cycle.id, activity.no);
        let mut event = all_day(&uid, draft.starts, draft.ends, at);
        event
            .sequence(u32::try_from(s.cycle.version).unwrap_or(u32::MAX))
            .summary(&draft.name)
            .description(&about(s))
            .location(&draft.place)
            .url(&format!("{base}/cycles/{}/execution/activities/{}", s.cycle.number, activity.no));
        event.done()
    })
    .collect()
}

fn about(s: &Situation) -> String {
    format!("{} {}, {}", s.cycle.number, s.cycle.title, s.partner.name)
}

fn credit(line: &ExpiringLine, at: Instant, base: &str) -> Event {
    let uid = format!("{}-{}-{}-credit@fundloop", line.fund_id, line.partner_id, line.lot);
    let mut event = all_day(&uid, line.lot, line.lot, at);
    event
        .summary(&format!("Credit expires: {} of {}", said(line.free), line.fund_name))
        .description("What no request has committed by then is forfeited.")
        .url(&format!("{base}/wallet"));
    event.done()
}

/// An amount with a plain space: calendars show what they get.
fn said(amount: Money) -> String {
    Amount::from(amount).plain().replace('\u{a0}', " ")
}

/// A calendar's all-day event ends on the day after its last one.
fn all_day(uid: &str, first: Date, last: Date, at: Instant) -> Event {
    let mut event = Event::new();
    event.uid(uid).timestamp(at).starts(first).ends(last.checked_add_days(Days::new(1)).unwrap_or(last));
    event
}
