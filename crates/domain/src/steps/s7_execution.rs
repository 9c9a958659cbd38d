//! Step 7, execution and proof: activities run and are proven, claims are made, decided and paid.
//!
//! Activities and claims have small machines of their own: [`ActivityState`] and [`ClaimState`].
//! A claim pays `min(approved, share x actual eligible cost)`: what was spent over the plan is the
//! partner's, what was not spent is released.

mod claims;
mod payment;
mod proof;
mod release;

pub(crate) use claims::window_end;
pub use claims::{Claim, ClaimLine, ClaimLineDraft, ClaimState, Clawback, Payment, claimable, payable};
pub use proof::{ActivityState, FileVerdict, ProofFile, ProofUpload, missing_proof};
pub(super) use release::release_beyond;

use super::s4_action_plan::{self, ActivityDraft};
use super::s5_request::{RequestLine, most_for};
use super::s6_approval::{self, Before};
use super::{Case, Outcome, Stamp, Teller, Told, need_reason};
use crate::Date;
use crate::calendar::plus;
use crate::cycle::{Cycle, Stage};
use crate::ledger::{Book, Posting};
use crate::machine::Situation;
use crate::money::Money;
use crate::notice::Topic;
use crate::policy::Material;
use crate::refusal::{Reason, Refusal};
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
    /// Finance asks for money back; a second person confirms.
    ProposeClawback {
        claim: u16,
        amount: Money,
        reason: String,
    },
    ConfirmClawback {
        claim: u16,
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
    },
    ClawedBack {
        claim: u16,
        amount: Money,
    },
    Amended {
        activity: u16,
        draft: ActivityDraft,
        lines: Vec<RequestLine>,
        reason: String,
        reopens: bool,
        due: Option<Date>,
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
    /// Every activity has ended: nothing left to do but listen.
    Ended {},
}

/// What a partner is reminded of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reminder {
    ProofDue,
    ProofOverdue,
    ClaimDue,
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
        Command::ProposeClawback { claim, amount, reason } => payment::propose_clawback(case, *claim, *amount, reason),
        Command::ConfirmClawback { claim } => payment::confirm_clawback(case, *claim),
        Command::Amend { activity, draft, lines, reason } => amend(case, *activity, draft, lines, reason),
        Command::CancelActivity { activity, reason } => cancel_activity(case, *activity, reason),
        Command::CancelCampaign { campaign, reason } => cancel_campaign(case, *campaign, reason),
        Command::Tick {} => tick(case),
    }
}

fn amend(
    case: &Case,
    no: u16,
    draft: &ActivityDraft,
    lines: &[RequestLine],
    reason: &str,
) -> Result<Vec<Outcome>, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    let activity = cycle.activity(no).ok_or_else(|| s4_action_plan::missing(no))?;
    need_reason(reason)?;
    if activity.state != ActivityState::Live {
        return Err(Refusal::new(
            "not_live",
            format!("“{}” is {} and can no longer be changed.", activity.draft.name, activity.state.label()),
            "Only an activity that has no proof under review or accepted can be amended.",
        ));
    }
    if draft.campaign != activity.draft.campaign {
        return Err(Refusal::new(
            "campaign",
            "An activity stays with its campaign.",
            "Cancel it here and plan it again in the other campaign.",
        ));
    }
    s4_action_plan::sound(case, draft)?;
    let lines = asked_lines(case, no, draft, lines)?;
    let asked_before: Vec<&RequestLine> = cycle.request.lines.iter().filter(|line| line.activity == no).collect();
    let how_much = draft.costs != activity.draft.costs
        || asked_before.len() != lines.len()
        || asked_before.iter().zip(&lines).any(|(before, now)| **before != *now);
    let changed = [
        (Material::What, draft.name != activity.draft.name || draft.kind != activity.draft.kind),
        (Material::Where, draft.place != activity.draft.place),
        (Material::When, draft.starts != activity.draft.starts || draft.ends != activity.draft.ends),
        (Material::Who, draft.owner != activity.draft.owner),
        (Material::HowMuch, how_much),
    ];
    if changed.iter().all(|(_, changed)| !changed) {
        return Err(Refusal::new(
            "no_change",
            "The amendment changes nothing.",
            "Change what, where, when, who or how much, or leave the activity as it is.",
        ));
    }
    // Money asked for is money to approve, whatever the guide calls material.
    let reopens =
        how_much || changed.iter().any(|(field, changed)| *changed && s.policy.amendment.material.contains(field));
    if reopens && case.s.cycle.stage != Stage::ExecutionLive {
        return Err(Refusal::new(
            "too_late",
            "This change would reopen approval, and the cycle has left execution.",
            "Ask for it in a new cycle.",
        ));
    }
    let due = reopens.then(|| s6_approval::due(&s.policy, 1, case.today));
    Ok(vec![
        Event::Amended { activity: no, draft: draft.clone(), lines, reason: reason.trim().to_owned(), reopens, due }
            .into(),
    ])
}

