//! Accruals, and periods that are closed.

use crate::error::Result;
use crate::periods::{self, LINE, PeriodClose};
use crate::rows::Accrual;
use crate::sql::{self, values};
use crate::tx::Tx;
use domain::fund::{Fund, PeriodFacts};
use domain::ids::{EventId, FundId, ProgramId};
use domain::ledger::Balance;
use domain::{Date, Instant};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Tx {
    /// The first day of a fund that lies in no closed period.
    pub async fn first_open_day(&self, fund: &Fund) -> Result<Date> {
        periods::first_open_day(&self.db, fund).await
    }

    /// What closing a period looks at, and every wallet of the fund.
    pub async fn period_facts(&self, fund: &Fund, first: Date, last: Date) -> Result<(PeriodFacts, Vec<Balance>)> {
        periods::facts(&self.db, fund, first, last).await
    }

    /// Every wallet of a fund that holds something.
    pub async fn wallets(&self, fund: &Fund) -> Result<Vec<Balance>> {
        periods::wallets(&self.db, fund).await
    }

    /// Records that a period is closed, and what was in every account at its end: what the closing before held and what
    /// moved since.
    pub(crate) async fn keep_closing(
        &self,
        fund: FundId,
        (first_day, last_day): (Date, Date),
        event_id: EventId,
        at: Instant,
    ) -> Result<()> {
        let base = periods::base(&self.db, fund, last_day).await?;
        let close = PeriodClose { fund_id: fund, last_day, first_day, event_id, at };
        sql::insert(&self.db, &[close]).await?;
        let sql = format!(
            "INSERT INTO closing (fund_id, day, n, {LINE}, amount)
             SELECT c.fund_id, c.last_day, row_number() OVER (ORDER BY s.kind, s.partner_id, s.cycle_id, s.item, s.lot),
                    s.kind, s.partner_id, s.cycle_id, s.item, s.lot, s.amount
             FROM (SELECT {LINE}, CAST(SUM(change) AS bigint) AS amount FROM ({}) m GROUP BY {LINE}
                   HAVING SUM(change) <> 0) s
             JOIN period_close c ON c.fund_id = $1 AND c.last_day = $5",
            periods::moved(false)
        );
        let mut values = base.values(fund, last_day);
        values.extend(values![last_day]);
        sql::execute(&self.db, &sql, values).await.map(|_| ())
    }

    /// Purchases of a program that have earned already and were not taken back.
    pub async fn accruals(&self, program: ProgramId, purchases: &BTreeSet<String>) -> Result<Vec<Accrual>> {
        crate::known::accruals(&self.db, program, purchases).await
    }

    pub async fn insert_accruals(&self, rows: &[Accrual]) -> Result<()> {
        sql::insert(&self.db, rows).await.map(|_| ())
    }

    /// What an import earned, by fund; locked until the end of the transaction.
    pub async fn accruals_of(&self, batch: Uuid) -> Result<Vec<Accrual>> {
        let tail = format!(
            "WHERE batch_id = $1 AND taken_back_at IS NULL ORDER BY fund_id, purchase {}",
            sql::for_update(&self.db, false)
        );
        sql::all(&self.db, &sql::select::<Accrual>(&tail), values![batch]).await
    }

    /// What an import earned is taken back; the purchases may be imported again.
    pub async fn take_accruals_back(&self, batch: Uuid, now: Instant) -> Result<()> {
        let sql = "UPDATE accrual SET taken_back_at = $2 WHERE batch_id = $1 AND taken_back_at IS NULL";
        sql::execute(&self.db, sql, values![batch, now]).await.map(|_| ())
    }
}
