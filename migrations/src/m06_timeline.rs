//! The timeline: every event of every cycle and fund, append-only and hash-chained per stream.

crate::migration!(
    "m06_timeline",
    "
CREATE TABLE event (
  id uuid NOT NULL PRIMARY KEY,
  stream uuid NOT NULL,
  stream_kind text NOT NULL CHECK (stream_kind IN ('cycle', 'fund', 'office')),
  seq bigint NOT NULL CHECK (seq > 0),
  partner_id uuid,
  at timestamptz NOT NULL,
  actor_id uuid NOT NULL,
  actor_name text NOT NULL,
  acting_for text,
  kind text NOT NULL,
  words text NOT NULL,
  quiet boolean NOT NULL,
  payload text NOT NULL,
  state_hash text NOT NULL,
  prev_hash text NOT NULL,
  hash text NOT NULL,
  UNIQUE (stream, seq)
);
CREATE INDEX event_by_time ON event (at, id);
CREATE INDEX event_by_actor ON event (actor_id, at);
",
    append_only "event"
);
