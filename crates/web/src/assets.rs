//! Style sheets, scripts and icons, carried inside the program.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::{Answer, Error};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../static"]
struct Static;

/// The address of a file with its content's hash, so that a browser may keep it for ever: `/static/app.css?v=1f2e3d4c5b6a7988`.
pub fn href(name: &str) -> String {
    match Static::get(name) {
        Some(file) => format!("/static/{name}?v={}", version(&file)),
        None => format!("/static/{name}"),
    }
}

/// GET /static/{name}
pub async fn serve(req: HttpRequest, name: web::Path<String>) -> Answer {
    let file = Static::get(&name).ok_or(Error::NotFound)?;
    let version = version(&file);
    let tag = format!("\"{version}\"");
    let named = req.query_string().strip_prefix("v=").is_some_and(|asked| asked == version);
    let caching = if named { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    let known = req.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return Ok(HttpResponse::NotModified()
            .insert_header((ETAG, tag))
            .insert_header((CACHE_CONTROL, caching))
            .finish());
    }
    Ok(HttpResponse::Ok()
        .content_type(content_type(&name))
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, caching))
        .body(file.data.into_owned()))
}

fn version(file: &EmbeddedFile) -> String {
    hex::encode(&file.metadata.sha256_hash()[..8])
}

/// Only what we ship; anything else is offered as bytes.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}
