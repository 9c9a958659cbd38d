//! CASE.json: a request, a claim or an accrual as `fundloop policy explain` reads it.
//!
//! Everything may be left out; a rule that would need it is then not applicable. A field that is not known is an error,
//! because a rule that silently never sees a fact would pass for the wrong reason.

mod amounts;

use super::approval::Material;
use crate::Date;
use crate::fund::FundKind;
use crate::steps::s2_scorecard::Light;
use amounts::Amount;
use serde::Deserialize;

pub(super) use amounts::{Exact, Reader};

/// What is wrong with a case, with its place: `claim.actual: ...`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct CaseProblem(pub String);

/// The file. Amounts are text or numbers in the guide's currency; days are `2026-05-05`.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseFile {
    /// What the case is about, for whoever reads it; no rule looks at it.
    pub about: Option<String>,
    /// The day it is judged on, where nothing else is said.
    pub today: Option<Date>,
    /// What it is planned, asked and claimed in, where that is not the guide's currency.
    pub currency: Option<String>,
    /// What one of the guide's currency is worth in that one.
    pub rate: Option<Exact>,
    pub partner: Who,
    pub period: Option<Days>,
    pub activity: Option<Doing>,
    pub activities: Vec<Doing>,
    pub request: Option<Request>,
    pub fund: Option<Fund>,
    pub approval: Option<Approval>,
    pub amendment: Option<Amendment>,
    pub proof: Option<Proof>,
    pub claim: Option<Claim>,
    pub payment: Option<Payment>,
    pub exchange: Option<Exchange>,
    pub accrual: Option<Earned>,
    pub credit: Option<Credit>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Who {
    pub name: Option<String>,
    pub tier: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    /// No claim of theirs has been paid.
    pub first_claim: Option<bool>,
    pub plan_agreed: Option<bool>,
    pub scorecard: Option<Light>,
    pub good_standing: Option<bool>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Days {
    pub from: Option<Date>,
    pub to: Option<Date>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Doing {
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub starts: Option<Date>,
    pub ends: Option<Date>,
    pub place: Option<String>,
    pub sponsors: Option<u16>,
    pub heads: Option<u32>,
    /// Approved for it, for a claim over several activities.
    pub approved: Option<Amount>,
    pub lines: Vec<Line>,
}

/// A cost line: planned with `cost` and `asked`, spent with `actual`.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Line {
    pub name: Option<String>,
    pub category: Option<String>,
    pub cost: Option<Amount>,
    pub asked: Option<Amount>,
    pub actual: Option<Amount>,
    pub units: Option<u32>,
    pub invoice: Option<bool>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    pub asked_on: Option<Date>,
    /// One line without more ado: what it costs, what is asked, of which category.
    pub cost: Option<Amount>,
    pub asked: Option<Amount>,
    pub category: Option<String>,
    pub late_reason: Option<String>,
    pub terms_accepted: Option<bool>,
    pub justification: Option<String>,
    pub requested_by: Option<String>,
    /// Approved earlier in the period, by activity type.
    pub earlier: std::collections::BTreeMap<String, Amount>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fund {
    pub name: Option<String>,
    pub kind: Option<FundKind>,
    pub currency: Option<String>,
    /// What the partner can commit from it.
    pub free: Option<Amount>,
    /// What one of the program's currency is worth in the fund's, where that is another one.
    pub rates: Vec<DatedRate>,
    pub budget: Option<Amount>,
    pub children: Vec<Fund>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approval {
    /// What is to be approved; what is asked where it is left out.
    pub amount: Option<Amount>,
    pub currency: Option<String>,
    pub asked_on: Option<Date>,
    /// Names of approvers who are not there, as the guide calls them.
    pub away: Vec<String>,
    pub decisions: Vec<Decided>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    pub level: u8,
    pub by: String,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Amendment {
    /// `what`, `where`, `when`, `who`, `how_much`.
    pub changed: Vec<Material>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Proof {
    pub handed_in: Option<Date>,
    /// The day it was returned to the partner.
    pub returned: Option<Date>,
    pub files: Option<Vec<Handed>>,
    /// More time to hand it in.
    pub extension: Option<Extension>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    pub item: String,
    /// Its file name; the ending says what kind it is.
    #[serde(default)]
    pub name: Option<String>,
    /// The header of a list.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Claim {
    pub claimed_on: Option<Date>,
    /// Approved for the activity.
    pub approved: Option<Amount>,
    /// One line without more ado: what was really spent, of which category.
    pub actual: Option<Amount>,
    pub category: Option<String>,
    /// What earlier claims on it took.
    pub earlier: Vec<Amount>,
    #[serde(rename = "final")]
    pub is_final: bool,
    /// A final claim was made before.
    pub final_made: Option<bool>,
    pub proven: Option<bool>,
    pub invoice: Option<bool>,
    pub extension: Option<Extension>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    #[serde(default)]
    pub asked_on: Option<Date>,
    pub days: u16,
    /// Which one it is, counted from 1.
    #[serde(default = "first")]
    pub number: u16,
}

fn first() -> u16 {
    1
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Payment {
    pub on: Option<Date>,
    pub amount: Option<Amount>,
    /// Clawed back earlier and not returned.
    pub recoverable: Option<Amount>,
    /// Approved for the claim that is paid.
    pub approved: Option<Amount>,
    /// What was paid on it so far.
    pub instalments: Option<Vec<Amount>>,
    /// The claims one payment is for.
    pub settles: Vec<Settles>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settles {
    pub claim: String,
    pub outstanding: Amount,
    pub amount: Amount,
}

/// Money in another currency: a rate for each moment, or dated rows and the days.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub amount: Amount,
    pub currency: String,
    #[serde(default)]
    pub at_approval: Option<Exact>,
    #[serde(default)]
    pub at_claim: Option<Exact>,
    #[serde(default)]
    pub at_settlement: Option<Exact>,
    #[serde(default)]
    pub rates: Vec<DatedRate>,
    #[serde(default)]
    pub approved_on: Option<Date>,
    #[serde(default)]
    pub claimed_on: Option<Date>,
    #[serde(default)]
    pub settled_on: Option<Date>,
}

/// A rate counts from its day until the next row's.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedRate {
    pub on: Date,
    pub rate: Exact,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Earned {
    pub on: Option<Date>,
    pub product: Option<String>,
    pub purchases: Option<Amount>,
    pub units: Option<u32>,
    /// What was earned in the period; what the purchase earns where it is left out.
    pub accrued: Option<Amount>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credit {
    pub lots: Vec<CreditLot>,
    pub spend: Option<Amount>,
    pub reinstate: Option<Reinstate>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditLot {
    pub amount: Amount,
    #[serde(default)]
    pub expires: Option<Date>,
    /// The guide says when it expires, where `expires` does not.
    #[serde(default)]
    pub earned_on: Option<Date>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reinstate {
    pub amount: Amount,
    #[serde(default)]
    pub by: Vec<String>,
    #[serde(default)]
    pub expires: Option<Date>,
}

impl CaseFile {
    /// Reads a case; the problem says line and column, or the place and the fields that are known there.
    pub fn read(text: &str) -> Result<Self, CaseProblem> {
        let case: CaseFile = serde_json::from_str(text).map_err(|error| CaseProblem(error.to_string()))?;
        if case.activity.is_some() && !case.activities.is_empty() {
            return Err(CaseProblem("activities: say one `activity`, or several `activities`, not both".to_owned()));
        }
        let lines = |planned: fn(&Line) -> bool| {
            case.activity.iter().chain(&case.activities).flat_map(|activity| &activity.lines).any(planned)
        };
        let request = case.request.as_ref();
        if request.is_some_and(|request| request.cost.is_some()) && lines(|line| line.cost.is_some()) {
            return Err(CaseProblem("request.cost: the activity's lines say what it costs; say it once".to_owned()));
        }
        if case.claim.as_ref().is_some_and(|claim| claim.actual.is_some()) && lines(|line| line.actual.is_some()) {
            return Err(CaseProblem("claim.actual: the activity's lines say what was spent; say it once".to_owned()));
        }
        Ok(case)
    }

    /// The activities, however they are written; none where the case is not about one.
    pub(super) fn doings(&self) -> Vec<Doing> {
        let sugar = self.request.as_ref().is_some_and(|request| request.cost.is_some() || request.asked.is_some())
            || self.claim.as_ref().is_some_and(|claim| claim.actual.is_some());
        match &self.activity {
            Some(one) => vec![one.clone()],
            None if self.activities.is_empty() && sugar => vec![Doing::default()],
            None => self.activities.clone(),
        }
    }
}
