//! The nine steps of the loop, one file each: page structs and handlers.

pub mod s1_plan;
pub mod s2_scorecard;
pub mod s3_forecast;
pub mod s4_action_plan;
pub mod s5_request;
pub mod s6_approval;
pub mod s7_execution;
pub mod s8_tracking;
pub mod s9_performance;

use domain::machine::{Command, Situation, decide};
use domain::refusal::Reason;
use domain::signals::{Signal, Traces};
use engine::WhichCycle;
use storage::read::Paging;

use crate::error::Error;
use crate::extract::Who;
use crate::view::{Signals, Timeline, TimelineItem, Tone};

/// A cycle with all the rules look at; not theirs answers as missing.
pub async fn look(who: &Who, no: &str) -> Result<Situation, Error> {
    Ok(who.site().engine.look(who.viewer(), WhichCycle::Number(no)).await?)
}

/// Why a command would be refused here and now, by the very rules that decide it; empty where it would pass.
pub fn objections(who: &Who, s: &Situation, command: &Command) -> Vec<Reason> {
    decide(s, who.actor(), command, who.now()).err().map(|refusal| refusal.reasons).unwrap_or_default()
}

/// What deserves a second look, for the vendor's reviewers; a partner's person is told nothing.
pub async fn signals(
    who: &Who,
    s: &Situation,
    of: impl FnOnce(&Situation, &Traces) -> Vec<Signal>,
) -> Result<Signals, Error> {
    if who.actor().me.partner.is_some() {
        return Ok(Signals::default());
    }
    let traces = who.reader().traces(who.viewer(), &s.cycle).await?;
    Ok(Signals::of(of(s, &traces)))
}

/// What has happened to a cycle, newest first; saved drafts are left out.
pub async fn timeline(who: &Who, s: &Situation) -> Result<Timeline, Error> {
    let which = WhichCycle::Number(&s.cycle.number);
    let entries = who.reader().timeline(who.viewer(), which, false, &Paging::first(60)).await?;
    let item = |entry: storage::read::TimelineEntry| TimelineItem {
        when: entry.at.format("%a %-d %B %Y, %H:%M").to_string(),
        at: entry.at.to_rfc3339(),
        who: entry.who(),
        tone: tone_of(&entry.kind),
        what: entry.words,
        ..TimelineItem::default()
    };
    Ok(Timeline { items: entries.rows.into_iter().map(item).collect() })
}

fn tone_of(kind: &str) -> Tone {
    match kind.rsplit('.').next().unwrap_or(kind) {
        "approved" | "level_approved" | "accepted" | "agreed" | "settled" | "closed" | "signed" => Tone::Ok,
        "returned" | "escalated" | "withdrawn" | "clawback_proposed" | "asked" | "return_reported" => Tone::Warn,
        "declined" | "denied" | "cancelled" | "activity_cancelled" | "campaign_cancelled" => Tone::Bad,
        "activity_expired" | "expired" | "clawed_back" | "payment_returned" => Tone::Bad,
        _ => Tone::Info,
    }
}
