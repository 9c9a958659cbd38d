//! What pages, the API and exports read.
//!
//! Every method takes the viewer first, and the wall between partners is part of its query. What is read before it is
//! known who asks (sessions, sign-in, tracked links) is behind [`Reader::door`].

mod cycle;
mod door;
mod files;
mod imports;
mod money;
mod overview;
mod paging;
mod people;
mod programs;

pub use cycle::TimelineEntry;
pub use door::Door;
pub use files::{SameFile, SameInvoice};
pub use imports::{BatchSeen, LinkSeen, Responder, TouchSeen};
pub use money::{
    Allocation, ClaimCount, ClaimFilter, ClaimListed, FundTotal, InboxFilter, PartnerDue, StatementLine, Waiting,
    WalletLine,
};
pub use overview::{Found, FoundCampaign, FoundCycle, MailLine, StageCount};
pub use paging::{Page, Paging};
pub use people::UserFilter;

use crate::sql::rows;
use domain::ids::{CycleId, PartnerId};
use sea_orm::DatabaseConnection;

/// A read-only handle. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(crate) db: DatabaseConnection,
}

impl Reader {
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        Self { db }
    }
}

rows! {
    /// Where a campaign ID leads.
    view CampaignKey {
        cycle_id: CycleId,
        no: u16,
        partner_id: PartnerId,
    }
}
