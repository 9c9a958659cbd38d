//! Programs and their guides.

use crate::sql::rows;
use domain::ids::{CycleId, PartnerId, ProgramId, UserId};
use domain::money::Currency;
use domain::{Date, Instant};

rows! {
    /// A program: a fund's rules and its guide.
    table "program" => Program {
        id: ProgramId,
        code: String,
        name: String,
        currency: Currency,
        /// The name of its scorecard template.
        scorecard: String,
        created_at: Instant,
    }

    /// Terms a partner accepted in a program, word for word; once a version.
    table "terms_accepted" => TermsRow {
        partner_id: PartnerId,
        program_id: ProgramId,
        /// Of the guide, as its text names it.
        version: String,
        terms: String,
        /// The cycle whose request accepted them.
        cycle_id: CycleId,
        by_user: UserId,
        by_name: String,
        at: Instant,
    }

    /// A version of a guide that was taken back before its day came.
    table "guide_withdrawal" => GuideWithdrawal {
        program_id: ProgramId,
        version: u32,
        reason: String,
        by_user: UserId,
        by_name: String,
        at: Instant,
    }

    /// One version of a program's guide. In force on a day is the one effective last by then.
    table "guide" => Guide {
        program_id: ProgramId,
        /// Counts from 1.
        version: u32,
        toml: String,
        effective_from: Date,
        created_at: Instant,
        created_by: Option<UserId>,
    }
}
