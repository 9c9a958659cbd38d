//! One activity: its proof by checklist item, the review of each file, and its end.
//!
//! Files are kept as soon as they arrive, and named again on the page when the checklist is not met yet, so that
//! nobody uploads a lead list twice because the photo was missing.

use actix_web::web::Path;
use askama::Template;
use domain::ids::FileId;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::money::Money;
use domain::policy::{ActivityType, ProofItem};
use domain::signals::of_activity;
use domain::steps::s4_action_plan::Activity;
use domain::steps::s7_execution::{self as rules, ActivityState, FileVerdict, ProofFile, ProofUpload};
use engine::files::proof_field;

use super::files::{self, Kept};
use super::{activity_href, days, missing};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::{look, objections, signals};
use crate::view::{
    Badge, Control, Due, Fact, Facts, Field, Form, HeaderStrip, Hub, Signals, Tone, activity_badge, date_words,
};

#[derive(Template)]
#[template(path = "s7_execution/activity.html")]
struct ActivityPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    href: String,
    name: String,
    state: Badge,
    facts: Facts,
    clocks: Hub,
    items: Vec<Item>,
    missing: Vec<String>,
    signals: Signals,
    upload: Option<Form>,
    not_begun: Option<String>,
    review: Option<Review>,
    barred: Option<String>,
    amend: bool,
    cancel: Option<Form>,
}

impl ActivityPage {
    fn to(&self, what: &str) -> String {
        format!("{}/{what}", self.href)
    }
}

/// One line of the checklist.
struct Item {
    name: String,
    /// "Needed", or "One of these".
    need: &'static str,
    kinds: String,
    field: String,
    files: Vec<FileRow>,
    kept: Vec<Kept>,
}

struct FileRow {
    id: String,
    name: String,
    href: String,
    state: Badge,
    reason: String,
}

struct Review {
    give_back: Form,
    /// The files a verdict is still wanted on: name, address, and the names of its two fields.
    files: Vec<(String, String, String, String)>,
    after: String,
}

/// Which of the page's forms was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Proof,
    Return,
    Cancel,
}

/// GET /cycles/{no}/execution/activities/{activity}
pub async fn show_page(who: Who, at: Path<(String, u16)>) -> Answer {
    let (no, activity) = at.into_inner();
    show(&page(&who, &no, activity, Sent::Nothing, Typed::default(), &[]).await?)
}

/// POST .../proof: files by checklist item, with those kept from a try before.
pub async fn submit_proof(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, activity) = at.into_inner();
    let mut kept = Vec::new();
    let done = async {
        gather(&who, &no, activity, &posted, &mut kept).await?;
        let files = kept
            .iter()
            .map(|file| ProofUpload { item: file.item.clone(), file: file.id, name: file.name.clone(), columns: None })
            .collect();
        who.advance(&no, Command::Execution(rules::Command::SubmitProof { activity, files }), &posted).await
    };
    let (done, to) = (done.await, activity_href(&no, activity));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, activity, Sent::Proof, typed, &kept).await).await
}

/// POST .../acceptance
pub async fn accept_proof(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, activity) = at.into_inner();
    let done = who.advance(&no, Command::Execution(rules::Command::AcceptProof { activity }), &posted).await;
    let to = activity_href(&no, activity);
    who.settle(done, &to, &posted, async |typed| page(&who, &no, activity, Sent::Nothing, typed, &[]).await).await
}

/// POST .../return: a verdict on every file, a reason for each that is not good enough.
pub async fn return_proof(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, activity) = at.into_inner();
    let done = async {
        let s = look(&who, &no).await?;
        let found = s.cycle.activity(activity).ok_or(Error::NotFound)?;
        let (verdicts, reason) = posted.read(who.marks(), |f| read_verdicts(found, f))?;
        let command = rules::Command::ReturnProof { activity, verdicts, reason };
        who.advance(&no, Command::Execution(command), &posted).await
    };
    let (done, to) = (done.await, activity_href(&no, activity));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, activity, Sent::Return, typed, &[]).await).await
}

/// POST .../cancellation
pub async fn cancel(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, activity) = at.into_inner();
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Execution(rules::Command::CancelActivity { activity, reason }), &posted).await
    };
    let (done, to) = (done.await, activity_href(&no, activity));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, activity, Sent::Cancel, typed, &[]).await).await
}

