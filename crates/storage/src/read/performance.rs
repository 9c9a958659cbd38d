//! Plan against actual: from aggregates that are few however many cycles there are.

use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::Where;
use crate::sql::{self, Column, FromRow, rows, values};
use crate::viewer::{Scope, Viewer};
use crate::write::Figures;
use domain::Date;
use domain::ids::{CycleId, PartnerId, ProgramId};
use domain::money::Currency;
use sea_orm::QueryResult;
use serde::Serialize;

/// What the figures are grouped by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dimension {
    Quarter,
    Program,
    Region,
    Tactic,
    Partner,
}

impl Dimension {
    fn key(self) -> &'static str {
        match self {
            Dimension::Quarter => "CAST(x.quarter AS text)",
            Dimension::Region => "x.region",
            Dimension::Tactic => "x.tactic",
            Dimension::Program => "x.program_id",
            Dimension::Partner => "x.partner_id",
        }
    }

    /// The table that names its keys, where they are ids.
    fn names(self) -> Option<&'static str> {
        match self {
            Dimension::Program => Some("program"),
            Dimension::Partner => Some("partner"),
            Dimension::Quarter | Dimension::Region | Dimension::Tactic => None,
        }
    }
}

/// Which figures to sum. Quarters are named by their first day, see [`crate::quarter_of`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PerformanceFilter {
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub program: Option<ProgramId>,
    pub region: Option<String>,
    pub tactic: Option<String>,
    pub partner: Option<PartnerId>,
    pub currency: Option<Currency>,
}

/// The figures of one key in one currency; currencies are never summed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PerformanceLine {
    /// The quarter's first day, the program's or partner's id, the region or the tactic.
    pub key: String,
    /// What people read for it: the program's or partner's name; else the key.
    pub label: String,
    pub currency: Currency,
    #[serde(flatten)]
    pub figures: Figures,
}

rows! {
    /// One key there are figures of.
    view PerformanceKey {
        /// As in [`PerformanceLine`].
        key: String,
        label: String,
    }
}

/// One campaign with its figures.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CampaignLine {
    pub cycle_id: CycleId,
    /// The cycle's number.
    pub number: String,
    pub no: u16,
    pub name: String,
    pub tactic: String,
    /// The campaign ID, from approval on.
    pub code: Option<String>,
    pub cancelled: bool,
    pub quarter: Date,
    pub partner_id: PartnerId,
    pub partner: String,
    pub region: String,
    pub currency: Currency,
    #[serde(flatten)]
    pub figures: Figures,
}

impl FromRow for PerformanceLine {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self {
            key: Column::read(row, "key_id")?,
            label: Column::read(row, "label")?,
            currency: Column::read(row, "currency")?,
            figures: Figures::from_row(row)?,
        })
    }
}

impl FromRow for CampaignLine {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self {
            cycle_id: Column::read(row, "cycle_id")?,
            number: Column::read(row, "number")?,
            no: Column::read(row, "no")?,
            name: Column::read(row, "name")?,
            tactic: Column::read(row, "tactic")?,
            code: Column::read(row, "code")?,
            cancelled: Column::read(row, "cancelled")?,
            quarter: Column::read(row, "quarter")?,
            partner_id: Column::read(row, "partner_id")?,
            partner: Column::read(row, "partner")?,
            region: Column::read(row, "region")?,
            currency: Column::read(row, "currency")?,
            figures: Figures::from_row(row)?,
        })
    }
}

/// The most lines one question is answered with.
const MOST: usize = 200;

impl Reader {
    /// Figures by quarter, program, region or tactic in the order of their keys, or by partner, most approved first;
    /// at most 200 lines. A question about one partner is answered from that partner's campaigns.
    pub async fn performance(
        &self,
        viewer: &Viewer,
        filter: &PerformanceFilter,
        by: Dimension,
    ) -> Result<Vec<PerformanceLine>> {
        let one_partner = filter.partner.is_some() || matches!(viewer.scope(), Scope::Partner(_));
        let (table, partner) = match by {
            _ if one_partner => ("campaign", "x.partner_id"),
            // The aggregate by partner does not tell programs and tactics apart; their campaigns do.
            Dimension::Partner if filter.program.is_some() || filter.tactic.is_some() => ("campaign", "x.partner_id"),
            Dimension::Partner => ("rollup_partner", "x.partner_id"),
            // This aggregate has no partner; a viewer that is cut to one never comes here.
            _ => ("rollup", "NULL"),
        };
        let found = filter.conditions().within(viewer.scope(), partner, "x.region");
        let key = by.key();
        let order = if by == Dimension::Partner { "approved DESC, key_id" } else { "key_id, currency" };
        let sums = format!(
            "SELECT {key} AS key_id, x.currency, {} FROM {table} x {} GROUP BY {key}, x.currency
             ORDER BY {order} LIMIT {MOST}",
            Figures::sums(),
            found.sql()
        );
        let Some(names) = by.names() else {
            let sql = format!("SELECT s.*, s.key_id AS label FROM ({sums}) s ORDER BY {order}");
            return sql::all(&self.db, &sql, found.values).await;
        };
        let sql =
            format!("SELECT s.*, n.name AS label FROM ({sums}) s JOIN {names} n ON n.id = s.key_id ORDER BY {order}");
        let rows = sql::all::<Named>(&self.db, &sql, found.values).await?;
        Ok(rows.into_iter().map(|Named(line)| line).collect())
    }

