//! Aggregates kept in the transaction that changes them, so that a dashboard reads few rows however many cycles there
//! are: `rollup` has a row per quarter, program, region, tactic and currency; `rollup_partner` one per quarter, partner
//! and currency; `stage_day` counts cycles by stage, region and due day; `fund_month` what every kind of account of a fund gained in a month. Planned counts are thousandths.

crate::migration!(
    "m11_rollups",
    "
CREATE TABLE fund_month (
  fund_id uuid NOT NULL,
  month date NOT NULL,
  kind text NOT NULL,
  net bigint NOT NULL,
  PRIMARY KEY (fund_id, month, kind)
);

CREATE TABLE stage_day (
  stage text NOT NULL,
  region text NOT NULL,
  due date NOT NULL,
  cycles bigint NOT NULL,
  PRIMARY KEY (stage, region, due)
);
CREATE INDEX stage_day_by_region ON stage_day (region, stage, due, cycles);

CREATE TABLE rollup (
  quarter date NOT NULL,
  program_id uuid NOT NULL,
  region text NOT NULL,
  tactic text NOT NULL,
  currency text NOT NULL,
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
  actual_cost bigint NOT NULL,
  responses bigint NOT NULL,
  leads bigint NOT NULL,
  mqls bigint NOT NULL,
  opportunities bigint NOT NULL,
  proposals bigint NOT NULL,
  wins bigint NOT NULL,
  registered_deals bigint NOT NULL,
  pipeline bigint NOT NULL,
  won bigint NOT NULL,
  sourced bigint NOT NULL,
  influenced bigint NOT NULL,
  credited bigint NOT NULL,
  PRIMARY KEY (quarter, program_id, region, tactic, currency)
);

CREATE TABLE rollup_partner (
  quarter date NOT NULL,
  partner_id uuid NOT NULL,
  region text NOT NULL,
  currency text NOT NULL,
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
  actual_cost bigint NOT NULL,
  responses bigint NOT NULL,
  leads bigint NOT NULL,
  mqls bigint NOT NULL,
  opportunities bigint NOT NULL,
  proposals bigint NOT NULL,
  wins bigint NOT NULL,
  registered_deals bigint NOT NULL,
  pipeline bigint NOT NULL,
  won bigint NOT NULL,
  sourced bigint NOT NULL,
  influenced bigint NOT NULL,
  credited bigint NOT NULL,
  PRIMARY KEY (quarter, partner_id, currency)
);
CREATE INDEX rollup_partner_top ON rollup_partner (quarter, currency, approved, partner_id);
CREATE INDEX rollup_partner_top_by_region ON rollup_partner (region, quarter, currency, approved, partner_id);
CREATE INDEX rollup_partner_of ON rollup_partner (partner_id, quarter);
"
);
