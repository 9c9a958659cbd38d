//! What the bank sends back: a table with a line a payment. Every line is matched, or says why it is not.

use crate::imports::sheet::{RowIs, Sheet};
use crate::imports::values::{self, Maybe};
use domain::Date;
use domain::money::{Currency, Marks};
use domain::settlement::{Batch, BatchPayment, Outcome, PaymentState};
use std::collections::BTreeSet;

/// More lines than any batch has payments.
const MOST_LINES: usize = 5_000;

/// One line of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// In the file, from 1.
    pub line: u64,
    /// The payment and the amount as the file writes them.
    pub payment: String,
    pub amount: String,
    /// What it says of a payment of the batch, or why it is left out.
    pub said: Result<Outcome, String>,
}

/// The columns of a file, by what people and banks call them.
struct Columns {
    payment: usize,
    amount: usize,
    status: usize,
    currency: Option<usize>,
    date: Option<usize>,
    reference: Option<usize>,
    reason: Option<usize>,
}

/// The first is what we call it; letters and digits of the others, in lower case.
const PAYMENT: &[&str] = &["endtoendid", "endtoend", "originalendtoendid", "payment", "paymentid", "paymentnumber"];
const AMOUNT: &[&str] = &["amount", "instructedamount", "amountpaid", "value"];
const STATUS: &[&str] = &["status", "result", "state", "paymentstatus", "transactionstatus"];
const CURRENCY: &[&str] = &["currency", "ccy", "currencycode"];
const DATE: &[&str] = &["date", "paidon", "valuedate", "bookingdate", "executiondate", "paymentdate"];
const REFERENCE: &[&str] = &["reference", "bankreference", "transactionid", "transactionreference"];
const REASON: &[&str] = &["reason", "statusreason", "reasoncode", "error"];

/// The last two are ISO 20022's own words for a transfer that is settled.
const PAID: &[&str] = &["paid", "settled", "executed", "completed", "booked", "acsc", "accc"];
const REJECTED: &[&str] = &["rejected", "failed", "returned", "refused", "rjct"];

/// Matches a file with a batch. The error is one sentence about the file as a whole.
pub fn read(batch: &Batch, bytes: &[u8], today: Date) -> Result<Vec<Line>, String> {
    let sheet = Sheet::read(bytes)?;
    let columns = Columns::of(&sheet)?;
    let rows: Vec<_> = sheet.rows().filter(|row| row.is != RowIs::Aside).take(MOST_LINES + 1).collect();
    if rows.is_empty() {
        return Err("The file has no line under its column names: export it again.".to_owned());
    }
    if rows.len() > MOST_LINES {
        return Err(format!("The file has more than {MOST_LINES} lines: export those of this batch only."));
    }
    let comma = |amount: &str| matches!(values::decimal_mark(amount), Maybe::Proves(Marks::Comma));
    let marks = if rows.iter().any(|row| comma(row.cell(columns.amount))) { Marks::Comma } else { Marks::Point };
    let mut seen = BTreeSet::new();
    let lines = rows.iter().map(|row| {
        let cell = |column: usize| row.cell(column);
        let said = match &row.is {
            RowIs::Broken(why) => Err(why.clone()),
            _ => said(batch, &columns, &cell, (marks, today), &mut seen),
        };
        let (payment, amount) = (cell(columns.payment).to_owned(), cell(columns.amount).to_owned());
        Line { line: row.line, payment, amount, said }
    });
    Ok(lines.collect())
}

impl Columns {
    fn of(sheet: &Sheet) -> Result<Self, String> {
        let plain = |name: &str| name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let names: Vec<String> = sheet.header.iter().map(|name| plain(name)).collect();
        let find = |known: &[&str]| known.iter().find_map(|known| names.iter().position(|name| name == known));
        let need = |known: &[&str], name: &str| {
            find(known).ok_or_else(|| format!("The file has no column “{name}”: name one so, and send it again."))
        };
        Ok(Self {
            payment: need(PAYMENT, "end_to_end_id")?,
            amount: need(AMOUNT, "amount")?,
            status: need(STATUS, "status")?,
            currency: find(CURRENCY),
            date: find(DATE),
            reference: find(REFERENCE),
            reason: find(REASON),
        })
    }
}

fn said<'a>(
    batch: &Batch,
    columns: &Columns,
    cell: &impl Fn(usize) -> &'a str,
    (marks, today): (Marks, Date),
    seen: &mut BTreeSet<u16>,
) -> Result<Outcome, String> {
    let payment = known(batch, cell(columns.payment))?;
    if !seen.insert(payment.no) {
        return Err("An earlier line of this file is about the same payment.".to_owned());
    }
    if payment.state != PaymentState::Open {
        return Err(format!("This payment is {} already.", payment.state.label()));
    }
    let optional = |column: Option<usize>| column.map_or("", cell);
    let status = cell(columns.status);
    if REJECTED.contains(&status.to_lowercase().as_str()) {
        let reason = optional(columns.reason).chars().take(500).collect();
        return Ok(Outcome::Rejected { payment: payment.no, reason });
    }
    if !PAID.contains(&status.to_lowercase().as_str()) {
        return Err(format!("The status “{}” is neither paid nor rejected.", values::short(status)));
    }
    let currency = optional(columns.currency);
    if !currency.is_empty() && Currency::from_code(currency) != Some(batch.currency) {
        return Err(format!("The line is in {}, the batch in {}.", values::short(currency), batch.currency));
    }
    let (says, sent) = (values::amount(cell(columns.amount), batch.currency, marks)?, payment.net());
    if says != sent {
        return Err(format!("The line says {says}, the payment was {sent}."));
    }
    let date = optional(columns.date);
    if date.is_empty() {
        return Err("The line does not say on which day it was paid.".to_owned());
    }
    let on = values::day(date, None)?;
    if on > today {
        return Err("The line is dated in the future.".to_owned());
    }
    let reference: String = optional(columns.reference).chars().take(120).collect();
    if reference.is_empty() {
        return Err("The line has no reference of the bank.".to_owned());
    }
    Ok(Outcome::Paid { payment: payment.no, on, reference })
}

/// By its end-to-end id, or by its number in the batch alone.
fn known<'a>(batch: &'a Batch, name: &str) -> Result<&'a BatchPayment, String> {
    let no = name.parse::<u16>().ok().or_else(|| {
        let (number, no) = name.rsplit_once('-')?;
        if number.eq_ignore_ascii_case(&batch.number) { no.parse().ok() } else { None }
    });
    let unknown = || match name {
        "" => "The line names no payment.".to_owned(),
        name => format!("{} has no payment “{}”.", batch.number, values::short(name)),
    };
    no.and_then(|no| batch.payment(no)).ok_or_else(unknown)
}
