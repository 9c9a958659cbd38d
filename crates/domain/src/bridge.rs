//! The bridge from forecast revenue to actual revenue: how much of the variance each driver explains.
//!
//! Revenue is a chain of factors: spend x responses per unit of money x each conversion rate x deal size. The
//! logarithmic mean Divisia index (LMDI, Ang 2004) gives every factor `L(actual, plan) x ln(factor actual /
//! factor plan)` with `L(a, b) = (a - b) / ln(a / b)`, which leaves no residual. Weights are floating point;
//! the amounts are then cut to minor units by largest remainder, so that they add up to the variance exactly.
//!
//! A stage that is zero on one side has no rate after it: from there on all drivers are merged into one effect,
//! what is left once the drivers before it are valued as the forecast values what they brought.

use crate::forecast::FunnelStage;
use crate::money::Money;
use crate::steps::s9_performance::CampaignMeasure;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// A funnel with its money on both ends; spend and revenue in one currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chain {
    pub spend: Money,
    /// Counts at each stage, widest first.
    pub counts: [Decimal; 6],
    pub revenue: Money,
}

/// One factor of the chain, in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    Spend,
    ResponsesPerMoney,
    LeadRate,
    MqlRate,
    OpportunityRate,
    ProposalRate,
    WinRate,
    DealSize,
}

impl Driver {
    pub const ALL: [Driver; 8] = [
        Driver::Spend,
        Driver::ResponsesPerMoney,
        Driver::LeadRate,
        Driver::MqlRate,
        Driver::OpportunityRate,
        Driver::ProposalRate,
        Driver::WinRate,
        Driver::DealSize,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Driver::Spend => "Spend",
            Driver::ResponsesPerMoney => "Responses per unit of money",
            Driver::LeadRate => "Lead rate",
            Driver::MqlRate => "MQL rate",
            Driver::OpportunityRate => "Opportunity rate",
            Driver::ProposalRate => "Proposal rate",
            Driver::WinRate => "Win rate",
            Driver::DealSize => "Deal size",
        }
    }

    /// The stage whose count the driver leads to; the last one leads to revenue.
    pub fn stage(self) -> Option<FunnelStage> {
        (self as usize).checked_sub(1).and_then(|index| FunnelStage::ALL.get(index).copied())
    }
}

/// What one driver added to revenue, or took from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Effect {
    pub driver: Driver,
    pub amount: Money,
    /// It stands for this driver and all after it: a stage is zero on one side.
    pub merged: bool,
}

impl Effect {
    /// "Win rate", or "Win rate and all after it".
    pub fn label(&self) -> String {
        let rest = if self.merged && self.driver != Driver::DealSize { " and all after it" } else { "" };
        format!("{}{rest}", self.driver.label())
    }
}

/// From plan to actual: `plan + sum of effects = actual`, to the minor unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bridge {
    pub plan: Money,
    pub actual: Money,
    pub effects: Vec<Effect>,
}

impl Bridge {
    /// A campaign's forecast revenue against what it won.
    pub fn of(measure: &CampaignMeasure) -> Self {
        let plan = Chain { spend: measure.plan_cost, counts: measure.plan, revenue: measure.plan_revenue };
        let counts = measure.actual.map(Decimal::from);
        bridge(&plan, &Chain { spend: measure.actual_cost, counts, revenue: measure.won })
    }
}

/// Splits the variance of revenue into its drivers. Both chains are in one currency.
pub fn bridge(plan: &Chain, actual: &Chain) -> Bridge {
    let (was, is) = (plan.links(), actual.links());
    let merged_from = (0..LINKS).find(|link| was[*link] <= 0.0 || is[*link] <= 0.0);
    let whole = merged_from.unwrap_or(LINKS);
    let weight = match merged_from {
        None => log_mean(was[LINKS - 1], is[LINKS - 1]),
        Some(0) => 0.0,
        Some(link) => {
            let side = if was[LINKS - 1] > 0.0 { &was } else { &is };
            let worth = side[LINKS - 1] / side[link - 1];
            log_mean(was[link - 1] * worth, is[link - 1] * worth)
        }
    };
    let factor = |links: &[f64; LINKS], link: usize| if link == 0 { links[0] } else { links[link] / links[link - 1] };
    let mut exact: Vec<f64> = (0..whole).map(|link| weight * (factor(&is, link) / factor(&was, link)).ln()).collect();
    let variance = actual.revenue.minor - plan.revenue.minor;
    if merged_from.is_some() {
        #[allow(clippy::cast_precision_loss)]
        exact.push(variance as f64 - exact.iter().sum::<f64>());
    }
    let amounts = to_minor_units(&exact, variance);
    let effects = Driver::ALL.into_iter().zip(amounts).enumerate().map(|(link, (driver, minor))| Effect {
        driver,
        amount: Money::new(minor, plan.revenue.currency),
        merged: Some(link) == merged_from,
    });
    Bridge { plan: plan.revenue, actual: actual.revenue, effects: effects.collect() }
}

/// Spend, six counts, revenue.
const LINKS: usize = Driver::ALL.len();

