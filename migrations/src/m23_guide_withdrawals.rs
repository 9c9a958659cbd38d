//! Versions of a guide that were taken back before their day came.

crate::migration!(
    "m23_guide_withdrawals",
    "
-- The version itself stays where it is; nothing was ever judged by it, and nothing will be.
CREATE TABLE guide_withdrawal (
  program_id uuid NOT NULL,
  version bigint NOT NULL,
  reason text NOT NULL,
  by_user uuid NOT NULL,
  by_name text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (program_id, version),
  FOREIGN KEY (program_id, version) REFERENCES guide (program_id, version)
);
",
    append_only "guide_withdrawal"
);
