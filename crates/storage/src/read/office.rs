//! The back office: mail, and the record of everything that happened.

use super::{Page, Paging, Reader};
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::rows::OutboxMail;
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use domain::Instant;
use domain::ids::{EventId, PartnerId, UserId};
use uuid::Uuid;

rows! {
    /// A mail without its bodies.
    view OutboxLine {
        id: Uuid,
        /// `mail`, or `item` of a digest.
        kind: String,
        topic: String,
        to_email: String,
        to_name: String,
        subject: String,
        created_at: Instant,
        due_at: Instant,
        attempts: u16,
        sent_at: Option<Instant>,
        last_error: Option<String>,
        dead: bool,
    }

    /// One event of any cycle or fund, or of administration.
    view LogEntry {
        id: EventId,
        stream: Uuid,
        stream_kind: String,
        /// The cycle's number or the fund's code; none for administration.
        record: Option<String>,
        seq: i64,
        partner_id: Option<PartnerId>,
        at: Instant,
        actor_id: UserId,
        actor_name: String,
        /// The absent colleague in whose place it was done.
        acting_for: Option<String>,
        kind: String,
        words: String,
        hash: String,
    }
}

impl LogEntry {
    /// "Björn Aas", or "Björn Aas for Ana Ferreira" where he stood in for her.
    pub fn who(&self) -> String {
        super::cycle::in_whose_place(&self.actor_name, self.acting_for.as_deref())
    }
}

/// Which mails to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MailState {
    #[default]
    All,
    Waiting,
    Sent,
    /// Given up.
    Dead,
}

/// Which events to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogFilter {
    pub actor: Option<UserId>,
    /// `claim.approved`
    pub kind: Option<String>,
    pub partner: Option<PartnerId>,
}

const MAIL: &str =
    "SELECT id, kind, topic, to_email, to_name, subject, created_at, due_at, attempts, sent_at, last_error, dead
    FROM outbox";

impl Reader {
    /// The outbox, newest first; for administrators and auditors.
    pub async fn outbox(&self, viewer: &Viewer, state: MailState, paging: &Paging) -> Result<Page<OutboxLine>> {
        administration(viewer)?;
        let found = match state {
            MailState::All => Where::default(),
            MailState::Waiting => Where::default().and("sent_at IS NULL AND NOT dead", Vec::new()),
            MailState::Sent => Where::default().and("sent_at IS NOT NULL", Vec::new()),
            MailState::Dead => Where::default().and("dead", Vec::new()),
        };
        self.mails(found, paging).await
    }

    async fn mails(&self, mut found: Where, paging: &Paging) -> Result<Page<OutboxLine>> {
        if let Some((at, id)) = paging.cursor::<(Instant, Uuid)>()? {
            found = found.and("(created_at, id) < (?, ?)", values![at, id]);
        }
        let order = format!("ORDER BY created_at DESC, id DESC LIMIT {}", paging.one_more());
        let rows = sql::all(&self.db, &format!("{MAIL} {} {order}", found.sql()), found.values).await?;
        Ok(paging.page(rows, |line: &OutboxLine| (line.created_at, line.id)))
    }

    /// A whole mail: one's own, or any for administrators and auditors. Of a secret one nobody reads the bodies here, its
    /// own reader neither: whoever has only their session must not get their account.
    pub async fn mail(&self, viewer: &Viewer, id: Uuid) -> Result<OutboxMail> {
        let mut found = Where::default().eq("id", Some(id));
        if !viewer.sees_administration() {
            found = found.eq("to_user", Some(viewer.user()));
        }
        let mut mail: OutboxMail = sql::one(&self.db, &sql::select::<OutboxMail>(&found.sql()), found.values).await?;
        if mail.secret {
            mail.text_body.clear();
            mail.html_body.clear();
        }
        Ok(mail)
    }

    /// Everything that happened, newest first; for administrators and auditors.
    pub async fn log(&self, viewer: &Viewer, filter: &LogFilter, paging: &Paging) -> Result<Page<LogEntry>> {
        administration(viewer)?;
        let mut found = Where::default()
            .eq("e.actor_id", filter.actor)
            .eq("e.kind", filter.kind.as_deref())
            .eq("e.partner_id", filter.partner);
        if let Some((at, id)) = paging.cursor::<(Instant, EventId)>()? {
            found = found.and("(e.at, e.id) < (?, ?)", values![at, id]);
        }
        let sql = format!(
            "SELECT e.id, e.stream, e.stream_kind, COALESCE(c.number, f.code, b.number) AS record, e.seq, e.partner_id, e.at,
             e.actor_id, e.actor_name, e.acting_for, e.kind, e.words, e.hash
             FROM event e LEFT JOIN cycle c ON c.id = e.stream LEFT JOIN fund f ON f.id = e.stream
             LEFT JOIN settlement b ON b.id = e.stream
             {} ORDER BY e.at DESC, e.id DESC LIMIT {}",
            found.sql(),
            paging.one_more()
        );
        let rows = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |entry: &LogEntry| (entry.at, entry.id)))
    }
}

fn administration(viewer: &Viewer) -> Result<()> {
    if viewer.sees_administration() { Ok(()) } else { Err(Error::NotFound) }
}
