//! Lists, figures and statements say what was recorded, to those who may see it.

use super::kit::{Fresh, at, id, noon, on_both, partner, program, user};
use super::world::World;
use crate::read::{
    ActivityFilter, ClaimFilter, CycleFilter, CycleSort, Dimension, LogFilter, MailState, MovementsOf, Paging,
    PartnerFilter, PerformanceFilter, TouchFilter, UserFilter,
};
use crate::rows::{Company, Deal, ImportBatch, ImportChange, Link, OutboxMail, Person, Touch};
use crate::{Error, Viewer, WhichCycle, verify};
use domain::cycle::Party;
use domain::forecast::FunnelStage;
use domain::ledger::{Account, AccountKind};
use domain::money::Currency;
use domain::people::{Actor, Role};
use domain::steps::s7_execution::ClaimState;
use domain::steps::s9_performance::measure;

on_both!(
    pages_follow_each_other_without_gaps,
    queues_are_those_of_the_viewer,
    figures_add_up_and_go_along,
    a_past_day_is_still_known,
    results_are_met_and_undone,
    a_partner_sees_nothing_of_another,
    mail_is_sent_once
);

fn viewer(user: &crate::rows::User) -> Viewer {
    Viewer::from(&Actor::person(user.standing()))
}

async fn pages_follow_each_other_without_gaps(fresh: &Fresh) {
    let world = World::new(fresh).await;
    for n in 0..7 {
        world.open(&format!("Cycle {n}")).await.unwrap();
    }
    let reader = fresh.db.reader();
    let mut two_regions = world.manager.clone();
    two_regions.territory = vec!["DACH".into(), "NORDICS".into()];
    for who in [&world.finance, &two_regions, &world.marketer] {
        for sort in [CycleSort::Due, CycleSort::Newest, CycleSort::Oldest] {
            let (mut seen, mut paging) = (Vec::new(), Paging::first(3));
            loop {
                let page = reader.cycles(&viewer(who), &CycleFilter::default(), sort, &paging).await.unwrap();
                assert!(page.rows.len() <= 3);
                seen.extend(page.rows.into_iter().map(|line| line.serial));
                let Some(next) = page.next else { break };
                paging.after = Some(next);
            }
            let mut sorted = seen.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [1, 2, 3, 4, 5, 6, 7], "{sort:?}");
            match sort {
                CycleSort::Newest => assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]),
                CycleSort::Oldest => assert_eq!(seen, sorted),
                CycleSort::Due => {}
            }
        }
    }
    let text = CycleFilter { text: Some("CYCLE 3".into()), ..CycleFilter::default() };
    let found = reader.cycles(&viewer(&world.finance), &text, CycleSort::Due, &Paging::default()).await.unwrap();
    assert_eq!(found.rows.len(), 1);
    let percent = CycleFilter { text: Some("%".into()), ..CycleFilter::default() };
    let none = reader.cycles(&viewer(&world.finance), &percent, CycleSort::Due, &Paging::default()).await.unwrap();
    assert!(none.rows.is_empty(), "a percent sign is a percent sign");
    let bad = Paging { after: Some("zz".into()), size: 3 };
    let no = reader.cycles(&viewer(&world.finance), &text, CycleSort::Due, &bad).await;
    assert!(matches!(no, Err(Error::NotFound)));
}

async fn queues_are_those_of_the_viewer(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let open = world.open("Fresh").await.unwrap();
    let asked = world.until_requested("Spring").await.unwrap();
    let reader = fresh.db.reader();
    let numbers = async |who: &crate::rows::User| -> Vec<String> {
        let page = reader.waiting_for_me(&viewer(who), &Paging::default()).await.unwrap();
        page.rows.into_iter().map(|line| line.number).collect()
    };
    assert_eq!(numbers(&world.marketer).await, [open.as_str()]);
    assert_eq!(numbers(&world.manager).await, [asked.as_str()]);
    let mut away = world.manager.clone();
    away.territory = vec!["NORDICS".into(), "IBERIA".into()];
    assert!(numbers(&away).await.is_empty());
    let page = reader.waiting_for_me(&viewer(&world.manager), &Paging::default()).await.unwrap();
    assert_eq!((page.rows[0].waiting_on, page.rows[0].asked.minor), (Party::Approvers, 600_000));
    assert_eq!(reader.count_waiting(&viewer(&world.manager), 99).await.unwrap(), 1);
    let mut deputy = user(9, "Dana", &[Role::Executive]);
    deputy.territory = Vec::new();
    let standing_in = Actor { me: deputy.standing(), stands_in_for: vec![world.manager.standing()] };
    let page = reader.waiting_for_me(&Viewer::from(&standing_in), &Paging::default()).await.unwrap();
    assert_eq!(page.rows.len(), 1, "a stand-in finds the absent colleague's queue");
}

