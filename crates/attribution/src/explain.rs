//! Why a touch earned what it earned, as data, and as words a partner can read.

use std::fmt;
use std::time::Duration;

use crate::journey::Milestones;

/// The reason of one touch's weight. Its `Display` is the half sentence after the share: "first touch".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The only touch of the journey.
    Only,
    First,
    Last,
    /// One of so many touches between the first and the last.
    Middle {
        of: usize,
    },
    /// The last touch that is not the vendor's own.
    LastNotDirect,
    /// The last touch of a journey in which all are the vendor's own.
    LastAllDirect,
    /// One of so many touches, all alike.
    Alike {
        of: usize,
    },
    /// So long before the conversion, under that half-life.
    Age {
        age: Duration,
        half_life: Duration,
    },
    /// The touch that reached these milestones.
    Reached(Milestones),
    /// One of so many responses that reached no milestone of the model.
    OtherResponse {
        of: usize,
    },
    /// One of so many touches of a channel, in a journey of so many different channels.
    Channel {
        touches: u64,
        channels: u64,
    },
    /// By what the journeys lose without the touch's channel.
    RemovalEffect,
    /// The model gives this touch nothing.
    NoPosition,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Only => f.write_str("the only touch"),
            Self::First => f.write_str("first touch"),
            Self::Last => f.write_str("last touch"),
            Self::Middle { of: 1 } => f.write_str("the touch in the middle"),
            Self::Middle { of } => write!(f, "one of {of} touches in the middle"),
            Self::LastNotDirect => f.write_str("last touch by a partner"),
            Self::LastAllDirect => f.write_str("last touch, and no partner touched"),
            Self::Alike { of } => write!(f, "one of {of} touches, all alike"),
            Self::Age { age, half_life } => {
                write!(f, "{} before the conversion, half-life {}", Span(age), Span(half_life))
            }
            Self::Reached(milestones) => reached(milestones, f),
            Self::OtherResponse { of: 1 } => f.write_str("the one other response"),
            Self::OtherResponse { of } => write!(f, "one of {of} other responses"),
            Self::Channel { touches: 1, channels: 1 } => f.write_str("the only channel"),
            Self::Channel { touches: 1, channels } => write!(f, "one of {channels} channels"),
            Self::Channel { touches, channels: 1 } => {
                write!(f, "one of {touches} touches of the only channel")
            }
            Self::Channel { touches, channels } => {
                write!(f, "one of its channel's {touches} touches, one of {channels} channels")
            }
            Self::RemovalEffect => f.write_str("what the journeys would lose without this channel"),
            Self::NoPosition => f.write_str("no position this model rewards"),
        }
    }
}

/// "first touch", "first touch and lead creation", "first touch, lead creation and close".
fn reached(milestones: Milestones, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let count = milestones.len() as usize;
    for (place, milestone) in milestones.iter().enumerate() {
        let before = match place {
            0 => "",
            _ if place + 1 == count => " and ",
            _ => ", ",
        };
        write!(f, "{before}{milestone}")?;
    }
    Ok(())
}

/// A length of time as a person says it, in the largest unit of which there are two or more, rounded down.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
        let exact = units.iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
        let large = units.iter().find(|(unit, _)| seconds >= 2 * unit);
        let (unit, name) = *exact.or(large).unwrap_or(&(1, "second"));
        let count = seconds / unit;
        write!(f, "{count} {name}{}", if count == 1 { "" } else { "s" })
    }
}
