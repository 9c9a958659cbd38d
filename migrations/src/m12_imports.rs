//! What surrounds imports: files waiting to be committed, saved column maps, other systems' names of campaigns, and the
//! rows of a batch that want a look.

crate::migration!(
    "m12_imports",
    "
CREATE TABLE import_upload (
  id uuid NOT NULL PRIMARY KEY,
  by_user uuid NOT NULL,
  partner_id uuid,
  kind text NOT NULL,
  file_name text NOT NULL,
  sha256 text NOT NULL,
  size bigint NOT NULL,
  settings text NOT NULL,
  at timestamptz NOT NULL,
  batch_id uuid UNIQUE
);
CREATE INDEX import_upload_open ON import_upload (at, id) WHERE batch_id IS NULL;

-- Owner: a partner's id, or empty for the vendor.
CREATE TABLE import_map (
  owner text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  settings text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (owner, name)
);

CREATE TABLE campaign_alias (
  owner text NOT NULL,
  alias text NOT NULL,
  cycle_id uuid NOT NULL,
  campaign_no integer NOT NULL,
  PRIMARY KEY (owner, alias)
);

-- Rows of a batch that were not kept, and kept ones with a match to look at.
CREATE TABLE import_exception (
  batch_id uuid NOT NULL REFERENCES import_batch (id),
  n bigint NOT NULL,
  line bigint NOT NULL,
  column_name text NOT NULL,
  cell text NOT NULL,
  reason text NOT NULL,
  kept boolean NOT NULL,
  PRIMARY KEY (batch_id, n)
);
"
);
