//! Imports carried out: a file is handed in, mapped, previewed, committed in chunks, and undone.
//!
//! A preview and a commit meet rows with the same code; the preview keeps what it would write in memory only. Running
//! a file again finds every row by its id and changes nothing.

use super::fields::{Field, Kind};
use super::meet::{Book, Met, Outcome, Owner, Tally};
use super::record::{Reading, Record, RowError, Rows};
use super::report::report;
use super::settings::{Question, Settings};
use super::sheet::Sheet;
use super::values::DayOrder;
use super::write::Run;
use crate::Engine;
use crate::error::{Error, Result};
use crate::files::{Upload, clean_name, path_of};
use domain::ids::CycleId;
use domain::money::{Currency, Marks, Money};
use domain::people::{Actor, Role};
use object_store::ObjectStoreExt;
use serde_json::json;
use sha2::{Digest, Sha256};
use storage::Viewer;
use storage::rows::{CampaignAlias, ImportBatch, ImportException, ImportMap, ImportUpload};
use uuid::Uuid;

/// Rows a transaction.
const CHUNK: usize = 500;
/// Exceptions kept of one batch; the counts go on beyond.
pub(super) const MOST_EXCEPTIONS: usize = 20_000;

/// What a run did, or would do.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Summary {
    /// The batch, where it was committed.
    pub batch: Option<Uuid>,
    pub added: u32,
    pub changed: u32,
    pub unchanged: u32,
    pub left_out: u32,
    pub refused: u32,
    /// Totals, footers and rows the tool marks as deleted.
    pub aside: u32,
    /// Why rows are not kept; at most twenty thousand.
    pub errors: Vec<RowError>,
    /// Kept rows with a match to look at.
    pub looks: Vec<RowError>,
    pub tally: Tally,
    /// What has to be answered before the file can be committed.
    pub questions: Vec<Question>,
}

impl Summary {
    /// The same for programs: what the API answers and `fundloop import --json` prints.
    pub fn as_json(&self) -> serde_json::Value {
        serde_json::json!({
            "batch": self.batch,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "left_out": self.left_out,
            "refused": self.refused,
            "set_aside": self.aside,
            "questions": self.questions.iter().map(Question::words).collect::<Vec<_>>(),
            "errors": self.errors,
            "looks": self.looks,
            "unknown_campaigns": self.tally.unknown,
        })
    }

    /// "120 rows added, 3 changed, 40 already here, 2 not kept."
    pub fn words(&self) -> String {
        let left_out = if self.left_out > 0 { format!(", {} left out", self.left_out) } else { String::new() };
        let Self { added, changed, unchanged, refused, .. } = self;
        format!("{added} rows added, {changed} changed, {unchanged} already here, {refused} not kept{left_out}.")
    }

    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome.met {
            Ok(Met::Added) => self.added += 1,
            Ok(Met::Changed) => self.changed += 1,
            Ok(Met::Unchanged) => self.unchanged += 1,
            Ok(Met::LeftOut) => self.left_out += 1,
            Err(errors) => self.refuse(errors),
        }
        if self.looks.len() < MOST_EXCEPTIONS {
            self.looks.extend(outcome.looks);
        }
    }

    /// Adds what another part of the same file came to, of its tally the credit.
    pub(super) fn take_in(&mut self, part: Summary) {
        self.added += part.added;
        self.changed += part.changed;
        self.unchanged += part.unchanged;
        self.left_out += part.left_out;
        self.refused += part.refused;
        self.aside += part.aside;
        self.errors.extend(part.errors);
        self.looks.extend(part.looks);
        for (fund, (sum, purchases)) in part.tally.earned {
            let all = self.tally.earned.entry(fund).or_insert((Money::zero(sum.currency), 0));
            all.0.minor += sum.minor;
            all.1 += purchases;
        }
    }

    pub(super) fn refuse(&mut self, errors: Vec<RowError>) {
        self.refused += 1;
        if self.errors.len() < MOST_EXCEPTIONS {
            self.errors.extend(errors);
        }
    }
}

/// A file on its way in, with what is said about it.
pub struct Import {
    pub upload: ImportUpload,
    pub sheet: Sheet,
    pub settings: Settings,
    pub questions: Vec<Question>,
}

