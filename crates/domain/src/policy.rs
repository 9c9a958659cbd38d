//! The program guide as data: eligibility, shares, deadlines, proof, who approves.
//!
//! One versioned TOML file per guide; the shipped ones are in `config/programs/`. The loader refuses a
//! guide that contradicts itself and names the line. Amounts are written as text (`"5000.50"`) in the
//! guide's currency; shares and rates as decimal text (`"0.50"`).

use crate::calendar::{Count, minus, plus};
use crate::cycle::Partner;
use crate::money::{Currency, Money};
use crate::people::Role;
use crate::{Date, Instant};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toml::Spanned;

/// A program guide, loaded and free of contradictions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub guide: Guide,
    pub lead_time: LeadTime,
    pub share: Share,
    pub request: RequestRules,
    pub costs: Costs,
    /// Activity types, in the order the form lists them.
    pub activity: Vec<ActivityType>,
    pub proof: ProofRules,
    pub claim: ClaimRules,
    /// Approval bands: level 1 from zero, further levels from higher amounts.
    pub approval: Vec<Band>,
    pub tracking: TrackingRules,
    pub amendment: AmendmentRules,
    /// Days nobody works, by country.
    #[serde(default)]
    pub holidays: Vec<Holidays>,
}

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

/// How long before an activity starts its request must be in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeadTime {
    pub days: u16,
    pub count: Count,
    pub late: Late,
}

/// What happens to a request after the last day to ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    Refused,
    NeedsReason,
}

