//! Figures of campaigns, and the aggregates that dashboards read, kept by their differences.

use super::projection::CampaignRow;
use crate::error::Result;
use crate::sql::{self, Column, FromRow, rows, values};
use crate::tx::Tx;
use domain::Date;
use domain::cycle::Stage;
use domain::ids::{PartnerId, ProgramId};
use sea_orm::{QueryResult, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A struct of whole numbers that can be added up column by column.
macro_rules! figures {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        pub struct $name { $($(#[$of])* pub $field: i64,)* }

        impl $name {
            pub(crate) const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            pub(crate) fn bind_all(&self) -> Vec<Value> {
                vec![$(self.$field.into()),*]
            }

            #[must_use]
            pub fn plus(self, other: Self) -> Self {
                Self { $($field: self.$field + other.$field),* }
            }

            #[must_use]
            pub fn minus(self, other: Self) -> Self {
                Self { $($field: self.$field - other.$field),* }
            }
        }

        impl FromRow for $name {
            fn from_row(row: &QueryResult) -> Result<Self> {
                Ok(Self { $($field: i64::read(row, stringify!($field))?),* })
            }
        }
    };
}

figures! {
    /// What was planned, asked, approved and spent. Amounts are minor units of the row's currency; planned counts are
    /// thousandths, since a forecast expects 3.4 wins.
    Planned {
        /// Campaigns that were approved and stand.
        campaigns,
        planned_cost,
        planned_revenue,
        planned_responses,
        planned_leads,
        planned_mqls,
        planned_opportunities,
        planned_proposals,
        planned_wins,
        asked,
        approved,
        claimed,
        /// Paid and not clawed back.
        paid,
        /// Invoices of what was claimed, and the plan for the rest.
        actual_cost,
    }
}

figures! {
    /// What came of it. Amounts are minor units of the row's currency.
    Actual {
        responses,
        leads,
        mqls,
        opportunities,
        proposals,
        wins,
        registered_deals,
        pipeline,
        won,
        sourced,
        influenced,
        /// Won revenue under the linear model: the only one of these that adds up over campaigns.
        credited,
    }
}

/// Planned and actual side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    #[serde(flatten)]
    pub planned: Planned,
    #[serde(flatten)]
    pub actual: Actual,
}

impl Figures {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { planned: self.planned.plus(other.planned), actual: self.actual.plus(other.actual) }
    }

    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self { planned: self.planned.minus(other.planned), actual: self.actual.minus(other.actual) }
    }

    pub(crate) fn columns() -> impl Iterator<Item = &'static str> {
        Planned::COLUMNS.iter().chain(Actual::COLUMNS).copied()
    }

    /// Each column summed, as a bigint on both databases; nothing sums to 0.
    pub(crate) fn sums() -> String {
        let sum = |column| format!("CAST(COALESCE(SUM({column}), 0) AS bigint) AS {column}");
        Self::columns().map(sum).collect::<Vec<_>>().join(", ")
    }

    fn bind_all(&self) -> Vec<Value> {
        self.planned.bind_all().into_iter().chain(self.actual.bind_all()).collect()
    }
}

impl FromRow for Figures {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self { planned: Planned::from_row(row)?, actual: Actual::from_row(row)? })
    }
}

/// Where a campaign's figures are counted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Cell {
    quarter: Date,
    program: ProgramId,
    partner: PartnerId,
    region: String,
    tactic: String,
    currency: &'static str,
}

impl From<&CampaignRow> for Cell {
    fn from(row: &CampaignRow) -> Self {
        Self {
            quarter: row.quarter,
            program: row.program_id,
            partner: row.partner_id,
            region: row.region.clone(),
            tactic: row.tactic.clone(),
            currency: row.currency.code(),
        }
    }
}

impl Cell {
    pub fn in_region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }
}

/// Changes of figures, by cell.
#[derive(Default)]
pub(crate) struct Changes(BTreeMap<Cell, Figures>);

impl Changes {
    pub fn add(&mut self, cell: Cell, figures: Figures) {
        let sum = self.0.entry(cell).or_default();
        *sum = sum.plus(figures);
    }

    pub fn subtract(&mut self, cell: Cell, figures: Figures) {
        self.add(cell, Figures::default().minus(figures));
    }
}

