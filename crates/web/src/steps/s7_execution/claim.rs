//! One claim: /cycles/{no}/claims/{claim}. What was claimed, what finance decides, what was paid, what comes back;
//! and the same as a pack on paper.

pub mod returned;

use actix_web::web::Path;
use askama::Template;
use domain::calendar::plus;
use domain::deadlines::pay_by;
use domain::ledger::Account;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::money::Money;
use domain::signals::of_claim;
use domain::steps::s6_approval::committed;
use domain::steps::s7_execution::{self as rules, Claim, ClaimState};
use storage::WhichCycle;
use storage::read::Paging;

use super::{claim_href, files};
use crate::error::{Answer, Error};
use crate::extract::{Done, Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::routes;
use crate::shell::Shell;
use crate::steps::s6_approval::describe;
use crate::steps::{look, objections, signals};
use crate::view::{
    Amount, Badge, Due, Fact, Facts, Field, Form, HeaderStrip, Hub, Rules, Signals, Value, claim_badge, date_words,
};

#[derive(Template)]
#[template(path = "s7_execution/claim.html")]
struct ClaimPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    href: String,
    record: Record,
    act: Option<Decide>,
    /// To report a payment that came back.
    came_back: Option<Form>,
    barred: Option<String>,
    clocks: Hub,
    signals: Signals,
}

/// The same on paper, with everything an auditor asks for.
#[derive(Template)]
#[template(path = "s7_execution/claim_pack.html")]
struct ClaimPack {
    shell: Shell,
    number: String,
    href: String,
    partner: String,
    program: String,
    title: String,
    record: Record,
    proof: Vec<(String, Vec<(String, String)>)>,
    /// Day and words of what was asked, decided, proven and paid, oldest first.
    history: Vec<(String, String)>,
    printed: String,
}

/// What the claim says.
struct Record {
    no: u16,
    campaign: String,
    state: Badge,
    facts: Facts,
    lines: Vec<Line>,
    actual: Amount,
    asked: Amount,
    payments: Vec<PaymentLine>,
    reason: String,
    rules: Rules,
    rules_in_words: String,
    clawback: Option<Facts>,
}

struct Line {
    description: String,
    vendor: String,
    invoice_no: String,
    date: String,
    file: Option<String>,
    approved: Amount,
    actual: Amount,
    share: Amount,
}

struct PaymentLine {
    on: String,
    /// "The fund pays 1,110 USD at 1.11 USD for 1 EUR, the rate of …", where it is kept in another currency.
    in_fund: String,
    reference: String,
    /// What became of it, where the bank sent it back.
    back: String,
    amount: Amount,
    offset: Amount,
    sent: Amount,
    /// Where the settlement batch tells of the whole payment.
    remittance: Option<String>,
}

/// The right-hand side: what this person can do with the claim now.
struct Decide {
    title: &'static str,
    effect: Facts,
    note: String,
    form: Form,
    action: &'static str,
    button: String,
    /// Beside it: denying.
    other: Option<(Form, &'static str, &'static str)>,
}

/// GET /cycles/{no}/claims/{claim}
pub async fn show_page(who: Who, at: Path<(String, u16)>) -> Answer {
    let (no, claim) = at.into_inner();
    show(&page(&who, &no, claim, None, Typed::default()).await?)
}

/// GET /cycles/{no}/claims/{claim}/pack
pub async fn show_pack(who: Who, at: Path<(String, u16)>) -> Answer {
    let (no, claim) = at.into_inner();
    let s = look(&who, &no).await?;
    let found = s.cycle.claim(claim).ok_or(Error::NotFound)?;
    let of_claim = |activity: u16| found.lines.iter().any(|line| line.invoice.activity == activity);
    let proof = s.cycle.activities.iter().filter(|activity| of_claim(activity.no)).map(|activity| {
        let files = activity.proof.iter().map(|file| (file.name.clone(), files::href(file.file)));
        (activity.draft.name.clone(), files.collect())
    });
    show(&ClaimPack {
        shell: who.shell(&format!("Claim {}/{claim}", s.cycle.number)),
        number: s.cycle.number.clone(),
        href: claim_href(&s.cycle.number, claim),
        partner: s.partner.name.clone(),
        program: format!("{}, version {}", s.policy.guide.name, s.policy.guide.version),
        title: s.cycle.title.clone(),
        record: record(&who, &s, found),
        proof: proof.collect(),
        history: history(&who, &s).await?,
        printed: date_words(who.today()),
    })
}

