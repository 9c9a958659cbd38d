//! Lists of cycles and activities: filtered, sorted, by the page, each answered from an index.

use super::{Page, Paging, Reader};
use crate::error::Result;
use crate::filter::{List, Where};
use crate::sql::{self, anywhere, rows, values};
use crate::viewer::{Scope, Viewer};
use crate::write::cycle::NEVER;
use domain::cycle::{Party, Stage, Step};
use domain::ids::{CycleId, FundId, PartnerId, ProgramId};
use domain::machine::Seat;
use domain::money::{Currency, Money};
use domain::people::{Role, Standing};
use domain::steps::s7_execution::ActivityState;
use domain::{Date, Instant};

rows! {
    /// A cycle, as a list shows it.
    view CycleLine {
        id: CycleId,
        number: String,
        serial: u32,
        title: String,
        program_id: ProgramId,
        program: String,
        partner_id: PartnerId,
        partner: String,
        region: String,
        period_from: Date,
        period_to: Date,
        currency: Currency,
        stage: Stage,
        level: u8,
        version: i64,
        waiting_on: Party,
        waiting_since: Instant,
        due: Option<Date>,
        /// What the party is asked to do.
        task: String,
        stopped: bool,
        fund_id: Option<FundId>,
        asked: Money,
        approved: Money,
        claimed: Money,
        paid: Money,
        opened_at: Instant,
        updated_at: Instant,
        ended_at: Option<Instant>,
    }

    /// An activity, as a list shows it.
    view ActivityLine {
        cycle_id: CycleId,
        number: String,
        no: u16,
        campaign_no: u16,
        name: String,
        kind: String,
        partner_id: PartnerId,
        partner: String,
        region: String,
        state: ActivityState,
        starts: Date,
        ends: Date,
        currency: Currency,
        cost: Money,
    }
}

/// Which cycles to list; an empty filter lists all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CycleFilter {
    pub stage: Option<Stage>,
    /// Any stage of this step.
    pub step: Option<Step>,
    pub partner: Option<PartnerId>,
    pub program: Option<ProgramId>,
    pub fund: Option<FundId>,
    pub region: Option<String>,
    pub waiting_on: Option<Party>,
    /// Due before this day.
    pub overdue_on: Option<Date>,
    /// `Some(false)`: only those that have not ended.
    pub ended: Option<bool>,
    /// Part of the number, the title or the partner's name.
    pub text: Option<String>,
}

/// In which order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CycleSort {
    /// Soonest due first, nothing due last.
    #[default]
    Due,
    Newest,
    Oldest,
}

/// Which activities to list, soonest end first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ActivityFilter {
    /// Empty: every state.
    pub states: Vec<ActivityState>,
    pub partner: Option<PartnerId>,
    /// Ending on this day or later.
    pub ends_from: Option<Date>,
    /// Ending on this day or earlier.
    pub ends_by: Option<Date>,
}

const CYCLE_COLUMNS: &str = "id, number, serial, title, program_id, partner_id, region, period_from, period_to, \
    currency, stage, level, version, waiting_on, waiting_since, due, task, stopped, fund_id, asked, approved, claimed, \
    paid, opened_at, updated_at, ended_at";

const CYCLE_SHOWN: &str = "SELECT m.id, m.number, m.serial, m.title, m.program_id, g.code AS program, m.partner_id, \
    p.name AS partner, m.region, m.period_from, m.period_to, m.currency, m.stage, m.level, m.version, m.waiting_on, \
    m.waiting_since, NULLIF(m.due, '9999-12-31') AS due, m.task, m.stopped, m.fund_id, m.asked, m.approved, m.claimed, \
    m.paid, m.opened_at, m.updated_at, m.ended_at \
    FROM {page} JOIN partner p ON p.id = m.partner_id JOIN program g ON g.id = m.program_id";

