//! The rules taken from public programs as `policy::explain` judges a guide and a case, which is what the program prints:
//! `crates/fundloop/tests/vectors.rs` asks it the same with files. What needs a cycle or a book is told again in `claims`,
//! `guide` and `funds`; T40 and T41, about who sees what and what is done once, and the race of T42 are not for `explain`.

use domain::policy::{CaseFile, Explanation, Figure, Judgement, Policy, Verdict, explain};
use serde_json::{Value, json};

/// The smallest guide there can be; a test adds or changes what it is about.
const LEAST: &str = r#"
[guide]
name = "Vectors"
version = "1"
currency = "USD"
effective_from = "2020-01-01"
summary = "A guide for tests."
terms = "None."

[share]
default = "0.50"

[costs]
eligible = [{ code = "media", name = "Media" }, { code = "gifts", name = "Gifts" }]

[[activity]]
code = "event"
name = "Event"
all_of = [{ code = "lead_list", name = "Lead list", kinds = ["csv", "xlsx"], columns = ["company", "contact", "title", "email", "phone"] }]
one_of = [{ code = "photo", name = "Photo" }, { code = "invitation", name = "Invitation" }]

[[activity]]
code = "print"
name = "Print"
all_of = [{ code = "copy", name = "Copy" }]

[proof]
days = 14
grace = 7
reminders = [7, 1]

[claim]
days = 30

[[approval]]
level = 1
from = "0"
role = "channel_manager"
name = "Level 1"
sla_days = 5
"#;

