//! Many hands on one balance, many hands on one decision. A race has one winner, a budget is a budget, and the books
//! say the same afterwards. The hands take turns at every await, which is where a database lets others in between.

use domain::cycle::Stage;
use domain::fund::{FundCommand, FundKind};
use domain::ids::FundId;
use domain::machine::{Command, CycleCommand};
use domain::money::{Currency, Money};
use domain::steps::{s5_request, s6_approval};
use engine::{Engine, Error, NewFund, Submission, WhichCycle, WhichFund};
use futures_util::future::join_all;
use kit::on_both;
use kit::people::{ANA, JONAS, KESTREL, LUKAS, MARA, NORDWIND, Persona, TOMAS};
use kit::story::{approval_in_full, request};
use kit::world::{World, eur};
use std::sync::Barrier;
use storage::Viewer;
use tokio::runtime::Handle;

on_both! {
    /// 40 people try ten times each to give a unit out of a budget of 100: exactly 100 succeed, the rest are told why.
    async fn a_budget_is_never_overspent(world: &World) {
        let new = NewFund {
            code: "TIGHT".to_owned(),
            name: "Tight fund".to_owned(),
            program: world.program,
            parent: None,
            kind: FundKind::Discretionary,
            currency: Currency::EUR,
        };
        world.engine.open_fund(&TOMAS.actor(), &new, &Submission::own()).await.expect("the fund opens");
        let budget = FundCommand::Budget { amount: Money::new(100, Currency::EUR), reason: "One euro".to_owned() };
        let fund = WhichFund::Code("TIGHT");
        world.engine.fund(&TOMAS.actor(), fund, &budget, &Submission::own()).await.expect("the budget is set");

        let counts = join_all((0..40).map(|n| allocate_cents(&world.engine, n))).await;
        let accepted: usize = counts.iter().map(|(accepted, _)| accepted).sum();
        let refused: usize = counts.iter().map(|(_, refused)| refused).sum();
        assert_eq!((accepted, refused), (100, 300));
    }

    /// Approve, return, decline, withdraw, cancel, all at once, eight of each: one wins, the others hear that it is
    /// over, and exactly one thing happened.
    async fn one_decision_wins(world: &World) {
        let number = world.cycle_in(Stage::ApprovalReview, MARA, 10_000).await;
        let before = world.look(&number).await;
        let version = before.cycle.version;
        let reason = || "The hall is gone.".to_owned();
        let hands = (0..32).map(async |n| {
            let (who, command): (Persona, Command) = match n % 4 {
                0 => (ANA, approval_in_full(&before).into()),
                1 => (ANA, s6_approval::Command::Decline { reason: reason() }.into()),
                2 => (MARA, s5_request::Command::Withdraw {}.into()),
                _ => (MARA, CycleCommand::Cancel { reason: reason() }.into()),
            };
            let once = Submission::own().seen(version);
            world.engine.advance(&who.actor(), WhichCycle::Number(&number), &command, &once).await
        });
        let mut winners = Vec::new();
        for answer in join_all(hands).await {
            match answer {
                Ok(advanced) => winners.push(advanced.words),
                Err(Error::Stale { .. }) => {}
                Err(other) => panic!("a loser is told that someone else was faster, not {other:?}"),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(world.look(&number).await.cycle.version, version + i64::try_from(winners[0].len()).expect("few"));
    }

    /// T42, two hundred times: two approvals of 1,000 on two threads, and the money of one. One commits it, the other is told
    /// what is left; the winner is cancelled, so that the same 1,000 is there for the next round.
    async fn t42_the_last_thousand_is_committed_once(world: &World) {
        let shared = open(world, "LAST", FundKind::Pooled, 1_000).await;
        let wallets = open(world, "WALLETS", FundKind::Discretionary, 1_250).await;
        let (partner, amount, reason) = (NORDWIND.id(), eur(1_250), "What is left".to_owned());
        let credit = FundCommand::Allocate { partner, amount, expires: None, reason };
        world.act_on(TOMAS, "WALLETS", &credit).await.expect("the credit is given");
        // Two partners want what a shared fund has left, two people of one partner what is in its wallet.
        let grounds = [(shared, [MARA, JONAS], eur(0)), (wallets, [MARA, LUKAS], eur(250))];
        for (fund, people, left) in grounds {
            let mut numbers = [asked(world, people[0], fund).await, asked(world, people[1], fund).await];
            for round in 1..=100 {
                let winner = race(world, &numbers, left).await;
                let committed = s6_approval::approved_for(&world.look(&numbers[winner]).await.cycle, 1);
                assert_eq!(committed, eur(1_000), "round {round}");
                let waiting = world.look(&numbers[1 - winner]).await.cycle;
                assert_eq!((waiting.stage, waiting.approval.decisions.len()), (Stage::ApprovalReview, 0), "round {round}");
                let over = CycleCommand::Cancel { reason: "The hall is gone.".to_owned() };
                world.must(people[winner], &numbers[winner], over).await;
                numbers[winner] = asked(world, people[winner], fund).await;
            }
        }
    }

    /// The same form posted by eight tabs at once: one act, and everyone gets the same answer.
    async fn a_submission_posted_eight_times_is_done_once(world: &World) {
        let number = world.cycle_in(Stage::ApprovalReview, MARA, 10_000).await;
        let before = world.look(&number).await;
        let once = Submission::own().seen(before.cycle.version);
        let command = approval_in_full(&before).into();
        let (ana, which) = (ANA.actor(), WhichCycle::Number(&number));
        let answers = join_all((0..8).map(|_| world.engine.advance(&ana, which, &command, &once))).await;
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("the same answer")).collect();
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");

        let committed = s6_approval::approved_for(&world.look(&number).await.cycle, 1);
        assert_eq!(committed, eur(6_000), "three fifths of 10,000, once");
        let mails = world.mails_to(MARA).await;
        let approvals = mails.iter().filter(|mail| mail.subject.contains("approved")).count();
        assert_eq!(approvals, 1, "{:?}", mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    }
}

/// A fund with so many euros in it.
async fn open(world: &World, code: &str, kind: FundKind, euros: i64) -> FundId {
    let (code, name) = (code.to_owned(), format!("Fund {code}"));
    let new = NewFund { code, name, program: world.program, parent: None, kind, currency: Currency::EUR };
    world.engine.open_fund(&TOMAS.actor(), &new, &Submission::own()).await.expect("the fund opens");
    let budget = FundCommand::Budget { amount: eur(euros), reason: "What is left".to_owned() };
    world.act_on(TOMAS, &new.code, &budget).await.expect("the budget is set");
    world.engine.reader().fund(&Viewer::system(), &new.code).await.expect("the fund that was just opened").id
}

/// A request for 1,000 EUR of this fund, in approval.
async fn asked(world: &World, who: Persona, fund: FundId) -> String {
    let number = world.cycle_in(Stage::RequestDraft, who, 2_000).await;
    let mut draft = request(&world.look(&number).await, fund);
    for (line, euros) in draft.lines.iter_mut().zip([700, 300]) {
        line.asked = eur(euros);
    }
    world.must(who, &number, s5_request::Command::Submit { draft }).await;
    number
}

/// Both are approved at the same moment, each on a thread of its own: which of them was, where the other was refused and
/// told what is left.
async fn race(world: &World, numbers: &[String; 2], left: Money) -> usize {
    let mut commands = Vec::new();
    for number in numbers {
        commands.push(Command::from(approval_in_full(&world.look(number).await)));
    }
    let (engine, runtime, start) = (&world.engine, &Handle::current(), &Barrier::new(2));
    let approve = |(number, command): (&String, Command)| {
        let number = number.clone();
        move || {
            let (ana, once) = (ANA.actor(), Submission::own());
            start.wait();
            runtime.block_on(engine.advance(&ana, WhichCycle::Number(&number), &command, &once))
        }
    };
    let answers = std::thread::scope(|threads| {
        let both: Vec<_> = numbers.iter().zip(commands).map(|one| threads.spawn(approve(one))).collect();
        both.into_iter().map(|thread| thread.join().expect("nobody panics")).collect::<Vec<_>>()
    });
    let winner = answers.iter().position(Result::is_ok).unwrap_or_else(|| panic!("nobody won: {answers:?}"));
    match &answers[1 - winner] {
        Err(Error::Refused(refusal)) => {
            let told = refusal.reasons.iter().any(|reason| reason.why.contains(&format!("{left} is left for")));
            assert!(told, "{refusal:?}");
        }
        other => panic!("the loser is told what is left, not {other:?}"),
    }
    winner
}

/// Ten tries to give a cent to one of the partners.
async fn allocate_cents(engine: &Engine, n: usize) -> (usize, usize) {
    let partner = if n.is_multiple_of(2) { NORDWIND } else { KESTREL }.id();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..10 {
        let command = FundCommand::Allocate {
            partner,
            amount: Money::new(1, Currency::EUR),
            expires: None,
            reason: "A cent".to_owned(),
        };
        loop {
            match engine.fund(&TOMAS.actor(), WhichFund::Code("TIGHT"), &command, &Submission::own()).await {
                Ok(_) => accepted += 1,
                Err(Error::Refused(_)) => refused += 1,
                // Lost five races in a row: nothing was done, and one may try again.
                Err(Error::Unavailable(_) | Error::Storage(storage::Error::Contended | storage::Error::Stale)) => {
                    continue;
                }
                Err(other) => panic!("{other:?}"),
            }
            break;
        }
    }
    (accepted, refused)
}
