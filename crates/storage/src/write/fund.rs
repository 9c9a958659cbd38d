//! Funds: made by an administrator, filled and given out by decisions.

use super::Remembered;
use super::cycle::{Recorded, caused};
use super::ledger::AccountRow;
use super::projection::Projection;
use super::timeline::{Chain, GENESIS, sha256};
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::load;
use crate::sql::{self, Table, rows, values};
use crate::tx::Tx;
use domain::fund::{Fund, FundDecision, FundKind, Reinstatement};
use domain::ids::{EventId, FundId, PartnerId, ProgramId};
use domain::ledger::{Account, Book, Posting};
use domain::money::Currency;
use domain::people::Actor;
use domain::{Date, Instant};
use std::collections::BTreeMap;

rows! {
    table "fund" => FundRow {
        id: FundId,
        code: String,
        name: String,
        program_id: ProgramId,
        parent_id: Option<FundId>,
        kind: FundKind,
        currency: Currency,
        /// Forfeited credit that is wanted back.
        reinstatements: Vec<Reinstatement>,
        version: i64,
        closed_until: Option<Date>,
        head_hash: String,
        created_at: Instant,
    }
}

rows! {
    view Placed {
        id: FundId,
        parent_id: Option<FundId>,
    }

    view PartnerName {
        id: PartnerId,
        name: String,
    }
}

impl FundRow {
    pub fn into_domain(self) -> Fund {
        Fund {
            id: self.id,
            code: self.code,
            name: self.name,
            program: self.program_id,
            parent: self.parent_id,
            kind: self.kind,
            currency: self.currency,
            version: self.version,
            closed_until: self.closed_until,
            reinstatements: self.reinstatements,
        }
    }
}

/// A fund, by its code or its id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhichFund<'a> {
    Code(&'a str),
    Id(FundId),
}

/// What the fund's rules look at.
#[derive(Clone, PartialEq, Debug)]
pub struct FundParts {
    pub fund: Fund,
    /// Balances that are not zero: the fund's own, those of the partner named, and every lot that expires before
    /// the day given.
    pub book: Book,
    pub partner_name: Option<String>,
}

impl Tx {
    /// A new fund, still empty: `version` 0. A taken code is [`Error::Duplicate`].
    pub async fn insert_fund(&self, fund: &Fund, now: Instant) -> Result<()> {
        sql::insert(&self.db, &[row_of(fund, GENESIS.to_owned(), now)]).await.map(|_| ())
    }

    /// Locks a fund until the end of the transaction.
    pub async fn lock_fund(
        &self,
        which: WhichFund<'_>,
        partner: Option<PartnerId>,
        expired_before: Option<Date>,
    ) -> Result<FundParts> {
        let (condition, value) = match which {
            WhichFund::Code(code) => ("WHERE code = $1", values![code]),
            WhichFund::Id(id) => ("WHERE id = $1", values![id]),
        };
        let tail = format!("{condition} {}", sql::for_update(&self.db, false));
        let row: FundRow = sql::one(&self.db, &sql::select::<FundRow>(&tail), value).await?;
        self.remember(Remembered {
            stream: row.id.0,
            version: row.version,
            head_hash: row.head_hash.clone(),
            partner: String::new(),
            region: String::new(),
            projection: Projection::default(),
            stood: None,
        });
        let partner_name = match partner {
            Some(id) => Some(self.partner_row(id).await?.name),
            None => None,
        };
        let book = self.book_of_fund(row.id, partner, expired_before).await?;
        Ok(FundParts { fund: row.into_domain(), book, partner_name })
    }

    async fn book_of_fund(&self, fund: FundId, partner: Option<PartnerId>, before: Option<Date>) -> Result<Book> {
        let columns = AccountRow::COLUMNS.join(", ");
        let accounts = |condition: &str| format!("SELECT {columns} FROM account WHERE fund_id = $1 AND {condition}");
        let mut values = values![fund];
        let own = "balance <> 0 AND kind IN ('funding', 'unallocated', 'forfeited', 'converted')";
        let mut arms = vec![accounts(own)];
        if let Some(partner) = partner {
            values.extend(values![partner]);
            arms.push(accounts("balance <> 0 AND cycle_id IS NULL AND partner_id = $2"));
        }
        if let Some(day) = before {
            values.extend(values![day]);
            arms.push(accounts(&format!("balance > 0 AND kind = 'available' AND lot < ${}", values.len())));
        }
        let sql = arms.join(" UNION ");
        load::book(&self.db, &sql, values).await
    }

