//! Large sparse chains: systems `v = b + v Q` solved component by component, by sweeps over the states of each.
//!
//! States between which there is a way there and back are a component. Components are solved in the order in which
//! journeys pass through them, so a chain without ways back takes one pass. Within a component states take turns, each
//! in terms of its neighbours as they are now, forwards and backwards (Gauss and Seidel); between sweeps all are scaled
//! so that what leaves the component is what came in, which takes away the slowest part of the error at once
//! (aggregation and disaggregation, Takahashi 1975). Only positive numbers are added, multiplied and divided.

use std::mem;

/// A state closed to no lane.
pub const OPEN: usize = usize::MAX;

/// A sweep that moves no number by a larger part of it has settled.
const SETTLED: f64 = 2.0 * f64::EPSILON;

/// A component that has not settled after so many sweeps is one whose counts were taken back until no way leads out.
const MOST_SWEEPS: usize = 200_000;

/// Scaling stops when it no longer helps, at the latest here; sweeps alone always converge.
const MOST_SCALINGS: usize = 1_000;

/// So many numbers are added up before they are added to the rest, so that a long sum keeps its last digits.
const SUM: usize = 64;

/// A step of the chain: from, to, and its chance.
pub type Way = (u32, u32, f64);

/// For each state its neighbours and the chances of the steps between, in one block.
struct Neighbours {
    /// Where each state's neighbours begin, and at the end their number.
    begin: Vec<usize>,
    all: Vec<(u32, f64)>,
}

impl Neighbours {
    fn new(states: usize, pairs: impl Iterator<Item = Way> + Clone) -> Self {
        let mut begin = vec![0; states + 1];
        for (state, ..) in pairs.clone() {
            begin[state as usize + 1] += 1;
        }
        for state in 0..states {
            begin[state + 1] += begin[state];
        }
        let mut next = begin.clone();
        let mut all = vec![(0, 0.0); begin[states]];
        for (state, neighbour, chance) in pairs {
            all[next[state as usize]] = (neighbour, chance);
            next[state as usize] += 1;
        }
        Self { begin, all }
    }

    fn of(&self, state: usize) -> impl Iterator<Item = (usize, f64)> {
        self.all[self.begin[state]..self.begin[state + 1]].iter().map(|(there, chance)| (*there as usize, *chance))
    }

    /// What arrives in a state: its own inflow and a part of what its neighbours have.
    fn pull<const N: usize>(&self, state: usize, inflow: [f64; N], passed: &[[f64; N]]) -> [f64; N] {
        let mut sum = inflow;
        for (there, chance) in self.of(state) {
            for (sum, passed) in sum.iter_mut().zip(&passed[there]) {
                *sum += passed * chance;
            }
        }
        sum
    }
}

/// A chain's steps, in both directions, and its components.
pub struct Network {
    into: Neighbours,
    out: Neighbours,
    components: Components,
}

/// One of the two systems of a chain, made ready for solving.
pub struct System<'a> {
    network: &'a Network,
    forward: bool,
    /// The worth of a unit in each state, chosen so that steps inside a component do not change the worth of it all.
    worth: Vec<f64>,
    /// Of a unit in each state, the worth that leaves its component.
    leaving: Vec<f64>,
}

impl Network {
    pub fn new(states: usize, ways: &[Way]) -> Self {
        let out = Neighbours::new(states, ways.iter().copied());
        let into = Neighbours::new(states, ways.iter().map(|(from, to, chance)| (*to, *from, *chance)));
        Self { components: Components::new(&out), into, out }
    }

    /// `v = b + v Q`: what passes through each state. `ends` is the chance that a journey ends in a state.
    pub fn flow(&self, ends: &[f64]) -> System<'_> {
        let worth = vec![1.0; ends.len()];
        System { network: self, forward: true, leaving: self.components.leaving(&self.out, ends, &worth), worth }
    }

    /// `y = r + Q y`: what each state yields. A state is worth the journeys that pass it, of which `start` begin there.
    pub fn yields(&self, start: &[f64], visits: &[f64]) -> System<'_> {
        let leaving = self.components.leaving(&self.into, start, visits);
        System { network: self, forward: false, leaving, worth: visits.to_vec() }
    }
}

