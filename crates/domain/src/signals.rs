//! Signals: what deserves a second look before money is approved or paid. Each says what was seen and where to look. None
//! is an accusation, none decides anything, and only the vendor's reviewers see them.

use crate::Date;
use crate::calendar::words as day_words;
use crate::ids::FileId;
use crate::machine::Situation;
use crate::money::Money;
use crate::steps::s4_action_plan::Activity;
use crate::steps::s7_execution::{Claim, ClaimLine, ClaimState, claim_due, last_day_to_claim};
use serde::Serialize;

/// Two requests of one partner this many days apart or less may be one that was split.
const SPLIT_DAYS: i64 = 30;
/// A sum this part of a band's lower end under it is just under it: one fiftieth.
const JUST_UNDER: i64 = 50;
/// A lead list shares too much with an earlier one from this part of its entries on: one fifth.
const SHARED: u64 = 5;

/// One thing to look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Signal {
    /// `same_invoice`, `invoice_date`, `same_file`, `near_image`, `shared_list`, `just_under`, `split_request`.
    pub code: &'static str,
    pub words: String,
    pub evidence: Vec<Evidence>,
}

/// Where to look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Evidence {
    Cycle { number: String },
    Claim { number: String, claim: u16 },
    File { id: FileId, name: String, number: String },
}

/// What a signal is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum About {
    Request,
    Activity { no: u16 },
    Claim { no: u16 },
}

/// What was found beyond the cycle itself, as far as the reviewer may see.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Traces {
    pub invoices: Vec<InvoiceAgain>,
    pub files: Vec<FileAgain>,
    pub lists: Vec<ListAgain>,
    pub requests: Vec<RequestNear>,
}

/// Another cycle's claim with an invoice of the same number, vendor and amount as one of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvoiceAgain {
    /// Our claim.
    pub claim: u16,
    pub number: String,
    pub their_claim: u16,
    pub invoice_no: String,
    pub vendor: String,
    pub amount: Money,
}

/// Another cycle's file like one of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileAgain {
    /// Our file.
    pub file: FileId,
    pub theirs: FileId,
    pub name: String,
    pub number: String,
    /// The same content; otherwise an image that looks the same.
    pub same: bool,
}

/// Another cycle's list that names people our list names too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListAgain {
    /// Our file.
    pub file: FileId,
    pub theirs: FileId,
    pub name: String,
    pub number: String,
    /// People on both.
    pub shared: u64,
    /// People on ours.
    pub entries: u64,
}

/// Another request of the same partner in the same program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestNear {
    pub number: String,
    pub total: Money,
    pub submitted_on: Date,
}

/// Every signal of a cycle, with what each is about.
pub fn all(s: &Situation, traces: &Traces) -> Vec<(About, Signal)> {
    let request = of_request(s, traces).into_iter().map(|signal| (About::Request, signal));
    let activities = s.cycle.activities.iter().flat_map(|activity| {
        let about = About::Activity { no: activity.no };
        of_activity(s, activity, traces).into_iter().map(move |signal| (about, signal))
    });
    let claims = s.cycle.claims.iter().flat_map(|claim| {
        let about = About::Claim { no: claim.no };
        of_claim(s, claim, traces).into_iter().map(move |signal| (about, signal))
    });
    request.chain(activities).chain(claims).collect()
}

/// What is worth a look before the request is decided.
pub fn of_request(s: &Situation, traces: &Traces) -> Vec<Signal> {
    let total = s.cycle.request.total(&s.cycle);
    let bands = s.policy.bands_for(Some(&s.partner.country), s.cycle.currency);
    let bands: Vec<_> = bands.into_iter().map(|band| (band, s.policy.amount(band.from))).collect();
    let mut signals = Vec::new();
    for (band, from) in &bands {
        if from.minor > total.minor && from.minor - total.minor <= from.minor / JUST_UNDER {
            let under = Money::new(from.minor - total.minor, from.currency);
            let words = format!("The sum is {under} under the amount from which {} decides as well.", band.name);
            signals.push(Signal { code: "just_under", words, evidence: Vec::new() });
        }
    }
    let Some(submitted) = &s.cycle.request.submitted else { return signals };
    let on = submitted.at.date_naive();
    for other in &traces.requests {
        let days = (other.submitted_on - on).num_days().abs();
        if days > SPLIT_DAYS || other.total.currency != total.currency {
            continue;
        }
        let more = total.minor.max(other.total.minor);
        let both = total.minor.saturating_add(other.total.minor);
        let passed = bands.iter().rev().find(|(_, from)| more < from.minor && from.minor <= both);
        if let Some((band, from)) = passed {
            let words = format!(
                "With {} of {}, asked for on {}, it would be {}: from {from} {} decides as well.",
                other.total,
                other.number,
                day_words(other.submitted_on),
                Money::new(both, total.currency),
                band.name
            );
            let evidence = vec![Evidence::Cycle { number: other.number.clone() }];
            signals.push(Signal { code: "split_request", words, evidence });
        }
    }
    signals
}

