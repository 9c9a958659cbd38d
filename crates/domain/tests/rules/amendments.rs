//! Changes after approval: what reopens it, what stands meanwhile, and where a refusal leads back to.

use crate::story::{self, Story, eur, people};
use domain::cycle::Stage;
use domain::machine;
use domain::notice::Topic;
use domain::steps::s6_approval::{self, LineDecision};
use domain::steps::s7_execution::{self, ActivityState};
use domain::steps::{s4_action_plan::ActivityDraft, s5_request};
use people::{ana, fay, finn, leo, mia};

fn changed(story: &Story, no: u16, change: impl FnOnce(&mut ActivityDraft)) -> s7_execution::Command {
    let mut draft = story.s.cycle.activity(no).expect("an activity").draft.clone();
    change(&mut draft);
    story::amend(&story.s, no, draft)
}

fn moved(story: &mut Story) {
    let amendment = changed(story, 2, to_bremen);
    story.must(&ana(), amendment);
}

fn to_bremen(draft: &mut ActivityDraft) {
    "Bremen".clone_into(&mut draft.place);
}

#[test]
fn t18_a_material_change_reopens_approval() {
    let mut story = story::execution_live();
    moved(&mut story);
    assert_eq!((story.stage(), story.s.cycle.level), (Stage::ApprovalReview, 1));
    assert_eq!(story.balances(), [50_000, 40_000, 10_000, 0, 0], "money stays committed meanwhile");
    let told = &story.recorded.last().expect("an entry").1.notices;
    assert_eq!(told[0].topic, Topic::AmendmentRequested);
}

#[test]
fn what_the_guide_does_not_call_material_is_done_at_once() {
    let mut story = story::execution_live();
    let amendment = changed(&story, 2, |draft| draft.owner = "Bo Nilsen".to_owned());
    story.must(&ana(), amendment);
    assert_eq!(story.stage(), Stage::ExecutionLive);
    assert_eq!(story.s.cycle.activity(2).expect("the event").draft.owner, "Bo Nilsen");
    let same = changed(&story, 2, |_| {});
    story.refuses(&ana(), same, "no_change");
    let reordered = match changed(&story, 1, |_| {}) {
        s7_execution::Command::Amend { activity, draft, mut lines, reason } => {
            lines.reverse();
            s7_execution::Command::Amend { activity, draft, lines, reason }
        }
        other => other,
    };
    story.refuses(&ana(), reordered, "no_change");
}

#[test]
fn declined_returned_or_withdrawn_it_is_as_it_was() {
    type End = fn(String) -> machine::Command;
    let reason = || "Too far".to_owned();
    let ends: [(End, bool); 3] = [
        (|reason| s6_approval::Command::Decline { reason }.into(), false),
        (|reason| s6_approval::Command::Return { reason }.into(), false),
        (|_| s5_request::Command::Withdraw {}.into(), true),
    ];
    for (end, by_partner) in ends {
        let mut story = story::execution_live();
        let stood = story.s.cycle.clone();
        moved(&mut story);
        story.must(&if by_partner { ana() } else { mia() }, end(reason()));
        let now = &story.s.cycle;
        assert_eq!(now.stage, Stage::ExecutionLive);
        assert_eq!((&now.activities, now.level), (&stood.activities, 0));
        assert_eq!((&now.approval.lines, &now.approval.decisions), (&stood.approval.lines, &stood.approval.decisions));
        assert_eq!(now.request.lines, stood.request.lines);
        assert_eq!(story.balances(), [50_000, 40_000, 10_000, 0, 0]);
    }
}

#[test]
fn more_is_committed_and_less_is_released() {
    let mut story = story::execution_live();
    let amendment = changed(&story, 2, |draft| draft.costs[0].amount = eur(12_000));
    story.must(&ana(), amendment);
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    assert_eq!(story.balances(), [50_000, 38_000, 12_000, 0, 0]);
    let amendment = changed(&story, 2, |draft| draft.costs[0].amount = eur(2_000));
    story.must(&ana(), amendment);
    assert_eq!(story.balances(), [50_000, 38_000, 12_000, 0, 0], "nothing moves before it is decided");
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    assert_eq!(story.balances(), [50_000, 43_000, 7_000, 0, 0]);
}

