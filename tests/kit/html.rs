//! Reads a page the way a person does: its words, its links, its forms. Enough of HTML for pages that come from our
//! own templates, and no more.

/// A piece of a page, in the order it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Open { name: String, attrs: Vec<(String, String)> },
    Close(String),
    Text(String),
}

/// A form with what is in it before anyone types.
#[derive(Debug, Clone, Default)]
pub struct Form {
    pub id: String,
    pub action: String,
    pub method: String,
    pub multipart: bool,
    pub fields: Vec<Field>,
    pub buttons: Vec<Button>,
    pub files: Vec<Attachment>,
}

/// One named input, select or textarea. A field that is not `sent` (an unticked box) stays out of the post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: String,
    pub kind: Kind,
    pub sent: bool,
    pub options: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Hidden,
    Text,
    /// A checkbox or a radio button: its value is fixed, whether it is sent is the choice.
    Tick {
        radio: bool,
    },
    Select,
    File,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Button {
    pub text: String,
    pub name: String,
    pub value: String,
    pub action: String,
}

/// A file put into a form's file input.
#[derive(Debug, Clone)]
pub struct Attachment {
    pub field: String,
    pub filename: String,
    pub content_type: String,
    pub bytes: Vec<u8>,
}

impl Form {
    /// Fills a field by its name; a box is ticked by its value, or unticked by the empty string.
    ///
    /// Panics with the names the form does have, so that a renamed field is a readable failure.
    pub fn fill(&mut self, name: &str, value: &str) -> &mut Self {
        let known: Vec<String> = self.fields.iter().map(|f| f.name.clone()).collect();
        let mut matching: Vec<&mut Field> = self.fields.iter_mut().filter(|f| f.name == name).collect();
        let Some(first) = matching.first() else {
            panic!("no field named {name:?} in the form to {}; it has {known:?}", self.action)
        };
        match first.kind {
            Kind::Tick { radio } => tick(&mut matching, radio, value),
            Kind::Select => {
                let options = first.options.clone();
                assert!(options.iter().any(|o| o == value), "{name:?} offers {options:?}, not {value:?}");
                value.clone_into(&mut matching[0].value);
                matching[0].sent = true;
            }
            Kind::File => panic!("{name:?} takes a file: use attach"),
            Kind::Hidden | Kind::Text => value.clone_into(&mut matching[0].value),
        }
        self
    }

    /// Fills several fields.
    pub fn fill_all(&mut self, values: &[(&str, &str)]) -> &mut Self {
        for (name, value) in values {
            self.fill(name, value);
        }
        self
    }

    /// Adds a field that the page does not have, as somebody might who writes requests by hand.
    pub fn smuggle(&mut self, name: &str, value: &str) -> &mut Self {
        self.fields.push(Field {
            name: name.to_owned(),
            value: value.to_owned(),
            kind: Kind::Hidden,
            sent: true,
            options: Vec::new(),
        });
        self
    }

    /// Puts a file into the file input of that name.
    pub fn attach(&mut self, field: &str, filename: &str, content_type: &str, bytes: &[u8]) -> &mut Self {
        let known: Vec<&str> = self.fields.iter().map(|f| f.name.as_str()).collect();
        let is_file = self.fields.iter().any(|f| f.name == field && f.kind == Kind::File);
        assert!(is_file, "no file input named {field:?} in the form to {}; it has {known:?}", self.action);
        self.files.push(Attachment {
            field: field.to_owned(),
            filename: filename.to_owned(),
            content_type: content_type.to_owned(),
            bytes: bytes.to_vec(),
        });
        self
    }

    /// What the form holds under that name, ticked or selected or typed.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|f| f.name == name && f.sent).map(|f| f.value.as_str())
    }

    /// The name and value pairs a browser would post when that button is pressed.
    pub fn pairs(&self, button: Option<&Button>) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = self
            .fields
            .iter()
            .filter(|f| f.sent && f.kind != Kind::File && !f.name.is_empty())
            .map(|f| (f.name.clone(), f.value.clone()))
            .collect();
        if let Some(b) = button.filter(|b| !b.name.is_empty()) {
            pairs.push((b.name.clone(), b.value.clone()));
        }
        pairs
    }

    pub fn button(&self, text: &str) -> Option<&Button> {
        self.buttons.iter().find(|b| b.text == text)
    }
}

