//! Step 6, funds approval: who decides on which level, per cost line; the last level commits the money
//! and mints the campaign IDs. A material amendment passes the same levels again.

mod commit;
mod escalation;
mod told;

pub(crate) use commit::let_go_of_all;
pub use commit::{Effect, committed, effect, in_fund};
pub(super) use commit::{committed_in, held_by, let_go};
pub use escalation::{answer_by, is_overdue, superiors};
pub use told::tell;

use commit::{Committed, commit};

use super::s4_action_plan::Activity;
use super::s5_request::RequestLine;
use super::s7_execution::ActivityState;
use super::{Case, Outcome, Stamp, check_optional, check_text, need_reason};
use crate::calendar::plus;
use crate::campaign_id::mint;
use crate::cycle::{Cycle, Stage};
use crate::exchange::Kept;
use crate::ids::UserId;
use crate::machine::Situation;
use crate::money::Money;
use crate::policy::Verdict;
use crate::refusal::{Reason, Refusal};
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};

/// Everything decided so far, and the conversation about it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Approval {
    /// Decisions of the round under way or of the last one, lowest level first.
    pub decisions: Vec<LevelDecision>,
    /// What stands approved, per cost line, from the last level's approval on.
    pub lines: Vec<LineDecision>,
    /// When the level under way should have decided.
    pub due: Option<Date>,
    pub thread: Vec<Question>,
    /// What was approved before a material amendment reopened approval; declining goes back to it.
    pub before: Option<Before>,
    /// The level under way has passed its time and its superiors have heard.
    pub escalated: bool,
    /// Everybody who approved money of this cycle in any round, and those in whose place they did:
    /// none of them decides or pays its claims.
    #[serde(default)]
    pub approvers: Vec<UserId>,
    /// Everybody who asked for money of this cycle in any round, by a request or an amendment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requesters: Vec<UserId>,
    /// Where the fund is kept in another currency: the rate of the first approval, and what is committed at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Kept>,
}

/// What stood before one activity was amended. Everything else goes on meanwhile and stays as it has become.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Before {
    /// The activity that was amended.
    pub activity: u16,
    pub activities: Vec<Activity>,
    pub request_lines: Vec<RequestLine>,
    pub lines: Vec<LineDecision>,
    pub decisions: Vec<LevelDecision>,
    pub reason: String,
    pub by: UserId,
    /// What the guide says of the whole request as amended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Verdict>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LevelDecision {
    pub level: u8,
    pub by: UserId,
    pub by_name: String,
    /// The absent colleague the decider stood in for.
    pub standing_in_for: Option<String>,
    #[serde(default)]
    pub in_place_of: Option<UserId>,
    pub at: Instant,
    pub lines: Vec<LineDecision>,
}

/// What one cost line gets; less than asked wants a reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineDecision {
    pub activity: u16,
    pub line: u16,
    pub amount: Money,
    #[serde(default)]
    pub reason: String,
}

/// Information asked of the partner, and the answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Question {
    pub by: UserId,
    pub by_name: String,
    pub at: Instant,
    pub text: String,
    pub answer: Option<Answer>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    pub by_name: String,
    pub at: Instant,
    pub text: String,
}

impl LevelDecision {
    /// One of them decided, or was decided for.
    fn involves(&self, people: &[UserId]) -> bool {
        people.contains(&self.by) || self.in_place_of.is_some_and(|user| people.contains(&user))
    }
}

impl Approval {
    /// Keeps in mind who asked for money: others decide on it and pay it.
    pub(super) fn asks(&mut self, user: UserId) {
        if !self.requesters.contains(&user) {
            self.requesters.push(user);
        }
    }

    /// The number of the activity whose amendment is in review: the rest of the cycle goes on.
    pub fn amending(&self) -> Option<u16> {
        self.before.as_ref().map(|before| before.activity)
    }

    /// The question the partner has not answered yet.
    pub fn open_question(&self) -> Option<&Question> {
        self.thread.iter().find(|question| question.answer.is_none())
    }

    /// The lines to decide on and the most each may get: what the level below approved, else what was asked.
    /// Of an amendment, only the lines of the amended activity are decided again.
    pub fn ceiling(&self, cycle: &Cycle) -> Vec<RequestLine> {
        if let Some(decision) = self.decisions.last() {
            let to_line =
                |line: &LineDecision| RequestLine { activity: line.activity, line: line.line, asked: line.amount };
            return decision.lines.iter().map(to_line).collect();
        }
        let open = |line: &&RequestLine| self.amending().is_none_or(|activity| activity == line.activity);
        cycle.request.lines.iter().filter(open).cloned().collect()
    }

