//! /funds: the tree of funds; /funds/{code}: one fund's balances, the funds below it, allocations and statement.

pub mod act;
pub mod closing;
pub mod expiring;
pub mod ledger;
pub mod many;
pub mod new;
pub mod rates;
pub mod reinstatement;
pub mod rule;

use actix_web::web::{Path, Query};
use askama::Template;
use chrono::Datelike;
use domain::Date;
use domain::fund::{Fund, FundKind};
use domain::ids::{FundId, PartnerId};
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use domain::people::Role;
use serde::Deserialize;
use std::collections::BTreeMap;
use storage::read::{Allocation, FundTotal, Paging, StatementLine, WaitingReinstatement};

use crate::charts::{FundBar, FundPart, MoneyState, Unit};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Amount, Fact, Pager, Stats, capital, date_words};
use act::Act;

/// What is in each kind of account, in minor units of the fund's currency.
pub type Totals = BTreeMap<&'static str, i64>;

#[derive(Template)]
#[template(path = "pages/funds/funds.html")]
struct FundsPage {
    shell: Shell,
    rows: Vec<Row>,
    sums: Vec<Sums>,
    may_open: bool,
    /// The days an export for a general ledger covers unless others are chosen; for those who may have it.
    export: Option<(String, String)>,
}

/// A fund in the tree; its figures are its own and those of every fund below it.
struct Row {
    depth: usize,
    code: String,
    name: String,
    href: String,
    kind: &'static str,
    /// "with 2 funds below"
    below: String,
    bar: FundBar,
    figures: [Amount; 7],
}

/// All funds of one currency.
struct Sums {
    currency: &'static str,
    figures: [Amount; 7],
}

