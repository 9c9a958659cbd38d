//! Cells as tools write them: days, amounts, yes and no, addresses, CRM ids. Nothing is guessed: what can be read two
//! ways is a [`Maybe`] the person decides for the whole column.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use domain::money::{Currency, Marks, Money};
use domain::{Date, Instant};

/// What a cell proves about how its column is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Maybe<T> {
    /// It reads the same either way.
    Silent,
    /// Only this way.
    Proves(T),
    /// Either way, with different meanings.
    Either,
}

/// Whether `03/04/2024` is the third of April.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayOrder {
    DayFirst,
    MonthFirst,
}

/// Three numbers of a day and the mark between them.
struct Numbers {
    parts: [u32; 3],
    year_first: bool,
    mark: char,
}

fn day_numbers(text: &str) -> Option<Numbers> {
    let mark = text.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
    let pieces: Vec<&str> = text.split(mark).collect();
    let &[a, b, c] = pieces.as_slice() else { return None };
    let digits = |text: &str| !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if ![a, b, c].into_iter().all(digits) {
        return None;
    }
    let year_first = a.len() == 4;
    if !(year_first && b.len() <= 2 && c.len() <= 2 || c.len() == 4 && a.len() <= 2 && b.len() <= 2) {
        return None;
    }
    let parts = [a.parse().ok()?, b.parse().ok()?, c.parse().ok()?];
    Some(Numbers { parts, year_first, mark })
}

/// What a day's text proves about the order of its column.
pub fn day_order(text: &str) -> Maybe<DayOrder> {
    let (day, _) = day_and_time(text);
    match day_numbers(day) {
        Some(Numbers { year_first: true, .. } | Numbers { mark: '.', .. }) | None => Maybe::Silent,
        Some(Numbers { parts: [a, b, _], .. }) if a > 12 && b <= 12 => Maybe::Proves(DayOrder::DayFirst),
        Some(Numbers { parts: [a, b, _], .. }) if b > 12 && a <= 12 => Maybe::Proves(DayOrder::MonthFirst),
        Some(Numbers { parts: [a, b, _], .. }) if a == b => Maybe::Silent,
        Some(_) => Maybe::Either,
    }
}

/// Reads a day or a moment; a day alone is its midnight in UTC. `order` counts for `3/4/2024` and `3-4-2024` only;
/// dots are day first wherever they are used.
pub fn moment(text: &str, order: Option<DayOrder>) -> Result<Instant, String> {
    let problem = || format!("“{}” is no day we can read: write it like 2024-01-23.", short(text));
    let (day, time) = day_and_time(text.trim());
    let date = match day_numbers(day) {
        Some(numbers) => date_of(&numbers, order).map_err(|either| {
            if either {
                format!("“{}” can be read two ways: say whether the day or the month comes first.", short(text))
            } else {
                problem()
            }
        })?,
        None => named_month(day).ok_or_else(problem)?,
    };
    if !(1990..=2199).contains(&chrono::Datelike::year(&date)) {
        return Err(format!("“{}” is not in this age: check the year.", short(text)));
    }
    let (time, behind) = if time.is_empty() { (NaiveTime::MIN, 0) } else { clock_time(time).ok_or_else(problem)? };
    Ok(date.and_time(time).and_utc() - TimeDelta::minutes(behind))
}

/// The day of a moment as the file wrote it.
pub fn day(text: &str, order: Option<DayOrder>) -> Result<Date, String> {
    let (day, _) = day_and_time(text.trim());
    moment(day, order).map(|at| at.date_naive())
}

/// `true` in the error: it can be read two ways.
fn date_of(numbers: &Numbers, order: Option<DayOrder>) -> Result<Date, bool> {
    let [a, b, c] = numbers.parts;
    let ymd = |year: u32, month: u32, day: u32| {
        i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day)).ok_or(false)
    };
    if numbers.year_first {
        return ymd(a, b, c);
    }
    let order = match (numbers.mark, order) {
        ('.', _) => DayOrder::DayFirst,
        (_, Some(order)) => order,
        _ if a > 12 => DayOrder::DayFirst,
        _ if b > 12 || a == b => DayOrder::MonthFirst,
        _ => return Err(true),
    };
    match order {
        DayOrder::DayFirst => ymd(c, b, a),
        DayOrder::MonthFirst => ymd(c, a, b),
    }
}

/// The day's text and the time's text.
fn day_and_time(text: &str) -> (&str, &str) {
    let text = text.trim();
    if let Some(place) = text.find('T').filter(|place| *place == 10 && text.is_char_boundary(11)) {
        return (&text[..place], text[place + 1..].trim());
    }
    let colon = text.find(':');
    let space = colon.and_then(|colon| text[..colon].rfind([' ', ',']));
    match space {
        Some(space) => (text[..space].trim_end_matches([',', ' ']), text[space + 1..].trim()),
        None => (text, ""),
    }
}

