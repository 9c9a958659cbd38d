//! The nine steps, one file each: what the step keeps, its commands, its events, and its rules.
//!
//! Every file has the same four functions: `decide` (may this happen, and what then), `apply` (the
//! cycle after an event), `tell` (the timeline's sentence and who must hear of it), and what guards need.

mod purse;
pub mod s1_plan;
pub mod s2_scorecard;
pub mod s3_forecast;
pub mod s4_action_plan;
pub mod s5_request;
pub mod s6_approval;
pub mod s7_execution;
pub mod s8_tracking;
pub mod s9_performance;

pub(crate) use purse::{Purse, Release};

use crate::cycle::Cycle;
use crate::ids::UserId;
use crate::ledger::Posting;
use crate::machine::{Event, Situation};
use crate::money::Money;
use crate::notice::{Audience, Facts, Notice, Topic};
use crate::people::{Actor, Standing};
use crate::refusal::Reason;
use crate::{Date, Instant};

/// One command under judgement: the situation, who asks, and the moment.
pub struct Case<'a> {
    pub s: &'a Situation,
    pub actor: &'a Actor,
    /// The standing that makes the move lawful: the actor's own or one they stand in for.
    pub standing: &'a Standing,
    pub now: Instant,
    pub today: Date,
}

impl Case<'_> {
    /// Who acts and in whose place: what either of them has done, neither may judge.
    pub fn people(&self) -> [UserId; 2] {
        [self.actor.user(), self.standing.user]
    }

    /// The absent colleague in whose place the actor decides.
    pub fn in_place_of(&self) -> Option<UserId> {
        (self.standing.user != self.actor.user()).then_some(self.standing.user)
    }
}

/// An event about to happen, with the money it moves.
pub struct Outcome {
    pub event: Event,
    pub postings: Vec<Posting>,
}

impl<E: Into<Event>> From<E> for Outcome {
    fn from(event: E) -> Self {
        Self { event: event.into(), postings: Vec::new() }
    }
}

impl Outcome {
    pub fn with(event: impl Into<Event>, postings: Vec<Posting>) -> Self {
        Self { event: event.into(), postings }
    }
}

/// When an event happened and by whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub at: Instant,
    pub by: UserId,
}

/// What the timeline and the mails say of one event.
pub struct Told {
    /// `plan.submitted`
    pub kind: &'static str,
    pub words: String,
    pub notices: Vec<Notice>,
    /// A saved draft.
    pub quiet: bool,
}

impl Told {
    pub fn new(kind: &'static str, words: impl Into<String>) -> Self {
        Self { kind, words: words.into(), notices: Vec::new(), quiet: false }
    }

    /// A draft was saved: kept, folded away.
    pub fn quiet(kind: &'static str, words: impl Into<String>) -> Self {
        Self { quiet: true, ..Self::new(kind, words) }
    }

    #[must_use]
    pub fn to(mut self, notice: Notice) -> Self {
        self.notices.push(notice);
        self
    }
}

/// What `tell` may speak of: the cycle after the event, the partner, and who did it.
pub struct Teller<'a> {
    pub s: &'a Situation,
    pub cycle: &'a Cycle,
    pub by: &'a str,
    pub now: Instant,
}

impl Teller<'_> {
    pub fn partner(&self) -> &str {
        &self.s.partner.name
    }

    /// A notice with the facts every mail has; add amount, due day, reason or item to it.
    pub fn notice(&self, topic: Topic, audience: Audience, page: &str) -> Notice {
        let path = format!("/cycles/{}{page}", self.cycle.number);
        let facts = Facts {
            number: self.cycle.number.clone(),
            title: self.cycle.title.clone(),
            partner: self.s.partner.name.clone(),
            by: self.by.trim_end_matches(',').to_owned(),
            path,
            ..Facts::default()
        };
        Notice { topic, audience, facts }
    }

    pub fn to_partner(&self, topic: Topic, page: &str) -> Notice {
        self.notice(topic, Audience::Partner(self.s.partner.id), page)
    }

    pub fn to_manager(&self, topic: Topic, page: &str) -> Notice {
        self.notice(topic, Audience::ManagerOf(self.s.partner.id), page)
    }

    /// Those who decide on a level, as the guide's band says: the partner's channel manager, or the approvers of it.
    pub fn to_approvers(&self, topic: Topic, level: u8) -> Notice {
        self.notice(topic, self.s.deciders(level), "/approval")
    }

    pub fn to_finance(&self, topic: Topic, page: &str) -> Notice {
        self.notice(topic, Audience::Finance, page)
    }
}

impl Notice {
    #[must_use]
    pub fn amount(mut self, amount: Money) -> Self {
        self.facts.amount = Some(amount);
        self
    }

    /// What the amount is in a fund of another currency, and at which rate.
    #[must_use]
    pub fn in_fund(mut self, words: Option<String>) -> Self {
        self.facts.in_fund = words;
        self
    }

    #[must_use]
    pub fn due(mut self, due: Option<Date>) -> Self {
        self.facts.due = due;
        self
    }

    #[must_use]
    pub fn reason(mut self, reason: &str) -> Self {
        self.facts.reason = Some(reason.to_owned());
        self
    }

    /// One more sentence of ours.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.facts.note = Some(note.into());
        self
    }

    #[must_use]
    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.facts.item = Some(item.into());
        self
    }
}

/// Text that must be there: trimmed, not empty, at most `most` characters, no control characters but line ends.
pub fn check_text(field: &str, name: &str, text: &str, most: usize, reasons: &mut Vec<Reason>) {
    let length = text.chars().count();
    if text.trim().is_empty() {
        reasons.push(Reason::new("required", format!("{name} is empty."), "Fill it in.").at(field));
    } else if length > most {
        reasons.push(
            Reason::new("too_long", format!("{name} has {length} characters."), format!("Shorten it to {most}."))
                .at(field),
        );
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        reasons.push(
            Reason::new(
                "control_characters",
                format!("{name} holds characters that cannot be shown."),
                "Type it again without them.",
            )
            .at(field),
        );
    }
}

/// Text that may be left out, and is held to the same limits where it is not.
pub fn check_optional(field: &str, name: &str, text: &str, most: usize, reasons: &mut Vec<Reason>) {
    if !text.trim().is_empty() {
        check_text(field, name, text, most, reasons);
    }
}

/// A reason a person must give: as [`check_text`], at once.
pub fn need_reason(reason: &str) -> Result<(), crate::refusal::Refusal> {
    let mut reasons = Vec::new();
    check_text("reason", "The reason", reason, 2_000, &mut reasons);
    crate::refusal::Refusal::unless_empty(reasons)
}

/// The highest number in use plus one: numbers inside a cycle are never used twice while they stand.
pub fn next_no(used: impl Iterator<Item = u16>) -> u16 {
    used.max().unwrap_or(0).saturating_add(1)
}
