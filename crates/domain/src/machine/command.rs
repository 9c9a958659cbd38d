//! Commands and events: one enum a step, gathered here.

use super::moves::Act;
use crate::Date;
use crate::cycle::Opening;
use crate::deadlines::{Clock, Item};
use crate::steps::{
    s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s6_approval, s7_execution, s8_tracking,
    s9_performance,
};
use serde::{Deserialize, Serialize};

/// A command, as forms, the API, imports and timers issue it: `{"step":"plan","do":"agree"}`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Command {
    Plan(s1_plan::Command),
    Scorecard(s2_scorecard::Command),
    Forecast(s3_forecast::Command),
    ActionPlan(s4_action_plan::Command),
    Request(s5_request::Command),
    Approval(s6_approval::Command),
    Execution(s7_execution::Command),
    Tracking(s8_tracking::Command),
    Performance(s9_performance::Command),
    Cycle(CycleCommand),
}

/// What ends a cycle early, whatever its step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum CycleCommand {
    Cancel {
        reason: String,
    },
    /// The timer: a day is near, or somebody is late.
    Remind {},
    /// The timer: the period ended before money was approved.
    Expire {},
}

/// What has happened to a cycle. Applying all of them in order gives the cycle again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Event {
    Plan(s1_plan::Event),
    Scorecard(s2_scorecard::Event),
    Forecast(s3_forecast::Event),
    ActionPlan(s4_action_plan::Event),
    Request(s5_request::Event),
    Approval(s6_approval::Event),
    Execution(s7_execution::Event),
    Tracking(s8_tracking::Event),
    Performance(s9_performance::Event),
    Cycle(CycleEvent),
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CycleEvent {
    Opened {
        opening: Box<Opening>,
    },
    Cancelled {
        reason: String,
        released: crate::money::Money,
    },
    /// `day`: the day the reminder was due; `late`: it was due because `until` had passed.
    Reminded {
        clock: Clock,
        item: Item,
        until: Date,
        day: Date,
        late: bool,
    },
    Expired {},
}

macro_rules! from_step {
    ($($variant:ident: $module:ident),* $(,)?) => {$(
        impl From<$module::Event> for Event {
            fn from(event: $module::Event) -> Self {
                Event::$variant(event)
            }
        }
        impl From<$module::Command> for Command {
            fn from(command: $module::Command) -> Self {
                Command::$variant(command)
            }
        }
    )*};
}

from_step! {
    Plan: s1_plan, Scorecard: s2_scorecard, Forecast: s3_forecast, ActionPlan: s4_action_plan, Request: s5_request,
    Approval: s6_approval, Execution: s7_execution, Tracking: s8_tracking, Performance: s9_performance,
}

impl From<CycleEvent> for Event {
    fn from(event: CycleEvent) -> Self {
        Event::Cycle(event)
    }
}

impl From<CycleCommand> for Command {
    fn from(command: CycleCommand) -> Self {
        Command::Cycle(command)
    }
}

