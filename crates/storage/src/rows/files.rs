//! Uploaded files.

use crate::sql::rows;
use domain::Instant;
use domain::ids::{CycleId, FileId, PartnerId, UserId};

rows! {
    /// What was uploaded; the bytes are in the object store under their hash.
    table "file" => File {
        id: FileId,
        /// SHA-256 of the bytes, lower-case hex.
        sha256: String,
        name: String,
        content_type: String,
        /// Bytes.
        size: i64,
        partner_id: Option<PartnerId>,
        cycle_id: Option<CycleId>,
        uploaded_by: UserId,
        at: Instant,
        /// The bytes are stored; an unready row is an upload that broke off.
        ready: bool,
    }
}
