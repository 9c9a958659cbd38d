//! Credit for many partners at once: a table of partners and amounts, or a rule over what partners are. Both end in
//! lines to look at; nothing is recorded before they are confirmed, and then as one command.

use crate::error::{Error, Result};
use crate::imports::sheet::{RowIs, Sheet};
use crate::imports::values::{self, Maybe, short};
use crate::{Engine, WhichFund};
use domain::Date;
use domain::fund::{self, Attribute, Candidate, FundCommand, FundSituation, Line, MOST_LINES, Sharing, judge_lines};
use domain::ids::{PartnerId, UserId};
use domain::ledger::{Account, AccountKind};
use domain::money::{Currency, Marks, Money};
use domain::people::Actor;
use domain::refusal::Refusal;
use std::collections::{BTreeMap, HashMap};
use storage::Viewer;
use storage::read::{Paging, PartnerFilter, UserFilter};
use storage::rows::PartnerRow;

/// One row as it was given or made, and the line it becomes or why it becomes none.
#[derive(Clone, PartialEq, Debug)]
pub struct Proposed {
    /// Its line in the file, or its place among the partners.
    pub no: u64,
    /// The partner as it was named.
    pub partner: String,
    pub outcome: std::result::Result<Line, String>,
}

/// A table's settings that no table says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    pub currency: Currency,
    /// How amounts are written; `None` takes what the table proves, and refuses one that proves nothing.
    pub marks: Option<Marks>,
    /// For rows that name no day of their own.
    pub expires: Option<Date>,
}

/// Which partners a rule is about, and how much they get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    pub tier: Option<String>,
    pub region: Option<String>,
    pub country: Option<String>,
    /// What else must hold, all of it.
    pub also: Vec<(Attribute, String)>,
    pub sharing: Sharing,
    pub expires: Option<Date>,
}

/// Every row with what it would change.
#[derive(Clone, PartialEq, Debug)]
pub struct Preview {
    pub situation: FundSituation,
    pub rows: Vec<Shown>,
    /// What would be recorded.
    pub lines: Vec<Line>,
    pub total: Money,
    pub unallocated: Money,
    /// Why the whole cannot be done as it stands.
    pub refusal: Option<Refusal>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Shown {
    pub no: u64,
    pub partner: String,
    pub outcome: std::result::Result<Change, String>,
}

/// One partner's free credit in the fund before and after.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub amount: Money,
    pub expires: Option<Date>,
    pub before: Money,
    pub after: Money,
}

impl Engine {
    /// The lines of a table: a column for the partner, one for the amount, and if it likes currency, last day, reason.
    pub async fn allocation_table(&self, viewer: &Viewer, bytes: &[u8], reading: &Reading) -> Result<Vec<Proposed>> {
        let partners = self.all_partners(viewer, &PartnerFilter::default()).await?;
        let sheet = Sheet::read(bytes)
            .map_err(|why| Error::invalid("table", why, "Correct the table and hand it in again."))?;
        read_table(&sheet, reading, &partners)
            .map_err(|why| Error::invalid("table", why, "Correct the table and hand it in again."))
    }

    /// The lines of a rule, partners by name.
    pub async fn allocation_rule(&self, viewer: &Viewer, rule: &Rule) -> Result<Vec<Proposed>> {
        let filter = PartnerFilter { region: rule.region.clone(), tier: rule.tier.clone(), ..PartnerFilter::default() };
        let partners = self.all_partners(viewer, &filter).await?;
        let people = self.reader().users(viewer, &UserFilter::default()).await?;
        let managers: HashMap<UserId, String> = people.into_iter().map(|user| (user.id, user.name)).collect();
        let all = partners.into_iter().map(|partner| candidate(partner, &managers));
        let mut candidates: Vec<Candidate> = all.collect();
        for attribute in rule.also.iter().map(|(attribute, _)| attribute).chain(weighed_by(&rule.sharing)) {
            if candidates.iter().all(|partner| attribute.of(partner).is_empty()) {
                let why = format!("No partner has anything under “{}”.", attribute.code());
                return Err(Error::invalid("also", why, "Name it as it stands on the partner's page."));
            }
        }
        candidates.retain(|partner| {
            let in_country = rule.country.as_ref().is_none_or(|country| Attribute::Country.is(partner, country));
            in_country && rule.also.iter().all(|(attribute, value)| attribute.is(partner, value))
        });
        if candidates.is_empty() {
            return Err(Error::invalid("tier", "No partner is like that.", "Ask for less to hold."));
        }
        let parts = fund::share_out(&candidates, &rule.sharing);
        let rows = (1..).zip(candidates.iter().zip(parts)).map(|(no, (partner, part))| Proposed {
            no,
            partner: partner.name.clone(),
            outcome: match part {
                Ok(amount) if amount.is_zero() => Err("Its part is nothing.".to_owned()),
                Ok(amount) => Ok(Line { partner: partner.id, amount, expires: rule.expires, reason: String::new() }),
                Err(reason) => Err(format!("{} {}", reason.why, reason.remedy)),
            },
        });
        Ok(rows.collect())
    }

