//! The program guide: its rules applied to requests, and guides that contradict themselves.

use crate::claims::proven_plan;
use crate::story::{self, Story, cents, eur, people};
use domain::cycle::{Partner, Stage};
use domain::money::Money;
use domain::policy::{Late, Policy, Rate, Share, Shared};
use domain::steps::s5_request::{self, Judgement, RequestDraft, judge};
use domain::steps::{s2_scorecard, s3_forecast, s7_execution};
use people::{ana, director, mia};

fn emea() -> Policy {
    Policy::load(story::EMEA).expect("the shipped guide")
}

fn partner_in(country: &str) -> Partner {
    Partner { country: country.to_owned(), ..Story::new().s.partner }
}

fn shared(policy: &Policy, partner: &Partner, kind: &str, day: &str) -> rust_decimal::Decimal {
    let starts = Some(story::day(day));
    policy.share_for(Shared { tier: Some(&partner.tier), activity: Some(kind), starts, sponsors: None })
}

#[test]
fn t04_the_last_day_to_ask_is_ten_business_days_ahead() {
    let policy = emea();
    assert_eq!(policy.last_day_to_ask(story::day("2025-06-16"), "ES"), story::day("2025-06-02"));
    // Whit Monday 2026 is a holiday in Germany, not in Spain.
    assert_eq!(policy.last_day_to_ask(story::day("2026-06-08"), "ES"), story::day("2026-05-25"));
    assert_eq!(policy.last_day_to_ask(story::day("2026-06-08"), "DE"), story::day("2026-05-22"));
}

#[test]
fn t04_later_needs_a_reason_or_is_refused_as_the_guide_says() {
    // The webinar starts on 5 May 2026; 1 May is a holiday: the last day to ask is 20 April.
    let mut story = story::request_draft();
    let draft = story::request(&story.s);
    let submit = |draft: &RequestDraft| s5_request::Command::Submit { draft: draft.clone() };
    let mut in_time = story.clone();
    in_time.on("2026-04-20").must(&ana(), submit(&draft));
    let refusal = story.on("2026-04-21").refuses(&ana(), submit(&draft), "lead_time");
    assert_eq!(
        refusal.reasons[0].why,
        "“The webinar of 2026-05-05” starts Tue 5 May 2026; the program asks for 10 business days, so the last day \
         to ask was Mon 20 April 2026."
    );
    assert_eq!(refusal.reasons[0].remedy, "Give a reason to ask late.");
    assert_eq!(refusal.reasons[0].field.as_deref(), Some("late_reason"));
    let late = RequestDraft { late_reason: "The speaker confirmed today".to_owned(), ..draft.clone() };
    let mut strict = story.clone();
    std::sync::Arc::make_mut(&mut strict.s.policy).lead_time.late = Late::Refused;
    strict.refuses(&ana(), submit(&late), "lead_time");
    story.must(&ana(), submit(&late));
    let kept = &story.s.cycle.request.submitted.as_ref().expect("submitted").verdicts;
    assert!(kept.iter().any(|verdict| verdict.rule == "lead_time" && verdict.outcome == Judgement::Warn));
}

#[test]
fn an_activity_nothing_is_asked_for_may_start_when_it_likes() {
    let mut story = story::request_draft();
    let mut draft = story::request(&story.s);
    draft.lines.retain(|line| line.activity == 2);
    story.on("2026-04-28").must(&ana(), s5_request::Command::Submit { draft });
}

#[test]
fn t20_from_fifteen_thousand_on_the_director_decides_as_well() {
    for (cost, levels) in [(cents(2_999_998), 1), (eur(30_000), 2)] {
        let mut story = proven_plan(emea(), cost);
        let draft = story::request(&story.s);
        story.must(&ana(), s5_request::Command::Submit { draft });
        let approval = story::approval(&story.s);
        story.must(&mia(), approval);
        let stage = if levels == 1 { Stage::ExecutionLive } else { Stage::ApprovalReview };
        assert_eq!(story.stage(), stage, "{cost}");
        assert_eq!(
            story.s.policy.levels_for(story.s.cycle.request.total(&story.s.cycle), &story.s.partner).len(),
            levels
        );
        if levels == 2 {
            assert_eq!(story.balances()[2], 0, "nothing is committed before the last level");
            let approval = story::approval(&story.s);
            story.must(&director(), approval);
            assert_eq!(story.balances(), [50_000, 35_000, 15_000, 0, 0]);
        }
    }
}

#[test]
fn a_level_that_lowers_the_sum_below_the_next_band_ends_it() {
    let mut story = proven_plan(emea(), eur(40_000));
    let draft = story::request(&story.s);
    story.must(&ana(), s5_request::Command::Submit { draft });
    let line = domain::steps::s6_approval::LineDecision {
        activity: 1,
        line: 1,
        amount: eur(14_000),
        reason: "A smaller hall".to_owned(),
    };
    story.must(&mia(), domain::steps::s6_approval::Command::Approve { lines: vec![line] });
    assert_eq!(story.stage(), Stage::ExecutionLive);
    assert_eq!(story.balances(), [50_000, 36_000, 14_000, 0, 0]);
}

