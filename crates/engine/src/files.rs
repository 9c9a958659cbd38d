//! Files people hand in: checked by content, kept by content hash, found again by id.

mod named;
mod traces;

use crate::Engine;
use crate::advance::{Advanced, Submission};
use crate::error::{Error, Result};
use domain::cycle::Cycle;
use domain::ids::FileId;
use domain::people::Actor;
pub use named::{INVOICE_KINDS, invoice_field, proof_field};
use object_store::{ObjectStoreExt, path::Path};
use sha2::{Digest, Sha256};
use storage::rows::File;
use storage::{Tx, Viewer, WhichCycle};
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
        let cycle = self.reader().cycle(&Viewer::from(actor), WhichCycle::Number(number)).await?;
        let (row, traces) = self.stored(actor, &cycle, field, upload).await?;
        self.db.write(async |tx| write_file(tx, &row, &traces).await).await?;
        Ok(row.id)
    }

    /// The same as a submission of its own, by the partner whose cycle it is. The answer's number is the file's id.
    pub async fn hand_in_file(
        &self,
        actor: &Actor,
        number: &str,
        upload: &Upload,
        once: &Submission,
    ) -> Result<Advanced> {
        // Whoever may not see the cycle hears that it is not there, before anything else.
        let cycle = self.reader().cycle(&Viewer::from(actor), WhichCycle::Number(number)).await?;
        if !actor.me.is_partner() {
            let why = "Files of a cycle are handed in by its partner.";
            return Err(Error::refused("not_your_role", why, "Ask them for it."));
        }
        let (row, traces) = self.stored(actor, &cycle, "file", upload).await?;
        self.once(actor, once, &(number, &row.name, &row.sha256), async |tx, _| {
            write_file(tx, &row, &traces).await?;
            let words = vec![format!("{} handed “{}” in to {number}.", actor.me.name, row.name)];
            Ok(Advanced { number: row.id.to_string(), version: 1, words })
        })
        .await
    }

    /// The content in its place, and the row that is to be written for it.
    async fn stored(&self, actor: &Actor, cycle: &Cycle, field: &str, upload: &Upload) -> Result<(File, Traces)> {
        let name = clean_name(&upload.name);
        let kind = kind_of(field, &name, &upload.bytes)?;
        let sha256 = hex::encode(Sha256::digest(&upload.bytes));
        let at = path_of(&sha256)?;
        if self.files.head(&at).await.is_err() {
            self.files.put(&at, upload.bytes.clone().into()).await.map_err(Error::internal)?;
        }
        let row = File {
            id: FileId(Uuid::new_v5(&cycle.id.0, format!("{} {sha256} {name}", actor.user()).as_bytes())),
            sha256,
            size: i64::try_from(upload.bytes.len()).unwrap_or(i64::MAX),
            name,
            content_type: kind.to_owned(),
            partner_id: Some(cycle.partner),
            cycle_id: Some(cycle.id),
            uploaded_by: actor.user(),
            at: self.clock.now(),
            ready: true,
        };
        Ok((row, traces::of(kind, &upload.bytes).await))
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

async fn write_file(tx: &Tx, row: &File, traces: &Traces) -> storage::Result<()> {
    tx.insert_file(row).await?;
    match traces {
        Traces::Look(look) => tx.keep_look(&row.sha256, look).await,
        Traces::Entries(entries) => tx.keep_entries(&row.sha256, entries).await,
        Traces::None => Ok(()),
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
