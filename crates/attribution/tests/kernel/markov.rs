//! The Markov chain against what is known of it without solving it, and against a plain solver.

use std::collections::BTreeSet;

use attribution::markov::{Chain, Effects};
use attribution::{Channel, Journey, Outcome, Touch};
use proptest::prelude::*;

type Row = (Vec<Channel>, Outcome);

fn row(path: &[Channel], conversions: i128, nulls: i128) -> Row {
    (path.to_vec(), Outcome { conversions, value: conversions * 100, nulls })
}

fn chain(order: usize, rows: &[Row]) -> Chain {
    let mut chain = Chain::new(order).unwrap();
    for (path, outcome) in rows {
        chain.add(path.iter().copied(), *outcome);
    }
    chain
}

fn shares(effects: &Effects, channels: u32) -> Vec<f64> {
    let effects: Vec<f64> = (0..channels).map(|channel| effects.removal_effect(channel)).collect();
    let sum: f64 = effects.iter().sum();
    effects.iter().map(|effect| effect / sum).collect()
}

fn assert_close(one: &[f64], other: &[f64]) {
    assert_eq!(one.len(), other.len());
    for (left, right) in one.iter().zip(other) {
        assert!((left - right).abs() < 1e-12, "{one:?} {other:?}");
    }
}

#[test]
fn the_published_example() {
    for order in 1..=4 {
        let effects = chain(order, &[row(&[0, 1], 1, 0), row(&[2], 2, 0)]).effects();
        assert_close(&shares(&effects, 3), &[0.25, 0.25, 0.5]);
    }
}

#[test]
fn nothing_converts_and_nothing_breaks() {
    for order in 1..=4 {
        let effects = chain(order, &[row(&[0, 1], 0, 5), row(&[1], 0, 1)]).effects();
        assert_close(&[effects.conversion_rate(), effects.removal_effect(0), effects.removal_effect(9)], &[0.0; 3]);
        let empty = chain(order, &[row(&[], 3, 1)]).effects();
        assert_close(&[empty.conversion_rate()], &[0.0]);
    }
    assert!(Chain::new(0).is_none() && Chain::new(5).is_none());
}

#[test]
fn a_rare_channel_keeps_its_digits() {
    let rows = [row(&[0, 1], 1_000_000_000, 3_000_000_000), row(&[0, 2, 1], 1, 0), row(&[1], 7, 5)];
    let effects = chain(1, &rows).effects();
    // Only one journey in four thousand million meets channel 2, and goes on as those from channel 1 do.
    let from_one = 1_000_000_008.0 / 4_000_000_013.0;
    let exact = from_one / 1_000_000_008.0;
    assert!((effects.removal_effect(2) / exact - 1.0).abs() < 1e-14);
}

#[test]
fn a_long_slow_journey_settles() {
    let path: Vec<Channel> = (0..500_u32).map(|place| place * place % 11 % 4).collect();
    for order in 1..=4 {
        let effects = chain(order, &[(path.clone(), Outcome { conversions: 1, value: 5, nulls: 2 })]).effects();
        assert!((effects.conversion_rate() - 1.0 / 3.0).abs() < 1e-10, "{}", effects.conversion_rate());
        let first = effects.removal_effect(path[0]);
        assert!((first - 1.0).abs() < 1e-12, "{first}");
    }
}

#[test]
fn a_deal_is_divided_by_effects_to_the_last_unit() {
    let effects = chain(1, &[row(&[0, 1], 1, 0), row(&[2], 2, 0)]).effects();
    let amounts = |channels: &[Channel], value| {
        let touches = channels.iter().zip(1..).map(|(channel, id)| Touch::new(id, *channel, 0)).collect();
        let credits = effects.credit(&Journey::won(touches, value, 0), None);
        (credits.parts.iter().map(|part| part.amount).collect::<Vec<_>>(), credits.unattributed)
    };
    assert_eq!(amounts(&[0, 2], 100), (vec![33, 67], 0));
    assert_eq!(amounts(&[0, 2, 2], -100), (vec![-34, -33, -33], 0));
    assert_eq!(amounts(&[0, 9], 100), (vec![100, 0], 0)); // 9 was never seen
    assert_eq!(amounts(&[8, 9], 100), (vec![50, 50], 0));
    assert_eq!(amounts(&[], 100), (vec![], 100));
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (prop::collection::vec(0..5_u32, 0..7), 0..9_i128, -50..200_i128, 0..20_i128)
        .prop_map(|(path, conversions, value, nulls)| (path, Outcome { conversions, value, nulls }));
    prop::collection::vec(row, 1..12)
}

