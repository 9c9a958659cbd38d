//! Reminders of a cycle's clocks, before their day and once it has passed. Those of proof and of the claim window are the
//! guide's own and stand in step 7; the days of these are here.

use super::command::CycleEvent;
use crate::Date;
use crate::calendar::{self, Count, minus, plus};
use crate::cycle::{Party, Reminded, Stage};
use crate::deadlines::{Clock, Deadline, Item, deadlines};
use crate::money::Money;
use crate::notice::{Audience, Notice, Topic};
use crate::refusal::Refusal;
use crate::steps::{Case, Outcome, Teller, Told};

use super::Situation;

/// Days before its day on which a clock is reminded of, and whether it is told of on the day after.
fn days_of(clock: Clock) -> (&'static [u16], bool) {
    match clock {
        Clock::Lapse => (&[14, 3], false),
        Clock::AskBy => (&[7, 1], false),
        Clock::PlanReview | Clock::Information | Clock::ProofReview | Clock::ClaimDecision | Clock::Payment => {
            (&[1], true)
        }
        Clock::ExtensionAnswer => (&[1], false),
        Clock::Tracking => (&[7], false),
        // The guide's own reminders tell of proof, of claims and of the last day to ask for more time; the escalation of an
        // approval; the fund of its credit.
        Clock::Approval | Clock::Proof | Clock::ProofGrace | Clock::Claim | Clock::Extension | Clock::Credit => {
            (&[], false)
        }
    }
}

/// A reminder to come.
struct Upcoming {
    day: Date,
    late: bool,
    of: Deadline,
}

/// Every reminder that was not sent, and that no later one of the same clock has overtaken.
fn upcoming(s: &Situation) -> Vec<Upcoming> {
    let mut all = Vec::new();
    let mut asked: Vec<Date> = Vec::new();
    for of in deadlines(s) {
        // Activities with the same last day to ask are one reminder.
        if of.clock == Clock::AskBy {
            if asked.contains(&of.until) {
                continue;
            }
            asked.push(of.until);
        }
        if of.clock == Clock::Tracking && s.cycle.stage != Stage::TrackingListening {
            continue;
        }
        let (before, late) = days_of(of.clock);
        let began = began(s, &of);
        let before = before.iter().map(|days| (minus(of.until, *days, Count::Calendar, &[]), false));
        let days = before.filter(|(day, _)| *day > began).chain(late.then(|| (plus(of.until, 1), true)));
        let open = days.filter(|(day, _)| !s.cycle.reminded.iter().any(|sent| overtakes(sent, &of, *day)));
        all.extend(open.map(|(day, late)| Upcoming { day, late, of: of.clone() }));
    }
    all
}

fn overtakes(sent: &Reminded, of: &Deadline, day: Date) -> bool {
    (sent.clock, sent.item, sent.until) == (of.clock, of.item, of.until) && sent.day >= day
}

/// The day a clock began to run: nobody is reminded of what they have only just been told.
fn began(s: &Situation, of: &Deadline) -> Date {
    let at = match (of.clock, of.item) {
        (Clock::Information, _) => s.cycle.approval.open_question().map(|question| question.at),
        (Clock::ProofReview, Item::Activity(no)) => s.cycle.activity(no).and_then(|activity| activity.handed_in),
        (Clock::ClaimDecision | Clock::Payment, Item::Claim(no)) => s.cycle.claim(no).map(|claim| claim.submitted_at),
        (Clock::ExtensionAnswer, Item::Campaign(no)) => {
            s.cycle.open_extensions().find(|open| open.campaign == no).map(|open| open.asked_at)
        }
        _ => None,
    };
    at.unwrap_or(s.cycle.since).date_naive()
}

/// The next day one is due.
pub(super) fn next_day(s: &Situation) -> Option<Date> {
    upcoming(s).into_iter().map(|reminder| reminder.day).min()
}

pub(super) fn are_due(s: &Situation, today: Date) -> bool {
    upcoming(s).iter().any(|reminder| reminder.day <= today)
}

/// Those whose day has come: of every clock the latest one, so that a timer that stood still catches up once.
pub(super) fn due_now(case: &Case) -> Result<Vec<Outcome>, Refusal> {
    let mut due: Vec<Upcoming> = Vec::new();
    for reminder in upcoming(case.s).into_iter().filter(|reminder| reminder.day <= case.today) {
        match due.iter_mut().find(|other| other.of == reminder.of) {
            Some(other) if other.day < reminder.day => *other = reminder,
            Some(_) => {}
            None => due.push(reminder),
        }
    }
    if due.is_empty() {
        return Err(Refusal::new("nothing_due", "Nothing is due.", "The clock comes back when something is."));
    }
    let event = |Upcoming { day, late, of }: Upcoming| {
        Outcome::from(super::Event::from(CycleEvent::Reminded {
            clock: of.clock,
            item: of.item,
            until: of.until,
            day,
            late,
        }))
    };
    Ok(due.into_iter().map(event).collect())
}

