//! Rows of tables that are written as they stand. Cycles and the ledger are not among them: those are written from a
//! decision only.

mod accruals;
mod exchange;
mod files;
mod imports;
mod partners;
mod people;
mod programs;
mod results;
mod work;

pub use accruals::Accrual;
pub use exchange::RateRow;
pub use files::File;
pub use imports::{CampaignAlias, ImportException, ImportMap, ImportUpload};
pub use partners::PartnerRow;
pub use people::{
    ApiToken, CalendarFeed, Invitation, MailChoice, Purpose, SavedView, Session, SignInAttempt, StandIn, User,
};
pub use programs::{Guide, GuideWithdrawal, Program, TermsRow};
pub use results::{Company, Deal, ImportBatch, ImportChange, Link, Person, Touch};
pub use work::OutboxMail;
