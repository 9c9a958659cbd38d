//! A claim's decision and its money: approved, denied, paid. Three people at least: who submitted it,
//! who approved the request, who approves the claim and who pays it are never the same.

use super::super::{Case, Outcome, Purse, check_optional, check_text, need_reason};
use super::Event;
use super::claims::{Claim, ClaimState};
use super::exchange::{self, InFund};
use super::release::{in_review, release_all_but};
use super::returned::Returned;
use crate::ids::{FundId, UserId};
use crate::ledger::{Account, AccountKind, Posting};
use crate::money::Money;
use crate::refusal::{Reason, Refusal};
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};

/// A payment of a settlement batch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InBatch {
    /// `S-2026-0007`
    pub number: String,
    /// Its number in the batch.
    pub payment: u16,
}

/// One settlement, whole or an instalment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Payment {
    pub amount: Money,
    /// Held back from it against what was clawed back earlier; `amount - offset` was transferred.
    pub offset: Money,
    /// What it came to in a fund of another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_fund: Option<InFund>,
    pub reference: String,
    pub by: UserId,
    pub at: Instant,
    /// The settlement batch that paid it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<InBatch>,
    /// The last day records of it are kept, as the guide says; `None` where it does not, and in what was paid before it
    /// was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Date>,
    /// The bank sent it back, or is said to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Returned>,
}

impl Payment {
    /// What left the house for it.
    pub fn transferred(&self) -> Money {
        Money::new(self.amount.minor - self.offset.minor, self.amount.currency)
    }

    /// What of it settles the claim: all, but for what the bank sent back.
    pub fn counts(&self) -> Money {
        let back = self.came_back().map_or(0, |returned| returned.amount.minor);
        Money::new(self.amount.minor - back, self.amount.currency)
    }

    /// What it took of a fund of another currency and has not come back: what was set aside for it, and what it came to.
    pub fn counts_in_fund(&self) -> Option<(Money, Money)> {
        let paid = self.in_fund?;
        let undone = self.came_back().and_then(|returned| returned.in_fund);
        let less =
            |of: Money, back: Option<Money>| Money::new(of.minor - back.map_or(0, |back| back.minor), of.currency);
        Some((less(paid.committed, undone.map(|of| of.committed)), less(paid.due, undone.map(|of| of.due))))
    }

    /// How it came back, once that is confirmed.
    pub fn came_back(&self) -> Option<&Returned> {
        self.returned.as_ref().filter(|returned| returned.confirmed_by.is_some())
    }
}

pub(super) fn in_state<'a>(case: &'a Case, no: u16, states: &[ClaimState]) -> Result<&'a Claim, Refusal> {
    let claim = case.s.cycle.claim(no).ok_or_else(|| {
        Refusal::new(
            "no_claim",
            format!("This cycle has no claim {no}."),
            "Go back to the claims and choose one that is there.",
        )
    })?;
    if states.contains(&claim.state) {
        return Ok(claim);
    }
    Err(Refusal::new(
        "claim_state",
        format!("Claim {no} is {}.", claim.state.label()),
        "Look at the claim again; it has moved on.",
    ))
}

/// Not the submitter, not an approver of the request, and not acting for one of them.
fn third_person(case: &Case, claim: &Claim, what: &str) -> Result<(), Refusal> {
    let me = case.people();
    let approver = |user: &UserId| case.s.cycle.approval.approvers.contains(user);
    if case.s.cycle.requesters().any(|user| me.contains(&user)) {
        return Err(Refusal::new(
            "own_request",
            format!("You, or the colleague you stand in for, asked for this money, so you cannot {what} its claim."),
            "A colleague in finance does.",
        ));
    }
    if me.contains(&claim.submitted_by) {
        return Err(Refusal::new(
            "own_claim",
            format!("You, or the colleague you stand in for, submitted this claim, so you cannot {what} it."),
            "A colleague in finance does.",
        ));
    }
    if me.iter().any(approver) {
        return Err(Refusal::new(
            "approved_request",
            format!(
                "You, or the colleague you stand in for, approved the request behind this claim, so you cannot {what} it."
            ),
            "A colleague in finance who did not approve it does.",
        ));
    }
    Ok(())
}

