//! /: what needs this person, the loop as a ring, the money.

use askama::Template;
use chrono::Days;
use domain::cycle::{Party, Stage, Step};
use domain::deadlines::{Clock, Deadline, Item, deadlines};
use domain::fund::Fund;
use domain::ids::CycleId;
use domain::ledger::AccountKind;
use domain::people::{Role, Standing};
use engine::WhichCycle;
use std::collections::BTreeMap;
use storage::read::{
    ClaimFilter, CycleFilter, CycleLine, CycleSort, FundTotal, Paging, PartnerFilter, StageCount, WalletLot, WalletSum,
};

use crate::charts::{FundBar, FundPart, MoneyState, Ring, RingStep, Unit};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::pages::funds::reinstatement;
use crate::pages::settlements;
use crate::routes;
use crate::shell::Shell;
use crate::view::{
    Amount, Badge, Due, Empty, Hub, HubItem, Task, TaskList, Tone, cycle_href, deadline_href, short_date, step_href,
};

/// Tasks shown; the rest are a link away.
const TASKS: u16 = 12;
/// Credit that expires inside this many days is shown.
const EXPIRING_DAYS: u64 = 60;
/// Credit that expires inside this many days is marked.
const SOON_DAYS: i64 = 14;
const BARS: usize = 4;
const LOTS: usize = 5;
const BATCHES: u16 = 5;

#[derive(Template)]
#[template(path = "pages/home.html")]
struct HomePage {
    shell: Shell,
    greeting: String,
    tasks: TaskList,
    more: bool,
    /// A partner's proof and claims in cycles that wait for somebody else first.
    also: TaskList,
    nothing: Empty,
    /// First things to set up, for an administrator of an empty house.
    set_up: Option<Hub>,
    /// Colleagues this person stands in for today.
    stands_in_for: String,
    ring: Ring,
    bars: Vec<FundBar>,
    expiring: Vec<Expiring>,
    /// Settlement batches that are not over, for finance.
    batches: Vec<settlements::Row>,
    may_open: bool,
}

struct Expiring {
    amount: Amount,
    until: String,
    soon: bool,
    whose: String,
}

/// GET /
pub async fn show_page(who: Who) -> Answer {
    let (reader, viewer, today) = (who.reader(), who.viewer(), who.today());
    let waiting = reader.waiting_for_me(viewer, &Paging::first(TASKS)).await?;
    let mut tasks = reinstatement::tasks(&who).await?;
    let in_batches = in_batches(&who, &waiting.rows).await?;
    tasks.extend(waiting.rows.iter().map(|line| task(&who, line, in_batches.get(&line.id))));
    tasks.extend(claims_behind(&who).await?);
    let stages = reader.stages(viewer, today).await?;
    let may_open = routes::opens("/cycles/new", who.signed());
    let has_cycles = stages.iter().any(|stage| stage.cycles > 0);
    let expiring = reader.expiring(viewer, today, today + Days::new(EXPIRING_DAYS)).await?;
    show(&HomePage {
        shell: who.shell("Home"),
        greeting: greeting(&who),
        more: waiting.next.is_some(),
        tasks: TaskList { tasks },
        also: TaskList { tasks: also_due(&who).await? },
        nothing: nothing(may_open, has_cycles),
        set_up: set_up(&who).await?,
        stands_in_for: stands_in_for(&who),
        ring: ring(&who, &stages),
        bars: bars(&who).await?,
        expiring: expiring.iter().take(LOTS).filter_map(|lot| expires(&who, lot)).collect(),
        batches: batches(&who).await?,
        may_open,
    })
}

/// The newest open settlement batches, for those who pay.
async fn batches(who: &Who) -> Result<Vec<settlements::Row>, Error> {
    if !routes::opens("/settlements/new", who.signed()) {
        return Ok(Vec::new());
    }
    let page = who.reader().settlements(who.viewer(), &settlements::OPEN, &Paging::first(BATCHES)).await?;
    Ok(page.rows.iter().map(settlements::row).collect())
}

fn greeting(who: &Who) -> String {
    let name = &who.actor().me.name;
    format!("Hello, {}", name.split_whitespace().next().unwrap_or(name))
}

fn stands_in_for(who: &Who) -> String {
    let names: Vec<&str> = who.actor().stands_in_for.iter().map(|standing| standing.name.as_str()).collect();
    names.join(" and ")
}

/// Cycles of a list whose claims are all paid by an open settlement batch, with its number: nobody pays them otherwise.
pub async fn in_batches(who: &Who, lines: &[CycleLine]) -> Result<BTreeMap<CycleId, String>, Error> {
    let paying = lines.iter().filter(|line| is_to_pay(line)).map(|line| line.id);
    Ok(who.reader().all_batched(who.viewer(), &paying.collect::<Vec<_>>()).await?)
}

fn is_to_pay(line: &CycleLine) -> bool {
    line.waiting_on == Party::Finance && line.task.starts_with("Pay")
}

