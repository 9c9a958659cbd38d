//! The machine of a claim: in review, payable, part paid, paid; or denied, or clawed back.

use super::super::{Case, Outcome, Stamp, Teller, Told, check_text, s3_forecast, s6_approval};
use super::clawback::{self, Clawback};
use super::how_often::{how_many, standing};
use super::payment::Payment;
use super::release::in_review;
use super::returned::{self, Returned};
use super::{ActivityState, Event, Reminder};
use crate::calendar::plus;
use crate::cycle::Cycle;
use crate::ids::{FileId, UserId};
use crate::machine::Situation;
use crate::money::{Money, split};
use crate::notice::{Notice, Topic};
use crate::policy::rules::{self, Claimed, ClaimedActivity, ClaimedLine, Priced, Window};
use crate::policy::{Claimable, Extendable, Judgement, Policy, Verdict};
use crate::refusal::{Reason, Refusal};
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A claim holds at most this many invoices.
const LINES_PER_CLAIM: usize = 200;

/// Money asked back for what a campaign really cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Its number in the cycle; people read `C-2026-0042/2`.
    pub no: u16,
    pub campaign: u16,
    pub lines: Vec<ClaimLine>,
    /// The campaign will not be claimed on again; what is left is released.
    pub is_final: bool,
    /// What the claim may pay: min(approved and unclaimed, share x actual eligible cost), activity by activity.
    pub asked: Money,
    pub state: ClaimState,
    pub submitted_by: UserId,
    pub submitted_at: Instant,
    /// Approved for payment; zero until then.
    pub approved: Money,
    /// What the fund set aside for it at the approval's rate, where the fund is kept in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_fund: Option<Money>,
    pub decided_by: Option<UserId>,
    /// The absent colleague in whose place it was decided.
    #[serde(default)]
    pub decided_in_place_of: Option<UserId>,
    /// Why less was approved than asked, or nothing.
    pub reason: String,
    pub payments: Vec<Payment>,
    pub clawback: Option<Clawback>,
    /// The version of the guide it was judged by, and what each rule said.
    #[serde(default)]
    pub guide_version: String,
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    Review,
    Denied,
    Payable,
    PartPaid,
    Paid,
    ClawedBack,
}

impl ClaimState {
    pub const ALL: [ClaimState; 6] = [
        ClaimState::Review,
        ClaimState::Denied,
        ClaimState::Payable,
        ClaimState::PartPaid,
        ClaimState::Paid,
        ClaimState::ClawedBack,
    ];

    /// Finance has something to do on it.
    pub const FOR_FINANCE: [ClaimState; 3] = [ClaimState::Review, ClaimState::Payable, ClaimState::PartPaid];

    pub fn code(self) -> &'static str {
        match self {
            ClaimState::Review => "review",
            ClaimState::Denied => "denied",
            ClaimState::Payable => "payable",
            ClaimState::PartPaid => "part_paid",
            ClaimState::Paid => "paid",
            ClaimState::ClawedBack => "clawed_back",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            ClaimState::Review => "in review",
            ClaimState::PartPaid => "part paid",
            ClaimState::ClawedBack => "clawed back",
            other => other.code(),
        }
    }
}

/// One invoice for one approved cost line, as the partner writes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimLineDraft {
    pub activity: u16,
    pub line: u16,
    pub actual: Money,
    pub vendor: String,
    pub invoice_no: String,
    pub invoice_date: Date,
    /// The supplier's invoice; a claim without it is refused.
    pub file: Option<FileId>,
}

/// An invoice and what the program pays of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClaimLine {
    pub invoice: ClaimLineDraft,
    /// Share x actual, rounded down to the minor unit.
    pub share: Money,
    /// What the claim may pay of it: the share, as far as what was approved for its activity reaches.
    pub pays: Money,
}

impl Claim {
    pub fn paid(&self) -> Money {
        Money::new(self.payments.iter().map(|payment| payment.counts().minor).sum(), self.asked.currency)
    }

