//! /admin/programs: programs and the versions of their guides; a new version is read, compared, then taken in.

use actix_web::web::Path;
use askama::Template;
use domain::policy::Policy;
use engine::programs::NewProgram;
use storage::rows::{Guide, Program};

use super::{MenuItem, menu};
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, once, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Field, Form, date_words};

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
}

fn new_page(who: &Who, typed: Typed) -> NewPage {
    let shipped = engine::catalog::GUIDES.first().map_or("", |guide| guide.1);
    let form = who
        .form()
        .with(Field::text("code", "Code").hint("Short, such as EMEA. It stands in addresses and lists."))
        .with(Field::text("name", "Name"))
        .with(
            Field::area("guide", "Program guide", 24)
                .hint("TOML. Start from this one, which is shipped with Fundloop.")
                .value_is(shipped),
        );
    NewPage { shell: who.shell("Start a program"), menu: menu(who, LIST), form: typed.onto(form) }
}

/// GET /admin/programs/new
pub async fn new(who: Who) -> Answer {
    show(&new_page(&who, Typed::default()))
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
    who.settle(done, LIST, &posted, async |typed| Ok(new_page(&who, typed))).await
}

#[derive(Template)]
#[template(path = "pages/admin/program.html")]
struct ProgramPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    program: Program,
    versions: Vec<Version>,
    form: Form,
    /// What another version would change, where one is being looked at.
    changes: Option<Vec<Change>>,
}

struct Version {
    name: String,
    from: String,
    in_force: bool,
}

/// One line of a comparison.
struct Change {
    /// `ins`, `del` or nothing.
    kind: &'static str,
    line: String,
}

async fn page(who: &Who, code: &str, typed: Typed, compare: Option<&str>) -> Result<ProgramPage, Error> {
    let (program, guides) = guides(who, code).await?;
    let today = who.today();
    let in_force = guides.iter().find(|guide| guide.effective_from <= today).or(guides.last());
    let text = in_force.map_or("", |guide| guide.toml.as_str());
    let version = |guide: &Guide| Version {
        name: Policy::load(&guide.toml).map_or_else(|_| guide.version.to_string(), |policy| policy.guide.version),
        from: date_words(guide.effective_from),
        in_force: in_force.is_some_and(|held| held.version == guide.version),
    };
    let form = who.form().with(
        Field::area("guide", "Another version", 24)
            .hint("Change what is to change, give it a version and a day it counts from, and compare.")
            .value_is(text),
    );
    Ok(ProgramPage {
        shell: who.shell(&program.name),
        menu: menu(who, LIST),
        versions: guides.iter().map(version).collect(),
        form: typed.onto(form),
        changes: compare.map(|new| compared(text, new)),
        program,
    })
}

async fn guides(who: &Who, code: &str) -> Result<(Program, Vec<Guide>), Error> {
    let program = who.reader().program(who.viewer(), code).await?;
    let guides = who.reader().guides(who.viewer(), program.id).await?;
    Ok((program, guides))
}

/// Lines taken out and put in; the longest run of common lines stays.
fn compared(old: &str, new: &str) -> Vec<Change> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for (i, left) in old.iter().enumerate().rev() {
        for (j, right) in new.iter().enumerate().rev() {
            common[i][j] =
                if left == right { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut changes) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            changes.push(Change { kind: "del", line: old[i].to_owned() });
            i += 1;
        } else {
            changes.push(Change { kind: "ins", line: new[j].to_owned() });
            j += 1;
        }
    }
    changes
}

/// GET /admin/programs/{code}
pub async fn show_page(who: Who, code: Path<String>) -> Answer {
    show(&page(&who, &code, Typed::default(), None).await?)
}

/// POST /admin/programs/{code}/comparison: what a version would change; nothing is kept.
pub async fn compare(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let read = posted.read(who.marks(), |f| f.long_text("guide"));
    let checked = read.and_then(|text| match Policy::load(&text) {
        Ok(_) => Ok(text),
        Err(problems) => Err(Error::at(
            "guide",
            problems
                .iter()
                .map(|problem| format!("Line {}: {}.", problem.line, problem.problem))
                .collect::<Vec<_>>()
                .join(" "),
        )),
    });
    match checked {
        Ok(text) => show(&page(&who, &code, posted.typed().clone(), Some(&text)).await?),
        Err(error) => {
            who.settle(Err::<String, Error>(error), LIST, &posted, async |typed| page(&who, &code, typed, None).await)
                .await
        }
    }
}

/// POST /admin/programs/{code}/guide
pub async fn take_in(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let text = posted.read(who.marks(), |f| f.long_text("guide"))?;
        let program = who.reader().program(who.viewer(), &code).await?.id;
        let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
        Ok(finish(async move { engine.add_guide(&actor, program, &text, &once).await }).await?.words.join(" "))
    }
    .await;
    let back = format!("{LIST}/{code}");
    who.settle(done, &back, &posted, async |typed| page(&who, &code, typed, None).await).await
}
