//! /funds/{code}/reinstatements/{no}: forfeited credit that somebody wants back; a second person agrees or turns it down.

use actix_web::web::Path;
use askama::Template;
use domain::fund::{Agreement, FundCommand, keeper};
use storage::read::WaitingReinstatement;

use super::href;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Fact, Facts, Field, Form, Task, date_words};

#[derive(Template)]
#[template(path = "pages/funds/reinstatement.html")]
struct WaitingPage {
    shell: Shell,
    fund: String,
    back: String,
    action: String,
    facts: Facts,
    /// The button's words; nothing for whoever has agreed already.
    button: Option<String>,
    confirm: Form,
    reject: Form,
    keeps: bool,
}

/// The fund's code and the proposal's number; what is no number names nothing.
fn named(at: Path<(String, String)>) -> Result<(String, i64), Error> {
    let (code, no) = at.into_inner();
    Ok((code, no.parse().map_err(|_| Error::NotFound)?))
}

async fn find(who: &Who, code: &str, no: i64) -> Result<WaitingReinstatement, Error> {
    let fund = who.reader().fund(who.viewer(), code).await?;
    let waiting = who.reader().reinstatements(who.viewer(), Some(fund.id)).await?;
    waiting.into_iter().find(|one| one.wanted.no == no).ok_or(Error::NotFound)
}

/// As whom this person would agree, if they keep the funds and have not agreed yet.
fn may_agree(who: &Who, waiting: &WaitingReinstatement) -> bool {
    keeper(who.actor()).is_some_and(|standing| !waiting.wanted.agreed_by(Agreement::of(who.actor(), standing)))
}

async fn page(who: &Who, code: &str, no: i64, typed: Typed) -> Result<WaitingPage, Error> {
    let waiting = find(who, code, no).await?;
    let amount = Amount::from(waiting.wanted.amount).plain();
    let facts = vec![
        Fact::new("Amount", waiting.wanted.amount),
        Fact::new("Partner", waiting.partner.clone()),
        Fact::new("New last day", date_words(waiting.wanted.expires)),
        Fact::new("Why", waiting.wanted.reason.clone()),
        Fact::new("Proposed by", waiting.by.clone()).note(waiting.at.format("%-d %B %Y").to_string()),
    ];
    let form = || who.form_at(waiting.fund_version);
    let why = Field::text("reason", "Why not").hint("It stands in the fund's statement.");
    Ok(WaitingPage {
        shell: who.shell("Reinstate forfeited credit"),
        back: href(code),
        action: format!("{}/reinstatements/{no}", href(code)),
        facts: Facts { facts },
        button: may_agree(who, &waiting).then(|| format!("Reinstate {amount}")),
        confirm: form(),
        reject: typed.onto(form().with(why)),
        keeps: keeper(who.actor()).is_some(),
        fund: waiting.fund_name,
    })
}

/// GET /funds/{code}/reinstatements/{no}
pub async fn show_page(who: Who, at: Path<(String, String)>) -> Answer {
    let (code, no) = named(at)?;
    show(&page(&who, &code, no, Typed::default()).await?)
}

/// POST /funds/{code}/reinstatements/{no}/confirmation
pub async fn confirm(who: Who, at: Path<(String, String)>, posted: Posted) -> Answer {
    let (code, no) = named(at)?;
    let done = async {
        posted.read(who.marks(), |_| Some(()))?;
        who.fund(&code, FundCommand::ConfirmReinstatement { proposal: no }, &posted).await
    };
    who.settle(done.await, &href(&code), &posted, async |typed| page(&who, &code, no, typed).await).await
}

/// POST /funds/{code}/reinstatements/{no}/rejection
pub async fn reject(who: Who, at: Path<(String, String)>, posted: Posted) -> Answer {
    let (code, no) = named(at)?;
    let done = async {
        let reason = posted.read(who.marks(), |f| f.text("reason"))?;
        who.fund(&code, FundCommand::RejectReinstatement { proposal: no, reason }, &posted).await
    };
    who.settle(done.await, &href(&code), &posted, async |typed| page(&who, &code, no, typed).await).await
}

/// What waits for this person on any fund, for the home page.
pub async fn tasks(who: &Who) -> Result<Vec<Task>, Error> {
    if keeper(who.actor()).is_none() {
        return Ok(Vec::new());
    }
    let waiting = who.reader().reinstatements(who.viewer(), None).await?;
    let mine = waiting.into_iter().filter(|one| may_agree(who, one));
    Ok(mine.map(|one| task(&one)).collect())
}

fn task(one: &WaitingReinstatement) -> Task {
    let amount = Amount::from(one.wanted.amount).plain();
    Task {
        verb: "Confirm".to_owned(),
        title: format!("Reinstate {amount} for {}", one.partner),
        detail: format!("{} · {} · {} proposed it", one.fund_code, one.fund_name, one.by),
        href: format!("{}/reinstatements/{}", href(&one.fund_code), one.wanted.no),
        due: None,
    }
}
