//! Totals over many journeys: exact, and the same however they are read.

use attribution::tally::{Measure, Rounded, Tally};
use attribution::{Channel, Journey, Model, Outcome, PathStep, Touch, credit};
use proptest::prelude::*;

const UNIT: i128 = 1_000_000_000_000;

type Row = (Vec<Channel>, Outcome);

fn row(path: &[Channel], conversions: i128, value: i128, nulls: i128) -> Row {
    (path.to_vec(), Outcome { conversions: conversions * UNIT, value: value * UNIT, nulls: nulls * UNIT })
}

fn touches(path: &[Channel]) -> Vec<Touch> {
    path.iter().zip(1..).map(|(channel, at)| Touch { direct: *channel == 0, ..Touch::new(0, *channel, at) }).collect()
}

fn tally(measures: &[Measure], rows: &[Row]) -> Tally {
    let mut tally = Tally::new(measures).unwrap();
    tally.make_room(5);
    for (path, outcome) in rows {
        tally.record(&touches(path), 1_000, outcome);
    }
    tally
}

fn totals(measure: &str, rows: &[Row], decimals: u32) -> (Vec<Rounded>, Rounded) {
    tally(&[measure.parse().unwrap()], rows).finish().unwrap()[0].rounded(decimals)
}

fn check(measure: &str, rows: &[Row], expected: &[(i128, i128)]) {
    let (channels, rest) = totals(measure, rows, 2);
    let numbers: Vec<_> = channels.iter().chain([&rest]).map(|part| (part.conversions, part.value)).collect();
    assert_eq!(numbers, expected, "{measure}");
}

#[test]
fn totals_by_channel() {
    let rows = [row(&[1, 2], 1, 100, 3), row(&[3], 2, 50, 0), row(&[], 1, 7, 9), row(&[2, 2, 1], 0, -30, 0)];
    check("first", &rows, &[(0, 0), (100, 10_000), (0, -3_000), (200, 5_000), (0, 0), (100, 700)]);
    check("linear", &rows, &[(0, 0), (50, 4_000), (50, 3_000), (200, 5_000), (0, 0), (100, 700)]);
    check("shapley", &rows, &[(0, 0), (50, 3_500), (50, 3_500), (200, 5_000), (0, 0), (100, 700)]);
    check("participation", &rows, &[(0, 0), (100, 7_000), (100, 7_000), (200, 5_000), (0, 0), (100, 700)]);
}

#[test]
fn markov_divides_conversions_and_value_apart() {
    let rows = [row(&[1, 2], 1, 900, 0), row(&[3], 2, 100, 0)];
    check("markov", &rows, &[(0, 0), (75, 47_369), (75, 47_368), (150, 5_263), (0, 0), (0, 0)]);
    let refunded = [row(&[1, 2], 1, -900, 0), row(&[3], 2, 100, 0)];
    check("markov:2", &refunded, &[(0, 0), (75, -45_000), (75, -45_000), (150, 10_000), (0, 0), (0, 0)]);
    let nulls = [row(&[1, 2], 0, 0, 4)];
    check("markov", &nulls, &[(0, 0); 6]);
    let value_alone = [row(&[1, 2], 0, 5, 4)];
    check("markov", &value_alone, &[(0, 0), (0, 250), (0, 250), (0, 0), (0, 0), (0, 0)]);
}

#[test]
fn very_many_channels_share_alike() {
    let wide: Vec<Channel> = (0..90).chain(0..30).collect();
    let narrow: Vec<Channel> = (0..60).collect();
    let rows = [row(&wide, 9, 900, 0), row(&narrow, 6, -60, 1)];
    let (channels, rest) = totals("shapley", &rows, 2);
    let number = |channel: usize| (channels[channel].conversions, channels[channel].value);
    assert_eq!((number(0), number(59), number(60), number(89)), ((20, 900), (20, 900), (10, 1_000), (10, 1_000)));
    assert_eq!(rest, Rounded::default());
}

#[test]
fn names_read_back_as_they_print() {
    for name in ["markov:1", "markov:4", "participation", "linear", "time-decay:3600s"] {
        assert_eq!(name.parse::<Measure>().unwrap().to_string(), name);
    }
    for name in ["markov:0", "markov:5", "markov:x", "participation:1"] {
        assert!(name.parse::<Measure>().is_err(), "{name}");
    }
}

