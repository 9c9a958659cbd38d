//! More time to prove or to claim: asked for by the partner, granted or declined by whom the guide names.
//!
//! A wish is judged by the guide when it is asked for and again when it is granted, so nobody gets more than the guide
//! gives. While it waits for its answer the money waits too; where nobody answers in time it lapses.

use super::super::{Case, Outcome, Stamp, Teller, Told, check_text, need_reason, next_no, s3_forecast};
use super::claims::{claimable, last_day_to_claim};
use super::proof::{proof_days, running};
use super::{Command, Event};
use crate::calendar::{plus, words};
use crate::cycle::Cycle;
use crate::ids::UserId;
use crate::machine::Situation;
use crate::notice::{Notice, Topic};
use crate::people::{Role, Standing};
use crate::policy::rules::{self, MoreTime};
use crate::policy::{Decider, Extendable, Verdict};
use crate::refusal::{Reason, Refusal};
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};

/// A wish for more time on one window of a campaign, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Extension {
    /// Its number in the cycle.
    pub no: u16,
    pub campaign: u16,
    pub window: Extendable,
    /// Calendar days asked for.
    pub days: u16,
    pub reason: String,
    pub asked_by: UserId,
    pub asked_at: Instant,
    /// The last day to answer.
    pub answer_by: Date,
    pub state: ExtensionState,
    /// Calendar days granted; 0 unless granted.
    pub granted: u16,
    /// What was said with the decision.
    #[serde(default)]
    pub answer: String,
    pub decided_by: Option<UserId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionState {
    Asked,
    Granted,
    Declined,
    /// Nobody answered in time.
    Lapsed,
}

impl ExtensionState {
    pub fn label(self) -> &'static str {
        match self {
            ExtensionState::Asked => "asked",
            ExtensionState::Granted => "granted",
            ExtensionState::Declined => "declined",
            ExtensionState::Lapsed => "lapsed",
        }
    }
}

/// The last day of a campaign's window as it stands, while there is something to prove or to claim in it. Activities of
/// one campaign end on different days: of their proof it is the earliest day.
pub fn extended_day(s: &Situation, campaign: u16, window: Extendable) -> Option<Date> {
    match window {
        Extendable::Proof => proof_due_days(s, campaign).min(),
        Extendable::Claim => {
            let made =
                s.cycle.claims.iter().any(|claim| {
                    claim.campaign == campaign && claim.is_final && claim.state != super::ClaimState::Denied
                });
            last_day_to_claim(s, campaign).filter(|_| !made && claimable(s, campaign).is_positive())
        }
    }
}

fn proof_due_days(s: &Situation, campaign: u16) -> impl Iterator<Item = Date> {
    running(s)
        .filter(move |activity| activity.draft.campaign == campaign)
        .map(|activity| proof_days(s, activity).due(&s.policy))
}

/// The last day to ask for more time on a window, while the guide still gives some and none is asked for.
pub fn ask_by(s: &Situation, campaign: u16, window: Extendable) -> Option<Date> {
    let rules = s.policy.extension.as_ref()?;
    let is_asked = s.cycle.open_extensions().any(|open| open.campaign == campaign);
    let gives = rules.windows.contains(&window) && next_number(&s.cycle, campaign) <= rules.times && !is_asked;
    let last = match window {
        Extendable::Proof => proof_due_days(s, campaign).max(),
        Extendable::Claim => extended_day(s, campaign, window),
    };
    last.filter(|_| gives).map(|last| rules.ask_by(last))
}

/// The last day money is kept for a window that ends on `last`: longer while more time can be asked for after it, and
/// while a wish waits for its answer.
pub(super) fn held_until(s: &Situation, campaign: u16, window: Extendable, last: Date) -> Date {
    let concerns = |open: &&Extension| {
        open.campaign == campaign && (window == Extendable::Claim || open.window == Extendable::Proof)
    };
    let answer = s.cycle.open_extensions().filter(concerns).map(|open| open.answer_by).max();
    let rules = s.policy.extension.as_ref().filter(|rules| {
        rules.grace > 0 && rules.windows.contains(&window) && next_number(&s.cycle, campaign) <= rules.times
    });
    answer.into_iter().chain(rules.map(|rules| rules.ask_by(last))).fold(last, Date::max)
}

/// Which extension of its campaign the next one would be, counted from 1.
fn next_number(cycle: &Cycle, campaign: u16) -> u16 {
    let granted = |extension: &&Extension| extension.campaign == campaign && extension.state == ExtensionState::Granted;
    u16::try_from(cycle.extensions.iter().filter(granted).count()).unwrap_or(u16::MAX).saturating_add(1)
}