pub(super) fn approve(case: &Case, no: u16, amount: Money, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    let claim = in_state(case, no, &[ClaimState::Review])?;
    third_person(case, claim, "approve")?;
    let mut reasons = Vec::new();
    check_optional("reason", "The reason", reason, 2_000, &mut reasons);
    Refusal::unless_empty(reasons)?;
    if amount.currency != cycle.currency || !amount.is_positive() || amount.minor > claim.asked.minor {
        return Err(Refusal::at(
            "amount",
            "amount",
            format!("The claim may pay up to {}.", claim.asked),
            "Approve that much or less, above zero.",
        ));
    }
    if amount.minor < claim.asked.minor {
        need_reason(reason).map_err(|_| {
            Refusal::at(
                "reason",
                "reason",
                format!(
                    "This pays {} less than claimed.",
                    Money::new(claim.asked.minor - amount.minor, cycle.currency)
                ),
                "Say why, for the partner.",
            )
        })?;
    }
    let of_campaign = |account: &Account| {
        account.kind == AccountKind::Committed
            && account.cycle == Some(cycle.id)
            && account.item == Some(claim.campaign)
    };
    let mut purse = Purse::of(s);
    let enough = purse.committed(cycle, claim.campaign) >= amount.minor;
    let takes = purse.count(claim.campaign, -amount.minor).ok().filter(|_| enough).map(i64::abs);
    let Some((takes, draws)) = takes.and_then(|takes| Some((takes, purse.book.draw(takes, of_campaign)?))) else {
        return Err(Refusal::new(
            "committed",
            format!("The campaign holds less than {amount}."),
            "Look at the claim again; money was released meanwhile.",
        ));
    };
    let currency = cycle.fund().and_then(|fund| s.fund(fund)).map_or(cycle.currency, |fund| fund.currency);
    let mut postings = Vec::new();
    for (from, minor) in draws {
        let to = Account::claimed(from.fund, s.partner.id, cycle.id, no);
        purse.post(from, to, Money::new(minor, currency), &mut postings);
    }
    let mut released = cycle.zero();
    if claim.is_final {
        let keep = in_review(cycle, claim.campaign, Some(no));
        let release = release_all_but(s, &mut purse, claim.campaign, keep, case.today);
        released = release.amount;
        postings.extend(release.postings);
    }
    Ok(vec![Outcome::with(
        Event::ClaimApproved {
            claim: no,
            amount,
            reason: reason.trim().to_owned(),
            released,
            in_place_of: case.in_place_of(),
            in_fund: purse.kept.is_some().then(|| Money::new(takes, currency)),
        },
        postings,
    )])
}

pub(super) fn deny(case: &Case, no: u16, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let claim = in_state(case, no, &[ClaimState::Review])?;
    third_person(case, claim, "deny")?;
    need_reason(reason)?;
    Ok(vec![Event::ClaimDenied { claim: no, reason: reason.trim().to_owned() }.into()])
}

pub(super) fn settle(case: &Case, no: u16, amount: Money, reference: &str) -> Result<Vec<Outcome>, Refusal> {
    if let Some(number) = case.s.batched.get(&no) {
        return Err(Refusal::new(
            "in_batch",
            format!("Claim {no} is in the settlement batch {number}, which pays it."),
            "Wait for that batch, or cancel it before it is exported.",
        ));
    }
    let claim = to_pay(case, no, amount, reference)?;
    let fund = fund_of(case)?;
    let reference = reference.trim().to_owned();
    let (by, at, batch) = (case.actor.user(), case.now, None);
    let keep_until = crate::policy::rules::keep_until(&case.s.policy, case.today);
    if let Some(paid) = exchange::in_fund(case.s, claim, amount, case.today)? {
        let offset = paid.offset_of(amount);
        let postings = exchange::settled(case.s, claim, &paid)?;
        let payment =
            Payment { amount, offset, in_fund: Some(paid), reference, by, at, batch, keep_until, returned: None };
        return Ok(vec![Outcome::with(Event::Settled { claim: no, payment }, postings)]);
    }
    let owed = case.s.book.minor(&Account::recoverable(fund, case.s.partner.id));
    let (offset, _) = crate::policy::rules::offset(amount, Money::new(owed, amount.currency));
    let payment = Payment { amount, offset, in_fund: None, reference, by, at, batch, keep_until, returned: None };
    Ok(settled(case, claim, fund, payment))
}

