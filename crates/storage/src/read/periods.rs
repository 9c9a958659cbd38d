//! What was earned on what, and a fund's periods.

use super::funds::vendor_only;
use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::periods::{self, PeriodClose};
use crate::rows::Accrual;
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use domain::Date;
use domain::fund::{Fund, PeriodFacts};
use domain::ids::{FundId, PartnerId, ProgramId};
use domain::ledger::Balance;
use domain::money::{Currency, Money};
use std::collections::BTreeSet;
use uuid::Uuid;

rows! {
    /// What one purchase earned in one fund.
    view EarnedLine {
        id: Uuid,
        purchase: String,
        on_day: Date,
        product: Option<String>,
        units: Option<u32>,
        /// What was bought, where the file said so.
        bought: Option<Money>,
        currency: Currency,
        /// The credit.
        amount: Money,
        /// The last good day of the credit.
        lot: Option<Date>,
        fund_code: String,
        fund_name: String,
    }

    /// What a file can name a partner by.
    view PartnerNames {
        id: PartnerId,
        name: String,
        tier: String,
        domain: Option<String>,
        crm_id: Option<String>,
    }
}

impl Reader {
    /// What a partner earned on which purchase, the latest first. A partner the viewer may not see is not found.
    pub async fn earned(&self, viewer: &Viewer, partner: PartnerId, paging: &Paging) -> Result<Page<EarnedLine>> {
        self.partner(viewer, partner).await?;
        let (mut beyond, mut values) = (String::new(), values![partner]);
        if let Some((day, id)) = paging.cursor::<(Date, Uuid)>()? {
            "AND (a.on_day, a.id) < ($2, $3)".clone_into(&mut beyond);
            values.extend(values![day, id]);
        }
        let sql = format!(
            "SELECT a.id, a.purchase, a.on_day, a.product, a.units, a.bought, a.currency, a.amount, a.lot,
                    f.code AS fund_code, f.name AS fund_name FROM accrual a JOIN fund f ON f.id = a.fund_id
             WHERE a.partner_id = $1 AND a.taken_back_at IS NULL {beyond} ORDER BY a.on_day DESC, a.id DESC LIMIT {}",
            paging.one_more()
        );
        let rows: Vec<EarnedLine> = sql::all(&self.db, &sql, values).await?;
        Ok(paging.page(rows, |line| (line.on_day, line.id)))
    }

    /// Purchases of a program that have earned already, for an import's preview.
    pub async fn accruals(&self, program: ProgramId, purchases: &BTreeSet<String>) -> Result<Vec<Accrual>> {
        crate::known::accruals(&self.db, program, purchases).await
    }

    /// What an import earned, by fund and purchase, for the question whether it can be undone.
    pub async fn accruals_of(&self, viewer: &Viewer, batch: Uuid) -> Result<Vec<Accrual>> {
        vendor_only(viewer)?;
        let tail = "WHERE batch_id = $1 AND taken_back_at IS NULL ORDER BY fund_id, purchase";
        sql::all(&self.db, &sql::select::<Accrual>(tail), values![batch]).await
    }

    /// Every partner the viewer may see, with what files name them by.
    pub async fn partner_keys(&self, viewer: &Viewer) -> Result<Vec<PartnerNames>> {
        vendor_only(viewer)?;
        let found = crate::filter::Where::default().within(viewer.scope(), "id", "region");
        let sql = format!("SELECT id, name, tier, domain, crm_id FROM partner {} ORDER BY name", found.sql());
        sql::all(&self.db, &sql, found.values).await
    }

    /// A fund's closed periods, the latest first. For the vendor's people only.
    pub async fn closed_periods(&self, viewer: &Viewer, fund: FundId) -> Result<Vec<PeriodClose>> {
        vendor_only(viewer)?;
        let tail = "WHERE fund_id = $1 ORDER BY last_day DESC LIMIT 200";
        sql::all(&self.db, &sql::select::<PeriodClose>(tail), values![fund]).await
    }

    /// The first day of a fund that lies in no closed period.
    pub async fn first_open_day(&self, viewer: &Viewer, fund: &Fund) -> Result<Date> {
        vendor_only(viewer)?;
        periods::first_open_day(&self.db, fund).await
    }

    /// What closing a period would look at, and every wallet of the fund.
    pub async fn period_facts(
        &self,
        viewer: &Viewer,
        fund: &Fund,
        (first, last): (Date, Date),
    ) -> Result<(PeriodFacts, Vec<Balance>)> {
        vendor_only(viewer)?;
        periods::facts(&self.db, fund, first, last).await
    }
}
