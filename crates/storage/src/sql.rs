//! How domain values become columns and back, and how rows are written in few statements.
//!
//! The domain does not know SQL, so its types cannot be sea-orm's own column types; the two small traits here are
//! what stands between. A stored text that no longer reads is [`Error::Corrupt`], never a default.

use crate::error::{Error, Result};
use domain::cycle::{Party, Stage};
use domain::forecast::FunnelStage;
use domain::fund::{FundKind, Reinstatement};
use domain::ids::{CycleId, EventId, FileId, FundId, PartnerId, ProgramId, SettlementId, UserId};
use domain::ledger::AccountKind;
use domain::money::{Currency, Marks, Money};
use domain::people::Role;
use domain::rhythm::{MailKind, Rhythm};
use domain::settlement::BatchState;
use domain::steps::s7_execution::{ActivityState, ClaimState};
use domain::{Date, Instant};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// SQLite takes 32,766 parameters a statement, PostgreSQL 65,535; one figure serves both. It is small because SQLite looks
/// numbered parameters up one after the other: ten times as many take a hundred times as long.
pub(crate) const MOST_PARAMETERS: usize = 900;

/// Read from a row by column name.
pub(crate) trait Column: Sized {
    fn read_opt(row: &QueryResult, name: &str) -> Result<Option<Self>>;

    fn read(row: &QueryResult, name: &str) -> Result<Self> {
        Self::read_opt(row, name)?.ok_or_else(|| Error::Corrupt(format!("{name} is null")))
    }
}

/// Bound to a statement's parameter.
pub(crate) trait Bind {
    type Sql: Into<Value>;
    fn bind(&self) -> Self::Sql;
}

impl<T: Column> Column for Option<T> {
    fn read_opt(row: &QueryResult, name: &str) -> Result<Option<Self>> {
        Ok(Some(T::read_opt(row, name)?))
    }
}

impl<T: Bind> Bind for Option<T>
where
    Option<T::Sql>: Into<Value>,
{
    type Sql = Option<T::Sql>;
    fn bind(&self) -> Self::Sql {
        self.as_ref().map(Bind::bind)
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    type Sql = T::Sql;
    fn bind(&self) -> Self::Sql {
        (*self).bind()
    }
}

impl Bind for str {
    type Sql = String;
    fn bind(&self) -> String {
        self.to_owned()
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read_opt(row: &QueryResult, name: &str) -> Result<Option<Self>> {
                Ok(row.try_get("", name)?)
            }
        }
        impl Bind for $type {
            type Sql = $type;
            fn bind(&self) -> $type {
                self.clone()
            }
        }
    )*};
}
plain!(String, bool, i32, i64, Uuid, Instant, Date);

macro_rules! ids {
    ($($type:ident),*) => {$(
        impl Column for $type {
            fn read_opt(row: &QueryResult, name: &str) -> Result<Option<Self>> {
                Ok(Uuid::read_opt(row, name)?.map($type))
            }
        }
        impl Bind for $type {
            type Sql = Uuid;
            fn bind(&self) -> Uuid {
                self.0
            }
        }
    )*};
}
ids!(CycleId, EventId, FileId, FundId, PartnerId, ProgramId, SettlementId, UserId);

/// Kept under their stored name.
macro_rules! codes {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read_opt(row: &QueryResult, name: &str) -> Result<Option<Self>> {
                let Some(code) = String::read_opt(row, name)? else { return Ok(None) };
                let known = <$type>::from_code(&code);
                known.map(Some).ok_or_else(|| Error::Corrupt(format!("{name} is {code:?}")))
            }
        }
        impl Bind for $type {
            type Sql = String;
            fn bind(&self) -> String {
                self.code().to_owned()
            }
        }
    )*};
}
codes!(AccountKind, BatchState, Currency, FundKind, MailKind, Party, Rhythm, Stage);

/// Small whole numbers, kept in the next larger signed column.
macro_rules! small {
    ($($type:ty as $sql:ty),*) => {$(
        impl Column for $type {
            fn read_opt(row: &QueryResult, name: &str) -> Result<Option<Self>> {
                let Some(number) = <$sql>::read_opt(row, name)? else { return Ok(None) };
                <$type>::try_from(number).map(Some).map_err(|_| Error::Corrupt(format!("{name} is {number}")))
            }
        }
        impl Bind for $type {
            type Sql = $sql;
            fn bind(&self) -> $sql {
                <$sql>::from(*self)
            }
        }
    )*};
}
small!(u8 as i32, u16 as i32, u32 as i64);

