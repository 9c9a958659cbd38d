//! A notice becomes a mail, and a mail is sent: by SMTP, into a folder of `.eml` files, or into memory.
//!
//! [`render`] makes words of a [`domain::notice::Notice`] when its outbox row is written, so that the row is
//! complete and every try sends the same bytes. [`Post`] sends one mail and says whether a failure may pass.
//! What is deliberately absent: a queue and retries (the outbox has them), "in 9 days" (a mail is read on
//! another day than it is written), and links that do anything (mail scanners follow links).

mod clean;
mod post;
mod render;
mod words;

#[cfg(test)]
mod tests;

pub use post::{Letterbox, Post, SendError, SetupError};
pub use render::{DigestLine, digest, render, trial};

use domain::money::Marks;
use serde::{Deserialize, Serialize};

/// A name and an address as people typed them: untrusted until a header has been made of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Address {
    pub name: String,
    pub email: String,
}

/// One mail, complete but for its sender and its date: what an outbox row holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The same on every try, so that a mail sent twice is shown once. See [`Sender::message_id`].
    pub message_id: String,
    pub to: Address,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Says which mail, never what is in it: it may hold a sign-in link and always holds personal data.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// Whom a mail is for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recipient {
    pub name: String,
    pub email: String,
    /// How they write amounts.
    pub marks: Marks,
}

/// Who the mails come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// As a partner knows it: "Fundloop at Acme". Stands in From and at the foot.
    pub name: String,
    /// The From address.
    pub email: String,
    /// Where the pages are: `https://mdf.acme.example`.
    pub base_url: String,
}

impl Sender {
    /// The Message-ID for a key that is unique to one mail, such as its outbox row's id.
    pub fn message_id(&self, key: impl std::fmt::Display) -> String {
        let host = self.email.rsplit('@').next().unwrap_or_default();
        format!("<{key}@{host}>")
    }
}