/// The amended lines: each of the activity's own, none above the vendor's share of its new cost.
fn asked_lines(
    case: &Case,
    no: u16,
    draft: &ActivityDraft,
    lines: &[RequestLine],
) -> Result<Vec<RequestLine>, Refusal> {
    let mut after = case.s.clone();
    if let Some(activity) = after.cycle.activities.iter_mut().find(|activity| activity.no == no) {
        activity.draft = draft.clone();
    }
    let mut reasons = Vec::new();
    for line in lines {
        match most_for(&after, line.activity, line.line) {
            Some(most)
                if line.activity == no
                    && (0..=most.minor).contains(&line.asked.minor)
                    && line.asked.currency == most.currency => {}
            Some(most) => reasons.push(
                Reason::new(
                    "vendor_share",
                    format!("The program pays at most {most} for line {}.", line.line),
                    "Ask for that much or less.",
                )
                .at(&format!("asked_{}", line.line)),
            ),
            None => reasons.push(Reason::new(
                "no_line",
                "The amendment asks for a cost line that is not there.",
                "Ask for the lines shown.",
            )),
        }
    }
    Refusal::unless_empty(reasons)?;
    Ok(lines.to_vec())
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
    let (released, postings) = release_activity(case.s, no, case.today);
    Ok(with_end(
        case,
        Outcome::with(Event::ActivityCancelled { activity: no, reason: reason.trim().to_owned(), released }, postings),
    ))
}

/// Lets go of what one activity was approved for, as far as its campaign still holds it.
fn release_activity(s: &Situation, no: u16, today: Date) -> (Money, Vec<Posting>) {
    let cycle = &s.cycle;
    let Some(activity) = cycle.activity(no) else { return (cycle.zero(), Vec::new()) };
    let campaign = activity.draft.campaign;
    let approved: i64 =
        cycle.approval.lines.iter().filter(|line| line.activity == no).map(|line| line.amount.minor).sum();
    let mut book = s.book.clone();
    let held = s6_approval::held_by(cycle, &book, campaign);
    let postings = release_beyond(s, &mut book, campaign, (held - approved).max(0), today);
    (release::released(cycle, &postings), postings)
}

fn cancel_campaign(case: &Case, no: u16, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let cycle = &case.s.cycle;
    need_reason(reason)?;
    let campaign = cycle.campaign(no).ok_or_else(|| super::s3_forecast::missing(no))?;
    if campaign.cancelled.is_some() {
        return Err(Refusal::new(
            "ended",
            format!("“{}” is cancelled already.", campaign.draft.name),
            "There is nothing to cancel.",
        ));
    }
    let mut book = case.s.book.clone();
    let postings = release_beyond(case.s, &mut book, no, 0, case.today);
    let released = release::released(cycle, &postings);
    Ok(with_end(
        case,
        Outcome::with(Event::CampaignCancelled { campaign: no, reason: reason.trim().to_owned(), released }, postings),
    ))
}

