//! Asking, proving, claiming and approving in words.

use super::{days, numbers};
use crate::calendar::words;
use crate::policy::{ActivityType, Extension, Gate, Late, Policy, ProofItem};

pub(super) fn asking(policy: &Policy) -> Vec<String> {
    let lead = &policy.lead_time;
    let when = if lead.days == 0 {
        "Ask by the day the activity starts.".to_owned()
    } else {
        format!("Ask at least {} before the activity starts.", lead.count.words(lead.days))
    };
    let late = match lead.late {
        Late::Refused => "A request that comes later is refused.",
        Late::NeedsReason => "A request that comes later needs a reason.",
    };
    vec![when, late.to_owned()]
}

pub(super) fn gates(policy: &Policy) -> Vec<String> {
    let gate = |gate: &Gate| match gate {
        Gate::PlanAgreed => "Your business plan is agreed.".to_owned(),
        Gate::ScorecardNotRed => "Your scorecard is not red.".to_owned(),
        Gate::GoodStanding => "You are in good standing.".to_owned(),
    };
    let least = policy.amount(policy.request.minimum);
    let minimum = least.is_positive().then(|| format!("The least a request may ask for is {least}."));
    policy.request.gates.iter().map(gate).chain(minimum).collect()
}

/// "Event: lead list (csv; columns company, email), and at least one of: invitation, photo."
pub(super) fn activities(policy: &Policy) -> Vec<String> {
    policy.activity.iter().map(|kind| format!("{}: {}.", kind.name, checklist(kind))).collect()
}

fn checklist(kind: &ActivityType) -> String {
    let all: Vec<String> = kind.all_of.iter().map(item).collect();
    let some: Vec<String> = kind.one_of.iter().map(item).collect();
    let least = if kind.at_least == 1 { "one".to_owned() } else { kind.at_least.to_string() };
    match (all.is_empty(), some.is_empty()) {
        (false, false) => format!("{}; and at least {least} of: {}", all.join("; "), some.join("; ")),
        (false, true) => all.join("; "),
        (true, _) => format!("at least {least} of: {}", some.join("; ")),
    }
}

/// "Lead list (csv, xlsx; columns company, email)"
fn item(item: &ProofItem) -> String {
    let kinds = (!item.kinds.is_empty()).then(|| item.kinds.join(", "));
    let columns = (!item.columns.is_empty()).then(|| format!("columns {}", item.columns.join(", ")));
    let notes: Vec<String> = kinds.into_iter().chain(columns).collect();
    if notes.is_empty() { item.name.clone() } else { format!("{} ({})", item.name, notes.join("; ")) }
}

pub(super) fn deadlines(policy: &Policy) -> Vec<String> {
    let mut lines = proving(policy);
    lines.extend(claiming(policy));
    lines
}

fn proving(policy: &Policy) -> Vec<String> {
    let proof = &policy.proof;
    let mut lines = vec![format!("Proof is due {} after the activity ends.", days(proof.days))];
    lines.push(match proof.grace {
        0 => "After that the activity expires and its money is released.".to_owned(),
        grace => format!(
            "After that there are {} of grace; then the activity expires and its money is released.",
            days(grace)
        ),
    });
    if !proof.reminders.is_empty() {
        lines.push(format!("You are reminded {} days before proof is due.", numbers(&proof.reminders)));
    }
    lines.push(format!("Proof is reviewed within {}.", days(proof.review_days)));
    if let Some(again) = proof.resubmit_days {
        lines.push(format!("Proof that is returned to you can be handed in again within {}.", days(again)));
    }
    lines
}

