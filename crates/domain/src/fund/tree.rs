//! Funds below funds: global, region, country. A child is of its parent's program and currency, and never above itself.

use super::{Fund, FundSituation, Made};
use crate::ids::{FundId, ProgramId};
use crate::ledger::Account;
use crate::money::{Currency, Money};
use crate::policy::rules::{self, Pot};
use crate::refusal::{Reason, Refusal};

/// Levels of a tree.
pub const DEEPEST: usize = 8;

/// The fund this one's money comes from.
pub(super) fn parent(s: &FundSituation) -> Result<Option<&Fund>, Refusal> {
    let Some(id) = s.fund.parent else { return Ok(None) };
    let missing = || {
        let why = format!("The fund above {} is not one of its program.", s.fund.name);
        Refusal::new("parent", why, "Place it below another fund first.")
    };
    s.other(id).map(Some).ok_or_else(missing)
}

/// Why a fund of this name, program and currency cannot be below `parent`; `funds` are those of the parent's program.
pub fn under(name: &str, program: ProgramId, currency: Currency, parent: &Fund, funds: &[Fund]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if parent.program != program {
        let why = format!("{} belongs to another program.", parent.name);
        reasons.push(Reason::new("parent_program", why, "Choose a fund of the same program.").at("parent"));
    }
    let pot = |name: &str, currency| Pot { name: name.to_owned(), currency, budget: Money::zero(currency) };
    let verdict = rules::fund_tree(&pot(&parent.name, parent.currency), &[pot(name, currency)]);
    if verdict.fails() {
        reasons.push(Reason::new("parent_currency", verdict.sentence, verdict.remedy).at("currency"));
    }
    if ancestors(parent, funds).len() + 2 > DEEPEST {
        let why = format!("{} is {DEEPEST} levels deep already.", parent.name);
        reasons.push(Reason::new("parent_depth", why, "Choose a fund nearer to the top.").at("parent"));
    }
    reasons
}

/// The funds above one, nearest first. A circle, which nobody can make, would end where it began.
fn ancestors<'a>(fund: &Fund, funds: &'a [Fund]) -> Vec<&'a Fund> {
    let mut above: Vec<&Fund> = Vec::new();
    let mut next = fund.parent;
    while let Some(found) = next.and_then(|id| funds.iter().find(|other| other.id == id)) {
        if above.iter().any(|seen| seen.id == found.id) {
            break;
        }
        above.push(found);
        next = found.parent;
    }
    above
}

/// How many levels there are from a fund down.
fn height(fund: FundId, funds: &[Fund], room: usize) -> usize {
    let below = funds.iter().filter(|other| other.parent == Some(fund) && room > 0);
    1 + below.map(|child| height(child.id, funds, room - 1)).max().unwrap_or(0)
}

/// Only an empty fund is placed: money that came from elsewhere would never have been the new parent's.
pub(super) fn place(
    s: &FundSituation,
    fund: &mut Fund,
    by: &str,
    parent: Option<FundId>,
    reason: &str,
) -> Result<Made, Refusal> {
    crate::steps::need_reason(reason)?;
    let name = &s.fund.name;
    if parent == s.fund.parent {
        return Err(Refusal::at("parent", "unchanged", format!("{name} is there already."), "Choose another place."));
    }
    let put_in = Money::new(-s.book.minor(&Account::funding(s.fund.id)), s.fund.currency);
    if !put_in.is_zero() {
        let why = format!("{put_in} was put into {name} where it is.");
        return Err(Refusal::new("not_empty", why, "Take it out first, then put it in from the new place."));
    }
    let words = match parent {
        None => format!("{by} put {name} on top of the tree: “{}”", reason.trim()),
        Some(id) => {
            let above = place_below(s, id)?;
            format!("{by} put {name} below {}: “{}”", above.name, reason.trim())
        }
    };
    fund.parent = parent;
    Ok(("fund.placed", words, Vec::new(), Vec::new()))
}

fn place_below(s: &FundSituation, id: FundId) -> Result<&Fund, Refusal> {
    let circle = |why: String| Refusal::at("parent", "own_ancestor", why, "Choose a fund that is not below it.");
    if id == s.fund.id {
        return Err(circle(format!("{} cannot be below itself.", s.fund.name)));
    }
    let unknown = || Refusal::at("parent", "parent", "That is no fund of this program.", "Choose one from the list.");
    let above = s.other(id).ok_or_else(unknown)?;
    // The fund itself is not among those around it: whoever is below it has it as parent.
    let chain = ancestors(above, &s.around.funds);
    if std::iter::once(&above).chain(&chain).any(|fund| fund.parent == Some(s.fund.id)) {
        return Err(circle(format!("{} is below {} itself.", above.name, s.fund.name)));
    }
    let mut reasons = under(&s.fund.name, s.fund.program, s.fund.currency, above, &s.around.funds);
    if reasons.is_empty() && chain.len() + 1 + height(s.fund.id, &s.around.funds, DEEPEST) > DEEPEST {
        let why = format!("The tree would be more than {DEEPEST} levels deep.");
        reasons.push(Reason::new("parent_depth", why, "Choose a fund nearer to the top.").at("parent"));
    }
    Refusal::unless_empty(reasons)?;
    Ok(above)
}
