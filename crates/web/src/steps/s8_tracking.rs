//! Step 8, activity tracking: /cycles/{no}/tracking. Campaign IDs, tracked links, who answered, which deals, and the
//! counts so far against the plan.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use domain::Date;
use domain::forecast::FunnelStage;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::steps::s8_tracking as rules;
use domain::steps::s9_performance::{Measurement, measure};
use engine::results::MEDIUMS;
use qrcode::QrCode;
use qrcode::render::svg;
use rust_decimal::prelude::ToPrimitive;
use storage::read::{LinkSeen, Responder, TouchSeen};

use super::{look, s9_performance};
use crate::charts::{PlanActual, PlanActualRow, Scale, Unit};
use crate::error::{Answer, Error, internal};
use crate::extract::{Who, finish, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::routes;
use crate::shell::Shell;
use crate::view::{Choice, Field, Form, HeaderStrip, count, date_words, short_date};

/// People, touches and deals shown; all of them are behind the import's and the API's lists.
const SHOWN: u32 = 100;

#[derive(Template)]
#[template(path = "s8_tracking/tracking.html")]
struct TrackingPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    form: Form,
    campaigns: Vec<CampaignLine>,
    so_far: Option<PlanActual>,
    links: Vec<LinkLine>,
    /// Where a new link can be made.
    link_form: Option<Form>,
    responders: Vec<ResponderLine>,
    touches: Vec<TouchLine>,
    deals: Vec<s9_performance::DealLine>,
    /// The window's last day, in words.
    window: String,
    may_close: bool,
    may_import: bool,
}

/// A campaign and how it is known to others.
struct CampaignLine {
    name: String,
    tactic: String,
    code: Option<String>,
    landing: Option<String>,
    cancelled: bool,
}

struct LinkLine {
    code: String,
    label: String,
    campaign: String,
    address: String,
    leads_to: String,
    clicks: i64,
}

struct ResponderLine {
    name: String,
    email: String,
    company: String,
    campaign: String,
    touches: String,
    last: String,
    response: bool,
}

struct TouchLine {
    when: String,
    who: String,
    campaign: String,
    source: String,
    status: String,
    reached: &'static str,
    response: bool,
}

/// GET /cycles/{no}/tracking
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, &Typed::default()).await?)
}

/// POST /cycles/{no}/tracking/links
pub async fn make_link(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let (campaign, label, medium) = posted.read(who.marks(), |f| {
            let campaign = f.whole("campaign", 1..=99);
            let label = f.text("label");
            let medium =
                f.choice("medium", |code| MEDIUMS.iter().find(|(known, _)| *known == code).map(|(known, _)| *known));
            Some((u16::try_from(campaign?).ok()?, label?, medium?))
        })?;
        let (engine, actor, number) = (who.site().engine.clone(), who.actor().clone(), no.to_string());
        let code = finish(async move { engine.make_link(&actor, &number, campaign, &label, medium).await }).await?;
        Ok::<_, Error>(format!("Made the link /go/{code}."))
    };
    let to = format!("/cycles/{no}/tracking#links");
    who.settle(done.await, &to, &posted, async |typed| page(&who, &no, &typed).await).await
}

/// POST /cycles/{no}/tracking/closing
pub async fn close(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = async {
        posted.read(who.marks(), |_| Some(()))?;
        who.advance(&no, Command::Tracking(rules::Command::Close {}), &posted).await
    };
    let to = format!("/cycles/{no}/performance");
    who.settle(done.await, &to, &posted, async |typed| page(&who, &no, &typed).await).await
}

/// GET /cycles/{no}/tracking/links/{code}/qr.svg
pub async fn qr(who: Who, path: Path<(String, String)>) -> Answer {
    let (no, code) = path.into_inner();
    let cycle = who.reader().cycle(who.viewer(), engine::WhichCycle::Number(&no)).await?;
    let links = who.reader().links_of(who.viewer(), cycle.id).await?;
    let link = links.iter().find(|link| link.code == code).ok_or(Error::NotFound)?;
    let address = address(&who, &link.code);
    let drawn = QrCode::new(address.as_bytes()).map_err(internal)?;
    let image = drawn.render::<svg::Color>().min_dimensions(240, 240).quiet_zone(true).build();
    let name = format!("inline; filename=\"qr-{}.svg\"", link.code);
    Ok(HttpResponse::Ok().content_type("image/svg+xml").insert_header(("content-disposition", name)).body(image))
}

async fn page(who: &Who, no: &str, typed: &Typed) -> Result<TrackingPage, Error> {
    let s = look(who, no).await?;
    let moves = moves_of(&s, who.actor());
    let (reader, viewer, cycle) = (who.reader(), who.viewer(), s.cycle.id);
    let links = reader.links_of(viewer, cycle).await?;
    let responders = reader.responders(viewer, cycle, SHOWN).await?;
    let touches = reader.touches_of(viewer, cycle, SHOWN).await?;
    let deals = s9_performance::deal_lines(who, &s, None).await?;
    let is_live = s.cycle.campaigns.iter().any(|campaign| campaign.code.is_some());
    Ok(TrackingPage {
        shell: who.shell(&format!("Tracking · {}", s.cycle.title)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        form: who.form_at(s.cycle.version),
        so_far: is_live.then(|| so_far(&s, &measure(&s, who.now()), who.today())),
        campaigns: s.cycle.campaigns.iter().map(campaign_line(&s)).collect(),
        links: links.into_iter().map(|link| link_line(who, &s, link)).collect(),
        link_form: is_live.then(|| typed.onto(link_form(who, &s))),
        responders: responders.into_iter().map(|row| responder_line(who, &s, row)).collect(),
        touches: touches.into_iter().map(|row| touch_line(who, &s, row)).collect(),
        deals,
        window: date_words(domain::calendar::plus(s.cycle.period.to, s.policy.tracking.days)),
        may_close: moves.contains(&Act::CloseTracking),
        may_import: routes::opens("/imports", who.signed()),
    })
}

fn campaign_line(s: &Situation) -> impl Fn(&domain::steps::s3_forecast::Campaign) -> CampaignLine + '_ {
    |campaign| CampaignLine {
        name: campaign.draft.name.clone(),
        tactic: s
            .benchmarks
            .tactic(&campaign.draft.tactic)
            .map_or_else(|| campaign.draft.tactic.clone(), |tactic| tactic.name.clone()),
        code: campaign.code.clone(),
        landing: campaign.draft.landing_url.clone(),
        cancelled: campaign.cancelled.is_some(),
    }
}

