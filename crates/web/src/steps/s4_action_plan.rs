//! Step 4, the action plan: /cycles/{no}/action-plan, its activities, its agenda, and the check before it is committed.

pub(in crate::steps) mod activity;
mod agenda;

pub use activity::{add, change, new, show_activity};
pub use agenda::download;

use actix_web::web::Path;
use askama::Template;
use domain::cycle::Stage;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::refusal::Reason;
use domain::steps::s3_forecast::Campaign;
use domain::steps::s4_action_plan::{self as rules, Activity};

use self::agenda::{AgendaDay, agenda};
use super::{look, objections};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Badge, Due, Form, HeaderStrip, Tone, activity_badge, count, short_date};

#[derive(Template)]
#[template(path = "s4_action_plan/action_plan.html")]
struct ActionPlanPage {
    shell: Shell,
    strip: HeaderStrip,
    form: Form,
    number: String,
    /// Activities can be added and changed now.
    open: bool,
    reopen: bool,
    campaigns: Vec<CampaignPart>,
    agenda: Vec<AgendaDay>,
    is_empty: bool,
}

/// A campaign with what will be done for it.
struct CampaignPart {
    no: u16,
    name: String,
    activities: Vec<Line>,
    planned: Amount,
    forecast: Amount,
    sum: Badge,
}

struct Line {
    no: u16,
    name: String,
    kind: String,
    days: String,
    place: String,
    owner: String,
    goal: String,
    cost: Amount,
    lines: String,
    /// The last day to ask for it; `None` once it was asked for.
    ask_by: Option<Due>,
    state: Option<Badge>,
}

#[derive(Template)]
#[template(path = "s4_action_plan/check.html")]
struct CheckPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    form: Form,
    campaigns: Vec<CampaignPart>,
    missing: Vec<Reason>,
    words: String,
    ask_by: Option<Due>,
}

/// GET /cycles/{no}/action-plan
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, &Typed::default()).await?)
}

/// POST /cycles/{no}/action-plan/activities/{activity}/removal
pub async fn remove(who: Who, path: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, activity) = path.into_inner();
    let to = format!("/cycles/{no}/action-plan");
    command(&who, &no, &posted, rules::Command::Drop { no: activity }, &to).await
}

/// POST /cycles/{no}/action-plan/reopening: back to the forecast, which becomes a draft again.
pub async fn reopen(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let to = format!("/cycles/{no}/forecast");
    command(&who, &no, &posted, rules::Command::Reopen {}, &to).await
}

async fn command(who: &Who, no: &str, posted: &Posted, command: rules::Command, to: &str) -> Answer {
    let done = async {
        posted.read(who.marks(), |_| Some(()))?;
        who.advance(no, Command::ActionPlan(command), posted).await
    };
    who.settle(done.await, to, posted, async |typed| page(who, no, &typed).await).await
}

/// GET /cycles/{no}/action-plan/check
pub async fn check(who: Who, no: Path<String>) -> Answer {
    let s = look(&who, &no).await?;
    if !moves_of(&s, who.actor()).contains(&Act::CommitActionPlan) {
        return who.redirect(&format!("/cycles/{no}/action-plan"), "This action plan has been committed.");
    }
    show(&check_page(&who, &s, &Typed::default()))
}

/// POST /cycles/{no}/action-plan/commitment
pub async fn commit(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        posted.read(who.marks(), |_| Some(()))?;
        who.advance(&no, Command::ActionPlan(rules::Command::Commit {}), &posted).await
    };
    let to = format!("/cycles/{no}/request");
    who.settle(done.await, &to, &posted, async |typed| Ok(check_page(&who, &look(&who, &no).await?, &typed))).await
}

async fn page(who: &Who, no: &str, typed: &Typed) -> Result<ActionPlanPage, Error> {
    let s = look(who, no).await?;
    let moves = moves_of(&s, who.actor());
    Ok(ActionPlanPage {
        shell: who.shell(&format!("Action plan · {}", s.cycle.title)),
        strip: HeaderStrip::of(&s, who.today()),
        form: typed.onto(who.form_at(s.cycle.version)),
        number: s.cycle.number.clone(),
        open: moves.contains(&Act::SaveActivity),
        reopen: moves.contains(&Act::ReopenForecast),
        campaigns: parts(who, &s),
        agenda: agenda(who, &s),
        is_empty: s.cycle.activities.is_empty(),
    })
}

