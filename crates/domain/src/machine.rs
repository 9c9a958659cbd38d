//! The machine: the table of moves, `decide`, and what a decision is.

use crate::cycle::{Cycle, Health, Partner};
use crate::event::Entry;
use crate::fund::Fund;
use crate::ledger::Book;
use crate::policy::Policy;
use crate::{Date, Instant};

/// Everything `decide` may look at: the cycle and what surrounds it, loaded in one transaction.
#[derive(Clone, PartialEq, Debug)]
pub struct Situation {
    pub cycle: Cycle,
    pub partner: Partner,
    /// The program guide in force for this cycle.
    pub policy: Policy,
    /// The fund asked of, once there is one.
    pub fund: Option<Fund>,
    /// Balances: the fund's unallocated, this partner's wallet and recoverable in it, this cycle's own.
    pub book: Book,
}

/// What will be recorded. Storage writes nothing else, and only `decide` makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    before: i64,
    cycle: Cycle,
    health: Health,
    wake_at: Option<Instant>,
    entries: Vec<Entry>,
    /// Today, in the program's time zone.
    today: Date,
}

impl Decision {
    /// The version the decision was made on.
    pub fn before(&self) -> i64 {
        self.before
    }

    /// The cycle after it.
    pub fn cycle(&self) -> &Cycle {
        &self.cycle
    }

    pub fn health(&self) -> &Health {
        &self.health
    }

    /// When the clock next matters to this cycle: a reminder, a deadline, a window's end.
    pub fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// At least one; each raises the version by one.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
