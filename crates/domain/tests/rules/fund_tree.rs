//! Several funds and partners: a tree, money that goes from one to another, credit that is adjusted and reinstated,
//! allocations to many. Whatever finance does in any order, every fund's own equation holds.

use crate::story::{NORDWIND, OTHER_PARTNER, PROGRAM, cents, day, eur, morning, people};
use domain::fund::{
    self, Around, Attribute, Candidate, Fund, FundCommand, FundKind, FundSituation, Line, Sharing, share_out,
};
use domain::ids::{CycleId, FundId, PartnerId, ProgramId};
use domain::ledger::{Account, AccountKind, Book, Posting};
use domain::money::{Currency, Money};
use domain::people::Actor;
use domain::refusal::Refusal;
use domain::{Date, Instant};
use people::{fay, finn, flo, in_place_of, mia, timer};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

const GLOBAL: usize = 0;
const EMEA: usize = 1;
const DACH: usize = 2;
const EARNED: usize = 3;
const POOL: usize = 4;
const LOOSE: usize = 5;

/// A world of funds without a database: what finance does is decided by the rules and posted to one book.
#[derive(Clone)]
struct World {
    funds: Vec<Fund>,
    book: Book,
    now: Instant,
    reinstated_by: u8,
    /// By fund and partner.
    forfeited: BTreeMap<(FundId, PartnerId), i64>,
    /// What came from the outside world and did not go back, as the commands said it.
    outside: i64,
}

impl World {
    /// Global, EMEA and DACH below each other; an accrual fund and a pooled one below Global; one on its own.
    fn new() -> Self {
        let fund = |no: usize, name: &str, parent: Option<usize>, kind: FundKind| Fund {
            id: id(no),
            code: name.to_uppercase(),
            name: name.to_owned(),
            program: PROGRAM,
            parent: parent.map(id),
            kind,
            currency: Currency::EUR,
            version: 0,
            closed_until: None,
            reinstatements: Vec::new(),
        };
        let funds = vec![
            fund(GLOBAL, "Global", None, FundKind::Discretionary),
            fund(EMEA, "EMEA", Some(GLOBAL), FundKind::Discretionary),
            fund(DACH, "DACH", Some(EMEA), FundKind::Discretionary),
            fund(EARNED, "Co-op", Some(GLOBAL), FundKind::Accrual),
            fund(POOL, "Events", Some(GLOBAL), FundKind::Pooled),
            fund(LOOSE, "Loose", None, FundKind::Discretionary),
        ];
        let (book, now) = (Book::default(), morning("2026-03-02"));
        Self { funds, book, now, reinstated_by: 2, forfeited: BTreeMap::new(), outside: 0 }
    }

    fn today(&self) -> Date {
        self.now.date_naive()
    }

    fn act(&mut self, at: usize, who: &Actor, command: &FundCommand) -> Result<Vec<Posting>, Refusal> {
        let names = BTreeMap::from([(NORDWIND, "Nordwind".to_owned()), (OTHER_PARTNER, "Kestrel".to_owned())]);
        let waiting = |no: &i64| self.funds[at].reinstatements.iter().find(|wanted| wanted.no == *no);
        let partner = command.partner().or(match command {
            FundCommand::ConfirmReinstatement { proposal } | FundCommand::RejectReinstatement { proposal, .. } => {
                waiting(proposal).map(|wanted| wanted.partner)
            }
            _ => None,
        });
        let forfeited = partner.and_then(|partner| self.forfeited.get(&(self.funds[at].id, partner)).copied());
        let s = FundSituation {
            fund: self.funds[at].clone(),
            book: self.book.clone(),
            partner_name: partner.and_then(|id| names.get(&id).cloned()),
            guide: None,
            period: None,
            around: Around {
                funds: self.funds.iter().filter(|other| other.id != self.funds[at].id).cloned().collect(),
                partners: names,
                forfeited: forfeited.unwrap_or(0),
                reinstated_by: self.reinstated_by,
            },
        };
        let decision = fund::decide(&s, who, command, self.now)?;
        assert_eq!(decision.fund().version, s.fund.version + 1);
        let postings = decision.entry().postings.clone();
        self.came(at, command);
        for posting in &postings {
            self.post(posting);
        }
        self.funds[at] = decision.fund().clone();
        self.holds();
        Ok(postings)
    }

