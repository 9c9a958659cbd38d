//! Step 7, execution and proof: activities run and are proven, claims are made, decided and paid.
//!
//! Activities and claims have small machines of their own: [`ActivityState`] and [`ClaimState`].
//! A claim pays `min(approved, share x actual eligible cost)`: what was spent over the plan is the
//! partner's, what was not spent is released.

mod amendment;
mod claims;
mod clawback;
mod exchange;
mod extension;
mod how_often;
mod payment;
mod proof;
mod release;
mod returned;
mod timer;

pub use claims::{Claim, ClaimLine, ClaimLineDraft, ClaimState, claim_due, claimable, last_day_to_claim, payable};
pub(crate) use claims::{claim_window, claimed_before};
pub use clawback::Clawback;
pub use exchange::{InFund, in_fund, owed_in_fund};
pub use extension::{Extension, ExtensionState, ask_by, extended_day};
pub(crate) use how_often::how_many_before;
pub(crate) use payment::owes_another_currency;
pub use payment::{InBatch, Payment};
pub(crate) use proof::running;
pub use proof::{ActivityState, FileVerdict, ProofFile, ProofUpload, missing_proof, proof_days};
pub(super) use release::release_beyond;
pub(crate) use returned::no_payment_waits;
pub use returned::{Returned, Undone};
pub use timer::Reminder;
pub(crate) use timer::next_day;