/// As [`settle`], with the sums that went to the bank. What was to be held back and is no longer owed, because it came
/// back meanwhile, was not paid: it stays outstanding.
pub(super) fn settle_from_batch(
    case: &Case,
    no: u16,
    (amount, planned): (Money, Money),
    reference: &str,
    batch: &InBatch,
) -> Result<Vec<Outcome>, Refusal> {
    let fund = fund_of(case)?;
    let owed = case.s.book.minor(&Account::recoverable(fund, case.s.partner.id));
    let offset = Money::new(planned.minor.min(owed).max(0), amount.currency);
    let amount = Money::new(amount.minor - (planned.minor - offset.minor), amount.currency);
    if case.s.batched.get(&no) != Some(&batch.number) {
        let why = format!("Claim {no} does not wait for {}.", batch.number);
        return Err(Refusal::new("not_in_batch", why, "Look at the claim again; it has moved on."));
    }
    if amount.is_zero() {
        let why = format!("Nothing was transferred for claim {no}, and the partner owes nothing any more.");
        return Err(Refusal::new("nothing_to_settle", why, "It is paid by another batch."));
    }
    let claim = to_pay(case, no, amount, reference)?;
    let reference = reference.trim().to_owned();
    let batch = Some(batch.clone());
    let (by, at) = (case.actor.user(), case.now);
    let keep_until = crate::policy::rules::keep_until(&case.s.policy, case.today);
    if let Some(paid) = exchange::in_fund(case.s, claim, amount, case.today)? {
        // All of it was transferred: what the partner has come to owe since is held back of another payment.
        let paid = InFund { offset: Money::zero(paid.offset.currency), ..paid };
        let postings = exchange::settled(case.s, claim, &paid)?;
        let payment =
            Payment { amount, offset, in_fund: Some(paid), reference, by, at, batch, keep_until, returned: None };
        return Ok(vec![Outcome::with(Event::Settled { claim: no, payment }, postings)]);
    }
    let payment = Payment { amount, offset, in_fund: None, reference, by, at, batch, keep_until, returned: None };
    Ok(settled(case, claim, fund, payment))
}

/// The claim, where this person may pay this much of it.
fn to_pay<'a>(case: &'a Case, no: u16, amount: Money, reference: &str) -> Result<&'a Claim, Refusal> {
    let claim = in_state(case, no, &[ClaimState::Payable, ClaimState::PartPaid])?;
    third_person(case, claim, "pay")?;
    let deciders = [claim.decided_by, claim.decided_in_place_of];
    if deciders.into_iter().flatten().any(|user| case.people().contains(&user)) {
        return Err(Refusal::new(
            "own_approval",
            "You, or the colleague you stand in for, approved this claim, so you cannot pay it.",
            "A colleague in finance pays it.",
        ));
    }
    let mut reasons = Vec::new();
    check_text("reference", "The payment reference", reference, 120, &mut reasons);
    if amount.currency != case.s.cycle.currency || !amount.is_positive() || amount.minor > claim.outstanding().minor {
        reasons.push(
            Reason::new(
                "amount",
                format!("{} is outstanding on this claim.", claim.outstanding()),
                "Enter that much or less.",
            )
            .at("amount"),
        );
    }
    Refusal::unless_empty(reasons)?;
    Ok(claim)
}

/// A batch transfers sums it fixed when it was built; how much of a claim a debt in another currency covers is known on the
/// day of the payment only.
pub(crate) fn owes_another_currency(no: u16, owed: Money) -> Refusal {
    Refusal::new(
        "owes_fund_currency",
        format!("The partner owes the fund {owed}, which is held back of claim {no} at the rate of the day."),
        "Record its payment on the claim itself.",
    )
}

fn fund_of(case: &Case) -> Result<FundId, Refusal> {
    case.s.cycle.fund().ok_or_else(|| Refusal::new("fund", "The claim has no fund.", "Ask the administrator."))
}

fn settled(case: &Case, claim: &Claim, fund: FundId, payment: Payment) -> Vec<Outcome> {
    let (cycle, partner) = (case.s.cycle.id, case.s.partner.id);
    let mut postings = vec![Posting {
        from: Account::claimed(fund, partner, cycle, claim.no),
        to: Account::paid(fund, partner, cycle, claim.no),
        amount: payment.amount,
    }];
    if payment.offset.is_positive() {
        let (from, to) = (Account::recoverable(fund, partner), Account::funding(fund));
        postings.push(Posting { from, to, amount: payment.offset });
    }
    vec![Outcome::with(Event::Settled { claim: claim.no, payment }, postings)]
}
