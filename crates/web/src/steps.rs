//! The nine steps of the loop, one file each: page structs and handlers.

pub mod s1_plan;
pub mod s2_scorecard;
pub mod s3_forecast;
pub mod s4_action_plan;

use domain::machine::{Command, Situation, decide};
use domain::refusal::Reason;
use engine::WhichCycle;

use crate::error::Error;
use crate::extract::Who;

/// A cycle with all the rules look at; not theirs answers as missing.
pub async fn look(who: &Who, no: &str) -> Result<Situation, Error> {
    Ok(who.site().engine.look(who.viewer(), WhichCycle::Number(no)).await?)
}

/// Why a command would be refused here and now, by the very rules that decide it; empty where it would pass.
pub fn objections(who: &Who, s: &Situation, command: &Command) -> Vec<Reason> {
    decide(s, who.actor(), command, who.now()).err().map(|refusal| refusal.reasons).unwrap_or_default()
}
