//! Shares, limits and credit in words.

use super::{capital, numbers};
use crate::calendar::words;
use crate::policy::{Below, Cap, Per, Policy, Rate, Whole, percent};

/// The special rates first, as they are applied, then the rest.
pub(super) fn shares(policy: &Policy) -> Vec<String> {
    let special =
        policy.share.rate.iter().map(|rate| format!("{}: {}.", conditions(policy, rate), percent(rate.share)));
    let rest = if policy.share.rate.is_empty() { "Every activity" } else { "Everything else" };
    special.chain([format!("{rest}: {}.", percent(policy.share.default))]).collect()
}

/// "Webinar, gold partners, starting from 1 October 2026 to 31 October 2026".
fn conditions(policy: &Policy, rate: &Rate) -> String {
    let kind = rate.activity.as_deref().map(|code| policy.activity_name(code).to_owned());
    let tier = rate.tier.as_ref().map(|tier| format!("{tier} partners"));
    let sponsors = match (rate.sponsors, rate.sponsors_from) {
        (Some(1), _) => Some("no other sponsor".to_owned()),
        (Some(exactly), _) => Some(format!("{exactly} sponsors")),
        (None, Some(least)) => Some(format!("{least} or more sponsors")),
        (None, None) => None,
    };
    let days = match (rate.from, rate.to) {
        (Some(from), Some(to)) => Some(format!("starting from {} to {}", words(from), words(to))),
        (Some(from), None) => Some(format!("starting from {}", words(from))),
        (None, Some(to)) => Some(format!("starting until {}", words(to))),
        (None, None) => None,
    };
    let parts: Vec<String> = [kind, tier, sponsors, days].into_iter().flatten().collect();
    if parts.is_empty() { "Everything".to_owned() } else { capital(&parts.join(", ")) }
}

pub(super) fn limits(policy: &Policy) -> Vec<String> {
    let caps = policy.cap.iter().map(|cap| one_cap(policy, cap));
    let mixes = policy.mix.iter().map(|mix| {
        let names: Vec<&str> = mix.activities.iter().map(|code| policy.activity_name(code)).collect();
        let (name, names, most, period) = (&mix.name, names.join(", "), percent(mix.most), policy.period().words());
        format!("{name} ({names}): at most {most} of what you ask and were granted in the {period}.")
    });
    let seasons = policy.season.iter().map(|season| {
        let names: Vec<&str> = season.activities.iter().map(|code| policy.activity_name(code)).collect();
        format!("{}: only from {} to {} ({}).", names.join(", "), season.from.words(), season.to.words(), season.name)
    });
    caps.chain(mixes).chain(seasons).collect()
}

fn one_cap(policy: &Policy, cap: &Cap) -> String {
    let limit = match (cap.most, cap.per, cap.share, cap.of) {
        (Some(most), Some(per), ..) => {
            let each = match per {
                Per::Head => "a head",
                Per::Unit => "a piece",
                Per::Line => "a cost line",
                Per::Activity => "an activity",
                Per::Request => "a request",
            };
            format!("{} {each}", policy.amount(most))
        }
        (_, _, share, of) => {
            let whole = if of == Some(Whole::Accrual) {
                format!("what you earned in the {}", policy.period().words())
            } else {
                "the cost of your request".to_owned()
            };
            format!("{} of {whole}", percent(share.unwrap_or_default()))
        }
    };
    format!("{}: at most {limit} counts; the rest is yours.", cap.name)
}

pub(super) fn never(policy: &Policy) -> Vec<String> {
    let excluded = policy.costs.excluded.iter().map(|excluded| match excluded.why.trim() {
        "" => excluded.name.clone(),
        why => format!("{} ({})", excluded.name, why.trim_end_matches('.')),
    });
    policy.costs.never.iter().cloned().chain(excluded).collect()
}

