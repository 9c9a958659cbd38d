//! What the bank sent back: first every line beside the payment it is about, then one confirmation.

use actix_web::web::Path;
use askama::Template;
use domain::settlement::{Batch, Outcome};
use engine::settlements::returned::{self, Line};

use super::batch::answer;
use super::{href, record};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Badge, Field, Form, Tone, count, date_words};

#[derive(Template)]
#[template(path = "pages/settlements/returned.html")]
struct ReturnedPage {
    shell: Shell,
    number: String,
    href: String,
    matched: Vec<Matched>,
    left_out: Vec<Line>,
    missing: Vec<String>,
    form: Form,
    button: String,
}

struct Matched {
    name: String,
    partner: String,
    net: Amount,
    says: Badge,
    note: String,
}

/// POST /settlements/{no}/return: the file is read and nothing is changed.
pub async fn preview(who: Who, no: Path<String>, posted: Posted) -> Answer {
    match read(&who, &no, &posted).await {
        Ok((batch, lines)) => show(&page(&who, &batch, lines)),
        Err(error) => answer(&who, &no, "return", &posted, Err(error)).await,
    }
}

async fn read(who: &Who, no: &str, posted: &Posted) -> Result<(Batch, Vec<Line>), Error> {
    posted.read(who.marks(), |f| {
        f.ignore("file");
        Some(())
    })?;
    let file = posted.files("file").next().ok_or_else(|| Error::at("file", "Choose the file the bank sent."))?;
    let batch = who.reader().settlement(who.viewer(), no).await?;
    if batch.state != domain::settlement::BatchState::Exported {
        let why = format!("The batch is {}.", batch.state.code());
        return Err(Error::refused("batch_state", why, "Only an exported batch has payments to hear of."));
    }
    let lines = returned::read(&batch, &file.bytes, who.today()).map_err(|why| Error::at("file", why))?;
    Ok((batch, lines))
}

fn page(who: &Who, batch: &Batch, lines: Vec<Line>) -> ReturnedPage {
    let outcomes: Vec<&Outcome> = lines.iter().filter_map(|line| line.said.as_ref().ok()).collect();
    let told = |no: u16| outcomes.iter().any(|outcome| outcome.payment() == no);
    let open = batch.payments.iter().filter(|payment| payment.state == domain::settlement::PaymentState::Open);
    let missing = open.filter(|payment| !told(payment.no)).map(|payment| batch.end_to_end(payment.no)).collect();
    let packed = serde_json::to_string(&outcomes).unwrap_or_default();
    ReturnedPage {
        shell: who.shell(&format!("What came back for {}", batch.number)),
        href: href(&batch.number),
        matched: outcomes.iter().filter_map(|outcome| matched(batch, outcome)).collect(),
        missing,
        form: who.form_at(batch.version).with(Field::hidden("outcomes", packed)),
        button: format!("Record {}", count(outcomes.len() as u64, "payment", "payments")),
        left_out: lines.into_iter().filter(|line| line.said.is_err()).collect(),
        number: batch.number.clone(),
    }
}

fn matched(batch: &Batch, outcome: &Outcome) -> Option<Matched> {
    let payment = batch.payment(outcome.payment())?;
    let (says, note) = match outcome {
        Outcome::Paid { on, reference, .. } => {
            (Badge::new(Tone::Ok, "Paid"), format!("{reference}, {}", date_words(*on)))
        }
        Outcome::Rejected { reason, .. } => (Badge::new(Tone::Bad, "Rejected"), reason.clone()),
    };
    Some(Matched {
        name: batch.end_to_end(payment.no),
        partner: payment.partner_name.clone(),
        net: Amount::exactly(payment.net()),
        says,
        note,
    })
}

/// POST /settlements/{no}/results: what was shown, as it was shown.
pub async fn confirm(who: Who, no: Path<String>, posted: Posted) -> Answer {
    let outcomes =
        posted.read(who.marks(), |f| f.choice("outcomes", |packed| serde_json::from_str::<Vec<Outcome>>(packed).ok()));
    let done = match outcomes {
        Ok(outcomes) => record(&who, &no, outcomes, &posted).await,
        Err(error) => Err(error),
    };
    answer(&who, &no, "results", &posted, done).await
}
