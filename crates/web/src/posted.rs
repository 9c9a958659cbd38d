//! What was sent: a form's fields and files, read once, before any handler runs.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use domain::money::Marks;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::error::{Error, internal};
use crate::fields::{Fields, Typed};

/// The largest form without files, in bytes.
const FORM: usize = 1024 * 1024;
/// The largest single file, in bytes.
pub const FILE: usize = 25 * 1024 * 1024;
/// The largest request with files, in bytes.
const REQUEST: usize = 60 * 1024 * 1024;
const FIELDS: usize = 2_000;

/// A file as it was sent. Its name is the sender's claim, for show only; its type is found by its content.
#[derive(Clone, Debug)]
pub struct Upload {
    pub field: String,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A form from one of our pages: the gate checked its token before the handler saw it.
#[derive(Clone, Debug)]
pub struct Posted(Rc<Sent>);

#[derive(Debug, Default)]
struct Sent {
    key: String,
    version: Option<i64>,
    typed: Typed,
    files: Vec<Upload>,
}

impl Posted {
    /// The submission's id: the same post again is answered with the first answer. It holds the path, so that two
    /// forms of one page are two submissions.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// The version of the record that was on the page.
    pub fn version(&self) -> Option<i64> {
        self.0.version
    }

    /// What was typed, to show the page again with it.
    pub fn typed(&self) -> &Typed {
        &self.0.typed
    }

    /// Files sent for a field; a file box left empty is no file.
    pub fn files(&self, field: &str) -> impl Iterator<Item = &Upload> {
        self.0.files.iter().filter(move |file| file.field == field)
    }

    /// SHA-256 of everything the form holds, its files included: tells the same form sent twice from another one.
    pub fn digest(&self) -> String {
        let version = self.0.version.unwrap_or_default().to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&version];
        for (name, value) in self.0.typed.pairs() {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
        for file in &self.0.files {
            parts.extend([file.field.as_bytes(), file.name.as_bytes(), &file.bytes]);
        }
        fingerprint(&parts)
    }

    /// Reads the fields strictly: see [`Fields`].
    pub fn read<T>(&self, marks: Marks, reading: impl FnOnce(&mut Fields) -> Option<T>) -> Result<T, Error> {
        Fields::read(&self.0.typed, marks, reading)
    }
}

impl FromRequest for Posted {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let posted = req.extensions().get::<Posted>().cloned();
        ready(posted.ok_or_else(|| internal("a handler asked for a form on a route that takes none")))
    }
}

/// A form as it arrived, not yet known to be ours.
#[derive(Debug, Default)]
pub struct Body {
    pub csrf: String,
    pub once: String,
    version: Option<i64>,
    pub pairs: Vec<(String, String)>,
    files: Vec<Upload>,
}

impl Body {
    /// Reads the request's body, with files or without.
    pub async fn read(req: &mut ServiceRequest, with_files: bool) -> Result<Self, Error> {
        let kind = req.content_type().to_ascii_lowercase();
        let payload = req.take_payload();
        match kind.as_str() {
            "application/x-www-form-urlencoded" => Self::from_pairs(&collect(payload, FORM).await?),
            "multipart/form-data" if with_files => Self::from_parts(Multipart::new(req.headers(), payload)).await,
            "" if req.headers().get("content-length").is_none_or(|length| length == "0") => Ok(Self::default()),
            _ => Err(Error::BadRequest("Send a form from one of our pages.".to_owned())),
        }
    }

