//! Step 4, action plan: dated activities with owners and cost lines, each serving a plan objective.

use super::s3_forecast;
use super::s7_execution::{ActivityState, ProofFile, Reminder};
use super::{Case, Outcome, Stamp, Teller, Told, check_text, next_no};
use crate::cycle::{Cycle, Stage};
use crate::money::Money;
use crate::policy::{Cap, Per};
use crate::refusal::{Reason, Refusal};
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};

/// A cycle holds at most this many activities.
pub const ACTIVITIES_PER_CYCLE: usize = 200;

/// One dated execution of a tactic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Activity {
    /// Its number in the cycle.
    pub no: u16,
    pub draft: ActivityDraft,
    /// How it is doing, from approval on; kept by step 7.
    pub state: ActivityState,
    pub proof: Vec<ProofFile>,
    /// When proof was handed in last; its review is due some days later.
    #[serde(default)]
    pub handed_in: Option<Instant>,
    /// When its proof was returned last; the program may give it time of its own to come again.
    #[serde(default)]
    pub returned_at: Option<Instant>,
    /// Reminders already sent of its proof and its claim.
    pub reminded: Vec<Reminded>,
}

impl Activity {
    /// One that is written and not approved yet.
    pub fn new(no: u16, draft: ActivityDraft) -> Self {
        Self {
            no,
            draft,
            state: ActivityState::Planned,
            proof: Vec::new(),
            handed_in: None,
            returned_at: None,
            reminded: Vec::new(),
        }
    }
}

/// A reminder sent: of what, for which day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reminded {
    pub what: Reminder,
    pub day: Date,
}

/// What the partner writes of an activity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityDraft {
    pub campaign: u16,
    pub name: String,
    /// An activity type of the program guide: `event`.
    pub kind: String,
    pub starts: Date,
    pub ends: Date,
    pub place: String,
    pub owner: String,
    /// The number of the plan objective it serves.
    pub objective: u16,
    /// How many vendors share it, this one included; the program's share may depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sponsors: Option<u16>,
    /// How many people it is for; some cost is capped by head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<u32>,
    pub costs: Vec<CostLine>,
}

impl ActivityDraft {
    pub fn cost(&self) -> i64 {
        self.costs.iter().map(|line| line.amount.minor).sum()
    }
}

/// What one thing costs, whoever pays. Lines are numbered inside their activity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostLine {
    pub no: u16,
    /// An eligible cost category of the program guide.
    pub category: String,
    pub description: String,
    pub amount: Money,
    /// How many pieces it is for; some cost is capped by piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u32>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Adds an activity (`no` absent) or changes one.
    Save {
        no: Option<u16>,
        draft: ActivityDraft,
    },
    Drop {
        no: u16,
    },
    Commit {},
    /// Back to the forecast, to change campaigns before money is asked for.
    Reopen {},
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Saved { no: u16, draft: ActivityDraft },
    Dropped { no: u16 },
    Committed {},
    Reopened {},
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    let cycle = &case.s.cycle;
    let event = match command {
        Command::Save { no, draft } => {
            let no = match no {
                Some(no) if cycle.activity(*no).is_some() => *no,
                Some(no) => return Err(missing(*no)),
                None if cycle.activities.len() >= ACTIVITIES_PER_CYCLE => {
                    return Err(Refusal::new(
                        "too_many",
                        format!("A cycle holds at most {ACTIVITIES_PER_CYCLE} activities."),
                        "Open another cycle for this one.",
                    ));
                }
                None => next_no(cycle.activities.iter().map(|activity| activity.no)),
            };
            sound(case, draft)?;
            Event::Saved { no, draft: draft.clone() }
        }
        Command::Drop { no } => {
            cycle.activity(*no).ok_or_else(|| missing(*no))?;
            Event::Dropped { no: *no }
        }
        Command::Commit {} => {
            complete(cycle)?;
            Event::Committed {}
        }
        Command::Reopen {} => Event::Reopened {},
    };
    Ok(vec![event.into()])
}

pub(super) fn missing(no: u16) -> Refusal {
    Refusal::new(
        "no_activity",
        format!("This cycle has no activity {no}."),
        "Go back to the action plan and choose one that is there.",
    )
}

/// What any activity must respect; amendments are held to the same.
pub(super) fn sound(case: &Case, draft: &ActivityDraft) -> Result<(), Refusal> {
    let (cycle, policy) = (&case.s.cycle, &case.s.policy);
    let mut reasons = Vec::new();
    check_text("name", "The activity's name", &draft.name, 120, &mut reasons);
    check_text("place", "The place", &draft.place, 200, &mut reasons);
    check_text("owner", "The owner", &draft.owner, 120, &mut reasons);
    if cycle.campaign(draft.campaign).is_none() {
        return Err(s3_forecast::missing(draft.campaign));
    }
    if policy.activity_type(&draft.kind).is_none() {
        reasons.push(
            Reason::new("kind", "The program guide does not fund this kind of activity.", "Choose one from the list.")
                .at("kind"),
        );
    }
    if draft.ends < draft.starts {
        reasons.push(
            Reason::new("dates", "The activity ends before it starts.", "Choose a last day on or after the first.")
                .at("ends"),
        );
    }
    if !cycle.period.contains(draft.starts) || !cycle.period.contains(draft.ends) {
        let (from, to) = (crate::calendar::words(cycle.period.from), crate::calendar::words(cycle.period.to));
        reasons.push(
            Reason::new(
                "outside_period",
                "The activity lies outside this cycle's period.",
                format!("Choose days from {from} to {to}."),
            )
            .at("starts"),
        );
    }
    if !cycle.plan.draft.objectives.iter().any(|objective| objective.no == draft.objective) {
        reasons.push(
            Reason::new("objective", "The activity serves no goal of the plan.", "Choose the goal it serves.")
                .at("objective"),
        );
    }
    costs_sound(case, &draft.costs, &mut reasons);
    counts_said(case, draft, &mut reasons);
    Refusal::unless_empty(reasons)
}