pub(super) fn ask(
    case: &Case,
    campaign: u16,
    window: Extendable,
    days: u16,
    reason: &str,
) -> Result<Vec<Outcome>, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    let name = &cycle.campaign(campaign).ok_or_else(|| s3_forecast::missing(campaign))?.draft.name;
    if let Some(open) = cycle.open_extensions().find(|open| open.campaign == campaign) {
        return Err(Refusal::new(
            "extension_open",
            format!(
                "More time on “{name}” was asked for {} and is not decided yet.",
                words(open.asked_at.date_naive())
            ),
            format!("The answer comes by {}.", words(open.answer_by)),
        ));
    }
    let mut reasons = Vec::new();
    check_text("reason", "The reason", reason, 2_000, &mut reasons);
    match judged(s, campaign, window, case.today, days) {
        None => reasons.push(nothing_open(name, window)),
        Some((_, verdict)) if verdict.fails() => reasons.push(verdict.reason().at("days")),
        Some(_) => {}
    }
    Refusal::unless_empty(reasons)?;
    let answer_days = s.policy.extension.as_ref().map_or(0, |rules| rules.answer_days);
    let extension = Extension {
        no: next_no(cycle.extensions.iter().map(|extension| extension.no)),
        campaign,
        window,
        days,
        reason: reason.trim().to_owned(),
        asked_by: case.actor.user(),
        asked_at: case.now,
        answer_by: plus(case.today, answer_days),
        state: ExtensionState::Asked,
        granted: 0,
        answer: String::new(),
        decided_by: None,
    };
    Ok(vec![Event::ExtensionAsked { extension }.into()])
}

/// What the guide says of a wish, with the day the window would then end on: of the first activity whose proof it still
/// comes in time for, or of the claim. `None` where nothing is open in that window.
fn judged(s: &Situation, campaign: u16, window: Extendable, asked_on: Date, wanted: u16) -> Option<(Date, Verdict)> {
    let number = next_number(&s.cycle, campaign);
    let rule = |last: Date| {
        let of = MoreTime { window, last, asked_on: Some(asked_on), wanted, number };
        (plus(last, wanted), rules::extension(&s.policy, of))
    };
    let mut days: Vec<Date> = match window {
        Extendable::Proof => proof_due_days(s, campaign).collect(),
        Extendable::Claim => extended_day(s, campaign, window).into_iter().collect(),
    };
    days.sort_unstable();
    let all: Vec<(Date, Verdict)> = days.into_iter().map(rule).collect();
    let passes = all.iter().find(|(_, verdict)| !verdict.fails()).cloned();
    passes.or_else(|| all.into_iter().next_back())
}

fn nothing_open(name: &str, window: Extendable) -> Reason {
    match window {
        Extendable::Proof => Reason::new(
            "nothing_to_extend",
            format!("“{name}” has no activity whose proof is still to come."),
            "Ask for more time to claim, if that is what is short.",
        ),
        Extendable::Claim => Reason::new(
            "nothing_to_extend",
            format!("“{name}” has nothing left to claim."),
            "There is no window to make longer.",
        ),
    }
    .at("window")
}

pub(super) fn grant(case: &Case, no: u16, days: u16, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    let extension = undecided(case, no)?;
    let mut reasons = Vec::new();
    if days == 0 || days > extension.days {
        let why = format!("{} days were asked for.", extension.days);
        reasons.push(Reason::new("days", why, format!("Grant 1 to {}, or decline.", extension.days)).at("days"));
    } else if days < extension.days {
        check_text("reason", "The reason for granting fewer days", reason, 2_000, &mut reasons);
    }
    let asked_on = extension.asked_at.date_naive();
    let judged = judged(case.s, extension.campaign, extension.window, asked_on, days);
    match &judged {
        None => {
            let campaign = case.s.cycle.campaign(extension.campaign);
            let name = campaign.map_or("", |campaign| campaign.draft.name.as_str());
            reasons.push(nothing_open(name, extension.window));
        }
        Some((_, verdict)) if verdict.fails() && reasons.is_empty() => reasons.push(verdict.reason().at("days")),
        Some(_) => {}
    }
    Refusal::unless_empty(reasons)?;
    let until = judged.map_or(extension.answer_by, |(until, _)| until);
    Ok(vec![Event::ExtensionGranted { extension: no, days, reason: reason.trim().to_owned(), until }.into()])
}

pub(super) fn decline(case: &Case, no: u16, reason: &str) -> Result<Vec<Outcome>, Refusal> {
    undecided(case, no)?;
    need_reason(reason)?;
    Ok(vec![Event::ExtensionDeclined { extension: no, reason: reason.trim().to_owned() }.into()])
}

/// Asked for, not decided, and neither the actor nor whom they stand in for asked for it.
fn undecided<'a>(case: &'a Case, no: u16) -> Result<&'a Extension, Refusal> {
    let found = case.s.cycle.extension(no);
    let missing = || Refusal::new("no_extension", format!("There is no extension {no}."), "Look at the cycle again.");
    let extension = found.ok_or_else(missing)?;
    if extension.state != ExtensionState::Asked {
        return Err(Refusal::new(
            "extension_decided",
            format!("This wish for more time is {} already.", extension.state.label()),
            "The partner can ask again while the program gives more time.",
        ));
    }
    let decider = decider(case)?;
    if case.people().contains(&extension.asked_by) || decider.user == extension.asked_by {
        return Err(Refusal::new(
            "own_extension",
            "You, or the colleague you stand in for, asked for this time, so you cannot grant or decline it.",
            "Another colleague with the same duty decides it.",
        ));
    }
    Ok(extension)
}

