//! The loader: reads a guide and refuses one that contradicts itself, naming the line and what to write instead.

mod bands;
mod earning;
mod limits;
mod proof;
mod windows;

use super::Policy;
use crate::money::Currency;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Why a guide was refused, and where.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Contradiction {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong and what to write instead.
    pub problem: String,
}

/// Reads and checks a guide; the problems come in the order of their lines.
pub(super) fn load(text: &str) -> Result<Policy, Vec<Contradiction>> {
    let unreadable = |error: toml::de::Error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        vec![Contradiction { line, problem: plainly(error.message()) }]
    };
    let table = DeTable::parse(text).map_err(unreadable)?;
    let policy: Policy = toml::from_str(text).map_err(unreadable)?;
    let mut findings = Findings { text, table: &table, found: Vec::new() };
    guide(&policy, &mut findings);
    limits::check(&policy, &mut findings);
    proof::check(&policy, &mut findings);
    windows::check(&policy, &mut findings);
    bands::check(&policy, &mut findings);
    earning::check(&policy, &mut findings);
    let mut found = findings.found;
    if found.is_empty() {
        return Ok(policy);
    }
    found.sort();
    found.dedup();
    Err(found)
}

/// What was found, and the places of the file.
struct Findings<'a> {
    text: &'a str,
    table: &'a Spanned<DeTable<'a>>,
    found: Vec<Contradiction>,
}

impl Findings<'_> {
    /// Something is wrong at a place such as `share.rate.2.to`; elements of arrays are counted from 0.
    fn at(&mut self, place: impl AsRef<str>, problem: impl Into<String>) {
        let line = self.line(place.as_ref());
        self.found.push(Contradiction { line, problem: problem.into() });
    }

    /// The line of a place, or of what it lies in where it is not written.
    fn line(&self, place: &str) -> usize {
        let mut at = self.table.span().start;
        let mut steps = place.split('.');
        let mut value: Option<&DeValue> = steps.next().and_then(|step| entry(self.table.get_ref(), step, &mut at));
        for step in steps {
            value = match value {
                Some(DeValue::Table(table)) => entry(table, step, &mut at),
                Some(DeValue::Array(items)) => {
                    let item = step.parse::<usize>().ok().and_then(|index| items.get(index));
                    if let Some(item) = item {
                        at = item.span().start;
                    }
                    item.map(Spanned::get_ref)
                }
                _ => None,
            };
        }
        line_of(self.text, at)
    }

    /// An amount has no more decimals than the currency, and is not below zero.
    fn amount(&mut self, place: impl AsRef<str>, amount: Decimal, currency: Currency) {
        if amount < Decimal::ZERO {
            self.at(place.as_ref(), format!("{amount} is below zero: an amount here is zero or more"));
        }
        if amount.normalize().scale() > currency.exponent() {
            let least = Decimal::new(1, currency.exponent());
            self.at(place, format!("{amount} has more decimals than {currency} has, whose least amount is {least}"));
        }
    }

    /// A share is above 0 and at most 1.
    fn share(&mut self, place: impl AsRef<str>, share: Decimal) {
        if share <= Decimal::ZERO || share > Decimal::ONE {
            self.at(place, format!("a share is above 0 and at most 1, not {share}: write \"0.50\" for 50 %"));
        }
    }
}

fn entry<'a>(table: &'a DeTable<'a>, step: &str, at: &mut usize) -> Option<&'a DeValue<'a>> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == step)?;
    // The first element of `[[share.rate]]` stands for all of them; its own place is found by its number.
    *at = key.span().start;
    Some(value.get_ref())
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}

/// The parser's words as a person would say them.
fn plainly(message: &str) -> String {
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or("").to_owned();
    let choices = |text: &str| {
        text.split_once("expected").map_or_else(String::new, |(_, rest)| {
            rest.trim_start_matches(" one of").trim().trim_end_matches('.').to_owned()
        })
    };
    if message.starts_with("unknown field") {
        let name = quoted(message);
        let known = choices(message);
        let near = known.split('`').skip(1).step_by(2).find(|other| distance(&name, other) <= 2);
        return match near {
            Some(near) => format!("there is no `{name}` here: did you mean `{near}`?"),
            None if known.is_empty() => format!("there is no `{name}` here: leave it out"),
            None => format!("there is no `{name}` here: write one of {known}"),
        };
    }
    if message.starts_with("missing field") {
        return format!("`{}` is missing here: add it", quoted(message));
    }
    if message.starts_with("unknown variant") {
        return format!("“{}” is not known here: write one of {}", quoted(message), choices(message));
    }
    message.trim_end_matches('.').to_owned()
}

/// Letters to change, add or leave out to make one word of another.
pub(super) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row[right.len()]
}

/// The guide's own words, costs and holidays.
fn guide(policy: &Policy, findings: &mut Findings) {
    let guide = &policy.guide;
    for (place, text, what) in [
        ("guide.name", &guide.name, "name"),
        ("guide.version", &guide.version, "version"),
        ("guide.terms", &guide.terms, "terms"),
        ("guide.summary", &guide.summary, "summary"),
    ] {
        if text.trim().is_empty() {
            findings.at(place, format!("the guide's {what} is empty: partners read it, so write one"));
        }
    }
    findings.amount("request.minimum", policy.request.minimum, guide.currency);
    let costs = &policy.costs;
    if costs.eligible.is_empty() {
        findings.at("costs", "the guide names no eligible cost category: add a [[costs.eligible]]");
    }
    let mut seen = BTreeSet::new();
    for (index, category) in costs.eligible.iter().enumerate() {
        let place = format!("costs.eligible.{index}.code");
        if !seen.insert(&category.code) {
            findings.at(&place, format!("the cost category “{}” is named twice: leave one out", category.code));
        }
        if costs.excluded.iter().any(|excluded| excluded.code == category.code) {
            findings.at(
                &place,
                format!("the cost category “{}” is eligible and excluded: leave one of the two out", category.code),
            );
        }
    }
    let mut countries = BTreeSet::new();
    for (index, holidays) in policy.holidays.iter().enumerate() {
        let place = format!("holidays.{index}.country");
        let code = &holidays.country;
        if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            findings.at(&place, format!("“{code}” is no country code: write two capital letters, such as DE"));
        }
        if !countries.insert(code) {
            findings.at(&place, format!("the holidays of {code} are listed twice: put all days into one list"));
        }
    }
    if policy.retention.as_ref().is_some_and(|retention| retention.years == 0) {
        findings.at("retention.years", "records are kept for at least one year: write 1 or more");
    }
}
