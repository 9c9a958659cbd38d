//! The only crate that speaks SQL. Reads take the viewer, writes take the transaction.
//!
//! - [`Db`] opens the database; [`Db::begin`] and [`Db::write`] give a [`Tx`], on which every write is a method.
//! - A cycle is written from a `Decision` only ([`Tx::record`]), a fund from a `FundDecision` ([`Tx::record_fund`]);
//!   the ledger follows from their postings, and nothing else writes to it.
//! - [`read::Reader`] answers every question of the pages. Its methods take a [`Viewer`], and the wall between
//!   partners is part of each query: a row behind it answers exactly as one that does not exist.
//! - [`verify`] recomputes the book and the chains.
//!
//! Deliberately absent: rules (no `if stage ==`), the clock (times are handed in), and any way to write a balance.

mod db;
mod error;
mod filter;
mod in_period;
mod known;
mod load;
mod periods;
pub mod read;
pub mod rows;
mod sql;
mod tx;
pub mod verify;
mod viewer;
mod write;

pub use db::{Db, Options};
pub use error::{Error, Result};
pub use known::{Keys, Known, KnownCampaign};
pub use periods::PeriodClose;
pub use tx::Tx;
pub use viewer::{Scope, Viewer};
pub use write::{Actual, Figures, Planned, quarter_of};
pub use write::{
    Admission, CampaignResults, CycleParts, FundParts, LastEvent, Opened, Recorded, Submission, WhichCycle, WhichFund,
};

#[cfg(test)]
mod tests;
