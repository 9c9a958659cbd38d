//! From a notice to mails in the outbox: who is meant, and what each of them reads.

use crate::Engine;
use crate::error::Result;
use domain::Instant;
use domain::notice::{Audience, Notice};
use domain::people::Actor;
use mailer::Recipient;
use storage::Tx;
use storage::rows::OutboxMail;
use uuid::Uuid;

/// Writes one mail a person a notice, in the transaction of the event it tells of. Nobody is told of their own act.
pub(crate) async fn enqueue(
    engine: &Engine,
    tx: &Tx,
    notices: impl Iterator<Item = &Notice>,
    actor: &Actor,
    now: Instant,
) -> Result<()> {
    let mut mails = Vec::new();
    for notice in notices {
        if let Audience::Address(email) = &notice.audience {
            let to = Recipient { name: email.clone(), email: email.clone(), marks: domain::money::Marks::default() };
            mails.push(mail(engine, notice, &to, None, now));
            continue;
        }
        for user in tx.audience(&notice.audience).await? {
            if user.id == actor.user() {
                continue;
            }
            let to = Recipient { name: user.name.clone(), email: user.email.clone(), marks: user.marks };
            mails.push(mail(engine, notice, &to, Some(user.id), now));
        }
    }
    if !mails.is_empty() {
        tx.enqueue(&mails).await?;
    }
    Ok(())
}

fn mail(
    engine: &Engine,
    notice: &Notice,
    to: &Recipient,
    user: Option<domain::ids::UserId>,
    now: Instant,
) -> OutboxMail {
    let id = Uuid::now_v7();
    let message_id = engine.sender.message_id(id);
    let written = mailer::render(notice, to, &engine.sender, &message_id);
    let topic =
        serde_json::to_value(notice.topic).ok().and_then(|topic| topic.as_str().map(str::to_owned)).unwrap_or_default();
    OutboxMail {
        id,
        kind: "mail".to_owned(),
        topic,
        to_email: to.email.clone(),
        to_name: to.name.clone(),
        to_user: user,
        subject: written.subject,
        text_body: written.text,
        html_body: written.html,
        message_id,
        created_at: now,
        due_at: now,
        attempts: 0,
        lease_until: None,
        sent_at: None,
        last_error: None,
        dead: false,
        secret: false,
    }
}
