//! Every clock that runs on a cycle: what is due, by when, of whom. Pages, calendars and the API all read it from here,
//! so that a day is the same wherever it is shown.

use crate::Date;
use crate::calendar::plus;
use crate::cycle::{Party, Stage};
use crate::ledger::AccountKind;
use crate::machine::{DRAFTING, Situation};
use crate::money::Money;
use crate::policy::{Decider, Extendable};
use crate::steps::s7_execution::{self, ActivityState, Claim, ClaimState, ask_by, claimable, proof_days};
use crate::steps::{s4_action_plan, s6_approval, s8_tracking};
use serde::{Deserialize, Serialize};

/// A day by which somebody has to act, or after which something is gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deadline {
    pub clock: Clock,
    /// The last day, in UTC.
    pub until: Date,
    /// Who has to act; nobody where time alone decides.
    pub party: Party,
    pub item: Item,
    /// The name of what it is about; empty for the cycle itself.
    pub name: String,
    /// What hangs on it, where that is money.
    pub amount: Option<Money>,
}

/// What the day is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The end of the period: a cycle whose money was not asked for by then expires.
    Lapse,
    PlanReview,
    /// The lead time: the last day to ask for an activity.
    AskBy,
    Information,
    Approval,
    Proof,
    /// The end of the time after the due day; then the activity expires.
    ProofGrace,
    ProofReview,
    Claim,
    ClaimDecision,
    Payment,
    /// The last day to ask for more time.
    Extension,
    ExtensionAnswer,
    Credit,
    Tracking,
}

impl Clock {
    pub fn code(self) -> &'static str {
        match self {
            Clock::Lapse => "lapse",
            Clock::PlanReview => "plan_review",
            Clock::AskBy => "ask_by",
            Clock::Information => "information",
            Clock::Approval => "approval",
            Clock::Proof => "proof",
            Clock::ProofGrace => "proof_grace",
            Clock::ProofReview => "proof_review",
            Clock::Claim => "claim",
            Clock::ClaimDecision => "claim_decision",
            Clock::Payment => "payment",
            Clock::Extension => "extension",
            Clock::ExtensionAnswer => "extension_answer",
            Clock::Credit => "credit",
            Clock::Tracking => "tracking",
        }
    }

    /// What people read before the name: "Proof due".
    pub fn label(self) -> &'static str {
        match self {
            Clock::Lapse => "Lapses unless asked for",
            Clock::PlanReview => "Agree or return the plan",
            Clock::AskBy => "Ask for the money",
            Clock::Information => "Answer the question",
            Clock::Approval => "Decide the request",
            Clock::Proof => "Hand in proof",
            Clock::ProofGrace => "Proof is taken until",
            Clock::ProofReview => "Review the proof",
            Clock::Claim => "Claim",
            Clock::ClaimDecision => "Decide the claim",
            Clock::Payment => "Pay the claim",
            Clock::Extension => "Ask for more time",
            Clock::ExtensionAnswer => "Grant or decline more time",
            Clock::Credit => "Credit expires",
            Clock::Tracking => "Results count until",
        }
    }
}

/// The part of the cycle a day belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Cycle,
    Campaign(u16),
    Activity(u16),
    Claim(u16),
}

impl Item {
    /// A stable short name inside the cycle: `activity-2`.
    pub fn code(self) -> String {
        match self {
            Item::Cycle => "cycle".to_owned(),
            Item::Campaign(no) => format!("campaign-{no}"),
            Item::Activity(no) => format!("activity-{no}"),
            Item::Claim(no) => format!("claim-{no}"),
        }
    }
}

/// Every clock that runs on the cycle, the nearest day first.
pub fn deadlines(s: &Situation) -> Vec<Deadline> {
    let mut all = drafting(s);
    all.extend(asking(s));
    all.extend(approving(s));
    if s.cycle.stage.is_after_approval() || s.cycle.stage == Stage::ApprovalReview {
        all.extend(proving(s));
        all.extend(claiming(s));
        all.extend(s.cycle.claims.iter().filter_map(|claim| deciding(s, claim)));
        all.extend(more_time(s));
    }
    all.extend(credit(s));
    if matches!(s.cycle.stage, Stage::ExecutionLive | Stage::TrackingListening) {
        all.push(whole(Clock::Tracking, s8_tracking::window_closes(s), Party::Nobody));
    }
    all.sort_by_key(|deadline| (deadline.until, deadline.clock, deadline.item));
    all
}

fn whole(clock: Clock, until: Date, party: Party) -> Deadline {
    Deadline { clock, until, party, item: Item::Cycle, name: String::new(), amount: None }
}

fn of_activity(clock: Clock, until: Date, party: Party, activity: &s4_action_plan::Activity) -> Deadline {
    Deadline { item: Item::Activity(activity.no), name: activity.draft.name.clone(), ..whole(clock, until, party) }
}

fn of_campaign(s: &Situation, clock: Clock, until: Date, party: Party, campaign: u16) -> Deadline {
    let name = s.cycle.campaign(campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone());
    Deadline { item: Item::Campaign(campaign), name, ..whole(clock, until, party) }
}

/// Until when a draft lives, and until when its plan is to be reviewed.
fn drafting(s: &Situation) -> Vec<Deadline> {
    if !DRAFTING.contains(&s.cycle.stage) {
        return Vec::new();
    }
    let review = plan_review_by(s).map(|until| whole(Clock::PlanReview, until, Party::Manager));
    review.into_iter().chain([whole(Clock::Lapse, s.cycle.period.to, Party::Partner)]).collect()
}

