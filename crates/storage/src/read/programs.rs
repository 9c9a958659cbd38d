//! Programs and their guides. Every signed-in person may read the rules they play by.

use super::Reader;
use crate::error::Result;
use crate::load;
use crate::rows::{Guide, Program};
use crate::sql::{self, values};
use crate::viewer::Viewer;
use domain::Date;
use domain::ids::ProgramId;

impl Reader {
    /// All programs, by code.
    pub async fn programs(&self, _viewer: &Viewer) -> Result<Vec<Program>> {
        sql::all(&self.db, &sql::select::<Program>("ORDER BY code"), Vec::new()).await
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

    pub async fn guide(&self, _viewer: &Viewer, program: ProgramId, version: u32) -> Result<Guide> {
        let tail = "WHERE program_id = $1 AND version = $2";
        sql::one(&self.db, &sql::select::<Guide>(tail), values![program, version]).await
    }

    /// The guide in force on a day, or the first one where none is yet.
    pub async fn guide_on(&self, _viewer: &Viewer, program: ProgramId, day: Date) -> Result<Guide> {
        load::guide_on(&self.db, program, day).await
    }
}
