//! One measurement as a page shows it, for all campaigns or one of them.

use chrono::Days;
use domain::bridge::{Chain, bridge};
use domain::forecast::FunnelStage;
use domain::machine::Situation;
use domain::money::Money;
use domain::steps::s9_performance::{CampaignMeasure, Measurement, measure};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Asked;
use crate::charts::{self, Bridge, PlanActual, PlanActualRow, Scale, Unit};
use crate::extract::Who;
use crate::steps::s8_tracking::by_day;
use crate::view::{Amount, Badge, Stats, Tab, Tabs, Tone, roi_fact};

pub struct View {
    pub when: String,
    pub tabs: Tabs,
    pub roi: Stats,
    pub funnel: PlanActual,
    pub bridge: Bridge,
    /// Why some effects stand together; may be empty.
    pub merged: String,
    pub models: Vec<String>,
    pub derived: Vec<Derived>,
    pub currency: String,
    pub lookback: String,
    pub guide: String,
    pub left_out: String,
    pub costs: Vec<Cost>,
    pub signals: Vec<Signal>,
}

pub struct Derived {
    pub name: String,
    /// The rows behind it, up to the measure's name.
    pub href: String,
    pub registered: u32,
    pub pipeline: Amount,
    pub sourced: Amount,
    pub influenced: Amount,
    pub credited: Vec<(String, Amount)>,
}

pub struct Cost {
    pub stage: &'static str,
    pub plan: String,
    pub actual: String,
    pub made_of: String,
}

pub struct Signal {
    pub label: &'static str,
    pub badge: Badge,
    pub words: String,
}

/// What the page's figures are made of: one campaign's, or the sum of all.
struct Sum {
    plan: [Decimal; 6],
    actual: [u32; 6],
    plan_cost: Money,
    cost: Money,
    plan_revenue: Money,
    won: Money,
    extrapolated: Decimal,
    /// MDF is booked per cycle; one campaign's is not told apart here.
    mdf: Option<Money>,
}

impl View {
    pub fn new(who: &Who, s: &Situation, measured: &Measurement, when: String, asked: &Asked) -> Self {
        let shown: Vec<&CampaignMeasure> = measured
            .campaigns
            .iter()
            .filter(|campaign| asked.campaign.is_none_or(|no| no == campaign.campaign))
            .collect();
        let sum = Sum::of(s, measured, &shown, asked.campaign.is_some());
        let variance = bridge(&sum.chain(true), &sum.chain(false));
        Self {
            when,
            tabs: tabs(s, measured, asked),
            roi: roi(&sum),
            funnel: funnel(&sum),
            merged: charts::merged(&variance),
            bridge: Bridge::from(&variance),
            models: models(measured),
            derived: shown.iter().map(|campaign| derived(s, campaign)).collect(),
            currency: s.cycle.currency.code().to_owned(),
            lookback: format!("{} days before the close", measured.lookback_days),
            guide: measured.guide_version.clone(),
            left_out: left_out(measured),
            costs: costs(&sum),
            signals: signals(who, s, asked),
        }
    }
}

impl Sum {
    fn of(s: &Situation, measured: &Measurement, shown: &[&CampaignMeasure], is_one: bool) -> Self {
        let money = |part: fn(&CampaignMeasure) -> Money| s.cycle.sum(shown.iter().map(|campaign| part(campaign)));
        Self {
            plan: std::array::from_fn(|stage| shown.iter().map(|campaign| campaign.plan[stage]).sum()),
            actual: std::array::from_fn(|stage| shown.iter().map(|campaign| campaign.actual[stage]).sum()),
            plan_cost: money(|campaign| campaign.plan_cost),
            cost: money(|campaign| campaign.actual_cost),
            plan_revenue: money(|campaign| campaign.plan_revenue),
            // Two campaigns may have touched one deal: the cycle counts it once.
            won: if is_one { money(|campaign| campaign.won) } else { measured.won },
            extrapolated: shown.iter().map(|campaign| campaign.extrapolated).sum(),
            mdf: (!is_one).then_some(measured.mdf),
        }
    }

    fn chain(&self, plan: bool) -> Chain {
        if plan {
            Chain { spend: self.plan_cost, counts: self.plan, revenue: self.plan_revenue }
        } else {
            Chain { spend: self.cost, counts: self.actual.map(Decimal::from), revenue: self.won }
        }
    }
}

fn tabs(s: &Situation, measured: &Measurement, asked: &Asked) -> Tabs {
    let at = asked.at.map(|at| format!("at={at}"));
    let href = |campaign: Option<u16>| {
        let campaign = campaign.map(|no| format!("campaign={no}"));
        let query: Vec<String> = [campaign, at.clone()].into_iter().flatten().collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/cycles/{}/performance{mark}{}", s.cycle.number, query.join("&"))
    };
    let tab = |label: String, campaign: Option<u16>| Tab {
        label,
        href: href(campaign),
        current: asked.campaign == campaign,
        count: None,
    };
    let each = measured.campaigns.iter().map(|campaign| tab(campaign.name.clone(), Some(campaign.campaign)));
    Tabs {
        label: "Campaigns".to_owned(),
        tabs: std::iter::once(tab("All campaigns".to_owned(), None)).chain(each).collect(),
    }
}

