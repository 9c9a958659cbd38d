//! The rules of a claim: until when, how often, how little, and what it pays.
//!
//! A claim pays `min(approved, share x actual eligible cost)`: what was spent over the plan is the partner's, what was
//! not spent is released with the final claim.

use super::costs::{Costed, counted};
use super::{days, listed};
use crate::Date;
use crate::calendar::{plus, words};
use crate::money::{Currency, Money};
use crate::policy::share::Shared;
use crate::policy::windows::Claimable;
use crate::policy::{Extendable, Policy, Verdict, percent};
use rust_decimal::Decimal;

/// A claim, as far as its amount goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    pub name: String,
    pub currency: Currency,
    pub tier: Option<String>,
    pub accrual: Option<Money>,
    pub is_final: bool,
    pub activities: Vec<ClaimedActivity>,
}

/// What was spent on one activity.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimedActivity {
    pub no: u16,
    pub name: String,
    pub kind: Option<String>,
    pub starts: Option<Date>,
    pub sponsors: Option<u16>,
    pub heads: Option<u32>,
    /// Approved for it and not taken by an earlier claim, in minor units; `None` where the case does not say.
    pub left: Option<i64>,
    pub lines: Vec<ClaimedLine>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimedLine {
    pub name: String,
    pub category: Option<String>,
    pub actual: Money,
    pub units: Option<u32>,
}

/// What the program pays of one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Priced {
    /// What counts of the actual cost.
    pub eligible: Money,
    /// Share x eligible, rounded down to the minor unit.
    pub share: Money,
    /// The share, as far as what was approved for its activity reaches.
    pub pays: Money,
}

/// Every line's price, in the order of activities and lines.
pub fn payable(policy: &Policy, claim: &Claimed) -> Vec<Priced> {
    priced(policy, claim).0
}

fn priced(policy: &Policy, claim: &Claimed) -> (Vec<Priced>, Vec<Verdict>) {
    let costs: Vec<Costed> = claim.activities.iter().flat_map(costs).collect();
    let (counts, verdicts) = counted(policy, &costs, claim.accrual);
    let mut counts = counts.into_iter();
    let mut priced = Vec::with_capacity(costs.len());
    for activity in &claim.activities {
        let share = share_of(policy, claim, activity);
        let mut left = activity.left.map_or(i64::MAX, |left| left.max(0));
        for eligible in counts.by_ref().take(activity.lines.len()) {
            let share = eligible.share(share).unwrap_or(Money::zero(eligible.currency));
            let pays = share.minor.clamp(0, left);
            left -= pays;
            priced.push(Priced { eligible, share, pays: Money::new(pays, eligible.currency) });
        }
    }
    (priced, verdicts)
}

fn share_of(policy: &Policy, claim: &Claimed, activity: &ClaimedActivity) -> Decimal {
    policy.share_for(Shared {
        tier: claim.tier.as_deref(),
        activity: activity.kind.as_deref(),
        starts: activity.starts,
        sponsors: activity.sponsors,
    })
}

fn costs(activity: &ClaimedActivity) -> Vec<Costed> {
    let line = |line: &ClaimedLine| Costed {
        activity: activity.no,
        kind: activity.kind.clone(),
        category: line.category.clone(),
        name: line.name.clone(),
        cost: line.actual,
        counts: None,
        heads: activity.heads,
        units: line.units,
    };
    activity.lines.iter().map(line).collect()
}

