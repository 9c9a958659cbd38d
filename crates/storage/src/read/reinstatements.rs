//! Forfeited credit that somebody wants back: what waits for a further person, on every fund.

use super::Reader;
use super::cycle::in_whose_place;
use super::funds::vendor_only;
use crate::error::Result;
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use domain::Instant;
use domain::fund::Reinstatement;
use domain::ids::FundId;

/// A reinstatement that waits, and who asked for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingReinstatement {
    pub fund_code: String,
    pub fund_name: String,
    pub fund_version: i64,
    pub partner: String,
    /// Who proposed it, and in whose place.
    pub by: String,
    pub at: Instant,
    pub wanted: Reinstatement,
}

rows! {
    view Holder {
        id: FundId,
        code: String,
        name: String,
        version: i64,
        reinstatements: Vec<Reinstatement>,
    }

    view Proposed {
        actor_name: String,
        acting_for: Option<String>,
        at: Instant,
    }
}

impl Reader {
    /// What waits on one fund or on all, by fund and then oldest first. For the vendor's people only.
    pub async fn reinstatements(&self, viewer: &Viewer, of: Option<FundId>) -> Result<Vec<WaitingReinstatement>> {
        vendor_only(viewer)?;
        let sql = "SELECT id, code, name, version, reinstatements FROM fund WHERE reinstatements <> '[]' ORDER BY code";
        let holders: Vec<Holder> = sql::all(&self.db, sql, values![]).await?;
        let mut waiting = Vec::new();
        for fund in holders.into_iter().filter(|fund| of.is_none_or(|wanted| wanted == fund.id)) {
            for wanted in fund.reinstatements {
                let sql = "SELECT actor_name, acting_for, at FROM event WHERE stream = $1 AND seq = $2";
                let proposed: Proposed = sql::one(&self.db, sql, values![fund.id, wanted.no]).await?;
                let name = "SELECT name FROM partner WHERE id = $1";
                let names: Vec<String> = sql::column(&self.db, "name", name, values![wanted.partner]).await?;
                waiting.push(WaitingReinstatement {
                    fund_code: fund.code.clone(),
                    fund_name: fund.name.clone(),
                    fund_version: fund.version,
                    partner: names.into_iter().next().unwrap_or_default(),
                    by: in_whose_place(&proposed.actor_name, proposed.acting_for.as_deref()),
                    at: proposed.at,
                    wanted,
                });
            }
        }
        Ok(waiting)
    }
}
