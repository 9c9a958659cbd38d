//! Partners, as an administrator keeps them: one by one, or as a table of all.

mod table;

pub use table::{Change, Fate, MOST_BYTES, MOST_LINES, PartnerTable, TableLine, table_text};

use crate::Engine;
use crate::advance::{Advanced, Submission};
use crate::error::{Error, Result};
use domain::Instant;
use domain::fund::Attribute;
use domain::ids::{PartnerId, UserId};
use domain::money::Currency;
use domain::people::{Actor, Role};
use domain::refusal::Reason;
use domain::steps::{check_optional, check_text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use storage::Viewer;
use storage::read::UserFilter;
use storage::rows::PartnerRow;
use uuid::Uuid;

/// Of more, nobody keeps an overview.
const MOST_ATTRIBUTES: usize = 30;
/// The most characters of a name, a region, a tier.
const LONGEST: usize = 120;

/// What is said of a partner, by a form, a call or a line of a table. What is not said stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartnerSaid {
    pub name: Option<String>,
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub tier: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// The channel manager's address; empty for whoever covers the region.
    pub manager: Option<String>,
    pub good_standing: Option<bool>,
    /// Its own web domain; empty for none.
    pub domain: Option<String>,
    /// Empty for none.
    pub crm_id: Option<String>,
    /// Whatever else partners are told apart by, by name; an empty value takes it away.
    pub attributes: BTreeMap<String, String>,
}

/// Channel managers by their address in small letters.
type Managers = BTreeMap<String, UserId>;

impl Engine {
    /// Adds a partner; the answer's number is its id. What must be said and is not is [`Error::Invalid`] at its field.
    pub async fn add_partner(&self, actor: &Actor, said: &PartnerSaid, once: &Submission) -> Result<Advanced> {
        may_keep(actor)?;
        let managers = self.managers().await?;
        self.once(actor, once, &("add", said), async |tx, now| {
            let row = checked(None, said, &managers, (PartnerId(Uuid::now_v7()), now)).map_err(Error::Invalid)?;
            unlike_others(&row, &tx.partner_rows().await?)?;
            tx.insert_partner(&row).await?;
            let words = format!("{} added the partner {}.", actor.me.name, row.name);
            tx.note("partner.added", words.clone(), json!(row), actor, now).await?;
            Ok(Advanced { number: row.id.to_string(), version: 0, words: vec![words] })
        })
        .await
    }

    /// Changes what is said of a partner; the rest stays.
    pub async fn change_partner(
        &self,
        actor: &Actor,
        id: PartnerId,
        said: &PartnerSaid,
        once: &Submission,
    ) -> Result<Advanced> {
        may_keep(actor)?;
        let managers = self.managers().await?;
        self.once(actor, once, &(id, said), async |tx, now| {
            let all = tx.partner_rows().await?;
            let before = all.iter().find(|row| row.id == id).ok_or(Error::NotFound)?;
            let row = checked(Some(before), said, &managers, (id, now)).map_err(Error::Invalid)?;
            let mut words = format!("Nothing about {} was changed.", row.name);
            if row != *before {
                unlike_others(&row, &all)?;
                tx.update_partner(&row).await?;
                words = format!("{} changed the facts of {}.", actor.me.name, row.name);
                tx.note("partner.changed", words.clone(), json!(row), actor, now).await?;
            }
            Ok(Advanced { number: id.to_string(), version: 0, words: vec![words] })
        })
        .await
    }

    /// Everybody who may be a partner's channel manager.
    async fn managers(&self) -> Result<Managers> {
        let users = self.reader().users(&Viewer::system(), &UserFilter::default()).await?;
        let managers = users.into_iter().filter(|user| user.roles.contains(&Role::ChannelManager));
        Ok(managers.map(|user| (user.email.to_lowercase(), user.id)).collect())
    }
}

fn may_keep(actor: &Actor) -> Result<()> {
    if actor.me.has(Role::Administrator) && !actor.me.is_partner() {
        return Ok(());
    }
    Err(Error::refused("not_your_role", "Partners are kept by administrators.", "Ask one of them."))
}

