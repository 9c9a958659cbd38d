//! Settlement batches, remittances, and where money is sent.

use super::{Page, Paging, Reader, TimelineEntry};
use crate::error::{Error, Result};
use crate::filter::Where;
use crate::load;
use crate::sql::{self, rows, values};
use crate::viewer::Viewer;
use crate::write::settlement::DetailsRow;
use domain::Instant;
use domain::ids::{CycleId, PartnerId, SettlementId};
use domain::money::{Currency, Money};
use domain::payee::PaymentDetails;
use domain::people::Role;
use domain::settlement::{Batch, BatchState, Ground, PaymentState};
use domain::steps::s7_execution::ClaimState;
use std::collections::BTreeMap;

rows! {
    /// A batch as a list shows it.
    view BatchListed {
        id: SettlementId,
        number: String,
        state: BatchState,
        currency: Currency,
        payments: i64,
        net: Money,
        built_at: Instant,
    }

    view InBatch {
        cycle_id: CycleId,
        number: String,
    }

    view PartnerRegion {
        id: PartnerId,
        region: String,
    }
}

/// Payment details as anybody who may know of them sees them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetailsShown {
    pub version: i64,
    pub payee: String,
    /// "DE •••• 3000"
    pub account: String,
    pub bic: String,
    pub by: String,
    pub at: Instant,
}

