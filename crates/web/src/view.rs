//! Presentation: figures and dates in words, and the parts pages are made of.
//!
//! A part is a struct that renders itself: `{{ rail }}` in a template writes its HTML, escaped inside, unescaped as a whole.

mod form;
mod parts;
mod record;
mod words;

pub use form::{Choice, Control, ErrorSummary, Field, Form, FormError, Line};
pub use parts::{
    Answer, Answers, Badge, Crumbs, Empty, Fact, Facts, Hub, HubItem, Pager, RuleLine, Rules, Stats, Tab, Tabs, Tone,
    Value,
};
pub use record::{HeaderStrip, Rail, RailStep, STEPS, StepState, Task, TaskList, Timeline, TimelineItem};
pub use words::{Amount, Due, Share, count, date_words, day_words, grouped, percent, short_date};
