//! One answer per submission: the first write of every command.

use crate::error::Result;
use crate::sql::{self, Column, FromRow, values};
use crate::tx::Tx;
use domain::Instant;
use sea_orm::QueryResult;

/// Whether this form or call has been seen before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Submission {
    /// Not yet: go on, and finish it with its result.
    First,
    /// It was done; this is what was answered. `None` where the first one is recorded without a result.
    Repeated(Option<String>),
    /// The key was used for something else.
    Conflict,
}

struct Seen {
    input_hash: String,
    result: Option<String>,
}

impl FromRow for Seen {
    fn from_row(row: &QueryResult) -> Result<Self> {
        Ok(Self { input_hash: Column::read(row, "input_hash")?, result: Column::read(row, "result")? })
    }
}

impl Tx {
    /// Claims a submission for this transaction. On PostgreSQL a second one of the same key waits here until the
    /// first has committed or gone.
    pub async fn submission(&self, scope: &str, key: &str, input_hash: &str, now: Instant) -> Result<Submission> {
        let claim = "INSERT INTO submission (scope, submission_key, input_hash, at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT DO NOTHING";
        if sql::execute(&self.db, claim, values![scope, key, input_hash, now]).await? == 1 {
            return Ok(Submission::First);
        }
        let seen: Seen = sql::one(
            &self.db,
            "SELECT input_hash, result FROM submission WHERE scope = $1 AND submission_key = $2",
            values![scope, key],
        )
        .await?;
        Ok(if seen.input_hash == input_hash { Submission::Repeated(seen.result) } else { Submission::Conflict })
    }

    /// Keeps the answer for whoever asks again.
    pub async fn finish_submission(&self, scope: &str, key: &str, result: &str) -> Result<()> {
        let keep = "UPDATE submission SET result = $3 WHERE scope = $1 AND submission_key = $2";
        sql::execute(&self.db, keep, values![scope, key, result]).await.map(|_| ())
    }

    /// Forgets submissions older than `before`; says how many.
    pub async fn prune_submissions(&self, before: Instant) -> Result<u64> {
        sql::execute(&self.db, "DELETE FROM submission WHERE at < $1", values![before]).await
    }
}
