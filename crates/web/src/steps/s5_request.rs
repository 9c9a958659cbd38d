//! Step 5, the request: /cycles/{no}/request, its check page, and what is posted from them.
//!
//! The guide's rules are judged on the page with the very function that decides the submission, so that nobody
//! learns of a rule by being refused.

use actix_web::web::Path;
use askama::Template;
use domain::Date;
use domain::cycle::Stage;
use domain::fund::{Fund, FundKind};
use domain::ids::FundId;
use domain::ledger::AccountKind;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::money::Money;
use domain::steps::s5_request::{self as rules, Judgement, RequestDraft, RequestLine, Verdict};

use super::look;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{
    Amount, Answer as AnswerRow, Answers, Choice, Due, Fact, Facts, Field, Form, HeaderStrip, Rules, count, date_words,
};

#[derive(Template)]
#[template(path = "s5_request/request.html")]
struct RequestPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    form: Form,
    /// The request can be written now; otherwise it is shown as it was sent.
    open: bool,
    reopen: bool,
    withdraw: bool,
    campaigns: Vec<Campaign>,
    total: Amount,
    cost: Amount,
    rules: Rules,
    rules_in_words: String,
    returned: Option<String>,
    sent: Option<Facts>,
    justification: String,
    late_reason: String,
    is_late: bool,
    terms: Vec<String>,
    last_day: Option<Due>,
}

impl RequestPage {
    fn to(&self, what: &str) -> String {
        format!("/cycles/{}/request/{what}", self.number)
    }
}

struct Campaign {
    name: String,
    lines: Vec<Line>,
    cost: Amount,
    asked: Amount,
}

struct Line {
    description: String,
    about: String,
    cost: Amount,
    asked: Amount,
    field: String,
}

#[derive(Template)]
#[template(path = "s5_request/check.html")]
struct CheckPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    form: Form,
    answers: Answers,
    effect: Facts,
    levels: Vec<String>,
    rules: Rules,
    rules_in_words: String,
    can_submit: bool,
    ask: String,
    terms: Vec<String>,
    guide_version: String,
    /// These very terms were accepted before: by whom and when, in words.
    accepted: Option<String>,
    changed: Option<Changed>,
}

/// Other terms were accepted before: which, and what is new and gone since.
struct Changed {
    since: String,
    added: Vec<String>,
    gone: Vec<String>,
}

/// GET /cycles/{no}/request
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, Typed::default()).await?)
}

