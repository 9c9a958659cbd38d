//! What deserves a second look, for reviewers.

use askama::Template;
use askama::filters::HtmlSafe;
use domain::cycle::Step;
use domain::signals::{Evidence, Signal};

use super::step_href;

/// The panel; nothing at all where there is nothing to see.
#[derive(Template, Default)]
#[template(path = "parts/signals.html")]
pub struct Signals {
    rows: Vec<Row>,
}

impl HtmlSafe for Signals {}

struct Row {
    words: String,
    /// Name and address of what to look at.
    links: Vec<(String, String)>,
}

impl Signals {
    pub fn of(signals: Vec<Signal>) -> Self {
        let row = |signal: Signal| Row { words: signal.words, links: signal.evidence.iter().map(link).collect() };
        Self { rows: signals.into_iter().map(row).collect() }
    }
}

fn link(evidence: &Evidence) -> (String, String) {
    match evidence {
        Evidence::Cycle { number } => (format!("Open {number}"), step_href(number, Step::Approval)),
        Evidence::Claim { number, claim } => {
            (format!("Open claim {claim} of {number}"), format!("/cycles/{number}/claims/{claim}"))
        }
        Evidence::Activity { number, activity, name } => {
            (format!("Open “{name}”"), format!("/cycles/{number}/execution/activities/{activity}"))
        }
        Evidence::File { id, name, .. } => (format!("Open “{name}”"), format!("/files/{id}")),
    }
}
