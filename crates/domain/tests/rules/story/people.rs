//! The people. Each call makes the same person again.

use super::{NORDWIND, OTHER_PARTNER};
use domain::ids::{PartnerId, UserId};
use domain::people::{Actor, Role, Standing};
use uuid::Uuid;

fn person(number: u128, name: &str, roles: &[Role], partner: Option<PartnerId>, level: u8) -> Actor {
    Actor::person(Standing {
        user: UserId(Uuid::from_u128(1_000 + number)),
        name: name.to_owned(),
        roles: roles.to_vec(),
        partner,
        territory: if roles == [Role::ChannelManager] { vec!["DACH".to_owned()] } else { Vec::new() },
        approves_level: level,
    })
}

/// Nordwind's marketer.
pub fn ana() -> Actor {
    person(1, "Ana Ferreira", &[Role::PartnerUser], Some(NORDWIND), 0)
}
pub fn nordwinds_admin() -> Actor {
    person(2, "Bo Nilsen", &[Role::PartnerAdmin], Some(NORDWIND), 0)
}
/// A marketer of another partner.
pub fn stranger() -> Actor {
    person(3, "Kim Stone", &[Role::PartnerUser], Some(OTHER_PARTNER), 0)
}
/// Nordwind's channel manager.
pub fn mia() -> Actor {
    person(4, "Mia Brandt", &[Role::ChannelManager], None, 0)
}
/// A second channel manager of the region.
pub fn leo() -> Actor {
    person(5, "Leo Weiss", &[Role::ChannelManager], None, 0)
}
/// A channel manager of another region.
pub fn manager_elsewhere() -> Actor {
    let mut actor = person(6, "Nora Vik", &[Role::ChannelManager], None, 0);
    actor.me.territory = vec!["Nordics".to_owned()];
    actor
}
/// Decides on level 2.
pub fn director() -> Actor {
    person(7, "Dora Klein", &[Role::Approver], None, 2)
}
/// Decides on level 3, which the guide does not have.
pub fn vice_president() -> Actor {
    person(8, "Victor Hahn", &[Role::Approver], None, 3)
}
pub fn finn() -> Actor {
    person(9, "Finn Maurer", &[Role::Finance], None, 0)
}
pub fn fay() -> Actor {
    person(10, "Fay Lorenz", &[Role::Finance], None, 0)
}
pub fn flo() -> Actor {
    person(11, "Flo Adler", &[Role::Finance], None, 0)
}
pub fn executive() -> Actor {
    person(12, "Ed Exner", &[Role::Executive], None, 0)
}
pub fn administrator() -> Actor {
    person(13, "Adam Ritter", &[Role::Administrator], None, 0)
}
pub fn auditor() -> Actor {
    person(14, "Otto Pruefer", &[Role::Auditor], None, 0)
}
pub fn integration() -> Actor {
    person(15, "CRM", &[Role::Integration], None, 0)
}
pub fn timer() -> Actor {
    Actor::system()
}

/// Everybody, each role at least once.
pub fn all() -> Vec<Actor> {
    vec![
        ana(),
        nordwinds_admin(),
        stranger(),
        mia(),
        leo(),
        manager_elsewhere(),
        director(),
        vice_president(),
        finn(),
        fay(),
        flo(),
        executive(),
        administrator(),
        auditor(),
        integration(),
        timer(),
    ]
}

/// `who` stands in for `absent`.
pub fn in_place_of(who: Actor, absent: &Actor) -> Actor {
    Actor { stands_in_for: vec![absent.me.clone()], ..who }
}
