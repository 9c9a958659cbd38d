//! Every file shipped in `config/` loads, says what it must, and agrees with the others.

use domain::forecast::Benchmarks;
use domain::policy::{Late, Policy};
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
    assert!(guides.len() >= 2);
    for (path, text) in guides {
        let policy = Policy::load(&text).unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
        let proven = policy.proof.days + policy.proof.grace + policy.proof.review_days;
        assert!(proven <= policy.claim.days, "{}: a slow reviewer would close the claim window", path.display());
        assert!(policy.guide.summary.len() > 100 && policy.guide.terms.len() > 400);
        assert!(policy.costs.never.iter().any(|never| never.starts_with("Alcohol")));
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
