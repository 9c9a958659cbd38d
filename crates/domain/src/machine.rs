//! The machine: the table of moves, `decide`, and what a decision is.
//!
//! All change to a cycle is a [`Command`]; [`decide`] answers with a [`Decision`] or says no. The table
//! [`MOVES`] is the whole law of who may do what where: the guard, the buttons on the pages, the diagram in
//! the documentation and the tests all read it.

use crate::calendar::plus;
use crate::cycle::{
    Cycle, Health, Opening, Partner, Party, Stage,
    Stage::{
        ActionPlanDraft, ApprovalReview, Cancelled, Closed, Declined, ExecutionLive, Expired, ForecastDraft,
        PerformanceMeasured, PlanDraft, PlanReview, RequestDraft, ScorecardOpen, TrackingListening, Withdrawn,
    },
};
use crate::event::Entry;
use crate::forecast::{Benchmarks, Evidence};
use crate::fund::Fund;
use crate::ids::FundId;
use crate::ledger::{Book, Posting};
use crate::notice::{Audience, Topic};
use crate::people::{Actor, Role, Standing};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::steps::s2_scorecard::Template;
use crate::steps::s8_tracking::Results;
use crate::steps::{
    Case, Outcome, Stamp, Teller, Told, need_reason, s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request,
    s6_approval, s7_execution, s8_tracking, s9_performance,
};
use crate::{Date, Instant};
use chrono::NaiveTime;
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

const BEFORE_APPROVAL: &[Stage] =
    &[PlanDraft, PlanReview, ScorecardOpen, ForecastDraft, ActionPlanDraft, RequestDraft, ApprovalReview];
const AFTER_APPROVAL: &[Stage] = &[ExecutionLive, TrackingListening, PerformanceMeasured];
const EVER_APPROVED: &[Stage] = &[ExecutionLive, TrackingListening, PerformanceMeasured, Closed];
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
    can(Act::SubmitProof,       &[ExecutionLive],      &[By::Partner],                &[ExecutionLive]),
    can(Act::AcceptProof,       &[ExecutionLive],      &[By::Manager],                ENDED_OR_ON),
    can(Act::ReturnProof,       &[ExecutionLive],      &[By::Manager],                &[ExecutionLive]),
    can(Act::SubmitClaim,       AFTER_APPROVAL,        &[By::Partner],                AFTER_APPROVAL),
    can(Act::ApproveClaim,      AFTER_APPROVAL,        &[By::Finance],                AFTER_APPROVAL),
    can(Act::DenyClaim,         AFTER_APPROVAL,        &[By::Finance],                AFTER_APPROVAL),
    can(Act::RecordSettlement,  AFTER_APPROVAL,        &[By::Finance],                AFTER_APPROVAL),
    can(Act::ProposeClawback,   EVER_APPROVED,         &[By::Finance],                EVER_APPROVED),
    can(Act::ConfirmClawback,   EVER_APPROVED,         &[By::Finance],                EVER_APPROVED),
    can(Act::Amend,             &[ExecutionLive],      &[By::Partner],                &[ExecutionLive, ApprovalReview]),
    can(Act::CancelActivity,    &[ExecutionLive],      &[By::Partner, By::Manager],   ENDED_OR_ON),
    can(Act::CancelCampaign,    &[ExecutionLive],      &[By::Partner, By::Manager],   ENDED_OR_ON),
    can(Act::CancelCycle,       BEFORE_APPROVAL,       &[By::Partner, By::Manager],   &[Withdrawn, Cancelled]),
    can(Act::CancelCycle,       AFTER_APPROVAL,        &[By::Partner, By::Manager],   &[Cancelled]),
    can(Act::TickExecution,     AFTER_APPROVAL,        &[By::System],                 &[ExecutionLive, TrackingListening, PerformanceMeasured, Cancelled, Expired]),
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
    Opened { opening: Box<Opening> },
    Cancelled { reason: String, released: crate::money::Money },
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
            Command::Execution(E::RecordSettlement { .. }) => Act::RecordSettlement,
            Command::Execution(E::ProposeClawback { .. }) => Act::ProposeClawback,
            Command::Execution(E::ConfirmClawback { .. }) => Act::ConfirmClawback,
            Command::Execution(E::Amend { .. }) => Act::Amend,
            Command::Execution(E::CancelActivity { .. }) => Act::CancelActivity,
            Command::Execution(E::CancelCampaign { .. }) => Act::CancelCampaign,
            Command::Execution(E::Tick {}) => Act::TickExecution,
            Command::Tracking(s8_tracking::Command::Close {}) => Act::CloseTracking,
            Command::Performance(s9_performance::Command::Measure {}) => Act::MeasureAgain,
            Command::Performance(s9_performance::Command::Sign { .. }) => Act::SignReview,
            Command::Cycle(CycleCommand::Cancel { .. }) => Act::CancelCycle,
            Command::Cycle(CycleCommand::Expire {}) => Act::ExpireCycle,
        }
    }
}