use super::s4_action_plan::{self, Activity, ActivityDraft};
use super::s5_request::RequestLine;
use super::s6_approval::{self, Before};
use super::{Case, Outcome, Purse, Release, Stamp, Teller, Told, need_reason};
use crate::Date;
use crate::cycle::{Cycle, Stage};
use crate::ids::UserId;
use crate::machine::Situation;
use crate::money::Money;
use crate::notice::{Notice, Topic};
use crate::policy::{Extendable, Judgement, Verdict};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    SubmitProof {
        activity: u16,
        files: Vec<ProofUpload>,
    },
    AcceptProof {
        activity: u16,
    },
    ReturnProof {
        activity: u16,
        verdicts: Vec<FileVerdict>,
        reason: String,
    },
    SubmitClaim {
        campaign: u16,
        lines: Vec<ClaimLineDraft>,
        is_final: bool,
    },
    ApproveClaim {
        claim: u16,
        amount: Money,
        reason: String,
    },
    DenyClaim {
        claim: u16,
        reason: String,
    },
    RecordSettlement {
        claim: u16,
        amount: Money,
        reference: String,
    },
    /// A payment of a settlement batch came back as paid. Only the batch issues it, never a form or a call.
    #[serde(skip_deserializing)]
    SettleFromBatch {
        claim: u16,
        amount: Money,
        /// Held back in the file that went to the bank.
        offset: Money,
        reference: String,
        batch: InBatch,
    },
    /// Finance asks for money back; a second person confirms.
    ProposeClawback {
        claim: u16,
        amount: Money,
        reason: String,
    },
    ConfirmClawback {
        claim: u16,
    },
    /// It was proposed in error, or does not hold: nothing comes back.
    RejectClawback {
        claim: u16,
        reason: String,
    },
    /// The bank sent a payment of the claim back, days after it was recorded; a second person confirms.
    ReportPaymentReturn {
        claim: u16,
        /// Its number among the claim's payments, from 1.
        payment: u16,
        /// The day the bank booked it back, and under which reference.
        on: Date,
        reference: String,
        reason: String,
    },
    ConfirmPaymentReturn {
        claim: u16,
    },
    /// It was reported in error: the payment stands.
    RejectPaymentReturn {
        claim: u16,
        reason: String,
    },
    /// Change what, where, when, who or how much of an activity.
    Amend {
        activity: u16,
        draft: ActivityDraft,
        lines: Vec<RequestLine>,
        reason: String,
    },
    CancelActivity {
        activity: u16,
        reason: String,
    },
    CancelCampaign {
        campaign: u16,
        reason: String,
    },
    /// More days on a campaign's proof or claim window, asked for in time.
    AskExtension {
        campaign: u16,
        window: Extendable,
        days: u16,
        reason: String,
    },
    /// All or some of the days; fewer than asked need a reason.
    GrantExtension {
        extension: u16,
        days: u16,
        #[serde(default)]
        reason: String,
    },
    DeclineExtension {
        extension: u16,
        reason: String,
    },
    /// The timer: a reminder's day has come, a deadline has passed.
    Tick {},
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    ProofSubmitted {
        activity: u16,
        files: Vec<ProofFile>,
    },
    ProofAccepted {
        activity: u16,
    },
    ProofReturned {
        activity: u16,
        verdicts: Vec<FileVerdict>,
        reason: String,
    },
    ClaimSubmitted {
        claim: Claim,
    },
    ClaimApproved {
        claim: u16,
        amount: Money,
        reason: String,
        released: Money,
        #[serde(default)]
        in_place_of: Option<UserId>,
        /// What a fund of another currency sets aside for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_fund: Option<Money>,
    },
    ClaimDenied {
        claim: u16,
        reason: String,
    },
    Settled {
        claim: u16,
        payment: Payment,
    },
    ClawbackProposed {
        claim: u16,
        amount: Money,
        reason: String,
        #[serde(default)]
        in_place_of: Option<UserId>,
    },
    /// `withdrawn`: by who had proposed it.
    ClawbackRejected {
        claim: u16,
        amount: Money,
        reason: String,
        withdrawn: bool,
    },
    ClawedBack {
        claim: u16,
        amount: Money,
        /// What is to come back to a fund of another currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_fund: Option<Money>,
    },
    PaymentReturnReported {
        claim: u16,
        payment: u16,
        returned: Returned,
    },
    /// `withdrawn`: by who had reported it.
    PaymentReturnRejected {
        claim: u16,
        payment: u16,
        amount: Money,
        reason: String,
        withdrawn: bool,
    },
    PaymentReturned {
        claim: u16,
        payment: u16,
        amount: Money,
        /// What it undoes in a fund of another currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_fund: Option<Undone>,
    },
    Amended {
        activity: u16,
        draft: ActivityDraft,
        lines: Vec<RequestLine>,
        reason: String,
        reopens: bool,
        due: Option<Date>,
        /// What the guide says of the whole request as amended; empty in what was recorded before it was judged whole.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        verdicts: Vec<Verdict>,
    },
    ActivityCancelled {
        activity: u16,
        reason: String,
        released: Money,
    },
    CampaignCancelled {
        campaign: u16,
        reason: String,
        released: Money,
    },
    ActivityExpired {
        activity: u16,
        released: Money,
    },
    /// The claim window of a campaign closed with money left.
    WindowClosed {
        campaign: u16,
        released: Money,
    },
    Reminded {
        what: Reminder,
        item: u16,
        day: Date,
        due: Date,
    },
    ExtensionAsked {
        extension: Extension,
    },
    /// `until`: the window's last day from now on.
    ExtensionGranted {
        extension: u16,
        days: u16,
        reason: String,
        until: Date,
    },
    ExtensionDeclined {
        extension: u16,
        reason: String,
    },
    /// Nobody answered in time: the deadline stands.
    ExtensionLapsed {
        extension: u16,
    },
    /// Every activity has ended: nothing left to do but listen.
    Ended {},
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    match command {
        Command::SubmitProof { activity, files } => proof::submit(case, *activity, files),
        Command::AcceptProof { activity } => proof::accept(case, *activity),
        Command::ReturnProof { activity, verdicts, reason } => proof::send_back(case, *activity, verdicts, reason),
        Command::SubmitClaim { campaign, lines, is_final } => claims::submit(case, *campaign, lines, *is_final),
        Command::ApproveClaim { claim, amount, reason } => payment::approve(case, *claim, *amount, reason),
        Command::DenyClaim { claim, reason } => payment::deny(case, *claim, reason),
        Command::RecordSettlement { claim, amount, reference } => payment::settle(case, *claim, *amount, reference),
        Command::SettleFromBatch { claim, amount, offset, reference, batch } => {
            payment::settle_from_batch(case, *claim, (*amount, *offset), reference, batch)
        }
        Command::ProposeClawback { claim, amount, reason } => clawback::propose(case, *claim, *amount, reason),
        Command::ConfirmClawback { claim } => clawback::confirm(case, *claim),
        Command::RejectClawback { claim, reason } => clawback::reject(case, *claim, reason),
        Command::ReportPaymentReturn { claim, payment, on, reference, reason } => {
            returned::report(case, *claim, *payment, (*on, reference), reason)
        }
        Command::ConfirmPaymentReturn { claim } => returned::confirm(case, *claim),
        Command::RejectPaymentReturn { claim, reason } => returned::reject(case, *claim, reason),
        Command::Amend { activity, draft, lines, reason } => amendment::amend(case, *activity, draft, lines, reason),
        Command::CancelActivity { activity, reason } => cancel_activity(case, *activity, reason),
        Command::CancelCampaign { campaign, reason } => cancel_campaign(case, *campaign, reason),
        Command::AskExtension { campaign, window, days, reason } => {
            extension::ask(case, *campaign, *window, *days, reason)
        }
        Command::GrantExtension { extension, days, reason } => extension::grant(case, *extension, *days, reason),
        Command::DeclineExtension { extension, reason } => extension::decline(case, *extension, reason),
        Command::Tick {} => timer::tick(case),
    }
}

