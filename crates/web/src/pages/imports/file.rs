//! /imports/{id}: a file before it is committed: what its columns are, what is still to be answered, what would happen.

use std::collections::BTreeMap;

use actix_web::web::Path;
use askama::Template;
use domain::money::Marks;
use engine::imports::fields::{Field as Column, Kind, Part};
use engine::imports::record::RowError;
use engine::imports::run::{Answers, Import, Summary};
use engine::imports::settings::{Settings, Unknown};
use engine::imports::values::DayOrder;
use uuid::Uuid;

use super::{csv, currency_field, kind_words, read_currency};
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Choice, Fact, Field, Form, Stats, count, grouped};

/// Problems shown on the page; the report holds them all.
const SHOWN: usize = 20;
/// Names of campaigns that can be told apart on one page.
const NAMES: usize = 20;

#[derive(Template)]
#[template(path = "pages/imports/file.html")]
struct FilePage {
    shell: Shell,
    id: Uuid,
    name: String,
    about: String,
    questions: Vec<String>,
    stats: Stats,
    campaigns: Vec<(String, String, u32)>,
    statuses: Vec<(String, &'static str, u32)>,
    errors: Vec<RowError>,
    more_errors: usize,
    looks: usize,
    has_report: bool,
    can_commit: bool,
    form: Form,
    parts: Vec<(&'static str, Vec<String>)>,
    /// Names of questions on campaigns of other names, with how many rows each is about.
    aliases: Vec<(String, u32)>,
    open_map: bool,
    /// Purchases: credit per fund, and how many purchases give it.
    earned: Vec<(String, Amount, u32)>,
    sales: bool,
}

async fn page(who: &Who, id: Uuid, typed: Typed) -> Result<FilePage, Error> {
    let (import, summary) = who.site().engine.preview_import(who.actor(), id).await?;
    let sales = import.settings.kind == Kind::Sales;
    let programs = if sales { who.site().engine.earning_programs().await? } else { Vec::new() };
    let coded = who.reader().coded_campaigns(who.viewer()).await?;
    let campaigns: Vec<Choice> = coded
        .iter()
        .map(|one| Choice::new(&one.code, format!("{}, {} ({})", one.name, one.code, one.number)))
        .collect();
    let unknown: Vec<(&String, &u32)> = summary.tally.unknown.iter().take(NAMES).collect();
    let programs: Vec<Choice> = programs.iter().map(|one| Choice::new(&one.program.code, &one.program.name)).collect();
    let mut form = answers_form(who, &import, (&campaigns, &programs));
    for (row, (name, _)) in unknown.iter().enumerate() {
        form = form.with(Field::hidden(&format!("alias.{row}.name"), *name)).with(
            Field::select(&format!("alias.{row}.code"), &format!("“{name}” is"), or_none("None of ours", &campaigns))
                .optional(),
        );
    }
    let aliases = unknown.iter().enumerate().map(|(row, (_, rows))| (format!("alias.{row}.code"), **rows));
    Ok(FilePage {
        shell: who.shell("Import a file"),
        id,
        about: about(&import),
        questions: summary.questions.iter().map(engine::imports::settings::Question::words).collect(),
        stats: stats(&summary),
        campaigns: summary.tally.campaigns.iter().map(|((code, name), n)| (code.clone(), name.clone(), *n)).collect(),
        statuses: summary.tally.statuses.iter().map(|((word, _, reached), n)| (word.clone(), *reached, *n)).collect(),
        more_errors: summary.errors.len().saturating_sub(SHOWN),
        errors: summary.errors.iter().take(SHOWN).cloned().collect(),
        looks: summary.looks.len(),
        has_report: !summary.errors.is_empty() || !summary.looks.is_empty(),
        can_commit: summary.questions.is_empty() && summary.added + summary.changed + summary.unchanged > 0,
        parts: parts(import.settings.kind),
        aliases: aliases.collect(),
        open_map: matches!(import.settings.kind, Kind::Csv | Kind::Sales) || !typed.is_blank(),
        earned: summary.tally.earned.iter().map(|(fund, (sum, n))| (fund.clone(), (*sum).into(), *n)).collect(),
        sales,
        form: typed.onto(form),
        name: import.upload.file_name,
    })
}

fn about(import: &Import) -> String {
    let rows = import.sheet.rows().count() as u64;
    let columns = import.sheet.header.len() as u64;
    format!(
        "{}: {}, {}, {}; the column names are on line {}.",
        kind_words(&import.upload.kind),
        count(rows, "row", "rows"),
        count(columns, "column", "columns"),
        import.sheet.encoding,
        import.sheet.header_line
    )
}

fn stats(summary: &Summary) -> Stats {
    let fact = |label: &str, rows: u32| Fact::new(label, grouped(rows.into()));
    Stats {
        facts: vec![
            fact("Will be added", summary.added),
            fact("Will be changed", summary.changed),
            fact("Already here", summary.unchanged),
            fact("Left out", summary.left_out + summary.aside),
            fact("Not kept", summary.refused),
        ],
    }
}

fn or_none(words: &str, choices: &[Choice]) -> Vec<Choice> {
    std::iter::once(Choice::new("", words)).chain(choices.iter().cloned()).collect()
}

/// The names of the form's fields, by the record they belong to.
fn parts(kind: Kind) -> Vec<(&'static str, Vec<String>)> {
    if kind == Kind::Sales {
        let names =
            kind.fields().map(|field| if field.is_of_the_file() { fixed_name(field) } else { column_name(field) });
        return vec![(Part::Purchase.label(), names.collect())];
    }
    let of = |part: Part| kind.fields().filter(move |field| field.part() == part);
    let named = Part::ALL.into_iter().map(|part| {
        let names = of(part).flat_map(|field| {
            let fixed = field.can_be_fixed().then(|| fixed_name(field));
            std::iter::once(column_name(field)).chain(fixed)
        });
        (part.label(), names.collect::<Vec<_>>())
    });
    named.filter(|(_, names)| !names.is_empty()).collect()
}

fn column_name(field: Column) -> String {
    format!("column_{}", field.code())
}

fn fixed_name(field: Column) -> String {
    format!("fixed_{}", field.code())
}

fn answers_form(who: &Who, import: &Import, (campaigns, programs): (&[Choice], &[Choice])) -> Form {
    let settings = &import.settings;
    let columns: Vec<Choice> = import.sheet.header.iter().map(|name| Choice::new(name, name)).collect();
    let mut form = who
        .form()
        .with(currency_field(settings.currency))
        .with(
            Field::select(
                "marks",
                "Amounts are written like",
                vec![
                    Choice::new("", "As the file shows"),
                    Choice::new("point", "1,234.56"),
                    Choice::new("comma", "1.234,56"),
                ],
            )
            .value_is(settings.marks.map_or("", marks_code))
            .optional(),
        )
        .with(
            Field::select(
                "days",
                "Days are written with",
                vec![
                    Choice::new("", "As the file shows"),
                    Choice::new("day", "The day first: 31/12/2026"),
                    Choice::new("month", "The month first: 12/31/2026"),
                ],
            )
            .value_is(settings.day_order.map_or("", days_code))
            .optional(),
        )
        .with(
            Field::text("save_as", "Keep these answers for the next file, named")
                .hint("A file with the same columns is then read the same way.")
                .optional(),
        );
    if settings.kind != Kind::Sales {
        form = form.with(unknown_field(settings.unknown));
    }
    for field in settings.kind.fields() {
        let held = settings.columns.get(&field).map_or("", String::as_str);
        let choices = or_none("Not in this file", &columns);
        if field.is_of_the_file() {
            let programs = or_none("Choose a program", programs);
            let held = settings.fixed.get(&field).map_or("", String::as_str);
            let one = Field::select(&fixed_name(field), field.label(), programs).hint(field.hint());
            form = form.with(one.value_is(held).optional());
            continue;
        }
        form = form.with(
            Field::select(&column_name(field), field.label(), choices).hint(field.hint()).value_is(held).optional(),
        );
        if field.can_be_fixed() {
            let fixed = settings.fixed.get(&field).map_or("", String::as_str);
            let label = format!("{}, the same for every row", field.label());
            let one = match field {
                Column::CampaignId => Field::select(&fixed_name(field), &label, or_none("As each row says", campaigns)),
                _ => Field::text(&fixed_name(field), &label),
            };
            form = form.with(one.value_is(fixed).optional());
        }
    }
    form
}

fn unknown_field(set: Unknown) -> Field {
    let choices =
        vec![Choice::new("keep", "Keep them as the vendor’s own touches"), Choice::new("leave", "Leave them out")];
    Field::select("unknown", "Rows of campaigns that are none of ours", choices).value_is(if set == Unknown::LeaveOut {
        "leave"
    } else {
        "keep"
    })
}

fn marks_code(marks: Marks) -> &'static str {
    match marks {
        Marks::Point => "point",
        Marks::Comma => "comma",
    }
}

fn days_code(order: DayOrder) -> &'static str {
    match order {
        DayOrder::DayFirst => "day",
        DayOrder::MonthFirst => "month",
    }
}

