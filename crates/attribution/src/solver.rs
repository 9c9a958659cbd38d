//! Absorbing chains, solved with additions, multiplications and divisions of positive numbers only. Nothing is ever
//! subtracted, so a channel with a tiny effect keeps all its digits, and one thread or many give the same bits.

use rayon::prelude::*;

use crate::journey::Channel;
use crate::sparse::{Network, OPEN};

/// What an end can yield: conversions, value gained, value refunded.
pub const REWARDS: usize = 3;
pub type Rewards = [f64; REWARDS];

/// Up to here a chain of order 1 is solved by elimination: one matrix of this many rows and columns.
const DENSE: usize = 1_200;

/// So many channels are solved at once: a step is looked up once for all of them.
const LANES: usize = 8;

/// A chain as counted: weights, not yet chances. Places are states, in an order that does not depend on chance.
pub struct Flow {
    /// The channel each state ends with. A journey always meets a channel first in a state that ends with it.
    pub last: Vec<Channel>,
    /// Journeys that begin in a state.
    pub start: Vec<f64>,
    /// Steps between different states.
    pub steps: Vec<Step>,
    /// What the journeys that end in a state yield; the first reward counts conversions, which are ends.
    pub yields: Vec<Rewards>,
    /// Journeys that end in a state and yield nothing.
    pub nulls: Vec<f64>,
}

#[derive(Clone, Copy)]
pub struct Step {
    pub from: u32,
    pub to: u32,
    pub weight: f64,
}

impl Flow {
    pub fn new(last: Vec<Channel>) -> Self {
        let states = last.len();
        Self {
            last,
            start: vec![0.0; states],
            steps: Vec::new(),
            yields: vec![[0.0; REWARDS]; states],
            nulls: vec![0.0; states],
        }
    }

    /// What all journeys yield, and by channel what they lose when every way into that channel leads to nothing.
    pub fn removal_losses(mut self) -> (Rewards, Vec<Rewards>) {
        let mut states_of = self.states_of();
        let (yields, losses) = if self.last.len() <= DENSE && states_of.iter().all(|states| states.len() <= 1) {
            self.fewest_ways_first();
            states_of = self.states_of();
            let chances = self.make_chances();
            self.by_elimination(&chances.ends, &states_of)
        } else {
            let chances = self.make_chances();
            self.by_sweeps(&chances, &states_of)
        };
        (self.start.iter().zip(&yields).fold([0.0; REWARDS], |sum, (start, yields)| plus(sum, *start, *yields)), losses)
    }

    /// By channel the states that end with it.
    fn states_of(&self) -> Vec<Vec<usize>> {
        let channels = self.last.iter().max().map_or(0, |channel| *channel as usize + 1);
        let mut states_of = vec![Vec::new(); channels];
        for (place, channel) in self.last.iter().enumerate() {
            states_of[*channel as usize].push(place);
        }
        states_of
    }

    /// Put the states with the fewest ways first: taken out early, they leave few new ways behind (Markowitz 1957).
    fn fewest_ways_first(&mut self) {
        let mut ways = vec![0_usize; self.last.len()];
        for step in &self.steps {
            ways[step.from as usize] += 1;
            ways[step.to as usize] += 1;
        }
        let mut order: Vec<usize> = (0..ways.len()).collect();
        order.sort_by_key(|state| ways[*state]);
        let mut place_of = vec![0; order.len()];
        for (state, place) in order.iter().zip(0..) {
            place_of[*state] = place;
        }
        for step in &mut self.steps {
            (step.from, step.to) = (place_of[step.from as usize], place_of[step.to as usize]);
        }
        self.last = order.iter().map(|state| self.last[*state]).collect();
        self.start = order.iter().map(|state| self.start[*state]).collect();
        self.yields = order.iter().map(|state| self.yields[*state]).collect();
        self.nulls = order.iter().map(|state| self.nulls[*state]).collect();
    }

