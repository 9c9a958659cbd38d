//! The models by name. Vendors disagree about what a "U" is, so a name says whose it is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::models::milestone::{self, MilestoneWeights};
use crate::models::position::PositionWeights;

/// How credit is divided. Every model here needs one journey only; the Markov chain learns from many and is
/// [`crate::markov`]; participation is not credit and is [`crate::participation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    First,
    Last,
    LastNonDirect,
    Linear,
    TimeDecay { half_life: Duration },
    Position402040,
    UMarketo,
    UHubspot,
    JShaped,
    InverseJ,
    CustomPosition(PositionWeights),
    WShaped,
    FullPath,
    Milestones(MilestoneWeights),
    Shapley,
}

impl Model {
    /// Adobe's and Google's half-life: 7 days.
    pub const HALF_LIFE: Duration = Duration::from_hours(168);

    /// The models that need no settings, in the order they are shown side by side.
    pub const PRESETS: [Self; 13] = [
        Self::First,
        Self::Last,
        Self::LastNonDirect,
        Self::Linear,
        Self::TimeDecay { half_life: Self::HALF_LIFE },
        Self::Position402040,
        Self::UMarketo,
        Self::UHubspot,
        Self::JShaped,
        Self::InverseJ,
        Self::WShaped,
        Self::FullPath,
        Self::Shapley,
    ];

    /// The name without settings: `time-decay`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::LastNonDirect => "last-non-direct",
            Self::Linear => "linear",
            Self::TimeDecay { .. } => "time-decay",
            Self::Position402040 => "position-40-20-40",
            Self::UMarketo => "u-marketo",
            Self::UHubspot => "u-hubspot",
            Self::JShaped => "j-shaped",
            Self::InverseJ => "inverse-j",
            Self::CustomPosition(_) => "custom-position",
            Self::WShaped => "w-shaped",
            Self::FullPath => "full-path",
            Self::Milestones(_) => "milestones",
            Self::Shapley => "shapley",
        }
    }

    /// The model needs to know when each touch was.
    pub fn needs_times(&self) -> bool {
        matches!(self, Self::TimeDecay { .. })
    }

    /// What tells one touch from another under this model.
    pub(crate) fn looks_at(&self) -> LooksAt {
        match self {
            Self::First
            | Self::Last
            | Self::Linear
            | Self::Position402040
            | Self::JShaped
            | Self::InverseJ
            | Self::CustomPosition(_) => LooksAt::Places,
            Self::UMarketo | Self::UHubspot | Self::WShaped | Self::FullPath | Self::Milestones(_) => LooksAt::Marks,
            Self::LastNonDirect => LooksAt::Direct,
            Self::Shapley => LooksAt::Channels,
            Self::TimeDecay { .. } => LooksAt::Times,
        }
    }

    /// The weights of a model of milestones.
    pub fn milestones(&self) -> Option<&MilestoneWeights> {
        match self {
            Self::UMarketo => Some(&milestone::U_MARKETO),
            Self::UHubspot => Some(&milestone::U_HUBSPOT),
            Self::WShaped => Some(&milestone::W_SHAPED),
            Self::FullPath => Some(&milestone::FULL_PATH),
            Self::Milestones(weights) => Some(weights),
            _ => None,
        }
    }
}

/// What a model wants to know of a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LooksAt {
    /// Whether it is the first or the last, and of how many.
    Places,
    /// That, milestones, and whether the buyer responded.
    Marks,
    /// Which is the last that is not the vendor's own.
    Direct,
    /// Which channels the journey has.
    Channels,
    Times,
}

impl LooksAt {
    /// Only places matter in a journey in which some touch holds a milestone or is no response, or none.
    pub fn is_places(self, marked: bool) -> bool {
        self == Self::Places || self == Self::Marks && !marked
    }
}

/// The name, and after a colon the settings that differ from the default: `time-decay:14d`, `custom-position:50/20/30`,
/// `milestones:first touch=30/demo=50/others=20`. What it prints, `from_str` reads.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::TimeDecay { half_life } if *half_life != Self::HALF_LIFE => {
                write!(f, ":{}s", half_life.as_secs())
            }
            Self::CustomPosition(weights) => write!(f, ":{weights}"),
            Self::Milestones(weights) => write!(f, ":{weights}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Model {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let text = text.trim();
        let (name, settings) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let name = name.to_lowercase();
        match (name.as_str(), settings) {
            ("time-decay", Some(half_life)) => parse_duration(half_life).map(|half_life| Self::TimeDecay { half_life }),
            ("custom-position", Some(weights)) => weights.parse().map(Self::CustomPosition),
            ("milestones", Some(weights)) => weights.parse().map(Self::Milestones),
            ("custom-position" | "milestones", None) => Err(ModelError::NeedsWeights(name)),
            ("u-shaped", None) => Ok(Self::Position402040),
            (_, None) => Self::PRESETS.into_iter().find(|model| model.name() == name).ok_or(ModelError::Unknown(name)),
            (_, Some(_)) => Err(ModelError::NoSettings(name)),
        }
    }
}

/// Why a model's name or its settings could not be read. The message is one sentence with a way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelError {
    Unknown(String),
    NeedsWeights(String),
    NoSettings(String),
    Weight(String),
    Milestone(String),
    Order(String),
    TooLarge,
    AllZero,
    Duration(String),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "there is no model \"{name}\"; choose from ")?;
                for model in Model::PRESETS {
                    write!(f, "{}, ", model.name())?;
                }
                f.write_str("custom-position, milestones, markov, participation")
            }
            Self::NeedsWeights(name) => write!(f, "the model {name} needs weights"),
            Self::NoSettings(name) => write!(f, "the model \"{name}\" takes no settings after a colon"),
            Self::Weight(text) => write!(f, "\"{text}\" is no weight; write a number like 40 or 22.5"),
            Self::Milestone(text) => write!(f, "\"{text}\" is no milestone; write a name, = and a weight: demo=30"),
            Self::Order(text) => write!(f, "\"{text}\" is no order of a Markov chain; choose 1, 2, 3 or 4"),
            Self::TooLarge => f.write_str("the weights are too large; let them add up to 100"),
            Self::AllZero => f.write_str("all weights are zero; give at least one position some weight"),
            Self::Duration(text) => {
                write!(f, "\"{text}\" is no length of time; write a whole number and s, m, h, d or w, like 7d")
            }
        }
    }
}

impl std::error::Error for ModelError {}

/// A length of time: a whole number and a unit, `s`, `m`, `h`, `d` or `w`.
pub fn parse_duration(text: &str) -> Result<Duration, ModelError> {
    let refused = || ModelError::Duration(text.to_owned());
    let text = text.trim();
    let digits = text.trim_end_matches(|unit: char| !unit.is_ascii_digit());
    let unit: u64 = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err(refused()),
    };
    let count: u64 = digits.parse().map_err(|_| refused())?;
    count.checked_mul(unit).map(Duration::from_secs).ok_or_else(refused)
}
