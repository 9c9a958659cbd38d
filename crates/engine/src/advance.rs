//! The only way to change a cycle: lock it, let the rules decide, record what they decided, in one transaction.

use crate::error::{Error, Result};
use crate::{Engine, notices};
use domain::cycle::{Opening, Stage};
use domain::drafts::Drafts;
use domain::exchange::Rate;
use domain::ids::{CycleId, PartnerId, ProgramId};
use domain::machine::{self, Command, Decision, Situation};
use domain::money::Currency;
use domain::people::Actor;
use domain::policy::Policy;
use domain::refusal::Refusal;
use domain::steps::s5_request;
use domain::{Date, Instant, cycle::Period};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use storage::rows::TermsRow;
use storage::{CycleParts, Submission as Claimed, Tx, Viewer, WhichCycle};
use uuid::Uuid;

/// A race lost on rows others wrote is run again this often before the caller hears of it.
const TRIES: usize = 5;

/// A form's or call's own name for itself: whoever posts it twice gets the first answer.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Made by the server for a form, by the caller for the API (`Idempotency-Key`).
    pub key: String,
    /// The version the person saw; another one is [`Error::Stale`]. `None` where it does not matter.
    pub version: Option<i64>,
    /// The hash of what was sent, where a command is made of more than that: files get ids when they are kept, and
    /// lines are read beside what the record holds. `None`: the command itself tells a repetition.
    pub content: Option<String>,
    /// Of a settlement batch's payment: whoever issues it, it is the same.
    of_batch: bool,
}

impl Submission {
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), version: None, content: None, of_batch: false }
    }

    /// One of several submissions that were sent as one: the caller's key holds for each of them.
    #[must_use]
    pub fn part(mut self, of: &str) -> Self {
        self.key = format!("{} {of}", self.key);
        self
    }

    /// Binds the submission to what was shown.
    #[must_use]
    pub fn seen(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// Tells a repetition by what was sent.
    #[must_use]
    pub fn of(mut self, content: String) -> Self {
        self.content = Some(content);
        self
    }

    /// A step in settling a batch's payment, known by its own name. Whoever continues after a crash gets the answer that
    /// the first one got.
    pub(crate) fn of_batch(name: String) -> Self {
        Self { of_batch: true, content: Some(name.clone()), ..Self::new(name) }
    }

    /// For the machine's own commands, which are never repeated by a person.
    pub fn own() -> Self {
        Self::new(Uuid::now_v7().to_string())
    }
}

/// What came of a command, as it is answered now and to whoever repeats it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Advanced {
    /// The cycle's number or the fund's code.
    pub number: String,
    pub version: i64,
    /// The timeline's sentences: "Mara Lindqvist submitted the plan."
    pub words: Vec<String>,
}

/// What a person opens a cycle with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCycle {
    pub partner: PartnerId,
    pub program: ProgramId,
    pub title: String,
    pub from: Date,
    pub to: Date,
    /// What it is planned, asked and claimed in; the program's own currency where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Start as a copy of this cycle's drafts.
    #[serde(default)]
    pub copy_of: Option<CycleId>,
}

impl Engine {
    /// Carries a command out, or says why not. Repeating it with the same key and content changes nothing and
    /// gives the first answer.
    pub async fn advance(
        &self,
        actor: &Actor,
        which: WhichCycle<'_>,
        command: &Command,
        once: &Submission,
    ) -> Result<Advanced> {
        let input = (which_text(which), command);
        self.once(actor, once, &input, async |tx, now| {
            let viewer = Viewer::from(actor);
            let parts = tx.lock_cycle(&viewer, which).await?;
            same_version(tx, (parts.cycle.id.0, parts.cycle.version), once, now).await?;
            let situation = self.situation_of(tx, parts, command).await?;
            let read = self.with_files(tx, &situation, command).await?;
            let decision = machine::decide(&situation, actor, read.as_ref().unwrap_or(command), now)?;
            self.record(tx, &situation, &decision, actor, now).await
        })
        .await
    }