/// What the claim pays, with what counts, what is released and what stays with the partner; the rules `cap` and
/// `eligible_cost` speak of the actual cost.
pub fn pays(policy: &Policy, claim: &Claimed) -> (Money, Vec<Verdict>) {
    let rule = "claim_amount";
    let (priced, mut verdicts) = priced(policy, claim);
    let sum = |of: fn(&Priced) -> Money| Money::new(priced.iter().map(|line| of(line).minor).sum(), claim.currency);
    let actual: i64 = claim.activities.iter().flat_map(|activity| &activity.lines).map(|line| line.actual.minor).sum();
    let actual = Money::new(actual, claim.currency);
    let (eligible, share, pays) = (sum(|line| line.eligible), sum(|line| line.share), sum(|line| line.pays));
    let left: Option<i64> = claim.activities.iter().map(|activity| activity.left).sum();
    let left = left.map(|minor| Money::new(minor.max(0), claim.currency));
    let rest = left.map(|left| Money::new(left.minor - pays.minor, claim.currency));
    let released = rest.filter(|_| claim.is_final).unwrap_or(Money::zero(claim.currency));
    let mut shares: Vec<String> =
        claim.activities.iter().map(|activity| percent(share_of(policy, claim, activity))).collect();
    shares.dedup();
    let shares = listed(&shares);
    let over = Money::new(share.minor - pays.minor, claim.currency);
    let goes_back = if released.is_positive() { format!(" {released} goes back to the fund.") } else { String::new() };
    let verdict = match left {
        Some(left) if !pays.is_positive() && !left.is_positive() => Verdict::fail(
            rule,
            format!("“{}” has {left} left to claim.", claim.name),
            "There is nothing to pay out on it.",
        ),
        _ if !pays.is_positive() => Verdict::fail(
            rule,
            format!("Nothing of the {actual} spent is eligible."),
            "Claim cost of the categories the program pays.",
        ),
        Some(left) if over.is_positive() => Verdict::warn(
            rule,
            format!(
                "{shares} of {eligible} would be {share}; {left} is approved and not yet claimed, so the claim pays \
                 {pays}. What was spent over the approval is yours.{goes_back}"
            ),
        ),
        _ => Verdict::pass(rule, format!("The claim pays {pays}: {shares} of {eligible} really spent.{goes_back}")),
    };
    let figures = [("actual", actual), ("eligible", eligible), ("share_of_actual", share), ("pays", pays)];
    let verdict = figures.into_iter().fold(verdict, |verdict, (name, amount)| verdict.with(name, amount));
    let verdict = verdict.with_some("approved_left", left).with("over", over).with("releases", released);
    verdicts.push(verdict.about(&claim.name).with_some("left_after", rest.filter(|_| !claim.is_final)));
    (pays, verdicts)
}

/// When a claim is made, and until when it may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    pub name: String,
    pub ends: Date,
    pub period_ends: Option<Date>,
    /// No claim of the partner has been paid; `None` where the case does not say.
    pub first: Option<bool>,
    pub extended: u16,
    pub claimed_on: Option<Date>,
}

impl Window {
    pub fn last_day(&self, policy: &Policy) -> Date {
        policy.claim_due(Claimable {
            ends: self.ends,
            period_ends: self.period_ends,
            first: self.first.unwrap_or(false),
            extended: self.extended,
        })
    }
}

/// A claim comes by the last day.
pub fn window(policy: &Policy, of: &Window) -> Verdict {
    let rule = "claim_window";
    let (last, name) = (of.last_day(policy), &of.name);
    let more = if of.extended > 0 { format!(", {} of extension included", days(of.extended)) } else { String::new() };
    let verdict = match of.claimed_on {
        Some(day) if day > last => Verdict::fail(
            rule,
            format!("The last day to claim on “{name}” was {}{more}.", words(last)),
            too_late(policy, of, day),
        ),
        Some(day) => Verdict::pass(
            rule,
            format!("The last day to claim on “{name}” is {}{more}; it is claimed {}.", words(last), words(day)),
        ),
        None => Verdict::pass(rule, format!("The last day to claim on “{name}” is {}{more}.", words(last))),
    };
    verdict
        .about(name)
        .with("ends", of.ends)
        .with("last_day", last)
        .with_some("claimed_on", of.claimed_on)
        .with_some("first_claim", of.first)
}

/// What still helps who comes after the last day, or why nothing does.
fn too_late(policy: &Policy, of: &Window, day: Date) -> String {
    let last = of.last_day(policy);
    let extension = policy.extension.as_ref().filter(|rules| rules.windows.contains(&Extendable::Claim));
    match extension.filter(|_| of.extended == 0) {
        Some(rules) if day <= rules.ask_by(last) => {
            format!("Ask for more time by {}, {} at most.", words(rules.ask_by(last)), days(rules.days))
        }
        Some(rules) => format!(
            "More time had to be asked for by {}: what was not claimed goes back to its fund.",
            words(rules.ask_by(last))
        ),
        None => "The program gives no more time: what was not claimed by then goes back to its fund.".to_owned(),
    }
}

pub fn window_reminders(policy: &Policy, of: &Window) -> Verdict {
    let rule = "claim_reminders";
    let dates = policy.claim_reminders(of.ends, of.last_day(policy));
    if dates.is_empty() {
        return Verdict::not_applicable(rule, "The guide sends no reminders of claims.");
    }
    let said: Vec<String> = dates.iter().map(|day| words(*day)).collect();
    Verdict::pass(rule, format!("The partner is reminded to claim on “{}” on {}.", of.name, listed(&said)))
        .about(&of.name)
        .with("reminders", dates)
}

/// A wish for more time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MoreTime {
    pub window: Extendable,
    /// The window's last day as it stands.
    pub last: Date,
    pub asked_on: Option<Date>,
    /// Calendar days.
    pub wanted: u16,
    /// Which extension of its campaign it would be, counted from 1.
    pub number: u16,
}

