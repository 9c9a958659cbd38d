//! Movements of money, month by month and one by one, and what was in wallets and accounts on any past day.

use super::cycle::TimelineEntry;
use super::{Page, Paging, Reader};
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::sql::{self, rows, values};
use crate::viewer::{Scope, Viewer};
use chrono::{Days, NaiveTime};
use domain::ids::{CycleId, EventId, FundId, PartnerId};
use domain::ledger::{Account, AccountKind};
use domain::money::{Currency, Money};
use domain::{Date, Instant};
use uuid::Uuid;

rows! {
    /// What one month added to one kind of account of a fund.
    view BurnLine {
        /// The month's first day.
        month: Date,
        kind: AccountKind,
        currency: Currency,
        net: Money,
    }

    /// Credit of a partner: one line a fund and expiry day; or what a partner owes, of kind `recoverable`.
    view WalletLot {
        partner_id: PartnerId,
        partner: String,
        fund_id: FundId,
        fund_name: String,
        kind: AccountKind,
        /// The last good day; `None` never expires.
        lot: Option<Date>,
        currency: Currency,
        amount: Money,
    }

    /// What a partner has of one kind in one fund, over all lots and cycles.
    view WalletSum {
        fund_id: FundId,
        fund_name: String,
        kind: AccountKind,
        currency: Currency,
        amount: Money,
    }

    view ExpiringLot {
        fund_id: FundId,
        lot: Date,
    }

    /// One posting, and the event it came with.
    view Movement {
        event_id: EventId,
        n: u16,
        at: Instant,
        from_kind: AccountKind,
        to_kind: AccountKind,
        lot: Option<Date>,
        currency: Currency,
        amount: Money,
        fund_id: FundId,
        fund: String,
        partner_id: Option<PartnerId>,
        partner: Option<String>,
        cycle_id: Option<CycleId>,
        /// The cycle's number.
        number: Option<String>,
        kind: String,
        words: String,
    }
}

rows! {
    /// What was in one account at the end of a day.
    view AccountLine {
        fund: String,
        kind: AccountKind,
        partner: Option<String>,
        /// The cycle's number.
        number: Option<String>,
        /// The campaign's or claim's number inside the cycle.
        item: Option<u16>,
        /// The last good day of the credit in it.
        lot: Option<Date>,
        currency: Currency,
        amount: Money,
    }
}

/// Whose movements to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MovementsOf {
    Fund(FundId),
    Partner(PartnerId),
    Account(Account),
}

const REGION_OF_POSTING: &str = "(SELECT r.region FROM partner r WHERE r.id = x.partner_id)";

impl Reader {
    /// A fund month by month, for the burn chart: every kind of account that moved.
    pub async fn fund_burn(&self, viewer: &Viewer, fund: FundId) -> Result<Vec<BurnLine>> {
        vendor_only(viewer)?;
        let sql = "SELECT b.month, b.kind, b.net, f.currency FROM fund_month b JOIN fund f ON f.id = b.fund_id
                   WHERE b.fund_id = $1 ORDER BY b.month, b.kind";
        sql::all(&self.db, sql, values![fund]).await
    }

    /// A fund's own timeline, newest first.
    pub async fn fund_timeline(&self, viewer: &Viewer, fund: FundId, paging: &Paging) -> Result<Page<TimelineEntry>> {
        vendor_only(viewer)?;
        self.events_of(fund.0, true, paging).await
    }

    /// Credit whose last good day is between two days, soonest first; at most 500 lots.
    pub async fn expiring(&self, viewer: &Viewer, from: Date, to: Date) -> Result<Vec<WalletLot>> {
        let found = Where::default()
            .and("a.kind = 'available' AND a.balance > 0 AND a.lot >= ? AND a.lot <= ?", values![from, to])
            .within(viewer.scope(), "a.partner_id", "p.region");
        self.lots(found).await
    }

    /// Which funds hold credit whose last good day is between two days, both included.
    pub async fn lots_expiring(&self, from: Date, to: Date) -> Result<Vec<(FundId, Date)>> {
        let sql = "SELECT DISTINCT fund_id, lot FROM account
                   WHERE kind = 'available' AND balance > 0 AND lot >= $1 AND lot <= $2 ORDER BY lot, fund_id";
        let lots: Vec<ExpiringLot> = sql::all(&self.db, sql, values![from, to]).await?;
        Ok(lots.into_iter().map(|lot| (lot.fund_id, lot.lot)).collect())
    }

