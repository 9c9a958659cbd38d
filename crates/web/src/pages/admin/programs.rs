//! /programs: programs and their guides, for channel managers and administrators. A new version is taken in by `version`;
//! `history` shows those there are, and takes one back.

mod history;
mod version;

pub use history::{State, coming, in_force, show_version, state, withdraw};
pub use version::{compare, show_page, take_in};

use actix_web::web::Query;
use askama::Template;
use engine::programs::NewProgram;
use serde::Deserialize;
use storage::rows::{Guide, Program};

use super::MenuItem;
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, once, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::routes;
use crate::shell::Shell;
use crate::view::{Choice, Field, Form, date_words};

const LIST: &str = "/programs";

#[derive(Template)]
#[template(path = "pages/admin/programs.html")]
struct ProgramsPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    rows: Vec<Line>,
    /// May start a program.
    starts: bool,
}

struct Line {
    href: String,
    guide: String,
    name: String,
    code: String,
    currency: String,
    /// "2026.1, since 1 January 2026"
    in_force: String,
    /// "2026.2, from 1 July 2026"
    coming: Vec<String>,
}

/// The settings beside the page, for those who have settings.
fn menu(who: &Who) -> Vec<MenuItem> {
    if routes::opens("/admin", who.signed()) { super::menu(who, LIST) } else { Vec::new() }
}

/// GET /programs
pub async fn list(who: Who) -> Answer {
    let programs = who.reader().programs(who.viewer()).await?;
    let mut rows = Vec::with_capacity(programs.len());
    for program in programs {
        rows.push(line(&who, program).await?);
    }
    let starts = routes::opens("/programs/new", who.signed());
    show(&ProgramsPage { shell: who.shell("Program guides"), menu: menu(&who), rows, starts })
}

async fn line(who: &Who, program: Program) -> Result<Line, Error> {
    let guides = who.reader().guides(who.viewer(), program.id).await?;
    let (engine, today) = (&who.site().engine, who.today());
    let name = |guide: &Guide| engine.guide(guide).map(|policy| policy.guide.version.clone());
    let mut coming = Vec::new();
    for guide in history::coming(&guides, today) {
        coming.push(format!("{}, from {}", name(guide)?, date_words(guide.effective_from)));
    }
    let in_force = match history::in_force(&guides, today) {
        Some(guide) => format!("{}, since {}", name(guide)?, date_words(guide.effective_from)),
        None => String::new(),
    };
    Ok(Line {
        href: format!("{LIST}/{}", program.code),
        guide: format!("/guide/{}", program.code),
        name: program.name,
        code: program.code,
        currency: program.currency.to_string(),
        in_force,
        coming,
    })
}

#[derive(Template)]
#[template(path = "pages/admin/program_new.html")]
struct NewPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    form: Form,
    /// The choice of a shipped guide; it changes nothing.
    like: Form,
}

fn new_page(who: &Who, typed: Typed, like: Option<&str>) -> NewPage {
    let shipped = &engine::catalog::GUIDES;
    let chosen = shipped.iter().find(|guide| Some(guide.0) == like).or(shipped.first());
    let text = chosen.map_or("", |guide| guide.1);
    let choices = shipped.iter().map(|guide| Choice::new(guide.0, guide.0.trim_end_matches(".toml"))).collect();
    let form = who
        .form()
        .with(Field::text("code", "Code").hint("Short, such as EMEA. It stands in addresses and lists."))
        .with(Field::text("name", "Name"))
        .with(
            Field::area("guide", "Program guide", 24)
                .hint("TOML. Start from one that is shipped with Fundloop; docs/program-guides.md explains every key.")
                .value_is(text),
        );
    let like =
        Form::default().with(Field::select("like", "Start from", choices).value_is(chosen.map_or("", |guide| guide.0)));
    NewPage { shell: who.shell("Start a program"), menu: menu(who), form: typed.onto(form), like }
}

/// Which shipped guide to start from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Like {
    like: Option<String>,
}

/// GET /programs/new?like=ferrite-coop-north-america.toml
pub async fn new(who: Who, asked: Query<Like>) -> Answer {
    show(&new_page(&who, Typed::default(), asked.like.as_deref()))
}

/// POST /programs/new
pub async fn start(who: Who, posted: Posted) -> Answer {
    let done = async {
        let new = posted.read(who.marks(), |f| {
            let (code, name, guide) = (f.text("code"), f.text("name"), f.long_text("guide"));
            Some(NewProgram { code: code?, name: name?, guide: guide? })
        })?;
        let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
        Ok(finish(async move { engine.open_program(&actor, &new, &once).await }).await?.words.join(" "))
    }
    .await;
    who.settle(done, LIST, &posted, async |typed| Ok(new_page(&who, typed, None))).await
}
