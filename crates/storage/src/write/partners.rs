//! Partners.

use super::people::found;
use crate::error::Result;
use crate::load;
use crate::rows::PartnerRow;
use crate::sql::{self, values};
use crate::tx::Tx;
use domain::cycle::Partner;
use domain::ids::PartnerId;

impl Tx {
    /// A taken name is [`crate::Error::Duplicate`].
    pub async fn insert_partner(&self, partner: &PartnerRow) -> Result<()> {
        sql::insert(&self.db, std::slice::from_ref(partner)).await.map(|_| ())
    }

    /// Overwrites a partner. Its region and name go along to the lists that are cut and searched by them.
    pub async fn update_partner(&self, partner: &PartnerRow) -> Result<()> {
        let before: PartnerRow = self.partner_row(partner.id).await?;
        found(sql::update(&self.db, partner, &["id"], "", Vec::new()).await?)?;
        if before.region != partner.region {
            self.move_region(partner.id, &partner.region).await?;
        }
        if before.name != partner.name {
            let sql = "UPDATE cycle SET search = replace(search, $2, $3) WHERE partner_id = $1";
            let names = [before.name.to_lowercase(), partner.name.to_lowercase()];
            sql::execute(&self.db, sql, values![partner.id, names[0], names[1]]).await?;
        }
        Ok(())
    }

    /// Every partner, by name.
    pub async fn partner_rows(&self) -> Result<Vec<PartnerRow>> {
        sql::all(&self.db, &sql::select::<PartnerRow>("ORDER BY name"), values![]).await
    }

    /// The partner as the rules see it.
    pub async fn partner(&self, id: PartnerId) -> Result<Partner> {
        load::partner(&self.db, id).await
    }

    pub(crate) async fn partner_row(&self, id: PartnerId) -> Result<PartnerRow> {
        load::partner_row(&self.db, id).await
    }

    pub(crate) async fn region_of(&self, id: PartnerId) -> Result<String> {
        Ok(self.partner_row(id).await?.region)
    }
}
