//! Step 5, request: how much MDF is asked, from which fund, for which cost lines, under which terms.
//!
//! The program guide judges the request rule by rule; the same verdicts are shown to the partner before
//! submitting, decide the submission, and are kept for the approver.

mod terms;

pub use terms::{Accepted, AcceptedTerms, TermsChanged, accepted, changed, paragraphs};

use super::{Case, Outcome, Stamp, Teller, Told, check_optional};
use crate::cycle::{Cycle, Stage};
use crate::exchange::Rate;
use crate::fund::{Fund, FundKind};
use crate::ids::{FundId, UserId};
use crate::ledger::{Account, AccountKind};
use crate::machine::Situation;
use crate::money::Money;
use crate::notice::Topic;
use crate::policy::Shared;
use crate::policy::rules::{self, AskedFund, Asker, Asking, Planned, PlannedLine, priced};
use crate::refusal::{Reason, Refusal};
use crate::steps::s2_scorecard::Light;
use crate::steps::s4_action_plan::{Activity, ActivityDraft};
use crate::{Date, Instant};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use crate::policy::{Judgement, Verdict};

/// The MDF request as drafted and as submitted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Request {
    pub fund: Option<FundId>,
    pub lines: Vec<RequestLine>,
    pub justification: String,
    pub late_reason: String,
    pub submitted: Option<Submitted>,
    /// Why it was returned last, until it is submitted again.
    pub returned: Option<String>,
}

/// MDF asked for one cost line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLine {
    pub activity: u16,
    pub line: u16,
    pub asked: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Submitted {
    pub by: UserId,
    pub at: Instant,
    /// The version of the guide whose terms were accepted.
    pub guide_version: String,
    pub verdicts: Vec<Verdict>,
    /// The terms it was asked under; `None` in what was recorded before they were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Accepted>,
}

/// What the partner writes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestDraft {
    pub fund: FundId,
    pub lines: Vec<RequestLine>,
    #[serde(default)]
    pub justification: String,
    #[serde(default)]
    pub late_reason: String,
    #[serde(default)]
    pub terms_accepted: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    Save {
        draft: RequestDraft,
    },
    Submit {
        draft: RequestDraft,
    },
    /// Back to the action plan.
    Reopen {},
    /// Take a submitted request back before it is decided.
    Withdraw {},
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Saved {
        draft: RequestDraft,
    },
    Submitted {
        draft: RequestDraft,
        guide_version: String,
        verdicts: Vec<Verdict>,
        due: Date,
        /// Accepted with this request or before; `None` in what was recorded before they were kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Accepted>,
    },
    Reopened {},
    Withdrawn {
        level: u8,
    },
}

impl Request {
    /// The sum asked, over all lines.
    pub fn total(&self, cycle: &Cycle) -> Money {
        cycle.sum(self.lines.iter().map(|line| line.asked))
    }

    pub fn asked(&self, activity: u16, line: u16) -> Option<Money> {
        self.lines.iter().find(|asked| asked.activity == activity && asked.line == line).map(|asked| asked.asked)
    }
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    let event = match command {
        Command::Save { draft } => {
            sound(case.s, draft)?;
            Event::Saved { draft: draft.clone() }
        }
        Command::Submit { draft } => {
            sound(case.s, draft)?;
            let verdicts = judge(case.s, draft, case.today);
            let failed = verdicts.iter().filter(|verdict| verdict.fails());
            Refusal::unless_empty(failed.map(|verdict| verdict.reason().at(field_of(&verdict.rule))).collect())?;
            let due = super::s6_approval::due(case.s, 1, case.today);
            let draft = cut(case.s, draft, case.today);
            let guide_version = case.s.policy.guide.version.clone();
            let now = || {
                let (version, by_name) = (guide_version.clone(), case.actor.me.name.clone());
                Accepted { version, by_name, at: case.now }
            };
            let terms = Some(accepted(case.s).cloned().unwrap_or_else(now));
            Event::Submitted { draft, guide_version, verdicts, due, terms }
        }
        Command::Reopen {} => Event::Reopened {},
        Command::Withdraw {} => Event::Withdrawn { level: case.s.cycle.level },
    };
    Ok(vec![event.into()])
}

