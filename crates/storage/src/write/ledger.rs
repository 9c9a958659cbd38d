//! Postings and balances: the guarded update comes first, in ascending account order, and the CHECK stands behind it.

use crate::error::{Error, Result};
use crate::filter::Where;
use crate::sql::{self, rows, values};
use crate::tx::Tx;
use chrono::Datelike;
use domain::ids::{CycleId, EventId, FundId, PartnerId};
use domain::ledger::{Account, AccountKind, Balance, Posting};
use domain::money::{Currency, Money};
use domain::{Date, Instant};
use std::collections::BTreeMap;
use uuid::Uuid;

rows! {
    table "account" => AccountRow {
        id: Uuid,
        kind: AccountKind,
        fund_id: FundId,
        partner_id: Option<PartnerId>,
        cycle_id: Option<CycleId>,
        item: Option<u16>,
        lot: Option<Date>,
        currency: Currency,
        balance: i64,
    }

    table "posting" => PostingRow {
        event_id: EventId,
        n: u16,
        from_id: Uuid,
        to_id: Uuid,
        amount: i64,
        currency: Currency,
        fund_id: FundId,
        partner_id: Option<PartnerId>,
        at: Instant,
    }

    /// What came into one kind of account of a fund in one month, less what went out.
    table "fund_month" => FundMonth {
        fund_id: FundId,
        /// The month's first day.
        month: Date,
        kind: AccountKind,
        net: i64,
    }
}

impl AccountRow {
    fn new(account: &Account, currency: Currency, balance: i64) -> Self {
        Self {
            id: account.id(),
            kind: account.kind,
            fund_id: account.fund,
            partner_id: account.partner,
            cycle_id: account.cycle,
            item: account.item,
            lot: account.lot,
            currency,
            balance,
        }
    }

    pub fn account(&self) -> Account {
        Account {
            kind: self.kind,
            fund: self.fund_id,
            partner: self.partner_id,
            cycle: self.cycle_id,
            item: self.item,
            lot: self.lot,
        }
    }

    pub fn into_balance(self) -> Balance {
        Balance { account: self.account(), amount: Money::new(self.balance, self.currency) }
    }
}

/// From so many accounts on it takes fewer statements to move all their balances together.
const MANY: usize = 6;

/// A posting and the event it is recorded with.
pub(crate) struct Caused<'a> {
    pub event: EventId,
    /// Its place among the event's postings.
    pub n: u16,
    pub posting: &'a Posting,
}