#[derive(Template)]
#[template(path = "pages/funds/fund.html")]
struct FundPage {
    shell: Shell,
    code: String,
    name: String,
    about: String,
    parent: Option<(String, String)>,
    /// The fund and those below it, where there are any.
    rows: Vec<Row>,
    sums: Vec<Sums>,
    waiting: Vec<Waiting>,
    stats: Stats,
    bar: FundBar,
    equation: String,
    allocations: Vec<AllocationRow>,
    shared: bool,
    lines: Vec<Line>,
    pager: Option<Pager>,
    on: String,
    on_words: Option<String>,
    acts: Vec<(&'static str, String)>,
    closed: Option<String>,
    more: Vec<(&'static str, String)>,
}

/// Forfeited credit that somebody wants back.
struct Waiting {
    amount: Amount,
    partner: String,
    until: String,
    by: String,
    href: String,
}

struct AllocationRow {
    partner: String,
    href: String,
    figures: [Amount; 4],
    owed: Amount,
}

struct Line {
    when: String,
    words: String,
    from: String,
    to: String,
    partner: String,
    cycle: Option<(String, String)>,
    amount: Amount,
}

/// GET /funds
pub async fn list(who: Who) -> Answer {
    let (funds, totals) = who.reader().funds(who.viewer()).await?;
    let own = by_fund(&totals);
    let mut rows = Vec::new();
    let roots =
        funds.iter().filter(|fund| fund.parent.is_none_or(|parent| !funds.iter().any(|other| other.id == parent)));
    for root in roots {
        grow(&funds, &own, root, 0, &mut rows);
    }
    let mut sums: BTreeMap<&'static str, (Currency, Totals)> = BTreeMap::new();
    for fund in &funds {
        let sum = sums.entry(fund.currency.code()).or_insert_with(|| (fund.currency, Totals::new()));
        add(&mut sum.1, own.get(&fund.id));
    }
    let sums = sums
        .into_values()
        .map(|(currency, totals)| Sums { currency: currency.code(), figures: figures(&totals, currency) });
    let today = who.today();
    let first = today.with_day(1).unwrap_or(today);
    let export = ledger::may_export(&who).then(|| (first.to_string(), today.to_string()));
    let may_open = who.has(Role::Finance);
    show(&FundsPage { shell: who.shell("Funds"), rows, sums: sums.collect(), may_open, export })
}

fn by_fund(totals: &[FundTotal]) -> BTreeMap<FundId, Totals> {
    let mut own: BTreeMap<FundId, Totals> = BTreeMap::new();
    for total in totals {
        *own.entry(total.fund_id).or_default().entry(total.kind.code()).or_default() += total.total;
    }
    own
}

fn add(sum: &mut Totals, part: Option<&Totals>) {
    for (kind, minor) in part.into_iter().flatten() {
        *sum.entry(kind).or_default() += minor;
    }
}

/// Writes a fund's row and those below it, and gives what they hold together. A tree is at most eight deep.
fn grow(funds: &[Fund], own: &BTreeMap<FundId, Totals>, fund: &Fund, depth: usize, rows: &mut Vec<Row>) -> Totals {
    let mut totals = own.get(&fund.id).cloned().unwrap_or_default();
    let at = rows.len();
    rows.push(row(fund, depth));
    let mut below = 0;
    if depth < 8 {
        for child in funds.iter().filter(|child| child.parent == Some(fund.id)) {
            let of_child = grow(funds, own, child, depth + 1, rows);
            add(&mut totals, Some(&of_child));
            below += 1;
        }
    }
    rows[at].bar = bar(&totals, fund.currency, fund.name.clone(), true);
    rows[at].figures = figures(&totals, fund.currency);
    if below > 0 {
        rows[at].below = format!("with {}", crate::view::count(below, "fund below", "funds below"));
    }
    totals
}

fn row(fund: &Fund, depth: usize) -> Row {
    Row {
        depth: depth.min(4),
        code: fund.code.clone(),
        name: fund.name.clone(),
        href: href(&fund.code),
        kind: fund.kind.code(),
        below: String::new(),
        bar: bar(&Totals::new(), fund.currency, String::new(), true),
        figures: figures(&Totals::new(), fund.currency),
    }
}

pub fn href(code: &str) -> String {
    format!("/funds/{code}")
}

fn get(totals: &Totals, kind: AccountKind) -> i64 {
    totals.get(kind.code()).copied().unwrap_or(0)
}

/// Free (in the fund or with partners), committed, claimed, paid, expired.
fn states(totals: &Totals) -> [(MoneyState, i64); 5] {
    MoneyState::all(|kind| get(totals, kind))
}

/// Budgeted, unallocated, with partners, committed, claimed, paid, forfeited or converted.
fn figures(totals: &Totals, currency: Currency) -> [Amount; 7] {
    let held = |kind| get(totals, kind);
    [
        -held(AccountKind::Funding),
        held(AccountKind::Unallocated),
        held(AccountKind::Available),
        held(AccountKind::Committed),
        held(AccountKind::Claimed),
        held(AccountKind::Paid),
        held(AccountKind::Forfeited) + held(AccountKind::Converted),
    ]
    .map(|minor| Money::new(minor, currency).into())
}

fn bar(totals: &Totals, currency: Currency, caption: String, bar_only: bool) -> FundBar {
    let parts = states(totals).map(|(state, amount)| FundPart { state, amount, href: None });
    FundBar { caption, sub: String::new(), unit: Unit::of(currency), parts: parts.into(), bar_only }
}

/// What the address of a fund's page says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    on: String,
    after: String,
}

/// GET /funds/{code}?on=2026-03-31&after=
pub async fn show_page(who: Who, code: Path<String>, asked: Query<Asked>) -> Answer {
    let reader = who.reader();
    let fund = reader.fund(who.viewer(), &code).await?;
    let (funds, now) = reader.funds(who.viewer()).await?;
    let on = asked.on.parse::<Date>().ok();
    let mut rows = Vec::new();
    let below = grow(&funds, &by_fund(&now), &fund, 0, &mut rows);
    let sums = vec![Sums { currency: fund.currency.code(), figures: figures(&below, fund.currency) }];
    own_figures(&mut rows, by_fund(&now).get(&fund.id), &fund);
    let totals = match on {
        Some(day) => reader.fund_totals_on(who.viewer(), fund.id, day).await?,
        None => now,
    };
    let totals = by_fund(&totals).remove(&fund.id).unwrap_or_default();
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: 50 };
    let statement = reader.statement(who.viewer(), fund.id, on, &paging).await?;
    let allocations = reader.allocations(who.viewer(), fund.id).await?;
    let named = |other: &Fund| (href(&other.code), other.name.clone());
    show(&FundPage {
        shell: who.shell(&fund.name),
        about: format!("{} fund in {}", capital(fund.kind.code()), fund.currency),
        parent: fund.parent.and_then(|id| funds.iter().find(|other| other.id == id)).map(named),
        sums,
        waiting: reader.reinstatements(who.viewer(), Some(fund.id)).await?.into_iter().map(waiting).collect(),
        rows: if rows.len() > 1 { rows } else { Vec::new() },
        stats: stats(&totals, fund.currency),
        bar: bar(&totals, fund.currency, "Where its money is".to_owned(), false),
        equation: equation(&totals, fund.currency)?,
        allocations: allocation_rows(&allocations, fund.currency),
        shared: fund.kind.is_shared(),
        pager: pager(&fund.code, &asked, statement.next.as_deref(), statement.rows.len()),
        lines: statement.rows.into_iter().map(line).collect(),
        on: asked.on.clone(),
        on_words: on.map(date_words),
        closed: fund.closed_until.map(date_words),
        acts: if who.has(Role::Finance) { acts(&fund, true) } else { Vec::new() },
        more: if who.has(Role::Finance) { acts(&fund, false) } else { Vec::new() },
        code: fund.code,
        name: fund.name,
    })
}