/// More time to prove or to claim: of a window that can be extended, asked for in time, not too long, not too often.
pub fn extension(policy: &Policy, of: MoreTime) -> Verdict {
    let rule = "extension";
    let in_time = match of.window {
        Extendable::Proof => "Hand in the proof by its day.",
        Extendable::Claim => "Claim by the last day.",
    };
    let Some(rules) = &policy.extension else {
        return Verdict::fail(rule, "The program gives no extensions.", in_time).with("last_day", of.last);
    };
    let ask_by = rules.ask_by(of.last);
    let until = plus(of.last, of.wanted);
    let verdict = if !rules.windows.contains(&of.window) {
        Verdict::fail(rule, format!("The program gives no more time {}.", of.window.purpose()), in_time)
    } else if of.number > rules.times {
        Verdict::fail(
            rule,
            format!("This would be extension number {}; the program gives {}.", of.number, rules.times),
            in_time,
        )
    } else if of.wanted == 0 {
        Verdict::fail(rule, "No days are asked for.", format!("Ask for 1 to {}.", days(rules.days)))
    } else if of.wanted > rules.days {
        Verdict::fail(
            rule,
            format!("{} are asked for; an extension adds at most {}.", days(of.wanted), days(rules.days)),
            format!("Ask for {} or less.", days(rules.days)),
        )
    } else if of.asked_on.is_some_and(|day| day > ask_by) {
        Verdict::fail(
            rule,
            format!("An extension is asked for by {}.", words(ask_by)),
            "Talk to your channel manager; the program has no later way.",
        )
    } else {
        let day = match of.window {
            Extendable::Proof => "the day proof is due",
            Extendable::Claim => "the last day to claim",
        };
        let sentence = format!("{} more: {day} becomes {}.", days(of.wanted), words(until));
        Verdict::pass(rule, sentence).with("extended_to", until)
    };
    verdict.with("last_day", of.last).with("ask_by", ask_by).with("days", of.wanted)
}

/// The claim is large enough, or the last one.
pub fn minimum_claim(policy: &Policy, pays: Money, is_final: bool) -> Verdict {
    let rule = "minimum_claim";
    let least = policy.amount(policy.claim.minimum);
    let verdict = if pays.minor >= least.minor {
        Verdict::pass(rule, format!("The claim comes to {pays}; the minimum is {least}."))
    } else if is_final {
        Verdict::pass(rule, format!("The claim comes to {pays}, under the minimum of {least}, and is the final one."))
    } else {
        Verdict::fail(
            rule,
            format!("The claim comes to {pays}, less than the program's minimum of {least}."),
            "Claim more at once, or mark this claim as the final one.",
        )
    };
    verdict.with("claimed", pays).with("minimum", least).with("final", is_final)
}

/// The program's number of claims is not used up; `earlier` counts those that were not denied.
pub fn most_claims(name: &str, most: Option<u16>, earlier: usize) -> Verdict {
    let rule = "most_claims";
    let Some(most) = most else {
        return Verdict::not_applicable(rule, "The guide does not limit the number of claims.").about(name);
    };
    let verdict = if earlier >= usize::from(most) {
        Verdict::fail(
            rule,
            format!(
                "“{name}” has {earlier} claim{}, the most the program allows.",
                if earlier == 1 { "" } else { "s" }
            ),
            "There is no further claim on it.",
        )
    } else {
        Verdict::pass(rule, format!("This is claim {} on “{name}”; the program allows {most}.", earlier + 1))
    };
    verdict.about(name).with("earlier", earlier).with("most", most)
}

/// The final claim was not made yet.
pub fn final_claim(name: &str, made: bool) -> Verdict {
    if made {
        let sentence = format!("The final claim on “{name}” was made.");
        return Verdict::fail("final_claim", sentence, "There is no further claim on it.").about(name);
    }
    Verdict::pass("final_claim", format!("No final claim on “{name}” was made before.")).about(name)
}

/// What is claimed has been proven.
pub fn proven(name: &str, proven: bool) -> Verdict {
    if proven {
        return Verdict::pass("proven", format!("“{name}” is proven.")).about(name);
    }
    Verdict::fail("proven", format!("“{name}” is not proven yet."), "Hand in its proof and have it accepted first.")
        .about(name)
}

/// A row of a claim carries its invoice.
pub fn invoice(what: &str, there: bool) -> Verdict {
    let verdict = if there {
        Verdict::pass("invoice", format!("{what} has its invoice."))
    } else {
        Verdict::fail("invoice", format!("{what} has no invoice."), "Add the supplier's invoice.")
    };
    verdict.about(what)
}