    /// What a fund has unallocated, to take a share of.
    pub async fn unallocated(&self, which: WhichFund<'_>) -> Result<Money> {
        let situation = self.look_at_fund(which, &FundCommand::Forfeit).await?;
        let account = Account::unallocated(situation.fund.id);
        Ok(Money::new(situation.book.minor(&account), situation.fund.currency))
    }

    /// Judges the rows as the fund stands now.
    pub async fn preview_allocation(
        &self,
        actor: &Actor,
        which: WhichFund<'_>,
        proposed: Vec<Proposed>,
    ) -> Result<Preview> {
        if proposed.len() > MOST_LINES {
            let why = format!("There are {} lines.", proposed.len());
            return Err(Error::invalid("table", why, format!("Give at most {MOST_LINES} at once.")));
        }
        let all: Vec<Line> = proposed.iter().filter_map(|row| row.outcome.clone().ok()).collect();
        let reason = "A look ahead".to_owned();
        let command = FundCommand::AllocateMany { lines: all.clone(), reason: reason.clone() };
        let situation = self.look_at_fund(which, &command).await?;
        let mut wallets = self.wallets(actor, &situation).await?;
        let mut judged = all.iter().zip(judge_lines(&situation, &all, self.clock.today()));
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        let zero = Money::zero(situation.fund.currency);
        for row in proposed {
            let outcome = match row.outcome {
                Err(why) => Err(why),
                Ok(_) => match judged.next() {
                    Some((_, Some(reason))) => Err(format!("{} {}", reason.why, reason.remedy)),
                    Some((line, None)) => {
                        lines.push(line.clone());
                        let wallet = wallets.entry(line.partner).or_insert(zero);
                        let before = *wallet;
                        *wallet = before.checked_add(line.amount).unwrap_or(before);
                        Ok(Change { amount: line.amount, expires: line.expires, before, after: *wallet })
                    }
                    None => Err("It was not judged.".to_owned()),
                },
            };
            rows.push(Shown { no: row.no, partner: row.partner, outcome });
        }
        let total: i128 = lines.iter().map(|line| i128::from(line.amount.minor)).sum();
        let unallocated = situation.book.minor(&Account::unallocated(situation.fund.id));
        let command = FundCommand::AllocateMany { lines: lines.clone(), reason };
        let decided = fund::decide(&situation, actor, &command, self.clock.now());
        Ok(Preview {
            rows,
            total: Money::new(i64::try_from(total).unwrap_or(i64::MAX), situation.fund.currency),
            unallocated: Money::new(unallocated, situation.fund.currency),
            refusal: if lines.is_empty() { None } else { decided.err() },
            lines,
            situation,
        })
    }

    /// What each partner has free in the fund.
    async fn wallets(&self, actor: &Actor, s: &FundSituation) -> Result<BTreeMap<PartnerId, Money>> {
        let held = self.reader().allocations(&Viewer::from(actor), s.fund.id).await?;
        let free = held.into_iter().filter(|line| line.kind == AccountKind::Available);
        Ok(free.map(|line| (line.partner_id, line.total)).collect())
    }

    pub(crate) async fn all_partners(&self, viewer: &Viewer, filter: &PartnerFilter) -> Result<Vec<PartnerRow>> {
        let (reader, mut paging, mut partners) = (self.reader(), Paging::first(500), Vec::new());
        loop {
            let page = reader.partners(viewer, filter, &paging).await?;
            partners.extend(page.rows);
            let Some(next) = page.next else { return Ok(partners) };
            paging.after = Some(next);
        }
    }
}

fn candidate(row: PartnerRow, managers: &HashMap<UserId, String>) -> Candidate {
    let manager = row.manager_id.and_then(|id| managers.get(&id)).cloned().unwrap_or_default();
    let standing = if row.good_standing { "good" } else { "not good" };
    let common = [
        (Attribute::Tier, row.tier),
        (Attribute::Region, row.region),
        (Attribute::Country, row.country),
        (Attribute::Currency, row.currency.code().to_owned()),
        (Attribute::Manager, manager),
        (Attribute::Standing, standing.to_owned()),
    ];
    let mut facts = row.attributes;
    facts.extend(common.into_iter().map(|(attribute, value)| (attribute.code().to_owned(), value)));
    Candidate { id: row.id, name: row.name, facts }
}

fn weighed_by(sharing: &Sharing) -> Option<&Attribute> {
    match sharing {
        Sharing::Weighted { by, .. } => Some(by),
        Sharing::Each(_) | Sharing::Even(_) => None,
    }
}

/// The columns of a table of allocations, by any of their usual names.
struct Columns {
    partner: usize,
    amount: usize,
    currency: Option<usize>,
    expires: Option<usize>,
    reason: Option<usize>,
}

const PARTNER: &[&str] =
    &["partner", "partner name", "partner id", "name", "company", "account", "account name", "crm id", "id"];
const AMOUNT: &[&str] = &["amount", "allocation", "credit", "budget"];
const CURRENCY: &[&str] = &["currency", "currency code"];
const EXPIRES: &[&str] = &["expires", "expires on", "expiry", "expiry date", "last day", "use by", "good until"];
const REASON: &[&str] = &["reason", "note", "why", "comment"];

