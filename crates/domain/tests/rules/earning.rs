//! Credit earned on purchases, and the end of a period: thresholds, expiry, carrying over, and what is closed stays.

use crate::story::{self, cents, day, eur, people};
use domain::fund::{
    self, Around, Earned, Fund, FundCommand, FundDecision, FundKind, FundSituation, PartnerEarned, PeriodFacts,
};
use domain::ids::PartnerId;
use domain::ledger::{Account, AccountKind, Book, Posting};
use domain::money::Currency;
use domain::people::Actor;
use domain::policy::Policy;
use domain::refusal::Refusal;
use domain::{Date, Instant};
use people::{ana, finn, timer};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const QUARTERLY: &str = "
[earning]
rate = \"0.02\"
threshold = \"10000\"
below = \"convert\"

[use]
days_after_period = 90
period = \"quarter\"
carry_over = \"0.25\"
";

/// A fund in which two partners earn, and everything that was earned in it.
#[derive(Clone)]
struct Coop {
    fund: Fund,
    book: Book,
    guide: Arc<Policy>,
    earned: Vec<Earned>,
    first_day: Date,
    now: Instant,
}

impl Coop {
    fn new(rules: &str) -> Self {
        let guide = Policy::load(&format!("{}{rules}", story::EMEA)).expect("the guide with earning");
        let fund = Fund {
            id: story::FUND,
            code: "COOP".to_owned(),
            name: "Co-op fund".to_owned(),
            program: story::PROGRAM,
            parent: None,
            kind: FundKind::Accrual,
            currency: Currency::EUR,
            version: 0,
            closed_until: None,
            reinstatements: Vec::new(),
        };
        let now = story::morning("2026-01-02");
        Self { fund, book: Book::default(), guide: guide.into(), earned: Vec::new(), first_day: now.date_naive(), now }
    }

    fn on(&mut self, at: &str) -> &mut Self {
        self.now = story::morning(at);
        self
    }

    fn earn(&self, partner: PartnerId, minor: i64, on: Date) -> Earned {
        Earned {
            partner,
            partner_name: "Nordwind".to_owned(),
            purchase: format!("INV-{}", self.earned.len() + 1),
            on,
            amount: cents(minor),
            expires: self.guide.credit.as_ref().expect("use rules").expires(on),
            guide: 1,
        }
    }

    /// One purchase of Nordwind's earns so many cents.
    fn accrue(&mut self, minor: i64, on: &str) -> Result<FundDecision, Refusal> {
        let earned = vec![self.earn(story::NORDWIND, minor, day(on))];
        self.act(&finn(), &import(earned))
    }

    fn act(&mut self, who: &Actor, command: &FundCommand) -> Result<FundDecision, Refusal> {
        let decision = fund::decide(&self.situation(), who, command, self.now)?;
        decision.entry().postings.iter().for_each(|posting| self.book.post(posting));
        self.fund = decision.fund().clone();
        match command {
            FundCommand::Accrue { earned, .. } => self.earned.extend(earned.iter().cloned()),
            FundCommand::TakeBack { earned, .. } => self.earned.retain(|one| !earned.contains(one)),
            FundCommand::ClosePeriod { until } => self.first_day = until.succ_opt().expect("a day"),
            _ => {}
        }
        self.assert_sound();
        Ok(decision)
    }

    fn situation(&self) -> FundSituation {
        let last = fund::last_day(&self.guide, self.first_day);
        let mut partners: BTreeMap<PartnerId, PartnerEarned> = BTreeMap::new();
        for one in self.earned.iter().filter(|one| (self.first_day..=last).contains(&one.on)) {
            let (partner, lots) = (one.partner, BTreeMap::new());
            let sum = partners.entry(partner).or_insert(PartnerEarned { partner, in_program: 0, lots });
            sum.in_program += one.amount.minor;
            *sum.lots.entry(one.expires).or_default() += one.amount.minor;
        }
        FundSituation {
            fund: self.fund.clone(),
            book: self.book.clone(),
            partner_name: None,
            around: Around::default(),
            guide: Some(self.guide.clone()),
            period: Some(PeriodFacts {
                first_day: self.first_day,
                earned: partners.into_values().collect(),
                names: [(story::NORDWIND, "Nordwind".to_owned()), (story::OTHER_PARTNER, "Kestrel".to_owned())].into(),
            }),
        }
    }

