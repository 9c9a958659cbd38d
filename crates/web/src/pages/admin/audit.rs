//! /admin/audit: everything that happened to every cycle and fund and in administration, newest first.

use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use storage::read::{LogEntry, LogFilter, Paging};

use super::{MenuItem, menu};
use crate::error::Answer;
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Pager, count, date_words};

const LIST: &str = "/admin/audit";

#[derive(Template)]
#[template(path = "pages/admin/audit.html")]
struct AuditPage {
    shell: Shell,
    menu: Vec<MenuItem>,
    kind: String,
    rows: Vec<Line>,
    pager: Option<Pager>,
}

struct Line {
    record: String,
    href: String,
    words: String,
    kind: String,
    who: String,
    when: String,
    /// The first characters of the chained hash, to compare by eye.
    hash: String,
}

#[derive(Deserialize)]
pub struct Asked {
    kind: Option<String>,
    after: Option<String>,
}

/// GET /admin/audit
pub async fn list(who: Who, asked: Query<Asked>) -> Answer {
    let kind = asked.kind.clone().unwrap_or_default().trim().to_lowercase();
    let filter = LogFilter { kind: (!kind.is_empty()).then(|| kind.clone()), ..LogFilter::default() };
    let paging = Paging { after: asked.after.clone(), size: 50 };
    let page = who.reader().log(who.viewer(), &filter, &paging).await?;
    let next = page.next.map(|after| format!("{LIST}?kind={kind}&after={after}"));
    let pager = (next.is_some() || paging.after.is_some()).then(|| Pager {
        words: count(page.rows.len() as u64, "event", "events") + " on this page",
        previous: paging.after.as_ref().map(|_| format!("{LIST}?kind={kind}")),
        next,
    });
    let rows = page.rows.into_iter().map(line).collect();
    show(&AuditPage { shell: who.shell("Audit"), menu: menu(&who, LIST), kind, rows, pager })
}

fn line(entry: LogEntry) -> Line {
    let who = entry.who();
    let record = entry.record.unwrap_or_default();
    let is_office = entry.stream_kind == "office" && record.is_empty();
    let folder = match entry.stream_kind.as_str() {
        "fund" => "funds",
        "office" => "settlements",
        _ => "cycles",
    };
    Line {
        href: if is_office { String::new() } else { format!("/{folder}/{record}") },
        record: format!("{} #{}", if is_office { "Administration" } else { &record }, entry.seq),
        who,
        words: entry.words,
        kind: entry.kind,
        when: format!("{} {}", date_words(entry.at.date_naive()), entry.at.format("%H:%M")),
        hash: entry.hash.chars().take(12).collect(),
    }
}
