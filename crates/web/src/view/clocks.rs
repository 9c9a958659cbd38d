//! The clocks that run on a record, one line each: what is due, of whom, until when, and how many days are left.

use domain::Date;
use domain::cycle::Party;
use domain::deadlines::{Clock, Deadline, Item, deadlines};
use domain::machine::Situation;

use super::parts::{Badge, Hub, HubItem, Tone};
use super::words::{Amount, count};
use super::{cycle_href, date_words, step_href};
use domain::cycle::Step;

/// A day this near is marked.
const NEAR_DAYS: i64 = 7;

impl Hub {
    /// The clocks of a cycle that `keep` wants shown, the nearest day first.
    pub fn clocks(s: &Situation, today: Date, keep: impl Fn(&Deadline) -> bool) -> Self {
        let mut shown = deadlines(s);
        shown.retain(keep);
        Self { items: shown.iter().map(|deadline| line(s, deadline, today)).collect() }
    }
}

fn line(s: &Situation, deadline: &Deadline, today: Date) -> HubItem {
    let name = if deadline.name.is_empty() { String::new() } else { format!(": “{}”", deadline.name) };
    let amount = deadline.amount.map(|amount| Amount::from(amount).plain());
    let who = match deadline.party {
        Party::Partner => Some(s.partner.name.clone()),
        Party::Manager => Some("channel manager".to_owned()),
        Party::Approvers => Some("approvers".to_owned()),
        Party::Finance => Some("finance".to_owned()),
        Party::Nobody => None,
    };
    let facts: Vec<String> =
        [Some(format!("until {}", date_words(deadline.until))), who, amount].into_iter().flatten().collect();
    HubItem {
        title: format!("{}{name}", deadline.clock.label()),
        hint: facts.join(" · "),
        href: Some(deadline_href(&s.cycle.number, deadline)),
        state: left(deadline, today),
    }
}

/// "9 days left", "today", "2 days overdue"; "over" where time alone decides.
fn left(deadline: &Deadline, today: Date) -> Badge {
    let days = (deadline.until - today).num_days();
    let counted = |days: i64| count(days.unsigned_abs(), "day", "days");
    match days {
        0 => Badge::new(Tone::Warn, "Last day"),
        days if days > 0 => {
            let tone = if days <= NEAR_DAYS { Tone::Warn } else { Tone::Info };
            Badge::new(tone, format!("{} left", counted(days)))
        }
        _ if deadline.party == Party::Nobody => Badge::new(Tone::Off, "Over"),
        days => Badge::new(Tone::Bad, format!("{} overdue", counted(days))),
    }
}

/// Where the thing is done that is due.
pub fn deadline_href(number: &str, deadline: &Deadline) -> String {
    match (deadline.clock, deadline.item) {
        (Clock::Extension | Clock::ExtensionAnswer, Item::Campaign(no)) => {
            format!("/cycles/{number}/execution/campaigns/{no}/extension")
        }
        (Clock::PlanReview, _) => step_href(number, Step::Plan),
        (Clock::Lapse, _) => cycle_href(number),
        (Clock::AskBy, _) => step_href(number, Step::Request),
        (Clock::Approval | Clock::Information, _) => step_href(number, Step::Approval),
        (Clock::Tracking, _) => step_href(number, Step::Tracking),
        (_, Item::Activity(no)) => format!("/cycles/{number}/execution/activities/{no}"),
        (_, Item::Claim(no)) => format!("/cycles/{number}/claims/{no}"),
        _ => step_href(number, Step::Execution),
    }
}
