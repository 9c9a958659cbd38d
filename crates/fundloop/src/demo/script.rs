//! The story's cycles: who, what, when, and what became of it.

use super::{first_day_of_quarter, last_day_of_quarter};
use chrono::{Days, Months};
use domain::Date;

/// One cycle of the story.
#[derive(Clone, Debug)]
pub struct Tale {
    pub partner: &'static str,
    pub title: &'static str,
    pub first: Date,
    pub last: Date,
    pub opened: Date,
    pub campaigns: Vec<Spot>,
    pub turn: Turn,
    /// Results over forecast, in percent: 80 is a fifth less than was promised.
    pub luck: u32,
}

/// One campaign: tactic, activity type of the guide, cost in units, and the days after the quarter's start it runs.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    pub name: &'static str,
    pub tactic: &'static str,
    pub kind: &'static str,
    pub category: &'static str,
    pub cost: i64,
    pub from: u64,
    pub days: u64,
}

/// How a cycle turns out; most simply run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Runs,
    /// Stops at this step for now: the cycle is being prepared.
    Until(u8),
    ReturnedOnce,
    Declined,
    Withdrawn,
    Cancelled,
    /// The second activity is never proven.
    Unproven,
    ShortPaid,
    Instalments,
    ClawedBack,
    AskedAndAnswered,
    SharedFund,
    /// Paid by a fund kept in dollars.
    GlobalFund,
}

const fn spot(
    name: &'static str,
    tactic: &'static str,
    kind: &'static str,
    category: &'static str,
    cost: i64,
    from: u64,
    days: u64,
) -> Spot {
    Spot { name, tactic, kind, category, cost, from, days }
}

/// What the partners run, over and over: the field's usual mix.
#[rustfmt::skip]
const MIX: [(&str, [Spot; 2]); 8] = [
    ("Cloud security", [spot("Zero-trust webinar series", "webinar", "webinar", "platform", 8_000, 20, 2), spot("Cloud posture on paid social", "paid_social", "digital", "media", 12_000, 28, 21)]),
    ("Ransomware readiness", [spot("Readiness workshop for mid-market", "workshop", "event", "venue", 9_500, 24, 1), spot("Call-down of attendees", "telemarketing", "telemarketing", "calling", 5_000, 34, 10)]),
    ("NIS2 compliance", [spot("NIS2 breakfast briefing", "event", "event", "venue", 11_000, 26, 1), spot("NIS2 checklist by e-mail", "email", "newsletter", "production", 3_500, 18, 14)]),
    ("Identity first", [spot("Identity webinar with two customers", "webinar", "webinar", "platform", 6_500, 22, 1), spot("Identity search ads", "search_ads", "digital", "media", 7_500, 25, 30)]),
    ("Managed detection", [spot("Managed detection road show", "event", "event", "venue", 14_000, 30, 3), spot("Follow-up calls", "telemarketing", "telemarketing", "calling", 4_000, 38, 12)]),
    ("Secure branch", [spot("Branch security syndication", "content_syndication", "content", "agency", 6_000, 19, 35), spot("Branch security webinar", "webinar", "webinar", "platform", 5_500, 36, 1)]),
    ("Endpoint renewal", [spot("Renewal mailing", "email", "newsletter", "production", 4_000, 20, 10), spot("Endpoint lunch and learn", "event", "event", "catering", 6_000, 33, 1)]),
    ("Security summit", [spot("Regional summit sponsorship", "sponsorship", "sponsorship", "sponsoring", 15_000, 40, 2), spot("Summit paid social", "paid_social", "digital", "media", 6_000, 30, 14)]),
];

const PARTNERS: [(&str, u32); 8] = [
    ("nordwind", 85),
    ("kestrel", 120),
    ("baltic", 95),
    ("vistula", 70),
    ("fjordlys", 130),
    ("cascade", 105),
    ("bluemesa", 60),
    ("harborpine", 90),
];

/// The cycles from the story's first quarter to the one after today's, oldest first.
pub fn cycles(start: Date, today: Date) -> Vec<Tale> {
    let mut tales = Vec::new();
    let this = first_day_of_quarter(today);
    let mut first = start;
    let mut quarter = 0;
    while first <= this {
        for (index, (partner, luck)) in PARTNERS.into_iter().enumerate() {
            // Not everybody runs every quarter.
            if (quarter + index) % 4 != 3 || first == this {
                let luck = luck + u32::try_from((quarter * 7 + index * 11) % 30).unwrap_or(0);
                tales.push(tale(partner, first, quarter + index, turn(quarter, index, first == this), luck));
            }
        }
        first = first + Months::new(3);
        quarter += 1;
    }
    tales.extend(next_quarter(this + Months::new(3), today, quarter));
    tales
}

fn tale(partner: &'static str, first: Date, mix: usize, turn: Turn, luck: u32) -> Tale {
    let (title, campaigns) = MIX[mix % MIX.len()];
    let campaigns = if mix.is_multiple_of(3) || matches!(turn, Turn::Until(_)) {
        campaigns.to_vec()
    } else {
        campaigns[..=(mix % 2)].to_vec()
    };
    Tale {
        partner,
        title,
        first,
        last: last_day_of_quarter(first),
        opened: first - Days::new(34),
        campaigns,
        turn,
        luck,
    }
}

fn turn(quarter: usize, index: usize, is_this_quarter: bool) -> Turn {
    match (quarter, index) {
        (0, 1) => Turn::ReturnedOnce,
        (0, 4) => Turn::ClawedBack,
        (1, 6) => Turn::Declined,
        (1, 0) => Turn::Instalments,
        (2, 0) => Turn::GlobalFund,
        (2, 2) => Turn::Cancelled,
        (2, 5) => Turn::ShortPaid,
        (3, 3) => Turn::Unproven,
        (3, 7) => Turn::Withdrawn,
        (4, 0) => Turn::AskedAndAnswered,
        (4, 4) => Turn::SharedFund,
        _ if is_this_quarter && index == 0 => Turn::AskedAndAnswered,
        _ => Turn::Runs,
    }
}

/// Next quarter is being prepared: one cycle at every early step.
fn next_quarter(first: Date, today: Date, quarter: usize) -> Vec<Tale> {
    let stops = [7, 2, 1, 3, 8, 6, 4, 5];
    let prepare = |(index, ((partner, luck), stop)): (usize, ((&'static str, u32), u8))| {
        let told = tale(partner, first, quarter + index, Turn::Until(stop), luck);
        // One of them is large enough for the second level of approval.
        let campaigns = told
            .campaigns
            .iter()
            .map(|spot| Spot { cost: if stop == 8 { spot.cost * 2 } else { spot.cost }, ..*spot })
            .collect();
        Tale { opened: today - Days::new(12), campaigns, ..told }
    };
    let first_partner = PARTNERS[0];
    // The first partner prepares two more, on the plan and scorecard it has for the quarter.
    let also = [(6, 3), (1, 5)].map(|(stop, mix)| {
        let (partner, luck) = first_partner;
        Tale { opened: today - Days::new(6), ..tale(partner, first, quarter + mix, Turn::Until(stop), luck) }
    });
    PARTNERS.into_iter().zip(stops).enumerate().map(prepare).chain(also).collect()
}
