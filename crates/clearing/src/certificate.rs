//! What the contract is given to check an outcome without sorting.

use market_types::{
    AskIndex, BidIndex, Mechanism, ReservePrice, Round, SeatedAsk, Ticks, UnitCost, UnitFee, UnitPrice, Units,
};
use serde::{Deserialize, Serialize};

/// The line between winning and losing users: a point in user order. A bid wins if it ranks before it.
///
/// In the mechanism `core` the fee of the pivot is the user price.
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
    pub fn admits(self, fee: UnitFee, index: BidIndex) -> bool {
        let fee = UnitPrice::from(fee);
        // Whether bids win is as good as random in order of submission: `|` and `&`, because a processor would guess
        // the branches of `||` and `&&` wrong.
        (fee > self.fee) | ((fee == self.fee) & (index.get() < self.index))
    }
}

/// A claim about a round that exactly one value makes true; see [`crate::verify()`] for the checks.
///
/// On chain the unit cost `u64::MAX` is no valid ask and every capacity is at least the market's max task
/// size; nothing here depends on either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Certificate {
    /// The first user left out; [`UserPivot::NOBODY_WINS`] if no prover wins.
    pub user_pivot: UserPivot,
    /// Total size of the winning bids, in units; 0 without a trade. Given in advance so that one pass can assign
    /// the tasks.
    pub units: Units,
    /// What decides which provers win, and what the mechanism's prices follow from.
    pub prover_side: ProverClaim,
}

/// The part of a certificate in which the mechanisms differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProverClaim {
    /// The provers ranked before the pivot win.
    Core {
        /// Seat of the first prover left out, whose cost is the prover price: rank `w + 1` in prover order.
        /// `None` exactly if the round has no asks. Without winning provers it is the first in prover order.
        pivot_ask: Option<AskIndex>,
    },
    /// The provers that ask less than the average fee of the largest batch win.
    AverageFee {
        /// The batch as large as the cap allows, which decides who proves.
        batch: BatchClaim,
        /// Sum of the payments of the winning bids, in ticks; 0 without a trade. Less than the batch's if the
        /// winning provers cannot prove all of it.
        revenue: Ticks,
    },
}

impl ProverClaim {
    /// The mechanism whose rounds take this claim.
    #[must_use]
    pub const fn mechanism(&self) -> Mechanism {
        match self {
            Self::Core { .. } => Mechanism::Core,
            Self::AverageFee { .. } => Mechanism::AverageFee,
        }
    }
}

/// A claim about `prefix(B)`, the bids taken up to the capacity cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BatchClaim {
    /// The first bid that the cap leaves out.
    pub pivot: UserPivot,
    /// `Q`: total size, in units.
    pub units: Units,
    /// `R`: sum of `fee * size`, in ticks.
    pub revenue: Ticks,
}

impl BatchClaim {
    /// Whether the average fee `R / Q` is above `cost`: `c * Q < R`, which no empty batch satisfies.
    #[must_use]
    pub fn pays_above(&self, cost: UnitCost) -> bool {
        // Below 2^128, so exact.
        u128::from(cost.get()).saturating_mul(u128::from(self.units.get())) < self.revenue.get()
    }

    /// The provers that win by this claim, in ask-book order.
    pub(crate) fn winners(&self, round: &Round) -> Vec<SeatedAsk> {
        round.asks().iter().copied().filter(|entry| self.pays_above(entry.ask.cost)).collect()
    }
}