async fn history(who: &Who, s: &Situation) -> Result<Vec<(String, String)>, Error> {
    let paging = Paging::first(500);
    let events = who.reader().timeline(who.viewer(), WhichCycle::Id(s.cycle.id), false, &paging).await?.rows;
    let of_money =
        |kind: &str| ["request.", "approval.", "proof.", "claim.", "execution."].iter().any(|of| kind.starts_with(of));
    let told = events.into_iter().rev().filter(|event| of_money(&event.kind));
    Ok(told.map(|event| (date_words(event.at.date_naive()), event.words)).collect())
}

/// POST .../approval
pub async fn approve(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = async {
        let currency = look(&who, &no).await?.cycle.currency;
        let (amount, reason) = posted.read(who.marks(), |f| {
            let (amount, reason) = (f.money("amount", currency), f.optional_long_text("reason"));
            Some((amount?, reason?.unwrap_or_default()))
        })?;
        who.advance(&no, Command::Execution(rules::Command::ApproveClaim { claim, amount, reason }), &posted).await
    };
    answer(&who, &no, claim, Act::ApproveClaim, &posted, done.await).await
}

/// POST .../denial
pub async fn deny(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Execution(rules::Command::DenyClaim { claim, reason }), &posted).await
    };
    answer(&who, &no, claim, Act::DenyClaim, &posted, done.await).await
}

/// POST .../settlement
pub async fn settle(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = async {
        let currency = look(&who, &no).await?.cycle.currency;
        let (amount, reference) = posted.read(who.marks(), |f| {
            let (amount, reference) = (f.money("amount", currency), f.text("reference"));
            Some((amount?, reference?))
        })?;
        let command = rules::Command::RecordSettlement { claim, amount, reference };
        who.advance(&no, Command::Execution(command), &posted).await
    };
    answer(&who, &no, claim, Act::RecordSettlement, &posted, done.await).await
}

/// POST .../clawback
pub async fn claw_back(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = async {
        let currency = look(&who, &no).await?.cycle.currency;
        let (amount, reason) = posted.read(who.marks(), |f| {
            let (amount, reason) = (f.money("amount", currency), f.long_text("reason"));
            Some((amount?, reason?))
        })?;
        who.advance(&no, Command::Execution(rules::Command::ProposeClawback { claim, amount, reason }), &posted).await
    };
    answer(&who, &no, claim, Act::ProposeClawback, &posted, done.await).await
}

/// POST .../clawback/confirmation
pub async fn confirm_clawback(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = who.advance(&no, Command::Execution(rules::Command::ConfirmClawback { claim }), &posted).await;
    answer(&who, &no, claim, Act::ConfirmClawback, &posted, done).await
}

/// POST .../clawback/rejection
pub async fn reject_clawback(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Execution(rules::Command::RejectClawback { claim, reason }), &posted).await
    };
    answer(&who, &no, claim, Act::RejectClawback, &posted, done.await).await
}

async fn answer(who: &Who, no: &str, claim: u16, act: Act, posted: &Posted, done: Result<Done, Error>) -> Answer {
    let to = claim_href(no, claim);
    who.settle(done, &to, posted, async |typed| page(who, no, claim, Some(act), typed).await).await
}

async fn page(who: &Who, no: &str, claim: u16, act: Option<Act>, typed: Typed) -> Result<ClaimPage, Error> {
    let s = look(who, no).await?;
    let found = s.cycle.claim(claim).ok_or(Error::NotFound)?;
    let of = |wanted: Act| if act == Some(wanted) { typed.clone() } else { Typed::default() };
    let moves = moves_of(&s, who.actor());
    let barred = barred(who, &s, found, &moves);
    let decide = if barred.is_none() { decide(who, &s, found, &moves, &of) } else { None };
    let mut strip = HeaderStrip::of(&s, who.today());
    strip.facts.clear();
    Ok(ClaimPage {
        shell: who.shell(&format!("Claim {}/{claim}", s.cycle.number)),
        strip,
        number: s.cycle.number.clone(),
        href: claim_href(&s.cycle.number, claim),
        record: record(who, &s, found),
        act: decide,
        came_back: returned::form(who, &s, found, &moves, of(Act::ReportPaymentReturn)),
        barred,
        clocks: Hub::clocks(&s, who.today(), |deadline| match deadline.item {
            domain::deadlines::Item::Claim(no) => no == claim,
            domain::deadlines::Item::Campaign(no) => no == found.campaign,
            _ => false,
        }),
        signals: signals(who, &s, |s, traces| of_claim(s, found, traces)).await?,
    })
}

