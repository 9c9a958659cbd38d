//! Sales files: what partners bought earns them credit, as the program guide says.
//!
//! A purchase earns once. The same file again changes nothing; a purchase that has changed is told and not overwritten,
//! since its credit may be spent.

mod desk;
mod read;

pub use read::SaleIn;

use super::fields::Field;
use super::meet::Met;
use super::record::{Reading, RowError, Rows};
use super::run::Summary;
use super::settings::{Question, Settings};
use super::sheet::Sheet;
use super::write::exceptions;
use crate::Engine;
use crate::error::{Error, Result};
use desk::{Desk, Gain};
use domain::Instant;
use domain::fund::{self, Around, Earned, FundCommand, FundSituation};
use domain::ids::FundId;
use domain::money::Money;
use domain::people::Actor;
use domain::refusal::Refusal;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use storage::read::BatchSeen;
use storage::rows::{Accrual, ImportBatch, Program};
use storage::{Tx, Viewer, WhichFund};

/// Purchases a transaction, and so an event of each fund.
const CHUNK: usize = 2_000;
/// A chunk that lost a race is met again this often.
const TRIES: usize = 5;

/// A program whose guide lets credit be earned.
#[derive(Clone, Debug)]
pub struct Earning {
    pub program: Program,
    /// Its guides, the latest first.
    guides: Vec<(u32, Arc<domain::policy::Policy>)>,
}

impl Engine {
    /// Programs a sales file can be for, by code.
    pub async fn earning_programs(&self) -> Result<Vec<Earning>> {
        let viewer = Viewer::system();
        let mut earning = Vec::new();
        for program in self.reader().programs(&viewer).await? {
            let mut guides = Vec::new();
            for guide in self.reader().guides(&viewer, program.id).await? {
                guides.push((guide.version, self.policy(&guide)?));
            }
            if guides.iter().any(|(_, policy)| policy.earning.is_some()) {
                earning.push(Earning { program, guides });
            }
        }
        Ok(earning)
    }

    /// Which program a sales file is for: the one that is named, or the only one there is.
    pub(super) async fn ask_for_program(&self, settings: &mut Settings) -> Result<Vec<Question>> {
        let codes: Vec<String> =
            self.earning_programs().await?.into_iter().map(|earning| earning.program.code).collect();
        let named = settings.fixed.get(&Field::Program).map(|code| code.trim().to_uppercase());
        match (named.filter(|code| codes.contains(code)), codes.as_slice()) {
            (Some(code), _) => {
                settings.fixed.insert(Field::Program, code);
            }
            (None, [only]) if !settings.fixed.contains_key(&Field::Program) => {
                settings.fixed.insert(Field::Program, only.clone());
            }
            _ => return Ok(vec![Question::Program { codes }]),
        }
        Ok(Vec::new())
    }

    async fn desk(&self, actor: &Actor, settings: &Settings) -> Result<Option<Desk>> {
        let wanted = settings.fixed.get(&Field::Program).map_or("", String::as_str);
        let programs = self.earning_programs().await?;
        let Some(found) = programs.into_iter().find(|earning| earning.program.code == wanted) else { return Ok(None) };
        let viewer = Viewer::from(actor);
        let (funds, _) = self.reader().funds(&viewer).await?;
        let partners = self.reader().partner_keys(&viewer).await?;
        Ok(Some(Desk::new(found, funds, partners, self.clock.today())))
    }

    /// What committing a sales file would do.
    pub(super) async fn try_sales(&self, actor: &Actor, sheet: &Sheet, settings: &Settings) -> Result<Summary> {
        let mut summary = Summary::default();
        let Some(desk) = self.desk(actor, settings).await? else { return Ok(summary) };
        let mut known = HashMap::new();
        let mut chunk = Vec::new();
        let rows = Rows::new(sheet, settings, self.clock.today());
        for (_, reading) in rows.sales() {
            sort(reading, &mut chunk, &mut summary);
            if chunk.len() == CHUNK {
                let found = self.reader().accruals(desk.program(), &purchases(&chunk)).await?;
                meet_all(&desk, settings, found, &mut known, &mut chunk, &mut summary);
            }
        }
        let found = self.reader().accruals(desk.program(), &purchases(&chunk)).await?;
        meet_all(&desk, settings, found, &mut known, &mut chunk, &mut summary);
        Ok(summary)
    }