/// Keeps what was uploaded, item by item, after what was kept before.
async fn gather(who: &Who, no: &str, activity: u16, posted: &Posted, kept: &mut Vec<Kept>) -> Result<(), Error> {
    let s = look(who, no).await?;
    let found = s.cycle.activity(activity).ok_or(Error::NotFound)?;
    if !moves_of(&s, who.actor()).contains(&Act::SubmitProof) {
        return Err(Error::refused("not_your_role", "Proof is handed in by the partner.", "Ask them for it."));
    }
    let kind = s.policy.activity_type(&found.draft.kind).ok_or(Error::NotFound)?;
    let before: Vec<(String, FileId)> = posted.read(who.marks(), |f| {
        let ids = kind.all_of.iter().chain(&kind.one_of).map(|item| {
            let ids = f.ticks(&format!("kept_{}", item.code), |text| text.parse::<FileId>().ok())?;
            Some(ids.into_iter().map(|id| (item.code.clone(), id)).collect::<Vec<_>>())
        });
        let ids: Vec<Option<Vec<(String, FileId)>>> = ids.collect();
        Some(ids.into_iter().collect::<Option<Vec<_>>>()?.concat())
    })?;
    // One file that does not count takes none of the others with it.
    let mut reasons = Vec::new();
    for (item, id) in before {
        files::gathered(files::found(who, &s, (&item, &proof_field(&item)), id).await, kept, &mut reasons)?;
    }
    for item in kind.all_of.iter().chain(&kind.one_of) {
        for upload in posted.files(&proof_field(&item.code)) {
            let one = match files::of_kind(&upload.field, &upload.name, &item.kinds) {
                Ok(()) => files::keep(who, &s, &item.code, upload).await,
                Err(error) => Err(error),
            };
            files::gathered(one, kept, &mut reasons)?;
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Error::Invalid(reasons)) }
}

fn read_verdicts(activity: &Activity, f: &mut Fields) -> Option<(Vec<FileVerdict>, String)> {
    let reason = f.long_text("reason");
    let judged: Vec<Option<FileVerdict>> = open_files(activity)
        .map(|file| {
            let (bad, why) =
                (f.tick(&format!("return_{}", file.file)), f.optional_long_text(&format!("reason_{}", file.file)));
            Some(FileVerdict { file: file.file, accepted: !bad, reason: why?.unwrap_or_default() })
        })
        .collect();
    Some((judged.into_iter().collect::<Option<_>>()?, reason?))
}

/// Files nobody has judged yet.
fn open_files(activity: &Activity) -> impl Iterator<Item = &ProofFile> {
    activity.proof.iter().filter(|file| file.verdict.is_none())
}

