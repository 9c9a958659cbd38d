//! The rules taken from public programs, T01 to T39, each asked of the program itself: `fundloop policy explain` of a guide
//! file and a case file. A line of the table is one case: what is changed of the smallest guide, the case, and what the rule says.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// The smallest guide there can be.
const LEAST: &str = include_str!("../../../tests/least.toml");

/// One vector: its id, what of the guide is other text, what it says besides, the case, the rule that is asked, its verdict
/// and its figures.
struct Vector {
    id: &'static str,
    changes: &'static [(&'static str, &'static str)],
    more: &'static str,
    case: Value,
    rule: &'static str,
    verdict: &'static str,
    figures: &'static [(&'static str, &'static str)],
}

type Changes = &'static [(&'static str, &'static str)];

const FIRST_TIME: Changes = &[("days = 30\n", "days = 30\nfirst_time_days = 35\nreminders = [1, 14, 28]\n")];
const AHEAD: &str = "[lead_time]\ndays = 10\ncount = \"business\"\nlate = \"needs_reason\"";
const SPONSORS: Changes =
    &[("default = \"0.50\"\n", "default = \"0.50\"\nrate = [{ share = \"0.33\", sponsors_from = 3 }]\n")];
const AFTER_THE_PERIOD: Changes = &[("days = 30\n", "days_after_period = 45\n")];
const FIXED: Changes = &[("days = 30\n", "last_day = \"2026-02-15\"\n")];
const THRESHOLD: &str = "[earning]\nrate = \"0.02\"\nthreshold = \"10000\"\nbelow = \"convert\"";
const SPLIT: &str =
    "[earning]\nrate = \"0.02\"\nsplit = [{ fund = \"A\", share = \"0.6\" }, { fund = \"B\", share = \"0.4\" }]";
const WHOLE: Changes = &[("default = \"0.50\"", "default = \"1\"")];
const GIFTS: &str = "[[cap]]\nname = \"Gifts\"\ncategory = \"gifts\"\nmost = \"200\"\nper = \"head\"";
const MATERIAL: &str = "[amendment]\nmaterial = [\"what\", \"where\", \"when\"]";
const DIRECTOR: &str =
    "[[approval]]\nlevel = 2\nfrom = \"15000\"\nrole = \"approver\"\nname = \"Director\"\nsla_days = 7";
const QUARTER: &str = "[use]\ndays = 90";
const LEAST_25: Changes =
    &[("default = \"0.50\"", "default = \"1\""), ("days = 30\n", "days = 30\nminimum = \"25\"\n")];
const LEAST_10_000: Changes =
    &[("default = \"0.50\"", "default = \"1\""), ("days = 30\n", "days = 30\nminimum = \"10000\"\n")];
const SEASON: Changes = &[(
    "default = \"0.50\"\n",
    "default = \"0.50\"\nrate = [{ share = \"0.80\", from = \"2020-04-01\", to = \"2020-07-31\" }]\n",
)];
const AT_SETTLEMENT: &str = "[exchange]\nrate_date = \"settlement\"";

/// A line of the table.
macro_rules! vector {
    ($id:literal, $changes:expr, $more:expr, $case:tt, $rule:literal, $verdict:literal, $figures:expr) => {
        Vector {
            id: $id,
            changes: $changes,
            more: $more,
            case: json!($case),
            rule: $rule,
            verdict: $verdict,
            figures: &$figures,
        }
    };
}

