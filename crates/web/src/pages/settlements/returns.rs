//! POST /settlements/{no}/payments/{payment}/returns: the bank sent a whole payment back.

use actix_web::web::Path;
use domain::people::Role;
use domain::settlement::{Batch, BatchPayment};
use engine::settlements::returns::{Covered, PaymentReturn};

use super::payment::page;
use super::{href, once};
use crate::error::{Answer, Error};
use crate::extract::{Done, Who, finish};
use crate::posted::Posted;
use crate::steps::s7_execution::claim::returned::words;
use crate::view::{Field, Form};

/// What came back of a payment, or may have, and what this person can say of it.
pub(super) struct CameBack {
    pub words: Vec<String>,
    pub report: Option<Form>,
    pub confirm: Option<Form>,
    /// And the words of its button.
    pub ends: Option<(Form, &'static str)>,
}

pub(super) async fn came_back(
    who: &Who,
    batch: &Batch,
    payment: &BatchPayment,
    form: impl Fn(&str, Form) -> Form,
) -> Result<CameBack, Error> {
    let covered = who.site().engine.covered(who.viewer(), batch, payment).await?;
    let told = covered.iter().filter(|one| one.payment.returned.is_some());
    let words = told.map(|one| format!("{}: {}", one.name(), words(&one.payment))).collect();
    let mut shown = CameBack { words, report: None, confirm: None, ends: None };
    if !who.has(Role::Finance) {
        return Ok(shown);
    }
    let waits = |one: &&Covered| one.payment.returned.as_ref().is_some_and(|said| said.confirmed_by.is_none());
    let open = covered.iter().filter(waits).find_map(|one| one.payment.returned.as_ref());
    let blank = || who.form_at(batch.version);
    if let Some(open) = open {
        let mine = open.reported_by == who.actor().user();
        let (label, button) = if mine {
            ("Why you take it back", "Take the report back")
        } else {
            ("Why the payment stands", "Reject the report")
        };
        shown.ends = Some((form("returns/rejection", blank().with(area("reason", label))), button));
        shown.confirm = (!mine).then(|| form("returns/confirmation", blank()));
    } else if covered.iter().any(|one| one.payment.returned.is_none()) {
        let fields = blank()
            .with(Field::date("on", "Back on").value_is(who.today().to_string()))
            .with(
                Field::text("reference", "The bank's reference").hint("Of the return, as it stands on the statement."),
            )
            .with(area("reason", "Why the bank sent it back").hint("The partner reads it once it is confirmed."));
        shown.report = Some(form("returns", fields));
    }
    Ok(shown)
}

fn area(name: &str, label: &str) -> Field {
    Field::area(name, label, 2)
}

/// POST .../returns
pub async fn report(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, payment) = at.into_inner();
    let step = posted.read(who.marks(), |f| {
        let (on, reference, reason) = (f.date("on"), f.text("reference"), f.long_text("reason"));
        Some(PaymentReturn::Report { payment, on: on?, reference: reference?, reason: reason? })
    });
    answer(&who, (&no, payment, "returns"), step, &posted).await
}

/// POST .../returns/confirmation
pub async fn confirm(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, payment) = at.into_inner();
    let step = posted.read(who.marks(), |_| Some(PaymentReturn::Confirm { payment }));
    answer(&who, (&no, payment, "returns/confirmation"), step, &posted).await
}

/// POST .../returns/rejection
pub async fn reject(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, payment) = at.into_inner();
    let step = posted.read(who.marks(), |f| Some(PaymentReturn::Reject { payment, reason: f.long_text("reason")? }));
    answer(&who, (&no, payment, "returns/rejection"), step, &posted).await
}

async fn answer(
    who: &Who,
    (no, payment, form): (&str, u16, &str),
    step: Result<PaymentReturn, Error>,
    posted: &Posted,
) -> Answer {
    let done: Result<Done, Error> = match step {
        Ok(step) => {
            let (engine, actor) = (who.site().engine.clone(), who.actor().clone());
            let (number, once) = (no.to_owned(), once(posted));
            finish(async move { engine.payment_return(&actor, &number, &step, &once).await }).await.map(Done::from)
        }
        Err(error) => Err(error),
    };
    let to = format!("{}/payments/{payment}", href(no));
    who.settle(done, &to, posted, async |typed| page(who, no, payment, form, typed).await).await
}
