//! Why the engine did not do something, as far as its caller can act on it.

use domain::Instant;
use domain::refusal::{Reason, Refusal};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was sent is not well-formed; one reason each.
    #[error("not well-formed: {} problems", .0.len())]
    Invalid(Vec<Reason>),
    /// The rules say no, here and now.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Missing, or not theirs to see: the two are told the same way.
    #[error("not found")]
    NotFound,
    /// Someone moved it meanwhile: who, when, and what they did, in a sentence.
    #[error("{words}")]
    Stale { by: String, at: Instant, words: String },
    /// The same submission key came before with other content.
    #[error("this was already sent, with other content")]
    Conflict,
    /// The database or another service does not answer; nothing was changed, or nobody knows.
    #[error("not available now: {0}")]
    Unavailable(String),
    /// What the database said, where nothing above fits: a lost race, a broken connection, a value that does not read.
    #[error(transparent)]
    Storage(storage::Error),
    /// Our side; for the log, never for people.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Something of our own that broke, worded for the log.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Error::Internal(cause.to_string())
    }

    /// One field that does not read.
    pub fn invalid(field: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Invalid(vec![Reason::new("invalid", why, remedy).at(field)])
    }

    /// The rules say no, for one reason.
    pub fn refused(code: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Refused(Refusal::new(code, why, remedy))
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::NotFound => Error::NotFound,
            other => Error::Storage(other),
        }
    }
}