    /// What stands approved and is not under decision, and what `lines` decide: the request as it will be.
    fn with(&self, lines: &[LineDecision]) -> Vec<LineDecision> {
        let amended = self.amending();
        let kept = self.lines.iter().filter(|line| amended.is_some_and(|activity| activity != line.activity));
        kept.chain(lines).cloned().collect()
    }
}

/// The sum approved for one campaign.
pub fn approved_for(cycle: &Cycle, campaign: u16) -> Money {
    let of_campaign = |line: &&LineDecision| {
        cycle.activity(line.activity).is_some_and(|activity| activity.draft.campaign == campaign)
    };
    cycle.sum(cycle.approval.lines.iter().filter(of_campaign).map(|line| line.amount))
}

/// What stands approved of a cycle, by activity type; an activity that was cancelled or has expired takes nothing.
pub fn standing_by_kind(cycle: &Cycle) -> Vec<(String, Money)> {
    let stands = |activity: &&Activity| !matches!(activity.state, ActivityState::Cancelled | ActivityState::Expired);
    let of = |line: &LineDecision| {
        let activity = cycle.activity(line.activity).filter(stands)?;
        Some((activity.draft.kind.clone(), line.amount))
    };
    cycle.approval.lines.iter().filter_map(of).collect()
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// A decision for every line asked.
    Approve {
        lines: Vec<LineDecision>,
    },
    Return {
        reason: String,
    },
    Decline {
        reason: String,
    },
    Ask {
        question: String,
    },
    Answer {
        text: String,
    },
    /// The timer: the level under way is past its time.
    Escalate {},
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A level approved and the next one is asked.
    LevelApproved {
        decision: LevelDecision,
        next_level: u8,
        due: Date,
    },
    /// The last level approved: money is committed, campaign IDs are live.
    Approved {
        decision: LevelDecision,
        codes: Vec<Code>,
        /// The rate it counts at in a fund of another currency, and what is committed at it from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<Kept>,
        /// What it commits of such a fund, in the fund's currency; below zero where it lets go of some.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_fund: Option<Money>,
    },
    Returned {
        reason: String,
    },
    Declined {
        reason: String,
    },
    Asked {
        question: String,
        by_name: String,
    },
    Answered {
        text: String,
        by_name: String,
        /// When the level should decide now: its time stood still while the question was open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Date>,
    },
    /// `told`: the levels above it, and the default approver's, that somebody holds who can sign in.
    Escalated {
        level: u8,
        #[serde(default)]
        told: Vec<u8>,
    },
}

/// A campaign's number and its campaign ID.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Code {
    pub campaign: u16,
    pub code: String,
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    let cycle = &case.s.cycle;
    let event = match command {
        Command::Approve { lines } => return approve(case, lines),
        Command::Return { reason } => {
            independent(case)?;
            need_reason(reason)?;
            Event::Returned { reason: reason.trim().to_owned() }
        }
        Command::Decline { reason } => {
            independent(case)?;
            need_reason(reason)?;
            Event::Declined { reason: reason.trim().to_owned() }
        }
        Command::Ask { question } => {
            let mut reasons = Vec::new();
            check_text("question", "The question", question, 2_000, &mut reasons);
            if cycle.approval.open_question().is_some() {
                reasons.push(Reason::new(
                    "already_asked",
                    "A question is open already.",
                    "Wait for its answer, or decide without it.",
                ));
            }
            Refusal::unless_empty(reasons)?;
            Event::Asked { question: question.trim().to_owned(), by_name: case.actor.me.name.clone() }
        }
        Command::Answer { text } => {
            let mut reasons = Vec::new();
            check_text("text", "The answer", text, 4_000, &mut reasons);
            if cycle.approval.open_question().is_none() {
                reasons.push(Reason::new("no_question", "No question is open.", "There is nothing to answer."));
            }
            Refusal::unless_empty(reasons)?;
            let due = escalation::resumed(cycle, case.today);
            Event::Answered { text: text.trim().to_owned(), by_name: case.actor.me.name.clone(), due }
        }
        Command::Escalate {} => {
            if !is_overdue(cycle, case.today) {
                return Err(Refusal::new("not_overdue", "The approval is not overdue.", "Nothing to escalate."));
            }
            let mut told = superiors(case.s);
            told.retain(|level| case.s.reachable.contains(level));
            Event::Escalated { level: cycle.level, told }
        }
    };
    Ok(vec![event.into()])
}

