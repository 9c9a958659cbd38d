//! /funds/rates: the exchange rates that count, every rate that was recorded, and finance's way to enter another one.

pub mod file;

use actix_web::web::Query;
use askama::Template;
use domain::Date;
use domain::exchange::{OLDEST_DAYS, Rate};
use domain::money::Currency;
use domain::people::Role;
use serde::Deserialize;
use storage::read::{Paging, RateLine};

use crate::error::{Answer, Error};
use crate::extract::{Done, Who, finish, once, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Badge, Field, Form, Pager, Tone, count, date_words};

pub const PATH: &str = "/funds/rates";
/// More would push the form far down on a telephone.
const ROWS: u16 = 20;

#[derive(Template)]
#[template(path = "pages/funds/rates.html")]
struct RatesPage {
    shell: Shell,
    now: Vec<Row>,
    all: Vec<Row>,
    pager: Option<Pager>,
    /// For finance.
    form: Option<Form>,
}

struct Row {
    /// "1 EUR in USD"
    pair: String,
    rate: String,
    day: String,
    /// "today", "12 days old"
    age: String,
    state: Option<Badge>,
    by: String,
    recorded: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    after: String,
}

/// GET /funds/rates?after=
pub async fn show_page(who: Who, asked: Query<Asked>) -> Answer {
    show(&page(&who, &asked, Typed::default()).await?)
}

/// POST /funds/rates: one rate, entered by hand.
pub async fn record(who: Who, posted: Posted) -> Answer {
    let done = async {
        let rate = posted.read(who.marks(), read)?;
        send(&who, vec![rate], &posted).await
    };
    let done = done.await;
    who.settle(done, PATH, &posted, async |typed| page(&who, &Asked::default(), typed).await).await
}

/// Records rates, once per submission.
async fn send(who: &Who, rates: Vec<Rate>, posted: &Posted) -> Result<Done, Error> {
    let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(posted));
    finish(async move { engine.record_rates(&actor, &rates, &once).await }).await.map(Done::from)
}

fn read(f: &mut Fields) -> Option<Rate> {
    let (from, to) = (currency(f, "from"), currency(f, "to"));
    let (day, value) = (f.date("day"), f.decimal("rate"));
    Some(Rate { from: from?, to: to?, day: day?, value: value? })
}

fn currency(f: &mut Fields, name: &str) -> Option<Currency> {
    let text = f.text(name)?;
    let known = Currency::from_code(&text);
    if known.is_none() {
        f.problem(name, format!("“{text}” is no currency code: write three letters, such as EUR."));
    }
    known
}

async fn page(who: &Who, asked: &Asked, typed: Typed) -> Result<RatesPage, Error> {
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: ROWS };
    let now = who.reader().rates_now(who.viewer()).await?;
    let all = who.reader().rates(who.viewer(), &paging).await?;
    let pager = (all.next.is_some() || !asked.after.is_empty()).then(|| Pager {
        words: count(all.rows.len() as u64, "rate on this page", "rates on this page"),
        previous: (!asked.after.is_empty()).then(|| PATH.to_owned()),
        next: all.next.as_ref().map(|next| format!("{PATH}?after={next}")),
    });
    let today = who.today();
    Ok(RatesPage {
        shell: who.shell("Exchange rates"),
        now: now.iter().map(|line| row(line, today, true)).collect(),
        all: all.rows.iter().map(|line| row(line, today, false)).collect(),
        pager,
        form: who.has(Role::Finance).then(|| typed.onto(form(who))),
    })
}

fn form(who: &Who) -> Form {
    who.form()
        .with(Field::text("from", "One unit of").hint("The currency requests are made in: EUR."))
        .with(Field::text("to", "Is worth in").hint("The currency the fund is kept in: USD."))
        .with(Field::number("rate", "Rate").hint("Units of the second currency for one of the first."))
        .with(Field::date("day", "On").value_is(who.today().to_string()))
}

fn row(line: &RateLine, today: Date, counts: bool) -> Row {
    let days = (today - line.day).num_days().max(0);
    let state = if counts && days > i64::from(OLDEST_DAYS) {
        Some(Badge::new(Tone::Bad, "Too old"))
    } else if line.corrections > 0 {
        Some(Badge::new(Tone::Off, "Corrected later"))
    } else {
        None
    };
    Row {
        pair: format!("1 {} in {}", line.from_currency, line.to_currency),
        rate: line.rate.normalize().to_string(),
        day: date_words(line.day),
        age: match days {
            0 => "today".to_owned(),
            days => format!("{} old", count(days.unsigned_abs(), "day", "days")),
        },
        state,
        by: line.by_name.clone(),
        recorded: date_words(line.recorded_at.date_naive()),
    }
}
