//! Claims: what is paid, when, how often, and what goes back.

use crate::story::{self, Story, cents, eur, people};
use domain::cycle::Stage;
use domain::ledger::{Account, AccountKind};
use domain::money::Money;
use domain::policy::Policy;
use domain::steps::s7_execution::{self, ClaimState};
use domain::steps::{s3_forecast, s4_action_plan, s5_request, s6_approval};
use people::{ana, fay, finn, flo, mia};

/// One proven webinar of this cost, half of it approved; it ended on 5 May.
fn approved(cost: Money) -> Story {
    approved_under(Policy::load(story::EMEA).expect("the shipped guide"), cost)
}

fn approved_under(policy: Policy, cost: Money) -> Story {
    let mut story = proven_plan(policy, cost);
    let draft = story::request(&story.s);
    story.must(&ana(), s5_request::Command::Submit { draft });
    while story.stage() == Stage::ApprovalReview {
        let approval = story::approval(&story.s);
        let who = if story.s.cycle.level == 1 { mia() } else { people::director() };
        story.must(&who, approval);
    }
    let proof = story::proof(&story.on("2026-05-06").s, 1);
    story.must(&ana(), proof).must(&mia(), story::accept(1));
    story
}

/// Up to the request.
pub fn proven_plan(policy: Policy, cost: Money) -> Story {
    let mut story = story::forecast_draft();
    story.s.policy = policy.into();
    let mut draft = story::campaign(&story.s, "Detection in practice", "webinar", 20_000);
    draft.cost = cost;
    "Last year's figures".clone_into(&mut draft.reason);
    story.must(&ana(), s3_forecast::Command::Save { no: None, draft });
    story.must(&ana(), s3_forecast::Command::Commit {});
    let mut webinar = story::activity(1, "webinar", "2026-05-05", "2026-05-05", &[1]);
    webinar.costs[0].amount = cost;
    story.must(&ana(), s4_action_plan::Command::Save { no: None, draft: webinar });
    story.must(&ana(), s4_action_plan::Command::Commit {});
    story
}

fn claims(actual: Money, is_final: bool) -> s7_execution::Command {
    story::claim(1, vec![story::invoice(1, 1, actual)], is_final)
}

#[test]
fn t01_the_last_day_to_claim_is_thirty_days_after_the_end() {
    let mut story = approved(eur(10_000));
    story.s.partner.has_been_paid = true;
    assert_eq!(s7_execution::claim_due(&story.s, story::day("2025-03-31")), story::day("2025-04-30"));
    let mut late = story.clone();
    story.on("2026-06-04").must(&ana(), claims(eur(8_000), false));
    late.on("2026-06-05").refuses(&ana(), claims(eur(8_000), false), "claim_window");
}

#[test]
fn t02_who_was_never_paid_has_thirty_five() {
    let mut story = approved(eur(10_000));
    assert_eq!(s7_execution::claim_due(&story.s, story::day("2025-03-31")), story::day("2025-05-05"));
    let mut late = story.clone();
    story.on("2026-06-09").must(&ana(), claims(eur(8_000), false));
    late.on("2026-06-10").refuses(&ana(), claims(eur(8_000), false), "claim_window");
}

#[test]
fn t08_what_was_not_spent_is_not_paid_and_goes_back() {
    let mut story = approved(eur(10_000));
    assert_eq!(story.balances(), [50_000, 45_000, 5_000, 0, 0]);
    story.must(&ana(), claims(eur(8_000), true));
    story.must(&finn(), story::approve_claim(1, eur(4_000)));
    assert_eq!(story.balances(), [50_000, 46_000, 0, 4_000, 0]);
    story.must(&fay(), story::settle(1, eur(4_000)));
    assert_eq!(story.balances(), [50_000, 46_000, 0, 0, 4_000]);
}

#[test]
fn t09_what_was_spent_over_the_approval_is_the_partners() {
    let mut story = approved(eur(10_000));
    story.must(&ana(), claims(eur(14_000), true));
    assert_eq!(story.s.cycle.claims[0].asked, eur(5_000));
    story.must(&finn(), story::approve_claim(1, eur(5_000))).must(&fay(), story::settle(1, eur(5_000)));
    assert_eq!(story.balances(), [50_000, 45_000, 0, 0, 5_000]);
}

