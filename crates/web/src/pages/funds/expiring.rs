//! /funds/expiring: use it or lose it. Credit that expires, by the day, with what is free of it and what is committed.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Query;
use askama::Template;
use chrono::Days;
use domain::Date;
use domain::ids::{FundId, PartnerId};
use domain::money::{Currency, Money};
use serde::Deserialize;
use storage::read::{ExpiringFilter, ExpiringLine, ExpiringSum, Paging};
use url::form_urlencoded;

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Amount, Choice, Due, MOST_CHOICES, Pager, count};

/// The list looks so many days ahead unless it is asked otherwise.
const USUAL_DAYS: u16 = 90;
const WITHIN: [u16; 4] = [30, 60, 90, 365];
/// A table to download holds at most so many rows a query; it asks until there are no more.
const ROWS: u16 = 500;

/// What the address of the list says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    within: String,
    fund: String,
    partner: String,
    region: String,
    after: String,
}

#[derive(Template)]
#[template(path = "pages/funds/expiring.html")]
struct ExpiringPage {
    shell: Shell,
    asked: Asked,
    withins: Vec<Choice>,
    funds: Vec<Choice>,
    /// Empty where there are too many to choose from.
    partners: Vec<Choice>,
    buckets: Vec<Bucket>,
    rows: Vec<Row>,
    csv: String,
    pager: Option<Pager>,
}

/// One currency: what expires within 30, 60 and 90 days, free of it and committed.
pub struct Bucket {
    pub currency: &'static str,
    /// Within 30 days; in 31 to 60; in 61 to 90.
    pub free: [Amount; 3],
    pub committed: Amount,
}

pub struct Row {
    pub partner: String,
    pub wallet: String,
    pub fund: String,
    pub code: String,
    pub until: Due,
    pub free: Amount,
    /// What running cycles hold, and one of them.
    pub committed: Option<(Amount, String, String)>,
}

impl Asked {
    fn days(&self) -> u16 {
        self.within.parse().ok().filter(|days| WITHIN.contains(days)).unwrap_or(USUAL_DAYS)
    }

    fn filter(&self, today: Date) -> ExpiringFilter {
        ExpiringFilter {
            from: today,
            until: today + Days::new(u64::from(self.days())),
            fund: self.fund.parse::<FundId>().ok(),
            partner: self.partner.parse::<PartnerId>().ok(),
            region: (!self.region.trim().is_empty()).then(|| self.region.trim().to_owned()),
        }
    }

    fn address(&self, path: &str, after: &str) -> String {
        let within = self.days().to_string();
        let pairs = [
            ("within", within.as_str()),
            ("fund", &self.fund),
            ("partner", &self.partner),
            ("region", &self.region),
            ("after", after),
        ];
        let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish())
    }
}

/// GET /funds/expiring?within=90&fund=&partner=&region=&after=
pub async fn show_page(who: Who, asked: Query<Asked>) -> Answer {
    let asked = asked.into_inner();
    let filter = asked.filter(who.today());
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: 50 };
    let reader = who.reader();
    let page = reader.expiring_credit(who.viewer(), &filter, &paging).await?;
    let ahead = ExpiringFilter { until: filter.from + Days::new(u64::from(USUAL_DAYS)), ..filter.clone() };
    let sums = reader.expiring_sums(who.viewer(), &ahead).await?;
    let (funds, _) = reader.funds(who.viewer()).await?;
    let partners = reader.partner_choices(who.viewer(), MOST_CHOICES, filter.partner).await?;
    let is_first = asked.after.is_empty();
    let pager = (!is_first || page.next.is_some()).then(|| Pager {
        words: count(page.rows.len() as u64, "line on this page", "lines on this page"),
        previous: (!is_first).then(|| asked.address("/funds/expiring", "")),
        next: page.next.as_deref().map(|after| asked.address("/funds/expiring", after)),
    });
    show(&ExpiringPage {
        shell: who.shell("Expiring credit"),
        withins: WITHIN.iter().map(|days| Choice::new(days.to_string(), format!("{days} days"))).collect(),
        funds: Choice::any_of("Every fund", funds.into_iter().map(|fund| (fund.id, fund.name)).collect()),
        partners: Choice::any_of("Every partner", partners),
        buckets: buckets(&sums, who.today()),
        rows: page.rows.iter().map(|line| row(line, who.today())).collect(),
        csv: asked.address("/funds/expiring.csv", ""),
        asked: Asked { within: asked.days().to_string(), ..asked },
        pager,
    })
}

