//! The table of moves: the whole law of who may do what where.

use crate::cycle::Cycle;
use crate::cycle::Stage::{
    self, ActionPlanDraft, ApprovalReview, Cancelled, Closed, Declined, ExecutionLive, Expired, ForecastDraft,
    PerformanceMeasured, PlanDraft, PlanReview, RequestDraft, ScorecardOpen, TrackingListening, Withdrawn,
};
use serde::{Deserialize, Serialize};

/// One line of the table: who may do what, where, and where the cycle can be after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Move {
    pub act: Act,
    pub from: &'static [Stage],
    pub by: &'static [By],
    /// Every stage the act can lead to. Where this is the same list as `from`, the stage stays what it is.
    pub to: &'static [Stage],
}

impl Move {
    /// Whether the line covers the cycle where it stands.
    pub fn covers(&self, cycle: &Cycle) -> bool {
        let waits = cycle.stage == ApprovalReview && self.runs_on() && cycle.approval.amending().is_none();
        self.from.contains(&cycle.stage) && !waits
    }

    /// Whether the act can lead from one stage to another, or leave it as it is.
    pub fn leads(&self, from: Stage, to: Stage) -> bool {
        let stays = self.from == self.to || (from == ApprovalReview && self.runs_on());
        self.from.contains(&from) && if stays { from == to } else { self.to.contains(&to) }
    }

    /// A move of execution that goes on while an amendment is in review.
    fn runs_on(&self) -> bool {
        self.from.contains(&ExecutionLive) && self.from.contains(&ApprovalReview)
    }
}

/// In whose name a move is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum By {
    /// One of the partner's people, or the channel manager on their behalf.
    Partner,
    /// The channel manager of the partner's region.
    Manager,
    /// Who decides on the approval level under way.
    Approver,
    Finance,
    /// The timer and the machine itself.
    System,
}

const fn can(act: Act, from: &'static [Stage], by: &'static [By], to: &'static [Stage]) -> Move {
    Move { act, from, by, to }
}

pub(crate) const DRAFTING: &[Stage] =
    &[PlanDraft, PlanReview, ScorecardOpen, ForecastDraft, ActionPlanDraft, RequestDraft];
const AFTER_APPROVAL: &[Stage] = &[ExecutionLive, TrackingListening, PerformanceMeasured];
/// A move from execution that also names approval goes on while an amendment is in review, and only then.
const RUNNING: &[Stage] = &[ExecutionLive, ApprovalReview];
const LISTENING: &[Stage] = &[TrackingListening, PerformanceMeasured];
const CLAIMING: &[Stage] = &[ExecutionLive, ApprovalReview, TrackingListening, PerformanceMeasured];
const EVER_APPROVED: &[Stage] = &[ExecutionLive, ApprovalReview, TrackingListening, PerformanceMeasured, Closed];
const ENDED_OR_ON: &[Stage] = &[ExecutionLive, TrackingListening, Cancelled, Expired];

