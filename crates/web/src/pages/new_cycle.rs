//! /cycles/new: opens a cycle for a partner, a program and a quarter.

use actix_web::web::Query;
use askama::Template;
use chrono::{Datelike, Months};
use domain::Date;
use domain::calendar::quarter;
use domain::cycle::Cycle;
use domain::ids::{PartnerId, ProgramId};
use domain::money::Currency;
use engine::NewCycle;
use serde::Deserialize;
use std::collections::BTreeMap;
use storage::WhichCycle;
use storage::rows::Program;

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Choice, Field, Form, date_words};

/// The quarter under way and those after it.
const QUARTERS: u32 = 5;

#[derive(Template)]
#[template(path = "pages/new_cycle.html")]
struct NewCyclePage {
    shell: Shell,
    form: Form,
    /// The ended cycle this one starts as a copy of: its number and title.
    copied: Option<(String, String)>,
}

#[derive(Deserialize)]
pub struct Asked {
    /// The number of an ended cycle to start from.
    copy: Option<String>,
}

/// GET /cycles/new
pub async fn show_form(who: Who, asked: Query<Asked>) -> Answer {
    show(&page(&who, asked.copy.as_deref().unwrap_or(""), Typed::default()).await?)
}

/// POST /cycles/new
pub async fn submit(who: Who, posted: Posted) -> Answer {
    let copy = posted.typed().value("copy").unwrap_or("").to_owned();
    let done = async {
        let new = read(&who, &posted).await?;
        who.open_cycle(new, &posted).await
    };
    match done.await {
        Ok(done) => who.redirect(&format!("/cycles/{}", done.number), &done.words),
        Err(error) => crate::extract::again(error, &posted, async |typed| page(&who, &copy, typed).await).await,
    }
}

async fn read(who: &Who, posted: &Posted) -> Result<NewCycle, Error> {
    let (own, today) = (who.actor().me.partner, who.today());
    let (mut new, copy) = posted.read(who.marks(), |f| {
        let partner = own.or_else(|| f.id::<PartnerId>("partner"));
        let program = f.id::<ProgramId>("program");
        let (title, copy) = (f.text("title"), f.optional_text("copy"));
        let from = f.choice("period", |code| quarters(today).into_iter().find(|from| from.to_string() == code));
        let from = from?;
        let currency = f.choice("currency", |code| match code {
            "" => Some(None),
            code => Currency::from_code(code).map(Some),
        })?;
        let (partner, program, title, to) = (partner?, program?, title?, last_day(from));
        Some((NewCycle { partner, program, title, from, to, currency, copy_of: None }, copy?))
    })?;
    if let Some(number) = copy {
        new.copy_of = Some(ended(who, &number).await?.id);
    }
    Ok(new)
}

async fn ended(who: &Who, number: &str) -> Result<Cycle, Error> {
    let cycle = who.reader().cycle(who.viewer(), WhichCycle::Number(number)).await?;
    if cycle.stage.is_end() { Ok(cycle) } else { Err(Error::NotFound) }
}

async fn page(who: &Who, copy: &str, typed: Typed) -> Result<NewCyclePage, Error> {
    let copied = if copy.is_empty() { None } else { Some(ended(who, copy).await?) };
    let programs = who.reader().programs(who.viewer()).await?;
    let mut form = who.form();
    if who.actor().me.partner.is_none() {
        let partners = who.reader().partner_names(who.viewer()).await?;
        let choices = partners.iter().map(|(id, name)| Choice::new(id.to_string(), name)).collect();
        let chosen = copied.as_ref().map_or_else(String::new, |cycle| cycle.partner.to_string());
        form = form.with(Field::select("partner", "Partner", choices).value_is(chosen));
    }
    let choices = programs.iter().map(|program| Choice::new(program.id.to_string(), &program.name)).collect();
    let chosen = copied.as_ref().map_or_else(String::new, |cycle| cycle.program.to_string());
    let others = other_currencies(who, &programs).await?;
    let title = copied.as_ref().map_or("", |cycle| &cycle.title);
    let mut form = form.with(Field::select("program", "Program", choices).value_is(chosen));
    if !others.is_empty() {
        let kept = copied.as_ref().map_or_else(String::new, |cycle| cycle.currency.code().to_owned());
        let kept = if others.iter().any(|choice| choice.value == kept) { kept } else { String::new() };
        let own = Choice::new("", "The program's own");
        let choices = [vec![own], others].concat();
        form = form.with(
            Field::select("currency", "Currency", choices)
                .hint("What you plan, ask and claim in. Amounts of the guide count at the rate recorded last.")
                .optional()
                .value_is(kept),
        );
    }
    let form = form
        .with(Field::text("title", "Title").hint("What it is about, such as “Cloud security, Q3”.").value_is(title))
        .with(Field::radios("period", "Period", periods(who.today())).value_is(quarters(who.today())[0].to_string()))
        .with(Field::hidden("copy", copied.as_ref().map_or("", |cycle| &cycle.number)));
    Ok(NewCyclePage {
        shell: who.shell("Start a cycle"),
        form: typed.onto(form),
        copied: copied.map(|cycle| (cycle.number, cycle.title)),
    })
}

/// Currencies beside its own in which a program takes requests.
async fn other_currencies(who: &Who, programs: &[Program]) -> Result<Vec<Choice>, Error> {
    let mut found: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
    for program in programs {
        let guide = who.reader().guide_on(who.viewer(), program.id, who.today()).await?;
        for currency in who.site().engine.guide(&guide)?.currencies().into_iter().skip(1) {
            found.entry(currency.code()).or_default().push(&program.name);
        }
    }
    let choice = |(code, names): (&str, Vec<&str>)| Choice::new(code, format!("{code}, in {}", names.join(", ")));
    Ok(found.into_iter().map(choice).collect())
}

fn periods(today: Date) -> Vec<Choice> {
    let choice = |from: Date| {
        let days = format!("{} to {}", date_words(from), date_words(last_day(from)));
        Choice::new(from.to_string(), quarter(from)).hint(days)
    };
    quarters(today).into_iter().map(choice).collect()
}

/// First days of the quarter under way and the ones after it; never empty.
fn quarters(today: Date) -> Vec<Date> {
    let month = today.month0() / 3 * 3 + 1;
    let first = Date::from_ymd_opt(today.year(), month, 1).unwrap_or(today);
    (0..QUARTERS).filter_map(|index| first.checked_add_months(Months::new(index * 3))).collect()
}

fn last_day(from: Date) -> Date {
    from.checked_add_months(Months::new(3)).and_then(|next| next.pred_opt()).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_opened_for_a_whole_quarter() {
        let day = |text: &str| text.parse::<Date>().expect("a date");
        let quarters = quarters(day("2026-11-22"));
        assert_eq!(quarters[0], day("2026-10-01"));
        assert_eq!(last_day(quarters[0]), day("2026-12-31"));
        assert_eq!(
            quarters.iter().map(|from| quarter(*from)).collect::<Vec<_>>(),
            ["Q4 2026", "Q1 2027", "Q2 2027", "Q3 2027", "Q4 2027"]
        );
    }
}
