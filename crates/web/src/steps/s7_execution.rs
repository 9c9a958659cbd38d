//! Step 7, execution and proof: /cycles/{no}/execution and the pages below it.
//!
//! This file is the overview: every activity with its deadline, every campaign's money, every claim, and the answer to
//! the question a partner has all along: will I be paid, and what is still missing.

pub mod activity;
pub mod amendment;
pub mod claim;
pub mod claim_form;
pub mod claims;
pub mod extension;
pub mod files;

use actix_web::web::Path;
use askama::Template;
use domain::machine::{Act, Command, CycleCommand, Situation, moves_of};
use domain::money::Money;
use domain::steps::s3_forecast::Campaign;
use domain::steps::s4_action_plan::Activity;
use domain::steps::s6_approval::{approved_for, committed};
use domain::steps::s7_execution::{self as rules, ActivityState, Claim, ClaimState, claimable, missing_proof};
use domain::{Date, calendar::plus};

use super::{look, timeline};
use crate::charts::{FundBar, FundPart, MoneyState, Unit};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{
    Amount, Badge, Due, Field, Form, HeaderStrip, Hub, HubItem, Timeline, Tone, activity_badge, claim_badge, count,
    date_words,
};

#[derive(Template)]
#[template(path = "s7_execution/execution.html")]
struct ExecutionPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    campaigns: Vec<CampaignBlock>,
    claims: Vec<ClaimRow>,
    /// It is the partner who looks, and asks “will I be paid?”.
    for_partner: bool,
    paid: Hub,
    clocks: Hub,
    cancel: Option<Form>,
    /// What cancelling the whole cycle would give back.
    at_stake: Amount,
    timeline: Timeline,
    approved: bool,
}

struct CampaignBlock {
    no: u16,
    name: String,
    code: Option<String>,
    cancelled: Option<String>,
    bar: FundBar,
    activities: Vec<ActivityRow>,
    claim: Option<(String, String)>,
    /// The page on more time, and what there is to do for the reader.
    more_time: Option<(String, &'static str)>,
    cancel: Option<Form>,
    held: Amount,
}

struct ActivityRow {
    name: String,
    href: String,
    days: String,
    state: Badge,
    approved: Amount,
    deadline: Option<(&'static str, Due)>,
    missing: String,
}

pub(super) struct ClaimRow {
    pub name: String,
    pub href: String,
    pub no: String,
    pub state: Badge,
    pub asked: Amount,
    pub approved: Amount,
    pub paid: Amount,
}

/// GET /cycles/{no}/execution
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, None, Typed::default()).await?)
}

/// POST /cycles/{no}/execution/campaigns/{campaign}/cancellation
pub async fn cancel_campaign(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, campaign) = at.into_inner();
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Execution(rules::Command::CancelCampaign { campaign, reason }), &posted).await
    };
    let (done, to) = (done.await, format!("/cycles/{no}/execution"));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, Some(campaign), typed).await).await
}

/// POST /cycles/{no}/execution/cancellation: the whole cycle.
pub async fn cancel_cycle(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Cycle(CycleCommand::Cancel { reason }), &posted).await
    };
    let (done, to) = (done.await, format!("/cycles/{no}"));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, Some(0), typed).await).await
}

