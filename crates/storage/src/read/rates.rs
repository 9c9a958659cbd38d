//! Exchange rates: which count now, and all that were ever recorded. No wall: a rate is nobody's secret among the vendor's
//! people, and partners read the one that counts for them on their own pages.

use super::funds::vendor_only;
use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::Where;
use crate::load;
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use domain::exchange::Rate;
use domain::ids::UserId;
use domain::money::Currency;
use domain::{Date, Instant};
use rust_decimal::Decimal;
use uuid::Uuid;

rows! {
    /// A rate and who recorded it.
    view RateLine {
        id: Uuid,
        from_currency: Currency,
        to_currency: Currency,
        day: Date,
        rate: Decimal,
        recorded_at: Instant,
        recorded_by: UserId,
        by_name: String,
        /// How many later rows there are for the same pair and day: where there is one, this one no longer counts.
        corrections: i64,
    }
}

const LINES: &str = "SELECT r.id, r.from_currency, r.to_currency, r.day, r.rate, r.recorded_at, r.recorded_by,
        COALESCE(u.name, '') AS by_name,
        (SELECT CAST(COUNT(*) AS bigint) FROM exchange_rate x WHERE x.from_currency = r.from_currency
         AND x.to_currency = r.to_currency AND x.day = r.day
         AND (x.recorded_at, x.id) > (r.recorded_at, r.id)) AS corrections
    FROM exchange_rate r LEFT JOIN app_user u ON u.id = r.recorded_by";

impl Reader {
    /// Of every pair the rate that counts now, by pair.
    pub async fn rates_now(&self, viewer: &Viewer) -> Result<Vec<RateLine>> {
        vendor_only(viewer)?;
        let sql = format!(
            "{LINES} WHERE NOT EXISTS (SELECT 1 FROM exchange_rate n WHERE n.from_currency = r.from_currency
               AND n.to_currency = r.to_currency AND (n.day, n.recorded_at, n.id) > (r.day, r.recorded_at, r.id))
             ORDER BY r.from_currency, r.to_currency"
        );
        sql::all(&self.db, &sql, values![]).await
    }

    /// The rates that count now for the pairs of these, between their first and last day.
    pub async fn rates_of_days(&self, viewer: &Viewer, rates: &[Rate]) -> Result<Vec<Rate>> {
        vendor_only(viewer)?;
        load::rates_of_days(&self.db, rates).await
    }

    /// Every rate, the latest day first, corrections before what they correct.
    pub async fn rates(&self, viewer: &Viewer, paging: &Paging) -> Result<Page<RateLine>> {
        vendor_only(viewer)?;
        let mut found = Where::default();
        if let Some((day, at, id)) = paging.cursor::<(Date, Instant, Uuid)>()? {
            found = found.and("(r.day, r.recorded_at, r.id) < (?, ?, ?)", values![day, at, id]);
        }
        let sql = format!(
            "{LINES} {} ORDER BY r.day DESC, r.recorded_at DESC, r.id DESC LIMIT {}",
            found.sql(),
            paging.one_more()
        );
        let rows: Vec<RateLine> = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |line| (line.day, line.recorded_at, line.id)))
    }
}
