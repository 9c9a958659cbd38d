//! Step 6, funds approval: /cycles/{no}/approval, the page a decision is made on, and what is posted from it.
//!
//! Facts left, decision right. The button names the sum it approves; when the lines typed come to another sum, the
//! page comes back with the new sum on the button, so that nobody approves an amount they have not read.

mod bulk;
mod facts;
mod inbox;

use actix_web::web::Path;
use askama::Template;
use domain::Date;
use domain::cycle::{Cycle, Stage};
use domain::ledger::AccountKind;
use domain::machine::{self, Act, Command, Situation, moves_of};
use domain::money::Money;
use domain::signals::of_request;
use domain::steps::s5_request::RequestLine;
use domain::steps::s6_approval::{self as rules, LineDecision};

pub use bulk::{Decided, MOST_AT_ONCE, Pick, approve_all, confirm};
pub use inbox::{filter_of, show_inbox};

use super::{look, signals, timeline};
use crate::error::{Answer, Error};
use crate::extract::{Done, Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Badge, Fact, Facts, Field, Form, HeaderStrip, Signals, Timeline, Value, count, date_words};
use facts::ApprovalFacts;

#[derive(Template)]
#[template(path = "s6_approval/approval.html")]
struct ApprovalPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    facts: ApprovalFacts,
    signals: Signals,
    decide: Option<Decide>,
    /// Why the one who looks cannot decide, though their role could.
    barred: Option<String>,
    answer: Option<Form>,
    withdraw: bool,
    outcome: Option<Outcome>,
    ended: Option<Badge>,
    last_reason: Option<String>,
    open_question: Option<String>,
    timeline: Timeline,
}

impl ApprovalPage {
    fn to(&self, what: &str) -> String {
        format!("/cycles/{}/approval/{what}", self.number)
    }
}

/// The right-hand side: everything an approver can do.
struct Decide {
    form: Form,
    lines: Vec<DecisionLine>,
    effect: Facts,
    next: String,
    total: String,
    /// Declining an amendment leaves what was approved before in place.
    amendment: bool,
    give_back: Form,
    decline: Form,
    ask: Option<Form>,
}

struct DecisionLine {
    description: String,
    about: String,
    asked: Amount,
    cost: Amount,
    amount: String,
    reason: String,
}

/// What was decided in the end, line by line.
struct Outcome {
    lines: Vec<DecidedLine>,
    total: Amount,
    /// The rate that was kept, where the fund is of another currency.
    rate: Option<String>,
    codes: Vec<(String, String)>,
}

struct DecidedLine {
    description: String,
    asked: Amount,
    approved: Amount,
    reason: String,
}

/// GET /cycles/{no}/approval
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, None, Typed::default()).await?)
}

/// POST /cycles/{no}/approval/decision: an amount for every line, and a reason where it is less than asked.
pub async fn decide(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let s = look(&who, &no).await?;
        let lines = posted.read(who.marks(), |f| read_lines(&s.cycle, f))?;
        who.advance(&no, Command::Approval(rules::Command::Approve { lines }), &posted).await
    };
    answer(&who, &no, &posted, Act::Approve, done.await).await
}

/// POST /cycles/{no}/approval/return
pub async fn give_back(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = with_reason(&who, &no, &posted, |reason| rules::Command::Return { reason }).await;
    answer(&who, &no, &posted, Act::ReturnRequest, done).await
}

/// POST /cycles/{no}/approval/refusal
pub async fn decline(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = with_reason(&who, &no, &posted, |reason| rules::Command::Decline { reason }).await;
    answer(&who, &no, &posted, Act::DeclineRequest, done).await
}

/// POST /cycles/{no}/approval/question
pub async fn ask(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let question = posted.read(who.marks(), |f| f.long_text("question"))?;
        who.advance(&no, Command::Approval(rules::Command::Ask { question }), &posted).await
    };
    answer(&who, &no, &posted, Act::AskInformation, done.await).await
}

/// POST /cycles/{no}/approval/answer
pub async fn reply(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let text = posted.read(who.marks(), |f| f.long_text("text"))?;
        who.advance(&no, Command::Approval(rules::Command::Answer { text }), &posted).await
    };
    answer(&who, &no, &posted, Act::AnswerInformation, done.await).await
}

