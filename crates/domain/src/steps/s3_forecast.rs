//! Step 3, forecast: campaigns with their funnel and what it may bring. Committing freezes the baseline.

use super::{Case, Outcome, Stamp, Teller, Told, check_optional, check_text, next_no};
use crate::campaign_id::CAMPAIGNS_PER_CYCLE;
use crate::cycle::{Cycle, Stage};
use crate::forecast::{Assumptions, Baseline, baseline, roi_percent};
use crate::money::Money;
use crate::refusal::{Reason, Refusal};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The unit of forecast, funding, proof, tracking and ROI.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Campaign {
    /// Its number in the cycle: 1, 2, 3.
    pub no: u16,
    pub draft: CampaignDraft,
    /// Frozen when the forecast is committed.
    pub baseline: Option<Baseline>,
    /// The campaign ID, from approval on.
    pub code: Option<String>,
    pub cancelled: Option<String>,
}

impl Cycle {
    /// What its campaigns are forecast to return over what they cost, in percent with one decimal: the means of the frozen
    /// baselines, which add up over campaigns as their middle outcomes would not. `None` before the forecast is committed,
    /// and where nothing costs anything.
    pub fn forecast_roi(&self) -> Option<Decimal> {
        let frozen = || self.campaigns.iter().filter_map(|campaign| campaign.baseline.as_ref());
        let revenue: Decimal = frozen().map(|baseline| baseline.revenue.mean()).sum();
        let cost: Decimal = frozen().map(|baseline| baseline.cost.decimal()).sum();
        roi_percent(revenue, cost)
    }
}

/// What the partner writes of a campaign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignDraft {
    pub name: String,
    /// A tactic of the benchmarks: `webinar`.
    pub tactic: String,
    pub audience: String,
    /// Where responders land; tracked links lead there and nowhere else.
    pub landing_url: Option<String>,
    /// All it will cost, whoever pays.
    pub cost: Money,
    pub assumptions: Assumptions,
    /// Why an assumption lies outside the benchmark's range.
    #[serde(default)]
    pub reason: String,
}

// A command lives for one request; its size costs nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Adds a campaign (`no` absent) or changes one.
    Save {
        no: Option<u16>,
        draft: CampaignDraft,
    },
    Drop {
        no: u16,
    },
    Commit {},
}

// An event lives for one decision; its size costs nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Saved { no: u16, draft: CampaignDraft },
    Dropped { no: u16 },
    Committed { baselines: Vec<Frozen> },
}

/// A campaign's number and its frozen forecast.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Frozen {
    pub campaign: u16,
    pub baseline: Baseline,
}

pub fn decide(case: &Case, command: &Command) -> Result<Vec<Outcome>, Refusal> {
    let cycle = &case.s.cycle;
    let event = match command {
        Command::Save { no, draft } => {
            let no = match no {
                Some(no) if cycle.campaign(*no).is_some() => *no,
                Some(no) => return Err(missing(*no)),
                None => next_no(cycle.campaigns.iter().map(|campaign| campaign.no)),
            };
            sound(case, no, draft)?;
            Event::Saved { no, draft: draft.clone() }
        }
        Command::Drop { no } => {
            cycle.campaign(*no).ok_or_else(|| missing(*no))?;
            Event::Dropped { no: *no }
        }
        Command::Commit {} => Event::Committed { baselines: freeze(case)? },
    };
    Ok(vec![event.into()])
}

pub(super) fn missing(no: u16) -> Refusal {
    Refusal::new(
        "no_campaign",
        format!("This cycle has no campaign {no}."),
        "Go back to the forecast and choose one that is there.",
    )
}

