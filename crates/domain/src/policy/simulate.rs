//! What another version of a guide would have said of a past request or claim.

use super::rules::{self, Handed};
use super::{Extendable, Judgement, Policy, Verdict};
use crate::Date;
use crate::machine::Situation;
use crate::money::Money;
use crate::steps::s4_action_plan::Activity;
use crate::steps::s7_execution::{Claim, ClaimState, ProofFile};
use crate::steps::{s5_request, s7_execution};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One rule that speaks differently of one request or claim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// `C-2026-0042`, `C-2026-0042/2`.
    pub number: String,
    /// `request` or `claim`.
    pub what: &'static str,
    pub rule: String,
    pub before: Judgement,
    pub after: Judgement,
    /// What the other version says, and what would pass.
    pub sentence: String,
    /// What the rule came to in money, where that differs: asked or paid before and after, plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amounts: Option<(Money, Money)>,
}

/// What another version changes of one cycle's request and claims. Balances are left aside: they were other ones then.
/// `other` is the same cycle under the other version, with what that version looks at of its period; `first` says whether
/// no claim of the partner had been paid on a day.
pub fn compare(s: &Situation, other: &Situation, first: impl Fn(Date) -> bool) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Some(submitted) = &s.cycle.request.submitted {
        let on = submitted.at.date_naive();
        let ((before, was), (after, is)) = (request(s, on), request(other, on));
        let number = &s.cycle.number;
        found.extend(differences(number, "request", &before, &after));
        if was != is {
            found.push(amounts(number.clone(), "request", "vendor_share", (was, is)));
        }
    }
    for claim in s.cycle.claims.iter().filter(|claim| claim.state != ClaimState::Denied) {
        let on = claim.submitted_at.date_naive();
        let said = |s: &Situation| one_claim(s, claim, on, first(on));
        let ((before, was), (after, is)) = (said(s), said(other));
        let number = format!("{}/{}", s.cycle.number, claim.no);
        found.extend(differences(&number, "claim", &before, &after));
        if was != is {
            found.push(amounts(number, "claim", "claim_amount", (was, is)));
        }
    }
    found
}

fn amounts(number: String, what: &'static str, rule: &str, (was, is): (Money, Money)) -> Difference {
    let verb = if what == "claim" { "pays" } else { "would ask" };
    let sentence = format!("It {verb} {is} instead of {was}.");
    Difference {
        number,
        what,
        rule: rule.to_owned(),
        before: Judgement::Pass,
        after: Judgement::Warn,
        sentence,
        amounts: Some((was, is)),
    }
}

/// The request as it was submitted, judged by a guide, and what it comes to.
fn request(s: &Situation, on: Date) -> (Vec<Verdict>, Money) {
    let policy: &Policy = &s.policy;
    let mut asking = s5_request::asking(s, &s5_request::submitted(s), on);
    asking.fund = None;
    let mut verdicts = rules::judge(policy, &asking);
    let priced = rules::priced(policy, &asking);
    let lines = asking.activities.iter().zip(&priced).flat_map(|(activity, most)| activity.lines.iter().zip(most));
    let total: i64 = lines.map(|(line, most)| line.asked.map_or(0, |asked| asked.minor.min(most.minor))).sum();
    let total = Money::new(total, s.cycle.currency);
    verdicts.push(rules::bands(policy, total, Some(&s.partner.country), Some(on), &[]));
    (verdicts, total)
}

/// A claim as it was made, judged by a guide: what it pays, its windows with the extensions that guide would have
/// given, how many there were before it, and the proof it rests on. Columns of lists are not part of the record.
fn one_claim(s: &Situation, claim: &Claim, on: Date, first: bool) -> (Vec<Verdict>, Money) {
    let policy: &Policy = &s.policy;
    let claimed = s7_execution::claimed_before(s, claim);
    let (pays, mut verdicts) = rules::pays(policy, &claimed);
    let mut more = MoreDays::default();
    if let Some(window) = s7_execution::claim_window(s, claim.campaign, first) {
        more = extensions(s, claim.campaign, &window, &mut verdicts);
        let window = rules::Window { extended: more.in_all, claimed_on: Some(on), ..window };
        verdicts.push(rules::window(policy, &window));
    }
    verdicts.push(rules::minimum_claim(policy, pays, claim.is_final));
    verdicts.extend(s7_execution::how_many_before(s, claim));
    let numbers: BTreeSet<u16> = claim.lines.iter().map(|line| line.invoice.activity).collect();
    for activity in numbers.into_iter().filter_map(|no| s.cycle.activity(no)) {
        verdicts.extend(proof(policy, activity, more.to_prove));
    }
    (verdicts, pays)
}

