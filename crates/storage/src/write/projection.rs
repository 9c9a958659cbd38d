//! What hangs on a cycle, as rows: campaigns, activities, claims, invoices. Each is a function of the cycle; storage
//! decides nothing here, it copies what the document says into columns.

use super::rollup::{Actual, Cell, Changes, Figures, Planned, quarter_of};
use crate::error::Result;
use crate::sql::{self, FromRow, Table, rows, values};
use crate::tx::Tx;
use domain::cycle::Cycle;
use domain::ids::{CycleId, PartnerId, ProgramId};
use domain::money::{Currency, Money};
use domain::signals::invoice_key;
use domain::steps::s3_forecast::Campaign;
use domain::steps::s6_approval::approved_for;
use domain::steps::s7_execution::{ActivityState, Claim, ClaimState};
use domain::steps::s9_performance::{CampaignMeasure, Measurement, actual_cost};
use domain::{Date, Instant};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sea_orm::{QueryResult, Value};
use serde::{Deserialize, Serialize};

rows! {
    table "activity" => ActivityRow {
        cycle_id: CycleId,
        no: u16,
        campaign_no: u16,
        partner_id: PartnerId,
        region: String,
        name: String,
        kind: String,
        state: ActivityState,
        starts: Date,
        ends: Date,
        currency: Currency,
        cost: i64,
    }

    table "claim" => ClaimRow {
        cycle_id: CycleId,
        no: u16,
        campaign_no: u16,
        partner_id: PartnerId,
        region: String,
        state: ClaimState,
        is_final: bool,
        clawback_open: bool,
        currency: Currency,
        asked: i64,
        approved: i64,
        paid: i64,
        submitted_at: Instant,
    }

    table "invoice" => InvoiceRow {
        cycle_id: CycleId,
        claim_no: u16,
        n: u16,
        partner_id: PartnerId,
        vendor: String,
        invoice_no: String,
        currency: Currency,
        amount: i64,
    }
}

/// A campaign without what came of it: that is measured, not decided, and written by [`Tx::set_results`].
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct CampaignRow {
    pub cycle_id: CycleId,
    pub no: u16,
    pub partner_id: PartnerId,
    pub region: String,
    pub program_id: ProgramId,
    pub quarter: Date,
    pub currency: Currency,
    pub tactic: String,
    pub name: String,
    pub code: Option<String>,
    pub cancelled: bool,
    pub planned: Planned,
}

impl CampaignRow {
    const COLUMNS: [&'static str; 11] = [
        "cycle_id",
        "no",
        "partner_id",
        "region",
        "program_id",
        "quarter",
        "currency",
        "tactic",
        "name",
        "code",
        "cancelled",
    ];

    fn bind_all(&self) -> Vec<Value> {
        let mut values = values![
            self.cycle_id,
            self.no,
            self.partner_id,
            self.region,
            self.program_id,
            self.quarter,
            self.currency,
            self.tactic,
            self.name,
            self.code,
            self.cancelled
        ];
        values.extend(self.planned.bind_all());
        values
    }

    fn figures(&self) -> Figures {
        Figures { planned: self.planned, actual: Actual::default() }
    }
}

impl FromRow for CampaignRow {
    fn from_row(row: &QueryResult) -> Result<Self> {
        use sql::Column;
        Ok(Self {
            cycle_id: Column::read(row, "cycle_id")?,
            no: Column::read(row, "no")?,
            partner_id: Column::read(row, "partner_id")?,
            region: Column::read(row, "region")?,
            program_id: Column::read(row, "program_id")?,
            quarter: Column::read(row, "quarter")?,
            currency: Column::read(row, "currency")?,
            tactic: Column::read(row, "tactic")?,
            name: Column::read(row, "name")?,
            code: Column::read(row, "code")?,
            cancelled: Column::read(row, "cancelled")?,
            planned: Planned::from_row(row)?,
        })
    }
}

/// Everything that hangs on one cycle.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Projection {
    pub campaigns: Vec<CampaignRow>,
    pub activities: Vec<ActivityRow>,
    pub claims: Vec<ClaimRow>,
    pub invoices: Vec<InvoiceRow>,
    measured: Option<Measurement>,
}