/// Every lawful move. What is not here cannot happen.
#[rustfmt::skip]
pub const MOVES: &[Move] = &[
    can(Act::SavePlan,          &[PlanDraft],          &[By::Partner],                &[PlanDraft]),
    can(Act::SubmitPlan,        &[PlanDraft],          &[By::Partner],                &[PlanReview]),
    can(Act::AgreePlan,         &[PlanReview],         &[By::Manager],                &[ScorecardOpen, ForecastDraft]),
    can(Act::ReturnPlan,        &[PlanReview],         &[By::Manager],                &[PlanDraft]),
    can(Act::SaveScorecard,     &[ScorecardOpen],      &[By::Partner],                &[ScorecardOpen]),
    can(Act::CompleteScorecard, &[ScorecardOpen],      &[By::Partner],                &[ForecastDraft]),
    can(Act::VerifyScorecard,   &[ForecastDraft, ActionPlanDraft, RequestDraft, ApprovalReview], &[By::Manager], &[ForecastDraft, ActionPlanDraft, RequestDraft, ApprovalReview]),
    can(Act::SaveCampaign,      &[ForecastDraft],      &[By::Partner],                &[ForecastDraft]),
    can(Act::DropCampaign,      &[ForecastDraft],      &[By::Partner],                &[ForecastDraft]),
    can(Act::CommitForecast,    &[ForecastDraft],      &[By::Partner],                &[ActionPlanDraft]),
    can(Act::SaveActivity,      &[ActionPlanDraft],    &[By::Partner],                &[ActionPlanDraft]),
    can(Act::DropActivity,      &[ActionPlanDraft],    &[By::Partner],                &[ActionPlanDraft]),
    can(Act::ReopenForecast,    &[ActionPlanDraft],    &[By::Partner],                &[ForecastDraft]),
    can(Act::CommitActionPlan,  &[ActionPlanDraft],    &[By::Partner],                &[RequestDraft]),
    can(Act::SaveRequest,       &[RequestDraft],       &[By::Partner],                &[RequestDraft]),
    can(Act::ReopenActionPlan,  &[RequestDraft],       &[By::Partner],                &[ActionPlanDraft]),
    can(Act::SubmitRequest,     &[RequestDraft],       &[By::Partner],                &[ApprovalReview]),
    can(Act::WithdrawRequest,   &[ApprovalReview],     &[By::Partner],                &[RequestDraft, ExecutionLive]),
    can(Act::Approve,           &[ApprovalReview],     &[By::Approver],               &[ApprovalReview, ExecutionLive]),
    can(Act::ReturnRequest,     &[ApprovalReview],     &[By::Approver],               &[RequestDraft, ExecutionLive]),
    can(Act::DeclineRequest,    &[ApprovalReview],     &[By::Approver],               &[Declined, ExecutionLive]),
    can(Act::AskInformation,    &[ApprovalReview],     &[By::Approver],               &[ApprovalReview]),
    can(Act::AnswerInformation, &[ApprovalReview],     &[By::Partner],                &[ApprovalReview]),
    can(Act::EscalateApproval,  &[ApprovalReview],     &[By::System],                 &[ApprovalReview]),
    can(Act::SubmitProof,       RUNNING,               &[By::Partner],                RUNNING),
    can(Act::AcceptProof,       RUNNING,               &[By::Manager],                &[ExecutionLive, TrackingListening]),
    can(Act::ReturnProof,       RUNNING,               &[By::Manager],                RUNNING),
    can(Act::SubmitClaim,       CLAIMING,              &[By::Partner],                CLAIMING),
    can(Act::ApproveClaim,      CLAIMING,              &[By::Finance],                CLAIMING),
    can(Act::DenyClaim,         CLAIMING,              &[By::Finance],                CLAIMING),
    can(Act::RecordSettlement,  CLAIMING,              &[By::Finance],                CLAIMING),
    can(Act::ProposeClawback,   EVER_APPROVED,         &[By::Finance],                EVER_APPROVED),
    can(Act::ConfirmClawback,   EVER_APPROVED,         &[By::Finance],                EVER_APPROVED),
    can(Act::RejectClawback,    EVER_APPROVED,         &[By::Finance],                EVER_APPROVED),
    can(Act::ReportPaymentReturn, CLAIMING,            &[By::Finance],                CLAIMING),
    can(Act::ConfirmPaymentReturn, CLAIMING,           &[By::Finance],                CLAIMING),
    can(Act::RejectPaymentReturn, CLAIMING,            &[By::Finance],                CLAIMING),
    can(Act::AskExtension,      CLAIMING,              &[By::Partner],                CLAIMING),
    can(Act::GrantExtension,    CLAIMING,              &[By::Manager, By::Finance],   CLAIMING),
    can(Act::DeclineExtension,  CLAIMING,              &[By::Manager, By::Finance],   CLAIMING),
    can(Act::Amend,             &[ExecutionLive],      &[By::Partner],                &[ExecutionLive, ApprovalReview]),
    can(Act::CancelActivity,    &[ExecutionLive],      &[By::Partner, By::Manager],   ENDED_OR_ON),
    can(Act::CancelCampaign,    &[ExecutionLive],      &[By::Partner, By::Manager],   ENDED_OR_ON),
    can(Act::CancelCycle,       DRAFTING,              &[By::Partner, By::Manager],   &[Withdrawn]),
    can(Act::CancelCycle,       &[ApprovalReview],     &[By::Partner, By::Manager],   &[Withdrawn, Cancelled]),
    can(Act::CancelCycle,       AFTER_APPROVAL,        &[By::Partner, By::Manager],   &[Cancelled]),
    can(Act::TickExecution,     RUNNING,               &[By::System],                 &[ExecutionLive, TrackingListening, Expired]),
    can(Act::TickExecution,     LISTENING,             &[By::System],                 LISTENING),
    can(Act::CloseTracking,     &[TrackingListening],  &[By::System, By::Manager],    &[PerformanceMeasured]),
    can(Act::MeasureAgain,      &[PerformanceMeasured, Closed], &[By::Manager, By::System], &[PerformanceMeasured, Closed]),
    can(Act::SignReview,        &[PerformanceMeasured], &[By::Manager, By::Partner],  &[PerformanceMeasured, Closed]),
    can(Act::RemindOfClock,     DRAFTING,              &[By::System],                 DRAFTING),
    can(Act::RemindOfClock,     &[ApprovalReview],     &[By::System],                 &[ApprovalReview]),
    can(Act::RemindOfClock,     AFTER_APPROVAL,        &[By::System],                 AFTER_APPROVAL),
    can(Act::ExpireCycle,       DRAFTING,              &[By::System],                 &[Expired]),
];

