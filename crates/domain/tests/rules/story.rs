//! A cycle to act on, and what must hold after every move.

mod papers;
pub mod people;
mod stations;

pub use papers::*;
pub use stations::*;

use domain::cycle::{Cycle, Opening, Partner, Period, Stage};
use domain::event::Entry;
use domain::forecast::Benchmarks;
use domain::fund::{self, Around, Fund, FundCommand, FundKind, FundSituation};
use domain::ids::{CycleId, FundId, PartnerId, ProgramId, UserId};
use domain::ledger::{Account, AccountKind, Book};
use domain::machine::{self, Command, Decision, Event, Situation, decide};
use domain::money::{Currency, Money};
use domain::people::Actor;
use domain::policy::Policy;
use domain::refusal::Refusal;
use domain::steps::Stamp;
use domain::steps::s2_scorecard::Template;
use domain::steps::s8_tracking::Results;
use domain::steps::{s6_approval, s7_execution};
use domain::{Date, Instant};
use uuid::Uuid;

pub const EMEA: &str = include_str!("../../../../config/programs/aurelia-growth-fund-emea.toml");
pub const BENCHMARKS: &str = include_str!("../../../../config/benchmarks.toml");
pub const SCORECARD: &str = include_str!("../../../../config/scorecards/standard.toml");

pub const NORDWIND: PartnerId = PartnerId(Uuid::from_u128(1));
pub const OTHER_PARTNER: PartnerId = PartnerId(Uuid::from_u128(2));
pub const FUND: FundId = FundId(Uuid::from_u128(10));
pub const PROGRAM: ProgramId = ProgramId(Uuid::from_u128(20));
pub const CYCLE: CycleId = CycleId(Uuid::from_u128(30));

/// Units of EUR.
pub fn eur(units: i64) -> Money {
    Money::units(units, Currency::EUR)
}

