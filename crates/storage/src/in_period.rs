//! What caps on the accrual and mixes look at beyond one request: what the partner earned in the program's period, and
//! what was approved in its other requests of that period.

use crate::error::Result;
use crate::read::Reader;
use crate::rows::RateRow;
use crate::sql::{self, values};
use crate::tx::Tx;
use domain::cycle::Cycle;
use domain::exchange::Rate;
use domain::money::{Currency, Money};
use domain::policy::{InPeriod, Policy};
use domain::steps::s6_approval;
use sea_orm::ConnectionTrait;
use std::collections::BTreeMap;

/// Asks only for what the guide looks at: a sum over one partner's purchases of the period, and its few requests of it.
async fn in_period(db: &impl ConnectionTrait, cycle: &Cycle, policy: &Policy) -> Result<InPeriod> {
    let (from, to) = policy.period_of(cycle.period.from);
    let mut found = InPeriod::default();
    if policy.caps_on_the_accrual() {
        let sql = "SELECT CAST(COALESCE(SUM(amount), 0) AS bigint) AS earned FROM accrual
                   WHERE partner_id = $1 AND on_day >= $2 AND on_day <= $3 AND program_id = $4 AND currency = $5
                   AND taken_back_at IS NULL";
        // Credit is earned in the program's own currency.
        let own = cycle.guide_rate.map_or(cycle.currency, |rate| rate.from);
        let values = values![cycle.partner, from, to, cycle.program, own];
        let sums: Vec<i64> = sql::column(db, "earned", sql, values).await?;
        let earned = Money::new(sums.first().copied().unwrap_or(0), own);
        let converted = cycle.guide_rate.map_or(Ok(earned), |rate| rate.convert(earned));
        found.earned = Some(converted.unwrap_or(Money::zero(cycle.currency)));
    }
    if !policy.mix.is_empty() {
        let sql = "SELECT doc FROM cycle WHERE partner_id = $1 AND program_id = $2 AND period_from >= $3
                   AND period_from <= $4 AND id <> $5 AND currency = $6 AND approved > 0";
        let values = values![cycle.partner, cycle.program, from, to, cycle.id, cycle.currency];
        let mut by_kind: BTreeMap<String, i64> = BTreeMap::new();
        for doc in sql::column::<String>(db, "doc", sql, values).await? {
            let other: Cycle = sql::from_json(&doc, "cycle.doc")?;
            for (kind, amount) in s6_approval::standing_by_kind(&other) {
                *by_kind.entry(kind).or_default() += amount.minor;
            }
        }
        found.earlier = by_kind.into_iter().map(|(kind, minor)| (kind, Money::new(minor, cycle.currency))).collect();
    }
    Ok(found)
}

impl Reader {
    /// What the program's period holds of a cycle's partner, as far as the guide looks at it.
    pub async fn in_period(&self, cycle: &Cycle, policy: &Policy) -> Result<InPeriod> {
        in_period(&self.db, cycle, policy).await
    }
}

impl Tx {
    /// What one of a currency is worth in another one, as it was recorded last for the latest day.
    pub async fn latest_rate(&self, from: Currency, to: Currency) -> Result<Option<Rate>> {
        let latest =
            "WHERE from_currency = $1 AND to_currency = $2 ORDER BY day DESC, recorded_at DESC, id DESC LIMIT 1";
        let found: Option<RateRow> = sql::maybe(&self.db, &sql::select::<RateRow>(latest), values![from, to]).await?;
        Ok(found.map(RateRow::into_domain))
    }

    /// What the program's period holds of a cycle's partner, as far as the guide looks at it.
    pub async fn in_period(&self, cycle: &Cycle, policy: &Policy) -> Result<InPeriod> {
        in_period(&self.db, cycle, policy).await
    }
}
