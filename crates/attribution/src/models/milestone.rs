//! Models that reward the touches which moved the deal on.
//!
//! One touch can hold several milestones and earns their sum. A milestone without a touch gives its weight to the
//! other milestones in proportion. What is left over is shared by the other responses; with none, it is spread evenly
//! over the milestones that were reached (W: a third each).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::Weighted;
use super::position::{decimals_of, parse_weight, print_weight};
use crate::explain::Reason;
use crate::journey::{Milestone, Milestones, Touch};
use crate::model::ModelError;

/// A list of milestones with their weights, and the weight all other responses share; in any unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestoneWeights {
    milestones: Cow<'static, [(Milestone, u32)]>,
    others: u32,
    /// How many of the digits are decimals; only for printing the weights as they were written.
    decimals: u32,
}

/// Marketo Measure's U: first touch 50, lead creation 50.
pub static U_MARKETO: MilestoneWeights =
    MilestoneWeights::fixed(&[(Milestone::FIRST_TOUCH, 50), (Milestone::LEAD_CREATION, 50)], 0, 0);
/// HubSpot's U: first 40, lead creation 40, the others share 20.
pub static U_HUBSPOT: MilestoneWeights =
    MilestoneWeights::fixed(&[(Milestone::FIRST_TOUCH, 40), (Milestone::LEAD_CREATION, 40)], 20, 0);
/// Marketo Measure's W: first touch, lead creation and opportunity creation 30 each, the others share 10.
pub static W_SHAPED: MilestoneWeights = MilestoneWeights::fixed(
    &[(Milestone::FIRST_TOUCH, 30), (Milestone::LEAD_CREATION, 30), (Milestone::OPPORTUNITY_CREATION, 30)],
    10,
    0,
);
/// Marketo Measure's full path: first touch, lead creation, opportunity creation and close 22.5 each, the others
/// share 10.
pub static FULL_PATH: MilestoneWeights = MilestoneWeights::fixed(
    &[
        (Milestone::FIRST_TOUCH, 225),
        (Milestone::LEAD_CREATION, 225),
        (Milestone::OPPORTUNITY_CREATION, 225),
        (Milestone::CLOSE, 225),
    ],
    100,
    1,
);

impl MilestoneWeights {
    const fn fixed(milestones: &'static [(Milestone, u32)], others: u32, decimals: u32) -> Self {
        Self { milestones: Cow::Borrowed(milestones), others, decimals }
    }

    /// Any list whose weights are not all zero and add up to at most 1,000,000; a milestone named twice counts once,
    /// with the sum.
    pub fn new(milestones: &[(Milestone, u32)], others: u32) -> Result<Self, ModelError> {
        let mut merged: Vec<(Milestone, u32)> = Vec::with_capacity(milestones.len());
        let mut total = u64::from(others);
        for &(milestone, weight) in milestones {
            total += u64::from(weight);
            if total > 1_000_000 {
                return Err(ModelError::TooLarge);
            }
            match merged.iter_mut().find(|(known, _)| *known == milestone) {
                Some((_, sum)) => *sum += weight,
                None if weight > 0 => merged.push((milestone, weight)),
                None => {}
            }
        }
        match total {
            0 => Err(ModelError::AllZero),
            1..=1_000_000 => Ok(Self { milestones: Cow::Owned(merged), others, decimals: 0 }),
            _ => Err(ModelError::TooLarge),
        }
    }

    pub fn milestones(&self) -> impl Iterator<Item = Milestone> {
        self.milestones.iter().map(|(milestone, _)| *milestone)
    }

