//! Typed identifiers. They are UUIDs made by the engine (version 7), so that the domain stays pure
//! and rows can be spread; people see short numbers such as `C-2026-0042` instead.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

typed_ids! {
    /// One trip of one partner around the loop.
    CycleId,
    /// A channel partner: a company.
    PartnerId,
    /// A person who signs in.
    UserId,
    /// A program: a fund's rules and its guide.
    ProgramId,
    /// A pot of the vendor's money in one currency.
    FundId,
    /// A settlement batch.
    SettlementId,
    /// One recorded event of a timeline.
    EventId,
    /// A stored file, also addressed by its content hash.
    FileId,
}
