//! Who is in the story: the vendor's people, the partners and theirs, the programs and their funds.

use super::last_day_of_quarter;
use chrono::{Datelike, Months};
use domain::Date;
use domain::fund::{Attribute, FundCommand, FundKind, Sharing};
use domain::ids::{PartnerId, ProgramId, UserId};
use domain::money::{Currency, Marks, Money};
use domain::people::{Actor, Role};
use engine::allocations::Rule;
use engine::programs::NewProgram;
use engine::{Engine, NewFund, Submission, WhichFund};
use std::collections::BTreeMap;
use storage::Db;
use storage::rows::{PartnerRow, User};
use uuid::Uuid;

/// Every demo account has this password.
pub const PASSWORD: &str = "fundloop-demo";

const DACH: &str = "DACH";
const NORTH_EAST: &str = "Europe North and East";
const AMERICA: &str = "North America";

struct Person {
    key: &'static str,
    name: &'static str,
    email: &'static str,
    roles: &'static [Role],
    partner: Option<&'static str>,
    territory: &'static [&'static str],
    level: u8,
    what: &'static str,
}

const fn vendor(
    key: &'static str,
    name: &'static str,
    email: &'static str,
    roles: &'static [Role],
    what: &'static str,
) -> Person {
    Person { key, name, email, roles, partner: None, territory: &[], level: 0, what }
}

const fn partner(
    key: &'static str,
    name: &'static str,
    email: &'static str,
    of: &'static str,
    what: &'static str,
) -> Person {
    Person {
        key,
        name,
        email,
        roles: &[Role::PartnerUser, Role::PartnerAdmin],
        partner: Some(of),
        territory: &[],
        level: 0,
        what,
    }
}

#[rustfmt::skip]
const PEOPLE: &[Person] = &[
    partner("mara", "Mara Lindqvist", "mara@nordwind.example", "nordwind", "Partner marketer at Nordwind Systems, with six cycles under way"),
    Person { territory: &[DACH, NORTH_EAST], ..vendor("ana", "Ana Ferreira", "ana@aurelia.example", &[Role::ChannelManager], "Channel manager for Europe: agrees plans, approves, reviews proof") },
    Person { territory: &[AMERICA], ..vendor("dana", "Dana Brooks", "dana@aurelia.example", &[Role::ChannelManager], "Channel manager for North America") },
    Person { territory: &[DACH, NORTH_EAST], level: 2, ..vendor("ines", "Inês Duarte", "ines@aurelia.example", &[Role::Approver], "Channel director EMEA: approves from 15,000 EUR") },
    Person { territory: &[AMERICA], level: 2, ..vendor("grace", "Grace Kim", "grace@aurelia.example", &[Role::Approver], "Channel director Americas: approves from 10,000 USD") },
    Person { level: 3, ..vendor("victor", "Victor Stone", "victor@aurelia.example", &[Role::Approver], "Vice president channels: approves from 50,000 USD") },
    vendor("lena", "Lena Hartmann", "lena@aurelia.example", &[Role::ChannelManager], "Head of channel programs, all regions: writes the program guides"),
    vendor("tomas", "Tomáš Novák", "tomas@aurelia.example", &[Role::Finance], "Finance: decides claims, keeps the funds"),
    vendor("yuki", "Yuki Tanaka", "yuki@aurelia.example", &[Role::Finance], "Finance: pays claims"),
    vendor("claire", "Claire Dubois", "claire@aurelia.example", &[Role::Executive], "Executive: plan against performance, read-only"),
    vendor("sam", "Sam Okafor", "sam@aurelia.example", &[Role::Administrator], "Administrator: people, partners, programs, outbox"),
    vendor("ruth", "Ruth Adler", "ruth@aurelia.example", &[Role::Auditor], "Auditor: sees everything, changes nothing"),
    partner("jonas", "Jonas Beck", "jonas@kestrel.example", "kestrel", "Partner marketer at Kestrel Networks"),
    partner("liis", "Liis Tamm", "liis@balticdata.example", "baltic", "Partner marketer at Baltic Data"),
    partner("piotr", "Piotr Zieliński", "piotr@vistula.example", "vistula", "Partner marketer at Vistula IT"),
    partner("eirik", "Eirik Solberg", "eirik@fjordlys.example", "fjordlys", "Partner marketer at Fjordlys"),
    partner("maya", "Maya Castillo", "maya@cascade.example", "cascade", "Partner marketer at Cascade Secure (USD)"),
    partner("owen", "Owen Reyes", "owen@bluemesa.example", "bluemesa", "Partner marketer at Blue Mesa Technologies (USD)"),
    partner("nora", "Nora Sinclair", "nora@harborpine.example", "harborpine", "Partner marketer at Harbor & Pine (USD)"),
];

