//! Imports and what came in by them: batches, files under way, maps; links, responders and touches of campaigns.

use super::Reader;
use crate::error::Result;
use crate::filter::Where;
use crate::known::{CAMPAIGN, KnownCampaign};
use crate::rows::{ImportException, ImportMap, ImportUpload};
use crate::sql::{self, rows, values};
use crate::viewer::{Scope, Viewer};
use domain::Instant;
use domain::forecast::FunnelStage;
use domain::ids::{CycleId, PartnerId, UserId};
use uuid::Uuid;

rows! {
    /// One run of an import, as a list shows it.
    view BatchSeen {
        id: Uuid,
        kind: String,
        file_name: String,
        by_user: UserId,
        by_name: Option<String>,
        partner_id: Option<PartnerId>,
        at: Instant,
        added: u32,
        changed: u32,
        unchanged: u32,
        refused: u32,
        undone_at: Option<Instant>,
    }

    /// A tracked link and how often it was followed.
    view LinkSeen {
        code: String,
        campaign_no: u16,
        label: String,
        url: String,
        created_at: Instant,
        clicks: i64,
    }

    /// A person a campaign met, with their latest touch.
    view Responder {
        person_id: Option<Uuid>,
        name: Option<String>,
        email: Option<String>,
        company: Option<String>,
        campaign_no: u16,
        touches: i64,
        last_at: Instant,
        response: bool,
    }

    /// One touch, as a list shows it.
    view TouchSeen {
        id: Uuid,
        at: Instant,
        campaign_no: u16,
        name: Option<String>,
        company: Option<String>,
        kind: String,
        source: String,
        status: Option<String>,
        response: bool,
        reached: FunnelStage,
    }

    view CompanyName {
        id: Uuid,
        name: String,
    }
}

/// Whose imports somebody may see: a partner's people their own, the vendor's people theirs and those of partners in
/// their territory.
fn own(viewer: &Viewer, found: Where) -> Where {
    match viewer.scope() {
        Scope::Partner(partner) => found.eq("partner_id", Some(partner)),
        Scope::Nothing => found.and("1 = 0", Vec::new()),
        Scope::All => found,
        Scope::Regions(regions) => {
            let marks = if regions.is_empty() { "NULL".to_owned() } else { vec!["?"; regions.len()].join(", ") };
            let near = format!("partner_id IN (SELECT p.id FROM partner p WHERE p.region IN ({marks}))");
            let values = regions.iter().map(|region| region.clone().into()).collect();
            found.and(&format!("(partner_id IS NULL OR {near})"), values)
        }
    }
}

fn owner(viewer: &Viewer) -> String {
    match viewer.scope() {
        Scope::Partner(partner) => partner.to_string(),
        _ => String::new(),
    }
}

const BATCH: &str = "SELECT b.*, u.name AS by_name FROM import_batch b LEFT JOIN (SELECT id AS who, name FROM app_user) u ON u.who = b.by_user";

impl Reader {
    /// Imports, newest first, at most 200.
    pub async fn batches(&self, viewer: &Viewer) -> Result<Vec<BatchSeen>> {
        let found = own(viewer, Where::default());
        let sql = format!("{BATCH} {} ORDER BY b.at DESC, b.id DESC LIMIT 200", found.sql());
        sql::all(&self.db, &sql, found.values).await
    }

    pub async fn batch(&self, viewer: &Viewer, id: Uuid) -> Result<BatchSeen> {
        let found = own(viewer, Where::default().eq("b.id", Some(id)));
        sql::one(&self.db, &format!("{BATCH} {}", found.sql()), found.values).await
    }

    /// The rows of a batch that want a look, in the file's order, at most `limit`.
    pub async fn batch_exceptions(&self, viewer: &Viewer, id: Uuid, limit: u32) -> Result<Vec<ImportException>> {
        self.batch(viewer, id).await?;
        let tail = "WHERE batch_id = $1 ORDER BY n LIMIT $2";
        sql::all(&self.db, &sql::select::<ImportException>(tail), values![id, limit]).await
    }

    /// A file handed in, committed or not.
    pub async fn upload(&self, viewer: &Viewer, id: Uuid) -> Result<ImportUpload> {
        let found = own(viewer, Where::default().eq("id", Some(id)));
        sql::one(&self.db, &sql::select::<ImportUpload>(&found.sql()), found.values).await
    }

    pub async fn upload_of_batch(&self, viewer: &Viewer, batch: Uuid) -> Result<ImportUpload> {
        let found = own(viewer, Where::default().eq("batch_id", Some(batch)));
        sql::one(&self.db, &sql::select::<ImportUpload>(&found.sql()), found.values).await
    }

    /// Files handed in and not committed yet, newest first, at most 50.
    pub async fn open_uploads(&self, viewer: &Viewer) -> Result<Vec<ImportUpload>> {
        let found = own(viewer, Where::default().and("batch_id IS NULL", Vec::new()));
        let tail = format!("{} ORDER BY at DESC LIMIT 50", found.sql());
        sql::all(&self.db, &sql::select::<ImportUpload>(&tail), found.values).await
    }