/// POST /cycles/{no}/request/draft: saves what was written, and goes on to the check page where that was asked.
pub async fn save(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let read = read_draft(&who, &no, &posted).await;
    let then_check = posted.typed().has("then", "check");
    let done = match read {
        Ok(draft) => who.advance(&no, Command::Request(rules::Command::Save { draft }), &posted).await,
        Err(error) => Err(error),
    };
    let to = if then_check { format!("/cycles/{no}/request/check") } else { format!("/cycles/{no}/request") };
    who.settle(done, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

/// GET /cycles/{no}/request/check
pub async fn check(who: Who, no: Path<String>) -> Answer {
    let s = look(&who, &no).await?;
    if !moves_of(&s, who.actor()).contains(&Act::SubmitRequest) || s.cycle.request.fund.is_none() {
        return who.redirect(&format!("/cycles/{no}/request"), "Write the request first.");
    }
    show(&check_page(&who, &s, Typed::default()))
}

/// POST /cycles/{no}/request/submission: what was checked is sent, with the terms accepted.
pub async fn submit(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let accepted = posted.read(who.marks(), |f| Some(f.tick("terms_accepted")))?;
        let s = look(&who, &no).await?;
        let draft = RequestDraft { terms_accepted: accepted, ..stored(&s).ok_or(Error::NotFound)? };
        who.advance(&no, Command::Request(rules::Command::Submit { draft }), &posted).await
    };
    let done = done.await;
    who.settle(done, &format!("/cycles/{no}/request"), &posted, async |typed| {
        Ok(check_page(&who, &look(&who, &no).await?, typed))
    })
    .await
}

/// POST /cycles/{no}/request/reopening: back to the action plan.
pub async fn reopen(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = who.advance(&no, Command::Request(rules::Command::Reopen {}), &posted).await;
    let to = format!("/cycles/{no}/action-plan");
    who.settle(done, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

/// POST /cycles/{no}/request/withdrawal
pub async fn withdraw(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = who.advance(&no, Command::Request(rules::Command::Withdraw {}), &posted).await;
    let to = format!("/cycles/{no}/request");
    who.settle(done, &to, &posted, async |typed| page(&who, &no, typed).await).await
}

async fn read_draft(who: &Who, no: &str, posted: &Posted) -> Result<RequestDraft, Error> {
    let s = look(who, no).await?;
    posted.read(who.marks(), |f| draft_from(&s, f))
}

/// The draft as it was typed. A line left empty asks for nothing.
fn draft_from(s: &Situation, f: &mut Fields) -> Option<RequestDraft> {
    f.ignore("then");
    let fund = f.id::<FundId>("fund");
    let mut lines = Some(Vec::new());
    for (activity, line) in cost_lines(s) {
        match (f.optional_money(&field_of(activity, line), s.cycle.currency), &mut lines) {
            (Some(Some(asked)), Some(lines)) if !asked.is_zero() => lines.push(RequestLine { activity, line, asked }),
            (Some(_), _) => {}
            (None, lines) => *lines = None,
        }
    }
    let (justification, late) = (f.optional_long_text("justification"), f.optional_long_text("late_reason"));
    Some(RequestDraft {
        fund: fund?,
        lines: lines?,
        justification: justification?.unwrap_or_default(),
        late_reason: late?.unwrap_or_default(),
        terms_accepted: false,
    })
}

fn field_of(activity: u16, line: u16) -> String {
    format!("asked_{activity}_{line}")
}

/// Every cost line of the action plan: activity and line number, in the order they are shown.
fn cost_lines(s: &Situation) -> impl Iterator<Item = (u16, u16)> {
    s.cycle.activities.iter().flat_map(|activity| activity.draft.costs.iter().map(|cost| (activity.no, cost.no)))
}

/// The request as it is stored; `None` before it was first saved.
fn stored(s: &Situation) -> Option<RequestDraft> {
    let request = &s.cycle.request;
    Some(RequestDraft {
        fund: request.fund?,
        lines: request.lines.clone(),
        justification: request.justification.clone(),
        late_reason: request.late_reason.clone(),
        terms_accepted: false,
    })
}

/// Before the first save: the vendor's whole share of every line, from the fund with most free.
fn proposed(s: &Situation, today: Date) -> Option<RequestDraft> {
    let right = s.funds.iter().filter(|fund| fund.currency == s.cycle.currency);
    let fund = right.max_by_key(|fund| rules::free_in(s, fund, today).minor).or_else(|| s.funds.first())?;
    let lines = cost_lines(s).filter_map(|(activity, line)| {
        Some(RequestLine { activity, line, asked: rules::most_for(s, activity, line)? })
    });
    Some(RequestDraft {
        fund: fund.id,
        lines: lines.collect(),
        justification: String::new(),
        late_reason: String::new(),
        terms_accepted: false,
    })
}

async fn page(who: &Who, no: &str, typed: Typed) -> Result<RequestPage, Error> {
    let s = look(who, no).await?;
    let moves = moves_of(&s, who.actor());
    let open = moves.contains(&Act::SaveRequest);
    let draft = stored(&s).or_else(|| proposed(&s, who.today()).filter(|_| open));
    let verdicts = verdicts(&s, draft.as_ref(), who);
    let is_late = verdicts.iter().any(|verdict| verdict.rule == "lead_time" && verdict.outcome != Judgement::Pass);
    let sum = |of: &dyn Fn(u16, u16) -> Option<Money>| {
        s.cycle.sum(cost_lines(&s).filter_map(|(activity, line)| of(activity, line)))
    };
    let asked = |activity, line| asked_in(draft.as_ref(), activity, line);
    Ok(RequestPage {
        shell: who.shell(&format!("Request, {}", s.cycle.number)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        form: if open { typed.onto(form(who, &s, draft.as_ref(), is_late)) } else { Form::default() },
        open,
        reopen: moves.contains(&Act::ReopenActionPlan),
        withdraw: moves.contains(&Act::WithdrawRequest),
        campaigns: campaigns(&s, draft.as_ref()),
        total: sum(&asked).into(),
        cost: sum(&|activity, line| cost_of(&s, activity, line)).into(),
        rules_in_words: Rules::words(&verdicts),
        rules: Rules::of(&verdicts),
        returned: s.cycle.request.returned.clone(),
        sent: sent(&s),
        justification: s.cycle.request.justification.clone(),
        late_reason: s.cycle.request.late_reason.clone(),
        is_late,
        terms: rules::paragraphs(&s.policy.guide.terms),
        last_day: (s.cycle.stage == Stage::RequestDraft).then(|| last_day(&s, who)).flatten(),
    })
}

/// What the guide says of the draft: now while it is written, as it said then once it was sent.
fn verdicts(s: &Situation, draft: Option<&RequestDraft>, who: &Who) -> Vec<Verdict> {
    if let Some(sent) = s.cycle.request.submitted.as_ref().filter(|_| s.cycle.stage != Stage::RequestDraft) {
        return sent.verdicts.clone();
    }
    let all = draft.map(|draft| rules::judge(s, draft, who.today())).unwrap_or_default();
    // The terms are read and accepted on the next page.
    all.into_iter().filter(|verdict| verdict.rule != "terms").collect()
}

fn form(who: &Who, s: &Situation, draft: Option<&RequestDraft>, is_late: bool) -> Form {
    let currency = s.cycle.currency.code();
    let held = draft.map(|draft| draft.fund.to_string()).unwrap_or_default();
    let mut form = who
        .form_at(s.cycle.version)
        .with(Field::radios("fund", "Which fund should pay?", fund_choices(s, who)).value_is(held));
    for (activity, line) in cost_lines(s) {
        let (description, most) = (describe(s, activity, line), most_words(s, activity, line));
        let asked = asked_in(draft, activity, line).map(|money| money.written(who.marks())).unwrap_or_default();
        let label = format!("Amount asked for {description}");
        form =
            form.with(Field::amount(&field_of(activity, line), &label, currency).value_is(asked).hint(most).optional());
    }
    let text = |pick: fn(&RequestDraft) -> &str| draft.map(|draft| pick(draft).to_owned()).unwrap_or_default();
    let mut late = Field::area("late_reason", "Why do you ask late?", 3)
        .hint("The program wants to hear of an activity earlier than this. Say why that was not possible.")
        .value_is(text(|draft| &draft.late_reason));
    if !is_late && late.value().is_empty() {
        late = Field::hidden("late_reason", "");
    }
    form.with(
        Field::area("justification", "What will the money bring?", 5)
            .hint("Two or three sentences: the customers you will reach, and why you expect the return you forecast.")
            .value_is(text(|draft| &draft.justification)),
    )
    .with(late)
}

fn fund_choices(s: &Situation, who: &Who) -> Vec<Choice> {
    s.funds
        .iter()
        .map(|fund| {
            Choice::new(fund.id.to_string(), format!("{} ({})", fund.name, fund.code)).hint(free_words(s, fund, who))
        })
        .collect()
}

/// "14,000 EUR free for Nordwind, 2,000 EUR of it until Tue 30 June 2026".
fn free_words(s: &Situation, fund: &Fund, who: &Who) -> String {
    let free = rules::free_in(s, fund, who.today());
    match rules::in_fund(s, fund, Money::units(1, s.cycle.currency), who.today()) {
        Ok(None) => free_of(s, fund, who, free),
        Ok(Some((_, rate))) => format!("{} It pays at {}.", free_of(s, fund, who, free), rate.words()),
        Err(refusal) => {
            // Where the guide names no rate at all, another fund is the way out.
            let way_out = |reason: &domain::refusal::Reason| match reason.code.as_str() {
                "fund" => "Choose a fund in that currency.".to_owned(),
                _ => reason.remedy.clone(),
            };
            let reasons = refusal.reasons.iter().map(|reason| format!("{} {}", reason.why, way_out(reason)));
            reasons.collect::<Vec<_>>().join(" ")
        }
    }
}

fn free_of(s: &Situation, fund: &Fund, who: &Who, free: Money) -> String {
    let free = Amount::from(free).plain();
    if fund.kind.is_shared() {
        let case = if fund.kind == FundKind::Proposal {
            " It is asked case by case: write your case, at least 200 letters, for those who decide."
        } else {
            " First come, first served."
        };
        return format!("{free} free, shared by all partners of the program.{case}");
    }
    let good = |day: Option<Date>| day.is_none_or(|day| day >= who.today());
    let lots = s.book.lots(|lot| lot.fund == fund.id && lot.kind == AccountKind::Available && good(lot.lot));
    let soonest = lots.first().and_then(|lot| Some((lot.account.lot?, lot.amount)));
    match soonest {
        Some((day, amount)) => {
            format!("{free} free for you, {} of it until {}.", Amount::from(amount).plain(), date_words(day))
        }
        None => format!("{free} free for you."),
    }
}

fn campaigns(s: &Situation, draft: Option<&RequestDraft>) -> Vec<Campaign> {
    let of_campaign = |no: u16| s.cycle.activities.iter().filter(move |activity| activity.draft.campaign == no);
    let campaign = |found: &domain::steps::s3_forecast::Campaign| {
        let lines: Vec<(u16, u16)> = of_campaign(found.no)
            .flat_map(|activity| activity.draft.costs.iter().map(|cost| (activity.no, cost.no)))
            .collect();
        let cost = s.cycle.sum(lines.iter().filter_map(|(activity, line)| cost_of(s, *activity, *line)));
        let asked = s.cycle.sum(lines.iter().filter_map(|(activity, line)| asked_in(draft, *activity, *line)));
        Campaign {
            name: found.draft.name.clone(),
            lines: lines.into_iter().filter_map(|(activity, no)| line(s, draft, activity, no)).collect(),
            cost: cost.into(),
            asked: asked.into(),
        }
    };
    s.cycle.campaigns.iter().map(campaign).filter(|campaign| !campaign.lines.is_empty()).collect()
}

fn line(s: &Situation, draft: Option<&RequestDraft>, activity: u16, no: u16) -> Option<Line> {
    let found = &s.cycle.activity(activity)?.draft;
    let cost = found.costs.iter().find(|cost| cost.no == no)?;
    let category = s.policy.category(&cost.category).map_or(cost.category.as_str(), |category| &category.name);
    Some(Line {
        description: cost.description.clone(),
        about: format!("{} · {category}", found.name),
        cost: cost.amount.into(),
        asked: asked_in(draft, activity, no).unwrap_or_else(|| s.cycle.zero()).into(),
        field: field_of(activity, no),
    })
}

fn describe(s: &Situation, activity: u16, line: u16) -> String {
    let found =
        s.cycle.activity(activity).and_then(|activity| activity.draft.costs.iter().find(|cost| cost.no == line));
    found.map_or_else(String::new, |cost| format!("“{}”", cost.description))
}

fn cost_of(s: &Situation, activity: u16, line: u16) -> Option<Money> {
    s.cycle.activity(activity)?.draft.costs.iter().find(|cost| cost.no == line).map(|cost| cost.amount)
}

fn asked_in(draft: Option<&RequestDraft>, activity: u16, line: u16) -> Option<Money> {
    draft?.lines.iter().find(|asked| asked.activity == activity && asked.line == line).map(|asked| asked.asked)
}

/// "at most 4,500 EUR (50 %)"
fn most_words(s: &Situation, activity: u16, line: u16) -> String {
    let (Some(most), Some(found)) = (rules::most_for(s, activity, line), s.cycle.activity(activity)) else {
        return String::new();
    };
    let share = domain::policy::percent(rules::share_of(s, &found.draft));
    format!("at most {} ({share})", Amount::from(most).plain())
}

fn last_day(s: &Situation, who: &Who) -> Option<Due> {
    let days =
        s.cycle.activities.iter().map(|activity| s.policy.last_day_to_ask(activity.draft.starts, &s.partner.country));
    days.min().map(|on| Due { on, today: who.today() })
}

/// What was sent, when and under which guide; `None` while the request is a draft.
fn sent(s: &Situation) -> Option<Facts> {
    let sent = s.cycle.request.submitted.as_ref().filter(|_| s.cycle.stage != Stage::RequestDraft)?;
    let fund = s.cycle.fund().and_then(|fund| s.fund(fund));
    let mut facts = vec![
        Fact::new("Fund", fund.map_or("No fund", |fund| fund.name.as_str())),
        Fact::new("Asked on", date_words(sent.at.date_naive())),
        Fact::new("Under the guide", format!("{}, version {}", s.policy.guide.name, sent.guide_version)),
    ];
    if let Some(accepted) = &sent.terms {
        let day = date_words(accepted.at.date_naive());
        let version = format!("Version {}", accepted.version);
        facts.push(Fact::new("Terms accepted", version).note(format!("{}, {day}", accepted.by_name)));
    }
    Some(Facts { facts })
}

fn check_page(who: &Who, s: &Situation, typed: Typed) -> CheckPage {
    let cycle = &s.cycle;
    let draft = stored(s);
    // What a cap cuts is not asked for: the sums are those that will be sent.
    let lines = draft.as_ref().map_or_else(Vec::new, |draft| rules::cut(s, draft, who.today()).lines);
    let total = cycle.sum(lines.iter().map(|line| line.asked));
    let verdicts: Vec<Verdict> = verdicts(s, draft.as_ref(), who);
    let fails = verdicts.iter().any(|verdict| verdict.outcome == Judgement::Fail);
    let version = &s.policy.guide.version;
    let label = format!("I have read the terms, version {version}, and accept them for my company");
    let form = who.form_at(cycle.version).with(Field::tick("terms_accepted", &label));
    CheckPage {
        shell: who.shell(&format!("Check the request, {}", cycle.number)),
        strip: HeaderStrip::of(s, who.today()),
        number: cycle.number.clone(),
        form: typed.onto(form),
        answers: answers(s, &lines, total),
        effect: effect(s, total, who.today()),
        levels: levels(s, total),
        rules_in_words: Rules::words(&verdicts),
        rules: Rules::of(&verdicts),
        can_submit: !fails,
        ask: Amount::from(total).plain(),
        terms: rules::paragraphs(&s.policy.guide.terms),
        guide_version: version.clone(),
        accepted: rules::accepted(s).map(in_words),
        changed: rules::changed(s).map(|changed| Changed {
            since: in_words(&changed.since),
            added: changed.added,
            gone: changed.gone,
        }),
    }
}

/// "Mara Lindqvist accepted version 2026.1 on Mon 2 March 2026"
fn in_words(accepted: &rules::Accepted) -> String {
    let day = date_words(accepted.at.date_naive());
    format!("{} accepted version {} on {day}", accepted.by_name, accepted.version)
}

fn answers(s: &Situation, lines: &[RequestLine], total: Money) -> Answers {
    let cycle = &s.cycle;
    let to = |field: &str| Some(format!("/cycles/{}/request#{field}", cycle.number));
    let fund = cycle
        .fund()
        .and_then(|fund| s.fund(fund))
        .map_or_else(String::new, |fund| format!("{} ({})", fund.name, fund.code));
    let mut rows = vec![AnswerRow { label: "Fund".into(), value: fund.into(), href: to("fund") }];
    for campaign in &cycle.campaigns {
        let of_campaign = |line: &&RequestLine| {
            cycle.activity(line.activity).is_some_and(|activity| activity.draft.campaign == campaign.no)
        };
        let asked = cycle.sum(lines.iter().filter(of_campaign).map(|line| line.asked));
        let first = lines.iter().find(of_campaign).map(|line| field_of(line.activity, line.line));
        let href = to(first.as_deref().unwrap_or("lines"));
        rows.push(AnswerRow { label: campaign.draft.name.clone(), value: asked.into(), href });
    }
    let lines = count(lines.len() as u64, "cost line", "cost lines");
    rows.push(AnswerRow { label: format!("In all, {lines}"), value: total.into(), href: None });
    rows.push(AnswerRow {
        label: "What it will bring".into(),
        value: cycle.request.justification.clone().into(),
        href: to("justification"),
    });
    if !cycle.request.late_reason.is_empty() {
        let value = cycle.request.late_reason.clone().into();
        rows.push(AnswerRow { label: "Why late".into(), value, href: to("late_reason") });
    }
    Answers { rows }
}

/// What approval as asked would do to the money; asking itself moves none.
fn effect(s: &Situation, total: Money, today: Date) -> Facts {
    let Some(fund) = s.cycle.fund().and_then(|fund| s.fund(fund)) else { return Facts { facts: Vec::new() } };
    let free = rules::free_in(s, fund, today);
    let at_a_rate = rules::in_fund(s, fund, total, today);
    let takes = at_a_rate.as_ref().ok().and_then(Option::as_ref).map_or(total, |(takes, _)| *takes);
    let label =
        if fund.kind.is_shared() { format!("Free in {}", fund.name) } else { format!("Your wallet in {}", fund.name) };
    let cost =
        s.cycle.sum(s.cycle.activities.iter().flat_map(|activity| &activity.draft.costs).map(|cost| cost.amount));
    let own = Money::new(cost.minor - total.minor, cost.currency);
    let mut facts = Vec::new();
    match at_a_rate {
        Err(refusal) => facts.extend(refusal.reasons.into_iter().map(|reason| Fact::new(label.clone(), reason.why))),
        Ok(rate) => {
            if let Some((takes, rate)) = rate {
                let note = format!("{}; the rate of the day it is approved counts", rate.words());
                facts.push(Fact::new("Takes from the fund", takes).note(note));
            }
            let after = Money::new(free.minor - takes.minor, free.currency);
            let change = crate::view::Value::Change(free.into(), after.into());
            facts.push(Fact::new(label, change).note("when approved as asked"));
        }
    }
    facts.push(Fact::new("What you pay yourself", own).note(format!("of {} in all", Amount::from(cost).plain())));
    Facts { facts }
}

/// Who decides, in order: "Channel manager, within 5 days".
fn levels(s: &Situation, total: Money) -> Vec<String> {
    let days = |days: u16| count(u64::from(days), "day", "days");
    s.policy
        .levels_for(total, &s.partner)
        .into_iter()
        .map(|band| format!("{}, within {}", band.name, days(band.sla_days)))
        .collect()
}