impl Reader {
    /// Batches, newest first. For finance, administrators and auditors.
    pub async fn settlements(
        &self,
        viewer: &Viewer,
        states: &[BatchState],
        paging: &Paging,
    ) -> Result<Page<BatchListed>> {
        sees_batches(viewer)?;
        let mut found = Where::default();
        if !states.is_empty() {
            found = found.among("state", states);
        }
        if let Some((at, id)) = paging.cursor::<(Instant, SettlementId)>()? {
            found = found.and("(built_at, id) < (?, ?)", values![at, id]);
        }
        let sql = format!(
            "SELECT id, number, state, currency, payments, net, built_at FROM settlement {}
             ORDER BY built_at DESC, id DESC LIMIT {}",
            found.sql(),
            paging.one_more()
        );
        let rows: Vec<BatchListed> = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |row| (row.built_at, row.id)))
    }

    /// A batch by its number. For finance, administrators and auditors.
    pub async fn settlement(&self, viewer: &Viewer, number: &str) -> Result<Batch> {
        sees_batches(viewer)?;
        self.any_settlement(number).await
    }

    async fn any_settlement(&self, number: &str) -> Result<Batch> {
        let docs: Vec<String> =
            sql::column(&self.db, "doc", "SELECT doc FROM settlement WHERE number = $1", values![number]).await?;
        sql::from_json(docs.first().ok_or(Error::NotFound)?, "settlement.doc")
    }

    /// A batch's timeline, newest first.
    pub async fn settlement_timeline(
        &self,
        viewer: &Viewer,
        batch: &Batch,
        paging: &Paging,
    ) -> Result<Page<TimelineEntry>> {
        sees_batches(viewer)?;
        self.events_of(batch.id.0, true, paging).await
    }

    /// A payment that was made, for its partner's people and those of the vendor who see that partner.
    pub async fn remittance(&self, viewer: &Viewer, number: &str, payment: u16) -> Result<Batch> {
        let batch = self.any_settlement(number).await?;
        let paid = batch.payment(payment).filter(|payment| payment.state == PaymentState::Paid);
        let partner = paid.ok_or(Error::NotFound)?.partner;
        let found = Where::default().eq("id", Some(partner)).within(viewer.scope(), "id", "region");
        let sql = format!("SELECT id, region FROM partner {}", found.sql());
        let seen: Option<PartnerRegion> = sql::maybe(&self.db, &sql, found.values).await?;
        seen.map(|_| batch).ok_or(Error::NotFound)
    }

    /// What a batch is built on, beside the cycles themselves. For finance.
    pub async fn settlement_ground(
        &self,
        viewer: &Viewer,
        partners: &[PartnerId],
        cycles: &[CycleId],
    ) -> Result<Ground> {
        sees_batches(viewer)?;
        load::batch_ground(&self.db, partners, cycles).await
    }

    /// Of these cycles the ones whose claims to be paid are all in open batches, with the first batch's number: what is
    /// left to do for them is done there. For those who see batches; nothing for others.
    pub async fn all_batched(&self, viewer: &Viewer, cycles: &[CycleId]) -> Result<BTreeMap<CycleId, String>> {
        if cycles.is_empty() || sees_batches(viewer).is_err() {
            return Ok(BTreeMap::new());
        }
        let payable =
            Where::default().among("c.state", &[ClaimState::Payable, ClaimState::PartPaid]).among("c.cycle_id", cycles);
        let sql = format!(
            "SELECT c.cycle_id, MIN(b.number) AS number FROM claim c
             LEFT JOIN settlement_claim x ON x.cycle_id = c.cycle_id AND x.claim_no = c.no AND x.waits
             LEFT JOIN settlement b ON b.id = x.settlement_id {}
             GROUP BY c.cycle_id HAVING COUNT(*) = COUNT(b.number)",
            payable.sql()
        );
        let rows: Vec<InBatch> = sql::all(&self.db, &sql, payable.values).await?;
        Ok(rows.into_iter().map(|row| (row.cycle_id, row.number)).collect())
    }

    /// Claims of a cycle the viewer has in hand that are in an open batch, with its number.
    pub async fn batched_of(&self, cycle: CycleId) -> Result<BTreeMap<u16, String>> {
        load::batched_of(&self.db, cycle).await
    }

    /// Where a partner's money is sent, masked; `None` while nobody has said. A partner the viewer may not see is not
    /// found.
    pub async fn payment_details(&self, viewer: &Viewer, partner: PartnerId) -> Result<Option<DetailsShown>> {
        let found = Where::default().eq("id", Some(partner)).within(viewer.scope(), "id", "region");
        let sql = format!("SELECT id FROM partner {}", found.sql());
        let seen: Vec<PartnerId> = sql::column(&self.db, "id", &sql, found.values).await?;
        if seen.is_empty() {
            return Err(Error::NotFound);
        }
        self.newest_details(&partner.to_string()).await
    }

    /// The account the house pays a currency from, masked. For finance, administrators and auditors.
    pub async fn own_account(&self, viewer: &Viewer, currency: Currency) -> Result<Option<DetailsShown>> {
        sees_batches(viewer)?;
        self.newest_details(currency.code()).await
    }

    async fn newest_details(&self, owner: &str) -> Result<Option<DetailsShown>> {
        let tail = "WHERE owner = $1 ORDER BY version DESC LIMIT 1";
        let row: Option<DetailsRow> = sql::maybe(&self.db, &sql::select::<DetailsRow>(tail), values![owner]).await?;
        let Some(row) = row else { return Ok(None) };
        let details: PaymentDetails = sql::from_json(&row.details, "payment_details.details")?;
        let account = details.masked();
        let DetailsRow { version, by_name, at, .. } = row;
        Ok(Some(DetailsShown { version, account, payee: details.payee, bic: details.bic, by: by_name, at }))
    }

    /// Where a payment goes, whole: for finance only.
    pub async fn details_in_full(&self, viewer: &Viewer, owner: &str, version: Option<i64>) -> Result<PaymentDetails> {
        if viewer.standings().iter().all(|one| one.is_partner() || !one.has(Role::Finance)) {
            return Err(Error::NotFound);
        }
        let mut found = Where::default().eq("owner", Some(owner)).eq("version", version).sql();
        found.push_str(" ORDER BY version DESC LIMIT 1");
        let values = Where::default().eq("owner", Some(owner)).eq("version", version).values;
        let row: DetailsRow = sql::one(&self.db, &sql::select::<DetailsRow>(&found), values).await?;
        sql::from_json(&row.details, "payment_details.details")
    }
}

/// Batches hold the payments of many partners.
fn sees_batches(viewer: &Viewer) -> Result<()> {
    let may = |role: Role| viewer.standings().iter().any(|one| one.has(role) && !one.is_partner());
    if [Role::Finance, Role::Administrator, Role::Auditor, Role::System].into_iter().any(may) {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}
