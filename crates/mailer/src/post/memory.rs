//! A letterbox a test can look into.

use super::SendError;
use crate::Mail;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was sent, in order. Clones look into the same one.
#[derive(Clone, Default, Debug)]
pub struct Letterbox(Arc<Mutex<Inside>>);

#[derive(Default, Debug)]
struct Inside {
    mails: Vec<Mail>,
    refusal: Option<SendError>,
}

impl Letterbox {
    pub fn mails(&self) -> Vec<Mail> {
        self.inside().mails.clone()
    }

    /// Those to one address, oldest first.
    pub fn to(&self, email: &str) -> Vec<Mail> {
        let mut mails = self.mails();
        mails.retain(|mail| mail.to.email.eq_ignore_ascii_case(email));
        mails
    }

    /// Takes everything out.
    pub fn empty(&self) -> Vec<Mail> {
        std::mem::take(&mut self.inside().mails)
    }

    /// Refuses every mail from now on, as a mail server that is down; `None` takes them again.
    pub fn refuse(&self, refusal: Option<SendError>) {
        self.inside().refusal = refusal;
    }

    pub(super) fn take_in(&self, mail: &Mail) -> Result<(), SendError> {
        let mut inside = self.inside();
        if let Some(refusal) = &inside.refusal {
            return Err(refusal.clone());
        }
        inside.mails.push(mail.clone());
        Ok(())
    }

    /// A test that panicked while it held the lock has failed already; the others may go on.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
