//! What the home page, the search box and the notifications page ask.

use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::Where;
use crate::rows::PartnerRow;
use crate::sql::{self, anywhere, rows, values};
use crate::viewer::{Scope, Viewer};
use domain::cycle::Stage;
use domain::ids::CycleId;
use domain::{Date, Instant};
use uuid::Uuid;

rows! {
    /// How many cycles stand at a stage, and how many of them are past their day.
    view StageCount {
        stage: Stage,
        cycles: i64,
        overdue: i64,
    }

    /// A mail to oneself, sent or about to be.
    view MailLine {
        id: Uuid,
        /// `mail`, or `item` of a digest.
        kind: String,
        topic: String,
        subject: String,
        /// Empty where it is secret.
        text_body: String,
        secret: bool,
        created_at: Instant,
        sent_at: Option<Instant>,
        /// Given up after many tries.
        dead: bool,
    }

    /// A cycle that a search found.
    view FoundCycle {
        id: CycleId,
        number: String,
        title: String,
        partner: String,
        stage: Stage,
        level: u8,
    }

    /// A campaign that a search found.
    view FoundCampaign {
        no: u16,
        name: String,
        /// The campaign ID, once there is one.
        code: Option<String>,
        number: String,
        partner: String,
    }
}

/// What a search found, the newest first, each list cut to the number asked for.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    pub cycles: Vec<FoundCycle>,
    pub campaigns: Vec<FoundCampaign>,
    pub partners: Vec<PartnerRow>,
}

impl Reader {
    /// How many of the cycles a viewer sees stand at each stage, and how many are overdue on a day. The vendor's people
    /// are answered from an aggregate, a partner from their own few cycles.
    pub async fn stages(&self, viewer: &Viewer, today: Date) -> Result<Vec<StageCount>> {
        let seen = Where::default().within(viewer.scope(), "partner_id", "region");
        let (count, table) = match viewer.scope() {
            Scope::Partner(_) => ("1", "cycle"),
            _ => ("cycles", "stage_day"),
        };
        let sql = format!(
            "SELECT stage, CAST(SUM({count}) AS bigint) AS cycles,
                    CAST(SUM(CASE WHEN due < ${} THEN {count} ELSE 0 END) AS bigint) AS overdue
             FROM {table} {} GROUP BY stage HAVING SUM({count}) > 0",
            seen.values.len() + 1,
            seen.sql()
        );
        let values = seen.values.into_iter().chain(values![today]).collect();
        sql::all(&self.db, &sql, values).await
    }

    /// The mails written to the viewer, newest first.
    pub async fn mails_to_me(&self, viewer: &Viewer, paging: &Paging) -> Result<Page<MailLine>> {
        let mut mine = Where::default().eq("to_user", Some(viewer.user()));
        if let Some((at, id)) = paging.cursor::<(Instant, Uuid)>()? {
            mine = mine.and("(created_at < ? OR (created_at = ? AND id < ?))", values![at, at, id]);
        }
        let sql = format!(
            "SELECT id, kind, topic, subject, CASE WHEN secret THEN '' ELSE text_body END AS text_body, secret, created_at,
                    sent_at, dead FROM outbox {}
             ORDER BY created_at DESC, id DESC LIMIT {}",
            mine.sql(),
            paging.one_more()
        );
        let rows: Vec<MailLine> = sql::all(&self.db, &sql, mine.values).await?;
        Ok(paging.page(rows, |mail| (mail.created_at, mail.id)))
    }

    /// Cycles by number, title and partner, campaigns by name and campaign ID, partners by name.
    pub async fn search(&self, viewer: &Viewer, text: &str, most: u16) -> Result<Found> {
        if text.trim().is_empty() {
            return Ok(Found::default());
        }
        let pattern = anywhere(text);
        let cycles = Where::default().and(r"c.search LIKE ? ESCAPE '\'", values![pattern]).within(
            viewer.scope(),
            "c.partner_id",
            "c.region",
        );
        let sql = format!(
            "SELECT c.id, c.number, c.title, p.name AS partner, c.stage, c.level
             FROM cycle c JOIN partner p ON p.id = c.partner_id {} ORDER BY c.serial DESC LIMIT {most}",
            cycles.sql()
        );
        let cycles = sql::all(&self.db, &sql, cycles.values).await?;
        let campaigns = Where::default()
            .and(r"(lower(g.name) LIKE ? ESCAPE '\' OR lower(g.code) LIKE ? ESCAPE '\')", values![pattern, pattern])
            .within(viewer.scope(), "g.partner_id", "g.region");
        let sql = format!(
            "SELECT g.no, g.name, g.code, c.number, p.name AS partner
             FROM campaign g JOIN cycle c ON c.id = g.cycle_id JOIN partner p ON p.id = c.partner_id {}
             ORDER BY c.serial DESC, g.no LIMIT {most}",
            campaigns.sql()
        );
        let campaigns = sql::all(&self.db, &sql, campaigns.values).await?;
        let partners = Where::default().and(r"lower(name) LIKE ? ESCAPE '\'", values![pattern]).within(
            viewer.scope(),
            "id",
            "region",
        );
        let tail = format!("{} ORDER BY name, id LIMIT {most}", partners.sql());
        let partners = sql::all(&self.db, &sql::select::<PartnerRow>(&tail), partners.values).await?;
        Ok(Found { cycles, campaigns, partners })
    }
}