impl Reader {
    pub async fn cycles(
        &self,
        viewer: &Viewer,
        filter: &CycleFilter,
        sort: CycleSort,
        paging: &Paging,
    ) -> Result<Page<CycleLine>> {
        let arms = filter.conditions().arms_within(viewer.scope(), "partner_id", "region");
        self.cycle_list(arms, sort, paging).await
    }

    /// What waits for the viewer, soonest due first: their own tasks and those of colleagues they stand in for.
    pub async fn waiting_for_me(&self, viewer: &Viewer, paging: &Paging) -> Result<Page<CycleLine>> {
        let arms = viewer.standings().iter().flat_map(|standing| tasks_of(viewer, standing, false)).collect();
        self.cycle_list(arms, CycleSort::Due, paging).await
    }

    /// How many cycles wait for the viewer; counted no further than `most`.
    pub async fn count_waiting(&self, viewer: &Viewer, most: u16) -> Result<usize> {
        let arms = viewer.standings().iter().flat_map(|standing| tasks_of(viewer, standing, false));
        self.count_arms(arms.collect(), most).await
    }

    /// How many cycles a filter finds; counted no further than `most`.
    pub async fn count_cycles(&self, viewer: &Viewer, filter: &CycleFilter, most: u16) -> Result<usize> {
        self.count_arms(filter.conditions().arms_within(viewer.scope(), "partner_id", "region"), most).await
    }

    async fn count_arms(&self, arms: Vec<Where>, most: u16) -> Result<usize> {
        if arms.is_empty() {
            return Ok(0);
        }
        let list = List {
            columns: "due, id",
            table: "cycle",
            arms,
            order: "due, id",
            shown: "SELECT m.id FROM {page}",
            limit: usize::from(most),
        };
        let (sql, values) = list.statement();
        Ok(sql::column::<CycleId>(&self.db, "id", &sql, values).await?.len())
    }

    async fn cycle_list(&self, arms: Vec<Where>, sort: CycleSort, paging: &Paging) -> Result<Page<CycleLine>> {
        if arms.is_empty() {
            return Ok(paging.page(Vec::new(), |line: &CycleLine| line.serial));
        }
        let (order, after) = match sort {
            CycleSort::Due => {
                let after = paging.cursor::<(Date, CycleId)>()?;
                ("due, id", after.map(|(due, id)| ("(due, id) > (?, ?)", values![due, id])))
            }
            CycleSort::Newest => ("serial DESC", paging.cursor::<u32>()?.map(|serial| ("serial < ?", values![serial]))),
            CycleSort::Oldest => ("serial", paging.cursor::<u32>()?.map(|serial| ("serial > ?", values![serial]))),
        };
        let arms = after_key(arms, after);
        let list =
            List { columns: CYCLE_COLUMNS, table: "cycle", arms, order, shown: CYCLE_SHOWN, limit: paging.one_more() };
        let (sql, values) = list.statement();
        let rows: Vec<CycleLine> = sql::all(&self.db, &sql, values).await?;
        Ok(match sort {
            CycleSort::Due => paging.page(rows, |line| (line.due.unwrap_or(NEVER), line.id)),
            CycleSort::Newest | CycleSort::Oldest => paging.page(rows, |line| line.serial),
        })
    }