/// Everything `decide` may look at: the cycle and what surrounds it, loaded in one transaction.
#[derive(Clone, PartialEq, Debug)]
pub struct Situation {
    pub cycle: Cycle,
    pub partner: Partner,
    /// The program guide in force for this cycle.
    pub policy: Policy,
    pub benchmarks: Benchmarks,
    /// The scorecard's questions.
    pub template: Template,
    /// The funds of the program that serve this partner.
    pub funds: Vec<Fund>,
    /// Balances in those funds: unallocated, this partner's wallet and recoverable, this cycle's own.
    pub book: Book,
    /// What closed cycles showed, by tactic; needed while a forecast is drafted.
    pub evidence: Vec<Evidence>,
    /// Touches and deals; needed from tracking on.
    pub results: Results,
}

impl Situation {
    pub fn fund(&self, id: FundId) -> Option<&Fund> {
        self.funds.iter().find(|fund| fund.id == id)
    }
}

/// What will be recorded. Storage writes nothing else, and only this module makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    before: i64,
    cycle: Cycle,
    health: Health,
    wake_at: Option<Instant>,
    entries: Vec<Entry>,
}

impl Decision {
    /// The version the decision was made on.
    pub fn before(&self) -> i64 {
        self.before
    }

    /// The cycle after it.
    pub fn cycle(&self) -> &Cycle {
        &self.cycle
    }

    pub fn health(&self) -> &Health {
        &self.health
    }

    /// When the clock next matters to this cycle: a reminder, a deadline, a window's end.
    pub fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// At least one; each raises the version by one.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Judges a command: what will be recorded, or why not and what would make it pass.
pub fn decide(s: &Situation, actor: &Actor, command: &Command, now: Instant) -> Result<Decision, Refusal> {
    let law = lawful(s, actor, command.act())?;
    let standing = standing_for(s, actor, law).ok_or_else(|| not_your_move(s, law))?;
    let case = Case { s, actor, standing, now, today: s.policy.today(now) };
    let outcomes = match command {
        Command::Plan(command) => s1_plan::decide(&case, command),
        Command::Scorecard(command) => s2_scorecard::decide(&case, command),
        Command::Forecast(command) => s3_forecast::decide(&case, command),
        Command::ActionPlan(command) => s4_action_plan::decide(&case, command),
        Command::Request(command) => s5_request::decide(&case, command),
        Command::Approval(command) => s6_approval::decide(&case, command),
        Command::Execution(command) => s7_execution::decide(&case, command),
        Command::Tracking(command) => s8_tracking::decide(&case, command),
        Command::Performance(command) => s9_performance::decide(&case, command),
        Command::Cycle(command) => end(&case, command),
    }?;
    Ok(make(s, actor, standing, outcomes, law.to, now))
}

/// Opens a cycle: at step 1, or at step 3 with an agreed plan and a fresh scorecard attached.
pub fn open(s: &Situation, actor: &Actor, opening: &Opening, now: Instant) -> Result<Decision, Refusal> {
    let may = actor.standing_that(|standing| is_partners(s, standing) || is_manager(s, standing));
    let Some(standing) = may else {
        return Err(Refusal::new(
            "not_your_role",
            "A cycle is opened by the partner or their channel manager.",
            "Ask one of them.",
        ));
    };
    let mut reasons = Vec::new();
    crate::steps::check_text("title", "The title", &opening.title, 120, &mut reasons);
    if opening.period.from > opening.period.to {
        reasons.push(
            crate::refusal::Reason::new(
                "period",
                "The period ends before it starts.",
                "Choose a last day after the first.",
            )
            .at("period"),
        );
    }
    if opening.period.to < s.policy.today(now) {
        reasons.push(
            crate::refusal::Reason::new("period_over", "The period is over.", "Choose a period that has days left.")
                .at("period"),
        );
    }
    Refusal::unless_empty(reasons)?;
    let event = CycleEvent::Opened { opening: Box::new(opening.clone()) };
    Ok(make(s, actor, standing, vec![event.into()], &[PlanDraft, ScorecardOpen, ForecastDraft], now))
}

/// The moves this actor could make here and now: what the pages draw buttons from.
pub fn moves_of(s: &Situation, actor: &Actor) -> Vec<Act> {
    let open = MOVES.iter().filter(|law| law.from.contains(&s.cycle.stage) && standing_for(s, actor, law).is_some());
    open.map(|law| law.act).collect()
}

fn lawful(s: &Situation, actor: &Actor, act: Act) -> Result<&'static Move, Refusal> {
    let laws = || MOVES.iter().filter(move |law| law.act == act);
    laws().find(|law| law.from.contains(&s.cycle.stage)).ok_or_else(|| {
        let stage = s.cycle.stage.label().to_lowercase();
        let remedy = match moves_of(s, actor).first() {
            Some(next) => format!("What you can do now: {}.", next.words()),
            None => "Look at the cycle again; it has moved on.".to_owned(),
        };
        Refusal::new(
            "wrong_stage",
            format!("“{}” is not possible while {} is {stage}.", act.words(), s.cycle.number),
            remedy,
        )
    })
}

