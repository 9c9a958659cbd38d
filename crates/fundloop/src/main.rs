//! The program: `fundloop VERB`.

mod attribute;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Closed-loop market development funds: from the plan to the paid claim and what it brought.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Attribute(attribute::AttributeArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Attribute(args) => attribute::run(args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
