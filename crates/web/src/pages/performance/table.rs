//! The table of the dashboard: a line a quarter, program, region, tactic or partner; or the campaigns behind them.

use domain::forecast::roi_percent;
use domain::money::{Currency, Money};
use storage::Figures;
use storage::read::{Paging, PerformanceFilter, PerformanceKey, PerformanceLine};

use super::asked::{Asked, By, keys, quarter_words, tactic_words};
use crate::charts::Bullet;
use crate::error::Error;
use crate::extract::Who;
use crate::view::{Amount, Pager, count, percent, percent_words};

const CAMPAIGNS: u16 = 50;

#[derive(Default)]
pub struct Table {
    /// What a line is: "Quarter".
    pub of: &'static str,
    /// Whether each line says how many campaigns it holds.
    pub counts: bool,
    pub currency: String,
    pub rows: Vec<Row>,
    pub total: Option<Row>,
    pub pager: Option<Pager>,
}

pub struct Row {
    pub href: Option<String>,
    pub words: String,
    /// What stands beneath them: the cycle and its partner.
    pub sub: String,
    pub campaigns: String,
    pub approved: Amount,
    pub paid: Amount,
    pub leads: String,
    pub planned_revenue: Amount,
    pub revenue: Amount,
    pub of_plan: String,
    pub bullet: Bullet,
    pub planned_roi: String,
    pub roi: String,
}

/// The figures in the currency of the total, split as asked.
pub async fn of(
    who: &Who,
    asked: &Asked,
    by: By,
    filter: &PerformanceFilter,
    total: &PerformanceLine,
) -> Result<Table, Error> {
    let filter = PerformanceFilter { currency: Some(total.currency), ..filter.clone() };
    let all = row("All".to_owned(), None, &total.figures, total.currency);
    let table = Table {
        of: by.label(),
        counts: by != By::Campaign,
        currency: total.currency.code().to_owned(),
        total: Some(if by == By::Campaign { Row { campaigns: String::new(), ..all } } else { all }),
        ..Table::default()
    };
    let Some(dimension) = by.dimension() else { return campaigns(who, asked, &filter, table).await };
    let lines = who.reader().performance(who.viewer(), &filter, dimension).await?;
    let found = lines.iter().map(|line| PerformanceKey { key: line.key.clone(), label: line.label.clone() }).collect();
    let keys = keys(who, by, found).await?;
    // A quarter in which nothing was approved has nothing to compare.
    let compared = lines.iter().zip(keys).filter(|(line, _)| {
        let planned = &line.figures.planned;
        planned.approved > 0 || planned.campaigns > 0
    });
    let rows = compared
        .map(|(line, (key, words))| row(words, Some(asked.narrowed(by, &key).href()), &line.figures, line.currency));
    Ok(Table { rows: rows.collect(), ..table })
}

async fn campaigns(who: &Who, asked: &Asked, filter: &PerformanceFilter, table: Table) -> Result<Table, Error> {
    let after = Some(asked.get("after")).filter(|after| !after.is_empty());
    let paging = Paging { after: after.map(str::to_owned), size: CAMPAIGNS };
    let page = who.reader().campaigns(who.viewer(), filter, &paging).await?;
    let pager = (after.is_some() || page.next.is_some()).then(|| Pager {
        words: format!("{} on this page", count(page.rows.len() as u64, "campaign", "campaigns")),
        previous: after.is_some().then(|| asked.with("by", By::Campaign.code()).href()),
        next: page.next.as_deref().map(|next| asked.with("by", By::Campaign.code()).with("after", next).href()),
    });
    let line = |line: storage::read::CampaignLine| {
        let href = format!("/cycles/{}/performance?campaign={}", line.number, line.no);
        let quarter = quarter_words(&line.quarter.to_string());
        let mut row = row(line.name, Some(href), &line.figures, line.currency);
        row.sub = format!("{} · {} · {} · {quarter}", line.number, line.partner, tactic_words(who, &line.tactic));
        row.campaigns = String::new();
        row
    };
    Ok(Table { rows: page.rows.into_iter().map(line).collect(), pager, ..table })
}

fn row(words: String, href: Option<String>, figures: &Figures, currency: Currency) -> Row {
    let (planned, actual) = (&figures.planned, &figures.actual);
    let amount = |minor| Amount::rounded(Money::new(minor, currency));
    let roi = |benefit: i64, cost: i64| {
        let (benefit, cost) = (Money::new(benefit, currency), Money::new(cost, currency));
        roi_percent(benefit.decimal(), cost.decimal()).map_or_else(|| "–".to_owned(), |roi| percent_words(roi.round()))
    };
    let (goal, value) = (planned.planned_revenue, actual.credited);
    Row {
        href,
        words,
        sub: String::new(),
        campaigns: crate::view::grouped(planned.campaigns),
        approved: amount(planned.approved),
        paid: amount(planned.paid),
        leads: format!(
            "{} of {}",
            crate::view::grouped(actual.leads),
            crate::view::grouped((planned.planned_leads + 500) / 1000)
        ),
        planned_revenue: amount(goal),
        revenue: amount(value),
        of_plan: percent(value, goal, 0).unwrap_or_else(|| "–".to_owned()),
        bullet: Bullet { label: format!("{} of {} revenue", amount(value).plain(), amount(goal).plain()), value, goal },
        planned_roi: roi(goal, planned.planned_cost),
        roi: roi(value, planned.actual_cost),
    }
}