/// What a person says about a file.
#[derive(Clone, Debug)]
pub struct Answers {
    pub settings: Settings,
    /// Other systems' names of campaigns, and the ID each stands for.
    pub campaigns: Vec<(String, String)>,
    /// Keep the map under this name for the next file.
    pub save_as: Option<String>,
}

/// What is said about a file on the command line.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub map: Option<Settings>,
    pub currency: Option<Currency>,
    pub marks: Option<Marks>,
    pub day_order: Option<DayOrder>,
    /// Other systems' names of campaigns, and the ID each stands for.
    pub campaigns: Vec<(String, String)>,
    /// The code of the program purchases belong to.
    pub program: Option<String>,
}

/// Whose import it is, as far as somebody may import such a file at all: purchases are finance's, everything else is a
/// channel manager's, an administrator's or, of their own campaigns, a partner's.
pub fn owner(actor: &Actor, kind: Kind) -> Result<Owner> {
    let may = |roles: &[Role]| roles.iter().any(|role| actor.me.has(*role));
    let refused = |why: &str| Err(Error::refused("not_your_role", why, "Ask one of them."));
    match (actor.me.partner, kind) {
        (None, Kind::Sales) if may(&[Role::System]) => Ok(Owner(None)),
        (None, Kind::Sales) if actor.standing_that(|one| one.has(Role::Finance) && !one.is_partner()).is_some() => {
            Ok(Owner(None))
        }
        (_, Kind::Sales) => refused("Purchases are imported by finance."),
        (Some(partner), _) if may(&[Role::PartnerUser, Role::PartnerAdmin]) => Ok(Owner(Some(partner))),
        (None, _) if may(&[Role::ChannelManager, Role::Administrator, Role::Integration, Role::System]) => {
            Ok(Owner(None))
        }
        _ => refused("Such files are imported by channel managers, administrators and partners."),
    }
}

/// The kind a stored name stands for.
fn kind_of(code: &str) -> Result<Kind> {
    Kind::from_code(code).ok_or_else(|| Error::internal(format!("an import is of the unknown kind {code}")))
}

impl Engine {
    /// Takes a file in and guesses what its columns are, from a saved map that fits or from their names.
    pub async fn hand_in(&self, actor: &Actor, kind: Kind, file: &Upload) -> Result<Uuid> {
        let owner = owner(actor, kind)?;
        let sheet = read_sheet(file.bytes.clone()).await?;
        let settings = self.fitting_settings(actor, kind, &sheet).await?;
        let sha256 = hex::encode(Sha256::digest(&file.bytes));
        let size = i64::try_from(file.bytes.len()).unwrap_or(i64::MAX);
        self.files.put(&path_of(&sha256)?, file.bytes.clone().into()).await.map_err(Error::internal)?;
        let upload = ImportUpload {
            id: Uuid::now_v7(),
            by_user: actor.user(),
            partner_id: owner.0,
            kind: kind.code().to_owned(),
            file_name: clean_name(&file.name),
            sha256,
            size,
            settings: to_json(&settings)?,
            at: self.clock.now(),
            batch_id: None,
        };
        self.db.write(async |tx| tx.insert_upload(&upload).await).await?;
        Ok(upload.id)
    }

    /// A file that was handed in, read again, with what is still to be answered.
    pub async fn import(&self, actor: &Actor, id: Uuid) -> Result<Import> {
        let upload = self.reader().upload(&Viewer::from(actor), id).await?;
        let owner = owner(actor, kind_of(&upload.kind)?)?;
        // What a file brings is its owner's: nobody carries another's import out.
        if upload.partner_id != owner.0 {
            return Err(Error::NotFound);
        }
        let sheet = read_sheet(self.bytes_of(&upload).await?).await?;
        let mut settings: Settings = serde_json::from_str(&upload.settings).map_err(Error::internal)?;
        let mut questions = settings.ask(&sheet);
        if settings.kind == Kind::Sales {
            questions.extend(self.ask_for_program(&mut settings).await?);
        }
        Ok(Import { upload, sheet, settings, questions })
    }

