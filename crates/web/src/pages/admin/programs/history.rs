//! /programs/{code}/versions/{version}: one version of a guide as it was taken in, what it changed, and taking it back
//! before its day comes.

use actix_web::web::Path;
use askama::Template;
use domain::Date;
use domain::ids::ProgramId;
use domain::policy::{Change, changes};
use engine::programs::keeps_guides;
use storage::read::GuideVersion;
use storage::rows::{Guide, Program};

use super::super::MenuItem;
use super::{LIST, menu};
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, once, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Badge, Fact, Facts, Field, Form, Tone, date_words};

/// What became of a version, or will.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    InForce,
    Coming,
    Replaced,
    /// Another version counts from the same day to come.
    Overtaken,
    Withdrawn,
}

impl State {
    pub fn badge(self) -> Badge {
        match self {
            State::InForce => Badge::new(Tone::Ok, "In force today"),
            State::Coming => Badge::new(Tone::Wait, "Still to come"),
            State::Replaced => Badge::new(Tone::Off, "Replaced"),
            State::Overtaken => Badge::new(Tone::Off, "Will not count: another one does from the same day"),
            State::Withdrawn => Badge::new(Tone::Off, "Withdrawn"),
        }
    }
}

/// The version in force on a day among those that count, newest first; before the first, the first.
pub fn in_force(guides: &[Guide], day: Date) -> Option<&Guide> {
    guides.iter().find(|guide| guide.effective_from <= day).or(guides.last())
}

/// Versions that will count from a day to come, the next one first.
pub fn coming(guides: &[Guide], today: Date) -> impl Iterator<Item = &Guide> {
    guides.iter().rev().filter(move |guide| {
        guide.effective_from > today && in_force(guides, guide.effective_from).is_some_and(|held| held == *guide)
    })
}

/// What a version is on a day, among those of its guide that were not taken back.
pub fn state(guides: &[Guide], guide: &Guide, today: Date) -> State {
    if !guides.contains(guide) {
        return State::Withdrawn;
    }
    if in_force(guides, today) == Some(guide) {
        return State::InForce;
    }
    match guide.effective_from > today {
        false => State::Replaced,
        true if in_force(guides, guide.effective_from) == Some(guide) => State::Coming,
        true => State::Overtaken,
    }
}

/// The version that counts just before another one does, or would.
pub fn before<'a>(guides: &'a [Guide], guide: &Guide) -> Option<&'a Guide> {
    guides.iter().find(|other| {
        let earlier = (other.effective_from, other.version) < (guide.effective_from, guide.version);
        earlier && other.version != guide.version
    })
}

#[derive(Template)]
#[template(path = "pages/admin/program_version.html")]
struct VersionPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    program: Program,
    /// As the address names it.
    number: u32,
    name: String,
    state: Badge,
    /// Where partners read it; a version that was withdrawn has been taken from them.
    read_at: String,
    facts: Facts,
    /// The version before it, and what this one changed of it.
    changed: Option<(String, Vec<Change>)>,
    text: String,
    form: Form,
    /// Still to come, and this person's to take back.
    may_withdraw: bool,
}

/// GET /programs/{code}/versions/{version}
pub async fn show_version(who: Who, path: Path<(String, u32)>) -> Answer {
    let (code, number) = path.into_inner();
    show(&page(&who, &code, number, &Typed::default()).await?)
}

/// POST /programs/{code}/versions/{version}/withdrawal
pub async fn withdraw(who: Who, path: Path<(String, u32)>, posted: Posted) -> Answer {
    let (code, number) = path.into_inner();
    let program: ProgramId = who.reader().program(who.viewer(), &code).await?.id;
    let done = async {
        let reason = posted.read(who.marks(), |f| f.text("reason"))?;
        let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
        let work = async move { engine.withdraw_guide(&actor, program, number, &reason, &once).await };
        Ok(finish(work).await?.words.join(" "))
    }
    .await;
    let page = async |typed| page(&who, &code, number, &typed).await;
    who.settle(done, &format!("{LIST}/{code}"), &posted, page).await
}

async fn page(who: &Who, code: &str, number: u32, typed: &Typed) -> Result<VersionPage, Error> {
    let (reader, engine) = (who.reader(), &who.site().engine);
    let program = reader.program(who.viewer(), code).await?;
    let history = reader.guide_history(who.viewer(), program.id).await?;
    let guides = reader.guides(who.viewer(), program.id).await?;
    let version = history.into_iter().find(|version| version.guide.version == number).ok_or(Error::NotFound)?;
    let policy = engine.guide(&version.guide)?;
    let state = state(&guides, &version.guide, who.today());
    let changed = match before(&guides, &version.guide) {
        Some(earlier) => {
            let earlier = engine.guide(earlier)?;
            Some((earlier.guide.version.clone(), changes(&earlier, &policy)))
        }
        None => None,
    };
    let name = policy.guide.version.clone();
    let form = who.form().with(Field::text("reason", "Why it is withdrawn").hint("Colleagues read it in the log."));
    Ok(VersionPage {
        shell: who.shell(&format!("{}, version {name}", program.name)),
        menu: menu(who),
        number,
        read_at: super::super::super::guide::href(code, &name),
        state: state.badge(),
        facts: Facts { facts: facts(&version) },
        changed,
        text: version.guide.toml.clone(),
        form: typed.onto(form),
        may_withdraw: matches!(state, State::Coming | State::Overtaken) && keeps_guides(who.actor()).is_some(),
        name,
        program,
    })
}

fn facts(version: &GuideVersion) -> Vec<Fact> {
    let GuideVersion { guide, by, withdrawn } = version;
    let mut facts = vec![Fact::new("Counts from", date_words(guide.effective_from))];
    let activated = Fact::new("Activated", date_words(guide.created_at.date_naive()));
    facts.push(match by {
        Some(by) => activated.note(format!("by {by}")),
        None => activated,
    });
    if let Some(taken) = withdrawn {
        let note = format!("by {}: {}", taken.by_name, taken.reason);
        facts.push(Fact::new("Withdrawn", date_words(taken.at.date_naive())).note(note));
    }
    facts
}
