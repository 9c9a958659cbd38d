//! A file as a tool wrote it, made into a table: its encoding, its delimiter, where its header is, which rows are
//! no records.
//!
//! Takes any bytes without a panic; what cannot be a table is refused in one sentence with a way out. The text is
//! held once, rows are read from it as they are asked for.

use super::fields::is_known_label;
use super::values::looks_like_value;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::collections::HashMap;

/// The largest file taken, in bytes.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;
/// A header is looked for in this many records.
const HEADER_WITHIN: usize = 40;
/// The delimiter is told from this much of the text.
const SAMPLE: usize = 64 * 1024;
const MOST_COLUMNS: usize = 500;
const LONGEST_CELL: usize = 20_000;

/// A table and how it was found.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// As people know it: `UTF-8`, `UTF-16LE`, `windows-1252`; `Excel` for a workbook.
    pub encoding: &'static str,
    pub delimiter: char,
    /// The header's line in the file, from 1.
    pub header_line: u64,
    /// Column names, made distinct; a nameless column is `Column 3`.
    pub header: Vec<String>,
    text: String,
    /// Where the rows begin in the text, in bytes, and on which line.
    body: usize,
    body_line: u64,
}

/// One row: a record, one that was set aside, or one that cannot be a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its first line in the file, from 1.
    pub line: u64,
    pub cells: csv::StringRecord,
    pub is: RowIs,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowIs {
    Record,
    /// A total or a footer the tool added.
    Aside,
    /// In words: "This row has 3 cells where the header has 8."
    Broken(String),
}

impl Row {
    /// A cell's text, trimmed; what tools write for nothing is empty.
    pub fn cell(&self, index: usize) -> &str {
        let text = self.cells.get(index).unwrap_or("").trim();
        if matches!(text, "--" | "—" | "NULL" | "\\N" | "#N/A" | "(null)") { "" } else { text }
    }
}

impl Sheet {
    /// Reads a file. The error is one sentence for the person who chose it, with a way out.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Err("The file is empty: export it again.".to_owned());
        }
        if bytes.len() > MOST_BYTES {
            return Err(format!("The file is larger than {} MB: split it.", MOST_BYTES / 1024 / 1024));
        }
        if bytes.starts_with(b"PK\x03\x04") {
            let text = super::workbook::as_csv(bytes, MOST_BYTES, MOST_COLUMNS)?;
            return Self::with_header(text, 0, ',', "Excel");
        }
        if let Some(kind) = infer::get(bytes).filter(|kind| kind.matcher_type() != infer::MatcherType::Text) {
            let name = kind.extension().to_uppercase();
            return Err(format!("This is a {name} file: save the table as CSV and import that."));
        }
        let (text, encoding) = decode(bytes);
        let mut text: String = if text.contains('\0') { text.replace('\0', "") } else { text };
        if text.contains('\r') {
            text = text.replace("\r\n", "\n").replace('\r', "\n");
        }
        if text.trim().is_empty() {
            return Err("The file has no text in it: export it again.".to_owned());
        }
        let (said, start) = said_delimiter(&text);
        let delimiter = said.unwrap_or_else(|| guess_delimiter(&text[start..]));
        Self::with_header(text, start, delimiter, encoding)
    }

    fn with_header(text: String, start: usize, delimiter: char, encoding: &'static str) -> Result<Self, String> {
        let mut reader = reader(&text[start..], delimiter);
        let mut first: Vec<(csv::StringRecord, usize)> = Vec::new();
        let mut record = csv::StringRecord::new();
        while first.len() < HEADER_WITHIN && reader.read_record(&mut record).unwrap_or(false) {
            first.push((record.clone(), start + offset(&reader)));
        }
        let records: Vec<&csv::StringRecord> = first.iter().map(|(record, _)| record).collect();
        let chosen = header_of(&records)
            .ok_or("We found no row with column names: add one above the data, such as “Email, Campaign ID, Date”.")?;
        let (cells, body) = &first[chosen];
        if cells.len() > MOST_COLUMNS {
            return Err(format!("The file has more than {MOST_COLUMNS} columns: export fewer."));
        }
        let header = distinct_names(cells);
        let before = if chosen == 0 { start } else { first[chosen - 1].1 };
        let header_line = line_of(&text, after_line_ends(&text, before));
        let body = (*body).min(text.len());
        let body_line = line_of(&text, body);
        Ok(Self { encoding, delimiter, header_line, header, text, body, body_line })
    }

    /// The whole as text that reads as the same table again.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Every row after the header, read as it is asked for.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let mut reader = reader(&self.text[self.body..], self.delimiter);
        let (mut at, mut line) = (self.body, self.body_line);
        std::iter::from_fn(move || {
            let begins = after_line_ends(&self.text, at);
            line += newlines(&self.text[at..begins]);
            let mut cells = csv::StringRecord::new();
            if !reader.read_record(&mut cells).unwrap_or(false) {
                return None;
            }
            let ends = (self.body + offset(&reader)).clamp(begins, self.text.len());
            let row = Row { line, is: self.is(&cells), cells };
            line += newlines(&self.text[begins..ends]);
            at = ends;
            Some(row)
        })
    }

    /// The place of a column by its name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    fn is(&self, cells: &csv::StringRecord) -> RowIs {
        if is_aside(cells, self.header.len()) {
            return RowIs::Aside;
        }
        if cells.iter().any(|cell| cell.len() > LONGEST_CELL) {
            let why = "A cell here is longer than any we take: perhaps a quote is opened and never closed.";
            return RowIs::Broken(why.to_owned());
        }
        let filled =
            (1..).zip(cells).filter(|(_, cell)| !cell.trim().is_empty()).map(|(place, _)| place).last().unwrap_or(0);
        if filled > self.header.len() || cells.len() < self.header.len() {
            return RowIs::Broken(format!(
                "This row has {} cells where the header has {}.",
                if filled > self.header.len() { filled } else { cells.len() },
                self.header.len()
            ));
        }
        RowIs::Record
    }
}

