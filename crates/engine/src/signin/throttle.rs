//! Guessing is slow: ten tries per account in a quarter of an hour, from however many addresses.

use super::{Door, Try};
use crate::error::{Error, Result};
use chrono::Duration;
use storage::rows::SignInAttempt;
use uuid::Uuid;

const WINDOW: Duration = Duration::minutes(15);
const GUESSES: i64 = 10;

/// A guess that has been counted and may be tried.
pub(super) struct Guess(Uuid);

impl Door {
    /// Counts the guess before the password is looked at: it is written first and counted after, so that forty at
    /// once are still ten. Those over the limit are taken back, or knocking on would keep the door shut for ever.
    pub(super) async fn guess(&self, email: &str, tried: &Try<'_>) -> Result<Guess> {
        let now = self.clock.now();
        let account = match tried.device {
            Some(device) => format!("{email}#{device}"),
            None => email.to_owned(),
        };
        let row = SignInAttempt {
            id: Uuid::now_v7(),
            email: super::cut(&account, 320),
            ip: super::cut(&tried.visit.ip, 64),
            at: now,
            passed: false,
        };
        self.db.write(async |tx| tx.record_attempt(&row).await).await?;
        if self.db.reader().door().guesses_since(&row.email, now - WINDOW).await? <= GUESSES {
            return Ok(Guess(row.id));
        }
        self.db.write(async |tx| tx.drop_attempt(row.id).await).await?;
        Err(too_many())
    }

    /// A right password is no guess.
    pub(super) async fn passed(&self, guess: Guess) -> Result<()> {
        Ok(self.db.write(async |tx| tx.pass_attempt(guess.0).await).await?)
    }
}

fn too_many() -> Error {
    let why = "This account has seen too many wrong passwords.";
    let remedy = "Wait 15 minutes, use a browser you signed in with before, or ask for a new password.";
    Error::refused("too_many_guesses", why, remedy)
}
