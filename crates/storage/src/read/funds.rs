//! Movements of money, month by month and one by one, and what was in wallets and accounts on any past day.

use super::cycle::TimelineEntry;
use super::{Page, Paging, Reader};
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::periods::{self, Base, LINE, end_of, start_of};
use crate::sql::{self, rows, values};
use crate::viewer::{Scope, Viewer};
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
        cycle_id: Option<CycleId>,
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

    /// The same at the end of a past day (UTC): the last closing by then, and the postings since.
    pub async fn wallet_sums_on(&self, viewer: &Viewer, partner: PartnerId, day: Date) -> Result<Vec<WalletSum>> {
        self.partner(viewer, partner).await?;
        let mut sums = Vec::new();
        for fund in self.funds_of_partner(partner).await? {
            let sql = format!(
                "SELECT f.id AS fund_id, f.name AS fund_name, s.kind, f.currency, CAST(SUM(s.change) AS bigint) AS amount
                 FROM ({}) s JOIN fund f ON f.id = $1 GROUP BY f.id, f.code, f.name, s.kind, f.currency ORDER BY s.kind",
                periods::moved(true)
            );
            let mut values = periods::base(&self.db, fund, day).await?.values(fund, day);
            values.extend(values![partner]);
            sums.extend(sql::all::<WalletSum>(&self.db, &sql, values).await?);
        }
        Ok(sums)
    }

    /// The funds a partner has an account in, by code.
    async fn funds_of_partner(&self, partner: PartnerId) -> Result<Vec<FundId>> {
        let sql = "SELECT f.id FROM fund f
                   WHERE EXISTS (SELECT 1 FROM account a WHERE a.partner_id = $1 AND a.fund_id = f.id) ORDER BY f.code";
        sql::column(&self.db, "id", sql, values![partner]).await
    }

    /// What was in one account at the end of a day (UTC), in minor units: the last closing by then, and the account's
    /// postings since. A claim's paid account is in no closing of its own; it has few postings.
    pub async fn account_on(&self, viewer: &Viewer, account: &Account, day: Date) -> Result<i64> {
        self.may_see(viewer, MovementsOf::Account(*account)).await?;
        let base = match account.kind {
            AccountKind::Paid => Base::NONE,
            _ => periods::base(&self.db, account.fund, day).await?,
        };
        let mut conditions = vec!["fund_id = $1".to_owned(), "day = $2".to_owned()];
        let mut values = base.values(account.fund, day);
        values.extend(values![account.id(), account.kind]);
        conditions.push("kind = $6".to_owned());
        let parts = [
            ("partner_id", account.partner.map(|partner| values![partner])),
            ("cycle_id", account.cycle.map(|cycle| values![cycle])),
            ("item", account.item.map(|item| values![item])),
            ("lot", account.lot.map(|lot| values![lot])),
        ];
        for (column, value) in parts {
            if let Some(value) = value {
                values.extend(value);
                conditions.push(format!("{column} = ${}", values.len()));
            } else {
                conditions.push(format!("{column} IS NULL"));
            }
        }
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(change), 0) AS bigint) AS amount FROM (
               SELECT amount AS change FROM closing WHERE {}
               UNION ALL SELECT amount AS change FROM posting WHERE to_id = $5 AND at >= $3 AND at < $4
               UNION ALL SELECT -amount AS change FROM posting WHERE from_id = $5 AND at >= $3 AND at < $4
             ) moves",
            conditions.join(" AND ")
        );
        let sums = sql::column(&self.db, "amount", &sql, values).await?;
        Ok(sums.first().copied().unwrap_or(0))
    }

    /// Every account of a fund or partner that held something at the end of a day (UTC): the last closing by then, and
    /// the postings since. What was paid is one line a partner and fund.
    pub async fn accounts_on(&self, viewer: &Viewer, of: MovementsOf, day: Date) -> Result<Vec<AccountLine>> {
        self.may_see(viewer, of).await?;
        let (funds, partner) = match of {
            MovementsOf::Fund(fund) => (vec![fund], None),
            MovementsOf::Partner(partner) => (self.funds_of_partner(partner).await?, Some(partner)),
            MovementsOf::Account(account) => (vec![account.fund], account.partner),
        };
        let line = format!(
            "SELECT {LINE}, CAST(SUM(change) AS bigint) AS amount FROM ({}) m",
            periods::moved(partner.is_some())
        );
        let sql = format!(
            "SELECT f.code AS fund, s.kind, p.name AS partner, c.number, s.cycle_id, s.item, s.lot, f.currency, s.amount
             FROM ({line} GROUP BY {LINE} HAVING SUM(change) <> 0) s JOIN fund f ON f.id = $1
             LEFT JOIN partner p ON p.id = s.partner_id LEFT JOIN cycle c ON c.id = s.cycle_id
             ORDER BY s.kind, p.name, c.number, s.item, s.lot"
        );
        let mut lines = Vec::new();
        for fund in funds {
            let mut values = periods::base(&self.db, fund, day).await?.values(fund, day);
            if let Some(partner) = partner {
                values.extend(values![partner]);
            }
            lines.extend(sql::all::<AccountLine>(&self.db, &sql, values).await?);
        }
        if let MovementsOf::Account(account) = of {
            let paid = account.kind == AccountKind::Paid;
            lines.retain(|line| {
                let item = paid || (line.cycle_id, line.item) == (account.cycle, account.item);
                line.kind == account.kind && line.lot == account.lot && item
            });
        }
        Ok(lines)
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
        // An event about several partners is told to none of them in its own words, which name the others.
        let words = match viewer.scope() {
            Scope::Partner(_) => "CASE WHEN e.partner_id = x.partner_id THEN e.words ELSE '' END",
            _ => "e.words",
        };
        let sql = format!(
            "SELECT x.event_id, x.n, x.at, o.kind AS from_kind, t.kind AS to_kind, COALESCE(o.lot, t.lot) AS lot,
             x.currency, x.amount, x.fund_id, f.code AS fund, x.partner_id, p.name AS partner,
             COALESCE(t.cycle_id, o.cycle_id) AS cycle_id, c.number, e.kind, {words} AS words
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
