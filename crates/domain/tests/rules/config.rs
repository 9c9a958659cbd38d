//! Every file shipped in `config/` loads, says what it must, and agrees with the others.

use domain::forecast::Benchmarks;
use domain::policy::{CaseFile, Late, Policy, explain};
use domain::steps::s2_scorecard::Template;
use std::path::{Path, PathBuf};

fn shipped(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(folder);
    let files = std::fs::read_dir(&folder).expect("the folder is shipped");
    let paths = files.map(|file| file.expect("a folder entry").path());
    let toml = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    toml.map(|path| (path.clone(), std::fs::read_to_string(&path).expect("UTF-8"))).collect()
}

#[test]
fn every_program_guide_loads() {
    let guides = shipped("programs");
    assert!(guides.len() >= 4);
    for (path, text) in guides {
        let policy = Policy::load(&text).unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
        let proven = policy.proof.days + policy.proof.grace + policy.proof.review_days;
        assert!(
            policy.claim.days.is_none_or(|days| proven <= days),
            "{}: a slow reviewer would close the claim window",
            path.display()
        );
        assert!(policy.guide.summary.len() > 100 && policy.guide.terms.len() > 400);
        assert!(policy.costs.never("alcohol").is_some());
    }
}

#[test]
fn the_two_programs_have_different_shapes() {
    let load = |name: &str| {
        let (_, text) = shipped("programs").into_iter().find(|(path, _)| path.ends_with(name)).expect(name);
        Policy::load(&text).expect(name)
    };
    let (emea, us) = (load("aurelia-growth-fund-emea.toml"), load("aurelia-partner-accelerator-us.toml"));
    assert_eq!((emea.guide.currency.code(), us.guide.currency.code()), ("EUR", "USD"));
    assert_eq!((emea.lead_time.late, us.lead_time.late), (Late::NeedsReason, Late::Refused));
    assert_eq!((emea.approval.len(), us.approval.len()), (2, 3));
}

#[test]
fn the_benchmarks_load_and_name_every_common_tactic() {
    let text = include_str!("../../../../config/benchmarks.toml");
    let benchmarks = Benchmarks::load(text).expect("the shipped benchmarks");
    for tactic in [
        "webinar",
        "event",
        "workshop",
        "telemarketing",
        "email",
        "paid_social",
        "search_ads",
        "content_syndication",
        "sponsorship",
    ] {
        assert!(benchmarks.tactic(tactic).is_some(), "{tactic}");
    }
}

#[test]
fn every_scorecard_loads_and_its_questions_have_names_of_their_own() {
    for (path, text) in shipped("scorecards") {
        let template = Template::load(&text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        let codes: std::collections::BTreeSet<&str> =
            template.questions().map(|question| question.code.as_str()).collect();
        assert_eq!(codes.len(), template.questions().count(), "{}", path.display());
        assert!(template.questions().all(|question| question.fix.ends_with('.')), "{}", path.display());
    }
}

/// Every case of `config/programs/cases` with the guide its folder names. A recorded answer lies beside its case;
/// `FUNDLOOP_RECORD=1` writes it anew, for a person to look at.
#[test]
fn every_case_still_has_its_recorded_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/programs");
    let record = std::env::var_os("FUNDLOOP_RECORD").is_some();
    let mut seen = 0;
    for guide in std::fs::read_dir(folder.join("cases")).expect("the cases are shipped") {
        let guide = guide.expect("a folder").path();
        let name = guide.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let policy = std::fs::read_to_string(folder.join(format!("{name}.toml"))).expect("the guide of the cases");
        let policy = Policy::load(&policy).expect("it loads");
        for case in std::fs::read_dir(&guide).expect("a folder").map(|case| case.expect("a file").path()) {
            if case.to_string_lossy().ends_with(".answer.json") {
                continue;
            }
            let facts = CaseFile::read(&std::fs::read_to_string(&case).expect("UTF-8"));
            let facts = facts.unwrap_or_else(|problem| panic!("{}: {problem}", case.display()));
            let answer = explain(&policy, &facts).unwrap_or_else(|problem| panic!("{}: {problem}", case.display()));
            let answer = format!("{}\n", serde_json::to_string_pretty(&answer).expect("JSON"));
            let beside = case.with_extension("answer.json");
            if record {
                std::fs::write(&beside, &answer).expect("the answer can be written");
            }
            let recorded = std::fs::read_to_string(&beside).unwrap_or_default();
            let differs = recorded.lines().zip(answer.lines()).find(|(recorded, said)| recorded != said);
            assert_eq!(differs, None, "{}: recorded, then said", case.display());
            assert_eq!(recorded.lines().count(), answer.lines().count(), "{}", case.display());
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen} cases");
}

#[test]
fn the_help_names_every_rule() {
    let help = include_str!("../../../../docs/case-format.txt");
    let listed =
        help.split_once("they are printed:\n").and_then(|(_, rest)| rest.split_once("\nEXAMPLE")).expect("a list").0;
    let listed: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(listed, domain::policy::rules::ALL);
}