    /// Opens a cycle: at step 1, or at step 3 where the partner has an agreed plan and a scorecard for the period.
    pub async fn open_cycle(&self, actor: &Actor, new: &NewCycle, once: &Submission) -> Result<Advanced> {
        self.once(actor, once, new, async |tx, now| {
            let viewer = Viewer::from(actor);
            let found =
                tx.before_opening(&viewer, new.partner, new.program, (new.from, new.to), now.date_naive()).await?;
            let policy = self.policy(&found.guide)?;
            let currency = new.currency.unwrap_or(policy.guide.currency);
            let guide_rate = guide_rate(tx, &policy, currency, now.date_naive()).await?;
            let policy = in_currency(policy, guide_rate.as_ref());
            // A plan's amounts are in its cycle's currency.
            let alike = |cycle: &&domain::cycle::Cycle| cycle.currency == currency && cycle.plan.agreed.is_some();
            let agreed = found.earlier.iter().find(alike);
            let scored = found.earlier.iter().find(|cycle| cycle.scorecard.result.is_some());
            let (serial, number) = tx.next_cycle_number(chrono::Datelike::year(&now)).await?;
            let drafts = self.drafts(&viewer, new).await?;
            let opening = Opening {
                id: CycleId(Uuid::now_v7()),
                number,
                serial,
                program: new.program,
                partner: new.partner,
                title: new.title.trim().to_owned(),
                period: Period { from: new.from, to: new.to },
                currency,
                guide_rate,
                plan: agreed.map(|cycle| cycle.plan.clone()),
                scorecard: scored.map(|cycle| cycle.scorecard.clone()),
                copy_of: new.copy_of,
                drafts,
            };
            let situation = Situation {
                cycle: domain::cycle::Cycle::new(&opening, now),
                partner: found.partner,
                policy,
                benchmarks: self.catalog.benchmarks.clone(),
                template: self.catalog.scorecard.clone(),
                funds: Vec::new(),
                book: domain::ledger::Book::default(),
                rates: Vec::new(),
                evidence: Vec::new(),
                results: domain::steps::s8_tracking::Results::default(),
                batched: std::collections::BTreeMap::new(),
                reachable: std::collections::BTreeSet::new(),
                terms: Vec::new(),
                in_period: domain::policy::InPeriod::default(),
            };
            let decision = machine::open(&situation, actor, &opening, now)?;
            self.record(tx, &situation, &decision, actor, now).await
        })
        .await
    }

    /// What comes along from the cycle this one starts as a copy of; another partner's is as one that is not there.
    async fn drafts(&self, viewer: &Viewer, new: &NewCycle) -> Result<Drafts> {
        let Some(source) = new.copy_of else { return Ok(Drafts::default()) };
        let source = self.reader().cycle(viewer, WhichCycle::Id(source)).await?;
        if source.partner != new.partner {
            return Err(Error::refused(
                "copy_partner",
                "The cycle you copy is another partner's.",
                "Choose that partner, or start afresh.",
            ));
        }
        Ok(Drafts::copied(&source, Period { from: new.from, to: new.to }))
    }

    /// Everything the rules look at, for a page that shows what is possible and what it would mean.
    pub async fn look(&self, viewer: &Viewer, which: WhichCycle<'_>) -> Result<Situation> {
        let parts = self.reader().cycle_parts(viewer, which).await?;
        let results = self.reader().results_of(&parts.cycle).await?;
        let evidence = self.reader().evidence_for(&parts.cycle).await?;
        let batched = self.reader().batched_of(parts.cycle.id).await?;
        let situation = self.situation(parts)?;
        let in_period = self.reader().in_period(&situation.cycle, &situation.policy).await?;
        Ok(Situation { results, evidence, batched, in_period, ..situation })
    }

    pub(crate) fn situation(&self, parts: CycleParts) -> Result<Situation> {
        Ok(Situation {
            policy: in_currency(self.policy(&parts.guide)?, parts.cycle.guide_rate.as_ref()),
            cycle: parts.cycle,
            partner: parts.partner,
            benchmarks: self.catalog.benchmarks.clone(),
            template: self.catalog.scorecard.clone(),
            funds: parts.funds,
            book: parts.book,
            rates: parts.rates,
            evidence: Vec::new(),
            results: domain::steps::s8_tracking::Results::default(),
            batched: std::collections::BTreeMap::new(),
            reachable: std::collections::BTreeSet::new(),
            terms: parts.terms,
            in_period: domain::policy::InPeriod::default(),
        })
    }

