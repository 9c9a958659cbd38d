//! What the story's campaigns brought: responders, touches and deals, as an import would write them; and its files.

use chrono::Days;
use domain::Date;
use domain::cycle::Cycle;
use domain::forecast::FunnelStage;
use domain::steps::s3_forecast::Campaign;
use engine::Engine;
use engine::files::Upload;
use rust_decimal::prelude::ToPrimitive;
use std::fmt::Write as _;
use storage::Db;
use storage::rows::{Company, Deal, Link, Person, Touch};
use uuid::Uuid;

const FIRST: [&str; 16] = [
    "Anna", "Lukas", "Sofie", "Marek", "Elena", "Jan", "Katrin", "Oliver", "Greta", "Tomasz", "Ingrid", "Paul",
    "Laura", "Erik", "Nina", "David",
];
const LAST: [&str; 16] = [
    "Berg", "Kowalski", "Meyer", "Hansen", "Novak", "Larsen", "Schulz", "Lind", "Weber", "Carter", "Ito", "Moreau",
    "Rossi", "Hughes", "Varga", "Keller",
];
const TRADE: [&str; 12] = [
    "Foods",
    "Logistics",
    "Dental",
    "Machines",
    "Energy",
    "Textiles",
    "Pharma",
    "Insurance",
    "Automotive",
    "Media",
    "Print",
    "Hotels",
];
const PLACE: [&str; 12] =
    ["Alster", "Borealis", "Carpat", "Delta", "Elbe", "Fjell", "Granit", "Harz", "Isar", "Jura", "Kosta", "Lago"];

/// A small generator of its own: the same story every time, and no chance that matters.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.roll(u64::try_from(len).unwrap_or(1))).unwrap_or(0)
    }
}

/// A tracked link for every approved campaign.
pub async fn links(engine: &Engine, db: &Db, cycle: &Cycle) -> anyhow::Result<()> {
    let link = |campaign: &Campaign| {
        let code = campaign.code.as_ref()?;
        Some(Link {
            code: code.trim_start_matches("FL-").replace('-', "").to_lowercase(),
            cycle_id: cycle.id,
            campaign_no: campaign.no,
            partner_id: cycle.partner,
            label: "Invitation".to_owned(),
            url: campaign.draft.landing_url.clone()?,
            created_at: engine.clock.now(),
        })
    };
    let links: Vec<Link> = cycle.campaigns.iter().filter_map(link).collect();
    db.write(async |tx| tx.insert_links(&links).await).await?;
    Ok(())
}

