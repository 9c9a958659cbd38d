//! The loop as a ring: nine steps, how many cycles stand at each, and which of them are overdue.

use askama::Template;
use askama::filters::HtmlSafe;

use domain::cycle::Step;

/// The home page's picture of the whole loop.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/charts/ring.html")]
pub struct Ring {
    pub caption: String,
    /// In the order of the loop.
    pub steps: [RingStep; 9],
}

#[derive(Clone, Debug, Default)]
pub struct RingStep {
    pub cycles: u64,
    /// How many of them are overdue.
    pub overdue: u64,
    /// The list of these cycles.
    pub href: String,
}

/// Centres of the nine nodes on a circle of radius 96 round (200, 152), clockwise from the top, 40 degrees apart.
const CENTRES: [(i32, i32); 9] =
    [(200, 56), (262, 78), (295, 135), (283, 200), (233, 242), (167, 242), (117, 200), (105, 135), (138, 78)];

/// One step's place: the node and where its words stand.
struct Node<'a> {
    step: &'a RingStep,
    name: &'static str,
    x: i32,
    y: i32,
    word_x: i32,
    word_y: i32,
    anchor: &'static str,
}

impl Node<'_> {
    /// For people who hear the ring: "approval: 3 cycles, 1 overdue".
    fn noun(&self) -> &'static str {
        match (self.step.cycles, self.step.overdue) {
            (1, 0) => "cycle",
            (_, 0) => "cycles",
            (1, _) => "cycle,",
            _ => "cycles,",
        }
    }
}

impl Ring {
    fn total(&self) -> u64 {
        self.steps.iter().map(|step| step.cycles).sum()
    }

    /// Words stand outside the ring: above the top node, below the two lowest, beside the others.
    fn nodes(&self) -> Vec<Node<'_>> {
        let node = |((step, name), (index, (x, y))): ((_, _), (usize, (i32, i32)))| {
            let step: &RingStep = step;
            let lift = if step.overdue > 0 { 16 } else { 0 };
            let (word_x, word_y, anchor) = match index {
                0 => (x, y - 28 - lift, "middle"),
                4 => (x + 8, y + 37, "middle"),
                5 => (x - 8, y + 37, "middle"),
                1..=3 => (x + 27, y + 4 - lift / 2, "start"),
                _ => (x - 27, y + 4 - lift / 2, "end"),
            };
            Node { step, name, x, y, word_x, word_y, anchor }
        };
        self.steps.iter().zip(Step::ALL.map(Step::label)).zip(CENTRES.into_iter().enumerate()).map(node).collect()
    }
}

impl HtmlSafe for Ring {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_counts_and_names_what_is_overdue() {
        let mut ring = Ring { caption: "Your loop".into(), steps: Default::default() };
        ring.steps[5] = RingStep { cycles: 3, overdue: 1, href: "/cycles?step=approval".into() };
        ring.steps[0].cycles = 1;
        let html = ring.to_string();
        assert_eq!(ring.total(), 4);
        assert!(html.contains("3<tspan class=\"unseen\"> cycles,</tspan>"), "{html}");
        assert_eq!(html.matches("1 overdue").count(), 1);
        assert!(html.contains("href=\"/cycles?step=approval\""));
        assert!(!html.contains("style="));
    }
}
