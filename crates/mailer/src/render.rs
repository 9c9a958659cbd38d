//! A notice, its reader and its sender become a mail.

use crate::words::{self, BOUND, Labels, The, Words};
use crate::{Address, Mail, Recipient, Sender, clean};
use askama::Template;
use domain::money::Marks;
use domain::notice::{Facts, Notice, Topic};

/// Longer subjects are cut, in characters: no inbox shows more.
const SUBJECT: usize = 140;

/// Makes the mail of a notice for one reader. Nothing in the facts can fail it or forge a header, a line or
/// a tag; amounts are written with the reader's marks, days in full.
pub fn render(notice: &Notice, to: &Recipient, sender: &Sender, message_id: &str) -> Mail {
    let the = The::new(notice, to, sender);
    let page = Page {
        words: words::words(notice.topic, &the),
        rows: rows(notice.topic, &notice.facts, &the, to.marks),
        quote_head: quote_head(notice.topic, &the),
        quote: notice.facts.reason.as_deref().map(clean::lines).unwrap_or_default(),
        path: &notice.facts.path,
        number: the.number,
    };
    page.mail(to, sender, message_id)
}

/// The mail of `fundloop mail test`.
pub fn trial(to: &Recipient, sender: &Sender, message_id: &str) -> Mail {
    let name = clean::line(&sender.name);
    let page = Page {
        words: Words {
            happened: format!("test mail from {name}"),
            lead: format!("{name} can send mail: this one has reached you."),
            next: "There is nothing else for you to do.".to_owned(),
            button: "Open the home page".to_owned(),
        },
        rows: Vec::new(),
        quote_head: String::new(),
        quote: Vec::new(),
        path: "/",
        number: String::new(),
    };
    page.mail(to, sender, message_id)
}

/// One thing a digest tells of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DigestLine {
    /// The kind of mail it is, as its reader knows it: "Deadlines".
    pub group: &'static str,
    /// The subject it would have had as a mail of its own.
    pub subject: String,
}

/// A digest shows at most so many lines; the page behind its button has them all.
const LINES: usize = 100;

/// What has gathered for one reader, in the order given, as one mail with one button.
pub fn digest(lines: &[DigestLine], to: &Recipient, sender: &Sender, message_id: &str) -> Mail {
    let name = clean::line(&sender.name);
    let things = if lines.len() == 1 { "1 thing".to_owned() } else { format!("{} things", lines.len()) };
    let verb = if lines.len() == 1 { "has" } else { "have" };
    let beyond = lines.len().saturating_sub(LINES);
    let more = if beyond > 0 { format!("{beyond} more stand on the page. ") } else { String::new() };
    let page = Page {
        words: Words {
            happened: format!("your digest, {things}"),
            lead: format!("{things} {verb} gathered for you in {name}."),
            next: format!(
                "{more}Each stands there in full, with a link to its record. How often which mails come is up to you, \
                 on your profile page."
            ),
            button: "Open my notifications".to_owned(),
        },
        rows: lines
            .iter()
            .take(LINES)
            .map(|line| Row { label: line.group.to_owned(), value: clean::line(&line.subject) })
            .collect(),
        quote_head: String::new(),
        quote: Vec::new(),
        path: "/notifications",
        number: String::new(),
    };
    page.mail(to, sender, message_id)
}

/// What a layout sets.
struct Page<'a> {
    words: Words,
    number: String,
    rows: Vec<Row>,
    quote_head: String,
    quote: Vec<String>,
    path: &'a str,
}

struct Row {
    label: String,
    value: String,
}

#[derive(Template)]
#[template(path = "mail/layout.txt")]
struct Text<'a> {
    page: &'a Page<'a>,
    url: &'a str,
    foot: &'a str,
}

#[derive(Template)]
#[template(path = "mail/layout.html")]
struct Html<'a> {
    page: &'a Page<'a>,
    subject: &'a str,
    heading: &'a str,
    sender: &'a str,
    url: &'a str,
    foot: &'a str,
}

impl Page<'_> {
    fn mail(&self, to: &Recipient, sender: &Sender, message_id: &str) -> Mail {
        let heading = capitalised(&self.words.happened);
        let subject =
            if self.number.is_empty() { heading.clone() } else { format!("{}: {}", self.number, self.words.happened) };
        let subject = clean::cut(&subject, SUBJECT).replace(BOUND, " ");
        let url = format!("{}{}", sender.base_url.trim_end_matches('/'), clean::path(self.path));
        let to = Address { name: clean::line(&to.name), email: clean::line(&to.email) };
        let name = clean::line(&sender.name);
        let foot = self.foot(&to, &name);
        let text = format!("{}\n", Text { page: self, url: &url, foot: &foot }).replace(BOUND, " ");
        let html = Html { page: self, subject: &subject, heading: &heading, sender: &name, url: &url, foot: &foot }
            .to_string();
        Mail { message_id: message_id.to_owned(), to, subject, text, html }
    }

    fn foot(&self, to: &Address, sender: &str) -> String {
        if self.number.is_empty() {
            return format!("{sender} sent this to {}.", to.email);
        }
        format!(
            "{sender} sent this to {}, who has a part in {}. Please answer on the page rather than by reply: \
             there it stays with the record.",
            to.email, self.number
        )
    }
}

/// The facts under the lead, as far as they are known and new to the reader.
fn rows(topic: Topic, facts: &Facts, the: &The, marks: Marks) -> Vec<Row> {
    let Labels { amount, due } = words::labels(topic);
    let record = match topic {
        Topic::Invitation | Topic::PasswordReset => None,
        Topic::FundsAllocated
        | Topic::FundsExpiring
        | Topic::FundsForfeited
        | Topic::UnderThreshold
        | Topic::CreditMoved
        | Topic::CreditAdjusted
        | Topic::ReinstatementProposed
        | Topic::CreditReinstated => Some("Fund"),
        Topic::ImportFinished => Some("File"),
        _ => Some("Cycle"),
    };
    let about = match topic {
        Topic::ImportFinished => "Rows",
        Topic::ClaimPaid | Topic::Remittance => "Reference",
        _ => "About",
    };
    let title = Some(clean::line(&facts.title)).filter(|title| !title.is_empty());
    let lines = facts.lines.iter().map(|(label, amount)| Row {
        label: clean::line(label),
        value: format!("{}{BOUND}{}", amount.written(marks), amount.currency),
    });
    let rows = [
        record.zip(title),
        the.company.clone().filter(|_| !the.partners()).map(|company| ("Partner", company)),
        the.item.clone().map(|item| (about, item)),
        the.amount.clone().map(|money| (amount, money)),
        facts.in_fund.as_deref().map(|words| ("In the fund", clean::line(words))),
        the.due.clone().map(|day| (due, day)),
    ];
    let rows = rows.into_iter().flatten().map(|(label, value)| Row { label: label.to_owned(), value });
    lines.chain(rows).collect()
}

/// Who says what is quoted.
fn quote_head(topic: Topic, the: &The) -> String {
    match (topic, &the.doer) {
        (Topic::ImportFinished, _) => "Left out:".to_owned(),
        (Topic::InformationAsked, Some(name)) => format!("{name} asks:"),
        (_, Some(name)) => format!("{name} wrote:"),
        (_, None) => "Reason:".to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
