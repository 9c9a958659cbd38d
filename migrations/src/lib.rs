//! The schema, one file a subject, the same SQL on SQLite and PostgreSQL.
//!
//! Both databases read the PostgreSQL type names used here (`uuid`, `bigint`, `timestamptz`): SQLite keeps
//! whatever it is given. Instants are handed in by the engine; no column takes the database's clock. Amounts are
//! whole minor units in `bigint`, since a decimal on SQLite is a float. JSON is `text`.
//!
//! `down` is deliberately absent: evidence is not un-made, and a mistaken release is mended by the next migration.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m01_programs;
mod m02_partners;
mod m03_people;
mod m04_funds;
mod m05_cycles;
mod m06_timeline;
mod m07_ledger;
mod m08_work;
mod m09_files;
mod m10_results;
mod m11_rollups;
mod m12_imports;
mod m13_office;
mod m14_funds_tree;
mod m15_periods;
mod m16_settlements;
mod m17_exchange_rates;
mod m18_deadlines;
mod m19_traces;
mod m20_desks_and_views;
mod m21_wallets;
mod m22_requests_of_a_period;
mod m23_guide_withdrawals;
mod m24_invoice_keys;
mod m25_clawbacks;
mod m26_reminders;
mod m27_forecast_roi;

/// Every migration, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m01_programs::Migration),
            Box::new(m02_partners::Migration),
            Box::new(m03_people::Migration),
            Box::new(m04_funds::Migration),
            Box::new(m05_cycles::Migration),
            Box::new(m06_timeline::Migration),
            Box::new(m07_ledger::Migration),
            Box::new(m08_work::Migration),
            Box::new(m09_files::Migration),
            Box::new(m10_results::Migration),
            Box::new(m11_rollups::Migration),
            Box::new(m12_imports::Migration),
            Box::new(m13_office::Migration),
            Box::new(m14_funds_tree::Migration),
            Box::new(m15_periods::Migration),
            Box::new(m16_settlements::Migration),
            Box::new(m17_exchange_rates::Migration),
            Box::new(m18_deadlines::Migration),
            Box::new(m19_traces::Migration),
            Box::new(m20_desks_and_views::Migration),
            Box::new(m21_wallets::Migration),
            Box::new(m22_requests_of_a_period::Migration),
            Box::new(m23_guide_withdrawals::Migration),
            Box::new(m24_invoice_keys::Migration),
            Box::new(m25_clawbacks::Migration),
            Box::new(m26_reminders::Migration),
            Box::new(m27_forecast_roi::Migration),
        ]
    }
}

/// Runs a text of several statements.
async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(|_| ())
}

/// Makes a table append-only: a trigger refuses every update and delete, on both databases.
async fn append_only(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let refusal = format!("{table} is append-only: record a new row that corrects the old one");
    let sql = match manager.get_database_backend() {
        sea_orm_migration::sea_orm::DbBackend::Sqlite => format!(
            "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{refusal}'); END;
             CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{refusal}'); END;"
        ),
        _ => format!(
            "CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$;
             CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
               FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only();"
        ),
    };
    run(manager, &sql).await
}

/// A migration that is one text of SQL.
macro_rules! migration {
    ($name:literal, $sql:literal $(, append_only $table:literal)*) => {
        use sea_orm_migration::prelude::*;

        pub struct Migration;

        impl MigrationName for Migration {
            fn name(&self) -> &'static str {
                $name
            }
        }

        #[async_trait::async_trait]
        impl MigrationTrait for Migration {
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                crate::run(manager, $sql).await?;
                $(crate::append_only(manager, $table).await?;)*
                Ok(())
            }
        }
    };
}
use migration;
