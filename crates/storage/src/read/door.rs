//! What is read before it is known who asks: sessions, sign-in, mailed links, tokens, tracked links.

use super::{CampaignKey, Reader};
use crate::error::Result;
use crate::rows::{ApiToken, CalendarFeed, Invitation, Link, Session, User};
use crate::sql::{self, Column, FromRow, Table, values};
use domain::ids::UserId;
use domain::people::{Actor, Role, Standing};
use domain::{Date, Instant};
use sea_orm::{DatabaseConnection, QueryResult};

/// Questions of somebody who has not signed in yet. Nothing here lists anything.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    db: &'a DatabaseConnection,
}

impl Reader {
    pub fn door(&self) -> Door<'_> {
        Door { db: &self.db }
    }
}

/// A row and its user, in one query. The user's columns are read as `user_...`, since both tables have an id.
struct WithUser<T>(T, User);

impl<T: FromRow> FromRow for WithUser<T> {
    fn from_row(row: &QueryResult) -> Result<Self> {
        let user = User {
            id: Column::read(row, "user_id")?,
            email: Column::read(row, "user_email")?,
            name: Column::read(row, "user_name")?,
            password_hash: Column::read(row, "user_password_hash")?,
            roles: Column::read(row, "user_roles")?,
            partner_id: Column::read(row, "user_partner_id")?,
            territory: Column::read(row, "user_territory")?,
            approves_level: Column::read(row, "user_approves_level")?,
            marks: Column::read(row, "user_marks")?,
            theme: Column::read(row, "user_theme")?,
            disabled_at: Column::read(row, "user_disabled_at")?,
            confirmed_at: Column::read(row, "user_confirmed_at")?,
            created_at: Column::read(row, "user_created_at")?,
        };
        Ok(Self(T::from_row(row)?, user))
    }
}

/// Selects a table that has a `user_id`, as `t`, with its active user, as `u`.
fn with_user<T: Table>(condition: &str) -> String {
    let own = T::COLUMNS.iter().map(|column| format!("t.{column}"));
    let others = User::COLUMNS.iter().filter(|column| **column != "id");
    let columns: Vec<String> = own.chain(others.map(|column| format!("u.{column} AS user_{column}"))).collect();
    format!(
        "SELECT {} FROM {} t JOIN app_user u ON u.id = t.user_id
         WHERE u.disabled_at IS NULL AND u.confirmed_at IS NOT NULL AND {condition}",
        columns.join(", "),
        T::NAME
    )
}

