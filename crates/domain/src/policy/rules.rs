//! The rules of a program guide, one function each: what the guide says, applied to the facts it is given.
//!
//! A rule answers with a [`Verdict`](super::Verdict): the numbers and dates it used, one sentence of what holds or is
//! wrong, one of what would pass. A fact that is not known makes a rule not applicable; it never makes it pass.

mod approving;
mod asking;
mod claiming;
mod costs;
mod earning;
mod paying;
mod proving;

pub use approving::{Approved, amount_has_approvers, approvals, bands, material_change};
pub use asking::{AskedFund, Asker, Asking, Planned, PlannedLine, judge, priced};
pub use claiming::{
    Claimed, ClaimedActivity, ClaimedLine, MoreTime, Priced, Window, extension, final_claim, invoice, minimum_claim,
    most_claims, payable, pays, proven, window, window_reminders,
};
pub use costs::{Costed, counted};
pub use earning::{
    Lot, Pot, Purchase, accrual_rate, accrual_split, accrual_threshold, carry_over, credit_expiry, credit_order,
    draw_order, earn_window, earned, fund_tree, reinstatement, under_threshold,
};
pub use paying::{
    Exchanged, Settled, exchange_rate, keep_until, offset, rate_on, retention, settlement, settles, too_large,
};
pub use proving::{Handed, Provable, checklist, missing, proof_reminders, proof_window, resubmission};

/// Every rule by name, in the order of the loop; `fundloop policy explain` answers for each of them.
pub const ALL: [&str; 44] = [
    "activity_type",
    "season",
    "use_window",
    "eligible_cost",
    "cap",
    "vendor_share",
    "mix",
    "minimum_request",
    "lead_time",
    "plan_agreed",
    "scorecard_not_red",
    "good_standing",
    "terms",
    "justification",
    "fund",
    "funds_available",
    "approval_bands",
    "approvals",
    "material_change",
    "proof_checklist",
    "proof_window",
    "proof_reminders",
    "resubmission",
    "claim_window",
    "claim_reminders",
    "extension",
    "invoice",
    "proven",
    "most_claims",
    "final_claim",
    "claim_amount",
    "minimum_claim",
    "exchange_rate",
    "offset",
    "settlement",
    "retention",
    "earn_window",
    "accrual_rate",
    "accrual_split",
    "accrual_threshold",
    "credit_expiry",
    "credit_order",
    "reinstatement",
    "fund_tree",
];

/// "1 day", "30 days".
pub(crate) fn days(count: u16) -> String {
    format!("{count} day{}", if count == 1 { "" } else { "s" })
}

/// "a, b and c".
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