    #[track_caller]
    fn must(&mut self, at: usize, who: &Actor, command: &FundCommand) -> Vec<Posting> {
        self.act(at, who, command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"))
    }

    #[track_caller]
    fn refuses(&mut self, at: usize, who: &Actor, command: &FundCommand, code: &str) -> String {
        let refusal = self.act(at, who, command).expect_err(code);
        assert_eq!(refusal.code(), code, "{refusal}");
        refusal.to_string()
    }

    /// What the command says of the outside world, told apart from its postings.
    fn came(&mut self, at: usize, command: &FundCommand) {
        let is_root = self.funds[at].parent.is_none();
        self.outside += match command {
            FundCommand::Budget { amount, .. } if is_root => amount.minor,
            FundCommand::Lower { amount, .. } if is_root => -amount.minor,
            FundCommand::RaiseCredit { amount, .. } => amount.minor,
            FundCommand::LowerCredit { amount, .. } | FundCommand::RecordReturn { amount, .. } => -amount.minor,
            _ => 0,
        };
    }

    fn post(&mut self, posting: &Posting) {
        assert!(posting.amount.is_positive() && posting.from != posting.to, "{posting:?}");
        assert_eq!(posting.from.fund, posting.to.fund, "a posting stays in its fund: {posting:?}");
        self.book.post(posting);
        if let (AccountKind::Forfeited, Some(partner)) = (posting.to.kind, posting.from.partner) {
            *self.forfeited.entry((posting.to.fund, partner)).or_default() += posting.amount.minor;
        }
        if let (AccountKind::Forfeited, Some(partner)) = (posting.from.kind, posting.to.partner) {
            *self.forfeited.entry((posting.to.fund, partner)).or_default() -= posting.amount.minor;
        }
    }

    fn held(&self, at: usize, kind: AccountKind) -> i64 {
        self.book.total(|account| account.fund == id(at) && account.kind == kind)
    }

    /// Every fund adds up, only the outside world owes, nothing came from nowhere, the tree is one.
    fn holds(&self) {
        for balance in &self.book.balances {
            let may_owe = balance.account.kind == AccountKind::Funding;
            assert!(may_owe || balance.amount.minor >= 0, "{balance:?} is below zero");
        }
        for fund in &self.funds {
            assert_eq!(self.book.total(|account| account.fund == fund.id), 0, "{} does not add up", fund.name);
            assert!(self.ancestors(fund) < fund::DEEPEST, "{} is in a circle or too deep", fund.name);
        }
        let owed = -self.book.total(|account| account.kind == AccountKind::Funding);
        assert_eq!(owed, self.outside, "money between funds comes from one of them");
        for ((fund, partner), minor) in &self.forfeited {
            assert!(*minor >= 0, "{partner} got more back in {fund} than it forfeited");
        }
    }

    fn ancestors(&self, fund: &Fund) -> usize {
        let mut count = 0;
        let mut next = fund.parent;
        while let Some(above) = next {
            count += 1;
            assert!(count <= self.funds.len(), "a circle");
            next = self.funds.iter().find(|other| other.id == above).expect("a parent is there").parent;
        }
        count
    }

    /// What a claw back of a paid claim leaves: so that there is something to return.
    fn owes(&mut self, at: usize, minor: i64) {
        let (fund, cycle) = (id(at), CycleId(Uuid::from_u128(77)));
        let steps = [
            Account::unallocated(fund),
            Account::committed(fund, NORDWIND, cycle, 1, None),
            Account::claimed(fund, NORDWIND, cycle, 1),
            Account::paid(fund, NORDWIND, cycle, 1),
            Account::recoverable(fund, NORDWIND),
        ];
        for pair in steps.windows(2) {
            self.post(&Posting { from: pair[0], to: pair[1], amount: cents(minor) });
        }
        self.holds();
    }
}

fn id(no: usize) -> FundId {
    FundId(Uuid::from_u128(500 + no as u128))
}

fn why() -> String {
    "As agreed".to_owned()
}

fn budget(units: i64) -> FundCommand {
    FundCommand::Budget { amount: eur(units), reason: why() }
}

fn allocate(units: i64, expires: Option<&str>) -> FundCommand {
    FundCommand::Allocate { partner: NORDWIND, amount: eur(units), expires: expires.map(day), reason: why() }
}

#[test]
fn t38_children_take_from_their_parent_and_never_more_than_it_has() {
    let mut world = World::new();
    world.must(GLOBAL, &finn(), &budget(100_000));
    let postings = world.must(EMEA, &finn(), &budget(60_000));
    let ways: Vec<_> = postings.iter().map(|one| (one.from, one.to, one.amount)).collect();
    let (parent, child) = (id(GLOBAL), id(EMEA));
    assert_eq!(
        ways,
        [
            (Account::unallocated(parent), Account::funding(parent), eur(60_000)),
            (Account::funding(child), Account::unallocated(child), eur(60_000)),
        ]
    );
    let words = world.refuses(EARNED, &finn(), &budget(41_000), "funds_available");
    assert!(words.starts_with("40,000 EUR is unallocated in Global, less than 41,000 EUR."), "{words}");
    world.must(EARNED, &finn(), &budget(40_000));
    world.must(DACH, &finn(), &budget(25_000));
    world.must(DACH, &finn(), &FundCommand::Lower { amount: eur(5_000), reason: why() });
    assert_eq!(world.held(EMEA, AccountKind::Unallocated), 4_000_000);
    assert_eq!(world.held(DACH, AccountKind::Funding), -2_000_000);
    let dollars = Currency::USD;
    let reasons = fund::under("US", PROGRAM, dollars, &world.funds[GLOBAL], &world.funds);
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes, ["parent_currency"]);
    assert!(reasons[0].why.starts_with("US is kept in USD, its parent Global in EUR."), "{}", reasons[0].why);
    let elsewhere = ProgramId(Uuid::from_u128(21));
    assert_eq!(fund::under("US", elsewhere, Currency::EUR, &world.funds[GLOBAL], &world.funds).len(), 1);
}

