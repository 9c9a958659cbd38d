//! What most verbs stand on: the database, the engine and the door, made from the settings.

use crate::settings::Settings;
use anyhow::Context;
use chrono::Duration;
use engine::Engine;
use engine::clock::Clock;
use engine::general_ledger::Chart;
use engine::signin::{Door, Limits};
use mailer::{Post, Sender};
use secrecy::ExposeSecret;
use storage::{Db, Options};

pub struct Ground {
    pub engine: Engine,
    pub door: Door,
}

impl Ground {
    /// Opens everything, on a database that is brought up to date first.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        Self::with_clock(settings, Clock::real()).await
    }

    pub async fn with_clock(settings: &Settings, clock: Clock) -> anyhow::Result<Self> {
        let db = database(settings).await?;
        db.migrate().await.context("the database could not be brought up to date")?;
        let sender = sender(settings)?;
        let post = post(settings, &sender)?;
        let files = settings.data.folder.join("files");
        let chart = Chart::read(&settings.general_ledger).map_err(anyhow::Error::msg)?;
        let engine = Engine::new(db.clone(), clock.clone(), sender.clone(), post, &files)?.with_chart(chart);
        let limits = Limits {
            idle: Duration::hours(i64::from(settings.sessions.idle_hours)),
            longest: Duration::hours(i64::from(settings.sessions.longest_hours)),
        };
        let door = Door::new(db, clock, sender, limits);
        Ok(Self { engine, door })
    }
}

/// The database as it is, which may not be up to date.
pub async fn database(settings: &Settings) -> anyhow::Result<Db> {
    let folder = &settings.data.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let url = settings.database_url();
    Db::connect(&url, &Options::default()).await.context("the database does not answer")
}

pub fn sender(settings: &Settings) -> anyhow::Result<Sender> {
    let from = &settings.mail.from;
    let (name, email) = match from.split_once('<') {
        Some((name, rest)) => (name.trim().trim_matches('"'), rest.trim_end().trim_end_matches('>')),
        None => ("Fundloop", from.as_str()),
    };
    anyhow::ensure!(email.contains('@'), "mail.from is no sender: write it like \"MDF desk <mdf@example.com>\"");
    Ok(Sender { name: name.to_owned(), email: email.trim().to_owned(), base_url: settings.base_url() })
}

pub fn post(settings: &Settings, sender: &Sender) -> anyhow::Result<Post> {
    let url = settings.mail.url.expose_secret();
    if url.is_empty() {
        return Ok(Post::folder(settings.data.folder.join("mail"), sender)?);
    }
    Ok(Post::smtp(url, sender)?)
}
