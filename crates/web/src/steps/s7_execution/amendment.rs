//! Changing an activity after approval: what, where, when, who or how much, with a reason.

use actix_web::web::Path;
use askama::Template;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::money::Money;
use domain::steps::s4_action_plan::{Activity, ActivityDraft, CostLine};
use domain::steps::s5_request::RequestLine;
use domain::steps::s7_execution::{self as rules, ActivityState};

use super::activity_href;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::look;
use crate::steps::s4_action_plan::activity::{Counts, count_fields, counts_from};
use crate::view::{Choice, Field, Form, HeaderStrip};

/// Empty rows offered for costs that were not planned.
const SPARE_ROWS: u16 = 2;

#[derive(Template)]
#[template(path = "s7_execution/amendment.html")]
struct AmendmentPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    href: String,
    name: String,
    form: Form,
    rows: Vec<Row>,
    counts: Counts,
    /// "what, where, when": whose change needs a new approval.
    material: String,
}

/// The names of one cost line's four fields.
struct Row {
    no: u16,
    category: String,
    description: String,
    amount: String,
    asked: String,
    units: String,
}

impl Row {
    fn of(index: usize, no: u16) -> Self {
        let row = index + 1;
        Self {
            no,
            category: format!("category_{row}"),
            description: format!("description_{row}"),
            amount: format!("amount_{row}"),
            asked: format!("asked_{no}"),
            units: format!("units_{row}"),
        }
    }
}

/// The cost lines there are, and spare ones under numbers not used yet.
fn rows(activity: &Activity) -> Vec<Row> {
    let used = activity.draft.costs.iter().map(|cost| cost.no);
    let next = used.clone().max().unwrap_or(0);
    used.chain((1..=SPARE_ROWS).map(|spare| next + spare)).enumerate().map(|(index, no)| Row::of(index, no)).collect()
}

/// GET /cycles/{no}/execution/activities/{activity}/amendment
pub async fn show_page(who: Who, at: Path<(String, u16)>) -> Answer {
    let (no, activity) = at.into_inner();
    show(&page(&who, &no, activity, Typed::default()).await?)
}

/// POST the same
pub async fn submit(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, activity) = at.into_inner();
    let done = async {
        let s = look(&who, &no).await?;
        let found = s.cycle.activity(activity).ok_or(Error::NotFound)?;
        let (draft, lines, reason) = posted.read(who.marks(), |f| read(&s, found, f))?;
        let command = rules::Command::Amend { activity, draft, lines, reason };
        who.advance(&no, Command::Execution(command), &posted).await
    };
    let (done, to) = (done.await, activity_href(&no, activity));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, activity, typed).await).await
}

type Amended = (ActivityDraft, Vec<RequestLine>, String);

fn read(s: &Situation, activity: &Activity, f: &mut Fields) -> Option<Amended> {
    let currency = s.cycle.currency;
    let (name, kind) =
        (f.text("name"), f.choice("kind", |code| s.policy.activity_type(code).map(|kind| kind.code.clone())));
    let (starts, ends) = (f.date("starts"), f.date("ends"));
    let (place, owner) = (f.text("place"), f.text("owner"));
    let objective = f.choice("objective", |text| text.parse::<u16>().ok());
    let (counts, counted) = (Counts::of(s), counts_from(s, f));
    let mut costs = Some(Vec::new());
    let mut lines = Some(Vec::new());
    for row in rows(activity) {
        if f.all_empty(&[&row.description, &row.amount, &row.asked]) {
            f.ignore(&row.category);
            f.ignore(&row.units);
            continue;
        }
        let category = f.choice(&row.category, |code| s.policy.category(code).map(|found| found.code.clone()));
        let (description, amount) = (f.text(&row.description), f.money(&row.amount, currency));
        let asked = f.optional_money(&row.asked, currency);
        let units = if counts.units { f.optional_whole(&row.units, 1..=10_000_000) } else { Some(None) };
        let units = units.map(|units| units.and_then(|units| u32::try_from(units).ok()));
        let cost =
            category.zip(description).zip(amount).zip(units).map(|(((category, description), amount), units)| {
                CostLine { no: row.no, category, description, amount, units }
            });
        costs = costs.zip(cost).map(|(costs, cost): (Vec<CostLine>, CostLine)| [costs, vec![cost]].concat());
        let asked = asked.map(|asked| asked.unwrap_or_else(|| Money::zero(currency)));
        let line = asked.map(|asked| RequestLine { activity: activity.no, line: row.no, asked });
        lines = lines.zip(line).map(|(lines, line): (Vec<RequestLine>, RequestLine)| [lines, vec![line]].concat());
    }
    let reason = f.long_text("reason");
    let (sponsors, heads) = counted?;
    let draft = ActivityDraft {
        campaign: activity.draft.campaign,
        name: name?,
        kind: kind?,
        starts: starts?,
        ends: ends?,
        place: place?,
        owner: owner?,
        objective: objective?,
        sponsors,
        heads,
        costs: costs?,
    };
    // A line nobody asked for before and nobody asks for now is no change.
    let asked_before = |line: &RequestLine| s.cycle.request.asked(line.activity, line.line).is_some();
    let lines = lines?.into_iter().filter(|line| !line.asked.is_zero() || asked_before(line)).collect();
    Some((draft, lines, reason?))
}

