//! What people may do, and what an administrator does about it: rights, access, preferences, stand-ins.

use super::{Door, Signed, password};
use crate::error::{Error, Result};
use domain::Date;
use domain::ids::{PartnerId, UserId};
use domain::money::Marks;
use domain::people::{Actor, Role};
use serde_json::json;
use storage::read::UserFilter;
use storage::rows::{StandIn, User};
use storage::{Tx, Viewer};
use uuid::Uuid;

/// The highest approval level a program guide can name.
const HIGHEST_LEVEL: u8 = 9;

/// What a person holds in their own right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rights {
    pub roles: Vec<Role>,
    /// The company of a partner's person.
    pub partner: Option<PartnerId>,
    /// Regions covered; empty covers all.
    pub territory: Vec<String>,
    /// The approval level an approver decides; 0 for none.
    pub approves_level: u8,
}

impl Rights {
    /// Roles that go together: a partner's people hold partner roles, the vendor's people the others.
    pub fn are_sound(&self) -> Result<()> {
        let of_partner = |role: &Role| matches!(role, Role::PartnerUser | Role::PartnerAdmin);
        let refuse = |field: &str, why: &str, remedy: &str| Err(Error::invalid(field, why, remedy));
        if self.roles.is_empty() {
            return refuse("roles", "This person has no role.", "Choose at least one role.");
        }
        if self.roles.contains(&Role::System) {
            return refuse("roles", "Nobody can be the system.", "Choose the roles of a person.");
        }
        match self.partner {
            Some(_) if !self.roles.iter().all(of_partner) => {
                return refuse(
                    "roles",
                    "A partner's people hold partner roles only.",
                    "Choose partner roles, or name no partner.",
                );
            }
            None if self.roles.iter().any(of_partner) => {
                return refuse(
                    "partner",
                    "These roles are for a partner's people.",
                    "Choose the partner whose people they are.",
                );
            }
            _ => {}
        }
        if self.roles.contains(&Role::Approver) != (1..=HIGHEST_LEVEL).contains(&self.approves_level) {
            return refuse(
                "approves_level",
                "An approver decides a level from 1 to 9; nobody else does.",
                "Name the level of an approver, and 0 for everybody else.",
            );
        }
        Ok(())
    }
}

/// How a person likes their pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preferences {
    pub name: String,
    pub marks: Marks,
    /// `auto`, `light` or `dark`.
    pub theme: String,
}

impl Door {
    /// Users this person administers: all of them, or their own company's.
    pub async fn users(&self, signed: &Signed) -> Result<Vec<User>> {
        let mut users = self.db.reader().users(&signed.viewer, &UserFilter::default()).await?;
        users.retain(|user| reaches(signed, user));
        Ok(users)
    }

    /// One user this person administers; anyone else's answers as missing.
    pub async fn user_in_reach(&self, signed: &Signed, id: UserId) -> Result<User> {
        let user = self.db.reader().user(&signed.viewer, id).await?;
        if reaches(signed, &user) { Ok(user) } else { Err(Error::NotFound) }
    }

    /// Changes what somebody may do, and signs them out everywhere so that it holds at once. Nobody changes their own.
    pub async fn set_rights(&self, signed: &Signed, id: UserId, rights: Rights) -> Result<String> {
        rights.are_sound()?;
        let mut user = self.another(signed, id).await?;
        may_give(signed, &rights)?;
        user.roles = rights.roles;
        user.partner_id = rights.partner;
        user.territory = rights.territory;
        user.approves_level = rights.approves_level;
        let roles: Vec<&str> = user.roles.iter().map(|role| role.label()).collect();
        let words = format!("{} gave {} these roles: {}.", signed.user.name, user.name, roles.join(", "));
        self.save_and_sign_out(&user, &signed.actor, "user.rights", words).await?;
        Ok(format!("{} holds the new roles from now on.", user.name))
    }