#[test]
fn a_fund_is_never_below_itself_and_is_moved_only_while_it_is_empty() {
    let mut world = World::new();
    let below = |no: usize| FundCommand::Place { parent: Some(id(no)), reason: why() };
    world.refuses(EMEA, &finn(), &below(EMEA), "own_ancestor");
    world.refuses(EMEA, &finn(), &below(DACH), "own_ancestor");
    world.refuses(GLOBAL, &finn(), &below(DACH), "own_ancestor");
    world.refuses(EMEA, &finn(), &below(GLOBAL), "unchanged");
    world.refuses(EMEA, &finn(), &below(9), "parent");
    world.must(LOOSE, &finn(), &below(DACH));
    world.must(GLOBAL, &finn(), &budget(10));
    world.must(EMEA, &finn(), &budget(10));
    let words = world.refuses(EMEA, &finn(), &FundCommand::Place { parent: None, reason: why() }, "not_empty");
    assert!(words.starts_with("10 EUR was put into EMEA"), "{words}");
}

#[test]
fn t24_forfeited_credit_comes_back_by_two_people_with_a_new_last_day() {
    let mut world = World::new();
    world.must(GLOBAL, &finn(), &budget(1_000));
    world.must(GLOBAL, &finn(), &allocate(750, Some("2026-06-30")));
    let propose = |units: i64, expires: &str| FundCommand::ProposeReinstatement {
        partner: NORDWIND,
        amount: eur(units),
        expires: day(expires),
        reason: "The distributor's webinar moved".to_owned(),
    };
    let words = world.refuses(GLOBAL, &finn(), &propose(750, "2026-12-31"), "forfeited");
    assert!(words.starts_with("Nordwind forfeited 0 EUR in Global."), "{words}");
    world.now = morning("2026-07-01");
    world.must(GLOBAL, &timer(), &FundCommand::Forfeit);
    assert_eq!(world.held(GLOBAL, AccountKind::Forfeited), 75_000);

    world.refuses(GLOBAL, &mia(), &propose(750, "2026-12-31"), "not_your_role");
    world.refuses(GLOBAL, &finn(), &propose(750, "2026-07-01"), "expires");
    world.refuses(GLOBAL, &finn(), &propose(751, "2026-12-31"), "forfeited");
    assert!(world.must(GLOBAL, &finn(), &propose(750, "2026-12-31")).is_empty(), "one person moves no money");
    let words = world.refuses(GLOBAL, &fay(), &propose(1, "2026-12-31"), "forfeited");
    assert!(words.contains("besides 750 EUR that waits for a second person"), "{words}");

    let proposal = world.funds[GLOBAL].reinstatements[0].no;
    let confirm = FundCommand::ConfirmReinstatement { proposal };
    world.refuses(GLOBAL, &finn(), &confirm, "second_person");
    let standing_in = in_place_of(mia(), &finn());
    world.refuses(GLOBAL, &standing_in, &confirm, "second_person");
    let postings = world.must(GLOBAL, &fay(), &confirm);
    let back = Account::available(id(GLOBAL), NORDWIND, Some(day("2026-12-31")));
    assert_eq!(postings, [Posting { from: Account::forfeited(id(GLOBAL)), to: back, amount: eur(750) }]);
    assert_eq!((world.held(GLOBAL, AccountKind::Forfeited), world.book.minor(&back)), (0, 75_000));
    world.refuses(GLOBAL, &flo(), &confirm, "no_proposal");
}