/// What is worth a look before the proof is accepted.
pub fn of_activity(s: &Situation, activity: &Activity, traces: &Traces) -> Vec<Signal> {
    let mut signals = Vec::new();
    for file in &activity.proof {
        let twice = s
            .cycle
            .activities
            .iter()
            .find(|other| other.no != activity.no && other.proof.iter().any(|proof| proof.file == file.file));
        if let Some(other) = twice {
            let words = format!("“{}” is proof of “{}” as well.", file.name, other.draft.name);
            signals.push(Signal { code: "same_file", words, evidence: Vec::new() });
        }
        signals.extend(of_file(file.file, &file.name, traces));
        let lists = traces.lists.iter().filter(|list| list.file == file.file && list.shared * SHARED >= list.entries);
        signals.extend(lists.map(|list| Signal {
            code: "shared_list",
            words: format!(
                "{} of the {} people on “{}” are on “{}” of {} too.",
                list.shared, list.entries, file.name, list.name, list.number
            ),
            evidence: vec![evidence(list.theirs, &list.name, &list.number)],
        }));
    }
    signals
}

/// What is worth a look before the claim is decided or paid.
pub fn of_claim(s: &Situation, claim: &Claim, traces: &Traces) -> Vec<Signal> {
    let mut signals: Vec<Signal> = claim.lines.iter().flat_map(|line| of_invoice(s, claim, line)).collect();
    let again = traces.invoices.iter().filter(|invoice| invoice.claim == claim.no);
    signals.extend(again.map(|invoice| Signal {
        code: "same_invoice",
        words: format!(
            "Invoice {} of {} over {} is in claim {} of {} as well.",
            invoice.invoice_no, invoice.vendor, invoice.amount, invoice.their_claim, invoice.number
        ),
        evidence: vec![Evidence::Claim { number: invoice.number.clone(), claim: invoice.their_claim }],
    }));
    for line in &claim.lines {
        if let Some(file) = line.invoice.file {
            signals.extend(of_file(file, &format!("Invoice {}", line.invoice.invoice_no), traces));
        }
    }
    signals
}

/// An invoice beside the other claims of its cycle and the days of its activity.
fn of_invoice(s: &Situation, claim: &Claim, line: &ClaimLine) -> Vec<Signal> {
    let invoice = &line.invoice;
    let same = |found: &ClaimLine| {
        found.invoice.invoice_no.trim().eq_ignore_ascii_case(invoice.invoice_no.trim())
            && found.invoice.vendor.trim().eq_ignore_ascii_case(invoice.vendor.trim())
    };
    let again = s
        .cycle
        .claims
        .iter()
        .filter(|other| other.no != claim.no && other.state != ClaimState::Denied && other.lines.iter().any(same));
    let mut signals: Vec<Signal> = again
        .map(|other| Signal {
            code: "same_invoice",
            words: format!("Invoice {} of {} is in claim {} as well.", invoice.invoice_no, invoice.vendor, other.no),
            evidence: vec![Evidence::Claim { number: s.cycle.number.clone(), claim: other.no }],
        })
        .collect();
    let Some(activity) = s.cycle.activity(invoice.activity) else { return signals };
    let approved = s.cycle.approval.decisions.first().map(|decision| decision.at.date_naive());
    let last = last_day_to_claim(s, activity.draft.campaign).unwrap_or_else(|| claim_due(s, activity.draft.ends));
    let words = if approved.is_some_and(|day| invoice.invoice_date < day) {
        let dated = day_words(invoice.invoice_date);
        format!("Invoice {} is dated {dated}, before the money was approved.", invoice.invoice_no)
    } else if invoice.invoice_date > last {
        format!("Invoice {} is dated long after “{}” ended.", invoice.invoice_no, activity.draft.name)
    } else {
        return signals;
    };
    signals.push(Signal { code: "invoice_date", words, evidence: Vec::new() });
    signals
}

fn of_file(file: FileId, name: &str, traces: &Traces) -> impl Iterator<Item = Signal> {
    traces.files.iter().filter(move |again| again.file == file).map(move |again| {
        let (code, like) = if again.same { ("same_file", "the same file as") } else { ("near_image", "looks like") };
        let is = if again.same { "is " } else { "" };
        let words = format!("“{name}” {is}{like} “{}” of {}.", again.name, again.number);
        Signal { code, words, evidence: vec![evidence(again.theirs, &again.name, &again.number)] }
    })
}

fn evidence(id: FileId, name: &str, number: &str) -> Evidence {
    Evidence::File { id, name: name.to_owned(), number: number.to_owned() }
}
