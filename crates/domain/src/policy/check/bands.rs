//! Approval bands with gaps or overlaps: amounts nobody, or two levels at once, would decide.

use super::Findings;
use crate::money::Currency;
use crate::policy::{Band, Policy};
use rust_decimal::Decimal;

pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    if policy.approval.is_empty() {
        findings.at("guide", "the guide names no approval band: add an [[approval]] with `from = \"0\"`");
        return;
    }
    let usual = policy.guide.currency;
    let for_all = |band: &Band| band.countries.is_empty() && band.currency.is_none_or(|currency| currency == usual);
    if !policy.approval.iter().any(for_all) {
        findings.at(
            "approval.0.level",
            format!("partners of other countries have no approver: add bands in {usual} without `countries`"),
        );
    }
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for (index, band) in policy.approval.iter().enumerate() {
        let same = |set: &&mut Vec<usize>| policy.approval[set[0]].conditions() == band.conditions();
        match sets.iter_mut().find(same) {
            Some(set) => set.push(index),
            None => sets.push(vec![index]),
        }
    }
    countries_once(policy, &sets, findings);
    for set in &sets {
        one_set(policy, set, findings);
    }
    if let Some(fallback) = policy.default_approver.as_ref().filter(|fallback| fallback.level == 0) {
        findings.at("default_approver.level", format!("“{}” needs a level of its own, 1 or more", fallback.name));
    }
}

/// A country in two sets of one currency would have two answers.
fn countries_once(policy: &Policy, sets: &[Vec<usize>], findings: &mut Findings) {
    for (number, set) in sets.iter().enumerate() {
        let band = &policy.approval[set[0]];
        for earlier in &sets[..number] {
            let other = &policy.approval[earlier[0]];
            let shared = band.countries.iter().find(|country| other.countries.contains(country));
            if let Some(country) = shared.filter(|_| band.currency == other.currency) {
                let line = findings.line(&format!("approval.{}.level", earlier[0]));
                findings.at(
                    format!("approval.{}.countries", set[0]),
                    format!("{country} has approval bands here and on line {line}: name it in one of them"),
                );
            }
        }
    }
}

/// Levels 1, 2, ... from rising amounts, the first from zero, each right above the one before.
fn one_set(policy: &Policy, set: &[usize], findings: &mut Findings) {
    let currency = policy.approval[set[0]].currency.unwrap_or(policy.guide.currency);
    for (position, index) in set.iter().enumerate() {
        let band = &policy.approval[*index];
        let place = |field: &str| format!("approval.{index}.{field}");
        findings.amount(place("from"), band.from, currency);
        if usize::from(band.level) != position + 1 {
            findings.at(
                place("level"),
                format!(
                    "levels run 1, 2, 3; this band is number {} and says level {}: write {}",
                    position + 1,
                    band.level,
                    position + 1
                ),
            );
        }
        if let Some(to) = band.to {
            findings.amount(place("to"), to, currency);
            if to < band.from {
                findings.at(place("to"), format!("the band ends at {to}, before it starts at {}", band.from));
            }
        }
        match position.checked_sub(1).map(|before| &policy.approval[set[before]]) {
            None if band.from != Decimal::ZERO => findings.at(
                place("from"),
                format!("amounts below {} have no approver: the first band starts at \"0\"", band.from),
            ),
            None => {}
            Some(below) => meets(below, band, currency, &place("from"), findings),
        }
    }
}

fn meets(below: &Band, band: &Band, currency: Currency, place: &str, findings: &mut Findings) {
    let least = Decimal::new(1, currency.exponent());
    let Some(to) = below.to else {
        if band.from <= below.from {
            findings.at(
                place,
                format!(
                    "level {} starts at {}, not above level {}, which starts at {}",
                    band.level, band.from, below.level, below.from
                ),
            );
        }
        return;
    };
    let next = to + least;
    if band.from > next {
        let (gap, between) = (band.from - least, (to + band.from) / Decimal::TWO);
        let example = between.round_dp(currency.exponent()).clamp(next, gap);
        let gap = if gap == next { format!("{next} has") } else { format!("amounts from {next} to {gap} have") };
        findings.at(
            place,
            format!(
                "{gap} no approver, {example} for one: start level {} at \"{next}\", or leave `to` of level {} out",
                band.level, below.level
            ),
        );
    } else if band.from < next {
        findings.at(
            place,
            format!(
                "level {} starts at {} and level {} ends at {to}: they overlap, so start at \"{next}\"",
                band.level, band.from, below.level
            ),
        );
    }
}
