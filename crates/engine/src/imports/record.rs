//! One row, read: the person, the company, the touch and the deal it tells of, or everything that is wrong with it.

use super::fields::Field;
use super::sales::SaleIn;
use super::settings::Settings;
use super::sheet::{Row, RowIs, Sheet};
use super::values;
use domain::forecast::FunnelStage;
use domain::money::{Currency, Marks, Money};
use domain::{Date, Instant};
use sha2::{Digest, Sha256};

/// What a row tells of.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Its line in the file, from 1.
    pub line: u64,
    pub person: Option<PersonIn>,
    pub company: CompanyIn,
    pub campaign: Option<CampaignIn>,
    pub touch: Option<TouchIn>,
    pub deal: Option<DealIn>,
}

/// A person as a row names them. Met by e-mail or CRM id; with neither, only through their touch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PersonIn {
    pub email: Option<String>,
    pub crm_id: Option<String>,
    pub name: String,
    pub title: Option<String>,
    pub phone: Option<String>,
    /// When they agreed to be written to, where they were asked.
    pub consent_at: Option<Instant>,
}

/// A company as a row names it. Met by domain or CRM id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompanyIn {
    pub name: Option<String>,
    pub domain: Option<String>,
    pub crm_id: Option<String>,
}

/// How a row names its campaign.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CampaignIn {
    /// A Fundloop ID whose check character holds.
    Code(String),
    /// Another system's id or a name, in small letters: met by the saved map of campaigns.
    Other(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TouchIn {
    pub external_id: String,
    pub at: Instant,
    pub response: bool,
    pub reached: FunnelStage,
    pub status: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DealIn {
    pub external_id: String,
    pub name: String,
    pub stage: String,
    pub amount: Money,
    pub created_on: Date,
    pub closed_on: Option<Date>,
    pub is_won: bool,
    pub is_closed: bool,
    pub registered: bool,
    pub partner_crm_id: Option<String>,
}

/// Why a row is not kept, or what about it wants a look.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct RowError {
    pub line: u64,
    /// The column's name in the file; empty where it is about the row.
    pub column: String,
    pub value: String,
    pub reason: String,
}

/// What one row came to.
pub enum Reading<T = Record> {
    Record(Box<T>),
    /// A total, a footer, a row the tool marks as deleted.
    Aside,
    Wrong(Vec<RowError>),
}

/// Reads rows of one sheet under settings.
pub struct Rows<'a> {
    sheet: &'a Sheet,
    settings: &'a Settings,
    today: Date,
}

impl<'a> Rows<'a> {
    pub fn new(sheet: &'a Sheet, settings: &'a Settings, today: Date) -> Self {
        Self { sheet, settings, today }
    }

    pub fn read(&self) -> impl Iterator<Item = (Row, Reading)> + '_ {
        self.sheet.rows().map(|row| {
            let reading = self.read_row(&row);
            (row, reading)
        })
    }

    /// The same rows as purchases.
    pub fn sales(&self) -> impl Iterator<Item = (Row, Reading<SaleIn>)> + '_ {
        self.sheet.rows().map(|row| {
            let reading = self.read_as(&row, |reading: &mut RowReading<'_>| reading.sale());
            (row, reading)
        })
    }

    fn read_row(&self, row: &Row) -> Reading {
        self.read_as(row, |reading| Some(reading.record()))
    }

    fn read_as<T>(&self, row: &Row, read: impl Fn(&mut RowReading<'_>) -> Option<T>) -> Reading<T> {
        match &row.is {
            RowIs::Aside => return Reading::Aside,
            RowIs::Broken(why) => {
                return Reading::Wrong(vec![RowError {
                    line: row.line,
                    column: String::new(),
                    value: String::new(),
                    reason: why.clone(),
                }]);
            }
            RowIs::Record => {}
        }
        let mut reading = RowReading { rows: self, row, errors: Vec::new() };
        if reading.flag(Field::Deleted).unwrap_or(false) {
            return Reading::Aside;
        }
        match read(&mut reading) {
            Some(record) if reading.errors.is_empty() => Reading::Record(Box::new(record)),
            _ => Reading::Wrong(reading.errors),
        }
    }
}

/// One row under way, with what is wrong with it so far.
pub(super) struct RowReading<'a> {
    rows: &'a Rows<'a>,
    row: &'a Row,
    errors: Vec<RowError>,
}