    /// What an approval does: credit that is good today, the soonest to expire first.
    fn spend(&mut self, partner: PartnerId, minor: i64) -> bool {
        let today = self.now.date_naive();
        let good = |account: &Account| {
            account.kind == AccountKind::Available
                && account.partner == Some(partner)
                && account.lot.is_none_or(|lot| lot >= today)
        };
        let Some(draws) = self.book.draw(minor, good) else { return false };
        for (from, minor) in draws {
            let to = Account::committed(self.fund.id, partner, story::CYCLE, 1, from.lot);
            self.book.post(&Posting { from, to, amount: cents(minor) });
        }
        self.assert_sound();
        true
    }

    /// All that came in is somewhere, and no account but the outside world is below zero.
    fn assert_sound(&self) {
        assert_eq!(self.book.total(|_| true), 0, "the fund does not add up");
        for balance in &self.book.balances {
            let (account, minor) = (&balance.account, balance.amount.minor);
            assert!(minor >= 0 || account.kind.may_be_negative(), "{} holds {minor}", account.key());
        }
    }

    fn held(&self, kind: AccountKind) -> i64 {
        self.book.total(|account| account.kind == kind)
    }
}

fn import(earned: Vec<Earned>) -> FundCommand {
    FundCommand::Accrue { batch: uuid::Uuid::from_u128(1), file: "sales.csv".to_owned(), earned }
}

fn take_back(earned: Vec<Earned>) -> FundCommand {
    FundCommand::TakeBack { batch: uuid::Uuid::from_u128(1), file: "sales.csv".to_owned(), earned }
}

fn close(until: &str) -> FundCommand {
    FundCommand::ClosePeriod { until: day(until) }
}

#[test]
fn t12_at_the_period_s_end_what_stayed_under_the_threshold_is_converted() {
    for (below, minor, expected) in [
        ("convert", 999_999, [0, 999_999, 0]),
        ("convert", 1_000_000, [1_000_000, 0, 0]),
        ("forfeit", 999_999, [0, 0, 999_999]),
        ("keep", 999_999, [999_999, 0, 0]),
    ] {
        let mut coop = Coop::new(&QUARTERLY.replace("convert", below));
        coop.on("2026-03-31").accrue(minor, "2026-03-31").expect("earned");
        coop.on("2026-04-01").act(&finn(), &close("2026-03-31")).expect("closed");
        let held = [AccountKind::Available, AccountKind::Converted, AccountKind::Forfeited].map(|kind| coop.held(kind));
        assert_eq!(held, expected, "{below} {minor}");
    }
}

#[test]
fn what_is_committed_before_the_period_ends_is_not_converted() {
    let mut coop = Coop::new(QUARTERLY);
    coop.on("2026-02-02").accrue(500_000, "2026-02-01").expect("earned");
    assert!(coop.spend(story::NORDWIND, 200_000));
    let decision = coop.on("2026-04-01").act(&finn(), &close("2026-03-31")).expect("closed");
    assert_eq!((coop.held(AccountKind::Converted), coop.held(AccountKind::Committed)), (300_000, 200_000));
    assert_eq!(decision.closes(), Some((day("2026-01-02"), day("2026-03-31"))));
    assert_eq!(decision.entry().notices.len(), 1, "Nordwind hears of it");
}

#[test]
fn expired_credit_is_carried_over_in_part_by_the_timer_and_at_the_period_s_end_alike() {
    let expected = |coop: &Coop| {
        let again = Account::available(coop.fund.id, story::NORDWIND, Some(day("2026-09-28")));
        assert_eq!(coop.book.minor(&again), 250_000, "a quarter of it, good until 90 days after the next period");
        assert_eq!((coop.held(AccountKind::Available), coop.held(AccountKind::Forfeited)), (250_000, 750_000));
    };
    let mut coop = Coop::new(QUARTERLY);
    coop.on("2026-03-31").accrue(1_000_000, "2026-03-31").expect("earned");
    coop.on("2026-04-01").act(&finn(), &close("2026-03-31")).expect("closed");
    let mut late = coop.clone();
    coop.on("2026-06-30").act(&timer(), &FundCommand::Forfeit).expect("forfeited");
    expected(&coop);
    // Nobody ran the timer: closing the second quarter does the same.
    late.on("2026-07-01").act(&finn(), &close("2026-06-30")).expect("closed");
    expected(&late);
    let ahead = fund::closing(&late.situation()).expect("the third quarter");
    assert_eq!((ahead.first, ahead.last), (day("2026-07-01"), day("2026-09-30")));
    assert_eq!(ahead.lines[0].stays, cents(62_500), "a quarter of a quarter");
    assert_eq!(ahead.lines[0].forfeited, cents(187_500));
}

