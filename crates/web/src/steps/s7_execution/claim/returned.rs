//! .../claims/{claim}/returns: a payment the bank sent back, reported by one person in finance and confirmed by another.

use domain::steps::s7_execution::Payment;

use super::{
    Act, Amount, Answer, Claim, Command, Decide, Fact, Facts, Field, Form, Path, Posted, Situation, Typed, Value, Who,
    answer, date_words, objections, rules,
};
use crate::view::Choice;

/// POST .../returns
pub async fn report(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = async {
        let (payment, on, reference, reason) = posted.read(who.marks(), |f| {
            let (payment, on) = (f.choice("payment", |text| text.parse().ok()), f.date("on"));
            let (reference, reason) = (f.text("reference"), f.long_text("reason"));
            Some((payment?, on?, reference?, reason?))
        })?;
        let command = rules::Command::ReportPaymentReturn { claim, payment, on, reference, reason };
        who.advance(&no, Command::Execution(command), &posted).await
    };
    answer(&who, &no, claim, Act::ReportPaymentReturn, &posted, done.await).await
}

/// POST .../returns/confirmation
pub async fn confirm(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = who.advance(&no, Command::Execution(rules::Command::ConfirmPaymentReturn { claim }), &posted).await;
    answer(&who, &no, claim, Act::ConfirmPaymentReturn, &posted, done).await
}

/// POST .../returns/rejection
pub async fn reject(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, claim) = at.into_inner();
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Execution(rules::Command::RejectPaymentReturn { claim, reason }), &posted).await
    };
    answer(&who, &no, claim, Act::RejectPaymentReturn, &posted, done.await).await
}

/// How to report one, where there is a payment that can have come back.
pub(super) fn form(who: &Who, s: &Situation, claim: &Claim, moves: &[Act], typed: Typed) -> Option<Form> {
    if !moves.contains(&Act::ReportPaymentReturn) || claim.waits_for_a_second_person() {
        return None;
    }
    let sent =
        (1..).zip(&claim.payments).filter(|(_, paid)| paid.returned.is_none() && paid.transferred().is_positive());
    let choices: Vec<Choice> = sent.map(|(no, paid): (u16, _)| Choice::new(no.to_string(), called(paid))).collect();
    if choices.is_empty() || claim.clawback.is_some() {
        return None;
    }
    let only = if let [one] = choices.as_slice() { one.value.clone() } else { String::new() };
    let mut reason = Field::area("reason", "What the bank says", 2);
    "return-reason".clone_into(&mut reason.id);
    let mut reference = Field::text("reference", "Its reference").hint("As it stands on the bank statement.");
    "return-reference".clone_into(&mut reference.id);
    let form = who
        .form_at(s.cycle.version)
        .with(Field::select("payment", "Payment", choices).value_is(only))
        .with(Field::date("on", "Booked back on"))
        .with(reference)
        .with(reason);
    Some(typed.onto(form))
}

/// "5,000 EUR of Fri 6 November 2026, SEPA 1"
fn called(paid: &Payment) -> String {
    format!("{} of {}, {}", Amount::from(paid.transferred()).plain(), date_words(paid.at.date_naive()), paid.reference)
}

/// What became of a payment after it was made; nothing where it stands.
pub(crate) fn words(paid: &Payment) -> String {
    let Some(back) = &paid.returned else { return String::new() };
    let did = if back.confirmed_by.is_some() { "Sent back by the bank" } else { "Said to have been sent back" };
    let wait = if back.confirmed_by.is_some() { "" } else { " A second person confirms it." };
    format!("{did} on {} ({}): “{}”{wait}", date_words(back.on), back.reference, back.reason)
}

/// A second person confirms or rejects it; who reported it can take it back.
pub(super) fn to_confirm(who: &Who, s: &Situation, claim: &Claim, typed: &dyn Fn(Act) -> Typed) -> Option<Decide> {
    let (_, paid, back) = claim.return_open()?;
    let no_return = |label: &str| {
        typed(Act::RejectPaymentReturn).onto(who.form_at(s.cycle.version).with(Field::area("reason", label, 2)))
    };
    let confirm = Command::Execution(rules::Command::ConfirmPaymentReturn { claim: claim.no });
    if objections(who, s, &confirm).iter().any(|reason| reason.code == "second_person") {
        return Some(Decide {
            title: "Returned payment reported",
            effect: Facts { facts: vec![Fact::new("Came back", back.amount).note(called(paid))] },
            note: "A second person in finance confirms or rejects it. Until then you can take it back.".to_owned(),
            form: no_return("Why you take it back"),
            action: "returns/rejection",
            button: "Take the report back".to_owned(),
            other: None,
        });
    }
    let left = claim.outstanding();
    let after = domain::money::Money::new(left.minor + back.amount.minor, left.currency);
    Some(Decide {
        title: "Confirm that the payment came back",
        effect: Facts {
            facts: vec![
                Fact::new("Payment", called(paid)),
                Fact::new("Booked back on", date_words(back.on)).note(back.reference.clone()),
                Fact::new("To be paid again", Value::Change(left.into(), after.into())),
            ],
        },
        note: back.reason.clone(),
        form: typed(Act::ConfirmPaymentReturn).onto(who.form_at(s.cycle.version)),
        action: "returns/confirmation",
        button: format!("Confirm: {} came back", Amount::from(back.amount).plain()),
        other: Some((no_return("Why it did not come back"), "returns/rejection", "Reject the report")),
    })
}
