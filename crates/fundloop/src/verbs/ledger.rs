//! `fundloop ledger verify`, `fundloop audit verify`: the book and the chains, recomputed from what is stored;
//! `fundloop ledger statement`: what was in every account of a fund or partner on a day, and what moved.

use super::{Outcome, ground};
use crate::settings::Settings;
use anyhow::Context;
use clap::{Args, Subcommand};
use domain::Date;
use domain::ids::PartnerId;
use domain::money::Money;
use std::path::PathBuf;
use storage::read::{AccountLine, MovementsOf, Paging, Reader};
use storage::verify::{self, Finding, Head};
use storage::{Db, Viewer};

#[derive(Subcommand, Debug)]
pub enum LedgerVerb {
    /// Recompute every balance from its postings: 3 when something does not hold.
    Verify,
    /// Every account of a fund or partner as of the end of a day, and the postings that led there.
    Statement(StatementArgs),
}

#[derive(Args, Debug)]
pub struct StatementArgs {
    /// A fund's code, such as EMEA-GROWTH.
    #[arg(long, value_name = "CODE", required_unless_present = "partner", conflicts_with = "partner")]
    fund: Option<String>,
    /// A partner's name.
    #[arg(long, value_name = "NAME")]
    partner: Option<String>,
    /// The last day it looks at (UTC); today without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<Date>,
    /// The first day whose postings are listed; all without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<Date>,
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
    let db = ground::database(settings).await?;
    match verb {
        LedgerVerb::Verify => {
            tell(&verify::ledger(&db).await?, json, "The book holds: every balance is the sum of its postings.")
        }
        LedgerVerb::Statement(args) => statement(&db, &args, json).await,
    }
}

async fn statement(db: &Db, args: &StatementArgs, json: bool) -> anyhow::Result<Outcome> {
    let (reader, viewer) = (db.reader(), Viewer::system());
    let of = match (&args.fund, &args.partner) {
        (Some(code), _) => {
            let fund = reader.fund(&viewer, code).await.with_context(|| format!("there is no fund {code}"))?;
            MovementsOf::Fund(fund.id)
        }
        (None, name) => MovementsOf::Partner(partner(&reader, name.as_deref().unwrap_or_default()).await?),
    };
    let on = args.on.unwrap_or_else(|| engine::clock::Clock::real().now().date_naive());
    let accounts = reader.accounts_on(&viewer, of, on).await?;
    let mut movements = Vec::new();
    let mut paging = Paging::first(200);
    loop {
        let page = reader.movements(&viewer, of, (args.from, Some(on)), &paging).await?;
        movements.extend(page.rows);
        let Some(next) = page.next else { break };
        paging.after = Some(next);
    }
    movements.reverse();
    let opening = match args.from.and_then(|day| day.pred_opt()) {
        Some(day) => Some((day, reader.accounts_on(&viewer, of, day).await?)),
        None => None,
    };
    if json {
        let whole = serde_json::json!({ "on": on, "accounts": accounts, "movements": movements,
            "opening": opening.as_ref().map(|(day, accounts)| serde_json::json!({ "on": day, "accounts": accounts })) });
        println!("{whole:#}");
        return Ok(Outcome::Done);
    }
    if let Some((day, accounts)) = &opening {
        println!("Opening: accounts at the end of {day} (UTC)");
        accounts.iter().for_each(print_account);
    }
    println!("Accounts at the end of {on} (UTC)");
    accounts.iter().for_each(print_account);
    println!("Postings{}", args.from.map_or_else(String::new, |day| format!(" since {day}")));
    for line in &movements {
        let (when, way) =
            (line.at.format("%Y-%m-%d %H:%M"), format!("{} → {}", line.from_kind.code(), line.to_kind.code()));
        println!("  {when}  {way:<26} {:>16}  {}  {}", exact(line.amount), line.fund, line.words);
    }
    Ok(Outcome::Done)
}

fn print_account(line: &AccountLine) {
    println!("  {:<18} {:>16}  {}", line.kind.code(), exact(line.amount), whose(line));
}

/// With every decimal, so that columns line up.
fn exact(amount: Money) -> String {
    format!("{} {}", amount.decimal(), amount.currency)
}

/// What tells an account apart from others of its kind.
fn whose(line: &AccountLine) -> String {
    let item = line.item.map_or_else(String::new, |item| format!("/{item}"));
    let number = line.number.as_ref().map(|number| format!("{number}{item}"));
    let lot = line.lot.map(|day| format!("good until {day}"));
    let parts = [Some(line.fund.clone()), line.partner.clone(), number, lot];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

async fn partner(reader: &Reader, name: &str) -> anyhow::Result<PartnerId> {
    let wanted = name.trim().to_lowercase();
    let names = reader.partner_names(&Viewer::system()).await?;
    let mut found = names.iter().filter(|(_, other)| other.to_lowercase().contains(&wanted));
    match (found.next(), found.next()) {
        (Some((id, _)), None) => Ok(*id),
        (None, _) => anyhow::bail!("there is no partner named {name}"),
        (Some((_, one)), Some((_, other))) => anyhow::bail!("{name} could be {one} or {other}: write more of the name"),
    }
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
