//! Signals: what deserves a second look before money is approved or paid. Each says what was seen and where to look. None
//! is an accusation, none decides anything, and only the vendor's reviewers see them.

use crate::Date;
use crate::calendar::words as day_words;
use crate::ids::FileId;
use crate::machine::Situation;
use crate::money::Money;
use crate::steps::s4_action_plan::Activity;
use crate::steps::s7_execution::{Claim, ClaimLine, ClaimState};
use serde::Serialize;

/// Two requests of one partner this many days apart or less may be one that was split.
const SPLIT_DAYS: i64 = 30;
/// A sum this part of a band's lower end under it is just under it: one fiftieth.
const JUST_UNDER: i64 = 50;
/// A lead list shares too much with an earlier one from this part of its entries on: one fifth.
const SHARED: u64 = 5;

/// An invoice dated further than this from its activity's first or last day is worth a look, in days: deposits come
/// before, final bills after.
const AROUND_DAYS: i64 = 30;

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
    Activity { number: String, activity: u16, name: String },
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

/// What was found that is like something in the cycle: in the cycle itself, and beyond it as far as the reviewer may see.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Traces {
    pub invoices: Vec<InvoiceAgain>,
    pub files: Vec<FileAgain>,
    pub lists: Vec<ListAgain>,
    pub requests: Vec<RequestNear>,
    /// How much more there is in regions the reviewer does not cover.
    pub elsewhere: Elsewhere,
}

/// In how many cycles of other regions the same was handed in; nothing else is said of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Elsewhere {
    /// By our claim: cycles with an invoice of the same number, vendor and amount.
    pub invoices: Vec<(u16, u64)>,
    /// By our file: cycles with the same content.
    pub files: Vec<(FileId, u64)>,
}

/// An invoice's number or its vendor as it is compared: "INV-77", "inv 77" and "Inv/77" are one.
pub fn invoice_key(text: &str) -> String {
    let key: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if key.is_empty() { text.trim().to_lowercase() } else { key }
}

/// Another cycle's claim with an invoice of the same number, vendor and amount as one of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvoiceAgain {
    /// Our claim.
    pub claim: u16,
    pub number: String,
    pub their_claim: u16,
    /// As it is compared: [`invoice_key`].
    pub invoice_no: String,
    pub vendor: String,
    pub amount: Money,
}

/// Another file like one of ours, of another cycle or of ours.
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

/// Another list that names people our list names too, of another cycle or of ours.
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
            let words = format!("{total} is {under} under {from}, from which {} decides as well.", band.name);
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
    let here = Place::Activity(activity.no);
    let mut signals = Vec::new();
    for file in &activity.proof {
        signals.extend(of_file(s, here, file.file, &file.name, traces));
        let shares = |list: &&ListAgain| list.file == file.file && list.shared * SHARED >= list.entries;
        signals.extend(traces.lists.iter().filter(shares).filter_map(|list| {
            let (of, mut evidence) = here.whose(s, list.theirs, &list.number)?;
            evidence.push(self::evidence(list.theirs, &list.name, &list.number));
            let words = format!(
                "{} of the {} people on “{}” are on “{}”{of} too.",
                list.shared, list.entries, file.name, list.name
            );
            Some(Signal { code: "shared_list", words, evidence })
        }));
    }
    signals
}

/// What is worth a look before the claim is decided or paid.
pub fn of_claim(s: &Situation, claim: &Claim, traces: &Traces) -> Vec<Signal> {
    let rows = claim.lines.iter().enumerate();
    let mut signals: Vec<Signal> = rows.flat_map(|(row, line)| of_invoice(s, claim, row, line)).collect();
    let again = traces.invoices.iter().filter(|invoice| invoice.claim == claim.no);
    signals.extend(again.filter_map(|again| {
        let key = |line: &&ClaimLine| {
            invoice_key(&line.invoice.invoice_no) == again.invoice_no && line.invoice.actual == again.amount
        };
        let line = claim.lines.iter().find(key)?;
        let place = format!("claim {} of {}", again.their_claim, again.number);
        let evidence = vec![Evidence::Claim { number: again.number.clone(), claim: again.their_claim }];
        Some(same_invoice(line, &place, evidence))
    }));
    let elsewhere = traces.elsewhere.invoices.iter().filter(|(no, _)| *no == claim.no);
    signals.extend(elsewhere.map(|(_, cycles)| Signal {
        code: "same_invoice",
        words: format!("An invoice of this claim is in claims of {} as well.", of_other_regions(*cycles)),
        evidence: Vec::new(),
    }));
    for line in &claim.lines {
        if let Some(file) = line.invoice.file {
            let name = format!("Invoice {}", line.invoice.invoice_no);
            signals.extend(of_file(s, Place::Claim(claim.no), file, &name, traces));
        }
    }
    signals
}