/// The least guide with some text instead of another, and more at its end.
fn guide(changes: &[(&str, &str)], more: &str) -> Policy {
    let changed = changes.iter().fold(LEAST.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    Policy::load(&format!("{changed}\n{more}")).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn explained(policy: &Policy, case: &Value) -> Explanation {
    let case = CaseFile::read(&case.to_string()).unwrap_or_else(|problem| panic!("{problem}"));
    explain(policy, &case).unwrap_or_else(|problem| panic!("{problem}"))
}

/// What one rule says of a case.
fn rule(policy: &Policy, case: &Value, rule: &str) -> Verdict {
    let said = explained(policy, case).rules;
    said.into_iter().find(|verdict| verdict.rule == rule).unwrap_or_else(|| panic!("no rule {rule}"))
}

#[track_caller]
fn says(verdict: &Verdict, outcome: Judgement, figures: &[(&str, &str)]) {
    assert_eq!(verdict.outcome, outcome, "{verdict:?}");
    for (name, wanted) in figures {
        let figure = verdict.figures.get(*name).unwrap_or_else(|| panic!("no {name}: {verdict:?}"));
        let text = match figure {
            Figure::Text(text) => text.clone(),
            Figure::Count(count) => count.to_string(),
            Figure::Flag(flag) => flag.to_string(),
            Figure::List(all) => all.join(" "),
        };
        assert_eq!(text, *wanted, "{name}: {verdict:?}");
    }
}

use Judgement::{Fail, NotApplicable, Pass, Warn};

const FIRST_TIME: (&str, &str) = ("days = 30\n", "days = 30\nfirst_time_days = 35\nreminders = [1, 14, 28]\n");

#[test]
fn t01_thirty_days_to_claim() {
    let policy = guide(&[FIRST_TIME], "");
    let case = |day: &str| json!({"activity": {"ends": "2025-03-31"}, "claim": {"claimed_on": day}});
    says(&rule(&policy, &case("2025-04-30"), "claim_window"), Pass, &[("last_day", "2025-04-30")]);
    let late = rule(&policy, &case("2025-05-01"), "claim_window");
    says(&late, Fail, &[("last_day", "2025-04-30"), ("claimed_on", "2025-05-01")]);
    assert_eq!(
        late.sentence,
        "The last day to claim on “The activity” was Wed 30 April 2025. The program gives no more time: what was not claimed by then goes back to its fund."
    );
}

#[test]
fn t02_a_first_time_claimant_has_thirty_five() {
    let case = |day: &str| json!({"partner": {"first_claim": true}, "activity": {"ends": "2025-03-31"}, "claim": {"claimed_on": day}});
    let total = guide(&[FIRST_TIME], "");
    let extra = guide(&[("days = 30\n", "days = 30\nfirst_time_extra_days = 5\n")], "");
    for policy in [total, extra] {
        says(&rule(&policy, &case("2025-05-05"), "claim_window"), Pass, &[("last_day", "2025-05-05")]);
        says(&rule(&policy, &case("2025-05-06"), "claim_window"), Fail, &[]);
    }
}

#[test]
fn t03_reminders_to_claim() {
    let case = json!({"activity": {"ends": "2025-03-31"}});
    let verdict = rule(&guide(&[FIRST_TIME], ""), &case, "claim_reminders");
    says(&verdict, Pass, &[("reminders", "2025-04-01 2025-04-14 2025-04-28")]);
}

#[test]
fn t04_ten_business_days_ahead() {
    let policy = guide(&[], "[lead_time]\ndays = 10\ncount = \"business\"\nlate = \"needs_reason\"");
    let case = |day: &str, reason: Option<&str>| json!({"activity": {"starts": "2025-06-16"}, "request": {"asked_on": day, "cost": "100", "late_reason": reason}});
    let last = [("last_day_to_ask", "2025-06-02")];
    says(&rule(&policy, &case("2025-06-02", None), "lead_time"), Pass, &last);
    let late = rule(&policy, &case("2025-06-03", None), "lead_time");
    says(&late, Fail, &last);
    assert_eq!(
        late.sentence,
        "“The activity” starts Mon 16 June 2025; the program asks for 10 business days, so the last day to ask was Mon 2 \
         June 2025. Give a reason to ask late."
    );
    says(&rule(&policy, &case("2025-06-03", Some("The speaker confirmed today")), "lead_time"), Warn, &last);
    let strict = guide(&[], "[lead_time]\ndays = 10\ncount = \"business\"\nlate = \"refused\"");
    says(&rule(&strict, &case("2025-06-03", Some("Because")), "lead_time"), Fail, &last);
    let holiday = guide(
        &[],
        "[lead_time]\ndays = 10\ncount = \"business\"\nlate = \"refused\"\n[[holidays]]\ncountry = \"DE\"\ndays = [\"2025-06-09\"]",
    );
    let mut german = case("2025-06-02", None);
    says(&rule(&holiday, &german, "lead_time"), Pass, &last);
    german["partner"] = json!({"country": "DE"});
    says(&rule(&holiday, &german, "lead_time"), Fail, &[("last_day_to_ask", "2025-05-30")]);
}

#[test]
fn t07_share_by_sponsors() {
    let rates = "default = \"0.50\"\nrate = [{ share = \"0.33\", sponsors_from = 3 }]\n";
    let policy = guide(&[("default = \"0.50\"\n", rates)], "");
    let case =
        |sponsors: u16| json!({"activity": {"type": "event", "sponsors": sponsors}, "request": {"cost": "9000"}});
    says(&rule(&policy, &case(2), "vendor_share"), Pass, &[("share", "0.5"), ("most", "4500.00")]);
    says(&rule(&policy, &case(3), "vendor_share"), Pass, &[("share", "0.33"), ("most", "2970.00")]);
}

#[test]
fn t08_paid_on_actual_cost() {
    let case = json!({"activity": {"type": "event"}, "claim": {"approved": "5000", "actual": 8000, "final": true}});
    let verdict = rule(&guide(&[], ""), &case, "claim_amount");
    says(&verdict, Pass, &[("pays", "4000.00"), ("releases", "1000.00")]);
}

#[test]
fn t09_what_is_spent_over_the_plan_is_the_partners() {
    let case = json!({"activity": {"type": "event"}, "claim": {"approved": "5000", "actual": "14000", "final": true}});
    let verdict = rule(&guide(&[], ""), &case, "claim_amount");
    says(&verdict, Warn, &[("pays", "5000.00"), ("over", "2000.00"), ("releases", "0.00")]);
}

#[test]
fn t11_after_the_period_or_on_a_fixed_day() {
    let case = json!({"period": {"to": "2025-12-31"}, "claim": {"claimed_on": "2026-02-15"}});
    let after = guide(&[("days = 30\n", "days_after_period = 45\n")], "");
    says(&rule(&after, &case, "claim_window"), Fail, &[("last_day", "2026-02-14")]);
    let fixed = guide(&[("days = 30\n", "last_day = \"2026-02-15\"\n")], "");
    says(&rule(&fixed, &case, "claim_window"), Pass, &[("last_day", "2026-02-15")]);
    let by_period =
        guide(&[("days = 30\n", "days_after_period = 45\n")], "[use]\nperiod = \"year\"\ndays_after_period = 0");
    let case = json!({"activity": {"ends": "2025-08-20"}});
    says(&rule(&by_period, &case, "claim_window"), Pass, &[("last_day", "2026-02-14")]);
}

const THRESHOLD: &str = "[earning]\nrate = \"0.02\"\nthreshold = \"10000\"\nbelow = \"convert\"";

#[test]
fn t12_under_the_threshold_everything_is_converted() {
    let policy = guide(&[], THRESHOLD);
    let case = |accrued: &str| json!({"accrual": {"accrued": accrued}});
    let under = rule(&policy, &case("9999.99"), "accrual_threshold");
    says(&under, Warn, &[("converted", "9999.99"), ("balance", "0.00")]);
    let reached = rule(&policy, &case("10000"), "accrual_threshold");
    says(&reached, Pass, &[("converted", "0.00"), ("balance", "10000.00")]);
}

#[test]
fn t13_a_split_adds_up_to_the_last_cent() {
    let split =
        "[earning]\nrate = \"0.02\"\nsplit = [{ fund = \"A\", share = \"0.6\" }, { fund = \"B\", share = \"0.4\" }]";
    let case = json!({"accrual": {"accrued": 12_345.67}});
    let verdict = rule(&guide(&[], split), &case, "accrual_split");
    says(&verdict, Pass, &[("parts", "7407.40 4938.27"), ("funds", "A B")]);
}

#[test]
fn t16_gifts_are_capped_by_head() {
    let cap = "[[cap]]\nname = \"Gifts\"\ncategory = \"gifts\"\nmost = \"200\"\nper = \"head\"";
    let policy = guide(&[("default = \"0.50\"", "default = \"1\"")], cap);
    let case = |cost: &str| json!({"activity": {"type": "event", "heads": 50, "lines": [{"name": "Power banks", "category": "gifts", "cost": cost}]}});
    let cut = rule(&policy, &case("10001"), "cap");
    says(&cut, Warn, &[("eligible", "10000.00"), ("cut", "1.00"), ("limit", "10000.00"), ("heads", "50")]);
    assert_eq!(
        cut.sentence,
        "“Power banks” is cut from 10,001 USD to 10,000 USD: for “Gifts” the program counts at most 200 USD a head, which is \
         10,000 USD for 50. You bear the other 1 USD."
    );
    says(&rule(&policy, &case("10001"), "vendor_share"), Pass, &[("most", "10000.00")]);
    says(&rule(&policy, &case("10000"), "cap"), Pass, &[("cut", "0.00")]);
    let spent = json!({"activity": {"type": "event", "heads": 50, "lines": [{"category": "gifts", "actual": "10001"}]},
        "claim": {"approved": "20000"}});
    says(&rule(&policy, &spent, "claim_amount"), Pass, &[("eligible", "10000.00"), ("pays", "10000.00")]);
    let unknown = json!({"activity": {"lines": [{"category": "gifts", "cost": "10001"}]}});
    says(&rule(&policy, &unknown, "cap"), NotApplicable, &[]);
}

#[test]
fn t18_a_change_of_place_reopens_approval() {
    let policy = guide(&[], "[amendment]\nmaterial = [\"what\", \"where\", \"when\"]");
    let case = |field: &str| json!({"amendment": {"changed": [field]}});
    says(&rule(&policy, &case("where"), "material_change"), Warn, &[("reopens", "true"), ("material", "where")]);
    says(&rule(&policy, &case("who"), "material_change"), Pass, &[("reopens", "false")]);
    says(&rule(&policy, &case("how_much"), "material_change"), Warn, &[("reopens", "true")]);
}

const DIRECTOR: &str =
    "[[approval]]\nlevel = 2\nfrom = \"15000\"\nrole = \"approver\"\nname = \"Director\"\nsla_days = 7";

#[test]
fn t20_from_fifteen_thousand_the_director_decides_as_well() {
    let policy = guide(&[], DIRECTOR);
    let case = |amount: &str| json!({"approval": {"amount": amount, "asked_on": "2025-06-02"}});
    let one = rule(&policy, &case("14999.99"), "approval_bands");
    says(&one, Pass, &[("levels", "1"), ("approvers", "Level 1"), ("due", "2025-06-07")]);
    let two = rule(&policy, &case("15000.00"), "approval_bands");
    says(&two, Pass, &[("levels", "2"), ("approvers", "Level 1 Director"), ("due", "2025-06-07 2025-06-14")]);
}

#[test]
fn t21_a_gap_between_bands_is_refused() {
    let text = format!(
        "{LEAST}\n[[approval]]\nlevel = 2\nfrom = \"5001\"\nto = \"10000\"\nrole = \"approver\"\nname = \"Two\"\nsla_days = 5"
    );
    let text = text.replacen("from = \"0\"\n", "from = \"0\"\nto = \"5000\"\n", 1);
    let line = text.lines().position(|line| line == "from = \"5001\"").expect("the band") + 1;
    let problems = Policy::load(&text).expect_err("5,000.50 has no approver");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].line, line);
    assert!(problems[0].problem.contains("5000.50 for one"), "{}", problems[0].problem);
}

