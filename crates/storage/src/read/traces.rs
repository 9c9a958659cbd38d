//! Signs that something was handed in before: invoices and requests beyond one cycle; files, pictures and lists in it as
//! well.

use super::Reader;
use crate::error::Result;
use crate::filter::Where;
use crate::sql::{self, rows, values};
use crate::viewer::{Scope, Viewer};
use domain::cycle::Cycle;
use domain::ids::FileId;
use domain::money::Money;
use domain::signals::{Elsewhere, FileAgain, InvoiceAgain, ListAgain, RequestNear, Traces};

/// Two pictures look the same where at most this many of 256 bits differ. Fewer than 16, so that one of the 16 bands of
/// 16 bits is the same and the index finds it.
const NEAR: u32 = 12;
/// At most so many of each kind; a reviewer looks at a few.
const MOST: usize = 60;
/// Pictures that share a band are compared, at most so many.
const COMPARED: usize = 2_000;

/// Invoice `b` is invoice `a` again, in a claim of cycle `c` that was not denied.
const AGAIN: &str = "JOIN invoice b ON b.invoice_no = a.invoice_no AND b.vendor = a.vendor AND b.amount = a.amount
                                     AND b.currency = a.currency
                      JOIN claim k ON k.cycle_id = b.cycle_id AND k.no = b.claim_no AND k.state <> 'denied'
                      JOIN cycle c ON c.id = b.cycle_id";

rows! {
    view ClaimElsewhere {
        claim: u16,
        cycles: i64,
    }

    view FileElsewhere {
        file: FileId,
        cycles: i64,
    }

    view InvoiceRow {
        claim: u16,
        number: String,
        their_claim: u16,
        invoice_no: String,
        vendor: String,
        amount: Money,
    }

    view FileRow {
        file: FileId,
        theirs: FileId,
        name: String,
        number: String,
        /// Perceptual hashes in hex, of images.
        our_look: Option<String>,
        their_look: Option<String>,
    }

    view ListRow {
        file: FileId,
        theirs: FileId,
        name: String,
        number: String,
        shared: i64,
        entries: i64,
    }
}

impl Reader {
    /// What lies beyond a cycle and is like something in it, as far as the viewer may see; nothing for partners.
    pub async fn traces(&self, viewer: &Viewer, cycle: &Cycle) -> Result<Traces> {
        if matches!(viewer.scope(), Scope::Partner(_) | Scope::Nothing) {
            return Ok(Traces::default());
        }
        let elsewhere = match viewer.scope() {
            Scope::Regions(regions) => self.elsewhere(regions, cycle).await?,
            _ => Elsewhere::default(),
        };
        let mut files = self.same_files(viewer, cycle).await?;
        files.extend(self.near_images(viewer, cycle).await?);
        Ok(Traces {
            invoices: self.same_invoices(viewer, cycle).await?,
            files,
            lists: self.shared_lists(viewer, cycle).await?,
            requests: self.requests_near(viewer, cycle).await?,
            elsewhere,
        })
    }

    /// How many cycles of other regions hold the same; nothing of them but their number is read.
    async fn elsewhere(&self, regions: &[String], cycle: &Cycle) -> Result<Elsewhere> {
        let mut found = Where::default().and("a.cycle_id = ? AND b.cycle_id <> ?", values![cycle.id, cycle.id]);
        for region in regions {
            found = found.and("c.region <> ?", values![region.as_str()]);
        }
        let sql = format!(
            "SELECT a.claim_no AS claim, COUNT(DISTINCT b.cycle_id) AS cycles FROM invoice a {AGAIN} {} GROUP BY a.claim_no",
            found.sql()
        );
        let claims: Vec<ClaimElsewhere> = sql::all(&self.db, &sql, found.values.clone()).await?;
        let found = found.and("b.ready", Vec::new());
        let sql = format!(
            "SELECT a.id AS file, COUNT(DISTINCT b.cycle_id) AS cycles
             FROM file a JOIN file b ON b.sha256 = a.sha256 JOIN cycle c ON c.id = b.cycle_id {} GROUP BY a.id",
            found.sql()
        );
        let files: Vec<FileElsewhere> = sql::all(&self.db, &sql, found.values).await?;
        Ok(Elsewhere {
            invoices: claims.into_iter().map(|row| (row.claim, row.cycles.unsigned_abs())).collect(),
            files: files.into_iter().map(|row| (row.file, row.cycles.unsigned_abs())).collect(),
        })
    }

    /// Invoices of the same number, vendor and amount in claims of other cycles that were not denied.
    async fn same_invoices(&self, viewer: &Viewer, cycle: &Cycle) -> Result<Vec<InvoiceAgain>> {
        let found = Where::default().and("a.cycle_id = ? AND b.cycle_id <> ?", values![cycle.id, cycle.id]);
        let found = found.within(viewer.scope(), "c.partner_id", "c.region");
        let sql = format!(
            "SELECT a.claim_no AS claim, c.number, b.claim_no AS their_claim, b.invoice_no, b.vendor, b.amount, b.currency
             FROM invoice a {AGAIN} {} ORDER BY c.serial, b.claim_no LIMIT {MOST}",
            found.sql()
        );
        let rows: Vec<InvoiceRow> = sql::all(&self.db, &sql, found.values).await?;
        let again = |row: InvoiceRow| InvoiceAgain {
            claim: row.claim,
            number: row.number,
            their_claim: row.their_claim,
            invoice_no: row.invoice_no,
            vendor: row.vendor,
            amount: row.amount,
        };
        Ok(rows.into_iter().map(again).collect())
    }

