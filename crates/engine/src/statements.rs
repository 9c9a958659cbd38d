//! A statement as a table: what was in every account before the first day, what moved, what was there at the end of the last.

use crate::Engine;
use crate::error::Result;
use crate::imports::report::harmless;
use domain::Date;
use storage::Viewer;
use storage::read::{AccountLine, Movement, MovementsOf, Paging};

/// What the columns of a statement are called.
pub const COLUMNS: [&str; 11] = [
    "Line",
    "Date",
    "Fund",
    "Account",
    "To account",
    "Good until",
    "Partner",
    "Cycle",
    "Description",
    "Currency",
    "Amount",
];

impl Engine {
    /// The statement of a fund or partner between two days (UTC, both included) as CSV in UTF-8: days as ISO, amounts with a
    /// point in units of the currency beside them, cells made harmless for spreadsheets. Lines are `opening`, then `moved`
    /// from the oldest to the newest, then `closing`; opening and what moved into an account less what moved out of it is
    /// its closing.
    pub async fn statement_csv(&self, viewer: &Viewer, of: MovementsOf, days: (Date, Date)) -> Result<Vec<u8>> {
        let (from, to) = days;
        let eve = from.pred_opt().unwrap_or(from);
        let reader = self.reader();
        let mut moved: Vec<Movement> = Vec::new();
        let mut paging = Paging::first(500);
        loop {
            let page = reader.movements(viewer, of, (Some(from), Some(to)), &paging).await?;
            moved.extend(page.rows);
            paging.after = page.next;
            if paging.after.is_none() {
                break;
            }
        }
        let mut rows = vec![COLUMNS.map(str::to_owned)];
        let opening = reader.accounts_on(viewer, of, eve).await?;
        rows.extend(opening.iter().map(|account| held("opening", eve, account)));
        rows.extend(moved.iter().rev().map(posted));
        let closing = reader.accounts_on(viewer, of, to).await?;
        rows.extend(closing.iter().map(|account| held("closing", to, account)));
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.write_record(row).map_err(crate::Error::internal)?;
        }
        writer.into_inner().map_err(crate::Error::internal)
    }
}

fn held(line: &str, day: Date, account: &AccountLine) -> [String; 11] {
    [
        line.to_owned(),
        day.to_string(),
        harmless(&account.fund),
        account.kind.code().to_owned(),
        String::new(),
        account.lot.map_or_else(String::new, |lot| lot.to_string()),
        harmless(account.partner.as_deref().unwrap_or_default()),
        numbered(account.number.as_deref(), account.item),
        String::new(),
        account.currency.code().to_owned(),
        account.amount.plain(),
    ]
}

fn posted(posting: &Movement) -> [String; 11] {
    [
        "moved".to_owned(),
        posting.at.date_naive().to_string(),
        harmless(&posting.fund),
        posting.from_kind.code().to_owned(),
        posting.to_kind.code().to_owned(),
        posting.lot.map_or_else(String::new, |lot| lot.to_string()),
        harmless(posting.partner.as_deref().unwrap_or_default()),
        numbered(posting.number.as_deref(), None),
        harmless(&posting.words),
        posting.currency.code().to_owned(),
        posting.amount.plain(),
    ]
}

/// `C-2026-0042/2`: the cycle, and the campaign or claim in it.
fn numbered(cycle: Option<&str>, item: Option<u16>) -> String {
    match (cycle, item) {
        (Some(number), Some(item)) => format!("{number}/{item}"),
        (number, _) => number.unwrap_or_default().to_owned(),
    }
}
