//! Parts that any page may use: badges, facts, lists, tabs, empty states.

use std::fmt::{self, Display, Formatter};

use askama::Template;
use askama::filters::HtmlSafe;
use domain::money::Money;

use super::words::{Amount, Due, Share, escaped};

/// How a state is doing; each tone has its own colour and its own shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Done, agreed, paid.
    Ok,
    /// Needs an eye on it.
    Warn,
    /// Refused, overdue, failed.
    Bad,
    /// Under way.
    Info,
    /// Waiting for somebody.
    Wait,
    /// Not begun, ended, not applicable.
    #[default]
    Off,
}

impl Tone {
    pub const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
            Self::Wait => "wait",
            Self::Off => "off",
        }
    }
}

/// A word about a state, with a shape and a colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Badge {
    pub tone: Tone,
    pub text: String,
}

impl Badge {
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

impl Display for Badge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, r#"<span class="badge {}">{}</span>"#, self.tone.class(), escaped(&self.text))
    }
}

impl HtmlSafe for Badge {}

/// What stands in a fact's place: text is escaped, the rest brings its own markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Money(Amount),
    /// "38,000 EUR → 26,000 EUR".
    Change(Amount, Amount),
    Due(Due),
    Share(Share),
    Badge(Badge),
    Link {
        text: String,
        href: String,
    },
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => escaped(text).fmt(f),
            Self::Money(amount) => amount.fmt(f),
            Self::Change(before, after) => write!(
                f,
                r#"<span class="change">{before} <span class="arrow" aria-hidden="true">→</span><span class="sr"> becomes </span> {after}</span>"#
            ),
            Self::Due(due) => due.fmt(f),
            Self::Share(share) => share.fmt(f),
            Self::Badge(badge) => badge.fmt(f),
            Self::Link { text, href } => write!(f, r#"<a href="{}">{}</a>"#, escaped(href), escaped(text)),
        }
    }
}

impl HtmlSafe for Value {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

macro_rules! value_from {
    ($($variant:ident($type:ty)),*) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        })*
    };
}
impl From<Money> for Value {
    fn from(money: Money) -> Self {
        Self::Money(money.into())
    }
}

value_from!(Text(String), Money(Amount), Due(Due), Share(Share), Badge(Badge));

/// A label, its value, and a small note beneath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub label: String,
    pub value: Value,
    pub note: String,
}

impl Fact {
    pub fn new(label: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { label: label.into(), value: value.into(), note: String::new() }
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// Facts as a two-column definition list.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/facts.html")]
pub struct Facts {
    pub facts: Vec<Fact>,
}

/// Facts as large figures in a row.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/stats.html")]
pub struct Stats {
    pub facts: Vec<Fact>,
}

/// What was answered, before it is sent: each line with a way back to its question.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/answers.html")]
pub struct Answers {
    pub rows: Vec<Answer>,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub label: String,
    pub value: Value,
    /// None where nothing can be changed any more.
    pub href: Option<String>,
}

/// The parts of a bigger document and how far each is.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/hub.html")]
pub struct Hub {
    pub items: Vec<HubItem>,
}

#[derive(Clone, Debug)]
pub struct HubItem {
    pub title: String,
    pub hint: String,
    /// None while the item cannot be opened yet.
    pub href: Option<String>,
    pub state: Badge,
}

/// What each rule of the program guide says of this case.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/rules.html")]
pub struct Rules {
    pub rules: Vec<RuleLine>,
}

#[derive(Clone, Debug)]
pub struct RuleLine {
    pub result: Badge,
    pub words: String,
}

/// Says what will be here, and offers one action.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/empty.html")]
pub struct Empty {
    pub title: String,
    pub text: String,
    /// Address and words of the one action.
    pub action: Option<(String, String)>,
}

impl Empty {
    pub fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { title: title.into(), text: text.into(), action: None }
    }

    #[must_use]
    pub fn action(mut self, href: impl Into<String>, words: impl Into<String>) -> Self {
        self.action = Some((href.into(), words.into()));
        self
    }
}

/// Links between views of one thing; saved views of a list.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/tabs.html")]
pub struct Tabs {
    /// Names the landmark for people who hear the page: "Views of this list".
    pub label: String,
    pub tabs: Vec<Tab>,
}

#[derive(Clone, Debug)]
pub struct Tab {
    pub label: String,
    pub href: String,
    pub current: bool,
    /// How much is behind it, in figures; "999+" where nobody counted on.
    pub count: Option<String>,
}

/// The way back up: pairs of words and address.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/crumbs.html")]
pub struct Crumbs {
    pub crumbs: Vec<(String, String)>,
}

/// The foot of a list: what is shown, and the addresses of its neighbours.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/pager.html")]
pub struct Pager {
    pub words: String,
    pub previous: Option<String>,
    pub next: Option<String>,
}

impl HtmlSafe for Answers {}
impl HtmlSafe for Facts {}
impl HtmlSafe for Stats {}
impl HtmlSafe for Hub {}
impl HtmlSafe for Rules {}
impl HtmlSafe for Empty {}
impl HtmlSafe for Tabs {}
impl HtmlSafe for Crumbs {}
impl HtmlSafe for Pager {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_escape_what_people_typed() {
        let link = Value::Link { text: "<b>".into(), href: "/x?a=1&b=\"".into() };
        assert_eq!(link.to_string(), r#"<a href="/x?a=1&#38;b=&#34;">&#60;b&#62;</a>"#);
        assert_eq!(Value::from("A & B").to_string(), "A &#38; B");
        assert_eq!(Badge::new(Tone::Warn, "<i>").to_string(), r#"<span class="badge warn">&#60;i&#62;</span>"#);
    }
}
