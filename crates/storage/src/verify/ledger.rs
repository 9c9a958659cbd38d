//! The book: every balance is the sum of its postings, only funding and exchange variance are below zero, every fund adds up, and what is kept
//! beside the book agrees with it.

use super::{ENOUGH, Finding, snapshot};
use crate::db::Db;
use crate::error::Result;
use crate::sql::{self, rows, values};
use crate::write::ledger::AccountRow;
use crate::write::rollup::Figures;
use domain::ids::{EventId, FundId};
use domain::ledger::AccountKind;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// Checks the whole book; an empty list is a sound one.
pub async fn ledger(db: &Db) -> Result<Vec<Finding>> {
    let snapshot = snapshot(db).await?;
    let mut findings = Vec::new();
    findings.extend(balances(&snapshot).await?);
    findings.extend(below_zero(&snapshot).await?);
    findings.extend(strays(&snapshot).await?);
    findings.extend(keys(&snapshot).await?);
    findings.extend(fund_equations(&snapshot).await?);
    findings.extend(months(&snapshot).await?);
    findings.extend(super::periods::closings(&snapshot).await?);
    findings.extend(rollups(&snapshot).await?);
    snapshot.rollback().await?;
    Ok(findings)
}

rows! {
    view Unequal {
        id: Uuid,
        balance: i64,
        posted: i64,
    }

    view Stray {
        event_id: EventId,
        n: u16,
    }

    view FundFlow {
        fund_id: FundId,
        came: i64,
        held: i64,
    }

    view Miscounted {
        region: String,
        stage: String,
    }

    view MonthSum {
        fund_id: FundId,
        kind: AccountKind,
        monthly: i64,
        held: i64,
    }
}

/// Every account's postings, summed: what came in less what went out.
const POSTED: &str = "SELECT id, CAST(SUM(change) AS bigint) AS posted FROM (
                        SELECT to_id AS id, amount AS change FROM posting
                        UNION ALL SELECT from_id AS id, -amount AS change FROM posting
                      ) moves GROUP BY id";

async fn balances(db: &impl ConnectionTrait) -> Result<Vec<Finding>> {
    let sql = format!(
        "SELECT a.id, a.balance, COALESCE(p.posted, 0) AS posted FROM account a LEFT JOIN ({POSTED}) p ON p.id = a.id
         WHERE a.balance <> COALESCE(p.posted, 0) ORDER BY a.id LIMIT {ENOUGH}"
    );
    let unequal: Vec<Unequal> = sql::all(db, &sql, Vec::new()).await?;
    let tell = |row: &Unequal| {
        let words = format!("The account holds {} minor units, its postings come to {}.", row.balance, row.posted);
        Finding::new("balance", row.id, words)
    };
    Ok(unequal.iter().map(tell).collect())
}

async fn below_zero(db: &impl ConnectionTrait) -> Result<Vec<Finding>> {
    let tail = format!("WHERE balance < 0 AND kind NOT IN ('funding', 'fx_variance') ORDER BY id LIMIT {ENOUGH}");
    let accounts: Vec<AccountRow> = sql::all(db, &sql::select::<AccountRow>(&tail), Vec::new()).await?;
    let tell = |row: &AccountRow| {
        Finding::new("below_zero", row.account().key(), format!("The account holds {} minor units.", row.balance))
    };
    Ok(accounts.iter().map(tell).collect())
}

/// Postings between two funds, or in a currency that is not both accounts'.
async fn strays(db: &impl ConnectionTrait) -> Result<Vec<Finding>> {
    let sql = format!(
        "SELECT p.event_id, p.n FROM posting p JOIN account f ON f.id = p.from_id JOIN account t ON t.id = p.to_id
         WHERE f.currency <> p.currency OR t.currency <> p.currency OR f.fund_id <> p.fund_id OR t.fund_id <> p.fund_id
         OR p.amount <= 0 ORDER BY p.event_id, p.n LIMIT {ENOUGH}"
    );
    let strays: Vec<Stray> = sql::all(db, &sql, Vec::new()).await?;
    let tell = |row: &Stray| {
        let words = format!("Posting {} moves money between funds or currencies.", row.n);
        Finding::new("posting", row.event_id, words)
    };
    Ok(strays.iter().map(tell).collect())
}