    /// Keeps what a person says about a file, and for the next file of the same source where they want that.
    pub async fn answer_import(&self, actor: &Actor, id: Uuid, answers: &Answers) -> Result<()> {
        let import = self.import(actor, id).await?;
        let owner = owner(actor, import.settings.kind)?;
        let settings = answers.settings.clone().onto(&import.sheet);
        let now = self.clock.now();
        let json = to_json(&settings)?;
        let aliases = self.aliases(actor, owner, &answers.campaigns).await?;
        let map = answers.save_as.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(|name| ImportMap {
            owner: owner.key(),
            name: name.chars().take(80).collect(),
            kind: settings.kind.code().to_owned(),
            settings: json.clone(),
            at: now,
        });
        self.db
            .write(async |tx| -> Result<()> {
                tx.set_upload_settings(id, &json).await?;
                tx.save_campaign_aliases(&aliases).await?;
                if let Some(map) = &map {
                    tx.save_import_map(map).await?;
                }
                Ok(())
            })
            .await
    }

    /// Forgets a file that was not committed.
    pub async fn drop_import(&self, actor: &Actor, id: Uuid) -> Result<()> {
        let upload = self.reader().upload(&Viewer::from(actor), id).await?;
        owner(actor, kind_of(&upload.kind)?)?;
        Ok(self.db.write(async |tx| tx.drop_upload(upload.id).await).await?)
    }

    /// What committing would do, row by row, without doing it.
    pub async fn preview_import(&self, actor: &Actor, id: Uuid) -> Result<(Import, Summary)> {
        let import = self.import(actor, id).await?;
        let mut summary = self.dry_run(actor, &import.sheet, &import.settings).await?;
        summary.questions.clone_from(&import.questions);
        Ok((import, summary))
    }

    /// Writes a file's rows, once: a second commit of the same file is answered with its batch.
    pub async fn commit_import(&self, actor: &Actor, id: Uuid) -> Result<Summary> {
        let import = self.import(actor, id).await?;
        let owner = owner(actor, import.settings.kind)?;
        if let Some(batch) = import.upload.batch_id {
            return Ok(Summary { batch: Some(batch), ..Summary::default() });
        }
        if let Some(question) = import.questions.first() {
            return Err(Error::refused("question_open", question.words(), "Answer it on the page before."));
        }
        let batch = self.new_batch(actor, owner, &import.upload);
        let (now, words) = (self.clock.now(), format!("{} imported {}.", actor.me.name, import.upload.file_name));
        let claimed = self
            .db
            .write(async |tx| -> Result<bool> {
                let first = tx.claim_upload(id, batch.id).await?;
                if first {
                    tx.insert_batch(&batch, &[]).await?;
                    tx.note("import.committed", words.clone(), json!({ "batch": batch.id }), actor, now).await?;
                }
                Ok(first)
            })
            .await?;
        if !claimed {
            return Err(Error::Conflict);
        }
        if import.settings.kind == Kind::Sales {
            return self.write_sales(actor, &import.sheet, &import.settings, &batch).await;
        }
        self.write_rows(owner, &import.sheet, &import.settings, &batch).await
    }

    /// Takes a batch back: what it added goes, what it changed is as it was. People something else refers to stay.
    pub async fn undo_import(&self, actor: &Actor, batch: Uuid) -> Result<()> {
        let seen = self.reader().batch(&Viewer::from(actor), batch).await?;
        owner(actor, kind_of(&seen.kind)?)?;
        if seen.undone_at.is_some() {
            return Err(Error::refused(
                "undone",
                "This import has been undone already.",
                "Import the file again if you need it.",
            ));
        }
        if seen.kind == Kind::Sales.code() {
            return self.take_sales_back(actor, &seen).await;
        }
        let now = self.clock.now();
        let cycles = self
            .db
            .write(async |tx| -> Result<Vec<CycleId>> {
                let later = tx.changed_again(batch).await?;
                if later > 0 {
                    let why = format!("{later} of its rows were changed by a later import.");
                    return Err(Error::refused("changed_again", why, "Undo the later import first."));
                }
                tx.keep_referenced(batch).await?;
                let words = format!("{} took the import of {} back.", actor.me.name, seen.file_name);
                tx.note("import.undone", words, json!({ "batch": batch }), actor, now).await?;
                Ok(tx.undo_batch(batch, now).await?)
            })
            .await?;
        tracing::info!(%batch, cycles = cycles.len(), "an import was undone");
        self.refresh_results(&cycles).await
    }

