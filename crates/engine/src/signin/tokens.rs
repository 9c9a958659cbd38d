//! Bearer tokens of the API: each acts as its owner, inside its scopes.

use super::{Door, Signed, hashed, secret};
use crate::error::{Error, Result};
use chrono::Duration;
use domain::people::Actor;
use serde_json::json;
use storage::rows::ApiToken;
use storage::{Tx, Viewer};
use uuid::Uuid;

/// What a token may be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Look at whatever its owner may look at.
    Read,
    /// Do what its owner may do.
    Write,
}

impl Scope {
    pub const ALL: [Scope; 2] = [Scope::Read, Scope::Write];

    pub fn code(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.code() == code)
    }
}

/// A machine that showed a live token.
#[derive(Clone, Debug)]
pub struct Bearer {
    pub token: Uuid,
    pub scopes: Vec<Scope>,
    pub actor: Actor,
    pub viewer: Viewer,
}

/// A token just made; its text is shown this once.
#[derive(Clone)]
pub struct TokenMade {
    pub id: Uuid,
    pub text: String,
}

/// Led by a word, so that a leaked token is recognised for what it is.
const PREFIX: &str = "fundloop_";
const LONGEST_DAYS: i64 = 365;

impl Door {
    pub async fn make_token(&self, signed: &Signed, name: &str, scopes: &[Scope], days: i64) -> Result<TokenMade> {
        if scopes.is_empty() {
            return Err(Error::invalid(
                "scopes",
                "The token may be used for nothing.",
                "Choose what it may be used for.",
            ));
        }
        if !(1..=LONGEST_DAYS).contains(&days) {
            return Err(Error::invalid(
                "days",
                "A token lives from 1 to 365 days.",
                "Give it as many days as it is needed.",
            ));
        }
        let now = self.clock.now();
        let text = format!("{PREFIX}{}", secret());
        let row = ApiToken {
            id: Uuid::now_v7(),
            token_hash: hashed(&text),
            user_id: signed.user.id,
            name: super::cut(name, 100),
            scopes: scopes.iter().map(|scope| scope.code().to_owned()).collect(),
            created_at: now,
            last_used_at: None,
            expires_at: Some(now + Duration::days(days)),
            revoked_at: None,
        };
        let words = format!("{} made the token “{}”.", signed.user.name, row.name);
        let facts = json!({ "token": row.id, "scopes": row.scopes, "expires_at": row.expires_at });
        let work = async |tx: &Tx| {
            tx.insert_api_token(&row).await?;
            tx.note("token.made", words.clone(), facts.clone(), &signed.actor, now).await
        };
        self.db.write(work).await?;
        Ok(TokenMade { id: row.id, text })
    }

    /// Who stands behind a token, if it is live and they may still come in.
    pub async fn bearer(&self, text: &str) -> Result<Option<Bearer>> {
        let now = self.clock.now();
        let Some((token, user)) = self.db.reader().door().token(&hashed(text), now).await? else { return Ok(None) };
        if token.last_used_at.is_none_or(|used| used + super::SEEN_EVERY <= now) {
            self.db.write(async |tx| tx.touch_api_token(token.id, now).await).await?;
        }
        let (actor, viewer) = self.standing(&user).await?;
        let scopes = token.scopes.iter().filter_map(|code| Scope::from_code(code)).collect();
        Ok(Some(Bearer { token: token.id, scopes, actor, viewer }))
    }

    pub async fn tokens(&self, signed: &Signed) -> Result<Vec<ApiToken>> {
        Ok(self.db.reader().tokens_of(&signed.viewer, signed.user.id).await?)
    }

    /// Revokes one of one's own tokens.
    pub async fn revoke_token(&self, signed: &Signed, id: Uuid) -> Result<()> {
        let own = self.tokens(signed).await?;
        let token = own.iter().find(|token| token.id == id).ok_or(Error::NotFound)?;
        let (now, words) = (self.clock.now(), format!("{} revoked the token “{}”.", signed.user.name, token.name));
        let work = async |tx: &Tx| {
            tx.revoke_api_token(id, now).await?;
            tx.note("token.revoked", words.clone(), json!({ "token": id }), &signed.actor, now).await
        };
        Ok(self.db.write(work).await?)
    }
}
