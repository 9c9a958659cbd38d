//! Cycles and what hangs on them. `doc` is the truth; every other column is projected from it so that people can
//! filter and sort, in the same transaction.
//!
//! `due` is 9999-12-31 where nothing is due, so that lists sort alike on both databases.

crate::migration!(
    "m05_cycles",
    "
CREATE TABLE cycle (
  id uuid NOT NULL PRIMARY KEY,
  number text NOT NULL UNIQUE,
  serial bigint NOT NULL UNIQUE,
  program_id uuid NOT NULL REFERENCES program (id),
  partner_id uuid NOT NULL REFERENCES partner (id),
  region text NOT NULL,
  title text NOT NULL,
  search text NOT NULL,
  period_from date NOT NULL,
  period_to date NOT NULL,
  currency text NOT NULL,
  stage text NOT NULL,
  level integer NOT NULL,
  version bigint NOT NULL,
  since timestamptz NOT NULL,
  opened_at timestamptz NOT NULL,
  ended_at timestamptz,
  waiting_on text NOT NULL,
  waiting_since timestamptz NOT NULL,
  due date NOT NULL,
  task text NOT NULL,
  stopped boolean NOT NULL,
  wake_at timestamptz,
  lease_until timestamptz,
  fund_id uuid REFERENCES fund (id),
  asked bigint NOT NULL,
  approved bigint NOT NULL,
  claimed bigint NOT NULL,
  paid bigint NOT NULL,
  updated_at timestamptz NOT NULL,
  head_hash text NOT NULL,
  doc text NOT NULL
);
CREATE INDEX cycle_queue ON cycle (waiting_on, level, due, id);
CREATE INDEX cycle_queue_by_region ON cycle (waiting_on, level, region, due, id);
CREATE INDEX cycle_by_due ON cycle (due, id);
CREATE INDEX cycle_by_partner_due ON cycle (partner_id, due, id);
CREATE INDEX cycle_by_partner ON cycle (partner_id, serial);
CREATE INDEX cycle_by_region_due ON cycle (region, due, id);
CREATE INDEX cycle_by_region ON cycle (region, serial);
CREATE INDEX cycle_by_stage_due ON cycle (stage, due, id);
CREATE INDEX cycle_by_stage_region_due ON cycle (stage, region, due, id);
CREATE INDEX cycle_by_stage ON cycle (stage, serial);
CREATE INDEX cycle_by_fund ON cycle (fund_id, serial);
CREATE INDEX cycle_wakes ON cycle (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE campaign (
  cycle_id uuid NOT NULL REFERENCES cycle (id),
  no integer NOT NULL,
  partner_id uuid NOT NULL,
  region text NOT NULL,
  program_id uuid NOT NULL,
  quarter date NOT NULL,
  currency text NOT NULL,
  tactic text NOT NULL,
  name text NOT NULL,
  code text UNIQUE,
  cancelled boolean NOT NULL,
  campaigns bigint NOT NULL,
  planned_cost bigint NOT NULL,
  planned_revenue bigint NOT NULL,
  planned_responses bigint NOT NULL,
  planned_leads bigint NOT NULL,
  planned_mqls bigint NOT NULL,
  planned_opportunities bigint NOT NULL,
  planned_proposals bigint NOT NULL,
  planned_wins bigint NOT NULL,
  asked bigint NOT NULL,
  approved bigint NOT NULL,
  claimed bigint NOT NULL,
  paid bigint NOT NULL,
  actual_cost bigint NOT NULL DEFAULT 0,
  responses bigint NOT NULL DEFAULT 0,
  leads bigint NOT NULL DEFAULT 0,
  mqls bigint NOT NULL DEFAULT 0,
  opportunities bigint NOT NULL DEFAULT 0,
  proposals bigint NOT NULL DEFAULT 0,
  wins bigint NOT NULL DEFAULT 0,
  registered_deals bigint NOT NULL DEFAULT 0,
  pipeline bigint NOT NULL DEFAULT 0,
  won bigint NOT NULL DEFAULT 0,
  sourced bigint NOT NULL DEFAULT 0,
  influenced bigint NOT NULL DEFAULT 0,
  credited bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (cycle_id, no)
);
CREATE INDEX campaign_by_partner ON campaign (partner_id, quarter);
CREATE INDEX campaign_by_quarter ON campaign (quarter, cycle_id, no);

CREATE TABLE activity (
  cycle_id uuid NOT NULL REFERENCES cycle (id),
  no integer NOT NULL,
  campaign_no integer NOT NULL,
  partner_id uuid NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  state text NOT NULL,
  starts date NOT NULL,
  ends date NOT NULL,
  currency text NOT NULL,
  cost bigint NOT NULL,
  PRIMARY KEY (cycle_id, no)
);
CREATE INDEX activity_by_state ON activity (state, ends, cycle_id, no);
CREATE INDEX activity_by_region ON activity (region, state, ends, cycle_id, no);
CREATE INDEX activity_by_partner ON activity (partner_id, state, ends, cycle_id, no);

CREATE TABLE claim (
  cycle_id uuid NOT NULL REFERENCES cycle (id),
  no integer NOT NULL,
  campaign_no integer NOT NULL,
  partner_id uuid NOT NULL,
  region text NOT NULL,
  state text NOT NULL,
  is_final boolean NOT NULL,
  clawback_open boolean NOT NULL,
  currency text NOT NULL,
  asked bigint NOT NULL,
  approved bigint NOT NULL,
  paid bigint NOT NULL,
  submitted_at timestamptz NOT NULL,
  PRIMARY KEY (cycle_id, no)
);
CREATE INDEX claim_by_state ON claim (state, submitted_at, cycle_id, no);
CREATE INDEX claim_by_region ON claim (region, state, submitted_at, cycle_id, no);
CREATE INDEX claim_by_partner ON claim (partner_id, state, submitted_at, cycle_id, no);

-- Invoices of claims, so that one handed in twice is seen.
CREATE TABLE invoice (
  cycle_id uuid NOT NULL REFERENCES cycle (id),
  claim_no integer NOT NULL,
  n integer NOT NULL,
  partner_id uuid NOT NULL,
  vendor text NOT NULL,
  invoice_no text NOT NULL,
  currency text NOT NULL,
  amount bigint NOT NULL,
  PRIMARY KEY (cycle_id, claim_no, n)
);
CREATE INDEX invoice_again ON invoice (invoice_no, vendor, amount);
"
);
