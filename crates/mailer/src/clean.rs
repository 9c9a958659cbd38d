//! What people typed, made fit for a header, a sentence and a quotation.

/// Longer titles are cut in a mail, in characters; the page has them whole.
const LINE: usize = 160;
/// Longer reasons are cut in a mail, in characters; the page has them whole.
const PARAGRAPHS: usize = 2_000;

/// One line: breaks and runs of spaces become one space, what cannot be seen is dropped.
pub fn line(text: &str) -> String {
    cut(&visible(text), LINE)
}

/// A sentence that ends with a name which has a full stop of its own, as in “Harbor Inc.”, ends with one.
pub fn sentence(mut text: String) -> String {
    if text.ends_with("..") && !text.ends_with("...") {
        text.pop();
    }
    text
}

/// The lines of a longer text, each clean; no empty ones at the ends, no two in a row.
pub fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for raw in cut(text, PARAGRAPHS).split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        let line = visible(raw);
        let follows_words = lines.last().is_some_and(|last| !last.is_empty());
        if follows_words || !line.is_empty() {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// A page's path from the root, fit to stand in an address: nothing in it can end the address or hide in it.
pub fn path(text: &str) -> String {
    let kept: String = visible(text).chars().filter(|c| !matches!(c, ' ' | '"' | '<' | '>' | '\\')).collect();
    format!("/{}", kept.trim_start_matches('/'))
}

fn visible(text: &str) -> String {
    let spaced = |c: char| if c.is_control() { ' ' } else { c };
    let seen: String = text.chars().filter(|c| !is_invisible(*c)).map(spaced).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters, the last an ellipsis when some are missing.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Marks that reorder or hide what is around them. Joiners stay: some scripts and emoji need them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}