/// Requester and approvers are different people, and no one decides on two levels.
fn independent(case: &Case) -> Result<(), Refusal> {
    let cycle = &case.s.cycle;
    let me = case.people();
    if cycle.requesters().any(|user| me.contains(&user)) {
        return Err(Refusal::new(
            "own_request",
            "You, or the colleague you stand in for, asked for this money, so you cannot decide on it.",
            "Another approver of this level decides.",
        ));
    }
    if let Some(decision) = cycle.approval.decisions.iter().find(|decision| decision.involves(&me)) {
        return Err(Refusal::new(
            "two_levels",
            format!("You, or the colleague you stand in for, decided on level {} of this request.", decision.level),
            "Another person decides on this level.",
        ));
    }
    Ok(())
}

fn approve(case: &Case, lines: &[LineDecision]) -> Result<Vec<Outcome>, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    independent(case)?;
    complete(cycle, lines)?;
    let decision = LevelDecision {
        level: cycle.level,
        by: case.actor.user(),
        by_name: case.actor.me.name.clone(),
        standing_in_for: case.in_place_of().map(|_| case.standing.name.clone()),
        in_place_of: case.in_place_of(),
        at: case.now,
        lines: lines.to_vec(),
    };
    let total = cycle.sum(cycle.approval.with(lines).iter().map(|line| line.amount));
    if !total.is_positive() {
        return Err(Refusal::new(
            "nothing_approved",
            "The decision approves nothing.",
            "Approve an amount, or decline the request with a reason.",
        ));
    }
    let next = s.policy.levels_for(total, &s.partner).iter().map(|band| band.level).find(|level| *level > cycle.level);
    if let Some(next_level) = next {
        let due = due(s, next_level, case.today);
        return Ok(vec![Event::LevelApproved { decision, next_level, due }.into()]);
    }
    let Committed { postings, exchange, in_fund } = commit(case, lines)?;
    let codes = cycle
        .campaigns
        .iter()
        .filter(|campaign| campaign.code.is_none())
        .map(|campaign| Code { campaign: campaign.no, code: mint(cycle.serial, campaign.no) })
        .collect();
    Ok(vec![Outcome::with(Event::Approved { decision, codes, exchange, in_fund }, postings)])
}

/// Every line asked has a decision, none gets more than its ceiling, less than asked has a reason.
fn complete(cycle: &Cycle, lines: &[LineDecision]) -> Result<(), Refusal> {
    let ceiling = cycle.approval.ceiling(cycle);
    let mut reasons = Vec::new();
    for line in lines {
        let field = format!("reason_{}_{}", line.activity, line.line);
        check_optional(&field, "The reason", &line.reason, 2_000, &mut reasons);
    }
    for most in &ceiling {
        let field = format!("amount_{}_{}", most.activity, most.line);
        match lines.iter().find(|line| line.activity == most.activity && line.line == most.line) {
            None => reasons.push(
                Reason::new(
                    "undecided",
                    "A cost line has no decision.",
                    "Enter an amount for each line; 0 declines it.",
                )
                .at(&field),
            ),
            Some(line) if line.amount.currency != cycle.currency || line.amount.minor < 0 => reasons.push(
                Reason::new("amount", format!("The amount is none in {}.", cycle.currency), "Enter zero or more.")
                    .at(&field),
            ),
            Some(line) if line.amount.minor > most.asked.minor => reasons.push(
                Reason::new(
                    "over_asked",
                    format!("{} is more than the {} asked for this line.", line.amount, most.asked),
                    "Approve that much or less.",
                )
                .at(&field),
            ),
            Some(line) if line.amount.minor < most.asked.minor && line.reason.trim().is_empty() => {
                reasons.push(
                    Reason::new(
                        "reason",
                        format!(
                            "This line gets {} less than asked.",
                            Money::new(most.asked.minor - line.amount.minor, cycle.currency)
                        ),
                        "Say why, for the partner.",
                    )
                    .at(&format!("reason_{}_{}", most.activity, most.line)),
                );
            }
            Some(_) => {}
        }
    }
    if lines.len() > ceiling.len() {
        reasons.push(Reason::new(
            "unknown_line",
            "The decision names a cost line nobody asked for.",
            "Decide on the lines shown.",
        ));
    }
    Refusal::unless_empty(reasons)
}

