//! Activity types and checklists nobody could meet.

use super::Findings;
use crate::policy::{ActivityType, Policy};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    if policy.activity.is_empty() {
        findings.at("guide", "the guide names no activity type: add an [[activity]]");
    }
    let mut seen = BTreeSet::new();
    for (index, kind) in policy.activity.iter().enumerate() {
        let place = format!("activity.{index}.code");
        if !seen.insert(&kind.code) {
            findings.at(&place, format!("the activity “{}” is named twice: leave one out", kind.code));
        }
        checklist(kind, &format!("activity.{index}"), findings);
    }
    if let Some(early) = policy.proof.reminders.iter().find(|day| **day > policy.proof.days) {
        findings.at(
            "proof.reminders",
            format!(
                "the reminder {early} days before proof is due comes before the activity has ended: write at most {}",
                policy.proof.days
            ),
        );
    }
}

fn checklist(kind: &ActivityType, place: &str, findings: &mut Findings) {
    let codes: Vec<&str> = kind.items().map(|item| item.code.as_str()).collect();
    let code = format!("{place}.code");
    if codes.is_empty() {
        findings.at(&code, format!("the activity “{}” asks for no proof at all: add `all_of` or `one_of`", kind.code));
    }
    if codes.iter().collect::<BTreeSet<_>>().len() < codes.len() {
        findings.at(&code, format!("the activity “{}” asks for the same proof twice: leave one out", kind.code));
    }
    if !kind.one_of.is_empty() && !(1..=kind.one_of.len()).contains(&usize::from(kind.at_least)) {
        findings.at(
            format!("{place}.at_least"),
            format!("at least {} of {} proofs cannot be asked for", kind.at_least, kind.one_of.len()),
        );
    }
    for item in kind.items().filter(|item| !item.columns.is_empty()) {
        if !item.kinds.is_empty() && !item.kinds.iter().any(|kind| matches!(kind.as_str(), "csv" | "xlsx" | "xls")) {
            findings.at(
                &code,
                format!("“{}” must have columns, so it is a table: take csv or xlsx among its `kinds`", item.name),
            );
        }
    }
}