/// The standing in which the actor decides, as the guide names it.
fn decider<'a>(case: &'a Case) -> Result<&'a Standing, Refusal> {
    let by = case.s.policy.extension.as_ref().map_or(Decider::ChannelManager, |rules| rules.decided_by);
    let standing = case.actor.standing_that(|standing| {
        !standing.is_partner()
            && match by {
                Decider::ChannelManager => {
                    standing.has(Role::ChannelManager) && standing.covers(&case.s.partner.region)
                }
                Decider::Finance => standing.has(Role::Finance),
            }
    });
    standing.ok_or_else(|| {
        Refusal::new(
            "not_the_decider",
            "More time is not yours to grant or decline.",
            format!("In this program {} decides it.", by.words()),
        )
    })
}

/// Wishes nobody answered in time: the deadline stands.
pub(super) fn lapsed(s: &Situation, today: Date) -> Vec<Outcome> {
    let late = s.cycle.open_extensions().filter(|extension| extension.answer_by < today);
    late.map(|extension| Event::ExtensionLapsed { extension: extension.no }.into()).collect()
}

pub(super) fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    let mut decide = |no: u16, state: ExtensionState, granted: u16, answer: &str| {
        let Some(extension) = cycle.extensions.iter_mut().find(|extension| extension.no == no) else { return };
        extension.state = state;
        extension.granted = granted;
        answer.clone_into(&mut extension.answer);
        extension.decided_by = Some(stamp.by).filter(|_| state != ExtensionState::Lapsed);
    };
    match event {
        Event::ExtensionAsked { extension } => cycle.extensions.push(extension.clone()),
        Event::ExtensionGranted { extension, days, reason, .. } => {
            decide(*extension, ExtensionState::Granted, *days, reason);
        }
        Event::ExtensionDeclined { extension, reason } => decide(*extension, ExtensionState::Declined, 0, reason),
        Event::ExtensionLapsed { extension } => decide(*extension, ExtensionState::Lapsed, 0, ""),
        _ => {}
    }
}

pub(super) fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    let no = match event {
        Event::ExtensionAsked { extension } => extension.no,
        Event::ExtensionGranted { extension, .. }
        | Event::ExtensionDeclined { extension, .. }
        | Event::ExtensionLapsed { extension } => *extension,
        _ => return Told::quiet("execution.noted", ""),
    };
    let Some(extension) = teller.cycle.extension(no) else { return Told::quiet("execution.noted", "") };
    let campaign = teller.cycle.campaign(extension.campaign);
    let name = campaign.map_or_else(String::new, |campaign| campaign.draft.name.clone());
    let page = format!("/execution/campaigns/{}/extension", extension.campaign);
    let stake = claimable(teller.s, extension.campaign);
    let about = |notice: Notice, due: Option<Date>| notice.item(name.clone()).amount(stake).due(due);
    let to_partner = |topic, due| about(teller.to_partner(topic, &page), due);
    let to_decider = |topic, due| {
        let notice = match teller.s.policy.extension.as_ref().map(|rules| rules.decided_by) {
            Some(Decider::Finance) => teller.to_finance(topic, &page),
            _ => teller.to_manager(topic, &page),
        };
        about(notice, due)
    };
    let purpose = extension.window.purpose();
    let stands = extended_day(teller.s, extension.campaign, extension.window);
    match event {
        Event::ExtensionGranted { days, reason, until, .. } => {
            let said = if reason.is_empty() { String::new() } else { format!(": “{reason}”") };
            let days = rules::days(*days);
            let granted = to_partner(Topic::ExtensionGranted, Some(*until));
            Told::new(
                "execution.extension_granted",
                format!("{by} granted {days} more {purpose} on “{name}”, until {}{said}", words(*until)),
            )
            .to(if reason.is_empty() { granted } else { granted.reason(reason) })
        }
        Event::ExtensionDeclined { reason, .. } => Told::new(
            "execution.extension_declined",
            format!("{by} declined more time {purpose} on “{name}”: “{reason}”"),
        )
        .to(to_partner(Topic::ExtensionDeclined, stands).reason(reason)),
        Event::ExtensionLapsed { .. } => {
            let why = format!("Nobody answered by {}; the deadline stands.", words(extension.answer_by));
            Told::new("execution.extension_lapsed", format!("More time {purpose} on “{name}”: {why}"))
                .to(to_partner(Topic::ExtensionDeclined, stands).reason(&why))
                .to(to_decider(Topic::ExtensionDeclined, stands).reason(&why))
        }
        _ => Told::new(
            "execution.extension_asked",
            format!(
                "{by} asked for {} more {purpose} on “{name}”: “{}”",
                rules::days(extension.days),
                extension.reason
            ),
        )
        .to(to_decider(Topic::ExtensionAsked, Some(extension.answer_by)).reason(&extension.reason)),
    }
}

impl Extension {
    /// The command that asks for it again, for pages that ask the rules whether it may be.
    pub fn wish(campaign: u16, window: Extendable, days: u16) -> Command {
        Command::AskExtension { campaign, window, days, reason: "To be said.".to_owned() }
    }
}