async fn with_reason(
    who: &Who,
    no: &str,
    posted: &Posted,
    command: impl FnOnce(String) -> rules::Command,
) -> Result<Done, Error> {
    let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
    who.advance(no, Command::Approval(command(reason)), posted).await
}

/// Back to the decision's page; one that is no longer theirs to decide shows what came of it.
async fn answer(who: &Who, no: &str, posted: &Posted, act: Act, done: Result<Done, Error>) -> Answer {
    let to = format!("/cycles/{no}/approval");
    who.settle(done, &to, posted, async |typed| page(who, no, Some(act), typed).await).await
}

fn read_lines(cycle: &Cycle, f: &mut Fields) -> Option<Vec<LineDecision>> {
    let shown = f.optional_text("shown");
    let read: Vec<Option<LineDecision>> = cycle
        .approval
        .ceiling(cycle)
        .iter()
        .map(|most| {
            let amount = f.money(&field("amount", most), cycle.currency);
            let reason = f.optional_long_text(&field("reason", most));
            Some(LineDecision {
                activity: most.activity,
                line: most.line,
                amount: amount?,
                reason: reason?.unwrap_or_default(),
            })
        })
        .collect();
    let lines: Vec<LineDecision> = read.into_iter().collect::<Option<_>>()?;
    let total = cycle.sum(lines.iter().map(|line| line.amount));
    if shown?.is_none_or(|shown| shown != total.minor.to_string()) {
        let total = Amount::from(total).plain();
        f.problem(
            "",
            format!("The lines now come to {total}. Look at the effect, then press the button that says so."),
        );
        return None;
    }
    Some(lines)
}

fn field(name: &str, line: &RequestLine) -> String {
    format!("{name}_{}_{}", line.activity, line.line)
}