    /// Saved column maps by name.
    pub async fn import_maps(&self, viewer: &Viewer) -> Result<Vec<ImportMap>> {
        let tail = "WHERE owner = $1 ORDER BY name LIMIT 200";
        sql::all(&self.db, &sql::select::<ImportMap>(tail), values![owner(viewer)]).await
    }

    /// Campaigns that have an ID and that the viewer may see, newest first, at most 500.
    pub async fn coded_campaigns(&self, viewer: &Viewer) -> Result<Vec<KnownCampaign>> {
        let found =
            Where::default().and("k.code IS NOT NULL", Vec::new()).within(viewer.scope(), "k.partner_id", "k.region");
        let sql = format!("{CAMPAIGN} {} ORDER BY k.quarter DESC, k.cycle_id DESC, k.no LIMIT 500", found.sql());
        sql::all(&self.db, &sql, found.values).await
    }

    /// A cycle's tracked links with their clicks, oldest first. The cycle must be one the viewer has been shown.
    pub async fn links_of(&self, viewer: &Viewer, cycle: CycleId) -> Result<Vec<LinkSeen>> {
        let found = within_cycle(viewer, cycle, "l.partner_id");
        let sql = format!(
            "SELECT l.code, l.campaign_no, l.label, l.url, l.created_at,
               (SELECT CAST(COALESCE(SUM(v.clicks), 0) AS bigint) FROM visit v WHERE v.code = l.code) AS clicks
             FROM link l {} ORDER BY l.campaign_no, l.created_at, l.code",
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }

    /// People a cycle's campaigns met, the latest first, at most `limit`.
    pub async fn responders(&self, viewer: &Viewer, cycle: CycleId, limit: u32) -> Result<Vec<Responder>> {
        let mut found = within_cycle(viewer, cycle, "t.partner_id");
        found.values.push(i64::from(limit).into());
        let sql = format!(
            "SELECT t.person_id, p.name, p.email_norm AS email, k.name AS company, t.campaign_no,
               CAST(COUNT(*) AS bigint) AS touches, MAX(t.at) AS last_at, MAX(CASE WHEN t.response THEN 1 ELSE 0 END) = 1 AS response
             FROM touch t LEFT JOIN person p ON p.id = t.person_id LEFT JOIN company k ON k.id = t.company_id {}
             GROUP BY t.person_id, p.name, p.email_norm, k.name, t.campaign_no
             ORDER BY last_at DESC, t.person_id LIMIT ${}",
            found.sql(),
            found.values.len()
        );
        sql::all(&self.db, &sql, found.values).await
    }

    /// Touches of a cycle's campaigns, the latest first, at most `limit`.
    pub async fn touches_of(&self, viewer: &Viewer, cycle: CycleId, limit: u32) -> Result<Vec<TouchSeen>> {
        let mut found = within_cycle(viewer, cycle, "t.partner_id");
        found.values.push(i64::from(limit).into());
        let sql = format!(
            "SELECT t.id, t.at, t.campaign_no, p.name, k.name AS company, t.kind, t.source, t.status, t.response, t.reached
             FROM touch t LEFT JOIN person p ON p.id = t.person_id LEFT JOIN company k ON k.id = t.company_id {}
             ORDER BY t.at DESC, t.id LIMIT ${}",
            found.sql(),
            found.values.len()
        );
        sql::all(&self.db, &sql, found.values).await
    }

    /// Names of companies, for deals that are shown already.
    pub async fn company_names(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
        let mut names = Vec::new();
        for ids in ids.chunks(500) {
            let found = Where::default().among("id", ids);
            let rows: Vec<CompanyName> =
                sql::all(&self.db, &format!("SELECT id, name FROM company {}", found.sql()), found.values).await?;
            names.extend(rows.into_iter().map(|row| (row.id, row.name)));
        }
        Ok(names)
    }

    /// Form responses of one campaign since a moment, to cap a flood.
    pub async fn form_responses_since(&self, code: &str, since: Instant) -> Result<i64> {
        let sql =
            "SELECT CAST(COUNT(*) AS bigint) AS n FROM touch WHERE campaign_code = $1 AND source = 'form' AND at >= $2";
        Ok(sql::column(&self.db, "n", sql, values![code, since]).await?.first().copied().unwrap_or(0))
    }
}

/// A cycle's rows: for a partner's people only where they are their own.
fn within_cycle(viewer: &Viewer, cycle: CycleId, partner: &str) -> Where {
    let column = partner.replace("partner_id", "cycle_id");
    let found = Where::default().eq(&column, Some(cycle));
    match viewer.scope() {
        Scope::Partner(own) => found.eq(partner, Some(own)),
        Scope::Nothing => found.and("1 = 0", Vec::new()),
        Scope::All | Scope::Regions(_) => found,
    }
}