/// Requester, approver and payer are three people: asked of the rules before a button is drawn.
fn barred(who: &Who, s: &Situation, claim: &Claim, moves: &[Act]) -> Option<String> {
    if !moves.contains(&Act::ApproveClaim) {
        return None;
    }
    let no = claim.no;
    let command = match claim.state {
        ClaimState::Review => rules::Command::ApproveClaim { claim: no, amount: claim.asked, reason: String::new() },
        ClaimState::Payable | ClaimState::PartPaid => {
            rules::Command::RecordSettlement { claim: no, amount: claim.outstanding(), reference: "-".to_owned() }
        }
        _ => return None,
    };
    let people = ["own_request", "own_claim", "approved_request", "own_approval"];
    let reasons = objections(who, s, &Command::Execution(command));
    let reason = reasons.into_iter().find(|reason| people.contains(&reason.code.as_str()))?;
    Some(format!("{} {}", reason.why, reason.remedy))
}

fn decide(who: &Who, s: &Situation, claim: &Claim, moves: &[Act], typed: &dyn Fn(Act) -> Typed) -> Option<Decide> {
    let can = |act| moves.contains(&act);
    if claim.return_open().is_some() && can(Act::ConfirmPaymentReturn) {
        return returned::to_confirm(who, s, claim, typed);
    }
    match claim.state {
        ClaimState::Review if can(Act::ApproveClaim) => Some(to_approve(who, s, claim, typed)),
        // A batch pays it: two ways to the bank would be one too many.
        ClaimState::Payable | ClaimState::PartPaid if s.batched.contains_key(&claim.no) => None,
        ClaimState::Payable | ClaimState::PartPaid if can(Act::RecordSettlement) => {
            Some(to_settle(who, s, claim, typed(Act::RecordSettlement)))
        }
        ClaimState::Paid => match &claim.clawback {
            None if can(Act::ProposeClawback) => Some(to_claw_back(who, s, claim, typed(Act::ProposeClawback))),
            Some(_) if can(Act::ConfirmClawback) => Some(to_confirm(who, s, claim, typed)),
            _ => None,
        },
        _ => None,
    }
}

fn to_approve(who: &Who, s: &Situation, claim: &Claim, typed: &dyn Fn(Act) -> Typed) -> Decide {
    let cycle = &s.cycle;
    let held = Money::new(committed(cycle, &s.book, claim.campaign), cycle.currency);
    let rest = Money::new(held.minor - claim.asked.minor, cycle.currency);
    let mut facts = vec![
        Fact::new("The program pays", claim.asked).note("the share of what was spent, at most what is committed"),
        Fact::new("Committed to the campaign", Value::Change(held.into(), rest.into())),
    ];
    if let Some(kept) = &cycle.approval.exchange {
        let aside = kept.moves(claim.campaign, -claim.asked.minor).unwrap_or(0);
        let aside = Money::new(-aside, kept.rate.to);
        facts.push(Fact::new("Set aside in the fund", aside).note(kept.rate.words()));
    }
    if claim.is_final && rest.is_positive() {
        facts.push(Fact::new("Goes back to the wallet", rest).note("the last claim on this campaign"));
    }
    let mut why = Field::area("reason", "Why it is denied, for the partner", 2);
    "deny-reason".clone_into(&mut why.id);
    let form = who
        .form_at(cycle.version)
        .with(
            Field::amount("amount", "Amount to approve", cycle.currency.code())
                .value_is(claim.asked.written(who.marks()))
                .hint(format!("At most {}.", Amount::from(claim.asked).plain())),
        )
        .with(Field::area("reason", "Reason, if less than claimed", 2).optional());
    let other = typed(Act::DenyClaim).onto(who.form_at(cycle.version).with(why));
    Decide {
        title: "Decide the claim",
        effect: Facts { facts },
        note: "Somebody else in finance pays it.".to_owned(),
        form: typed(Act::ApproveClaim).onto(form),
        action: "approval",
        button: "Approve this amount".to_owned(),
        other: Some((other, "denial", "Deny the claim")),
    }
}

