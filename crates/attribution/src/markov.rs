//! Data-driven credit by removal effect in a Markov chain of order 1 to 4, exactly (Anderl et al. 2016).
//!
//! A state is the last k touches; a shorter path is a state of its own length. The start leads to the first state, the
//! last state to a conversion or to nothing, weighted by counts, null journeys included. What the journeys would lose
//! if every transition into a state with channel j led to nothing is the channel's removal effect; credit is shared in
//! proportion to it. The chain is solved, not simulated: the same counts always give the same effects.

use std::time::Duration;

use crate::credit::Credits;
use crate::explain::Reason;
use crate::hash::FastMap;
use crate::journey::{Channel, Journey, Outcome};
use crate::models::Weighted;
use crate::solver::{Flow, Rewards, Step};

/// Counted transitions of journeys. Counts are whole numbers and additive: a journey is taken back by adding it with a
/// negative outcome, and neither the order of journeys nor how they were divided among chains changes a count.
#[derive(Debug, Clone)]
pub struct Chain {
    order: usize,
    states: Vec<State>,
    by_key: FastMap<Key, u32>,
    /// From a state by a channel: the place in `steps`.
    by_step: FastMap<u64, u32>,
    /// The same for small chains, quicker.
    grid: Grid,
    steps: Vec<CountedStep>,
}

/// The last touches' channels, oldest first, padded in front.
type Key = [Channel; Chain::MAX_ORDER];
const PAD: Channel = Channel::MAX;
const START: u32 = 0;

#[derive(Debug, Clone)]
struct State {
    key: Key,
    /// Of the journeys that ended here.
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
struct CountedStep {
    from: u32,
    to: u32,
    count: i128,
}

impl Chain {
    pub const MAX_ORDER: usize = 4;

    /// A chain without journeys; `None` if the order is not 1 to 4.
    pub fn new(order: usize) -> Option<Self> {
        let start = State { key: [PAD; Self::MAX_ORDER], outcome: Outcome::default() };
        (1..=Self::MAX_ORDER).contains(&order).then(|| Self {
            order,
            by_key: FastMap::from_iter([(start.key, START)]),
            states: vec![start],
            by_step: FastMap::default(),
            grid: Grid::default(),
            steps: Vec::new(),
        })
    }

    pub fn order(&self) -> usize {
        self.order
    }

    /// Count journeys that took this path. A path without touches is no part of the chain.
    pub fn add(&mut self, path: impl IntoIterator<Item = Channel>, outcome: Outcome) {
        let journeys = outcome.conversions + outcome.nulls;
        let mut at = START;
        for channel in path {
            let step = self.step(at, channel);
            let step = &mut self.steps[step as usize];
            step.count += journeys;
            at = step.to;
        }
        if at != START {
            self.states[at as usize].outcome.add(outcome);
        }
    }

    /// Add another chain of the same order, whose channel `c` is this one's `renumber[c]`.
    pub fn merge(&mut self, other: &Self, renumber: &[Channel]) {
        debug_assert_eq!(self.order, other.order, "chains of different orders have different states");
        let renumbered = |key: Key| key.map(|channel| if channel == PAD { PAD } else { renumber[channel as usize] });
        for theirs in &other.states[1..] {
            let state = self.state(renumbered(theirs.key));
            self.states[state as usize].outcome.add(theirs.outcome);
        }
        for theirs in &other.steps {
            let from = self.state(renumbered(other.states[theirs.from as usize].key));
            let channel = renumber[other.states[theirs.to as usize].last() as usize];
            let step = self.step(from, channel);
            self.steps[step as usize].count += theirs.count;
        }
    }

    /// The step from a state by a channel: its place in `steps`.
    fn step(&mut self, from: u32, channel: Channel) -> u32 {
        self.grid.get(from, channel).unwrap_or_else(|| self.find_step(from, channel))
    }

    #[cold]
    fn find_step(&mut self, from: u32, channel: Channel) -> u32 {
        let step = u64::from(from) << 32 | u64::from(channel);
        let place = self.by_step.get(&step).copied().unwrap_or_else(|| self.new_step(step, from, channel));
        self.grid.put(from, channel, place);
        place
    }

