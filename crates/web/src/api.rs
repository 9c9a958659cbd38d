//! /api/v1: the same door for programs. A token acts as its owner; every change goes through the engine's commands.
//!
//! A POST that changes something carries `Idempotency-Key`: repeated with the same content it is answered with the first
//! answer, with other content it is a conflict. One that only asks (a guide checked, a table read) changes nothing. A command carries `If-Match` with the version it was decided on, or `*`: another version is
//! 412, none at all 428. Errors are problem details (RFC 9457) with the refusal's own code. [`described`] is what is told
//! about all this, held to the route table by a test.

pub mod claims;
pub mod cycles;
pub mod described;
pub mod earning;
pub mod files;
pub mod imports;
pub mod money;
pub mod partners;
pub mod people;
pub mod performance;
pub mod programs;
pub mod settlements;
pub mod views;

use actix_web::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use engine::{Advanced, Submission};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use storage::read::Paging;

use crate::error::{Error, Problem};
use crate::extract::Machine;

type Answer = Result<HttpResponse, Problem>;

/// A list, a page at a time: `?after=` takes the `next` of the page before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    after: Option<String>,
    size: Option<u16>,
}

impl Asked {
    fn paging(&self) -> Paging {
        Paging { after: self.after.clone(), size: self.size.unwrap_or(50).clamp(1, 200) }
    }
}

fn answered(response: &mut HttpResponseBuilder, done: &Advanced) -> HttpResponse {
    response.insert_header((ETAG, format!("\"{}\"", done.version))).json(done)
}

/// The caller's own name for this call.
fn submission(machine: &Machine, req: &HttpRequest) -> Result<Submission, Error> {
    let key = header(req, "idempotency-key").filter(|key| (1..=100).contains(&key.len()));
    let Some(key) = key else {
        return Err(Error::BadRequest("Send an Idempotency-Key header of 1 to 100 characters.".to_owned()));
    };
    Ok(Submission::new(format!("api {} {key}", machine.token())))
}

/// The same for a call that changes what is there: it names the version it was decided on, or says that any will do.
fn submission_on_a_version(machine: &Machine, req: &HttpRequest) -> Result<Submission, Error> {
    let once = submission(machine, req)?;
    match header(req, IF_MATCH.as_str()) {
        None => Err(Error::NoPrecondition),
        Some("*") => Ok(once),
        // A tag that is none of ours cannot be the one that is there.
        Some(tag) => Ok(once.seen(version_of(tag).unwrap_or(-1))),
    }
}

/// `"17"`, as the `ETag` says it. A weak tag is no version: RFC 9110 lets it match nothing here.
fn version_of(tag: &str) -> Option<i64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn header<'a>(req: &'a HttpRequest, name: &str) -> Option<&'a str> {
    req.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// The body, strictly: unknown fields and trailing text are refused, and the answer says where.
fn json<T: DeserializeOwned>(req: &HttpRequest, body: &Bytes) -> Result<T, Error> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        return Err(Error::BadRequest("Send application/json.".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| Error::BadRequest(format!("The body does not read: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn a_version_is_read_from_its_tag_and_from_nothing_else() {
        assert_eq!(version_of("\"17\""), Some(17));
        for other in ["17", "W/\"17\"", "\"\"", "\"+17\"", "\"17\", \"18\"", "\"99999999999999999999\""] {
            assert_eq!(version_of(other), None, "{other}");
        }
    }
}
