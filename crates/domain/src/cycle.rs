//! The cycle: one trip of one partner around the loop, with everything that hangs on it.
//!
//! The parts of it are defined by the step that makes them; see [`crate::steps`].

use crate::deadlines::{Clock, Item};
use crate::drafts::Drafts;
use crate::exchange::Rate;
use crate::ids::{CycleId, FundId, PartnerId, ProgramId, UserId};
use crate::money::{Currency, Money};
use crate::policy::Extendable;
use crate::steps::s1_plan::Plan;
use crate::steps::s2_scorecard::Scorecard;
use crate::steps::s3_forecast::Campaign;
use crate::steps::s4_action_plan::Activity;
use crate::steps::s5_request::Request;
use crate::steps::s6_approval::Approval;
use crate::steps::s7_execution::{Claim, Extension, ExtensionState};
use crate::steps::s9_performance::Review;
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};

/// Where a cycle is: the step and its state. How it is doing is [`Health`], a different fact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    PlanDraft,
    PlanReview,
    ScorecardOpen,
    ForecastDraft,
    ActionPlanDraft,
    RequestDraft,
    ApprovalReview,
    ExecutionLive,
    TrackingListening,
    PerformanceMeasured,
    Closed,
    Declined,
    Withdrawn,
    Cancelled,
    Expired,
}

impl Stage {
    pub const ALL: [Stage; 15] = [
        Stage::PlanDraft,
        Stage::PlanReview,
        Stage::ScorecardOpen,
        Stage::ForecastDraft,
        Stage::ActionPlanDraft,
        Stage::RequestDraft,
        Stage::ApprovalReview,
        Stage::ExecutionLive,
        Stage::TrackingListening,
        Stage::PerformanceMeasured,
        Stage::Closed,
        Stage::Declined,
        Stage::Withdrawn,
        Stage::Cancelled,
        Stage::Expired,
    ];

    /// The stored name, step first: `approval.review`.
    pub fn code(self) -> &'static str {
        match self {
            Stage::PlanDraft => "plan.draft",
            Stage::PlanReview => "plan.review",
            Stage::ScorecardOpen => "scorecard.open",
            Stage::ForecastDraft => "forecast.draft",
            Stage::ActionPlanDraft => "action_plan.draft",
            Stage::RequestDraft => "request.draft",
            Stage::ApprovalReview => "approval.review",
            Stage::ExecutionLive => "execution.live",
            Stage::TrackingListening => "tracking.listening",
            Stage::PerformanceMeasured => "performance.measured",
            Stage::Closed => "closed",
            Stage::Declined => "declined",
            Stage::Withdrawn => "withdrawn",
            Stage::Cancelled => "cancelled",
            Stage::Expired => "expired",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.code() == code)
    }

    /// The step it belongs to, 1 to 9; `None` for an end.
    pub fn step(self) -> Option<Step> {
        Step::ALL
            .into_iter()
            .find(|step| self.code().strip_prefix(step.code()).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Nothing more happens to the request or its money from here.
    pub fn is_end(self) -> bool {
        self.step().is_none()
    }

    /// Money has been committed and campaign IDs are live, or were.
    pub fn is_after_approval(self) -> bool {
        matches!(self, Stage::ExecutionLive | Stage::TrackingListening | Stage::PerformanceMeasured)
    }

    /// The words people read for it: "In approval".
    pub fn label(self) -> &'static str {
        match self {
            Stage::PlanDraft => "Plan in draft",
            Stage::PlanReview => "Plan in review",
            Stage::ScorecardOpen => "Scorecard open",
            Stage::ForecastDraft => "Forecast in draft",
            Stage::ActionPlanDraft => "Action plan in draft",
            Stage::RequestDraft => "Request in draft",
            Stage::ApprovalReview => "In approval",
            Stage::ExecutionLive => "Running",
            Stage::TrackingListening => "Listening for results",
            Stage::PerformanceMeasured => "Performance measured",
            Stage::Closed => "Closed",
            Stage::Declined => "Declined",
            Stage::Withdrawn => "Withdrawn",
            Stage::Cancelled => "Cancelled",
            Stage::Expired => "Expired",
        }
    }
}

