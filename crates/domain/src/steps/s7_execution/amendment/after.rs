//! The whole request as an amendment would leave it, judged by the guide.
//!
//! What stands approved elsewhere counts as it stands and is not judged again; what the amendment changes is held to
//! every rule that a request is held to. A rule that was broken before, by a cancellation, say, is not held against an
//! amendment that does not make it worse.

use super::super::super::s4_action_plan::{Activity, ActivityDraft};
use super::super::super::s5_request::{self, RequestDraft, RequestLine};
use super::super::ActivityState;
use crate::Date;
use crate::calendar::{plus, words};
use crate::machine::Situation;
use crate::money::Money;
use crate::policy::rules::{self, Asking, Planned};
use crate::policy::{Judgement, Verdict};

/// Rules that speak of the amended activity alone.
const OF_THE_ACTIVITY: [&str; 5] = ["activity_type", "season", "use_window", "eligible_cost", "vendor_share"];

pub(super) struct After<'a> {
    s: &'a Situation,
    before: &'a Activity,
    draft: &'a ActivityDraft,
    lines: &'a [RequestLine],
    reason: &'a str,
    /// The request as it stands and as it would be: what else is approved first, the amended activity last, so that a
    /// cap they share cuts what is new.
    stands: Asking,
    wanted: Asking,
}

impl<'a> After<'a> {
    pub(super) fn of(
        s: &'a Situation,
        before: &'a Activity,
        draft: &'a ActivityDraft,
        lines: &'a [RequestLine],
        reason: &'a str,
    ) -> Self {
        let mut after = s.clone();
        if let Some(activity) = after.cycle.activities.iter_mut().find(|activity| activity.no == before.no) {
            activity.draft = draft.clone();
        }
        let stands = whole(s, before.no, &approved(s, before.no));
        let wanted = whole(&after, before.no, lines);
        Self { s, before, draft, lines, reason, stands, wanted }
    }

    /// Every rule's verdict on the request as it would be, those left out that had nothing to say.
    pub(super) fn judge(&self, today: Date) -> Vec<Verdict> {
        let own = Asking { activities: self.activity().into_iter().collect(), ..self.wanted.clone() };
        let mut said = rules::judge(&self.s.policy, &own);
        said.retain(|verdict| OF_THE_ACTIVITY.contains(&verdict.rule.as_str()));
        said.extend(self.lead_time(today));
        let whole = rules::judge(&self.s.policy, &self.wanted);
        said.extend(whole.into_iter().filter(|verdict| verdict.rule == "cap"));
        said.extend(self.mixes());
        said.extend(self.minimum());
        let total = total(self.s, &self.wanted);
        if total.is_positive() {
            said.push(rules::bands(&self.s.policy, total, Some(&self.s.partner.country), Some(today), &[]));
        }
        said.retain(|verdict| verdict.outcome != Judgement::NotApplicable);
        said
    }

    /// The amended lines, each cut to what the program pays of it where a cap cuts it.
    pub(super) fn cut(&self) -> Vec<RequestLine> {
        let most = rules::priced(&self.s.policy, &self.wanted).pop().unwrap_or_default();
        let activity = self.activity();
        let limits: Vec<(u16, Money)> =
            activity.iter().flat_map(|activity| &activity.lines).map(|line| line.no).zip(most).collect();
        let cut = |line: &RequestLine| {
            let most = limits.iter().find(|(no, _)| *no == line.line).map(|(_, most)| *most);
            RequestLine {
                asked: most.filter(|most| most.minor < line.asked.minor).unwrap_or(line.asked),
                ..line.clone()
            }
        };
        self.lines.iter().map(cut).collect()
    }

    /// The form's field a verdict is about.
    pub(super) fn field_of(&self, verdict: &Verdict) -> String {
        if let Some(cost) = self.draft.costs.iter().find(|cost| cost.description == verdict.about) {
            return format!("asked_{}", cost.no);
        }
        match verdict.rule.as_str() {
            "lead_time" | "season" => "starts".to_owned(),
            "use_window" => "ends".to_owned(),
            "mix" | "minimum_request" | "approval_bands" => {
                let first = self.draft.costs.first().map_or(1, |cost| cost.no);
                format!("asked_{first}")
            }
            _ => "kind".to_owned(),
        }
    }

    fn activity(&self) -> Option<Planned> {
        self.wanted.activities.last().filter(|activity| activity.no == self.before.no).cloned()
    }

