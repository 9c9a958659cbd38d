//! One writing transaction.

use crate::db::Trust;
use crate::error::{Error, Result};
use crate::write::Remembered;
use sea_orm::DatabaseTransaction;
use std::sync::Mutex;

/// An open transaction; all writes are methods on it. Dropped without [`Tx::commit`], it is rolled back.
pub struct Tx {
    pub(crate) db: DatabaseTransaction,
    /// What was locked in this transaction, as it was before: what a decision changed is told from it.
    pub(crate) remembered: Mutex<Vec<Remembered>>,
    trust: Trust,
}

impl Tx {
    pub(crate) fn new(db: DatabaseTransaction, trust: Trust) -> Self {
        Self { db, remembered: Mutex::default(), trust }
    }

    /// Makes everything durable, or says that nobody knows whether it is ([`Error::Unknown`]).
    pub async fn commit(self) -> Result<()> {
        self.db.commit().await.map_err(|error| {
            self.trust.withdraw();
            Error::of_commit(error)
        })
    }

    /// Undoes everything. A rollback that fails is logged and its connection is not used again; the database ends
    /// the transaction when the connection closes.
    pub async fn rollback(self) {
        if let Err(error) = self.db.rollback().await {
            self.trust.withdraw();
            tracing::warn!(%error, "a rollback failed; its connection is closed");
        }
    }
}
