//! Cookies: the session, the visitor without one, the known browser, the one-sentence answer.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::csrf::Purpose;
use crate::server::Site;
use crate::shell::{Flash, FlashKind};

/// A browser stays known for a year.
const DEVICE_DAYS: i64 = 365;
/// A visitor carries a campaign as long as responses are commonly waited for.
const CAMPAIGN_DAYS: i64 = 90;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jar {
    Session,
    /// Ties the forms of signed-out pages to one browser.
    Visitor,
    Device,
    Flash,
    /// The campaign whose link brought this browser here, the link, and when.
    Campaign,
}

impl Jar {
    /// Behind HTTPS the `__Host-` prefix keeps a neighbouring host from planting one.
    fn name(self, site: &Site) -> String {
        let prefix = if site.is_https() { "__Host-" } else { "" };
        let name = match self {
            Jar::Session => "session",
            Jar::Visitor => "visitor",
            Jar::Device => "device",
            Jar::Flash => "flash",
            Jar::Campaign => "campaign",
        };
        format!("{prefix}fundloop_{name}")
    }

    pub fn read(self, site: &Site, req: &HttpRequest) -> Option<String> {
        req.cookie(&self.name(site)).map(|cookie| cookie.value().to_owned())
    }

    pub fn cookie(self, site: &Site, value: String) -> Cookie<'static> {
        let mut cookie = Cookie::build(self.name(site), value)
            .path("/")
            .http_only(true)
            .secure(site.is_https())
            .same_site(SameSite::Lax)
            .finish();
        match self {
            Jar::Device => cookie.set_max_age(time::Duration::days(DEVICE_DAYS)),
            Jar::Campaign => cookie.set_max_age(time::Duration::days(CAMPAIGN_DAYS)),
            Jar::Session | Jar::Visitor | Jar::Flash => {}
        }
        cookie
    }

    pub fn removal(self, site: &Site) -> Cookie<'static> {
        let mut cookie = self.cookie(site, String::new());
        cookie.set_max_age(time::Duration::ZERO);
        cookie
    }
}

/// A browser its owner signed in from before: whose, and its own number.
#[derive(Serialize, Deserialize)]
struct Device {
    email: String,
    id: String,
}

/// The number of this browser, if it is known to this account.
pub fn device(site: &Site, req: &HttpRequest, email: &str) -> Option<String> {
    let text = site.seal.unseal(Purpose::Device, &Jar::Device.read(site, req)?)?;
    let device: Device = serde_json::from_str(&text).ok()?;
    (device.email == email.trim().to_lowercase()).then_some(device.id)
}

/// Remembers this browser for the person who just signed in.
pub fn remember_device(site: &Site, email: &str) -> Cookie<'static> {
    let device = Device { email: email.to_owned(), id: Uuid::new_v4().simple().to_string() };
    let text = serde_json::to_string(&device).unwrap_or_default();
    Jar::Device.cookie(site, site.seal.seal(Purpose::Device, &text))
}

#[derive(Serialize, Deserialize)]
struct Note {
    problem: bool,
    text: String,
}

/// One sentence that the next page shows.
pub fn flash(site: &Site, kind: FlashKind, text: &str) -> Cookie<'static> {
    // A cookie holds 4 KB; a sentence that does not fit is no sentence.
    let note = Note { problem: kind == FlashKind::Problem, text: text.chars().take(500).collect() };
    let text = serde_json::to_string(&note).unwrap_or_default();
    Jar::Flash.cookie(site, site.seal.seal(Purpose::Flash, &text))
}

pub fn read_flash(site: &Site, req: &HttpRequest) -> Option<Flash> {
    let text = site.seal.unseal(Purpose::Flash, &Jar::Flash.read(site, req)?)?;
    let note: Note = serde_json::from_str(&text).ok()?;
    let kind = if note.problem { FlashKind::Problem } else { FlashKind::Done };
    Some(Flash { kind, text: note.text })
}