async fn page(who: &Who, no: &str, activity: u16, typed: Typed) -> Result<AmendmentPage, Error> {
    let s = look(who, no).await?;
    let found = s.cycle.activity(activity).ok_or(Error::NotFound)?;
    if !moves_of(&s, who.actor()).contains(&Act::Amend) || found.state != ActivityState::Live {
        return Err(Error::refused(
            "not_live",
            format!("“{}” cannot be changed now.", found.draft.name),
            "An activity can be changed while it runs, as long as no proof of it is reviewed or accepted.",
        ));
    }
    Ok(AmendmentPage {
        shell: who.shell(&format!("Change {}, {}", found.draft.name, s.cycle.number)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        href: activity_href(&s.cycle.number, activity),
        name: found.draft.name.clone(),
        form: typed.onto(form(who, &s, found)),
        rows: rows(found),
        counts: Counts::of(&s),
        material: material(&s),
    })
}

fn material(s: &Situation) -> String {
    let words: Vec<&str> = s.policy.amendment.material.iter().map(|field| field.words()).collect();
    match words.split_last() {
        None => "how much".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

fn form(who: &Who, s: &Situation, activity: &Activity) -> Form {
    let draft = &activity.draft;
    let kinds = s.policy.activity.iter().map(|kind| Choice::new(&kind.code, &kind.name)).collect();
    let goals = s.cycle.plan.draft.objectives.iter().map(|goal| Choice::new(goal.no.to_string(), &goal.goal)).collect();
    let period =
        format!("From {} to {}.", super::date_words(s.cycle.period.from), super::date_words(s.cycle.period.to));
    let mut form = who
        .form_at(s.cycle.version)
        .with(Field::text("name", "Name").value_is(&draft.name))
        .with(Field::select("kind", "Kind", kinds).value_is(&draft.kind))
        .with(Field::date("starts", "First day").value_is(draft.starts.to_string()).hint(period))
        .with(Field::date("ends", "Last day").value_is(draft.ends.to_string()))
        .with(Field::text("place", "Place").value_is(&draft.place))
        .with(Field::text("owner", "Owner").value_is(&draft.owner))
        .with(Field::select("objective", "Goal it serves", goals).value_is(draft.objective.to_string()));
    form = count_fields(s, form, Some(draft));
    for row in rows(activity) {
        form = with_row(form, who, s, activity, &row);
    }
    form.with(Field::area("reason", "Why does it change?", 3))
}

fn with_row(form: Form, who: &Who, s: &Situation, activity: &Activity, row: &Row) -> Form {
    let cost = activity.draft.costs.iter().find(|cost| cost.no == row.no);
    let asked = s.cycle.request.asked(activity.no, row.no);
    let currency = s.cycle.currency.code();
    let categories =
        s.policy.costs.eligible.iter().map(|category| Choice::new(&category.code, &category.name)).collect();
    let written = |money: Option<Money>| money.map(|money| money.written(who.marks())).unwrap_or_default();
    let label = |what: &str| format!("{what} of cost line {}", row.no);
    let fallback = s.policy.costs.eligible.first().map_or("", |category| &category.code);
    let form = if Counts::of(s).units {
        let units = cost.and_then(|cost| cost.units).map_or_else(String::new, |units| units.to_string());
        form.with(Field::number(&row.units, &label("Pieces")).value_is(units).optional())
    } else {
        form
    };
    form.with(
        Field::select(&row.category, "Category", categories).value_is(cost.map_or(fallback, |cost| &cost.category)),
    )
    .with(Field::text(&row.description, &label("Description")).value_is(cost.map_or("", |cost| &cost.description)))
    .with(Field::amount(&row.amount, &label("Cost"), currency).value_is(written(cost.map(|cost| cost.amount))))
    .with(Field::amount(&row.asked, &label("Amount asked"), currency).value_is(written(asked)))
}
