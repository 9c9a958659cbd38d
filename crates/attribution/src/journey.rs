//! What is known of a deal: its touches, its outcome and when it was reached.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// A channel, campaign or partner, as a small number the caller hands out.
pub type Channel = u32;

/// The touches of one buying company up to one outcome, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    touches: Vec<Touch>,
    /// The outcome in minor units of one currency; negative for a refund or a correction.
    value: i64,
    converted_at: Option<i64>,
}

impl Journey {
    /// A journey that reached its outcome (won revenue, pipeline, a count) at `converted_at`, in epoch seconds.
    /// `value` is in minor units. The touches may come in any order.
    pub fn won(touches: Vec<Touch>, value: i64, converted_at: i64) -> Self {
        Self::sorted(touches, value, Some(converted_at))
    }

    /// A null journey: it reached no outcome. It carries no value, and the data-driven models learn from it.
    pub fn null(touches: Vec<Touch>) -> Self {
        Self::sorted(touches, 0, None)
    }

    fn sorted(mut touches: Vec<Touch>, value: i64, converted_at: Option<i64>) -> Self {
        touches.sort_unstable();
        Self { touches, value, converted_at }
    }

    /// All touches, by time, then stage rank, then id.
    pub fn touches(&self) -> &[Touch] {
        &self.touches
    }

    pub fn value(&self) -> i64 {
        self.value
    }

    pub fn converted_at(&self) -> Option<i64> {
        self.converted_at
    }

    /// The touches that may earn credit: none after the outcome, none older than `lookback` before it (a touch
    /// exactly that old is inside). A null journey's window is counted back from its last touch.
    pub fn window(&self, lookback: Option<Duration>) -> Range<usize> {
        let Some(end) = self.converted_at.or(self.touches.last().map(|touch| touch.at)) else {
            return 0..0;
        };
        let oldest =
            lookback.map_or(i64::MIN, |window| end.saturating_sub(i64::try_from(window.as_secs()).unwrap_or(i64::MAX)));
        self.touches.partition_point(|touch| touch.at < oldest)..self.touches.partition_point(|touch| touch.at <= end)
    }
}

/// One contact with the buyer.
///
/// The order of the fields is the order of touches: time, then stage rank, then id. The rest only makes the order total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Touch {
    /// Epoch seconds.
    pub at: i64,
    /// The funnel stage the touch belongs to; among touches of the same second the lower rank is earlier.
    pub rank: u8,
    /// The caller's own id; a UUID fits.
    pub id: u128,
    pub channel: Channel,
    /// The vendor's own touch, without a partner.
    pub direct: bool,
    /// The buyer answered (a form, a visit, a meeting). Only responses share what the milestone models leave over.
    pub response: bool,
    pub milestones: Milestones,
}

impl Touch {
    /// A response on a channel, at a time in epoch seconds, that reached no milestone.
    pub fn new(id: u128, channel: Channel, at: i64) -> Self {
        Self { at, rank: 0, id, channel, direct: false, response: true, milestones: Milestones::NONE }
    }
}

/// A touch of which nothing is known but its channel: a step of a path, whose place in it is all the time there is. The
/// buyer answered, and reached no milestone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathStep {
    pub channel: Channel,
    /// The vendor's own touch, without a partner.
    pub direct: bool,
}

/// A point on the way to the outcome that some models reward: one of the named ones, or the caller's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milestone(u8);

impl Milestone {
    /// The earliest touch of any contact of the deal. Where no touch says so it is the first in the window.
    pub const FIRST_TOUCH: Self = Self(0);
    /// The first form fill of any contact.
    pub const LEAD_CREATION: Self = Self(1);
    /// The most recent touch before the opportunity was created.
    pub const OPPORTUNITY_CREATION: Self = Self(2);
    /// The most recent touch before the close. Where no touch says so it is the last in the window.
    pub const CLOSE: Self = Self(3);
    pub const REGISTERED_DEAL: Self = Self(4);
    pub const DEMO: Self = Self(5);
    pub const PROPOSAL: Self = Self(6);

    /// How many milestones there can be, named and own.
    pub const MAX: u8 = 32;
    /// The first number free for milestones of the caller's own.
    pub const FIRST_OWN: u8 = 7;

    const NAMED: [(Self, &str); Self::FIRST_OWN as usize] = [
        (Self::FIRST_TOUCH, "first touch"),
        (Self::LEAD_CREATION, "lead creation"),
        (Self::OPPORTUNITY_CREATION, "opportunity creation"),
        (Self::CLOSE, "close"),
        (Self::REGISTERED_DEAL, "registered deal"),
        (Self::DEMO, "demo"),
        (Self::PROPOSAL, "proposal"),
    ];

    /// The milestone of that number, if it is below [`Milestone::MAX`].
    pub const fn numbered(number: u8) -> Option<Self> {
        if number < Self::MAX { Some(Self(number)) } else { None }
    }

    /// The named milestone: `first touch` or `FT`, `lead creation` or `LC`, and so on; case and hyphens do not matter.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase().replace(['-', '_'], " ");
        match name.as_str() {
            "ft" => Some(Self::FIRST_TOUCH),
            "lc" | "lead" => Some(Self::LEAD_CREATION),
            "oc" | "opportunity" => Some(Self::OPPORTUNITY_CREATION),
            "closed" | "closed won" | "won" => Some(Self::CLOSE),
            _ => Self::NAMED.iter().find(|(_, named)| *named == name).map(|(milestone, _)| *milestone),
        }
    }

    pub const fn number(self) -> u8 {
        self.0
    }

    /// An older touch holds the milestone rather than a newer one: the first form fill creates the lead, but the
    /// most recent touch before the close is the closing one.
    pub(crate) fn earliest_holds(self) -> bool {
        !matches!(self, Self::OPPORTUNITY_CREATION | Self::CLOSE)
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.get(usize::from(self.0)) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "milestone {}", self.0),
        }
    }
}

/// A set of milestones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Milestones(u32);

impl Milestones {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub const fn with(self, milestone: Milestone) -> Self {
        Self(self.0 | 1 << milestone.0)
    }

    pub const fn holds(self, milestone: Milestone) -> bool {
        self.0 & (1 << milestone.0) != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub fn iter(self) -> impl Iterator<Item = Milestone> {
        (0..Milestone::MAX).map(Milestone).filter(move |milestone| self.holds(*milestone))
    }
}

impl FromIterator<Milestone> for Milestones {
    fn from_iter<T: IntoIterator<Item = Milestone>>(iter: T) -> Self {
        iter.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What became of journeys, as counts that can be added and taken back. In whole units the caller chooses: conversions
/// and nulls in the same unit (one, or a power of ten of it), value in any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    pub conversions: i128,
    pub value: i128,
    /// Journeys that reached nothing.
    pub nulls: i128,
}

impl Outcome {
    pub fn add(&mut self, other: Self) {
        self.conversions += other.conversions;
        self.value += other.value;
        self.nulls += other.nulls;
    }
}
