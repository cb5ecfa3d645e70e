//! The circuits that exist, how large each is, and the number by which a chain knows it.

pub use market_types::CircuitId;
use thiserror::Error;

/// Constraints in one unit of the demo's market.
pub const CONSTRAINTS_PER_UNIT: u64 = 1024;
/// Number of public inputs of every circuit: the old and the new state root.
pub const PUBLIC_INPUTS: usize = 2;

/// One of the circuits, by the number of transfers it proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CircuitKind {
    /// One transfer.
    Transfers1,
    /// Two transfers.
    Transfers2,
    /// Four transfers.
    Transfers4,
}

impl CircuitKind {
    /// Every circuit in registry order.
    pub const ALL: [Self; 3] = [Self::Transfers1, Self::Transfers2, Self::Transfers4];

    /// Position in the registry.
    #[must_use]
    pub const fn index(self) -> u32 {
        match self {
            Self::Transfers1 => 0,
            Self::Transfers2 => 1,
            Self::Transfers4 => 2,
        }
    }

    /// Name for files, logs and people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfers1 => "transfers-1",
            Self::Transfers2 => "transfers-2",
            Self::Transfers4 => "transfers-4",
        }
    }

    /// Number of transfers in a batch.
    #[must_use]
    pub const fn batch_size(self) -> usize {
        match self {
            Self::Transfers1 => 1,
            Self::Transfers2 => 2,
            Self::Transfers4 => 4,
        }
    }

    /// Number of rank-1 constraints. A test compares it with the synthesised circuit.
    #[must_use]
    pub const fn constraints(self) -> u64 {
        match self {
            Self::Transfers1 => 13_391,
            Self::Transfers2 => 26_717,
            Self::Transfers4 => 53_369,
        }
    }

    /// Size in units of 1,024 constraints, rounded up.
    #[must_use]
    pub const fn units(self) -> u32 {
        let units = self.constraints().div_ceil(CONSTRAINTS_PER_UNIT);
        // Constraints stay far below 2^42, so units stay below 2^32.
        #[expect(clippy::cast_possible_truncation)]
        let units = units as u32;
        units
    }

    /// The number by which a contract knows the circuit.
    #[must_use]
    pub const fn id(self) -> CircuitId {
        CircuitId::of(self.index(), self.units())
    }

    /// The circuit with this number.
    ///
    /// # Errors
    /// [`UnknownCircuit`] if no circuit of this build has exactly that index and size.
    pub fn from_id(id: CircuitId) -> Result<Self, UnknownCircuit> {
        Self::ALL.into_iter().find(|kind| kind.id() == id).ok_or(UnknownCircuit(id))
    }

    /// The circuit for batches of `transfers` transfers, if there is one.
    #[must_use]
    pub fn from_batch_size(transfers: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.batch_size() == transfers)
    }
}

impl std::fmt::Display for CircuitKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A circuit number that this build does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("circuit {0} is unknown to this build; deploy and prover must come from the same version")]
pub struct UnknownCircuit(pub CircuitId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_again_and_strangers_refused() {
        for (position, kind) in (0u32..).zip(CircuitKind::ALL) {
            assert_eq!(kind.index(), position);
            assert_eq!(CircuitKind::from_id(kind.id()), Ok(kind));
            assert_eq!(CircuitKind::from_batch_size(kind.batch_size()), Some(kind));
            assert_eq!(kind.id().units(), kind.units());
            let stranger = CircuitId::new(kind.id().get() + 1);
            assert_eq!(CircuitKind::from_id(stranger), Err(UnknownCircuit(stranger)));
        }
    }

    #[test]
    fn circuits_differ_in_size() {
        assert!(CircuitKind::ALL.windows(2).all(|pair| pair[0].units() < pair[1].units()));
    }
}
