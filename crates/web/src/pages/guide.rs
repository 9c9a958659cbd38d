//! /guide/{program}: the program guide in the partner's words, made from the policy that judges them.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::Date;
use domain::calendar::plus;
use domain::policy::{ActivityType, Gate, Late, Material, Policy, ProofItem, Rate};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::error::Answer;
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Amount, Fact, Facts, count, date_words};

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
    lead_time: String,
    late: &'static str,
    gates: Vec<&'static str>,
    minimum: Amount,
    eligible: Vec<String>,
    never: Vec<String>,
    activities: Vec<Activity>,
    windows: Facts,
    levels: Vec<(String, String, String)>,
    material: String,
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
    Ok(GuidePage {
        shell: who.shell(&policy.guide.name),
        name: policy.guide.name.clone(),
        version: policy.guide.version.clone(),
        since: date_words(policy.guide.effective_from),
        summary: policy.guide.summary.trim().to_owned(),
        shares: shares(&policy),
        lead_time: policy.lead_time.count.words(policy.lead_time.days),
        late: match policy.lead_time.late {
            Late::Refused => "A request that comes later is refused.",
            Late::NeedsReason => "A request that comes later needs a reason.",
        },
        gates: policy.request.gates.iter().map(gate).collect(),
        minimum: policy.amount(policy.request.minimum).into(),
        eligible: policy.costs.eligible.iter().map(|category| category.name.clone()).collect(),
        never: policy.costs.never.clone(),
        activities: policy.activity.iter().map(activity).collect(),
        windows: Facts { facts: windows(&policy) },
        levels: levels(&policy),
        material: policy.amendment.material.iter().map(material).collect::<Vec<_>>().join(", "),
        terms: policy.guide.terms.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect(),
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

fn percent(share: Decimal) -> String {
    format!("{} %", (share * Decimal::ONE_HUNDRED).normalize())
}

/// For whom and what: the vendor's share, the special rates first, as they are applied.
fn shares(policy: &Policy) -> Vec<(String, String)> {
    let special = policy.share.rate.iter().map(|rate| (conditions(policy, rate), percent(rate.share)));
    special.chain([("Everything else".to_owned(), percent(policy.share.default))]).collect()
}

/// "Webinar, gold partners, starting Thu 1 October 2026 to Sat 31 October 2026".
fn conditions(policy: &Policy, rate: &Rate) -> String {
    let kind = rate
        .activity
        .as_ref()
        .map(|code| policy.activity_type(code).map_or(code.as_str(), |kind| &kind.name).to_owned());
    let tier = rate.tier.as_ref().map(|tier| format!("{tier} partners"));
    let days = match (rate.from, rate.to) {
        (Some(from), Some(to)) => Some(format!("starting from {} to {}", date_words(from), date_words(to))),
        (Some(from), None) => Some(format!("starting from {}", date_words(from))),
        (None, Some(to)) => Some(format!("starting until {}", date_words(to))),
        (None, None) => None,
    };
    let parts: Vec<String> = [kind, tier, days].into_iter().flatten().collect();
    crate::view::capital(&parts.join(", "))
}

fn gate(gate: &Gate) -> &'static str {
    match gate {
        Gate::PlanAgreed => "Your business plan is agreed.",
        Gate::ScorecardNotRed => "Your scorecard is not red.",
        Gate::GoodStanding => "You are in good standing.",
    }
}

fn material(field: &Material) -> &'static str {
    match field {
        Material::What => "what",
        Material::Where => "where",
        Material::When => "when",
        Material::Who => "who",
        Material::HowMuch => "how much",
    }
}

fn activity(kind: &ActivityType) -> Activity {
    let name = |item: &ProofItem| {
        if item.kinds.is_empty() { item.name.clone() } else { format!("{} ({})", item.name, item.kinds.join(", ")) }
    };
    Activity {
        name: kind.name.clone(),
        all_of: kind.all_of.iter().map(name).collect(),
        one_of: kind.one_of.iter().map(name).collect(),
    }
}

fn days(days: u16) -> String {
    count(u64::from(days), "day", "days")
}

fn windows(policy: &Policy) -> Vec<Fact> {
    let (proof, claim) = (&policy.proof, &policy.claim);
    let least: Amount = policy.amount(claim.minimum).into();
    vec![
        Fact::new("Proof is due", format!("{} after the activity ends", days(proof.days))),
        Fact::new("After that", format!("{} of grace, then its money is released", days(proof.grace))),
        Fact::new("Proof is reviewed", format!("within {}", days(proof.review_days))),
        Fact::new("Claims are due", format!("{} after the activity ends", days(claim.days)))
            .note(format!("{} for your first claim ever", days(claim.first_time_days))),
        Fact::new("The least to claim", least).note("unless it is the last claim on a campaign"),
        Fact::new("Claims on a campaign", format!("at most {}", claim.most_per_campaign)),
        Fact::new("Finance decides", format!("within {}", days(claim.review_days))),
        Fact::new("And pays", format!("within {} more", days(claim.pay_days))),
        Fact::new("Results count", format!("until {} after the period", days(policy.tracking.days))).note(format!(
            "a deal counts when it was touched in the {} before it closed",
            days(policy.tracking.lookback_days)
        )),
    ]
}

/// Who decides, from which amount, and how fast.
fn levels(policy: &Policy) -> Vec<(String, String, String)> {
    let level = |band: &domain::policy::Band| {
        let from = Amount::from(policy.amount(*band.from.get_ref())).plain();
        let from = if band.level == 1 { "Every request".to_owned() } else { format!("Also from {from}") };
        (band.name.clone(), from, format!("within {}", days(band.sla_days)))
    };
    policy.approval.iter().map(level).collect()
}

fn example(policy: &Policy, starts: Date, ends: Date) -> Vec<Fact> {
    let proof = policy.proof_due(ends);
    vec![
        Fact::new(
            "Last day to ask",
            date_words(domain::calendar::minus(starts, policy.lead_time.days, policy.lead_time.count, &[])),
        )
        .note("public holidays in your country move it earlier"),
        Fact::new("Proof due", date_words(proof)),
        Fact::new("Expires after", date_words(plus(proof, policy.proof.grace))),
        Fact::new("Last day to claim", date_words(plus(ends, policy.claim.days)))
            .note(format!("{} for a first claim", date_words(plus(ends, policy.claim.first_time_days)))),
    ]
}
