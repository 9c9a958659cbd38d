//! Bars: plan against actual, a fund's money, a bridge from one figure to another, a meter in a table cell.

use askama::Template;
use askama::filters::HtmlSafe;
use domain::ledger::AccountKind;

use super::{Unit, WIDTH, bar_length, scaled};
use crate::view::percent;

/// Plan and actual side by side, one row a measure; the table is the chart.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/charts/plan_actual.html")]
pub struct PlanActual {
    pub caption: String,
    pub sub: String,
    pub scale: Scale,
    pub rows: Vec<PlanActualRow>,
}

/// What a bar's full length means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The largest figure of the chart: shows how a funnel narrows.
    Shared,
    /// Half as much again as the row's own plan: shows who kept the plan, whatever the units.
    PerRow,
}

#[derive(Clone, Debug)]
pub struct PlanActualRow {
    pub label: String,
    pub href: Option<String>,
    pub unit: Unit,
    pub plan: i64,
    /// None until something was measured.
    pub actual: Option<i64>,
}

impl PlanActual {
    fn whole(&self, row: &PlanActualRow) -> i64 {
        match self.scale {
            Scale::Shared => self.rows.iter().map(|row| row.plan.max(row.actual.unwrap_or(0))).max().unwrap_or(0),
            Scale::PerRow if row.plan > 0 => row.plan.saturating_add(row.plan / 2),
            Scale::PerRow => row.actual.unwrap_or(0),
        }
    }

    fn plan_length(&self, row: &PlanActualRow) -> i64 {
        bar_length(row.plan, self.whole(row))
    }

    fn actual_length(&self, row: &PlanActualRow) -> i64 {
        bar_length(row.actual.unwrap_or(0), self.whole(row))
    }
}

impl PlanActualRow {
    fn share(&self) -> String {
        self.actual.and_then(|actual| percent(actual, self.plan, 0)).unwrap_or_else(|| "–".to_owned())
    }
}

/// Where a fund's money is; every bar of the product uses the same five hues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyState {
    Free,
    Committed,
    Claimed,
    Paid,
    Expired,
}

impl MoneyState {
    /// What is in each state, from what is held in each kind of account: one reading for every bar of the product.
    pub fn all(held: impl Fn(AccountKind) -> i64) -> [(Self, i64); 5] {
        [
            (Self::Free, held(AccountKind::Unallocated) + held(AccountKind::Available)),
            (Self::Committed, held(AccountKind::Committed)),
            (Self::Claimed, held(AccountKind::Claimed)),
            // What rates cost left the fund with what was paid.
            (Self::Paid, held(AccountKind::Paid) + held(AccountKind::FxVariance)),
            (Self::Expired, held(AccountKind::Forfeited) + held(AccountKind::Converted)),
        ]
    }

    pub const fn class(self) -> &'static str {
        match self {
            Self::Free => "m-free",
            Self::Committed => "m-committed",
            Self::Claimed => "m-claimed",
            Self::Paid => "m-paid",
            Self::Expired => "m-expired",
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Committed => "committed",
            Self::Claimed => "claimed",
            Self::Paid => "paid",
            Self::Expired => "expired",
        }
    }
}

/// A fund as one bar; its parts add up to the whole.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/charts/fund_bar.html")]
pub struct FundBar {
    pub caption: String,
    pub sub: String,
    pub unit: Unit,
    pub parts: Vec<FundPart>,
    /// Leaves the table of parts away: for rows that already show the figures.
    pub bar_only: bool,
}

#[derive(Clone, Debug)]
pub struct FundPart {
    pub state: MoneyState,
    /// Minor units; a part below nothing is drawn as nothing.
    pub amount: i64,
    pub href: Option<String>,
}

/// A part's place on the bar.
struct Segment<'a> {
    part: &'a FundPart,
    x: i64,
    width: i64,
}

impl FundBar {
    fn whole(&self) -> i64 {
        self.parts.iter().map(|part| part.amount.max(0)).fold(0, i64::saturating_add)
    }

    /// Ends are placed by running sum, so that the parts fill the bar without gaps or overlaps.
    fn segments(&self) -> Vec<Segment<'_>> {
        let whole = self.whole();
        let mut sum = 0_i64;
        let mut placed = Vec::new();
        for part in self.parts.iter().filter(|part| part.amount > 0) {
            let x = scaled(sum, whole, WIDTH);
            sum = sum.saturating_add(part.amount);
            placed.push(Segment { part, x, width: scaled(sum, whole, WIDTH) - x });
        }
        placed
    }

    fn share(&self, part: &FundPart) -> String {
        percent(part.amount, self.whole(), 0).unwrap_or_else(|| "–".to_owned())
    }

    fn spoken(&self) -> String {
        let parts = self.parts.iter().filter(|part| part.amount > 0);
        let parts: Vec<_> =
            parts.map(|part| format!("{} {}", self.unit.plain(part.amount), part.state.word())).collect();
        if parts.is_empty() { "No money yet".to_owned() } else { parts.join(", ") }
    }
}