fn standing_for<'a>(s: &Situation, actor: &'a Actor, law: &Move) -> Option<&'a Standing> {
    law.by.iter().find_map(|by| match by {
        // Standing in is for deciding; a partner's own work is done under one's own name.
        By::Partner => Some(&actor.me).filter(|me| is_partners(s, me) || is_manager(s, me)),
        By::Manager => actor.standing_that(|standing| is_manager(s, standing)),
        By::Approver => actor.standing_that(|standing| is_approver(s, standing)),
        By::Finance => actor.standing_that(|standing| standing.has(Role::Finance) && !standing.is_partner()),
        By::System => Some(&actor.me).filter(|me| me.has(Role::System)),
    })
}

fn is_partners(s: &Situation, standing: &Standing) -> bool {
    standing.partner == Some(s.partner.id) && (standing.has(Role::PartnerUser) || standing.has(Role::PartnerAdmin))
}

fn is_manager(s: &Situation, standing: &Standing) -> bool {
    standing.has(Role::ChannelManager) && !standing.is_partner() && standing.covers(&s.partner.region)
}

/// Who decides on the level under way, as the program guide's band says.
pub fn is_approver(s: &Situation, standing: &Standing) -> bool {
    let Some(band) = s.policy.band(s.cycle.level) else { return false };
    match band.role() {
        Role::ChannelManager => is_manager(s, standing),
        role => {
            standing.has(role)
                && !standing.is_partner()
                && standing.approves_level == band.level
                && standing.covers(&s.partner.region)
        }
    }
}

fn not_your_move(s: &Situation, law: &Move) -> Refusal {
    let who: Vec<String> = law
        .by
        .iter()
        .map(|by| match by {
            By::Partner => s.partner.name.clone(),
            By::Manager => format!("the channel manager of {}", s.partner.name),
            By::Approver => {
                s.policy.band(s.cycle.level).map_or_else(|| "an approver".to_owned(), |band| band.name.clone())
            }
            By::Finance => "finance".to_owned(),
            By::System => "the timer".to_owned(),
        })
        .collect();
    Refusal::new(
        "not_your_role",
        format!("“{}” is not yours to do.", law.act.words()),
        format!("It is done by {}.", who.join(" or ")),
    )
}

