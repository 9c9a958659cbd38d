//! The way back from a campaign to its results, beside imports: tracked links, the hosted form, touches and deals by
//! the API; and what all of them bring, measured so far.
//!
//! Clicks and form responses come from anybody. They are counted and capped and never taken for revenue: only deals are.

use crate::Engine;
use crate::error::{Error, Result};
use crate::imports::fields::Kind;
use crate::imports::meet::{Book, Met, Owner};
use crate::imports::record::{CampaignIn, CompanyIn, PersonIn, Record, TouchIn, natural_key};
use crate::imports::settings::Unknown;
use crate::imports::{run::owner, values};
use domain::cycle::{Cycle, Stage};
use domain::forecast::FunnelStage;
use domain::ids::CycleId;
use domain::people::{Actor, Role};
use domain::steps::s3_forecast::Campaign;
use domain::steps::s9_performance::measure;
use storage::rows::Link;
use storage::{Viewer, WhichCycle};

/// More clicks of one link on one day say nothing more.
const MOST_CLICKS_A_DAY: i64 = 20_000;
/// More answers to one form in a day are a flood.
const MOST_RESPONSES_A_DAY: i64 = 500;
const MOST_LINKS: usize = 60;

/// How a link reaches people: code for `utm_medium`, and the words for it.
pub const MEDIUMS: [(&str, &str); 8] = [
    ("email", "E-mail"),
    ("social", "Social post"),
    ("paid-social", "Paid social"),
    ("cpc", "Search ads"),
    ("event", "Event"),
    ("print", "Print"),
    ("referral", "Partner site"),
    ("phone", "Telephone"),
];

/// What somebody wrote into the hosted form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormResponse {
    pub email: String,
    pub name: String,
    pub company: Option<String>,
    pub title: Option<String>,
    pub phone: Option<String>,
    /// They agreed to be written to; nothing is kept without.
    pub consent: bool,
}

/// Where a tracked link leads, and the campaign ID the visitor carries from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followed {
    /// An address of the campaign's own, or a path on this server.
    pub url: String,
    pub campaign: String,
}

/// A form that is open to the public.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenForm {
    pub code: String,
    pub name: String,
    /// The partner who runs the campaign.
    pub partner: String,
}

impl Engine {
    /// Makes a tracked link of a campaign to its own landing page, or to the hosted form where it has none.
    pub async fn make_link(
        &self,
        actor: &Actor,
        number: &str,
        campaign: u16,
        label: &str,
        medium: &str,
    ) -> Result<String> {
        let viewer = Viewer::from(actor);
        let may = actor.me.partner.is_some() || actor.me.has(Role::ChannelManager) || actor.me.has(Role::Administrator);
        if !may {
            return Err(Error::refused(
                "not_your_role",
                "Links are made by the partner or the channel manager.",
                "Ask one of them.",
            ));
        }
        let cycle = self.reader().cycle_parts(&viewer, WhichCycle::Number(number)).await?.cycle;
        let (campaign, id) = live(&cycle, campaign)?;
        let label = label.trim();
        if label.is_empty() || label.chars().count() > 60 || !MEDIUMS.iter().any(|(known, _)| *known == medium) {
            return Err(Error::invalid(
                "label",
                "The link has no name of its own.",
                "Write where it will stand, such as “Autumn newsletter”.",
            ));
        }
        let held = self
            .reader()
            .links_of(&viewer, cycle.id)
            .await?
            .iter()
            .filter(|link| link.campaign_no == campaign.no)
            .count();
        if held >= MOST_LINKS {
            return Err(Error::refused(
                "too_many",
                format!("This campaign has {MOST_LINKS} links."),
                "Use one of them.",
            ));
        }
        let link = Link {
            code: link_code(),
            cycle_id: cycle.id,
            campaign_no: campaign.no,
            partner_id: cycle.partner,
            label: label.to_owned(),
            url: address(campaign, id, label, medium),
            created_at: self.clock.now(),
        };
        self.db.write(async |tx| tx.insert_links(std::slice::from_ref(&link)).await).await?;
        Ok(link.code)
    }