fn field_of(rule: &str) -> &str {
    match rule {
        "lead_time" => "late_reason",
        "terms" => "terms_accepted",
        "fund" | "funds_available" | "exchange_rate" => "fund",
        "justification" => "justification",
        _ => "lines",
    }
}

/// What any draft must respect: known fund, known lines, right currency.
fn sound(s: &Situation, draft: &RequestDraft) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    if s.fund(draft.fund).is_none() {
        reasons.push(
            Reason::new("fund", "That fund does not serve this program.", "Choose one from the list.").at("fund"),
        );
    }
    for asked in &draft.lines {
        let field = format!("asked_{}_{}", asked.activity, asked.line);
        if line_cost(&s.cycle, asked.activity, asked.line).is_none() {
            reasons.push(
                Reason::new(
                    "no_line",
                    format!("The action plan has no cost line {} in activity {}.", asked.line, asked.activity),
                    "Go back to the action plan, or leave it out.",
                )
                .at(&field),
            );
        }
        if !asked.asked.is_kept_in(s.cycle.currency, 0) {
            reasons.push(
                Reason::new("amount", format!("This amount is none in {}.", s.cycle.currency), "Enter zero or more.")
                    .at(&field),
            );
        }
    }
    let keys: std::collections::BTreeSet<(u16, u16)> =
        draft.lines.iter().map(|line| (line.activity, line.line)).collect();
    if keys.len() != draft.lines.len() {
        reasons.push(Reason::new("line_twice", "A cost line is asked for twice.", "Ask for each once."));
    }
    check_optional("justification", "The justification", &draft.justification, 4_000, &mut reasons);
    check_optional("late_reason", "The reason", &draft.late_reason, 2_000, &mut reasons);
    Refusal::unless_empty(reasons)
}

fn line_cost(cycle: &Cycle, activity: u16, line: u16) -> Option<Money> {
    cycle.activity(activity)?.draft.costs.iter().find(|cost| cost.no == line).map(|cost| cost.amount)
}

/// The most a partner may ask for a cost line: the share of what counts of it, rounded down.
pub fn most_for(s: &Situation, activity: u16, line: u16) -> Option<Money> {
    let all = facts(s, s.cycle.activities.iter().map(|activity| planned(activity, |_| Some(None))).collect());
    let most = priced(&s.policy, &all);
    let at = all.activities.iter().position(|planned| planned.no == activity)?;
    let line = all.activities[at].lines.iter().position(|planned| planned.no == line)?;
    most.get(at)?.get(line).copied()
}

/// The vendor's share of an activity as it is drafted.
pub fn share_of(s: &Situation, draft: &ActivityDraft) -> Decimal {
    s.policy.share_for(Shared {
        tier: Some(&s.partner.tier),
        activity: Some(&draft.kind),
        starts: Some(draft.starts),
        sponsors: draft.sponsors,
    })
}

/// The whole guide applied to a request, rule by rule, in the order the guide page lists them. Rules that have nothing
/// to say are left out.
pub fn judge(s: &Situation, draft: &RequestDraft, today: Date) -> Vec<Verdict> {
    let asking = asking(s, draft, today);
    let mut verdicts = rules::judge(&s.policy, &asking);
    let total = s.cycle.sum(draft.lines.iter().map(|line| line.asked));
    if total.is_positive() {
        verdicts.push(rules::bands(&s.policy, total, Some(&s.partner.country), Some(today), &[]));
    }
    verdicts.retain(|verdict| verdict.outcome != Judgement::NotApplicable);
    verdicts
}

