//! The journal for a general ledger: every posting as a debit and a credit line, under the account codes of the
//! settings. Each posting balances by itself, so every event does, and so does any run of days.

use crate::Engine;
use crate::error::Result;
use crate::imports::report::harmless;
use domain::Date;
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use serde::Serialize;
use std::collections::BTreeMap;
use storage::Viewer;
use storage::read::{Journalled, Paging};

/// The accounts of the general ledger, one a kind of account of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chart(BTreeMap<AccountKind, String>);

impl Default for Chart {
    fn default() -> Self {
        Self(AccountKind::ALL.into_iter().map(|kind| (kind, shipped(kind).to_owned())).collect())
    }
}

/// The code a kind has where the settings name no other.
fn shipped(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Funding => "2900",
        AccountKind::Unallocated => "2910",
        AccountKind::Available => "2920",
        AccountKind::Committed => "2930",
        AccountKind::Claimed => "2940",
        AccountKind::Paid => "6510",
        AccountKind::Forfeited => "2960",
        AccountKind::Converted => "2970",
        AccountKind::Recoverable => "1290",
        AccountKind::FxVariance => "7690",
    }
}

impl Chart {
    /// The codes as the settings name them by kind of account. The error is one sentence with a way out.
    pub fn read(named: &BTreeMap<String, String>) -> std::result::Result<Self, String> {
        let mut chart = Self::default();
        for (name, code) in named {
            let Some(kind) = AccountKind::from_code(name) else {
                let known: Vec<&str> = AccountKind::ALL.iter().map(|kind| kind.code()).collect();
                return Err(format!("general_ledger.{name} is no kind of account: use one of {}", known.join(", ")));
            };
            let code = code.trim();
            if code.is_empty() || code.len() > 40 || code.chars().any(char::is_control) {
                return Err(format!("general_ledger.{name} is no account code: write one of 1 to 40 characters"));
            }
            chart.0.insert(kind, code.to_owned());
        }
        Ok(chart)
    }

    pub fn code(&self, kind: AccountKind) -> &str {
        self.0.get(&kind).map_or_else(|| shipped(kind), String::as_str)
    }
}

/// One line of the journal. Exactly one of debit and credit is above zero.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct JournalLine {
    /// The day it was posted (UTC).
    pub date: Date,
    /// What happened: `fund.budgeted`.
    pub event: String,
    /// The timeline and its event's number: `C-2026-0042/7`. All lines of one number balance.
    pub journal: String,
    pub account: String,
    /// Of ours: `available`.
    pub kind: &'static str,
    pub debit: Money,
    pub credit: Money,
    pub currency: Currency,
    pub fund: String,
    pub partner: String,
    pub cycle: String,
    /// The claim's number in its cycle.
    pub claim: Option<u16>,
    pub description: String,
}

/// What the journal's columns are called.
pub const COLUMNS: [&str; 12] = [
    "Date",
    "Event",
    "Journal",
    "Account",
    "Debit",
    "Credit",
    "Currency",
    "Fund",
    "Partner",
    "Cycle",
    "Claim",
    "Description",
];

impl Engine {
    /// Hands out every line between two days (UTC, both included), oldest first.
    pub async fn general_ledger(
        &self,
        viewer: &Viewer,
        days: (Date, Date),
        mut line: impl FnMut(JournalLine),
    ) -> Result<()> {
        let reader = self.reader();
        let mut paging = Paging::first(500);
        loop {
            let page = reader.journal(viewer, days, &paging).await?;
            for posting in page.rows {
                both(&self.chart, posting).into_iter().for_each(&mut line);
            }
            let Some(next) = page.next else { return Ok(()) };
            paging.after = Some(next);
        }
    }

    /// The same as CSV in UTF-8, cells made harmless for spreadsheets.
    pub async fn general_ledger_csv(&self, viewer: &Viewer, days: (Date, Date)) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut whole = writer.write_record(COLUMNS).is_ok();
        self.general_ledger(viewer, days, |line| whole &= writer.write_record(cells(&line)).is_ok()).await?;
        debug_assert!(whole, "every record has the header's width");
        writer.into_inner().map_err(crate::Error::internal)
    }
}

fn cells(line: &JournalLine) -> [String; 12] {
    let amount = |amount: Money| if amount.is_zero() { String::new() } else { amount.plain() };
    [
        line.date.to_string(),
        line.event.clone(),
        harmless(&line.journal),
        harmless(&line.account),
        amount(line.debit),
        amount(line.credit),
        line.currency.code().to_owned(),
        harmless(&line.fund),
        harmless(&line.partner),
        line.cycle.clone(),
        line.claim.map_or_else(String::new, |no| no.to_string()),
        harmless(&line.description),
    ]
}

/// What came in is debited, what went out is credited.
fn both(chart: &Chart, posting: Journalled) -> [JournalLine; 2] {
    let of_claim = |kind: AccountKind| matches!(kind, AccountKind::Claimed | AccountKind::Paid);
    let item = |kind, item: Option<u16>| item.filter(|_| of_claim(kind));
    let claim = item(posting.to_kind, posting.to_item).or_else(|| item(posting.from_kind, posting.from_item));
    let zero = Money::zero(posting.currency);
    let line = |kind: AccountKind, debit, credit| JournalLine {
        date: posting.at.date_naive(),
        event: posting.kind.clone(),
        journal: format!("{}/{}", posting.stream, posting.seq),
        account: chart.code(kind).to_owned(),
        kind: kind.code(),
        debit,
        credit,
        currency: posting.currency,
        fund: posting.fund.clone(),
        partner: posting.partner.clone().unwrap_or_default(),
        cycle: posting.cycle.clone().unwrap_or_default(),
        claim,
        description: posting.words.clone(),
    };
    [line(posting.to_kind, posting.amount, zero), line(posting.from_kind, zero, posting.amount)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_takes_only_kinds_there_are() {
        let named = |name: &str, code: &str| BTreeMap::from([(name.to_owned(), code.to_owned())]);
        let chart = Chart::read(&named("paid", "7100-MDF")).expect("a code");
        assert_eq!((chart.code(AccountKind::Paid), chart.code(AccountKind::Claimed)), ("7100-MDF", "2940"));
        assert!(Chart::read(&named("payed", "7100")).unwrap_err().contains("payed"));
        assert!(Chart::read(&named("paid", " ")).unwrap_err().contains("paid"));
    }
}
