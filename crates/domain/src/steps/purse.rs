//! A cycle's money while a decision is made: what is committed, in the cycle's own currency, and where the fund has it.

use super::s6_approval;
use crate::cycle::Cycle;
use crate::exchange::{Kept, Rate};
use crate::ledger::{Account, Book, Posting};
use crate::machine::Situation;
use crate::money::{Money, MoneyError};
use crate::refusal::Refusal;

/// The book, and what the cycle counts beside it where its fund is kept in another currency.
#[derive(Clone)]
pub(crate) struct Purse {
    pub book: Book,
    pub kept: Option<Kept>,
}

/// What a release lets go: in the cycle's currency, and the fund's postings.
pub(crate) struct Release {
    pub amount: Money,
    pub postings: Vec<Posting>,
}

impl Release {
    pub fn of_all(cycle: &Cycle, releases: impl Iterator<Item = Release>) -> Self {
        let mut all = Self { amount: cycle.zero(), postings: Vec::new() };
        for release in releases {
            all.amount = cycle.sum([all.amount, release.amount]);
            all.postings.extend(release.postings);
        }
        all
    }
}

impl Purse {
    pub fn of(s: &Situation) -> Self {
        Self { book: s.book.clone(), kept: s.cycle.approval.exchange.clone() }
    }

    /// From now on its money counts at this rate, unless it does at an earlier one.
    pub fn at(&mut self, rate: impl FnOnce() -> Result<Rate, Refusal>) -> Result<(), Refusal> {
        if self.kept.is_none() {
            self.kept = Some(Kept::new(rate()?));
        }
        Ok(())
    }

    /// Committed to a campaign and not claimed, in minor units of the cycle's currency.
    pub fn committed(&self, cycle: &Cycle, campaign: u16) -> i64 {
        match &self.kept {
            Some(kept) => kept.held(campaign),
            None => s6_approval::committed_in(cycle, &self.book, campaign),
        }
    }

    /// Counts `by` minor units of the cycle's currency more, or less, as committed to a campaign, and gives what the fund
    /// moves for it, in minor units of its own. Postings are the caller's.
    pub fn count(&mut self, campaign: u16, by: i64) -> Result<i64, MoneyError> {
        let Some(kept) = &mut self.kept else { return Ok(by) };
        let moves = kept.moves(campaign, by)?;
        kept.count(campaign, by);
        Ok(moves)
    }

    /// Moves what is in one account to another; nothing where it is nothing.
    pub fn post(&mut self, from: Account, to: Account, amount: Money, postings: &mut Vec<Posting>) {
        if amount.is_positive() {
            let posting = Posting { from, to, amount };
            self.book.post(&posting);
            postings.push(posting);
        }
    }
}
