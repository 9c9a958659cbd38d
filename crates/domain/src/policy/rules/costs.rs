//! Which cost counts: eligible categories, and caps on what they cover.

use crate::money::Money;
use crate::policy::{Cap, Per, Policy, Verdict, Whole, percent};
use rust_decimal::Decimal;

/// One cost line, planned or spent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Costed {
    /// Which activity it belongs to; caps per activity add up the lines of one number.
    pub activity: u16,
    pub kind: Option<String>,
    pub category: Option<String>,
    /// What people call it.
    pub name: String,
    pub cost: Money,
    /// What counts of it already, where that was decided before: what stands approved is not cut again.
    pub counts: Option<Money>,
    /// How many people the activity is for.
    pub heads: Option<u32>,
    /// How many pieces the line is for.
    pub units: Option<u32>,
}

/// What counts of each line, and what the rules `eligible_cost` and `cap` say of them.
pub fn counted(policy: &Policy, lines: &[Costed], accrual: Option<Money>) -> (Vec<Money>, Vec<Verdict>) {
    let mut verdicts = Vec::new();
    let mut counts: Vec<Money> = lines.iter().map(|line| eligible(policy, line, &mut verdicts)).collect();
    if verdicts.is_empty() {
        verdicts.push(all_eligible(lines));
    }
    if policy.cap.is_empty() {
        verdicts.push(Verdict::not_applicable("cap", "The guide caps no cost."));
    }
    for cap in &policy.cap {
        let covered: Vec<usize> = (0..lines.len())
            .filter(|at| cap.covers(lines[*at].kind.as_deref(), lines[*at].category.as_deref()))
            .collect();
        if covered.is_empty() {
            verdicts.push(
                Verdict::not_applicable("cap", format!("The cap “{}” covers no line.", cap.name)).about(&cap.name),
            );
        } else if cap.is_shared() {
            together(policy, cap, lines, &covered, accrual, &mut counts, &mut verdicts);
        } else {
            for at in covered {
                verdicts.push(alone(policy, cap, &lines[at], &mut counts[at]));
            }
        }
    }
    (counts, verdicts)
}

fn all_eligible(lines: &[Costed]) -> Verdict {
    let rule = "eligible_cost";
    let mut categories: Vec<String> = lines.iter().filter_map(|line| line.category.clone()).collect();
    if categories.is_empty() {
        return Verdict::not_applicable(rule, "No cost line names its category.");
    }
    categories.dedup();
    Verdict::pass(rule, "Every cost line is of a category the program pays.").with("categories", categories)
}

/// The line's cost where its category is eligible; nothing where it is not.
fn eligible(policy: &Policy, line: &Costed, verdicts: &mut Vec<Verdict>) -> Money {
    let counts = line.counts.unwrap_or(line.cost);
    let Some(category) = &line.category else { return counts };
    if policy.category(category).is_some() {
        return counts;
    }
    let known: Vec<String> = policy.costs.eligible.iter().map(|category| category.name.clone()).collect();
    let (sentence, remedy) = match policy.costs.never(category) {
        Some(why) => (
            format!("“{}” is never eligible: {why}.", line.name),
            "Take it out of the request and bear it yourself.".to_owned(),
        ),
        None => (
            format!("“{}” is of a category the program does not pay: {category}.", line.name),
            format!("Leave it out, or name an eligible category: {}.", super::listed(&known)),
        ),
    };
    verdicts.push(
        Verdict::fail("eligible_cost", sentence, remedy)
            .about(&line.name)
            .with("category", category.as_str())
            .with("cost", line.cost)
            .with("eligible", Money::zero(line.cost.currency)),
    );
    Money::zero(line.cost.currency)
}

/// A cap on each line by itself: per head, per unit, per line.
fn alone(policy: &Policy, cap: &Cap, line: &Costed, counts: &mut Money) -> Verdict {
    let each = policy.amount(cap.most.unwrap_or_default());
    let (number, of_what) = match cap.per {
        Some(Per::Head) => (line.heads, "a head"),
        Some(Per::Unit) => (line.units, "a piece"),
        _ => (Some(1), "a line"),
    };
    let Some(number) = number else {
        let what = if cap.per == Some(Per::Head) { "how many people it is for" } else { "how many pieces it is for" };
        let sentence = format!("“{}” has a cap of {each} {of_what}, and nothing says {what}.", line.name);
        return Verdict::not_applicable("cap", sentence).about(&line.name);
    };
    let limit = Money::new(each.minor.saturating_mul(i64::from(number)), each.currency);
    let how = match cap.per {
        Some(Per::Line) => format!("{each} a line"),
        _ => format!("{each} {of_what}, which is {limit} for {number}"),
    };
    let verdict = cut(cap, &line.name, line.cost, &how, limit, counts).with("each", each);
    match cap.per {
        Some(Per::Head) => verdict.with("heads", number),
        Some(Per::Unit) => verdict.with("units", number),
        _ => verdict,
    }
}

