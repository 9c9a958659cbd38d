//! The machine of an activity: live, proof in review, proven; or cancelled, or expired.

use super::super::{
    Case, Outcome, Purse, Release, Stamp, Teller, Told, check_optional, check_text, need_reason, s4_action_plan,
    s6_approval,
};
use super::{Event, Reminder, extension};
use crate::Date;
use crate::calendar::plus;
use crate::cycle::Cycle;
use crate::ids::{FileId, UserId};
use crate::machine::{Situation, with_more_time};
use crate::money::Money;
use crate::notice::{Notice, Topic};
use crate::policy::rules::{self, Handed, Provable};
use crate::policy::{ActivityType, Extendable};
use crate::refusal::{Reason, Refusal};
use crate::steps::s4_action_plan::Activity;
use serde::{Deserialize, Serialize};

/// One proof holds at most this many files.
const FILES_PER_PROOF: usize = 40;

/// How an activity is doing, from approval on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityState {
    /// Not approved yet.
    Planned,
    Live,
    ProofReview,
    Proven,
    Cancelled,
    Expired,
}

impl ActivityState {
    pub const ALL: [ActivityState; 6] = [
        ActivityState::Planned,
        ActivityState::Live,
        ActivityState::ProofReview,
        ActivityState::Proven,
        ActivityState::Cancelled,
        ActivityState::Expired,
    ];

    pub fn code(self) -> &'static str {
        match self {
            ActivityState::Planned => "planned",
            ActivityState::Live => "live",
            ActivityState::ProofReview => "proof_review",
            ActivityState::Proven => "proven",
            ActivityState::Cancelled => "cancelled",
            ActivityState::Expired => "expired",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            ActivityState::ProofReview => "in proof review",
            other => other.code(),
        }
    }

    pub fn has_ended(self) -> bool {
        matches!(self, ActivityState::Proven | ActivityState::Cancelled | ActivityState::Expired)
    }
}

/// A file handed in for one item of the checklist.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofUpload {
    /// The checklist item's code.
    pub item: String,
    pub file: FileId,
    pub name: String,
    /// The header of a list, where it was read when the file came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
}

/// A file of proof and what the reviewer said of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProofFile {
    pub item: String,
    pub file: FileId,
    pub name: String,
    pub by: UserId,
    pub verdict: Option<FileVerdict>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileVerdict {
    pub file: FileId,
    pub accepted: bool,
    #[serde(default)]
    pub reason: String,
}

/// The items of the checklist that have no good file yet: every one of `all_of`, and `one_of` where none is met.
pub fn missing_proof(kind: &ActivityType, files: &[ProofFile]) -> Vec<String> {
    let met = |code: &str| {
        files.iter().any(|file| file.item == code && file.verdict.as_ref().is_none_or(|verdict| verdict.accepted))
    };
    rules::missing(kind, met)
}

pub(super) fn submit(case: &Case, no: u16, uploads: &[ProofUpload]) -> Result<Vec<Outcome>, Refusal> {
    let activity = open(case, no, ActivityState::Live, "Proof can be handed in while the activity is live.")?;
    if case.s.cycle.approval.amending() == Some(no) {
        return Err(Refusal::new(
            "amendment_open",
            format!("The change of “{}” is in review.", activity.draft.name),
            "Hand in its proof once the change is decided, or take the change back.",
        ));
    }
    let kind = case.s.policy.activity_type(&activity.draft.kind).ok_or_else(|| s4_action_plan::missing(no))?;
    if case.today < activity.draft.starts {
        return Err(Refusal::new(
            "not_begun",
            format!("“{}” starts {}.", activity.draft.name, crate::calendar::words(activity.draft.starts)),
            "Hand in proof once it has begun.",
        ));
    }
    uploads_sound(uploads)?;
    let days = proof_days(case.s, activity);
    let in_time = rules::proof_window(&case.s.policy, &activity.draft.name, days, Some(case.today));
    if in_time.fails() {
        return Err(Refusal { reasons: vec![in_time.reason()] });
    }
    let by = case.actor.user();
    let fresh = uploads.iter().map(|upload| ProofFile {
        item: upload.item.clone(),
        file: upload.file,
        name: upload.name.clone(),
        by,
        verdict: None,
    });
    let accepted =
        activity.proof.iter().filter(|file| file.verdict.as_ref().is_some_and(|verdict| verdict.accepted)).cloned();
    let files: Vec<ProofFile> = accepted.chain(fresh).collect();
    let met = rules::checklist(kind, &activity.draft.name, &handed(&files, uploads));
    if met.fails() {
        return Err(Refusal { reasons: vec![met.reason().at("files")] });
    }
    Ok(vec![Event::ProofSubmitted { activity: no, files }.into()])
}

