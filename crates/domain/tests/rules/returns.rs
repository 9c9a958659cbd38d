//! A payment the bank sent back: two people undo it, the claim is payable again, and the book says so by postings of its own.

use crate::story::{self, Story, cents, eur, people};
use domain::deadlines::pay_by;
use domain::ledger::{Account, AccountKind};
use domain::machine::CycleCommand;
use domain::steps::s7_execution::{self, ClaimState, Command};
use people::{ana, executive, fay, finn, flo, mia};

fn confirm() -> Command {
    Command::ConfirmPaymentReturn { claim: 1 }
}

fn reject() -> Command {
    Command::RejectPaymentReturn { claim: 1, reason: "It was another one".to_owned() }
}

/// On the day it is, where the stations' own report is of the day of the payment.
fn came_back(claim: u16, payment: u16, story: &Story) -> Command {
    let (reference, reason) = ("RET-1".to_owned(), "The account is closed".to_owned());
    Command::ReportPaymentReturn { claim, payment, on: story.now.date_naive(), reference, reason }
}

#[test]
fn what_came_back_is_payable_again_and_is_paid_again() {
    let mut story = story::claim_paid();
    assert_eq!(story.balances(), [50_000, 40_000, 7_000, 0, 3_000]);
    let due = pay_by(&story.s, &story.s.cycle.claims[0]);
    let back = story.on("2026-06-15").now.date_naive();
    story.must(&finn(), came_back(1, 1, &story));
    assert_eq!(story.balances(), [50_000, 40_000, 7_000, 0, 3_000], "a proposal moves nothing");
    assert_eq!(story.s.cycle.claims[0].state, ClaimState::Paid);
    story.must(&flo(), confirm());
    let claim = &story.s.cycle.claims[0];
    assert_eq!((claim.state, claim.outstanding(), claim.paid()), (ClaimState::Payable, eur(3_000), eur(0)));
    assert_eq!(story.balances(), [50_000, 40_000, 7_000, 3_000, 0]);
    assert!(pay_by(&story.s, claim) > due.max(back), "the payment clock runs again");
    let back = claim.payments[0].came_back().expect("it is told in the list");
    assert_ne!(Some(back.reported_by), back.confirmed_by);
    let told = &story.recorded.last().expect("an entry").1;
    assert_eq!(told.notices[0].facts.amount, Some(eur(3_000)));
    assert_eq!(told.notices[0].facts.reason.as_deref(), Some("The account is closed"), "the partner learns why");
    story.must(&fay(), story::settle(1, eur(3_000)));
    let claim = &story.s.cycle.claims[0];
    assert_eq!((claim.state, claim.payments.len()), (ClaimState::Paid, 2), "the first payment stays in the list");
    story.refuses(&finn(), came_back(1, 1, &story), "came_back");
    story.refuses(&finn(), confirm(), "not_reported");
    story.must(&finn(), came_back(1, 2, &story)).must(&flo(), confirm());
    assert_eq!(story.balances(), [50_000, 40_000, 7_000, 3_000, 0]);
}

#[test]
fn it_needs_a_second_person_and_ends_without_one() {
    let mut story = story::claim_paid();
    story.must(&finn(), came_back(1, 1, &story));
    story.refuses(&finn(), confirm(), "second_person");
    story.refuses(&people::in_place_of(executive(), &finn()), confirm(), "second_person");
    story.refuses(&fay(), came_back(1, 1, &story), "already_reported");
    story.must(&finn(), reject());
    assert!(story.s.cycle.claims[0].payments[0].returned.is_none());
    story.refuses(&flo(), confirm(), "not_reported");
    story.must(&finn(), came_back(1, 1, &story)).must(&flo(), reject());
    assert_eq!(story.balances(), [50_000, 40_000, 7_000, 0, 3_000]);
}

#[test]
fn one_instalment_comes_back_and_the_other_stands() {
    let mut story = story::claim_payable();
    story.must(&fay(), story::settle(1, eur(1_000))).must(&fay(), story::settle(1, eur(2_000)));
    story.must(&finn(), came_back(1, 1, &story)).must(&flo(), confirm());
    let claim = &story.s.cycle.claims[0];
    assert_eq!((claim.state, claim.outstanding()), (ClaimState::PartPaid, eur(1_000)));
    story.refuses(&finn(), came_back(1, 3, &story), "no_payment");
    story.refuses(&finn(), came_back(1, 0, &story), "no_payment");
    story.refuses(&fay(), story::settle(1, eur(1_001)), "amount");
}

