//! The database: one writing connection beside a pool of readers on SQLite, one pool on PostgreSQL.

use crate::error::{Error, Result};
use crate::read::Reader;
use crate::tx::Tx;
use migrations::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Connection, pool::PoolConnectionMetadata};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How large the pools are and how long a caller waits for a connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// SQLite: reading connections beside the one that writes.
    pub readers: u32,
    /// PostgreSQL: connections, for reads and writes alike.
    pub connections: u32,
    /// How long a caller waits for a free connection before it gets an error.
    pub acquire_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 8, connections: 16, acquire_timeout: Duration::from_secs(15) }
    }
}

/// A handle to the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    pub(crate) trust: Trust,
}

impl Db {
    /// Opens `sqlite://path/to/fundloop.db` (made when missing) or `postgres://...`; does not migrate.
    ///
    /// SQLite runs WAL with `synchronous = FULL`, so that what is acknowledged survives power loss. An in-memory
    /// SQLite database is refused: its connections would each see their own.
    pub async fn connect(url: &str, options: &Options) -> Result<Self> {
        let trust = Trust::default();
        if !url.starts_with("sqlite:") {
            let pool = Database::connect(postgres(url, options, &trust)).await?;
            return Ok(Self { writer: pool.clone(), readers: pool, trust });
        }
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Err(Error::Database(DbErr::Custom("Fundloop keeps its SQLite database in a file".to_owned())));
        }
        let writer = Database::connect(sqlite(url, 1, false, options, &trust)).await?;
        let readers = Database::connect(sqlite(url, options.readers, true, options, &trust)).await?;
        Ok(Self { writer, readers, trust })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<()> {
        Ok(Migrator::up(&self.writer, None).await?)
    }

    /// The names of migrations that have not run yet.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        let pending = Migrator::get_pending_migrations(&self.writer).await?;
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }

    /// Answers when the database does, and writes nothing.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.readers.ping().await?)
    }

    pub fn is_sqlite(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Sqlite
    }

    /// The same, with every statement of its writing transactions told to `watch` once it has run: a benchmark sees
    /// by it what a command costs the database.
    #[must_use]
    pub fn watched(mut self, watch: impl Fn(&sea_orm::metric::Info<'_>) + Send + Sync + 'static) -> Self {
        self.writer.set_metric_callback(watch);
        self
    }

    pub(crate) fn readers(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// Where every read goes.
    pub fn reader(&self) -> Reader {
        Reader::new(self.readers.clone())
    }

    /// Opens a writing transaction: Immediate on SQLite, READ COMMITTED on PostgreSQL. Dropping it rolls it back.
    pub async fn begin(&self) -> Result<Tx> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: self.is_sqlite().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self.writer.begin_with_options(immediate).await?;
        Ok(Tx::new(tx, self.trust.clone()))
    }

    /// Runs `work` in one transaction: commits what it returns, rolls back what it refuses.
    /// [`Error::Contended`] and [`Error::Unknown`] are the caller's to answer.
    pub async fn write<T, E: From<Error>>(
        &self,
        work: impl AsyncFnOnce(&Tx) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let tx = self.begin().await?;
        match work(&tx).await {
            Ok(done) => {
                tx.commit().await?;
                Ok(done)
            }
            Err(refused) => {
                tx.rollback().await;
                Err(refused)
            }
        }
    }

    /// Closes every connection; SQLite folds its write-ahead log into the file.
    pub async fn close(self) -> Result<()> {
        self.readers.close().await?;
        Ok(self.writer.close().await?)
    }
}

/// Which connections may still be used: none that is older than the last COMMIT or ROLLBACK that failed, and none
/// that believes itself inside a transaction.
///
/// Such a connection is poison. When SQLite has ended a transaction by itself (a full disk does it), the driver still
/// counts one; the next "transaction" is then a savepoint, a rollback leaves it open, and everything after is
/// acknowledged and never committed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust(Arc<Mutex<Option<Instant>>>);

impl Trust {
    /// Condemns every connection that is open now.
    pub fn withdraw(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn covers<C: Connection>(&self, connection: &C, about: &PoolConnectionMetadata) -> bool {
        let failed_at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !connection.is_in_transaction() && failed_at.is_none_or(|at| at.elapsed() > about.age)
    }
}

fn sqlite(url: &str, connections: u32, read_only: bool, options: &Options, trust: &Trust) -> ConnectOptions {
    let trust = trust.clone();
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |sqlite: SqliteConnectOptions| {
            let sqlite = sqlite
                .create_if_missing(!read_only)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5))
                .pragma("cache_size", "-16000");
            if read_only { sqlite.pragma("query_only", "ON") } else { sqlite }
        })
        .map_sqlx_sqlite_before_acquire(move |connection, about| {
            let trusted = trust.covers(connection, &about);
            Box::pin(async move { Ok(trusted) })
        });
    connect
}

fn postgres(url: &str, options: &Options, trust: &Trust) -> ConnectOptions {
    let trust = trust.clone();
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(options.connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire_if_idle_for(Duration::from_secs(10))
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(|postgres| postgres.application_name("fundloop"))
        .map_sqlx_postgres_before_acquire(move |connection, about| {
            let trusted = trust.covers(connection, &about);
            Box::pin(async move { Ok(trusted) })
        });
    connect
}
