//! What a cycle waits for, and when the clock next matters to it.

use super::Situation;
use super::command::{Command, CycleCommand};
use super::moves::DRAFTING;
use super::reminders;
use crate::calendar::plus;
use crate::cycle::Stage::{
    ActionPlanDraft, ApprovalReview, Cancelled, Closed, Declined, ExecutionLive, Expired, ForecastDraft,
    PerformanceMeasured, PlanDraft, PlanReview, RequestDraft, ScorecardOpen, TrackingListening, Withdrawn,
};
use crate::cycle::{Health, Party};
use crate::deadlines::{pay_by, plan_review_by};
use crate::policy::Decider;
use crate::steps::{s6_approval, s7_execution, s8_tracking};
use crate::{Date, Instant};
use chrono::NaiveTime;

/// The task of whoever answers a wish for more time.
pub const TIME_ASKED: &str = "Grant or decline more time";

/// Whom the cycle waits for, since when, by when, and to do what.
pub fn health(s: &Situation) -> Health {
    let cycle = &s.cycle;
    let (waiting_on, due, task) = match cycle.stage {
        PlanDraft if cycle.plan.returned.is_some() => (Party::Partner, None, "Change the plan and submit it again"),
        PlanDraft => (Party::Partner, None, "Write the plan and submit it"),
        PlanReview => (Party::Manager, plan_review_by(s), "Agree or return the plan"),
        ScorecardOpen => (Party::Partner, None, "Answer the scorecard"),
        ForecastDraft => (Party::Partner, None, "Forecast the campaigns"),
        ActionPlanDraft => (Party::Partner, None, "Plan the activities"),
        RequestDraft => (Party::Partner, last_day_to_ask(s), "Ask for the money"),
        ApprovalReview if cycle.approval.open_question().is_some() => {
            (Party::Partner, s6_approval::answer_by(s, cycle), "Answer the approver's question")
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
    let mut in_review =
        cycle.activities.iter().filter(|activity| activity.state == ActivityState::ProofReview).peekable();
    if in_review.peek().is_some() {
        let handed_in = in_review.filter_map(|activity| activity.handed_in).min();
        let due = handed_in.map(|at| plus(at.date_naive(), s.policy.proof.review_days));
        return (Party::Manager, due, "Review the proof");
    }
    if let Some(waiting) = with_claims(s) {
        return waiting;
    }
    let next = cycle
        .activities
        .iter()
        .filter(|activity| activity.state == ActivityState::Live)
        .map(|activity| s7_execution::proof_days(s, activity).due(&s.policy))
        .min();
    (Party::Partner, next, "Run the activities and hand in their proof")
}

/// Somebody else than the partner has to act: on a wish for more time, or on a claim.
fn with_claims(s: &Situation) -> Option<Waiting> {
    use s7_execution::ClaimState;
    if let Some(extension) = s.cycle.open_extensions().min_by_key(|extension| extension.answer_by) {
        let party = match s.policy.extension.as_ref().map(|rules| rules.decided_by) {
            Some(Decider::Finance) => Party::Finance,
            _ => Party::Manager,
        };
        return Some((party, Some(extension.answer_by), TIME_ASKED));
    }
    let claims = &s.cycle.claims;
    if let Some(claim) = claims.iter().find(|claim| claim.state == ClaimState::Review) {
        return Some((
            Party::Finance,
            Some(plus(claim.submitted_at.date_naive(), s.policy.claim.review_days)),
            "Decide the claim",
        ));
    }
    let payable = claims.iter().find(|claim| matches!(claim.state, ClaimState::Payable | ClaimState::PartPaid))?;
    Some((Party::Finance, Some(pay_by(s, payable)), "Pay the claim"))
}

/// The next day the timer has something to do, at its first moment.
pub fn wake_at(s: &Situation) -> Option<Instant> {
    let cycle = &s.cycle;
    let day = match cycle.stage {
        ApprovalReview => {
            // The level's time stands still while a question to the partner is open.
            let runs = !cycle.approval.escalated && cycle.approval.open_question().is_none();
            let escalation = cycle.approval.due.filter(|_| runs).map(|due| plus(due, 1));
            let running = cycle.approval.amending().and_then(|_| s7_execution::next_day(s));
            escalation.into_iter().chain(running).min()
        }
        ExecutionLive | TrackingListening | PerformanceMeasured => s7_execution::next_day(s)
            .into_iter()
            .chain((cycle.stage == TrackingListening).then(|| plus(s8_tracking::window_closes(s), 1)))
            .min(),
        stage if DRAFTING.contains(&stage) => Some(plus(cycle.period.to, 1)),
        _ => None,
    };
    let day = day.into_iter().chain(reminders::next_day(s)).min();
    day.map(|day| day.and_time(NaiveTime::MIN).and_utc())
}

/// The command the timer issues for a cycle that has woken, if there is one.
pub fn timer_command(s: &Situation, now: Instant) -> Option<Command> {
    let today = s.policy.today(now);
    match s.cycle.stage {
        ApprovalReview if s6_approval::is_overdue(&s.cycle, today) => Some(s6_approval::Command::Escalate {}.into()),
        TrackingListening if s8_tracking::window_closes(s) < today => Some(s8_tracking::Command::Close {}.into()),
        stage if reminders::are_due(s, today) && !is_more_pressing(s, stage, today) => {
            Some(CycleCommand::Remind {}.into())
        }
        ApprovalReview if s.cycle.approval.amending().is_none() => None,
        ApprovalReview | ExecutionLive | TrackingListening | PerformanceMeasured => {
            Some(s7_execution::Command::Tick {}.into())
        }
        stage if stage.is_end() => None,
        _ => Some(CycleCommand::Expire {}.into()),
    }
}

/// What ends or moves something goes before what only tells of it.
fn is_more_pressing(s: &Situation, stage: crate::cycle::Stage, today: Date) -> bool {
    match stage {
        ApprovalReview if s.cycle.approval.amending().is_none() => false,
        stage if DRAFTING.contains(&stage) => today > s.cycle.period.to,
        _ => s7_execution::next_day(s).is_some_and(|day| day <= today),
    }
}
