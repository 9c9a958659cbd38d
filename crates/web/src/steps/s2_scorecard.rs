//! Step 2, the scorecard: /cycles/{no}/scorecard, its answers, its result and the manager's word on it.

use actix_web::web::Path;
use askama::Template;
use domain::cycle::Stage;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::steps::s2_scorecard::{self as rules, Light, Question, Scorecard};
use rust_decimal::Decimal;

use super::look;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Badge, Choice, Field, Form, HeaderStrip, capital, count, date_words, light_badge};

#[derive(Template)]
#[template(path = "s2_scorecard/scorecard.html")]
struct ScorecardPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    /// The questions, while they can be answered; otherwise the result.
    form: Option<Form>,
    sections: Vec<Section>,
    /// "12 of 18 questions answered"
    answered: String,
    result: Option<ResultView>,
    /// The manager's form, where this is one who may verify.
    verify: Option<Form>,
    verified: Option<(String, String)>,
}

struct Section {
    name: String,
    questions: Vec<Line>,
}

struct Line {
    code: String,
    text: String,
    /// The answer given, in words.
    answer: Option<String>,
}

struct ResultView {
    template: String,
    day: String,
    percent: u8,
    light: Badge,
    sections: Vec<SectionLine>,
    blueprint: Vec<String>,
    effect: String,
}

struct SectionLine {
    name: String,
    light: Badge,
    percent: u32,
}

/// GET /cycles/{no}/scorecard
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, Typed::default()).await?)
}

