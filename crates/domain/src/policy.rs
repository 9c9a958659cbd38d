//! The program guide as data: eligibility, shares, deadlines, proof, who approves, how credit is earned.
//!
//! One versioned TOML file per guide; the shipped ones are in `config/programs/`, every key is explained in
//! `docs/program-guides.md`. The loader refuses a guide that contradicts itself and names the line. Amounts are written
//! as text (`"5000.50"`) in the guide's currency; shares and rates as decimal text (`"0.50"`).
//!
//! The rules themselves, one function each, are in [`rules`]: the steps of the loop, `fundloop policy explain` and the
//! simulation all judge by them and by nothing else.

mod approval;
mod case;
mod check;
mod earning;
mod explain;
mod guide;
mod kept_in;
mod limits;
mod proof;
pub mod rules;
mod share;
mod simulate;
mod verdict;
mod windows;
mod words;

pub use approval::{AmendmentRules, Band, BandRole, DefaultApprover, Material};
pub use case::{CaseFile, CaseProblem};
pub use check::Contradiction;
pub use earning::{Accrual, Below, Earning, Exchange, PeriodKind, RateDate, Split, UseRules};
pub use explain::{Explanation, explain};
pub use guide::{Category, Costs, Excluded, Gate, Guide, Holidays, RequestRules, Retention, TrackingRules};
pub use limits::{Cap, InPeriod, Mix, Per, Season, SeasonDay, Whole};
pub use proof::{ActivityType, ProofItem, ProofRules, takes};
pub use share::{Rate, Share, Shared};
pub use simulate::{Difference, compare};
pub use verdict::{Figure, Judgement, Verdict};
pub use windows::{ClaimRules, Claimable, Decider, Extendable, Extension, Late, LeadTime};
pub use words::{Change, Paragraph, changes, describe};

use crate::money::Money;
use crate::{Date, Instant};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A program guide, loaded and free of contradictions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub guide: Guide,
    #[serde(default)]
    pub lead_time: LeadTime,
    pub share: Share,
    #[serde(default)]
    pub request: RequestRules,
    pub costs: Costs,
    /// Activity types, in the order the form lists them.
    pub activity: Vec<ActivityType>,
    /// The most that counts of a cost line, or of a kind of cost.
    #[serde(default)]
    pub cap: Vec<Cap>,
    /// The most a kind of activity may take of the whole.
    #[serde(default)]
    pub mix: Vec<Mix>,
    /// Activity types that are funded at certain times only.
    #[serde(default)]
    pub season: Vec<Season>,
    pub proof: ProofRules,
    pub claim: ClaimRules,
    /// More time to prove or to claim, where the program grants it.
    #[serde(default)]
    pub extension: Option<Extension>,
    /// Approval bands: level 1 from zero, further levels from higher amounts.
    pub approval: Vec<Band>,
    /// Who decides where nobody else can, or in time.
    #[serde(default)]
    pub default_approver: Option<DefaultApprover>,
    #[serde(default)]
    pub tracking: TrackingRules,
    #[serde(default)]
    pub amendment: AmendmentRules,
    /// How credit is earned, where it is.
    #[serde(default)]
    pub earning: Option<Earning>,
    /// Until when credit is used, and what becomes of the rest.
    #[serde(default, rename = "use")]
    pub credit: Option<UseRules>,
    #[serde(default)]
    pub exchange: Option<Exchange>,
    #[serde(default)]
    pub retention: Option<Retention>,
    /// Days nobody works, by country.
    #[serde(default)]
    pub holidays: Vec<Holidays>,
}

impl Policy {
    /// Reads a guide and refuses one that contradicts itself; every problem is named with its line.
    pub fn load(text: &str) -> Result<Self, Vec<Contradiction>> {
        check::load(text)
    }

    /// Reads a guide that was checked when it was taken in: what later versions of the loader would refuse still judges
    /// what was asked under it.
    pub fn stored(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    pub fn activity_type(&self, code: &str) -> Option<&ActivityType> {
        self.activity.iter().find(|kind| kind.code == code)
    }

    /// The name people read for an activity type, or its code where the guide does not know it.
    pub fn activity_name<'a>(&'a self, code: &'a str) -> &'a str {
        self.activity_type(code).map_or(code, |kind| &kind.name)
    }

    pub fn category(&self, code: &str) -> Option<&Category> {
        self.costs.eligible.iter().find(|category| category.code == code)
    }

    /// The name people read for a cost category, or its code where the guide does not know it.
    pub fn category_name<'a>(&'a self, code: &'a str) -> &'a str {
        self.category(code).map_or(code, |category| &category.name)
    }

    /// An amount of the guide in minor units of its currency, rounded half to even.
    pub fn amount(&self, units: Decimal) -> Money {
        Money::from_decimal(units, self.guide.currency).unwrap_or_else(|_| Money::zero(self.guide.currency))
    }

    /// Today, as this program counts days.
    pub fn today(&self, now: Instant) -> Date {
        now.date_naive()
    }

    pub fn holidays_of(&self, country: &str) -> &[Date] {
        self.holidays
            .iter()
            .find(|holidays| holidays.country == country)
            .map_or(&[], |holidays| holidays.days.as_slice())
    }
}

/// A share as people read it: "50 %", "33.3 %".
pub fn percent(share: Decimal) -> String {
    format!("{} %", (share * Decimal::ONE_HUNDRED).normalize())
}
