//! Money in two currencies: dated rates that finance records, and what a cycle keeps of the one it was approved at.
//!
//! A cycle is planned, asked and claimed in its program's currency or another one its guide takes; its fund may be kept in another one. The book holds
//! the fund's currency only; the cycle counts beside it what is committed to its campaigns in its own, so that parts
//! converted one after the other add up to the whole.

use crate::Date;
use crate::calendar::words;
use crate::money::{Currency, Money, MoneyError};
use crate::refusal::Reason;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A rate older than this does not count, where the guide says nothing else.
pub const OLDEST_DAYS: u16 = 35;

/// What one unit of a currency is worth in another one, from its day on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub from: Currency,
    pub to: Currency,
    pub day: Date,
    /// Units of `to` for one unit of `from`; above zero.
    #[serde(rename = "rate")]
    pub value: Decimal,
}

impl Rate {
    /// No two currencies in use are farther apart than a million to one.
    pub const MOST: i64 = 1_000_000;
    /// The most digits after the decimal mark.
    pub const DECIMALS: u32 = 10;

    /// What keeps it from being recorded, each at its field: `from`, `to`, `day`, `rate`.
    pub fn problems(&self, today: Date) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut say = |field: &str, why: String, remedy: String| {
            reasons.push(Reason::new("exchange_rate", why, remedy).at(field));
        };
        if self.from == self.to {
            let why = format!("{} is worth one {}: there is no rate to record.", self.from, self.to);
            say("to", why, "Name two currencies.".to_owned());
        }
        if self.day > today {
            let why = format!("{} is still to come: its rate is not known.", words(self.day));
            say("day", why, "Enter today or a day before.".to_owned());
        }
        let most = Decimal::from(Self::MOST);
        if self.value <= Decimal::ZERO {
            let why = format!("A rate is above zero, not {}.", self.value.normalize());
            say("rate", why, format!("Enter how many {} one {} is worth.", self.to, self.from));
        } else if self.value > most || self.value < Decimal::ONE / most {
            let why = format!("A rate of {} from {} to {} cannot be.", self.value.normalize(), self.from, self.to);
            say("rate", why, format!("Enter how many {} one {} is worth.", self.to, self.from));
        } else if self.value.normalize().scale() > Self::DECIMALS {
            let why = format!("The rate has more than {} decimals.", Self::DECIMALS);
            say("rate", why, "Round it.".to_owned());
        }
        reasons
    }

    /// An amount of `from` in `to`, rounded half to even to the minor unit.
    ///
    /// [`MoneyError::Currencies`]: the amount is in another currency. [`MoneyError::Overflow`]: it is larger than we keep.
    pub fn convert(&self, amount: Money) -> Result<Money, MoneyError> {
        if amount.currency != self.from {
            return Err(MoneyError::Currencies(amount.currency, self.from));
        }
        exchanged(amount, self.value, self.to)
    }

    /// What comes on top in `to` when a sum grows from `before` to `after`: the difference of both sums converted, so
    /// that parts add up to the whole to the last minor unit, whatever the order.
    pub fn between(&self, before: Money, after: Money) -> Result<Money, MoneyError> {
        self.convert(after)?.checked_sub(self.convert(before)?)
    }

    /// "1.08 USD for 1 EUR, the rate of Thu 12 March 2026"
    pub fn words(&self) -> String {
        format!("{} {} for 1 {}, the rate of {}", self.value.normalize(), self.to, self.from, words(self.day))
    }
}

/// Money of one currency in another at a rate, rounded half to even to the minor unit.
pub fn exchanged(amount: Money, rate: Decimal, into: Currency) -> Result<Money, MoneyError> {
    let value = amount.decimal().checked_mul(rate).ok_or(MoneyError::Overflow)?;
    Money::from_decimal(value, into)
}