pub(super) fn earning(policy: &Policy) -> Vec<String> {
    let Some(earning) = &policy.earning else { return Vec::new() };
    let rate = |rate: Option<rust_decimal::Decimal>, each: Option<rust_decimal::Decimal>| match (rate, each) {
        (Some(rate), _) => Some(format!("{} of your purchases", percent(rate))),
        (None, Some(each)) => Some(format!("{each} {} for each unit", policy.guide.currency)),
        (None, None) => None,
    };
    let mut lines: Vec<String> = Vec::new();
    for accrual in &earning.accrual {
        let tier = accrual.tier.as_ref().map(|tier| format!("{tier} partners"));
        let who: Vec<String> = tier.into_iter().chain(accrual.product.clone()).collect();
        if let Some(rate) = rate(accrual.rate, accrual.per_unit) {
            lines.push(format!("{}: {rate}.", capital(&who.join(", "))));
        }
    }
    lines.extend(rate(earning.rate, earning.per_unit).map(|rate| format!("You earn {rate}.")));
    match (earning.from, earning.to) {
        (Some(from), Some(to)) => lines.push(format!("Purchases count from {} to {}.", words(from), words(to))),
        (Some(from), None) => lines.push(format!("Purchases count from {}.", words(from))),
        (None, Some(to)) => lines.push(format!("Purchases count until {}.", words(to))),
        (None, None) => {}
    }
    if !earning.split.is_empty() {
        let parts: Vec<String> =
            earning.split.iter().map(|part| format!("{} to {}", percent(part.share), part.fund)).collect();
        lines.push(format!("What you earn is split: {}.", parts.join(", ")));
    }
    if let Some(least) = earning.threshold {
        let below = match earning.below {
            Some(Below::Convert) => "is paid as a rebate instead",
            Some(Below::Forfeit) => "is lost",
            _ => "waits for the next period",
        };
        lines.push(format!("Less than {} in a period {below}.", policy.amount(least)));
    }
    lines
}

pub(super) fn using(policy: &Policy) -> Vec<String> {
    let Some(rules) = &policy.credit else { return Vec::new() };
    let period = rules.period.words();
    let until = match (rules.last_day, rules.days_after_period, rules.days) {
        (Some(day), ..) => format!("Credit is used until {}.", words(day)),
        (None, Some(count), _) => {
            format!("Credit is used within {} after the {period} it was earned in.", super::days(count))
        }
        (None, None, Some(count)) => format!("Credit is used within {} of the day it came.", super::days(count)),
        (None, None, None) => return Vec::new(),
    };
    let rest = if rules.carry_over.is_zero() {
        "What is unused then is forfeited.".to_owned()
    } else if rules.carry_over == rust_decimal::Decimal::ONE {
        "What is unused then goes on into the next period.".to_owned()
    } else {
        format!(
            "Of what is unused then, {} goes on into the next period; the rest is forfeited.",
            percent(rules.carry_over)
        )
    };
    let mut lines = vec![until, rest, "Spending takes the credit that expires first.".to_owned()];
    if !rules.reminders.is_empty() {
        lines.push(format!("You are told {} days before credit expires.", numbers(&rules.reminders)));
    }
    lines.push(format!("Forfeited credit comes back only when {} people of the vendor agree.", rules.reinstated_by));
    lines
}

pub(super) fn exchange(policy: &Policy) -> Vec<String> {
    let own = policy.guide.currency;
    let pays = policy.exchange.iter().map(|rules| {
        let when = rules.rate_date.words();
        format!("The program is kept in {own}; a fund in another currency pays at the rate of the {when}.")
    });
    let others: Vec<&str> = policy.currencies().iter().skip(1).map(|currency| currency.code()).collect();
    let asked = (!others.is_empty()).then(|| {
        let others = others.join(" or ");
        format!("You may plan, ask and claim in {others} as well; this guide's amounts then count at the rate of the day you start.")
    });
    pays.chain(asked).collect()
}
