//! The review: what each side has learned, signed once by each.

use domain::machine::Situation;
use domain::steps::s9_performance as rules;

use crate::extract::Who;
use crate::view::{Badge, Field, Form, Tone, date_words};

pub struct Signature {
    pub side: String,
    pub badge: Badge,
    pub by: String,
    pub lessons: String,
}

pub fn sign_form(who: &Who, s: &Situation) -> Form {
    let lessons = Field::area("lessons", "What you learned", 5)
        .hint("What to repeat, what to leave, what surprised you. The next forecast is made with it in view.");
    who.form_at(s.cycle.version).with(lessons)
}

pub fn signs_as(who: &Who, s: &Situation) -> String {
    if who.actor().me.partner.is_some() { s.partner.name.clone() } else { "channel manager".to_owned() }
}

pub fn signatures(who: &Who, s: &Situation) -> Vec<Signature> {
    let review = &s.cycle.review;
    let line = |side: String, signed: &Option<rules::Signature>| match signed {
        Some(signed) => Signature {
            side,
            badge: Badge::new(Tone::Ok, "Signed"),
            by: format!("{}, {}", signed.by_name, date_words(signed.at.date_naive())),
            lessons: signed.lessons.clone(),
        },
        None => Signature { side, badge: Badge::new(Tone::Wait, "Not yet"), by: String::new(), lessons: String::new() },
    };
    let vendor = if who.actor().me.partner.is_some() { "The vendor" } else { "Channel manager" };
    vec![line(s.partner.name.clone(), &review.partner), line(vendor.to_owned(), &review.manager)]
}
