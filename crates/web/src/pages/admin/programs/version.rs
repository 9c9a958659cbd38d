//! /programs/{code}: the versions of a guide. A new one is read, its problems shown at their lines; what it changes
//! is said in words and tried on past requests; then it is activated from a day.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use domain::Date;
use domain::people::Role;
use domain::policy::{Change, Contradiction, Policy, changes};
use engine::programs::{day_of, keeps_guides};
use engine::simulate::Simulation;
use storage::read::GuideVersion;
use storage::rows::Program;

use super::super::MenuItem;
use super::history::{in_force, state};
use super::{LIST, menu};
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, once, show, show_as};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Badge, Field, Form, count, date_words};

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
    /// This person decides which version counts; others read, compare and try.
    may_activate: bool,
    /// What a channel manager is responsible for; empty for everywhere, and for those who are none.
    regions: String,
}

struct Version {
    name: String,
    href: String,
    from: String,
    state: Badge,
    /// Who activated it, and when.
    by: String,
    on: String,
}

/// What is wrong with a line of a guide, and the line.
struct Problem {
    line: usize,
    text: String,
    words: String,
}

struct Compared {
    name: String,
    /// The day it would count from, and that the day is over.
    from: String,
    over: bool,
    /// What it was compared with, in a sentence.
    beside: String,
    changes: Vec<Change>,
    /// What the simulation came to, in a sentence or two.
    tried: String,
    /// Page, number, rule, sentence.
    listed: Vec<(String, String, String, String)>,
    unlisted: usize,
}

/// GET /programs/{code}
pub async fn show_page(who: Who, code: Path<String>) -> Answer {
    show(&page(&who, &code, &Typed::default()).await?)
}

/// POST /programs/{code}/comparison: what a version would change; nothing is kept.
pub async fn compare(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let sent = match guide_text(&who, &posted) {
        Ok(sent) => sent,
        Err(error) => return again(&who, &code, posted.typed().clone(), error).await,
    };
    let typed = with_text(&posted, &sent.text);
    match Policy::load(&sent.text) {
        Ok(policy) => {
            let day = match day_of(&policy, sent.from) {
                Ok(day) => day,
                Err(error) => return again(&who, &code, typed, error.into()).await,
            };
            let mut page = page(&who, &code, &typed).await?;
            page.compared = Some(compared(&who, &page.program, &policy, day).await?);
            show(&page)
        }
        Err(problems) => refused(&who, &code, &typed, &sent.text, problems).await,
    }
}

/// POST /programs/{code}/guide: activated from the day its text names.
pub async fn take_in(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let Sent { text, from } = match guide_text(&who, &posted) {
        Ok(sent) => sent,
        Err(error) => return again(&who, &code, posted.typed().clone(), error).await,
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
        Err(error) => again(&who, &code, typed, error).await,
    }
}

/// A guide's text, and the day it is to count from where one was typed beside it.
struct Sent {
    text: String,
    from: Option<Date>,
}

/// The uploaded file where there is one, else the text on the page.
fn guide_text(who: &Who, posted: &Posted) -> Result<Sent, Error> {
    let (typed, from) = posted.read(who.marks(), |f: &mut Fields| {
        f.ignore("file");
        let (text, from) = (f.optional_document("guide"), f.optional_date("from"));
        Some((text?, from?))
    })?;
    let Some(upload) = posted.files("file").next() else {
        let missing = || Error::at("guide", "There is no guide: paste its text, or choose its file.");
        return Ok(Sent { text: typed.ok_or_else(missing)?, from });
    };
    let text = String::from_utf8(upload.bytes.clone())
        .map_err(|_| Error::at("file", format!("“{}” is no text in UTF-8: save it as a TOML file.", upload.name)))?;
    Ok(Sent { text, from })
}

/// What was sent, with the file's text in place of the page's.
fn with_text(posted: &Posted, text: &str) -> Typed {
    let others = posted.typed().pairs().filter(|(name, _)| *name != "guide");
    let pairs = others.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Typed::new(pairs.chain([("guide".to_owned(), text.to_owned())]).collect())
}

async fn again(who: &Who, code: &str, typed: Typed, error: Error) -> Answer {
    if !error.is_about_the_form() {
        return Err(error);
    }
    show_as(error.status(), &page(who, code, &typed.with_reasons(error.reasons())).await?)
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
    let reader = who.reader();
    let program = reader.program(who.viewer(), code).await?;
    let guides = reader.guides(who.viewer(), program.id).await?;
    let history = reader.guide_history(who.viewer(), program.id).await?;
    let text = in_force(&guides, who.today()).map_or("", |guide| guide.toml.as_str());
    let version = |of: GuideVersion| Version {
        name: Policy::stored(&of.guide.toml).map_or_else(|_| of.guide.version.to_string(), |held| held.guide.version),
        href: format!("{LIST}/{}/versions/{}", program.code, of.guide.version),
        from: date_words(of.guide.effective_from),
        state: state(&guides, &of.guide, who.today()).badge(),
        by: of.by.unwrap_or_default(),
        on: date_words(of.guide.created_at.date_naive()),
    };
    let form = who
        .form()
        .with(
            Field::file("file", "Upload a guide", ".toml")
                .hint("A text file that a text editor writes. Its text takes the place of the one below.")
                .optional(),
        )
        .with(
            Field::area("guide", "Another version", 30)
                .hint("Change what is to change; give it a version of its own and, in effective_from, the day it counts from.")
                .value_is(text)
                .optional(),
        )
        .with(
            Field::date("from", "It counts from")
                .hint("The day in the guide's text counts; a day here must be the same. Cycles opened before keep the version they were opened under.")
                .optional(),
        );
    let mine = who.actor().standing_that(|standing| standing.has(Role::ChannelManager));
    Ok(ProgramPage {
        shell: who.shell(&program.name),
        menu: menu(who),
        versions: history.into_iter().map(version).collect(),
        form: typed.onto(form),
        problems: Vec::new(),
        compared: None,
        may_activate: keeps_guides(who.actor()).is_some(),
        regions: mine.map_or_else(String::new, |standing| standing.territory.join(", ")),
        program,
    })
}

/// What a version changes in words of the one in force on its day without it, and what it would have said of past requests
/// and claims. A day that is over is today's.
async fn compared(who: &Who, program: &Program, policy: &Policy, day: Date) -> Result<Compared, Error> {
    let guides = who.reader().guides(who.viewer(), program.id).await?;
    let (engine, counts) = (&who.site().engine, day.max(who.today()));
    let (beside, changed) = match in_force(&guides, counts) {
        Some(guide) => {
            let held = engine.guide(guide)?;
            (held.guide.version.clone(), changes(&held, policy))
        }
        None => (String::new(), Vec::new()),
    };
    let simulation = engine.simulate(who.viewer(), program.id, policy, LOOKED_AT).await?;
    let line = |difference: &domain::policy::Difference| {
        let (number, rule) = (difference.number.clone(), difference.rule.replace('_', " "));
        (page_of(&number), number, rule, difference.sentence.clone())
    };
    Ok(Compared {
        name: policy.guide.version.clone(),
        from: date_words(day),
        over: day < who.today(),
        beside: format!("Beside version {beside}, which is the one in force on {} without it.", date_words(counts)),
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
