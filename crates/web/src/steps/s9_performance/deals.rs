//! The rows behind a figure: /cycles/{no}/performance/deals, and one deal's journey with every model's shares.

use std::collections::HashMap;

use actix_web::web::{Path, Query};
use askama::Template;
use domain::ids::PartnerId;
use domain::journey::{JourneyTouch, TouchedDeal, journey_of, touched_deals};
use domain::machine::Situation;
use domain::money::{Currency, Money};
use domain::steps::s9_performance::MODELS;
use serde::Deserialize;
use uuid::Uuid;

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::shell::Shell;
use crate::steps::look;
use crate::steps::s8_tracking::campaign_name;
use crate::view::{Amount, Badge, Crumbs, Fact, Facts, Tab, Tabs, Tone, count, date_words, short_date};

/// A deal as lists show it. What is another partner's has no name here.
pub struct DealLine {
    pub name: String,
    pub href: String,
    pub about: String,
    pub state: Badge,
    pub days: String,
    pub campaigns: String,
    pub sourced: String,
    pub amount: Amount,
}

#[derive(Template)]
#[template(path = "s9_performance/deals.html")]
struct DealsPage {
    shell: Shell,
    crumbs: Crumbs,
    title: String,
    words: String,
    tabs: Tabs,
    deals: Vec<DealLine>,
    sums: Vec<String>,
}

#[derive(Template)]
#[template(path = "s9_performance/deal.html")]
struct DealPage {
    shell: Shell,
    crumbs: Crumbs,
    deal: DealLine,
    facts: Facts,
    words: String,
    models: Vec<&'static str>,
    touches: Vec<TouchLine>,
}

struct TouchLine {
    what: String,
    by: String,
    when: String,
    ours: bool,
    shares: Vec<ShareLine>,
}

struct ShareLine {
    model: &'static str,
    amount: Amount,
    words: String,
}

#[derive(Deserialize)]
pub struct Asked {
    campaign: Option<u16>,
    of: Option<String>,
}

/// Which deals a figure is made of: its name in addresses, its title, what it counts.
const FIGURES: [(&str, &str, &str); 5] = [
    ("influenced", "Won deals it influenced", "Won deals this campaign touched before the close."),
    ("sourced", "Won deals it sourced", "Won deals that this campaign’s touch created."),
    ("pipeline", "Open pipeline", "Deals it touched that are still open."),
    ("registered", "Registered deals", "Deals it touched that the partner registered."),
    ("all", "All deals it touched", "Open, won and lost."),
];

/// GET /cycles/{no}/performance/deals
pub async fn show_deals(who: Who, no: Path<String>, asked: Query<Asked>) -> Answer {
    let s = look(&who, &no).await?;
    let of = asked.of.as_deref().unwrap_or("all");
    let (of, title, words) = FIGURES.into_iter().find(|(code, ..)| *code == of).ok_or(Error::NotFound)?;
    if asked.campaign.is_some_and(|no| s.cycle.campaign(no).is_none()) {
        return Err(Error::NotFound);
    }
    let found: Vec<TouchedDeal> =
        touched_deals(&s).into_iter().filter(|found| counts(found, of, asked.campaign)).collect();
    let names = Names::of(&who, &s).await?;
    let number = &s.cycle.number;
    let campaign = asked.campaign.map(|no| format!("campaign={no}&")).unwrap_or_default();
    let tab = |(code, label, _): (&str, &str, &str)| Tab {
        label: label.to_owned(),
        href: format!("/cycles/{number}/performance/deals?{campaign}of={code}"),
        current: code == of,
        count: None,
    };
    let whose = asked.campaign.map_or_else(|| "all campaigns".to_owned(), |no| campaign_name(&s, no));
    show(&DealsPage {
        shell: who.shell(&format!("{title} · {}", s.cycle.title)),
        crumbs: crumbs(&s, None),
        title: format!("{title}: {whose}"),
        words: words.to_owned(),
        tabs: Tabs { label: "Figures".to_owned(), tabs: FIGURES.into_iter().map(tab).collect() },
        sums: sums(&found),
        deals: found.iter().map(|found| names.line(&who, &s, found)).collect(),
    })
}

/// GET /cycles/{no}/performance/deals/{deal}
pub async fn show_deal(who: Who, path: Path<(String, Uuid)>) -> Answer {
    let (no, id) = path.into_inner();
    let s = look(&who, &no).await?;
    let (found, touches) = journey_of(&s, id, who.now()).ok_or(Error::NotFound)?;
    let names = Names::of(&who, &s).await?;
    let deal = names.line(&who, &s, &found);
    let closing = found.deal.closed_on.map_or_else(
        || "its close, which is still ahead".to_owned(),
        |day| format!("its close on {}", date_words(day)),
    );
    let words = format!(
        "{} of its people or company inside the {} days before {closing}. Each model divides the whole amount; the shares of one model add up to it.",
        count(touches.len() as u64, "answer", "answers"),
        s.policy.tracking.lookback_days
    );
    show(&DealPage {
        shell: who.shell(&deal.name),
        crumbs: crumbs(&s, Some(&deal.name)),
        facts: facts(&found),
        words,
        models: MODELS.iter().map(|(name, _)| *name).collect(),
        touches: touches.iter().map(|touch| names.touch(&who, &s, touch)).collect(),
        deal,
    })
}

/// Deals a cycle's campaigns touched, for another page's list.
pub async fn deal_lines(who: &Who, s: &Situation, campaign: Option<u16>) -> Result<Vec<DealLine>, Error> {
    let names = Names::of(who, s).await?;
    Ok(touched_deals(s)
        .iter()
        .filter(|found| counts(found, "all", campaign))
        .map(|found| names.line(who, s, found))
        .collect())
}

