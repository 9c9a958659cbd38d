//! Open cycles of an older release know nothing of their reminders: each wakes once and finds when the next one is due.

crate::migration!(
    "m26_reminders",
    "
UPDATE cycle SET wake_at = opened_at WHERE ended_at IS NULL;
"
);
