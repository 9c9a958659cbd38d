//! The results side: links, responders, touches, deals, imports.

use crate::sql::rows;
use domain::forecast::FunnelStage;
use domain::ids::{CycleId, PartnerId, UserId};
use domain::money::Currency;
use domain::{Date, Instant};
use uuid::Uuid;

rows! {
    /// A tracked link of a campaign: `/go/{code}` leads to `url`.
    table "link" => Link {
        code: String,
        cycle_id: CycleId,
        campaign_no: u16,
        partner_id: PartnerId,
        label: String,
        url: String,
        created_at: Instant,
    }

    /// A company that buys; met by domain or CRM id.
    table "company" => Company {
        id: Uuid,
        name: String,
        domain: Option<String>,
        crm_id: Option<String>,
        created_at: Instant,
    }

    /// A responder; met by normalised e-mail or CRM id.
    table "person" => Person {
        id: Uuid,
        company_id: Option<Uuid>,
        email_norm: Option<String>,
        crm_id: Option<String>,
        name: String,
        title: Option<String>,
        phone: Option<String>,
        consent_at: Option<Instant>,
        created_at: Instant,
    }

    /// One dated contact of a responder with a campaign, or with the vendor directly (no partner).
    table "touch" => Touch {
        id: Uuid,
        cycle_id: Option<CycleId>,
        campaign_no: Option<u16>,
        campaign_code: Option<String>,
        partner_id: Option<PartnerId>,
        person_id: Option<Uuid>,
        company_id: Option<Uuid>,
        at: Instant,
        kind: String,
        /// Where the row came from: `link`, `form`, `import:salesforce`.
        source: String,
        /// The person answered, rather than only having been sent something.
        response: bool,
        /// How far the person had come: responses, leads or MQLs.
        reached: FunnelStage,
        /// The status as the source writes it.
        status: Option<String>,
        /// Unique per source; running an import again finds the row by it.
        external_id: Option<String>,
        batch_id: Option<Uuid>,
    }

    /// A registered deal or CRM opportunity.
    table "deal" => Deal {
        id: Uuid,
        external_id: Option<String>,
        company_id: Option<Uuid>,
        person_id: Option<Uuid>,
        partner_id: Option<PartnerId>,
        name: String,
        stage: String,
        /// Minor units of `currency`.
        amount: i64,
        currency: Currency,
        created_on: Date,
        closed_on: Option<Date>,
        is_won: bool,
        is_closed: bool,
        registered: bool,
        /// The campaign the CRM names as its primary source.
        cycle_id: Option<CycleId>,
        campaign_no: Option<u16>,
        batch_id: Option<Uuid>,
    }

    /// One run of an import.
    table "import_batch" => ImportBatch {
        id: Uuid,
        kind: String,
        file_name: String,
        sha256: String,
        by_user: UserId,
        partner_id: Option<PartnerId>,
        at: Instant,
        added: u32,
        changed: u32,
        unchanged: u32,
        refused: u32,
        undone_at: Option<Instant>,
    }

    /// What a batch found before it wrote one row; `None` where the row was new.
    table "import_change" => ImportChange {
        batch_id: Uuid,
        n: u32,
        table_name: String,
        row_id: Uuid,
        before_json: Option<String>,
    }
}
