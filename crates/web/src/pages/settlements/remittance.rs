//! /remittances/{no}/{payment}: what a payment covered, for the partner's books; made to be printed.

use actix_web::web::Path;
use askama::Template;
use domain::money::Money;

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::steps::s7_execution::claim_href;
use crate::view::{Amount, Fact, Facts, date_words};

#[derive(Template)]
#[template(path = "pages/settlements/remittance.html")]
struct RemittancePage {
    shell: Shell,
    name: String,
    partner: String,
    facts: Facts,
    lines: Vec<Line>,
    gross: Amount,
    held_back: Option<Amount>,
    net: Amount,
    printed: String,
}

struct Line {
    name: String,
    title: String,
    href: String,
    amount: Amount,
}

/// GET /remittances/{no}/{payment}
pub async fn show_page(who: Who, at: Path<(String, u16)>) -> Answer {
    let (no, payment) = at.into_inner();
    let batch = who.reader().remittance(who.viewer(), &no, payment).await?;
    let payment = batch.payment(payment).ok_or(Error::NotFound)?;
    let account = who.reader().payment_details(who.viewer(), payment.partner).await?;
    let mut facts = vec![
        Fact::new("Paid on", payment.paid_on.map(date_words).unwrap_or_default()),
        Fact::new("Reference", payment.reference.clone()),
    ];
    // The account of another version is another account.
    if let Some(account) = account.filter(|account| account.version == payment.details) {
        facts.push(Fact::new("Paid to", format!("{}, {}", account.payee, account.account)));
    }
    let line = |claim: &domain::settlement::BatchClaim| Line {
        name: claim.name(),
        title: claim.title.clone(),
        href: claim_href(&claim.number, claim.claim),
        amount: Amount::exactly(claim.amount),
    };
    let offset: Money = payment.offset();
    show(&RemittancePage {
        shell: who.shell(&format!("Remittance {}", batch.end_to_end(payment.no))),
        name: batch.end_to_end(payment.no),
        partner: payment.partner_name.clone(),
        facts: Facts { facts },
        lines: payment.claims.iter().filter(|claim| claim.amount.is_positive()).map(line).collect(),
        gross: Amount::exactly(payment.gross()),
        held_back: offset.is_positive().then(|| Amount::exactly(offset)),
        net: Amount::exactly(payment.net()),
        printed: date_words(who.today()),
    })
}