#[test]
fn credit_with_one_last_day_for_all_is_not_carried_beyond_it() {
    let mut coop = Coop::new(&QUARTERLY.replace("days_after_period = 90", "last_day = \"2026-12-31\""));
    coop.on("2026-03-31").accrue(1_000_000, "2026-03-31").expect("earned");
    coop.on("2027-01-01").act(&timer(), &FundCommand::Forfeit).expect("forfeited");
    assert_eq!((coop.held(AccountKind::Available), coop.held(AccountKind::Forfeited)), (0, 1_000_000));
}

#[test]
fn periods_are_closed_once_in_order_when_they_are_over_and_by_finance() {
    let mut coop = Coop::new(QUARTERLY);
    let code =
        |coop: &mut Coop, who: &Actor, until: &str| coop.act(who, &close(until)).expect_err(until).code().to_owned();
    coop.on("2026-02-02").accrue(1_000_000, "2026-02-01").expect("earned");
    assert_eq!(code(&mut coop, &finn(), "2026-03-31"), "period_runs");
    coop.now = "2026-04-01T00:59:59Z".parse().expect("a moment");
    assert_eq!(code(&mut coop, &finn(), "2026-03-31"), "period_runs", "the last postings may be on their way");
    coop.now = "2026-04-01T01:00:00Z".parse().expect("a moment");
    assert_eq!(code(&mut coop, &finn(), "2026-06-30"), "period_order");
    assert_eq!(code(&mut coop, &finn(), "2026-03-30"), "period_order");
    assert_eq!(code(&mut coop, &ana(), "2026-03-31"), "not_your_role");
    assert_eq!(code(&mut coop, &timer(), "2026-03-31"), "not_your_role");
    coop.act(&finn(), &close("2026-03-31")).expect("closed");
    assert_eq!(coop.fund.closed_until, Some(day("2026-03-31")));
    assert_eq!(code(&mut coop, &finn(), "2026-03-31"), "closed_already");
    assert_eq!(coop.on("2026-05-02").accrue(100, "2026-03-31").expect_err("closed").code(), "period_closed");
    coop.accrue(100, "2026-04-01").expect("the next period is open");
    let first = coop.earned[0].clone();
    assert_eq!(coop.act(&finn(), &take_back(vec![first])).expect_err("closed").code(), "period_closed");
}

#[test]
fn an_import_is_taken_back_whole_or_not_at_all() {
    let mut coop = Coop::new(QUARTERLY);
    coop.on("2026-02-02").accrue(60_000, "2026-02-01").expect("earned");
    coop.accrue(40_000, "2026-02-01").expect("earned");
    assert!(coop.spend(story::NORDWIND, 30_000));
    let all = coop.earned.clone();
    let refusal = coop.act(&finn(), &take_back(all)).expect_err("30,000 cents are used");
    assert_eq!(refusal.code(), "credit_used");
    let why = "Nordwind has committed or spent 300 EUR of the 1,000 EUR earned in Co-op fund on INV-1, INV-2.";
    assert_eq!(refusal.reasons[0].why, why);
    assert_eq!(coop.held(AccountKind::Funding), -100_000);
    let second = vec![coop.earned[1].clone()];
    coop.act(&finn(), &take_back(second)).expect("that much is unused");
    assert_eq!((coop.held(AccountKind::Funding), coop.held(AccountKind::Available)), (-60_000, 30_000));
}

#[test]
fn nothing_is_earned_in_another_fund_or_currency_or_by_a_call() {
    let mut coop = Coop::new(QUARTERLY);
    let mut foreign = coop.earn(story::NORDWIND, 100, day("2026-01-02"));
    foreign.amount = domain::money::Money::units(1, Currency::USD);
    assert_eq!(coop.act(&finn(), &import(vec![foreign])).expect_err("dollars").code(), "currency");
    let one = coop.earn(story::NORDWIND, 100, day("2026-01-02"));
    assert_eq!(coop.act(&ana(), &import(vec![one.clone()])).expect_err("a partner").code(), "not_your_role");
    coop.fund.kind = FundKind::Discretionary;
    assert_eq!(coop.act(&finn(), &import(vec![one])).expect_err("discretionary").code(), "no_accrual_fund");
    let text = serde_json::to_string(&import(Vec::new())).expect("JSON");
    serde_json::from_str::<FundCommand>(&text).expect_err("an import alone accrues: no caller names its own credit");
    assert_eq!(eur(1), cents(100));
}

