//! GET /go/{code}: a campaign's tracked link. The one address whose GET writes: it counts the visit, and nothing else.

use actix_web::http::Method;
use actix_web::http::header::LOCATION;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use url::Url;

use crate::error::{Answer, Error};
use crate::extract::{Visitor, finish};
use crate::session::Jar;

/// The same link followed again within this many seconds is the same visit: a double click, a reload.
const SAME_VISIT: i64 = 30;
/// What programs that open links for people call themselves.
const ROBOTS: [&str; 9] =
    ["bot", "crawl", "spider", "preview", "scan", "monitor", "facebookexternalhit", "curl", "wget"];

/// GET /go/{code}
pub async fn follow(visitor: Visitor, req: HttpRequest, code: Path<String>) -> Answer {
    let code = code.into_inner();
    let now = visitor.site().engine.clock.now().timestamp();
    let counts = *req.method() == Method::GET && !is_robot(&visitor, &req) && !was_here(&visitor, &req, &code, now);
    let (engine, asked) = (visitor.site().engine.clone(), code.clone());
    let followed = finish(async move { engine.follow(&asked, counts).await }).await?;
    if !is_a_page(&followed.url) {
        return Err(Error::NotFound);
    }
    let mark = format!("{}.{}.{now}", followed.campaign, code.to_ascii_uppercase());
    let cookie = Jar::Campaign.cookie(visitor.site(), mark);
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, followed.url)).cookie(cookie).finish())
}

/// Mail scanners and previews open links nobody has clicked.
fn is_robot(visitor: &Visitor, req: &HttpRequest) -> bool {
    let agent = visitor.visit().agent.to_lowercase();
    let early = ["purpose", "sec-purpose", "x-moz"].iter().any(|name| {
        req.headers().get(*name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("prefetch"))
    });
    early || ROBOTS.iter().any(|name| agent.contains(name))
}

fn was_here(visitor: &Visitor, req: &HttpRequest, code: &str, now: i64) -> bool {
    let Some(mark) = Jar::Campaign.read(visitor.site(), req) else { return false };
    let mut parts = mark.rsplit('.');
    let at = parts.next().and_then(|at| at.parse::<i64>().ok());
    let same = parts.next().is_some_and(|held| held.eq_ignore_ascii_case(code));
    same && at.is_some_and(|at| (0..SAME_VISIT).contains(&(now - at)))
}

/// A page of the web, or a form of this server: never a scheme that runs something.
fn is_a_page(url: &str) -> bool {
    url.starts_with("/r/") || Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use super::is_a_page;

    #[test]
    fn a_link_leads_to_a_page_and_nowhere_else() {
        assert!(is_a_page("https://nordwind.example/zero-trust?utm_id=FL-0042-1K"));
        assert!(is_a_page("/r/FL-0042-1K?utm_id=FL-0042-1K"));
        for other in ["javascript:alert(1)", "//evil.example", "/sign-out", "data:text/html,x", ""] {
            assert!(!is_a_page(other), "{other}");
        }
    }
}
