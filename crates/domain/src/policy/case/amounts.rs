//! Amounts and rates as a case writes them: text or a number, read exactly.

use super::CaseProblem;
use crate::money::{Currency, Marks, Money};
use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// An amount as it is written; its currency is known later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amount(String);

/// A rate or another exact number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exact(pub Decimal);

struct Written;

impl Visitor<'_> for Written {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an amount, such as \"1234.50\" or 1234.50")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    /// The reader of JSON knows only binary numbers; up to fifteen digits the shortest text of one is what was written.
    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        let text = number.to_string();
        if text.bytes().filter(u8::is_ascii_digit).count() > 15 {
            return Err(E::custom(format!("{text} has too many digits to be a number of JSON: write it as text")));
        }
        Ok(text)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written).map(Amount)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Written)?;
        let number = text.trim().parse::<Decimal>();
        number.map(Exact).map_err(|_| D::Error::custom(format!("“{text}” is no number: write it like \"1.08\"")))
    }
}

/// Turns what is written into money, and keeps the first problem with its place.
pub(in crate::policy) struct Reader {
    pub currency: Currency,
    problem: Option<CaseProblem>,
}

impl Reader {
    pub fn new(currency: Currency) -> Self {
        Self { currency, problem: None }
    }

    /// An amount of the guide's currency.
    pub fn money(&mut self, place: &str, amount: &Amount) -> Money {
        self.money_in(place, amount, self.currency)
    }

    pub fn some(&mut self, place: &str, amount: Option<&Amount>) -> Option<Money> {
        amount.map(|amount| self.money(place, amount))
    }

    pub fn money_in(&mut self, place: &str, amount: &Amount, currency: Currency) -> Money {
        Money::parse(&amount.0, currency, Marks::Point).unwrap_or_else(|problem| {
            self.refuse(place, &problem);
            Money::zero(currency)
        })
    }

    pub fn currency(&mut self, place: &str, code: Option<&str>) -> Currency {
        let Some(code) = code else { return self.currency };
        Currency::from_code(code).unwrap_or_else(|| {
            self.refuse(place, &format!("“{code}” is no currency code: write one such as EUR"));
            self.currency
        })
    }

    pub fn refuse(&mut self, place: &str, problem: &str) {
        self.problem.get_or_insert_with(|| CaseProblem(format!("{place}: {problem}")));
    }

    pub fn done(self) -> Result<(), CaseProblem> {
        self.problem.map_or(Ok(()), Err)
    }
}
