//! The words of each topic, and the table of topics.
//!
//! A topic is one short file in `templates/mail/topics`: what happened, the first line, what comes next, and
//! what the button says. It is written once, as plain text; `layout.html` and `layout.txt` set it and escape
//! it each in its own way. So the two parts of a mail cannot drift apart, and no topic can forget to escape.

use crate::{Recipient, Sender, clean};
use askama::Template;
use domain::money::Money;
use domain::notice::{Audience, Notice, Topic};

/// A space that does not break. Only we write it: `clean` makes plain spaces of those people type.
pub const BOUND: &str = "\u{a0}";

/// Where nothing was, "0 EUR released" is no news and is left out.
const RELEASED: &str = "Released";

/// What one topic says about one notice, still plain text.
pub struct Words {
    /// `approved, 12,000 EUR`: the subject without the record's number, and the mail's heading.
    pub happened: String,
    /// Amount, deadline and who did it.
    pub lead: String,
    pub next: String,
    pub button: String,
}

/// What a topic's amount and day are called in the list of facts.
#[derive(Clone, Copy)]
pub struct Labels {
    pub amount: &'static str,
    pub due: &'static str,
}

macro_rules! topics {
    ($($topic:ident: $file:tt, $amount:expr, $due:literal;)+) => {
        $(
            #[derive(Template)]
            #[template(path = $file, blocks = ["happened", "lead", "next", "button"])]
            struct $topic<'a> {
                the: &'a The,
            }
        )+

        pub fn words(topic: Topic, the: &The) -> Words {
            match topic {
                $(Topic::$topic => {
                    let file = $topic { the };
                    Words {
                        happened: file.as_happened().to_string(),
                        lead: clean::sentence(file.as_lead().to_string()),
                        next: file.as_next().to_string(),
                        button: file.as_button().to_string(),
                    }
                })+
            }
        }

        pub fn labels(topic: Topic) -> Labels {
            match topic {
                $(Topic::$topic => Labels { amount: $amount, due: $due },)+
            }
        }
    };
}

