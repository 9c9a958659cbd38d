//! What must hold whatever happens: no overspending, no edits, nothing acknowledged and lost.

use super::kit::{Fresh, noon, on_both};
use super::world::World;
use crate::verify::{self, Head};
use crate::write::ledger::Caused;
use crate::{Db, Error, Options};
use domain::ids::EventId;
use domain::ledger::{Account, Posting};
use domain::money::{Currency, Money};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, TransactionTrait};
use std::sync::atomic::{AtomicU32, Ordering};

on_both!(
    four_hundred_tries_spend_a_hundred,
    evidence_cannot_be_edited,
    an_edit_behind_the_triggers_is_found,
    a_cut_tail_is_found_by_the_anchor
);

/// 40 tasks try 10 times each to take 1 of the 100 that are there.
async fn four_hundred_tries_spend_a_hundred(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let (from, to) = (Account::forfeited(world.fund.id), Account::unallocated(world.fund.id));
    let give = Posting { from: to, to: from, amount: Money::new(100, Currency::EUR) };
    let take = Posting { from, to, amount: Money::new(1, Currency::EUR) };
    let move_once = async |db: &Db, posting: &Posting| {
        let caused = [Caused { event: EventId(uuid::Uuid::nil()), n: 1, posting }];
        db.write(async |tx| tx.move_balances(&caused).await).await
    };
    move_once(&fresh.db, &give).await.expect("the fund has money");
    let accepted = AtomicU32::new(0);
    let task = async || {
        for _ in 0..10 {
            match move_once(&fresh.db, &take).await {
                Ok(()) => drop(accepted.fetch_add(1, Ordering::Relaxed)),
                Err(Error::Contended) => {}
                Err(other) => panic!("{other}"),
            }
        }
    };
    let tasks: Vec<_> = (0..40).map(|_| Box::pin(task())).collect();
    all(tasks).await;
    assert_eq!(accepted.load(Ordering::Relaxed), 100);
}

/// Polls all futures to their end; storage has no need of a crate for this.
async fn all<F: Future<Output = ()> + Unpin>(mut futures: Vec<F>) {
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| std::pin::Pin::new(future).poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

async fn evidence_cannot_be_edited(fresh: &Fresh) {
    World::new(fresh).await;
    let behind = fresh.behind().await;
    for sql in [
        "UPDATE event SET words = 'nothing happened'",
        "DELETE FROM event",
        "UPDATE posting SET amount = amount + 1",
        "DELETE FROM posting",
    ] {
        let refused = behind.execute_unprepared(sql).await.expect_err(sql).to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    let overdrawn = behind.execute_unprepared("UPDATE account SET balance = -1 WHERE kind = 'unallocated'").await;
    assert!(overdrawn.is_err(), "the CHECK stands behind the guard");
}

/// Takes the triggers away, as somebody with the file or the superuser could.
async fn disarm(fresh: &Fresh) -> DatabaseConnection {
    let behind = fresh.behind().await;
    for table in ["event", "posting"] {
        let drops = if fresh.db.is_sqlite() {
            format!("DROP TRIGGER {table}_no_update; DROP TRIGGER {table}_no_delete")
        } else {
            format!("DROP TRIGGER {table}_append_only ON {table}")
        };
        behind.execute_unprepared(&drops).await.expect("the triggers go");
    }
    behind
}

async fn codes(db: &Db) -> Vec<&'static str> {
    let mut codes: Vec<_> = verify::audit(db).await.unwrap().into_iter().map(|finding| finding.code).collect();
    codes.extend(verify::ledger(db).await.unwrap().into_iter().map(|finding| finding.code));
    codes.sort_unstable();
    codes.dedup();
    codes
}

async fn an_edit_behind_the_triggers_is_found(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    assert!(codes(&fresh.db).await.is_empty());
    let behind = disarm(fresh).await;
    let edits = [
        ("UPDATE event SET payload = replace(payload, '100000', '200000') WHERE seq = 1", "changed_event"),
        ("UPDATE posting SET amount = amount + 1", "changed_event"),
        ("UPDATE cycle SET doc = replace(doc, 'Spring', 'Autumn')", "state"),
        ("UPDATE cycle SET stage = 'closed'", "row"),
        ("UPDATE account SET balance = balance + 5 WHERE kind = 'unallocated'", "balance"),
        ("UPDATE rollup SET asked = asked + 1", "rollup"),
        ("DELETE FROM event WHERE seq = 2 AND id NOT IN (SELECT event_id FROM posting)", "missing_event"),
    ];
    for (edit, code) in edits {
        let done = behind.execute_unprepared(edit).await.unwrap_or_else(|error| panic!("{edit}: {error}"));
        assert!(done.rows_affected() > 0, "{edit}");
        let found = codes(&fresh.db).await;
        assert!(found.contains(&code), "{number}: {edit}: {found:?}");
    }
}

async fn a_cut_tail_is_found_by_the_anchor(fresh: &Fresh) {
    let world = World::new(fresh).await;
    world.until_requested("Spring").await.unwrap();
    let mut anchor: Vec<Head> = Vec::new();
    verify::heads(&fresh.db, |head| anchor.push(head)).await.unwrap();
    assert_eq!(anchor.len(), 2);
    assert!(verify::against(&fresh.db, anchor.clone()).await.unwrap().is_empty());
    let behind = disarm(fresh).await;
    let cut = "DELETE FROM event WHERE stream_kind = 'cycle' AND seq = (SELECT version FROM cycle)";
    behind.execute_unprepared(cut).await.unwrap();
    let found = verify::against(&fresh.db, anchor).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, "anchor");
}

