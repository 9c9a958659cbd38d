//! Where a purchase meets the guide in force on its day: what it earns, in which funds, until when, or why nothing. Pure:
//! a preview and a commit ask the same desk.

use super::super::fields::Field;
use super::super::meet::Met;
use super::super::values;
use super::{Earning, SaleIn};
use domain::Date;
use domain::calendar::words;
use domain::fund::{Earned, Fund, FundKind};
use domain::ids::{EventId, FundId, PartnerId, ProgramId};
use domain::money::Money;
use domain::policy::rules::{self, Purchase};
use domain::policy::{Judgement, Policy};
use std::collections::HashMap;
use storage::read::PartnerNames;
use storage::rows::Accrual;
use uuid::Uuid;

/// What a purchase gives one fund.
pub(super) struct Gain {
    pub fund: FundId,
    pub earned: Earned,
    seen: Known,
}

/// A purchase as it earned before: the same again is nothing new.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Known {
    partner: PartnerId,
    on: Date,
    product: Option<String>,
    units: Option<u32>,
    bought: Option<i64>,
}

impl Known {
    pub fn of(row: &Accrual) -> Self {
        Self {
            partner: row.partner_id,
            on: row.on_day,
            product: row.product.clone(),
            units: row.units,
            bought: row.bought,
        }
    }
}

impl Gain {
    pub fn into_row(self, program_id: ProgramId, batch_id: Uuid, event_id: EventId) -> Accrual {
        let Self { fund, earned, seen } = self;
        Accrual {
            id: Uuid::now_v7(),
            program_id,
            purchase: earned.purchase,
            fund_id: fund,
            partner_id: earned.partner,
            on_day: earned.on,
            product: seen.product,
            units: seen.units,
            bought: seen.bought,
            currency: earned.amount.currency,
            amount: earned.amount.minor,
            lot: earned.expires,
            guide_version: earned.guide,
            batch_id,
            event_id,
            taken_back_at: None,
        }
    }
}

/// The column that stands in the way, and why.
type Wrong = (Field, String);

/// What a file of one program is judged by.
pub(super) struct Desk {
    earning: Earning,
    funds: Vec<Fund>,
    /// By CRM ID, web domain and name, in small letters; `None` where two share one.
    partners: HashMap<String, Option<PartnerNames>>,
    today: Date,
}

impl Desk {
    pub fn new(earning: Earning, funds: Vec<Fund>, partners: Vec<PartnerNames>, today: Date) -> Self {
        let mut keys: HashMap<String, Option<PartnerNames>> = HashMap::new();
        for partner in partners {
            let names = [Some(partner.name.clone()), partner.domain.clone(), partner.crm_id.clone()];
            for name in names.into_iter().flatten() {
                let key = name.trim().to_lowercase();
                let other =
                    keys.get(&key).is_some_and(|known| known.as_ref().is_none_or(|known| known.id != partner.id));
                keys.insert(key, (!other).then(|| partner.clone()));
            }
        }
        let program = earning.program.id;
        let funds = funds.into_iter().filter(|fund| fund.program == program).collect();
        Self { earning, funds, partners: keys, today }
    }

    pub fn program(&self) -> ProgramId {
        self.earning.program.id
    }

    pub fn name_of(&self, fund: FundId) -> String {
        self.funds.iter().find(|other| other.id == fund).map(|fund| fund.name.clone()).unwrap_or_default()
    }

    /// What the purchase came to, and what it gives.
    pub fn meet(&self, sale: &SaleIn, known: &mut HashMap<String, Known>) -> Result<(Met, Vec<Gain>), Wrong> {
        let partner = self.partner(&sale.partner)?;
        let seen = Known {
            partner: partner.id,
            on: sale.on,
            product: sale.product.clone(),
            units: sale.units,
            bought: sale.amount.map(|amount| amount.minor),
        };
        match known.get(&sale.purchase) {
            Some(before) if *before == seen => return Ok((Met::Unchanged, Vec::new())),
            Some(before) => return Err(self.changed(before)),
            None => {}
        }
        if sale.on > self.today {
            return Err((Field::SoldOn, format!("{} is still to come.", words(sale.on))));
        }
        let (version, policy) = self.guide_on(sale.on);
        let money = earns(policy, partner, sale)?;
        let expires = policy.credit.as_ref().and_then(|rules| rules.expires(sale.on));
        if let Some(day) = expires.filter(|day| *day < self.today) {
            let why = format!(
                "Its credit could be used until {}, which has passed: allocate it if it is still owed.",
                words(day)
            );
            return Err((Field::SoldOn, why));
        }
        let mut gains = Vec::new();
        for (fund, amount) in self.parts(policy, money, sale.on)? {
            let earned = Earned {
                partner: partner.id,
                partner_name: partner.name.clone(),
                purchase: sale.purchase.clone(),
                on: sale.on,
                amount,
                expires,
                guide: version,
            };
            gains.push(Gain { fund, earned, seen: seen.clone() });
        }
        known.insert(sale.purchase.clone(), seen);
        Ok((Met::Added, gains))
    }

