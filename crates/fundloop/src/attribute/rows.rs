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
        let cut = loop {
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
            if self.ended {
                break bytes.len();
            }
            if let Some(cut) = last_row_end(&bytes) {
                break cut;
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
        Ok((!bytes.is_empty()).then_some(Block { bytes, line }))
    }
}

/// Where the last row that ends here ends: after a line break outside quotes.
fn last_row_end(bytes: &[u8]) -> Option<usize> {
    if count(bytes, b'"') == 0 {
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

/// The places of either of two bytes, eight bytes at a time.
pub struct Places<'a> {
    bytes: &'a [u8],
    /// Each wanted byte, eight times.
    wanted: [u64; 2],
    /// Where the word begins in which places are being given out.
    word: usize,
    /// The top bit of each byte of the word that is still to be given out.
    found: u64,
}

impl<'a> Places<'a> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;

    pub fn new(bytes: &'a [u8], wanted: [u8; 2]) -> Self {
        let mut places = Self { bytes, wanted: wanted.map(|byte| u64::from(byte) * Self::EACH), word: 0, found: 0 };
        places.look();
        places
    }

    fn look(&mut self) {
        let rest = self.bytes.get(self.word..).unwrap_or_default();
        let word = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            word
        });
        let word = u64::from_le_bytes(word);
        // A byte less than itself is zero where they are the same; adding 127 to the rest of any other sets its top bit.
        let same = |wanted: u64| {
            let differs = word ^ wanted;
            !(((differs & Self::LOW) + Self::LOW) | differs | Self::LOW)
        };
        self.found = same(self.wanted[0]) | same(self.wanted[1]);
    }
}

impl Iterator for Places<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            self.word += 8;
            if self.word >= self.bytes.len() {
                return None;
            }
            self.look();
        }
        let place = self.word + (self.found.trailing_zeros() / 8) as usize;
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
        if count(&self.bytes, b'"') == 0 { self.plain_rows(&mut take) } else { self.quoted_rows(&mut take) }
    }

    fn plain_rows(&self, take: &mut impl FnMut(&Row) -> Result<(), Problem>) -> Result<(), Problem> {
        let (mut cells, mut begin, mut cell, mut line) = (Vec::new(), 0, 0, self.line);
        let ends = Places::new(&self.bytes, [b',', b'\n']).chain([self.bytes.len()]);
        for place in ends {
            cells.push(cell..place);
            cell = place + 1;
            if self.bytes.get(place) != Some(&b',') {
                let empty = self.bytes[begin..place].trim_ascii().is_empty();
                if !empty {
                    take(&Row { bytes: &self.bytes, cells: &cells, line })?;
                }
                cells.clear();
                (begin, line) = (cell, line + 1);
            }
        }
        Ok(())
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
        for length in 0..40 {
            let bytes: Vec<u8> =
                (0..length).map(|place| [b',', b'\n', b'-', 0x80 | b',', 0, b'+'][place * place % 6]).collect();
            let expected: Vec<usize> =
                (0..length).filter(|place| bytes[*place] == b',' || bytes[*place] == b'\n').collect();
            assert_eq!(Places::new(&bytes, [b',', b'\n']).collect::<Vec<_>>(), expected, "{bytes:?}");
        }
    }
}
