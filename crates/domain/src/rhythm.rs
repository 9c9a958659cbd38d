//! How often somebody wants to hear: each kind of mail at once, or gathered in a digest once a day or a week.

use crate::notice::Topic;
use crate::{Date, Instant};
use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};

/// Digests leave at this hour, UTC.
const HOUR: u32 = 5;

/// Mails that are about the same sort of thing; each person chooses a rhythm for each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    NeedsYou,
    /// The round-up of what still waits for one's approval.
    Waiting,
    Decisions,
    Deadlines,
    Money,
    Results,
}

impl MailKind {
    pub const ALL: [MailKind; 6] = [
        MailKind::NeedsYou,
        MailKind::Waiting,
        MailKind::Decisions,
        MailKind::Deadlines,
        MailKind::Money,
        MailKind::Results,
    ];

    pub fn code(self) -> &'static str {
        match self {
            MailKind::NeedsYou => "needs_you",
            MailKind::Waiting => "waiting",
            MailKind::Decisions => "decisions",
            MailKind::Deadlines => "deadlines",
            MailKind::Money => "money",
            MailKind::Results => "results",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The words on the profile page and in a digest.
    pub fn label(self) -> &'static str {
        match self {
            MailKind::NeedsYou => "Needs you",
            MailKind::Waiting => "Still waits for your approval",
            MailKind::Decisions => "Decided",
            MailKind::Deadlines => "Deadlines",
            MailKind::Money => "Money",
            MailKind::Results => "Results and files",
        }
    }

    pub fn hint(self) -> &'static str {
        match self {
            MailKind::NeedsYou => "Plans, requests, proof, claims and questions that wait for you",
            MailKind::Waiting => "A round-up of requests you have not decided yet",
            MailKind::Decisions => "What was agreed, approved, returned, declined or cancelled",
            MailKind::Deadlines => {
                "Proof, claims, reviews and payments that are due, drafts that lapse, credit that expires"
            }
            MailKind::Money => "Claims decided, credit allocated or forfeited",
            MailKind::Results => "Performance, signed reviews, finished imports",
        }
    }

    /// What holds until somebody chooses otherwise.
    pub fn usual(self) -> Rhythm {
        if self == MailKind::Waiting { Rhythm::Daily } else { Rhythm::AtOnce }
    }

    /// What can be chosen: a round-up is no news and never comes at once.
    pub fn rhythms(self) -> &'static [Rhythm] {
        if self == MailKind::Waiting { &[Rhythm::Daily, Rhythm::Weekly] } else { &Rhythm::ALL }
    }
}

/// How often.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    AtOnce,
    Daily,
    Weekly,
}

impl Rhythm {
    pub const ALL: [Rhythm; 3] = [Rhythm::AtOnce, Rhythm::Daily, Rhythm::Weekly];

    pub fn code(self) -> &'static str {
        match self {
            Rhythm::AtOnce => "at_once",
            Rhythm::Daily => "daily",
            Rhythm::Weekly => "weekly",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rhythm| rhythm.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Rhythm::AtOnce => "At once",
            Rhythm::Daily => "Every morning",
            Rhythm::Weekly => "On Mondays",
        }
    }

    /// When a mail written now leaves in this rhythm.
    pub fn leaves_at(self, now: Instant) -> Instant {
        let mut at = morning(now);
        if at <= now {
            at += TimeDelta::days(1);
        }
        match self {
            Rhythm::AtOnce => now,
            Rhythm::Daily => at,
            Rhythm::Weekly => {
                while at.weekday() != Weekday::Mon {
                    at += TimeDelta::days(1);
                }
                at
            }
        }
    }

    /// The same for a mail about a day: in the morning of that day at the latest, and at once where that morning has come.
    pub fn leaves_in_time(self, now: Instant, day: Option<Date>) -> Instant {
        let usual = self.leaves_at(now);
        day.map_or(usual, |day| usual.min(morning_of(day)).max(now))
    }

    /// The first moment of the round that is under way: this morning's, or this week's.
    pub fn round(self, now: Instant) -> Instant {
        let mut at = morning(now);
        if at > now {
            at -= TimeDelta::days(1);
        }
        while self == Rhythm::Weekly && at.weekday() != Weekday::Mon {
            at -= TimeDelta::days(1);
        }
        at
    }
}

fn morning(now: Instant) -> DateTime<Utc> {
    morning_of(now.date_naive())
}

fn morning_of(day: Date) -> DateTime<Utc> {
    let hour = NaiveTime::from_hms_opt(HOUR, 0, 0).unwrap_or(NaiveTime::MIN);
    day.and_time(hour).and_utc()
}