#[test]
fn as_many_people_agree_to_a_reinstatement_as_the_guide_says() {
    for (needed, people) in [(1, vec![finn()]), (3, vec![finn(), fay(), flo()])] {
        let mut world = World { reinstated_by: needed, ..World::new() };
        world.must(GLOBAL, &finn(), &budget(1_000));
        world.must(GLOBAL, &finn(), &allocate(750, Some("2026-06-30")));
        world.now = morning("2026-07-01");
        world.must(GLOBAL, &timer(), &FundCommand::Forfeit);
        let expires = day("2026-12-31");
        let propose = FundCommand::ProposeReinstatement { partner: NORDWIND, amount: eur(700), expires, reason: why() };
        world.must(GLOBAL, &people[0], &propose);
        for (index, person) in people.iter().enumerate().skip(1) {
            assert_eq!(world.held(GLOBAL, AccountKind::Available), 0, "{index} of {needed}");
            let proposal = world.funds[GLOBAL].reinstatements[0].no;
            world.must(GLOBAL, person, &FundCommand::ConfirmReinstatement { proposal });
        }
        assert_eq!(world.held(GLOBAL, AccountKind::Available), 70_000, "{needed}");
        assert!(world.funds[GLOBAL].reinstatements.is_empty());
    }
}

#[test]
fn a_proposal_is_turned_down_with_a_reason() {
    let mut world = World::new();
    world.must(GLOBAL, &finn(), &budget(1_000));
    world.must(GLOBAL, &finn(), &allocate(750, Some("2026-06-30")));
    world.now = morning("2026-07-01");
    world.must(GLOBAL, &timer(), &FundCommand::Forfeit);
    let expires = day("2026-12-31");
    let propose = FundCommand::ProposeReinstatement { partner: NORDWIND, amount: eur(750), expires, reason: why() };
    world.must(GLOBAL, &finn(), &propose);
    let proposal = world.funds[GLOBAL].reinstatements[0].no;
    let reject = |reason: &str| FundCommand::RejectReinstatement { proposal, reason: reason.to_owned() };
    world.refuses(GLOBAL, &fay(), &reject(" "), "required");
    assert!(world.must(GLOBAL, &fay(), &reject("They were told in time")).is_empty());
    world.refuses(GLOBAL, &fay(), &FundCommand::ConfirmReinstatement { proposal }, "no_proposal");
    assert_eq!(world.held(GLOBAL, AccountKind::Forfeited), 75_000);
}

#[test]
fn a_proposal_nobody_agreed_to_in_time_makes_room_for_another() {
    let mut world = World::new();
    world.must(GLOBAL, &finn(), &budget(1_000));
    world.must(GLOBAL, &finn(), &allocate(750, Some("2026-06-30")));
    world.now = morning("2026-07-01");
    world.must(GLOBAL, &timer(), &FundCommand::Forfeit);
    let propose = |expires: &str| FundCommand::ProposeReinstatement {
        partner: NORDWIND,
        amount: eur(750),
        expires: day(expires),
        reason: why(),
    };
    world.must(GLOBAL, &finn(), &propose("2026-08-31"));
    let late = world.funds[GLOBAL].reinstatements[0].no;
    world.refuses(GLOBAL, &fay(), &propose("2026-12-31"), "forfeited");
    world.now = morning("2026-08-31");
    let too_late = FundCommand::ConfirmReinstatement { proposal: late };
    world.refuses(GLOBAL, &fay(), &too_late, "expires");
    world.must(GLOBAL, &fay(), &propose("2026-12-31"));
    assert_eq!(world.funds[GLOBAL].reinstatements.len(), 1, "the late one holds nothing back");
    let proposal = world.funds[GLOBAL].reinstatements[0].no;
    world.must(GLOBAL, &finn(), &FundCommand::ConfirmReinstatement { proposal });
    assert_eq!(world.held(GLOBAL, AccountKind::Available), 75_000);
}

