//! Forms: fields with label, hint and error; what people typed is kept; mistakes are listed on top and link to their field.

use askama::Template;
use askama::filters::HtmlSafe;

/// One question of a form.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/field.html")]
pub struct Field {
    pub name: String,
    /// The element's id, which the error summary links to; the name unless a page repeats it.
    pub id: String,
    pub label: String,
    pub hint: String,
    /// More than one only for ticks.
    pub values: Vec<String>,
    pub error: Option<String>,
    /// What a reviewer said about this answer, pinned beside it.
    pub pinned: Option<String>,
    pub required: bool,
    pub autocomplete: Option<&'static str>,
    pub control: Control,
}

/// What the question looks like.
#[derive(Clone, Debug)]
pub enum Control {
    Line(Line),
    /// A line that takes an amount as people write it, its currency beside it.
    Amount {
        currency: String,
    },
    Area {
        rows: u32,
    },
    Select(Vec<Choice>),
    Radios(Vec<Choice>),
    /// Several of these may be ticked.
    Ticks(Vec<Choice>),
    /// One box, posted as "yes".
    Tick,
    File {
        accept: String,
        multiple: bool,
    },
    Hidden,
}

#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub kind: &'static str,
    pub inputmode: Option<&'static str>,
    pub short: bool,
}

/// Of more, a filter offers none: the search box beside it finds them.
pub const MOST_CHOICES: usize = 100;

#[derive(Clone, Debug)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub hint: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: String::new() }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// What a filter offers, "any" first; nothing where there is nothing to choose from.
    pub fn any_of(any: &str, named: Vec<(impl ToString, String)>) -> Vec<Self> {
        if named.is_empty() {
            return Vec::new();
        }
        let named = named.into_iter().map(|(value, label)| Self::new(value.to_string(), label));
        std::iter::once(Self::new("", any)).chain(named).collect()
    }
}

impl Field {
    pub fn new(name: &str, label: &str, control: Control) -> Self {
        Self {
            name: name.to_owned(),
            id: name.to_owned(),
            label: label.to_owned(),
            hint: String::new(),
            values: Vec::new(),
            error: None,
            pinned: None,
            required: true,
            autocomplete: None,
            control,
        }
    }

    fn line(name: &str, label: &str, kind: &'static str) -> Self {
        Self::new(name, label, Control::Line(Line { kind, inputmode: None, short: false }))
    }

    pub fn text(name: &str, label: &str) -> Self {
        Self::line(name, label, "text")
    }

    pub fn email(name: &str, label: &str) -> Self {
        Self::line(name, label, "email").autocomplete("email")
    }

    pub fn password(name: &str, label: &str) -> Self {
        Self::line(name, label, "password").autocomplete("current-password")
    }

    pub fn url(name: &str, label: &str) -> Self {
        Self::line(name, label, "url")
    }

    pub fn date(name: &str, label: &str) -> Self {
        Self::line(name, label, "date")
    }

    /// A whole number or a decimal, typed: a text line, since number boxes swallow what they cannot read.
    pub fn number(name: &str, label: &str) -> Self {
        Self::new(name, label, Control::Line(Line { kind: "text", inputmode: Some("decimal"), short: true }))
    }

    pub fn amount(name: &str, label: &str, currency: &str) -> Self {
        Self::new(name, label, Control::Amount { currency: currency.to_owned() })
    }

    pub fn area(name: &str, label: &str, rows: u32) -> Self {
        Self::new(name, label, Control::Area { rows })
    }

    pub fn select(name: &str, label: &str, choices: Vec<Choice>) -> Self {
        Self::new(name, label, Control::Select(choices))
    }

    pub fn radios(name: &str, label: &str, choices: Vec<Choice>) -> Self {
        Self::new(name, label, Control::Radios(choices))
    }

    pub fn ticks(name: &str, label: &str, choices: Vec<Choice>) -> Self {
        Self::new(name, label, Control::Ticks(choices)).optional()
    }

    pub fn tick(name: &str, label: &str) -> Self {
        Self::new(name, label, Control::Tick).optional()
    }

    pub fn file(name: &str, label: &str, accept: &str) -> Self {
        Self::new(name, label, Control::File { accept: accept.to_owned(), multiple: false })
    }

    pub fn hidden(name: &str, value: impl Into<String>) -> Self {
        Self::new(name, "", Control::Hidden).value_is(value)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    #[must_use]
    pub fn value_is(mut self, value: impl Into<String>) -> Self {
        self.values = vec![value.into()];
        self
    }

    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    #[must_use]
    pub fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = Some(what);
        self
    }

    #[must_use]
    pub fn pinned(mut self, reason: impl Into<String>) -> Self {
        self.pinned = Some(reason.into());
        self
    }

    #[must_use]
    pub fn error(mut self, problem: impl Into<String>) -> Self {
        self.error = Some(problem.into());
        self
    }

    pub fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    pub fn has(&self, value: &str) -> bool {
        self.values.iter().any(|held| held == value)
    }

