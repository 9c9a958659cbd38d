//! The left-hand side of a decision: everything known about the request, most telling first.

use domain::cycle::Stage;
use domain::forecast::{Assumptions, FunnelStage, Range, Tactic};
use domain::machine::Situation;
use domain::money::Money;
use domain::steps::s3_forecast::Campaign;
use domain::steps::s4_action_plan::ActivityDraft;
use domain::steps::s6_approval::{Before, LevelDecision};
use rust_decimal::Decimal;

use crate::view::{Amount, Badge, Rules, Tone, date_words, light_badge, percent_words};

pub(super) struct ApprovalFacts {
    pub campaigns: Vec<CampaignFact>,
    pub justification: String,
    pub late_reason: String,
    pub sections: Vec<(String, Badge)>,
    pub scorecard: Option<Badge>,
    pub scorecard_words: String,
    pub rules: Rules,
    pub rules_in_words: String,
    pub past: Vec<PastDecision>,
    pub amendment: Option<Amendment>,
    pub thread: Vec<Talk>,
}

pub(super) struct CampaignFact {
    pub name: String,
    pub about: String,
    pub cost: Amount,
    pub asked: Amount,
    pub roi: String,
    pub chance: String,
    pub wins: String,
    pub evidence: Option<String>,
    /// Assumptions outside the benchmark, in words, and the partner's reason.
    pub unusual: Vec<String>,
    pub reason: String,
}

pub(super) struct PastDecision {
    pub words: String,
    pub when: String,
    pub total: Amount,
    pub reasons: Vec<String>,
}

/// A round of approval that a change opened: what stood before, what is wanted now.
pub(super) struct Amendment {
    pub reason: String,
    pub changes: Vec<Change>,
    pub before: Amount,
    pub now: Amount,
}

pub(super) struct Change {
    pub what: String,
    pub before: String,
    pub now: String,
}

pub(super) struct Talk {
    pub who: String,
    pub when: String,
    pub text: String,
    pub answer: Option<(String, String)>,
}

impl ApprovalFacts {
    pub fn of(s: &Situation) -> Self {
        let cycle = &s.cycle;
        let sent = cycle.request.submitted.as_ref().map(|sent| sent.verdicts.clone()).unwrap_or_default();
        // An amendment is judged by itself; what was said of the first request is past.
        let amended = cycle.approval.before.as_ref().map(|before| before.said.clone());
        let verdicts = amended.filter(|said| !said.is_empty()).unwrap_or(sent);
        let result = cycle.scorecard.result.as_ref();
        Self {
            campaigns: cycle.campaigns.iter().map(|campaign| campaign_fact(s, campaign)).collect(),
            justification: cycle.request.justification.clone(),
            late_reason: cycle.request.late_reason.clone(),
            sections: result
                .map(|result| {
                    result.sections.iter().map(|section| (section.name.clone(), light_badge(section.light))).collect()
                })
                .unwrap_or_default(),
            scorecard: result.map(|result| light_badge(result.light)),
            scorecard_words: scorecard_words(s),
            rules: Rules::of(&verdicts),
            rules_in_words: Rules::words(&verdicts),
            past: cycle.approval.decisions.iter().map(|decision| past(s, decision)).collect(),
            amendment: cycle.approval.before.as_ref().map(|before| amendment(s, before)),
            thread: cycle
                .approval
                .thread
                .iter()
                .map(|question| Talk {
                    who: question.by_name.clone(),
                    when: date_words(question.at.date_naive()),
                    text: question.text.clone(),
                    answer: question.answer.as_ref().map(|answer| (answer.by_name.clone(), answer.text.clone())),
                })
                .collect(),
        }
    }
}

fn scorecard_words(s: &Situation) -> String {
    let Some(result) = &s.cycle.scorecard.result else { return "The scorecard was not answered.".to_owned() };
    let verified =
        if s.cycle.scorecard.verified.is_some() { "verified by the channel manager" } else { "not verified" };
    format!("{} % of the points, {verified}", result.percent)
}

