//! One trip around the loop, all nine steps, with the balances after each.

use crate::story::{self, Story, cents, eur, people};
use domain::cycle::{Party, Stage};
use domain::ledger::AccountKind;
use domain::machine;
use domain::notice::{Audience, Topic};
use domain::steps::{
    s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s7_execution::ActivityState, s8_tracking,
};
use people::{ana, fay, finn, mia};

fn stands(story: &Story, stage: Stage, waiting: Party, balances: [i64; 5]) {
    assert_eq!(story.stage(), stage);
    assert_eq!(machine::health(&story.s).waiting_on, waiting, "{stage:?}");
    assert_eq!(story.balances(), balances, "{stage:?}");
    let cycle = &story.s.cycle;
    assert_eq!(usize::try_from(cycle.version).expect("a count"), story.recorded.len());
    assert_eq!(story.replayed(), *cycle);
}

#[test]
fn once_around_the_loop() {
    let mut story = Story::new();
    let untouched = [50_000, 50_000, 0, 0, 0];
    stands(&story, Stage::PlanDraft, Party::Partner, untouched);

    story.must(&ana(), s1_plan::Command::Submit { draft: story::plan() });
    stands(&story, Stage::PlanReview, Party::Manager, untouched);
    story.must(&mia(), s1_plan::Command::Agree {});
    stands(&story, Stage::ScorecardOpen, Party::Partner, untouched);

    let answers = story::answers(&story.s.template, true);
    story.must(&ana(), s2_scorecard::Command::Complete { answers });
    stands(&story, Stage::ForecastDraft, Party::Partner, untouched);

    let draft = story::campaign(&story.s, "Detection in practice", "webinar", 20_000);
    story.must(&ana(), s3_forecast::Command::Save { no: None, draft });
    story.must(&ana(), s3_forecast::Command::Commit {});
    stands(&story, Stage::ActionPlanDraft, Party::Partner, untouched);
    let frozen = story.s.cycle.campaigns[0].baseline.clone().expect("a frozen baseline");

    let webinar = story::activity(1, "webinar", "2026-05-05", "2026-05-05", &[8_000, 4_000]);
    let event = story::activity(1, "event", "2026-05-19", "2026-05-20", &[8_000]);
    story.must(&ana(), s4_action_plan::Command::Save { no: None, draft: webinar });
    story.refuses(&ana(), s4_action_plan::Command::Commit {}, "costs_differ");
    story.must(&ana(), s4_action_plan::Command::Save { no: None, draft: event });
    story.must(&ana(), s4_action_plan::Command::Commit {});
    stands(&story, Stage::RequestDraft, Party::Partner, untouched);

    let draft = story::request(&story.s);
    story.must(&ana(), s5_request::Command::Submit { draft });
    stands(&story, Stage::ApprovalReview, Party::Approvers, untouched);
    assert!(story.s.cycle.campaigns[0].code.is_none());
    from_approval_to_the_end(&mut story, &frozen);
}

fn from_approval_to_the_end(story: &mut Story, frozen: &domain::forecast::Baseline) {
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    stands(story, Stage::ExecutionLive, Party::Partner, [50_000, 40_000, 10_000, 0, 0]);
    assert_eq!(story.s.cycle.campaigns[0].code.as_deref(), Some(domain::campaign_id::mint(42, 1).as_str()));
    assert!(story.s.cycle.activities.iter().all(|activity| activity.state == ActivityState::Live));
    let told: Vec<_> = story.recorded.last().expect("entries").1.notices.iter().map(|n| n.audience.clone()).collect();
    assert_eq!(told, [Audience::Partner(story::NORDWIND), Audience::Finance]);

    story.on("2026-05-21");
    let proofs = [story::proof(&story.s, 1), story::proof(&story.s, 2)];
    for proof in proofs {
        story.must(&ana(), proof);
    }
    stands(story, Stage::ExecutionLive, Party::Manager, [50_000, 40_000, 10_000, 0, 0]);
    story.must(&mia(), story::accept(1)).must(&mia(), story::accept(2));
    assert_eq!(story.kinds(), ["proof.accepted", "execution.ended"]);
    stands(story, Stage::TrackingListening, Party::Nobody, [50_000, 40_000, 10_000, 0, 0]);

    // Spent: 7,600.50, 4,400 and 8,000 of 8,000, 4,000 and 8,000; half of it, and not more than approved by activity.
    let invoices =
        vec![story::invoice(1, 1, cents(760_050)), story::invoice(1, 2, eur(4_400)), story::invoice(2, 1, eur(8_000))];
    story.must(&ana(), story::claim(1, invoices, true));
    assert_eq!(story.s.cycle.claims[0].asked, eur(10_000));
    stands(story, Stage::TrackingListening, Party::Finance, [50_000, 40_000, 10_000, 0, 0]);
    story.must(&finn(), story::approve_claim(1, eur(9_900)));
    stands(story, Stage::TrackingListening, Party::Finance, [50_000, 40_100, 0, 9_900, 0]);
    story.must(&fay(), story::settle(1, eur(9_900)));
    stands(story, Stage::TrackingListening, Party::Nobody, [50_000, 40_100, 0, 0, 9_900]);

    story.on("2026-08-30").timer_runs();
    stands(story, Stage::PerformanceMeasured, Party::Partner, [50_000, 40_100, 0, 0, 9_900]);
    let measurement = story.s.cycle.review.measurements.last().expect("a measurement");
    assert_eq!((measurement.mdf, measurement.campaigns[0].plan), (eur(9_900), frozen.expected));

    story.must(&ana(), story::sign());
    stands(story, Stage::PerformanceMeasured, Party::Manager, [50_000, 40_100, 0, 0, 9_900]);
    story.must(&mia(), story::sign());
    stands(story, Stage::Closed, Party::Nobody, [50_000, 40_100, 0, 0, 9_900]);
    assert_eq!(machine::wake_at(&story.s), None);
    assert_eq!(story.held(AccountKind::Funding), -10_000_000);
    assert!(story.recorded.last().expect("entries").1.notices.iter().any(|told| told.topic == Topic::CycleClosed));
}

