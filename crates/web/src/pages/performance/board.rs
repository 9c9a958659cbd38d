//! The head of the dashboard: return, money, funnel, and what moved revenue away from the plan.

use domain::bridge::{Chain, bridge};
use domain::forecast::FunnelStage;
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use storage::Figures;
use storage::read::PerformanceLine;

use super::asked::{Asked, By};
use crate::charts::{self, Bridge, FundBar, FundPart, MoneyState, PlanActual, PlanActualRow, Scale, Unit};
use crate::error::Error;
use crate::extract::Who;
use crate::routes;
use crate::view::{Fact, Stats, Value, count, roi_fact};

pub struct Board {
    pub lead: String,
    pub roi: Stats,
    pub money: PlanActual,
    pub funnel: PlanActual,
    pub bridge: Bridge,
    pub merged: String,
    /// Where the money of this currency's funds is; `None` for those who see no funds.
    pub funds: Option<FundBar>,
    pub derived: Stats,
}

impl Board {
    pub async fn of(who: &Who, asked: &Asked, total: &PerformanceLine) -> Result<Self, Error> {
        let (figures, currency) = (&total.figures, total.currency);
        let (plan, actual) = chains(figures, currency);
        let variance = bridge(&plan, &actual);
        Ok(Self {
            lead: format!(
                "{} approved, their forecasts frozen, beside what came of them. A campaign that still runs counts with its whole plan.",
                count(u64::try_from(figures.planned.campaigns).unwrap_or(0), "campaign", "campaigns")
            ),
            roi: roi(figures, currency),
            money: money(asked, figures, currency),
            funnel: funnel(&plan, &actual),
            merged: charts::merged(&variance),
            bridge: Bridge::from(&variance),
            funds: funds(who, currency).await?,
            derived: derived(asked, figures, currency),
        })
    }
}

/// Planned and actual funnel with their money: counts of the plan are kept in thousandths.
pub fn chains(figures: &Figures, currency: Currency) -> (Chain, Chain) {
    let (planned, actual) = (&figures.planned, &figures.actual);
    let counts = [
        planned.planned_responses,
        planned.planned_leads,
        planned.planned_mqls,
        planned.planned_opportunities,
        planned.planned_proposals,
        planned.planned_wins,
    ];
    let came = [actual.responses, actual.leads, actual.mqls, actual.opportunities, actual.proposals, actual.wins];
    let plan = Chain {
        spend: Money::new(planned.planned_cost, currency),
        counts: counts.map(|thousandths| Decimal::new(thousandths, 3)),
        revenue: Money::new(planned.planned_revenue, currency),
    };
    let actual = Chain {
        spend: Money::new(planned.actual_cost, currency),
        counts: came.map(Decimal::from),
        revenue: Money::new(actual.credited, currency),
    };
    (plan, actual)
}

fn roi(figures: &Figures, currency: Currency) -> Stats {
    let (planned, actual) = (&figures.planned, &figures.actual);
    let in_units = |minor: i64| Money::new(minor, currency).decimal();
    let cost = |minor: i64| Money::new(minor, currency);
    Stats {
        facts: vec![
            roi_fact("Investment ROI", in_units(actual.credited), cost(planned.actual_cost), "Won revenue"),
            roi_fact("Planned ROI", in_units(planned.planned_revenue), cost(planned.planned_cost), "Forecast revenue"),
            roi_fact("MDF ROI", in_units(actual.credited), cost(planned.approved), "Won revenue, for the MDF approved"),
        ],
    }
}

fn money(asked: &Asked, figures: &Figures, currency: Currency) -> PlanActual {
    let behind = asked.with("by", By::Campaign.code()).href();
    let unit = 10_i64.pow(currency.exponent());
    let row = |label: &str, plan: i64, actual: i64| PlanActualRow {
        label: label.to_owned(),
        href: Some(behind.clone()),
        unit: Unit::money(0, currency.code()),
        plan: plan.saturating_add(unit / 2) / unit,
        actual: Some(actual.saturating_add(unit / 2) / unit),
    };
    PlanActual {
        caption: "Money".to_owned(),
        sub: "Revenue is divided among the campaigns that touched a deal, equally per touch, so that it adds up. MDF is what was approved and what of it is paid.".to_owned(),
        scale: Scale::PerRow,
        rows: vec![
            row("Cost", figures.planned.planned_cost, figures.planned.actual_cost),
            row("Revenue", figures.planned.planned_revenue, figures.actual.credited),
            row("MDF", figures.planned.approved, figures.planned.paid),
        ],
    }
}

fn funnel(plan: &Chain, actual: &Chain) -> PlanActual {
    let whole = |count: Decimal| count.round().try_into().unwrap_or(i64::MAX);
    let rows = FunnelStage::ALL.into_iter().map(|stage| PlanActualRow {
        label: stage.label().to_owned(),
        href: None,
        unit: Unit::Count,
        plan: whole(plan.counts[stage as usize]),
        actual: Some(whole(actual.counts[stage as usize])),
    });
    PlanActual {
        caption: "Funnel".to_owned(),
        sub: "A deal counts at its stage and all before it, with each campaign it met.".to_owned(),
        scale: Scale::Shared,
        rows: rows.collect(),
    }
}

/// Shown side by side; only the credited revenue above adds up.
fn derived(asked: &Asked, figures: &Figures, currency: Currency) -> Stats {
    let actual = &figures.actual;
    let behind = |text: String| Value::Link { text, href: asked.with("by", By::Campaign.code()).href() };
    let amount = |minor| Money::new(minor, currency);
    Stats {
        facts: vec![
            Fact::new("Registered deals", behind(crate::view::grouped(actual.registered_deals))),
            Fact::new("Open pipeline", amount(actual.pipeline)),
            Fact::new("Sourced", amount(actual.sourced)).note("a campaign’s touch created the deal"),
            Fact::new("Influenced", amount(actual.influenced)).note("a campaign touched it before the close"),
        ],
    }
}

async fn funds(who: &Who, currency: Currency) -> Result<Option<FundBar>, Error> {
    if !routes::opens("/funds", who.signed()) {
        return Ok(None);
    }
    let (funds, totals) = who.reader().funds(who.viewer()).await?;
    let ours: Vec<_> = funds.iter().filter(|fund| fund.currency == currency).map(|fund| fund.id).collect();
    let held = |kind: AccountKind| -> i64 {
        let of_kind = totals.iter().filter(|total| ours.contains(&total.fund_id) && total.kind == kind);
        of_kind.map(|total| total.total).sum()
    };
    let part = |(state, amount)| FundPart { state, amount, href: Some("/funds".to_owned()) };
    Ok(Some(FundBar {
        caption: format!("All funds in {}", currency.code()),
        sub: "Where their money is today, whatever the filters.".to_owned(),
        unit: Unit::of(currency),
        parts: MoneyState::all(held).into_iter().map(part).collect(),
        bar_only: false,
    }))
}