    /// Follows a tracked link. `counts` is false for robots and whoever has clicked a moment ago.
    pub async fn follow(&self, code: &str, counts: bool) -> Result<Followed> {
        let link = self.link(code.trim()).await?;
        if counts {
            let today = self.clock.today();
            self.db.write(async |tx| tx.count_click(&link.code, today, MOST_CLICKS_A_DAY).await).await?;
        }
        if let Some(campaign) = link.url.split("utm_id=").nth(1).and_then(|rest| rest.split(['&', '#']).next()) {
            return Ok(Followed { campaign: campaign.to_owned(), url: link.url });
        }
        // A link that was made elsewhere does not carry the campaign yet.
        let cycle = self.reader().cycle_parts(&Viewer::system(), WhichCycle::Id(link.cycle_id)).await?.cycle;
        let (campaign, id) = live(&cycle, link.campaign_no).map_err(|_| Error::NotFound)?;
        Ok(Followed { campaign: id.to_owned(), url: address(campaign, id, &link.label, "referral") })
    }

    /// A link by its code, as it stands or in large letters: people type codes off paper.
    async fn link(&self, code: &str) -> Result<Link> {
        let reader = self.reader();
        if let Some(link) = reader.door().link(code).await? {
            return Ok(link);
        }
        reader.door().link(&code.to_ascii_uppercase()).await?.ok_or(Error::NotFound)
    }

    /// The public form of a campaign, by its ID as somebody typed it.
    pub async fn open_form(&self, code: &str) -> Result<OpenForm> {
        let code = domain::campaign_id::read(code).ok_or(Error::NotFound)?;
        let key = self.reader().door().campaign(&code).await?.ok_or(Error::NotFound)?;
        let parts = self.reader().cycle_parts(&Viewer::system(), WhichCycle::Id(key.cycle_id)).await?;
        let (campaign, _) = live(&parts.cycle, key.no).map_err(|_| Error::NotFound)?;
        Ok(OpenForm { code, name: campaign.draft.name.clone(), partner: parts.partner.name })
    }

    /// Keeps what somebody wrote into the form: the person and their touch, once a day. What is known of them already
    /// is not overwritten by what anybody may type.
    pub async fn respond(&self, code: &str, response: &FormResponse) -> Result<()> {
        if !response.consent {
            return Err(Error::invalid(
                "consent",
                "We keep nothing without your consent.",
                "Tick the box, or write to us instead.",
            ));
        }
        let form = self.open_form(code).await?;
        let now = self.clock.now();
        let today = now.date_naive();
        let midnight = today.and_time(chrono::NaiveTime::MIN).and_utc();
        if self.reader().form_responses_since(&form.code, midnight).await? >= MOST_RESPONSES_A_DAY {
            return Err(Error::refused(
                "too_many",
                "More answers came today than this form takes.",
                "Try again tomorrow.",
            ));
        }
        let email = values::email(&response.email)
            .map_err(|why| Error::invalid("email", why, "Write it like ana@company.com."))?;
        let domain = email.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        let record = Record {
            line: 0,
            person: Some(PersonIn {
                email: Some(email.clone()),
                crm_id: None,
                name: response.name.clone(),
                title: response.title.clone(),
                phone: response.phone.clone(),
                consent_at: Some(now),
            }),
            company: CompanyIn {
                name: response.company.clone(),
                domain: domain.filter(|domain| !values::is_free_mail(domain)),
                crm_id: None,
            },
            touch: Some(TouchIn {
                external_id: natural_key(&[&email, &form.code, &today.to_string()]),
                at: now,
                response: true,
                reached: FunnelStage::Leads,
                status: Some("Answered the form".to_owned()),
            }),
            campaign: Some(CampaignIn::Code(form.code)),
            deal: None,
        };
        self.take_in(Owner(None), "form", &record).await.map(|_| ())
    }

