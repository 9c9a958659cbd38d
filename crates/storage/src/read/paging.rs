//! Lists by the page: where the last page ended is the question for the next. Nothing is counted; one row more than
//! the page holds tells whether there is another.

use crate::error::{Error, Result};
use crate::sql::to_json;
use serde::{Deserialize, Serialize};

/// Which page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paging {
    /// `next` of the page before; `None` for the first.
    pub after: Option<String>,
    /// Rows a page, 1 to 500.
    pub size: u16,
}

impl Default for Paging {
    fn default() -> Self {
        Self { after: None, size: 50 }
    }
}

/// Some rows of a list, and how to ask for the rest.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// The next page's [`Paging::after`]; `None` where this is the last.
    pub next: Option<String>,
}

impl Paging {
    pub fn first(size: u16) -> Self {
        Self { after: None, size }
    }

    fn size(&self) -> usize {
        usize::from(self.size.clamp(1, 500))
    }

    /// How many rows to ask for.
    pub(crate) fn one_more(&self) -> usize {
        self.size() + 1
    }

    /// The key of the last row seen. A cursor that is no cursor of this list answers as a page that is not there.
    pub(crate) fn cursor<K: for<'de> Deserialize<'de>>(&self) -> Result<Option<K>> {
        let Some(after) = &self.after else { return Ok(None) };
        let bytes = hex::decode(after).map_err(|_| Error::NotFound)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|_| Error::NotFound)
    }

    /// Cuts the row that was one too many, and keys the next page by the last row kept.
    pub(crate) fn page<T, K: Serialize>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let more = rows.len() > self.size();
        rows.truncate(self.size());
        let next = rows.last().filter(|_| more).map(|row| hex::encode(to_json(&key(row))));
        Page { rows, next }
    }
}
