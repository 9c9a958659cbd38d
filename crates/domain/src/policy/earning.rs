//! How credit is earned, split, converted, used and carried over; which rate of exchange counts.

use crate::Date;
use crate::calendar::plus;
use crate::money::{Money, split};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// Credit earned on purchases: a `rate` of their amount, or an amount `per_unit`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earning {
    pub rate: Option<Decimal>,
    /// In units of the guide's currency.
    pub per_unit: Option<Decimal>,
    /// First and last day of purchases that earn credit.
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// Other rates; the first whose conditions hold counts.
    #[serde(default)]
    pub accrual: Vec<Accrual>,
    /// Which funds the credit goes to; all to the program's one fund where nothing is said.
    #[serde(default)]
    pub split: Vec<Split>,
    /// The least to be earned in a period; what happens `below` it.
    pub threshold: Option<Decimal>,
    pub below: Option<Below>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accrual {
    pub tier: Option<String>,
    pub product: Option<String>,
    pub rate: Option<Decimal>,
    pub per_unit: Option<Decimal>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    pub fund: String,
    pub share: Decimal,
}

/// What becomes of a period's accrual under the threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Below {
    /// Turned into a rebate.
    Convert,
    /// Lost.
    Forfeit,
    /// Kept as credit for the next period.
    Keep,
}

/// Until when credit is used: `days` after the day it was earned or given, `days_after_period` it was earned in, or on a
/// fixed `last_day`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseRules {
    pub days: Option<u16>,
    pub days_after_period: Option<u16>,
    pub last_day: Option<Date>,
    #[serde(default)]
    pub period: PeriodKind,
    /// The share of unused credit that goes on into the next period; the rest is forfeited.
    #[serde(default)]
    pub carry_over: Decimal,
    /// Days before credit expires on which its partner is told.
    #[serde(default)]
    pub reminders: Vec<u16>,
    /// How many people it takes to reinstate forfeited credit.
    #[serde(default = "two")]
    pub reinstated_by: u8,
}

fn two() -> u8 {
    2
}

/// The periods a program counts in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    Month,
    #[default]
    Quarter,
    HalfYear,
    Year,
}

impl PeriodKind {
    pub fn words(self) -> &'static str {
        match self {
            PeriodKind::Month => "month",
            PeriodKind::Quarter => "quarter",
            PeriodKind::HalfYear => "half year",
            PeriodKind::Year => "year",
        }
    }

    fn months(self) -> u32 {
        match self {
            PeriodKind::Month => 1,
            PeriodKind::Quarter => 3,
            PeriodKind::HalfYear => 6,
            PeriodKind::Year => 12,
        }
    }

    /// The first day of the calendar period a day lies in.
    pub fn first_day(self, day: Date) -> Date {
        let month = day.month0() / self.months() * self.months() + 1;
        NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day)
    }

    /// The last day of the calendar period a day lies in.
    pub fn last_day(self, day: Date) -> Date {
        let next = (day.month0() / self.months() + 1) * self.months();
        let (year, month) = if next == 12 { (day.year() + 1, 1) } else { (day.year(), next + 1) };
        NaiveDate::from_ymd_opt(year, month, 1).and_then(|first| first.pred_opt()).unwrap_or(Date::MAX)
    }
}

/// Which day's rate of exchange counts for money in another currency, and how old a rate may be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub rate_date: RateDate,
    /// Days after its own on which a rate counts where no later one is there.
    #[serde(default = "oldest")]
    pub max_age_days: u16,
}

fn oldest() -> u16 {
    crate::exchange::OLDEST_DAYS
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateDate {
    Approval,
    Claim,
    Settlement,
}

impl RateDate {
    pub fn words(self) -> &'static str {
        match self {
            RateDate::Approval => "approval",
            RateDate::Claim => "claim",
            RateDate::Settlement => "settlement",
        }
    }
}

impl Earning {
    /// The rate and the amount per unit that count for a purchase.
    pub fn terms(&self, tier: Option<&str>, product: Option<&str>) -> (Option<Decimal>, Option<Decimal>) {
        let holds = |accrual: &&Accrual| {
            accrual.tier.as_deref().is_none_or(|wanted| tier == Some(wanted))
                && accrual.product.as_deref().is_none_or(|wanted| product == Some(wanted))
        };
        let found = self.accrual.iter().find(holds);
        found.map_or((self.rate, self.per_unit), |accrual| (accrual.rate, accrual.per_unit))
    }

    /// An amount split between the funds so that the parts add up: largest remainder, ties to the earlier fund.
    pub fn split(&self, amount: Money) -> Vec<(String, Money)> {
        let scale = Decimal::from(1_000_000_000_u64);
        let weight = |part: &Split| (part.share * scale).round().to_u64().unwrap_or(0);
        let weights: Vec<u64> = self.split.iter().map(weight).collect();
        self.split.iter().map(|part| part.fund.clone()).zip(split(amount, &weights)).collect()
    }
}

impl UseRules {
    /// The last day credit earned or given on a day can be used.
    pub fn expires(&self, earned: Date) -> Option<Date> {
        match (self.last_day, self.days_after_period, self.days) {
            (Some(day), ..) => Some(day),
            (None, Some(days), _) => Some(plus(self.period.last_day(earned), days)),
            (None, None, Some(days)) => Some(plus(earned, days)),
            (None, None, None) => None,
        }
    }
}
