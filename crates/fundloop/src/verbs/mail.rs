//! `fundloop mail test ADDRESS`.

use super::{Outcome, ground};
use crate::settings::Settings;
use anyhow::Context;
use clap::Subcommand;
use engine::clock::Clock;
use mailer::Recipient;

#[derive(Subcommand, Debug)]
pub enum MailVerb {
    /// Send a mail now and say what became of it.
    Test { address: String },
}

pub async fn run(settings: &Settings, verb: MailVerb) -> anyhow::Result<Outcome> {
    let MailVerb::Test { address } = verb;
    let sender = ground::sender(settings)?;
    let post = ground::post(settings, &sender)?;
    let to = Recipient { name: String::new(), email: address.clone(), ..Recipient::default() };
    let mail = mailer::trial(&to, &sender, &sender.message_id(uuid::Uuid::now_v7()));
    post.send(&mail, Clock::real().now()).await.with_context(|| format!("not sent by {}", post.describe()))?;
    println!("Sent to {address} by {}.", post.describe());
    Ok(Outcome::Done)
}
