//! Every posting of a time, oldest first, with what a general ledger wants to know of it.

use super::{Page, Paging, Reader};
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::periods::{end_of, start_of};
use crate::sql::{self, rows, values};
use crate::viewer::{Scope, Viewer};
use domain::ids::EventId;
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use domain::{Date, Instant};
use uuid::Uuid;

rows! {
    /// One posting and the event it came with.
    view Journalled {
        event_id: EventId,
        n: u16,
        at: Instant,
        /// The fund's code or the cycle's number whose timeline the event stands in, and its number there.
        stream: String,
        seq: i64,
        kind: String,
        words: String,
        from_kind: AccountKind,
        to_kind: AccountKind,
        from_item: Option<u16>,
        to_item: Option<u16>,
        currency: Currency,
        amount: Money,
        fund: String,
        partner: Option<String>,
        /// The cycle's number.
        cycle: Option<String>,
    }
}

impl Reader {
    /// Postings between two days (UTC, both included), oldest first, an event's together. For those of the vendor's
    /// people who see every partner: a journal with holes would not balance.
    pub async fn journal(&self, viewer: &Viewer, days: (Date, Date), paging: &Paging) -> Result<Page<Journalled>> {
        if *viewer.scope() != Scope::All {
            return Err(Error::NotFound);
        }
        let mut found = Where::default().and("x.at >= ? AND x.at < ?", values![start_of(days.0), end_of(days.1)]);
        if let Some((at, event, n)) = paging.cursor::<(Instant, Uuid, u16)>()? {
            found = found.and("(x.at, x.event_id, x.n) > (?, ?, ?)", values![at, event, n]);
        }
        let sql = format!(
            "SELECT x.event_id, x.n, x.at, COALESCE(sc.number, sf.code) AS stream, e.seq, e.kind, e.words,
                    o.kind AS from_kind, t.kind AS to_kind, o.item AS from_item, t.item AS to_item,
                    x.currency, x.amount, f.code AS fund, p.name AS partner, c.number AS cycle
             FROM posting x JOIN event e ON e.id = x.event_id JOIN account o ON o.id = x.from_id
             JOIN account t ON t.id = x.to_id JOIN fund f ON f.id = x.fund_id
             LEFT JOIN cycle sc ON sc.id = e.stream LEFT JOIN fund sf ON sf.id = e.stream
             LEFT JOIN partner p ON p.id = x.partner_id LEFT JOIN cycle c ON c.id = COALESCE(t.cycle_id, o.cycle_id)
             {} ORDER BY x.at, x.event_id, x.n LIMIT {}",
            found.sql(),
            paging.one_more()
        );
        let rows: Vec<Journalled> = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |line| (line.at, line.event_id, line.n)))
    }
}
