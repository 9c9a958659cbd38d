//! Every topic says what a mail must say, to whomever it is sent.

use super::{acme, facts, mail, maria, nordwind, notice, tags};
use crate::{DigestLine, Recipient, digest, render, trial};
use domain::ids::UserId;
use domain::money::{Currency, Marks, Money};
use domain::notice::{Audience, Facts, Topic};

const URL: &str = "https://mdf.acme.example/cycles/C-2026-0042";

fn audiences() -> Vec<Audience> {
    let partner = nordwind();
    vec![
        Audience::Partner(partner),
        Audience::ManagerOf(partner),
        Audience::Approvers { level: 2, partner },
        Audience::Finance,
        Audience::Executives,
        Audience::Administrators,
        Audience::User(UserId(partner.0)),
        Audience::Address("maria@nordwind.example".to_owned()),
    ]
}

#[test]
fn every_topic_says_number_amount_day_and_page_to_every_audience() {
    for topic in Topic::ALL {
        for audience in audiences() {
            let mail = mail(&notice(topic, audience.clone(), facts()));
            let case = format!("{topic:?} to {audience:?}:\n{}\n{}", mail.subject, mail.text);
            assert!(mail.subject.starts_with("C-2026-0042: "), "{case}");
            for part in [&mail.text, &mail.html.replace('\u{a0}', " ")] {
                for said in ["12,000 EUR", "Please name a new one.", URL] {
                    assert!(part.contains(said), "{said} is missing from {case}");
                }
                let is_for_others = topic == Topic::PerformanceReady && audience == Audience::Executives;
                assert_eq!(part.contains("Fri 26 June 2026"), !is_for_others, "{case}");
            }
            assert!(topic == Topic::PasswordReset || mail.text.contains("Ana Ferreira"), "{case}");
            reads_well(&mail.subject, &case);
            mail.text.lines().for_each(|line| reads_well(line, &case));
            assert!(!mail.text.contains("\n\n\n") && mail.text.ends_with(".\n"), "{case}");
        }
    }
}

#[test]
fn the_first_line_says_the_amount() {
    let unpriced = [Topic::ScorecardCompleted, Topic::Invitation, Topic::PasswordReset];
    for topic in Topic::ALL.into_iter().filter(|topic| !unpriced.contains(topic)) {
        let mail = mail(&notice(topic, Audience::Partner(nordwind()), facts()));
        let first = mail.text.lines().next().unwrap_or_default();
        assert!(first.contains("12,000 EUR"), "{topic:?}: {first}");
    }
}

#[test]
fn a_notice_that_knows_little_still_reads_well() {
    let bare = Facts { path: "/cycles/C-2026-0042".to_owned(), ..Facts::default() };
    for topic in Topic::ALL {
        for audience in audiences() {
            let mail = mail(&notice(topic, audience, bare.clone()));
            let case = format!("{topic:?}:\n{}\n{}", mail.subject, mail.text);
            assert!(mail.subject.starts_with(char::is_uppercase) || topic == Topic::Invitation, "{case}");
            reads_well(&mail.subject, &case);
            mail.text.lines().for_each(|line| reads_well(line, &case));
            assert!(mail.text.contains(URL), "{case}");
            assert!(!mail.text.contains("\n\n\n"), "{case}");
        }
    }
}

#[test]
fn a_name_with_a_full_stop_of_its_own_ends_a_sentence() {
    let named = Facts { partner: "Cascade Secure Inc.".to_owned(), due: None, amount: None, ..facts() };
    for topic in Topic::ALL {
        for audience in audiences() {
            let mail = mail(&notice(topic, audience, named.clone()));
            mail.text.lines().for_each(|line| reads_well(line, &format!("{topic:?}: {}", mail.text)));
        }
    }
}

fn reads_well(line: &str, case: &str) {
    for wrong in ["{{", "}}", "{%", "%}", "  ", " ,", " .", " ;", " :", "..", ",.", ";.", "“”", "of of"] {
        assert!(!line.contains(wrong), "“{wrong}” in “{line}” of {case}");
    }
    assert!(line == "-- " || line.trim() == line, "“{line}” of {case}");
}

