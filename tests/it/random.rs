//! Anybody does anything, in any order, tens of thousands of times: taken or refused, the books hold.
//!
//! Hands work at once on one fund and a handful of cycles, through the engine's door. Most do what somebody could do
//! here and now, with amounts that are right, absurd or just over the edge; the rest do what they must not. Every
//! refusal has its sentences; money put in and taken out is counted beside the ledger; the whole book and every chain
//! are recomputed from the rows along the way and at the end.
//!
//! `FUNDLOOP_COMMANDS=1000000 cargo test --release --test it whatever_people_do` walks further, and
//! `FUNDLOOP_SEED=7` walks elsewhere.

mod papers;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use domain::fund::FundCommand;
use domain::ledger::AccountKind;
use domain::machine::{self, Act, Command};
use domain::money::{Currency, Money};
use domain::steps::s7_execution;
use engine::{Error, Submission, WhichCycle, WhichFund};
use futures_util::future::join_all;
use kit::people::{ANA, BJORN, EVERYBODY, INES, JONAS, KESTREL, LUKAS, MARA, NORDWIND, Persona, TOMAS, YUKI};
use kit::world::{FUND, World};
use kit::{Kind, on_both};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use storage::Viewer;

/// How many act at once.
const HANDS: usize = 4;
/// Cycles that are under way at once.
const CYCLES: usize = 8;
/// Once in so many commands of a hand the days go on, and once in so many the whole book is looked over.
const DAYS_PASS: usize = 60;
const LOOKED_OVER: usize = 5_000;
/// So many moves are thought of before a hand finds nothing to do.
const TRIES: usize = 8;

