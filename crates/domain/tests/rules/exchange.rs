//! A cycle in euros that a fund in dollars pays: what is committed at one rate and paid at another.

use crate::story::people::{ana, fay, finn, flo, mia};
use crate::story::{self, NORDWIND, Story, accept, activity, approval, campaign, cents, claim, day, eur, invoice};
use domain::exchange::Rate;
use domain::fund::{FundCommand, FundKind};
use domain::ledger::{Account, AccountKind};
use domain::machine::CycleCommand;
use domain::money::{Currency, Money};
use domain::policy::Policy;
use domain::steps::{s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s6_approval, s7_execution};
use rust_decimal::Decimal;

/// The guide, with the day whose rate counts.
fn guide(rate_date: &str) -> Policy {
    let text = story::EMEA.replace("rate_date = \"settlement\"", &format!("rate_date = \"{rate_date}\""));
    Policy::load(&text).expect("a sound guide")
}

/// Finance enters the rate of today.
pub fn quote(story: &mut Story, value: Decimal) {
    let rate = Rate { from: Currency::EUR, to: Currency::USD, day: story.now.date_naive(), value };
    story.s.rates.retain(|known| known.day != rate.day);
    story.s.rates.push(rate);
}

pub fn at(story: &mut Story, value: &str) {
    quote(story, value.parse().expect("a number"));
}

fn usd(units: i64) -> i64 {
    units * 100
}

/// Nordwind asks 10,000 EUR of a fund in dollars; nobody has entered a rate.
fn drafted(policy: Policy, kind: FundKind, lots: &[(i64, Option<&str>)]) -> Story {
    let mut story = Story::paid_in(Currency::USD, policy, kind, lots);
    story.must(&ana(), s1_plan::Command::Submit { draft: story::plan() }).must(&mia(), s1_plan::Command::Agree {});
    let answers = story::answers(&story.s.template, true);
    story.must(&ana(), s2_scorecard::Command::Complete { answers });
    let draft = campaign(&story.s, "Detection in practice", "webinar", 20_000);
    story.must(&ana(), s3_forecast::Command::Save { no: None, draft }).must(&ana(), s3_forecast::Command::Commit {});
    let webinar = activity(1, "webinar", "2026-05-05", "2026-05-05", &[8_000, 4_000]);
    let event = activity(1, "event", "2026-05-19", "2026-05-20", &[8_000]);
    story.must(&ana(), s4_action_plan::Command::Save { no: None, draft: webinar });
    story.must(&ana(), s4_action_plan::Command::Save { no: None, draft: event });
    story.must(&ana(), s4_action_plan::Command::Commit {});
    story
}

fn asked(story: &mut Story) -> Result<(), domain::refusal::Refusal> {
    let draft = story::request(&story.s);
    story.act(&ana(), s5_request::Command::Submit { draft })
}

/// 10,000 EUR approved at 1.08 in a fund where Nordwind has 40,000 USD.
pub fn running(rate_date: &str) -> Story {
    let mut story = drafted(guide(rate_date), FundKind::Discretionary, &[(15_000, Some("2026-12-31")), (25_000, None)]);
    at(&mut story, "1.08");
    asked(&mut story).expect("asked");
    let decision = approval(&story.s);
    story.must(&mia(), decision);
    story
}

/// A claim of `units` whole euros on the webinar is approved; it cost twice as much.
pub fn claimed(story: &mut Story, units: i64, is_final: bool) {
    let proof = story::proof(&story.on("2026-05-06").s, 1);
    story.must(&ana(), proof).must(&mia(), accept(1));
    story.must(&ana(), claim(1, vec![invoice(1, 1, eur(units * 2))], is_final));
    let no = u16::try_from(story.s.cycle.claims.len()).expect("few claims");
    story.must(&finn(), story::approve_claim(no, eur(units)));
}

fn held(story: &Story, kind: AccountKind) -> i64 {
    story.held(kind)
}

#[test]
fn t37_what_the_rate_cost_since_the_approval_is_a_posting_of_its_own() {
    let mut story = running("settlement");
    assert_eq!(held(&story, AccountKind::Committed), usd(10_800));
    claimed(&mut story, 1_000, false);
    assert_eq!(held(&story, AccountKind::Claimed), usd(1_080));
    let unallocated = held(&story, AccountKind::Unallocated);
    at(&mut story, "1.11");
    story.must(&fay(), story::settle(1, eur(1_000)));
    let paid = story.s.cycle.claims[0].payments[0].in_fund.expect("of a fund in dollars");
    assert_eq!((paid.due.minor, paid.variance().minor), (usd(1_110), usd(30)));
    assert_eq!(held(&story, AccountKind::Paid) + held(&story, AccountKind::FxVariance), usd(1_110));
    assert_eq!(held(&story, AccountKind::FxVariance), usd(30));
    assert_eq!(held(&story, AccountKind::Unallocated), unallocated - usd(30));
    let words = paid.words();
    assert!(
        words.contains("1,110 USD at 1.11 USD for 1 EUR") && words.contains("30 USD of it is exchange loss"),
        "{words}"
    );
    // The timeline's own sentence is read by the partner too.
    assert_eq!(story.recorded.last().expect("a payment").1.words, "Fay Lorenz paid 1,000 EUR on claim 1 (SEPA-1).");
}