#[test]
fn money_goes_to_another_fund_and_credit_keeps_its_last_day() {
    let mut world = World::new();
    world.must(GLOBAL, &finn(), &budget(1_000));
    let transfer = |to: usize, units: i64| FundCommand::Transfer { to: id(to), amount: eur(units), reason: why() };
    world.must(GLOBAL, &finn(), &transfer(LOOSE, 300));
    world.refuses(GLOBAL, &finn(), &transfer(GLOBAL, 1), "same_fund");
    world.refuses(GLOBAL, &finn(), &transfer(9, 1), "fund");
    let words = world.refuses(GLOBAL, &finn(), &transfer(LOOSE, 701), "funds_available");
    assert!(words.starts_with("700 EUR is unallocated in Global"), "{words}");

    for (units, expires) in [(200, Some("2026-12-31")), (100, Some("2026-06-30")), (50, None)] {
        world.must(GLOBAL, &finn(), &allocate(units, expires));
    }
    let credit = |units: i64, fund: Option<usize>, partner: Option<PartnerId>| FundCommand::TransferCredit {
        partner: NORDWIND,
        amount: eur(units),
        to_fund: fund.map(id),
        to_partner: partner,
        reason: why(),
    };
    world.must(GLOBAL, &finn(), &credit(150, Some(LOOSE), None));
    let lots = |world: &World, at: usize, partner| {
        ["2026-06-30", "2026-12-31"]
            .map(|until| world.book.minor(&Account::available(id(at), partner, Some(day(until)))) / 100)
    };
    assert_eq!((lots(&world, GLOBAL, NORDWIND), lots(&world, LOOSE, NORDWIND)), ([0, 150], [100, 50]));
    world.must(GLOBAL, &finn(), &credit(120, None, Some(OTHER_PARTNER)));
    assert_eq!((lots(&world, GLOBAL, NORDWIND), lots(&world, GLOBAL, OTHER_PARTNER)), ([0, 30], [0, 120]));
    world.refuses(GLOBAL, &finn(), &credit(1, None, None), "same_place");
    world.refuses(GLOBAL, &finn(), &credit(1, Some(POOL), None), "shared_fund");
    let unknown = PartnerId(Uuid::from_u128(99));
    world.refuses(GLOBAL, &finn(), &credit(1, None, Some(unknown)), "partner");
    let words = world.refuses(GLOBAL, &finn(), &credit(81, Some(LOOSE), None), "funds_available");
    assert!(words.starts_with("Nordwind has 80 EUR of good credit in Global."), "{words}");
    world.now = morning("2027-01-01");
    let words = world.refuses(GLOBAL, &finn(), &credit(51, Some(LOOSE), None), "funds_available");
    assert!(words.starts_with("Nordwind has 50 EUR of good credit"), "what has expired goes nowhere: {words}");
}

#[test]
fn only_earned_credit_is_adjusted() {
    let mut world = World::new();
    let raise = |units: i64, expires: Option<&str>| FundCommand::RaiseCredit {
        partner: NORDWIND,
        amount: eur(units),
        expires: expires.map(day),
        reason: why(),
    };
    let lower = |units: i64| FundCommand::LowerCredit { partner: NORDWIND, amount: eur(units), reason: why() };
    world.refuses(GLOBAL, &finn(), &raise(10, None), "not_earned");
    world.refuses(EARNED, &finn(), &raise(10, Some("2026-03-01")), "expires");
    world.must(EARNED, &finn(), &raise(10, Some("2026-12-31")));
    world.must(EARNED, &finn(), &raise(20, Some("2026-06-30")));
    let words = world.refuses(EARNED, &finn(), &lower(31), "funds_available");
    assert!(words.starts_with("Nordwind has 30 EUR unused in Co-op."), "{words}");
    world.must(EARNED, &finn(), &lower(25));
    let left = Account::available(id(EARNED), NORDWIND, Some(day("2026-12-31")));
    assert_eq!((world.held(EARNED, AccountKind::Available), world.book.minor(&left)), (500, 500));
}

