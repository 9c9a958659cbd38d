//! The rules of approval: who decides an amount, whether everybody has, which changes are decided again.

use super::listed;
use crate::Date;
use crate::calendar::{plus, words};
use crate::money::Money;
use crate::policy::{Band, Material, Policy, Verdict};

/// One level's decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approved {
    pub level: u8,
    pub by: String,
}

/// Who decides an amount; `away` names those who are not there.
pub fn bands(
    policy: &Policy,
    amount: Money,
    country: Option<&str>,
    asked_on: Option<Date>,
    away: &[String],
) -> Verdict {
    let rule = "approval_bands";
    let all = policy.bands_for(country, amount.currency);
    if let Some(failed) = amount_has_approvers(policy, amount, country) {
        return failed;
    }
    let levels: Vec<&Band> = all.into_iter().filter(|band| band.from <= amount.decimal()).collect();
    let mut names = Vec::with_capacity(levels.len());
    for band in &levels {
        match decider(policy, band, away) {
            Some(name) => names.push(name),
            None => {
                return Verdict::fail(
                    rule,
                    format!(
                        "{} of level {} is away, and the guide names nobody in their place.",
                        band.name, band.level
                    ),
                    "Name a stand-in for the level, or a default approver, in the guide.",
                )
                .with("amount", amount);
            }
        }
    }
    let mut due = Vec::new();
    let mut day = asked_on;
    for band in &levels {
        day = day.map(|day| plus(day, band.sla_days));
        due.extend(day);
    }
    let by = due.last().map_or_else(String::new, |day| format!(", by {} at the latest", words(*day)));
    let verdict = Verdict::pass(rule, format!("{amount} is decided by {}{by}.", listed(&names)))
        .with("amount", amount)
        .with("levels", levels.len())
        .with("approvers", names)
        .with("sla_days", levels.iter().map(|band| band.sla_days).sum::<u16>());
    if due.is_empty() { verdict } else { verdict.with("due", due) }
}

/// The verdict that fails where an amount has no approver.
pub fn amount_has_approvers(policy: &Policy, amount: Money, country: Option<&str>) -> Option<Verdict> {
    let rule = "approval_bands";
    let all = policy.bands_for(country, amount.currency);
    let Some(last) = all.last() else {
        return Some(Verdict::fail(
            rule,
            format!("The guide has no approval bands for amounts in {}.", amount.currency),
            "Ask in the program's currency, or add bands in that one to the guide.",
        ));
    };
    let most = last.to.map(|to| Money::from_decimal(to, amount.currency).unwrap_or(amount))?;
    (amount.minor > most.minor).then(|| {
        Verdict::fail(
            rule,
            format!("{amount} has no approver: the program approves at most {most} at once."),
            format!("Ask for {most} or less."),
        )
        .with("amount", amount)
        .with("most", most)
    })
}

fn decider(policy: &Policy, band: &Band, away: &[String]) -> Option<String> {
    if !away.contains(&band.name) {
        return Some(band.name.clone());
    }
    let stand_in = band.stand_in.clone().filter(|name| !away.contains(name));
    stand_in.or_else(|| policy.default_approver.as_ref().map(|fallback| fallback.name.clone()))
}

/// Every level has decided, each by another person than the requester and the other levels.
pub fn approvals(
    policy: &Policy,
    amount: Money,
    country: Option<&str>,
    requested_by: Option<&str>,
    decisions: &[Approved],
) -> Verdict {
    let rule = "approvals";
    let levels: Vec<&Band> =
        policy.bands_for(country, amount.currency).into_iter().filter(|band| band.from <= amount.decimal()).collect();
    if let Some(own) = decisions.iter().find(|decision| requested_by == Some(decision.by.as_str())) {
        return Verdict::fail(
            rule,
            format!("{} asked for this money and cannot decide on it.", own.by),
            format!("Another approver of level {} decides.", own.level),
        );
    }
    let twice = |decision: &&Approved| decisions.iter().any(|d| d.by == decision.by && d.level != decision.level);
    if let Some(twice) = decisions.iter().find(twice) {
        return Verdict::fail(
            rule,
            format!("{} decided on more than one level.", twice.by),
            "Another person decides on each level.",
        );
    }
    let missing = levels.iter().find(|band| !decisions.iter().any(|decision| decision.level == band.level));
    let verdict = match missing {
        Some(band) => Verdict::fail(
            rule,
            format!("Level {} has not decided on {amount}: {}.", band.level, band.name),
            format!("{} decides.", band.name),
        ),
        None => Verdict::pass(rule, format!("Every level has decided on {amount}.")),
    };
    verdict.with("amount", amount).with("levels", levels.len()).with("decided", decisions.len())
}

/// Whether a change of an approved activity is approved again. Money asked for is money to approve, whatever the guide
/// calls material.
pub fn material_change(policy: &Policy, changed: &[Material]) -> Verdict {
    let rule = "material_change";
    let counts = |field: &&Material| **field == Material::HowMuch || policy.amendment.material.contains(*field);
    let material: Vec<String> = changed.iter().filter(counts).map(|field| field.thing().to_owned()).collect();
    let all: Vec<String> = changed.iter().map(|field| field.code().to_owned()).collect();
    let verdict = if changed.is_empty() {
        Verdict::not_applicable(rule, "Nothing is changed.")
    } else if material.is_empty() {
        let names: Vec<String> = changed.iter().map(|field| field.thing().to_owned()).collect();
        Verdict::pass(rule, format!("A change of {} needs no new approval.", listed(&names)))
    } else {
        Verdict::warn(rule, format!("A change of {} reopens approval; the money stays committed.", listed(&material)))
    };
    let codes: Vec<String> = changed.iter().filter(counts).map(|field| field.code().to_owned()).collect();
    verdict.with("changed", all).with("reopens", !codes.is_empty()).with("material", codes)
}
