//! The results side: tracked links, responders, touches, deals, and the imports that bring them.

crate::migration!(
    "m10_results",
    "
CREATE TABLE link (
  code text NOT NULL PRIMARY KEY,
  cycle_id uuid NOT NULL,
  campaign_no integer NOT NULL,
  partner_id uuid NOT NULL,
  label text NOT NULL,
  url text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX link_by_campaign ON link (cycle_id, campaign_no);

-- Clicks are counted, not kept one by one: a flood of a public link costs one row a day.
CREATE TABLE visit (
  code text NOT NULL REFERENCES link (code),
  day date NOT NULL,
  clicks bigint NOT NULL,
  PRIMARY KEY (code, day)
);

CREATE TABLE company (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL,
  domain text UNIQUE,
  crm_id text UNIQUE,
  created_at timestamptz NOT NULL
);
CREATE INDEX company_by_name ON company (name, id);

CREATE TABLE person (
  id uuid NOT NULL PRIMARY KEY,
  company_id uuid REFERENCES company (id),
  email_norm text UNIQUE,
  crm_id text UNIQUE,
  name text NOT NULL,
  title text,
  phone text,
  consent_at timestamptz,
  created_at timestamptz NOT NULL
);
CREATE INDEX person_by_company ON person (company_id);
CREATE INDEX person_by_name ON person (name, id);

CREATE TABLE import_batch (
  id uuid NOT NULL PRIMARY KEY,
  kind text NOT NULL,
  file_name text NOT NULL,
  sha256 text NOT NULL,
  by_user uuid NOT NULL,
  partner_id uuid,
  at timestamptz NOT NULL,
  added bigint NOT NULL,
  changed bigint NOT NULL,
  unchanged bigint NOT NULL,
  refused bigint NOT NULL,
  undone_at timestamptz
);
CREATE INDEX import_batch_by_time ON import_batch (at, id);

-- What a batch found before it wrote: undo puts it back, newest change first.
CREATE TABLE import_change (
  batch_id uuid NOT NULL REFERENCES import_batch (id),
  n bigint NOT NULL,
  table_name text NOT NULL,
  row_id uuid NOT NULL,
  before_json text,
  PRIMARY KEY (batch_id, n)
);

CREATE TABLE touch (
  id uuid NOT NULL PRIMARY KEY,
  cycle_id uuid,
  campaign_no integer,
  campaign_code text,
  partner_id uuid,
  person_id uuid REFERENCES person (id),
  company_id uuid REFERENCES company (id),
  at timestamptz NOT NULL,
  kind text NOT NULL,
  source text NOT NULL,
  response boolean NOT NULL,
  reached text NOT NULL,
  status text,
  external_id text,
  batch_id uuid
);
CREATE UNIQUE INDEX touch_external ON touch (source, external_id);
CREATE INDEX touch_by_campaign ON touch (cycle_id, campaign_no, at, id);
CREATE INDEX touch_by_company ON touch (company_id, at, id);
CREATE INDEX touch_by_person ON touch (person_id, at, id);
CREATE INDEX touch_by_partner ON touch (partner_id, at, id);
CREATE INDEX touch_by_batch ON touch (batch_id) WHERE batch_id IS NOT NULL;

CREATE TABLE deal (
  id uuid NOT NULL PRIMARY KEY,
  external_id text UNIQUE,
  company_id uuid REFERENCES company (id),
  person_id uuid REFERENCES person (id),
  partner_id uuid,
  name text NOT NULL,
  stage text NOT NULL,
  amount bigint NOT NULL,
  currency text NOT NULL,
  created_on date NOT NULL,
  closed_on date,
  is_won boolean NOT NULL,
  is_closed boolean NOT NULL,
  registered boolean NOT NULL,
  cycle_id uuid,
  campaign_no integer,
  batch_id uuid
);
CREATE INDEX deal_by_company ON deal (company_id, created_on, id);
CREATE INDEX deal_by_person ON deal (person_id);
CREATE INDEX deal_by_partner ON deal (partner_id, created_on, id);
CREATE INDEX deal_by_campaign ON deal (cycle_id, campaign_no);
CREATE INDEX deal_by_day ON deal (created_on, id);
CREATE INDEX deal_by_batch ON deal (batch_id) WHERE batch_id IS NOT NULL;
"
);