struct Company {
    key: &'static str,
    name: &'static str,
    region: &'static str,
    country: &'static str,
    tier: &'static str,
    domain: &'static str,
    attributes: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip]
const COMPANIES: &[Company] = &[
    Company { key: "nordwind", name: "Nordwind Systems GmbH", region: DACH, country: "DE", tier: "gold", domain: "nordwind.example", attributes: &[("segment", "mid-market"), ("focus", "cloud security")] },
    Company { key: "kestrel", name: "Kestrel Networks AG", region: DACH, country: "DE", tier: "silver", domain: "kestrel.example", attributes: &[("segment", "mid-market")] },
    Company { key: "baltic", name: "Baltic Data OÜ", region: NORTH_EAST, country: "EE", tier: "silver", domain: "balticdata.example", attributes: &[("segment", "public sector")] },
    Company { key: "vistula", name: "Vistula IT sp. z o.o.", region: NORTH_EAST, country: "PL", tier: "silver", domain: "vistula.example", attributes: &[("segment", "public sector")] },
    Company { key: "fjordlys", name: "Fjordlys AS", region: NORTH_EAST, country: "NO", tier: "gold", domain: "fjordlys.example", attributes: &[("segment", "enterprise"), ("focus", "managed detection")] },
    Company { key: "cascade", name: "Cascade Secure Inc.", region: AMERICA, country: "US", tier: "gold", domain: "cascade.example", attributes: &[("segment", "enterprise")] },
    Company { key: "bluemesa", name: "Blue Mesa Technologies LLC", region: AMERICA, country: "US", tier: "silver", domain: "bluemesa.example", attributes: &[("segment", "mid-market")] },
    Company { key: "harborpine", name: "Harbor & Pine Consulting", region: AMERICA, country: "US", tier: "silver", domain: "harborpine.example", attributes: &[] },
];

/// Name, address and what they do, for the line printed at the start.
pub fn sign_ins() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    PEOPLE.iter().map(|person| (person.name, person.email, person.what))
}

/// Everything the story needs to find again.
pub struct World {
    people: BTreeMap<&'static str, Actor>,
    partners: BTreeMap<&'static str, (PartnerId, &'static str)>,
    programs: BTreeMap<&'static str, ProgramId>,
}

impl World {
    /// A person, by their first name in lower case.
    pub fn person(&self, key: &str) -> anyhow::Result<&Actor> {
        self.people.get(key).ok_or_else(|| anyhow::anyhow!("the story has nobody called {key}"))
    }

    /// The first person of a partner.
    pub fn marketer(&self, partner: &str) -> anyhow::Result<&Actor> {
        let person = PEOPLE.iter().find(|person| person.partner == Some(partner));
        self.person(person.map_or("", |person| person.key))
    }

    pub fn partner(&self, key: &str) -> anyhow::Result<PartnerId> {
        self.partners.get(key).map(|partner| partner.0).ok_or_else(|| anyhow::anyhow!("the story has no partner {key}"))
    }

    /// Whether the partner sells in North America, in dollars.
    pub fn is_american(&self, key: &str) -> bool {
        self.partners.get(key).is_some_and(|partner| partner.1 == AMERICA)
    }

