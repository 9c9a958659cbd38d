//! The models' formulas, a file a family. A family writes one weight per touch; the weights' sum is the whole.

pub mod milestone;
pub mod participation;
pub mod position;
mod shapley;
mod single;
mod spread;

use crate::explain::Reason;
use crate::journey::Touch;
use crate::model::Model;
use position::PositionWeights;

/// A touch's weight under a model, a whole number: exact where the model is rational.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighted {
    pub weight: u64,
    pub reason: Reason,
}

impl Weighted {
    pub const NOTHING: Self = Self { weight: 0, reason: Reason::NoPosition };

    pub fn new(weight: u64, reason: Reason) -> Self {
        Self { weight, reason }
    }
}

/// Write the weight of each touch into `out`, which is emptied first and can be used again. The touches are those
/// inside the window, in order. With no touch there is no weight; otherwise at least one weight is above zero.
pub(crate) fn weigh(model: &Model, touches: &[Touch], converted_at: i64, out: &mut Vec<Weighted>) {
    out.clear();
    match touches {
        [] => return,
        // Every model gives an only touch everything.
        [_] => return out.push(Weighted::new(1, Reason::Only)),
        _ => {}
    }
    match model {
        Model::First => single::first(touches, out),
        Model::Last => single::last(touches, out),
        Model::LastNonDirect => single::last_non_direct(touches, out),
        Model::Linear => spread::linear(touches, out),
        Model::TimeDecay { half_life } => spread::time_decay(touches, converted_at, *half_life, out),
        Model::Position402040 => PositionWeights::FORTY_TWENTY_FORTY.weigh(touches.len(), out),
        Model::JShaped => PositionWeights::J_SHAPED.weigh(touches.len(), out),
        Model::InverseJ => PositionWeights::INVERSE_J.weigh(touches.len(), out),
        Model::CustomPosition(weights) => weights.weigh(touches.len(), out),
        Model::UMarketo => milestone::U_MARKETO.weigh(touches, out),
        Model::UHubspot => milestone::U_HUBSPOT.weigh(touches, out),
        Model::WShaped => milestone::W_SHAPED.weigh(touches, out),
        Model::FullPath => milestone::FULL_PATH.weigh(touches, out),
        Model::Milestones(weights) => weights.weigh(touches, out),
        Model::Shapley => shapley::shapley(touches, out),
    }
}