/// The day a level should decide by.
pub fn due(s: &Situation, level: u8, today: Date) -> Date {
    plus(today, s.policy.band(level, &s.partner).map_or(5, |band| band.sla_days))
}

/// A round of approval begins at level 1; a question left open in an earlier one needs no answer any more.
pub(super) fn open(cycle: &mut Cycle, due: Date) {
    cycle.approval.decisions.clear();
    cycle.approval.thread.retain(|question| question.answer.is_some());
    cycle.approval.due = Some(due);
    cycle.approval.escalated = false;
    cycle.stage = Stage::ApprovalReview;
    cycle.level = 1;
}

/// The round ends without a decision for the money: back to the draft, or, for an amendment, to what stood before.
pub(super) fn back_to_partner(cycle: &mut Cycle) {
    cycle.level = 0;
    cycle.approval.due = None;
    cycle.approval.decisions.clear();
    match cycle.approval.before.take() {
        Some(before) => {
            let no = before.activity;
            let stood = before.activities.into_iter().find(|activity| activity.no == no);
            if let Some((now, stood)) = cycle.activities.iter_mut().find(|activity| activity.no == no).zip(stood) {
                now.draft = stood.draft;
                now.reminded = stood.reminded;
            }
            cycle.request.lines.retain(|line| line.activity != no);
            cycle.request.lines.extend(before.request_lines.into_iter().filter(|line| line.activity == no));
            cycle.approval.decisions = before.decisions;
            cycle.stage = Stage::ExecutionLive;
        }
        None => cycle.stage = Stage::RequestDraft,
    }
}

fn decided(approval: &mut Approval, decision: &LevelDecision) {
    approval.decisions.push(decision.clone());
    approval.approvers.extend(std::iter::once(decision.by).chain(decision.in_place_of));
    approval.approvers.sort_unstable();
    approval.approvers.dedup();
}

/// What an ended activity was approved for no longer stands and is not asked for again.
pub(super) fn lapse(cycle: &mut Cycle, activity: u16) {
    cycle.approval.lines.retain(|line| line.activity != activity);
    cycle.request.lines.retain(|line| line.activity != activity);
}

pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    match event {
        Event::LevelApproved { decision, next_level, due } => {
            decided(&mut cycle.approval, decision);
            cycle.approval.due = Some(*due);
            cycle.approval.escalated = false;
            // What a lower level asked and then decided without needs no answer any more; it would stop the next one's clock.
            cycle.approval.thread.retain(|question| question.answer.is_some());
            cycle.level = *next_level;
        }
        Event::Approved { decision, codes, exchange, .. } => {
            cycle.approval.exchange.clone_from(exchange);
            cycle.approval.lines = cycle.approval.with(&decision.lines);
            decided(&mut cycle.approval, decision);
            cycle.approval.due = None;
            cycle.approval.before = None;
            cycle.level = 0;
            for campaign in &mut cycle.campaigns {
                if let Some(minted) = codes.iter().find(|code| code.campaign == campaign.no) {
                    campaign.code = Some(minted.code.clone());
                }
            }
            for activity in &mut cycle.activities {
                if activity.state == ActivityState::Planned {
                    activity.state = ActivityState::Live;
                }
            }
            cycle.stage = Stage::ExecutionLive;
        }
        Event::Returned { reason } => {
            cycle.request.returned = Some(reason.clone());
            back_to_partner(cycle);
        }
        Event::Declined { reason } => {
            let amendment = cycle.approval.before.is_some();
            cycle.request.returned = Some(reason.clone());
            back_to_partner(cycle);
            if !amendment {
                cycle.stage = Stage::Declined;
            }
        }
        Event::Asked { question, by_name } => {
            cycle.approval.thread.push(Question {
                by: stamp.by,
                by_name: by_name.clone(),
                at: stamp.at,
                text: question.clone(),
                answer: None,
            });
        }
        Event::Answered { text, by_name, due } => {
            cycle.approval.due = due.or(cycle.approval.due);
            if let Some(question) = cycle.approval.thread.iter_mut().find(|question| question.answer.is_none()) {
                question.answer = Some(Answer { by_name: by_name.clone(), at: stamp.at, text: text.clone() });
            }
        }
        Event::Escalated { .. } => cycle.approval.escalated = true,
    }
}
