//! Anybody does anything, in any order, a hundred thousand times: taken or refused, the books hold.
//!
//! Hands work at once on a fund, one below it that credit is earned in, and a handful of cycles, through the engine's
//! door: budgets, credit, purchases, transfers, closings, requests, claims, payments one by one and through the bank. Most
//! do what somebody could do here and now, with amounts that are right, absurd or just over the edge; the rest do what
//! they must not. Every refusal has its sentences; what each fund has from outside is counted beside the ledger; the whole
//! book and every chain are recomputed from the rows along the way and at the end.
//!
//! `FUNDLOOP_COMMANDS=1000000 cargo test --release --test it whatever_people_do` walks further, and
//! `FUNDLOOP_SEED=7` walks elsewhere.

mod bank;
mod cycles;
mod money;
mod papers;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::TimeDelta;
use domain::fund::FundKind;
use domain::ids::FundId;
use domain::ledger::AccountKind;
use domain::machine::Situation;
use domain::money::{Currency, Money};
use domain::rhythm::{MailKind, Rhythm};
use domain::settlement::BatchState;
use engine::{Error, Submission, WhichCycle};
use futures_util::future::join_all;
use kit::people::{MARA, Persona, SAM, TOMAS, YUKI};
use kit::world::{FUND, World};
use kit::{Kind, on_both, story};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use storage::Viewer;
use storage::rows::MailChoice;
use tokio::sync::RwLock;
use uuid::Uuid;

/// How many act at once.
const HANDS: usize = 4;
/// Once in so many commands of a hand the days go on.
const DAYS_PASS: usize = 60;
/// So often on the way the whole book is looked over.
const LOOKED_OVER: usize = 4;
/// What has to happen in every walk that is long enough for it.
const LONG: usize = 20_000;
const HAPPENS: [&str; 18] = [
    "approve",
    "record settlement",
    "propose clawback",
    "confirm clawback",
    "report payment return",
    "confirm payment return",
    "ask extension",
    "grant extension",
    "fund: transfer",
    "fund: transfer credit",
    "fund: raise credit",
    "fund: lower credit",
    "fund: propose reinstatement",
    "fund: confirm reinstatement",
    "fund: close period",
    "purchases: import",
    "batch: build",
    "batch: export",
];
/// The fund below the first one; credit is earned in it.
const BELOW: &str = "EMEA-EARNED";
/// The two funds, the upper one first.
const FUNDS: [&str; 2] = [FUND, BELOW];

/// What is earned: a tenth, in months, lost to a rebate where it is little; half of what expires is good for longer.
const EARNING: &str = "
[earning]
rate = \"0.10\"
threshold = \"500\"
below = \"convert\"

[use]
days_after_period = 45
period = \"month\"
carry_over = \"0.50\"
reinstated_by = 2
";