/// Days a campaign's windows were extended by.
#[derive(Clone, Copy, Default)]
struct MoreDays {
    to_prove: u16,
    in_all: u16,
}

/// The extensions that were granted and that this guide gives as well, judged one after the other.
fn extensions(s: &Situation, campaign: u16, window: &rules::Window, verdicts: &mut Vec<Verdict>) -> MoreDays {
    let (mut more, mut number) = (MoreDays::default(), 0);
    for granted in s.cycle.extensions.iter().filter(|one| one.campaign == campaign && one.granted > 0) {
        number += 1;
        let last = match granted.window {
            Extendable::Claim => rules::Window { extended: more.in_all, ..window.clone() }.last_day(&s.policy),
            Extendable::Proof => {
                rules::Provable { ends: window.ends, returned: None, extended: more.to_prove }.due(&s.policy)
            }
        };
        let (asked_on, wanted) = (Some(granted.asked_at.date_naive()), granted.granted);
        let of = rules::MoreTime { window: granted.window, last, asked_on, wanted, number };
        let said = rules::extension(&s.policy, of).about(&window.name);
        if !said.fails() {
            more.in_all = more.in_all.saturating_add(wanted);
            more.to_prove = more.to_prove.saturating_add(if granted.window == Extendable::Proof { wanted } else { 0 });
        }
        verdicts.push(said);
    }
    more
}

/// The proof of an activity as it was handed in last.
fn proof(policy: &Policy, activity: &Activity, extended: u16) -> Vec<Verdict> {
    let name = &activity.draft.name;
    let Some(kind) = policy.activity_type(&activity.draft.kind) else { return Vec::new() };
    let handed = |file: &ProofFile| Handed { item: file.item.clone(), name: Some(file.name.clone()), columns: None };
    let good = activity.proof.iter().filter(|file| file.verdict.as_ref().is_none_or(|verdict| verdict.accepted));
    let files: Vec<Handed> = good.map(handed).collect();
    let returned = activity.returned_at.map(|at| at.date_naive());
    let days = rules::Provable { ends: activity.draft.ends, returned, extended };
    let on = activity.handed_in.map(|at| at.date_naive());
    let window = on.map(|on| rules::proof_window(policy, name, days, Some(on)));
    window.into_iter().chain([rules::checklist(kind, name, &files)]).collect()
}

/// Rules whose worst verdict differs, with what the new one says.
fn differences(number: &str, what: &'static str, before: &[Verdict], after: &[Verdict]) -> Vec<Difference> {
    let (before, after) = (worst(before), worst(after));
    let differs = |(rule, now): (&str, &Verdict)| {
        let known = before.get(rule);
        let was = known.map_or(Judgement::NotApplicable, |verdict| verdict.outcome);
        let sentence = if severity(was) != severity(now.outcome) {
            format!("{} {}", now.sentence, now.remedy).trim().to_owned()
        } else if known.is_some_and(|was| levels(was) != levels(now)) {
            now.sentence.clone()
        } else {
            return None;
        };
        let (number, rule) = (number.to_owned(), rule.to_owned());
        Some(Difference { number, what, rule, before: was, after: now.outcome, sentence, amounts: None })
    };
    after.into_iter().filter_map(differs).collect()
}

/// Who decides is a difference even where everybody passes.
fn levels(verdict: &Verdict) -> Option<&super::Figure> {
    verdict.figures.get("approvers")
}

fn worst(verdicts: &[Verdict]) -> BTreeMap<&str, &Verdict> {
    let mut worst: BTreeMap<&str, &Verdict> = BTreeMap::new();
    for verdict in verdicts {
        let known = worst.entry(&verdict.rule).or_insert(verdict);
        if severity(verdict.outcome) > severity(known.outcome) {
            *known = verdict;
        }
    }
    worst
}

/// What is not applicable lets pass.
fn severity(outcome: Judgement) -> u8 {
    match outcome {
        Judgement::NotApplicable | Judgement::Pass => 0,
        Judgement::Warn => 1,
        Judgement::Fail => 2,
    }
}
