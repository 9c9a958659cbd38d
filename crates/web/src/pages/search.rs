//! /search?q=: cycles, campaigns and partners by what people remember of them.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use storage::read::Found;

use crate::error::Answer;
use crate::extract::{Who, show};
use crate::routes;
use crate::shell::Shell;

/// Rows a list.
const MOST: u16 = 20;

#[derive(Template)]
#[template(path = "pages/search.html")]
struct SearchPage {
    shell: Shell,
    text: String,
    found: Found,
    /// Partner pages this person may open.
    partners_open: bool,
}

impl SearchPage {
    fn is_empty(&self) -> bool {
        self.found.cycles.is_empty() && self.found.campaigns.is_empty() && self.found.partners.is_empty()
    }
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

/// GET /search
pub async fn list(who: Who, asked: Query<Asked>) -> Answer {
    let text: String = asked.into_inner().q.trim().chars().take(100).collect();
    let found = who.reader().search(who.viewer(), &text, MOST).await?;
    // A whole number typed or pasted leads straight to its cycle.
    if let [cycle] = &found.cycles[..]
        && cycle.number.eq_ignore_ascii_case(&text)
    {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, format!("/cycles/{}", cycle.number))).finish());
    }
    let partners_open = routes::opens("/partners", who.signed());
    show(&SearchPage { shell: who.shell("Search"), text, found, partners_open })
}
