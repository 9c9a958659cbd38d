//! The timeline: events chained by their hashes, one chain a cycle and one a fund.
//!
//! `hash = SHA-256("fundloop/event/v1" ‖ canonical)`, where `canonical` is a JSON array of everything the event says:
//! stream, sequence, previous hash, microseconds since 1970, actor, kind, the payload's text, the hash of the state
//! after it, and its postings as `[from, to, amount, currency]`. Names and sentences are left out of it, so that a
//! person can be erased and the chain still verifies.

use crate::error::Result;
use crate::sql::{self, rows};
use crate::tx::Tx;
use domain::Instant;
use domain::event::Entry;
use domain::ids::{EventId, PartnerId, UserId};
use domain::ledger::Posting;
use domain::money::Currency;
use domain::people::Actor;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What comes before the first event of every stream.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const TAG: &[u8] = b"fundloop/event/v1";

rows! {
    table "event" => EventRow {
        id: EventId,
        stream: Uuid,
        stream_kind: String,
        seq: i64,
        partner_id: Option<PartnerId>,
        at: Instant,
        actor_id: UserId,
        actor_name: String,
        acting_for: Option<String>,
        kind: String,
        words: String,
        quiet: bool,
        payload: String,
        state_hash: String,
        prev_hash: String,
        hash: String,
    }
}

rows! {
    /// Who moved a cycle or fund last.
    view LastEvent {
        actor_name: String,
        at: Instant,
        words: String,
    }
}

/// What the hash covers. The order of the fields is part of the format.
#[derive(Serialize)]
pub(crate) struct Sealed<'a>(
    pub Uuid,
    pub i64,
    pub &'a str,
    pub i64,
    pub Uuid,
    pub &'a str,
    pub &'a str,
    pub &'a str,
    pub &'a [SealedPosting],
);

/// From, to, minor units, currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct SealedPosting(pub Uuid, pub Uuid, pub i64, pub Currency);

impl From<&Posting> for SealedPosting {
    fn from(posting: &Posting) -> Self {
        Self(posting.from.id(), posting.to.id(), posting.amount.minor, posting.amount.currency)
    }
}

impl Sealed<'_> {
    pub fn hash(&self) -> String {
        hex::encode(Sha256::new().chain_update(TAG).chain_update(sql::to_json(self)).finalize())
    }
}

pub(crate) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A stream and how far it has come.
pub(crate) struct Chain<'a> {
    pub stream: Uuid,
    pub kind: &'static str,
    pub partner: Option<PartnerId>,
    /// The sequence of its last event; 0 before the first.
    pub seq: i64,
    pub head: String,
    /// Hash of the cycle's or fund's own stored text after these events.
    pub state_hash: &'a str,
}

impl Chain<'_> {
    /// Chains the entries on, in order, and gives the rows to insert.
    pub fn extend(mut self, entries: &[Entry], actor: &Actor, at: Instant) -> Vec<EventRow> {
        entries.iter().map(|entry| self.next(entry, actor, at)).collect()
    }

    fn next(&mut self, entry: &Entry, actor: &Actor, at: Instant) -> EventRow {
        self.seq += 1;
        let payload = sql::to_json(&entry.payload);
        let postings: Vec<SealedPosting> = entry.postings.iter().map(SealedPosting::from).collect();
        let hash = Sealed(
            self.stream,
            self.seq,
            &self.head,
            at.timestamp_micros(),
            actor.user().0,
            &entry.kind,
            &payload,
            self.state_hash,
            &postings,
        )
        .hash();
        EventRow {
            id: event_id(at, self.seq, &hash),
            stream: self.stream,
            stream_kind: self.kind.to_owned(),
            seq: self.seq,
            partner_id: self.partner,
            at,
            actor_id: actor.user(),
            actor_name: actor.me.name.clone(),
            acting_for: entry.acting_for.clone(),
            kind: entry.kind.clone(),
            words: entry.words.clone(),
            quiet: entry.quiet,
            payload,
            state_hash: self.state_hash.to_owned(),
            prev_hash: std::mem::replace(&mut self.head, hash.clone()),
            hash,
        }
    }
}

/// A UUID of version 7: the event's time, its sequence, then bits of its hash. The same event has the same id anywhere,
/// and events of one moment sort as they happened.
fn event_id(at: Instant, seq: i64, hash: &str) -> EventId {
    let mut bits = [0; 10];
    let digest = hex::decode(hash).unwrap_or_default();
    bits.iter_mut().zip(digest).for_each(|(bit, byte)| *bit = byte);
    let [.., high, low] = seq.to_be_bytes();
    (bits[0], bits[1]) = (high, low);
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    EventId(uuid::Builder::from_unix_timestamp_millis(millis, &bits).into_uuid())
}

impl Tx {
    pub(crate) async fn append(&self, events: &[EventRow]) -> Result<()> {
        sql::insert(&self.db, events).await.map(|_| ())
    }

    /// The newest event of a cycle or fund: who moved it last, when, and in which words. A fund just opened has none.
    pub async fn last_event(&self, stream: Uuid) -> Result<Option<LastEvent>> {
        let sql = "SELECT actor_name, at, words FROM event WHERE stream = $1 ORDER BY seq DESC LIMIT 1";
        sql::maybe(&self.db, sql, sql::values![stream]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A golden vector: if this fails, the format of the chain has changed and old chains no longer verify.
    #[test]
    fn the_hash_of_a_known_event_is_known() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let postings = [SealedPosting(one, two, 12_000, Currency::EUR)];
        let sealed =
            Sealed(one, 1, GENESIS, 1_767_225_600_000_000, two, "fund.budgeted", r#"{"a":1}"#, "ab", &postings);
        let text = sql::to_json(&sealed);
        assert_eq!(
            text,
            format!(
                r#"["{one}",1,"{GENESIS}",1767225600000000,"{two}","fund.budgeted","{{\"a\":1}}","ab",[["{one}","{two}",12000,"EUR"]]]"#
            )
        );
        assert_eq!(sealed.hash(), "8b1f40adc1711d7a1420e70e99b16c86d0f132fc99696385774595ccf87b1e62");
    }
}
