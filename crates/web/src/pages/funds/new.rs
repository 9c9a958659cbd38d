//! /funds/new: an empty fund is opened; money is put in afterwards.

use askama::Template;
use domain::fund::FundKind;
use domain::ids::{FundId, ProgramId};
use domain::money::Currency;
use engine::NewFund;

use super::{href, kind_words};
use crate::error::{Answer, Error};
use crate::extract::{Who, finish, once, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Choice, Field, Form};

#[derive(Template)]
#[template(path = "pages/funds/new.html")]
struct NewPage {
    shell: Shell,
    form: Form,
}

/// GET /funds/new
pub async fn show_form(who: Who) -> Answer {
    show(&page(&who, Typed::default()).await?)
}

/// POST /funds/new
pub async fn submit(who: Who, posted: Posted) -> Answer {
    let mut code = String::new();
    let done = async {
        let new = posted.read(who.marks(), read)?;
        code = new.code.trim().to_uppercase();
        let (engine, actor, once) = (who.site().engine.clone(), who.actor().clone(), once(&posted));
        let done = finish(async move { engine.open_fund(&actor, &new, &once).await }).await?;
        Ok(done.words.join(" "))
    };
    let done: Result<String, Error> = done.await;
    let to = href(&code);
    who.settle(done, &to, &posted, async |typed| page(&who, typed).await).await
}

fn read(f: &mut Fields) -> Option<NewFund> {
    let (code, name) = (f.text("code"), f.text("name"));
    let (program, parent) = (f.id::<ProgramId>("program"), f.optional_choice("parent", |id| id.parse::<FundId>().ok()));
    let (kind, currency) = (f.choice("kind", FundKind::from_code), f.choice("currency", Currency::from_code));
    Some(NewFund { code: code?, name: name?, program: program?, parent: parent?, kind: kind?, currency: currency? })
}

async fn page(who: &Who, typed: Typed) -> Result<NewPage, Error> {
    let reader = who.reader();
    let programs = reader.programs(who.viewer()).await?;
    let (funds, _) = reader.funds(who.viewer()).await?;
    let currency = programs.first().map_or("EUR", |program| program.currency.code());
    let mut parents = vec![Choice::new("", "None: it stands on top")];
    parents.extend(funds.iter().map(|fund| Choice::new(fund.id.to_string(), format!("{} ({})", fund.name, fund.code))));
    let kinds = FundKind::ALL.into_iter().map(|kind| {
        let (label, hint) = kind_words(kind);
        Choice::new(kind.code(), label).hint(hint)
    });
    let form = who
        .form()
        .with(Field::text("name", "Name"))
        .with(Field::text("code", "Code").hint("Short, as people will call it: EMEA-26."))
        .with(Field::select(
            "program",
            "Program",
            programs.iter().map(|program| Choice::new(program.id.to_string(), &program.name)).collect(),
        ))
        .with(Field::radios("kind", "How partners come to its money", kinds.collect()).value_is("discretionary"))
        .with(
            Field::text("currency", "Currency")
                .hint("Three letters; a fund below another one has the other's.")
                .value_is(currency),
        )
        .with(Field::select("parent", "Part of", parents).optional());
    Ok(NewPage { shell: who.shell("New fund"), form: typed.onto(form) })
}