    pub fn program(&self, partner: &str) -> anyhow::Result<ProgramId> {
        let code = if self.is_american(partner) { "US" } else { "EMEA" };
        self.programs.get(code).copied().ok_or_else(|| anyhow::anyhow!("the story has no program {code}"))
    }

    /// The channel manager of a partner.
    pub fn manager(&self, partner: &str) -> anyhow::Result<&Actor> {
        self.person(if self.is_american(partner) { "dana" } else { "ana" })
    }

    pub fn currency(&self, partner: &str) -> Currency {
        if self.is_american(partner) { Currency::USD } else { Currency::EUR }
    }
}

/// People, partners, programs, funds and allocations, as of the story's first day.
pub async fn move_in(engine: &Engine, db: &Db, password_hash: &str, start: Date, today: Date) -> anyhow::Result<World> {
    let (users, partners) = (people(engine, password_hash), companies(engine));
    let actors: BTreeMap<&'static str, Actor> =
        PEOPLE.iter().zip(&users).map(|(person, user)| (person.key, Actor::person(user.standing()))).collect();
    let manager_of = |region: &str| if region == AMERICA { actors["dana"].user() } else { actors["ana"].user() };
    db.write(async |tx| {
        for row in &partners {
            tx.insert_partner(&PartnerRow { manager_id: None, ..row.clone() }).await?;
        }
        for user in &users {
            tx.insert_user(user).await?;
        }
        for row in &partners {
            tx.update_partner(&PartnerRow { manager_id: Some(manager_of(&row.region)), ..row.clone() }).await?;
        }
        tx.set_setting("vendor", "Aurelia Systems").await?;
        Ok::<_, storage::Error>(())
    })
    .await?;
    let known = COMPANIES.iter().zip(&partners).map(|(company, row)| (company.key, (row.id, company.region))).collect();
    let programs = open_programs(engine, &actors["sam"], start).await?;
    let world = World { people: actors, partners: known, programs };
    open_funds(engine, &world, start, today).await?;
    Ok(world)
}

fn people(engine: &Engine, password_hash: &str) -> Vec<User> {
    let now = engine.clock.now();
    let user = |person: &Person| User {
        id: UserId(Uuid::now_v7()),
        email: person.email.to_owned(),
        name: person.name.to_owned(),
        password_hash: Some(password_hash.to_owned()),
        roles: person.roles.to_vec(),
        partner_id: person.partner.map(partner_id),
        territory: person.territory.iter().map(|region| (*region).to_owned()).collect(),
        approves_level: person.level,
        marks: Marks::Point,
        theme: "auto".to_owned(),
        disabled_at: None,
        confirmed_at: Some(now),
        created_at: now,
    };
    PEOPLE.iter().map(user).collect()
}

/// The demo's partners have ids of their own, the same in every demo.
fn partner_id(key: &str) -> PartnerId {
    PartnerId(Uuid::new_v5(&Uuid::NAMESPACE_DNS, format!("{key}.example").as_bytes()))
}

fn companies(engine: &Engine) -> Vec<PartnerRow> {
    let row = |company: &Company| PartnerRow {
        id: partner_id(company.key),
        name: company.name.to_owned(),
        region: company.region.to_owned(),
        country: company.country.to_owned(),
        tier: company.tier.to_owned(),
        currency: if company.region == AMERICA { Currency::USD } else { Currency::EUR },
        manager_id: None,
        good_standing: true,
        domain: Some(company.domain.to_owned()),
        crm_id: None,
        created_at: engine.clock.now(),
        attributes: company.attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    };
    COMPANIES.iter().map(row).collect()
}

