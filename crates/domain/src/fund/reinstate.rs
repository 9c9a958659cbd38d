//! Forfeited credit comes back when enough people say so: one proposes, with a new last day, others agree.

use super::{Fund, FundSituation, Made, enough, named, notice, positive};
use crate::Date;
use crate::ids::{PartnerId, UserId};
use crate::ledger::{Account, Posting};
use crate::money::Money;
use crate::notice::{Audience, Notice, Topic};
use crate::people::{Actor, Standing};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// Forfeited credit that is wanted back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reinstatement {
    /// The number of the fund's event that proposed it.
    pub no: i64,
    pub partner: PartnerId,
    pub amount: Money,
    /// The new last day.
    pub expires: Date,
    pub reason: String,
    /// Who agreed so far, the proposer first.
    pub agreed: Vec<Agreement>,
}

/// One person's word, and in whose place it was given. Names are on the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agreement {
    pub by: UserId,
    pub in_place_of: Option<UserId>,
}

impl Agreement {
    /// What somebody says in a standing of their own or in a colleague's.
    pub fn of(actor: &Actor, standing: &Standing) -> Self {
        Self { by: actor.user(), in_place_of: (standing.user != actor.user()).then_some(standing.user) }
    }

    /// Both the one who spoke and the one stood in for.
    fn people(self) -> impl Iterator<Item = UserId> {
        std::iter::once(self.by).chain(self.in_place_of)
    }
}

impl Reinstatement {
    /// Whether this person, or a colleague in whose place they act, has agreed already.
    pub fn agreed_by(&self, person: Agreement) -> bool {
        self.agreed.iter().any(|agreed| agreed.people().any(|one| person.people().any(|other| one == other)))
    }
}

pub(super) fn propose(
    s: &FundSituation,
    fund: &mut Fund,
    by: &str,
    wanted: Reinstatement,
    today: Date,
) -> Result<Made, Refusal> {
    positive(s, wanted.amount)?;
    crate::steps::need_reason(&wanted.reason)?;
    let name = named(s)?;
    expires_later(wanted.expires, today)?;
    // Nobody can agree to an older proposal whose new last day has come: it holds back nothing any more.
    fund.reinstatements.retain(|other| other.expires > today);
    let pending: i64 = fund
        .reinstatements
        .iter()
        .filter(|other| other.partner == wanted.partner)
        .map(|other| other.amount.minor)
        .sum();
    has_forfeited(s, wanted.amount, pending)?;
    let until = crate::calendar::words(wanted.expires);
    if wanted.agreed.len() >= usize::from(s.around.reinstated_by) {
        return brought_back(s, by, &wanted);
    }
    let words = format!(
        "{by} asks to reinstate {} of {name}'s forfeited credit until {until}: “{}”",
        wanted.amount, wanted.reason
    );
    let notice = to_finance(s, by, &wanted);
    fund.reinstatements.push(wanted);
    Ok(("fund.reinstatement_proposed", words, Vec::new(), vec![notice]))
}

pub(super) fn confirm(
    s: &FundSituation,
    fund: &mut Fund,
    by: &str,
    no: i64,
    person: Agreement,
    today: Date,
) -> Result<Made, Refusal> {
    let at = place(fund, no)?;
    if fund.reinstatements[at].agreed_by(person) {
        return Err(Refusal::new(
            "second_person",
            "You, or the colleague you stand in for, agreed to this reinstatement already.",
            "A second person in finance confirms it.",
        ));
    }
    fund.reinstatements[at].agreed.push(person);
    let wanted = fund.reinstatements[at].clone();
    expires_later(wanted.expires, today)?;
    let (agreed, needed) = (wanted.agreed.len(), usize::from(s.around.reinstated_by));
    if agreed < needed {
        let name = named(s)?;
        let words = format!(
            "{by} agrees to reinstate {} of {name}'s forfeited credit: {agreed} of {needed} people.",
            wanted.amount
        );
        return Ok(("fund.reinstatement_agreed", words, Vec::new(), vec![to_finance(s, by, &wanted)]));
    }
    has_forfeited(s, wanted.amount, 0)?;
    fund.reinstatements.remove(at);
    brought_back(s, by, &wanted)
}

pub(super) fn reject(s: &FundSituation, fund: &mut Fund, by: &str, no: i64, reason: &str) -> Result<Made, Refusal> {
    crate::steps::need_reason(reason)?;
    let wanted = fund.reinstatements.remove(place(fund, no)?);
    let name = named(s)?;
    let words =
        format!("{by} turned down to reinstate {} of {name}'s forfeited credit: “{}”", wanted.amount, reason.trim());
    Ok(("fund.reinstatement_rejected", words, Vec::new(), Vec::new()))
}

fn place(fund: &Fund, no: i64) -> Result<usize, Refusal> {
    let found = fund.reinstatements.iter().position(|wanted| wanted.no == no);
    found.ok_or_else(|| {
        let why = format!("Nobody waits for {} to reinstate this any more.", fund.name);
        Refusal::new("no_proposal", why, "Look at the fund again; it has moved on.")
    })
}

fn expires_later(expires: Date, today: Date) -> Result<(), Refusal> {
    if expires > today {
        return Ok(());
    }
    let why = format!("Credit good until {} would be expired at once.", crate::calendar::words(expires));
    Err(Refusal::at("expires", "expires", why, "Name a day that is still to come."))
}

/// The partner's own forfeited credit, less what others have asked for, and what the fund still holds of it.
fn has_forfeited(s: &FundSituation, amount: Money, pending: i64) -> Result<(), Refusal> {
    let left = Money::new((s.around.forfeited - pending).max(0), s.fund.currency);
    if left.minor < amount.minor {
        let waits = Money::new(pending, s.fund.currency);
        let besides =
            if pending > 0 { format!(", besides {waits} that waits for a second person") } else { String::new() };
        let why = format!("{} forfeited {left} in {}{besides}.", named(s)?, s.fund.name);
        return Err(Refusal::at("amount", "forfeited", why, "Reinstate that much or less."));
    }
    enough(s, &Account::forfeited(s.fund.id), amount, "forfeited")
}

fn brought_back(s: &FundSituation, by: &str, wanted: &Reinstatement) -> Result<Made, Refusal> {
    let to = Account::available(s.fund.id, wanted.partner, Some(wanted.expires));
    let posting = Posting { from: Account::forfeited(s.fund.id), to, amount: wanted.amount };
    let (name, until) = (named(s)?, crate::calendar::words(wanted.expires));
    let words =
        format!("{by} reinstated {} of {name}'s forfeited credit until {until}: “{}”", wanted.amount, wanted.reason);
    let by = by.trim_end_matches(',');
    let mut told = notice(s, Topic::CreditReinstated, wanted.partner, wanted.amount, Some(wanted.expires), by);
    told.facts.reason = Some(wanted.reason.clone());
    Ok(("fund.reinstated", words, vec![posting], vec![told]))
}

fn to_finance(s: &FundSituation, by: &str, wanted: &Reinstatement) -> Notice {
    let by = by.trim_end_matches(',');
    let mut notice = notice(s, Topic::ReinstatementProposed, wanted.partner, wanted.amount, Some(wanted.expires), by);
    notice.audience = Audience::Finance;
    notice.facts.reason = Some(wanted.reason.clone());
    notice.facts.path = format!("/funds/{}#reinstatements", s.fund.code);
    notice
}
