//! The timer of a running cycle: what it does when a day has come, and which day that is next.

use super::super::{Case, Outcome, Stamp};
use super::{Event, all_ended, claims, extension, proof, release};
use crate::Date;
use crate::calendar::plus;
use crate::cycle::Cycle;
use crate::machine::Situation;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a partner is reminded of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reminder {
    ProofDue,
    ProofOverdue,
    ClaimDue,
}

impl Reminder {
    pub(super) fn is_of_claim(self) -> bool {
        self == Reminder::ClaimDue
    }
}

/// The next day the timer has something to do for this step.
pub(crate) fn next_day(s: &Situation) -> Option<Date> {
    let cycle = &s.cycle;
    let reminders = upcoming(s).into_iter().filter(|reminder| !is_past(cycle, reminder)).map(|(day, ..)| day);
    let expiries = proof::running(s).map(|activity| proof::expires_on(s, activity));
    let windows = cycle.campaigns.iter().filter_map(|campaign| release::window_end(s, campaign.no));
    let answers = cycle.open_extensions().map(|extension| plus(extension.answer_by, 1));
    reminders.chain(expiries).chain(windows.map(|last| plus(last, 1))).chain(answers).min()
}

/// The timer's work at this moment, each on what the one before left: wishes nobody answered, activities expired,
/// claim windows closed, reminders due.
pub(super) fn tick(case: &Case) -> Result<Vec<Outcome>, Refusal> {
    let stamp = Stamp { at: case.now, by: case.actor.user() };
    let mut after = case.s.clone();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for work in [extension::lapsed, proof::overdue, release::windows, reminders] {
        for outcome in work(&after.clone(), case.today) {
            crate::machine::apply(&mut after.cycle, &outcome.event, stamp);
            outcome.postings.iter().for_each(|posting| after.book.post(posting));
            outcomes.push(outcome);
        }
    }
    if outcomes.is_empty() {
        return Err(Refusal::new("nothing_due", "Nothing is due.", "The clock comes back when something is."));
    }
    if all_ended(&after.cycle) {
        outcomes.push(Event::Ended {}.into());
    }
    Ok(outcomes)
}

/// A reminder to come: its day, what it is of, the activity, the deadline.
type Upcoming = (Date, Reminder, u16, Date);

/// Reminders whose day has come: of every activity the latest one, so that a clock that stood still catches up once.
fn reminders(s: &Situation, today: Date) -> Vec<Outcome> {
    let due = upcoming(s).into_iter().filter(|reminder| reminder.0 <= today && !is_past(&s.cycle, reminder));
    let latest: BTreeMap<(bool, u16), Upcoming> =
        due.map(|reminder| ((reminder.1.is_of_claim(), reminder.2), reminder)).collect();
    latest.into_values().map(|(day, what, item, due)| Event::Reminded { what, item, day, due }.into()).collect()
}

/// Every reminder of what is still open, earliest first.
fn upcoming(s: &Situation) -> Vec<Upcoming> {
    let mut all = proof::reminders(s);
    all.extend(claims::reminders(s));
    all.sort_unstable();
    all
}

/// It was sent, or a later one of the same kind was.
fn is_past(cycle: &Cycle, (day, what, item, _): &Upcoming) -> bool {
    let sent = cycle.activity(*item).into_iter().flat_map(|activity| &activity.reminded);
    sent.filter(|sent| sent.what.is_of_claim() == what.is_of_claim()).any(|sent| sent.day >= *day)
}
