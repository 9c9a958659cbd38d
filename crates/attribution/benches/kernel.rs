//! The kernel alone, without reading or printing: `cargo bench -p attribution`. One thread.
//!
//! Every measure over the same journeys in memory, in touches a second and beside a plain sum over the same bytes; all
//! nine rule models that need no times or stages in one pass; a growing number of touches; one deal under every rule
//! model; and the Markov chain's solver. No figure is compared with another machine's.

use std::hint::black_box;
use std::time::{Duration, Instant};

use attribution::markov::Chain;
use attribution::tally::{Measure, Tally};
use attribution::{Journey, Milestone, Milestones, Model, Outcome, Touch, credit};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};

const CHANNELS: u64 = 50;
/// What a journey of the benches came to, in the tally's units: one conversion worth 250, and three that came to nothing.
const OUTCOME: Outcome =
    Outcome { conversions: 1_000_000_000_000, value: 250_000_000_000_000, nulls: 3_000_000_000_000 };
/// The rule models the comparison in `bench/attribution` asks for in one pass.
const NINE: [&str; 9] = [
    "first",
    "last",
    "last-non-direct",
    "linear",
    "position-40-20-40",
    "j-shaped",
    "inverse-j",
    "u-hubspot",
    "shapley",
];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let table = [over_many, growth, one_deal, solver].map(|bench| bench(&mut criterion)).concat();
    criterion.final_summary();
    println!("{table}");
}

/// Journeys in one block of memory.
struct Journeys {
    touches: Vec<Touch>,
    /// Where each journey ends.
    ends: Vec<usize>,
}

impl Journeys {
    /// So many touches or a few more, one to ten a journey, from a fixed sequence that looks random.
    fn new(touches: usize) -> Self {
        let mut state = 1_u64;
        let mut next = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from((state >> 33) % below).unwrap_or(0)
        };
        let mut journeys = Self { touches: Vec::with_capacity(touches + 10), ends: Vec::new() };
        while journeys.touches.len() < touches {
            for place in 0..=next(10) {
                let channel = next(CHANNELS);
                let touch = Touch::new(u128::from(place), channel, i64::from(place) * 86_400);
                journeys.touches.push(Touch { direct: channel == 0, ..touch });
            }
            journeys.ends.push(journeys.touches.len());
        }
        journeys
    }

    fn each(&self) -> impl Iterator<Item = &[Touch]> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| &self.touches[begin..*end])
    }

    /// Count them all in an empty tally.
    fn tally(&self, empty: &Tally) -> Tally {
        let mut tally = empty.clone();
        for touches in self.each() {
            tally.record(touches, touches.last().map_or(0, |touch| touch.at), &OUTCOME);
        }
        tally
    }

    /// Everything a touch says, added up: what reading the memory costs.
    fn sum(&self) -> i128 {
        let all = |touch: &Touch| {
            let flags = i64::from(touch.rank) + i64::from(touch.direct) + i64::from(touch.response);
            let small = touch.at + i64::from(touch.channel) + i64::from(touch.milestones.len()) + flags;
            i128::from(small).wrapping_add(touch.id.cast_signed())
        };
        self.touches.iter().map(all).fold(0, i128::wrapping_add)
    }
}

/// Bench one thing; returns the fastest pass, or nothing if it was left out by the command line.
fn bench(group: &mut BenchmarkGroup<WallTime>, name: &str, mut pass: impl FnMut()) -> Option<Duration> {
    let mut fastest = None;
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let begun = Instant::now();
            for _ in 0..times {
                pass();
            }
            let all = begun.elapsed();
            let each = all / u32::try_from(times).unwrap_or(u32::MAX);
            fastest = Some(fastest.map_or(each, |fastest: Duration| fastest.min(each)));
            all
        });
    });
    fastest
}

fn tally(measures: impl IntoIterator<Item = Measure>) -> Tally {
    Tally::new(&measures.into_iter().collect::<Vec<_>>()).expect("orders 1 to 4 are known")
}

fn nine() -> impl Iterator<Item = Measure> {
    NINE.iter().map(|name| name.parse().expect("the name of a model"))
}