/// The shipped guide with one piece of text changed, and the line the loader names.
fn refused(from: &str, to: &str) -> (usize, String) {
    assert!(story::EMEA.contains(from), "{from}");
    let text = story::EMEA.replacen(from, to, 1);
    let at = text.find(to).map_or(0, |at| text[..at].lines().count() + 1);
    let problems = Policy::load(&text).expect_err(to);
    let near = problems.iter().find(|problem| problem.line.abs_diff(at) <= 3);
    let problem = near.unwrap_or_else(|| panic!("{to}, line {at}: {problems:?}"));
    (problem.line, problem.problem.clone())
}

#[test]
fn t21_bands_cannot_have_gaps_or_overlaps() {
    let second = "from = \"15000\"\n";
    let bands = |to: &str, from: &str| {
        let first = format!("from = \"0\"\nto = \"{to}\"\n");
        let text =
            story::EMEA.replacen("from = \"0\"\n", &first, 1).replacen(second, &format!("from = \"{from}\"\n"), 1);
        let line = text.lines().position(|line| line == format!("from = \"{from}\"")).expect("the second band") + 1;
        Policy::load(&text).err().map(|problems| {
            assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [line], "{problems:?}");
            problems[0].problem.clone()
        })
    };
    let problem = bands("5000", "5001").expect("a gap");
    assert_eq!(
        problem,
        "amounts from 5000.01 to 5000.99 have no approver, 5000.50 for one: start level 2 at \"5000.01\", or leave `to` \
         of level 1 out"
    );
    assert!(bands("5000", "5000.00").expect("an overlap").contains("overlap, so start at \"5000.01\""));
    assert_eq!(bands("5000", "5000.01"), None);
    let (_, problem) = refused("from = \"0\"\n", "from = \"0.01\"\n");
    assert!(problem.contains("below 0.01 have no approver"), "{problem}");
    let (_, problem) = refused("from = \"15000\"\n", "from = \"0\"\n# second\n");
    assert!(problem.contains("not above level 1"), "{problem}");
    let (_, problem) = refused("level = 2\n", "level = 3\n");
    assert!(problem.contains("number 2 and says level 3"), "{problem}");
}

#[test]
fn a_guide_that_contradicts_itself_is_refused_with_its_line() {
    let cases = [
        ("first_time_days = 35", "first_time_days = 29", "fewer days"),
        ("default = \"0.50\"", "default = \"1.50\"", "at most 1"),
        ("activity = \"webinar\"\n", "activity = \"parade\"\n", "the guide has no activity “parade”"),
        ("currency = \"EUR\"", "currency = \"EURO\"", "is not a currency code"),
        ("role = \"approver\"", "role = \"king\"", "“king” is not known here: write one of"),
        ("minimum = \"500\"", "minimum = \"-1\"", "zero or more"),
        ("code = \"digital\"", "code = \"webinar\"", "named twice"),
        ("code = \"screenshot\"", "code = \"analytics\"", "same proof twice"),
    ];
    for (from, to, words) in cases {
        let problem = {
            let text = story::EMEA.replacen(from, to, 1);
            Policy::load(&text).expect_err(to)
        };
        assert!(problem.iter().any(|problem| problem.problem.contains(words)), "{to}: {problem:?}");
    }
    let (_, problem) = refused("days = 30\nfirst", "days = 20\nfirst");
    assert!(problem.contains("day 28 comes after the last day to claim"), "{problem}");
}

#[test]
fn t33_a_season_has_its_own_rate_to_its_last_day() {
    let policy = Policy {
        share: Share {
            default: "0.50".parse().expect("a share"),
            rate: vec![Rate {
                share: "0.80".parse().expect("a share"),
                from: Some(story::day("2020-04-01")),
                to: Some(story::day("2020-07-31")),
                ..Rate::default()
            }],
        },
        ..emea()
    };
    let share = |day: &str| shared(&policy, &partner_in("DE"), "event", day).normalize().to_string();
    assert_eq!(["2020-03-31", "2020-04-01", "2020-07-31", "2020-08-01"].map(share), ["0.5", "0.8", "0.8", "0.5"]);
}

#[test]
fn the_shipped_guides_rates_go_by_season_and_tier() {
    let policy = emea();
    let gold = Partner { tier: "gold".to_owned(), ..partner_in("DE") };
    let share = |partner: &Partner, kind: &str, day: &str| shared(&policy, partner, kind, day).to_string();
    assert_eq!(share(&partner_in("DE"), "webinar", "2026-09-30"), "0.50");
    assert_eq!(share(&partner_in("DE"), "webinar", "2026-10-31"), "0.75");
    assert_eq!(share(&gold, "event", "2026-10-31"), "0.60");
    assert_eq!(share(&gold, "webinar", "2026-10-01"), "0.75");
}

