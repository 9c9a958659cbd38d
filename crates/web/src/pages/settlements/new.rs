//! /settlements/new: what a batch of the chosen claims would pay, what it leaves out and why; then it is built.

use actix_web::HttpRequest;
use askama::Template;
use domain::ids::PartnerId;
use domain::money::{Currency, Money};
use domain::settlement::{Batch, MOST_CLAIMS, Pick};
use domain::steps::s7_execution::ClaimState;
use engine::WhichCycle;
use engine::settlements::{Checked, NewBatch};
use std::collections::BTreeMap;
use storage::read::{ClaimFilter, Paging};
use url::form_urlencoded;

use super::href;
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, once, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::s7_execution::claim_href;
use crate::view::{Amount, Field, Form, count};

const TO_PAY: [ClaimState; 2] = [ClaimState::Payable, ClaimState::PartPaid];
const LIST: &str = "/claims?view=pay";

#[derive(Template)]
#[template(path = "pages/settlements/new.html")]
struct NewPage {
    shell: Shell,
    form: Form,
    currency: &'static str,
    partners: Vec<Payee>,
    funds: Vec<(String, Amount)>,
    refused: Vec<(String, String, String)>,
    gross: Amount,
    held_back: Option<Amount>,
    net: Amount,
    button: String,
    /// More match than one batch takes.
    cut: bool,
}

/// What one partner would be paid.
struct Payee {
    name: String,
    claims: Vec<Line>,
    gross: Amount,
    held_back: Option<Amount>,
    net: Amount,
}

struct Line {
    name: String,
    title: String,
    href: String,
    field: String,
    held_back: Option<Amount>,
}

/// What the address asks for: `pick=C-2026-0042/1` again and again, or `all=yes` with the list's own filters.
#[derive(Default)]
struct Asked {
    picks: Vec<Pick>,
    all: bool,
    partner: Option<PartnerId>,
    text: Option<String>,
    currency: Option<Currency>,
}

/// GET /settlements/new?pick=C-2026-0042/1&pick=... or ?all=yes&currency=EUR&partner=&q=
pub async fn show_page(who: Who, req: HttpRequest) -> Answer {
    let mut asked = Asked::of(req.query_string());
    let cut = if asked.all { asked.take_all(&who).await? } else { false };
    if asked.picks.is_empty() {
        return who.redirect(LIST, "Tick the claims to pay first.");
    }
    let currency = match asked.currency {
        Some(currency) => currency,
        None => currency_of(&who, &asked.picks).await?,
    };
    let new = NewBatch { currency, claims: asked.picks };
    show(&page(&who, &new, cut, Typed::default()).await?)
}

impl Asked {
    fn of(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "pick" if asked.picks.len() < MOST_CLAIMS => asked.picks.extend(parse_pick(&value)),
                "all" => asked.all = value == "yes",
                "partner" => asked.partner = value.parse().ok(),
                "q" => asked.text = Some(value.into_owned()).filter(|text| !text.trim().is_empty()),
                "currency" => asked.currency = Currency::from_code(&value),
                _ => {}
            }
        }
        asked
    }

    /// Every claim that matches the filters, oldest first; says whether there are more than a batch takes.
    async fn take_all(&mut self, who: &Who) -> Result<bool, Error> {
        let filter = ClaimFilter {
            states: TO_PAY.to_vec(),
            partner: self.partner,
            currency: self.currency,
            text: self.text.clone(),
            ..ClaimFilter::default()
        };
        let most = u16::try_from(MOST_CLAIMS).unwrap_or(u16::MAX);
        let found = who.reader().claims(who.viewer(), &filter, &Paging::first(most)).await?;
        self.currency = self.currency.or_else(|| found.rows.first().map(|row| row.currency));
        let pick = |row: storage::read::ClaimListed| Pick { number: row.number, claim: row.no, minor: None };
        self.picks = found.rows.into_iter().map(pick).collect();
        Ok(found.next.is_some())
    }
}

/// "C-2026-0042/1"
fn parse_pick(text: &str) -> Option<Pick> {
    let (number, claim) = text.rsplit_once('/')?;
    Some(Pick { number: number.to_owned(), claim: claim.parse().ok()?, minor: None })
}

