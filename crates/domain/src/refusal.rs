//! Why the rules say no, in words a partner understands, and what would make it pass.

use serde::{Deserialize, Serialize};

/// One reason: what was refused and why, and the way out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, machine-readable, for the API: `lead_time`, `not_your_role`.
    pub code: String,
    /// The form field it is about, if it is about one.
    pub field: Option<String>,
    /// One sentence: what was refused and why.
    pub why: String,
    /// One sentence: what would make it pass. Empty only where `why` says it as well.
    pub remedy: String,
}

/// The rules say no, here and now. Never empty.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    pub reasons: Vec<Reason>,
}

impl Refusal {
    /// A refusal with one reason.
    pub fn new(code: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { reasons: vec![Reason::new(code, why, remedy)] }
    }

    /// A refusal about one field of the form.
    pub fn at(field: &str, code: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { reasons: vec![Reason::new(code, why, remedy).at(field)] }
    }

    /// `Err` with every reason, or `Ok` where there is none.
    pub fn unless_empty(reasons: Vec<Reason>) -> Result<(), Self> {
        if reasons.is_empty() { Ok(()) } else { Err(Self { reasons }) }
    }

    /// The code of the first reason.
    pub fn code(&self) -> &str {
        self.reasons.first().map_or("refused", |reason| reason.code.as_str())
    }
}

impl Reason {
    /// A refusal names its way out: a remedy that says nothing is a mistake of ours.
    pub fn new(code: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (why, remedy) = (why.into(), remedy.into());
        debug_assert!(!remedy.trim().is_empty(), "{code} has no way out: {why}");
        Self { code: code.to_owned(), field: None, why, remedy }
    }

    /// For a form's field that could not be read: one sentence that carries its own way out ("Enter a day, such as …").
    /// No rule speaks so.
    pub fn in_one_sentence(code: &str, sentence: impl Into<String>) -> Self {
        Self { code: code.to_owned(), field: None, why: sentence.into(), remedy: String::new() }
    }

    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, reason) in self.reasons.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{} {}", reason.why, reason.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
