//! A rebuild: many journeys in, totals by channel out, with memory for channels and states only.
//!
//! Sums are whole numbers, so neither the order of journeys nor their division among threads changes a digit.

use std::fmt;
use std::str::FromStr;

use crate::distinct::{self, Distinct, Games};
use crate::journey::{Channel, Outcome, PathStep, Touch};
use crate::markov::Chain;
use crate::model::{LooksAt, Model, ModelError};
use crate::models::{Weighted, weigh};
use crate::places::{self, Places};
use crate::split::round_together;

/// What can be asked of many journeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// Credit by a model that looks at one journey at a time.
    Rule(Model),
    /// Credit in proportion to removal effects in the chain of all journeys: the total over channels.
    Markov { order: usize },
    /// Each channel beside all it took part in. Not credit: it does not add up.
    Participation,
}

/// What `from_str` reads.
impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(model) => model.fmt(f),
            Self::Markov { order } => write!(f, "markov:{order}"),
            Self::Participation => f.write_str("participation"),
        }
    }
}

impl FromStr for Measure {
    type Err = ModelError;

    /// A model's name, `markov`, `markov:2` for order 2, or `participation`.
    fn from_str(text: &str) -> Result<Self, ModelError> {
        let text = text.trim().to_lowercase();
        match text.split_once(':') {
            None if text == "markov" => Ok(Self::Markov { order: 1 }),
            None if text == "participation" => Ok(Self::Participation),
            Some(("markov", order)) => match order.parse() {
                Ok(order) if (1..=Chain::MAX_ORDER).contains(&order) => Ok(Self::Markov { order }),
                _ => Err(ModelError::Order(order.to_owned())),
            },
            _ => text.parse().map(Self::Rule),
        }
    }
}

/// Numbers are in units of `10^-DECIMALS`; a sum has `FRACTION` more binary places below.
pub const DECIMALS: u32 = 12;
const FRACTION: u32 = 32;

/// Sums of absolute amounts above this do not fit: about 2 x 10^16.
const LARGEST: u128 = 1 << 94;

/// Conversions and value.
pub(crate) type Sums = [i128; 2];

/// Totals by channel under several measures, while journeys are being read.
#[derive(Debug, Clone)]
pub struct Tally {
    columns: Vec<Column>,
    channels: usize,
    total: Sums,
    /// Of absolute amounts, to know that no sum can have overflowed.
    gross: [u128; 2],
    /// Of journeys without touches.
    unattributed: Sums,
    /// Of journeys that nothing but places tells apart, and of those with milestones or touches without a response.
    plain: Places,
    marked: Places,
    games: Games,
    asked: AskedOf,
    /// For one journey at a time.
    distinct: Distinct,
    touches: Vec<Touch>,
    weights: Vec<Weighted>,
}

#[derive(Debug, Clone)]
enum Column {
    /// `sums` are those of journeys divided one by one.
    Divided {
        model: Model,
        looks_at: LooksAt,
        sums: Vec<Sums>,
    },
    Chain(Chain),
    TookPart {
        sums: Vec<Sums>,
    },
}

/// What some column asks of every journey.
#[derive(Debug, Clone, Copy)]
struct AskedOf {
    /// Sums by place, of journeys without marks and of those with some.
    places: [bool; 2],
    games: bool,
    distinct: bool,
    chain: bool,
}

impl AskedOf {
    fn new(columns: &[Column]) -> Self {
        let any = |wanted: &dyn Fn(&Column) -> bool| columns.iter().any(wanted);
        let models = |wanted: &dyn Fn(LooksAt) -> bool| {
            any(&|column| matches!(column, Column::Divided { looks_at, .. } if wanted(*looks_at)))
        };
        let games = models(&|looks_at| looks_at == LooksAt::Channels);
        Self {
            places: [false, true].map(|marked| models(&|looks_at| looks_at.is_places(marked))),
            games,
            distinct: games || any(&|column| matches!(column, Column::TookPart { .. })),
            chain: any(&|column| matches!(column, Column::Chain(_))),
        }
    }
}

