//! /settlements/{no}: one batch: its payments, its files, what came back, what happened.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Path, Query};
use askama::Template;
use domain::people::Role;
use domain::settlement::{Batch, BatchPayment, BatchState, Command, PaymentState};
use engine::settlements::bank::{Booking, FileKind};
use serde::Deserialize;
use storage::read::Paging;

use super::{act, href, payment_badge, state_badge};
use crate::error::{Answer, Error};
use crate::extract::{Done, Who, finish, show};
use crate::fields::Typed;
use crate::pages::cycle::moment;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::s7_execution::claim_href;
use crate::steps::s7_execution::files::disposition;
use crate::view::{Amount, Badge, Fact, Field, Form, Stats, Timeline, TimelineItem, count, date_words};

#[derive(Template)]
#[template(path = "pages/settlements/batch.html")]
pub(super) struct BatchPage {
    shell: Shell,
    number: String,
    href: String,
    state: Badge,
    facts: Stats,
    payments: Vec<PaymentRow>,
    /// Partners whose payment details are not those the batch was built with.
    changed: String,
    export: Option<Form>,
    cancel: Option<Form>,
    files: bool,
    hand_in: Option<Form>,
    go_on: Option<Form>,
    timeline: Timeline,
}

struct PaymentRow {
    name: String,
    href: String,
    partner: String,
    account: String,
    claims: Vec<(String, String, Amount)>,
    held_back: Option<Amount>,
    net: Amount,
    state: Badge,
    note: String,
    remittance: Option<String>,
}

