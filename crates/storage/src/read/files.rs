//! Uploaded files.

use super::Reader;
use crate::error::Result;
use crate::filter::Where;
use crate::rows::File;
use crate::sql;
use crate::viewer::Viewer;
use domain::ids::{CycleId, FileId};

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
}