fn sound(case: &Case, no: u16, draft: &CampaignDraft) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    if no > CAMPAIGNS_PER_CYCLE {
        reasons.push(Reason::new(
            "too_many",
            "A cycle holds at most 99 campaigns.",
            "Open another cycle for this one.",
        ));
    }
    check_text("name", "The campaign's name", &draft.name, 120, &mut reasons);
    check_text("audience", "The audience", &draft.audience, 300, &mut reasons);
    check_optional("reason", "The reason", &draft.reason, 2_000, &mut reasons);
    if case.s.benchmarks.tactic(&draft.tactic).is_none() {
        reasons.push(Reason::new("tactic", "That is no tactic we know.", "Choose one from the list.").at("tactic"));
    }
    if let Some(url) = &draft.landing_url {
        let lower = url.to_ascii_lowercase();
        let safe = (lower.starts_with("https://") || lower.starts_with("http://"))
            && !url.chars().any(|c| c.is_whitespace() || c.is_control())
            && url.len() <= 500;
        if !safe {
            reasons.push(
                Reason::new("landing_url", "The landing page is no web address.", "Write it with https:// in front.")
                    .at("landing_url"),
            );
        }
    }
    let currency = case.s.cycle.currency;
    if !draft.cost.is_kept_in(currency, 1) {
        reasons.push(
            Reason::new("cost", format!("The campaign has no cost in {currency}."), "Enter what it will cost in all.")
                .at("cost"),
        );
    }
    let names = ["lead_rate", "mql_rate", "opportunity_rate", "proposal_rate", "win_rate"];
    for (name, rate) in names.into_iter().zip(draft.assumptions.rates()).chain([("margin", draft.assumptions.margin)]) {
        if rate < Decimal::ZERO || rate > Decimal::ONE {
            reasons.push(Reason::new("rate", "A rate is a share of what came before.", "Enter 0 to 100 %.").at(name));
        }
    }
    if !draft.assumptions.deal_size.is_kept_in(currency, 0) {
        reasons.push(
            Reason::new("deal_size", format!("The deal size is none in {currency}."), "Enter the average deal size.")
                .at("deal_size"),
        );
    }
    Refusal::unless_empty(reasons)
}

/// The baselines of all campaigns, or why the forecast cannot be committed yet.
fn freeze(case: &Case) -> Result<Vec<Frozen>, Refusal> {
    let cycle = &case.s.cycle;
    if cycle.campaigns.is_empty() {
        return Err(Refusal::new("no_campaigns", "The forecast has no campaign yet.", "Add at least one campaign."));
    }
    let light = cycle.scorecard.result.as_ref().map(|result| result.light);
    let mut reasons = Vec::new();
    let mut baselines = Vec::new();
    for campaign in &cycle.campaigns {
        let draft = &campaign.draft;
        let Some(tactic) = case.s.benchmarks.tactic(&draft.tactic) else {
            reasons.push(Reason::new(
                "tactic",
                format!("“{}” uses a tactic that is no longer offered.", draft.name),
                "Choose another one.",
            ));
            continue;
        };
        let unusual = draft.assumptions.unusual(tactic, draft.cost);
        if !unusual.is_empty() && draft.reason.trim().is_empty() {
            let fields = unusual.join(", ").replace('_', " ");
            reasons.push(Reason::new(
                "unusual",
                format!("“{}” assumes more or less than nine in ten such campaigns ({fields}).", draft.name),
                "Give a reason the approver can weigh, or change the assumption.",
            ));
        }
        let seed = u64::from(cycle.serial) * 100 + u64::from(campaign.no);
        let evidence = case.s.evidence.iter().find(|evidence| evidence.tactic == draft.tactic);
        baselines.push(Frozen {
            campaign: campaign.no,
            baseline: baseline(draft.cost, &draft.assumptions, tactic, case.s.benchmarks.effect(light), evidence, seed),
        });
    }
    Refusal::unless_empty(reasons)?;
    Ok(baselines)
}

pub fn apply(cycle: &mut Cycle, event: &Event, _stamp: Stamp) {
    match event {
        Event::Saved { no, draft } => match cycle.campaigns.iter_mut().find(|campaign| campaign.no == *no) {
            Some(campaign) => campaign.draft = draft.clone(),
            None => cycle.campaigns.push(Campaign {
                no: *no,
                draft: draft.clone(),
                baseline: None,
                code: None,
                cancelled: None,
            }),
        },
        Event::Dropped { no } => {
            cycle.campaigns.retain(|campaign| campaign.no != *no);
            cycle.activities.retain(|activity| activity.draft.campaign != *no);
        }
        Event::Committed { baselines } => {
            for campaign in &mut cycle.campaigns {
                campaign.baseline = baselines
                    .iter()
                    .find(|frozen| frozen.campaign == campaign.no)
                    .map(|frozen| frozen.baseline.clone());
            }
            cycle.stage = Stage::ActionPlanDraft;
        }
    }
}

pub fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    match event {
        Event::Saved { draft, .. } => {
            Told::quiet("forecast.saved", format!("{by} saved the campaign “{}”.", draft.name))
        }
        Event::Dropped { no } => {
            Told::quiet("forecast.dropped", format!("{by} took campaign {no} out of the forecast."))
        }
        Event::Committed { baselines } => Told::new(
            "forecast.committed",
            format!(
                "{by} committed the forecast: {} campaign{}; the baseline is frozen.",
                baselines.len(),
                if baselines.len() == 1 { "" } else { "s" }
            ),
        ),
    }
}
