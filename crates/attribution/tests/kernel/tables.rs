//! One line a case: the weights each model publishes, for 1, 2, 3 and 5 touches and for every edge.

use std::time::Duration;

use attribution::{
    Credits, Journey, Milestone, MilestoneWeights, Milestones, Model, PositionWeights, Touch, credit, parse_duration,
    participation,
};

const DAY: i64 = 86_400;
const CLOSE: i64 = 1_000 * DAY;

/// A touch per letter, a day apart, the last a day before the close: `x` an answer, `d` the vendor's own, `-` not an
/// answer; `F`, `L`, `O`, `C` answers that reached a milestone, `D` a demo, `B` both lead and opportunity creation.
fn journey(touches: &str, value: i64) -> Journey {
    let count = i64::try_from(touches.len()).unwrap();
    let touches = touches.chars().zip(0_u32..).map(|(kind, place)| {
        let at = CLOSE - (count - i64::from(place)) * DAY;
        let milestones: Milestones = match kind {
            'F' => [Milestone::FIRST_TOUCH].into_iter().collect(),
            'L' => [Milestone::LEAD_CREATION].into_iter().collect(),
            'O' => [Milestone::OPPORTUNITY_CREATION].into_iter().collect(),
            'C' => [Milestone::CLOSE].into_iter().collect(),
            'D' => [Milestone::DEMO].into_iter().collect(),
            'B' => [Milestone::LEAD_CREATION, Milestone::OPPORTUNITY_CREATION].into_iter().collect(),
            _ => Milestones::NONE,
        };
        Touch { direct: kind == 'd', response: kind != '-', milestones, ..Touch::new(place.into(), place, at) }
    });
    Journey::won(touches.collect(), value, CLOSE)
}

fn amounts(credits: &Credits) -> Vec<i64> {
    credits.parts.iter().map(|part| part.amount).collect()
}

fn check(model: &str, cases: &[(&str, &[i64])]) {
    let model: Model = model.parse().unwrap();
    for (touches, expected) in cases {
        let credits = credit(&model, &journey(touches, 10_000), None);
        assert_eq!(amounts(&credits), *expected, "{model} of {touches}");
        assert_eq!(credits.unattributed, 0, "{model} of {touches}");
    }
}

#[test]
fn one_touch_takes_all() {
    check(
        "first",
        &[("x", &[10_000]), ("xx", &[10_000, 0]), ("xxx", &[10_000, 0, 0]), ("xxxxx", &[10_000, 0, 0, 0, 0])],
    );
    check(
        "last",
        &[("x", &[10_000]), ("xx", &[0, 10_000]), ("xxx", &[0, 0, 10_000]), ("xxxxx", &[0, 0, 0, 0, 10_000])],
    );
    check(
        "last-non-direct",
        &[
            ("x", &[10_000]),
            ("d", &[10_000]),
            ("xd", &[10_000, 0]),
            ("dx", &[0, 10_000]),
            ("dd", &[0, 10_000]),
            ("xxd", &[0, 10_000, 0]),
            ("xdxdd", &[0, 0, 10_000, 0, 0]),
        ],
    );
}

#[test]
fn every_touch_alike() {
    check(
        "linear",
        &[
            ("x", &[10_000]),
            ("xx", &[5_000, 5_000]),
            ("xxx", &[3_334, 3_333, 3_333]),
            ("xxxxx", &[2_000, 2_000, 2_000, 2_000, 2_000]),
        ],
    );
}

#[test]
fn positions() {
    check(
        "position-40-20-40",
        &[
            ("x", &[10_000]),
            ("xx", &[5_000, 5_000]),
            ("xxx", &[4_000, 2_000, 4_000]),
            ("xxxxx", &[4_000, 667, 667, 666, 4_000]),
        ],
    );
    check("u-shaped", &[("xxx", &[4_000, 2_000, 4_000])]);
    check(
        "j-shaped",
        &[
            ("x", &[10_000]),
            ("xx", &[2_500, 7_500]),
            ("xxx", &[2_000, 2_000, 6_000]),
            ("xxxxx", &[2_000, 667, 667, 666, 6_000]),
        ],
    );
    check(
        "inverse-j",
        &[
            ("x", &[10_000]),
            ("xx", &[7_500, 2_500]),
            ("xxx", &[6_000, 2_000, 2_000]),
            ("xxxxx", &[6_000, 667, 667, 666, 2_000]),
        ],
    );
    check(
        "custom-position:3/5/2",
        &[
            ("x", &[10_000]),
            ("xx", &[6_000, 4_000]),
            ("xxx", &[3_000, 5_000, 2_000]),
            ("xxxxx", &[3_000, 1_667, 1_667, 1_666, 2_000]),
        ],
    );
    // Only the middle is rewarded: of two touches neither is the middle, so they are alike.
    check("custom-position:0/1/0", &[("x", &[10_000]), ("xx", &[5_000, 5_000]), ("xxx", &[0, 10_000, 0])]);
    check("custom-position:0/0/1", &[("xx", &[0, 10_000]), ("xxx", &[0, 0, 10_000])]);
}

