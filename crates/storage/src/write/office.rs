//! The timeline of administration: one hash chain for the whole house.

use super::timeline::{Chain, GENESIS, sha256};
use crate::error::{Error, Result};
use crate::sql::{self, rows, values};
use crate::tx::Tx;
use domain::Instant;
use domain::event::Entry;
use domain::people::Actor;
use uuid::Uuid;

/// The stream administration is told in.
pub(crate) const OFFICE: Uuid = Uuid::from_bytes(*b"fundloop/office/");

rows! {
    table "office" => OfficeRow {
        id: Uuid,
        version: i64,
        head_hash: String,
    }
}

/// What the last event seals: the office has no document of its own, only how far it has come.
pub(crate) fn state_hash(version: i64) -> String {
    sha256(&format!("office {version}"))
}

impl Tx {
    /// Records what an administrator did, in one sentence and with the facts behind it.
    ///
    /// [`Error::Stale`]: another one was recorded meanwhile.
    pub async fn note(
        &self,
        kind: &str,
        words: impl Into<String>,
        facts: serde_json::Value,
        actor: &Actor,
        now: Instant,
    ) -> Result<()> {
        let first = OfficeRow { id: OFFICE, version: 0, head_hash: GENESIS.to_owned() };
        sql::insert_or(&self.db, &[first], "ON CONFLICT (id) DO NOTHING").await?;
        let lock = sql::for_update(&self.db, false);
        let row: OfficeRow =
            sql::one(&self.db, &sql::select::<OfficeRow>(&format!("WHERE id = $1 {lock}")), values![OFFICE]).await?;
        let entry = Entry {
            kind: kind.to_owned(),
            words: words.into(),
            payload: facts,
            postings: Vec::new(),
            notices: Vec::new(),
            quiet: false,
            acting_for: None,
        };
        let state_hash = state_hash(row.version + 1);
        let chain = Chain {
            stream: OFFICE,
            kind: "office",
            partner: None,
            seq: row.version,
            head: row.head_hash,
            state_hash: &state_hash,
        };
        let events = chain.extend(&[entry], actor, now);
        let Some(last) = events.last() else { return Ok(()) };
        let sql = "UPDATE office SET version = $2, head_hash = $3 WHERE id = $1 AND version = $4";
        let moved = sql::execute(&self.db, sql, values![OFFICE, last.seq, last.hash.clone(), row.version]).await?;
        if moved == 0 {
            return Err(Error::Stale);
        }
        self.append(&events).await
    }
}