    /// Records a decision on a fund that this transaction has locked.
    pub async fn record_fund(&self, decision: &FundDecision, actor: &Actor, now: Instant) -> Result<Recorded> {
        let (fund, entries) = (decision.fund(), std::slice::from_ref(decision.entry()));
        let before = self.recall(fund.id.0, fund.version - 1)?;
        let state_hash = sha256(&sql::to_json(fund));
        let chain = Chain {
            stream: fund.id.0,
            kind: "fund",
            partner: one_partner(&entries[0].postings),
            seq: before.version,
            head: before.head_hash,
            state_hash: &state_hash,
        };
        let events = chain.extend(entries, actor, now);
        let head = events.last().map_or_else(|| GENESIS.to_owned(), |event| event.hash.clone());
        let sql = "UPDATE fund SET version = $3, head_hash = $4, closed_until = $5, parent_id = $6, reinstatements = $7
                   WHERE id = $1 AND version = $2";
        let values =
            values![fund.id, before.version, fund.version, head, fund.closed_until, fund.parent, fund.reinstatements];
        if sql::execute(&self.db, sql, values).await? == 0 {
            return Err(Error::Stale);
        }
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        let postings = caused(&ids, entries);
        self.move_balances(&postings).await?;
        self.append(&events).await?;
        self.post(&postings, now).await?;
        if let (Some(period), Some(event)) = (decision.closes(), ids.first()) {
            self.keep_closing(fund.id, period, *event, now).await?;
        }
        Ok(Recorded { number: fund.code.clone(), version: fund.version, events: ids })
    }

    /// Locks a fund together with its parent and the other one a command names, in ascending order of their ids, so
    /// that two commands on the same funds never wait for each other.
    pub async fn lock_funds(&self, which: WhichFund<'_>, other: Option<FundId>) -> Result<()> {
        let (column, value) = match which {
            WhichFund::Code(code) => ("code", values![code]),
            WhichFund::Id(id) => ("id", values![id]),
        };
        let sql = format!("SELECT id, parent_id FROM fund WHERE {column} = $1");
        let found: Placed = sql::one(&self.db, &sql, value).await?;
        let mut ids: Vec<FundId> = [Some(found.id), found.parent_id, other].into_iter().flatten().collect();
        ids.sort();
        ids.dedup();
        let wanted = Where::default().among("id", &ids);
        let lock = sql::for_update(&self.db, false);
        let sql = format!("SELECT id, parent_id FROM fund {} ORDER BY id {lock}", wanted.sql());
        let locked: Vec<Placed> = sql::all(&self.db, &sql, wanted.values).await?;
        // Somebody may have placed it elsewhere before it was locked.
        let stays = locked.iter().any(|fund| fund.id == found.id && fund.parent_id == found.parent_id);
        if stays { Ok(()) } else { Err(Error::Contended) }
    }

    /// The other funds of a fund's program.
    pub async fn funds_beside(&self, fund: &Fund) -> Result<Vec<Fund>> {
        let mut funds = load::funds_of(&self.db, fund.program).await?;
        funds.retain(|other| other.id != fund.id);
        Ok(funds)
    }

    /// The funds of a program, by code.
    pub async fn funds_of(&self, program: ProgramId) -> Result<Vec<Fund>> {
        load::funds_of(&self.db, program).await
    }

    /// What these funds have unallocated.
    pub async fn unallocated_in(&self, funds: &[FundId]) -> Result<Book> {
        let found = Where::default().among("fund_id", funds).and("kind = 'unallocated' AND balance <> 0", Vec::new());
        load::book(&self.db, &sql::select::<AccountRow>(&found.sql()), found.values).await
    }

    /// What a partner forfeited in a fund and did not get back, in minor units.
    pub async fn forfeited_by(&self, fund: FundId, partner: PartnerId) -> Result<i64> {
        let account = Account::forfeited(fund).id();
        let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN to_id = $3 THEN amount ELSE -amount END), 0) AS bigint) AS net
                   FROM posting WHERE partner_id = $2 AND fund_id = $1 AND (to_id = $3 OR from_id = $3)";
        let sums: Vec<i64> = sql::column(&self.db, "net", sql, values![fund, partner, account]).await?;
        Ok(sums.first().copied().unwrap_or(0))
    }

    /// Names of partners by their ids; those that are not there are left out.
    pub async fn partner_names(&self, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, String>> {
        let mut names = BTreeMap::new();
        for ids in ids.chunks(1_000) {
            let found = Where::default().among("id", ids);
            let rows: Vec<PartnerName> =
                sql::all(&self.db, &format!("SELECT id, name FROM partner {}", found.sql()), found.values).await?;
            names.extend(rows.into_iter().map(|row| (row.id, row.name)));
        }
        Ok(names)
    }

    /// Funds in which credit has expired before the day and is still there.
    pub async fn funds_with_expired_credit(&self, day: Date) -> Result<Vec<FundId>> {
        let sql = "SELECT DISTINCT fund_id FROM account
                   WHERE kind = 'available' AND balance > 0 AND lot < $1 ORDER BY fund_id LIMIT 100";
        sql::column(&self.db, "fund_id", sql, values![day]).await
    }
}

/// The partner an event is about; one about several is nobody's own.
fn one_partner(postings: &[Posting]) -> Option<PartnerId> {
    let mut partners = postings.iter().filter_map(|posting| posting.to.partner.or(posting.from.partner));
    let first = partners.next()?;
    partners.all(|other| other == first).then_some(first)
}

pub(crate) fn row_of(fund: &Fund, head_hash: String, created_at: Instant) -> FundRow {
    FundRow {
        id: fund.id,
        code: fund.code.clone(),
        name: fund.name.clone(),
        program_id: fund.program,
        parent_id: fund.parent,
        kind: fund.kind,
        currency: fund.currency,
        reinstatements: fund.reinstatements.clone(),
        version: fund.version,
        closed_until: fund.closed_until,
        head_hash,
        created_at,
    }
}