#[test]
fn t23_oldest_expiry_first() {
    let lot = |amount: &str, month: u8| json!({"amount": amount, "expires": format!("2025-{month:02}-28")});
    let case =
        json!({"credit": {"lots": [lot("100", 3), lot("200", 6), lot("300", 9), lot("400", 12)], "spend": "250"}});
    let verdict = rule(&guide(&[], ""), &case, "credit_order");
    says(&verdict, Pass, &[("left", "0.00 50.00 300.00 400.00"), ("taken", "100.00 150.00 0.00 0.00")]);
    let shuffled =
        json!({"credit": {"lots": [lot("400", 12), lot("100", 3), lot("300", 9), lot("200", 6)], "spend": "250"}});
    says(&rule(&guide(&[], ""), &shuffled, "credit_order"), Pass, &[("left", "400.00 0.00 300.00 50.00")]);
    let much = json!({"credit": {"lots": [lot("100", 3)], "spend": "100.01"}});
    says(&rule(&guide(&[], ""), &much, "credit_order"), Fail, &[("free", "100.00")]);
}

#[test]
fn t24_unused_credit_is_forfeited_and_reinstated_by_two() {
    let policy = guide(&[], "[use]\ndays = 90");
    let case = |today: &str, by: Value, expires: Option<&str>| {
        json!({"today": today, "credit": {"lots": [{"amount": "750", "expires": "2025-06-30"}],
            "reinstate": {"amount": "750", "by": by, "expires": expires}}})
    };
    let on = |today: &str| case(today, json!([]), None);
    says(&rule(&policy, &on("2025-06-30"), "credit_expiry"), Pass, &[("forfeited", "0.00")]);
    says(&rule(&policy, &on("2025-07-01"), "credit_expiry"), Warn, &[("forfeited", "750.00")]);
    let by = |people: Value, expires| rule(&policy, &case("2025-07-01", people, expires), "reinstatement");
    says(&by(json!(["Finn", "Fay"]), Some("2025-12-31")), Pass, &[("expires", "2025-12-31"), ("people", "2")]);
    says(&by(json!(["Finn", "Finn"]), Some("2025-12-31")), Fail, &[("people", "1"), ("needed", "2")]);
    says(&by(json!(["Finn", "Fay"]), None), Fail, &[]);
    says(&by(json!(["Finn", "Fay"]), Some("2025-07-01")), Fail, &[]);
    let half = guide(&[], "[use]\ndays = 90\ncarry_over = \"0.50\"");
    says(
        &rule(&half, &on("2025-07-01"), "credit_expiry"),
        Warn,
        &[("forfeited", "375.00"), ("carried_over", "375.00")],
    );
}