#[test]
fn t37_a_gain_goes_back_to_the_fund() {
    let mut story = running("settlement");
    claimed(&mut story, 1_000, false);
    let unallocated = held(&story, AccountKind::Unallocated);
    at(&mut story, "1.05");
    story.must(&fay(), story::settle(1, eur(400)));
    assert_eq!(held(&story, AccountKind::FxVariance), -usd(12));
    at(&mut story, "1.10");
    story.must(&fay(), story::settle(1, eur(600)));
    assert_eq!((held(&story, AccountKind::FxVariance), held(&story, AccountKind::Claimed)), (0, 0));
    assert_eq!(held(&story, AccountKind::Unallocated), unallocated);
}

#[test]
fn the_day_the_guide_names_counts() {
    for (rate_date, due) in [("approval", 1_080), ("claim", 1_095), ("settlement", 1_110)] {
        let mut story = running(rate_date);
        story.on("2026-05-06");
        at(&mut story, "1.095");
        claimed(&mut story, 1_000, false);
        story.on("2026-05-08");
        at(&mut story, "1.11");
        story.must(&fay(), story::settle(1, eur(1_000)));
        let paid = story.s.cycle.claims[0].payments[0].in_fund.expect("of a fund in dollars");
        assert_eq!(paid.due.minor, usd(due), "{rate_date}");
    }
}

#[test]
fn a_release_gives_back_exactly_what_was_committed() {
    let mut story = running("settlement");
    let (free, committed) = (held(&story, AccountKind::Available), held(&story, AccountKind::Committed));
    at(&mut story, "1.37");
    story.must(&mia(), CycleCommand::Cancel { reason: "The partner left".to_owned() });
    assert_eq!(held(&story, AccountKind::Available), free + committed);
    let mut story = running("settlement");
    claimed(&mut story, 1_000, false);
    story.must(&mia(), s7_execution::Command::CancelActivity { activity: 2, reason: "No speaker".to_owned() });
    assert_eq!(held(&story, AccountKind::Available), usd(40_000) - usd(6_480), "the webinar keeps 6,000 EUR");
}

#[test]
fn an_amendment_goes_by_the_rate_of_the_approval() {
    let mut story = running("settlement");
    story.on("2026-04-01");
    at(&mut story, "1.30");
    let mut draft = story.s.cycle.activity(2).expect("the event").draft.clone();
    draft.costs[0].amount = eur(10_000);
    let amend = story::amend(&story.s, 2, draft);
    story.must(&ana(), amend);
    let decision = approval(&story.s);
    story.must(&mia(), decision);
    let eur_committed = s6_approval::committed(&story.s.cycle, &story.s.book, 1);
    assert_eq!(held(&story, AccountKind::Committed) * 100, eur_committed * 108);
}

#[test]
fn a_fund_that_cannot_bear_the_loss_says_so() {
    let mut story = running("settlement");
    claimed(&mut story, 1_000, false);
    let all = Money::new(held(&story, AccountKind::Unallocated), Currency::USD);
    story.fund(&FundCommand::Lower { amount: all, reason: "Elsewhere".to_owned() });
    at(&mut story, "1.11");
    let refusal = story.refuses(&fay(), story::settle(1, eur(1_000)), "fx_variance");
    assert!(
        refusal.reasons[0].why.contains("costs 30 USD more") && refusal.reasons[0].why.contains("0 USD unallocated")
    );
    story.fund(&FundCommand::Budget { amount: Money::units(30, Currency::USD), reason: "For the rate".to_owned() });
    story.must(&fay(), story::settle(1, eur(1_000)));
}

