//! Who approves what, and which changes are approved again.

use super::Policy;
use crate::cycle::Partner;
use crate::money::{Currency, Money};
use crate::people::Role;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Who approves from which amount. A request passes every level whose `from` it reaches.
///
/// Bands with the same `countries` and `currency` are one set. A set that names the partner's country holds for it
/// instead of the set for all; a request in another currency than the guide's needs a set in that currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    pub level: u8,
    /// In units of the band's currency.
    pub from: Decimal,
    /// The most this level decides alone; the next level starts right above it. On the last level, the most the program
    /// approves at all.
    pub to: Option<Decimal>,
    pub role: BandRole,
    pub name: String,
    /// Calendar days the level has; then its superiors hear of it.
    pub sla_days: u16,
    /// Who is named to decide while nobody of this level is there. In the running program every approver says on their
    /// profile who stands in for them, with dates.
    pub stand_in: Option<String>,
    /// ISO 3166-1 alpha-2 of the partners it holds for; empty holds for all.
    #[serde(default)]
    pub countries: Vec<String>,
    /// The currency of the requests it holds for; the guide's where it says none.
    pub currency: Option<Currency>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BandRole {
    /// The channel manager of the partner's region.
    ChannelManager,
    /// An approver of exactly this level who covers the region.
    Approver,
}

/// Who decides where nobody of a level can, and once its time has passed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultApprover {
    pub name: String,
    /// The level its approvers carry.
    pub level: u8,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendmentRules {
    /// Fields whose change reopens approval.
    pub material: Vec<Material>,
}

impl Default for AmendmentRules {
    fn default() -> Self {
        Self { material: vec![Material::What, Material::Where, Material::When, Material::Who, Material::HowMuch] }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Material {
    What,
    Where,
    When,
    Who,
    HowMuch,
}

impl Material {
    pub fn code(self) -> &'static str {
        match self {
            Material::What => "what",
            Material::Where => "where",
            Material::When => "when",
            Material::Who => "who",
            Material::HowMuch => "how_much",
        }
    }

    /// What is changed, in a sentence: "the place".
    pub fn thing(self) -> &'static str {
        match self {
            Material::What => "what is done",
            Material::Where => "the place",
            Material::When => "the days",
            Material::Who => "the owner",
            Material::HowMuch => "the money asked",
        }
    }

    /// "how much"
    pub fn words(self) -> &'static str {
        match self {
            Material::HowMuch => "how much",
            other => other.code(),
        }
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

    /// The conditions it shares with the other bands of its set.
    pub(super) fn conditions(&self) -> (&[String], Option<Currency>) {
        (&self.countries, self.currency)
    }

    fn holds_for(&self, country: Option<&str>, currency: Currency, usual: Currency) -> bool {
        let here = self.countries.is_empty() || country.is_some_and(|code| self.countries.iter().any(|c| c == code));
        here && self.currency.unwrap_or(usual) == currency
    }
}

impl Policy {
    /// The bands that hold for requests in a currency from a country, lowest level first; empty where there are none.
    pub fn bands_for(&self, country: Option<&str>, currency: Currency) -> Vec<&Band> {
        let usual = self.guide.currency;
        let fits = |band: &&Band| band.holds_for(country, currency, usual);
        // A set for a country is the exception, a set for all the rule.
        let special = self.approval.iter().filter(fits).find(|band| !band.countries.is_empty());
        let Some(chosen) = special.or_else(|| self.approval.iter().find(fits)) else { return Vec::new() };
        self.approval.iter().filter(|band| band.conditions() == chosen.conditions()).collect()
    }

    /// The levels a partner's request of this amount passes, lowest first.
    pub fn levels_for(&self, amount: Money, partner: &Partner) -> Vec<&Band> {
        let bands = self.bands_for(Some(&partner.country), amount.currency);
        bands.into_iter().filter(|band| band.from <= amount.decimal()).collect()
    }

    /// The band of a level that decides on a partner's requests.
    pub fn band(&self, level: u8, partner: &Partner) -> Option<&Band> {
        self.bands_for(Some(&partner.country), self.guide.currency).into_iter().find(|band| band.level == level)
    }
}
