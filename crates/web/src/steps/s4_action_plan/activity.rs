//! One activity: when, where, who, for which goal, and what it costs line by line.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::money::Money;
use domain::policy::Per;
use domain::steps::s4_action_plan::{self as rules, ActivityDraft, CostLine};
use serde::Deserialize;

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::look;
use crate::view::{Amount, Choice, Due, Fact, Facts, Field, Form, HeaderStrip, date_words};

const SPARE_ROWS: u16 = 3;
const MOST_ROWS: u16 = 50;

#[derive(Template)]
#[template(path = "s4_action_plan/activity.html")]
struct ActivityPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    heading: String,
    action: String,
    form: Form,
    rows: Vec<Row>,
    /// Whether the program asks how many vendors share it, how many people it is for, how many pieces a line is for.
    counts: Counts,
    facts: Facts,
    proof: Vec<(String, Vec<String>)>,
    never: Vec<String>,
}

struct Row {
    category: String,
    description: String,
    amount: String,
    units: String,
}

#[derive(Deserialize)]
pub struct Asked {
    campaign: Option<u16>,
}

/// GET /cycles/{no}/action-plan/activities/new
pub async fn new(who: Who, no: Path<String>, asked: Query<Asked>) -> Answer {
    let s = open_plan(&who, &no).await?;
    show(&page(&who, &s, None, asked.campaign, &Typed::default()))
}

/// GET /cycles/{no}/action-plan/activities/{activity}
pub async fn show_activity(who: Who, path: Path<(String, u16)>) -> Answer {
    let (no, activity) = path.into_inner();
    let s = open_plan(&who, &no).await?;
    s.cycle.activity(activity).ok_or(Error::NotFound)?;
    show(&page(&who, &s, Some(activity), None, &Typed::default()))
}

/// POST /cycles/{no}/action-plan/activities
pub async fn add(who: Who, no: Path<String>, posted: Posted) -> Answer {
    write(&who, &no, None, &posted).await
}

/// POST /cycles/{no}/action-plan/activities/{activity}
pub async fn change(who: Who, path: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, activity) = path.into_inner();
    write(&who, &no, Some(activity), &posted).await
}

async fn write(who: &Who, no: &str, activity: Option<u16>, posted: &Posted) -> Answer {
    let done = async {
        let s = look(who, no).await?;
        let draft = posted.read(who.marks(), |f| draft_from(&s, f))?;
        let rows: Vec<u16> = draft.costs.iter().map(|line| line.no).collect();
        let command = Command::ActionPlan(rules::Command::Save { no: activity, draft });
        who.advance(no, command, posted).await.map_err(|error| at_rows(error, &rows))
    };
    let to = format!("/cycles/{no}/action-plan");
    who.settle(done.await, &to, posted, async |typed| Ok(page(who, &look(who, no).await?, activity, None, &typed)))
        .await
}

/// The action plan while activities can be written; otherwise there is no such page.
async fn open_plan(who: &Who, no: &str) -> Result<Situation, Error> {
    let s = look(who, no).await?;
    if moves_of(&s, who.actor()).contains(&Act::SaveActivity) { Ok(s) } else { Err(Error::NotFound) }
}

/// The activity as it was typed. Cost lines left empty are none; a line keeps its number.
fn draft_from(s: &Situation, f: &mut Fields) -> Option<ActivityDraft> {
    let campaign = f.choice("campaign", |code| code.parse::<u16>().ok());
    let (name, place, owner) = (f.text("name"), f.text("place"), f.text("owner"));
    let kind = f.choice("kind", |code| s.policy.activity_type(code).map(|kind| kind.code.clone()));
    let (starts, ends) = (f.date("starts"), f.date("ends"));
    let objective = f.choice("objective", |code| code.parse::<u16>().ok());
    let counts = counts_from(s, f);
    let costs: Vec<Option<CostLine>> = written_rows(f).into_iter().map(|row| line_from(s, row, f)).collect();
    let (sponsors, heads) = counts?;
    Some(ActivityDraft {
        campaign: campaign?,
        name: name?,
        kind: kind?,
        starts: starts?,
        ends: ends?,
        place: place?,
        owner: owner?,
        objective: objective?,
        sponsors,
        heads,
        costs: costs.into_iter().collect::<Option<_>>()?,
    })
}

