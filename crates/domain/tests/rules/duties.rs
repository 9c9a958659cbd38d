//! Who asks, who approves, who decides a claim and who pays it are different people, stand-ins included.

use crate::story::{self, Story, eur, people};
use domain::cycle::Stage;
use domain::ledger::AccountKind;
use domain::people::{Actor, Role};
use domain::steps::{s1_plan, s5_request, s6_approval, s7_execution};
use people::{ana, director, fay, finn, flo, in_place_of, leo, mia};

/// 20,000 asked: both levels decide.
pub fn large() -> Story {
    let mut story = story::forecast_draft();
    let draft = story::campaign(&story.s, "Roadshow", "event", 40_000);
    story.must(&ana(), domain::steps::s3_forecast::Command::Save { no: None, draft });
    story.must(&ana(), domain::steps::s3_forecast::Command::Commit {});
    let event = story::activity(1, "event", "2026-05-19", "2026-05-20", &[40_000]);
    story.must(&ana(), domain::steps::s4_action_plan::Command::Save { no: None, draft: event });
    story.must(&ana(), domain::steps::s4_action_plan::Command::Commit {});
    story
}

fn asked_by(who: &Actor) -> Story {
    let mut story = large();
    let draft = story::request(&story.s);
    story.must(who, s5_request::Command::Submit { draft });
    story
}

fn with_role(mut actor: Actor, role: Role, level: u8) -> Actor {
    actor.me.roles.push(role);
    actor.me.approves_level = level;
    actor
}

#[test]
fn a_manager_who_wrote_the_plan_does_not_agree_it() {
    let mut story = Story::new();
    story.must(&mia(), s1_plan::Command::Submit { draft: story::plan() });
    story.refuses(&mia(), s1_plan::Command::Agree {}, "own_plan");
    let stand_in = in_place_of(finn(), &mia());
    story.refuses(&stand_in, s1_plan::Command::Agree {}, "own_plan");
    story.must(&leo(), s1_plan::Command::Agree {});
}

#[test]
fn who_asked_does_not_approve() {
    let mut story = asked_by(&mia());
    let approval = story::approval(&story.s);
    story.refuses(&mia(), approval.clone(), "own_request");
    story.refuses(&in_place_of(finn(), &mia()), approval.clone(), "own_request");
    story.refuses(&mia(), s6_approval::Command::Decline { reason: "No".to_owned() }, "own_request");
    story.must(&leo(), approval);
}

#[test]
fn two_levels_are_two_people() {
    let mia_twice = || with_role(mia(), Role::Approver, 2);
    let mut story = asked_by(&ana());
    let approval = story::approval(&story.s);
    story.must(&mia_twice(), approval);
    assert_eq!((story.stage(), story.s.cycle.level), (Stage::ApprovalReview, 2));
    let approval = story::approval(&story.s);
    story.refuses(&mia_twice(), approval.clone(), "two_levels");
    story.refuses(&in_place_of(finn(), &mia_twice()), approval.clone(), "two_levels");
    story.refuses(&in_place_of(mia(), &director()), approval.clone(), "two_levels");
    story.must(&director(), approval);
    assert_eq!(story.stage(), Stage::ExecutionLive);
}

#[test]
fn whom_a_stand_in_decided_for_does_not_decide_on_the_next_level() {
    let mia_twice = with_role(mia(), Role::Approver, 2);
    let mut story = asked_by(&ana());
    let approval = story::approval(&story.s);
    story.must(&in_place_of(finn(), &mia_twice), approval);
    let decision = &story.s.cycle.approval.decisions[0];
    assert_eq!((decision.by, decision.standing_in_for.as_deref()), (finn().user(), Some("Mia Brandt")));
    assert_eq!(
        story.recorded.last().expect("an entry").1.words,
        "Finn Maurer, standing in for Mia Brandt, approved 20,000 EUR on level 1."
    );
    let approval = story::approval(&story.s);
    story.refuses(&mia_twice, approval, "two_levels");
}

#[test]
fn who_handed_proof_in_does_not_accept_it() {
    let mut story = story::execution_live();
    let proof = story::proof(&story.on("2026-05-06").s, 1);
    story.must(&mia(), proof);
    story.refuses(&mia(), story::accept(1), "own_proof");
    story.refuses(&in_place_of(finn(), &mia()), story::accept(1), "own_proof");
    story.must(&leo(), story::accept(1));
}