    /// The accounts first, by their own index: CROSS JOIN keeps SQLite from going through every partner of a region.
    async fn lots(&self, found: Where) -> Result<Vec<WalletLot>> {
        let found = found.and("p.id = a.partner_id AND f.id = a.fund_id", Vec::new());
        let sql = format!(
            "SELECT a.partner_id, p.name AS partner, a.fund_id, f.name AS fund_name, a.kind, a.lot, a.currency,
             a.balance AS amount FROM account a CROSS JOIN partner p CROSS JOIN fund f
             {} ORDER BY CASE WHEN a.lot IS NULL THEN 1 ELSE 0 END, a.lot, f.code, p.name LIMIT 500",
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }

    /// What a partner has in each fund and kind, over all lots and cycles.
    pub async fn wallet_sums(&self, viewer: &Viewer, partner: PartnerId) -> Result<Vec<WalletSum>> {
        let found =
            Where::default().eq("a.partner_id", Some(partner)).within(viewer.scope(), "a.partner_id", "p.region");
        let sql = format!(
            "SELECT a.fund_id, f.name AS fund_name, a.kind, a.currency, CAST(SUM(a.balance) AS bigint) AS amount
             FROM account a JOIN partner p ON p.id = a.partner_id JOIN fund f ON f.id = a.fund_id
             {} GROUP BY a.fund_id, f.code, f.name, a.kind, a.currency ORDER BY f.code, a.kind",
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }

    /// The same at the end of a past day (UTC), from the postings.
    pub async fn wallet_sums_on(&self, viewer: &Viewer, partner: PartnerId, day: Date) -> Result<Vec<WalletSum>> {
        self.partner(viewer, partner).await?;
        let sql =
            "SELECT s.fund_id, f.name AS fund_name, s.kind, f.currency, CAST(SUM(s.change) AS bigint) AS amount FROM (
                     SELECT x.fund_id, t.kind, x.amount AS change FROM posting x JOIN account t ON t.id = x.to_id
                     WHERE x.partner_id = $1 AND x.at < $2 AND t.partner_id = $1
                     UNION ALL
                     SELECT x.fund_id, o.kind, -x.amount AS change FROM posting x JOIN account o ON o.id = x.from_id
                     WHERE x.partner_id = $1 AND x.at < $2 AND o.partner_id = $1
                   ) s JOIN fund f ON f.id = s.fund_id GROUP BY s.fund_id, f.code, f.name, s.kind, f.currency
                   ORDER BY f.code, s.kind";
        sql::all(&self.db, sql, values![partner, end_of(day)]).await
    }

    /// What was in one account at the end of a day (UTC), in minor units.
    pub async fn account_on(&self, viewer: &Viewer, account: &Account, day: Date) -> Result<i64> {
        self.may_see(viewer, MovementsOf::Account(*account)).await?;
        let sql = "SELECT CAST(COALESCE(SUM(change), 0) AS bigint) AS amount FROM (
                     SELECT amount AS change FROM posting WHERE to_id = $1 AND at < $2
                     UNION ALL SELECT -amount AS change FROM posting WHERE from_id = $1 AND at < $2
                   ) moves";
        let sums = sql::column(&self.db, "amount", sql, values![account.id(), end_of(day)]).await?;
        Ok(sums.first().copied().unwrap_or(0))
    }

