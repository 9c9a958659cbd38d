//! /funds/{code}/allocations: credit for many partners at once, by a table or by a rule; looked over, then confirmed once.

use std::collections::BTreeSet;

use actix_web::web::Path;
use askama::Template;
use domain::fund::{Attribute, Fund, FundCommand, Line};
use domain::money::{Marks, Money};
use engine::WhichFund;
use engine::allocations::{Preview, Proposed, Reading};
use storage::read::{Paging, PartnerFilter};

use super::href;
use super::rule;
use crate::error::{Answer, Error};
use crate::extract::{Who, again, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Amount, Choice, Fact, Facts, Field, Form, Value, capital, count, date_words};

#[derive(Template)]
#[template(path = "pages/funds/many.html")]
struct ManyPage {
    shell: Shell,
    fund: String,
    back: String,
    action: String,
    currency: &'static str,
    table: Form,
    rule: Form,
}

#[derive(Template)]
#[template(path = "pages/funds/many_check.html")]
struct CheckPage {
    shell: Shell,
    fund: String,
    back: String,
    action: String,
    rows: Vec<Row>,
    refused: Vec<(u64, String, String)>,
    totals: Facts,
    /// Why the whole cannot be done, in words.
    problem: Option<String>,
    /// The button's words, where it can be.
    button: Option<String>,
    reason: String,
    form: Form,
}

struct Row {
    no: u64,
    partner: String,
    amount: Amount,
    until: String,
    change: Value,
}

async fn fund_of(who: &Who, code: &str) -> Result<Fund, Error> {
    let fund = who.reader().fund(who.viewer(), code).await?;
    if fund.kind.is_shared() { Err(Error::NotFound) } else { Ok(fund) }
}

/// What was typed goes back into the form it was typed in.
async fn page(who: &Who, code: &str, table: Typed, by_rule: Typed) -> Result<ManyPage, Error> {
    let fund = fund_of(who, code).await?;
    let reason = || Field::text("reason", "Why").hint("It stands in the fund's statement.");
    let expires = || {
        let hint = "What is unused after this day is forfeited. Left empty, it never expires.";
        Field::date("expires", "Last day to use it").hint(hint).optional()
    };
    let marks =
        vec![Choice::new("", "As the table shows"), Choice::new("point", "1,234.56"), Choice::new("comma", "1.234,56")];
    let by_table = who
        .form()
        .with(
            Field::file("file", "Table", ".csv,.txt,.tsv,.xlsx")
                .hint("CSV or Excel with the columns Partner and Amount.")
                .optional(),
        )
        .with(Field::area("table", "Or paste it here", 6).optional())
        .with(Field::select("marks", "Amounts are written like", marks).optional())
        .with(expires())
        .with(reason());
    let Values { tiers, regions, countries, named } = values(who).await?;
    let any = |words: &str, values: BTreeSet<String>| {
        Choice::any_of(words, values.into_iter().map(|value| (value.clone(), value)).collect())
    };
    let known = if named.is_empty() {
        String::new()
    } else {
        format!(" Your own: {}.", named.iter().cloned().collect::<Vec<_>>().join(", "))
    };
    let also = format!(
        "A line each, all of which must hold, as in segment: enterprise. There are currency, manager, standing (good).{known}"
    );
    let rule = rule::fields(who.form(), fund.currency, &named)
        .with(Field::select("tier", "Tier", any("Every tier", tiers)).optional())
        .with(Field::select("region", "Region", any("Every region", regions)).optional())
        .with(Field::select("country", "Country", any("Every country", countries)).optional())
        .with(Field::area("also", "What else must hold", 2).hint(also).optional())
        .with(expires())
        .with(reason());
    Ok(ManyPage {
        shell: who.shell(&format!("Allocate to many, {}", fund.name)),
        back: href(&fund.code),
        action: format!("{}/allocations", href(&fund.code)),
        currency: fund.currency.code(),
        table: table.onto(by_table),
        rule: prefixed(by_rule.onto(rule)),
        fund: fund.name,
    })
}

