//! The rules of the closed loop: pure. No I/O, no clock, no randomness of its own, no async.
//!
//! Start with [`machine`]: the table of moves and `decide`. Each step's own rules are in [`steps`],
//! one file a step. Money is [`money`] and [`ledger`]; the program guide is [`policy`].

pub mod bridge;
pub mod calendar;
pub mod campaign_id;
pub mod cycle;
pub mod deadlines;
pub mod drafts;
pub mod event;
pub mod exchange;
pub mod forecast;
pub mod fund;
pub mod ids;
pub mod journey;
pub mod ledger;
pub mod machine;
pub mod money;
pub mod notice;
pub mod payee;
pub mod people;
pub mod policy;
pub mod refusal;
pub mod rhythm;
pub mod settlement;
pub mod signals;
pub mod steps;

/// A moment in UTC, truncated to microseconds when made, so that SQLite and PostgreSQL agree.
pub type Instant = chrono::DateTime<chrono::Utc>;
/// A calendar day.
pub type Date = chrono::NaiveDate;
