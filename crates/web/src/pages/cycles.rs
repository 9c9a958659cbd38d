//! /cycles: every cycle one may see, by saved views and filters that live in the address.

use actix_web::web::Query;
use askama::Template;
use domain::cycle::{Party, Stage, Step};
use domain::ids::{CycleId, PartnerId};
use engine::views::{Filters, ViewedList};
use serde::Deserialize;
use std::collections::BTreeMap;
use storage::read::{CycleFilter, CycleLine, CycleSort, Page, Paging};
use url::form_urlencoded::Serializer;

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::pages::home;
use crate::pages::views::{self, ViewsBar};
use crate::routes;
use crate::shell::Shell;
use crate::view::{Amount, Badge, Due, Empty, MOST_CHOICES, Pager, Tab, Tabs, capital, count, stage_badge};

const ROWS: u16 = 50;

#[derive(Template)]
#[template(path = "pages/cycles.html")]
struct CyclesPage {
    shell: Shell,
    tabs: Tabs,
    views: ViewsBar,
    /// The filters as they stand; none on the view of one's own tasks.
    filters: Option<Filtering>,
    rows: Vec<Row>,
    pager: Option<Pager>,
    empty: Empty,
    may_open: bool,
}

struct Filtering {
    view: &'static str,
    saved: String,
    text: String,
    stages: Vec<(String, String, bool)>,
    /// Empty for a partner's people, who have only one, and where there are too many to choose from.
    partners: Vec<(String, String, bool)>,
    is_set: bool,
}

struct Row {
    number: String,
    title: String,
    partner: String,
    stage: Badge,
    waits: String,
    task: String,
    /// The open settlement batch that pays its claims, and its address.
    batch: Option<(String, String)>,
    due: Option<Due>,
    money: Option<Amount>,
    money_is: &'static str,
}

/// What the address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    view: Option<String>,
    q: Option<String>,
    /// A stage's code.
    stage: Option<String>,
    /// A step's code, as the ring on the home page links it.
    step: Option<String>,
    partner: Option<String>,
    /// The kept view it came from.
    saved: Option<String>,
    after: Option<String>,
}

/// A tab of the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Open,
    Mine,
    Overdue,
    Ended,
    All,
}

impl View {
    const ALL: [View; 5] = [View::Open, View::Mine, View::Overdue, View::Ended, View::All];

    fn code(self) -> &'static str {
        match self {
            View::Open => "open",
            View::Mine => "mine",
            View::Overdue => "overdue",
            View::Ended => "ended",
            View::All => "all",
        }
    }

    fn label(self) -> &'static str {
        match self {
            View::Open => "Open",
            View::Mine => "Waiting for me",
            View::Overdue => "Overdue",
            View::Ended => "Ended",
            View::All => "All",
        }
    }
}

impl Asked {
    fn of(filters: &Filters) -> Self {
        let held = |name: &str| filters.get(name).cloned();
        let (view, q, stage, step, partner) = (held("view"), held("q"), held("stage"), held("step"), held("partner"));
        Self { view, q, stage, step, partner, saved: None, after: None }
    }

    fn is_blank(&self) -> bool {
        let all = [&self.view, &self.q, &self.stage, &self.step, &self.partner, &self.saved, &self.after];
        all.iter().all(|value| value.as_deref().is_none_or(str::is_empty))
    }

    fn filters(&self) -> Filters {
        let held = |value: &'_ Option<String>| value.clone().unwrap_or_default();
        let (q, stage, step, partner) = (held(&self.q), held(&self.stage), held(&self.step), held(&self.partner));
        let tab = self.view().code();
        views::filters([("view", tab), ("q", &q), ("stage", &stage), ("step", &step), ("partner", &partner)])
    }

    fn view(&self) -> View {
        View::ALL.into_iter().find(|view| self.view.as_deref() == Some(view.code())).unwrap_or(View::Open)
    }