/// Touches a second, and how many times as long a plain sum over the same bytes takes.
#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn over_many(criterion: &mut Criterion) -> String {
    let journeys = Journeys::new(1_000_000);
    let count = journeys.touches.len();
    let mut group = criterion.benchmark_group("touches");
    group.throughput(Throughput::Elements(count as u64));
    let sum = bench(&mut group, "plain sum", || {
        black_box(black_box(&journeys).sum());
    });
    let mut runs = vec![("plain sum".to_owned(), sum)];
    let rules = Model::PRESETS.into_iter().map(Measure::Rule).chain([Measure::Participation]);
    let chains = (1..=Chain::MAX_ORDER).map(|order| Measure::Markov { order });
    let alone = rules.chain(chains).map(|measure| (measure.to_string(), tally([measure])));
    for (name, empty) in alone.chain([("nine models in one pass".to_owned(), tally(nine()))]) {
        let fastest = bench(&mut group, &name, || {
            black_box(journeys.tally(black_box(&empty)));
        });
        runs.push((name, fastest));
    }
    group.finish();
    let mut lines = format!("\n{:24} {:>14} {:>18}\n", "over a million touches", "M touches/s", "plain sums");
    for (name, fastest) in runs {
        if let (Some(fastest), Some(sum)) = (fastest, sum) {
            let (rate, sums) = (count as f64 / fastest.as_secs_f64() / 1e6, fastest.as_secs_f64() / sum.as_secs_f64());
            lines.extend([format!("{name:24} {rate:14.1} {sums:18.1}\n")]);
        }
    }
    lines
}

/// Nine models in one pass over ten times as many touches, and again.
#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn growth(criterion: &mut Criterion) -> String {
    let mut group = criterion.benchmark_group("nine models over so many touches");
    let mut lines = format!("\n{:24} {:>14} {:>18}\n", "nine models over touches", "us", "ns per touch");
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        let (journeys, empty) = (Journeys::new(size), tally(nine()));
        group.throughput(Throughput::Elements(journeys.touches.len() as u64));
        let fastest = bench(&mut group, &size.to_string(), || {
            black_box(journeys.tally(black_box(&empty)));
        });
        if let Some(fastest) = fastest {
            let each = fastest.as_secs_f64() * 1e9 / journeys.touches.len() as f64;
            lines.extend([format!("{size:<24} {:14.1} {each:18.1}\n", fastest.as_secs_f64() * 1e6)]);
        }
    }
    group.finish();
    lines
}

/// A deal of eight touches with its milestones: every rule model, each touch with amount and reason.
fn one_deal(criterion: &mut Criterion) -> String {
    let marks = [
        Some(Milestone::FIRST_TOUCH),
        None,
        Some(Milestone::LEAD_CREATION),
        None,
        None,
        Some(Milestone::OPPORTUNITY_CREATION),
        None,
        Some(Milestone::CLOSE),
    ];
    let touch = |(id, milestone): (u32, Option<Milestone>)| Touch {
        milestones: milestone.into_iter().collect::<Milestones>(),
        ..Touch::new(u128::from(id), id % 5, i64::from(id) * 86_400)
    };
    let deal = Journey::won((0..).zip(marks).map(touch).collect(), 1_234_567, 8 * 86_400);
    let mut group = criterion.benchmark_group("one deal");
    let fastest = bench(&mut group, "every rule model", || {
        for model in &Model::PRESETS {
            black_box(credit(black_box(model), black_box(&deal), None));
        }
    });
    group.finish();
    let line = |fastest: Duration| format!("\none deal under {} rule models: {fastest:?}\n", Model::PRESETS.len());
    fastest.map(line).unwrap_or_default()
}

/// Removal effects of every channel, from counts already made.
fn solver(criterion: &mut Criterion) -> String {
    let journeys = Journeys::new(500_000);
    let mut group = criterion.benchmark_group("solve");
    let mut lines = String::new();
    for order in 1..=Chain::MAX_ORDER {
        let mut chain = Chain::new(order).expect("orders 1 to 4 are known");
        for touches in journeys.each() {
            chain.add(touches.iter().map(|touch| touch.channel), OUTCOME);
        }
        let fastest = bench(&mut group, &format!("markov:{order}"), || {
            black_box(chain.effects());
        });
        lines.extend(fastest.map(|fastest| format!("solving markov:{order}, {CHANNELS} channels: {fastest:.1?}\n")));
    }
    group.finish();
    lines
}
