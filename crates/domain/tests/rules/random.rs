//! Anybody does anything in any order: the book balances, nothing panics, and what is recorded is enough.

use crate::story::{self, Story, cents, people};
use chrono::TimeDelta;
use domain::fund::FundCommand;
use domain::machine::{self, Act, Command, CycleCommand};
use domain::people::Actor;
use domain::steps::s6_approval::{self, LineDecision};
use domain::steps::s7_execution::{self, FileVerdict};
use domain::steps::{s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s8_tracking, s9_performance};
use proptest::prelude::*;

/// One step: who, in whose place, which command, and the dice its details are made from.
#[derive(Clone, Copy, Debug)]
struct Step {
    who: usize,
    absent: Option<usize>,
    what: u8,
    number: u16,
    amount: i64,
    days: i64,
    good: bool,
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0..people::all().len() + 12,
        proptest::option::weighted(0.2, 0..people::all().len()),
        0_u8..44,
        1_u16..4,
        prop_oneof![8 => 1_i64..900_000, 1 => Just(0_i64), 1 => any::<i64>()],
        prop_oneof![24 => Just(0_i64), 5 => 1_i64..7, 1 => 7_i64..60],
        proptest::bool::weighted(0.8),
    )
        .prop_map(|(who, absent, what, number, amount, days, good)| Step {
            who,
            absent,
            what,
            number,
            amount,
            days,
            good,
        });
    proptest::collection::vec(step, 1..most)
}

/// The people who get things done come up more often than the rest.
fn actor(step: &Step) -> Actor {
    let busy = [people::ana(), people::mia(), people::leo(), people::finn(), people::fay(), people::timer()];
    let all = people::all();
    let who = all.get(step.who).cloned().unwrap_or_else(|| busy[step.who % busy.len()].clone());
    match step.absent {
        Some(absent) => people::in_place_of(who, &all[absent]),
        None => who,
    }
}

fn money(step: &Step) -> domain::money::Money {
    cents(step.amount)
}

/// A move that somebody who gets things done could make here, and that person: so that walks get somewhere.
/// What ends a cycle at once comes up rarely.
fn fit(story: &Story, step: &Step) -> (Actor, Command) {
    let people = [people::ana(), people::mia(), people::leo(), people::finn(), people::fay(), people::director()];
    let ends = [Act::CancelCycle, Act::CancelCampaign, Act::DeclineRequest, Act::CloseTracking];
    let moves: Vec<(&Actor, Act)> = people
        .iter()
        .flat_map(|actor| machine::moves_of(&story.s, actor).into_iter().map(move |act| (actor, act)))
        .filter(|(_, act)| !ends.contains(act) || step.who == 0)
        .collect();
    if let Some((actor, act)) = moves.get((step.who * 44 + usize::from(step.what)) % moves.len().max(1)) {
        let made = (0..44).map(|what| command(story, &Step { what, ..*step })).find(|command| command.act() == *act);
        if let Some(command) = made {
            return ((*actor).clone(), command);
        }
    }
    (actor(step), command(story, step))
}

/// Half the time in the steps up to the request, half in execution.
fn command(story: &Story, step: &Step) -> Command {
    if step.what < 22 { drafting(story, step) } else { running(story, step) }
}

