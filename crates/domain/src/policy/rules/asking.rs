//! The rules of a request: what may be asked, how much, by when, and what must be true before.

use super::costs::{Costed, counted};
use super::listed;
use super::paying::{rate_on, too_large};
use crate::Date;
use crate::calendar::words;
use crate::exchange::Rate;
use crate::money::{Currency, Money};
use crate::policy::share::Shared;
use crate::policy::{Gate, Judgement, Late, Policy, Verdict, percent};
use crate::steps::s2_scorecard::Light;
use rust_decimal::Decimal;

/// A request, as far as the rules care. What is `None` is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asking {
    pub asked_on: Option<Date>,
    pub currency: Currency,
    pub partner: Asker,
    pub activities: Vec<Planned>,
    pub late_reason: Option<String>,
    pub terms_accepted: Option<bool>,
    pub justification: Option<String>,
    pub fund: Option<AskedFund>,
    /// What the partner earned in the period, for caps that are a share of it.
    pub accrual: Option<Money>,
    /// Approved earlier in the period, by activity type, for mixes.
    pub earlier: Vec<(String, Money)>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asker {
    pub name: String,
    pub tier: Option<String>,
    pub country: Option<String>,
    pub plan_agreed: Option<bool>,
    pub scorecard: Option<Light>,
    pub good_standing: Option<bool>,
}

/// A planned activity with its cost lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Planned {
    pub no: u16,
    pub name: String,
    pub kind: Option<String>,
    pub starts: Option<Date>,
    pub ends: Option<Date>,
    pub sponsors: Option<u16>,
    pub heads: Option<u32>,
    pub lines: Vec<PlannedLine>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedLine {
    pub no: u16,
    pub name: String,
    pub category: Option<String>,
    pub cost: Money,
    pub units: Option<u32>,
    /// What is asked of it; `None` asks for all the program pays.
    pub asked: Option<Money>,
    /// What counts of it already, where it stands approved.
    pub counts: Option<Money>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedFund {
    pub name: String,
    pub currency: Currency,
    /// What the partner can commit from it, in its currency.
    pub free: Option<Money>,
    /// Rates known from the request's currency into the fund's, where those differ.
    pub rates: Vec<Rate>,
    /// A proposal fund: its approvers decide case by case, on a written case.
    pub case_by_case: bool,
}

impl Planned {
    /// What its share depends on.
    pub fn shared<'a>(&'a self, partner: &'a Asker) -> Shared<'a> {
        Shared {
            tier: partner.tier.as_deref(),
            activity: self.kind.as_deref(),
            starts: self.starts,
            sponsors: self.sponsors,
        }
    }

    fn is_asked_for(&self) -> bool {
        self.lines.iter().any(|line| line.asked.is_none_or(Money::is_positive))
    }
}

/// What the program pays of each line at most, activity by activity: the share of what counts, rounded down.
pub fn priced(policy: &Policy, asking: &Asking) -> Vec<Vec<Money>> {
    let (counts, _) = counted(policy, &costs(asking), asking.accrual);
    let mut counts = counts.into_iter();
    let activities = asking.activities.iter().map(|activity| {
        let share = policy.share_for(activity.shared(&asking.partner));
        let most = |cost: Money| cost.share(share).unwrap_or(Money::zero(cost.currency));
        counts.by_ref().take(activity.lines.len()).map(most).collect()
    });
    activities.collect()
}

fn costs(asking: &Asking) -> Vec<Costed> {
    let of = |activity: &Planned| {
        let line = |line: &PlannedLine| Costed {
            activity: activity.no,
            kind: activity.kind.clone(),
            category: line.category.clone(),
            name: line.name.clone(),
            cost: line.cost,
            counts: line.counts,
            heads: activity.heads,
            units: line.units,
        };
        activity.lines.iter().map(line).collect::<Vec<_>>()
    };
    asking.activities.iter().flat_map(of).collect()
}

/// The whole guide applied to a request, rule by rule, in the order the guide page lists them.
pub fn judge(policy: &Policy, asking: &Asking) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for activity in &asking.activities {
        verdicts.push(activity_type(policy, activity));
        verdicts.push(season(policy, activity));
        verdicts.push(use_window(policy, activity));
    }
    lead_time(policy, asking, &mut verdicts);
    let (_, counted) = counted(policy, &costs(asking), asking.accrual);
    verdicts.extend(counted);
    let total = shares(policy, asking, &mut verdicts);
    mixes(policy, asking, total, &mut verdicts);
    verdicts.push(minimum(policy, total, asking));
    fund(policy, asking, total, &mut verdicts);
    gates(policy, &asking.partner, &mut verdicts);
    verdicts.push(terms(policy, asking.terms_accepted));
    verdicts.push(justification(asking));
    verdicts
}