#[rustfmt::skip]
fn asking() -> Vec<Vector> {
    vec![
        vector!("T04", &[], AHEAD, {"activity": {"starts": "2025-06-16"}, "request": {"asked_on": "2025-06-02", "cost": "100"}},
            "lead_time", "pass", [("last_day_to_ask", "2025-06-02")]),
        vector!("T04", &[], AHEAD, {"activity": {"starts": "2025-06-16"}, "request": {"asked_on": "2025-06-03", "cost": "100"}},
            "lead_time", "fail", [("last_day_to_ask", "2025-06-02")]),
        vector!("T04", &[], AHEAD, {"activity": {"starts": "2025-06-16"}, "request": {"asked_on": "2025-06-03", "cost": "100", "late_reason": "The speaker confirmed."}},
            "lead_time", "warn", [("last_day_to_ask", "2025-06-02")]),
        vector!("T07", SPONSORS, "", {"activity": {"type": "event", "sponsors": 2}, "request": {"cost": "9000"}},
            "vendor_share", "pass", [("share", "0.5"), ("most", "4500.00")]),
        vector!("T07", SPONSORS, "", {"activity": {"type": "event", "sponsors": 3}, "request": {"cost": "9000"}},
            "vendor_share", "pass", [("share", "0.33"), ("most", "2970.00")]),
        vector!("T16", WHOLE, GIFTS, {"activity": {"type": "event", "heads": 50, "lines": [{"name": "Power banks", "category": "gifts", "cost": "10001"}]}},
            "cap", "warn", [("eligible", "10000.00"), ("cut", "1.00"), ("limit", "10000.00"), ("heads", "50")]),
        vector!("T18", &[], MATERIAL, {"amendment": {"changed": ["where"]}}, "material_change", "warn", [("reopens", "true"), ("material", "where")]),
        vector!("T20", &[], DIRECTOR, {"approval": {"amount": "14999.99", "asked_on": "2025-06-02"}},
            "approval_bands", "pass", [("levels", "1"), ("approvers", "Level 1")]),
        vector!("T20", &[], DIRECTOR, {"approval": {"amount": "15000.00", "asked_on": "2025-06-02"}},
            "approval_bands", "pass", [("levels", "2"), ("approvers", "Level 1 Director")]),
        vector!("T33", SEASON, "", {"activity": {"type": "event", "starts": "2020-07-31"}, "request": {"cost": "1000"}},
            "vendor_share", "pass", [("share", "0.8"), ("most", "800.00")]),
        vector!("T33", SEASON, "", {"activity": {"type": "event", "starts": "2020-08-01"}, "request": {"cost": "1000"}},
            "vendor_share", "pass", [("share", "0.5"), ("most", "500.00")]),
    ]
}

#[rustfmt::skip]
fn claiming() -> Vec<Vector> {
    vec![
        vector!("T01", FIRST_TIME, "", {"activity": {"ends": "2025-03-31"}, "claim": {"claimed_on": "2025-04-30"}},
            "claim_window", "pass", [("last_day", "2025-04-30")]),
        vector!("T01", FIRST_TIME, "", {"activity": {"ends": "2025-03-31"}, "claim": {"claimed_on": "2025-05-01"}},
            "claim_window", "fail", [("last_day", "2025-04-30"), ("claimed_on", "2025-05-01")]),
        vector!("T02", FIRST_TIME, "", {"partner": {"first_claim": true}, "activity": {"ends": "2025-03-31"}, "claim": {"claimed_on": "2025-05-05"}},
            "claim_window", "pass", [("last_day", "2025-05-05")]),
        vector!("T02", FIRST_TIME, "", {"partner": {"first_claim": true}, "activity": {"ends": "2025-03-31"}, "claim": {"claimed_on": "2025-05-06"}},
            "claim_window", "fail", [("last_day", "2025-05-05")]),
        vector!("T03", FIRST_TIME, "", {"activity": {"ends": "2025-03-31"}}, "claim_reminders", "pass", [("reminders", "2025-04-01 2025-04-14 2025-04-28")]),
        vector!("T08", &[], "", {"activity": {"type": "event"}, "claim": {"approved": "5000", "actual": "8000", "final": true}},
            "claim_amount", "pass", [("pays", "4000.00"), ("releases", "1000.00")]),
        vector!("T09", &[], "", {"activity": {"type": "event"}, "claim": {"approved": "5000", "actual": "14000", "final": true}},
            "claim_amount", "warn", [("pays", "5000.00"), ("releases", "0.00")]),
        vector!("T11", AFTER_THE_PERIOD, "", {"period": {"to": "2025-12-31"}, "claim": {"claimed_on": "2026-02-15"}},
            "claim_window", "fail", [("last_day", "2026-02-14")]),
        vector!("T11", FIXED, "", {"period": {"to": "2025-12-31"}, "claim": {"claimed_on": "2026-02-15"}},
            "claim_window", "pass", [("last_day", "2026-02-15")]),
        vector!("T27", WHOLE, "", {"claim": {"approved": "6000", "actual": "2500", "earlier": ["2500"]}}, "claim_amount", "pass", [("pays", "2500.00")]),
        vector!("T27", WHOLE, "", {"claim": {"approved": "6000", "actual": "1500", "earlier": ["2500", "2500"]}},
            "claim_amount", "warn", [("pays", "1000.00")]),
        vector!("T29", LEAST_25, "", {"claim": {"approved": "20000", "actual": "24.99", "final": false}}, "minimum_claim", "fail", [("minimum", "25.00")]),
        vector!("T29", LEAST_25, "", {"claim": {"approved": "20000", "actual": "25.00", "final": false}}, "minimum_claim", "pass", []),
        vector!("T29", LEAST_10_000, "", {"claim": {"approved": "20000", "actual": "9999", "final": true}}, "minimum_claim", "pass", [("claimed", "9999.00")]),
    ]
}

