//! Programs and their guides. Every signed-in person may read the rules they play by.

use super::Reader;
use crate::error::Result;
use crate::rows::{Guide, Program};
use crate::sql::{self, values};
use crate::viewer::Viewer;
use domain::Date;
use domain::ids::ProgramId;

impl Reader {
    /// All programs, by code.
    pub async fn programs(&self, _viewer: &Viewer) -> Result<Vec<Program>> {
        sql::all(&self.db, &sql::select::<Program>("ORDER BY code"), values![]).await
    }

    /// A program by its code.
    pub async fn program(&self, _viewer: &Viewer, code: &str) -> Result<Program> {
        sql::one(&self.db, &sql::select::<Program>("WHERE code = $1"), values![code]).await
    }

    /// Every version of a program's guide, newest first.
    pub async fn guides(&self, _viewer: &Viewer, program: ProgramId) -> Result<Vec<Guide>> {
        let tail = "WHERE program_id = $1 ORDER BY effective_from DESC, version DESC";
        sql::all(&self.db, &sql::select::<Guide>(tail), values![program]).await
    }

    /// The guide in force on a day, or the first one where none is yet.
    pub async fn guide_on(&self, viewer: &Viewer, program: ProgramId, day: Date) -> Result<Guide> {
        let guides = self.guides(viewer, program).await?;
        let in_force = guides.iter().find(|guide| guide.effective_from <= day).or(guides.last());
        in_force.cloned().ok_or(crate::error::Error::NotFound)
    }
}
