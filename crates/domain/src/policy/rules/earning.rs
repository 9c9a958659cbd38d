//! The rules of credit: earned, split, converted, spent in the order it expires, carried over, reinstated; and of the
//! tree of funds it lies in.

use super::listed;
use crate::Date;
use crate::calendar::words;
use crate::money::{Currency, Money};
use crate::policy::{Below, Earning, Policy, Verdict, percent};
use rust_decimal::Decimal;

/// What a partner bought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Purchase {
    pub on: Option<Date>,
    pub tier: Option<String>,
    pub product: Option<String>,
    pub amount: Option<Money>,
    pub units: Option<u32>,
}

/// Credit that expires on a day, or never.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lot {
    pub amount: Money,
    pub expires: Option<Date>,
}

/// A fund of the tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pot {
    pub name: String,
    pub currency: Currency,
    pub budget: Money,
}

fn no_earning(rule: &str) -> Verdict {
    Verdict::not_applicable(rule, "The guide lets no credit be earned.")
}

/// The purchase lies in the window to earn.
pub fn earn_window(policy: &Policy, on: Date) -> Verdict {
    let rule = "earn_window";
    let Some(earning) = &policy.earning else { return no_earning(rule) };
    let (from, to) = (earning.from, earning.to);
    if from.is_none() && to.is_none() {
        return Verdict::not_applicable(rule, "Credit is earned on any day.");
    }
    let holds = from.is_none_or(|from| on >= from) && to.is_none_or(|to| on <= to);
    let window = match (from, to) {
        (Some(from), Some(to)) => format!("from {} to {}", words(from), words(to)),
        (Some(from), None) => format!("from {}", words(from)),
        (None, Some(to)) => format!("until {}", words(to)),
        (None, None) => String::new(),
    };
    let verdict = if holds {
        Verdict::pass(rule, format!("Bought {}; credit is earned {window}.", words(on)))
    } else {
        Verdict::fail(
            rule,
            format!("Bought {}; credit is earned only {window}.", words(on)),
            "Only purchases inside the window count.",
        )
    };
    verdict.with("on", on).with_some("from", from).with_some("to", to)
}

/// What a purchase earns, rounded down to the minor unit.
pub fn earned(earning: &Earning, purchase: &Purchase, currency: Currency) -> Option<Money> {
    match earning.terms(purchase.tier.as_deref(), purchase.product.as_deref()) {
        (Some(rate), _) => purchase.amount?.share(rate).ok(),
        (None, Some(each)) => {
            let whole = each.checked_mul(Decimal::from(purchase.units?))?;
            let floor = whole.round_dp_with_strategy(currency.exponent(), rust_decimal::RoundingStrategy::ToZero);
            Money::from_decimal(floor, currency).ok()
        }
        (None, None) => None,
    }
}

pub fn accrual_rate(policy: &Policy, purchase: &Purchase) -> (Option<Money>, Verdict) {
    let rule = "accrual_rate";
    let Some(earning) = &policy.earning else { return (None, no_earning(rule)) };
    let (rate, each) = earning.terms(purchase.tier.as_deref(), purchase.product.as_deref());
    let Some(money) = earned(earning, purchase, policy.guide.currency) else {
        let needs = match (rate, each) {
            (Some(rate), _) => {
                format!("The guide credits {} of purchases, and their amount is not known.", percent(rate))
            }
            (None, Some(each)) => format!("The guide credits {each} a unit, and their number is not known."),
            (None, None) => "The guide credits nothing for this purchase.".to_owned(),
        };
        return (None, Verdict::not_applicable(rule, needs));
    };
    let how = if let (Some(rate), Some(amount)) = (rate, purchase.amount) {
        format!("{} of {amount}", percent(rate))
    } else {
        let (each, units) = (each.unwrap_or_default(), purchase.units.unwrap_or_default());
        format!("{each} {} for each of {units} units", policy.guide.currency)
    };
    let verdict = Verdict::pass(rule, format!("The purchase earns {money}: {how}."))
        .with("earned", money)
        .with_some("rate", rate)
        .with_some("per_unit", each)
        .with_some("purchases", purchase.amount)
        .with_some("units", purchase.units);
    (Some(money), verdict)
}

