//! Credit earned on purchases.

use crate::sql::rows;
use domain::ids::{EventId, FundId, PartnerId, ProgramId};
use domain::money::Currency;
use domain::{Date, Instant};
use uuid::Uuid;

rows! {
    /// What one purchase earned in one fund; unique per program, purchase and fund until it is taken back.
    table "accrual" => Accrual {
        id: Uuid,
        program_id: ProgramId,
        /// The purchase's own number, with its line where it has several: `INV-1/2`.
        purchase: String,
        fund_id: FundId,
        partner_id: PartnerId,
        on_day: Date,
        product: Option<String>,
        units: Option<u32>,
        /// Minor units of `currency`; `None` where the file names no amount.
        bought: Option<i64>,
        currency: Currency,
        /// The credit, in minor units of `currency`.
        amount: i64,
        /// The last good day of the credit.
        lot: Option<Date>,
        guide_version: u32,
        batch_id: Uuid,
        event_id: EventId,
        /// The import was undone.
        taken_back_at: Option<Instant>,
    }
}
