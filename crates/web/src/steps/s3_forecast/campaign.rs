//! One campaign of a forecast: tactic and cost first, then its assumptions, filled in from the benchmark.

use actix_web::web::{Path, Query};
use askama::Template;
use domain::calendar::quarter;
use domain::forecast::{Baseline, Range, Tactic};
use domain::machine::{Act, Command, Situation, moves_of};
use domain::money::{Marks, Money};
use domain::steps::next_no;
use domain::steps::s3_forecast::{self as rules, CampaignDraft};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::outlook::{Funnel, chance, outlook, revenue, roi, units};
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::look;
use crate::view::{Choice, Fact, Field, Form, HeaderStrip, Stats, grouped};

/// More responses than any campaign has: a slip of the finger.
const MOST_RESPONSES: i64 = 10_000_000;
const MOST_MONTHS: i64 = 60;

#[derive(Template)]
#[template(path = "s3_forecast/choose.html")]
struct ChoosePage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    form: Form,
}

#[derive(Template)]
#[template(path = "s3_forecast/campaign.html")]
struct CampaignPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    heading: String,
    /// Where the form is posted.
    action: String,
    form: Form,
    tactic: String,
    rows: Vec<Row>,
    outlook: Option<Stats>,
    funnel: Funnel,
}

/// One assumption beside what is usual.
struct Row {
    field: &'static str,
    label: &'static str,
    typical: String,
    range: String,
    outside: bool,
}

/// The assumptions in the funnel's order: field, and the words for it.
const ASSUMPTIONS: [(&str, &str); 9] = [
    ("responses", "Responses"),
    ("lead_rate", "Responses that become leads"),
    ("mql_rate", "Leads that qualify (MQL)"),
    ("opportunity_rate", "MQLs that become opportunities"),
    ("proposal_rate", "Opportunities with a proposal or demo"),
    ("win_rate", "Proposals that are won"),
    ("deal_size", "Average deal size"),
    ("margin", "Gross margin"),
    ("sales_cycle_months", "Months from response to deal"),
];

/// The words for an assumption: "average deal size".
pub(super) fn label(field: &str) -> String {
    ASSUMPTIONS
        .iter()
        .find(|(name, _)| *name == field)
        .map_or_else(|| field.to_owned(), |(_, words)| words.to_lowercase())
}

/// GET /cycles/{no}/forecast/campaigns/new: asks for tactic and cost; with both in the address, shows what they promise.
pub async fn new(who: Who, no: Path<String>, asked: Query<Vec<(String, String)>>) -> Answer {
    let s = open_forecast(&who, &no).await?;
    let typed = Typed::new(asked.into_inner());
    if typed.is_blank() {
        return show(&choose(&who, &s, &typed));
    }
    let read = Fields::read(&typed, who.marks(), |f| {
        let (name, tactic) = (f.text("name"), tactic_from(&s, f));
        let (audience, cost) = (f.text("audience"), cost_from(&s, f));
        Some(benchmark_draft(name?, tactic?, audience?, cost?))
    });
    match read {
        Ok(draft) => show(&page(&who, &s, None, &draft, &Typed::default())),
        Err(error) if error.is_about_the_form() => {
            let typed = typed.with_reasons(error.reasons());
            crate::extract::show_as(error.status(), &choose(&who, &s, &typed))
        }
        Err(error) => Err(error),
    }
}

/// GET /cycles/{no}/forecast/campaigns/{campaign}
pub async fn show_campaign(who: Who, path: Path<(String, u16)>) -> Answer {
    let (no, campaign) = path.into_inner();
    let s = open_forecast(&who, &no).await?;
    let draft = s.cycle.campaign(campaign).map(|campaign| campaign.draft.clone()).ok_or(Error::NotFound)?;
    show(&page(&who, &s, Some(campaign), &draft, &Typed::default()))
}

/// POST /cycles/{no}/forecast/campaigns
pub async fn add(who: Who, no: Path<String>, posted: Posted) -> Answer {
    write(&who, &no, None, &posted).await
}

/// POST /cycles/{no}/forecast/campaigns/{campaign}
pub async fn change(who: Who, path: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, campaign) = path.into_inner();
    write(&who, &no, Some(campaign), &posted).await
}