/// The text and the name of its encoding: a mark at its start, UTF-16 by its zeros, UTF-8 where it is that, else a guess.
fn decode(bytes: &[u8]) -> (String, &'static str) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return text_in(encoding, &bytes[mark..]);
    }
    if let Some(encoding) = utf_16_by_zeros(bytes) {
        return text_in(encoding, bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), UTF_8.name());
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    text_in(detector.guess(None, chardetng::Utf8Detection::Deny), bytes)
}

fn text_in(encoding: &'static Encoding, bytes: &[u8]) -> (String, &'static str) {
    (encoding.decode_without_bom_handling(bytes).0.into_owned(), encoding.name())
}

/// Every second byte of western text in UTF-16 is zero, always the same second.
fn utf_16_by_zeros(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096)];
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), sample.len() / 2);
    match half {
        0..4 => None,
        _ if odd * 10 >= half * 7 && even * 10 < half => Some(UTF_16LE),
        _ if even * 10 >= half * 7 && odd * 10 < half => Some(UTF_16BE),
        _ => None,
    }
}

/// Excel's own first line, `sep=;`, and where the text goes on.
fn said_delimiter(text: &str) -> (Option<char>, usize) {
    let line = text.lines().next().unwrap_or("");
    let mut said = line.trim().strip_prefix("sep=").unwrap_or("").chars();
    match (said.next(), said.next()) {
        (Some(delimiter), None) if delimiter.is_ascii() && !delimiter.is_alphanumeric() && delimiter != '"' => {
            (Some(delimiter), (line.len() + 1).min(text.len()))
        }
        _ => (None, 0),
    }
}

/// The delimiter under which most records have the same, largest number of cells.
fn guess_delimiter(text: &str) -> char {
    let cut = text.len().min(SAMPLE);
    let cut =
        text.as_bytes()[..cut].iter().rposition(|byte| *byte == b'\n').filter(|_| cut < text.len()).unwrap_or(cut);
    let sample = text.get(..cut).unwrap_or(text);
    let score = |delimiter: char| {
        let widths: Vec<usize> = reader(sample, delimiter).records().flatten().map(|record| record.len()).collect();
        let (width, hits) = mode(&widths);
        if width < 2 { 0 } else { hits * 1000 / widths.len().max(1) * width.min(30) }
    };
    [',', ';', '\t', '|'].into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(',')
}