/// What a tally wants to know of a touch: all of it, or what the step of a path says.
pub trait Contact: Copy {
    fn channel(&self) -> Channel;
    fn is_direct(&self) -> bool;
    /// It holds a milestone, or is no response.
    fn is_marked(&self) -> bool;
    /// The same as touches; `room` may be used to write them down.
    fn touches<'a>(steps: &'a [Self], room: &'a mut Vec<Touch>) -> &'a [Touch];
}

impl Contact for Touch {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn is_direct(&self) -> bool {
        self.direct
    }

    fn is_marked(&self) -> bool {
        !self.response || !self.milestones.is_empty()
    }

    fn touches<'a>(steps: &'a [Self], _: &'a mut Vec<Touch>) -> &'a [Touch] {
        steps
    }
}

impl Contact for PathStep {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn is_direct(&self) -> bool {
        self.direct
    }

    fn is_marked(&self) -> bool {
        false
    }

    fn touches<'a>(steps: &'a [Self], room: &'a mut Vec<Touch>) -> &'a [Touch] {
        room.clear();
        room.extend(steps.iter().map(|step| Touch { direct: step.direct, ..Touch::new(0, step.channel, 0) }));
        room
    }
}

impl Tally {
    /// Nothing read yet. An order that is not 1 to 4 is an error.
    pub fn new(measures: &[Measure]) -> Result<Self, ModelError> {
        let column = |measure: &Measure| match measure {
            Measure::Rule(model) => {
                Ok(Column::Divided { model: model.clone(), looks_at: model.looks_at(), sums: Vec::new() })
            }
            Measure::Markov { order } => {
                Chain::new(*order).map(Column::Chain).ok_or_else(|| ModelError::Order(order.to_string()))
            }
            Measure::Participation => Ok(Column::TookPart { sums: Vec::new() }),
        };
        let columns: Vec<Column> = measures.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Self {
            asked: AskedOf::new(&columns),
            columns,
            channels: 0,
            total: [0; 2],
            gross: [0; 2],
            unattributed: [0; 2],
            plain: Places::default(),
            marked: Places::default(),
            games: Games::default(),
            distinct: Distinct::default(),
            touches: Vec::new(),
            weights: Vec::new(),
        })
    }

    /// Count journeys that went through these touches, which are in order and inside the look-back window. Channels
    /// are numbered from 0 without gaps worth mentioning; the outcome's numbers are in units of `10^-12`. The steps of
    /// a path are touches of one moment to models that look at times.
    pub fn record<C: Contact>(&mut self, steps: &[C], converted_at: i64, outcome: &Outcome) {
        let amounts = [outcome.conversions, outcome.value];
        let idle = amounts == [0; 2];
        if idle && !self.asked.chain {
            return;
        }
        for (gross, amount) in self.gross.iter_mut().zip(amounts) {
            *gross = gross.saturating_add(amount.unsigned_abs());
            if *gross > LARGEST {
                return; // `finish` says so; no sum may overflow before that.
            }
        }
        add(&mut self.total, amounts);
        let Some(largest) = steps.iter().map(C::channel).max() else {
            return add(&mut self.unattributed, amounts);
        };
        self.make_room(largest as usize + 1);
        if self.asked.chain {
            for column in &mut self.columns {
                if let Column::Chain(chain) = column {
                    chain.add(steps.iter().map(C::channel), *outcome);
                }
            }
        }
        if !idle {
            self.share(steps, converted_at, amounts);
        }
    }

    /// Give each touch's channel its part of a journey that came to something.
    fn share<C: Contact>(&mut self, steps: &[C], converted_at: i64, amounts: Sums) {
        let marked = steps.iter().any(C::is_marked);
        let short = steps.len() <= places::LONGEST;
        if short && self.asked.places[usize::from(marked)] {
            let places = if marked { &mut self.marked } else { &mut self.plain };
            places.add(steps.iter().map(C::channel), self.channels, amounts);
        }
        if self.asked.distinct {
            self.distinct.look(steps.iter().map(C::channel), self.channels);
        }
        let few = self.distinct.channels().len() <= places::LONGEST;
        if few && self.asked.games {
            self.games.add(self.distinct.channels(), self.channels, amounts);
        }
        for column in &mut self.columns {
            match column {
                Column::Divided { looks_at: LooksAt::Channels, .. } if few => {}
                Column::Divided { looks_at: LooksAt::Channels, sums, .. } => {
                    distinct::divide_alike(self.distinct.channels(), amounts, sums);
                }
                Column::Chain(_) => {}
                Column::Divided { looks_at, .. } if short && looks_at.is_places(marked) => {}
                Column::Divided { looks_at: LooksAt::Direct, sums, .. } => {
                    let last = steps.iter().rfind(|step| !step.is_direct()).or(steps.last());
                    if let Some(last) = last {
                        add(&mut sums[last.channel() as usize], amounts.map(|amount| amount << FRACTION));
                    }
                }
                Column::Divided { model, sums, .. } => {
                    let touches = C::touches(steps, &mut self.touches);
                    weigh(model, touches, converted_at, &mut self.weights);
                    divide(sums, touches, &self.weights, amounts);
                }
                Column::TookPart { sums } => {
                    for channel in self.distinct.channels() {
                        add(&mut sums[*channel as usize], amounts.map(|amount| amount << FRACTION));
                    }
                }
            }
        }
    }

    /// Add a tally of the same measures, whose channel `c` is this one's `renumber[c]`.
    pub fn merge(&mut self, other: &Self, renumber: &[Channel]) {
        self.make_room(renumber.iter().max().map_or(0, |largest| *largest as usize + 1));
        let add_all = |ours: &mut [Sums], theirs: &[Sums]| {
            for (sums, channel) in theirs.iter().zip(renumber) {
                add(&mut ours[*channel as usize], *sums);
            }
        };
        for (ours, theirs) in self.columns.iter_mut().zip(&other.columns) {
            match (ours, theirs) {
                (Column::Divided { sums, .. }, Column::Divided { sums: theirs, .. })
                | (Column::TookPart { sums }, Column::TookPart { sums: theirs }) => add_all(sums, theirs),
                (Column::Chain(chain), Column::Chain(theirs)) => chain.merge(theirs, renumber),
                _ => unreachable!("both tallies were made for the same measures"),
            }
        }
        self.plain.merge(&other.plain, renumber);
        self.marked.merge(&other.marked, renumber);
        self.games.merge(&other.games, renumber);
        add(&mut self.total, other.total);
        add(&mut self.unattributed, other.unattributed);
        for (ours, theirs) in self.gross.iter_mut().zip(other.gross) {
            *ours = ours.saturating_add(theirs);
        }
    }

    /// Have a total for each of so many channels, whether a journey met them or not.
    pub fn make_room(&mut self, channels: usize) {
        if channels <= self.channels {
            return;
        }
        self.channels = channels;
        for column in &mut self.columns {
            match column {
                Column::Divided { sums, .. } | Column::TookPart { sums } => sums.resize(channels, [0; 2]),
                Column::Chain(_) => {}
            }
        }
    }

    /// The totals, a set for every measure, in the order the measures were given.
    pub fn finish(self) -> Result<Vec<Totals>, TooLarge> {
        if self.gross.iter().any(|gross| *gross > LARGEST) {
            return Err(TooLarge);
        }
        let outside = self.unattributed.map(|amount| amount << FRACTION);
        let totals = |column| {
            let (by_channel, unattributed, credit) = match column {
                Column::Divided { model, looks_at, mut sums } => {
                    for (marked, places) in [(false, &self.plain), (true, &self.marked)] {
                        if looks_at.is_places(marked) {
                            places.divide(&model, &mut sums);
                        }
                    }
                    if looks_at == LooksAt::Channels {
                        self.games.divide(&mut sums);
                    }
                    (sums, outside, true)
                }
                Column::TookPart { sums } => (sums, outside, false),
                Column::Chain(chain) => {
                    let (sums, mut unattributed) = by_effect(&chain, self.channels);
                    add(&mut unattributed, outside);
                    (sums, unattributed, true)
                }
            };
            Totals { by_channel, unattributed, total: self.total, credit }
        };
        Ok(self.columns.into_iter().map(totals).collect())
    }
}