    fn from_pairs(bytes: &[u8]) -> Result<Self, Error> {
        let mut body = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            body.put(name.into_owned(), value.into_owned())?;
        }
        Ok(body)
    }

    async fn from_parts(mut parts: Multipart) -> Result<Self, Error> {
        let mut body = Self::default();
        let mut left = REQUEST;
        while let Some(part) = parts.next().await {
            let mut part = part.map_err(|cause| unreadable(&cause))?;
            let name = part.name().unwrap_or_default().to_owned();
            let file = part.content_disposition().and_then(|said| said.get_filename()).map(file_name);
            let bytes = part_bytes(&mut part, if file.is_some() { FILE } else { FORM }.min(left)).await?;
            left -= bytes.len();
            match file {
                Some(file) if !file.is_empty() || !bytes.is_empty() => {
                    body.files.push(Upload { field: name, name: file, bytes });
                }
                Some(_) => {}
                None => {
                    let text = String::from_utf8(bytes)
                        .map_err(|_| Error::BadRequest("The form is not in UTF-8.".to_owned()))?;
                    body.put(name, text)?;
                }
            }
        }
        Ok(body)
    }

    fn put(&mut self, name: String, value: String) -> Result<(), Error> {
        match name.as_str() {
            "csrf" => self.csrf = value,
            "once" => self.once = value,
            "version" => {
                let version =
                    value.parse().map_err(|_| Error::BadRequest("The page's version is not a number.".to_owned()))?;
                self.version = Some(version);
            }
            _ if self.pairs.len() >= FIELDS => return Err(Error::TooLarge("The form has too many fields.".to_owned())),
            _ => self.pairs.push((name, value)),
        }
        Ok(())
    }

    /// What can be sent again: the fields, and the version that was on the page.
    pub fn carried(&self) -> Vec<(String, String)> {
        let version = self.version.map(|version| ("version".to_owned(), version.to_string()));
        self.pairs.iter().cloned().chain(version).collect()
    }

    /// The same as one text.
    pub fn packed(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.carried()).finish()
    }

    /// Files cannot be carried along: they would have to be chosen anew.
    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// The form, once its token was found to be the session's own; `key` is what makes a double post harmless.
    pub fn accept(self, key: String) -> Posted {
        Posted(Rc::new(Sent { key, version: self.version, typed: Typed::new(self.pairs), files: self.files }))
    }
}

/// SHA-256 of several pieces, each with its length, so that none runs into the next.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// The whole body of a call that sends a file as it is.
pub async fn whole(payload: web::Payload) -> Result<Vec<u8>, Error> {
    collect(payload.into_inner(), FILE).await
}

/// The one file of a call, sent as multipart/form-data in the field `file`.
pub async fn one_file(req: &HttpRequest, payload: web::Payload) -> Result<Upload, Error> {
    if !req.content_type().eq_ignore_ascii_case("multipart/form-data") {
        return Err(Error::BadRequest("Send the file as multipart/form-data, in the field file.".to_owned()));
    }
    let body = Body::from_parts(Multipart::new(req.headers(), payload.into_inner())).await?;
    let mut files = body.files.into_iter();
    match (files.next(), files.next()) {
        (Some(file), None) if file.field == "file" && body.pairs.is_empty() => Ok(file),
        _ => Err(Error::BadRequest("Send one file, in the field file, and nothing else.".to_owned())),
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::BadRequest("It broke off on its way: send it again.".to_owned()))?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn part_bytes(part: &mut Field, limit: usize) -> Result<Vec<u8>, Error> {
    let bytes = part.bytes(limit).await.map_err(|_| too_large(limit))?;
    Ok(bytes.map_err(|cause| unreadable(&cause))?.to_vec())
}

fn too_large(limit: usize) -> Error {
    Error::TooLarge(format!("Send at most {} MB at once.", (limit / 1024 / 1024).max(1)))
}

fn unreadable(cause: &MultipartError) -> Error {
    tracing::debug!("unreadable upload: {cause}");
    Error::BadRequest("The upload broke off on its way: send it again.".to_owned())
}

/// The last part of whatever path the sender's system put there, without what cannot be seen.
fn file_name(claimed: &str) -> String {
    let name = claimed.rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(150).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_only_the_last_part_of_its_name() {
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name("C:\\proofs\\webinar.pdf"), "webinar.pdf");
        assert_eq!(file_name("a\u{0}b\n.pdf"), "ab.pdf");
    }

    #[test]
    fn the_envelope_is_taken_out_of_what_was_typed() {
        let body = Body::from_pairs(b"csrf=t&once=o&version=7&title=A+%26+B&title=C").unwrap();
        assert_eq!((body.csrf.as_str(), body.once.as_str(), body.version), ("t", "o", Some(7)));
        let posted = body.accept("key".to_owned());
        assert_eq!(posted.typed().value("title"), Some("A & B"));
        assert!(Body::from_pairs(b"version=latest").is_err());
    }
}
