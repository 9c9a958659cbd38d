//! CSV in blocks, cut at row ends: each thread reads a block, takes its rows apart and hands them on. Memory is a block
//! a thread whatever the size of the input.

use std::fmt;
use std::io::Read;
use std::mem;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::blocks::{Block, Blocks};
use super::walk::{Cell, Walk, find_marks, small};

/// What is wrong with the input, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// From 1; the line of the row, if it has one.
    pub line: Option<u64>,
    pub words: String,
}

impl Problem {
    pub fn new(words: impl Into<String>) -> Self {
        Self { line: None, words: words.into() }
    }

    pub fn unclosed(line: u64) -> Self {
        Self { line: Some(line), words: "a quote is opened and never closed".to_owned() }
    }

    /// A cell that does not say what it should.
    pub fn cell(column: &str, text: &[u8], wanted: &str) -> Self {
        Self::new(format!("{column} \"{}\" is not {wanted}", String::from_utf8_lossy(text)))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

impl std::error::Error for Problem {}

/// A row's cells, trimmed of blanks.
pub struct Row<'a> {
    bytes: &'a [u8],
    cells: &'a [Cell],
    /// Where the cells' arrows are.
    marks: &'a [u32],
    /// From 1; counts lines, not rows.
    pub line: u64,
}

impl<'a> Row<'a> {
    /// The cell of a column; empty if the row is short or there is no such column.
    #[inline]
    pub fn get(&self, column: Option<usize>) -> &'a [u8] {
        match column.and_then(|column| self.cells.get(column)) {
            Some(cell) => trim(&self.bytes[range(cell.bytes)]),
            None => &[],
        }
    }

    /// The names between the arrows of a cell. An arrow has a blank before and behind it; a name without letters is none.
    #[inline]
    pub fn each_step(&self, column: usize, mut take: impl FnMut(&'a [u8])) {
        let Some(cell) = self.cells.get(column) else { return };
        let bytes = &self.bytes[range(cell.bytes)];
        let mut step = |step: &'a [u8]| match trim(step) {
            [] => {}
            step => take(step),
        };
        let mut begin = 0;
        for mark in &self.marks[range(cell.marks)] {
            let mark = (*mark - cell.bytes[0]) as usize;
            if let Some(b" > ") = bytes.get(mark.wrapping_sub(1)..mark + 2) {
                step(bytes.get(begin..mark - 1).unwrap_or_default());
                begin = mark + 2;
            } else if is_arrow(bytes, mark) {
                step(bytes.get(begin..mark).unwrap_or_default());
                begin = mark + 1;
            }
        }
        step(bytes.get(begin..).unwrap_or_default());
    }
}

fn range([begin, end]: [u32; 2]) -> Range<usize> {
    begin as usize..end as usize
}

/// Blanks around an arrow may be others than spaces, and at the ends of a cell there are none.
#[cold]
fn is_arrow(bytes: &[u8], mark: usize) -> bool {
    let blank = |place: usize| bytes.get(place).is_none_or(u8::is_ascii_whitespace);
    bytes[mark] == b'>' && blank(mark.wrapping_sub(1)) && blank(mark + 1)
}

/// Without blanks at the ends; mostly there are none.
#[inline]
fn trim(text: &[u8]) -> &[u8] {
    match text {
        [only] if *only > b' ' => text,
        [first, .., last] if *first > b' ' && *last > b' ' => text,
        _ => trim_blanks(text),
    }
}

#[cold]
fn trim_blanks(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// The names in the header, in lower case.
pub struct Header(Vec<String>);

impl Header {
    pub fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column == name)
    }

    pub fn require(&self, name: &str) -> Result<usize, Problem> {
        let missing = || Problem::new(format!("there is no column \"{name}\"; the header has {}", self.0.join(", ")));
        self.find(name).ok_or_else(missing)
    }
}

/// Read everything. `begin` makes sense of the header; `state` makes what a thread collects into; `take` takes a row.
/// Returns what the threads have collected. The problem reported is the first in the input, whichever thread met it.
pub fn read<C: Sync, S: Send>(
    input: impl Read + Send,
    begin: impl FnOnce(&Header) -> Result<C, Problem>,
    state: impl Fn() -> S + Sync,
    take: impl Fn(&C, &mut S, &Row) -> Result<(), Problem> + Sync,
) -> anyhow::Result<Vec<S>> {
    let mut blocks = Blocks::new(input);
    let header = blocks.take_off(header)?;
    let (width, columns) = (header.0.len(), begin(&header)?);
    let (blocks, failed) = (Mutex::new(blocks), AtomicBool::new(false));
    let fail = || failed.store(true, Ordering::Relaxed);
    // Each thread reads what it then takes apart: the bytes are still at hand, and so is the room for them.
    let work = || {
        let (mut collected, mut problems) = (state(), Vec::new());
        let (mut block, mut room) = (Block::default(), Room::new(width));
        while !failed.load(Ordering::Relaxed) {
            let read = blocks.lock().expect("no thread panics while it reads").next(&mut block);
            match read.inspect_err(|_| fail()) {
                Ok(false) => break,
                Ok(true) => {
                    problems.extend(each_row(&block, &mut room, |row| take(&columns, &mut collected, row)).err());
                }
                Err(unread) => return Err(unread),
            }
            if !problems.is_empty() {
                fail();
            }
        }
        Ok((collected, problems))
    };
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let done: Vec<anyhow::Result<(S, Vec<Problem>)>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker has panicked")).collect()
    });
    let (mut all, mut first, mut unread) = (Vec::new(), None::<Problem>, None);
    for done in done {
        match done {
            Ok((collected, problems)) => {
                all.push(collected);
                first = first.into_iter().chain(problems).min();
            }
            Err(error) => unread = Some(error),
        }
    }
    first.map(Into::into).or(unread).map_or(Ok(all), Err)
}

