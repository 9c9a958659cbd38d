//! Guessing is slow: ten wrong passwords per account in a quarter of an hour, from however many addresses and however
//! many at once. Each browser that signed an account in before is an account of its own here.

use super::{Door, Try};
use crate::error::{Error, Result};
use chrono::TimeDelta;
use std::time::Duration;
use storage::Admission;
use storage::rows::SignInAttempt;
use uuid::Uuid;

/// How long a wrong password counts.
pub(super) const WINDOW: TimeDelta = TimeDelta::minutes(15);
const GUESSES: i64 = 10;
/// Looking at a password takes a fraction of a second: one that has had no answer for so long never gets one.
const ABANDONED: TimeDelta = TimeDelta::seconds(30);
/// How often a try asks for a place that others have taken and may give back: for some seconds in all.
const KNOCKS: u32 = 60;

/// A guess that has been counted and may be tried.
pub(super) struct Guess(Uuid);

impl Door {
    /// Counts the guess before the password is looked at. A right password gives its place back, so where every place
    /// is taken by passwords still being looked at, this one waits to hear what became of them.
    pub(super) async fn guess(&self, email: &str, tried: &Try<'_>) -> Result<Guess> {
        let account = match tried.device {
            Some(device) => format!("{email}#{device}"),
            None => email.to_owned(),
        };
        for knock in 0..KNOCKS {
            let now = self.clock.now();
            let row = SignInAttempt {
                id: Uuid::now_v7(),
                email: super::cut(&account, 320),
                ip: super::cut(&tried.visit.ip, 64),
                at: now,
                passed: None,
            };
            let tx = self.db.begin().await?;
            match tx.admit_attempt(&row, now - WINDOW, now - ABANDONED, GUESSES).await? {
                Admission::Counted => {
                    tx.commit().await?;
                    return Ok(Guess(row.id));
                }
                Admission::Full => {
                    tx.rollback().await;
                    break;
                }
                Admission::Undecided => {
                    tx.rollback().await;
                    tokio::time::sleep(Duration::from_millis(20 + 5 * u64::from(knock))).await;
                }
            }
        }
        Err(too_many())
    }

    /// A right password is no guess; a wrong one keeps its place.
    pub(super) async fn settle(&self, guess: Guess, right: bool) -> Result<()> {
        Ok(self.db.write(async |tx| tx.settle_attempt(guess.0, right).await).await?)
    }
}

fn too_many() -> Error {
    let why = "This account has seen too many wrong passwords.";
    let remedy = "Wait 15 minutes, use a browser you signed in with before, or ask for a new password.";
    Error::refused("too_many_guesses", why, remedy)
}
