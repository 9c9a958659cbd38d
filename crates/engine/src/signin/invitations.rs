//! Mailed links: the first run, an invitation, a forgotten password. Each is used once and found by its hash.

use super::{Door, Opened, Signed, Visit, hashed, password, secret};
use crate::error::{Error, Result};
use crate::signin::people::{Rights, may_give};
use crate::signin::throttle::WINDOW;
use chrono::Duration;
use domain::Instant;
use domain::ids::{PartnerId, UserId};
use domain::money::Marks;
use domain::notice::{Audience, Facts, Notice, Topic};
use domain::people::{Actor, Role};
use mailer::Recipient;
use serde_json::json;
use storage::rows::{Invitation, OutboxMail, Purpose, SignInAttempt, User};
use storage::{Admission, Tx};
use uuid::Uuid;

const INVITATION_DAYS: i64 = 7;
const RESET: Duration = Duration::hours(1);
/// Mails to one address in a quarter of an hour: nobody's inbox is filled through us.
const RESETS: i64 = 3;
/// The set-up's own link, used at birth: its primary key is what lets only one first run win.
const FIRST_RUN: &str = "first-run";

/// Somebody to be invited.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub name: String,
    pub email: String,
    pub rights: Rights,
}

/// What a mailed link shows before it is used.
#[derive(Clone, Debug)]
pub struct Invited {
    pub name: String,
    pub email: String,
    pub vendor: String,
    /// A forgotten password rather than a first one.
    pub is_reset: bool,
}

impl Door {
    /// The first run: the administrator's account and the vendor's name. Refused once anyone has an account.
    pub async fn set_up(&self, vendor: &str, name: &str, email: &str, secret: &str, visit: &Visit) -> Result<Opened> {
        if !self.is_new().await? {
            return Err(Error::NotFound);
        }
        password::acceptable(secret, email, name)?;
        let hash = self.hash(secret.to_owned()).await?;
        let now = self.clock.now();
        let rights =
            Rights { roles: vec![Role::Administrator], partner: None, territory: Vec::new(), approves_level: 0 };
        let mut user = new_user(NewUser { name: name.to_owned(), email: email.to_owned(), rights }, now);
        user.password_hash = Some(hash);
        user.confirmed_at = Some(now);
        let first =
            Invitation { used_at: Some(now), ..link(FIRST_RUN, Purpose::Invitation, &user, now, Duration::zero()) };
        let work = async |tx: &Tx| {
            tx.insert_user(&user).await?;
            tx.insert_invitation(&first).await?;
            tx.set_setting(super::VENDOR, vendor).await
        };
        match self.db.write(work).await {
            Err(storage::Error::Duplicate(_)) => Err(Error::NotFound),
            Err(other) => Err(other.into()),
            Ok(()) => self.open(user, visit).await,
        }
    }

    /// Invites a colleague: an administrator anyone, a partner's administrator their own people.
    pub async fn invite(&self, signed: &Signed, new: NewUser) -> Result<UserId> {
        new.rights.are_sound()?;
        may_give(signed, &new.rights)?;
        let (user, _) = self.add(new, &signed.actor).await?;
        Ok(user.id)
    }

    /// Adds somebody without asking who does it, for the program's own command line; gives the link that was mailed.
    pub async fn add_from_console(&self, new: NewUser) -> Result<(UserId, String)> {
        new.rights.are_sound()?;
        let (user, token) = self.add(new, &Actor::system()).await?;
        Ok((user.id, self.link_of("/invitation", &token)))
    }

    /// The link by which a person chooses a new password, for the command line.
    pub async fn reset_from_console(&self, email: &str) -> Result<String> {
        let user = self.db.reader().door().user_by_email(&email.trim().to_lowercase()).await?.ok_or(Error::NotFound)?;
        let token = secret();
        let row = link(&token, Purpose::PasswordReset, &user, self.clock.now(), RESET);
        self.db.write(async |tx| tx.insert_invitation(&row).await).await?;
        Ok(self.link_of("/password", &token))
    }

