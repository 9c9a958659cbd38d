//! People who sign in, and how: sessions, guesses, invitations, tokens, stand-ins.
//!
//! Secrets are kept as hashes only; a session, an invitation and a token are found by the hash of what was shown once.

crate::migration!(
    "m03_people",
    "
CREATE TABLE app_user (
  id uuid NOT NULL PRIMARY KEY,
  email text NOT NULL UNIQUE CHECK (email = lower(email)),
  name text NOT NULL,
  password_hash text,
  roles text NOT NULL,
  partner_id uuid REFERENCES partner (id),
  territory text NOT NULL,
  approves_level integer NOT NULL,
  marks text NOT NULL,
  theme text NOT NULL,
  disabled_at timestamptz,
  confirmed_at timestamptz,
  created_at timestamptz NOT NULL
);
CREATE INDEX app_user_by_partner ON app_user (partner_id, name);
CREATE INDEX app_user_by_name ON app_user (name, id);

CREATE TABLE session (
  token_hash text NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES app_user (id),
  csrf text NOT NULL,
  created_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ip text NOT NULL,
  agent text NOT NULL
);
CREATE INDEX session_by_user ON session (user_id, seen_at);
CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TABLE sign_in_attempt (
  id uuid NOT NULL PRIMARY KEY,
  email text NOT NULL,
  ip text NOT NULL,
  at timestamptz NOT NULL,
  -- NULL while the password is looked at.
  passed boolean
);
CREATE INDEX sign_in_attempt_by_email ON sign_in_attempt (email, at);
CREATE INDEX sign_in_attempt_by_time ON sign_in_attempt (at);

-- An account somebody tries to get into. Writing its row makes tries at one account wait for each other.
CREATE TABLE sign_in_account (
  email text NOT NULL PRIMARY KEY,
  knocked_at timestamptz NOT NULL
);
CREATE INDEX sign_in_account_by_time ON sign_in_account (knocked_at);

-- An invitation or a password reset: one mailed link, used once.
CREATE TABLE invitation (
  token_hash text NOT NULL PRIMARY KEY,
  purpose text NOT NULL,
  email text NOT NULL,
  user_id uuid NOT NULL REFERENCES app_user (id),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX invitation_by_user ON invitation (user_id);

CREATE TABLE api_token (
  id uuid NOT NULL PRIMARY KEY,
  token_hash text NOT NULL UNIQUE,
  user_id uuid NOT NULL REFERENCES app_user (id),
  name text NOT NULL,
  scopes text NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX api_token_by_user ON api_token (user_id, created_at);

CREATE TABLE stand_in (
  id uuid NOT NULL PRIMARY KEY,
  absent_id uuid NOT NULL REFERENCES app_user (id),
  stand_in_id uuid NOT NULL REFERENCES app_user (id),
  from_day date NOT NULL,
  to_day date NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK (from_day <= to_day),
  CHECK (absent_id <> stand_in_id)
);
CREATE INDEX stand_in_by_stand_in ON stand_in (stand_in_id, to_day);
CREATE INDEX stand_in_by_absent ON stand_in (absent_id, to_day);
"
);
