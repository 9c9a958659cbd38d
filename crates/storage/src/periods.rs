//! Periods of a fund: what was earned in one, what its closing looks at, and the closing balances that statements of past
//! days start from, so that they cost what moved since and not what ever moved.

use crate::error::Result;
use crate::sql::{self, rows, values};
use crate::write::fund::FundRow;
use chrono::{Days, NaiveTime};
use domain::fund::{Fund, PartnerEarned, PeriodFacts};
use domain::ids::{EventId, FundId, PartnerId};
use domain::ledger::{Account, Balance};
use domain::money::Money;
use domain::{Date, Instant};
use sea_orm::{ConnectionTrait, Value};
use std::collections::BTreeMap;

rows! {
    /// A period that was closed.
    table "period_close" => PeriodClose {
        fund_id: FundId,
        last_day: Date,
        first_day: Date,
        event_id: EventId,
        at: Instant,
    }

    view EarnedLot {
        partner_id: PartnerId,
        name: String,
        fund_id: FundId,
        lot: Option<Date>,
        amount: i64,
    }

    view Day {
        day: Option<Date>,
    }
}

/// Everything that tells lines of a closing apart.
pub(crate) const LINE: &str = "kind, partner_id, cycle_id, item, lot";

/// Where a statement begins: at the last closing by a day, or at the fund's first posting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base {
    /// The closing's day; a day without closing where there is none.
    pub day: Date,
    /// Postings from here on are not in it.
    pub since: Instant,
}

impl Base {
    /// Before everything.
    pub const NONE: Base = Base { day: Date::MIN, since: Instant::UNIX_EPOCH };

    pub fn on(day: Date) -> Self {
        Self { day, since: end_of(day) }
    }

    /// Values for [`moved`]: the fund, this base, and the end of a day.
    pub fn values(self, fund: FundId, until: Date) -> Vec<Value> {
        // The calendar's first day is none that every database can write.
        let day = self.day.max(Instant::UNIX_EPOCH.date_naive());
        values![fund, day, self.since, end_of(until)]
    }
}

/// The last closing on or before a day.
pub(crate) async fn base(db: &impl ConnectionTrait, fund: FundId, day: Date) -> Result<Base> {
    let sql = "SELECT MAX(last_day) AS day FROM period_close WHERE fund_id = $1 AND last_day <= $2";
    let found: Option<Day> = sql::maybe(db, sql, values![fund, day]).await?;
    Ok(found.and_then(|found| found.day).map_or(Base::NONE, Base::on))
}

/// What a closing held and what moved since: [`LINE`] and `change`. `$1` the fund, `$2` the closing's day, `$3` and `$4`
/// from and until when postings count; with `partner`, of `$5` alone.
pub(crate) fn moved(partner: bool) -> String {
    let line = |side: &str| {
        format!(
            "{side}.kind, {side}.partner_id, CASE WHEN {side}.kind = 'paid' THEN NULL ELSE {side}.cycle_id END AS cycle_id,
             CASE WHEN {side}.kind = 'paid' THEN NULL ELSE {side}.item END AS item, {side}.lot"
        )
    };
    let (of_closing, of_to, of_from) = if partner {
        (
            "AND partner_id = $5",
            "AND x.partner_id = $5 AND t.partner_id = $5",
            "AND x.partner_id = $5 AND o.partner_id = $5",
        )
    } else {
        ("", "", "")
    };
    let mut arms = vec![
        format!("SELECT {LINE}, amount AS change FROM closing WHERE fund_id = $1 AND day = $2 {of_closing}"),
        format!(
            "SELECT {}, x.amount AS change FROM posting x JOIN account t ON t.id = x.to_id
             WHERE x.fund_id = $1 AND x.at >= $3 AND x.at < $4 {of_to}",
            line("t")
        ),
        format!(
            "SELECT {}, -x.amount AS change FROM posting x JOIN account o ON o.id = x.from_id
             WHERE x.fund_id = $1 AND x.at >= $3 AND x.at < $4 {of_from}",
            line("o")
        ),
    ];
    if partner {
        // What went from this partner's wallet to another's is the other's posting.
        arms.push(format!(
            "SELECT {}, -x.amount AS change FROM account o JOIN posting x ON x.from_id = o.id
             WHERE o.partner_id = $5 AND o.fund_id = $1 AND o.cycle_id IS NULL AND x.at >= $3 AND x.at < $4
             AND x.partner_id <> $5",
            line("o")
        ));
    }
    arms.join(" UNION ALL ")
}