    /// A claw back, or a payment that came back, is proposed and not confirmed.
    pub fn waits_for_a_second_person(&self) -> bool {
        self.clawback.as_ref().is_some_and(|clawback| clawback.confirmed_by.is_none()) || self.return_open().is_some()
    }

    /// The payment that is reported as returned and not confirmed, by its number from 1.
    pub fn return_open(&self) -> Option<(u16, &Payment, &Returned)> {
        let open =
            (1..).zip(&self.payments).filter_map(|(no, payment)| Some((no, payment, payment.returned.as_ref()?)));
        open.into_iter().find(|(_, _, returned)| returned.confirmed_by.is_none())
    }

    /// The last day its records are kept: so many years after the last payment, where the guide says how many.
    pub fn keep_until(&self, policy: &Policy) -> Option<Date> {
        self.payments.last().and_then(|payment| rules::keep_until(policy, payment.at.date_naive()))
    }

    /// Approved and not yet paid.
    pub fn outstanding(&self) -> Money {
        Money::new(self.approved.minor - self.paid().minor, self.asked.currency)
    }

    /// What it took out of its campaign's commitment, in minor units.
    pub(in crate::steps) fn held(&self) -> i64 {
        self.approved.minor
    }
}

/// What a campaign's claim over these actual costs may pay: each line's share of what counts, never more than was
/// approved for its activity and not claimed yet, nor than the campaign holds and no open claim asks for.
pub fn payable(s: &Situation, campaign: u16, lines: &[ClaimLineDraft]) -> (Vec<ClaimLine>, Money) {
    let claimed = claimed(s, campaign, lines, false, None);
    let mut prices: BTreeMap<u16, Vec<Priced>> = BTreeMap::new();
    let of = claimed.activities.iter().flat_map(|activity| activity.lines.iter().map(|_| activity.no));
    for (no, price) in of.zip(rules::payable(&s.policy, &claimed)) {
        prices.entry(no).or_default().push(price);
    }
    let mut prices: BTreeMap<u16, _> = prices.into_iter().map(|(no, prices)| (no, prices.into_iter())).collect();
    let priced: Vec<ClaimLine> = lines
        .iter()
        .filter_map(|line| {
            let price = prices.get_mut(&line.activity)?.next()?;
            Some(ClaimLine { invoice: line.clone(), share: price.share, pays: price.pays })
        })
        .collect();
    let wanted: i64 = priced.iter().map(|line| line.pays.minor).sum();
    (priced, Money::new(wanted.min(claimable(s, campaign).minor), s.cycle.currency))
}

/// A claim's actual costs as the rules look at them, activity by activity; what the claim `except` took is not counted
/// as taken.
fn claimed(s: &Situation, campaign: u16, lines: &[ClaimLineDraft], is_final: bool, except: Option<u16>) -> Claimed {
    let cycle = &s.cycle;
    let mut activities: Vec<ClaimedActivity> = Vec::new();
    for line in lines {
        let found = cycle.activity(line.activity).map(|activity| &activity.draft);
        let cost = found.and_then(|draft| draft.costs.iter().find(|cost| cost.no == line.line));
        let spent = ClaimedLine {
            name: cost.map_or_else(|| line.vendor.clone(), |cost| cost.description.clone()),
            category: cost.map(|cost| cost.category.clone()),
            actual: Money::new(line.actual.minor, cycle.currency),
            units: cost.and_then(|cost| cost.units),
        };
        if let Some(known) = activities.iter_mut().find(|known| known.no == line.activity) {
            known.lines.push(spent);
            continue;
        }
        activities.push(ClaimedActivity {
            no: line.activity,
            name: found.map_or_else(String::new, |draft| draft.name.clone()),
            kind: found.map(|draft| draft.kind.clone()),
            starts: found.map(|draft| draft.starts),
            sponsors: found.and_then(|draft| draft.sponsors),
            heads: found.and_then(|draft| draft.heads),
            left: Some(unclaimed(cycle, line.activity, except)),
            lines: vec![spent],
        });
    }
    let name = cycle.campaign(campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone());
    let tier = Some(s.partner.tier.clone());
    Claimed { name, currency: cycle.currency, tier, accrual: s.in_period.earned, is_final, activities }
}

