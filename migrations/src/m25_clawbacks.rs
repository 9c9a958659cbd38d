//! Claw backs that wait for a second person, found without going through everything that was ever paid.

crate::migration!(
    "m25_clawbacks",
    "
CREATE INDEX claim_clawbacks ON claim (submitted_at, cycle_id, no) WHERE clawback_open;
"
);