/// The page; `act` says which of its forms was sent, so that what was typed goes back into that one.
async fn page(who: &Who, no: &str, act: Option<Act>, typed: Typed) -> Result<ApprovalPage, Error> {
    let s = look(who, no).await?;
    let moves = moves_of(&s, who.actor());
    let barred = moves.contains(&Act::Approve).then(|| barred(who, &s)).flatten();
    let can_decide = moves.contains(&Act::Approve) && barred.is_none();
    let of = |wanted: Act| if act == Some(wanted) { typed.clone() } else { Typed::default() };
    let answer = moves.contains(&Act::AnswerInformation) && s.cycle.approval.open_question().is_some();
    Ok(ApprovalPage {
        shell: who.shell(&format!("Approval, {}", s.cycle.number)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        facts: ApprovalFacts::of(&s),
        signals: signals(who, &s, of_request).await?,
        decide: can_decide.then(|| Decide::of(who, &s, &of)),
        barred,
        answer: answer.then(|| {
            let form = who.form_at(s.cycle.version).with(Field::area("text", "Your answer", 4));
            of(Act::AnswerInformation).onto(form)
        }),
        withdraw: moves.contains(&Act::WithdrawRequest),
        outcome: outcome(&s),
        ended: facts::ended(s.cycle.stage),
        last_reason: s.cycle.request.returned.clone(),
        open_question: s.cycle.approval.open_question().map(|question| question.text.clone()),
        timeline: timeline(who, &s).await?,
    })
}

/// The rules that keep requester and approvers apart, asked before anybody presses a button.
fn barred(who: &Who, s: &Situation) -> Option<String> {
    let lines = whole(&s.cycle);
    let command = Command::Approval(rules::Command::Approve { lines });
    let refusal = machine::decide(s, who.actor(), &command, who.now()).err()?;
    let reason = refusal.reasons.iter().find(|reason| matches!(reason.code.as_str(), "own_request" | "two_levels"))?;
    Some(format!("{} {}", reason.why, reason.remedy))
}

/// Every line as asked, or as the level below left it.
fn whole(cycle: &Cycle) -> Vec<LineDecision> {
    let ceiling = cycle.approval.ceiling(cycle);
    let line = |most: &RequestLine| LineDecision {
        activity: most.activity,
        line: most.line,
        amount: most.asked,
        reason: String::new(),
    };
    ceiling.iter().map(line).collect()
}

impl Decide {
    fn of(who: &Who, s: &Situation, typed: &dyn Fn(Act) -> Typed) -> Self {
        let cycle = &s.cycle;
        let mine = typed(Act::Approve);
        let ceiling = cycle.approval.ceiling(cycle);
        let amount_of = |most: &RequestLine| {
            let text = mine.value(&field("amount", most))?;
            Money::parse(text, cycle.currency, who.marks()).ok()
        };
        let decided: Vec<LineDecision> = ceiling
            .iter()
            .map(|most| LineDecision {
                activity: most.activity,
                line: most.line,
                amount: amount_of(most).unwrap_or(most.asked),
                reason: String::new(),
            })
            .collect();
        let total = cycle.sum(decided.iter().map(|line| line.amount));
        let reasoned = |label: &str, id: &str| {
            let mut field = Field::area("reason", label, 3);
            id.clone_into(&mut field.id);
            who.form_at(cycle.version).with(field)
        };
        Self {
            form: mine.onto(amounts_form(who, cycle, &ceiling, total)),
            lines: ceiling.iter().filter_map(|most| decision_line(s, most)).collect(),
            effect: Facts { facts: effect(s, &decided, total, who.today()) },
            next: next(s, total),
            total: Amount::from(total).plain(),
            amendment: cycle.approval.before.is_some(),
            give_back: typed(Act::ReturnRequest).onto(reasoned("What should change", "return-reason")),
            decline: typed(Act::DeclineRequest).onto(reasoned("Why, for the partner", "decline-reason")),
            ask: cycle.approval.open_question().is_none().then(|| {
                let form = who.form_at(cycle.version).with(Field::area("question", "Your question", 3));
                typed(Act::AskInformation).onto(form)
            }),
        }
    }
}

fn amounts_form(who: &Who, cycle: &Cycle, ceiling: &[RequestLine], total: Money) -> Form {
    let mut form = who.form_at(cycle.version).with(Field::hidden("shown", total.minor.to_string()));
    for most in ceiling {
        let name = describe(cycle, most.activity, most.line);
        let before = cycle.approval.decisions.last().and_then(|decision| {
            decision.lines.iter().find(|line| line.activity == most.activity && line.line == most.line)
        });
        let mut amount = Field::amount(&field("amount", most), &format!("Amount for “{name}”"), cycle.currency.code())
            .value_is(most.asked.written(who.marks()));
        if let Some(reason) = before.map(|line| line.reason.as_str()).filter(|reason| !reason.is_empty()) {
            amount = amount.pinned(format!("The level before: {reason}"));
        }
        form = form
            .with(amount)
            .with(Field::text(&field("reason", most), &format!("Reason, if “{name}” gets less than asked")).optional());
    }
    form
}

fn decision_line(s: &Situation, most: &RequestLine) -> Option<DecisionLine> {
    let activity = &s.cycle.activity(most.activity)?.draft;
    let cost = activity.costs.iter().find(|cost| cost.no == most.line)?;
    Some(DecisionLine {
        description: cost.description.clone(),
        about: activity.name.clone(),
        asked: most.asked.into(),
        cost: cost.amount.into(),
        amount: field("amount", most),
        reason: field("reason", most),
    })
}

pub(super) fn describe(cycle: &Cycle, activity: u16, line: u16) -> String {
    let found = cycle.activity(activity).and_then(|found| found.draft.costs.iter().find(|cost| cost.no == line));
    found.map_or_else(|| format!("line {activity}.{line}"), |cost| cost.description.clone())
}

/// What the decision would do to the fund and the partner's wallet. An amendment commits only what is new.
fn effect(s: &Situation, decided: &[LineDecision], total: Money, today: Date) -> Vec<Fact> {
    let cycle = &s.cycle;
    let Some((fund, effect)) = cycle.fund().and_then(|fund| s.fund(fund)).zip(rules::effect(s, today)) else {
        return Vec::new();
    };
    let stood = stood(cycle);
    let mut facts = vec![Fact::new("Approve", total).note(count(decided.len() as u64, "cost line", "cost lines"))];
    if stood.is_positive() {
        facts.push(Fact::new("Approved before", stood).note("only the difference moves"));
    }
    let change = match rules::in_fund(s, decided, today) {
        Ok(None) => total.minor - stood.minor,
        Ok(Some((takes, rate))) => {
            facts.push(Fact::new("Takes from the fund", takes).note(rate.words()));
            takes.minor
        }
        Err(refusal) => {
            let missing = refusal.reasons.into_iter();
            facts.extend(missing.map(|reason| Fact::new("Exchange rate", reason.why).note(reason.remedy)));
            return facts;
        }
    };
    let after = |before: Money| Value::Change(before.into(), Money::new(before.minor - change, before.currency).into());
    match effect.wallet_free {
        Some(wallet) => {
            facts.push(Fact::new(format!("Wallet of {}", s.partner.name), after(wallet)).note(fund.name.clone()));
            let note = "as before: the money comes from the partner's wallet";
            facts.push(Fact::new(format!("{}, unallocated", fund.name), effect.fund_free).note(note));
        }
        None => {
            facts.push(
                Fact::new(format!("Free in {}", fund.name), after(effect.fund_free))
                    .note("shared by all partners of the program"),
            );
        }
    }
    if let Some(words) = expiring(s, change, today) {
        facts.push(Fact::new("Taken from", words));
    }
    facts
}

/// What stands approved of the activity an amendment changes; nothing in a first round.
fn stood(cycle: &Cycle) -> Money {
    let amended = |line: &&LineDecision| cycle.approval.amending() == Some(line.activity);
    cycle.sum(cycle.approval.lines.iter().filter(amended).map(|line| line.amount))
}

/// "10,000 EUR that expires on Tue 30 June 2026": the credit that is used first.
fn expiring(s: &Situation, wanted: i64, today: Date) -> Option<String> {
    let fund = s.fund(s.cycle.fund()?).filter(|fund| !fund.kind.is_shared())?;
    let draws = s.book.draw(wanted.max(0), |account| {
        account.fund == fund.id && account.kind == AccountKind::Available && account.lot.is_none_or(|day| day >= today)
    })?;
    let dated = draws.iter().filter_map(|(account, minor)| {
        let amount = Amount::from(Money::new(*minor, fund.currency)).plain();
        Some(format!("{amount} that expires on {}", date_words(account.lot?)))
    });
    let words: Vec<String> = dated.collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Who decides after this level, or what happens when it is the last.
fn next(s: &Situation, decided: Money) -> String {
    let cycle = &s.cycle;
    let kept = |line: &&LineDecision| cycle.approval.amending().is_some_and(|activity| activity != line.activity);
    let whole = cycle.approval.lines.iter().filter(kept).map(|line| line.amount).chain([decided]);
    let total = cycle.sum(whole);
    let band = s.policy.levels_for(total, &s.partner).into_iter().find(|band| band.level > s.cycle.level);
    match band {
        Some(band) => format!(
            "{} decides next (level {}), because the sum reaches {}.",
            band.name,
            band.level,
            Amount::from(s.policy.amount(band.from)).plain()
        ),
        None => "This is the last level: the money is committed and the campaign IDs go out.".to_owned(),
    }
}

/// "The fund holds 9,720 USD for it, at 1.08 USD for 1 EUR, the rate of Tue 3 March 2026."
pub(super) fn at_the_rate(s: &Situation) -> Option<String> {
    let kept = s.cycle.approval.exchange.as_ref()?;
    let held = s.book.total(|account| {
        matches!(account.kind, AccountKind::Committed | AccountKind::Claimed | AccountKind::Paid)
            && account.cycle == Some(s.cycle.id)
    });
    let held = Amount::from(Money::new(held, kept.rate.to)).plain();
    Some(format!("The fund has {held} set aside or paid for it, at {}.", kept.rate.words()))
}

fn outcome(s: &Situation) -> Option<Outcome> {
    let cycle = &s.cycle;
    let approved = &cycle.approval.lines;
    if approved.is_empty() || cycle.stage == Stage::ApprovalReview {
        return None;
    }
    let line = |line: &LineDecision| DecidedLine {
        description: describe(cycle, line.activity, line.line),
        asked: cycle.request.asked(line.activity, line.line).unwrap_or_else(|| cycle.zero()).into(),
        approved: line.amount.into(),
        reason: line.reason.clone(),
    };
    let codes =
        cycle.campaigns.iter().filter_map(|campaign| Some((campaign.draft.name.clone(), campaign.code.clone()?)));
    Some(Outcome {
        lines: approved.iter().map(line).collect(),
        total: cycle.sum(approved.iter().map(|line| line.amount)).into(),
        rate: at_the_rate(s),
        codes: codes.collect(),
    })
}
