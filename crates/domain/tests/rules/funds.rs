//! Funds and lots: oldest expiry first, forfeiting, shared funds, and what cannot be taken.

use crate::claims::proven_plan;
use crate::story::{self, Story, eur, people};
use domain::cycle::Stage;
use domain::fund::{self, FundCommand, FundKind};
use domain::ledger::{Account, AccountKind};
use domain::policy::Policy;
use domain::steps::{s3_forecast, s4_action_plan, s5_request, s6_approval, s7_execution};
use people::{ana, finn, mia, timer};

fn lot(units: i64, expires: &str) -> FundCommand {
    FundCommand::Allocate {
        partner: story::NORDWIND,
        amount: eur(units),
        expires: Some(story::day(expires)),
        reason: "Plan".to_owned(),
    }
}

fn emptied(mut story: Story) -> Story {
    let reason = "Start again".to_owned();
    story.fund(&FundCommand::MoveBack { partner: story::NORDWIND, amount: eur(50_000), reason });
    story
}

#[test]
fn t23_the_credit_that_expires_first_is_spent_first() {
    let mut policy = Policy::load(story::EMEA).expect("the shipped guide");
    policy.request.minimum = "1".parse().expect("an amount");
    let mut story = emptied(proven_plan(policy, eur(500)));
    for (units, expires) in [(300, "2026-08-31"), (100, "2026-06-30"), (400, "2026-12-31"), (200, "2026-07-31")] {
        story.fund(&lot(units, expires));
    }
    let draft = story::request(&story.s);
    story.must(&ana(), s5_request::Command::Submit { draft });
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    let left = ["2026-06-30", "2026-07-31", "2026-08-31", "2026-12-31"]
        .map(|day| story.s.book.minor(&Account::available(story::FUND, story::NORDWIND, Some(story::day(day)))) / 100);
    assert_eq!(left, [0, 50, 300, 400]);
    story.must(&ana(), s7_execution::Command::CancelCampaign { campaign: 1, reason: "No speaker".to_owned() });
    let back = ["2026-06-30", "2026-07-31", "2026-08-31", "2026-12-31"]
        .map(|day| story.s.book.minor(&Account::available(story::FUND, story::NORDWIND, Some(story::day(day)))) / 100);
    assert_eq!(back, [100, 200, 300, 400], "what is released goes back to its own lots");
}

#[test]
fn t24_unused_credit_is_forfeited_when_its_day_has_passed() {
    let mut story = emptied(Story::new());
    story.fund(&lot(750, "2026-06-30"));
    story.fund(&lot(500, "2026-07-31"));
    story.on("2026-06-30");
    assert_eq!(story.try_fund(&timer(), &FundCommand::Forfeit).expect_err("too early").code(), "nothing_due");
    assert_eq!(fund::next_expiry(&story.s.book), Some(story::day("2026-07-01")));
    story.on("2026-07-01").fund(&FundCommand::Forfeit);
    assert_eq!(story.held(AccountKind::Forfeited), 75_000);
    assert_eq!(story.held(AccountKind::Available), 50_000);
    assert_eq!(fund::next_expiry(&story.s.book), Some(story::day("2026-08-01")));
}

#[test]
fn expired_credit_is_not_committed_even_before_the_timer_forfeits_it() {
    let mut story = emptied(story::approval_review());
    story.fund(&lot(9_999, "2026-12-31"));
    story.fund(&lot(40_000, "2026-03-02"));
    story.on("2026-03-03");
    let approval = story::approval(&story.s);
    let refusal = story.refuses(&mia(), approval, "funds_available");
    assert!(refusal.reasons[0].why.starts_with("9,999 EUR is left"), "{refusal}");
}

#[test]
fn two_approvals_cannot_both_have_the_last_thousand() {
    let mut story = emptied(story::approval_review());
    story.fund(&lot(10_999, "2026-12-31"));
    let mut other = story.clone();
    let approval = story::approval(&story.s);
    story.must(&mia(), approval.clone());
    other.s.book = story.s.book.clone();
    let refusal = other.refuses(&mia(), approval, "funds_available");
    assert!(refusal.reasons[0].why.contains("999 EUR"), "{refusal}");
}

#[test]
fn a_shared_fund_is_committed_from_what_nobody_was_given() {
    let policy = Policy::load(story::EMEA).expect("the shipped guide");
    let mut story = Story::under(policy, FundKind::Pooled, &[]);
    let refused = story.try_fund(&finn(), &lot(100, "2026-12-31"));
    assert_eq!(refused.expect_err("shared").code(), "shared_fund");
    story.s.cycle = story::approval_review().s.cycle;
    let approval = story::approval(&story.s);
    let decision = domain::machine::decide(&story.s, &mia(), &approval.into(), story.now).expect("approved");
    decision.entries()[0].postings.iter().for_each(|posting| story.s.book.post(posting));
    story.s.cycle = decision.cycle().clone();
    assert_eq!(story.balances(), [90_000, 0, 10_000, 0, 0]);
    let cancel = domain::machine::CycleCommand::Cancel { reason: "Over".to_owned() };
    let decision = domain::machine::decide(&story.s, &mia(), &cancel.into(), story.now).expect("cancelled");
    decision.entries()[0].postings.iter().for_each(|posting| story.s.book.post(posting));
    assert_eq!(story.balances(), [100_000, 0, 0, 0, 0]);
}

