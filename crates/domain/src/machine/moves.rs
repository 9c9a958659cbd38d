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
    /// Every stage the act can lead to.
    pub to: &'static [Stage],
}

impl Move {
    /// Whether the line covers the cycle where it stands.
    pub fn covers(&self, cycle: &Cycle) -> bool {
        let runs_on =
            cycle.stage != ApprovalReview || !self.from.contains(&ExecutionLive) || cycle.approval.amending().is_some();
        self.from.contains(&cycle.stage) && runs_on
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

pub(super) const BEFORE_APPROVAL: &[Stage] =
    &[PlanDraft, PlanReview, ScorecardOpen, ForecastDraft, ActionPlanDraft, RequestDraft, ApprovalReview];
const AFTER_APPROVAL: &[Stage] = &[ExecutionLive, TrackingListening, PerformanceMeasured];
/// A move from execution that also names approval goes on while an amendment is in review, and only then.
const RUNNING: &[Stage] = &[ExecutionLive, ApprovalReview];
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
    can(Act::AcceptProof,       RUNNING,               &[By::Manager],                &[ExecutionLive, ApprovalReview, TrackingListening]),
    can(Act::ReturnProof,       RUNNING,               &[By::Manager],                RUNNING),
    can(Act::SubmitClaim,       CLAIMING,              &[By::Partner],                CLAIMING),
    can(Act::ApproveClaim,      CLAIMING,              &[By::Finance],                CLAIMING),
    can(Act::DenyClaim,         CLAIMING,              &[By::Finance],                CLAIMING),
    can(Act::RecordSettlement,  CLAIMING,              &[By::Finance],                CLAIMING),
    can(Act::ProposeClawback,   EVER_APPROVED,         &[By::Finance],                EVER_APPROVED),
    can(Act::ConfirmClawback,   EVER_APPROVED,         &[By::Finance],                EVER_APPROVED),
    can(Act::Amend,             &[ExecutionLive],      &[By::Partner],                &[ExecutionLive, ApprovalReview]),
    can(Act::CancelActivity,    &[ExecutionLive],      &[By::Partner, By::Manager],   ENDED_OR_ON),
    can(Act::CancelCampaign,    &[ExecutionLive],      &[By::Partner, By::Manager],   ENDED_OR_ON),
    can(Act::CancelCycle,       BEFORE_APPROVAL,       &[By::Partner, By::Manager],   &[Withdrawn, Cancelled]),
    can(Act::CancelCycle,       AFTER_APPROVAL,        &[By::Partner, By::Manager],   &[Cancelled]),
    can(Act::TickExecution,     CLAIMING,              &[By::System],                 &[ExecutionLive, ApprovalReview, TrackingListening, PerformanceMeasured, Cancelled, Expired]),
    can(Act::CloseTracking,     &[TrackingListening],  &[By::System, By::Manager],    &[PerformanceMeasured]),
    can(Act::MeasureAgain,      &[PerformanceMeasured, Closed], &[By::Manager, By::System], &[PerformanceMeasured, Closed]),
    can(Act::SignReview,        &[PerformanceMeasured], &[By::Manager, By::Partner],  &[PerformanceMeasured, Closed]),
    can(Act::ExpireCycle,       &[PlanDraft, PlanReview, ScorecardOpen, ForecastDraft, ActionPlanDraft, RequestDraft], &[By::System], &[Expired]),
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
    Amend,
    CancelActivity,
    CancelCampaign,
    CancelCycle,
    TickExecution,
    CloseTracking,
    MeasureAgain,
    SignReview,
    ExpireCycle,
}

impl Act {
    /// The words of a refusal and of the diagram: "agree plan".
    pub fn words(self) -> String {
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

/// The machine as a Mermaid diagram, made from the table.
pub fn diagram() -> String {
    let mut lines = vec!["stateDiagram-v2".to_owned(), "    [*] --> plan_draft".to_owned()];
    let name = |stage: Stage| stage.code().replace('.', "_");
    for from in Stage::ALL {
        for to in Stage::ALL.into_iter().filter(|to| *to != from) {
            let acts: Vec<String> = MOVES
                .iter()
                .filter(|law| law.from.contains(&from) && law.to.contains(&to) && leads(law, from, to))
                .map(|law| law.act.words())
                .collect();
            if !acts.is_empty() {
                lines.push(format!("    {} --> {}: {}", name(from), name(to), acts.join(", ")));
            }
        }
    }
    lines.extend(
        Stage::ALL.into_iter().filter(|stage| stage.is_end()).map(|stage| format!("    {} --> [*]", name(stage))),
    );
    lines.join("\n")
}

/// Acts whose line covers several stages leave the stage as it is; only their ends are moves.
fn leads(law: &Move, from: Stage, to: Stage) -> bool {
    let stays = law.from.len() > 1 && law.from.contains(&to) && law.to.contains(&from);
    match law.act {
        Act::CancelCycle => (to == Withdrawn) == BEFORE_APPROVAL.contains(&from),
        Act::TickExecution => from == ExecutionLive && !stays,
        Act::AcceptProof => from == ExecutionLive && to != ApprovalReview,
        _ => !stays,
    }
}
