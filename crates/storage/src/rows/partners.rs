//! Partners.

use crate::sql::rows;
use domain::Instant;
use domain::cycle::Partner;
use domain::ids::{PartnerId, UserId};
use domain::money::Currency;
use std::collections::BTreeMap;

rows! {
    /// A company the vendor sells through.
    table "partner" => PartnerRow {
        id: PartnerId,
        name: String,
        region: String,
        /// ISO 3166-1 alpha-2.
        country: String,
        tier: String,
        currency: Currency,
        manager_id: Option<UserId>,
        good_standing: bool,
        /// Its own web domain, to meet imported rows by.
        domain: Option<String>,
        crm_id: Option<String>,
        created_at: Instant,
        /// Whatever else the vendor tells its partners apart by, by names in small letters.
        attributes: BTreeMap<String, String>,
    }
}

impl PartnerRow {
    /// As the rules see it; whether a claim of theirs has been paid is a fact of the ledger.
    pub(crate) fn into_domain(self, has_been_paid: bool) -> Partner {
        Partner {
            id: self.id,
            name: self.name,
            region: self.region,
            country: self.country,
            tier: self.tier,
            currency: self.currency,
            manager: self.manager_id,
            good_standing: self.good_standing,
            has_been_paid,
        }
    }
}
