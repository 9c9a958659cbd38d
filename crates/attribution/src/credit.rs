//! Credit: a deal's amount, divided among its touches under a model.

use std::fmt;
use std::time::Duration;

use crate::journey::Journey;
use crate::model::Model;
use crate::models::{Weighted, weigh};
use crate::{Reason, split};

/// Divide a journey's value among the touches inside the look-back window.
///
/// Amounts are in the journey's minor units; parts and `unattributed` together are exactly the journey's value. A
/// journey without touches in the window is unattributed as a whole; a null journey has nothing to divide.
pub fn credit(model: &Model, journey: &Journey, lookback: Option<Duration>) -> Credits {
    let window = journey.window(lookback);
    let Some(converted_at) = journey.converted_at() else {
        return Credits::default();
    };
    let mut weighted = Vec::new();
    weigh(model, &journey.touches()[window.clone()], converted_at, &mut weighted);
    Credits::divide(journey.value(), window.start, &weighted)
}

/// What every touch of one journey earned under one model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credits {
    /// One for every touch inside the look-back window, in the journey's order, also for those that earned nothing.
    pub parts: Vec<Part>,
    /// What no touch earned, in minor units.
    pub unattributed: i64,
}

impl Credits {
    /// Parts for the touches from place `first` on, in proportion to their weights.
    pub(crate) fn divide(value: i64, first: usize, weighted: &[Weighted]) -> Self {
        let weights: Vec<u64> = weighted.iter().map(|part| part.weight).collect();
        let Some(amounts) = split(value, &weights) else {
            return Self { parts: Vec::new(), unattributed: value };
        };
        let of = weights.iter().map(|weight| u128::from(*weight)).sum();
        let parts = weighted.iter().zip(amounts).enumerate().map(|(place, (part, amount))| Part {
            touch: first + place,
            share: Share { weight: part.weight, of },
            amount,
            reason: part.reason,
        });
        Self { parts: parts.collect(), unattributed: 0 }
    }

    /// Everything credited and not, in minor units: the journey's value.
    pub fn total(&self) -> i64 {
        self.parts.iter().map(|part| part.amount).sum::<i64>() + self.unattributed
    }
}

/// One touch's credit. Its `Display` is the reason in words: `40 %: first touch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The place of the touch in [`Journey::touches`].
    pub touch: usize,
    pub share: Share,
    /// Minor units, with the sign of the journey's value.
    pub amount: i64,
    pub reason: Reason,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.share, self.reason)
    }
}

/// A part of one, as an exact fraction. Displayed as a percentage with up to two decimals, rounded half up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub weight: u64,
    /// The sum of all weights; never zero.
    pub of: u128,
}

impl Share {
    /// For charts; money is never made from it.
    #[expect(clippy::cast_precision_loss, reason = "a chart needs no more than 52 bits")]
    pub fn as_f64(self) -> f64 {
        self.weight as f64 / self.of as f64
    }

    /// Hundredths of a per cent, rounded half up.
    pub fn basis_points(self) -> u16 {
        let rounded = (u128::from(self.weight) * 20_000 + self.of) / (2 * self.of);
        u16::try_from(rounded).unwrap_or(10_000)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points = self.basis_points();
        match (points / 100, points % 100) {
            (whole, 0) => write!(f, "{whole} %"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{} %", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02} %"),
        }
    }
}