fn stats(totals: &Totals, currency: Currency) -> Stats {
    let fact = |label: &str, kind: AccountKind| Fact::new(label, Money::new(get(totals, kind), currency));
    let put_in = Money::new(-get(totals, AccountKind::Funding), currency);
    let mut facts = vec![
        Fact::new("Put in", put_in),
        fact("Unallocated", AccountKind::Unallocated),
        fact("With partners", AccountKind::Available),
        fact("Committed", AccountKind::Committed),
        fact("Claimed", AccountKind::Claimed),
        fact("Paid", AccountKind::Paid),
        fact("Forfeited", AccountKind::Forfeited),
    ];
    let variance = get(totals, AccountKind::FxVariance);
    if variance != 0 {
        let paid = facts.iter_mut().filter(|fact| fact.label == "Paid");
        paid.for_each(|paid| *paid = paid_at_its_rates(totals, currency));
        let cost =
            if variance > 0 { "what rates cost since the approvals" } else { "rates gained since the approvals" };
        facts.push(fact("FX variance", AccountKind::FxVariance).note(cost));
    }
    for (label, kind) in [("Converted", AccountKind::Converted), ("To come back", AccountKind::Recoverable)] {
        if get(totals, kind) != 0 {
            facts.push(fact(label, kind));
        }
    }
    Stats { facts }
}

/// What left the fund, where its payments were in other currencies: at the approvals' rates, and what rates cost since.
fn paid_at_its_rates(totals: &Totals, currency: Currency) -> Fact {
    let committed = Money::new(get(totals, AccountKind::Paid), currency);
    let paid = Money::new(committed.minor + get(totals, AccountKind::FxVariance), currency);
    Fact::new("Paid", paid).note(format!("{} at the rates of the approvals", Amount::from(committed).plain()))
}

/// The book's own check: all that was put in is somewhere.
fn equation(totals: &Totals, currency: Currency) -> Result<String, Error> {
    let sum: i64 = totals.values().sum();
    if sum != 0 {
        return Err(crate::error::internal(format!("a fund's accounts differ by {sum}")));
    }
    let put_in = Amount::from(Money::new(-get(totals, AccountKind::Funding), currency)).plain();
    Ok(format!("All {put_in} put in and not taken out or returned is accounted for."))
}

