//! Exchange rates: finance records them by hand or from a file. A rate is never changed; a correction is another row for
//! the same day, and decisions made before keep the rate they were made at.

use crate::Engine;
use crate::advance::{Advanced, Submission};
use crate::error::{Error, Result};
use crate::imports::sheet::{Row, RowIs, Sheet};
use domain::Date;
use domain::exchange::Rate;
use domain::money::{Currency, Marks};
use domain::people::{Actor, Role};
use domain::refusal::Reason;
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::BTreeSet;
use std::str::FromStr;
use storage::rows::RateRow;
use uuid::Uuid;

/// The most rates recorded at once.
pub const MOST: usize = 5_000;
/// The largest file of rates, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// A file of rates as it was read: what can be recorded, and what cannot.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RateFile {
    pub rates: Vec<Rate>,
    pub refused: Vec<RefusedCell>,
}

/// Why a line of a file is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusedCell {
    /// From 1, the header counted.
    pub line: u64,
    /// The column's name in the file; empty where the whole line is meant.
    pub column: String,
    pub cell: String,
    pub why: String,
}

impl Engine {
    /// Records rates that count from now on for what is decided on their days and after. All or none: a rate that cannot
    /// be, or one pair and day twice, is [`Error::Invalid`] at its field. One that counts already for its pair and day is not
    /// recorded again; the words say how many were there. Another rate for a day that has one corrects it.
    pub async fn record_rates(&self, actor: &Actor, rates: &[Rate], once: &Submission) -> Result<Advanced> {
        if !actor.me.has(Role::Finance) || actor.me.is_partner() {
            return Err(Error::refused(
                "not_your_role",
                "Exchange rates are recorded by finance.",
                "Ask a colleague in finance.",
            ));
        }
        check(rates, self.clock.now().date_naive())?;
        self.once(actor, once, &rates, async |tx, now| {
            let counting = tx.rates_of_days(rates).await?;
            let is_known = |rate: &&Rate| counting.iter().any(|known| known == *rate);
            let fresh: Vec<Rate> = rates.iter().filter(|rate| !is_known(rate)).copied().collect();
            let there = match rates.len() - fresh.len() {
                0 => String::new(),
                known => format!(" Already there: {known}."),
            };
            if fresh.is_empty() {
                let words = format!("Nothing was recorded.{there}");
                return Ok(Advanced { number: "rates".to_owned(), version: 0, words: vec![words] });
            }
            let row = |rate: &Rate| RateRow {
                id: Uuid::now_v7(),
                from_currency: rate.from,
                to_currency: rate.to,
                day: rate.day,
                rate: rate.value.normalize(),
                recorded_at: now,
                recorded_by: actor.user(),
            };
            let rows: Vec<RateRow> = fresh.iter().map(row).collect();
            tx.insert_rates(&rows).await?;
            let words = match fresh.as_slice() {
                [rate] => format!("{} recorded {}.", actor.me.name, rate.words()),
                _ => format!("{} recorded {} exchange rates.", actor.me.name, fresh.len()),
            };
            tx.note("rates.recorded", words.clone(), json!({ "rates": fresh }), actor, now).await?;
            let words = vec![format!("{words}{there}")];
            Ok(Advanced { number: "rates".to_owned(), version: 0, words })
        })
        .await
    }

    /// Reads a table with the columns day, from, to and rate. The error is one sentence about the whole file.
    pub fn read_rates(&self, bytes: &[u8], marks: Marks) -> std::result::Result<RateFile, String> {
        if bytes.len() > MOST_BYTES {
            return Err("The file is larger than 1 MB: split it.".to_owned());
        }
        let sheet = Sheet::read(bytes)?;
        let column = |names: &[&str]| {
            let at = sheet.header.iter().position(|name| names.contains(&name.trim().to_lowercase().as_str()));
            at.ok_or_else(|| format!("The file has no column “{}”: the columns are day, from, to and rate.", names[0]))
        };
        let places = [column(&["day", "date"])?, column(&["from"])?, column(&["to"])?, column(&["rate"])?];
        let today = self.clock.now().date_naive();
        let mut file = RateFile::default();
        let mut seen = BTreeSet::new();
        for row in sheet.rows() {
            if row.is == RowIs::Aside {
                continue;
            }
            match read_row(&row, &sheet.header, places, today, marks) {
                Err(refused) => file.refused.extend(refused),
                Ok(rate) if !seen.insert((rate.day, rate.from.code(), rate.to.code())) => {
                    let why =
                        format!("{} to {} is there for that day already: keep one of the two.", rate.from, rate.to);
                    file.refused.push(refused(&row, &sheet.header, places[0], why));
                }
                Ok(_) if file.rates.len() == MOST => {
                    return Err(format!("The file has more than {MOST} rates: split it."));
                }
                Ok(rate) => file.rates.push(rate),
            }
        }
        Ok(file)
    }
}

