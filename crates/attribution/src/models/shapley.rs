//! The Shapley value, exactly, in closed form.

use super::Weighted;
use crate::explain::Reason;
use crate::journey::{Channel, Touch};

/// With v(S) = the outcome of the journeys whose channels all lie in S, a journey's outcome is a unanimity game on its
/// set of channels, whose Shapley value is an equal part for each: `phi_i = sum over journeys containing i of
/// value / number of distinct channels`. Never negative, adds up, and needs one journey at a time.
///
/// A channel's part is spread evenly over its touches. The common denominator is the least common multiple of the
/// channels' touch counts where that is small, and a fixed fine one otherwise.
pub fn shapley(touches: &[Touch], out: &mut Vec<Weighted>) {
    let mut sorted = Vec::new();
    if touches.len() > SHORT {
        sorted.extend(touches.iter().map(|touch| touch.channel));
        sorted.sort_unstable();
    }
    let times = |channel: Channel| match sorted.as_slice() {
        [] => touches.iter().filter(|touch| touch.channel == channel).count(),
        sorted => sorted.partition_point(|other| *other <= channel) - sorted.partition_point(|other| *other < channel),
    };
    out.extend(touches.iter().map(|touch| Weighted::new(times(touch.channel) as u64, Reason::NoPosition)));
    let common = out.iter().try_fold(1, |common, part| least_common_multiple(common, part.weight)).unwrap_or(FINE);
    // Every touch stands for one part in so many of its channel: together they count the channels.
    let parts: u128 = out.iter().map(|part| u128::from(common / part.weight)).sum();
    let channels = u64::try_from(parts.div_ceil(common.into())).unwrap_or(u64::MAX);
    for part in out {
        let touches = part.weight;
        *part = Weighted::new(common / touches, Reason::Channel { touches, channels });
    }
}

/// In a journey this short, looking through all touches is quicker than sorting them.
const SHORT: usize = 48;

/// Where the least common multiple is above this, a channel's touches share parts that are exact to 1 in 2^40.
const FINE: u64 = 1 << 56;

fn least_common_multiple(one: u64, other: u64) -> Option<u64> {
    let (mut greatest, mut rest) = (one, other);
    while rest != 0 {
        (greatest, rest) = (rest, greatest % rest);
    }
    (one / greatest).checked_mul(other).filter(|multiple| *multiple <= FINE)
}
