//! What the timeline and the mails say of an approval.

use super::super::{Teller, Told};
use super::{Event, answer_by, escalation};
use crate::cycle::Stage;
use crate::notice::{Audience, Notice, Topic};

pub fn tell(teller: &Teller, event: &Event) -> Told {
    let by = teller.by;
    let cycle = teller.cycle;
    let total = cycle.request.total(cycle);
    match event {
        Event::LevelApproved { decision, next_level, due } => {
            let total = cycle.sum(decision.lines.iter().map(|line| line.amount));
            Told::new("approval.level_approved", format!("{by} approved {total} on level {}.", decision.level))
                .to(teller.to_approvers(Topic::RequestSubmitted, *next_level).amount(total).due(Some(*due)))
        }
        Event::Approved { decision, exchange, in_fund, .. } => {
            let total = cycle.sum(decision.lines.iter().map(|line| line.amount));
            let at = exchange.as_ref().zip(*in_fund).map(|(kept, moved)| format!("{moved} at {}", kept.rate.words()));
            let of_fund = at.as_ref().map_or_else(String::new, |at| format!(" ({at})"));
            let proof = cycle.activities.iter().map(|activity| teller.s.policy.proof_due(activity.draft.ends)).min();
            Told::new(
                "approval.approved",
                format!("{by} approved {total}{of_fund}; the money is committed and the campaign IDs are live."),
            )
            .to(teller.to_partner(Topic::RequestApproved, "/execution").amount(total).due(proof).in_fund(at.clone()))
            .to(teller.to_finance(Topic::RequestApproved, "/approval").amount(total).in_fund(at))
        }
        Event::Returned { reason } => Told::new("approval.returned", format!("{by} returned the request: “{reason}”"))
            .to(teller.to_partner(Topic::RequestReturned, "/request").reason(reason)),
        Event::Declined { reason } => {
            let topic = if cycle.stage == Stage::Declined { Topic::RequestDeclined } else { Topic::AmendmentDeclined };
            Told::new("approval.declined", format!("{by} declined: “{reason}”"))
                .to(teller.to_partner(topic, "/approval").reason(reason))
        }
        Event::Asked { question, .. } => {
            let by_when = answer_by(teller.s, cycle);
            Told::new("approval.asked", format!("{by} asked: “{question}”")).to(teller
                .to_partner(Topic::InformationAsked, "/approval")
                .amount(total)
                .reason(question)
                .due(by_when))
        }
        Event::Answered { text, due, .. } => Told::new("approval.answered", format!("{by} answered: “{text}”"))
            .to(teller.to_approvers(Topic::InformationAnswered, cycle.level).amount(total).reason(text).due(*due)),
        Event::Escalated { level, told } => escalated(teller, *level, told),
    }
}

/// Its own deciders hear that they are late, and whoever stands above them hears as well: never nobody.
fn escalated(teller: &Teller, level: u8, told: &[u8]) -> Told {
    let total = teller.cycle.request.total(teller.cycle);
    let note = escalation::words(teller.s, level, told);
    let waiting = |notice: Notice| notice.amount(total).due(teller.cycle.approval.due).note(&note);
    let up = std::iter::once(level).chain(told.iter().copied());
    let up = up.map(|level| teller.to_approvers(Topic::ApprovalEscalated, level));
    let office = teller.notice(Topic::ApprovalEscalated, Audience::Administrators, "/approval");
    let office = told.is_empty().then_some(office);
    let said = Told::new("approval.escalated", format!("Level {level} is past its time. {note}"));
    up.chain(office).fold(said, |said, notice| said.to(waiting(notice)))
}
