//! /funds/{code}/statement, /wallet/statement: what was there before the first day, what moved, what was there at the
//! end of the last, for a fund or a partner and any two days.

use actix_web::web::{Path, Query};
use askama::Template;
use chrono::{Datelike, Days};
use domain::Date;
use domain::ids::PartnerId;
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use serde::Deserialize;
use std::collections::BTreeMap;
use storage::read::{Movement, MovementsOf, Paging};

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::pages::imports::csv;
use crate::shell::Shell;
use crate::view::{Amount, Crumbs, Pager, capital, count, cycle_href, date_words};

#[derive(Template)]
#[template(path = "pages/statement.html")]
struct StatementPage {
    shell: Shell,
    crumbs: Crumbs,
    whose: String,
    /// Carried along by the form: the partner, for the vendor's people.
    partner: Option<String>,
    action: String,
    /// The same days as a table.
    table: String,
    from: String,
    to: String,
    from_words: String,
    to_words: String,
    balances: Vec<Balance>,
    lines: Vec<Line>,
    pager: Option<Pager>,
}

/// One kind of account, before the first day, after the last, and what lies between.
struct Balance {
    fund: String,
    kind: String,
    opening: Amount,
    change: Amount,
    closing: Amount,
}

struct Line {
    when: String,
    words: String,
    fund: String,
    way: String,
    cycle: Option<(String, String)>,
    amount: Amount,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    partner: String,
    from: String,
    to: String,
    after: String,
}

impl Asked {
    /// The days asked for, from the month's first to today where nothing is said; a day that does not read is said so.
    pub fn days(from: &str, to: &str, today: Date) -> Result<(Date, Date), Error> {
        let read = |text: &str, otherwise: Date| match text {
            "" => Ok(otherwise),
            text => text.parse::<Date>().map_err(|_| {
                Error::BadRequest(format!("“{text}” is no day: write it like {today}, from and to both."))
            }),
        };
        let (from, to) = (read(from, today.with_day(1).unwrap_or(today))?, read(to, today)?);
        if from > to || from.year() < 1970 || to.year() > 9000 {
            return Err(Error::BadRequest(
                "The first day is after the last: choose them the other way round.".to_owned(),
            ));
        }
        Ok((from, to))
    }
}

/// The address of a partner's statement.
pub fn of_partner(partner: PartnerId) -> String {
    format!("/wallet/statement?partner={partner}")
}

