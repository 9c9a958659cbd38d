//! Digests: what has gathered for somebody leaves as one mail, in the morning of their rhythm.
//!
//! A thing is taken out of the gathering and named in a digest in one transaction, so it is told once, however many
//! workers run, and after a standstill in one digest instead of one for every morning that was missed.

use crate::Engine;
use crate::error::Result;
use crate::notices;
use crate::worker::Pass;
use chrono::Days;
use domain::Instant;
use domain::notice::{Audience, Facts, Notice, Topic};
use domain::rhythm::{MailKind, Rhythm};
use mailer::{DigestLine, Recipient};
use storage::read::{InboxFilter, Paging, Waiting};
use storage::rows::{OutboxMail, User};
use storage::{Tx, Viewer};
use uuid::Uuid;

/// Readers a pass; the others have their turn in the next one.
const READERS: u16 = 500;
/// A round-up names at most so many requests; the inbox has them all.
const WAITING: u16 = 100;
const SCOPE: &str = "round-up";

impl Engine {
    /// Gathers what waits for approval, then sends every digest that is due.
    pub(crate) async fn send_digests(&self, pass: &mut Pass) -> Result<()> {
        self.round_up().await?;
        let now = self.clock.now();
        for reader in self.reader().door().digest_readers(now, READERS).await? {
            match self.send_digest(&reader, now).await {
                Ok(()) => pass.done += 1,
                Err(error) => {
                    pass.failed += 1;
                    tracing::error!(user = %reader.id, %error, "a digest could not be written; it is tried again");
                }
            }
        }
        Ok(())
    }

    async fn send_digest(&self, reader: &User, now: Instant) -> Result<()> {
        let work = async |tx: &Tx| -> Result<()> {
            let items = tx.take_digest_items(reader.id, now).await?;
            // Another worker may have been faster.
            if items.is_empty() {
                return Ok(());
            }
            Ok(tx.enqueue(&[self.digest_of(reader, &items, now)]).await?)
        };
        self.db.write(work).await?;
        self.outbox_has_work.notify_one();
        Ok(())
    }

    /// Kind by kind, and in each what came last first, as the items are given.
    fn digest_of(&self, reader: &User, items: &[OutboxMail], now: Instant) -> OutboxMail {
        let kind = |item: &OutboxMail| topic_of(&item.topic).and_then(Topic::mail_kind);
        let mut sorted: Vec<&OutboxMail> = items.iter().collect();
        sorted.sort_by_key(|item| kind(item));
        let line = |item: &&OutboxMail| DigestLine {
            group: kind(item).map_or("News", MailKind::label),
            subject: item.subject.clone(),
        };
        let lines: Vec<DigestLine> = sorted.iter().map(line).collect();
        let id = Uuid::now_v7();
        let to = Recipient { name: reader.name.clone(), email: reader.email.clone(), marks: reader.marks };
        let message_id = self.sender.message_id(id);
        let written = mailer::digest(&lines, &to, &self.sender, &message_id);
        notices::outbox_mail(id, "digest", &to, Some(reader.id), written, now)
    }

    /// Once a morning: what still waits for an approver joins what has gathered for them.
    async fn round_up(&self) -> Result<()> {
        let now = self.clock.now();
        let round = Rhythm::Daily.round(now);
        let key = round.date_naive().to_string();
        if self.reader().door().is_submitted(SCOPE, &key).await? {
            return Ok(());
        }
        let mut gathered: Vec<(User, Vec<Notice>)> = Vec::new();
        for user in self.reader().door().deciders(now.date_naive()).await? {
            let waiting = self.waiting_for(&user, now, round).await?;
            if !waiting.is_empty() {
                gathered.push((user, waiting));
            }
        }
        let work = async |tx: &Tx| -> Result<()> {
            if tx.submission(SCOPE, &key, "", now).await? != storage::Submission::First {
                return Ok(());
            }
            let users: Vec<_> = gathered.iter().map(|(user, _)| user.id).collect();
            let choices = tx.mail_choices(&users).await?;
            for (user, waiting) in &gathered {
                let rhythm = notices::rhythm_of(&choices, user.id, MailKind::Waiting);
                // A weekly round is made on the first morning of its week somebody is there to make it.
                let week = format!("{}/{}", Rhythm::Weekly.round(now).date_naive(), user.id);
                let is_due = rhythm != Rhythm::Weekly
                    || tx.submission(SCOPE, &week, "", now).await? == storage::Submission::First;
                if is_due {
                    let item = |notice: &Notice| notices::item(self, notice, user, now, now);
                    tx.enqueue(&waiting.iter().map(item).collect::<Vec<_>>()).await?;
                }
            }
            Ok(())
        };
        self.db.write(work).await
    }

    /// Requests this person decides now, for an absent colleague too, and heard of before this round, the soonest due
    /// first.
    async fn waiting_for(&self, user: &User, now: Instant, round: Instant) -> Result<Vec<Notice>> {
        let Some(actor) = self.reader().door().actor(user.id, now.date_naive()).await? else { return Ok(Vec::new()) };
        let viewer = Viewer::from(&actor);
        let mine = InboxFilter { mine: true, ..InboxFilter::default() };
        let page = self.reader().in_approval(&viewer, &mine, &Paging::first(WAITING)).await?;
        let since = round - Days::new(1);
        let old = |waiting: &&Waiting| waiting.cycle.since < since && waiting.cycle.approval.open_question().is_none();
        let notice = |waiting: &Waiting| Notice {
            topic: Topic::ApprovalWaiting,
            audience: Audience::User(user.id),
            facts: Facts {
                number: waiting.cycle.number.clone(),
                title: waiting.cycle.title.clone(),
                partner: waiting.partner_name.clone(),
                amount: Some(waiting.cycle.request.total(&waiting.cycle)),
                due: waiting.cycle.approval.due,
                path: format!("/cycles/{}/approval", waiting.cycle.number),
                ..Facts::default()
            },
        };
        Ok(page.rows.iter().filter(old).map(notice).collect())
    }
}

fn topic_of(name: &str) -> Option<Topic> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}
