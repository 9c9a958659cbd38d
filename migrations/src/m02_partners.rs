//! Partners: the companies a vendor sells through.

crate::migration!(
    "m02_partners",
    "
CREATE TABLE partner (
  id uuid NOT NULL PRIMARY KEY,
  name text NOT NULL UNIQUE,
  region text NOT NULL,
  country text NOT NULL,
  tier text NOT NULL,
  currency text NOT NULL,
  manager_id uuid,
  good_standing boolean NOT NULL,
  domain text,
  crm_id text,
  created_at timestamptz NOT NULL
);
CREATE INDEX partner_by_region ON partner (region, name);
CREATE INDEX partner_by_manager ON partner (manager_id);
CREATE INDEX partner_by_crm_id ON partner (crm_id);
"
);