/// Responders of every campaign until today: as many as were forecast, times the story's luck.
pub async fn touches(engine: &Engine, db: &Db, cycle: &Cycle, luck: u32, today: Date) -> anyhow::Result<()> {
    if !cycle.stage.is_after_approval() {
        return Ok(());
    }
    let now = engine.clock.now();
    let (mut companies, mut people, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for campaign in &cycle.campaigns {
        let Some(baseline) = &campaign.baseline else { continue };
        let mut dice = Dice(u64::from(cycle.serial) * 31 + u64::from(campaign.no));
        let counts = counts(baseline.expected, luck);
        let starts = cycle
            .activities
            .iter()
            .find(|activity| activity.draft.campaign == campaign.no)
            .map_or(cycle.period.from, |activity| activity.draft.starts);
        for index in 0..counts[0] {
            // Three responders in four are colleagues of an earlier one.
            if index.is_multiple_of(4) || companies.is_empty() {
                companies.push(company(&mut dice, now));
            }
            let Some(company) = companies.last() else { continue };
            let person = person(&mut dice, company, now);
            let reached = if index < counts[2] {
                FunnelStage::Mqls
            } else if index < counts[1] {
                FunnelStage::Leads
            } else {
                FunnelStage::Responses
            };
            let touch = touch(cycle, campaign, &person, reached, starts, &mut dice);
            if touch.at.date_naive() < today {
                rows.push(touch);
                people.push(person);
            }
        }
    }
    db.write(async |tx| {
        tx.save_companies(&companies).await?;
        tx.save_people(&people).await?;
        tx.save_touches(&rows).await
    })
    .await?;
    Ok(engine.refresh_results(&[cycle.id]).await?)
}

/// Counts at each stage: the expected ones times the luck; later stages feel it more.
fn counts(expected: [rust_decimal::Decimal; 6], luck: u32) -> [u32; 6] {
    let share = f64::from(luck) / 100.0;
    std::array::from_fn(|stage| {
        let power = [1.0, 1.05, 1.1, 1.2, 1.3, 1.4][stage];
        let count = expected[stage].to_f64().unwrap_or(0.0) * share.powf(power);
        count.round().to_u32().unwrap_or(0).min(400)
    })
}

fn company(dice: &mut Dice, now: domain::Instant) -> Company {
    let name = format!("{} {}", PLACE[dice.index(PLACE.len())], TRADE[dice.index(TRADE.len())]);
    let domain = format!("{}-{}.example", name.to_lowercase().replace(' ', "-"), dice.roll(1_000_000));
    Company { id: Uuid::now_v7(), name, domain: Some(domain), crm_id: None, created_at: now }
}

fn person(dice: &mut Dice, company: &Company, now: domain::Instant) -> Person {
    let (first, last) = (FIRST[dice.index(FIRST.len())], LAST[dice.index(LAST.len())]);
    let at = company.domain.as_deref().unwrap_or("company.example");
    Person {
        id: Uuid::now_v7(),
        company_id: Some(company.id),
        email_norm: Some(format!("{}.{}{}@{at}", first.to_lowercase(), last.to_lowercase(), dice.roll(100_000))),
        crm_id: None,
        name: format!("{first} {last}"),
        title: Some(
            ["IT manager", "Head of security", "Chief information officer", "System administrator"][dice.index(4)]
                .to_owned(),
        ),
        phone: None,
        consent_at: Some(now),
        created_at: now,
    }
}

fn touch(
    cycle: &Cycle,
    campaign: &Campaign,
    person: &Person,
    reached: FunnelStage,
    starts: Date,
    dice: &mut Dice,
) -> Touch {
    let day = starts + Days::new(dice.roll(20));
    Touch {
        id: Uuid::now_v7(),
        cycle_id: Some(cycle.id),
        campaign_no: Some(campaign.no),
        campaign_code: campaign.code.clone(),
        partner_id: Some(cycle.partner),
        person_id: Some(person.id),
        company_id: person.company_id,
        at: super::morning(day, i64::try_from(dice.roll(540)).unwrap_or(0)),
        kind: "response".to_owned(),
        source: "demo".to_owned(),
        response: true,
        reached,
        status: Some("Responded".to_owned()),
        external_id: Some(Uuid::now_v7().to_string()),
        batch_id: None,
    }
}

/// Deals of the companies that came furthest; some registered, some won, some still open.
pub async fn deals(engine: &Engine, db: &Db, cycle: &Cycle, luck: u32, today: Date) -> anyhow::Result<()> {
    if !cycle.stage.is_after_approval() {
        return Ok(());
    }
    let found = engine.reader().results_of(cycle).await?;
    let mut dice = Dice(u64::from(cycle.serial) * 77);
    let mut rows = Vec::new();
    for campaign in &cycle.campaigns {
        let Some(baseline) = &campaign.baseline else { continue };
        let counts = counts(baseline.expected, luck);
        let mut met: Vec<(Uuid, Date)> = Vec::new();
        for touch in found
            .touches
            .iter()
            .filter(|touch| touch.campaign == Some((cycle.id, campaign.no)) && touch.reached == FunnelStage::Mqls)
        {
            if let Some(company) = touch.company.filter(|company| met.iter().all(|(known, _)| known != company)) {
                met.push((company, touch.at.date_naive()));
            }
        }
        for (index, (company, met_on)) in (0..counts[3]).zip(met) {
            let created_on = (met_on + Days::new(3 + dice.roll(20))).min(today - Days::new(1));
            let closes_on = created_on + Days::new(12 + dice.roll(25));
            let is_won = index < counts[5] && closes_on < today;
            let is_lost = index >= counts[5] && dice.roll(3) == 0 && closes_on < today;
            let closed_on = (is_won || is_lost).then_some(closes_on);
            let stage = if is_won {
                "Closed Won"
            } else if is_lost {
                "Closed Lost"
            } else if index < counts[4] {
                "Proposal"
            } else {
                "Qualification"
            };
            let size = baseline.assumptions.deal_size.minor * i64::try_from(70 + dice.roll(70)).unwrap_or(100) / 100;
            rows.push(Deal {
                id: Uuid::now_v7(),
                external_id: Some(format!("006{:012}", dice.roll(1_000_000_000_000))),
                company_id: Some(company),
                person_id: None,
                partner_id: Some(cycle.partner),
                name: format!("{} – {}", campaign.draft.name, index + 1),
                stage: stage.to_owned(),
                amount: size / 10_000 * 10_000,
                currency: cycle.currency,
                created_on,
                closed_on,
                is_won,
                is_closed: is_won || is_lost,
                registered: index.is_multiple_of(2),
                cycle_id: Some(cycle.id),
                campaign_no: Some(campaign.no),
                batch_id: None,
            });
        }
    }
    db.write(async |tx| tx.save_deals(&rows).await).await?;
    Ok(engine.refresh_results(&[cycle.id]).await?)
}

/// A small real file of a kind the checklist takes.
pub fn proof_file(item: &str, kinds: &[String], cycle: &str, activity: u16) -> Upload {
    let title = format!("{} of {cycle}, activity {activity}", item.replace('_', " "));
    if kinds.iter().any(|kind| kind == "csv") {
        let rows = "company,contact,title,email,phone\nAlster Foods,Anna Berg,IT manager,anna.berg@alster-foods.example,+49 40 000000\n";
        return Upload { name: format!("{item}.csv"), bytes: format!("{rows}# {title}\n").into_bytes() };
    }
    if kinds.is_empty() || kinds.iter().any(|kind| kind == "pdf") {
        return Upload { name: format!("{item}.pdf"), bytes: pdf(&title) };
    }
    Upload { name: format!("{item}.png"), bytes: PIXEL.to_vec() }
}

/// The smallest PDF that opens: one page with one line.
pub fn pdf(line: &str) -> Vec<u8> {
    let line: String = line.chars().filter(|c| c.is_ascii() && !matches!(c, '(' | ')' | '\\')).collect();
    let content = format!("BT /F1 14 Tf 60 760 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut text = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(text.len());
        let _ = writeln!(text, "{number} 0 obj\n{object}\nendobj");
    }
    let start = text.len();
    let _ = writeln!(text, "xref\n0 {}\n0000000000 65535 f ", objects.len() + 1);
    for place in places {
        let _ = writeln!(text, "{place:010} 00000 n ");
    }
    let _ = writeln!(text, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF", objects.len() + 1);
    text.into_bytes()
}

/// A PNG of one pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x62, 0, 1, 0, 0, 5, 0, 1,
    0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