    /// Divide every weight by all that leaves its state.
    fn make_chances(&mut self) -> Chances {
        self.steps.sort_unstable_by_key(|step| (step.from, step.to));
        let ends: Vec<f64> = self.yields.iter().zip(&self.nulls).map(|(yields, nulls)| yields[0] + nulls).collect();
        let mut leaving = ends.clone();
        for step in &self.steps {
            leaving[step.from as usize] += step.weight;
        }
        let chance = |weight: f64, place: usize| {
            if leaving[place] > 0.0 { weight / leaving[place] } else { 0.0 }
        };
        for step in &mut self.steps {
            step.weight = chance(step.weight, step.from as usize);
        }
        for (place, yields) in self.yields.iter_mut().enumerate() {
            *yields = yields.map(|weight| chance(weight, place));
        }
        let ends = ends.into_iter().enumerate().map(|(place, weight)| chance(weight, place)).collect();
        Chances { ends, visits: leaving }
    }

    /// By state what a journey that is there will yield, and by channel what is lost without it. For any order: what
    /// flows without ever meeting the channel, and then steps into it, is lost.
    fn by_sweeps(&self, Chances { ends, visits }: &Chances, states_of: &[Vec<usize>]) -> (Vec<Rewards>, Vec<Rewards>) {
        let ways: Vec<_> = self.steps.iter().map(|step| (step.from, step.to, step.weight)).collect();
        let network = Network::new(self.last.len(), &ways);
        let everywhere = vec![OPEN; self.last.len()];
        let (yields, _) = network.yields(&self.start, visits).solve(|state| self.yields[state], &everywhere);
        let flow = network.flow(ends);
        let first = |channels: usize| (channels * LANES).min(states_of.len());
        let losses = (0..states_of.len().div_ceil(LANES)).into_par_iter().flat_map_iter(|batch| {
            let channels = first(batch)..first(batch + 1);
            // A journey stops in the states of a lane's own channel.
            let mut closed = everywhere.clone();
            for (lane, states) in states_of[channels.clone()].iter().enumerate() {
                for state in states {
                    closed[*state] = lane;
                }
            }
            let (_, stayed) = flow.solve(|state| [self.start[state]; LANES], &closed);
            let loss_of = |states: &Vec<usize>| {
                states.iter().fold([0.0; REWARDS], |loss, state| plus(loss, stayed[*state], yields[*state]))
            };
            states_of[channels].iter().map(loss_of).collect::<Vec<_>>()
        });
        let losses = losses.collect();
        (yields, losses)
    }

    /// The same for one state a channel: with `N = (I - Q)^-1`, the loss without j is `(N_sj / N_jj) c_j`, where `c` is
    /// what is yielded from each state. One elimination gives all.
    fn by_elimination(&self, ends: &[f64], states_of: &[Vec<usize>]) -> (Vec<Rewards>, Vec<Rewards>) {
        let reduced = Reduced::new(ends.to_vec(), &self.steps);
        let yield_of = |reward: usize| reduced.solve(self.yields.iter().map(|yields| yields[reward]).collect());
        let columns: [Vec<f64>; REWARDS] = [0, 1, 2].map(yield_of);
        let yields: Vec<Rewards> =
            (0..self.last.len()).map(|state| columns.each_ref().map(|column| column[state])).collect();
        let visits = reduced.solve_transposed(self.start.clone());
        let returns = reduced.inverse_diagonal();
        let loss_of = |states: &Vec<usize>| {
            let Some(&state) = states.first() else {
                return [0.0; REWARDS];
            };
            let reached = if returns[state] > 0.0 { visits[state] / returns[state] } else { 0.0 };
            plus([0.0; REWARDS], reached, yields[state])
        };
        let losses = states_of.iter().map(loss_of).collect();
        (yields, losses)
    }
}

/// By state.
struct Chances {
    /// That a journey ends there.
    ends: Vec<f64>,
    /// The weight of the journeys that pass through.
    visits: Vec<f64>,
}

