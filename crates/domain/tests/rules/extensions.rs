//! More time to prove and to claim: who gives it, how much at most, and that every day moves by it.

use crate::story::{self, EMEA, Story, day, grant_time as grant, people};
use domain::cycle::{Party, Stage};
use domain::deadlines::{Clock, deadlines};
use domain::machine::{self, health};
use domain::notice::Topic;
use domain::policy::{Extendable, Policy};
use domain::steps::s7_execution::{Command, ExtensionState, last_day_to_claim, proof_days};
use people::{ana, fay, finn, in_place_of, leo, mia, timer};

fn decline() -> Command {
    Command::DeclineExtension { extension: 1, reason: "The list is one day of work".to_owned() }
}

fn proof_due(story: &Story, no: u16) -> domain::Date {
    proof_days(&story.s, story.s.cycle.activity(no).expect("it is planned")).due(&story.s.policy)
}

/// The day a clock of the cycle runs out, where it runs.
fn until(story: &Story, clock: Clock) -> Option<domain::Date> {
    deadlines(&story.s).into_iter().find(|deadline| deadline.clock == clock).map(|deadline| deadline.until)
}

/// The EMEA guide with other rules for more time.
fn guide(extension: &str) -> Result<Policy, String> {
    let (before, rest) = EMEA.split_once("[extension]").expect("the guide gives more time");
    let (_, after) = rest.split_once("[[approval]]").expect("bands follow");
    let text = format!("{before}[extension]\n{extension}\n[[approval]]{after}");
    let said = |problems: Vec<domain::policy::Contradiction>| {
        problems.into_iter().map(|problem| problem.problem).collect::<Vec<_>>().join(" ")
    };
    Policy::load(&text).map_err(said)
}

fn under(extension: &str) -> Story {
    let mut story = story::execution_live();
    story.s.policy = std::sync::Arc::new(guide(extension).expect("a sound guide"));
    story
}

#[test]
fn granted_days_move_proof_claim_reminders_and_expiry() {
    let mut story = story::execution_live();
    // The webinar ends on 5 May: proof by 19 May, grace to 26 May. The event ends on 20 May: 3 June, its claim 24 June.
    assert_eq!((proof_due(&story, 1), proof_due(&story, 2)), (day("2026-05-19"), day("2026-06-03")));
    assert_eq!(last_day_to_claim(&story.s, 1), Some(day("2026-06-24")));
    story.on("2026-05-10").must(&ana(), story::more_time(Extendable::Proof, 15));
    let asked = story.recorded.last().expect("an entry").1.clone();
    assert_eq!(asked.notices.iter().map(|notice| notice.topic).collect::<Vec<_>>(), [Topic::ExtensionAsked]);
    assert_eq!(health(&story.s).waiting_on, Party::Manager);
    assert_eq!(until(&story, Clock::ExtensionAnswer), Some(day("2026-05-15")));
    story.must(&mia(), grant(15));
    assert_eq!((proof_due(&story, 1), proof_due(&story, 2)), (day("2026-06-03"), day("2026-06-18")));
    assert_eq!(last_day_to_claim(&story.s, 1), Some(day("2026-07-09")), "what is proven later is claimed later");
    assert_eq!(until(&story, Clock::Proof), Some(day("2026-06-03")));
    assert_eq!(health(&story.s).due, Some(day("2026-06-03")));
    assert_eq!(machine::wake_at(&story.s).map(|at| at.date_naive()), Some(day("2026-05-27")), "the first reminder");
    let told = story.recorded.last().expect("an entry").1.clone();
    assert!(told.words.contains("granted 15 days more to hand in proof"), "{}", told.words);
    assert_eq!(told.notices[0].facts.due, Some(day("2026-06-03")));
    // Handed in on a day that would have been too late.
    let proof = story::proof(&story.on("2026-06-02").s, 1);
    story.must(&ana(), proof);
}