/// A draft as the rules look at it.
pub fn asking(s: &Situation, draft: &RequestDraft, today: Date) -> Asking {
    let asked = |activity: u16, line: u16| {
        draft.lines.iter().find(|asked| (asked.activity, asked.line) == (activity, line)).map(|asked| Some(asked.asked))
    };
    let activities = s.cycle.activities.iter();
    let activities = activities.map(|activity| planned(activity, |line| asked(activity.no, line))).collect();
    let fund = s.fund(draft.fund).map(|fund| AskedFund {
        name: fund.name.clone(),
        currency: fund.currency,
        free: Some(free_in(s, fund, today)),
        rates: s.rates.clone(),
        case_by_case: fund.kind == FundKind::Proposal,
    });
    Asking {
        asked_on: Some(today),
        late_reason: Some(draft.late_reason.clone()),
        terms_accepted: Some(draft.terms_accepted || accepted(s).is_some()),
        justification: Some(draft.justification.clone()),
        fund,
        ..facts(s, activities)
    }
}

/// What is known of the partner and the plan, whatever is asked.
fn facts(s: &Situation, activities: Vec<Planned>) -> Asking {
    Asking {
        asked_on: None,
        currency: s.cycle.currency,
        partner: Asker {
            name: s.partner.name.clone(),
            tier: Some(s.partner.tier.clone()),
            country: Some(s.partner.country.clone()),
            plan_agreed: Some(s.cycle.plan.agreed.is_some()),
            scorecard: s.cycle.scorecard.result.as_ref().map(|result| result.light).or(Some(Light::Red)),
            good_standing: Some(s.partner.good_standing),
        },
        activities,
        late_reason: None,
        terms_accepted: None,
        justification: None,
        fund: None,
        accrual: s.in_period.earned,
        earlier: s.in_period.earlier.clone(),
    }
}

/// An activity with the lines that are asked for; `asked` gives the amount, or `None` for all the program pays.
fn planned(activity: &Activity, asked: impl Fn(u16) -> Option<Option<Money>>) -> Planned {
    let draft = &activity.draft;
    let lines = draft.costs.iter().filter_map(|cost| {
        Some(PlannedLine {
            no: cost.no,
            name: cost.description.clone(),
            category: Some(cost.category.clone()),
            cost: cost.amount,
            units: cost.units,
            asked: asked(cost.no)?,
            counts: None,
        })
    });
    Planned {
        no: activity.no,
        name: draft.name.clone(),
        kind: Some(draft.kind.clone()),
        starts: Some(draft.starts),
        ends: Some(draft.ends),
        sponsors: draft.sponsors,
        heads: draft.heads,
        lines: lines.collect(),
    }
}

/// The draft as it is sent: every line cut to what the program pays of it, where a cap cuts it.
pub fn cut(s: &Situation, draft: &RequestDraft, today: Date) -> RequestDraft {
    let asking = asking(s, draft, today);
    let most = priced(&s.policy, &asking);
    let mut draft = draft.clone();
    for (activity, most) in asking.activities.iter().zip(most) {
        for (line, most) in activity.lines.iter().zip(most) {
            let kept = draft.lines.iter_mut().find(|asked| (asked.activity, asked.line) == (activity.no, line.no));
            if let Some(kept) = kept.filter(|asked| asked.asked.minor > most.minor) {
                kept.asked = most;
            }
        }
    }
    draft
}

/// The request as it stands, as a draft again.
pub fn submitted(s: &Situation) -> RequestDraft {
    let request = &s.cycle.request;
    RequestDraft {
        fund: request.fund.unwrap_or(FundId(uuid::Uuid::nil())),
        lines: request.lines.clone(),
        justification: request.justification.clone(),
        late_reason: request.late_reason.clone(),
        terms_accepted: request.submitted.is_some(),
    }
}

