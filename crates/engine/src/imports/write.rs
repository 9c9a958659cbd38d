//! A commit, chunk by chunk: rows are met and written in one transaction each, with what undoing them needs.

use super::meet::{Book, Change, Owner};
use super::record::{Record, RowError};
use super::run::{MOST_EXCEPTIONS, Summary};
use super::settings::Settings;
use crate::Engine;
use crate::error::{Error, Result};
use domain::Instant;
use domain::ids::CycleId;
use std::collections::BTreeSet;
use storage::Tx;
use storage::rows::{ImportBatch, ImportChange, ImportException};
use uuid::Uuid;

/// A chunk that lost a race is met again this often.
const TRIES: usize = 5;

/// A commit under way.
pub(super) struct Run<'a> {
    engine: &'a Engine,
    owner: Owner,
    settings: &'a Settings,
    batch: &'a ImportBatch,
    summary: Summary,
    cycles: BTreeSet<CycleId>,
    /// Numbers given out so far.
    changes: u32,
    exceptions: u32,
}

impl<'a> Run<'a> {
    pub fn new(engine: &'a Engine, owner: Owner, settings: &'a Settings, batch: &'a ImportBatch) -> Self {
        let (summary, cycles) = (Summary::default(), BTreeSet::new());
        Self { engine, owner, settings, batch, summary, cycles, changes: 0, exceptions: 0 }
    }

    /// What all chunks did, and the cycles whose figures it bears on.
    pub fn done(self) -> (Summary, Vec<CycleId>) {
        (self.summary, self.cycles.into_iter().collect())
    }

    /// Meets and writes a chunk in one transaction, again where a race was lost.
    pub async fn write_chunk(&mut self, chunk: &mut Vec<Record>, refused: &mut Summary) -> Result<()> {
        let refused = std::mem::take(refused);
        for attempt in 1..=TRIES {
            let now = self.engine.clock.now();
            let wrote = self.engine.db.write(async |tx| self.try_chunk(tx, chunk, &refused, now).await).await;
            match wrote {
                Err(Error::Storage(storage::Error::Contended | storage::Error::Duplicate(_))) if attempt < TRIES => {
                    tokio::time::sleep(std::time::Duration::from_millis(10 << attempt)).await;
                }
                Err(error) => return Err(error),
                Ok(done) => {
                    self.take_in(done, refused);
                    chunk.clear();
                    return Ok(());
                }
            }
        }
        Err(Error::Unavailable("the same rows were written by others five times in a row".to_owned()))
    }

    async fn try_chunk(&self, tx: &Tx, chunk: &[Record], refused: &Summary, now: Instant) -> Result<Done> {
        let mut book =
            Book::new(self.owner, self.settings.kind.source(), self.settings.unknown, Some(self.batch.id), now);
        book.learn(tx.known(&book.keys(chunk)).await?);
        let mut done = Done::default();
        for record in chunk {
            let outcome = book.meet(record);
            done.summary.tally.see(record, &outcome);
            done.summary.count(outcome);
        }
        let written = book.take();
        tx.save_companies(&written.companies).await?;
        tx.save_people(&written.people).await?;
        tx.save_touches(&written.touches).await?;
        tx.save_deals(&written.deals).await?;
        let companies: Vec<Uuid> = written
            .touches
            .iter()
            .filter_map(|row| row.company_id)
            .chain(written.deals.iter().filter_map(|row| row.company_id))
            .collect();
        let people: Vec<Uuid> = written.deals.iter().filter_map(|row| row.person_id).collect();
        done.cycles = tx.cycles_touching(&companies, &people).await?;
        done.cycles.extend(written.touches.iter().filter_map(|row| row.cycle_id));
        done.cycles.extend(written.deals.iter().filter_map(|row| row.cycle_id));
        let changes = self.numbered(&written.changes);
        let exceptions = exceptions(self.batch.id, self.exceptions, &done.summary, refused);
        let counts = ImportBatch {
            added: done.summary.added,
            changed: done.summary.changed,
            unchanged: done.summary.unchanged + done.summary.left_out,
            refused: done.summary.refused + refused.refused,
            ..self.batch.clone()
        };
        tx.grow_batch(&counts, &changes, &exceptions).await?;
        (done.changes, done.exceptions) = (changes.len(), exceptions.len());
        Ok(done)
    }

    fn numbered(&self, changes: &[Change]) -> Vec<ImportChange> {
        // Companies before people before touches and deals, so that undoing newest first never breaks a reference.
        let order = |table: &str| ["company", "person", "touch", "deal"].iter().position(|name| *name == table);
        let mut sorted: Vec<&Change> = changes.iter().collect();
        sorted.sort_by_key(|change| order(change.table));
        (self.changes + 1..)
            .zip(sorted)
            .map(|(n, change)| ImportChange {
                batch_id: self.batch.id,
                n,
                table_name: change.table.to_owned(),
                row_id: change.row,
                before_json: change.before.clone(),
            })
            .collect()
    }

    fn take_in(&mut self, done: Done, refused: Summary) {
        self.summary.take_in(done.summary);
        self.summary.take_in(refused);
        self.cycles.extend(done.cycles);
        self.changes += u32::try_from(done.changes).unwrap_or(u32::MAX);
        self.exceptions += u32::try_from(done.exceptions).unwrap_or(u32::MAX);
    }
}

/// What one chunk's transaction did.
#[derive(Default)]
struct Done {
    summary: Summary,
    cycles: Vec<CycleId>,
    changes: usize,
    exceptions: usize,
}

/// The rows of a chunk that want a look, in the file's order, numbered on from those before.
pub(super) fn exceptions(batch: Uuid, before: u32, done: &Summary, refused: &Summary) -> Vec<ImportException> {
    let left = MOST_EXCEPTIONS.saturating_sub(before as usize);
    let errors = refused.errors.iter().chain(&done.errors).map(|error| (error, false));
    let all = errors.chain(done.looks.iter().map(|look| (look, true)));
    let mut all: Vec<(&RowError, bool)> = all.collect();
    all.sort_by_key(|(error, _)| error.line);
    (before + 1..)
        .zip(all.into_iter().take(left))
        .map(|(n, (error, kept))| ImportException {
            batch_id: batch,
            n,
            line: i64::try_from(error.line).unwrap_or(i64::MAX),
            column_name: error.column.clone(),
            cell: error.value.clone(),
            reason: error.reason.clone(),
            kept,
        })
        .collect()
}