topics! {
    // topic              its words                                 the amount is      the day is
    PlanSubmitted:        "mail/topics/plan_submitted.txt",         "MDF in mind",     "Review by";
    PlanAgreed:           "mail/topics/plan_agreed.txt",            "MDF in mind",     "Next step by";
    PlanReturned:         "mail/topics/plan_returned.txt",          "MDF in mind",     "Send again by";
    ScorecardCompleted:   "mail/topics/scorecard_completed.txt",    "MDF in mind",     "Look at it by";
    RequestSubmitted:     "mail/topics/request_submitted.txt",      "Amount",          "Decide by";
    RequestApproved:      "mail/topics/request_approved.txt",       "Approved",        "First proof by";
    RequestReturned:      "mail/topics/request_returned.txt",       "Asked",           "Send again by";
    RequestDeclined:      "mail/topics/request_declined.txt",       "Asked",           "Day";
    RequestWithdrawn:     "mail/topics/request_withdrawn.txt",      "Was asked",       "Day";
    InformationAsked:     "mail/topics/information_asked.txt",      "Asked",           "Answer by";
    InformationAnswered:  "mail/topics/information_answered.txt",   "Asked",           "Decide by";
    ApprovalEscalated:    "mail/topics/approval_escalated.txt",     "Amount",          "Was due by";
    AmendmentRequested:   "mail/topics/amendment_requested.txt",    "Asked",           "Decide by";
    AmendmentDeclined:    "mail/topics/amendment_declined.txt",     "Approved",        "Proof by";
    ProofDue:             "mail/topics/proof_due.txt",              "Depends on it",   "Proof by";
    ProofOverdue:         "mail/topics/proof_overdue.txt",          "At risk",         "Was due by";
    ProofSubmitted:       "mail/topics/proof_submitted.txt",        "Depends on it",   "Review by";
    ProofAccepted:        "mail/topics/proof_accepted.txt",         "To claim",        "Claim by";
    ProofReturned:        "mail/topics/proof_returned.txt",         "Depends on it",   "Send again by";
    ClaimDue:             "mail/topics/claim_due.txt",              "Not yet claimed", "Claim by";
    ClaimSubmitted:       "mail/topics/claim_submitted.txt",        "Claimed",         "Review by";
    ClaimApproved:        "mail/topics/claim_approved.txt",         "Approved",        "Pay by";
    ClaimDenied:          "mail/topics/claim_denied.txt",           "Claimed",         "Claim until";
    ClaimPaid:            "mail/topics/claim_paid.txt",             "Paid",            "Paid on";
    Remittance:           "mail/topics/remittance.txt",             "Transferred",     "Paid on";
    ClawbackProposed:     "mail/topics/clawback_proposed.txt",      "To claw back",    "Decide by";
    ClawbackRejected:     "mail/topics/clawback_rejected.txt",      "Was asked back",  "Day";
    PaymentReturnReported: "mail/topics/payment_return_reported.txt", "Came back",     "Decide by";
    PaymentReturnRejected: "mail/topics/payment_return_rejected.txt", "Did not come back", "Day";
    PaymentReturned:      "mail/topics/payment_returned.txt",       "To be paid again", "Pay by";
    ClawedBack:           "mail/topics/clawed_back.txt",            "Clawed back",     "Return by";
    ActivityCancelled:    "mail/topics/activity_cancelled.txt",     RELEASED,          "Day";
    ActivityExpired:      "mail/topics/activity_expired.txt",       RELEASED,          "Last day";
    ClaimWindowClosed:    "mail/topics/claim_window_closed.txt",    RELEASED,          "Last day";
    DraftLapsing:         "mail/topics/draft_lapsing.txt",          "Planned",         "Lapses after";
    AskDue:               "mail/topics/ask_due.txt",                "Planned",         "Ask by";
    QuestionDue:          "mail/topics/question_due.txt",           "Asked",           "Answer by";
    QuestionOverdue:      "mail/topics/question_overdue.txt",       "Asked",           "Was due by";
    ReviewDue:            "mail/topics/review_due.txt",             "Depends on it",   "Due by";
    ReviewOverdue:        "mail/topics/review_overdue.txt",         "Depends on it",   "Was due by";
    TrackingEnding:       "mail/topics/tracking_ending.txt",        "Invested",        "Tracked until";
    ExtensionAsked:       "mail/topics/extension_asked.txt",        "Depends on it",   "Answer by";
    ExtensionGranted:     "mail/topics/extension_granted.txt",      "Depends on it",   "New last day";
    ExtensionDeclined:    "mail/topics/extension_declined.txt",     "Depends on it",   "Last day";
    ApprovalWaiting:      "mail/topics/approval_waiting.txt",       "Asked",           "Decide by";
    CycleCancelled:       "mail/topics/cycle_cancelled.txt",        RELEASED,          "Day";
    CycleExpired:         "mail/topics/cycle_expired.txt",          RELEASED,          "Ended on";
    TrackingStarted:      "mail/topics/tracking_started.txt",       "Invested",        "Tracked until";
    PerformanceReady:     "mail/topics/performance_ready.txt",      "Won",             "Sign by";
    ReviewSigned:         "mail/topics/review_signed.txt",          "Won",             "Sign by";
    CycleClosed:          "mail/topics/cycle_closed.txt",           "Paid in all",     "Day";
    FundsAllocated:       "mail/topics/funds_allocated.txt",        "Allocated",       "Use by";
    FundsExpiring:        "mail/topics/funds_expiring.txt",         "Expiring",        "Expires on";
    FundsForfeited:       "mail/topics/funds_forfeited.txt",        "Forfeited",       "Expired on";
    UnderThreshold:       "mail/topics/under_threshold.txt",        "Under it",        "Period until";
    CreditMoved:          "mail/topics/credit_moved.txt",           "Transferred",     "Use by";
    CreditAdjusted:       "mail/topics/credit_adjusted.txt",        "Adjusted by",     "Use by";
    ReinstatementProposed: "mail/topics/reinstatement_proposed.txt", "To reinstate",   "Good until";
    CreditReinstated:     "mail/topics/credit_reinstated.txt",      "Reinstated",      "Use by";
    Invitation:           "mail/topics/invitation.txt",             "Amount",          "Works until";
    PasswordReset:        "mail/topics/password_reset.txt",         "Amount",          "Works until";
    ImportFinished:       "mail/topics/import_finished.txt",        "Amount",          "Day";
}

