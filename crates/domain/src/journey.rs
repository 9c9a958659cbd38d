//! The rows behind the derived metrics: which deals a cycle's campaigns touched, and each deal's journey with what every
//! model gives every touch, in words.

use crate::Instant;
use crate::ids::{CycleId, PartnerId};
use crate::machine::Situation;
use crate::money::Money;
use crate::steps::s8_tracking::{DealFact, TouchFact};
use crate::steps::s9_performance::{MODELS, credited, influenced, journey, sourced};
use attribution::{Journey, Touch, credit};
use chrono::{NaiveTime, TimeDelta};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A deal one of the cycle's campaigns touched before its close, or is the source of.
#[derive(Clone, PartialEq, Debug)]
pub struct TouchedDeal<'a> {
    pub deal: &'a DealFact,
    /// Campaigns of this cycle that touched it.
    pub campaigns: Vec<u16>,
    /// The campaign of this cycle whose touch created it.
    pub sourced_by: Option<u16>,
}

/// One touch of a journey and what it is given.
#[derive(Clone, PartialEq, Debug)]
pub struct JourneyTouch<'a> {
    pub touch: &'a TouchFact,
    /// Per model, in the order of [`MODELS`].
    pub given: Vec<Given>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// `first`, `last`, `linear`
    pub model: &'static str,
    /// Exact to the minor unit; the amounts of one model add up to the deal's.
    pub amount: Money,
    /// "50 %: first touch"
    pub words: String,
}

/// Every deal the cycle's campaigns touched, newest first.
pub fn touched_deals(s: &Situation) -> Vec<TouchedDeal<'_>> {
    let mut found: Vec<TouchedDeal> = s.results.deals.iter().filter_map(|deal| touched(s, deal)).collect();
    found
        .sort_by_key(|found| std::cmp::Reverse((found.deal.closed_on.unwrap_or(found.deal.created_on), found.deal.id)));
    found
}

fn touched<'a>(s: &Situation, deal: &'a DealFact) -> Option<TouchedDeal<'a>> {
    let all = s.cycle.campaigns.iter().map(|campaign| campaign.no);
    let campaigns: Vec<u16> = all.filter(|no| influenced(s, *no, deal)).collect();
    let sourced_by = campaigns.iter().copied().find(|no| sourced(s, *no, deal));
    (!campaigns.is_empty()).then_some(TouchedDeal { deal, campaigns, sourced_by })
}

/// A campaign's share of a won deal under each model, in the order of [`MODELS`]; nothing of a deal that is not won or
/// is in another currency.
pub fn shares(s: &Situation, campaign: u16, deal: &DealFact) -> Vec<Money> {
    let counts = deal.is_won && deal.amount.currency == s.cycle.currency;
    MODELS.iter().map(|(_, model)| if counts { credited(s, campaign, deal, model) } else { s.cycle.zero() }).collect()
}

/// One deal's journey up to its close, oldest touch first; `None` where no campaign of this cycle touched it. An open
/// deal's amount is divided as if it were won now.
pub fn journey_of(s: &Situation, id: Uuid, now: Instant) -> Option<(TouchedDeal<'_>, Vec<JourneyTouch<'_>>)> {
    let deal = s.results.deals.iter().find(|deal| deal.id == id)?;
    let found = touched(s, deal)?;
    let mut touches: Vec<&TouchFact> = journey(s, deal).collect();
    touches.sort_by_key(|touch| (touch.at, touch.id));
    let mut given: BTreeMap<Uuid, Vec<Given>> = BTreeMap::new();
    let end = deal.closed_on.map_or(now, |day| day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1));
    let owners = channels(&touches);
    for (model, rule) in &MODELS {
        let kernel = touches.iter().map(|touch| {
            let channel = owners.get(&(touch.partner, touch.campaign)).copied().unwrap_or(0);
            Touch::new(touch.id.as_u128(), channel, touch.at.timestamp())
        });
        let journey = Journey::won(kernel.collect(), deal.amount.minor, end.timestamp());
        for part in credit(rule, &journey, None).parts {
            let touch = Uuid::from_u128(journey.touches()[part.touch].id);
            let amount = Money::new(part.amount, deal.amount.currency);
            given.entry(touch).or_default().push(Given { model, amount, words: part.to_string() });
        }
    }
    let line = |touch: &'_ TouchFact| given.get(&touch.id).cloned().unwrap_or_default();
    let lines = touches.into_iter().map(|touch| JourneyTouch { given: line(touch), touch }).collect();
    Some((found, lines))
}

/// What the kernel tells apart: a partner's campaign, or the vendor's own.
type Whose = (Option<PartnerId>, Option<(CycleId, u16)>);

/// A number for each campaign that touched.
fn channels(touches: &[&TouchFact]) -> BTreeMap<Whose, u32> {
    let mut channels = BTreeMap::new();
    for touch in touches {
        let next = u32::try_from(channels.len()).unwrap_or(u32::MAX);
        channels.entry((touch.partner, touch.campaign)).or_insert(next);
    }
    channels
}