/// What the days of an activity's proof depend on, extensions included.
pub fn proof_days(s: &Situation, activity: &Activity) -> Provable {
    let extended = s.cycle.granted_days(activity.draft.campaign, Extendable::Proof);
    Provable { ends: activity.draft.ends, returned: returned(activity), extended }
}

/// The day its proof was returned last.
fn returned(activity: &Activity) -> Option<Date> {
    activity.returned_at.map(|at| at.date_naive())
}

/// The files as the checklist looks at them; the kind of a file that was accepted was seen to before.
fn handed(files: &[ProofFile], uploads: &[ProofUpload]) -> Vec<Handed> {
    let one = |file: &ProofFile| Handed {
        item: file.item.clone(),
        name: file.verdict.is_none().then(|| file.name.clone()),
        columns: uploads.iter().find(|upload| upload.file == file.file).and_then(|upload| upload.columns.clone()),
    };
    files.iter().map(one).collect()
}

fn uploads_sound(uploads: &[ProofUpload]) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    if uploads.len() > FILES_PER_PROOF {
        reasons.push(Reason::new(
            "too_many",
            format!("A proof holds at most {FILES_PER_PROOF} files."),
            "Hand in those that show it best.",
        ));
    }
    for upload in uploads {
        check_text("files", "The file's name", &upload.name, 200, &mut reasons);
    }
    Refusal::unless_empty(reasons)
}

pub(super) fn accept(case: &Case, no: u16) -> Result<Vec<Outcome>, Refusal> {
    reviewable(case, no)?;
    Ok(super::with_end(case, Event::ProofAccepted { activity: no }.into()))
}

pub(super) fn send_back(case: &Case, no: u16, verdicts: &[FileVerdict], reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let activity = reviewable(case, no)?;
    need_reason(reason)?;
    let mut reasons = Vec::new();
    if verdicts.iter().all(|verdict| verdict.accepted) {
        reasons.push(
            Reason::new(
                "no_file_returned",
                "No file is marked as not good enough.",
                "Mark at least one, or accept the proof.",
            )
            .at("verdicts"),
        );
    }
    for verdict in verdicts {
        if !activity.proof.iter().any(|file| file.file == verdict.file) {
            reasons.push(Reason::new(
                "file",
                "A verdict names a file that is not part of this proof.",
                "Judge the files shown.",
            ));
        }
        let field = format!("reason_{}", verdict.file);
        check_optional(&field, "The reason", &verdict.reason, 2_000, &mut reasons);
        if !verdict.accepted && verdict.reason.trim().is_empty() {
            reasons
                .push(Reason::new("reason", "A returned file has no reason.", "Say what is wrong with it.").at(&field));
        }
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![
        Event::ProofReturned { activity: no, verdicts: verdicts.to_vec(), reason: reason.trim().to_owned() }.into(),
    ])
}

fn open<'a>(case: &'a Case, no: u16, state: ActivityState, remedy: &str) -> Result<&'a Activity, Refusal> {
    let activity = case.s.cycle.activity(no).ok_or_else(|| s4_action_plan::missing(no))?;
    if activity.state == state {
        return Ok(activity);
    }
    Err(Refusal::new("activity_state", format!("“{}” is {}.", activity.draft.name, activity.state.label()), remedy))
}

/// In review, and not handed in by the reviewer.
fn reviewable<'a>(case: &'a Case, no: u16) -> Result<&'a Activity, Refusal> {
    let activity = open(case, no, ActivityState::ProofReview, "Only proof that has been handed in can be reviewed.")?;
    if activity.proof.iter().any(|file| case.people().contains(&file.by)) {
        return Err(Refusal::new(
            "own_proof",
            "You, or the colleague you stand in for, handed this proof in, so you cannot review it.",
            "Another channel manager of this partner reviews it.",
        ));
    }
    Ok(activity)
}