/// What can be done to a cycle; every command is one of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    SavePlan,
    SubmitPlan,
    AgreePlan,
    ReturnPlan,
    SaveScorecard,
    CompleteScorecard,
    VerifyScorecard,
    SaveCampaign,
    DropCampaign,
    CommitForecast,
    SaveActivity,
    DropActivity,
    ReopenForecast,
    CommitActionPlan,
    SaveRequest,
    ReopenActionPlan,
    SubmitRequest,
    WithdrawRequest,
    Approve,
    ReturnRequest,
    DeclineRequest,
    AskInformation,
    AnswerInformation,
    EscalateApproval,
    SubmitProof,
    AcceptProof,
    ReturnProof,
    SubmitClaim,
    ApproveClaim,
    DenyClaim,
    RecordSettlement,
    ProposeClawback,
    ConfirmClawback,
    RejectClawback,
    ReportPaymentReturn,
    ConfirmPaymentReturn,
    RejectPaymentReturn,
    AskExtension,
    GrantExtension,
    DeclineExtension,
    Amend,
    CancelActivity,
    CancelCampaign,
    CancelCycle,
    TickExecution,
    CloseTracking,
    MeasureAgain,
    SignReview,
    RemindOfClock,
    ExpireCycle,
}

impl Act {
    /// The words of a refusal and of the diagram: "agree plan".
    pub fn words(self) -> String {
        if self == Act::TickExecution {
            return "deadline passes".to_owned();
        }
        let name = format!("{self:?}");
        let mut words = String::new();
        for c in name.chars() {
            if c.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(c.to_lowercase());
        }
        words
    }
}

/// The machine as a Mermaid diagram, made from the table. Moves that leave the stage as it is are not drawn, and
/// what can end a cycle from many stages is written beside the end instead of drawn from each.
pub fn diagram() -> String {
    let name = |stage: Stage| stage.code().replace('.', "_");
    let mut lines = vec!["stateDiagram-v2".to_owned()];
    lines.extend(Stage::ALL.map(|stage| format!("    state \"{}\" as {}", stage.label(), name(stage))));
    lines.push(format!("    [*] --> {}", name(PlanDraft)));
    for from in Stage::ALL {
        for to in Stage::ALL {
            let acts: Vec<String> = drawn(from, to).map(Act::words).collect();
            if !acts.is_empty() {
                lines.push(format!("    {} --> {}: {}", name(from), name(to), acts.join(", ")));
            }
        }
    }
    for end in Stage::ALL.into_iter().filter(|stage| stage.is_end()) {
        lines.push(format!("    {} --> [*]", name(end)));
        for act in acts().into_iter().filter(|act| is_noted(*act, end)) {
            let words = format!("{}, {}", act.words(), from_words(&sources(act, end).collect::<Vec<_>>()));
            lines.push(format!("    note right of {}\n        {words}\n    end note", name(end)));
        }
    }
    lines.join("\n")
}

/// "from plan in draft to in approval", or each stage where they do not follow each other.
fn from_words(stages: &[Stage]) -> String {
    let labels: Vec<String> = stages.iter().map(|stage| stage.label().to_lowercase()).collect();
    let runs = Stage::ALL.windows(stages.len()).any(|window| window == stages);
    match labels.as_slice() {
        [first, .., last] if runs => format!("anywhere from “{first}” to “{last}”"),
        _ => format!("from {}", labels.join(", ")),
    }
}

/// Every act once, in the table's order.
fn acts() -> Vec<Act> {
    let mut acts: Vec<Act> = MOVES.iter().map(|law| law.act).collect();
    acts.dedup();
    acts
}

fn drawn(from: Stage, to: Stage) -> impl Iterator<Item = Act> {
    let leads = move |act: &Act| sources(*act, to).any(|source| source == from);
    acts().into_iter().filter(leads).filter(move |act| from != to && !is_noted(*act, to))
}

/// The stages an act leads from to another one.
fn sources(act: Act, to: Stage) -> impl Iterator<Item = Stage> {
    let leads = move |from: &Stage| MOVES.iter().any(|law| law.act == act && law.leads(*from, to));
    Stage::ALL.into_iter().filter(leads).filter(move |from| *from != to)
}

/// An end reached from so many stages that arrows would hide the loop.
fn is_noted(act: Act, to: Stage) -> bool {
    to.is_end() && sources(act, to).count() > 2
}