    /// The situation a command is decided on; what few commands need is loaded for those only.
    pub(crate) async fn situation_of(&self, tx: &Tx, parts: CycleParts, command: &Command) -> Result<Situation> {
        use machine::Act;
        let mut situation = self.situation(parts)?;
        match command.act() {
            Act::SubmitRequest | Act::Amend | Act::SubmitClaim => {
                situation.in_period = tx.in_period(&situation.cycle, &situation.policy).await?;
            }
            Act::CommitForecast => situation.evidence = tx.evidence_for(&situation.cycle).await?,
            Act::RecordSettlement => situation.batched = tx.batched_of(situation.cycle.id).await?,
            Act::EscalateApproval => {
                let today = self.clock.today();
                for level in domain::steps::s6_approval::superiors(&situation) {
                    if !tx.audience(&situation.deciders(level), today).await?.is_empty() {
                        situation.reachable.insert(level);
                    }
                }
            }
            Act::CloseTracking | Act::MeasureAgain => situation.results = tx.results_of(&situation.cycle).await?,
            _ => {}
        }
        Ok(situation)
    }

    /// Writes a decision, the mails it calls for, and gives the answer to keep.
    pub(crate) async fn record(
        &self,
        tx: &Tx,
        s: &Situation,
        decision: &Decision,
        actor: &Actor,
        now: Instant,
    ) -> Result<Advanced> {
        let recorded = tx.record(decision, actor, now).await?;
        accept_terms(tx, s, decision, actor, now).await?;
        let entries = decision.entries();
        let notices = entries.iter().flat_map(|entry| &entry.notices);
        notices::enqueue(self, tx, notices, actor, now).await?;
        tracing::info!(cycle = %s.cycle.number, version = recorded.version, kind = entries.last().map(|entry| entry.kind.as_str()), "advanced");
        Ok(Advanced {
            number: recorded.number,
            version: recorded.version,
            words: entries.iter().map(|entry| entry.words.clone()).collect(),
        })
    }

