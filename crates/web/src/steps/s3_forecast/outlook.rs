//! What a campaign may bring, as figures people compare: the funnel with its ranges, revenue, ROI.

use askama::Template;
use askama::filters::HtmlSafe;
use domain::forecast::{Baseline, FunnelStage, Spread, baseline};
use domain::machine::Situation;
use domain::money::Currency;
use domain::steps::s3_forecast::CampaignDraft;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::view::{Amount, grouped};

/// The funnel stage by stage: what the assumptions come to, and what the range of outcomes is.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "s3_forecast/funnel.html")]
pub struct Funnel {
    rows: Vec<FunnelRow>,
}

impl HtmlSafe for Funnel {}

#[derive(Clone, Debug)]
struct FunnelRow {
    label: &'static str,
    expected: String,
    p10: String,
    p50: String,
    p90: String,
    /// The expected bar's length, and where the range begins and how long it is, in thousandths.
    length: i64,
    from: i64,
    range: i64,
}

impl Funnel {
    pub fn of(baseline: Option<&Baseline>) -> Self {
        let Some(baseline) = baseline else { return Self::default() };
        let widest = baseline.expected.iter().copied().chain(baseline.stages.map(|stage| stage.p90)).max();
        let place = |value: Decimal| match widest {
            Some(widest) if widest > Decimal::ZERO => {
                (value / widest * Decimal::ONE_THOUSAND).round().to_i64().unwrap_or(0)
            }
            _ => 0,
        };
        let row = |(index, stage): (usize, FunnelStage)| {
            let (expected, spread) = (baseline.expected[index], baseline.stages[index]);
            FunnelRow {
                label: stage.label(),
                expected: figure(expected),
                p10: whole(spread.p10),
                p50: whole(spread.p50),
                p90: whole(spread.p90),
                length: if expected > Decimal::ZERO { place(expected).max(4) } else { 0 },
                from: place(spread.p10),
                range: (place(spread.p90) - place(spread.p10)).max(4),
            }
        };
        Self { rows: FunnelStage::ALL.into_iter().enumerate().map(row).collect() }
    }
}

/// A draft's forecast as it would freeze now: the same benchmarks, scorecard, evidence and seed. `None` where its
/// tactic is no longer offered.
pub fn outlook(s: &Situation, no: u16, draft: &CampaignDraft) -> Option<Baseline> {
    let tactic = s.benchmarks.tactic(&draft.tactic)?;
    let light = s.cycle.scorecard.result.as_ref().map(|result| result.light);
    let evidence = s.evidence.iter().find(|evidence| evidence.tactic == draft.tactic);
    let seed = u64::from(s.cycle.serial) * 100 + u64::from(no);
    Some(baseline(draft.cost, &draft.assumptions, tactic, s.benchmarks.effect(light), evidence, seed))
}

/// "132,000 EUR (40,000 to 310,000)"
pub fn revenue(baseline: &Baseline) -> String {
    let code = baseline.cost.currency;
    let Spread { p10, p50, p90 } = baseline.revenue;
    format!("{} ({} to {})", units(p50, code).plain(), units(p10, code).number(), units(p90, code).number())
}

/// "210 % (40 to 380)"; a cost of zero has no ROI.
pub fn roi(baseline: &Baseline) -> String {
    match baseline.roi {
        Some(Spread { p10, p50, p90 }) => format!("{}\u{a0}% ({} to {})", whole(p50), whole(p10), whole(p90)),
        None => "none, since it costs nothing".to_owned(),
    }
}

/// "84 %"
pub fn chance(baseline: &Baseline) -> String {
    format!("{}\u{a0}%", baseline.chance)
}

/// Whole units of a currency: an estimate has no cents.
pub fn units(value: Decimal, currency: Currency) -> Amount {
    Amount::new(value.round().to_i64().unwrap_or(i64::MAX), 0, currency.code())
}

/// A count as expected: one decimal where it is small.
fn figure(value: Decimal) -> String {
    if value < Decimal::TEN && value.fract() != Decimal::ZERO {
        value.round_dp(1).normalize().to_string()
    } else {
        whole(value)
    }
}

fn whole(value: Decimal) -> String {
    grouped(value.round().to_i64().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_counts_keep_one_decimal_and_large_ones_none() {
        let dec = |text: &str| text.parse::<Decimal>().expect("a number");
        assert_eq!(figure(dec("4.4625")), "4.5");
        assert_eq!(figure(dec("5.00")), "5");
        assert_eq!(figure(dec("1234.5")), "1,234");
    }
}