    fn filter(&self, who: &Who) -> CycleFilter {
        let view = self.view();
        CycleFilter {
            stage: self.stage.as_deref().and_then(Stage::from_code),
            step: self.step(),
            partner: self.partner.as_deref().and_then(|id| id.parse::<PartnerId>().ok()),
            text: self.q.clone(),
            overdue_on: (view == View::Overdue).then(|| who.today()),
            ended: match view {
                View::Open | View::Mine | View::Overdue => Some(false),
                View::Ended => Some(true),
                View::All => None,
            },
            ..CycleFilter::default()
        }
    }

    fn step(&self) -> Option<Step> {
        Step::ALL.into_iter().find(|step| self.step.as_deref() == Some(step.code()))
    }

    /// The address of this list, with another view or page.
    fn href(&self, view: View, after: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        let held = [("q", &self.q), ("stage", &self.stage), ("step", &self.step), ("partner", &self.partner)];
        for (name, value) in held {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                query.append_pair(name, value);
            }
        }
        if view != View::Open {
            query.append_pair("view", view.code());
        }
        if let Some(after) = after {
            if let Some(saved) = self.saved.as_deref().filter(|saved| !saved.is_empty()) {
                query.append_pair("saved", saved);
            }
            query.append_pair("after", after);
        }
        match query.finish() {
            query if query.is_empty() => "/cycles".to_owned(),
            query => format!("/cycles?{query}"),
        }
    }
}

/// GET /cycles
pub async fn list(who: Who, asked: Query<Asked>) -> Answer {
    let mut asked = asked.into_inner();
    if asked.is_blank()
        && let Some(first) = views::default_of(&who, ViewedList::Cycles).await?
    {
        asked = Asked { saved: Some(first.id.to_string()), ..Asked::of(&first.filters) };
    }
    let view = asked.view();
    let (now, saved) = (asked.filters(), asked.saved.clone().unwrap_or_default());
    let paging = Paging { after: asked.after.clone(), size: ROWS };
    let reader = who.reader();
    let Page { rows, next } = match view {
        View::Mine => reader.waiting_for_me(who.viewer(), &paging).await?,
        View::Open | View::Overdue => reader.cycles(who.viewer(), &asked.filter(&who), CycleSort::Due, &paging).await?,
        View::Ended | View::All => reader.cycles(who.viewer(), &asked.filter(&who), CycleSort::Newest, &paging).await?,
    };
    let pager = (asked.after.is_some() || next.is_some()).then(|| Pager {
        words: format!("{} on this page", count(rows.len() as u64, "cycle", "cycles")),
        previous: asked.after.is_some().then(|| asked.href(view, None)),
        next: next.map(|after| asked.href(view, Some(&after))),
    });
    let may_open = routes::opens("/cycles/new", who.signed());
    let in_batches = home::in_batches(&who, &rows).await?;
    show(&CyclesPage {
        shell: who.shell("Cycles"),
        tabs: tabs(&asked, view),
        views: views::bar(&who, ViewedList::Cycles, (&now, &saved), async |filters| counted(&who, filters).await)
            .await?,
        filters: filters(&who, &asked, view).await?,
        rows: rows.into_iter().map(|line| row(&who, line, &in_batches)).collect(),
        pager,
        empty: empty(&asked, view, may_open),
        may_open,
    })
}

/// How many cycles are behind a kept view. Where a text is searched for nobody counts: it would read all of them.
async fn counted(who: &Who, filters: &Filters) -> Result<Option<usize>, Error> {
    let (asked, most) = (Asked::of(filters), views::MOST_COUNTED + 1);
    if filters.contains_key("q") {
        return Ok(None);
    }
    let (reader, viewer) = (who.reader(), who.viewer());
    Ok(Some(match asked.view() {
        View::Mine => reader.count_waiting(viewer, most).await?,
        _ => reader.count_cycles(viewer, &asked.filter(who), most).await?,
    }))
}

fn tabs(asked: &Asked, current: View) -> Tabs {
    let tab = |view: View| Tab {
        label: view.label().to_owned(),
        // The bare address opens the view that is kept to be opened first.
        href: match asked.href(view, None) {
            bare if bare == "/cycles" => "/cycles?view=open".to_owned(),
            href => href,
        },
        current: view == current,
        count: None,
    };
    Tabs { label: "Views of this list".to_owned(), tabs: View::ALL.into_iter().map(tab).collect() }
}