fn tick(fields: &mut [&mut Field], radio: bool, value: &str) {
    if radio || value.is_empty() {
        for field in fields.iter_mut() {
            field.sent = false;
        }
    }
    if value.is_empty() {
        return;
    }
    let values: Vec<String> = fields.iter().map(|f| f.value.clone()).collect();
    let name = fields[0].name.clone();
    let Some(chosen) = fields.iter_mut().find(|f| f.value == value) else {
        panic!("{name:?} offers {values:?}, not {value:?}")
    };
    chosen.sent = true;
}

/// Splits a page into tags and text, entities decoded; comments, scripts and styles are left out.
pub fn tokens(html: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push_text(&mut out, &rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->").map_or("", |(_, r)| r);
            continue;
        }
        let end = tag_end(rest);
        let inside = &rest[1..end];
        rest = rest.get(end + 1..).unwrap_or("");
        if let Some(name) = inside.strip_prefix('/') {
            out.push(Token::Close(name.trim().to_ascii_lowercase()));
        } else if !inside.starts_with('!') {
            let (name, attrs) = tag(inside);
            let raw = matches!(name.as_str(), "script" | "style" | "textarea" | "title");
            out.push(Token::Open { name: name.clone(), attrs });
            if raw {
                rest = raw_text(&mut out, rest, &name);
            }
        }
    }
    push_text(&mut out, rest);
    out
}

/// The text of an element whose inside is not markup, up to its closing tag, which is pushed too.
fn raw_text<'a>(out: &mut Vec<Token>, rest: &'a str, name: &str) -> &'a str {
    let close = format!("</{name}");
    let at = rest.to_ascii_lowercase().find(&close).unwrap_or(rest.len());
    if matches!(name, "textarea" | "title") {
        push_text(out, rest[..at].strip_prefix('\n').unwrap_or(&rest[..at]));
    }
    out.push(Token::Close(name.to_owned()));
    rest[at..].split_once('>').map_or("", |(_, r)| r)
}

fn push_text(out: &mut Vec<Token>, text: &str) {
    if !text.is_empty() {
        out.push(Token::Text(decode(text)));
    }
}

/// Where the tag that starts here ends; a `>` inside quotes does not end it.
fn tag_end(from: &str) -> usize {
    let mut quote = None;
    for (at, c) in from.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
    }
    from.len()
}

fn tag(inside: &str) -> (String, Vec<(String, String)>) {
    let inside = inside.trim_end_matches('/');
    let name_end = inside.find(|c: char| c.is_whitespace()).unwrap_or(inside.len());
    let name = inside[..name_end].to_ascii_lowercase();
    let mut attrs = Vec::new();
    let mut rest = inside[name_end..].trim_start();
    while !rest.is_empty() {
        let key_end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let key = rest[..key_end].to_ascii_lowercase();
        rest = rest[key_end..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let (raw, left) = match after.chars().next() {
                Some(q @ ('"' | '\'')) => after[1..].split_once(q).unwrap_or((&after[1..], "")),
                _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            value = decode(raw);
            rest = left.trim_start();
        }
        if !key.is_empty() {
            attrs.push((key, value));
        } else if rest.is_empty() {
            break;
        }
    }
    (name, attrs)
}

/// Decodes the entities askama writes and the few our templates use.
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let semicolon = rest.find(';').filter(|end| *end < 12);
        let known = semicolon.and_then(|end| Some((entity(&rest[1..end])?, end + 1)));
        let (character, length) = known.unwrap_or(('&', 1));
        out.push(character);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        "ndash" => Some('\u{2013}'),
        "mdash" => Some('\u{2014}'),
        "middot" => Some('\u{b7}'),
        "hellip" => Some('\u{2026}'),
        "rarr" => Some('\u{2192}'),
        "larr" => Some('\u{2190}'),
        "times" => Some('\u{d7}'),
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(&hex[1..], 16),
            decimal => number(decimal, 10),
        },
    }
}

