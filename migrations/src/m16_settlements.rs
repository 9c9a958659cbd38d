//! Settlement batches and where money is sent. A batch is a document with a timeline of its own, as a cycle is; the rows
//! of its claims say which wait for it, and no claim waits for two.

crate::migration!(
    "m16_settlements",
    "
CREATE TABLE settlement (
  id uuid NOT NULL PRIMARY KEY,
  number text NOT NULL UNIQUE,
  currency text NOT NULL,
  state text NOT NULL,
  version bigint NOT NULL,
  head_hash text NOT NULL,
  doc text NOT NULL,
  payments bigint NOT NULL,
  net bigint NOT NULL,
  built_at timestamptz NOT NULL
);
CREATE INDEX settlement_by_time ON settlement (built_at, id);
CREATE INDEX settlement_by_state ON settlement (state, built_at, id);

CREATE TABLE settlement_claim (
  settlement_id uuid NOT NULL REFERENCES settlement (id),
  payment integer NOT NULL,
  cycle_id uuid NOT NULL REFERENCES cycle (id),
  claim_no integer NOT NULL,
  partner_id uuid NOT NULL REFERENCES partner (id),
  fund_id uuid NOT NULL REFERENCES fund (id),
  held_back bigint NOT NULL,
  waits boolean NOT NULL,
  PRIMARY KEY (settlement_id, cycle_id, claim_no)
);
CREATE UNIQUE INDEX settlement_claim_waits ON settlement_claim (cycle_id, claim_no) WHERE waits;
CREATE INDEX settlement_claim_by_partner ON settlement_claim (partner_id, fund_id) WHERE waits;

-- Owner: a partner's id, or a currency for the account the house pays from. A change is a new version.
CREATE TABLE payment_details (
  owner text NOT NULL,
  version bigint NOT NULL,
  details text NOT NULL,
  by_user uuid NOT NULL,
  by_name text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (owner, version)
);
",
    append_only "payment_details"
);
