//! Step 1, plan: the joint business plan, at level 1, 2 or 3, agreed by partner and channel manager.

use super::{Case, Outcome, Stamp, Teller, Told, check_optional, check_text, need_reason};
use crate::Instant;
use crate::cycle::{Cycle, Stage};
use crate::ids::UserId;
use crate::money::Money;
use crate::notice::Topic;
use crate::refusal::{Reason, Refusal};
use serde::{Deserialize, Serialize};

/// What partner and vendor agree to do in the period.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    pub draft: PlanDraft,
    /// Who submitted it last; they may not agree it.
    pub author: Option<UserId>,
    pub agreed: Option<Agreed>,
    /// Why it was returned last, until it is submitted again.
    pub returned: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agreed {
    pub by: UserId,
    pub at: Instant,
}

/// What the partner writes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanDraft {
    /// 1: goals and measures. 2: and a quarterly sales and profit forecast. 3: and strategies and intended MDF.
    pub level: u8,
    pub objectives: Vec<Objective>,
    /// Level 2 and above: one row a quarter, at most four.
    #[serde(default)]
    pub quarters: Vec<QuarterPlan>,
    /// Level 2 and above.
    pub growth_path: Option<GrowthPath>,
    /// Level 3: what will be done to get there.
    #[serde(default)]
    pub strategies: Vec<String>,
    /// Level 3: the MDF the partner intends to ask for in the period.
    pub intended_mdf: Option<Money>,
}

impl Default for PlanDraft {
    fn default() -> Self {
        Self {
            level: 1,
            objectives: Vec::new(),
            quarters: Vec::new(),
            growth_path: None,
            strategies: Vec::new(),
            intended_mdf: None,
        }
    }
}

/// A goal and how it is measured; activities name the objective they serve by its number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    pub no: u16,
    pub goal: String,
    /// What is counted: "new customers".
    pub measure: String,
    pub target: u32,
}

/// Sales and profit planned for one quarter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuarterPlan {
    /// "Q3 2026"
    pub quarter: String,
    pub sales: Money,
    pub profit: Money,
}

/// How the partner means to grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrowthPath {
    NewCustomers,
    ExistingCustomers,
    NewOfferings,
    NewMarkets,
}

impl GrowthPath {
    pub const ALL: [GrowthPath; 4] =
        [GrowthPath::NewCustomers, GrowthPath::ExistingCustomers, GrowthPath::NewOfferings, GrowthPath::NewMarkets];

    pub fn code(self) -> &'static str {
        match self {
            GrowthPath::NewCustomers => "new_customers",
            GrowthPath::ExistingCustomers => "existing_customers",
            GrowthPath::NewOfferings => "new_offerings",
            GrowthPath::NewMarkets => "new_markets",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            GrowthPath::NewCustomers => "New customers for what we sell today",
            GrowthPath::ExistingCustomers => "More to the customers we have",
            GrowthPath::NewOfferings => "New offerings",
            GrowthPath::NewMarkets => "New markets",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|path| path.code() == code)
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    Save { draft: PlanDraft },
    Submit { draft: PlanDraft },
    Agree {},
    Return { reason: String },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Saved { draft: PlanDraft },
    Submitted { draft: PlanDraft },
    Agreed {},
    Returned { reason: String },
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    let event = match command {
        Command::Save { draft } => {
            shape(case, draft)?;
            Event::Saved { draft: draft.clone() }
        }
        Command::Submit { draft } => {
            shape(case, draft)?;
            complete(draft)?;
            Event::Submitted { draft: draft.clone() }
        }
        Command::Agree {} => {
            not_its_author(case)?;
            Event::Agreed {}
        }
        Command::Return { reason } => {
            need_reason(reason)?;
            Event::Returned { reason: reason.trim().to_owned() }
        }
    };
    Ok(vec![event.into()])
}