/// Totals under one measure.
#[derive(Debug, Clone)]
pub struct Totals {
    /// With `FRACTION` binary places.
    by_channel: Vec<Sums>,
    unattributed: Sums,
    /// Of all journeys, exactly, without binary places.
    total: Sums,
    credit: bool,
}

/// Conversions and value of one channel, in units of `10^-decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rounded {
    pub conversions: i128,
    pub value: i128,
}

impl Totals {
    /// Round to so many decimals, 12 at most: credit by largest remainder, so that the channels and what is unattributed
    /// add up to the total of all journeys (itself rounded half up, if it has more decimals); among equal remainders
    /// the channel with the smaller number gets the unit. Participation is rounded number by number. Returns each
    /// channel's amounts by its number, and what is unattributed.
    pub fn rounded(&self, decimals: u32) -> (Vec<Rounded>, Rounded) {
        let unit = 10_i128.pow(DECIMALS - decimals.min(DECIMALS)) << FRACTION;
        let [conversions, value] = [0, 1].map(|quantity| {
            let all = self.by_channel.iter().chain([&self.unattributed]);
            let parts: Vec<i128> = all.map(|sums| sums[quantity]).collect();
            if self.credit {
                round_together(self.total[quantity] << FRACTION, &parts, unit)
            } else {
                parts.iter().flat_map(|part| round_together(*part, &[*part], unit)).collect()
            }
        });
        let both = conversions.into_iter().zip(value);
        let mut rounded: Vec<Rounded> = both.map(|(conversions, value)| Rounded { conversions, value }).collect();
        let unattributed = rounded.pop().unwrap_or_default();
        (rounded, unattributed)
    }
}

