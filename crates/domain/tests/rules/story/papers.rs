//! What people write: plans, campaigns, requests, decisions, proof, claims.

use super::{FUND, day, eur};
use domain::ids::FileId;
use domain::machine::Situation;
use domain::money::Money;
use domain::steps::s1_plan::{Objective, PlanDraft};
use domain::steps::s2_scorecard::{Answer, Template};
use domain::steps::s3_forecast::CampaignDraft;
use domain::steps::s4_action_plan::{ActivityDraft, CostLine};
use domain::steps::s5_request::{self, RequestDraft, RequestLine};
use domain::steps::s6_approval::{self, LineDecision};
use domain::steps::s7_execution::{self, ClaimLineDraft, ProofUpload};
use domain::steps::s9_performance;
use uuid::Uuid;

pub fn plan() -> PlanDraft {
    let goal = Objective {
        no: 1,
        goal: "Win new customers for managed detection".to_owned(),
        measure: "new customers".to_owned(),
        target: 8,
    };
    PlanDraft { objectives: vec![goal], ..PlanDraft::default() }
}

/// The best answer to every question, or the worst.
pub fn answers(template: &Template, best: bool) -> Vec<Answer> {
    let option = |options: usize| if best { u8::try_from(options - 1).expect("few options") } else { 0 };
    let all = template.questions();
    all.map(|question| Answer { question: question.code.clone(), option: option(question.options.len()) }).collect()
}

pub fn campaign(s: &Situation, name: &str, tactic: &str, units: i64) -> CampaignDraft {
    let cost = Money::units(units, s.cycle.currency);
    CampaignDraft {
        name: name.to_owned(),
        tactic: tactic.to_owned(),
        audience: "IT managers of mid-size manufacturers".to_owned(),
        landing_url: Some("https://nordwind.example/mdr".to_owned()),
        cost,
        assumptions: s.benchmarks.tactic(tactic).expect("a tactic").assumptions(cost),
        reason: String::new(),
    }
}

/// One activity of a campaign with cost lines of these units.
pub fn activity(campaign: u16, kind: &str, starts: &str, ends: &str, costs: &[i64]) -> ActivityDraft {
    let lines = costs.iter().zip(1..).map(|(units, no)| CostLine {
        no,
        category: "agency".to_owned(),
        description: format!("Work package {no}"),
        amount: eur(*units),
        units: None,
    });
    ActivityDraft {
        campaign,
        name: format!("The {kind} of {starts}"),
        kind: kind.to_owned(),
        starts: day(starts),
        ends: day(ends),
        place: "Hamburg".to_owned(),
        owner: "Ana Ferreira".to_owned(),
        objective: 1,
        sponsors: None,
        heads: None,
        costs: lines.collect(),
    }
}

/// Asks for the vendor's share of every cost line.
pub fn request(s: &Situation) -> RequestDraft {
    let lines = s.cycle.activities.iter().flat_map(|activity| {
        activity.draft.costs.iter().map(|cost| RequestLine {
            activity: activity.no,
            line: cost.no,
            asked: s5_request::most_for(s, activity.no, cost.no).expect("a cost line"),
        })
    });
    RequestDraft {
        fund: FUND,
        lines: lines.collect(),
        justification: "Eight new customers at an average of 24,000 pay this back.".to_owned(),
        late_reason: String::new(),
        terms_accepted: true,
    }
}

/// Everything asked, on the level under way.
pub fn approval(s: &Situation) -> s6_approval::Command {
    let ceiling = s.cycle.approval.ceiling(&s.cycle);
    let lines = ceiling.into_iter().map(|most| LineDecision {
        activity: most.activity,
        line: most.line,
        amount: most.asked,
        reason: String::new(),
    });
    s6_approval::Command::Approve { lines: lines.collect() }
}

/// A file for every item of the activity's checklist.
pub fn proof(s: &Situation, no: u16) -> s7_execution::Command {
    let draft = &s.cycle.activity(no).expect("an activity").draft;
    let kind = s.policy.activity_type(&draft.kind).expect("a kind");
    let items = kind.all_of.iter().chain(kind.one_of.first());
    let files = items.zip(1..).map(|(item, number)| ProofUpload {
        item: item.code.clone(),
        file: FileId(Uuid::from_u128(u128::from(no) * 100 + number)),
        name: format!("{}.{}", item.code, item.kinds.first().map_or("pdf", String::as_str)),
        columns: None,
    });
    s7_execution::Command::SubmitProof { activity: no, files: files.collect() }
}

pub fn accept(no: u16) -> s7_execution::Command {
    s7_execution::Command::AcceptProof { activity: no }
}

/// One invoice of this amount for a cost line.
pub fn invoice(activity: u16, line: u16, actual: Money) -> ClaimLineDraft {
    ClaimLineDraft {
        activity,
        line,
        actual,
        vendor: "Hafen Events GmbH".to_owned(),
        invoice_no: format!("R-{activity}-{line}"),
        invoice_date: day("2026-04-01"),
        file: Some(FileId(Uuid::from_u128(9_000 + u128::from(activity) * 10 + u128::from(line)))),
    }
}

pub fn claim(campaign: u16, lines: Vec<ClaimLineDraft>, is_final: bool) -> s7_execution::Command {
    s7_execution::Command::SubmitClaim { campaign, lines, is_final }
}

/// More time on the campaign.
pub fn more_time(window: domain::policy::Extendable, days: u16) -> s7_execution::Command {
    let reason = "The organiser sends the list a week late".to_owned();
    s7_execution::Command::AskExtension { campaign: 1, window, days, reason }
}

/// The first wish for more time is granted.
pub fn grant_time(days: u16) -> s7_execution::Command {
    s7_execution::Command::GrantExtension { extension: 1, days, reason: String::new() }
}

pub fn approve_claim(no: u16, amount: Money) -> s7_execution::Command {
    s7_execution::Command::ApproveClaim { claim: no, amount, reason: "As invoiced".to_owned() }
}

pub fn settle(no: u16, amount: Money) -> s7_execution::Command {
    s7_execution::Command::RecordSettlement { claim: no, amount, reference: "SEPA-1".to_owned() }
}

/// The bank sent a payment of a claim back on the day of its last one.
pub fn came_back(s: &Situation, claim: u16, payment: u16) -> s7_execution::Command {
    let last = s.cycle.claim(claim).and_then(|claim| claim.payments.last());
    let on = last.map_or(day("2026-05-20"), |payment| payment.at.date_naive());
    let (reference, reason) = ("R-1".to_owned(), "Account closed".to_owned());
    s7_execution::Command::ReportPaymentReturn { claim, payment, on, reference, reason }
}

pub fn sign() -> s9_performance::Command {
    s9_performance::Command::Sign { lessons: "Call within a day.".to_owned() }
}

/// The amendment of an activity that asks for the vendor's share of its lines again.
pub fn amend(s: &Situation, no: u16, draft: ActivityDraft) -> s7_execution::Command {
    let share = s5_request::share_of(s, &draft);
    let lines = draft.costs.iter().map(|cost| RequestLine {
        activity: no,
        line: cost.no,
        asked: cost.amount.share(share).expect("a share"),
    });
    s7_execution::Command::Amend { activity: no, lines: lines.collect(), draft, reason: "The hall is taken".to_owned() }
}
