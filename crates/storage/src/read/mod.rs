//! What pages, the API and exports read.
//!
//! Every method takes the viewer first, and the wall between partners is part of its query. What is read before it is
//! known who asks (sessions, sign-in, tracked links) is behind [`Reader::door`].

mod approvals;
mod cycle;
mod door;
mod expiring;
mod files;
mod funds;
mod imports;
mod journal;
mod lists;
mod money;
mod office;
mod overview;
mod paging;
mod partners;
mod people;
mod performance;
mod periods;
mod programs;
mod rates;
mod reinstatements;
mod results;
mod settlements;
mod traces;
mod views;

#[cfg(test)]
pub(crate) use approvals::inbox;
pub use approvals::{InboxFilter, InboxSort, Waiting};
pub use cycle::TimelineEntry;
pub use door::Door;
pub use expiring::{ExpiringFilter, ExpiringLine, ExpiringSum};
pub use funds::{AccountLine, BurnLine, Movement, MovementsOf, WalletLot, WalletSum};
pub use imports::{BatchSeen, LinkSeen, Responder, TouchSeen};
pub use journal::Journalled;
pub use lists::{ActivityFilter, ActivityLine, CycleFilter, CycleLine, CycleSort};
pub use money::{Allocation, ClaimFilter, ClaimListed, FundTotal, PartnerDue, StatementLine, WalletLine};
pub use office::{LogEntry, LogFilter, MailState, OutboxLine};
pub use overview::{Found, FoundCampaign, FoundCycle, MailLine, StageCount};
pub use paging::{Page, Paging};
pub use partners::PartnerFilter;
pub use people::UserFilter;
pub use performance::{CampaignLine, Dimension, PerformanceFilter, PerformanceKey, PerformanceLine};
pub use periods::{EarnedLine, PartnerNames};
pub use programs::GuideVersion;
pub use rates::RateLine;
pub use reinstatements::WaitingReinstatement;
pub use results::{DealFilter, DealLine, TouchFilter, TouchLine, VisitDay};
pub use settlements::{BatchListed, DetailsShown};

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
