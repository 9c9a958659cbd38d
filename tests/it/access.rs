//! Every address of the program, opened by everybody: signed out, by each role, by the wrong partner. The addresses
//! come from the program's own table, so that a new one is walked the day it is written.

use std::collections::BTreeMap;

use actix_web::http::Method;
use domain::cycle::Stage;
use kit::http::Page;
use kit::people::{BJORN, EVERYBODY, JONAS, MARA, NORDWIND};
use kit::{App, on_both};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use web::gate::Access;
use web::routes::TABLE;

on_both! {
    async fn signed_out_one_sees_public_pages_and_the_sign_in_page(app: &App) {
        let fill = Fill::new(app).await;
        let visitor = app.visitor();
        for route in TABLE {
            let path = fill.path(route.path);
            if route.method != Method::GET {
                continue;
            }
            let page = visitor.get(&path).await;
            match route.access {
                Access::Public => assert!(page.status < 500, "{path}: {}", page.status),
                Access::Token(_) => assert_eq!(page.status, 401, "{path}"),
                Access::SignedIn | Access::Roles(_) => {
                    assert_eq!(page.status, 303, "{path} is open to everyone");
                    let to = page.redirect().unwrap_or_default();
                    assert!(to.starts_with("/sign-in?next="), "{path} leads to {to}");
                }
            }
        }
    }

    /// No role meets an error of ours, whatever it opens; and looking changes nothing.
    async fn looking_breaks_nothing_and_changes_nothing(app: &App) {
        let fill = Fill::new(app).await;
        let mut people = Vec::new();
        for who in EVERYBODY {
            people.push((who, app.sign_in(who).await));
        }
        let behind = app.connect().await;
        let before = contents(&behind).await;
        let mut broken = Vec::new();
        for (who, visitor) in &people {
            for route in TABLE.iter().filter(|r| r.method == Method::GET && r.path != "/readyz") {
                let path = fill.path(route.path);
                let page = visitor.get(&path).await;
                if page.status >= 500 {
                    broken.push(format!("{} opens {path}: {} {}", who.name, page.status, page.text()));
                }
            }
        }
        assert!(broken.is_empty(), "pages that break:\n{}", broken.join("\n"));
        let after = contents(&behind).await;
        let changed: Vec<_> = before.iter().filter(|(table, rows)| after.get(*table) != Some(rows)).collect();
        assert!(changed.is_empty(), "tables changed by looking: {changed:?}");
    }

    /// The wall: what is another partner's, or another territory's, answers as what does not exist.
    async fn what_is_not_theirs_does_not_exist(app: &App) {
        let fill = Fill::new(app).await;
        let stranger = app.sign_in(JONAS).await;
        let far_away = app.sign_in(BJORN).await;
        let pages = TABLE.iter().filter(|r| r.method == Method::GET && !matches!(r.access, Access::Token(_)));
        for route in pages.filter(|r| r.path.contains("{no}")) {
            let (theirs, missing) = (fill.path(route.path), Fill::missing(route.path));
            for (name, visitor) in [(JONAS.name, &stranger), (BJORN.name, &far_away)] {
                let (one, other) = (visitor.get(&theirs).await, visitor.get(&missing).await);
                assert_eq!(one.status, other.status, "{name} can tell {theirs} from {missing}");
                assert!(matches!(one.status, 403 | 404), "{name} opens {theirs}: {}", one.status);
                assert_eq!(told(&one, &theirs), told(&other, &missing), "{name} can tell {theirs} from {missing}");
            }
        }
        for list in ["/", "/cycles", "/wallet", "/performance", "/approvals", "/claims", "/partners", "/search?q=Nordwind"] {
            for visitor in [&stranger, &far_away] {
                let page = visitor.get(list).await;
                for secret in [fill.number.as_str(), NORDWIND.name, "Security briefings"] {
                    let found = page.raw().replace("q=Nordwind", "").contains(secret);
                    assert!(!found, "{list} shows {secret:?} to a stranger: {}", page.text());
                }
            }
        }
    }

    /// A form from nowhere is refused by every route, before anything is looked up; one's own page is needed.
    async fn nothing_is_taken_from_elsewhere(app: &App) {
        let fill = Fill::new(app).await;
        let (visitor, guest) = (app.sign_in(MARA).await, app.visitor());
        let behind = app.connect().await;
        let before = contents(&behind).await;
        for route in TABLE.iter().filter(|r| r.method != Method::GET && !matches!(r.access, Access::Token(_))) {
            let path = fill.path(route.path);
            let method = reqwest::Method::from_bytes(route.method.as_str().as_bytes()).expect("a method");
            for someone in [&visitor, &guest] {
                let foreign = someone
                    .request(method.clone(), &path, |r| r.header("Origin", "https://evil.example").form(&[("a", "b")]))
                    .await;
                assert_eq!(foreign.status, 403, "{path} takes a form from another site: {}", foreign.text());
                let forged = someone
                    .request(method.clone(), &path, |r| {
                        r.header("Origin", &app.base).form(&[("csrf", "0.0"), ("once", "0.0")])
                    })
                    .await;
                assert!(matches!(forged.status, 303 | 403 | 404), "{path} takes a forged token: {}", forged.status);
            }
        }
        let after = contents(&behind).await;
        let changed: Vec<_> = before.iter().filter(|(table, rows)| after.get(*table) != Some(rows)).collect();
        assert!(changed.is_empty(), "tables changed by forms from nowhere: {changed:?}");
    }
}

