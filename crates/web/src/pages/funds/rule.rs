//! How an allocation by rule is asked for: an amount each, or an amount or share of what is unallocated, split in equal
//! parts or by weights.

use std::collections::{BTreeMap, BTreeSet};

use domain::fund::{Attribute, Sharing};
use domain::money::{Currency, Money};
use engine::allocations::Rule;

use super::many::attribute_words;
use crate::fields::Fields;
use crate::view::{Choice, Field, Form};

/// The questions of a rule, without those about which partners.
pub fn fields(form: Form, currency: Currency, named: &BTreeSet<String>) -> Form {
    let how = vec![
        Choice::new("each", "An amount each"),
        Choice::new("even", "One amount in equal parts"),
        Choice::new("weighted", "One amount by weights"),
    ];
    let all = Attribute::COMMON.into_iter().chain(named.iter().cloned().map(Attribute::Named));
    let by = all.map(|attribute| Choice::new(attribute.code(), attribute_words(&attribute))).collect();
    form.with(Field::radios("how", "How much", how).value_is("each"))
        .with(Field::amount("amount", "Amount", currency.code()).optional())
        .with(
            Field::number("percent", "Or this percentage of what is unallocated")
                .hint("For one amount that is split; rounded down.")
                .optional(),
        )
        .with(Field::select("by", "Weights go by", by).value_is(Attribute::Tier.code()).optional())
        .with(
            Field::area("weights", "Weights", 3)
                .hint("A line each, as in: gold 3. What is not named is left out and listed.")
                .optional(),
        )
}

/// The rule's amount and how it is shared, or problems at their fields.
fn read(f: &mut Fields, unallocated: Money) -> Option<Sharing> {
    let how = f.choice("how", |code| matches!(code, "each" | "even" | "weighted").then(|| code.to_owned()));
    let amount = f.optional_money("amount", unallocated.currency);
    let percent = if f.optional_text("percent")?.is_some() { Some(f.percent("percent")) } else { None };
    let by = f.optional_choice("by", Attribute::from_code);
    let weights = f.optional_long_text("weights");
    let (how, amount, by, weights) = (how?, amount?, by?.unwrap_or(Attribute::Tier), weights?);
    let whole = match (amount, percent) {
        (Some(_), Some(_)) => {
            f.problem("percent", "Give an amount or a percentage, not both.");
            return None;
        }
        (Some(amount), None) => amount,
        (None, Some(_)) if how == "each" => {
            f.problem("percent", "A percentage is split: choose equal parts or weights.");
            return None;
        }
        (None, Some(share)) => match unallocated.share(share?) {
            Ok(part) => part,
            Err(error) => {
                f.problem("percent", format!("This share cannot be taken: {error}."));
                return None;
            }
        },
        (None, None) => {
            f.problem("amount", "Enter an amount, or a percentage of what is unallocated.");
            return None;
        }
    };
    match how.as_str() {
        "each" => Some(Sharing::Each(whole)),
        "even" => Some(Sharing::Even(whole)),
        _ => match parse_weights(&weights.unwrap_or_default()) {
            Ok(weights) => Some(Sharing::Weighted { whole, by, weights }),
            Err(problem) => {
                f.problem("weights", problem);
                None
            }
        },
    }
}

/// Which partners a rule is about, and how it shares; each problem at its field.
pub fn read_rule(f: &mut Fields, unallocated: Money) -> Option<Rule> {
    let sharing = read(f, unallocated);
    let (tier, region, country) = (f.optional_text("tier"), f.optional_text("region"), f.optional_text("country"));
    let (also, expires) = (f.named("also"), f.optional_date("expires"));
    let (tier, region, country, also) = (tier?, region?, country?, also?);
    let also = also.into_iter().filter_map(|(name, value)| Some((Attribute::from_code(&name)?, value))).collect();
    Some(Rule { tier, region, country, also, sharing: sharing?, expires: expires? })
}

/// `gold 3`, `gold: 3` or `gold=3`, a line or a comma each.
fn parse_weights(text: &str) -> Result<BTreeMap<String, u32>, String> {
    let mut weights = BTreeMap::new();
    for part in text.split(['\n', ',']).map(str::trim).filter(|part| !part.is_empty()) {
        let problem = || format!("“{part}” is no weight: write it like gold 3, whole numbers up to 1000000.");
        let (value, weight) = part.rsplit_once([' ', ':', '=']).ok_or_else(problem)?;
        let value = value.trim().trim_end_matches([':', '=']).trim().to_owned();
        let is_number = !weight.is_empty() && weight.len() <= 7 && weight.bytes().all(|byte| byte.is_ascii_digit());
        let weight: u32 = weight.parse().ok().filter(|weight| is_number && *weight <= 1_000_000).ok_or_else(problem)?;
        if value.is_empty() {
            return Err(problem());
        }
        if weights.insert(value.clone(), weight).is_some() {
            return Err(format!("“{value}” has two weights: keep one."));
        }
    }
    if weights.values().all(|weight| *weight == 0) {
        return Err("Give at least one weight above zero, as in: gold 3.".to_owned());
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_and_never_guessed() {
        let read = parse_weights("gold 3\nsilver: 2, Europe North and East=1").expect("three weights");
        assert_eq!(read.get("Europe North and East"), Some(&1));
        assert_eq!((read.get("gold"), read.get("silver")), (Some(&3), Some(&2)));
        for wrong in ["gold", "gold -1", "gold 1.5", "gold 3, gold 4", "gold 0", "", "3", "gold 99999999"] {
            assert!(parse_weights(wrong).is_err(), "{wrong}");
        }
    }
}