    /// The rows of a batch that want a look, as CSV: the original cells with the reasons in front.
    pub async fn import_report(&self, actor: &Actor, batch: Uuid) -> Result<(String, Vec<u8>)> {
        let viewer = Viewer::from(actor);
        let upload = self.reader().upload_of_batch(&viewer, batch).await?;
        let most = u32::try_from(2 * MOST_EXCEPTIONS).unwrap_or(u32::MAX);
        let rows = self.reader().batch_exceptions(&viewer, batch, most).await?;
        let errors: Vec<RowError> = rows.into_iter().map(row_error).collect();
        let sheet = read_sheet(self.bytes_of(&upload).await?).await?;
        Ok((report_name(&upload.file_name), report(&sheet, &errors)))
    }

    /// The same for a file that is not committed yet.
    pub async fn preview_report(&self, actor: &Actor, id: Uuid) -> Result<(String, Vec<u8>)> {
        let (import, summary) = self.preview_import(actor, id).await?;
        let errors: Vec<RowError> = summary.errors.into_iter().chain(summary.looks).collect();
        Ok((report_name(&import.upload.file_name), report(&import.sheet, &errors)))
    }

    /// A file in one go, for the command line: guessed or mapped, tried or written; with its report. What is said
    /// beside the map counts before the map.
    pub async fn import_file(
        &self,
        actor: &Actor,
        kind: Kind,
        file: &Upload,
        said: &Said,
        dry_run: bool,
    ) -> Result<(Summary, Vec<u8>)> {
        owner(actor, kind)?;
        let sheet = read_sheet(file.bytes.clone()).await?;
        let mut settings = match &said.map {
            Some(map) => map.clone().onto(&sheet),
            None => self.fitting_settings(actor, kind, &sheet).await?,
        };
        settings.currency = said.currency.or(settings.currency);
        settings.marks = said.marks.or(settings.marks);
        settings.day_order = said.day_order.or(settings.day_order);
        let mut questions = settings.ask(&sheet);
        if settings.kind == Kind::Sales {
            settings.fixed.extend(said.program.clone().map(|code| (Field::Program, code)));
            questions.extend(self.ask_for_program(&mut settings).await?);
        }
        let mut summary = if dry_run || !questions.is_empty() {
            self.dry_run(actor, &sheet, &settings).await?
        } else {
            let id = self.hand_in(actor, kind, file).await?;
            self.answer_import(actor, id, &Answers { settings, campaigns: said.campaigns.clone(), save_as: None })
                .await?;
            self.commit_import(actor, id).await?
        };
        summary.questions = questions;
        let errors: Vec<RowError> = summary.errors.iter().chain(&summary.looks).cloned().collect();
        let report = report(&sheet, &errors);
        Ok((summary, report))
    }

    async fn dry_run(&self, actor: &Actor, sheet: &Sheet, settings: &Settings) -> Result<Summary> {
        if settings.kind == Kind::Sales {
            return self.try_sales(actor, sheet, settings).await;
        }
        let owner = owner(actor, settings.kind)?;
        let mut book = Book::new(owner, settings.kind.source(), settings.unknown, None, self.clock.now());
        let mut summary = Summary::default();
        let mut chunk = Vec::new();
        for (_, reading) in Rows::new(sheet, settings, self.clock.today()).read() {
            sort(reading, &mut chunk, &mut summary);
            if chunk.len() == CHUNK {
                self.try_chunk(&mut book, &mut chunk, &mut summary).await?;
            }
        }
        self.try_chunk(&mut book, &mut chunk, &mut summary).await?;
        Ok(summary)
    }

    async fn try_chunk(&self, book: &mut Book, chunk: &mut Vec<Record>, summary: &mut Summary) -> Result<()> {
        book.learn(self.reader().known(&book.keys(chunk.iter())).await?);
        for record in chunk.drain(..) {
            let outcome = book.meet(&record);
            summary.tally.see(&record, &outcome);
            summary.count(outcome);
        }
        Ok(())
    }

