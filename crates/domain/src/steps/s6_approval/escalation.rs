//! The clock of a level: when it stands still, when it has run out, and who hears of it then.

use crate::Date;
use crate::calendar::plus;
use crate::cycle::Cycle;
use crate::machine::Situation;
use crate::policy::Band;

/// The level under way is past its time, and its superiors have not heard of it. While a question to the partner is open
/// its time stands still: what waits then is the partner.
pub fn is_overdue(cycle: &Cycle, today: Date) -> bool {
    let runs = cycle.approval.open_question().is_none();
    runs && cycle.approval.due.is_some_and(|due| due < today) && !cycle.approval.escalated
}

/// The day an open question should be answered by: the partner has as many days as the level has that asked.
pub fn answer_by(s: &Situation, cycle: &Cycle) -> Option<Date> {
    let asked = cycle.approval.open_question()?.at.date_naive();
    s.policy.band(cycle.level, &s.partner).map(|band| plus(asked, band.sla_days))
}

/// When the level should decide, once its question is answered today: as many days later as the question was open.
pub(super) fn resumed(cycle: &Cycle, today: Date) -> Option<Date> {
    let asked = cycle.approval.open_question()?.at.date_naive();
    let open = u16::try_from((today - asked).num_days()).unwrap_or(0);
    cycle.approval.due.map(|due| plus(due, open))
}

/// Who hears of a level that is past its time, the nearest first: the next level of the guide, then the default approver.
pub fn superiors(s: &Situation) -> Vec<u8> {
    let level = s.cycle.level;
    let fallback = s.policy.default_approver.as_ref().map(|fallback| fallback.level);
    let mut levels: Vec<u8> = above(s, level).map(|band| band.level).into_iter().chain(fallback).collect();
    levels.retain(|other| *other != level);
    levels.dedup();
    levels
}

fn above(s: &Situation, level: u8) -> Option<&Band> {
    let bands = s.policy.bands_for(Some(&s.partner.country), s.policy.guide.currency);
    bands.into_iter().find(|band| band.level > level)
}

/// Who was told, and why not others: a level that nobody holds who can sign in is no one to tell.
pub(super) fn words(s: &Situation, level: u8, told: &[u8]) -> String {
    let above = above(s, level);
    let fallback = s.policy.default_approver.as_ref().filter(|fallback| fallback.level != level);
    let next = above.map(|band| format!("{} (level {})", band.name, band.level));
    let default = fallback.map(|fallback| format!("{} (default approver)", fallback.name));
    let heard = |of: Option<u8>| of.is_some_and(|of| told.contains(&of));
    match (heard(above.map(|band| band.level)), heard(fallback.map(|fallback| fallback.level))) {
        (true, true) if above.map(|band| band.level) == fallback.map(|fallback| fallback.level) => {
            format!("It has come to {}.", next.unwrap_or_default())
        }
        (true, true) => {
            format!("It has come to {} and to {}.", next.unwrap_or_default(), default.unwrap_or_default())
        }
        (true, false) => format!("It has come to {}.", next.unwrap_or_default()),
        (false, true) => {
            let why = next.map_or_else(
                || "No level stands above it".to_owned(),
                |next| format!("Nobody who can sign in is {next}"),
            );
            format!("{why}, so it has come to {}.", default.unwrap_or_default())
        }
        (false, false) => {
            let missing: Vec<String> = next.into_iter().chain(default).collect();
            let why = match missing.as_slice() {
                [] => "No level stands above it and the guide names no default approver".to_owned(),
                missing => format!("Nobody who can sign in is {}", missing.join(" or ")),
            };
            format!("{why}, so it has come to the administrators, who can give somebody that level.")
        }
    }
}