    /// Writes a sales file: one event a fund and chunk, one row a purchase and fund.
    pub(super) async fn write_sales(
        &self,
        actor: &Actor,
        sheet: &Sheet,
        settings: &Settings,
        batch: &ImportBatch,
    ) -> Result<Summary> {
        let desk = self.desk(actor, settings).await?;
        let desk = desk.ok_or_else(|| {
            Error::invalid("program", "No such program lets credit be earned.", "Name one whose guide has [earning].")
        })?;
        let mut run = Run { engine: self, actor, desk, settings, batch, summary: Summary::default(), exceptions: 0 };
        let (mut chunk, mut refused) = (Vec::new(), Summary::default());
        let rows = Rows::new(sheet, settings, self.clock.today());
        for (_, reading) in rows.sales() {
            sort(reading, &mut chunk, &mut refused);
            if chunk.len() + refused.errors.len() >= CHUNK {
                run.write_chunk(&mut chunk, &mut refused).await?;
            }
        }
        run.write_chunk(&mut chunk, &mut refused).await?;
        let mut summary = run.summary;
        summary.batch = Some(batch.id);
        tracing::info!(batch = %batch.id, added = summary.added, refused = summary.refused, "purchases were imported");
        Ok(summary)
    }

    /// Takes an import of purchases back: every fund's part, or none.
    pub(super) async fn take_sales_back(&self, actor: &Actor, seen: &BatchSeen) -> Result<()> {
        let partners = self.reader().partner_keys(&Viewer::from(actor)).await?;
        let names: HashMap<_, _> = partners.into_iter().map(|partner| (partner.id, partner.name)).collect();
        let now = self.clock.now();
        self.db
            .write(async |tx| -> Result<()> {
                let mut by_fund: BTreeMap<FundId, Vec<Earned>> = BTreeMap::new();
                for row in tx.accruals_of(seen.id).await? {
                    let name = names.get(&row.partner_id).cloned().unwrap_or_default();
                    by_fund.entry(row.fund_id).or_default().push(earned_of(&row, name));
                }
                let mut reasons = Vec::new();
                for (fund, earned) in by_fund {
                    let command = FundCommand::TakeBack { batch: seen.id, file: seen.file_name.clone(), earned };
                    match carry_out(tx, actor, fund, &command, now).await {
                        Err(Error::Refused(refusal)) => reasons.extend(refusal.reasons),
                        other => drop(other?),
                    }
                }
                if !reasons.is_empty() {
                    return Err(Error::Refused(Refusal { reasons }));
                }
                tx.take_accruals_back(seen.id, now).await?;
                let words = format!("{} took the import of {} back.", actor.me.name, seen.file_name);
                tx.note("import.undone", words, json!({ "batch": seen.id }), actor, now).await?;
                tx.undo_batch(seen.id, now).await?;
                Ok(())
            })
            .await
    }
}

/// A commit under way.
struct Run<'a> {
    engine: &'a Engine,
    actor: &'a Actor,
    desk: Desk,
    settings: &'a Settings,
    batch: &'a ImportBatch,
    summary: Summary,
    exceptions: u32,
}

impl Run<'_> {
    /// Meets and writes a chunk in one transaction, again where a race was lost.
    async fn write_chunk(&mut self, chunk: &mut Vec<SaleIn>, refused: &mut Summary) -> Result<()> {
        let refused = std::mem::take(refused);
        for attempt in 1..=TRIES {
            let now = self.engine.clock.now();
            let wrote = self.engine.db.write(async |tx| self.try_chunk(tx, chunk.clone(), &refused, now).await).await;
            match wrote {
                Err(Error::Storage(
                    storage::Error::Contended | storage::Error::Stale | storage::Error::Duplicate(_),
                )) if attempt < TRIES => {
                    tokio::time::sleep(std::time::Duration::from_millis(10 << attempt)).await;
                }
                Err(error) => return Err(error),
                Ok((done, exceptions)) => {
                    self.exceptions += u32::try_from(exceptions).unwrap_or(u32::MAX);
                    self.summary.take_in(done);
                    self.summary.take_in(refused);
                    chunk.clear();
                    return Ok(());
                }
            }
        }
        Err(Error::Unavailable("the same rows were written by others five times in a row".to_owned()))
    }

    async fn try_chunk(
        &self,
        tx: &Tx,
        mut chunk: Vec<SaleIn>,
        refused: &Summary,
        now: Instant,
    ) -> Result<(Summary, usize)> {
        let found = tx.accruals(self.desk.program(), &purchases(&chunk)).await?;
        let (mut known, mut done) = (HashMap::new(), Summary::default());
        let gains = meet_all(&self.desk, self.settings, found, &mut known, &mut chunk, &mut done);
        let mut by_fund: BTreeMap<FundId, Vec<Gain>> = BTreeMap::new();
        for gain in gains {
            by_fund.entry(gain.fund).or_default().push(gain);
        }
        for (fund, gains) in by_fund {
            let earned = gains.iter().map(|gain| gain.earned.clone()).collect();
            let (batch, file) = (self.batch.id, self.batch.file_name.clone());
            let command = FundCommand::Accrue { batch, file, earned };
            let event = carry_out(tx, self.actor, fund, &command, now).await?;
            let rows: Vec<Accrual> =
                gains.into_iter().map(|gain| gain.into_row(self.desk.program(), batch, event)).collect();
            tx.insert_accruals(&rows).await?;
        }
        let exceptions = exceptions(self.batch.id, self.exceptions, &done, refused);
        let counts = ImportBatch {
            added: done.added,
            changed: 0,
            unchanged: done.unchanged,
            refused: done.refused + refused.refused,
            ..self.batch.clone()
        };
        tx.grow_batch(&counts, &[], &exceptions).await?;
        Ok((done, exceptions.len()))
    }
}