#[test]
fn late_deals_are_measured_after_the_first_measurement() {
    let mut story = story::closed();
    story.must(&mia(), domain::steps::s9_performance::Command::Measure {});
    assert_eq!(story.s.cycle.review.measurements.len(), 2);
    assert_eq!(story.stage(), Stage::Closed);
    story.refuses(&mia(), s8_tracking::Command::Close {}, "wrong_stage");
}

#[test]
fn with_an_agreed_plan_and_a_scorecard_a_cycle_starts_at_the_forecast() {
    let before = story::forecast_draft();
    let (plan, scorecard) = (before.s.cycle.plan.clone(), before.s.cycle.scorecard.clone());
    let starts = |plan: Option<_>, scorecard: Option<_>| {
        let mut story = Story::new();
        story.s.cycle = domain::cycle::Cycle::new(&opening(plan.clone(), scorecard.clone()), story.now);
        let decision = machine::open(&story.s, &ana(), &opening(plan, scorecard), story.now).expect("opened");
        decision.cycle().stage
    };
    assert_eq!(starts(Some(plan.clone()), Some(scorecard.clone())), Stage::ForecastDraft);
    assert_eq!(starts(Some(plan.clone()), None), Stage::ScorecardOpen);
    assert_eq!(starts(None, Some(scorecard.clone())), Stage::PlanDraft);
    let draft = s1_plan::Plan { agreed: None, ..plan };
    assert_eq!(starts(Some(draft), Some(scorecard)), Stage::PlanDraft, "a copied plan is a draft until it is agreed");
}

fn opening(plan: Option<s1_plan::Plan>, scorecard: Option<s2_scorecard::Scorecard>) -> domain::cycle::Opening {
    let (_, opened) = &Story::new().recorded[0];
    let opening: domain::cycle::Opening =
        serde_json::from_value(opened.payload["opening"].clone()).expect("the opening is in the payload");
    domain::cycle::Opening { plan, scorecard, ..opening }
}

#[test]
fn a_cycle_is_opened_in_the_programs_currency_by_those_it_concerns() {
    let story = Story::new();
    let (_, opened) = &story.recorded[0];
    let opening: domain::cycle::Opening = serde_json::from_value(opened.payload["opening"].clone()).expect("opening");
    let open = |who: &domain::people::Actor, opening: &domain::cycle::Opening| {
        machine::open(&story.s, who, opening, story.now).map(|_| ()).map_err(|refusal| refusal.code().to_owned())
    };
    assert_eq!(open(&mia(), &opening), Ok(()));
    assert_eq!(open(&people::stranger(), &opening), Err("not_your_role".to_owned()));
    assert_eq!(open(&finn(), &opening), Err("not_your_role".to_owned()));
    let dollars = domain::cycle::Opening { currency: domain::money::Currency::USD, ..opening };
    assert_eq!(open(&ana(), &dollars), Err("currency".to_owned()));
}

#[test]
fn the_timeline_says_for_whom_a_manager_acts() {
    let mut story = Story::new();
    story.must(&mia(), s1_plan::Command::Submit { draft: story::plan() });
    assert_eq!(story.recorded.last().expect("an entry").1.words, "Mia Brandt for Nordwind submitted the plan.");
    story.must(&people::leo(), s1_plan::Command::Agree {});
    assert_eq!(story.recorded.last().expect("an entry").1.words, "Leo Weiss agreed the plan.");
}