/// The overview; `sent` says which cancellation was posted: a campaign's number, or 0 for the whole cycle.
async fn page(who: &Who, no: &str, sent: Option<u16>, typed: Typed) -> Result<ExecutionPage, Error> {
    let s = look(who, no).await?;
    let moves = moves_of(&s, who.actor());
    let reason = |wanted: u16| {
        let mut field = Field::area("reason", "Why", 2);
        field.id = format!("reason-{wanted}");
        let form = who.form_at(s.cycle.version).with(field);
        if sent == Some(wanted) { typed.clone().onto(form) } else { form }
    };
    let held: i64 = s.cycle.campaigns.iter().map(|campaign| committed(&s.cycle, &s.book, campaign.no)).sum();
    let block = |campaign: &Campaign| {
        let can_cancel = moves.contains(&Act::CancelCampaign) && campaign.cancelled.is_none();
        CampaignBlock {
            cancel: can_cancel.then(|| reason(campaign.no)),
            more_time: extension::link(&s, campaign.no, &moves),
            claim: claim_link(&s, campaign.no).filter(|_| moves.contains(&Act::SubmitClaim)),
            ..campaign_block(&s, campaign, who.today())
        }
    };
    Ok(ExecutionPage {
        shell: who.shell(&format!("Execution, {}", s.cycle.number)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        campaigns: s.cycle.campaigns.iter().map(block).collect(),
        claims: s.cycle.claims.iter().map(|claim| claim_row(&s, claim)).collect(),
        for_partner: who.actor().me.is_partner(),
        paid: Hub { items: will_i_be_paid(&s, moves.contains(&Act::SubmitClaim), who.today()) },
        clocks: Hub::clocks(&s, who.today(), |_| true),
        cancel: moves.contains(&Act::CancelCycle).then(|| reason(0)),
        at_stake: Money::new(held, s.cycle.currency).into(),
        timeline: timeline(who, &s).await?,
        approved: !s.cycle.approval.lines.is_empty(),
    })
}

fn campaign_block(s: &Situation, campaign: &Campaign, today: Date) -> CampaignBlock {
    let cycle = &s.cycle;
    let of_campaign = cycle.activities.iter().filter(|activity| activity.draft.campaign == campaign.no);
    let free = committed(cycle, &s.book, campaign.no);
    let approved: Amount = approved_for(cycle, campaign.no).into();
    CampaignBlock {
        no: campaign.no,
        name: campaign.draft.name.clone(),
        code: campaign.code.clone(),
        cancelled: campaign.cancelled.clone(),
        bar: bar(s, campaign.no, free, &approved),
        activities: of_campaign.map(|activity| activity_row(s, activity, today)).collect(),
        claim: None,
        more_time: None,
        cancel: None,
        held: Money::new(free, cycle.currency).into(),
    }
}

/// Where a campaign's money is: still committed, approved for payment, paid.
fn bar(s: &Situation, campaign: u16, committed: i64, approved: &Amount) -> FundBar {
    let claims = || s.cycle.claims.iter().filter(|claim| claim.campaign == campaign);
    let part = |state, amount| FundPart { state, amount, href: None };
    FundBar {
        caption: "Where its money is".to_owned(),
        sub: format!("{} approved", approved.plain()),
        unit: Unit::of(s.cycle.currency),
        parts: vec![
            part(MoneyState::Committed, committed),
            part(MoneyState::Claimed, claims().map(|claim| claim.outstanding().minor).sum()),
            part(MoneyState::Paid, claims().map(|claim| claim.paid().minor).sum()),
        ],
        bar_only: false,
    }
}

fn activity_row(s: &Situation, activity: &Activity, today: Date) -> ActivityRow {
    let draft = &activity.draft;
    let lines = s.cycle.approval.lines.iter().filter(|line| line.activity == activity.no);
    ActivityRow {
        name: draft.name.clone(),
        href: activity_href(&s.cycle.number, activity.no),
        days: days(draft.starts, draft.ends),
        state: activity_badge(activity.state),
        approved: s.cycle.sum(lines.map(|line| line.amount)).into(),
        deadline: deadline(s, activity).map(|(what, on)| (what, Due { on, today })),
        missing: missing(s, activity).join("; "),
    }
}

pub(super) fn days(starts: Date, ends: Date) -> String {
    if starts == ends { date_words(starts) } else { format!("{} to {}", date_words(starts), date_words(ends)) }
}

pub(super) fn activity_href(number: &str, activity: u16) -> String {
    format!("/cycles/{number}/execution/activities/{activity}")
}

pub(crate) fn claim_href(number: &str, claim: u16) -> String {
    format!("/cycles/{number}/claims/{claim}")
}

/// The next day that matters to an activity: its proof's, or, once proven, its claim's.
fn deadline(s: &Situation, activity: &Activity) -> Option<(&'static str, Date)> {
    match activity.state {
        ActivityState::Live | ActivityState::ProofReview => {
            Some(("Proof", rules::proof_days(s, activity).due(&s.policy)))
        }
        ActivityState::Proven if claimable(s, activity.draft.campaign).is_positive() => {
            Some(("Claim", rules::last_day_to_claim(s, activity.draft.campaign)?))
        }
        _ => None,
    }
}

/// What the checklist of a live activity still misses.
pub(super) fn missing(s: &Situation, activity: &Activity) -> Vec<String> {
    if activity.state != ActivityState::Live {
        return Vec::new();
    }
    let kind = s.policy.activity_type(&activity.draft.kind);
    kind.map(|kind| missing_proof(kind, &activity.proof)).unwrap_or_default()
}

pub(super) fn claim_row(s: &Situation, claim: &Claim) -> ClaimRow {
    let campaign = s.cycle.campaign(claim.campaign);
    ClaimRow {
        name: campaign.map_or_else(String::new, |campaign| campaign.draft.name.clone()),
        href: claim_href(&s.cycle.number, claim.no),
        no: format!("{}/{}", s.cycle.number, claim.no),
        state: claim_badge(claim.state),
        asked: claim.asked.into(),
        approved: claim.approved.into(),
        paid: claim.paid().into(),
    }
}

/// The address and the words of the button that starts a claim, while there is something proven and unclaimed.
fn claim_link(s: &Situation, campaign: u16) -> Option<(String, String)> {
    let proven = s
        .cycle
        .activities
        .iter()
        .any(|activity| activity.draft.campaign == campaign && activity.state == ActivityState::Proven);
    let left = claimable(s, campaign);
    let words = format!("Claim up to {}", Amount::from(left).plain());
    (proven && left.is_positive())
        .then(|| (format!("/cycles/{}/execution/campaigns/{campaign}/claim", s.cycle.number), words))
}

/// What stands between the partner and the money, campaign by campaign, each with its day.
/// Who may not claim sees what is left to claim, without the way there.
fn will_i_be_paid(s: &Situation, may_claim: bool, today: Date) -> Vec<HubItem> {
    let mut items = Vec::new();
    for campaign in s.cycle.campaigns.iter().filter(|campaign| campaign.code.is_some() && campaign.cancelled.is_none())
    {
        let activities = s.cycle.activities.iter().filter(|activity| activity.draft.campaign == campaign.no);
        items.extend(activities.filter_map(|activity| about_proof(s, activity, today)));
        items.extend(about_claim(s, campaign, may_claim, today));
        items.extend(
            s.cycle
                .claims
                .iter()
                .filter(|claim| claim.campaign == campaign.no)
                .map(|claim| about_payment(s, claim, today)),
        );
    }
    items
}

fn item(title: String, hint: String, href: Option<String>, state: Badge) -> HubItem {
    HubItem { title, hint, href, state }
}

/// The tone of a deadline: past, near, or with time to spare.
fn pressing(on: Date, today: Date) -> Tone {
    match (on - today).num_days() {
        days if days < 0 => Tone::Bad,
        days if days <= 7 => Tone::Warn,
        _ => Tone::Info,
    }
}

fn about_proof(s: &Situation, activity: &Activity, today: Date) -> Option<HubItem> {
    let href = Some(activity_href(&s.cycle.number, activity.no));
    let name = &activity.draft.name;
    let days = rules::proof_days(s, activity);
    let (due, last) = (days.due(&s.policy), days.last_day(&s.policy));
    match activity.state {
        ActivityState::Live if today < activity.draft.starts => {
            let hint = format!(
                "Starts {}; proof is due {}.",
                date_words(activity.draft.starts),
                Due { on: due, today }.plain()
            );
            Some(item(format!("Run “{name}”"), hint, href, Badge::new(Tone::Off, "Not begun")))
        }
        ActivityState::Live => {
            let missing = missing(s, activity).join("; ");
            let hint = format!(
                "Missing: {missing}. Due {}; after {} the money is released.",
                Due { on: due, today }.plain(),
                date_words(last)
            );
            Some(item(format!("Hand in proof of “{name}”"), hint, href, Badge::new(pressing(due, today), "Missing")))
        }
        ActivityState::ProofReview => {
            let hint = format!("{} with the channel manager.", count(activity.proof.len() as u64, "file", "files"));
            Some(item(format!("Proof of “{name}” is reviewed"), hint, href, Badge::new(Tone::Wait, "In review")))
        }
        ActivityState::Proven => {
            Some(item(format!("“{name}” is proven"), String::new(), href, Badge::new(Tone::Ok, "Done")))
        }
        ActivityState::Expired => {
            let hint = "No proof came in time; its money was released.".to_owned();
            Some(item(format!("“{name}” expired"), hint, href, Badge::new(Tone::Bad, "Expired")))
        }
        ActivityState::Cancelled | ActivityState::Planned => None,
    }
}

fn about_claim(s: &Situation, campaign: &Campaign, may_claim: bool, today: Date) -> Option<HubItem> {
    let left = claimable(s, campaign.no);
    let last = rules::last_day_to_claim(s, campaign.no)?;
    if !left.is_positive() {
        return None;
    }
    let (href, words) = claim_link(s, campaign.no)?;
    let hint = format!(
        "With your invoices, until {}. What is not claimed by then is released.",
        Due { on: last, today }.plain()
    );
    Some(item(
        format!("{words} on “{}”", campaign.draft.name),
        hint,
        Some(href).filter(|_| may_claim),
        Badge::new(pressing(last, today), "To claim"),
    ))
}

fn about_payment(s: &Situation, claim: &Claim, today: Date) -> HubItem {
    let submitted = claim.submitted_at.date_naive();
    let decided_by = plus(submitted, s.policy.claim.review_days);
    let paid_by = domain::deadlines::pay_by(s, claim);
    let (asked, paid) = (Amount::from(claim.asked).plain(), Amount::from(claim.paid()).plain());
    let left = Amount::from(claim.outstanding()).plain();
    let by = |on: Date| Due { on, today }.plain();
    let (title, hint) = match claim.state {
        ClaimState::Review => {
            (format!("Claim {} of {asked} is decided", claim.no), format!("Finance answers by {}.", by(decided_by)))
        }
        ClaimState::Payable => (format!("Claim {}: {left} will be paid", claim.no), format!("By {}.", by(paid_by))),
        ClaimState::PartPaid => {
            (format!("Claim {}: {paid} paid, {left} follows", claim.no), format!("By {}.", by(paid_by)))
        }
        ClaimState::Paid => (format!("Claim {}: {paid} paid", claim.no), String::new()),
        ClaimState::Denied => (format!("Claim {} was denied", claim.no), claim.reason.clone()),
        ClaimState::ClawedBack => {
            let amount = claim.clawback.as_ref().map_or(claim.asked, |clawback| clawback.amount);
            (format!("Claim {}: {} is to come back", claim.no, Amount::from(amount).plain()), String::new())
        }
    };
    item(title, hint, Some(claim_href(&s.cycle.number, claim.no)), claim_badge(claim.state))
}
