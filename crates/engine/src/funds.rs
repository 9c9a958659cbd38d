//! Funds: opened, filled and given out by finance; expired credit is forfeited by the timer.

use crate::advance::{Advanced, Submission, same_version};
use crate::error::{Error, Result};
use crate::{Engine, notices};
use domain::fund::{self, Fund, FundCommand, FundKind, FundSituation};
use domain::ids::{FundId, PartnerId, ProgramId};
use domain::money::Currency;
use domain::people::{Actor, Role};
use domain::refusal::Reason;
use serde::{Deserialize, Serialize};
use storage::WhichFund;
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
            let situation = FundSituation { fund: parts.fund, book: parts.book, partner_name: parts.partner_name };
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
}

fn partner_of(command: &FundCommand) -> Option<PartnerId> {
    match command {
        FundCommand::Allocate { partner, .. }
        | FundCommand::MoveBack { partner, .. }
        | FundCommand::RecordReturn { partner, .. } => Some(*partner),
        FundCommand::Budget { .. } | FundCommand::Lower { .. } | FundCommand::Forfeit | FundCommand::Warn { .. } => {
            None
        }
    }
}