impl Topic {
    /// The kind of mail it is; `None` for what always leaves at once: access to the account, and money that moved.
    pub fn mail_kind(self) -> Option<MailKind> {
        match self {
            Topic::Invitation | Topic::PasswordReset | Topic::ClaimPaid | Topic::Remittance | Topic::ClawedBack => None,
            Topic::PlanSubmitted
            | Topic::RequestSubmitted
            | Topic::InformationAsked
            | Topic::InformationAnswered
            | Topic::ApprovalEscalated
            | Topic::QuestionOverdue
            | Topic::ReviewOverdue
            | Topic::AmendmentRequested
            | Topic::ProofSubmitted
            | Topic::ClaimSubmitted
            | Topic::ClawbackProposed
            | Topic::PaymentReturnReported
            | Topic::ReinstatementProposed
            | Topic::ExtensionAsked => Some(MailKind::NeedsYou),
            Topic::ApprovalWaiting => Some(MailKind::Waiting),
            Topic::PlanAgreed
            | Topic::PlanReturned
            | Topic::RequestApproved
            | Topic::RequestReturned
            | Topic::RequestDeclined
            | Topic::RequestWithdrawn
            | Topic::ClawbackRejected
            | Topic::PaymentReturnRejected
            | Topic::PaymentReturned
            | Topic::AmendmentDeclined
            | Topic::ProofAccepted
            | Topic::ProofReturned
            | Topic::ExtensionGranted
            | Topic::ExtensionDeclined
            | Topic::ActivityCancelled
            | Topic::CycleCancelled => Some(MailKind::Decisions),
            Topic::ProofDue
            | Topic::ProofOverdue
            | Topic::ClaimDue
            | Topic::ActivityExpired
            | Topic::ClaimWindowClosed
            | Topic::DraftLapsing
            | Topic::AskDue
            | Topic::QuestionDue
            | Topic::ReviewDue
            | Topic::TrackingEnding
            | Topic::CycleExpired
            | Topic::FundsExpiring => Some(MailKind::Deadlines),
            Topic::ClaimApproved
            | Topic::ClaimDenied
            | Topic::FundsAllocated
            | Topic::FundsForfeited
            | Topic::CreditMoved
            | Topic::CreditAdjusted
            | Topic::CreditReinstated
            | Topic::UnderThreshold => Some(MailKind::Money),
            Topic::ScorecardCompleted
            | Topic::TrackingStarted
            | Topic::PerformanceReady
            | Topic::ReviewSigned
            | Topic::CycleClosed
            | Topic::ImportFinished => Some(MailKind::Results),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_leaves_in_the_morning_and_a_weekly_one_on_monday() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        // The 22nd of November 2026 is a Sunday.
        for (now, daily, weekly, week) in [
            ("2026-11-20T04:59:59Z", "2026-11-20T05:00:00Z", "2026-11-23T05:00:00Z", "2026-11-16T05:00:00Z"),
            ("2026-11-20T05:00:00Z", "2026-11-21T05:00:00Z", "2026-11-23T05:00:00Z", "2026-11-16T05:00:00Z"),
            ("2026-11-23T05:00:00Z", "2026-11-24T05:00:00Z", "2026-11-30T05:00:00Z", "2026-11-23T05:00:00Z"),
        ] {
            assert_eq!(Rhythm::AtOnce.leaves_at(at(now)), at(now));
            assert_eq!(Rhythm::Daily.leaves_at(at(now)), at(daily), "{now}");
            assert_eq!(Rhythm::Weekly.leaves_at(at(now)), at(weekly), "{now}");
            assert_eq!(Rhythm::Weekly.round(at(now)), at(week), "{now}");
        }
    }

    #[test]
    fn no_digest_tells_of_a_day_that_has_passed() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        // A Friday; the weekly digest leaves on Monday the 23rd.
        let now = at("2026-11-20T09:00:00Z");
        for (day, leaves) in [
            ("2026-11-19", "2026-11-20T09:00:00Z"),
            ("2026-11-20", "2026-11-20T09:00:00Z"),
            ("2026-11-21", "2026-11-21T05:00:00Z"),
            ("2026-11-23", "2026-11-23T05:00:00Z"),
            ("2026-12-24", "2026-11-23T05:00:00Z"),
        ] {
            let day = Some(day.parse().unwrap());
            assert_eq!(Rhythm::Weekly.leaves_in_time(now, day), at(leaves), "{day:?}");
            assert_eq!(Rhythm::AtOnce.leaves_in_time(now, day), now);
        }
        assert_eq!(Rhythm::Weekly.leaves_in_time(now, None), at("2026-11-23T05:00:00Z"));
    }

    #[test]
    fn what_must_be_read_is_never_gathered() {
        for topic in [Topic::PasswordReset, Topic::Invitation, Topic::ClaimPaid] {
            assert_eq!(topic.mail_kind(), None);
        }
        assert_eq!(MailKind::Waiting.usual(), Rhythm::Daily);
        assert!(MailKind::ALL.into_iter().all(|kind| kind.rhythms().contains(&kind.usual())));
    }
}
