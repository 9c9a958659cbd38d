//! The attribution kernel: journeys in, credit out.
//!
//! A [`Journey`] is the ordered touches of a buying company up to a deal's close. [`credit`] divides the deal's
//! amount among the touches under a [`Model`], in exact minor units: the parts and the unattributed rest add up to the
//! amount to the last unit, under every model, whatever the order in which the touches were given.
//!
//! ```
//! use attribution::{Journey, Model, Touch, credit};
//!
//! let touch = |id, channel, at| Touch { response: true, ..Touch::new(id, channel, at) };
//! let journey = Journey::won(vec![touch(1, 7, 100), touch(2, 8, 200), touch(3, 7, 300)], 10_000, 400);
//! let credits = credit(&"position-40-20-40".parse::<Model>().unwrap(), &journey, None);
//! assert_eq!(credits.parts.iter().map(|part| part.amount).collect::<Vec<_>>(), [4_000, 2_000, 4_000]);
//! assert_eq!(credits.parts[0].to_string(), "40 %: first touch");
//! ```
//!
//! Many journeys at once go through a [`tally::Tally`], which adds up in whole numbers too; [`markov::Chain`] learns
//! from them.
//!
//! Pure: no clock, no input or output, no randomness. Weights are whole numbers and money is whole minor units;
//! floating point appears only inside time decay's curve and the Markov chain's solver.
//!
//! Deliberately absent: a default exchange rate (amounts of one journey are in one currency, converted by the
//! caller), and a way to add participation up as though it were credit.

mod credit;
mod distinct;
mod explain;
mod hash;
mod journey;
pub mod markov;
mod model;
mod models;
mod places;
mod solver;
mod sparse;
mod split;
pub mod tally;

pub use credit::{Credits, Part, Share, credit};
pub use explain::Reason;
pub use hash::FastMap;
pub use journey::{Channel, Journey, Milestone, Milestones, Outcome, PathStep, Touch};
pub use model::{Model, ModelError, parse_duration};
pub use models::milestone::MilestoneWeights;
pub use models::participation::{Participation, participation};
pub use models::position::PositionWeights;
pub use split::split;

/// The version of the formulas, for credit rows to name. It is raised when any model would divide a journey otherwise.
pub const VERSION: u16 = 1;
