//! Credit earned on purchases, periods that were closed, and what was in a fund's accounts when they were.
//!
//! A closing is told by what tells accounts apart. What was paid is one line a partner: claims are many and for ever, and
//! a closing that listed each would grow with the years.

crate::migration!(
    "m15_periods",
    "
ALTER TABLE fund ADD COLUMN closed_until date;

CREATE TABLE accrual (
  id uuid NOT NULL PRIMARY KEY,
  program_id uuid NOT NULL REFERENCES program (id),
  purchase text NOT NULL,
  fund_id uuid NOT NULL REFERENCES fund (id),
  partner_id uuid NOT NULL REFERENCES partner (id),
  on_day date NOT NULL,
  product text,
  units bigint,
  bought bigint,
  currency text NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  lot date,
  guide_version bigint NOT NULL,
  batch_id uuid NOT NULL REFERENCES import_batch (id),
  event_id uuid NOT NULL REFERENCES event (id),
  taken_back_at timestamptz
);
-- A purchase earns once; one that was taken back may come again.
CREATE UNIQUE INDEX accrual_once ON accrual (program_id, purchase, fund_id) WHERE taken_back_at IS NULL;
CREATE INDEX accrual_by_day ON accrual (program_id, on_day);
CREATE INDEX accrual_by_partner ON accrual (partner_id, on_day, id);
CREATE INDEX accrual_by_fund ON accrual (fund_id, on_day);
CREATE INDEX accrual_by_batch ON accrual (batch_id);

-- Wallets that hold something: emptied ones are many and stay.
CREATE INDEX account_free ON account (fund_id, kind, lot) WHERE kind = 'available' AND balance > 0;

CREATE TABLE period_close (
  fund_id uuid NOT NULL REFERENCES fund (id),
  last_day date NOT NULL,
  first_day date NOT NULL,
  event_id uuid NOT NULL REFERENCES event (id),
  at timestamptz NOT NULL,
  PRIMARY KEY (fund_id, last_day)
);

CREATE TABLE closing (
  fund_id uuid NOT NULL,
  day date NOT NULL,
  n bigint NOT NULL,
  kind text NOT NULL,
  partner_id uuid,
  cycle_id uuid,
  item integer,
  lot date,
  amount bigint NOT NULL CHECK (amount <> 0),
  PRIMARY KEY (fund_id, day, n),
  FOREIGN KEY (fund_id, day) REFERENCES period_close (fund_id, last_day)
);
CREATE INDEX closing_by_partner ON closing (partner_id, fund_id, day);
",
    append_only "period_close",
    append_only "closing"
);
