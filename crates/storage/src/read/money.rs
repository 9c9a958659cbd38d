//! Lists of money: claims, funds with their balances, statements, wallets.

use super::funds::vendor_only;
use super::lists::after_key;
use super::{Page, Paging, Reader};
use crate::error::{Error, Result};
use crate::filter::{List, Where};
use crate::periods::{end_of, start_of};
use crate::sql::{self, anywhere, rows, values};
use crate::viewer::{Scope, Viewer};
use crate::write::cycle::NEVER;
use crate::write::fund::FundRow;
use chrono::Datelike;
use domain::cycle::Stage;
use domain::fund::Fund;
use domain::ids::{CycleId, EventId, FundId, PartnerId};
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use domain::steps::s7_execution::ClaimState;
use domain::{Date, Instant};
use uuid::Uuid;

/// Of [`ClaimFilter::behind`].
const BEHIND: &str = "EXISTS (SELECT 1 FROM cycle c WHERE c.id = claim.cycle_id AND c.waiting_on <> 'finance') \
    AND NOT EXISTS (SELECT 1 FROM settlement_claim x \
    WHERE x.cycle_id = claim.cycle_id AND x.claim_no = claim.no AND x.waits)";

/// Which claims to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimFilter {
    /// Empty lists every state.
    pub states: Vec<ClaimState>,
    pub partner: Option<PartnerId>,
    pub currency: Option<Currency>,
    /// Part of the cycle's number, its title or the partner's name.
    pub text: Option<String>,
    /// A claw back, or a payment that came back, is proposed and not confirmed.
    pub clawback_open: bool,
    /// Its cycle waits for somebody else than finance, and no open batch holds it.
    pub behind: bool,
    pub newest_first: bool,
}

rows! {
    /// A claim as a list shows it.
    view ClaimListed {
        cycle_id: CycleId,
        number: String,
        no: u16,
        title: String,
        campaign: String,
        partner_id: PartnerId,
        partner_name: String,
        state: ClaimState,
        is_final: bool,
        clawback_open: bool,
        currency: Currency,
        asked: Money,
        approved: Money,
        paid: Money,
        submitted_at: Instant,
        /// The open settlement batch it is in.
        batch: Option<String>,
    }

    /// What is in one kind of account of a fund, in minor units.
    view FundTotal {
        fund_id: FundId,
        kind: AccountKind,
        total: i64,
    }

    /// What one partner has in one kind of account of a fund.
    view Allocation {
        partner_id: PartnerId,
        partner_name: String,
        kind: AccountKind,
        currency: Currency,
        total: Money,
    }

    /// One posting of a fund, with the event that caused it.
    view StatementLine {
        at: Instant,
        event_id: EventId,
        n: u16,
        words: String,
        from_kind: AccountKind,
        to_kind: AccountKind,
        partner_name: Option<String>,
        number: Option<String>,
        currency: Currency,
        amount: Money,
    }

    /// A cycle that waits for its partner until a day.
    view PartnerDue {
        number: String,
        title: String,
        stage: Stage,
        task: String,
        due: Date,
    }

    /// What a partner has in a fund, by account kind and by the day its credit expires.
    view WalletLine {
        fund_id: FundId,
        fund_code: String,
        fund_name: String,
        kind: AccountKind,
        lot: Option<Date>,
        currency: Currency,
        total: Money,
    }
}

impl ClaimFilter {
    /// Claims finance has something to do on, though their cycles wait for somebody else first.
    pub fn behind() -> Self {
        Self { states: ClaimState::FOR_FINANCE.to_vec(), behind: true, ..Self::default() }
    }

    /// All but the states.
    fn conditions(&self) -> Where {
        let mut found = Where::default().eq("partner_id", self.partner).eq("currency", self.currency);
        if self.clawback_open {
            found = found.and("clawback_open", Vec::new());
        }
        if self.behind {
            found = found.and(BEHIND, Vec::new());
        }
        match self.text.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                let of_cycle = r"cycle_id IN (SELECT c.id FROM cycle c WHERE c.search LIKE ? ESCAPE '\')";
                found.and(of_cycle, values![anywhere(text)])
            }
            None => found,
        }
    }

    fn states(&self) -> &[ClaimState] {
        if self.states.is_empty() { &ClaimState::ALL } else { &self.states }
    }
}