async fn open_programs(
    engine: &Engine,
    admin: &Actor,
    start: Date,
) -> anyhow::Result<BTreeMap<&'static str, ProgramId>> {
    let mut programs = BTreeMap::new();
    // The shipped guides count from a fixed day; the story's first year needs them earlier.
    let since = start - Months::new(3);
    for (code, (_, guide)) in ["EMEA", "US"].into_iter().zip(engine::catalog::GUIDES) {
        let name = guide.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap_or(code).trim_end_matches('"');
        let new = NewProgram { code: code.to_owned(), name: name.to_owned(), guide: counting_from(guide, since) };
        engine.open_program(admin, &new, &Submission::own()).await?;
    }
    let viewer = storage::Viewer::from(admin);
    for program in engine.reader().programs(&viewer).await? {
        programs.insert(if program.code == "US" { "US" } else { "EMEA" }, program.id);
    }
    Ok(programs)
}

/// A guide's text, in force from another day than it was.
fn counting_from(guide: &str, day: Date) -> String {
    let counts = |line: &str| {
        if line.starts_with("effective_from") { format!("effective_from = \"{day}\"") } else { line.to_owned() }
    };
    guide.lines().map(counts).collect::<Vec<_>>().join("\n")
}

/// Lena has written the European guide for the next quarter: gold partners get more, and everybody asks earlier.
pub async fn next_guide(engine: &Engine, world: &World, from: Date) -> anyhow::Result<()> {
    let (_, shipped) = engine::catalog::GUIDES[0];
    let version = format!("version = \"{}-Q{}\"", from.year(), from.month0() / 3 + 1);
    let changes = [
        ("version = \"2026.1\"", version.as_str()),
        ("\"0.60\"", "\"0.65\""),
        ("days = 10\ncount", "days = 15\ncount"),
        ("60 % for gold partners", "65 % for gold partners"),
        ("at least 10 business days", "at least 15 business days"),
    ];
    let mut guide = counting_from(shipped, from);
    for (was, is) in changes {
        anyhow::ensure!(guide.contains(was), "the shipped guide says {was} no more");
        guide = guide.replacen(was, is, 1);
    }
    let program = world.programs.get("EMEA").copied().ok_or_else(|| anyhow::anyhow!("the story has no EMEA"))?;
    engine.add_guide(world.person("lena")?, program, &guide, None, &Submission::own()).await?;
    Ok(())
}

/// A fund a year and program, with an allocation a partner and quarter that expires with its year.
async fn open_funds(engine: &Engine, world: &World, start: Date, today: Date) -> anyhow::Result<()> {
    let finance = world.person("tomas")?;
    for (program, currency) in [("EMEA", Currency::EUR), ("US", Currency::USD)] {
        for (kind, what, budget) in [(FundKind::Discretionary, "Growth", 900_000), (FundKind::Pooled, "Events", 60_000)]
        {
            let code = format!("{program}-{}", what.to_uppercase());
            let name = format!("{what} fund {program}");
            let new =
                NewFund { code: code.clone(), name, program: world.programs[program], parent: None, kind, currency };
            engine.open_fund(finance, &new, &Submission::own()).await?;
            let command =
                FundCommand::Budget { amount: Money::units(budget, currency), reason: "Board budget".to_owned() };
            engine.fund(finance, WhichFund::Code(&code), &command, &Submission::own()).await?;
        }
    }
    regional_funds(engine, world, finance).await?;
    let (code, currency) = ("GLOBAL-LAUNCH".to_owned(), Currency::USD);
    let (name, program) = ("Global launch fund".to_owned(), world.programs["EMEA"]);
    let new = NewFund { code: code.clone(), name, program, parent: None, kind: FundKind::Pooled, currency };
    engine.open_fund(finance, &new, &Submission::own()).await?;
    let reason = "Launches, paid from headquarters".to_owned();
    let command = FundCommand::Budget { amount: Money::units(150_000, currency), reason };
    engine.fund(finance, WhichFund::Code(&code), &command, &Submission::own()).await?;
    let mut first = start;
    while first <= today {
        for (index, company) in COMPANIES.iter().enumerate() {
            let fund = if world.is_american(company.key) { "US-GROWTH" } else { "EMEA-GROWTH" };
            let gold = i64::from(company.tier == "gold");
            let amount = Money::units(
                14_000 + gold * 12_000 + i64::try_from(index % 3).unwrap_or(0) * 2_000,
                world.currency(company.key),
            );
            let expires = Some(last_day_of_quarter(first + Months::new(6)));
            let reason = format!("{} allocation", domain::calendar::quarter(first));
            let command = FundCommand::Allocate { partner: world.partner(company.key)?, amount, expires, reason };
            engine.fund(finance, WhichFund::Code(fund), &command, &Submission::own()).await?;
        }
        first = first + Months::new(3);
        debug_assert!(first.year() < 9999);
    }
    Ok(())
}

