//! Administration has a timeline of its own: who was given which rights, which guide came into force, which file was
//! imported. It is one chain for the whole house; this row keeps its head.

crate::migration!(
    "m13_office",
    "
CREATE TABLE office (
  id uuid NOT NULL PRIMARY KEY,
  version bigint NOT NULL,
  head_hash text NOT NULL
);
"
);
