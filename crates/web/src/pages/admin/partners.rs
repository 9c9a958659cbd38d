//! /admin/partners/...: a partner's own facts, as an administrator keeps them.

pub mod table;

use actix_web::web::Path;
use askama::Template;
use domain::ids::PartnerId;
use domain::people::Role;
use engine::partners::PartnerSaid;
use storage::rows::PartnerRow;

use super::{MenuItem, menu};
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, once, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Choice, Field, Form};

#[derive(Template)]
#[template(path = "pages/admin/partner.html")]
struct PartnerPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    title: String,
    action: String,
    button: &'static str,
    form: Form,
}

async fn page(who: &Who, id: Option<PartnerId>, typed: Typed) -> Result<PartnerPage, Error> {
    let partner = match id {
        Some(id) => Some(who.reader().partner(who.viewer(), id).await?),
        None => None,
    };
    let title = partner.as_ref().map_or("Add a partner".to_owned(), |partner| partner.name.clone());
    let form = typed.onto(form(who, partner.as_ref()).await?);
    Ok(PartnerPage {
        shell: who.shell(&title),
        menu: menu(who, "/partners"),
        action: id.map_or("/admin/partners/new".to_owned(), |id| format!("/admin/partners/{id}")),
        button: if id.is_some() { "Save the partner" } else { "Add the partner" },
        title,
        form,
    })
}

async fn form(who: &Who, partner: Option<&PartnerRow>) -> Result<Form, Error> {
    let users = who.site().door.users(who.signed()).await?;
    let managers = users.iter().filter(|user| user.roles.contains(&Role::ChannelManager));
    let mut choices = vec![Choice::new("", "Whoever covers the region")];
    choices.extend(managers.clone().map(|user| Choice::new(&user.email, &user.name)));
    let text = |pick: fn(&PartnerRow) -> &str| partner.map_or(String::new(), |partner| pick(partner).to_owned());
    let manager = partner.and_then(|partner| managers.clone().find(|user| Some(user.id) == partner.manager_id));
    let manager = manager.map_or(String::new(), |user| user.email.clone());
    let held = partner.map(|partner| &partner.attributes).into_iter().flatten();
    let lines = held.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
    let standing = partner.is_none_or(|partner| partner.good_standing);
    Ok(who
        .form()
        .with(Field::text("name", "Name").value_is(text(|partner| &partner.name)))
        .with(
            Field::text("region", "Region")
                .hint("As it stands in people's territories: EMEA.")
                .value_is(text(|partner| &partner.region)),
        )
        .with(Field::text("country", "Country").hint("Two letters: DE.").value_is(text(|partner| &partner.country)))
        .with(
            Field::text("tier", "Tier")
                .hint("As the program guide names it: gold.")
                .value_is(text(|partner| &partner.tier)),
        )
        .with(
            Field::text("currency", "Currency")
                .hint("Three letters: EUR.")
                .value_is(text(|partner| partner.currency.code())),
        )
        .with(Field::select("manager", "Channel manager", choices).optional().value_is(manager))
        .with(Field::tick("good_standing", "In good standing: may ask for funds").value_is(if standing {
            "yes"
        } else {
            ""
        }))
        .with(
            Field::text("domain", "Web domain")
                .hint("Imported rows are matched by it: nordwind.example.")
                .optional()
                .value_is(text(|partner| partner.domain.as_deref().unwrap_or(""))),
        )
        .with(
            Field::text("crm_id", "CRM id")
                .optional()
                .value_is(text(|partner| partner.crm_id.as_deref().unwrap_or(""))),
        )
        .with(
            Field::area("attributes", "What else you tell partners apart by", 3)
                .hint("A line each, as in segment: enterprise. Credit can be allocated by it; partners do not see it.")
                .optional()
                .value_is(lines),
        ))
}

fn read(form: &mut Fields) -> Option<PartnerSaid> {
    let (name, region, country) = (form.text("name"), form.text("region"), form.text("country"));
    let (tier, currency) = (form.text("tier"), form.text("currency"));
    let (manager, good_standing) = (form.optional_text("manager"), form.tick("good_standing"));
    let (domain, crm_id) = (form.optional_text("domain"), form.optional_text("crm_id"));
    let attributes = form.named("attributes");
    let filled = |text: Option<Option<String>>| text.map(Option::unwrap_or_default);
    Some(PartnerSaid {
        name: Some(name?),
        region: Some(region?),
        country: Some(country?),
        tier: Some(tier?),
        currency: Some(currency?),
        manager: Some(filled(manager)?),
        good_standing: Some(good_standing),
        domain: Some(filled(domain)?),
        crm_id: Some(filled(crm_id)?),
        attributes: attributes?,
    })
}

/// GET /admin/partners/new
pub async fn new(who: Who) -> Answer {
    show(&page(&who, None, Typed::default()).await?)
}

/// POST /admin/partners/new
pub async fn add(who: Who, posted: Posted) -> Answer {
    let done = async {
        let said = posted.read(who.marks(), read)?;
        let words = format!("{} is added.", said.name.as_deref().unwrap_or_default());
        let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
        finish(async move { engine.add_partner(&actor, &said, &once).await }).await?;
        Ok(words)
    };
    who.settle(done.await, "/partners", &posted, async |typed| page(&who, None, typed).await).await
}

/// GET /admin/partners/{id}
pub async fn show_page(who: Who, id: Path<PartnerId>) -> Answer {
    show(&page(&who, Some(*id), Typed::default()).await?)
}

/// POST /admin/partners/{id}
pub async fn change(who: Who, id: Path<PartnerId>, posted: Posted) -> Answer {
    let done = async {
        let mut said = posted.read(who.marks(), read)?;
        // The form shows them all, so what is not in it any more was taken out.
        for name in who.reader().partner(who.viewer(), *id).await?.attributes.into_keys() {
            said.attributes.entry(name).or_default();
        }
        let (engine, actor, once, id) = (who.site().engine.clone(), who.actor().clone(), once(&posted), *id);
        finish(async move { engine.change_partner(&actor, id, &said, &once).await }).await?;
        Ok("Saved.")
    };
    who.settle(done.await, "/partners", &posted, async |typed| page(&who, Some(*id), typed).await).await
}