async fn page(
    who: &Who,
    no: &str,
    activity: u16,
    sent: Sent,
    typed: Typed,
    kept: &[Kept],
) -> Result<ActivityPage, Error> {
    let s = look(who, no).await?;
    let found = s.cycle.activity(activity).ok_or(Error::NotFound)?;
    let kind = s.policy.activity_type(&found.draft.kind).ok_or(Error::NotFound)?;
    let moves = moves_of(&s, who.actor());
    let of = |wanted: Sent| if sent == wanted { typed.clone() } else { Typed::default() };
    let live = found.state == ActivityState::Live;
    let begun = who.today() >= found.draft.starts;
    let reviewable = found.state == ActivityState::ProofReview && moves.contains(&Act::AcceptProof);
    let accept = Command::Execution(rules::Command::AcceptProof { activity });
    let barred = if reviewable { objections(who, &s, &accept) } else { Vec::new() };
    let cancel = moves.contains(&Act::CancelActivity) && !found.state.has_ended();
    Ok(ActivityPage {
        shell: who.shell(&format!("{}, {}", found.draft.name, s.cycle.number)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        href: activity_href(&s.cycle.number, activity),
        name: found.draft.name.clone(),
        state: activity_badge(found.state),
        facts: Facts { facts: facts(who, &s, found, kind) },
        clocks: Hub::clocks(&s, who.today(), |deadline| match deadline.item {
            domain::deadlines::Item::Activity(no) => no == activity,
            domain::deadlines::Item::Campaign(no) => no == found.draft.campaign,
            _ => false,
        }),
        items: items(kind, found, kept),
        missing: missing(&s, found),
        signals: signals(who, &s, |s, traces| of_activity(s, found, traces)).await?,
        upload: (live && begun && moves.contains(&Act::SubmitProof))
            .then(|| of(Sent::Proof).onto(upload_form(who, &s, kind, kept))),
        not_begun: (live && !begun).then(|| date_words(found.draft.starts)),
        review: (reviewable && barred.is_empty()).then(|| review(who, &s, found, of(Sent::Return))),
        barred: barred.first().map(|reason| format!("{} {}", reason.why, reason.remedy)),
        amend: live && moves.contains(&Act::Amend),
        cancel: cancel.then(|| {
            let mut why = Field::area("reason", "Why", 2);
            "cancel-reason".clone_into(&mut why.id);
            of(Sent::Cancel).onto(who.form_at(s.cycle.version).with(why))
        }),
    })
}

fn facts(who: &Who, s: &Situation, activity: &Activity, kind: &ActivityType) -> Vec<Fact> {
    let draft = &activity.draft;
    let lines = s.cycle.approval.lines.iter().filter(|line| line.activity == activity.no);
    let approved = s.cycle.sum(lines.map(|line| line.amount));
    let cost = Money::new(draft.cost(), s.cycle.currency);
    let campaign = s.cycle.campaign(draft.campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone());
    let goal = s.cycle.plan.draft.objectives.iter().find(|goal| goal.no == draft.objective);
    let mut facts = vec![
        Fact::new("What", kind.name.clone()).note(campaign),
        Fact::new("When", days(draft.starts, draft.ends)),
        Fact::new("Where", draft.place.clone()),
        Fact::new("Who", draft.owner.clone()),
    ];
    facts.extend(goal.map(|goal| Fact::new("Serves", goal.goal.clone())));
    facts.push(Fact::new("Approved", approved).note(format!("of {cost} cost")));
    if !activity.state.has_ended() {
        let days = rules::proof_days(s, activity);
        let (proof, last) = (days.due(&s.policy), days.last_day(&s.policy));
        facts.push(Fact::new("Proof due", Due { on: proof, today: who.today() }));
        facts.push(Fact::new("Expires after", date_words(last)).note("then its money is released"));
    }
    facts.push(Fact::new("Last day to claim", date_words(last_day(s, activity))));
    facts
}

/// The last day to claim on its campaign; of a campaign where nothing runs any more, what it would have been.
fn last_day(s: &Situation, activity: &Activity) -> domain::Date {
    let due = rules::last_day_to_claim(s, activity.draft.campaign);
    due.unwrap_or_else(|| rules::claim_due(s, activity.draft.ends))
}

fn items(kind: &ActivityType, activity: &Activity, kept: &[Kept]) -> Vec<Item> {
    let item = |need: &'static str, item: &ProofItem| Item {
        name: item.name.clone(),
        need,
        kinds: item.kinds.join(", "),
        field: proof_field(&item.code),
        files: activity.proof.iter().filter(|file| file.item == item.code).map(file_row).collect(),
        kept: kept.iter().filter(|file| file.item == item.code).cloned().collect(),
    };
    let all = kind.all_of.iter().map(|one| item("Needed", one));
    all.chain(kind.one_of.iter().map(|one| item("One of these is needed", one))).collect()
}

fn file_row(file: &ProofFile) -> FileRow {
    let (state, reason) = match &file.verdict {
        None => (Badge::new(Tone::Wait, "In review"), String::new()),
        Some(verdict) if verdict.accepted => (Badge::new(Tone::Ok, "Accepted"), String::new()),
        Some(verdict) => (Badge::new(Tone::Bad, "Returned"), verdict.reason.clone()),
    };
    FileRow { id: file.file.to_string(), name: file.name.clone(), href: files::href(file.file), state, reason }
}

fn upload_form(who: &Who, s: &Situation, kind: &ActivityType, kept: &[Kept]) -> Form {
    let mut form = who.form_at(s.cycle.version);
    for file in kept {
        form = form.with(Field::hidden(&format!("kept_{}", file.item), file.id.to_string()));
    }
    for item in kind.all_of.iter().chain(&kind.one_of) {
        let accept = item.kinds.iter().map(|kind| format!(".{kind}")).collect::<Vec<_>>().join(",");
        let control = Control::File { accept, multiple: true };
        form = form.with(Field::new(&proof_field(&item.code), &item.name, control).optional());
    }
    form
}

fn review(who: &Who, s: &Situation, activity: &Activity, typed: Typed) -> Review {
    let mut form = who.form_at(s.cycle.version);
    let mut judged = Vec::new();
    for file in open_files(activity) {
        let (bad, why) = (format!("return_{}", file.file), format!("reason_{}", file.file));
        form = form
            .with(Field::tick(&bad, &format!("Return “{}”", file.name)))
            .with(Field::text(&why, &format!("What is wrong with “{}”", file.name)).optional());
        judged.push((file.name.clone(), files::href(file.file), bad, why));
    }
    form = form.with(Field::area("reason", "In a sentence, for the partner", 2));
    let due = last_day(s, activity);
    Review {
        give_back: typed.onto(form),
        files: judged,
        after: format!("The partner can then claim its cost until {}.", date_words(due)),
    }
}
