//! Where a record meets what is known: people by e-mail or CRM id, companies by domain or CRM id, touches and deals by
//! their id in the source. Pure: the same code answers a preview and fills a batch.
//!
//! Nothing known is overwritten by a match: gaps are filled, and what contradicts is an exception to look at. Touches
//! and deals do follow their source: a status that changed there changes here.

use super::record::{CampaignIn, CompanyIn, DealIn, PersonIn, Record, RowError, TouchIn};
use super::settings::Unknown;
use domain::Instant;
use domain::ids::{CycleId, PartnerId};
use domain::money::Money;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use storage::rows::{Company, Deal, Person, Touch};
use storage::{Keys, Known, KnownCampaign};
use uuid::Uuid;

/// In whose name a file is imported: the vendor's, or one partner's for their own campaigns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner(pub Option<PartnerId>);

impl Owner {
    /// The key of saved maps and campaign names.
    pub fn key(self) -> String {
        self.0.map(|partner| partner.to_string()).unwrap_or_default()
    }

    /// Ids of a partner's own CRM never meet those of the vendor's or another partner's.
    fn id(self, id: &str) -> String {
        match self.0 {
            Some(partner) => format!("{}:{id}", partner.0.simple()),
            None => id.to_owned(),
        }
    }

    fn source(self, source: &str) -> String {
        match self.0 {
            Some(partner) => format!("{source}:{}", partner.0.simple()),
            None => source.to_owned(),
        }
    }
}

/// What a row came to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Met {
    /// Its campaign is none of ours, and the map says to leave such rows out.
    LeftOut,
    Unchanged,
    Changed,
    Added,
}

/// One row's outcome: what it came to, or why it is not kept; and matches to look at.
#[derive(Debug)]
pub struct Outcome {
    pub met: Result<Met, Vec<RowError>>,
    /// Kept, with something that contradicts.
    pub looks: Vec<RowError>,
    pub campaign: Option<KnownCampaign>,
}

/// A row as it was before this run first wrote it, for undoing.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    pub table: &'static str,
    pub row: Uuid,
    pub before: Option<String>,
}

/// Rows of one table by id, with the keys they are met by and which of them this run has written.
struct Shelf<T> {
    rows: HashMap<Uuid, T>,
    written: Vec<Uuid>,
}

impl<T: Clone + Serialize> Shelf<T> {
    fn put(&mut self, id: Uuid, row: T) {
        self.rows.entry(id).or_insert(row);
    }

    /// Writes a row, and notes how it was where this run has not written it before.
    fn write(&mut self, id: Uuid, row: T, table: &'static str, changes: &mut Vec<Change>) {
        let before = self.rows.insert(id, row);
        if !self.written.contains(&id) {
            self.written.push(id);
            let before = before.and_then(|row| serde_json::to_string(&row).ok());
            changes.push(Change { table, row: id, before });
        }
    }

    fn written(&self) -> Vec<T> {
        self.written.iter().filter_map(|id| self.rows.get(id).cloned()).collect()
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { rows: HashMap::new(), written: Vec::new() }
    }
}

/// What is known, growing as rows are met.
pub struct Book {
    owner: Owner,
    source: String,
    unknown: Unknown,
    batch: Option<Uuid>,
    now: Instant,
    people: Shelf<Person>,
    emails: HashMap<String, Uuid>,
    person_ids: HashMap<String, Uuid>,
    companies: Shelf<Company>,
    domains: HashMap<String, Uuid>,
    company_ids: HashMap<String, Uuid>,
    touches: Shelf<Touch>,
    touch_ids: HashMap<String, Uuid>,
    deals: Shelf<Deal>,
    deal_ids: HashMap<String, Uuid>,
    campaigns: HashMap<String, KnownCampaign>,
    aliases: HashMap<String, (CycleId, u16)>,
    partners: HashMap<String, PartnerId>,
    changes: Vec<Change>,
}

/// Everything a chunk of rows came to, in the order it has to be written.
pub struct Written {
    pub companies: Vec<Company>,
    pub people: Vec<Person>,
    pub touches: Vec<Touch>,
    pub deals: Vec<Deal>,
    pub changes: Vec<Change>,
}

impl Book {
    pub fn new(owner: Owner, source: &str, unknown: Unknown, batch: Option<Uuid>, now: Instant) -> Self {
        Self {
            owner,
            source: owner.source(source),
            unknown,
            batch,
            now,
            people: Shelf::default(),
            emails: HashMap::new(),
            person_ids: HashMap::new(),
            companies: Shelf::default(),
            domains: HashMap::new(),
            company_ids: HashMap::new(),
            touches: Shelf::default(),
            touch_ids: HashMap::new(),
            deals: Shelf::default(),
            deal_ids: HashMap::new(),
            campaigns: HashMap::new(),
            aliases: HashMap::new(),
            partners: HashMap::new(),
            changes: Vec::new(),
        }
    }

