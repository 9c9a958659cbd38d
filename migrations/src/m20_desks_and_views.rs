//! Whose desk a request lies on, views of lists that people keep, the terms a partner has accepted, and what else is known
//! of a partner.
//!
//! What desk an open request lies on is for the rules to say: the worker wakes every one of them once and writes it down.

crate::migration!(
    "m20_desks_and_views",
    "
-- The seat that decides a request now (`manager`, `approver.2`), the default approver's once the level's time has passed,
-- and the ids of people who do not decide it because they asked for it or decided on another level.
ALTER TABLE cycle ADD COLUMN desk text;
ALTER TABLE cycle ADD COLUMN desk_too text;
ALTER TABLE cycle ADD COLUMN barred text NOT NULL DEFAULT '';
CREATE INDEX cycle_desk ON cycle (desk, due, id) WHERE desk IS NOT NULL;
CREATE INDEX cycle_desk_by_region ON cycle (desk, region, due, id) WHERE desk IS NOT NULL;
CREATE INDEX cycle_desk_too ON cycle (desk_too, due, id) WHERE desk_too IS NOT NULL;
CREATE INDEX cycle_desk_too_by_region ON cycle (desk_too, region, due, id) WHERE desk_too IS NOT NULL;
UPDATE cycle SET desk = CASE WHEN level <= 1 THEN 'manager' ELSE 'approver.' || level END, wake_at = opened_at
 WHERE waiting_on = 'approvers';

-- A person's own view of a list: the filters its address holds, under a name.
CREATE TABLE saved_view (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES app_user (id),
  list text NOT NULL,
  name text NOT NULL,
  -- The name in small letters, to tell two apart.
  called text NOT NULL,
  filters text NOT NULL,
  is_default boolean NOT NULL,
  saved_at timestamptz NOT NULL,
  UNIQUE (user_id, list, called)
);

-- The terms a partner accepted when it asked for money, word for word; once a version.
CREATE TABLE terms_accepted (
  partner_id uuid NOT NULL REFERENCES partner (id),
  program_id uuid NOT NULL REFERENCES program (id),
  version text NOT NULL,
  terms text NOT NULL,
  cycle_id uuid NOT NULL REFERENCES cycle (id),
  by_user uuid NOT NULL,
  by_name text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (partner_id, program_id, version)
);
CREATE INDEX terms_accepted_last ON terms_accepted (partner_id, program_id, at);

-- Whatever else the vendor tells its partners apart by, as a JSON object of texts.
ALTER TABLE partner ADD COLUMN attributes text NOT NULL DEFAULT '{}';
",
    append_only "terms_accepted"
);
