//! How many journeys a second: `cargo bench -p attribution`. One thread; no measure is compared with another machine's.

use std::hint::black_box;
use std::time::Instant;

use attribution::markov::Chain;
use attribution::tally::{Measure, Tally};
use attribution::{Model, Outcome, Touch};

const JOURNEYS: usize = 200_000;
const CHANNELS: u64 = 20;

fn main() {
    let journeys = journeys();
    let measures = Model::PRESETS.into_iter().map(Measure::Rule).chain([Measure::Participation]);
    for measure in measures.chain((1..=4).map(|order| Measure::Markov { order })) {
        let mut tally = Tally::new(std::slice::from_ref(&measure)).expect("orders 1 to 4 are known");
        let outcome = Outcome { conversions: 1, value: 100, nulls: 3 };
        let begun = Instant::now();
        for touches in &journeys {
            tally.record(touches, 1_000_000, &outcome);
        }
        println!("{:>12.0} journeys/s  {measure}", rate(JOURNEYS, begun));
        black_box(tally);
    }
    for order in 1..=Chain::MAX_ORDER {
        let mut chain = Chain::new(order).expect("orders 1 to 4 are known");
        for touches in &journeys {
            chain.add(touches.iter().map(|touch| touch.channel), Outcome { conversions: 1, value: 100, nulls: 3 });
        }
        let begun = Instant::now();
        black_box(chain.effects());
        println!("{:>12.3} s to solve  markov:{order}", begun.elapsed().as_secs_f64());
    }
}

/// One to ten touches each, from a fixed sequence that looks random.
fn journeys() -> Vec<Vec<Touch>> {
    let mut state = 1_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((state >> 33) % below).unwrap_or(0)
    };
    let touch = |at: u32, next: &mut dyn FnMut(u64) -> u32| Touch::new(0, next(CHANNELS), i64::from(at) * 86_400);
    (0..JOURNEYS).map(|_| (0..=next(10)).map(|at| touch(at, &mut next)).collect()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn rate(count: usize, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}
