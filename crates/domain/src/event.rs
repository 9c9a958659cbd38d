//! What a decision leaves behind: entries of a timeline, with their postings and their notices.

use crate::ledger::Posting;
use crate::notice::Notice;
use serde::{Deserialize, Serialize};

/// One entry of a timeline, ready to be recorded. Storage adds its sequence, its hash and its time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// `plan.submitted`, `approval.approved`, `fund.budgeted`.
    pub kind: String,
    /// One sentence for the timeline: "Nordwind submitted the plan."
    pub words: String,
    /// Everything the event says; applying it again gives the same state.
    pub payload: serde_json::Value,
    pub postings: Vec<Posting>,
    pub notices: Vec<Notice>,
    /// A draft was saved: kept for the record, folded away on pages.
    pub quiet: bool,
    /// The absent colleague in whose place it was done.
    #[serde(default)]
    pub acting_for: Option<String>,
}
