//! Forfeited credit that somebody wants back waits on its fund until enough people have agreed, as JSON. Postings are
//! read by their time for the general ledger.

crate::migration!(
    "m14_funds_tree",
    "
ALTER TABLE fund ADD COLUMN reinstatements text NOT NULL DEFAULT '[]';
CREATE INDEX fund_with_reinstatements ON fund (code) WHERE reinstatements <> '[]';
CREATE INDEX posting_by_time ON posting (at, event_id, n);
"
);
