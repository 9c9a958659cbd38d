//! Partners.

use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::Where;
use crate::rows::PartnerRow;
use crate::sql::{self, anywhere, values};
use crate::viewer::Viewer;
use domain::ids::{PartnerId, UserId};

/// Which partners to list, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PartnerFilter {
    /// Part of the name.
    pub text: Option<String>,
    pub region: Option<String>,
    pub tier: Option<String>,
    pub manager: Option<UserId>,
}

impl Reader {
    pub async fn partners(&self, viewer: &Viewer, filter: &PartnerFilter, paging: &Paging) -> Result<Page<PartnerRow>> {
        let mut found = Where::default()
            .within(viewer.scope(), "id", "region")
            .eq("region", filter.region.as_deref())
            .eq("tier", filter.tier.as_deref())
            .eq("manager_id", filter.manager);
        if let Some(text) = filter.text.as_deref().filter(|text| !text.trim().is_empty()) {
            found = found.and(r"lower(name) LIKE ? ESCAPE '\'", values![anywhere(text)]);
        }
        if let Some(name) = paging.cursor::<String>()? {
            found = found.and("name > ?", values![name]);
        }
        let tail = format!("{} ORDER BY name LIMIT {}", found.sql(), paging.one_more());
        let rows = sql::all(&self.db, &sql::select::<PartnerRow>(&tail), found.values).await?;
        Ok(paging.page(rows, |row: &PartnerRow| row.name.clone()))
    }

    pub async fn partner(&self, viewer: &Viewer, id: PartnerId) -> Result<PartnerRow> {
        let found = Where::default().eq("id", Some(id)).within(viewer.scope(), "id", "region");
        sql::one(&self.db, &sql::select::<PartnerRow>(&found.sql()), found.values).await
    }

    /// The regions partners are in that the viewer sees, by name.
    pub async fn regions(&self, viewer: &Viewer) -> Result<Vec<String>> {
        let found = Where::default().within(viewer.scope(), "id", "region");
        let sql = format!("SELECT DISTINCT region FROM partner {} ORDER BY region", found.sql());
        sql::column(&self.db, "region", &sql, found.values).await
    }
}
