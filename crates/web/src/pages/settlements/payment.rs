//! /settlements/{no}/payments/{payment}: one payment, its account in full, and what became of it, told by hand.

use actix_web::web::Path;
use askama::Template;
use domain::people::Role;
use domain::settlement::{BatchState, Outcome, PaymentState};
use engine::settlements::Owner;

use super::returns::{CameBack, came_back};
use super::{href, payment_badge, record};
use crate::error::{Answer, Error};
use crate::extract::{Done, Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::s7_execution::claim_href;
use crate::view::{Amount, Badge, Fact, Facts, Field, Form, date_words};

#[derive(Template)]
#[template(path = "pages/settlements/payment.html")]
pub(super) struct PaymentPage {
    shell: Shell,
    name: String,
    number: String,
    back: String,
    href: String,
    partner: String,
    state: Badge,
    facts: Facts,
    account: Facts,
    claims: Vec<Line>,
    paid: Option<Form>,
    rejected: Option<Form>,
    came_back: CameBack,
}

struct Line {
    name: String,
    title: String,
    href: String,
    amount: Amount,
    held_back: Amount,
    sent: Amount,
}

/// GET /settlements/{no}/payments/{payment}
pub async fn show_page(who: Who, at: Path<(String, u16)>) -> Answer {
    let (no, payment) = at.into_inner();
    show(&page(&who, &no, payment, "", Typed::default()).await?)
}

pub(super) async fn page(who: &Who, no: &str, payment: u16, sent: &str, typed: Typed) -> Result<PaymentPage, Error> {
    let batch = who.reader().settlement(who.viewer(), no).await?;
    let payment = batch.payment(payment).ok_or(Error::NotFound)?;
    let name = batch.end_to_end(payment.no);
    let line = |claim: &domain::settlement::BatchClaim| Line {
        name: claim.name(),
        title: claim.title.clone(),
        href: claim_href(&claim.number, claim.claim),
        amount: Amount::exactly(claim.amount),
        held_back: Amount::exactly(claim.offset),
        sent: Amount::exactly(domain::money::Money::new(claim.amount.minor - claim.offset.minor, batch.currency)),
    };
    let acts = who.has(Role::Finance) && batch.state == BatchState::Exported && payment.state == PaymentState::Open;
    let form = |name: &str, form: Form| if sent == name { typed.onto(form) } else { form };
    let paid = || {
        let day = Field::date("on", "Paid on").value_is(who.today().to_string());
        let reference = Field::text("reference", "Payment reference").hint("As it stands on the bank transfer.");
        who.form_at(batch.version).with(day).with(reference)
    };
    let rejected = || who.form_at(batch.version).with(Field::area("reason", "What the bank says", 2));
    let mut facts = vec![
        Fact::new("Settles", Amount::exactly(payment.gross())),
        Fact::new("Held back", Amount::exactly(payment.offset())).note("against earlier claw backs"),
        Fact::new("To transfer", Amount::exactly(payment.net())),
    ];
    if let Some(day) = payment.paid_on {
        facts.push(Fact::new("Paid on", date_words(day)).note(payment.reference.clone()));
    }
    if !payment.reason.is_empty() {
        facts.push(Fact::new("The bank says", payment.reason.clone()));
    }
    Ok(PaymentPage {
        shell: who.shell(&format!("Payment {name}")),
        back: href(&batch.number),
        href: format!("{}/payments/{}", href(&batch.number), payment.no),
        partner: payment.partner_name.clone(),
        state: payment_badge(payment.state),
        facts: Facts { facts },
        account: account(who, Owner::Partner(payment.partner), payment.details).await?,
        claims: payment.claims.iter().map(line).collect(),
        paid: acts.then(|| form("settlement", paid())),
        rejected: acts.then(|| form("rejection", rejected())),
        came_back: came_back(who, &batch, payment, form).await?,
        number: batch.number.clone(),
        name,
    })
}

/// In full for finance, who must compare it; masked for everybody else.
async fn account(who: &Who, owner: Owner, version: i64) -> Result<Facts, Error> {
    let Owner::Partner(partner) = owner else { return Err(Error::NotFound) };
    if !who.has(Role::Finance) {
        let known = who.reader().payment_details(who.viewer(), partner).await?;
        let facts = known.map(|known| vec![Fact::new("Payee", known.payee), Fact::new("Account", known.account)]);
        return Ok(Facts { facts: facts.unwrap_or_default() });
    }
    let details = who.reader().details_in_full(who.viewer(), &owner.key(), Some(version)).await?;
    Ok(super::details::in_full(&details))
}

/// POST /settlements/{no}/payments/{payment}/settlement
pub async fn settle(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, payment) = at.into_inner();
    let outcome = posted.read(who.marks(), |f| {
        let (on, reference) = (f.date("on"), f.text("reference"));
        Some(Outcome::Paid { payment, on: on?, reference: reference? })
    });
    answer(&who, (&no, payment, "settlement"), outcome, &posted).await
}

/// POST /settlements/{no}/payments/{payment}/rejection
pub async fn reject(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, payment) = at.into_inner();
    let outcome = posted.read(who.marks(), |f| Some(Outcome::Rejected { payment, reason: f.long_text("reason")? }));
    answer(&who, (&no, payment, "rejection"), outcome, &posted).await
}

async fn answer(
    who: &Who,
    (no, payment, form): (&str, u16, &str),
    outcome: Result<Outcome, Error>,
    posted: &Posted,
) -> Answer {
    let done: Result<Done, Error> = match outcome {
        Ok(outcome) => record(who, no, vec![outcome], posted).await,
        Err(error) => Err(error),
    };
    who.settle(done, &href(no), posted, async |typed| page(who, no, payment, form, typed).await).await
}
