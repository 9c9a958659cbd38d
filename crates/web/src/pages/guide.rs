//! /guide/{program}: the program guide in the partner's words, made from the policy that judges them; every version that
//! counted, counts or will count, and from when another one does.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::Date;
use domain::calendar::Count;
use domain::policy::{ActivityType, Change, Claimable, Paragraph, Policy, ProofItem, changes, describe};
use engine::Engine;
use serde::Deserialize;
use storage::read::{CycleFilter, CycleSort, Paging};
use storage::rows::{Guide, Program};
use url::form_urlencoded;

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::pages::admin::programs::{State, coming, in_force, state};
use crate::shell::Shell;
use crate::view::{Choice, Fact, Facts, date_words};

#[derive(Template)]
#[template(path = "pages/guide.html")]
struct GuidePage {
    shell: Shell,
    code: String,
    name: String,
    version: String,
    /// "in force since 1 January 2026"
    stands: String,
    /// Another version is in force today: its name and page.
    instead: Option<(String, String)>,
    /// Versions that will count after this one, and what each changes.
    ahead: Vec<Ahead>,
    /// All versions one may read, newest first: name, page, from when.
    versions: Vec<(String, String, String)>,
    summary: String,
    shares: Vec<(String, String)>,
    activities: Vec<Activity>,
    eligible: Vec<String>,
    never: Vec<String>,
    /// Everything else the guide says, before and after its tables.
    before: Vec<Paragraph>,
    after: Vec<Paragraph>,
    terms: Vec<String>,
    /// The days of an activity somebody asked about.
    example: Option<Facts>,
    starts: String,
    ends: String,
    /// The version asked for; empty for the one in force.
    asked_version: String,
    /// Countries whose public holidays the guide knows, for those who belong to none.
    countries: Vec<Choice>,
    country: String,
    others: Vec<(String, String)>,
}

/// A version that is still to come.
struct Ahead {
    version: String,
    href: String,
    from: String,
    changes: Vec<Change>,
}

struct Activity {
    name: String,
    all_of: Vec<String>,
    one_of: Vec<String>,
    /// "at least one of"
    least: String,
}

/// An activity to work the deadlines out for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    starts: String,
    ends: String,
    /// As the guide's text names it; empty for the one in force.
    version: String,
    /// ISO 3166-1 alpha-2, asked of the vendor's people; a partner's own is known.
    country: String,
}

/// Where a version of a guide is read.
pub fn href(program: &str, version: &str) -> String {
    let version: String = form_urlencoded::byte_serialize(version.as_bytes()).collect();
    format!("/guide/{program}?version={version}")
}

/// GET /guide: the program of the newest cycle one may see, or the first there is; the others are named on its page.
pub async fn show_first(who: Who) -> Answer {
    let (reader, viewer) = (who.reader(), who.viewer());
    let cycles = reader.cycles(viewer, &CycleFilter::default(), CycleSort::Newest, &Paging::first(1)).await?.rows;
    let programs = reader.programs(viewer).await?;
    let own = programs.iter().find(|program| cycles.iter().any(|cycle| cycle.program_id == program.id));
    let first = own.or(programs.first()).ok_or(Error::NotFound)?;
    show(&page(&who, &first.code, &Asked::default()).await?)
}

/// GET /guide/{program}?version=2026.1&starts=2026-06-16&ends=2026-06-17
pub async fn show_page(who: Who, code: Path<String>, asked: Query<Asked>) -> Answer {
    show(&page(&who, &code, &asked).await?)
}