#[test]
fn t25_instalments_and_one_payment_for_two_claims() {
    let policy = guide(&[], "");
    let paid =
        |parts: Value| rule(&policy, &json!({"payment": {"approved": "10000", "instalments": parts}}), "settlement");
    says(&paid(json!(["4000"])), Pass, &[("state", "part_paid"), ("outstanding", "6000.00")]);
    says(&paid(json!(["4000", "6000"])), Pass, &[("state", "paid"), ("outstanding", "0.00")]);
    says(&paid(json!(["4000", "6000.01"])), Fail, &[]);
    let one = |here: &str, there: &str| {
        json!({"payment": {"amount": "9000", "settles": [
            {"claim": "C-2026-0042/1", "outstanding": "6000", "amount": here},
            {"claim": "C-2026-0051/1", "outstanding": "5000", "amount": there}]}})
    };
    says(&rule(&policy, &one("6000", "3000"), "settlement"), Pass, &[("outstanding", "0.00 2000.00")]);
    says(&rule(&policy, &one("6000", "2999"), "settlement"), Fail, &[("parts", "8999.00")]);
    says(&rule(&policy, &one("6001", "2999"), "settlement"), Fail, &[]);
}

#[test]
fn t27_the_third_claim_is_capped_at_what_is_left() {
    let policy = guide(&[("default = \"0.50\"", "default = \"1\"")], "");
    let case =
        |actual: &str, earlier: Value| json!({"claim": {"approved": "6000", "actual": actual, "earlier": earlier}});
    says(&rule(&policy, &case("2500", json!([])), "claim_amount"), Pass, &[("pays", "2500.00")]);
    says(&rule(&policy, &case("2500", json!(["2500"])), "claim_amount"), Pass, &[("pays", "2500.00")]);
    says(&rule(&policy, &case("1500", json!(["2500", "2500"])), "claim_amount"), Warn, &[("pays", "1000.00")]);
    says(&rule(&policy, &case("1", json!(["2500", "3500"])), "claim_amount"), Fail, &[("pays", "0.00")]);
    let two = guide(&[("days = 30\n", "days = 30\nmost_per_activity = 2\n")], "");
    says(&rule(&two, &case("1", json!(["2500", "2500"])), "most_claims"), Fail, &[("most", "2"), ("earlier", "2")]);
}

