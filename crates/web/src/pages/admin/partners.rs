//! /admin/partners/...: a partner's own facts, as an administrator keeps them.

use actix_web::web::Path;
use askama::Template;
use domain::fund::Attribute;
use domain::ids::PartnerId;
use domain::money::Currency;
use domain::people::Role;
use engine::signin::PartnerFacts;
use storage::rows::PartnerRow;

use super::{MenuItem, menu};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Choice, Field, Form};

/// Of more, nobody keeps an overview.
const MOST_ATTRIBUTES: usize = 30;

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
    choices.extend(managers.map(|user| Choice::new(user.id.to_string(), &user.name)));
    let text = |pick: fn(&PartnerRow) -> &str| partner.map_or(String::new(), |partner| pick(partner).to_owned());
    let manager = partner.and_then(|partner| partner.manager_id).map(|id| id.to_string()).unwrap_or_default();
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

fn read(form: &mut Fields) -> Option<PartnerFacts> {
    let (name, region, country) = (form.text("name"), form.text("region"), form.text("country"));
    let country = country.map(|country| country.to_uppercase());
    if country.as_ref().is_some_and(|code| code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase())) {
        form.problem("country", "Write the country as two letters, such as DE.");
    }
    let (tier, manager) = (form.text("tier"), form.optional_choice("manager", |id| id.parse().ok()));
    let code = form.text("currency");
    let currency = code.as_deref().and_then(Currency::from_code);
    if code.is_some() && currency.is_none() {
        form.problem("currency", "Write the currency as three letters, such as EUR.");
    }
    let (good_standing, domain, crm_id) =
        (form.tick("good_standing"), form.optional_text("domain"), form.optional_text("crm_id"));
    let attributes = form.named("attributes");
    let common = |name: &String| !matches!(Attribute::from_code(name), Some(Attribute::Named(_)));
    if let Some(taken) = attributes.iter().flatten().map(|(name, _)| name).find(|name| common(name)) {
        form.problem("attributes", format!("“{taken}” has a field of its own above."));
    }
    if attributes.as_ref().is_some_and(|held| held.len() > MOST_ATTRIBUTES) {
        form.problem("attributes", format!("Keep at most {MOST_ATTRIBUTES} of them."));
    }
    Some(PartnerFacts {
        name: name?,
        region: region?,
        country: country?,
        tier: tier?.to_lowercase(),
        currency: currency?,
        manager: manager?,
        good_standing,
        domain: domain?.map(|domain| domain.to_lowercase()),
        crm_id: crm_id?,
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
        let facts = posted.read(who.marks(), read)?;
        let words = format!("{} is added.", facts.name);
        who.site().door.add_partner(who.signed(), facts).await?;
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
        let facts = posted.read(who.marks(), read)?;
        who.site().door.change_partner(who.signed(), *id, facts).await?;
        Ok("Saved.")
    };
    who.settle(done.await, "/partners", &posted, async |typed| page(&who, Some(*id), typed).await).await
}