fn activity_type(policy: &Policy, activity: &Planned) -> Verdict {
    let rule = "activity_type";
    let Some(kind) = &activity.kind else {
        return Verdict::not_applicable(rule, "The activity names no type.").about(&activity.name);
    };
    let verdict = if let Some(found) = policy.activity_type(kind) {
        Verdict::pass(rule, format!("The program funds this kind of activity: {}.", found.name))
    } else {
        let known: Vec<String> = policy.activity.iter().map(|kind| kind.name.clone()).collect();
        let remedy = format!("Plan one the program funds: {}.", listed(&known));
        Verdict::fail(rule, format!("The program does not fund “{kind}”."), remedy)
    };
    verdict.about(&activity.name).with("type", kind.as_str())
}

fn season(policy: &Policy, activity: &Planned) -> Verdict {
    let rule = "season";
    let Some(kind) = &activity.kind else {
        return Verdict::not_applicable(rule, "The activity names no type.").about(&activity.name);
    };
    let seasons: Vec<_> = policy.season.iter().filter(|season| season.activities.contains(kind)).collect();
    let name = policy.activity_name(kind);
    if seasons.is_empty() {
        return Verdict::not_applicable(rule, format!("{name} is funded all year.")).about(&activity.name);
    }
    let Some(starts) = activity.starts else {
        return Verdict::not_applicable(rule, "Nothing says when the activity starts.").about(&activity.name);
    };
    let when: Vec<String> = seasons
        .iter()
        .map(|season| format!("{} to {} ({})", season.from.words(), season.to.words(), season.name))
        .collect();
    let verdict = if seasons.iter().any(|season| season.contains(starts)) {
        Verdict::pass(rule, format!("{name} starts {}, inside its season: {}.", words(starts), listed(&when)))
    } else {
        Verdict::fail(
            rule,
            format!("{name} starts {}; the program funds it only {}.", words(starts), listed(&when)),
            "Move it into the season, or plan another kind of activity.",
        )
    };
    verdict.about(&activity.name).with("starts", starts).with("seasons", when)
}

/// Money with one last day is used until then.
fn use_window(policy: &Policy, activity: &Planned) -> Verdict {
    let rule = "use_window";
    let Some(last) = policy.credit.as_ref().and_then(|rules| rules.last_day) else {
        return Verdict::not_applicable(rule, "The guide sets no one day until which its money is used.")
            .about(&activity.name);
    };
    let Some(ends) = activity.ends.or(activity.starts) else {
        return Verdict::not_applicable(rule, "Nothing says when the activity ends.").about(&activity.name);
    };
    let verdict = if ends <= last {
        Verdict::pass(
            rule,
            format!("“{}” ends {}; the money can be used until {}.", activity.name, words(ends), words(last)),
        )
    } else {
        Verdict::fail(
            rule,
            format!("“{}” ends {}; the money can be used only until {}.", activity.name, words(ends), words(last)),
            "Move the activity to an earlier day.",
        )
    };
    verdict.about(&activity.name).with("ends", ends).with("last_day", last)
}

fn lead_time(policy: &Policy, asking: &Asking, verdicts: &mut Vec<Verdict>) {
    // An activity nothing is asked for may start when it likes; before anything is asked, all are shown.
    let nothing_yet = !asking.activities.iter().any(Planned::is_asked_for);
    let country = asking.partner.country.as_deref().unwrap_or("");
    for activity in asking.activities.iter().filter(|activity| nothing_yet || activity.is_asked_for()) {
        let Some(starts) = activity.starts else {
            let sentence = "Nothing says when the activity starts.";
            verdicts.push(Verdict::not_applicable("lead_time", sentence).about(&activity.name));
            continue;
        };
        let last = policy.last_day_to_ask(starts, country);
        let verdict = on_time(policy, activity, starts, last, asking);
        verdicts.push(verdict.about(&activity.name).with("starts", starts).with("last_day_to_ask", last));
    }
}

