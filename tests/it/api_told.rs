//! docs/api.md cannot go stale: its examples are read into the program's own types, every command has one, and every call
//! is named.

use std::collections::{BTreeMap, BTreeSet};

use domain::fund::FundCommand;
use domain::machine::Command;
use engine::partners::PartnerSaid;
use engine::programs::NewProgram;
use engine::settlements::NewBatch;
use engine::settlements::returns::PaymentReturn;
use engine::{Advanced, NewCycle, NewFund};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use web::api::described::CALLS;

const PAGE: &str = include_str!("../../docs/api.md");

/// The examples of the page by what they are: the word after `json` at their fence.
fn examples() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for block in PAGE.split("```json ").skip(1) {
        let (kind, rest) = block.split_once('\n').expect("a fence ends its line");
        let (text, _) = rest.split_once("```").expect("a fence is closed");
        found.entry(kind.trim()).or_default().push(text);
    }
    found
}

/// Reads every example of a kind; those that do not read are told with why.
fn read<T: DeserializeOwned>(kind: &str) -> Vec<T> {
    let all = examples();
    let texts = all.get(kind).unwrap_or_else(|| panic!("docs/api.md has no example of {kind}"));
    let read = texts.iter().map(|text| serde_json::from_str(text).map_err(|error| format!("{error}: {text}")));
    read.collect::<Result<_, _>>().unwrap_or_else(|problem| panic!("an example of {kind} does not read: {problem}"))
}

/// The names a tag may have, as the type itself says when it is given none of them.
fn names<T: DeserializeOwned + std::fmt::Debug>(value: Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(value).expect_err("no command is called so").to_string();
    let (_, expected) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn tags(kind: &str) -> BTreeSet<String> {
    let tag = |value: &Value| {
        let step = value["step"].as_str().map(|step| format!("{step} ")).unwrap_or_default();
        format!("{step}{}", value["do"].as_str().expect("a command says what to do"))
    };
    read::<Value>(kind).iter().map(tag).collect()
}

#[test]
fn every_command_of_the_loop_has_an_example_that_reads() {
    read::<Command>("command");
    let steps = names::<Command>(json!({ "step": "?", "do": "?" }));
    assert_eq!(steps.len(), 10, "nine steps, and what ends a cycle: {steps:?}");
    let all = steps.iter().flat_map(|step| {
        let acts = names::<Command>(json!({ "step": step, "do": "?" }));
        acts.into_iter().map(move |act| format!("{step} {act}"))
    });
    let all: BTreeSet<String> = all.collect();
    assert!(all.contains("execution submit_proof") && !all.contains("execution settle_from_batch"), "{all:?}");
    assert_eq!(tags("command"), all);
}

#[test]
fn so_has_every_command_of_funds_and_settlements() {
    read::<FundCommand>("fund");
    assert_eq!(tags("fund"), names::<FundCommand>(json!({ "do": "?" })));
    read::<domain::settlement::Command>("settlement");
    assert_eq!(tags("settlement"), names::<domain::settlement::Command>(json!({ "do": "?" })));
}

#[test]
fn what_is_opened_and_answered_reads_too() {
    read::<NewCycle>("new-cycle");
    read::<NewFund>("new-fund");
    read::<NewBatch>("new-batch");
    read::<NewProgram>("new-program");
    read::<PartnerSaid>("partner");
    read::<PaymentReturn>("payment-return");
    read::<web::api::views::Approvals>("approvals");
    read::<Advanced>("answer");
    let guide = &read::<Value>("new-guide")[0];
    assert!(guide["guide"].is_string() && guide["from"].is_string(), "{guide}");
    let known = [
        "command",
        "fund",
        "settlement",
        "new-cycle",
        "new-fund",
        "new-batch",
        "new-program",
        "partner",
        "payment-return",
        "approvals",
        "answer",
        "new-guide",
    ];
    let unread: Vec<&str> = examples().into_keys().filter(|kind| !known.contains(kind)).collect();
    assert!(unread.is_empty(), "examples that nothing reads: {unread:?}");
}

#[test]
fn every_call_is_on_the_page() {
    let missing = CALLS.iter().map(|call| format!("| `{} {}` |", call.method, call.path));
    let missing: Vec<String> = missing.filter(|line| !PAGE.contains(line.as_str())).collect();
    assert!(missing.is_empty(), "docs/api.md does not name {missing:?}");
    let told = PAGE.lines().filter(|line| line.starts_with("| `GET /api") || line.starts_with("| `POST /api")).count();
    assert_eq!(told, CALLS.len(), "and names none that is not there");
}