impl Projection {
    pub fn of(cycle: &Cycle, region: &str) -> Self {
        Self {
            campaigns: cycle.campaigns.iter().map(|campaign| campaign_row(cycle, campaign, region)).collect(),
            activities: activity_rows(cycle, region),
            claims: cycle.claims.iter().map(|claim| claim_row(cycle, claim, region)).collect(),
            invoices: invoice_rows(cycle),
            measured: cycle.review.measurements.last().cloned(),
        }
    }
}

fn campaign_row(cycle: &Cycle, campaign: &Campaign, region: &str) -> CampaignRow {
    CampaignRow {
        cycle_id: cycle.id,
        no: campaign.no,
        partner_id: cycle.partner,
        region: region.to_owned(),
        program_id: cycle.program,
        quarter: quarter_of(cycle.period.from),
        currency: cycle.currency,
        tactic: campaign.draft.tactic.clone(),
        name: campaign.draft.name.clone(),
        code: campaign.code.clone(),
        cancelled: campaign.cancelled.is_some(),
        planned: planned(cycle, campaign),
    }
}

/// A plan counts from the day it is approved (its campaign ID is out) and while it stands.
fn planned(cycle: &Cycle, campaign: &Campaign) -> Planned {
    let claims: Vec<&Claim> = cycle.claims.iter().filter(|claim| claim.campaign == campaign.no).collect();
    let of_campaign = |activity: u16| cycle.activity(activity).is_some_and(|found| found.draft.campaign == campaign.no);
    let asked =
        cycle.request.lines.iter().filter(|line| cycle.request.submitted.is_some() && of_campaign(line.activity));
    let mut planned = Planned {
        asked: asked.map(|line| line.asked.minor).sum(),
        approved: approved_for(cycle, campaign.no).minor,
        claimed: claims.iter().map(|claim| claim.approved.minor).sum(),
        paid: claims.iter().map(|claim| paid(claim)).sum(),
        ..Planned::default()
    };
    let stands = campaign.code.is_some() && campaign.cancelled.is_none();
    if let Some(baseline) = campaign.baseline.as_ref().filter(|_| stands) {
        let counts = baseline.expected.map(thousandths);
        planned.campaigns = 1;
        planned.planned_cost = baseline.cost.minor;
        planned.actual_cost = actual_cost(cycle, campaign.no, baseline).minor;
        planned.planned_revenue =
            Money::from_decimal(baseline.expected_revenue, cycle.currency).map_or(0, |revenue| revenue.minor);
        [
            planned.planned_responses,
            planned.planned_leads,
            planned.planned_mqls,
            planned.planned_opportunities,
            planned.planned_proposals,
            planned.planned_wins,
        ] = counts;
    }
    planned
}

/// Paid and not clawed back.
fn paid(claim: &Claim) -> i64 {
    let confirmed = claim.clawback.as_ref().filter(|clawback| clawback.confirmed_by.is_some());
    claim.paid().minor - confirmed.map_or(0, |clawback| clawback.amount.minor)
}

fn thousandths(count: Decimal) -> i64 {
    (count * Decimal::ONE_THOUSAND).round().to_i64().unwrap_or(i64::MAX)
}

fn activity_rows(cycle: &Cycle, region: &str) -> Vec<ActivityRow> {
    let row = |activity: &domain::steps::s4_action_plan::Activity| ActivityRow {
        cycle_id: cycle.id,
        no: activity.no,
        campaign_no: activity.draft.campaign,
        partner_id: cycle.partner,
        region: region.to_owned(),
        name: activity.draft.name.clone(),
        kind: activity.draft.kind.clone(),
        state: activity.state,
        starts: activity.draft.starts,
        ends: activity.draft.ends,
        currency: cycle.currency,
        cost: activity.draft.cost(),
    };
    cycle.activities.iter().map(row).collect()
}