fn plus(sum: Rewards, times: f64, rewards: Rewards) -> Rewards {
    std::array::from_fn(|reward| sum[reward] + times * rewards[reward])
}

/// `I - Q`, factored by state reduction (Grassmann, Taksar and Heyman): states are taken out one by one and the ways
/// through them are given to the ways around. A state's diagonal is the sum of its ways out, never one minus something.
struct Reduced {
    states: usize,
    /// Row by row: left of the diagonal the multipliers, right of it the ways to states not yet taken out.
    ways: Vec<f64>,
    /// The sum of the ways out of each state when it was taken out; zero if none led out.
    pivots: Vec<f64>,
}

impl Reduced {
    fn new(mut ends: Vec<f64>, steps: &[Step]) -> Self {
        let states = ends.len();
        let mut ways = vec![0.0; states * states];
        for step in steps {
            ways[step.from as usize * states + step.to as usize] = step.weight;
        }
        let mut pivots = vec![0.0; states];
        for out in 0..states {
            let (done, below) = ways.split_at_mut((out + 1) * states);
            let onward = &done[out * states + out + 1..];
            pivots[out] = ends[out] + onward.iter().sum::<f64>();
            let ended = ends[out];
            let some = some(onward);
            for (row, end) in below.chunks_exact_mut(states).zip(&mut ends[out + 1..]) {
                let times = if pivots[out] > 0.0 { row[out] / pivots[out] } else { 0.0 };
                row[out] = times;
                if times == 0.0 {
                    continue;
                }
                *end += times * ended;
                if few(&some, onward) {
                    for (to, through) in &some {
                        row[out + 1 + to] += times * through;
                    }
                } else {
                    add_times(&mut row[out + 1..], times, onward);
                }
            }
        }
        Self { states, ways, pivots }
    }

    fn row(&self, state: usize) -> &[f64] {
        &self.ways[state * self.states..(state + 1) * self.states]
    }

    /// `x = (I - Q)^-1 b`.
    fn solve(&self, mut x: Vec<f64>) -> Vec<f64> {
        for state in 1..self.states {
            let (before, here) = x.split_at_mut(state);
            here[0] += dot(&self.row(state)[..state], before);
        }
        for state in (0..self.states).rev() {
            let (here, after) = x.split_at_mut(state + 1);
            let sum = here[state] + dot(&self.row(state)[state + 1..], after);
            here[state] = self.divide(sum, state);
        }
        x
    }

    /// The diagonal of `N = (I - Q)^-1`: how often a journey in a state is there in all.
    ///
    /// With the factors `I - Q = (I - T)(D - W)` both `(D - W) N = (I - T)^-1` and `N (I - T) = (D - W)^-1` are
    /// triangular, so that N can be found from its last entry on: `N_jk = sum W_jm N_mk / D_j` right of the diagonal,
    /// `N_kj = sum N_km T_mj` below it, `N_jj = (1 + sum W_jm N_mj) / D_j` on it, m running over the states after j. Only
    /// entries of N are needed where the factors have some (Takahashi, Fagan and Chin 1973); others may stay unfinished.
    fn inverse_diagonal(&self) -> Vec<f64> {
        let states = self.states;
        let mut inverse = vec![0.0; states * states];
        for state in (0..states).rev() {
            let after = state + 1;
            let (before, done) = inverse.split_at_mut(after * states);
            let (own, right) = before[state * states + state..].split_at_mut(1);
            let back: Vec<f64> = (after..states).map(|from| self.ways[from * states + state]).collect();
            let (ways, times) = (some(&self.row(state)[after..]), some(&back));
            if few(&times, &back) {
                for (to, _) in &times {
                    let sum = ways.iter().map(|(by, way)| way * done[by * states + after + to]).sum();
                    right[*to] = self.divide(sum, state);
                }
            } else {
                for (by, way) in &ways {
                    add_times(right, *way, &done[by * states + after..(by + 1) * states]);
                }
                for sum in right {
                    *sum = self.divide(*sum, state);
                }
            }
            let mut whole = 1.0;
            for (from, way) in &ways {
                let (until, after) = done[from * states..(from + 1) * states].split_at_mut(after);
                until[state] = if few(&times, &back) {
                    times.iter().map(|(by, times)| after[*by] * times).sum()
                } else {
                    dot(after, &back)
                };
                whole += way * until[state];
            }
            own[0] = self.divide(whole, state);
        }
        (0..states).map(|state| inverse[state * states + state]).collect()
    }

