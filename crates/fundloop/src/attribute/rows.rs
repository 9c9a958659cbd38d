//! CSV in blocks: one thread reads and cuts at row ends, the others take rows apart and hand them on. Memory is a few
//! blocks whatever the size of the input.

use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

/// Bytes read at a time; few in tests, so that a short input has many blocks.
const BLOCK: usize = if cfg!(test) { 1 << 10 } else { 1 << 20 };

/// A quoted cell may span lines, but not so many bytes: then its quote was never closed.
const LONGEST_ROW: usize = 64 << 20;

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
    cells: &'a [Range<usize>],
    /// From 1; counts lines, not rows.
    pub line: u64,
}

impl<'a> Row<'a> {
    /// The cell of a column; empty if the row is short or there is no such column.
    pub fn get(&self, column: Option<usize>) -> &'a [u8] {
        let cell = column.and_then(|column| self.cells.get(column));
        cell.map_or(&[], |cell| self.bytes[cell.clone()].trim_ascii())
    }
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
    mut input: impl Read,
    begin: impl FnOnce(&Header) -> Result<C, Problem>,
    state: impl Fn() -> S + Sync,
    take: impl Fn(&C, &mut S, &Row) -> Result<(), Problem> + Sync,
) -> anyhow::Result<Vec<S>> {
    let mut cutter = Cutter::default();
    let Some(mut first) = cutter.next(&mut input)? else {
        return Err(Problem::new("there is no header").into());
    };
    let columns = begin(&header(&mut first)?)?;
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (sender, receiver) = mpsc::sync_channel::<Block>(2 * threads);
    let (receiver, failed) = (Mutex::new(receiver), AtomicBool::new(false));
    let work = || {
        let (mut collected, mut problems) = (state(), Vec::new());
        loop {
            let Ok(block) = receiver.lock().expect("no thread panics while it waits for a block").recv() else {
                return (collected, problems);
            };
            if let Err(problem) = block.rows(|row| take(&columns, &mut collected, row)) {
                failed.store(true, Ordering::Relaxed);
                problems.push(problem);
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut next = Some(first);
        let mut reading = Ok(());
        while let Some(block) = next.take() {
            if failed.load(Ordering::Relaxed) || sender.send(block).is_err() {
                break;
            }
            match cutter.next(&mut input) {
                Ok(block) => next = block,
                Err(error) => reading = Err(error),
            }
        }
        drop(sender);
        let done: Vec<(S, Vec<Problem>)> =
            workers.into_iter().map(|worker| worker.join().expect("a worker has panicked")).collect();
        let (collected, problems): (Vec<S>, Vec<Vec<Problem>>) = done.into_iter().unzip();
        match problems.into_iter().flatten().min() {
            Some(problem) => Err(problem.into()),
            None => reading.map(|()| collected),
        }
    })
}

/// Whole rows, and the number of the line on which they begin.
struct Block {
    bytes: Vec<u8>,
    line: u64,
    /// There may be a quote among the bytes.
    quoted: bool,
}

/// Cuts input into blocks of whole rows.
#[derive(Default)]
struct Cutter {
    /// Read but not yet given out: the beginning of a row.
    rest: Vec<u8>,
    lines: u64,
    begun: bool,
    ended: bool,
}

impl Cutter {
    fn next(&mut self, input: &mut impl Read) -> anyhow::Result<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.rest);
        let (cut, quoted) = loop {
            let before = bytes.len();
            let read = if self.ended { 0 } else { input.by_ref().take(BLOCK as u64).read_to_end(&mut bytes)? };
            self.ended = read < BLOCK;
            if !self.begun {
                self.begun = true;
                if bytes.starts_with(b"\xEF\xBB\xBF") {
                    bytes.drain(..3);
                }
                if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
                    return Err(Problem::new("the file is UTF-16; save it as UTF-8").into());
                }
            }
            let quoted = count(&bytes, b'"') > 0;
            if self.ended {
                break (bytes.len(), quoted);
            }
            if let Some(cut) = last_row_end(&bytes, quoted) {
                break (cut, quoted);
            }
            if before > LONGEST_ROW {
                let mut problem = Problem::new("a quote is opened here or below and never closed");
                problem.line = Some(self.lines + 1);
                return Err(problem.into());
            }
        };
        self.rest = bytes.split_off(cut);
        let line = self.lines + 1;
        self.lines += count(&bytes, b'\n') as u64;
        Ok((!bytes.is_empty()).then_some(Block { bytes, line, quoted }))
    }
}

/// Where the last row that ends here ends: after a line break outside quotes.
fn last_row_end(bytes: &[u8], quoted: bool) -> Option<usize> {
    if !quoted {
        return bytes.iter().rposition(|byte| *byte == b'\n').map(|place| place + 1);
    }
    let (mut quoted, mut end) = (false, None);
    for (place, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => end = Some(place + 1),
            _ => {}
        }
    }
    end
}

/// So many bytes at a time: one bit of a word for each.
const WINDOW: usize = 64;

/// The places of any of a few bytes, found for a window of bytes at a time.
pub struct Places<'a, const N: usize> {
    bytes: &'a [u8],
    wanted: [u8; N],
    /// Where the window begins in which places are being given out.
    begin: usize,
    /// A bit for each of those bytes that is still to be given out.
    found: u64,
}