/// A claim that was made, as it stood before it took anything.
pub(crate) fn claimed_before(s: &Situation, claim: &Claim) -> Claimed {
    let lines: Vec<ClaimLineDraft> = claim.lines.iter().map(|line| line.invoice.clone()).collect();
    claimed(s, claim.campaign, &lines, claim.is_final, Some(claim.no))
}

/// Approved for an activity and not taken by an earlier claim, in minor units. What a claim was cut to counts
/// against its activities in proportion.
fn unclaimed(cycle: &Cycle, activity: u16, except: Option<u16>) -> i64 {
    let approved = cycle.approval.lines.iter().filter(|line| line.activity == activity);
    // Only what was claimed before counts against it.
    let before = cycle.claims.iter().filter(|claim| except.is_none_or(|no| claim.no < no));
    let taken = before.map(|claim| {
        let of_it = |line: &ClaimLine| line.invoice.activity == activity;
        let asked = claim.lines.iter().map(|line| if of_it(line) { line.pays.minor } else { 0 });
        match claim.state {
            ClaimState::Denied => 0,
            ClaimState::Review => asked.sum(),
            _ => {
                let weights: Vec<u64> = claim.lines.iter().map(|line| line.pays.minor.unsigned_abs()).collect();
                let parts = split(claim.approved, &weights);
                claim.lines.iter().zip(parts).filter(|(line, _)| of_it(line)).map(|(_, part)| part.minor).sum()
            }
        }
    });
    approved.map(|line| line.amount.minor).sum::<i64>() - taken.sum::<i64>()
}

/// Committed to a campaign and not asked for by a claim in review.
pub fn claimable(s: &Situation, campaign: u16) -> Money {
    Money::new(
        s6_approval::committed(&s.cycle, &s.book, campaign) - in_review(&s.cycle, campaign, None),
        s.cycle.currency,
    )
}

/// The last day to claim on a campaign: that of its last activity.
pub fn last_day_to_claim(s: &Situation, campaign: u16) -> Option<Date> {
    claim_window(s, campaign, !s.partner.has_been_paid).map(|window| window.last_day(&s.policy))
}

/// The last day to claim an activity of this cycle that ends on `ends`, without any extension.
pub fn claim_due(s: &Situation, ends: Date) -> Date {
    let first = !s.partner.has_been_paid;
    s.policy.claim_due(Claimable { ends, period_ends: Some(s.cycle.period.to), first, extended: 0 })
}

/// When a campaign can be claimed on: its window is that of the activity that ends last.
pub(crate) fn claim_window(s: &Situation, campaign: u16, first: bool) -> Option<Window> {
    let live = s.cycle.activities.iter().filter(|activity| {
        activity.draft.campaign == campaign
            && !matches!(activity.state, ActivityState::Cancelled | ActivityState::Expired)
    });
    Some(Window {
        ends: live.map(|activity| activity.draft.ends).max()?,
        name: s.cycle.campaign(campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone()),
        period_ends: Some(s.cycle.period.to),
        first: Some(first),
        extended: s.cycle.granted_days(campaign, Extendable::Claim),
        claimed_on: None,
    })
}