/// That of the first claim there is.
async fn currency_of(who: &Who, picks: &[Pick]) -> Result<Currency, Error> {
    for pick in picks {
        match who.reader().cycle(who.viewer(), WhichCycle::Number(&pick.number)).await {
            Ok(cycle) => return Ok(cycle.currency),
            Err(storage::Error::NotFound) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(Error::NotFound)
}

/// POST /settlements/new
pub async fn submit(who: Who, posted: Posted) -> Answer {
    let read = posted.read(who.marks(), |f| {
        let currency = f.choice("currency", Currency::from_code)?;
        let mut rows = Vec::new();
        for row in f.rows("claim") {
            let pick = f.choice(&format!("claim.{row}.name"), parse_pick);
            rows.push((pick, f.optional_money(&format!("claim.{row}.amount"), currency)));
        }
        let mut claims = Vec::new();
        for (pick, amount) in rows {
            // Left empty, the claim stays out.
            if let Some(amount) = amount? {
                claims.push(Pick { minor: Some(amount.minor), ..pick? });
            }
        }
        Some(NewBatch { currency, claims })
    });
    let done = match read {
        Ok(new) => {
            let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
            finish(async move { engine.build_batch(&actor, &new, &once).await }).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(done) => who.redirect(&href(&done.number), &done.words.join(" ")),
        Err(error) => {
            let shown = shown(&posted);
            let again = async |typed| page(&who, &shown, false, typed).await;
            who.settle(Err::<String, Error>(error), "/settlements", &posted, again).await
        }
    }
}

/// The claims that were on the page, whatever was typed beside them.
fn shown(posted: &Posted) -> NewBatch {
    let typed = posted.typed();
    let is_name = |name: &str| name.strip_prefix("claim.").is_some_and(|rest| rest.strip_suffix(".name").is_some());
    let names = typed.pairs().filter(|(name, _)| is_name(name));
    NewBatch {
        currency: typed.value("currency").and_then(Currency::from_code).unwrap_or(Currency::EUR),
        claims: names.filter_map(|(_, value)| parse_pick(value)).take(MOST_CLAIMS).collect(),
    }
}

async fn page(who: &Who, new: &NewBatch, cut: bool, typed: Typed) -> Result<NewPage, Error> {
    let Checked { batch, refused } = who.site().engine.check_batch(who.actor(), new).await?;
    let mut form = who.form().with(Field::hidden("currency", new.currency.code()));
    let mut row = 0;
    let mut partners = Vec::new();
    for payment in batch.iter().flat_map(|batch| &batch.payments) {
        let mut claims = Vec::new();
        for claim in &payment.claims {
            let (name, field) = (claim.name(), format!("claim.{row}.amount"));
            form = form.with(Field::hidden(&format!("claim.{row}.name"), &name)).with(
                Field::amount(&field, &format!("Pay on {name}"), new.currency.code())
                    .value_is(claim.amount.written(who.marks()))
                    .optional(),
            );
            row += 1;
            claims.push(Line {
                href: claim_href(&claim.number, claim.claim),
                title: claim.title.clone(),
                held_back: some(claim.offset),
                name,
                field,
            });
        }
        partners.push(Payee {
            name: payment.partner_name.clone(),
            claims,
            gross: Amount::exactly(payment.gross()),
            held_back: some(payment.offset()),
            net: Amount::exactly(payment.net()),
        });
    }
    let refused = refused.into_iter().map(|(pick, refusal)| {
        (claim_href(&pick.number, pick.claim), format!("{}/{}", pick.number, pick.claim), refusal.to_string())
    });
    let zero = Money::zero(new.currency);
    let (gross, net) = batch.as_ref().map_or((zero, zero), |batch| (batch.gross(), batch.net()));
    Ok(NewPage {
        shell: who.shell("Build a settlement batch"),
        currency: new.currency.code(),
        funds: batch.as_ref().map(by_fund).unwrap_or_default(),
        refused: refused.collect(),
        gross: Amount::exactly(gross),
        held_back: some(Money::new(gross.minor - net.minor, new.currency)),
        net: Amount::exactly(net),
        button: format!("Build a batch of {}", count(partners.len() as u64, "payment", "payments")),
        form: typed.onto(form),
        partners,
        cut,
    })
}

fn some(amount: Money) -> Option<Amount> {
    amount.is_positive().then(|| Amount::exactly(amount))
}

/// What each fund settles.
fn by_fund(batch: &Batch) -> Vec<(String, Amount)> {
    let mut funds: BTreeMap<String, i64> = BTreeMap::new();
    for (_, claim) in batch.claims() {
        *funds.entry(claim.fund_name.clone()).or_default() += claim.amount.minor;
    }
    let amount = |minor| Amount::exactly(Money::new(minor, batch.currency));
    funds.into_iter().map(|(name, minor)| (name, amount(minor))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_which_claims() {
        let asked = Asked::of("pick=C-2026-0042%2F1&pick=nonsense&pick=C-2026-0007%2F2&currency=USD&q=+");
        let names: Vec<String> = asked.picks.iter().map(Pick::name).collect();
        assert_eq!(names, ["C-2026-0042/1", "C-2026-0007/2"]);
        assert_eq!((asked.currency, asked.all, asked.text), (Some(Currency::USD), false, None));
    }
}
