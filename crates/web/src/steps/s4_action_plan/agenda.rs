//! The action plan by date: as an agenda on the page, and as a calendar file.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Path;
use chrono::Days;
use domain::Date;
use domain::machine::Situation;
use domain::steps::s4_action_plan::Activity;
use domain::steps::s7_execution::{ActivityState, proof_days};
use icalendar::{Calendar, Component, Event, EventLike};

use super::last_day;
use crate::error::Answer;
use crate::extract::Who;
use crate::steps::look;
use crate::view::{Due, cycle_href, date_words};

/// One day of the agenda and what falls on it.
pub struct AgendaDay {
    pub day: String,
    pub is_past: bool,
    pub entries: Vec<Entry>,
}

pub struct Entry {
    pub what: String,
    pub detail: String,
    /// Marked where it is a day not to miss.
    pub due: Option<Due>,
}

/// One date that matters, before it is written anywhere.
struct Dated<'a> {
    day: Date,
    kind: Kind,
    activity: &'a Activity,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    AskBy,
    Starts,
    ProofBy,
}

impl Kind {
    fn words(self, name: &str) -> String {
        match self {
            Kind::AskBy => format!("Last day to ask for “{name}”"),
            Kind::Starts => name.to_owned(),
            Kind::ProofBy => format!("Proof of “{name}” is due"),
        }
    }

    /// Part of the event's name in calendars, so that a later download replaces an earlier one.
    fn code(self) -> &'static str {
        match self {
            Kind::AskBy => "ask",
            Kind::Starts => "run",
            Kind::ProofBy => "proof",
        }
    }
}

/// What comes, day by day: last days to ask, first days of activities, days their proof is due.
pub fn agenda(who: &Who, s: &Situation) -> Vec<AgendaDay> {
    let today = who.today();
    let mut days: Vec<AgendaDay> = Vec::new();
    for dated in dates(s) {
        let day = date_words(dated.day);
        let draft = &dated.activity.draft;
        let detail = match dated.kind {
            Kind::Starts if draft.ends > draft.starts => {
                format!("{}, until {} · {}", draft.place, date_words(draft.ends), draft.owner)
            }
            Kind::Starts => format!("{} · {}", draft.place, draft.owner),
            Kind::AskBy | Kind::ProofBy => String::new(),
        };
        let due = (dated.kind != Kind::Starts).then_some(Due { on: dated.day, today });
        let entry = Entry { what: dated.kind.words(&draft.name), detail, due };
        match days.last_mut().filter(|last| last.day == day) {
            Some(last) => last.entries.push(entry),
            None => days.push(AgendaDay { day, is_past: dated.day < today, entries: vec![entry] }),
        }
    }
    days
}

fn dates(s: &Situation) -> Vec<Dated<'_>> {
    let running = |activity: &&Activity| !matches!(activity.state, ActivityState::Cancelled | ActivityState::Expired);
    let before_asking = s.cycle.request.submitted.is_none();
    let mut dates = Vec::new();
    for activity in s.cycle.activities.iter().filter(running) {
        if before_asking {
            dates.push(Dated { day: last_day(s, activity), kind: Kind::AskBy, activity });
        }
        dates.push(Dated { day: activity.draft.starts, kind: Kind::Starts, activity });
        dates.push(Dated { day: proof_days(s, activity).due(&s.policy), kind: Kind::ProofBy, activity });
    }
    dates.sort_by_key(|dated| (dated.day, dated.kind, dated.activity.no));
    dates
}

/// GET /cycles/{no}/action-plan/calendar.ics
pub async fn download(who: Who, no: Path<String>) -> Answer {
    let s = look(&who, &no).await?;
    let base = who.site().base_url.as_str().trim_end_matches('/').to_owned();
    let file = format!("attachment; filename=\"{}.ics\"", s.cycle.number);
    Ok(HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, file))
        .body(calendar(&s, &base).to_string()))
}

fn calendar(s: &Situation, base: &str) -> Calendar {
    let mut calendar = Calendar::new();
    calendar.name(&format!("{} {}", s.cycle.number, s.cycle.title));
    let url = format!("{base}{}/action-plan", cycle_href(&s.cycle.number));
    for dated in dates(s) {
        let draft = &dated.activity.draft;
        let last = if dated.kind == Kind::Starts { draft.ends } else { dated.day };
        // A calendar's all-day event ends on the day after its last one.
        let end = last.checked_add_days(Days::new(1)).unwrap_or(last);
        let mut event = Event::new();
        event
            .uid(&format!("{}-{}-{}@fundloop", s.cycle.id, dated.activity.no, dated.kind.code()))
            .timestamp(s.cycle.since)
            .sequence(u32::try_from(s.cycle.version).unwrap_or(u32::MAX))
            .summary(&dated.kind.words(&draft.name))
            .description(&format!("{} {}, {}", s.cycle.number, s.cycle.title, s.partner.name))
            .url(&url)
            .starts(dated.day)
            .ends(end);
        if dated.kind == Kind::Starts {
            event.location(&draft.place);
        }
        calendar.push(event.done());
    }
    calendar.done()
}