/// The most frequent value and how often it is there; the larger value where two are as frequent.
fn mode(values: &[usize]) -> (usize, usize) {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for value in values {
        *counts.entry(*value).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(value, count)| (*count, *value)).unwrap_or((0, 0))
}

/// The record with the most names we know, or else the first full-width one without values in it.
fn header_of(records: &[&csv::StringRecord]) -> Option<usize> {
    let widths: Vec<usize> = records.iter().map(|record| record.len()).collect();
    let (width, _) = mode(&widths);
    let filled = |record: &csv::StringRecord| record.iter().filter(|cell| !cell.trim().is_empty()).count();
    let names = |record: &csv::StringRecord| !record.iter().any(looks_like_value);
    let known = |record: &csv::StringRecord| record.iter().filter(|cell| is_known_label(cell)).count();
    let candidates: Vec<usize> =
        (0..records.len()).filter(|index| filled(records[*index]) > 0 && names(records[*index])).collect();
    let best = (0..records.len()).rev().max_by_key(|index| known(records[*index]));
    if let Some(best) = best.filter(|index| known(records[*index]) >= 2) {
        return Some(best);
    }
    candidates.into_iter().find(|index| widths[*index] == width && filled(records[*index]) * 2 > width)
}

fn distinct_names(cells: &csv::StringRecord) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    for (index, cell) in cells.iter().enumerate() {
        let clean: String =
            cell.trim().trim_start_matches('\u{feff}').chars().filter(|c| !c.is_control()).take(120).collect();
        let base = if clean.trim().is_empty() { format!("Column {}", index + 1) } else { clean.trim().to_owned() };
        let mut name = base.clone();
        let mut again = 2;
        while names.contains(&name) {
            name = format!("{base} ({again})");
            again += 1;
        }
        names.push(name);
    }
    // Columns without a name and without anything after them are what a trailing delimiter leaves.
    while names.len() > 1 && names.last().is_some_and(|name| *name == format!("Column {}", names.len())) {
        names.pop();
    }
    names
}

/// Totals and the lines reports end with. A record never starts like this and holds an address too.
fn is_aside(cells: &csv::StringRecord, columns: usize) -> bool {
    let mut filled = cells.iter().map(str::trim).filter(|cell| !cell.is_empty());
    let Some(first) = filled.next() else { return true };
    let rest = filled.count();
    let lower = first.to_lowercase();
    let word = lower.trim_end_matches(':').trim();
    let is_total =
        matches!(
            word,
            "total" | "totals" | "grand total" | "grand totals" | "subtotal" | "gesamt" | "gesamtsumme" | "summe"
        ) || ["total:", "grand total (", "grand totals (", "total ("].iter().any(|start| lower.starts_with(start));
    let plain = |cell: &str| cell.is_empty() || !cell.chars().any(char::is_alphabetic) || cell.len() <= 3;
    if is_total && !lower.contains('@') && cells.iter().map(str::trim).filter(|cell| *cell != first).all(plain) {
        return true;
    }
    let footer = ["copyright (c)", "confidential information", "generated by:", "exported by "];
    columns > 1 && rest == 0 && footer.iter().any(|start| lower.starts_with(start))
}

fn reader(text: &str, delimiter: char) -> csv::Reader<&[u8]> {
    let delimiter = u8::try_from(delimiter).unwrap_or(b',');
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes())
}

/// How far a reader has come, in bytes.
fn offset(reader: &csv::Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

/// Past the line ends at `at`: the reader skips empty lines without telling.
fn after_line_ends(text: &str, at: usize) -> usize {
    text.as_bytes()[at.min(text.len())..].iter().position(|byte| *byte != b'\n').map_or(text.len(), |skip| at + skip)
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

fn line_of(text: &str, at: usize) -> u64 {
    1 + newlines(&text[..at.min(text.len())])
}