#[test]
fn an_html_part_is_whole_and_asks_nothing_of_other_servers() {
    for topic in Topic::ALL {
        let html = mail(&notice(topic, Audience::Finance, facts())).html;
        let tags = tags(&html);
        assert_eq!(tags.iter().filter(|tag| *tag == "h1").count(), 1, "{topic:?}");
        assert_eq!(tags.iter().filter(|tag| *tag == "a").count(), 2, "{topic:?}: the button and its address");
        assert_eq!(html.matches("http").count(), html.matches(URL).count(), "{topic:?}");
        for absent in ["img", "script", "form", "link"] {
            assert!(!tags.iter().any(|tag| tag == absent), "{topic:?} has a {absent}");
        }
    }
}

#[test]
fn amounts_are_written_as_the_reader_writes_them() {
    let reader = Recipient { marks: Marks::Comma, ..maria() };
    let mail = render(&notice(Topic::ClaimPaid, Audience::Partner(nordwind()), facts()), &reader, &acme(), super::ID);
    assert_eq!(mail.subject, "C-2026-0042: paid, 12.000 EUR");
}

#[test]
fn partners_are_spoken_to_and_others_are_told_whose_it_is() {
    let lead = |audience| {
        let facts = Facts { item: None, ..facts() };
        let mail = mail(&notice(Topic::RequestApproved, audience, facts));
        mail.text.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        lead(Audience::Partner(nordwind())),
        "Ana Ferreira approved 12,000 EUR for “Cloud security, Q3”; the first proof is due by Fri 26 June 2026."
    );
    assert_eq!(
        lead(Audience::Finance),
        "Ana Ferreira approved 12,000 EUR for “Cloud security, Q3” of Nordwind Systems GmbH; \
         the first proof is due by Fri 26 June 2026."
    );
}

#[test]
fn nothing_released_is_not_news() {
    let none = Facts { amount: Some(Money::zero(Currency::EUR)), ..facts() };
    let cancelled = mail(&notice(Topic::CycleCancelled, Audience::Finance, none.clone()));
    assert!(!cancelled.text.contains("0 EUR"), "{}", cancelled.text);
    let measured = mail(&notice(Topic::PerformanceReady, Audience::Finance, none));
    assert!(measured.text.contains("0 EUR won"), "{}", measured.text);
}

/// A mail as its reader sees it, for a snapshot.
fn shown(mail: &crate::Mail) -> String {
    format!("To: {} <{}>\nSubject: {}\n\n{}", mail.to.name, mail.to.email, mail.subject, mail.text)
}

#[test]
fn request_submitted() {
    let facts = Facts { item: None, reason: None, by: "Jonas Weber".to_owned(), ..facts() };
    let mail = mail(&notice(Topic::RequestSubmitted, Audience::Approvers { level: 1, partner: nordwind() }, facts));
    insta::assert_snapshot!("request_submitted_text", shown(&mail));
    insta::assert_snapshot!("request_submitted_html", mail.html);
}

#[test]
fn remittance() {
    let lines = vec![
        ("Claim C-2026-0042/1".to_owned(), Money::units(6_000, Currency::EUR)),
        ("Claim C-2026-0051/2".to_owned(), Money::units(8_000, Currency::EUR)),
        ("Held back against an earlier claw back".to_owned(), Money::units(2_000, Currency::EUR)),
    ];
    let facts = Facts {
        number: "S-2026-0007-3".to_owned(),
        title: String::new(),
        by: "Yuki Tanaka".to_owned(),
        item: Some("BANK 4711".to_owned()),
        reason: None,
        path: "/remittances/S-2026-0007/3".to_owned(),
        lines,
        ..facts()
    };
    let mail = mail(&notice(Topic::Remittance, Audience::Partner(nordwind()), facts));
    insta::assert_snapshot!("remittance_text", shown(&mail));
    insta::assert_snapshot!("remittance_html", mail.html);
}

#[test]
fn request_approved() {
    let reason = "Approved for the webinar only: the paid social line has no target yet.".to_owned();
    let facts = Facts { item: None, reason: Some(reason), ..facts() };
    let mail = mail(&notice(Topic::RequestApproved, Audience::Partner(nordwind()), facts));
    insta::assert_snapshot!("request_approved_text", shown(&mail));
    insta::assert_snapshot!("request_approved_html", mail.html);
}

