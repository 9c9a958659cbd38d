//! Programs and their guides: a guide is taken in as a new version, in force from its own day.

use crate::Engine;
use crate::advance::{Advanced, Submission};
use crate::error::{Error, Result};
use domain::Date;
use domain::ids::ProgramId;
use domain::people::{Actor, Role, Standing};
use domain::policy::Policy;
use domain::refusal::Reason;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use storage::rows::{Guide, GuideWithdrawal, Program};
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

    /// Takes in another version of a program's guide; it is in force from a day to come, or from today: the day its text
    /// names, which a day that is given besides must agree with. Cycles keep the version that was in force when they were
    /// opened.
    pub async fn add_guide(
        &self,
        actor: &Actor,
        program: ProgramId,
        toml: &str,
        from: impl Into<Option<Date>>,
        once: &Submission,
    ) -> Result<Advanced> {
        let keeper = keeper(actor)?;
        let policy = read(toml)?;
        let from = day_of(&policy, from.into())?;
        let name = policy.guide.version.clone();
        self.once(actor, once, &(program, toml, from), async |tx, now| {
            let program = tx.program(program).await?;
            if from < now.date_naive() {
                return Err(Error::invalid(
                    "from",
                    format!("{} is over: what was asked then was judged by another version.", in_words(from)),
                    "Name today or a day to come, in the guide's effective_from.",
                ));
            }
            let mut earlier = Vec::new();
            for guide in tx.guides(program.id).await? {
                earlier.push(self.policy(&guide)?.guide.version.clone());
            }
            if earlier.contains(&name) {
                return Err(Error::invalid(
                    "guide",
                    format!("There is a version {name} of this guide already."),
                    "Give this one a version of its own: every decision names the version it was made under.",
                ));
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
            let day = in_words(from);
            let what = format!("version {name} of the guide of {} from {day}", program.name);
            let facts = json!({ "program": program.id, "version": version, "name": name, "from": from });
            let told = format!("{} activated {what}.", said_by(actor, keeper));
            tx.note("program.guide", told, facts, actor, now).await?;
            let words = format!("Version {name} of the guide of {} counts from {day}.", program.name);
            Ok(Advanced { number: program.code.clone(), version: i64::from(version), words: vec![words] })
        })
        .await
    }

    /// Takes a version back before its day comes: nothing was judged by it, nothing will be. That it was there stays.
    pub async fn withdraw_guide(
        &self,
        actor: &Actor,
        program: ProgramId,
        version: u32,
        reason: &str,
        once: &Submission,
    ) -> Result<Advanced> {
        let keeper = keeper(actor)?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(Error::invalid(
                "reason",
                "There is no reason.",
                "Say why it is withdrawn: colleagues read it.",
            ));
        }
        self.once(actor, once, &(program, version, reason), async |tx, now| {
            let program = tx.program(program).await?;
            let guide = tx.guide(program.id, version).await?;
            let name = self.policy(&guide)?.guide.version.clone();
            if guide.effective_from <= now.date_naive() {
                return Err(Error::refused(
                    "guide_counts",
                    format!("Version {name} counts since {}.", in_words(guide.effective_from)),
                    "Activate another version: what was asked under this one keeps it.",
                ));
            }
            let row = GuideWithdrawal {
                program_id: program.id,
                version,
                reason: reason.to_owned(),
                by_user: actor.user(),
                by_name: actor.me.name.clone(),
                at: now,
            };
            match tx.withdraw_guide(&row).await {
                Err(storage::Error::Duplicate(_)) => {
                    return Err(Error::refused(
                        "guide_withdrawn",
                        format!("Version {name} was withdrawn already."),
                        "Nothing is left to do.",
                    ));
                }
                other => other?,
            }
            let told = format!(
                "{} withdrew version {name} of the guide of {}, which was to count from {}: {reason}",
                said_by(actor, keeper),
                program.name,
                in_words(guide.effective_from)
            );
            let facts = json!({ "program": program.id, "version": version, "name": name, "reason": reason });
            tx.note("program.guide_withdrawn", told, facts, actor, now).await?;
            let words = format!("Version {name} of the guide of {} is withdrawn and will not count.", program.name);
            Ok(Advanced { number: program.code.clone(), version: i64::from(version), words: vec![words] })
        })
        .await
    }

    /// A stored guide as the rules read it.
    pub fn guide(&self, guide: &Guide) -> Result<Arc<Policy>> {
        self.policy(guide)
    }
}

/// The standing by which somebody decides on guides: an administrator's own, or that of a channel manager who is responsible
/// for every region, since a guide judges all of them.
pub fn keeps_guides(actor: &Actor) -> Option<&Standing> {
    if actor.me.is_partner() {
        return None;
    }
    let everywhere = |of: &Standing| of.has(Role::ChannelManager) && of.territory.is_empty() && !of.is_partner();
    if actor.me.has(Role::Administrator) { Some(&actor.me) } else { actor.standing_that(everywhere) }
}

fn keeper(actor: &Actor) -> Result<&Standing> {
    keeps_guides(actor).ok_or_else(|| {
        Error::refused(
            "not_your_role",
            "A guide judges every region's partners: channel managers responsible for all regions activate and withdraw its \
             versions, and administrators.",
            "Ask one of them.",
        )
    })
}

/// The day a guide counts from: the one its text names. Another one beside it is a mistake in one of the two.
pub fn day_of(policy: &Policy, typed: Option<Date>) -> Result<Date> {
    let own = policy.guide.effective_from;
    match typed {
        Some(typed) if typed != own => Err(Error::invalid(
            "from",
            format!("The guide counts from {} (its effective_from), the form says {}.", in_words(own), in_words(typed)),
            "Write the same day in both, or leave the day beside it empty.",
        )),
        _ => Ok(own),
    }
}

fn in_words(day: Date) -> String {
    domain::calendar::words(day)
}

/// "Ana Ferreira", "Ana Ferreira, standing in for Lena Hartmann,"
fn said_by(actor: &Actor, standing: &Standing) -> String {
    match actor.acting_for(standing) {
        Some(colleague) => format!("{}, standing in for {colleague},", actor.me.name),
        None => actor.me.name.clone(),
    }
}

fn administrators_only(actor: &Actor) -> Result<()> {
    if actor.me.has(Role::Administrator) && !actor.me.is_partner() {
        return Ok(());
    }
    Err(Error::refused("not_your_role", "Programs are started by administrators.", "Ask one of them."))
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
