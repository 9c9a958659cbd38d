//! Sending: one mail, once. The outbox decides when, and when again.

mod folder;
mod memory;
mod smtp;

pub use memory::Letterbox;

use crate::{Address, Mail, Sender};
use domain::Instant;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Where mails go. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Post {
    from: Mailbox,
    via: Via,
}

#[derive(Clone, Debug)]
enum Via {
    Smtp(smtp::Smtp),
    Folder(PathBuf),
    Memory(Letterbox),
}

/// Why a mail was not sent, in words for the administrator's outbox page.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{words}")]
pub struct SendError {
    /// Trying again may help: the server is away, busy, or not set up right. Otherwise this mail never will
    /// be taken, such as one to an address that does not exist.
    pub temporary: bool,
    pub words: String,
}

impl SendError {
    pub fn temporary(words: impl std::fmt::Display) -> Self {
        Self { temporary: true, words: words.to_string() }
    }

    pub fn permanent(words: impl std::fmt::Display) -> Self {
        Self { temporary: false, words: words.to_string() }
    }
}

/// A mail setting that cannot work. Says which and why, never the password in it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(String);

impl Post {
    /// Sends by SMTP: `smtp://user:password@host:port`, or `smtps://` where TLS starts at once.
    ///
    /// Without `?tls=`, `smtp://` to another machine starts TLS when the server offers it, and must when there
    /// is a password to protect; to this machine it does without. `?tls=required`, `opportunistic` or `none`
    /// says otherwise. Make and drop it inside a tokio runtime: its connections live there.
    pub fn smtp(url: &str, sender: &Sender) -> Result<Self, SetupError> {
        Ok(Self { from: from(sender)?, via: Via::Smtp(smtp::Smtp::new(url)?) })
    }

    /// Writes each mail to the folder as `<message id>.eml`, which every mail program opens.
    pub fn folder(folder: impl Into<PathBuf>, sender: &Sender) -> Result<Self, SetupError> {
        Ok(Self { from: from(sender)?, via: Via::Folder(folder.into()) })
    }

    /// Keeps mails for a test to read.
    pub fn memory(sender: &Sender) -> Result<(Self, Letterbox), SetupError> {
        let letterbox = Letterbox::default();
        Ok((Self { from: from(sender)?, via: Via::Memory(letterbox.clone()) }, letterbox))
    }

    /// Sends one mail, or writes it away. The date is the day it was written, the same on every try.
    pub async fn send(&self, mail: &Mail, date: Instant) -> Result<(), SendError> {
        let message = message(&self.from, mail, date)?;
        match &self.via {
            Via::Smtp(smtp) => smtp.send(message).await,
            Via::Folder(folder) => folder::write(folder, &mail.message_id, &message.formatted()).await,
            Via::Memory(letterbox) => letterbox.take_in(mail),
        }
    }

    /// Where mails go, for logs and the administrator: `SMTP, mail.acme.example:587`.
    pub fn describe(&self) -> String {
        match &self.via {
            Via::Smtp(smtp) => smtp.describe(),
            Via::Folder(folder) => format!(".eml files in {}", folder.display()),
            Via::Memory(_) => "memory".to_owned(),
        }
    }
}

fn from(sender: &Sender) -> Result<Mailbox, SetupError> {
    let address = Address { name: sender.name.clone(), email: sender.email.clone() };
    mailbox(&address).map_err(|_| SetupError(format!("“{}” is not an address mail can come from.", sender.email)))
}

fn mailbox(address: &Address) -> Result<Mailbox, lettre::address::AddressError> {
    let name = crate::clean::line(&address.name);
    Ok(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address.email.trim().parse()?))
}

/// The message as it goes over the wire. A row of the outbox may be older than a rule in `render`, so
/// whatever a header is made of is made clean here too.
fn message(from: &Mailbox, mail: &Mail, date: Instant) -> Result<Message, SendError> {
    let to =
        mailbox(&mail.to).map_err(|error| SendError::permanent(format!("The address cannot be read: {error}.")))?;
    let id: String = mail.message_id.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>')).collect();
    // Not a random boundary: the same mail is the same bytes on every try. An id holds a UUID nobody can guess.
    let boundary: String = id.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    let parts = MultiPart::alternative()
        .boundary(format!("part-{boundary}"))
        .singlepart(SinglePart::plain(mail.text.clone()))
        .singlepart(SinglePart::html(mail.html.clone()));
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(crate::clean::line(&mail.subject))
        .date(moment(date))
        .message_id(Some(format!("<{id}>")))
        // Keeps holiday replies from answering a machine (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .multipart(parts)
        .map_err(|error| SendError::permanent(format!("The mail cannot be put together: {error}.")))
}

/// A Date header has years from 1970 to 9999; a clock that says otherwise must not stop a mail.
fn moment(date: Instant) -> SystemTime {
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    let since = u64::try_from(date.timestamp()).map_or(Duration::ZERO, Duration::from_secs);
    SystemTime::UNIX_EPOCH + since.min(LAST)
}
