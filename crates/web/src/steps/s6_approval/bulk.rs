//! /approvals/confirmation: approving several requests at once.
//!
//! The confirm page runs every decision through the rules, one after another on the same money, and says before anybody
//! presses a button which will pass, which will be refused and why. Each is sent with the version and the sum shown, and each
//! stands for itself: what is refused, or fails, takes nothing back of the others and is told with its reason.

use actix_web::HttpRequest;
use actix_web::web::Query;
use askama::Template;
use domain::ledger::Posting;
use domain::machine::{self, Command, Situation};
use domain::money::Money;
use domain::people::Actor;
use domain::refusal::Reason;
use domain::steps::s6_approval as rules;
use engine::{Submission, WhichCycle};
use std::collections::BTreeMap;
use storage::Viewer;
use storage::read::Page;
use url::form_urlencoded;

use super::inbox::{Asked, matching};
use super::whole;
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, show};
use crate::posted::Posted;
use crate::server::Site;
use crate::shell::Shell;
use crate::steps::look;
use crate::view::{Amount, Field, Form, count, step_href};

/// More at once is no decision any more.
pub const MOST_AT_ONCE: u16 = 200;

#[derive(Template)]
#[template(path = "s6_approval/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    form: Form,
    /// All that match were asked for, and there are more.
    more: Option<u16>,
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

#[derive(Template)]
#[template(path = "s6_approval/decided.html")]
struct DecidedPage {
    shell: Shell,
    title: &'static str,
    done: String,
    refused: Vec<(String, String, String)>,
}

/// GET /approvals/confirmation?pick=C-2026-0042&pick=..., or ?all=yes and the filters of the list.
pub async fn confirm(who: Who, req: HttpRequest) -> Answer {
    let pairs = || form_urlencoded::parse(req.query_string().as_bytes());
    let (picks, more): (Vec<String>, bool) = if pairs().any(|(name, value)| name == "all" && value == "yes") {
        let asked = Query::<Asked>::from_query(req.query_string());
        let asked = asked.map_err(|_| Error::BadRequest("This link does not read: go back to the list.".to_owned()))?;
        let Page { rows, next } = matching(&who, &asked, MOST_AT_ONCE).await?;
        (rows.into_iter().map(|one| one.cycle.number).collect(), next.is_some())
    } else {
        let ticked = pairs().filter(|(name, _)| name == "pick").map(|(_, number)| number.into_owned());
        (ticked.take(MOST_AT_ONCE.into()).collect(), false)
    };
    if picks.is_empty() {
        return who.redirect("/approvals", "Tick the requests to approve first.");
    }
    let page = confirm_page(&who, &picks).await?;
    show(&ConfirmPage { more: more.then_some(MOST_AT_ONCE), ..page })
}

async fn confirm_page(who: &Who, picks: &[String]) -> Result<ConfirmPage, Error> {
    let mut page = ConfirmPage {
        shell: who.shell("Approve several requests"),
        form: who.form(),
        more: None,
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
    let mut decided = Vec::new();
    for pick in picks.into_iter().take(MOST_AT_ONCE.into()) {
        let once = Submission::new(posted.key()).part(&pick.number);
        decided.push(Decided::of(who.site(), who.viewer(), who.actor(), pick, once).await);
    }
    let approved = decided.iter().filter(|one| one.came_to.is_ok()).count();
    let done = format!("{} approved.", count(approved as u64, "request", "requests"));
    if approved == decided.len() {
        return who.redirect("/approvals", &done);
    }
    let why = |reasons: &[Reason]| {
        let words = reasons.iter().map(|reason| format!("{} {}", reason.why, reason.remedy).trim().to_owned());
        words.collect::<Vec<_>>().join(" ")
    };
    let refused = |one: Decided| {
        let href = step_href(&one.number, domain::cycle::Step::Approval);
        one.came_to.err().map(|reasons| (one.number, href, why(&reasons)))
    };
    show(&DecidedPage {
        shell: who.shell("Approve several requests"),
        title: if approved == 0 { "Nothing was approved" } else { "Not all were approved" },
        done: if approved == 0 { "Each request stands as it did before.".to_owned() } else { done },
        refused: decided.into_iter().filter_map(refused).collect(),
    })
}

/// A request to approve as asked, as somebody saw it.
#[derive(PartialEq, Eq, Debug)]
pub struct Pick {
    pub number: String,
    /// The version seen.
    pub version: i64,
    /// The sum seen, in minor units of the cycle's currency.
    pub sum: Option<i64>,
}

/// "C-2026-0042 17 1200000": the number, the version shown, the sum shown in minor units.
fn parse_pick(text: &str) -> Option<Pick> {
    let mut parts = text.split(' ');
    let (number, version, sum) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(Pick { number, version, sum: Some(sum) })
}

/// What became of one of several requests: what was said of it, or why it was not approved.
pub struct Decided {
    pub number: String,
    pub came_to: Result<Vec<String>, Vec<Reason>>,
}

impl Decided {
    /// Approves one as it was asked, or as the level below left it.
    pub async fn of(site: &Site, viewer: &Viewer, actor: &Actor, pick: Pick, once: Submission) -> Self {
        let number = pick.number.clone();
        let came_to = approve_one(site, viewer, actor, pick, once).await.map_err(|error| error.reasons_told());
        Self { number, came_to }
    }
}

async fn approve_one(
    site: &Site,
    viewer: &Viewer,
    actor: &Actor,
    pick: Pick,
    once: Submission,
) -> Result<Vec<String>, Error> {
    let Pick { number, version, sum } = pick;
    let s = site.engine.look(viewer, WhichCycle::Number(&number)).await?;
    let lines = whole(&s.cycle);
    let total = s.cycle.sum(lines.iter().map(|line| line.amount)).minor;
    if s.cycle.version == version && sum.is_some_and(|seen| seen != total) {
        return Err(Error::refused("sum", "The sum is not the one that was shown.", "Look at the request again."));
    }
    let (engine, actor, once) = (site.engine.clone(), actor.clone(), once.seen(version));
    let command = Command::Approval(rules::Command::Approve { lines });
    let done =
        finish(async move { engine.advance(&actor, WhichCycle::Number(&number), &command, &once).await }).await?;
    Ok(done.words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pick_says_what_was_shown_and_nothing_else() {
        let pick = Pick { number: "C-2026-0042".to_owned(), version: 17, sum: Some(1_200_000) };
        assert_eq!(parse_pick("C-2026-0042 17 1200000"), Some(pick));
        assert_eq!(parse_pick("C-2026-0042 17"), None);
        assert_eq!(parse_pick("C-2026-0042 17 1 2"), None);
    }
}