    fn new_step(&mut self, step: u64, from: u32, channel: Channel) -> u32 {
        let mut key = self.states[from as usize].key;
        key.rotate_left(1);
        key[Self::MAX_ORDER - 1] = channel;
        key[..Self::MAX_ORDER - self.order].fill(PAD);
        let to = self.state(key);
        let place = small(self.steps.len());
        self.by_step.insert(step, place);
        self.steps.push(CountedStep { from, to, count: 0 });
        place
    }

    fn state(&mut self, key: Key) -> u32 {
        *self.by_key.entry(key).or_insert_with(|| {
            self.states.push(State { key, outcome: Outcome::default() });
            small(self.states.len() - 1)
        })
    }

    /// Solve the chain. States are looked at in the order of their channels' numbers, whatever the order in which
    /// journeys were added: the same journeys and numbers give the same bits. The oldest channel counts last, so that
    /// the states from which the same states can be reached lie side by side.
    pub fn effects(&self) -> Effects {
        let mut order: Vec<u32> = (1..small(self.states.len())).collect();
        order.sort_unstable_by_key(|state| {
            let mut key = self.states[*state as usize].key;
            key[Self::MAX_ORDER - self.order..].rotate_left(1);
            key
        });
        let mut place_of = vec![0_u32; self.states.len()];
        for (place, state) in order.iter().enumerate() {
            place_of[*state as usize] = small(place);
        }
        let mut flow = Flow::new(order.iter().map(|state| self.states[*state as usize].last()).collect());
        for step in &self.steps {
            let count = weight(step.count);
            if step.from == START {
                flow.start[place_of[step.to as usize] as usize] = count;
            } else if step.from != step.to {
                // A step from a state to itself changes nothing but how long the journey takes.
                let (from, to) = (place_of[step.from as usize], place_of[step.to as usize]);
                flow.steps.push(Step { from, to, weight: count });
            }
        }
        let mut sums = Sums::default();
        for (place, state) in order.iter().enumerate() {
            let outcome = &self.states[*state as usize].outcome;
            sums.add(outcome);
            flow.yields[place] = [weight(outcome.conversions), weight(outcome.value), weight(-outcome.value)];
            flow.nulls[place] = weight(outcome.nulls);
        }
        let journeys = flow.start.iter().sum();
        let (total, loss) = flow.removal_losses();
        Effects { total, loss, sums, journeys }
    }
}

/// Where steps are kept by state and channel, in rows and columns, as far as there is room. It forgets, and never lies.
#[derive(Debug, Clone, Default)]
struct Grid {
    width: usize,
    /// A row a state; a step's place and one, or zero.
    cells: Vec<u32>,
}

impl Grid {
    /// 8 MiB.
    const LARGEST: usize = 1 << 21;

    fn get(&self, from: u32, channel: Channel) -> Option<u32> {
        if channel as usize >= self.width {
            return None;
        }
        self.cells.get(from as usize * self.width + channel as usize)?.checked_sub(1)
    }

    fn put(&mut self, from: u32, channel: Channel, step: u32) {
        let (from, channel) = (from as usize, channel as usize);
        if channel >= self.width {
            self.width = (channel + 1).next_power_of_two();
            self.cells.clear();
        }
        let row = from * self.width;
        if row + self.width > Self::LARGEST {
            return;
        }
        if self.cells.len() <= row {
            self.cells.resize(row + self.width, 0);
        }
        self.cells[row + channel] = step + 1;
    }
}

impl State {
    fn last(&self) -> Channel {
        self.key[Chain::MAX_ORDER - 1]
    }
}

/// What a solved chain says of its channels.
#[derive(Debug, Clone)]
pub struct Effects {
    /// What all journeys yield, in each of the three rewards.
    total: Rewards,
    /// What they lose without a channel, by channel.
    loss: Vec<Rewards>,
    sums: Sums,
    journeys: f64,
}

/// Exact totals of the journeys in the chain. Value is kept apart by the sign it has in the state where journeys end, so
/// that refunds are divided by absolute amount and carry their sign.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    conversions: i128,
    gained: i128,
    refunded: i128,
}