#[test]
fn a_granted_claim_extension_lets_a_late_claim_pass() {
    let mut story = story::half_proven();
    story.must(&ana(), Command::CancelActivity { activity: 2, reason: "No hall".to_owned() });
    let claim = || story::claim(1, vec![story::invoice(1, 1, story::eur(6_000))], false);
    assert_eq!(last_day_to_claim(&story.s, 1), Some(day("2026-06-09")));
    let mut late = story.clone();
    let refusal = late.on("2026-06-07").refuses(&ana(), story::more_time(Extendable::Claim, 5), "extension");
    assert_eq!(refusal.reasons[0].why, "An extension is asked for by Sat 6 June 2026.");
    story.on("2026-06-06").must(&ana(), story::more_time(Extendable::Claim, 10)).must(&mia(), grant(10));
    assert_eq!(last_day_to_claim(&story.s, 1), Some(day("2026-06-19")));
    story.timer_runs();
    story.on("2026-06-19").must(&ana(), claim());
}

#[test]
fn nobody_gets_more_than_the_guide_gives() {
    let mut story = story::execution_live();
    story.on("2026-05-10");
    let refusal = story.refuses(&ana(), story::more_time(Extendable::Proof, 16), "extension");
    assert_eq!(refusal.reasons[0].remedy, "Ask for 15 days or less.");
    story.refuses(&ana(), story::more_time(Extendable::Proof, 0), "extension");
    story.must(&ana(), story::more_time(Extendable::Proof, 10));
    let refusal = story.refuses(&ana(), story::more_time(Extendable::Claim, 5), "extension_open");
    assert_eq!(refusal.reasons[0].remedy, "The answer comes by Fri 15 May 2026.");
    story.refuses(&mia(), grant(11), "days");
    let fewer = story.refuses(&mia(), grant(5), "required");
    assert!(fewer.reasons[0].why.contains("fewer days"), "{}", fewer.reasons[0].why);
    story.must(&mia(), Command::GrantExtension { extension: 1, days: 5, reason: "A week is enough".to_owned() });
    assert_eq!(proof_due(&story, 1), day("2026-05-24"));
    let refusal = story.refuses(&ana(), story::more_time(Extendable::Proof, 5), "extension");
    assert_eq!(refusal.reasons[0].why, "This would be extension number 2; the program gives 1.");
    story.refuses(&mia(), decline(), "extension_decided");
}

#[test]
fn who_asked_does_not_decide_and_neither_does_finance_where_the_guide_names_the_manager() {
    let mut story = story::execution_live();
    story.on("2026-05-10").must(&mia(), story::more_time(Extendable::Proof, 5));
    story.refuses(&mia(), grant(5), "own_extension");
    story.refuses(&in_place_of(finn(), &mia()), grant(5), "own_extension");
    let refusal = story.refuses(&finn(), decline(), "not_the_decider");
    assert_eq!(refusal.reasons[0].remedy, "In this program the channel manager decides it.");
    story.must(&leo(), decline());
    assert_eq!(story.s.cycle.extensions[0].state, ExtensionState::Declined);
    assert_eq!(proof_due(&story, 1), day("2026-05-19"));
    // Declined is not granted: the partner may ask again, in time.
    story.must(&ana(), story::more_time(Extendable::Proof, 3));
}

#[test]
fn the_guide_can_let_finance_decide_one_window_only() {
    let mut story = under("days = 10\ntimes = 2\nwindows = [\"claim\"]\ndecided_by = \"finance\"\nanswer_days = 3\n");
    story.on("2026-05-06");
    let refusal = story.refuses(&ana(), story::more_time(Extendable::Proof, 5), "extension");
    assert_eq!(refusal.reasons[0].why, "The program gives no more time to hand in proof.");
    let proof = story::proof(&story.s, 1);
    story.must(&ana(), proof).must(&mia(), story::accept(1)).must(&ana(), story::more_time(Extendable::Claim, 10));
    assert_eq!((health(&story.s).waiting_on, health(&story.s).due), (Party::Finance, Some(day("2026-05-09"))));
    story.refuses(&mia(), grant(10), "not_the_decider");
    story.must(&fay(), grant(10));
    assert_eq!(last_day_to_claim(&story.s, 1), Some(day("2026-07-04")));
}

