//! The program: `fundloop VERB`. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 problems found.

mod attribute;
mod demo;
mod settings;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // clap answers wrong usage itself, with 2.
    verbs::run(verbs::Cli::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
