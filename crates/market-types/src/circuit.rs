//! What a proof is about, as a contract names it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The number by which a contract knows a circuit: `index << 32 | units`, with the circuit's position in its verifier's
/// registry as index. The size travels in the id; whether such a circuit exists only the verifier can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CircuitId(u64);

impl CircuitId {
    /// Wraps a number read from a contract.
    #[must_use]
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// The circuit at this position whose size is `units`.
    #[must_use]
    pub const fn of(index: u32, units: u32) -> Self {
        Self(((index as u64) << 32) | units as u64)
    }

    /// The number as a contract takes it.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Position in the verifier's registry, from 0: the high 32 bits.
    #[must_use]
    pub const fn index(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Size of a task of this circuit, in units: the low 32 bits.
    #[must_use]
    pub const fn units(self) -> u32 {
        // The cast keeps the low half, which is the definition.
        #[expect(clippy::cast_possible_truncation)]
        let units = self.0 as u32;
        units
    }
}

impl fmt::Display for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::CircuitId;

    #[test]
    fn index_and_units_come_back_from_the_id() {
        for (index, units) in [(0, 1), (7, 0), (u32::MAX, u32::MAX), (1, 1 << 30)] {
            let id = CircuitId::of(index, units);
            assert_eq!((id.index(), id.units()), (index, units));
            assert_eq!(CircuitId::new(id.get()), id);
        }
    }
}