/// What is in a kind of account, by fund: minor units.
type Held = BTreeMap<(String, &'static str), (Currency, i64)>;

/// GET /funds/{code}/statement?from=2026-01-01&to=2026-03-31
pub async fn of_fund(who: Who, code: Path<String>, asked: Query<Asked>) -> Answer {
    let (from, to) = Asked::days(&asked.from, &asked.to, who.today())?;
    let reader = who.reader();
    let fund = reader.fund(who.viewer(), &code).await?;
    let on = async |day: Date| -> Result<Held, Error> {
        let totals = reader.fund_totals_on(who.viewer(), fund.id, day).await?;
        let held = totals.into_iter().filter(|total| total.fund_id == fund.id);
        Ok(held.map(|total| ((fund.name.clone(), total.kind.code()), (fund.currency, total.total))).collect())
    };
    let (opening, closing) = (on(before(from)).await?, on(to).await?);
    let href = super::funds::href(&fund.code);
    let crumbs = vec![
        ("Funds".to_owned(), "/funds".to_owned()),
        (fund.name.clone(), href.clone()),
        ("Statement".to_owned(), format!("{href}/statement")),
    ];
    let seen = Seen { whose: fund.name.clone(), crumbs, action: format!("{href}/statement"), days: (from, to) };
    show(&page(&who, seen, &asked, MovementsOf::Fund(fund.id), (opening, closing)).await?)
}

/// GET /funds/{code}/statement.csv?from=2026-01-01&to=2026-03-31
pub async fn fund_csv(who: Who, code: Path<String>, asked: Query<Asked>) -> Answer {
    let days = Asked::days(&asked.from, &asked.to, who.today())?;
    let fund = who.reader().fund(who.viewer(), &code).await?;
    let bytes = who.site().engine.statement_csv(who.viewer(), MovementsOf::Fund(fund.id), days).await?;
    Ok(csv(&file_name(&fund.code, days), bytes))
}

/// GET /wallet/statement.csv?from=2026-01-01&to=2026-03-31
pub async fn wallet_csv(who: Who, asked: Query<Asked>) -> Answer {
    let days = Asked::days(&asked.from, &asked.to, who.today())?;
    let partner = who.whose(&asked.partner)?;
    let bytes = who.site().engine.statement_csv(who.viewer(), MovementsOf::Partner(partner), days).await?;
    Ok(csv(&file_name("wallet", days), bytes))
}

/// What a downloaded statement is called.
pub fn file_name(whose: &str, (from, to): (Date, Date)) -> String {
    format!("statement-{}-{from}-{to}.csv", whose.to_lowercase())
}

/// GET /wallet/statement?from=2026-01-01&to=2026-03-31
pub async fn of_wallet(who: Who, asked: Query<Asked>) -> Answer {
    let (from, to) = Asked::days(&asked.from, &asked.to, who.today())?;
    let (own, partner) = (who.actor().me.is_partner(), who.whose(&asked.partner)?);
    let reader = who.reader();
    let name = reader.partner(who.viewer(), partner).await?.name;
    let on = async |day: Date| -> Result<Held, Error> {
        let sums = reader.wallet_sums_on(who.viewer(), partner, day).await?;
        Ok(sums.into_iter().map(|sum| ((sum.fund_name, sum.kind.code()), (sum.currency, sum.amount.minor))).collect())
    };
    let (opening, closing) = (on(before(from)).await?, on(to).await?);
    let wallet = if own { "/wallet".to_owned() } else { format!("/wallet?partner={partner}") };
    let crumbs = vec![("Wallet".to_owned(), wallet), ("Statement".to_owned(), of_partner(partner))];
    let seen = Seen { whose: name, crumbs, action: "/wallet/statement".to_owned(), days: (from, to) };
    show(&page(&who, seen, &asked, MovementsOf::Partner(partner), (opening, closing)).await?)
}

fn before(day: Date) -> Date {
    day.checked_sub_days(Days::new(1)).unwrap_or(day)
}

struct Seen {
    whose: String,
    crumbs: Vec<(String, String)>,
    action: String,
    days: (Date, Date),
}

async fn page(
    who: &Who,
    seen: Seen,
    asked: &Asked,
    of: MovementsOf,
    (opening, closing): (Held, Held),
) -> Result<StatementPage, Error> {
    let (from, to) = seen.days;
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: 100 };
    let moved = who.reader().movements(who.viewer(), of, (Some(from), Some(to)), &paging).await?;
    let partner = (!asked.partner.is_empty() && !who.actor().me.is_partner()).then(|| asked.partner.clone());
    Ok(StatementPage {
        shell: who.shell(&format!("Statement, {}", seen.whose)),
        crumbs: Crumbs { crumbs: seen.crumbs },
        table: address(&format!("{}.csv", seen.action), partner.as_deref(), (from, to), ""),
        pager: pager(&seen.action, partner.as_deref(), (from, to), asked, moved.next.as_deref(), moved.rows.len()),
        whose: seen.whose,
        partner,
        action: seen.action,
        from_words: date_words(from),
        to_words: date_words(to),
        from: from.to_string(),
        to: to.to_string(),
        balances: balances(&opening, &closing),
        lines: moved.rows.into_iter().map(line).collect(),
    })
}

fn balances(opening: &Held, closing: &Held) -> Vec<Balance> {
    let place = |kind: &str| AccountKind::ALL.iter().position(|other| other.code() == kind);
    let mut keys: Vec<&(String, &'static str)> = opening.keys().chain(closing.keys()).collect();
    keys.sort_by_key(|(fund, kind)| (fund.clone(), place(kind)));
    keys.dedup();
    let row = |key: &&(String, &'static str)| {
        let (currency, _) = opening.get(*key).or_else(|| closing.get(*key))?;
        let held = |at: &Held| at.get(*key).map_or(0, |(_, minor)| *minor);
        let (old, new) = (held(opening), held(closing));
        let amount = |minor| Amount::exactly(Money::new(minor, *currency));
        (old != 0 || new != 0).then(|| Balance {
            fund: key.0.clone(),
            kind: capital(key.1),
            opening: amount(old),
            change: amount(new - old),
            closing: amount(new),
        })
    };
    keys.iter().filter_map(row).collect()
}

fn line(line: Movement) -> Line {
    let way = format!("{} → {}", capital(line.from_kind.code()), capital(line.to_kind.code()));
    Line {
        when: line.at.format("%a %-d %B %Y").to_string(),
        words: if line.words.is_empty() { way.clone() } else { line.words },
        fund: line.fund,
        way,
        cycle: line.number.map(|number| (cycle_href(&number), number)),
        amount: Amount::exactly(line.amount),
    }
}

fn address(action: &str, partner: Option<&str>, (from, to): (Date, Date), after: &str) -> String {
    let (from, to) = (from.to_string(), to.to_string());
    let set = [("partner", partner.unwrap_or("")), ("from", &from), ("to", &to), ("after", after)];
    let set = set.into_iter().filter(|(_, value)| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish();
    format!("{action}?{query}")
}

fn pager(
    action: &str,
    partner: Option<&str>,
    (from, to): (Date, Date),
    asked: &Asked,
    next: Option<&str>,
    shown: usize,
) -> Option<Pager> {
    let address = |after: &str| address(action, partner, (from, to), after);
    (next.is_some() || !asked.after.is_empty()).then(|| Pager {
        words: count(shown as u64, "posting on this page", "postings on this page"),
        previous: (!asked.after.is_empty()).then(|| address("")),
        next: next.map(address),
    })
}
