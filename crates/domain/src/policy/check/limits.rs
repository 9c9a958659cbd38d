//! Shares, caps, mixes and seasons that cannot hold.

use super::Findings;
use crate::policy::limits::SeasonDay;
use crate::policy::{Cap, Policy};
use rust_decimal::Decimal;

pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    shares(policy, findings);
    for (index, cap) in policy.cap.iter().enumerate() {
        one_cap(policy, cap, &format!("cap.{index}"), findings);
    }
    mixes(policy, findings);
    seasons(policy, findings);
}

fn shares(policy: &Policy, findings: &mut Findings) {
    let share = &policy.share;
    findings.share("share.default", share.default);
    for (index, rate) in share.rate.iter().enumerate() {
        let place = format!("share.rate.{index}");
        findings.share(format!("{place}.share"), rate.share);
        if let Some(code) = &rate.activity {
            known_activity(policy, code, &format!("{place}.activity"), findings);
        }
        if rate.from.zip(rate.to).is_some_and(|(from, to)| from > to) {
            findings.at(format!("{place}.to"), "the rate's first day comes after its last: swap `from` and `to`");
        }
        if rate.sponsors.is_some() && rate.sponsors_from.is_some() {
            findings.at(
                format!("{place}.sponsors_from"),
                "a rate is for exactly `sponsors` or for `sponsors_from` that many on: leave one of the two out",
            );
        }
        if rate.sponsors == Some(0) || rate.sponsors_from == Some(0) {
            findings.at(&place, "an activity has at least one sponsor: write 1 or more");
        }
        if let Some(earlier) = share.rate[..index].iter().position(|earlier| earlier.covers(rate)) {
            let line = findings.line(&format!("share.rate.{earlier}.share"));
            findings.at(
                format!("{place}.share"),
                format!("this rate never counts, because the rate of line {line} fits first: move it above that one"),
            );
        }
    }
}

pub(super) fn known_activity(policy: &Policy, code: &str, place: &str, findings: &mut Findings) {
    if policy.activity_type(code).is_none() {
        let known: Vec<&str> = policy.activity.iter().map(|kind| kind.code.as_str()).collect();
        findings.at(
            place,
            format!("the guide has no activity “{code}”: write one of {}, or add an [[activity]]", known.join(", ")),
        );
    }
}

fn one_cap(policy: &Policy, cap: &Cap, place: &str, findings: &mut Findings) {
    match (cap.most, cap.per, cap.share, cap.of) {
        (Some(most), Some(_), None, None) => findings.amount(format!("{place}.most"), most, policy.guide.currency),
        (None, None, Some(share), Some(_)) => findings.share(format!("{place}.share"), share),
        _ => findings.at(
            format!("{place}.name"),
            format!(
                "the cap “{}” is neither an amount nor a share: write `most` and `per`, or `share` and `of`",
                cap.name
            ),
        ),
    }
    if let Some(code) = &cap.activity {
        known_activity(policy, code, &format!("{place}.activity"), findings);
    }
    if let Some(code) = &cap.category
        && policy.category(code).is_none()
    {
        let known: Vec<&str> = policy.costs.eligible.iter().map(|category| category.code.as_str()).collect();
        findings.at(
            format!("{place}.category"),
            format!("the guide has no cost category “{code}”: write one of {}", known.join(", ")),
        );
    }
}

fn mixes(policy: &Policy, findings: &mut Findings) {
    for (index, mix) in policy.mix.iter().enumerate() {
        let place = format!("mix.{index}");
        if mix.most < Decimal::ZERO || mix.most > Decimal::ONE {
            findings.at(
                format!("{place}.most"),
                format!("“{}” may take at most 1, which is all, not {}: write \"0.25\" for 25 %", mix.name, mix.most),
            );
        }
        if mix.activities.is_empty() {
            findings.at(format!("{place}.activities"), format!("the mix “{}” names no activity", mix.name));
        }
        for code in &mix.activities {
            known_activity(policy, code, &format!("{place}.activities"), findings);
        }
    }
    // Where every activity has a limit, the limits must leave room for the whole.
    let limited = |code: &str| policy.mix.iter().any(|mix| mix.activities.iter().any(|named| named == code));
    let room: Decimal = policy.mix.iter().map(|mix| mix.most).sum();
    if !policy.mix.is_empty() && room < Decimal::ONE && policy.activity.iter().all(|kind| limited(&kind.code)) {
        findings.at(
            "mix.0.most",
            format!(
                "the mixes name every activity and add up to {}: no request could pass, so raise them to 1 or more",
                room.normalize()
            ),
        );
    }
}

fn seasons(policy: &Policy, findings: &mut Findings) {
    for (index, season) in policy.season.iter().enumerate() {
        let place = format!("season.{index}");
        for code in &season.activities {
            known_activity(policy, code, &format!("{place}.activities"), findings);
        }
        if season.activities.is_empty() {
            findings.at(format!("{place}.activities"), format!("the season “{}” names no activity", season.name));
        }
        match (season.from, season.to) {
            (SeasonDay::Once(from), SeasonDay::Once(to)) if from > to => findings.at(
                format!("{place}.to"),
                format!("the season “{}” ends before it begins: swap `from` and `to`", season.name),
            ),
            (SeasonDay::Once(_), SeasonDay::Yearly { .. }) | (SeasonDay::Yearly { .. }, SeasonDay::Once(_)) => findings
                .at(
                    format!("{place}.to"),
                    "a season runs every year (\"10-01\") or once (\"2026-10-01\"): write both days alike",
                ),
            _ => {}
        }
    }
}