/// A command of an import to one fund, in the import's own transaction.
async fn carry_out(
    tx: &Tx,
    actor: &Actor,
    fund: FundId,
    command: &FundCommand,
    now: Instant,
) -> Result<domain::ids::EventId> {
    let parts = tx.lock_fund(WhichFund::Id(fund), None, None).await?;
    let mut book = parts.book;
    if matches!(command, FundCommand::TakeBack { .. }) {
        book.balances.extend(tx.wallets(&parts.fund).await?);
    }
    let situation = FundSituation {
        fund: parts.fund,
        book,
        partner_name: None,
        guide: None,
        period: None,
        around: Around::default(),
    };
    let decision = fund::decide(&situation, actor, command, now)?;
    let recorded = tx.record_fund(&decision, actor, now).await?;
    recorded.events.first().copied().ok_or_else(|| Error::internal("a fund's decision has no event"))
}

fn earned_of(row: &Accrual, partner_name: String) -> Earned {
    Earned {
        partner: row.partner_id,
        partner_name,
        purchase: row.purchase.clone(),
        on: row.on_day,
        amount: Money::new(row.amount, row.currency),
        expires: row.lot,
        guide: row.guide_version,
    }
}

fn purchases(chunk: &[SaleIn]) -> BTreeSet<String> {
    chunk.iter().map(|sale| sale.purchase.clone()).collect()
}

fn sort(reading: Reading<SaleIn>, chunk: &mut Vec<SaleIn>, summary: &mut Summary) {
    match reading {
        Reading::Record(sale) => chunk.push(*sale),
        Reading::Aside => summary.aside += 1,
        Reading::Wrong(errors) => summary.refuse(errors),
    }
}

/// Meets every purchase with what is known of it, and gives what is new.
fn meet_all(
    desk: &Desk,
    settings: &Settings,
    found: Vec<Accrual>,
    known: &mut HashMap<String, desk::Known>,
    chunk: &mut Vec<SaleIn>,
    summary: &mut Summary,
) -> Vec<Gain> {
    for row in found {
        known.entry(row.purchase.clone()).or_insert_with(|| desk::Known::of(&row));
    }
    let mut gains = Vec::new();
    for sale in chunk.drain(..) {
        match desk.meet(&sale, known) {
            Ok((Met::Added, new)) => {
                summary.added += 1;
                for gain in &new {
                    let zero = (Money::zero(gain.earned.amount.currency), 0);
                    let sum = summary.tally.earned.entry(desk.name_of(gain.fund)).or_insert(zero);
                    sum.0.minor += gain.earned.amount.minor;
                    sum.1 += 1;
                }
                gains.extend(new);
            }
            Ok(_) => summary.unchanged += 1,
            Err((field, reason)) => summary.refuse(vec![row_error(settings, &sale, field, reason)]),
        }
    }
    gains
}

fn row_error(settings: &Settings, sale: &SaleIn, field: Field, reason: String) -> RowError {
    let value = match field {
        Field::SoldTo => sale.partner.clone(),
        Field::SoldOn => sale.on.to_string(),
        Field::Product => sale.product.clone().unwrap_or_default(),
        Field::Amount | Field::Currency => sale.amount.map(|amount| amount.to_string()).unwrap_or_default(),
        _ => sale.purchase.clone(),
    };
    let column = settings.columns.get(&field).cloned().unwrap_or_else(|| field.label().to_owned());
    RowError { line: sale.line, column, value: super::values::short(&value), reason }
}