    /// Every account of a fund or partner that held something at the end of a day (UTC), from the postings alone.
    pub async fn accounts_on(&self, viewer: &Viewer, of: MovementsOf, day: Date) -> Result<Vec<AccountLine>> {
        self.may_see(viewer, of).await?;
        let (column, id) = match of {
            MovementsOf::Fund(fund) => ("fund_id", fund.0),
            MovementsOf::Partner(partner) => ("partner_id", partner.0),
            MovementsOf::Account(account) => ("id", account.id()),
        };
        let sql = format!(
            "SELECT f.code AS fund, a.kind, p.name AS partner, c.number, a.item, a.lot, a.currency,
                    CAST(SUM(s.change) AS bigint) AS amount FROM (
               SELECT x.to_id AS id, x.amount AS change FROM posting x JOIN account t ON t.id = x.to_id
               WHERE t.{column} = $1 AND x.at < $2
               UNION ALL
               SELECT x.from_id AS id, -x.amount AS change FROM posting x JOIN account o ON o.id = x.from_id
               WHERE o.{column} = $1 AND x.at < $2
             ) s JOIN account a ON a.id = s.id JOIN fund f ON f.id = a.fund_id
             LEFT JOIN partner p ON p.id = a.partner_id LEFT JOIN cycle c ON c.id = a.cycle_id
             GROUP BY f.code, a.kind, p.name, c.number, a.item, a.lot, a.currency HAVING SUM(s.change) <> 0
             ORDER BY f.code, a.kind, p.name, c.number, a.item, a.lot"
        );
        sql::all(&self.db, &sql, values![id, end_of(day)]).await
    }

    /// Movements between two days (UTC, both included), newest first.
    pub async fn movements(
        &self,
        viewer: &Viewer,
        of: MovementsOf,
        days: (Option<Date>, Option<Date>),
        paging: &Paging,
    ) -> Result<Page<Movement>> {
        self.may_see(viewer, of).await?;
        let mut found = match of {
            MovementsOf::Fund(fund) => Where::default().eq("x.fund_id", Some(fund)),
            MovementsOf::Partner(partner) => Where::default().eq("x.partner_id", Some(partner)),
            MovementsOf::Account(account) => {
                Where::default().and("(x.from_id = ? OR x.to_id = ?)", values![account.id(), account.id()])
            }
        };
        found = found.within(viewer.scope(), "x.partner_id", REGION_OF_POSTING);
        if let Some(from) = days.0 {
            found = found.and("x.at >= ?", values![start_of(from)]);
        }
        if let Some(to) = days.1 {
            found = found.and("x.at < ?", values![end_of(to)]);
        }
        if let Some((at, event, n)) = paging.cursor::<(Instant, Uuid, u16)>()? {
            found = found.and("(x.at, x.event_id, x.n) < (?, ?, ?)", values![at, event, n]);
        }
        let sql = format!(
            "SELECT x.event_id, x.n, x.at, o.kind AS from_kind, t.kind AS to_kind, COALESCE(o.lot, t.lot) AS lot,
             x.currency, x.amount, x.fund_id, f.code AS fund, x.partner_id, p.name AS partner,
             COALESCE(t.cycle_id, o.cycle_id) AS cycle_id, c.number, e.kind, e.words
             FROM posting x JOIN account o ON o.id = x.from_id JOIN account t ON t.id = x.to_id
             JOIN fund f ON f.id = x.fund_id JOIN event e ON e.id = x.event_id
             LEFT JOIN partner p ON p.id = x.partner_id LEFT JOIN cycle c ON c.id = COALESCE(t.cycle_id, o.cycle_id)
             {} ORDER BY x.at DESC, x.event_id DESC, x.n DESC LIMIT {}",
            found.sql(),
            paging.one_more()
        );
        let rows: Vec<Movement> = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |line| (line.at, line.event_id, line.n)))
    }

    /// A fund's movements are the vendor's to see; a partner's and their accounts', also that partner's.
    async fn may_see(&self, viewer: &Viewer, of: MovementsOf) -> Result<()> {
        match of {
            MovementsOf::Partner(partner) => self.partner(viewer, partner).await.map(|_| ()),
            MovementsOf::Account(Account { partner: Some(partner), .. }) => {
                self.partner(viewer, partner).await.map(|_| ())
            }
            MovementsOf::Fund(_) | MovementsOf::Account(_) => vendor_only(viewer),
        }
    }
}

pub(super) fn vendor_only(viewer: &Viewer) -> Result<()> {
    match viewer.scope() {
        Scope::All | Scope::Regions(_) => Ok(()),
        Scope::Partner(_) | Scope::Nothing => Err(Error::NotFound),
    }
}

pub(super) fn start_of(day: Date) -> Instant {
    day.and_time(NaiveTime::MIN).and_utc()
}

pub(super) fn end_of(day: Date) -> Instant {
    start_of(day.checked_add_days(Days::new(1)).unwrap_or(day))
}