#[test]
fn what_was_clawed_back_is_held_back_in_the_funds_currency() {
    let mut story = running("settlement");
    claimed(&mut story, 1_000, false);
    at(&mut story, "1.11");
    story.must(&fay(), story::settle(1, eur(1_000)));
    let reason = "The invoice was credited".to_owned();
    story.must(&finn(), s7_execution::Command::ProposeClawback { claim: 1, amount: eur(500), reason });
    story.must(&flo(), s7_execution::Command::ConfirmClawback { claim: 1 });
    let owed = Account::recoverable(story::FUND, NORDWIND);
    assert_eq!(story.s.book.minor(&owed), usd(555), "half of what was paid out");
    assert_eq!(held(&story, AccountKind::FxVariance), usd(15), "and half of the loss is undone");
    story
        .must(&ana(), claim(1, vec![invoice(1, 1, eur(2_000))], false))
        .must(&finn(), story::approve_claim(2, eur(1_000)));
    at(&mut story, "1.00");
    story.must(&fay(), story::settle(2, eur(1_000)));
    let payment = &story.s.cycle.claims[1].payments[0];
    assert_eq!((payment.offset, payment.in_fund.expect("dollars").offset.minor), (eur(555), usd(555)));
    assert_eq!(story.s.book.minor(&owed), 0);
}

#[test]
fn no_rate_is_guessed() {
    let mut story = drafted(guide("settlement"), FundKind::Pooled, &[]);
    let draft = story::request(&story.s);
    let refusal = story.refuses(&ana(), s5_request::Command::Submit { draft: draft.clone() }, "exchange_rate");
    assert_eq!(refusal.reasons[0].why, "There is no exchange rate from EUR to USD for Mon 2 March 2026.");
    assert_eq!(refusal.reasons[0].field.as_deref(), Some("fund"));
    let turned = Rate { from: Currency::USD, to: Currency::EUR, day: story.now.date_naive(), value: Decimal::ONE };
    story.s.rates = vec![turned];
    story.refuses(&ana(), s5_request::Command::Submit { draft: draft.clone() }, "exchange_rate");
    let old = Rate { from: Currency::EUR, to: Currency::USD, day: day("2026-01-20"), value: Decimal::ONE };
    story.s.rates = vec![old];
    let refusal = story.refuses(&ana(), s5_request::Command::Submit { draft: draft.clone() }, "exchange_rate");
    assert!(
        refusal.reasons[0].why.contains("41 days before") && refusal.reasons[0].remedy.contains("Have finance enter")
    );
    story.s.rates = vec![Rate { day: day("2026-02-01"), ..old }];
    story.must(&ana(), s5_request::Command::Submit { draft });
    story.s.rates.clear();
    let decision = approval(&story.s);
    story.refuses(&mia(), decision.clone(), "exchange_rate");
    at(&mut story, "12");
    let refusal = story.refuses(&mia(), decision, "funds_available");
    assert!(refusal.reasons[0].why.contains("less than the 120,000 USD"), "{refusal:?}");
}

#[test]
fn a_guide_that_names_no_rate_pays_from_its_own_currency_only() {
    let text = story::EMEA.replace("[exchange]\nrate_date = \"settlement\"\nmax_age_days = 35\n", "");
    let policy = Policy::load(&text).expect("a sound guide");
    assert!(policy.exchange.is_none());
    let mut story = drafted(policy, FundKind::Pooled, &[]);
    at(&mut story, "1.08");
    let refusal = asked(&mut story).expect_err("a fund in dollars");
    assert_eq!(refusal.reasons[0].code, "fund");
    assert!(refusal.reasons[0].remedy.contains("rate_date"), "{refusal:?}");
}

#[test]
fn partial_claims_at_an_odd_rate_leave_nothing_behind() {
    let mut story = drafted(guide("approval"), FundKind::Pooled, &[]);
    at(&mut story, "0.3337771");
    asked(&mut story).expect("asked");
    let decision = approval(&story.s);
    story.must(&mia(), decision);
    let whole = held(&story, AccountKind::Committed);
    let proof = story::proof(&story.on("2026-05-06").s, 1);
    story.must(&ana(), proof).must(&mia(), accept(1));
    for no in 1..=2 {
        story.must(&ana(), claim(1, vec![invoice(1, 1, cents(33_335))], false));
        let asked = story.s.cycle.claim(no).expect("the claim").asked;
        story.must(&finn(), story::approve_claim(no, asked)).must(&fay(), story::settle(no, cents(5_001)));
        story.must(&fay(), story::settle(no, cents(asked.minor - 5_001)));
    }
    story.must(&mia(), s7_execution::Command::CancelActivity { activity: 2, reason: "No speaker".to_owned() });
    let back = usd(100_000) - held(&story, AccountKind::Unallocated);
    assert_eq!(held(&story, AccountKind::Committed) + held(&story, AccountKind::Paid), back);
    assert!(back < whole && held(&story, AccountKind::FxVariance) == 0);
}
