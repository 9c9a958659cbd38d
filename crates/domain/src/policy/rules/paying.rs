//! The rules of payment: exchange, what is held back, instalments, payments over several claims, retention.

use super::listed;
use crate::Date;
use crate::calendar::words;
use crate::exchange::{OLDEST_DAYS, Rate, exchanged};
use crate::money::{Currency, Money};
use crate::policy::{Policy, RateDate, Retention, Verdict};
use chrono::Months;
use rust_decimal::Decimal;

/// Money in another currency, with the rates known of the days that may count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchanged {
    pub amount: Money,
    pub into: Currency,
    pub at_approval: Option<Decimal>,
    pub at_claim: Option<Decimal>,
    pub at_settlement: Option<Decimal>,
}

/// What is paid for money in another currency, and how it differs from what was committed.
pub fn exchange_rate(policy: &Policy, of: &Exchanged) -> Verdict {
    let rule = "exchange_rate";
    let Some(rules) = &policy.exchange else {
        return Verdict::fail(
            rule,
            format!("The guide does not say which rate counts for {}.", of.amount.currency),
            "Add [exchange] with `rate_date` to the guide, or claim in the program's currency.",
        );
    };
    let rate = match rules.rate_date {
        RateDate::Approval => of.at_approval,
        RateDate::Claim => of.at_claim,
        RateDate::Settlement => of.at_settlement,
    };
    let when = rules.rate_date.words();
    let Some(rate) = rate.filter(|rate| *rate > Decimal::ZERO) else {
        return Verdict::fail(
            rule,
            format!("The rate of the {when} counts, and there is none for {} in {}.", of.amount.currency, of.into),
            "Have finance enter the rate of that day; none is guessed.",
        );
    };
    let Ok(paid) = exchanged(of.amount, rate, of.into) else {
        return too_large();
    };
    let committed = of.at_approval.and_then(|rate| exchanged(of.amount, rate, of.into).ok());
    let variance = committed.map(|committed| Money::new(paid.minor - committed.minor, of.into));
    let differs = match variance {
        Some(variance) if !variance.is_zero() => {
            let (by, how) =
                (Money::new(variance.minor.abs(), of.into), if variance.minor > 0 { "more" } else { "less" });
            format!(" That is {by} {how} than was committed, and is posted as exchange variance.")
        }
        _ => String::new(),
    };
    Verdict::pass(rule, format!("The rate of the {when} counts, {rate}: {} is {paid}.{differs}", of.amount))
        .with("amount", of.amount)
        .with("currency", of.amount.currency.code())
        .with("rate", rate)
        .with("rate_date", when)
        .with("paid", paid)
        .with_some("committed", committed)
        .with_some("variance", variance)
}

/// The rate that counts on a day: the latest one by then, unless it is too old. Only a rate recorded for the very pair
/// counts; none is turned around or made of two others.
pub fn rate_on(policy: &Policy, known: &[Rate], pair: (Currency, Currency), day: Date) -> Result<Rate, Box<Verdict>> {
    let (rule, (from, to)) = ("exchange_rate", pair);
    let oldest = policy.exchange.as_ref().map_or(OLDEST_DAYS, |rules| rules.max_age_days);
    let remedy =
        || format!("Have finance enter how many {to} one {from} was worth on {}; none is guessed.", words(day));
    let by_then = known.iter().filter(|rate| (rate.from, rate.to) == pair && rate.day <= day);
    let Some(rate) = by_then.max_by_key(|rate| rate.day) else {
        let why = format!("There is no exchange rate from {from} to {to} for {}.", words(day));
        return Err(Box::new(Verdict::fail(rule, why, remedy()).with("day", day)));
    };
    let age = (day - rate.day).num_days();
    if age > i64::from(oldest) {
        let why = format!(
            "The last exchange rate from {from} to {to} is of {}, {age} days before {}; one counts for {oldest} days.",
            words(rate.day),
            words(day)
        );
        return Err(Box::new(Verdict::fail(rule, why, remedy()).with("day", day).with("rate_day", rate.day)));
    }
    Ok(*rate)
}

/// An amount that no account holds.
pub fn too_large() -> Verdict {
    let why = "Converted, the amount is larger than any we keep.";
    Verdict::fail("exchange_rate", why, "Look at the amount and the rate again.")
}