#[test]
fn a_claim_is_decided_by_neither_requester_nor_approver_nor_claimant() {
    let mia_in_finance = || with_role(mia(), Role::Finance, 0);
    let mut story = story::claim_in_review();
    story.refuses(&mia_in_finance(), story::approve_claim(1, eur(3_000)), "approved_request");
    story.refuses(
        &in_place_of(people::executive(), &mia_in_finance()),
        story::approve_claim(1, eur(3_000)),
        "approved_request",
    );

    let leo_in_finance = || with_role(leo(), Role::Finance, 0);
    let mut story = story::half_proven();
    story.must(&leo_in_finance(), story::claim(1, vec![story::invoice(1, 1, eur(6_000))], false));
    story.refuses(&leo_in_finance(), story::approve_claim(1, eur(3_000)), "own_claim");
    story.must(&finn(), story::approve_claim(1, eur(3_000)));
    story.refuses(&leo_in_finance(), story::settle(1, eur(3_000)), "own_claim");
}

#[test]
fn who_approved_a_claim_does_not_pay_it() {
    let mut story = story::claim_payable();
    story.refuses(&finn(), story::settle(1, eur(3_000)), "own_approval");
    story.refuses(&in_place_of(people::executive(), &finn()), story::settle(1, eur(3_000)), "own_approval");
    story.must(&fay(), story::settle(1, eur(3_000)));

    let mut story = story::claim_in_review();
    story.must(&in_place_of(people::executive(), &finn()), story::approve_claim(1, eur(3_000)));
    story.refuses(&finn(), story::settle(1, eur(3_000)), "own_approval");
    story.must(&fay(), story::settle(1, eur(3_000)));
}

#[test]
fn an_approver_of_an_earlier_round_does_not_decide_claims() {
    let leo_in_finance = || with_role(leo(), Role::Finance, 0);
    let mut story = story::approval_review();
    let approval = story::approval(&story.s);
    story.must(&leo_in_finance(), approval);
    let mut draft = story.s.cycle.activity(2).expect("the event").draft.clone();
    draft.place = "Kiel".to_owned();
    story.must(&ana(), story::amend(&story.s, 2, draft));
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    let proof = story::proof(&story.on("2026-05-06").s, 1);
    story.must(&ana(), proof).must(&mia(), story::accept(1));
    story.must(&ana(), story::claim(1, vec![story::invoice(1, 1, eur(6_000))], false));
    story.refuses(&leo_in_finance(), story::approve_claim(1, eur(3_000)), "approved_request");
}

#[test]
fn a_claw_back_needs_a_second_person() {
    let mut story = story::clawback_proposed();
    let confirm = || s7_execution::Command::ConfirmClawback { claim: 1 };
    story.refuses(&finn(), confirm(), "second_person");
    story.refuses(&in_place_of(people::executive(), &finn()), confirm(), "second_person");
    story.must(&flo(), confirm());
    assert_eq!(story.balances(), [50_000, 40_000, 7_000, 0, 2_000]);
}

#[test]
fn a_payment_that_came_back_needs_a_second_person() {
    let mut story = story::return_reported();
    let before = story.balances();
    let confirm = || s7_execution::Command::ConfirmPaymentReturn { claim: 1 };
    story.refuses(&fay(), confirm(), "second_person");
    story.refuses(&in_place_of(people::executive(), &fay()), confirm(), "second_person");
    let again = story::came_back(&story.s, 1, 1);
    story.refuses(&finn(), again, "already_reported");
    let reject = || s7_execution::Command::RejectPaymentReturn { claim: 1, reason: "It was another one".to_owned() };
    story.must(&finn(), reject());
    assert_eq!(story.balances(), before);
    story.refuses(&finn(), confirm(), "not_reported");
    let report = story::came_back(&story.s, 1, 1);
    story.must(&fay(), report).must(&finn(), confirm());
    assert_eq!(story.held(AccountKind::Paid), 0);
    assert_eq!(story.held(AccountKind::Claimed), 300_000);
}

#[test]
fn standing_in_is_for_deciding_not_for_the_partners_own_work() {
    let mut story = story::plan_draft();
    let stand_in = in_place_of(finn(), &ana());
    story.refuses(&stand_in, s1_plan::Command::Submit { draft: story::plan() }, "not_your_role");
}
