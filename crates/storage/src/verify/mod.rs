//! Recomputes what must hold: the book from its postings ([`ledger`]) and every timeline from its chain ([`audit`]).
//!
//! Both read a consistent snapshot, write nothing, and hold one page of rows at a time, however large the database.

mod audit;
mod ledger;
mod periods;

pub use audit::{Head, against, audit, heads};
pub use ledger::ledger;

use crate::db::Db;
use crate::error::Result;
use sea_orm::{AccessMode, DatabaseTransaction, IsolationLevel, TransactionOptions, TransactionTrait};
use serde::Serialize;

/// Something that does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// Stable and machine-readable: `balance`, `chain`.
    pub code: &'static str,
    /// The account, fund, cycle or event it is about.
    pub subject: String,
    /// One sentence: what is there and what should be.
    pub words: String,
}

impl Finding {
    fn new(code: &'static str, subject: impl ToString, words: impl Into<String>) -> Self {
        Self { code, subject: subject.to_string(), words: words.into() }
    }
}

/// At most this many findings of one kind are told; a broken book has enough to look at.
const ENOUGH: usize = 100;

/// One moment of the database, whatever is written meanwhile.
async fn snapshot(db: &Db) -> Result<DatabaseTransaction> {
    let mut options = TransactionOptions::default();
    if !db.is_sqlite() {
        options.isolation_level = Some(IsolationLevel::RepeatableRead);
        options.access_mode = Some(AccessMode::ReadOnly);
    }
    Ok(db.readers().begin_with_options(options).await?)
}