fn campaign_fact(s: &Situation, campaign: &Campaign) -> CampaignFact {
    let cycle = &s.cycle;
    let of_campaign = |activity: u16| cycle.activity(activity).is_some_and(|found| found.draft.campaign == campaign.no);
    let asked = cycle.request.lines.iter().filter(|line| of_campaign(line.activity)).map(|line| line.asked);
    let tactic = s.benchmarks.tactic(&campaign.draft.tactic);
    let frozen = campaign.baseline.as_ref();
    let assumptions = frozen.map_or(&campaign.draft.assumptions, |baseline| &baseline.assumptions);
    let percent = |value: Decimal| percent_words(value.round_dp(0));
    CampaignFact {
        name: campaign.draft.name.clone(),
        about: format!(
            "{} · {}",
            tactic.map_or(campaign.draft.tactic.as_str(), |tactic| &tactic.name),
            campaign.draft.audience
        ),
        cost: campaign.draft.cost.into(),
        asked: cycle.sum(asked).into(),
        roi: frozen.and_then(|baseline| baseline.roi).map_or_else(
            || "–".to_owned(),
            |roi| format!("{} ({} to {})", percent(roi.p50), percent(roi.p10), percent(roi.p90)),
        ),
        chance: frozen.map_or_else(|| "–".to_owned(), |baseline| format!("{} %", baseline.chance)),
        wins: assumptions.funnel()[FunnelStage::Wins as usize].round_dp(1).normalize().to_string(),
        evidence: evidence(s, campaign),
        unusual: tactic.map(|tactic| unusual(assumptions, tactic, campaign.draft.cost)).unwrap_or_default(),
        reason: campaign.draft.reason.clone(),
    }
}

/// What closed cycles of this tactic turned responses into, beside what this one plans.
fn evidence(s: &Situation, campaign: &Campaign) -> Option<String> {
    let seen = s.evidence.iter().find(|evidence| evidence.tactic == campaign.draft.tactic)?;
    let (responses, wins) = (seen.counts[FunnelStage::Responses as usize], seen.counts[FunnelStage::Wins as usize]);
    if responses < 1.0 {
        return None;
    }
    let planned = campaign.draft.assumptions.funnel();
    let plan = if planned[0].is_zero() { Decimal::ZERO } else { planned[5] / planned[0] * Decimal::ONE_HUNDRED };
    Some(format!(
        "Of 100 responses it plans {} wins; closed cycles like it got {:.1}.",
        plan.round_dp(1).normalize(),
        wins / responses * 100.0
    ))
}

/// "Lead rate 30 %, usually 5 to 20 %".
fn unusual(assumed: &Assumptions, tactic: &Tactic, cost: Money) -> Vec<String> {
    let share = |value: Decimal| format!("{} %", (value * Decimal::ONE_HUNDRED).round_dp(1).normalize());
    let plain = |value: Decimal| value.round_dp(0).normalize().to_string();
    let say = |name: &str, value: Decimal, range: Range, show: &dyn Fn(Decimal) -> String| {
        format!("{name} {}, usually {} to {}", show(value), show(range.low), show(range.high))
    };
    let per_response = || {
        let responses = Decimal::from(assumed.responses.max(1));
        say("Cost per response", (cost.decimal() / responses).round_dp(2), tactic.cost_per_response, &plain)
    };
    assumed
        .unusual(tactic, cost)
        .into_iter()
        .map(|field| match field {
            "responses" => per_response(),
            "lead_rate" => say("Lead rate", assumed.lead_rate, tactic.lead_rate, &share),
            "mql_rate" => say("Rate of qualified leads", assumed.mql_rate, tactic.mql_rate, &share),
            "opportunity_rate" => say("Opportunity rate", assumed.opportunity_rate, tactic.opportunity_rate, &share),
            "proposal_rate" => say("Proposal rate", assumed.proposal_rate, tactic.proposal_rate, &share),
            "win_rate" => say("Win rate", assumed.win_rate, tactic.win_rate, &share),
            _ => say("Deal size", assumed.deal_size.decimal(), tactic.deal_size, &plain),
        })
        .collect()
}