/// Cuts a line to a limit, with the reason.
fn cut(cap: &Cap, name: &str, cost: Money, how: &str, limit: Money, counts: &mut Money) -> Verdict {
    let before = *counts;
    *counts = Money::new(before.minor.min(limit.minor), before.currency);
    let lost = Money::new(before.minor - counts.minor, before.currency);
    let verdict = if lost.is_positive() {
        let sentence = format!(
            "“{name}” is cut from {before} to {counts}: for “{}” the program counts at most {how}. You bear the other {lost}.",
            cap.name
        );
        Verdict::warn("cap", sentence)
    } else {
        Verdict::pass("cap", format!("“{name}” stays inside the cap for “{}”: {how}.", cap.name))
    };
    verdict.about(name).with("cost", cost).with("limit", limit).with("eligible", *counts).with("cut", lost)
}

/// A cap several lines share: the earlier lines are counted first.
fn together(
    policy: &Policy,
    cap: &Cap,
    lines: &[Costed],
    covered: &[usize],
    accrual: Option<Money>,
    counts: &mut [Money],
    verdicts: &mut Vec<Verdict>,
) {
    let mut activities: Vec<u16> = covered.iter().map(|at| lines[*at].activity).collect();
    activities.dedup();
    let groups: Vec<Vec<usize>> = if cap.per == Some(Per::Activity) {
        let of = |no: &u16| covered.iter().copied().filter(|at| lines[*at].activity == *no).collect();
        activities.iter().map(of).collect()
    } else {
        vec![covered.to_vec()]
    };
    let Some((limit, how)) = shared_limit(policy, cap, lines, accrual) else {
        let sentence = format!("The cap “{}” is a share of the accrual, which is not known.", cap.name);
        verdicts.push(Verdict::not_applicable("cap", sentence).about(&cap.name));
        return;
    };
    for group in groups {
        let mut left = limit.minor;
        let cost: i64 = group.iter().map(|at| counts[*at].minor).sum();
        for at in &group {
            let counted = counts[*at].minor.min(left);
            left -= counted;
            counts[*at].minor = counted;
        }
        let eligible = Money::new(limit.minor - left, limit.currency);
        let (cost, lost) = (Money::new(cost, limit.currency), Money::new(cost - eligible.minor, limit.currency));
        let verdict = if lost.is_positive() {
            let sentence = format!(
                "“{}” is cut from {cost} to {eligible}: the program counts at most {how}. You bear the other {lost}.",
                cap.name
            );
            Verdict::warn("cap", sentence)
        } else {
            Verdict::pass("cap", format!("“{}” takes {cost}, inside the cap of {how}.", cap.name))
        };
        let figures = [("cost", cost), ("limit", limit), ("eligible", eligible), ("cut", lost)];
        let verdict = figures.into_iter().fold(verdict, |verdict, (name, amount)| verdict.with(name, amount));
        verdicts.push(verdict.about(&cap.name));
    }
}

fn shared_limit(policy: &Policy, cap: &Cap, lines: &[Costed], accrual: Option<Money>) -> Option<(Money, String)> {
    if let Some(share) = cap.share {
        let (whole, of) = if cap.of == Some(Whole::Accrual) {
            let earned = accrual?;
            if !earned.is_positive() {
                let what = format!(
                    "{} of the accrual, and nothing was earned in this {}",
                    percent(share),
                    policy.period().words()
                );
                return Some((Money::zero(earned.currency), what));
            }
            (earned, "the accrual")
        } else {
            let total: i64 = lines.iter().map(|line| line.cost.minor).sum();
            (Money::new(total, policy.guide.currency), "the request's cost")
        };
        let limit = whole.share(share).ok()?;
        return Some((limit, format!("{} of {of}, which is {limit}", percent(share))));
    }
    let limit = policy.amount(cap.most.unwrap_or(Decimal::ZERO));
    let of = if cap.per == Some(Per::Activity) { "an activity" } else { "a request" };
    Some((limit, format!("{limit} {of}")))
}
