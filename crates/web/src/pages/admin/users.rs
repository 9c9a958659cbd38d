//! /admin/users: who may come in and what they may do.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::ids::{PartnerId, UserId};
use domain::people::Role;
use engine::signin::{NewUser, Rights};
use serde::Deserialize;
use storage::rows::User;

use super::{MenuItem, menu};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Badge, Choice, Field, Form, Tone, date_words};

const LIST: &str = "/admin/users";

#[derive(Template)]
#[template(path = "pages/admin/users.html")]
struct UsersPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    q: String,
    rows: Vec<UserLine>,
}

struct UserLine {
    href: String,
    name: String,
    email: String,
    roles: String,
    partner: String,
    state: Badge,
}

#[derive(Deserialize)]
pub struct Asked {
    q: Option<String>,
}

/// GET /admin/users
pub async fn list(who: Who, asked: Query<Asked>) -> Answer {
    let q = asked.q.clone().unwrap_or_default();
    let sought = q.trim().to_lowercase();
    let partners = partners(&who).await?;
    let mut users = who.site().door.users(who.signed()).await?;
    users.retain(|user| user.name.to_lowercase().contains(&sought) || user.email.contains(&sought));
    let rows = users.iter().map(|user| user_line(user, &partners)).collect();
    show(&UsersPage { shell: who.shell("Users"), menu: menu(&who, LIST), q, rows })
}

fn user_line(user: &User, partners: &[(PartnerId, String)]) -> UserLine {
    let partner = user.partner_id.and_then(|id| partners.iter().find(|(known, _)| *known == id));
    UserLine {
        href: format!("{LIST}/{}", user.id),
        name: user.name.clone(),
        email: user.email.clone(),
        roles: user.roles.iter().map(|role| role.label()).collect::<Vec<_>>().join(", "),
        partner: partner.map_or_else(String::new, |(_, name)| name.clone()),
        state: state(user),
    }
}

fn state(user: &User) -> Badge {
    match (user.disabled_at, user.confirmed_at) {
        (Some(_), _) => Badge::new(Tone::Off, "Shut out"),
        (None, None) => Badge::new(Tone::Wait, "Invited"),
        (None, Some(_)) => Badge::new(Tone::Ok, "Active"),
    }
}

/// The partners whose people this person may invite.
async fn partners(who: &Who) -> Result<Vec<(PartnerId, String)>, Error> {
    Ok(who.reader().partner_names(who.viewer()).await?)
}

#[derive(Template)]
#[template(path = "pages/admin/user_new.html")]
struct NewPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    form: Form,
}

async fn new_page(who: &Who, typed: Typed) -> Result<NewPage, Error> {
    let form = who.form().with(Field::text("name", "Name")).with(
        Field::email("email", "E-mail address")
            .hint("The invitation goes there. It works for seven days.")
            .autocomplete("off"),
    );
    let form = rights_fields(who, form, None).await?;
    Ok(NewPage { shell: who.shell("Invite a user"), menu: menu(who, LIST), form: typed.onto(form) })
}

/// The questions about what somebody may do; a partner's administrator is asked fewer.
async fn rights_fields(who: &Who, form: Form, user: Option<&User>) -> Result<Form, Error> {
    let offered = offered(who);
    let choices = offered.iter().map(|role| Choice::new(role.code(), role.label()).hint(what_it_does(*role))).collect();
    let mut roles = Field::ticks("roles", "Roles", choices).required();
    if let Some(user) = user {
        roles.values = user.roles.iter().map(|role| role.code().to_owned()).collect();
    }
    let form = form.with(roles);
    if !who.has(Role::Administrator) {
        return Ok(form);
    }
    let mut companies = vec![Choice::new("", "Our own company")];
    companies.extend(partners(who).await?.into_iter().map(|(id, name)| Choice::new(id.to_string(), name)));
    let partner = user.and_then(|user| user.partner_id).map(|id| id.to_string()).unwrap_or_default();
    let territory = user.map(|user| user.territory.join(", ")).unwrap_or_default();
    let level = user.map(|user| user.approves_level).filter(|level| *level > 0).map(|level| level.to_string());
    Ok(form
        .with(Field::select("partner", "Works for", companies).optional().value_is(partner))
        .with(
            Field::text("territory", "Regions")
                .hint("For channel managers and approvers: separated by commas, empty for all of them.")
                .optional()
                .value_is(territory),
        )
        .with(
            Field::number("approves_level", "Approval level")
                .hint("For approvers: 1 decides first.")
                .optional()
                .value_is(level.unwrap_or_default()),
        ))
}

fn offered(who: &Who) -> Vec<Role> {
    let partners_own = |role: &Role| matches!(role, Role::PartnerUser | Role::PartnerAdmin);
    let all = who.has(Role::Administrator);
    Role::GIVEN.into_iter().filter(|role| all || partners_own(role)).collect()
}

