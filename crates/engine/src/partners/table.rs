//! Partners as a table: a line each, as a CRM or a spreadsheet keeps them. What each line would change is told first, and
//! exactly that is done.

use super::{Managers, PartnerSaid, checked, may_keep};
use crate::Engine;
use crate::advance::{Advanced, Submission, digest};
use crate::error::{Error, Result};
use crate::imports::sheet::{Row, RowIs, Sheet};
use crate::imports::values::short;
use domain::Instant;
use domain::fund::Attribute;
use domain::ids::PartnerId;
use domain::people::Actor;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use storage::Viewer;
use storage::read::{PartnerFilter, UserFilter};
use storage::rows::PartnerRow;
use uuid::Uuid;

/// The longest table taken, in lines and in bytes of its text.
pub const MOST_LINES: usize = 5_000;
pub const MOST_BYTES: usize = 2 * 1024 * 1024;

/// A table held against the partners there are.
#[derive(Clone, PartialEq, Debug)]
pub struct PartnerTable {
    /// Names what would be done; applying it is refused once something else would be.
    pub plan: String,
    pub lines: Vec<TableLine>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TableLine {
    /// In the file, from 1.
    pub line: u64,
    /// The partner as the line names it.
    pub name: String,
    #[serde(flatten)]
    pub fate: Fate,
    /// The partner as it would be written; its id is made when it is.
    #[serde(skip)]
    write: Option<PartnerRow>,
}

/// What a line does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    Added,
    Changed {
        partner: PartnerId,
        changes: Vec<Change>,
    },
    Same,
    /// One sentence each, with a way out.
    Refused {
        reasons: Vec<String>,
    },
}

/// One fact of a partner, before and after; empty where there is none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    pub fact: String,
    pub from: String,
    pub to: String,
}

/// What a column of the table holds.
enum Column {
    Name,
    Region,
    Country,
    Tier,
    Currency,
    Manager,
    Standing,
    Domain,
    CrmId,
    Named(String),
    /// Without a name, and with nothing in it.
    Nothing,
}

/// The columns of an export, before those of the attributes.
const COLUMNS: [&str; 9] =
    ["name", "crm_id", "region", "country", "tier", "currency", "manager", "good_standing", "domain"];

impl PartnerTable {
    /// How many lines add a partner, change one, change nothing, and are left out.
    pub fn counts(&self) -> [usize; 4] {
        let of = |test: fn(&Fate) -> bool| self.lines.iter().filter(|line| test(&line.fate)).count();
        [
            of(|fate| *fate == Fate::Added),
            of(|fate| matches!(fate, Fate::Changed { .. })),
            of(|fate| *fate == Fate::Same),
            of(|fate| matches!(fate, Fate::Refused { .. })),
        ]
    }
}

/// A file's table as text, whatever tool wrote it. The error is one sentence about the whole file.
pub fn table_text(bytes: &[u8]) -> std::result::Result<String, String> {
    Ok(Sheet::read(bytes)?.into_text())
}

impl Engine {
    /// What a table would change; nothing is.
    pub async fn read_partner_table(&self, actor: &Actor, text: &str) -> Result<PartnerTable> {
        may_keep(actor)?;
        let managers = self.managers().await?;
        let partners = self.all_partners(&Viewer::system(), &PartnerFilter::default()).await?;
        judged(text, &partners, &managers, self.clock.now())
    }

    /// Does what a look at the same table said it would do. Where partners or people have changed since, so that
    /// something else would be done, nothing is.
    pub async fn apply_partner_table(
        &self,
        actor: &Actor,
        text: &str,
        plan: &str,
        once: &Submission,
    ) -> Result<Advanced> {
        may_keep(actor)?;
        let managers = self.managers().await?;
        self.once(actor, once, &("table", text, plan), async |tx, now| {
            let table = judged(text, &tx.partner_rows().await?, &managers, now)?;
            if table.plan != plan {
                let why = "Something has changed since you looked at what this table would do.";
                return Err(Error::refused("table_changed", why, "Look at it again, then apply it."));
            }
            for line in &table.lines {
                let Some(row) = &line.write else { continue };
                let (kind, did) = if line.fate == Fate::Added {
                    tx.insert_partner(row).await?;
                    ("partner.added", "added the partner")
                } else {
                    tx.update_partner(row).await?;
                    ("partner.changed", "changed the facts of")
                };
                let words = format!("{} {did} {}, by a table.", actor.me.name, row.name);
                tx.note(kind, words, json!(row), actor, now).await?;
            }
            let [added, changed, same, refused] = table.counts();
            let words = format!("{added} added, {changed} changed, {same} as they were, {refused} left out.");
            Ok(Advanced { number: "partners".to_owned(), version: 0, words: vec![words] })
        })
        .await
    }

