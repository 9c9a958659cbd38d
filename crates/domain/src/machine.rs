//! The machine: the table of moves, `decide`, and what a decision is.
//!
//! All change to a cycle is a [`Command`]; [`decide`] answers with a [`Decision`] or says no. The table
//! [`MOVES`] is the whole law of who may do what where: the guard, the buttons on the pages, the diagram in
//! the documentation and the tests all read it.

mod clock;
mod command;
mod desk;
mod moves;
mod reminders;

pub use clock::{TIME_ASKED, health, timer_command, wake_at};
pub use command::{Command, CycleCommand, CycleEvent, Event};
pub use desk::{Desk, Seat};
pub(crate) use moves::DRAFTING;
pub use moves::{Act, By, MOVES, Move, diagram};
pub(crate) use reminders::with_more_time;

use crate::Instant;
use crate::cycle::Stage::{Cancelled, Expired, ForecastDraft, PlanDraft, ScorecardOpen, Withdrawn};
use crate::cycle::{Cycle, Health, Opening, Partner, Reminded, Stage};
use crate::event::Entry;
use crate::exchange::Rate;
use crate::forecast::{Benchmarks, Evidence};
use crate::fund::Fund;
use crate::ids::FundId;
use crate::ledger::Book;
use crate::notice::{Audience, Notice, Topic};
use crate::people::{Actor, Role, Standing};
use crate::policy::{Band, InPeriod, Policy};
use crate::refusal::Refusal;
use crate::steps::s2_scorecard::Template;
use crate::steps::s5_request::AcceptedTerms;
use crate::steps::s8_tracking::Results;
use crate::steps::{
    Case, Outcome, Release, Stamp, Teller, Told, need_reason, s1_plan, s2_scorecard, s3_forecast, s4_action_plan,
    s5_request, s6_approval, s7_execution, s8_tracking, s9_performance,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything `decide` may look at: the cycle and what surrounds it, loaded in one transaction.
#[derive(Clone, PartialEq, Debug)]
pub struct Situation {
    pub cycle: Cycle,
    pub partner: Partner,
    /// The program guide in force for this cycle.
    pub policy: Arc<Policy>,
    pub benchmarks: Benchmarks,
    /// The scorecard's questions.
    pub template: Template,
    /// The funds of the program that serve this partner.
    pub funds: Vec<Fund>,
    /// Balances in those funds: unallocated, this partner's wallet and recoverable, this cycle's own.
    pub book: Book,
    /// Rates from the cycle's currency into those of its funds: of each day that may count, the latest by then.
    pub rates: Vec<Rate>,
    /// What closed cycles showed, by tactic; needed while a forecast is drafted.
    pub evidence: Vec<Evidence>,
    /// Touches and deals; needed from tracking on.
    pub results: Results,
    /// Claims that are in an open settlement batch, with its number; needed where a claim is paid.
    pub batched: BTreeMap<u16, String>,
    /// Terms this partner accepted in this program; needed while money is asked for.
    pub terms: Vec<AcceptedTerms>,
    /// What the program's period holds of this partner beside this cycle; needed where money is asked for or claimed.
    pub in_period: InPeriod,
    /// Levels of approval that somebody who can sign in decides on for this partner; needed where one escalates.
    pub reachable: BTreeSet<u8>,
}

impl Situation {
    pub fn fund(&self, id: FundId) -> Option<&Fund> {
        self.funds.iter().find(|fund| fund.id == id)
    }

    /// Those who decide on a level, as the guide's band says: the partner's channel manager, or the approvers of it.
    pub fn deciders(&self, level: u8) -> Audience {
        match self.policy.band(level, &self.partner).map(Band::role) {
            Some(Role::ChannelManager) => Audience::DecidingManager(self.partner.id),
            _ => Audience::Approvers { level, partner: self.partner.id },
        }
    }
}

/// What will be recorded. Storage writes nothing else, and only this module makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    before: i64,
    cycle: Cycle,
    health: Health,
    desk: Option<Desk>,
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

    /// Who may decide it now, where it waits for approvers.
    pub fn desk(&self) -> Option<&Desk> {
        self.desk.as_ref()
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
    let by = speaker(s, actor, standing, law.by == [By::Partner]);
    let who = Doer { stamp: Stamp { at: now, by: actor.user() }, by: &by, acting_for: actor.acting_for(standing) };
    Ok(make(s, &who, outcomes, |to| law.leads(s.cycle.stage, to)))
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
    if opening.currency != s.policy.guide.currency {
        reasons.push(
            crate::refusal::Reason::new(
                "currency",
                format!("This program is kept in {}.", s.policy.guide.currency),
                "Open the cycle in that currency, or choose another program.",
            )
            .at("currency"),
        );
    }
    if !opening.drafts.are_in(opening.currency) {
        reasons.push(
            crate::refusal::Reason::new(
                "copy_currency",
                format!("The cycle you copy is not kept in {}.", opening.currency),
                "Choose a program in its currency, or start afresh.",
            )
            .at("program"),
        );
    }
    Refusal::unless_empty(reasons)?;
    let event = CycleEvent::Opened { opening: Box::new(opening.clone()) };
    let by = speaker(s, actor, standing, true);
    let starts = |stage| [PlanDraft, ScorecardOpen, ForecastDraft].contains(&stage);
    let who = Doer { stamp: Stamp { at: now, by: actor.user() }, by: &by, acting_for: actor.acting_for(standing) };
    Ok(make(s, &who, vec![event.into()], starts))
}

/// The moves this actor could make here and now: what the pages draw buttons from.
pub fn moves_of(s: &Situation, actor: &Actor) -> Vec<Act> {
    let open = MOVES.iter().filter(|law| law.covers(&s.cycle) && standing_for(s, actor, law).is_some());
    open.map(|law| law.act).collect()
}

fn lawful(s: &Situation, actor: &Actor, act: Act) -> Result<&'static Move, Refusal> {
    let laws = || MOVES.iter().filter(move |law| law.act == act);
    laws().find(|law| law.covers(&s.cycle)).ok_or_else(|| {
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
        By::Approver => Desk::of(s).and_then(|desk| desk.standing_of(actor, &s.partner.region)),
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

/// Who decides on the level under way: those of the program guide's band and, once its time has passed, the default
/// approver.
pub fn is_approver(s: &Situation, standing: &Standing) -> bool {
    Desk::of(s).is_some_and(|desk| desk.takes(standing, &s.partner.region))
}

fn not_your_move(s: &Situation, law: &Move) -> Refusal {
    let who: Vec<String> = law
        .by
        .iter()
        .map(|by| match by {
            By::Partner => s.partner.name.clone(),
            By::Manager => format!("the channel manager of {}", s.partner.name),
            By::Approver => s
                .policy
                .band(s.cycle.level, &s.partner)
                .map_or_else(|| "an approver".to_owned(), |band| band.name.clone()),
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
            s7_execution::no_payment_waits(cycle)?;
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
            let Release { amount: released, postings } = s7_execution::release_all(case.s, case.today);
            Ok(vec![Outcome::with(CycleEvent::Cancelled { reason: reason.trim().to_owned(), released }, postings)])
        }
        CycleCommand::Remind {} => reminders::due_now(case),
        CycleCommand::Expire {} if case.today > cycle.period.to => Ok(vec![CycleEvent::Expired {}.into()]),
        CycleCommand::Expire {} => {
            Err(Refusal::new("not_over", "The period is not over.", "The timer comes back when it is."))
        }
    }
}

/// Whom a cycle leaves that is cancelled in approval: those who were to decide next, and those who had decided.
fn deciding<'a>(teller: &'a Teller) -> impl Iterator<Item = Notice> + 'a {
    let before = &teller.s.cycle;
    let decided = before.approval.decisions.iter().map(|decision| Audience::User(decision.by));
    let audiences = std::iter::once(teller.s.deciders(before.level)).chain(decided);
    let tell = |audience| teller.notice(Topic::CycleCancelled, audience, "/approval");
    audiences.filter(|_| before.stage == Stage::ApprovalReview).map(tell)
}

/// Who makes a move and when: for the record, and in words.
struct Doer<'a> {
    stamp: Stamp,
    by: &'a str,
    acting_for: Option<String>,
}

