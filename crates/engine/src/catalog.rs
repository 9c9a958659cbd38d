//! What is shipped inside the program: benchmarks, the scorecard, program guides.

use crate::error::{Error, Result};
use domain::forecast::Benchmarks;
use domain::policy::Policy;
use domain::steps::s2_scorecard::Template;

/// Benchmarks and scorecard in force.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub benchmarks: Benchmarks,
    pub scorecard: Template,
}

impl Catalog {
    /// The shipped ones.
    pub fn shipped() -> Result<Self> {
        let benchmarks = Benchmarks::load(include_str!("../../../config/benchmarks.toml")).map_err(Error::internal)?;
        let scorecard =
            Template::load(include_str!("../../../config/scorecards/standard.toml")).map_err(Error::internal)?;
        Ok(Self { benchmarks, scorecard })
    }
}

/// A shipped program guide: its file's name and its text.
pub type ShippedGuide = (&'static str, &'static str);

/// The program guides that come with the program, to start one's own from.
pub const GUIDES: [ShippedGuide; 5] = [
    ("aurelia-growth-fund-emea.toml", include_str!("../../../config/programs/aurelia-growth-fund-emea.toml")),
    (
        "aurelia-partner-accelerator-us.toml",
        include_str!("../../../config/programs/aurelia-partner-accelerator-us.toml"),
    ),
    ("ferrite-coop-north-america.toml", include_str!("../../../config/programs/ferrite-coop-north-america.toml")),
    ("cirrostrat-partner-wallet.toml", include_str!("../../../config/programs/cirrostrat-partner-wallet.toml")),
    ("hoshizora-regional-japan.toml", include_str!("../../../config/programs/hoshizora-regional-japan.toml")),
];

/// Reads a guide that is stored; it was checked when it was taken in.
pub(crate) fn stored(text: &str) -> Result<Policy> {
    Policy::stored(text).map_err(Error::Internal)
}