/// What somebody typed into one of the page's forms, by the last part of its address.
pub(super) struct Sent(pub &'static str, pub Typed);

/// GET /settlements/{no}
pub async fn show_page(who: Who, no: Path<String>) -> Answer {
    show(&page(&who, &no, Sent("", Typed::default())).await?)
}

pub(super) async fn page(who: &Who, no: &str, Sent(sent, typed): Sent) -> Result<BatchPage, Error> {
    let batch = who.reader().settlement(who.viewer(), no).await?;
    let (mut rows, mut changed) = (Vec::new(), Vec::new());
    for payment in &batch.payments {
        let known = who.reader().payment_details(who.viewer(), payment.partner).await?;
        if batch.state == BatchState::Built && known.as_ref().is_some_and(|known| known.version != payment.details) {
            changed.push(payment.partner_name.clone());
        }
        let account = known.map_or_else(String::new, |known| format!("{}, {}", known.payee, known.account));
        rows.push(row(&batch, payment, account));
    }
    let events = who.reader().settlement_timeline(who.viewer(), &batch, &Paging::first(100)).await?;
    let item = |event: storage::read::TimelineEntry| TimelineItem {
        when: moment(event.at),
        at: event.at.to_rfc3339(),
        who: event.who(),
        what: event.words,
        ..TimelineItem::default()
    };
    let form = |name: &str, form: Form| if sent == name { typed.onto(form) } else { form };
    let acts = who.has(Role::Finance);
    let built = acts && batch.state == BatchState::Built;
    let settling = batch.payments.iter().any(|payment| payment.state == PaymentState::Settling);
    let exported = acts && batch.state == BatchState::Exported;
    let open = batch.payments.iter().any(|payment| payment.state == PaymentState::Open);
    Ok(BatchPage {
        shell: who.shell(&format!("Batch {}", batch.number)),
        href: href(&batch.number),
        state: state_badge(batch.state),
        facts: facts(&batch),
        payments: rows,
        export: built.then(|| form("export", export_form(who, &batch, !changed.is_empty()))),
        changed: changed.join(", "),
        cancel: built.then(|| form("cancellation", who.form_at(batch.version).with(Field::area("reason", "Why", 2)))),
        files: acts && batch.exported_at.is_some(),
        hand_in: (exported && open).then(|| form("return", hand_in_form(who))),
        go_on: (exported && settling).then(|| who.form()),
        timeline: Timeline { items: events.rows.into_iter().map(item).collect() },
        number: batch.number,
    })
}

fn facts(batch: &Batch) -> Stats {
    let gross = batch.gross();
    let mut facts = vec![
        Fact::new("To transfer", Amount::exactly(batch.net())),
        Fact::new("Settles", Amount::exactly(gross)).note(count(batch.claims().count() as u64, "claim", "claims")),
        Fact::new("Payments", batch.payments.len().to_string()),
        Fact::new("Built", date_words(batch.built_at.date_naive())),
    ];
    if let Some(day) = batch.pay_on {
        facts.push(Fact::new("The bank pays on", date_words(day)));
    }
    Stats { facts }
}

fn row(batch: &Batch, payment: &BatchPayment, account: String) -> PaymentRow {
    let claim = |claim: &domain::settlement::BatchClaim| {
        (claim.name(), claim_href(&claim.number, claim.claim), Amount::exactly(claim.amount))
    };
    let note = match payment.state {
        PaymentState::Rejected => payment.reason.clone(),
        PaymentState::Open => String::new(),
        PaymentState::Settling | PaymentState::Paid => {
            let day = payment.paid_on.map(date_words).unwrap_or_default();
            format!("{}, {day}", payment.reference)
        }
    };
    let offset = payment.offset();
    PaymentRow {
        name: batch.end_to_end(payment.no),
        href: format!("{}/payments/{}", href(&batch.number), payment.no),
        partner: payment.partner_name.clone(),
        account,
        claims: payment.claims.iter().map(claim).collect(),
        held_back: offset.is_positive().then(|| Amount::exactly(offset)),
        net: Amount::exactly(payment.net()),
        state: payment_badge(payment.state),
        note,
        remittance: (payment.state == PaymentState::Paid)
            .then(|| format!("/remittances/{}/{}", batch.number, payment.no)),
    }
}

fn export_form(who: &Who, batch: &Batch, changed: bool) -> Form {
    let form = who.form_at(batch.version).with(
        Field::date("pay_on", "The bank is to pay on").value_is(who.today().to_string()).hint("Stands in the file."),
    );
    if changed {
        let label = "I have looked at the new payment details, and they are to be used";
        return form.with(Field::tick("changes_checked", label));
    }
    form
}

fn hand_in_form(who: &Who) -> Form {
    who.form().with(Field::file("file", "The bank's answer, as CSV", ".csv,text/csv").hint(
        "Columns: end_to_end_id, amount, currency, date, reference, status (paid or rejected), reason. Nothing is \
         recorded before you confirm.",
    ))
}

/// POST /settlements/{no}/export
pub async fn export(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let command = posted.read(who.marks(), |f| {
        let (pay_on, changes_checked) = (f.date("pay_on"), f.tick("changes_checked"));
        Some(Command::Export { pay_on: pay_on?, changes_checked })
    });
    let done = match command {
        Ok(command) => act(&who, &no, command, &posted).await,
        Err(error) => Err(error),
    };
    answer(&who, &no, "export", &posted, done).await
}

/// POST /settlements/{no}/cancellation
pub async fn cancel(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let done = match posted.read(who.marks(), |f| f.long_text("reason")) {
        Ok(reason) => act(&who, &no, Command::Cancel { reason }, &posted).await,
        Err(error) => Err(error),
    };
    answer(&who, &no, "cancellation", &posted, done).await
}

/// POST /settlements/{no}/continuation: settles what is recorded as paid and not settled yet.
pub async fn go_on(who: Who, no: Path<String>, posted: Posted) -> Answer {
    posted.read(who.marks(), |_| Some(()))?;
    let (engine, actor, number) = (who.site().engine.clone(), who.actor().clone(), no.clone());
    let done = finish(async move { engine.settle_batch(&actor, &number).await }).await.map(Done::from);
    answer(&who, &no, "continuation", &posted, done).await
}

pub(super) async fn answer(
    who: &Who,
    no: &str,
    form: &'static str,
    posted: &Posted,
    done: Result<Done, Error>,
) -> Answer {
    who.settle(done, &href(no), posted, async |typed| page(who, no, Sent(form, typed)).await).await
}

/// What the books call things, for the bills.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Books {
    account: String,
    tax: String,
}

/// GET /settlements/{no}/files/{name}
pub async fn download(who: Who, at: Path<(String, String)>, books: Query<Books>) -> Answer {
    let (no, name) = at.into_inner();
    let kind = FileKind::from_name(&name).ok_or(Error::NotFound)?;
    let Books { account, tax } = books.into_inner();
    let (name, bytes) = who.site().engine.batch_file(who.actor(), &no, kind, &Booking { account, tax }).await?;
    Ok(attachment(kind, &name, bytes))
}

/// A file with account numbers: kept by nobody on the way.
pub fn attachment(kind: FileKind, name: &str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind.content_type()))
        .insert_header((CONTENT_DISPOSITION, disposition(name)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(bytes)
}
