//! Reading a form strictly: every problem is collected, every unknown field is one, and what was typed is kept.

#![expect(clippy::option_option, reason = "the outer one is a problem already noted, the inner one an answer left out")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::str::FromStr;

use domain::Date;
use domain::fund::Attribute;
use domain::money::{Currency, Marks, Money};
use domain::refusal::Reason;
use rust_decimal::Decimal;

use crate::error::Error;

/// One line of text; longer answers have [`Fields::long_text`].
const LINE: usize = 200;
const LONG: usize = 10_000;
/// A whole program guide, its terms word for word.
const DOCUMENT: usize = 200_000;
/// An address longer than this is none (RFC 5321).
const EMAIL: usize = 254;

/// What a person typed, as it came, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pairs: Vec<(String, String)>,
    reasons: Vec<Reason>,
}

impl Typed {
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self { pairs, reasons: Vec::new() }
    }

    #[must_use]
    pub fn with_reasons(mut self, reasons: Vec<Reason>) -> Self {
        self.reasons = reasons;
        self
    }

    /// Nothing was typed: the page is opened, not shown again.
    pub fn is_blank(&self) -> bool {
        self.pairs.is_empty() && self.reasons.is_empty()
    }

    /// The first value of a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// What was typed, or else what is stored.
    pub fn or(&self, name: &str, stored: impl Into<String>) -> String {
        match self.value(name) {
            Some(typed) => typed.to_owned(),
            None if self.is_blank() => stored.into(),
            None => String::new(),
        }
    }

    pub fn has(&self, name: &str, value: &str) -> bool {
        self.pairs.iter().any(|(field, held)| field == name && held == value)
    }

    /// What is wrong with a field.
    pub fn problem(&self, name: &str) -> Option<String> {
        self.reasons.iter().find(|reason| reason.field.as_deref() == Some(name)).map(words)
    }

    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The page's form with what was typed in it and the reasons at their fields.
    #[must_use]
    pub fn onto(&self, mut form: crate::view::Form) -> crate::view::Form {
        if !self.pairs.is_empty() {
            form.fill(self.pairs());
        }
        for reason in &self.reasons {
            form.problem(reason.field.as_deref().unwrap_or(""), words(reason));
        }
        form
    }
}

fn words(reason: &Reason) -> String {
    format!("{} {}", reason.why, reason.remedy).trim().to_owned()
}

/// Reads typed fields one by one. Each reading gives the value, or notes a problem at the field and gives `None`;
/// read all of them first, then give up with `?`, so that a person hears of everything at once.
pub struct Fields<'a> {
    pairs: &'a [(String, String)],
    marks: Marks,
    taken: BTreeSet<String>,
    problems: Vec<Reason>,
}

impl<'a> Fields<'a> {
    /// Reads a whole form: `Err(Error::Invalid)` with every problem, unknown and repeated fields among them.
    pub fn read<T>(typed: &'a Typed, marks: Marks, reading: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Error> {
        let mut fields = Fields { pairs: &typed.pairs, marks, taken: BTreeSet::new(), problems: Vec::new() };
        let value = reading(&mut fields);
        fields.refuse_unknown();
        match value {
            Some(value) if fields.problems.is_empty() => Ok(value),
            _ => Err(Error::Invalid(fields.problems)),
        }
    }

