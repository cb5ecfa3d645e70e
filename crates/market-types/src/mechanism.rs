//! Which auction a market runs.

use crate::number::shortened;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The auction that a market picks at its creation. Written as `core` or `average-fee`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// One price for users, one for provers; truthful for both sides.
    Core,
    /// Every user pays its own bid, and provers share the average.
    AverageFee,
}

impl Mechanism {
    /// Every mechanism.
    pub const ALL: [Self; 2] = [Self::Core, Self::AverageFee];

    /// The written name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::AverageFee => "average-fee",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A text that names no mechanism.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no mechanism {0:?}; write core or average-fee")]
pub struct UnknownMechanism(String);

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|mechanism| mechanism.name() == text);
        named.ok_or_else(|| UnknownMechanism(shortened(text)))
    }
}
