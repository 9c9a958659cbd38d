//! Who acts: roles, and the actor every command carries.

use crate::ids::{PartnerId, UserId};
use serde::{Deserialize, Serialize};

/// What a person may see and do. A person may hold several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    PartnerUser,
    PartnerAdmin,
    ChannelManager,
    Approver,
    Finance,
    Executive,
    Administrator,
    Auditor,
    Integration,
    /// Timers and the machine's own follow-ups; never a person.
    System,
}

impl Role {
    /// Every role a person or token can be given.
    pub const GIVEN: [Role; 9] = [
        Role::PartnerUser,
        Role::PartnerAdmin,
        Role::ChannelManager,
        Role::Approver,
        Role::Finance,
        Role::Executive,
        Role::Administrator,
        Role::Auditor,
        Role::Integration,
    ];

    /// The stored name: `channel_manager`.
    pub fn code(self) -> &'static str {
        match self {
            Role::PartnerUser => "partner_user",
            Role::PartnerAdmin => "partner_admin",
            Role::ChannelManager => "channel_manager",
            Role::Approver => "approver",
            Role::Finance => "finance",
            Role::Executive => "executive",
            Role::Administrator => "administrator",
            Role::Auditor => "auditor",
            Role::Integration => "integration",
            Role::System => "system",
        }
    }

    /// The name people read: "Channel manager".
    pub fn label(self) -> &'static str {
        match self {
            Role::PartnerUser => "Partner marketer",
            Role::PartnerAdmin => "Partner administrator",
            Role::ChannelManager => "Channel manager",
            Role::Approver => "Approver",
            Role::Finance => "Finance",
            Role::Executive => "Executive",
            Role::Administrator => "Administrator",
            Role::Auditor => "Auditor",
            Role::Integration => "Integration",
            Role::System => "System",
        }
    }

    /// The role of a stored name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::GIVEN.into_iter().find(|role| role.code() == code)
    }
}

/// A person's standing: what they hold in their own right.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Standing {
    pub user: UserId,
    pub name: String,
    pub roles: Vec<Role>,
    /// The company of a partner's person; `None` for the vendor's people.
    pub partner: Option<PartnerId>,
    /// Regions a channel manager or approver covers; empty covers all.
    pub territory: Vec<String>,
    /// The approval level an approver decides (1, 2, ...); 0 for none.
    pub approves_level: u8,
}

impl Standing {
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    pub fn covers(&self, region: &str) -> bool {
        self.territory.is_empty() || self.territory.iter().any(|covered| covered == region)
    }

    /// One of the vendor's people who decide and pay claims.
    pub fn is_finance(&self) -> bool {
        self.has(Role::Finance) && !self.is_partner()
    }

    /// One of a partner's own people.
    pub fn is_partner(&self) -> bool {
        self.partner.is_some()
    }
}

/// Who issues a command: a person, for themselves or standing in for absent colleagues, or the system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Actor {
    pub me: Standing,
    /// Colleagues this person stands in for today.
    pub stands_in_for: Vec<Standing>,
}

impl Actor {
    /// The machine itself: timers and follow-ups.
    pub fn system() -> Self {
        let me = Standing {
            user: UserId(uuid::Uuid::nil()),
            name: "Fundloop".to_owned(),
            roles: vec![Role::System],
            partner: None,
            territory: Vec::new(),
            approves_level: 0,
        };
        Self { me, stands_in_for: Vec::new() }
    }

    pub fn person(me: Standing) -> Self {
        Self { me, stands_in_for: Vec::new() }
    }

    pub fn user(&self) -> UserId {
        self.me.user
    }

    pub fn is_system(&self) -> bool {
        self.me.has(Role::System)
    }

    /// The absent colleague whose standing it is, where it is not the actor's own.
    pub fn acting_for(&self, standing: &Standing) -> Option<String> {
        (standing.user != self.user()).then(|| standing.name.clone())
    }

    /// The first standing, own before borrowed, that passes `test`.
    pub fn standing_that(&self, test: impl Fn(&Standing) -> bool) -> Option<&Standing> {
        std::iter::once(&self.me).chain(&self.stands_in_for).find(|standing| test(standing))
    }
}
