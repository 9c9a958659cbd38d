//! /approvals: what waits for a decision, and approving several requests at once.
//!
//! The confirm page runs every decision through the rules, one after another on the same money, and says before anybody
//! presses a button which will pass, which will be refused and why. Each is sent with the version and the sum shown.

use actix_web::HttpRequest;
use actix_web::web::Query;
use askama::Template;
use domain::Date;
use domain::cycle::Cycle;
use domain::ids::PartnerId;
use domain::ledger::Posting;
use domain::machine::{self, Command, Situation};
use domain::money::Money;
use domain::people::Role;
use domain::steps::s6_approval as rules;
use engine::views::{Filters, View, ViewedList};
use engine::{Submission, WhichCycle};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;
use storage::Viewer;
use storage::read::{InboxFilter, Page, Paging, Waiting};
use url::form_urlencoded;

use super::whole;
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, show};
use crate::pages::views::{self, ViewsBar};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::look;
use crate::view::{Amount, Choice, Due, Field, Form, MOST_CHOICES, Pager, Tab, Tabs, count, percent_words, step_href};

/// More at once is no decision any more; a page holds as many.
const MOST_AT_ONCE: u16 = 50;

/// What the address of the list says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    view: String,
    partner: String,
    q: String,
    /// The kept view it came from.
    saved: String,
    after: String,
}

impl Asked {
    fn of(view: View) -> Self {
        let held = |name: &str| view.filters.get(name).cloned().unwrap_or_default();
        Self {
            view: held("view"),
            partner: held("partner"),
            q: held("q"),
            saved: view.id.to_string(),
            ..Self::default()
        }
    }

    fn is_blank(&self) -> bool {
        [&self.view, &self.partner, &self.q, &self.saved, &self.after].iter().all(|value| value.is_empty())
    }
}

#[derive(Template)]
#[template(path = "s6_approval/inbox.html")]
struct InboxPage {
    shell: Shell,
    tabs: Tabs,
    views: ViewsBar,
    view: String,
    saved: String,
    q: String,
    /// Empty where there are too many to choose from.
    partners: Vec<Choice>,
    partner: String,
    rows: Vec<Row>,
    pager: Option<Pager>,
    /// The viewer decides on some of these, so they can be ticked.
    decides: bool,
    empty: &'static str,
}

struct Row {
    number: String,
    title: String,
    href: String,
    partner: String,
    level: u8,
    asked: Amount,
    cost: Amount,
    fund: String,
    roi: String,
    due: Option<Due>,
    question: bool,
}

#[derive(Template)]
#[template(path = "s6_approval/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    form: Form,
    passing: Vec<Passing>,
    refused: Vec<Refused>,
    totals: Vec<(String, Amount)>,
    button: String,
}

struct Passing {
    number: String,
    title: String,
    href: String,
    partner: String,
    amount: Amount,
    next: String,
}

struct Refused {
    number: String,
    title: String,
    href: String,
    why: String,
}

/// GET /approvals?view=mine&partner=&q=&saved=&after=: the soonest due first; of one page's that are due on the same day, those
/// that promise most first.
pub async fn show_inbox(who: Who, asked: Query<Asked>) -> Answer {
    let mut asked = asked.into_inner();
    if asked.is_blank()
        && let Some(first) = views::default_of(&who, ViewedList::Approvals).await?
    {
        asked = Asked::of(first);
    }
    let decides = decides(who.viewer());
    let now = views::filters([("view", view_of(&asked.view, decides)), ("partner", &asked.partner), ("q", &asked.q)]);
    let (view, filter) = (view_of(&asked.view, decides), filter_of(who.viewer(), who.today(), &now));
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: MOST_AT_ONCE };
    let Page { rows: mut waiting, next } = who.reader().in_approval(who.viewer(), &filter, &paging).await?;
    waiting.sort_by_key(|one| (one.cycle.approval.due, std::cmp::Reverse(roi(&one.cycle))));
    let partners = who.reader().partner_choices(who.viewer(), MOST_CHOICES, filter.partner).await?;
    let today = who.today();
    show(&InboxPage {
        shell: who.shell("Approvals"),
        tabs: tabs(view, decides),
        views: views::bar(&who, ViewedList::Approvals, (&now, &asked.saved), async |filters| {
            counted(&who, filters).await
        })
        .await?,
        view: view.to_owned(),
        saved: asked.saved.clone(),
        partners: Choice::any_of("Every partner", partners),
        pager: pager(&asked, view, next.as_deref(), waiting.len()),
        partner: asked.partner.clone(),
        q: asked.q.clone(),
        rows: waiting.into_iter().map(|one| row(one, today)).collect(),
        decides: decides && view != "all",
        empty: match view {
            "mine" => "No request waits for you. What waits for others is under “All”.",
            "overdue" => "Nothing is overdue.",
            _ => "Requests appear here once a partner has asked for money.",
        },
    })
}

fn decides(viewer: &Viewer) -> bool {
    viewer.has(Role::ChannelManager) || viewer.has(Role::Approver)
}

