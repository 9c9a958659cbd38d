//! Who must hear of what. A notice says facts; the mailer makes words of them.

use crate::Date;
use crate::ids::{PartnerId, UserId};
use crate::money::Money;
use serde::{Deserialize, Serialize};

/// What happened; each topic has its own mail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    PlanSubmitted,
    PlanAgreed,
    PlanReturned,
    ScorecardCompleted,
    RequestSubmitted,
    RequestApproved,
    RequestReturned,
    RequestDeclined,
    RequestWithdrawn,
    InformationAsked,
    InformationAnswered,
    ApprovalEscalated,
    AmendmentRequested,
    AmendmentDeclined,
    ProofDue,
    ProofOverdue,
    ProofSubmitted,
    ProofAccepted,
    ProofReturned,
    ClaimDue,
    ClaimSubmitted,
    ClaimApproved,
    ClaimDenied,
    ClaimPaid,
    Remittance,
    ClawbackProposed,
    ClawbackRejected,
    ClawedBack,
    PaymentReturnReported,
    PaymentReturnRejected,
    PaymentReturned,
    ActivityCancelled,
    ActivityExpired,
    ClaimWindowClosed,
    DraftLapsing,
    AskDue,
    QuestionDue,
    QuestionOverdue,
    ReviewDue,
    ReviewOverdue,
    TrackingEnding,
    ExtensionAsked,
    ExtensionGranted,
    ExtensionDeclined,
    ApprovalWaiting,
    CycleCancelled,
    CycleExpired,
    TrackingStarted,
    PerformanceReady,
    ReviewSigned,
    CycleClosed,
    FundsAllocated,
    FundsExpiring,
    FundsForfeited,
    UnderThreshold,
    CreditMoved,
    CreditAdjusted,
    ReinstatementProposed,
    CreditReinstated,
    Invitation,
    PasswordReset,
    ImportFinished,
}

impl Topic {
    pub const ALL: [Topic; 62] = [
        Topic::PlanSubmitted,
        Topic::PlanAgreed,
        Topic::PlanReturned,
        Topic::ScorecardCompleted,
        Topic::RequestSubmitted,
        Topic::RequestApproved,
        Topic::RequestReturned,
        Topic::RequestDeclined,
        Topic::RequestWithdrawn,
        Topic::InformationAsked,
        Topic::InformationAnswered,
        Topic::ApprovalEscalated,
        Topic::AmendmentRequested,
        Topic::AmendmentDeclined,
        Topic::ProofDue,
        Topic::ProofOverdue,
        Topic::ProofSubmitted,
        Topic::ProofAccepted,
        Topic::ProofReturned,
        Topic::ClaimDue,
        Topic::ClaimSubmitted,
        Topic::ClaimApproved,
        Topic::ClaimDenied,
        Topic::ClaimPaid,
        Topic::Remittance,
        Topic::ClawbackProposed,
        Topic::ClawbackRejected,
        Topic::ClawedBack,
        Topic::PaymentReturnReported,
        Topic::PaymentReturnRejected,
        Topic::PaymentReturned,
        Topic::ActivityCancelled,
        Topic::ActivityExpired,
        Topic::ClaimWindowClosed,
        Topic::DraftLapsing,
        Topic::AskDue,
        Topic::QuestionDue,
        Topic::QuestionOverdue,
        Topic::ReviewDue,
        Topic::ReviewOverdue,
        Topic::TrackingEnding,
        Topic::ExtensionAsked,
        Topic::ExtensionGranted,
        Topic::ExtensionDeclined,
        Topic::ApprovalWaiting,
        Topic::CycleCancelled,
        Topic::CycleExpired,
        Topic::TrackingStarted,
        Topic::PerformanceReady,
        Topic::ReviewSigned,
        Topic::CycleClosed,
        Topic::FundsAllocated,
        Topic::FundsExpiring,
        Topic::FundsForfeited,
        Topic::UnderThreshold,
        Topic::CreditMoved,
        Topic::CreditAdjusted,
        Topic::ReinstatementProposed,
        Topic::CreditReinstated,
        Topic::Invitation,
        Topic::PasswordReset,
        Topic::ImportFinished,
    ];
}

/// Whom to tell; the engine finds the people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The partner's people who may submit.
    Partner(PartnerId),
    /// The channel manager of that partner.
    ManagerOf(PartnerId),
    /// The same, to decide that partner's request.
    DecidingManager(PartnerId),
    /// Approvers of a level who cover that partner's region.
    Approvers {
        level: u8,
        partner: PartnerId,
    },
    Finance,
    Executives,
    Administrators,
    User(UserId),
    /// Somebody who has no account yet: an invitation.
    Address(String),
}

/// What the mail says first: number, amount, deadline.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// The record's number: `C-2026-0042`, `C-2026-0042/2`.
    pub number: String,
    pub title: String,
    pub partner: String,
    /// Who did it.
    pub by: String,
    pub amount: Option<Money>,
    /// The same in a fund of another currency, and the rate: "1,080 USD at 1.08 USD for 1 EUR, the rate of …".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_fund: Option<String>,
    pub due: Option<Date>,
    /// The reason or the question, as it was written.
    pub reason: Option<String>,
    /// The activity, campaign or file it is about.
    pub item: Option<String>,
    /// One more sentence of ours that the topic's own words cannot know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the amount is made of: a row each.
    #[serde(default)]
    pub lines: Vec<(String, Money)>,
    /// The page the one button opens, from the root: `/cycles/C-2026-0042`.
    pub path: String,
}

/// One thing to tell one audience. It is sent after the commit, each effect once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    pub topic: Topic,
    pub audience: Audience,
    pub facts: Facts,
}

impl Notice {
    /// The day it must have been read by; `None` where its day is only told, because what it tells of has happened.
    pub fn act_by(&self) -> Option<Date> {
        let over = [Topic::FundsForfeited, Topic::ActivityExpired, Topic::ClaimWindowClosed, Topic::CycleExpired];
        self.facts.due.filter(|_| !over.contains(&self.topic))
    }

    /// Whether somebody who is meant by both would read the same twice.
    pub fn repeats(&self, other: &Notice) -> bool {
        let said = |notice: &Notice| Facts { path: String::new(), ..notice.facts.clone() };
        self.topic == other.topic && said(self) == said(other)
    }
}
