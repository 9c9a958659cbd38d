//! Presentation: figures and dates in words, and the parts pages are made of.
//!
//! A part is a struct that renders itself: `{{ rail }}` in a template writes its HTML, escaped inside, unescaped as a whole.

mod cell;
mod clocks;
mod cycle;
mod form;
mod parts;
mod record;
mod roi;
mod signals;
mod strip;
mod words;

pub use cell::{Cell, Cells};
pub use clocks::deadline_href;
pub use cycle::{cycle_href, light_badge, stage_badge, step_href, step_path};
pub use form::{Choice, Control, ErrorSummary, Field, Form, FormError, Line, MOST_CHOICES};
pub use parts::{
    Answer, Answers, Badge, Crumbs, Empty, Fact, Facts, Hub, HubItem, Pager, RuleLine, Rules, Stats, Tab, Tabs, Tone,
    Value,
};
pub use record::{HeaderStrip, Rail, RailStep, StepState, Task, TaskList, Timeline, TimelineItem};
pub use roi::roi_fact;
pub use signals::Signals;
pub use strip::{activity_badge, capital, claim_badge};
pub use words::{Amount, Due, Share, count, grouped, percent, percent_words, short_date};

pub use domain::calendar::{distance as day_words, words as date_words};
