//! Who comes in: passwords, sessions, mailed links, tokens, and what an administrator does with them.
//!
//! Secrets are shown once and kept as hashes. An unknown address, a wrong password, a disabled person and one who never
//! confirmed get the same answer after the same work, so that nobody learns who has an account.

mod calendar;
mod invitations;
mod password;
mod people;
mod throttle;
mod tokens;

pub use calendar::CalendarOf;
pub use invitations::{Invited, NewUser};
pub use password::hash_password;
pub use people::{Preferences, Rights};
pub use tokens::{Bearer, Scope, TokenMade};

use crate::clock::Clock;
use crate::error::{Error, Result};
use chrono::Duration;
use domain::Instant;
use domain::people::Actor;
use domain::refusal::Reason;
use mailer::Sender;
use sha2::{Digest, Sha256};
use std::sync::{Arc, RwLock};
use storage::rows::{Session, User};
use storage::{Db, Viewer};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// A session's page views are noted at most this often, so that reading does not mean writing.
const SEEN_EVERY: Duration = Duration::minutes(5);
/// The name of the setting that holds the vendor's name.
const VENDOR: &str = "vendor";

/// How long sessions and mailed links live.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A session ends after this long without a request,
    pub idle: Duration,
    /// and after this long in any case.
    pub longest: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { idle: Duration::hours(12), longest: Duration::days(7) }
    }
}

/// The door. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    db: Db,
    clock: Clock,
    sender: Arc<Sender>,
    limits: Limits,
    /// Hashing takes 19 MiB each: at most four at once.
    hashing: Arc<Semaphore>,
    vendor: Arc<RwLock<Option<Arc<str>>>>,
}

/// Where a request comes from, as far as we were told.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    pub ip: String,
    pub agent: String,
}

/// One try to sign in.
#[derive(Clone, Debug)]
pub struct Try<'a> {
    pub email: &'a str,
    pub password: &'a str,
    /// The nonce of a browser that signed this person in before: it has guesses of its own, so that strangers who use
    /// up the account's cannot lock its owner out.
    pub device: Option<&'a str>,
    pub visit: &'a Visit,
}

/// A session just opened; the token is shown this once.
#[derive(Clone)]
pub struct Opened {
    pub token: String,
    pub user: User,
    pub expires_at: Instant,
}

/// Someone signed in.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The hash of the session's token: its name, for lists and for form stamps.
    pub session: String,
    pub user: User,
    pub actor: Actor,
    pub viewer: Viewer,
}

impl Door {
    pub fn new(db: Db, clock: Clock, sender: Sender, limits: Limits) -> Self {
        Self {
            db,
            clock,
            sender: Arc::new(sender),
            limits,
            hashing: Arc::new(Semaphore::new(4)),
            vendor: Arc::default(),
        }
    }

    /// Opens a session for the right password. Wrong, unknown, disabled and unconfirmed are one answer.
    pub async fn sign_in(&self, tried: Try<'_>) -> Result<Opened> {
        let email = tried.email.trim().to_lowercase();
        let guess = self.guess(&email, &tried).await?;
        let user = self.db.reader().door().user_by_email(&email).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let right = self.matches(tried.password, hash).await?;
        let user = user.filter(|user| right && user.is_active());
        self.settle(guess, user.is_some()).await?;
        match user {
            Some(user) => self.open(user, tried.visit).await,
            None => Err(wrong_credentials()),
        }
    }

    /// A new session for somebody who has just proved who they are.
    async fn open(&self, user: User, visit: &Visit) -> Result<Opened> {
        let now = self.clock.now();
        let token = secret();
        let expires_at = now + self.limits.idle.min(self.limits.longest);
        let row = Session {
            token_hash: hashed(&token),
            user_id: user.id,
            csrf: secret(),
            created_at: now,
            seen_at: now,
            expires_at,
            ip: cut(&visit.ip, 64),
            agent: cut(&visit.agent, 200),
        };
        self.db.write(async |tx| tx.insert_session(&row).await).await?;
        Ok(Opened { token, user, expires_at })
    }

