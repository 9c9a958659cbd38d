//! Step 3, the forecast: /cycles/{no}/forecast, its campaigns, and the check page before the baseline freezes.

mod campaign;
mod outlook;

pub use campaign::{add, change, new, show_campaign};

use actix_web::web::Path;
use askama::Template;
use domain::cycle::Stage;
use domain::forecast::Baseline;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::refusal::Reason;
use domain::steps::s3_forecast::{self as rules, Campaign};

use self::outlook::{Funnel, chance, outlook, revenue, roi};
use super::{look, objections};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Form, HeaderStrip, count};

#[derive(Template)]
#[template(path = "s3_forecast/forecast.html")]
struct ForecastPage {
    shell: Shell,
    strip: HeaderStrip,
    form: Form,
    number: String,
    /// Campaigns can be added and changed now.
    open: bool,
    frozen: bool,
    campaigns: Vec<Card>,
    cost: Amount,
    effect: Option<String>,
}

impl ForecastPage {
    fn new_href(&self) -> String {
        format!("/cycles/{}/forecast/campaigns/new", self.number)
    }
}

/// One campaign with what it may bring.
struct Card {
    no: u16,
    name: String,
    code: Option<String>,
    cancelled: Option<String>,
    tactic: String,
    audience: String,
    landing_url: Option<String>,
    cost: Amount,
    revenue: String,
    roi: String,
    chance: String,
    funnel: Funnel,
    reason: String,
    /// Assumptions outside the usual range, in words.
    unusual: String,
}

#[derive(Template)]
#[template(path = "s3_forecast/check.html")]
struct CheckPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    form: Form,
    campaigns: Vec<Card>,
    cost: Amount,
    words: String,
    missing: Vec<Reason>,
}

/// GET /cycles/{no}/forecast
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, &Typed::default()).await?)
}

/// POST /cycles/{no}/forecast/campaigns/{campaign}/removal
pub async fn remove(who: Who, path: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, campaign) = path.into_inner();
    let done = async {
        posted.read(who.marks(), |_| Some(()))?;
        who.advance(&no, Command::Forecast(rules::Command::Drop { no: campaign }), &posted).await
    };
    let to = format!("/cycles/{no}/forecast");
    who.settle(done.await, &to, &posted, async |typed| page(&who, &no, &typed).await).await
}

/// GET /cycles/{no}/forecast/check
pub async fn check(who: Who, no: Path<String>) -> Answer {
    let s = look(&who, &no).await?;
    if !moves_of(&s, who.actor()).contains(&Act::CommitForecast) {
        return who.redirect(&format!("/cycles/{no}/forecast"), "This forecast has been committed.");
    }
    show(&check_page(&who, &s, &Typed::default()))
}

/// POST /cycles/{no}/forecast/commitment: the baseline freezes.
pub async fn commit(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        posted.read(who.marks(), |_| Some(()))?;
        who.advance(&no, Command::Forecast(rules::Command::Commit {}), &posted).await
    };
    let to = format!("/cycles/{no}/action-plan");
    who.settle(done.await, &to, &posted, async |typed| Ok(check_page(&who, &look(&who, &no).await?, &typed))).await
}

async fn page(who: &Who, no: &str, typed: &Typed) -> Result<ForecastPage, Error> {
    let s = look(who, no).await?;
    let open = moves_of(&s, who.actor()).contains(&Act::SaveCampaign);
    Ok(ForecastPage {
        shell: who.shell(&format!("Forecast · {}", s.cycle.title)),
        strip: HeaderStrip::of(&s, who.today()),
        form: typed.onto(who.form_at(s.cycle.version)),
        number: s.cycle.number.clone(),
        open,
        frozen: s.cycle.campaigns.iter().any(|campaign| campaign.baseline.is_some()),
        campaigns: cards(&s),
        cost: s.cycle.sum(s.cycle.campaigns.iter().map(|campaign| campaign.draft.cost)).into(),
        effect: (s.cycle.stage == Stage::ForecastDraft).then(|| super::s2_scorecard::effect_words(&s)).flatten(),
    })
}

fn check_page(who: &Who, s: &Situation, typed: &Typed) -> CheckPage {
    CheckPage {
        shell: who.shell(&format!("Check the forecast · {}", s.cycle.title)),
        strip: HeaderStrip::of(s, who.today()),
        number: s.cycle.number.clone(),
        form: typed.onto(who.form_at(s.cycle.version)),
        campaigns: cards(s),
        cost: s.cycle.sum(s.cycle.campaigns.iter().map(|campaign| campaign.draft.cost)).into(),
        words: count(s.cycle.campaigns.len() as u64, "campaign", "campaigns"),
        missing: objections(who, s, &Command::Forecast(rules::Command::Commit {})),
    }
}

fn cards(s: &Situation) -> Vec<Card> {
    s.cycle.campaigns.iter().map(|campaign| card(s, campaign)).collect()
}

fn card(s: &Situation, campaign: &Campaign) -> Card {
    let draft = &campaign.draft;
    let tactic = s.benchmarks.tactic(&draft.tactic);
    let unusual = tactic.map(|tactic| draft.assumptions.unusual(tactic, draft.cost)).unwrap_or_default();
    let baseline: Option<Baseline> = campaign.baseline.clone().or_else(|| outlook(s, campaign.no, draft));
    let words = |of: fn(&Baseline) -> String| baseline.as_ref().map_or_else(|| "not known".to_owned(), of);
    Card {
        no: campaign.no,
        name: draft.name.clone(),
        code: campaign.code.clone(),
        cancelled: campaign.cancelled.clone(),
        tactic: tactic.map_or_else(|| draft.tactic.clone(), |tactic| tactic.name.clone()),
        audience: draft.audience.clone(),
        landing_url: draft.landing_url.clone(),
        cost: draft.cost.into(),
        revenue: words(revenue),
        roi: words(roi),
        chance: words(chance),
        funnel: Funnel::of(baseline.as_ref()),
        reason: draft.reason.clone(),
        unusual: unusual.iter().map(|field| campaign::label(field)).collect::<Vec<_>>().join(", "),
    }
}