/// What any draft must respect, finished or not.
fn shape(case: &Case, draft: &PlanDraft) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    if !(1..=3).contains(&draft.level) {
        reasons.push(Reason::new("level", "A plan has level 1, 2 or 3.", "Choose one of them.").at("level"));
    }
    if draft.objectives.len() > 20 || draft.quarters.len() > 4 || draft.strategies.len() > 20 {
        reasons.push(Reason::new(
            "too_many",
            "The plan has more rows than anyone reads.",
            "Keep to 20 goals, 4 quarters and 20 strategies.",
        ));
    }
    for (index, objective) in draft.objectives.iter().enumerate() {
        check_text(&format!("goal_{}", index + 1), "The goal", &objective.goal, 300, &mut reasons);
        check_text(&format!("measure_{}", index + 1), "The measure", &objective.measure, 100, &mut reasons);
    }
    for (index, quarter) in draft.quarters.iter().enumerate() {
        check_text(&format!("quarter_{}", index + 1), "The quarter", &quarter.quarter, 20, &mut reasons);
    }
    for strategy in &draft.strategies {
        check_optional("strategies", "The strategy", strategy, 1_000, &mut reasons);
    }
    let numbers: std::collections::BTreeSet<u16> = draft.objectives.iter().map(|objective| objective.no).collect();
    if numbers.len() != draft.objectives.len() {
        reasons.push(Reason::new("objective_numbers", "Two goals have the same number.", "Number the goals 1, 2, 3."));
    }
    let amounts = draft.quarters.iter().flat_map(|quarter| [quarter.sales, quarter.profit]).chain(draft.intended_mdf);
    if amounts.clone().any(|amount| !amount.is_kept_in(case.s.cycle.currency, -Money::MOST)) {
        reasons.push(Reason::new(
            "currency",
            format!("This cycle is kept in {}.", case.s.cycle.currency),
            "Write its amounts in that currency.",
        ));
    }
    Refusal::unless_empty(reasons)
}

/// What the plan's level needs before a manager reads it.
fn complete(draft: &PlanDraft) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    if draft.objectives.is_empty() {
        reasons.push(
            Reason::new(
                "objectives",
                "The plan has no goal yet.",
                "Add at least one goal with its measure and target.",
            )
            .at("goal_1"),
        );
    }
    if let Some(index) = draft.objectives.iter().position(|objective| objective.target == 0) {
        reasons.push(
            Reason::new("target", "A goal has no target.", "Enter a number above zero.")
                .at(&format!("target_{}", index + 1)),
        );
    }
    if draft.level >= 2 && draft.quarters.is_empty() {
        reasons.push(
            Reason::new("quarters", "A level 2 plan forecasts sales and profit.", "Fill in at least one quarter.")
                .at("sales_1"),
        );
    }
    if draft.level >= 2 && draft.growth_path.is_none() {
        reasons.push(
            Reason::new("growth_path", "A level 2 plan names its growth path.", "Choose how you mean to grow.")
                .at("growth_path"),
        );
    }
    if draft.level >= 3 && draft.strategies.is_empty() {
        reasons.push(
            Reason::new("strategies", "A level 3 plan names its strategies.", "Write at least one.").at("strategies"),
        );
    }
    if draft.level >= 3 && !draft.intended_mdf.is_some_and(Money::is_positive) {
        reasons.push(
            Reason::new("intended_mdf", "A level 3 plan says how much MDF you intend to ask for.", "Enter an amount.")
                .at("intended_mdf"),
        );
    }
    Refusal::unless_empty(reasons)
}

fn not_its_author(case: &Case) -> Result<(), Refusal> {
    if case.s.cycle.plan.author.is_some_and(|author| case.people().contains(&author)) {
        return Err(Refusal::new(
            "own_plan",
            "You, or the colleague you stand in for, submitted this plan, so you cannot agree it.",
            "Ask a colleague who covers this partner to agree it.",
        ));
    }
    Ok(())
}

pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    match event {
        Event::Saved { draft } => cycle.plan.draft = draft.clone(),
        Event::Submitted { draft } => {
            cycle.plan.draft = draft.clone();
            cycle.plan.author = Some(stamp.by);
            cycle.plan.returned = None;
            cycle.stage = Stage::PlanReview;
        }
        Event::Agreed {} => {
            cycle.plan.agreed = Some(Agreed { by: stamp.by, at: stamp.at });
            cycle.stage = if cycle.scorecard.result.is_some() { Stage::ForecastDraft } else { Stage::ScorecardOpen };
        }
        Event::Returned { reason } => {
            cycle.plan.returned = Some(reason.clone());
            cycle.stage = Stage::PlanDraft;
        }
    }
}

pub fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    match event {
        Event::Saved { .. } => Told::quiet("plan.saved", format!("{by} saved the plan.")),
        Event::Submitted { .. } => Told::new("plan.submitted", format!("{by} submitted the plan."))
            .to(teller.to_manager(Topic::PlanSubmitted, "/plan")),
        Event::Agreed {} => Told::new("plan.agreed", format!("{by} agreed the plan."))
            .to(teller.to_partner(Topic::PlanAgreed, "/scorecard")),
        Event::Returned { reason } => Told::new("plan.returned", format!("{by} returned the plan: “{reason}”"))
            .to(teller.to_partner(Topic::PlanReturned, "/plan").reason(reason)),
    }
}
