//! What is added up about bids. `core` needs only their size; `average-fee` also what they pay, which costs
//! another product a bid.

use crate::prices::times;
use market_types::{Ticks, UnitPrice, Units};

/// A sum over bids.
pub(crate) trait Total: Copy + Send + Sync {
    /// The sum over no bids.
    const NOTHING: Self;

    /// What one bid adds.
    fn of(fee: UnitPrice, size: Units) -> Self;

    /// The sum over two sets of bids of one round, which share none. Wraps instead of saturating, which takes longer,
    /// and is exact all the same: less than 2^64 units and 2^128 ticks, see the crate's documentation.
    fn plus(self, other: Self) -> Self;

    /// The total size.
    fn units(self) -> Units;
}

impl Total for Units {
    const NOTHING: Self = Self::ZERO;

    fn of(_fee: UnitPrice, size: Units) -> Self {
        size
    }

    fn plus(self, other: Self) -> Self {
        Self::new(self.get().wrapping_add(other.get()))
    }

    fn units(self) -> Units {
        self
    }
}

/// Total size, and the sum of `fee * size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sales {
    pub(crate) units: Units,
    pub(crate) revenue: Ticks,
}

impl Total for Sales {
    const NOTHING: Self = Self { units: Units::ZERO, revenue: Ticks::ZERO };

    fn of(fee: UnitPrice, size: Units) -> Self {
        Self { units: size, revenue: times(fee, size) }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            units: Units::new(self.units.get().wrapping_add(other.units.get())),
            revenue: Ticks::new(self.revenue.get().wrapping_add(other.revenue.get())),
        }
    }

    fn units(self) -> Units {
        self.units
    }
}