    /// A required line of text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let text = self.optional_text(name)?;
        if text.is_none() {
            self.problem(name, "Fill this in.");
        }
        text
    }

    /// A line of text that may be left empty. The outer `None` is a problem already noted.
    pub fn optional_text(&mut self, name: &str) -> Option<Option<String>> {
        self.words(name, LINE, false)
    }

    /// Required text of several lines.
    pub fn long_text(&mut self, name: &str) -> Option<String> {
        let text = self.optional_long_text(name)?;
        if text.is_none() {
            self.problem(name, "Fill this in.");
        }
        text
    }

    pub fn optional_long_text(&mut self, name: &str) -> Option<Option<String>> {
        self.words(name, LONG, true)
    }

    /// A text that is as long as a file.
    pub fn optional_document(&mut self, name: &str) -> Option<Option<String>> {
        self.words(name, DOCUMENT, true)
    }

    /// Lines of `name: value`, as in `segment: enterprise`: names in small letters, each once.
    pub fn named(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let text = self.optional_long_text(name)?.unwrap_or_default();
        let mut pairs = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let split = line.split_once([':', '=']).map(|(left, right)| (Attribute::from_code(left), right.trim()));
            let Some((Some(attribute), value)) = split.filter(|(_, value)| !value.is_empty()) else {
                self.problem(name, format!("“{line}” does not read: write it like segment: enterprise."));
                return None;
            };
            if value.chars().count() > Attribute::LONGEST.1 {
                self.problem(name, format!("What stands under “{}” is too long.", attribute.code()));
                return None;
            }
            if pairs.insert(attribute.code().to_owned(), value.to_owned()).is_some() {
                self.problem(name, format!("“{}” stands there twice: keep one.", attribute.code()));
                return None;
            }
        }
        Some(pairs)
    }

    /// A field that came along and is not read.
    pub fn ignore(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// A password: taken as it is, spaces and all.
    pub fn secret(&mut self, name: &str) -> Option<String> {
        let value = self.one(name)?.to_owned();
        if value.is_empty() {
            self.problem(name, "Fill this in.");
            return None;
        }
        if value.len() > LINE {
            self.problem(name, "This is longer than any password we keep: use at most 200 characters.");
            return None;
        }
        Some(value)
    }

    /// An e-mail address, in lower case.
    pub fn email(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?.to_lowercase();
        if is_address(&text) {
            return Some(text);
        }
        self.problem(name, "Write an e-mail address like ana@example.com.");
        None
    }

    /// A day from a date box: `2026-04-30`.
    pub fn date(&mut self, name: &str) -> Option<Date> {
        let date = self.optional_date(name)?;
        if date.is_none() {
            self.problem(name, "Choose a day.");
        }
        date
    }

    pub fn optional_date(&mut self, name: &str) -> Option<Option<Date>> {
        let Some(text) = self.optional_text(name)? else { return Some(None) };
        match Date::parse_from_str(&text, "%Y-%m-%d") {
            // Years people type by accident (0206, 20266) are no plan of anyone's.
            Ok(day) if (2000..=2199).contains(&chrono::Datelike::year(&day)) => Some(Some(day)),
            _ => {
                self.problem(name, "Write a day like 2026-04-30.");
                None
            }
        }
    }

    /// An amount, with the marks this person writes amounts with.
    pub fn money(&mut self, name: &str, currency: Currency) -> Option<Money> {
        let text = self.one(name)?;
        match Money::parse(text, currency, self.marks) {
            Ok(money) => Some(money),
            Err(problem) => {
                self.problem(name, problem);
                None
            }
        }
    }

    /// An amount that may be left empty.
    pub fn optional_money(&mut self, name: &str, currency: Currency) -> Option<Option<Money>> {
        if self.peek(name).is_none_or(|text| text.trim().is_empty()) {
            self.taken.insert(name.to_owned());
            return Some(None);
        }
        self.money(name, currency).map(Some)
    }

    /// A whole number inside a range.
    pub fn whole(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let text = self.text(name)?;
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '\u{a0}')).collect();
        let value = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten();
        match value {
            Some(value) if range.contains(&value) => Some(value),
            _ => {
                self.problem(name, format!("Write a whole number from {} to {}.", range.start(), range.end()));
                None
            }
        }
    }

    /// A whole number inside a range, or nothing.
    pub fn optional_whole(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<Option<i64>> {
        if self.optional_text(name)?.is_none() { Some(None) } else { self.whole(name, range).map(Some) }
    }

    /// An exact number with decimals, not negative: `12.5`, or `12,5` for those who write so.
    pub fn decimal(&mut self, name: &str) -> Option<Decimal> {
        let text = self.text(name)?;
        let mark = if self.marks == Marks::Comma { ',' } else { '.' };
        let plain = |text: &str| !text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = match text.split_once(mark) {
            Some((whole, rest)) if plain(whole) && plain(rest) => Decimal::from_str(&format!("{whole}.{rest}")).ok(),
            None if plain(&text) => Decimal::from_str(&text).ok(),
            _ => None,
        };
        if value.is_none() {
            self.problem(name, format!("Write a number like 12{mark}5."));
        }
        value
    }

    /// A percentage as a share: `12.5` is 0.125. At most 100.
    pub fn percent(&mut self, name: &str) -> Option<Decimal> {
        let value = self.decimal(name)?;
        if value > Decimal::ONE_HUNDRED {
            self.problem(name, "Write a percentage from 0 to 100.");
            return None;
        }
        Some(value / Decimal::ONE_HUNDRED)
    }

    /// One of the choices offered.
    pub fn choice<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.one(name).unwrap_or("");
        let value = parse(text);
        if value.is_none() {
            self.problem(name, "Choose one of these.");
        }
        value
    }

    /// One of the choices offered, or none.
    pub fn optional_choice<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
        if self.peek(name).is_none_or(str::is_empty) {
            self.taken.insert(name.to_owned());
            return Some(None);
        }
        self.choice(name, parse).map(Some)
    }

    /// Anything that reads from a string: an id.
    pub fn id<T: FromStr>(&mut self, name: &str) -> Option<T> {
        self.choice(name, |text| text.parse().ok())
    }

    /// One box, posted as "yes" when ticked.
    pub fn tick(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_owned());
        self.peek(name).is_some_and(|value| value == "yes")
    }

    /// Several boxes of one name; an unknown value is a problem.
    pub fn ticks<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        self.taken.insert(name.to_owned());
        let held = self.pairs.iter().filter(|(field, _)| field == name);
        let values: Option<Vec<T>> = held.map(|(_, value)| parse(value)).collect();
        if values.is_none() {
            self.problem(name, "Choose among these.");
        }
        values
    }

    /// The rows posted under a prefix, in order: `line.0.amount`, `line.1.amount` give `[0, 1]`. At most 500.
    pub fn rows(&mut self, prefix: &str) -> Vec<u16> {
        let row = |name: &str| name.strip_prefix(prefix)?.strip_prefix('.')?.split_once('.')?.0.parse::<u16>().ok();
        let rows: BTreeSet<u16> = self.pairs.iter().filter_map(|(name, _)| row(name)).collect();
        rows.into_iter().take(500).collect()
    }

    /// Nothing was written in any of these fields; they count as read when so.
    pub fn all_empty(&mut self, names: &[&str]) -> bool {
        let empty = names.iter().all(|name| self.peek(name).is_none_or(|value| value.trim().is_empty()));
        if empty {
            self.taken.extend(names.iter().map(|name| (*name).to_owned()));
        }
        empty
    }

    /// Notes a problem at a field; an empty name stands above the form.
    pub fn problem(&mut self, name: &str, why: impl Into<String>) {
        let reason = Reason::in_one_sentence("invalid", why);
        self.problems.push(if name.is_empty() { reason } else { reason.at(name) });
    }

    fn words(&mut self, name: &str, limit: usize, lines: bool) -> Option<Option<String>> {
        let text = self.one(name)?.trim().replace("\r\n", "\n");
        if text.chars().count() > limit {
            self.problem(name, format!("This is too long: keep it under {limit} characters."));
            return None;
        }
        if text.chars().any(|c| is_unseen(c) && !(lines && matches!(c, '\n' | '\t'))) {
            self.problem(name, "This holds characters that cannot be seen: type it anew.");
            return None;
        }
        Some((!text.is_empty()).then_some(text))
    }

    fn peek(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The one value of a field; a field that was not posted reads as empty, one posted twice is a problem.
    fn one(&mut self, name: &str) -> Option<&'a str> {
        self.taken.insert(name.to_owned());
        if self.pairs.iter().filter(|(field, _)| field == name).count() > 1 {
            self.problem(name, "This was sent twice: open the page again.");
            return None;
        }
        Some(self.peek(name).unwrap_or(""))
    }

    /// A field nobody asked for is refused rather than ignored: it may be meant to change what it must not.
    fn refuse_unknown(&mut self) {
        let unknown = self.pairs.iter().find(|(name, _)| !self.taken.contains(name));
        if let Some((name, _)) = unknown
            && self.problems.is_empty()
        {
            let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            self.problem("", format!("This form has no field “{name}”: open the page again."));
        }
    }
}

