//! The vendor's share of eligible cost: by tier, activity type, number of sponsors and dates.

use super::Policy;
use crate::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The first rate whose conditions all hold counts, else the default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub default: Decimal,
    #[serde(default)]
    pub rate: Vec<Rate>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub share: Decimal,
    pub tier: Option<String>,
    pub activity: Option<String>,
    /// Exactly this many vendors share the activity, this one included.
    pub sponsors: Option<u16>,
    /// This many vendors or more.
    pub sponsors_from: Option<u16>,
    /// First and last day the activity may start on, both included.
    pub from: Option<Date>,
    pub to: Option<Date>,
}

/// What a share depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shared<'a> {
    pub tier: Option<&'a str>,
    pub activity: Option<&'a str>,
    pub starts: Option<Date>,
    /// Vendors who share the activity; one where nobody says otherwise.
    pub sponsors: Option<u16>,
}

impl Rate {
    /// Every condition the rate names is known to hold.
    pub fn holds(&self, of: Shared) -> bool {
        let sponsors = of.sponsors.unwrap_or(1);
        self.tier.as_deref().is_none_or(|tier| of.tier == Some(tier))
            && self.activity.as_deref().is_none_or(|code| of.activity == Some(code))
            && self.sponsors.is_none_or(|exactly| sponsors == exactly)
            && self.sponsors_from.is_none_or(|least| sponsors >= least)
            && self.from.is_none_or(|from| of.starts.is_some_and(|starts| starts >= from))
            && self.to.is_none_or(|to| of.starts.is_some_and(|starts| starts <= to))
    }

    /// Everything that fits `other` fits this one as well, so that a later `other` would never count.
    pub fn covers(&self, other: &Rate) -> bool {
        let same = |mine: &Option<String>, theirs: &Option<String>| mine.is_none() || mine == theirs;
        let sponsors = match (self.sponsors, self.sponsors_from) {
            (None, None) => true,
            (Some(exactly), _) => other.sponsors == Some(exactly),
            (None, Some(least)) => other.sponsors.or(other.sponsors_from).is_some_and(|theirs| theirs >= least),
        };
        same(&self.tier, &other.tier)
            && same(&self.activity, &other.activity)
            && sponsors
            && self.from.is_none_or(|from| other.from.is_some_and(|theirs| theirs >= from))
            && self.to.is_none_or(|to| other.to.is_some_and(|theirs| theirs <= to))
    }
}

impl Policy {
    /// The vendor's share: the first rate whose conditions hold, else the default.
    pub fn share_for(&self, of: Shared) -> Decimal {
        self.share.rate.iter().find(|rate| rate.holds(of)).map_or(self.share.default, |rate| rate.share)
    }

    /// Some rate depends on how many vendors share an activity.
    pub fn asks_for_sponsors(&self) -> bool {
        self.share.rate.iter().any(|rate| rate.sponsors.is_some() || rate.sponsors_from.is_some())
    }
}