impl Tx {
    /// Moves the balances. A debit that finds too little is [`Error::Contended`]: somebody else was quicker.
    pub(crate) async fn move_balances(&self, postings: &[Caused<'_>]) -> Result<()> {
        let changes = net_changes(postings)?;
        if changes.len() >= MANY {
            return self.move_many(&changes).await;
        }
        let mut credits = Vec::new();
        for (account, currency, change) in changes {
            // The outside world owes, and exchange may gain: a debit needs no guard, and opens what is new.
            if change >= 0 || account.kind.may_be_negative() {
                credits.push(AccountRow::new(&account, currency, change));
                continue;
            }
            self.credit(&mut credits).await?;
            self.debit(&account, currency, change.unsigned_abs()).await?;
        }
        self.credit(&mut credits).await
    }

    /// A closing or an import moves thousands at once. What is there is locked first, in the same ascending order as one
    /// by one. What is new is opened last: where another transaction opens the same, one of the two loses the race.
    async fn move_many(&self, changes: &[(Account, Currency, i64)]) -> Result<()> {
        let ids: Vec<Uuid> = changes.iter().map(|(account, ..)| account.id()).collect();
        let lock = sql::for_update(&self.db, false);
        for ids in ids.chunks(10_000).filter(|_| !lock.is_empty()) {
            let found = Where::default().among("id", ids);
            let sql = format!("SELECT id FROM account {} ORDER BY id {lock}", found.sql());
            sql::column::<Uuid>(&self.db, "id", &sql, found.values).await?;
        }
        let is_debit =
            |(account, _, change): &&(Account, Currency, i64)| *change < 0 && !account.kind.may_be_negative();
        let (debits, credits): (Vec<_>, Vec<_>) = changes.iter().partition(is_debit);
        for debits in debits.chunks(sql::MOST_PARAMETERS / 3) {
            let sql = format!(
                "UPDATE account SET balance = balance + v.column2 FROM (VALUES {}) AS v
                 WHERE account.id = v.column1 AND account.currency = v.column3 AND account.balance + v.column2 >= 0",
                sql::places(debits.len(), 3, 1)
            );
            let row =
                |(account, currency, change): &&(Account, Currency, i64)| values![account.id(), *change, *currency];
            if sql::execute(&self.db, &sql, debits.iter().flat_map(row).collect()).await? != debits.len() as u64 {
                return Err(Error::Contended);
            }
        }
        let row = |(account, currency, change): &(Account, Currency, i64)| AccountRow::new(account, *currency, *change);
        self.credit(&mut credits.into_iter().map(row).collect()).await
    }

    async fn debit(&self, account: &Account, currency: Currency, amount: u64) -> Result<()> {
        let amount = i64::try_from(amount).map_err(|_| overflow(account))?;
        let sql = "UPDATE account SET balance = balance - $1 WHERE id = $2 AND currency = $3 AND balance >= $1";
        match sql::execute(&self.db, sql, values![amount, account.id(), currency]).await? {
            0 => Err(Error::Contended),
            _ => Ok(()),
        }
    }

    /// Adds to accounts, opening those that are new. They come in ascending order of their ids.
    async fn credit(&self, accounts: &mut Vec<AccountRow>) -> Result<()> {
        let expected = accounts.len() as u64;
        let add = "ON CONFLICT (id) DO UPDATE SET balance = account.balance + excluded.balance
                   WHERE account.currency = excluded.currency";
        if sql::insert_or(&self.db, accounts, add).await? != expected {
            return Err(Error::Corrupt("an account is kept in another currency".to_owned()));
        }
        accounts.clear();
        Ok(())
    }

    /// Writes the postings themselves and what they do to their funds' months. The events are there already.
    pub(crate) async fn post(&self, postings: &[Caused<'_>], at: Instant) -> Result<()> {
        let rows: Vec<PostingRow> = postings
            .iter()
            .map(|Caused { event, n, posting }| PostingRow {
                event_id: *event,
                n: *n,
                from_id: posting.from.id(),
                to_id: posting.to.id(),
                amount: posting.amount.minor,
                currency: posting.amount.currency,
                fund_id: posting.to.fund,
                partner_id: posting.to.partner.or(posting.from.partner),
                at,
            })
            .collect();
        sql::insert(&self.db, &rows).await?;
        let add = "ON CONFLICT (fund_id, month, kind) DO UPDATE SET net = fund_month.net + excluded.net";
        sql::insert_or(&self.db, &monthly(postings, at), add).await.map(|_| ())
    }
}

/// What each account gains or loses over all postings, in ascending order of account ids: every transaction locks
/// accounts in that order, so two of them never wait for each other.
fn net_changes(postings: &[Caused<'_>]) -> Result<Vec<(Account, Currency, i64)>> {
    let mut changes: BTreeMap<Uuid, (Account, Currency, i64)> = BTreeMap::new();
    for Caused { posting, .. } in postings {
        let amount = posting.amount;
        for (account, change) in [(posting.from, -amount.minor), (posting.to, amount.minor)] {
            let entry = changes.entry(account.id()).or_insert((account, amount.currency, 0));
            if entry.1 != amount.currency {
                return Err(Error::Corrupt("one account is posted to in two currencies".to_owned()));
            }
            entry.2 = entry.2.checked_add(change).ok_or_else(|| overflow(&account))?;
        }
    }
    Ok(changes.into_values().collect())
}

fn monthly(postings: &[Caused<'_>], at: Instant) -> Vec<FundMonth> {
    let day = at.date_naive();
    let month = day.with_day(1).unwrap_or(day);
    let mut net: BTreeMap<(FundId, AccountKind), i64> = BTreeMap::new();
    for Caused { posting, .. } in postings {
        *net.entry((posting.from.fund, posting.from.kind)).or_default() -= posting.amount.minor;
        *net.entry((posting.to.fund, posting.to.kind)).or_default() += posting.amount.minor;
    }
    let moved = net.into_iter().filter(|(_, net)| *net != 0);
    moved.map(|((fund_id, kind), net)| FundMonth { fund_id, month, kind, net }).collect()
}

fn overflow(account: &Account) -> Error {
    Error::Corrupt(format!("{} holds more than this system keeps", account.key()))
}
