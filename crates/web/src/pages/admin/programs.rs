//! /admin/programs: programs, and what each is started with. The versions of a guide are in `version`.

mod version;

pub use version::{compare, show_page, take_in};

use actix_web::web::Query;
use askama::Template;
use engine::programs::NewProgram;
use serde::Deserialize;
use storage::rows::Program;

use super::{MenuItem, menu};
use crate::error::Answer;
use crate::extract::{Who, finish, once, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Choice, Field, Form};

const LIST: &str = "/admin/programs";

#[derive(Template)]
#[template(path = "pages/admin/programs.html")]
struct ProgramsPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    rows: Vec<Line>,
}

struct Line {
    href: String,
    guide: String,
    name: String,
    code: String,
    currency: String,
}

/// GET /admin/programs
pub async fn list(who: Who) -> Answer {
    let programs = who.reader().programs(who.viewer()).await?;
    let line = |program: Program| Line {
        href: format!("{LIST}/{}", program.code),
        guide: format!("/guide/{}", program.code),
        name: program.name,
        code: program.code,
        currency: program.currency.to_string(),
    };
    let rows = programs.into_iter().map(line).collect();
    show(&ProgramsPage { shell: who.shell("Programs"), menu: menu(&who, LIST), rows })
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
    NewPage { shell: who.shell("Start a program"), menu: menu(who, LIST), form: typed.onto(form), like }
}

/// Which shipped guide to start from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Like {
    like: Option<String>,
}

/// GET /admin/programs/new?like=ferrite-coop-north-america.toml
pub async fn new(who: Who, asked: Query<Like>) -> Answer {
    show(&new_page(&who, Typed::default(), asked.like.as_deref()))
}

/// POST /admin/programs/new
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
