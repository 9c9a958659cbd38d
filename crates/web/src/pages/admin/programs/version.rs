//! /admin/programs/{code}: the versions of a guide. A new one is read, its problems shown at their lines; what it changes
//! is said in words and tried on past requests; then it is activated from a day.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use domain::policy::{Change, Contradiction, Policy, changes};
use engine::simulate::Simulation;
use storage::rows::{Guide, Program};

use super::super::{MenuItem, menu};
use super::LIST;
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, once, show, show_as};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Field, Form, count, date_words};

/// How many past requests a page looks at; the command line looks at all.
const LOOKED_AT: usize = 1_000;
/// How many differences a page lists.
const LISTED: usize = 50;

#[derive(Template)]
#[template(path = "pages/admin/program.html")]
struct ProgramPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    program: Program,
    versions: Vec<Version>,
    form: Form,
    problems: Vec<Problem>,
    /// What the version on the page would change, once it was read.
    compared: Option<Compared>,
}

struct Version {
    name: String,
    from: String,
    state: &'static str,
}

/// What is wrong with a line of a guide, and the line.
struct Problem {
    line: usize,
    text: String,
    words: String,
}

struct Compared {
    name: String,
    changes: Vec<Change>,
    /// What the simulation came to, in a sentence or two.
    tried: String,
    /// Page, number, rule, sentence.
    listed: Vec<(String, String, String, String)>,
    unlisted: usize,
}

/// GET /admin/programs/{code}
pub async fn show_page(who: Who, code: Path<String>) -> Answer {
    show(&page(&who, &code, &Typed::default()).await?)
}

/// POST /admin/programs/{code}/comparison: what a version would change; nothing is kept.
pub async fn compare(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let text = match guide_text(&who, &posted) {
        Ok((text, _)) => text,
        Err(error) => return again(&who, &code, &posted, error).await,
    };
    let typed = with_text(&posted, &text);
    match Policy::load(&text) {
        Ok(policy) => {
            let mut page = page(&who, &code, &typed).await?;
            page.compared = Some(compared(&who, &page.program, &policy).await?);
            show(&page)
        }
        Err(problems) => refused(&who, &code, &typed, &text, problems).await,
    }
}

/// POST /admin/programs/{code}/guide: activated from the day on the form.
pub async fn take_in(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let (text, from) = match guide_text(&who, &posted) {
        Ok(read) => read,
        Err(error) => return again(&who, &code, &posted, error).await,
    };
    let typed = with_text(&posted, &text);
    if let Err(problems) = Policy::load(&text) {
        return refused(&who, &code, &typed, &text, problems).await;
    }
    let program = who.reader().program(who.viewer(), &code).await?.id;
    let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
    let done = finish(async move { engine.add_guide(&actor, program, &text, from, &once).await }).await;
    match done {
        Ok(done) => who.redirect(&format!("{LIST}/{code}"), &done.words.join(" ")),
        Err(error) => again(&who, &code, &posted, error).await,
    }
}

/// The uploaded file where there is one, else the text on the page; and the day it counts from.
fn guide_text(who: &Who, posted: &Posted) -> Result<(String, domain::Date), Error> {
    let (typed, from) = posted.read(who.marks(), |f: &mut Fields| {
        f.ignore("file");
        let (text, from) = (f.optional_long_text("guide"), f.date("from"));
        Some((text?, from?))
    })?;
    let Some(upload) = posted.files("file").next() else {
        let missing = || Error::at("guide", "There is no guide: paste its text, or choose its file.");
        return Ok((typed.ok_or_else(missing)?, from));
    };
    let text = String::from_utf8(upload.bytes.clone())
        .map_err(|_| Error::at("file", format!("“{}” is no text in UTF-8: save it as a TOML file.", upload.name)))?;
    Ok((text, from))
}

/// What was sent, with the file's text in place of the page's.
fn with_text(posted: &Posted, text: &str) -> Typed {
    let others = posted.typed().pairs().filter(|(name, _)| *name != "guide");
    let pairs = others.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Typed::new(pairs.chain([("guide".to_owned(), text.to_owned())]).collect())
}

async fn again(who: &Who, code: &str, posted: &Posted, error: Error) -> Answer {
    if !error.is_about_the_form() {
        return Err(error);
    }
    let typed = posted.typed().clone().with_reasons(error.reasons());
    show_as(error.status(), &page(who, code, &typed).await?)
}

