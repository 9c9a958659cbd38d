//! A change of what, where, when, who or how much after approval.

mod after;

use super::super::s4_action_plan::{self, Activity, ActivityDraft};
use super::super::s5_request::RequestLine;
use super::super::{Case, Outcome, need_reason, s6_approval};
use super::{ActivityState, Event};
use crate::policy::rules::material_change;
use crate::policy::{Judgement, Material, Verdict};
use crate::refusal::{Reason, Refusal};
use after::After;
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
    let Judged { lines, said } = asked_lines(case, activity, draft, lines, reason)?;
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
        Event::Amended {
            activity: no,
            draft: draft.clone(),
            lines,
            reason: reason.trim().to_owned(),
            reopens,
            due,
            verdicts: said,
        }
        .into(),
    ])
}

/// What is asked of an activity, line by line; a line asked with zero is one not asked.
fn asked(lines: &[RequestLine], activity: u16) -> BTreeMap<u16, i64> {
    let of_it = lines.iter().filter(|line| line.activity == activity && line.asked.is_positive());
    of_it.map(|line| (line.line, line.asked.minor)).collect()
}

/// What an amendment asks for, cut to what the program pays, and what the guide says of the request as it will be.
struct Judged {
    lines: Vec<RequestLine>,
    said: Vec<Verdict>,
}

/// The amended lines: each of the activity's own, all of them inside the guide. What a cap cuts is cut here as well.
fn asked_lines(
    case: &Case,
    activity: &Activity,
    draft: &ActivityDraft,
    lines: &[RequestLine],
    reason: &str,
) -> Result<Judged, Refusal> {
    let mut reasons = Vec::new();
    let costed = |line: &RequestLine| draft.costs.iter().any(|cost| cost.no == line.line);
    if lines.iter().any(|line| line.activity != activity.no || !costed(line)) {
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
    let numbers: BTreeSet<u16> = lines.iter().map(|line| line.line).collect();
    if numbers.len() != lines.len() {
        reasons.push(Reason::new("line_twice", "A cost line is asked for twice.", "Ask for each once."));
    }
    Refusal::unless_empty(reasons)?;
    let after = After::of(case.s, activity, draft, lines, reason);
    let said = after.judge(case.today);
    let failed = said.iter().filter(|verdict| verdict.fails());
    Refusal::unless_empty(failed.map(|verdict| verdict.reason().at(&after.field_of(verdict))).collect())?;
    Ok(Judged { lines: after.cut(), said })
}