impl Chain {
    /// Money in minor units.
    #[allow(clippy::cast_precision_loss)]
    fn links(&self) -> [f64; LINKS] {
        let mut links = [0.0; LINKS];
        links[0] = self.spend.minor as f64;
        links[LINKS - 1] = self.revenue.minor as f64;
        for (link, count) in links[1..].iter_mut().zip(&self.counts) {
            *link = count.to_f64().unwrap_or(0.0);
        }
        links
    }
}

/// `(a - b) / ln(a / b)`, which is `a` where both are the same and 0 where one of them is.
fn log_mean(a: f64, b: f64) -> f64 {
    if a <= 0.0 || b <= 0.0 {
        return 0.0;
    }
    let off = (b - a) / a;
    if off.abs() < 1e-9 { a * (1.0 + off / 2.0) } else { (b - a) / (b / a).ln() }
}

/// Whole minor units that add up to `total`: rounded down, then the largest remainders are rounded up.
fn to_minor_units(exact: &[f64], total: i64) -> Vec<i64> {
    #[allow(clippy::cast_possible_truncation)]
    let mut parts: Vec<i64> = exact.iter().map(|part| part.floor() as i64).collect();
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by(|one, other| (exact[*other] - exact[*other].floor()).total_cmp(&(exact[*one] - exact[*one].floor())));
    let mut left = total - parts.iter().sum::<i64>();
    // A rounding error of the weights can leave more than one unit a part, or less than none.
    while left != 0 && !order.is_empty() {
        for index in &order {
            if left != 0 {
                parts[*index] += left.signum();
                left -= left.signum();
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn chain(spend: i64, counts: [u32; 6], revenue: i64) -> Chain {
        Chain {
            spend: Money::units(spend, Currency::EUR),
            counts: counts.map(Decimal::from),
            revenue: Money::units(revenue, Currency::EUR),
        }
    }

    fn amounts(bridge: &Bridge) -> Vec<i64> {
        bridge.effects.iter().map(|effect| effect.amount.minor).collect()
    }

    #[test]
    fn the_published_variance_is_explained_to_the_cent() {
        let plan = chain(20_000, [400, 100, 40, 20, 20, 5], 150_000);
        let actual = chain(18_500, [520, 104, 36, 18, 18, 4], 132_000);
        let bridge = bridge(&plan, &actual);
        assert_eq!(amounts(&bridge), [-1_097_763, 4_792_070, -3_142_046, -2_035_824, 0, 0, -1_658_483, 1_342_046]);
        assert_eq!(amounts(&bridge).iter().sum::<i64>(), -1_800_000);
        assert!(bridge.effects.iter().all(|effect| !effect.merged));
    }

    #[test]
    fn after_a_stage_of_zero_the_drivers_are_one_effect() {
        let plan = chain(20_000, [400, 100, 40, 20, 16, 4], 120_000);
        let nothing_won = bridge(&plan, &chain(20_000, [200, 50, 20, 10, 8, 0], 0));
        let labels: Vec<String> = nothing_won.effects.iter().map(Effect::label).collect();
        assert_eq!(labels.last().map(String::as_str), Some("Win rate and all after it"));
        // Half the responses lose half of what the forecast expects; that nothing was won loses the other half.
        assert_eq!(amounts(&nothing_won), [0, -6_000_000, 0, 0, 0, 0, -6_000_000]);
        assert!(nothing_won.effects[6].merged);

        let not_spent = bridge(&plan, &chain(0, [0; 6], 0));
        assert_eq!((not_spent.effects.len(), amounts(&not_spent)[0]), (1, -12_000_000));
        assert_eq!(not_spent.effects[0].label(), "Spend and all after it");

        // Deals that came without a recorded lead.
        let unrecorded = bridge(&plan, &chain(20_000, [400, 0, 0, 2, 2, 1], 30_000));
        assert_eq!(amounts(&unrecorded), [0, 0, -9_000_000]);
        assert_eq!(unrecorded.effects[2].driver.stage(), Some(FunnelStage::Leads));
    }

    #[test]
    fn nothing_changed_is_no_effect() {
        let plan = chain(20_000, [400, 100, 40, 20, 16, 4], 120_000);
        assert_eq!(amounts(&bridge(&plan, &plan)), [0; 8]);
    }

    proptest! {
        #[test]
        fn effects_add_up_to_the_variance(
            spend in [0_i64..2_000_000, 0_i64..2_000_000],
            counts in proptest::array::uniform2(proptest::array::uniform6(0_u32..900)),
            revenue in [0_i64..9_000_000, 0_i64..9_000_000],
        ) {
            let side = |index: usize| chain(spend[index], counts[index], revenue[index]);
            let there = bridge(&side(0), &side(1));
            prop_assert_eq!(amounts(&there).iter().sum::<i64>(), (revenue[1] - revenue[0]) * 100);
            let back = bridge(&side(1), &side(0));
            let whole = there.effects.iter().chain(&back.effects).all(|effect| !effect.merged);
            for (one, other) in amounts(&there).into_iter().zip(amounts(&back)).filter(|_| whole) {
                prop_assert!((one + other).abs() <= 1, "the way back undoes the way there");
            }
        }
    }
}
