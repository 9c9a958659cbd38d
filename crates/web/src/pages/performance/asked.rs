//! What the address of the dashboard asks for. All of it lives in the address, so that a view can be kept and sent.

use std::collections::BTreeMap;

use chrono::Datelike;
use domain::Date;
use domain::money::Currency;
use serde::Deserialize;
use storage::Viewer;
use storage::read::{Dimension, PerformanceFilter, PerformanceKey, Reader};
use url::form_urlencoded::Serializer;

use crate::error::Error;
use crate::extract::Who;
use crate::view::capital;

/// What the figures are split by; `Campaign` is the rows behind them all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    Quarter,
    Program,
    Region,
    Tactic,
    Partner,
    Campaign,
}

impl By {
    const ALL: [By; 6] = [By::Quarter, By::Program, By::Region, By::Tactic, By::Partner, By::Campaign];

    /// What this person can tell apart: a partner's people see one partner in one region.
    pub fn of(who: &Who) -> impl Iterator<Item = By> + use<> {
        let is_partner = who.actor().me.is_partner();
        By::ALL.into_iter().filter(move |by| !(is_partner && matches!(by, By::Region | By::Partner)))
    }

    pub fn from_code(code: &str) -> Option<By> {
        By::ALL.into_iter().find(|by| by.code() == code)
    }

    pub fn code(self) -> &'static str {
        match self {
            By::Quarter => "quarter",
            By::Program => "program",
            By::Region => "region",
            By::Tactic => "tactic",
            By::Partner => "partner",
            By::Campaign => "campaign",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            By::Quarter => "Quarter",
            By::Program => "Program",
            By::Region => "Region",
            By::Tactic => "Tactic",
            By::Partner => "Partner",
            By::Campaign => "Campaign",
        }
    }

    pub fn dimension(self) -> Option<Dimension> {
        match self {
            By::Quarter => Some(Dimension::Quarter),
            By::Program => Some(Dimension::Program),
            By::Region => Some(Dimension::Region),
            By::Tactic => Some(Dimension::Tactic),
            By::Partner => Some(Dimension::Partner),
            By::Campaign => None,
        }
    }
}

/// The names and values of the address; unknown names are left alone, values that do not read filter nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Asked(BTreeMap<String, String>);

/// Names in the order they are written.
const NAMES: [&str; 9] = ["currency", "from", "to", "program", "region", "tactic", "partner", "by", "after"];
const FILTERS: [&str; 6] = ["from", "to", "program", "region", "tactic", "partner"];

impl Asked {
    /// What was asked under a name; empty where nothing was.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(self.get(name)).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    pub fn currency(&self) -> Option<Currency> {
        Currency::from_code(self.get("currency"))
    }

    pub fn by(&self, who: &Who) -> By {
        By::of(who).find(|by| by.code() == self.get("by")).unwrap_or(By::Quarter)
    }

    pub fn is_filtered(&self) -> bool {
        FILTERS.iter().any(|name| !self.get(name).is_empty())
    }

    /// The same without its filters.
    #[must_use]
    pub fn cleared(&self) -> Self {
        Self(self.held(&["currency", "by"]).into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The same with one value more, from the first page.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut set = self.0.clone();
        set.remove("after");
        set.insert(name.to_owned(), value.to_owned());
        Self(set)
    }

    /// Those of these names that are set.
    pub fn held(&self, names: &[&'static str]) -> Vec<(&'static str, String)> {
        names.iter().filter_map(|name| Some((*name, self.text(name)?))).collect()
    }

    pub fn href(&self) -> String {
        let query = Serializer::new(String::new()).extend_pairs(self.held(&NAMES)).finish();
        if query.is_empty() { "/performance".to_owned() } else { format!("/performance?{query}") }
    }

    /// The campaigns behind one line of a split.
    #[must_use]
    pub fn narrowed(&self, by: By, key: &str) -> Self {
        let narrowed = match by {
            By::Quarter => self.with("from", key).with("to", key),
            by => self.with(by.code(), key),
        };
        narrowed.with("by", By::Campaign.code())
    }

    /// As storage takes it. A program that is not there finds nothing.
    pub async fn filter(&self, reader: &Reader, viewer: &Viewer) -> Result<PerformanceFilter, Error> {
        let program = match self.text("program") {
            Some(code) => Some(reader.program(viewer, &code).await?.id),
            None => None,
        };
        Ok(PerformanceFilter {
            from: self.get("from").parse().ok(),
            to: self.get("to").parse().ok(),
            program,
            region: self.text("region"),
            tactic: self.text("tactic"),
            partner: self.get("partner").parse().ok(),
            currency: None,
        })
    }
}

/// Each key once, as the address writes it, with the words people read for it.
pub async fn keys(who: &Who, by: By, found: Vec<PerformanceKey>) -> Result<Vec<(String, String)>, Error> {
    let codes: BTreeMap<String, String> = match by {
        By::Program => {
            let programs = who.reader().programs(who.viewer()).await?;
            programs.into_iter().map(|program| (program.id.to_string(), program.code)).collect()
        }
        _ => BTreeMap::new(),
    };
    let mut keys: Vec<(String, String)> = Vec::new();
    for PerformanceKey { key, label } in found {
        let words = words(who, by, &key, label);
        let code = codes.get(&key).cloned().unwrap_or(key);
        if keys.iter().all(|(other, _)| *other != code) {
            keys.push((code, words));
        }
    }
    Ok(keys)
}

/// What people read for a key: a quarter, a tactic, a name.
fn words(who: &Who, by: By, key: &str, label: String) -> String {
    match by {
        By::Quarter => quarter_words(key),
        By::Tactic => tactic_words(who, key),
        _ => label,
    }
}

/// A tactic's name as the benchmarks call it.
pub fn tactic_words(who: &Who, code: &str) -> String {
    let named = who.site().engine.catalog.benchmarks.tactic(code).map(|tactic| tactic.name.clone());
    named.unwrap_or_else(|| capital(&code.replace('_', " ")))
}

/// A quarter by its first day: "Q3 2026".
pub fn quarter_words(first_day: &str) -> String {
    let day = first_day.parse::<Date>().ok();
    day.map_or_else(|| first_day.to_owned(), |day| format!("Q{} {}", day.month0() / 3 + 1, day.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_an_address() {
        let asked = Asked::default().with("region", "DACH & more").with("currency", "EUR");
        assert_eq!(asked.href(), "/performance?currency=EUR&region=DACH+%26+more");
        let behind = asked.narrowed(By::Quarter, "2026-07-01");
        assert_eq!(
            behind.href(),
            "/performance?currency=EUR&from=2026-07-01&to=2026-07-01&region=DACH+%26+more&by=campaign"
        );
        assert_eq!(behind.cleared().href(), "/performance?currency=EUR&by=campaign");
        assert_eq!(behind.with("after", "6f").with("tactic", "webinar").get("after"), "");
    }

    #[test]
    fn quarters_are_named() {
        assert_eq!(quarter_words("2026-07-01"), "Q3 2026");
        assert_eq!(quarter_words("soon"), "soon");
    }
}
