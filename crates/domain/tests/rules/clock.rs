//! Deadlines, reminders and what the timer does when it was late.

use crate::story::{self, Story, people};
use domain::cycle::Stage;
use domain::deadlines::{Clock, deadlines};
use domain::machine;
use domain::notice::{Audience, Topic};
use domain::steps::s7_execution::{self, ActivityState};
use domain::steps::{s5_request, s6_approval};
use people::{ana, mia, timer};

/// The timer runs every morning from the story's day to `to`; what it told, by day.
fn every_morning(story: &mut Story, to: &str) -> Vec<(String, Topic)> {
    let mut told = Vec::new();
    while story.now < story::morning(to) {
        let next = story.now.date_naive().succ_opt().expect("a next day").to_string();
        for entry in story.on(&next).timer_runs() {
            told.extend(entry.notices.iter().map(|notice| (next.clone(), notice.topic)));
        }
    }
    told
}

fn days(told: &[(String, Topic)], topic: Topic) -> Vec<&str> {
    told.iter().filter(|(_, of)| *of == topic).map(|(day, _)| day.as_str()).collect()
}

#[test]
fn t03_claims_are_reminded_of_one_fourteen_and_twenty_eight_days_after_the_end() {
    let mut story = story::half_proven();
    story.must(&ana(), s7_execution::Command::CancelActivity { activity: 2, reason: "No hall".to_owned() });
    // The webinar ended on 5 May; a partner never paid before has until 9 June, and then the rest goes back.
    let told = every_morning(&mut story, "2026-06-12");
    assert_eq!(days(&told, Topic::ClaimDue), ["2026-05-07", "2026-05-19", "2026-06-02"], "6 May is caught up");
    assert_eq!(days(&told, Topic::ClaimWindowClosed), ["2026-06-10"; 2], "the partner and their manager");
    assert!(days(&told, Topic::ActivityExpired).is_empty());
    assert_eq!(story.balances(), [50_000, 50_000, 0, 0, 0]);
}

#[test]
fn t03_the_first_reminder_comes_the_day_after() {
    let mut story = story::execution_live();
    let proof = story::proof(&story.on("2026-05-05").s, 1);
    story.must(&ana(), proof).must(&mia(), story::accept(1));
    let told = every_morning(&mut story, "2026-06-04");
    assert_eq!(days(&told, Topic::ClaimDue), ["2026-05-06", "2026-05-19", "2026-06-02"]);
}

#[test]
fn proof_is_reminded_of_once_each_and_then_the_activity_expires() {
    let mut story = story::execution_live();
    let told = every_morning(&mut story, "2026-06-20");
    // The webinar of 5 May: proof due 19 May, grace to 26 May. The event of 20 May: 3 June and 10 June.
    assert_eq!(
        days(&told, Topic::ProofDue),
        ["2026-05-12", "2026-05-18", "2026-05-19", "2026-05-27", "2026-06-02", "2026-06-03"]
    );
    assert_eq!(days(&told, Topic::ProofOverdue), ["2026-05-20", "2026-06-04"]);
    assert_eq!(days(&told, Topic::ActivityExpired), ["2026-05-27", "2026-05-27", "2026-06-11", "2026-06-11"]);
    assert_eq!(story.stage(), Stage::Expired);
    assert_eq!(story.balances(), [50_000, 50_000, 0, 0, 0]);
    assert_eq!(story.kinds(), ["execution.activity_expired", "execution.ended"]);
    assert_eq!(machine::wake_at(&story.s), None);
}

#[test]
fn a_clock_that_stood_still_reminds_once() {
    let mut story = story::execution_live();
    let told = story.on("2026-05-19").timer_runs();
    assert_eq!(told.len(), 1, "one reminder for the webinar, though three days were missed: {told:?}");
    assert_eq!(machine::wake_at(&story.s), Some("2026-05-20T00:00:00Z".parse().expect("a moment")));
    let told = story.on("2026-05-22").timer_runs();
    assert_eq!(told.iter().map(|entry| entry.notices[0].topic).collect::<Vec<_>>(), [Topic::ProofOverdue]);
}

#[test]
fn a_clock_that_stood_still_for_months_catches_up_at_once() {
    let mut story = story::half_proven();
    let kinds: Vec<String> = story.on("2027-03-01").timer_runs().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["execution.activity_expired", "execution.window_closed", "execution.ended", "tracking.closed"]);
    assert_eq!(story.stage(), Stage::PerformanceMeasured);
}

#[test]
fn a_moved_activity_is_reminded_of_for_its_new_day() {
    let mut story = story::execution_live();
    story.on("2026-05-12").timer_runs();
    let mut draft = story.s.cycle.activity(1).expect("the webinar").draft.clone();
    (draft.starts, draft.ends) = (story::day("2026-05-07"), story::day("2026-05-07"));
    story.must(&ana(), story::amend(&story.s, 1, draft));
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    let told = every_morning(&mut story, "2026-05-18");
    assert_eq!(days(&told, Topic::ProofDue), ["2026-05-14"]);
}