    /// The first choice carries the field's own id, so that the error summary's link lands on something focusable.
    fn with_ids<'a>(&self, choices: &'a [Choice]) -> Vec<(String, &'a Choice)> {
        let id = |index| if index == 0 { self.id.clone() } else { format!("{}-{index}", self.id) };
        choices.iter().enumerate().map(|(index, choice)| (id(index), choice)).collect()
    }

    /// The ids of the notes that a screen reader should read with the field.
    pub(super) fn described_by(&self) -> Option<String> {
        let notes =
            [("hint", !self.hint.is_empty()), ("pinned", self.pinned.is_some()), ("error", self.error.is_some())];
        let ids: Vec<_> =
            notes.iter().filter(|(_, there)| *there).map(|(note, _)| format!("{}-{note}", self.id)).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// Fields in the order they are asked, with what was typed and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub fields: Vec<Field>,
    /// Mistakes that belong to no single field.
    pub problems: Vec<String>,
}

impl Form {
    /// Begins with the hidden fields every form carries: the session's token, and the mark that makes a double post
    /// harmless.
    pub fn new(csrf: &str, once: &str) -> Self {
        Self { fields: vec![Field::hidden("csrf", csrf), Field::hidden("once", once)], problems: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// The version of the record the form was made from, so that nobody overwrites what they have not seen.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        self.with(Field::hidden("version", version.to_string()))
    }

    /// Keeps what was posted: pairs as they came, a name several times for ticks.
    pub fn fill<'a>(&mut self, posted: impl IntoIterator<Item = (&'a str, &'a str)> + Clone) {
        for field in &mut self.fields {
            if matches!(field.control, Control::Hidden | Control::File { .. }) {
                continue;
            }
            let values = posted.clone().into_iter().filter(|(name, _)| *name == field.name);
            field.values = values.map(|(_, value)| value.to_owned()).collect();
        }
    }

    /// Puts a problem at a field, or above the form when no field has that name.
    pub fn problem(&mut self, name: &str, problem: impl Into<String>) {
        match self.fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.error = Some(problem.into()),
            None => self.problems.push(problem.into()),
        }
    }

    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.fields.iter().all(|field| field.error.is_none())
    }

    /// The list of mistakes; nothing while there are none.
    pub fn summary(&self) -> Summary {
        if self.is_sound() {
            return Summary(None);
        }
        let general = self.problems.iter().map(|problem| FormError { field: None, problem: problem.clone() });
        let at_fields = self
            .fields
            .iter()
            .filter_map(|field| Some(FormError { field: Some(field.id.clone()), problem: field.error.clone()? }));
        Summary(Some(ErrorSummary { errors: general.chain(at_fields).collect() }))
    }

    /// One field, for pages that place each; nothing when there is none of that name.
    pub fn field(&self, name: &str) -> Placed<'_> {
        Placed(self.fields.iter().filter(|field| field.name == name).collect())
    }

    /// The hidden fields, for pages that place the others one by one.
    pub fn hidden(&self) -> Placed<'_> {
        Placed(self.fields.iter().filter(|field| matches!(field.control, Control::Hidden)).collect())
    }

    /// Every field, hidden ones too, in order.
    pub fn all(&self) -> Placed<'_> {
        Placed(self.fields.iter().collect())
    }
}

/// Fields, written where they stand.
pub struct Placed<'a>(Vec<&'a Field>);

impl std::fmt::Display for Placed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for field in &self.0 {
            writeln!(f, "{field}")?;
        }
        Ok(())
    }
}

/// An error summary, or nothing.
pub struct Summary(Option<ErrorSummary>);

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |summary| write!(f, "{summary}"))
    }
}

/// All mistakes of a form in one place, each a link to its field.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/error_summary.html")]
pub struct ErrorSummary {
    pub errors: Vec<FormError>,
}

#[derive(Clone, Debug)]
pub struct FormError {
    /// The id of the field, without `#`.
    pub field: Option<String>,
    pub problem: String,
}

impl HtmlSafe for Field {}
impl HtmlSafe for ErrorSummary {}
impl HtmlSafe for Placed<'_> {}
impl HtmlSafe for Summary {}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form::new("token", "once-1")
            .with(Field::text("title", "Campaign name"))
            .with(Field::amount("asked", "Amount asked", "EUR").hint("At most 12,000 EUR."))
            .with(Field::ticks(
                "tactics",
                "Tactics",
                vec![Choice::new("web", "Webinar"), Choice::new("ads", "Paid social")],
            ))
    }

    #[test]
    fn what_was_typed_comes_back_with_what_is_wrong() {
        let mut form = form();
        form.fill([
            ("title", "<Q3>"),
            ("asked", "12.000,5,0"),
            ("tactics", "web"),
            ("tactics", "ads"),
            ("csrf", "forged"),
        ]);
        form.problem("asked", "Write an amount like 4,500.00.");
        let html = form.all().to_string();
        assert!(html.contains("value=\"&#60;Q3&#62;\""), "{html}");
        assert!(html.contains("aria-invalid=\"true\" aria-describedby=\"asked-hint asked-error\""), "{html}");
        assert_eq!(html.matches(" checked").count(), 2);
        assert!(html.contains("name=\"csrf\" value=\"token\""), "a posted token never replaces the session's");
        assert!(form.summary().to_string().contains("<a href=\"#asked\">Write an amount"));
        assert!(!form.is_sound());
    }

    #[test]
    fn a_sound_form_has_no_summary_and_a_problem_without_a_field_stands_above() {
        let mut form = form();
        assert_eq!(form.summary().to_string(), "");
        form.problem("", "The fund has 3,000 EUR left.");
        assert!(form.summary().to_string().contains("<li>The fund has"));
    }
}