/// Rows with a description or an amount. A category alone, which its list may have set, is nothing.
fn written_rows(f: &mut Fields) -> Vec<u16> {
    let mut written = Vec::new();
    for row in 1..=MOST_ROWS {
        let Row { category, description, amount, units } = Row::new(row);
        if f.all_empty(&[&description, &amount]) {
            f.ignore(&category);
            f.ignore(&units);
        } else {
            written.push(row);
        }
    }
    written
}

fn line_from(s: &Situation, row: u16, f: &mut Fields) -> Option<CostLine> {
    let Row { category, description, amount, units } = Row::new(row);
    let category = f.choice(&category, |code| s.policy.category(code).map(|category| category.code.clone()));
    let (description, amount) = (f.text(&description), f.money(&amount, s.cycle.currency));
    let units = if Counts::of(s).units { f.optional_whole(&units, 1..=COUNTED) } else { Some(None) };
    let units = units?.and_then(|units| u32::try_from(units).ok());
    Some(CostLine { no: row, category: category?, description: description?, amount: amount?, units })
}

impl Row {
    fn new(no: u16) -> Self {
        Self {
            category: format!("category_{no}"),
            description: format!("description_{no}"),
            amount: format!("amount_{no}"),
            units: format!("units_{no}"),
        }
    }
}

/// What the program's caps and shares count, and so the form asks for.
#[derive(Clone, Copy)]
pub(in crate::steps) struct Counts {
    pub sponsors: bool,
    pub heads: bool,
    pub units: bool,
}

impl Counts {
    pub fn of(s: &Situation) -> Self {
        let by = |per: Per| s.policy.cap.iter().any(|cap| cap.per == Some(per));
        Self { sponsors: s.policy.asks_for_sponsors(), heads: by(Per::Head), units: by(Per::Unit) }
    }
}

/// The largest number of people or pieces a form takes.
const COUNTED: i64 = 10_000_000;

/// How many vendors share it and how many people it is for, where the program counts them.
pub(in crate::steps) fn counts_from(s: &Situation, f: &mut Fields) -> Option<(Option<u16>, Option<u32>)> {
    let counts = Counts::of(s);
    let sponsors = if counts.sponsors { f.optional_whole("sponsors", 1..=1_000) } else { Some(None) };
    let heads = if counts.heads { f.optional_whole("heads", 1..=COUNTED) } else { Some(None) };
    let (sponsors, heads) = (sponsors?, heads?);
    Some((sponsors.and_then(|count| u16::try_from(count).ok()), heads.and_then(|count| u32::try_from(count).ok())))
}

pub(in crate::steps) fn count_fields(s: &Situation, mut form: Form, stored: Option<&ActivityDraft>) -> Form {
    let counts = Counts::of(s);
    if counts.sponsors {
        let sponsors = stored.and_then(|draft| draft.sponsors).map_or_else(String::new, |count| count.to_string());
        form = form.with(
            Field::number("sponsors", "How many vendors share it")
                .hint("This program's vendor included. Its share depends on it.")
                .value_is(sponsors)
                .optional(),
        );
    }
    if counts.heads {
        let heads = stored.and_then(|draft| draft.heads).map_or_else(String::new, |count| count.to_string());
        form = form.with(
            Field::number("heads", "How many people it is for")
                .hint("Some cost is capped by head.")
                .value_is(heads)
                .optional(),
        );
    }
    form
}

