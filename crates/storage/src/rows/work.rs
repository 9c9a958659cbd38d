//! Mail to send.

use crate::sql::rows;
use domain::Instant;
use domain::ids::UserId;
use uuid::Uuid;

rows! {
    /// A rendered mail, waiting, sent or dead.
    table "outbox" => OutboxMail {
        id: Uuid,
        /// `mail`; or `item`, which waits to be named in a digest and is never sent by itself.
        kind: String,
        topic: String,
        to_email: String,
        to_name: String,
        to_user: Option<UserId>,
        subject: String,
        text_body: String,
        html_body: String,
        /// Stable over retries, so that a mail sent twice is one mail to the reader.
        message_id: String,
        created_at: Instant,
        /// Not to be sent before.
        due_at: Instant,
        attempts: u16,
        lease_until: Option<Instant>,
        sent_at: Option<Instant>,
        last_error: Option<String>,
        /// Given up; an administrator may send it again.
        dead: bool,
        /// Holds a link that signs its reader in: no page shows its bodies, and they are blank once it has left.
        secret: bool,
    }
}
