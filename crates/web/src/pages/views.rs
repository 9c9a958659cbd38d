//! /views: views of lists that people keep, and the bar above a list that opens, keeps and changes them.
//!
//! A list says what its address asks for as [`Filters`]; everything else is the same for all of them. A view is opened by an
//! address that holds its filters and, as `saved`, which view it is, so that it can be replaced by what is shown next.

use actix_web::web::{Path, Query};
use askama::Template;
use askama::filters::HtmlSafe;
use engine::views::{Filters, LONGEST, NewView, View, ViewCommand, ViewedList};
use serde::Deserialize;
use url::form_urlencoded;
use uuid::Uuid;

use crate::error::{Answer, Error};
use crate::extract::{Done, Who, finish, once, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::routes;
use crate::shell::Shell;
use crate::view::{Crumbs, Fact, Facts, Field, Form, Tab};

/// Behind a view is counted no further.
pub const MOST_COUNTED: u16 = 99;

/// The bar above a list: one's views of it, and what can be done with what is shown now.
#[derive(Template)]
#[template(path = "parts/views.html")]
pub struct ViewsBar {
    views: Vec<Tab>,
    /// Where what is shown is kept as a new view; `None` where it is one already.
    keep: Option<String>,
    /// The view that is open: its name, where it is changed, and the form that puts what is shown in its place.
    open: Option<(String, String)>,
    replace: Option<(String, Form)>,
}

impl HtmlSafe for ViewsBar {}

/// A list's filters as its address writes them.
pub fn filters<'a>(pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> Filters {
    let set = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty());
    set.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

/// The view to show in place of an address that asks for nothing.
pub async fn default_of(who: &Who, list: ViewedList) -> Result<Option<View>, Error> {
    let views = who.site().engine.views(who.viewer(), Some(list)).await?;
    Ok(views.into_iter().find(|view| view.is_default))
}

/// The bar of a list that shows `now`; `saved` is the view its address names, `counted` says how much is behind one.
pub async fn bar(
    who: &Who,
    list: ViewedList,
    (now, saved): (&Filters, &str),
    counted: impl AsyncFn(&Filters) -> Result<Option<usize>, Error>,
) -> Result<ViewsBar, Error> {
    let kept = who.site().engine.views(who.viewer(), Some(list)).await?;
    let named = kept.iter().find(|view| view.id.to_string() == saved);
    let open = named.or_else(|| kept.iter().find(|view| view.filters == *now));
    let mut views = Vec::with_capacity(kept.len());
    for view in &kept {
        let most = usize::from(MOST_COUNTED);
        let count = counted(&view.filters).await?;
        views.push(Tab {
            label: view.name.clone(),
            href: opened(view),
            current: open.is_some_and(|open| open.id == view.id),
            count: count.map(|count| if count > most { format!("{most}+") } else { count.to_string() }),
        });
    }
    let differs = open.filter(|view| view.filters != *now);
    let replace = |view: &View| {
        let form = who.form().with(Field::hidden("filters", query(list, now)));
        (format!("{}/filters", href(view.id)), form)
    };
    let ask = form_urlencoded::Serializer::new(String::new())
        .append_pair("list", list.code())
        .append_pair("filters", &query(list, now))
        .finish();
    Ok(ViewsBar {
        views,
        keep: kept.iter().all(|view| view.filters != *now).then(|| format!("/views/new?{ask}")),
        open: open.map(|view| (view.name.clone(), href(view.id))),
        replace: differs.map(replace),
    })
}

fn href(id: Uuid) -> String {
    format!("/views/{id}")
}

/// The list a view is of, as an address.
pub fn list_href(list: ViewedList) -> &'static str {
    match list {
        ViewedList::Approvals => "/approvals",
        ViewedList::Claims => "/claims",
        ViewedList::Cycles => "/cycles",
    }
}

fn title(list: ViewedList) -> &'static str {
    match list {
        ViewedList::Approvals => "Approvals",
        ViewedList::Claims => "Claims",
        ViewedList::Cycles => "Cycles",
    }
}

