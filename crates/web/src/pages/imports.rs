//! /imports: files from other systems, handed in, looked over, committed and taken back.

pub mod file;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Path;
use askama::Template;
use domain::money::Currency;
use engine::imports::fields::Kind;
use engine::imports::run::Answers;
use storage::read::BatchSeen;
use storage::rows::ImportUpload;
use uuid::Uuid;

use super::cycle::moment;
use crate::error::{Answer, Error};
use crate::extract::{Who, again, finish, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::s7_execution::files::disposition;
use crate::view::{Badge, Choice, Field, Form, Tone, grouped};

#[derive(Template)]
#[template(path = "pages/imports/list.html")]
struct ListPage {
    shell: Shell,
    open: Vec<Waiting>,
    batches: Vec<Batch>,
}

/// A file that was handed in and not committed.
struct Waiting {
    id: Uuid,
    name: String,
    kind: &'static str,
    at: String,
}

struct Batch {
    id: Uuid,
    name: String,
    kind: &'static str,
    who: String,
    at: String,
    added: String,
    changed: String,
    unchanged: String,
    refused: String,
    state: Badge,
    can_undo: bool,
}

/// GET /imports
pub async fn list(who: Who) -> Answer {
    let (reader, own) = (who.reader(), who.actor().me.partner);
    let open = reader.open_uploads(who.viewer()).await?;
    let batches = reader.batches(who.viewer()).await?;
    show(&ListPage {
        shell: who.shell("Imports"),
        open: open
            .into_iter()
            .filter(|upload| upload.partner_id == own && may_import(&who, &upload.kind))
            .map(waiting)
            .collect(),
        batches: batches.into_iter().map(|line| batch(&who, line)).collect(),
    })
}

fn waiting(upload: ImportUpload) -> Waiting {
    Waiting { id: upload.id, kind: kind_words(&upload.kind), at: moment(upload.at), name: upload.file_name }
}

/// Whether this person may import files of this kind, and so take them back.
fn may_import(who: &Who, kind: &str) -> bool {
    Kind::from_code(kind).is_some_and(|kind| engine::imports::run::owner(who.actor(), kind).is_ok())
}

fn batch(who: &Who, line: BatchSeen) -> Batch {
    let number = |rows: u32| grouped(rows.into());
    Batch {
        id: line.id,
        kind: kind_words(&line.kind),
        who: line.by_name.unwrap_or_else(|| "The system".to_owned()),
        at: moment(line.at),
        added: number(line.added),
        changed: number(line.changed),
        unchanged: number(line.unchanged),
        refused: number(line.refused),
        state: match (line.undone_at, line.refused) {
            (Some(_), _) => Badge::new(Tone::Off, "Undone"),
            (None, 0) => Badge::new(Tone::Ok, "Imported"),
            (None, _) => Badge::new(Tone::Warn, "Imported in part"),
        },
        can_undo: line.undone_at.is_none() && may_import(who, &line.kind),
        name: line.file_name,
    }
}

fn kind_words(code: &str) -> &'static str {
    Kind::from_code(code).map_or("Table", Kind::label)
}

#[derive(Template)]
#[template(path = "pages/imports/new.html")]
struct NewPage {
    shell: Shell,
    form: Form,
}

fn new_page(who: &Who, typed: &Typed) -> NewPage {
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| may_import(who, kind.code())).collect();
    let first = kinds.first().map_or("", |kind| kind.code());
    let kinds = kinds.iter().map(|kind| Choice::new(kind.code(), kind.label()).hint(kind.hint())).collect();
    let form = who
        .form()
        .with(Field::radios("kind", "What is in the file?", kinds).value_is(first))
        .with(
            Field::file("file", "File", ".csv,.txt,.tsv,.xlsx")
                .hint("CSV or Excel as the tool wrote it, at most 25 MB."),
        )
        .with(currency_field(None));
    NewPage { shell: who.shell("Import a file"), form: typed.onto(form) }
}

fn currency_field(set: Option<Currency>) -> Field {
    Field::text("currency", "Currency of amounts that name none")
        .hint("A code such as EUR. It is never guessed.")
        .value_is(set.map_or("", Currency::code))
        .optional()
}

/// The outer `None` is a problem already noted.
#[expect(clippy::option_option, reason = "as the readers of fields do")]
fn read_currency(f: &mut Fields) -> Option<Option<Currency>> {
    let text = f.optional_text("currency")?;
    let read = text.as_deref().map(Currency::from_code);
    if read == Some(None) {
        f.problem("currency", "This is no currency code: write one such as EUR.");
        return None;
    }
    Some(read.flatten())
}

/// GET /imports/new
pub async fn new(who: Who) -> Answer {
    show(&new_page(&who, &Typed::default()))
}

/// POST /imports/new
pub async fn hand_in(who: Who, posted: Posted) -> Answer {
    match take(&who, &posted).await {
        Ok(id) => who.redirect(&format!("/imports/{id}"), "The file was read. Nothing is kept before you commit it."),
        Err(error) => again(error, &posted, async |typed| Ok(new_page(&who, &typed))).await,
    }
}

async fn take(who: &Who, posted: &Posted) -> Result<Uuid, Error> {
    let upload = posted.files("file").next();
    let (kind, currency) = posted.read(who.marks(), |f| {
        let (kind, currency) = (f.choice("kind", Kind::from_code), read_currency(f));
        if upload.is_none() {
            f.problem("file", "Choose a file.");
        }
        Some((kind?, currency?))
    })?;
    let upload = upload.ok_or_else(|| Error::at("file", "Choose a file."))?;
    let file = engine::files::Upload { name: upload.name.clone(), bytes: upload.bytes.clone() };
    let (engine, actor) = (who.site().engine.clone(), who.actor().clone());
    finish(async move {
        let id = engine.hand_in(&actor, kind, &file).await?;
        if currency.is_some() {
            let mut settings = engine.import(&actor, id).await?.settings;
            settings.currency = currency;
            engine.answer_import(&actor, id, &Answers { settings, campaigns: Vec::new(), save_as: None }).await?;
        }
        Ok(id)
    })
    .await
}

/// GET /imports/batches/{batch}/report
pub async fn report(who: Who, batch: Path<Uuid>) -> Answer {
    let (name, bytes) = who.site().engine.import_report(who.actor(), *batch).await?;
    Ok(csv(&name, bytes))
}

pub fn csv(name: &str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, disposition(name)))
        .body(bytes)
}

/// POST /imports/batches/{batch}/undo
pub async fn undo(who: Who, batch: Path<Uuid>, posted: Posted) -> Answer {
    posted.read(who.marks(), |_| Some(()))?;
    let (engine, actor, id) = (who.site().engine.clone(), who.actor().clone(), *batch);
    finish(async move { engine.undo_import(&actor, id).await }).await?;
    who.redirect("/imports", "The import was undone: what it added is gone, what it changed is as it was.")
}
