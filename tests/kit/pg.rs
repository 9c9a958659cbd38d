//! A database of one's own for every test, on SQLite or PostgreSQL, gone when the test ends.
//!
//! SQLite: a file in a temporary folder. PostgreSQL: a copy of a migrated template, made once for each state of the
//! migrations by whichever test process comes first. `TEST_POSTGRES_URL` names a server where we may create databases.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};
use tempfile::TempDir;

const SQLITE_FILE: &str = "fundloop.db";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A migrated, empty database that is removed when this value is dropped.
pub struct Database {
    pub kind: Kind,
    /// What a person would put into `DATABASE_URL`.
    pub url: String,
    /// A folder that lives as long as the database; the SQLite file is in it, uploads may be.
    pub folder: TempDir,
}

impl Database {
    /// Makes a database; `None` when PostgreSQL is wanted and no server was named, which `./check` does not forgive.
    pub async fn fresh(kind: Kind) -> Option<Self> {
        let folder = temporary_folder();
        let url = match kind {
            Kind::Sqlite => {
                let url = sqlite_url(&folder);
                migrate(&url).await;
                url
            }
            Kind::Postgres => {
                let server = server()?;
                let template = template(&server).await;
                copy_of(&server, &template).await
            }
        };
        Some(Self { kind, url, folder })
    }

    /// Another database that holds what this one does. Nobody may be connected to this one meanwhile.
    pub async fn copy(&self) -> Self {
        let folder = temporary_folder();
        let url = match self.kind {
            Kind::Sqlite => {
                let (from, to) = (self.folder.path().join(SQLITE_FILE), folder.path().join(SQLITE_FILE));
                std::fs::copy(from, to).expect("the database's file is copied");
                sqlite_url(&folder)
            }
            Kind::Postgres => copy_of(&server().expect("the server it is on"), database_name(&self.url)).await,
        };
        Self { kind: self.kind, url, folder }
    }

    /// A plain connection to this database, for a test that looks behind the program's back.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url).await
    }

    /// A plain connection to any database.
    pub async fn connect_to(url: &str) -> DatabaseConnection {
        connect(url).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.kind != Kind::Postgres {
            return;
        }
        let Some(server) = server() else { return };
        let name = database_name(&self.url).to_owned();
        // A test drops it inside its own runtime, where one cannot wait: a thread with a runtime of its own can.
        let dropper = std::thread::spawn(move || {
            crate::runtime().block_on(async {
                let admin = connect(&server).await;
                run(&admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        // A failed clean-up must not hide the failure that may be unwinding now.
        drop(dropper.join());
    }
}

/// The server named by `TEST_POSTGRES_URL`.
fn server() -> Option<String> {
    let url = std::env::var("TEST_POSTGRES_URL").ok().filter(|u| !u.is_empty());
    if url.is_none() {
        crate::note_or_fail("PostgreSQL half skipped: TEST_POSTGRES_URL is not set (./check sets it)");
    }
    url
}

fn temporary_folder() -> TempDir {
    tempfile::Builder::new().prefix("fundloop-test-").tempdir().expect("a temporary folder")
}

fn sqlite_url(folder: &TempDir) -> String {
    format!("sqlite://{}?mode=rwc", folder.path().join(SQLITE_FILE).display())
}

/// A new database on the server, made from another one there.
async fn copy_of(server: &str, original: &str) -> String {
    let name = unique_name();
    let admin = connect(server).await;
    run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {original}")).await;
    admin.close().await.expect("closing the administrator's connection");
    sibling(server, &name)
}

async fn migrate(url: &str) {
    let db = storage::Db::connect(url, &storage::Options::default()).await.expect("an empty database opens");
    db.migrate().await.expect("the migrations run on an empty database");
    db.close().await.expect("closing after the migrations");
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.unwrap_or_else(|e| panic!("cannot connect to {url}: {e}"))
}

async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// The migrated template's name. Test processes race to make it: an advisory lock lets one of them, and a rename at
/// the end means that the name exists only when all of it does.
async fn template(server: &str) -> String {
    let name = format!("fl_template_{:016x}", migrations_hash());
    let admin = connect(server).await;
    run(&admin, "SELECT pg_advisory_lock(70617)").await;
    if !exists(&admin, &name).await {
        let making = format!("{name}_making");
        run(&admin, &format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)")).await;
        run(&admin, &format!("CREATE DATABASE {making} TEMPLATE template0")).await;
        migrate(&sibling(server, &making)).await;
        run(&admin, &format!("ALTER DATABASE {making} RENAME TO {name}")).await;
    }
    // The lock belongs to the connection and ends with it.
    admin.close().await.expect("closing the administrator's connection");
    name
}

async fn exists(admin: &DatabaseConnection, name: &str) -> bool {
    let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    let found = admin.query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql)).await;
    found.expect("pg_database can be read").is_some()
}

/// Changes when any migration does, so that a template made before the change is not used after it.
fn migrations_hash() -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/src");
    let mut files: Vec<_> = crate::files_under(&folder);
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(&file).expect("a migration can be read").hash(&mut hasher);
    }
    hasher.finish()
}

/// The same server, another database.
fn sibling(server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').unwrap_or((server, ""));
    let (host, _) = address.rsplit_once('/').expect("TEST_POSTGRES_URL names a database");
    format!("{host}/{name}?{query}")
}

fn database_name(url: &str) -> &str {
    let address = url.split('?').next().unwrap_or(url);
    address.rsplit('/').next().unwrap_or(address)
}

fn unique_name() -> String {
    format!("fl_{}", uuid::Uuid::new_v4().simple())
}