/// One line of "what needs you": the verb, the cycle, the page where it is done.
fn task(who: &Who, line: &CycleLine, batch: Option<&String>) -> Task {
    let asked =
        if line.asked.is_positive() { format!(" · {}", Amount::from(line.asked).plain()) } else { String::new() };
    let partner = if who.actor().me.is_partner() { String::new() } else { format!(" · {}", line.partner) };
    if let Some(batch) = batch {
        return Task {
            verb: "In batch".to_owned(),
            title: format!("Settlement batch {batch}"),
            detail: format!("{}{partner} · it pays “{}”", line.number, line.title),
            href: format!("/settlements/{batch}"),
            due: line.due.map(|on| Due { on, today: who.today() }),
        };
    }
    Task {
        verb: verb(line).to_owned(),
        title: line.title.clone(),
        detail: format!("{}{partner}{asked} · {}", line.number, line.task),
        href: line.stage.step().map_or_else(|| cycle_href(&line.number), |step| step_href(&line.number, step)),
        due: line.due.map(|on| Due { on, today: who.today() }),
    }
}

/// Claims finance has to decide or to pay in cycles that wait for somebody else first: for the channel manager's word on
/// another activity's proof, or on more time.
async fn claims_behind(who: &Who) -> Result<Vec<Task>, Error> {
    if who.actor().standing_that(Standing::is_finance).is_none() {
        return Ok(Vec::new());
    }
    let mut tasks = Vec::new();
    for claim in who.reader().claims(who.viewer(), &ClaimFilter::behind(), &Paging::first(TASKS)).await?.rows {
        let s = who.site().engine.look(who.viewer(), WhichCycle::Id(claim.cycle_id)).await?;
        let Some(clock) = deadlines(&s).into_iter().find(|of| of.item == Item::Claim(claim.no)) else { continue };
        let amount = clock.amount.map_or_else(String::new, |amount| format!(" · {}", Amount::from(amount).plain()));
        tasks.push(Task {
            verb: if clock.clock == Clock::Payment { "Pay" } else { "Decide" }.to_owned(),
            title: claim.title.clone(),
            detail: format!("{}/{} · {}{amount} · {}", claim.number, claim.no, claim.partner_name, clock.clock.label()),
            href: deadline_href(&claim.number, &clock),
            due: Some(Due { on: clock.until, today: who.today() }),
        });
    }
    Ok(tasks)
}

/// What a partner may hand in or claim in cycles that wait for somebody else's word on another activity.
async fn also_due(who: &Who) -> Result<Vec<Task>, Error> {
    if !who.actor().me.is_partner() {
        return Ok(Vec::new());
    }
    let live = CycleFilter { stage: Some(Stage::ExecutionLive), ended: Some(false), ..CycleFilter::default() };
    let cycles = who.reader().cycles(who.viewer(), &live, CycleSort::Due, &Paging::first(TASKS)).await?.rows;
    let mut due = Vec::new();
    for line in cycles.iter().filter(|line| line.waiting_on != Party::Partner) {
        let s = who.site().engine.look(who.viewer(), WhichCycle::Id(line.id)).await?;
        let own = deadlines(&s).into_iter().filter(|of| matches!(of.clock, Clock::Proof | Clock::Claim));
        due.extend(own.map(|of| (of.until, also(who, line, of))));
    }
    due.sort_by_key(|(until, _)| *until);
    Ok(due.into_iter().take(usize::from(TASKS)).map(|(_, task)| task).collect())
}

fn also(who: &Who, line: &CycleLine, deadline: Deadline) -> Task {
    let amount =
        deadline.amount.map_or_else(String::new, |amount| format!(" · up to {}", Amount::from(amount).plain()));
    Task {
        verb: if deadline.clock == Clock::Proof { "Prove" } else { "Claim" }.to_owned(),
        detail: format!("{} · {}{amount}", line.number, line.title),
        href: deadline_href(&line.number, &deadline),
        due: Some(Due { on: deadline.until, today: who.today() }),
        title: deadline.name,
    }
}

fn verb(line: &CycleLine) -> &'static str {
    match (line.waiting_on, line.stage) {
        _ if is_to_pay(line) => "Pay",
        (Party::Finance, _) => "Decide",
        (Party::Approvers, _) => "Approve",
        (Party::Manager, Stage::PlanReview) => "Agree",
        (_, Stage::PerformanceMeasured) => "Sign",
        (Party::Manager, _) => "Review",
        (_, Stage::PlanDraft) => "Write",
        (_, Stage::ScorecardOpen | Stage::ApprovalReview) => "Answer",
        (_, Stage::ForecastDraft) => "Forecast",
        (_, Stage::ActionPlanDraft) => "Plan",
        (_, Stage::RequestDraft) => "Ask",
        (_, Stage::ExecutionLive) => "Prove",
        _ => "Look",
    }
}

fn nothing(may_open: bool, has_cycles: bool) -> Empty {
    let text = if has_cycles {
        "When a cycle waits for you it stands here, the most pressing first."
    } else {
        "What waits for you will stand here. A cycle is one trip round the nine steps, usually for a quarter."
    };
    let empty = Empty::new("Nothing needs you now", text);
    match (may_open, has_cycles) {
        (true, false) => empty.action("/cycles/new", "Start a cycle"),
        (_, true) => empty.action("/cycles", "See the cycles"),
        (false, false) => empty.action("/help", "Read how the loop works"),
    }
}

