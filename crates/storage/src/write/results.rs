//! The results side and files: links, visits, companies, responders, touches, deals, imports, uploads.

use super::people::found;
use crate::error::{Error, Result};
use crate::rows::{Company, Deal, File, ImportBatch, ImportChange, Link, Person, Touch};
use crate::sql::{self, Table, values};
use crate::tx::Tx;
use domain::ids::{CycleId, FileId};
use domain::{Date, Instant};
use uuid::Uuid;

impl Tx {
    pub async fn insert_links(&self, links: &[Link]) -> Result<()> {
        sql::insert(&self.db, links).await.map(|_| ())
    }

    /// Adds clicks to a link's day.
    pub async fn count_visit(&self, code: &str, day: Date, clicks: i64) -> Result<()> {
        let sql = "INSERT INTO visit (code, day, clicks) VALUES ($1, $2, $3)
                   ON CONFLICT (code, day) DO UPDATE SET clicks = visit.clicks + excluded.clicks";
        sql::execute(&self.db, sql, values![code, day, clicks]).await.map(|_| ())
    }

    /// Writes companies; those whose id is there already are overwritten. A domain or CRM id that belongs to another
    /// row is [`Error::Duplicate`].
    pub async fn save_companies(&self, companies: &[Company]) -> Result<()> {
        sql::upsert(&self.db, companies, &["id"]).await.map(|_| ())
    }

    pub async fn save_people(&self, people: &[Person]) -> Result<()> {
        sql::upsert(&self.db, people, &["id"]).await.map(|_| ())
    }

    pub async fn save_touches(&self, touches: &[Touch]) -> Result<()> {
        sql::upsert(&self.db, touches, &["id"]).await.map(|_| ())
    }

    pub async fn save_deals(&self, deals: &[Deal]) -> Result<()> {
        sql::upsert(&self.db, deals, &["id"]).await.map(|_| ())
    }

    pub async fn company_by_domain(&self, domain: &str) -> Result<Option<Company>> {
        sql::maybe(&self.db, &sql::select::<Company>("WHERE domain = $1"), values![domain]).await
    }

    pub async fn company_by_crm_id(&self, crm_id: &str) -> Result<Option<Company>> {
        sql::maybe(&self.db, &sql::select::<Company>("WHERE crm_id = $1"), values![crm_id]).await
    }

    pub async fn person_by_email(&self, email_norm: &str) -> Result<Option<Person>> {
        sql::maybe(&self.db, &sql::select::<Person>("WHERE email_norm = $1"), values![email_norm]).await
    }

    pub async fn person_by_crm_id(&self, crm_id: &str) -> Result<Option<Person>> {
        sql::maybe(&self.db, &sql::select::<Person>("WHERE crm_id = $1"), values![crm_id]).await
    }

    /// The touch a source wrote under this id before.
    pub async fn touch_by_external(&self, source: &str, external_id: &str) -> Result<Option<Touch>> {
        let tail = "WHERE source = $1 AND external_id = $2";
        sql::maybe(&self.db, &sql::select::<Touch>(tail), values![source, external_id]).await
    }

    pub async fn deal_by_external(&self, external_id: &str) -> Result<Option<Deal>> {
        sql::maybe(&self.db, &sql::select::<Deal>("WHERE external_id = $1"), values![external_id]).await
    }

    pub async fn insert_batch(&self, batch: &ImportBatch, changes: &[ImportChange]) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(batch)).await?;
        sql::insert(&self.db, changes).await.map(|_| ())
    }

    /// Puts back what a batch found, newest change first: new rows go, changed rows are as they were. Says which
    /// cycles' touches or deals were affected. A batch that is undone already is [`Error::NotFound`].
    pub async fn undo_batch(&self, batch: Uuid, now: Instant) -> Result<Vec<CycleId>> {
        let sql = "UPDATE import_batch SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL";
        found(sql::execute(&self.db, sql, values![batch, now]).await?)?;
        let sql = "SELECT DISTINCT cycle_id FROM touch WHERE batch_id = $1 AND cycle_id IS NOT NULL
                   UNION SELECT cycle_id FROM deal WHERE batch_id = $1 AND cycle_id IS NOT NULL";
        let cycles = sql::column(&self.db, "cycle_id", sql, values![batch]).await?;
        let tail = "WHERE batch_id = $1 ORDER BY n DESC";
        let changes: Vec<ImportChange> = sql::all(&self.db, &sql::select::<ImportChange>(tail), values![batch]).await?;
        for change in &changes {
            match change.table_name.as_str() {
                "company" => self.put_back::<Company>(change).await?,
                "person" => self.put_back::<Person>(change).await?,
                "touch" => self.put_back::<Touch>(change).await?,
                "deal" => self.put_back::<Deal>(change).await?,
                other => return Err(Error::Corrupt(format!("import_change names the table {other:?}"))),
            }
        }
        Ok(cycles)
    }

    async fn put_back<T: Table + serde::de::DeserializeOwned>(&self, change: &ImportChange) -> Result<()> {
        if let Some(json) = &change.before_json {
            let row: T = sql::from_json(json, "import_change.before_json")?;
            return sql::upsert(&self.db, &[row], &["id"]).await.map(|_| ());
        }
        let sql = format!("DELETE FROM {} WHERE id = $1", T::NAME);
        sql::execute(&self.db, &sql, values![change.row_id]).await.map(|_| ())
    }

    pub async fn insert_file(&self, file: &File) -> Result<()> {
        sql::insert_or(&self.db, std::slice::from_ref(file), "ON CONFLICT (id) DO NOTHING").await.map(|_| ())
    }

    /// The bytes are safely stored.
    pub async fn file_is_ready(&self, file: FileId) -> Result<()> {
        found(sql::execute(&self.db, "UPDATE file SET ready = TRUE WHERE id = $1", values![file]).await?)
    }

    /// Forgets uploads that broke off before `before`; gives the hashes whose bytes may go, where no other file has
    /// the same.
    pub async fn sweep_files(&self, before: Instant) -> Result<Vec<String>> {
        let sql = "DELETE FROM file WHERE NOT ready AND at < $1 RETURNING sha256";
        let gone: Vec<String> = sql::column(&self.db, "sha256", sql, values![before]).await?;
        let mut orphans = Vec::new();
        for hash in gone {
            let still = "SELECT sha256 FROM file WHERE sha256 = $1 LIMIT 1";
            if sql::column::<String>(&self.db, "sha256", still, values![hash]).await?.is_empty() {
                orphans.push(hash);
            }
        }
        Ok(orphans)
    }
}