    /// Shuts somebody out, or lets them in again.
    pub async fn set_access(&self, signed: &Signed, id: UserId, may_enter: bool) -> Result<String> {
        let mut user = self.another(signed, id).await?;
        user.disabled_at = if may_enter { None } else { Some(self.clock.now()) };
        let did = if may_enter { "let in" } else { "shut out" };
        let noted = format!("{} {did} {}.", signed.user.name, user.name);
        self.save_and_sign_out(&user, &signed.actor, "user.access", noted).await?;
        let words = if may_enter { "can sign in again" } else { "can no longer sign in" };
        Ok(format!("{} {words}.", user.name))
    }

    async fn another(&self, signed: &Signed, id: UserId) -> Result<User> {
        let user = self.user_in_reach(signed, id).await?;
        if user.id == signed.user.id {
            return Err(Error::refused(
                "own_rights",
                "Nobody changes what they may do themselves.",
                "Ask another administrator.",
            ));
        }
        Ok(user)
    }

    async fn save_and_sign_out(&self, user: &User, actor: &Actor, kind: &str, words: String) -> Result<()> {
        let facts = json!({
            "user": user.id, "roles": user.roles, "partner": user.partner_id, "territory": user.territory,
            "approves_level": user.approves_level, "disabled_at": user.disabled_at,
        });
        let work = async |tx: &Tx| {
            tx.update_user(user).await?;
            tx.note(kind, words.clone(), facts.clone(), actor, self.clock.now()).await?;
            tx.end_sessions_of(user.id, None).await.map(|_| ())
        };
        Ok(self.db.write(work).await?)
    }

    /// For the command line: everyone, and changes without a person behind them.
    pub async fn users_from_console(&self) -> Result<Vec<User>> {
        Ok(self.db.reader().users(&Viewer::system(), &UserFilter::default()).await?)
    }

    pub async fn change_from_console(&self, email: &str, change: impl FnOnce(&mut User)) -> Result<User> {
        let mut user =
            self.db.reader().door().user_by_email(&email.trim().to_lowercase()).await?.ok_or(Error::NotFound)?;
        change(&mut user);
        let rights = Rights {
            roles: user.roles.clone(),
            partner: user.partner_id,
            territory: user.territory.clone(),
            approves_level: user.approves_level,
        };
        rights.are_sound()?;
        let words = format!("{}’s account was changed from the command line.", user.name);
        self.save_and_sign_out(&user, &Actor::system(), "user.console", words).await?;
        Ok(user)
    }

    pub async fn set_preferences(&self, signed: &Signed, wanted: Preferences) -> Result<()> {
        let user = signed.user.id;
        Ok(self.db.write(async |tx| tx.set_preferences(user, &wanted.name, wanted.marks, &wanted.theme).await).await?)
    }

    /// A new password for whoever knows the old one; their other sessions end.
    pub async fn change_password(&self, signed: &Signed, old: &str, new: &str) -> Result<()> {
        if !self.matches(old, signed.user.password_hash.clone()).await? {
            return Err(Error::invalid(
                "old_password",
                "This is not your present password.",
                "Type the one you signed in with.",
            ));
        }
        password::acceptable(new, &signed.user.email, &signed.user.name)?;
        let hash = self.hash(new.to_owned()).await?;
        let work = async |tx: &Tx| {
            tx.set_password(signed.user.id, &hash).await?;
            tx.end_sessions_of(signed.user.id, Some(&signed.session)).await.map(|_| ())
        };
        Ok(self.db.write(work).await?)
    }

    /// Colleagues who can stand in for this person: active, of the same company.
    pub async fn colleagues(&self, viewer: &Viewer, actor: &Actor) -> Result<Vec<User>> {
        let mut users = self.db.reader().users(viewer, &UserFilter::default()).await?;
        users.retain(|user| user.id != actor.user() && user.is_active() && user.partner_id == actor.me.partner);
        Ok(users)
    }

    /// The times others stand in for this person.
    pub async fn stand_ins(&self, viewer: &Viewer, actor: &Actor) -> Result<Vec<StandIn>> {
        let mut rows = self.db.reader().stand_ins(viewer, actor.user()).await?;
        rows.retain(|row| row.absent_id == actor.user() && row.to_day >= self.clock.today());
        Ok(rows)
    }