fn to_settle(who: &Who, s: &Situation, claim: &Claim, typed: Typed) -> Decide {
    let cycle = &s.cycle;
    let left = claim.outstanding();
    let mut facts =
        vec![Fact::new("Outstanding", left).note(format!("of {} approved", Amount::from(claim.approved).plain()))];
    let offset = match rules::in_fund(s, claim, left, who.today()) {
        Ok(None) => {
            let owed = cycle.fund().map_or(0, |fund| s.book.minor(&Account::recoverable(fund, s.partner.id)));
            Money::new(owed.min(left.minor).max(0), cycle.currency)
        }
        Ok(Some(paid)) => {
            facts.extend(from_the_fund(&paid));
            paid.offset_of(left)
        }
        Err(refusal) => {
            let missing = refusal.reasons.into_iter();
            facts.extend(missing.map(|reason| Fact::new("Exchange rate", reason.why).note(reason.remedy)));
            cycle.zero()
        }
    };
    if offset.is_positive() {
        let sent = Money::new(left.minor - offset.minor, cycle.currency);
        facts.push(Fact::new("Held back", offset).note("against an earlier claw back"));
        facts.push(Fact::new("To transfer", sent).note("when all of it is paid now"));
    }
    let form = who
        .form_at(cycle.version)
        .with(
            Field::amount("amount", "Amount to settle", cycle.currency.code())
                .value_is(left.written(who.marks()))
                .hint("Less than all of it is an instalment."),
        )
        .with(Field::text("reference", "Payment reference").hint("As it stands on the bank transfer."));
    Decide {
        title: "Pay the claim",
        effect: Facts { facts },
        note: "Record what the bank has sent; Fundloop moves no money itself.".to_owned(),
        form: typed.onto(form),
        action: "settlement",
        button: "Record the payment".to_owned(),
        other: None,
    }
}

/// What paying takes out of a fund of another currency.
fn from_the_fund(paid: &rules::InFund) -> Vec<Fact> {
    let mut facts = vec![Fact::new("Takes from the fund", paid.due).note(paid.rate.words())];
    let variance = paid.variance();
    if !variance.is_zero() {
        let label = if variance.is_positive() { "Exchange loss" } else { "Exchange gain" };
        let held = format!("{} was set aside for it", Amount::from(paid.committed).plain());
        facts.push(Fact::new(label, Money::new(variance.minor.abs(), variance.currency)).note(held));
    }
    facts
}

fn to_claw_back(who: &Who, s: &Situation, claim: &Claim, typed: Typed) -> Decide {
    let form = who
        .form_at(s.cycle.version)
        .with(
            Field::amount("amount", "Amount to ask back", s.cycle.currency.code())
                .hint(format!("At most {}.", Amount::from(claim.paid()).plain())),
        )
        .with(Field::area("reason", "Why", 2));
    Decide {
        title: "Ask money back",
        effect: Facts { facts: vec![Fact::new("Paid", claim.paid())] },
        note: "A second person in finance confirms it. What comes back is held back from later claims, or returned."
            .to_owned(),
        form: typed.onto(form),
        action: "clawback",
        button: "Propose the claw back".to_owned(),
        other: None,
    }
}

/// A second person confirms or rejects it; who proposed it can take it back.
fn to_confirm(who: &Who, s: &Situation, claim: &Claim, typed: &dyn Fn(Act) -> Typed) -> Decide {
    let amount = claim.clawback.as_ref().map_or_else(|| s.cycle.zero(), |clawback| clawback.amount);
    let comes_back = rules::owed_in_fund(s, claim, amount).unwrap_or(amount);
    let owed = s.cycle.fund().map_or(0, |fund| s.book.minor(&Account::recoverable(fund, s.partner.id)));
    let owed = Money::new(owed, comes_back.currency);
    let after = Money::new(owed.minor + comes_back.minor, owed.currency);
    let no_claw_back = |label: &str| {
        typed(Act::RejectClawback).onto(who.form_at(s.cycle.version).with(Field::area("reason", label, 2)))
    };
    let confirm = Command::Execution(rules::Command::ConfirmClawback { claim: claim.no });
    if objections(who, s, &confirm).iter().any(|reason| reason.code == "second_person") {
        return Decide {
            title: "Claw back proposed",
            effect: Facts { facts: vec![Fact::new("Asked back", amount)] },
            note: "A second person in finance confirms or rejects it. Until then you can take it back.".to_owned(),
            form: no_claw_back("Why you take it back"),
            action: "clawback/rejection",
            button: "Take the proposal back".to_owned(),
            other: None,
        };
    }
    Decide {
        title: "Confirm the claw back",
        effect: Facts {
            facts: vec![Fact::new("To come back from the partner", Value::Change(owed.into(), after.into()))],
        },
        note: claim.clawback.as_ref().map_or_else(String::new, |clawback| clawback.reason.clone()),
        form: typed(Act::ConfirmClawback).onto(who.form_at(s.cycle.version)),
        action: "clawback/confirmation",
        button: format!("Claw back {}", Amount::from(amount).plain()),
        other: Some((no_claw_back("Why nothing is asked back"), "clawback/rejection", "Reject the claw back")),
    }
}

