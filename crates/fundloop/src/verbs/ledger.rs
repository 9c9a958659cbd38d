//! `fundloop ledger verify`, `fundloop audit verify`: the book and the chains, recomputed from what is stored.

use super::{Outcome, ground};
use crate::settings::Settings;
use anyhow::Context;
use clap::Subcommand;
use std::path::PathBuf;
use storage::verify::{self, Finding, Head};

#[derive(Subcommand, Debug)]
pub enum LedgerVerb {
    /// Recompute every balance from its postings: 3 when something does not hold.
    Verify,
}

#[derive(Subcommand, Debug)]
pub enum AuditVerb {
    /// Recompute every hash chain: 3 when something was edited, removed or reordered.
    Verify {
        /// A file that `fundloop audit anchor` wrote earlier and that was kept elsewhere.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
    },
    /// Print where every timeline ends now, to keep elsewhere.
    Anchor,
}

pub async fn ledger(settings: &Settings, verb: LedgerVerb, json: bool) -> anyhow::Result<Outcome> {
    let LedgerVerb::Verify = verb;
    let db = ground::database(settings).await?;
    tell(&verify::ledger(&db).await?, json, "The book holds: every balance is the sum of its postings.")
}

pub async fn audit(settings: &Settings, verb: AuditVerb, json: bool) -> anyhow::Result<Outcome> {
    let db = ground::database(settings).await?;
    match verb {
        AuditVerb::Anchor => {
            verify::heads(&db, |head| println!("{} {} {}", head.stream, head.seq, head.hash)).await?;
            Ok(Outcome::Done)
        }
        AuditVerb::Verify { anchor } => {
            let mut findings = verify::audit(&db).await?;
            if let Some(file) = anchor {
                let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
                findings.extend(verify::against(&db, heads(&text)?).await?);
            }
            tell(&findings, json, "The timelines hold: nothing was edited, removed or reordered.")
        }
    }
}

/// An anchor, a timeline a line: its id, its last number, that event's hash.
fn heads(text: &str) -> anyhow::Result<Vec<Head>> {
    let head = |line: &str| {
        let mut parts = line.split_whitespace();
        Some(Head {
            stream: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
            hash: parts.next()?.to_owned(),
        })
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| head(line).with_context(|| format!("not a line of an anchor: {line}"))).collect()
}

fn tell(findings: &[Finding], json: bool, sound: &str) -> anyhow::Result<Outcome> {
    if json {
        println!("{}", serde_json::to_string_pretty(findings)?);
    } else if findings.is_empty() {
        println!("{sound}");
    } else {
        for finding in findings {
            println!("{}: {}: {}", finding.code, finding.subject, finding.words);
        }
    }
    Ok(if findings.is_empty() { Outcome::Done } else { Outcome::ProblemsFound })
}