#[test]
fn t29_a_small_claim_is_taken_when_it_is_final() {
    let policy = |least: &str| {
        let share = ("default = \"0.50\"", "default = \"1\"");
        guide(&[share, ("days = 30\n", &format!("days = 30\nminimum = \"{least}\"\n"))], "")
    };
    let case = |actual: &str, last: bool| json!({"claim": {"approved": "20000", "actual": actual, "final": last}});
    says(&rule(&policy("25"), &case("24.99", false), "minimum_claim"), Fail, &[("minimum", "25.00")]);
    says(&rule(&policy("25"), &case("25.00", false), "minimum_claim"), Pass, &[]);
    says(&rule(&policy("10000"), &case("9999", true), "minimum_claim"), Pass, &[("claimed", "9999.00")]);
    says(&rule(&policy("10000"), &case("9999", false), "minimum_claim"), Fail, &[]);
}

#[test]
fn t30_what_was_clawed_back_is_held_back() {
    let case = json!({"payment": {"amount": "5000", "recoverable": "2000"}});
    says(&rule(&guide(&[], ""), &case, "offset"), Warn, &[("transfer", "3000.00"), ("offset", "2000.00")]);
    let all = json!({"payment": {"amount": "1500", "recoverable": "2000"}});
    says(&rule(&guide(&[], ""), &all, "offset"), Warn, &[("transfer", "0.00"), ("recoverable_left", "500.00")]);
}

#[test]
fn t33_a_rate_for_a_season() {
    let rates = "default = \"0.50\"\nrate = [{ share = \"0.80\", from = \"2020-04-01\", to = \"2020-07-31\" }]\n";
    let policy = guide(&[("default = \"0.50\"\n", rates)], "");
    for (day, share) in [("2020-03-31", "0.5"), ("2020-04-01", "0.8"), ("2020-07-31", "0.8"), ("2020-08-01", "0.5")] {
        let case = json!({"activity": {"type": "event", "starts": day}, "request": {"cost": "1000"}});
        says(&rule(&policy, &case, "vendor_share"), Pass, &[("share", share)]);
    }
}

#[test]
fn t37_the_rate_of_the_day_the_guide_names() {
    let case = json!({"exchange": {"amount": "1000", "currency": "EUR", "at_approval": "1.08", "at_settlement": 1.11}});
    let settled = guide(&[], "[exchange]\nrate_date = \"settlement\"");
    says(&rule(&settled, &case, "exchange_rate"), Pass, &[("paid", "1110.00"), ("variance", "30.00")]);
    let approved = guide(&[], "[exchange]\nrate_date = \"approval\"");
    says(&rule(&approved, &case, "exchange_rate"), Pass, &[("paid", "1080.00"), ("variance", "0.00")]);
    let dated = json!({"exchange": {"amount": "1000", "currency": "EUR", "approved_on": "2025-03-10", "settled_on": "2025-05-02",
        "rates": [{"on": "2025-03-01", "rate": "1.08"}, {"on": "2025-05-01", "rate": "1.11"}, {"on": "2025-06-01", "rate": "1.2"}]}});
    says(&rule(&settled, &dated, "exchange_rate"), Pass, &[("paid", "1110.00"), ("variance", "30.00")]);
    let unknown = json!({"exchange": {"amount": "1000", "currency": "EUR", "at_approval": "1.08"}});
    says(&rule(&settled, &unknown, "exchange_rate"), Fail, &[]);
}

