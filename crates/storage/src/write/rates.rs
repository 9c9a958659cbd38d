//! Exchange rates are added, never changed.

use crate::error::Result;
use crate::rows::RateRow;
use crate::sql;
use crate::tx::Tx;

impl Tx {
    pub async fn insert_rates(&self, rates: &[RateRow]) -> Result<()> {
        sql::insert(&self.db, rates).await.map(|_| ())
    }
}
