//! Bills for an accounting system, in the columns of Xero's import of bills: a bill a payment, a line a claim.

use crate::imports::report::harmless;
use domain::Date;
use domain::money::Money;
use domain::settlement::{Batch, BatchPayment};

const COLUMNS: [&str; 26] = [
    "*ContactName",
    "EmailAddress",
    "POAddressLine1",
    "POAddressLine2",
    "POAddressLine3",
    "POAddressLine4",
    "POCity",
    "PORegion",
    "POPostalCode",
    "POCountry",
    "*InvoiceNumber",
    "*InvoiceDate",
    "*DueDate",
    "Total",
    "InventoryItemCode",
    "Description",
    "*Quantity",
    "*UnitAmount",
    "*AccountCode",
    "*TaxType",
    "TaxAmount",
    "TrackingName1",
    "TrackingOption1",
    "TrackingName2",
    "TrackingOption2",
    "Currency",
];

/// What the accounting system calls things; the batch does not know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Booking {
    pub account: String,
    pub tax: String,
}

/// The file, in UTF-8, days as ISO 8601, amounts with a point.
pub(super) fn file(batch: &Batch, days: (Date, Date), booking: &Booking) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut whole = writer.write_record(COLUMNS).is_ok();
    for payment in &batch.payments {
        for (description, amount) in lines(payment) {
            let cell = |column: &&str| match *column {
                "*ContactName" => harmless(&payment.partner_name),
                "*InvoiceNumber" => batch.end_to_end(payment.no),
                "*InvoiceDate" => days.0.to_string(),
                "*DueDate" => days.1.to_string(),
                "Description" => harmless(&description),
                "*Quantity" => "1".to_owned(),
                // A number of our own, also where it begins with a minus.
                "*UnitAmount" => amount.plain(),
                "*AccountCode" => harmless(&booking.account),
                "*TaxType" => harmless(&booking.tax),
                "Currency" => batch.currency.code().to_owned(),
                _ => String::new(),
            };
            whole &= writer.write_record(COLUMNS.iter().map(cell)).is_ok();
        }
    }
    debug_assert!(whole, "every record has the header's width");
    writer.into_inner().unwrap_or_default()
}

/// What was approved, claim by claim, and what is held back of it as a line of its own: they add up to the transfer.
fn lines(payment: &BatchPayment) -> Vec<(String, Money)> {
    let mut lines: Vec<(String, Money)> =
        payment.claims.iter().map(|claim| (format!("Claim {}, {}", claim.name(), claim.title), claim.amount)).collect();
    let offset = payment.offset();
    if offset.is_positive() {
        let held_back = Money::new(-offset.minor, offset.currency);
        lines.push(("Held back against an earlier claw back".to_owned(), held_back));
    }
    lines
}
