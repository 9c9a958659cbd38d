//! GET and POST /sign-in, POST /sign-out.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use domain::money::Marks;
use engine::signin::{Opened, Try};
use serde::Deserialize;
use url::form_urlencoded;

use crate::csrf::Purpose;
use crate::error::{Answer, Error};
use crate::extract::{Visitor, Who, again, show};
use crate::fields::Typed;
use crate::pages::resend::ResendPage;
use crate::posted::Posted;
use crate::session::{self, Jar};
use crate::view::{Field, Form};

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
pub struct SignInPage {
    form: Form,
    /// Something was being sent when the session ended; it is sent after signing in.
    carries: bool,
}

impl SignInPage {
    fn new(visitor: &Visitor, next: &str, carry: &str, typed: &Typed) -> Self {
        let form = visitor
            .form()
            .with(Field::hidden("next", next))
            .with(Field::hidden("carry", carry))
            .with(Field::email("email", "E-mail address").autocomplete("username"))
            .with(Field::password("password", "Password"));
        Self { form: forget_passwords(typed.onto(form)), carries: !carry.is_empty() }
    }

    pub fn carrying(visitor: &Visitor, next: &str, carry: &str) -> Self {
        Self::new(visitor, next, carry, &Typed::default())
    }
}

/// A password is never written back into a page.
pub fn forget_passwords(mut form: Form) -> Form {
    for field in form.fields.iter_mut().filter(|field| field.name.contains("password")) {
        field.values.clear();
    }
    form
}

#[derive(Deserialize)]
pub struct Asked {
    next: Option<String>,
}

/// GET /sign-in
pub async fn show_form(visitor: Visitor, asked: web::Query<Asked>) -> Answer {
    let next = local(asked.next.as_deref().unwrap_or("/"));
    if visitor.who().is_some() {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, next)).finish());
    }
    if visitor.site().door.is_new().await? {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/setup")).finish());
    }
    show(&SignInPage::new(&visitor, next, "", &Typed::default()))
}

/// POST /sign-in
pub async fn submit(visitor: Visitor, req: HttpRequest, posted: Posted) -> Answer {
    let next = local(posted.typed().value("next").unwrap_or("/")).to_owned();
    let carry = posted.typed().value("carry").unwrap_or("").to_owned();
    match sign_in(&visitor, &req, &posted).await {
        Ok(opened) => enter(&visitor, &req, opened, &next, &carry).await,
        Err(error) => again(error, &posted, async |typed| Ok(SignInPage::new(&visitor, &next, &carry, &typed))).await,
    }
}

async fn sign_in(visitor: &Visitor, req: &HttpRequest, posted: &Posted) -> Result<Opened, Error> {
    let (email, password) = posted.read(Marks::Point, |form| {
        form.optional_text("next");
        form.ignore("carry");
        let (email, password) = (form.text("email"), form.secret("password"));
        Some((email?, password?))
    })?;
    let site = visitor.site();
    let device = session::device(site, req, &email);
    let tried = Try { email: &email, password: &password, device: device.as_deref(), visit: visitor.visit() };
    Ok(site.door.sign_in(tried).await?)
}

/// A new session under a new token, whatever cookie came with the request: a planted one gains nothing.
pub async fn enter(visitor: &Visitor, req: &HttpRequest, opened: Opened, next: &str, carry: &str) -> Answer {
    let site = visitor.site();
    if let Some(old) = visitor.who() {
        site.door.sign_out(old.signed()).await?;
    }
    let mut response = match site.seal.unseal(Purpose::Carry, carry) {
        None => HttpResponse::SeeOther().insert_header((LOCATION, next)).finish(),
        Some(packed) => {
            let signed = site.door.whoami(&opened.token).await?.ok_or(Error::SignedOut)?;
            let pairs = form_urlencoded::parse(packed.as_bytes()).into_owned().collect();
            show(&ResendPage::after_sign_in(site.form_for(&signed), next, pairs))?
        }
    };
    let mut cookies = vec![Jar::Session.cookie(site, opened.token)];
    if session::device(site, req, &opened.user.email).is_none() {
        cookies.push(session::remember_device(site, &opened.user.email));
    }
    for cookie in cookies {
        response.add_cookie(&cookie).map_err(crate::error::internal)?;
    }
    Ok(response)
}

/// POST /sign-out
pub async fn sign_out(who: Who, _posted: Posted) -> Answer {
    who.site().door.sign_out(who.signed()).await?;
    let gone = Jar::Session.removal(who.site());
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/sign-in")).cookie(gone).finish())
}

/// An address of ours to go on to, or the start page: never another host, however it is written.
pub fn local(next: &str) -> &str {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let own = next.starts_with('/') && !next.starts_with("//");
    let loops = next.starts_with("/sign-") || next.starts_with("/setup");
    if own && plain && !loops { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn after_signing_in_one_stays_here() {
        for away in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/a\nb",
            "",
            "/sign-out",
        ] {
            assert_eq!(local(away), "/", "{away:?}");
        }
        assert_eq!(local("/cycles/C-2026-0042/plan?tab=2"), "/cycles/C-2026-0042/plan?tab=2");
    }
}
