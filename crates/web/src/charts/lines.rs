//! Lines over time: the plan with its range against what happened, and a sparkline for table cells.

use std::fmt::Write as _;

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Unit, WIDTH, scaled};
use crate::view::Value;

const HEIGHT: i64 = 400;

/// A cumulative figure over time: the forecast's middle and its P10 to P90 band, and the actual as far as it is known.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/charts/plan_line.html")]
pub struct PlanLine {
    pub caption: String,
    pub sub: String,
    pub unit: Unit,
    /// In order of time, evenly spaced.
    pub points: Vec<LinePoint>,
}

#[derive(Clone, Debug)]
pub struct LinePoint {
    /// "June", "week 23", "30 Apr".
    pub label: String,
    pub low: i64,
    pub plan: i64,
    pub high: i64,
    pub actual: Option<i64>,
    pub href: Option<String>,
}

/// A measured point's place in the drawing.
struct Mark<'a> {
    point: &'a LinePoint,
    x: i64,
    y: i64,
    actual: i64,
}

impl PlanLine {
    /// The axis ends at a round number at or above everything drawn.
    fn top(&self) -> i64 {
        let sizes = self.points.iter().flat_map(|point| [point.high, point.plan, point.actual.unwrap_or(0)]);
        round_up(sizes.max().unwrap_or(0))
    }

    fn x(&self, index: usize) -> i64 {
        let last = i64::try_from(self.points.len().saturating_sub(1)).unwrap_or(1).max(1);
        scaled(i64::try_from(index).unwrap_or(0), last, WIDTH)
    }

    fn y(&self, size: i64) -> i64 {
        HEIGHT - scaled(size, self.top(), HEIGHT)
    }

    fn path(&self, sizes: impl Iterator<Item = (usize, i64)>) -> String {
        let mut path = String::new();
        for (index, size) in sizes {
            let verb = if path.is_empty() { 'M' } else { 'L' };
            write!(path, "{verb}{} {}", self.x(index), self.y(size)).expect("a string takes all");
        }
        path
    }

    fn plan_path(&self) -> String {
        self.path(self.points.iter().enumerate().map(|(index, point)| (index, point.plan)))
    }

    fn band_path(&self) -> String {
        let high = self.points.iter().enumerate().map(|(index, point)| (index, point.high));
        let low = self.points.iter().enumerate().rev().map(|(index, point)| (index, point.low));
        self.path(high.chain(low)) + "Z"
    }

    fn has_band(&self) -> bool {
        self.points.iter().any(|point| point.low != point.high)
    }

    fn actual_path(&self) -> String {
        self.path(self.points.iter().enumerate().filter_map(|(index, point)| Some((index, point.actual?))))
    }

    fn marks(&self) -> Vec<Mark<'_>> {
        let known = self.points.iter().enumerate().filter_map(|(index, point)| Some((index, point, point.actual?)));
        known.map(|(index, point, actual)| Mark { point, x: self.x(index), y: self.y(actual), actual }).collect()
    }

    /// Labels of the vertical axis, top to bottom.
    fn y_labels(&self) -> [Value; 3] {
        let top = self.top();
        [self.unit.show(top), self.unit.show(top / 2), self.unit.show(0)]
    }

    /// First, middle and last label of the horizontal axis.
    fn x_labels(&self) -> Vec<&str> {
        let count = self.points.len();
        let places: &[usize] = match count {
            0 => &[],
            1 => &[0],
            2 => &[0, 1],
            _ => &[0, (count - 1) / 2, count - 1],
        };
        places.iter().map(|place| self.points[*place].label.as_str()).collect()
    }
}

/// The next of 1, 2, 2.5, 5 times a power of ten.
fn round_up(size: i64) -> i64 {
    let mut power = 1_i64;
    while power <= i64::MAX / 100 {
        for tenths in [10, 20, 25, 50] {
            if power * tenths / 10 >= size {
                return (power * tenths / 10).max(1);
            }
        }
        power *= 10;
    }
    size
}

/// The shape of a few numbers in one table cell; the numbers stand in the row.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/charts/sparkline.html")]
pub struct Sparkline {
    /// What a screen reader says: "leads per month, 4 to 31".
    pub label: String,
    pub values: Vec<i64>,
}

impl Sparkline {
    fn places(&self) -> Vec<(i64, i64)> {
        let low = self.values.iter().min().copied().unwrap_or(0);
        let spread = self.values.iter().max().copied().unwrap_or(0).saturating_sub(low);
        let last = i64::try_from(self.values.len().saturating_sub(1)).unwrap_or(1).max(1);
        let place = |(index, value): (usize, &i64)| {
            let x = scaled(i64::try_from(index).unwrap_or(0), last, 100);
            let y = if spread == 0 { 50 } else { 100 - scaled(value.saturating_sub(low), spread, 100) };
            (x, y)
        };
        self.values.iter().enumerate().map(place).collect()
    }

    fn path(&self) -> String {
        let points: Vec<_> = self.places().iter().map(|(x, y)| format!("{x} {y}")).collect();
        if points.is_empty() { String::new() } else { format!("M{}", points.join("L")) }
    }

    fn end(&self) -> Option<String> {
        self.places().last().map(|(x, y)| format!("M{x} {y}h.01"))
    }
}

impl HtmlSafe for PlanLine {}
impl HtmlSafe for Sparkline {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let cases =
            [(0, 1), (1, 1), (3, 5), (11, 20), (21, 25), (132_000, 200_000), (200_001, 250_000), (i64::MAX, i64::MAX)];
        for (size, top) in cases {
            assert_eq!(round_up(size), top, "{size}");
        }
    }

    #[test]
    fn the_actual_line_ends_where_knowledge_ends() {
        let point =
            |plan, actual| LinePoint { label: "June".into(), low: plan / 2, plan, high: plan * 2, actual, href: None };
        let line = PlanLine {
            caption: "Leads".into(),
            sub: String::new(),
            unit: Unit::Count,
            points: vec![point(0, Some(0)), point(25, Some(50)), point(50, None)],
        };
        assert_eq!(line.plan_path(), "M0 400L500 300L1000 200");
        assert_eq!(line.actual_path(), "M0 400L500 200");
        assert_eq!(line.band_path(), "M0 400L500 200L1000 0L1000 300L500 352L0 400Z");
    }

    #[test]
    fn a_sparkline_of_nothing_or_of_equals_is_calm() {
        let spark = |values: &[i64]| Sparkline { label: String::new(), values: values.to_vec() }.path();
        assert_eq!(spark(&[]), "");
        assert_eq!(spark(&[7, 7]), "M0 50L100 50");
        assert_eq!(spark(&[0, 10, 5]), "M0 100L50 0L100 50");
    }
}