impl System<'_> {
    /// Solve several at a time, each in a lane of its own. In a state `closed` to a lane, what arrives stays. Returns
    /// by state what passes on, and what has stayed.
    pub fn solve<const N: usize>(
        &self,
        inflow: impl Fn(usize) -> [f64; N],
        closed: &[usize],
    ) -> (Vec<[f64; N]>, Vec<f64>) {
        let Components { members, .. } = &self.network.components;
        let mut solution = Solution {
            system: self,
            from: if self.forward { &self.network.into } else { &self.network.out },
            inflow,
            closed,
            passed: vec![[0.0; N]; closed.len()],
            stayed: vec![0.0; closed.len()],
        };
        for place in 0..members.len() {
            // Components are listed last first.
            let states = &members[if self.forward { members.len() - 1 - place } else { place }];
            if let [only] = states[..] {
                solution.visit(only as usize);
            } else {
                solution.settle(states);
            }
        }
        (solution.passed, solution.stayed)
    }
}

struct Solution<'a, F, const N: usize> {
    system: &'a System<'a>,
    from: &'a Neighbours,
    inflow: F,
    closed: &'a [usize],
    passed: Vec<[f64; N]>,
    stayed: Vec<f64>,
}

impl<F: Fn(usize) -> [f64; N], const N: usize> Solution<'_, F, N> {
    /// Sweep over a component until nothing moves.
    fn settle(&mut self, states: &[u32]) {
        let arriving = self.arriving(states);
        let (mut scaled, mut calm, mut off) = (0, 0, f64::INFINITY);
        for sweep in 0..MOST_SWEEPS {
            let (leaving, moved) = if sweep % 2 == 0 {
                self.sweep(states.iter().copied())
            } else {
                self.sweep(states.iter().rev().copied())
            };
            if scaled < MOST_SCALINGS {
                let factor: [f64; N] = std::array::from_fn(|lane| match (arriving[lane], leaving[lane]) {
                    (arriving, leaving) if arriving > 0.0 && leaving > 0.0 => arriving / leaving,
                    _ => 1.0,
                });
                let before =
                    mem::replace(&mut off, factor.iter().fold(0.0, |off, factor| f64::max(off, (factor - 1.0).abs())));
                self.scale(states, factor);
                // Once what is left of it is rounding, scaling moves numbers about and no longer settles them.
                scaled = if off < 1e-9 && off > before / 2.0 { MOST_SCALINGS } else { scaled + 1 };
                continue;
            }
            calm = if moved { 0 } else { calm + 1 };
            if calm == 2 {
                return;
            }
        }
    }

    /// The worth of all that comes into a component.
    fn arriving(&self, states: &[u32]) -> [f64; N] {
        let of = &self.system.network.components.of;
        let mut sum = Sum::default();
        for &state in states {
            let mut arriving = (self.inflow)(state as usize);
            for (there, chance) in self.from.of(state as usize).filter(|(there, _)| of[*there] != of[state as usize]) {
                for (sum, passed) in arriving.iter_mut().zip(&self.passed[there]) {
                    *sum += passed * chance;
                }
            }
            sum.add(arriving.map(|arriving| arriving * self.system.worth[state as usize]));
        }
        sum.total()
    }

    /// Visit states in turn. Returns the worth of what then leaves the component, and whether anything has moved.
    fn sweep(&mut self, states: impl Iterator<Item = u32>) -> ([f64; N], bool) {
        let (mut sum, mut moved) = (Sum::default(), false);
        for state in states {
            let (leaving, here) = self.visit(state as usize);
            sum.add(leaving);
            moved |= here;
        }
        (sum.total(), moved)
    }

    /// Renew a state's numbers from its neighbours'. Returns what they let leave, and whether they have moved.
    fn visit(&mut self, state: usize) -> ([f64; N], bool) {
        let mut here = self.from.pull(state, (self.inflow)(state), &self.passed);
        let mut leaving = here.map(|here| here * self.system.leaving[state]);
        let mut moved = false;
        if let Some(lane) = here.get_mut(self.closed[state]) {
            let stays = mem::take(lane);
            leaving[self.closed[state]] = stays * self.system.worth[state];
            let before = mem::replace(&mut self.stayed[state], stays);
            moved |= (stays - before).abs() > SETTLED * stays;
        }
        let before = mem::replace(&mut self.passed[state], here);
        for (here, before) in here.iter().zip(before) {
            moved |= (here - before).abs() > SETTLED * here;
        }
        (leaving, moved)
    }

    fn scale(&mut self, states: &[u32], factor: [f64; N]) {
        for state in states.iter().map(|state| *state as usize) {
            for (passed, factor) in self.passed[state].iter_mut().zip(factor) {
                *passed *= factor;
            }
            if let Some(factor) = factor.get(self.closed[state]) {
                self.stayed[state] *= factor;
            }
        }
    }
}