#[test]
fn the_money_waits_for_the_answer_and_a_wish_nobody_answers_lapses() {
    let mut story = under("days = 10\ngrace = 4\nanswer_days = 5\n");
    let mut untouched = story.clone();
    // Without a wish: proof is due 19 May and taken until 26 May.
    untouched.on("2026-05-27").timer_runs();
    assert!(untouched.s.cycle.activity(1).expect("the webinar").state.has_ended());
    // Asked in the grace after the due day, four days at most.
    story.on("2026-05-23").must(&ana(), story::more_time(Extendable::Proof, 5));
    story.on("2026-05-28").timer_runs();
    assert!(!story.s.cycle.activity(1).expect("the webinar").state.has_ended(), "the answer is due that day");
    let told = story.on("2026-05-29").timer_runs();
    let kinds: Vec<&str> = told.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds[..2], ["execution.extension_lapsed", "execution.activity_expired"], "{kinds:?}");
    assert_eq!(story.s.cycle.extensions[0].state, ExtensionState::Lapsed);
    assert_eq!(told[0].notices.len(), 2, "partner and manager hear of it");
    story.refuses(&mia(), grant(5), "extension_decided");
}

#[test]
fn a_claim_window_waits_as_long_as_more_time_can_be_asked_for() {
    let mut story = under("days = 10\ngrace = 4\n");
    let proof = story::proof(&story.on("2026-05-06").s, 1);
    story.must(&ana(), proof).must(&mia(), story::accept(1));
    story.must(&ana(), Command::CancelActivity { activity: 2, reason: "No hall".to_owned() });
    // The window ends on 9 June; until the 13th more time can still be asked for.
    let held = story.balances();
    story.on("2026-06-13").timer_runs();
    assert_eq!(story.balances(), held, "the money waits");
    let claim = story::claim(1, vec![story::invoice(1, 1, story::eur(6_000))], false);
    let refusal = story.refuses(&ana(), claim, "claim_window");
    assert_eq!(refusal.reasons[0].remedy, "Ask for more time by Sat 13 June 2026, 10 days at most.");
    let told = story.on("2026-06-14").timer_runs();
    assert_eq!(told[0].kind, "execution.window_closed");
    assert_eq!(story.balances(), [50_000, 50_000, 0, 0, 0]);
}

#[test]
fn a_guide_that_contradicts_itself_is_refused() {
    let load = |extension: &str| guide(extension).expect_err(extension);
    assert!(load("days = 5\ngrace = 2\nask_before = 3").contains("keep one of `ask_before` and `grace`"));
    assert!(load("days = 5\nwindows = []").contains("leave [extension] out"));
    assert!(load("days = 5\nanswer_days = 0").contains("write 1 or more"));
    assert!(load("days = 5\nwindows = [\"tracking\"]").contains("tracking"));
}

#[test]
fn every_clock_of_a_cycle_is_named_with_whom_it_waits_for() {
    let named = |story: &Story| -> Vec<(Clock, Party)> {
        deadlines(&story.s).into_iter().map(|deadline| (deadline.clock, deadline.party)).collect()
    };
    let asking = named(&story::request_draft());
    assert!(asking.contains(&(Clock::AskBy, Party::Partner)) && asking.contains(&(Clock::Credit, Party::Nobody)));
    assert_eq!(named(&story::approval_review()), [(Clock::Approval, Party::Approvers)]);
    let running = named(&story::half_proven());
    for clock in [Clock::Proof, Clock::ProofGrace, Clock::Claim, Clock::Extension, Clock::Credit, Clock::Tracking] {
        assert!(running.iter().any(|(named, _)| *named == clock), "{clock:?} in {running:?}");
    }
    assert!(named(&story::proof_in_review()).contains(&(Clock::ProofReview, Party::Manager)));
    assert!(named(&story::claim_in_review()).contains(&(Clock::ClaimDecision, Party::Finance)));
    assert!(named(&story::claim_payable()).contains(&(Clock::Payment, Party::Finance)));
    assert!(named(&story::closed()).is_empty());
    let mut asked = story::approval_review();
    asked.must(&mia(), domain::steps::s6_approval::Command::Ask { question: "Which list?".to_owned() });
    assert_eq!(named(&asked), [(Clock::Information, Party::Partner)]);
    assert_eq!(asked.stage(), Stage::ApprovalReview);
    asked.refuses(&timer(), story::more_time(Extendable::Claim, 5), "wrong_stage");
}
