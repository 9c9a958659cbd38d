//! What stands on every record: header strip, rail of nine steps, timeline, and the tasks that lead there.

use askama::Template;
use askama::filters::HtmlSafe;

use super::parts::{Badge, Fact, Tone};
use super::words::Due;

/// The loop as a line: what is behind, where the cycle is, what is ahead.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/rail.html")]
pub struct Rail {
    pub steps: Vec<RailStep>,
}

#[derive(Clone, Debug)]
pub struct RailStep {
    pub name: String,
    pub href: Option<String>,
    pub state: StepState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    Done,
    Current,
    Todo,
    /// The cycle ended here before its time.
    Stopped,
}

impl StepState {
    pub const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "current",
            Self::Todo => "todo",
            Self::Stopped => "stopped",
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "now",
            Self::Todo => "still ahead",
            Self::Stopped => "ended here",
        }
    }

    pub const fn is_current(self) -> bool {
        matches!(self, Self::Current | Self::Stopped)
    }

    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done)
    }
}

/// The head of a record: number, title, state; the rail; who has it, by when, how much.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/header_strip.html")]
pub struct HeaderStrip {
    /// "C-2026-0042"; empty for records without one.
    pub number: String,
    pub title: String,
    /// Whose it is: the partner, the program.
    pub about: String,
    pub about_href: Option<String>,
    /// The version of the guide that judges it, and where one reads it.
    pub judged: Option<(String, String)>,
    pub state: Badge,
    pub rail: Option<Rail>,
    /// At most four: "Who has it", "By when", "How much".
    pub facts: Vec<Fact>,
}

/// Everything that happened to one record, newest first.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/timeline.html")]
pub struct Timeline {
    pub items: Vec<TimelineItem>,
}

#[derive(Clone, Debug, Default)]
pub struct TimelineItem {
    /// In words, in the reader's time zone: "Tue 23 June 2026, 14:05".
    pub when: String,
    /// The same as RFC 3339, or empty.
    pub at: String,
    pub who: String,
    pub what: String,
    /// The reason or the words that came with it; may be empty.
    pub note: String,
    pub tone: Tone,
    pub href: Option<String>,
}

/// What needs a person, the most pressing first.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/tasks.html")]
pub struct TaskList {
    pub tasks: Vec<Task>,
}

#[derive(Clone, Debug)]
pub struct Task {
    /// What to do: "Approve", "Review", "Sign", "Answer".
    pub verb: String,
    pub title: String,
    pub detail: String,
    pub href: String,
    pub due: Option<Due>,
}

impl HtmlSafe for Rail {}
impl HtmlSafe for HeaderStrip {}
impl HtmlSafe for Timeline {}
impl HtmlSafe for TaskList {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rail_says_where_the_cycle_is_without_colour() {
        let step = |name: &str, state| RailStep { name: name.to_owned(), href: None, state };
        let steps =
            vec![step("plan", StepState::Done), step("scorecard", StepState::Current), step("x", StepState::Todo)];
        let rail = Rail { steps }.to_string();
        for words in ["plan</span><span class=\"sr\">, done", "aria-current=\"step\"", "still ahead"] {
            assert_eq!(rail.matches(words).count(), 1, "{words}: {rail}");
        }
    }
}
