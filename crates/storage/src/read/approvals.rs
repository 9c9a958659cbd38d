//! The approver's inbox: requests for money, the soonest due or the most promising first, a page at a time from an index.

use super::lists::{after_key, tasks_of};
use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::{List, Where};
use crate::sql::{self, anywhere, rows, values};
use crate::viewer::Viewer;
use domain::Date;
use domain::cycle::{Cycle, Stage};
use domain::ids::{CycleId, PartnerId};

/// Which cycles in approval to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InboxFilter {
    /// Only what the viewer may decide now, themselves or for a colleague they stand in for. What waits for the partner's
    /// answer is the partner's to act on.
    pub mine: bool,
    /// Only what should have been decided before this day.
    pub due_before: Option<Date>,
    pub partner: Option<PartnerId>,
    /// Part of the number, the title or the partner's name.
    pub text: Option<String>,
    pub sort: InboxSort,
}

/// In which order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum InboxSort {
    /// Soonest due first.
    #[default]
    Due,
    /// Highest forecast ROI first, nothing forecast last.
    Roi,
}

/// A cycle whose request is decided on.
#[derive(Clone, PartialEq, Debug)]
pub struct Waiting {
    pub cycle: Cycle,
    pub partner_name: String,
    /// Code and name.
    pub fund: Option<(String, String)>,
}

rows! {
    view WaitingRow {
        id: CycleId,
        due: Date,
        forecast_roi: i64,
        doc: String,
        partner_name: String,
        fund_code: Option<String>,
        fund_name: Option<String>,
    }
}

impl Reader {
    /// Cycles in approval, in the filter's order.
    pub async fn in_approval(&self, viewer: &Viewer, filter: &InboxFilter, paging: &Paging) -> Result<Page<Waiting>> {
        let Some(list) = inbox(viewer, filter, paging)? else {
            return Ok(Page { rows: Vec::new(), next: None });
        };
        let (sql, values) = list.statement();
        let rows: Vec<WaitingRow> = sql::all(&self.db, &sql, values).await?;
        let page = match filter.sort {
            InboxSort::Due => paging.page(rows, |row| (row.due, row.id)),
            InboxSort::Roi => paging.page(rows, |row| (row.forecast_roi, row.id)),
        };
        let waiting = |row: WaitingRow| {
            Ok(Waiting {
                cycle: sql::from_json(&row.doc, "cycle.doc")?,
                partner_name: row.partner_name,
                fund: row.fund_code.zip(row.fund_name),
            })
        };
        Ok(Page { rows: page.rows.into_iter().map(waiting).collect::<Result<_>>()?, next: page.next })
    }
}

impl Reader {
    /// How many cycles in approval a filter finds; counted no further than `most`.
    pub async fn count_in_approval(&self, viewer: &Viewer, filter: &InboxFilter, most: u16) -> Result<usize> {
        let Some(list) = inbox(viewer, filter, &Paging::default())? else { return Ok(0) };
        let list = List { shown: "SELECT m.id FROM {page}", limit: usize::from(most), ..list };
        let (sql, values) = list.statement();
        Ok(sql::column::<CycleId>(&self.db, "id", &sql, values).await?.len())
    }
}

/// One clause a queue or region, so that each goes by an index in order; `None` where no clause can find anything.
/// The documents are read for the rows of the page only.
pub(crate) fn inbox(viewer: &Viewer, filter: &InboxFilter, paging: &Paging) -> Result<Option<List<'static>>> {
    let arms: Vec<Where> = if filter.mine {
        viewer.standings().iter().flat_map(|standing| tasks_of(viewer, standing, true)).collect()
    } else {
        let in_approval = match filter.sort {
            InboxSort::Due => Where::default().eq("stage", Some(Stage::ApprovalReview)),
            // Word for word what the index by ROI is restricted to.
            InboxSort::Roi => Where::default().and("stage = 'approval.review'", Vec::new()),
        };
        in_approval.arms_within(viewer.scope(), "partner_id", "region")
    };
    if arms.is_empty() {
        return Ok(None);
    }
    let narrowed = |arm: Where| {
        let mut arm = arm.eq("partner_id", filter.partner);
        if let Some(day) = filter.due_before {
            arm = arm.and("due < ?", values![day]);
        }
        match filter.text.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => arm.and(r"search LIKE ? ESCAPE '\'", values![anywhere(text)]),
            None => arm,
        }
    };
    let (columns, order, after) = match filter.sort {
        InboxSort::Due => {
            let after = paging.cursor::<(Date, CycleId)>()?;
            ("due, id", "due, id", after.map(|(due, id)| ("(due, id) > (?, ?)", values![due, id])))
        }
        InboxSort::Roi => {
            let after = paging.cursor::<(i64, CycleId)>()?;
            let after = after.map(|(roi, id)| ("(forecast_roi, id) < (?, ?)", values![roi, id]));
            ("forecast_roi, id", "forecast_roi DESC, id DESC", after)
        }
    };
    Ok(Some(List {
        columns,
        table: "cycle",
        arms: after_key(arms.into_iter().map(narrowed).collect(), after),
        order,
        shown: "SELECT m.id, c.due, c.forecast_roi, c.doc, p.name AS partner_name, f.code AS fund_code, f.name AS fund_name \
                FROM {page} JOIN cycle c ON c.id = m.id JOIN partner p ON p.id = c.partner_id \
                LEFT JOIN fund f ON f.id = c.fund_id",
        limit: paging.one_more(),
    }))
}
