//! /claims: for finance what is to decide, to pay and paid; for everybody else the claims they may see.

use actix_web::web::Query;
use askama::Template;
use domain::ids::PartnerId;
use domain::money::Currency;
use domain::people::Role;
use domain::steps::s7_execution::ClaimState;
use engine::views::{Filters, View as Kept, ViewedList};
use serde::Deserialize;
use storage::Viewer;
use storage::read::{ClaimFilter, ClaimListed, Paging};
use url::form_urlencoded;

use super::claim_href;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::pages::views::{self, ViewsBar};
use crate::routes;
use crate::shell::Shell;
use crate::view::{Amount, Badge, Choice, MOST_CHOICES, Pager, Tab, Tabs, Tone, claim_badge, date_words};

/// What the address of the list says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    view: String,
    partner: String,
    currency: String,
    q: String,
    /// The kept view it came from.
    saved: String,
    after: String,
}

impl Asked {
    fn of(view: Kept) -> Self {
        let held = |name: &str| view.filters.get(name).cloned().unwrap_or_default();
        let (tab, partner, currency, q) = (held("view"), held("partner"), held("currency"), held("q"));
        Self { view: tab, partner, currency, q, saved: view.id.to_string(), after: String::new() }
    }

    fn is_blank(&self) -> bool {
        let all = [&self.view, &self.partner, &self.currency, &self.q, &self.saved, &self.after];
        all.iter().all(|value| value.is_empty())
    }
}

/// A tab: its name in the address, its label, the states it shows.
struct View {
    name: &'static str,
    label: &'static str,
    states: &'static [ClaimState],
    /// Only those with a claw back, or a payment that came back, that nobody has confirmed.
    clawback: bool,
}

const VIEWS: [View; 5] = [
    View::of("decide", "To decide", &[ClaimState::Review]),
    View::of("pay", "To pay", &[ClaimState::Payable, ClaimState::PartPaid]),
    View { clawback: true, ..View::of("clawback", "To confirm", &[]) },
    View::of("paid", "Paid", &[ClaimState::Paid, ClaimState::ClawedBack]),
    View::of("all", "All", &[]),
];

impl View {
    const fn of(name: &'static str, label: &'static str, states: &'static [ClaimState]) -> Self {
        Self { name, label, states, clawback: false }
    }
}

/// A tab counts no further: from here on it says that there are many.
const MOST_COUNTED: u16 = 999;

#[derive(Template)]
#[template(path = "s7_execution/claims.html")]
struct ClaimsPage {
    shell: Shell,
    tabs: Tabs,
    views: ViewsBar,
    view: &'static str,
    saved: String,
    q: String,
    partner: String,
    /// Empty for a partner's people, and where there are too many to choose from.
    partners: Vec<Choice>,
    rows: Vec<Row>,
    pager: Option<Pager>,
    is_partner: bool,
    currency: String,
    currencies: Vec<&'static str>,
    /// Finance may put these into a settlement batch; where all that match go there together.
    batch_all: Option<String>,
}

struct Row {
    href: String,
    name: String,
    number: String,
    partner: String,
    state: Badge,
    clawback: Option<Badge>,
    /// The settlement batch it is in: its number, and its address for those who may open it.
    batch: Option<(String, Option<String>)>,
    asked: Amount,
    approved: Amount,
    paid: Amount,
    handed_in: String,
    is_final: bool,
}

/// GET /claims?view=decide&partner=&currency=&q=&saved=&after=
pub async fn show_list(who: Who, asked: Query<Asked>) -> Answer {
    let mut asked = asked.into_inner();
    if asked.is_blank()
        && let Some(first) = views::default_of(&who, ViewedList::Claims).await?
    {
        asked = Asked::of(first);
    }
    let view = view_of(who.viewer(), &asked.view);
    let (partner, currency, q) = (asked.partner.as_str(), asked.currency.as_str(), asked.q.as_str());
    let now = views::filters([("view", view.name), ("partner", partner), ("currency", currency), ("q", q)]);
    let filter = filter_of(who.viewer(), &now);
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: 50 };
    let reader = who.reader();
    let page = reader.claims(who.viewer(), &filter, &paging).await?;
    let tabs = tabs(&who, view.name).await?;
    let is_partner = who.actor().me.is_partner();
    let partners = if is_partner {
        Vec::new()
    } else {
        reader.partner_choices(who.viewer(), MOST_CHOICES, filter.partner).await?
    };
    show(&ClaimsPage {
        shell: who.shell("Claims"),
        tabs,
        views: views::bar(&who, ViewedList::Claims, (&now, &asked.saved), async |filters| counted(&who, filters).await)
            .await?,
        view: view.name,
        pager: pager(&asked, view.name, page.next.as_deref(), page.rows.len()),
        currencies: if view.name == "pay" { currencies(&who).await? } else { Vec::new() },
        batch_all: batch_all(&who, &asked, view.name, &page.rows),
        rows: page.rows.into_iter().map(|claim| row(&who, claim)).collect(),
        q: asked.q,
        saved: asked.saved,
        currency: asked.currency,
        partner: asked.partner,
        partners: Choice::any_of("Every partner", partners),
        is_partner,
    })
}

