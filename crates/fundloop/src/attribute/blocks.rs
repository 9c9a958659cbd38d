//! Input in blocks of whole rows.

use std::io::{self, Read};

use super::rows::{Problem, count};
use super::walk::{Walk, find_marks};

/// Bytes read at a time; few in tests, so that a short input has many blocks.
const BLOCK: usize = if cfg!(test) { 1 << 10 } else { 1 << 20 };

/// A quoted cell may span lines, but not so many bytes: then its quote was never closed.
const LONGEST_ROW: usize = 64 << 20;

/// Whole rows, and the number of the line on which they begin.
#[derive(Default)]
pub struct Block {
    /// Room that is used again; what lies behind `end` is left from before.
    bytes: Vec<u8>,
    end: usize,
    pub line: u64,
}

impl Block {
    #[cfg(test)]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { end: bytes.len(), bytes, line: 1 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.end]
    }
}

/// The input in blocks of whole rows, the last of which ends with a line break too.
pub struct Blocks<R> {
    input: R,
    /// Read but not yet given out: the beginning of a row, or all that follows the header.
    rest: Vec<u8>,
    /// How many lines have been given out.
    lines: u64,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub fn new(input: R) -> Self {
        Self { input, rest: Vec::new(), lines: 0, ended: false }
    }

    /// Read the next block over the last one. There is none at the end.
    pub fn next(&mut self, block: &mut Block) -> anyhow::Result<bool> {
        let mut filled = self.rest.len();
        if block.bytes.len() < filled {
            block.bytes.resize(filled, 0);
        }
        block.bytes[..filled].copy_from_slice(&self.rest);
        self.rest.clear();
        block.end = loop {
            if filled + BLOCK > block.bytes.len() {
                block.bytes.resize(filled + BLOCK, 0);
            }
            let read = if self.ended { 0 } else { fill(&mut self.input, &mut block.bytes[filled..filled + BLOCK])? };
            self.ended = read < BLOCK;
            let before = filled;
            filled += read;
            if self.ended {
                // The last row gets its line break where it has none.
                if filled > 0 && block.bytes[filled - 1] != b'\n' {
                    block.bytes.truncate(filled);
                    block.bytes.push(b'\n');
                    filled += 1;
                }
                break filled;
            }
            if let Some(end) = last_row_end(&block.bytes[..filled]) {
                break end;
            }
            if before > LONGEST_ROW {
                return Err(Problem::unclosed(self.lines + 1).into());
            }
        };
        self.rest.extend_from_slice(&block.bytes[block.end..filled]);
        block.line = self.lines + 1;
        self.lines += count(&block.bytes[..block.end], b'\n');
        Ok(block.end > 0)
    }

    /// Read the first block and take its beginning off: `length` says how long that is. The rest is given out again.
    pub fn take_off<T>(&mut self, length: impl FnOnce(&[u8]) -> anyhow::Result<(T, usize)>) -> anyhow::Result<T> {
        let mut first = Block::default();
        self.next(&mut first)?;
        let bytes = &first.bytes[..first.end];
        let (taken, length) = length(bytes)?;
        self.lines = count(&bytes[..length], b'\n');
        self.rest = [&bytes[length..], &self.rest].concat();
        Ok(taken)
    }
}

/// Read until the room is full or the input ends.
fn fill(input: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match input.read(&mut room[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Where the last row that ends here ends: after a line break outside quotes.
fn last_row_end(bytes: &[u8]) -> Option<usize> {
    if memchr::memchr(b'"', bytes).is_none() {
        return memchr::memrchr(b'\n', bytes).map(|place| place + 1);
    }
    let mut marks = Vec::new();
    find_marks(bytes, &mut marks);
    let (mut walk, mut begin, mut last) = (Walk::new(bytes, &marks, &mut []), 0, None);
    while (begin as usize) < bytes.len()
        && let Some(end) = walk.quoted_cell(0, begin)
    {
        begin = end + 1;
        if bytes[end as usize] == b'\n' {
            last = Some(begin as usize);
        }
    }
    last
}
