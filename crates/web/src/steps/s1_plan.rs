//! Step 1, the plan: /cycles/{no}/plan, its check page, and what is posted from them.

use actix_web::web::Path;
use askama::Template;
use domain::calendar::quarter;
use domain::cycle::{Cycle, Period, Stage};
use domain::machine::{Act, Command, Situation, moves_of};
use domain::money::Money;
use domain::refusal::Reason;
use domain::steps::s1_plan::{self as rules, GrowthPath, Objective, PlanDraft, QuarterPlan};

use super::{look, objections};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Answer as AnswerRow, Answers, Choice, Field, Form, HeaderStrip, count, date_words};

/// Rows for goals that are always there to be filled.
const SPARE_ROWS: u16 = 3;
/// The highest number a goal's row may have; the rules allow fewer goals.
const MOST_ROWS: u16 = 40;

#[derive(Template)]
#[template(path = "s1_plan/plan.html")]
struct PlanPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    plan: Written,
    state: State,
    returned: Option<String>,
}

/// What the page is for, as the stage and the person have it.
enum State {
    /// The plan can be written now.
    Open { form: Form, rows: Vec<GoalRow>, quarters: Vec<QuarterRow>, level: u8 },
    /// It waits for the channel manager; `form` is theirs, where this is one who may decide.
    Review { form: Option<Form>, own: bool },
    /// Nothing is to be done.
    Shown,
}

struct GoalRow {
    goal: String,
    measure: String,
    target: String,
}

struct QuarterRow {
    name: String,
    sales: String,
    profit: String,
}

/// The plan as it reads.
struct Written {
    level: u8,
    goals: Vec<Objective>,
    quarters: Vec<(String, Amount, Amount)>,
    growth_path: Option<&'static str>,
    strategies: Vec<String>,
    mdf: Option<Amount>,
    agreed: Option<String>,
}

#[derive(Template)]
#[template(path = "s1_plan/check.html")]
struct CheckPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    form: Form,
    answers: Answers,
    missing: Vec<Reason>,
}

/// GET /cycles/{no}/plan
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, Typed::default()).await?)
}

/// POST /cycles/{no}/plan/draft: saves what was written, and goes on to the check page where that was asked.
pub async fn save(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let s = look(&who, &no).await?;
        let draft = posted.read(who.marks(), |f| draft_from(&s.cycle, f))?;
        let rows: Vec<u16> = draft.objectives.iter().map(|goal| goal.no).collect();
        let saved = who.advance(&no, Command::Plan(rules::Command::Save { draft }), &posted).await;
        saved.map_err(|error| at_rows(error, &rows))
    };
    let to = if posted.typed().has("then", "check") { "plan/check" } else { "plan" };
    let to = format!("/cycles/{no}/{to}");
    who.settle(done.await, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

/// GET /cycles/{no}/plan/check
pub async fn check(who: Who, no: Path<String>) -> Answer {
    let s = look(&who, &no).await?;
    if !moves_of(&s, who.actor()).contains(&Act::SubmitPlan) {
        return who.redirect(&format!("/cycles/{no}/plan"), "This plan has been submitted.");
    }
    show(&check_page(&who, &s, &Typed::default()))
}

/// POST /cycles/{no}/plan/submission: the saved plan goes to the channel manager.
pub async fn submit(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        posted.read(who.marks(), |_| Some(()))?;
        let s = look(&who, &no).await?;
        who.advance(&no, submission(&s), &posted).await
    };
    let to = format!("/cycles/{no}/plan");
    who.settle(done.await, &to, &posted, async |typed| Ok(check_page(&who, &look(&who, &no).await?, &typed))).await
}

