//! The book: accounts and postings. The CHECK stands behind every guarded update.

crate::migration!(
    "m07_ledger",
    "
CREATE TABLE account (
  id uuid NOT NULL PRIMARY KEY,
  kind text NOT NULL,
  fund_id uuid NOT NULL REFERENCES fund (id),
  partner_id uuid,
  cycle_id uuid,
  item integer,
  lot date,
  currency text NOT NULL,
  balance bigint NOT NULL,
  CHECK (kind = 'funding' OR balance >= 0)
);
-- A partner's wallet; the accounts of single cycles are many and reached through their cycle.
CREATE INDEX account_wallet ON account (partner_id, fund_id, kind) WHERE cycle_id IS NULL;
CREATE INDEX account_lots ON account (lot, fund_id) WHERE kind = 'available' AND balance > 0;
CREATE INDEX account_by_cycle ON account (cycle_id) WHERE cycle_id IS NOT NULL;
CREATE INDEX account_by_partner ON account (partner_id, kind);
CREATE INDEX account_by_fund ON account (fund_id, kind);

CREATE TABLE posting (
  event_id uuid NOT NULL REFERENCES event (id),
  n integer NOT NULL,
  from_id uuid NOT NULL REFERENCES account (id),
  to_id uuid NOT NULL REFERENCES account (id),
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  fund_id uuid NOT NULL,
  partner_id uuid,
  at timestamptz NOT NULL,
  PRIMARY KEY (event_id, n),
  CHECK (from_id <> to_id)
);
CREATE INDEX posting_from ON posting (from_id, at);
CREATE INDEX posting_to ON posting (to_id, at);
CREATE INDEX posting_by_fund ON posting (fund_id, at, event_id, n);
CREATE INDEX posting_by_partner ON posting (partner_id, at, event_id, n);
",
    append_only "posting"
);
