//! /performance: plan against actual over every campaign one may see, by quarter, program, region, tactic or partner,
//! down to the campaigns behind a figure.
//!
//! Amounts of different currencies are never added: the page shows one currency at a time. Revenue is credited
//! revenue: the linear share of each won deal, the only one that adds up over campaigns.

pub mod asked;
mod board;
mod table;

use actix_web::web::Query;
use askama::Template;
use domain::ids::PartnerId;
use domain::money::Currency;
use storage::read::{Dimension, PerformanceLine};

use self::asked::{Asked, By};
use self::board::Board;
use self::table::Table;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Empty, MOST_CHOICES, Tab, Tabs};

#[derive(Template)]
#[template(path = "pages/performance.html")]
struct PerformancePage {
    shell: Shell,
    /// One tab a currency; none where there is only one.
    currencies: Option<Tabs>,
    filters: Filters,
    by: Tabs,
    /// `None` while nothing is approved, or nothing fits the filters.
    board: Option<Board>,
    table: Table,
    empty: Empty,
}

/// The filters as they stand: code, words, chosen.
struct Filters {
    held: Vec<(&'static str, String)>,
    from: Vec<Choice>,
    to: Vec<Choice>,
    selects: Vec<(&'static str, &'static str, Vec<Choice>)>,
    clear: Option<String>,
}

type Choice = (String, String, bool);

/// GET /performance?currency=&from=&to=&program=&region=&tactic=&partner=&by=
pub async fn show_page(who: Who, asked: Query<Asked>) -> Answer {
    let asked = asked.into_inner();
    let (reader, viewer) = (who.reader(), who.viewer());
    let filter = asked.filter(&reader, viewer).await?;
    let totals = reader.performance_total(viewer, &filter).await?;
    let total = chosen(&totals, &asked);
    let by = asked.by(&who);
    let table = match total {
        Some(total) => table::of(&who, &asked, by, &filter, total).await?,
        None => Table::default(),
    };
    show(&PerformancePage {
        shell: who.shell("Performance"),
        currencies: currencies(&asked, &totals, total),
        filters: filters(&who, &asked).await?,
        by: dimensions(&who, &asked, by),
        board: match total {
            Some(total) => Some(Board::of(&who, &asked, total).await?),
            None => None,
        },
        table,
        empty: empty(&asked),
    })
}

/// The currency asked for, or the one most was approved in.
fn chosen<'a>(totals: &'a [PerformanceLine], asked: &Asked) -> Option<&'a PerformanceLine> {
    let asked_for = totals.iter().find(|line| Some(line.currency) == asked.currency());
    asked_for.or_else(|| totals.iter().max_by_key(|line| line.figures.planned.approved))
}

fn currencies(asked: &Asked, totals: &[PerformanceLine], shown: Option<&PerformanceLine>) -> Option<Tabs> {
    let tab = |currency: Currency| Tab {
        label: format!("In {}", currency.code()),
        href: asked.with("currency", currency.code()).href(),
        current: shown.is_some_and(|line| line.currency == currency),
        count: None,
    };
    (totals.len() > 1).then(|| Tabs {
        label: "Currency of the figures".to_owned(),
        tabs: totals.iter().map(|line| tab(line.currency)).collect(),
    })
}

fn dimensions(who: &Who, asked: &Asked, current: By) -> Tabs {
    let tab = |by: By| Tab {
        label: by.label().to_owned(),
        href: asked.with("by", by.code()).href(),
        current: by == current,
        count: None,
    };
    Tabs { label: "What the figures are split by".to_owned(), tabs: By::of(who).map(tab).collect() }
}

async fn filters(who: &Who, asked: &Asked) -> Result<Filters, Error> {
    let reader = who.reader();
    let mut selects = Vec::new();
    for by in By::of(who).filter(|by| *by != By::Quarter) {
        let Some(dimension) = by.dimension() else { continue };
        let held = asked.get(by.code());
        if by == By::Partner {
            let partners = reader.partner_choices(who.viewer(), MOST_CHOICES, held.parse().ok()).await?;
            let choice = |(id, name): (PartnerId, String)| (id.to_string(), name, held == id.to_string());
            if !partners.is_empty() {
                selects.push((by.code(), by.label(), partners.into_iter().map(choice).collect()));
            }
            continue;
        }
        let found = reader.performance_keys(who.viewer(), dimension).await?;
        let mut choices: Vec<Choice> = Vec::new();
        for (code, words) in asked::keys(who, by, found).await? {
            let is_chosen = held == code;
            choices.push((code, words, is_chosen));
        }
        selects.push((by.code(), by.label(), choices));
    }
    let quarters = reader.performance_keys(who.viewer(), Dimension::Quarter).await?;
    let quarters = asked::keys(who, By::Quarter, quarters).await?;
    let choice = |held: &str| -> Vec<Choice> {
        quarters.iter().map(|(code, words)| (code.clone(), words.clone(), held == code)).collect()
    };
    Ok(Filters {
        held: asked.held(&["currency", "by"]),
        from: choice(asked.get("from")),
        to: choice(asked.get("to")),
        selects,
        clear: asked.is_filtered().then(|| asked.cleared().href()),
    })
}

fn empty(asked: &Asked) -> Empty {
    if asked.is_filtered() {
        Empty::new("No campaign fits these filters", "Figures appear for every campaign from the day it is approved.")
            .action(asked.cleared().href(), "See all campaigns")
    } else {
        Empty::new(
            "Nothing to measure yet",
            "Once a request is approved its frozen forecast stands here beside what really came of it.",
        )
        .action("/cycles", "See the cycles")
    }
}
