//! Money: a whole number of minor units and an ISO 4217 currency. No float touches it.
//!
//! Rates, shares and averages are [`Decimal`]; the rounding from one to the other is named where it
//! happens. Every sum is checked; overflow is an error, never a wrap.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// An ISO 4217 currency that has minor units: USD (2), JPY (0), KWD (3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    pub const EUR: Currency = Currency(iso_currency::Currency::EUR);
    pub const USD: Currency = Currency(iso_currency::Currency::USD);

    /// The currency of a code such as `EUR`; case matters not.
    pub fn from_code(code: &str) -> Option<Self> {
        let found = iso_currency::Currency::from_code(&code.trim().to_ascii_uppercase())?;
        found.exponent().map(|_| Self(found))
    }

    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal mark: 2 for USD, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(2))
    }

    /// How many minor units make one unit: 100 for USD.
    pub fn unit(self) -> i64 {
        10_i64.pow(self.exponent())
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::from_code(&code).ok_or_else(|| format!("{code} is not a currency code"))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// An exact amount.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: cents for EUR, yen for JPY.
    pub minor: i64,
    pub currency: Currency,
}

/// Why two amounts do not make a third.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoneyError {
    #[error("{0} and {1} do not add up: they are two currencies")]
    Currencies(Currency, Currency),
    #[error("the amount is larger than this system keeps")]
    Overflow,
}

/// Which marks a person writes amounts with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marks {
    /// `1,234.56`
    #[default]
    Point,
    /// `1.234,56`
    Comma,
}

impl Marks {
    fn decimal(self) -> char {
        match self {
            Marks::Point => '.',
            Marks::Comma => ',',
        }
    }

    fn group(self) -> char {
        match self {
            Marks::Point => ',',
            Marks::Comma => '.',
        }
    }
}

impl Money {
    /// The most one amount may be, in minor units (a million million in USD): sums of thousands of them stay exact.
    pub const MOST: i64 = 100_000_000_000_000;

    /// Whether a person's amount can be kept: of this currency, from `least` minor units to [`Money::MOST`].
    pub fn is_kept_in(self, currency: Currency, least: i64) -> bool {
        self.currency == currency && (least..=Self::MOST).contains(&self.minor)
    }

    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Whole units: `Money::units(12_000, EUR)` is 12,000.00 EUR.
    pub fn units(units: i64, currency: Currency) -> Self {
        Self { minor: units.saturating_mul(currency.unit()), currency }
    }

    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub fn is_positive(self) -> bool {
        self.minor > 0
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The smaller of two amounts of one currency.
    pub fn min(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Ok(if other.minor < self.minor { other } else { self })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::Currencies(self.currency, other.currency))
        }
    }

    /// The exact value in units, for rates and ratios.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent())
    }

    /// An amount from an exact value in units, rounded half to even to the currency's minor unit.
    pub fn from_decimal(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let scaled = value.checked_mul(Decimal::from(currency.unit())).ok_or(MoneyError::Overflow)?;
        let minor = scaled.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        minor.to_i64().map(|minor| Self { minor, currency }).ok_or(MoneyError::Overflow)
    }

    /// A share of the amount, rounded down to the minor unit: what a program pays never exceeds its share.
    pub fn share(self, share: Decimal) -> Result<Self, MoneyError> {
        let part = Decimal::from(self.minor).checked_mul(share).ok_or(MoneyError::Overflow)?;
        let minor = part.floor().to_i64().ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The smallest amount of which this is the share, rounded up to the minor unit; `None` where there is none.
    pub fn grossed_up(self, share: Decimal) -> Option<Self> {
        let whole = Decimal::from(self.minor).checked_div(share)?;
        whole.ceil().to_i64().map(|minor| Self { minor, ..self })
    }

    /// Reads an amount as a person writes it: `12000`, `12,000.50`, `EUR 12 000`. Refuses signs, exponents,
    /// underscores, groups of other than three digits, more decimals than the currency has, another currency.
    pub fn parse(text: &str, currency: Currency, marks: Marks) -> Result<Self, String> {
        let text = strip_code(text.trim(), currency)?;
        if text.is_empty() {
            return Err(format!("Enter an amount in {currency}, such as {}.", Self::example(currency, marks)));
        }
        let (whole, decimals) = match text.split_once(marks.decimal()) {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (text, None),
        };
        let problem =
            || format!("“{text}” is not an amount we can read: write it like {}.", Self::example(currency, marks));
        let whole = ungroup(whole, marks.group()).ok_or_else(problem)?;
        let decimals = decimals.unwrap_or("");
        let digits_only = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(&whole) || !digits_only(decimals) || text.ends_with(marks.decimal()) {
            return Err(problem());
        }
        let exponent = currency.exponent() as usize;
        if decimals.len() > exponent {
            return Err(format!(
                "“{text}” has more decimals than {currency} has: write it like {}.",
                Self::example(currency, marks)
            ));
        }
        let minor = format!("{whole}{decimals:0<exponent$}").parse::<i64>();
        match minor {
            Ok(minor) if minor <= Self::MOST => Ok(Self { minor, currency }),
            _ => Err(format!("“{text}” is larger than any amount we keep.")),
        }
    }

    fn example(currency: Currency, marks: Marks) -> String {
        Self::units(12_000, currency).written(marks)
    }

    /// The amount without its currency, grouped: `12,000.50`; whole amounts without decimals: `12,000`.
    pub fn written(self, marks: Marks) -> String {
        let unit = self.currency.unit().unsigned_abs();
        let (whole, rest) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        let digits = whole.to_string();
        let mut text = String::with_capacity(digits.len() + 8);
        if self.minor < 0 {
            text.push('-');
        }
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(marks.group());
            }
            text.push(digit);
        }
        if rest > 0 {
            let width = self.currency.exponent() as usize;
            text.push(marks.decimal());
            let _ = write!(text, "{rest:0width$}");
        }
        text
    }

    /// For files and forms: `12000.50`, a dot, no groups, always the currency's decimals.
    pub fn plain(self) -> String {
        let exponent = self.currency.exponent();
        Decimal::new(self.minor, exponent).to_string()
    }
}

