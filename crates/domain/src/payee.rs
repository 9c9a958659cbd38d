//! Where money is sent: a payee and an account, held to its own check digits, and never shown or logged whole by accident.

use crate::refusal::{Reason, Refusal};
use crate::steps::{check_optional, check_text};
use serde::{Deserialize, Serialize};

/// Payment schemes carry names of at most this many characters.
const NAME: usize = 70;
/// How many of an account's last digits people may see.
const SHOWN: usize = 4;

/// A payee's account: an IBAN, or an account with the number of its bank. Texts that do not apply are empty.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentDetails {
    pub payee: String,
    #[serde(default)]
    pub iban: String,
    /// Of an account without IBAN.
    #[serde(default)]
    pub account: String,
    /// A nine-digit ABA routing number, or a six-digit sort code.
    #[serde(default)]
    pub routing: String,
    #[serde(default)]
    pub bic: String,
}

/// Accounts are not for logs: what is printed is what anybody may see.
impl std::fmt::Debug for PaymentDetails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PaymentDetails({})", self.masked())
    }
}

impl PaymentDetails {
    /// The details as they are kept: without spaces, in capitals, every check digit right.
    pub fn checked(&self) -> Result<Self, Refusal> {
        let details = Self {
            payee: self.payee.trim().to_owned(),
            iban: compact(&self.iban),
            account: compact(&self.account),
            routing: compact(&self.routing),
            bic: compact(&self.bic),
        };
        let mut reasons = Vec::new();
        check_text("payee", "The payee's name", &details.payee, NAME, &mut reasons);
        check_optional("account", "The account", &details.account, 34, &mut reasons);
        if details.iban.is_empty() == details.account.is_empty() {
            let why = "An account is named by its IBAN or by its number, not by both and not by neither.";
            reasons.push(Reason::new("account", why, "Fill in one of the two.").at("iban"));
        }
        if !details.iban.is_empty() {
            reasons.extend(iban_problem(&details.iban));
        }
        if !details.account.is_empty() {
            reasons.extend(account_problem(&details));
        }
        if !details.bic.is_empty() && !is_bic(&details.bic) {
            let why = "The BIC is not one: it has 8 or 11 characters and begins with six letters.";
            reasons.push(Reason::new("bic", why, "Copy it from the bank's letterhead, or leave it out.").at("bic"));
        }
        Refusal::unless_empty(reasons)?;
        Ok(details)
    }

    /// "DE •••• 3000": enough to recognise an account, too little to use it.
    pub fn masked(&self) -> String {
        let (country, number) = match self.iban.get(..2) {
            Some(country) => (format!("{country} "), self.iban.as_str()),
            None => (String::new(), self.account.as_str()),
        };
        // Of a short account number only half is shown.
        let length = number.chars().count();
        let tail: String = number.chars().skip(length - SHOWN.min(length / 2)).collect();
        format!("{country}•••• {tail}")
    }
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_uppercase()
}

/// ISO 13616: two letters, two check digits, and the number as a whole leaves 1 when divided by 97.
fn iban_problem(iban: &str) -> Option<Reason> {
    let at = |why: &str| Some(Reason::new("iban", why, "Compare it with the bank's own statement.").at("iban"));
    let bytes = iban.as_bytes();
    if !(15..=34).contains(&iban.len()) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return at("The IBAN is not one: it has 15 to 34 letters and digits.");
    }
    if !bytes[..2].iter().all(u8::is_ascii_alphabetic) || !bytes[2..4].iter().all(u8::is_ascii_digit) {
        return at("The IBAN is not one: it begins with two letters and two digits.");
    }
    let length = LENGTHS.iter().find(|(country, _)| iban.starts_with(country)).map(|(_, length)| *length);
    if let Some(length) = length.filter(|length| *length != iban.len()) {
        let why = format!("An IBAN of {} has {length} characters, this one has {}.", &iban[..2], iban.len());
        return at(&why);
    }
    if remainder(bytes) == 1 { None } else { at("The IBAN's check digits do not fit: a digit is wrong or swapped.") }
}

/// Of the number that an IBAN's characters make once its first four stand last, letters as 10 to 35.
fn remainder(iban: &[u8]) -> u32 {
    let digits = iban[4..].iter().chain(&iban[..4]);
    digits.fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    })
}