fn cancel_activity(case: &Case, no: u16, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let cycle = &case.s.cycle;
    need_reason(reason)?;
    let activity = cycle.activity(no).ok_or_else(|| s4_action_plan::missing(no))?;
    if activity.state.has_ended() {
        return Err(Refusal::new(
            "ended",
            format!("“{}” is {} already.", activity.draft.name, activity.state.label()),
            "There is nothing to cancel.",
        ));
    }
    let Release { amount: released, postings } = release_activity(case.s, &mut Purse::of(case.s), no, case.today);
    Ok(with_end(
        case,
        Outcome::with(Event::ActivityCancelled { activity: no, reason: reason.trim().to_owned(), released }, postings),
    ))
}

/// Lets go of what one activity was approved for, as far as its campaign still holds it. Claims take only what was
/// approved for proven activities, so it is all there.
fn release_activity(s: &Situation, purse: &mut Purse, no: u16, today: Date) -> Release {
    let cycle = &s.cycle;
    let Some(activity) = cycle.activity(no) else { return Release { amount: cycle.zero(), postings: Vec::new() } };
    let campaign = activity.draft.campaign;
    let approved: i64 =
        cycle.approval.lines.iter().filter(|line| line.activity == no).map(|line| line.amount.minor).sum();
    let held = s6_approval::held_by(cycle, purse, campaign);
    release_beyond(s, purse, campaign, (held - approved).max(0), today)
}

/// Activities of a campaign that have not ended.
fn still_open(cycle: &Cycle, campaign: u16) -> impl Iterator<Item = &Activity> {
    let of_it = cycle.activities.iter().filter(move |activity| activity.draft.campaign == campaign);
    of_it.filter(|activity| !activity.state.has_ended())
}

/// Every activity of it that has not ended is cancelled; what is proven can still be claimed.
fn cancel_campaign(case: &Case, no: u16, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let cycle = &case.s.cycle;
    need_reason(reason)?;
    let campaign = cycle.campaign(no).ok_or_else(|| super::s3_forecast::missing(no))?;
    let open: Vec<u16> = still_open(cycle, no).map(|activity| activity.no).collect();
    if open.is_empty() {
        return Err(Refusal::new(
            "ended",
            format!("“{}” has no activity left to cancel.", campaign.draft.name),
            "What is proven can still be claimed.",
        ));
    }
    let mut purse = Purse::of(case.s);
    let releases = open.iter().map(|activity| release_activity(case.s, &mut purse, *activity, case.today));
    let Release { amount: released, postings } = Release::of_all(cycle, releases);
    Ok(with_end(
        case,
        Outcome::with(Event::CampaignCancelled { campaign: no, reason: reason.trim().to_owned(), released }, postings),
    ))
}

/// Everything the campaigns hold and have not claimed goes back: the whole cycle ends.
pub(crate) fn release_all(s: &Situation, today: Date) -> Release {
    let mut purse = Purse::of(s);
    let releases = s.cycle.campaigns.iter().map(|campaign| release_beyond(s, &mut purse, campaign.no, 0, today));
    Release::of_all(&s.cycle, releases)
}

/// The outcome, and the end of execution where it was the last open activity.
fn with_end(case: &Case, outcome: Outcome) -> Vec<Outcome> {
    let mut after = case.s.cycle.clone();
    crate::machine::apply(&mut after, &outcome.event, Stamp { at: case.now, by: case.actor.user() });
    if all_ended(&after) { vec![outcome, Event::Ended {}.into()] } else { vec![outcome] }
}

fn all_ended(cycle: &Cycle) -> bool {
    cycle.stage == Stage::ExecutionLive && cycle.activities.iter().all(|activity| activity.state.has_ended())
}

pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    match event {
        Event::ProofSubmitted { .. }
        | Event::ProofAccepted { .. }
        | Event::ProofReturned { .. }
        | Event::ActivityExpired { .. }
        | Event::Reminded { .. } => proof::apply(cycle, event, stamp),
        Event::ExtensionAsked { .. }
        | Event::ExtensionGranted { .. }
        | Event::ExtensionDeclined { .. }
        | Event::ExtensionLapsed { .. } => extension::apply(cycle, event, stamp),
        Event::Amended { activity, draft, lines, reason, reopens, due, verdicts } => {
            if *reopens {
                cycle.approval.asks(stamp.by);
                let before = Before {
                    activity: *activity,
                    activities: cycle.activities.clone(),
                    request_lines: cycle.request.lines.clone(),
                    lines: cycle.approval.lines.clone(),
                    decisions: cycle.approval.decisions.clone(),
                    reason: reason.clone(),
                    by: stamp.by,
                    said: verdicts.clone(),
                };
                s6_approval::open(cycle, due.unwrap_or(Date::MAX));
                cycle.approval.before = Some(before);
            }
            if let Some(changed) = cycle.activities.iter_mut().find(|changed| changed.no == *activity) {
                if (changed.draft.starts, changed.draft.ends) != (draft.starts, draft.ends) {
                    changed.reminded.clear();
                }
                changed.draft = draft.clone();
            }
            cycle.request.lines.retain(|line| line.activity != *activity);
            cycle.request.lines.extend(lines.iter().cloned());
        }
        Event::ActivityCancelled { activity, released, .. } => {
            proof::end(cycle, *activity, ActivityState::Cancelled, *released);
        }
        Event::CampaignCancelled { campaign, reason, released } => {
            s6_approval::let_go(cycle, *campaign, *released);
            if let Some(cancelled) = cycle.campaigns.iter_mut().find(|cancelled| cancelled.no == *campaign) {
                cancelled.cancelled = Some(reason.clone());
            }
            let open: Vec<u16> = still_open(cycle, *campaign).map(|activity| activity.no).collect();
            for no in open {
                let nothing = cycle.zero();
                proof::end(cycle, no, ActivityState::Cancelled, nothing);
            }
        }
        Event::Ended {} => {
            let all = |state: ActivityState| cycle.activities.iter().all(|activity| activity.state == state);
            cycle.stage = if all(ActivityState::Cancelled) {
                Stage::Cancelled
            } else if cycle.activities.iter().any(|activity| activity.state == ActivityState::Proven) {
                Stage::TrackingListening
            } else {
                Stage::Expired
            };
        }
        _ => claims::apply(cycle, event, stamp),
    }
}

pub fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    let cycle = teller.cycle;
    let activity =
        |no: u16| cycle.activity(no).map_or_else(|| format!("activity {no}"), |activity| activity.draft.name.clone());
    match event {
        Event::Amended { activity: no, reason, reopens, due, verdicts, .. } => {
            let name = activity(*no);
            let open = if *reopens { " Approval is open again." } else { "" };
            let cuts = verdicts.iter().filter(|said| said.rule == "cap" && said.outcome == Judgement::Warn);
            let cuts = cuts.fold(String::new(), |all, said| all + " " + &said.sentence);
            let told = Told::new("execution.amended", format!("{by} amended “{name}”: “{reason}”{open}{cuts}"));
            if *reopens {
                told.to(teller.to_approvers(Topic::AmendmentRequested, 1).item(name).reason(reason).due(*due))
            } else {
                told.to(teller.to_manager(Topic::AmendmentRequested, "/execution").item(name).reason(reason))
            }
        }
        Event::ActivityCancelled { activity: no, reason, released } => {
            let words = format!("{by} cancelled “{}”: “{reason}” {released} released.", activity(*no));
            cancelled(teller, Told::new("execution.activity_cancelled", words), &activity(*no), (reason, *released))
        }
        Event::CampaignCancelled { campaign, reason, released } => {
            let name = cycle.campaign(*campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone());
            let words = format!("{by} cancelled the campaign “{name}”: “{reason}” {released} released.");
            cancelled(teller, Told::new("execution.campaign_cancelled", words), &name, (reason, *released))
        }
        Event::Ended {} => {
            let (words, topic, page) = match cycle.stage {
                Stage::Cancelled => ("Every activity is cancelled; the cycle has ended.", Topic::CycleCancelled, ""),
                Stage::Expired => ("No activity was proven; the cycle has expired.", Topic::CycleExpired, ""),
                _ => ("Every activity has ended; the cycle listens for results.", Topic::TrackingStarted, "/tracking"),
            };
            Told::new("execution.ended", words).to(teller.to_partner(topic, page)).to(teller.to_manager(topic, page))
        }
        Event::ProofSubmitted { .. }
        | Event::ProofAccepted { .. }
        | Event::ProofReturned { .. }
        | Event::ActivityExpired { .. }
        | Event::Reminded { .. } => proof::tell(teller, event),
        Event::ExtensionAsked { .. }
        | Event::ExtensionGranted { .. }
        | Event::ExtensionDeclined { .. }
        | Event::ExtensionLapsed { .. } => extension::tell(teller, event),
        _ => claims::tell(teller, event),
    }
}

/// The partner and the channel manager hear of what is cancelled, and finance where money comes back.
fn cancelled(teller: &Teller, told: Told, item: &str, (reason, released): (&str, Money)) -> Told {
    let said = |notice: Notice| notice.item(item).reason(reason).amount(released);
    let (topic, page) = (Topic::ActivityCancelled, "/execution");
    let told = told.to(said(teller.to_partner(topic, page))).to(said(teller.to_manager(topic, page)));
    if released.is_positive() { told.to(said(teller.to_finance(topic, page))) } else { told }
}
