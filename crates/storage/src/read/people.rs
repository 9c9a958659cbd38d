//! Users, their sessions, invitations, tokens and stand-ins.

use super::Reader;
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::rows::{ApiToken, CalendarFeed, Invitation, MailChoice, Session, StandIn, User};
use crate::sql::{self, anywhere, rows, values};
use crate::viewer::{Scope, Viewer};
use domain::Instant;
use domain::ids::{PartnerId, UserId};
use domain::people::Role;

/// Which users to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserFilter {
    /// Part of the name or address.
    pub text: Option<String>,
    pub role: Option<Role>,
    pub partner: Option<PartnerId>,
    /// `Some(true)`: only disabled ones.
    pub disabled: Option<bool>,
}

rows! {
    view PartnerName {
        id: PartnerId,
        name: String,
    }
}

impl Reader {
    /// Users by name, at most 500: all of them for an administrator or auditor, one's own colleagues for a partner.
    pub async fn users(&self, viewer: &Viewer, filter: &UserFilter) -> Result<Vec<User>> {
        let text = filter.text.as_deref().filter(|text| !text.trim().is_empty()).map(anywhere);
        let mut found = users_seen_by(viewer)?.eq("partner_id", filter.partner);
        if let Some(text) = text {
            found = found.and(r"(lower(name) LIKE ? ESCAPE '\' OR email LIKE ? ESCAPE '\')", values![text, text]);
        }
        if let Some(role) = filter.role {
            found = found.and("roles LIKE ?", values![format!("%\"{}\"%", role.code())]);
        }
        let found = match filter.disabled {
            Some(true) => found.and("disabled_at IS NOT NULL", Vec::new()),
            Some(false) => found.and("disabled_at IS NULL", Vec::new()),
            None => found,
        };
        let tail = format!("{} ORDER BY name, id LIMIT 500", found.sql());
        sql::all(&self.db, &sql::select::<User>(&tail), found.values).await
    }

    pub async fn user(&self, viewer: &Viewer, id: UserId) -> Result<User> {
        let found = users_seen_by(viewer)?.eq("id", Some(id));
        sql::one(&self.db, &sql::select::<User>(&found.sql()), found.values).await
    }

    /// Partners the viewer may see, by name: the choices of a form.
    pub async fn partner_names(&self, viewer: &Viewer) -> Result<Vec<(PartnerId, String)>> {
        let seen = Where::default().within(viewer.scope(), "id", "region");
        self.named(seen, "").await
    }

    /// Partners for a filter to choose from, by name: all the viewer sees, where they are `most` or fewer. A box of
    /// thousands helps nobody, and makes every page that has one dearer: of more, only the one that is chosen already.
    pub async fn partner_choices(
        &self,
        viewer: &Viewer,
        most: usize,
        chosen: Option<PartnerId>,
    ) -> Result<Vec<(PartnerId, String)>> {
        let seen = Where::default().within(viewer.scope(), "id", "region");
        let all = self.named(seen.clone(), &format!("LIMIT {}", most + 1)).await?;
        match chosen {
            _ if all.len() <= most => Ok(all),
            None => Ok(Vec::new()),
            Some(chosen) => self.named(seen.eq("id", Some(chosen)), "").await,
        }
    }

    async fn named(&self, found: Where, limit: &str) -> Result<Vec<(PartnerId, String)>> {
        let sql = format!("SELECT id, name FROM partner {} ORDER BY name, id {limit}", found.sql());
        let rows: Vec<PartnerName> = sql::all(&self.db, &sql, found.values).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// One's own sessions, last seen first; an administrator may look at anybody's.
    pub async fn sessions_of(&self, viewer: &Viewer, user: UserId) -> Result<Vec<Session>> {
        own_or_administered(viewer, user)?;
        let tail = "WHERE user_id = $1 ORDER BY seen_at DESC";
        sql::all(&self.db, &sql::select::<Session>(tail), values![user]).await
    }

    /// Invitations nobody has used yet and that still work, of the users the viewer may see.
    pub async fn open_invitations(&self, viewer: &Viewer, now: Instant) -> Result<Vec<Invitation>> {
        let seen = users_seen_by(viewer)?.and("used_at IS NULL AND expires_at > ?", values![now]);
        let sql = format!(
            "SELECT i.* FROM invitation i JOIN (SELECT id AS who, partner_id FROM app_user) u ON u.who = i.user_id
             {} ORDER BY i.created_at DESC LIMIT 500",
            seen.sql()
        );
        sql::all(&self.db, &sql, seen.values).await
    }

    pub async fn tokens_of(&self, viewer: &Viewer, user: UserId) -> Result<Vec<ApiToken>> {
        own_or_administered(viewer, user)?;
        let tail = "WHERE user_id = $1 ORDER BY created_at DESC";
        sql::all(&self.db, &sql::select::<ApiToken>(tail), values![user]).await
    }

    /// How often a user wants which mails, as far as they chose.
    pub async fn mail_choices_of(&self, viewer: &Viewer, user: UserId) -> Result<Vec<MailChoice>> {
        own_or_administered(viewer, user)?;
        sql::all(&self.db, &sql::select::<MailChoice>("WHERE user_id = $1"), values![user]).await
    }

    /// The calendar address of a user, where they made one; what it is, nobody can read any more.
    pub async fn calendar_feed_of(&self, viewer: &Viewer, user: UserId) -> Result<Option<CalendarFeed>> {
        own_or_administered(viewer, user)?;
        sql::maybe(&self.db, &sql::select::<CalendarFeed>("WHERE user_id = $1"), values![user]).await
    }

    /// Who stands in for a user, and whom they stand in for, newest first.
    pub async fn stand_ins(&self, viewer: &Viewer, user: UserId) -> Result<Vec<StandIn>> {
        own_or_administered(viewer, user)?;
        let tail = "WHERE absent_id = $1 OR stand_in_id = $1 ORDER BY from_day DESC LIMIT 200";
        sql::all(&self.db, &sql::select::<StandIn>(tail), values![user]).await
    }
}

/// Administrators and auditors see every user, a partner's people their colleagues, the vendor's people each other.
fn users_seen_by(viewer: &Viewer) -> Result<Where> {
    if viewer.sees_administration() {
        return Ok(Where::default());
    }
    match viewer.scope() {
        Scope::Partner(partner) => Ok(Where::default().eq("partner_id", Some(partner))),
        Scope::Nothing => Err(Error::NotFound),
        Scope::All | Scope::Regions(_) => Ok(Where::default().and("partner_id IS NULL", Vec::new())),
    }
}

fn own_or_administered(viewer: &Viewer, user: UserId) -> Result<()> {
    if viewer.user() == user || viewer.sees_administration() { Ok(()) } else { Err(Error::NotFound) }
}