/// Filters as a query, in the order of the list's address.
fn query(list: ViewedList, filters: &Filters) -> String {
    let pairs = list.filters().iter().filter_map(|name| Some((*name, filters.get(*name)?)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A query as filters, with whatever it holds: what the list does not know is refused where it is kept.
fn parsed(query: &str) -> Filters {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The address that opens a view.
fn opened(view: &View) -> String {
    address(view.list, &view.filters, &view.id.to_string())
}

fn address(list: ViewedList, filters: &Filters, saved: &str) -> String {
    let held = query(list, filters);
    let between = if held.is_empty() { "" } else { "&" };
    format!("{}?{held}{between}saved={saved}", list_href(list))
}

#[derive(Template)]
#[template(path = "pages/view.html")]
struct ViewPage {
    shell: Shell,
    crumbs: Crumbs,
    heading: String,
    /// What it shows, filter by filter.
    shows: Facts,
    form: Form,
    action: String,
    button: &'static str,
    back: String,
    /// Where it is removed; `None` while it is new.
    removal: Option<String>,
}

/// What the address of a new view says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    list: String,
    filters: String,
}

/// GET /views/new?list=approvals&filters=view%3Dmine
pub async fn new(who: Who, asked: Query<Asked>) -> Answer {
    show(&new_page(&who, &asked, Typed::default()).await?)
}

/// POST /views
pub async fn save(who: Who, posted: Posted) -> Answer {
    let asked = Asked {
        list: posted.typed().value("list").unwrap_or_default().to_owned(),
        filters: posted.typed().value("filters").unwrap_or_default().to_owned(),
    };
    let list = list_of(&who, &asked.list)?;
    let done = async {
        let new = posted.read(who.marks(), |f: &mut Fields| {
            f.ignore("list");
            f.ignore("filters");
            let (name, is_default) = (f.text("name"), f.tick("is_default"));
            Some(NewView { list, name: name?, filters: parsed(&asked.filters), is_default })
        })?;
        let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
        finish(async move { engine.save_view(&actor, &new, &once).await }).await.map(Done::from)
    };
    let done = done.await;
    let to = match &done {
        Ok(done) => address(list, &parsed(&asked.filters), &done.number),
        Err(_) => list_href(list).to_owned(),
    };
    who.settle(done, &to, &posted, async |typed| new_page(&who, &asked, typed).await).await
}

/// GET /views/{id}
pub async fn show_page(who: Who, id: Path<Uuid>) -> Answer {
    show(&page(&who, *id, Typed::default()).await?)
}

/// POST /views/{id}
pub async fn change(who: Who, id: Path<Uuid>, posted: Posted) -> Answer {
    let view = who.site().engine.view(who.viewer(), *id).await?;
    let done = async {
        let command = posted.read(who.marks(), |f: &mut Fields| {
            let (name, is_default) = (f.text("name"), f.tick("is_default"));
            Some(ViewCommand::Change { name: name?, is_default })
        })?;
        carry_out(&who, *id, command, &posted).await
    };
    who.settle(done.await, &opened(&view), &posted, async |typed| page(&who, *id, typed).await).await
}

/// POST /views/{id}/filters: what is shown takes the place of what the view showed.
pub async fn replace(who: Who, id: Path<Uuid>, posted: Posted) -> Answer {
    let view = who.site().engine.view(who.viewer(), *id).await?;
    let filters = parsed(posted.typed().value("filters").unwrap_or_default());
    let to = address(view.list, &filters, &id.to_string());
    let done = async {
        posted.read(who.marks(), |f: &mut Fields| {
            f.ignore("filters");
            Some(())
        })?;
        carry_out(&who, *id, ViewCommand::Replace { filters }, &posted).await
    };
    who.settle(done.await, &to, &posted, async |typed| page(&who, *id, typed).await).await
}

/// POST /views/{id}/removal
pub async fn remove(who: Who, id: Path<Uuid>, posted: Posted) -> Answer {
    // Where the very form was sent before, the view is gone, and the answer is the first one.
    let list = who.site().engine.view(who.viewer(), *id).await.map(|view| list_href(view.list));
    let done = carry_out(&who, *id, ViewCommand::Remove {}, &posted).await?;
    who.redirect(list.unwrap_or("/"), &done.words)
}

async fn carry_out(who: &Who, id: Uuid, command: ViewCommand, posted: &Posted) -> Result<Done, Error> {
    let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(posted));
    finish(async move { engine.change_view(&actor, id, &command, &once).await }).await.map(Done::from)
}

/// A list this person may open; another one does not exist for them.
fn list_of(who: &Who, code: &str) -> Result<ViewedList, Error> {
    let list = ViewedList::from_code(code).filter(|list| routes::opens(list_href(*list), who.signed()));
    list.ok_or(Error::NotFound)
}

fn form(form: Form, view: Option<&View>) -> Form {
    let hint = format!("At most {LONGEST} characters. Only you see it.");
    let name = Field::text("name", "Name").hint(hint).value_is(view.map_or("", |view| view.name.as_str()));
    let first = Field::tick("is_default", "Show this first when I open the list");
    let is_first = view.is_some_and(|view| view.is_default);
    form.with(name).with(if is_first { first.value_is("yes") } else { first })
}

async fn new_page(who: &Who, asked: &Asked, typed: Typed) -> Result<ViewPage, Error> {
    let list = list_of(who, &asked.list)?;
    let filters = parsed(&asked.filters);
    let hidden =
        who.form().with(Field::hidden("list", list.code())).with(Field::hidden("filters", asked.filters.as_str()));
    Ok(ViewPage {
        shell: who.shell("Keep this view"),
        crumbs: crumbs(list),
        heading: "Keep this view".to_owned(),
        shows: shows(who, list, &filters).await?,
        form: typed.onto(form(hidden, None)),
        action: "/views".to_owned(),
        button: "Keep the view",
        back: format!("{}?{}", list_href(list), query(list, &filters)),
        removal: None,
    })
}

async fn page(who: &Who, id: Uuid, typed: Typed) -> Result<ViewPage, Error> {
    let view = who.site().engine.view(who.viewer(), id).await?;
    Ok(ViewPage {
        shell: who.shell(&format!("View “{}”", view.name)),
        crumbs: crumbs(view.list),
        heading: format!("View “{}”", view.name),
        shows: shows(who, view.list, &view.filters).await?,
        form: typed.onto(form(who.form(), Some(&view))),
        action: href(id),
        button: "Save the view",
        back: opened(&view),
        removal: Some(format!("{}/removal", href(id))),
    })
}

fn crumbs(list: ViewedList) -> Crumbs {
    Crumbs { crumbs: vec![(title(list).to_owned(), list_href(list).to_owned())] }
}

/// Filters in words; a partner by its name.
async fn shows(who: &Who, list: ViewedList, filters: &Filters) -> Result<Facts, Error> {
    let mut facts = vec![Fact::new("List", title(list))];
    for name in list.filters() {
        let Some(value) = filters.get(*name) else { continue };
        let (label, value) = match *name {
            "partner" => ("Partner", partner_name(who, value).await?),
            "q" => ("Search", format!("“{value}”")),
            "view" => ("Tab", words(value)),
            "stage" => ("Stage", domain::cycle::Stage::from_code(value).map_or(words(value), |s| s.label().to_owned())),
            "step" => ("Step", words(value)),
            _ => ("Currency", value.clone()),
        };
        facts.push(Fact::new(label, value));
    }
    if facts.len() == 1 {
        facts.push(Fact::new("Filters", "None: everything you may see"));
    }
    Ok(Facts { facts })
}

async fn partner_name(who: &Who, id: &str) -> Result<String, Error> {
    let Ok(id) = id.parse() else { return Ok(id.to_owned()) };
    match who.reader().partner(who.viewer(), id).await {
        Ok(partner) => Ok(partner.name),
        Err(storage::Error::NotFound) => Ok("A partner you no longer see".to_owned()),
        Err(other) => Err(other.into()),
    }
}

/// A code of an address as its tab reads.
fn words(code: &str) -> String {
    match code {
        "mine" => "Waiting for me".to_owned(),
        "decide" => "To decide".to_owned(),
        "pay" => "To pay".to_owned(),
        other => crate::view::capital(&other.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_go_into_an_address_and_come_back() {
        let held = filters([("q", " cloud & co "), ("view", "all"), ("partner", "")]);
        assert_eq!(query(ViewedList::Approvals, &held), "view=all&q=cloud+%26+co");
        assert_eq!(parsed("view=all&q=cloud+%26+co"), held);
        assert_eq!(address(ViewedList::Cycles, &Filters::new(), "7"), "/cycles?saved=7");
        assert_eq!(address(ViewedList::Claims, &held, "7"), "/claims?view=all&q=cloud+%26+co&saved=7");
    }
}
