//! Models that give every touch something, whatever its position.

use std::time::Duration;

use super::Weighted;
use crate::explain::Reason;
use crate::journey::Touch;

/// 1/n per touch: a channel touched 3 of 5 times gets 3/5 (Adobe, `ChannelAttribution`).
pub fn linear(touches: &[Touch], out: &mut Vec<Weighted>) {
    let of = touches.len();
    out.resize(of, Weighted::new(1, Reason::Alike { of }));
}

/// `2^(-age / half-life)`, age counted from the conversion (Adobe, Google).
///
/// Only ratios of weights matter, so each is taken relative to the newest touch: `2^(-(newest - at) / half-life)`.
/// The newest then weighs 1 however old it is, and the sum can never be zero; a touch more than 62 half-lives older
/// than the newest weighs nothing. The one place where a weight is a float, before it becomes a multiple of 2^-62.
pub fn time_decay(touches: &[Touch], converted_at: i64, half_life: Duration, out: &mut Vec<Weighted>) {
    let newest = touches.last().map_or(converted_at, |touch| touch.at);
    out.extend(touches.iter().map(|touch| {
        let age = Duration::from_secs(converted_at.saturating_sub(touch.at).unsigned_abs());
        Weighted::new(half_lives(newest.saturating_sub(touch.at), half_life), Reason::Age { age, half_life })
    }));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the weight lies between 0 and 2^62"
)]
fn half_lives(older_by: i64, half_life: Duration) -> u64 {
    const ONE: f64 = (1_u64 << 62) as f64;
    if older_by == 0 {
        // Also when the half-life is zero, where only the newest touches count.
        return ONE as u64;
    }
    ((-(older_by as f64) / half_life.as_secs_f64()).exp2() * ONE).round() as u64
}