pub(super) fn submit(
    case: &Case,
    campaign: u16,
    lines: &[ClaimLineDraft],
    is_final: bool,
) -> Result<Vec<Outcome>, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    let name = &cycle.campaign(campaign).ok_or_else(|| s3_forecast::missing(campaign))?.draft.name;
    let mut reasons = Vec::new();
    lines_sound(case, campaign, lines, &mut reasons);
    let mut verdicts = may_claim_again(case, campaign, lines);
    reasons.extend(verdicts.iter().filter(|verdict| verdict.fails()).map(Verdict::reason));
    if is_final {
        nothing_runs(cycle, campaign, &mut reasons);
    }
    Refusal::unless_empty(reasons)?;
    let (priced, asked) = payable(s, campaign, lines);
    let (_, said) = rules::pays(&s.policy, &claimed(s, campaign, lines, is_final, None));
    verdicts.extend(said);
    if !asked.is_positive() {
        let failed = verdicts.iter().find(|verdict| verdict.fails()).map(Verdict::reason);
        let nothing = || {
            let why = format!("“{name}” has {} left to claim.", claimable(s, campaign));
            Reason::new("claim_amount", why, "There is nothing to pay out on it.")
        };
        return Err(Refusal { reasons: vec![failed.unwrap_or_else(nothing)] });
    }
    verdicts.push(rules::minimum_claim(&s.policy, asked, is_final));
    Refusal::unless_empty(verdicts.iter().filter(|verdict| verdict.fails()).map(Verdict::reason).collect())?;
    verdicts.retain(|verdict| verdict.outcome != Judgement::NotApplicable);
    let claim = Claim {
        no: super::super::next_no(cycle.claims.iter().map(|claim| claim.no)),
        campaign,
        lines: priced,
        is_final,
        asked,
        state: ClaimState::Review,
        submitted_by: case.actor.user(),
        submitted_at: case.now,
        approved: cycle.zero(),
        in_fund: None,
        decided_by: None,
        decided_in_place_of: None,
        reason: String::new(),
        payments: Vec::new(),
        clawback: None,
        guide_version: s.policy.guide.version.clone(),
        verdicts,
    };
    Ok(vec![Event::ClaimSubmitted { claim }.into()])
}

/// The window is open, the program's number of claims is not used up, and the final one was not made.
fn may_claim_again(case: &Case, campaign: u16, lines: &[ClaimLineDraft]) -> Vec<Verdict> {
    let (s, policy) = (case.s, &case.s.policy);
    let mut verdicts = Vec::new();
    let name = s.cycle.campaign(campaign).map_or("", |campaign| campaign.draft.name.as_str());
    if let Some(window) = claim_window(s, campaign, !s.partner.has_been_paid) {
        verdicts.push(rules::window(policy, &Window { claimed_on: Some(case.today), ..window }));
    }
    let numbers = lines.iter().map(|line| line.activity).collect();
    let standing: Vec<&Claim> = standing(&s.cycle, campaign).collect();
    verdicts.extend(how_many(s, campaign, numbers, &standing));
    verdicts.push(rules::final_claim(name, standing.iter().any(|claim| claim.is_final)));
    verdicts
}

/// A final claim releases the rest, so it waits until no activity of the campaign still needs its money.
fn nothing_runs(cycle: &Cycle, campaign: u16, reasons: &mut Vec<Reason>) {
    let running = cycle.activities.iter().find(|activity| {
        activity.draft.campaign == campaign
            && matches!(activity.state, ActivityState::Live | ActivityState::ProofReview)
    });
    if let Some(activity) = running {
        reasons.push(
            Reason::new(
                "still_running",
                format!("“{}” is not proven yet, and a final claim would release its money.", activity.draft.name),
                "Wait for its proof, cancel it, or claim without marking this claim as the final one.",
            )
            .at("is_final"),
        );
    }
}

fn lines_sound(case: &Case, campaign: u16, lines: &[ClaimLineDraft], reasons: &mut Vec<Reason>) {
    let cycle = &case.s.cycle;
    if lines.len() > LINES_PER_CLAIM {
        reasons.push(Reason::new(
            "too_many",
            format!("A claim holds at most {LINES_PER_CLAIM} invoices."),
            "Make another claim for the rest.",
        ));
    }
    if lines.is_empty() {
        reasons.push(
            Reason::new("no_lines", "The claim has no invoice.", "Enter what was really spent, with its invoice.")
                .at("actual_1"),
        );
    }
    for (index, line) in lines.iter().enumerate() {
        let row = index + 1;
        let approved = cycle.approval.lines.iter().any(|approved| {
            (approved.activity, approved.line) == (line.activity, line.line) && approved.amount.is_positive()
        });
        match cycle.activity(line.activity) {
            Some(activity) if activity.draft.campaign == campaign && approved => {
                let proven = rules::proven(&activity.draft.name, activity.state == ActivityState::Proven);
                if proven.fails() {
                    reasons.push(proven.reason().at(&format!("actual_{row}")));
                }
            }
            _ => reasons.push(
                Reason::new(
                    "not_approved",
                    format!("Row {row} is for a cost line that was not approved for this campaign."),
                    "Claim on the lines shown.",
                )
                .at(&format!("actual_{row}")),
            ),
        }
        invoice_sound(case, row, line, reasons);
    }
}

