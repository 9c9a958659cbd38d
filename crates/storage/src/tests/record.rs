//! Decisions are recorded whole or not at all.

use super::kit::{Fresh, at, noon, on_both};
use super::world::{No, World};
use crate::sql::{self, values};
use crate::verify;
use crate::{Error, Submission, Viewer, WhichCycle};
use domain::ledger::{Account, AccountKind};
use domain::people::Actor;
use serde_json::json;

on_both!(
    a_paid_claim_leaves_a_sound_book,
    a_decision_on_an_old_version_is_stale,
    a_submission_is_answered_once,
    a_cycle_is_leased_once,
    a_partner_cannot_lock_anothers_cycle
);

async fn a_paid_claim_leaves_a_sound_book(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    world.until_paid(&number).await.unwrap();
    let reader = fresh.db.reader();
    let viewer = Viewer::from(&Actor::person(world.finance.standing()));
    let parts = reader.cycle_parts(&viewer, WhichCycle::Number(&number)).await.unwrap();
    let paid = Account::paid(world.fund.id, world.partner.id, parts.cycle.id, 1);
    assert_eq!(parts.book.minor(&paid), 480_000);
    let wallet = |account: &Account| account.kind == AccountKind::Available;
    assert_eq!(parts.book.total(wallet), 2_000_000 - 480_000, "what was not spent came back");
    assert!(parts.partner.has_been_paid);
    assert_eq!(verify::ledger(&fresh.db).await.unwrap(), []);
    assert_eq!(verify::audit(&fresh.db).await.unwrap(), []);
}

async fn a_decision_on_an_old_version_is_stale(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    let max = Actor::person(world.manager.standing());
    let old = world.decide(&world.manager, &number, World::approval(), noon()).await.unwrap();
    let back = json!({ "step": "approval", "do": "return", "reason": "Say more about the audience." });
    world.advance(&world.manager, &number, back, noon()).await.unwrap();
    let late = fresh
        .db
        .write(async |tx| {
            tx.lock_cycle(&Viewer::system(), WhichCycle::Number(&number)).await?;
            tx.record(&old, &max, noon()).await
        })
        .await;
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    let unlocked = fresh.db.write(async |tx| tx.record(&old, &max, noon()).await).await;
    assert!(matches!(unlocked, Err(Error::Stale)), "{unlocked:?}");
    assert_eq!(verify::ledger(&fresh.db).await.unwrap(), []);
}

async fn a_submission_is_answered_once(fresh: &Fresh) {
    let claim =
        async |input: &str| fresh.db.write(async |tx| tx.submission("user", "key", input, noon()).await).await.unwrap();
    fresh
        .db
        .write(async |tx| {
            assert_eq!(tx.submission("user", "key", "input", noon()).await?, Submission::First);
            tx.finish_submission("user", "key", "done").await
        })
        .await
        .unwrap();
    assert_eq!(claim("input").await, Submission::Repeated(Some("done".into())));
    assert_eq!(claim("another").await, Submission::Conflict);
    let answer = async |input: &str| fresh.db.reader().submission_result("user", "key", input).await.unwrap();
    assert_eq!((answer("input").await.as_deref(), answer("another").await), (Some("done"), None));
}

async fn a_cycle_is_leased_once(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    let (now, until) = (at("2026-12-01T00:00:00Z"), at("2026-12-01T00:05:00Z"));
    let lease = async || fresh.db.write(async |tx| tx.lease_cycles(now, until, 10).await).await.unwrap();
    let leased = lease().await;
    assert_eq!(leased.len(), 1);
    assert!(lease().await.is_empty(), "another worker passes it by");
    let which = crate::WhichCycle::Number(&number);
    let asleep = fresh.db.reader().cycle_parts(&crate::Viewer::system(), which).await.unwrap().cycle;
    let behind = domain::cycle::Cycle { version: asleep.version - 1, ..asleep.clone() };
    fresh.db.write(async |tx| tx.put_to_sleep(&behind, None, None).await).await.unwrap();
    assert!(lease().await.is_empty(), "who looked at an older version ends no lease");
    fresh.db.write(async |tx| tx.put_to_sleep(&asleep, None, None).await).await.unwrap();
    let awake = "SELECT id FROM cycle WHERE number = $1 AND wake_at IS NOT NULL";
    let awake: Vec<uuid::Uuid> = sql::column(&fresh.behind().await, "id", awake, values![number]).await.unwrap();
    assert!(awake.is_empty());
}

async fn a_partner_cannot_lock_anothers_cycle(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let number = world.until_requested("Spring").await.unwrap();
    let other = super::kit::partner(2, "Sued", "DACH");
    let mut spy = world.marketer.clone();
    spy.partner_id = Some(other.id);
    let no = world.advance(&spy, &number, json!({ "step": "request", "do": "withdraw" }), noon()).await;
    assert!(matches!(no, Err(No::Storage(Error::NotFound))), "{no:?}");
    let mut away = world.manager.clone();
    away.territory = vec!["NORDICS".into()];
    let no = world.advance(&away, &number, World::approval(), noon()).await;
    assert!(matches!(no, Err(No::Storage(Error::NotFound))), "{no:?}");
}