/// The tab an address means.
fn view_of(asked: &str, decides: bool) -> &str {
    match asked {
        "" if decides => "mine",
        "mine" | "overdue" | "all" => asked,
        _ => "all",
    }
}

/// What an address asks for.
pub fn filter_of(viewer: &Viewer, today: Date, filters: &Filters) -> InboxFilter {
    let held = |name: &str| filters.get(name).map_or("", String::as_str);
    let view = view_of(held("view"), decides(viewer));
    InboxFilter {
        mine: view == "mine",
        due_before: (view == "overdue").then_some(today),
        partner: held("partner").parse::<PartnerId>().ok(),
        text: filters.get("q").cloned(),
    }
}

/// How much waits behind a kept view.
async fn counted(who: &Who, filters: &Filters) -> Result<Option<usize>, Error> {
    let most = views::MOST_COUNTED + 1;
    let filter = filter_of(who.viewer(), who.today(), filters);
    Ok(Some(who.reader().count_in_approval(who.viewer(), &filter, most).await?))
}

fn tabs(view: &str, decides: bool) -> Tabs {
    let tab = |name: &str, label: &str| Tab {
        label: label.to_owned(),
        href: format!("/approvals?view={name}"),
        current: view == name,
        count: None,
    };
    let mine = decides.then(|| tab("mine", "Waiting for me"));
    let tabs = mine.into_iter().chain([tab("overdue", "Overdue"), tab("all", "All")]).collect();
    Tabs { label: "Views of the requests".to_owned(), tabs }
}

