//! `fundloop policy check|explain|simulate`: a program guide in a text file, before anybody is judged by it.

use super::{Ground, Outcome};
use crate::settings::Settings;
use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use domain::policy::{CaseFile, Policy, explain};
use std::io::Read;
use std::path::{Path, PathBuf};
use storage::Viewer;
use storage::rows::Program;

/// What stands in `docs/case-format.txt` is what `--help` says.
const CASE: &str = include_str!("../../../../docs/case-format.txt");

const GUIDE: &str = "A program guide is one TOML file; docs/program-guides.md explains every key, config/programs/*.toml are \
    guides to start from.";

#[derive(Subcommand, Debug)]
pub enum PolicyVerb {
    /// Check guides and say what contradicts itself, each with its file, its line and what to write instead. 3 when something does.
    #[command(after_help = GUIDE)]
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the decision on a request, a claim or an accrual rule by rule, as JSON.
    #[command(after_long_help = CASE, after_help = "The case format is explained by --help.")]
    Explain {
        #[arg(value_name = "POLICY.toml")]
        guide: PathBuf,
        /// The facts; - reads standard input.
        #[arg(value_name = "CASE.json")]
        case: PathBuf,
    },
    /// Run a guide over the past requests and claims of its program and say what it would have changed.
    Simulate {
        #[arg(value_name = "NEW.toml")]
        guide: PathBuf,
        /// The program's code; not needed where only one is kept in the guide's currency.
        #[arg(long, value_name = "CODE")]
        program: Option<String>,
        /// Look at this many requests, the latest first.
        #[arg(long, value_name = "N", default_value_t = 100_000)]
        most: usize,
    },
}

/// What needs no database; `None` where the verb does.
pub fn alone(verb: &PolicyVerb, json: bool) -> anyhow::Result<Option<Outcome>> {
    match verb {
        PolicyVerb::Check { files } => check(files, json).map(Some),
        PolicyVerb::Explain { guide, case } => explained(guide, case).map(Some),
        PolicyVerb::Simulate { .. } => Ok(None),
    }
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn check(files: &[PathBuf], json: bool) -> anyhow::Result<Outcome> {
    let mut found = Vec::new();
    for file in files {
        match Policy::load(&text_of(file)?) {
            Ok(policy) if !json => {
                println!("{}: {} {} holds.", file.display(), policy.guide.name, policy.guide.version);
            }
            Ok(_) => {}
            Err(problems) => found.extend(problems.into_iter().map(|problem| (file, problem))),
        }
    }
    if json {
        let list = found.iter().map(
            |(file, problem)| serde_json::json!({ "file": file, "line": problem.line, "problem": problem.problem }),
        );
        println!("{:#}", serde_json::Value::Array(list.collect()));
    } else {
        for (file, problem) in &found {
            println!("{}:{}: {}.", file.display(), problem.line, problem.problem.trim_end_matches(['.', '?']));
        }
    }
    Ok(if found.is_empty() { Outcome::Done } else { Outcome::ProblemsFound })
}

/// A guide that holds; otherwise every problem is told and the verb is over.
fn guide(file: &Path) -> anyhow::Result<Option<Policy>> {
    match Policy::load(&text_of(file)?) {
        Ok(policy) => Ok(Some(policy)),
        Err(problems) => {
            for problem in problems {
                eprintln!("{}:{}: {}.", file.display(), problem.line, problem.problem.trim_end_matches(['.', '?']));
            }
            Ok(None)
        }
    }
}

fn explained(file: &Path, case: &Path) -> anyhow::Result<Outcome> {
    let Some(policy) = guide(file)? else { return Ok(Outcome::ProblemsFound) };
    let facts = CaseFile::read(&text_of(case)?).map_err(|problem| anyhow!("{}: {problem}", case.display()))?;
    let said = explain(&policy, &facts).map_err(|problem| anyhow!("{}: {problem}", case.display()))?;
    println!("{}", serde_json::to_string_pretty(&said)?);
    Ok(Outcome::Done)
}

pub async fn simulate(settings: &Settings, verb: PolicyVerb, json: bool) -> anyhow::Result<Outcome> {
    let PolicyVerb::Simulate { guide: file, program, most } = verb else { return Ok(Outcome::Done) };
    let Some(policy) = guide(&file)? else { return Ok(Outcome::ProblemsFound) };
    let ground = Ground::open(settings).await?;
    let programs = ground.engine.reader().programs(&Viewer::system()).await?;
    let program = chosen(programs, &policy, program.as_deref())?;
    let simulation = ground.engine.simulate(&Viewer::system(), program.id, &policy, most).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&simulation)?);
        return Ok(Outcome::Done);
    }
    println!(
        "{} {} over {} request{} and {} claim{} of {}:",
        policy.guide.name,
        policy.guide.version,
        simulation.requests,
        plural(simulation.requests),
        simulation.claims,
        plural(simulation.claims),
        program.code
    );
    for difference in &simulation.differences {
        println!("{} {}: {}: {}", difference.what, difference.number, difference.rule, difference.sentence);
    }
    if simulation.differences.is_empty() {
        println!("It would have changed nothing.");
    } else {
        println!("Asked in all: {} beside before. Paid in all: {}.", simulation.asked, simulation.paid);
    }
    Ok(Outcome::Done)
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn chosen(programs: Vec<Program>, policy: &Policy, code: Option<&str>) -> anyhow::Result<Program> {
    let codes = programs.iter().map(|program| program.code.clone()).collect::<Vec<_>>().join(", ");
    let currency = policy.guide.currency;
    let fits = |program: &Program| match code {
        Some(code) => program.code.eq_ignore_ascii_case(code),
        None => program.currency == currency,
    };
    let mut found: Vec<Program> = programs.into_iter().filter(fits).collect();
    match (found.pop(), found.is_empty(), code) {
        (Some(program), true, _) if program.currency == currency => Ok(program),
        (Some(program), true, _) => bail!("the guide is kept in {currency}, {} in {}", program.code, program.currency),
        (Some(_), false, _) => bail!("several programs are kept in {currency}: name one with --program ({codes})"),
        (None, _, Some(code)) => bail!("there is no program {code}: there is {codes}"),
        (None, _, None) => bail!("no program is kept in {currency}: name one with --program ({codes})"),
    }
}
