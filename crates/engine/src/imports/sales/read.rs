//! A row of a sales file, read.

use super::super::fields::Field;
use super::super::record::RowReading;
use super::super::values::{self, short};
use domain::Date;
use domain::money::{Currency, Money};

/// A purchase as a row tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SaleIn {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The purchase's own number, with its line where the file has several: `INV-1/2`.
    pub purchase: String,
    /// The partner as the file names it: a CRM ID, a web domain or a name.
    pub partner: String,
    pub on: Date,
    pub product: Option<String>,
    pub units: Option<u32>,
    pub amount: Option<Money>,
}

impl RowReading<'_> {
    pub(in super::super) fn sale(&mut self) -> Option<SaleIn> {
        let need = |reading: &mut Self, field: Field, reason: &str| {
            let text = reading.text(field);
            if text.is_none() {
                reading.missing(&[field], reason);
            }
            text.map(|text| text.chars().take(160).collect::<String>())
        };
        let number = need(self, Field::PurchaseId, "This row has no purchase number: without one it could earn twice.");
        let partner = need(self, Field::SoldTo, "This row names no partner.");
        let on = self.day(Field::SoldOn);
        if on.is_none() {
            self.missing(&[Field::SoldOn], "This row has no day.");
        }
        let units = self.units();
        let amount = self.sold_for();
        let line = self.text(Field::PurchaseLine);
        let purchase = match line {
            Some(line) => format!("{}/{}", number?, line.chars().take(30).collect::<String>()),
            None => number?,
        };
        let product = self.text(Field::Product).map(|product| product.chars().take(160).collect());
        Some(SaleIn { line: self.line(), purchase, partner: partner?, on: on?, product, units, amount })
    }

    fn sold_for(&mut self) -> Option<Money> {
        let text = self.text(Field::Amount)?;
        if text.starts_with(['-', '(']) {
            self.wrong(Field::Amount, RETURNED.to_owned());
            return None;
        }
        self.amount()
    }

    /// A whole number of units, read like an amount of a currency without decimals.
    fn units(&mut self) -> Option<u32> {
        let text = self.text(Field::Units)?;
        if text.starts_with(['-', '(']) {
            self.wrong(Field::Units, RETURNED.to_owned());
            return None;
        }
        let read = Currency::from_code("JPY").and_then(|whole| values::amount(&text, whole, self.marks()).ok());
        let units = read.and_then(|money| u32::try_from(money.minor).ok());
        if units.is_none() {
            self.wrong(Field::Units, format!("“{}” is no whole number of units.", short(&text)));
        }
        units
    }
}

/// Credit that was earned may be spent: a return is not simply an accrual the other way round.
const RETURNED: &str =
    "This is a return: take the import of the purchase back, or adjust the partner's credit with a reason.";
