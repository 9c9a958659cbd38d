//! Clawed back money that has come back from the partner.

use super::{FundSituation, Made, enough, named, positive};
use crate::ids::PartnerId;
use crate::ledger::{Account, Posting};
use crate::money::Money;
use crate::refusal::Refusal;

pub(super) fn record_return(
    s: &FundSituation,
    by: &str,
    partner: PartnerId,
    amount: Money,
    reference: &str,
) -> Result<Made, Refusal> {
    positive(s, amount)?;
    let mut reasons = Vec::new();
    crate::steps::check_text("reference", "The payment reference", reference, 120, &mut reasons);
    Refusal::unless_empty(reasons)?;
    let name = named(s)?;
    let owed = Account::recoverable(s.fund.id, partner);
    enough(s, &owed, amount, "to come back")?;
    let posting = Posting { from: owed, to: Account::funding(s.fund.id), amount };
    Ok((
        "fund.returned",
        format!("{by} recorded {amount} returned by {name} ({}).", reference.trim()),
        vec![posting],
        Vec::new(),
    ))
}
