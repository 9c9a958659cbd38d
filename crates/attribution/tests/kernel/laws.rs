//! Laws that hold for every model and any journey.

use std::collections::BTreeMap;
use std::time::Duration;

use attribution::{Journey, Milestone, MilestoneWeights, Milestones, Model, PositionWeights, Touch, credit, split};
use proptest::prelude::*;

fn touch() -> impl Strategy<Value = Touch> {
    let when = prop_oneof![0..5_i64, 0..40_000_000_i64, any::<i32>().prop_map(i64::from)];
    (when, 0..3_u8, 0..6_u128, 0..5_u32, any::<bool>(), any::<bool>(), 0..256_u32).prop_map(
        |(at, rank, id, channel, direct, response, marks)| {
            let marked = |milestone: &Milestone| marks & (1 << milestone.number()) != 0;
            let milestones: Milestones = (0..8).filter_map(Milestone::numbered).filter(marked).collect();
            Touch { at, rank, id, channel, direct, response, milestones }
        },
    )
}

fn journey() -> impl Strategy<Value = Journey> {
    let value = prop_oneof![Just(0), -300..300_i64, any::<i64>()];
    (prop::collection::vec(touch(), 0..9), value, -10..50_000_000_i64)
        .prop_map(|(touches, value, converted_at)| Journey::won(touches, value, converted_at))
}

fn model() -> impl Strategy<Value = Model> {
    let position = (0..=100_u32, 0..=100_u32, 1..=100_u32)
        .prop_map(|(first, middle, last)| Model::CustomPosition(PositionWeights::new(first, middle, last).unwrap()));
    let listed = prop::collection::vec((0..9_u8, 0..=10_000_u32), 0..5);
    let milestones = (listed, 1..=100_u32).prop_map(|(listed, others)| {
        let numbered = |(number, weight)| (Milestone::numbered(number).unwrap(), weight);
        Model::Milestones(MilestoneWeights::new(&listed.into_iter().map(numbered).collect::<Vec<_>>(), others).unwrap())
    });
    let decay = (0..5_000_000_u64).prop_map(|secs| Model::TimeDecay { half_life: Duration::from_secs(secs) });
    prop_oneof![4 => prop::sample::select(Model::PRESETS.to_vec()), 1 => position, 1 => milestones, 1 => decay]
}

fn lookback() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of((0..50_000_000_u64).prop_map(Duration::from_secs))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn parts_add_up_to_the_amount(model in model(), journey in journey(), lookback in lookback()) {
        let credits = credit(&model, &journey, lookback);
        let sum: i128 = credits.parts.iter().map(|part| i128::from(part.amount)).sum();
        prop_assert_eq!(sum + i128::from(credits.unattributed), i128::from(journey.value()));
        prop_assert_eq!(credits.parts.len(), journey.window(lookback).len());
        if !credits.parts.is_empty() {
            prop_assert_eq!(credits.unattributed, 0);
            let weights: u128 = credits.parts.iter().map(|part| u128::from(part.share.weight)).sum();
            prop_assert!(credits.parts.iter().all(|part| part.share.of == weights));
        }
    }

    #[test]
    fn every_part_is_within_one_unit_of_its_share(model in model(), journey in journey()) {
        for part in credit(&model, &journey, None).parts {
            let exact = i128::from(journey.value()) * i128::from(part.share.weight);
            let scaled = i128::from(part.amount) * i128::try_from(part.share.of).unwrap_or(i128::MAX);
            // The products stay below 2^127 for the weights of rational models; time decay's may not.
            if part.share.of < 1 << 62 {
                prop_assert!((exact - scaled).unsigned_abs() < part.share.of);
            }
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(
        (rows, shuffled) in prop::collection::vec(touch(), 0..9).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        model in model(),
        value in any::<i64>(),
    ) {
        let one = Journey::won(rows, value, 30_000_000);
        let other = Journey::won(shuffled, value, 30_000_000);
        prop_assert_eq!(credit(&model, &one, None), credit(&model, &other, None));
    }

    #[test]
    fn a_refund_mirrors_the_sale(model in model(), journey in journey(), lookback in lookback()) {
        prop_assume!(journey.value() != i64::MIN);
        let refund = Journey::won(journey.touches().to_vec(), -journey.value(), journey.converted_at().unwrap());
        let (sale, refund) = (credit(&model, &journey, lookback), credit(&model, &refund, lookback));
        prop_assert_eq!(sale.unattributed, -refund.unattributed);
        for (sold, refunded) in sale.parts.iter().zip(&refund.parts) {
            prop_assert_eq!((sold.touch, sold.share, sold.amount), (refunded.touch, refunded.share, -refunded.amount));
        }
    }

    #[test]
    fn channels_add_up_to_deals(model in model(), journeys in prop::collection::vec(journey(), 0..6)) {
        let mut channels: BTreeMap<Option<u32>, i128> = BTreeMap::new();
        for journey in &journeys {
            let credits = credit(&model, journey, None);
            *channels.entry(None).or_default() += i128::from(credits.unattributed);
            for part in credits.parts {
                *channels.entry(Some(journey.touches()[part.touch].channel)).or_default() += i128::from(part.amount);
            }
        }
        let deals: i128 = journeys.iter().map(|journey| i128::from(journey.value())).sum();
        prop_assert_eq!(channels.values().sum::<i128>(), deals);
    }

    #[test]
    fn a_split_is_exact_whatever_the_weights(amount in any::<i64>(), weights in prop::collection::vec(any::<u64>(), 1..9)) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let parts = split(amount, &weights).unwrap();
        prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(amount));
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(*weight > 0 || *part == 0);
        }
    }
}
