//! Closing balances are what the postings come to: each is the one before and what moved since, and the first began at
//! nothing, so each is the sum of the postings alone.

use super::{ENOUGH, Finding};
use crate::error::Result;
use crate::periods::{self, Base, LINE, PeriodClose};
use crate::sql::{self, rows, values};
use crate::write::fund::FundRow;
use domain::ids::FundId;
use sea_orm::ConnectionTrait;

rows! {
    view Off {
        kind: String,
        amount: i64,
    }
}

pub(super) async fn closings(db: &impl ConnectionTrait) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let funds: Vec<FundRow> = sql::all(db, &sql::select::<FundRow>("ORDER BY id"), Vec::new()).await?;
    for fund in funds {
        let tail = "WHERE fund_id = $1 ORDER BY last_day";
        let closes: Vec<PeriodClose> = sql::all(db, &sql::select::<PeriodClose>(tail), values![fund.id]).await?;
        if closes.last().map(|close| close.last_day) != fund.closed_until {
            let words = "The fund's last closed day is not that of its last closed period.";
            findings.push(Finding::new("period", &fund.code, words));
        }
        let mut base = Base::NONE;
        for close in closes {
            findings.extend(one(db, fund.id, &fund.code, base, &close).await?);
            base = Base::on(close.last_day);
            if findings.len() >= ENOUGH {
                return Ok(findings);
            }
        }
    }
    Ok(findings)
}

async fn one(
    db: &impl ConnectionTrait,
    fund: FundId,
    code: &str,
    base: Base,
    close: &PeriodClose,
) -> Result<Vec<Finding>> {
    let sql = format!(
        "SELECT kind, CAST(SUM(change) AS bigint) AS amount FROM (
           {} UNION ALL SELECT {LINE}, -amount AS change FROM closing WHERE fund_id = $1 AND day = $5
         ) m GROUP BY {LINE} HAVING SUM(change) <> 0 ORDER BY kind LIMIT {ENOUGH}",
        periods::moved(false)
    );
    let mut values = base.values(fund, close.last_day);
    values.extend(values![close.last_day]);
    let off: Vec<Off> = sql::all(db, &sql, values).await?;
    let tell = |off: &Off| {
        let words = format!(
            "The closing of {} says of an account of kind {} another balance than its postings: {} minor units apart.",
            close.last_day, off.kind, off.amount
        );
        Finding::new("closing", code, words)
    };
    Ok(off.iter().map(tell).collect())
}