/// Applies the outcomes and writes their entries; the one place a decision is made.
fn make(s: &Situation, who: &Doer, outcomes: Vec<Outcome>, may_lead_to: impl Fn(Stage) -> bool) -> Decision {
    let mut after = s.clone();
    let mut entries = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        apply(&mut after.cycle, &outcome.event, who.stamp);
        outcome.postings.iter().for_each(|posting| after.book.post(posting));
        let told = tell(&Teller { s, cycle: &after.cycle, by: who.by, now: who.stamp.at }, &outcome.event);
        let mut payload = serde_json::to_value(&outcome.event).expect("an event is plain data");
        // Whatever is recorded names the version of the guide it was decided under.
        if let Some(fields) = payload.as_object_mut() {
            fields.insert("guide".to_owned(), s.policy.guide.version.clone().into());
        }
        entries.push(Entry {
            kind: told.kind.to_owned(),
            words: told.words,
            payload,
            postings: outcome.postings,
            notices: told.notices,
            quiet: told.quiet,
            acting_for: who.acting_for.clone(),
        });
    }
    assert!(
        may_lead_to(after.cycle.stage),
        "the table of moves does not allow {:?} -> {:?}",
        s.cycle.stage,
        after.cycle.stage
    );
    let (health, wake_at) = (health(&after), wake_at(&after));
    Decision { before: s.cycle.version, health, desk: Desk::waiting(&after), wake_at, cycle: after.cycle, entries }
}

