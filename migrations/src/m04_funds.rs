//! Funds. Their balances are in the ledger; this row says what a fund is and how far its timeline has come.

crate::migration!(
    "m04_funds",
    "
CREATE TABLE fund (
  id uuid NOT NULL PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text NOT NULL,
  program_id uuid NOT NULL REFERENCES program (id),
  parent_id uuid REFERENCES fund (id),
  kind text NOT NULL,
  currency text NOT NULL,
  version bigint NOT NULL,
  head_hash text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX fund_by_program ON fund (program_id, code);
CREATE INDEX fund_by_parent ON fund (parent_id);
"
);