/// A time of day and how many minutes its zone is ahead of UTC: `02:46:47.000+0000`, `2:46 PM`, `14:30Z`.
fn clock_time(text: &str) -> Option<(NaiveTime, i64)> {
    let upper = text.trim().to_ascii_uppercase();
    let upper = upper.trim_end_matches(" UTC").trim_end_matches(" GMT").trim_end_matches('Z');
    let (text, afternoon) = match (upper.strip_suffix("PM"), upper.strip_suffix("AM")) {
        (Some(rest), _) => (rest.trim(), Some(true)),
        (_, Some(rest)) => (rest.trim(), Some(false)),
        _ => (upper, None),
    };
    let (text, ahead) = match text.rfind(['+', '-']) {
        Some(place) => (text[..place].trim(), zone(&text[place..])?),
        None => (text, 0),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut numbers = whole.split(':').map(|part| if part.len() > 2 { None } else { part.parse::<u32>().ok() });
    let (hour, minute, second) = (numbers.next()??, numbers.next()??, numbers.next().unwrap_or(Some(0))?);
    if numbers.next().is_some() {
        return None;
    }
    let hour = match (afternoon, hour) {
        (None, hour) => hour,
        (Some(false), 12) => 0,
        (Some(true), 12) => 12,
        (Some(afternoon), 1..=11) => hour + if afternoon { 12 } else { 0 },
        _ => return None,
    };
    NaiveTime::from_hms_opt(hour, minute, second).map(|time| (time, ahead))
}

/// `+0530` and `+05:30` in minutes.
fn zone(text: &str) -> Option<i64> {
    let (sign, rest) = text.split_at_checked(1)?;
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let number: i64 = (matches!(digits.len(), 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())??;
    let minutes = if digits.len() == 2 { number * 60 } else { number / 100 * 60 + number % 100 };
    (minutes <= 14 * 60).then_some(if sign == "-" { -minutes } else { minutes })
}

/// `23 Jan 2024`, `23-Jan-2024`, `Jan 23, 2024`, `January 23 2024`.
fn named_month(text: &str) -> Option<Date> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const LONG: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let lower = text.to_ascii_lowercase();
    let parts: Vec<&str> = lower.split([' ', '-', ',', '.']).filter(|part| !part.is_empty()).collect();
    let &[a, b, year] = parts.as_slice() else { return None };
    let month = |name: &str| MONTHS.iter().position(|m| *m == name).or_else(|| LONG.iter().position(|m| *m == name));
    let (month, day) = match (month(a), month(b)) {
        (Some(month), None) => (month, b),
        (None, Some(month)) => (month, a),
        _ => return None,
    };
    if year.len() != 4 || day.len() > 2 {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, u32::try_from(month).ok()? + 1, day.parse().ok()?)
}

/// What an amount's text proves about the marks of its column.
pub fn decimal_mark(text: &str) -> Maybe<Marks> {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).collect();
    let (dots, commas) = (digits.matches('.').count(), digits.matches(',').count());
    let last = |mark: char| digits.rsplit(mark).next().map_or(0, str::len);
    match (dots, commas) {
        (1, 0) if last('.') == 3 && !digits.starts_with(['0', '.']) => Maybe::Either,
        (0, 1) if last(',') == 3 && !digits.starts_with(['0', ',']) => Maybe::Either,
        // Several of one mark are groups; of two marks the last stands before the decimals.
        (1, 0) | (0, 2..) => Maybe::Proves(Marks::Point),
        (0, 1) | (2.., 0) => Maybe::Proves(Marks::Comma),
        (_, 1) if dots > 0 && digits.rfind(',') > digits.rfind('.') => Maybe::Proves(Marks::Comma),
        (1, _) if commas > 0 && digits.rfind('.') > digits.rfind(',') => Maybe::Proves(Marks::Point),
        _ => Maybe::Silent,
    }
}

/// Reads an amount in the row's currency. A currency sign or code beside it must be that currency's own.
pub fn amount(text: &str, currency: Currency, marks: Marks) -> Result<Money, String> {
    let text = without_sign(text.trim(), currency)?;
    Money::parse(&without_surplus_zeros(&text, currency, marks), currency, marks)
}

/// The currency an amount names itself: `USD 500`.
pub fn named_currency(text: &str) -> Option<Currency> {
    let text = text.trim();
    let code = |part: &str| {
        (part.len() == 3 && part.bytes().all(|b| b.is_ascii_alphabetic())).then(|| Currency::from_code(part)).flatten()
    };
    let letters: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
    let tail: String =
        text.chars().rev().take_while(char::is_ascii_alphabetic).collect::<String>().chars().rev().collect();
    code(&letters).or_else(|| code(&tail))
}

