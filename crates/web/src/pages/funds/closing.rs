//! /funds/{code}/closing: the period that is closed next, what closing it does to each partner, and those that are closed.

use actix_web::web::Path;
use askama::Template;
use domain::Date;
use domain::calendar::words;
use domain::fund::{Closing, FundCommand, PartnerLine};
use domain::money::{Currency, Money};
use engine::PeriodAhead;

use super::href;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Fact, Field, Form, Stats, date_words};

/// Partners shown on the page, those first to whom something happens.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "pages/funds/closing.html")]
struct ClosingPage {
    shell: Shell,
    fund: String,
    back: String,
    action: String,
    /// "Wed 1 April 2026 to Tue 30 June 2026"
    period: String,
    last: String,
    /// From when on it can be closed; empty where it can be now.
    not_before: String,
    stats: Stats,
    lines: Vec<Line>,
    more: usize,
    form: Form,
    closed: Vec<Closed>,
}

struct Line {
    partner: String,
    wallet: String,
    earned: Amount,
    /// "of 10,000 EUR: reached"
    threshold: String,
    /// Converted, lost, expired, carried over.
    gone: [Option<Amount>; 4],
    stays: Amount,
    until: String,
}

struct Closed {
    words: String,
    when: String,
    statement: String,
}

/// GET /funds/{code}/closing
pub async fn show_page(who: Who, code: Path<String>) -> Answer {
    show(&page(&who, &code, Typed::default()).await?)
}

/// POST /funds/{code}/closing
pub async fn submit(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let until = posted.read(who.marks(), |f| f.date("until"));
    let done = match until {
        Ok(until) => who.fund(&code, FundCommand::ClosePeriod { until }, &posted).await,
        Err(error) => Err(error),
    };
    let to = format!("{}/closing", href(&code));
    who.settle(done, &to, &posted, async |typed| page(&who, &code, typed).await).await
}

async fn page(who: &Who, code: &str, typed: Typed) -> Result<ClosingPage, Error> {
    let ahead = who.site().engine.period_ahead(who.viewer(), code).await?;
    let closed = who.reader().closed_periods(who.viewer(), ahead.fund.id).await?;
    let PeriodAhead { fund, closing, closable_from } = ahead;
    let form = who.form_at(fund.version).with(Field::hidden("until", closing.last.to_string()));
    let open = who.now() >= closable_from;
    let mut lines: Vec<&PartnerLine> = closing.lines.iter().collect();
    lines.sort_by_key(|line| !(gone(line).iter().any(|amount| amount.is_positive()) || line.earned.is_positive()));
    Ok(ClosingPage {
        shell: who.shell(&format!("Close a period, {}", fund.name)),
        back: href(&fund.code),
        action: format!("{}/closing", href(&fund.code)),
        period: format!("{} to {}", words(closing.first), words(closing.last)),
        last: date_words(closing.last),
        not_before: if open { String::new() } else { closable_from.format("%a %-d %B %Y, %H:%M UTC").to_string() },
        stats: stats(&closing, fund.currency),
        more: lines.len().saturating_sub(SHOWN),
        lines: lines.into_iter().take(SHOWN).map(line).collect(),
        form: typed.onto(form),
        closed: closed
            .iter()
            .map(|one| {
                let words = format!("{} to {}", words(one.first_day), words(one.last_day));
                let statement = format!("{}?on={}", href(&fund.code), one.last_day);
                Closed { words, when: date_words(one.at.date_naive()), statement }
            })
            .collect(),
        fund: fund.name,
    })
}

fn gone(line: &PartnerLine) -> [Money; 4] {
    [line.converted, line.lost, line.forfeited, line.carried]
}

/// One column of the table.
type Of = fn(&PartnerLine) -> Money;

fn stats(closing: &Closing, currency: Currency) -> Stats {
    let gone: [(&str, Of); 6] = [
        ("Earned in the period", |line| line.earned),
        ("Converted to a rebate", |line| line.converted),
        ("Lost under the threshold", |line| line.lost),
        ("Expired unused", |line| line.forfeited),
        ("Carried over", |line| line.carried),
        ("Stays with partners", |line| line.stays),
    ];
    let sum = |of: Of| Money::new(closing.lines.iter().map(|line| of(line).minor).sum(), currency);
    Stats { facts: gone.into_iter().map(|(label, of)| Fact::new(label, sum(of))).collect() }
}

fn line(line: &PartnerLine) -> Line {
    let threshold = line.threshold.map_or_else(String::new, |least| {
        let reached = if line.in_program.minor >= least.minor { "reached" } else { "not reached" };
        let all = if line.in_program == line.earned {
            String::new()
        } else {
            format!(" with {} in all funds", Amount::from(line.in_program).plain())
        };
        format!("{}: {reached}{all}", Amount::from(least).plain())
    });
    Line {
        partner: line.name.clone(),
        wallet: format!("/wallet?partner={}", line.partner),
        earned: line.earned.into(),
        threshold,
        gone: gone(line).map(|amount| amount.is_positive().then(|| amount.into())),
        stays: line.stays.into(),
        until: line.until.map_or_else(String::new, |day: Date| date_words(day)),
    }
}