    pub async fn activities(
        &self,
        viewer: &Viewer,
        filter: &ActivityFilter,
        paging: &Paging,
    ) -> Result<Page<ActivityLine>> {
        let states = if filter.states.is_empty() { ActivityState::ALL.to_vec() } else { filter.states.clone() };
        let mut arms = Vec::new();
        for state in states {
            let mut arm = Where::default().eq("state", Some(state)).eq("partner_id", filter.partner);
            for (condition, day) in [("ends >= ?", filter.ends_from), ("ends <= ?", filter.ends_by)] {
                if let Some(day) = day {
                    arm = arm.and(condition, values![day]);
                }
            }
            arms.extend(arm.arms_within(viewer.scope(), "partner_id", "region"));
        }
        let after = paging.cursor::<(Date, CycleId, u16)>()?;
        let after = after.map(|(ends, id, no)| ("(ends, cycle_id, no) > (?, ?, ?)", values![ends, id, no]));
        let list = List {
            columns: "*",
            table: "activity",
            arms: after_key(arms, after),
            order: "ends, cycle_id, no",
            shown: "SELECT m.*, c.number, p.name AS partner FROM {page} JOIN cycle c ON c.id = m.cycle_id \
                    JOIN partner p ON p.id = m.partner_id",
            limit: paging.one_more(),
        };
        let (sql, values) = list.statement();
        let rows = sql::all(&self.db, &sql, values).await?;
        Ok(paging.page(rows, |line: &ActivityLine| (line.ends, line.cycle_id, line.no)))
    }
}

impl CycleFilter {
    fn conditions(&self) -> Where {
        let mut found = Where::default()
            .eq("partner_id", self.partner)
            .eq("program_id", self.program)
            .eq("fund_id", self.fund)
            .eq("region", self.region.as_deref())
            .eq("stage", self.stage)
            .eq("waiting_on", self.waiting_on);
        if let Some(step) = self.step {
            let stages: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| stage.step() == Some(step)).collect();
            found = found.among("stage", &stages);
        }
        if let Some(day) = self.overdue_on {
            found = found.and("due < ?", values![day]);
        }
        if let Some(ended) = self.ended {
            found = found.and(if ended { "ended_at IS NOT NULL" } else { "ended_at IS NULL" }, Vec::new());
        }
        if let Some(text) = self.text.as_deref().filter(|text| !text.trim().is_empty()) {
            found = found.and(r"search LIKE ? ESCAPE '\'", values![anywhere(text)]);
        }
        found
    }
}

pub(super) fn after_key(arms: Vec<Where>, after: Option<(&str, Vec<sea_orm::Value>)>) -> Vec<Where> {
    match after {
        Some((condition, values)) => arms.into_iter().map(|arm| arm.and(condition, values.clone())).collect(),
        None => arms,
    }
}

/// The queues somebody works on, one clause each: whose turn it is, in which region.
pub(super) fn tasks_of(viewer: &Viewer, standing: &Standing, approvals_only: bool) -> Vec<Where> {
    if let Some(partner) = standing.partner {
        let own = Where::default().eq("waiting_on", Some(Party::Partner)).eq("partner_id", Some(partner));
        return if approvals_only { Vec::new() } else { vec![own] };
    }
    let scope = if standing.territory.is_empty() { Scope::All } else { Scope::Regions(standing.territory.clone()) };
    let mut arms = on_the_desk(viewer, standing, &scope);
    if approvals_only {
        return arms;
    }
    let queue = |party: Party, scope: &Scope| {
        let waits = Where::default().eq("waiting_on", Some(party)).eq("level", Some(0_u8));
        waits.arms_within(scope, "partner_id", "region")
    };
    if standing.has(Role::ChannelManager) {
        arms.extend(queue(Party::Manager, &scope));
    }
    if standing.has(Role::Finance) {
        arms.extend(queue(Party::Finance, &Scope::All));
    }
    arms
}

/// Requests that lie on the desks of a standing, but for those that the viewer, or the colleague whose standing it is,
/// asked for or decided on before.
fn on_the_desk(viewer: &Viewer, standing: &Standing, scope: &Scope) -> Vec<Where> {
    let mut people = vec![viewer.user(), standing.user];
    people.dedup();
    let mut arms = Vec::new();
    for seat in Seat::of(standing) {
        for column in ["desk", "desk_too"] {
            let mut arm = Where::default().eq(column, Some(seat.code()));
            for user in &people {
                arm = arm.and("barred NOT LIKE ?", values![format!("%{user}%")]);
            }
            arms.extend(arm.arms_within(scope, "partner_id", "region"));
        }
    }
    arms
}