/// What stands in for the names in addresses: a cycle of Nordwind's that is under way.
struct Fill {
    number: String,
}

impl Fill {
    async fn new(app: &App) -> Self {
        Self { number: app.cycle_in(Stage::ExecutionLive, MARA, 10_000).await }
    }

    fn path(&self, pattern: &str) -> String {
        Self::with(pattern, &self.number)
    }

    fn missing(pattern: &str) -> String {
        Self::with(pattern, "C-2026-9999")
    }

    /// A name nobody has thought of fails the walk: say here what to put in its place.
    fn with(pattern: &str, number: &str) -> String {
        let nobody = "00000000-0000-7000-8000-000000000000";
        let path = pattern.split('/').map(|part| match part {
            "{no}" => number,
            "{campaign}" | "{activity}" | "{claim}" | "{line}" | "{version}" | "{step}" | "{payment}"
            | "{extension}" => "1",
            "{currency}" => "EUR",
            "{secret}.ics" => "0000000000000000.ics",
            "{code}" if pattern.starts_with("/funds/") => kit::world::FUND,
            "{code}" if pattern.starts_with("/programs/") => "EMEA",
            "{token}" | "{session}" | "{code}" | "{link}" => "0000000000000000",
            "{act}" => "allocation",
            "{kind}" => "sales",
            "{id}" | "{deal}" | "{file}" | "{user}" | "{partner}" | "{batch}" => nobody,
            "{name}" => "app.css",
            "{program}" => "EMEA",
            "{fund}" => kit::world::FUND,
            other => {
                assert!(!other.contains('{'), "{pattern}: say what stands in for {other} in tests/it/access.rs");
                other
            }
        });
        path.collect::<Vec<_>>().join("/")
    }
}

/// A page's words without what names the address or is fresh on every page.
fn told(page: &Page, path: &str) -> String {
    let number = path.split('/').find(|part| part.starts_with("C-")).unwrap_or_default();
    page.text().replace(path, "").replace(number, "")
}

/// How many rows each table has, and a fingerprint of what is in them. That a session was seen is noted; it is not a
/// change.
async fn contents(behind: &DatabaseConnection) -> BTreeMap<String, String> {
    let backend = behind.get_database_backend();
    let sqlite = backend == sea_orm::DbBackend::Sqlite;
    let list = if sqlite {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    } else {
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    };
    let rows = behind.query_all_raw(Statement::from_string(backend, list)).await.expect("tables can be listed");
    let mut contents = BTreeMap::new();
    for row in rows {
        let table: String = row.try_get("", "name").expect("a name");
        if table == "session" {
            continue;
        }
        let whole = if sqlite { whole_row(behind, &table).await } else { format!("{table}::text") };
        let sql = format!("SELECT {whole} AS line FROM {table}");
        let rows = behind.query_all_raw(Statement::from_string(backend, sql)).await.expect("a table can be read");
        let mut lines: Vec<String> = rows.iter().map(|row| row.try_get("", "line").expect("a text")).collect();
        lines.sort();
        let mut hash = std::hash::DefaultHasher::new();
        std::hash::Hash::hash(&lines, &mut hash);
        contents.insert(table, format!("{} rows, {:x}", lines.len(), std::hash::Hasher::finish(&hash)));
    }
    contents
}

/// SQLite's way to say a whole row as one text.
async fn whole_row(behind: &DatabaseConnection, table: &str) -> String {
    let sql = format!("SELECT name FROM pragma_table_info('{table}')");
    let columns = behind.query_all_raw(Statement::from_string(sea_orm::DbBackend::Sqlite, sql)).await;
    let columns = columns.expect("columns can be listed");
    let quoted = columns.iter().map(|row| format!("quote({})", row.try_get::<String>("", "name").expect("a name")));
    quoted.collect::<Vec<_>>().join(" || ', ' || ")
}
