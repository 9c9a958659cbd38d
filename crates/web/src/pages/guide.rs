//! /guide/{program}: the program guide in the partner's words, made from the policy that judges them.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::Date;
use domain::policy::{ActivityType, Claimable, Paragraph, Policy, ProofItem, describe};
use serde::Deserialize;

use crate::error::Answer;
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Fact, Facts, date_words};

#[derive(Template)]
#[template(path = "pages/guide.html")]
struct GuidePage {
    shell: Shell,
    code: String,
    name: String,
    version: String,
    since: String,
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
    others: Vec<(String, String)>,
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
}

/// GET /guide: the one program, or the choice among several.
pub async fn show_first(who: Who) -> Answer {
    let programs = who.reader().programs(who.viewer()).await?;
    let first = programs.first().ok_or(crate::error::Error::NotFound)?;
    show(&page(&who, &first.code, &Asked::default()).await?)
}

/// GET /guide/{program}?starts=2026-06-16&ends=2026-06-17
pub async fn show_page(who: Who, code: Path<String>, asked: Query<Asked>) -> Answer {
    show(&page(&who, &code, &asked).await?)
}

async fn page(who: &Who, code: &str, asked: &Asked) -> Result<GuidePage, crate::error::Error> {
    let reader = who.reader();
    let program = reader.program(who.viewer(), code).await?;
    let stored = reader.guide_on(who.viewer(), program.id, who.today()).await?;
    let policy = who.site().engine.guide(&stored)?;
    let programs = reader.programs(who.viewer()).await?;
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
        since: date_words(policy.guide.effective_from),
        summary: policy.guide.summary.trim().to_owned(),
        shares: lines("shares").iter().map(|line| share(line)).collect(),
        activities: policy.activity.iter().map(activity).collect(),
        eligible: lines("eligible"),
        never: lines("never"),
        before: about(&["limits", "asking", "gates"]),
        after: about(&["deadlines", "approval", "amendment", "earning", "using", "exchange", "results", "records"]),
        terms: lines("terms"),
        example: days.map(|(starts, ends)| Facts { facts: example(&policy, starts, ends.max(starts)) }),
        starts: asked.starts.clone(),
        ends: asked.ends.clone(),
        others: programs
            .into_iter()
            .filter(|other| other.id != program.id)
            .map(|other| (format!("/guide/{}", other.code), other.name))
            .collect(),
        code: program.code,
    })
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

/// The days of an activity, as every rule counts them.
fn example(policy: &Policy, starts: Date, ends: Date) -> Vec<Fact> {
    let claim = |first: bool| policy.claim_due(Claimable { ends, period_ends: None, first, extended: 0 });
    let mut facts = vec![
        Fact::new("Last day to ask", date_words(policy.last_day_to_ask(starts, "")))
            .note("public holidays in your country move it earlier"),
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
