//! Mails as their readers get them. Ana Ferreira is a channel manager at Acme; Maria Lindholm and Jonas Weber
//! work at its partner Nordwind.

mod eml;
mod hostile;
mod sending;
mod topics;

use crate::{Mail, Recipient, Sender, render};
use domain::Instant;
use domain::ids::PartnerId;
use domain::money::{Currency, Marks, Money};
use domain::notice::{Audience, Facts, Notice, Topic};

const ID: &str = "<0197a3c2-5f10-7c44-9d0e-2b7a51f0c001@acme.example>";

fn nordwind() -> PartnerId {
    "0197a3c2-5f10-7c44-9d0e-2b7a51f0c0de".parse().unwrap()
}

fn acme() -> Sender {
    Sender {
        name: "Fundloop at Acme".to_owned(),
        email: "mdf@acme.example".to_owned(),
        base_url: "https://mdf.acme.example/".to_owned(),
    }
}

fn maria() -> Recipient {
    Recipient { name: "Maria Lindholm".to_owned(), email: "maria@nordwind.example".to_owned(), marks: Marks::Point }
}

/// The webinar of Nordwind's third quarter, with everything a notice can say.
fn facts() -> Facts {
    Facts {
        number: "C-2026-0042".to_owned(),
        title: "Cloud security, Q3".to_owned(),
        partner: "Nordwind Systems GmbH".to_owned(),
        by: "Ana Ferreira".to_owned(),
        amount: Some(Money::units(12_000, Currency::EUR)),
        in_fund: None,
        due: domain::Date::from_ymd_opt(2026, 6, 26),
        reason: Some("The list is the one we used in spring.\nPlease name a new one.".to_owned()),
        item: Some("Webinar: secure the edge".to_owned()),
        note: None,
        path: "/cycles/C-2026-0042".to_owned(),
        lines: Vec::new(),
    }
}

fn notice(topic: Topic, audience: Audience, facts: Facts) -> Notice {
    Notice { topic, audience, facts }
}

fn mail(notice: &Notice) -> Mail {
    render(notice, &maria(), &acme(), ID)
}

fn noon() -> Instant {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

/// The names of a page's tags in order, closing ones with their slash; panics where they do not pair up.
fn tags(html: &str) -> Vec<String> {
    const VOID: [&str; 3] = ["!doctype", "meta", "br"];
    let mut open: Vec<String> = Vec::new();
    let mut tags = Vec::new();
    for piece in html.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').expect("a tag ends");
        let name = tag.split_whitespace().next().unwrap_or_default().to_lowercase();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "tags pair up");
        } else if !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        tags.push(name);
    }
    assert!(open.is_empty(), "{open:?} stay open");
    tags
}