/// Cancelling or expiring the whole cycle; money that is not claimed goes back.
fn end(case: &Case, command: &CycleCommand) -> Result<Vec<Outcome>, Refusal> {
    let cycle = &case.s.cycle;
    match command {
        CycleCommand::Cancel { reason } => {
            need_reason(reason)?;
            let open = cycle.claims.iter().find(|claim| {
                !matches!(
                    claim.state,
                    s7_execution::ClaimState::Paid
                        | s7_execution::ClaimState::Denied
                        | s7_execution::ClaimState::ClawedBack
                )
            });
            if let Some(claim) = open {
                return Err(Refusal::new(
                    "claim_open",
                    format!("Claim {} is {}.", claim.no, claim.state.label()),
                    "Cancel the cycle once it is paid or denied.",
                ));
            }
            let mut book = case.s.book.clone();
            let postings: Vec<Posting> = cycle
                .campaigns
                .iter()
                .flat_map(|campaign| s7_execution::release_for_end(case.s, &mut book, campaign.no, case.today))
                .collect();
            let released = cycle.sum(postings.iter().map(|posting| posting.amount));
            Ok(vec![Outcome::with(CycleEvent::Cancelled { reason: reason.trim().to_owned(), released }, postings)])
        }
        CycleCommand::Expire {} if case.today > cycle.period.to => Ok(vec![CycleEvent::Expired {}.into()]),
        CycleCommand::Expire {} => {
            Err(Refusal::new("not_over", "The period is not over.", "The timer comes back when it is."))
        }
    }
}

/// Applies the outcomes and writes their entries; the one place a decision is made.
fn make(
    s: &Situation,
    actor: &Actor,
    standing: &Standing,
    outcomes: Vec<Outcome>,
    to: &[Stage],
    now: Instant,
) -> Decision {
    let stamp = Stamp { at: now, by: actor.user() };
    let by = speaker(s, actor, standing);
    let mut after = s.clone();
    let mut entries = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        apply(&mut after.cycle, &outcome.event, stamp);
        outcome.postings.iter().for_each(|posting| after.book.post(posting));
        let told = tell(&Teller { s, cycle: &after.cycle, by: &by, now }, &outcome.event);
        let payload = serde_json::to_value(&outcome.event).unwrap_or_default();
        entries.push(Entry {
            kind: told.kind.to_owned(),
            words: told.words,
            payload,
            postings: outcome.postings,
            notices: told.notices,
            quiet: told.quiet,
        });
    }
    assert!(
        to.contains(&after.cycle.stage),
        "the table of moves does not allow {:?} -> {:?}",
        s.cycle.stage,
        after.cycle.stage
    );
    Decision { before: s.cycle.version, health: health(&after), wake_at: wake_at(&after), cycle: after.cycle, entries }
}

/// "Ana Ferreira", "Ana Ferreira for Nordwind", "Ana Ferreira, standing in for Paul Weiss".
fn speaker(s: &Situation, actor: &Actor, standing: &Standing) -> String {
    if standing.user != actor.user() {
        return format!("{}, standing in for {},", actor.me.name, standing.name);
    }
    actor.me.name.clone() + if actor.me.is_partner() || s.cycle.stage != PlanDraft { "" } else { " (for the partner)" }
}

/// The cycle after an event; every event raises the version by one, and a new stage starts its clock.
pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    let (stage, level) = (cycle.stage, cycle.level);
    match event {
        Event::Plan(event) => s1_plan::apply(cycle, event, stamp),
        Event::Scorecard(event) => s2_scorecard::apply(cycle, event, stamp),
        Event::Forecast(event) => s3_forecast::apply(cycle, event, stamp),
        Event::ActionPlan(event) => s4_action_plan::apply(cycle, event, stamp),
        Event::Request(event) => s5_request::apply(cycle, event, stamp),
        Event::Approval(event) => s6_approval::apply(cycle, event, stamp),
        Event::Execution(event) => s7_execution::apply(cycle, event, stamp),
        Event::Tracking(event) => s8_tracking::apply(cycle, event, stamp),
        Event::Performance(event) => s9_performance::apply(cycle, event, stamp),
        Event::Cycle(event) => apply_cycle(cycle, event, stamp),
    }
    cycle.version += 1;
    if (stage, level) != (cycle.stage, cycle.level) {
        cycle.since = stamp.at;
        if cycle.stage.is_end() {
            cycle.ended_at = Some(stamp.at);
        }
    }
}

