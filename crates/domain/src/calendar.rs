//! Days: counting calendar and business days, with holidays.

use crate::Date;
use chrono::{Datelike, Days, Weekday};
use serde::{Deserialize, Serialize};

/// Which days count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    Calendar,
    /// Monday to Friday, holidays left out.
    Business,
}

impl Count {
    /// "10 business days"
    pub fn words(self, days: u16) -> String {
        let kind = match self {
            Count::Calendar => "calendar",
            Count::Business => "business",
        };
        format!("{days} {kind} day{}", if days == 1 { "" } else { "s" })
    }
}

/// The day `days` later.
pub fn plus(day: Date, days: u16) -> Date {
    day.checked_add_days(Days::new(u64::from(days))).unwrap_or(Date::MAX)
}

/// The day `days` earlier, counting only days that count; holidays never count as business days.
pub fn minus(day: Date, days: u16, count: Count, holidays: &[Date]) -> Date {
    let mut left = days;
    let mut at = day;
    while left > 0 {
        let Some(previous) = at.pred_opt() else { return Date::MIN };
        at = previous;
        if count == Count::Calendar || is_business_day(at, holidays) {
            left -= 1;
        }
    }
    at
}

/// Monday to Friday and no holiday.
pub fn is_business_day(day: Date, holidays: &[Date]) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !holidays.contains(&day)
}

/// "Thu 30 April 2026"
pub fn words(day: Date) -> String {
    day.format("%a %-d %B %Y").to_string()
}

/// Days in words, seen from today: "in 9 days", "tomorrow", "3 days ago".
pub fn distance(day: Date, today: Date) -> String {
    match (day - today).num_days() {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        ahead if ahead > 1 => format!("in {ahead} days"),
        behind => format!("{} days ago", -behind),
    }
}

/// The quarter a day lies in: "Q3 2026".
pub fn quarter(day: Date) -> String {
    format!("Q{} {}", day.month0() / 3 + 1, day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn ten_business_days_ahead_of_a_monday() {
        assert_eq!(minus(day("2025-06-16"), 10, Count::Business, &[]), day("2025-06-02"));
        assert_eq!(minus(day("2025-06-16"), 10, Count::Business, &[day("2025-06-09")]), day("2025-05-30"));
        assert_eq!(minus(day("2025-06-16"), 10, Count::Calendar, &[]), day("2025-06-06"));
    }

    #[test]
    fn thirty_calendar_days_to_claim() {
        assert_eq!(plus(day("2025-03-31"), 30), day("2025-04-30"));
    }
}
