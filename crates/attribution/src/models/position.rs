//! Models that reward the first, the last and the touches between them.

use std::fmt;
use std::str::FromStr;

use super::Weighted;
use crate::explain::Reason;
use crate::model::ModelError;

/// Weights of the first touch, of all middle touches together, and of the last: a, m, z, in any unit.
///
/// With n > 2 touches: a on t1, m/(n-2) on each between, z on tn. With two the middle is left out: a/(a+z), z/(a+z).
/// With one: everything. (Adobe's custom model.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionWeights {
    first: u32,
    middle: u32,
    last: u32,
    /// How many of the digits are decimals; only for printing the weights as they were written.
    decimals: u32,
}

impl PositionWeights {
    /// Adobe's and Snowplow's U: 40-20-40.
    pub const FORTY_TWENTY_FORTY: Self = Self { first: 40, middle: 20, last: 40, decimals: 0 };
    /// Adobe's J: 20-20-60.
    pub const J_SHAPED: Self = Self { first: 20, middle: 20, last: 60, decimals: 0 };
    /// Adobe's inverse J: 60-20-20.
    pub const INVERSE_J: Self = Self { first: 60, middle: 20, last: 20, decimals: 0 };

    /// Any weights that are not all zero; they need not add up to 100.
    pub fn new(first: u32, middle: u32, last: u32) -> Result<Self, ModelError> {
        if first == 0 && middle == 0 && last == 0 {
            return Err(ModelError::AllZero);
        }
        Ok(Self { first, middle, last, decimals: 0 })
    }

    /// The weights of `n` touches, two or more, over the common denominator `(a + m + z)(n - 2)`.
    pub(crate) fn weigh(self, n: usize, out: &mut Vec<Weighted>) {
        let [first, middle, last] = [self.first, self.middle, self.last].map(u64::from);
        let between = n - 2;
        if between == 0 {
            // Weights that reward only the middle say nothing about two touches: they are alike then.
            let (first, last) = if first + last == 0 { (1, 1) } else { (first, last) };
            out.push(Weighted::new(first, Reason::First));
            out.push(Weighted::new(last, Reason::Last));
            return;
        }
        let times = between as u64;
        out.push(Weighted::new(first * times, Reason::First));
        out.resize(n - 1, Weighted::new(middle, Reason::Middle { of: between }));
        out.push(Weighted::new(last * times, Reason::Last));
    }
}

/// `50/20/30`, also with decimals: `33.4/33.2/33.4`.
impl FromStr for PositionWeights {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let [first, middle, last] = text.split('/').collect::<Vec<_>>()[..] else {
            return Err(ModelError::Weight(text.to_owned()));
        };
        let texts = [first, middle, last];
        let decimals = texts.iter().map(|text| decimals_of(text)).max().unwrap_or(0);
        let weight = |text| parse_weight(text, decimals);
        Ok(Self { decimals, ..Self::new(weight(first)?, weight(middle)?, weight(last)?)? })
    }
}

impl fmt::Display for PositionWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, middle, last] =
            [self.first, self.middle, self.last].map(|weight| print_weight(weight, self.decimals));
        write!(f, "{first}/{middle}/{last}")
    }
}

/// How many digits stand after the point.
pub(super) fn decimals_of(text: &str) -> u32 {
    let digits = text.trim().split_once('.').map_or(0, |(_, decimals)| decimals.len());
    u32::try_from(digits).unwrap_or(u32::MAX)
}

/// A plain number of zero or more, exactly, as a multiple of `10^-decimals`. At most four decimals and 1,000,000 units,
/// so that products of weights keep inside 64 bits.
pub(super) fn parse_weight(text: &str, decimals: u32) -> Result<u32, ModelError> {
    let refused = || ModelError::Weight(text.to_owned());
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if whole.is_empty() && part.is_empty() || !(whole.bytes().chain(part.bytes())).all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    if decimals > 4 {
        return Err(refused());
    }
    let padding = "0".repeat((decimals as usize).saturating_sub(part.len()));
    let digits = format!("0{whole}{part}{padding}");
    match digits.parse::<u64>() {
        Ok(weight) if weight <= 1_000_000 => u32::try_from(weight).map_err(|_| refused()),
        _ => Err(ModelError::TooLarge),
    }
}

/// The weight as it was written, without idle zeros.
pub(super) fn print_weight(weight: u32, decimals: u32) -> String {
    let unit = 10_u32.pow(decimals);
    let text = format!("{}.{:0width$}", weight / unit, weight % unit, width = decimals as usize);
    if decimals == 0 {
        return (weight / unit).to_string();
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
