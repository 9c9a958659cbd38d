//! /admin/outbox: every mail, whether it left, and the ones given up.

use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use storage::read::{MailState, OutboxLine, Paging};
use uuid::Uuid;

use super::{MenuItem, menu};
use crate::error::Answer;
use crate::extract::{Who, finish, show};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Badge, Pager, Tab, Tabs, Tone, count, date_words};

const LIST: &str = "/admin/outbox";

#[derive(Template)]
#[template(path = "pages/admin/outbox.html")]
struct OutboxPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    /// Where mails go: a server, a folder.
    office: String,
    tabs: Tabs,
    rows: Vec<Line>,
    pager: Option<Pager>,
}

struct Line {
    href: String,
    subject: String,
    to: String,
    when: String,
    state: Badge,
    problem: Option<String>,
}

#[derive(Deserialize)]
pub struct Asked {
    state: Option<String>,
    after: Option<String>,
}

/// GET /admin/outbox
pub async fn list(who: Who, asked: Query<Asked>) -> Answer {
    let (state, code) = match asked.state.as_deref() {
        Some("waiting") => (MailState::Waiting, "waiting"),
        Some("sent") => (MailState::Sent, "sent"),
        Some("dead") => (MailState::Dead, "dead"),
        _ => (MailState::All, ""),
    };
    let paging = Paging { after: asked.after.clone(), size: 50 };
    let page = who.reader().outbox(who.viewer(), state, &paging).await?;
    let here = |code: &str| if code.is_empty() { LIST.to_owned() } else { format!("{LIST}?state={code}") };
    let tab = |label: &str, of: &str| Tab { label: label.to_owned(), href: here(of), current: of == code, count: None };
    let tabs = vec![tab("All", ""), tab("Waiting", "waiting"), tab("Sent", "sent"), tab("Given up", "dead")];
    let next = page.next.map(|after| format!("{LIST}?state={code}&after={after}"));
    let pager = (next.is_some() || paging.after.is_some()).then(|| Pager {
        words: count(page.rows.len() as u64, "mail", "mails") + " on this page",
        previous: paging.after.as_ref().map(|_| here(code)),
        next,
    });
    show(&OutboxPage {
        shell: who.shell("Outbox"),
        menu: menu(&who, LIST),
        office: who.site().engine.post_office(),
        tabs: Tabs { label: "Mails by state".to_owned(), tabs },
        rows: page.rows.into_iter().map(line).collect(),
        pager,
    })
}

fn line(mail: OutboxLine) -> Line {
    Line {
        href: format!("{LIST}/{}", mail.id),
        state: state(&mail.kind, mail.sent_at.is_some(), mail.dead),
        subject: mail.subject,
        to: format!("{} <{}>", mail.to_name, mail.to_email),
        when: moment(mail.created_at),
        problem: mail.last_error,
    }
}

fn state(kind: &str, sent: bool, dead: bool) -> Badge {
    match (sent, dead) {
        (true, _) if kind == "item" => Badge::new(Tone::Ok, "In a digest"),
        (false, _) if kind == "item" => Badge::new(Tone::Wait, "Waits for the digest"),
        (true, _) => Badge::new(Tone::Ok, "Sent"),
        (false, true) => Badge::new(Tone::Bad, "Given up"),
        (false, false) => Badge::new(Tone::Wait, "Waiting"),
    }
}

fn moment(at: domain::Instant) -> String {
    format!("{} {}", date_words(at.date_naive()), at.format("%H:%M"))
}

#[derive(Template)]
#[template(path = "pages/admin/mail.html")]
struct MailPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    /// Where the button that tries again posts to.
    revival: String,
    subject: String,
    to: String,
    when: String,
    state: Badge,
    problem: Option<String>,
    text: String,
    /// It holds a link for its reader alone.
    secret: bool,
    may_revive: bool,
}

/// GET /admin/outbox/{id}
pub async fn show_page(who: Who, id: Path<Uuid>) -> Answer {
    let mail = who.reader().mail(who.viewer(), *id).await?;
    show(&MailPage {
        shell: who.shell("Mail"),
        menu: menu(&who, LIST),
        revival: format!("{LIST}/{}/revival", mail.id),
        to: format!("{} <{}>", mail.to_name, mail.to_email),
        when: moment(mail.created_at),
        state: state(&mail.kind, mail.sent_at.is_some(), mail.dead),
        may_revive: mail.dead,
        subject: mail.subject,
        problem: mail.last_error,
        text: mail.text_body,
        secret: mail.secret,
    })
}

/// POST /admin/outbox/{id}/revival
pub async fn revive(who: Who, id: Path<Uuid>, _posted: Posted) -> Answer {
    let (engine, id) = (who.site().engine.clone(), *id);
    finish(async move { engine.revive_mail(id).await }).await?;
    who.redirect(&format!("{LIST}/{id}"), "The mail is tried again now.")
}
