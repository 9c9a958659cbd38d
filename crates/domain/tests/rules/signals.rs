//! What deserves a second look within one cycle: each sign once where it holds, and not where it does not.

use crate::story::{self, eur};
use chrono::Days;
use domain::ids::FileId;
use domain::machine::Situation;
use domain::signals::{Elsewhere, Evidence, FileAgain, ListAgain, Signal, Traces, invoice_key, of_activity, of_claim};
use domain::steps::s7_execution::ClaimState;
use uuid::Uuid;

/// A claim in review whose invoices are of its activity's last day.
fn in_review() -> Situation {
    let mut s = story::claim_in_review().s;
    let ends = s.cycle.activity(1).expect("the webinar").draft.ends;
    s.cycle.claims[0].lines.iter_mut().for_each(|line| line.invoice.invoice_date = ends);
    s
}

fn codes(signals: &[Signal]) -> Vec<&str> {
    signals.iter().map(|signal| signal.code).collect()
}

fn about_claim(s: &Situation, no: u16) -> Vec<Signal> {
    of_claim(s, s.cycle.claim(no).expect("the claim"), &Traces::default())
}

#[test]
fn numbers_are_one_however_they_are_written() {
    for text in ["INV-77", "inv 77", " Inv/77.", "inv77"] {
        assert_eq!(invoice_key(text), "inv77");
    }
    assert_eq!(invoice_key("Ölmühle GmbH & Co."), "ölmühlegmbhco");
    assert_ne!(invoice_key("--"), invoice_key("##"), "what has no letters is compared as it is");
}

#[test]
fn an_invoice_twice_in_one_claim_is_seen_once_and_a_split_one_is_not() {
    let mut s = in_review();
    assert_eq!(codes(&about_claim(&s, 1)), [""; 0]);
    let mut again = s.cycle.claims[0].lines[0].clone();
    again.invoice.invoice_no = format!(" {} ", again.invoice.invoice_no.to_lowercase());
    s.cycle.claims[0].lines.push(again.clone());
    let found = about_claim(&s, 1);
    assert_eq!(codes(&found), ["same_invoice"]);
    assert!(found[0].words.ends_with("is in row 1 as well."), "{}", found[0].words);

    s.cycle.claims[0].lines[1].invoice.actual = eur(100);
    assert_eq!(codes(&about_claim(&s, 1)), [""; 0], "one invoice over two rows");
}

#[test]
fn an_invoice_of_another_claim_is_seen_unless_that_was_denied() {
    let mut s = in_review();
    let mut second = s.cycle.claims[0].clone();
    second.no = 2;
    s.cycle.claims.push(second);
    let found = about_claim(&s, 2);
    assert!(codes(&found).contains(&"same_invoice"), "{found:?}");
    assert!(found[0].words.ends_with("is in claim 1 as well."), "{}", found[0].words);
    assert!(codes(&found).contains(&"same_file"), "and its file is");
    s.cycle.claims[0].state = ClaimState::Denied;
    assert_eq!(codes(&about_claim(&s, 2)), [""; 0]);
}

#[test]
fn an_invoice_dated_far_from_its_activity_is_seen() {
    let mut s = in_review();
    let activity = s.cycle.activity(1).expect("the webinar").draft.clone();
    let mut on = |day| {
        s.cycle.claims[0].lines[0].invoice.invoice_date = day;
        about_claim(&s, 1)
    };
    assert_eq!(codes(&on(activity.ends + Days::new(30))), [""; 0]);
    let late = on(activity.ends + Days::new(31));
    assert_eq!(codes(&late), ["invoice_date"]);
    assert!(late[0].words.contains("31 days after"), "{}", late[0].words);
    assert!(matches!(late[0].evidence[0], Evidence::Activity { activity: 1, .. }));
    let before = on(activity.starts - Days::new(400));
    assert!(before[0].words.ends_with("before the money was approved."), "{}", before[0].words);
}

#[test]
fn files_of_the_cycle_count_where_they_stand_for_something_else() {
    let mut s = in_review();
    let (ours, theirs) = (s.cycle.activities[0].proof[0].file, FileId(Uuid::from_u128(7)));
    let number = s.cycle.number.clone();
    let traces = Traces {
        files: vec![FileAgain { file: ours, theirs, name: "copy.pdf".to_owned(), number: number.clone(), same: true }],
        lists: vec![ListAgain { file: ours, theirs, name: "copy.csv".to_owned(), number, shared: 4, entries: 5 }],
        ..Traces::default()
    };
    let of_webinar = |s: &Situation| of_activity(s, s.cycle.activity(1).expect("the webinar"), &traces);
    assert_eq!(codes(&of_webinar(&s)), [""; 0], "a file that was replaced accuses nobody");
    let mut copy = s.cycle.activities[0].proof[0].clone();
    copy.file = theirs;
    s.cycle.activities[1].proof.push(copy);
    let found = of_webinar(&s);
    assert_eq!(codes(&found), ["same_file", "shared_list"]);
    assert!(found.iter().all(|signal| matches!(signal.evidence[0], Evidence::Activity { activity: 2, .. })));
}

#[test]
fn of_other_regions_only_a_number_is_said() {
    let s = in_review();
    let file = s.cycle.activities[0].proof[0].file;
    let elsewhere = Elsewhere { invoices: vec![(1, 2)], files: vec![(file, 1)] };
    let traces = Traces { elsewhere, ..Traces::default() };
    let claim = of_claim(&s, &s.cycle.claims[0], &traces);
    assert_eq!(claim[0].words, "An invoice of this claim is in claims of 2 cycles of other regions as well.");
    let proof = of_activity(&s, &s.cycle.activities[0], &traces);
    assert!(proof[0].words.ends_with("was handed in for a cycle of another region as well."), "{}", proof[0].words);
    assert!(claim[0].evidence.is_empty() && proof[0].evidence.is_empty());
}