/// The nine steps of the loop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Plan = 1,
    Scorecard,
    Forecast,
    ActionPlan,
    Request,
    Approval,
    Execution,
    Tracking,
    Performance,
}

impl Step {
    pub const ALL: [Step; 9] = [
        Step::Plan,
        Step::Scorecard,
        Step::Forecast,
        Step::ActionPlan,
        Step::Request,
        Step::Approval,
        Step::Execution,
        Step::Tracking,
        Step::Performance,
    ];

    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name in stages, tables and file names: `action_plan`.
    pub fn code(self) -> &'static str {
        match self {
            Step::Plan => "plan",
            Step::Scorecard => "scorecard",
            Step::Forecast => "forecast",
            Step::ActionPlan => "action_plan",
            Step::Request => "request",
            Step::Approval => "approval",
            Step::Execution => "execution",
            Step::Tracking => "tracking",
            Step::Performance => "performance",
        }
    }

    /// The name people read: "action plan".
    pub fn label(self) -> &'static str {
        match self {
            Step::ActionPlan => "action plan",
            other => other.code(),
        }
    }
}

/// The days a cycle is about, first and last included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Period {
    pub from: Date,
    pub to: Date,
}

impl Period {
    pub fn contains(self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }
}

/// One trip around the loop. Changed only by applying the events of a `Decision`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cycle {
    pub id: CycleId,
    /// What people call it: `C-2026-0042`.
    pub number: String,
    /// The vendor-wide running number behind it; campaign IDs are minted from it.
    pub serial: u32,
    pub program: ProgramId,
    pub partner: PartnerId,
    pub title: String,
    pub period: Period,
    pub currency: Currency,
    /// Where that is not the program's own: what one of the program's was worth in it when the cycle was opened. The
    /// guide's amounts count at this rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide_rate: Option<Rate>,
    pub stage: Stage,
    /// The approval level under way; 0 outside approval.
    pub level: u8,
    /// Counts recorded events; every write names the version it was decided on.
    pub version: i64,
    /// When the present stage (and level) was entered.
    pub since: Instant,
    pub opened_at: Instant,
    pub ended_at: Option<Instant>,
    pub plan: Plan,
    pub scorecard: Scorecard,
    pub campaigns: Vec<Campaign>,
    pub activities: Vec<Activity>,
    pub request: Request,
    pub approval: Approval,
    pub claims: Vec<Claim>,
    /// More time asked for on its campaigns, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// What was reminded of before a day, or told of once it had passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reminded: Vec<Reminded>,
    pub review: Review,
}

impl Cycle {
    /// The facts a new cycle starts from; it stands at its first step until events say otherwise.
    pub fn new(opening: &Opening, now: Instant) -> Self {
        Self {
            id: opening.id,
            number: opening.number.clone(),
            serial: opening.serial,
            program: opening.program,
            partner: opening.partner,
            title: opening.title.clone(),
            period: opening.period,
            currency: opening.currency,
            guide_rate: opening.guide_rate,
            stage: Stage::PlanDraft,
            level: 0,
            version: 0,
            since: now,
            opened_at: now,
            ended_at: None,
            plan: Plan::default(),
            scorecard: Scorecard::default(),
            campaigns: Vec::new(),
            activities: Vec::new(),
            request: Request::default(),
            approval: Approval::default(),
            claims: Vec::new(),
            extensions: Vec::new(),
            reminded: Vec::new(),
            review: Review::default(),
        }
    }

    pub fn campaign(&self, no: u16) -> Option<&Campaign> {
        self.campaigns.iter().find(|campaign| campaign.no == no)
    }

    pub fn activity(&self, no: u16) -> Option<&Activity> {
        self.activities.iter().find(|activity| activity.no == no)
    }