fn counts(found: &TouchedDeal, of: &str, campaign: Option<u16>) -> bool {
    let deal = found.deal;
    campaign.is_none_or(|no| found.campaigns.contains(&no))
        && match of {
            "influenced" => deal.is_won,
            "sourced" => {
                deal.is_won && found.sourced_by.is_some() && campaign.is_none_or(|no| found.sourced_by == Some(no))
            }
            "pipeline" => !deal.is_closed,
            "registered" => deal.registered,
            _ => true,
        }
}

/// Sums per currency; currencies are never added up.
fn sums(found: &[TouchedDeal]) -> Vec<String> {
    let mut sums: Vec<(Currency, i64)> = Vec::new();
    for deal in found.iter().map(|found| found.deal) {
        match sums.iter_mut().find(|(currency, _)| *currency == deal.amount.currency) {
            Some((_, sum)) => *sum = sum.saturating_add(deal.amount.minor),
            None => sums.push((deal.amount.currency, deal.amount.minor)),
        }
    }
    sums.into_iter()
        .map(|(currency, sum)| format!("Together {}", Amount::from(Money::new(sum, currency)).plain()))
        .collect()
}

fn crumbs(s: &Situation, deal: Option<&str>) -> Crumbs {
    let number = &s.cycle.number;
    let mut crumbs = vec![
        (number.clone(), format!("/cycles/{number}")),
        ("Performance".to_owned(), format!("/cycles/{number}/performance")),
    ];
    if deal.is_some() {
        crumbs.push(("Deals".to_owned(), format!("/cycles/{number}/performance/deals")));
    }
    Crumbs { crumbs }
}

fn facts(found: &TouchedDeal) -> Facts {
    let deal = found.deal;
    let day = |day: Option<domain::Date>| day.map_or_else(|| "not yet".to_owned(), date_words);
    Facts {
        facts: vec![
            Fact::new("Amount", Amount::exactly(deal.amount)),
            Fact::new("Stage", deal.stage.clone()),
            Fact::new("Created", date_words(deal.created_on)),
            Fact::new("Closed", day(deal.closed_on)),
            Fact::new("Registered by the partner", if deal.registered { "yes" } else { "no" }),
        ],
    }
}

/// Names of what the viewer may know by name.
struct Names {
    companies: HashMap<Uuid, String>,
    partners: HashMap<PartnerId, String>,
    own: Option<PartnerId>,
}

impl Names {
    async fn of(who: &Who, s: &Situation) -> Result<Self, Error> {
        let ids: Vec<Uuid> = s.results.deals.iter().filter_map(|deal| deal.company).collect();
        let companies = who.reader().company_names(&ids).await?.into_iter().collect();
        let partners = who.reader().partner_names(who.viewer()).await?.into_iter().collect();
        Ok(Self { companies, partners, own: who.actor().me.partner })
    }

    fn line(&self, who: &Who, s: &Situation, found: &TouchedDeal) -> DealLine {
        let deal = found.deal;
        // A partner's people learn no more of another partner's deal than that it is there.
        let hidden = self.own.is_some() && deal.partner.is_some() && deal.partner != self.own;
        let company = deal.company.and_then(|id| self.companies.get(&id));
        let partner = deal.partner.and_then(|id| self.partners.get(&id));
        let about: Vec<String> =
            if hidden { Vec::new() } else { [company, partner].into_iter().flatten().cloned().collect() };
        let tone = match (deal.is_won, deal.is_closed) {
            (true, _) => Tone::Ok,
            (_, true) => Tone::Off,
            _ => Tone::Info,
        };
        let created = format!("created {}", short_date(deal.created_on, who.today()));
        DealLine {
            name: if hidden { "A deal of another partner".to_owned() } else { deal.name.clone() },
            href: format!("/cycles/{}/performance/deals/{}", s.cycle.number, deal.id),
            about: about.join(" · "),
            state: Badge::new(tone, &deal.stage),
            days: deal
                .closed_on
                .map_or(created.clone(), |day| format!("{created}, closed {}", short_date(day, who.today()))),
            campaigns: found.campaigns.iter().map(|no| campaign_name(s, *no)).collect::<Vec<_>>().join(", "),
            sourced: found.sourced_by.map(|no| campaign_name(s, no)).unwrap_or_default(),
            amount: deal.amount.into(),
        }
    }

    fn touch(&self, who: &Who, s: &Situation, line: &JourneyTouch) -> TouchLine {
        let touch = line.touch;
        let ours = touch.campaign.filter(|(cycle, _)| *cycle == s.cycle.id);
        let anothers = self.own.is_some() && touch.partner.is_some() && touch.partner != self.own;
        let by = match touch.partner {
            _ if anothers => "another partner".to_owned(),
            Some(partner) => self.partners.get(&partner).cloned().unwrap_or_else(|| "a partner".to_owned()),
            None => "the vendor".to_owned(),
        };
        let what = match ours {
            Some((_, no)) => campaign_name(s, no),
            None if anothers => "Another campaign".to_owned(),
            None if touch.partner.is_some() => "A campaign of another cycle".to_owned(),
            None => "The vendor’s own".to_owned(),
        };
        let shares = line.given.iter().map(|given| ShareLine {
            model: given.model,
            amount: given.amount.into(),
            words: given.words.clone(),
        });
        TouchLine {
            what,
            by,
            when: date_words(touch.at.date_naive().min(who.today())),
            ours: ours.is_some(),
            shares: shares.collect(),
        }
    }
}