async fn figures_add_up_and_go_along(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    world.until_paid(&number).await.unwrap();
    let reader = fresh.db.reader();
    let by = [Dimension::Quarter, Dimension::Program, Dimension::Region, Dimension::Tactic, Dimension::Partner];
    for who in [&world.finance, &world.manager, &world.marketer] {
        for dimension in by {
            let filter = PerformanceFilter { currency: Some(Currency::EUR), ..PerformanceFilter::default() };
            let lines = reader.performance(&viewer(who), &filter, dimension).await.unwrap();
            assert_eq!(lines.len(), 1, "{dimension:?}");
            let planned = lines[0].figures.planned;
            assert_eq!((planned.campaigns, planned.planned_cost, planned.asked), (1, 1_000_000, 600_000));
            assert_eq!((planned.claimed, planned.paid), (480_000, 480_000), "{dimension:?}");
        }
        let total = reader.performance_total(&viewer(who), &PerformanceFilter::default()).await.unwrap();
        assert_eq!(total[0].figures.planned.paid, 480_000);
        let rows = reader.campaigns(&viewer(who), &PerformanceFilter::default(), &Paging::default()).await.unwrap();
        assert_eq!(rows.rows[0].figures.planned.paid, 480_000);
    }
    let key = async |dimension| reader.performance(&Viewer::system(), &EMPTY, dimension).await;
    assert_eq!(key(Dimension::Quarter).await.unwrap()[0].key, "2026-04-01");
    assert_eq!(key(Dimension::Partner).await.unwrap()[0].label, "Nordwind");
    let mut moved = world.partner.clone();
    moved.region = "NORDICS".into();
    moved.name = "Nordwind AS".into();
    fresh.db.write(async |tx| tx.update_partner(&moved).await).await.unwrap();
    let regions = key(Dimension::Region).await.unwrap();
    let paid: Vec<_> = regions.iter().map(|line| (line.key.as_str(), line.figures.planned.paid)).collect();
    assert_eq!(paid, [("DACH", 0), ("NORDICS", 480_000)]);
    assert_eq!(verify::ledger(&fresh.db).await.unwrap(), []);
    let text = CycleFilter { text: Some("wind as".into()), ..CycleFilter::default() };
    let found = reader.cycles(&Viewer::system(), &text, CycleSort::Due, &Paging::default()).await.unwrap();
    assert_eq!(found.rows[0].region, "NORDICS");
    let states = ClaimFilter { states: vec![ClaimState::Paid, ClaimState::Review], ..ClaimFilter::default() };
    let claims = reader.claims(&viewer(&world.finance), &states, &Paging::default()).await.unwrap();
    assert_eq!(claims.rows[0].paid.minor, 480_000);
    let activities =
        reader.activities(&Viewer::system(), &ActivityFilter::default(), &Paging::default()).await.unwrap();
    assert_eq!(activities.rows[0].cost.minor, 1_000_000);
    assert_eq!(reader.cycle(&Viewer::system(), WhichCycle::Number(&number)).await.unwrap().claims.len(), 1);
}

const EMPTY: PerformanceFilter = PerformanceFilter {
    from: None,
    to: None,
    program: None,
    region: None,
    tactic: None,
    partner: None,
    currency: None,
};