impl Reader {
    /// Claims by the day they were handed in: one clause a state and region, so that each goes by an index in order.
    pub async fn claims(&self, viewer: &Viewer, filter: &ClaimFilter, paging: &Paging) -> Result<Page<ClaimListed>> {
        let of_state = |state: &ClaimState| {
            filter.conditions().eq("state", Some(*state)).arms_within(viewer.scope(), "partner_id", "region")
        };
        let arms = filter.states().iter().flat_map(of_state).collect();
        let (beyond, order) = if filter.newest_first {
            ("<", "submitted_at DESC, cycle_id DESC, no DESC")
        } else {
            (">", "submitted_at, cycle_id, no")
        };
        let beyond = format!("(submitted_at, cycle_id, no) {beyond} (?, ?, ?)");
        let after = paging.cursor::<(Instant, CycleId, u16)>()?;
        let after = after.map(|(at, cycle, no)| (beyond.as_str(), values![at, cycle, no]));
        let list = List {
            columns: "*",
            table: "claim",
            arms: after_key(arms, after),
            order,
            shown: "SELECT m.*, c.number, c.title, g.name AS campaign, p.name AS partner_name, b.number AS batch \
                    FROM {page} JOIN cycle c ON c.id = m.cycle_id JOIN partner p ON p.id = m.partner_id \
                    JOIN campaign g ON g.cycle_id = m.cycle_id AND g.no = m.campaign_no \
                    LEFT JOIN settlement_claim x ON x.cycle_id = m.cycle_id AND x.claim_no = m.no AND x.waits \
                    LEFT JOIN settlement b ON b.id = x.settlement_id",
            limit: paging.one_more(),
        };
        let (sql, values) = list.statement();
        let rows: Vec<ClaimListed> = sql::all(&self.db, &sql, values).await?;
        Ok(paging.page(rows, |row| (row.submitted_at, row.cycle_id, row.no)))
    }

    /// How many claims a filter finds; counted no further than `most`.
    pub async fn count_claims(&self, viewer: &Viewer, filter: &ClaimFilter, most: u16) -> Result<usize> {
        let found = filter.conditions().among("state", filter.states()).within(viewer.scope(), "partner_id", "region");
        let sql = format!(
            "SELECT CAST(COUNT(*) AS bigint) AS n FROM (SELECT 1 AS one FROM claim {} LIMIT {most}) counted",
            found.sql()
        );
        let counted: Vec<i64> = sql::column(&self.db, "n", &sql, found.values).await?;
        Ok(counted.first().map_or(0, |n| usize::try_from(*n).unwrap_or_default()))
    }

    /// Every fund with what is in each kind of its accounts. For the vendor's people only.
    pub async fn funds(&self, viewer: &Viewer) -> Result<(Vec<Fund>, Vec<FundTotal>)> {
        vendor_only(viewer)?;
        let rows: Vec<FundRow> = sql::all(&self.db, &sql::select::<FundRow>("ORDER BY code"), values![]).await?;
        let totals = "SELECT fund_id, kind, CAST(SUM(net) AS bigint) AS total FROM fund_month GROUP BY fund_id, kind";
        Ok((rows.into_iter().map(FundRow::into_domain).collect(), sql::all(&self.db, totals, values![]).await?))
    }

    /// A fund by its code. For the vendor's people only.
    pub async fn fund(&self, viewer: &Viewer, code: &str) -> Result<Fund> {
        vendor_only(viewer)?;
        let row: FundRow = sql::one(&self.db, &sql::select::<FundRow>("WHERE code = $1"), values![code]).await?;
        Ok(row.into_domain())
    }