on_both! {
    async fn whatever_people_do_the_books_hold(world: &World) {
        let commands = number("FUNDLOOP_COMMANDS", if world.kind == Kind::Sqlite { 30_000 } else { 6_000 });
        let seed = number("FUNDLOOP_SEED", 20_260_302);
        let told = Told::default();
        let put_in = in_the_fund(world).await;
        join_all((0..HANDS).map(|hand| Hand::new(world, &told, seed + hand).work(commands / HANDS))).await;

        let opened = told.opened.take();
        let held_back = held_back(world, &opened).await;
        assert_eq!(in_the_fund(world).await - put_in, told.put_in.get() - held_back, "what came in less what went out");
        let Told { taken, refused, lost, .. } = told;
        println!("taken {:#?}\nrefused {:#?}\nlost races {}", taken.borrow(), refused.borrow(), lost.get());
        let paid = taken.borrow().get("record settlement").copied().unwrap_or(0);
        let (taken, refused): (usize, usize) = (taken.borrow().values().sum(), refused.borrow().values().sum());
        assert_eq!(taken + refused + lost.get(), commands / HANDS * HANDS);
        assert!(taken * 3 > commands && refused * 10 > commands, "{taken} taken, {refused} refused: a dull walk");
        // A short walk may end before anybody is paid.
        assert!(commands < 10_000 || paid * 2_000 > commands, "{paid} payments of {commands} commands: a walk that got nowhere");
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

/// What the fund has from the outside world, by the ledger, in cents.
async fn in_the_fund(world: &World) -> i64 {
    let (_, totals) = world.engine.reader().funds(&Viewer::system()).await.expect("funds can be read");
    let outside = |line: &&storage::read::FundTotal| line.fund_id == world.fund && line.kind == AccountKind::Funding;
    -totals.iter().find(outside).map_or(0, |line| line.total)
}

/// What payments held back against claw backs, by the cycles' own records, in cents: it went back where it came from.
async fn held_back(world: &World, numbers: &[String]) -> i64 {
    let mut sum = 0;
    for number in numbers {
        let claims = world.look(number).await.cycle.claims;
        sum += claims.iter().flat_map(|claim| &claim.payments).map(|payment| payment.offset.minor).sum::<i64>();
    }
    sum
}

/// What all hands have done, beside the ledger.
#[derive(Default)]
struct Told {
    taken: RefCell<BTreeMap<String, usize>>,
    refused: RefCell<BTreeMap<String, usize>>,
    lost: Cell<usize>,
    /// Cents put into the fund less cents that left it.
    put_in: Cell<i64>,
    cycles: RefCell<Vec<String>>,
    /// Every cycle there ever was.
    opened: RefCell<Vec<String>>,
}

impl Told {
    fn hear<T>(&self, what: String, answer: Result<T, Error>) -> bool {
        match answer {
            Ok(_) => {
                *self.taken.borrow_mut().entry(what).or_default() += 1;
                return true;
            }
            Err(Error::Refused(refusal)) => {
                assert!(!refusal.reasons.is_empty(), "{what} is refused for nothing");
                for reason in &refusal.reasons {
                    assert!(
                        reason.why.ends_with(['.', '”', ')']) && reason.remedy.ends_with('.'),
                        "{what}: {reason:?}"
                    );
                }
                *self.refused.borrow_mut().entry(what).or_default() += 1;
            }
            Err(Error::NotFound) => *self.refused.borrow_mut().entry(what).or_default() += 1,
            // Nothing was done: others were quicker five times in a row.
            Err(Error::Unavailable(_) | Error::Storage(storage::Error::Contended | storage::Error::Stale)) => {
                self.lost.set(self.lost.get() + 1);
            }
            Err(other) => panic!("{what}: {other:?}"),
        }
        false
    }
}

struct Hand<'a> {
    world: &'a World,
    told: &'a Told,
    dice: StdRng,
}

impl<'a> Hand<'a> {
    fn new(world: &'a World, told: &'a Told, seed: usize) -> Self {
        Self { world, told, dice: StdRng::seed_from_u64(seed as u64) }
    }

    async fn work(mut self, commands: usize) {
        for n in 1..=commands {
            if self.dice.random_ratio(3, 5) {
                self.keep_the_fund().await;
            } else {
                self.advance_a_cycle().await;
            }
            if n % DAYS_PASS == 0 {
                self.world.days_pass(self.dice.random_range(1..4)).await;
            }
            if n % LOOKED_OVER == 0 {
                self.world.assert_sound().await;
            }
        }
    }

    async fn keep_the_fund(&mut self) {
        let who = self.one_of(&[TOMAS, TOMAS, TOMAS, YUKI, YUKI, YUKI, YUKI, ANA, MARA]);
        let (amount, partner) = (self.amount(), self.one_of(&[NORDWIND, KESTREL]).id());
        let reason = self.words();
        let expires = self.dice.random_ratio(2, 3).then(|| {
            let ahead = chrono::TimeDelta::days(self.dice.random_range(-3..90));
            self.world.clock.today() + ahead
        });
        let (what, command, flow) = match self.dice.random_range(0..12) {
            0..=2 => ("budget", FundCommand::Budget { amount, reason }, amount.minor),
            3 => ("lower", FundCommand::Lower { amount, reason }, amount.minor.saturating_neg()),
            4..=7 => ("allocate", FundCommand::Allocate { partner, amount, expires, reason }, 0),
            8 | 9 => ("move back", FundCommand::MoveBack { partner, amount, reason }, 0),
            10 => {
                let flow = amount.minor.saturating_neg();
                ("return", FundCommand::RecordReturn { partner, amount, reference: reason }, flow)
            }
            _ => ("forfeit", FundCommand::Forfeit, 0),
        };
        let once = Submission::own();
        let answer = self.world.engine.fund(&who.actor(), WhichFund::Code(FUND), &command, &once).await;
        if self.told.hear(format!("fund: {what}"), answer) {
            self.told.put_in.set(self.told.put_in.get() + flow);
        }
    }

    async fn advance_a_cycle(&mut self) {
        let number = self.a_cycle().await;
        let s = self.world.look(&number).await;
        // Where there is nothing to write about, somebody looks whether the clock has something to do.
        let (mut who, mut act, mut command) = (MARA, Act::TickExecution, s7_execution::Command::Tick {}.into());
        for _ in 0..TRIES {
            let Some((someone, something)) = self.a_move(&s) else { break };
            if let Some(written) = self.command(&s, someone, something).await {
                (who, act, command) = (someone, something, written);
                break;
            }
        }
        let who = if self.dice.random_ratio(1, 12) { self.one_of(&EVERYBODY) } else { who };
        let answer = self.act(who, &number, &command).await;
        self.told.hear(act.words(), answer);
    }

    async fn act(&self, who: Persona, number: &str, command: &Command) -> Result<(), Error> {
        let (actor, once) = (who.actor(), Submission::own());
        self.world.engine.advance(&actor, WhichCycle::Number(number), command, &once).await.map(|_| ())
    }

    /// One that is under way; what has ended makes room for a new one.
    async fn a_cycle(&mut self) -> String {
        let place = self.dice.random_range(0..CYCLES);
        let known = self.told.cycles.borrow().get(place).cloned();
        if let Some(number) = known
            && !self.world.look(&number).await.cycle.stage.is_end()
        {
            return number;
        }
        let who = self.one_of(&[MARA, JONAS]);
        let number = self.world.open_cycle(who).await;
        self.told.opened.borrow_mut().push(number.clone());
        let mut cycles = self.told.cycles.borrow_mut();
        match cycles.get_mut(place) {
            Some(ended) => ended.clone_from(&number),
            None => cycles.push(number.clone()),
        }
        number
    }

    /// Somebody, and what they could do here. What ends a cycle at once comes up rarely, and what leads nowhere less
    /// often than what leads on: so that walks get as far as claims, payments and claw backs.
    fn a_move(&mut self, s: &machine::Situation) -> Option<(Persona, Act)> {
        let ends = [Act::CancelCycle, Act::CancelCampaign, Act::CancelActivity, Act::DeclineRequest];
        let backwards = [Act::WithdrawRequest, Act::ReturnRequest, Act::ReopenForecast, Act::ReopenActionPlan];
        let idle = [Act::VerifyScorecard, Act::AskInformation, Act::AnswerInformation, Act::Amend, Act::DenyClaim];
        // A manager who hands in for a partner can decide on none of it.
        let papers = [Act::SubmitPlan, Act::SubmitRequest, Act::SubmitProof, Act::SubmitClaim, Act::Amend];
        let rare = self.dice.random_ratio(99, 100);
        let back = self.dice.random_ratio(4, 5);
        let moves: Vec<(Persona, Act)> = [MARA, LUKAS, JONAS, ANA, BJORN, INES, TOMAS, YUKI]
            .into_iter()
            .flat_map(|who| machine::moves_of(s, &who.actor()).into_iter().map(move |act| (who, act)))
            .filter(|(_, act)| !(rare && ends.contains(act) || back && (backwards.contains(act) || idle.contains(act))))
            .filter(|(who, act)| !(back && who.partner.is_none() && papers.contains(act)))
            .collect();
        (!moves.is_empty()).then(|| self.one_of(&moves))
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.dice.random_range(0..choices.len())].clone()
    }

    /// Cents: mostly an amount people move, now and then none, one, or more than there is anywhere.
    fn amount(&mut self) -> Money {
        let minor = match self.dice.random_range(0..20) {
            0 => 0,
            1 => 1,
            2 => self.dice.random_range(i64::MIN..i64::MAX),
            3 => i64::MAX,
            4..=8 => self.dice.random_range(1..10_000_000),
            _ => self.dice.random_range(1..300_000),
        };
        Money::new(minor, if self.dice.random_ratio(1, 50) { Currency::USD } else { Currency::EUR })
    }

    fn words(&mut self) -> String {
        if self.dice.random_ratio(1, 25) { String::new() } else { "Agreed by telephone".to_owned() }
    }
}
