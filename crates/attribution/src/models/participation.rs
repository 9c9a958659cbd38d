//! Participation: who took part, which is not who earned what (Adobe).

use std::time::Duration;

use crate::journey::{Channel, Journey};

/// Every distinct channel of the journey, inside the look-back window, each beside the whole outcome.
///
/// This is what "influenced" shows. It is a type of its own, without amounts per channel, so that it can not be added
/// up as though it were credit: the same outcome stands beside every channel.
pub fn participation(journey: &Journey, lookback: Option<Duration>) -> Participation {
    let mut channels: Vec<Channel> = Vec::new();
    for touch in &journey.touches()[journey.window(lookback)] {
        if !channels.contains(&touch.channel) {
            channels.push(touch.channel);
        }
    }
    Participation { channels, value: journey.value() }
}

/// The channels that took part in one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participation {
    /// In the order of their first touch.
    pub channels: Vec<Channel>,
    /// The outcome, once, in minor units: the total without double counting.
    pub value: i64,
}
