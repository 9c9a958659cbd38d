//! A cycle's place in the loop, as people see it: the rail, the badge of its stage, the addresses of its steps.

use domain::cycle::{Cycle, Stage, Step};
use domain::steps::s2_scorecard::Light;

use super::parts::{Badge, Tone};
use super::record::{Rail, RailStep, StepState};

/// `/cycles/C-2026-0042`
pub fn cycle_href(number: &str) -> String {
    format!("/cycles/{number}")
}

/// `/cycles/C-2026-0042/action-plan`
pub fn step_href(number: &str, step: Step) -> String {
    format!("/cycles/{number}/{}", step_path(step))
}

/// The step's name in addresses: `action-plan`.
pub fn step_path(step: Step) -> &'static str {
    match step {
        Step::ActionPlan => "action-plan",
        other => other.code(),
    }
}

/// The stage in words, with its tone; the level under way is named.
pub fn stage_badge(stage: Stage, level: u8) -> Badge {
    let tone = match stage {
        Stage::PlanReview | Stage::ApprovalReview | Stage::PerformanceMeasured => Tone::Wait,
        Stage::Closed => Tone::Ok,
        Stage::Declined | Stage::Expired => Tone::Bad,
        Stage::Withdrawn | Stage::Cancelled => Tone::Off,
        _ => Tone::Info,
    };
    match stage {
        Stage::ApprovalReview if level > 0 => Badge::new(tone, format!("{}, level {level}", stage.label())),
        _ => Badge::new(tone, stage.label()),
    }
}

/// A scorecard's light with its word.
pub fn light_badge(light: Light) -> Badge {
    let tone = match light {
        Light::Red => Tone::Bad,
        Light::Amber => Tone::Warn,
        Light::Green => Tone::Ok,
    };
    Badge::new(tone, light.label())
}

impl Rail {
    /// The cycle's own rail: steps it has reached are links, a closed cycle has all nine behind it, one that ended early
    /// shows where.
    pub fn of(cycle: &Cycle) -> Self {
        let at = reached(cycle);
        let state = |step: Step| match step.cmp(&at) {
            _ if cycle.stage == Stage::Closed => StepState::Done,
            std::cmp::Ordering::Less => StepState::Done,
            std::cmp::Ordering::Greater => StepState::Todo,
            std::cmp::Ordering::Equal if cycle.stage.is_end() => StepState::Stopped,
            std::cmp::Ordering::Equal => StepState::Current,
        };
        let steps = Step::ALL.map(|step| RailStep {
            name: step.label().to_owned(),
            href: (step <= at).then(|| step_href(&cycle.number, step)),
            state: state(step),
        });
        Self { steps: steps.into() }
    }
}

/// The step a cycle stands at; of an ended one, the step it had reached, told by what it left behind.
fn reached(cycle: &Cycle) -> Step {
    if let Some(step) = cycle.stage.step() {
        return step;
    }
    let left_behind = [
        (cycle.stage == Stage::Closed, Step::Performance),
        (cycle.campaigns.iter().any(|campaign| campaign.code.is_some()), Step::Execution),
        (cycle.request.submitted.is_some(), Step::Approval),
        (cycle.request.fund.is_some(), Step::Request),
        (cycle.campaigns.iter().any(|campaign| campaign.baseline.is_some()), Step::ActionPlan),
        (cycle.scorecard.result.is_some(), Step::Forecast),
        (cycle.plan.agreed.is_some(), Step::Scorecard),
    ];
    left_behind.into_iter().find(|(there, _)| *there).map_or(Step::Plan, |(_, step)| step)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};
    use domain::cycle::{Opening, Period};
    use domain::money::Currency;
    use domain::steps::s1_plan::Agreed;

    use super::*;

    fn cycle(stage: Stage) -> Cycle {
        let now: DateTime<Utc> = "2026-06-24T09:00:00Z".parse().expect("an instant");
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let opening = Opening {
            id: uuid::Uuid::from_u128(1).into(),
            number: "C-2026-0042".into(),
            serial: 42,
            program: uuid::Uuid::from_u128(2).into(),
            partner: uuid::Uuid::from_u128(3).into(),
            title: "Cloud security, Q3".into(),
            period: Period { from: day("2026-07-01"), to: day("2026-09-30") },
            currency: Currency::from_code("EUR").expect("a currency"),
            guide_rate: None,
            plan: None,
            scorecard: None,
            copy_of: None,
            drafts: domain::drafts::Drafts::default(),
        };
        Cycle { stage, ..Cycle::new(&opening, now) }
    }

    fn states(cycle: &Cycle) -> String {
        let letter = |step: &RailStep| match step.state {
            StepState::Done => '●',
            StepState::Current => '◉',
            StepState::Todo => '○',
            StepState::Stopped => '■',
        };
        Rail::of(cycle).steps.iter().map(letter).collect()
    }

    #[test]
    fn every_stage_has_its_place_on_the_rail() {
        assert_eq!(states(&cycle(Stage::PlanReview)), "◉○○○○○○○○");
        assert_eq!(states(&cycle(Stage::ApprovalReview)), "●●●●●◉○○○");
        assert_eq!(states(&cycle(Stage::Closed)), "●●●●●●●●●");
        assert_eq!(states(&cycle(Stage::Withdrawn)), "■○○○○○○○○");
        let mut ended = cycle(Stage::Expired);
        ended.plan.agreed = Some(Agreed { by: uuid::Uuid::from_u128(4).into(), at: ended.opened_at });
        assert_eq!(states(&ended), "●■○○○○○○○");
    }

    #[test]
    fn the_steps_ahead_are_no_links() {
        let rail = Rail::of(&cycle(Stage::ActionPlanDraft)).to_string();
        assert_eq!(rail.matches("<a ").count(), 4);
        assert!(rail.contains("href=\"/cycles/C-2026-0042/action-plan\""));
        assert_eq!(stage_badge(Stage::ApprovalReview, 2).text, "In approval, level 2");
    }
}