fn invoice_sound(case: &Case, row: usize, line: &ClaimLineDraft, reasons: &mut Vec<Reason>) {
    if !line.actual.is_kept_in(case.s.cycle.currency, 1) {
        reasons.push(
            Reason::new(
                "amount",
                format!("Row {row} has no amount in {}.", case.s.cycle.currency),
                "Enter the invoice's amount without tax.",
            )
            .at(&format!("actual_{row}")),
        );
    }
    let invoice = rules::invoice(&format!("Row {row}"), line.file.is_some());
    if invoice.fails() {
        reasons.push(invoice.reason().at(&format!("file_{row}")));
    }
    check_text(&format!("vendor_{row}"), "The supplier", &line.vendor, 120, reasons);
    check_text(&format!("invoice_no_{row}"), "The invoice number", &line.invoice_no, 60, reasons);
    if line.invoice_date > case.today {
        reasons.push(
            Reason::new(
                "invoice_date",
                format!("The invoice of row {row} is dated in the future."),
                "Enter the day on the invoice.",
            )
            .at(&format!("invoice_date_{row}")),
        );
    }
}

/// As the guide says, after a proven activity's end, while its campaign has money left to claim.
pub(super) fn reminders(s: &Situation) -> Vec<(Date, Reminder, u16, Date)> {
    let mut all = Vec::new();
    for activity in s.cycle.activities.iter().filter(|activity| activity.state == ActivityState::Proven) {
        let open = claimable(s, activity.draft.campaign).is_positive();
        if let Some(due) = last_day_to_claim(s, activity.draft.campaign).filter(|_| open) {
            let days = s.policy.claim_reminders(activity.draft.ends, due).into_iter();
            all.extend(days.map(|day| (day, Reminder::ClaimDue, activity.no, due)));
        }
    }
    all
}

pub(super) fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    let no = match event {
        Event::ClaimSubmitted { claim } => {
            cycle.claims.push(claim.clone());
            return;
        }
        Event::WindowClosed { campaign, released } => return s6_approval::let_go(cycle, *campaign, *released),
        Event::ClaimApproved { claim, .. }
        | Event::ClaimDenied { claim, .. }
        | Event::Settled { claim, .. }
        | Event::ClawbackProposed { claim, .. }
        | Event::ClawbackRejected { claim, .. }
        | Event::ClawedBack { claim, .. }
        | Event::PaymentReturnReported { claim, .. }
        | Event::PaymentReturnRejected { claim, .. }
        | Event::PaymentReturned { claim, .. } => *claim,
        _ => return,
    };
    if let (Event::ClaimApproved { amount, released, .. }, Some(claim)) = (event, cycle.claim(no)) {
        let (campaign, taken) = (claim.campaign, cycle.sum([*amount, *released]));
        s6_approval::let_go(cycle, campaign, taken);
    }
    let Some(claim) = cycle.claims.iter_mut().find(|claim| claim.no == no) else { return };
    match event {
        Event::ClaimApproved { amount, reason, in_place_of, in_fund, .. } => {
            claim.in_fund = *in_fund;
            claim.decided_in_place_of = *in_place_of;
            claim.approved = *amount;
            claim.reason.clone_from(reason);
            claim.decided_by = Some(stamp.by);
            claim.state = ClaimState::Payable;
        }
        Event::ClaimDenied { reason, .. } => {
            claim.reason.clone_from(reason);
            claim.decided_by = Some(stamp.by);
            claim.state = ClaimState::Denied;
        }
        Event::Settled { payment, .. } => {
            claim.payments.push(payment.clone());
            claim.state = if claim.outstanding().is_zero() { ClaimState::Paid } else { ClaimState::PartPaid };
        }
        Event::PaymentReturnReported { .. } | Event::PaymentReturnRejected { .. } | Event::PaymentReturned { .. } => {
            returned::apply(claim, event, stamp);
        }
        _ => clawback::apply(claim, event, stamp),
    }
}