/// What an amount of the cycle's currency comes to in a fund of another one on a day, and the rate; `None` where both are
/// kept in one. The refusal says which rate is missing, or that the guide names none.
pub fn in_fund(s: &Situation, fund: &Fund, amount: Money, today: Date) -> Result<Option<(Money, Rate)>, Refusal> {
    if fund.currency == s.cycle.currency {
        return Ok(None);
    }
    let rate = rate_of(s, fund, today)?;
    let takes = rate.convert(amount).map_err(|_| Refusal { reasons: vec![rules::too_large().reason()] })?;
    Ok(Some((takes, rate)))
}

/// The rate a cycle's money counts at in a fund of another currency: the approval's, which is kept, or that of the day.
pub(super) fn rate_of(s: &Situation, fund: &Fund, today: Date) -> Result<Rate, Refusal> {
    if let Some(kept) = &s.cycle.approval.exchange {
        return Ok(kept.rate);
    }
    if s.policy.exchange.is_none() {
        return Err(Refusal::new(
            "fund",
            format!("{} is kept in {}, the request in {}.", fund.name, fund.currency, s.cycle.currency),
            "Return it, so that the partner chooses a fund in its currency.",
        ));
    }
    let pair = (s.cycle.currency, fund.currency);
    rules::rate_on(&s.policy, &s.rates, pair, today).map_err(|verdict| Refusal { reasons: vec![verdict.reason()] })
}

/// What the partner can commit from a fund on a day: their wallet, or the fund itself where it is shared.
pub fn free_in(s: &Situation, fund: &Fund, today: Date) -> Money {
    Money::new(s.book.total(source(s, fund, today)), fund.currency)
}

/// The accounts a request on this fund draws from: the partner's own credit that has not expired, or what
/// nobody was given where the fund is shared.
pub(super) fn source(s: &Situation, fund: &Fund, today: Date) -> impl Fn(&Account) -> bool {
    let (fund, partner, shared) = (fund.id, s.partner.id, fund.kind.is_shared());
    move |account| {
        let own = account.kind == AccountKind::Available
            && account.partner == Some(partner)
            && account.lot.is_none_or(|day| day >= today);
        account.fund == fund && if shared { account.kind == AccountKind::Unallocated } else { own }
    }
}

pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    match event {
        Event::Saved { draft } => keep(&mut cycle.request, draft),
        Event::Submitted { draft, guide_version, verdicts, due, terms } => {
            keep(&mut cycle.request, draft);
            cycle.request.submitted = Some(Submitted {
                by: stamp.by,
                at: stamp.at,
                guide_version: guide_version.clone(),
                verdicts: verdicts.clone(),
                terms: terms.clone(),
            });
            cycle.request.returned = None;
            cycle.approval.asks(stamp.by);
            super::s6_approval::open(cycle, *due);
        }
        Event::Reopened {} => cycle.stage = Stage::ActionPlanDraft,
        Event::Withdrawn { .. } => super::s6_approval::back_to_partner(cycle),
    }
}

fn keep(request: &mut Request, draft: &RequestDraft) {
    request.fund = Some(draft.fund);
    request.lines.clone_from(&draft.lines);
    request.justification.clone_from(&draft.justification);
    request.late_reason.clone_from(&draft.late_reason);
}

pub fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    let total = teller.cycle.request.total(teller.cycle);
    match event {
        Event::Saved { .. } => Told::quiet("request.saved", format!("{by} saved the request.")),
        Event::Submitted { due, terms, .. } => {
            let fresh = terms.as_ref().filter(|_| accepted(teller.s).is_none());
            let agreed = fresh.map_or_else(String::new, |terms| {
                format!(" and accepted the program's terms, version {}", terms.version)
            });
            Told::new("request.submitted", format!("{by} asked for {total}{agreed}."))
                .to(teller.to_approvers(Topic::RequestSubmitted, 1).amount(total).due(Some(*due)))
        }
        Event::Reopened {} => {
            Told::new("action_plan.reopened", format!("{by} went back to the action plan; it is a draft again."))
        }
        Event::Withdrawn { level } => Told::new("request.withdrawn", format!("{by} took the request back."))
            .to(teller.to_approvers(Topic::RequestWithdrawn, *level).amount(total)),
    }
}