/// The partner as it would be, or everything that keeps it from being one.
fn checked(
    before: Option<&PartnerRow>,
    said: &PartnerSaid,
    managers: &Managers,
    (id, now): (PartnerId, Instant),
) -> std::result::Result<PartnerRow, Vec<Reason>> {
    let mut all = Vec::new();
    let name = required(("name", "The name"), said.name.as_deref(), before.map(|row| row.name.as_str()), &mut all);
    let region =
        required(("region", "The region"), said.region.as_deref(), before.map(|row| row.region.as_str()), &mut all);
    let tier = required(("tier", "The tier"), said.tier.as_deref(), before.map(|row| row.tier.as_str()), &mut all);
    let country =
        required(("country", "The country"), said.country.as_deref(), before.map(|row| row.country.as_str()), &mut all);
    let code = required(
        ("currency", "The currency"),
        said.currency.as_deref(),
        before.map(|row| row.currency.code()),
        &mut all,
    );
    if !country.is_empty() && (country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        let why = format!("“{country}” is no country code.");
        all.push(Reason::new("country", why, "Write the country as two letters, such as DE.").at("country"));
    }
    let currency = Currency::from_code(&code.to_uppercase());
    if currency.is_none() && !code.is_empty() {
        let why = format!("“{code}” is no currency code.");
        all.push(Reason::new("currency", why, "Write the currency as three letters, such as EUR.").at("currency"));
    }
    let web = optional(
        ("domain", "The web domain"),
        said.domain.as_deref(),
        before.and_then(|row| row.domain.as_ref()),
        &mut all,
    );
    let crm_id = optional(
        ("crm_id", "The CRM id"),
        said.crm_id.as_deref(),
        before.and_then(|row| row.crm_id.as_ref()),
        &mut all,
    );
    let manager_id = manager(before, said, managers, &mut all);
    let attributes = attributes(before, said, &mut all);
    let Some(currency) = currency.filter(|_| all.is_empty()) else { return Err(all) };
    Ok(PartnerRow {
        id: before.map_or(id, |row| row.id),
        name,
        region,
        country: country.to_uppercase(),
        tier: tier.to_lowercase(),
        currency,
        manager_id,
        good_standing: said.good_standing.or(before.map(|row| row.good_standing)).unwrap_or(true),
        domain: web.map(|domain| domain.to_lowercase()),
        crm_id,
        created_at: before.map_or(now, |row| row.created_at),
        attributes,
    })
}

/// What is said, or stood there before; one of the two must be.
fn required(
    (field, label): (&str, &str),
    said: Option<&str>,
    before: Option<&str>,
    reasons: &mut Vec<Reason>,
) -> String {
    let text = said.or(before).unwrap_or_default().trim();
    if said.is_some() || before.is_none() {
        check_text(field, label, text, LONGEST, reasons);
    }
    text.to_owned()
}

fn optional(
    (field, label): (&str, &str),
    said: Option<&str>,
    before: Option<&String>,
    reasons: &mut Vec<Reason>,
) -> Option<String> {
    let Some(text) = said else { return before.cloned() };
    check_optional(field, label, text, LONGEST, reasons);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn manager(
    before: Option<&PartnerRow>,
    said: &PartnerSaid,
    managers: &Managers,
    reasons: &mut Vec<Reason>,
) -> Option<UserId> {
    let Some(address) = said.manager.as_deref().map(str::trim) else { return before.and_then(|row| row.manager_id) };
    let found = managers.get(&address.to_lowercase()).copied();
    if found.is_none() && !address.is_empty() {
        let why = format!("“{address}” is nobody's address who is a channel manager here.");
        reasons.push(Reason::new("manager", why, "Invite them first, or leave it empty.").at("manager"));
    }
    found
}

fn attributes(before: Option<&PartnerRow>, said: &PartnerSaid, reasons: &mut Vec<Reason>) -> BTreeMap<String, String> {
    let mut held = before.map(|row| row.attributes.clone()).unwrap_or_default();
    let mut refuse = |why: String, remedy: &str| reasons.push(Reason::new("attributes", why, remedy).at("attributes"));
    for (name, value) in &said.attributes {
        let value = value.trim();
        match Attribute::from_code(name) {
            _ if value.chars().count() > Attribute::LONGEST.1 || value.chars().any(char::is_control) => {
                refuse(format!("What stands under “{name}” is too long, or cannot be shown."), "Shorten it.");
            }
            Some(Attribute::Named(name)) if value.is_empty() => {
                held.remove(&name);
            }
            Some(Attribute::Named(name)) => {
                held.insert(name, value.to_owned());
            }
            Some(_) => refuse(format!("“{name}” has a field of its own."), "Say it there."),
            None => {
                refuse(format!("“{name}” can be no name."), "Use letters, digits, spaces and hyphens, 40 at most.");
            }
        }
    }
    if held.len() > MOST_ATTRIBUTES {
        refuse(format!("There are {} further facts.", held.len()), "Keep at most 30 of them.");
    }
    held
}

/// Two partners have neither one name nor one CRM id: imports could not tell them apart.
fn unlike_others(row: &PartnerRow, all: &[PartnerRow]) -> Result<()> {
    let others = || all.iter().filter(|other| other.id != row.id);
    if others().any(|other| other.name.to_lowercase() == row.name.to_lowercase()) {
        return Err(Error::invalid(
            "name",
            "Another partner has this name.",
            "Write the name so that people can tell the two apart.",
        ));
    }
    match others().find(|other| row.crm_id.is_some() && other.crm_id == row.crm_id) {
        Some(other) => {
            Err(Error::invalid("crm_id", format!("{} has this CRM id.", other.name), "Correct one of the two."))
        }
        None => Ok(()),
    }
}