/// How an accrual is split between the funds: the parts add up to the whole.
pub fn accrual_split(policy: &Policy, amount: Money) -> Verdict {
    let rule = "accrual_split";
    let Some(earning) = &policy.earning else { return no_earning(rule) };
    if earning.split.is_empty() {
        return Verdict::not_applicable(rule, "The guide does not split what is earned.");
    }
    let parts = earning.split(amount);
    let said: Vec<String> = parts.iter().map(|(fund, part)| format!("{part} to {fund}")).collect();
    let verdict = Verdict::pass(rule, format!("{amount} is split: {}.", listed(&said))).with("accrued", amount);
    let names: Vec<String> = parts.iter().map(|(fund, _)| fund.clone()).collect();
    verdict.with("funds", names).with("parts", parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>())
}

/// What becomes of a period's accrual that stays under the threshold; `None` where it reaches it, or there is none.
pub fn under_threshold(policy: &Policy, accrued: Money) -> Option<Below> {
    let earning = policy.earning.as_ref()?;
    let least = policy.amount(earning.threshold?);
    (accrued.minor < least.minor).then(|| earning.below.unwrap_or(Below::Keep))
}

/// What becomes of a period's accrual: credit from the threshold on; below it, what the guide says.
pub fn accrual_threshold(policy: &Policy, accrued: Money) -> Verdict {
    let rule = "accrual_threshold";
    let Some(earning) = &policy.earning else { return no_earning(rule) };
    let Some(least) = earning.threshold.map(|amount| policy.amount(amount)) else {
        return Verdict::not_applicable(rule, "The guide has no threshold for what is earned.");
    };
    let zero = Money::zero(accrued.currency);
    let under = format!("{accrued} stays under the threshold of {least}");
    let (converted, forfeited, balance, verdict) = match under_threshold(policy, accrued) {
        None => {
            let sentence = format!("{accrued} reaches the threshold of {least} and stays credit.");
            (zero, zero, accrued, Verdict::pass(rule, sentence))
        }
        Some(Below::Convert) => {
            (accrued, zero, zero, Verdict::warn(rule, format!("{under}: all of it is converted to a rebate.")))
        }
        Some(Below::Forfeit) => (zero, accrued, zero, Verdict::warn(rule, format!("{under}: all of it is lost."))),
        Some(Below::Keep) => {
            (zero, zero, accrued, Verdict::pass(rule, format!("{under}: it is kept for the next period.")))
        }
    };
    let figures = [
        ("accrued", accrued),
        ("threshold", least),
        ("converted", converted),
        ("forfeited", forfeited),
        ("balance", balance),
    ];
    figures.into_iter().fold(verdict, |verdict, (name, amount)| verdict.with(name, amount))
}

/// Until when a lot can be used; on the day after, what is unused is forfeited, but for what is carried over.
pub fn credit_expiry(policy: &Policy, lot: Lot, today: Option<Date>) -> Verdict {
    let rule = "credit_expiry";
    let Some(expires) = lot.expires else {
        return Verdict::pass(rule, format!("{} does not expire.", lot.amount)).with("amount", lot.amount);
    };
    let zero = Money::zero(lot.amount.currency);
    let expired = today.is_some_and(|today| today > expires);
    let carried = if expired { carry_over(policy, lot.amount) } else { zero };
    let forfeited = if expired { Money::new(lot.amount.minor - carried.minor, carried.currency) } else { zero };
    let verdict = if forfeited.is_positive() {
        let kept = if carried.is_positive() { format!(" {carried} is carried over.") } else { String::new() };
        Verdict::warn(rule, format!("{forfeited} was unused on {} and is forfeited.{kept}", words(expires)))
    } else if expired {
        Verdict::pass(rule, format!("{carried} was unused on {} and is carried over.", words(expires)))
    } else {
        Verdict::pass(rule, format!("{} can be used until {}.", lot.amount, words(expires)))
    };
    let reminders: Vec<Date> = policy
        .credit
        .iter()
        .flat_map(|rules| &rules.reminders)
        .filter_map(|before| expires.checked_sub_days(chrono::Days::new(u64::from(*before))))
        .collect();
    let figures = [("amount", lot.amount), ("forfeited", forfeited), ("carried_over", carried)];
    let verdict = figures.into_iter().fold(verdict, |verdict, (name, amount)| verdict.with(name, amount));
    let verdict = verdict.with("expires", expires);
    if reminders.is_empty() { verdict } else { verdict.with("reminders", reminders) }
}

/// What of unused credit goes on into the next period, rounded down.
pub fn carry_over(policy: &Policy, unused: Money) -> Money {
    let share = policy.credit.as_ref().map(|rules| rules.carry_over).unwrap_or_default();
    unused.share(share).unwrap_or(Money::zero(unused.currency))
}