fn read(who: &Who, kind: Kind, posted: &Posted) -> Result<Answers, Error> {
    posted.read(who.marks(), |f| {
        let currency = read_currency(f);
        let marks = f
            .optional_choice("marks", |code| [Marks::Point, Marks::Comma].into_iter().find(|m| marks_code(*m) == code));
        let day_order = f.optional_choice("days", |code| {
            [DayOrder::DayFirst, DayOrder::MonthFirst].into_iter().find(|order| days_code(*order) == code)
        });
        let unknown = if kind == Kind::Sales {
            Some(Unknown::default())
        } else {
            f.choice("unknown", |code| match code {
                "keep" => Some(Unknown::VendorOwn),
                "leave" => Some(Unknown::LeaveOut),
                _ => None,
            })
        };
        let (save_as, map, campaigns) = (f.optional_text("save_as"), read_map(kind, f), read_aliases(f));
        let (columns, fixed) = map?;
        let settings = Settings {
            kind,
            columns,
            fixed,
            currency: currency?,
            marks: marks?,
            day_order: day_order?,
            unknown: unknown?,
        };
        Some(Answers { settings, campaigns: campaigns?, save_as: save_as? })
    })
}

type Map = BTreeMap<Column, String>;

/// Which column each field is in, and what holds for every row.
fn read_map(kind: Kind, f: &mut Fields) -> Option<(Map, Map)> {
    let (mut columns, mut fixed, mut sound) = (Map::new(), Map::new(), true);
    for field in kind.fields() {
        // A column's name may be long or odd; it only ever picks a column that is there.
        if !field.is_of_the_file() {
            let named = f.optional_long_text(&column_name(field));
            sound &= named.is_some();
            columns.extend(named.flatten().map(|name| (field, name)));
        }
        if field.can_be_fixed() {
            let said = f.optional_text(&fixed_name(field));
            sound &= said.is_some();
            fixed.extend(said.flatten().map(|value| (field, value)));
        }
    }
    sound.then_some((columns, fixed))
}