/// What an administrator does first: only while something of it is missing.
async fn set_up(who: &Who) -> Result<Option<Hub>, Error> {
    if !who.has(Role::Administrator) {
        return Ok(None);
    }
    let programs = who.reader().programs(who.viewer()).await?;
    let partners = who.reader().partners(who.viewer(), &PartnerFilter::default(), &Paging::first(1)).await?.rows;
    if !programs.is_empty() && !partners.is_empty() {
        return Ok(None);
    }
    let item = |title: &str, hint: &str, href: &str, done: bool| HubItem {
        title: title.to_owned(),
        hint: hint.to_owned(),
        href: routes::opens(href, who.signed()).then(|| href.to_owned()),
        state: if done { Badge::new(Tone::Ok, "Done") } else { Badge::new(Tone::Info, "To do") },
    };
    let items = vec![
        item(
            "A program and its guide",
            "The rules: what is funded, how much, by when.",
            "/programs",
            !programs.is_empty(),
        ),
        item("Partners", "The companies you market with.", "/partners", !partners.is_empty()),
        item("People", "Colleagues and partners' people, invited by mail.", "/admin/users", false),
        item("Money", "A fund with a budget, given to partners.", "/funds", false),
    ];
    Ok(Some(Hub { items }))
}

fn ring(who: &Who, stages: &[StageCount]) -> Ring {
    let steps = Step::ALL.map(|step| {
        let of_step = || stages.iter().filter(|stage| stage.stage.step() == Some(step));
        let sum = |of: fn(&StageCount) -> i64| u64::try_from(of_step().map(of).sum::<i64>()).unwrap_or(0);
        RingStep {
            cycles: sum(|stage| stage.cycles),
            overdue: sum(|stage| stage.overdue),
            href: format!("/cycles?step={}", step.code()),
        }
    });
    let caption = if who.actor().me.is_partner() { "Your loop" } else { "The loop" };
    Ring { caption: caption.to_owned(), steps }
}

/// The funds one works with, or one's own wallet; nothing for those who have no business with money.
async fn bars(who: &Who) -> Result<Vec<FundBar>, Error> {
    if let Some(partner) = who.actor().me.partner {
        return Ok(wallet_bars(who, &who.reader().wallet_sums(who.viewer(), partner).await?));
    }
    if !routes::opens("/funds", who.signed()) {
        return Ok(Vec::new());
    }
    let (funds, totals) = who.reader().funds(who.viewer()).await?;
    // A fund below another one is on that one's page.
    let top = funds.iter().filter(|fund| fund.parent.is_none());
    let filled = top.filter(|fund| totals.iter().any(|total| total.fund_id == fund.id && total.total != 0));
    Ok(filled.take(BARS).map(|fund| fund_bar(fund, &totals)).collect())
}

fn fund_bar(fund: &Fund, totals: &[FundTotal]) -> FundBar {
    let held = |kind: AccountKind| -> i64 {
        totals.iter().filter(|total| total.fund_id == fund.id && total.kind == kind).map(|total| total.total).sum()
    };
    bar(&fund.name, Unit::of(fund.currency), MoneyState::all(held), Some(&format!("/funds/{}", fund.code)))
}

/// A partner's own money, one bar a fund.
fn wallet_bars(who: &Who, sums: &[WalletSum]) -> Vec<FundBar> {
    let href = routes::opens("/wallet", who.signed()).then_some("/wallet");
    sums.chunk_by(|one, other| one.fund_id == other.fund_id && one.currency == other.currency)
        .take(BARS)
        .map(|of_fund| {
            let held = |kind: AccountKind| -> i64 {
                of_fund.iter().filter(|sum| sum.kind == kind).map(|sum| sum.amount.minor).sum()
            };
            bar(&of_fund[0].fund_name, Unit::of(of_fund[0].currency), MoneyState::all(held), href)
        })
        .collect()
}

fn bar(caption: &str, unit: Unit, parts: [(MoneyState, i64); 5], href: Option<&str>) -> FundBar {
    let part = |(state, amount): (MoneyState, i64)| FundPart { state, amount, href: href.map(str::to_owned) };
    FundBar {
        caption: caption.to_owned(),
        sub: String::new(),
        unit,
        parts: parts.into_iter().filter(|(_, amount)| *amount != 0).map(part).collect(),
        bar_only: false,
    }
}

fn expires(who: &Who, lot: &WalletLot) -> Option<Expiring> {
    let fund = &lot.fund_name;
    let whose = if who.actor().me.is_partner() { fund.clone() } else { format!("{} · {fund}", lot.partner) };
    let day = lot.lot?;
    let soon = (day - who.today()).num_days() <= SOON_DAYS;
    Some(Expiring { amount: lot.amount.into(), until: short_date(day, who.today()), soon, whose })
}
