//! Step 8, activity tracking: nobody works by hand; responders, touches and deals arrive by link, form,
//! import and API, and are counted per campaign. The step ends when its window closes.

use super::s9_performance::{Measurement, measure};
use super::{Case, Outcome, Stamp, Teller, Told};
use crate::calendar::{plus, words};
use crate::cycle::{Cycle, Stage};
use crate::forecast::FunnelStage;
use crate::ids::{CycleId, PartnerId};
use crate::machine::Situation;
use crate::money::Money;
use crate::notice::{Audience, Topic};
use crate::refusal::Refusal;
use crate::{Date, Instant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What has arrived so far that bears on one cycle: every touch of every company and person its campaigns
/// met, by whichever campaign, and their deals.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Results {
    pub touches: Vec<TouchFact>,
    pub deals: Vec<DealFact>,
}

/// One dated contact of a responder with a campaign, or with the vendor directly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TouchFact {
    pub id: Uuid,
    pub at: Instant,
    /// The campaign, by cycle and number; `None` for the vendor's own.
    pub campaign: Option<(CycleId, u16)>,
    pub partner: Option<PartnerId>,
    pub person: Option<Uuid>,
    pub company: Option<Uuid>,
    /// The person reacted; an invitation alone is no response.
    pub response: bool,
    /// How far the person had come: responses, leads or MQLs.
    pub reached: FunnelStage,
}

/// A registered deal or CRM opportunity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DealFact {
    pub id: Uuid,
    pub name: String,
    pub company: Option<Uuid>,
    pub person: Option<Uuid>,
    pub partner: Option<PartnerId>,
    /// The stage's name as the CRM writes it.
    pub stage: String,
    pub amount: Money,
    /// The partner registered it with the vendor.
    pub registered: bool,
    pub created_on: Date,
    pub closed_on: Option<Date>,
    pub is_won: bool,
    pub is_closed: bool,
    /// The campaign the CRM names as its source.
    pub source: Option<(CycleId, u16)>,
}

impl DealFact {
    /// How far a deal has come in the funnel, from its CRM stage's name.
    pub fn reached(&self) -> FunnelStage {
        if self.is_won {
            return FunnelStage::Wins;
        }
        let stage = self.stage.to_lowercase();
        let late = ["proposal", "quote", "demo", "negotiat", "contract", "price", "angebot", "verhandlung"];
        if late.iter().any(|word| stage.contains(word)) { FunnelStage::Proposals } else { FunnelStage::Opportunities }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// The timer when the window has passed, or the manager before.
    Close {},
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Closed { measurement: Measurement },
}

/// The last day results count before the first measurement.
pub fn window_closes(s: &Situation) -> Date {
    plus(s.cycle.period.to, s.policy.tracking.days)
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    match command {
        Command::Close {} => {
            let closes = window_closes(case.s);
            if case.actor.is_system() && case.today <= closes {
                return Err(Refusal::new(
                    "window_open",
                    format!("The tracking window closes {}.", words(closes)),
                    "The timer comes back then.",
                ));
            }
            Ok(vec![Event::Closed { measurement: measure(case.s, case.now) }.into()])
        }
    }
}

pub fn apply(cycle: &mut Cycle, event: &Event, _stamp: Stamp) {
    match event {
        Event::Closed { measurement } => {
            cycle.review.measurements.push(measurement.clone());
            cycle.stage = Stage::PerformanceMeasured;
        }
    }
}

pub fn tell(teller: &Teller, event: &Event) -> Told {
    match event {
        Event::Closed { measurement } => Told::new(
            "tracking.closed",
            format!(
                "{} closed tracking; performance is measured: {} of {} forecast.",
                teller.by, measurement.won, measurement.expected_revenue
            ),
        )
        .to(teller.to_partner(Topic::PerformanceReady, "/performance").amount(measurement.won))
        .to(teller.to_manager(Topic::PerformanceReady, "/performance").amount(measurement.won))
        .to(teller.notice(Topic::PerformanceReady, Audience::Executives, "/performance").amount(measurement.won)),
    }
}
