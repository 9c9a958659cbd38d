//! How a file is to be read: what each column is, what holds for every row, and the questions a file leaves open.

use super::fields::{Field, Kind, guess};
use super::sheet::{RowIs, Sheet};
use super::values::{DayOrder, Maybe, day_order, decimal_mark, named_currency, short};
use domain::money::{Currency, Marks};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A column map and all that goes with it; saved per source under a name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub kind: Kind,
    /// The column of each field, by its name in the header.
    #[serde(default)]
    pub columns: BTreeMap<Field, String>,
    /// What holds for every row that says nothing else.
    #[serde(default)]
    pub fixed: BTreeMap<Field, String>,
    /// The currency of amounts that name none. Never guessed.
    #[serde(default)]
    pub currency: Option<Currency>,
    #[serde(default)]
    pub marks: Option<Marks>,
    #[serde(default)]
    pub day_order: Option<DayOrder>,
    #[serde(default)]
    pub unknown: Unknown,
}

/// What becomes of a touch whose campaign is none of Fundloop's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Kept as a touch of the vendor's own, so that journeys are whole.
    #[default]
    VendorOwn,
    LeaveOut,
}

/// What the file cannot say by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// `03/04/2024`: the day or the month first?
    DayOrder { column: String, sample: String },
    /// `1.234`: a thousand or one and a bit?
    DecimalMark { column: String, sample: String },
    /// Amounts that name no currency.
    Currency,
    /// Nothing in the map tells a person, a campaign or a deal.
    NothingMapped,
    /// The columns a purchase cannot do without.
    NoPurchase,
    /// Which program's guide says what is earned; the codes of those that let credit be earned.
    Program { codes: Vec<String> },
}

impl Question {
    pub fn words(&self) -> String {
        match self {
            Question::DayOrder { column, sample } => {
                format!("“{sample}” in “{column}” can be read two ways: does the day or the month come first?")
            }
            Question::DecimalMark { column, sample } => {
                format!("“{sample}” in “{column}” can be read two ways: which mark stands before the decimals?")
            }
            Question::Currency => "Some amounts name no currency: which one are they in?".to_owned(),
            Question::NothingMapped => {
                "Say which column is the e-mail address or the person’s CRM ID, or which is the deal’s ID or name."
                    .to_owned()
            }
            Question::NoPurchase => {
                "Say which columns are the purchase’s number, the partner and the day, and which is the amount or the units."
                    .to_owned()
            }
            Question::Program { codes } if codes.is_empty() => {
                "No program lets credit be earned: an administrator adds a guide with an [earning] section first.".to_owned()
            }
            Question::Program { codes } => {
                format!("Say which program the purchases belong to: {}.", codes.join(", "))
            }
        }
    }
}

impl Settings {
    /// What the column names alone tell.
    pub fn guess(kind: Kind, sheet: &Sheet) -> Self {
        let columns = guess(kind, &sheet.header).into_iter().collect();
        Self {
            kind,
            columns,
            fixed: BTreeMap::new(),
            currency: None,
            marks: None,
            day_order: None,
            unknown: Unknown::default(),
        }
    }

    /// A saved map on another file: columns that are not there are forgotten.
    #[must_use]
    pub fn onto(mut self, sheet: &Sheet) -> Self {
        self.columns.retain(|_, name| sheet.column(name).is_some());
        self
    }

    pub fn has(&self, field: Field) -> bool {
        self.columns.contains_key(&field) || self.fixed.contains_key(&field)
    }

    /// Rows hold a deal.
    pub fn has_deals(&self) -> bool {
        [Field::DealId, Field::DealName, Field::Amount].into_iter().any(|field| self.columns.contains_key(&field))
    }

    /// Rows hold a touch: a person, and when or with what they were met.
    pub fn has_touches(&self) -> bool {
        let person = [Field::Email, Field::ContactId, Field::LeadId, Field::LastName, Field::Name];
        self.kind != Kind::SalesforceOpportunities
            && person.into_iter().any(|field| self.columns.contains_key(&field))
            && (!self.has_deals() || self.has(Field::Date) || self.has(Field::RespondedOn))
    }