fn drafting(story: &Story, step: &Step) -> Command {
    let s = &story.s;
    let reason = || if step.good { "Agreed by telephone".to_owned() } else { String::new() };
    let existing = step.number.is_multiple_of(2).then_some(step.number / 2);
    let campaign = || {
        let draft =
            story::campaign(s, "A campaign", ["webinar", "event", "email"][usize::from(step.number) % 3], 20_000);
        let cost = if step.good { draft.cost } else { money(step) };
        s3_forecast::CampaignDraft { cost, reason: reason(), ..draft }
    };
    let activity = || {
        let mut draft = story::activity(1, "event", "2026-05-19", "2026-05-20", &[12_000, 8_000]);
        if !step.good {
            draft.costs[0].amount = money(step);
            draft.campaign = step.number;
        }
        draft
    };
    let request = || {
        let mut draft = story::request(s);
        draft.late_reason = reason();
        if !step.good
            && let Some(line) = draft.lines.first_mut()
        {
            line.asked = money(step);
        }
        draft
    };
    match step.what {
        0 => s1_plan::Command::Save { draft: story::plan() }.into(),
        1 => s1_plan::Command::Submit { draft: story::plan() }.into(),
        2 => s1_plan::Command::Agree {}.into(),
        3 => s1_plan::Command::Return { reason: reason() }.into(),
        4 => s2_scorecard::Command::Save { answers: story::answers(&s.template, step.good) }.into(),
        5 => s2_scorecard::Command::Complete { answers: story::answers(&s.template, step.good) }.into(),
        6 => s2_scorecard::Command::Verify { note: reason() }.into(),
        7 => s3_forecast::Command::Save { no: existing, draft: campaign() }.into(),
        8 => s3_forecast::Command::Drop { no: step.number }.into(),
        9 => s4_action_plan::Command::Save { no: existing, draft: activity() }.into(),
        10 => s4_action_plan::Command::Drop { no: step.number }.into(),
        11 => s4_action_plan::Command::Commit {}.into(),
        12 => s5_request::Command::Save { draft: request() }.into(),
        13 => s5_request::Command::Reopen {}.into(),
        14..=16 => s5_request::Command::Submit { draft: request() }.into(),
        17 => s5_request::Command::Withdraw {}.into(),
        18 => s6_approval::Command::Return { reason: reason() }.into(),
        19 if step.number == 1 => s6_approval::Command::Decline { reason: reason() }.into(),
        19 => s6_approval::Command::Ask { question: reason() }.into(),
        20 => s6_approval::Command::Answer { text: reason() }.into(),
        _ if step.number == 1 => CycleCommand::Cancel { reason: reason() }.into(),
        _ => s6_approval::Command::Escalate {}.into(),
    }
}

fn running(story: &Story, step: &Step) -> Command {
    let s = &story.s;
    let reason = || if step.good { "Agreed by telephone".to_owned() } else { String::new() };
    let no = step.number;
    let known = s.cycle.activity(no).is_some();
    let claimed = |pick: fn(&s7_execution::Claim) -> domain::money::Money| {
        let good = s.cycle.claim(no).filter(|_| step.good).map(pick);
        good.unwrap_or(money(step))
    };
    match step.what {
        22..=24 => approve(story, step),
        25 | 26 if known => story::proof(s, no).into(),
        25..=27 => story::accept(no).into(),
        28 => {
            let files = s.cycle.activity(no).map_or(&[][..], |activity| &activity.proof);
            let verdicts =
                files.iter().map(|file| FileVerdict { file: file.file, accepted: !step.good, reason: reason() });
            s7_execution::Command::ReturnProof { activity: no, verdicts: verdicts.collect(), reason: reason() }.into()
        }
        29 | 30 => {
            let lines = vec![story::invoice(no, 1, money(step)), story::invoice(1, 2, cents(step.amount / 2))];
            story::claim(1, lines, step.days > 0).into()
        }
        31 | 32 => story::approve_claim(no, claimed(|claim| claim.asked)).into(),
        33 => s7_execution::Command::DenyClaim { claim: no, reason: reason() }.into(),
        34 | 35 => story::settle(no, claimed(s7_execution::Claim::outstanding)).into(),
        36 if step.days % 3 == 1 => story::came_back(s, no, u16::try_from(step.amount % 3).unwrap_or(1)).into(),
        37 if step.days % 3 == 1 && step.good => s7_execution::Command::ConfirmPaymentReturn { claim: no }.into(),
        37 if step.days % 3 == 1 => s7_execution::Command::RejectPaymentReturn { claim: no, reason: reason() }.into(),
        36 => s7_execution::Command::ProposeClawback { claim: no, amount: money(step), reason: reason() }.into(),
        37 if step.good => s7_execution::Command::ConfirmClawback { claim: no }.into(),
        37 => s7_execution::Command::RejectClawback { claim: no, reason: reason() }.into(),
        38 | 39 if known => {
            let mut draft = s.cycle.activity(no).expect("it is known").draft.clone();
            if step.good {
                draft.place = format!("Hall {}", step.amount % 7);
            } else {
                draft.costs[0].amount = money(step);
            }
            // The share of an amount beyond all bounds is no amount; ask for something else.
            if draft.costs.iter().any(|cost| cost.amount.minor.checked_mul(2).is_none()) {
                return s7_execution::Command::Tick {}.into();
            }
            story::amend(s, no, draft).into()
        }
        40 => s7_execution::Command::CancelActivity { activity: no, reason: reason() }.into(),
        41 if no == 1 => s7_execution::Command::CancelCampaign { campaign: no, reason: reason() }.into(),
        42 => s8_tracking::Command::Close {}.into(),
        43 if step.good => story::sign().into(),
        43 => s9_performance::Command::Measure {}.into(),
        _ => s7_execution::Command::Tick {}.into(),
    }
}