/// A sum of many positive numbers, in two steps.
struct Sum<const N: usize> {
    total: [f64; N],
    part: [f64; N],
    count: usize,
}

impl<const N: usize> Default for Sum<N> {
    fn default() -> Self {
        Self { total: [0.0; N], part: [0.0; N], count: 0 }
    }
}

impl<const N: usize> Sum<N> {
    fn add(&mut self, numbers: [f64; N]) {
        for (part, number) in self.part.iter_mut().zip(numbers) {
            *part += number;
        }
        self.count += 1;
        if self.count.is_multiple_of(SUM) {
            self.total = self.total();
            self.part = [0.0; N];
        }
    }

    fn total(&self) -> [f64; N] {
        std::array::from_fn(|lane| self.total[lane] + self.part[lane])
    }
}

/// States between which there is a way there and back, found as Tarjan does (1972).
struct Components {
    /// By component its states in ascending order; a component comes before all from which there is a way to it.
    members: Vec<Vec<u32>>,
    /// By state its component.
    of: Vec<u32>,
}

const UNSEEN: u32 = u32::MAX;

impl Components {
    fn new(out: &Neighbours) -> Self {
        let states = out.begin.len() - 1;
        let mut found = Self { members: Vec::new(), of: vec![UNSEEN; states] };
        // When each state was first seen, the earliest it leads back to, and the states not yet in a component.
        let (mut seen, mut earliest, mut open) = (vec![UNSEEN; states], vec![UNSEEN; states], Vec::new());
        let (mut clock, mut trail) = (0, Vec::new());
        for root in 0..states {
            if seen[root] == UNSEEN {
                trail.push((root, out.begin[root]));
            }
            while let Some((state, next)) = trail.last_mut() {
                let state = *state;
                if seen[state] == UNSEEN {
                    (seen[state], earliest[state]) = (clock, clock);
                    clock += 1;
                    open.push(state);
                }
                if *next < out.begin[state + 1] {
                    let to = out.all[*next].0 as usize;
                    *next += 1;
                    if seen[to] == UNSEEN {
                        trail.push((to, out.begin[to]));
                    } else if found.of[to] == UNSEEN {
                        earliest[state] = earliest[state].min(seen[to]);
                    }
                    continue;
                }
                trail.pop();
                if let Some((before, _)) = trail.last() {
                    earliest[*before] = earliest[*before].min(earliest[state]);
                }
                if earliest[state] == seen[state] {
                    let first = open.iter().rposition(|open| *open == state).unwrap_or(0);
                    found.close(open.split_off(first));
                }
            }
        }
        found
    }

    fn close(&mut self, mut states: Vec<usize>) {
        states.sort_unstable();
        let number = u32::try_from(self.members.len()).unwrap_or(UNSEEN);
        for state in &states {
            self.of[*state] = number;
        }
        self.members.push(states.into_iter().map(|state| u32::try_from(state).unwrap_or(UNSEEN)).collect());
    }

    /// By state the worth that leaves its component: `base`, and that of the steps to neighbours outside.
    fn leaving(&self, neighbours: &Neighbours, base: &[f64], worth: &[f64]) -> Vec<f64> {
        let outside = |state: usize| {
            let outside = neighbours.of(state).filter(move |(there, _)| self.of[*there] != self.of[state]);
            outside.map(|(there, chance)| chance * worth[there]).sum::<f64>()
        };
        base.iter().enumerate().map(|(state, base)| base + outside(state)).collect()
    }
}
