//! Programs, their guides by version, running numbers, and what the installation remembers of itself.

crate::migration!(
    "m01_programs",
    "
CREATE TABLE program (
  id uuid NOT NULL PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text NOT NULL,
  currency text NOT NULL,
  scorecard text NOT NULL,
  created_at timestamptz NOT NULL
);

-- A version is never changed; the guide in force on a day is the one effective last by then.
CREATE TABLE guide (
  program_id uuid NOT NULL REFERENCES program (id),
  version bigint NOT NULL CHECK (version > 0),
  toml text NOT NULL,
  effective_from date NOT NULL,
  created_at timestamptz NOT NULL,
  created_by uuid,
  PRIMARY KEY (program_id, version)
);

CREATE TABLE counter (
  name text NOT NULL PRIMARY KEY,
  value bigint NOT NULL
);

CREATE TABLE setting (
  name text NOT NULL PRIMARY KEY,
  value text NOT NULL
);
"
);