fn what_it_does(role: Role) -> &'static str {
    match role {
        Role::PartnerUser => "Plans, asks for funds, sends proof and claims for their own company.",
        Role::PartnerAdmin => "The same, and invites colleagues.",
        Role::ChannelManager => "Agrees plans and reviews proof for the partners of their regions.",
        Role::Approver => "Decides requests at one approval level.",
        Role::Finance => "Funds, claims, settlements.",
        Role::Executive => "Sees all performance; signs nothing.",
        Role::Administrator => "Settings, users, programs. No approval rights by this role alone.",
        Role::Auditor => "Sees everything; changes nothing.",
        Role::Integration => "A program with a token.",
        Role::System => "Fundloop itself.",
    }
}

fn read_rights(who: &Who, form: &mut Fields) -> Option<Rights> {
    let offered = offered(who);
    let roles = form.ticks("roles", |code| Role::from_code(code).filter(|role| offered.contains(role)));
    if !who.has(Role::Administrator) {
        let partner = who.actor().me.partner;
        return Some(Rights { roles: roles?, partner, territory: Vec::new(), approves_level: 0 });
    }
    let partner = form.optional_choice("partner", |id| id.parse().ok());
    let territory = form.optional_text("territory");
    let level = if form.all_empty(&["approves_level"]) { Some(0) } else { form.whole("approves_level", 1..=9) };
    let split = |regions: String| {
        regions.split(',').map(|region| region.trim().to_owned()).filter(|region| !region.is_empty()).collect()
    };
    Some(Rights {
        roles: roles?,
        partner: partner?,
        territory: territory?.map(split).unwrap_or_default(),
        approves_level: u8::try_from(level?).ok()?,
    })
}

/// GET /admin/users/new
pub async fn new(who: Who) -> Answer {
    show(&new_page(&who, Typed::default()).await?)
}

/// POST /admin/users/new
pub async fn invite(who: Who, posted: Posted) -> Answer {
    let done = async {
        let new = posted.read(who.marks(), |form| {
            let (name, email, rights) = (form.text("name"), form.email("email"), read_rights(&who, form));
            Some(NewUser { name: name?, email: email?, rights: rights? })
        })?;
        let words = format!("{} is invited: the mail is on its way.", new.name);
        who.site().door.invite(who.signed(), new).await?;
        Ok(words)
    };
    who.settle(done.await, LIST, &posted, async |typed| new_page(&who, typed).await).await
}

#[derive(Template)]
#[template(path = "pages/admin/user.html")]
struct UserPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    href: String,
    name: String,
    email: String,
    state: Badge,
    since: String,
    is_self: bool,
    is_invited: bool,
    is_shut_out: bool,
    /// Only administrators change roles.
    rights: Option<Form>,
}

async fn user_page(who: &Who, id: UserId, typed: Typed) -> Result<UserPage, Error> {
    let user = who.site().door.user_in_reach(who.signed(), id).await?;
    let is_self = user.id == who.signed().user.id;
    let rights = if who.has(Role::Administrator) && !is_self {
        Some(typed.onto(rights_fields(who, who.form(), Some(&user)).await?))
    } else {
        None
    };
    Ok(UserPage {
        shell: who.shell(&user.name),
        menu: menu(who, LIST),
        href: format!("{LIST}/{}", user.id),
        state: state(&user),
        since: date_words(user.created_at.date_naive()),
        is_self,
        is_invited: user.confirmed_at.is_none() && user.disabled_at.is_none(),
        is_shut_out: user.disabled_at.is_some(),
        name: user.name,
        email: user.email,
        rights,
    })
}

/// GET /admin/users/{id}
pub async fn show_page(who: Who, id: Path<UserId>) -> Answer {
    show(&user_page(&who, *id, Typed::default()).await?)
}

/// POST /admin/users/{id}/rights
pub async fn set_rights(who: Who, id: Path<UserId>, posted: Posted) -> Answer {
    let done = async {
        let rights = posted.read(who.marks(), |form| read_rights(&who, form))?;
        Ok::<_, Error>(who.site().door.set_rights(who.signed(), *id, rights).await?)
    };
    let href = format!("{LIST}/{}", *id);
    who.settle(done.await, &href, &posted, async |typed| user_page(&who, *id, typed).await).await
}

/// POST /admin/users/{id}/invitation
pub async fn invite_again(who: Who, id: Path<UserId>, posted: Posted) -> Answer {
    let done = who.site().door.invite_again(who.signed(), *id).await;
    let done = done.map(|email| format!("A new invitation is on its way to {email}.")).map_err(Error::from);
    let href = format!("{LIST}/{}", *id);
    who.settle(done, &href, &posted, async |typed| user_page(&who, *id, typed).await).await
}

/// POST /admin/users/{id}/access
pub async fn set_access(who: Who, id: Path<UserId>, posted: Posted) -> Answer {
    let done = async {
        let may_enter = posted.read(who.marks(), |form| form.choice("may_enter", |text| text.parse::<bool>().ok()))?;
        Ok::<_, Error>(who.site().door.set_access(who.signed(), *id, may_enter).await?)
    };
    let href = format!("{LIST}/{}", *id);
    who.settle(done.await, &href, &posted, async |typed| user_page(&who, *id, typed).await).await
}