/// Each figure called ROI with its own name, and what it is made of beneath it.
fn roi(sum: &Sum) -> Stats {
    let won = sum.won.decimal();
    let mut facts = vec![
        roi_fact("Investment ROI", won, sum.cost, "Won revenue"),
        roi_fact("Planned ROI", sum.plan_revenue.decimal(), sum.plan_cost, "Forecast revenue"),
        roi_fact("Extrapolated ROI", sum.extrapolated, sum.cost, "Won, and open counts at their close rates"),
    ];
    if let Some(mdf) = sum.mdf {
        facts.insert(1, roi_fact("MDF ROI", won, mdf, "Won revenue, for the vendor’s money alone"));
    }
    Stats { facts }
}

fn funnel(sum: &Sum) -> PlanActual {
    let rows = FunnelStage::ALL.into_iter().map(|stage| PlanActualRow {
        label: stage.label().to_owned(),
        href: None,
        unit: Unit::Count,
        plan: sum.plan[stage as usize].round().to_i64().unwrap_or(0),
        actual: Some(i64::from(sum.actual[stage as usize])),
    });
    PlanActual {
        caption: "Funnel".to_owned(),
        sub: "The committed forecast and what came; a deal counts at its stage and all before it.".to_owned(),
        scale: Scale::Shared,
        rows: rows.collect(),
    }
}

fn models(measured: &Measurement) -> Vec<String> {
    measured
        .campaigns
        .first()
        .map(|campaign| campaign.credited.iter().map(|credited| credited.model.clone()).collect())
        .unwrap_or_default()
}

fn derived(s: &Situation, campaign: &CampaignMeasure) -> Derived {
    Derived {
        name: campaign.name.clone(),
        href: format!("/cycles/{}/performance/deals?campaign={}&of=", s.cycle.number, campaign.campaign),
        registered: campaign.registered_deals,
        pipeline: campaign.pipeline.into(),
        sourced: campaign.sourced.into(),
        influenced: campaign.influenced.into(),
        credited: campaign.credited.iter().map(|credited| (credited.model.clone(), credited.amount.into())).collect(),
    }
}

fn left_out(measured: &Measurement) -> String {
    if measured.left_out.is_empty() {
        return String::new();
    }
    format!("Deals in another currency are never converted by guess: {}.", measured.left_out.join(", "))
}

fn costs(sum: &Sum) -> Vec<Cost> {
    let each = |cost: Money, count: Decimal| {
        let per = (!count.is_zero()).then(|| cost.decimal() / count);
        per.and_then(|per| Money::from_decimal(per, cost.currency).ok())
            .map_or_else(|| "none".to_owned(), |per| Amount::exactly(per).plain())
    };
    FunnelStage::ALL
        .into_iter()
        .map(|stage| {
            let count = sum.actual[stage as usize];
            Cost {
                stage: stage.label(),
                plan: each(sum.plan_cost, sum.plan[stage as usize]),
                actual: each(sum.cost, Decimal::from(count)),
                made_of: format!("{} / {count}", Amount::from(sum.cost).plain()),
            }
        })
        .collect()
}

/// Day 30 operational, day 60 engagement, day 90 pipeline: what had come by that day against what the plan expected by it.
fn signals(who: &Who, s: &Situation, asked: &Asked) -> Vec<Signal> {
    const CHECKS: [(u64, &str, FunnelStage); 3] = [
        (30, "Day 30, operation", FunnelStage::Responses),
        (60, "Day 60, engagement", FunnelStage::Mqls),
        (90, "Day 90, pipeline", FunnelStage::Opportunities),
    ];
    let window = domain::calendar::plus(s.cycle.period.to, s.policy.tracking.days);
    let check = |(days, label, stage): (u64, &'static str, FunnelStage)| {
        let day = s.cycle.period.from.checked_add_days(Days::new(days - 1)).unwrap_or(s.cycle.period.to);
        let what = stage.label().to_lowercase();
        if day > who.today() {
            let words = format!("{} of {what}, looked at {}.", "The count", domain::calendar::words(day));
            return Signal { label, badge: Badge::new(Tone::Off, "Still ahead"), words };
        }
        let mut then = s.clone();
        then.results.touches.retain(|touch| touch.at.date_naive() <= day);
        then.results.deals.retain(|deal| deal.created_on <= day);
        let measured = measure(&then, who.now());
        let shown =
            measured.campaigns.iter().filter(|campaign| asked.campaign.is_none_or(|no| no == campaign.campaign));
        let (plan, actual) = shown.fold((Decimal::ZERO, 0), |(plan, actual), campaign| {
            (plan + campaign.plan[stage as usize], actual + i64::from(campaign.actual[stage as usize]))
        });
        let to = if stage <= FunnelStage::Mqls { s.cycle.period.to } else { window };
        let expected = by_day(plan, (s.cycle.period.from, to), day);
        Signal {
            label,
            badge: judged(actual, expected),
            words: format!("{actual} {what} by {}, {expected} expected.", domain::calendar::words(day)),
        }
    };
    CHECKS.into_iter().map(check).collect()
}

/// On track from nine tenths of what was expected, at risk from half.
fn judged(actual: i64, expected: i64) -> Badge {
    if actual * 10 >= expected * 9 {
        Badge::new(Tone::Ok, "On track")
    } else if actual * 2 >= expected {
        Badge::new(Tone::Warn, "At risk")
    } else {
        Badge::new(Tone::Bad, "Behind")
    }
}
