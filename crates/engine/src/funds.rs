//! Funds: opened, filled and given out by finance; expired credit is forfeited by the timer.

use crate::advance::{Advanced, Submission, same_version};
use crate::error::{Error, Result};
use crate::{Engine, notices};
use domain::Instant;
use domain::fund::{self, Closing, Fund, FundCommand, FundKind, FundSituation};
use domain::ids::{FundId, PartnerId, ProgramId};
use domain::ledger::Book;
use domain::money::Currency;
use domain::people::{Actor, Role};
use domain::refusal::Reason;
use serde::{Deserialize, Serialize};
use storage::{FundParts, Tx, Viewer, WhichFund};
use uuid::Uuid;

/// What finance opens a fund with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFund {
    pub code: String,
    pub name: String,
    pub program: ProgramId,
    #[serde(default)]
    pub parent: Option<FundId>,
    pub kind: FundKind,
    pub currency: Currency,
}

impl Engine {
    /// Opens an empty fund.
    pub async fn open_fund(&self, actor: &Actor, new: &NewFund, once: &Submission) -> Result<Advanced> {
        if !actor.me.has(Role::Finance) || actor.me.is_partner() {
            return Err(Error::refused("not_your_role", "Funds are kept by finance.", "Ask a colleague in finance."));
        }
        let mut reasons = Vec::new();
        domain::steps::check_text("name", "The fund's name", &new.name, 120, &mut reasons);
        let code = new.code.trim().to_uppercase();
        if !(2..=20).contains(&code.len()) || !code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            reasons.push(
                Reason::new(
                    "code",
                    "The code is no short name.",
                    "Use 2 to 20 letters, digits and hyphens, such as EMEA-26.",
                )
                .at("code"),
            );
        }
        if !reasons.is_empty() {
            return Err(Error::Invalid(reasons));
        }
        self.once(actor, once, new, async |tx, now| {
            let id = FundId(Uuid::now_v7());
            let fund = Fund {
                id,
                code: code.clone(),
                name: new.name.trim().to_owned(),
                program: new.program,
                parent: new.parent,
                kind: new.kind,
                currency: new.currency,
                version: 0,
                closed_until: None,
            };
            match tx.insert_fund(&fund, now).await {
                Err(storage::Error::Duplicate(_)) => {
                    Err(Error::invalid("code", format!("There is a fund {code} already."), "Choose another code."))
                }
                Err(other) => Err(other.into()),
                Ok(()) => Ok(Advanced {
                    number: code.clone(),
                    version: 0,
                    words: vec![format!("{} opened the fund {}.", actor.me.name, fund.name)],
                }),
            }
        })
        .await
    }

    /// Carries out what finance does with a fund, or says why not.
    pub async fn fund(
        &self,
        actor: &Actor,
        which: WhichFund<'_>,
        command: &FundCommand,
        once: &Submission,
    ) -> Result<Advanced> {
        let name = match which {
            WhichFund::Code(code) => code.to_owned(),
            WhichFund::Id(id) => id.to_string(),
        };
        self.once(actor, once, &(name, command), async |tx, now| {
            let expired_before = match command {
                FundCommand::Forfeit => Some(now.date_naive()),
                FundCommand::Warn { lot } => lot.succ_opt(),
                _ => None,
            };
            let parts = tx.lock_fund(which, partner_of(command), expired_before).await?;
            same_version(tx, (parts.fund.id.0, parts.fund.version), once, now).await?;
            let situation = self.fund_situation(tx, parts, command, now).await?;
            let decision = fund::decide(&situation, actor, command, now)?;
            let recorded = tx.record_fund(&decision, actor, now).await?;
            notices::enqueue(self, tx, decision.entry().notices.iter(), actor, now).await?;
            Ok(Advanced {
                number: recorded.number,
                version: recorded.version,
                words: vec![decision.entry().words.clone()],
            })
        })
        .await
    }

    /// What the rules look at; a guide and a period are loaded for those that ask for them.
    async fn fund_situation(
        &self,
        tx: &Tx,
        parts: FundParts,
        command: &FundCommand,
        now: Instant,
    ) -> Result<FundSituation> {
        let FundParts { fund, mut book, partner_name } = parts;
        let (mut guide, mut period) = (None, None);
        match command {
            FundCommand::Forfeit => {
                guide = Some(self.policy(&tx.guide_on(fund.program, now.date_naive()).await?)?);
            }
            FundCommand::ClosePeriod { .. } => {
                let first = tx.first_open_day(&fund).await?;
                // A period is judged by the guide that was in force when it began.
                let policy = self.policy(&tx.guide_on(fund.program, first).await?)?;
                let (facts, wallets) = tx.period_facts(&fund, first, fund::last_day(&policy, first)).await?;
                book.balances.extend(wallets);
                (guide, period) = (Some(policy), Some(facts));
            }
            _ => {}
        }
        Ok(FundSituation { fund, book, partner_name, guide, period })
    }

    /// The period of a fund that is to be closed next, and what closing it would do now.
    pub async fn period_ahead(&self, viewer: &Viewer, code: &str) -> Result<PeriodAhead> {
        let reader = self.reader();
        let fund = reader.fund(viewer, code).await?;
        let first = reader.first_open_day(viewer, &fund).await?;
        let policy = self.policy(&reader.guide_on(viewer, fund.program, first).await?)?;
        let days = (first, fund::last_day(&policy, first));
        let (facts, balances) = reader.period_facts(viewer, &fund, days).await?;
        let (guide, period) = (Some(policy), Some(facts));
        let situation = FundSituation { fund, book: Book { balances }, partner_name: None, guide, period };
        let closing = fund::closing(&situation).ok_or_else(|| Error::internal("a period was not loaded"))?;
        Ok(PeriodAhead { fund: situation.fund, closable_from: fund::closable_from(closing.last), closing })
    }
}

/// A period that can be closed next, and what closing it would do.
#[derive(Clone, Debug)]
pub struct PeriodAhead {
    pub fund: Fund,
    pub closing: Closing,
    /// From when on it can be closed.
    pub closable_from: Instant,
}

fn partner_of(command: &FundCommand) -> Option<PartnerId> {
    match command {
        FundCommand::Allocate { partner, .. }
        | FundCommand::MoveBack { partner, .. }
        | FundCommand::RecordReturn { partner, .. } => Some(*partner),
        _ => None,
    }
}
