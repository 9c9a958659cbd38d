//! The outbox: mail is written with the event it tells of, and sent after the commit, each once.

use crate::error::{Error, Result};
use crate::filter::Where;
use crate::rows::OutboxMail;
use crate::sql::{self, Table, values};
use crate::tx::Tx;
use domain::Instant;
use domain::ids::UserId;
use uuid::Uuid;

impl Tx {
    pub async fn enqueue(&self, mails: &[OutboxMail]) -> Result<()> {
        sql::insert(&self.db, mails).await.map(|_| ())
    }

    /// Takes up to `limit` due mails for this worker until `until`; another worker skips them meanwhile.
    pub async fn lease_mails(&self, now: Instant, until: Instant, limit: u16) -> Result<Vec<OutboxMail>> {
        let sql = format!(
            "UPDATE outbox SET lease_until = $2, attempts = attempts + 1 WHERE id IN (
               SELECT id FROM outbox WHERE kind = 'mail' AND sent_at IS NULL AND NOT dead AND due_at <= $1
               AND (lease_until IS NULL OR lease_until <= $1) ORDER BY due_at, id LIMIT $3 {}
             ) RETURNING {}",
            sql::for_update(&self.db, true),
            OutboxMail::COLUMNS.join(", ")
        );
        sql::all(&self.db, &sql, values![now, until, limit]).await
    }

    /// Takes what has gathered for a reader and is due, newest first. The digest is written in the same transaction, so
    /// each thing is named once, whoever else looks for work meanwhile.
    pub async fn take_digest_items(&self, user: UserId, now: Instant) -> Result<Vec<OutboxMail>> {
        let sql = format!(
            "UPDATE outbox SET sent_at = $2 WHERE kind = 'item' AND to_user = $1 AND sent_at IS NULL AND due_at <= $2
             RETURNING {}",
            OutboxMail::COLUMNS.join(", ")
        );
        let mut items: Vec<OutboxMail> = sql::all(&self.db, &sql, values![user, now]).await?;
        items.sort_by_key(|item| std::cmp::Reverse((item.created_at, item.id)));
        Ok(items)
    }

    /// Things that wait for a digest wait no longer than until `due`: their reader wants to hear sooner.
    pub async fn hasten_digest_items(&self, user: UserId, topics: &[String], due: Instant) -> Result<()> {
        let found = Where::default()
            .eq("to_user", Some(user))
            .and("kind = 'item' AND sent_at IS NULL AND due_at > ?", values![due])
            .among("topic", topics);
        let mut values = values![due];
        values.extend(found.values.clone());
        sql::execute(&self.db, &format!("UPDATE outbox SET due_at = $1 {}", found.sql_after(1)), values)
            .await
            .map(|_| ())
    }

    /// It has left. What it said stays for the record, but for a secret, which now is its reader's alone.
    pub async fn mail_sent(&self, id: Uuid, now: Instant) -> Result<()> {
        let sql = "UPDATE outbox SET sent_at = $2, lease_until = NULL, last_error = NULL,
                     text_body = CASE WHEN secret THEN '' ELSE text_body END,
                     html_body = CASE WHEN secret THEN '' ELSE html_body END
                   WHERE id = $1";
        sql::execute(&self.db, sql, values![id, now]).await.map(|_| ())
    }

    /// Not sent: tried again at `retry_at`, or given up where there is no such time.
    pub async fn mail_failed(&self, id: Uuid, error: &str, retry_at: Option<Instant>) -> Result<()> {
        let sql = "UPDATE outbox SET lease_until = NULL, last_error = $2, due_at = COALESCE($3, due_at), dead = $4
                   WHERE id = $1 AND sent_at IS NULL";
        let error: String = error.chars().take(500).collect();
        sql::execute(&self.db, sql, values![id, error, retry_at, retry_at.is_none()]).await.map(|_| ())
    }

    /// An administrator sends a mail again that was given up.
    pub async fn revive_mail(&self, id: Uuid, now: Instant) -> Result<()> {
        let sql = "UPDATE outbox SET dead = FALSE, attempts = 0, due_at = $2, lease_until = NULL
                   WHERE id = $1 AND dead AND sent_at IS NULL";
        match sql::execute(&self.db, sql, values![id, now]).await? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }
}
