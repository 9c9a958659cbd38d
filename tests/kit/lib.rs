//! What the integration tests stand on: a database of their own, a browser and a browser-like client.

pub mod app;
pub mod browser;
pub mod crm;
pub mod house;
pub mod html;
pub mod http;
pub mod pause;
pub mod payments;
pub mod people;
pub mod pg;
pub mod story;
pub mod walk;
pub mod workbook;
pub mod world;

use std::path::{Path, PathBuf};

pub use app::{App, NewHouse};
pub use pg::{Database, Kind};
pub use world::World;

/// What a test stands on: made fresh before its story, looked over after it.
pub trait Ground: Sized {
    /// `None` when this machine lacks what the kind needs and that is allowed here.
    fn start(kind: Kind) -> impl Future<Output = Option<Self>>;

    /// What must hold after every story; panics when it does not.
    fn finish(self) -> impl Future<Output = ()>;
}

impl Ground for Database {
    async fn start(kind: Kind) -> Option<Self> {
        Self::fresh(kind).await
    }

    async fn finish(self) {}
}

/// Writes one story as two tests, `name::sqlite` and `name::postgres`.
///
/// ```text
/// on_both! {
///     async fn a_request_is_approved(app: &App) { ... }
/// }
/// ```
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($ground:ident: &$type:ty) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "a story may need nothing from its file")]
            use super::*;

            $(#[$meta])*
            async fn story($ground: &$type) $body

            #[test]
            fn sqlite() {
                $crate::tell($crate::Kind::Sqlite, story);
            }

            #[test]
            fn postgres() {
                $crate::tell($crate::Kind::Postgres, story);
            }
        }
    )+};
}

/// Runs one story on fresh ground.
pub fn tell<G: Ground>(kind: Kind, story: impl AsyncFn(&G)) {
    runtime().block_on(async {
        let Some(ground) = G::start(kind).await else {
            return;
        };
        story(&ground).await;
        ground.finish().await;
    });
}

/// Several threads, so that a race in a test is a race.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime starts")
}

/// Something is missing on this machine: `./check` fails, a plain `cargo test` says so and goes on.
pub fn note_or_fail(what: &str) {
    assert!(std::env::var_os("FUNDLOOP_CHECK").is_none(), "{what}");
    eprintln!("note: {what}");
}

/// The root of the source tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is inside the repository").to_owned()
}

/// Every file below a folder, in order of name; nothing when there is no such folder.
pub fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