/// Two forms of one page have fields of the same name; their ids differ.
fn prefixed(mut form: Form) -> Form {
    for field in &mut form.fields {
        field.id = format!("rule-{}", field.id);
    }
    form
}

/// What partners have, to choose from.
#[derive(Default)]
struct Values {
    tiers: BTreeSet<String>,
    regions: BTreeSet<String>,
    countries: BTreeSet<String>,
    /// The names of the vendor's own attributes.
    named: BTreeSet<String>,
}

async fn values(who: &Who) -> Result<Values, Error> {
    let (mut values, mut paging) = (Values::default(), Paging::first(500));
    loop {
        let page = who.reader().partners(who.viewer(), &PartnerFilter::default(), &paging).await?;
        for partner in page.rows {
            values.tiers.insert(partner.tier);
            values.regions.insert(partner.region);
            values.countries.insert(partner.country);
            values.named.extend(partner.attributes.into_keys());
        }
        let Some(next) = page.next else { return Ok(values) };
        paging.after = Some(next);
    }
}

/// GET /funds/{code}/allocations
pub async fn show_page(who: Who, code: Path<String>) -> Answer {
    show(&page(&who, &code, Typed::default(), Typed::default()).await?)
}

/// POST /funds/{code}/allocations/table: the rows, looked over.
pub async fn by_table(who: Who, code: Path<String>, posted: Posted) -> Answer {
    match read_table(&who, &code, &posted).await {
        Ok((preview, reason)) => show(&check_page(&who, preview, reason)),
        Err(error) => again(error, &posted, async |typed| page(&who, &code, typed, Typed::default()).await).await,
    }
}

async fn read_table(who: &Who, code: &str, posted: &Posted) -> Result<(Preview, String), Error> {
    let fund = fund_of(who, code).await?;
    let marks = |code: &str| match code {
        "point" => Some(Marks::Point),
        "comma" => Some(Marks::Comma),
        _ => None,
    };
    let pasted = posted.typed().value("table").unwrap_or_default().to_owned();
    let upload = posted.files("file").next();
    let (reading, reason) = posted.read(who.marks(), |f: &mut Fields| {
        f.ignore("table");
        f.ignore("file");
        let (marks, expires) = (f.optional_choice("marks", marks), f.optional_date("expires"));
        let reason = f.text("reason");
        if upload.is_none() && pasted.trim().is_empty() {
            f.problem("table", "Choose a file, or paste the table.");
        }
        Some((Reading { currency: fund.currency, marks: marks?, expires: expires? }, reason?))
    })?;
    let bytes = upload.map_or(pasted.as_bytes(), |upload| &upload.bytes);
    let engine = &who.site().engine;
    let proposed = engine.allocation_table(who.viewer(), bytes, &reading).await?;
    Ok((engine.preview_allocation(who.actor(), WhichFund::Id(fund.id), proposed).await?, reason))
}

/// POST /funds/{code}/allocations/rule: the rows the rule makes, looked over.
pub async fn by_rule(who: Who, code: Path<String>, posted: Posted) -> Answer {
    match read_rule(&who, &code, &posted).await {
        Ok((preview, reason)) => show(&check_page(&who, preview, reason)),
        Err(error) => again(error, &posted, async |typed| page(&who, &code, Typed::default(), typed).await).await,
    }
}

async fn read_rule(who: &Who, code: &str, posted: &Posted) -> Result<(Preview, String), Error> {
    let fund = fund_of(who, code).await?;
    let engine = &who.site().engine;
    let unallocated = engine.unallocated(WhichFund::Id(fund.id)).await?;
    let (rule, reason) = posted.read(who.marks(), |f: &mut Fields| {
        let (rule, reason) = (rule::read_rule(f, unallocated), f.text("reason"));
        Some((rule?, reason?))
    })?;
    let proposed = engine.allocation_rule(who.viewer(), &rule).await?;
    Ok((engine.preview_allocation(who.actor(), WhichFund::Id(fund.id), proposed).await?, reason))
}