fn apply_cycle(cycle: &mut Cycle, event: &CycleEvent, stamp: Stamp) {
    match event {
        CycleEvent::Opened { opening } => {
            *cycle = Cycle { version: cycle.version, ..Cycle::new(opening, stamp.at) };
            if let Some(plan) = &opening.plan {
                cycle.plan = plan.clone();
                cycle.stage = ScorecardOpen;
            }
            if let Some(scorecard) = &opening.scorecard {
                cycle.scorecard = scorecard.clone();
                if cycle.stage == ScorecardOpen {
                    cycle.stage = ForecastDraft;
                }
            }
        }
        CycleEvent::Cancelled { .. } => {
            let committed = cycle.campaigns.iter().any(|campaign| campaign.code.is_some());
            cycle.level = 0;
            cycle.approval.due = None;
            cycle.stage = if committed { Cancelled } else { Withdrawn };
            let open: Vec<&mut s4_action_plan::Activity> =
                cycle.activities.iter_mut().filter(|activity| !activity.state.has_ended()).collect();
            for activity in open {
                activity.state = s7_execution::ActivityState::Cancelled;
            }
        }
        CycleEvent::Expired {} => cycle.stage = Expired,
    }
}

fn tell(teller: &Teller, event: &Event) -> Told {
    match event {
        Event::Plan(event) => s1_plan::tell(teller, event),
        Event::Scorecard(event) => s2_scorecard::tell(teller, event),
        Event::Forecast(event) => s3_forecast::tell(teller, event),
        Event::ActionPlan(event) => s4_action_plan::tell(teller, event),
        Event::Request(event) => s5_request::tell(teller, event),
        Event::Approval(event) => s6_approval::tell(teller, event),
        Event::Execution(event) => s7_execution::tell(teller, event),
        Event::Tracking(event) => s8_tracking::tell(teller, event),
        Event::Performance(event) => s9_performance::tell(teller, event),
        Event::Cycle(CycleEvent::Opened { opening }) => {
            Told::new("cycle.opened", format!("{} opened the cycle “{}”.", teller.by, opening.title))
        }
        Event::Cycle(CycleEvent::Cancelled { reason, released }) => {
            let left = if released.is_positive() { format!(" {released} released.") } else { String::new() };
            let notice = |notice: crate::notice::Notice| notice.reason(reason).amount(*released);
            let told = Told::new("cycle.cancelled", format!("{} cancelled the cycle: “{reason}”{left}", teller.by))
                .to(notice(teller.to_partner(Topic::CycleCancelled, "")))
                .to(notice(teller.to_manager(Topic::CycleCancelled, "")));
            if released.is_positive() {
                told.to(notice(teller.notice(Topic::CycleCancelled, Audience::Finance, "")))
            } else {
                told
            }
        }
        Event::Cycle(CycleEvent::Expired {}) => {
            Told::new("cycle.expired", "The period ended before money was approved; the cycle expired.")
                .to(teller.to_partner(Topic::CycleExpired, ""))
                .to(teller.to_manager(Topic::CycleExpired, ""))
        }
    }
}

