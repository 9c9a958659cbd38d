//! Programs, guides, settings, running numbers.

use super::people::found;
use crate::error::{Error, Result};
use crate::load;
use crate::rows::{Guide, GuideWithdrawal, Program, TermsRow};
use crate::sql::{self, values};
use crate::tx::Tx;
use domain::Date;
use domain::ids::ProgramId;

impl Tx {
    pub async fn insert_program(&self, program: &Program) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(program)).await.map(|_| ())
    }

    pub async fn update_program(&self, program: &Program) -> Result<()> {
        found(sql::update(&self.db, program, &["id"], "", Vec::new()).await?)
    }

    pub async fn program(&self, id: ProgramId) -> Result<Program> {
        load::program(&self.db, id).await
    }

    /// A version is written once; a taken one is [`Error::Duplicate`].
    pub async fn insert_guide(&self, guide: &Guide) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(guide)).await.map(|_| ())
    }

    /// The number the next version of a guide gets.
    pub async fn next_guide_version(&self, program: ProgramId) -> Result<u32> {
        let sql = "SELECT COALESCE(MAX(version), 0) + 1 AS next FROM guide WHERE program_id = $1";
        let next = sql::column(&self.db, "next", sql, values![program]).await?;
        next.first().copied().ok_or(Error::NotFound)
    }

    /// The guide in force on a day: the one effective last by then; before the first, the first.
    pub async fn guide_on(&self, program: ProgramId, day: Date) -> Result<Guide> {
        load::guide_on(&self.db, program, day).await
    }

    /// Every version of a program's guide, oldest first.
    pub async fn guides(&self, program: ProgramId) -> Result<Vec<Guide>> {
        sql::all(&self.db, &sql::select::<Guide>("WHERE program_id = $1 ORDER BY version"), values![program]).await
    }

    pub async fn guide(&self, program: ProgramId, version: u32) -> Result<Guide> {
        let tail = "WHERE program_id = $1 AND version = $2";
        sql::one(&self.db, &sql::select::<Guide>(tail), values![program, version]).await
    }

    /// Takes a version back that has not come to count. One that was taken back already is [`Error::Duplicate`].
    pub async fn withdraw_guide(&self, withdrawal: &GuideWithdrawal) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(withdrawal)).await.map(|_| ())
    }

    /// Keeps that a partner accepted terms. The same version is kept once.
    pub async fn accept_terms(&self, terms: &TermsRow) -> Result<()> {
        let once = "ON CONFLICT (partner_id, program_id, version) DO NOTHING";
        sql::insert_or(&self.db, std::slice::from_ref(terms), once).await.map(|_| ())
    }

    /// What the installation remembers of itself, such as its secret.
    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let found = sql::column(&self.db, "value", "SELECT value FROM setting WHERE name = $1", values![name]).await?;
        Ok(found.into_iter().next())
    }

    pub async fn set_setting(&self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sql::execute(&self.db, sql, values![name, value]).await.map(|_| ())
    }

    /// The next running number of a cycle and what people call it, `C-2026-0042`. The number runs on over the years.
    pub async fn next_cycle_number(&self, year: i32) -> Result<(u32, String)> {
        let sql = "INSERT INTO counter (name, value) VALUES ('cycle', 1)
                   ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value";
        let serial: Vec<u32> = sql::column(&self.db, "value", sql, Vec::new()).await?;
        let serial = serial.first().copied().ok_or(Error::NotFound)?;
        Ok((serial, format!("C-{year}-{serial:04}")))
    }
}