#[test]
fn an_approval_past_its_time_is_escalated_once_to_its_superiors() {
    let mut story = story::approval_review();
    // Asked on 2 March; five days for level 1.
    let told = every_morning(&mut story, "2026-04-01");
    assert_eq!(
        days(&told, Topic::ApprovalEscalated),
        ["2026-03-08"; 3],
        "the level, the next one, the default approver"
    );
    story.refuses(&timer(), s6_approval::Command::Escalate {}, "not_overdue");
    assert_eq!(machine::wake_at(&story.s), None);
}

#[test]
fn a_question_to_the_partner_stops_the_approvers_clock() {
    let mut story = story::approval_review();
    // Asked on 2 March, due on the 7th; the question of the 4th is answered ten days later.
    story.on("2026-03-04").must(&mia(), s6_approval::Command::Ask { question: "Which list?".to_owned() });
    assert_eq!(machine::health(&story.s).due, Some(story::day("2026-03-09")), "as many days as the level has");
    let told = every_morning(&mut story, "2026-03-14");
    assert!(days(&told, Topic::ApprovalEscalated).is_empty(), "{told:?}");
    story.refuses(&timer(), s6_approval::Command::Escalate {}, "not_overdue");
    story.must(&ana(), s6_approval::Command::Answer { text: "The one of spring.".to_owned() });
    assert_eq!(story.s.cycle.approval.due, Some(story::day("2026-03-17")));
    let told = every_morning(&mut story, "2026-04-01");
    assert_eq!(days(&told, Topic::ApprovalEscalated), ["2026-03-18"; 3]);
}

#[test]
fn what_a_level_asked_and_decided_without_stops_no_other_clock() {
    let mut story = crate::duties::large();
    let draft = story::request(&story.s);
    story.must(&ana(), s5_request::Command::Submit { draft });
    story.must(&mia(), s6_approval::Command::Ask { question: "Which list?".to_owned() });
    let approval = story::approval(&story.s);
    story.must(&mia(), approval);
    assert_eq!(story.s.cycle.level, 2, "it goes on to the next level");
    assert_eq!(story.s.cycle.approval.open_question(), None);
}

#[test]
fn an_escalation_passes_over_levels_nobody_can_sign_in_for() {
    let escalated = |reachable: &[u8]| {
        let mut story = story::approval_review();
        story.s.reachable = reachable.iter().copied().collect();
        let entry = story.on("2026-03-08").timer_runs().remove(0);
        let audiences: Vec<Audience> = entry.notices.iter().map(|notice| notice.audience.clone()).collect();
        assert!(entry.notices.iter().all(|notice| {
            let note = notice.facts.note.as_deref().expect("who was told");
            entry.words.ends_with(note)
        }));
        (entry.words, audiences)
    };
    let (words, to) = escalated(&[1, 2, 9]);
    assert_eq!(to.len(), 3, "{words}");
    assert!(words.contains("It has come to ") && words.contains(" and to "), "{words}");
    let (words, to) = escalated(&[9]);
    assert!(matches!(to.as_slice(), [_, Audience::Approvers { level: 9, .. }]), "{to:?}");
    assert!(words.contains("Nobody who can sign in is ") && words.contains("(default approver)"), "{words}");
    let (words, to) = escalated(&[]);
    assert_eq!(to.last(), Some(&Audience::Administrators), "never nobody");
    assert!(words.contains("so it has come to the administrators"), "{words}");
}

#[test]
fn who_was_deciding_hears_that_a_cycle_is_cancelled() {
    let mut story = story::approval_review();
    story.must(&ana(), machine::CycleCommand::Cancel { reason: "The hall burnt down".to_owned() });
    let told = &story.recorded.last().expect("an entry").1.notices;
    assert!(told.iter().any(|notice| matches!(notice.audience, Audience::DecidingManager(_))), "{told:?}");
    assert!(!told.iter().any(|notice| notice.audience == Audience::Finance), "no money was committed");
}

#[test]
fn finance_hears_of_money_that_comes_back() {
    let mut story = story::execution_live();
    story.must(&ana(), s7_execution::Command::CancelActivity { activity: 1, reason: "No speaker".to_owned() });
    let told = &story.recorded.last().expect("an entry").1.notices;
    let finance = told.iter().find(|notice| notice.audience == Audience::Finance).expect("finance is told");
    assert_eq!((finance.topic, finance.facts.amount), (Topic::ActivityCancelled, Some(story::eur(6_000))));
}

#[test]
fn a_cycle_expires_when_its_period_ends_before_money_is_approved() {
    let before: [fn() -> Story; 4] =
        [story::plan_draft, story::plan_review, story::action_plan_draft, story::request_draft];
    for station in before {
        let mut story = station();
        let told = story.on("2026-06-30").timer_runs();
        assert!(told.iter().all(|entry| entry.kind == "cycle.reminded"), "{told:?}");
        story.on("2026-07-01").timer_runs();
        assert_eq!(story.stage(), Stage::Expired);
    }
}