/// Whom the cycle waits for, since when, by when, and to do what.
pub fn health(s: &Situation) -> Health {
    let cycle = &s.cycle;
    let (waiting_on, due, task) = match cycle.stage {
        PlanDraft if cycle.plan.returned.is_some() => (Party::Partner, None, "Change the plan and submit it again"),
        PlanDraft => (Party::Partner, None, "Write the plan and submit it"),
        PlanReview => (
            Party::Manager,
            Some(plus(cycle.since.date_naive(), s.policy.band(1).map_or(5, |band| band.sla_days))),
            "Agree or return the plan",
        ),
        ScorecardOpen => (Party::Partner, None, "Answer the scorecard"),
        ForecastDraft => (Party::Partner, None, "Forecast the campaigns"),
        ActionPlanDraft => (Party::Partner, None, "Plan the activities"),
        RequestDraft => (Party::Partner, last_day_to_ask(s), "Ask for the money"),
        ApprovalReview if cycle.approval.open_question().is_some() => {
            (Party::Partner, cycle.approval.due, "Answer the approver's question")
        }
        ApprovalReview => (Party::Approvers, cycle.approval.due, "Approve, return or decline the request"),
        ExecutionLive => in_execution(s),
        TrackingListening => {
            with_claims(s).unwrap_or((Party::Nobody, Some(s8_tracking::window_closes(s)), "Listening for results"))
        }
        PerformanceMeasured if cycle.review.partner.is_some() => {
            with_claims(s).unwrap_or((Party::Manager, None, "Sign the performance review"))
        }
        PerformanceMeasured => with_claims(s).unwrap_or((Party::Partner, None, "Sign the performance review")),
        Closed | Declined | Withdrawn | Cancelled | Expired => (Party::Nobody, None, "Ended"),
    };
    Health {
        waiting_on,
        since: cycle.since,
        due,
        task: task.to_owned(),
        stopped: cycle.stage.is_end() && cycle.stage != Closed,
    }
}

fn last_day_to_ask(s: &Situation) -> Option<Date> {
    s.cycle.activities.iter().map(|activity| s.policy.last_day_to_ask(activity.draft.starts, &s.partner.country)).min()
}

type Waiting = (Party, Option<Date>, &'static str);

fn in_execution(s: &Situation) -> Waiting {
    use s7_execution::ActivityState;
    let cycle = &s.cycle;
    if cycle.activities.iter().any(|activity| activity.state == ActivityState::ProofReview) {
        return (Party::Manager, None, "Review the proof");
    }
    if let Some(waiting) = with_claims(s) {
        return waiting;
    }
    let next = cycle
        .activities
        .iter()
        .filter(|activity| activity.state == ActivityState::Live)
        .map(|activity| s.policy.proof_due(activity.draft.ends))
        .min();
    (Party::Partner, next, "Run the activities and hand in their proof")
}

/// A claim waits for finance: to decide or to pay.
fn with_claims(s: &Situation) -> Option<Waiting> {
    use s7_execution::ClaimState;
    let claims = &s.cycle.claims;
    if let Some(claim) = claims.iter().find(|claim| claim.state == ClaimState::Review) {
        return Some((
            Party::Finance,
            Some(plus(claim.submitted_at.date_naive(), s.policy.claim.review_days)),
            "Decide the claim",
        ));
    }
    let payable = claims.iter().find(|claim| matches!(claim.state, ClaimState::Payable | ClaimState::PartPaid))?;
    Some((
        Party::Finance,
        Some(plus(payable.submitted_at.date_naive(), s.policy.claim.review_days + s.policy.claim.pay_days)),
        "Pay the claim",
    ))
}

/// The next day the timer has something to do, at its first moment.
pub fn wake_at(s: &Situation) -> Option<Instant> {
    let cycle = &s.cycle;
    let day = match cycle.stage {
        ApprovalReview if !cycle.approval.escalated => cycle.approval.due.map(|due| plus(due, 1)),
        ExecutionLive | TrackingListening | PerformanceMeasured => s7_execution::next_day(s)
            .into_iter()
            .chain((cycle.stage == TrackingListening).then(|| plus(s8_tracking::window_closes(s), 1)))
            .min(),
        stage if BEFORE_APPROVAL.contains(&stage) && stage != ApprovalReview => Some(plus(cycle.period.to, 1)),
        _ => None,
    };
    day.map(|day| day.and_time(NaiveTime::MIN).and_utc())
}

/// The command the timer issues for a cycle that has woken, if there is one.
pub fn timer_command(s: &Situation, now: Instant) -> Option<Command> {
    let today = s.policy.today(now);
    match s.cycle.stage {
        ApprovalReview => Some(s6_approval::Command::Escalate {}.into()),
        TrackingListening if s8_tracking::window_closes(s) < today => Some(s8_tracking::Command::Close {}.into()),
        ExecutionLive | TrackingListening | PerformanceMeasured => Some(s7_execution::Command::Tick {}.into()),
        stage if stage.is_end() => None,
        _ => Some(CycleCommand::Expire {}.into()),
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
        _ => !stays,
    }
}
