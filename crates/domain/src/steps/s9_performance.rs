//! Step 9, performance to plan: the frozen forecast against the same funnel, direct and derived metrics,
//! and the review that closes the cycle.
//!
//! Every measurement is kept, dated, with the figures and the rules it was made from.

use super::s7_execution::Claim;
use super::s8_tracking::{DealFact, TouchFact};
use super::{Case, Outcome, Release, Stamp, Teller, Told, check_text};
use crate::cycle::{Cycle, Stage};
use crate::forecast::{Baseline, FunnelStage, roi_percent};
use crate::ids::{CycleId, UserId};
use crate::ledger::AccountKind;
use crate::machine::Situation;
use crate::money::Money;
use crate::notice::{Audience, Topic};
use crate::refusal::Refusal;
use crate::{Date, Instant};
use attribution::{Journey, Model, Touch, credit};
use chrono::NaiveTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What was measured and who has signed it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Review {
    /// Oldest first; the last one is what the review is about.
    pub measurements: Vec<Measurement>,
    pub partner: Option<Signature>,
    pub manager: Option<Signature>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signature {
    pub by: UserId,
    pub by_name: String,
    pub at: Instant,
    pub lessons: String,
}

/// One dated measurement of a cycle, in the cycle's currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Measurement {
    pub at: Instant,
    /// The version of the guide whose look-back was used.
    pub guide_version: String,
    pub lookback_days: u16,
    pub campaigns: Vec<CampaignMeasure>,
    /// Forecast revenue over all campaigns.
    pub expected_revenue: Money,
    /// Won revenue of deals the campaigns influenced, each deal once.
    pub won: Money,
    /// MDF spent: paid, claimed and still committed.
    pub mdf: Money,
    /// What the campaigns cost in all: actual where claimed, planned where not.
    pub cost: Money,
    /// Deals in a currency the cycle is not kept in: named, never converted by guess.
    pub left_out: Vec<String>,
}

/// One campaign's funnel beside its forecast, and what followed from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CampaignMeasure {
    pub campaign: u16,
    pub name: String,
    pub tactic: String,
    /// Expected counts at each stage, from the frozen baseline.
    pub plan: [Decimal; 6],
    /// Actual counts at each stage; a deal counts at its stage and all before it.
    pub actual: [u32; 6],
    pub plan_cost: Money,
    pub actual_cost: Money,
    pub plan_revenue: Money,
    pub won: Money,
    /// Won plus what is open: count at each stage x close rate from there x average deal size, in units.
    pub extrapolated: Decimal,
    pub registered_deals: u32,
    /// Open pipeline of influenced deals.
    pub pipeline: Money,
    /// Won revenue this campaign's touch created.
    pub sourced: Money,
    /// Won revenue this campaign touched before the close. Never summed with sourced.
    pub influenced: Money,
    /// Won revenue divided by each model; credits of one deal add up to it exactly.
    pub credited: Vec<Credited>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Credited {
    /// `first`, `last`, `linear`
    pub model: String,
    pub amount: Money,
}

impl CampaignMeasure {
    /// Money per unit at a stage; none where nothing was counted.
    pub fn cost_per(&self, stage: FunnelStage) -> Option<Decimal> {
        let count = Decimal::from(self.actual[stage as usize]);
        (!count.is_zero()).then(|| (self.actual_cost.decimal() / count).round_dp(2))
    }
}

impl Measurement {
    /// Investment ROI, benefit = won revenue, cost = all cost, in percent.
    pub fn investment_roi(&self) -> Option<Decimal> {
        roi_percent(self.won.decimal(), self.cost.decimal())
    }

    /// MDF ROI, benefit = won revenue, cost = MDF alone, in percent.
    pub fn mdf_roi(&self) -> Option<Decimal> {
        roi_percent(self.won.decimal(), self.mdf.decimal())
    }

