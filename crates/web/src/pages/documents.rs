//! The nine documents of a cycle and how far each is: the task list of its page.

use domain::cycle::{Cycle, Stage, Step};
use domain::machine::Situation;
use domain::money::Money;
use domain::steps::s6_approval::approved_for;
use domain::steps::s7_execution::{ActivityState, Claim, ClaimState};
use domain::steps::s8_tracking::window_closes;

use crate::view::{Amount, Badge, Hub, HubItem, Rail, Tone, capital, count, date_words, light_badge};

/// One line a step: its name, where it is opened, what it holds, its state.
pub fn hub(s: &Situation) -> Hub {
    let rail = Rail::of(&s.cycle);
    let items = Step::ALL.into_iter().zip(rail.steps).map(|(step, place)| {
        let (state, hint) = match place.href {
            Some(_) => document(s, step),
            None => (Badge::new(Tone::Off, "Still ahead"), String::new()),
        };
        HubItem { title: capital(step.label()), hint, href: place.href, state }
    });
    Hub { items: items.collect() }
}

fn document(s: &Situation, step: Step) -> (Badge, String) {
    let cycle = &s.cycle;
    match step {
        Step::Plan => plan(cycle),
        Step::Scorecard => scorecard(s),
        Step::Forecast => forecast(cycle),
        Step::ActionPlan => action_plan(cycle),
        Step::Request => request(cycle),
        Step::Approval => approval(s),
        Step::Execution => execution(cycle),
        Step::Tracking => tracking(s),
        Step::Performance => performance(cycle),
    }
}

fn badge(tone: Tone, words: &str) -> Badge {
    Badge::new(tone, words)
}

fn number(of: usize, one: &str, many: &str) -> String {
    count(of as u64, one, many)
}

fn plan(cycle: &Cycle) -> (Badge, String) {
    let draft = &cycle.plan.draft;
    let hint = match draft.objectives.len() {
        0 => "No goals yet".to_owned(),
        goals => format!("Level {}, {}", draft.level, number(goals, "goal", "goals")),
    };
    let state = match cycle.stage {
        _ if cycle.plan.agreed.is_some() => badge(Tone::Ok, "Agreed"),
        Stage::PlanReview => badge(Tone::Wait, "In review"),
        Stage::PlanDraft if cycle.plan.returned.is_some() => badge(Tone::Warn, "Returned"),
        Stage::PlanDraft if draft.objectives.is_empty() => badge(Tone::Off, "Not begun"),
        Stage::PlanDraft => badge(Tone::Info, "Draft"),
        _ => badge(Tone::Off, "Not agreed"),
    };
    (state, hint)
}

fn scorecard(s: &Situation) -> (Badge, String) {
    let scorecard = &s.cycle.scorecard;
    let Some(result) = &scorecard.result else {
        let hint = format!("{} of {} answered", scorecard.answers.len(), s.template.questions().count());
        let begun =
            if scorecard.answers.is_empty() { badge(Tone::Off, "Not begun") } else { badge(Tone::Info, "Draft") };
        return (begun, hint);
    };
    let light = light_badge(result.light);
    let verified = if scorecard.verified.is_some() { ", verified" } else { "" };
    let fixes = number(result.blueprint.len(), "thing to fix", "things to fix");
    let words = format!("{}, {} %", capital(&light.text), result.percent);
    (Badge { text: words, ..light }, format!("{fixes}{verified}"))
}

fn forecast(cycle: &Cycle) -> (Badge, String) {
    let cost = cycle.sum(cycle.campaigns.iter().map(|campaign| campaign.draft.cost));
    let hint = match cycle.campaigns.len() {
        0 => "No campaigns yet".to_owned(),
        campaigns => format!("{}, {}", number(campaigns, "campaign", "campaigns"), Amount::from(cost).plain()),
    };
    let frozen = cycle.campaigns.iter().any(|campaign| campaign.baseline.is_some());
    let state = match cycle.campaigns.len() {
        _ if frozen => badge(Tone::Ok, "Baseline frozen"),
        0 => badge(Tone::Off, "Not begun"),
        _ => badge(Tone::Info, "Draft"),
    };
    (state, hint)
}