/// The words of a page with runs of white space made one space.
pub fn text(tokens: &[Token]) -> String {
    let mut words = String::new();
    for token in tokens {
        match token {
            Token::Text(t) => words.push_str(t),
            Token::Open { name, .. } | Token::Close(name) if !is_inline(name) => words.push(' '),
            Token::Open { .. } | Token::Close(_) => {}
        }
    }
    squeeze(&words)
}

pub(crate) fn squeeze(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr" | "b" | "em" | "strong" | "span" | "small" | "code" | "i" | "mark" | "sup" | "sub" | "time"
    )
}

fn attr<'a>(attrs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attrs.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
}

/// Every element of that name with its attributes and its words.
pub fn elements(tokens: &[Token], wanted: &str) -> Vec<(Vec<(String, String)>, String)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Open { name, attrs } = token else {
            continue;
        };
        if name != wanted {
            continue;
        }
        let inside: Vec<Token> =
            tokens[at + 1..].iter().take_while(|t| !matches!(t, Token::Close(n) if n == wanted)).cloned().collect();
        found.push((attrs.clone(), text(&inside)));
    }
    found
}

/// Every form of the page. Inputs and buttons that name a form by its id belong to it wherever they stand.
pub fn forms(tokens: &[Token]) -> Vec<Form> {
    let mut reader = FormReader::default();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open { name, attrs } => reader.open(name, attrs, &tokens[at + 1..]),
            Token::Close(name) if name == "form" => reader.current = None,
            Token::Close(_) | Token::Text(_) => {}
        }
    }
    let FormReader { mut forms, strays, .. } = reader;
    for (id, stray) in strays {
        let Some(form) = forms.iter_mut().find(|f| f.id == id) else {
            continue;
        };
        match stray {
            Part::Field(field) => form.fields.push(field),
            Part::Button(button) => form.buttons.push(button),
        }
    }
    forms
}

enum Part {
    Field(Field),
    Button(Button),
}

#[derive(Default)]
struct FormReader {
    forms: Vec<Form>,
    current: Option<usize>,
    strays: Vec<(String, Part)>,
}

impl FormReader {
    fn open(&mut self, name: &str, attrs: &[(String, String)], after: &[Token]) {
        if name == "form" {
            self.forms.push(Form {
                id: attr(attrs, "id").unwrap_or("").to_owned(),
                action: attr(attrs, "action").unwrap_or("").to_owned(),
                method: attr(attrs, "method").unwrap_or("get").to_ascii_lowercase(),
                multipart: attr(attrs, "enctype") == Some("multipart/form-data"),
                ..Form::default()
            });
            self.current = Some(self.forms.len() - 1);
            return;
        }
        if attr(attrs, "disabled").is_some() {
            return;
        }
        let Some(part) = part(name, attrs, after) else {
            return;
        };
        match (attr(attrs, "form"), self.current) {
            (Some(id), _) => self.strays.push((id.to_owned(), part)),
            (None, Some(form)) => match part {
                Part::Field(field) => self.forms[form].fields.push(field),
                Part::Button(button) => self.forms[form].buttons.push(button),
            },
            (None, None) => {}
        }
    }
}