    /// Investment ROI with open counts carried on by their close rates, in percent.
    pub fn extrapolated_roi(&self) -> Option<Decimal> {
        roi_percent(self.campaigns.iter().map(|campaign| campaign.extrapolated).sum(), self.cost.decimal())
    }

    /// Investment ROI as forecast, in percent.
    pub fn planned_roi(&self) -> Option<Decimal> {
        let cost: Decimal = self.campaigns.iter().map(|campaign| campaign.plan_cost.decimal()).sum();
        roi_percent(self.expected_revenue.decimal(), cost)
    }
}

/// The models every performance page shows side by side.
pub const MODELS: [(&str, Model); 3] = [("first", Model::First), ("last", Model::Last), ("linear", Model::Linear)];

/// Measures a cycle now, from what has arrived.
pub fn measure(s: &Situation, now: Instant) -> Measurement {
    let cycle = &s.cycle;
    let (ours, foreign): (Vec<&DealFact>, Vec<&DealFact>) =
        s.results.deals.iter().partition(|deal| deal.amount.currency == cycle.currency);
    let campaigns: Vec<CampaignMeasure> = cycle
        .campaigns
        .iter()
        .filter_map(|campaign| Some((campaign, campaign.baseline.as_ref()?)))
        .map(|(campaign, baseline)| measure_campaign(s, campaign.no, baseline, &ours))
        .collect();
    let influenced_by_any = ours
        .iter()
        .filter(|deal| deal.is_won && cycle.campaigns.iter().any(|campaign| influenced(s, campaign.no, deal)));
    Measurement {
        at: now,
        guide_version: s.policy.guide.version.clone(),
        lookback_days: s.policy.tracking.lookback_days,
        expected_revenue: cycle.sum(campaigns.iter().map(|campaign| campaign.plan_revenue)),
        won: cycle.sum(influenced_by_any.map(|deal| deal.amount)),
        mdf: invested(s),
        cost: cycle.sum(campaigns.iter().map(|campaign| campaign.actual_cost)),
        campaigns,
        left_out: foreign.iter().map(|deal| format!("{} ({})", deal.name, deal.amount)).collect(),
    }
}

/// What the program has put into the cycle: committed, claimed or paid, and not clawed back.
fn invested(s: &Situation) -> Money {
    let cycle = &s.cycle;
    let Some(kept) = &cycle.approval.exchange else {
        let held = s.book.total(|account| {
            account.cycle == Some(cycle.id)
                && matches!(account.kind, AccountKind::Committed | AccountKind::Claimed | AccountKind::Paid)
        });
        return Money::new(held, cycle.currency);
    };
    let clawed_back = |claim: &Claim| {
        let back = claim.clawback.as_ref().filter(|clawback| clawback.confirmed_by.is_some());
        back.map_or(0, |clawback| clawback.amount.minor)
    };
    let claims: i64 = cycle.claims.iter().map(|claim| claim.approved.minor - clawed_back(claim)).sum();
    Money::new(cycle.sum(kept.committed.iter().map(|held| held.amount)).minor + claims, cycle.currency)
}

