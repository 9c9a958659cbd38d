//! Totals beside those that others have computed from the same journeys: `recorded/credit.csv` holds what
//! `ChannelAttribution` says of the rule models and numpy's linear solver of the Markov chains. `bench/attribution/verify
//! --record` renews it, and compares more and larger data.

use std::collections::BTreeMap;

use attribution::tally::{DECIMALS, Measure, Rounded, Tally};
use attribution::{Channel, Outcome, Touch};

const PATHS: &str = include_str!("recorded/paths.csv");
const CREDIT: &str = include_str!("recorded/credit.csv");

/// In units of `10^-12`, from a decimal number without a sign.
fn exactly(text: &str) -> i128 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{decimals:0<width$}", width = DECIMALS as usize).parse().unwrap()
}

/// The recorded journeys under a measure: each channel's name and its totals, to twelve decimals.
fn totals(measure: &str) -> BTreeMap<&'static str, Rounded> {
    let mut names: BTreeMap<&str, Channel> = BTreeMap::new();
    let mut tally = Tally::new(&[measure.parse::<Measure>().unwrap()]).unwrap();
    for row in PATHS.lines().skip(1) {
        let cells: Vec<&'static str> = row.split(',').collect();
        let [path, conversions, value, nulls] = cells[..] else { panic!("four cells: {row}") };
        let mut touches = Vec::new();
        for (step, at) in path.split(" > ").zip(0..) {
            let next = Channel::try_from(names.len()).unwrap();
            touches.push(Touch::new(0, *names.entry(step).or_insert(next), at));
        }
        let [conversions, value, nulls] = [conversions, value, nulls].map(exactly);
        tally.record(&touches, 1_000, &Outcome { conversions, value, nulls });
    }
    let (channels, unattributed) = tally.finish().unwrap()[0].rounded(DECIMALS);
    assert_eq!(unattributed, Rounded::default());
    names.into_iter().map(|(name, channel)| (name, channels[channel as usize])).collect()
}

/// Compare with what is recorded; `within` is in units of `10^-12` of an amount of one.
fn compare(measure: &str, within: i128) {
    let ours = totals(measure);
    let mut recorded = 0;
    for row in CREDIT.lines().filter(|row| row.split(',').next() == Some(measure)) {
        let cells: Vec<&str> = row.split(',').collect();
        let [conversions, value] = [exactly(cells[2]), exactly(cells[3])];
        let credit = ours[cells[1]];
        for (one, other) in [(credit.conversions, conversions), (credit.value, value)] {
            let allowed = within * (other / 10_i128.pow(DECIMALS) + 1);
            assert!((one - other).abs() <= allowed, "{measure}, {}: {one} and {other}", cells[1]);
        }
        recorded += 1;
    }
    assert_eq!(recorded, ours.len(), "{measure}: a total is recorded for every channel");
}

#[test]
fn rule_models_agree_with_channelattribution() {
    for measure in ["first", "last", "linear"] {
        compare(measure, 2);
    }
}

#[test]
fn chains_agree_with_a_dense_solver() {
    for measure in ["markov:1", "markov:2", "markov:3", "markov:4"] {
        compare(measure, 100);
    }
}