impl Command {
    /// The line of the table it falls under.
    #[rustfmt::skip]
    pub fn act(&self) -> Act {
        use s7_execution::Command as E;
        match self {
            Command::Plan(s1_plan::Command::Save { .. }) => Act::SavePlan,
            Command::Plan(s1_plan::Command::Submit { .. }) => Act::SubmitPlan,
            Command::Plan(s1_plan::Command::Agree {}) => Act::AgreePlan,
            Command::Plan(s1_plan::Command::Return { .. }) => Act::ReturnPlan,
            Command::Scorecard(s2_scorecard::Command::Save { .. }) => Act::SaveScorecard,
            Command::Scorecard(s2_scorecard::Command::Complete { .. }) => Act::CompleteScorecard,
            Command::Scorecard(s2_scorecard::Command::Verify { .. }) => Act::VerifyScorecard,
            Command::Forecast(s3_forecast::Command::Save { .. }) => Act::SaveCampaign,
            Command::Forecast(s3_forecast::Command::Drop { .. }) => Act::DropCampaign,
            Command::Forecast(s3_forecast::Command::Commit {}) => Act::CommitForecast,
            Command::ActionPlan(s4_action_plan::Command::Save { .. }) => Act::SaveActivity,
            Command::ActionPlan(s4_action_plan::Command::Drop { .. }) => Act::DropActivity,
            Command::ActionPlan(s4_action_plan::Command::Commit {}) => Act::CommitActionPlan,
            Command::ActionPlan(s4_action_plan::Command::Reopen {}) => Act::ReopenForecast,
            Command::Request(s5_request::Command::Save { .. }) => Act::SaveRequest,
            Command::Request(s5_request::Command::Submit { .. }) => Act::SubmitRequest,
            Command::Request(s5_request::Command::Reopen {}) => Act::ReopenActionPlan,
            Command::Request(s5_request::Command::Withdraw {}) => Act::WithdrawRequest,
            Command::Approval(s6_approval::Command::Approve { .. }) => Act::Approve,
            Command::Approval(s6_approval::Command::Return { .. }) => Act::ReturnRequest,
            Command::Approval(s6_approval::Command::Decline { .. }) => Act::DeclineRequest,
            Command::Approval(s6_approval::Command::Ask { .. }) => Act::AskInformation,
            Command::Approval(s6_approval::Command::Answer { .. }) => Act::AnswerInformation,
            Command::Approval(s6_approval::Command::Escalate {}) => Act::EscalateApproval,
            Command::Execution(E::SubmitProof { .. }) => Act::SubmitProof,
            Command::Execution(E::AcceptProof { .. }) => Act::AcceptProof,
            Command::Execution(E::ReturnProof { .. }) => Act::ReturnProof,
            Command::Execution(E::SubmitClaim { .. }) => Act::SubmitClaim,
            Command::Execution(E::ApproveClaim { .. }) => Act::ApproveClaim,
            Command::Execution(E::DenyClaim { .. }) => Act::DenyClaim,
            Command::Execution(E::RecordSettlement { .. } | E::SettleFromBatch { .. }) => Act::RecordSettlement,
            Command::Execution(E::ProposeClawback { .. }) => Act::ProposeClawback,
            Command::Execution(E::ConfirmClawback { .. }) => Act::ConfirmClawback,
            Command::Execution(E::RejectClawback { .. }) => Act::RejectClawback,
            Command::Execution(E::ReportPaymentReturn { .. }) => Act::ReportPaymentReturn,
            Command::Execution(E::ConfirmPaymentReturn { .. }) => Act::ConfirmPaymentReturn,
            Command::Execution(E::RejectPaymentReturn { .. }) => Act::RejectPaymentReturn,
            Command::Execution(E::AskExtension { .. }) => Act::AskExtension,
            Command::Execution(E::GrantExtension { .. }) => Act::GrantExtension,
            Command::Execution(E::DeclineExtension { .. }) => Act::DeclineExtension,
            Command::Execution(E::Amend { .. }) => Act::Amend,
            Command::Execution(E::CancelActivity { .. }) => Act::CancelActivity,
            Command::Execution(E::CancelCampaign { .. }) => Act::CancelCampaign,
            Command::Execution(E::Tick {}) => Act::TickExecution,
            Command::Tracking(s8_tracking::Command::Close {}) => Act::CloseTracking,
            Command::Performance(s9_performance::Command::Measure {}) => Act::MeasureAgain,
            Command::Performance(s9_performance::Command::Sign { .. }) => Act::SignReview,
            Command::Cycle(CycleCommand::Cancel { .. }) => Act::CancelCycle,
            Command::Cycle(CycleCommand::Remind {}) => Act::RemindOfClock,
            Command::Cycle(CycleCommand::Expire {}) => Act::ExpireCycle,
        }
    }
}