/// What converts when the states with a channel lead to nothing, by eliminating without any care: the reference.
fn converts_without(order: usize, rows: &[Row], without: Option<Channel>) -> f64 {
    let state = |path: &[Channel]| path[path.len().saturating_sub(order)..].to_vec();
    let all: Vec<Vec<Channel>> = rows
        .iter()
        .flat_map(|(path, _)| (1..=path.len()).map(|end| state(&path[..end])))
        .filter(|state| without.is_none_or(|channel| !state.contains(&channel)))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let place = |path: &[Channel]| all.binary_search(&state(path)).ok();
    let size = all.len();
    let (mut counts, mut out, mut begin) = (vec![vec![0.0; size + 1]; size], vec![0.0; size], vec![0.0; size]);
    for (path, outcome) in rows {
        let journeys = f64::from(i32::try_from(outcome.conversions + outcome.nulls).unwrap());
        for end in 1..=path.len() {
            let Some(here) = place(&path[..end]) else { continue };
            out[here] += journeys;
            if end == 1 {
                begin[here] += journeys;
            }
            if end == path.len() {
                counts[here][size] += f64::from(i32::try_from(outcome.conversions).unwrap());
            } else if let Some(next) = place(&path[..=end]) {
                counts[here][next] += journeys;
            }
        }
    }
    // x = Qx + r, as rows of (I - Q | r).
    for (here, row) in counts.iter_mut().enumerate() {
        for (next, cell) in row.iter_mut().enumerate() {
            let chance = if out[here] > 0.0 { *cell / out[here] } else { 0.0 };
            *cell = if next == size { chance } else { f64::from(u8::from(here == next)) - chance };
        }
    }
    for pivot in 0..size {
        let best = (pivot..size).max_by(|a, b| counts[*a][pivot].abs().total_cmp(&counts[*b][pivot].abs())).unwrap();
        counts.swap(pivot, best);
        let top = counts[pivot].clone();
        for (_, row) in counts.iter_mut().enumerate().filter(|(place, _)| *place != pivot) {
            let times = row[pivot] / top[pivot];
            row.iter_mut().zip(&top).for_each(|(cell, above)| *cell -= times * above);
        }
    }
    (0..size).map(|here| begin[here] * counts[here][size] / counts[here][here]).sum()
}

fn whole(count: i128) -> f64 {
    f64::from(i32::try_from(count).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn effects_are_what_a_plain_solver_finds(rows in rows(), order in 1..=4_usize) {
        let effects = chain(order, &rows).effects();
        let all = converts_without(order, &rows, None);
        for channel in 0..5 {
            let expected = if all > 0.0 { 1.0 - converts_without(order, &rows, Some(channel)) / all } else { 0.0 };
            prop_assert!((effects.removal_effect(channel) - expected).abs() < 1e-9, "{} {}", effects.removal_effect(channel), expected);
        }
    }

    #[test]
    fn the_chain_converts_as_often_as_the_journeys_did(rows in rows(), order in 1..=4_usize) {
        let touched = || rows.iter().filter(|(path, _)| !path.is_empty()).map(|(_, outcome)| outcome);
        let conversions: i128 = touched().map(|outcome| outcome.conversions).sum();
        let journeys: i128 = touched().map(|outcome| outcome.conversions + outcome.nulls).sum();
        let observed = if journeys > 0 { whole(conversions) / whole(journeys) } else { 0.0 };
        prop_assert!((chain(order, &rows).effects().conversion_rate() - observed).abs() < 1e-12);
    }

    #[test]
    fn steps_to_the_same_channel_change_nothing(rows in rows(), times in prop::collection::vec(1..4_usize, 7)) {
        let repeated: Vec<Row> = rows
            .iter()
            .map(|(path, outcome)| {
                (path.iter().zip(&times).flat_map(|(channel, times)| vec![*channel; *times]).collect(), *outcome)
            })
            .collect();
        let (one, other) = (chain(1, &rows).effects(), chain(1, &repeated).effects());
        for channel in 0..5 {
            prop_assert!((one.removal_effect(channel) - other.removal_effect(channel)).abs() < 1e-12);
        }
    }

    #[test]
    fn a_long_memory_counts_who_took_part(rows in rows()) {
        let cut = |(path, outcome): Row| (path.into_iter().take(4).collect(), outcome);
        let mut short: Vec<Row> = rows.into_iter().map(cut).collect();
        // Where a path is the beginning of another the chain mixes what follows; without, it is the journeys themselves.
        let paths: BTreeSet<Vec<Channel>> = short.iter().map(|(path, _)| path.clone()).collect();
        short.retain(|(path, _)| !paths.iter().any(|other| path != other && other.starts_with(path)));
        let effects = chain(4, &short).effects();
        let conversions = |channel: Option<Channel>| -> i128 {
            let counted = short.iter().filter(|(path, _)| channel.map_or(!path.is_empty(), |channel| path.contains(&channel)));
            counted.map(|(_, outcome)| outcome.conversions).sum()
        };
        for channel in 0..5 {
            let all = conversions(None);
            let expected = if all > 0 { whole(conversions(Some(channel))) / whole(all) } else { 0.0 };
            prop_assert!((effects.removal_effect(channel) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn neither_order_nor_division_of_journeys_changes_a_bit(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        order in 1..=4_usize,
        cut in 0..12_usize,
    ) {
        let one = chain(order, &rows).effects();
        let cut = cut.min(shuffled.len());
        let renumbered: Vec<Row> =
            shuffled[cut..].iter().map(|(path, outcome)| (path.iter().map(|channel| 4 - channel).collect(), *outcome)).collect();
        let mut other = chain(order, &shuffled[..cut]);
        other.merge(&chain(order, &renumbered), &[4, 3, 2, 1, 0]);
        let other = other.effects();
        for channel in 0..5 {
            prop_assert_eq!(one.removal_effect(channel).to_bits(), other.removal_effect(channel).to_bits());
        }
        prop_assert_eq!(one.conversion_rate().to_bits(), other.conversion_rate().to_bits());
    }

    #[test]
    fn a_journey_taken_back_was_never_there(rows in rows(), extra in prop::collection::vec(0..5_u32, 1..7), order in 1..=4_usize) {
        let outcome = Outcome { conversions: 3, value: 70, nulls: 2 };
        let mut changed = chain(order, &rows);
        changed.add(extra.iter().copied(), outcome);
        changed.add(extra.iter().copied(), Outcome { conversions: -3, value: -70, nulls: -2 });
        let (one, other) = (chain(order, &rows).effects(), changed.effects());
        for channel in 0..5 {
            prop_assert!((one.removal_effect(channel) - other.removal_effect(channel)).abs() < 1e-13);
        }
    }
}