fn claim_row(cycle: &Cycle, claim: &Claim, region: &str) -> ClaimRow {
    ClaimRow {
        cycle_id: cycle.id,
        no: claim.no,
        campaign_no: claim.campaign,
        partner_id: cycle.partner,
        region: region.to_owned(),
        state: claim.state,
        is_final: claim.is_final,
        clawback_open: claim.waits_for_a_second_person(),
        currency: cycle.currency,
        asked: claim.asked.minor,
        approved: claim.approved.minor,
        paid: paid(claim),
        submitted_at: claim.submitted_at,
    }
}

fn invoice_rows(cycle: &Cycle) -> Vec<InvoiceRow> {
    let mut rows = Vec::new();
    for claim in &cycle.claims {
        for (n, line) in (1..).zip(&claim.lines) {
            rows.push(InvoiceRow {
                cycle_id: cycle.id,
                claim_no: claim.no,
                n,
                partner_id: cycle.partner,
                vendor: invoice_key(&line.invoice.vendor),
                invoice_no: invoice_key(&line.invoice.invoice_no),
                currency: line.invoice.actual.currency,
                amount: line.invoice.actual.minor,
            });
        }
    }
    rows
}

/// The sums a list of cycles shows: asked, approved, claimed, paid.
pub(crate) fn totals(campaigns: &[CampaignRow]) -> Planned {
    campaigns.iter().fold(Planned::default(), |sum, campaign| sum.plus(campaign.planned))
}

/// One campaign's measured results, as a page lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CampaignResults {
    pub campaign: u16,
    pub actual: Actual,
}

impl From<&CampaignMeasure> for CampaignResults {
    fn from(measure: &CampaignMeasure) -> Self {
        let [responses, leads, mqls, opportunities, proposals, wins] = measure.actual.map(i64::from);
        let linear = measure.credited.iter().find(|credited| credited.model == "linear");
        let actual = Actual {
            responses,
            leads,
            mqls,
            opportunities,
            proposals,
            wins,
            registered_deals: i64::from(measure.registered_deals),
            pipeline: measure.pipeline.minor,
            won: measure.won.minor,
            sourced: measure.sourced.minor,
            influenced: measure.influenced.minor,
            credited: linear.map_or(0, |credited| credited.amount.minor),
        };
        Self { campaign: measure.campaign, actual }
    }
}

impl Tx {
    /// Writes what differs between the rows before and after, and what that changes in the aggregates.
    pub(crate) async fn project(&self, before: &Projection, after: &Projection) -> Result<()> {
        let mut changes = Changes::default();
        self.project_campaigns(before, after, &mut changes).await?;
        let fresh = changed(&before.activities, &after.activities);
        sql::upsert(&self.db, &fresh, &["cycle_id", "no"]).await?;
        for gone in before.activities.iter().filter(|row| after.activities.iter().all(|other| other.no != row.no)) {
            self.drop_row("activity", gone.cycle_id, gone.no).await?;
        }
        sql::upsert(&self.db, &changed(&before.claims, &after.claims), &["cycle_id", "no"]).await?;
        sql::upsert(&self.db, &changed(&before.invoices, &after.invoices), &["cycle_id", "claim_no", "n"]).await?;
        if let Some(measurement) = after.measured.as_ref().filter(|_| before.measured != after.measured) {
            self.measure_into(&mut changes, after, measurement).await?;
        }
        self.roll_up(changes).await
    }

    async fn project_campaigns(&self, before: &Projection, after: &Projection, changes: &mut Changes) -> Result<()> {
        let fresh: Vec<&CampaignRow> = after.campaigns.iter().filter(|row| !before.campaigns.contains(row)).collect();
        let gone = |row: &&CampaignRow| after.campaigns.iter().all(|other| other.no != row.no);
        for row in before.campaigns.iter().filter(gone) {
            changes.subtract(Cell::from(row), row.figures());
            self.drop_row("campaign", row.cycle_id, row.no).await?;
        }
        for row in &fresh {
            if let Some(old) = before.campaigns.iter().find(|old| old.no == row.no) {
                changes.subtract(Cell::from(old), old.figures());
            }
            changes.add(Cell::from(*row), row.figures());
        }
        self.save_campaigns(&fresh).await
    }

