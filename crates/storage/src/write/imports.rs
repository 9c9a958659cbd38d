//! Imports under way: files handed in, column maps, a batch that grows chunk by chunk, and its undoing.

use super::people::found;
use crate::error::Result;
use crate::rows::{CampaignAlias, ImportBatch, ImportChange, ImportException, ImportMap, ImportUpload};
use crate::sql::{self, values};
use crate::tx::Tx;
use domain::Date;
use domain::ids::CycleId;
use uuid::Uuid;

impl Tx {
    pub async fn insert_upload(&self, upload: &ImportUpload) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(upload)).await.map(|_| ())
    }

    /// Keeps the answers about a file that is not committed yet.
    pub async fn set_upload_settings(&self, id: Uuid, settings: &str) -> Result<()> {
        let sql = "UPDATE import_upload SET settings = $2 WHERE id = $1 AND batch_id IS NULL";
        found(sql::execute(&self.db, sql, values![id, settings]).await?)
    }

    /// Makes the file this batch's, once: `false` where it is another's already.
    pub async fn claim_upload(&self, id: Uuid, batch: Uuid) -> Result<bool> {
        let sql = "UPDATE import_upload SET batch_id = $2 WHERE id = $1 AND batch_id IS NULL";
        Ok(sql::execute(&self.db, sql, values![id, batch]).await? == 1)
    }

    pub async fn drop_upload(&self, id: Uuid) -> Result<()> {
        let sql = "DELETE FROM import_upload WHERE id = $1 AND batch_id IS NULL";
        found(sql::execute(&self.db, sql, values![id]).await?)
    }

    pub async fn save_import_map(&self, map: &ImportMap) -> Result<()> {
        sql::upsert(&self.db, std::slice::from_ref(map), &["owner", "name"]).await.map(|_| ())
    }

    pub async fn save_campaign_aliases(&self, aliases: &[CampaignAlias]) -> Result<()> {
        sql::upsert(&self.db, aliases, &["owner", "alias"]).await.map(|_| ())
    }

    /// Adds a chunk's counts, changes and exceptions to a batch.
    pub async fn grow_batch(
        &self,
        batch: &ImportBatch,
        changes: &[ImportChange],
        exceptions: &[ImportException],
    ) -> Result<()> {
        let sql = "UPDATE import_batch SET added = added + $2, changed = changed + $3, unchanged = unchanged + $4,
                   refused = refused + $5 WHERE id = $1";
        let counts = values![batch.id, batch.added, batch.changed, batch.unchanged, batch.refused];
        found(sql::execute(&self.db, sql, counts).await?)?;
        sql::insert(&self.db, changes).await?;
        sql::insert(&self.db, exceptions).await.map(|_| ())
    }

    /// Rows of a batch that a later batch, not undone, has changed again: undoing would take the later change back.
    pub async fn changed_again(&self, batch: Uuid) -> Result<i64> {
        let sql = "SELECT CAST(COUNT(*) AS bigint) AS n FROM import_change a
                   JOIN import_change b ON b.row_id = a.row_id AND b.batch_id <> a.batch_id
                   JOIN import_batch mine ON mine.id = a.batch_id
                   JOIN import_batch later ON later.id = b.batch_id AND later.at > mine.at AND later.undone_at IS NULL
                   WHERE a.batch_id = $1";
        Ok(sql::column(&self.db, "n", sql, values![batch]).await?.first().copied().unwrap_or(0))
    }

    /// New companies and people of a batch that something else refers to by now: they stay when it is undone.
    pub async fn keep_referenced(&self, batch: Uuid) -> Result<()> {
        let person = "DELETE FROM import_change WHERE batch_id = $1 AND table_name = 'person' AND before_json IS NULL AND (
                        EXISTS (SELECT 1 FROM touch t WHERE t.person_id = row_id AND (t.batch_id IS NULL OR t.batch_id <> $1))
                        OR EXISTS (SELECT 1 FROM deal d WHERE d.person_id = row_id AND (d.batch_id IS NULL OR d.batch_id <> $1)))";
        sql::execute(&self.db, person, values![batch]).await?;
        let company = "DELETE FROM import_change WHERE batch_id = $1 AND table_name = 'company' AND before_json IS NULL AND (
                         EXISTS (SELECT 1 FROM touch t WHERE t.company_id = row_id AND (t.batch_id IS NULL OR t.batch_id <> $1))
                         OR EXISTS (SELECT 1 FROM deal d WHERE d.company_id = row_id AND (d.batch_id IS NULL OR d.batch_id <> $1))
                         OR EXISTS (SELECT 1 FROM person p WHERE p.company_id = row_id AND NOT EXISTS (
                           SELECT 1 FROM import_change c WHERE c.batch_id = $1 AND c.row_id = p.id)))";
        sql::execute(&self.db, company, values![batch]).await.map(|_| ())
    }

    /// Counts one click of a link's day, up to `most` a day: a flood says no more than that.
    pub async fn count_click(&self, code: &str, day: Date, most: i64) -> Result<()> {
        let sql = "INSERT INTO visit (code, day, clicks) VALUES ($1, $2, 1)
                   ON CONFLICT (code, day) DO UPDATE SET clicks = visit.clicks + 1 WHERE visit.clicks < $3";
        sql::execute(&self.db, sql, values![code, day, most]).await.map(|_| ())
    }

    /// Cycles whose campaigns touched these companies or people.
    pub async fn cycles_touching(&self, companies: &[Uuid], people: &[Uuid]) -> Result<Vec<CycleId>> {
        let mut cycles = Vec::new();
        for (column, ids) in [("company_id", companies), ("person_id", people)] {
            for ids in ids.chunks(500) {
                let wanted = crate::filter::Where::default().among(column, ids).and("cycle_id IS NOT NULL", Vec::new());
                let sql = format!("SELECT DISTINCT cycle_id FROM touch {}", wanted.sql());
                cycles.extend(sql::column::<CycleId>(&self.db, "cycle_id", &sql, wanted.values).await?);
            }
        }
        cycles.sort_unstable();
        cycles.dedup();
        Ok(cycles)
    }
}