    fn link_of(&self, path: &str, token: &str) -> String {
        format!("{}{path}/{token}", self.sender.base_url)
    }

    async fn add(&self, new: NewUser, actor: &Actor) -> Result<(User, String)> {
        let now = self.clock.now();
        let by = if actor.is_system() { "The administrator" } else { &actor.me.name };
        let user = new_user(new, now);
        let token = secret();
        let row = link(&token, Purpose::Invitation, &user, now, Duration::days(INVITATION_DAYS));
        let mail = self.mail(Topic::Invitation, &user, by, &format!("/invitation/{token}")).await?;
        let roles: Vec<&str> = user.roles.iter().map(|role| role.label()).collect();
        let words = format!("{by} invited {} as {}.", user.name, roles.join(", "));
        let facts = json!({
            "user": user.id, "roles": user.roles, "partner": user.partner_id, "territory": user.territory,
            "approves_level": user.approves_level,
        });
        let work = async |tx: &Tx| {
            tx.insert_user(&user).await?;
            tx.insert_invitation(&row).await?;
            tx.note("user.invited", words.clone(), facts.clone(), actor, now).await?;
            tx.enqueue(&[mail]).await
        };
        match self.db.write(work).await {
            Err(storage::Error::Duplicate(_)) => Err(Error::invalid(
                "email",
                "Somebody has an account with this address.",
                "Look for them in the list of users.",
            )),
            Err(other) => Err(other.into()),
            Ok(()) => Ok((user, token)),
        }
    }

    /// Mails a new invitation to somebody who has not accepted; the links mailed before stop working.
    pub async fn invite_again(&self, signed: &Signed, id: UserId) -> Result<String> {
        let user = self.user_in_reach(signed, id).await?;
        if user.confirmed_at.is_some() {
            return Err(Error::refused(
                "confirmed",
                format!("{} has accepted already.", user.name),
                "They can ask for a new password on the sign-in page.",
            ));
        }
        let now = self.clock.now();
        let token = secret();
        let row = link(&token, Purpose::Invitation, &user, now, Duration::days(INVITATION_DAYS));
        let mail = self.mail(Topic::Invitation, &user, &signed.user.name, &format!("/invitation/{token}")).await?;
        let work = async |tx: &Tx| {
            tx.drop_invitations_of(user.id, Purpose::Invitation).await?;
            tx.insert_invitation(&row).await?;
            tx.enqueue(&[mail]).await
        };
        self.db.write(work).await?;
        Ok(user.email)
    }

    /// Mails a link to choose a new password, if the address has an account. The answer never says whether it has, and
    /// the asking is counted either way.
    pub async fn ask_reset(&self, email: &str, visit: &Visit) -> Result<()> {
        let now = self.clock.now();
        let email = email.trim().to_lowercase();
        let counted = SignInAttempt {
            id: Uuid::now_v7(),
            email: super::cut(&format!("reset#{email}"), 320),
            ip: super::cut(&visit.ip, 64),
            at: now,
            passed: Some(false),
        };
        let user = self.db.reader().door().user_by_email(&email).await?.filter(User::is_active);
        let token = secret();
        let mut answer = None;
        if let Some(user) = user {
            let mail = self.mail(Topic::PasswordReset, &user, &user.name, &format!("/password/{token}")).await?;
            answer = Some((link(&token, Purpose::PasswordReset, &user, now, RESET), mail));
        }
        let work = async |tx: &Tx| {
            let admitted = tx.admit_attempt(&counted, now - WINDOW, now, RESETS).await?;
            let Some((link, mail)) = answer.filter(|_| admitted == Admission::Counted) else { return Ok(()) };
            tx.insert_invitation(&link).await?;
            tx.enqueue(&[mail]).await
        };
        Ok(self.db.write(work).await?)
    }

    /// Whom a mailed link is for. Used, expired and unknown are alike.
    pub async fn invited(&self, token: &str) -> Result<Invited> {
        let (link, user) = self.live_link(token).await?;
        Ok(Invited {
            name: user.name,
            email: user.email,
            vendor: self.vendor().await?.to_string(),
            is_reset: link.purpose == Purpose::PasswordReset,
        })
    }

