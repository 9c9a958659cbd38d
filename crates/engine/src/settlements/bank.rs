//! The files a batch leaves the house as: payments as CSV and as ISO 20022 `pain.001.001.09`, bills for the books.
//!
//! One payment a partner; what is settled by an offset alone is no transfer and in no payment file. Each payment goes out
//! under its end-to-end id, by which it comes back.

pub use super::bills::Booking;

use super::{Owner, bills, pain};
use crate::Engine;
use crate::error::{Error, Result};
use crate::imports::report::harmless;
use domain::Date;
use domain::payee::PaymentDetails;
use domain::people::Actor;
use domain::settlement::{Batch, BatchClaim, BatchPayment, BatchState};
use storage::Viewer;

/// What finance can download of an exported batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    PaymentsCsv,
    Pain001,
    Bills,
}

impl FileKind {
    pub const ALL: [FileKind; 3] = [FileKind::PaymentsCsv, FileKind::Pain001, FileKind::Bills];

    /// The last part of its address.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::PaymentsCsv => "payments.csv",
            FileKind::Pain001 => "pain001.xml",
            FileKind::Bills => "bills.csv",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub fn content_type(self) -> &'static str {
        match self {
            FileKind::PaymentsCsv | FileKind::Bills => "text/csv; charset=utf-8",
            FileKind::Pain001 => "application/xml; charset=utf-8",
        }
    }
}

/// A payment and the account it goes to.
pub(super) struct Transfer<'a> {
    pub payment: &'a BatchPayment,
    /// Its end-to-end id.
    pub name: String,
    pub to: PaymentDetails,
}

impl Engine {
    /// A file of an exported batch, the same each time: its name and its bytes. For finance.
    pub async fn batch_file(
        &self,
        actor: &Actor,
        number: &str,
        kind: FileKind,
        booking: &Booking,
    ) -> Result<(String, Vec<u8>)> {
        let viewer = Viewer::from(actor);
        let batch = self.reader().settlement(&viewer, number).await?;
        let (Some(exported), Some(pay_on)) = (batch.exported_at, batch.pay_on) else {
            let why = match batch.state {
                BatchState::Cancelled => "The batch was cancelled.",
                _ => "The batch is not exported yet.",
            };
            return Err(Error::refused("not_exported", why, "Its files are made when it is exported."));
        };
        let mut transfers = Vec::new();
        for payment in batch.payments.iter().filter(|payment| payment.net().is_positive()) {
            let owner = Owner::Partner(payment.partner).key();
            let to = self.reader().details_in_full(&viewer, &owner, Some(payment.details)).await?;
            transfers.push(Transfer { payment, name: batch.end_to_end(payment.no), to });
        }
        let bytes = match kind {
            FileKind::PaymentsCsv => payments(&batch, pay_on, &transfers),
            FileKind::Bills => bills::file(&batch, (exported.date_naive(), pay_on), booking),
            FileKind::Pain001 => {
                let from = self.paid_from(&viewer, &batch).await?;
                pain::file(&batch, (exported, pay_on), &from, &transfers).map_err(Error::internal)?
            }
        };
        Ok((format!("{number}-{}", kind.name()), bytes))
    }

    async fn paid_from(&self, viewer: &Viewer, batch: &Batch) -> Result<PaymentDetails> {
        let owner = Owner::House(batch.currency).key();
        match self.reader().details_in_full(viewer, &owner, None).await {
            Ok(from) => Ok(from),
            Err(storage::Error::NotFound) => Err(Error::refused(
                "own_account",
                format!("Nobody has said which account {} is paid from.", batch.currency),
                "Enter it on the page of the settlements, under “The account we pay from”.",
            )),
            Err(other) => Err(other.into()),
        }
    }
}

fn payments(batch: &Batch, pay_on: Date, transfers: &[Transfer]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header =
        ["end_to_end_id", "payee", "iban", "account", "routing", "bic", "amount", "currency", "pay_on", "remittance"];
    let mut whole = writer.write_record(header).is_ok();
    for transfer in transfers {
        let to = &transfer.to;
        let record = [
            transfer.name.clone(),
            harmless(&to.payee),
            harmless(&to.iban),
            harmless(&to.account),
            harmless(&to.routing),
            harmless(&to.bic),
            transfer.payment.net().plain(),
            batch.currency.code().to_owned(),
            pay_on.to_string(),
            harmless(&remittance(transfer)),
        ];
        whole &= writer.write_record(record).is_ok();
    }
    debug_assert!(whole, "every record has the header's width");
    writer.into_inner().unwrap_or_default()
}

/// What the payee's bank shows: at most 140 characters, as the schemes allow.
pub(super) fn remittance(transfer: &Transfer) -> String {
    let claims: Vec<String> = transfer.payment.claims.iter().map(BatchClaim::name).collect();
    let all = format!("{} {}", transfer.name, claims.join(" "));
    if all.chars().count() <= 140 {
        return all;
    }
    let few: String = all.chars().take(125).collect();
    format!("{} and more", few.rsplit_once(' ').map_or(few.as_str(), |(whole, _)| whole))
}
