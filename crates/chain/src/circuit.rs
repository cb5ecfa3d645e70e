//! Circuits, as their verifier numbers them.

use alloy::primitives::hex;
use market_types::{OutOfRange, TaskSize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Names a circuit of a verifier and states its size: `index << 32 | units`.
///
/// The size is part of the id, but only the verifier knows whether such a circuit exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CircuitId(u64);

impl CircuitId {
    /// The circuit at `index` of its verifier's registry (from 0), of size `units`.
    #[must_use]
    pub fn new(index: u32, units: TaskSize) -> Self {
        Self((u64::from(index) << 32) | u64::from(units.get()))
    }

    /// The id as on the wire.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Position in the verifier's registry, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        // A u64 shifted right by 32 has 32 bits left.
        #[allow(clippy::cast_possible_truncation)]
        let index = (self.0 >> 32) as u32;
        index
    }

    /// Size of one proof, in units.
    #[must_use]
    pub fn units(self) -> TaskSize {
        // Every constructor has checked the size; the low half is at least 1.
        TaskSize::from_u64(self.0 & u64::from(u32::MAX)).unwrap_or(TaskSize::MIN)
    }
}

impl TryFrom<u64> for CircuitId {
    type Error = OutOfRange;

    fn try_from(id: u64) -> Result<Self, Self::Error> {
        TaskSize::from_u64(id & u64::from(u32::MAX))?;
        Ok(Self(id))
    }
}

impl From<CircuitId> for u64 {
    fn from(id: CircuitId) -> Self {
        id.0
    }
}

impl fmt::Display for CircuitId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#018x}", self.0)
    }
}

/// A text that is no circuit id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no circuit id; write 16 hexadecimal digits: index (8) and size in units (8, at least 1)")]
pub struct InvalidCircuitId(String);

impl FromStr for CircuitId {
    type Err = InvalidCircuitId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCircuitId(text.to_owned());
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| invalid())?;
        Self::try_from(u64::from_be_bytes(bytes)).map_err(|_| invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_index_and_size_and_survives_its_written_form() {
        let id = CircuitId::new(7, TaskSize::new(40).unwrap());
        assert_eq!(id.get(), (7 << 32) | 40);
        assert_eq!((id.index(), id.units().get()), (7, 40));
        assert_eq!(id.to_string(), "0x0000000700000028");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_circuit_without_size_is_refused() {
        assert!(CircuitId::try_from(7 << 32).is_err());
        assert!("0x0000000700000000".parse::<CircuitId>().is_err());
        assert!("0x07".parse::<CircuitId>().is_err());
    }
}
