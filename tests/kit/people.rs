//! The people of every story, by name. A small world: two partners, so that there is a wall to look over, and one
//! person for each duty, so that nobody can act alone.

use domain::ids::{PartnerId, UserId};
use domain::money::{Currency, Marks};
use domain::people::{Actor, Role};
use domain::{Date, Instant};
use storage::rows::{PartnerRow, User};
use uuid::Uuid;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// Made once: hashing anew for every person of every test would take longer than most tests.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$M4zSVusesAq66RKvyUfw1w$soMyU7rcJslSJDtVba0EtIO8EcikdjDklWtanT/UvSw";

pub const DACH: &str = "DACH";
pub const NORTH: &str = "Europe North and East";

/// Somebody with a name, a duty and a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Persona {
    pub name: &'static str,
    pub email: &'static str,
    pub roles: &'static [Role],
    pub partner: Option<Company>,
    pub territory: &'static [&'static str],
    pub level: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Company {
    pub name: &'static str,
    pub region: &'static str,
    pub country: &'static str,
    pub tier: &'static str,
    pub domain: &'static str,
}

pub const NORDWIND: Company =
    Company { name: "Nordwind Systems GmbH", region: DACH, country: "DE", tier: "gold", domain: "nordwind.example" };
pub const KESTREL: Company =
    Company { name: "Kestrel Networks AG", region: DACH, country: "DE", tier: "silver", domain: "kestrel.example" };
pub const COMPANIES: [Company; 2] = [NORDWIND, KESTREL];

const fn vendor(name: &'static str, email: &'static str, roles: &'static [Role]) -> Persona {
    Persona { name, email, roles, partner: None, territory: &[], level: 0 }
}

const fn partner(name: &'static str, email: &'static str, roles: &'static [Role], of: Company) -> Persona {
    Persona { name, email, roles, partner: Some(of), territory: &[], level: 0 }
}

/// Partner marketer at Nordwind, and its administrator.
pub const MARA: Persona =
    partner("Mara Lindqvist", "mara@nordwind.example", &[Role::PartnerUser, Role::PartnerAdmin], NORDWIND);
/// Partner marketer at Nordwind.
pub const LUKAS: Persona = partner("Lukas Brandt", "lukas@nordwind.example", &[Role::PartnerUser], NORDWIND);
/// Partner marketer at Kestrel: must never see anything of Nordwind.
pub const JONAS: Persona =
    partner("Jonas Beck", "jonas@kestrel.example", &[Role::PartnerUser, Role::PartnerAdmin], KESTREL);
/// Channel manager of the region both partners are in.
pub const ANA: Persona =
    Persona { territory: &[DACH], ..vendor("Ana Ferreira", "ana@aurelia.example", &[Role::ChannelManager]) };
/// Channel manager of another region: must not see either partner.
pub const BJORN: Persona =
    Persona { territory: &[NORTH], ..vendor("Björn Aas", "bjorn@aurelia.example", &[Role::ChannelManager]) };
/// Approver of level 2, from 15,000 EUR.
pub const INES: Persona =
    Persona { territory: &[DACH], level: 2, ..vendor("Inês Duarte", "ines@aurelia.example", &[Role::Approver]) };
/// Finance: keeps the funds and decides claims.
pub const TOMAS: Persona = vendor("Tomáš Novák", "tomas@aurelia.example", &[Role::Finance]);
/// Finance: pays what Tomáš approved.
pub const YUKI: Persona = vendor("Yuki Tanaka", "yuki@aurelia.example", &[Role::Finance]);
pub const CLAIRE: Persona = vendor("Claire Dubois", "claire@aurelia.example", &[Role::Executive]);
pub const SAM: Persona = vendor("Sam Okafor", "sam@aurelia.example", &[Role::Administrator]);
pub const RUTH: Persona = vendor("Ruth Adler", "ruth@aurelia.example", &[Role::Auditor]);

pub const EVERYBODY: [Persona; 11] = [MARA, LUKAS, JONAS, ANA, BJORN, INES, TOMAS, YUKI, CLAIRE, SAM, RUTH];

/// Monday morning, a month before the second quarter: early enough to ask for what happens in it.
pub fn first_morning() -> Instant {
    day(2026, 3, 2).and_hms_opt(9, 0, 0).expect("nine o'clock is a time").and_utc()
}

pub fn day(year: i32, month: u32, day: u32) -> Date {
    Date::from_ymd_opt(year, month, day).expect("a test names a day there is")
}

impl Company {
    /// The same in every test, so that a failure can be followed by its id.
    pub fn id(&self) -> PartnerId {
        PartnerId(Uuid::new_v5(&Uuid::NAMESPACE_DNS, self.domain.as_bytes()))
    }

    pub fn row(&self) -> PartnerRow {
        PartnerRow {
            id: self.id(),
            name: self.name.to_owned(),
            region: self.region.to_owned(),
            country: self.country.to_owned(),
            tier: self.tier.to_owned(),
            currency: Currency::EUR,
            manager_id: Some(ANA.id()),
            good_standing: true,
            domain: Some(self.domain.to_owned()),
            crm_id: None,
            created_at: first_morning(),
            attributes: std::collections::BTreeMap::new(),
        }
    }
}

impl Persona {
    /// The same in every test, so that a failure can be followed by its id.
    pub fn id(&self) -> UserId {
        UserId(Uuid::new_v5(&Uuid::NAMESPACE_URL, self.email.as_bytes()))
    }

    pub fn row(&self) -> User {
        User {
            id: self.id(),
            email: self.email.to_owned(),
            name: self.name.to_owned(),
            password_hash: Some(PASSWORD_HASH.to_owned()),
            roles: self.roles.to_vec(),
            partner_id: self.partner.map(|company| company.id()),
            territory: self.territory.iter().map(ToString::to_string).collect(),
            approves_level: self.level,
            marks: Marks::Point,
            theme: "auto".to_owned(),
            disabled_at: None,
            confirmed_at: Some(first_morning()),
            created_at: first_morning(),
        }
    }

    /// The person as the engine takes commands from them.
    pub fn actor(&self) -> Actor {
        Actor::person(self.row().standing())
    }
}