async fn filters(who: &Who, asked: &Asked, view: View) -> Result<Option<Filtering>, Error> {
    if view == View::Mine {
        return Ok(None);
    }
    let held = |value: &Option<String>, code: &str| value.as_deref() == Some(code);
    let stage = |stage: Stage| (stage.code().to_owned(), stage.label().to_owned(), held(&asked.stage, stage.code()));
    let partners = if who.actor().me.is_partner() {
        Vec::new()
    } else {
        who.reader().partner_choices(who.viewer(), MOST_CHOICES, asked.filter(who).partner).await?
    };
    let partner = |(id, name): (PartnerId, String)| {
        let id = id.to_string();
        let chosen = held(&asked.partner, &id);
        (id, name, chosen)
    };
    Ok(Some(Filtering {
        view: view.code(),
        saved: asked.saved.clone().unwrap_or_default(),
        text: asked.q.clone().unwrap_or_default(),
        stages: Stage::ALL.into_iter().map(stage).collect(),
        partners: partners.into_iter().map(partner).collect(),
        is_set: [&asked.q, &asked.stage, &asked.step, &asked.partner]
            .iter()
            .any(|value| value.as_deref().is_some_and(|value| !value.is_empty())),
    }))
}

fn row(who: &Who, line: CycleLine, in_batches: &BTreeMap<CycleId, String>) -> Row {
    let (money, money_is) = match (line.approved, line.asked) {
        (approved, _) if approved.is_positive() => (Some(approved), "approved"),
        (_, asked) if asked.is_positive() => (Some(asked), "asked"),
        _ => (None, ""),
    };
    Row {
        waits: waits_for(&line),
        stage: stage_badge(line.stage, line.level),
        due: line.due.filter(|_| !line.stage.is_end()).map(|on| Due { on, today: who.today() }),
        money: money.map(Amount::from),
        money_is,
        number: line.number,
        title: line.title,
        partner: line.partner,
        batch: in_batches.get(&line.id).map(|number| (number.clone(), format!("/settlements/{number}"))),
        task: if line.stage.is_end() { String::new() } else { line.task },
    }
}

/// Whom a cycle of a list waits for, in words.
pub fn waits_for(line: &CycleLine) -> String {
    match line.waiting_on {
        Party::Partner => line.partner.clone(),
        Party::Manager => "Channel manager".to_owned(),
        Party::Approvers => format!("Approvers, level {}", line.level),
        Party::Finance => "Finance".to_owned(),
        Party::Nobody => "Nobody".to_owned(),
    }
}

fn empty(asked: &Asked, view: View, may_open: bool) -> Empty {
    let filtered = asked.href(View::Open, None) != "/cycles";
    if filtered {
        let step = asked.step().map_or_else(String::new, |step| format!(" at {}", capital(step.label())));
        return Empty::new("Nothing here", format!("No cycle{step} fits these filters."))
            .action("/cycles?view=all", "See all cycles");
    }
    let (title, text) = match view {
        View::Open | View::All => ("No cycles yet", "A cycle is one trip round the nine steps, usually for a quarter."),
        View::Mine => ("Nothing waits for you", "What needs you appears here and on the home page."),
        View::Overdue => ("Nothing is overdue", "Cycles past their day appear here."),
        View::Ended => ("No cycle has ended yet", "Closed, declined and cancelled cycles stay here to be read."),
    };
    let empty = Empty::new(title, text);
    if may_open && matches!(view, View::Open | View::All) {
        empty.action("/cycles/new", "Start a cycle")
    } else {
        empty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_stay_in_the_address_from_view_to_view() {
        let asked = Asked { q: Some("cloud & co".into()), stage: Some(String::new()), ..Asked::default() };
        assert_eq!(asked.href(View::Open, None), "/cycles?q=cloud+%26+co");
        assert_eq!(asked.href(View::Overdue, Some("6f")), "/cycles?q=cloud+%26+co&view=overdue&after=6f");
        assert_eq!(Asked::default().href(View::Open, None), "/cycles");
        assert!(matches!(Asked { view: Some("no such view".into()), ..Asked::default() }.view(), View::Open));
    }
}
