//! Paths: a row for all journeys that went one way.

use std::io::Read;

use attribution::tally::Tally;
use attribution::{Outcome, PathStep};

use super::channels::{self, Names};
use super::rows::{self, Header, Problem, Row};
use super::settings::Settings;
use super::{Counted, number};

struct Columns {
    path: usize,
    conversions: usize,
    value: Option<usize>,
    nulls: Option<usize>,
}

/// What one thread collects.
struct Collected {
    names: Names,
    tally: Tally,
    steps: Vec<PathStep>,
}

pub fn read(input: impl Read + Send, settings: &Settings) -> anyhow::Result<Counted> {
    let empty = Tally::new(&settings.measures())?;
    let begin = |header: &Header| {
        Ok(Columns {
            path: header.require("path")?,
            conversions: header.require("conversions")?,
            value: header.find("value"),
            nulls: header.find("nulls"),
        })
    };
    let state = || Collected { names: Names::default(), tally: empty.clone(), steps: Vec::new() };
    let collected = rows::read(input, begin, state, Columns::take)?;
    settings.warn_without_stages();
    let channels = channels::merge(&collected.iter().map(|part| &part.names).collect::<Vec<_>>());
    let mut tally = empty;
    for (part, renumbered) in collected.iter().zip(&channels.renumbered) {
        tally.merge(&part.tally, renumbered);
    }
    Ok(Counted { tally, channels })
}

impl Columns {
    fn take(&self, to: &mut Collected, row: &Row) -> Result<(), Problem> {
        let amount = |name: &str, column: Option<usize>| {
            let cell = row.get(column);
            number::parse(cell).ok_or_else(|| Problem::cell(name, cell, "a number like 12.5, below 10^15"))
        };
        let outcome = Outcome {
            conversions: amount("conversions", Some(self.conversions))?,
            value: amount("value", self.value)?,
            nulls: amount("nulls", self.nulls)?,
        };
        let Collected { names, tally, steps } = to;
        steps.clear();
        row.each_step(self.path, |step| steps.push(names.number(step, (row.line, steps.len()))));
        tally.record(steps, 0, &outcome);
        Ok(())
    }
}