#[test]
fn t38_children_stay_inside_their_parent() {
    let policy = guide(&[], "");
    let case = |second: &str, currency: &str| {
        json!({"fund": {"name": "EMEA", "budget": "100000", "children": [
            {"name": "DACH", "budget": "60000"}, {"name": "UK", "budget": second, "currency": currency}]}})
    };
    says(&rule(&policy, &case("41000", "USD"), "fund_tree"), Fail, &[("children", "101000.00"), ("free", "-1000.00")]);
    says(&rule(&policy, &case("40000", "USD"), "fund_tree"), Pass, &[("free", "0.00")]);
    let other = rule(&policy, &case("10000", "GBP"), "fund_tree");
    says(&other, Fail, &[]);
    assert!(other.sentence.starts_with("UK is kept in GBP, its parent EMEA in USD."), "{}", other.sentence);
}

#[test]
fn t42_who_comes_second_is_told_what_is_left() {
    let case = |free: &str| json!({"partner": {"name": "Nordwind"}, "fund": {"name": "EMEA", "free": free}, "request": {"cost": "2000", "asked": "1000"}});
    says(&rule(&guide(&[], ""), &case("1000"), "funds_available"), Pass, &[]);
    let second = rule(&guide(&[], ""), &case("0"), "funds_available");
    says(&second, Fail, &[("free", "0.00"), ("asked", "1000.00")]);
}

#[test]
fn the_proof_of_an_event() {
    let policy = guide(&[], "");
    let list = |columns: Value| json!({"item": "lead_list", "name": "leads.csv", "columns": columns});
    let case = |files: Value| json!({"activity": {"type": "event", "ends": "2025-03-31"}, "proof": {"handed_in": "2025-04-10", "files": files}});
    let full = json!(["Company", "Contact", "Title", "E-mail", "Phone"]);
    let photo = json!({"item": "photo", "name": "a.jpg"});
    let met = case(json!([list(full.clone()), photo]));
    says(&rule(&policy, &met, "proof_checklist"), Pass, &[]);
    says(&rule(&policy, &met, "proof_window"), Pass, &[("due", "2025-04-14"), ("last_day", "2025-04-21")]);
    says(&rule(&policy, &met, "proof_reminders"), Pass, &[("reminders", "2025-04-07 2025-04-13")]);
    let alone = rule(&policy, &case(json!([list(full)])), "proof_checklist");
    says(&alone, Fail, &[("missing", "one of: Photo, Invitation")]);
    let short = rule(&policy, &case(json!([list(json!(["company", "email"])), photo])), "proof_checklist");
    says(&short, Fail, &[("missing_columns", "contact title phone")]);
    let kind = case(json!([{"item": "lead_list", "name": "leads.docx"}, photo]));
    assert!(rule(&policy, &kind, "proof_checklist").sentence.ends_with("Hand it in as csv, xlsx."));
    says(&rule(&policy, &case(json!([{"item": "selfie"}])), "proof_checklist"), Fail, &[]);
}

#[test]
fn cost_that_is_never_eligible_is_refused_with_its_reason() {
    let costs = "[costs]\nnever = [\"Alcohol\", \"Travel and lodging\"]\nexcluded = [{ code = \"capital\", name = \"Capital goods\", why = \"They outlive the activity.\" }]\n";
    let policy = guide(&[("[costs]\n", costs)], "");
    let said =
        |category: &str| rule(&policy, &json!({"request": {"cost": "100", "category": category}}), "eligible_cost");
    for (category, words) in
        [("alcohol", "never eligible: Alcohol."), ("travel", "Travel and lodging"), ("capital", "They outlive")]
    {
        let verdict = said(category);
        says(&verdict, Fail, &[("eligible", "0.00")]);
        assert!(verdict.sentence.contains(words), "{}", verdict.sentence);
    }
    assert!(said("yachts").sentence.contains("name an eligible category: Media and Gifts."));
    says(&said("media"), Pass, &[]);
}

