//! What a file's content looks like, kept under its hash.

use crate::error::Result;
use crate::sql::{self, rows};
use crate::tx::Tx;

rows! {
    table "image_look" => ImageLook {
        /// Of the content, lower-case hex.
        sha256: String,
        /// The perceptual hash, 256 bits in hex.
        look: String,
    }

    table "image_band" => ImageBand {
        band: i32,
        value: i32,
        sha256: String,
    }

    table "list_entry" => ListEntry {
        /// SHA-256 of the e-mail address in small letters, hex.
        entry: String,
        sha256: String,
    }
}

/// How many rows go into one statement.
const AT_ONCE: usize = 500;

impl Tx {
    /// The look of an image, and its bands of 16 bits. Content that is known already stays as it is.
    pub async fn keep_look(&self, sha256: &str, look: &[u8]) -> Result<()> {
        let row = ImageLook { sha256: sha256.to_owned(), look: hex::encode(look) };
        sql::insert_or(&self.db, &[row], "ON CONFLICT (sha256) DO NOTHING").await?;
        let bands = look.chunks_exact(2).zip(0..);
        let bands: Vec<ImageBand> = bands
            .map(|(pair, band)| ImageBand {
                band,
                value: i32::from(u16::from_be_bytes([pair[0], pair[1]])),
                sha256: sha256.to_owned(),
            })
            .collect();
        sql::insert_or(&self.db, &bands, "ON CONFLICT (band, value, sha256) DO NOTHING").await.map(|_| ())
    }

    /// Who is on a list, as hashes.
    pub async fn keep_entries(&self, sha256: &str, entries: &[String]) -> Result<()> {
        for some in entries.chunks(AT_ONCE) {
            let rows: Vec<ListEntry> =
                some.iter().map(|entry| ListEntry { entry: entry.clone(), sha256: sha256.to_owned() }).collect();
            sql::insert_or(&self.db, &rows, "ON CONFLICT (entry, sha256) DO NOTHING").await?;
        }
        Ok(())
    }
}