impl Columns {
    fn of(sheet: &Sheet) -> std::result::Result<Self, String> {
        let find = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| sheet.header.iter().position(|column| column.trim().eq_ignore_ascii_case(name)))
        };
        let missing = |what: &str| {
            format!(
                "There is no column “{what}”: name the columns Partner, Amount and, if you like, Currency, Expires and Reason."
            )
        };
        Ok(Self {
            partner: find(PARTNER).ok_or_else(|| missing("Partner"))?,
            amount: find(AMOUNT).ok_or_else(|| missing("Amount"))?,
            currency: find(CURRENCY),
            expires: find(EXPIRES),
            reason: find(REASON),
        })
    }
}

fn read_table(sheet: &Sheet, reading: &Reading, partners: &[PartnerRow]) -> std::result::Result<Vec<Proposed>, String> {
    let columns = Columns::of(sheet)?;
    let marks = match reading.marks {
        Some(marks) => marks,
        None => marks_of(sheet, columns.amount)?,
    };
    let known = Known::of(partners);
    let mut rows = Vec::new();
    for row in sheet.rows().filter(|row| row.is != RowIs::Aside) {
        let partner = row.cell(columns.partner).to_owned();
        let outcome = match &row.is {
            RowIs::Broken(why) => Err(why.clone()),
            _ => line_of(&row, &columns, (reading, marks), &known),
        };
        rows.push(Proposed { no: row.line, partner: short(&partner), outcome });
        if rows.len() > MOST_LINES {
            return Err(format!("The table has more than {MOST_LINES} rows: split it."));
        }
    }
    if rows.is_empty() {
        return Err("The table has no rows below its column names.".to_owned());
    }
    Ok(rows)
}

/// What the whole column proves about the marks of its amounts; nothing is guessed.
fn marks_of(sheet: &Sheet, column: usize) -> std::result::Result<Marks, String> {
    let (mut proved, mut either) = (None, None);
    for row in sheet.rows().filter(|row| row.is == RowIs::Record) {
        let text = row.cell(column);
        match values::decimal_mark(text) {
            Maybe::Silent => {}
            Maybe::Either => either = either.or_else(|| Some(short(text))),
            Maybe::Proves(marks) if proved.is_none_or(|other| other == marks) => proved = Some(marks),
            Maybe::Proves(_) => {
                return Err("The amounts are written in two ways: write them all like 1234.56.".to_owned());
            }
        }
    }
    match (proved, either) {
        (Some(marks), _) => Ok(marks),
        (None, None) => Ok(Marks::Point),
        (None, Some(text)) => Err(format!("“{text}” can be read two ways: say below how amounts are written.")),
    }
}

fn line_of(
    row: &crate::imports::sheet::Row,
    columns: &Columns,
    (reading, marks): (&Reading, Marks),
    known: &Known,
) -> std::result::Result<Line, String> {
    let partner = known.find(row.cell(columns.partner))?;
    let text = row.cell(columns.amount);
    if let Some(said) = columns.currency.map(|column| row.cell(column)).filter(|said| !said.is_empty())
        && Currency::from_code(said) != Some(reading.currency)
    {
        return Err(format!("The fund is kept in {}, this row in {}.", reading.currency, short(said)));
    }
    if let Some(other) = values::named_currency(text).filter(|other| *other != reading.currency) {
        return Err(format!("The fund is kept in {}, this amount in {other}.", reading.currency));
    }
    let amount = values::amount(text, reading.currency, marks)?;
    let expires = match columns.expires.map(|column| row.cell(column)).filter(|text| !text.is_empty()) {
        Some(text) => Some(values::day(text, None)?),
        None => reading.expires,
    };
    let reason = columns.reason.map_or("", |column| row.cell(column)).to_owned();
    Ok(Line { partner, amount, expires, reason })
}

/// Partners by everything a table may call them.
struct Known(HashMap<String, Vec<PartnerId>>);

impl Known {
    fn of(partners: &[PartnerRow]) -> Self {
        let mut names: HashMap<String, Vec<PartnerId>> = HashMap::new();
        for partner in partners {
            let crm = partner.crm_id.as_deref().and_then(values::crm_id);
            let called = [Some(partner.name.clone()), Some(partner.id.to_string()), partner.domain.clone(), crm];
            for name in called.into_iter().flatten() {
                let ids = names.entry(name.trim().to_lowercase()).or_default();
                if !ids.contains(&partner.id) {
                    ids.push(partner.id);
                }
            }
        }
        Self(names)
    }

    fn find(&self, said: &str) -> std::result::Result<PartnerId, String> {
        if said.is_empty() {
            return Err("No partner is named.".to_owned());
        }
        let by_crm = || self.0.get(&values::crm_id(said)?.to_lowercase());
        match self.0.get(&said.trim().to_lowercase()).or_else(by_crm).map(Vec::as_slice) {
            Some([one]) => Ok(*one),
            Some(_) => Err(format!("“{}” could be several partners: use the CRM id.", short(said))),
            None => Err(format!("We know no partner “{}”: use its full name, CRM id or web domain.", short(said))),
        }
    }
}
