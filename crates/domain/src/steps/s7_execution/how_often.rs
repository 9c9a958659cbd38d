//! How many claims a program takes, held against those that stand.

use super::claims::{Claim, ClaimState};
use crate::cycle::Cycle;
use crate::machine::Situation;
use crate::policy::{Verdict, rules};
use std::collections::BTreeSet;

/// Claims on a campaign that were not denied.
pub(super) fn standing(cycle: &Cycle, campaign: u16) -> impl Iterator<Item = &Claim> {
    cycle.claims.iter().filter(move |claim| claim.campaign == campaign && claim.state != ClaimState::Denied)
}

/// The number of claims the program allows, held against those that stand.
pub(super) fn how_many(s: &Situation, campaign: u16, activities: BTreeSet<u16>, standing: &[&Claim]) -> Vec<Verdict> {
    let policy = &s.policy;
    let name = s.cycle.campaign(campaign).map_or("", |campaign| campaign.draft.name.as_str());
    let mut verdicts = vec![rules::most_claims(name, policy.claim.most_per_campaign, standing.len())];
    for no in activities {
        let Some(activity) = s.cycle.activity(no) else { continue };
        let on_it = |claim: &&&Claim| claim.lines.iter().any(|line| line.invoice.activity == no);
        let earlier = standing.iter().filter(on_it).count();
        verdicts.push(rules::most_claims(&activity.draft.name, policy.claim.most_per_activity, earlier));
    }
    verdicts
}

/// The same for a claim that was made, held against those before it.
pub(crate) fn how_many_before(s: &Situation, claim: &Claim) -> Vec<Verdict> {
    let before: Vec<&Claim> = standing(&s.cycle, claim.campaign).filter(|other| other.no < claim.no).collect();
    how_many(s, claim.campaign, claim.lines.iter().map(|line| line.invoice.activity).collect(), &before)
}