#[test]
fn one_activity_does_not_claim_what_was_approved_for_another() {
    let mut story = story::half_proven();
    story.must(
        &ana(),
        story::claim(1, vec![story::invoice(1, 1, eur(16_000)), story::invoice(1, 2, eur(4_000))], false),
    );
    let claim = &story.s.cycle.claims[0];
    assert_eq!(
        claim.lines.iter().map(|line| (line.share, line.pays)).collect::<Vec<_>>(),
        [(eur(8_000), eur(6_000)), (eur(2_000), eur(0))]
    );
    assert_eq!(claim.asked, eur(6_000), "the event's 4,000 stay its own");
}

#[test]
fn a_cost_line_that_was_declined_cannot_be_claimed() {
    let mut story = story::approval_review();
    let line = |activity, line, amount| s6_approval::LineDecision {
        activity,
        line,
        amount: eur(amount),
        reason: "Not this one".to_owned(),
    };
    let lines = vec![line(1, 1, 4_000), line(1, 2, 0), line(2, 1, 4_000)];
    story.must(&mia(), s6_approval::Command::Approve { lines });
    let proof = story::proof(&story.on("2026-05-06").s, 1);
    story.must(&ana(), proof).must(&mia(), story::accept(1));
    story.refuses(&ana(), story::claim(1, vec![story::invoice(1, 2, eur(500))], false), "not_approved");
    story.refuses(&ana(), story::claim(1, vec![story::invoice(2, 1, eur(500))], false), "proven");
}

#[test]
fn t25_a_claim_is_paid_when_the_last_instalment_is() {
    let mut story = approved(eur(20_000));
    story.must(&ana(), claims(eur(20_000), true)).must(&finn(), story::approve_claim(1, eur(10_000)));
    story.must(&fay(), story::settle(1, eur(4_000)));
    assert_eq!(story.s.cycle.claims[0].state, ClaimState::PartPaid);
    assert_eq!(story.balances(), [50_000, 40_000, 0, 6_000, 4_000]);
    story.refuses(&fay(), story::settle(1, cents(600_001)), "amount");
    story.must(&fay(), story::settle(1, eur(6_000)));
    assert_eq!(story.s.cycle.claims[0].state, ClaimState::Paid);
    assert_eq!(story.balances(), [50_000, 40_000, 0, 0, 10_000]);
    story.refuses(&fay(), story::settle(1, eur(1)), "claim_state");
}

#[test]
fn t27_the_third_partial_claim_is_capped_at_what_is_left() {
    let mut story = approved(eur(12_000));
    for actual in [5_000, 5_000, 3_000] {
        story.must(&ana(), claims(eur(actual), false));
    }
    let asked: Vec<Money> = story.s.cycle.claims.iter().map(|claim| claim.asked).collect();
    assert_eq!(asked, [eur(2_500), eur(2_500), eur(1_000)]);
    story.refuses(&ana(), claims(eur(100), false), "most_claims");
}

#[test]
fn what_a_claim_was_cut_by_can_be_claimed_again() {
    let mut story = approved(eur(12_000));
    story.must(&ana(), claims(eur(12_000), false));
    let without = s7_execution::Command::ApproveClaim { claim: 1, amount: eur(4_000), reason: " ".to_owned() };
    story.refuses(&finn(), without, "reason");
    story.must(&finn(), story::approve_claim(1, eur(4_000)));
    assert_eq!(story.balances(), [50_000, 44_000, 2_000, 4_000, 0]);
    story.must(&ana(), claims(eur(6_000), true));
    assert_eq!(story.s.cycle.claims[1].asked, eur(2_000));
}

#[test]
fn a_denied_claim_leaves_its_money_to_the_next() {
    let mut story = story::claim_in_review();
    story.refuses(&finn(), s7_execution::Command::DenyClaim { claim: 1, reason: String::new() }, "required");
    story.must(&finn(), s7_execution::Command::DenyClaim { claim: 1, reason: "No invoice".to_owned() });
    assert_eq!(story.balances(), [50_000, 40_000, 10_000, 0, 0]);
    story.must(&ana(), story::claim(1, vec![story::invoice(1, 1, eur(6_000))], false));
    assert_eq!(story.s.cycle.claims[1].asked, eur(3_000));
}