/// The rules count cost lines from 1 as they stand; the page knows each by its own number.
fn at_rows(error: Error, rows: &[u16]) -> Error {
    let Error::Refused(mut refusal) = error else { return error };
    for reason in &mut refusal.reasons {
        let Some((name, place)) = reason.field.as_deref().and_then(|field| field.rsplit_once('_')) else { continue };
        let row = place.parse::<usize>().ok().and_then(|place| rows.get(place.checked_sub(1)?));
        if let Some(row) = row.filter(|_| ["category", "description", "amount", "units"].contains(&name)) {
            reason.field = Some(format!("{name}_{row}"));
        }
    }
    Error::Refused(refusal)
}

fn page(who: &Who, s: &Situation, activity: Option<u16>, campaign: Option<u16>, typed: &Typed) -> ActivityPage {
    let stored = activity.and_then(|no| s.cycle.activity(no)).map(|activity| &activity.draft);
    let number = s.cycle.number.clone();
    let heading = match stored {
        Some(draft) => format!("Change “{}”", draft.name),
        None => "Add an activity".to_owned(),
    };
    let campaign =
        typed.value("campaign").and_then(|code| code.parse().ok()).or(stored.map(|draft| draft.campaign)).or(campaign);
    let (form, rows) = form(who, s, stored, campaign, typed);
    ActivityPage {
        shell: who.shell(&format!("{heading} · {}", s.cycle.title)),
        strip: HeaderStrip::of(s, who.today()),
        action: match activity {
            Some(activity) => format!("/cycles/{number}/action-plan/activities/{activity}"),
            None => format!("/cycles/{number}/action-plan/activities"),
        },
        facts: facts(who, s, stored, campaign),
        proof: proof(s),
        never: s.policy.costs.never.clone(),
        number,
        heading,
        form: typed.onto(form),
        rows,
        counts: Counts::of(s),
    }
}

fn form(
    who: &Who,
    s: &Situation,
    stored: Option<&ActivityDraft>,
    campaign: Option<u16>,
    typed: &Typed,
) -> (Form, Vec<Row>) {
    let text = |of: fn(&ActivityDraft) -> String| stored.map_or_else(String::new, of);
    let campaigns = s.cycle.campaigns.iter().map(|campaign| Choice::new(campaign.no.to_string(), &campaign.draft.name));
    let kinds = s.policy.activity.iter().map(|kind| Choice::new(&kind.code, &kind.name));
    let goals = s.cycle.plan.draft.objectives.iter();
    let goals =
        goals.map(|goal| Choice::new(goal.no.to_string(), format!("{}: {} {}", goal.goal, goal.target, goal.measure)));
    let chosen = campaign.and_then(|no| s.cycle.campaign(no)).or(s.cycle.campaigns.first());
    let kind = stored.map(|draft| draft.kind.clone()).or_else(|| chosen.map(|campaign| campaign.draft.tactic.clone()));
    let owner = if who.actor().me.is_partner() { who.actor().me.name.clone() } else { String::new() };
    let form = who
        .form_at(s.cycle.version)
        .with(
            Field::select("campaign", "Campaign", campaigns.collect())
                .value_is(chosen.map_or_else(String::new, |campaign| campaign.no.to_string())),
        )
        .with(Field::text("name", "Name of the activity").value_is(text(|draft| draft.name.clone())))
        .with(
            Field::select("kind", "Kind", kinds.collect())
                .value_is(kind.unwrap_or_default())
                .hint("It decides which proof is asked for."),
        )
        .with(Field::date("starts", "First day").value_is(text(|draft| draft.starts.to_string())))
        .with(Field::date("ends", "Last day").value_is(text(|draft| draft.ends.to_string())))
        .with(
            Field::text("place", "Place")
                .hint("A town, an address, or “online”.")
                .value_is(text(|draft| draft.place.clone())),
        )
        .with(
            Field::text("owner", "Owner")
                .hint("Who sees to it that it happens.")
                .value_is(stored.map_or(owner, |draft| draft.owner.clone())),
        )
        .with(
            Field::radios("objective", "The goal it serves", goals.collect())
                .value_is(text(|draft| draft.objective.to_string())),
        );
    cost_fields(who, s, count_fields(s, form, stored), stored, typed)
}

