//! Money, dates, shares and counts, as people read them.

use std::fmt::{self, Display, Formatter};

use askama::filters::{Html, HtmlSafe, escape};
use chrono::{Datelike, NaiveDate};
use domain::calendar::{distance, words};
use domain::money::Money;
use rust_decimal::Decimal;

/// An amount of money for showing: grouped figure, small currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    number: String,
    currency: String,
    negative: bool,
}

impl Amount {
    /// `minor` counts the currency's smallest unit, `exponent` is its number of decimals (EUR 2, JPY 0, KWD 3).
    /// Decimals are left away when they are all zero.
    pub fn new(minor: i64, exponent: u32, currency: &str) -> Self {
        let exact = Self::exact(minor, exponent, currency);
        let whole = match exact.number.split_once('.') {
            Some((whole, decimals)) if decimals.bytes().all(|digit| digit == b'0') => whole.to_owned(),
            _ => exact.number,
        };
        Self { number: whole, ..exact }
    }

    /// As [`Amount::new`], with every decimal: for ledgers and payments, where columns must line up.
    pub fn exact(minor: i64, exponent: u32, currency: &str) -> Self {
        let unit = 10_u64.pow(exponent.min(18));
        let size = minor.unsigned_abs();
        let mut number = grouped_unsigned(size / unit);
        if exponent > 0 {
            let width = exponent as usize;
            number = format!("{number}.{:0width$}", size % unit);
        }
        if minor < 0 {
            number.insert(0, MINUS);
        }
        Self { number, currency: currency.to_owned(), negative: minor < 0 }
    }

    /// A sum of money to the whole unit, half away from zero: for dashboards, where cents are noise.
    pub fn rounded(money: Money) -> Self {
        let unit = 10_i64.pow(money.currency.exponent());
        let half = if money.minor < 0 { -(unit / 2) } else { unit / 2 };
        Self::new(money.minor.saturating_add(half) / unit * unit, money.currency.exponent(), money.currency.code())
    }

    /// A sum of money with every decimal.
    pub fn exactly(money: Money) -> Self {
        Self::exact(money.minor, money.currency.exponent(), money.currency.code())
    }

    /// "12,000 EUR", for buttons, titles and mails.
    pub fn plain(&self) -> String {
        format!("{}\u{a0}{}", self.number, self.currency)
    }

    /// "12,000", for columns whose head names the currency.
    pub fn number(&self) -> &str {
        &self.number
    }

    pub fn currency(&self) -> &str {
        &self.currency
    }
}

/// Screen readers say "minus" for this one and are silent on a hyphen.
const MINUS: char = '\u{2212}';

impl Display for Amount {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let class = if self.negative { "money minus" } else { "money" };
        let currency = escaped(&self.currency);
        write!(f, r#"<span class="{class}">{} <span class="cur">{currency}</span></span>"#, self.number)
    }
}

impl HtmlSafe for Amount {}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self::new(money.minor, money.currency.exponent(), money.currency.code())
    }
}

/// Text made harmless for HTML, for the parts that write their own markup.
pub(super) fn escaped(text: &str) -> impl Display {
    let Ok(safe) = escape(text, Html);
    safe
}

/// "12,345" or "−12,345".
pub fn grouped(number: i64) -> String {
    let digits = grouped_unsigned(number.unsigned_abs());
    if number < 0 { format!("{MINUS}{digits}") } else { digits }
}

fn grouped_unsigned(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 cycle", "12 cycles".
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped_unsigned(number), if number == 1 { one } else { many })
}

/// Part of a whole in percent with `decimals` places, rounded half away from zero; `None` when there is no whole.
pub fn percent(part: i64, whole: i64, decimals: u32) -> Option<String> {
    if whole == 0 {
        return None;
    }
    let scale = 10_i128.pow(decimals.min(6));
    let (part, whole) = (i128::from(part) * 100 * scale, i128::from(whole));
    let negative = (part < 0) != (whole < 0) && part != 0;
    let (part, whole) = (part.unsigned_abs(), whole.unsigned_abs());
    let rounded = (2 * part + whole) / (2 * whole);
    let scale = scale.unsigned_abs();
    let whole_part = grouped_unsigned(u64::try_from(rounded / scale).unwrap_or(u64::MAX));
    let sign = if negative && rounded > 0 { "\u{2212}" } else { "" };
    Some(if decimals == 0 {
        format!("{sign}{whole_part}\u{a0}%")
    } else {
        format!("{sign}{whole_part}.{:0width$}\u{a0}%", rounded % scale, width = decimals.min(6) as usize)
    })
}

/// A percentage as people read it: "1,234.5 %", without trailing zeros.
pub fn percent_words(percent: Decimal) -> String {
    let size = percent.abs().normalize().to_string();
    let (whole, rest) = size.split_once('.').map_or((size.as_str(), ""), |(whole, rest)| (whole, rest));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped_unsigned);
    let sign = if percent.is_sign_negative() && !percent.is_zero() { "\u{2212}" } else { "" };
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{sign}{whole}{dot}{rest}\u{a0}%")
}