#[test]
fn many_get_credit_at_once_or_none_does() {
    let mut world = World::new();
    world.must(GLOBAL, &finn(), &budget(100));
    let line = |partner, units: i64, expires: Option<&str>| Line {
        partner,
        amount: eur(units),
        expires: expires.map(day),
        reason: String::new(),
    };
    let many = |lines: Vec<Line>| FundCommand::AllocateMany { lines, reason: why() };
    let unknown = PartnerId(Uuid::from_u128(99));
    let bad = vec![
        line(NORDWIND, 10, None),
        line(unknown, 10, None),
        line(NORDWIND, 20, None),
        line(OTHER_PARTNER, 0, None),
        line(OTHER_PARTNER, 1, Some("2026-03-01")),
        Line { amount: Money::units(1, Currency::USD), ..line(OTHER_PARTNER, 1, None) },
    ];
    let refusal = world.act(GLOBAL, &finn(), &many(bad)).expect_err("five lines of six");
    let told: Vec<_> =
        refusal.reasons.iter().map(|one| (one.field.as_deref().unwrap_or(""), one.code.as_str())).collect();
    let expected = [
        ("lines.1", "partner"),
        ("lines.2", "twice"),
        ("lines.3", "amount"),
        ("lines.4", "expires"),
        ("lines.5", "amount"),
    ];
    assert_eq!(told, expected);
    assert!(refusal.reasons[0].why.starts_with("Line 2: "), "{refusal}");
    let much = vec![line(NORDWIND, 60, None), line(OTHER_PARTNER, 41, None)];
    world.refuses(GLOBAL, &finn(), &many(much), "funds_available");
    world.refuses(GLOBAL, &finn(), &many(Vec::new()), "lines");
    world.refuses(POOL, &finn(), &many(vec![line(NORDWIND, 1, None)]), "shared_fund");
    let good = vec![line(NORDWIND, 60, None), line(NORDWIND, 1, Some("2026-12-31")), line(OTHER_PARTNER, 39, None)];
    assert_eq!(world.must(GLOBAL, &finn(), &many(good)).len(), 3);
    assert_eq!(world.held(GLOBAL, AccountKind::Unallocated), 0);
}