fn read_aliases(f: &mut Fields) -> Option<Vec<(String, String)>> {
    let mut named = Vec::new();
    for row in f.rows("alias") {
        let (name, code) = (f.long_text(&format!("alias.{row}.name"))?, f.optional_text(&format!("alias.{row}.code"))?);
        named.extend(code.map(|code| (name, code)));
    }
    Some(named)
}

/// GET /imports/{id}
pub async fn show_page(who: Who, id: Path<Uuid>) -> Answer {
    if who.reader().upload(who.viewer(), *id).await?.batch_id.is_some() {
        return who.redirect("/imports", "This file has been committed: it is in the list.");
    }
    show(&page(&who, *id, Typed::default()).await?)
}

/// POST /imports/{id}
pub async fn answer(who: Who, id: Path<Uuid>, posted: Posted) -> Answer {
    let done = keep_answers(&who, *id, &posted).await.map(|()| "Read again with your answers.");
    who.settle(done, &format!("/imports/{id}"), &posted, async |typed| page(&who, *id, typed).await).await
}

async fn keep_answers(who: &Who, id: Uuid, posted: &Posted) -> Result<(), Error> {
    let (engine, actor) = (who.site().engine.clone(), who.actor().clone());
    let kind = engine.import(&actor, id).await?.settings.kind;
    let answers = read(who, kind, posted)?;
    finish(async move { engine.answer_import(&actor, id, &answers).await }).await
}

/// POST /imports/{id}/commit
pub async fn commit(who: Who, id: Path<Uuid>, posted: Posted) -> Answer {
    let done = carry_out(&who, *id, &posted).await;
    who.settle(done, "/imports", &posted, async |typed| page(&who, *id, typed).await).await
}

/// Commits once; pressed again, it says what the first time did.
async fn carry_out(who: &Who, id: Uuid, posted: &Posted) -> Result<String, Error> {
    posted.read(who.marks(), |_| Some(()))?;
    let (engine, actor) = (who.site().engine.clone(), who.actor().clone());
    let batch = finish(async move { Ok(engine.commit_import(&actor, id).await?.batch) }).await?;
    let batch = who.reader().batch(who.viewer(), batch.ok_or(Error::NotFound)?).await?;
    Ok(format!(
        "{}: {} added, {} changed, {} already here, {} not kept.",
        batch.file_name,
        count(batch.added.into(), "row", "rows"),
        batch.changed,
        batch.unchanged,
        batch.refused
    ))
}

/// POST /imports/{id}/removal
pub async fn remove(who: Who, id: Path<Uuid>, posted: Posted) -> Answer {
    posted.read(who.marks(), |_| Some(()))?;
    let (engine, actor, id) = (who.site().engine.clone(), who.actor().clone(), *id);
    finish(async move { engine.drop_import(&actor, id).await }).await?;
    who.redirect("/imports", "The file was put away. Nothing of it was kept.")
}

/// GET /imports/{id}/report
pub async fn report(who: Who, id: Path<Uuid>) -> Answer {
    let (name, bytes) = who.site().engine.preview_report(who.actor(), *id).await?;
    Ok(csv(&name, bytes))
}
