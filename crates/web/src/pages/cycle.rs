//! /cycles/{no}: the cycle's own page. What to do now, how far each document is, what has happened; and its early end.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::Instant;
use domain::cycle::{Cycle, Health, Party};
use domain::machine::{Act, Command, CycleCommand, Situation, TIME_ASKED, health, moves_of};
use domain::steps::s7_execution::{Claim, ClaimState};
use serde::Deserialize;
use storage::WhichCycle;
use storage::read::{Page, Paging, TimelineEntry};

use super::documents;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::routes;
use crate::shell::Shell;
use crate::steps::look;
use crate::view::{Amount, Fact, Facts, Field, Form, HeaderStrip, Hub, Tone, count, date_words, step_href};

/// Events a page of the timeline.
const EVENTS: u16 = 40;

#[derive(Template)]
#[template(path = "pages/cycle.html")]
struct CyclePage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    documents: Hub,
    facts: Facts,
    clocks: Hub,
    /// The one thing to do now, where it is this person's: address and words.
    next: Option<(String, &'static str)>,
    /// What the cycle waits for.
    waits: String,
    entries: Vec<Entry>,
    older: Option<String>,
    is_newest: bool,
    cancel: Option<Cancel>,
    /// An ended cycle can be started anew, by who may start one.
    copy: bool,
}

/// A part of the timeline: something that happened, or drafts saved in a row, folded.
enum Entry {
    Loud(Event),
    Quiet { words: String, events: Vec<Event> },
}

struct Event {
    what: String,
    who: String,
    at: String,
    when: String,
    tone: Tone,
}

struct Cancel {
    form: Form,
    /// What it would mean for the money.
    effect: &'static str,
}

#[derive(Deserialize)]
pub struct Asked {
    after: Option<String>,
}

/// GET /cycles/{no}
pub async fn show_page(who: Who, no: Path<String>, asked: Query<Asked>) -> Answer {
    show(&page(&who, &no, asked.into_inner().after, &Typed::default()).await?)
}

/// POST /cycles/{no}/cancellation
pub async fn cancel(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Cycle(CycleCommand::Cancel { reason }), &posted).await
    };
    let to = format!("/cycles/{no}");
    who.settle(done.await, &to, &posted, async |typed| page(&who, &no, None, &typed).await).await
}

