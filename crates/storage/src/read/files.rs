//! Uploaded files.

use super::Reader;
use crate::error::Result;
use crate::filter::Where;
use crate::rows::File;
use crate::sql;
use crate::tx::Tx;
use crate::viewer::{Scope, Viewer};
use domain::ids::{CycleId, FileId};
use sea_orm::ConnectionTrait;

const REGION: &str = "(SELECT p.region FROM partner p WHERE p.id = file.partner_id)";

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

    /// Those of these files that were handed in to this very cycle and are wholly stored.
    pub async fn files_named(&self, viewer: &Viewer, cycle: CycleId, ids: &[FileId]) -> Result<Vec<File>> {
        named(&self.db, viewer.scope(), cycle, ids).await
    }
}

impl Tx {
    /// The same inside a transaction that has locked the cycle.
    pub async fn files_named(&self, cycle: CycleId, ids: &[FileId]) -> Result<Vec<File>> {
        named(&self.db, &Scope::All, cycle, ids).await
    }
}

async fn named(db: &impl ConnectionTrait, scope: &Scope, cycle: CycleId, ids: &[FileId]) -> Result<Vec<File>> {
    let mut files = Vec::new();
    // An engine takes so many values in one statement and no more.
    for some in ids.chunks(100) {
        let found = Where::default().eq("cycle_id", Some(cycle)).among("id", some).and("ready", Vec::new());
        let found = found.within(scope, "partner_id", REGION);
        files.extend(sql::all::<File>(db, &sql::select::<File>(&found.sql()), found.values).await?);
    }
    Ok(files)
}
