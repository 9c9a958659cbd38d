//! A fresh, migrated database for every test.

use crate::rows::{PartnerRow, Program, User};
use crate::{Db, Options};
use domain::Instant;
use domain::ids::{PartnerId, ProgramId, UserId};
use domain::money::{Currency, Marks};
use domain::people::Role;
use sea_orm::{ConnectionTrait, Database};
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

pub struct Fresh {
    pub db: Db,
    pub url: String,
    _folder: tempfile::TempDir,
}

static NAMES: AtomicU32 = AtomicU32::new(0);

impl Fresh {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("fundloop.db").display());
        Self::open(url, folder).await
    }

    /// `None`, with a note, where no server is named.
    pub async fn postgres() -> Option<Self> {
        let Some(server) = std::env::var("TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
            assert!(std::env::var_os("FUNDLOOP_CHECK").is_none(), "the check names a PostgreSQL server");
            eprintln!("PostgreSQL half skipped: TEST_POSTGRES_URL is not set");
            return None;
        };
        let name = format!("storage_{}_{}", std::process::id(), NAMES.fetch_add(1, Ordering::Relaxed));
        let admin = Database::connect(&server).await.expect("the server answers");
        for sql in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
            admin.execute_unprepared(&sql).await.expect("a database can be made");
        }
        let (head, query) = server.split_once('?').map_or((server.as_str(), ""), |(head, query)| (head, query));
        let base = head.rsplit_once('/').map_or(head, |(base, _)| base);
        let folder = tempfile::tempdir().expect("a temporary folder");
        Some(Self::open(format!("{base}/{name}?{query}"), folder).await)
    }

    async fn open(url: String, folder: tempfile::TempDir) -> Self {
        let db = Db::connect(&url, &Options::default()).await.expect("the database opens");
        db.migrate().await.expect("the schema is made");
        Self { db, url, _folder: folder }
    }

    /// A connection that knows nothing of our rules, to look and to tamper behind the program's back.
    pub async fn behind(&self) -> sea_orm::DatabaseConnection {
        Database::connect(&self.url).await.expect("the database opens again")
    }
}

/// Runs one story on both databases.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(&crate::tests::kit::Fresh::sqlite().await).await;
            }
        )*}
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                if let Some(fresh) = crate::tests::kit::Fresh::postgres().await {
                    super::$name(&fresh).await;
                }
            }
        )*}
    };
}
pub(crate) use on_both;

pub fn at(text: &str) -> Instant {
    text.parse().expect("an RFC 3339 instant")
}

pub fn noon() -> Instant {
    at("2026-03-02T12:00:00.123456Z")
}

pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + n)
}

pub fn program() -> Program {
    Program {
        id: ProgramId(id(1)),
        code: "EMEA".into(),
        name: "EMEA program".into(),
        currency: Currency::EUR,
        scorecard: "standard".into(),
        created_at: noon(),
    }
}

pub fn partner(n: u128, name: &str, region: &str) -> PartnerRow {
    PartnerRow {
        id: PartnerId(id(100 + n)),
        name: name.into(),
        region: region.into(),
        country: "DE".into(),
        tier: "gold".into(),
        currency: Currency::EUR,
        manager_id: None,
        good_standing: true,
        domain: None,
        crm_id: None,
        created_at: noon(),
        attributes: std::collections::BTreeMap::new(),
    }
}

pub fn user(n: u128, name: &str, roles: &[Role]) -> User {
    User {
        id: UserId(id(200 + n)),
        email: format!("{}@example.com", name.to_lowercase()),
        name: name.into(),
        password_hash: None,
        roles: roles.to_vec(),
        partner_id: None,
        territory: Vec::new(),
        approves_level: 0,
        marks: Marks::Comma,
        theme: "auto".into(),
        disabled_at: None,
        confirmed_at: Some(noon()),
        created_at: noon(),
    }
}
