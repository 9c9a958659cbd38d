//! /approvals: what waits for a decision, the soonest due or the most promising first.

use actix_web::web::Query;
use askama::Template;
use domain::Date;
use domain::ids::PartnerId;
use domain::people::Role;
use engine::views::{Filters, View, ViewedList};
use serde::Deserialize;
use storage::Viewer;
use storage::read::{InboxFilter, InboxSort, Page, Paging, Waiting};
use url::form_urlencoded;

use super::bulk::MOST_AT_ONCE;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::pages::views::{self, ViewsBar};
use crate::shell::Shell;
use crate::view::{Amount, Choice, Due, MOST_CHOICES, Pager, Tab, Tabs, count, percent_words, step_href};

/// So many on a page.
const ON_A_PAGE: u16 = 50;

/// What the address of the list says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    view: String,
    partner: String,
    q: String,
    /// `roi`, or by the day they are due.
    sort: String,
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
            sort: held("sort"),
            saved: view.id.to_string(),
            ..Self::default()
        }
    }

    fn is_blank(&self) -> bool {
        self.pairs(&self.after).is_empty()
    }

    /// Its address, or that of another page of the same list: what is set, in order.
    fn pairs<'a>(&'a self, after: &'a str) -> Vec<(&'static str, &'a str)> {
        let pairs = [
            ("view", self.view.as_str()),
            ("partner", &self.partner),
            ("q", &self.q),
            ("sort", &self.sort),
            ("saved", &self.saved),
            ("after", after),
        ];
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
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
    by_roi: bool,
    rows: Vec<Row>,
    pager: Option<Pager>,
    /// The viewer decides on some of these, so they can be ticked.
    decides: bool,
    /// Where all that match are looked at to be approved, and what its link says.
    all: Option<(String, String)>,
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

/// GET /approvals?view=mine&partner=&q=&sort=roi&saved=&after=
pub async fn show_inbox(who: Who, asked: Query<Asked>) -> Answer {
    let mut asked = asked.into_inner();
    if asked.is_blank()
        && let Some(first) = views::default_of(&who, ViewedList::Approvals).await?
    {
        asked = Asked::of(first);
    }
    let decides = decides(who.viewer());
    asked.view = view_of(&asked.view, decides).to_owned();
    let now = filters(&asked);
    let (view, filter) = (asked.view.as_str(), filter_of(who.viewer(), who.today(), &now));
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: ON_A_PAGE };
    let Page { rows: waiting, next } = who.reader().in_approval(who.viewer(), &filter, &paging).await?;
    let partners = who.reader().partner_choices(who.viewer(), MOST_CHOICES, filter.partner).await?;
    let today = who.today();
    show(&InboxPage {
        shell: who.shell("Approvals"),
        tabs: tabs(&asked, decides),
        views: views::bar(&who, ViewedList::Approvals, (&now, &asked.saved), async |filters| {
            counted(&who, filters).await
        })
        .await?,
        view: view.to_owned(),
        saved: asked.saved.clone(),
        partners: Choice::any_of("Every partner", partners),
        pager: pager(&asked, next.as_deref(), waiting.len()),
        all: all_that_match(&who, &asked, &filter, decides && view != "all" && !waiting.is_empty()).await?,
        by_roi: filter.sort == InboxSort::Roi,
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

/// What an address asks for, as a kept view holds it.
fn filters(asked: &Asked) -> Filters {
    views::filters([("view", asked.view.as_str()), ("partner", &asked.partner), ("q", &asked.q), ("sort", &asked.sort)])
}

/// Those of the list an address, or a link to all that match, asks for.
pub async fn matching(who: &Who, asked: &Asked, most: u16) -> Result<Page<Waiting>, Error> {
    let filter = filter_of(who.viewer(), who.today(), &filters(asked));
    Ok(who.reader().in_approval(who.viewer(), &filter, &Paging::first(most)).await?)
}

/// Approving all that match goes by the same look at what happens.
async fn all_that_match(
    who: &Who,
    asked: &Asked,
    filter: &InboxFilter,
    offered: bool,
) -> Result<Option<(String, String)>, Error> {
    if !offered {
        return Ok(None);
    }
    let found = who.reader().count_in_approval(who.viewer(), filter, MOST_AT_ONCE + 1).await?;
    let words = match found {
        ..=1 => return Ok(None),
        _ if found > usize::from(MOST_AT_ONCE) => format!("Select the first {MOST_AT_ONCE} that match"),
        _ => format!("Select all {found} that match"),
    };
    let pairs = asked.pairs("").into_iter().filter(|(name, _)| *name != "saved");
    let query = form_urlencoded::Serializer::new("all=yes".to_owned()).extend_pairs(pairs).finish();
    Ok(Some((format!("/approvals/confirmation?{query}"), words)))
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
        sort: if held("sort") == "roi" { InboxSort::Roi } else { InboxSort::Due },
    }
}

/// How much waits behind a kept view.
async fn counted(who: &Who, filters: &Filters) -> Result<Option<usize>, Error> {
    let most = views::MOST_COUNTED + 1;
    let filter = filter_of(who.viewer(), who.today(), filters);
    Ok(Some(who.reader().count_in_approval(who.viewer(), &filter, most).await?))
}

fn tabs(asked: &Asked, decides: bool) -> Tabs {
    let sort = if asked.sort == "roi" { "&sort=roi" } else { "" };
    let tab = |name: &str, label: &str| Tab {
        label: label.to_owned(),
        href: format!("/approvals?view={name}{sort}"),
        current: asked.view == name,
        count: None,
    };
    let mine = decides.then(|| tab("mine", "Waiting for me"));
    let tabs = mine.into_iter().chain([tab("overdue", "Overdue"), tab("all", "All")]).collect();
    Tabs { label: "Views of the requests".to_owned(), tabs }
}

fn pager(asked: &Asked, next: Option<&str>, shown: usize) -> Option<Pager> {
    let address = |after: &str| {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(asked.pairs(after)).finish();
        format!("/approvals?{query}")
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
        roi: cycle.forecast_roi().map_or_else(|| "–".to_owned(), |roi| percent_words(roi.round_dp(0))),
        due: cycle.approval.due.map(|on| Due { on, today }),
        question: cycle.approval.open_question().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let asked = Asked { view: "all".to_owned(), q: "cloud & co".to_owned(), ..Asked::default() };
        let first = pager(&asked, Some("6f"), 50).expect("there is more");
        assert_eq!(first.next.as_deref(), Some("/approvals?view=all&q=cloud+%26+co&after=6f"));
        assert_eq!((first.previous, pager(&asked, None, 3).is_none()), (None, true));
        let last = pager(&Asked { after: "6f".to_owned(), ..asked }, None, 3).expect("there was one before");
        assert_eq!(last.previous.as_deref(), Some("/approvals?view=all&q=cloud+%26+co"));
    }
}