/// Kept as JSON text.
macro_rules! json {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read_opt(row: &QueryResult, name: &str) -> Result<Option<Self>> {
                let Some(text) = String::read_opt(row, name)? else { return Ok(None) };
                from_json(&text, name).map(Some)
            }
        }
        impl Bind for $type {
            type Sql = String;
            fn bind(&self) -> String {
                to_json(self)
            }
        }
    )*};
}
json!(BTreeMap<String, String>, Vec<Role>, Vec<String>, Vec<Reinstatement>, serde_json::Value);

/// Kept under the name serde gives them.
macro_rules! named {
    ($($type:ty),*) => {$(
        impl $crate::sql::Column for $type {
            fn read_opt(row: &sea_orm::QueryResult, name: &str) -> $crate::error::Result<Option<Self>> {
                let Some(text) = <String as $crate::sql::Column>::read_opt(row, name)? else { return Ok(None) };
                let known = serde_json::from_value(serde_json::Value::String(text));
                known.map(Some).map_err(|error| $crate::error::Error::Corrupt(format!("{name}: {error}")))
            }
        }
        impl $crate::sql::Bind for $type {
            type Sql = String;
            fn bind(&self) -> String {
                $crate::sql::to_json(self).trim_matches('"').to_owned()
            }
        }
    )*};
}
pub(crate) use named;
named!(ActivityState, ClaimState, Decimal, FunnelStage, Marks);

/// An amount whose currency is the row's `currency` column.
impl Column for Money {
    fn read_opt(row: &QueryResult, name: &str) -> Result<Option<Self>> {
        let Some(minor) = i64::read_opt(row, name)? else { return Ok(None) };
        Ok(Some(Money::new(minor, Currency::read(row, "currency")?)))
    }
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Corrupt(format!("{what}: {error}")))
}

/// The domain's types always have a JSON form: they have no map with keys that are not text.
pub(crate) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("a domain value has no JSON form: {error}"))
}

/// Values for a statement's parameters, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(sea_orm::Value::from($crate::sql::Bind::bind(&$value))),*] };
}
pub(crate) use values;

/// A struct read from a row by its field names.
pub(crate) trait FromRow: Sized {
    fn from_row(row: &QueryResult) -> Result<Self>;
}

/// A struct that is one row of one table, every column of it.
pub(crate) trait Table: FromRow {
    const NAME: &'static str;
    const COLUMNS: &'static [&'static str];
    fn bind_all(&self) -> Vec<Value>;
}