/// Saves the campaign, or shows what the figures come to without saving them.
async fn write(who: &Who, no: &str, campaign: Option<u16>, posted: &Posted) -> Answer {
    let s = look(who, no).await?;
    let then = posted.typed().value("then").unwrap_or("save");
    let read = posted.read(who.marks(), |f| draft_from(&s, f, then == "benchmark"));
    let done = match read {
        Ok(draft) if then != "save" => return show(&page(who, &s, campaign, &draft, &Typed::default())),
        Ok(draft) => who.advance(no, Command::Forecast(rules::Command::Save { no: campaign, draft }), posted).await,
        Err(error) => Err(error),
    };
    let page = async |typed: Typed| {
        let s = look(who, no).await?;
        Ok(page(who, &s, campaign, &as_typed(who, &s, campaign, &typed), &typed))
    };
    who.settle(done, &format!("/cycles/{no}/forecast"), posted, page).await
}

/// The forecast while campaigns can be written; otherwise there is no such page.
async fn open_forecast(who: &Who, no: &str) -> Result<Situation, Error> {
    let s = look(who, no).await?;
    if moves_of(&s, who.actor()).contains(&Act::SaveCampaign) { Ok(s) } else { Err(Error::NotFound) }
}

fn choose(who: &Who, s: &Situation, typed: &Typed) -> ChoosePage {
    let form = Form::default()
        .with(Field::text("name", "Name of the campaign").hint("As your customers will know it."))
        .with(Field::select("tactic", "Tactic", tactics(s)))
        .with(Field::text("audience", "Audience").hint("Whom it speaks to: industry, role, size."))
        .with(Field::amount("cost", "What it will cost in all", s.cycle.currency.code()).hint("Whoever pays."));
    ChoosePage {
        shell: who.shell(&format!("Add a campaign · {}", s.cycle.title)),
        strip: HeaderStrip::of(s, who.today()),
        number: s.cycle.number.clone(),
        form: typed.onto(form),
    }
}

fn tactics(s: &Situation) -> Vec<Choice> {
    s.benchmarks.tactic.iter().map(|tactic| Choice::new(&tactic.code, &tactic.name)).collect()
}

fn tactic_from<'a>(s: &'a Situation, f: &mut Fields) -> Option<&'a Tactic> {
    f.choice("tactic", |code| s.benchmarks.tactic(code))
}

fn cost_from(s: &Situation, f: &mut Fields) -> Option<Money> {
    let cost = f.money("cost", s.cycle.currency)?;
    if cost.is_zero() {
        f.problem("cost", "Enter what it will cost in all.");
    }
    Some(cost)
}

/// A campaign as the benchmark has it.
fn benchmark_draft(name: String, tactic: &Tactic, audience: String, cost: Money) -> CampaignDraft {
    CampaignDraft {
        name,
        tactic: tactic.code.clone(),
        audience,
        landing_url: None,
        cost,
        assumptions: tactic.assumptions(cost),
        reason: String::new(),
    }
}

/// The campaign as it was typed; with `from_benchmark` the assumptions start again from the benchmark.
fn draft_from(s: &Situation, f: &mut Fields, from_benchmark: bool) -> Option<CampaignDraft> {
    f.ignore("then");
    let (name, tactic, audience) = (f.text("name"), tactic_from(s, f), f.text("audience"));
    let (landing_url, cost) = (f.optional_text("landing_url"), cost_from(s, f));
    let reason = f.optional_long_text("reason");
    let assumptions = if from_benchmark {
        for (field, _) in ASSUMPTIONS {
            f.ignore(field);
        }
        tactic.zip(cost).map(|(tactic, cost)| tactic.assumptions(cost))
    } else {
        assumptions_from(s, f)
    };
    Some(CampaignDraft {
        landing_url: landing_url?,
        reason: reason?.unwrap_or_default(),
        assumptions: assumptions?,
        ..benchmark_draft(name?, tactic?, audience?, cost?)
    })
}

