//! Funds: opened, filled and given out by finance; expired credit is forfeited by the timer.

use crate::advance::{Advanced, Submission, same_version};
use crate::error::{Error, Result};
use crate::{Engine, notices};
use domain::Instant;
use domain::fund::{self, Around, Closing, Fund, FundCommand, FundDecision, FundKind, FundSituation};
use domain::ids::{FundId, ProgramId};
use domain::ledger::Book;
use domain::money::Currency;
use domain::people::{Actor, Role};
use domain::refusal::{Reason, Refusal};
use serde::{Deserialize, Serialize};
use storage::{Tx, Viewer, WhichFund};
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
                reinstatements: Vec::new(),
            };
            may_stand(tx, &fund).await?;
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
        // No partner sees a fund, so none is told which codes there are.
        if actor.me.is_partner() {
            return Err(Error::NotFound);
        }
        let name = match which {
            WhichFund::Code(code) => code.to_owned(),
            WhichFund::Id(id) => id.to_string(),
        };
        self.once(actor, once, &(name, command), async |tx, now| {
            let situation = self.fund_situation(tx, which, command, now).await?;
            same_version(tx, (situation.fund.id.0, situation.fund.version), once, now).await?;
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

    /// What a command would do, decided on the same path and not recorded: for a page that shows before and after.
    pub async fn try_fund(
        &self,
        actor: &Actor,
        which: WhichFund<'_>,
        command: &FundCommand,
    ) -> Result<(FundSituation, FundDecision)> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let judged = match self.fund_situation(&tx, which, command, now).await {
            Ok(situation) => fund::decide(&situation, actor, command, now)
                .map(|decision| (situation, decision))
                .map_err(Error::Refused),
            Err(error) => Err(error),
        };
        tx.rollback().await;
        judged
    }

    /// What the rules look at for a command, as it stands now, though the command itself may be refused.
    pub async fn look_at_fund(&self, which: WhichFund<'_>, command: &FundCommand) -> Result<FundSituation> {
        let tx = self.db.begin().await?;
        let situation = self.fund_situation(&tx, which, command, self.clock.now()).await;
        tx.rollback().await;
        situation
    }

    /// Locks the funds a command is about and loads what its rules look at.
    async fn fund_situation(
        &self,
        tx: &Tx,
        which: WhichFund<'_>,
        command: &FundCommand,
        now: Instant,
    ) -> Result<FundSituation> {
        let expired_before = match command {
            FundCommand::Forfeit => Some(now.date_naive()),
            FundCommand::Warn { lot } => lot.succ_opt(),
            _ => None,
        };
        tx.lock_funds(which, command.other_fund()).await?;
        let parts = tx.lock_fund(which, command.partner(), expired_before).await?;
        let mut situation = FundSituation {
            fund: parts.fund,
            book: parts.book,
            partner_name: parts.partner_name,
            guide: None,
            period: None,
            around: Around { partners: tx.partner_names(&command.other_partners()).await?, ..Around::default() },
        };
        let near: Vec<FundId> = situation.fund.parent.into_iter().chain(command.other_fund()).collect();
        if !near.is_empty() {
            situation.around.funds = tx.funds_beside(&situation.fund).await?;
            let own = situation.fund.id;
            let beside = tx.unallocated_in(&near).await?.balances;
            situation.book.balances.extend(beside.into_iter().filter(|balance| balance.account.fund != own));
        }
        match command {
            FundCommand::Forfeit => {
                situation.guide = Some(self.policy(&tx.guide_on(situation.fund.program, now.date_naive()).await?)?);
            }
            FundCommand::ClosePeriod { .. } => self.with_period(tx, &mut situation).await?,
            _ => {}
        }
        self.with_reinstatement(tx, situation, command, now).await
    }

    /// The period that is next, judged by the guide that was in force when it began.
    async fn with_period(&self, tx: &Tx, situation: &mut FundSituation) -> Result<()> {
        let fund = &situation.fund;
        let first = tx.first_open_day(fund).await?;
        let policy = self.policy(&tx.guide_on(fund.program, first).await?)?;
        let (facts, wallets) = tx.period_facts(fund, first, fund::last_day(&policy, first)).await?;
        situation.book.balances.extend(wallets);
        (situation.guide, situation.period) = (Some(policy), Some(facts));
        Ok(())
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
        let (book, partner_name, around) = (Book { balances }, None, Around::default());
        let situation = FundSituation { fund, book, partner_name, guide, period, around };
        let closing = fund::closing(&situation).ok_or_else(|| Error::internal("a period was not loaded"))?;
        Ok(PeriodAhead { fund: situation.fund, closable_from: fund::closable_from(closing.last), closing })
    }

    /// What a reinstatement is judged on: whose it is, what they forfeited, how many people the guide in force asks for.
    async fn with_reinstatement(
        &self,
        tx: &Tx,
        mut situation: FundSituation,
        command: &FundCommand,
        now: Instant,
    ) -> Result<FundSituation> {
        let waiting = |no: i64| situation.fund.reinstatements.iter().find(|wanted| wanted.no == no);
        let partner = match command {
            FundCommand::ProposeReinstatement { partner, .. } => Some(*partner),
            FundCommand::ConfirmReinstatement { proposal } | FundCommand::RejectReinstatement { proposal, .. } => {
                waiting(*proposal).map(|wanted| wanted.partner)
            }
            _ => None,
        };
        let Some(partner) = partner else { return Ok(situation) };
        situation.partner_name = tx.partner_names(&[partner]).await?.remove(&partner);
        situation.around.forfeited = tx.forfeited_by(situation.fund.id, partner).await?;
        let guide = tx.guide_on(situation.fund.program, now.date_naive()).await?;
        if let Some(rules) = &self.policy(&guide)?.credit {
            situation.around.reinstated_by = rules.reinstated_by;
        }
        Ok(situation)
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

/// A new fund below another one is of its program and currency.
async fn may_stand(tx: &Tx, fund: &Fund) -> Result<()> {
    let Some(parent) = fund.parent else { return Ok(()) };
    let parent = match tx.lock_fund(WhichFund::Id(parent), None, None).await {
        Ok(parts) => parts.fund,
        Err(storage::Error::NotFound) => {
            return Err(Error::invalid("parent", "That fund is not known.", "Choose one from the list."));
        }
        Err(other) => return Err(other.into()),
    };
    let funds = tx.funds_of(parent.program).await?;
    let reasons = fund::under(&fund.name, fund.program, fund.currency, &parent, &funds);
    Refusal::unless_empty(reasons).map_err(Error::Refused)
}
