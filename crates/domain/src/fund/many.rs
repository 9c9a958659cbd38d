//! Credit for many partners at once: by lines that are given, or shared out by a rule.

use super::{FundSituation, Made, enough, notice, positive};
use crate::Date;
use crate::ids::PartnerId;
use crate::ledger::{Account, Posting};
use crate::money::{Money, split};
use crate::notice::Topic;
use crate::refusal::{Reason, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Lines of one allocation.
pub const MOST_LINES: usize = 5_000;

/// What one partner gets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub partner: PartnerId,
    pub amount: Money,
    /// The last day to use it; never without.
    #[serde(default)]
    pub expires: Option<Date>,
    /// For this partner; the whole allocation has a reason of its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Why each line cannot be, in the lines' order; `None` where it can.
pub fn judge_lines(s: &FundSituation, lines: &[Line], today: Date) -> Vec<Option<Reason>> {
    let mut seen = BTreeSet::new();
    let mut judge = |line: &Line| {
        let Some(name) = s.around.partners.get(&line.partner) else {
            return Some(Reason::new("partner", "That partner is not known.", "Name one that is."));
        };
        if let Err(refusal) = positive(s, line.amount) {
            return refusal.reasons.into_iter().next();
        }
        if let Err(refusal) = super::credit::still_good(line.expires, today) {
            return refusal.reasons.into_iter().next();
        }
        if !seen.insert((line.partner, line.expires)) {
            let why = format!("{name} is named twice with the same last day.");
            return Some(Reason::new("twice", why, "Make one line of the two."));
        }
        let mut reasons = Vec::new();
        crate::steps::check_optional("reason", "The line's reason", &line.reason, 500, &mut reasons);
        if let Some(reason) = reasons.pop() {
            return Some(reason);
        }
        None
    };
    lines.iter().map(&mut judge).collect()
}

pub(super) fn allocate(
    s: &FundSituation,
    by: &str,
    lines: &[Line],
    reason: &str,
    today: Date,
) -> Result<Made, Refusal> {
    crate::steps::need_reason(reason)?;
    super::credit::not_shared(s)?;
    if lines.is_empty() || lines.len() > MOST_LINES {
        let why = format!("There are {} lines.", lines.len());
        return Err(Refusal::new("lines", why, format!("Give 1 to {MOST_LINES} lines at once.")));
    }
    let wrong = (1..).zip(judge_lines(s, lines, today)).filter_map(|(no, reason): (usize, _)| {
        let reason = reason?;
        Some(Reason { why: format!("Line {no}: {}", reason.why), field: Some(format!("lines.{}", no - 1)), ..reason })
    });
    Refusal::unless_empty(wrong.collect())?;
    let sum = lines.iter().try_fold(Money::zero(s.fund.currency), |sum, line| sum.checked_add(line.amount));
    let total = sum.map_err(|error| {
        Refusal::new("amount", format!("The lines cannot be summed: {error}."), "Give fewer or smaller lines.")
    })?;
    enough(s, &Account::unallocated(s.fund.id), total, "unallocated")?;
    let from = Account::unallocated(s.fund.id);
    let postings = lines.iter().map(|line| Posting {
        from,
        to: Account::available(s.fund.id, line.partner, line.expires),
        amount: line.amount,
    });
    let partners = lines.iter().map(|line| line.partner).collect::<BTreeSet<_>>().len();
    let whom = if partners == 1 { "partner" } else { "partners" };
    let words = format!("{by} allocated {total} to {partners} {whom} at once: “{}”", reason.trim());
    let notices = lines.iter().map(|line| {
        let by = by.trim_end_matches(',');
        let mut told = notice(s, Topic::FundsAllocated, line.partner, line.amount, line.expires, by);
        told.facts.reason = Some(line.reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        told.facts.partner = s.around.partners.get(&line.partner).cloned().unwrap_or_default();
        told
    });
    Ok(("fund.allocated_to_many", words, postings.collect(), notices.collect()))
}

/// A partner that a rule may give to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    pub id: PartnerId,
    pub name: String,
    /// What is known of it, by the attribute's code: tier, region, country and whatever else.
    pub facts: BTreeMap<String, String>,
}

/// What partners are told apart by: what every partner has, or a name of the vendor's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Attribute {
    Tier,
    Region,
    Country,
    Currency,
    /// The channel manager's name.
    Manager,
    /// `good` or `not good`.
    Standing,
    /// In small letters.
    Named(String),
}

impl Attribute {
    /// What every partner has.
    pub const COMMON: [Attribute; 6] = [
        Attribute::Tier,
        Attribute::Region,
        Attribute::Country,
        Attribute::Currency,
        Attribute::Manager,
        Attribute::Standing,
    ];
    /// The most characters of a name, and of what stands under it.
    pub const LONGEST: (usize, usize) = (40, 100);

    pub fn code(&self) -> &str {
        match self {
            Attribute::Tier => "tier",
            Attribute::Region => "region",
            Attribute::Country => "country",
            Attribute::Currency => "currency",
            Attribute::Manager => "manager",
            Attribute::Standing => "standing",
            Attribute::Named(name) => name,
        }
    }

    /// The attribute of a name, letter case aside; `None` where it can be no name.
    pub fn from_code(code: &str) -> Option<Self> {
        let name = code.trim().to_lowercase();
        if let Some(common) = Self::COMMON.into_iter().find(|attribute| attribute.code() == name) {
            return Some(common);
        }
        let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let is_name = (1..=Self::LONGEST.0).contains(&name.chars().count()) && name.chars().all(fits);
        is_name.then_some(Attribute::Named(name))
    }

    /// What a partner has under it; nothing where nobody said.
    pub fn of<'a>(&self, partner: &'a Candidate) -> &'a str {
        partner.facts.get(self.code()).map_or("", String::as_str)
    }

    /// Whether a partner has this under it, letter case aside.
    pub fn is(&self, partner: &Candidate, value: &str) -> bool {
        self.of(partner).to_lowercase() == value.trim().to_lowercase()
    }
}

/// How an allocation goes by rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// The same amount for each.
    Each(Money),
    /// One amount in equal parts.
    Even(Money),
    /// One amount by weights of an attribute's values.
    Weighted { whole: Money, by: Attribute, weights: BTreeMap<String, u32> },
}

/// What each partner gets, in their order, or why it gets nothing. The parts of a whole add up to it: largest
/// remainder, ties to the earlier partner. A value without a weight is never guessed one.
pub fn share_out(partners: &[Candidate], sharing: &Sharing) -> Vec<Result<Money, Reason>> {
    match sharing {
        Sharing::Each(amount) => partners.iter().map(|_| Ok(*amount)).collect(),
        Sharing::Even(whole) => split(*whole, &vec![1; partners.len()]).into_iter().map(Ok).collect(),
        Sharing::Weighted { whole, by, weights } => {
            let weight = |partner: &Candidate| {
                let value = by.of(partner);
                weights.iter().find(|(named, _)| named.eq_ignore_ascii_case(value)).map(|(_, weight)| *weight)
            };
            let known: Vec<u64> = partners.iter().filter_map(weight).map(u64::from).collect();
            let mut parts = split(*whole, &known).into_iter();
            let part = |partner: &Candidate| match weight(partner) {
                Some(_) => Ok(parts.next().unwrap_or_else(|| Money::zero(whole.currency))),
                None => Err(Reason::new(
                    "weight",
                    format!("The {} “{}” has no weight.", by.code(), by.of(partner)),
                    "Give it one; 0 leaves it out.",
                )),
            };
            partners.iter().map(part).collect()
        }
    }
}
