//! Who is paid where, and claims paid together.

use super::cast::World;
use super::morning;
use chrono::Days;
use domain::Date;
use domain::machine::Situation;
use domain::money::Currency;
use domain::payee::PaymentDetails;
use domain::people::Actor;
use domain::settlement::{BatchState, Command, Outcome, Pick};
use domain::steps::s7_execution::ClaimState;
use engine::settlements::returns::PaymentReturn;
use engine::settlements::{NewBatch, Owner};
use engine::{Engine, Submission};
use storage::Viewer;
use storage::read::{ClaimFilter, Paging};

/// A partner, who of its people says so, the account's holder, and an IBAN, or an account and its routing number. All made
/// up, with check digits that fit. One partner has not said yet.
#[rustfmt::skip]
const ACCOUNTS: [(&str, &str, &str, &str, &str, &str); 7] = [
    ("nordwind", "mara", "Nordwind Systems GmbH", "DE89370400440532013000", "", ""),
    ("kestrel", "jonas", "Kestrel Networks AG", "DE12500105170648489890", "", ""),
    ("baltic", "liis", "Baltic Data OÜ", "EE382200221020145685", "", ""),
    ("vistula", "piotr", "Vistula IT sp. z o.o.", "PL61109010140000071219812874", "", ""),
    ("fjordlys", "eirik", "Fjordlys AS", "NO9386011117947", "", ""),
    ("cascade", "maya", "Cascade Secure Inc.", "", "000123456789", "021000021"),
    ("bluemesa", "owen", "Blue Mesa Technologies LLC", "", "000987654321", "011401533"),
];

pub async fn name_accounts(engine: &Engine, world: &World) -> anyhow::Result<()> {
    let details = |payee: &str, iban: &str, account: &str, routing: &str| PaymentDetails {
        payee: payee.to_owned(),
        iban: iban.to_owned(),
        account: account.to_owned(),
        routing: routing.to_owned(),
        bic: String::new(),
    };
    for (partner, person, payee, iban, account, routing) in ACCOUNTS {
        let (owner, details) = (Owner::Partner(world.partner(partner)?), details(payee, iban, account, routing));
        engine.set_payment_details(world.person(person)?, owner, &details, &Submission::own()).await?;
    }
    let ours = [
        (Currency::EUR, details("Aurelia Systems", "DE75512108001245126199", "", "")),
        (Currency::USD, details("Aurelia Systems Inc.", "", "000111222333", "021000021")),
    ];
    for (currency, details) in ours {
        let finance = world.person("yuki")?;
        engine.set_payment_details(finance, Owner::House(currency), &details, &Submission::own()).await?;
    }
    Ok(())
}

/// Pays what is payable of a cycle in a batch of its own: built, exported, and told by the bank.
pub async fn pay_in_batch(engine: &Engine, yuki: &Actor, s: &Situation) -> anyhow::Result<()> {
    let payable = s.cycle.claims.iter().filter(|one| matches!(one.state, ClaimState::Payable | ClaimState::PartPaid));
    let pick = |claim: u16| Pick { number: s.cycle.number.clone(), claim, minor: None };
    let claims: Vec<Pick> = payable.map(|claim| pick(claim.no)).collect();
    // A partner that has not named its account is paid by hand, another day.
    let owner = engine.reader().payment_details(&Viewer::system(), s.partner.id).await?;
    if claims.is_empty() || owner.is_none() {
        return Ok(());
    }
    let batch = send(engine, yuki, NewBatch { currency: s.cycle.currency, claims }).await?;
    let on = engine.clock.today();
    let outcome = Outcome::Paid { payment: 1, on, reference: format!("BANK {}", batch.trim_start_matches("S-")) };
    engine.record_payments(yuki, &batch, vec![outcome], &Submission::own()).await?;
    Ok(())
}

/// The day before the story ends: half of what is to be paid in euros is with the bank.
pub async fn send_some(engine: &Engine, world: &World, today: Date) -> anyhow::Result<()> {
    engine.clock.set(engine.clock.now().max(morning(today - Days::new(1), 120)));
    let filter = ClaimFilter {
        states: vec![ClaimState::Payable, ClaimState::PartPaid],
        currency: Some(Currency::EUR),
        ..ClaimFilter::default()
    };
    let found = engine.reader().claims(&Viewer::system(), &filter, &Paging::default()).await?.rows;
    let half = found.len().div_ceil(2);
    let pick = |row: &storage::read::ClaimListed| Pick { number: row.number.clone(), claim: row.no, minor: None };
    let claims: Vec<Pick> = found.iter().take(half).map(pick).collect();
    if !claims.is_empty() {
        send(engine, world.person("yuki")?, NewBatch { currency: Currency::EUR, claims }).await?;
    }
    Ok(())
}

/// The bank has sent the latest payment back; finance reports it, and a second person has yet to confirm it.
pub async fn one_came_back(engine: &Engine, world: &World) -> anyhow::Result<()> {
    let settled = engine.reader().settlements(&Viewer::system(), &[BatchState::Settled], &Paging::first(1)).await?;
    let Some(batch) = settled.rows.first() else { return Ok(()) };
    let (reference, reason) = ("RET 2026-0815".to_owned(), "The account has been closed.".to_owned());
    let report = PaymentReturn::Report { payment: 1, on: engine.clock.today(), reference, reason };
    engine.payment_return(world.person("yuki")?, &batch.number, &report, &Submission::own()).await?;
    Ok(())
}

async fn send(engine: &Engine, yuki: &Actor, new: NewBatch) -> anyhow::Result<String> {
    let number = engine.build_batch(yuki, &new, &Submission::own()).await?.number;
    let export = Command::Export { pay_on: engine.clock.today(), changes_checked: false };
    engine.batch(yuki, &number, &export, &Submission::own()).await?;
    Ok(number)
}