#[test]
fn shares_add_up_and_no_weight_is_guessed() {
    let partner = |no: u128, tier: &str, region: &str| Candidate {
        id: PartnerId(Uuid::from_u128(no)),
        name: format!("P{no}"),
        facts: [("tier", tier), ("region", region), ("segment", if no == 2 { "Public" } else { "" })]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let all = [partner(1, "gold", "DACH"), partner(2, "silver", "DACH"), partner(3, "gold", "UK")];
    let parts = |sharing: &Sharing| -> Vec<Result<i64, String>> {
        share_out(&all, sharing).into_iter().map(|part| part.map(|m| m.minor).map_err(|r| r.code)).collect()
    };
    assert_eq!(parts(&Sharing::Each(cents(5))), [Ok(5), Ok(5), Ok(5)]);
    assert_eq!(parts(&Sharing::Even(cents(100))), [Ok(34), Ok(33), Ok(33)]);
    let weights = |pairs: &[(&str, u32)]| pairs.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
    let by = |by, pairs: &[(&str, u32)]| Sharing::Weighted { whole: cents(1_001), by, weights: weights(pairs) };
    assert_eq!(parts(&by(Attribute::Tier, &[("Gold", 2), ("silver", 1)])), [Ok(401), Ok(200), Ok(400)]);
    assert_eq!(parts(&by(Attribute::Region, &[("DACH", 1)])), [Ok(501), Ok(500), Err("weight".to_owned())]);
    let segment = Attribute::from_code(" Segment ").expect("a name");
    assert_eq!(segment, Attribute::Named("segment".to_owned()));
    assert!(segment.is(&all[1], "public") && !segment.is(&all[0], "public"));
    let no = || Err("weight".to_owned());
    assert_eq!(parts(&by(segment, &[("public", 7)])), [no(), Ok(1_001), no()], "who is nothing gets nothing");
    assert_eq!((Attribute::from_code("REGION"), Attribute::from_code("a:b")), (Some(Attribute::Region), None));
}

/// One step: where, who, what, and the dice its details are made from.
#[derive(Clone, Copy, Debug)]
struct Step {
    at: usize,
    other: usize,
    who: usize,
    what: u8,
    amount: i64,
    days: i64,
    nordwind: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![20 => 1_i64..60_000, 3 => 60_000_i64..3_000_000, 1 => Just(0_i64), 1 => any::<i64>()];
    let days = prop_oneof![6 => Just(0_i64), 2 => 1_i64..20, 1 => 20_i64..120];
    (0_usize..6, 0_usize..7, 0_usize..6, 0_u8..20, amount, days, any::<bool>()).prop_map(
        |(at, other, who, what, amount, days, nordwind)| Step { at, other, who, what, amount, days, nordwind },
    )
}

fn command(world: &World, step: &Step) -> FundCommand {
    let (partner, amount, reason) = (if step.nordwind { NORDWIND } else { OTHER_PARTNER }, cents(step.amount), why());
    let until = world.today() + chrono::TimeDelta::days(step.amount.rem_euclid(200));
    let expires = (step.amount % 3 != 0).then_some(until);
    let to_fund = (step.other < 6).then(|| id(step.other));
    let proposal = world.funds[step.at].reinstatements.first().map_or(1, |wanted| wanted.no);
    let forfeited = world.forfeited.get(&(id(step.at), partner)).copied().unwrap_or(0);
    match step.what {
        0..=2 => FundCommand::Budget { amount, reason },
        3 => FundCommand::Lower { amount, reason },
        4..=6 => FundCommand::Allocate { partner, amount, expires, reason },
        7 => FundCommand::MoveBack { partner, amount, reason },
        8 => FundCommand::RecordReturn { partner, amount, reference: reason },
        9 => FundCommand::Transfer { to: id(step.other), amount, reason },
        10 | 11 => {
            let to_partner = step.who.is_multiple_of(2).then_some(if step.nordwind { OTHER_PARTNER } else { NORDWIND });
            FundCommand::TransferCredit { partner, amount, to_fund, to_partner, reason }
        }
        12 => FundCommand::RaiseCredit { partner, amount, expires, reason },
        13 => FundCommand::LowerCredit { partner, amount, reason },
        14 | 15 => {
            let amount = if step.who.is_multiple_of(2) { cents(forfeited) } else { amount };
            FundCommand::ProposeReinstatement { partner, amount, expires: until, reason }
        }
        16 => FundCommand::ConfirmReinstatement { proposal },
        17 => FundCommand::RejectReinstatement { proposal, reason },
        18 => {
            let line = |partner| Line { partner, amount, expires, reason: String::new() };
            FundCommand::AllocateMany { lines: vec![line(NORDWIND), line(OTHER_PARTNER)], reason }
        }
        _ => FundCommand::Place { parent: to_fund, reason },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn whatever_finance_does_every_fund_adds_up(steps in proptest::collection::vec(step(), 1..140)) {
        let people = [finn(), fay(), flo(), in_place_of(mia(), &finn()), in_place_of(finn(), &fay()), mia()];
        let mut world = World::new();
        world.must(GLOBAL, &finn(), &budget(50_000));
        world.must(EMEA, &finn(), &budget(20_000));
        world.owes(EMEA, 100_000);
        for step in &steps {
            world.now += chrono::TimeDelta::days(step.days);
            if step.days > 0 {
                // The timer has nothing to do where nothing has expired.
                let _ = world.act(step.at, &timer(), &FundCommand::Forfeit);
            }
            let command = command(&world, step);
            let text = serde_json::to_string(&command).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<FundCommand>(&text).expect("JSON"), command.clone());
            let before = world.book.clone();
            if let Err(refusal) = world.act(step.at, &people[step.who], &command) {
                prop_assert!(!refusal.reasons.is_empty());
                for reason in &refusal.reasons {
                    prop_assert!(reason.why.ends_with(['.', '”', ')']) && reason.remedy.ends_with('.'), "{:?}", reason);
                }
                prop_assert_eq!(&world.book, &before, "what is refused moves nothing");
            }
        }
    }
}
