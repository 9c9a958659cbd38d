//! Programs and their guides. Every signed-in person may read the rules they play by.

use super::Reader;
use crate::error::Result;
use crate::rows::{Guide, Program};
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use domain::Date;
use domain::ids::{FundId, ProgramId};

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

rows! {
    /// Credit of one fund that expires on one day.
    view ExpiringLot {
        fund_id: FundId,
        lot: Date,
    }
}

impl Reader {
    /// Which funds hold credit that expires between two days, both included.
    pub async fn lots_expiring(&self, from: Date, to: Date) -> Result<Vec<(FundId, Date)>> {
        let sql = "SELECT DISTINCT fund_id, lot FROM account
                   WHERE kind = 'available' AND balance > 0 AND lot >= $1 AND lot <= $2 ORDER BY lot, fund_id";
        let lots: Vec<ExpiringLot> = sql::all(&self.db, sql, values![from, to]).await?;
        Ok(lots.into_iter().map(|lot| (lot.fund_id, lot.lot)).collect())
    }
}