impl RowReading<'_> {
    fn record(&mut self) -> Record {
        let settings = self.rows.settings;
        let person = self.person();
        let company = self.company(person.as_ref());
        let campaign = self.campaign();
        let touch =
            if settings.has_touches() { self.touch(person.as_ref(), &company, campaign.as_ref()) } else { None };
        let deal = if settings.has_deals() { self.deal(&company) } else { None };
        if touch.is_none() && deal.is_none() && self.errors.is_empty() {
            self.wrong_row("Nothing in this row tells of a person or a deal.");
        }
        Record { line: self.row.line, person, company, campaign, touch, deal }
    }

    fn person(&mut self) -> Option<PersonIn> {
        let email = self.text(Field::Email).and_then(|text| match values::email(&text) {
            Ok(email) => Some(email),
            Err(why) => {
                self.wrong(Field::Email, why);
                None
            }
        });
        let crm_id = [Field::ContactId, Field::LeadId].into_iter().find_map(|field| values::crm_id(&self.text(field)?));
        let names: Vec<String> =
            [Field::FirstName, Field::LastName].into_iter().filter_map(|field| self.text(field)).collect();
        let name = if names.is_empty() { self.text(Field::Name).unwrap_or_default() } else { names.join(" ") };
        if email.is_none() && crm_id.is_none() && name.is_empty() {
            return None;
        }
        let name = cut(if name.is_empty() { email.as_deref().unwrap_or("") } else { &name }, 160);
        let line = |text: Option<String>| text.map(|text| cut(&text, 160));
        Some(PersonIn {
            email,
            crm_id,
            name,
            title: line(self.text(Field::JobTitle)),
            phone: line(self.text(Field::Phone)),
            consent_at: None,
        })
    }

    fn company(&mut self, person: Option<&PersonIn>) -> CompanyIn {
        let said = self.text(Field::Domain).and_then(|text| values::domain(&text));
        let mailed = || person?.email.as_ref()?.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        CompanyIn {
            name: self.text(Field::Company).map(|name| cut(&name, 160)),
            domain: said.or_else(mailed).filter(|domain| !values::is_free_mail(domain)),
            crm_id: self.text(Field::CompanyId).and_then(|text| values::crm_id(&text)),
        }
    }

    /// By its Fundloop ID wherever that is written, or else by the id or name the file gives.
    fn campaign(&mut self) -> Option<CampaignIn> {
        let said: Vec<(Field, String)> = [Field::CampaignId, Field::CampaignName]
            .into_iter()
            .filter_map(|field| Some((field, self.text(field)?)))
            .collect();
        if let Some(code) = said.iter().find_map(|(_, text)| code_in(text)) {
            return Some(CampaignIn::Code(code));
        }
        for (field, text) in &said {
            if text.trim().to_ascii_uppercase().starts_with("FL-") {
                self.wrong(*field, format!("“{}” looks like a campaign ID but its check character does not fit: compare it letter by letter.", values::short(text)));
                return None;
            }
        }
        let (field, text) = said.into_iter().next()?;
        let key = if field == Field::CampaignId { values::crm_id(&text)? } else { text };
        Some(CampaignIn::Other(cut(&key.to_lowercase(), 160)))
    }

    fn touch(
        &mut self,
        person: Option<&PersonIn>,
        company: &CompanyIn,
        campaign: Option<&CampaignIn>,
    ) -> Option<TouchIn> {
        let Some(person) = person else {
            if !self.rows.settings.has_deals() {
                self.wrong_row("This row names nobody: it has no e-mail address, no CRM ID and no name.");
            }
            return None;
        };
        let responded_on = self.moment(Field::RespondedOn);
        let met = self.moment(Field::Date);
        let Some(at) = responded_on.or(met) else {
            self.missing(&[Field::Date, Field::RespondedOn], "This row has no day.");
            return None;
        };
        let status = self.text(Field::Status).map(|status| cut(&status, 80));
        let response = match self.flag(Field::Responded) {
            Some(flag) => flag,
            None => responded_on.is_some() || status.as_deref().is_none_or(is_response),
        };
        let reached = self
            .text(Field::Reached)
            .or_else(|| status.clone())
            .map_or(FunnelStage::Responses, |text| reached_of(&text));
        let external_id = match self.text(Field::TouchId).and_then(|text| values::crm_id(&text)) {
            Some(id) => id,
            None => natural_key(&[
                person.email.as_deref().or(person.crm_id.as_deref()).unwrap_or(&person.name),
                company.domain.as_deref().or(company.name.as_deref()).unwrap_or(""),
                match campaign {
                    Some(CampaignIn::Code(text) | CampaignIn::Other(text)) => text,
                    None => "",
                },
                &met.unwrap_or(at).date_naive().to_string(),
            ]),
        };
        Some(TouchIn {
            external_id,
            at,
            response,
            reached: if response { reached } else { FunnelStage::Responses },
            status,
        })
    }

    fn deal(&mut self, company: &CompanyIn) -> Option<DealIn> {
        let id = self.text(Field::DealId).and_then(|text| values::crm_id(&text));
        let name = self.text(Field::DealName);
        if id.is_none() && name.is_none() {
            if !self.rows.settings.has_touches() {
                self.missing(&[Field::DealId, Field::DealName], "This row names no deal.");
            }
            return None;
        }
        let stage = self.text(Field::Stage).unwrap_or_default();
        let (is_won, is_closed) = self.outcome(&stage);
        let amount = self.amount();
        let (created, close) = (self.day(Field::CreatedOn), self.day(Field::ClosedOn));
        let Some(created_on) = created.or(close.map(|day| day.min(self.rows.today))) else {
            self.missing(&[Field::CreatedOn, Field::ClosedOn], "This deal has no day.");
            return None;
        };
        if is_won && close.is_none() {
            self.missing(&[Field::ClosedOn], "This deal is won but has no close date.");
        }
        let name = cut(&name.or_else(|| company.name.clone()).or_else(|| id.clone()).unwrap_or_default(), 160);
        let company_key =
            company.crm_id.as_deref().or(company.domain.as_deref()).or(company.name.as_deref()).unwrap_or("");
        let external_id = id.unwrap_or_else(|| natural_key(&[&name, company_key, &created_on.to_string()]));
        let registered = self.flag(Field::Registered).unwrap_or(false);
        let partner_crm_id = self.text(Field::PartnerId).and_then(|text| values::crm_id(&text));
        let stage = if stage.is_empty() { if is_won { "Won" } else { "Open" }.to_owned() } else { cut(&stage, 80) };
        Some(DealIn {
            external_id,
            name,
            stage,
            amount: amount?,
            created_on,
            closed_on: close.filter(|_| is_closed),
            is_won,
            is_closed,
            registered,
            partner_crm_id,
        })
    }

    /// Won and closed: what the file says, or what the stage's name says.
    fn outcome(&mut self, stage: &str) -> (bool, bool) {
        let lower = stage.to_lowercase();
        let lost = ["lost", "verloren", "disqualified", "abandoned"].iter().any(|word| lower.contains(word));
        let named = !lost
            && ["won", "gewonnen", "closedwon"]
                .iter()
                .any(|word| lower.split(|c: char| !c.is_alphanumeric()).any(|part| part == *word));
        let (won, closed) = (self.flag(Field::Won), self.flag(Field::Closed));
        let is_won = won.unwrap_or(named);
        (is_won, is_won || closed.unwrap_or(lost))
    }

    pub(super) fn amount(&mut self) -> Option<Money> {
        let text = self.text(Field::Amount);
        let settings = self.rows.settings;
        let named = text.as_deref().and_then(values::named_currency);
        let currency = match self.text(Field::Currency) {
            Some(code) => {
                let known = Currency::from_code(&code);
                if known.is_none() {
                    let why = format!("“{}” is no currency code: write one like EUR.", values::short(&code));
                    self.wrong(Field::Currency, why);
                    return None;
                }
                known
            }
            None => named.or(settings.currency),
        };
        let Some(currency) = currency else {
            self.wrong(Field::Amount, "This amount names no currency: say which one the file is in.".to_owned());
            return None;
        };
        let Some(text) = text else { return Some(Money::zero(currency)) };
        match values::amount(&text, currency, settings.marks.unwrap_or(Marks::Point)) {
            Ok(amount) => Some(amount),
            Err(why) => {
                self.wrong(Field::Amount, why);
                None
            }
        }
    }

    /// Its line in the file, from 1.
    pub(super) fn line(&self) -> u64 {
        self.row.line
    }

    /// Which marks the file writes amounts with.
    pub(super) fn marks(&self) -> Marks {
        self.rows.settings.marks.unwrap_or(Marks::Point)
    }

    /// A mapped cell, or what holds for every row; `None` where both are empty.
    pub(super) fn text(&self, field: Field) -> Option<String> {
        let settings = self.rows.settings;
        let cell = settings
            .columns
            .get(&field)
            .and_then(|name| self.rows.sheet.column(name))
            .map_or("", |at| self.row.cell(at));
        let text = if cell.is_empty() { settings.fixed.get(&field).map_or("", |fixed| fixed.trim()) } else { cell };
        let clean: String =
            text.chars().filter(|c| !is_unseen(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
        (!clean.trim().is_empty()).then(|| clean.trim().to_owned())
    }

    fn flag(&mut self, field: Field) -> Option<bool> {
        let text = self.text(field)?;
        values::flag(&text).map_err(|why| self.wrong(field, why)).ok()
    }

    fn moment(&mut self, field: Field) -> Option<Instant> {
        let text = self.text(field)?;
        values::moment(&text, self.rows.settings.day_order).map_err(|why| self.wrong(field, why)).ok()
    }

    pub(super) fn day(&mut self, field: Field) -> Option<Date> {
        let text = self.text(field)?;
        values::day(&text, self.rows.settings.day_order).map_err(|why| self.wrong(field, why)).ok()
    }

    pub(super) fn wrong(&mut self, field: Field, reason: String) {
        let column = self.rows.settings.columns.get(&field).cloned().unwrap_or_else(|| field.label().to_owned());
        let value = values::short(&self.text(field).unwrap_or_default());
        self.errors.push(RowError { line: self.row.line, column, value, reason });
    }

    /// One of these fields is missing; none of them was there and wrong.
    pub(super) fn missing(&mut self, fields: &[Field], reason: &str) {
        let columns = &self.rows.settings.columns;
        let names: Vec<&str> = fields.iter().filter_map(|field| columns.get(field)).map(String::as_str).collect();
        if !self.errors.iter().any(|error| names.contains(&error.column.as_str())) {
            let column = names.first().copied().unwrap_or_default().to_owned();
            self.errors.push(RowError { line: self.row.line, column, value: String::new(), reason: reason.to_owned() });
        }
    }

    fn wrong_row(&mut self, reason: &str) {
        self.errors.push(RowError {
            line: self.row.line,
            column: String::new(),
            value: String::new(),
            reason: reason.to_owned(),
        });
    }
}

/// A Fundloop ID as the whole text or as one word of it: `Q3 webinar [FL-00J4-1K]`.
fn code_in(text: &str) -> Option<String> {
    use domain::campaign_id::read;
    read(text).or_else(|| {
        let mut words = text.split(|c: char| c.is_whitespace() || "[](){}|,;:/_".contains(c));
        words.find_map(|word| word.to_ascii_uppercase().starts_with("FL").then(|| read(word))?)
    })
}

/// Whether a status says that the person reacted.
pub fn is_response(status: &str) -> bool {
    let lower = status.to_lowercase();
    let silent = [
        "sent",
        "invited",
        "planned",
        "not attended",
        "no show",
        "no-show",
        "received",
        "delivered",
        "bounced",
        "unsubscribed",
        "unresponsive",
        "no response",
        "not responded",
        "cancelled",
        "canceled",
        "refunded",
        "deleted",
        "eingeladen",
        "gesendet",
        "to be invited",
    ];
    !silent.iter().any(|word| {
        lower == *word || lower.split(" - ").any(|part| part.trim() == *word) || lower.ends_with(&format!(" {word}"))
    }) && lower != "no"
}

/// How far a status says the person has come. A disqualified lead is a response still.
pub fn reached_of(status: &str) -> FunnelStage {
    let lower = status.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["disqualified", "unqualified", "not qualified", "not interested"]) {
        return FunnelStage::Responses;
    }
    if has(&["mql", "sql", "qualified", "meeting", "opportunity", "customer"]) {
        return FunnelStage::Mqls;
    }
    if has(&["lead", "attended", "demo", "interested", "form", "converted", "teilgenommen", "visited booth"]) {
        return FunnelStage::Leads;
    }
    FunnelStage::Responses
}

/// What a row without an id of its own is known again by.
pub(crate) fn natural_key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.to_lowercase();
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    format!("k:{}", hex::encode(&hash.finalize()[..16]))
}

fn cut(text: &str, characters: usize) -> String {
    text.trim().chars().take(characters).collect()
}

/// Marks that make a name read otherwise than it is written.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
