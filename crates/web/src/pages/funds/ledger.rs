//! /funds/general-ledger.csv: the journal of some days, for those who see every partner.

use actix_web::web::Query;
use domain::people::Role;
use serde::Deserialize;

use crate::error::Answer;
use crate::extract::Who;
use crate::pages::imports::csv;
use crate::pages::statement;

/// Who may have the journal: finance, and who oversees it.
pub const READERS: &[Role] = &[Role::Finance, Role::Executive, Role::Auditor];

pub fn may_export(who: &Who) -> bool {
    READERS.iter().any(|role| who.has(*role))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    from: String,
    to: String,
}

/// GET /funds/general-ledger.csv?from=2026-01-01&to=2026-03-31
pub async fn download(who: Who, asked: Query<Asked>) -> Answer {
    let (from, to) = statement::Asked::days(&asked.from, &asked.to, who.today())?;
    let bytes = who.site().engine.general_ledger_csv(who.viewer(), (from, to)).await?;
    Ok(csv(&format!("general-ledger-{from}-{to}.csv"), bytes))
}
