//! GET and POST /setup: the first run. Open while nobody has an account; from another machine, with the code the
//! program wrote to its log, so that the first visitor from the network is not the owner by being early.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use domain::money::Marks;
use engine::signin::Opened;
use serde::Deserialize;

use crate::error::{Answer, Error};
use crate::extract::{Visitor, again, show};
use crate::fields::Typed;
use crate::pages::sign_in::{enter, forget_passwords};
use crate::posted::Posted;
use crate::view::{Field, Form};

#[derive(Template)]
#[template(path = "pages/set_up.html")]
struct SetUpPage {
    form: Form,
}

#[derive(Deserialize)]
pub struct Asked {
    code: Option<String>,
}

fn page(visitor: &Visitor, code: &str, typed: &Typed) -> SetUpPage {
    let form = visitor
        .form()
        .with(
            Field::text("vendor", "Your company")
                .hint("Partners see this name on every page and mail.")
                .autocomplete("organization"),
        )
        .with(Field::text("name", "Your name").autocomplete("name"))
        .with(Field::email("email", "Your e-mail address").autocomplete("username"))
        .with(
            Field::password("password", "Password")
                .hint("At least 12 characters. A few words that only you put together are easy to keep.")
                .autocomplete("new-password"),
        );
    let code =
        Field::text("code", "Set-up code").hint("The program wrote it to its log when it started.").value_is(code);
    let form = if needs_code(visitor) { form.with(code) } else { form };
    SetUpPage { form: forget_passwords(typed.onto(form)) }
}

/// GET /setup
pub async fn show_form(visitor: Visitor, asked: web::Query<Asked>) -> Answer {
    if !visitor.site().door.is_new().await? {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/sign-in")).finish());
    }
    show(&page(&visitor, asked.code.as_deref().unwrap_or(""), &Typed::default()))
}

/// POST /setup
pub async fn submit(visitor: Visitor, req: HttpRequest, posted: Posted) -> Answer {
    match set_up(&visitor, &posted).await {
        Ok(opened) => enter(&visitor, &req, opened, "/admin", "").await,
        Err(error) => again(error, &posted, async |typed| Ok(page(&visitor, "", &typed))).await,
    }
}

async fn set_up(visitor: &Visitor, posted: &Posted) -> Result<Opened, Error> {
    let door = &visitor.site().door;
    if !door.is_new().await? {
        return Err(Error::NotFound);
    }
    let (vendor, name, email, password) = posted.read(Marks::Point, |form| {
        if needs_code(visitor)
            && form.text("code").is_some_and(|code| code.to_uppercase() != visitor.site().set_up_code())
        {
            form.problem("code", "That is not the code in the program's log.");
        }
        let (vendor, name, email) = (form.text("vendor"), form.text("name"), form.email("email"));
        let password = form.secret("password");
        Some((vendor?, name?, email?, password?))
    })?;
    Ok(door.set_up(&vendor, &name, &email, &password, visitor.visit()).await?)
}

/// Whoever sits at the machine itself needs no code.
fn needs_code(visitor: &Visitor) -> bool {
    let own = visitor.visit().ip.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    !own || visitor.site().proxies > 0
}