    /// A first day that stays, or that leaves more time than was approved, is not judged again. One that comes nearer is,
    /// and so is an activity that nothing was asked for before; the amendment's reason is the reason it is late.
    fn lead_time(&self, today: Date) -> Vec<Verdict> {
        let policy = &self.s.policy;
        let is_new =
            !self.s.cycle.request.lines.iter().any(|line| line.activity == self.before.no && line.asked.is_positive());
        let nearer = self.draft.starts < self.before.draft.starts;
        let asks = self.lines.iter().any(|line| line.asked.is_positive());
        if !asks || !(nearer || is_new) {
            return Vec::new();
        }
        let own = Asking {
            asked_on: Some(today),
            late_reason: Some(self.reason.to_owned()),
            activities: self.activity().into_iter().collect(),
            ..self.wanted.clone()
        };
        let mut said = rules::judge(policy, &own);
        said.retain(|verdict| verdict.rule == "lead_time");
        for verdict in said.iter_mut().filter(|verdict| verdict.fails()) {
            verdict.remedy = self.start_that_passes(today, nearer);
        }
        said
    }

    fn start_that_passes(&self, today: Date, nearer: bool) -> String {
        let country = &self.s.partner.country;
        let first = (0..=366).map(|days| plus(self.draft.starts, days));
        let first = first.into_iter().find(|day| self.s.policy.last_day_to_ask(*day, country) >= today);
        let later =
            first.map_or_else(|| "Start it later".to_owned(), |day| format!("Start it on {} or later", words(day)));
        if nearer {
            format!("{later}, or leave its first day as it is: {}.", words(self.before.draft.starts))
        } else {
            format!("{later}.")
        }
    }

    /// A mix that fails, and takes more than it did.
    fn mixes(&self) -> Vec<Verdict> {
        let of = |asking: &Asking| {
            let all = rules::judge(&self.s.policy, asking).into_iter();
            all.filter(|verdict| verdict.rule == "mix").collect::<Vec<Verdict>>()
        };
        let stood = of(&self.stands);
        let no_worse = |verdict: &Verdict| {
            let before = stood.iter().find(|before| before.about == verdict.about && before.fails());
            before.is_some_and(|before| amount(verdict, "takes") <= amount(before, "takes"))
        };
        of(&self.wanted).into_iter().filter(|verdict| !(verdict.fails() && no_worse(verdict))).collect()
    }

    /// Only who asks for less can come below the least a request asks for.
    fn minimum(&self) -> Vec<Verdict> {
        if total(self.s, &self.wanted).minor >= total(self.s, &self.stands).minor {
            return Vec::new();
        }
        let all = rules::judge(&self.s.policy, &self.wanted).into_iter();
        all.filter(|verdict| verdict.rule == "minimum_request").collect()
    }
}

/// What stands approved of an activity, line by line.
fn approved(s: &Situation, activity: u16) -> Vec<RequestLine> {
    let lines = s.cycle.approval.lines.iter().filter(|line| line.activity == activity);
    lines.map(|line| RequestLine { activity, line: line.line, asked: line.amount }).collect()
}

/// A request of these lines of one activity beside what stands approved of all others that have not ended in nothing.
fn whole(s: &Situation, no: u16, lines: &[RequestLine]) -> Asking {
    let stands =
        s.cycle.activities.iter().filter(|other| {
            other.no != no && !matches!(other.state, ActivityState::Cancelled | ActivityState::Expired)
        });
    let others = stands.flat_map(|other| approved(s, other.no)).filter(|line| line.asked.is_positive());
    let all = others.chain(lines.iter().cloned()).collect();
    let request = RequestDraft { lines: all, ..s5_request::submitted(s) };
    let mut asking = s5_request::asking(s, &request, s.cycle.period.from);
    (asking.asked_on, asking.fund) = (None, None);
    let partner = asking.partner.clone();
    for activity in asking.activities.iter_mut().filter(|activity| activity.no != no) {
        let share = s.policy.share_for(activity.shared(&partner));
        for line in &mut activity.lines {
            // What stands counts as far as it was approved: its whole cost would use up a cap it never used.
            let counts = line.asked.and_then(|asked| asked.grossed_up(share)).unwrap_or(line.cost);
            line.counts = Some(Money::new(counts.minor.min(line.cost.minor), line.cost.currency));
        }
    }
    asking.activities.sort_by_key(|activity| activity.no == no);
    asking
}

/// The sum of what is asked and counts, as [`rules::judge`] adds it up.
fn total(s: &Situation, asking: &Asking) -> Money {
    let most = rules::priced(&s.policy, asking);
    let lines = asking.activities.iter().zip(&most).flat_map(|(activity, most)| activity.lines.iter().zip(most));
    let asked = lines.map(|(line, most)| line.asked.map_or(most.minor, |asked| asked.minor.min(most.minor)));
    Money::new(asked.sum(), asking.currency)
}

fn amount(verdict: &Verdict, figure: &str) -> rust_decimal::Decimal {
    match verdict.figures.get(figure) {
        Some(crate::policy::Figure::Text(text)) => text.parse().unwrap_or_default(),
        _ => rust_decimal::Decimal::ZERO,
    }
}