fn record(who: &Who, s: &Situation, claim: &Claim) -> Record {
    let (cycle, for_partner) = (&s.cycle, who.actor().me.is_partner());
    let line = |line: &rules::ClaimLine| Line {
        description: describe(cycle, line.invoice.activity, line.invoice.line),
        vendor: line.invoice.vendor.clone(),
        invoice_no: line.invoice.invoice_no.clone(),
        date: date_words(line.invoice.invoice_date),
        file: line.invoice.file.map(files::href),
        approved: approved(s, line.invoice.activity, line.invoice.line).into(),
        actual: line.invoice.actual.into(),
        share: line.share.into(),
    };
    let payment = |payment: &rules::Payment| PaymentLine {
        on: date_words(payment.at.date_naive()),
        // What a rate cost the vendor is no partner's affair.
        in_fund: payment.in_fund.filter(|_| !for_partner).map_or_else(String::new, |paid| paid.words()),
        reference: payment.reference.clone(),
        back: returned::words(payment),
        amount: payment.amount.into(),
        offset: payment.offset.into(),
        sent: payment.transferred().into(),
        remittance: payment.batch.as_ref().map(|by| format!("/remittances/{}/{}", by.number, by.payment)),
    };
    Record {
        no: claim.no,
        campaign: cycle.campaign(claim.campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone()),
        state: claim_badge(claim.state),
        facts: Facts { facts: facts(who, s, claim) },
        lines: claim.lines.iter().map(line).collect(),
        actual: cycle.sum(claim.lines.iter().map(|line| line.invoice.actual)).into(),
        asked: claim.asked.into(),
        payments: claim.payments.iter().map(payment).collect(),
        reason: claim.reason.clone(),
        rules: Rules::of(&claim.verdicts),
        rules_in_words: Rules::words(&claim.verdicts),
        clawback: claim.clawback.as_ref().map(|clawback| Facts {
            facts: vec![
                Fact::new("Asked back", clawback.amount).note(of_the_fund(clawback.in_fund)),
                Fact::new("Because", clawback.reason.clone()),
                Fact::new(
                    "Confirmed",
                    if clawback.confirmed_by.is_some() { "Yes" } else { "Not yet, a second person does" },
                ),
            ],
        }),
    }
}

fn approved(s: &Situation, activity: u16, line: u16) -> Money {
    let found = s.cycle.approval.lines.iter().find(|found| found.activity == activity && found.line == line);
    found.map_or_else(|| s.cycle.zero(), |line| line.amount)
}

fn facts(who: &Who, s: &Situation, claim: &Claim) -> Vec<Fact> {
    let submitted = claim.submitted_at.date_naive();
    let decided_by = plus(submitted, s.policy.claim.review_days);
    let today = who.today();
    let code = s.cycle.campaign(claim.campaign).and_then(|campaign| campaign.code.clone());
    let mut facts = vec![
        Fact::new("Campaign ID", code.unwrap_or_else(|| "none yet".to_owned())),
        Fact::new("Handed in", date_words(submitted)).note(if claim.is_final {
            "the last claim on this campaign"
        } else {
            ""
        }),
    ];
    match claim.state {
        ClaimState::Review => facts.push(Fact::new("Finance answers by", Due { on: decided_by, today })),
        ClaimState::Payable | ClaimState::PartPaid => {
            facts.push(Fact::new("To be paid by", Due { on: pay_by(s, claim), today }));
        }
        _ => {}
    }
    facts.push(Fact::new("Claimed", claim.asked));
    if claim.decided_by.is_some() {
        facts.push(Fact::new("Approved", claim.approved).note(of_the_fund(claim.in_fund)));
    }
    if !claim.payments.is_empty() {
        facts.push(Fact::new("Paid", claim.paid()));
    }
    if let Some(day) = claim.keep_until(&s.policy) {
        let years = s.policy.retention.as_ref().map_or(0, |rules| u64::from(rules.years));
        let words = format!("{} after the last payment", crate::view::count(years, "year", "years"));
        facts.push(Fact::new("Records are kept until", date_words(day)).note(words));
    }
    if let Some(number) = s.batched.get(&claim.no) {
        let (text, href) = (number.clone(), format!("/settlements/{number}"));
        let opens = routes::opens("/settlements", who.signed());
        let value = if opens { Value::Link { text, href } } else { Value::Text(text) };
        facts.push(Fact::new("In the payment batch", value));
    }
    facts
}

/// "1,080 USD of the fund", where it is kept in another currency.
fn of_the_fund(amount: Option<Money>) -> String {
    amount.map_or_else(String::new, |amount| format!("{} of the fund", Amount::from(amount).plain()))
}