/// The text again, with every problem at its line.
async fn refused(who: &Who, code: &str, typed: &Typed, text: &str, problems: Vec<Contradiction>) -> Answer {
    let lines: Vec<&str> = text.lines().collect();
    let count = problems.len();
    let problem = |found: Contradiction| Problem {
        line: found.line,
        text: lines.get(found.line - 1).map_or_else(String::new, |line| line.trim().to_owned()),
        words: crate::view::capital(found.problem.trim_end_matches('.')),
    };
    let mut page = page(who, code, typed).await?;
    let lines = if count == 1 { "one line" } else { "several lines" };
    page.form.problem("guide", format!("The guide contradicts itself in {lines}; each is named beside the text."));
    page.problems = problems.into_iter().map(problem).collect();
    show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn page(who: &Who, code: &str, typed: &Typed) -> Result<ProgramPage, Error> {
    let (program, guides) = guides(who, code).await?;
    let today = who.today();
    let in_force = in_force(who, &guides);
    let text = in_force.map_or("", |guide| guide.toml.as_str());
    let version = |guide: &Guide| Version {
        name: Policy::stored(&guide.toml).map_or_else(|_| guide.version.to_string(), |policy| policy.guide.version),
        from: date_words(guide.effective_from),
        state: if in_force.is_some_and(|held| held.version == guide.version) {
            "In force today"
        } else if guide.effective_from > today {
            "Still to come"
        } else {
            "Replaced"
        },
    };
    let form = who
        .form()
        .with(
            Field::file("file", "Upload a guide", ".toml")
                .hint("Its text takes the place of the one below.")
                .optional(),
        )
        .with(
            Field::area("guide", "Another version", 30)
                .hint("Change what is to change and give it a version of its own.")
                .value_is(text)
                .optional(),
        )
        .with(
            Field::date("from", "It counts from")
                .hint("Cycles opened before keep the version they were opened under.")
                .value_is(today.to_string()),
        );
    Ok(ProgramPage {
        shell: who.shell(&program.name),
        menu: menu(who, LIST),
        versions: guides.iter().map(version).collect(),
        form: typed.clone().onto(form),
        problems: Vec::new(),
        compared: None,
        program,
    })
}

async fn guides(who: &Who, code: &str) -> Result<(Program, Vec<Guide>), Error> {
    let program = who.reader().program(who.viewer(), code).await?;
    let guides = who.reader().guides(who.viewer(), program.id).await?;
    Ok((program, guides))
}

fn in_force<'a>(who: &Who, guides: &'a [Guide]) -> Option<&'a Guide> {
    let today = who.today();
    guides.iter().find(|guide| guide.effective_from <= today).or(guides.last())
}

/// What a version changes in words, and what it would have said of past requests and claims.
async fn compared(who: &Who, program: &Program, policy: &Policy) -> Result<Compared, Error> {
    let (_, guides) = guides(who, &program.code).await?;
    let engine = &who.site().engine;
    let changed = match in_force(who, &guides) {
        Some(guide) => {
            let held = engine.guide(guide)?;
            changes(&held, policy)
        }
        None => Vec::new(),
    };
    let simulation = engine.simulate(who.viewer(), program.id, policy, LOOKED_AT).await?;
    let line = |difference: &domain::policy::Difference| {
        let (number, rule) = (difference.number.clone(), difference.rule.replace('_', " "));
        (page_of(&number), number, rule, difference.sentence.clone())
    };
    Ok(Compared {
        name: policy.guide.version.clone(),
        changes: changed,
        listed: simulation.differences.iter().take(LISTED).map(line).collect(),
        unlisted: simulation.differences.len().saturating_sub(LISTED),
        tried: tried(&simulation),
    })
}

/// The page of a request, `C-2026-0042`, or of a claim, `C-2026-0042/2`.
fn page_of(number: &str) -> String {
    match number.split_once('/') {
        Some((cycle, claim)) => format!("/cycles/{cycle}/claims/{claim}"),
        None => format!("/cycles/{number}/request"),
    }
}

fn tried(simulation: &Simulation) -> String {
    let requests = count(simulation.requests as u64, "request", "requests");
    let claims = count(simulation.claims as u64, "claim", "claims");
    let which = if simulation.more { "the latest " } else { "" };
    let looked = format!("It judged {which}{requests} and {claims} again.");
    if simulation.differences.is_empty() {
        return format!("{looked} It would have changed nothing.");
    }
    let others = count(simulation.differences.len() as u64, "judgement", "judgements");
    let (asked, paid) = (Amount::from(simulation.asked).plain(), Amount::from(simulation.paid).plain());
    format!(
        "{looked} It would have come to {others} that differ: {asked} asked and {paid} paid, more (or less, with a minus) than before."
    )
}