    /// Rows hold a purchase: its number, whose it is, its day, and what was bought.
    pub fn has_purchases(&self) -> bool {
        let has = |field: &Field| self.columns.contains_key(field);
        [Field::PurchaseId, Field::SoldTo, Field::SoldOn].iter().all(has)
            && [Field::Amount, Field::Units].iter().any(has)
    }

    /// What a person has to say before the file can be read, and the marks and the order the file proves by itself.
    pub fn ask(&mut self, sheet: &Sheet) -> Vec<Question> {
        let proof = Proof::of(self, sheet);
        let mut questions = Vec::new();
        if self.kind == Kind::Sales {
            if !self.has_purchases() {
                questions.push(Question::NoPurchase);
            }
        } else if !self.has_touches() && !self.has_deals() {
            questions.push(Question::NothingMapped);
        }
        if self.day_order.is_none() {
            match (proof.order, proof.order_either) {
                (Some(order), _) => self.day_order = Some(order),
                (None, Some((column, sample))) => questions.push(Question::DayOrder { column, sample }),
                (None, None) => {}
            }
        }
        if self.marks.is_none() {
            match (proof.marks, proof.marks_either) {
                (Some(marks), _) => self.marks = Some(marks),
                (None, Some((column, sample))) => questions.push(Question::DecimalMark { column, sample }),
                (None, None) => {}
            }
        }
        if self.currency.is_none() && proof.amount_without_currency {
            questions.push(Question::Currency);
        }
        questions
    }
}

/// What the cells of the mapped columns prove, seen once.
#[derive(Default)]
struct Proof {
    order: Option<DayOrder>,
    order_clash: bool,
    order_either: Option<(String, String)>,
    marks: Option<Marks>,
    marks_clash: bool,
    marks_either: Option<(String, String)>,
    amount_without_currency: bool,
}

impl Proof {
    fn of(settings: &Settings, sheet: &Sheet) -> Self {
        let place = |field: Field| {
            settings.columns.get(&field).and_then(|name| sheet.column(name)).map(|at| (at, sheet.header[at].clone()))
        };
        let days: Vec<_> = [Field::Date, Field::RespondedOn, Field::CreatedOn, Field::ClosedOn, Field::SoldOn]
            .into_iter()
            .filter_map(place)
            .collect();
        let (amount, currency) = (place(Field::Amount), place(Field::Currency));
        let mut proof = Self::default();
        for row in sheet.rows().filter(|row| row.is == RowIs::Record) {
            for (at, name) in &days {
                proof.see_day(row.cell(*at), name);
            }
            if let Some((at, name)) = &amount {
                let cell = row.cell(*at);
                let named = currency.as_ref().is_some_and(|(at, _)| !row.cell(*at).is_empty());
                proof.amount_without_currency |= !cell.is_empty() && !named && named_currency(cell).is_none();
                proof.see_amount(cell, name);
            }
        }
        // A column that proves both ways proves neither: the person decides, and rows that then do not read say so.
        if proof.order_clash {
            proof.order = None;
        }
        if proof.marks_clash {
            proof.marks = None;
        }
        proof
    }

    fn see_day(&mut self, cell: &str, column: &str) {
        let seen = day_order(cell);
        if let Maybe::Proves(order) = seen {
            self.order_clash |= self.order.is_some_and(|other| other != order);
            self.order = Some(order);
        }
        if seen == Maybe::Either || self.order_clash {
            self.order_either.get_or_insert_with(|| (column.to_owned(), short(cell)));
        }
    }

    fn see_amount(&mut self, cell: &str, column: &str) {
        let seen = decimal_mark(cell);
        if let Maybe::Proves(marks) = seen {
            self.marks_clash |= self.marks.is_some_and(|other| other != marks);
            self.marks = Some(marks);
        }
        if seen == Maybe::Either || self.marks_clash {
            self.marks_either.get_or_insert_with(|| (column.to_owned(), short(cell)));
        }
    }
}
