//! The gate before every handler: who may come in, and whether what they send comes from a page of ours.
//!
//! It is wrapped round each route by the route table, so that no handler runs without it.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderMap, LOCATION, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error as ActixError, HttpMessage, HttpResponse, ResponseError};
use domain::people::Role;
use engine::signin::{Scope, Signed};
use url::{Url, form_urlencoded};
use uuid::Uuid;

use crate::csrf::Purpose;
use crate::error::{Error, Problem, internal};
use crate::extract::{Machine, Visitor, Who};
use crate::pages::resend;
use crate::posted::Body;
use crate::server::Site;
use crate::session::{self, Jar};

/// Who may open a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Anyone, signed in or not.
    Public,
    SignedIn,
    /// One of these roles, one's own or that of a colleague one stands in for.
    Roles(&'static [Role]),
    /// A bearer token with this scope.
    Token(Scope),
}

impl Access {
    /// Whether a signed-in person may open it.
    pub fn allows(self, who: &Signed) -> bool {
        match self {
            Access::Public | Access::SignedIn => true,
            Access::Roles(roles) => roles.iter().any(|role| who.viewer.has(*role)),
            Access::Token(_) => false,
        }
    }
}

type Response = ServiceResponse<BoxBody>;

/// Lets a request through to its handler, or answers it here.
pub async fn pass(
    access: Access,
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<Response, ActixError> {
    let entered = match access {
        Access::Token(scope) => enter_machine(&mut req, scope).await.map_err(|error| Problem(error).error_response()),
        _ => enter(&mut req, access).await,
    };
    let visitor = match entered {
        Ok(visitor) => visitor,
        Err(answer) => return Ok(req.into_response(answer)),
    };
    let mut response = next.call(req).await?.map_into_boxed_body();
    if let Some(visitor) = visitor {
        visitor.settle_cookies(&mut response);
    }
    Ok(response)
}

/// A person's request. On `Err` the response stands in for the handler's.
async fn enter(req: &mut ServiceRequest, access: Access) -> Result<Option<Visitor>, HttpResponse> {
    let answer = |error: Error| error.error_response();
    let site = req.app_data::<Data<Site>>().cloned().ok_or_else(|| answer(internal("the site is not set up")))?;
    let changes = !matches!(*req.method(), Method::GET | Method::HEAD);
    if changes && !from_here(req.headers(), &site.base_url) {
        return Err(answer(Error::Foreign));
    }
    let signed = signed(req, &site).await.map_err(answer)?;
    let visitor = Visitor::of(req, site, signed).await.map_err(answer)?;
    match visitor.who() {
        None if access != Access::Public => return Err(turned_away(req, &visitor, changes).await),
        Some(who) if !access.allows(who.signed()) => return Err(answer(wrong_role(who, access))),
        _ => {}
    }
    if changes {
        let with_files = visitor.who().is_some();
        let body = Body::read(req, with_files).await.map_err(answer)?;
        let Some(nonce) = visitor.nonce(Purpose::Form, &body.csrf) else {
            return Err(resend::page(&visitor, req.uri(), &body));
        };
        // A form without an id of its own is known by its token, which is fresh on every page.
        let once = visitor.nonce(Purpose::Once, &body.once).unwrap_or(nonce);
        let key = format!("{once} {}", req.path());
        req.extensions_mut().insert(body.accept(key));
    }
    if let Some(who) = visitor.who() {
        req.extensions_mut().insert(who.clone());
    }
    req.extensions_mut().insert(visitor.clone());
    Ok(Some(visitor))
}

async fn signed(req: &ServiceRequest, site: &Site) -> Result<Option<Signed>, Error> {
    match Jar::Session.read(site, req.request()) {
        Some(token) => Ok(site.door.whoami(&token).await?),
        None => Ok(None),
    }
}

/// Nobody is signed in. Reading leads to the sign-in page and back; what was being sent is kept on it.
async fn turned_away(req: &mut ServiceRequest, visitor: &Visitor, changes: bool) -> HttpResponse {
    if !changes {
        let next: String = form_urlencoded::byte_serialize(req.uri().to_string().as_bytes()).collect();
        return HttpResponse::SeeOther().insert_header((LOCATION, format!("/sign-in?next={next}"))).finish();
    }
    match Body::read(req, false).await {
        Ok(body) => resend::sign_in_first(visitor, req.uri(), &body),
        Err(_) => Error::SignedOut.error_response(),
    }
}

/// The vendor's people are told who can; a partner's people learn nothing of what the vendor has.
fn wrong_role(who: &Who, access: Access) -> Error {
    match access {
        Access::Roles(roles) if who.actor().me.partner.is_none() => Error::NotYourRole(roles),
        _ => Error::NotFound,
    }
}

/// The browser's own word on where a form came from. One that says nothing at all is left to the form's token.
fn from_here(headers: &HeaderMap, base: &Url) -> bool {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if said("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = said(ORIGIN.as_str()) else { return true };
    let Ok(origin) = Url::parse(origin) else { return false };
    let authority = |url: &Url| url.host_str().map(|host| (host.to_owned(), url.port_or_known_default()));
    let host = said(HOST.as_str()).and_then(|host| Url::parse(&format!("{}://{host}", origin.scheme())).ok());
    let ours = [authority(base), host.as_ref().and_then(authority)];
    ours.contains(&authority(&origin))
}

/// A machine's request: its token, and nothing a browser sends by itself.
async fn enter_machine(req: &mut ServiceRequest, scope: Scope) -> Result<Option<Visitor>, Error> {
    let site = req.app_data::<Data<Site>>().cloned().ok_or_else(|| internal("the site is not set up"))?;
    let header = req.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer ")).ok_or(Error::SignedOut)?;
    let bearer = site.door.bearer(token.trim()).await?.ok_or(Error::SignedOut)?;
    if !bearer.scopes.contains(&scope) {
        return Err(Error::refused(
            "scope",
            format!("This token is not made for “{}”.", scope.code()),
            "Make one that is, on your profile page.",
        ));
    }
    req.extensions_mut().insert(Machine::new(site, bearer));
    Ok(None)
}

/// The holder of a signed-out browser's forms: its own cookie's number, made when it has none.
pub fn visitor_number(req: &ServiceRequest, site: &Site) -> (Uuid, bool) {
    match Jar::Visitor.read(site, req.request()).and_then(|text| text.parse().ok()) {
        Some(known) => (known, false),
        None => (Uuid::new_v4(), true),
    }
}

/// Puts in and takes out what the response owes the browser.
pub fn settle(response: &mut Response, site: &Site, new_visitor: Option<Uuid>, flash_shown: bool) {
    let mut owed = Vec::new();
    if let Some(number) = new_visitor {
        owed.push(Jar::Visitor.cookie(site, number.to_string()));
    }
    let sets_flash = response.response().cookies().any(|cookie| cookie.name().ends_with("fundloop_flash"));
    if flash_shown && !sets_flash && !response.status().is_redirection() {
        owed.push(Jar::Flash.removal(site));
    }
    for cookie in owed {
        // A cookie of ours is well-formed; if it were not, the page is worth more than the cookie.
        if let Err(error) = response.response_mut().add_cookie(&cookie) {
            tracing::warn!("a cookie was not set: {error}");
        }
    }
}

/// The peer's address, or what the nearest believed proxy said of it.
pub fn address(req: &ServiceRequest, proxies: usize) -> String {
    let peer = req.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
    let said = req.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    match (proxies, said) {
        (1.., Some(said)) => said.rsplit(',').nth(proxies - 1).map_or(peer, |ip| ip.trim().to_owned()),
        _ => peer,
    }
}

pub use session::read_flash;

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn here(headers: &[(&'static str, &'static str)]) -> bool {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        from_here(&headers, &Url::parse("https://mdf.acme.example").unwrap())
    }

    #[test]
    fn a_form_from_elsewhere_is_known_by_what_the_browser_says() {
        assert!(here(&[]));
        assert!(here(&[("sec-fetch-site", "same-origin"), ("origin", "https://mdf.acme.example")]));
        assert!(here(&[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")]));
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://mdf.acme.example")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://mdf.acme.example.evil.example")],
            &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:9090")],
        ] {
            assert!(!here(foreign), "{foreign:?}");
        }
    }
}