/// Live activities; one whose change is in review has its clock stopped.
pub(crate) fn running(s: &Situation) -> impl Iterator<Item = &Activity> {
    let amending = s.cycle.approval.amending();
    let live = s.cycle.activities.iter().filter(|activity| activity.state == ActivityState::Live);
    live.filter(move |activity| amending != Some(activity.no))
}

/// The first day on which an activity without proof is expired.
pub(super) fn expires_on(s: &Situation, activity: &Activity) -> Date {
    let days = proof_days(s, activity);
    let due = days.due(&s.policy);
    let held = extension::held_until(s, activity.draft.campaign, Extendable::Proof, due);
    plus(days.last_day(&s.policy).max(held), 1)
}

/// Live activities whose proof is past its day and grace: they expire and their money is released.
pub(super) fn overdue(s: &Situation, today: Date) -> Vec<Outcome> {
    let mut purse = Purse::of(s);
    let mut outcomes = Vec::new();
    for activity in running(s) {
        if today < expires_on(s, activity) {
            continue;
        }
        let Release { amount: released, postings } = super::release_activity(s, &mut purse, activity.no, today);
        outcomes.push(Outcome::with(Event::ActivityExpired { activity: activity.no, released }, postings));
    }
    outcomes
}

/// Before the due day as the guide says, and once on the day after it.
pub(super) fn reminders(s: &Situation) -> Vec<(Date, Reminder, u16, Date)> {
    let mut all = Vec::new();
    for activity in running(s) {
        let of = proof_days(s, activity);
        let due = of.due(&s.policy);
        let days = of.reminders(&s.policy).into_iter();
        all.extend(days.map(|day| (day, Reminder::ProofDue, activity.no, due)));
        all.push((plus(due, 1), Reminder::ProofOverdue, activity.no, due));
    }
    all
}

/// Cancelled or expired: nothing will be claimed on it, and its campaign has let go of this much.
pub(super) fn end(cycle: &mut Cycle, no: u16, state: ActivityState, released: Money) {
    if let Some(campaign) = cycle.activity(no).map(|activity| activity.draft.campaign) {
        s6_approval::let_go(cycle, campaign, released);
    }
    if let Some(activity) = cycle.activities.iter_mut().find(|activity| activity.no == no) {
        activity.state = state;
    }
    s6_approval::lapse(cycle, no);
}

pub(super) fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    let no = match event {
        Event::ActivityExpired { activity, released } => {
            end(cycle, *activity, ActivityState::Expired, *released);
            return;
        }
        Event::ProofSubmitted { activity, .. }
        | Event::ProofAccepted { activity }
        | Event::ProofReturned { activity, .. } => *activity,
        Event::Reminded { item, .. } => *item,
        _ => return,
    };
    let Some(activity) = cycle.activities.iter_mut().find(|activity| activity.no == no) else { return };
    match event {
        Event::ProofSubmitted { files, .. } => {
            activity.proof.clone_from(files);
            activity.handed_in = Some(stamp.at);
            activity.state = ActivityState::ProofReview;
        }
        Event::ProofAccepted { .. } => {
            for file in &mut activity.proof {
                file.verdict = Some(FileVerdict { file: file.file, accepted: true, reason: String::new() });
            }
            activity.state = ActivityState::Proven;
        }
        Event::ProofReturned { verdicts, .. } => {
            for file in &mut activity.proof {
                if let Some(verdict) = verdicts.iter().find(|verdict| verdict.file == file.file) {
                    file.verdict = Some(verdict.clone());
                }
            }
            activity.returned_at = Some(stamp.at);
            activity.state = ActivityState::Live;
        }
        Event::Reminded { what, day, .. } => {
            activity.reminded.push(s4_action_plan::Reminded { what: *what, day: *day });
        }
        _ => {}
    }
}