#[test]
fn a_fund_gives_only_what_it_has_and_only_by_finance() {
    let mut story = Story::new();
    let why = || "Because".to_owned();
    let cases = [
        (FundCommand::Lower { amount: eur(50_001), reason: why() }, "funds_available"),
        (lot(50_001, "2026-12-31"), "funds_available"),
        (lot(100, "2026-03-01"), "expires"),
        (FundCommand::Budget { amount: eur(0), reason: why() }, "amount"),
        (FundCommand::Budget { amount: domain::money::Money::new(i64::MAX, eur(0).currency), reason: why() }, "amount"),
        (FundCommand::Budget { amount: eur(1), reason: " ".to_owned() }, "required"),
        (FundCommand::MoveBack { partner: story::NORDWIND, amount: eur(50_001), reason: why() }, "funds_available"),
        (
            FundCommand::RecordReturn { partner: story::NORDWIND, amount: eur(1), reference: "SEPA".to_owned() },
            "funds_available",
        ),
    ];
    for (command, code) in cases {
        let refusal = story.try_fund(&finn(), &command).expect_err(code);
        assert_eq!(refusal.code(), code, "{command:?}");
        assert_eq!(story.try_fund(&mia(), &command).expect_err("no finance").code(), "not_your_role");
        let again: FundCommand = serde_json::from_str(&serde_json::to_string(&command).expect("JSON")).expect("JSON");
        assert_eq!(again, command);
    }
    story.fund(&FundCommand::Lower { amount: eur(50_000), reason: why() });
    assert_eq!(story.balances(), [0, 50_000, 0, 0, 0]);
}

#[test]
fn a_returned_claw_back_leaves_the_book() {
    let mut story = story::clawed_back();
    assert_eq!(story.held(AccountKind::Recoverable), 100_000);
    let reference = "SEPA-77".to_owned();
    story.fund(&FundCommand::RecordReturn { partner: story::NORDWIND, amount: eur(1_000), reference });
    assert_eq!((story.held(AccountKind::Recoverable), story.held(AccountKind::Funding)), (0, -9_900_000));
}

#[test]
fn cancelling_fans_out_to_what_is_left() {
    // Two campaigns; one of them has a proven webinar.
    let mut story = story::forecast_draft();
    for (name, cost) in [("Detection in practice", 20_000), ("Letters", 4_000)] {
        let mut draft = story::campaign(&story.s, name, "webinar", cost);
        draft.reason = "As last year".to_owned();
        story.must(&ana(), s3_forecast::Command::Save { no: None, draft });
    }
    story.must(&ana(), s3_forecast::Command::Commit {});
    for draft in [
        story::activity(1, "webinar", "2026-05-05", "2026-05-05", &[12_000]),
        story::activity(1, "event", "2026-05-19", "2026-05-20", &[8_000]),
        story::activity(2, "newsletter", "2026-05-11", "2026-05-22", &[4_000]),
    ] {
        story.must(&ana(), s4_action_plan::Command::Save { no: None, draft });
    }
    story.must(&ana(), s4_action_plan::Command::Commit {});
    let draft = story::request(&story.s);
    story.must(&ana(), s5_request::Command::Submit { draft });
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    let proof = story::proof(&story.on("2026-05-06").s, 1);
    story.must(&ana(), proof).must(&mia(), story::accept(1));
    assert_eq!(story.balances(), [50_000, 38_000, 12_000, 0, 0]);

    let cancel = |campaign| s7_execution::Command::CancelCampaign { campaign, reason: "Out of time".to_owned() };
    story.must(&mia(), cancel(1));
    assert_eq!(story.balances(), [50_000, 42_000, 8_000, 0, 0], "the proven webinar keeps its money");
    assert_eq!(story.stage(), Stage::ExecutionLive);
    story.refuses(&mia(), cancel(1), "ended");
    story.must(&ana(), cancel(2));
    assert_eq!(story.stage(), Stage::TrackingListening);
    story.must(&ana(), story::claim(1, vec![story::invoice(1, 1, eur(12_000))], true));
    story.refuses(&mia(), domain::machine::CycleCommand::Cancel { reason: "Over".to_owned() }, "claim_open");
    story.must(&finn(), s7_execution::Command::DenyClaim { claim: 1, reason: "No".to_owned() });
    story.must(&mia(), domain::machine::CycleCommand::Cancel { reason: "Over".to_owned() });
    assert_eq!(story.stage(), Stage::Cancelled);
    assert_eq!(story.balances(), [50_000, 50_000, 0, 0, 0]);
}

#[test]
fn when_every_activity_is_cancelled_the_cycle_is() {
    let mut story = story::execution_live();
    for activity in [1, 2] {
        story.must(&ana(), s7_execution::Command::CancelActivity { activity, reason: "No budget".to_owned() });
    }
    assert_eq!(story.stage(), Stage::Cancelled);
    assert_eq!(story.kinds(), ["execution.activity_cancelled", "execution.ended"]);
    assert_eq!(story.recorded.last().expect("an entry").1.words, "Every activity is cancelled; the cycle has ended.");
    assert_eq!(story.balances(), [50_000, 50_000, 0, 0, 0]);
}

#[test]
fn the_fund_of_a_request_is_one_that_serves_the_program_and_has_the_money() {
    let mut story = emptied(story::request_draft());
    let draft = story::request(&story.s);
    let refusal = story.refuses(&ana(), s5_request::Command::Submit { draft: draft.clone() }, "funds_available");
    assert!(refusal.reasons[0].why.contains("0 EUR is free"), "{refusal}");
    let elsewhere = s5_request::RequestDraft { fund: domain::ids::FundId(uuid::Uuid::from_u128(99)), ..draft };
    story.refuses(&ana(), s5_request::Command::Save { draft: elsewhere }, "fund");
    story.refuses(&mia(), s6_approval::Command::Approve { lines: Vec::new() }, "wrong_stage");
}