/// The day a submitted plan should be agreed or returned by: the channel manager has as long as for a request.
pub fn plan_review_by(s: &Situation) -> Option<Date> {
    let days = s.policy.band(1, &s.partner).filter(|_| s.cycle.stage == Stage::PlanReview)?.sla_days;
    Some(plus(s.cycle.since.date_naive(), days))
}

/// The day a claim should be paid by, if all goes as the guide says: so many days after the day it should be decided by;
/// of a payment the bank sent back, as many after the day it came back.
pub fn pay_by(s: &Situation, claim: &Claim) -> Date {
    let back = claim.payments.iter().filter_map(|payment| payment.came_back()).map(|returned| returned.on);
    plus(back.fold(decide_by(s, claim), Date::max), s.policy.claim.pay_days)
}

fn decide_by(s: &Situation, claim: &Claim) -> Date {
    plus(claim.submitted_at.date_naive(), s.policy.claim.review_days)
}

/// The lead time of what is planned and not asked for.
fn asking(s: &Situation) -> Vec<Deadline> {
    if !matches!(s.cycle.stage, Stage::ActionPlanDraft | Stage::RequestDraft) {
        return Vec::new();
    }
    let day = |activity: &s4_action_plan::Activity| {
        let until = s.policy.last_day_to_ask(activity.draft.starts, &s.partner.country);
        of_activity(Clock::AskBy, until, Party::Partner, activity)
    };
    s.cycle.activities.iter().map(day).collect()
}

fn approving(s: &Situation) -> Option<Deadline> {
    let due = s.cycle.approval.due.filter(|_| s.cycle.stage == Stage::ApprovalReview)?;
    if s.cycle.approval.open_question().is_some() {
        return s6_approval::answer_by(s, &s.cycle).map(|until| whole(Clock::Information, until, Party::Partner));
    }
    Some(whole(Clock::Approval, due, Party::Approvers))
}

fn proving(s: &Situation) -> Vec<Deadline> {
    let mut all = Vec::new();
    for activity in s7_execution::running(s) {
        let days = proof_days(s, activity);
        let (due, last) = (days.due(&s.policy), days.last_day(&s.policy));
        all.push(of_activity(Clock::Proof, due, Party::Partner, activity));
        if last > due {
            all.push(of_activity(Clock::ProofGrace, last, Party::Nobody, activity));
        }
    }
    for activity in s.cycle.activities.iter().filter(|activity| activity.state == ActivityState::ProofReview) {
        let handed_in = activity.handed_in.map(|at| plus(at.date_naive(), s.policy.proof.review_days));
        all.extend(handed_in.map(|until| of_activity(Clock::ProofReview, until, Party::Manager, activity)));
    }
    all
}

/// The claim windows of campaigns with something left to claim.
fn claiming(s: &Situation) -> Vec<Deadline> {
    let open = s.cycle.campaigns.iter().filter_map(|campaign| {
        let until = s7_execution::extended_day(s, campaign.no, Extendable::Claim)?;
        let amount = Some(claimable(s, campaign.no));
        Some(Deadline { amount, ..of_campaign(s, Clock::Claim, until, Party::Partner, campaign.no) })
    });
    open.collect()
}

fn deciding(s: &Situation, claim: &Claim) -> Option<Deadline> {
    let (clock, until, amount) = match claim.state {
        ClaimState::Review => (Clock::ClaimDecision, decide_by(s, claim), claim.asked),
        ClaimState::Payable | ClaimState::PartPaid => (Clock::Payment, pay_by(s, claim), claim.outstanding()),
        ClaimState::Denied | ClaimState::Paid | ClaimState::ClawedBack => return None,
    };
    let of = of_campaign(s, clock, until, Party::Finance, claim.campaign);
    Some(Deadline { item: Item::Claim(claim.no), amount: Some(amount), ..of })
}

/// Until when more time can be asked for, and until when a wish is answered.
fn more_time(s: &Situation) -> Vec<Deadline> {
    let decider = match s.policy.extension.as_ref().map(|rules| rules.decided_by) {
        Some(Decider::Finance) => Party::Finance,
        _ => Party::Manager,
    };
    let open = s.cycle.open_extensions();
    let mut all: Vec<Deadline> = open
        .map(|extension| of_campaign(s, Clock::ExtensionAnswer, extension.answer_by, decider, extension.campaign))
        .collect();
    for campaign in &s.cycle.campaigns {
        let days = Extendable::ALL.into_iter().filter_map(|window| ask_by(s, campaign.no, window));
        let last = days.max();
        all.extend(last.map(|until| of_campaign(s, Clock::Extension, until, Party::Nobody, campaign.no)));
    }
    all
}

/// Credit that expires: while money is asked for what the wallet holds, later what this cycle holds. What is committed
/// or in the wallet on its day and not claimed by then is forfeited.
fn credit(s: &Situation) -> Vec<Deadline> {
    let held = s.book.lots(|account| match account.kind {
        AccountKind::Available => {
            s.cycle.stage == Stage::RequestDraft
                && account.partner == Some(s.partner.id)
                && s.cycle.fund().is_none_or(|fund| account.fund == fund)
        }
        AccountKind::Committed => account.cycle == Some(s.cycle.id) && !s.cycle.stage.is_end(),
        _ => false,
    });
    let mut all: Vec<Deadline> = Vec::new();
    for lot in held {
        let Some(until) = lot.account.lot else { continue };
        match all.iter_mut().find(|deadline| deadline.until == until) {
            Some(same) => {
                let sum = same.amount.map_or(0, |amount| amount.minor) + lot.amount.minor;
                same.amount = Some(Money::new(sum, lot.amount.currency));
            }
            None => all.push(Deadline { amount: Some(lot.amount), ..whole(Clock::Credit, until, Party::Nobody) }),
        }
    }
    all
}
