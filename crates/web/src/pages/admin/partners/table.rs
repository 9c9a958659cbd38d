//! /admin/partners/table: partners from a table, and as one. What each line would do is shown first; nothing is changed
//! until the administrator says so, and then exactly that.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use askama::Template;
use engine::partners::{Change, Fate, PartnerTable, TableLine, table_text};

use crate::error::{Answer, Error};
use crate::extract::{Done, Who, finish, once, show, show_as};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Field, Form, count};

/// How many lines of each kind the page lists; all are applied.
const LISTED: usize = 100;

#[derive(Template)]
#[template(path = "pages/admin/partner_table.html")]
struct TablePage {
    shell: Shell,
    form: Form,
    read: Option<Preview>,
}

struct Preview {
    words: String,
    refused: Vec<(u64, String, String)>,
    changed: Vec<(String, Vec<Change>)>,
    added: Vec<String>,
    /// How many more of each there are.
    more_refused: usize,
    more_changed: usize,
    more_added: usize,
    /// "Add 12 partners and change 3"; `None` where nothing would happen.
    button: Option<String>,
    form: Form,
}

/// GET /admin/partners/table
pub async fn show_page(who: Who) -> Answer {
    show(&page(&who, Typed::default(), None))
}

/// GET /admin/partners/table.csv
pub async fn download(who: Who) -> Answer {
    let bytes = who.site().engine.partner_table(who.actor()).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"partners.csv\""))
        .body(bytes))
}

/// POST /admin/partners/table/preview: what the table would do; nothing is.
pub async fn preview(who: Who, posted: Posted) -> Answer {
    let looked = async {
        let text = text_of(&who, &posted)?;
        let table = who.site().engine.read_partner_table(who.actor(), &text).await?;
        Ok::<_, Error>((table, text))
    };
    match looked.await {
        Ok((table, text)) => {
            let preview = previewed(&who, &table, &text);
            show(&page(&who, Typed::new(vec![("lines".to_owned(), text)]), Some(preview)))
        }
        Err(error) => again(&who, &posted, &error),
    }
}

/// POST /admin/partners/table: what was shown is done.
pub async fn apply(who: Who, posted: Posted) -> Answer {
    let done = async {
        let text = text_of(&who, &posted)?;
        let plan = posted.typed().value("plan").unwrap_or_default().to_owned();
        let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
        finish(async move { engine.apply_partner_table(&actor, &text, &plan, &once).await }).await.map(Done::from)
    };
    let done = done.await;
    who.settle(done, "/partners", &posted, async |typed| Ok(page(&who, typed, None))).await
}

/// The chosen file as text where there is one, else the lines on the page.
fn text_of(who: &Who, posted: &Posted) -> Result<String, Error> {
    posted.read(who.marks(), |f: &mut Fields| {
        for field in ["file", "lines", "plan"] {
            f.ignore(field);
        }
        Some(())
    })?;
    // A table is longer than any text people write; how long it may be is for its reader to say.
    let typed = posted.typed().value("lines").filter(|text| !text.trim().is_empty()).map(str::to_owned);
    match posted.files("file").next() {
        Some(upload) => table_text(&upload.bytes).map_err(|why| Error::at("file", why)),
        None => typed.ok_or_else(|| Error::at("lines", "There are no partners: choose a file, or paste its lines.")),
    }
}

fn again(who: &Who, posted: &Posted, error: &Error) -> Answer {
    let typed = posted.typed().clone().with_reasons(error.reasons());
    show_as(StatusCode::UNPROCESSABLE_ENTITY, &page(who, typed, None))
}

fn previewed(who: &Who, table: &PartnerTable, text: &str) -> Preview {
    let [added, changed, same, refused] = table.counts();
    let partners = |number: usize| count(number as u64, "partner", "partners");
    let mut words = vec![format!("{} to add", partners(added)), format!("{changed} to change")];
    words.push(format!("{same} as they are"));
    if refused > 0 {
        words.push(format!("{} left out", count(refused as u64, "line", "lines")));
    }
    let listed = |test: fn(&TableLine) -> bool| table.lines.iter().filter(move |line| test(line)).take(LISTED);
    let of = |line: &TableLine| match &line.fate {
        Fate::Changed { changes, .. } => (line.name.clone(), changes.clone()),
        _ => (line.name.clone(), Vec::new()),
    };
    let why = |line: &TableLine| match &line.fate {
        Fate::Refused { reasons } => (line.line, line.name.clone(), reasons.join(" ")),
        _ => (line.line, line.name.clone(), String::new()),
    };
    Preview {
        words: format!("{}.", words.join(", ")),
        refused: listed(|line| matches!(line.fate, Fate::Refused { .. })).map(why).collect(),
        changed: listed(|line| matches!(line.fate, Fate::Changed { .. })).map(of).collect(),
        added: listed(|line| line.fate == Fate::Added).map(|line| line.name.clone()).collect(),
        more_refused: refused.saturating_sub(LISTED),
        more_changed: changed.saturating_sub(LISTED),
        more_added: added.saturating_sub(LISTED),
        button: match (added, changed) {
            (0, 0) => None,
            (added, 0) => Some(format!("Add {}", partners(added))),
            (0, changed) => Some(format!("Change {}", partners(changed))),
            (added, changed) => Some(format!("Add {} and change {changed}", partners(added))),
        },
        form: who.form().with(Field::hidden("lines", text)).with(Field::hidden("plan", &table.plan)),
    }
}

fn page(who: &Who, typed: Typed, read: Option<Preview>) -> TablePage {
    let form = who.form().with(Field::file("file", "File", ".csv,.txt,.xlsx").optional()).with(
        Field::area("lines", "Or its lines", 8)
            .hint("A line of names first: name, region, country, tier, currency. Then, say, Nordwind, EMEA, DE, gold, EUR.")
            .optional(),
    );
    TablePage { shell: who.shell("Partners from a table"), form: typed.onto(form), read }
}
