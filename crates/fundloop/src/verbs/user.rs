//! `fundloop user add|list|role|disable|enable|reset`: for whoever sits at the machine, before anyone can sign in and
//! when nobody can any more.

use super::{Ground, Outcome};
use crate::settings::Settings;
use anyhow::{Context, anyhow};
use clap::Subcommand;
use domain::people::Role;
use engine::signin::{NewUser, Rights};
use storage::Viewer;
use storage::rows::User;

#[derive(Subcommand, Debug)]
pub enum UserVerb {
    /// Add somebody, mail the invitation and print its link.
    Add {
        email: String,
        #[arg(long)]
        name: String,
        #[command(flatten)]
        rights: RightsArgs,
    },
    /// List everyone.
    List,
    /// Give somebody these roles instead of those they have.
    Role {
        email: String,
        #[command(flatten)]
        rights: RightsArgs,
    },
    /// Shut somebody out and end their sessions.
    Disable { email: String },
    /// Let somebody in again.
    Enable { email: String },
    /// Print a link by which somebody chooses a new password; it works for one hour.
    Reset { email: String },
}

#[derive(clap::Args, Debug)]
pub struct RightsArgs {
    #[arg(long = "role", required = true, value_parser = parse_role, help = ROLES)]
    roles: Vec<Role>,
    /// The name of the partner they work for.
    #[arg(long)]
    partner: Option<String>,
    /// A region a channel manager or approver covers; none covers all.
    #[arg(long)]
    region: Vec<String>,
    /// The approval level an approver decides.
    #[arg(long, default_value_t = 0)]
    level: u8,
}

const ROLES: &str = "partner_user, partner_admin, channel_manager, approver, finance, executive, administrator, \
    auditor or integration; may be given several times";

fn parse_role(code: &str) -> Result<Role, String> {
    Role::from_code(code).ok_or_else(|| format!("there is no role {code}"))
}

pub async fn run(settings: &Settings, verb: UserVerb, json: bool) -> anyhow::Result<Outcome> {
    let ground = Ground::open(settings).await?;
    let door = &ground.door;
    let said = match verb {
        UserVerb::List => return list(&ground, json).await,
        UserVerb::Add { email, name, rights } => {
            let rights = rights_of(&ground, rights).await?;
            let (_, link) = door.add_from_console(NewUser { name, email, rights }).await.map_err(plain)?;
            format!("Invited. The link works for seven days:\n{link}")
        }
        UserVerb::Role { email, rights } => {
            let rights = rights_of(&ground, rights).await?;
            let change = |user: &mut User| {
                user.roles = rights.roles;
                user.partner_id = rights.partner;
                user.territory = rights.territory;
                user.approves_level = rights.approves_level;
            };
            format!("{} holds the new roles.", door.change_from_console(&email, change).await.map_err(plain)?.name)
        }
        UserVerb::Disable { email } => {
            let now = ground.engine.clock.now();
            let user = door.change_from_console(&email, |user| user.disabled_at = Some(now)).await.map_err(plain)?;
            format!("{} can no longer sign in.", user.name)
        }
        UserVerb::Enable { email } => {
            let user = door.change_from_console(&email, |user| user.disabled_at = None).await.map_err(plain)?;
            format!("{} can sign in again.", user.name)
        }
        UserVerb::Reset { email } => {
            format!("The link works for one hour:\n{}", door.reset_from_console(&email).await.map_err(plain)?)
        }
    };
    println!("{said}");
    Ok(Outcome::Done)
}

async fn rights_of(ground: &Ground, args: RightsArgs) -> anyhow::Result<Rights> {
    let partner = match &args.partner {
        None => None,
        Some(name) => {
            let partners = ground.engine.reader().partner_names(&Viewer::system()).await?;
            let found = partners.into_iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
            Some(found.with_context(|| format!("there is no partner named {name}"))?.0)
        }
    };
    Ok(Rights { roles: args.roles, partner, territory: args.region, approves_level: args.level })
}

async fn list(ground: &Ground, json: bool) -> anyhow::Result<Outcome> {
    let users = ground.door.users_from_console().await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&users)?);
        return Ok(Outcome::Done);
    }
    for user in users {
        let roles = user.roles.iter().map(|role| role.code()).collect::<Vec<_>>().join(",");
        let state = if user.disabled_at.is_some() {
            "shut out"
        } else if user.confirmed_at.is_some() {
            "active"
        } else {
            "invited"
        };
        println!("{:<36}  {:<24}  {:<9}  {roles}", user.email, user.name, state);
    }
    Ok(Outcome::Done)
}

/// An engine's error in the words it holds for people.
pub(super) fn plain(error: engine::Error) -> anyhow::Error {
    match error {
        engine::Error::Invalid(reasons) => {
            let words = reasons.iter().map(|reason| format!("{} {}", reason.why, reason.remedy));
            anyhow!("{}", words.collect::<Vec<_>>().join(" ").trim().to_owned())
        }
        engine::Error::NotFound => anyhow!("nobody has an account with that address"),
        other => other.into(),
    }
}