/// One thing that happens to the fund.
#[derive(Clone, Debug)]
enum Happens {
    Earn { nordwind: bool, minor: i64, days_ago: u64 },
    Spend { nordwind: bool, minor: i64 },
    TakeBack { which: usize },
    Forfeit,
    Close,
    Wait { days: i64 },
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (any::<bool>(), 0_i64..2_000_000, 0_u64..40)
            .prop_map(|(nordwind, minor, days_ago)| Happens::Earn { nordwind, minor, days_ago }),
        4 => (any::<bool>(), 1_i64..1_500_000).prop_map(|(nordwind, minor)| Happens::Spend { nordwind, minor }),
        1 => (0_usize..30).prop_map(|which| Happens::TakeBack { which }),
        2 => Just(Happens::Forfeit),
        3 => Just(Happens::Close),
        4 => (1_i64..50).prop_map(|days| Happens::Wait { days }),
    ]
}

/// Which of a partner's lots hold something, the soonest to expire first, as far as they are good.
fn lots(coop: &Coop, partner: PartnerId) -> Vec<(Account, i64)> {
    let today = coop.now.date_naive();
    let own = |account: &Account| {
        account.kind == AccountKind::Available
            && account.partner == Some(partner)
            && account.lot.is_none_or(|lot| lot >= today)
    };
    coop.book.lots(own).into_iter().map(|balance| (balance.account, balance.amount.minor)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever is earned, spent, taken back, forfeited and closed in whatever order: the fund adds up after every step,
    /// no lot is below zero, and what expires first is spent first (T23).
    #[test]
    fn t23_credit_adds_up_and_the_oldest_is_spent_first(
        steps in proptest::collection::vec(happens(), 1..60),
        below in prop_oneof![Just("convert"), Just("forfeit"), Just("keep")],
        monthly in any::<bool>(),
    ) {
        let rules = QUARTERLY.replace("convert", below).replace("quarter", if monthly { "month" } else { "quarter" });
        let mut coop = Coop::new(&rules);
        for step in steps {
            let whose = |nordwind| if nordwind { story::NORDWIND } else { story::OTHER_PARTNER };
            match step {
                Happens::Earn { nordwind, minor, days_ago } => {
                    let on = coop.now.date_naive() - chrono::Days::new(days_ago);
                    let closed = coop.fund.closed_until.is_some_and(|until| on <= until);
                    coop.first_day = coop.first_day.min(if closed { coop.first_day } else { on });
                    let earned = vec![coop.earn(whose(nordwind), minor, on)];
                    prop_assert_eq!(coop.act(&finn(), &import(earned)).is_err(), closed);
                }
                Happens::Spend { nordwind, minor } => {
                    let before = lots(&coop, whose(nordwind));
                    if coop.spend(whose(nordwind), minor) {
                        let mut rest = minor;
                        for (lot, held) in before {
                            let taken = held - coop.book.minor(&lot);
                            prop_assert_eq!(taken, held.min(rest), "{}", lot.key());
                            rest -= taken;
                        }
                        prop_assert_eq!(rest, 0);
                    }
                }
                Happens::TakeBack { which } => {
                    let Some(one) = coop.earned.get(which).cloned() else { continue };
                    let before = coop.book.clone();
                    if coop.act(&finn(), &take_back(vec![one])).is_err() {
                        prop_assert_eq!(&coop.book, &before, "a refusal moves nothing");
                    }
                }
                Happens::Forfeit => drop(coop.act(&timer(), &FundCommand::Forfeit)),
                Happens::Close => {
                    let Some(ahead) = fund::closing(&coop.situation()) else { continue };
                    let open = coop.now >= fund::closable_from(ahead.last);
                    let closed = coop.act(&finn(), &FundCommand::ClosePeriod { until: ahead.last });
                    prop_assert_eq!(closed.is_ok(), open);
                    if open {
                        let stays: i64 = ahead.lines.iter().map(|line| line.stays.minor).sum();
                        prop_assert_eq!(coop.held(AccountKind::Available), stays, "as the check page said");
                    }
                }
                Happens::Wait { days } => coop.now += chrono::TimeDelta::days(days),
            }
        }
    }
}