/// Cents of EUR.
pub fn cents(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

pub fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// Nine in the morning of a day.
pub fn morning(text: &str) -> Instant {
    format!("{text}T09:00:00Z").parse().expect("a moment")
}

use people::{ana, finn, mia, timer};

/// A cycle and its surroundings, a clock that is moved by hand, and everything recorded so far.
#[derive(Clone)]
pub struct Story {
    pub s: Situation,
    pub now: Instant,
    pub recorded: Vec<(Stamp, Entry)>,
    pub last: Option<Decision>,
    opening: Opening,
}

impl Story {
    /// Nordwind's cycle for the second quarter of 2026, just opened; 50,000 EUR in its wallet.
    pub fn new() -> Self {
        Self::with(Policy::load(EMEA).expect("the shipped guide"))
    }

    pub fn with(policy: Policy) -> Self {
        Self::under(policy, FundKind::Discretionary, &[(30_000, Some("2026-12-31")), (20_000, None)])
    }

    /// A cycle under a guide, from a fund of 100,000 with this credit allocated.
    pub fn under(policy: Policy, kind: FundKind, lots: &[(i64, Option<&str>)]) -> Self {
        let currency = policy.guide.currency;
        Self::paid_in(currency, policy, kind, lots)
    }

    /// The same from a fund of another currency: `kept_in` says which.
    pub fn paid_in(kept_in: Currency, policy: Policy, kind: FundKind, lots: &[(i64, Option<&str>)]) -> Self {
        let currency = policy.guide.currency;
        let opening = Opening {
            id: CYCLE,
            number: "C-2026-0042".to_owned(),
            serial: 42,
            program: PROGRAM,
            partner: NORDWIND,
            title: "Second quarter".to_owned(),
            period: Period { from: day("2026-04-01"), to: day("2026-06-30") },
            currency,
            guide_rate: None,
            plan: None,
            scorecard: None,
            copy_of: None,
            drafts: domain::drafts::Drafts::default(),
        };
        let now = morning("2026-03-02");
        let fund = Fund {
            id: FUND,
            code: "F-EMEA-26".to_owned(),
            name: "Growth fund 2026".to_owned(),
            program: PROGRAM,
            parent: None,
            kind,
            currency: kept_in,
            version: 0,
            closed_until: None,
            reinstatements: Vec::new(),
        };
        let partner = Partner {
            id: NORDWIND,
            name: "Nordwind".to_owned(),
            region: "DACH".to_owned(),
            country: "DE".to_owned(),
            tier: "silver".to_owned(),
            currency,
            manager: Some(mia().user()),
            good_standing: true,
            has_been_paid: false,
        };
        let s = Situation {
            cycle: Cycle::new(&opening, now),
            partner,
            policy: policy.into(),
            benchmarks: Benchmarks::load(BENCHMARKS).expect("the shipped benchmarks"),
            template: Template::load(SCORECARD).expect("the shipped scorecard"),
            funds: vec![fund],
            book: Book::default(),
            rates: Vec::new(),
            evidence: Vec::new(),
            results: Results::default(),
            batched: std::collections::BTreeMap::new(),
            reachable: (1..=9).collect(),
            terms: Vec::new(),
            in_period: domain::policy::InPeriod::default(),
        };
        let mut story = Self { s, now, recorded: Vec::new(), last: None, opening };
        story.fund(&FundCommand::Budget { amount: Money::units(100_000, kept_in), reason: "Year".to_owned() });
        for (units, lot) in lots {
            let (amount, expires) = (Money::units(*units, kept_in), lot.map(day));
            story.fund(&FundCommand::Allocate { partner: NORDWIND, amount, expires, reason: "Plan".to_owned() });
        }
        let decision = machine::open(&story.s, &ana(), &story.opening, now).expect("opened");
        story.record(decision, ana().user());
        story
    }

    /// Finance (or the timer) does something with the fund.
    pub fn fund(&mut self, command: &FundCommand) {
        let actor = if *command == FundCommand::Forfeit { timer() } else { finn() };
        self.try_fund(&actor, command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
    }

    pub fn try_fund(&mut self, actor: &Actor, command: &FundCommand) -> Result<(), Refusal> {
        let s = FundSituation {
            fund: self.s.funds[0].clone(),
            book: self.s.book.clone(),
            partner_name: Some(self.s.partner.name.clone()),
            guide: Some(self.s.policy.clone()),
            period: None,
            around: Around { forfeited: self.held(AccountKind::Forfeited), ..Around::default() },
        };
        let decision = fund::decide(&s, actor, command, self.now)?;
        decision.entry().postings.iter().for_each(|posting| self.s.book.post(posting));
        self.s.funds[0] = decision.fund().clone();
        self.balanced();
        Ok(())
    }

    /// Somebody tries; what would be recorded is recorded.
    pub fn act(&mut self, who: &Actor, command: impl Into<Command>) -> Result<(), Refusal> {
        let command = command.into();
        let decision = decide(&self.s, who, &command, self.now)?;
        self.record(decision, who.user());
        Ok(())
    }

    /// Somebody does what must be possible.
    #[track_caller]
    pub fn must(&mut self, who: &Actor, command: impl Into<Command>) -> &mut Self {
        let command = command.into();
        if let Err(refusal) = self.act(who, command.clone()) {
            panic!("{} could not {}: {refusal} {refusal:?}", who.me.name, command.act().words());
        }
        self
    }

    /// Somebody tries what the rules forbid, for exactly this reason.
    #[track_caller]
    pub fn refuses(&mut self, who: &Actor, command: impl Into<Command>, code: &str) -> Refusal {
        let command = command.into();
        match self.act(who, command.clone()) {
            Ok(()) => panic!("{} could {}, which should be refused: {code}", who.me.name, command.act().words()),
            Err(refusal) => {
                assert!(refusal.reasons.iter().any(|reason| reason.code == code), "wanted {code}, was {refusal:?}");
                refusal
            }
        }
    }

    fn record(&mut self, decision: Decision, by: UserId) {
        assert_eq!(decision.before(), self.s.cycle.version);
        assert!(!decision.entries().is_empty());
        let stamp = Stamp { at: self.now, by };
        for entry in decision.entries() {
            entry.postings.iter().for_each(|posting| self.s.book.post(posting));
            self.recorded.push((stamp, entry.clone()));
        }
        self.s.cycle = decision.cycle().clone();
        assert_eq!(decision.wake_at(), machine::wake_at(&self.s));
        assert_eq!(*decision.health(), machine::health(&self.s));
        self.last = Some(decision);
        self.balanced();
        self.money_is_where_it_belongs();
        self.clock_is_honest();
    }

    /// All balances add up to zero, and only the outside world is below it.
    pub fn balanced(&self) {
        assert_eq!(self.s.book.total(|_| true), 0, "the book does not balance");
        for balance in &self.s.book.balances {
            let account = &balance.account;
            assert!(balance.amount.minor >= 0 || account.kind.may_be_negative(), "{} is below zero", account.key());
        }
    }

    /// Commitments stand where money is approved and nowhere else; claims hold what they were approved for.
    fn money_is_where_it_belongs(&self) {
        let cycle = &self.s.cycle;
        let campaigns = || cycle.campaigns.iter().map(|campaign| campaign.no);
        let committed: i64 = campaigns().map(|no| s6_approval::committed(cycle, &self.s.book, no)).sum();
        if cycle.stage.is_end() {
            assert_eq!((committed, self.held(AccountKind::Committed)), (0, 0), "an ended cycle holds money");
        }
        if let Some(kept) = &cycle.approval.exchange {
            for no in campaigns() {
                let in_fund = self.s.book.total(|account| {
                    account.kind == AccountKind::Committed && account.cycle == Some(CYCLE) && account.item == Some(no)
                });
                let converted = kept.rate.convert(cents(kept.held(no))).expect("it was converted before").minor;
                assert_eq!(in_fund, converted, "campaign {no} holds other than what it counts");
            }
        }
        let reviewed: i64 = cycle
            .claims
            .iter()
            .filter(|claim| claim.state == s7_execution::ClaimState::Review)
            .map(|claim| claim.asked.minor)
            .sum();
        assert!(reviewed <= committed, "{reviewed} claimed in review, {committed} committed");
        for claim in &cycle.claims {
            let claimed = self.s.book.minor(&Account::claimed(FUND, NORDWIND, CYCLE, claim.no));
            let counts = claim.payments.iter().filter_map(s7_execution::Payment::counts_in_fund);
            let taken = counts.map(|(committed, _)| committed.minor);
            let held = claim.in_fund.map(|held| held.minor - taken.sum::<i64>());
            assert_eq!(claimed, held.unwrap_or(claim.outstanding().minor), "claim {}", claim.no);
            assert!(claim.approved.minor <= claim.asked.minor);
        }
        let approved: i64 = cycle.approval.lines.iter().map(|line| line.amount.minor).sum();
        let taken: i64 = cycle.claims.iter().map(|claim| claim.approved.minor).sum();
        assert!(committed + taken <= approved, "{committed} committed and {taken} claimed of {approved} approved");
    }

    /// What the timer does at a cycle's moment succeeds or leaves nothing due, and never asks for the same again.
    fn clock_is_honest(&self) {
        let Some(wake) = machine::wake_at(&self.s) else { return };
        let later = wake.max(self.now);
        let mut s = self.s.clone();
        let mut asked = 0;
        while machine::wake_at(&s).is_some_and(|wake| wake <= later) {
            let Some(command) = machine::timer_command(&s, later) else {
                panic!("wakes at {wake} in {:?} with nothing to do", s.cycle.stage)
            };
            let decision = decide(&s, &timer(), &command, later);
            let decision = decision.unwrap_or_else(|refusal| panic!("woke at {wake}, then {command:?}: {refusal}"));
            decision.entries().iter().flat_map(|entry| &entry.postings).for_each(|posting| s.book.post(posting));
            s.cycle = decision.cycle().clone();
            asked += 1;
            assert!(asked < 5, "asks again and again for {later}: {command:?}");
        }
        if wake > self.now {
            let before = wake - chrono::TimeDelta::seconds(1);
            if let Some(early) = machine::timer_command(&self.s, before.max(self.now)) {
                let early = decide(&self.s, &timer(), &early, before.max(self.now));
                assert!(early.is_err(), "could have woken before {wake}");
            }
        }
    }

    /// The clock goes to nine in the morning of a day; the timer does not run by itself.
    pub fn on(&mut self, text: &str) -> &mut Self {
        assert!(morning(text) >= self.now, "the clock goes forward");
        self.now = morning(text);
        self
    }

    /// The timer runs until nothing is due; it says what it recorded.
    pub fn timer_runs(&mut self) -> Vec<Entry> {
        let from = self.recorded.len();
        for _ in 0..5 {
            if machine::wake_at(&self.s).is_none_or(|wake| wake > self.now) {
                return self.recorded[from..].iter().map(|(_, entry)| entry.clone()).collect();
            }
            let command = machine::timer_command(&self.s, self.now).expect("a woken cycle has something to do");
            self.must(&timer(), command);
        }
        panic!("the timer does not come to rest: {:?}", self.s.cycle.stage);
    }

    /// Minor units in all accounts of a kind.
    pub fn held(&self, kind: AccountKind) -> i64 {
        self.s.book.total(|account| account.kind == kind)
    }

    /// Units of EUR unallocated, available, committed, claimed, paid: the picture after each step.
    pub fn balances(&self) -> [i64; 5] {
        use AccountKind::{Available, Claimed, Committed, Paid, Unallocated};
        [Unallocated, Available, Committed, Claimed, Paid].map(|kind| self.held(kind) / 100)
    }

    pub fn stage(&self) -> Stage {
        self.s.cycle.stage
    }

    /// The kinds of the entries recorded last.
    pub fn kinds(&self) -> Vec<&str> {
        self.last.iter().flat_map(Decision::entries).map(|entry| entry.kind.as_str()).collect()
    }

    /// The cycle as its recorded payloads alone give it, through JSON.
    pub fn replayed(&self) -> Cycle {
        let mut cycle = Cycle::new(&self.opening, self.recorded[0].0.at);
        for (stamp, entry) in &self.recorded {
            let text = serde_json::to_string(&entry.payload).expect("JSON");
            let event: Event = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            machine::apply(&mut cycle, &event, *stamp);
        }
        cycle
    }
}