    /// Every partner as a table that can be changed and handed in again, in UTF-8 with commas.
    pub async fn partner_table(&self, actor: &Actor) -> Result<Vec<u8>> {
        may_keep(actor)?;
        let partners = self.all_partners(&Viewer::system(), &PartnerFilter::default()).await?;
        let users = self.reader().users(&Viewer::system(), &UserFilter::default()).await?;
        let addresses: HashMap<_, _> = users.into_iter().map(|user| (user.id, user.email)).collect();
        let mut names: Vec<&String> = partners.iter().flat_map(|partner| partner.attributes.keys()).collect();
        names.sort();
        names.dedup();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = COLUMNS.into_iter().chain(names.iter().map(|name| name.as_str()));
        writer.write_record(header).map_err(Error::internal)?;
        for partner in &partners {
            let manager = partner.manager_id.and_then(|id| addresses.get(&id)).map_or("", String::as_str);
            let facts = [
                partner.name.as_str(),
                partner.crm_id.as_deref().unwrap_or_default(),
                &partner.region,
                &partner.country,
                &partner.tier,
                partner.currency.code(),
                manager,
                if partner.good_standing { "yes" } else { "no" },
                partner.domain.as_deref().unwrap_or_default(),
            ];
            let named = names.iter().map(|name| partner.attributes.get(*name).map_or("", String::as_str));
            let cells = facts.into_iter().chain(named).map(crate::imports::report::harmless);
            writer.write_record(cells).map_err(Error::internal)?;
        }
        writer.into_inner().map_err(Error::internal)
    }
}

/// Every line held against the partners.
fn judged(text: &str, partners: &[PartnerRow], managers: &Managers, now: Instant) -> Result<PartnerTable> {
    let wrong = |why: String| Error::invalid("lines", why, "Correct the table and hand it in again.");
    if text.len() > MOST_BYTES {
        return Err(wrong("The table is larger than 2 MB: split it.".to_owned()));
    }
    let sheet = Sheet::read(text.as_bytes()).map_err(wrong)?;
    let rows: Vec<Row> = sheet.rows().filter(|row| row.is != RowIs::Aside).take(MOST_LINES + 1).collect();
    if rows.len() > MOST_LINES {
        return Err(wrong(format!("The table has more than {MOST_LINES} lines: split it.")));
    }
    if rows.is_empty() {
        return Err(wrong("The table has no line under its column names.".to_owned()));
    }
    let columns = columns(&sheet.header, &rows).map_err(wrong)?;
    let mut known = Known::new(partners, managers, now);
    let lines: Vec<TableLine> = rows.iter().map(|row| known.line(&columns, row)).collect();
    // What would be done, by what stands there now: ids of new partners and the hour are no part of it.
    let facts = |row: &PartnerRow| (row.manager_id, told(row, &BTreeMap::new()));
    let planned: Vec<_> = lines.iter().map(|line| (line, line.write.as_ref().map(facts))).collect();
    Ok(PartnerTable { plan: digest(&planned)?, lines })
}

