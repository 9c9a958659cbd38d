//! Who looks: every read takes a [`Viewer`], and every query is cut to what that viewer may see.

use domain::ids::{PartnerId, UserId};
use domain::people::{Actor, Role, Standing};

/// How far somebody sees. Rows outside it answer exactly as rows that do not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    All,
    /// Partners of these regions.
    Regions(Vec<String>),
    /// One partner's own rows.
    Partner(PartnerId),
    Nothing,
}

/// An actor, as far as reading goes. Made from the actor only, so that nobody widens it on the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Viewer {
    user: UserId,
    scope: Scope,
    standings: Vec<Standing>,
}

impl From<&Actor> for Viewer {
    /// A person of a partner sees that partner, whatever else they hold. One of the vendor's people sees what they
    /// may see themselves and, on the days they stand in for colleagues, what those may see.
    fn from(actor: &Actor) -> Self {
        let borrowed = actor.stands_in_for.iter().filter(|colleague| colleague.partner == actor.me.partner);
        let standings: Vec<Standing> = std::iter::once(&actor.me).chain(borrowed).cloned().collect();
        let scope = match actor.me.partner {
            Some(partner) => Scope::Partner(partner),
            None => standings.iter().map(scope_of).fold(Scope::Nothing, wider),
        };
        Self { user: actor.user(), scope, standings }
    }
}

impl Viewer {
    /// The machine itself, which sees everything.
    pub fn system() -> Self {
        Self::from(&Actor::system())
    }

    pub fn user(&self) -> UserId {
        self.user
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Own standing first, then those of colleagues stood in for.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    pub fn has(&self, role: Role) -> bool {
        self.standings.iter().any(|standing| standing.has(role))
    }

    /// Sees every version of a guide, those taken back too: channel managers, administrators, auditors.
    pub fn keeps_guides(&self) -> bool {
        let partner = matches!(self.scope, Scope::Partner(_));
        !partner && (self.has(Role::ChannelManager) || self.sees_administration())
    }

    /// Sees settings, users, mail: administrators, auditors and the machine itself.
    pub fn sees_administration(&self) -> bool {
        [Role::Administrator, Role::Auditor, Role::System].into_iter().any(|role| self.has(role))
    }
}

fn scope_of(standing: &Standing) -> Scope {
    const SEE_ALL: [Role; 6] =
        [Role::Finance, Role::Executive, Role::Administrator, Role::Auditor, Role::Integration, Role::System];
    const SEE_TERRITORY: [Role; 2] = [Role::ChannelManager, Role::Approver];
    if SEE_ALL.into_iter().any(|role| standing.has(role)) {
        return Scope::All;
    }
    if !SEE_TERRITORY.into_iter().any(|role| standing.has(role)) {
        return Scope::Nothing;
    }
    if standing.territory.is_empty() { Scope::All } else { Scope::Regions(standing.territory.clone()) }
}

fn wider(one: Scope, other: Scope) -> Scope {
    match (one, other) {
        (Scope::All, _) | (_, Scope::All) => Scope::All,
        (Scope::Regions(mut regions), Scope::Regions(more)) => {
            regions.extend(more);
            regions.sort();
            regions.dedup();
            Scope::Regions(regions)
        }
        (Scope::Nothing, scope) | (scope, _) => scope,
    }
}