#[test]
fn milestones() {
    check(
        "u-marketo",
        &[
            ("x", &[10_000]),
            ("xL", &[5_000, 5_000]),
            ("Lx", &[10_000, 0]),
            ("xxL", &[5_000, 0, 5_000]),
            ("xxLxx", &[5_000, 0, 5_000, 0, 0]),
            ("xxx", &[10_000, 0, 0]), // no lead creation: its weight goes to the first touch
        ],
    );
    check(
        "u-hubspot",
        &[
            ("x", &[10_000]),
            ("xL", &[5_000, 5_000]), // no others: the 20 are spread evenly over both
            ("xxL", &[4_000, 2_000, 4_000]),
            ("xxLxx", &[4_000, 667, 4_000, 667, 666]),
            ("x-L", &[5_000, 0, 5_000]), // only answers share the rest
            ("xx", &[8_000, 2_000]),
        ],
    );
    check(
        "w-shaped",
        &[
            ("x", &[10_000]),
            ("xLO", &[3_334, 3_333, 3_333]), // a third each
            ("xLxOx", &[3_000, 3_000, 500, 3_000, 500]),
            ("LxO", &[6_000, 1_000, 3_000]), // the first touch created the lead: their sum
            ("LO", &[6_667, 3_333]),
            ("BxO", &[6_000, 1_000, 3_000]), // of two marked the most recent creates the opportunity
            ("LxLxO", &[6_000, 334, 333, 333, 3_000]), // of two form fills the first creates the lead
            ("xLx", &[4_500, 4_500, 1_000]), // no opportunity: its 30 go to the other milestones
            ("xxx", &[9_000, 500, 500]),
            ("xFLO", &[1_000, 3_000, 3_000, 3_000]), // the first touch as marked
        ],
    );
    check(
        "full-path",
        &[
            ("x", &[10_000]),
            ("xLOC", &[2_500, 2_500, 2_500, 2_500]),
            ("xLOx", &[2_500, 2_500, 2_500, 2_500]), // nobody is marked: the last touch closed
            ("xLxOC", &[2_250, 2_250, 1_000, 2_250, 2_250]),
            ("xx", &[5_000, 5_000]),
            ("xxx", &[4_500, 1_000, 4_500]),
            ("LO", &[5_000, 5_000]), // first touch and lead; opportunity and close
        ],
    );
    check(
        "milestones:demo=50/others=50",
        &[
            ("xDx", &[2_500, 5_000, 2_500]),
            ("xxx", &[3_334, 3_333, 3_333]),
            ("-xx", &[0, 5_000, 5_000]),
            ("--", &[5_000, 5_000]),
        ],
    );
}

#[test]
fn time_decay_counts_age_and_never_underflows() {
    check("time-decay:1d", &[("x", &[10_000]), ("xx", &[3_333, 6_667]), ("xxx", &[1_429, 2_857, 5_714])]);
    let old = vec![Touch::new(1, 1, 0), Touch::new(2, 2, 7 * DAY)];
    let credits =
        credit(&Model::TimeDecay { half_life: Model::HALF_LIFE }, &Journey::won(old, 300, 90_000 * DAY), None);
    assert_eq!(amounts(&credits), [100, 200], "far older than 2^-1074 of a half-life");
    let none = credit(&Model::TimeDecay { half_life: Duration::ZERO }, &journey("xxx", 100), None);
    assert_eq!(amounts(&none), [0, 0, 100], "a half-life of zero leaves the newest");
}

#[test]
fn the_published_example() {
    let touches: Vec<Touch> =
        [9, 6, 0, 0].iter().zip(1_u32..).map(|(days, id)| Touch::new(id.into(), id, CLOSE - days * DAY)).collect();
    let journey = Journey::won(touches, 5_000, CLOSE);
    let cases =
        [("time-decay", [692, 932, 1_688, 1_688]), ("j-shaped", [1_000, 500, 500, 3_000]), ("linear", [1_250; 4])];
    for (model, expected) in cases {
        assert_eq!(amounts(&credit(&model.parse().unwrap(), &journey, None)), expected, "{model}");
    }
}

#[test]
fn a_channel_of_a_journey_takes_an_equal_part() {
    let touches = [(1, 7), (2, 8), (3, 7), (4, 7)].map(|(id, channel)| Touch::new(id, channel, DAY));
    let credits = credit(&Model::Shapley, &Journey::won(touches.to_vec(), 6_000, DAY), None);
    assert_eq!(amounts(&credits), [1_000, 3_000, 1_000, 1_000]);
}