fn check(rates: &[Rate], today: Date) -> Result<()> {
    if rates.is_empty() || rates.len() > MOST {
        return Err(Error::invalid("rates", format!("{} rates were sent.", rates.len()), format!("Send 1 to {MOST}.")));
    }
    let mut reasons: Vec<Reason> = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, rate) in rates.iter().enumerate() {
        let at = |reason: Reason| match reason.field.clone().filter(|_| rates.len() > 1) {
            Some(field) => reason.at(&format!("rates.{index}.{field}")),
            None => reason,
        };
        reasons.extend(rate.problems(today).into_iter().map(at));
        if !seen.insert((rate.day, rate.from.code(), rate.to.code())) {
            let why = format!("{} to {} comes twice for {}.", rate.from, rate.to, domain::calendar::words(rate.day));
            reasons.push(at(Reason::new("exchange_rate", why, "Keep one of the two.").at("day")));
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Error::Invalid(reasons)) }
}

fn refused(row: &Row, header: &[String], place: usize, why: String) -> RefusedCell {
    let column = header.get(place).cloned().unwrap_or_default();
    RefusedCell { line: row.line, column, cell: row.cell(place).to_owned(), why }
}

/// One line: its rate, or every cell that keeps it from being one.
fn read_row(
    row: &Row,
    header: &[String],
    places: [usize; 4],
    today: Date,
    marks: Marks,
) -> std::result::Result<Rate, Vec<RefusedCell>> {
    if let RowIs::Broken(why) = &row.is {
        return Err(vec![RefusedCell { line: row.line, column: String::new(), cell: String::new(), why: why.clone() }]);
    }
    let [day, from, to, value] = places.map(|place| row.cell(place));
    let mut wrong = Vec::new();
    let mut say = |place: usize, why: String| wrong.push(refused(row, header, place, why));
    let day = Date::from_str(day).ok();
    if day.is_none() {
        say(places[0], "This is no day: write it like 2026-03-31.".to_owned());
    }
    let mut currency = |at: usize, code: &str| {
        let known = Currency::from_code(code);
        if known.is_none() {
            say(places[at], "This is no currency code: write three letters, such as EUR.".to_owned());
        }
        known
    };
    let (from, to) = (currency(1, from), currency(2, to));
    let number = decimal(value, marks);
    if number.is_none() {
        say(places[3], "This is no rate: write a number above zero, like 1.0825.".to_owned());
    }
    let (Some(day), Some(from), Some(to), Some(value)) = (day, from, to, number) else { return Err(wrong) };
    let rate = Rate { from, to, day, value };
    for reason in rate.problems(today) {
        let at = ["day", "from", "to", "rate"].iter().position(|name| reason.field.as_deref() == Some(*name));
        say(places[at.unwrap_or(3)], format!("{} {}", reason.why, reason.remedy));
    }
    if wrong.is_empty() { Ok(rate) } else { Err(wrong) }
}

/// A number as people write it; a mark that could group thousands is not taken for the decimal one.
fn decimal(text: &str, marks: Marks) -> Option<Decimal> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, rest) = match (text.split_once('.'), text.split_once(','), marks) {
        (Some(parts), None, Marks::Point) | (None, Some(parts), Marks::Comma) => parts,
        (Some((whole, rest)), None, Marks::Comma) if rest.len() != 3 => (whole, rest),
        (None, None, _) => (text, "0"),
        _ => return None,
    };
    if !digits(whole) || !digits(rest) || text.len() > 24 {
        return None;
    }
    Decimal::from_str(&format!("{whole}.{rest}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_could_mean_thousands_is_not_read_as_decimals() {
        let read = |text, marks| decimal(text, marks).map(|value| value.normalize().to_string());
        assert_eq!(read("1.0825", Marks::Point).as_deref(), Some("1.0825"));
        assert_eq!(read("1,0825", Marks::Comma).as_deref(), Some("1.0825"));
        assert_eq!(read("1.0825", Marks::Comma).as_deref(), Some("1.0825"));
        assert_eq!(read("165", Marks::Point).as_deref(), Some("165"));
        for (text, marks) in [
            ("1,080", Marks::Point),
            ("1.080", Marks::Comma),
            ("1,080.5", Marks::Point),
            ("-1", Marks::Point),
            ("1e3", Marks::Point),
            ("", Marks::Point),
        ] {
            assert_eq!(read(text, marks), None, "{text}");
        }
    }
}