    async fn save_campaigns(&self, rows: &[&CampaignRow]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let columns: Vec<&str> = CampaignRow::COLUMNS.iter().chain(Planned::COLUMNS).copied().collect();
        let set: Vec<String> = columns[2..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
        let sql = format!(
            "INSERT INTO campaign ({}) VALUES {} ON CONFLICT (cycle_id, no) DO UPDATE SET {}",
            columns.join(", "),
            sql::places(rows.len(), columns.len(), 1),
            set.join(", ")
        );
        sql::execute(&self.db, &sql, rows.iter().flat_map(|row| row.bind_all()).collect()).await.map(|_| ())
    }

    async fn drop_row(&self, table: &str, cycle: CycleId, no: u16) -> Result<()> {
        let sql = format!("DELETE FROM {table} WHERE cycle_id = $1 AND no = $2");
        sql::execute(&self.db, &sql, values![cycle, no]).await.map(|_| ())
    }

    /// Keeps what a running cycle's campaigns have brought so far, for lists and dashboards. The cycle itself does not
    /// change: a measurement becomes part of it by a decision only.
    pub async fn set_results(&self, cycle: CycleId, measurement: &Measurement) -> Result<()> {
        let sql = "SELECT * FROM campaign WHERE cycle_id = $1 ORDER BY no";
        let campaigns: Vec<CampaignRow> = sql::all(&self.db, sql, values![cycle]).await?;
        let mut changes = Changes::default();
        let projection = Projection { campaigns, ..Projection::default() };
        self.measure_into(&mut changes, &projection, measurement).await?;
        self.roll_up(changes).await
    }

    async fn measure_into(&self, changes: &mut Changes, of: &Projection, measurement: &Measurement) -> Result<()> {
        let set: Vec<String> =
            (3..).zip(Actual::COLUMNS).map(|(place, column)| format!("{column} = ${place}")).collect();
        let update = format!("UPDATE campaign SET {} WHERE cycle_id = $1 AND no = $2", set.join(", "));
        let read = format!(
            "SELECT {} FROM campaign WHERE cycle_id = $1 AND no = $2 {}",
            Actual::COLUMNS.join(", "),
            sql::for_update(&self.db, false)
        );
        for measure in &measurement.campaigns {
            let Some(row) = of.campaigns.iter().find(|row| row.no == measure.campaign) else { continue };
            let actual = CampaignResults::from(measure).actual;
            let was: Actual = sql::one(&self.db, &read, values![row.cycle_id, row.no]).await?;
            if was == actual {
                continue;
            }
            let mut values = values![row.cycle_id, row.no];
            values.extend(actual.bind_all());
            sql::execute(&self.db, &update, values).await?;
            let change = Figures { actual: actual.minus(was), ..Figures::default() };
            changes.add(Cell::from(row), change);
        }
        Ok(())
    }

    /// A partner has moved to another region: its rows and its share of every aggregate go along.
    pub(crate) async fn move_region(&self, partner: PartnerId, region: &str) -> Result<()> {
        let columns: Vec<&str> = CampaignRow::COLUMNS.iter().copied().chain(Figures::columns()).collect();
        let sql = format!("SELECT {} FROM campaign WHERE partner_id = $1", columns.join(", "));
        let campaigns: Vec<Counted> = sql::all(&self.db, &sql, values![partner]).await?;
        let mut changes = Changes::default();
        for Counted { row, figures } in &campaigns {
            changes.subtract(Cell::from(row), *figures);
            changes.add(Cell::from(row).in_region(region), *figures);
        }
        self.recount_stages(partner, region).await?;
        for table in ["cycle", "campaign", "activity", "claim", "rollup_partner"] {
            let sql = format!("UPDATE {table} SET region = $2 WHERE partner_id = $1");
            sql::execute(&self.db, &sql, values![partner, region]).await?;
        }
        self.roll_up(changes).await
    }
}

/// A campaign with all its figures.
struct Counted {
    row: CampaignRow,
    figures: Figures,
}

impl FromRow for Counted {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self { row: CampaignRow::from_row(row)?, figures: Figures::from_row(row)? })
    }
}

fn changed<T: Table + Clone + PartialEq>(before: &[T], after: &[T]) -> Vec<T> {
    after.iter().filter(|row| !before.contains(row)).cloned().collect()
}