/// What is asked, or other amounts.
fn approve(story: &Story, step: &Step) -> Command {
    let s6_approval::Command::Approve { mut lines } = story::approval(&story.s) else { unreachable!("an approval") };
    if !step.good
        && let Some(line) = lines.first_mut()
    {
        *line = LineDecision { amount: money(step), reason: "Less will do".to_owned(), ..line.clone() };
    }
    s6_approval::Command::Approve { lines }.into()
}

/// The story checks the book, the clock and where money is after every move; see `Story::record`.
fn walk(mut story: Story, steps: &[Step]) -> Story {
    for step in steps {
        if story.now < story::morning("2027-06-01") {
            story.now += TimeDelta::days(step.days);
        }
        if step.days > 0 && step.good {
            story.timer_runs();
            if domain::fund::next_expiry(&story.s.book).is_some_and(|day| day <= story.now.date_naive()) {
                story.fund(&FundCommand::Forfeit);
            }
        }
        let (who, command) = if step.good { fit(&story, step) } else { (actor(step), command(&story, step)) };
        let text = serde_json::to_string(&command).expect("JSON");
        assert_eq!(serde_json::from_str::<Command>(&text).expect("JSON"), command);
        if let Err(refusal) = story.act(&who, command) {
            assert!(!refusal.reasons.is_empty());
            for reason in &refusal.reasons {
                assert!(reason.why.ends_with(['.', '”', ')']) && reason.remedy.ends_with('.'), "{reason:?}");
            }
        }
    }
    story
}

fn enough(story: &Story) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(&story.s.cycle).expect("JSON");
    let again: domain::cycle::Cycle = serde_json::from_str(&text).expect("JSON");
    prop_assert_eq!(&again, &story.s.cycle);
    prop_assert_eq!(&story.replayed(), &story.s.cycle);
    prop_assert!(machine::moves_of(&story.s, &people::auditor()).is_empty());
    Ok(())
}

const STARTS: [fn() -> Story; 11] = [
    story::plan_review,
    story::request_draft,
    story::approval_review,
    story::execution_live,
    story::half_proven,
    story::claim_in_review,
    story::clawback_proposed,
    story::return_reported,
    story::amendment_in_review,
    story::tracking_listening,
    story::partner_signed,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn whatever_people_do_the_book_balances_and_the_record_is_enough(start in 0..STARTS.len(), steps in steps(60)) {
        enough(&walk(STARTS[start](), &steps))?;
    }
}

/// Only execution and what follows: deeper into claims, amendments and deadlines.
fn executing(most: usize) -> impl Strategy<Value = Vec<Step>> {
    steps(most).prop_map(|steps| steps.into_iter().map(|step| Step { what: 22 + step.what / 2, ..step }).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn in_execution_as_well(start in 3..9_usize, steps in executing(80)) {
        enough(&walk(STARTS[start](), &steps))?;
    }
}

/// A cycle paid by a fund in dollars, under each of the days whose rate may count.
fn abroad(which: usize) -> Story {
    crate::exchange::running(["approval", "claim", "settlement"][which % 3])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    /// The rate moves between any two moves; the story checks the book, the commitments and the claims after each.
    #[test]
    fn whatever_rates_do_the_book_balances(
        which in 0..3_usize,
        steps in executing(80),
        rates in proptest::collection::vec(1_i64..3_000_000, 80),
    ) {
        let mut story = abroad(which);
        for (step, rate) in steps.iter().zip(rates) {
            crate::exchange::quote(&mut story, rust_decimal::Decimal::new(rate, 6));
            story = walk(story, std::slice::from_ref(step));
        }
        let claims = &story.s.cycle.claims;
        let variance = |payment: &s7_execution::Payment| payment.in_fund.map_or(0, |paid| paid.variance().minor);
        let undone = claims.iter().any(|claim| claim.state == s7_execution::ClaimState::ClawedBack);
        let cost: i64 = claims.iter().flat_map(|claim| &claim.payments).map(variance).sum();
        prop_assert!(undone || story.held(domain::ledger::AccountKind::FxVariance) == cost);
        for claim in claims.iter().filter(|claim| claim.state == s7_execution::ClaimState::Paid) {
            let parts: i64 = claim.payments.iter().filter_map(|payment| payment.in_fund).map(|paid| paid.committed.minor).sum();
            prop_assert_eq!(Some(parts), claim.in_fund.map(|held| held.minor), "instalments add up to what was set aside");
        }
        enough(&story)?;
    }
}