/// A notice about a claim, by its own number: `MDF-2026-0007/1`.
pub(super) fn numbered(teller: &Teller, mut notice: Notice, no: u16) -> Notice {
    notice.facts.number = format!("{}/{no}", teller.cycle.number);
    notice
}

pub(super) fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    let to_partner = |topic, no| numbered(teller, teller.to_partner(topic, &format!("/claims/{no}")), no);
    let to_finance = |topic, no| numbered(teller, teller.to_finance(topic, &format!("/claims/{no}")), no);
    let to_manager = |topic, no| numbered(teller, teller.to_manager(topic, &format!("/claims/{no}")), no);
    match event {
        Event::ClaimSubmitted { claim } => {
            let due = plus(teller.s.policy.today(teller.now), teller.s.policy.claim.review_days);
            let said = |notice: Notice| notice.amount(claim.asked).due(Some(due));
            Told::new("claim.submitted", format!("{by} claimed {}.", claim.asked))
                .to(said(to_finance(Topic::ClaimSubmitted, claim.no)))
                .to(said(to_manager(Topic::ClaimSubmitted, claim.no)))
        }
        Event::ClaimApproved { claim, amount, reason, released, .. } => {
            let due = teller.cycle.claim(*claim).map(|claim| crate::deadlines::pay_by(teller.s, claim));
            let left = if released.is_positive() { format!(" {released} released.") } else { String::new() };
            let said = |notice: Notice| {
                let notice = notice.amount(*amount).due(due);
                if reason.is_empty() { notice } else { notice.reason(reason) }
            };
            Told::new("claim.approved", format!("{by} approved claim {claim}: {amount}.{left}"))
                .to(said(to_partner(Topic::ClaimApproved, *claim)))
                .to(said(to_finance(Topic::ClaimApproved, *claim)))
        }
        Event::ClaimDenied { claim, reason } => Told::new(
            "claim.denied",
            format!("{by} denied claim {claim}: “{reason}”"),
        )
        .to(to_partner(Topic::ClaimDenied, *claim).reason(reason)),
        Event::Settled { claim, payment } => {
            let cash = Money::new(payment.amount.minor - payment.offset.minor, payment.amount.currency);
            let offset = if payment.offset.is_positive() {
                format!(" {} was held back against an earlier claw back.", payment.offset)
            } else {
                String::new()
            };
            // What the rate cost is the vendor's affair: these words are read by the partner too.
            let words = format!("{by} paid {cash} on claim {claim} ({}).{offset}", payment.reference);
            let told = Told::new("claim.settled", words);
            // A batch tells of all claims of a payment at once, in the remittance.
            if payment.batch.is_some() {
                return told;
            }
            told.to(to_partner(Topic::ClaimPaid, *claim).amount(cash).item(payment.reference.clone()))
        }
        Event::WindowClosed { campaign, released } => {
            let name =
                teller.cycle.campaign(*campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone());
            let last = last_day_to_claim(teller.s, *campaign);
            let said = |notice: Notice| notice.item(name.clone()).amount(*released).due(last);
            Told::new("execution.window_closed", format!("The claim window of “{name}” closed; {released} released."))
                .to(said(teller.to_partner(Topic::ClaimWindowClosed, "/execution")))
                .to(said(teller.to_manager(Topic::ClaimWindowClosed, "/execution")))
        }
        Event::PaymentReturnReported { .. } | Event::PaymentReturnRejected { .. } | Event::PaymentReturned { .. } => {
            returned::tell(teller, event)
        }
        _ => clawback::tell(teller, event),
    }
}
