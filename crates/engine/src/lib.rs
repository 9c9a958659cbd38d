//! Makes moves happen: one door for every change, timers, the outbox, files, sign-in.
//!
//! [`Engine::advance`] is the only way to change a cycle and [`Engine::fund`] the only way to move a fund's money:
//! lock, decide (in `domain`, pure), record, in one transaction. Mails leave after the commit, through the outbox.
//!
//! Deliberately absent: HTTP, HTML, SQL, and any rule of the loop.

pub mod advance;
pub mod allocations;
pub mod catalog;
pub mod clock;
mod digest;
pub mod error;
pub mod files;
pub mod funds;
pub mod general_ledger;
pub mod imports;
mod notices;
pub mod partners;
pub mod programs;
pub mod rates;
mod remembered;
pub mod results;
pub mod settlements;
pub mod signin;
pub mod simulate;
pub mod statements;
pub mod views;
pub mod worker;

pub use advance::{Advanced, NewCycle, Submission};
pub use error::Error;
pub use funds::{NewFund, PeriodAhead};
pub use storage::{WhichCycle, WhichFund};

use crate::error::Result;
use catalog::Catalog;
use clock::Clock;
use domain::policy::Policy;
use mailer::{Post, Sender};
use object_store::local::LocalFileSystem;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};
use storage::Db;
use storage::read::Reader;
use storage::rows::Guide;
use tokio::sync::Notify;

/// Guides that were read, by program and version.
type Policies = HashMap<(domain::ids::ProgramId, u32), Arc<Policy>>;

/// The engine. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Engine {
    pub(crate) db: Db,
    pub clock: Clock,
    pub catalog: Arc<Catalog>,
    /// The account codes of the general ledger.
    pub(crate) chart: Arc<general_ledger::Chart>,
    pub(crate) sender: Arc<Sender>,
    pub(crate) post: Arc<Post>,
    pub(crate) files: Arc<LocalFileSystem>,
    pub(crate) outbox_has_work: Arc<Notify>,
    /// Guides as they were read last, by their text's place in the database.
    policies: Arc<RwLock<Policies>>,
}

impl Engine {
    /// `files` is the folder uploaded files are kept in; it is made when missing.
    pub fn new(db: Db, clock: Clock, sender: Sender, post: Post, files: &Path) -> Result<Self> {
        std::fs::create_dir_all(files).map_err(Error::internal)?;
        let files = LocalFileSystem::new_with_prefix(files).map_err(Error::internal)?.with_fsync(true);
        Ok(Self {
            db,
            clock,
            catalog: Arc::new(Catalog::shipped()?),
            chart: Arc::default(),
            sender: Arc::new(sender),
            post: Arc::new(post),
            files: Arc::new(files),
            outbox_has_work: Arc::default(),
            policies: Arc::default(),
        })
    }

    /// The same with the account codes of a general ledger of one's own.
    #[must_use]
    pub fn with_chart(mut self, chart: general_ledger::Chart) -> Self {
        self.chart = Arc::new(chart);
        self
    }

    /// Where every read goes.
    pub fn reader(&self) -> Reader {
        self.db.reader()
    }

    /// Where mail goes, for people.
    pub fn post_office(&self) -> String {
        self.post.describe()
    }

    /// A stored guide, read once per version.
    pub(crate) fn policy(&self, guide: &Guide) -> Result<Arc<Policy>> {
        let key = (guide.program_id, guide.version);
        if let Some(policy) = self.policies.read().ok().and_then(|held| held.get(&key).cloned()) {
            return Ok(policy);
        }
        let mut policy = catalog::stored(&guide.toml)?;
        // The day it was activated from counts, whatever day the text names.
        policy.guide.effective_from = guide.effective_from;
        let policy = Arc::new(policy);
        if let Ok(mut held) = self.policies.write() {
            held.insert(key, policy.clone());
        }
        Ok(policy)
    }
}
