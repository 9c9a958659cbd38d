//! /help: the nine steps, who does what, and the words used.

use askama::Template;

use crate::error::Answer;
use crate::extract::{Who, show};
use crate::shell::Shell;

#[derive(Template)]
#[template(path = "pages/help.html")]
struct HelpPage {
    shell: Shell,
    steps: &'static [Explained],
    roles: &'static [(&'static str, &'static str)],
    words: &'static [(&'static str, &'static str)],
}

/// One step of the loop, as one would explain it to a new colleague.
struct Explained {
    name: &'static str,
    who: &'static str,
    what: &'static str,
    then: &'static str,
}

const fn step(name: &'static str, who: &'static str, what: &'static str, then: &'static str) -> Explained {
    Explained { name, who, what, then }
}

const STEPS: &[Explained] = &[
    step(
        "Plan",
        "The partner writes it, the channel manager agrees it",
        "What the period is for: goals, each with a measure and a target. Level 2 adds sales and profit by quarter, level 3 adds strategies and the MDF you intend to ask for.",
        "The manager agrees it, or returns it with a reason.",
    ),
    step(
        "Scorecard",
        "The partner, in about ten minutes",
        "How ready you are to market, section by section. The result is red, amber or green, with a blueprint of what to fix, heaviest first.",
        "Every question is answered.",
    ),
    step(
        "Forecast",
        "The partner",
        "Each campaign with its cost and what it may bring: responses, leads, opportunities, wins and revenue, as a middle and a range. Benchmarks fill it in; you correct what you know better and say why where you leave the usual range.",
        "You commit it, and the baseline freezes.",
    ),
    step(
        "Action plan",
        "The partner",
        "What is done, when, where and by whom, with cost lines that add up to the forecast. It can be downloaded as a calendar.",
        "You commit it.",
    ),
    step(
        "Request",
        "The partner",
        "How much MDF you ask for, line by line, and why it is worth it. The program's rules are shown beside it before you send it.",
        "You accept the terms and submit it.",
    ),
    step(
        "Approval",
        "Channel managers and approvers, level by level",
        "Each cost line is approved, cut with a reason, or the whole request is returned or declined. The last level commits the money and gives each campaign its ID.",
        "The last level decides.",
    ),
    step(
        "Execution and proof",
        "The partner, a reviewer, finance",
        "Activities run. Each is proven by its checklist; proven costs are claimed with invoices; finance decides the claim and pays it.",
        "Every activity is proven, cancelled or expired.",
    ),
    step(
        "Tracking",
        "Nobody by hand",
        "Responses, leads and deals arrive by tracked links, forms, imports and the API, and meet the campaigns by their ID.",
        "The tracking window closes.",
    ),
    step(
        "Performance",
        "Partner and channel manager",
        "The frozen forecast beside what came of it, stage by stage, with the reasons for the difference.",
        "Both sign the review; the cycle closes and teaches the next forecast.",
    ),
];

const ROLES: &[(&str, &str)] = &[
    (
        "Partner marketer",
        "Works on their own company's cycles: plan, scorecard, forecast, action plan, request, proof, claims.",
    ),
    ("Partner administrator", "The same, and invites colleagues."),
    ("Channel manager", "Agrees plans, verifies scorecards, reviews proof and approves inside their territory."),
    ("Approver", "Decides requests of their level."),
    ("Finance", "Funds, claims, payments, the ledger."),
    ("Executive", "Performance to plan, read-only."),
    ("Administrator", "Users, partners, programs, imports. No approvals by that role alone."),
    ("Auditor", "Everything, read-only."),
];

const WORDS: &[(&str, &str)] = &[
    ("Baseline", "The forecast as it was committed. It does not change; performance is measured against it."),
    ("Benchmark", "What nine in ten campaigns of a tactic cost and bring."),
    (
        "Campaign ID",
        "A short code given at approval. Links, forms and imports carry it, so that responses find their campaign.",
    ),
    ("Claim", "Money asked back for costs that were approved and are proven."),
    ("Committed", "Money promised to an approved campaign and not yet claimed."),
    ("Cost line", "One thing an activity costs, whoever pays."),
    ("Cycle", "One trip of one partner round the nine steps, usually a quarter."),
    ("Fund", "A pot of the vendor's money in one currency. Free money in it is not yet promised to anybody."),
    ("Investment ROI", "(Benefit minus cost) divided by cost, where cost is everything, whoever pays."),
    ("Lead time", "How long before an activity starts you have to ask."),
    ("MDF", "Market development funds: the vendor's money for marketing with partners."),
    ("MQL", "Marketing-qualified lead: one that sales should talk to."),
    (
        "P10, P50, P90",
        "One, five and nine in ten outcomes lie below this figure. Between P10 and P90 lie eight in ten.",
    ),
    ("Program guide", "The rules of a program: what is funded, how much, by when, with which proof."),
    ("Proof", "The evidence that an activity took place: photos, attendee lists, screenshots, reports."),
    ("Settlement", "A payment of a claim, whole or in parts."),
    ("Stand-in", "A colleague who acts in your place on days you are away. The timeline says so."),
];

/// GET /help
pub async fn show_page(who: Who) -> Answer {
    show(&HelpPage { shell: who.shell("Help"), steps: STEPS, roles: ROLES, words: WORDS })
}
