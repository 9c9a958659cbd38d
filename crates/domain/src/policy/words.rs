//! A guide in words: what the partner-facing page says, and what a new version changes.

mod money;
mod process;

use super::Policy;
use std::collections::BTreeSet;

/// One subject of the guide, in sentences a partner reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paragraph {
    /// A name for machines: `deadlines`.
    pub code: &'static str,
    pub title: &'static str,
    pub lines: Vec<String>,
}

/// What a new version of a guide changes of one subject: sentences that fall away, sentences that come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub subject: &'static str,
    pub before: Vec<String>,
    pub after: Vec<String>,
}

/// The whole guide in words, subject by subject; a subject the guide says nothing of is left out.
pub fn describe(policy: &Policy) -> Vec<Paragraph> {
    let all = [
        ("shares", "What the program pays", money::shares(policy)),
        ("limits", "Caps and mixes", money::limits(policy)),
        ("asking", "When to ask", process::asking(policy)),
        ("gates", "Before you ask", process::gates(policy)),
        ("eligible", "Eligible cost", policy.costs.eligible.iter().map(|category| category.name.clone()).collect()),
        ("never", "Never eligible", money::never(policy)),
        ("activities", "Activities and their proof", process::activities(policy)),
        ("deadlines", "Deadlines", process::deadlines(policy)),
        ("approval", "Who approves", process::approval(policy)),
        ("amendment", "Changes after approval", process::amendment(policy)),
        ("earning", "How credit is earned", money::earning(policy)),
        ("using", "Until when credit is used", money::using(policy)),
        ("exchange", "Other currencies", money::exchange(policy)),
        ("results", "Results", process::results(policy)),
        ("records", "Records", process::records(policy)),
        ("terms", "Terms", sentences(&policy.guide.terms)),
    ];
    let kept = all.into_iter().filter(|(_, _, lines)| !lines.is_empty());
    kept.map(|(code, title, lines)| Paragraph { code, title, lines }).collect()
}

/// What another version of a guide changes, in words; empty where it changes nothing a partner would notice.
pub fn changes(old: &Policy, new: &Policy) -> Vec<Change> {
    let (old, new) = (describe(old), describe(new));
    let titles: Vec<&'static str> = {
        let mut seen = BTreeSet::new();
        new.iter().chain(&old).map(|paragraph| paragraph.title).filter(|title| seen.insert(*title)).collect()
    };
    let lines = |of: &[Paragraph], title: &str| -> Vec<String> {
        of.iter().find(|paragraph| paragraph.title == title).map_or_else(Vec::new, |found| found.lines.clone())
    };
    let change = |subject: &'static str| {
        let (was, is) = (lines(&old, subject), lines(&new, subject));
        let before: Vec<String> = was.iter().filter(|line| !is.contains(line)).cloned().collect();
        let after: Vec<String> = is.iter().filter(|line| !was.contains(line)).cloned().collect();
        let moved = before.is_empty() && after.is_empty() && was != is;
        // The order of rates decides; of everything else it is only looks.
        if moved && subject == "What the program pays" {
            return Some(Change { subject, before: was, after: is });
        }
        (!before.is_empty() || !after.is_empty()).then_some(Change { subject, before, after })
    };
    titles.into_iter().filter_map(change).collect()
}

fn sentences(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn days(count: u16) -> String {
    format!("{count} day{}", if count == 1 { "" } else { "s" })
}

/// "7, 3 and 1"
fn numbers(all: &[u16]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    match all.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The first letter as a capital.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