/// "Ana Ferreira", "Ana Ferreira for Nordwind", "Ana Ferreira, standing in for Paul Weiss".
fn speaker(s: &Situation, actor: &Actor, standing: &Standing, is_partners_move: bool) -> String {
    if let Some(absent) = actor.acting_for(standing) {
        return format!("{}, standing in for {absent},", actor.me.name);
    }
    if is_partners_move && !actor.me.is_partner() {
        return format!("{} for {}", actor.me.name, s.partner.name);
    }
    actor.me.name.clone()
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
            cycle.plan = opening.plan.clone().unwrap_or_default();
            cycle.scorecard = opening.scorecard.clone().unwrap_or_default();
            cycle.stage = match (&cycle.plan.agreed, &cycle.scorecard.result) {
                (Some(_), Some(_)) => ForecastDraft,
                (Some(_), None) => ScorecardOpen,
                (None, _) => PlanDraft,
            };
            opening.drafts.place_into(cycle);
        }
        CycleEvent::Cancelled { .. } => {
            s6_approval::let_go_of_all(cycle);
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
        CycleEvent::Reminded { clock, item, until, day, .. } => {
            cycle.reminded.push(Reminded { clock: *clock, item: *item, until: *until, day: *day });
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
            let notice = |notice: Notice| notice.reason(reason).amount(*released);
            let told = Told::new("cycle.cancelled", format!("{} cancelled the cycle: “{reason}”{left}", teller.by))
                .to(notice(teller.to_partner(Topic::CycleCancelled, "")))
                .to(notice(teller.to_manager(Topic::CycleCancelled, "")));
            let told = if released.is_positive() {
                told.to(notice(teller.to_finance(Topic::CycleCancelled, "")))
            } else {
                told
            };
            deciding(teller).fold(told, |told, to| told.to(notice(to)))
        }
        Event::Cycle(CycleEvent::Reminded { clock, item, until, late, .. }) => {
            reminders::tell(teller, (*clock, *item, *until), *late)
        }
        Event::Cycle(CycleEvent::Expired {}) => {
            Told::new("cycle.expired", "The period ended before money was approved; the cycle expired.")
                .to(teller.to_partner(Topic::CycleExpired, ""))
                .to(teller.to_manager(Topic::CycleExpired, ""))
        }
    }
}
