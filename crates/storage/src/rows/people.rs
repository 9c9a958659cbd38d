//! People who sign in, and how.

use crate::sql::{named, rows};
use domain::ids::{PartnerId, UserId};
use domain::money::Marks;
use domain::people::{Role, Standing};
use domain::rhythm::{MailKind, Rhythm};
use domain::{Date, Instant};
use uuid::Uuid;

rows! {
    /// A person who signs in.
    table "app_user" => User {
        id: UserId,
        /// Trimmed and in lower case; unique.
        email: String,
        name: String,
        /// The argon2 hash; `None` until the invitation is accepted.
        #[serde(skip_serializing)]
        password_hash: Option<String>,
        roles: Vec<Role>,
        partner_id: Option<PartnerId>,
        /// Regions covered; empty covers all.
        territory: Vec<String>,
        approves_level: u8,
        /// Which marks they write amounts with.
        marks: Marks,
        /// `auto`, `light` or `dark`.
        theme: String,
        disabled_at: Option<Instant>,
        confirmed_at: Option<Instant>,
        created_at: Instant,
    }

    /// A signed-in browser.
    table "session" => Session {
        /// SHA-256 of the cookie's token.
        #[serde(skip_serializing)]
        token_hash: String,
        user_id: UserId,
        /// The secret its forms' CSRF tokens are made from.
        #[serde(skip_serializing)]
        csrf: String,
        created_at: Instant,
        seen_at: Instant,
        expires_at: Instant,
        ip: String,
        agent: String,
    }

    /// One try to sign in, kept to slow guessing down.
    table "sign_in_attempt" => SignInAttempt {
        id: Uuid,
        email: String,
        ip: String,
        at: Instant,
        /// `None` while the password is looked at.
        passed: Option<bool>,
    }

    /// A mailed link that is used once.
    table "invitation" => Invitation {
        #[serde(skip_serializing)]
        token_hash: String,
        purpose: Purpose,
        email: String,
        user_id: UserId,
        created_at: Instant,
        expires_at: Instant,
        used_at: Option<Instant>,
    }

    /// A bearer token of the API; it acts as its user, inside its scopes.
    table "api_token" => ApiToken {
        id: Uuid,
        #[serde(skip_serializing)]
        token_hash: String,
        user_id: UserId,
        name: String,
        scopes: Vec<String>,
        created_at: Instant,
        last_used_at: Option<Instant>,
        expires_at: Option<Instant>,
        revoked_at: Option<Instant>,
    }

    /// How often a person wants one kind of mail; where there is no row, its usual rhythm holds.
    table "mail_choice" => MailChoice {
        user_id: UserId,
        kind: MailKind,
        rhythm: Rhythm,
    }

    /// The secret address of a person's calendar.
    table "calendar_feed" => CalendarFeed {
        user_id: UserId,
        #[serde(skip_serializing)]
        token_hash: String,
        created_at: Instant,
        /// When a calendar fetched it last.
        read_at: Option<Instant>,
    }

    /// A person's own view of a list: the filters its address holds, under a name.
    table "saved_view" => SavedView {
        id: Uuid,
        user_id: UserId,
        /// The list's code.
        list: String,
        name: String,
        /// The name in small letters, to tell two apart.
        called: String,
        /// A JSON object of texts.
        filters: serde_json::Value,
        is_default: bool,
        saved_at: Instant,
    }

    /// A colleague who acts in somebody's place, first and last day included.
    table "stand_in" => StandIn {
        id: Uuid,
        absent_id: UserId,
        stand_in_id: UserId,
        from_day: Date,
        to_day: Date,
        created_at: Instant,
    }
}

impl User {
    /// What they hold in their own right.
    pub fn standing(&self) -> Standing {
        Standing {
            user: self.id,
            name: self.name.clone(),
            roles: self.roles.clone(),
            partner: self.partner_id,
            territory: self.territory.clone(),
            approves_level: self.approves_level,
        }
    }

    /// May sign in: confirmed and not disabled.
    pub fn is_active(&self) -> bool {
        self.disabled_at.is_none() && self.confirmed_at.is_some()
    }
}

/// What a mailed link is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Invitation,
    PasswordReset,
}

named!(Purpose);
