//! Models that give everything to one touch. Every vendor has them.

use super::Weighted;
use crate::explain::Reason;
use crate::journey::Touch;

/// 1 on t1.
pub fn first(touches: &[Touch], out: &mut Vec<Weighted>) {
    all_to(touches, 0, Reason::First, out);
}

/// 1 on tn.
pub fn last(touches: &[Touch], out: &mut Vec<Weighted>) {
    all_to(touches, touches.len() - 1, Reason::Last, out);
}

/// 1 on the last touch that is not the vendor's own; if all are, on the last.
pub fn last_non_direct(touches: &[Touch], out: &mut Vec<Weighted>) {
    match touches.iter().rposition(|touch| !touch.direct) {
        Some(place) => all_to(touches, place, Reason::LastNotDirect, out),
        None => all_to(touches, touches.len() - 1, Reason::LastAllDirect, out),
    }
}

fn all_to(touches: &[Touch], place: usize, reason: Reason, out: &mut Vec<Weighted>) {
    out.resize(touches.len(), Weighted::NOTHING);
    out[place] = Weighted::new(1, reason);
}