    /// What was in each kind of a fund's accounts at the end of a day.
    pub async fn fund_totals_on(&self, viewer: &Viewer, fund: FundId, day: Date) -> Result<Vec<FundTotal>> {
        vendor_only(viewer)?;
        let month = day.with_day(1).unwrap_or(day);
        let sql = "SELECT fund_id, kind, CAST(SUM(amount) AS bigint) AS total FROM (
                     SELECT fund_id, kind, net AS amount FROM fund_month WHERE fund_id = $1 AND month < $2
                     UNION ALL
                     SELECT x.fund_id, t.kind, x.amount FROM posting x JOIN account t ON t.id = x.to_id
                     WHERE x.fund_id = $1 AND x.at >= $3 AND x.at < $4
                     UNION ALL
                     SELECT x.fund_id, f.kind, -x.amount AS amount FROM posting x JOIN account f ON f.id = x.from_id
                     WHERE x.fund_id = $1 AND x.at >= $3 AND x.at < $4
                   ) moved GROUP BY fund_id, kind";
        sql::all(&self.db, sql, values![fund, month, start_of(month), end_of(day)]).await
    }

    /// What each partner the viewer may see has in a fund, by name.
    pub async fn allocations(&self, viewer: &Viewer, of: FundId) -> Result<Vec<Allocation>> {
        vendor_only(viewer)?;
        let found = Where::default().eq("a.fund_id", Some(of)).and("a.balance <> 0", Vec::new());
        let found = found.within(viewer.scope(), "p.id", "p.region");
        let sql = format!(
            "SELECT p.id AS partner_id, p.name AS partner_name, a.kind, a.currency, CAST(SUM(a.balance) AS bigint) AS total
             FROM account a JOIN partner p ON p.id = a.partner_id {}
             GROUP BY p.id, p.name, a.kind, a.currency ORDER BY p.name, p.id, a.kind",
            found.sql()
        );
        sql::all(&self.db, &sql, found.values).await
    }

    /// The postings of a fund up to the end of a day, newest first. Those of partners the viewer may not see are left
    /// out.
    pub async fn statement(
        &self,
        viewer: &Viewer,
        of: FundId,
        until: Option<Date>,
        paging: &Paging,
    ) -> Result<Page<StatementLine>> {
        vendor_only(viewer)?;
        let mut found = Where::default().eq("x.fund_id", Some(of));
        if let Scope::Regions(regions) = viewer.scope() {
            let marks = vec!["?"; regions.len()].join(", ");
            let regions = regions.iter().map(|region| region.as_str().into()).collect();
            found = found.and(&format!("(x.partner_id IS NULL OR p.region IN ({marks}))"), regions);
        }
        if let Some(day) = until {
            found = found.and("x.at < ?", values![end_of(day)]);
        }
        if let Some((at, event, n)) = paging.cursor::<(Instant, EventId, u16)>()? {
            found = found.and("(x.at, x.event_id, x.n) < (?, ?, ?)", values![at, event, n]);
        }
        let sql = format!(
            "SELECT x.at, x.event_id, x.n, e.words, f.kind AS from_kind, t.kind AS to_kind, p.name AS partner_name, c.number,
                    x.currency, x.amount
             FROM posting x JOIN event e ON e.id = x.event_id JOIN account f ON f.id = x.from_id
             JOIN account t ON t.id = x.to_id LEFT JOIN partner p ON p.id = x.partner_id
             LEFT JOIN cycle c ON c.id = COALESCE(t.cycle_id, f.cycle_id) {}
             ORDER BY x.at DESC, x.event_id DESC, x.n DESC LIMIT {}",
            found.sql(),
            paging.one_more()
        );
        let rows: Vec<StatementLine> = sql::all(&self.db, &sql, found.values).await?;
        Ok(paging.page(rows, |line| (line.at, line.event_id, line.n)))
    }

    /// What a partner has, fund by fund; a partner the viewer may not see is not found.
    pub async fn wallet(&self, viewer: &Viewer, partner: PartnerId) -> Result<Vec<WalletLine>> {
        let seen = Where::default().eq("id", Some(partner)).within(viewer.scope(), "id", "region");
        let ids: Vec<Uuid> =
            sql::column(&self.db, "id", &format!("SELECT id FROM partner {}", seen.sql()), seen.values).await?;
        if ids.is_empty() {
            return Err(Error::NotFound);
        }
        let sql = "SELECT f.id AS fund_id, f.code AS fund_code, f.name AS fund_name, a.kind, a.lot, a.currency,
                          CAST(SUM(a.balance) AS bigint) AS total
                   FROM account a JOIN fund f ON f.id = a.fund_id
                   WHERE a.partner_id = $1 AND a.balance <> 0
                   GROUP BY f.id, f.code, f.name, a.kind, a.lot, a.currency ORDER BY f.code, a.kind, a.lot";
        sql::all(&self.db, sql, values![partner]).await
    }

    /// Cycles in which the partner is expected to act by a day, the nearest first; at most 50.
    pub async fn waiting_for_partner(&self, viewer: &Viewer, partner: PartnerId) -> Result<Vec<PartnerDue>> {
        let found = Where::default().eq("partner_id", Some(partner)).within(viewer.scope(), "partner_id", "region");
        let found = found.and("waiting_on = 'partner' AND NOT stopped AND due < ?", values![NEVER]);
        let sql =
            format!("SELECT number, title, stage, task, due FROM cycle {} ORDER BY due, id LIMIT 50", found.sql());
        sql::all(&self.db, &sql, found.values).await
    }
}
