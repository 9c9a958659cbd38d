//! Files people hand in: checked by content, kept by content hash, found again by id.

mod named;
mod traces;

use crate::Engine;
use crate::error::{Error, Result};
use domain::ids::{CycleId, FileId};
use domain::people::Actor;
pub use named::{INVOICE_KINDS, invoice_field, proof_field};
use object_store::{ObjectStoreExt, path::Path};
use sha2::{Digest, Sha256};
use storage::Viewer;
use storage::rows::File;
use traces::Traces;
use uuid::Uuid;

/// The largest file taken, in bytes.
pub const MOST_BYTES: usize = 15 * 1024 * 1024;

/// Kinds taken: ending, media type.
const KINDS: [(&str, &str); 10] = [
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("csv", "text/csv"),
    ("txt", "text/plain"),
];

/// A file as it arrived.
#[derive(Clone, Debug)]
pub struct Upload {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Engine {
    /// Takes a file in for a cycle the actor may see. The same content is stored once, and the same file from the same
    /// person for the same cycle is the file that is there, even where it is sent twice at once.
    pub async fn keep_file(&self, actor: &Actor, number: &str, field: &str, upload: &Upload) -> Result<FileId> {
        let viewer = Viewer::from(actor);
        let parts = self.reader().cycle_parts(&viewer, storage::WhichCycle::Number(number)).await?;
        self.keep_file_of(actor, parts.cycle.id, parts.cycle.partner, field, upload).await
    }

    async fn keep_file_of(
        &self,
        actor: &Actor,
        cycle: CycleId,
        partner: domain::ids::PartnerId,
        field: &str,
        upload: &Upload,
    ) -> Result<FileId> {
        let name = clean_name(&upload.name);
        let kind = kind_of(field, &name, &upload.bytes)?;
        let sha256 = hex::encode(Sha256::digest(&upload.bytes));
        let at = path_of(&sha256)?;
        if self.files.head(&at).await.is_err() {
            self.files.put(&at, upload.bytes.clone().into()).await.map_err(Error::internal)?;
        }
        let id = FileId(Uuid::new_v5(&cycle.0, format!("{} {sha256} {name}", actor.user()).as_bytes()));
        let size = i64::try_from(upload.bytes.len()).unwrap_or(i64::MAX);
        let row = File {
            id,
            sha256,
            size,
            name,
            content_type: kind.to_owned(),
            partner_id: Some(partner),
            cycle_id: Some(cycle),
            uploaded_by: actor.user(),
            at: self.clock.now(),
            ready: true,
        };
        let traces = traces::of(kind, &upload.bytes).await;
        let sha256 = row.sha256.as_str();
        self.db
            .write(async |tx| {
                tx.insert_file(&row).await?;
                match &traces {
                    Traces::Look(look) => tx.keep_look(sha256, look).await,
                    Traces::Entries(entries) => tx.keep_entries(sha256, entries).await,
                    Traces::None => Ok(()),
                }
            })
            .await?;
        Ok(id)
    }

    /// A stored file and its content, as far as the viewer may see it.
    pub async fn file(&self, viewer: &Viewer, id: FileId) -> Result<(File, Vec<u8>)> {
        let row = self.reader().file(viewer, id).await?;
        let bytes = self.content(&row).await?;
        Ok((row, bytes))
    }

    async fn content(&self, row: &File) -> Result<Vec<u8>> {
        let found = self.files.get(&path_of(&row.sha256)?).await.map_err(Error::internal)?;
        Ok(found.bytes().await.map_err(Error::internal)?.to_vec())
    }
}

pub(crate) fn path_of(sha256: &str) -> Result<Path> {
    let (head, rest) = sha256.split_at_checked(2).ok_or_else(|| Error::internal("a stored hash is too short"))?;
    Ok(Path::from(format!("{head}/{rest}")))
}

/// The name without its folders, without control characters, at most 120 characters.
pub(crate) fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let clean: String = last
        .chars()
        .filter(|c| {
            !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}')
        })
        .take(120)
        .collect();
    if clean.trim().is_empty() { "file".to_owned() } else { clean }
}

/// The media type, where the content is what the name's ending says and the kind is taken.
fn kind_of(field: &str, name: &str, bytes: &[u8]) -> Result<&'static str> {
    let taken = "Hand in PDF, PNG, JPEG, WebP, GIF, Word, Excel, PowerPoint, CSV or text.";
    if bytes.is_empty() {
        return Err(Error::invalid(field, format!("“{name}” is empty."), "Choose a file with content."));
    }
    if bytes.len() > MOST_BYTES {
        return Err(Error::invalid(
            field,
            format!("“{name}” is larger than {} MB.", MOST_BYTES / 1024 / 1024),
            "Make it smaller and hand it in again.",
        ));
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let ending = if ending == "jpeg" { "jpg" } else { ending.as_str() };
    let Some((ending, media)) = KINDS.iter().find(|(known, _)| *known == ending) else {
        return Err(Error::invalid(field, format!("“{name}” is of a kind we do not take."), taken));
    };
    let is_text =
        || std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) || encoding_looks_like_text(bytes);
    let holds = match *ending {
        "csv" | "txt" => infer::get(bytes).is_none() && is_text(),
        _ => infer::get(bytes).is_some_and(|found| found.mime_type() == *media),
    };
    if holds {
        Ok(media)
    } else {
        Err(Error::invalid(field, format!("“{name}” is not what its ending says."), taken))
    }
}

/// A table exported in UTF-16 or Latin-1 is text too.
fn encoding_looks_like_text(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || !bytes.iter().any(|byte| *byte < 9)
}