/// POST /cycles/{no}/plan/agreement
pub async fn agree(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        posted.read(who.marks(), |f| {
            f.ignore("reason");
            Some(())
        })?;
        who.advance(&no, Command::Plan(rules::Command::Agree {}), &posted).await
    };
    let to = format!("/cycles/{no}");
    who.settle(done.await, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

/// POST /cycles/{no}/plan/return
pub async fn send_back(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Plan(rules::Command::Return { reason }), &posted).await
    };
    let to = format!("/cycles/{no}");
    who.settle(done.await, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

async fn page(who: &Who, no: &str, typed: Typed) -> Result<PlanPage, Error> {
    let s = look(who, no).await?;
    let moves = moves_of(&s, who.actor());
    let state = match s.cycle.stage {
        Stage::PlanDraft if moves.contains(&Act::SavePlan) => open(who, &s.cycle, &typed),
        Stage::PlanReview => Review::of(who, &s.cycle, moves.contains(&Act::AgreePlan), &typed),
        _ => State::Shown,
    };
    Ok(PlanPage {
        shell: who.shell(&format!("Plan · {}", s.cycle.title)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        plan: Written::of(&s.cycle),
        returned: s.cycle.plan.returned.clone().filter(|_| s.cycle.stage == Stage::PlanDraft),
        state,
    })
}

/// The channel manager's side of a submitted plan.
struct Review;

impl Review {
    fn of(who: &Who, cycle: &Cycle, may_decide: bool, typed: &Typed) -> State {
        let own = cycle.plan.author == Some(who.actor().user());
        let reason = Field::area("reason", "Why it goes back", 4)
            .hint("The partner reads this beside the plan. Needed only to return it.")
            .optional();
        let form = may_decide.then(|| typed.onto(who.form_at(cycle.version).with(reason)));
        State::Review { form, own }
    }
}

fn open(who: &Who, cycle: &Cycle, typed: &Typed) -> State {
    let draft = &cycle.plan.draft;
    let (form, rows) = goal_fields(who.form_at(cycle.version).with(level_field(draft.level)), draft, typed);
    let (form, quarters) = quarter_fields(form, cycle, who);
    let paths = GrowthPath::ALL.iter().map(|path| Choice::new(path.code(), path.label())).collect();
    let form = form
        .with(
            Field::radios("growth_path", "How you mean to grow", paths)
                .value_is(draft.growth_path.map_or("", GrowthPath::code))
                .optional(),
        )
        .with(
            Field::area("strategies", "Strategies", 5)
                .hint("What you will do to get there, one a line.")
                .value_is(draft.strategies.join("\n"))
                .optional(),
        )
        .with(
            Field::amount("intended_mdf", "MDF you intend to ask for in the period", cycle.currency.code())
                .value_is(draft.intended_mdf.map_or_else(String::new, |mdf| mdf.written(who.marks())))
                .optional(),
        );
    State::Open { form: typed.onto(form), rows, quarters, level: draft.level }
}

fn level_field(level: u8) -> Field {
    let choices = vec![
        Choice::new("1", "Level 1").hint("Goals, each with its measure and target."),
        Choice::new("2", "Level 2").hint("And sales and profit by quarter, with the way you mean to grow."),
        Choice::new("3", "Level 3").hint("And strategies, and the MDF you intend to ask for."),
    ];
    Field::radios("level", "How deep the plan goes", choices).value_is(level.to_string())
}

/// A row for every goal, under the goal's own number, and some to spare.
fn goal_fields(mut form: Form, draft: &PlanDraft, typed: &Typed) -> (Form, Vec<GoalRow>) {
    let written = draft.objectives.iter().map(|goal| goal.no).max().unwrap_or(0);
    let spare = (written + SPARE_ROWS).min(MOST_ROWS);
    let last = (1..=MOST_ROWS).rev().find(|no| typed.value(&format!("goal_{no}")).is_some()).unwrap_or(spare);
    let mut rows = Vec::new();
    for no in 1..=last {
        let goal = draft.objectives.iter().find(|goal| goal.no == no);
        let text = |of: fn(&Objective) -> String| goal.map_or_else(String::new, of);
        let row =
            GoalRow { goal: format!("goal_{no}"), measure: format!("measure_{no}"), target: format!("target_{no}") };
        let target = |goal: &Objective| if goal.target == 0 { String::new() } else { goal.target.to_string() };
        form = form
            .with(Field::text(&row.goal, &format!("Goal {no}")).value_is(text(|goal| goal.goal.clone())).optional())
            .with(
                Field::text(&row.measure, &format!("Measure of goal {no}"))
                    .value_is(text(|goal| goal.measure.clone()))
                    .optional(),
            )
            .with(
                Field::number(&row.target, &format!("Target of goal {no}"))
                    .value_is(goal.map_or_else(String::new, target))
                    .optional(),
            );
        rows.push(row);
    }
    (form, rows)
}

fn quarter_fields(mut form: Form, cycle: &Cycle, who: &Who) -> (Form, Vec<QuarterRow>) {
    let mut rows = Vec::new();
    for (index, name) in quarters_from(cycle.period).into_iter().enumerate() {
        let written = cycle.plan.draft.quarters.iter().find(|row| row.quarter == name);
        let value =
            |of: fn(&QuarterPlan) -> Money| written.map_or_else(String::new, |row| of(row).written(who.marks()));
        let row = QuarterRow { sales: format!("sales_{}", index + 1), profit: format!("profit_{}", index + 1), name };
        let amount =
            |field: &str, what: &str| Field::amount(field, &format!("{what}, {}", row.name), cycle.currency.code());
        form = form
            .with(amount(&row.sales, "Sales").value_is(value(|row| row.sales)).optional())
            .with(amount(&row.profit, "Profit").value_is(value(|row| row.profit)).optional());
        rows.push(row);
    }
    (form, rows)
}

/// The period's first quarter and the three after it: what a plan may forecast.
fn quarters_from(period: Period) -> Vec<String> {
    let months = [0, 3, 6, 9].map(chrono::Months::new);
    months.into_iter().filter_map(|months| period.from.checked_add_months(months)).map(quarter).collect()
}

/// The plan as it was typed. Rows left empty are no goals; a row keeps its number.
fn draft_from(cycle: &Cycle, f: &mut Fields) -> Option<PlanDraft> {
    f.ignore("then");
    let level = f.choice("level", |code| code.parse::<u8>().ok().filter(|level| (1..=3).contains(level)));
    let written: Vec<u16> =
        (1..=MOST_ROWS).filter(|no| !f.all_empty(&goal_names(*no).each_ref().map(String::as_str))).collect();
    let objectives: Vec<Option<Objective>> = written.into_iter().map(|no| goal_from(no, f)).collect();
    let mut quarters: Vec<Option<QuarterPlan>> = Vec::new();
    for (index, name) in quarters_from(cycle.period).into_iter().enumerate() {
        let (sales, profit) = (format!("sales_{}", index + 1), format!("profit_{}", index + 1));
        if !f.all_empty(&[&sales, &profit]) {
            quarters.push(quarter_from(&sales, &profit, name, cycle, f));
        }
    }
    let growth_path = f.optional_choice("growth_path", GrowthPath::from_code);
    let strategies = f.optional_long_text("strategies");
    let intended_mdf = f.optional_money("intended_mdf", cycle.currency);
    Some(PlanDraft {
        level: level?,
        objectives: objectives.into_iter().collect::<Option<_>>()?,
        quarters: quarters.into_iter().collect::<Option<_>>()?,
        growth_path: growth_path?,
        strategies: lines_of(&strategies?.unwrap_or_default()),
        intended_mdf: intended_mdf?,
    })
}

fn goal_names(no: u16) -> [String; 3] {
    [format!("goal_{no}"), format!("measure_{no}"), format!("target_{no}")]
}

/// A row something was written in; a target may wait.
fn goal_from(no: u16, f: &mut Fields) -> Option<Objective> {
    let [goal, measure, target] = goal_names(no);
    let (goal, measure) = (f.text(&goal), f.text(&measure));
    let target = if f.all_empty(&[&target]) { Some(0) } else { f.whole(&target, 0..=i64::from(u32::MAX)) };
    Some(Objective { no, goal: goal?, measure: measure?, target: u32::try_from(target?).ok()? })
}

fn quarter_from(sales: &str, profit: &str, quarter: String, cycle: &Cycle, f: &mut Fields) -> Option<QuarterPlan> {
    let (sales, profit) = (f.money(sales, cycle.currency), f.money(profit, cycle.currency));
    Some(QuarterPlan { quarter, sales: sales?, profit: profit? })
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The rules count goals from 1 as they stand in the plan; the page knows each by its own number.
fn at_rows(error: Error, rows: &[u16]) -> Error {
    let Error::Refused(mut refusal) = error else { return error };
    for reason in &mut refusal.reasons {
        let Some((name, place)) = reason.field.as_deref().and_then(|field| field.rsplit_once('_')) else { continue };
        let row = place.parse::<usize>().ok().and_then(|place| rows.get(place.checked_sub(1)?));
        if let Some(row) = row.filter(|_| ["goal", "measure", "target"].contains(&name)) {
            reason.field = Some(format!("{name}_{row}"));
        }
    }
    Error::Refused(refusal)
}

impl Written {
    fn of(cycle: &Cycle) -> Self {
        let draft = &cycle.plan.draft;
        Self {
            level: draft.level,
            goals: draft.objectives.clone(),
            quarters: draft
                .quarters
                .iter()
                .map(|row| (row.quarter.clone(), row.sales.into(), row.profit.into()))
                .collect(),
            growth_path: draft.growth_path.map(GrowthPath::label),
            strategies: draft.strategies.clone(),
            mdf: draft.intended_mdf.map(Amount::from),
            agreed: cycle.plan.agreed.as_ref().map(|agreed| date_words(agreed.at.date_naive())),
        }
    }
}

fn submission(s: &Situation) -> Command {
    Command::Plan(rules::Command::Submit { draft: s.cycle.plan.draft.clone() })
}

fn check_page(who: &Who, s: &Situation, typed: &Typed) -> CheckPage {
    let rows: Vec<u16> = s.cycle.plan.draft.objectives.iter().map(|goal| goal.no).collect();
    let mut missing = objections(who, s, &submission(s));
    if !missing.is_empty() {
        let refused = at_rows(Error::Refused(domain::refusal::Refusal { reasons: missing }), &rows);
        missing = refused.reasons();
    }
    CheckPage {
        shell: who.shell(&format!("Check the plan · {}", s.cycle.title)),
        strip: HeaderStrip::of(s, who.today()),
        number: s.cycle.number.clone(),
        form: typed.onto(who.form_at(s.cycle.version)),
        answers: answers(&s.cycle),
        missing,
    }
}

fn answers(cycle: &Cycle) -> Answers {
    let draft = &cycle.plan.draft;
    let to = |field: &str| Some(format!("/cycles/{}/plan#{field}", cycle.number));
    let row = |label: String, value: String, field: &str| AnswerRow { label, value: value.into(), href: to(field) };
    let mut rows = vec![row("Level".to_owned(), draft.level.to_string(), "level")];
    for goal in &draft.objectives {
        let said = format!("{}: {} {}", goal.goal, goal.target, goal.measure);
        rows.push(row(format!("Goal {}", goal.no), said, &format!("goal_{}", goal.no)));
    }
    for (index, line) in draft.quarters.iter().enumerate() {
        let (sales, profit) = (Amount::from(line.sales).plain(), Amount::from(line.profit).plain());
        rows.push(row(
            line.quarter.clone(),
            format!("sales {sales}, profit {profit}"),
            &format!("sales_{}", index + 1),
        ));
    }
    if let Some(path) = draft.growth_path {
        rows.push(row("Growth path".to_owned(), path.label().to_owned(), "growth_path"));
    }
    if !draft.strategies.is_empty() {
        let words = format!(
            "{}: {}",
            count(draft.strategies.len() as u64, "strategy", "strategies"),
            draft.strategies.join("; ")
        );
        rows.push(row("Strategies".to_owned(), words, "strategies"));
    }
    if let Some(mdf) = draft.intended_mdf {
        rows.push(AnswerRow { label: "Intended MDF".to_owned(), value: mdf.into(), href: to("intended_mdf") });
    }
    Answers { rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::refusal::Refusal;

    #[test]
    fn a_refused_goal_is_shown_at_its_own_row() {
        let refusal = Refusal::at("goal_2", "required", "The goal is empty.", "Fill it in.");
        let moved = at_rows(Error::Refused(refusal), &[1, 4]).reasons();
        assert_eq!(moved[0].field.as_deref(), Some("goal_4"));
        let other = Refusal::at("sales_1", "quarters", "A level 2 plan forecasts.", "Fill in at least one.");
        assert_eq!(at_rows(Error::Refused(other), &[7]).reasons()[0].field.as_deref(), Some("sales_1"));
    }

    #[test]
    fn a_plan_forecasts_four_quarters_from_the_periods_first() {
        let day = |text: &str| text.parse().expect("a date");
        let period = Period { from: day("2026-10-01"), to: day("2026-12-31") };
        assert_eq!(quarters_from(period), ["Q4 2026", "Q1 2027", "Q2 2027", "Q3 2027"]);
    }
}
