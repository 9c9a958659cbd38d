//! Deadlines people hear of: how often which mails come, and the secret address of a person's calendar.
//!
//! A mail that waits for a digest is a row of the outbox like any other, of the kind `item`: it is listed, never sent by
//! itself, and done when a digest has named it.

crate::migration!(
    "m18_deadlines",
    "
CREATE TABLE mail_choice (
  user_id uuid NOT NULL REFERENCES app_user (id),
  kind text NOT NULL,
  rhythm text NOT NULL,
  PRIMARY KEY (user_id, kind)
);

-- Found by the hash of what was shown once; a new address puts the old one out of use.
CREATE TABLE calendar_feed (
  user_id uuid NOT NULL PRIMARY KEY REFERENCES app_user (id),
  token_hash text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  read_at timestamptz
);

CREATE INDEX outbox_items ON outbox (due_at, to_user) WHERE kind = 'item' AND sent_at IS NULL;
CREATE INDEX account_committed_lots ON account (lot, fund_id) WHERE kind = 'committed' AND balance > 0;
"
);