/// A row for every cost line, under the line's own number, and some to spare.
fn cost_fields(
    who: &Who,
    s: &Situation,
    mut form: Form,
    stored: Option<&ActivityDraft>,
    typed: &Typed,
) -> (Form, Vec<Row>) {
    let lines = stored.map_or(&[][..], |draft| &draft.costs);
    let written = lines.iter().map(|line| line.no).max().unwrap_or(0);
    let spare = (written + SPARE_ROWS).min(MOST_ROWS);
    let last = (1..=MOST_ROWS).rev().find(|no| typed.value(&Row::new(*no).amount).is_some()).unwrap_or(spare);
    let mut rows = Vec::new();
    for no in 1..=last {
        let line = lines.iter().find(|line| line.no == no);
        let row = Row::new(no);
        let mut categories = vec![Choice::new("", "Choose")];
        categories.extend(s.policy.costs.eligible.iter().map(|category| Choice::new(&category.code, &category.name)));
        form = form
            .with(
                Field::select(&row.category, &format!("Category of cost line {no}"), categories)
                    .value_is(line.map_or("", |line| &line.category))
                    .optional(),
            )
            .with(
                Field::text(&row.description, &format!("Description of cost line {no}"))
                    .value_is(line.map_or("", |line| &line.description))
                    .optional(),
            )
            .with(
                Field::amount(&row.amount, &format!("Amount of cost line {no}"), s.cycle.currency.code())
                    .value_is(line.map_or_else(String::new, |line| line.amount.written(who.marks())))
                    .optional(),
            );
        if Counts::of(s).units {
            let units = line.and_then(|line| line.units).map_or_else(String::new, |units| units.to_string());
            let label = format!("Pieces of cost line {no}");
            form = form.with(Field::number(&row.units, &label).value_is(units).optional());
        }
        rows.push(row);
    }
    (form, rows)
}

/// What the activity must fit into: the campaign's cost, the period, the last day to ask.
fn facts(who: &Who, s: &Situation, stored: Option<&ActivityDraft>, campaign: Option<u16>) -> Facts {
    let mut facts = Vec::new();
    for campaign in s.cycle.campaigns.iter().filter(|one| campaign.is_none_or(|no| one.no == no)) {
        let planned = s.cycle.activities.iter().filter(|activity| activity.draft.campaign == campaign.no);
        let left = Money::new(
            campaign.draft.cost.minor - planned.map(|activity| activity.draft.cost()).sum::<i64>(),
            s.cycle.currency,
        );
        let note = format!("left of {} in the forecast", Amount::from(campaign.draft.cost).plain());
        facts.push(Fact::new(campaign.draft.name.clone(), left).note(note));
    }
    let period = format!("{} to {}", date_words(s.cycle.period.from), date_words(s.cycle.period.to));
    facts.push(Fact::new("Period", period));
    facts.push(match stored {
        Some(draft) => {
            let on = s.policy.last_day_to_ask(draft.starts, &s.partner.country);
            Fact::new("Last day to ask", Due { on, today: who.today() }).note("as saved")
        }
        None => {
            Fact::new("Last day to ask", format!("{} ahead", s.policy.lead_time.count.words(s.policy.lead_time.days)))
                .note("of its first day")
        }
    });
    Facts { facts }
}

/// What each kind of activity will have to prove, so that nobody learns of it afterwards.
fn proof(s: &Situation) -> Vec<(String, Vec<String>)> {
    let items = |kind: &domain::policy::ActivityType| {
        let mut items: Vec<String> = kind.all_of.iter().map(|item| item.name.clone()).collect();
        if !kind.one_of.is_empty() {
            let either: Vec<&str> = kind.one_of.iter().map(|item| item.name.as_str()).collect();
            items.push(format!("one of: {}", either.join(", ")));
        }
        items
    };
    s.policy.activity.iter().map(|kind| (kind.name.clone(), items(kind))).collect()
}