    async fn write_rows(
        &self,
        owner: Owner,
        sheet: &Sheet,
        settings: &Settings,
        batch: &ImportBatch,
    ) -> Result<Summary> {
        let mut run = Run::new(self, owner, settings, batch);
        let mut chunk = Vec::new();
        let mut refused = Summary::default();
        for (_, reading) in Rows::new(sheet, settings, self.clock.today()).read() {
            sort(reading, &mut chunk, &mut refused);
            if chunk.len() + refused.errors.len() >= CHUNK {
                run.write_chunk(&mut chunk, &mut refused).await?;
            }
        }
        run.write_chunk(&mut chunk, &mut refused).await?;
        let (mut summary, cycles) = run.done();
        summary.batch = Some(batch.id);
        tracing::info!(batch = %batch.id, kind = batch.kind, added = summary.added, changed = summary.changed, refused = summary.refused, "a file was imported");
        self.refresh_results(&cycles).await?;
        Ok(summary)
    }

    /// A saved map of this kind all of whose columns are there, the one with the most columns; else the names' guess.
    async fn fitting_settings(&self, actor: &Actor, kind: Kind, sheet: &Sheet) -> Result<Settings> {
        let maps = self.reader().import_maps(&Viewer::from(actor)).await?;
        let saved = maps
            .iter()
            .filter(|map| map.kind == kind.code())
            .filter_map(|map| serde_json::from_str::<Settings>(&map.settings).ok());
        let fits = saved.filter(|saved| saved.columns.values().all(|name| sheet.column(name).is_some()));
        Ok(fits.max_by_key(|saved| saved.columns.len()).unwrap_or_else(|| Settings::guess(kind, sheet)))
    }

    /// Names of campaigns with the campaigns they stand for, as far as the actor may see those.
    async fn aliases(&self, actor: &Actor, owner: Owner, named: &[(String, String)]) -> Result<Vec<CampaignAlias>> {
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let campaigns = self.reader().coded_campaigns(&Viewer::from(actor)).await?;
        let mut aliases: Vec<CampaignAlias> = Vec::new();
        for (alias, code) in named {
            let campaign = campaigns.iter().find(|campaign| campaign.code == *code);
            let campaign = campaign.ok_or_else(|| {
                Error::invalid("campaigns", format!("No campaign has the ID {code}."), "Choose one from the list.")
            })?;
            let alias = alias.trim().to_lowercase();
            if aliases.iter().all(|row| row.alias != alias) {
                aliases.push(CampaignAlias {
                    owner: owner.key(),
                    alias,
                    cycle_id: campaign.cycle_id,
                    campaign_no: campaign.no,
                });
            }
        }
        Ok(aliases)
    }

    fn new_batch(&self, actor: &Actor, owner: Owner, upload: &ImportUpload) -> ImportBatch {
        ImportBatch {
            id: Uuid::now_v7(),
            kind: upload.kind.clone(),
            file_name: upload.file_name.clone(),
            sha256: upload.sha256.clone(),
            by_user: actor.user(),
            partner_id: owner.0,
            at: self.clock.now(),
            added: 0,
            changed: 0,
            unchanged: 0,
            refused: 0,
            undone_at: None,
        }
    }

    async fn bytes_of(&self, upload: &ImportUpload) -> Result<Vec<u8>> {
        let found = self.files.get(&path_of(&upload.sha256)?).await.map_err(Error::internal)?;
        Ok(found.bytes().await.map_err(Error::internal)?.to_vec())
    }
}

fn sort(reading: Reading, chunk: &mut Vec<Record>, summary: &mut Summary) {
    match reading {
        Reading::Record(record) => chunk.push(*record),
        Reading::Aside => summary.aside += 1,
        Reading::Wrong(errors) => summary.refuse(errors),
    }
}

/// Reads a file on a thread of its own: a large one takes a while.
async fn read_sheet(bytes: Vec<u8>) -> Result<Sheet> {
    let read = tokio::task::spawn_blocking(move || Sheet::read(&bytes)).await.map_err(Error::internal)?;
    read.map_err(|problem| Error::invalid("file", problem, "Then choose the file again."))
}

fn row_error(row: ImportException) -> RowError {
    RowError {
        line: u64::try_from(row.line).unwrap_or(0),
        column: row.column_name,
        value: row.cell,
        reason: row.reason,
    }
}

fn report_name(file: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    format!("{stem}-to-mend.csv")
}

fn to_json(settings: &Settings) -> Result<String> {
    serde_json::to_string(settings).map_err(Error::internal)
}