async fn a_past_day_is_still_known(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    world.until_paid(&number).await.unwrap();
    let (reader, finance) = (fresh.db.reader(), viewer(&world.finance));
    let fund = async |day: &str, kind: AccountKind| {
        let totals = reader.fund_totals_on(&finance, world.fund.id, at_day(day)).await.unwrap();
        totals.into_iter().find(|total| total.kind == kind).map_or(0, |total| total.total)
    };
    use AccountKind::{Available, Committed, Funding, Paid, Unallocated};
    for (day, kind, held) in [
        ("2026-03-01", Available, 0),
        ("2026-03-31", Funding, -10_000_000),
        ("2026-03-31", Unallocated, 8_000_000),
        ("2026-03-31", Available, 1_400_000),
        ("2026-03-31", Committed, 600_000),
        ("2026-05-31", Committed, 0),
        ("2026-05-31", Paid, 480_000),
        ("2026-05-31", Available, 1_520_000),
    ] {
        assert_eq!(fund(day, kind).await, held, "{day} {kind:?}");
    }
    let (_, totals) = reader.funds(&finance).await.unwrap();
    let paid = totals.iter().find(|total| total.kind == Paid).map(|total| total.total);
    assert_eq!(paid, Some(480_000));
    let partner = world.partner.id;
    let on = reader.wallet_sums_on(&finance, partner, "2026-03-31".parse().unwrap()).await.unwrap();
    let now = reader.wallet_sums(&finance, partner).await.unwrap();
    assert_eq!(on.iter().map(|sum| sum.amount.minor).sum::<i64>(), 2_000_000);
    assert_eq!(now.iter().map(|sum| sum.amount.minor).sum::<i64>(), 2_000_000);
    let lots = reader.wallet(&viewer(&world.marketer), partner).await.unwrap();
    assert!(lots.iter().any(|line| line.kind == Available && line.total.minor == 1_520_000));
    assert_eq!(reader.expiring(&finance, at_day("2026-12-01"), at_day("2026-12-31")).await.unwrap().len(), 1);
    assert!(!reader.allocations(&finance, world.fund.id).await.unwrap().is_empty());
    let statement = reader.statement(&finance, world.fund.id, None, &Paging::default()).await.unwrap();
    assert_eq!(statement.rows.len(), 6);
    let account = Account::unallocated(world.fund.id);
    assert_eq!(reader.account_on(&finance, &account, at_day("2026-03-31")).await.unwrap(), 8_000_000);
    assert!(!reader.fund_burn(&finance, world.fund.id).await.unwrap().is_empty());
    let (mut lines, mut paging) = (0, Paging::first(2));
    loop {
        let of = MovementsOf::Fund(world.fund.id);
        let page = reader.movements(&finance, of, (None, None), &paging).await.unwrap();
        lines += page.rows.len();
        let Some(next) = page.next else { break };
        paging.after = Some(next);
    }
    assert_eq!(lines, 6, "budget, allocation, commitment, claim, release, payment");
    let own = (viewer(&world.marketer), Paging::default());
    let of = MovementsOf::Partner(partner);
    assert_eq!(reader.movements(&own.0, of, (None, None), &own.1).await.unwrap().rows.len(), 5);
    assert_eq!(reader.fund_timeline(&finance, world.fund.id, &Paging::default()).await.unwrap().rows.len(), 2);
}

fn at_day(day: &str) -> domain::Date {
    day.parse().unwrap()
}

fn touch(n: u128, partner: Option<domain::ids::PartnerId>, cycle: Option<domain::ids::CycleId>) -> Touch {
    Touch {
        id: id(700 + n),
        cycle_id: cycle,
        campaign_no: cycle.map(|_| 1),
        campaign_code: None,
        partner_id: partner,
        person_id: Some(id(600)),
        company_id: Some(id(500)),
        at: at("2026-05-12T10:00:00Z"),
        kind: "webinar".into(),
        source: "form".into(),
        response: true,
        reached: FunnelStage::Leads,
        status: None,
        external_id: Some(n.to_string()),
        batch_id: None,
    }
}

fn acme() -> Company {
    Company { id: id(500), name: "Acme".into(), domain: Some("acme.example".into()), crm_id: None, created_at: noon() }
}