fn measure_campaign(s: &Situation, no: u16, baseline: &Baseline, deals: &[&DealFact]) -> CampaignMeasure {
    let cycle = &s.cycle;
    let touched: Vec<&&DealFact> = deals.iter().filter(|deal| influenced(s, no, deal)).collect();
    let won: Vec<&&&DealFact> = touched.iter().filter(|deal| deal.is_won).collect();
    let amounts = |deals: &mut dyn Iterator<Item = Money>| cycle.sum(deals);
    let actual = counts(s, no, &touched);
    let won_amount = amounts(&mut won.iter().map(|deal| deal.amount));
    let draft = cycle.campaign(no).map(|campaign| &campaign.draft);
    CampaignMeasure {
        campaign: no,
        name: draft.map(|draft| draft.name.clone()).unwrap_or_default(),
        tactic: draft.map(|draft| draft.tactic.clone()).unwrap_or_default(),
        plan: baseline.expected,
        actual,
        plan_cost: baseline.cost,
        actual_cost: actual_cost(cycle, no, baseline),
        plan_revenue: Money::from_decimal(baseline.expected_revenue, cycle.currency).unwrap_or(cycle.zero()),
        won: won_amount,
        extrapolated: won_amount.decimal() + open_value(baseline, actual, &touched),
        registered_deals: u32::try_from(touched.iter().filter(|deal| deal.registered).count()).unwrap_or(u32::MAX),
        pipeline: amounts(&mut touched.iter().filter(|deal| !deal.is_closed).map(|deal| deal.amount)),
        sourced: amounts(&mut won.iter().filter(|deal| sourced(s, no, deal)).map(|deal| deal.amount)),
        influenced: won_amount,
        credited: MODELS
            .iter()
            .map(|(name, model)| Credited {
                model: (*name).to_owned(),
                amount: amounts(&mut won.iter().map(|deal| credited(s, no, deal, model))),
            })
            .collect(),
    }
}

/// Persons at each early stage, deals at each late one; who came further counts before as well. A deal began with
/// somebody: the first of its people who answered here counts as a lead and an MQL, whatever list they came in by.
fn counts(s: &Situation, no: u16, deals: &[&&DealFact]) -> [u32; 6] {
    let here = Some((s.cycle.id, no));
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let name = |touch: &TouchFact| touch.person.unwrap_or(touch.id);
    let first = |deal: &DealFact| {
        let answers = journey(s, deal).filter(|touch| touch.campaign == here);
        answers.min_by_key(|touch| (touch.at, touch.id)).map(name)
    };
    let began: BTreeSet<Uuid> = deals.iter().filter_map(|deal| first(deal)).collect();
    std::array::from_fn(|index| {
        let stage = FunnelStage::ALL[index];
        if stage <= FunnelStage::Mqls {
            let persons: BTreeSet<Uuid> = s
                .results
                .touches
                .iter()
                .filter(|touch| touch.campaign == here && touch.response && touch.reached >= stage)
                .map(name)
                .chain(began.iter().copied())
                .collect();
            count(persons.len())
        } else {
            count(
                deals
                    .iter()
                    .filter(|deal| {
                        deal.reached() >= stage
                            && (deal.is_won || !deal.is_closed || stage == FunnelStage::Opportunities)
                    })
                    .count(),
            )
        }
    })
}

/// What is open at each stage, carried on by the forecast's rates and the average deal size, in units.
fn open_value(baseline: &Baseline, actual: [u32; 6], deals: &[&&DealFact]) -> Decimal {
    let rates = baseline.assumptions.rates();
    let closed = |stage: FunnelStage| {
        u32::try_from(deals.iter().filter(|deal| deal.is_closed && deal.reached() >= stage).count()).unwrap_or(0)
    };
    let mut value = Decimal::ZERO;
    for stage in [
        FunnelStage::Responses,
        FunnelStage::Leads,
        FunnelStage::Mqls,
        FunnelStage::Opportunities,
        FunnelStage::Proposals,
    ] {
        let index = stage as usize;
        let further = actual[index + 1].max(if stage >= FunnelStage::Opportunities { closed(stage) } else { 0 });
        let open = Decimal::from(actual[index].saturating_sub(further));
        let close_rate: Decimal = rates[index..].iter().product();
        value += open * close_rate * baseline.assumptions.deal_size.decimal();
    }
    value
}

