//! The bridge of the rules, drawn: what moved revenue away from the forecast.

use domain::bridge::Bridge as Variance;
use domain::forecast::FunnelStage;
use domain::money::Money;

use super::{Bridge, BridgeStep, Unit};
use crate::view::Amount;

impl From<&Variance> for Bridge {
    fn from(variance: &Variance) -> Self {
        let step = |label: String, amount: Money, is_total| BridgeStep {
            label,
            note: String::new(),
            amount: amount.minor,
            is_total,
            href: None,
        };
        let effects = variance.effects.iter().filter(|effect| !effect.amount.is_zero());
        let mut steps = vec![step("Forecast revenue".to_owned(), variance.plan, true)];
        steps.extend(effects.map(|effect| step(effect.label(), effect.amount, false)));
        steps.push(step("Won revenue".to_owned(), variance.actual, true));
        Self {
            caption: "From forecast to won revenue".to_owned(),
            sub: sentence(variance),
            unit: Unit::of(variance.plan.currency),
            steps,
        }
    }
}

/// What helped most and what cost most.
fn sentence(variance: &Variance) -> String {
    let gains = variance.effects.iter().filter(|effect| effect.amount.is_positive());
    let losses = variance.effects.iter().filter(|effect| effect.amount.minor < 0);
    let best = gains.max_by_key(|effect| effect.amount.minor);
    let worst = losses.min_by_key(|effect| effect.amount.minor);
    let size = |money: Money| Amount::from(Money::new(money.minor.abs(), money.currency)).plain();
    match (best, worst) {
        (Some(best), Some(worst)) => format!(
            "{} brought {} more; {} cost {}.",
            best.label(),
            size(best.amount),
            worst.label().to_lowercase(),
            size(worst.amount)
        ),
        (Some(best), None) => format!("{} brought {} more.", best.label(), size(best.amount)),
        (None, Some(worst)) => format!("{} cost {}.", worst.label(), size(worst.amount)),
        (None, None) => "It came as forecast.".to_owned(),
    }
}

/// Why some effects stand together, in words; empty where each stands alone.
pub fn merged(variance: &Variance) -> String {
    let found = variance.effects.iter().find(|effect| effect.merged);
    found.map_or_else(String::new, |effect| {
        let stage = effect.driver.stage().map_or("revenue", FunnelStage::label).to_lowercase();
        format!("One side has no {stage}, so from there on the effects cannot be told apart and stand as one.")
    })
}