#[test]
fn mixes_seasons_extensions_and_returned_proof() {
    let policy = guide(
        &[("days = 14\n", "days = 14\nresubmit_days = 10\n")],
        "[[mix]]\nname = \"Traditional\"\nactivities = [\"print\"]\nmost = \"0.25\"\n[[season]]\nname = \"Winter\"\n\
         activities = [\"print\"]\nfrom = \"11-15\"\nto = \"01-31\"\n[extension]\ndays = 15\nask_before = 3",
    );
    let mix = |print: &str| {
        json!({"activities": [{"type": "print", "starts": "2025-12-01", "lines": [{"cost": "9000", "asked": print}]},
            {"type": "event", "lines": [{"cost": "9000", "asked": "3000"}]}]})
    };
    says(&rule(&policy, &mix("1000"), "mix"), Pass, &[("share", "0.25"), ("most", "1000.00")]);
    says(&rule(&policy, &mix("1000.01"), "mix"), Fail, &[("takes", "1000.01")]);
    let season = |day: &str| rule(&policy, &json!({"activity": {"type": "print", "starts": day}}), "season").outcome;
    assert_eq!(["2025-11-14", "2025-11-15", "2026-01-31", "2026-02-01"].map(season), [Fail, Pass, Pass, Fail]);
    let longer = |day: &str, days: u16| json!({"activity": {"ends": "2025-03-31"}, "claim": {"claimed_on": "2025-05-10", "extension": {"asked_on": day, "days": days}}});
    let granted = longer("2025-04-27", 15);
    says(&rule(&policy, &granted, "extension"), Pass, &[("extended_to", "2025-05-15"), ("ask_by", "2025-04-27")]);
    says(&rule(&policy, &granted, "claim_window"), Pass, &[("last_day", "2025-05-15")]);
    says(&rule(&policy, &longer("2025-04-28", 15), "claim_window"), Fail, &[("last_day", "2025-04-30")]);
    says(&rule(&policy, &longer("2025-04-01", 16), "extension"), Fail, &[]);
    let again = |day: &str| {
        let case = json!({"activity": {"ends": "2025-03-31"}, "proof": {"returned": "2025-04-20", "handed_in": day}});
        rule(&policy, &case, "resubmission").outcome
    };
    assert_eq!(["2025-04-30", "2025-05-01"].map(again), [Pass, Fail]);
}

#[test]
fn approvers_by_country_and_currency_stand_ins_and_duties() {
    let policy = guide(
        &[("sla_days = 5\n", "sla_days = 5\nstand_in = \"Deputy\"\n")],
        &format!(
            "{DIRECTOR}\nto = \"100000\"\n[[approval]]\nlevel = 1\nfrom = \"0\"\nrole = \"approver\"\nname = \"Canada\"\nsla_days = 3\n\
             countries = [\"CA\"]\n[[approval]]\nlevel = 1\nfrom = \"0\"\nrole = \"approver\"\nname = \"Yen desk\"\nsla_days = 3\n\
             currency = \"JPY\"\n[default_approver]\nname = \"Owner\"\nlevel = 9"
        ),
    );
    let who = |case: Value| rule(&policy, &case, "approval_bands");
    let approvers = |case: Value, names: &str| says(&who(case), Pass, &[("approvers", names)]);
    approvers(json!({"approval": {"amount": "20000"}}), "Level 1 Director");
    approvers(json!({"partner": {"country": "CA"}, "approval": {"amount": "20000"}}), "Canada");
    approvers(json!({"approval": {"amount": "2000000", "currency": "JPY"}}), "Yen desk");
    approvers(json!({"approval": {"amount": "20000", "away": ["Level 1"]}}), "Deputy Director");
    approvers(json!({"approval": {"amount": "20000", "away": ["Level 1", "Deputy", "Director"]}}), "Owner Owner");
    says(&who(json!({"approval": {"amount": "100000.01"}})), Fail, &[("most", "100000.00")]);
    says(&who(json!({"approval": {"amount": "100", "currency": "GBP"}})), Fail, &[]);
    let decided = |decisions: Value| {
        let case = json!({"request": {"requested_by": "Ana"}, "approval": {"amount": "20000", "decisions": decisions}});
        rule(&policy, &case, "approvals").outcome
    };
    assert_eq!(decided(json!([{"level": 1, "by": "Mia"}, {"level": 2, "by": "Leo"}])), Pass);
    assert_eq!(decided(json!([{"level": 1, "by": "Mia"}])), Fail);
    assert_eq!(decided(json!([{"level": 1, "by": "Mia"}, {"level": 2, "by": "Mia"}])), Fail);
    assert_eq!(decided(json!([{"level": 1, "by": "Ana"}, {"level": 2, "by": "Leo"}])), Fail);
}