/// What a campaign cost, in the cycle's currency: invoices of claimed lines, the plan for what was not claimed yet.
pub fn actual_cost(cycle: &Cycle, no: u16, baseline: &Baseline) -> Money {
    use super::s7_execution::ClaimState;
    let claimed: Vec<_> = cycle
        .claims
        .iter()
        .filter(|claim| claim.campaign == no && claim.state != ClaimState::Denied)
        .flat_map(|claim| &claim.lines)
        .collect();
    let lines: BTreeSet<(u16, u16)> = claimed.iter().map(|line| (line.invoice.activity, line.invoice.line)).collect();
    let spent: i64 = claimed.iter().map(|line| line.invoice.actual.minor).sum();
    let is_final =
        cycle.claims.iter().any(|claim| claim.campaign == no && claim.is_final && claim.state != ClaimState::Denied);
    let open_lines = cycle
        .activities
        .iter()
        .filter(|activity| activity.draft.campaign == no)
        .flat_map(|activity| activity.draft.costs.iter().map(move |cost| (activity.no, cost)));
    let unclaimed: i64 = open_lines
        .filter(|(activity, cost)| !lines.contains(&(*activity, cost.no)))
        .map(|(_, cost)| cost.amount.minor)
        .sum();
    if cycle.claims.is_empty() {
        baseline.cost
    } else {
        Money::new(spent + if is_final { 0 } else { unclaimed }, cycle.currency)
    }
}

/// Touches of a deal's people or company, inside the look-back before its close.
pub(crate) fn journey<'a>(s: &'a Situation, deal: &'a DealFact) -> impl Iterator<Item = &'a TouchFact> {
    let lookback = chrono::Days::new(u64::from(s.policy.tracking.lookback_days));
    let end = deal
        .closed_on
        .map_or(Instant::MAX_UTC, |day| day.and_time(NaiveTime::MIN).and_utc() + chrono::TimeDelta::days(1));
    let from = deal.closed_on.unwrap_or(deal.created_on).checked_sub_days(lookback).unwrap_or(Date::MIN);
    let meets = move |touch: &&TouchFact| {
        let same = |a: Option<Uuid>, b: Option<Uuid>| a.is_some() && a == b;
        same(touch.company, deal.company) || same(touch.person, deal.person)
    };
    s.results
        .touches
        .iter()
        .filter(meets)
        .filter(move |touch| touch.response && touch.at < end && touch.at.date_naive() >= from)
}

/// This campaign touched the deal before its close, or the CRM names it as the source.
pub(crate) fn influenced(s: &Situation, no: u16, deal: &DealFact) -> bool {
    let here: Option<(CycleId, u16)> = Some((s.cycle.id, no));
    deal.source == here || journey(s, deal).any(|touch| touch.campaign == here)
}

/// The earliest touch before the deal was opened is this campaign's; without one, the CRM's source decides.
pub(crate) fn sourced(s: &Situation, no: u16, deal: &DealFact) -> bool {
    let before = journey(s, deal)
        .filter(|touch| touch.at.date_naive() <= deal.created_on)
        .min_by_key(|touch| (touch.at, touch.id));
    let source = before.map_or(deal.source, |touch| touch.campaign);
    source == Some((s.cycle.id, no))
}