    /// `h = b (I - Q)^-1`: the expected visits of journeys that begin as `b` says.
    fn solve_transposed(&self, mut h: Vec<f64>) -> Vec<f64> {
        for state in 0..self.states {
            h[state] = self.divide(h[state], state);
            let (here, after) = h.split_at_mut(state + 1);
            for (sum, way) in after.iter_mut().zip(&self.row(state)[state + 1..]) {
                *sum += here[state] * way;
            }
        }
        for state in (0..self.states).rev() {
            let (before, here) = h.split_at_mut(state);
            for (sum, times) in before.iter_mut().zip(self.row(state)) {
                *sum += here[0] * times;
            }
        }
        h
    }

    fn divide(&self, sum: f64, state: usize) -> f64 {
        if self.pivots[state] > 0.0 { sum / self.pivots[state] } else { 0.0 }
    }
}

/// The numbers that are not zero, and their places.
fn some(numbers: &[f64]) -> Vec<(usize, f64)> {
    numbers.iter().copied().enumerate().filter(|(_, number)| *number > 0.0).collect()
}

/// So few numbers are not zero that going from one to the next beats going through them all, four at a time.
fn few(some: &[(usize, f64)], all: &[f64]) -> bool {
    4 * some.len() < all.len()
}

fn add_times(sums: &mut [f64], times: f64, numbers: &[f64]) {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += times * number;
    }
}

/// Four sums side by side, so that one addition need not wait for the other; always in the same order.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (mut ones, mut others) = (one.chunks_exact(4), other.chunks_exact(4));
    for (one, other) in (&mut ones).zip(&mut others) {
        for lane in 0..4 {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(one, other)| one * other).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::{Flow, Step};

    /// A chain of `states` channels in a ring with shortcuts, out of which little leads.
    fn ring(states: u32) -> Flow {
        let mut flow = Flow::new((0..states).collect());
        for from in 0..states {
            for (far, weight) in [(1, 90.0), (7, 5.0), (states / 2, f64::from(from % 5))] {
                let to = (from + far) % states;
                if to != from && !flow.steps.iter().any(|step| (step.from, step.to) == (from, to)) {
                    flow.steps.push(Step { from, to, weight });
                }
            }
            let place = from as usize;
            flow.start[place] = f64::from(from % 3);
            flow.yields[place] = [f64::from(from % 2), f64::from(from), f64::from(from % 4)];
            flow.nulls[place] = 0.5;
        }
        flow
    }

    #[test]
    fn elimination_and_sweeps_agree() {
        for states in [1, 2, 3, 11, 60, 200] {
            let mut flow = ring(states);
            let states_of: Vec<Vec<usize>> = (0..states as usize).map(|state| vec![state]).collect();
            let chances = flow.make_chances();
            let (one, other) = (flow.by_elimination(&chances.ends, &states_of), flow.by_sweeps(&chances, &states_of));
            let numbers = |(yields, losses): &(Vec<_>, Vec<_>)| [yields.concat(), losses.concat()].concat();
            for (one, other) in numbers(&one).into_iter().zip(numbers(&other)) {
                let (one, other): (f64, f64) = (one, other);
                assert!((one - other).abs() <= 1e-12 * one.abs(), "{states} states: {one} {other}");
            }
        }
    }
}
