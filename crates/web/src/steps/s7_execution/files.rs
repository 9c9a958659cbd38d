//! Files people hand in and open again: /files/{id}.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::Path;
use domain::ids::FileId;
use domain::machine::Situation;
use domain::policy::takes;
use domain::refusal::Reason;
use storage::rows::File;

use crate::error::{Answer, Error};
use crate::extract::{Who, finish};
use crate::posted::Upload;

/// A file that is stored, and what it is handed in for.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The checklist item, or the claim's row.
    pub item: String,
    pub id: FileId,
    pub name: String,
}

pub(super) fn href(id: FileId) -> String {
    format!("/files/{id}")
}

/// Takes an upload in for a cycle.
pub(super) async fn keep(who: &Who, s: &Situation, item: &str, upload: &Upload) -> Result<Kept, Error> {
    let (engine, actor, number) = (who.site().engine.clone(), who.actor().clone(), s.cycle.number.clone());
    let (field, sent) =
        (upload.field.clone(), engine::files::Upload { name: upload.name.clone(), bytes: upload.bytes.clone() });
    let id = finish(async move { engine.keep_file(&actor, &number, &field, &sent).await }).await?;
    Ok(Kept { item: item.to_owned(), id, name: upload.name.clone() })
}

/// A file kept before: only one of this cycle counts, whatever was sent. A problem at `field` says so, and the file can
/// be chosen anew.
pub(super) async fn found(who: &Who, s: &Situation, (item, field): (&str, &str), id: FileId) -> Result<Kept, Error> {
    let file = who.site().engine.file_of(who.viewer(), s.cycle.id, field, id).await?;
    Ok(Kept { item: item.to_owned(), id, name: file.name })
}

/// Puts a file with those that count, or its problem with the others; what is no problem of the file's own goes its way.
pub(super) fn gathered(one: Result<Kept, Error>, kept: &mut Vec<Kept>, reasons: &mut Vec<Reason>) -> Result<(), Error> {
    match one {
        Ok(file) => kept.push(file),
        Err(Error::Invalid(more)) => reasons.extend(more),
        Err(other) => return Err(other),
    }
    Ok(())
}

/// The name ends as the checklist wants it; the content is checked where the file is kept.
pub(super) fn of_kind(field: &str, name: &str, kinds: &[String]) -> Result<(), Error> {
    if takes(kinds, name) {
        return Ok(());
    }
    Err(Error::at(field, format!("“{name}” is not taken here: hand in {}.", kinds.join(", "))))
}

/// GET /files/{id}: as a download, never as a page of ours.
pub async fn download(who: Who, id: Path<FileId>) -> Answer {
    let (file, bytes) = who.site().engine.file(who.viewer(), *id).await?;
    Ok(served(&file, bytes))
}

/// A file somebody handed in, as a download.
pub fn served(file: &File, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, file.content_type.as_str()))
        .insert_header((CONTENT_DISPOSITION, disposition(&file.name)))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes)
}

/// A plain name for old readers, the whole one in UTF-8 for the others (RFC 6266).
pub fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let whole: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_cannot_bring_its_own_headers() {
        assert_eq!(
            disposition("a\"\r\nX: y.pdf"),
            "attachment; filename=\"a___X_ y.pdf\"; filename*=UTF-8''a%22%0D%0AX%3A%20y.pdf"
        );
        assert!(disposition("Übersicht.pdf").contains("filename=\"_bersicht.pdf\""));
    }

    #[test]
    fn the_checklist_says_which_kinds_it_takes() {
        let kinds = ["csv".to_owned(), "jpg".to_owned()];
        assert!(of_kind("proof_photo", "Stand.JPEG", &kinds).is_ok());
        assert!(of_kind("proof_photo", "stand.pdf", &kinds).is_err());
        assert!(of_kind("proof_photo", "stand.pdf", &[]).is_ok());
    }
}