/// Control characters, and marks that make a name read otherwise than it is written.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Enough to catch a slip; only a mail that arrives proves an address.
fn is_address(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let fits =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "<>()[],;:\\\"@".contains(c));
    text.len() <= EMAIL
        && fits(name)
        && fits(domain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        Typed::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn problems<T>(result: Result<T, Error>) -> Vec<Option<String>> {
        match result {
            Err(Error::Invalid(reasons)) => reasons.into_iter().map(|reason| reason.field).collect(),
            Err(other) => panic!("{other}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let typed = typed(&[
            ("title", ""),
            ("asked", "1e3"),
            ("from", "30.4.2026"),
            ("mail", "ana"),
            ("count", "7"),
            ("share", "12,5"),
        ]);
        let read = Fields::read(&typed, Marks::Point, |form| {
            let fields =
                (form.text("title"), form.money("asked", Currency::EUR), form.date("from"), form.email("mail"));
            let (count, share) = (form.whole("count", 1..=9), form.percent("share"));
            Some((fields.0?, fields.1?, fields.2?, fields.3?, count?, share?))
        });
        let at = |name: &str| Some(name.to_owned());
        assert_eq!(problems(read), [at("title"), at("asked"), at("from"), at("mail"), at("share")]);
    }

    #[test]
    fn what_nobody_asked_for_is_refused() {
        let sent = typed(&[("title", "Webinar"), ("status", "approved")]);
        assert_eq!(problems(Fields::read(&sent, Marks::Point, |form| form.text("title"))), [None]);
        let twice = typed(&[("title", "Webinar"), ("title", "Other")]);
        assert_eq!(problems(Fields::read(&twice, Marks::Point, |form| form.text("title"))), [Some("title".to_owned())]);
        for hidden in ["Nord\u{202e}wind", "Nord\u{0}wind", "Nord\u{200b}wind"] {
            let sent = typed(&[("title", hidden)]);
            assert_eq!(problems(Fields::read(&sent, Marks::Point, |form| form.text("title"))).len(), 1);
        }
    }

    #[test]
    fn rows_ticks_and_empty_fields_read_as_they_were_meant() {
        let sent = typed(&[
            ("line.1.amount", "1.234,50"),
            ("line.0.amount", "5"),
            ("role", "a"),
            ("role", "b"),
            ("note", " "),
        ]);
        let read = Fields::read(&sent, Marks::Comma, |form| {
            let rows = form.rows("line");
            let amounts: Option<Vec<i64>> =
                rows.iter().map(|row| Some(form.money(&format!("line.{row}.amount"), Currency::EUR)?.minor)).collect();
            let roles = form.ticks("role", |value| Some(value.to_owned()));
            let (note, agreed) = (form.optional_text("note"), form.tick("agreed"));
            Some((amounts?, roles?, note?, agreed))
        });
        assert_eq!(read.unwrap(), (vec![500, 123_450], vec!["a".to_owned(), "b".to_owned()], None, false));
    }
}