fn on_time(policy: &Policy, activity: &Planned, starts: Date, last: Date, asking: &Asking) -> Verdict {
    let (rule, name) = ("lead_time", &activity.name);
    let Some(asked_on) = asking.asked_on else {
        let sentence = format!("The last day to ask for “{name}” is {}; nothing says when it is asked.", words(last));
        return Verdict::not_applicable(rule, sentence);
    };
    if asked_on <= last {
        let sentence = format!("“{name}” starts {}; the last day to ask is {}.", words(starts), words(last));
        return Verdict::pass(rule, sentence).with("asked_on", asked_on);
    }
    let lead = &policy.lead_time;
    let late = format!(
        "“{name}” starts {}; the program asks for {}, so the last day to ask was {}.",
        words(starts),
        lead.count.words(lead.days),
        words(last)
    );
    let reason = asking.late_reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
    let verdict = match lead.late {
        Late::NeedsReason if reason => Verdict::warn(rule, format!("{late} A reason is given.")),
        Late::NeedsReason => Verdict::fail(rule, late, "Give a reason to ask late."),
        Late::Refused => Verdict::fail(rule, late, "Move the activity to a later day in the action plan."),
    };
    verdict.with("asked_on", asked_on)
}

/// No line asks for more than the vendor's share of its cost; what a cap cuts off it is cut from the request. The sum
/// of what is asked and counts.
fn shares(policy: &Policy, asking: &Asking, verdicts: &mut Vec<Verdict>) -> Money {
    let priced = priced(policy, asking);
    let mut total = 0;
    for (activity, prices) in asking.activities.iter().zip(priced) {
        let share = policy.share_for(activity.shared(&asking.partner));
        for (line, most) in activity.lines.iter().zip(prices) {
            total += line.asked.map_or(most.minor, |asked| asked.minor.min(most.minor));
            let uncut = line.cost.share(share).unwrap_or(most);
            let verdict = vendor_share(line, share, uncut, most);
            verdicts.push(
                verdict
                    .about(&line.name)
                    .with("cost", line.cost)
                    .with("share", share)
                    .with("most", most)
                    .with_some("asked", line.asked),
            );
        }
    }
    if !asking.activities.iter().any(|activity| !activity.lines.is_empty()) {
        verdicts.push(Verdict::not_applicable("vendor_share", "The request has no cost."));
    }
    Money::new(total, asking.currency)
}

/// The share of a line by itself, and apart from it what caps and eligibility leave of that.
fn vendor_share(line: &PlannedLine, share: Decimal, uncut: Money, most: Money) -> Verdict {
    let (rule, name, of) = ("vendor_share", &line.name, percent(share));
    let left = if most.minor < uncut.minor {
        format!(" Caps and what is eligible lower that to {most}.")
    } else {
        String::new()
    };
    match line.asked {
        Some(asked) if asked.minor > uncut.minor => Verdict::fail(
            rule,
            format!("“{name}” asks {asked}; the program pays at most {of}, which is {uncut}.{left}"),
            format!("Ask for {most} or less for this line."),
        ),
        Some(asked) => {
            Verdict::pass(rule, format!("“{name}”: {asked} asked, the program pays up to {uncut} ({of}).{left}"))
        }
        None => Verdict::pass(rule, format!("“{name}”: the program pays {of} of it, which is {uncut}.{left}")),
    }
}

