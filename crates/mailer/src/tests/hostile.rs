//! What people type can neither forge a header or a line, nor become a tag, nor be run as a template.

use super::eml::Eml;
use super::{ID, acme, facts, mail, maria, noon, nordwind, notice, tags};
use crate::{Address, Mail, Post, Recipient, Sender, render};
use domain::notice::{Audience, Facts, Topic};

const HOSTILE: [&str; 8] = [
    "x\r\nBcc: eve@evil.example\r\n\r\nHello",
    "x\nContent-Type: text/html\n\n<h1>Pay here</h1>",
    "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><a href=\"javascript:alert(1)\">click</a>",
    "{{ page.number }}{% for x in y %}",
    "invoice\u{202e}fdp.exe\u{200b}\u{feff}",
    "=?utf-8?q?=0d=0aBcc:_eve=40evil.example?=",
    "\0\u{b}\u{c}\u{85}Bcc: eve@evil.example\u{2028}Cc: eve@evil.example",
];

fn typed(text: &str) -> Facts {
    let text = text.to_owned();
    Facts {
        number: text.clone(),
        title: text.clone(),
        partner: text.clone(),
        by: text.clone(),
        reason: Some(text.clone()),
        item: Some(text.clone()),
        path: format!("/cycles/{text}"),
        ..facts()
    }
}

#[test]
fn what_people_type_never_becomes_a_tag() {
    for topic in Topic::ALL {
        let plain = tags(&mail(&notice(topic, Audience::Finance, typed("x\ny"))).html);
        for text in HOSTILE {
            // Lines of a quotation differ in number, and breaks with them.
            let breakless = |tags: Vec<String>| tags.into_iter().filter(|tag| tag != "br").collect::<Vec<_>>();
            let html = mail(&notice(topic, Audience::Finance, typed(text))).html;
            assert_eq!(breakless(tags(&html)), breakless(plain.clone()), "{topic:?} with {text:?}");
            assert!(!html.contains("href=\"javascript:"), "{text:?}");
            assert!(html.matches("href=\"https://mdf.acme.example/cycles/").count() == 2, "{text:?}");
        }
    }
}

#[test]
fn what_people_type_stays_on_its_line() {
    for topic in Topic::ALL {
        let lines = |text: &str| mail(&notice(topic, Audience::Finance, typed(text))).text.lines().count();
        for text in HOSTILE {
            let quoted = crate::clean::lines(text).len();
            assert_eq!(lines(text) - quoted, lines("x") - 1, "{topic:?} with {text:?}");
        }
    }
}

#[test]
fn a_template_in_a_name_is_only_a_name() {
    let facts = Facts { title: "{{ the.email }}".to_owned(), ..facts() };
    let mail = mail(&notice(Topic::PlanAgreed, Audience::Partner(nordwind()), facts));
    assert!(mail.text.contains("“{{ the.email }}”"));
}

#[test]
fn long_texts_are_cut_and_say_so() {
    let facts = Facts { title: "very ".repeat(100), reason: Some("long ".repeat(1_000)), ..facts() };
    let mail = mail(&notice(Topic::RequestReturned, Audience::Partner(nordwind()), facts));
    assert!(mail.subject.chars().count() <= 140);
    assert!(mail.text.chars().count() < 3_500 && mail.text.contains("long…"));
}

#[tokio::test]
async fn no_header_can_be_forged() {
    for text in HOSTILE {
        let reader = Recipient { name: text.to_owned(), ..maria() };
        let sender = Sender { name: text.to_owned(), ..acme() };
        let message_id = format!("<{text}@acme.example>");
        let notice = notice(Topic::RequestApproved, Audience::Partner(nordwind()), typed(text));
        let rendered = render(&notice, &reader, &sender, &message_id);
        // A row of the outbox that something else has written is no safer.
        let raw = Mail {
            subject: text.to_owned(),
            to: Address { name: text.to_owned(), ..rendered.to.clone() },
            ..rendered.clone()
        };
        for mail in [rendered, raw] {
            let folder = tempfile::tempdir().unwrap();
            Post::folder(folder.path(), &sender).unwrap().send(&mail, noon()).await.unwrap();
            let eml = Eml::only_one_in(folder.path());
            assert_eq!(eml.names(), Eml::HEADERS, "{text:?}");
            assert!(
                eml.header("To").ends_with("<maria@nordwind.example>") && eml.header("To").matches('<').count() == 1,
                "{text:?}: {}",
                eml.header("To")
            );
        }
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_for_good() {
    let (post, letterbox) = Post::memory(&acme()).unwrap();
    for email in [
        "",
        "maria",
        "maria@nordwind.example\r\nBcc: eve@evil.example",
        "a@b.example, eve@evil.example",
        "<eve@evil.example>",
    ] {
        let mut mail = mail(&notice(Topic::PlanAgreed, Audience::Partner(nordwind()), facts()));
        mail.to.email = email.to_owned();
        let error = post.send(&mail, noon()).await.unwrap_err();
        assert!(!error.temporary, "{email:?}");
    }
    assert!(letterbox.mails().is_empty());
}

#[test]
fn a_mail_does_not_print_what_is_in_it() {
    let mail = mail(&notice(Topic::PasswordReset, Audience::Finance, facts()));
    assert_eq!(format!("{mail:?}"), format!("Mail {{ message_id: \"{ID}\", .. }}"));
}
