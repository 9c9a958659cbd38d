//! People, companies, touches, deals and campaigns, found many at once by what files know them by.

use crate::error::Result;
use crate::filter::Where;
use crate::read::Reader;
use crate::rows::{Accrual, CampaignAlias, Company, Deal, Person, Touch};
use crate::sql::{self, Table, rows, values};
use crate::tx::Tx;
use domain::ids::{CycleId, PartnerId, ProgramId};
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;

/// This many keys a statement.
const AT_ONCE: usize = 500;

/// What to look for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys {
    pub emails: BTreeSet<String>,
    /// People's CRM ids.
    pub people: BTreeSet<String>,
    pub domains: BTreeSet<String>,
    /// Companies' CRM ids.
    pub companies: BTreeSet<String>,
    /// The source whose touches are meant, and their ids in it.
    pub source: String,
    pub touches: BTreeSet<String>,
    /// Deals' ids.
    pub deals: BTreeSet<String>,
    /// Campaign IDs.
    pub codes: BTreeSet<String>,
    /// Whose names of campaigns are meant: a partner's id, or empty for the vendor.
    pub owner: String,
    pub aliases: BTreeSet<String>,
    /// Partners' CRM ids.
    pub partners: BTreeSet<String>,
}

/// What was found; what is not here does not exist.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    pub people: Vec<Person>,
    pub companies: Vec<Company>,
    pub touches: Vec<Touch>,
    pub deals: Vec<Deal>,
    pub campaigns: Vec<KnownCampaign>,
    pub aliases: Vec<CampaignAlias>,
    pub partners: Vec<(String, PartnerId)>,
}

rows! {
    /// A campaign that has an ID.
    view KnownCampaign {
        code: String,
        cycle_id: CycleId,
        no: u16,
        partner_id: PartnerId,
        name: String,
        /// Its cycle's number: `C-2026-0042`.
        number: String,
    }

    view PartnerKey {
        id: PartnerId,
        crm_id: String,
    }
}

pub(crate) const CAMPAIGN: &str = "SELECT k.code, k.cycle_id, k.no, k.partner_id, k.name, c.number
                                   FROM campaign k JOIN cycle c ON c.id = k.cycle_id";

impl Tx {
    /// Everything these keys meet.
    pub async fn known(&self, keys: &Keys) -> Result<Known> {
        known(&self.db, keys).await
    }
}

impl Reader {
    /// Everything these keys meet, for an import's preview. It takes no viewer: an import looks for what it names and
    /// lists nothing else; what of it a person is shown is the engine's to decide.
    pub async fn known(&self, keys: &Keys) -> Result<Known> {
        known(&self.db, keys).await
    }
}

async fn known(db: &impl ConnectionTrait, keys: &Keys) -> Result<Known> {
    let mut people: Vec<Person> = among(db, "email_norm", &keys.emails, Where::default()).await?;
    people.extend(among(db, "crm_id", &keys.people, Where::default()).await?);
    let mut companies: Vec<Company> = among(db, "domain", &keys.domains, Where::default()).await?;
    companies.extend(among(db, "crm_id", &keys.companies, Where::default()).await?);
    let of_source = Where::default().eq("source", Some(&keys.source));
    let of_owner = Where::default().eq("owner", Some(&keys.owner));
    let touches = among(db, "external_id", &keys.touches, of_source).await?;
    let deals = among(db, "external_id", &keys.deals, Where::default()).await?;
    let aliases: Vec<CampaignAlias> = among(db, "alias", &keys.aliases, of_owner).await?;
    let mut campaigns = Vec::new();
    for codes in chunks(&keys.codes) {
        let found = Where::default().among("k.code", &codes);
        campaigns.extend(sql::all::<KnownCampaign>(db, &format!("{CAMPAIGN} {}", found.sql()), found.values).await?);
    }
    for alias in &aliases {
        let sql = format!("{CAMPAIGN} WHERE k.cycle_id = $1 AND k.no = $2 AND k.code IS NOT NULL");
        campaigns.extend(sql::maybe::<KnownCampaign>(db, &sql, values![alias.cycle_id, alias.campaign_no]).await?);
    }
    let mut partners = Vec::new();
    for ids in chunks(&keys.partners) {
        let found = Where::default().among("crm_id", &ids);
        let rows: Vec<PartnerKey> =
            sql::all(db, &format!("SELECT id, crm_id FROM partner {}", found.sql()), found.values).await?;
        partners.extend(rows.into_iter().map(|row| (row.crm_id, row.id)));
    }
    Ok(Known { people, companies, touches, deals, campaigns, aliases, partners })
}

pub(crate) async fn accruals(
    db: &impl ConnectionTrait,
    program: ProgramId,
    purchases: &BTreeSet<String>,
) -> Result<Vec<Accrual>> {
    let of_program = Where::default().eq("program_id", Some(program)).and("taken_back_at IS NULL", Vec::new());
    among(db, "purchase", purchases, of_program).await
}

/// Rows of a table whose column holds one of these.
async fn among<T: Table>(
    db: &impl ConnectionTrait,
    column: &str,
    keys: &BTreeSet<String>,
    also: Where,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for keys in chunks(keys) {
        let wanted = also.clone().among(column, &keys);
        found.extend(sql::all(db, &sql::select::<T>(&wanted.sql()), wanted.values).await?);
    }
    Ok(found)
}

fn chunks(keys: &BTreeSet<String>) -> Vec<Vec<&String>> {
    let keys: Vec<&String> = keys.iter().collect();
    keys.chunks(AT_ONCE).map(<[&String]>::to_vec).collect()
}