/// A table whose trigger ends the whole transaction by itself, as a full disk makes SQLite do.
async fn with_a_trap(url: &str) -> DatabaseConnection {
    let behind = Database::connect(url).await.expect("the database opens");
    let trap = "CREATE TABLE trap (n integer);
                CREATE TRIGGER trap_springs BEFORE INSERT ON trap WHEN NEW.n < 0
                BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END;";
    behind.execute_unprepared(trap).await.expect("the trap is set");
    behind
}

async fn kept(behind: &DatabaseConnection) -> Vec<i32> {
    crate::sql::column(behind, "n", "SELECT n FROM trap ORDER BY n", Vec::new()).await.expect("the rows")
}

/// SQLite ends a transaction by itself; the driver does not notice. Then a refused write, then an acknowledged one:
/// on a connection that is used on, the last is never committed.
#[tokio::test]
async fn sqlite_what_is_acknowledged_after_a_full_disk_is_kept() {
    let fresh = Fresh::sqlite().await;
    let behind = with_a_trap(&fresh.url).await;
    let insert = async |n: i32, and_refuse: bool| {
        fresh
            .db
            .write(async |tx| {
                tx.db.execute_unprepared(&format!("INSERT INTO trap VALUES ({n})")).await.map_err(Error::from)?;
                if and_refuse { Err(Error::Stale) } else { Ok(()) }
            })
            .await
    };
    insert(-1, false).await.expect_err("the trap springs");
    insert(1, true).await.expect_err("the rules refuse");
    insert(2, false).await.expect("acknowledged");
    assert_eq!(kept(&behind).await, [2], "what was acknowledged is on disk");
    let tx = fresh.db.begin().await.expect("a transaction");
    let busy = behind.execute_unprepared("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE").await;
    assert!(busy.is_err(), "a write transaction holds the lock from its first moment");
    tx.rollback().await;
}

/// The same on a plain connection: when this fails, the library has mended it and the cure may go.
#[tokio::test]
async fn sqlite_a_plain_connection_loses_what_it_acknowledged() {
    let fresh = Fresh::sqlite().await;
    let behind = with_a_trap(&fresh.url).await;
    let plain = Database::connect(&fresh.url).await.expect("the database opens");
    let options = || sea_orm::TransactionOptions {
        sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let tx = plain.begin_with_options(options()).await.expect("begin");
    tx.execute_unprepared("INSERT INTO trap VALUES (-1)").await.expect_err("the trap springs");
    drop(tx);
    let tx = plain.begin_with_options(options()).await.expect("begin");
    tx.execute_unprepared("INSERT INTO trap VALUES (1)").await.expect("a row");
    drop(tx);
    let tx = plain.begin_with_options(options()).await.expect("begin");
    tx.execute_unprepared("INSERT INTO trap VALUES (2)").await.expect("a row");
    tx.commit().await.expect("acknowledged");
    assert_eq!(kept(&behind).await, Vec::<i32>::new(), "acknowledged and not committed");
}

#[tokio::test]
async fn sqlite_in_memory_is_refused() {
    assert!(Db::connect("sqlite::memory:", &Options::default()).await.is_err());
    let _ = noon();
}
