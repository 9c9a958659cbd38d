//! `fundloop attribute`: journeys in a CSV file, credit by channel out.

mod blocks;
mod channels;
mod events;
mod number;
mod paths;
mod rows;
mod settings;
mod spill;
#[cfg(test)]
mod tests;
mod walk;

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use attribution::parse_duration;
use attribution::tally::{Measure, Rounded, Tally};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use settings::{Asked, Settings};

/// Divide the conversions and the value of journeys among their channels.
///
/// Reads CSV and writes CSV with the columns model, channel, conversions, value: a row per model and channel, channels
/// in order of first appearance. Each model's columns add up to the input's total exactly; journeys without touches are
/// the channel (unattributed). Participation is not credit: it shows beside each channel all it took part in.
///
/// paths: the columns path, conversions, value, nulls; the steps of a path are separated by " > ".
/// events: the columns journey_id, timestamp, channel, and if you like stage, conversion, value; a row per touch, in any
/// order. A row with conversion 1 ends a journey and carries its value; timestamps are RFC 3339 or epoch seconds; a
/// stage is a milestone (first touch, lead creation, demo ...) or a whole number by which touches of one moment are ordered.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[expect(clippy::doc_markdown, reason = "these words are the help text")]
pub struct AttributeArgs {
    /// CSV file to read, or - for standard input
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// What a row of the input is
    #[arg(long, value_enum, default_value_t = Format::Paths)]
    format: Format,
    /// Models, separated by commas: first, last, last-non-direct, linear, time-decay, position-40-20-40 (or u-shaped),
    /// u-marketo, u-hubspot, j-shaped, inverse-j, custom-position, w-shaped, full-path, milestones, shapley, markov,
    /// participation
    #[arg(long, value_name = "MODEL", value_delimiter = ',', required = true)]
    model: Vec<String>,
    /// How many touches the Markov chain remembers, 1 to 4
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    order: u8,
    /// Half-life of time-decay: a whole number and s, m, h, d or w
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_duration)]
    half_life: Duration,
    /// Leave out touches older than this before the conversion; only for events
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    lookback: Option<Duration>,
    /// TOML file with the weights of custom-position (first, middle, last) and milestones (a name each, and others)
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// CSV file to write; standard output if left out or -
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Decimals of the numbers written, up to 12
    #[arg(long, value_name = "DIGITS", default_value_t = 6, value_parser = clap::value_parser!(u8).range(0..=12))]
    precision: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Paths,
    Events,
}

/// Exit code 0 when done, 2 when what is asked for makes no sense; any other error is the caller's to print.
pub fn run(args: AttributeArgs) -> anyhow::Result<ExitCode> {
    let settings = match Settings::new(&args) {
        Ok(settings) => settings,
        Err(usage) => {
            eprintln!("error: {usage}");
            return Ok(ExitCode::from(2));
        }
    };
    let (input, size) = open(&args.input)?;
    let progress = progress(size);
    let counted = count(&args, &settings, progress.wrap_read(input));
    progress.finish_and_clear();
    let counted = counted.with_context(|| format!("{} could not be read", args.input.display()))?;
    match &args.output {
        Some(path) if path.as_os_str() != "-" => {
            let file = File::create(path).with_context(|| format!("{} could not be written", path.display()))?;
            write(BufWriter::new(file), &settings.asked, counted, u32::from(args.precision))?;
        }
        _ => write(std::io::stdout().lock(), &settings.asked, counted, u32::from(args.precision))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn count(args: &AttributeArgs, settings: &Settings, input: impl Read + Send) -> anyhow::Result<Counted> {
    match args.format {
        Format::Paths => paths::read(input, settings),
        Format::Events => events::read(input, settings, args.lookback),
    }
}

/// What reading yields: a tally, and the channels' names.
struct Counted {
    tally: Tally,
    channels: channels::Merged,
}

fn open(path: &std::path::Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if path.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let file = File::open(path).with_context(|| format!("{} could not be opened", path.display()))?;
    let size = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    Ok((Box::new(file), size))
}

/// Shown on a terminal only, and only once reading takes long enough to wonder.
fn progress(size: Option<u64>) -> ProgressBar {
    let (Some(size), true) = (size, std::io::stderr().is_terminal()) else {
        return ProgressBar::hidden();
    };
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr_with_hz(5));
    match ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn write(output: impl Write, asked: &[Asked], counted: Counted, decimals: u32) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(output);
    csv.write_record(["model", "channel", "conversions", "value"])?;
    let Counted { tally, channels } = counted;
    for (asked, totals) in asked.iter().zip(tally.finish()?) {
        let (credited, unattributed) = totals.rounded(decimals);
        for channel in channels.order.iter().map(|channel| *channel as usize) {
            let amounts = credited.get(channel).copied().unwrap_or_default();
            row(&mut csv, &asked.name, &channels.names[channel], amounts, decimals)?;
        }
        if unattributed != Rounded::default() {
            row(&mut csv, &asked.name, b"(unattributed)", unattributed, decimals)?;
        }
    }
    csv.flush()?;
    Ok(())
}

fn row(
    csv: &mut csv::Writer<impl Write>,
    model: &str,
    channel: &[u8],
    amounts: Rounded,
    decimals: u32,
) -> csv::Result<()> {
    let conversions = number::print(amounts.conversions, decimals);
    let value = number::print(amounts.value, decimals);
    csv.write_record([model.as_bytes(), channel, conversions.as_bytes(), value.as_bytes()])
}