    fn partner(&self, named: &str) -> Result<&PartnerNames, Wrong> {
        let keys = [
            Some(named.trim().to_lowercase()),
            values::crm_id(named).map(|id| id.to_lowercase()),
            values::domain(named),
        ];
        let found = keys.into_iter().flatten().find_map(|key| self.partners.get(&key));
        match found {
            Some(Some(partner)) => Ok(partner),
            Some(None) => {
                Err((Field::SoldTo, "Two partners go by this: write the CRM ID of the one you mean.".to_owned()))
            }
            None => Err((
                Field::SoldTo,
                "No partner has this CRM ID, web domain or name: compare it with the list of partners.".to_owned(),
            )),
        }
    }

    fn changed(&self, before: &Known) -> Wrong {
        let partner = self.partners.values().flatten().find(|partner| partner.id == before.partner);
        let name = partner.map_or("another partner", |partner| partner.name.as_str());
        let currency = self.earning.guides.first().map(|(_, policy)| policy.guide.currency);
        let bought = before.bought.zip(currency).map(|(minor, currency)| format!("{} ", Money::new(minor, currency)));
        let units = before.units.map(|units| format!("{units} units ")).unwrap_or_default();
        let why = format!(
            "This purchase is here already with other figures: {}{units}of {} on {}. Nothing was overwritten; take the earlier import back, or adjust the credit.",
            bought.unwrap_or_default(),
            name,
            words(before.on)
        );
        (Field::PurchaseId, why)
    }

    /// The guide in force on a day; before the first, the first.
    fn guide_on(&self, day: Date) -> (u32, &Policy) {
        let guides = &self.earning.guides;
        let found = guides.iter().find(|(_, policy)| policy.guide.effective_from <= day).or(guides.last());
        match found {
            Some((version, policy)) => (*version, policy),
            None => unreachable!("a program that lets credit be earned has a guide"),
        }
    }

    /// The funds an accrual goes to, each with its part.
    fn parts(&self, policy: &Policy, money: Money, on: Date) -> Result<Vec<(FundId, Money)>, Wrong> {
        let split = policy.earning.as_ref().map(|earning| earning.split(money)).unwrap_or_default();
        let accrual: Vec<&Fund> = self.funds.iter().filter(|fund| fund.kind == FundKind::Accrual).collect();
        let mut parts = Vec::new();
        if split.is_empty() {
            match accrual.as_slice() {
                [only] => parts.push((*only, money)),
                [] => return Err((Field::PurchaseId, "The program has no accrual fund: open one first.".to_owned())),
                _ => {
                    let why =
                        "The program has several accrual funds: say in its guide how credit is split between them.";
                    return Err((Field::PurchaseId, why.to_owned()));
                }
            }
        }
        for (named, part) in split {
            let is = |fund: &&&Fund| fund.code.eq_ignore_ascii_case(&named) || fund.name.eq_ignore_ascii_case(&named);
            let fund = accrual.iter().find(is).ok_or_else(|| {
                (Field::PurchaseId, format!("The guide gives a share to “{named}”, and the program has no accrual fund of that name or code."))
            })?;
            parts.push((*fund, part));
        }
        for (fund, part) in &parts {
            if fund.currency != part.currency {
                let why = format!(
                    "{} is kept in {}, the guide in {}: nothing is converted by guess.",
                    fund.name, fund.currency, part.currency
                );
                return Err((Field::Currency, why));
            }
            if let Some(closed) = fund.closed_until.filter(|closed| on <= *closed) {
                let why = format!(
                    "{} is closed until {}: adjust the partner's credit with a reason instead.",
                    fund.name,
                    words(closed)
                );
                return Err((Field::SoldOn, why));
            }
        }
        Ok(parts.into_iter().map(|(fund, part)| (fund.id, part)).collect())
    }
}

/// What the guide gives for a purchase, or why nothing.
fn earns(policy: &Policy, partner: &PartnerNames, sale: &SaleIn) -> Result<Money, Wrong> {
    let currency = policy.guide.currency;
    let Some(earning) = &policy.earning else {
        return Err((Field::SoldOn, "The guide in force that day lets no credit be earned.".to_owned()));
    };
    if sale.amount.is_some_and(|amount| amount.currency != currency) {
        let why = format!(
            "The program is kept in {currency}, and nothing is converted by guess: import purchases in {currency}."
        );
        return Err((Field::Currency, why));
    }
    let window = rules::earn_window(policy, sale.on);
    if window.outcome == Judgement::Fail {
        return Err((Field::SoldOn, window.sentence));
    }
    // The guide's own spelling of a product counts.
    let product = sale.product.as_ref().map(|named| {
        let spelled = earning.accrual.iter().filter_map(|accrual| accrual.product.as_ref());
        spelled.into_iter().find(|other| other.eq_ignore_ascii_case(named)).unwrap_or(named).clone()
    });
    let purchase = Purchase {
        on: Some(sale.on),
        tier: Some(partner.tier.clone()),
        product,
        amount: sale.amount,
        units: sale.units,
    };
    let (earned, verdict) = rules::accrual_rate(policy, &purchase);
    earned.ok_or((Field::Amount, verdict.sentence))
}