/// This campaign's share of one won deal under a model, exact to the minor unit.
pub(crate) fn credited(s: &Situation, no: u16, deal: &DealFact, model: &Model) -> Money {
    let touches: Vec<&TouchFact> = journey(s, deal).collect();
    let here = Some((s.cycle.id, no));
    if touches.is_empty() {
        return if deal.source == here { deal.amount } else { s.cycle.zero() };
    }
    let end = deal
        .closed_on
        .map_or(i64::MAX, |day| (day.and_time(NaiveTime::MIN).and_utc() + chrono::TimeDelta::days(1)).timestamp());
    let kernel = touches
        .iter()
        .map(|touch| Touch::new(touch.id.as_u128(), u32::from(touch.campaign == here), touch.at.timestamp()));
    let journey = Journey::won(kernel.collect(), deal.amount.minor, end);
    let credits = credit(model, &journey, None);
    let ours = credits.parts.iter().filter(|part| journey.touches()[part.touch].channel == 1);
    let minor = ours.map(|part| part.amount).sum();
    Money::new(minor, deal.amount.currency)
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Measure again: late deals have arrived.
    Measure {},
    /// The signer's side follows from who signs.
    Sign { lessons: String },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Measured {
        measurement: Measurement,
    },
    SignedByPartner {
        lessons: String,
        by_name: String,
    },
    SignedByManager {
        lessons: String,
        by_name: String,
    },
    /// Both have signed: what money is left is released and the cycle teaches the next forecast.
    Closed {
        released: Money,
    },
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    let cycle = &case.s.cycle;
    match command {
        Command::Measure {} => Ok(vec![Event::Measured { measurement: measure(case.s, case.now) }.into()]),
        Command::Sign { lessons } => {
            let mut reasons = Vec::new();
            check_text("lessons", "What you learned", lessons, 4_000, &mut reasons);
            Refusal::unless_empty(reasons)?;
            let (lessons, by_name) = (lessons.trim().to_owned(), case.actor.me.name.clone());
            let as_partner = case.standing.is_partner();
            let (mine, other) = if as_partner {
                (&cycle.review.partner, &cycle.review.manager)
            } else {
                (&cycle.review.manager, &cycle.review.partner)
            };
            if mine.is_some() {
                return Err(Refusal::new("signed", "Your side has signed this review.", "The other side signs next."));
            }
            let closes = other.is_some();
            if closes {
                super::s7_execution::no_payment_waits(cycle)?;
            }
            if closes
                && cycle.claims.iter().any(|claim| {
                    matches!(
                        claim.state,
                        super::s7_execution::ClaimState::Review
                            | super::s7_execution::ClaimState::Payable
                            | super::s7_execution::ClaimState::PartPaid
                    )
                })
            {
                return Err(Refusal::new(
                    "claims_open",
                    "A claim is not settled yet.",
                    "Sign once every claim is paid or denied.",
                ));
            }
            let signed = if as_partner {
                Event::SignedByPartner { lessons, by_name }
            } else {
                Event::SignedByManager { lessons, by_name }
            };
            let mut outcomes: Vec<Outcome> = vec![signed.into()];
            if closes {
                let Release { amount: released, postings } = super::s7_execution::release_all(case.s, case.today);
                outcomes.push(Outcome::with(Event::Closed { released }, postings));
            }
            Ok(outcomes)
        }
    }
}

pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    let sign = |lessons: &str, by_name: &str| {
        Some(Signature { by: stamp.by, by_name: by_name.to_owned(), at: stamp.at, lessons: lessons.to_owned() })
    };
    match event {
        Event::Measured { measurement } => cycle.review.measurements.push(measurement.clone()),
        Event::SignedByPartner { lessons, by_name } => cycle.review.partner = sign(lessons, by_name),
        Event::SignedByManager { lessons, by_name } => cycle.review.manager = sign(lessons, by_name),
        Event::Closed { .. } => {
            super::s6_approval::let_go_of_all(cycle);
            cycle.stage = Stage::Closed;
        }
    }
}

pub fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    match event {
        Event::Measured { measurement } => {
            Told::new("performance.measured", format!("{by} measured again: {} won.", measurement.won))
        }
        Event::SignedByPartner { lessons, .. } => {
            Told::new("performance.signed_by_partner", format!("{by} signed the review: “{lessons}”"))
                .to(teller.to_manager(Topic::ReviewSigned, "/performance").reason(lessons))
        }
        Event::SignedByManager { lessons, .. } => {
            Told::new("performance.signed_by_manager", format!("{by} signed the review: “{lessons}”"))
                .to(teller.to_partner(Topic::ReviewSigned, "/performance").reason(lessons))
        }
        Event::Closed { released } => {
            let left = if released.is_positive() { format!(" {released} released.") } else { String::new() };
            Told::new("performance.closed", format!("Both sides have signed; the cycle is closed.{left}"))
                .to(teller.to_partner(Topic::CycleClosed, "/performance"))
                .to(teller.to_manager(Topic::CycleClosed, "/performance"))
                .to(teller.notice(Topic::CycleClosed, Audience::Executives, "/performance"))
        }
    }
}