#[rustfmt::skip]
fn money() -> Vec<Vector> {
    vec![
        vector!("T12", &[], THRESHOLD, {"accrual": {"accrued": "9999.99"}}, "accrual_threshold", "warn", [("converted", "9999.99"), ("balance", "0.00")]),
        vector!("T13", &[], SPLIT, {"accrual": {"accrued": "12345.67"}}, "accrual_split", "pass", [("parts", "7407.40 4938.27"), ("funds", "A B")]),
        vector!("T23", &[], "", {"credit": {"spend": "250", "lots": [
                {"amount": "100", "expires": "2025-03-28"}, {"amount": "200", "expires": "2025-06-28"},
                {"amount": "300", "expires": "2025-09-28"}, {"amount": "400", "expires": "2025-12-28"}]}},
            "credit_order", "pass", [("left", "0.00 50.00 300.00 400.00")]),
        vector!("T24", &[], QUARTER, {"today": "2025-07-01", "credit": {"lots": [{"amount": "750", "expires": "2025-06-30"}]}},
            "credit_expiry", "warn", [("forfeited", "750.00")]),
        vector!("T24", &[], QUARTER, {"today": "2025-07-01", "credit": {"lots": [{"amount": "750", "expires": "2025-06-30"}],
                "reinstate": {"amount": "750", "by": ["Finn", "Fay"], "expires": "2025-12-31"}}},
            "reinstatement", "pass", [("expires", "2025-12-31"), ("people", "2")]),
        vector!("T25", &[], "", {"payment": {"approved": "10000", "instalments": ["4000"]}}, "settlement", "pass", [("state", "part_paid"), ("outstanding", "6000.00")]),
        vector!("T25", &[], "", {"payment": {"approved": "10000", "instalments": ["4000", "6000"]}}, "settlement", "pass", [("state", "paid"), ("outstanding", "0.00")]),
        vector!("T25", &[], "", {"payment": {"amount": "9000", "settles": [
                {"claim": "C-2026-0042/1", "outstanding": "6000", "amount": "6000"},
                {"claim": "C-2026-0051/1", "outstanding": "5000", "amount": "3000"}]}},
            "settlement", "pass", [("outstanding", "0.00 2000.00")]),
        vector!("T30", &[], "", {"payment": {"amount": "5000", "recoverable": "2000"}}, "offset", "warn", [("transfer", "3000.00"), ("offset", "2000.00")]),
        vector!("T37", &[], AT_SETTLEMENT, {"exchange": {"amount": "1000", "currency": "EUR", "at_approval": "1.08", "at_settlement": "1.11"}},
            "exchange_rate", "pass", [("paid", "1110.00"), ("variance", "30.00")]),
        vector!("T38", &[], "", {"fund": {"name": "EMEA", "budget": "100000", "children": [
                {"name": "DACH", "budget": "60000"}, {"name": "UK", "budget": "41000", "currency": "USD"}]}},
            "fund_tree", "fail", [("children", "101000.00"), ("free", "-1000.00")]),
        vector!("T38", &[], "", {"fund": {"name": "EMEA", "budget": "100000", "children": [
                {"name": "DACH", "budget": "60000"}, {"name": "UK", "budget": "10000", "currency": "GBP"}]}},
            "fund_tree", "fail", []),
    ]
}