/// Of the countries money is sent to most; of others only the check digits are looked at.
#[rustfmt::skip]
const LENGTHS: [(&str, usize); 34] = [
    ("AT", 20), ("BE", 16), ("BG", 22), ("CH", 21), ("CY", 28), ("CZ", 24), ("DE", 22), ("DK", 18), ("EE", 20),
    ("ES", 24), ("FI", 18), ("FR", 27), ("GB", 22), ("GR", 27), ("HR", 21), ("HU", 28), ("IE", 22), ("IS", 26),
    ("IT", 27), ("LI", 21), ("LT", 20), ("LU", 20), ("LV", 21), ("MC", 27), ("MT", 31), ("NL", 18), ("NO", 15),
    ("PL", 28), ("PT", 25), ("RO", 24), ("SE", 24), ("SI", 19), ("SK", 24), ("SM", 27),
];

fn account_problem(details: &PaymentDetails) -> Option<Reason> {
    if !details.account.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let why = "The account number holds something other than letters and digits.";
        return Some(Reason::new("account", why, "Leave out everything else.").at("account"));
    }
    if details.routing.is_empty() && details.bic.is_empty() {
        let why = "An account without IBAN needs its bank: a routing number, a sort code or a BIC.";
        return Some(Reason::new("routing", why, "Fill in one of them.").at("routing"));
    }
    let sound = match details.routing.len() {
        0 => true,
        6 => details.routing.bytes().all(|byte| byte.is_ascii_digit()),
        9 => is_aba(details.routing.as_bytes()),
        _ => false,
    };
    let why = "The routing number is not one: it has nine digits with a check digit, or six as a sort code.";
    (!sound).then(|| Reason::new("routing", why, "Copy it from a cheque or the bank's letterhead.").at("routing"))
}

/// Nine digits whose sum, weighted 3, 7, 1 over and over, ends in 0.
fn is_aba(digits: &[u8]) -> bool {
    let weights = [3_u32, 7, 1].into_iter().cycle();
    let sum: u32 = digits.iter().zip(weights).map(|(byte, weight)| u32::from(byte.wrapping_sub(b'0')) * weight).sum();
    digits.iter().all(u8::is_ascii_digit) && sum.is_multiple_of(10)
}

/// ISO 9362: bank and country in letters, place and branch in letters and digits.
fn is_bic(bic: &str) -> bool {
    let bytes = bic.as_bytes();
    matches!(bytes.len(), 8 | 11)
        && bytes[..6].iter().all(u8::is_ascii_uppercase)
        && bytes[6..].iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_iban(iban: &str) -> PaymentDetails {
        PaymentDetails { payee: "Nordwind".to_owned(), iban: iban.to_owned(), ..PaymentDetails::default() }
    }

    #[test]
    fn an_iban_is_held_to_its_check_digits() {
        for good in
            ["DE89 3704 0044 0532 0130 00", "gb29nwbk60161331926819", "NO9386011117947", "FR1420041010050500013M02606"]
        {
            assert!(with_iban(good).checked().is_ok(), "{good}");
        }
        for (bad, code) in [
            ("DE88 3704 0044 0532 0130 00", "check digits"),
            ("DE89 3704 0044 0523 0130 00", "check digits"),
            ("DE89 3704 0044 0532 0130 0", "has 22 characters"),
            ("8937040044053201300012", "begins with two letters"),
            ("DE89", "15 to 34"),
            ("DE89+3704=0044", "letters and digits"),
            ("", "not by neither"),
        ] {
            let refusal = with_iban(bad).checked().expect_err(bad);
            assert!(refusal.to_string().contains(code), "{bad}: {refusal}");
        }
    }

    #[test]
    fn an_account_without_iban_names_its_bank() {
        let account = |routing: &str, bic: &str| PaymentDetails {
            payee: "Cascade Secure".to_owned(),
            account: "000123456789".to_owned(),
            routing: routing.to_owned(),
            bic: bic.to_owned(),
            ..PaymentDetails::default()
        };
        for (routing, bic) in [("021000021", ""), ("20-00-00", ""), ("", "CHASUS33"), ("", "CHASUS33XXX")] {
            assert!(account(routing, bic).checked().is_ok(), "{routing} {bic}");
        }
        for (routing, bic) in [("", ""), ("021000022", ""), ("12345", ""), ("", "CHAS33"), ("", "12345678")] {
            assert!(account(routing, bic).checked().is_err(), "{routing} {bic}");
        }
    }

    #[test]
    fn nobody_reads_an_account_in_a_log() {
        let details = with_iban("DE89370400440532013000");
        assert_eq!(details.masked(), "DE •••• 3000");
        assert_eq!(format!("{details:?}"), "PaymentDetails(DE •••• 3000)");
        let short = PaymentDetails { account: "12345".to_owned(), ..PaymentDetails::default() };
        assert_eq!(short.masked(), "•••• 45");
    }
}
