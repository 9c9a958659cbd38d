//! What a rule says of a case: a verdict with the numbers and dates it used, for people and machines.

use crate::Date;
use crate::money::Money;
use crate::refusal::Reason;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One rule's judgement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    pub rule: String,
    #[serde(rename = "verdict", alias = "outcome")]
    pub outcome: Judgement,
    /// The activity, cost line or level it is about, where a rule speaks of several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// One sentence: what holds, or what is wrong and why.
    pub sentence: String,
    /// One sentence: what would make it pass; empty where it passes.
    pub remedy: String,
    /// The numbers and dates it used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, Figure>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    Pass,
    Warn,
    Fail,
    NotApplicable,
}

/// A number or a date: amounts as `5000.00`, days as `2026-05-05`, shares as `0.5`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    Flag(bool),
    Count(i64),
    Text(String),
    List(Vec<String>),
}

impl From<Money> for Figure {
    fn from(amount: Money) -> Self {
        Figure::Text(amount.plain())
    }
}

impl From<Date> for Figure {
    fn from(day: Date) -> Self {
        Figure::Text(day.to_string())
    }
}

impl From<Decimal> for Figure {
    fn from(number: Decimal) -> Self {
        Figure::Text(number.normalize().to_string())
    }
}

impl From<bool> for Figure {
    fn from(flag: bool) -> Self {
        Figure::Flag(flag)
    }
}

impl From<&str> for Figure {
    fn from(text: &str) -> Self {
        Figure::Text(text.to_owned())
    }
}

impl From<u16> for Figure {
    fn from(count: u16) -> Self {
        Figure::Count(i64::from(count))
    }
}

impl From<u32> for Figure {
    fn from(count: u32) -> Self {
        Figure::Count(i64::from(count))
    }
}

impl From<usize> for Figure {
    fn from(count: usize) -> Self {
        Figure::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<Vec<Date>> for Figure {
    fn from(days: Vec<Date>) -> Self {
        Figure::List(days.iter().map(ToString::to_string).collect())
    }
}

impl From<Vec<Money>> for Figure {
    fn from(amounts: Vec<Money>) -> Self {
        Figure::List(amounts.iter().map(|amount| amount.plain()).collect())
    }
}

impl From<Vec<String>> for Figure {
    fn from(names: Vec<String>) -> Self {
        Figure::List(names)
    }
}

impl Verdict {
    fn new(rule: &str, outcome: Judgement, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            outcome,
            about: String::new(),
            sentence: sentence.into(),
            remedy: remedy.into(),
            figures: BTreeMap::new(),
        }
    }

    pub fn pass(rule: &str, sentence: impl Into<String>) -> Self {
        Self::new(rule, Judgement::Pass, sentence, "")
    }

    /// It goes through, and somebody should know something.
    pub fn warn(rule: &str, sentence: impl Into<String>) -> Self {
        Self::new(rule, Judgement::Warn, sentence, "")
    }

    pub fn fail(rule: &str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(rule, Judgement::Fail, sentence, remedy)
    }

    /// The guide has no such rule, or the case does not say what the rule needs to know.
    pub fn not_applicable(rule: &str, sentence: impl Into<String>) -> Self {
        Self::new(rule, Judgement::NotApplicable, sentence, "")
    }

    #[must_use]
    pub fn about(mut self, what: impl Into<String>) -> Self {
        self.about = what.into();
        self
    }

    #[must_use]
    pub fn with(mut self, name: &str, figure: impl Into<Figure>) -> Self {
        self.figures.insert(name.to_owned(), figure.into());
        self
    }

    /// [`Verdict::with`] for what may not be known.
    #[must_use]
    pub fn with_some(self, name: &str, figure: Option<impl Into<Figure>>) -> Self {
        match figure {
            Some(figure) => self.with(name, figure),
            None => self,
        }
    }

    pub fn fails(&self) -> bool {
        self.outcome == Judgement::Fail
    }

    /// A refusal's reason: the same words.
    pub fn reason(&self) -> Reason {
        Reason::new(&self.rule, self.sentence.clone(), self.remedy.clone())
    }
}