    /// Runs `work` in one transaction under the submission's key: once for ever, again only after a lost race.
    pub(crate) async fn once<I: Serialize>(
        &self,
        actor: &Actor,
        once: &Submission,
        input: &I,
        work: impl AsyncFn(&Tx, Instant) -> Result<Advanced>,
    ) -> Result<Advanced> {
        let scope = if once.of_batch { "settlement".to_owned() } else { actor.user().to_string() };
        let input = once.content.clone().map_or_else(|| digest(input), Ok)?;
        for attempt in 1..=TRIES {
            let now = self.clock.now();
            let ran = self.db.write(async |tx| self.claimed(tx, (&scope, &once.key, &input), now, &work).await).await;
            match ran {
                Err(Error::Storage(storage::Error::Contended | storage::Error::Stale)) if attempt < TRIES => {
                    tokio::time::sleep(std::time::Duration::from_millis(5 << attempt)).await;
                }
                Err(Error::Storage(storage::Error::Unknown(cause))) => {
                    return self.after_unknown((&scope, &once.key, &input), cause.to_string()).await;
                }
                Ok(done) => {
                    self.outbox_has_work.notify_one();
                    return Ok(done);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Unavailable("the same rows were written by others five times in a row".to_owned()))
    }

    async fn claimed(
        &self,
        tx: &Tx,
        (scope, key, input): (&str, &str, &str),
        now: Instant,
        work: &impl AsyncFn(&Tx, Instant) -> Result<Advanced>,
    ) -> Result<Advanced> {
        match tx.submission(scope, key, input, now).await? {
            Claimed::First => {}
            Claimed::Repeated(Some(answer)) => return serde_json::from_str(&answer).map_err(Error::internal),
            Claimed::Repeated(None) => return Err(Error::internal("a submission was recorded without its answer")),
            Claimed::Conflict => return Err(Error::Conflict),
        }
        let done = work(tx, now).await?;
        let answer = serde_json::to_string(&done).map_err(Error::internal)?;
        tx.finish_submission(scope, key, &answer).await?;
        Ok(done)
    }

    /// The commit's answer was lost: a fresh connection knows whether it happened.
    async fn after_unknown(&self, (scope, key, input): (&str, &str, &str), cause: String) -> Result<Advanced> {
        tracing::warn!(%cause, key, "the outcome of a commit is unknown; looking it up");
        self.answer(scope, key, input).await?.ok_or(Error::Unavailable(cause))
    }

    /// What was answered to this submission before, where it is a repetition. Whoever posts a form twice may find that
    /// the record has moved on, by the first post, to where the rules refuse the second: the first answer is the answer.
    pub async fn answered(&self, actor: &Actor, once: &Submission) -> Result<Option<Advanced>> {
        let Some(content) = &once.content else { return Ok(None) };
        self.answer(&actor.user().to_string(), &once.key, content).await
    }

    async fn answer(&self, scope: &str, key: &str, input: &str) -> Result<Option<Advanced>> {
        let answer = self.reader().submission_result(scope, key, input).await?;
        answer.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
    }
}

/// What the person saw is still so; otherwise who did what meanwhile.
pub(crate) async fn same_version(tx: &Tx, is: (Uuid, i64), once: &Submission, now: Instant) -> Result<()> {
    let (timeline, version) = is;
    if once.version.is_none_or(|seen| seen == version) {
        return Ok(());
    }
    Err(match tx.last_event(timeline).await? {
        Some(last) => Error::Stale { by: last.actor_name, at: last.at, words: last.words },
        None => {
            Error::Stale { by: "Nobody".to_owned(), at: now, words: "It has not moved since it was opened.".to_owned() }
        }
    })
}

/// Terms that a request accepts for the first time are kept word for word.
async fn accept_terms(tx: &Tx, s: &Situation, decision: &Decision, actor: &Actor, now: Instant) -> Result<()> {
    if s.cycle.stage != Stage::RequestDraft || s5_request::accepted(s).is_some() {
        return Ok(());
    }
    let submitted = decision.cycle().request.submitted.as_ref().filter(|submitted| submitted.at == now);
    let Some(accepted) = submitted.and_then(|submitted| submitted.terms.clone()) else { return Ok(()) };
    let terms = TermsRow {
        partner_id: s.partner.id,
        program_id: s.cycle.program,
        version: accepted.version,
        terms: s.policy.guide.terms.clone(),
        cycle_id: s.cycle.id,
        by_user: actor.user(),
        by_name: accepted.by_name,
        at: now,
    };
    Ok(tx.accept_terms(&terms).await?)
}

/// The guide as a cycle is judged by it: in its own currency, or in the cycle's at the rate that it keeps.
pub(crate) fn in_currency(policy: Arc<Policy>, rate: Option<&Rate>) -> Arc<Policy> {
    rate.map_or(policy.clone(), |rate| Arc::new(policy.kept_in(rate)))
}

/// The rate a new cycle keeps where it is not in the program's own currency.
async fn guide_rate(tx: &Tx, policy: &Policy, currency: Currency, today: Date) -> Result<Option<Rate>> {
    let own = policy.guide.currency;
    if currency == own {
        return Ok(None);
    }
    let offered: Vec<&str> = policy.currencies().into_iter().map(Currency::code).collect();
    if !policy.currencies().contains(&currency) {
        let why = format!("The guide says nobody who decides on requests in {currency}.");
        return Err(Error::Refused(Refusal::at(
            "currency",
            "currency",
            why,
            format!("Choose {}.", offered.join(" or ")),
        )));
    }
    let known: Vec<Rate> = tx.latest_rate(own, currency).await?.into_iter().collect();
    let found = domain::policy::rules::rate_on(policy, &known, (own, currency), today);
    found.map(Some).map_err(|verdict| Error::Refused(Refusal { reasons: vec![verdict.reason().at("currency")] }))
}

fn which_text(which: WhichCycle<'_>) -> String {
    match which {
        WhichCycle::Number(number) => number.to_owned(),
        WhichCycle::Id(id) => id.to_string(),
    }
}

/// SHA-256 of what was sent, to tell a repetition from another command under the same key.
pub(crate) fn digest<I: Serialize>(input: &I) -> Result<String> {
    let bytes = serde_json::to_vec(input).map_err(Error::internal)?;
    Ok(hex::encode(Sha256::digest(bytes)))
}
