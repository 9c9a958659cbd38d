//! Step 5, request: how much MDF is asked, from which fund, for which cost lines, under which terms.
//!
//! The program guide judges the request rule by rule; the same verdicts are shown to the partner before
//! submitting, decide the submission, and are kept for the approver.

use super::{Case, Outcome, Stamp, Teller, Told, check_optional};
use crate::calendar::words;
use crate::cycle::{Cycle, Stage};
use crate::fund::Fund;
use crate::ids::{FundId, UserId};
use crate::ledger::{Account, AccountKind};
use crate::machine::Situation;
use crate::money::Money;
use crate::notice::Topic;
use crate::policy::{Gate, Late};
use crate::refusal::{Reason, Refusal};
use crate::steps::s2_scorecard::Light;
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};

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

/// One rule's judgement, for people and machines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    pub rule: String,
    pub outcome: Judgement,
    pub sentence: String,
    /// What would make it pass; empty where it passes.
    pub remedy: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    Pass,
    Warn,
    Fail,
    NotApplicable,
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
    Saved { draft: RequestDraft },
    Submitted { draft: RequestDraft, guide_version: String, verdicts: Vec<Verdict>, due: Date },
    Reopened {},
    Withdrawn { level: u8 },
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
            let failed = verdicts.iter().filter(|verdict| verdict.outcome == Judgement::Fail);
            Refusal::unless_empty(
                failed
                    .map(|verdict| {
                        Reason::new(&verdict.rule, verdict.sentence.clone(), verdict.remedy.clone())
                            .at(field_of(&verdict.rule))
                    })
                    .collect(),
            )?;
            let due = super::s6_approval::due(&case.s.policy, 1, case.today);
            Event::Submitted { draft: draft.clone(), guide_version: case.s.policy.guide.version.clone(), verdicts, due }
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
        "fund" | "funds_available" => "fund",
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

/// The most a partner may ask for a cost line: its cost times the share the guide gives the activity, rounded down.
pub fn most_for(s: &Situation, activity: u16, line: u16) -> Option<Money> {
    let draft = &s.cycle.activity(activity)?.draft;
    line_cost(&s.cycle, activity, line)?.share(s.policy.share_for(&s.partner, &draft.kind, draft.starts)).ok()
}

/// The whole guide applied to a request, rule by rule, in the order the guide page lists them.
pub fn judge(s: &Situation, draft: &RequestDraft, today: Date) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    lead_time(s, draft, today, &mut verdicts);
    shares(s, draft, &mut verdicts);
    amounts(s, draft, today, &mut verdicts);
    gates(s, &mut verdicts);
    let terms = (
        draft.terms_accepted,
        "The program's terms are accepted.",
        "The program's terms are not accepted yet.",
        "Read them and tick the box.",
    );
    judged(&mut verdicts, "terms", terms);
    let text = draft.justification.trim().chars().count();
    judged(
        &mut verdicts,
        "justification",
        (
            text >= 20,
            "The request says what the money will bring.",
            "The request does not say what the money will bring.",
            "Write a sentence or two that justify the return you forecast.",
        ),
    );
    verdicts
}

fn judged(verdicts: &mut Vec<Verdict>, rule: &str, (holds, pass, fail, remedy): (bool, &str, &str, &str)) {
    let (outcome, sentence, remedy) = if holds { (Judgement::Pass, pass, "") } else { (Judgement::Fail, fail, remedy) };
    verdicts.push(Verdict { rule: rule.to_owned(), outcome, sentence: sentence.to_owned(), remedy: remedy.to_owned() });
}

fn lead_time(s: &Situation, draft: &RequestDraft, today: Date, verdicts: &mut Vec<Verdict>) {
    let rule = &s.policy.lead_time;
    let asks = rule.count.words(rule.days);
    // An activity nothing is asked for may start when it likes; before anything is asked, all are shown.
    let asked = |no: u16| draft.lines.iter().any(|line| line.activity == no && line.asked.is_positive());
    let nothing_yet = !draft.lines.iter().any(|line| line.asked.is_positive());
    for activity in s.cycle.activities.iter().filter(|activity| nothing_yet || asked(activity.no)) {
        let (name, starts) = (&activity.draft.name, activity.draft.starts);
        let last = s.policy.last_day_to_ask(starts, &s.partner.country);
        let mut say = |outcome, sentence: String, remedy: &str| {
            verdicts.push(Verdict { rule: "lead_time".to_owned(), outcome, sentence, remedy: remedy.to_owned() });
        };
        if today <= last {
            say(
                Judgement::Pass,
                format!("“{name}” starts {}; the last day to ask is {}.", words(starts), words(last)),
                "",
            );
            continue;
        }
        let late = format!(
            "“{name}” starts {}; the program asks for {asks}, so the last day to ask was {}.",
            words(starts),
            words(last)
        );
        match rule.late {
            Late::NeedsReason if !draft.late_reason.trim().is_empty() => {
                say(Judgement::Warn, format!("{late} A reason is given."), "");
            }
            Late::NeedsReason => say(Judgement::Fail, late, "Give a reason to ask late."),
            Late::Refused => say(Judgement::Fail, late, "Move the activity to a later day in the action plan."),
        }
    }
}

