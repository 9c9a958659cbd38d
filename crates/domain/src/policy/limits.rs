//! Limits beyond the share: caps on cost, mixes of activities, seasons.

use super::{PeriodKind, Policy};
use crate::Date;
use crate::money::Money;
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The most that counts as eligible cost of what it covers: `most` `per` something, or a `share` `of` something.
/// What lies above is the partner's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// The name people read: "Gifts".
    pub name: String,
    /// The cost category it covers; all where neither this nor `activity` is said.
    pub category: Option<String>,
    pub activity: Option<String>,
    /// In units of the guide's currency.
    pub most: Option<Decimal>,
    pub per: Option<Per>,
    pub share: Option<Decimal>,
    pub of: Option<Whole>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each person the activity is for.
    Head,
    /// Each piece of the cost line.
    Unit,
    Line,
    Activity,
    Request,
}

/// What a cap's share is taken of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whole {
    /// What the partner earned in the program's period, as [`Policy::period_of`] counts it.
    Accrual,
    /// The eligible cost of the whole request.
    Request,
}

impl Cap {
    pub fn covers(&self, activity: Option<&str>, category: Option<&str>) -> bool {
        self.activity.as_deref().is_none_or(|code| activity == Some(code))
            && self.category.as_deref().is_none_or(|code| category == Some(code))
    }

    /// It limits several lines together rather than each on its own.
    pub fn is_shared(&self) -> bool {
        self.share.is_some() || matches!(self.per, Some(Per::Activity | Per::Request))
    }
}

/// What else there is of a partner in the program's period: caps on the accrual and mixes look beyond one request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InPeriod {
    /// Earned on purchases; `None` where no cap asks for it.
    pub earned: Option<Money>,
    /// Approved in other requests, by activity type.
    pub earlier: Vec<(String, Money)>,
}

/// At most this share of what is asked may go to these activity types; what was approved in other requests of the
/// program's period counts with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// The name people read: "Traditional media".
    pub name: String,
    pub activities: Vec<String>,
    pub most: Decimal,
}

/// Activity types that are funded from one day to another, every year or once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Season {
    pub name: String,
    pub activities: Vec<String>,
    pub from: SeasonDay,
    pub to: SeasonDay,
}

/// `2026-10-01` for once, `10-01` for every year.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SeasonDay {
    Once(Date),
    Yearly { month: u32, day: u32 },
}

impl TryFrom<String> for SeasonDay {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if let Ok(date) = text.parse::<Date>() {
            return Ok(SeasonDay::Once(date));
        }
        let day = text.split_once('-').and_then(|(month, day)| {
            let (month, day) = (month.parse().ok()?, day.parse().ok()?);
            // A leap year, so that 02-29 is a day.
            NaiveDate::from_ymd_opt(2024, month, day)?;
            Some(SeasonDay::Yearly { month, day })
        });
        day.ok_or_else(|| {
            format!("“{text}” is no day of a season: write \"10-01\" for every year or \"2026-10-01\" for one")
        })
    }
}

impl From<SeasonDay> for String {
    fn from(day: SeasonDay) -> Self {
        match day {
            SeasonDay::Once(date) => date.to_string(),
            SeasonDay::Yearly { month, day } => format!("{month:02}-{day:02}"),
        }
    }
}

impl SeasonDay {
    /// "1 October", "1 October 2026"
    pub fn words(self) -> String {
        match self {
            SeasonDay::Once(date) => date.format("%-d %B %Y").to_string(),
            SeasonDay::Yearly { month, day } => NaiveDate::from_ymd_opt(2024, month, day)
                .map_or_else(|| String::from(self), |date| date.format("%-d %B").to_string()),
        }
    }
}

impl Season {
    /// A yearly season may run over the turn of the year.
    pub fn contains(&self, date: Date) -> bool {
        match (self.from, self.to) {
            (SeasonDay::Once(from), SeasonDay::Once(to)) => from <= date && date <= to,
            (SeasonDay::Yearly { month: fm, day: fd }, SeasonDay::Yearly { month: tm, day: td }) => {
                let (from, to, at) = ((fm, fd), (tm, td), (date.month(), date.day()));
                if from <= to { from <= at && at <= to } else { at >= from || at <= to }
            }
            _ => false,
        }
    }
}

impl Policy {
    /// How this program counts the period that mixes and caps on the accrual look at.
    pub fn period(&self) -> PeriodKind {
        self.request.period.or(self.credit.as_ref().map(|rules| rules.period)).unwrap_or_default()
    }

    /// First and last day of the program's period a day lies in. A request belongs to the period its cycle begins in,
    /// whenever it is asked, amended or claimed.
    pub fn period_of(&self, day: Date) -> (Date, Date) {
        (self.period().first_day(day), self.period().last_day(day))
    }

    /// A cap is a share of what was earned.
    pub fn caps_on_the_accrual(&self) -> bool {
        self.cap.iter().any(|cap| cap.of == Some(Whole::Accrual))
    }

    /// A cap counts heads of this activity type.
    pub fn asks_for_heads(&self, activity: &str) -> bool {
        self.cap
            .iter()
            .any(|cap| cap.per == Some(Per::Head) && cap.activity.as_deref().is_none_or(|code| code == activity))
    }

    /// A cap counts pieces of this cost category.
    pub fn asks_for_units(&self, category: &str) -> bool {
        self.cap
            .iter()
            .any(|cap| cap.per == Some(Per::Unit) && cap.category.as_deref().is_none_or(|code| code == category))
    }
}
