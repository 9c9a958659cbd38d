//! Programs and their guides. Every signed-in person may read the rules they play by.

use super::Reader;
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::load::{self, NOT_WITHDRAWN};
use crate::rows::{Guide, GuideWithdrawal, Program};
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use domain::Date;
use domain::cycle::{Cycle, Partner};
use domain::ids::{ProgramId, UserId};

/// A version of a guide, and what became of it.
#[derive(Clone, PartialEq, Debug)]
pub struct GuideVersion {
    pub guide: Guide,
    /// Who activated it.
    pub by: Option<String>,
    pub withdrawn: Option<GuideWithdrawal>,
}

rows! {
    view Name {
        id: UserId,
        name: String,
    }
}

impl Reader {
    /// All programs, by code.
    pub async fn programs(&self, _viewer: &Viewer) -> Result<Vec<Program>> {
        sql::all(&self.db, &sql::select::<Program>("ORDER BY code"), Vec::new()).await
    }

    /// A program by its code.
    pub async fn program(&self, _viewer: &Viewer, code: &str) -> Result<Program> {
        sql::one(&self.db, &sql::select::<Program>("WHERE code = $1"), values![code]).await
    }

    /// Every version of a program's guide that counted, counts or may come to count, newest first.
    pub async fn guides(&self, _viewer: &Viewer, program: ProgramId) -> Result<Vec<Guide>> {
        let tail = format!("WHERE program_id = $1 AND {NOT_WITHDRAWN} ORDER BY effective_from DESC, version DESC");
        sql::all(&self.db, &sql::select::<Guide>(&tail), values![program]).await
    }

    /// Every version there ever was, newest first, with who activated it and whether it was taken back: for those who keep
    /// the guides. Nobody else finds any.
    pub async fn guide_history(&self, viewer: &Viewer, program: ProgramId) -> Result<Vec<GuideVersion>> {
        if !viewer.keeps_guides() {
            return Err(Error::NotFound);
        }
        let tail = "WHERE program_id = $1 ORDER BY effective_from DESC, version DESC";
        let guides: Vec<Guide> = sql::all(&self.db, &sql::select::<Guide>(tail), values![program]).await?;
        let tail = "WHERE program_id = $1";
        let withdrawn: Vec<GuideWithdrawal> =
            sql::all(&self.db, &sql::select::<GuideWithdrawal>(tail), values![program]).await?;
        let named = "SELECT id, name FROM app_user WHERE id IN (SELECT created_by FROM guide WHERE program_id = $1)";
        let names: Vec<Name> = sql::all(&self.db, named, values![program]).await?;
        let version = |guide: Guide| GuideVersion {
            by: names.iter().find(|name| Some(name.id) == guide.created_by).map(|name| name.name.clone()),
            withdrawn: withdrawn.iter().find(|taken| taken.version == guide.version).cloned(),
            guide,
        };
        Ok(guides.into_iter().map(version).collect())
    }

    /// A program's code, for an address.
    pub async fn program_code(&self, _viewer: &Viewer, id: ProgramId) -> Result<String> {
        Ok(load::program(&self.db, id).await?.code)
    }

    pub async fn guide(&self, _viewer: &Viewer, program: ProgramId, version: u32) -> Result<Guide> {
        let tail = "WHERE program_id = $1 AND version = $2";
        sql::one(&self.db, &sql::select::<Guide>(tail), values![program, version]).await
    }

    /// Cycles of a program that asked for money, the latest first, from below a running number on: for a simulation.
    /// The wall stands: a viewer who may not see every partner gets none of the others'.
    pub async fn asked_cycles(
        &self,
        viewer: &Viewer,
        program: ProgramId,
        below: u32,
        most: u32,
    ) -> Result<Vec<(Cycle, Partner, Guide)>> {
        let found = Where::default().eq("program_id", Some(program)).within(viewer.scope(), "partner_id", "region");
        let sql = format!(
            "SELECT doc FROM cycle {} AND serial < {below} AND asked > 0 ORDER BY serial DESC LIMIT {most}",
            found.sql()
        );
        let docs: Vec<String> = sql::column(&self.db, "doc", &sql, found.values).await?;
        let mut cycles = Vec::with_capacity(docs.len());
        for doc in docs {
            let cycle: Cycle = sql::from_json(&doc, "cycle.doc")?;
            let partner = load::partner(&self.db, cycle.partner).await?;
            let guide = load::guide_of(&self.db, &cycle).await?;
            cycles.push((cycle, partner, guide));
        }
        Ok(cycles)
    }

    /// The guide in force on a day, or the first one where none is yet.
    pub async fn guide_on(&self, _viewer: &Viewer, program: ProgramId, day: Date) -> Result<Guide> {
        load::guide_on(&self.db, program, day).await
    }
}
