//! A partner's requests of one period, found without looking at those of all others: a mix counts them together.

crate::migration!(
    "m22_requests_of_a_period",
    "
CREATE INDEX cycle_by_partner_period ON cycle (partner_id, program_id, period_from);
"
);