async fn page(who: &Who, code: &str, asked: &Asked) -> Result<GuidePage, Error> {
    let (reader, engine) = (who.reader(), &who.site().engine);
    let programs = reader.programs(who.viewer()).await?;
    let named = |program: &&Program| program.code == code || program.id.to_string() == code;
    let program = programs.iter().find(named).cloned().ok_or(Error::NotFound)?;
    let guides = reader.guides(who.viewer(), program.id).await?;
    let stored = version(who, &program, &guides, &asked.version).await?;
    let policy = engine.guide(&stored)?;
    let (stands, instead) = stands(engine, &guides, &stored, &program.code, who.today())?;
    let country = match who.actor().me.partner {
        Some(partner) => reader.partner(who.viewer(), partner).await?.country,
        None => asked.country.trim().to_uppercase(),
    };
    let days = asked.starts.parse::<Date>().ok().map(|starts| (starts, asked.ends.parse::<Date>().unwrap_or(starts)));
    let said = describe(&policy);
    let lines =
        |code: &str| said.iter().find(|about| about.code == code).map_or_else(Vec::new, |about| about.lines.clone());
    let about = |codes: &[&str]| -> Vec<Paragraph> {
        codes.iter().filter_map(|code| said.iter().find(|about| about.code == *code).cloned()).collect()
    };
    Ok(GuidePage {
        shell: who.shell(&policy.guide.name),
        name: policy.guide.name.clone(),
        version: policy.guide.version.clone(),
        stands,
        instead,
        ahead: ahead(engine, &guides, &stored, &program.code, who.today())?,
        versions: versions(engine, &guides, &program.code, who.today())?,
        summary: policy.guide.summary.trim().to_owned(),
        shares: lines("shares").iter().map(|line| share(line)).collect(),
        activities: policy.activity.iter().map(activity).collect(),
        eligible: lines("eligible"),
        never: lines("never"),
        before: about(&["limits", "asking", "gates"]),
        after: about(&["deadlines", "approval", "amendment", "earning", "using", "exchange", "results", "records"]),
        terms: lines("terms"),
        example: days.map(|(starts, ends)| Facts { facts: example(&policy, starts, ends.max(starts), &country) }),
        starts: asked.starts.clone(),
        ends: asked.ends.clone(),
        asked_version: asked.version.clone(),
        countries: if who.actor().me.is_partner() { Vec::new() } else { countries(&policy) },
        country,
        others: programs
            .into_iter()
            .filter(|other| other.id != program.id)
            .map(|other| (format!("/guide/{}", other.code), other.name))
            .collect(),
        code: program.code,
    })
}

/// The version asked for by name, or the one in force. One that was withdrawn is there for those who keep guides.
async fn version(who: &Who, program: &Program, guides: &[Guide], name: &str) -> Result<Guide, Error> {
    if name.is_empty() {
        return in_force(guides, who.today()).cloned().ok_or(Error::NotFound);
    }
    let engine = &who.site().engine;
    let is = |guide: &Guide| engine.guide(guide).is_ok_and(|policy| policy.guide.version == name);
    if let Some(found) = guides.iter().find(|guide| is(guide)) {
        return Ok(found.clone());
    }
    let history = who.reader().guide_history(who.viewer(), program.id).await?;
    history.into_iter().map(|version| version.guide).find(is).ok_or(Error::NotFound)
}

/// Since when, or from when to when, a version counts, in words; and which other one is in force today.
fn stands(
    engine: &Engine,
    guides: &[Guide],
    guide: &Guide,
    code: &str,
    today: Date,
) -> Result<(String, Option<(String, String)>), Error> {
    let from = date_words(guide.effective_from);
    let next = guides.iter().rev().find(|other| {
        (other.effective_from, other.version) > (guide.effective_from, guide.version) && other.effective_from <= today
    });
    let words = match state(guides, guide, today) {
        State::InForce => return Ok((format!("in force since {from}"), None)),
        State::Coming => format!("will count from {from}"),
        State::Overtaken => format!("was to count from {from}; another version counts from that day"),
        State::Withdrawn => "withdrawn before it counted".to_owned(),
        State::Replaced => match next {
            Some(next) => format!("counted from {from} until {}", date_words(next.effective_from)),
            None => format!("counted from {from}"),
        },
    };
    let Some(held) = in_force(guides, today) else { return Ok((words, None)) };
    let name = engine.guide(held)?.guide.version.clone();
    let there = href(code, &name);
    Ok((words, Some((name, there))))
}

