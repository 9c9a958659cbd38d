//! /wallet: what a partner has, fund by fund and lot by lot, and by when it is to be used.

pub mod purchases;

use actix_web::web::Query;
use askama::Template;
use domain::Date;
use domain::ids::FundId;
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use serde::Deserialize;
use storage::read::{Paging, WalletLine};

use crate::charts::{FundBar, FundPart, MoneyState, Unit};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::pages::funds::expiring::{Bucket, Row, of_partner};
use crate::shell::Shell;
use crate::view::{Amount, Badge, Due, Task, TaskList, Tone, step_href};

/// Credit that expires within this many days is marked.
const SOON_DAYS: i64 = 30;
/// Purchases shown in the wallet itself.
const LATEST: u16 = 8;

#[derive(Template)]
#[template(path = "pages/wallet.html")]
struct WalletPage {
    shell: Shell,
    partner: String,
    own: bool,
    funds: Vec<FundBlock>,
    tasks: TaskList,
    expiring: Vec<String>,
    purchases: Vec<purchases::Purchase>,
    all_purchases: String,
    /// Where the statement is.
    statement: String,
    buckets: Vec<Bucket>,
    /// Credit with its last day in the next ninety days.
    soon: Vec<Row>,
}

struct FundBlock {
    code: String,
    name: String,
    bar: FundBar,
    lots: Vec<Lot>,
    owed: Option<Amount>,
}

struct Lot {
    amount: Amount,
    until: Option<Due>,
    state: Option<Badge>,
}

/// Whose wallet; only the vendor's people say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    partner: String,
}

/// GET /wallet
pub async fn show_page(who: Who, asked: Query<Asked>) -> Answer {
    let (own, partner) = (who.actor().me.is_partner(), who.whose(&asked.partner)?);
    let reader = who.reader();
    let lines = reader.wallet(who.viewer(), partner).await?;
    let names = reader.partner_names(who.viewer()).await?;
    let name = names.into_iter().find(|(id, _)| *id == partner).ok_or(Error::NotFound)?.1;
    let today = who.today();
    let earned = reader.earned(who.viewer(), partner, &Paging::first(LATEST)).await?;
    let tasks = reader.waiting_for_partner(who.viewer(), partner).await?.into_iter().map(|cycle| Task {
        verb: "Due".to_owned(),
        title: cycle.task,
        detail: format!("{} · {}", cycle.number, cycle.title),
        href: cycle
            .stage
            .step()
            .map_or_else(|| crate::view::cycle_href(&cycle.number), |step| step_href(&cycle.number, step)),
        due: Some(Due { on: cycle.due, today }),
    });
    let (buckets, soon) = of_partner(&who, partner).await?;
    show(&WalletPage {
        buckets,
        soon,
        shell: who.shell("Wallet"),
        partner: name,
        own,
        statement: super::statement::of_partner(partner),
        expiring: expiring(&lines, today),
        purchases: earned.rows.into_iter().map(|line| purchases::Purchase::new(line, today)).collect(),
        all_purchases: purchases::href(partner, own, ""),
        funds: blocks(&lines, today),
        tasks: TaskList { tasks: tasks.collect() },
    })
}

fn blocks(lines: &[WalletLine], today: Date) -> Vec<FundBlock> {
    let mut ids: Vec<FundId> = lines.iter().map(|line| line.fund_id).collect();
    ids.dedup();
    ids.into_iter().filter_map(|id| block(lines.iter().filter(|line| line.fund_id == id).collect(), today)).collect()
}

fn block(lines: Vec<&WalletLine>, today: Date) -> Option<FundBlock> {
    let first = lines.first()?;
    let currency = first.currency;
    let total =
        |kind: AccountKind| lines.iter().filter(|line| line.kind == kind).map(|line| line.total.minor).sum::<i64>();
    let part = |state, kind| FundPart { state, amount: total(kind), href: None };
    let mut lots: Vec<Lot> = lines
        .iter()
        .filter(|line| line.kind == AccountKind::Available)
        .map(|line| lot(line.total, line.lot, today))
        .collect();
    // Credit without an end is used last and shown last.
    lots.sort_by_key(|lot| lot.until.map_or(Date::MAX, |due| due.on));
    let owed = total(AccountKind::Recoverable);
    Some(FundBlock {
        code: first.fund_code.clone(),
        name: first.fund_name.clone(),
        bar: FundBar {
            caption: "Where it is".to_owned(),
            sub: String::new(),
            unit: Unit::of(currency),
            parts: vec![
                part(MoneyState::Free, AccountKind::Available),
                part(MoneyState::Committed, AccountKind::Committed),
                part(MoneyState::Claimed, AccountKind::Claimed),
                part(MoneyState::Paid, AccountKind::Paid),
            ],
            bar_only: false,
        },
        lots,
        owed: (owed > 0).then(|| amount(owed, currency)),
    })
}

fn amount(minor: i64, currency: Currency) -> Amount {
    Money::new(minor, currency).into()
}

fn lot(total: Money, until: Option<Date>, today: Date) -> Lot {
    let state = until.and_then(|day| match (day - today).num_days() {
        days if days < 0 => Some(Badge::new(Tone::Bad, "Expired")),
        days if days <= SOON_DAYS => Some(Badge::new(Tone::Warn, "Expires soon")),
        _ => None,
    });
    Lot { amount: total.into(), until: until.map(|on| Due { on, today }), state }
}

/// "4,200 EUR of EMEA growth fund expires on Tue 30 June 2026."
fn expiring(lines: &[WalletLine], today: Date) -> Vec<String> {
    let soon = |day: Date| (0..=SOON_DAYS).contains(&(day - today).num_days());
    let due =
        lines.iter().filter(|line| line.kind == AccountKind::Available).filter_map(|line| Some((line, line.lot?)));
    due.filter(|(_, day)| soon(*day))
        .map(|(line, day)| {
            let amount = Amount::from(line.total).plain();
            format!(
                "{amount} of {} is forfeited after {} unless a request commits it.",
                line.fund_name,
                crate::view::date_words(day)
            )
        })
        .collect()
}
