//! /funds/rates/file: rates from a table. What can be recorded and what cannot is shown first, line by line; nothing is
//! kept until finance says so.

use actix_web::http::StatusCode;
use askama::Template;
use domain::exchange::Rate;
use engine::rates::{RateFile, RefusedCell};
use std::collections::BTreeMap;

use super::{PATH, send};
use crate::error::{Answer, Error};
use crate::extract::{Who, show, show_as};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Field, Form, count, date_words};

/// How many lines the preview lists; all are recorded.
const LISTED: usize = 100;

#[derive(Template)]
#[template(path = "pages/funds/rates_file.html")]
struct FilePage {
    shell: Shell,
    form: Form,
    read: Option<Preview>,
}

struct Preview {
    rates: Vec<Line>,
    unlisted: usize,
    refused: Vec<RefusedCell>,
    words: String,
    /// "Record 12 rates"; `None` where no line is one.
    button: Option<String>,
    form: Form,
}

struct Line {
    day: String,
    pair: String,
    rate: String,
    /// What counts now, where it differs by more than a tenth.
    unusual: Option<String>,
    /// It counts for that day already.
    there: bool,
    /// The rate of that day it takes the place of.
    corrects: Option<String>,
}

/// GET /funds/rates/file
pub async fn show_page(who: Who) -> Answer {
    show(&page(&who, Typed::default(), None))
}

/// POST /funds/rates/preview: what the table holds; nothing is kept.
pub async fn preview(who: Who, posted: Posted) -> Answer {
    let read = text_of(&who, &posted).and_then(|text| Ok((file_of(&who, &text)?, text)));
    match read {
        Ok((file, text)) => {
            let preview = previewed(&who, &file, &text).await?;
            show(&page(&who, Typed::new(vec![("lines".to_owned(), text)]), Some(preview)))
        }
        Err(error) => again(&who, &posted, &error),
    }
}

/// POST /funds/rates/file: the rates that were shown are recorded; lines that are none are left out, as was said.
pub async fn record(who: Who, posted: Posted) -> Answer {
    let done = async {
        let text = text_of(&who, &posted)?;
        send(&who, file_of(&who, &text)?.rates, &posted).await
    };
    let done = done.await;
    who.settle(done, PATH, &posted, async |typed| Ok(page(&who, typed, None))).await
}

/// The chosen file as text where there is one, else the lines on the page.
fn text_of(who: &Who, posted: &Posted) -> Result<String, Error> {
    posted.read(who.marks(), |f: &mut Fields| {
        f.ignore("file");
        f.ignore("lines");
        Some(())
    })?;
    // A table is longer than any text people write; how long it may be is for its reader to say.
    let typed = posted.typed().value("lines").filter(|text| !text.trim().is_empty()).map(str::to_owned);
    match posted.files("file").next() {
        Some(upload) => String::from_utf8(upload.bytes.clone())
            .map_err(|_| Error::at("file", format!("“{}” is no text in UTF-8: save it as CSV.", upload.name))),
        None => typed.ok_or_else(|| Error::at("lines", "There are no rates: choose a file, or paste its lines.")),
    }
}

fn file_of(who: &Who, text: &str) -> Result<RateFile, Error> {
    who.site().engine.read_rates(text.as_bytes(), who.marks()).map_err(|why| Error::at("lines", why))
}

fn again(who: &Who, posted: &Posted, error: &Error) -> Answer {
    let typed = posted.typed().clone().with_reasons(error.reasons());
    show_as(StatusCode::UNPROCESSABLE_ENTITY, &page(who, typed, None))
}

async fn previewed(who: &Who, file: &RateFile, text: &str) -> Result<Preview, Error> {
    let now = who.reader().rates_now(who.viewer()).await?;
    let counts: BTreeMap<(&str, &str), _> =
        now.iter().map(|line| ((line.from_currency.code(), line.to_currency.code()), line.rate)).collect();
    let of_days = who.reader().rates_of_days(who.viewer(), &file.rates).await?;
    let of_day =
        |rate: &Rate| of_days.iter().find(|known| (known.from, known.to, known.day) == (rate.from, rate.to, rate.day));
    let there = file.rates.iter().filter(|rate| of_day(rate).is_some_and(|known| known == *rate)).count();
    let fresh = file.rates.len() - there;
    let line = |rate: &Rate| {
        let known = counts.get(&(rate.from.code(), rate.to.code()));
        let unusual = known.filter(|known| (rate.value - **known).abs() * rust_decimal::Decimal::TEN > **known);
        Line {
            day: date_words(rate.day),
            pair: format!("1 {} in {}", rate.from, rate.to),
            rate: rate.value.normalize().to_string(),
            unusual: unusual.map(|known| known.normalize().to_string()),
            there: of_day(rate).is_some_and(|known| known == rate),
            corrects: of_day(rate).filter(|known| *known != rate).map(|known| known.value.normalize().to_string()),
        }
    };
    let many = |number: usize| count(number as u64, "rate", "rates");
    let lines: std::collections::BTreeSet<u64> = file.refused.iter().map(|cell| cell.line).collect();
    let left_out = match lines.len() {
        0 => String::new(),
        number => format!("; {} cannot be and will be left out", count(number as u64, "line", "lines")),
    };
    Ok(Preview {
        rates: file.rates.iter().take(LISTED).map(line).collect(),
        unlisted: file.rates.len().saturating_sub(LISTED),
        refused: file.refused.iter().take(LISTED).cloned().collect(),
        words: if fresh == 0 && there > 0 {
            format!("Every rate of this table is there already{left_out}.")
        } else {
            let known = if there == 0 { String::new() } else { format!("; {there} already there") };
            format!("{} can be recorded{known}{left_out}.", many(fresh))
        },
        button: (fresh > 0).then(|| format!("Record {}", many(fresh))),
        form: who.form().with(Field::hidden("lines", text)),
    })
}

fn page(who: &Who, typed: Typed, read: Option<Preview>) -> FilePage {
    let form = who.form().with(Field::file("file", "File", ".csv,.txt").optional()).with(
        Field::area("lines", "Or its lines", 8)
            .hint("A line of names first: day, from, to, rate. Then, say, 2026-03-31, EUR, USD, 1.0825.")
            .optional(),
    );
    FilePage { shell: who.shell("Exchange rates from a file"), form: typed.onto(form), read }
}