/// Declares rows of tables (`table "name" => Row { .. }`) and rows of queries (`view Row { .. }`).
macro_rules! rows {
    () => {};
    ($(#[$doc:meta])* table $table:literal => $name:ident { $($(#[$of:meta])* $field:ident: $type:ty,)* } $($rest:tt)*) => {
        $crate::sql::rows! { $(#[$doc])* view $name { $($(#[$of])* $field: $type,)* } }
        impl $crate::sql::Table for $name {
            const NAME: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];
            fn bind_all(&self) -> Vec<sea_orm::Value> {
                $crate::sql::values![$(self.$field),*]
            }
        }
        $crate::sql::rows! { $($rest)* }
    };
    ($(#[$doc:meta])* view $name:ident { $($(#[$of:meta])* $field:ident: $type:ty,)* } $($rest:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[$of])* pub $field: $type,)* }
        impl $crate::sql::FromRow for $name {
            fn from_row(row: &sea_orm::QueryResult) -> $crate::error::Result<Self> {
                Ok(Self { $($field: $crate::sql::Column::read(row, stringify!($field))?,)* })
            }
        }
        $crate::sql::rows! { $($rest)* }
    };
}
pub(crate) use rows;

/// `SELECT every column of T` and what follows FROM.
pub(crate) fn select<T: Table>(tail: &str) -> String {
    format!("SELECT {} FROM {} {tail}", T::COLUMNS.join(", "), T::NAME)
}

pub(crate) async fn all<T: FromRow>(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<Vec<T>> {
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    rows.iter().map(T::from_row).collect()
}

pub(crate) async fn maybe<T: FromRow>(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<Option<T>> {
    db.query_one_raw(statement(db, sql, values)).await?.as_ref().map(T::from_row).transpose()
}

pub(crate) async fn one<T: FromRow>(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<T> {
    maybe(db, sql, values).await?.ok_or(Error::NotFound)
}

/// The single column `name` of every row.
pub(crate) async fn column<T: Column>(
    db: &impl ConnectionTrait,
    name: &str,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<T>> {
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    rows.iter().map(|row| T::read(row, name)).collect()
}

/// Runs a statement and says how many rows it touched.
pub(crate) async fn execute(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<u64> {
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected())
}

/// Inserts rows, many a statement; a taken key is [`Error::Duplicate`].
pub(crate) async fn insert<T: Table>(db: &impl ConnectionTrait, rows: &[T]) -> Result<u64> {
    insert_or(db, rows, "").await
}

/// Inserts rows whose `keys` are new and overwrites the others.
pub(crate) async fn upsert<T: Table>(db: &impl ConnectionTrait, rows: &[T], keys: &[&str]) -> Result<u64> {
    let changes: Vec<String> = T::COLUMNS
        .iter()
        .filter(|column| !keys.contains(column))
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    insert_or(db, rows, &format!("ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), changes.join(", "))).await
}

/// Overwrites the row with these keys, where `guard` (with its own values, written `?`) holds; says how many it was.
pub(crate) async fn update<T: Table>(
    db: &impl ConnectionTrait,
    row: &T,
    keys: &[&str],
    guard: &str,
    guard_values: Vec<Value>,
) -> Result<u64> {
    let mut set = Vec::new();
    let mut key = Vec::new();
    for (index, column) in T::COLUMNS.iter().enumerate() {
        let part = format!("{column} = ${}", index + 1);
        if keys.contains(column) { key.push(part) } else { set.push(part) }
    }
    let mut values = row.bind_all();
    let mut sql = format!("UPDATE {} SET {} WHERE {}", T::NAME, set.join(", "), key.join(" AND "));
    let mut pieces = guard.split('?');
    sql.push_str(pieces.next().unwrap_or_default());
    for (piece, value) in pieces.zip(guard_values) {
        values.push(value);
        sql.extend(["$", &values.len().to_string(), piece]);
    }
    execute(db, &sql, values).await
}

/// Inserts rows and does with those that are there already what `conflict` says.
pub(crate) async fn insert_or<T: Table>(db: &impl ConnectionTrait, rows: &[T], conflict: &str) -> Result<u64> {
    let mut touched = 0;
    for chunk in rows.chunks(MOST_PARAMETERS / T::COLUMNS.len()) {
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {} {conflict}",
            T::NAME,
            T::COLUMNS.join(", "),
            places(chunk.len(), T::COLUMNS.len(), 1)
        );
        touched += execute(db, &sql, chunk.iter().flat_map(Table::bind_all).collect()).await?;
    }
    Ok(touched)
}

/// `($1, $2), ($3, $4)`: parameters for `rows` rows of `columns` columns, numbered from `first`.
pub(crate) fn places(rows: usize, columns: usize, first: usize) -> String {
    let row = |row: usize| {
        let cells: Vec<String> = (0..columns).map(|column| format!("${}", first + row * columns + column)).collect();
        format!("({})", cells.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

pub(crate) fn statement(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// What locks the chosen rows until the end of the transaction. On SQLite the one writer holds the whole database.
pub(crate) fn for_update(db: &impl ConnectionTrait, skip_locked: bool) -> &'static str {
    match (db.get_database_backend(), skip_locked) {
        (DbBackend::Sqlite, _) => "",
        (_, false) => "FOR UPDATE",
        (_, true) => "FOR UPDATE SKIP LOCKED",
    }
}

/// A pattern for `LIKE ... ESCAPE '\'` that finds `text` anywhere, letter case aside. Both sides are lowered.
pub(crate) fn anywhere(text: &str) -> String {
    let escaped = text.trim().to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