/// `12,000.50 EUR`
impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.written(Marks::Point), self.currency)
    }
}

/// Takes the currency's own code away from either end; another code is an error with both names.
fn strip_code(text: &str, currency: Currency) -> Result<&str, String> {
    let letters = |text: &str| text.chars().take_while(char::is_ascii_alphabetic).count();
    let lead = letters(text);
    let tail = text.chars().rev().take_while(char::is_ascii_alphabetic).count();
    let code = if lead == 3 {
        &text[..3]
    } else if tail == 3 {
        &text[text.len() - 3..]
    } else {
        return Ok(text);
    };
    if code.eq_ignore_ascii_case(currency.code()) {
        let rest = if lead == 3 { &text[3..] } else { &text[..text.len() - 3] };
        return Ok(rest.trim());
    }
    Err(format!("This amount is in {currency}, not in {}: enter it in {currency}.", code.to_ascii_uppercase()))
}

/// Takes well-placed group marks (the locale's, a space, a no-break space, an apostrophe) out of whole digits.
fn ungroup(whole: &str, group: char) -> Option<String> {
    let is_mark = |c: char| c == group || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    if !whole.contains(is_mark) {
        return Some(whole.to_owned());
    }
    let parts: Vec<&str> = whole.split(is_mark).collect();
    let well_placed = parts.iter().skip(1).all(|part| part.len() == 3) && (1..=3).contains(&parts[0].len());
    let marks: std::collections::BTreeSet<char> = whole.chars().filter(|c| is_mark(*c)).collect();
    (well_placed && marks.len() == 1).then(|| parts.concat())
}

/// Splits an amount in proportion to weights so that the parts add up to the whole: largest remainder,
/// ties to the earlier part. A negative amount is split as its absolute value and carries the sign.
/// All weights zero splits evenly.
pub fn split(amount: Money, weights: &[u64]) -> Vec<Money> {
    if weights.is_empty() {
        return Vec::new();
    }
    let even = weights.iter().all(|weight| *weight == 0);
    let weight = |index: usize| if even { 1 } else { u128::from(weights[index]) };
    let total: u128 = (0..weights.len()).map(weight).sum();
    let whole = u128::from(amount.minor.unsigned_abs());
    let mut parts: Vec<(u128, u128)> =
        (0..weights.len()).map(|index| (whole * weight(index) / total, whole * weight(index) % total)).collect();
    let mut left = whole - parts.iter().map(|part| part.0).sum::<u128>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(parts[*index].1), *index));
    for index in order {
        if left == 0 {
            break;
        }
        parts[index].0 += 1;
        left -= 1;
    }
    let sign = amount.minor.signum();
    parts
        .into_iter()
        .map(|(part, _)| Money { minor: sign * i64::try_from(part).unwrap_or(i64::MAX), ..amount })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let point = [
            ("12000", 1_200_000),
            ("12,000.5", 1_200_050),
            ("EUR 12 000", 1_200_000),
            ("0.01 eur", 1),
            ("1'234'567.89", 123_456_789),
        ];
        for (text, minor) in point {
            assert_eq!(Money::parse(text, Currency::EUR, Marks::Point).unwrap().minor, minor, "{text}");
        }
        assert_eq!(Money::parse("1.234,56", Currency::EUR, Marks::Comma).unwrap().minor, 123_456);
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!(Money::parse("1,500", yen, Marks::Point).unwrap().minor, 1_500);
    }

    #[test]
    fn what_is_no_amount_is_refused_with_a_way_out() {
        for text in [
            "",
            "1e3",
            "+5",
            "-5",
            "1_000",
            "NaN",
            "1.000",
            "1,00",
            "12,0000",
            "1,2 3",
            ".5",
            "5.",
            "USD 5",
            "99999999999999999999",
            "٣",
        ] {
            let problem = Money::parse(text, Currency::EUR, Marks::Point).unwrap_err();
            assert!(problem.ends_with('.'), "{text}: {problem}");
        }
    }

    #[test]
    fn a_split_adds_up() {
        let parts = |minor, weights: &[u64]| -> Vec<i64> {
            split(Money::new(minor, Currency::EUR), weights).iter().map(|part| part.minor).collect()
        };
        assert_eq!(parts(10_000, &[1, 1, 1]), [3_334, 3_333, 3_333]);
        assert_eq!(parts(1_234_567, &[60, 40]), [740_740, 493_827]);
        assert_eq!(parts(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(parts(5, &[0, 0]), [3, 2]);
    }

    #[test]
    fn a_share_never_pays_more_than_itself() {
        let third = Decimal::new(33, 2);
        assert_eq!(Money::units(9_000, Currency::EUR).share(third).unwrap().minor, 297_000);
        assert_eq!(Money::new(1, Currency::EUR).share(third).unwrap().minor, 0);
    }
}
