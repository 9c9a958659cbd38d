//! What was acknowledged is on disk, whatever went wrong in between.
//!
//! A COMMIT that fails is the treacherous case: the driver may go on counting a transaction that nobody will commit,
//! and every later "success" on that connection is lost. Each test here makes a COMMIT fail, in a way the program
//! cannot see coming, and then reads through a connection of its own what is really there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use kit::{Database, Kind, on_both};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use storage::{Db, Error, Options};

/// A row whose name starts with `trap` breaks a constraint that is looked at only when the transaction commits; one
/// that starts with `ended` makes SQLite end the transaction by itself, as it does on a full disk.
const TRAP_ON_SQLITE: &str = "
    CREATE TABLE trap_ground (id bigint PRIMARY KEY);
    CREATE TABLE trap (id bigint REFERENCES trap_ground (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER trap_springs AFTER INSERT ON setting WHEN NEW.name LIKE 'trap%'
        BEGIN INSERT INTO trap VALUES (1); END;
    CREATE TRIGGER ended BEFORE INSERT ON setting WHEN NEW.name LIKE 'ended%'
        BEGIN SELECT RAISE(ROLLBACK, 'the transaction is over'); END;";
const TRAP_ON_POSTGRES: &str = "
    CREATE TABLE trap_ground (id bigint PRIMARY KEY);
    CREATE TABLE trap (id bigint REFERENCES trap_ground (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE FUNCTION spring_trap() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF NEW.name LIKE 'ended%' THEN RAISE EXCEPTION 'the transaction is over'; END IF;
            INSERT INTO trap VALUES (1);
            RETURN NEW;
        END $$;
    CREATE TRIGGER trap_springs AFTER INSERT ON setting
        FOR EACH ROW WHEN (NEW.name NOT LIKE 'write%') EXECUTE FUNCTION spring_trap();";

on_both! {
    async fn a_commit_that_fails_takes_no_later_write_with_it(database: &Database) {
        let behind = database.connect().await;
        let trap = if database.kind == Kind::Sqlite { TRAP_ON_SQLITE } else { TRAP_ON_POSTGRES };
        behind.execute_unprepared(trap).await.expect("the trap is set");

        let db = open(&database.url).await;
        let mut acknowledged = BTreeSet::new();
        for n in 0..60 {
            let kind = ["write", "write", "trap", "write", "ended"][n % 5];
            let name = format!("{kind} {n}");
            match set(&db, &name).await {
                Ok(()) => assert!(acknowledged.insert(name)),
                Err(error) => assert_ne!(kind, "write", "{name}: {error}"),
            }
        }
        assert_eq!(acknowledged.len(), 36, "two of five fail and no other");
        assert_eq!(names(&behind).await, acknowledged);
    }

    async fn a_failed_commit_among_many_writers_takes_nobody_with_it(database: &Database) {
        let behind = database.connect().await;
        let trap = if database.kind == Kind::Sqlite { TRAP_ON_SQLITE } else { TRAP_ON_POSTGRES };
        behind.execute_unprepared(trap).await.expect("the trap is set");

        let db = open(&database.url).await;
        let writers = (0..8).map(|writer| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for n in 0..20 {
                    let kind = ["trap", "write", "write", "write", "ended", "write", "write"][(writer + n) % 7];
                    let name = format!("{kind} {writer}-{n}");
                    if set(&db, &name).await.is_ok() {
                        acknowledged.push(name);
                    }
                }
                acknowledged
            })
        });
        let done = futures_util::future::join_all(writers.collect::<Vec<_>>()).await;
        let acknowledged: BTreeSet<String> = done.into_iter().flat_map(|d| d.expect("a writer finishes")).collect();
        assert!(acknowledged.iter().all(|name| name.starts_with("write")), "a trapped write was acknowledged");
        assert!(acknowledged.len() >= 100, "most writes pass: {}", acknowledged.len());
        assert_eq!(names(&behind).await, acknowledged);
    }
}

/// The database on a disk of four megabytes. Full, it fails closed; with room again, it goes on without a restart; and
/// a copy of its files, which is what a killed process leaves, holds exactly what was acknowledged.
#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    kit::runtime().block_on(async {
        let Some(disk) = SmallDisk::mount() else { return };
        let url = format!("sqlite://{}", disk.path().join("fundloop.db").display());
        let db = open(&url).await;
        db.migrate().await.expect("the schema fits");
        let ballast = disk.path().join("ballast");
        std::fs::write(&ballast, vec![0; 512 * 1024]).expect("the ballast fits");

        let value = "x".repeat(4000);
        let (mut acknowledged, mut refused, mut after_room) = (BTreeSet::new(), 0, 0);
        for n in 0..4000 {
            let name = format!("write {n}");
            match db.write(async |tx| tx.set_setting(&name, &value).await).await {
                Ok(()) => {
                    acknowledged.insert(name);
                    after_room += usize::from(!ballast.exists());
                }
                Err(_) => refused += 1,
            }
            if refused == 20 && ballast.exists() {
                // Someone makes room; the same handle must find its way back by itself.
                std::fs::remove_file(&ballast).expect("the ballast goes");
            }
            if refused == 60 {
                break;
            }
        }
        let copy = tempfile::tempdir().expect("a temporary folder");
        for name in ["fundloop.db", "fundloop.db-wal"] {
            std::fs::copy(disk.path().join(name), copy.path().join(name)).expect("the files can be copied");
        }
        let after_kill = Database::connect_to(&format!("sqlite://{}", copy.path().join("fundloop.db").display())).await;
        let found = names(&after_kill).await;
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged writes are lost: {lost:?}", lost.len(), acknowledged.len());
        let unasked: Vec<_> = found.difference(&acknowledged).collect();
        assert!(unasked.len() <= refused, "writes nobody made: {unasked:?}");
        assert_eq!(refused, 60, "the disk fills up twice");
        assert!(after_room >= 10, "only {after_room} writes pass once there is room");
    });
}

async fn open(url: &str) -> Db {
    Db::connect(url, &Options::default()).await.expect("the database opens")
}

async fn set(db: &Db, name: &str) -> Result<(), Error> {
    db.write(async |tx| tx.set_setting(name, "1").await).await
}

async fn names(behind: &DatabaseConnection) -> BTreeSet<String> {
    let backend = behind.get_database_backend();
    let sql = "SELECT name FROM setting WHERE name LIKE 'write%' OR name LIKE 'trap%' OR name LIKE 'ended%'";
    let rows = behind.query_all_raw(sea_orm::Statement::from_string(backend, sql)).await.expect("settings can be read");
    rows.iter().map(|row| row.try_get("", "name").expect("a name")).collect()
}

/// Four megabytes of memory as a disk. Mounting asks for root; without it the tests above still hold the promise.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("note: a small disk cannot be mounted here; the full disk is not tried");
            return None;
        }
        Some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let folder: PathBuf = self.folder.path().to_owned();
        // Lazily, since a connection may still hold the file; what cannot be unmounted goes with the machine.
        drop(Command::new("umount").arg("-l").arg(folder).output());
    }
}