#[test]
fn t29_a_small_claim_is_refused_unless_it_is_the_final_one() {
    let policy = |minimum: &str| {
        let mut policy = Policy::load(story::EMEA).expect("the shipped guide");
        policy.claim.minimum = minimum.parse().expect("an amount");
        policy
    };
    let mut story = approved_under(policy("25"), eur(10_000));
    story.refuses(&ana(), claims(cents(4_998), false), "minimum_claim");
    story.must(&ana(), claims(cents(5_000), false));
    assert_eq!(story.s.cycle.claims[0].asked, eur(25));

    let mut story = approved_under(policy("10000"), eur(19_998));
    story.refuses(&ana(), claims(eur(19_998), false), "minimum_claim");
    story.must(&ana(), claims(eur(19_998), true));
    assert_eq!(story.s.cycle.claims[0].asked, eur(9_999));
}

#[test]
fn t30_what_is_to_come_back_is_held_back_from_the_next_payment() {
    let mut story = approved(eur(20_000));
    story.must(&ana(), claims(eur(10_000), false)).must(&finn(), story::approve_claim(1, eur(5_000)));
    story.must(&fay(), story::settle(1, eur(5_000)));
    let reason = "Invoice credited".to_owned();
    story.refuses(
        &finn(),
        s7_execution::Command::ProposeClawback { claim: 1, amount: eur(5_001), reason: reason.clone() },
        "amount",
    );
    story.must(&finn(), s7_execution::Command::ProposeClawback { claim: 1, amount: eur(2_000), reason });
    story.must(&flo(), s7_execution::Command::ConfirmClawback { claim: 1 });
    assert_eq!(story.held(AccountKind::Recoverable), 200_000);
    story.must(&ana(), claims(eur(10_000), true)).must(&finn(), story::approve_claim(2, eur(5_000)));
    story.must(&fay(), story::settle(2, eur(5_000)));
    let payment = &story.s.cycle.claims[1].payments[0];
    assert_eq!((payment.amount, payment.offset), (eur(5_000), eur(2_000)));
    let told = &story.recorded.last().expect("an entry").1;
    assert_eq!(told.notices[0].facts.amount, Some(eur(3_000)), "3,000 are transferred");
    assert_eq!(story.held(AccountKind::Recoverable), 0);
    assert_eq!(story.held(AccountKind::Paid), 800_000);
    assert_eq!(story.s.cycle.claims[1].state, ClaimState::Paid);
}

/// What was held back stays held back; only what was transferred is to be paid again, and any number of times.
#[test]
fn a_payment_that_came_back_is_paid_again() {
    let mut story = approved(eur(20_000));
    story.must(&ana(), claims(eur(10_000), false)).must(&finn(), story::approve_claim(1, eur(5_000)));
    story.must(&fay(), story::settle(1, eur(5_000)));
    let reason = "Invoice credited".to_owned();
    story.must(&finn(), s7_execution::Command::ProposeClawback { claim: 1, amount: eur(2_000), reason });
    let report = story::came_back(&story.s, 1, 1);
    story.refuses(&fay(), report, "clawback");
    story.must(&flo(), s7_execution::Command::ConfirmClawback { claim: 1 });
    story.must(&ana(), claims(eur(10_000), true)).must(&finn(), story::approve_claim(2, eur(5_000)));
    story.must(&fay(), story::settle(2, eur(4_000)));
    for (payment, refusal) in [(0, "no_payment"), (2, "no_payment")] {
        let report = story::came_back(&story.s, 2, payment);
        story.refuses(&fay(), report, refusal);
    }
    let report = story::came_back(&story.s, 2, 1);
    story.must(&fay(), report).must(&finn(), s7_execution::Command::ConfirmPaymentReturn { claim: 2 });
    let claim = &story.s.cycle.claims[1];
    assert_eq!((claim.paid(), claim.outstanding(), claim.state), (eur(2_000), eur(3_000), ClaimState::PartPaid));
    assert_eq!(story.held(AccountKind::Recoverable), 0, "what was held back is settled");
    assert_eq!((story.held(AccountKind::Paid), story.held(AccountKind::Claimed)), (500_000, 300_000));
    let report = story::came_back(&story.s, 2, 1);
    story.refuses(&fay(), report, "came_back");
    story.must(&fay(), story::settle(2, eur(3_000)));
    assert_eq!(story.s.cycle.claims[1].state, ClaimState::Paid);
    let report = story::came_back(&story.s, 2, 2);
    story.must(&fay(), report).must(&finn(), s7_execution::Command::ConfirmPaymentReturn { claim: 2 });
    assert_eq!((story.held(AccountKind::Paid), story.held(AccountKind::Claimed)), (500_000, 300_000));
}