/// The first day that lies in no closed period: of a fund that never was closed, the day it was opened or first earned in.
pub(crate) async fn first_open_day(db: &impl ConnectionTrait, fund: &Fund) -> Result<Date> {
    if let Some(closed) = fund.closed_until {
        return Ok(closed.checked_add_days(Days::new(1)).unwrap_or(closed));
    }
    let row: FundRow = sql::one(db, &sql::select::<FundRow>("WHERE id = $1"), values![fund.id]).await?;
    let sql = "SELECT MIN(on_day) AS day FROM accrual WHERE fund_id = $1";
    let earned: Day = sql::one(db, sql, values![fund.id]).await?;
    let opened = row.created_at.date_naive();
    Ok(earned.day.map_or(opened, |day| day.min(opened)))
}

/// What closing the period up to a day looks at, and every wallet of the fund.
pub(crate) async fn facts(
    db: &impl ConnectionTrait,
    fund: &Fund,
    first_day: Date,
    last_day: Date,
) -> Result<(PeriodFacts, Vec<Balance>)> {
    let earned = "SELECT a.partner_id, p.name, a.fund_id, a.lot, CAST(SUM(a.amount) AS bigint) AS amount
                  FROM accrual a JOIN partner p ON p.id = a.partner_id
                  WHERE a.program_id = $1 AND a.on_day >= $2 AND a.on_day <= $3 AND a.taken_back_at IS NULL
                  GROUP BY a.partner_id, p.name, a.fund_id, a.lot";
    let earned: Vec<EarnedLot> = sql::all(db, earned, values![fund.program, first_day, last_day]).await?;
    let lots = lots(db, fund.id).await?;
    let mut names: BTreeMap<PartnerId, String> = BTreeMap::new();
    let mut partners: BTreeMap<PartnerId, PartnerEarned> = BTreeMap::new();
    for lot in &earned {
        names.entry(lot.partner_id).or_insert_with(|| lot.name.clone());
        let (partner, lots) = (lot.partner_id, BTreeMap::new());
        let sum = partners.entry(partner).or_insert(PartnerEarned { partner, in_program: 0, lots });
        sum.in_program += lot.amount;
        if lot.fund_id == fund.id {
            *sum.lots.entry(lot.lot).or_default() += lot.amount;
        }
    }
    for lot in &lots {
        names.entry(lot.partner_id).or_insert_with(|| lot.name.clone());
    }
    let wallets = balances(fund, lots);
    let earned = partners.into_values().filter(|sum| !sum.lots.is_empty()).collect();
    Ok((PeriodFacts { first_day, earned, names }, wallets))
}

/// Every wallet of a fund that holds something.
pub(crate) async fn wallets(db: &impl ConnectionTrait, fund: &Fund) -> Result<Vec<Balance>> {
    Ok(balances(fund, lots(db, fund.id).await?))
}

/// By the index of wallets that hold something: emptied ones are many.
async fn lots(db: &impl ConnectionTrait, fund: FundId) -> Result<Vec<EarnedLot>> {
    let sql = "SELECT a.partner_id, p.name, a.fund_id, a.lot, a.balance AS amount
               FROM account a JOIN partner p ON p.id = a.partner_id
               WHERE a.fund_id = $1 AND a.kind = 'available' AND a.balance > 0 ORDER BY a.lot";
    sql::all(db, sql, values![fund]).await
}

fn balances(fund: &Fund, lots: Vec<EarnedLot>) -> Vec<Balance> {
    let balance = |lot: EarnedLot| Balance {
        account: Account::available(fund.id, lot.partner_id, lot.lot),
        amount: Money::new(lot.amount, fund.currency),
    };
    lots.into_iter().map(balance).collect()
}

pub(crate) fn start_of(day: Date) -> Instant {
    day.and_time(NaiveTime::MIN).and_utc()
}

pub(crate) fn end_of(day: Date) -> Instant {
    start_of(day.checked_add_days(Days::new(1)).unwrap_or(day))
}
