//! `fundloop export gl`: the journal of some days for a general ledger, as CSV or JSON.

use super::{Ground, Outcome};
use crate::settings::Settings;
use anyhow::Context;
use clap::{Args, Subcommand};
use domain::Date;
use std::io::Write;
use std::path::PathBuf;
use storage::Viewer;

#[derive(Subcommand, Debug)]
pub enum ExportVerb {
    /// Every posting of some days as balanced journal lines, under the account codes of the settings.
    Gl(GlArgs),
}

#[derive(Args, Debug)]
pub struct GlArgs {
    /// The first day (UTC).
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Date,
    /// The last day (UTC).
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Date,
    /// Where to write it; standard output without it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub async fn run(settings: &Settings, verb: ExportVerb, json: bool) -> anyhow::Result<Outcome> {
    let ExportVerb::Gl(args) = verb;
    anyhow::ensure!(args.from <= args.to, "--from is after --to: give the earlier day first");
    let engine = Ground::open(settings).await?.engine;
    let (viewer, days) = (Viewer::system(), (args.from, args.to));
    let bytes = if json {
        let mut lines = Vec::new();
        engine.general_ledger(&viewer, days, |line| lines.push(line)).await?;
        let mut text = serde_json::to_vec_pretty(&lines)?;
        text.push(b'\n');
        text
    } else {
        engine.general_ledger_csv(&viewer, days).await?
    };
    match args.out {
        Some(file) => {
            std::fs::write(&file, bytes).with_context(|| format!("{} cannot be written", file.display()))?;
        }
        None => std::io::stdout().write_all(&bytes)?,
    }
    Ok(Outcome::Done)
}
