//! /wallet/purchases: what a partner earned on which purchase, and until when it can be used.

use actix_web::web::Query;
use askama::Template;
use domain::Date;
use domain::ids::PartnerId;
use serde::Deserialize;
use storage::read::{EarnedLine, Paging};

use crate::error::Answer;
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::view::{Amount, Due, Pager, count, date_words};

#[derive(Template)]
#[template(path = "pages/wallet_purchases.html")]
struct PurchasesPage {
    shell: Shell,
    partner: String,
    back: String,
    purchases: Vec<Purchase>,
    pager: Option<Pager>,
}

/// One purchase's credit in one fund.
pub struct Purchase {
    pub number: String,
    pub when: String,
    /// "12 units of workstation for 4,800 EUR"
    pub what: String,
    pub fund: String,
    pub earned: Amount,
    pub until: Option<Due>,
}

impl Purchase {
    pub fn new(line: EarnedLine, today: Date) -> Self {
        let units = line.units.map(|units| count(units.into(), "unit", "units"));
        let bought = line.bought.map(|bought| Amount::from(bought).plain());
        let mut what = match (units, line.product) {
            (Some(units), Some(product)) => format!("{units} of {product}"),
            (units, product) => units.or(product).unwrap_or_default(),
        };
        if let Some(bought) = bought {
            what = if what.is_empty() { bought } else { format!("{what} for {bought}") };
        }
        Self {
            number: line.purchase,
            when: date_words(line.on_day),
            what,
            fund: line.fund_name,
            earned: line.amount.into(),
            until: line.lot.map(|on| Due { on, today }),
        }
    }
}

/// Whose; only the vendor's people say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    partner: String,
    after: String,
}

/// The page's address.
pub fn href(partner: PartnerId, own: bool, after: &str) -> String {
    let whose = if own { String::new() } else { partner.to_string() };
    let set = [("partner", whose.as_str()), ("after", after)].into_iter().filter(|(_, value)| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish();
    if query.is_empty() { "/wallet/purchases".to_owned() } else { format!("/wallet/purchases?{query}") }
}

/// GET /wallet/purchases
pub async fn show_page(who: Who, asked: Query<Asked>) -> Answer {
    let (own, partner) = (who.actor().me.is_partner(), who.whose(&asked.partner)?);
    let reader = who.reader();
    let paging = Paging { after: (!asked.after.is_empty()).then(|| asked.after.clone()), size: 50 };
    let found = reader.earned(who.viewer(), partner, &paging).await?;
    let name = reader.partner(who.viewer(), partner).await?.name;
    let today = who.today();
    let address = |after: &str| href(partner, own, after);
    let pager = (found.next.is_some() || !asked.after.is_empty()).then(|| Pager {
        words: count(found.rows.len() as u64, "line on this page", "lines on this page"),
        previous: (!asked.after.is_empty()).then(|| address("")),
        next: found.next.as_deref().map(address),
    });
    show(&PurchasesPage {
        shell: who.shell("Purchases"),
        partner: name,
        back: if own { "/wallet".to_owned() } else { format!("/wallet?partner={partner}") },
        purchases: found.rows.into_iter().map(|line| Purchase::new(line, today)).collect(),
        pager,
    })
}
