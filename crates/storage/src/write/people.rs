//! Users, sessions, guesses, invitations, tokens, stand-ins; and whom a notice reaches.

use crate::error::{Error, Result};
use crate::filter::Where;
use crate::rows::{ApiToken, CalendarFeed, Invitation, MailChoice, Purpose, Session, SignInAttempt, StandIn, User};
use crate::sql::{self, Table, rows, values};
use crate::tx::Tx;
use domain::ids::{PartnerId, UserId};
use domain::money::Marks;
use domain::notice::Audience;
use domain::people::Role;
use domain::{Date, Instant};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Whether one more try at an account may be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It may, and it counts.
    Counted,
    /// It may not yet: some that may still turn out right have taken every place.
    Undecided,
    /// It may not: too many were wrong.
    Full,
}

rows! {
    view Guesses {
        wrong: i64,
        counted: i64,
    }
}

impl Tx {
    /// A taken address is [`Error::Duplicate`].
    pub async fn insert_user(&self, user: &User) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(user)).await.map(|_| ())
    }

    /// Overwrites everything of a user but the id.
    pub async fn update_user(&self, user: &User) -> Result<()> {
        found(sql::update(&self.db, user, &["id"], "", Vec::new()).await?)
    }

    pub async fn set_password(&self, user: UserId, password_hash: &str) -> Result<()> {
        let sql = "UPDATE app_user SET password_hash = $2 WHERE id = $1";
        found(sql::execute(&self.db, sql, values![user, password_hash]).await?)
    }

    /// Only what a person chooses themselves, so that it never overwrites what an administrator decided meanwhile.
    pub async fn set_preferences(&self, user: UserId, name: &str, marks: Marks, theme: &str) -> Result<()> {
        let sql = "UPDATE app_user SET name = $2, marks = $3, theme = $4 WHERE id = $1";
        found(sql::execute(&self.db, sql, values![user, name, marks, theme]).await?)
    }

    /// The address is theirs: the first mailed link that was used proves it.
    pub async fn confirm_user(&self, user: UserId, now: Instant) -> Result<()> {
        let sql = "UPDATE app_user SET confirmed_at = COALESCE(confirmed_at, $2) WHERE id = $1";
        found(sql::execute(&self.db, sql, values![user, now]).await?)
    }

    pub async fn insert_session(&self, session: &Session) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(session)).await.map(|_| ())
    }

    pub async fn touch_session(&self, token_hash: &str, seen_at: Instant, expires_at: Instant) -> Result<()> {
        let sql = "UPDATE session SET seen_at = $2, expires_at = $3 WHERE token_hash = $1";
        found(sql::execute(&self.db, sql, values![token_hash, seen_at, expires_at]).await?)
    }

    /// Signs out whoever holds the token.
    pub async fn end_session(&self, token_hash: &str) -> Result<()> {
        sql::execute(&self.db, "DELETE FROM session WHERE token_hash = $1", values![token_hash]).await.map(|_| ())
    }

    /// Ends one of a user's own sessions, and nobody else's.
    pub async fn end_session_of(&self, user: UserId, token_hash: &str) -> Result<()> {
        let sql = "DELETE FROM session WHERE user_id = $1 AND token_hash = $2";
        sql::execute(&self.db, sql, values![user, token_hash]).await.map(|_| ())
    }

    /// Ends a user's sessions, but for the one to keep; says how many.
    pub async fn end_sessions_of(&self, user: UserId, keep: Option<&str>) -> Result<u64> {
        let sql = "DELETE FROM session WHERE user_id = $1 AND token_hash <> $2";
        sql::execute(&self.db, sql, values![user, keep.unwrap_or_default()]).await
    }

    /// Forgets expired sessions and guesses older than `attempts_before`.
    pub async fn prune_sign_in(&self, now: Instant, attempts_before: Instant) -> Result<()> {
        sql::execute(&self.db, "DELETE FROM session WHERE expires_at <= $1", values![now]).await?;
        sql::execute(&self.db, "DELETE FROM sign_in_attempt WHERE at < $1", values![attempts_before]).await?;
        sql::execute(&self.db, "DELETE FROM sign_in_account WHERE knocked_at < $1", values![attempts_before]).await?;
        Ok(())
    }

    /// Counts a try at an account, where fewer than `most` of those after `since` were wrong or are being looked at.
    /// Those being looked at since before `abandoned` never got an answer and count as wrong. Tries at one account
    /// come here one after another: each sees all that were counted before it.
    pub async fn admit_attempt(
        &self,
        attempt: &SignInAttempt,
        since: Instant,
        abandoned: Instant,
        most: i64,
    ) -> Result<Admission> {
        let alone = "INSERT INTO sign_in_account (email, knocked_at) VALUES ($1, $2)
                     ON CONFLICT (email) DO UPDATE SET knocked_at = excluded.knocked_at";
        sql::execute(&self.db, alone, values![attempt.email, attempt.at]).await?;
        let count = "SELECT CAST(COALESCE(SUM(CASE WHEN passed IS NULL AND at > $3 THEN 0 ELSE 1 END), 0) AS bigint)
                       AS wrong, CAST(COUNT(*) AS bigint) AS counted
                     FROM sign_in_attempt WHERE email = $1 AND at > $2 AND passed IS NOT TRUE";
        let so_far: Guesses = sql::one(&self.db, count, values![attempt.email, since, abandoned]).await?;
        if so_far.wrong >= most {
            return Ok(Admission::Full);
        }
        if so_far.counted >= most {
            return Ok(Admission::Undecided);
        }
        sql::insert(&self.db, std::slice::from_ref(attempt)).await?;
        Ok(Admission::Counted)
    }

    /// The password of a counted try was right, and it was no guess; or it was wrong.
    pub async fn settle_attempt(&self, id: Uuid, passed: bool) -> Result<()> {
        sql::execute(&self.db, "UPDATE sign_in_attempt SET passed = $2 WHERE id = $1", values![id, passed])
            .await
            .map(|_| ())
    }

    pub async fn insert_invitation(&self, invitation: &Invitation) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(invitation)).await.map(|_| ())
    }

    /// Uses a mailed link up. Used, expired and unknown are the same [`Error::NotFound`].
    pub async fn use_invitation(&self, token_hash: &str, now: Instant) -> Result<Invitation> {
        let sql = format!(
            "UPDATE invitation SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
             RETURNING {}",
            Invitation::COLUMNS.join(", ")
        );
        sql::one(&self.db, &sql, values![token_hash, now]).await
    }

    /// Makes the links mailed to this user for a purpose useless.
    pub async fn drop_invitations_of(&self, user: UserId, purpose: Purpose) -> Result<()> {
        let sql = "DELETE FROM invitation WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL";
        sql::execute(&self.db, sql, values![user, purpose]).await.map(|_| ())
    }

    pub async fn insert_api_token(&self, token: &ApiToken) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(token)).await.map(|_| ())
    }

    pub async fn touch_api_token(&self, id: Uuid, now: Instant) -> Result<()> {
        sql::execute(&self.db, "UPDATE api_token SET last_used_at = $2 WHERE id = $1", values![id, now])
            .await
            .map(|_| ())
    }

    pub async fn revoke_api_token(&self, id: Uuid, now: Instant) -> Result<()> {
        let sql = "UPDATE api_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        found(sql::execute(&self.db, sql, values![id, now]).await?)
    }

    pub async fn set_mail_choices(&self, choices: &[MailChoice]) -> Result<()> {
        sql::upsert(&self.db, choices, &["user_id", "kind"]).await.map(|_| ())
    }

    /// What these people chose; where one chose nothing there is no row.
    pub async fn mail_choices(&self, users: &[UserId]) -> Result<Vec<MailChoice>> {
        let found = Where::default().among("user_id", users);
        sql::all(&self.db, &sql::select::<MailChoice>(&found.sql()), found.values).await
    }

    /// The one calendar address of a person; an earlier one no longer answers.
    pub async fn set_calendar_feed(&self, feed: &CalendarFeed) -> Result<()> {
        sql::upsert(&self.db, std::slice::from_ref(feed), &["user_id"]).await.map(|_| ())
    }

    pub async fn drop_calendar_feed(&self, user: UserId) -> Result<()> {
        found(sql::execute(&self.db, "DELETE FROM calendar_feed WHERE user_id = $1", values![user]).await?)
    }

    pub async fn touch_calendar_feed(&self, user: UserId, now: Instant) -> Result<()> {
        sql::execute(&self.db, "UPDATE calendar_feed SET read_at = $2 WHERE user_id = $1", values![user, now])
            .await
            .map(|_| ())
    }

    pub async fn insert_stand_in(&self, stand_in: &StandIn) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(stand_in)).await.map(|_| ())
    }

    /// Only by the one who is absent.
    pub async fn remove_stand_in(&self, id: Uuid, absent: UserId) -> Result<()> {
        let sql = "DELETE FROM stand_in WHERE id = $1 AND absent_id = $2";
        found(sql::execute(&self.db, sql, values![id, absent]).await?)
    }

    /// The people a notice reaches, by name. Nobody where the audience is an address without an account.
    ///
    /// Who stands in for a decider on that day is told what the decider is told.
    pub async fn audience(&self, audience: &Audience, day: Date) -> Result<Vec<User>> {
        let mut people = self.own_audience(audience).await?;
        if matches!(audience, Audience::Approvers { .. } | Audience::DecidingManager(_)) {
            let standing_in = self.standing_in_for(&people, day).await?;
            people.extend(standing_in);
        }
        Ok(people)
    }

    async fn own_audience(&self, audience: &Audience) -> Result<Vec<User>> {
        match audience {
            Audience::Partner(partner) => {
                let people = self.active_users("partner_id = $1", values![partner]).await?;
                Ok(with_role(people, &[Role::PartnerUser, Role::PartnerAdmin]))
            }
            Audience::ManagerOf(partner) | Audience::DecidingManager(partner) => {
                let sql = "id = (SELECT manager_id FROM partner WHERE id = $1)";
                let manager = self.active_users(sql, values![partner]).await?;
                if !manager.is_empty() {
                    return Ok(manager);
                }
                let managers = with_role(self.vendor_people().await?, &[Role::ChannelManager]);
                self.covering(managers, *partner).await
            }
            Audience::Approvers { level, partner } => {
                let mut approvers = with_role(self.vendor_people().await?, &[Role::Approver]);
                approvers.retain(|user| user.approves_level == *level);
                self.covering(approvers, *partner).await
            }
            Audience::Finance => Ok(with_role(self.vendor_people().await?, &[Role::Finance])),
            Audience::Executives => Ok(with_role(self.vendor_people().await?, &[Role::Executive])),
            Audience::Administrators => Ok(with_role(self.vendor_people().await?, &[Role::Administrator])),
            Audience::User(user) => self.active_users("id = $1", values![user]).await,
            Audience::Address(_) => Ok(Vec::new()),
        }
    }

    /// Those who stand in for one of these people on a day, and are none of them.
    async fn standing_in_for(&self, absent: &[User], day: Date) -> Result<Vec<User>> {
        let ids: Vec<UserId> = absent.iter().map(|user| user.id).collect();
        let on_the_day = "from_day <= ? AND to_day >= ?";
        let found = Where::default().among("absent_id", &ids).and(on_the_day, values![day, day]);
        let sql = format!("SELECT DISTINCT stand_in_id FROM stand_in {}", found.sql());
        let stand_ins: Vec<UserId> = sql::column(&self.db, "stand_in_id", &sql, found.values).await?;
        let mut people = self.vendor_people().await?;
        people.retain(|user| stand_ins.contains(&user.id) && !ids.contains(&user.id));
        Ok(people)
    }

    /// The same for many partners at once: the people of each who may submit.
    pub async fn people_of_partners(&self, partners: &[PartnerId]) -> Result<BTreeMap<PartnerId, Vec<User>>> {
        let mut people: BTreeMap<PartnerId, Vec<User>> = BTreeMap::new();
        for partners in partners.chunks(1_000) {
            let active = "disabled_at IS NULL AND confirmed_at IS NOT NULL";
            let found = Where::default().among("partner_id", partners).and(active, Vec::new());
            let sql = sql::select::<User>(&format!("{} ORDER BY name, id", found.sql()));
            let users: Vec<User> = sql::all(&self.db, &sql, found.values).await?;
            for user in with_role(users, &[Role::PartnerUser, Role::PartnerAdmin]) {
                let Some(partner) = user.partner_id else { continue };
                people.entry(partner).or_default().push(user);
            }
        }
        Ok(people)
    }

    async fn vendor_people(&self) -> Result<Vec<User>> {
        self.active_users("partner_id IS NULL", Vec::new()).await
    }

    async fn active_users(&self, condition: &str, values: Vec<sea_orm::Value>) -> Result<Vec<User>> {
        let tail = format!("WHERE {condition} AND disabled_at IS NULL AND confirmed_at IS NOT NULL ORDER BY name, id");
        sql::all(&self.db, &sql::select::<User>(&tail), values).await
    }

    async fn covering(&self, mut people: Vec<User>, partner: PartnerId) -> Result<Vec<User>> {
        let region = self.region_of(partner).await?;
        people.retain(|user| user.standing().covers(&region));
        Ok(people)
    }
}

fn with_role(mut people: Vec<User>, roles: &[Role]) -> Vec<User> {
    people.retain(|user| roles.iter().any(|role| user.roles.contains(role)));
    people
}

pub(crate) fn found(rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::NotFound) } else { Ok(()) }
}