fn allocation_rows(allocations: &[Allocation], currency: Currency) -> Vec<AllocationRow> {
    let mut partners: Vec<(PartnerId, String, Totals)> = Vec::new();
    for line in allocations {
        if partners.last().is_none_or(|(id, ..)| *id != line.partner_id) {
            partners.push((line.partner_id, line.partner_name.clone(), Totals::new()));
        }
        if let Some((.., totals)) = partners.last_mut() {
            *totals.entry(line.kind.code()).or_default() += line.total.minor;
        }
    }
    let amount = |totals: &Totals, kind| Amount::from(Money::new(get(totals, kind), currency));
    let row = |(id, partner, totals): (PartnerId, String, Totals)| AllocationRow {
        partner,
        href: format!("/wallet?partner={id}"),
        figures: [AccountKind::Available, AccountKind::Committed, AccountKind::Claimed, AccountKind::Paid]
            .map(|kind| amount(&totals, kind)),
        owed: amount(&totals, AccountKind::Recoverable),
    };
    partners.into_iter().map(row).collect()
}

fn line(line: StatementLine) -> Line {
    Line {
        when: line.at.format("%a %-d %B %Y").to_string(),
        words: line.words,
        from: account_words(line.from_kind),
        to: account_words(line.to_kind),
        partner: line.partner_name.unwrap_or_default(),
        cycle: line.number.map(|number| (crate::view::cycle_href(&number), number)),
        amount: Amount::exactly(line.amount),
    }
}

fn account_words(kind: AccountKind) -> String {
    match kind {
        AccountKind::FxVariance => "FX variance".to_owned(),
        kind => capital(kind.code()),
    }
}

fn pager(code: &str, asked: &Asked, next: Option<&str>, shown: usize) -> Option<Pager> {
    let address = |after: &str| {
        let set = [("on", asked.on.as_str()), ("after", after)].into_iter().filter(|(_, value)| !value.is_empty());
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish();
        format!("{}?{query}#statement", href(code))
    };
    (next.is_some() || !asked.after.is_empty()).then(|| Pager {
        words: crate::view::count(shown as u64, "posting on this page", "postings on this page"),
        previous: (!asked.after.is_empty()).then(|| address("")),
        next: next.map(address),
    })
}

/// In its own tree a fund shows what is its own; the sum below shows all.
fn own_figures(rows: &mut [Row], own: Option<&Totals>, fund: &Fund) {
    if let Some(row) = rows.first_mut() {
        let own = own.cloned().unwrap_or_default();
        row.bar = bar(&own, fund.currency, fund.name.clone(), true);
        row.figures = figures(&own, fund.currency);
        row.below.clear();
    }
}

fn waiting(one: WaitingReinstatement) -> Waiting {
    Waiting {
        amount: one.wanted.amount.into(),
        partner: one.partner,
        until: date_words(one.wanted.expires),
        by: one.by,
        href: format!("{}/reinstatements/{}", href(&one.fund_code), one.wanted.no),
    }
}

/// What finance can do with this fund, words and address: what is done every day, or the rest.
fn acts(fund: &Fund, daily: bool) -> Vec<(&'static str, String)> {
    let is_daily = |act: Act| matches!(act, Act::Allocate | Act::Budget);
    let wanted = Act::ALL.into_iter().filter(|act| act.fits(fund.kind) && is_daily(*act) == daily);
    let mut acts: Vec<(&'static str, String)> =
        wanted.map(|act| (act.button(), format!("{}/{}", href(&fund.code), act.path()))).collect();
    if daily && !fund.kind.is_shared() {
        acts.insert(1, ("Allocate to many", format!("{}/allocations", href(&fund.code))));
    }
    if !daily {
        acts.push(("Close a period", format!("{}/closing", href(&fund.code))));
    }
    acts
}

/// How a fund's kind reads in a form.
pub fn kind_words(kind: FundKind) -> (&'static str, &'static str) {
    match kind {
        FundKind::Discretionary => ("Discretionary", "You give each partner an amount, with a day it expires."),
        FundKind::Accrual => ("Accrual", "Partners earn it on what they buy."),
        FundKind::Proposal => (
            "Proposal",
            "Partners ask case by case, each with a written case for its approvers; money comes from the fund itself.",
        ),
        FundKind::Pooled => ("Pooled", "First come, first served, from the fund itself."),
    }
}
