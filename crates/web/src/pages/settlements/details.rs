//! Where money is sent: /payment-details for partners, /settlements/account/{currency} for the account the house pays from.
//!
//! A new account is typed whole; what is kept is shown masked, and in full to finance only.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::ids::PartnerId;
use domain::money::Currency;
use domain::payee::PaymentDetails;
use domain::people::Role;
use engine::settlements::Owner;
use serde::Deserialize;
use storage::read::DetailsShown;

use crate::error::{Answer, Error};
use crate::extract::{Done, Who, finish, once, show};
use crate::fields::Typed;
use crate::pages::cycle::moment;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Fact, Facts, Field, Form};

#[derive(Template)]
#[template(path = "pages/settlements/details.html")]
struct DetailsPage {
    shell: Shell,
    title: String,
    lead: String,
    action: String,
    /// The way back: its words and its address.
    back: (&'static str, String),
    known: Option<Facts>,
    changed: String,
    /// Nothing for those who may only look.
    form: Option<Form>,
    who_may: &'static str,
}

/// Whose; only the vendor's people say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    partner: String,
}

/// GET /payment-details, GET /payment-details?partner=...
pub async fn show_page(who: Who, asked: Query<Asked>) -> Answer {
    let partner = who.whose(&asked.partner)?;
    show(&of_partner(&who, partner, Typed::default()).await?)
}

/// POST /payment-details
pub async fn submit(who: Who, posted: Posted) -> Answer {
    let partner = who.actor().me.partner.ok_or(Error::NotFound)?;
    let done = keep(&who, Owner::Partner(partner), &posted).await;
    who.settle(done, "/payment-details", &posted, async |typed| of_partner(&who, partner, typed).await).await
}

/// GET /settlements/account/{currency}
pub async fn show_account(who: Who, code: Path<String>) -> Answer {
    let currency = Currency::from_code(&code).ok_or(Error::NotFound)?;
    show(&of_house(&who, currency, Typed::default()).await?)
}

/// POST /settlements/account/{currency}
pub async fn submit_account(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let currency = Currency::from_code(&code).ok_or(Error::NotFound)?;
    let done = keep(&who, Owner::House(currency), &posted).await;
    let to = format!("/settlements/account/{}", currency.code());
    who.settle(done, &to, &posted, async |typed| of_house(&who, currency, typed).await).await
}

async fn keep(who: &Who, owner: Owner, posted: &Posted) -> Result<Done, Error> {
    let details = posted.read(who.marks(), |f| {
        let payee = f.text("payee");
        let [iban, account, routing, bic] =
            ["iban", "account", "routing", "bic"].map(|name| f.optional_text(name).map(Option::unwrap_or_default));
        Some(PaymentDetails { payee: payee?, iban: iban?, account: account?, routing: routing?, bic: bic? })
    })?;
    let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(posted));
    finish(async move { engine.set_payment_details(&actor, owner, &details, &once).await }).await.map(Done::from)
}

async fn of_partner(who: &Who, partner: PartnerId, typed: Typed) -> Result<DetailsPage, Error> {
    let shown = who.reader().payment_details(who.viewer(), partner).await?;
    let names = who.reader().partner_names(who.viewer()).await?;
    let name = names.into_iter().find(|(id, _)| *id == partner).ok_or(Error::NotFound)?.1;
    let me = &who.actor().me;
    let may = me.partner == Some(partner) && me.has(Role::PartnerAdmin);
    let own = me.is_partner();
    Ok(DetailsPage {
        shell: who.shell("Payment details"),
        title: if own { "Payment details".to_owned() } else { format!("Payment details of {name}") },
        lead: if own {
            "Where the money of your claims is sent.".to_owned()
        } else {
            "Where the money of its claims is sent.".to_owned()
        },
        action: "/payment-details".to_owned(),
        back: if own { ("Wallet", "/wallet".to_owned()) } else { ("Partner", format!("/partners/{partner}")) },
        known: known(who, Owner::Partner(partner), shown.as_ref()).await?,
        changed: changed(shown.as_ref()),
        form: may.then(|| typed.onto(form(who))),
        who_may: "They are kept by the partner's own administrators.",
    })
}

async fn of_house(who: &Who, currency: Currency, typed: Typed) -> Result<DetailsPage, Error> {
    let shown = who.reader().own_account(who.viewer(), currency).await?;
    Ok(DetailsPage {
        shell: who.shell("The account we pay from"),
        title: format!("The account {currency} is paid from"),
        lead: "Stands in the payment file as the payer's.".to_owned(),
        action: format!("/settlements/account/{}", currency.code()),
        back: ("Settlements", "/settlements".to_owned()),
        known: known(who, Owner::House(currency), shown.as_ref()).await?,
        changed: changed(shown.as_ref()),
        form: who.has(Role::Finance).then(|| typed.onto(form(who))),
        who_may: "It is kept by finance.",
    })
}

fn changed(shown: Option<&DetailsShown>) -> String {
    shown.map_or_else(String::new, |shown| format!("{} set them on {}.", shown.by, moment(shown.at)))
}

async fn known(who: &Who, owner: Owner, shown: Option<&DetailsShown>) -> Result<Option<Facts>, Error> {
    let Some(shown) = shown else { return Ok(None) };
    if who.has(Role::Finance) && !who.actor().me.is_partner() {
        let details = who.reader().details_in_full(who.viewer(), &owner.key(), Some(shown.version)).await?;
        return Ok(Some(in_full(&details)));
    }
    let facts = vec![Fact::new("Payee", shown.payee.clone()), Fact::new("Account", shown.account.clone())];
    Ok(Some(Facts { facts }))
}

/// For finance, who must compare it with the bank's letter.
pub(super) fn in_full(details: &PaymentDetails) -> Facts {
    let rows = [
        ("Payee", &details.payee),
        ("IBAN", &details.iban),
        ("Account", &details.account),
        ("Routing number", &details.routing),
        ("BIC", &details.bic),
    ];
    let facts = rows.into_iter().filter(|(_, text)| !text.is_empty());
    Facts { facts: facts.map(|(label, text)| Fact::new(label, text.clone())).collect() }
}

fn form(who: &Who) -> Form {
    let text = |name: &str, label: &str, hint: &str| Field::text(name, label).hint(hint).optional().autocomplete("off");
    who.form()
        .with(Field::text("payee", "Payee").hint("The account holder, as the bank knows it.").autocomplete("off"))
        .with(text("iban", "IBAN", "Its check digits are looked at."))
        .with(text("account", "Account number", "Only where the account has no IBAN."))
        .with(text("routing", "Routing number or sort code", "Nine digits (ABA) or six, with an account number."))
        .with(text("bic", "BIC", "Of the bank; 8 or 11 characters."))
}