/// Every rule vector but T21, which is a guide that is refused; T40 to T42 are about people and races and have stories of their own.
const ALL: [&str; 22] = [
    "T01", "T02", "T03", "T04", "T07", "T08", "T09", "T11", "T12", "T13", "T16", "T18", "T20", "T23", "T24", "T25",
    "T27", "T29", "T30", "T33", "T37", "T38",
];

#[test]
fn every_rule_vector_is_explained_by_the_program() {
    let folder = Folder::new();
    let table: Vec<Vector> = [asking(), claiming(), money()].into_iter().flatten().collect();
    for wanted in ALL {
        assert!(table.iter().any(|vector| vector.id == wanted), "{wanted} is not in the table");
    }
    for (line, vector) in table.iter().enumerate() {
        let changed = vector.changes.iter().fold(LEAST.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{}: {from}", vector.id);
            text.replacen(from, to, 1)
        });
        let guide = folder.write(&format!("{line}.toml"), &format!("{changed}\n{}", vector.more));
        let case = folder.write(&format!("{line}.json"), &vector.case.to_string());
        let said = explain(&guide, &case);
        let rules = said["rules"].as_array().expect("rules");
        let rule = rules.iter().find(|rule| rule["rule"] == vector.rule).unwrap_or_else(|| panic!("{}", vector.rule));
        assert_eq!(rule["verdict"], vector.verdict, "{} {}: {rule}", vector.id, vector.case);
        for (name, wanted) in vector.figures {
            assert_eq!(text(&rule["figures"][*name]), *wanted, "{} {name}: {rule}", vector.id);
        }
        let sentence = rule["sentence"].as_str().unwrap_or_default();
        assert!(sentence.ends_with('.'), "{}: {rule}", vector.id);
    }
}

/// T21: bands 0 to 5,000 and 5,001 to 10,000 leave 5,000.50 without an approver; the guide is refused and the line named.
#[test]
fn t21_a_guide_with_a_gap_between_bands_is_refused() {
    let folder = Folder::new();
    let text = LEAST.replacen("from = \"0\"\n", "from = \"0\"\nto = \"5000\"\n", 1);
    let gap =
        "[[approval]]\nlevel = 2\nfrom = \"5001\"\nto = \"10000\"\nrole = \"approver\"\nname = \"Two\"\nsla_days = 5\n";
    let text = format!("{text}\n{gap}");
    let line = text.lines().position(|line| line == "from = \"5001\"").expect("the band") + 1;
    let guide = folder.write("gap.toml", &text);
    let said = Command::new(env!("CARGO_BIN_EXE_fundloop")).args(["policy", "check"]).arg(&guide).output();
    let said = said.expect("the program runs");
    assert_eq!(said.status.code(), Some(3));
    let words = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(words.contains(&format!("gap.toml:{line}: ")) && words.contains("5000.50 for one"), "{words}");
}

fn explain(guide: &Path, case: &Path) -> Value {
    let said = Command::new(env!("CARGO_BIN_EXE_fundloop")).args(["policy", "explain"]).arg(guide).arg(case).output();
    let said = said.expect("the program runs");
    assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).expect("JSON")
}

fn text(figure: &Value) -> String {
    match figure {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// A folder of this test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("fundloop-vectors-{}-{next}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in the system's own folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