fn without_sign(text: &str, currency: Currency) -> Result<String, String> {
    const SIGNS: [(char, &[&str]); 4] = [
        ('€', &["EUR"]),
        ('£', &["GBP"]),
        ('$', &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"]),
        ('¥', &["JPY", "CNY"]),
    ];
    for (sign, codes) in SIGNS {
        if text.contains(sign) {
            return if codes.contains(&currency.code()) {
                Ok(text.replacen(sign, "", 1).trim().to_owned())
            } else {
                Err(format!("“{}” is not in {currency}: name its currency in a column.", short(text)))
            };
        }
    }
    Ok(text.to_owned())
}

/// `12000.0` and `1500000.00` in yen: decimals beyond the currency's that are all zero say nothing.
fn without_surplus_zeros(text: &str, currency: Currency, marks: Marks) -> String {
    let mark = if marks == Marks::Comma { ',' } else { '.' };
    let Some((whole, decimals)) = text.split_once(mark) else { return text.to_owned() };
    let keep = currency.exponent() as usize;
    let is_digits = !decimals.is_empty() && decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || decimals.len() <= keep || decimals[keep..].bytes().any(|byte| byte != b'0') {
        return text.to_owned();
    }
    if keep == 0 { whole.to_owned() } else { format!("{whole}{mark}{}", &decimals[..keep]) }
}

/// Yes or no, as tools of several languages write it.
pub fn flag(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "y" | "x" | "t" | "ja" | "wahr" | "oui" | "si" | "sí" => Ok(true),
        "0" | "false" | "no" | "n" | "f" | "nein" | "falsch" | "non" => Ok(false),
        _ => Err(format!("“{}” is neither yes nor no.", short(text))),
    }
}

/// An e-mail address in the form people are met by: trimmed, lower case.
pub fn email(text: &str) -> Result<String, String> {
    let clean = text.trim().trim_start_matches("mailto:").trim_matches(['<', '>']).to_lowercase();
    let problem = || format!("“{}” is no e-mail address.", short(text));
    let (name, host) = clean.rsplit_once('@').ok_or_else(problem)?;
    let plain = |part: &str| {
        !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c))
    };
    if clean.len() > 254 || !plain(name) || domain(host).as_deref() != Some(host) {
        return Err(problem());
    }
    Ok(clean)
}

/// A company's web domain out of an address or a bare name: `https://www.Nordwind.example/de` is `nordwind.example`.
pub fn domain(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let rest = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or("");
    let host = host.rsplit('@').next().unwrap_or(host).trim_end_matches('.');
    let host = if text.contains('@') { host } else { host.strip_prefix("www.").unwrap_or(host) };
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && part.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let ends = host.rsplit('.').next().is_some_and(|end| end.len() >= 2 && end.chars().any(char::is_alphabetic));
    (host.contains('.') && host.len() <= 253 && host.split('.').all(label) && ends).then(|| host.to_owned())
}

/// Mailboxes anyone can have: an address there says nothing about a company.
pub fn is_free_mail(domain: &str) -> bool {
    const FREE: [&str; 40] = [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "hotmail.de",
        "hotmail.fr",
        "hotmail.co.uk",
        "live.com",
        "msn.com",
        "yahoo.com",
        "yahoo.de",
        "yahoo.fr",
        "yahoo.co.uk",
        "yahoo.co.jp",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "gmx.com",
        "gmx.at",
        "gmx.ch",
        "web.de",
        "t-online.de",
        "freenet.de",
        "proton.me",
        "protonmail.com",
        "pm.me",
        "mail.com",
        "mail.ru",
        "yandex.ru",
        "yandex.com",
        "qq.com",
        "163.com",
        "126.com",
        "orange.fr",
        "wp.pl",
        "o2.pl",
    ];
    FREE.contains(&domain)
}

/// A CRM's id in one form: Salesforce's 15 characters become 18, its null id and braces go, the rest stays as it is.
pub fn crm_id(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['{', '}']).trim();
    let clean: String = text.chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(100).collect();
    let core = clean.get(..15).filter(|core| core.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if clean.is_empty() || core == Some("000000000000000") {
        return None;
    }
    let known = ["001", "003", "005", "006", "00Q", "00v", "701", "a0"].iter().any(|start| clean.starts_with(start));
    match core {
        Some(core) if clean.len() == 15 && known => Some(format!("{core}{}", suffix(core))),
        Some(core) if clean.len() == 18 && clean[15..].eq_ignore_ascii_case(&suffix(core)) => {
            Some(format!("{core}{}", suffix(core)))
        }
        _ => Some(clean),
    }
}

/// Three characters that say which of the fifteen are upper case, five each.
fn suffix(core: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let upper = |chunk: &[u8]| {
        chunk.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase()).fold(0, |sum, (bit, _)| sum | 1 << bit)
    };
    core.as_bytes().chunks(5).map(|chunk| char::from(LETTERS[upper(chunk)])).collect()
}

/// Whether a cell holds a value rather than a column's name.
pub fn looks_like_value(cell: &str) -> bool {
    let cell = cell.trim();
    if cell.is_empty() {
        return false;
    }
    let numeric = cell.bytes().all(|byte| byte.is_ascii_digit() || b".,-+%$ ".contains(&byte));
    numeric || cell.contains('@') || day_numbers(day_and_time(cell).0).is_some()
}

/// At most 60 characters of a cell, for a sentence.
pub fn short(text: &str) -> String {
    let clean: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.chars().count() <= 60 { clean } else { clean.chars().take(59).chain(['…']).collect() }
}