/// The tab an address means.
fn view_of(viewer: &Viewer, asked: &str) -> &'static View {
    let first = if viewer.has(Role::Finance) { "decide" } else { "all" };
    let wanted = if asked.is_empty() { first } else { asked };
    VIEWS.iter().find(|view| view.name == wanted).unwrap_or(&VIEWS[VIEWS.len() - 1])
}

/// What an address asks for.
pub fn filter_of(viewer: &Viewer, filters: &Filters) -> ClaimFilter {
    let held = |name: &str| filters.get(name).map_or("", String::as_str);
    let view = view_of(viewer, held("view"));
    ClaimFilter {
        states: view.states.to_vec(),
        partner: held("partner").parse::<PartnerId>().ok(),
        currency: Currency::from_code(held("currency")),
        text: filters.get("q").cloned(),
        clawback_open: view.clawback,
        newest_first: matches!(view.name, "paid" | "all"),
        ..ClaimFilter::default()
    }
}

/// How many claims are behind a kept view. Where a text is searched for nobody counts: it would read all of them.
async fn counted(who: &Who, filters: &Filters) -> Result<Option<usize>, Error> {
    if filters.contains_key("q") {
        return Ok(None);
    }
    let most = views::MOST_COUNTED + 1;
    Ok(Some(who.reader().count_claims(who.viewer(), &filter_of(who.viewer(), filters), most).await?))
}

async fn tabs(who: &Who, current: &str) -> Result<Tabs, Error> {
    let mut tabs = Vec::new();
    for view in VIEWS.iter().filter(|view| !view.clawback || who.has(Role::Finance)) {
        let count = match view.name {
            "decide" | "pay" | "clawback" => {
                let (states, clawback_open) = (view.states.to_vec(), view.clawback);
                let in_these = ClaimFilter { states, clawback_open, ..ClaimFilter::default() };
                Some(who.reader().count_claims(who.viewer(), &in_these, MOST_COUNTED + 1).await?)
            }
            _ => None,
        };
        tabs.push(Tab {
            label: view.label.to_owned(),
            href: format!("/claims?view={}", view.name),
            current: view.name == current,
            count: count
                .map(|n| if n > usize::from(MOST_COUNTED) { format!("{MOST_COUNTED}+") } else { n.to_string() }),
        });
    }
    Ok(Tabs { label: "Views of the claims".to_owned(), tabs })
}

fn pager(asked: &Asked, view: &str, next: Option<&str>, shown: usize) -> Option<Pager> {
    let address = |after: &str| {
        let pairs = [
            ("view", view),
            ("partner", &asked.partner),
            ("currency", &asked.currency),
            ("q", &asked.q),
            ("saved", &asked.saved),
            ("after", after),
        ];
        let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        format!("/claims?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish())
    };
    let has_neighbours = next.is_some() || !asked.after.is_empty();
    has_neighbours.then(|| Pager {
        words: crate::view::count(shown as u64, "claim on this page", "claims on this page"),
        previous: (!asked.after.is_empty()).then(|| address("")),
        next: next.map(address),
    })
}

/// Those of the funds: a batch is of one.
async fn currencies(who: &Who) -> Result<Vec<&'static str>, Error> {
    if who.actor().me.is_partner() {
        return Ok(Vec::new());
    }
    let (funds, _) = who.reader().funds(who.viewer()).await?;
    let mut codes: Vec<&str> = funds.iter().map(|fund| fund.currency.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    Ok(if codes.len() > 1 { codes } else { Vec::new() })
}

/// Where a batch of everything that matches is built, for finance.
fn batch_all(who: &Who, asked: &Asked, view: &str, rows: &[ClaimListed]) -> Option<String> {
    if !routes::opens("/settlements/new", who.signed()) || view != "pay" || rows.is_empty() {
        return None;
    }
    let pairs = [("all", "yes"), ("partner", &asked.partner), ("currency", &asked.currency), ("q", &asked.q)];
    let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    Some(format!("/settlements/new?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish()))
}

fn row(who: &Who, claim: ClaimListed) -> Row {
    let opens = routes::opens("/settlements", who.signed());
    Row {
        href: claim_href(&claim.number, claim.no),
        name: format!("{}, {}", claim.campaign, claim.title),
        number: format!("{}/{}", claim.number, claim.no),
        partner: claim.partner_name,
        state: claim_badge(claim.state),
        batch: claim.batch.map(|number| {
            let href = opens.then(|| format!("/settlements/{number}"));
            (number, href)
        }),
        clawback: claim.clawback_open.then(|| Badge::new(Tone::Warn, "A second person confirms")),
        asked: claim.asked.into(),
        approved: claim.approved.into(),
        paid: claim.paid.into(),
        handed_in: date_words(claim.submitted_at.date_naive()),
        is_final: claim.is_final,
    }
}