/// More than the kernel can add up exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the amounts add up to more than 10^16; give them in a larger unit, such as thousands")
    }
}

impl std::error::Error for TooLarge {}

/// Divide what the chain's journeys yielded in proportion to the channels' removal effects. What no channel has an
/// effect on is left over.
fn by_effect(chain: &Chain, channels: usize) -> (Vec<Sums>, Sums) {
    let (conversions, values) = chain.effects().amounts();
    let mut sums = vec![[0; 2]; channels];
    let mut left = [0; 2];
    let quantities = [(0, conversions)].into_iter().chain(values.into_iter().map(|value| (1, value)));
    for (quantity, divided) in quantities {
        let whole: u128 = divided.weights.iter().map(|weight| u128::from(*weight)).sum();
        if whole == 0 {
            left[quantity] += divided.amount << FRACTION;
            continue;
        }
        for (sums, weight) in sums.iter_mut().zip(&divided.weights) {
            sums[quantity] += exact_part(divided.amount, *weight, whole);
        }
    }
    (sums, left)
}

fn divide(sums: &mut [Sums], touches: &[Touch], weights: &[Weighted], amounts: Sums) {
    let whole: u128 = weights.iter().map(|part| u128::from(part.weight)).sum();
    let division = Division::new(amounts, whole);
    let mut heaviest = (0, 0);
    let mut lost = amounts.map(|amount| amount << FRACTION);
    for (touch, part) in touches.iter().zip(weights).filter(|(_, part)| part.weight > 0) {
        let channel = touch.channel as usize;
        if part.weight > heaviest.1 {
            heaviest = (channel, part.weight);
        }
        let parts = division.parts(part.weight);
        add(&mut sums[channel], parts);
        add(&mut lost, parts.map(|part| -part));
    }
    // Over millions of journeys it would grow. Where weights are small it can not, and equal touches stay equal.
    if whole > 1 << 8 {
        add(&mut sums[heaviest.0], lost);
    }
}

