//! What a program is: its name and terms, what it pays for, what must be true before a partner asks.

use super::earning::PeriodKind;
use crate::Date;
use crate::money::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    pub name: String,
    pub version: String,
    pub currency: Currency,
    pub effective_from: Date,
    pub summary: String,
    /// What a partner accepts when asking for money.
    pub terms: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRules {
    /// The least a request may ask for, in units of the guide's currency.
    #[serde(default)]
    pub minimum: Decimal,
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// The calendar period that mixes and caps on the accrual look at; where it is left out, that of `[use]`, else the
    /// quarter.
    pub period: Option<PeriodKind>,
}

/// What must be true before a partner may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    PlanAgreed,
    ScorecardNotRed,
    GoodStanding,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    pub eligible: Vec<Category>,
    /// Shown in the guide; a partner who wants one of these learns why not before asking.
    #[serde(default)]
    pub never: Vec<String>,
    /// Categories with a code and a reason, for cost lines that name them.
    #[serde(default)]
    pub excluded: Vec<Excluded>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    pub code: String,
    pub name: String,
}

/// A cost category the program never pays, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    pub code: String,
    pub name: String,
    #[serde(default)]
    pub why: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackingRules {
    /// Calendar days after the period's end during which results count before the first measurement.
    pub days: u16,
    /// Days before a deal's close inside which a touch counts.
    pub lookback_days: u16,
}

impl Default for TrackingRules {
    fn default() -> Self {
        Self { days: 60, lookback_days: 180 }
    }
}

/// How long records of a claim are kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Years after the last payment.
    pub years: u16,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holidays {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub days: Vec<Date>,
}

impl Costs {
    /// Why the program never pays a category, where it says so: by its code, or by a word of the guide's list.
    pub fn never(&self, category: &str) -> Option<String> {
        if let Some(found) = self.excluded.iter().find(|excluded| excluded.code == category) {
            let why = found.why.trim().trim_end_matches('.');
            return Some(if why.is_empty() { found.name.clone() } else { format!("{}: {why}", found.name) });
        }
        let wanted = category.trim().to_lowercase().replace(['_', '-'], " ");
        let named = |line: &&String| {
            let line = line.to_lowercase();
            line == wanted
                || line.split(|c: char| !c.is_alphanumeric()).any(|word| !wanted.is_empty() && word == wanted)
        };
        self.never.iter().find(named).cloned()
    }
}
