//! One cycle: everything its pages show, and its timeline.

use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::Where;
use crate::load;
use crate::sql::{self, rows, values};
use crate::viewer::{Scope, Viewer};
use crate::write::{CycleParts, WhichCycle};
use domain::Instant;
use domain::cycle::Cycle;
use domain::forecast::Evidence;
use domain::fund::Fund;
use domain::ids::{EventId, ProgramId, UserId};
use domain::steps::s7_execution::Payment;
use domain::steps::s8_tracking::Results;
use uuid::Uuid;

rows! {
    /// One entry of a timeline.
    view TimelineEntry {
        id: EventId,
        /// Of the whole timeline, from 1.
        seq: i64,
        at: Instant,
        actor_id: UserId,
        actor_name: String,
        /// The absent colleague in whose place it was done.
        acting_for: Option<String>,
        kind: String,
        words: String,
        /// A saved draft.
        quiet: bool,
        hash: String,
    }
}

rows! {
    view Paid {
        id: EventId,
        payload: String,
    }
}

/// The event of a payment, as far as the exchange goes.
const SETTLED: &str = "claim.settled";

#[derive(serde::Deserialize)]
struct Settled {
    payment: Payment,
}

impl TimelineEntry {
    /// "Björn Aas", or "Björn Aas for Ana Ferreira" where he stood in for her.
    pub fn who(&self) -> String {
        in_whose_place(&self.actor_name, self.acting_for.as_deref())
    }
}

/// A name, with that of the colleague stood in for.
pub(super) fn in_whose_place(name: &str, absent: Option<&str>) -> String {
    absent.map_or_else(|| name.to_owned(), |absent| format!("{name} for {absent}"))
}

impl Reader {
    /// A cycle and what surrounds it, as the rules look at it.
    pub async fn cycle_parts(&self, viewer: &Viewer, which: WhichCycle<'_>) -> Result<CycleParts> {
        load::parts(&self.db, self.cycle(viewer, which).await?).await
    }

    /// The cycle alone.
    pub async fn cycle(&self, viewer: &Viewer, which: WhichCycle<'_>) -> Result<Cycle> {
        let found = which.found().within(viewer.scope(), "partner_id", "region");
        let sql = format!("SELECT doc FROM cycle {}", found.sql());
        let docs: Vec<String> = sql::column(&self.db, "doc", &sql, found.values).await?;
        sql::from_json(docs.first().ok_or(crate::Error::NotFound)?, "cycle.doc")
    }

    /// What has arrived of touches and deals that bears on a cycle the viewer has in hand.
    pub async fn results_of(&self, cycle: &Cycle) -> Result<Results> {
        load::results_of(&self.db, cycle.id).await
    }

    /// What earlier campaigns showed, by tactic, nearer over farther.
    pub async fn evidence_for(&self, cycle: &Cycle) -> Result<Vec<Evidence>> {
        load::evidence_for(&self.db, cycle).await
    }

    /// A cycle's timeline, newest first; saved drafts only where asked for.
    pub async fn timeline(
        &self,
        viewer: &Viewer,
        which: WhichCycle<'_>,
        with_quiet: bool,
        paging: &Paging,
    ) -> Result<Page<TimelineEntry>> {
        let found = which.found().within(viewer.scope(), "partner_id", "region");
        let sql = format!("SELECT id FROM cycle {}", found.sql());
        let ids: Vec<Uuid> = sql::column(&self.db, "id", &sql, found.values).await?;
        let mut page = self.events_of(*ids.first().ok_or(crate::Error::NotFound)?, with_quiet, paging).await?;
        if !matches!(viewer.scope(), Scope::Partner(_)) {
            self.say_what_rates_cost(&mut page.rows).await?;
        }
        Ok(page)
    }

    /// Adds to payments what they took of a fund of another currency, and what the rate cost since the approval. The vendor
    /// bears that, so no partner reads it.
    async fn say_what_rates_cost(&self, entries: &mut [TimelineEntry]) -> Result<()> {
        let paid: Vec<EventId> = entries.iter().filter(|entry| entry.kind == SETTLED).map(|entry| entry.id).collect();
        if paid.is_empty() {
            return Ok(());
        }
        let found = Where::default().among("id", &paid);
        let sql = format!("SELECT id, payload FROM event {}", found.sql());
        let rows: Vec<Paid> = sql::all(&self.db, &sql, found.values).await?;
        for row in rows {
            let payload: Settled = sql::from_json(&row.payload, "event.payload")?;
            let entry = entries.iter_mut().find(|entry| entry.id == row.id);
            if let Some((entry, in_fund)) = entry.zip(payload.payment.in_fund) {
                entry.words = format!("{} {}", entry.words, in_fund.words());
            }
        }
        Ok(())
    }

    pub(super) async fn events_of(
        &self,
        stream: Uuid,
        with_quiet: bool,
        paging: &Paging,
    ) -> Result<Page<TimelineEntry>> {
        let mut entries = Where::default().eq("stream", Some(stream));
        if !with_quiet {
            entries = entries.and("NOT quiet", Vec::new());
        }
        if let Some((seq,)) = paging.cursor::<(i64,)>()? {
            entries = entries.and("seq < ?", values![seq]);
        }
        let sql = format!(
            "SELECT id, seq, at, actor_id, actor_name, acting_for, kind, words, quiet, hash FROM event {}
             ORDER BY seq DESC LIMIT {}",
            entries.sql(),
            paging.one_more()
        );
        let rows: Vec<TimelineEntry> = sql::all(&self.db, &sql, entries.values).await?;
        Ok(paging.page(rows, |entry| (entry.seq,)))
    }

    /// The funds of a program, by code; every viewer may know them, their balances are another question.
    pub async fn funds_of_program(&self, program: ProgramId) -> Result<Vec<Fund>> {
        load::funds_of(&self.db, program).await
    }

    /// What was answered to a submission of this content: how the outcome of a commit is learnt when its answer was
    /// lost, and what a repetition is told. `None`: it never happened, or not with this content.
    pub async fn submission_result(&self, scope: &str, key: &str, input_hash: &str) -> Result<Option<String>> {
        let sql = "SELECT result FROM submission
                   WHERE scope = $1 AND submission_key = $2 AND input_hash = $3 AND result IS NOT NULL";
        Ok(sql::column(&self.db, "result", sql, values![scope, key, input_hash]).await?.into_iter().next())
    }
}

impl WhichCycle<'_> {
    pub(crate) fn found(self) -> Where {
        match self {
            WhichCycle::Number(number) => Where::default().eq("number", Some(number)),
            WhichCycle::Id(id) => Where::default().eq("id", Some(id)),
        }
    }
}
