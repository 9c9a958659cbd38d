//! What the program can be told to do, one file a verb.

mod demo;
mod export;
mod ground;
mod import;
mod ledger;
mod mail;
mod migrate;
mod policy;
mod serve;
mod user;

use crate::settings::{LogFormat, Settings};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

pub use ground::Ground;

/// Closed-loop market development funds: from the plan to the paid claim and what it brought.
#[derive(Parser, Debug)]
#[command(name = "fundloop", version, about, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Args, Debug)]
struct Common {
    /// The folder for the embedded database, files, the secret key and mails.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A file with settings that differ from the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print lists as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Serve the pages and the API, and do the timers' and the outbox's work beside it.
    Serve {
        /// The address to listen on, as in 127.0.0.1:8080.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
        /// Leave timers and mail to `fundloop worker`.
        #[arg(long)]
        no_worker: bool,
    },
    /// Do only the timers' and the outbox's work; any number may run beside each other.
    Worker,
    /// Bring the database up to date.
    Migrate {
        /// Only say what is missing: 3 when something is.
        #[arg(long)]
        check: bool,
    },
    /// Who may come in.
    #[command(subcommand)]
    User(user::UserVerb),
    /// The settings.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Print the API's description as OpenAPI 3.1.
    Openapi,
    /// Ask a running program whether it can work: 1 when not.
    Healthcheck,
    /// The book of money.
    #[command(subcommand)]
    Ledger(ledger::LedgerVerb),
    /// The timelines' hash chains.
    #[command(subcommand)]
    Audit(ledger::AuditVerb),
    /// Serve a told story to look around in: every role, every stage. Without --data it is told anew each time.
    Demo {
        /// The address to listen on.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// The mail.
    #[command(subcommand)]
    Mail(mail::MailVerb),
    /// Export what other systems take in.
    #[command(subcommand)]
    Export(export::ExportVerb),
    /// Import results: responders and deals, as tools export them.
    Import(import::ImportArgs),
    /// Program guides: check one, see what it decides, see what it would have changed.
    #[command(subcommand)]
    Policy(policy::PolicyVerb),
    Attribute(crate::attribute::AttributeArgs),
}

#[derive(Subcommand, Debug)]
enum ConfigVerb {
    /// Show what is in force, secrets left out.
    Show,
    /// Print the defaults with their explanations.
    Defaults,
}

/// How a verb ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Done,
    ProblemsFound,
}

/// Does what was asked; the exit code is the answer.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Verb::Attribute(args) = cli.verb {
        return crate::attribute::run(args);
    }
    if let Verb::Policy(verb) = &cli.verb
        && let Some(outcome) = policy::alone(verb, cli.common.json)?
    {
        return Ok(outcome.code());
    }
    let settings = settings(&cli)?;
    start_log(&settings, &cli.verb)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(obey(&settings, cli))?.code())
}

impl Outcome {
    fn code(self) -> ExitCode {
        match self {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::ProblemsFound => ExitCode::from(3),
        }
    }
}

async fn obey(settings: &Settings, cli: Cli) -> anyhow::Result<Outcome> {
    let json = cli.common.json;
    match cli.verb {
        Verb::Serve { no_worker, .. } => serve::serve(settings, !no_worker).await,
        Verb::Worker => serve::worker(settings).await,
        Verb::Migrate { check } => migrate::migrate(settings, check, json).await,
        Verb::User(verb) => user::run(settings, verb, json).await,
        Verb::Config(verb) => {
            match verb {
                ConfigVerb::Show => println!("{}", settings.shown()),
                ConfigVerb::Defaults => print!("{}", crate::settings::DEFAULTS),
            }
            Ok(Outcome::Done)
        }
        Verb::Openapi => {
            println!("{:#}", web::api::described::openapi());
            Ok(Outcome::Done)
        }
        Verb::Healthcheck => serve::healthcheck(settings).await,
        Verb::Ledger(verb) => ledger::ledger(settings, verb, json).await,
        Verb::Audit(verb) => ledger::audit(settings, verb, json).await,
        Verb::Demo { .. } => Box::pin(demo::demo(settings)).await,
        Verb::Mail(verb) => mail::run(settings, verb).await,
        Verb::Export(verb) => export::run(settings, verb, json).await,
        Verb::Import(args) => import::run(settings, args, json).await,
        Verb::Policy(verb) => policy::simulate(settings, verb, json).await,
        Verb::Attribute(_) => Ok(Outcome::Done),
    }
}

/// The command line wins over the environment, as the nearest word.
fn settings(cli: &Cli) -> anyhow::Result<Settings> {
    let mut settings = Settings::read(cli.common.config.as_deref(), std::env::vars())?;
    if let Some(folder) = &cli.common.data {
        settings.data.folder.clone_from(folder);
    }
    if let Verb::Serve { listen: Some(listen), .. } | Verb::Demo { listen: Some(listen) } = &cli.verb {
        settings.server.listen.clone_from(listen);
    }
    if cli.common.data.is_none() && matches!(cli.verb, Verb::Demo { .. }) {
        settings.data.folder = std::env::temp_dir().join(format!("fundloop-demo-{}", std::process::id()));
    }
    Ok(settings)
}

/// A server's log goes to standard output, for whoever collects it; other verbs keep that for their answer.
fn start_log(settings: &Settings, verb: &Verb) -> anyhow::Result<()> {
    // Fifteen months are told in a minute: the demo's log would hide its sign-ins.
    let level = if matches!(verb, Verb::Demo { .. }) { "warn" } else { &settings.log.level };
    let filter = EnvFilter::try_new(level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let serves = matches!(verb, Verb::Serve { .. } | Verb::Worker | Verb::Demo { .. });
    match (settings.log.format, serves) {
        (LogFormat::Json, true) => builder.json().init(),
        (LogFormat::Text, true) => builder.init(),
        (_, false) => builder.with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init(),
    }
    Ok(())
}