fn mixes(policy: &Policy, asking: &Asking, total: Money, verdicts: &mut Vec<Verdict>) {
    let rule = "mix";
    if policy.mix.is_empty() {
        verdicts.push(Verdict::not_applicable(rule, "The guide limits no mix of activities."));
    }
    let priced = priced(policy, asking);
    let earlier: i64 = asking.earlier.iter().map(|(_, amount)| amount.minor).sum();
    let whole = Money::new(total.minor + earlier, total.currency);
    let granted = if earlier > 0 {
        let (sum, period) = (Money::new(earlier, total.currency), policy.period().words());
        format!(" {sum} of the whole was approved in other requests of this {period}.")
    } else {
        String::new()
    };
    for mix in &policy.mix {
        let counts = |kind: &str| mix.activities.iter().any(|named| named == kind);
        let asked: i64 = asking
            .activities
            .iter()
            .zip(&priced)
            .filter(|(activity, _)| activity.kind.as_deref().is_some_and(counts))
            .flat_map(|(activity, prices)| activity.lines.iter().zip(prices))
            .map(|(line, most)| line.asked.map_or(most.minor, |asked| asked.minor.min(most.minor)))
            .sum();
        let before: i64 = asking.earlier.iter().filter(|(kind, _)| counts(kind)).map(|(_, amount)| amount.minor).sum();
        let takes = Money::new(asked + before, total.currency);
        if !whole.is_positive() {
            verdicts.push(Verdict::not_applicable(rule, "Nothing is asked yet.").about(&mix.name));
            continue;
        }
        // The share's floor: a part never takes more than its share of the whole.
        let most = whole.share(mix.most).unwrap_or(whole);
        let taken = (Decimal::from(takes.minor) / Decimal::from(whole.minor)).round_dp(4);
        let words = format!("“{}” takes {takes} of {whole}, {}", mix.name, percent(taken));
        let verdict = if takes.minor <= most.minor {
            Verdict::pass(rule, format!("{words}; the program allows {}.{granted}", percent(mix.most)))
        } else {
            Verdict::fail(
                rule,
                format!("{words}; the program allows at most {}, which is {most}.{granted}", percent(mix.most)),
                "Ask for less of it, or for more of other activities.",
            )
        };
        let figures = [("takes", takes), ("whole", whole), ("most", most)];
        let verdict = figures.into_iter().fold(verdict, |verdict, (name, amount)| verdict.with(name, amount));
        verdicts.push(verdict.about(&mix.name).with("share", taken).with("most_share", mix.most));
    }
}

fn minimum(policy: &Policy, total: Money, asking: &Asking) -> Verdict {
    let rule = "minimum_request";
    if !asking.activities.iter().any(|activity| !activity.lines.is_empty()) {
        return Verdict::not_applicable(rule, "The request has no cost.");
    }
    let least = policy.amount(policy.request.minimum);
    let verdict = if total.minor >= least.minor && total.is_positive() {
        Verdict::pass(rule, format!("The request asks {total}; the minimum is {least}."))
    } else if total.is_positive() {
        Verdict::fail(
            rule,
            format!("The request asks {total}, less than the program's minimum of {least}."),
            "Ask for more, or leave this campaign to another cycle.",
        )
    } else {
        Verdict::fail(rule, format!("The request asks {total}."), "Ask for an amount above zero.")
    };
    verdict.with("asked", total).with("minimum", least)
}

fn fund(policy: &Policy, asking: &Asking, total: Money, verdicts: &mut Vec<Verdict>) {
    let Some(fund) = &asking.fund else { return };
    let takes = if fund.currency == asking.currency {
        let words = format!("{} is kept in {}, as this request is.", fund.name, fund.currency);
        verdicts.push(Verdict::pass("fund", words));
        total
    } else {
        match in_another_currency(policy, asking, fund, total) {
            Ok((takes, verdict)) => {
                verdicts.push(verdict);
                takes
            }
            Err(verdict) => return verdicts.push(*verdict),
        }
    };
    let Some(free) = fund.free else { return };
    let who = &asking.partner.name;
    let asks = if takes == total { format!("{total}") } else { format!("{total}, which is {takes}") };
    let verdict = if takes.minor <= free.minor {
        Verdict::pass("funds_available", format!("{free} is free for {who} in {}.", fund.name))
    } else {
        Verdict::fail(
            "funds_available",
            format!("The request asks {asks}; {free} is free for {who} in {}.", fund.name),
            if free.is_positive() {
                format!("Ask for {free} or less, choose another fund, or ask your channel manager for an allocation.")
            } else {
                "Choose another fund, or ask your channel manager for an allocation.".to_owned()
            },
        )
    };
    verdicts.push(verdict.with("asked", takes).with("free", free));
}

