//! Campaign IDs: short, typable, with a check character, unique for ever.
//!
//! An ID is made from the cycle's running number and the campaign's number in it, so nothing random is
//! needed and no two can meet. Written in Crockford's base 32 (no I, L, O, U), with an ISO 7064 MOD 37,36
//! check character that catches every single wrong character and nearly every swap.

const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// A cycle holds at most this many campaigns.
pub const CAMPAIGNS_PER_CYCLE: u16 = 99;

/// The ID of a campaign: `FL-0042-1K`-like, always upper case.
pub fn mint(serial: u32, campaign: u16) -> String {
    let mut number = u64::from(serial) * 100 + u64::from(campaign);
    let mut body = Vec::new();
    while number > 0 || body.len() < 5 {
        body.push(CROCKFORD[usize::try_from(number % 32).unwrap_or(0)]);
        number /= 32;
    }
    body.reverse();
    let body = String::from_utf8_lossy(&body).into_owned();
    let check = check_character(&body);
    format!("FL-{body}-{check}")
}

/// What a person typed, as the ID it must be: case, spaces and look-alikes forgiven, the check character not.
pub fn read(text: &str) -> Option<String> {
    let clean: String = text.trim().to_ascii_uppercase().chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let rest = clean.strip_prefix("FL")?;
    if !rest.is_ascii() || rest.len() < 6 {
        return None;
    }
    let (body, check) = rest.split_at(rest.len() - 1);
    let body: String = body
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let known = body.bytes().all(|byte| CROCKFORD.contains(&byte));
    (known && check_character(&body).to_string() == check).then(|| format!("FL-{body}-{check}"))
}

/// ISO 7064 MOD 37,36.
fn check_character(body: &str) -> char {
    let mut product = 36;
    for byte in body.bytes() {
        let value = DIGITS.iter().position(|digit| *digit == byte).unwrap_or(0);
        let sum = (product + value) % 36;
        product = (if sum == 0 { 36 } else { sum }) * 2 % 37;
    }
    char::from(DIGITS[(37 - product) % 36])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_wrong_character_is_caught() {
        let id = mint(42, 1);
        assert_eq!(read(&id), Some(id.clone()));
        assert_eq!(read(&id.to_lowercase().replace('-', " ")), Some(id.clone()));
        for (place, _) in id.char_indices().filter(|(place, c)| *place > 2 && *c != '-') {
            for digit in CROCKFORD {
                let mut other = id.clone().into_bytes();
                if other[place] != *digit {
                    other[place] = *digit;
                    assert_eq!(read(&String::from_utf8(other).unwrap()), None);
                }
            }
        }
    }

    #[test]
    fn no_two_campaigns_share_an_id() {
        let ids: std::collections::BTreeSet<String> =
            (1..400).flat_map(|serial| (1..20).map(move |no| mint(serial, no))).collect();
        assert_eq!(ids.len(), 399 * 19);
    }
}
