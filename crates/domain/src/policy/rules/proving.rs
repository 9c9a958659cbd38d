//! The rules of proof: the checklist, the day it is due, and what comes after a return.

use super::{days, listed};
use crate::Date;
use crate::calendar::{plus, words};
use crate::policy::{ActivityType, Policy, Verdict};

/// A file handed in for an item of the checklist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handed {
    pub item: String,
    /// Its file name; the ending says what kind it is. `None` where that was seen to before.
    pub name: Option<String>,
    /// The header of a list, where somebody has read it.
    pub columns: Option<Vec<String>>,
}

/// What the checklist still lacks, given the items that have a file, in words; empty where it is met.
pub fn missing(kind: &ActivityType, met: impl Fn(&str) -> bool) -> Vec<String> {
    let mut missing: Vec<String> =
        kind.all_of.iter().filter(|item| !met(&item.code)).map(|item| item.name.clone()).collect();
    let there = kind.one_of.iter().filter(|item| met(&item.code)).count();
    if !kind.one_of.is_empty() && there < usize::from(kind.at_least) {
        let names: Vec<&str> =
            kind.one_of.iter().filter(|item| !met(&item.code)).map(|item| item.name.as_str()).collect();
        let count = match usize::from(kind.at_least) - there {
            1 => "one of".to_owned(),
            more => format!("{more} of"),
        };
        missing.push(format!("{count}: {}", names.join(", ")));
    }
    missing
}

/// The checklist of an activity's type is met: every item of `all_of`, enough of `one_of`, kinds and columns as asked.
pub fn checklist(kind: &ActivityType, activity: &str, files: &[Handed]) -> Verdict {
    let rule = "proof_checklist";
    let fail = |sentence: String, remedy: String| Verdict::fail(rule, sentence, remedy).about(activity);
    if let Some(stray) = files.iter().find(|file| kind.item(&file.item).is_none()) {
        let known: Vec<String> = kind.items().map(|item| item.code.clone()).collect();
        return fail(
            format!("The checklist of “{activity}” has no item “{}”.", stray.item),
            format!("Hand the file in for one of the items it has: {}.", listed(&known)),
        );
    }
    for file in files {
        let Some(item) = kind.item(&file.item) else { continue };
        let name = file.name.as_deref().unwrap_or(&item.name);
        if file.name.is_some() && !item.takes(name) {
            return fail(
                format!("“{name}” is no file the program takes for “{}”.", item.name),
                format!("Hand it in as {}.", item.kinds.join(", ")),
            );
        }
        let lacks = file.columns.as_deref().map(|columns| item.missing_columns(columns)).unwrap_or_default();
        if !lacks.is_empty() {
            return fail(
                format!("“{name}” lacks the column{} {}.", plural(lacks.len()), listed(&lacks)),
                format!("Add {} to the list: it needs {}.", listed(&lacks), listed(&item.columns)),
            )
            .with("missing_columns", lacks);
        }
    }
    let missing = missing(kind, |code| files.iter().any(|file| file.item == code));
    let verdict = if missing.is_empty() {
        Verdict::pass(rule, format!("The checklist of “{activity}” is met.")).about(activity)
    } else {
        fail(
            format!("The checklist of “{activity}” is not met: {} missing.", missing.join("; ")),
            "Add a file for each.".to_owned(),
        )
    };
    verdict.with("files", files.len()).with("missing", missing)
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// What the days of a proof depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Provable {
    pub ends: Date,
    /// The day it was returned last.
    pub returned: Option<Date>,
    /// Days granted by extensions.
    pub extended: u16,
}

impl Provable {
    /// The day proof is due.
    pub fn due(self, policy: &Policy) -> Date {
        policy.proof_due(self.counted_from())
    }

    /// The last day proof is taken at all.
    pub fn last_day(self, policy: &Policy) -> Date {
        policy.proof_ends(self.counted_from(), self.returned)
    }

    /// The days the partner is reminded on, earliest first.
    pub fn reminders(self, policy: &Policy) -> Vec<Date> {
        policy.proof_reminders(self.counted_from())
    }

    /// Every window of proof counts from the activity's end, so more time is as if it had ended later.
    fn counted_from(self) -> Date {
        plus(self.ends, self.extended)
    }
}

/// Proof comes by its due day, or in the grace after it; later the activity expires.
pub fn proof_window(policy: &Policy, name: &str, of: Provable, handed_in: Option<Date>) -> Verdict {
    let rule = "proof_window";
    let (ends, due, last) = (of.ends, of.due(policy), of.last_day(policy));
    let more = if of.extended > 0 { format!(", {} of extension included", days(of.extended)) } else { String::new() };
    let window = format!("“{name}” ends {}: proof is due {}{more}", words(ends), words(due));
    let verdict = match handed_in {
        None => Verdict::pass(rule, format!("{window}, and taken until {}.", words(last))),
        Some(day) if day <= due => Verdict::pass(rule, format!("{window}; it came {}.", words(day))),
        Some(day) if day <= last => {
            Verdict::warn(rule, format!("{window}; it came {}, inside the time after it.", words(day)))
        }
        Some(day) => Verdict::fail(
            rule,
            format!("{window} and was taken until {}; {} is too late.", words(last), words(day)),
            "Talk to your channel manager: the activity has expired and its money is released.",
        ),
    };
    verdict.about(name).with("ends", ends).with("due", due).with("last_day", last).with_some("handed_in", handed_in)
}

pub fn proof_reminders(policy: &Policy, name: &str, of: Provable) -> Verdict {
    let dates = of.reminders(policy);
    if dates.is_empty() {
        return Verdict::not_applicable("proof_reminders", "The guide sends no reminders of proof.");
    }
    let said: Vec<String> = dates.iter().map(|day| words(*day)).collect();
    Verdict::pass("proof_reminders", format!("The partner is reminded of the proof of “{name}” on {}.", listed(&said)))
        .about(name)
        .with("reminders", dates)
}

/// Returned proof comes again in time.
pub fn resubmission(policy: &Policy, name: &str, of: Provable, returned: Date, again: Option<Date>) -> Verdict {
    let rule = "resubmission";
    let Some(window) = policy.proof.resubmit_days else {
        return Verdict::not_applicable(rule, "The guide gives returned proof no time of its own.");
    };
    let last = Provable { returned: Some(returned), ..of }.last_day(policy);
    let words_of = format!(
        "The proof of “{name}” was returned {}; there are {} to hand it in again, until {}.",
        words(returned),
        days(window),
        words(last)
    );
    let verdict = match again {
        Some(day) if day > last => Verdict::fail(
            rule,
            format!("{words_of} {} is too late.", words(day)),
            "Talk to your channel manager: the activity has expired and its money is released.",
        ),
        _ => Verdict::pass(rule, words_of),
    };
    verdict.about(name).with("returned", returned).with("last_day", last).with_some("handed_in", again)
}
