//! What an activity is proven with, and by when.

use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityType {
    pub code: String,
    pub name: String,
    /// The checklist: every item of `all_of`, and at least `at_least` of `one_of`.
    #[serde(default)]
    pub all_of: Vec<ProofItem>,
    #[serde(default)]
    pub one_of: Vec<ProofItem>,
    #[serde(default = "one")]
    pub at_least: u8,
}

fn one() -> u8 {
    1
}

impl ActivityType {
    /// Every item of the checklist.
    pub fn items(&self) -> impl Iterator<Item = &ProofItem> {
        self.all_of.iter().chain(&self.one_of)
    }

    pub fn item(&self, code: &str) -> Option<&ProofItem> {
        self.items().find(|item| item.code == code)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofItem {
    pub code: String,
    pub name: String,
    /// File kinds taken, by ending: `pdf`, `png`, `csv`. Empty takes every allowed kind.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Columns a list must have: `company`, `email`. Letter case, spaces and hyphens do not matter.
    #[serde(default)]
    pub columns: Vec<String>,
}

impl ProofItem {
    /// Whether a file of this name is of a kind the item takes.
    pub fn takes(&self, file: &str) -> bool {
        takes(&self.kinds, file)
    }

    /// Required columns a list does not have, in the guide's order.
    pub fn missing_columns(&self, columns: &[String]) -> Vec<String> {
        let bare =
            |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
        let there: Vec<String> = columns.iter().map(|column| bare(column)).collect();
        self.columns.iter().filter(|wanted| !there.contains(&bare(wanted))).cloned().collect()
    }
}

/// Whether a file's name ends as one of the kinds does; no kinds take every file.
pub fn takes(kinds: &[String], file: &str) -> bool {
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let same = |kind: &String| {
        let kind = kind.trim_start_matches('.').to_ascii_lowercase();
        kind == ending || (kind == "jpg" && ending == "jpeg") || (kind == "jpeg" && ending == "jpg")
    };
    kinds.is_empty() || kinds.iter().any(same)
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofRules {
    /// Calendar days after the activity's end by which proof must be in.
    pub days: u16,
    /// Further days before the activity expires and its money is released.
    #[serde(default)]
    pub grace: u16,
    /// Days before the due day on which the partner is reminded; 0 is the day itself.
    #[serde(default)]
    pub reminders: Vec<u16>,
    /// Calendar days a reviewer has.
    #[serde(default = "week")]
    pub review_days: u16,
    /// Calendar days to hand returned proof in again, even where it is past its due day by then.
    #[serde(default)]
    pub resubmit_days: Option<u16>,
}

fn week() -> u16 {
    7
}