    /// Two touches or more. With M the milestones' weight, P the weight of those reached, p their number, R the rest
    /// and m the number of other responses, a milestone of weight w earns `w M / P`, and the rest adds `R / m` to each
    /// other response or `R / p` to each milestone reached: here over the common denominator P m, or P p.
    pub(crate) fn weigh(&self, touches: &[Touch], out: &mut Vec<Weighted>) {
        let mut held = Holders::default();
        for &(milestone, weight) in self.milestones.iter() {
            if let Some(place) = holder(milestone, touches) {
                held.add(place, milestone, weight);
            }
        }
        let weight = self.milestones.iter().map(|(_, weight)| u64::from(*weight)).sum::<u64>();
        let others = touches.iter().enumerate().filter(|(place, touch)| touch.response && !held.has(*place)).count();
        if held.list.is_empty() {
            // Nothing was reached: the other responses share everything, or all touches if none is a response.
            let alike = if others == 0 { touches.len() } else { others };
            out.extend(touches.iter().map(|touch| {
                if others == 0 || touch.response {
                    Weighted::new(1, Reason::OtherResponse { of: alike })
                } else {
                    Weighted::NOTHING
                }
            }));
            return;
        }
        let rest = u64::from(self.others);
        let (shared_by, own_rest) = if others > 0 { (others as u64, 0) } else { (held.list.len() as u64, rest) };
        out.extend(touches.iter().map(|touch| {
            if touch.response && rest > 0 {
                Weighted::new(rest * held.weight, Reason::OtherResponse { of: others })
            } else {
                Weighted::NOTHING
            }
        }));
        for (place, milestones) in held.by_touch() {
            out[place] = Weighted::new(0, Reason::Reached(milestones));
        }
        for &(place, _, own) in &held.list {
            out[place].weight += own * weight * shared_by + own_rest * held.weight;
        }
    }
}

/// Which touches hold the model's milestones, and with what weight.
#[derive(Default)]
struct Holders {
    list: Vec<(usize, Milestone, u64)>,
    weight: u64,
}

impl Holders {
    fn add(&mut self, place: usize, milestone: Milestone, weight: u32) {
        self.list.push((place, milestone, u64::from(weight)));
        self.weight += u64::from(weight);
    }

    fn has(&self, place: usize) -> bool {
        self.list.iter().any(|(holder, ..)| *holder == place)
    }

    fn by_touch(&self) -> impl Iterator<Item = (usize, Milestones)> {
        self.list.iter().map(|&(place, ..)| {
            let here = self.list.iter().filter(move |(holder, ..)| *holder == place);
            (place, here.map(|(_, milestone, _)| *milestone).collect())
        })
    }
}

/// The touch that holds a milestone: the one marked, the earliest or the latest of several as the milestone says. The
/// first touch and the close are always held by somebody: where no touch is marked, by the first and the last.
fn holder(milestone: Milestone, touches: &[Touch]) -> Option<usize> {
    let marked = |touch: &Touch| touch.milestones.holds(milestone);
    let found =
        if milestone.earliest_holds() { touches.iter().position(marked) } else { touches.iter().rposition(marked) };
    match milestone {
        Milestone::FIRST_TOUCH => found.or(Some(0)),
        Milestone::CLOSE => found.or(Some(touches.len() - 1)),
        _ => found,
    }
}

/// `first touch=30/lead creation=30/demo=30/others=10`: names as [`Milestone::named`] reads them, or numbers.
impl FromStr for MilestoneWeights {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let pairs: Vec<(&str, &str)> = text
            .split('/')
            .map(|pair| pair.split_once('=').ok_or_else(|| ModelError::Milestone(pair.to_owned())))
            .collect::<Result<_, _>>()?;
        let decimals = pairs.iter().map(|(_, weight)| decimals_of(weight)).max().unwrap_or(0);
        let mut milestones = Vec::new();
        let mut others = 0;
        for (name, weight) in pairs {
            let weight = parse_weight(weight, decimals)?;
            if name.trim().eq_ignore_ascii_case("others") {
                others += weight;
            } else {
                let numbered = || name.trim().strip_prefix("milestone ")?.parse().ok().and_then(Milestone::numbered);
                let milestone = Milestone::named(name).or_else(numbered);
                milestones.push((milestone.ok_or_else(|| ModelError::Milestone(name.to_owned()))?, weight));
            }
        }
        Ok(Self { decimals, ..Self::new(&milestones, others)? })
    }
}

impl fmt::Display for MilestoneWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (milestone, weight) in self.milestones.iter() {
            write!(f, "{milestone}={}/", print_weight(*weight, self.decimals))?;
        }
        write!(f, "others={}", print_weight(self.others, self.decimals))
    }
}