/// What is taken of each lot for an amount, soonest expiry first, credit that never expires last; `None` where all
/// lots together are not enough.
pub fn draw_order(lots: &[Lot], amount: i64) -> Option<Vec<i64>> {
    let mut order: Vec<usize> = (0..lots.len()).collect();
    order.sort_by_key(|at| (lots[*at].expires.unwrap_or(Date::MAX), *at));
    let mut taken = vec![0; lots.len()];
    let mut rest = amount;
    for at in order {
        taken[at] = lots[at].amount.minor.clamp(0, rest);
        rest -= taken[at];
    }
    (rest == 0).then_some(taken)
}

/// Spending takes the credit that expires first.
pub fn credit_order(lots: &[Lot], spend: Money, today: Option<Date>) -> Verdict {
    let rule = "credit_order";
    let good: Vec<Lot> = lots
        .iter()
        .map(|lot| match (lot.expires, today) {
            (Some(expires), Some(today)) if expires < today => Lot { amount: Money::zero(spend.currency), ..*lot },
            _ => *lot,
        })
        .collect();
    let free = Money::new(good.iter().map(|lot| lot.amount.minor).sum(), spend.currency);
    let Some(taken) = draw_order(&good, spend.minor) else {
        return Verdict::fail(
            rule,
            format!("{spend} is to be spent and {free} is left."),
            format!("Spend {free} or less."),
        )
        .with("spend", spend)
        .with("free", free);
    };
    let money = |minor: i64| Money::new(minor, spend.currency);
    let left: Vec<Money> = lots.iter().zip(&taken).map(|(lot, taken)| money(lot.amount.minor - taken)).collect();
    let said: Vec<String> = left.iter().map(|left| left.written(crate::money::Marks::Point)).collect();
    Verdict::pass(rule, format!("{spend} is taken from what expires first; the lots keep {}.", listed(&said)))
        .with("spend", spend)
        .with("taken", taken.into_iter().map(money).collect::<Vec<_>>())
        .with("left", left)
}

/// Forfeited credit comes back by enough people, with a new day to expire.
pub fn reinstatement(
    policy: &Policy,
    amount: Money,
    by: &[String],
    expires: Option<Date>,
    today: Option<Date>,
) -> Verdict {
    let rule = "reinstatement";
    let needed = policy.credit.as_ref().map_or(2, |rules| rules.reinstated_by);
    let mut people = by.to_vec();
    people.sort_unstable();
    people.dedup();
    let verdict = if people.len() < usize::from(needed) {
        Verdict::fail(
            rule,
            format!("{} of {needed} people have said that {amount} comes back.", people.len()),
            "A second person confirms it.",
        )
    } else if expires.is_none() {
        Verdict::fail(rule, format!("{amount} would come back without a day to expire."), "Name the new day.")
    } else if expires.zip(today).is_some_and(|(expires, today)| expires <= today) {
        Verdict::fail(rule, format!("{amount} would be expired at once."), "Name a day that is still to come.")
    } else {
        let until = expires.map_or_else(String::new, |day| format!(" until {}", words(day)));
        Verdict::pass(rule, format!("{amount} comes back{until}, as {} say.", listed(&people)))
    };
    verdict
        .with("amount", amount)
        .with("people", people.len())
        .with("needed", u16::from(needed))
        .with_some("expires", expires)
}

/// Children are kept in the parent's currency, and their sum is never above it.
pub fn fund_tree(parent: &Pot, children: &[Pot]) -> Verdict {
    let rule = "fund_tree";
    if let Some(other) = children.iter().find(|child| child.currency != parent.currency) {
        return Verdict::fail(
            rule,
            format!("{} is kept in {}, its parent {} in {}.", other.name, other.currency, parent.name, parent.currency),
            format!("Keep it in {}, or give it no parent.", parent.currency),
        );
    }
    let sum = Money::new(children.iter().map(|child| child.budget.minor).sum(), parent.currency);
    let free = Money::new(parent.budget.minor - sum.minor, parent.currency);
    let verdict = if free.minor < 0 {
        let over = Money::new(-free.minor, parent.currency);
        Verdict::fail(
            rule,
            format!("The funds under {} come to {sum}, {over} more than its {}.", parent.name, parent.budget),
            format!("Lower them by {over}, or raise {} first.", parent.name),
        )
    } else {
        Verdict::pass(
            rule,
            format!("The funds under {} come to {sum} of {}; {free} is free.", parent.name, parent.budget),
        )
    };
    verdict.with("budget", parent.budget).with("children", sum).with("free", free)
}