    /// What has to be looked up before these records are met.
    pub fn keys<'a>(&self, records: impl IntoIterator<Item = &'a Record>) -> Keys {
        let mut keys = Keys { source: self.source.clone(), owner: self.owner.key(), ..Keys::default() };
        for record in records {
            if let Some(person) = &record.person {
                keys.emails.extend(person.email.clone());
                keys.people.extend(person.crm_id.as_deref().map(|id| self.owner.id(id)));
            }
            keys.domains.extend(record.company.domain.clone());
            keys.companies.extend(record.company.crm_id.as_deref().map(|id| self.owner.id(id)));
            keys.touches.extend(record.touch.as_ref().map(|touch| touch.external_id.clone()));
            match &record.campaign {
                Some(CampaignIn::Code(code)) => keys.codes.insert(code.clone()),
                Some(CampaignIn::Other(name)) => keys.aliases.insert(name.clone()),
                None => false,
            };
            if let Some(deal) = &record.deal {
                keys.deals.insert(self.owner.id(&deal.external_id));
                keys.partners.extend(deal.partner_crm_id.clone());
            }
        }
        keys
    }

    /// Takes in what was found. What this run has written already stays.
    pub fn learn(&mut self, known: Known) {
        for row in known.people {
            self.index_person(&row);
            self.people.put(row.id, row);
        }
        for row in known.companies {
            self.index_company(&row);
            self.companies.put(row.id, row);
        }
        for row in known.touches {
            self.touch_ids.extend(row.external_id.clone().map(|id| (id, row.id)));
            self.touches.put(row.id, row);
        }
        for row in known.deals {
            self.deal_ids.extend(row.external_id.clone().map(|id| (id, row.id)));
            self.deals.put(row.id, row);
        }
        for campaign in known.campaigns {
            self.campaigns.insert(campaign.code.clone(), campaign);
        }
        self.aliases.extend(known.aliases.into_iter().map(|row| (row.alias, (row.cycle_id, row.campaign_no))));
        self.partners.extend(known.partners);
    }

    /// Meets one record and writes into the book what it changes.
    pub fn meet(&mut self, record: &Record) -> Outcome {
        let mut looks = Vec::new();
        let (campaign, known) = match self.campaign(record) {
            Ok(found) => found,
            Err(wrong) => return Outcome { met: Err(vec![wrong]), looks, campaign: None },
        };
        if !known && record.touch.is_some() && record.deal.is_none() && self.unknown == Unknown::LeaveOut {
            return Outcome { met: Ok(Met::LeftOut), looks, campaign: None };
        }
        let met = self.meet_parts(record, campaign.as_ref(), &mut looks);
        Outcome { met, looks, campaign }
    }

    /// What this run has written, to be stored; the book goes on from there.
    pub fn take(&mut self) -> Written {
        let written = Written {
            companies: self.companies.written(),
            people: self.people.written(),
            touches: self.touches.written(),
            deals: self.deals.written(),
            changes: std::mem::take(&mut self.changes),
        };
        for shelf in
            [&mut self.companies.written, &mut self.people.written, &mut self.touches.written, &mut self.deals.written]
        {
            shelf.clear();
        }
        written
    }

    /// The campaign a row names, and whether it needs no decision; a partner's row must name one of their own.
    fn campaign(&self, record: &Record) -> Result<(Option<KnownCampaign>, bool), RowError> {
        let wrong = |value: &str, reason: &str| RowError {
            line: record.line,
            column: "Campaign".to_owned(),
            value: value.to_owned(),
            reason: reason.to_owned(),
        };
        let mine = |campaign: &&KnownCampaign| self.owner.0.is_none_or(|partner| partner == campaign.partner_id);
        match &record.campaign {
            Some(CampaignIn::Code(code)) => match self.campaigns.get(code).filter(mine) {
                Some(campaign) => Ok((Some(campaign.clone()), true)),
                None => Err(wrong(code, "No campaign has this ID: compare it with the tracking page.")),
            },
            Some(CampaignIn::Other(name)) => {
                let named = self.aliases.get(name).and_then(|(cycle, no)| {
                    self.campaigns.values().find(|campaign| campaign.cycle_id == *cycle && campaign.no == *no)
                });
                match named.filter(mine) {
                    Some(campaign) => Ok((Some(campaign.clone()), true)),
                    None if self.owner.0.is_some() && record.touch.is_some() => Err(wrong(
                        name,
                        "This is none of your campaigns: say which one it is, or write the campaign ID.",
                    )),
                    None => Ok((None, false)),
                }
            }
            None if self.owner.0.is_some() && record.touch.is_some() => {
                Err(wrong("", "This row names no campaign: add a column with the campaign ID."))
            }
            None => Ok((None, false)),
        }
    }

    fn meet_parts(
        &mut self,
        record: &Record,
        campaign: Option<&KnownCampaign>,
        looks: &mut Vec<RowError>,
    ) -> Result<Met, Vec<RowError>> {
        let at = Line { line: record.line };
        let company = self.company(&record.company, at, looks);
        let before = record.touch.as_ref().and_then(|touch| self.touch_ids.get(&touch.external_id)).copied();
        let known = before.and_then(|id| self.touches.rows.get(&id)).and_then(|touch| touch.person_id);
        let person = match &record.person {
            Some(person) => self.person(person, company, known, at, looks)?,
            None => None,
        };
        let company = company.or_else(|| self.people.rows.get(&person?)?.company_id);
        let mut met = Met::Unchanged;
        if let Some(touch) = &record.touch {
            met = met.max(self.touch(touch, campaign, record.campaign.as_ref(), person, company));
        }
        if let Some(deal) = &record.deal {
            met = met.max(self.deal(deal, campaign, person, company));
        }
        Ok(met)
    }

    fn company(&mut self, seen: &CompanyIn, at: Line, looks: &mut Vec<RowError>) -> Option<Uuid> {
        let crm_id = seen.crm_id.as_deref().map(|id| self.owner.id(id));
        let by_domain = seen.domain.as_ref().and_then(|domain| self.domains.get(domain)).copied();
        let by_id = crm_id.as_ref().and_then(|id| self.company_ids.get(id)).copied();
        let other_id = by_domain
            .and_then(|id| self.companies.rows.get(&id))
            .is_some_and(|row| contradict(row.crm_id.as_ref(), crm_id.as_ref()));
        if other_id {
            let why = "The company with this web domain is kept under another CRM ID: the CRM ID counts, nothing was overwritten.";
            looks.push(at.wrong("Company", seen.domain.as_deref(), why));
        }
        let found = by_id.or(by_domain.filter(|_| !other_id));
        let name = seen.name.clone().or_else(|| seen.domain.clone()).or_else(|| seen.crm_id.clone());
        let Some(id) = found else {
            if seen.domain.is_none() && crm_id.is_none() {
                return None;
            }
            let row = Company {
                id: Uuid::now_v7(),
                name: name.unwrap_or_default(),
                domain: seen.domain.clone().filter(|_| !other_id),
                crm_id,
                created_at: self.now,
            };
            return Some(self.write_company(row));
        };
        let Some(known) = self.companies.rows.get(&id) else { return Some(id) };
        let mut row = known.clone();
        row.crm_id = better(row.crm_id, crm_id);
        if row.domain.is_none() && by_domain.is_none() {
            row.domain.clone_from(&seen.domain);
        }
        let is_stand_in =
            Some(&row.name) == row.domain.as_ref() || Some(&row.name) == row.crm_id.as_ref() || row.name.is_empty();
        if let Some(name) = seen.name.as_ref().filter(|_| is_stand_in) {
            row.name.clone_from(name);
        }
        if *known != row {
            self.write_company(row);
        }
        Some(id)
    }

    fn person(
        &mut self,
        seen: &PersonIn,
        company: Option<Uuid>,
        known: Option<Uuid>,
        at: Line,
        looks: &mut Vec<RowError>,
    ) -> Result<Option<Uuid>, Vec<RowError>> {
        let crm_id = seen.crm_id.as_deref().map(|id| self.owner.id(id));
        let by_email = seen.email.as_ref().and_then(|email| self.emails.get(email)).copied();
        let by_id = crm_id.as_ref().and_then(|id| self.person_ids.get(id)).copied();
        if let (Some(one), Some(other)) = (by_email, by_id)
            && one != other
        {
            let why = "The e-mail address belongs to one person, the CRM ID to another: merge them in the CRM, then import again.";
            return Err(vec![at.wrong("Person", seen.email.as_deref(), why)]);
        }
        // A person with neither is known again by their touch alone.
        let found = by_email.or(by_id).or(known.filter(|_| seen.email.is_none() && crm_id.is_none()));
        let Some(id) = found else {
            let row = Person {
                id: Uuid::now_v7(),
                company_id: company,
                email_norm: seen.email.clone(),
                crm_id,
                name: seen.name.clone(),
                title: seen.title.clone(),
                phone: seen.phone.clone(),
                consent_at: seen.consent_at,
                created_at: self.now,
            };
            return Ok(Some(self.write_person(row)));
        };
        let Some(known) = self.people.rows.get(&id) else { return Ok(Some(id)) };
        let mut row = known.clone();
        if contradict(row.crm_id.as_ref(), crm_id.as_ref()) {
            looks.push(at.wrong("Person", seen.crm_id.as_deref(), "This e-mail address is kept under another CRM ID, perhaps once as lead and once as contact: nothing was overwritten."));
        }
        if row.email_norm.is_some() && seen.email.is_some() && row.email_norm != seen.email {
            looks.push(at.wrong(
                "Person",
                seen.email.as_deref(),
                "This CRM ID is kept with another e-mail address: nothing was overwritten.",
            ));
        }
        row.crm_id = better(row.crm_id, crm_id);
        row.email_norm = row.email_norm.or_else(|| seen.email.clone());
        row.title = row.title.or_else(|| seen.title.clone());
        row.phone = row.phone.or_else(|| seen.phone.clone());
        row.company_id = row.company_id.or(company);
        row.consent_at = row.consent_at.or(seen.consent_at);
        if (row.name.is_empty() || Some(&row.name) == row.email_norm.as_ref()) && !seen.name.is_empty() {
            row.name.clone_from(&seen.name);
        }
        if *known != row {
            self.write_person(row);
        }
        Ok(Some(id))
    }

    fn touch(
        &mut self,
        seen: &TouchIn,
        campaign: Option<&KnownCampaign>,
        said: Option<&CampaignIn>,
        person: Option<Uuid>,
        company: Option<Uuid>,
    ) -> Met {
        let known = self.touch_ids.get(&seen.external_id).and_then(|id| self.touches.rows.get(id));
        let said = said.map(|said| match said {
            CampaignIn::Code(text) | CampaignIn::Other(text) => text.clone(),
        });
        let row = Touch {
            id: known.map_or_else(Uuid::now_v7, |known| known.id),
            cycle_id: campaign.map(|campaign| campaign.cycle_id),
            campaign_no: campaign.map(|campaign| campaign.no),
            campaign_code: campaign.map(|campaign| campaign.code.clone()).or(said),
            partner_id: campaign.map(|campaign| campaign.partner_id),
            person_id: person,
            company_id: company.or_else(|| known?.company_id),
            at: seen.at,
            kind: self.source.split(':').next().unwrap_or_default().to_owned(),
            source: self.source.clone(),
            response: seen.response,
            reached: seen.reached,
            status: seen.status.clone(),
            external_id: Some(seen.external_id.clone()),
            batch_id: known.map_or(self.batch, |known| known.batch_id),
        };
        let met = match known {
            Some(known) if *known == row => return Met::Unchanged,
            Some(_) => Met::Changed,
            None => Met::Added,
        };
        self.touch_ids.insert(seen.external_id.clone(), row.id);
        self.touches.write(row.id, row, "touch", &mut self.changes);
        met
    }

    fn deal(
        &mut self,
        seen: &DealIn,
        campaign: Option<&KnownCampaign>,
        person: Option<Uuid>,
        company: Option<Uuid>,
    ) -> Met {
        let external_id = self.owner.id(&seen.external_id);
        let known = self.deal_ids.get(&external_id).and_then(|id| self.deals.rows.get(id));
        let by_crm = seen.partner_crm_id.as_ref().and_then(|id| self.partners.get(id)).copied();
        let named = self.owner.0.or(by_crm).or(campaign.map(|campaign| campaign.partner_id));
        let row = Deal {
            id: known.map_or_else(Uuid::now_v7, |known| known.id),
            external_id: Some(external_id.clone()),
            company_id: company.or_else(|| known?.company_id),
            person_id: person.or_else(|| known?.person_id),
            partner_id: known.and_then(|known| known.partner_id).or(named),
            name: seen.name.clone(),
            stage: seen.stage.clone(),
            amount: seen.amount.minor,
            currency: seen.amount.currency,
            created_on: seen.created_on,
            closed_on: seen.closed_on,
            is_won: seen.is_won,
            is_closed: seen.is_closed,
            registered: seen.registered || known.is_some_and(|known| known.registered),
            cycle_id: campaign.map(|campaign| campaign.cycle_id).or_else(|| known?.cycle_id),
            campaign_no: campaign.map(|campaign| campaign.no).or_else(|| known?.campaign_no),
            batch_id: known.map_or(self.batch, |known| known.batch_id),
        };
        let met = match known {
            Some(known) if *known == row => return Met::Unchanged,
            Some(_) => Met::Changed,
            None => Met::Added,
        };
        self.deal_ids.insert(external_id, row.id);
        self.deals.write(row.id, row, "deal", &mut self.changes);
        met
    }

    fn write_company(&mut self, row: Company) -> Uuid {
        let id = row.id;
        self.index_company(&row);
        self.companies.write(id, row, "company", &mut self.changes);
        id
    }

    fn write_person(&mut self, row: Person) -> Uuid {
        let id = row.id;
        self.index_person(&row);
        self.people.write(id, row, "person", &mut self.changes);
        id
    }

    fn index_company(&mut self, row: &Company) {
        self.domains.extend(row.domain.clone().map(|domain| (domain, row.id)));
        self.company_ids.extend(row.crm_id.clone().map(|crm_id| (crm_id, row.id)));
    }

    fn index_person(&mut self, row: &Person) {
        self.emails.extend(row.email_norm.clone().map(|email| (email, row.id)));
        self.person_ids.extend(row.crm_id.clone().map(|crm_id| (crm_id, row.id)));
    }
}