    pub fn claim(&self, no: u16) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.no == no)
    }

    pub fn extension(&self, no: u16) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.no == no)
    }

    /// Those nobody has decided yet.
    pub fn open_extensions(&self) -> impl Iterator<Item = &Extension> {
        self.extensions.iter().filter(|extension| extension.state == ExtensionState::Asked)
    }

    /// Days granted on a campaign's window. What gives more time to prove gives as much more to claim, since only what
    /// is proven can be claimed.
    pub fn granted_days(&self, campaign: u16, window: Extendable) -> u16 {
        let counts = |extension: &&Extension| {
            extension.campaign == campaign && (window == Extendable::Claim || extension.window == window)
        };
        self.extensions.iter().filter(counts).map(|extension| extension.granted).fold(0, u16::saturating_add)
    }

    /// The fund asked of, once the partner has chosen it.
    /// Everybody who asked for its money: by the request, or by a change of what was approved. None of them decides on it or
    /// pays it.
    pub fn requesters(&self) -> impl Iterator<Item = UserId> + '_ {
        let submitted = self.request.submitted.as_ref().map(|submitted| submitted.by);
        let amended = self.approval.before.as_ref().map(|before| before.by);
        self.approval.requesters.iter().copied().chain(submitted).chain(amended)
    }

    pub fn fund(&self) -> Option<FundId> {
        self.request.fund
    }

    pub fn zero(&self) -> Money {
        Money::zero(self.currency)
    }

    /// A sum of this cycle's own amounts; they share one currency and were checked when recorded.
    pub fn sum(&self, amounts: impl IntoIterator<Item = Money>) -> Money {
        Money::new(amounts.into_iter().map(|amount| amount.minor).sum(), self.currency)
    }
}

/// A reminder of one of the cycle's clocks, on its day; a clock that is moved is reminded of anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reminded {
    pub clock: Clock,
    pub item: Item,
    /// The clock's last day.
    pub until: Date,
    /// The day the reminder was due.
    pub day: Date,
}

/// What a cycle is opened with; ids and numbers are made by the engine.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Opening {
    pub id: CycleId,
    pub number: String,
    pub serial: u32,
    pub program: ProgramId,
    pub partner: PartnerId,
    pub title: String,
    pub period: Period,
    pub currency: Currency,
    /// Where that is not the program's own, what one of the program's is worth in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide_rate: Option<Rate>,
    /// The partner's agreed plan for the period, where there is one: the cycle then starts at step 3.
    pub plan: Option<Plan>,
    /// The partner's completed scorecard for the period, where there is one.
    pub scorecard: Option<Scorecard>,
    /// The cycle this one was copied from, and what came along.
    pub copy_of: Option<CycleId>,
    #[serde(default)]
    pub drafts: Drafts,
}

/// The partner, as far as the rules care.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Partner {
    pub id: PartnerId,
    pub name: String,
    pub region: String,
    /// ISO 3166-1 alpha-2: `DE`.
    pub country: String,
    /// `gold`, `silver`: as the program guide names them.
    pub tier: String,
    pub currency: Currency,
    /// The channel manager who looks after it.
    pub manager: Option<UserId>,
    pub good_standing: bool,
    /// A claim of theirs has been paid before.
    pub has_been_paid: bool,
}

/// Whom a cycle waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Partner,
    Manager,
    /// Approvers of the level under way.
    Approvers,
    Finance,
    /// Nobody: it runs, listens or has ended.
    Nobody,
}

impl Party {
    pub const ALL: [Party; 5] = [Party::Partner, Party::Manager, Party::Approvers, Party::Finance, Party::Nobody];

    pub fn code(self) -> &'static str {
        match self {
            Party::Partner => "partner",
            Party::Manager => "manager",
            Party::Approvers => "approvers",
            Party::Finance => "finance",
            Party::Nobody => "nobody",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|party| party.code() == code)
    }
}

/// How a cycle is doing, apart from where it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Health {
    pub waiting_on: Party,
    pub since: Instant,
    pub due: Option<Date>,
    /// What the party is asked to do: "Agree or return the plan".
    pub task: String,
    /// Ended before its end: declined, withdrawn, cancelled, expired.
    pub stopped: bool,
}

impl Health {
    /// Overdue is a matter of the day it is asked.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.due.is_some_and(|due| due < today)
    }
}