/// What counts after a version, each beside the one before it. A version that no longer counts has nothing ahead of it:
/// what was opened under it keeps it.
fn ahead(engine: &Engine, guides: &[Guide], guide: &Guide, code: &str, today: Date) -> Result<Vec<Ahead>, Error> {
    if !matches!(state(guides, guide, today), State::InForce | State::Coming) {
        return Ok(Vec::new());
    }
    let mut held = engine.guide(guide)?;
    let mut ahead = Vec::new();
    for next in coming(guides, today).filter(|next| next.effective_from > guide.effective_from) {
        let policy = engine.guide(next)?;
        ahead.push(Ahead {
            version: policy.guide.version.clone(),
            href: href(code, &policy.guide.version),
            from: date_words(next.effective_from),
            changes: changes(&held, &policy),
        });
        held = policy;
    }
    Ok(ahead)
}

fn versions(
    engine: &Engine,
    guides: &[Guide],
    code: &str,
    today: Date,
) -> Result<Vec<(String, String, String)>, Error> {
    let shown = guides.iter().filter(|guide| state(guides, guide, today) != State::Overtaken);
    let line = |guide: &Guide| {
        let name = engine.guide(guide)?.guide.version.clone();
        let there = href(code, &name);
        Ok((name, there, date_words(guide.effective_from)))
    };
    shown.map(line).collect()
}

/// Countries whose holidays the guide knows: they move days only where business days are counted.
fn countries(policy: &Policy) -> Vec<Choice> {
    let known: Vec<_> = policy.holidays.iter().map(|of| (of.country.clone(), of.country.clone())).collect();
    Choice::any_of("No public holidays", known)
}

/// "Webinar, gold partners: 75 %." in two cells.
fn share(line: &str) -> (String, String) {
    let line = line.trim_end_matches('.');
    line.rsplit_once(": ")
        .map_or_else(|| (line.to_owned(), String::new()), |(what, share)| (what.to_owned(), share.to_owned()))
}

fn activity(kind: &ActivityType) -> Activity {
    let name = |item: &ProofItem| {
        let columns = (!item.columns.is_empty()).then(|| format!("columns {}", item.columns.join(", ")));
        let notes: Vec<String> =
            (!item.kinds.is_empty()).then(|| item.kinds.join(", ")).into_iter().chain(columns).collect();
        if notes.is_empty() { item.name.clone() } else { format!("{} ({})", item.name, notes.join("; ")) }
    };
    Activity {
        name: kind.name.clone(),
        all_of: kind.all_of.iter().map(name).collect(),
        one_of: kind.one_of.iter().map(name).collect(),
        least: if kind.at_least > 1 { format!("{} of these:", kind.at_least) } else { String::new() },
    }
}

/// The days of an activity, as every rule counts them for a partner of this country.
fn example(policy: &Policy, starts: Date, ends: Date, country: &str) -> Vec<Fact> {
    let claim = |first: bool| policy.claim_due(Claimable { ends, period_ends: None, first, extended: 0 });
    let ask = Fact::new("Last day to ask", date_words(policy.last_day_to_ask(starts, country)));
    let known = policy.lead_time.count == Count::Business && !policy.holidays_of(country).is_empty();
    let mut facts = vec![
        if known { ask.note(format!("public holidays in {country} are no business days")) } else { ask },
        Fact::new("Proof due", date_words(policy.proof_due(ends))),
        Fact::new("Expires after", date_words(policy.proof_ends(ends, None))),
    ];
    let last = Fact::new("Last day to claim", date_words(claim(false)));
    facts.push(if claim(true) == claim(false) {
        last
    } else {
        last.note(format!("{} for a first claim", date_words(claim(true))))
    });
    facts
}
