//! /settlements: the batches finance pays claims in, and the account the house pays from.

pub mod batch;
pub mod details;
pub mod new;
pub mod payment;
pub mod remittance;
pub mod returned;
pub mod returns;

use actix_web::web::Query;
use askama::Template;
use domain::money::Currency;
use domain::people::Role;
use domain::settlement::{BatchState, PaymentState};
use serde::Deserialize;
use storage::read::{BatchListed, Paging};

use crate::error::{Answer, Error};
use crate::extract::{Done, Who, finish, once, show};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Badge, Pager, Tab, Tabs, Tone, capital, count, date_words};

/// Batches that are not over: what the home page of finance shows.
pub const OPEN: [BatchState; 2] = [BatchState::Built, BatchState::Exported];

#[derive(Template)]
#[template(path = "pages/settlements/list.html")]
struct ListPage {
    shell: Shell,
    tabs: Tabs,
    rows: Vec<Row>,
    pager: Option<Pager>,
    may_build: bool,
    /// The accounts the house pays from: currency, what is known, where it is changed.
    accounts: Vec<(&'static str, String, String)>,
}

pub struct Row {
    pub href: String,
    pub number: String,
    pub state: Badge,
    pub payments: String,
    pub net: Amount,
    pub built: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    view: String,
    after: String,
}

/// GET /settlements?view=open&after=
pub async fn list(who: Who, asked: Query<Asked>) -> Answer {
    let all = asked.view == "all";
    let states: &[BatchState] = if all { &[] } else { &OPEN };
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: 50 };
    let page = who.reader().settlements(who.viewer(), states, &paging).await?;
    let tab = |name: &str, label: &str, current| Tab {
        label: label.to_owned(),
        href: format!("/settlements?view={name}"),
        current,
        count: None,
    };
    let view = if all { "all" } else { "open" };
    let next = page.next.as_ref().map(|next| format!("/settlements?view={view}&after={next}"));
    let previous = paging.after.as_ref().map(|_| format!("/settlements?view={view}"));
    show(&ListPage {
        shell: who.shell("Settlements"),
        tabs: Tabs {
            label: "Views of the batches".to_owned(),
            tabs: vec![tab("open", "Open", !all), tab("all", "All", all)],
        },
        pager: (next.is_some() || previous.is_some()).then(|| Pager {
            words: count(page.rows.len() as u64, "batch", "batches") + " on this page",
            previous,
            next,
        }),
        rows: page.rows.iter().map(row).collect(),
        may_build: who.has(Role::Finance),
        accounts: accounts(&who).await?,
    })
}

/// The currencies of the funds, each with the account it is paid from.
async fn accounts(who: &Who) -> Result<Vec<(&'static str, String, String)>, Error> {
    let (funds, _) = who.reader().funds(who.viewer()).await?;
    let mut currencies: Vec<Currency> = funds.iter().map(|fund| fund.currency).collect();
    currencies.sort_by_key(|currency| currency.code());
    currencies.dedup();
    let mut accounts = Vec::new();
    for currency in currencies {
        let known = who.reader().own_account(who.viewer(), currency).await?;
        let words = known.map_or_else(|| "Not said yet".to_owned(), |one| format!("{}, {}", one.payee, one.account));
        accounts.push((currency.code(), words, format!("/settlements/account/{}", currency.code())));
    }
    Ok(accounts)
}

pub fn row(batch: &BatchListed) -> Row {
    Row {
        href: href(&batch.number),
        number: batch.number.clone(),
        state: state_badge(batch.state),
        payments: count(batch.payments.unsigned_abs(), "payment", "payments"),
        net: batch.net.into(),
        built: date_words(batch.built_at.date_naive()),
    }
}

pub fn href(number: &str) -> String {
    format!("/settlements/{number}")
}

fn state_badge(state: BatchState) -> Badge {
    let tone = match state {
        BatchState::Built => Tone::Info,
        BatchState::Exported => Tone::Wait,
        BatchState::Settled => Tone::Ok,
        BatchState::Cancelled => Tone::Off,
    };
    Badge::new(tone, capital(state.code()))
}

fn payment_badge(state: PaymentState) -> Badge {
    let tone = match state {
        PaymentState::Open => Tone::Wait,
        PaymentState::Settling => Tone::Info,
        PaymentState::Paid => Tone::Ok,
        PaymentState::Rejected => Tone::Bad,
    };
    Badge::new(tone, capital(state.label()))
}

/// Carries out what finance does with a batch.
async fn act(who: &Who, number: &str, command: domain::settlement::Command, posted: &Posted) -> Result<Done, Error> {
    let (engine, actor, number, once) =
        (who.site().engine.clone(), who.actor().clone(), number.to_owned(), once(posted));
    finish(async move { engine.batch(&actor, &number, &command, &once).await }).await.map(Done::from)
}

/// Records what became of payments and settles those that were paid.
async fn record(
    who: &Who,
    number: &str,
    outcomes: Vec<domain::settlement::Outcome>,
    posted: &Posted,
) -> Result<Done, Error> {
    let (engine, actor, number, once) =
        (who.site().engine.clone(), who.actor().clone(), number.to_owned(), once(posted));
    finish(async move { engine.record_payments(&actor, &number, outcomes, &once).await }).await.map(Done::from)
}