impl Tx {
    /// Adds the changes to both aggregates, in the order of their keys so that two transactions never wait for each
    /// other, and last in the transaction so that nobody waits long.
    pub(crate) async fn roll_up(&self, changes: Changes) -> Result<()> {
        let mut cube: BTreeMap<(Date, ProgramId, String, String, &str), Figures> = BTreeMap::new();
        let mut partners: BTreeMap<(Date, PartnerId, &str), (String, Figures)> = BTreeMap::new();
        for (cell, change) in changes.0.into_iter().filter(|(_, change)| *change != Figures::default()) {
            let key = (cell.quarter, cell.program, cell.region.clone(), cell.tactic, cell.currency);
            let sum = cube.entry(key).or_default();
            *sum = sum.plus(change);
            let partner = partners.entry((cell.quarter, cell.partner, cell.currency)).or_default();
            *partner = (cell.region, partner.1.plus(change));
        }
        let rows: Vec<Rollup> = cube
            .into_iter()
            .map(|((quarter, program_id, region, tactic, currency), figures)| Rollup {
                key: values![quarter, program_id, region, tactic, currency],
                figures,
            })
            .collect();
        add_up(self, "rollup", &["quarter", "program_id", "region", "tactic", "currency"], "", &rows).await?;
        let rows: Vec<Rollup> = partners
            .into_iter()
            .map(|((quarter, partner, currency), (region, figures))| Rollup {
                key: values![quarter, partner, currency, region],
                figures,
            })
            .collect();
        let moved = "region = excluded.region, ";
        add_up(self, "rollup_partner", &["quarter", "partner_id", "currency", "region"], moved, &rows).await
    }
}

rows! {
    /// How many cycles of a region stand at a stage and are due on a day.
    table "stage_day" => StageDay {
        stage: Stage,
        region: String,
        due: Date,
        cycles: i64,
    }
}

impl Tx {
    /// A cycle has moved from where it stood to where it stands.
    pub(crate) async fn count_stage(&self, region: &str, from: Option<(Stage, Date)>, to: (Stage, Date)) -> Result<()> {
        if from == Some(to) {
            return Ok(());
        }
        let mut changes = vec![(to, 1)];
        changes.extend(from.map(|from| (from, -1)));
        changes.sort_unstable();
        let row = |((stage, due), cycles)| StageDay { stage, region: region.to_owned(), due, cycles };
        let rows: Vec<StageDay> = changes.into_iter().map(row).collect();
        let add = "ON CONFLICT (stage, region, due) DO UPDATE SET cycles = stage_day.cycles + excluded.cycles";
        sql::insert_or(&self.db, &rows, add).await.map(|_| ())
    }

    /// All cycles of a partner are counted in another region from now on.
    pub(crate) async fn recount_stages(&self, partner: PartnerId, region: &str) -> Result<()> {
        let sql = "SELECT stage, region, due, CAST(COUNT(*) AS bigint) AS cycles FROM cycle WHERE partner_id = $1
                   GROUP BY stage, region, due ORDER BY stage, region, due";
        let old: Vec<StageDay> = sql::all(&self.db, sql, values![partner]).await?;
        let new = old.iter().map(|row| StageDay { region: region.to_owned(), ..row.clone() });
        let rows: Vec<StageDay> =
            old.iter().map(|row| StageDay { cycles: -row.cycles, ..row.clone() }).chain(new).collect();
        let add = "ON CONFLICT (stage, region, due) DO UPDATE SET cycles = stage_day.cycles + excluded.cycles";
        for one in rows.chunks(1) {
            sql::insert_or(&self.db, one, add).await?;
        }
        Ok(())
    }
}

struct Rollup {
    key: Vec<Value>,
    figures: Figures,
}

async fn add_up(tx: &Tx, table: &str, key: &[&'static str], also: &str, rows: &[Rollup]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns: Vec<&str> = key.iter().copied().chain(Figures::columns()).collect();
    let sums: Vec<String> =
        Figures::columns().map(|column| format!("{column} = {table}.{column} + excluded.{column}")).collect();
    let unique: Vec<&str> = key.iter().copied().filter(|column| also.is_empty() || *column != "region").collect();
    for chunk in rows.chunks(500) {
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES {} ON CONFLICT ({}) DO UPDATE SET {also}{}",
            columns.join(", "),
            sql::places(chunk.len(), columns.len(), 1),
            unique.join(", "),
            sums.join(", ")
        );
        let values = chunk.iter().flat_map(|row| row.key.iter().cloned().chain(row.figures.bind_all())).collect();
        sql::execute(&tx.db, &sql, values).await?;
    }
    Ok(())
}

/// The first day of a day's quarter.
pub fn quarter_of(day: Date) -> Date {
    use chrono::Datelike;
    let month = (day.month0() / 3) * 3 + 1;
    Date::from_ymd_opt(day.year(), month, 1).unwrap_or(day)
}