/// Every cost line has an eligible category, words and an amount, and a number of its own.
fn costs_sound(case: &Case, costs: &[CostLine], reasons: &mut Vec<Reason>) {
    let (cycle, policy) = (&case.s.cycle, &case.s.policy);
    if costs.is_empty() {
        reasons.push(Reason::new("costs", "The activity has no cost line.", "Add what it will cost.").at("amount_1"));
    }
    for (index, line) in costs.iter().enumerate() {
        let row = index + 1;
        if policy.category(&line.category).is_none() {
            reasons.push(
                Reason::new(
                    "category",
                    format!("Cost line {row} is of a category the program does not fund."),
                    "Choose an eligible one; the guide lists them.",
                )
                .at(&format!("category_{row}")),
            );
        }
        check_text(
            &format!("description_{row}"),
            &format!("The description of cost line {row}"),
            &line.description,
            200,
            reasons,
        );
        if !line.amount.is_kept_in(cycle.currency, 1) {
            reasons.push(
                Reason::new(
                    "amount",
                    format!("Cost line {row} has no amount in {}.", cycle.currency),
                    "Enter what it will cost.",
                )
                .at(&format!("amount_{row}")),
            );
        }
    }
    let numbers: std::collections::BTreeSet<u16> = costs.iter().map(|line| line.no).collect();
    if numbers.len() != costs.len() || costs.len() > 50 {
        reasons.push(Reason::new(
            "line_numbers",
            "Cost lines are numbered once each, 50 at most.",
            "Number them 1, 2, 3.",
        ));
    }
}

/// What a cap counts is said: how many people, how many pieces.
fn counts_said(case: &Case, draft: &ActivityDraft, reasons: &mut Vec<Reason>) {
    let covers = |cap: &&Cap, line: &CostLine| cap.covers(Some(&draft.kind), Some(&line.category));
    let by = |per: Per| case.s.policy.cap.iter().filter(move |cap| cap.per == Some(per));
    if draft.sponsors == Some(0) {
        reasons
            .push(Reason::new("sponsors", "An activity has at least one sponsor.", "Enter 1 or more.").at("sponsors"));
    }
    let headed = by(Per::Head).find(|cap| draft.costs.iter().any(|line| covers(cap, line)));
    if let Some(cap) = headed.filter(|_| draft.heads.is_none_or(|heads| heads == 0)) {
        let why = format!("The program caps “{}” by head, and nothing says how many people come.", cap.name);
        reasons.push(Reason::new("heads", why, "Enter how many people it is for.").at("heads"));
    }
    for (index, line) in draft.costs.iter().enumerate() {
        let counted = by(Per::Unit).find(|cap| covers(cap, line));
        if let Some(cap) = counted.filter(|_| line.units.is_none_or(|units| units == 0)) {
            let why =
                format!("The program caps “{}” by piece, and cost line {} does not say how many.", cap.name, index + 1);
            reasons.push(
                Reason::new("units", why, "Enter how many pieces it is for.").at(&format!("units_{}", index + 1)),
            );
        }
    }
}

/// Each campaign has activities, and their cost lines add up to its cost.
fn complete(cycle: &Cycle) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    for campaign in &cycle.campaigns {
        let name = &campaign.draft.name;
        let lines: i64 = cycle
            .activities
            .iter()
            .filter(|activity| activity.draft.campaign == campaign.no)
            .map(|activity| activity.draft.cost())
            .sum();
        let planned = campaign.draft.cost;
        let lines = Money::new(lines, planned.currency);
        if lines.is_zero() {
            reasons.push(Reason::new(
                "no_activity",
                format!("“{name}” has no activity yet."),
                "Add what will be done, when and by whom.",
            ));
        } else if lines != planned {
            let gap = Money::new((planned.minor - lines.minor).abs(), planned.currency);
            let word = if lines.minor < planned.minor { "less" } else { "more" };
            reasons.push(Reason::new(
                "costs_differ",
                format!("The cost lines of “{name}” come to {lines}, {gap} {word} than its forecast of {planned}."),
                "Change the lines, or go back and change the forecast.",
            ));
        }
    }
    Refusal::unless_empty(reasons)
}

pub fn apply(cycle: &mut Cycle, event: &Event, _stamp: Stamp) {
    match event {
        Event::Saved { no, draft } => match cycle.activities.iter_mut().find(|activity| activity.no == *no) {
            Some(activity) => activity.draft = draft.clone(),
            None => cycle.activities.push(Activity::new(*no, draft.clone())),
        },
        Event::Dropped { no } => cycle.activities.retain(|activity| activity.no != *no),
        Event::Committed {} => cycle.stage = Stage::RequestDraft,
        Event::Reopened {} => {
            for campaign in &mut cycle.campaigns {
                campaign.baseline = None;
            }
            cycle.stage = Stage::ForecastDraft;
        }
    }
}

pub fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    match event {
        Event::Saved { draft, .. } => {
            Told::quiet("action_plan.saved", format!("{by} saved the activity “{}”.", draft.name))
        }
        Event::Dropped { no } => {
            Told::quiet("action_plan.dropped", format!("{by} took activity {no} out of the action plan."))
        }
        Event::Committed {} => Told::new("action_plan.committed", format!("{by} committed the action plan.")),
        Event::Reopened {} => {
            Told::new("forecast.reopened", format!("{by} went back to the forecast; it is a draft again."))
        }
    }
}