fn cy() -> Person {
    Person {
        id: id(600),
        company_id: Some(id(500)),
        email_norm: Some("cy@acme.example".into()),
        crm_id: None,
        name: "Cy So".into(),
        title: None,
        phone: None,
        consent_at: Some(noon()),
        created_at: noon(),
    }
}

fn won_deal() -> Deal {
    Deal {
        id: id(800),
        external_id: Some("006".into()),
        company_id: Some(id(500)),
        person_id: None,
        partner_id: None,
        name: "Acme firewall".into(),
        stage: "Closed won".into(),
        amount: 3_000_000,
        currency: Currency::EUR,
        created_on: at_day("2026-05-20"),
        closed_on: Some(at_day("2026-06-20")),
        is_won: true,
        is_closed: true,
        registered: true,
        cycle_id: None,
        campaign_no: None,
        batch_id: Some(id(900)),
    }
}

fn deals_batch(by: domain::ids::UserId) -> ImportBatch {
    ImportBatch {
        id: id(900),
        kind: "deals".into(),
        file_name: "opps.csv".into(),
        sha256: "cc".into(),
        by_user: by,
        partner_id: None,
        at: noon(),
        added: 1,
        changed: 0,
        unchanged: 0,
        refused: 0,
        undone_at: None,
    }
}

/// A company, a person, three touches, a link with clicks, and a deal that an import brought.
async fn results_arrive(fresh: &Fresh, world: &World<'_>, cycle: &domain::cycle::Cycle) {
    let other = partner(2, "Sued", "DACH");
    let (company, person, deal) = (acme(), cy(), won_deal());
    let batch = deals_batch(world.finance.id);
    let change =
        ImportChange { batch_id: batch.id, n: 1, table_name: "deal".into(), row_id: deal.id, before_json: None };
    fresh
        .db
        .write(async |tx| {
            tx.insert_partner(&other).await?;
            tx.save_companies(std::slice::from_ref(&company)).await?;
            tx.save_people(std::slice::from_ref(&person)).await?;
            let touches = [
                touch(1, Some(world.partner.id), Some(cycle.id)),
                touch(2, Some(other.id), None),
                touch(3, None, None),
            ];
            tx.save_touches(&touches).await?;
            tx.save_deals(std::slice::from_ref(&deal)).await?;
            tx.insert_batch(&batch, &[change]).await?;
            let link = Link {
                code: "abc".into(),
                cycle_id: cycle.id,
                campaign_no: 1,
                partner_id: world.partner.id,
                label: "Mail".into(),
                url: "https://example.com".into(),
                created_at: noon(),
            };
            tx.insert_links(&[link]).await?;
            tx.count_visit("abc", at_day("2026-05-01"), 2).await?;
            tx.count_visit("abc", at_day("2026-05-01"), 3).await
        })
        .await
        .unwrap();
}