on_both! {
    async fn whatever_people_do_the_books_hold(world: &World) {
        let commands = number("FUNDLOOP_COMMANDS", if world.kind == Kind::Sqlite { 100_000 } else { 20_000 });
        let seed = number("FUNDLOOP_SEED", 20_260_302);
        let told = Told::new(world, commands / HANDS * HANDS).await;
        let at_first = told.in_the_funds(world).await;
        join_all((0..HANDS).map(|hand| Hand::new(world, &told, seed + hand).work(commands / HANDS))).await;

        let held_back = told.held_back(world).await;
        let in_the_end = told.in_the_funds(world).await;
        for (at, code) in FUNDS.iter().enumerate() {
            let counted = told.put_in.get()[at] - held_back[at];
            assert_eq!(in_the_end[at] - at_first[at], counted, "{code}: what came in less what went out");
        }
        told.is_no_dull_walk(world).await;
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

/// What all hands have done, beside the ledger.
struct Told {
    /// How many commands there are to be, and were so far.
    commands: usize,
    done: Cell<usize>,
    taken: RefCell<BTreeMap<String, usize>>,
    refused: RefCell<BTreeMap<String, usize>>,
    lost: Cell<usize>,
    funds: [FundId; 2],
    /// Cents put into each fund less cents that left it.
    put_in: Cell<[i64; 2]>,
    /// Cycles under way, and every cycle there ever was.
    cycles: RefCell<Vec<String>>,
    opened: RefCell<BTreeSet<String>>,
    /// What was seen of a cycle since somebody moved it last.
    seen: RefCell<BTreeMap<String, Rc<Situation>>>,
    /// Claims that were approved: some of them are still to be paid.
    payable: RefCell<Vec<(String, u16)>>,
    /// Batches on their way, and every batch there ever was.
    batches: RefCell<Vec<String>>,
    built: RefCell<Vec<String>>,
    /// Imports of purchases, and the cents they earned.
    bought: RefCell<Vec<(Uuid, i64)>>,
    /// A day does not pass while somebody is in the middle of something: a period is closed an hour after its end, and
    /// nobody takes an hour over a command.
    calendar: RwLock<()>,
}

impl Told {
    /// A guide that lets credit be earned, a fund for it, and accounts to pay to.
    async fn new(world: &World, commands: usize) -> Self {
        let guide = engine::catalog::GUIDES[0].1.replace("version = \"2026.1\"", "version = \"2026.2\"");
        let guide = story::counting_from(&format!("{guide}{EARNING}"), world.clock.today());
        let once = Submission::own();
        let taken = world.engine.add_guide(&SAM.actor(), world.program, &guide, None, &once).await;
        taken.expect("the guide is taken in");
        let below = world.fund_below(BELOW, FundKind::Accrual).await.expect("the fund below opens");
        world.name_accounts().await;
        // Half of them read what came of it once a day or a week.
        let digests = [(MARA, Rhythm::Weekly), (TOMAS, Rhythm::Daily), (YUKI, Rhythm::Weekly)];
        let of = |(who, rhythm): (Persona, Rhythm)| {
            MailKind::ALL.map(move |kind| MailChoice { user_id: who.id(), kind, rhythm })
        };
        let choices: Vec<MailChoice> = digests.into_iter().flat_map(of).collect();
        world.db.write(async |tx| tx.set_mail_choices(&choices).await).await.expect("mails are chosen");
        Self {
            commands,
            funds: [world.fund, below],
            done: Cell::default(),
            taken: RefCell::default(),
            refused: RefCell::default(),
            lost: Cell::default(),
            put_in: Cell::default(),
            cycles: RefCell::default(),
            opened: RefCell::default(),
            seen: RefCell::default(),
            payable: RefCell::default(),
            batches: RefCell::default(),
            built: RefCell::default(),
            bought: RefCell::default(),
            calendar: RwLock::default(),
        }
    }

    /// What each fund has from the outside world, by the ledger, in cents.
    async fn in_the_funds(&self, world: &World) -> [i64; 2] {
        let (_, totals) = world.engine.reader().funds(&Viewer::system()).await.expect("funds can be read");
        self.funds.map(|id| {
            let outside = totals.iter().find(|line| line.fund_id == id && line.kind == AccountKind::Funding);
            -outside.map_or(0, |line| line.total)
        })
    }

    /// What payments held back against claw backs, by the cycles' own records, in cents: it left the fund again.
    async fn held_back(&self, world: &World) -> [i64; 2] {
        let mut sums = [0; 2];
        let opened = self.opened.borrow().clone();
        for number in &opened {
            let cycle =
                world.engine.reader().cycle(&Viewer::system(), WhichCycle::Number(number)).await.expect("there");
            let payments = cycle.claims.iter().flat_map(|claim| &claim.payments);
            let offsets: i64 = payments.map(|payment| payment.offset.minor).sum();
            let Some(at) = self.funds.iter().position(|id| Some(*id) == cycle.fund()) else {
                assert_eq!(offsets, 0, "{number} has no fund");
                continue;
            };
            sums[at] += offsets;
        }
        sums
    }

    /// Money came into the funds, or went out of them.
    fn count(&self, flows: [i64; 2]) {
        let was = self.put_in.get();
        self.put_in.set([was[0] + flows[0], was[1] + flows[1]]);
    }

    fn took(&self, what: &str) {
        *self.taken.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }

    fn was_refused(&self, what: &str) {
        *self.refused.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }

    fn hear<T>(&self, what: &str, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(done) => {
                self.took(what);
                return Some(done);
            }
            Err(Error::Refused(refusal)) => {
                assert!(!refusal.reasons.is_empty(), "{what} is refused for nothing");
                for reason in &refusal.reasons {
                    let whole = reason.why.ends_with(['.', '”', ')']) && reason.remedy.ends_with('.');
                    assert!(whole, "{what}: {reason:?}");
                }
                self.was_refused(what);
            }
            Err(Error::NotFound) => self.was_refused(what),
            // Nothing was done: others were quicker five times in a row.
            Err(Error::Unavailable(_) | Error::Storage(storage::Error::Contended | storage::Error::Stale)) => {
                self.lost.set(self.lost.get() + 1);
            }
            Err(other) => panic!("{what}: {other:?}"),
        }
        None
    }

    /// Everything was tried, much of it was taken, and money went all the way.
    async fn is_no_dull_walk(&self, world: &World) {
        let (mut settled, built) = (0, self.built.borrow().clone());
        for number in &built {
            settled += usize::from(world.settlement(number).await.state == BatchState::Settled);
        }
        let (taken, refused, lost) = (self.taken.borrow(), self.refused.borrow(), self.lost.get());
        println!("taken {taken:#?}\nrefused {refused:#?}\nlost races {lost}");
        println!("{settled} of {} batches settled; {} cycles", built.len(), self.opened.borrow().len());
        let (all_taken, all_refused): (usize, usize) = (taken.values().sum(), refused.values().sum());
        assert_eq!(all_taken + all_refused + lost, self.commands);
        if self.commands < LONG {
            return;
        }
        let dull = all_taken * 3 < self.commands || all_refused * 10 < self.commands;
        assert!(!dull, "{all_taken} taken, {all_refused} refused: a dull walk");
        let never: Vec<&str> = HAPPENS.into_iter().filter(|what| !taken.contains_key(*what)).collect();
        assert!(never.is_empty(), "a walk in which nobody did {never:?}");
        let paid = taken["record settlement"];
        assert!(paid * 4_000 > self.commands, "{paid} payments of {} commands: got nowhere", self.commands);
        assert!(settled * 5_000 > self.commands, "{settled} batches settled of {} commands", self.commands);
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
            let today = self.told.calendar.read().await;
            match self.dice.random_range(0..20) {
                0..=9 => self.keep_the_funds().await,
                10 | 11 => self.go_to_the_bank().await,
                _ => self.advance_a_cycle().await,
            }
            drop(today);
            let done = self.told.done.get() + 1;
            self.told.done.set(done);
            if n % DAYS_PASS == 0 {
                self.days_pass().await;
            }
            if done.is_multiple_of(self.told.commands / LOOKED_OVER) && done < self.told.commands {
                self.look_over().await;
            }
        }
    }

    /// The books hold, no mail is stuck, and those that were sent make room.
    async fn look_over(&self) {
        let sent = self.world.engine.deliver().await.expect("the outbox can be read");
        assert_eq!(sent.failed, 0, "a mail was not sent");
        self.world.letters().empty();
        self.world.assert_sound().await;
    }

    async fn days_pass(&mut self) {
        let nobody_works = self.told.calendar.write().await;
        self.world.clock.advance(TimeDelta::days(self.dice.random_range(1..7)));
        self.told.seen.borrow_mut().clear();
        drop(nobody_works);
        let _today = self.told.calendar.read().await;
        let pass = self.world.engine.tick().await.expect("the timers run");
        assert_eq!(pass.failed, 0, "a timer failed");
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
