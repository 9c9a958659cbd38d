//! Exchange rates as finance recorded them; never changed, only followed by later ones.

use crate::sql::rows;
use domain::exchange::Rate;
use domain::ids::UserId;
use domain::money::Currency;
use domain::{Date, Instant};
use rust_decimal::Decimal;
use uuid::Uuid;

rows! {
    table "exchange_rate" => RateRow {
        id: Uuid,
        from_currency: Currency,
        to_currency: Currency,
        day: Date,
        rate: Decimal,
        recorded_at: Instant,
        recorded_by: UserId,
    }
}

impl RateRow {
    pub fn into_domain(self) -> Rate {
        Rate { from: self.from_currency, to: self.to_currency, day: self.day, value: self.rate }
    }
}