/// An invoice beside the others of its cycle and the days of its activity. One invoice over several rows is no
/// repetition: the amounts differ. Of two rows of one claim, the later one says so.
fn of_invoice(s: &Situation, claim: &Claim, row: usize, line: &ClaimLine) -> Vec<Signal> {
    let invoice = &line.invoice;
    let key = |line: &ClaimLine| {
        let invoice = &line.invoice;
        (invoice_key(&invoice.invoice_no), invoice_key(&invoice.vendor), invoice.actual)
    };
    let ours = key(line);
    let mut signals = Vec::new();
    for other in s.cycle.claims.iter().filter(|other| other.state != ClaimState::Denied || other.no == claim.no) {
        let before = if other.no == claim.no { row } else { other.lines.len() };
        let Some(found) = other.lines.iter().take(before).position(|other| key(other) == ours) else { continue };
        let place = if other.no == claim.no { format!("row {}", found + 1) } else { format!("claim {}", other.no) };
        let evidence = vec![Evidence::Claim { number: s.cycle.number.clone(), claim: other.no }];
        signals.push(same_invoice(line, &place, evidence));
    }
    let Some(activity) = s.cycle.activity(invoice.activity) else { return signals };
    let approved = s.cycle.approval.decisions.first().map(|decision| decision.at.date_naive());
    let (name, dated) = (&activity.draft.name, day_words(invoice.invoice_date));
    let early = (activity.draft.starts - invoice.invoice_date).num_days();
    let late = (invoice.invoice_date - activity.draft.ends).num_days();
    let words = if approved.is_some_and(|day| invoice.invoice_date < day) {
        format!("Invoice {} is dated {dated}, before the money was approved.", invoice.invoice_no)
    } else if early > AROUND_DAYS {
        format!("Invoice {} is dated {dated}, {early} days before “{name}” began.", invoice.invoice_no)
    } else if late > AROUND_DAYS {
        format!("Invoice {} is dated {dated}, {late} days after “{name}” ended.", invoice.invoice_no)
    } else {
        return signals;
    };
    let mut evidence =
        vec![Evidence::Activity { number: s.cycle.number.clone(), activity: activity.no, name: name.clone() }];
    evidence.extend(invoice.file.map(|file| self::evidence(file, &invoice.invoice_no, &s.cycle.number)));
    signals.push(Signal { code: "invoice_date", words, evidence });
    signals
}

fn same_invoice(line: &ClaimLine, place: &str, evidence: Vec<Evidence>) -> Signal {
    let invoice = &line.invoice;
    let (no, vendor, amount) = (&invoice.invoice_no, &invoice.vendor, invoice.actual);
    Signal {
        code: "same_invoice",
        words: format!("Invoice {no} of {vendor} over {amount} is in {place} as well."),
        evidence,
    }
}

/// What a file is handed in for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Activity(u16),
    Claim(u16),
}

impl Place {
    /// Whose a file is, in words to follow its name, and where to look; `None` where it stands for nothing beside this: it is
    /// this very place's own, or was replaced before it counted.
    fn whose(self, s: &Situation, file: FileId, number: &str) -> Option<(String, Vec<Evidence>)> {
        if number != s.cycle.number {
            return Some((format!(" of {number}"), Vec::new()));
        }
        match self {
            Place::Activity(no) => {
                let mut others = s.cycle.activities.iter().filter(|other| other.no != no);
                let other = others.find(|other| other.proof.iter().any(|proof| proof.file == file))?;
                let (number, name) = (s.cycle.number.clone(), other.draft.name.clone());
                let of = format!(", proof of “{name}”,");
                Some((of, vec![Evidence::Activity { number, activity: other.no, name }]))
            }
            Place::Claim(no) => {
                let counts = |other: &&Claim| other.no != no && other.state != ClaimState::Denied;
                let holds = |other: &&Claim| other.lines.iter().any(|line| line.invoice.file == Some(file));
                let other = s.cycle.claims.iter().filter(counts).find(holds)?;
                let evidence = Evidence::Claim { number: s.cycle.number.clone(), claim: other.no };
                Some((format!(", an invoice of claim {},", other.no), vec![evidence]))
            }
        }
    }
}

/// A file beside others of the same content or look.
fn of_file(s: &Situation, here: Place, file: FileId, name: &str, traces: &Traces) -> Vec<Signal> {
    let mut signals = Vec::new();
    // The very file, in another place of the cycle.
    if let Some((of, evidence)) = here.whose(s, file, &s.cycle.number) {
        let of = of.trim_matches([',', ' ']);
        signals.push(Signal { code: "same_file", words: format!("“{name}” is {of} as well."), evidence });
    }
    for again in traces.files.iter().filter(|again| again.file == file) {
        let Some((of, mut evidence)) = here.whose(s, again.theirs, &again.number) else { continue };
        evidence.push(self::evidence(again.theirs, &again.name, &again.number));
        let (code, like) = if again.same { ("same_file", "is the same file as") } else { ("near_image", "looks like") };
        let words = format!("“{name}” {like} “{}”{}.", again.name, of.trim_end_matches(','));
        signals.push(Signal { code, words, evidence });
    }
    let elsewhere = traces.elsewhere.files.iter().filter(|(id, _)| *id == file);
    signals.extend(elsewhere.map(|(_, cycles)| Signal {
        code: "same_file",
        words: format!("“{name}” was handed in for {} as well.", of_other_regions(*cycles)),
        evidence: Vec::new(),
    }));
    signals
}

/// "2 cycles of other regions".
fn of_other_regions(cycles: u64) -> String {
    if cycles == 1 { "a cycle of another region".to_owned() } else { format!("{cycles} cycles of other regions") }
}

fn evidence(id: FileId, name: &str, number: &str) -> Evidence {
    Evidence::File { id, name: name.to_owned(), number: number.to_owned() }
}