fn part(name: &str, attrs: &[(String, String)], after: &[Token]) -> Option<Part> {
    let own = |key| attr(attrs, key).unwrap_or("").to_owned();
    let field = |value, kind, sent, options| Some(Part::Field(Field { name: own("name"), value, kind, sent, options }));
    match (name, attr(attrs, "type").unwrap_or("")) {
        ("button" | "input", "button" | "reset") => None,
        ("button", _) => Some(Part::Button(Button {
            text: until_close(after, "button"),
            name: own("name"),
            value: own("value"),
            action: own("formaction"),
        })),
        ("input", "submit") => Some(Part::Button(Button {
            text: own("value"),
            name: own("name"),
            value: own("value"),
            action: own("formaction"),
        })),
        ("input", kind @ ("checkbox" | "radio")) => {
            let value = attr(attrs, "value").unwrap_or("on").to_owned();
            field(value, Kind::Tick { radio: kind == "radio" }, attr(attrs, "checked").is_some(), vec![])
        }
        ("input", "file") => field(String::new(), Kind::File, true, vec![]),
        ("input", "hidden") => field(own("value"), Kind::Hidden, true, vec![]),
        ("input", _) => field(own("value"), Kind::Text, true, vec![]),
        ("textarea", _) => {
            let value = match after.first() {
                Some(Token::Text(t)) => t.clone(),
                _ => String::new(),
            };
            field(value, Kind::Text, true, vec![])
        }
        ("select", _) => {
            let (value, options) = options(after);
            let sent = !options.is_empty();
            field(value, Kind::Select, sent, options)
        }
        _ => None,
    }
}

fn until_close(after: &[Token], name: &str) -> String {
    let end = after.iter().position(|t| matches!(t, Token::Close(n) if n == name)).unwrap_or(after.len());
    text(&after[..end])
}

/// The selected value of a select (or its first) and all it offers.
fn options(after: &[Token]) -> (String, Vec<String>) {
    let mut offered = Vec::new();
    let mut selected = None;
    for (at, token) in after.iter().enumerate() {
        match token {
            Token::Close(n) if n == "select" => break,
            Token::Open { name, attrs } if name == "option" => {
                let value =
                    attr(attrs, "value").map_or_else(|| until_close(&after[at + 1..], "option"), ToOwned::to_owned);
                if attr(attrs, "selected").is_some() {
                    selected = Some(value.clone());
                }
                offered.push(value);
            }
            _ => {}
        }
    }
    (selected.or_else(|| offered.first().cloned()).unwrap_or_default(), offered)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!doctype html><title>Ask &amp; answer</title><!-- <form> -->
        <form id=ask action="/r/1" method="post" enctype='multipart/form-data'>
          <input type="hidden" name="csrf" value="a&quot;b"><input name="amount" value='1 > 0'>
          <input type="radio" name="level" value="1" checked><input type="radio" name="level" value="2">
          <input type=checkbox name=terms><textarea name="why">
  two &lt;lines&gt;</textarea>
          <select name="fund"><option value="a">A<option value="b" selected>B</select>
          <input type="file" name="proof"><button name="do" value="send">Send <b>it</b></button>
        </form><button form="ask" formaction="/r/2">Save</button>"#;

    #[test]
    fn a_form_is_read_filled_and_posted_as_a_browser_would() {
        let all = tokens(PAGE);
        let mut forms = forms(&all);
        assert_eq!(forms.len(), 1);
        let form = &mut forms[0];
        assert!(form.multipart && form.method == "post" && form.action == "/r/1");
        assert_eq!(form.value("amount"), Some("1 > 0"));
        assert_eq!(form.value("why"), Some("  two <lines>"));
        assert_eq!(form.value("terms"), None);
        form.fill_all(&[("amount", "5"), ("level", "2"), ("terms", "on"), ("fund", "a")]);
        let button = form.button("Send it").cloned();
        let pairs = form.pairs(button.as_ref());
        let flat: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(flat, ["csrf=a\"b", "amount=5", "level=2", "terms=on", "why=  two <lines>", "fund=a", "do=send"]);
        assert_eq!(form.button("Save").map(|b| b.action.as_str()), Some("/r/2"));
        assert!(text(&all).starts_with("Ask & answer"));
    }

    #[test]
    #[should_panic(expected = "no field named \"amuont\"")]
    fn a_field_that_is_not_there_is_named() {
        forms(&tokens(PAGE))[0].fill("amuont", "5");
    }
}
