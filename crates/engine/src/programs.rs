//! Programs and their guides: a guide is taken in as a new version, in force from its own day.

use crate::Engine;
use crate::advance::{Advanced, Submission};
use crate::error::{Error, Result};
use domain::Date;
use domain::ids::ProgramId;
use domain::people::{Actor, Role};
use domain::policy::Policy;
use domain::refusal::Reason;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use storage::rows::{Guide, Program};
use uuid::Uuid;

/// What an administrator starts a program with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProgram {
    /// `EMEA`
    pub code: String,
    pub name: String,
    /// Its first guide, as TOML.
    pub guide: String,
}

impl Engine {
    /// Starts a program with its first guide.
    pub async fn open_program(&self, actor: &Actor, new: &NewProgram, once: &Submission) -> Result<Advanced> {
        administrators_only(actor)?;
        let policy = read(&new.guide)?;
        let code = new.code.trim().to_uppercase();
        if !(2..=20).contains(&code.len()) || !code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(Error::invalid(
                "code",
                "The code is no short name.",
                "Use 2 to 20 letters, digits and hyphens, such as EMEA.",
            ));
        }
        self.once(actor, once, new, async |tx, now| {
            let id = ProgramId(Uuid::now_v7());
            let program = Program {
                id,
                code: code.clone(),
                name: new.name.trim().to_owned(),
                currency: policy.guide.currency,
                scorecard: self.catalog.scorecard.name.clone(),
                created_at: now,
            };
            match tx.insert_program(&program).await {
                Err(storage::Error::Duplicate(_)) => {
                    return Err(Error::invalid(
                        "code",
                        format!("There is a program {code} already."),
                        "Choose another code.",
                    ));
                }
                other => other?,
            }
            tx.insert_guide(&guide_row(actor, id, 1, &new.guide, &policy, now)).await?;
            let words = format!("{} started the program {}.", actor.me.name, program.name);
            tx.note("program.started", words.clone(), json!({ "program": id, "code": code }), actor, now).await?;
            Ok(Advanced { number: code.clone(), version: 1, words: vec![words] })
        })
        .await
    }

    /// Takes in another version of a program's guide; it is in force from a day to come, or from today. Cycles keep the
    /// version that was in force when they were opened.
    pub async fn add_guide(
        &self,
        actor: &Actor,
        program: ProgramId,
        toml: &str,
        from: Date,
        once: &Submission,
    ) -> Result<Advanced> {
        administrators_only(actor)?;
        let mut policy = read(toml)?;
        policy.guide.effective_from = from;
        self.once(actor, once, &(program, toml, from), async |tx, now| {
            let program = tx.program(program).await?;
            if from < now.date_naive() {
                return Err(Error::invalid(
                    "from",
                    "That day is over: what was asked then was judged by another version.",
                    "Choose today or a day to come.",
                ));
            }
            for earlier in tx.guides(program.id).await? {
                if self.policy(&earlier)?.guide.version == policy.guide.version {
                    return Err(Error::invalid(
                        "guide",
                        format!("There is a version {} of this guide already.", policy.guide.version),
                        "Give this one a version of its own: every decision names the version it was made under.",
                    ));
                }
            }
            if policy.guide.currency != program.currency {
                return Err(Error::invalid(
                    "guide",
                    format!("The guide is kept in {}, the program in {}.", policy.guide.currency, program.currency),
                    "Write the guide in the program's currency.",
                ));
            }
            let version = tx.next_guide_version(program.id).await?;
            tx.insert_guide(&guide_row(actor, program.id, version, toml, &policy, now)).await?;
            let day = domain::calendar::words(from);
            let words = format!("Version {} of the guide of {} counts from {day}.", policy.guide.version, program.name);
            let facts = json!({ "program": program.id, "version": version, "from": from });
            tx.note("program.guide", words.clone(), facts, actor, now).await?;
            Ok(Advanced { number: program.code.clone(), version: i64::from(version), words: vec![words] })
        })
        .await
    }

    /// A stored guide as the rules read it.
    pub fn guide(&self, guide: &Guide) -> Result<Arc<Policy>> {
        self.policy(guide)
    }
}

fn administrators_only(actor: &Actor) -> Result<()> {
    if actor.me.has(Role::Administrator) && !actor.me.is_partner() {
        return Ok(());
    }
    Err(Error::refused("not_your_role", "Programs are kept by administrators.", "Ask one of them."))
}

/// The guide, or what contradicts itself in it, line by line.
///
/// # Errors
///
/// [`Error::Invalid`] with a reason a line, all at the field `guide`.
pub fn read(toml: &str) -> Result<Policy> {
    Policy::load(toml).map_err(|problems| {
        let reasons = problems.into_iter().map(|problem| {
            Reason::new(
                "guide",
                format!("Line {}: {}.", problem.line, problem.problem.trim_end_matches('.')),
                "Mend it and upload the guide again.",
            )
            .at("guide")
        });
        Error::Invalid(reasons.collect())
    })
}

fn guide_row(
    actor: &Actor,
    program: ProgramId,
    version: u32,
    toml: &str,
    policy: &Policy,
    now: domain::Instant,
) -> Guide {
    Guide {
        program_id: program,
        version,
        toml: toml.to_owned(),
        effective_from: policy.guide.effective_from,
        created_at: now,
        created_by: Some(actor.user()),
    }
}