    /// The programs, regions, tactics or quarters there are figures of, by key: what a dashboard lets choose from.
    pub async fn performance_keys(&self, viewer: &Viewer, by: Dimension) -> Result<Vec<PerformanceKey>> {
        let (table, partner) = match viewer.scope() {
            Scope::Partner(_) => ("campaign", "x.partner_id"),
            _ if by == Dimension::Partner => ("rollup_partner", "x.partner_id"),
            _ => ("rollup", "NULL"),
        };
        let found = Where::default().within(viewer.scope(), partner, "x.region");
        let keys = format!("SELECT DISTINCT {} AS key_id FROM {table} x {}", by.key(), found.sql());
        let Some(names) = by.names() else {
            let sql = format!("SELECT key_id AS key, key_id AS label FROM ({keys}) k ORDER BY key_id LIMIT {MOST}");
            return sql::all(&self.db, &sql, found.values).await;
        };
        let sql = format!(
            "SELECT k.key_id, n.name AS label FROM ({keys}) k JOIN {names} n ON n.id = k.key_id
             ORDER BY n.name, k.key_id LIMIT {MOST}"
        );
        let rows = sql::all::<NamedKey>(&self.db, &sql, found.values).await?;
        Ok(rows.into_iter().map(|NamedKey(key)| key).collect())
    }

    /// The sum of everything a filter finds, one line a currency: a dashboard's head.
    pub async fn performance_total(&self, viewer: &Viewer, filter: &PerformanceFilter) -> Result<Vec<PerformanceLine>> {
        let one_partner = filter.partner.is_some() || matches!(viewer.scope(), Scope::Partner(_));
        let (table, partner) = if one_partner { ("campaign", "x.partner_id") } else { ("rollup", "NULL") };
        let found = filter.conditions().within(viewer.scope(), partner, "x.region");
        let sql = format!(
            "SELECT x.currency AS key_id, x.currency AS label, x.currency, {} FROM {table} x {}
             GROUP BY x.currency ORDER BY x.currency",
            Figures::sums(),
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }

    /// The approved campaigns behind a figure, newest quarter first; one that was cancelled later stays among them.
    pub async fn campaigns(
        &self,
        viewer: &Viewer,
        filter: &PerformanceFilter,
        paging: &Paging,
    ) -> Result<Page<CampaignLine>> {
        let mut found = filter.conditions().and("x.code IS NOT NULL", values![]);
        found = found.within(viewer.scope(), "x.partner_id", "x.region");
        if let Some((quarter, cycle, no)) = paging.cursor::<(Date, CycleId, u16)>()? {
            found = found.and("(x.quarter, x.cycle_id, x.no) < (?, ?, ?)", values![quarter, cycle, no]);
        }
        let order = format!("ORDER BY x.quarter DESC, x.cycle_id DESC, x.no DESC LIMIT {}", paging.one_more());
        let rows = self.campaign_lines(found, &order).await?;
        Ok(paging.page(rows, |line| (line.quarter, line.cycle_id, line.no)))
    }

    /// A cycle's campaigns by number, with their figures.
    pub async fn campaigns_of(&self, viewer: &Viewer, cycle: CycleId) -> Result<Vec<CampaignLine>> {
        let found = Where::default().eq("x.cycle_id", Some(cycle));
        self.campaign_lines(found.within(viewer.scope(), "x.partner_id", "x.region"), "ORDER BY x.no").await
    }

    async fn campaign_lines(&self, found: Where, order: &str) -> Result<Vec<CampaignLine>> {
        let figures: Vec<String> = Figures::columns().map(|column| format!("x.{column}")).collect();
        let sql = format!(
            "SELECT x.cycle_id, c.number, x.no, x.name, x.tactic, x.code, x.cancelled, x.quarter, x.partner_id,
             p.name AS partner, x.region, x.currency, {} FROM campaign x JOIN cycle c ON c.id = x.cycle_id
             JOIN partner p ON p.id = x.partner_id {} {order}",
            figures.join(", "),
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }
}

/// A line whose key is an id.
struct Named(PerformanceLine);

impl FromRow for Named {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self(PerformanceLine {
            key: uuid::Uuid::read(row, "key_id")?.to_string(),
            label: Column::read(row, "label")?,
            currency: Column::read(row, "currency")?,
            figures: Figures::from_row(row)?,
        }))
    }
}

/// A key that is an id.
struct NamedKey(PerformanceKey);

impl FromRow for NamedKey {
    fn from_row(row: &QueryResult) -> Result<Self> {
        let key = uuid::Uuid::read(row, "key_id")?.to_string();
        Ok(Self(PerformanceKey { key, label: Column::read(row, "label")? }))
    }
}

impl PerformanceFilter {
    fn conditions(&self) -> Where {
        let mut found = Where::default()
            .eq("x.program_id", self.program)
            .eq("x.region", self.region.as_deref())
            .eq("x.tactic", self.tactic.as_deref())
            .eq("x.partner_id", self.partner)
            .eq("x.currency", self.currency);
        for (condition, quarter) in [("x.quarter >= ?", self.from), ("x.quarter <= ?", self.to)] {
            if let Some(quarter) = quarter {
                found = found.and(condition, values![quarter]);
            }
        }
        found
    }
}