fn past(s: &Situation, decision: &LevelDecision) -> PastDecision {
    let cycle = &s.cycle;
    let place = decision.standing_in_for.as_ref().map_or_else(String::new, |name| format!(", standing in for {name}"));
    let reasons = decision.lines.iter().filter(|line| !line.reason.is_empty()).map(|line| {
        let name = super::describe(cycle, line.activity, line.line);
        format!("“{name}” gets {}: {}", Amount::from(line.amount).plain(), line.reason)
    });
    PastDecision {
        words: format!("Level {}: {}{place}", decision.level, decision.by_name),
        when: date_words(decision.at.date_naive()),
        total: cycle.sum(decision.lines.iter().map(|line| line.amount)).into(),
        reasons: reasons.collect(),
    }
}

fn amendment(s: &Situation, before: &Before) -> Amendment {
    let cycle = &s.cycle;
    let mut changes = Vec::new();
    for now in cycle.activities.iter().filter(|activity| activity.no == before.activity) {
        let Some(old) = before.activities.iter().find(|old| old.no == now.no) else { continue };
        changes_of(s, &old.draft, &now.draft, &mut changes);
        for line in &cycle.request.lines {
            let asked = before.request_lines.iter().find(|old| old.activity == line.activity && old.line == line.line);
            let old = asked.map_or_else(|| cycle.zero(), |line| line.asked);
            if line.activity == now.no && old != line.asked {
                let name = super::describe(cycle, line.activity, line.line);
                changes.push(change(format!("Asked for “{name}”"), amount(old), amount(line.asked)));
            }
        }
    }
    Amendment {
        reason: before.reason.clone(),
        changes,
        before: cycle
            .sum(before.lines.iter().filter(|line| line.activity == before.activity).map(|line| line.amount))
            .into(),
        now: cycle
            .sum(cycle.request.lines.iter().filter(|line| line.activity == before.activity).map(|line| line.asked))
            .into(),
    }
}

fn amount(money: Money) -> String {
    Amount::from(money).plain()
}

fn change(what: String, before: String, now: String) -> Change {
    Change { what, before, now }
}

fn changes_of(s: &Situation, old: &ActivityDraft, now: &ActivityDraft, changes: &mut Vec<Change>) {
    let kind = |code: &str| s.policy.activity_type(code).map_or_else(|| code.to_owned(), |kind| kind.name.clone());
    let days = |draft: &ActivityDraft| format!("{} to {}", date_words(draft.starts), date_words(draft.ends));
    let total = |draft: &ActivityDraft| amount(Money::new(draft.cost(), s.cycle.currency));
    let pairs = [
        ("name", old.name.clone(), now.name.clone()),
        ("kind", kind(&old.kind), kind(&now.kind)),
        ("place", old.place.clone(), now.place.clone()),
        ("days", days(old), days(now)),
        ("owner", old.owner.clone(), now.owner.clone()),
        ("cost", total(old), total(now)),
    ];
    let changed = pairs.into_iter().filter(|(_, before, now)| before != now);
    changes.extend(changed.map(|(what, before, after)| change(format!("{}, {what}", old.name), before, after)));
}

/// How a request that has left approval ended, as a badge; `None` while it is decided.
pub(super) fn ended(stage: Stage) -> Option<Badge> {
    match stage {
        Stage::Declined => Some(Badge::new(Tone::Bad, "Declined")),
        Stage::RequestDraft => Some(Badge::new(Tone::Warn, "Back with the partner")),
        _ => None,
    }
}