/// Below the growth fund a region's, and below that a country's: each takes its budget out of the one above. The region
/// gives its gold and silver partners a share by weights, all at once.
async fn regional_funds(engine: &Engine, world: &World, finance: &Actor) -> anyhow::Result<()> {
    let viewer = storage::Viewer::from(finance);
    for (code, name, above, budget) in [
        ("EMEA-DACH", "Growth fund DACH", "EMEA-GROWTH", 120_000),
        ("EMEA-DACH-DE", "Growth fund Germany", "EMEA-DACH", 40_000),
    ] {
        let parent = Some(engine.reader().fund(&viewer, above).await?.id);
        let (program, kind, currency) = (world.programs["EMEA"], FundKind::Discretionary, Currency::EUR);
        let (code_owned, name) = (code.to_owned(), name.to_owned());
        let new = NewFund { code: code_owned, name, program, parent, kind, currency };
        engine.open_fund(finance, &new, &Submission::own()).await?;
        let command =
            FundCommand::Budget { amount: Money::units(budget, currency), reason: "Regional budget".to_owned() };
        engine.fund(finance, WhichFund::Code(code), &command, &Submission::own()).await?;
    }
    let whole = Money::units(30_000, Currency::EUR);
    let weights = [("gold", 2), ("silver", 1)].map(|(tier, weight)| (tier.to_owned(), weight)).into();
    let rule = Rule {
        tier: None,
        region: Some(DACH.to_owned()),
        country: None,
        also: Vec::new(),
        sharing: Sharing::Weighted { whole, by: Attribute::Tier, weights },
        expires: None,
    };
    let proposed = engine.allocation_rule(&viewer, &rule).await?;
    let lines = proposed.into_iter().filter_map(|row| row.outcome.ok()).collect();
    let command = FundCommand::AllocateMany { lines, reason: "Regional events, by tier".to_owned() };
    engine.fund(finance, WhichFund::Code("EMEA-DACH"), &command, &Submission::own()).await?;
    let to = engine.reader().fund(&viewer, "EMEA-EVENTS").await?.id;
    let command = FundCommand::Transfer {
        to,
        amount: Money::units(5_000, Currency::EUR),
        reason: "The autumn fair takes partners of all regions".to_owned(),
    };
    engine.fund(finance, WhichFund::Code("EMEA-DACH"), &command, &Submission::own()).await?;
    Ok(())
}

/// In the end some of what a partner let expire is wanted back; a second person of finance has not agreed yet.
pub async fn wants_back(engine: &Engine, db: &Db, world: &World, today: Date) -> anyhow::Result<()> {
    let finance = world.person("tomas")?;
    let fund = engine.reader().fund(&storage::Viewer::from(finance), "EMEA-GROWTH").await?.id;
    for company in COMPANIES.iter().filter(|company| company.region != AMERICA) {
        let partner = world.partner(company.key)?;
        let forfeited = db.write(async |tx| tx.forfeited_by(fund, partner).await).await?;
        if forfeited == 0 {
            continue;
        }
        let amount = Money::new(forfeited.min(Money::units(2_500, Currency::EUR).minor), Currency::EUR);
        let expires = last_day_of_quarter(super::first_day_of_quarter(today + Months::new(3)));
        let reason = "The distributor moved the roadshow to next quarter.".to_owned();
        let command = FundCommand::ProposeReinstatement { partner, amount, expires, reason };
        engine.fund(finance, WhichFund::Id(fund), &command, &Submission::own()).await?;
        return Ok(());
    }
    Ok(())
}