/// POST /funds/{code}/allocations: what was looked over is recorded, all of it in one event. Where the fund moved
/// meanwhile, the same lines are shown beside what it holds now.
pub async fn confirm(who: Who, code: Path<String>, posted: Posted) -> Answer {
    let done = async {
        let (lines, reason) = lines_of(&who, &posted)?;
        who.fund(&code, FundCommand::AllocateMany { lines, reason }, &posted).await
    };
    let fresh = async |typed: Typed| {
        let (lines, reason) = lines_of(&who, &posted)?;
        let fund = fund_of(&who, &code).await?;
        let names = who.reader().partner_names(who.viewer()).await?;
        let named = |line: &Line| names.iter().find(|(id, _)| *id == line.partner).map(|(_, name)| name.clone());
        let rows = (1..).zip(lines).map(|(no, line)| Proposed {
            no,
            partner: named(&line).unwrap_or_else(|| line.partner.to_string()),
            outcome: Ok(line),
        });
        let engine = &who.site().engine;
        let preview = engine.preview_allocation(who.actor(), WhichFund::Id(fund.id), rows.collect()).await?;
        let mut page = check_page(&who, preview, reason);
        page.form = Typed::default().with_reasons(typed.reasons().to_vec()).onto(page.form);
        Ok(page)
    };
    who.settle(done.await, &href(&code), &posted, fresh).await
}

/// The lines as the page before carried them; the rules judge them again.
fn lines_of(who: &Who, posted: &Posted) -> Result<(Vec<Line>, String), Error> {
    let text = posted.typed().value("lines").unwrap_or_default().to_owned();
    let reason = posted.read(who.marks(), |f| {
        f.ignore("lines");
        f.text("reason")
    })?;
    let lines = serde_json::from_str(&text)
        .map_err(|_| Error::BadRequest("The lines of the page do not read: look them over again.".to_owned()))?;
    Ok((lines, reason))
}

fn check_page(who: &Who, preview: Preview, reason: String) -> CheckPage {
    let fund = &preview.situation.fund;
    let lines = serde_json::to_string(&preview.lines).unwrap_or_default();
    let form =
        who.form_at(fund.version).with(Field::hidden("lines", lines)).with(Field::hidden("reason", reason.as_str()));
    let (mut rows, mut refused) = (Vec::new(), Vec::new());
    for row in preview.rows {
        match row.outcome {
            Ok(change) => rows.push(Row {
                no: row.no,
                partner: row.partner,
                amount: change.amount.into(),
                until: change.expires.map_or_else(|| "No end".to_owned(), date_words),
                change: Value::Change(change.before.into(), change.after.into()),
            }),
            Err(why) => refused.push((row.no, row.partner, why)),
        }
    }
    let problem = preview.refusal.as_ref().map(ToString::to_string);
    let whom = count(rows.len() as u64, "line", "lines");
    let total = Amount::from(preview.total).plain();
    CheckPage {
        shell: who.shell(&format!("Allocate to many, {}", fund.name)),
        back: href(&fund.code),
        action: format!("{}/allocations", href(&fund.code)),
        totals: totals(rows.len(), refused.len(), preview.total, preview.unallocated),
        button: (problem.is_none() && !rows.is_empty()).then(|| format!("Allocate {total} in {whom}")),
        fund: fund.name.clone(),
        rows,
        refused,
        problem,
        reason,
        form,
    }
}

fn totals(taken: usize, refused: usize, total: Money, unallocated: Money) -> Facts {
    let left = Money::new(unallocated.minor.saturating_sub(total.minor), total.currency);
    let mut facts = vec![
        Fact::new("To allocate", total).note(count(taken as u64, "line", "lines")),
        Fact::new("Unallocated", Value::Change(unallocated.into(), left.into())),
    ];
    if refused > 0 {
        facts.push(Fact::new("Left out", count(refused as u64, "line", "lines")).note("They are listed below."));
    }
    Facts { facts }
}

/// How an attribute reads in a form.
pub fn attribute_words(attribute: &Attribute) -> String {
    match attribute {
        Attribute::Manager => "Channel manager".to_owned(),
        other => capital(other.code()),
    }
}