/// A notice's facts as a sentence can use them: clean, written in the reader's marks, never empty where a
/// sentence cannot do without.
pub struct The {
    pub number: String,
    /// In quotation marks, so that a title cannot pass for our own words.
    pub title: String,
    pub partner: String,
    pub by: String,
    /// The activity, campaign or file it is about, also in quotation marks; without one, the title.
    pub what: String,
    pub sender: String,
    pub email: String,
    audience: Audience,
    /// `12,000 EUR`, with a space that does not break, as in the day: the HTML part needs it, the text part
    /// has it taken out.
    pub amount: Option<String>,
    /// `Fri 26 June 2026`
    pub due: Option<String>,
    pub item: Option<String>,
    /// One more sentence, after what comes next.
    note: Option<String>,
    pub doer: Option<String>,
    pub company: Option<String>,
}

impl The {
    pub fn new(notice: &Notice, to: &Recipient, sender: &Sender) -> Self {
        let facts = &notice.facts;
        let given = |text: &str| Some(clean::line(text)).filter(|text| !text.is_empty());
        let sender = clean::line(&sender.name);
        let number = clean::line(&facts.number);
        // Executives see results but sign nothing: a day that binds others would mislead them.
        let due =
            facts.due.filter(|_| (notice.topic, &notice.audience) != (Topic::PerformanceReady, &Audience::Executives));
        let released_nothing = |amount: &Money| amount.is_zero() && labels(notice.topic).amount == RELEASED;
        let amount = facts.amount.filter(|amount| !released_nothing(amount));
        let item = facts.item.as_deref().and_then(given);
        let doer = given(&facts.by);
        let company = given(&facts.partner);
        let title = match given(&facts.title) {
            Some(title) => quoted(&title),
            None => given(&number).unwrap_or_else(|| "this".to_owned()),
        };
        Self {
            partner: company.clone().unwrap_or_else(|| "the partner".to_owned()),
            by: doer.clone().unwrap_or_else(|| sender.clone()),
            what: item.as_deref().map_or_else(|| title.clone(), quoted),
            email: clean::line(&to.email),
            audience: notice.audience.clone(),
            amount: amount.map(|amount| format!("{}{BOUND}{}", amount.written(to.marks), amount.currency)),
            due: due.map(|day| day.format("%a %-d %B %Y").to_string().replace(' ', BOUND)),
            number,
            title,
            sender,
            item,
            note: facts.note.as_deref().and_then(given),
            doer,
            company,
        }
    }

    /// Read by the partner's own people: "your request".
    pub fn partners(&self) -> bool {
        matches!(self.audience, Audience::Partner(_))
    }

    fn approvers(&self) -> bool {
        matches!(self.audience, Audience::Approvers { .. } | Audience::DecidingManager(_))
    }

    fn finance(&self) -> bool {
        self.audience == Audience::Finance
    }

    fn administrators(&self) -> bool {
        self.audience == Audience::Administrators
    }

    fn executives(&self) -> bool {
        self.audience == Audience::Executives
    }

    /// The amount between two pieces of its sentence, or nothing.
    fn amount(&self, before: &str, after: &str) -> String {
        between(before, self.amount.as_deref(), after)
    }

    fn amount_or(&self, otherwise: &str) -> String {
        self.amount.clone().unwrap_or_else(|| otherwise.to_owned())
    }

    /// The day after its piece of the sentence, or nothing.
    fn due(&self, before: &str) -> String {
        between(before, self.due.as_deref(), "")
    }

    fn has_due(&self) -> bool {
        self.due.is_some()
    }

    /// What is to be done, as a clock says it: "decide the claim".
    fn task(&self) -> String {
        let note = self.note.as_deref().unwrap_or("Finish the review");
        let mut letters = note.chars();
        letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
    }

    fn note(&self, before: &str) -> String {
        between(before, self.note.as_deref(), "")
    }

    fn item(&self, before: &str) -> String {
        between(before, self.item.as_deref(), "")
    }

    fn doer(&self, before: &str, after: &str) -> String {
        between(before, self.doer.as_deref(), after)
    }

    /// ` of Nordwind Systems GmbH`, unless Nordwind reads it.
    fn whose(&self) -> String {
        between(" of ", self.company.as_deref().filter(|_| !self.partners()), "")
    }

    fn for_partner(&self) -> String {
        between(" for ", self.company.as_deref(), "")
    }
}

fn quoted(text: &str) -> String {
    format!("“{text}”")
}

fn between(before: &str, words: Option<&str>, after: &str) -> String {
    words.map(|words| format!("{before}{words}{after}")).unwrap_or_default()
}