/// What each column holds; the error is one sentence about the whole table.
fn columns(header: &[String], rows: &[Row]) -> std::result::Result<Vec<Column>, String> {
    let mut columns = Vec::new();
    for (index, name) in header.iter().enumerate() {
        let plain: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        columns.push(match plain.as_str() {
            "name" | "partner" | "partnername" | "company" | "accountname" => Column::Name,
            "region" => Column::Region,
            "country" | "countrycode" => Column::Country,
            "tier" | "partnertier" => Column::Tier,
            "currency" | "currencycode" => Column::Currency,
            "manager" | "channelmanager" | "manageremail" => Column::Manager,
            "goodstanding" | "standing" => Column::Standing,
            "domain" | "webdomain" | "website" => Column::Domain,
            "crmid" | "accountid" => Column::CrmId,
            _ if *name == format!("Column {}", index + 1) => {
                if let Some(row) = rows.iter().find(|row| !row.cell(index).is_empty()) {
                    let cell = short(row.cell(index));
                    return Err(format!(
                        "Column {} has no name, and line {} says “{cell}” in it.",
                        index + 1,
                        row.line
                    ));
                }
                Column::Nothing
            }
            _ => match Attribute::from_code(name) {
                Some(Attribute::Named(name)) => Column::Named(name),
                _ => {
                    return Err(format!(
                        "The column “{}” can be no fact of a partner: name it otherwise.",
                        short(name)
                    ));
                }
            },
        });
    }
    if columns.iter().any(|column| matches!(column, Column::Name | Column::CrmId)) {
        return Ok(columns);
    }
    Err("The table has neither a column “name” nor one “crm_id”: without them no line says whose it is.".to_owned())
}

/// The partners lines are met with, and who was met already.
struct Known<'a> {
    managers: &'a Managers,
    now: Instant,
    by_crm_id: HashMap<&'a str, Vec<&'a PartnerRow>>,
    by_name: HashMap<String, &'a PartnerRow>,
    /// By id, the line that is about it.
    met: HashMap<PartnerId, u64>,
    /// Names and CRM ids that an earlier line gives, and its line.
    given: HashMap<(bool, String), u64>,
}

impl<'a> Known<'a> {
    fn new(partners: &'a [PartnerRow], managers: &'a Managers, now: Instant) -> Self {
        let mut by_crm_id: HashMap<&str, Vec<&PartnerRow>> = HashMap::new();
        for partner in partners {
            if let Some(id) = partner.crm_id.as_deref() {
                by_crm_id.entry(id).or_default().push(partner);
            }
        }
        let by_name = partners.iter().map(|partner| (partner.name.to_lowercase(), partner)).collect();
        Self { managers, now, by_crm_id, by_name, met: HashMap::new(), given: HashMap::new() }
    }

    fn line(&mut self, columns: &[Column], row: &Row) -> TableLine {
        let cell = |of: fn(&Column) -> bool| columns.iter().position(of).map_or("", |index| row.cell(index));
        let named = [cell(|column| matches!(column, Column::Name)), cell(|column| matches!(column, Column::CrmId))];
        let name = named.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned();
        let done = match &row.is {
            RowIs::Broken(why) => Err(vec![why.clone()]),
            _ => said(columns, row).map_err(|why| vec![why]).and_then(|said| self.meet(&said, row.line)),
        };
        match done {
            Err(reasons) => TableLine { line: row.line, name, fate: Fate::Refused { reasons }, write: None },
            Ok((fate, write)) => TableLine {
                line: row.line,
                name: write.name.clone(),
                write: Some(write).filter(|_| fate != Fate::Same),
                fate,
            },
        }
    }