fn assumptions_from(s: &Situation, f: &mut Fields) -> Option<domain::forecast::Assumptions> {
    let responses = f.whole("responses", 0..=MOST_RESPONSES);
    let rates =
        ["lead_rate", "mql_rate", "opportunity_rate", "proposal_rate", "win_rate"].map(|field| f.percent(field));
    let (deal_size, margin) = (f.money("deal_size", s.cycle.currency), f.percent("margin"));
    let months = f.whole("sales_cycle_months", 0..=MOST_MONTHS);
    let [lead_rate, mql_rate, opportunity_rate, proposal_rate, win_rate] = rates;
    Some(domain::forecast::Assumptions {
        responses: u32::try_from(responses?).ok()?,
        lead_rate: lead_rate?,
        mql_rate: mql_rate?,
        opportunity_rate: opportunity_rate?,
        proposal_rate: proposal_rate?,
        win_rate: win_rate?,
        deal_size: deal_size?,
        margin: margin?,
        sales_cycle_months: u8::try_from(months?).ok()?,
    })
}

/// What the page's ranges and outlook are made from when a form comes back: what was typed as far as it reads, else
/// what is stored.
fn as_typed(who: &Who, s: &Situation, campaign: Option<u16>, typed: &Typed) -> CampaignDraft {
    let bare = Typed::new(typed.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    if let Ok(draft) = Fields::read(&bare, who.marks(), |f| draft_from(s, f, false)) {
        return draft;
    }
    let stored = campaign.and_then(|no| s.cycle.campaign(no)).map(|campaign| campaign.draft.clone());
    let tactic = typed.value("tactic").and_then(|code| s.benchmarks.tactic(code)).or(s.benchmarks.tactic.first());
    stored
        .or_else(|| tactic.map(|tactic| benchmark_draft(String::new(), tactic, String::new(), s.cycle.zero())))
        .unwrap_or_else(|| CampaignDraft {
            name: String::new(),
            tactic: String::new(),
            audience: String::new(),
            landing_url: None,
            cost: s.cycle.zero(),
            assumptions: no_assumptions(s),
            reason: String::new(),
        })
}

fn no_assumptions(s: &Situation) -> domain::forecast::Assumptions {
    let zero = Decimal::ZERO;
    domain::forecast::Assumptions {
        responses: 0,
        lead_rate: zero,
        mql_rate: zero,
        opportunity_rate: zero,
        proposal_rate: zero,
        win_rate: zero,
        deal_size: s.cycle.zero(),
        margin: zero,
        sales_cycle_months: 0,
    }
}

fn page(who: &Who, s: &Situation, campaign: Option<u16>, draft: &CampaignDraft, typed: &Typed) -> CampaignPage {
    let number = s.cycle.number.clone();
    let no = campaign.unwrap_or_else(|| next_no(s.cycle.campaigns.iter().map(|campaign| campaign.no)));
    let baseline = outlook(s, no, draft).filter(|_| draft.cost.is_positive());
    let heading = match campaign {
        Some(_) => format!("Change “{}”", draft.name),
        None => "Add a campaign".to_owned(),
    };
    CampaignPage {
        shell: who.shell(&format!("{heading} · {}", s.cycle.title)),
        strip: HeaderStrip::of(s, who.today()),
        action: match campaign {
            Some(campaign) => format!("/cycles/{number}/forecast/campaigns/{campaign}"),
            None => format!("/cycles/{number}/forecast/campaigns"),
        },
        number,
        heading,
        form: typed.onto(form(who, s, draft)),
        tactic: s.benchmarks.tactic(&draft.tactic).map_or_else(String::new, |tactic| tactic.name.to_lowercase()),
        rows: s.benchmarks.tactic(&draft.tactic).map(|tactic| rows(draft, tactic)).unwrap_or_default(),
        outlook: baseline.as_ref().map(|baseline| stats(s, draft, baseline)),
        funnel: Funnel::of(baseline.as_ref()),
    }
}

fn form(who: &Who, s: &Situation, draft: &CampaignDraft) -> Form {
    let (currency, marks) = (s.cycle.currency.code(), who.marks());
    let assumed = &draft.assumptions;
    let form = who
        .form_at(s.cycle.version)
        .with(Field::text("name", "Name of the campaign").value_is(&draft.name))
        .with(Field::select("tactic", "Tactic", tactics(s)).value_is(&draft.tactic))
        .with(
            Field::text("audience", "Audience")
                .hint("Whom it speaks to: industry, role, size.")
                .value_is(&draft.audience),
        )
        .with(
            Field::url("landing_url", "Landing page")
                .hint("Tracked links will lead there and nowhere else. It can be added later.")
                .value_is(draft.landing_url.as_deref().unwrap_or(""))
                .optional(),
        )
        .with(
            Field::amount("cost", "What it will cost in all", currency)
                .hint("Whoever pays. The action plan's cost lines add up to it.")
                .value_is(draft.cost.written(marks)),
        );
    let rates = assumed.rates();
    let values = [
        assumed.responses.to_string(),
        in_percent(rates[0], marks),
        in_percent(rates[1], marks),
        in_percent(rates[2], marks),
        in_percent(rates[3], marks),
        in_percent(rates[4], marks),
        assumed.deal_size.written(marks),
        in_percent(assumed.margin, marks),
        assumed.sales_cycle_months.to_string(),
    ];
    let form = ASSUMPTIONS.iter().zip(values).fold(form, |form, ((field, label), value)| {
        let asked = match *field {
            "deal_size" => Field::amount(field, label, currency),
            "responses" | "sales_cycle_months" => Field::number(field, label),
            _ => Field::amount(field, &format!("{label}, in percent"), "%"),
        };
        form.with(asked.value_is(value))
    });
    form.with(
        Field::area("reason", "Why an assumption lies outside the usual range", 3)
            .hint("The approver reads it. Needed only where one does.")
            .value_is(&draft.reason)
            .optional(),
    )
}

/// 0.125 as `12.5`, with the marks this person writes.
fn in_percent(share: Decimal, marks: Marks) -> String {
    let text = (share * Decimal::ONE_HUNDRED).normalize().to_string();
    if marks == Marks::Comma { text.replace('.', ",") } else { text }
}

fn rows(draft: &CampaignDraft, tactic: &Tactic) -> Vec<Row> {
    let unusual = draft.assumptions.unusual(tactic, draft.cost);
    let currency = draft.cost.currency;
    let rate = |range: Range| {
        let percent = |share: Decimal| format!("{}\u{a0}%", (share * Decimal::ONE_HUNDRED).normalize());
        (percent(range.typical), format!("{} to {}", percent(range.low), percent(range.high)))
    };
    let responses =
        |per_response: Decimal| grouped((draft.cost.decimal() / per_response).round().to_i64().unwrap_or(0));
    let (per, deal) = (tactic.cost_per_response, tactic.deal_size);
    let [lead, mql, opportunity, proposal, win] = tactic.rates().map(rate);
    let usual = [
        (responses(per.typical), format!("{} to {}", responses(per.high), responses(per.low))),
        lead,
        mql,
        opportunity,
        proposal,
        win,
        (
            units(deal.typical, currency).plain(),
            format!("{} to {}", units(deal.low, currency).number(), units(deal.high, currency).number()),
        ),
        (rate(Range { typical: tactic.margin, low: tactic.margin, high: tactic.margin }).0, "any".to_owned()),
        (tactic.sales_cycle_months.to_string(), "any".to_owned()),
    ];
    ASSUMPTIONS
        .iter()
        .zip(usual)
        .map(|((field, label), (typical, range))| Row {
            field,
            label,
            typical,
            range,
            outside: unusual.contains(field),
        })
        .collect()
}

fn stats(s: &Situation, draft: &CampaignDraft, baseline: &Baseline) -> Stats {
    let closes =
        s.cycle.period.from.checked_add_months(chrono::Months::new(draft.assumptions.sales_cycle_months.into()));
    let mut facts = vec![
        Fact::new("Revenue, P50", revenue(baseline)).note("P10 to P90 in brackets"),
        Fact::new("Investment ROI, P50", roi(baseline)).note("revenue against all cost"),
        Fact::new("Chance that ROI is above zero", chance(baseline)).note("share of 2,000 simulated runs"),
    ];
    if let Some(day) = closes {
        facts.push(Fact::new("First deals close", quarter(day)).note("after the sales cycle"));
    }
    Stats { facts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_assumption_that_may_be_unusual_has_words() {
        for field in ["lead_rate", "mql_rate", "opportunity_rate", "proposal_rate", "win_rate", "deal_size"] {
            assert_ne!(label(field), field.replace('_', " "), "{field}");
        }
    }

    #[test]
    fn percentages_are_written_as_the_person_writes_them() {
        let share = Decimal::new(1250, 4);
        assert_eq!(in_percent(share, Marks::Point), "12.5");
        assert_eq!(in_percent(share, Marks::Comma), "12,5");
        assert_eq!(in_percent(Decimal::ONE, Marks::Point), "100");
    }
}