/// What `part` of `whole` comes to of an amount that stands for the whole, rounded half to even; all of it for the whole.
/// Taken cumulatively, parts add up. A whole of nothing gives nothing.
pub fn portion(amount: Money, part: i64, whole: i64) -> Money {
    if part == whole || whole == 0 {
        return if whole == 0 { Money::zero(amount.currency) } else { amount };
    }
    let (amount_minor, part, whole) = (i128::from(amount.minor), i128::from(part), i128::from(whole));
    let (quotient, rest) = ((amount_minor * part).div_euclid(whole), (amount_minor * part).rem_euclid(whole));
    let up = rest * 2 > whole || (rest * 2 == whole && quotient % 2 != 0);
    let minor = i64::try_from(quotient + i128::from(up)).unwrap_or(amount.minor);
    Money::new(minor, amount.currency)
}

/// What a cycle keeps of the exchange its money was committed at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The rate of the first approval; amendments, claims and releases go by it.
    pub rate: Rate,
    /// Committed and not claimed or released, in the cycle's currency: the fund holds it converted at the rate.
    pub committed: Vec<Held>,
}

/// What is committed to one campaign, in the cycle's currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Held {
    pub campaign: u16,
    pub amount: Money,
}

impl Kept {
    pub fn new(rate: Rate) -> Self {
        Self { rate, committed: Vec::new() }
    }

    /// In minor units of the cycle's currency.
    pub fn held(&self, campaign: u16) -> i64 {
        self.committed.iter().find(|held| held.campaign == campaign).map_or(0, |held| held.amount.minor)
    }

    /// Counts `by` minor units of the cycle's currency more, or less, as committed to a campaign.
    pub fn count(&mut self, campaign: u16, by: i64) {
        let after = self.held(campaign) + by;
        self.committed.retain(|held| held.campaign != campaign);
        if after != 0 {
            self.committed.push(Held { campaign, amount: Money::new(after, self.rate.from) });
            self.committed.sort_unstable_by_key(|held| held.campaign);
        }
    }

    /// What counting `by` more, or less, moves in the fund's currency, in minor units.
    pub fn moves(&self, campaign: u16, by: i64) -> Result<i64, MoneyError> {
        let held = Money::new(self.held(campaign), self.rate.from);
        let after = held.minor.checked_add(by).ok_or(MoneyError::Overflow)?;
        Ok(self.rate.between(held, Money::new(after, self.rate.from))?.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(value: &str) -> Rate {
        let day = Date::from_ymd_opt(2026, 3, 2).unwrap();
        Rate { from: Currency::EUR, to: Currency::USD, day, value: value.parse().unwrap() }
    }

    #[test]
    fn halves_go_to_the_even_unit() {
        for (value, minor, becomes) in [("1.5", 1, 2), ("0.5", 1, 0), ("2.5", 1, 2), ("1.08", 100_000, 108_000)] {
            assert_eq!(rate(value).convert(Money::new(minor, Currency::EUR)).unwrap().minor, becomes, "{value}");
        }
        assert!(rate("1").convert(Money::new(1, Currency::USD)).is_err());
    }

    #[test]
    fn what_no_rate_can_be_is_said_at_its_field() {
        let today = Date::from_ymd_opt(2026, 3, 2).unwrap();
        for value in ["0", "-1.08", "1000001", "0.0000001", "1.00000000001"] {
            let problems = rate(value).problems(today);
            assert_eq!(problems.len(), 1, "{value}");
            assert_eq!(problems[0].field.as_deref(), Some("rate"));
        }
        assert!(rate("1.08").problems(today).is_empty());
        let tomorrow = Rate { day: today.succ_opt().unwrap(), ..rate("1.08") };
        assert_eq!(tomorrow.problems(today)[0].field.as_deref(), Some("day"));
        let itself = Rate { to: Currency::EUR, ..rate("1") };
        assert_eq!(itself.problems(today)[0].field.as_deref(), Some("to"));
    }

    #[test]
    fn portions_taken_one_after_the_other_add_up() {
        let amount = Money::new(10_801, Currency::USD);
        assert_eq!(portion(amount, 1, 3).minor + (portion(amount, 2, 3).minor - portion(amount, 1, 3).minor), 7_201);
        assert_eq!((portion(amount, 3, 3), portion(amount, 0, 3).minor), (amount, 0));
        assert_eq!(portion(amount, 5, 0).minor, 0);
    }
}