/// Amounts divided by weights, quickly: each part falls short of its exact share by no more than about 2^-64 of the
/// amount. What little is lost goes to the heaviest touch, or is given back when totals are rounded together.
enum Division {
    /// The amounts of weight one, for weights whose sum is small: one division, then a multiplication a part.
    Units(Sums),
    /// For weights of many digits.
    Shares { amounts: Sums, whole: u128, reciprocal: u64, shift: u32 },
}

impl Division {
    fn new(amounts: Sums, whole: u128) -> Self {
        if whole >> 32 == 0 {
            let whole = i128::try_from(whole).unwrap_or(i128::MAX).max(1);
            return Self::Units(amounts.map(|amount| if amount == 0 { 0 } else { (amount << FRACTION) / whole }));
        }
        // A little too small, so that a share found by it never is too large.
        let dropped = (u128::BITS - whole.leading_zeros()).saturating_sub(u64::BITS);
        let divisor = (whole >> dropped) + 1;
        let bits = u128::BITS - divisor.leading_zeros() + 61;
        let reciprocal = u64::try_from((1 << bits) / divisor).unwrap_or(u64::MAX);
        Self::Shares { amounts, whole, reciprocal, shift: bits + dropped - u64::BITS }
    }

    fn parts(&self, weight: u64) -> Sums {
        match *self {
            Self::Units(units) => units.map(|unit| unit * i128::from(weight)),
            Self::Shares { amounts, whole, .. } if u128::from(weight) == whole => {
                amounts.map(|amount| amount << FRACTION)
            }
            Self::Shares { amounts, whole, reciprocal, shift } => {
                // weight x 2^64 / whole, rounded down: by the reciprocal nearly, then to the last unit.
                let mut share = (u128::from(weight) * u128::from(reciprocal)) >> shift;
                let mut rest = (u128::from(weight) << 64).wrapping_sub(share.wrapping_mul(whole));
                while rest >= whole {
                    (share, rest) = (share + 1, rest - whole);
                }
                amounts.map(|amount| {
                    let (high, low) = (amount.unsigned_abs() >> 64, amount.unsigned_abs() & u128::from(u64::MAX));
                    let part = ((high * share) << FRACTION) + ((low * share) >> (64 - FRACTION));
                    let part = i128::try_from(part).unwrap_or(i128::MAX);
                    if amount < 0 { -part } else { part }
                })
            }
        }
    }
}

/// `amount x weight / whole`, exactly, rounded towards zero at the last binary place; 32 bits of the amount at a time, as
/// one divides by hand. `whole` is below 2^96 and no less than the weight.
pub(crate) fn exact_part(amount: i128, weight: u64, whole: u128) -> i128 {
    let (mut part, mut rest) = (0, 0);
    for place in [64, 32, 0] {
        let digit = (amount.unsigned_abs() >> place) & u128::from(u32::MAX);
        let product = (rest << 32) + digit * u128::from(weight);
        (part, rest) = ((part << 32) + product / whole, product % whole);
    }
    part = (part << FRACTION) + (rest << FRACTION) / whole;
    let part = i128::try_from(part).unwrap_or(i128::MAX);
    if amount < 0 { -part } else { part }
}

pub(crate) fn add(sums: &mut Sums, amounts: Sums) {
    for (sum, amount) in sums.iter_mut().zip(amounts) {
        *sum += amount;
    }
}
