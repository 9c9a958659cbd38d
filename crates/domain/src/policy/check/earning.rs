//! Credit that could be earned and never used, splits that do not add up.

use super::Findings;
use crate::calendar::words;
use crate::policy::{Earning, Policy, UseRules};
use rust_decimal::Decimal;

pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    if let Some(earning) = &policy.earning {
        rates(earning, findings);
        split(earning, findings);
        threshold(policy, earning, findings);
        if earning.from.zip(earning.to).is_some_and(|(from, to)| from > to) {
            findings.at("earning.to", "the window to earn ends before it begins: swap `from` and `to`");
        }
    }
    if let Some(rules) = &policy.credit {
        uses(policy, rules, findings);
    }
    if policy.exchange.as_ref().is_some_and(|rules| !(1..=366).contains(&rules.max_age_days)) {
        findings.at("exchange.max_age_days", "a rate counts for 1 to 366 days: write 35 for monthly rates");
    }
}

fn rates(earning: &Earning, findings: &mut Findings) {
    one_rate(earning.rate, earning.per_unit, earning.accrual.is_empty(), "earning", findings);
    for (index, accrual) in earning.accrual.iter().enumerate() {
        let place = format!("earning.accrual.{index}");
        one_rate(accrual.rate, accrual.per_unit, true, &place, findings);
        if accrual.tier.is_none() && accrual.product.is_none() {
            findings.at(&place, "this accrual is for everybody: write it as the `rate` of [earning] itself");
        }
    }
}

fn one_rate(rate: Option<Decimal>, per_unit: Option<Decimal>, needed: bool, place: &str, findings: &mut Findings) {
    match (rate, per_unit) {
        (Some(_), Some(_)) => {
            findings.at(place, "credit is earned by `rate` or `per_unit`: leave one of the two out");
        }
        (Some(rate), None) => findings.share(format!("{place}.rate"), rate),
        (None, Some(amount)) if amount <= Decimal::ZERO => {
            findings.at(format!("{place}.per_unit"), "an amount per unit is above zero");
        }
        (None, None) if needed => findings.at(
            place,
            "the guide does not say how much is earned: write `rate = \"0.02\"` of purchases, or `per_unit`",
        ),
        _ => {}
    }
}

fn split(earning: &Earning, findings: &mut Findings) {
    for (index, part) in earning.split.iter().enumerate() {
        findings.share(format!("earning.split.{index}.share"), part.share);
    }
    let sum: Decimal = earning.split.iter().map(|part| part.share).sum();
    if !earning.split.is_empty() && sum != Decimal::ONE {
        findings.at(
            "earning.split",
            format!("the split adds up to {}, not to 100 %: change the shares", crate::policy::percent(sum)),
        );
    }
}

fn threshold(policy: &Policy, earning: &Earning, findings: &mut Findings) {
    match (earning.threshold, earning.below) {
        (Some(amount), Some(_)) => findings.amount("earning.threshold", amount, policy.guide.currency),
        (Some(_), None) => findings.at(
            "earning.threshold",
            "the guide does not say what happens under the threshold: add `below = \"convert\"`, \"forfeit\" or \"keep\"",
        ),
        (None, Some(_)) => findings.at("earning.below", "there is no `threshold` to be below: add it"),
        (None, None) => {}
    }
}

fn uses(policy: &Policy, rules: &UseRules, findings: &mut Findings) {
    let ways = [rules.days.is_some(), rules.days_after_period.is_some(), rules.last_day.is_some()];
    if ways.iter().filter(|way| **way).count() != 1 {
        findings.at(
            "use",
            "the guide says once until when credit is used: keep one of `days`, `days_after_period`, `last_day`",
        );
    }
    if rules.carry_over < Decimal::ZERO || rules.carry_over > Decimal::ONE {
        findings.at("use.carry_over", "what is carried over is a share from 0 to 1: write \"0.50\" for half");
    }
    if rules.reinstated_by < 2 {
        findings.at("use.reinstated_by", "forfeited credit comes back by two people or more: write 2");
    }
    if let Some(early) = rules.days.and_then(|days| rules.reminders.iter().find(|before| **before > days)) {
        findings
            .at("use.reminders", format!("the reminder {early} days before credit expires comes before it is earned"));
    }
    let Some(last) = rules.last_day else { return };
    if last < policy.guide.effective_from {
        findings.at(
            "use.last_day",
            format!("credit expires on {}, before the guide is in force: write a later day", words(last)),
        );
    }
    if let Some(to) = policy.earning.as_ref().and_then(|earning| earning.to).filter(|to| *to > last) {
        findings.at(
            "use.last_day",
            format!(
                "credit can be earned until {} and used only until {}: write a later day to use it",
                words(to),
                words(last)
            ),
        );
    }
}
