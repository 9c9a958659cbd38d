//! What a transaction can write. Cycles, funds and the ledger are written from a decision only.

pub(crate) mod cycle;
pub(crate) mod fund;
mod imports;
pub(crate) mod ledger;
pub(crate) mod office;
mod outbox;
mod partners;
mod people;
mod periods;
mod programs;
pub(crate) mod projection;
mod rates;
mod results;
pub(crate) mod rollup;
pub(crate) mod settlement;
mod submission;
pub(crate) mod timeline;
mod traces;
mod views;

pub use cycle::{CycleParts, Opened, Recorded, WhichCycle};
pub use fund::{FundParts, WhichFund};
pub use people::Admission;
pub use projection::CampaignResults;
pub use rollup::{Actual, Figures, Planned, quarter_of};
pub use submission::Submission;
pub use timeline::LastEvent;

use crate::error::{Error, Result};
use crate::tx::Tx;
use domain::Date;
use domain::cycle::Stage;
use projection::Projection;
use std::sync::PoisonError;
use uuid::Uuid;

/// A cycle or fund as it was when this transaction locked it.
pub(crate) struct Remembered {
    /// The cycle's or fund's id, which is the id of its timeline.
    pub stream: Uuid,
    pub version: i64,
    pub head_hash: String,
    /// The partner's name and region and the rows that hang on the cycle; empty for a fund.
    pub partner: String,
    pub region: String,
    pub projection: Projection,
    /// Where the cycle stood and when it was due; `None` for a fund and for a cycle that is being opened.
    pub stood: Option<(Stage, Date)>,
}

impl Tx {
    pub(crate) fn remember(&self, what: Remembered) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What was locked, once: what is recorded must have been locked in the same transaction, at the same version.
    pub(crate) fn recall(&self, stream: Uuid, version: i64) -> Result<Remembered> {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let found = remembered.iter().rposition(|what| what.stream == stream);
        let what = found.map(|index| remembered.swap_remove(index)).ok_or(Error::Stale)?;
        if what.version == version { Ok(what) } else { Err(Error::Stale) }
    }
}