async fn results_are_met_and_undone(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    world.advance(&world.manager, &number, World::approval(), noon()).await.unwrap();
    let reader = fresh.db.reader();
    let (company, deal) = (acme(), won_deal());
    let cycle = reader.cycle(&Viewer::system(), WhichCycle::Number(&number)).await.unwrap();
    results_arrive(fresh, &world, &cycle).await;
    let batch = deals_batch(world.finance.id);
    let parts = reader.cycle_parts(&Viewer::system(), WhichCycle::Number(&number)).await.unwrap();
    let mut situation = world.situation(parts);
    situation.results = reader.results_of(&cycle).await.unwrap();
    assert_eq!((situation.results.touches.len(), situation.results.deals.len()), (3, 1));
    let measured = measure(&situation, at("2026-07-01T00:00:00Z"));
    fresh.db.write(async |tx| tx.set_results(cycle.id, &measured).await).await.unwrap();
    let lines = reader.campaigns_of(&Viewer::system(), cycle.id).await.unwrap();
    assert_eq!(lines[0].figures.actual.influenced, 3_000_000);
    assert_eq!(verify::ledger(&fresh.db).await.unwrap(), []);
    let total = reader.performance_total(&Viewer::system(), &EMPTY).await.unwrap();
    assert_eq!(total[0].figures.actual, lines[0].figures.actual);
    let own = viewer(&world.marketer);
    let journey = reader.journey(&own, deal.id).await.unwrap();
    let seen: Vec<_> = journey.iter().map(|touch| (touch.seen, touch.person.is_some())).collect();
    assert_eq!(seen, [(true, true), (false, false), (true, true)], "another partner's touch is veiled");
    assert_eq!(reader.touches(&own, &TouchFilter::default(), &Paging::default()).await.unwrap().rows.len(), 1);
    assert_eq!(
        reader.deals(&own, &crate::read::DealFilter::default(), &Paging::default()).await.unwrap().rows.len(),
        1
    );
    assert_eq!(reader.people(&own, "cy", &Paging::default()).await.unwrap().rows.len(), 1);
    assert_eq!(reader.companies(&viewer(&world.manager), "acme", &Paging::default()).await.unwrap().rows.len(), 1);
    assert_eq!(
        reader
            .deals(&viewer(&world.manager), &crate::read::DealFilter::default(), &Paging::default())
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
    assert_eq!(reader.company(&own, company.id).await.unwrap(), company);
    assert_eq!(reader.links_of(&own, cycle.id).await.unwrap().len(), 1);
    assert_eq!(reader.visits(&own, cycle.id).await.unwrap()[0].clicks, 5);
    assert_eq!(reader.evidence_for(&cycle).await.unwrap(), []);
    fresh.db.write(async |tx| tx.undo_batch(batch.id, noon()).await).await.unwrap();
    assert!(matches!(reader.deal(&Viewer::system(), deal.id).await, Err(Error::NotFound)));
    let twice = fresh.db.write(async |tx| tx.undo_batch(batch.id, noon()).await).await;
    assert!(matches!(twice, Err(Error::NotFound)));
}

async fn a_partner_sees_nothing_of_another(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    world.until_paid(&number).await.unwrap();
    let other = partner(2, "Sued", "DACH");
    fresh.db.write(async |tx| tx.insert_partner(&other).await).await.unwrap();
    let mut spy = user(8, "Spy", &[Role::PartnerAdmin, Role::Finance, Role::Administrator]);
    spy.partner_id = Some(other.id);
    spy.roles = vec![Role::PartnerAdmin, Role::Finance];
    let (spy, reader, first) = (viewer(&spy), fresh.db.reader(), Paging::default());
    let which = WhichCycle::Number(&number);
    let theirs = world.partner.id;
    let cycle = reader.cycle(&Viewer::system(), which).await.unwrap().id;
    assert!(reader.cycle(&spy, which).await.is_err());
    assert!(reader.cycle_parts(&spy, which).await.is_err());
    assert!(reader.timeline(&spy, which, true, &first).await.is_err());
    let filter = CycleFilter { partner: Some(theirs), ..CycleFilter::default() };
    assert!(reader.cycles(&spy, &filter, CycleSort::Due, &first).await.unwrap().rows.is_empty());
    assert!(reader.waiting_for_me(&spy, &first).await.unwrap().rows.is_empty());
    let claims = ClaimFilter { partner: Some(theirs), ..ClaimFilter::default() };
    assert!(reader.claims(&spy, &claims, &first).await.unwrap().rows.is_empty());
    let activities = ActivityFilter { partner: Some(theirs), ..ActivityFilter::default() };
    assert!(reader.activities(&spy, &activities, &first).await.unwrap().rows.is_empty());
    assert_eq!(reader.partners(&spy, &PartnerFilter::default(), &first).await.unwrap().rows.len(), 1);
    assert!(reader.partner(&spy, theirs).await.is_err());
    assert!(reader.funds(&spy).await.is_err());
    assert!(reader.fund(&spy, "F-EMEA-26").await.is_err());
    assert!(reader.wallet(&spy, theirs).await.is_err());
    assert!(reader.wallet_sums(&spy, theirs).await.unwrap().is_empty());
    assert!(reader.wallet_sums_on(&spy, theirs, at_day("2026-12-31")).await.is_err());
    for of in [MovementsOf::Fund(world.fund.id), MovementsOf::Partner(theirs)] {
        assert!(reader.movements(&spy, of, (None, None), &first).await.is_err());
    }
    let by_partner = PerformanceFilter { partner: Some(theirs), ..PerformanceFilter::default() };
    assert!(reader.performance(&spy, &by_partner, Dimension::Tactic).await.unwrap().is_empty());
    assert!(reader.performance(&spy, &EMPTY, Dimension::Region).await.unwrap().is_empty());
    assert!(reader.campaigns_of(&spy, cycle).await.unwrap().is_empty());
    assert!(reader.links_of(&spy, cycle).await.unwrap().is_empty());
    assert!(reader.files_of(&spy, cycle).await.unwrap().is_empty());
    assert!(reader.outbox(&spy, MailState::All, &first).await.is_err());
    assert!(reader.log(&spy, &LogFilter::default(), &first).await.is_err());
    assert!(reader.users(&spy, &UserFilter::default()).await.unwrap().is_empty());
    assert!(reader.batches(&spy).await.unwrap().is_empty());
    let nobody = viewer(&user(7, "Nob", &[]));
    assert!(reader.cycles(&nobody, &CycleFilter::default(), CycleSort::Due, &first).await.unwrap().rows.is_empty());
    let auditor = viewer(&user(6, "Aud", &[Role::Auditor]));
    let log = reader.log(&auditor, &LogFilter::default(), &first).await.unwrap();
    assert!(log.rows.iter().any(|entry| entry.record.as_deref() == Some("F-EMEA-26")));
    assert!(!reader.timeline(&auditor, which, false, &first).await.unwrap().rows.is_empty());
    assert_eq!(reader.programs(&spy).await.unwrap(), [program()]);
    assert_eq!(reader.guides(&spy, program().id).await.unwrap().len(), 1);
    assert_eq!(reader.regions(&auditor).await.unwrap(), ["DACH"]);
}

async fn mail_is_sent_once(fresh: &Fresh) {
    let mail = OutboxMail {
        id: id(1),
        kind: "mail".into(),
        topic: "plan_submitted".into(),
        to_email: "max@example.com".into(),
        to_name: "Max".into(),
        to_user: None,
        subject: "C-2026-0001: plan submitted".into(),
        text_body: "Text".into(),
        html_body: "<p>Text</p>".into(),
        message_id: "<1@example.com>".into(),
        created_at: noon(),
        due_at: noon(),
        attempts: 0,
        lease_until: None,
        sent_at: None,
        last_error: None,
        dead: false,
        secret: false,
    };
    fresh.db.write(async |tx| tx.enqueue(std::slice::from_ref(&mail)).await).await.unwrap();
    let (now, later) = (at("2026-03-02T12:01:00Z"), at("2026-03-02T12:06:00Z"));
    let lease = async |now| fresh.db.write(async |tx| tx.lease_mails(now, later, 10).await).await.unwrap();
    let leased = lease(now).await;
    assert_eq!((leased.len(), leased[0].attempts), (1, 1));
    assert!(lease(now).await.is_empty());
    assert_eq!(lease(later).await.len(), 1, "a worker that died is followed by another");
    fresh.db.write(async |tx| tx.mail_failed(mail.id, "no route", None).await).await.unwrap();
    let (reader, root) = (fresh.db.reader(), viewer(&user(5, "Root", &[Role::Administrator])));
    let dead = reader.outbox(&root, MailState::Dead, &Paging::default()).await.unwrap();
    assert_eq!(dead.rows[0].last_error.as_deref(), Some("no route"));
    fresh.db.write(async |tx| tx.revive_mail(mail.id, later).await).await.unwrap();
    fresh.db.write(async |tx| tx.mail_sent(mail.id, later).await).await.unwrap();
    assert!(lease(at("2026-03-03T00:00:00Z")).await.is_empty());
    assert_eq!(reader.mail(&root, mail.id).await.unwrap().sent_at, Some(later));
}
