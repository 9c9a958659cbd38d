//! Use it or lose it: credit with an end, what is free of it and what is committed, the nearest end first.

use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::Where;
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use domain::Date;
use domain::ids::{FundId, PartnerId};
use domain::money::{Currency, Money};

/// Which credit to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpiringFilter {
    /// Expiring from this day on,
    pub from: Date,
    /// and until this one.
    pub until: Date,
    pub fund: Option<FundId>,
    pub partner: Option<PartnerId>,
    pub region: Option<String>,
}

rows! {
    /// The credit of one partner in one fund that expires on one day.
    view ExpiringLine {
        fund_id: FundId,
        fund_code: String,
        fund_name: String,
        partner_id: PartnerId,
        partner_name: String,
        region: String,
        /// The last day it can be used.
        lot: Date,
        currency: Currency,
        /// In the wallet, and lost unless a request commits it.
        free: Money,
        /// Held by running cycles; what they do not claim is lost when it comes back after the day.
        committed: Money,
        /// One of the cycles that hold it.
        number: Option<String>,
    }

    /// Everything of one currency that expires on one day.
    view ExpiringSum {
        currency: Currency,
        lot: Date,
        free: Money,
        committed: Money,
    }
}

/// Both arms go by a partial index on the day.
const LOTS: &str = "(SELECT fund_id, partner_id, lot, currency, balance AS free, 0 AS committed, NULL AS cycle_id
       FROM account WHERE kind = 'available' AND balance > 0 AND lot >= $1 AND lot <= $2
     UNION ALL
     SELECT fund_id, partner_id, lot, currency, 0 AS free, balance AS committed, cycle_id
       FROM account WHERE kind = 'committed' AND balance > 0 AND lot >= $1 AND lot <= $2) l
     JOIN fund f ON f.id = l.fund_id JOIN partner p ON p.id = l.partner_id";

impl Reader {
    /// Credit that expires, the nearest day first; a partner's people see their own.
    pub async fn expiring_credit(
        &self,
        viewer: &Viewer,
        filter: &ExpiringFilter,
        paging: &Paging,
    ) -> Result<Page<ExpiringLine>> {
        let mut found = filter.conditions(viewer);
        if let Some((lot, name, partner, fund)) = paging.cursor::<(Date, String, PartnerId, FundId)>()? {
            found =
                found.and("(l.lot, p.name, l.partner_id, l.fund_id) > (?, ?, ?, ?)", values![lot, name, partner, fund]);
        }
        let sql = format!(
            "SELECT l.fund_id, f.code AS fund_code, f.name AS fund_name, l.partner_id, p.name AS partner_name, p.region,
                    l.lot, l.currency, CAST(SUM(l.free) AS bigint) AS free, CAST(SUM(l.committed) AS bigint) AS committed,
                    MIN(c.number) AS number
             FROM {LOTS} LEFT JOIN cycle c ON c.id = l.cycle_id {}
             GROUP BY l.fund_id, f.code, f.name, l.partner_id, p.name, p.region, l.lot, l.currency
             ORDER BY l.lot, p.name, l.partner_id, l.fund_id LIMIT {}",
            found.sql_after(2),
            paging.one_more()
        );
        let mut values = values![filter.from, filter.until];
        values.extend(found.values);
        let rows: Vec<ExpiringLine> = sql::all(&self.db, &sql, values).await?;
        Ok(paging.page(rows, |line| (line.lot, line.partner_name.clone(), line.partner_id, line.fund_id)))
    }

    /// The same, added up by currency and day; sums of different currencies are never added.
    pub async fn expiring_sums(&self, viewer: &Viewer, filter: &ExpiringFilter) -> Result<Vec<ExpiringSum>> {
        let found = filter.conditions(viewer);
        let sql = format!(
            "SELECT l.currency, l.lot, CAST(SUM(l.free) AS bigint) AS free, CAST(SUM(l.committed) AS bigint) AS committed
             FROM {LOTS} {} GROUP BY l.currency, l.lot ORDER BY l.currency, l.lot",
            found.sql_after(2)
        );
        let mut values = values![filter.from, filter.until];
        values.extend(found.values);
        sql::all(&self.db, &sql, values).await
    }
}

impl ExpiringFilter {
    fn conditions(&self, viewer: &Viewer) -> Where {
        Where::default()
            .eq("l.fund_id", self.fund)
            .eq("l.partner_id", self.partner)
            .eq("p.region", self.region.as_deref())
            .within(viewer.scope(), "p.id", "p.region")
    }
}