impl Door<'_> {
    /// Whether the first administrator has been made.
    pub async fn any_user(&self) -> Result<bool> {
        let some: Vec<UserId> = sql::column(self.db, "id", "SELECT id FROM app_user LIMIT 1", Vec::new()).await?;
        Ok(!some.is_empty())
    }

    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        sql::maybe(self.db, &sql::select::<User>("WHERE id = $1"), values![id]).await
    }

    /// By address, trimmed and in lower case.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        sql::maybe(self.db, &sql::select::<User>("WHERE email = $1"), values![email]).await
    }

    /// A live session and whose it is, in one query. Disabled and unconfirmed users have none.
    pub async fn session(&self, token_hash: &str, now: Instant) -> Result<Option<(Session, User)>> {
        let sql = with_user::<Session>("t.token_hash = $1 AND t.expires_at > $2");
        let found: Option<WithUser<Session>> = sql::maybe(self.db, &sql, values![token_hash, now]).await?;
        Ok(found.map(|WithUser(session, user)| (session, user)))
    }

    /// A calendar's address and whose it is, in one query.
    pub async fn calendar_feed(&self, token_hash: &str) -> Result<Option<(CalendarFeed, User)>> {
        let sql = with_user::<CalendarFeed>("t.token_hash = $1");
        let found: Option<WithUser<CalendarFeed>> = sql::maybe(self.db, &sql, values![token_hash]).await?;
        Ok(found.map(|WithUser(feed, user)| (feed, user)))
    }

    /// People for whom something has gathered that is due in a digest by now.
    pub async fn digest_readers(&self, now: Instant, most: u16) -> Result<Vec<User>> {
        let tail = "WHERE disabled_at IS NULL AND confirmed_at IS NOT NULL AND id IN (
                      SELECT to_user FROM outbox WHERE kind = 'item' AND sent_at IS NULL AND due_at <= $1)
                    ORDER BY id LIMIT $2";
        sql::all(self.db, &sql::select::<User>(tail), values![now, most]).await
    }

    /// The vendor's people who may have requests to decide, and whoever stands in for a colleague on that day.
    pub async fn deciders(&self, day: Date) -> Result<Vec<User>> {
        let tail = "WHERE partner_id IS NULL AND disabled_at IS NULL AND confirmed_at IS NOT NULL ORDER BY id";
        let mut people: Vec<User> = sql::all(self.db, &sql::select::<User>(tail), Vec::new()).await?;
        let standing_in = "SELECT DISTINCT stand_in_id FROM stand_in WHERE from_day <= $1 AND to_day >= $1";
        let standing_in: Vec<UserId> = sql::column(self.db, "stand_in_id", standing_in, values![day]).await?;
        let decides = |user: &User| user.roles.contains(&Role::Approver) || user.roles.contains(&Role::ChannelManager);
        people.retain(|user| decides(user) || standing_in.contains(&user.id));
        Ok(people)
    }

    /// Whether something that is done once was done.
    pub async fn is_submitted(&self, scope: &str, key: &str) -> Result<bool> {
        let sql = "SELECT submission_key FROM submission WHERE scope = $1 AND submission_key = $2";
        let found: Vec<String> = sql::column(self.db, "submission_key", sql, values![scope, key]).await?;
        Ok(!found.is_empty())
    }

    /// A live token and whose it is, in one query.
    pub async fn token(&self, token_hash: &str, now: Instant) -> Result<Option<(ApiToken, User)>> {
        let live = "t.token_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)";
        let sql = with_user::<ApiToken>(live);
        let found: Option<WithUser<ApiToken>> = sql::maybe(self.db, &sql, values![token_hash, now]).await?;
        Ok(found.map(|WithUser(token, user)| (token, user)))
    }

    /// A mailed link that can still be used.
    pub async fn invitation(&self, token_hash: &str, now: Instant) -> Result<Option<Invitation>> {
        let tail = "WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
        sql::maybe(self.db, &sql::select::<Invitation>(tail), values![token_hash, now]).await
    }

    /// What a user holds in their own right; `None` where they may not sign in.
    pub async fn standing(&self, user: UserId) -> Result<Option<Standing>> {
        Ok(self.user(user).await?.filter(User::is_active).map(|user| user.standing()))
    }

    /// Standings of the colleagues somebody stands in for on a day; of those who may still sign in.
    pub async fn stood_in_for(&self, stand_in: UserId, day: Date) -> Result<Vec<Standing>> {
        let tail = "WHERE disabled_at IS NULL AND confirmed_at IS NOT NULL AND id IN (
                      SELECT absent_id FROM stand_in WHERE stand_in_id = $1 AND from_day <= $2 AND to_day >= $2
                    ) ORDER BY name, id";
        let absent: Vec<User> = sql::all(self.db, &sql::select::<User>(tail), values![stand_in, day]).await?;
        Ok(absent.iter().map(User::standing).collect())
    }

    /// A user as an actor, with whom they stand in for on a day. `None` where they may not sign in.
    pub async fn actor(&self, user: UserId, day: Date) -> Result<Option<Actor>> {
        let Some(me) = self.standing(user).await? else { return Ok(None) };
        Ok(Some(Actor { me, stands_in_for: self.stood_in_for(user, day).await? }))
    }

    /// Where a tracked link leads.
    pub async fn link(&self, code: &str) -> Result<Option<Link>> {
        sql::maybe(self.db, &sql::select::<Link>("WHERE code = $1"), values![code]).await
    }

    /// Whose a campaign ID is.
    pub async fn campaign(&self, code: &str) -> Result<Option<CampaignKey>> {
        sql::maybe(self.db, "SELECT cycle_id, no, partner_id FROM campaign WHERE code = $1", values![code]).await
    }

    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let found = sql::column(self.db, "value", "SELECT value FROM setting WHERE name = $1", values![name]).await?;
        Ok(found.into_iter().next())
    }
}