#[test]
fn amounts_too_large_to_add_up_exactly_are_refused() {
    let huge = row(&[1], 1, 9_000_000_000_000_000, 0);
    assert!(tally(&["linear".parse().unwrap()], &vec![huge; 5]).finish().is_err());
}

fn measure() -> impl Strategy<Value = Measure> {
    let names = Model::PRESETS.map(Measure::Rule).to_vec();
    prop_oneof![
        4 => prop::sample::select(names),
        2 => (1..=4_usize).prop_map(|order| Measure::Markov { order }),
        1 => Just(Measure::Participation),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let amount = prop_oneof![0..4_i128, -100_000..100_000_i128];
    let path = prop::collection::vec(0..5_u32, 0..8);
    let row = (path, 0..1_000_i128, amount, 0..5_i128).prop_map(|(path, conversions, value, nulls)| {
        (path, Outcome { conversions: conversions * UNIT / 8, value: value * UNIT / 1_000, nulls: nulls * UNIT })
    });
    prop::collection::vec(row, 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn columns_add_up_to_the_total(measure in measure(), rows in rows(), decimals in 3..=12_u32) {
        prop_assume!(measure != Measure::Participation);
        let totals = tally(std::slice::from_ref(&measure), &rows).finish().unwrap();
        let (channels, rest) = totals[0].rounded(decimals);
        let unit = 10_i128.pow(12 - decimals);
        let sum = |amount: fn(&Rounded) -> i128| channels.iter().chain([&rest]).map(amount).sum::<i128>() * unit;
        prop_assert_eq!(sum(|part| part.conversions), rows.iter().map(|(_, outcome)| outcome.conversions).sum::<i128>());
        prop_assert_eq!(sum(|part| part.value), rows.iter().map(|(_, outcome)| outcome.value).sum::<i128>());
    }

    #[test]
    fn threads_and_order_change_nothing(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        measures in prop::collection::vec(measure(), 1..4),
        cut in 0..14_usize,
    ) {
        let whole = tally(&measures, &rows);
        let cut = cut.min(rows.len());
        let mut parts = tally(&measures, &shuffled[..cut]);
        parts.merge(&tally(&measures, &shuffled[cut..]), &[0, 1, 2, 3, 4]);
        for (one, other) in whole.finish().unwrap().iter().zip(parts.finish().unwrap()) {
            prop_assert_eq!(one.rounded(12), other.rounded(12));
        }
    }

    #[test]
    fn a_path_is_its_touches_without_times(measures in prop::collection::vec(measure(), 1..4), rows in rows()) {
        prop_assume!(!measures.iter().any(|measure| measure.to_string().starts_with("time-decay")));
        let mut paths = tally(&measures, &[]);
        for (path, outcome) in &rows {
            let steps = path.iter().map(|channel| PathStep { channel: *channel, direct: *channel == 0 });
            paths.record(&steps.collect::<Vec<_>>(), 0, outcome);
        }
        for (one, other) in tally(&measures, &rows).finish().unwrap().iter().zip(paths.finish().unwrap()) {
            prop_assert_eq!(one.rounded(12), other.rounded(12));
        }
    }

    #[test]
    fn a_total_is_the_sum_of_its_deals(model in prop::sample::select(Model::PRESETS.to_vec()), rows in rows()) {
        let totals = tally(&[Measure::Rule(model.clone())], &rows).finish().unwrap();
        let (channels, _) = totals[0].rounded(12);
        for (place, rounded) in channels.iter().enumerate() {
            let mut value = 0_i128;
            for (path, outcome) in &rows {
                let journey = Journey::won(touches(path), i64::try_from(outcome.value).unwrap(), 1_000);
                let parts = credit(&model, &journey, None).parts;
                value += parts
                    .iter()
                    .filter(|part| journey.touches()[part.touch].channel as usize == place)
                    .map(|part| i128::from(part.amount))
                    .sum::<i128>();
            }
            // A deal's parts are whole units; the total is not rounded before the last step.
            prop_assert!((value - rounded.value).abs() <= 60, "{} {}", value, rounded.value);
        }
    }
}