/// The vendor's share of eligible cost. The first rate whose conditions all hold counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub default: Decimal,
    #[serde(default)]
    pub rate: Vec<Rate>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub share: Decimal,
    pub tier: Option<String>,
    pub activity: Option<String>,
    /// First and last day the activity may start on, both included.
    pub from: Option<Date>,
    pub to: Option<Date>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRules {
    /// The least a request may ask for, in units of the guide's currency.
    pub minimum: Decimal,
    #[serde(default)]
    pub gates: Vec<Gate>,
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
    pub never: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    pub code: String,
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityType {
    pub code: String,
    pub name: String,
    /// The checklist: every item of `all_of`, and at least one of `one_of`.
    pub all_of: Vec<ProofItem>,
    #[serde(default)]
    pub one_of: Vec<ProofItem>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofItem {
    pub code: String,
    pub name: String,
    /// File kinds taken, by ending: `pdf`, `png`, `csv`. Empty takes every allowed kind.
    #[serde(default)]
    pub kinds: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofRules {
    /// Calendar days after the activity's end by which proof must be in.
    pub days: u16,
    /// Further days before the activity expires and its money is released.
    pub grace: u16,
    /// Days before the due day on which the partner is reminded; 0 is the day itself.
    pub reminders: Vec<u16>,
    /// Calendar days a reviewer has.
    pub review_days: u16,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRules {
    /// Calendar days after the activity's end by which it must be claimed.
    pub days: u16,
    /// The same for a partner who has never been paid.
    pub first_time_days: u16,
    /// Days after the activity's end on which the partner is reminded.
    pub reminders: Vec<u16>,
    /// The least a claim may ask for unless it is the final one, in units.
    pub minimum: Decimal,
    pub most_per_campaign: u16,
    /// Calendar days finance has to decide a claim, and to pay it.
    pub review_days: u16,
    pub pay_days: u16,
}

/// Who approves from which amount. A request passes every level whose `from` it reaches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    pub level: u8,
    pub from: Spanned<Decimal>,
    pub role: BandRole,
    pub name: String,
    /// Calendar days the level has; then its manager hears of it.
    pub sla_days: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BandRole {
    /// The channel manager of the partner's region.
    ChannelManager,
    /// An approver of exactly this level who covers the region.
    Approver,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackingRules {
    /// Calendar days after the period's end during which results count before the first measurement.
    pub days: u16,
    /// Days before a deal's close inside which a touch counts.
    pub lookback_days: u16,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendmentRules {
    /// Fields whose change reopens approval.
    pub material: Vec<Material>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Material {
    What,
    Where,
    When,
    Who,
    HowMuch,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holidays {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub days: Vec<Date>,
}

/// Why a guide was refused, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Contradiction {
    /// Counted from 1.
    pub line: usize,
    pub problem: String,
}

impl Policy {
    /// Reads a guide and refuses one that contradicts itself; every problem is named with its line.
    pub fn load(text: &str) -> Result<Self, Vec<Contradiction>> {
        let policy: Policy = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            vec![Contradiction { line, problem: error.message().to_owned() }]
        })?;
        let problems = policy.contradictions(text);
        if problems.is_empty() { Ok(policy) } else { Err(problems) }
    }

    fn contradictions(&self, text: &str) -> Vec<Contradiction> {
        let mut problems = Vec::new();
        let mut say = |needle: &str, problem: String| {
            let line = text.find(needle).map_or(1, |at| line_of(text, at));
            problems.push(Contradiction { line, problem });
        };
        let share_in_range = |share: Decimal| share > Decimal::ZERO && share <= Decimal::ONE;
        if !share_in_range(self.share.default) || self.share.rate.iter().any(|rate| !share_in_range(rate.share)) {
            say("[share]", "a share is above 0 and at most 1".to_owned());
        }
        for rate in &self.share.rate {
            if let Some(code) = &rate.activity
                && self.activity_type(code).is_none()
            {
                say(
                    &format!("\"{code}\""),
                    format!("the rate names the activity “{code}”, which the guide does not have"),
                );
            }
            if rate.from.zip(rate.to).is_some_and(|(from, to)| from > to) {
                say("[[share.rate]]", "a rate's first day comes after its last".to_owned());
            }
        }
        if self.claim.first_time_days < self.claim.days {
            say("first_time_days", "a first-time claimant cannot have fewer days than others".to_owned());
        }
        if let Some(late) = self.claim.reminders.iter().find(|day| **day > self.claim.days) {
            say(
                "[claim]",
                format!("the reminder at day {late} comes after the last day to claim, day {}", self.claim.days),
            );
        }
        if let Some(early) = self.proof.reminders.iter().find(|day| **day > self.proof.days) {
            say(
                "[proof]",
                format!("the reminder {early} days before proof is due comes before the activity has ended"),
            );
        }
        if self.request.minimum < Decimal::ZERO || self.claim.minimum < Decimal::ZERO {
            say("minimum", "a minimum is zero or more".to_owned());
        }
        if self.costs.eligible.is_empty() {
            say("[costs]", "the guide names no eligible cost category".to_owned());
        }
        if self.activity.is_empty() {
            say("[guide]", "the guide names no activity type".to_owned());
        }
        for kind in &self.activity {
            if self.activity.iter().filter(|other| other.code == kind.code).count() > 1 {
                say(&format!("\"{}\"", kind.code), format!("the activity “{}” is named twice", kind.code));
            }
            let items: Vec<&str> = kind.all_of.iter().chain(&kind.one_of).map(|item| item.code.as_str()).collect();
            if items.iter().collect::<BTreeSet<_>>().len() < items.len() {
                say(
                    &format!("\"{}\"", kind.code),
                    format!("the activity “{}” asks for the same proof twice", kind.code),
                );
            }
            if items.is_empty() {
                say(&format!("\"{}\"", kind.code), format!("the activity “{}” asks for no proof at all", kind.code));
            }
        }
        problems.extend(self.band_contradictions(text));
        problems
    }

    /// Bands are levels 1, 2, ... from rising amounts, the first from zero: then none gaps or overlaps.
    fn band_contradictions(&self, text: &str) -> Vec<Contradiction> {
        let mut problems = Vec::new();
        let mut say = |band: &Band, problem: String| {
            problems.push(Contradiction { line: line_of(text, band.from.span().start), problem });
        };
        match self.approval.first() {
            None => problems.push(Contradiction { line: 1, problem: "the guide names no approval band".to_owned() }),
            Some(first) if *first.from.get_ref() != Decimal::ZERO => say(
                first,
                format!("amounts below {} have no approver: the first band starts at \"0\"", first.from.get_ref()),
            ),
            Some(_) => {}
        }
        for (index, band) in self.approval.iter().enumerate() {
            if usize::from(band.level) != index + 1 {
                problems.push(Contradiction {
                    line: line_of(text, band.from.span().start),
                    problem: format!(
                        "levels run 1, 2, 3; this band is number {} and says level {}",
                        index + 1,
                        band.level
                    ),
                });
            }
            if index > 0 && band.from.get_ref() <= self.approval[index - 1].from.get_ref() {
                problems.push(Contradiction {
                    line: line_of(text, band.from.span().start),
                    problem: format!(
                        "level {} starts at {}, not above level {}",
                        band.level,
                        band.from.get_ref(),
                        band.level - 1
                    ),
                });
            }
        }
        problems
    }

    pub fn activity_type(&self, code: &str) -> Option<&ActivityType> {
        self.activity.iter().find(|kind| kind.code == code)
    }

    pub fn category(&self, code: &str) -> Option<&Category> {
        self.costs.eligible.iter().find(|category| category.code == code)
    }

    /// The vendor's share for an activity: the first rate whose conditions hold, else the default.
    pub fn share_for(&self, partner: &Partner, activity: &str, starts: Date) -> Decimal {
        let holds = |rate: &&Rate| {
            rate.tier.as_ref().is_none_or(|tier| *tier == partner.tier)
                && rate.activity.as_ref().is_none_or(|code| code == activity)
                && rate.from.is_none_or(|from| starts >= from)
                && rate.to.is_none_or(|to| starts <= to)
        };
        self.share.rate.iter().find(holds).map_or(self.share.default, |rate| rate.share)
    }

    /// The last day to ask for an activity that starts on `starts`.
    pub fn last_day_to_ask(&self, starts: Date, country: &str) -> Date {
        minus(starts, self.lead_time.days, self.lead_time.count, self.holidays_of(country))
    }

    pub fn holidays_of(&self, country: &str) -> &[Date] {
        self.holidays
            .iter()
            .find(|holidays| holidays.country == country)
            .map_or(&[], |holidays| holidays.days.as_slice())
    }

    /// The day proof is due for an activity that ends on `ends`.
    pub fn proof_due(&self, ends: Date) -> Date {
        plus(ends, self.proof.days)
    }

    /// The last day to claim an activity that ends on `ends`.
    pub fn claim_due(&self, ends: Date, partner: &Partner) -> Date {
        plus(ends, if partner.has_been_paid { self.claim.days } else { self.claim.first_time_days })
    }

    /// The levels a request of this amount passes, lowest first; never empty.
    pub fn levels_for(&self, amount: Money) -> Vec<&Band> {
        self.approval.iter().filter(|band| *band.from.get_ref() <= amount.decimal()).collect()
    }

    pub fn band(&self, level: u8) -> Option<&Band> {
        self.approval.iter().find(|band| band.level == level)
    }

    /// An amount of the guide in minor units of a cycle's currency, rounded half to even.
    pub fn amount(&self, units: Decimal) -> Money {
        Money::from_decimal(units, self.guide.currency).unwrap_or_else(|_| Money::zero(self.guide.currency))
    }

    /// Today, as this program counts days.
    pub fn today(&self, now: Instant) -> Date {
        now.date_naive()
    }
}

impl Band {
    /// The role that decides at this level.
    pub fn role(&self) -> Role {
        match self.role {
            BandRole::ChannelManager => Role::ChannelManager,
            BandRole::Approver => Role::Approver,
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].bytes().filter(|byte| *byte == b'\n').count() + 1
}