fn shares(s: &Situation, draft: &RequestDraft, verdicts: &mut Vec<Verdict>) {
    for asked in &draft.lines {
        let (Some(most), Some(activity)) = (most_for(s, asked.activity, asked.line), s.cycle.activity(asked.activity))
        else {
            continue;
        };
        let share = (s.policy.share_for(&s.partner, &activity.draft.kind, activity.draft.starts)
            * rust_decimal::Decimal::ONE_HUNDRED)
            .normalize();
        let line =
            activity.draft.costs.iter().find(|cost| cost.no == asked.line).map_or("", |cost| cost.description.as_str());
        let holds = asked.asked.minor <= most.minor;
        let pass = format!("“{line}”: {} asked, the program pays up to {most} ({share} %).", asked.asked);
        let fail = format!("“{line}” asks {}; the program pays at most {share} %, which is {most}.", asked.asked);
        judged(verdicts, "vendor_share", (holds, &pass, &fail, "Lower the amount for this line."));
    }
}

fn amounts(s: &Situation, draft: &RequestDraft, today: Date, verdicts: &mut Vec<Verdict>) {
    let total = s.cycle.sum(draft.lines.iter().map(|line| line.asked));
    let least = s.policy.amount(s.policy.request.minimum);
    let fail = format!("The request asks {total}, less than the program's minimum of {least}.");
    judged(
        verdicts,
        "minimum",
        (
            total.minor >= least.minor && total.is_positive(),
            &format!("The request asks {total}; the minimum is {least}."),
            &fail,
            "Ask for more, or leave this campaign to another cycle.",
        ),
    );
    let Some(fund) = s.fund(draft.fund) else { return };
    let right = fund.currency == s.cycle.currency;
    judged(
        verdicts,
        "fund",
        (
            right,
            &format!("{} is kept in {}, as this cycle is.", fund.name, fund.currency),
            &format!("{} is kept in {}, this cycle in {}.", fund.name, fund.currency, s.cycle.currency),
            "Choose a fund in the cycle's currency.",
        ),
    );
    if right {
        let free = free_in(s, fund, today);
        let fail = format!("The request asks {total}; {free} is free for {} in {}.", s.partner.name, fund.name);
        judged(
            verdicts,
            "funds_available",
            (
                total.minor <= free.minor,
                &format!("{free} is free for {} in {}.", s.partner.name, fund.name),
                &fail,
                &format!("Ask for {free} or less, choose another fund, or ask your channel manager for an allocation."),
            ),
        );
    }
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

fn gates(s: &Situation, verdicts: &mut Vec<Verdict>) {
    for gate in &s.policy.request.gates {
        match gate {
            Gate::PlanAgreed => judged(
                verdicts,
                "plan_agreed",
                (
                    s.cycle.plan.agreed.is_some(),
                    "The business plan is agreed.",
                    "The business plan is not agreed.",
                    "Ask your channel manager to agree it.",
                ),
            ),
            Gate::ScorecardNotRed => {
                let red = s.cycle.scorecard.result.as_ref().is_none_or(|result| result.light == Light::Red);
                judged(
                    verdicts,
                    "scorecard_not_red",
                    (
                        !red,
                        "The scorecard is not red.",
                        "The scorecard is red.",
                        "Work on the blueprint's first lines and answer the scorecard again.",
                    ),
                );
            }
            Gate::GoodStanding => judged(
                verdicts,
                "good_standing",
                (
                    s.partner.good_standing,
                    "The partner is in good standing.",
                    "The partner is not in good standing.",
                    "Talk to your channel manager.",
                ),
            ),
        }
    }
}

pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    match event {
        Event::Saved { draft } => keep(&mut cycle.request, draft),
        Event::Submitted { draft, guide_version, verdicts, due } => {
            keep(&mut cycle.request, draft);
            cycle.request.submitted = Some(Submitted {
                by: stamp.by,
                at: stamp.at,
                guide_version: guide_version.clone(),
                verdicts: verdicts.clone(),
            });
            cycle.request.returned = None;
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
        Event::Submitted { due, .. } => Told::new("request.submitted", format!("{by} asked for {total}."))
            .to(teller.to_approvers(Topic::RequestSubmitted, 1).amount(total).due(Some(*due))),
        Event::Reopened {} => {
            Told::new("action_plan.reopened", format!("{by} went back to the action plan; it is a draft again."))
        }
        Event::Withdrawn { level } => Told::new("request.withdrawn", format!("{by} took the request back."))
            .to(teller.to_approvers(Topic::RequestWithdrawn, *level).amount(total)),
    }
}