pub(super) fn tell(teller: &Teller, (clock, item, until): (Clock, Item, Date), late: bool) -> Told {
    let s = teller.s;
    let found = deadlines(s).into_iter().find(|of| (of.clock, of.item, of.until) == (clock, item, until));
    let name = found.as_ref().map_or("", |of| of.name.as_str());
    let about = if name.is_empty() { String::new() } else { format!(" “{name}”,") };
    let (label, day) = (clock.label(), calendar::words(until));
    let words = if late {
        format!("{label}:{about} late, it was due {day}.")
    } else {
        format!("Reminded: {label},{about} until {day}.")
    };
    let told = Told::quiet("cycle.reminded", words);
    // A timer that stood still so long that the day has passed has nothing to remind of any more.
    let Some(of) = found.filter(|_| late || s.policy.today(teller.now) <= until) else { return told };
    topics(s, &of, late).into_iter().fold(told, |told, (topic, audience)| {
        let mut notice = teller.notice(topic, audience, &page(&of)).due(Some(until)).note(clock.label());
        notice.facts.amount = of.amount.or_else(|| stake(s, &of));
        notice.facts.item = named(s, &of);
        if let Item::Claim(no) = item {
            notice.facts.number = format!("{}/{no}", teller.cycle.number);
        }
        told.to(notice)
    })
}

/// Who is reminded of what. Whoever is late hears of it, and the channel manager too.
fn topics(s: &Situation, of: &Deadline, late: bool) -> Vec<(Topic, Audience)> {
    let partner = Audience::Partner(s.partner.id);
    let manager = Audience::ManagerOf(s.partner.id);
    let acting = match of.party {
        Party::Finance => Audience::Finance,
        _ => manager.clone(),
    };
    match (of.clock, late) {
        (Clock::Lapse, _) => vec![(Topic::DraftLapsing, partner)],
        (Clock::AskBy, _) => vec![(Topic::AskDue, partner)],
        (Clock::Tracking, _) => vec![(Topic::TrackingEnding, partner), (Topic::TrackingEnding, manager)],
        (Clock::Information, false) => vec![(Topic::QuestionDue, partner)],
        (Clock::Information, true) => {
            vec![(Topic::QuestionOverdue, partner), (Topic::QuestionOverdue, s.deciders(s.cycle.level))]
        }
        (_, false) => vec![(Topic::ReviewDue, acting)],
        (_, true) if acting == manager => vec![(Topic::ReviewOverdue, manager)],
        (_, true) => vec![(Topic::ReviewOverdue, acting), (Topic::ReviewOverdue, manager)],
    }
}

/// Where the thing is done.
fn page(of: &Deadline) -> String {
    match (of.clock, of.item) {
        (Clock::PlanReview, _) => "/plan".to_owned(),
        (Clock::AskBy, _) => "/request".to_owned(),
        (Clock::Information, _) => "/approval".to_owned(),
        (Clock::Tracking, _) => "/tracking".to_owned(),
        (Clock::ExtensionAnswer, Item::Campaign(no)) => format!("/execution/campaigns/{no}/extension"),
        (_, Item::Activity(no)) => format!("/execution/activities/{no}"),
        (_, Item::Claim(no)) => format!("/claims/{no}"),
        _ => String::new(),
    }
}

/// What hangs on a clock that carries no amount of its own: what is asked for, or what was approved.
fn stake(s: &Situation, of: &Deadline) -> Option<Money> {
    let cycle = &s.cycle;
    let approved = |of: &dyn Fn(u16) -> bool| {
        let lines = cycle.approval.lines.iter().filter(|line| of(line.activity));
        cycle.sum(lines.map(|line| line.amount))
    };
    let sum = match (of.clock, of.item) {
        (Clock::ProofReview, Item::Activity(no)) => approved(&|activity| activity == no),
        (Clock::Tracking, _) => approved(&|_| true),
        (Clock::ExtensionAnswer, Item::Campaign(no)) => crate::steps::s7_execution::claimable(s, no),
        _ => cycle.request.total(cycle),
    };
    Some(sum).filter(|sum| sum.is_positive())
}

/// The name of what it is about; of activities with the same last day to ask, the first and how many more.
fn named(s: &Situation, of: &Deadline) -> Option<String> {
    let name = Some(of.name.clone()).filter(|name| !name.is_empty())?;
    let same = deadlines(s).iter().filter(|other| other.clock == of.clock && other.until == of.until).count();
    Some(match same {
        more @ 2.. if of.clock == Clock::AskBy => format!("{name} and {} more", more - 1),
        _ => name,
    })
}

/// What a mail's note says of a notice of step 7 that tells of the last day to ask for more time.
#[must_use]
pub(crate) fn with_more_time(s: &Situation, notice: Notice, campaign: u16, proof: bool) -> Notice {
    use crate::policy::Extendable;
    let window = if proof { Extendable::Proof } else { Extendable::Claim };
    match crate::steps::s7_execution::ask_by(s, campaign, window) {
        Some(day) => notice.note(format!("More time can be asked for until {}.", calendar::words(day))),
        None => notice,
    }
}