/// The names in the header, and where it ends.
fn header(bytes: &[u8]) -> anyhow::Result<(Header, usize)> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(Problem::new("the file is UTF-16; save it as UTF-8").into());
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut csv = reader(text);
    let mut record = csv::ByteRecord::new();
    if !csv.read_byte_record(&mut record)? {
        return Err(Problem::new("there is no header").into());
    }
    let name = |cell: &[u8]| String::from_utf8_lossy(cell.trim_ascii()).to_lowercase();
    let end = bytes.len() - text.len() + usize::try_from(csv.position().byte())?;
    Ok((Header(record.iter().map(name).collect()), end.min(bytes.len())))
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes)
}

pub fn count(bytes: &[u8], wanted: u8) -> u64 {
    memchr::memchr_iter(wanted, bytes).count() as u64
}

/// Room to work in, used again for each block.
struct Room {
    marks: Vec<u32>,
    cells: Vec<Cell>,
}

impl Room {
    fn new(columns: usize) -> Self {
        Self { marks: Vec::new(), cells: vec![Cell::default(); columns] }
    }
}

/// Hand on row after row; a problem gets the line of its row, and ends the block.
fn each_row(block: &Block, room: &mut Room, mut take: impl FnMut(&Row) -> Result<(), Problem>) -> Result<(), Problem> {
    let bytes = block.bytes();
    let quoted = memchr::memchr(b'"', bytes).is_some();
    let Room { marks, cells } = room;
    find_marks(bytes, marks);
    let (mut walk, mut record) = (Walk::new(bytes, marks, cells), csv::ByteRecord::new());
    let (mut begin, mut line) = (0, block.line);
    while begin < bytes.len() {
        let (mut next, mut columns) = (small(begin), 0);
        loop {
            let end = if quoted { walk.quoted_cell(columns, next) } else { walk.cell(columns, next) };
            let Some(end) = end else {
                return Err(Problem::unclosed(line + count(&bytes[begin..next as usize], b'\n')));
            };
            (next, columns) = (end + 1, columns + 1);
            if bytes[end as usize] == b'\n' {
                break;
            }
        }
        let row = &bytes[begin..next as usize];
        let taken = if mem::take(&mut walk.odd) {
            take_odd(row, line, &mut record, &mut take)
        } else if row.trim_ascii_start().is_empty() {
            Ok(())
        } else {
            take(&Row { bytes, cells: &walk.cells[..columns.min(walk.cells.len())], line, marks })
        };
        taken.map_err(|problem| Problem { line: Some(line), ..problem })?;
        begin = next as usize;
        line += 1 + mem::take(&mut walk.lines);
    }
    Ok(())
}

/// Copy a row out of its quotes.
#[cold]
fn take_odd(
    row: &[u8],
    line: u64,
    record: &mut csv::ByteRecord,
    take: &mut impl FnMut(&Row) -> Result<(), Problem>,
) -> Result<(), Problem> {
    reader(row).read_byte_record(record).map_err(|error| Problem::new(error.to_string()))?;
    let bytes = record.as_slice();
    let mut marks = Vec::new();
    find_marks(bytes, &mut marks);
    let cell = |cell| {
        let Range { start, end } = record.range(cell)?;
        let bytes = [start, end].map(small);
        Some(Cell { bytes, marks: bytes.map(|place| small(marks.partition_point(|mark| *mark < place))) })
    };
    let cells: Vec<Cell> = (0..record.len()).filter_map(cell).collect();
    take(&Row { bytes, cells: &cells, line, marks: &marks })
}

#[cfg(test)]
mod tests {
    use super::{Block, Room, Row, each_row};

    #[test]
    fn a_path_falls_apart_into_steps() {
        let cases: [(&str, &[&str]); 11] = [
            ("", &[]),
            ("A", &["A"]),
            ("A > B > A", &["A", "B", "A"]),
            ("a>b > ->", &["a>b", "->"]),
            ("A >  > B", &["A", "B"]),
            ("A >", &["A"]),
            ("> A", &["A"]),
            (">", &[]),
            ("\" A > B > \"", &["A", "B"]),
            ("\"A\n,> B\"", &["A\n,> B"]),
            ("\"\"\"A\"\" > B, or C\"", &["\"A\"", "B, or C"]),
        ];
        for (path, expected) in cases {
            let bytes = format!("x > y,{path},>\n").into_bytes();
            let block = Block::new(bytes);
            let mut found = Vec::new();
            let mut take = |step: &[u8]| found.push(String::from_utf8_lossy(step).into_owned());
            let all = |row: &Row| {
                row.each_step(1, &mut take);
                Ok(())
            };
            each_row(&block, &mut Room::new(3), all).unwrap();
            assert_eq!(found, expected, "{path}");
        }
    }
}