#[test]
fn information_asked() {
    let reason = "Which list did you use?\n\nIf it is the spring list, please say how many have opted out.".to_owned();
    let facts = Facts { item: None, reason: Some(reason), ..facts() };
    let mail = mail(&notice(Topic::InformationAsked, Audience::Partner(nordwind()), facts));
    insta::assert_snapshot!("information_asked_text", shown(&mail));
    insta::assert_snapshot!("information_asked_html", mail.html);
}

#[test]
fn proof_due() {
    let facts = Facts { number: "C-2026-0042/2".to_owned(), by: String::new(), reason: None, ..facts() };
    let mail = mail(&notice(Topic::ProofDue, Audience::Partner(nordwind()), facts));
    insta::assert_snapshot!("proof_due_text", shown(&mail));
}

#[test]
fn claim_approved() {
    let facts = Facts { reason: Some("The hotel invoice is outside the program.".to_owned()), ..facts() };
    let mail = mail(&notice(Topic::ClaimApproved, Audience::Finance, facts));
    insta::assert_snapshot!("claim_approved_text", shown(&mail));
}

#[test]
fn funds_expiring() {
    let facts = Facts {
        number: "F-EMEA-26".to_owned(),
        title: "EMEA partner fund 2026".to_owned(),
        by: String::new(),
        item: None,
        reason: None,
        path: "/wallet".to_owned(),
        ..facts()
    };
    let mail = mail(&notice(Topic::FundsExpiring, Audience::Partner(nordwind()), facts));
    insta::assert_snapshot!("funds_expiring_text", shown(&mail));
}

#[test]
fn password_reset() {
    let facts = Facts { path: "/reset/x7Qb".to_owned(), ..Facts::default() };
    let mail = mail(&notice(Topic::PasswordReset, Audience::Address("maria@nordwind.example".to_owned()), facts));
    insta::assert_snapshot!("password_reset_text", shown(&mail));
    insta::assert_snapshot!("password_reset_html", mail.html);
}

#[test]
fn invitation() {
    let facts = Facts {
        by: "Ana Ferreira".to_owned(),
        partner: "Nordwind Systems GmbH".to_owned(),
        due: facts().due,
        path: "/invitations/x7Qb".to_owned(),
        ..Facts::default()
    };
    let mail = mail(&notice(Topic::Invitation, Audience::Address("maria@nordwind.example".to_owned()), facts));
    insta::assert_snapshot!("invitation_text", shown(&mail));
}

#[test]
fn a_test_mail_says_where_it_comes_from() {
    insta::assert_snapshot!("trial_text", shown(&trial(&maria(), &acme(), super::ID)));
}

#[test]
fn extension_granted() {
    let facts = Facts { item: Some("Cloud security, Q3".to_owned()), reason: None, ..facts() };
    let mail = mail(&notice(Topic::ExtensionGranted, Audience::Partner(nordwind()), facts));
    insta::assert_snapshot!("extension_granted_text", shown(&mail));
}

#[test]
fn a_digest_is_one_line_a_thing_and_one_button() {
    let line = |group, subject: &str| DigestLine { group, subject: subject.to_owned() };
    let lines = [
        line("Needs you", "C-2026-0042: answer by Fri 26 June 2026"),
        line("Deadlines", "C-2026-0042: proof due Fri 26 June 2026, 12,000 EUR"),
        line("Deadlines", "C-2026-0041: proof\r\nBcc: everyone@elsewhere.example"),
    ];
    let mail = digest(&lines, &maria(), &acme(), super::ID);
    insta::assert_snapshot!("digest_text", shown(&mail));
    let tags = tags(&mail.html);
    assert_eq!(tags.iter().filter(|tag| *tag == "a").count(), 2, "the button and its address");
    let long = digest(&vec![lines[0].clone(); 140], &maria(), &acme(), super::ID);
    assert!(long.text.contains("140 things have gathered") && long.text.contains("40 more stand on the page."));
}

/// The subjects in one list, as an inbox shows them.
#[test]
fn subjects() {
    let subjects: Vec<String> = Topic::ALL
        .into_iter()
        .map(|topic| mail(&notice(topic, Audience::Partner(nordwind()), facts())).subject)
        .collect();
    insta::assert_snapshot!(subjects.join("\n"));
}
