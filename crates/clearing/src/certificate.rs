//! What the contract is given to check an outcome without sorting.

use market_types::{AskIndex, ReservePrice, UnitFee, UnitPrice, Units};
use serde::{Deserialize, Serialize};

/// The line between winning and losing users: a point in user order. A bid wins if it ranks before it.
///
/// The fee of the pivot is the user price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserPivot {
    /// Unit fee of the first bid left out, in ticks per unit.
    pub fee: UnitPrice,
    /// Index of the first bid left out, or [`UserPivot::NOBODY_LEFT_OUT`].
    pub index: u32,
}

impl UserPivot {
    /// The index of a pivot that is no bid. No bid has it: [`market_types::BidIndex::MAX`] is less.
    pub const NOBODY_LEFT_OUT: u32 = u32::MAX;

    /// The pivot of a round in which no prover wins: the first point of user order, before every bid.
    pub const NOBODY_WINS: Self = Self { fee: UnitPrice::MAX, index: 0 };

    /// The pivot of a round in which every bid at or above the reserve price wins.
    #[must_use]
    pub fn at_reserve(reserve: ReservePrice) -> Self {
        Self { fee: reserve.into(), index: Self::NOBODY_LEFT_OUT }
    }

    /// Whether a bid with this fee and index ranks before the pivot.
    #[must_use]
    pub fn admits(self, fee: UnitFee, index: market_types::BidIndex) -> bool {
        let fee = UnitPrice::from(fee);
        fee > self.fee || (fee == self.fee && index.get() < self.index)
    }
}

/// A claim about a round that exactly one value makes true; see [`crate::verify()`] for the checks.
///
/// On chain the unit cost `u64::MAX` is no valid ask and every capacity is at least the market's max task
/// size; nothing here depends on either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Certificate {
    /// Seat of the first prover left out, whose cost is the prover price: rank `w + 1` in prover order.
    /// `None` exactly if the round has no asks. Without winning provers it is the first in prover order.
    pub pivot_ask: Option<AskIndex>,
    /// The first user left out; [`UserPivot::NOBODY_WINS`] if no prover wins.
    pub user_pivot: UserPivot,
    /// Total size of the batch, in units; 0 without a trade. Given in advance so that one pass can assign the
    /// tasks.
    pub units: Units,
}