/// What a request takes from a fund of another currency, at the rate of the day it is asked on; the approval's own day
/// counts in the end.
fn in_another_currency(
    policy: &Policy,
    asking: &Asking,
    fund: &AskedFund,
    total: Money,
) -> Result<(Money, Verdict), Box<Verdict>> {
    let kept = format!("{} is kept in {}, this request in {}", fund.name, fund.currency, asking.currency);
    if policy.exchange.is_none() {
        return Err(Box::new(Verdict::fail(
            "fund",
            format!("{kept}, and the guide does not say which rate counts."),
            "Choose a fund in the request's currency, or have [exchange] with `rate_date` added to the guide.",
        )));
    }
    let Some(day) = asking.asked_on else {
        return Err(Box::new(Verdict::not_applicable("fund", format!("{kept}; the day of the request is not known."))));
    };
    let rate = rate_on(policy, &fund.rates, (asking.currency, fund.currency), day)?;
    let takes = rate.convert(total).map_err(|_| Box::new(too_large()))?;
    let verdict = Verdict::pass("fund", format!("{kept}: {total} is {takes} at {}.", rate.words()));
    Ok((takes, verdict.with("rate", rate.value).with("rate_day", rate.day).with("takes", takes)))
}

fn gates(policy: &Policy, partner: &Asker, verdicts: &mut Vec<Verdict>) {
    for gate in &policy.request.gates {
        let (rule, known, holds, fails, remedy) = match gate {
            Gate::PlanAgreed => (
                "plan_agreed",
                partner.plan_agreed,
                "The business plan is agreed.",
                "The business plan is not agreed.",
                "Ask your channel manager to agree it.",
            ),
            Gate::ScorecardNotRed => (
                "scorecard_not_red",
                partner.scorecard.map(|light| light != Light::Red),
                "The scorecard is not red.",
                "The scorecard is red.",
                "Work on the blueprint's first lines and answer the scorecard again.",
            ),
            Gate::GoodStanding => (
                "good_standing",
                partner.good_standing,
                "The partner is in good standing.",
                "The partner is not in good standing.",
                "Talk to your channel manager.",
            ),
        };
        verdicts.push(match known {
            Some(true) => Verdict::pass(rule, holds),
            Some(false) => Verdict::fail(rule, fails, remedy),
            None => Verdict::not_applicable(rule, "The case does not say."),
        });
    }
}

fn terms(policy: &Policy, accepted: Option<bool>) -> Verdict {
    match accepted {
        Some(true) => Verdict::pass("terms", "The program's terms are accepted."),
        Some(false) => {
            let why = format!("The program's terms, version {}, are not accepted yet.", policy.guide.version);
            Verdict::fail("terms", why, "Read them and tick the box.")
        }
        None => Verdict::not_applicable("terms", "The case does not say whether the terms are accepted."),
    }
}

/// Letters a justification has at least.
const JUSTIFIED: usize = 20;

/// Letters a written case has at least, which money from a proposal fund is asked with.
const CASE: usize = 200;

fn justification(asking: &Asking) -> Verdict {
    let rule = "justification";
    let letters = asking.justification.as_ref().map(|text| text.trim().chars().count());
    let proposal = asking.fund.as_ref().filter(|fund| fund.case_by_case);
    match (letters, proposal) {
        (None, _) => Verdict::not_applicable(rule, "The case gives no justification."),
        (Some(letters), Some(fund)) if letters < CASE => Verdict::fail(
            rule,
            format!(
                "{} is asked case by case: its approvers read a written case of at least {CASE} letters, and this one has \
                 {letters}.",
                fund.name
            ),
            "Write what is done, for whom, and what it will bring.",
        )
        .with("letters", letters),
        (Some(letters), Some(fund)) => {
            Verdict::pass(rule, format!("The request makes its case to those who decide on {}.", fund.name))
                .with("letters", letters)
        }
        (Some(letters), None) if letters >= JUSTIFIED => {
            Verdict::pass(rule, "The request says what the money will bring.")
        }
        (Some(_), None) => Verdict::fail(
            rule,
            "The request does not say what the money will bring.",
            "Write a sentence or two that justify the return you forecast.",
        ),
    }
}

impl Asking {
    /// Nothing that is known speaks against it.
    pub fn passes(verdicts: &[Verdict]) -> bool {
        verdicts.iter().all(|verdict| verdict.outcome != Judgement::Fail)
    }
}