/// A percentage that says of what: "104 % (104 of 100)".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub part: i64,
    pub whole: i64,
}

impl Display for Share {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (part, whole) = (grouped(self.part), grouped(self.whole));
        match percent(self.part, self.whole, 0) {
            Some(share) => {
                write!(f, r#"<span class="nowrap">{share} <span class="cur">{part} of {whole}</span></span>"#)
            }
            None => write!(f, r#"<span class="nowrap">{part} <span class="cur">of none planned</span></span>"#),
        }
    }
}

impl HtmlSafe for Share {}

/// "30 Apr", with the year when it is another one than today's.
pub fn short_date(date: NaiveDate, today: NaiveDate) -> String {
    date.format(if date.year() == today.year() { "%-d %b" } else { "%-d %b %Y" }).to_string()
}

/// A deadline seen from a day: says the date, the distance, and whether it presses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub on: NaiveDate,
    pub today: NaiveDate,
}

impl Due {
    /// A deadline counts as near from this many days ahead.
    const SOON_DAYS: i64 = 3;

    pub fn is_late(&self) -> bool {
        self.on < self.today
    }

    fn class(self) -> &'static str {
        match (self.on - self.today).num_days() {
            days if days < 0 => "due late",
            days if days <= Self::SOON_DAYS => "due soon",
            _ => "due",
        }
    }

    fn overdue(self) -> Option<String> {
        let days = u64::try_from((self.today - self.on).num_days()).ok().filter(|days| *days > 0)?;
        Some(format!("{} overdue", count(days, "day", "days")))
    }

    /// "Thu 30 April 2026, in 9 days" without markup.
    pub fn plain(self) -> String {
        let distance = self.overdue().unwrap_or_else(|| distance(self.on, self.today));
        format!("{}, {distance}", words(self.on))
    }

    /// For lists: "in 9 days", "2 days overdue"; the date itself as the tooltip.
    pub fn brief(self) -> DueBrief {
        DueBrief(self)
    }
}

impl Display for Due {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, r#"<time class="{}" datetime="{}">{}</time>"#, self.class(), self.on, self.plain())
    }
}

impl HtmlSafe for Due {}

/// See [`Due::brief`].
#[derive(Clone, Copy, Debug)]
pub struct DueBrief(Due);

impl Display for DueBrief {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let due = self.0;
        let nearness = due.overdue().unwrap_or_else(|| format!("due {}", distance(due.on, due.today)));
        write!(f, r#"<time class="{}" datetime="{}" title="{}">{nearness}</time>"#, due.class(), due.on, words(due.on))
    }
}

impl HtmlSafe for DueBrief {}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn amounts_group_and_keep_what_matters() {
        let cases = [
            (1_200_000, 2, "12,000", "12,000.00"),
            (1_200_050, 2, "12,000.50", "12,000.50"),
            (-5, 2, "−0.05", "−0.05"),
            (1_234_567, 0, "1,234,567", "1,234,567"),
            (1_000, 3, "1", "1.000"),
            (0, 2, "0", "0.00"),
            (i64::MIN, 2, "−92,233,720,368,547,758.08", "−92,233,720,368,547,758.08"),
        ];
        for (minor, exponent, short, exact) in cases {
            assert_eq!(Amount::new(minor, exponent, "EUR").number(), short);
            assert_eq!(Amount::exact(minor, exponent, "EUR").number(), exact);
        }
        assert_eq!(
            Amount::new(450_000, 2, "EUR").to_string(),
            r#"<span class="money">4,500 <span class="cur">EUR</span></span>"#
        );
    }

    #[test]
    fn shares_round_half_away_from_zero_and_need_a_whole() {
        assert_eq!(percent(38_000, 100_000, 0).as_deref(), Some("38\u{a0}%"));
        assert_eq!(percent(1, 8, 0).as_deref(), Some("13\u{a0}%"));
        assert_eq!(percent(-1, 8, 1).as_deref(), Some("−12.5\u{a0}%"));
        assert_eq!(percent(6_135, 1_000, 1).as_deref(), Some("613.5\u{a0}%"));
        assert_eq!(percent(1, 0, 0), None);
    }

    #[test]
    fn deadlines_say_how_near_they_are() {
        let today = day("2026-04-21");
        let due = |on: &str| Due { on: day(on), today };
        assert_eq!(due("2026-04-30").plain(), "Thu 30 April 2026, in 9 days");
        assert_eq!(due("2026-04-22").plain(), "Wed 22 April 2026, tomorrow");
        assert_eq!(due("2026-04-19").plain(), "Sun 19 April 2026, 2 days overdue");
        assert!(due("2026-04-20").brief().to_string().contains(">1 day overdue<"));
        assert!(due("2026-04-24").to_string().contains("due soon"));
    }
}
