//! When: how early to ask, until when to prove and to claim, and how much longer.

use super::Policy;
use super::earning::PeriodKind;
use crate::Date;
use crate::calendar::{Count, minus, plus};
use chrono::Days;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How long before an activity starts its request must be in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeadTime {
    pub days: u16,
    pub count: Count,
    pub late: Late,
}

impl Default for LeadTime {
    /// Nothing is funded that has begun before it is asked for.
    fn default() -> Self {
        Self { days: 0, count: Count::Calendar, late: Late::Refused }
    }
}

/// What happens to a request after the last day to ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    Refused,
    NeedsReason,
}

/// Until when to claim: `days` after the activity's end, `days_after_period`, or on a fixed `last_day`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRules {
    /// Calendar days after the activity's end by which it must be claimed.
    pub days: Option<u16>,
    /// Calendar days after the end of the period in which the money is used.
    pub days_after_period: Option<u16>,
    pub last_day: Option<Date>,
    /// `days` for a partner who has never been paid.
    pub first_time_days: Option<u16>,
    /// More days for a partner who has never been paid, whatever the window counts from.
    pub first_time_extra_days: Option<u16>,
    /// Days after the activity's end on which the partner is reminded.
    #[serde(default)]
    pub reminders: Vec<u16>,
    /// Days before the last day on which the partner is reminded.
    #[serde(default)]
    pub reminders_before: Vec<u16>,
    /// The least a claim may ask for unless it is the final one, in units.
    #[serde(default)]
    pub minimum: Decimal,
    pub most_per_campaign: Option<u16>,
    pub most_per_activity: Option<u16>,
    /// Calendar days finance has to decide a claim, and to pay it.
    #[serde(default = "fortnight")]
    pub review_days: u16,
    #[serde(default = "month")]
    pub pay_days: u16,
}

fn fortnight() -> u16 {
    14
}

fn month() -> u16 {
    30
}

/// More time to prove or to claim, for who asks for it in time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The most calendar days one extension adds to the last day.
    pub days: u16,
    /// How many a campaign may be granted.
    #[serde(default = "once")]
    pub times: u16,
    /// It is asked for at least this many days before the last day; 0 is the last day itself.
    #[serde(default)]
    pub ask_before: u16,
    /// It may still be asked for this many days after the last day; the money waits as long.
    #[serde(default)]
    pub grace: u16,
    /// Which windows can be extended.
    #[serde(default = "every_window")]
    pub windows: Vec<Extendable>,
    #[serde(default)]
    pub decided_by: Decider,
    /// Calendar days to answer in. What nobody has answered by then lapses, and the deadline stands.
    #[serde(default = "working_week")]
    pub answer_days: u16,
}

impl Extension {
    /// The last day to ask for more time where `last` is the window's last day.
    pub fn ask_by(&self, last: Date) -> Date {
        if self.grace > 0 { plus(last, self.grace) } else { back(last, self.ask_before) }
    }
}

/// A window of a campaign that can be made longer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extendable {
    Proof,
    Claim,
}

impl Extendable {
    pub const ALL: [Extendable; 2] = [Extendable::Proof, Extendable::Claim];

    pub fn code(self) -> &'static str {
        match self {
            Extendable::Proof => "proof",
            Extendable::Claim => "claim",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.code() == code)
    }

    /// What the time is for: "to hand in proof".
    pub fn purpose(self) -> &'static str {
        match self {
            Extendable::Proof => "to hand in proof",
            Extendable::Claim => "to claim",
        }
    }
}

/// Who grants more time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    #[default]
    ChannelManager,
    Finance,
}

impl Decider {
    /// "the channel manager"
    pub fn words(self) -> &'static str {
        match self {
            Decider::ChannelManager => "the channel manager",
            Decider::Finance => "finance",
        }
    }
}

fn once() -> u16 {
    1
}

fn every_window() -> Vec<Extendable> {
    Extendable::ALL.to_vec()
}

fn working_week() -> u16 {
    5
}

/// What the last day to claim depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claimable {
    pub ends: Date,
    /// The last day of the period in which the money is used.
    pub period_ends: Option<Date>,
    /// No claim of the partner has been paid.
    pub first: bool,
    /// Days granted by extensions.
    pub extended: u16,
}

impl Policy {
    /// The last day to ask for an activity that starts on `starts`.
    pub fn last_day_to_ask(&self, starts: Date, country: &str) -> Date {
        minus(starts, self.lead_time.days, self.lead_time.count, self.holidays_of(country))
    }

    /// The day proof is due for an activity that ends on `ends`.
    pub fn proof_due(&self, ends: Date) -> Date {
        plus(ends, self.proof.days)
    }

    /// The last day proof is taken at all: the due day and the grace after it, or the time a returned proof has.
    pub fn proof_ends(&self, ends: Date, returned: Option<Date>) -> Date {
        let last = plus(self.proof_due(ends), self.proof.grace);
        let again = returned.zip(self.proof.resubmit_days).map(|(day, days)| plus(day, days));
        again.map_or(last, |again| last.max(again))
    }

    /// The days a partner is reminded of proof that is due, earliest first.
    pub fn proof_reminders(&self, ends: Date) -> Vec<Date> {
        let due = self.proof_due(ends);
        sorted(self.proof.reminders.iter().map(|before| back(due, *before)))
    }

    /// The last day to claim.
    pub fn claim_due(&self, of: Claimable) -> Date {
        let rules = &self.claim;
        let extra = if of.first { rules.first_time_extra_days.unwrap_or(0) } else { 0 };
        let base = match (rules.last_day, rules.days_after_period) {
            (Some(day), _) => day,
            (None, Some(days)) => plus(of.period_ends.unwrap_or_else(|| self.period_end(of.ends)), days),
            (None, None) => {
                let usual = rules.days.unwrap_or(0);
                plus(of.ends, if of.first { rules.first_time_days.unwrap_or(usual) } else { usual })
            }
        };
        plus(plus(base, extra), of.extended)
    }

    /// The days a partner is reminded of a claim that is due, earliest first; none after the last day.
    pub fn claim_reminders(&self, ends: Date, last: Date) -> Vec<Date> {
        let after = self.claim.reminders.iter().map(|after| plus(ends, *after));
        let before = self.claim.reminders_before.iter().map(|before| back(last, *before));
        sorted(after.chain(before).filter(|day| *day <= last))
    }

    /// The last day of the period an activity lies in, as the program counts periods.
    pub fn period_end(&self, day: Date) -> Date {
        let rules = self.credit.as_ref();
        if let Some(last) = rules.and_then(|rules| rules.last_day) {
            return last;
        }
        rules.map_or(PeriodKind::Quarter, |rules| rules.period).last_day(day)
    }
}

fn back(day: Date, days: u16) -> Date {
    day.checked_sub_days(Days::new(u64::from(days))).unwrap_or(day)
}

fn sorted(days: impl Iterator<Item = Date>) -> Vec<Date> {
    let mut days: Vec<Date> = days.collect();
    days.sort_unstable();
    days.dedup();
    days
}