#[test]
fn the_request_is_judged_rule_by_rule() {
    let story = story::request_draft();
    let good = story::request(&story.s);
    let today = story.now.date_naive();
    let fails = |draft: &RequestDraft, story: &Story| -> Vec<String> {
        let verdicts = judge(&story.s, draft, today);
        assert!(verdicts.iter().all(|verdict| (verdict.outcome == Judgement::Fail) != verdict.remedy.is_empty()));
        verdicts.into_iter().filter(|verdict| verdict.outcome == Judgement::Fail).map(|verdict| verdict.rule).collect()
    };
    assert_eq!(fails(&good, &story), Vec::<String>::new());
    let mut over = good.clone();
    over.lines[0].asked = Money::new(over.lines[0].asked.minor + 1, over.lines[0].asked.currency);
    assert_eq!(fails(&over, &story), ["vendor_share"]);
    let mut small = good.clone();
    small.lines.truncate(1);
    small.lines[0].asked = cents(49_999);
    assert_eq!(fails(&small, &story), ["minimum_request"]);
    assert_eq!(fails(&RequestDraft { terms_accepted: false, ..good.clone() }, &story), ["terms"]);
    assert_eq!(fails(&RequestDraft { justification: "Yes".to_owned(), ..good.clone() }, &story), ["justification"]);
    let mut outcast = story.clone();
    outcast.s.partner.good_standing = false;
    assert_eq!(fails(&good, &outcast), ["good_standing"]);
}

#[test]
fn a_red_scorecard_closes_the_gate() {
    let mut story = story::scorecard_open();
    let answers = story::answers(&story.s.template, false);
    story.must(&ana(), s2_scorecard::Command::Complete { answers });
    let result = story.s.cycle.scorecard.result.clone().expect("a result");
    assert_eq!((result.percent, result.light.label()), (0, "red"));
    assert_eq!(result.blueprint.len(), story.s.template.questions().count());
    let mut later = story::request_draft();
    later.s.cycle.scorecard.result = Some(result);
    let draft = story::request(&later.s);
    later.refuses(&ana(), s5_request::Command::Submit { draft }, "scorecard_not_red");
}

#[test]
fn what_is_no_amount_or_too_much_is_refused_at_the_door() {
    let mut story = story::forecast_draft();
    let with = |story: &Story, cost| s3_forecast::Command::Save {
        no: None,
        draft: s3_forecast::CampaignDraft { cost, ..story::campaign(&story.s, "Large", "event", 10_000) },
    };
    for cost in [Money::new(i64::MAX, eur(0).currency), Money::new(Money::MOST + 1, eur(0).currency), eur(0), eur(-5)] {
        let command = with(&story, cost);
        story.refuses(&ana(), command, "cost");
    }
    let most = with(&story, Money::new(Money::MOST, eur(0).currency));
    story.must(&ana(), most);
    assert!(Money::parse("1000000000000.01", eur(0).currency, domain::money::Marks::Point).is_err());
}

#[test]
fn the_checklist_of_the_activitys_kind_is_met() {
    let mut story = story::execution_live();
    let all = story::proof(&story.s, 1);
    story.refuses(&ana(), all.clone(), "not_begun");
    story.on("2026-05-05");
    let s7_execution::Command::SubmitProof { activity, files } = all else { unreachable!("proof") };
    let only = |item: &str| {
        let files = files.iter().filter(|file| file.item == item).cloned().collect();
        s7_execution::Command::SubmitProof { activity, files }
    };
    let refusal = story.refuses(&ana(), only("recording"), "proof_checklist");
    assert!(refusal.reasons[0].why.contains("Attendee list"), "{refusal}");
    let refusal = story.refuses(&ana(), only("attendee_list"), "proof_checklist");
    assert!(refusal.reasons[0].why.contains("one of: Page with the recording"), "{refusal}");
    let mut stray = files.clone();
    stray[0].item = "selfie".to_owned();
    story.refuses(&ana(), s7_execution::Command::SubmitProof { activity, files: stray }, "proof_checklist");
    story.must(&ana(), s7_execution::Command::SubmitProof { activity, files: files.clone() });

    // One file is returned with a reason; the other stays accepted and need not come again.
    let verdicts = vec![
        s7_execution::FileVerdict { file: files[0].file, accepted: true, reason: String::new() },
        s7_execution::FileVerdict { file: files[1].file, accepted: false, reason: "Blurred".to_owned() },
    ];
    let reason = "One file is not readable".to_owned();
    let none = s7_execution::Command::ReturnProof { activity, verdicts: Vec::new(), reason: reason.clone() };
    story.refuses(&mia(), none, "no_file_returned");
    story.must(&mia(), s7_execution::Command::ReturnProof { activity, verdicts, reason });
    story.must(&ana(), only("recording"));
    story.must(&mia(), story::accept(1));
}
