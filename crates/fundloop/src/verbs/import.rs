//! `fundloop import KIND FILE`: what the import pages do, from a script. Exit code 3 when rows were not kept or a question
//! is open.

use super::{Ground, Outcome};
use crate::settings::Settings as Program;
use anyhow::{Context, anyhow};
use clap::Args;
use domain::money::{Currency, Marks};
use domain::people::Actor;
use engine::files::Upload;
use engine::imports::fields::Kind;
use engine::imports::run::{Said, Summary};
use engine::imports::settings::Settings;
use engine::imports::values::DayOrder;
use std::path::PathBuf;
use storage::Viewer;

#[derive(Args, Debug)]
pub struct ImportArgs {
    /// salesforce-campaign-members, salesforce-opportunities, csv or sales.
    #[arg(value_parser = kind)]
    kind: Kind,
    file: PathBuf,
    /// A saved column map by its name, or a file with one (TOML: kind, currency, tables columns and fixed).
    #[arg(long, value_name = "MAP")]
    map: Option<String>,
    /// The currency of amounts that name none.
    #[arg(long, value_parser = currency)]
    currency: Option<Currency>,
    /// What stands before the decimals: point or comma.
    #[arg(long, value_parser = marks)]
    decimals: Option<Marks>,
    /// How 03/04/2026 is meant: day or month first.
    #[arg(long, value_parser = days)]
    days: Option<DayOrder>,
    /// Another system's name of a campaign and its ID, as in "Autumn webinar=FL-0042-1K"; may be given several times.
    #[arg(long = "campaign", value_name = "NAME=ID", value_parser = campaign)]
    campaigns: Vec<(String, String)>,
    /// The code of the program purchases belong to, where several let credit be earned.
    #[arg(long, value_name = "CODE")]
    program: Option<String>,
    /// Say what would happen and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write the rows that want a look to this file, with the reasons.
    #[arg(long, value_name = "OUT.csv")]
    report: Option<PathBuf>,
}

pub async fn run(program: &Program, args: ImportArgs, json: bool) -> anyhow::Result<Outcome> {
    let ground = Ground::open(program).await?;
    let bytes = std::fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let said = Said {
        map: map(&ground, args.map.as_deref()).await?,
        currency: args.currency,
        marks: args.decimals,
        day_order: args.days,
        campaigns: args.campaigns,
        program: args.program,
    };
    let file = Upload { name, bytes };
    let done = ground.engine.import_file(&Actor::system(), args.kind, &file, &said, args.dry_run).await;
    let (summary, report) = done.map_err(super::user::plain)?;
    if let Some(path) = &args.report {
        std::fs::write(path, report).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if json {
        println!("{}", summary.as_json());
    } else {
        print(&summary, args.dry_run);
    }
    let clean = summary.refused == 0 && summary.questions.is_empty();
    Ok(if clean { Outcome::Done } else { Outcome::ProblemsFound })
}

fn print(summary: &Summary, dry_run: bool) {
    for question in &summary.questions {
        println!("Question: {}", question.words());
    }
    let lead = if summary.batch.is_some() { "Done" } else { "Nothing was changed; it would be" };
    println!("{lead}: {}", summary.words());
    for (fund, (sum, purchases)) in &summary.tally.earned {
        println!("  {purchases} purchases earn {sum} in {fund}");
    }
    for (name, rows) in summary.tally.unknown.iter().take(10) {
        println!("  not a campaign of ours: {name} ({rows} rows)");
    }
    for error in summary.errors.iter().take(20) {
        println!("  line {}, {}: “{}” {}", error.line, error.column, error.value, error.reason);
    }
    if summary.errors.len() > 20 {
        println!("  and {} more; --report writes them all to a file", summary.errors.len() - 20);
    }
    if !summary.looks.is_empty() {
        println!("{} rows were kept but want a look.", summary.looks.len());
    }
    if !dry_run && !summary.questions.is_empty() {
        println!("Answer with --currency, --decimals, --days --program or --map, and run it again.");
    }
}

/// A map from a file, or one saved on the import page.
async fn map(ground: &Ground, named: Option<&str>) -> anyhow::Result<Option<Settings>> {
    let Some(named) = named else { return Ok(None) };
    if let Ok(text) = std::fs::read_to_string(named) {
        return toml::from_str(&text).map(Some).with_context(|| format!("{named} is no column map"));
    }
    let maps = ground.engine.reader().import_maps(&Viewer::system()).await?;
    let found = maps.iter().find(|map| map.name == named);
    let found = found.ok_or_else(|| anyhow!("there is no file and no saved map named {named}"))?;
    Ok(Some(serde_json::from_str(&found.settings)?))
}

fn kind(code: &str) -> Result<Kind, String> {
    let known = "choose salesforce-campaign-members, salesforce-opportunities, csv or sales";
    Kind::from_code(code).ok_or_else(|| known.to_owned())
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::from_code(code).ok_or_else(|| format!("{code} is no currency code"))
}

fn marks(word: &str) -> Result<Marks, String> {
    match word {
        "point" => Ok(Marks::Point),
        "comma" => Ok(Marks::Comma),
        _ => Err("choose point or comma".to_owned()),
    }
}

fn days(word: &str) -> Result<DayOrder, String> {
    match word {
        "day" => Ok(DayOrder::DayFirst),
        "month" => Ok(DayOrder::MonthFirst),
        _ => Err("choose day or month".to_owned()),
    }
}

fn campaign(text: &str) -> Result<(String, String), String> {
    let (name, id) = text.rsplit_once('=').ok_or("write it like \"Autumn webinar=FL-0042-1K\"")?;
    let id = domain::campaign_id::read(id).ok_or_else(|| format!("{id} is no campaign ID"))?;
    Ok((name.to_owned(), id))
}
