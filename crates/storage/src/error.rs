//! What can go wrong between the engine and the database.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

pub type Result<T> = std::result::Result<T, Error>;

/// Why a read or a write did not happen, as far as the caller can act on it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Missing, or outside what the viewer may see: the two are told the same way.
    #[error("not found")]
    NotFound,
    /// The row has moved on since the version this was decided on: load again, decide again, or tell the person.
    #[error("the record was changed by someone else meanwhile")]
    Stale,
    /// A balance was taken or a lock was lost in a race: load again and decide again, at most five times.
    #[error("the database was busy with the same rows")]
    Contended,
    /// A unique value is taken already; the text names the constraint or its columns.
    #[error("taken already: {0}")]
    Duplicate(String),
    /// The commit was sent and its answer was lost or bad: look the submission up on a fresh connection.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(DbErr),
    /// A stored value cannot be read back; the text says which.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    #[error(transparent)]
    Database(DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(what)) = error.sql_err() {
            return Error::Duplicate(what);
        }
        if lost_a_race(&error) { Error::Contended } else { Error::Database(error) }
    }
}

impl Error {
    /// A failed COMMIT. A serialization failure is a definite no; everything else is unknown.
    pub(crate) fn of_commit(error: DbErr) -> Self {
        if lost_a_race(&error) { Error::Contended } else { Error::Unknown(error) }
    }
}

/// PostgreSQL: serialization failure, deadlock, lock timeout. SQLite: busy or locked, also in their extended forms.
fn lost_a_race(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    let sqlx::Error::Database(cause) = cause.as_ref() else { return false };
    let code = cause.code().unwrap_or_default();
    if cause.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6));
    }
    matches!(code.as_ref(), "40001" | "40P01" | "55P03")
}
