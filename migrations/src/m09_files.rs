//! Files: what was uploaded, by whom, for which cycle; the bytes are in the object store under their hash.

crate::migration!(
    "m09_files",
    "
CREATE TABLE file (
  id uuid NOT NULL PRIMARY KEY,
  sha256 text NOT NULL,
  name text NOT NULL,
  content_type text NOT NULL,
  size bigint NOT NULL CHECK (size >= 0),
  partner_id uuid,
  cycle_id uuid,
  uploaded_by uuid NOT NULL,
  at timestamptz NOT NULL,
  ready boolean NOT NULL
);
CREATE INDEX file_by_hash ON file (sha256);
CREATE INDEX file_by_cycle ON file (cycle_id, at);
CREATE INDEX file_unready ON file (at) WHERE NOT ready;
"
);
