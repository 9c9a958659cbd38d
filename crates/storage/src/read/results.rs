//! The results side: touches, journeys, deals, responders, companies, clicks.

use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::Where;
use crate::rows::{Company, Deal, Person};
use crate::sql::{self, Table, anywhere, rows, values};
use crate::viewer::{Scope, Viewer};
use domain::forecast::FunnelStage;
use domain::ids::{CycleId, PartnerId};
use domain::money::{Currency, Money};
use domain::{Date, Instant};
use uuid::Uuid;

rows! {
    /// A touch, as a list or a journey shows it. What is another partner's is there with its time and kind only.
    view TouchLine {
        id: Uuid,
        at: Instant,
        kind: String,
        source: Option<String>,
        response: bool,
        reached: FunnelStage,
        /// The viewer may see whose it is.
        seen: bool,
        cycle_id: Option<CycleId>,
        campaign_no: Option<u16>,
        campaign_code: Option<String>,
        partner_id: Option<PartnerId>,
        partner: Option<String>,
        person_id: Option<Uuid>,
        person: Option<String>,
        company_id: Option<Uuid>,
        company: Option<String>,
    }

    /// A deal, as a list shows it.
    view DealLine {
        id: Uuid,
        name: String,
        stage: String,
        currency: Currency,
        amount: Money,
        created_on: Date,
        closed_on: Option<Date>,
        is_won: bool,
        is_closed: bool,
        registered: bool,
        company_id: Option<Uuid>,
        company: Option<String>,
        partner_id: Option<PartnerId>,
        partner: Option<String>,
        cycle_id: Option<CycleId>,
        campaign_no: Option<u16>,
    }

    /// Clicks on a campaign's links on one day.
    view VisitDay {
        day: Date,
        clicks: i64,
    }
}

/// Which touches to list, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TouchFilter {
    pub cycle: Option<CycleId>,
    pub campaign: Option<u16>,
    pub company: Option<Uuid>,
    pub person: Option<Uuid>,
    pub partner: Option<PartnerId>,
}

/// Which deals to list, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DealFilter {
    pub cycle: Option<CycleId>,
    pub company: Option<Uuid>,
    pub partner: Option<PartnerId>,
    pub won: Option<bool>,
    /// Part of the name.
    pub text: Option<String>,
}

const TOUCH: &str = "SELECT t.id, t.at, t.kind, t.source, t.response, t.reached, TRUE AS seen, t.cycle_id,
    t.campaign_no, t.campaign_code, t.partner_id, p.name AS partner, t.person_id, h.name AS person, t.company_id,
    c.name AS company FROM touch t LEFT JOIN partner p ON p.id = t.partner_id LEFT JOIN person h ON h.id = t.person_id
    LEFT JOIN company c ON c.id = t.company_id";
const DEAL: &str = "SELECT d.id, d.name, d.stage, d.currency, d.amount, d.created_on, d.closed_on, d.is_won,
    d.is_closed, d.registered, d.company_id, c.name AS company, d.partner_id, p.name AS partner, d.cycle_id,
    d.campaign_no FROM deal d LEFT JOIN company c ON c.id = d.company_id LEFT JOIN partner p ON p.id = d.partner_id";

