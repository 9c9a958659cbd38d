//! Where the cells of a block are: all bytes that may end or quote one are found first, many at a time, and then gone through.

/// Where a cell begins and ends, without its quotes, and which of the marks are inside.
#[derive(Clone, Copy, Default)]
pub struct Cell {
    pub bytes: [u32; 2],
    pub marks: [u32; 2],
}

/// So many bytes at a time: one bit of a word for each.
const WINDOW: usize = 64;

/// The places of all separators, line breaks, quotes and arrows.
pub fn find_marks(bytes: &[u8], marks: &mut Vec<u32>) {
    marks.clear();
    let (windows, rest) = bytes.as_chunks();
    let mut begin = 0;
    let mut look = |window: &[u8; WINDOW]| {
        let mut found = marks_in(window);
        while found != 0 {
            marks.push(begin + found.trailing_zeros());
            found &= found - 1;
        }
        begin += small(WINDOW);
    };
    windows.iter().for_each(&mut look);
    let mut last = [0; WINDOW];
    last[..rest.len()].copy_from_slice(rest);
    look(&last);
}

/// A bit for each byte that means something.
#[inline]
fn marks_in(window: &[u8; WINDOW]) -> u64 {
    // The compiler makes this a few instructions for sixteen bytes or more.
    let found: [u8; WINDOW] = std::array::from_fn(|place| {
        let byte = window[place];
        u8::from(byte == b',') | u8::from(byte == b'\n') | u8::from(byte == b'>') | u8::from(byte == b'"')
    });
    // The bit of byte i moves to bit 56 + i; no two products of the multiplication meet.
    let bits = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    (found.as_chunks().0.iter().rev()).fold(0, |found, word| found << 8 | bits(word))
}

#[expect(clippy::cast_possible_truncation, reason = "a block is far below 4 GiB")]
pub fn small(place: usize) -> u32 {
    place as u32
}

/// Goes from cell to cell by the marks.
pub struct Walk<'a> {
    bytes: &'a [u8],
    marks: &'a [u32],
    next: usize,
    /// Those of the row, as many as the header has.
    pub cells: &'a mut [Cell],
    /// Some quote of the row says more than where a cell begins or ends.
    pub odd: bool,
    /// Line breaks inside the row.
    pub lines: u64,
}

impl<'a> Walk<'a> {
    pub fn new(bytes: &'a [u8], marks: &'a [u32], cells: &'a mut [Cell]) -> Self {
        Self { bytes, marks, next: 0, cells, odd: false, lines: 0 }
    }

    /// Take the cell of a column that begins here, up to a separator or a line break; returns where that is, if there is
    /// one.
    #[inline]
    pub fn cell(&mut self, column: usize, begin: u32) -> Option<u32> {
        let first = small(self.next);
        let end = self.end_of_cell()?;
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = Cell { bytes: [begin, end], marks: [first, small(self.next) - 1] };
        }
        Some(end)
    }

    #[inline]
    fn end_of_cell(&mut self) -> Option<u32> {
        loop {
            let place = *self.marks.get(self.next)?;
            self.next += 1;
            if !matches!(self.bytes[place as usize], b'>' | b'"') {
                return Some(place);
            }
        }
    }

    /// The same where it may be quoted; it does not end if the quote is never closed. A quote opens at the beginning of a
    /// cell and nowhere else; one right behind the one that closes stands for itself.
    pub fn quoted_cell(&mut self, column: usize, begin: u32) -> Option<u32> {
        if self.bytes[begin as usize] != b'"' {
            return self.cell(column, begin);
        }
        self.next += 1;
        let first = small(self.next);
        let closed = loop {
            let place = *self.marks.get(self.next)?;
            self.next += 1;
            match self.bytes[place as usize..] {
                [b'"', b'"', ..] => {
                    self.odd = true;
                    self.next += 1;
                }
                [b'"', ..] => break place,
                [b'\n', ..] => self.lines += 1,
                _ => {}
            }
        };
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = Cell { bytes: [begin + 1, closed], marks: [first, small(self.next) - 1] };
        }
        let end = self.end_of_cell()?;
        self.odd |= !self.bytes[closed as usize + 1..end as usize].trim_ascii().is_empty();
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::find_marks;

    #[test]
    fn every_mark_is_found_once() {
        for length in (0..40).chain([63, 64, 65, 127, 128, 200]) {
            let bytes: Vec<u8> =
                (0..length).map(|place| [b',', b'\n', b'-', 0x80 | b',', 0, b'+'][place * place % 6]).collect();
            let expected: Vec<u32> =
                (0_u32..).zip(&bytes).filter(|(_, byte)| b",\n".contains(byte)).map(|(place, _)| place).collect();
            let mut found = Vec::new();
            find_marks(&bytes, &mut found);
            assert_eq!(found, expected, "{bytes:?}");
        }
    }
}
