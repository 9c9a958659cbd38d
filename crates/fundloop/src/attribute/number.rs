//! Decimal numbers, exactly: in units of `10^-12`, never as floats.

use attribution::tally::DECIMALS;

/// Numbers from here on are refused: `10^15`.
const LIMIT: i128 = 10_i128.pow(15 + DECIMALS);

/// A plain decimal number, with a dot, without thousands separators; an exponent is understood, as some tools write
/// `1e+05`. An empty cell is zero. Decimals after the twelfth are rounded half up. `None` if it is anything else.
#[inline]
pub fn parse(text: &[u8]) -> Option<i128> {
    match text {
        [] => Some(0),
        // Counts of a path are small.
        [digit @ b'0'..=b'9'] => Some(i128::from(u64::from(digit - b'0') * UNITS[0])),
        _ => longer(text),
    }
}

fn longer(text: &[u8]) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let number = short(digits).or_else(|| any(digits)).filter(|number| *number < LIMIT)?;
    Some(if negative { -number } else { number })
}

/// What most cells hold: so few digits that 64 bits hold them, at most one dot and twelve decimals.
fn short(digits: &[u8]) -> Option<i128> {
    if digits.len() > 18 {
        return None;
    }
    let (mut number, mut decimals, mut dots) = (0_u64, 0, 0);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = number * 10 + u64::from(byte - b'0');
                decimals += dots;
            }
            b'.' => dots += 1,
            _ => return None,
        }
    }
    let unit = UNITS.get(decimals)?;
    (dots <= 1 && digits.len() > dots).then(|| i128::from(number) * i128::from(*unit))
}

/// What the last digit of a number with so many decimals counts for: `10^12` for none, one for twelve.
const UNITS: [u64; DECIMALS as usize + 1] = {
    let (mut units, mut decimals) = ([1; DECIMALS as usize + 1], DECIMALS as usize);
    while decimals > 0 {
        decimals -= 1;
        units[decimals] = units[decimals + 1] * 10;
    }
    units
};

fn any(text: &[u8]) -> Option<i128> {
    let (digits, exponent) = match text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        Some(place) => (&text[..place], exponent(&text[place + 1..])?),
        None => (text, 0),
    };
    let (number, decimals) = long(digits)?;
    scaled(number, i32::try_from(DECIMALS).ok()? + exponent - decimals)
}

/// Digits with at most one dot, as a whole number and how many of them are decimals. Too many before the dot make the
/// number too large, those far after it are too fine to matter.
fn long(digits: &[u8]) -> Option<(i128, i32)> {
    let (mut number, mut decimals, mut dot) = (0_i128, 0, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' if number < LIMIT * 1_000 => {
                number = number * 10 + i128::from(byte - b'0');
                decimals += i32::from(dot);
            }
            b'0'..=b'9' if dot => {}
            b'.' if !dot => dot = true,
            _ => return None,
        }
    }
    (digits.len() > usize::from(dot)).then_some((number, decimals))
}

fn exponent(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|exponent| (-40..=40).contains(exponent))
}

/// `number x 10^power`, rounded half up; `None` if it does not fit.
fn scaled(number: i128, power: i32) -> Option<i128> {
    let factor = 10_i128.checked_pow(power.unsigned_abs());
    match (power >= 0, factor) {
        (_, _) if number == 0 => Some(0),
        (true, factor) => number.checked_mul(factor?),
        (false, Some(factor)) => Some((number + factor / 2) / factor),
        (false, None) => Some(0),
    }
}

/// A number in units of `10^-decimals`, with all its decimals.
pub fn print(number: i128, decimals: u32) -> String {
    let unit = 10_u128.pow(decimals);
    let sign = if number < 0 { "-" } else { "" };
    let (whole, part) = (number.unsigned_abs() / unit, number.unsigned_abs() % unit);
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part:0width$}", width = decimals as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, print};

    #[test]
    fn numbers_are_read_exactly_or_not_at_all() {
        let cases = [
            ("", "0.000000000000"),
            ("0", "0.000000000000"),
            ("12.5", "12.500000000000"),
            ("-.25", "-0.250000000000"),
            ("+3.", "3.000000000000"),
            ("1e+05", "100000.000000000000"),
            ("2.5E-3", "0.002500000000"),
            ("0.30000000000000004", "0.300000000000"),
            ("0.0000000000005", "0.000000000001"),
            ("999999999999999.999999999999", "999999999999999.999999999999"),
            ("0.33333333333333333333333333333333333333333333", "0.333333333333"),
        ];
        for (text, exact) in cases {
            assert_eq!(parse(text.as_bytes()).map(|number| print(number, 12)).as_deref(), Some(exact), "{text}");
        }
        for text in
            ["1,000", "1 000", "x", "-", ".", "1.2.3", "1000000000000000", "1e99", "1e", "NaN", "--1", "0x1", "e5"]
        {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!((print(-5, 6), print(7, 0)), ("-0.000005".to_owned(), "7".to_owned()));
    }
}