fn claiming(policy: &Policy) -> Vec<String> {
    let claim = &policy.claim;
    let mut lines = vec![match (claim.last_day, claim.days_after_period, claim.days) {
        (Some(day), ..) => format!("Claims are due by {}.", words(day)),
        (None, Some(count), _) => format!("Claims are due {} after the end of the period.", days(count)),
        (None, None, count) => format!("Claims are due {} after the activity ends.", days(count.unwrap_or(0))),
    }];
    if let Some(first) = claim.first_time_days.filter(|first| Some(*first) != claim.days) {
        lines.push(format!("For your first claim ever you have {}.", days(first)));
    }
    if let Some(extra) = claim.first_time_extra_days {
        lines.push(format!("For your first claim ever you have {} more.", days(extra)));
    }
    if !claim.reminders.is_empty() {
        lines.push(format!("You are reminded {} days after the activity ends.", numbers(&claim.reminders)));
    }
    if !claim.reminders_before.is_empty() {
        lines.push(format!("You are reminded {} days before the last day.", numbers(&claim.reminders_before)));
    }
    lines.extend(policy.extension.as_ref().map(more_time));
    let least = policy.amount(claim.minimum);
    if least.is_positive() {
        lines.push(format!("The least to claim is {least}, unless it is the last claim on a campaign."));
    }
    let most = [(claim.most_per_campaign, "a campaign"), (claim.most_per_activity, "an activity")];
    let most = most.iter().filter_map(|(most, what)| most.map(|most| (most, what)));
    lines.extend(most.map(|(most, what)| format!("There are at most {most} claims on {what}.")));
    lines.push(format!(
        "Finance decides a claim within {} and pays it within {} more.",
        days(claim.review_days),
        days(claim.pay_days)
    ));
    lines
}

fn more_time(extension: &Extension) -> String {
    let when = match (extension.grace, extension.ask_before) {
        (0, 0) => "by the last day".to_owned(),
        (0, before) => format!("at least {} before the last day", days(before)),
        (grace, _) => format!("up to {} after the last day", days(grace)),
    };
    let purposes: Vec<&str> = extension.windows.iter().map(|window| window.purpose()).collect();
    let times = if extension.times == 1 { "once".to_owned() } else { format!("{} times", extension.times) };
    format!(
        "You can ask for more time {} {times} on each campaign, {} at most; ask {when}. {} answers within {}.",
        purposes.join(" or "),
        days(extension.days),
        super::capital(extension.decided_by.words()),
        days(extension.answer_days)
    )
}

pub(super) fn approval(policy: &Policy) -> Vec<String> {
    let usual = policy.guide.currency;
    let mut lines: Vec<String> = Vec::new();
    for band in &policy.approval {
        let currency = band.currency.unwrap_or(usual);
        let money = |units| crate::money::Money::from_decimal(units, currency).map(|money| money.to_string());
        let from = money(band.from).unwrap_or_default();
        let reach = if band.from.is_zero() { "every request".to_owned() } else { format!("also from {from}") };
        let alone = match band.to {
            Some(to) => format!(", alone up to {}", money(to).unwrap_or_default()),
            None => String::new(),
        };
        let whose = if band.countries.is_empty() {
            String::new()
        } else {
            format!(" of partners in {}", band.countries.join(", "))
        };
        let whose = match band.currency.filter(|currency| *currency != usual) {
            Some(currency) => format!("{whose} in {currency}"),
            None => whose,
        };
        let absent = band.stand_in.as_ref().map_or_else(String::new, |name| {
            format!(" {name} is named to stand in; an approver who is away says who does, and when.")
        });
        lines.push(format!("{}: {reach}{whose}{alone}, within {}.{absent}", band.name, days(band.sla_days)));
    }
    if let Some(fallback) = &policy.default_approver {
        lines.push(format!("{} decides what nobody else has decided in time.", fallback.name));
    }
    lines
}

pub(super) fn amendment(policy: &Policy) -> Vec<String> {
    let material: Vec<&str> = policy.amendment.material.iter().map(|field| field.words()).collect();
    let opens = if material.is_empty() {
        "Only a change of the money asked opens approval again.".to_owned()
    } else {
        format!("A change of {} opens approval again.", material.join(", "))
    };
    let judged = "What you change is held to the rules of a request: shares, caps, mixes, the minimum, and the lead time \
                  where it begins earlier.";
    vec![opens, judged.to_owned()]
}

pub(super) fn results(policy: &Policy) -> Vec<String> {
    vec![
        format!("Results count until {} after the period.", days(policy.tracking.days)),
        format!("A deal counts when it was touched in the {} before it closed.", days(policy.tracking.lookback_days)),
    ]
}

pub(super) fn records(policy: &Policy) -> Vec<String> {
    let years = |years: u16| if years == 1 { "1 year".to_owned() } else { format!("{years} years") };
    let rules = policy.retention.iter();
    rules.map(|rules| format!("Records are kept for {} after the last payment.", years(rules.years))).collect()
}
