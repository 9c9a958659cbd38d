//! `fundloop policy` as people run it: files in, words and an exit code out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn config(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/programs").join(path)
}

fn fundloop(arguments: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_fundloop"));
    let mut running = program
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    running.stdin.take().expect("standard input").write_all(input.as_bytes()).expect("it is read");
    running.wait_with_output().expect("the program ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn a_sound_guide_holds_and_a_broken_one_names_its_lines() {
    let guides = ["ferrite-coop-north-america.toml", "hoshizora-regional-japan.toml"].map(config);
    let paths: Vec<&str> = guides.iter().map(|path| path.to_str().expect("UTF-8")).collect();
    let sound = fundloop(&[&["policy", "check"][..], &paths].concat(), "");
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stderr));
    assert!(text(&sound.stdout).contains("Ferrite Co-op North America 2026.1 holds."));

    let guide = std::fs::read_to_string(&guides[1]).expect("the guide");
    let broken =
        guide.replace("from = \"2000000\"", "from = \"2000001\"").replace("minimum = \"100000\"", "minimum = \"0.5\"");
    let refused = fundloop(&["policy", "check", "-"], &broken);
    assert_eq!(refused.status.code(), Some(3));
    let said = text(&refused.stdout);
    let line = |words: &str| broken.lines().position(|line| line == words).expect("the line") + 1;
    assert!(said.contains(&format!("-:{}: 0.5 has more decimals than JPY has", line("minimum = \"0.5\""))), "{said}");
    let gap = line("from = \"2000001\"");
    assert!(said.contains(&format!("-:{gap}: 2000000 has no approver, 2000000 for one")), "{said}");
    let list = fundloop(&["policy", "check", "--json", "-"], &broken);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    assert_eq!(fundloop(&["policy", "check", "there-is-none.toml"], "").status.code(), Some(1));
    assert_eq!(fundloop(&["policy", "check"], "").status.code(), Some(2));
}

#[test]
fn a_case_is_explained_as_it_is_recorded() {
    let guide = config("ferrite-coop-north-america.toml");
    let case = config("cases/ferrite-coop-north-america/gifts-for-fifty.json");
    let answer = config("cases/ferrite-coop-north-america/gifts-for-fifty.answer.json");
    let (guide, case) = (guide.to_str().expect("UTF-8"), case.to_str().expect("UTF-8"));
    let said = fundloop(&["policy", "explain", guide, case], "");
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert_eq!(text(&said.stdout), std::fs::read_to_string(answer).expect("the answer"));
    let piped = fundloop(&["policy", "explain", guide, "-"], "{\"claim\": {\"actuel\": 1}}");
    assert_eq!(piped.status.code(), Some(1));
    assert!(text(&piped.stderr).contains("unknown field `actuel`"), "{}", text(&piped.stderr));
    let help = fundloop(&["policy", "explain", "--help"], "");
    assert!(text(&help.stdout).contains("THE CASE") && text(&help.stdout).contains("accrual_threshold"));
}

#[test]
fn a_guide_for_no_program_is_not_simulated() {
    let folder = std::env::temp_dir().join(format!("fundloop-policy-{}", std::process::id()));
    let (guide, data) = (config("hoshizora-regional-japan.toml"), folder.to_str().expect("UTF-8"));
    let said = fundloop(&["policy", "simulate", guide.to_str().expect("UTF-8"), "--data", data], "");
    assert_eq!(said.status.code(), Some(1));
    assert!(text(&said.stderr).contains("no program is kept in JPY"), "{}", text(&said.stderr));
    std::fs::remove_dir_all(folder).expect("the folder was made");
}