/// What was clawed back and not returned is held back from the next payment.
pub fn offset(amount: Money, recoverable: Money) -> (Money, Verdict) {
    let held = Money::new(recoverable.minor.min(amount.minor).max(0), amount.currency);
    let transfer = Money::new(amount.minor - held.minor, amount.currency);
    let verdict = if held.is_positive() {
        let sentence = format!("{held} of an earlier claw back is held back: {transfer} of {amount} is transferred.");
        Verdict::warn("offset", sentence)
    } else {
        Verdict::pass("offset", format!("Nothing is to come back: {amount} is transferred in full."))
    };
    let left = Money::new(recoverable.minor - held.minor, amount.currency);
    (
        held,
        verdict.with("amount", amount).with("offset", held).with("transfer", transfer).with("recoverable_left", left),
    )
}

/// What a claim has been paid: whole, in part, or more than it may.
pub fn settlement(approved: Money, instalments: &[Money]) -> Verdict {
    let rule = "settlement";
    let paid = Money::new(instalments.iter().map(|part| part.minor).sum(), approved.currency);
    let outstanding = Money::new(approved.minor - paid.minor, approved.currency);
    let figures = |verdict: Verdict, state: &str| {
        verdict.with("approved", approved).with("paid", paid).with("outstanding", outstanding).with("state", state)
    };
    if instalments.iter().any(|part| !part.is_positive()) {
        let verdict = Verdict::fail(rule, "A payment is not above zero.", "Enter what was really paid.");
        return figures(verdict, "refused");
    }
    if outstanding.minor < 0 {
        let over = Money::new(-outstanding.minor, approved.currency);
        let verdict = Verdict::fail(
            rule,
            format!("{paid} is paid, {over} more than the {approved} approved."),
            format!("Pay {approved} in all, or less."),
        );
        return figures(verdict, "refused");
    }
    if outstanding.is_zero() {
        return figures(Verdict::pass(rule, format!("The claim is paid: {paid} of {approved}.")), "paid");
    }
    let state = if paid.is_zero() { "payable" } else { "part_paid" };
    figures(Verdict::pass(rule, format!("{paid} of {approved} is paid; {outstanding} is outstanding.")), state)
}

/// One claim that a payment settles, in whole or in part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    pub claim: String,
    pub outstanding: Money,
    pub amount: Money,
}

/// One payment over several claims: the parts add up to it, and none is more than its claim is owed.
pub fn settles(payment: Money, parts: &[Settled]) -> Verdict {
    let rule = "settlement";
    let sum = Money::new(parts.iter().map(|part| part.amount.minor).sum(), payment.currency);
    if let Some(over) = parts.iter().find(|part| part.amount.minor > part.outstanding.minor) {
        return Verdict::fail(
            rule,
            format!("Claim {} is owed {}; {} is paid on it.", over.claim, over.outstanding, over.amount),
            format!("Pay {} on it, or less.", over.outstanding),
        );
    }
    let each: Vec<String> = parts.iter().map(|part| format!("{} on claim {}", part.amount, part.claim)).collect();
    let verdict = if sum == payment {
        Verdict::pass(rule, format!("The payment of {payment} settles {}.", listed(&each)))
    } else {
        Verdict::fail(
            rule,
            format!("The payment is {payment}; its parts add up to {sum}."),
            "Change the parts so that they add up to the payment.",
        )
    };
    let left: Vec<Money> =
        parts.iter().map(|part| Money::new(part.outstanding.minor - part.amount.minor, payment.currency)).collect();
    verdict.with("payment", payment).with("parts", sum).with("outstanding", left)
}

/// The last day records are kept after a payment.
fn kept_until(rules: &Retention, paid_on: Date) -> Date {
    paid_on.checked_add_months(Months::new(u32::from(rules.years) * 12)).unwrap_or(Date::MAX)
}

/// The last day records of a payment are kept, where the guide says how long.
pub fn keep_until(policy: &Policy, paid_on: Date) -> Option<Date> {
    policy.retention.as_ref().map(|rules| kept_until(rules, paid_on))
}

/// Until when the records of a claim are kept.
pub fn retention(policy: &Policy, paid_on: Date) -> Verdict {
    let rule = "retention";
    let Some(rules) = &policy.retention else {
        return Verdict::not_applicable(rule, "The guide does not say how long records are kept.");
    };
    let until = kept_until(rules, paid_on);
    let years = if rules.years == 1 { "1 year".to_owned() } else { format!("{} years", rules.years) };
    Verdict::pass(rule, format!("Records are kept for {years}, until {}.", words(until)))
        .with("paid_on", paid_on)
        .with("keep_until", until)
}