/// The frozen forecast as far as it should have come by today, beside what has arrived. People are expected evenly over
/// the cycle's period, deals up to the end of the tracking window.
fn so_far(s: &Situation, measured: &Measurement, today: Date) -> PlanActual {
    let window = domain::calendar::plus(s.cycle.period.to, s.policy.tracking.days);
    let rows = FunnelStage::ALL.into_iter().map(|stage| {
        let to = if stage <= FunnelStage::Mqls { s.cycle.period.to } else { window };
        let plan = measured.campaigns.iter().map(|campaign| campaign.plan[stage as usize]).sum();
        let actual: u32 = measured.campaigns.iter().map(|campaign| campaign.actual[stage as usize]).sum();
        PlanActualRow {
            label: stage.label().to_owned(),
            href: None,
            unit: Unit::Count,
            plan: by_day(plan, (s.cycle.period.from, to), today),
            actual: Some(i64::from(actual)),
        }
    });
    PlanActual {
        caption: "So far, against the plan by today".to_owned(),
        sub: format!(
            "Planned evenly: people until {}, deals until {}.",
            short_date(s.cycle.period.to, today),
            short_date(window, today)
        ),
        scale: Scale::Shared,
        rows: rows.collect(),
    }
}

/// A planned figure as far as it should have come by a day, whole, half to even.
pub fn by_day(plan: rust_decimal::Decimal, (from, to): (Date, Date), day: Date) -> i64 {
    let whole = (to - from).num_days().max(1);
    let gone = ((day - from).num_days() + 1).clamp(0, whole);
    (plan * rust_decimal::Decimal::from(gone) / rust_decimal::Decimal::from(whole)).round().to_i64().unwrap_or(0)
}

fn link_form(who: &Who, s: &Situation) -> Form {
    let campaigns = s.cycle.campaigns.iter().filter(|campaign| campaign.code.is_some() && campaign.cancelled.is_none());
    let choices = campaigns.map(|campaign| Choice::new(campaign.no.to_string(), &campaign.draft.name)).collect();
    let mediums = MEDIUMS.iter().map(|(code, words)| Choice::new(*code, *words)).collect();
    who.form()
        .with(Field::select("campaign", "Campaign", choices))
        .with(Field::text("label", "Where it will stand").hint("Such as “Autumn newsletter”; it becomes utm_source."))
        .with(Field::select("medium", "How it reaches people", mediums))
}

fn address(who: &Who, code: &str) -> String {
    let path = format!("/go/{code}");
    who.site().base_url.join(&path).map_or(path, |url| url.to_string())
}

fn link_line(who: &Who, s: &Situation, link: LinkSeen) -> LinkLine {
    LinkLine {
        address: address(who, &link.code),
        campaign: campaign_name(s, link.campaign_no),
        leads_to: link.url.split('?').next().unwrap_or_default().to_owned(),
        code: link.code,
        label: link.label,
        clicks: link.clicks,
    }
}

fn responder_line(who: &Who, s: &Situation, row: Responder) -> ResponderLine {
    ResponderLine {
        name: row.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Somebody without a name".to_owned()),
        email: row.email.unwrap_or_default(),
        company: row.company.unwrap_or_default(),
        campaign: campaign_name(s, row.campaign_no),
        touches: count(row.touches.unsigned_abs(), "touch", "touches"),
        last: short_date(row.last_at.date_naive(), who.today()),
        response: row.response,
    }
}

fn touch_line(who: &Who, s: &Situation, row: TouchSeen) -> TouchLine {
    let name = row.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Somebody".to_owned());
    TouchLine {
        when: short_date(row.at.date_naive(), who.today()),
        who: row.company.map_or_else(|| name.clone(), |company| format!("{name}, {company}")),
        campaign: campaign_name(s, row.campaign_no),
        source: source_words(&row.source),
        status: row.status.unwrap_or_default(),
        reached: row.reached.label(),
        response: row.response,
    }
}

/// Where a touch came from, in words.
fn source_words(source: &str) -> String {
    match source.split(':').take(2).collect::<Vec<_>>().as_slice() {
        ["import", "salesforce"] => "Salesforce".to_owned(),
        ["import", ..] => "Import".to_owned(),
        ["form", ..] => "Form".to_owned(),
        ["link", ..] => "Link".to_owned(),
        ["api", ..] => "API".to_owned(),
        [other, ..] => (*other).to_owned(),
        [] => String::new(),
    }
}

pub fn campaign_name(s: &Situation, no: u16) -> String {
    s.cycle.campaign(no).map_or_else(|| format!("Campaign {no}"), |campaign| campaign.draft.name.clone())
}