    fn meet(&mut self, said: &PartnerSaid, line: u64) -> std::result::Result<(Fate, PartnerRow), Vec<String>> {
        let one = |why: String| vec![why];
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (name, crm_id) = (filled(&said.name), filled(&said.crm_id));
        if name.is_none() && crm_id.is_none() {
            return Err(one("The line names no partner: give a name or a CRM id.".to_owned()));
        }
        let of_id = crm_id.as_deref().and_then(|id| self.by_crm_id.get(id)).map_or(&[][..], Vec::as_slice);
        let of_name = name.as_deref().and_then(|name| self.by_name.get(&name.to_lowercase())).copied();
        let before = match (of_id, of_name) {
            ([first, second, ..], _) => {
                return Err(one(format!(
                    "{} and {} both have this CRM id: correct that first.",
                    first.name, second.name
                )));
            }
            ([by_id], Some(by_name)) if by_id.id != by_name.id => {
                let why =
                    format!("The CRM id is {}'s, the name {}'s: correct one of the two.", by_id.name, by_name.name);
                return Err(one(why));
            }
            ([by_id], _) => Some(*by_id),
            ([], by_name) => by_name,
        };
        if let Some(earlier) = before.and_then(|before| self.met.get(&before.id)) {
            return Err(one(format!("Line {earlier} is about the same partner: keep one of the two.")));
        }
        let id = PartnerId(Uuid::now_v7());
        let after = checked(before, said, self.managers, (id, self.now)).map_err(|reasons| {
            reasons.iter().map(|reason| format!("{} {}", reason.why, reason.remedy)).collect::<Vec<_>>()
        })?;
        let names = [(false, Some(after.name.to_lowercase())), (true, after.crm_id.clone())];
        let names: HashSet<(bool, String)> =
            names.into_iter().filter_map(|(is_id, text)| Some((is_id, text?))).collect();
        if let Some(earlier) = names.iter().find_map(|given| self.given.get(given)) {
            return Err(one(format!(
                "Line {earlier} gives another partner the same name or CRM id: keep one of the two."
            )));
        }
        self.given.extend(names.into_iter().map(|given| (given, line)));
        let Some(before) = before else { return Ok((Fate::Added, after)) };
        self.met.insert(before.id, line);
        let changes = self.changes(before, &after);
        let fate = if changes.is_empty() { Fate::Same } else { Fate::Changed { partner: before.id, changes } };
        Ok((fate, after))
    }

    fn changes(&self, before: &PartnerRow, after: &PartnerRow) -> Vec<Change> {
        let addresses = self.managers.iter().map(|(address, id)| (*id, address.as_str())).collect();
        let (from, to) = (told(before, &addresses), told(after, &addresses));
        let facts: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
        let of = |facts: &BTreeMap<String, String>, fact: &String| facts.get(fact).cloned().unwrap_or_default();
        let changes =
            facts.into_iter().map(|fact| Change { fact: fact.clone(), from: of(&from, fact), to: of(&to, fact) });
        changes.filter(|change| change.from != change.to).collect()
    }
}

/// A partner's facts by the names of a table's columns.
fn told(row: &PartnerRow, addresses: &BTreeMap<domain::ids::UserId, &str>) -> BTreeMap<String, String> {
    let manager = row.manager_id.map(|id| addresses.get(&id).map_or_else(|| id.to_string(), |to| (*to).to_owned()));
    let mut facts = row.attributes.clone();
    for (column, fact) in COLUMNS.into_iter().zip([
        row.name.clone(),
        row.crm_id.clone().unwrap_or_default(),
        row.region.clone(),
        row.country.clone(),
        row.tier.clone(),
        row.currency.code().to_owned(),
        manager.unwrap_or_default(),
        if row.good_standing { "yes" } else { "no" }.to_owned(),
        row.domain.clone().unwrap_or_default(),
    ]) {
        facts.insert(column.to_owned(), fact);
    }
    facts
}

/// What a line says. The error is one sentence with a way out.
fn said(columns: &[Column], row: &Row) -> std::result::Result<PartnerSaid, String> {
    let mut said = PartnerSaid::default();
    for (index, column) in columns.iter().enumerate() {
        let cell = plain(row.cell(index)).to_owned();
        match column {
            Column::Name => said.name = Some(cell).filter(|cell| !cell.is_empty()),
            Column::CrmId => said.crm_id = Some(cell),
            Column::Region => said.region = Some(cell),
            Column::Country => said.country = Some(cell),
            Column::Tier => said.tier = Some(cell),
            Column::Currency => said.currency = Some(cell),
            Column::Manager => said.manager = Some(cell),
            Column::Domain => said.domain = Some(cell),
            Column::Standing => {
                said.good_standing = match cell.to_lowercase().as_str() {
                    "" => None,
                    "yes" | "y" | "true" | "1" | "good" => Some(true),
                    "no" | "n" | "false" | "0" | "not good" => Some(false),
                    _ => return Err(format!("“{}” is no standing: write yes or no.", short(&cell))),
                };
            }
            Column::Named(name) => {
                said.attributes.insert(name.clone(), cell);
            }
            Column::Nothing => {}
        }
    }
    Ok(said)
}

/// A cell as it was meant: an apostrophe that keeps a spreadsheet from running it is no part of it.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => cell,
    }
}