/// An account's id is derived from what tells it apart; a row that was changed no longer matches its own id.
async fn keys(db: &impl ConnectionTrait) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut last = Uuid::nil();
    loop {
        let tail = "WHERE id > $1 ORDER BY id LIMIT 1000";
        let accounts: Vec<AccountRow> = sql::all(db, &sql::select::<AccountRow>(tail), values![last]).await?;
        let Some(end) = accounts.last() else { return Ok(findings) };
        last = end.id;
        let wrong = accounts.iter().filter(|row| row.account().id() != row.id);
        let room = ENOUGH.saturating_sub(findings.len());
        findings.extend(wrong.take(room).map(|row| {
            let words = "The account's id is not that of its fund, partner, cycle and lot.";
            Finding::new("account_key", row.account().key(), words)
        }));
    }
}

/// `budgeted + accrued - returned` has left the outside world, and all of it is in some account of the fund.
async fn fund_equations(db: &impl ConnectionTrait) -> Result<Vec<Finding>> {
    let sql = format!(
        "SELECT h.fund_id, h.held, COALESCE(c.came, 0) AS came FROM (
           SELECT fund_id, CAST(SUM(balance) AS bigint) AS held FROM account WHERE kind <> 'funding' GROUP BY fund_id
         ) h LEFT JOIN (
           SELECT p.fund_id, CAST(SUM(CASE WHEN f.kind = 'funding' THEN p.amount ELSE -p.amount END) AS bigint) AS came
           FROM posting p JOIN account f ON f.id = p.from_id JOIN account t ON t.id = p.to_id
           WHERE (f.kind = 'funding' AND t.kind <> 'funding') OR (f.kind <> 'funding' AND t.kind = 'funding')
           GROUP BY p.fund_id
         ) c ON c.fund_id = h.fund_id WHERE h.held <> COALESCE(c.came, 0) ORDER BY h.fund_id LIMIT {ENOUGH}"
    );
    let funds: Vec<FundFlow> = sql::all(db, &sql, Vec::new()).await?;
    let tell = |row: &FundFlow| {
        let words = format!(
            "Budgeted and accrued less returned come to {} minor units, the fund's accounts hold {}.",
            row.came, row.held
        );
        Finding::new("fund_equation", row.fund_id, words)
    };
    Ok(funds.iter().map(tell).collect())
}

async fn months(db: &impl ConnectionTrait) -> Result<Vec<Finding>> {
    let sql = format!(
        "SELECT a.fund_id, a.kind, a.held, COALESCE(m.monthly, 0) AS monthly FROM (
           SELECT fund_id, kind, CAST(SUM(balance) AS bigint) AS held FROM account GROUP BY fund_id, kind
         ) a LEFT JOIN (
           SELECT fund_id, kind, CAST(SUM(net) AS bigint) AS monthly FROM fund_month GROUP BY fund_id, kind
         ) m ON m.fund_id = a.fund_id AND m.kind = a.kind
         WHERE a.held <> COALESCE(m.monthly, 0) ORDER BY a.fund_id, a.kind LIMIT {ENOUGH}"
    );
    let months: Vec<MonthSum> = sql::all(db, &sql, Vec::new()).await?;
    let tell = |row: &MonthSum| {
        let (kind, held, monthly) = (row.kind.code(), row.held, row.monthly);
        let words = format!("The months of {kind} come to {monthly} minor units, its accounts hold {held}.");
        Finding::new("fund_month", row.fund_id, words)
    };
    Ok(months.iter().map(tell).collect())
}

/// The aggregates of dashboards are the sums of the campaigns they were made from.
async fn rollups(db: &impl ConnectionTrait) -> Result<Vec<Finding>> {
    let sums = Figures::sums();
    let campaigns: Figures = sql::one(db, &format!("SELECT {sums} FROM campaign"), Vec::new()).await?;
    let mut findings = Vec::new();
    for table in ["rollup", "rollup_partner"] {
        let kept: Figures = sql::one(db, &format!("SELECT {sums} FROM {table}"), Vec::new()).await?;
        if kept != campaigns {
            findings.push(Finding::new("rollup", table, "The aggregate is not the sum of the campaigns."));
        }
    }
    let sql = format!(
        "SELECT s.region, s.stage FROM (
           SELECT stage, region, due, SUM(cycles) AS cycles FROM (
             SELECT stage, region, due, cycles FROM stage_day
             UNION ALL SELECT stage, region, due, -1 AS cycles FROM cycle
           ) x GROUP BY stage, region, due
         ) s WHERE s.cycles <> 0 ORDER BY s.region, s.stage LIMIT {ENOUGH}"
    );
    let miscounted: Vec<Miscounted> = sql::all(db, &sql, Vec::new()).await?;
    findings.extend(miscounted.iter().map(|row| {
        Finding::new("rollup", &row.region, format!("The count of cycles at {} is not what they are.", row.stage))
    }));
    Ok(findings)
}