async fn page(who: &Who, no: &str, after: Option<String>, typed: &Typed) -> Result<CyclePage, Error> {
    let s = look(who, no).await?;
    let is_newest = after.is_none();
    let paging = Paging { after, size: EVENTS };
    let Page { rows, next: older } = who.reader().timeline(who.viewer(), WhichCycle::Number(no), true, &paging).await?;
    let moves = moves_of(&s, who.actor());
    Ok(CyclePage {
        shell: who.shell(&format!("{} · {}", s.cycle.number, s.cycle.title)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        documents: documents::hub(&s),
        facts: facts(&s),
        clocks: Hub::clocks(&s, who.today(), |_| true),
        next: next(&s, &moves),
        waits: waits(&s),
        entries: entries(&rows),
        older: older.map(|after| format!("/cycles/{}?after={after}#timeline", s.cycle.number)),
        is_newest,
        cancel: moves.contains(&Act::CancelCycle).then(|| cancel_form(who, &s, typed)),
        copy: s.cycle.stage.is_end() && routes::opens("/cycles/new", who.signed()),
    })
}

/// What this person would do next, the weightiest first: the address where it is done, and the words on its button.
fn next(s: &Situation, moves: &[Act]) -> Option<(String, &'static str)> {
    use domain::cycle::Step::{ActionPlan, Approval, Execution, Forecast, Performance, Plan, Request, Scorecard};
    let asked = s.cycle.approval.open_question().is_some();
    let Health { waiting_on: waiting, task, .. } = health(s);
    let time_asked = task == TIME_ASKED;
    let table = [
        (Act::SubmitPlan, "Write the plan", Plan, true),
        (Act::AgreePlan, "Agree or return the plan", Plan, true),
        (Act::CompleteScorecard, "Answer the scorecard", Scorecard, true),
        (Act::CommitForecast, "Forecast the campaigns", Forecast, true),
        (Act::CommitActionPlan, "Plan the activities", ActionPlan, true),
        (Act::SubmitRequest, "Ask for the money", Request, true),
        (Act::AnswerInformation, "Answer the question", Approval, asked),
        (Act::Approve, "Decide on the request", Approval, !asked),
        (Act::GrantExtension, "Grant or decline more time", Execution, time_asked),
        (Act::AcceptProof, "Review the proof", Execution, waiting == Party::Manager),
        (Act::ApproveClaim, "Look at the claims", Execution, waiting == Party::Finance),
        (Act::SubmitProof, "Hand in proof", Execution, true),
        (Act::SignReview, "Sign the review", Performance, true),
        (Act::SubmitClaim, "Claim the costs", Execution, true),
    ];
    let mine = table.into_iter().find(|(act, _, _, now)| *now && moves.contains(act));
    mine.map(|(_, words, step, _)| (step_href(&s.cycle.number, step), words))
}

fn waits(s: &Situation) -> String {
    let health = health(s);
    let task = lower(&health.task);
    match health.waiting_on {
        _ if s.cycle.stage.is_end() => "This cycle has ended.".to_owned(),
        Party::Nobody => {
            "There is nothing for anybody to do: responses and deals are recorded as they come.".to_owned()
        }
        Party::Partner => format!("It is with {}: {task}.", s.partner.name),
        Party::Manager => format!("It is with the channel manager: {task}."),
        Party::Approvers => format!("It is with the approvers of level {}: {task}.", s.cycle.level),
        Party::Finance if task.starts_with("pay") && all_batched(s) => {
            "It is with finance: a settlement batch pays it.".to_owned()
        }
        Party::Finance => format!("It is with finance: {task}."),
    }
}

/// Every claim to be paid waits in an open settlement batch, and none is to be decided.
fn all_batched(s: &Situation) -> bool {
    let open = |claim: &&Claim| !matches!(claim.state, ClaimState::Denied | ClaimState::Paid | ClaimState::ClawedBack);
    let mut open = s.cycle.claims.iter().filter(open).peekable();
    open.peek().is_some() && open.all(|claim| s.batched.contains_key(&claim.no))
}

fn lower(task: &str) -> String {
    let mut letters = task.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn facts(s: &Situation) -> Facts {
    let (cycle, partner) = (&s.cycle, &s.partner);
    let mut facts = vec![
        Fact::new("Partner", partner.name.clone()).note(format!("{}, {} partner", partner.region, partner.tier)),
        Fact::new("Program", s.policy.guide.name.clone()).note(format!("guide {}", s.policy.guide.version)),
        Fact::new("Period", format!("{} to {}", date_words(cycle.period.from), date_words(cycle.period.to))),
        Fact::new("Opened", date_words(cycle.opened_at.date_naive())),
    ];
    if let Some(fund) = cycle.fund().and_then(|id| s.fund(id)) {
        facts.push(Fact::new("Fund", fund.name.clone()).note(fund.code.clone()));
    }
    for campaign in &cycle.campaigns {
        let cost = Amount::from(campaign.draft.cost).plain();
        let note = campaign.code.as_ref().map_or_else(|| cost.clone(), |code| format!("{code}, {cost}"));
        facts.push(Fact::new(format!("Campaign {}", campaign.no), campaign.draft.name.clone()).note(note));
    }
    if let Some(ended) = cycle.ended_at {
        facts.push(Fact::new("Ended", date_words(ended.date_naive())).note(cycle.stage.label().to_lowercase()));
    }
    Facts { facts }
}

/// Newest first; drafts saved one after the other are folded into one entry.
fn entries(events: &[TimelineEntry]) -> Vec<Entry> {
    let fold = |run: &[TimelineEntry]| match run {
        [event] if !event.quiet => Entry::Loud(told(event)),
        run => Entry::Quiet {
            words: format!("{} saved", count(run.len() as u64, "draft", "drafts")),
            events: run.iter().map(told).collect(),
        },
    };
    events.chunk_by(|one, other| one.quiet && other.quiet).map(fold).collect()
}

fn told(event: &TimelineEntry) -> Event {
    Event {
        what: event.words.clone(),
        who: event.who(),
        at: event.at.to_rfc3339(),
        when: moment(event.at),
        tone: tone(&event.kind),
    }
}

/// "Tue 23 June 2026, 14:05 UTC"
pub fn moment(at: Instant) -> String {
    at.format("%a %-d %B %Y, %H:%M UTC").to_string()
}

/// How an event reads at a glance, by its kind: `plan.agreed`.
fn tone(kind: &str) -> Tone {
    const MARKS: [(&str, Tone); 23] = [
        ("clawed_back", Tone::Bad),
        ("clawback", Tone::Warn),
        ("cancelled", Tone::Bad),
        ("declined", Tone::Bad),
        ("denied", Tone::Bad),
        ("expired", Tone::Bad),
        ("returned", Tone::Warn),
        ("withdrawn", Tone::Warn),
        ("asked", Tone::Warn),
        ("escalated", Tone::Warn),
        ("agreed", Tone::Ok),
        ("approved", Tone::Ok),
        ("accepted", Tone::Ok),
        ("settled", Tone::Ok),
        ("signed", Tone::Ok),
        ("verified", Tone::Ok),
        ("performance.closed", Tone::Ok),
        ("submitted", Tone::Info),
        ("committed", Tone::Info),
        ("completed", Tone::Info),
        ("answered", Tone::Info),
        ("opened", Tone::Info),
        ("measured", Tone::Info),
    ];
    MARKS.into_iter().find(|(mark, _)| kind.contains(mark)).map_or(Tone::Off, |(_, tone)| tone)
}

fn cancel_form(who: &Who, s: &Situation, typed: &Typed) -> Cancel {
    let reason = Field::area("reason", "Why it ends here", 3).hint("Everyone involved reads it.");
    Cancel { form: typed.onto(who.form_at(s.cycle.version).with(reason)), effect: effect(&s.cycle) }
}

fn effect(cycle: &Cycle) -> &'static str {
    if cycle.stage.is_after_approval() {
        "Money that is committed and not claimed goes back to where it came from. Activities that are not proven end."
    } else {
        "Nothing is committed, so no money moves. The cycle stays here to be read, and can be copied into a new one."
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{EventId, UserId};

    fn event(seq: i64, quiet: bool) -> TimelineEntry {
        TimelineEntry {
            id: EventId(uuid::Uuid::nil()),
            seq,
            at: "2026-06-23T14:05:00Z".parse().expect("an instant"),
            actor_id: UserId(uuid::Uuid::nil()),
            actor_name: "Mara Lindqvist".into(),
            acting_for: None,
            kind: "plan.saved".into(),
            words: "Mara Lindqvist saved the plan.".into(),
            quiet,
            hash: String::new(),
        }
    }

    #[test]
    fn drafts_saved_in_a_row_are_one_entry() {
        let events = [event(5, false), event(4, true), event(3, true), event(2, false), event(1, false)];
        let shape: Vec<String> = entries(&events)
            .iter()
            .map(|entry| match entry {
                Entry::Loud(_) => "loud".to_owned(),
                Entry::Quiet { words, events } => format!("{words} ({})", events.len()),
            })
            .collect();
        assert_eq!(shape, ["loud", "2 drafts saved (2)", "loud", "loud"]);
        assert_eq!(moment(events[0].at), "Tue 23 June 2026, 14:05 UTC");
    }

    #[test]
    fn the_kind_of_an_event_sets_its_tone() {
        let cases = [
            ("plan.agreed", Tone::Ok),
            ("approval.returned", Tone::Warn),
            ("claim.clawback_proposed", Tone::Warn),
            ("claim.clawed_back", Tone::Bad),
            ("performance.signed_by_manager", Tone::Ok),
            ("plan.saved", Tone::Off),
        ];
        for (kind, expected) in cases {
            assert_eq!(tone(kind), expected, "{kind}");
        }
    }
}
