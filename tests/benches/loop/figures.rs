//! Rates, medians and percentiles, and the tables they are printed in.

use std::time::Duration;

/// What one round gave: how much was done, in which time, and how long each took.
#[derive(Clone)]
pub struct Round {
    pub elapsed: Duration,
    pub each: Vec<Duration>,
}

impl Round {
    /// A second.
    pub fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.each.len()).expect("a count")) / self.elapsed.as_secs_f64()
    }
}

/// Rounds of one kind, in the order they were run.
#[derive(Clone, Default)]
pub struct Rounds(pub Vec<Round>);

impl Rounds {
    pub fn rate(&self) -> f64 {
        median(self.0.iter().map(Round::rate).collect())
    }

    /// The median of rate by rate, each over its neighbour in time.
    pub fn over(&self, other: &Rounds) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(own, other)| own.rate() / other.rate()).collect())
    }

    /// Milliseconds within which so many of a hundred were done.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut all: Vec<Duration> = self.0.iter().flat_map(|round| &round.each).copied().collect();
        all.sort_unstable();
        let at = (all.len() * percent / 100).min(all.len().saturating_sub(1));
        all.get(at).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Lines of cells, the first one the heads; what is no number is set left.
pub struct Table {
    title: &'static str,
    lines: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: &'static str, heads: &[&str]) -> Self {
        Self { title, lines: vec![heads.iter().map(ToString::to_string).collect()] }
    }

    pub fn line(&mut self, cells: Vec<String>) {
        self.lines.push(cells);
    }

    pub fn print(&self) {
        println!("\n{}\n", self.title);
        let width = |column: usize| self.lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        for line in &self.lines {
            let cell = |(column, cell): (usize, &String)| {
                let gap = " ".repeat(width(column) - cell.chars().count());
                if column < 2 { format!("{cell}{gap}") } else { format!("{gap}{cell}") }
            };
            let cells: Vec<String> = line.iter().enumerate().map(cell).collect();
            println!("  {}", cells.join("  ").trim_end());
        }
    }
}

/// `12,345`.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