impl<'a, const N: usize> Places<'a, N> {
    pub fn new(bytes: &'a [u8], wanted: [u8; N]) -> Self {
        let mut places = Self { bytes, wanted, begin: 0, found: 0 };
        places.look();
        places
    }

    fn look(&mut self) {
        let rest = self.bytes.get(self.begin..).unwrap_or_default();
        // The same for a window of known length, which the compiler makes quicker.
        self.found = match rest.first_chunk::<WINDOW>() {
            Some(window) => self.window(window.as_slice()),
            None => self.window(rest),
        };
    }

    #[inline]
    fn window(&self, window: &[u8]) -> u64 {
        let (words, rest) = window.as_chunks();
        let mut found = 0;
        for (place, word) in words.iter().enumerate() {
            found |= self.bits(u64::from_le_bytes(*word)) << (8 * place);
        }
        if rest.is_empty() {
            return found;
        }
        let rest = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        found | self.bits(rest) << (8 * words.len())
    }

    /// A bit for each of eight bytes.
    #[inline]
    fn bits(&self, word: u64) -> u64 {
        const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        // A byte less than itself is zero where they are the same; adding 127 to the rest of any other sets its top bit.
        let same = |wanted: u8| {
            let differs = word ^ u64::from_le_bytes([wanted; 8]);
            !(((differs & LOW) + LOW) | differs | LOW)
        };
        let found = self.wanted.iter().fold(0, |found, wanted| found | same(*wanted));
        // The bit of byte i moves to bit 56 + i; no two products of the multiplication meet.
        (found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }
}

impl<const N: usize> Iterator for Places<'_, N> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            self.begin += WINDOW;
            if self.begin >= self.bytes.len() {
                return None;
            }
            self.look();
        }
        let place = self.begin + self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(place)
    }
}

fn count(bytes: &[u8], wanted: u8) -> usize {
    // In parts whose count fits a byte, which the compiler turns into a few instructions for many bytes.
    bytes.chunks(255).map(|part| usize::from(part.iter().map(|byte| u8::from(*byte == wanted)).sum::<u8>())).sum()
}

/// Take the header off the first block.
fn header(first: &mut Block) -> Result<Header, Problem> {
    let mut names = None;
    let mut end = 0;
    let mut csv = reader(&first.bytes);
    let mut record = csv::ByteRecord::new();
    if csv.read_byte_record(&mut record).map_err(|error| Problem::new(error.to_string()))? {
        let name = |cell: &[u8]| String::from_utf8_lossy(cell.trim_ascii()).to_lowercase();
        names = Some(Header(record.iter().map(name).collect()));
        end = usize::try_from(csv.position().byte()).unwrap_or(first.bytes.len());
    }
    let rest = first.bytes.split_off(end.min(first.bytes.len()));
    first.line += count(&first.bytes, b'\n') as u64;
    first.bytes = rest;
    names.ok_or_else(|| Problem::new("there is no header"))
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes)
}

impl Block {
    /// Hand on row after row; a problem gets the line of its row, and ends the block.
    fn rows(&self, mut take: impl FnMut(&Row) -> Result<(), Problem>) -> Result<(), Problem> {
        let mut take = |row: &Row| take(row).map_err(|problem| Problem { line: Some(row.line), ..problem });
        if self.quoted { self.quoted_rows(&mut take) } else { self.plain_rows(&mut take) }
    }

    fn plain_rows(&self, take: &mut impl FnMut(&Row) -> Result<(), Problem>) -> Result<(), Problem> {
        let mut row = |cells: &[Range<usize>], begin: usize, end: usize, line: u64| {
            let empty = self.bytes[begin..end].iter().all(u8::is_ascii_whitespace);
            if empty { Ok(()) } else { take(&Row { bytes: &self.bytes, cells, line }) }
        };
        let (mut cells, mut begin, mut cell, mut line) = (Vec::new(), 0, 0, self.line);
        for place in Places::new(&self.bytes, [b',', b'\n']) {
            cells.push(cell..place);
            cell = place + 1;
            if self.bytes[place] == b'\n' {
                row(&cells, begin, place, line)?;
                cells.clear();
                (begin, line) = (cell, line + 1);
            }
        }
        cells.push(cell..self.bytes.len());
        row(&cells, begin, self.bytes.len(), line)
    }

    fn quoted_rows(&self, take: &mut impl FnMut(&Row) -> Result<(), Problem>) -> Result<(), Problem> {
        let mut csv = reader(&self.bytes);
        let mut record = csv::ByteRecord::new();
        let mut cells = Vec::new();
        while csv.read_byte_record(&mut record).map_err(|error| Problem::new(error.to_string()))? {
            cells.clear();
            cells.extend((0..record.len()).filter_map(|cell| record.range(cell)));
            let line = record.position().map_or(0, csv::Position::line);
            take(&Row { bytes: record.as_slice(), cells: &cells, line: self.line + line - 1 })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn every_place_is_found_once() {
        for length in (0..40).chain([63, 64, 65, 127, 128, 200]) {
            let bytes: Vec<u8> =
                (0..length).map(|place| [b',', b'\n', b'-', 0x80 | b',', 0, b'+'][place * place % 6]).collect();
            let expected: Vec<usize> =
                (0..length).filter(|place| bytes[*place] == b',' || bytes[*place] == b'\n').collect();
            assert_eq!(Places::new(&bytes, [b',', b'\n']).collect::<Vec<_>>(), expected, "{bytes:?}");
        }
    }
}