    /// A touch or a deal as the API hands it in, met like a row of an import.
    pub async fn record_arrival(&self, actor: &Actor, record: &Record) -> Result<Met> {
        self.take_in(owner(actor, Kind::Csv)?, "api", record).await
    }

    async fn take_in(&self, owner: Owner, source: &str, record: &Record) -> Result<Met> {
        let now = self.clock.now();
        let (met, cycles) = self
            .db
            .write(async |tx| -> Result<(Met, Vec<CycleId>)> {
                let mut book = Book::new(owner, source, Unknown::VendorOwn, None, now);
                book.learn(tx.known(&book.keys([record])).await?);
                let met = book.meet(record).met.map_err(|errors| {
                    let reasons = errors.into_iter().map(|error| {
                        domain::refusal::Reason::new("invalid", error.reason, "Correct it and send it again.")
                            .at(&error.column)
                    });
                    Error::Invalid(reasons.collect())
                })?;
                let written = book.take();
                tx.save_companies(&written.companies).await?;
                tx.save_people(&written.people).await?;
                tx.save_touches(&written.touches).await?;
                tx.save_deals(&written.deals).await?;
                let deals: Vec<_> = written.deals.iter().filter_map(|deal| deal.company_id).collect();
                let mut cycles = tx.cycles_touching(&deals, &[]).await?;
                cycles.extend(written.touches.iter().filter_map(|touch| touch.cycle_id));
                cycles.extend(written.deals.iter().filter_map(|deal| deal.cycle_id));
                Ok((met, cycles))
            })
            .await?;
        self.refresh_results(&cycles).await?;
        Ok(met)
    }

    /// Measures running cycles so far, for lists and dashboards. What is measured already stays until it is measured
    /// again.
    pub async fn refresh_results(&self, cycles: &[CycleId]) -> Result<()> {
        let mut cycles = cycles.to_vec();
        cycles.sort_unstable();
        cycles.dedup();
        for id in cycles {
            let situation = self.look(&Viewer::system(), WhichCycle::Id(id)).await?;
            if matches!(situation.cycle.stage, Stage::ExecutionLive | Stage::TrackingListening) {
                let so_far = measure(&situation, self.clock.now());
                self.db.write(async |tx| tx.set_results(id, &so_far).await).await?;
            }
        }
        Ok(())
    }
}

/// A campaign that has an ID and has not been cancelled.
fn live(cycle: &Cycle, no: u16) -> Result<(&Campaign, &str)> {
    let campaign = cycle.campaign(no).filter(|campaign| campaign.cancelled.is_none()).ok_or(Error::NotFound)?;
    let code = campaign.code.as_deref().ok_or_else(|| {
        Error::refused(
            "no_campaign_id",
            "This campaign has no ID yet.",
            "Campaign IDs are issued when the request is approved.",
        )
    })?;
    Ok((campaign, code))
}

/// The campaign's landing page with where the visitor came from, or the hosted form on this server.
fn address(campaign: &Campaign, id: &str, label: &str, medium: &str) -> String {
    let utm = format!(
        "utm_source={}&utm_medium={medium}&utm_campaign={}&utm_id={id}",
        slug(label),
        slug(&campaign.draft.name)
    );
    let Some(landing) = &campaign.draft.landing_url else { return format!("/r/{id}?{utm}") };
    let (page, fragment) =
        landing.split_once('#').map_or((landing.as_str(), String::new()), |(page, rest)| (page, format!("#{rest}")));
    let joint = if page.contains('?') { '&' } else { '?' };
    format!("{page}{joint}{utm}{fragment}")
}

/// Small ASCII letters and digits, words joined by hyphens.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let slug: String = slug.chars().take(60).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "link".to_owned() } else { slug.to_owned() }
}

/// Seven characters without look-alikes: thirty-four milliard codes, not to be guessed one after the other.
fn link_code() -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uuid::Uuid::new_v4().as_bytes()[9..].iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("Grüße aus Köln – Newsletter #3"), "gruesse-aus-koeln-newsletter-3");
        assert_eq!(slug("¡¿"), "link");
    }
}