pub(super) fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    let name = |no: u16| teller.cycle.activity(no).map_or_else(String::new, |activity| activity.draft.name.clone());
    let page = |no: u16| format!("/execution/activities/{no}");
    match event {
        Event::ProofSubmitted { activity, files } => {
            let due = teller.s.policy.proof.review_days;
            let due = plus(teller.s.policy.today(teller.now), due);
            Told::new(
                "proof.submitted",
                format!(
                    "{by} handed in proof of “{}”: {} file{}.",
                    name(*activity),
                    files.len(),
                    if files.len() == 1 { "" } else { "s" }
                ),
            )
            .to(teller.to_manager(Topic::ProofSubmitted, &page(*activity)).item(name(*activity)).due(Some(due)))
        }
        Event::ProofAccepted { activity } => {
            let due = teller
                .cycle
                .activity(*activity)
                .and_then(|activity| super::claims::last_day_to_claim(teller.s, activity.draft.campaign));
            let notice = teller.to_partner(Topic::ProofAccepted, &claim_page(teller, *activity)).item(name(*activity));
            Told::new("proof.accepted", format!("{by} accepted the proof of “{}”.", name(*activity)))
                .to(notice.amount(at_stake(teller, *activity)).due(due))
        }
        Event::ProofReturned { activity, reason, .. } => {
            let due =
                teller.cycle.activity(*activity).map(|activity| proof_days(teller.s, activity).due(&teller.s.policy));
            Told::new("proof.returned", format!("{by} returned the proof of “{}”: “{reason}”", name(*activity))).to(
                teller.to_partner(Topic::ProofReturned, &page(*activity)).item(name(*activity)).reason(reason).due(due),
            )
        }
        Event::ActivityExpired { activity, released } => Told::new(
            "execution.activity_expired",
            format!("“{}” expired without proof; {released} released.", name(*activity)),
        )
        .to(teller.to_partner(Topic::ActivityExpired, "/execution").item(name(*activity)).amount(*released))
        .to(teller.to_manager(Topic::ActivityExpired, "/execution").item(name(*activity)).amount(*released)),
        Event::Reminded { what, item, due, .. } => {
            let (topic, words, page) = match what {
                Reminder::ProofDue => (Topic::ProofDue, "proof is due", page(*item)),
                Reminder::ProofOverdue => (Topic::ProofOverdue, "proof is overdue since", page(*item)),
                Reminder::ClaimDue => (Topic::ClaimDue, "the claim is due", claim_page(teller, *item)),
            };
            let notice = teller.to_partner(topic, &page).item(name(*item)).amount(at_stake(teller, *item));
            Told::quiet(
                "execution.reminded",
                format!("Reminded of “{}”: {words} {}.", name(*item), crate::calendar::words(*due)),
            )
            .to(more_time(teller, notice.due(Some(*due)), *item, (*what, *due)))
        }
        _ => Told::quiet("execution.noted", ""),
    }
}

/// A reminder that comes in time to ask for more of it says until when.
fn more_time(teller: &Teller, notice: Notice, activity: u16, (what, due): (Reminder, Date)) -> Notice {
    let campaign = teller.cycle.activity(activity).map(|activity| activity.draft.campaign);
    let in_time = teller.s.policy.today(teller.now) <= due;
    let Some(campaign) = campaign.filter(|_| in_time) else { return notice };
    with_more_time(teller.s, notice, campaign, !what.is_of_claim())
}

/// Where what this activity cost is claimed.
fn claim_page(teller: &Teller, activity: u16) -> String {
    let campaign = teller.cycle.activity(activity).map(|activity| activity.draft.campaign);
    campaign.map_or_else(|| "/execution".to_owned(), |campaign| format!("/execution/campaigns/{campaign}/claim"))
}

/// What was approved for this activity, as far as its campaign still has it to claim.
fn at_stake(teller: &Teller, activity: u16) -> Money {
    let lines = teller.cycle.approval.lines.iter().filter(|line| line.activity == activity);
    let approved = teller.cycle.sum(lines.map(|line| line.amount));
    let campaign = teller.cycle.activity(activity).map(|activity| activity.draft.campaign);
    let left = campaign.map_or(approved, |campaign| super::claims::claimable(teller.s, campaign));
    if left.minor < approved.minor { left } else { approved }
}
