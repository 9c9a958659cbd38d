//! What a cycle that starts as a copy takes along: words, assumptions and costs, moved to the new period. Nothing that
//! was decided comes along: no agreement, baseline, approval, campaign ID, proof or money.

use crate::Date;
use crate::cycle::{Cycle, Period, Stage};
use crate::money::Currency;
use crate::steps::s1_plan::PlanDraft;
use crate::steps::s3_forecast::{Campaign, CampaignDraft};
use crate::steps::s4_action_plan::{Activity, ActivityDraft};
use crate::steps::s7_execution::ActivityState;
use serde::{Deserialize, Serialize};

/// Drafts of another cycle of the same partner, as they start in a new one.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Drafts {
    pub plan: Option<PlanDraft>,
    pub campaigns: Vec<CampaignDraft>,
    pub activities: Vec<ActivityDraft>,
}

impl Drafts {
    /// The drafts of `source` for another period: days keep their distance from the period's first day, and campaigns
    /// and activities that were cancelled stay behind.
    pub fn copied(source: &Cycle, period: Period) -> Self {
        let shift = period.from - source.period.from;
        let moved = |day: Date| day.checked_add_signed(shift).unwrap_or(day);
        let kept: Vec<&Campaign> = source.campaigns.iter().filter(|campaign| campaign.cancelled.is_none()).collect();
        let place = |no: u16| (1..).zip(&kept).find(|(_, campaign)| campaign.no == no).map(|(place, _)| place);
        let activity = |activity: &Activity| {
            let draft = &activity.draft;
            let (starts, ends) = (moved(draft.starts), moved(draft.ends));
            Some(ActivityDraft { campaign: place(draft.campaign)?, starts, ends, ..draft.clone() })
        };
        // Where the whole cycle was cancelled, that is no word about any one activity.
        let is_whole = matches!(source.stage, Stage::Cancelled | Stage::Withdrawn);
        let ran = source.activities.iter().filter(|activity| is_whole || activity.state != ActivityState::Cancelled);
        Self {
            plan: Some(source.plan.draft.clone()),
            campaigns: kept.iter().map(|campaign| campaign.draft.clone()).collect(),
            activities: ran.filter_map(activity).collect(),
        }
    }

    /// Whether every amount is in this currency.
    pub fn are_in(&self, currency: Currency) -> bool {
        self.campaigns.iter().all(|campaign| campaign.cost.currency == currency)
    }

    /// Puts the drafts where the new cycle keeps its own; an agreed plan of the period stays as it was agreed.
    pub(crate) fn place_into(&self, cycle: &mut Cycle) {
        if let Some(plan) = self.plan.as_ref().filter(|_| cycle.plan.agreed.is_none()) {
            cycle.plan.draft = plan.clone();
        }
        let campaign = |(no, draft): (u16, &CampaignDraft)| Campaign {
            no,
            draft: draft.clone(),
            baseline: None,
            code: None,
            cancelled: None,
        };
        let activity = |(no, draft): (u16, &ActivityDraft)| Activity::new(no, draft.clone());
        cycle.campaigns = (1..).zip(&self.campaigns).map(campaign).collect();
        cycle.activities = (1..).zip(&self.activities).map(activity).collect();
    }
}
