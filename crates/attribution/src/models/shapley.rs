//! The Shapley value, exactly, in closed form.

use super::Weighted;
use crate::explain::Reason;
use crate::journey::Touch;

/// With v(S) = the outcome of the journeys whose channels all lie in S, a journey's outcome is a unanimity game on its
/// set of channels, whose Shapley value is an equal part for each: `phi_i = sum over journeys containing i of
/// value / number of distinct channels`. Never negative, adds up, and needs one journey at a time.
///
/// A channel's part is spread evenly over its touches. The common denominator is the least common multiple of the
/// channels' touch counts where that is small, and a fixed fine one otherwise.
pub fn shapley(touches: &[Touch], out: &mut Vec<Weighted>) {
    let times = |touch: &Touch| {
        touches
            .iter()
            .filter(|other| other.channel == touch.channel)
            .count()
    };
    let is_first = |place: usize| {
        !touches[..place]
            .iter()
            .any(|touch| touch.channel == touches[place].channel)
    };
    let channels = (0..touches.len()).filter(|place| is_first(*place)).count();
    let common = touches.iter().try_fold(1, |common, touch| {
        least_common_multiple(common, times(touch) as u64)
    });
    out.extend(touches.iter().map(|touch| {
        let times = times(touch);
        Weighted::new(
            common.unwrap_or(FINE) / times as u64,
            Reason::Channel {
                touches: times,
                channels,
            },
        )
    }));
}

/// Where the least common multiple is above this, a channel's touches share parts that are exact to 1 in 2^40.
const FINE: u64 = 1 << 56;

fn least_common_multiple(one: u64, other: u64) -> Option<u64> {
    let (mut greatest, mut rest) = (one, other);
    while rest != 0 {
        (greatest, rest) = (rest, greatest % rest);
    }
    (one / greatest)
        .checked_mul(other)
        .filter(|multiple| *multiple <= FINE)
}
