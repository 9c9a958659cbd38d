//! Paths: a row for all journeys that went one way.

use std::io::Read;
use std::mem;

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
        to.touches.clear();
        for (place, step) in steps(row.get(Some(self.path))).enumerate() {
            let channel = to.names.number(step, (row.line, place));
            // The place of a step stands in for its time.
            let at = i64::try_from(place).unwrap_or(i64::MAX);
            to.touches.push(Touch { direct: to.names.is_direct(channel), ..Touch::new(0, channel, at) });
        }
        let converted_at = i64::try_from(to.touches.len()).unwrap_or(i64::MAX);
        to.tally.record(&to.touches, converted_at, &outcome);
        Ok(())
    }
}

/// The steps of a path, separated by ` > `; a step without a name is none.
fn steps(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let blank = |place: usize| path.get(place).is_none_or(u8::is_ascii_whitespace);
    // At either end of the path the blank has been trimmed away.
    let parts = move |place: &usize| (*place == 0 || blank(place - 1)) && blank(place + 1);
    let mut begin = 0;
    Places::new(path, [b'>'; 2])
        .filter(parts)
        .chain([path.len()])
        .map(move |end| path[mem::replace(&mut begin, end + 1)..end].trim_ascii())
        .filter(|step| !step.is_empty())
}

#[cfg(test)]
mod tests {
    use super::steps;

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
            let found: Vec<_> = steps(path.as_bytes()).map(|step| std::str::from_utf8(step).unwrap()).collect();
            assert_eq!(found, expected, "{path}");
        }
    }
}