/// POST /cycles/{no}/scorecard/draft
pub async fn save(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = answer(&who, &no, &posted, |answers| rules::Command::Save { answers }).await;
    let to = format!("/cycles/{no}/scorecard");
    who.settle(done, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

/// POST /cycles/{no}/scorecard/completion
pub async fn complete(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = answer(&who, &no, &posted, |answers| rules::Command::Complete { answers }).await;
    let to = format!("/cycles/{no}/scorecard");
    who.settle(done, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

/// POST /cycles/{no}/scorecard/verification
pub async fn verify(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let note = posted.read(who.marks(), |f| f.long_text("note"))?;
        who.advance(&no, Command::Scorecard(rules::Command::Verify { note }), &posted).await
    };
    let to = format!("/cycles/{no}/scorecard");
    who.settle(done.await, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

async fn answer(
    who: &Who,
    no: &str,
    posted: &Posted,
    command: impl FnOnce(Vec<rules::Answer>) -> rules::Command,
) -> Result<crate::extract::Done, Error> {
    let s = look(who, no).await?;
    let answers = posted.read(who.marks(), |f| answers_from(&s, f))?;
    who.advance(no, Command::Scorecard(command(answers)), posted).await
}

/// The answers given; a question left open has none.
fn answers_from(s: &Situation, f: &mut Fields) -> Option<Vec<rules::Answer>> {
    let mut answers = Some(Vec::new());
    for question in s.template.questions() {
        let option = f.optional_choice(&question.code, |code| option_of(question, code));
        match (option, &mut answers) {
            (Some(Some(option)), Some(given)) => given.push(rules::Answer { question: question.code.clone(), option }),
            (Some(_), _) => {}
            (None, _) => answers = None,
        }
    }
    answers
}

fn option_of(question: &Question, code: &str) -> Option<u8> {
    code.parse::<u8>().ok().filter(|option| usize::from(*option) < question.options.len())
}

async fn page(who: &Who, no: &str, typed: Typed) -> Result<ScorecardPage, Error> {
    let s = look(who, no).await?;
    let moves = moves_of(&s, who.actor());
    let scorecard = &s.cycle.scorecard;
    let can_answer = s.cycle.stage == Stage::ScorecardOpen && moves.contains(&Act::SaveScorecard);
    let can_verify = moves.contains(&Act::VerifyScorecard) && scorecard.result.is_some();
    let note = Field::area("note", "What you looked at, and what you found", 3)
        .value_is(scorecard.verified.as_ref().map_or("", |verified| &verified.note));
    Ok(ScorecardPage {
        shell: who.shell(&format!("Scorecard · {}", s.cycle.title)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        form: can_answer.then(|| typed.onto(questions(who, &s))),
        answered: answered(&s, &typed),
        sections: sections(&s),
        result: result(&s),
        verify: can_verify.then(|| typed.onto(who.form_at(s.cycle.version).with(note))),
        verified: scorecard
            .verified
            .as_ref()
            .map(|verified| (date_words(verified.at.date_naive()), verified.note.clone())),
    })
}

fn questions(who: &Who, s: &Situation) -> Form {
    s.template.questions().fold(who.form_at(s.cycle.version), |form, question| {
        let choices = question.options.iter().enumerate().map(|(option, words)| Choice::new(option.to_string(), words));
        let given = given(&s.cycle.scorecard, question).map_or_else(String::new, |option| option.to_string());
        form.with(Field::radios(&question.code, &question.text, choices.collect()).value_is(given))
    })
}

fn given(scorecard: &Scorecard, question: &Question) -> Option<u8> {
    scorecard.answers.iter().find(|answer| answer.question == question.code).map(|answer| answer.option)
}

fn answered(s: &Situation, typed: &Typed) -> String {
    let all = s.template.questions().count();
    let there = |question: &&Question| {
        if typed.is_blank() {
            given(&s.cycle.scorecard, question).is_some()
        } else {
            typed.value(&question.code).is_some()
        }
    };
    let done = s.template.questions().filter(there).count();
    format!("{done} of {} answered", count(all as u64, "question", "questions"))
}

fn sections(s: &Situation) -> Vec<Section> {
    let line = |question: &Question| Line {
        code: question.code.clone(),
        text: question.text.clone(),
        answer: given(&s.cycle.scorecard, question)
            .and_then(|option| question.options.get(usize::from(option)).cloned()),
    };
    let section = |section: &rules::Section| Section {
        name: section.name.clone(),
        questions: section.question.iter().map(line).collect(),
    };
    s.template.section.iter().map(section).collect()
}

fn result(s: &Situation) -> Option<ResultView> {
    let result = s.cycle.scorecard.result.as_ref()?;
    let line = |section: &rules::SectionScore| SectionLine {
        name: section.name.clone(),
        light: badge(section.light),
        percent: section.points * 100 / section.most.max(1),
    };
    Some(ResultView {
        template: result.template.clone(),
        day: date_words(result.at.date_naive()),
        percent: result.percent,
        light: badge(result.light),
        sections: result.sections.iter().map(line).collect(),
        blueprint: result.blueprint.clone(),
        effect: effect(s, result.light),
    })
}

fn badge(light: Light) -> Badge {
    let badge = light_badge(light);
    Badge { text: capital(&badge.text), ..badge }
}

/// The same for the forecast's page; nothing where there is no result yet.
pub(super) fn effect_words(s: &Situation) -> Option<String> {
    s.cycle.scorecard.result.as_ref().map(|result| effect(s, result.light))
}

/// What the light does to the forecast, said where the light is seen.
fn effect(s: &Situation, light: Light) -> String {
    let effect = s.benchmarks.effect(Some(light));
    if effect.mean == Decimal::ONE && effect.spread == Decimal::ONE {
        return format!("A {} scorecard leaves the forecast's benchmarks as they are.", light.label());
    }
    let fewer = ((Decimal::ONE - effect.mean) * Decimal::ONE_HUNDRED).normalize();
    let wider = ((effect.spread - Decimal::ONE) * Decimal::ONE_HUNDRED).normalize();
    format!(
        "In the forecast, {} {} scorecard counts on {fewer}\u{a0}% fewer responses and makes the range {wider}\u{a0}% wider.",
        if light == Light::Amber { "an" } else { "a" },
        light.label()
    )
}
