//! A change of what, where, when, who or how much after approval.

use super::super::s4_action_plan::{self, ActivityDraft};
use super::super::s5_request::{self, RequestLine};
use super::super::{Case, Outcome, need_reason, s6_approval};
use super::{ActivityState, Event};
use crate::Date;
use crate::machine::Situation;
use crate::policy::rules::{self, material_change};
use crate::policy::{Judgement, Material};
use crate::refusal::{Reason, Refusal};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn amend(
    case: &Case,
    no: u16,
    draft: &ActivityDraft,
    lines: &[RequestLine],
    reason: &str,
) -> Result<Vec<Outcome>, Refusal> {
    let (s, cycle) = (case.s, &case.s.cycle);
    let activity = cycle.activity(no).ok_or_else(|| s4_action_plan::missing(no))?;
    need_reason(reason)?;
    if activity.state != ActivityState::Live {
        return Err(Refusal::new(
            "not_live",
            format!("“{}” is {} and can no longer be changed.", activity.draft.name, activity.state.label()),
            "Only an activity that has no proof under review or accepted can be amended.",
        ));
    }
    if draft.campaign != activity.draft.campaign {
        return Err(Refusal::new(
            "campaign",
            "An activity stays with its campaign.",
            "Cancel it here and plan it again in the other campaign.",
        ));
    }
    s4_action_plan::sound(case, draft)?;
    let lines = asked_lines(case, no, draft, lines)?;
    let counts = (draft.sponsors, draft.heads) != (activity.draft.sponsors, activity.draft.heads);
    let how_much =
        counts || draft.costs != activity.draft.costs || asked(&cycle.request.lines, no) != asked(&lines, no);
    let fields = [
        (Material::What, draft.name != activity.draft.name || draft.kind != activity.draft.kind),
        (Material::Where, draft.place != activity.draft.place),
        (Material::When, draft.starts != activity.draft.starts || draft.ends != activity.draft.ends),
        (Material::Who, draft.owner != activity.draft.owner),
        (Material::HowMuch, how_much),
    ];
    let changed: Vec<Material> = fields.iter().filter(|(_, changed)| *changed).map(|(field, _)| *field).collect();
    if changed.is_empty() {
        return Err(Refusal::new(
            "no_change",
            "The amendment changes nothing.",
            "Change what, where, when, who or how much, or leave the activity as it is.",
        ));
    }
    let reopens = material_change(&s.policy, &changed).outcome == Judgement::Warn;
    let due = reopens.then(|| s6_approval::due(s, 1, case.today));
    Ok(vec![
        Event::Amended { activity: no, draft: draft.clone(), lines, reason: reason.trim().to_owned(), reopens, due }
            .into(),
    ])
}

/// What is asked of an activity, line by line; a line asked with zero is one not asked.
fn asked(lines: &[RequestLine], activity: u16) -> BTreeMap<u16, i64> {
    let of_it = lines.iter().filter(|line| line.activity == activity && line.asked.is_positive());
    of_it.map(|line| (line.line, line.asked.minor)).collect()
}

/// The amended lines: each of the activity's own, none above the vendor's share of its new cost.
fn asked_lines(
    case: &Case,
    no: u16,
    draft: &ActivityDraft,
    lines: &[RequestLine],
) -> Result<Vec<RequestLine>, Refusal> {
    let mut after = case.s.clone();
    if let Some(activity) = after.cycle.activities.iter_mut().find(|activity| activity.no == no) {
        activity.draft = draft.clone();
    }
    let mut reasons = Vec::new();
    let costed = |line: &RequestLine| draft.costs.iter().any(|cost| cost.no == line.line);
    if lines.iter().any(|line| line.activity != no || !costed(line)) {
        reasons.push(Reason::new(
            "no_line",
            "The amendment asks for a cost line that is not there.",
            "Ask for the lines shown.",
        ));
    }
    let kept = |line: &RequestLine| line.asked.is_kept_in(case.s.cycle.currency, 0);
    for line in lines.iter().filter(|line| !kept(line)) {
        let why = format!("The amount for line {} is none in {}.", line.line, case.s.cycle.currency);
        reasons.push(Reason::new("amount", why, "Enter zero or more.").at(&format!("asked_{}", line.line)));
    }
    reasons.extend(against(&after, no, draft, lines, case.today));
    let numbers: BTreeSet<u16> = lines.iter().map(|line| line.line).collect();
    if numbers.len() != lines.len() {
        reasons.push(Reason::new("line_twice", "A cost line is asked for twice.", "Ask for each once."));
    }
    Refusal::unless_empty(reasons)?;
    Ok(lines.to_vec())
}

/// What the guide says against an amended activity and what is asked for it; when it is asked does not matter here.
fn against(after: &Situation, no: u16, draft: &ActivityDraft, lines: &[RequestLine], today: Date) -> Vec<Reason> {
    let request = s5_request::RequestDraft { lines: lines.to_vec(), ..s5_request::submitted(after) };
    let mut asking = s5_request::asking(after, &request, today);
    asking.activities.retain(|activity| activity.no == no);
    let judged = ["activity_type", "season", "use_window", "eligible_cost", "vendor_share"];
    let verdicts = rules::judge(&after.policy, &asking).into_iter();
    let failed = verdicts.filter(|verdict| verdict.fails() && judged.contains(&verdict.rule.as_str()));
    failed
        .map(|verdict| match draft.costs.iter().find(|cost| cost.description == verdict.about) {
            Some(cost) => verdict.reason().at(&format!("asked_{}", cost.no)),
            None => verdict.reason().at("kind"),
        })
        .collect()
}