#[test]
fn credit_is_earned_by_rate_or_unit_inside_its_window() {
    let policy = guide(
        &[],
        "[earning]\nrate = \"0.025\"\nfrom = \"2025-01-01\"\nto = \"2025-12-31\"\n\
         accrual = [{ product = \"server\", per_unit = \"12.345\" }, { tier = \"gold\", rate = \"0.03\" }]\n\
         [use]\ndays_after_period = 180\n[retention]\nyears = 5",
    );
    let earned = |case: Value| rule(&policy, &json!({"accrual": case}), "accrual_rate");
    says(&earned(json!({"purchases": "1000.39"})), Pass, &[("earned", "25.00")]);
    says(&earned(json!({"product": "server", "units": 3})), Pass, &[("earned", "37.03")]);
    let gold = json!({"partner": {"tier": "gold"}, "accrual": {"purchases": "1000"}});
    says(&rule(&policy, &gold, "accrual_rate"), Pass, &[("earned", "30.00")]);
    let on = |day: &str| rule(&policy, &json!({"accrual": {"on": day, "purchases": "1"}}), "earn_window").outcome;
    assert_eq!(["2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01"].map(on), [Fail, Pass, Pass, Fail]);
    let lot = json!({"credit": {"lots": [{"amount": "10", "earned_on": "2025-02-14"}]}});
    says(&rule(&policy, &lot, "credit_expiry"), Pass, &[("expires", "2025-09-27")]);
    let paid = json!({"payment": {"on": "2024-02-29"}});
    says(&rule(&policy, &paid, "retention"), Pass, &[("keep_until", "2029-02-28")]);
}

#[test]
fn a_case_is_read_strictly_and_its_amounts_exactly() {
    let policy = guide(&[], "");
    let problem = |text: &str| match CaseFile::read(text) {
        Err(problem) => problem.to_string(),
        Ok(case) => explain(&policy, &case).expect_err(text).to_string(),
    };
    assert!(problem(r#"{"claim": {"actuel": "5"}}"#).contains("unknown field `actuel`, expected one of"));
    assert!(problem(r#"{"claim": {"actual": "5.005"}}"#).contains("more decimals than USD has"));
    assert!(problem(r#"{"claim": {"actual": "-5"}}"#).starts_with("activity 1, line 1, actual: “-5” is not an amount"));
    assert!(problem(r#"{"claim": {"actual": 1e30}}"#).contains("too many digits"));
    assert!(problem(r#"{"claim": {"actual": "5,00"}}"#).contains("is not an amount"));
    assert!(problem(r#"{"payment": {"amount": "EUR 5", "recoverable": "1"}}"#).contains("is in USD, not in EUR"));
    assert!(problem(r#"{"activity": {"starts": "2025-02-30"}}"#).contains("line 1"));
    assert!(problem(r#"{"request": {"cost": "1"}, "activity": {"lines": [{"cost": "1"}]}}"#).contains("say it once"));
    let verdict = rule(&policy, &json!({"claim": {"approved": 9_999_999.99, "actual": 0.1}}), "claim_amount");
    says(&verdict, Pass, &[("actual", "0.10"), ("pays", "0.05"), ("approved_left", "9999999.99")]);
}

#[test]
fn a_case_that_says_nothing_applies_to_nothing() {
    let said = explained(&guide(&[], ""), &json!({}));
    assert_eq!(said.decision, NotApplicable);
    assert_eq!(said.rules.len(), domain::policy::rules::ALL.len());
    assert!(said.rules.iter().all(|verdict| verdict.outcome == NotApplicable && verdict.sentence.ends_with('.')));
}

/// Planned, asked and claimed in another currency of the guide: its amounts count at the rate, its own bands decide.
#[test]
fn a_case_in_another_currency_of_the_guide() {
    let policy =
        Policy::load(include_str!("../../../../config/programs/hoshizora-regional-japan.toml")).expect("a guide");
    assert_eq!(policy.currencies().iter().map(|one| one.code()).collect::<Vec<_>>(), ["JPY", "USD"]);
    let case = |cost: &str| {
        json!({"currency": "USD", "rate": "0.0067", "partner": {"country": "JP"},
            "activity": {"type": "seminar", "starts": "2026-09-01", "heads": 100,
                "lines": [{"name": "Pens", "category": "gifts", "cost": cost}]},
            "request": {"asked_on": "2026-06-01"}})
    };
    says(&rule(&policy, &case("1000"), "minimum_request"), Fail, &[("asked", "167.50"), ("minimum", "670.00")]);
    says(&rule(&policy, &case("1000"), "cap"), Warn, &[("each", "3.35"), ("limit", "335.00")]);
    let director = json!({"currency": "USD", "rate": "0.0067", "approval": {"amount": "15000"}});
    says(&rule(&policy, &director, "approval_bands"), Pass, &[("levels", "2")]);
    let file: CaseFile = serde_json::from_value(json!({"currency": "USD"})).expect("a case");
    let missing = explain(&policy, &file).expect_err("no rate is guessed");
    assert_eq!(missing.0, "rate: say how many USD one JPY is worth");
}
