//! /partners and /partners/{id}: the companies the vendor sells through, as its own people see them.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::ids::PartnerId;
use domain::people::Role;
use serde::Deserialize;
use storage::read::{CycleFilter, CycleLine, CycleSort, Paging, PartnerFilter, UserFilter};
use storage::rows::PartnerRow;
use url::form_urlencoded::Serializer;

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Amount, Badge, Due, Empty, Fact, Pager, Stats, Tone, capital, stage_badge};

const ROWS: u16 = 50;
/// A partner's page shows the latest cycles; the list of cycles has the rest.
const CYCLES: u16 = 20;

#[derive(Template)]
#[template(path = "pages/partners.html")]
struct PartnersPage {
    shell: Shell,
    text: String,
    regions: Vec<(String, bool)>,
    rows: Vec<Line>,
    pager: Option<Pager>,
    empty: Empty,
    may_change: bool,
}

struct Line {
    href: String,
    name: String,
    place: String,
    tier: String,
    currency: &'static str,
    standing: Badge,
}

/// What the address asks for.
#[derive(Deserialize)]
pub struct Asked {
    q: Option<String>,
    region: Option<String>,
    after: Option<String>,
}

/// GET /partners
pub async fn list(who: Who, asked: Query<Asked>) -> Answer {
    let (reader, region) = (who.reader(), asked.region.clone().filter(|region| !region.is_empty()));
    let text = asked.q.clone().unwrap_or_default();
    let filter = PartnerFilter { text: Some(text.clone()), region: region.clone(), ..PartnerFilter::default() };
    let paging = Paging { after: asked.after.clone(), size: ROWS };
    let page = reader.partners(who.viewer(), &filter, &paging).await?;
    let regions = reader.regions(who.viewer()).await?;
    let next = page.next.as_ref().map(|next| {
        let pairs = [("q", text.as_str()), ("region", region.as_deref().unwrap_or("")), ("after", next)];
        format!("/partners?{}", Serializer::new(String::new()).extend_pairs(pairs).finish())
    });
    let is_set = !text.trim().is_empty() || region.is_some();
    let empty = if is_set {
        Empty::new("No partner fits", "Nothing here has that name and region.").action("/partners", "Show all partners")
    } else {
        Empty::new("No partners yet", "The companies you sell through will be listed here.")
    };
    show(&PartnersPage {
        shell: who.shell("Partners"),
        regions: regions.into_iter().map(|name| (name.clone(), Some(&name) == region.as_ref())).collect(),
        pager: next.map(|next| Pager { words: "By name".to_owned(), previous: None, next: Some(next) }),
        rows: page.rows.iter().map(line).collect(),
        may_change: who.has(Role::Administrator),
        text,
        empty,
    })
}

fn line(partner: &PartnerRow) -> Line {
    Line {
        href: format!("/partners/{}", partner.id),
        name: partner.name.clone(),
        place: format!("{}, {}", partner.region, partner.country),
        tier: partner.tier.clone(),
        currency: partner.currency.code(),
        standing: standing(partner),
    }
}

fn standing(partner: &PartnerRow) -> Badge {
    if partner.good_standing {
        Badge::new(Tone::Ok, "In good standing")
    } else {
        Badge::new(Tone::Bad, "Not in good standing")
    }
}

#[derive(Template)]
#[template(path = "pages/partner.html")]
struct PartnerPage {
    shell: Shell,
    name: String,
    id: String,
    standing: Badge,
    facts: Stats,
    cycles: Vec<CycleRow>,
    has_more: bool,
    people: Vec<Colleague>,
    may_change: bool,
}

struct CycleRow {
    number: String,
    title: String,
    stage: Badge,
    due: Option<Due>,
    asked: Amount,
    paid: Amount,
}

struct Colleague {
    name: String,
    email: String,
    roles: String,
}

/// GET /partners/{id}
pub async fn show_page(who: Who, id: Path<PartnerId>) -> Answer {
    let reader = who.reader();
    let partner = reader.partner(who.viewer(), *id).await?;
    let filter = CycleFilter { partner: Some(*id), ..CycleFilter::default() };
    let page = reader.cycles(who.viewer(), &filter, CycleSort::Newest, &Paging::first(CYCLES)).await?;
    show(&PartnerPage {
        shell: who.shell(&partner.name),
        id: partner.id.to_string(),
        standing: standing(&partner),
        facts: facts(&who, &partner).await?,
        has_more: page.next.is_some(),
        cycles: page.rows.iter().map(|line| cycle_row(line, &who)).collect(),
        people: people(&who, &partner).await?,
        may_change: who.has(Role::Administrator),
        name: partner.name,
    })
}

async fn facts(who: &Who, partner: &PartnerRow) -> Result<Stats, Error> {
    let manager = match partner.manager_id {
        Some(id) => who.reader().user(who.viewer(), id).await.map_or("Nobody named".to_owned(), |user| user.name),
        None => "Whoever covers the region".to_owned(),
    };
    let mut facts = vec![
        Fact::new("Region", format!("{}, {}", partner.region, partner.country)),
        Fact::new("Tier", partner.tier.clone()),
        Fact::new("Currency", partner.currency.code()),
        Fact::new("Channel manager", manager),
    ];
    facts.extend(partner.attributes.iter().map(|(name, value)| Fact::new(capital(name), value.clone())));
    Ok(Stats { facts })
}

fn cycle_row(line: &CycleLine, who: &Who) -> CycleRow {
    CycleRow {
        number: line.number.clone(),
        title: line.title.clone(),
        stage: stage_badge(line.stage, line.level),
        due: line.due.map(|on| Due { on, today: who.today() }),
        asked: Amount::from(line.asked),
        paid: Amount::from(line.paid),
    }
}

/// A partner's people, for those who may see them.
async fn people(who: &Who, partner: &PartnerRow) -> Result<Vec<Colleague>, Error> {
    let filter = UserFilter { partner: Some(partner.id), disabled: Some(false), ..UserFilter::default() };
    let users = who.reader().users(who.viewer(), &filter).await?;
    let colleague = |user: &storage::rows::User| Colleague {
        name: user.name.clone(),
        email: user.email.clone(),
        roles: user.roles.iter().map(|role| role.label()).collect::<Vec<_>>().join(", "),
    };
    Ok(users.iter().map(colleague).collect())
}
