//! Paths: a row for all journeys that went one way.

use std::io::Read;

use attribution::tally::Tally;
use attribution::{Outcome, Touch};

use super::channels::{self, Names};
use super::rows::{self, Header, Places, Problem, Row};
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
    touches: Vec<Touch>,
}

pub fn read(input: impl Read, settings: &Settings) -> anyhow::Result<Counted> {
    let empty = Tally::new(&settings.measures())?;
    let begin = |header: &Header| {
        Ok(Columns {
            path: header.require("path")?,
            conversions: header.require("conversions")?,
            value: header.find("value"),
            nulls: header.find("nulls"),
        })
    };
    let state = || Collected { names: Names::default(), tally: empty.clone(), touches: Vec::new() };
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
        let Collected { names, tally, touches } = to;
        touches.clear();
        each_step(row.get(Some(self.path)), |step| {
            let channel = names.number(step, (row.line, touches.len()));
            // The place of a step stands in for its time.
            let at = i64::try_from(touches.len()).unwrap_or(i64::MAX);
            touches.push(Touch { direct: names.is_direct(channel), ..Touch::new(0, channel, at) });
        });
        let converted_at = i64::try_from(touches.len()).unwrap_or(i64::MAX);
        tally.record(touches, converted_at, &outcome);
        Ok(())
    }
}

/// The steps of a path, separated by ` > `; a step without a name is none.
fn each_step<'a>(path: &'a [u8], mut take: impl FnMut(&'a [u8])) {
    let blank = |place: usize| path.get(place).is_none_or(u8::is_ascii_whitespace);
    let mut step = |step: &'a [u8]| match step.trim_ascii() {
        [] => {}
        step => take(step),
    };
    let mut begin = 0;
    for end in Places::new(path, [b'>']) {
        // At either end of the path the blank has been trimmed away.
        if (end == 0 || blank(end - 1)) && blank(end + 1) {
            step(&path[begin..end]);
            begin = end + 1;
        }
    }
    step(&path[begin..]);
}

#[cfg(test)]
mod tests {
    use super::each_step;

    #[test]
    fn a_path_falls_apart_into_steps() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[]),
            ("A", &["A"]),
            ("A > B > A", &["A", "B", "A"]),
            ("a>b > ->", &["a>b", "->"]),
            ("A >  > B", &["A", "B"]),
            ("A >", &["A"]),
            ("> A", &["A"]),
            (">", &[]),
        ];
        for (path, expected) in cases {
            let mut found = Vec::new();
            each_step(path.as_bytes(), |step| found.push(std::str::from_utf8(step).unwrap()));
            assert_eq!(found, expected, "{path}");
        }
    }
}
