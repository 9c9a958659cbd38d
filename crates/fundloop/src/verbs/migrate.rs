//! `fundloop migrate [--check]`.

use super::{Outcome, ground};
use crate::settings::Settings;

pub async fn migrate(settings: &Settings, check: bool, json: bool) -> anyhow::Result<Outcome> {
    let db = ground::database(settings).await?;
    let pending = db.pending_migrations().await?;
    if !check {
        db.migrate().await?;
    }
    if json {
        println!("{}", serde_json::json!({ "pending": pending, "done": !check }));
    } else if pending.is_empty() {
        println!("The database is up to date.");
    } else {
        let done = if check { "missing" } else { "done" };
        for name in &pending {
            println!("{done}: {name}");
        }
    }
    Ok(if check && !pending.is_empty() { Outcome::ProblemsFound } else { Outcome::Done })
}