fn action_plan(cycle: &Cycle) -> (Badge, String) {
    let hint = match cycle.activities.len() {
        0 => "No activities yet".to_owned(),
        activities => number(activities, "activity", "activities"),
    };
    let state = match cycle.stage {
        Stage::ActionPlanDraft if cycle.activities.is_empty() => badge(Tone::Off, "Not begun"),
        Stage::ActionPlanDraft => badge(Tone::Info, "Draft"),
        _ if cycle.activities.is_empty() => badge(Tone::Off, "Not begun"),
        _ => badge(Tone::Ok, "Committed"),
    };
    (state, hint)
}

fn request(cycle: &Cycle) -> (Badge, String) {
    let asked = cycle.request.total(cycle);
    let hint = if asked.is_positive() { format!("{} asked", Amount::from(asked).plain()) } else { String::new() };
    let state = match cycle.stage {
        Stage::RequestDraft if cycle.request.returned.is_some() => badge(Tone::Warn, "Returned"),
        Stage::RequestDraft if asked.is_zero() => badge(Tone::Off, "Not begun"),
        Stage::RequestDraft => badge(Tone::Info, "Draft"),
        _ if cycle.request.submitted.is_some() => badge(Tone::Ok, "Submitted"),
        _ => badge(Tone::Off, "Not submitted"),
    };
    (state, hint)
}

fn approval(s: &Situation) -> (Badge, String) {
    let cycle = &s.cycle;
    let approved = cycle.sum(cycle.campaigns.iter().map(|campaign| approved_for(cycle, campaign.no)));
    let levels = s.policy.levels_for(cycle.request.total(cycle), &s.partner).len();
    let state = match cycle.stage {
        Stage::ApprovalReview if cycle.approval.open_question().is_some() => badge(Tone::Warn, "Question open"),
        Stage::ApprovalReview => Badge::new(Tone::Wait, format!("Level {} of {levels}", cycle.level)),
        Stage::Declined => badge(Tone::Bad, "Declined"),
        _ if approved.is_positive() => badge(Tone::Ok, "Approved"),
        _ => badge(Tone::Off, "Not decided"),
    };
    let hint =
        if approved.is_positive() { format!("{} approved", Amount::from(approved).plain()) } else { String::new() };
    (state, hint)
}

fn execution(cycle: &Cycle) -> (Badge, String) {
    let proven = cycle.activities.iter().filter(|activity| activity.state == ActivityState::Proven).count();
    let in_review = cycle.activities.iter().any(|activity| activity.state == ActivityState::ProofReview);
    let claims = cycle.claims.iter().filter(|claim| claim.state != ClaimState::Denied).count();
    let paid: Money = cycle.sum(cycle.claims.iter().map(Claim::paid));
    let mut hint = format!("{proven} of {} proven", number(cycle.activities.len(), "activity", "activities"));
    if claims > 0 {
        hint = format!("{hint}, {}, {} paid", number(claims, "claim", "claims"), Amount::from(paid).plain());
    }
    let state = match cycle.stage {
        Stage::ExecutionLive if in_review => badge(Tone::Wait, "Proof in review"),
        Stage::ExecutionLive => badge(Tone::Info, "Running"),
        stage if stage.is_end() && stage != Stage::Closed => badge(Tone::Off, "Ended"),
        _ => badge(Tone::Ok, "Done"),
    };
    (state, hint)
}

fn tracking(s: &Situation) -> (Badge, String) {
    let hint = format!("Listens until {}", date_words(window_closes(s)));
    match s.cycle.stage {
        Stage::TrackingListening => (badge(Tone::Info, "Listening"), hint),
        _ => (badge(Tone::Ok, "Window closed"), String::new()),
    }
}

fn performance(cycle: &Cycle) -> (Badge, String) {
    let signed =
        [cycle.review.partner.is_some(), cycle.review.manager.is_some()].into_iter().filter(|signed| *signed).count();
    let hint = number(cycle.review.measurements.len(), "measurement", "measurements");
    match (cycle.stage, signed) {
        (Stage::Closed, _) => (badge(Tone::Ok, "Signed"), hint),
        (_, 0) => (badge(Tone::Wait, "To be signed"), hint),
        (_, _) => (badge(Tone::Wait, "Signed by one of two"), hint),
    }
}
