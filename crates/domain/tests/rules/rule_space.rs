//! The rest of the rule space: what must hold of every guide and every case, whatever their numbers.

use crate::story;
use chrono::Days;
use domain::calendar::{Count, is_business_day};
use domain::ledger::{Account, Balance, Book};
use domain::money::{Currency, Money};
use domain::policy::rules::{self, Claimed, ClaimedActivity, ClaimedLine, Costed, Lot, Window};
use domain::policy::{
    Band, BandRole, Below, Cap, Earning, Figure, Judgement, Late, LeadTime, Per, Policy, Rate, Shared, Split, changes,
};
use domain::{Date, ids::FundId, ids::PartnerId};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

fn emea() -> Policy {
    Policy::load(story::EMEA).expect("the shipped guide")
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

/// A day of the years 2025 to 2028.
fn a_day() -> impl Strategy<Value = Date> {
    (0_u64..1_460).prop_map(|days| story::day("2025-01-01") + Days::new(days))
}

/// A share from 1 % to 100 %.
fn a_share() -> impl Strategy<Value = Decimal> {
    (1_i64..=100).prop_map(|percent| Decimal::new(percent, 2))
}

/// Bands of rising amounts, each from right above the one before.
fn with_bands(from: &[i64]) -> Policy {
    let band = |(index, from): (usize, &i64)| Band {
        level: u8::try_from(index + 1).expect("few levels"),
        from: Decimal::new(*from, 2),
        to: None,
        role: BandRole::Approver,
        name: format!("Level {}", index + 1),
        sla_days: 5,
        stand_in: None,
        countries: Vec::new(),
        currency: None,
    };
    Policy { approval: from.iter().enumerate().map(band).collect(), ..emea() }
}

fn claim(lines: Vec<(u16, i64)>, left: &[i64], is_final: bool) -> Claimed {
    let activity = |(no, left): (u16, &i64)| ClaimedActivity {
        no,
        name: format!("Activity {no}"),
        kind: Some("event".to_owned()),
        starts: Some(story::day("2026-05-05")),
        left: Some(*left),
        lines: lines
            .iter()
            .filter(|(of, _)| *of == no)
            .map(|(_, minor)| ClaimedLine {
                name: "Hall".to_owned(),
                category: Some("venue".to_owned()),
                actual: money(*minor),
                units: None,
            })
            .collect(),
        ..ClaimedActivity::default()
    };
    Claimed {
        name: "Spring".to_owned(),
        currency: Currency::EUR,
        tier: None,
        accrual: None,
        is_final,
        activities: (1..).zip(left).map(activity).collect(),
    }
}

proptest! {
    /// Asked on its last day a request is in time; the day after it never is. Only days that count are counted.
    #[test]
    fn the_last_day_to_ask_is_the_last(starts in a_day(), days in 0_u16..60, business: bool, holidays in proptest::collection::vec(a_day(), 0..8)) {
        let count = if business { Count::Business } else { Count::Calendar };
        let mut policy = Policy { lead_time: LeadTime { days, count, late: Late::Refused }, ..emea() };
        policy.holidays[0].days.clone_from(&holidays);
        let last = policy.last_day_to_ask(starts, "DE");
        prop_assert!(last <= starts);
        let counted = (1..=(starts - last).num_days())
            .map(|back| starts - chrono::TimeDelta::days(back))
            .filter(|day| count == Count::Calendar || is_business_day(*day, &holidays))
            .count();
        prop_assert_eq!(counted, usize::from(days));
        prop_assert!(policy.last_day_to_ask(starts + Days::new(1), "DE") >= last, "a later start asks no earlier");
        prop_assert!(policy.last_day_to_ask(starts, "US") >= last, "holidays only move it earlier");
    }

    /// A claim pays no more than its share, no more than was approved, and with what is released exactly that.
    #[test]
    fn a_claim_never_pays_more_than_approved_or_its_share(
        lines in proptest::collection::vec((1_u16..4, 1_i64..2_000_000), 1..12),
        left in proptest::collection::vec(0_i64..1_500_000, 3),
        share in a_share(),
        is_final: bool,
    ) {
        let mut policy = emea();
        policy.share.default = share;
        policy.share.rate.clear();
        let claimed = claim(lines.clone(), &left, is_final);
        let (pays, verdicts) = rules::pays(&policy, &claimed);
        let actual: i64 = lines.iter().map(|(_, minor)| minor).sum();
        let approved: i64 = left.iter().sum();
        prop_assert!(pays.minor <= approved);
        prop_assert!(Decimal::from(pays.minor) <= Decimal::from(actual) * share);
        let each = rules::payable(&policy, &claimed);
        prop_assert_eq!(each.iter().map(|line| line.pays.minor).sum::<i64>(), pays.minor);
        let said = verdicts.iter().find(|verdict| verdict.rule == "claim_amount").expect("an amount");
        let figure = |name: &str| match said.figures.get(name) {
            Some(Figure::Text(text)) => (text.parse::<Decimal>().expect("an amount") * Decimal::ONE_HUNDRED).try_into().expect("minor"),
            other => panic!("{name}: {other:?}"),
        };
        let (releases, over): (i64, i64) = (figure("releases"), figure("over"));
        prop_assert_eq!(releases, if is_final { approved - pays.minor } else { 0 });
        prop_assert_eq!(said.outcome == Judgement::Warn, over > 0 && pays.is_positive());
        for (no, left) in (1_u16..).zip(&left) {
            let of_it = claimed.activities.iter().flat_map(|activity| activity.lines.iter().map(move |_| activity.no)).zip(&each);
            let taken: i64 = of_it.filter(|(activity, _)| *activity == no).map(|(_, line)| line.pays.minor).sum();
            prop_assert!(taken <= *left, "activity {} takes another's money", no);
        }
    }

    /// Claiming in parts comes to no more than claiming at once, and never to more than a minor unit a part less.
    #[test]
    fn claiming_in_parts_brings_nothing_more(parts in proptest::collection::vec(1_i64..500_000, 1..8), approved in 1_i64..1_000_000) {
        let policy = emea();
        let at_once = rules::pays(&policy, &claim(vec![(1, parts.iter().sum())], &[approved], true)).0.minor;
        let mut left = approved;
        for part in &parts {
            left -= rules::pays(&policy, &claim(vec![(1, *part)], &[left], false)).0.minor;
        }
        let in_parts = approved - left;
        prop_assert!(in_parts <= at_once);
        prop_assert!(at_once - in_parts <= i64::try_from(parts.len()).expect("few"));
    }

    /// A cap only ever lowers what counts, by exactly what it says it cuts, and never lets through more than its limit.
    #[test]
    fn caps_cut_what_they_say(costs in proptest::collection::vec((1_u16..3, 1_i64..3_000_000), 1..8), heads in 0_u32..200, most in 1_i64..50_000, per in 0_usize..5) {
        let per = [Per::Head, Per::Unit, Per::Line, Per::Activity, Per::Request][per];
        let cap = Cap { name: "Cap".to_owned(), category: None, activity: None, most: Some(Decimal::new(most, 2)), per: Some(per), share: None, of: None };
        let policy = Policy { cap: vec![cap], ..emea() };
        let lines: Vec<Costed> = costs.iter().map(|(activity, minor)| Costed {
            activity: *activity,
            kind: Some("event".to_owned()),
            category: Some("venue".to_owned()),
            name: "Line".to_owned(),
            cost: money(*minor),
            counts: None,
            heads: Some(heads),
            units: Some(heads),
        }).collect();
        let (counts, _) = rules::counted(&policy, &lines, None);
        prop_assert!(lines.iter().zip(&counts).all(|(line, counts)| (0..=line.cost.minor).contains(&counts.minor)));
        let limit = most * if matches!(per, Per::Head | Per::Unit) { i64::from(heads) } else { 1 };
        match per {
            Per::Head | Per::Unit | Per::Line => prop_assert!(counts.iter().all(|counts| counts.minor <= limit)),
            Per::Activity => for no in 1..3 {
                let of_it = lines.iter().zip(&counts).filter(|(line, _)| line.activity == no);
                prop_assert!(of_it.map(|(_, counts)| counts.minor).sum::<i64>() <= limit);
            },
            Per::Request => prop_assert_eq!(
                counts.iter().map(|counts| counts.minor).sum::<i64>(),
                costs.iter().map(|(_, minor)| minor).sum::<i64>().min(limit)
            ),
        }
    }

    /// Every amount has level 1 and no level is skipped; more money never needs fewer people.
    #[test]
    fn every_amount_has_its_approvers(gaps in proptest::collection::vec(1_i64..5_000_000, 0..5), amount in 0_i64..30_000_000, more in 0_i64..1_000_000) {
        let mut from = vec![0];
        for gap in gaps {
            from.push(from.last().expect("one") + gap);
        }
        let policy = with_bands(&from);
        let levels = |minor: i64| -> Vec<u8> {
            let bands = policy.bands_for(Some("DE"), Currency::EUR).into_iter();
            bands.filter(|band| band.from <= money(minor).decimal()).map(|band| band.level).collect()
        };
        let here = levels(amount);
        prop_assert_eq!(here.clone(), (1..=u8::try_from(here.len()).expect("few")).collect::<Vec<_>>());
        prop_assert!(!here.is_empty() && levels(amount + more).len() >= here.len());
        prop_assert_eq!(here.len(), from.iter().filter(|from| **from <= amount).count());
        prop_assert_eq!(rules::bands(&policy, money(amount), None, None, &[]).outcome, Judgement::Pass);
    }

    /// The window's last day passes and the next one fails, however it was lengthened.
    #[test]
    fn a_claim_window_closes_on_its_last_day(ends in a_day(), first: bool, extended in 0_u16..60) {
        let policy = emea();
        let of = Window { name: "x".to_owned(), ends, period_ends: None, first: Some(first), extended, claimed_on: None };
        let last = of.last_day(&policy);
        let on = |day: Date| rules::window(&policy, &Window { claimed_on: Some(day), ..of.clone() }).outcome;
        prop_assert_eq!((on(last), on(last + Days::new(1))), (Judgement::Pass, Judgement::Fail));
        prop_assert_eq!((last - ends).num_days(), i64::from(extended) + if first { 35 } else { 30 });
        prop_assert!(policy.claim_reminders(ends, last).iter().all(|day| *day > ends && *day <= last));
    }

    /// A split adds up, whatever the shares; each part is within one minor unit of its share.
    #[test]
    fn a_split_adds_up(amount in 0_i64..100_000_000_000, cuts in proptest::collection::vec(1_u32..100, 1..6)) {
        let whole: u32 = cuts.iter().sum();
        let mut shares: Vec<Decimal> = cuts.iter().map(|cut| (Decimal::from(*cut) / Decimal::from(whole)).round_dp(6)).collect();
        let others: Decimal = shares[1..].iter().sum();
        shares[0] = Decimal::ONE - others;
        let split = shares.iter().enumerate().map(|(index, share)| Split { fund: index.to_string(), share: *share }).collect();
        let earning = Earning { rate: None, per_unit: None, from: None, to: None, accrual: Vec::new(), split, threshold: None, below: None };
        let parts = earning.split(money(amount));
        prop_assert_eq!(parts.iter().map(|(_, part)| part.minor).sum::<i64>(), amount);
        for ((_, part), share) in parts.iter().zip(&shares) {
            prop_assert!((Decimal::from(part.minor) - Decimal::from(amount) * share).abs() < Decimal::ONE);
        }
    }

    /// What is accrued becomes credit, is converted or is lost, and nothing else; from the threshold on it is all credit.
    #[test]
    fn an_accrual_goes_one_way(accrued in 0_i64..3_000_000, below in 0_usize..3) {
        let below = [Below::Convert, Below::Forfeit, Below::Keep][below];
        let earning = Earning { rate: Some(Decimal::new(2, 2)), per_unit: None, from: None, to: None, accrual: Vec::new(), split: Vec::new(), threshold: Some(Decimal::from(10_000)), below: Some(below) };
        let policy = Policy { earning: Some(earning), ..emea() };
        let verdict = rules::accrual_threshold(&policy, money(accrued));
        let sum: Decimal = ["converted", "forfeited", "balance"].iter().map(|name| match &verdict.figures[*name] {
            Figure::Text(text) => text.parse::<Decimal>().expect("an amount"),
            other => panic!("{other:?}"),
        }).sum();
        prop_assert_eq!(sum, money(accrued).decimal());
        prop_assert_eq!(verdict.outcome == Judgement::Pass, accrued >= 1_000_000 || below == Below::Keep);
    }

    /// The rule and the book take the same credit for the same amount, and nothing of what expires later is touched
    /// while something expires sooner.
    #[test]
    fn credit_is_spent_as_the_book_draws_it(lots in proptest::collection::vec((1_i64..100_000, proptest::option::of(a_day())), 1..8), wanted in 0_i64..400_000) {
        let mut unique: Vec<(i64, Option<Date>)> = Vec::new();
        for (minor, expires) in lots {
            if !unique.iter().any(|(_, known)| *known == expires) {
                unique.push((minor, expires));
            }
        }
        let lots: Vec<Lot> = unique.iter().map(|(minor, expires)| Lot { amount: money(*minor), expires: *expires }).collect();
        let (fund, partner) = (FundId(Uuid::from_u128(1)), PartnerId(Uuid::from_u128(2)));
        let balances = unique.iter().map(|(minor, expires)| Balance { account: Account::available(fund, partner, *expires), amount: money(*minor) });
        let book = Book { balances: balances.collect() };
        let drawn = book.draw(wanted, |_| true);
        let taken = rules::draw_order(&lots, wanted);
        prop_assert_eq!(drawn.is_some(), taken.is_some());
        if let (Some(drawn), Some(taken)) = (drawn, taken) {
            prop_assert_eq!(taken.iter().sum::<i64>(), wanted);
            for (lot, taken) in lots.iter().zip(&taken) {
                let of_it = drawn.iter().find(|(account, _)| account.lot == lot.expires).map_or(0, |(_, minor)| *minor);
                prop_assert_eq!(of_it, *taken);
            }
        }
    }

    /// The first rate that holds counts, and a rate that a season bounds holds on its first and last day and on no other side.
    #[test]
    fn a_rate_holds_inside_its_days_only(from in a_day(), length in 0_u64..200, day in a_day(), share in a_share()) {
        let to = from + Days::new(length);
        let rate = Rate { share, from: Some(from), to: Some(to), ..Rate::default() };
        let mut policy = emea();
        policy.share.rate = vec![rate];
        let here = policy.share_for(Shared { starts: Some(day), ..Shared::default() });
        prop_assert_eq!(here, if (from..=to).contains(&day) { share } else { policy.share.default });
        prop_assert_eq!(policy.share_for(Shared::default()), policy.share.default, "an unknown day is in no season");
    }

    /// A guide says the same of itself, and every changed share is told.
    #[test]
    fn a_changed_share_is_told(share in a_share()) {
        let (old, mut new) = (emea(), emea());
        prop_assert!(changes(&old, &new).is_empty());
        new.share.default = share;
        let told = changes(&old, &new);
        prop_assert_eq!(told.is_empty(), share == old.share.default);
        prop_assert!(told.iter().all(|change| change.subject == "What the program pays" && change.before.len() == 1 && change.after.len() == 1));
    }

    /// The loader answers any text, and any byte of a guide left out, with a guide or with lines that are there.
    #[test]
    fn the_loader_answers_whatever_it_is_given(at in 0_usize..20_000, gone in 1_usize..60, noise in "[\\[\\]=\"a-z0-9 \n.]{0,40}") {
        let at = story::EMEA.char_indices().map(|(index, _)| index).nth(at % story::EMEA.chars().count()).expect("a place");
        let rest: String = story::EMEA[at..].chars().skip(gone).collect();
        for text in [format!("{}{rest}", &story::EMEA[..at]), format!("{}{noise}{}", &story::EMEA[..at], &story::EMEA[at..])] {
            if let Err(problems) = Policy::load(&text) {
                let lines = text.lines().count() + 1;
                prop_assert!(!problems.is_empty() && problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
                prop_assert!(problems.iter().all(|problem| !problem.problem.is_empty()));
            }
        }
    }
}
