//! Step 2, scorecard: how ready the partner is to market, section by section, and what to fix.

use super::{Case, Outcome, Stamp, Teller, Told, check_text};
use crate::Instant;
use crate::cycle::{Cycle, Stage};
use crate::ids::UserId;
use crate::notice::Topic;
use crate::refusal::{Reason, Refusal};
use serde::{Deserialize, Serialize};

/// The questions, as data; the shipped ones are in `config/scorecards/`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub name: String,
    pub version: String,
    /// Below this percentage a section is red.
    pub amber_from: u8,
    /// From this percentage on a section is green.
    pub green_from: u8,
    pub section: Vec<Section>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    pub name: String,
    pub question: Vec<Question>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub code: String,
    pub text: String,
    /// How much it counts inside its section.
    pub weight: u8,
    /// From worst to best; the best earns the whole weight, the worst nothing.
    pub options: Vec<String>,
    /// What to do when the answer is not the best: the blueprint's line.
    pub fix: String,
}

impl Template {
    pub fn load(text: &str) -> Result<Self, String> {
        let template: Template = toml::from_str(text).map_err(|error| error.to_string())?;
        let sound = template.amber_from < template.green_from
            && template.questions().all(|question| question.options.len() >= 2 && question.weight > 0);
        if sound {
            Ok(template)
        } else {
            Err("the scorecard needs amber_from below green_from, and each question a weight and two options"
                .to_owned())
        }
    }

    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.section.iter().flat_map(|section| &section.question)
    }
}

/// The answers given and what they come to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Scorecard {
    pub answers: Vec<Answer>,
    pub result: Option<ScoreResult>,
    pub verified: Option<Verified>,
}

/// One answer: the option chosen, 0 for the worst.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub question: String,
    pub option: u8,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScoreResult {
    pub template: String,
    pub at: Instant,
    pub sections: Vec<SectionScore>,
    /// Percentage over all sections, weighted, rounded down.
    pub percent: u8,
    pub light: Light,
    /// What to fix, heaviest first.
    pub blueprint: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SectionScore {
    pub name: String,
    pub points: u32,
    pub most: u32,
    pub light: Light,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    Red,
    Amber,
    Green,
}

impl Light {
    pub fn label(self) -> &'static str {
        match self {
            Light::Red => "red",
            Light::Amber => "amber",
            Light::Green => "green",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verified {
    pub by: UserId,
    pub at: Instant,
    pub note: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    Save { answers: Vec<Answer> },
    Complete { answers: Vec<Answer> },
    Verify { note: String },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Saved { answers: Vec<Answer> },
    Completed { answers: Vec<Answer>, result: ScoreResult },
    Verified { note: String },
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    let template = &case.s.template;
    let event = match command {
        Command::Save { answers } => {
            known(template, answers)?;
            Event::Saved { answers: answers.clone() }
        }
        Command::Complete { answers } => {
            known(template, answers)?;
            all_answered(template, answers)?;
            Event::Completed { answers: answers.clone(), result: score(template, answers, case.now) }
        }
        Command::Verify { note } => {
            let mut reasons = Vec::new();
            check_text("note", "The note", note, 2_000, &mut reasons);
            if case.s.cycle.scorecard.result.is_none() {
                reasons.push(Reason::new(
                    "not_complete",
                    "The scorecard is not complete yet.",
                    "The partner answers every question first.",
                ));
            }
            Refusal::unless_empty(reasons)?;
            Event::Verified { note: note.trim().to_owned() }
        }
    };
    Ok(vec![event.into()])
}

fn known(template: &Template, answers: &[Answer]) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    for answer in answers {
        match template.questions().find(|question| question.code == answer.question) {
            Some(question) if usize::from(answer.option) < question.options.len() => {}
            Some(question) => reasons.push(
                Reason::new("option", format!("“{}” has no such answer.", question.text), "Choose one of those shown.")
                    .at(&question.code),
            ),
            None => reasons.push(Reason::new(
                "question",
                format!("The scorecard has no question “{}”.", answer.question),
                "Answer the questions shown.",
            )),
        }
    }
    Refusal::unless_empty(reasons)
}

fn all_answered(template: &Template, answers: &[Answer]) -> Result<(), Refusal> {
    let open = template.questions().filter(|question| !answers.iter().any(|answer| answer.question == question.code));
    Refusal::unless_empty(
        open.map(|question| {
            Reason::new(
                "unanswered",
                format!("“{}” has no answer.", question.text),
                "Choose the answer that fits best.",
            )
            .at(&question.code)
        })
        .collect(),
    )
}

/// Points per section: weight x option / best option, in hundredths so that nothing is rounded before the end.
pub fn score(template: &Template, answers: &[Answer], at: Instant) -> ScoreResult {
    let points = |question: &Question| {
        let option =
            answers.iter().find(|answer| answer.question == question.code).map_or(0, |answer| u32::from(answer.option));
        let best = u32::try_from(question.options.len() - 1).unwrap_or(1);
        u32::from(question.weight) * 100 * option / best
    };
    let light = |points: u32, most: u32| match points * 100 / most.max(1) {
        percent if percent >= u32::from(template.green_from) => Light::Green,
        percent if percent >= u32::from(template.amber_from) => Light::Amber,
        _ => Light::Red,
    };
    let sections: Vec<SectionScore> = template
        .section
        .iter()
        .map(|section| {
            let got = section.question.iter().map(points).sum();
            let most = section.question.iter().map(|question| u32::from(question.weight) * 100).sum();
            SectionScore { name: section.name.clone(), points: got, most, light: light(got, most) }
        })
        .collect();
    let (got, most) = sections.iter().fold((0, 0), |sum, section| (sum.0 + section.points, sum.1 + section.most));
    let mut missing: Vec<(u32, &Question)> = template
        .questions()
        .map(|question| (u32::from(question.weight) * 100 - points(question), question))
        .filter(|(lost, _)| *lost > 0)
        .collect();
    missing.sort_by_key(|(lost, _)| std::cmp::Reverse(*lost));
    ScoreResult {
        template: format!("{} {}", template.name, template.version),
        at,
        percent: u8::try_from(got * 100 / most.max(1)).unwrap_or(100),
        light: light(got, most),
        sections,
        blueprint: missing.into_iter().map(|(_, question)| question.fix.clone()).collect(),
    }
}

pub fn apply(cycle: &mut Cycle, event: &Event, stamp: Stamp) {
    match event {
        Event::Saved { answers } => cycle.scorecard.answers.clone_from(answers),
        Event::Completed { answers, result } => {
            cycle.scorecard.answers.clone_from(answers);
            cycle.scorecard.result = Some(result.clone());
            cycle.stage = Stage::ForecastDraft;
        }
        Event::Verified { note } => {
            cycle.scorecard.verified = Some(Verified { by: stamp.by, at: stamp.at, note: note.clone() });
        }
    }
}

pub fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    match event {
        Event::Saved { .. } => Told::quiet("scorecard.saved", format!("{by} saved the scorecard.")),
        Event::Completed { result, .. } => Told::new(
            "scorecard.completed",
            format!("{by} completed the scorecard: {} %, {}.", result.percent, result.light.label()),
        )
        .to(teller.to_manager(Topic::ScorecardCompleted, "/scorecard")),
        Event::Verified { note } => Told::new("scorecard.verified", format!("{by} verified the scorecard: “{note}”")),
    }
}
