//! Sums for models that look at nothing of a touch but its place.
//!
//! Such a model's weights depend on the number of touches alone, and dividing is linear: journeys of one length can be
//! added up by place and channel, and divided once at the end. All such models share these sums.

use crate::journey::{Channel, Touch};
use crate::model::Model;
use crate::models::weigh;
use crate::tally::{Sums, add, exact_part};

/// Longer journeys are divided one by one, so that the sums stay few.
pub const LONGEST: usize = 64;

/// By number of touches, then by channel: the amounts of the journeys it began, of those it took part in between, and
/// of those it ended. An only touch begins.
#[derive(Debug, Clone, Default)]
pub struct Places(Vec<Vec<[Sums; 3]>>);

const FIRST: usize = 0;
const BETWEEN: usize = 1;
const LAST: usize = 2;

impl Places {
    /// Count the amounts of a journey through these channels in: one at least and `LONGEST` at most, all below `channels`.
    pub fn add(&mut self, mut path: impl ExactSizeIterator<Item = Channel>, channels: usize, amounts: Sums) {
        let length = path.len();
        let by_channel = self.by_channel(length, channels);
        let mut at = |channel: Channel, place: usize| add(&mut by_channel[channel as usize][place], amounts);
        if let Some(first) = path.next() {
            at(first, FIRST);
        }
        for channel in path.by_ref().take(length.saturating_sub(2)) {
            at(channel, BETWEEN);
        }
        if let Some(last) = path.next() {
            at(last, LAST);
        }
    }

    fn by_channel(&mut self, length: usize, channels: usize) -> &mut [[Sums; 3]] {
        if self.0.len() <= length {
            self.0.resize_with(length + 1, Vec::new);
        }
        let by_channel = &mut self.0[length];
        if by_channel.len() < channels {
            by_channel.resize(channels, [[0; 2]; 3]);
        }
        by_channel
    }

    /// Add another's sums, whose channel `c` is this one's `renumber[c]`.
    pub fn merge(&mut self, other: &Self, renumber: &[Channel]) {
        let channels = renumber.iter().max().map_or(0, |largest| *largest as usize + 1);
        for (length, theirs) in other.0.iter().enumerate() {
            let ours = self.by_channel(length, channels);
            for (theirs, channel) in theirs.iter().zip(renumber) {
                for (sums, theirs) in ours[*channel as usize].iter_mut().zip(theirs) {
                    add(sums, *theirs);
                }
            }
        }
    }

    /// Divide under a model that looks at places only, and add to each channel's sums.
    pub fn divide(&self, model: &Model, sums: &mut [Sums]) {
        let mut weights = Vec::new();
        for (length, by_channel) in self.0.iter().enumerate().skip(1) {
            // Touches that nothing but their place tells apart.
            weigh(model, &vec![Touch::new(0, 0, 0); length], 0, &mut weights);
            let whole = weights.iter().map(|part| u128::from(part.weight)).sum();
            let of_place = [0, length.min(2) - 1, length - 1].map(|place| weights[place].weight);
            for (sums, amounts) in sums.iter_mut().zip(by_channel) {
                for (amounts, weight) in amounts.iter().zip(of_place) {
                    for (sum, amount) in sums.iter_mut().zip(amounts) {
                        *sum += exact_part(*amount, weight, whole);
                    }
                }
            }
        }
    }
}
