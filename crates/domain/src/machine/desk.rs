//! Who decides a request: the desk it lies on. The rules ask it, and storage keeps it beside the cycle, so that an inbox
//! shows exactly what its owner may decide.

use super::Situation;
use crate::cycle::{Cycle, Stage};
use crate::ids::UserId;
use crate::people::{Actor, Role, Standing};

/// Who may decide the level under way of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Desk {
    pub seat: Seat,
    /// Where the default approver may decide as well, since the level's time has passed; never the seat itself.
    pub fallback: Option<Seat>,
    /// Who asked for the money or decided on another level, and those in whose place it was done: none of them decides.
    pub barred: Vec<UserId>,
}

/// What one must hold to decide, in the region of the partner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seat {
    Manager,
    /// An approver of exactly this level.
    Approver(u8),
}

impl Seat {
    /// The stored name: `manager`, `approver.2`.
    pub fn code(self) -> String {
        match self {
            Seat::Manager => "manager".to_owned(),
            Seat::Approver(level) => format!("approver.{level}"),
        }
    }

    /// Every seat a standing fills.
    pub fn of(standing: &Standing) -> Vec<Self> {
        if standing.is_partner() {
            return Vec::new();
        }
        let manager = standing.has(Role::ChannelManager).then_some(Seat::Manager);
        let approver = standing.has(Role::Approver).then_some(Seat::Approver(standing.approves_level));
        manager.into_iter().chain(approver).collect()
    }
}

impl Desk {
    /// The desk a request lies on; `None` where nothing is decided, or the guide has no band for its level.
    pub fn of(s: &Situation) -> Option<Self> {
        if s.cycle.stage != Stage::ApprovalReview {
            return None;
        }
        let band = s.policy.band(s.cycle.level, &s.partner)?;
        let seat = if band.role() == Role::ChannelManager { Seat::Manager } else { Seat::Approver(band.level) };
        let fallback = s.policy.default_approver.as_ref().filter(|_| s.cycle.approval.escalated);
        let fallback = fallback.map(|fallback| Seat::Approver(fallback.level)).filter(|other| *other != seat);
        Some(Self { seat, fallback, barred: barred(&s.cycle) })
    }

    /// The same while the request waits for its deciders: one with a question open waits for the partner.
    pub fn waiting(s: &Situation) -> Option<Self> {
        Self::of(s).filter(|_| s.cycle.approval.open_question().is_none())
    }

    /// Whether a standing is one that decides here, whoever holds it.
    pub fn takes(&self, standing: &Standing, region: &str) -> bool {
        let fits = |seat: &Seat| *seat == self.seat || Some(*seat) == self.fallback;
        standing.covers(region) && Seat::of(standing).iter().any(fits)
    }

    /// The standing under which somebody decides here: one that nothing bars before one that is barred, so that whoever
    /// stands in for two colleagues is not refused for the sake of one.
    pub(super) fn standing_of<'a>(&self, actor: &'a Actor, region: &str) -> Option<&'a Standing> {
        let free = |standing: &Standing| self.takes(standing, region) && !self.barred.contains(&standing.user);
        actor.standing_that(free).or_else(|| actor.standing_that(|standing| self.takes(standing, region)))
    }
}

fn barred(cycle: &Cycle) -> Vec<UserId> {
    let deciders = cycle.approval.decisions.iter().flat_map(|one| std::iter::once(one.by).chain(one.in_place_of));
    let mut people: Vec<UserId> = cycle.requesters().chain(deciders).collect();
    people.sort_unstable();
    people.dedup();
    people
}
