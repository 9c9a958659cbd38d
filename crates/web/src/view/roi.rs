//! The figures called ROI, each under its own name with what it is made of.

use domain::forecast::roi_percent;
use domain::money::Money;
use rust_decimal::Decimal;

use super::Fact;
use super::words::{Amount, percent_words};

/// `(benefit - cost) / cost x 100` as a fact; `benefit` is in units of the cost's currency, and `what` names it.
pub fn roi_fact(name: &str, benefit: Decimal, cost: Money, what: &str) -> Fact {
    let value = roi_percent(benefit, cost.decimal()).map_or_else(|| "none".to_owned(), percent_words);
    let benefit = Money::from_decimal(benefit, cost.currency)
        .map_or_else(|_| "–".to_owned(), |money| Amount::from(money).plain());
    let note = if cost.is_zero() {
        format!("{what}: {benefit}. A cost of nothing has no ROI.")
    } else {
        format!("{what}: {benefit}, for {} of cost", Amount::from(cost).plain())
    };
    Fact::new(name, value).note(note)
}