#[test]
fn every_row_of_a_claim_carries_an_invoice_of_its_own_day() {
    let mut story = approved(eur(10_000));
    let with = |change: fn(&mut s7_execution::ClaimLineDraft)| {
        let mut line = story::invoice(1, 1, eur(4_000));
        change(&mut line);
        story::claim(1, vec![line], false)
    };
    story.refuses(&ana(), with(|line| line.file = None), "invoice");
    story.refuses(&ana(), with(|line| line.invoice_no.clear()), "required");
    story.refuses(&ana(), with(|line| line.invoice_date = story::day("2026-05-07")), "invoice_date");
    story.refuses(&ana(), with(|line| line.actual = eur(0)), "amount");
    story.refuses(&ana(), story::claim(1, Vec::new(), false), "no_lines");
    story.refuses(&ana(), story::claim(7, vec![story::invoice(1, 1, eur(4_000))], false), "no_campaign");
}

#[test]
fn a_final_claim_waits_for_what_still_runs() {
    let mut story = story::half_proven();
    story.refuses(&ana(), story::claim(1, vec![story::invoice(1, 1, eur(6_000))], true), "still_running");
}

#[test]
fn after_the_final_claim_there_is_none() {
    let mut story = approved(eur(10_000));
    story.must(&ana(), claims(eur(4_000), true));
    story.refuses(&ana(), claims(eur(4_000), false), "final_claim");
    story.must(&finn(), s7_execution::Command::DenyClaim { claim: 1, reason: "Wrong invoice".to_owned() });
    story.must(&ana(), claims(eur(4_000), true));
}

#[test]
fn money_of_a_claim_in_review_is_never_released_underneath_it() {
    let mut story = story::claim_in_review();
    story.must(&ana(), s7_execution::Command::CancelActivity { activity: 2, reason: "The hall burnt down".to_owned() });
    assert_eq!(story.stage(), Stage::TrackingListening);
    assert_eq!(story.balances(), [50_000, 44_000, 6_000, 0, 0]);
    story.on("2026-08-01").timer_runs();
    assert_eq!(story.balances(), [50_000, 44_000, 6_000, 0, 0], "the window closed with a claim in review");
    story.must(&finn(), story::approve_claim(1, eur(3_000)));
    story.timer_runs();
    assert_eq!(story.balances(), [50_000, 47_000, 0, 3_000, 0], "decided: the rest goes back");
    let another = story.act(&mia(), domain::machine::CycleCommand::Cancel { reason: "Over".to_owned() });
    assert_eq!(another.expect_err("a payable claim").code(), "claim_open");
}

#[test]
fn an_approved_claim_draws_the_credit_that_expires_first() {
    let mut story = approved(eur(10_000));
    story.must(&ana(), claims(eur(6_000), false)).must(&finn(), story::approve_claim(1, eur(3_000)));
    let lot = Some(story::day("2026-12-31"));
    let committed = Account::committed(story::FUND, story::NORDWIND, story::CYCLE, 1, lot);
    assert_eq!(story.s.book.minor(&committed), 200_000);
}

#[test]
fn released_credit_whose_day_has_passed_is_forfeited() {
    let mut story = story::half_proven();
    story.s.partner.has_been_paid = true;
    let mut late = story.clone();
    story.must(&ana(), story::claim(1, vec![story::invoice(1, 1, eur(6_000))], false));
    late.on("2027-01-02").timer_runs();
    assert_eq!(late.held(AccountKind::Forfeited), 1_000_000, "the lot of 31 December");
    assert_eq!(late.held(AccountKind::Committed), 0);
}
