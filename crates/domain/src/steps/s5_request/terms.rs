//! The program's terms, accepted once a version: whoever accepted these very words is not asked again, and whoever accepted
//! other ones is told what has changed.

use crate::Instant;
use crate::machine::Situation;
use serde::{Deserialize, Serialize};

/// Which terms stand accepted for a request, by whom and since when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// The version of the guide they were accepted in.
    pub version: String,
    pub by_name: String,
    pub at: Instant,
}

/// Terms a partner accepted in a program, word for word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AcceptedTerms {
    pub accepted: Accepted,
    pub terms: String,
}

/// How terms differ from those that were accepted last, paragraph by paragraph.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TermsChanged {
    pub since: Accepted,
    /// What is new, and what is gone.
    pub added: Vec<String>,
    pub gone: Vec<String>,
}

/// The paragraphs of a text, without what is only space.
pub fn paragraphs(text: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).filter(|line| !line.is_empty()).collect()
}

/// The acceptance of these very terms in the same program; the last one where there are several.
pub fn accepted(s: &Situation) -> Option<&Accepted> {
    let wanted = paragraphs(&s.policy.guide.terms);
    let same = s.terms.iter().filter(|earlier| paragraphs(&earlier.terms) == wanted);
    same.map(|earlier| &earlier.accepted).max_by_key(|accepted| accepted.at)
}

/// What has changed since the partner accepted terms of this program last; `None` where these are accepted, or none ever
/// were.
pub fn changed(s: &Situation) -> Option<TermsChanged> {
    if accepted(s).is_some() {
        return None;
    }
    let last = s.terms.iter().max_by_key(|earlier| earlier.accepted.at)?;
    let (old, new) = (paragraphs(&last.terms), paragraphs(&s.policy.guide.terms));
    let without = |all: &[String], others: &[String]| all.iter().filter(|one| !others.contains(one)).cloned().collect();
    Some(TermsChanged { since: last.accepted.clone(), added: without(&new, &old), gone: without(&old, &new) })
}
