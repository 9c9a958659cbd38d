//! /admin: users, partners and program guides.

pub mod audit;
pub mod outbox;
pub mod partners;
pub mod programs;
pub mod users;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;

use crate::error::Answer;
use crate::extract::Who;
use crate::routes;

/// One entry of the menu beside the administrator's pages.
pub struct MenuItem {
    pub label: &'static str,
    pub href: &'static str,
    pub current: bool,
}

/// What this person may open of the administrator's pages.
pub fn menu(who: &Who, current: &str) -> Vec<MenuItem> {
    const PAGES: [(&str, &str); 7] = [
        ("Users", "/admin/users"),
        ("Partners", "/partners"),
        ("Programs", "/programs"),
        ("Imports", "/imports"),
        ("Outbox", "/admin/outbox"),
        ("Audit", "/admin/audit"),
        ("Attribution", "/admin/attribution"),
    ];
    let open = PAGES.iter().filter(|(_, href)| routes::opens(href, who.signed()));
    open.map(|(label, href)| MenuItem { label, href, current: *href == current }).collect()
}

/// GET /admin
pub async fn home(_who: Who) -> Answer {
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/admin/users")).finish())
}
