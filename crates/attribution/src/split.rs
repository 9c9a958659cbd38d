//! Dividing an amount so that the parts add up to it.

use std::cmp::Reverse;

/// Divide `amount` (minor units) in proportion to `weights`, by largest remainder: every part is its exact share
/// rounded down or up, and the parts add up to the amount. The units left over go to the largest remainders; among
/// equal remainders the earlier place gets them, which for touches is the order of time, then id.
///
/// A negative amount is divided like its absolute value and the parts carry the sign. A weight of zero gets zero.
/// `None` if there is nobody to give to: no weights, or all of them zero.
///
/// ```
/// assert_eq!(attribution::split(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
/// assert_eq!(attribution::split(-100, &[1, 1, 1]), Some(vec![-34, -33, -33]));
/// ```
pub fn split(amount: i64, weights: &[u64]) -> Option<Vec<i64>> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if total == 0 {
        return None;
    }
    let whole = amount.unsigned_abs();
    // A product of two 64-bit numbers: it fits in 128 bits whatever the amount and the weight.
    let products = weights.iter().map(|weight| u128::from(whole) * u128::from(*weight));
    let mut parts: Vec<u64> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(Reverse<u128>, usize)> = Vec::with_capacity(weights.len());
    for (place, product) in products.enumerate() {
        parts.push(narrow(product / total));
        remainders.push((Reverse(product % total), place));
    }
    let left = usize::try_from(whole - parts.iter().sum::<u64>()).expect("fewer units are left than there are parts");
    if left > 0 {
        remainders.select_nth_unstable(left - 1);
        for (_, place) in &remainders[..left] {
            parts[*place] += 1;
        }
    }
    Some(parts.into_iter().map(|part| signed(part, amount < 0)).collect())
}

/// Round parts of a total to whole units so that they add up to the total, itself rounded half up: every part is rounded
/// down, and the units left over go to the largest remainders, the earlier first among equals. A negative total is
/// rounded like its mirror image. Parts may miss the total by a little; should that come to more units than there are
/// parts, they go round again, to parts that are not zero.
pub(crate) fn round_together(total: i128, parts: &[i128], unit: i128) -> Vec<i128> {
    let sign = if total < 0 { -1 } else { 1 };
    let wanted = (2 * sign * total + unit).div_euclid(2 * unit);
    let mut rounded: Vec<i128> = parts.iter().map(|part| (sign * part).div_euclid(unit)).collect();
    let left = usize::try_from(wanted - rounded.iter().sum::<i128>()).unwrap_or(0);
    let mut places: Vec<usize> = (0..parts.len()).collect();
    places.sort_by_key(|place| Reverse((sign * parts[*place]).rem_euclid(unit)));
    let again = places.iter().filter(|place| parts[**place] != 0).cycle();
    for place in places.iter().chain(again).take(left) {
        rounded[*place] += 1;
    }
    rounded.into_iter().map(|part| sign * part).collect()
}

/// A part is at most the whole, which has 64 bits.
fn narrow(part: u128) -> u64 {
    u64::try_from(part).expect("a part is no more than the whole")
}

fn signed(part: u64, negative: bool) -> i64 {
    let part = i128::from(part);
    i64::try_from(if negative { -part } else { part }).expect("a part is no more than the whole")
}

#[cfg(test)]
mod tests {
    use super::{round_together, split};

    #[test]
    fn the_parts_add_up_and_the_earlier_place_wins_a_tie() {
        let cases: [(i64, &[u64], &[i64]); 9] = [
            (0, &[1, 2], &[0, 0]),
            (1, &[1, 1], &[1, 0]),
            (100, &[1, 1, 1], &[34, 33, 33]),
            (-100, &[1, 1, 1], &[-34, -33, -33]),
            (101, &[1, 1, 1], &[34, 34, 33]),
            (10, &[0, 3, 0], &[0, 10, 0]),
            (7, &[1, 2, 3, 4], &[1, 1, 2, 3]),
            (i64::MAX, &[u64::MAX], &[i64::MAX]),
            (i64::MIN, &[u64::MAX, 0], &[i64::MIN, 0]),
        ];
        for (amount, weights, parts) in cases {
            assert_eq!(split(amount, weights).as_deref(), Some(parts), "{amount} by {weights:?}");
        }
    }

    #[test]
    fn nobody_to_give_to_is_said_and_not_guessed() {
        assert_eq!(split(100, &[]), None);
        assert_eq!(split(100, &[0, 0]), None);
    }

    #[test]
    fn rounded_parts_add_up_to_the_rounded_total() {
        let cases: [(i128, &[i128], &[i128]); 7] = [
            (700, &[0, 200, 100], &[1, 4, 2]), // more is missing than there are parts
            (300, &[99, 99, 99], &[1, 1, 1]),  // what was lost below is given back
            (100, &[34, 33, 33], &[1, 0, 0]),
            (100, &[33, 33, 34], &[0, 0, 1]),
            (-100, &[-33, -33, -34], &[0, 0, -1]),
            (149, &[149], &[1]),
            (0, &[250, -250], &[3, -3]),
        ];
        for (total, parts, rounded) in cases {
            assert_eq!(round_together(total, parts, 100), rounded, "{total} of {parts:?}");
        }
    }
}