impl Reader {
    /// Touches of campaigns the viewer may see.
    pub async fn touches(&self, viewer: &Viewer, filter: &TouchFilter, paging: &Paging) -> Result<Page<TouchLine>> {
        let mut found = Where::default()
            .eq("t.cycle_id", filter.cycle)
            .eq("t.campaign_no", filter.campaign)
            .eq("t.company_id", filter.company)
            .eq("t.person_id", filter.person)
            .eq("t.partner_id", filter.partner)
            .within(viewer.scope(), "t.partner_id", "p.region");
        if let Some((at, id)) = paging.cursor::<(Instant, Uuid)>()? {
            found = found.and("(t.at, t.id) < (?, ?)", values![at, id]);
        }
        let sql = format!("{TOUCH} {} ORDER BY t.at DESC, t.id DESC LIMIT {}", found.sql(), paging.one_more());
        let rows: Vec<TouchLine> = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |line| (line.at, line.id)))
    }

    /// Every touch of the people and company of a deal, oldest first. A partner sees all of them, since credit is
    /// divided over all; but of another partner's, no more than when and of which kind.
    pub async fn journey(&self, viewer: &Viewer, deal: Uuid) -> Result<Vec<TouchLine>> {
        let deal = self.deal(viewer, deal).await?;
        let sql = format!("{TOUCH} WHERE t.company_id = $1 OR t.person_id = $2 ORDER BY t.at, t.id LIMIT 2000");
        let mut touches: Vec<TouchLine> = sql::all(&self.db, &sql, values![deal.company_id, deal.person_id]).await?;
        if let Scope::Partner(own) = viewer.scope() {
            touches.iter_mut().filter(|touch| touch.partner_id != Some(*own)).for_each(veil);
        }
        Ok(touches)
    }

    /// A deal, where the viewer's partners registered it or touched its company.
    pub async fn deal(&self, viewer: &Viewer, id: Uuid) -> Result<Deal> {
        let found = met(viewer, Where::default().eq("id", Some(id)), "deal");
        sql::one(&self.db, &sql::select::<Deal>(&found.sql()), found.values).await
    }

    pub async fn deals(&self, viewer: &Viewer, filter: &DealFilter, paging: &Paging) -> Result<Page<DealLine>> {
        let mut found = Where::default()
            .eq("d.cycle_id", filter.cycle)
            .eq("d.company_id", filter.company)
            .eq("d.partner_id", filter.partner)
            .eq("d.is_won", filter.won);
        if let Some(text) = filter.text.as_deref().filter(|text| !text.trim().is_empty()) {
            found = found.and(r"lower(d.name) LIKE ? ESCAPE '\'", values![anywhere(text)]);
        }
        found = met(viewer, found, "d");
        if let Some((day, id)) = paging.cursor::<(Date, Uuid)>()? {
            found = found.and("(d.created_on, d.id) < (?, ?)", values![day, id]);
        }
        let order = format!("ORDER BY d.created_on DESC, d.id DESC LIMIT {}", paging.one_more());
        let rows = sql::all(&self.db, &format!("{DEAL} {} {order}", found.sql()), found.values).await?;
        Ok(paging.page(rows, |line: &DealLine| (line.created_on, line.id)))
    }

    /// Responders whose name or address holds the text, by name; of those the viewer's partners have met.
    pub async fn people(&self, viewer: &Viewer, text: &str, paging: &Paging) -> Result<Page<Person>> {
        let pattern = anywhere(text);
        let condition = r"(lower(h.name) LIKE ? ESCAPE '\' OR h.email_norm LIKE ? ESCAPE '\')";
        let mut found = touched(viewer, Where::default().and(condition, values![pattern, pattern]), "person_id = h.id");
        if let Some((name, id)) = paging.cursor::<(String, Uuid)>()? {
            found = found.and("(h.name, h.id) > (?, ?)", values![name, id]);
        }
        let columns: Vec<String> = Person::COLUMNS.iter().map(|column| format!("h.{column}")).collect();
        let sql = format!(
            "SELECT {} FROM person h {} ORDER BY h.name, h.id LIMIT {}",
            columns.join(", "),
            found.sql(),
            paging.one_more()
        );
        let rows = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |row: &Person| (row.name.clone(), row.id)))
    }

    /// Companies whose name or domain holds the text, by name; of those the viewer's partners have met.
    pub async fn companies(&self, viewer: &Viewer, text: &str, paging: &Paging) -> Result<Page<Company>> {
        let pattern = anywhere(text);
        let condition = r"(lower(h.name) LIKE ? ESCAPE '\' OR h.domain LIKE ? ESCAPE '\')";
        let mut found =
            touched(viewer, Where::default().and(condition, values![pattern, pattern]), "company_id = h.id");
        if let Some((name, id)) = paging.cursor::<(String, Uuid)>()? {
            found = found.and("(h.name, h.id) > (?, ?)", values![name, id]);
        }
        let columns: Vec<String> = Company::COLUMNS.iter().map(|column| format!("h.{column}")).collect();
        let sql = format!(
            "SELECT {} FROM company h {} ORDER BY h.name, h.id LIMIT {}",
            columns.join(", "),
            found.sql(),
            paging.one_more()
        );
        let rows = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |row: &Company| (row.name.clone(), row.id)))
    }

    pub async fn company(&self, viewer: &Viewer, id: Uuid) -> Result<Company> {
        let found = touched(viewer, Where::default().eq("h.id", Some(id)), "company_id = h.id");
        let columns: Vec<String> = Company::COLUMNS.iter().map(|column| format!("h.{column}")).collect();
        let sql = format!("SELECT {} FROM company h {}", columns.join(", "), found.sql());
        sql::one(&self.db, &sql, found.values).await
    }

    /// Clicks on all links of a cycle, day by day.
    pub async fn visits(&self, viewer: &Viewer, cycle: CycleId) -> Result<Vec<VisitDay>> {
        let found = Where::default().eq("l.cycle_id", Some(cycle)).within(viewer.scope(), "l.partner_id", "p.region");
        let sql = format!(
            "SELECT v.day, CAST(SUM(v.clicks) AS bigint) AS clicks FROM visit v JOIN link l ON l.code = v.code
             JOIN partner p ON p.id = l.partner_id {} GROUP BY v.day ORDER BY v.day",
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }
}

/// Leaves of another partner's touch what credit needs.
fn veil(touch: &mut TouchLine) {
    let anothers = touch.partner_id.is_some();
    touch.seen = !anothers;
    if anothers {
        touch.source = None;
        touch.cycle_id = None;
        touch.campaign_no = None;
        touch.campaign_code = None;
        touch.partner_id = None;
        touch.partner = None;
        touch.person_id = None;
        touch.person = None;
    }
}

/// Deals the viewer's partners registered, or whose company or person they touched. `deal` is the table's name here.
fn met(viewer: &Viewer, found: Where, deal: &str) -> Where {
    let touching = |whose: &str| {
        format!(
            "({deal}.partner_id {whose} OR {deal}.company_id IN (SELECT t.company_id FROM touch t WHERE t.partner_id {whose})
             OR {deal}.person_id IN (SELECT t.person_id FROM touch t WHERE t.partner_id {whose}))"
        )
    };
    match viewer.scope() {
        Scope::All => found,
        Scope::Partner(own) => found.and(&touching("= ?"), values![own, own, own]),
        Scope::Regions(regions) => {
            let marks = vec!["?"; regions.len()].join(", ");
            let whose = format!("IN (SELECT r.id FROM partner r WHERE r.region IN ({marks}))");
            let thrice = regions.iter().chain(regions).chain(regions);
            found.and(&touching(&whose), thrice.map(|region| region.clone().into()).collect())
        }
        Scope::Nothing => found.and("1 = 0", Vec::new()),
    }
}

/// Rows that a touch of the viewer's partners leads to.
fn touched(viewer: &Viewer, found: Where, by: &str) -> Where {
    let inner = Where::default().within(viewer.scope(), "t.partner_id", "r.region");
    if matches!(viewer.scope(), Scope::All) {
        return found;
    }
    let condition = format!(
        "EXISTS (SELECT 1 FROM touch t JOIN partner r ON r.id = t.partner_id WHERE t.{by} AND {})",
        inner.conditions()
    );
    found.and(&condition, inner.values)
}