    /// Has a colleague stand in for this person, first and last day included; its id comes back.
    pub async fn add_stand_in(
        &self,
        viewer: &Viewer,
        actor: &Actor,
        stand_in: UserId,
        (from, to): (Date, Date),
    ) -> Result<Uuid> {
        let colleagues = self.colleagues(viewer, actor).await?;
        if !colleagues.iter().any(|user| user.id == stand_in) {
            return Err(Error::invalid(
                "stand_in",
                "This is nobody who could stand in for you.",
                "Choose a colleague from the list.",
            ));
        }
        if to < from || to < self.clock.today() {
            return Err(Error::invalid(
                "to",
                "The last day comes before the first, or is past.",
                "Choose a last day from today on.",
            ));
        }
        let row = StandIn {
            id: Uuid::now_v7(),
            absent_id: actor.user(),
            stand_in_id: stand_in,
            from_day: from,
            to_day: to,
            created_at: self.clock.now(),
        };
        let name = |id: UserId| colleagues.iter().find(|user| user.id == id).map_or("a colleague", |user| &user.name);
        let words = format!(
            "{} stands in for {} from {} to {}.",
            name(stand_in),
            actor.me.name,
            domain::calendar::words(from),
            domain::calendar::words(to)
        );
        let facts = json!({ "absent": row.absent_id, "stand_in": row.stand_in_id, "from": from, "to": to });
        let work = async |tx: &Tx| {
            tx.insert_stand_in(&row).await?;
            tx.note("user.stand_in", words.clone(), facts.clone(), actor, row.created_at).await
        };
        self.db.write(work).await?;
        Ok(row.id)
    }

    pub async fn remove_stand_in(&self, actor: &Actor, id: Uuid) -> Result<()> {
        let words = format!("{} ended a time somebody stands in for them.", actor.me.name);
        let work = async |tx: &Tx| {
            tx.remove_stand_in(id, actor.user()).await?;
            let facts = json!({ "stand_in": id });
            tx.note("user.stand_in", words.clone(), facts, actor, self.clock.now()).await
        };
        Ok(self.db.write(work).await?)
    }
}

/// An administrator gives any rights, a partner's administrator those of their own company.
pub(super) fn may_give(signed: &Signed, rights: &Rights) -> Result<()> {
    let own = signed.actor.me.partner;
    let colleague = signed.actor.me.has(Role::PartnerAdmin) && own.is_some() && rights.partner == own;
    if signed.actor.me.has(Role::Administrator) || colleague { Ok(()) } else { Err(Error::NotFound) }
}

/// An administrator reaches everyone, a partner's administrator their own company.
fn reaches(signed: &Signed, user: &User) -> bool {
    let me = &signed.actor.me;
    me.has(Role::Administrator) || (me.has(Role::PartnerAdmin) && me.partner.is_some() && me.partner == user.partner_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_that_do_not_go_together_are_refused() {
        let rights = |roles: &[Role], partner: bool, level: u8| Rights {
            roles: roles.to_vec(),
            partner: partner.then(|| PartnerId(Uuid::nil())),
            territory: Vec::new(),
            approves_level: level,
        };
        let sound = [
            rights(&[Role::PartnerUser, Role::PartnerAdmin], true, 0),
            rights(&[Role::Finance, Role::Approver], false, 2),
            rights(&[Role::Administrator], false, 0),
        ];
        for rights in sound {
            rights.are_sound().unwrap();
        }
        let unsound = [
            rights(&[], false, 0),
            rights(&[Role::System], false, 0),
            rights(&[Role::PartnerUser], false, 0),
            rights(&[Role::PartnerUser, Role::Finance], true, 0),
            rights(&[Role::Approver], false, 0),
            rights(&[Role::Finance], false, 1),
        ];
        for rights in unsound {
            assert!(rights.are_sound().is_err(), "{rights:?}");
        }
    }
}