    /// Who holds this session, if it is live and they may still come in.
    pub async fn whoami(&self, token: &str) -> Result<Option<Signed>> {
        let now = self.clock.now();
        let hash = hashed(token);
        let Some((session, user)) = self.db.reader().door().session(&hash, now).await? else { return Ok(None) };
        if now >= session.seen_at + SEEN_EVERY {
            let expires_at = (now + self.limits.idle).min(session.created_at + self.limits.longest);
            self.db.write(async |tx| tx.touch_session(&hash, now, expires_at).await).await?;
        }
        let (actor, viewer) = self.standing(&user).await?;
        Ok(Some(Signed { session: hash, user, actor, viewer }))
    }

    /// The actor a person is today, with the colleagues they stand in for.
    async fn standing(&self, user: &User) -> Result<(Actor, Viewer)> {
        let stands_in_for = self.db.reader().door().stood_in_for(user.id, self.clock.today()).await?;
        let actor = Actor { me: user.standing(), stands_in_for };
        let viewer = Viewer::from(&actor);
        Ok((actor, viewer))
    }

    /// Ends the session of this browser.
    pub async fn sign_out(&self, signed: &Signed) -> Result<()> {
        Ok(self.db.write(async |tx| tx.end_session(&signed.session).await).await?)
    }

    /// This person's live sessions, the latest used first.
    pub async fn sessions(&self, signed: &Signed) -> Result<Vec<Session>> {
        let now = self.clock.now();
        let mut sessions = self.db.reader().sessions_of(&signed.viewer, signed.user.id).await?;
        sessions.retain(|session| now < session.expires_at);
        Ok(sessions)
    }

    /// Ends one of one's own sessions, here or in another browser.
    pub async fn end_session(&self, signed: &Signed, session: &str) -> Result<()> {
        if !self.sessions(signed).await?.iter().any(|own| own.token_hash == session) {
            return Err(Error::NotFound);
        }
        Ok(self.db.write(async |tx| tx.end_session_of(signed.user.id, session).await).await?)
    }

    /// Ends every session of one's own but this one.
    pub async fn end_other_sessions(&self, signed: &Signed) -> Result<()> {
        self.db.write(async |tx| tx.end_sessions_of(signed.user.id, Some(&signed.session)).await).await?;
        Ok(())
    }

    /// Forgets sessions that have ended and guesses that no longer count.
    pub async fn sweep(&self) -> Result<()> {
        let now = self.clock.now();
        Ok(self.db.write(async |tx| tx.prune_sign_in(now, now - Duration::days(1)).await).await?)
    }

    /// The vendor's name, as set at the first run.
    pub async fn vendor(&self) -> Result<Arc<str>> {
        if let Some(name) = self.vendor.read().ok().and_then(|name| name.clone()) {
            return Ok(name);
        }
        let Some(name) = self.db.reader().door().setting(VENDOR).await? else { return Ok("Fundloop".into()) };
        let name: Arc<str> = name.into();
        if let Ok(mut held) = self.vendor.write() {
            *held = Some(name.clone());
        }
        Ok(name)
    }

    /// The database answers.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.db.ping().await?)
    }

    /// Nobody has an account yet: the first-run set-up is open.
    pub async fn is_new(&self) -> Result<bool> {
        Ok(!self.db.reader().door().any_user().await?)
    }
}

fn wrong_credentials() -> Error {
    let why = "That e-mail address and password do not belong together.";
    let remedy = "Check both, or ask for a new password.";
    Error::Invalid(vec![Reason::new("wrong_credentials", why, remedy).at("password")])
}

/// 244 random bits, as text.
pub(crate) fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// What is stored of a secret. It is long and random, so a fast hash will do.
pub(crate) fn hashed(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}
