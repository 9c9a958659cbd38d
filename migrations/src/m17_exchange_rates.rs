//! Dated exchange rates as finance records them, and an account kind for what they cost: it may be below zero, since a
//! rate can gain.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m17_exchange_rates"
    }
}

/// A decimal on SQLite is a float, so a rate is text. Of one pair and day the row recorded last counts.
const RATES: &str = "
CREATE TABLE exchange_rate (
  id uuid NOT NULL PRIMARY KEY,
  from_currency text NOT NULL,
  to_currency text NOT NULL,
  day date NOT NULL,
  rate text NOT NULL,
  recorded_at timestamptz NOT NULL,
  recorded_by uuid NOT NULL,
  CHECK (from_currency <> to_currency)
);
CREATE INDEX exchange_rate_by_pair ON exchange_rate (from_currency, to_currency, day, recorded_at, id);
CREATE INDEX exchange_rate_by_day ON exchange_rate (day, recorded_at, id);
";

const POSTGRES: &str = "
ALTER TABLE account DROP CONSTRAINT account_check;
ALTER TABLE account ADD CONSTRAINT account_check CHECK (kind IN ('funding', 'fx_variance') OR balance >= 0);
";

/// SQLite changes no constraint of a table that is there; its own manual rewrites the table's text for that, which
/// leaves every row as it is.
const SQLITE: &str = "
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (kind = ''funding'' OR balance >= 0)',
  'CHECK (kind IN (''funding'', ''fx_variance'') OR balance >= 0)') WHERE type = 'table' AND name = 'account';
PRAGMA writable_schema = RESET;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let widened = match manager.get_database_backend() {
            DbBackend::Sqlite => SQLITE,
            _ => POSTGRES,
        };
        crate::run(manager, widened).await?;
        crate::run(manager, RATES).await?;
        crate::append_only(manager, "exchange_rate").await
    }
}
