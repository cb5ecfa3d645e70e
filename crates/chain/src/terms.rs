//! What a market fixes for a round before it opens.

use market_types::{CapacityCap, ReservePrice};

/// Capacity cap and reserve price of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Upper bound on the total size of the round's batch (units).
    pub cap: CapacityCap,
    /// Lowest unit fee that can win (ticks per unit), 0 for none.
    pub reserve: ReservePrice,
}