/// GET /funds/expiring.csv: the whole list under the same filters; days as ISO, amounts with a point, currency apart.
pub async fn download(who: Who, asked: Query<Asked>) -> Answer {
    let filter = asked.filter(who.today());
    let mut text = String::from("fund,fund_name,partner,region,expires,currency,free,committed,cycle\r\n");
    let mut after = None;
    loop {
        let page = who.reader().expiring_credit(who.viewer(), &filter, &Paging { after, size: ROWS }).await?;
        for line in &page.rows {
            let (day, free, committed) = (line.lot.to_string(), line.free.plain(), line.committed.plain());
            let cells = [
                line.fund_code.as_str(),
                &line.fund_name,
                &line.partner_name,
                &line.region,
                &day,
                line.currency.code(),
                &free,
                &committed,
                line.number.as_deref().unwrap_or_default(),
            ];
            text.push_str(&cells.map(cell).join(","));
            text.push_str("\r\n");
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"expiring-credit.csv\""))
        .body(text))
}

/// A cell as spreadsheets read it: quoted where it must be, and never a formula.
fn cell(text: &str) -> String {
    let harmless =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if harmless.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", harmless.replace('"', "\"\""));
    }
    harmless
}

/// Sums by currency and by how near the day is; currencies are never added up.
pub fn buckets(sums: &[ExpiringSum], today: Date) -> Vec<Bucket> {
    let mut currencies: Vec<Currency> = sums.iter().map(|sum| sum.currency).collect();
    currencies.dedup();
    let bucket = |currency: Currency| {
        let of = || sums.iter().filter(move |sum| sum.currency == currency);
        let within = |from: i64, to: i64| {
            let near =
                of().filter(|sum| ((sum.lot - today).num_days() >= from) && ((sum.lot - today).num_days() <= to));
            Amount::from(Money::new(near.map(|sum| sum.free.minor).sum(), currency))
        };
        Bucket {
            currency: currency.code(),
            free: [within(0, 30), within(31, 60), within(61, 90)],
            committed: Money::new(of().map(|sum| sum.committed.minor).sum(), currency).into(),
        }
    };
    currencies.into_iter().map(bucket).collect()
}

pub fn row(line: &ExpiringLine, today: Date) -> Row {
    let held = line.number.clone().filter(|_| line.committed.is_positive());
    Row {
        partner: line.partner_name.clone(),
        wallet: format!("/wallet?partner={}", line.partner_id),
        fund: line.fund_name.clone(),
        code: line.fund_code.clone(),
        until: Due { on: line.lot, today },
        free: line.free.into(),
        committed: held.map(|number| (line.committed.into(), format!("/cycles/{number}/execution"), number)),
    }
}

/// What expires of one partner's credit in the next ninety days: the sums and the lines.
pub async fn of_partner(who: &Who, partner: PartnerId) -> Result<(Vec<Bucket>, Vec<Row>), Error> {
    let today = who.today();
    let filter = ExpiringFilter {
        from: today,
        until: today + Days::new(u64::from(USUAL_DAYS)),
        fund: None,
        partner: Some(partner),
        region: None,
    };
    let sums = who.reader().expiring_sums(who.viewer(), &filter).await?;
    let page = who.reader().expiring_credit(who.viewer(), &filter, &Paging::first(50)).await?;
    Ok((buckets(&sums, today), page.rows.iter().map(|line| row(line, today)).collect()))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_is_quoted_and_never_a_formula() {
        assert_eq!(cell("Nordwind, GmbH"), "\"Nordwind, GmbH\"");
        assert_eq!(cell("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("12.50"), "12.50");
    }
}
