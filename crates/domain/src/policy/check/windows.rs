//! Windows that end before they begin, reminders that come too late.

use super::Findings;
use crate::calendar::words;
use crate::policy::{ClaimRules, Policy};

pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    let claim = &policy.claim;
    one_window(policy, findings);
    first_time(claim, findings);
    reminders(claim, findings);
    findings.amount("claim.minimum", claim.minimum, policy.guide.currency);
    for (place, most) in
        [("claim.most_per_campaign", claim.most_per_campaign), ("claim.most_per_activity", claim.most_per_activity)]
    {
        if most == Some(0) {
            findings.at(place, "no claim could ever be made: write 1 or more, or leave it out");
        }
    }
    if let Some(days) = claim.days.filter(|days| policy.proof.days > *days) {
        findings.at(
            "proof.days",
            format!(
                "proof is due on day {}, after the last day to claim, day {days}, and only what is proven can be claimed",
                policy.proof.days
            ),
        );
    }
    extension(policy, findings);
}

fn extension(policy: &Policy, findings: &mut Findings) {
    let Some(extension) = &policy.extension else { return };
    if extension.days == 0 || extension.times == 0 || extension.windows.is_empty() {
        findings.at("extension", "an extension of no days, or none at all, is none: leave [extension] out");
    }
    if extension.grace > 0 && extension.ask_before > 0 {
        findings.at(
            "extension.grace",
            "more time is asked for before the last day or in a grace after it: keep one of `ask_before` and `grace`",
        );
    }
    if extension.answer_days == 0 {
        findings.at("extension.answer_days", "nobody could answer in no days: write 1 or more, or leave it out");
    }
}

fn one_window(policy: &Policy, findings: &mut Findings) {
    let claim = &policy.claim;
    let ways = [claim.days.is_some(), claim.days_after_period.is_some(), claim.last_day.is_some()];
    match ways.iter().filter(|way| **way).count() {
        1 => {}
        0 => findings
            .at("claim", "the guide does not say until when to claim: write `days`, `days_after_period` or `last_day`"),
        _ => findings.at(
            "claim",
            "the guide says in several ways until when to claim: keep one of `days`, `days_after_period`, `last_day`",
        ),
    }
    let Some(last) = claim.last_day else { return };
    if last < policy.guide.effective_from {
        findings.at(
            "claim.last_day",
            format!("the claim window ends on {}, before the guide is in force: write a later day", words(last)),
        );
    }
    if let Some(used) = policy.credit.as_ref().and_then(|rules| rules.last_day).filter(|used| *used > last) {
        findings.at(
            "claim.last_day",
            format!(
                "money can be used until {} and claimed only until {}: write a later day to claim",
                words(used),
                words(last)
            ),
        );
    }
}

fn first_time(claim: &ClaimRules, findings: &mut Findings) {
    let Some(first) = claim.first_time_days else { return };
    if claim.first_time_extra_days.is_some() {
        findings.at(
            "claim.first_time_extra_days",
            "a first-time claimant has `first_time_days` or `first_time_extra_days`: leave one of the two out",
        );
    }
    match claim.days {
        Some(days) if first < days => findings.at(
            "claim.first_time_days",
            format!("a first-time claimant cannot have fewer days than others: write {days} or more"),
        ),
        Some(_) => {}
        None => findings.at(
            "claim.first_time_days",
            "`first_time_days` go with `days`: write `first_time_extra_days` with this window",
        ),
    }
}

fn reminders(claim: &ClaimRules, findings: &mut Findings) {
    let Some(days) = claim.days else { return };
    if let Some(late) = claim.reminders.iter().find(|day| **day > days) {
        findings.at(
            "claim.reminders",
            format!("the reminder at day {late} comes after the last day to claim, day {days}: write at most {days}"),
        );
    }
    if let Some(early) = claim.reminders_before.iter().find(|before| **before > days) {
        findings.at(
            "claim.reminders_before",
            format!(
                "the reminder {early} days before the last day comes before the activity has ended: write at most {days}"
            ),
        );
    }
}
