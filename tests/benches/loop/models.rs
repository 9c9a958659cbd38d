//! One real cycle a stage, told through the engine: what the databases of the benchmark are multiplied from.

use chrono::{Days, TimeDelta};
use domain::cycle::{Cycle, Stage};
use domain::forecast::FunnelStage;
use domain::machine::CycleCommand;
use domain::steps::{s6_approval, s8_tracking, s9_performance};
use domain::{Date, Instant};
use kit::World;
use kit::people::{ANA, MARA, first_morning};
use storage::rows::{Company, Deal, Person, Touch};
use uuid::Uuid;

/// How many of a hundred cycles stand at a stage.
pub const MIX: [(Stage, usize); 13] = [
    (Stage::PlanDraft, 4),
    (Stage::PlanReview, 3),
    (Stage::ScorecardOpen, 3),
    (Stage::ForecastDraft, 4),
    (Stage::ActionPlanDraft, 3),
    (Stage::RequestDraft, 3),
    (Stage::ApprovalReview, 16),
    (Stage::ExecutionLive, 12),
    (Stage::TrackingListening, 15),
    (Stage::PerformanceMeasured, 5),
    (Stage::Closed, 28),
    (Stage::Declined, 2),
    (Stage::Cancelled, 2),
];

/// Whole euros; the program pays three fifths, which the first level of approval decides alone.
const COST: i64 = 10_000;

/// A model cycle of every stage, in the order of [`MIX`]. The clock ends where it began.
pub async fn tell(world: &World) -> Vec<Cycle> {
    let mut models = Vec::new();
    for (stage, _) in MIX {
        world.clock.set(first_morning() + TimeDelta::hours(1));
        let number = lead(world, stage).await;
        let cycle = world.look(&number).await.cycle;
        assert_eq!(cycle.stage, stage, "{number}");
        models.push(cycle);
    }
    world.clock.set(first_morning() + TimeDelta::hours(2));
    models
}

async fn lead(world: &World, stage: Stage) -> String {
    let reason = || "The venue has closed.".to_owned();
    match stage {
        Stage::Declined => {
            let number = world.cycle_in(Stage::ApprovalReview, MARA, COST).await;
            world.must(ANA, &number, s6_approval::Command::Decline { reason: reason() }).await;
            number
        }
        Stage::Cancelled => {
            let number = world.cycle_in(Stage::ExecutionLive, MARA, COST).await;
            world.must(MARA, &number, CycleCommand::Cancel { reason: reason() }).await;
            number
        }
        Stage::TrackingListening | Stage::PerformanceMeasured | Stage::Closed => afterwards(world, stage).await,
        _ => world.cycle_in(stage, MARA, COST).await,
    }
}

/// The webinar has run and is paid; results arrive; the cycle is measured and signed.
async fn afterwards(world: &World, stage: Stage) -> String {
    let number = world.cycle_in(Stage::ExecutionLive, MARA, COST).await;
    world.clock.advance(TimeDelta::days(55));
    world.prove(&number, MARA).await;
    world.claim(&number, MARA).await;
    world.settle(&number).await;
    results(world, &world.look(&number).await.cycle).await;
    if stage == Stage::TrackingListening {
        return number;
    }
    world.clock.advance(TimeDelta::days(120));
    world.must(ANA, &number, s8_tracking::Command::Close {}).await;
    let lessons = || "The personal invitation brought most of the good leads.".to_owned();
    world.must(MARA, &number, s9_performance::Command::Sign { lessons: lessons() }).await;
    if stage == Stage::Closed {
        world.must(ANA, &number, s9_performance::Command::Sign { lessons: lessons() }).await;
    }
    number
}

/// Five responders of two companies, and a deal with one of them.
async fn results(world: &World, cycle: &Cycle) {
    let now = world.clock.now();
    let companies = [0, 1].map(|n| Company {
        id: Uuid::now_v7(),
        name: format!("Alster Foods {}-{n}", cycle.serial),
        domain: Some(format!("alster-foods-{}-{n}.example", cycle.serial)),
        crm_id: None,
        created_at: now,
    });
    let people = [0, 0, 0, 1, 1].map(|company| Person {
        id: Uuid::now_v7(),
        company_id: Some(companies[company].id),
        email_norm: Some(format!("{}@alster-foods.example", Uuid::now_v7().simple())),
        crm_id: None,
        name: "Anna Berg".to_owned(),
        title: Some("Head of security".to_owned()),
        phone: None,
        consent_at: Some(now),
        created_at: now,
    });
    let touches: Vec<Touch> = people.iter().map(|person| touch(cycle, person, now)).collect();
    let deal = deal(cycle, &companies[0], now.date_naive());
    let saved = world.db.write(async |tx| {
        tx.save_companies(&companies).await?;
        tx.save_people(&people).await?;
        tx.save_touches(&touches).await?;
        tx.save_deals(&[deal]).await
    });
    saved.await.expect("the results are kept");
}

fn touch(cycle: &Cycle, person: &Person, now: Instant) -> Touch {
    Touch {
        id: Uuid::now_v7(),
        cycle_id: Some(cycle.id),
        campaign_no: Some(1),
        campaign_code: cycle.campaigns.first().and_then(|campaign| campaign.code.clone()),
        partner_id: Some(cycle.partner),
        person_id: Some(person.id),
        company_id: person.company_id,
        at: now - TimeDelta::days(10),
        kind: "response".to_owned(),
        source: "bench".to_owned(),
        response: true,
        reached: FunnelStage::Mqls,
        status: Some("Responded".to_owned()),
        external_id: Some(Uuid::now_v7().to_string()),
        batch_id: None,
    }
}

fn deal(cycle: &Cycle, company: &Company, today: Date) -> Deal {
    Deal {
        id: Uuid::now_v7(),
        external_id: Some(format!("006-{}", cycle.serial)),
        company_id: Some(company.id),
        person_id: None,
        partner_id: Some(cycle.partner),
        name: "Zero trust for Alster Foods".to_owned(),
        stage: "Closed Won".to_owned(),
        amount: 4_800_000,
        currency: cycle.currency,
        created_on: today,
        closed_on: Some(today + Days::new(20)),
        is_won: true,
        is_closed: true,
        registered: true,
        cycle_id: Some(cycle.id),
        campaign_no: Some(1),
        batch_id: None,
    }
}