/// What was held back of it never left the house: it stays settled, and the debt stays paid.
#[test]
fn what_was_held_back_stays_settled() {
    let mut story = story::clawed_back();
    story.must(&ana(), story::claim(1, vec![story::invoice(1, 2, eur(4_000))], false));
    let asked = story.s.cycle.claims[1].asked;
    story.must(&finn(), story::approve_claim(2, asked)).must(&fay(), story::settle(2, asked));
    let offset = story.s.cycle.claims[1].payments[0].offset;
    assert!(offset.is_positive() && offset.minor < asked.minor, "{offset} of {asked}");
    story.must(&finn(), came_back(2, 1, &story));
    story.must(&flo(), Command::ConfirmPaymentReturn { claim: 2 });
    let claim = &story.s.cycle.claims[1];
    assert_eq!((claim.state, claim.paid()), (ClaimState::PartPaid, offset));
    assert_eq!(story.held(AccountKind::Recoverable), 0);
    let claimed = Account::claimed(story::FUND, story::NORDWIND, story::CYCLE, 2);
    assert_eq!(story.s.book.minor(&claimed), asked.minor - offset.minor);
}

#[test]
fn what_the_bank_says_is_looked_at() {
    let mut story = story::claim_paid();
    let said = |story: &Story, change: fn(&mut (chrono::NaiveDate, String, String))| {
        let mut said = (story.now.date_naive(), "RET-1".to_owned(), "The account is closed".to_owned());
        change(&mut said);
        let (on, reference, reason) = said;
        Command::ReportPaymentReturn { claim: 1, payment: 1, on, reference, reason }
    };
    story.refuses(&finn(), said(&story, |said| said.0 = chrono::NaiveDate::MAX), "on");
    story.refuses(&finn(), said(&story, |said| said.0 = story::day("2026-05-01")), "on");
    story.refuses(&finn(), said(&story, |said| said.1.clear()), "required");
    story.refuses(&finn(), said(&story, |said| said.2.clear()), "required");
}

/// A claw back and a return of the same money exclude each other, and each says what to do instead.
#[test]
fn a_claw_back_stands_in_the_way_and_says_how_it_goes_on() {
    let clawback = || Command::ProposeClawback { claim: 1, amount: eur(100), reason: "Credited".to_owned() };
    let mut story = story::return_reported();
    story.refuses(&finn(), clawback(), "return_open");
    let mut story = story::clawback_proposed();
    story.refuses(&finn(), came_back(1, 1, &story), "clawback");
    let mut story = story::clawed_back();
    story.refuses(&finn(), came_back(1, 1, &story), "claim_state");
}

#[test]
fn a_cycle_does_not_end_while_a_second_person_is_awaited_and_a_closed_one_pays_no_more() {
    let mut story = story::partner_signed();
    story.must(&finn(), came_back(1, 1, &story));
    story.refuses(&mia(), story::sign(), "return_open");
    story.refuses(&mia(), CycleCommand::Cancel { reason: "Over".to_owned() }, "return_open");
    story.must(&flo(), confirm());
    story.refuses(&mia(), story::sign(), "claims_open");
    story.must(&fay(), story::settle(1, eur(3_000))).must(&mia(), story::sign());
    story.refuses(&finn(), came_back(1, 2, &story), "wrong_stage");
    // There the money is clawed back, and recorded on the fund as returned.
    let reason = "The bank sent it back".to_owned();
    story.must(&finn(), Command::ProposeClawback { claim: 1, amount: eur(3_000), reason });
    story.must(&flo(), Command::ConfirmClawback { claim: 1 });
    assert_eq!(story.held(AccountKind::Recoverable), 300_000);
}

/// Of a fund in another currency the return takes back what the rate cost as well, and the claim holds what it held.
#[test]
fn what_the_rate_cost_comes_back_with_it() {
    let mut story = crate::exchange::running("settlement");
    crate::exchange::claimed(&mut story, 1_000, false);
    let (free, held) = (story.held(AccountKind::Unallocated), story.held(AccountKind::Claimed));
    crate::exchange::at(&mut story, "1.11");
    story.must(&fay(), story::settle(1, cents(33_333)));
    crate::exchange::at(&mut story, "1.03");
    story.must(&fay(), story::settle(1, cents(66_667)));
    for payment in [1, 2] {
        story.must(&finn(), came_back(1, payment, &story)).must(&flo(), confirm());
    }
    assert_eq!((story.held(AccountKind::Unallocated), story.held(AccountKind::FxVariance)), (free, 0));
    assert_eq!((story.held(AccountKind::Claimed), story.held(AccountKind::Paid)), (held, 0));
    crate::exchange::at(&mut story, "1.08");
    story.must(&fay(), story::settle(1, eur(1_000)));
    let last = story.s.cycle.claims[0].payments.last().and_then(s7_execution::Payment::counts_in_fund);
    let last = last.map(|(committed, due)| (committed.minor, due.minor));
    assert_eq!(last, Some((held, held)));
}
