//! Uploaded files, and signs that one was handed in before.

use super::Reader;
use crate::error::Result;
use crate::filter::Where;
use crate::rows::File;
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use domain::ids::{CycleId, FileId};
use domain::money::Money;

const REGION: &str = "(SELECT p.region FROM partner p WHERE p.id = file.partner_id)";

rows! {
    /// A claim that carries an invoice of the same number, vendor and amount.
    view SameInvoice {
        number: String,
        claim_no: u16,
        invoice_no: String,
        vendor: String,
        amount: Money,
    }

    /// A file of the same content in another cycle.
    view SameFile {
        id: FileId,
        name: String,
        number: String,
    }
}

impl Reader {
    /// A stored file, as far as the viewer may see it.
    pub async fn file(&self, viewer: &Viewer, id: FileId) -> Result<File> {
        let found = Where::default().eq("id", Some(id)).and("ready", Vec::new());
        let found = found.within(viewer.scope(), "partner_id", REGION);
        sql::one(&self.db, &sql::select::<File>(&found.sql()), found.values).await
    }

    /// The stored files of a cycle, oldest first.
    pub async fn files_of(&self, viewer: &Viewer, cycle: CycleId) -> Result<Vec<File>> {
        let found = Where::default().eq("cycle_id", Some(cycle)).and("ready", Vec::new());
        let found = found.within(viewer.scope(), "partner_id", REGION);
        let tail = format!("{} ORDER BY at, id LIMIT 1000", found.sql());
        sql::all(&self.db, &sql::select::<File>(&tail), found.values).await
    }

    /// Files of this content in other cycles the viewer may see: a sign for the reviewer, not an accusation.
    pub async fn same_file(&self, viewer: &Viewer, sha256: &str, other_than: CycleId) -> Result<Vec<SameFile>> {
        let found = Where::default().eq("f.sha256", Some(sha256)).and("f.cycle_id <> ?", values![other_than]);
        let found = found.within(viewer.scope(), "c.partner_id", "c.region");
        let sql = format!(
            "SELECT f.id, f.name, c.number FROM file f JOIN cycle c ON c.id = f.cycle_id {} ORDER BY f.at LIMIT 20",
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }

    /// Other claims the viewer may see with an invoice of the same number, vendor and amount as one of this claim's.
    pub async fn same_invoices(&self, viewer: &Viewer, cycle: CycleId, claim: u16) -> Result<Vec<SameInvoice>> {
        let found = Where::default().eq("a.cycle_id", Some(cycle)).eq("a.claim_no", Some(claim));
        let found = found.and("(b.cycle_id <> a.cycle_id OR b.claim_no <> a.claim_no)", Vec::new());
        let found = found.within(viewer.scope(), "c.partner_id", "c.region");
        let sql = format!(
            "SELECT c.number, b.claim_no, b.invoice_no, b.vendor, b.amount, b.currency
             FROM invoice a
             JOIN invoice b ON b.invoice_no = a.invoice_no AND b.vendor = a.vendor AND b.amount = a.amount
             JOIN cycle c ON c.id = b.cycle_id {} ORDER BY c.serial, b.claim_no LIMIT 20",
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }
}
