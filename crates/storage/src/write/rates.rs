//! Exchange rates are added, never changed.

use crate::error::Result;
use crate::load;
use crate::rows::RateRow;
use crate::sql;
use crate::tx::Tx;
use domain::exchange::Rate;

impl Tx {
    pub async fn insert_rates(&self, rates: &[RateRow]) -> Result<()> {
        sql::insert(&self.db, rates).await.map(|_| ())
    }

    /// The rates that count now for the pairs of these, between their first and last day: of a day the one recorded last.
    pub async fn rates_of_days(&self, rates: &[Rate]) -> Result<Vec<Rate>> {
        load::rates_of_days(&self.db, rates).await
    }
}