#[test]
fn a_draft_says_when_it_lapses_and_when_to_ask() {
    let mut story = story::plan_draft();
    let told = every_morning(&mut story, "2026-07-02");
    assert_eq!(days(&told, Topic::DraftLapsing), ["2026-06-16", "2026-06-27"], "the period ends on 30 June");
    let mut story = story::request_draft();
    let first =
        |story: &Story, clock| deadlines(&story.s).into_iter().find(|of| of.clock == clock).expect("a clock").until;
    let ask_by = first(&story, Clock::AskBy);
    let told = every_morning(&mut story, &ask_by.to_string());
    let before = |days: u64| (ask_by - chrono::Days::new(days)).to_string();
    assert_eq!(days(&told, Topic::AskDue), [before(7), before(1)]);
}

#[test]
fn who_is_late_is_told_and_so_is_the_channel_manager() {
    type Station = (fn() -> Story, Clock, usize);
    let stations: [Station; 4] = [
        (story::plan_review, Clock::PlanReview, 1),
        (story::proof_in_review, Clock::ProofReview, 1),
        (story::claim_in_review, Clock::ClaimDecision, 2),
        (story::claim_payable, Clock::Payment, 2),
    ];
    for (station, clock, heard) in stations {
        let mut story = station();
        let of = deadlines(&story.s).into_iter().find(|of| of.clock == clock).expect("a clock");
        let (before, after) = ((of.until - chrono::Days::new(1)), (of.until + chrono::Days::new(1)));
        let told = every_morning(&mut story, &(after + chrono::Days::new(5)).to_string());
        assert_eq!(days(&told, Topic::ReviewDue), [before.to_string()], "{clock:?}");
        assert_eq!(days(&told, Topic::ReviewOverdue), vec![after.to_string(); heard], "{clock:?}");
        let late = story.recorded.iter().flat_map(|(_, entry)| &entry.notices);
        let late: Vec<_> = late.filter(|notice| notice.topic == Topic::ReviewOverdue).collect();
        assert!(late.iter().any(|notice| matches!(notice.audience, Audience::ManagerOf(_))), "{late:?}");
        assert_eq!(late.iter().any(|notice| notice.audience == Audience::Finance), heard == 2, "{late:?}");
        assert!(late.iter().all(|notice| notice.facts.due == Some(of.until)), "{late:?}");
    }
}

#[test]
fn a_question_nobody_answers_is_reminded_of_and_then_told_to_both() {
    let mut story = story::approval_review();
    story.must(&mia(), s6_approval::Command::Ask { question: "Which list?".to_owned() });
    let told = every_morning(&mut story, "2026-03-20");
    assert_eq!(days(&told, Topic::QuestionDue), ["2026-03-06"]);
    assert_eq!(days(&told, Topic::QuestionOverdue), ["2026-03-08"; 2], "the partner, and who may decide without it");
}

#[test]
fn a_timer_that_stood_still_reminds_of_nothing_that_has_passed() {
    let mut story = story::plan_review();
    let told = story.on("2026-06-29").timer_runs();
    let topics: Vec<Topic> = told.iter().flat_map(|entry| &entry.notices).map(|notice| notice.topic).collect();
    assert_eq!(topics, [Topic::ReviewOverdue, Topic::DraftLapsing], "one each");
    assert!(story.on("2026-06-30").timer_runs().is_empty());
}

#[test]
fn results_are_asked_for_before_tracking_ends() {
    let mut story = story::tracking_listening();
    let told = every_morning(&mut story, "2026-09-02");
    assert_eq!(days(&told, Topic::TrackingEnding), ["2026-08-22"; 2]);
}

#[test]
fn a_reminder_says_until_when_more_time_can_be_asked_for() {
    let mut story = story::execution_live();
    let told = story.on("2026-05-12").timer_runs();
    let note = told[0].notices[0].facts.note.as_deref().expect("a note");
    assert!(note.starts_with("More time can be asked for until "), "{note}");
}

#[test]
fn tracking_closes_when_its_window_does() {
    let mut story = story::tracking_listening();
    let told = every_morning(&mut story, "2026-09-02");
    assert_eq!(days(&told, Topic::PerformanceReady), ["2026-08-30"; 3]);
    assert_eq!(story.stage(), Stage::PerformanceMeasured);
}

#[test]
fn proof_in_review_does_not_expire_and_has_a_day_of_its_own() {
    let mut story = story::proof_in_review();
    assert_eq!(machine::health(&story.s).due, Some(story::day("2026-05-11")));
    story.on("2026-09-01").timer_runs();
    assert_eq!(story.s.cycle.activity(1).expect("the webinar").state, ActivityState::ProofReview);
    assert_eq!(story.s.cycle.activity(2).expect("the event").state, ActivityState::Expired);
    assert_eq!(story.stage(), Stage::ExecutionLive);
}
