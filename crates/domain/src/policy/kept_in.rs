//! A guide in another of its currencies: its amounts converted once, at the rate of the day the cycle was opened.
//!
//! A cycle is planned, asked and claimed in one currency from its first day to its last. Where that is not the guide's
//! own, every amount of the guide (the minimums, the caps) counts at one recorded rate that the cycle keeps, so that the
//! rules say the same all along; who decides is said by the bands the guide has for that currency.

use super::Policy;
use crate::exchange::Rate;
use crate::money::{Currency, Money};
use rust_decimal::Decimal;

impl Policy {
    /// What a cycle may be kept in: the guide's own currency, and those it has approval bands for.
    pub fn currencies(&self) -> Vec<Currency> {
        let mut all = vec![self.guide.currency];
        for currency in self.approval.iter().filter_map(|band| band.currency) {
            if !all.contains(&currency) {
                all.push(currency);
            }
        }
        all
    }

    /// The guide as a cycle in `rate.to` is judged by it. Amounts are rounded as every exchange is; credit is earned in
    /// the guide's own currency, so what it says of earning stays as it is.
    #[must_use]
    pub fn kept_in(&self, rate: &Rate) -> Self {
        let convert = |units: Decimal| {
            let amount = Money::from_decimal(units, rate.from).and_then(|amount| rate.convert(amount));
            amount.map_or(units, Money::decimal)
        };
        let mut kept = self.clone();
        kept.guide.currency = rate.to;
        kept.request.minimum = convert(self.request.minimum);
        kept.claim.minimum = convert(self.claim.minimum);
        for cap in &mut kept.cap {
            cap.most = cap.most.map(convert);
        }
        kept.approval.retain(|band| band.currency == Some(rate.to));
        kept
    }
}
