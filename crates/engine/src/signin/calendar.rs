//! What a person hears and when: the rhythm of their mails, and the secret address of their calendar.

use super::{Door, Signed, hashed, secret};
use crate::error::{Error, Result};
use crate::notices;
use domain::notice::Topic;
use domain::people::Actor;
use domain::rhythm::{MailKind, Rhythm};
use serde_json::json;
use storage::rows::{CalendarFeed, MailChoice, User};
use storage::{Tx, Viewer};

/// Whose calendar it is, and what they may see today.
#[derive(Clone, Debug)]
pub struct CalendarOf {
    pub user: User,
    pub actor: Actor,
    pub viewer: Viewer,
}

impl Door {
    /// The rhythm of every kind of mail, chosen or usual.
    pub async fn rhythms(&self, signed: &Signed) -> Result<Vec<(MailKind, Rhythm)>> {
        let choices = self.db.reader().mail_choices_of(&signed.viewer, signed.user.id).await?;
        let rhythm = |kind| (kind, notices::rhythm_of(&choices, signed.user.id, kind));
        Ok(MailKind::ALL.into_iter().map(rhythm).collect())
    }

    /// Takes a person's choice. What has gathered already waits no longer than the new rhythm says.
    pub async fn set_rhythms(&self, signed: &Signed, wanted: &[(MailKind, Rhythm)]) -> Result<()> {
        if wanted.iter().any(|(kind, rhythm)| !kind.rhythms().contains(rhythm)) {
            return Err(Error::invalid(
                "rhythm",
                "A round-up of what waits comes daily or weekly.",
                "Choose one of the two.",
            ));
        }
        let (now, user) = (self.clock.now(), signed.user.id);
        let choices: Vec<MailChoice> =
            wanted.iter().map(|(kind, rhythm)| MailChoice { user_id: user, kind: *kind, rhythm: *rhythm }).collect();
        let work = async |tx: &Tx| {
            tx.set_mail_choices(&choices).await?;
            for (kind, rhythm) in wanted {
                let of_kind = Topic::ALL.into_iter().filter(|topic| topic.mail_kind() == Some(*kind));
                let topics: Vec<String> = of_kind.map(notices::topic_name).collect();
                tx.hasten_digest_items(user, &topics, rhythm.leaves_at(now)).await?;
            }
            Ok::<_, storage::Error>(())
        };
        Ok(self.db.write(work).await?)
    }

    /// When this person's calendar address was made and last used, where there is one.
    pub async fn calendar_feed(&self, signed: &Signed) -> Result<Option<CalendarFeed>> {
        Ok(self.db.reader().calendar_feed_of(&signed.viewer, signed.user.id).await?)
    }

    /// Makes the secret of a new calendar address, shown this once; an earlier address no longer answers.
    pub async fn make_calendar_feed(&self, signed: &Signed) -> Result<String> {
        let (now, text) = (self.clock.now(), secret());
        let feed = CalendarFeed { user_id: signed.user.id, token_hash: hashed(&text), created_at: now, read_at: None };
        let words = format!("{} made a calendar address.", signed.user.name);
        let work = async |tx: &Tx| {
            tx.set_calendar_feed(&feed).await?;
            tx.note("calendar.made", words.clone(), json!({ "user": signed.user.id }), &signed.actor, now).await
        };
        self.db.write(work).await?;
        Ok(text)
    }

    /// Turns one's own calendar address off.
    pub async fn drop_calendar_feed(&self, signed: &Signed) -> Result<()> {
        let now = self.clock.now();
        let words = format!("{} turned their calendar address off.", signed.user.name);
        let work = async |tx: &Tx| {
            tx.drop_calendar_feed(signed.user.id).await?;
            tx.note("calendar.dropped", words.clone(), json!({ "user": signed.user.id }), &signed.actor, now).await
        };
        Ok(self.db.write(work).await?)
    }

    /// Whose calendar a secret opens; nobody's where it is not known, was replaced, or its owner may no longer come in.
    pub async fn calendar_of(&self, text: &str) -> Result<Option<CalendarOf>> {
        let now = self.clock.now();
        let Some((feed, user)) = self.db.reader().door().calendar_feed(&hashed(text)).await? else { return Ok(None) };
        if feed.read_at.is_none_or(|read| read + super::SEEN_EVERY <= now) {
            self.db.write(async |tx| tx.touch_calendar_feed(user.id, now).await).await?;
        }
        let (actor, viewer) = self.standing(&user).await?;
        Ok(Some(CalendarOf { user, actor, viewer }))
    }
}