/// Everything a campaign holds and has not claimed goes back: the whole cycle ends.
pub(crate) fn release_for_end(s: &Situation, book: &mut Book, campaign: u16, today: Date) -> Vec<Posting> {
    release_beyond(s, book, campaign, 0, today)
}

/// The next day the timer has something to do for this step.
pub(crate) fn next_day(s: &Situation) -> Option<Date> {
    let cycle = &s.cycle;
    let reminders = upcoming(s)
        .into_iter()
        .filter(|(day, what, item, _)| !cycle.execution_reminders().any(|sent| sent == (*what, *item, *day)))
        .map(|(day, ..)| day);
    let live = cycle
        .activities
        .iter()
        .filter(|activity| activity.state == ActivityState::Live && cycle.stage == Stage::ExecutionLive);
    let expiries = live.map(|activity| plus(s.policy.proof_due(activity.draft.ends), s.policy.proof.grace + 1));
    let windows = cycle.campaigns.iter().filter_map(|campaign| window_end(s, campaign.no)).map(|last| plus(last, 1));
    reminders.chain(expiries).chain(windows).min()
}

/// The timer's work at this moment: reminders due, activities expired, claim windows closed.
fn tick(case: &Case) -> Result<Vec<Outcome>, Refusal> {
    let mut outcomes: Vec<Outcome> =
        proof::overdue(case).into_iter().chain(claims::windows(case)).chain(reminders(case)).collect();
    if outcomes.is_empty() {
        return Err(Refusal::new("nothing_due", "Nothing is due.", "The clock comes back when something is."));
    }
    if let Some(last) = outcomes.pop() {
        let mut after = case.s.cycle.clone();
        for outcome in &outcomes {
            crate::machine::apply(&mut after, &outcome.event, Stamp { at: case.now, by: case.actor.user() });
        }
        outcomes.extend(end_after(case, after, last));
    }
    Ok(outcomes)
}

/// Reminders whose day has come and which were not sent yet; a missed day is caught up once.
fn reminders(case: &Case) -> Vec<Outcome> {
    let cycle = &case.s.cycle;
    let due = upcoming(case.s).into_iter().filter(|(day, ..)| *day <= case.today);
    let fresh =
        due.filter(|(day, what, item, _)| !cycle.execution_reminders().any(|sent| sent == (*what, *item, *day)));
    let mut latest: std::collections::BTreeMap<(Reminder, u16), (Date, Date)> = std::collections::BTreeMap::new();
    for (day, what, item, due) in fresh {
        latest.insert((what, item), (day, due));
    }
    latest.into_iter().map(|((what, item), (day, due))| Event::Reminded { what, item, day, due }.into()).collect()
}

/// Every reminder of what is still open: its day, what it is of, the activity, the deadline.
pub(crate) fn upcoming(s: &Situation) -> Vec<(Date, Reminder, u16, Date)> {
    let mut all = proof::reminders(s);
    all.extend(claims::reminders(s));
    all.sort_unstable();
    all
}

impl Cycle {
    /// Reminders already sent: what, which activity, for which day.
    pub(crate) fn execution_reminders(&self) -> impl Iterator<Item = (Reminder, u16, Date)> {
        self.activities.iter().flat_map(super::s4_action_plan::Activity::state_reminders)
    }
}

/// The outcome, and the end of execution where it was the last open activity.
fn with_end(case: &Case, outcome: Outcome) -> Vec<Outcome> {
    end_after(case, case.s.cycle.clone(), outcome)
}

fn end_after(case: &Case, mut after: Cycle, outcome: Outcome) -> Vec<Outcome> {
    crate::machine::apply(&mut after, &outcome.event, Stamp { at: case.now, by: case.actor.user() });
    let ended =
        after.stage == Stage::ExecutionLive && after.activities.iter().all(|activity| activity.state.has_ended());
    if ended { vec![outcome, Event::Ended {}.into()] } else { vec![outcome] }
}

pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    match event {
        Event::ProofSubmitted { .. }
        | Event::ProofAccepted { .. }
        | Event::ProofReturned { .. }
        | Event::ActivityExpired { .. }
        | Event::Reminded { .. } => proof::apply(cycle, event, stamp),
        Event::Amended { activity, draft, lines, reason, reopens, due } => {
            if *reopens {
                let before = Before {
                    activities: cycle.activities.clone(),
                    request_lines: cycle.request.lines.clone(),
                    lines: cycle.approval.lines.clone(),
                    decisions: cycle.approval.decisions.clone(),
                    reason: reason.clone(),
                    by: stamp.by,
                };
                s6_approval::open(cycle, due.unwrap_or(Date::MAX));
                cycle.approval.before = Some(before);
            }
            if let Some(changed) = cycle.activities.iter_mut().find(|changed| changed.no == *activity) {
                changed.draft = draft.clone();
            }
            cycle.request.lines.retain(|line| line.activity != *activity);
            cycle.request.lines.extend(lines.iter().cloned());
        }
        Event::ActivityCancelled { activity, .. } => proof::end(cycle, *activity, ActivityState::Cancelled),
        Event::CampaignCancelled { campaign, reason, .. } => {
            if let Some(cancelled) = cycle.campaigns.iter_mut().find(|cancelled| cancelled.no == *campaign) {
                cancelled.cancelled = Some(reason.clone());
            }
            let open: Vec<u16> = cycle
                .activities
                .iter()
                .filter(|activity| activity.draft.campaign == *campaign && !activity.state.has_ended())
                .map(|activity| activity.no)
                .collect();
            for no in open {
                proof::end(cycle, no, ActivityState::Cancelled);
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
        Event::Amended { activity: no, reason, reopens, due, .. } => {
            let name = activity(*no);
            let told = Told::new(
                "execution.amended",
                format!("{by} amended “{name}”: “{reason}”{}", if *reopens { " Approval is open again." } else { "" }),
            );
            if *reopens {
                told.to(teller.to_approvers(Topic::AmendmentRequested, 1).item(name).reason(reason).due(*due))
            } else {
                told.to(teller.to_manager(Topic::AmendmentRequested, "/execution").item(name).reason(reason))
            }
        }
        Event::ActivityCancelled { activity: no, reason, released } => Told::new(
            "execution.activity_cancelled",
            format!("{by} cancelled “{}”: “{reason}” {released} released.", activity(*no)),
        )
        .to(teller
            .to_partner(Topic::ActivityCancelled, "/execution")
            .item(activity(*no))
            .reason(reason)
            .amount(*released))
        .to(teller
            .to_manager(Topic::ActivityCancelled, "/execution")
            .item(activity(*no))
            .reason(reason)
            .amount(*released)),
        Event::CampaignCancelled { campaign, reason, released } => {
            let name = cycle.campaign(*campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone());
            Told::new(
                "execution.campaign_cancelled",
                format!("{by} cancelled the campaign “{name}”: “{reason}” {released} released."),
            )
            .to(teller
                .to_partner(Topic::ActivityCancelled, "/execution")
                .item(name.clone())
                .reason(reason)
                .amount(*released))
            .to(teller
                .to_manager(Topic::ActivityCancelled, "/execution")
                .item(name)
                .reason(reason)
                .amount(*released))
        }
        Event::Ended {} => Told::new("execution.ended", "Every activity has ended; the cycle listens for results.")
            .to(teller.to_partner(Topic::TrackingStarted, "/tracking")),
        Event::ProofSubmitted { .. }
        | Event::ProofAccepted { .. }
        | Event::ProofReturned { .. }
        | Event::ActivityExpired { .. }
        | Event::Reminded { .. } => proof::tell(teller, event),
        _ => claims::tell(teller, event),
    }
}