    /// Files of the same content. Those of the cycle itself come along: the rules know what each is handed in for.
    async fn same_files(&self, viewer: &Viewer, cycle: &Cycle) -> Result<Vec<FileAgain>> {
        let found = Where::default().and("a.cycle_id = ? AND b.id <> a.id", values![cycle.id]);
        let found = found.and("b.ready", Vec::new()).within(viewer.scope(), "c.partner_id", "c.region");
        let sql = format!(
            "SELECT a.id AS file, b.id AS theirs, b.name, c.number, CAST(NULL AS text) AS our_look,
                    CAST(NULL AS text) AS their_look
             FROM file a JOIN file b ON b.sha256 = a.sha256 JOIN cycle c ON c.id = b.cycle_id {} ORDER BY b.at, b.id LIMIT {MOST}",
            found.sql()
        );
        let rows: Vec<FileRow> = sql::all(&self.db, &sql, found.values).await?;
        Ok(rows.into_iter().map(|row| again(row, true)).collect())
    }

    /// Images of other content that look the same: found by a shared band, kept where few bits differ.
    async fn near_images(&self, viewer: &Viewer, cycle: &Cycle) -> Result<Vec<FileAgain>> {
        let found = Where::default().and("a.cycle_id = ? AND b.id <> a.id", values![cycle.id]);
        let found = found.and("b.ready", Vec::new()).within(viewer.scope(), "c.partner_id", "c.region");
        let sql = format!(
            "SELECT DISTINCT a.id AS file, b.id AS theirs, b.name, c.number, la.look AS our_look, lb.look AS their_look
             FROM file a
             JOIN image_band x ON x.sha256 = a.sha256
             JOIN image_band y ON y.band = x.band AND y.value = x.value AND y.sha256 <> x.sha256
             JOIN file b ON b.sha256 = y.sha256
             JOIN cycle c ON c.id = b.cycle_id
             JOIN image_look la ON la.sha256 = a.sha256
             JOIN image_look lb ON lb.sha256 = b.sha256 {} ORDER BY file, theirs LIMIT {COMPARED}",
            found.sql()
        );
        let rows: Vec<FileRow> = sql::all(&self.db, &sql, found.values).await?;
        let near = rows.into_iter().filter(|row| differing(row).is_some_and(|bits| bits <= NEAR));
        let mut near: Vec<FileAgain> = near.map(|row| again(row, false)).collect();
        near.sort_by(|a, b| (&a.number, a.theirs.0).cmp(&(&b.number, b.theirs.0)));
        near.truncate(MOST);
        Ok(near)
    }

    /// Lists of other content that name the same people.
    async fn shared_lists(&self, viewer: &Viewer, cycle: &Cycle) -> Result<Vec<ListAgain>> {
        let found = Where::default().and("a.cycle_id = ? AND b.id <> a.id", values![cycle.id]);
        let found = found.and("b.ready", Vec::new()).within(viewer.scope(), "c.partner_id", "c.region");
        let sql = format!(
            "SELECT a.id AS file, b.id AS theirs, b.name, c.number, COUNT(*) AS shared,
                    (SELECT COUNT(*) FROM list_entry n WHERE n.sha256 = a.sha256) AS entries
             FROM file a
             JOIN list_entry x ON x.sha256 = a.sha256
             JOIN list_entry y ON y.entry = x.entry AND y.sha256 <> x.sha256
             JOIN file b ON b.sha256 = y.sha256
             JOIN cycle c ON c.id = b.cycle_id {}
             GROUP BY a.id, a.sha256, b.id, b.name, c.number ORDER BY shared DESC, c.number, b.id LIMIT {MOST}",
            found.sql()
        );
        let rows: Vec<ListRow> = sql::all(&self.db, &sql, found.values).await?;
        let again = |row: ListRow| ListAgain {
            file: row.file,
            theirs: row.theirs,
            name: row.name,
            number: row.number,
            shared: row.shared.unsigned_abs(),
            entries: row.entries.unsigned_abs(),
        };
        Ok(rows.into_iter().map(again).collect())
    }

    /// The partner's latest other requests in the program.
    async fn requests_near(&self, viewer: &Viewer, cycle: &Cycle) -> Result<Vec<RequestNear>> {
        let found = Where::default()
            .and("partner_id = ? AND program_id = ? AND id <> ?", values![cycle.partner, cycle.program, cycle.id])
            .and("asked > 0", Vec::new())
            .within(viewer.scope(), "partner_id", "region");
        let sql = format!("SELECT doc FROM cycle {} ORDER BY serial DESC LIMIT {MOST}", found.sql());
        let docs: Vec<String> = sql::column(&self.db, "doc", &sql, found.values).await?;
        let mut near = Vec::new();
        for doc in docs {
            let other: Cycle = sql::from_json(&doc, "cycle.doc")?;
            if let Some(submitted) = &other.request.submitted {
                let total = other.request.total(&other);
                near.push(RequestNear { number: other.number.clone(), total, submitted_on: submitted.at.date_naive() });
            }
        }
        Ok(near)
    }
}

fn again(row: FileRow, same: bool) -> FileAgain {
    FileAgain { file: row.file, theirs: row.theirs, name: row.name, number: row.number, same }
}

/// How many bits of the two looks differ; `None` where one is no look.
fn differing(row: &FileRow) -> Option<u32> {
    let (ours, theirs) = (hex::decode(row.our_look.as_ref()?).ok()?, hex::decode(row.their_look.as_ref()?).ok()?);
    (ours.len() == theirs.len()).then(|| ours.iter().zip(&theirs).map(|(a, b)| (a ^ b).count_ones()).sum())
}
