//! Work that outlives a request: answers already given, and mail to send.

crate::migration!(
    "m08_work",
    "
-- One row a submitted form or API call; the same key again is answered from here.
CREATE TABLE submission (
  scope text NOT NULL,
  submission_key text NOT NULL,
  input_hash text NOT NULL,
  result text,
  at timestamptz NOT NULL,
  PRIMARY KEY (scope, submission_key)
);
CREATE INDEX submission_by_time ON submission (at);

CREATE TABLE outbox (
  id uuid NOT NULL PRIMARY KEY,
  kind text NOT NULL,
  topic text NOT NULL,
  to_email text NOT NULL,
  to_name text NOT NULL,
  to_user uuid,
  subject text NOT NULL,
  text_body text NOT NULL,
  html_body text NOT NULL,
  message_id text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  attempts integer NOT NULL,
  lease_until timestamptz,
  sent_at timestamptz,
  last_error text,
  dead boolean NOT NULL,
  -- Holds a link that signs its reader in: shown to nobody, and blank once the mail has left.
  secret boolean NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE sent_at IS NULL AND NOT dead;
CREATE INDEX outbox_dead ON outbox (created_at, id) WHERE dead;
CREATE INDEX outbox_by_time ON outbox (created_at, id);
CREATE INDEX outbox_by_user ON outbox (to_user, created_at, id);
"
);
