//! Step 9, performance to plan: /cycles/{no}/performance. The frozen forecast beside the same funnel as it came; each
//! figure opens the deals behind it, each deal its journey.

mod deals;
mod review;
mod view;

pub use deals::{DealLine, deal_lines, show_deal, show_deals};

use actix_web::web::{Path, Query};
use askama::Template;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::steps::s9_performance::{self as rules, Measurement, measure};
use serde::Deserialize;

use self::review::{Signature, sign_form, signatures, signs_as};
use self::view::View;
use super::look;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Form, HeaderStrip, date_words};

#[derive(Template)]
#[template(path = "s9_performance/performance.html")]
struct PerformancePage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    form: Form,
    /// `None` until campaigns run.
    view: Option<View>,
    again: bool,
    sign: Option<Form>,
    signs_as: String,
    signatures: Vec<Signature>,
    /// Words and address of each, newest first.
    measurements: Vec<(String, String)>,
}

#[derive(Deserialize, Default)]
pub struct Asked {
    /// One campaign instead of all.
    campaign: Option<u16>,
    /// The place of a measurement, from 1, oldest first.
    at: Option<usize>,
}

/// GET /cycles/{no}/performance
pub async fn show_page(who: Who, no: Path<String>, asked: Query<Asked>) -> Answer {
    show(&page(&who, &no, &asked, &Typed::default()).await?)
}

/// POST /cycles/{no}/performance/measurement
pub async fn measure_again(who: Who, no: Path<String>, posted: Posted) -> Answer {
    command(&who, &no, &posted, |_| Ok(rules::Command::Measure {})).await
}

/// POST /cycles/{no}/performance/signature
pub async fn sign(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let read = |posted: &Posted| {
        let lessons = posted.read(who.marks(), |f| f.long_text("lessons"))?;
        Ok(rules::Command::Sign { lessons })
    };
    command(&who, &no, &posted, read).await
}

async fn command(
    who: &Who,
    no: &str,
    posted: &Posted,
    read: impl FnOnce(&Posted) -> Result<rules::Command, Error>,
) -> Answer {
    let done = async { who.advance(no, Command::Performance(read(posted)?), posted).await };
    let to = format!("/cycles/{no}/performance");
    who.settle(done.await, &to, posted, async |typed| page(who, no, &Asked::default(), &typed).await).await
}

async fn page(who: &Who, no: &str, asked: &Asked, typed: &Typed) -> Result<PerformancePage, Error> {
    let s = look(who, no).await?;
    let moves = moves_of(&s, who.actor());
    let sign = moves.contains(&Act::SignReview) && may_sign(who, &s);
    let shown = shown(who, &s, asked)?;
    let campaign = asked.campaign;
    if campaign.is_some_and(|no| s.cycle.campaign(no).is_none()) {
        return Err(Error::NotFound);
    }
    Ok(PerformancePage {
        shell: who.shell(&format!("Performance · {}", s.cycle.title)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        form: who.form_at(s.cycle.version),
        view: shown.map(|(when, measured)| View::new(who, &s, &measured, when, asked)),
        again: moves.contains(&Act::MeasureAgain),
        sign: sign.then(|| typed.onto(sign_form(who, &s))),
        signs_as: signs_as(who, &s),
        signatures: signatures(who, &s),
        measurements: measurements(&s),
    })
}

/// A side signs once.
fn may_sign(who: &Who, s: &Situation) -> bool {
    let review = &s.cycle.review;
    if who.actor().me.partner.is_some() { review.partner.is_none() } else { review.manager.is_none() }
}

/// The measurement asked for, or the last one, or how it stands now; with the words for when it was made.
fn shown(who: &Who, s: &Situation, asked: &Asked) -> Result<Option<(String, Measurement)>, Error> {
    let kept = &s.cycle.review.measurements;
    let words = |measured: &Measurement| format!("Measured {}.", date_words(measured.at.date_naive()));
    if let Some(place) = asked.at {
        let measured = place.checked_sub(1).and_then(|place| kept.get(place)).ok_or(Error::NotFound)?;
        return Ok(Some((words(measured), measured.clone())));
    }
    if let Some(measured) = kept.last() {
        return Ok(Some((words(measured), measured.clone())));
    }
    let has_baseline = s.cycle.campaigns.iter().any(|campaign| campaign.baseline.is_some() && campaign.code.is_some());
    Ok(has_baseline.then(|| {
        let when = format!(
            "As it stands today, {}. It is measured for the record when tracking closes.",
            date_words(who.today())
        );
        (when, measure(s, who.now()))
    }))
}

fn measurements(s: &Situation) -> Vec<(String, String)> {
    let kept = s.cycle.review.measurements.iter().enumerate().rev();
    kept.map(|(index, measured)| {
        let words = format!("{}: {} won", date_words(measured.at.date_naive()), measured.won);
        (words, format!("/cycles/{}/performance?at={}", s.cycle.number, index + 1))
    })
    .collect()
}