#[test]
fn only_the_changed_activity_is_decided_again_and_the_whole_sum_finds_its_level() {
    let mut story = story::execution_live();
    let amendment = changed(&story, 2, |draft| draft.costs[0].amount = eur(18_000));
    story.must(&ana(), amendment);
    let ceiling = story.s.cycle.approval.ceiling(&story.s.cycle);
    assert_eq!(ceiling.iter().map(|line| (line.activity, line.asked)).collect::<Vec<_>>(), [(2, eur(9_000))]);
    // 9,000 for the event and 6,000 that stand for the webinar: 15,000 go to the director as well.
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    assert_eq!((story.stage(), story.s.cycle.level), (Stage::ApprovalReview, 2));
    let approval = story::approval(&story.s);
    story.must(&people::director(), approval);
    assert_eq!(story.balances(), [50_000, 35_000, 15_000, 0, 0]);
}

#[test]
fn a_change_asked_by_a_manager_is_decided_by_another() {
    let mut story = story::execution_live();
    let amendment = changed(&story, 2, to_bremen);
    story.must(&leo(), amendment);
    let approval = story::approval(&story.s);
    story.refuses(&leo(), approval.clone(), "own_request");
    story.must(&mia(), approval);
}

#[test]
fn the_rest_of_the_cycle_goes_on_meanwhile() {
    let mut story = story::amendment_in_review();
    let proof = story::proof(&story.s, 2);
    story.refuses(&ana(), proof, "amendment_open");
    story.must(&ana(), story::claim(1, vec![story::invoice(1, 1, eur(6_000))], false));
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    assert_eq!(story.s.cycle.claims.len(), 1);
    assert_eq!(story.s.cycle.activity(2).expect("the event").draft.starts, story::day("2026-06-09"));
}

#[test]
fn what_was_claimed_meanwhile_stays_claimed_when_the_change_is_declined() {
    let mut story = story::amendment_in_review();
    story.must(&ana(), story::claim(1, vec![story::invoice(1, 1, eur(6_000))], false));
    story.must(&finn(), story::approve_claim(1, eur(3_000)));
    story.must(&fay(), story::settle(1, eur(3_000)));
    story.must(&mia(), s6_approval::Command::Decline { reason: "No".to_owned() });
    assert_eq!(story.balances(), [50_000, 40_000, 7_000, 0, 3_000]);
    assert_eq!(story.s.cycle.activity(1).expect("the webinar").state, ActivityState::Proven);
    assert_eq!(story.s.cycle.activity(2).expect("the event").draft.starts, story::day("2026-05-19"));
}

#[test]
fn the_clock_of_a_change_in_review_stands_still() {
    let mut story = story::amendment_in_review();
    story.must(&ana(), story::claim(1, vec![story::invoice(1, 1, eur(6_000))], false));
    story.on("2026-09-01").timer_runs();
    assert_eq!(story.s.cycle.activity(2).expect("the event").state, ActivityState::Live);
    assert!(story.s.cycle.approval.escalated);
}

#[test]
fn money_released_before_an_amendment_is_not_committed_again() {
    let mut story = story::execution_live();
    story.must(&ana(), s7_execution::Command::CancelActivity { activity: 1, reason: "No speaker".to_owned() });
    assert_eq!(story.balances(), [50_000, 46_000, 4_000, 0, 0]);
    moved(&mut story);
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    assert_eq!(story.balances(), [50_000, 46_000, 4_000, 0, 0]);
}

#[test]
fn an_amendment_cannot_ask_for_more_than_the_share_nor_twice() {
    let mut story = story::execution_live();
    let s7_execution::Command::Amend { activity, draft, lines, reason } = changed(&story, 2, to_bremen) else {
        unreachable!("an amendment")
    };
    let mut more = lines.clone();
    more[0].asked = eur(4_001);
    let twice = [lines.clone(), lines].concat();
    let with = |lines| s7_execution::Command::Amend { activity, draft: draft.clone(), lines, reason: reason.clone() };
    story.refuses(&ana(), with(more), "vendor_share");
    story.refuses(&ana(), with(twice), "line_twice");
}

#[test]
fn less_than_asked_for_the_change_has_a_reason() {
    let mut story = story::execution_live();
    moved(&mut story);
    let line = |amount, reason: &str| LineDecision { activity: 2, line: 1, amount, reason: reason.to_owned() };
    let approve = |line| s6_approval::Command::Approve { lines: vec![line] };
    story.refuses(&mia(), approve(line(eur(3_000), "")), "reason");
    story.refuses(&mia(), approve(line(eur(4_001), "")), "over_asked");
    story.must(&mia(), approve(line(eur(3_000), "A smaller hall will do")));
    assert_eq!(story.balances(), [50_000, 41_000, 9_000, 0, 0]);
}
