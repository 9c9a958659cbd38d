//! What the ratios are taken against: connections like storage's own, with nothing of ours above them.

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

/// One writing connection on SQLite, a pool on PostgreSQL, as storage opens them.
pub async fn writer(url: &str) -> DatabaseConnection {
    connect(url, if is_sqlite(url) { 1 } else { 16 }, false).await
}

/// The pool that reads.
pub async fn readers(url: &str) -> DatabaseConnection {
    connect(url, if is_sqlite(url) { 8 } else { 16 }, is_sqlite(url)).await
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

async fn connect(url: &str, connections: u32, read_only: bool) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).sqlx_logging(false).record_stmt_in_spans(false);
    if is_sqlite(url) {
        options.min_connections(1).idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    } else {
        options.test_before_acquire_if_idle_for(Duration::from_secs(10));
    }
    options.map_sqlx_sqlite_opts(move |sqlite: SqliteConnectOptions| {
        let sqlite = sqlite
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("cache_size", "-16000");
        if read_only { sqlite.pragma("query_only", "ON") } else { sqlite }
    });
    Database::connect(options).await.expect("the database opens")
}

/// Runs these statements in one transaction and looks at nothing that comes back.
pub async fn run(db: &DatabaseConnection, statements: Vec<Statement>) {
    let tx = begin(db).await;
    for statement in statements {
        if gives_rows(&statement.sql) {
            tx.query_all_raw(statement).await.expect("what ran before runs again");
        } else {
            tx.execute_raw(statement).await.expect("what ran before runs again");
        }
    }
    tx.commit().await.expect("what committed before commits again");
}

async fn begin(db: &DatabaseConnection) -> DatabaseTransaction {
    let is_sqlite = db.get_database_backend() == DbBackend::Sqlite;
    let immediate = TransactionOptions {
        sqlite_transaction_mode: is_sqlite.then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    db.begin_with_options(immediate).await.expect("a transaction begins")
}

fn gives_rows(sql: &str) -> bool {
    let start = sql.trim_start();
    start.starts_with("SELECT") || start.starts_with("WITH") || sql.contains("RETURNING")
}
