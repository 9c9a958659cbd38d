//! /notifications: the mails written to oneself, newest first.

use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use storage::read::{MailLine, Paging};

use super::cycle::moment;
use crate::error::Answer;
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Badge, Pager, Tone, count};

#[derive(Template)]
#[template(path = "pages/notifications.html")]
struct NotificationsPage {
    shell: Shell,
    mails: Vec<Mail>,
    pager: Option<Pager>,
}

struct Mail {
    subject: String,
    text: String,
    /// It holds a link that stands in the mail alone.
    secret: bool,
    at: String,
    when: String,
    /// Where it is, while it has not left or could not.
    state: Option<Badge>,
    /// The record it is about, where its subject names one.
    href: Option<String>,
}

#[derive(Deserialize)]
pub struct Asked {
    after: Option<String>,
}

/// GET /notifications
pub async fn list(who: Who, asked: Query<Asked>) -> Answer {
    let paging = Paging { after: asked.into_inner().after, size: 30 };
    let is_first = paging.after.is_none();
    let page = who.reader().mails_to_me(who.viewer(), &paging).await?;
    let pager = (!is_first || page.next.is_some()).then(|| Pager {
        words: count(page.rows.len() as u64, "mail", "mails") + " on this page",
        previous: (!is_first).then(|| "/notifications".to_owned()),
        next: page.next.map(|after| format!("/notifications?after={after}")),
    });
    show(&NotificationsPage {
        shell: who.shell("Notifications"),
        mails: page.rows.into_iter().map(mail).collect(),
        pager,
    })
}

fn mail(line: MailLine) -> Mail {
    Mail {
        href: record(&line.subject),
        at: line.created_at.to_rfc3339(),
        when: moment(line.created_at),
        state: match line.sent_at {
            Some(_) => None,
            None if line.dead => Some(Badge::new(Tone::Bad, "Could not be sent")),
            None if line.kind == "item" => Some(Badge::new(Tone::Wait, "For your next digest")),
            None => Some(Badge::new(Tone::Info, "On its way")),
        },
        subject: line.subject,
        text: line.text_body,
        secret: line.secret,
    }
}

/// `/cycles/C-2026-0042` for a subject that starts with the cycle's number; of a claim, `C-2026-0042/1`, the claim's page.
fn record(subject: &str) -> Option<String> {
    let (number, claim) = match subject.split([' ', ':', ',']).next()?.split_once('/') {
        Some((number, claim)) => (number, Some(claim.parse::<u16>().ok()?)),
        None => (subject.split([' ', ':', ',']).next()?, None),
    };
    let is_number = number.starts_with("C-") && number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let claim = claim.map_or_else(String::new, |claim| format!("/claims/{claim}"));
    is_number.then(|| format!("/cycles/{number}{claim}"))
}

#[cfg(test)]
mod tests {
    use super::record;

    #[test]
    fn a_subject_names_its_record() {
        assert_eq!(record("C-2026-0042 Plan submitted").as_deref(), Some("/cycles/C-2026-0042"));
        assert_eq!(record("C-2026-0042: plan submitted").as_deref(), Some("/cycles/C-2026-0042"));
        assert_eq!(record("C-2026-0042/2: paid, 5 EUR").as_deref(), Some("/cycles/C-2026-0042/claims/2"));
        assert_eq!(record("C-2026-0042/x: paid"), None);
        assert_eq!(record("You are invited"), None);
        assert_eq!(record("C-\"><script>"), None);
    }
}
