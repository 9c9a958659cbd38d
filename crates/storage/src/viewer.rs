//! Who looks: every read takes a [`Viewer`], and every query is cut to what that viewer may see.

use crate::sql::Bind;
use domain::ids::{PartnerId, UserId};
use domain::people::{Actor, Role, Standing};
use sea_orm::Value;

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

/// A WHERE clause under construction: conditions and their numbered parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Where {
    conditions: Vec<String>,
    pub values: Vec<Value>,
}

impl Where {
    /// Adds a condition; each `?` in it takes the next value.
    pub fn and(mut self, condition: &str, values: Vec<Value>) -> Self {
        let mut text = String::new();
        let mut values = values.into_iter();
        for piece in condition.split_inclusive('?') {
            if let (Some(head), Some(value)) = (piece.strip_suffix('?'), values.next()) {
                self.values.push(value);
                text.extend([head, "$", &self.values.len().to_string()]);
            } else {
                text.push_str(piece);
            }
        }
        self.conditions.push(text);
        self
    }

    /// `column = value` where there is a value.
    pub fn eq<T: Bind>(self, column: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.and(&format!("{column} = ?"), vec![value.bind().into()]),
            None => self,
        }
    }

    /// `column IN (values)`.
    pub fn among<T: Bind>(self, column: &str, values: &[T]) -> Self {
        if values.is_empty() {
            return self.and("1 = 0", Vec::new());
        }
        let marks = vec!["?"; values.len()].join(", ");
        self.and(&format!("{column} IN ({marks})"), values.iter().map(|value| value.bind().into()).collect())
    }

    /// The wall: only rows of partners the viewer may see. The columns are those of the partner and of its region.
    pub fn within(self, scope: &Scope, partner: &str, region: &str) -> Self {
        match scope {
            Scope::All => self,
            Scope::Regions(regions) => self.among(region, regions),
            Scope::Partner(own) => self.eq(partner, Some(own)),
            Scope::Nothing => self.and("1 = 0", Vec::new()),
        }
    }

    /// `WHERE ...`, or nothing.
    pub fn sql(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!("WHERE {}", self.conditions.join(" AND ")) }
    }
}