fn pager(asked: &Asked, view: &str, next: Option<&str>, shown: usize) -> Option<Pager> {
    let address = |after: &str| {
        let pairs =
            [("view", view), ("partner", &asked.partner), ("q", &asked.q), ("saved", &asked.saved), ("after", after)];
        let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        format!("/approvals?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish())
    };
    let is_first = asked.after.is_empty();
    (next.is_some() || !is_first).then(|| Pager {
        words: format!("{} on this page", count(shown as u64, "request", "requests")),
        previous: (!is_first).then(|| address("")),
        next: next.map(address),
    })
}

fn row(waiting: Waiting, today: Date) -> Row {
    let cycle = &waiting.cycle;
    let cost = cycle.sum(cycle.campaigns.iter().map(|campaign| campaign.draft.cost));
    Row {
        number: cycle.number.clone(),
        title: cycle.title.clone(),
        href: step_href(&cycle.number, domain::cycle::Step::Approval),
        partner: waiting.partner_name,
        level: cycle.level,
        asked: cycle.sum(cycle.approval.ceiling(cycle).iter().map(|line| line.asked)).into(),
        cost: cost.into(),
        fund: waiting.fund.map_or_else(|| "–".to_owned(), |(_, name)| name),
        roi: roi(cycle).map_or_else(|| "–".to_owned(), |roi| percent_words(roi.round_dp(0))),
        due: cycle.approval.due.map(|on| Due { on, today }),
        question: cycle.approval.open_question().is_some(),
    }
}

/// What the campaigns are forecast to return over what they cost, in percent; the middle outcome.
pub fn roi(cycle: &Cycle) -> Option<Decimal> {
    let frozen = || cycle.campaigns.iter().filter_map(|campaign| campaign.baseline.as_ref());
    let revenue: Decimal = frozen().map(|baseline| baseline.revenue.p50).sum();
    let cost: Decimal = frozen().map(|baseline| baseline.cost.decimal()).sum();
    domain::forecast::roi_percent(revenue, cost)
}

/// GET /approvals/confirmation?pick=C-2026-0042&pick=...
pub async fn confirm(who: Who, req: HttpRequest) -> Answer {
    let picks: Vec<String> = form_urlencoded::parse(req.query_string().as_bytes())
        .filter(|(name, _)| name == "pick")
        .map(|(_, number)| number.into_owned())
        .take(MOST_AT_ONCE.into())
        .collect();
    if picks.is_empty() {
        return who.redirect("/approvals", "Tick the requests to approve first.");
    }
    show(&confirm_page(&who, &picks).await?)
}

async fn confirm_page(who: &Who, picks: &[String]) -> Result<ConfirmPage, Error> {
    let mut page = ConfirmPage {
        shell: who.shell("Approve several requests"),
        form: who.form(),
        passing: Vec::new(),
        refused: Vec::new(),
        totals: Vec::new(),
        button: String::new(),
    };
    let mut moved: Vec<Posting> = Vec::new();
    let mut totals: BTreeMap<(String, &'static str), Money> = BTreeMap::new();
    for number in picks {
        let Some(mut s) = look(who, number).await.map(Some).or_else(only_missing)? else { continue };
        apply_moved(&mut s, &moved);
        let lines = whole(&s.cycle);
        let total = s.cycle.sum(lines.iter().map(|line| line.amount));
        let (number, title) = (s.cycle.number.clone(), s.cycle.title.clone());
        let href = step_href(&number, domain::cycle::Step::Approval);
        match machine::decide(&s, who.actor(), &Command::Approval(rules::Command::Approve { lines }), who.now()) {
            Err(refusal) => page.refused.push(Refused { number, title, href, why: refusal.to_string() }),
            Ok(decision) => {
                moved.extend(decision.entries().iter().flat_map(|entry| entry.postings.clone()));
                let fund =
                    s.cycle.fund().and_then(|fund| s.fund(fund)).map_or_else(String::new, |fund| fund.name.clone());
                let sum = totals.entry((fund, total.currency.code())).or_insert_with(|| Money::zero(total.currency));
                sum.minor += total.minor;
                let pick = format!("{number} {} {}", s.cycle.version, total.minor);
                page.form = page.form.with(Field::hidden("pick", pick));
                let next = super::next(&s, total);
                page.passing.push(Passing {
                    number,
                    title,
                    href,
                    partner: s.partner.name.clone(),
                    amount: total.into(),
                    next,
                });
            }
        }
    }
    page.button = format!("Approve {}", count(page.passing.len() as u64, "request", "requests"));
    page.totals = totals.into_iter().map(|((fund, _), sum)| (fund, sum.into())).collect();
    Ok(page)
}

/// A number that is not there, or not theirs, is left out; anything else that goes wrong is said.
fn only_missing(error: Error) -> Result<Option<Situation>, Error> {
    match error {
        Error::NotFound => Ok(None),
        other => Err(other),
    }
}

/// The money earlier decisions of this page would take, as far as this request's book holds the same accounts.
fn apply_moved(s: &mut Situation, moved: &[Posting]) {
    let mine = |posting: &&Posting| posting.from.partner.is_none_or(|partner| partner == s.partner.id);
    let postings: Vec<Posting> = moved.iter().filter(mine).cloned().collect();
    for posting in &postings {
        s.book.post(posting);
    }
}

/// POST /approvals/decisions: each request as it was shown on the confirm page, in the order shown.
pub async fn approve_all(who: Who, posted: Posted) -> Answer {
    let picks = posted.read(who.marks(), |f| f.ticks("pick", parse_pick))?;
    let (mut done, mut words) = (0_u64, Vec::new());
    for (number, version, minor) in picks.into_iter().take(MOST_AT_ONCE.into()) {
        match approve_one(&who, &posted, &number, version, minor).await {
            Ok(()) => done += 1,
            Err(error) if error.is_about_the_form() || matches!(error, Error::NotFound) => {
                let why: Vec<String> = error.reasons().into_iter().map(|reason| reason.why).collect();
                words.push(format!("{number} was not approved: {}", why.join(" ")));
            }
            Err(error) => return Err(error),
        }
    }
    words.insert(0, format!("{} approved.", count(done, "request", "requests")));
    words.truncate(6);
    who.redirect("/approvals", &words.join(" "))
}

/// "C-2026-0042 17 1200000": the number, the version shown, the sum shown in minor units.
fn parse_pick(text: &str) -> Option<(String, i64, i64)> {
    let mut parts = text.split(' ');
    let pick = (parts.next()?.to_owned(), parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(pick)
}

async fn approve_one(who: &Who, posted: &Posted, number: &str, version: i64, minor: i64) -> Result<(), Error> {
    let s = look(who, number).await?;
    let lines = whole(&s.cycle);
    let once = Submission::new(format!("{} {number}", posted.key())).seen(version);
    if s.cycle.version == version && s.cycle.sum(lines.iter().map(|line| line.amount)).minor != minor {
        return Err(Error::refused("sum", "The sum is not the one that was shown.", "Look at the request again."));
    }
    let (engine, actor, number) = (who.site().engine.clone(), who.actor().clone(), number.to_owned());
    let command = Command::Approval(rules::Command::Approve { lines });
    finish(async move { engine.advance(&actor, WhichCycle::Number(&number), &command, &once).await }).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let asked = Asked { q: "cloud & co".to_owned(), ..Asked::default() };
        let first = pager(&asked, "all", Some("6f"), 50).expect("there is more");
        assert_eq!(first.next.as_deref(), Some("/approvals?view=all&q=cloud+%26+co&after=6f"));
        assert_eq!((first.previous, pager(&asked, "all", None, 3).is_none()), (None, true));
        let last = pager(&Asked { after: "6f".to_owned(), ..asked }, "all", None, 3).expect("there was one before");
        assert_eq!(last.previous.as_deref(), Some("/approvals?view=all&q=cloud+%26+co"));
    }

    #[test]
    fn a_pick_says_what_was_shown_and_nothing_else() {
        assert_eq!(parse_pick("C-2026-0042 17 1200000"), Some(("C-2026-0042".to_owned(), 17, 1_200_000)));
        assert_eq!(parse_pick("C-2026-0042 17"), None);
        assert_eq!(parse_pick("C-2026-0042 17 1 2"), None);
    }
}