/// Two ids of one CRM that are not the same. Those of a partner's and of the vendor's CRM say nothing of each other.
fn contradict(own: Option<&String>, other: Option<&String>) -> bool {
    own.zip(other).is_some_and(|(own, other)| own != other && space(own) == space(other))
}

/// The id to keep: one's own, but for the vendor's in place of a partner's.
fn better(own: Option<String>, other: Option<String>) -> Option<String> {
    let vendor = other.as_ref().is_some_and(|id| space(id).is_none());
    match own {
        Some(id) if space(&id).is_some() && vendor => other,
        Some(id) => Some(id),
        None => other,
    }
}

/// The partner whose CRM an id is of; `None` for the vendor's.
fn space(id: &str) -> Option<&str> {
    id.split_once(':')
        .map(|(space, _)| space)
        .filter(|space| space.len() == 32 && space.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Where in the file a match went wrong.
#[derive(Clone, Copy)]
struct Line {
    line: u64,
}

impl Line {
    fn wrong(self, column: &str, value: Option<&str>, reason: &str) -> RowError {
        RowError {
            line: self.line,
            column: column.to_owned(),
            value: value.unwrap_or_default().to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// Counts of campaigns, statuses and deals over a file, for its preview.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tally {
    /// Rows per campaign of ours.
    pub campaigns: BTreeMap<(String, String), u32>,
    /// Rows per name that is none of ours.
    pub unknown: BTreeMap<String, u32>,
    /// Status as written: rows, whether it counts as a response, how far it goes.
    pub statuses: BTreeMap<(String, bool, &'static str), u32>,
    /// Deals per currency: count, sum, won, won sum; sums in minor units.
    pub deals: BTreeMap<&'static str, [i128; 4]>,
    /// Rows whose company has neither a domain nor a CRM id.
    pub without_company: u32,
    /// Credit purchases earn, by the fund's name: the sum and how many purchases.
    pub earned: BTreeMap<String, (Money, u32)>,
}

impl Tally {
    pub fn see(&mut self, record: &Record, outcome: &Outcome) {
        match (&outcome.campaign, &record.campaign) {
            (Some(campaign), _) => {
                *self.campaigns.entry((campaign.code.clone(), campaign.name.clone())).or_default() += 1;
            }
            (None, Some(CampaignIn::Other(name))) => *self.unknown.entry(name.clone()).or_default() += 1,
            _ => {}
        }
        if let Some(touch) = &record.touch {
            let status = touch.status.clone().unwrap_or_default();
            *self.statuses.entry((status, touch.response, touch.reached.label())).or_default() += 1;
        }
        if let (Some(deal), Ok(_)) = (&record.deal, &outcome.met) {
            let sums = self.deals.entry(deal.amount.currency.code()).or_default();
            let amount = i128::from(deal.amount.minor);
            let won = i128::from(deal.is_won);
            for (sum, more) in sums.iter_mut().zip([1, amount, won, won * amount]) {
                *sum += more;
            }
        }
        self.without_company += u32::from(
            record.company.name.is_some() && record.company.domain.is_none() && record.company.crm_id.is_none(),
        );
    }
}
