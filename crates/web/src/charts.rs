//! Charts, drawn by us as SVG: each stands in a figure with the same data as a table, sizes are SVG attributes,
//! colours are classes. Positions are whole thousandths of the drawing's width, so no float is needed.

mod bars;
mod lines;
mod ring;
mod variance;

pub use bars::{Bridge, BridgeStep, Bullet, FundBar, FundPart, MoneyState, PlanActual, PlanActualRow, Scale};
pub use lines::{LinePoint, PlanLine, Sparkline};
pub use ring::{Ring, RingStep};
pub use variance::merged;

use std::borrow::Borrow;

use domain::money::Currency;

use crate::view::{Amount, Value, grouped};

/// What a chart's numbers count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    /// Minor units of a currency with that many decimals.
    Money {
        exponent: u32,
        currency: String,
    },
}

impl Unit {
    pub fn money(exponent: u32, currency: &str) -> Self {
        Self::Money { exponent, currency: currency.to_owned() }
    }

    pub fn of(currency: Currency) -> Self {
        Self::money(currency.exponent(), currency.code())
    }

    /// A number as people read it. (Templates hand over references, code hands over numbers.)
    pub fn show(&self, number: impl Borrow<i64>) -> Value {
        let number = *number.borrow();
        match self {
            Self::Count => Value::Text(grouped(number)),
            Self::Money { exponent, currency } => Value::Money(Amount::new(number, *exponent, currency)),
        }
    }

    /// The same without markup, for tooltips and labels inside drawings.
    pub fn plain(&self, number: impl Borrow<i64>) -> String {
        let number = *number.borrow();
        match self {
            Self::Count => grouped(number),
            Self::Money { exponent, currency } => Amount::new(number, *exponent, currency).plain(),
        }
    }
}

/// Every drawing is this wide, in its own units.
const WIDTH: i64 = 1000;

/// `size` of `whole`, in units of a drawing that is `length` long; clamped to the drawing.
fn scaled(size: i64, whole: i64, length: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    let place = i128::from(size) * i128::from(length) / i128::from(whole);
    i64::try_from(place.clamp(0, i128::from(length))).unwrap_or(length)
}

/// As [`scaled`], but something that exists is never invisible.
fn bar_length(size: i64, whole: i64) -> i64 {
    let length = scaled(size, whole, WIDTH);
    if size > 0 { length.max(4) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_stay_inside_the_drawing_and_small_things_stay_visible() {
        assert_eq!(scaled(1, 2, 1000), 500);
        assert_eq!(scaled(i64::MAX, 1, 1000), 1000);
        assert_eq!(scaled(-5, 10, 1000), 0);
        assert_eq!(scaled(5, 0, 1000), 0);
        assert_eq!(bar_length(1, 1_000_000), 4);
        assert_eq!(bar_length(0, 10), 0);
    }
}
