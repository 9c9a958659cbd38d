//! Files that a command names: each must be one of that very cycle, and what is known of it comes from its row.
//!
//! Whoever sends the command, by a page or a call: an id that was made up, one of another partner and one of another
//! cycle of one's own are refused in the same words.

use crate::Engine;
use crate::error::{Error, Result};
use crate::imports::sheet::Sheet;
use domain::ids::{CycleId, FileId};
use domain::machine::{Command, Situation};
use domain::policy::takes;
use domain::refusal::{Reason, Refusal};
use domain::steps::s7_execution::{self, ProofUpload};
use storage::rows::File;
use storage::{Tx, Viewer};

/// What a supplier's invoice may be, by its ending.
pub const INVOICE_KINDS: [&str; 4] = ["pdf", "png", "jpg", "webp"];

/// The field a file of proof is handed in by.
pub fn proof_field(item: &str) -> String {
    format!("proof_{item}")
}

/// The field an invoice is handed in by; rows are counted from 1.
pub fn invoice_field(row: usize) -> String {
    format!("file_{row}")
}

impl Engine {
    /// A file that was handed in to a cycle before, or the reason at `field` why it does not count there.
    pub async fn file_of(&self, viewer: &Viewer, cycle: CycleId, field: &str, id: FileId) -> Result<File> {
        let found = self.reader().files_named(viewer, cycle, &[id]).await?;
        found.into_iter().next().ok_or_else(|| Error::Invalid(vec![not_of_this_cycle(field, id)]))
    }

    /// The command with what the files' own rows say in place of what the sender says: names, and of lists the columns.
    /// `None`: the command names no file.
    pub(crate) async fn with_files(&self, tx: &Tx, s: &Situation, command: &Command) -> Result<Option<Command>> {
        let Command::Execution(command) = command else { return Ok(None) };
        match command {
            s7_execution::Command::SubmitProof { activity, files } => {
                let files = self.proof_of(tx, s, *activity, files).await?;
                Ok(Some(s7_execution::Command::SubmitProof { activity: *activity, files }.into()))
            }
            s7_execution::Command::SubmitClaim { lines, .. } => {
                let named: Vec<(String, FileId)> = (1..)
                    .zip(lines)
                    .filter_map(|(row, line)| line.file.map(|file| (invoice_field(row), file)))
                    .collect();
                let rows = known(tx, s, &named).await?;
                let kinds = INVOICE_KINDS.map(str::to_owned);
                let wrong = named.iter().zip(&rows).filter(|(_, row)| !takes(&kinds, &row.name));
                Refusal::unless_empty(wrong.map(|((field, _), row)| no_invoice(field, &row.name)).collect())?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Columns are read from the file itself where the guide asks for columns; a list that is no text table is left to
    /// the reviewer.
    async fn proof_of(&self, tx: &Tx, s: &Situation, activity: u16, sent: &[ProofUpload]) -> Result<Vec<ProofUpload>> {
        let named: Vec<(String, FileId)> = sent.iter().map(|upload| (proof_field(&upload.item), upload.file)).collect();
        let rows = known(tx, s, &named).await?;
        let kind = s.cycle.activity(activity).and_then(|found| s.policy.activity_type(&found.draft.kind));
        let mut files = Vec::new();
        for (upload, row) in sent.iter().zip(rows) {
            let wants_columns =
                kind.and_then(|kind| kind.item(&upload.item)).is_some_and(|item| !item.columns.is_empty());
            let columns = if wants_columns {
                Sheet::read(&self.content(&row).await?).ok().map(|table| table.header)
            } else {
                None
            };
            files.push(ProofUpload { item: upload.item.clone(), file: row.id, name: row.name, columns });
        }
        Ok(files)
    }
}

/// The rows of files that a command names, in its order; with a reason for each that is none of the cycle's.
async fn known(tx: &Tx, s: &Situation, named: &[(String, FileId)]) -> Result<Vec<File>> {
    let mut ids: Vec<FileId> = named.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable_by_key(|id| id.0);
    ids.dedup();
    let found = tx.files_named(s.cycle.id, &ids).await?;
    let (mut rows, mut reasons) = (Vec::new(), Vec::new());
    for (field, id) in named {
        match found.iter().find(|row| row.id == *id) {
            Some(row) => rows.push(row.clone()),
            None => reasons.push(not_of_this_cycle(field, *id)),
        }
    }
    Refusal::unless_empty(reasons)?;
    Ok(rows)
}

fn not_of_this_cycle(field: &str, id: FileId) -> Reason {
    let why = format!("The file {id} was not handed in to this cycle.");
    Reason::new("file", why, "Hand the file itself in to this cycle, then send this again.").at(field)
}

fn no_invoice(field: &str, name: &str) -> Reason {
    let why = format!("“{name}” is not taken as an invoice.");
    Reason::new("file_kind", why, format!("Hand in {}.", INVOICE_KINDS.join(", "))).at(field)
}
