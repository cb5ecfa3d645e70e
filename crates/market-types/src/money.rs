//! Amounts of money, in *ticks*: one tick is a fixed amount of the market's currency, set per market.

use crate::number::{NumberError, RawNumber, parse_decimal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// An amount of money, in ticks. Written as a decimal string.
///
/// A round has less than 2^32 bids, each of less than 2^32 units at less than 2^64 ticks per unit, so every
/// total over one round fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(u128);

impl Ticks {
    /// No money at all.
    pub const ZERO: Self = Self(0);

    /// An amount of `value` ticks; every value is allowed.
    #[must_use]
    pub const fn new(value: u128) -> Self {
        Self(value)
    }

    /// The amount as a plain integer.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }

    /// The sum, held at 2^128 - 1; exact for every total over one round.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl From<u128> for Ticks {
    fn from(value: u128) -> Self {
        Self(value)
    }
}

impl From<Ticks> for u128 {
    fn from(amount: Ticks) -> Self {
        amount.0
    }
}

impl fmt::Display for Ticks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl FromStr for Ticks {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_decimal(text).map(Self)
    }
}

impl Serialize for Ticks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ticks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawNumber::deserialize(deserializer)?.0.map(Self).map_err(serde::de::Error::custom)
    }
}