#[test]
fn only_the_window_earns() {
    let two_days = Some(Duration::from_hours(48));
    let credits = credit(&Model::First, &journey("xxx", 100), two_days);
    assert_eq!(credits.parts.iter().map(|part| part.touch).collect::<Vec<_>>(), [1, 2], "the oldest is exactly inside");
    assert_eq!(amounts(&credits), [100, 0]);
    let late = Journey::won(vec![Touch::new(1, 1, CLOSE + 1)], 100, CLOSE);
    assert_eq!(credit(&Model::Last, &late, None).unattributed, 100, "a touch after the close earns nothing");
    let none = credit(&Model::Linear, &journey("xxx", 100), Some(Duration::ZERO));
    assert_eq!((none.parts.len(), none.unattributed), (0, 100));
}

#[test]
fn journeys_without_touches_or_without_outcome() {
    for model in Model::PRESETS {
        let empty = credit(&model, &Journey::won(Vec::new(), -250, CLOSE), None);
        assert_eq!((empty.parts.len(), empty.unattributed), (0, -250), "{model}");
        let null = credit(&model, &Journey::null(vec![Touch::new(1, 1, 0)]), None);
        assert_eq!((null.parts.len(), null.unattributed), (0, 0), "{model}");
    }
}

#[test]
fn ties_go_by_stage_then_id() {
    let touch = |id, rank| Touch { rank, ..Touch::new(id, 0, 5) };
    let journey = Journey::won(vec![touch(3, 1), touch(2, 2), touch(9, 1)], 100, 5);
    assert_eq!(journey.touches().iter().map(|touch| touch.id).collect::<Vec<_>>(), [3, 9, 2]);
}

#[test]
fn participation_names_each_channel_once_and_the_outcome_once() {
    let touches = [(1, 7), (2, 8), (3, 7)].map(|(id, channel)| Touch::new(id, channel, DAY));
    let taken = participation(&Journey::won(touches.to_vec(), 6_000, DAY), None);
    assert_eq!((taken.channels, taken.value), (vec![7, 8], 6_000));
}

#[test]
fn reasons_in_words() {
    let cases = [
        ("first", "x", 0, "100 %: the only touch"),
        ("first", "xx", 0, "100 %: first touch"),
        ("first", "xx", 1, "0 %: no position this model rewards"),
        ("last-non-direct", "xd", 0, "100 %: last touch by a partner"),
        ("last-non-direct", "dd", 1, "100 %: last touch, and no partner touched"),
        ("linear", "xxx", 2, "33.33 %: one of 3 touches, all alike"),
        ("position-40-20-40", "xxx", 1, "20 %: the touch in the middle"),
        ("position-40-20-40", "xxxx", 1, "10 %: one of 2 touches in the middle"),
        ("time-decay", "xx", 0, "47.53 %: 2 days before the conversion, half-life 7 days"),
        ("full-path", "BxC", 0, "67.5 %: first touch, lead creation and opportunity creation"),
        ("full-path", "BxC", 1, "10 %: the one other response"),
        ("shapley", "xx", 0, "50 %: one of 2 channels"),
    ];
    for (model, touches, place, words) in cases {
        let credits = credit(&model.parse().unwrap(), &journey(touches, 100), None);
        assert_eq!(credits.parts[place].to_string(), words, "{model} of {touches}");
    }
}

#[test]
fn names_read_back_as_they_print() {
    for model in Model::PRESETS {
        assert_eq!(model.to_string().parse(), Ok(model));
    }
    for text in ["time-decay:14d", "custom-position:33.4/33.2/33.4", "milestones:demo=30.5/close=20/others=49.5"] {
        let model: Model = text.parse().unwrap();
        assert_eq!(model.to_string().parse(), Ok(model), "{text}");
    }
    assert_eq!("milestones:demo=30.5/others=9".parse::<Model>().unwrap().to_string(), "milestones:demo=30.5/others=9");
    let refused = [
        "",
        "u",
        "linear:2",
        "custom-position",
        "custom-position:1/2",
        "custom-position:0/0/0",
        "custom-position:1/-2/3",
        "custom-position:1/./3",
        "milestones",
        "milestones:",
        "milestones:nonsense=1",
        "milestones:demo=9999999",
        "time-decay:7",
        "time-decay:d",
        "time-decay:-7d",
        "time-decay:7é",
    ];
    for text in refused {
        assert!(text.parse::<Model>().is_err(), "{text}");
    }
    assert!(PositionWeights::new(0, 0, 0).is_err());
    assert!(MilestoneWeights::new(&[], 0).is_err());
    assert_eq!(parse_duration("2w"), Ok(Duration::from_hours(336)));
}