/// How one figure became another: a start, what added, what took away, the end.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/charts/bridge.html")]
pub struct Bridge {
    pub caption: String,
    pub sub: String,
    pub unit: Unit,
    pub steps: Vec<BridgeStep>,
}

#[derive(Clone, Debug)]
pub struct BridgeStep {
    pub label: String,
    pub note: String,
    /// The change; for a total, the figure itself.
    pub amount: i64,
    pub is_total: bool,
    pub href: Option<String>,
}

/// A step's place in the drawing.
struct Span<'a> {
    step: &'a BridgeStep,
    x: i64,
    width: i64,
    class: &'static str,
}

impl Bridge {
    /// Lowest and highest level the bridge touches, nothing included.
    fn range(levels: &[(i64, i64)]) -> (i64, i64) {
        let ends = || levels.iter().flat_map(|(from, to)| [*from, *to]);
        (ends().min().unwrap_or(0).min(0), ends().max().unwrap_or(0).max(0))
    }

    /// Where each step begins and ends, in the chart's unit.
    fn levels(&self) -> Vec<(i64, i64)> {
        let mut level = 0_i64;
        let mut levels = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let from = if step.is_total { 0 } else { level };
            level = from.saturating_add(step.amount);
            levels.push((from, level));
        }
        levels
    }

    fn spans(&self) -> Vec<Span<'_>> {
        let levels = self.levels();
        let (low, high) = Self::range(&levels);
        let whole = high.saturating_sub(low);
        let place = |level: i64| scaled(level.saturating_sub(low), whole, WIDTH);
        self.steps
            .iter()
            .zip(levels)
            .map(|(step, (from, to))| {
                let (x, end) = (place(from.min(to)), place(from.max(to)));
                let class = match (step.is_total, step.amount >= 0) {
                    (true, _) => "m-actual",
                    (false, true) => "m-gain",
                    (false, false) => "m-loss",
                };
                Span { step, x: x.min(WIDTH - 3), width: (end - x).max(3), class }
            })
            .collect()
    }

    /// The line of nothing, when the bridge goes below it.
    fn zero(&self) -> Option<i64> {
        let (low, high) = Self::range(&self.levels());
        (low < 0).then(|| scaled(0_i64.saturating_sub(low), high.saturating_sub(low), WIDTH))
    }
}

impl BridgeStep {
    /// A gain says so; a loss brings its own minus.
    fn sign(&self) -> &'static str {
        if self.is_total || self.amount < 0 { "" } else { "+" }
    }
}

/// A value against its goal, in one cell of a table that shows both as figures.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/charts/bullet.html")]
pub struct Bullet {
    /// What a screen reader says: "31 of 40 leads".
    pub label: String,
    pub value: i64,
    pub goal: i64,
}

impl Bullet {
    fn whole(&self) -> i64 {
        self.goal.saturating_add(self.goal / 4).max(self.value)
    }

    fn value_length(&self) -> i64 {
        bar_length(self.value, self.whole())
    }

    fn goal_at(&self) -> i64 {
        scaled(self.goal, self.whole(), WIDTH).min(WIDTH - 6)
    }
}

impl HtmlSafe for PlanActual {}
impl HtmlSafe for FundBar {}
impl HtmlSafe for Bridge {}
impl HtmlSafe for Bullet {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_funds_parts_fill_the_bar_exactly() {
        let part = |state, amount| FundPart { state, amount, href: None };
        let bar = FundBar {
            caption: "Fund".into(),
            sub: String::new(),
            unit: Unit::money(2, "EUR"),
            parts: vec![
                part(MoneyState::Free, 1),
                part(MoneyState::Committed, 1),
                part(MoneyState::Claimed, -7),
                part(MoneyState::Paid, 1),
            ],
            bar_only: false,
        };
        let ends: Vec<_> = bar.segments().iter().map(|segment| (segment.x, segment.x + segment.width)).collect();
        assert_eq!(ends, [(0, 333), (333, 666), (666, 1000)]);
        assert!(bar.spoken().starts_with("0.01\u{a0}EUR free"));
    }

    #[test]
    fn a_bridge_floats_each_change_where_the_last_one_ended() {
        let step =
            |amount, is_total| BridgeStep { label: "x".into(), note: String::new(), amount, is_total, href: None };
        let bridge = Bridge {
            caption: "Bridge".into(),
            sub: String::new(),
            unit: Unit::Count,
            steps: vec![step(100, true), step(-150, false), step(200, false), step(150, true)],
        };
        let spans: Vec<_> = bridge.spans().iter().map(|span| (span.x, span.width, span.class)).collect();
        assert_eq!(spans, [(250, 500, "m-actual"), (0, 750, "m-loss"), (0, 1000, "m-gain"), (250, 750, "m-actual")]);
        assert_eq!(bridge.zero(), Some(250));
    }

    #[test]
    fn rows_without_a_measure_say_so() {
        let row = PlanActualRow { label: "MQL".into(), href: None, unit: Unit::Count, plan: 40, actual: None };
        assert_eq!(row.share(), "–");
        assert_eq!(PlanActualRow { actual: Some(36), ..row }.share(), "90\u{a0}%");
    }
}