    async fn live_link(&self, token: &str) -> Result<(Invitation, User)> {
        let reader = self.db.reader();
        let link = reader.door().invitation(&hashed(token), self.clock.now()).await?.ok_or(Error::NotFound)?;
        let user = reader.door().user(link.user_id).await?.ok_or(Error::NotFound)?;
        if user.disabled_at.is_some() { Err(Error::NotFound) } else { Ok((link, user)) }
    }

    /// Uses a mailed link: the password is set, the address is confirmed, every older session and link ends, and the
    /// person is signed in.
    pub async fn accept(&self, token: &str, secret: &str, visit: &Visit) -> Result<Opened> {
        let (_, user) = self.live_link(token).await?;
        password::acceptable(secret, &user.email, &user.name)?;
        let hash = self.hash(secret.to_owned()).await?;
        let now = self.clock.now();
        let work = async |tx: &Tx| {
            tx.use_invitation(&hashed(token), now).await?;
            tx.set_password(user.id, &hash).await?;
            tx.confirm_user(user.id, now).await?;
            tx.drop_invitations_of(user.id, Purpose::Invitation).await?;
            tx.drop_invitations_of(user.id, Purpose::PasswordReset).await?;
            tx.end_sessions_of(user.id, None).await.map(|_| ())
        };
        self.db.write(work).await?;
        self.open(user, visit).await
    }

    async fn mail(&self, topic: Topic, to: &User, by: &str, path: &str) -> Result<OutboxMail> {
        let partner = match to.partner_id {
            Some(id) => self.partner_name(id).await?,
            None => self.vendor().await?.to_string(),
        };
        let facts =
            Facts { title: to.name.clone(), partner, by: by.to_owned(), path: path.to_owned(), ..Facts::default() };
        let notice = Notice { topic, audience: Audience::Address(to.email.clone()), facts };
        let recipient = Recipient { name: to.name.clone(), email: to.email.clone(), marks: to.marks };
        let id = Uuid::now_v7();
        let mail = mailer::render(&notice, &recipient, &self.sender, &self.sender.message_id(id));
        Ok(outbox_row(id, topic, to, mail, self.clock.now()))
    }

    async fn partner_name(&self, id: PartnerId) -> Result<String> {
        let names = self.db.reader().partner_names(&storage::Viewer::system()).await?;
        names.into_iter().find(|(known, _)| *known == id).map(|(_, name)| name).ok_or(Error::NotFound)
    }
}

fn new_user(new: NewUser, now: Instant) -> User {
    User {
        id: UserId(Uuid::now_v7()),
        email: new.email.trim().to_lowercase(),
        name: new.name,
        password_hash: None,
        roles: new.rights.roles,
        partner_id: new.rights.partner,
        territory: new.rights.territory,
        approves_level: new.rights.approves_level,
        marks: Marks::Point,
        theme: "auto".to_owned(),
        disabled_at: None,
        confirmed_at: None,
        created_at: now,
    }
}

fn link(token: &str, purpose: Purpose, user: &User, now: Instant, life: Duration) -> Invitation {
    Invitation {
        token_hash: hashed(token),
        purpose,
        email: user.email.clone(),
        user_id: user.id,
        created_at: now,
        expires_at: now + life,
        used_at: None,
    }
}

fn outbox_row(id: Uuid, topic: Topic, to: &User, mail: mailer::Mail, now: Instant) -> OutboxMail {
    let topic =
        serde_json::to_value(topic).ok().and_then(|name| name.as_str().map(ToOwned::to_owned)).unwrap_or_default();
    OutboxMail {
        id,
        kind: "mail".to_owned(),
        topic,
        to_email: mail.to.email,
        to_name: mail.to.name,
        to_user: Some(to.id),
        subject: mail.subject,
        text_body: mail.text,
        html_body: mail.html,
        message_id: mail.message_id,
        created_at: now,
        due_at: now,
        attempts: 0,
        lease_until: None,
        sent_at: None,
        last_error: None,
        dead: false,
        secret: true,
    }
}
