//! Imports under way, and what they were told before.

use crate::sql::rows;
use domain::Instant;
use domain::ids::{CycleId, PartnerId, UserId};
use uuid::Uuid;

rows! {
    /// A file handed in; its bytes are in the object store under their hash.
    table "import_upload" => ImportUpload {
        id: Uuid,
        by_user: UserId,
        /// A partner's own file; `None` for the vendor's.
        partner_id: Option<PartnerId>,
        kind: String,
        file_name: String,
        sha256: String,
        /// Bytes.
        size: i64,
        /// The column map and its answers, as JSON.
        settings: String,
        at: Instant,
        /// The batch it became.
        batch_id: Option<Uuid>,
    }

    /// A column map kept for the next file of the same source.
    table "import_map" => ImportMap {
        /// A partner's id, or empty for the vendor.
        owner: String,
        name: String,
        kind: String,
        settings: String,
        at: Instant,
    }

    /// Another system's id or name of a campaign, in small letters.
    table "campaign_alias" => CampaignAlias {
        owner: String,
        alias: String,
        cycle_id: CycleId,
        campaign_no: u16,
    }

    /// A row of a batch that was not kept, or was kept with a match to look at.
    table "import_exception" => ImportException {
        batch_id: Uuid,
        n: u32,
        /// The row's line in the file, from 1.
        line: i64,
        column_name: String,
        cell: String,
        reason: String,
        kept: bool,
    }
}