fn check_page(who: &Who, s: &Situation, typed: &Typed) -> CheckPage {
    let last_days = s.cycle.activities.iter().map(|activity| last_day(s, activity));
    CheckPage {
        shell: who.shell(&format!("Check the action plan · {}", s.cycle.title)),
        strip: HeaderStrip::of(s, who.today()),
        number: s.cycle.number.clone(),
        form: typed.onto(who.form_at(s.cycle.version)),
        campaigns: parts(who, s),
        missing: objections(who, s, &Command::ActionPlan(rules::Command::Commit {})),
        words: count(s.cycle.activities.len() as u64, "activity", "activities"),
        ask_by: last_days.min().map(|on| Due { on, today: who.today() }),
    }
}

fn parts(who: &Who, s: &Situation) -> Vec<CampaignPart> {
    s.cycle.campaigns.iter().map(|campaign| part(who, s, campaign)).collect()
}

fn part(who: &Who, s: &Situation, campaign: &Campaign) -> CampaignPart {
    let mut of_campaign: Vec<&Activity> =
        s.cycle.activities.iter().filter(|activity| activity.draft.campaign == campaign.no).collect();
    of_campaign.sort_by_key(|activity| (activity.draft.starts, activity.no));
    let planned =
        domain::money::Money::new(of_campaign.iter().map(|activity| activity.draft.cost()).sum(), s.cycle.currency);
    let forecast = campaign.draft.cost;
    let gap = Amount::new((forecast.minor - planned.minor).abs(), s.cycle.currency.exponent(), s.cycle.currency.code());
    let sum = match planned.minor.cmp(&forecast.minor) {
        std::cmp::Ordering::Equal => Badge::new(Tone::Ok, "Adds up to the forecast"),
        std::cmp::Ordering::Less => Badge::new(Tone::Warn, format!("{} left to plan", gap.plain())),
        std::cmp::Ordering::Greater => Badge::new(Tone::Bad, format!("{} over the forecast", gap.plain())),
    };
    CampaignPart {
        no: campaign.no,
        name: campaign.draft.name.clone(),
        activities: of_campaign.into_iter().map(|activity| line(who, s, activity)).collect(),
        planned: planned.into(),
        forecast: forecast.into(),
        sum,
    }
}

fn line(who: &Who, s: &Situation, activity: &Activity) -> Line {
    let (draft, today) = (&activity.draft, who.today());
    let goal = s.cycle.plan.draft.objectives.iter().find(|goal| goal.no == draft.objective);
    let days = if draft.starts == draft.ends {
        short_date(draft.starts, today)
    } else {
        format!("{} to {}", short_date(draft.starts, today), short_date(draft.ends, today))
    };
    let is_asked = !matches!(s.cycle.stage, Stage::ActionPlanDraft | Stage::RequestDraft);
    Line {
        no: activity.no,
        name: draft.name.clone(),
        kind: s.policy.activity_type(&draft.kind).map_or_else(|| draft.kind.clone(), |kind| kind.name.clone()),
        days,
        place: draft.place.clone(),
        owner: draft.owner.clone(),
        goal: goal.map_or_else(|| format!("goal {}", draft.objective), |goal| goal.goal.clone()),
        cost: domain::money::Money::new(draft.cost(), s.cycle.currency).into(),
        lines: count(draft.costs.len() as u64, "cost line", "cost lines"),
        ask_by: (!is_asked).then(|| Due { on: last_day(s, activity), today }),
        state: is_asked.then(|| activity_badge(activity.state)),
    }
}

fn last_day(s: &Situation, activity: &Activity) -> domain::Date {
    s.policy.last_day_to_ask(activity.draft.starts, &s.partner.country)
}