impl Sums {
    fn add(&mut self, outcome: &Outcome) {
        self.conversions += outcome.conversions;
        self.gained += outcome.value.max(0);
        self.refunded += (-outcome.value).max(0);
    }
}

const CONVERSIONS: usize = 0;
const GAINED: usize = 1;
const REFUNDED: usize = 2;

impl Effects {
    /// The chance that a journey converts: the observed rate, whatever the order. 0 without journeys.
    pub fn conversion_rate(&self) -> f64 {
        if self.journeys > 0.0 { self.total[CONVERSIONS] / self.journeys } else { 0.0 }
    }

    /// The part of all conversions that would be lost without the channel, 0 to 1. Effects do not add up to 1.
    pub fn removal_effect(&self, channel: Channel) -> f64 {
        let lost = self.loss.get(channel as usize).map_or(0.0, |loss| loss[CONVERSIONS]);
        if lost > 0.0 { lost / self.total[CONVERSIONS] } else { 0.0 }
    }

    /// Amounts to divide, signed, each with the channels' weights: conversions, and value gained and refunded. Where
    /// an amount's own effects are all zero the conversions' decide.
    pub(crate) fn amounts(&self) -> (Divided, [Divided; 2]) {
        let by = |reward| {
            let weights = self.weights(reward);
            if weights.iter().all(|weight| *weight == 0) { self.weights(CONVERSIONS) } else { weights }
        };
        (
            Divided { amount: self.sums.conversions, weights: by(CONVERSIONS) },
            [
                Divided { amount: self.sums.gained, weights: by(GAINED) },
                Divided { amount: -self.sums.refunded, weights: by(REFUNDED) },
            ],
        )
    }

    fn weights(&self, reward: usize) -> Vec<u64> {
        whole_weights(&self.loss.iter().map(|loss| loss[reward]).collect::<Vec<_>>())
    }

    /// Divide one journey's value with weights in proportion to its channels' removal effects; a channel's weight is
    /// spread evenly over its touches. Channels the chain has not seen weigh nothing; if none has been seen the touches
    /// are alike. Exact as [`crate::credit`] is.
    pub fn credit(&self, journey: &Journey, lookback: Option<Duration>) -> Credits {
        if journey.converted_at().is_none() {
            return Credits::default();
        }
        let window = journey.window(lookback);
        let touches = &journey.touches()[window.clone()];
        let times = |channel| touches.iter().filter(|touch| touch.channel == channel).count();
        #[expect(clippy::cast_precision_loss, reason = "a journey has far fewer than 2^52 touches")]
        let effect = |channel| self.removal_effect(channel) / times(channel) as f64;
        let effects: Vec<f64> = touches.iter().map(|touch| effect(touch.channel)).collect();
        let mut weights = whole_weights(&effects);
        let mut reason = Reason::RemovalEffect;
        if weights.iter().all(|weight| *weight == 0) {
            weights.fill(1);
            reason = Reason::Alike { of: touches.len() };
        }
        let weighted: Vec<Weighted> = weights.into_iter().map(|weight| Weighted::new(weight, reason)).collect();
        Credits::divide(journey.value(), window.start, &weighted)
    }
}

/// An amount and the channels' weights by which it is divided.
pub(crate) struct Divided {
    pub amount: i128,
    pub weights: Vec<u64>,
}

/// Weights as whole numbers, the largest 2^62, so that dividing by them is exact from here on.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the ratio lies between 0 and 1"
)]
fn whole_weights(effects: &[f64]) -> Vec<u64> {
    let largest = effects.iter().copied().fold(0.0, f64::max);
    let whole = |effect: &f64| {
        if largest > 0.0 { (effect / largest * (1_u64 << 62) as f64) as u64 } else { 0 }
    };
    effects.iter().map(whole).collect()
}

/// A count as a weight in the chain. More taken back than was ever counted weighs nothing.
#[expect(clippy::cast_precision_loss, reason = "a probability needs no more than 52 bits of its count")]
fn weight(count: i128) -> f64 {
    count.max(0) as f64
}

/// Places are 32 bits wide: a chain with more states or steps than that would not fit in memory.
fn small(place: usize) -> u32 {
    u32::try_from(place).expect("fewer than 2^32 states and steps")
}
