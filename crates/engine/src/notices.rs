//! From a notice to mails in the outbox: who is meant, and what each of them reads, at once or in a digest.

use crate::Engine;
use crate::error::Result;
use domain::Instant;
use domain::ids::{PartnerId, UserId};
use domain::notice::{Audience, Notice, Topic};
use domain::people::Actor;
use domain::rhythm::{MailKind, Rhythm};
use mailer::{Mail, Recipient};
use std::collections::{BTreeMap, BTreeSet};
use storage::Tx;
use storage::rows::{MailChoice, OutboxMail, User};
use uuid::Uuid;

/// Writes one mail a person a notice, in the transaction of the event it tells of. Nobody is told of their own act. What
/// a person wants gathered is written the same and waits for their digest.
pub(crate) async fn enqueue(
    engine: &Engine,
    tx: &Tx,
    notices: impl Iterator<Item = &Notice>,
    actor: &Actor,
    now: Instant,
) -> Result<()> {
    let mut mails = Vec::new();
    let mut meant: Vec<(&Notice, User)> = Vec::new();
    let mut heard: BTreeMap<UserId, Vec<&Notice>> = BTreeMap::new();
    let notices: Vec<&Notice> = notices.collect();
    // A closing tells thousands of partners.
    let partners: BTreeSet<PartnerId> = notices.iter().filter_map(|notice| partner_of(notice)).collect();
    let of_partners = tx.people_of_partners(&partners.into_iter().collect::<Vec<_>>()).await?;
    for notice in notices {
        if let Audience::Address(email) = &notice.audience {
            let to = Recipient { name: email.clone(), email: email.clone(), marks: domain::money::Marks::default() };
            mails.push(mail(engine, notice, &to, None, now));
            continue;
        }
        let people = match partner_of(notice) {
            Some(partner) => of_partners.get(&partner).cloned().unwrap_or_default(),
            None => tx.audience(&notice.audience, now.date_naive()).await?,
        };
        for user in people.into_iter().filter(|user| user.id != actor.user()) {
            // Whoever is meant twice, as manager and as approver, reads it once.
            let read = heard.entry(user.id).or_default();
            if !read.iter().any(|other| notice.repeats(other)) {
                read.push(notice);
                meant.push((notice, user));
            }
        }
    }
    let choices = if meant.is_empty() {
        Vec::new()
    } else {
        let mut users: Vec<UserId> = meant.iter().map(|(_, user)| user.id).collect();
        users.sort_unstable();
        users.dedup();
        tx.mail_choices(&users).await?
    };
    for (notice, user) in meant {
        let rhythm = notice.topic.mail_kind().map_or(Rhythm::AtOnce, |kind| rhythm_of(&choices, user.id, kind));
        // No digest tells of a day that has passed.
        let leaves = rhythm.leaves_in_time(now, notice.act_by());
        mails.push(if leaves <= now {
            mail(engine, notice, &recipient(&user), Some(user.id), now)
        } else {
            item(engine, notice, &user, now, leaves)
        });
    }
    if !mails.is_empty() {
        tx.enqueue(&mails).await?;
    }
    Ok(())
}

fn partner_of(notice: &Notice) -> Option<PartnerId> {
    if let Audience::Partner(partner) = notice.audience { Some(partner) } else { None }
}

/// What somebody chose for a kind of mail, or what is usual.
pub(crate) fn rhythm_of(choices: &[MailChoice], user: UserId, kind: MailKind) -> Rhythm {
    let chosen = choices.iter().find(|choice| (choice.user_id, choice.kind) == (user, kind));
    chosen.map_or(kind.usual(), |choice| choice.rhythm)
}

/// A mail that waits for the digest of `due`.
pub(crate) fn item(engine: &Engine, notice: &Notice, user: &User, now: Instant, due: Instant) -> OutboxMail {
    let mail = mail(engine, notice, &recipient(user), Some(user.id), now);
    OutboxMail { kind: "item".to_owned(), due_at: due, ..mail }
}

fn recipient(user: &User) -> Recipient {
    Recipient { name: user.name.clone(), email: user.email.clone(), marks: user.marks }
}

fn mail(engine: &Engine, notice: &Notice, to: &Recipient, user: Option<UserId>, now: Instant) -> OutboxMail {
    let id = Uuid::now_v7();
    let written = mailer::render(notice, to, &engine.sender, &engine.sender.message_id(id));
    outbox_mail(id, &topic_name(notice.topic), to, user, written, now)
}

/// The name a topic is stored under.
pub(crate) fn topic_name(topic: Topic) -> String {
    serde_json::to_value(topic).ok().and_then(|topic| topic.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A written mail as a row of the outbox, due now.
pub(crate) fn outbox_mail(
    id: Uuid,
    topic: &str,
    to: &Recipient,
    user: Option<UserId>,
    written: Mail,
    now: Instant,
) -> OutboxMail {
    OutboxMail {
        id,
        kind: "mail".to_owned(),
        topic: topic.to_owned(),
        to_email: to.email.clone(),
        to_name: to.name.clone(),
        to_user: user,
        subject: written.subject,
        text_body: written.text,
        html_body: written.html,
        message_id: written.message_id,
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
